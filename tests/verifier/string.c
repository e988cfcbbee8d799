/* Strings: what drivers give the run-time library and must not. */
#include "full.h"

#include <ntstrsafe.h>

#define TAG 'rtsT'

/* ---- too long, not initialised ---- */

static WCHAR *long_text(void)
{
    static WCHAR text[0x9000];
    for (size_t i = 0; i < RTL_NUMBER_OF(text) - 1; i++) {
        text[i] = L'x';
    }
    return text;
}

static void point_at_long_text(void *context)
{
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, long_text());
}

static void point_at_long_bytes(void *context)
{
    static CHAR text[0x11000];
    STRING string;
    RtlFillMemory(text, sizeof(text) - 1, 'x');
    RtlInitString(&string, text);
}

static void copy_to_nothing(void *context)
{
    UNICODE_STRING source = RTL_CONSTANT_STRING(L"text");
    UNICODE_STRING destination = {.MaximumLength = 8, .Buffer = NULL};
    RtlCopyUnicodeString(&destination, &source);
}

static void copy_to_odd(void *context)
{
    UNICODE_STRING source = RTL_CONSTANT_STRING(L"text");
    UNICODE_STRING destination = {.MaximumLength = 0x1235, .Buffer = (PWCH)(ULONG_PTR)0x10000};
    RtlCopyUnicodeString(&destination, &source);
}

static void bad_strings_are_caught(void **state)
{
    PROVES("RTL-05", "RTL-12");
    expect_warning(point_at_long_text, NULL, "RTL-05");
    expect_warning(point_at_long_bytes, NULL, "RTL-05");
    expect_bugcheck(copy_to_nothing, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE4, "RTL-12");
    expect_bugcheck(copy_to_odd, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE4, "RTL-12");
}

static void use_strings_well(void *context)
{
    WCHAR room[8];
    UNICODE_STRING source = RTL_CONSTANT_STRING(L"a longer text");
    UNICODE_STRING destination = {.MaximumLength = sizeof(room), .Buffer = room};
    UNICODE_STRING none = {0};
    RtlCopyUnicodeString(&destination, &source);
    RtlCopyUnicodeString(&none, &source);
    RtlCopyUnicodeString(&none, NULL);
    RtlInitUnicodeString(&destination, L"text");
    assert_int_equal(RtlInitUnicodeStringEx(&destination, long_text()), STATUS_NAME_TOO_LONG);
}

static void good_strings_are_left_alone(void **state)
{
    STAYS_SILENT("RTL-05", "RTL-12");
    expect_silence(use_strings_well, NULL);
}

/* ---- freed by the library ---- */

static void free_literal(void *context)
{
    UNICODE_STRING string = RTL_CONSTANT_STRING(L"text");
    RtlFreeUnicodeString(&string);
}

static void free_own_pool(void *context)
{
    UNICODE_STRING string = {.MaximumLength = 16};
    string.Buffer = ExAllocatePool2(POOL_FLAG_PAGED, 16, TAG);
    RtlFreeUnicodeString(&string);
}

static void free_copy_too(void *context)
{
    UNICODE_STRING string;
    assert_true(RtlCreateUnicodeString(&string, L"text"));
    UNICODE_STRING copy = string;
    RtlFreeUnicodeString(&string);
    RtlFreeUnicodeString(&copy);
}

/* The pool's bug check, and before it a warning that says what the string had to do with it. */
static void expect_freed(void (*body)(void *), ULONG_PTR parameter, const char *rule)
{
    log_capture();
    expect_bugcheck(body, NULL, BAD_POOL_CALLER, parameter, rule);
    assert_non_null(strstr(log_captured(), "warning RTL-19:"));
}

static void bad_frees_of_strings_are_caught(void **state)
{
    PROVES("RTL-19", "RTL-20");
    expect_freed(free_literal, 0x46, "POOL-34");
    expect_warning(free_own_pool, NULL, "RTL-20");
    expect_freed(free_copy_too, 0x07, "POOL-33");
}

static void free_strings_well(void *context)
{
    UNICODE_STRING string;
    UNICODE_STRING other;
    ANSI_STRING bytes;
    GUID guid = {1, 2, 3, {4}};
    assert_true(RtlCreateUnicodeString(&string, L"text"));
    assert_int_equal(RtlUpcaseUnicodeString(&other, &string, TRUE), STATUS_SUCCESS);
    assert_int_equal(RtlUnicodeStringToAnsiString(&bytes, &string, TRUE), STATUS_SUCCESS);
    RtlFreeUnicodeString(&string);
    RtlFreeUnicodeString(&string);
    RtlFreeUnicodeString(&other);
    RtlFreeAnsiString(&bytes);
    assert_int_equal(RtlStringFromGUID(&guid, &string), STATUS_SUCCESS);
    RtlFreeUnicodeString(&string);
}

static void good_frees_of_strings_are_left_alone(void **state)
{
    STAYS_SILENT("RTL-19", "RTL-20");
    expect_silence(free_strings_well, NULL);
    expect_silence_at_full(free_strings_well);
}

/* ---- safe strings ---- */

static void copy_over_itself(void *context)
{
    WCHAR room[16] = L"some text";
    RtlStringCbCopyW(room + 2, sizeof(room) - 4, room);
}

static void print_at_dispatch(void *context)
{
    CHAR room[16];
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    RtlStringCbPrintfA(room, sizeof(room), "%d", 7);
    KeLowerIrql(old);
}

static void bad_calls_of_safe_strings_are_caught(void **state)
{
    PROVES("RTL-76", "RTL-77");
    expect_bugcheck(copy_over_itself, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xF0, "RTL-76");
    expect_warning(print_at_dispatch, NULL, "RTL-77");
}

static void use_safe_strings_well(void *context)
{
    WCHAR room[16];
    RtlStringCbCopyW(room, sizeof(room), L"text");
    RtlStringCbCatW(room, sizeof(room), L" and more text");
    RtlStringCbPrintfW(room, sizeof(room), L"%d", 7);
}

static void good_calls_of_safe_strings_are_left_alone(void **state)
{
    STAYS_SILENT("RTL-76", "RTL-77");
    expect_silence(use_safe_strings_well, NULL);
}

/* ---- sequenced lists ---- */

WILD static void misaligned_list(void *context)
{
    static UCHAR room[64];
    PSLIST_HEADER head = (PSLIST_HEADER)(PVOID)(((ULONG_PTR)room + 15) / 16 * 16 + 8);
    InitializeSListHead(head);
}

static void aligned_list(void *context)
{
    static SLIST_HEADER head;
    InitializeSListHead(&head);
}

static void a_misaligned_list_is_caught(void **state)
{
    PROVES("RTL-57");
    struct wskemu_bugcheck stop = bugcheck_of(misaligned_list, NULL);
    assert_int_equal((NTSTATUS)stop.parameter[0], STATUS_DATATYPE_MISALIGNMENT);
}

static void an_aligned_list_is_left_alone(void **state)
{
    STAYS_SILENT("RTL-57");
    expect_silence(aligned_list, NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(bad_strings_are_caught),
    kernel_test(good_strings_are_left_alone),
    kernel_test(bad_frees_of_strings_are_caught),
    kernel_test(good_frees_of_strings_are_left_alone),
    kernel_test(bad_calls_of_safe_strings_are_caught),
    kernel_test(good_calls_of_safe_strings_are_left_alone),
    kernel_test(a_misaligned_list_is_caught),
    kernel_test(an_aligned_list_is_left_alone),
};

TEST_MAIN(tests)
