/* Bug checks of wild pointers and of exceptions that nobody handles: 0xA, 0x1E, 0x50, 0x7E, 0xD1.
 */
#include "bugcheck.h"
#include "kernel.h"

#include "rtl/exception.h"

/* Mistakes that a sanitizer would report before the kernel sees them. */
#define WILD __attribute__((noinline, no_sanitize("undefined", "address", "thread")))

/* No memory is mapped here. */
#define NOWHERE 0x7f0000001000ULL

/* What a routine does, at the level given. */
struct mistake {
    void (*routine)(void);
    KIRQL level;
};

WILD static void read_nowhere(void)
{
    (void)*(volatile int *)NOWHERE;
}

WILD static void write_nowhere(void)
{
    *(volatile int *)NOWHERE = 1;
}

static void (*volatile nowhere)(void) = (void (*)(void))NOWHERE;

WILD static void execute_nowhere(void)
{
    nowhere();
}

static volatile int zero;

WILD static void divide_by_zero(void)
{
    zero = 12345 / zero;
}

static void raise_status(void)
{
    ExRaiseStatus(STATUS_NOT_FOUND);
}

static void run_pageable(void)
{
    PAGED_CODE();
}

static void make(void *context)
{
    const struct mistake *mistake = context;
    KIRQL irql;
    seh_catch_faults(); /* CMocka takes the host's signals for each test */
    KeRaiseIrql(mistake->level, &irql);
    mistake->routine();
    KeLowerIrql(irql);
}

static struct wskemu_bugcheck stop_of(void (*routine)(void), KIRQL level)
{
    struct mistake mistake = {.routine = routine, .level = level};
    return bugcheck_of(make, &mistake);
}

/* Whether the address lies in the routine. */
static bool is_in(ULONG_PTR address, void (*routine)(void))
{
    return address - (ULONG_PTR)routine < 256;
}

static void a_wild_pointer_below_dispatch_level_stops(void **state)
{
    PROVES("BUGCHECK-25");
    struct wskemu_bugcheck stop = stop_of(read_nowhere, PASSIVE_LEVEL);
    assert_bugcheck(stop, PAGE_FAULT_IN_NONPAGED_AREA, NOWHERE, 0, ANY, 2);
    assert_true(is_in(stop.parameter[2], read_nowhere));
    stop = stop_of(write_nowhere, APC_LEVEL);
    assert_bugcheck(stop, PAGE_FAULT_IN_NONPAGED_AREA, NOWHERE, 2, ANY, 2);
    assert_true(is_in(stop.parameter[2], write_nowhere));
    stop = stop_of(execute_nowhere, PASSIVE_LEVEL);
    assert_bugcheck(stop, PAGE_FAULT_IN_NONPAGED_AREA, NOWHERE, 0x10, NOWHERE, 2);
}

static void a_wild_pointer_at_dispatch_level_stops(void **state)
{
    PROVES("BUGCHECK-47", "SPIN-21");
    const KIRQL level = DISPATCH_LEVEL;
    struct wskemu_bugcheck stop = stop_of(read_nowhere, level);
    assert_bugcheck(stop, DRIVER_IRQL_NOT_LESS_OR_EQUAL, NOWHERE, level, 0, ANY);
    assert_true(is_in(stop.parameter[3], read_nowhere));
    stop = stop_of(write_nowhere, level + 1);
    assert_bugcheck(stop, DRIVER_IRQL_NOT_LESS_OR_EQUAL, NOWHERE, level + 1, 1, ANY);
    assert_true(is_in(stop.parameter[3], write_nowhere));
    stop = stop_of(execute_nowhere, level);
    assert_bugcheck(stop, DRIVER_IRQL_NOT_LESS_OR_EQUAL, NOWHERE, level, 8, NOWHERE);
}

static void an_unhandled_exception_stops(void **state)
{
    PROVES("BUGCHECK-27");
    struct wskemu_bugcheck stop = stop_of(divide_by_zero, PASSIVE_LEVEL);
    assert_bugcheck(stop, SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, (ULONG)STATUS_INTEGER_DIVIDE_BY_ZERO,
                    ANY, ANY, ANY);
    assert_true(is_in(stop.parameter[1], divide_by_zero));
    assert_true(stop.parameter[2] != 0 && stop.parameter[3] != 0);
    stop = stop_of(raise_status, PASSIVE_LEVEL);
    assert_bugcheck(stop, SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, (ULONG)STATUS_NOT_FOUND, ANY, ANY,
                    ANY);
    assert_true(is_in(stop.parameter[1], raise_status));
}

static void an_unhandled_exception_at_dispatch_level_stops(void **state)
{
    PROVES("BUGCHECK-14", "SPIN-21");
    struct wskemu_bugcheck stop = stop_of(divide_by_zero, DISPATCH_LEVEL);
    assert_bugcheck(stop, KMODE_EXCEPTION_NOT_HANDLED, (ULONG)STATUS_INTEGER_DIVIDE_BY_ZERO, ANY, 0,
                    0);
    assert_true(is_in(stop.parameter[1], divide_by_zero));
}

static VOID fault_in_thread(PVOID context)
{
    write_nowhere();
}

static void start_faulting(void *context)
{
    seh_catch_faults();
    wait_object(start_thread(fault_in_thread, NULL));
}

static void a_fault_of_a_system_thread_stops(void **state)
{
    PROVES("BUGCHECK-25");
    struct wskemu_bugcheck stop = bugcheck_of(start_faulting, NULL);
    assert_bugcheck(stop, PAGE_FAULT_IN_NONPAGED_AREA, NOWHERE, 2, ANY, 2);
}

static VOID fault_in_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    read_nowhere();
}

static void queue_faulting(void *context)
{
    static KDPC dpc;
    seh_catch_faults();
    KeInitializeDpc(&dpc, fault_in_dpc, NULL);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

/* A handler of the thread on which the DPC runs does not catch it. */
static void a_fault_of_a_dpc_stops(void **state)
{
    PROVES("BUGCHECK-47");
    int handled = 0;
    __try {
        struct wskemu_bugcheck stop = bugcheck_of(queue_faulting, NULL);
        assert_bugcheck(stop, DRIVER_IRQL_NOT_LESS_OR_EQUAL, NOWHERE, DISPATCH_LEVEL, 0, ANY);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        handled = 1;
    }
    assert_int_equal(handled, 0);
}

static void pageable_code_at_dispatch_level_stops(void **state)
{
    PROVES("BUGCHECK-07");
    struct wskemu_bugcheck stop = stop_of(run_pageable, DISPATCH_LEVEL);
    assert_bugcheck(stop, IRQL_NOT_LESS_OR_EQUAL, ANY, DISPATCH_LEVEL, 8, ANY);
    assert_true(is_in(stop.parameter[0], run_pageable));
    assert_true(is_in(stop.parameter[3], run_pageable));
}

static void pageable_code_runs_at_apc_level(void **state)
{
    KIRQL irql;
    KeRaiseIrql(APC_LEVEL, &irql);
    run_pageable();
    KeLowerIrql(irql);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_wild_pointer_below_dispatch_level_stops),
    kernel_test(a_wild_pointer_at_dispatch_level_stops),
    kernel_test(an_unhandled_exception_stops),
    kernel_test(an_unhandled_exception_at_dispatch_level_stops),
    kernel_test(a_fault_of_a_system_thread_stops),
    kernel_test(a_fault_of_a_dpc_stops),
    kernel_test(pageable_code_at_dispatch_level_stops),
    kernel_test(pageable_code_runs_at_apc_level),
};

TEST_MAIN(tests)
