/* Critical and guarded regions. */
#include "bugcheck.h"
#include "kernel.h"

static void a_critical_region_disables_normal_apcs_and_nests(void **state)
{
    PROVES("IRQL-16", "IRQL-19", "IRQL-21");
    STAYS_SILENT("IRQL-17", "DV-53");
    assert_false(KeAreApcsDisabled());
    KeEnterCriticalRegion();
    KeEnterCriticalRegion();
    assert_true(KeAreApcsDisabled());
    assert_false(KeAreAllApcsDisabled());
    KeLeaveCriticalRegion();
    assert_true(KeAreApcsDisabled());
    KeLeaveCriticalRegion();
    assert_false(KeAreApcsDisabled());
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void a_guarded_region_disables_all_apcs_and_nests(void **state)
{
    PROVES("IRQL-16", "IRQL-19");
    STAYS_SILENT("IRQL-17", "DV-53");
    KeEnterGuardedRegion();
    KeEnterGuardedRegion();
    assert_true(KeAreApcsDisabled());
    assert_true(KeAreAllApcsDisabled());
    KeLeaveGuardedRegion();
    assert_true(KeAreAllApcsDisabled());
    KeLeaveGuardedRegion();
    assert_false(KeAreAllApcsDisabled());
    assert_false(KeAreApcsDisabled());
}

static void apc_level_disables_all_apcs(void **state)
{
    PROVES("IRQL-16", "IRQL-19", "IRQL-15");
    KIRQL irql;
    KeRaiseIrql(APC_LEVEL, &irql);
    BOOLEAN at_apc = KeAreAllApcsDisabled();
    KeLowerIrql(irql);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    BOOLEAN at_dispatch = KeAreAllApcsDisabled();
    KeLowerIrql(irql);
    assert_true(at_apc && at_dispatch);
    assert_false(KeAreAllApcsDisabled());
}

static BOOLEAN seen_elsewhere;

static VOID look(PVOID context)
{
    seen_elsewhere = KeAreAllApcsDisabled();
}

static void a_region_belongs_to_its_thread(void **state)
{
    PROVES("IRQL-16");
    KeEnterGuardedRegion();
    seen_elsewhere = TRUE;
    join_thread(start_thread(look, NULL));
    KeLeaveGuardedRegion();
    assert_false(seen_elsewhere);
}

static void a_thread_waits_inside_a_region(void **state)
{
    PROVES("IRQL-16");
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    LARGE_INTEGER soon = {.QuadPart = -100};
    KeEnterCriticalRegion();
    assert_int_equal(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &soon),
                     STATUS_TIMEOUT);
    assert_true(KeAreApcsDisabled());
    KeLeaveCriticalRegion();
}

/* ---- contracts ---- */

static void leave_critical(void *context)
{
    KeLeaveCriticalRegion();
}

static void leave_guarded(void *context)
{
    KeLeaveGuardedRegion();
}

static void leaving_a_region_that_was_not_entered_stops(void **state)
{
    PROVES("IRQL-17", "DV-53");
    struct wskemu_bugcheck stop = bugcheck_of(leave_critical, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3E, 0, 0, 0);
    stop = bugcheck_of(leave_guarded, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4000E, ANY, 0, 0);
}

static void enter_at_dispatch_level(void *context)
{
    KeRaiseIrqlToDpcLevel();
    KeEnterCriticalRegion();
}

static void leave_at_dispatch_level(void *context)
{
    KeEnterCriticalRegion();
    KeRaiseIrqlToDpcLevel();
    KeLeaveCriticalRegion();
}

static void regions_at_dispatch_level_stop(void **state)
{
    PROVES("IRQL-17");
    struct wskemu_bugcheck stop = bugcheck_of(enter_at_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x11A, DISPATCH_LEVEL, 0, 0);
    stop = bugcheck_of(leave_at_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x11B, DISPATCH_LEVEL, 0, 0);
}

static VOID end_in_region(PVOID context)
{
    KeEnterCriticalRegion();
}

static void let_a_thread_end_in_region(void *context)
{
    wait_object(start_thread(end_in_region, NULL));
}

static void a_thread_that_ends_inside_a_region_stops(void **state)
{
    PROVES("IRQL-18", "THREAD-34", "BUGCHECK-16");
    struct wskemu_bugcheck stop = bugcheck_of(let_a_thread_end_in_region, NULL);
    assert_bugcheck(stop, KERNEL_APC_PENDING_DURING_EXIT, 0, (USHORT)-2, PASSIVE_LEVEL, 0);
}

static KMUTEX owned;
static KSPIN_LOCK held;

static VOID give_back_and_end(PVOID context)
{
    KIRQL irql;
    KeEnterCriticalRegion();
    KeEnterGuardedRegion();
    KeAcquireSpinLock(&held, &irql);
    KeReleaseSpinLock(&held, irql);
    KeLeaveGuardedRegion();
    KeLeaveCriticalRegion();
    wait_object(&owned);
    KeReleaseMutex(&owned, FALSE);
}

static void a_thread_that_gave_all_back_ends(void **state)
{
    STAYS_SILENT("THREAD-34", "MUTEX-11", "IRQL-18");
    KeInitializeMutex(&owned, 0);
    KeInitializeSpinLock(&held);
    join_thread(start_thread(give_back_and_end, NULL));
    assert_int_equal(KeReadStateMutex(&owned), 1);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_critical_region_disables_normal_apcs_and_nests),
    kernel_test(a_guarded_region_disables_all_apcs_and_nests),
    kernel_test(apc_level_disables_all_apcs),
    kernel_test(a_region_belongs_to_its_thread),
    kernel_test(a_thread_waits_inside_a_region),
    kernel_test(leaving_a_region_that_was_not_entered_stops),
    kernel_test(regions_at_dispatch_level_stop),
    kernel_test(a_thread_that_ends_inside_a_region_stops),
    kernel_test(a_thread_that_gave_all_back_ends),
};

TEST_MAIN(tests)
