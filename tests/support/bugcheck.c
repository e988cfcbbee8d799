#include "bugcheck.h"

#include "log.h"

struct wskemu_bugcheck bugcheck_of_(const char *file, int line, void (*body)(void *context),
                                    void *context)
{
    struct wskemu_bugcheck caught = {0};
    if (!wskemu_catch_bugcheck(body, context, &caught)) {
        print_error("expected a bug check, but none came\n");
        _fail(file, line);
    }
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    return caught;
}

const char *printed_of_(const char *file, int line, void (*body)(void *context), void *context)
{
    log_capture();
    bool is_caught = wskemu_contain_bugcheck(body, context, NULL) != FALSE;
    const char *text = log_captured();
    if (!is_caught) {
        print_error("expected a bug check, but none came\n");
        _fail(file, line);
    }
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    return text;
}

void assert_bugcheck_(const char *file, int line, const struct wskemu_bugcheck *bugcheck,
                      ULONG code, ULONG_PTR parameter1, ULONG_PTR parameter2, ULONG_PTR parameter3,
                      ULONG_PTR parameter4)
{
    const ULONG_PTR expected[4] = {parameter1, parameter2, parameter3, parameter4};
    bool is_equal = bugcheck->code == code;
    for (int i = 0; i < 4; i++) {
        is_equal = is_equal && (expected[i] == ANY || bugcheck->parameter[i] == expected[i]);
    }
    if (is_equal) {
        return;
    }
    print_error("expected bug check 0x%X, got 0x%X (0x%llX, 0x%llX, 0x%llX, 0x%llX): %s\n", code,
                bugcheck->code, (unsigned long long)bugcheck->parameter[0],
                (unsigned long long)bugcheck->parameter[1],
                (unsigned long long)bugcheck->parameter[2],
                (unsigned long long)bugcheck->parameter[3], bugcheck->sentence);
    for (int i = 0; i < 4; i++) {
        if (expected[i] != ANY) {
            print_error("  parameter %d should be 0x%llX\n", i + 1,
                        (unsigned long long)expected[i]);
        }
    }
    _fail(file, line);
}
