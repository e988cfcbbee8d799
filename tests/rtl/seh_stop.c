/* Structured exceptions that nobody catches, and finally blocks that would not run: bug checks. */
#include <ntddk.h>

#include <wskemu/wskemu.h>

#include "bugcheck.h"
#include "rtl/exception.h"
#include "test.h"

#include <string.h>

#define WILD __attribute__((no_sanitize("undefined")))
#define WILD_ADDRESS ((volatile int *)(ULONG_PTR)0x7f0000001000)

static struct wskemu_bugcheck caught;

static void assert_stops(void (*body)(void *context))
{
    memset(&caught, 0, sizeof(caught));
    seh_catch_faults();
    assert_true(wskemu_catch_bugcheck(body, NULL, &caught));
}

static void raise_status(void *context)
{
    ExRaiseStatus(STATUS_NOT_FOUND);
}

static void unhandled_raise_stops(void **state)
{
    PROVES("BUGCHECK-27");
    assert_stops(raise_status);
    assert_int_equal(caught.code, SYSTEM_THREAD_EXCEPTION_NOT_HANDLED);
    assert_int_equal(caught.parameter[0], (ULONG)STATUS_NOT_FOUND);
}

static void raise_at_dispatch_level(void *context)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ExRaiseStatus(STATUS_NOT_FOUND);
}

static void unhandled_raise_at_dispatch_level_stops(void **state)
{
    PROVES("BUGCHECK-14");
    assert_stops(raise_at_dispatch_level);
    assert_int_equal(caught.code, KMODE_EXCEPTION_NOT_HANDLED);
    assert_int_equal(caught.parameter[0], (ULONG)STATUS_NOT_FOUND);
}

static void raise_under_refusing_filter(void *context)
{
    int blocks = 0;
    __try {
        ExRaiseStatus(STATUS_NOT_FOUND);
    } __except (EXCEPTION_CONTINUE_SEARCH) {
        blocks++;
    }
    __try {
        blocks++;
    } __finally {
        blocks++;
    }
}

static void refused_raise_stops(void **state)
{
    assert_stops(raise_under_refusing_filter);
    assert_int_equal(caught.code, SYSTEM_THREAD_EXCEPTION_NOT_HANDLED);
    assert_int_equal(caught.parameter[0], (ULONG)STATUS_NOT_FOUND);
}

WILD static void write_wild(void *context)
{
    *WILD_ADDRESS = 1;
}

static void unhandled_fault_stops(void **state)
{
    assert_stops(write_wild);
    assert_int_equal(caught.code, PAGE_FAULT_IN_NONPAGED_AREA);
    assert_true(caught.parameter[0] != 0);
}

WILD static void write_wild_at_dispatch_level(void *context)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    *WILD_ADDRESS = 1;
}

static void unhandled_fault_at_dispatch_level_stops(void **state)
{
    assert_stops(write_wild_at_dispatch_level);
    assert_int_equal(caught.code, DRIVER_IRQL_NOT_LESS_OR_EQUAL);
    assert_int_equal(caught.parameter[1], DISPATCH_LEVEL);
}

static int *volatile nowhere;

WILD static void write_null(void *context)
{
    *nowhere = 1;
}

static void unhandled_use_of_null_stops(void **state)
{
    assert_stops(write_null);
    assert_true(caught.code == SYSTEM_THREAD_EXCEPTION_NOT_HANDLED ||
                caught.code == PAGE_FAULT_IN_NONPAGED_AREA);
}

/* The bug check is expected inside a barrier, so what lies outside of it is out of reach. */
static void raise_does_not_cross_a_barrier(void **state)
{
    int handled = 0;
    __try {
        assert_true(seh_is_protected());
        assert_stops(raise_status);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        handled = 1;
    }
    assert_int_equal(handled, 0);
    assert_int_equal(caught.code, SYSTEM_THREAD_EXCEPTION_NOT_HANDLED);
}

static void barrier_hides_what_is_outside(void **state)
{
    int handled = 0;
    assert_false(seh_is_protected());
    __try {
        struct seh_barrier barrier;
        assert_true(seh_is_protected());
        seh_barrier_push(&barrier);
        assert_false(seh_is_protected());
        __try {
            assert_true(seh_is_protected());
            ExRaiseStatus(STATUS_NOT_FOUND);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            handled = 1;
        }
        seh_barrier_pop(&barrier);
        assert_true(seh_is_protected());
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        handled = 2;
    }
    assert_int_equal(handled, 1);
    assert_false(seh_is_protected());
}

static void finally_alone_protects_nothing(void **state)
{
    __try {
        assert_false(seh_is_protected());
    } __finally {
        assert_false(seh_is_protected());
    }
}

static int line_of_try;

static void return_from_body(void *context)
{
    line_of_try = __LINE__ + 1;
    __try {
        return;
    } __finally {
        line_of_try = 0;
    }
}

static void goto_out_of_body(void *context)
{
    line_of_try = __LINE__ + 1;
    __try {
        goto done;
    } __finally {
        line_of_try = 0;
    }
done:;
}

static void break_out_of_body(void *context)
{
    for (int i = 0; i < 3; i++) {
        line_of_try = __LINE__ + 1;
        __try {
            break;
        } __finally {
            line_of_try = 0;
        }
    }
}

static void continue_out_of_body(void *context)
{
    for (;;) {
        line_of_try = __LINE__ + 1;
        __try {
            continue;
        } __finally {
            line_of_try = 0;
        }
    }
}

static void goto_into_another_body(void *context)
{
    line_of_try = __LINE__ + 1;
    __try {
        goto next;
    } __finally {
        line_of_try = 0;
    }
next:
    __try {
        line_of_try++;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        line_of_try = 0;
    }
}

static void raise_after_goto(void *context)
{
    __try {
        line_of_try = __LINE__ + 1;
        __try {
            goto next;
        } __finally {
            line_of_try = 0;
        }
    next:
        ExRaiseStatus(STATUS_NOT_FOUND);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        line_of_try = 0;
    }
}

static void break_out_of_block(void *context)
{
    line_of_try = __LINE__ + 1;
    __try {
        line_of_try += 0;
    } __finally {
        break;
    }
}

static void skipped_block_stops(void **state)
{
    static void (*const bodies[])(void *context) = {
        return_from_body,       goto_out_of_body, break_out_of_body,  continue_out_of_body,
        goto_into_another_body, raise_after_goto, break_out_of_block,
    };
    for (size_t i = 0; i < RTL_NUMBER_OF(bodies); i++) {
        assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
        assert_stops(bodies[i]);
        assert_int_equal(caught.code, MANUALLY_INITIATED_CRASH);
        assert_non_null(strstr(caught.sentence, "seh_stop.c"));
        assert_int_equal(caught.parameter[2], line_of_try);
    }
}

static void skipped_block_is_no_hang(void **state)
{
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    const char *text = printed_of(return_from_body, NULL);
    assert_non_null(strstr(text, "534548  0x534548 structured exceptions were misused\n"));
    assert_null(strstr(text, "waits for ever"));
    wskemu_shutdown();
}

static const struct CMUnitTest tests[] = {
    kernel_test(unhandled_raise_stops),
    kernel_test(unhandled_raise_at_dispatch_level_stops),
    kernel_test(refused_raise_stops),
    kernel_test(unhandled_fault_stops),
    kernel_test(unhandled_fault_at_dispatch_level_stops),
    kernel_test(unhandled_use_of_null_stops),
    kernel_test(raise_does_not_cross_a_barrier),
    kernel_test(barrier_hides_what_is_outside),
    kernel_test(finally_alone_protects_nothing),
    cmocka_unit_test(skipped_block_stops),
    cmocka_unit_test(skipped_block_is_no_hang),
};

TEST_MAIN(tests)
