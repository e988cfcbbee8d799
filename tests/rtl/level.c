/* The level at which the run-time library may be called: its pageable part, up to APC_LEVEL. */
#include "test.h"
#include "bugcheck.h"

#include <ntddk.h>
#include <wskemu/wskemu.h>

static void compare_at(void *context)
{
    DECLARE_CONST_UNICODE_STRING(text, L"text");
    const KIRQL *level = context;
    KIRQL old;
    KeRaiseIrql(*level, &old);
    RtlEqualUnicodeString(&text, &text, TRUE);
    KeLowerIrql(old);
}

static void strings_are_compared_up_to_apc_level(void **state)
{
    PROVES("IRQL-13");
    STAYS_SILENT("RTL-16");
    KIRQL level = APC_LEVEL;
    UNREFERENCED_PARAMETER(state);
    assert_false(wskemu_catch_bugcheck(compare_at, &level, NULL));
}

static void strings_compared_at_dispatch_level_stop(void **state)
{
    PROVES("IRQL-13", "RTL-16");
    KIRQL level = DISPATCH_LEVEL;
    UNREFERENCED_PARAMETER(state);
    struct wskemu_bugcheck stop = bugcheck_of(compare_at, &level);
    assert_int_equal(stop.code, DRIVER_VIOLATION);
    assert_int_equal(stop.parameter[1], DISPATCH_LEVEL);
    assert_string_equal(stop.rule, "RTL-16");
}

static const struct CMUnitTest tests[] = {
    kernel_test(strings_are_compared_up_to_apc_level),
    kernel_test(strings_compared_at_dispatch_level_stop),
};

TEST_MAIN(tests)
