/* Executive resources. */
#include "kernel.h"

struct shared {
    ERESOURCE resource;
    KEVENT entered;
    KEVENT leave;
    BOOLEAN result;
    volatile LONG order;
    LONG came;
};

static void setup(struct shared *shared)
{
    RtlZeroMemory(shared, sizeof(*shared));
    assert_int_equal(ExInitializeResourceLite(&shared->resource), STATUS_SUCCESS);
    KeInitializeEvent(&shared->entered, NotificationEvent, FALSE);
    KeInitializeEvent(&shared->leave, NotificationEvent, FALSE);
    KeEnterCriticalRegion();
}

static void teardown(struct shared *shared)
{
    KeLeaveCriticalRegion();
    assert_int_equal(ExDeleteResourceLite(&shared->resource), STATUS_SUCCESS);
}

/* A thread's request, and its end. */
typedef BOOLEAN acquire_routine(PERESOURCE resource, BOOLEAN wait);

static void hold(struct shared *shared, acquire_routine *acquire)
{
    KeEnterCriticalRegion();
    acquire(&shared->resource, TRUE);
    InterlockedExchange(&shared->came, InterlockedIncrement(&shared->order));
    KeSetEvent(&shared->entered, 0, FALSE);
    wait_object(&shared->leave);
    ExReleaseResourceLite(&shared->resource);
    KeLeaveCriticalRegion();
}

static VOID hold_exclusive(PVOID context)
{
    hold(context, ExAcquireResourceExclusiveLite);
}

static VOID hold_shared(PVOID context)
{
    hold(context, ExAcquireResourceSharedLite);
}

static void ownership_is_counted(void **state)
{
    PROVES("FAST-15", "FAST-19", "FAST-22", "FAST-27");
    STAYS_SILENT("FAST-17", "FAST-25");
    struct shared shared;
    setup(&shared);
    assert_true(ExAcquireResourceExclusiveLite(&shared.resource, FALSE));
    assert_true(ExAcquireResourceExclusiveLite(&shared.resource, TRUE));
    assert_true(ExAcquireResourceSharedLite(&shared.resource, FALSE));
    assert_true(ExIsResourceAcquiredExclusiveLite(&shared.resource));
    assert_int_equal(ExIsResourceAcquiredSharedLite(&shared.resource), 3);
    ExReleaseResourceLite(&shared.resource);
    ExReleaseResourceLite(&shared.resource);
    assert_true(ExIsResourceAcquiredExclusiveLite(&shared.resource));
    ExReleaseResourceLite(&shared.resource);
    assert_false(ExIsResourceAcquiredExclusiveLite(&shared.resource));
    assert_int_equal(ExIsResourceAcquiredSharedLite(&shared.resource), 0);
    assert_int_equal(ExReinitializeResourceLite(&shared.resource), STATUS_SUCCESS);
    teardown(&shared);
}

static void exclusive_owner_keeps_others_out(void **state)
{
    PROVES("FAST-19", "FAST-21", "FAST-27");
    struct shared shared;
    setup(&shared);
    PKTHREAD owner = start_thread(hold_exclusive, &shared);
    wait_object(&shared.entered);
    assert_false(ExAcquireResourceExclusiveLite(&shared.resource, FALSE));
    assert_false(ExAcquireResourceSharedLite(&shared.resource, FALSE));
    assert_false(ExAcquireSharedStarveExclusive(&shared.resource, FALSE));
    assert_false(ExIsResourceAcquiredExclusiveLite(&shared.resource));
    assert_int_equal(ExIsResourceAcquiredSharedLite(&shared.resource), 0);
    KeSetEvent(&shared.leave, 0, FALSE);
    assert_true(ExAcquireResourceExclusiveLite(&shared.resource, TRUE));
    ExReleaseResourceLite(&shared.resource);
    join_thread(owner);
    teardown(&shared);
}

static void sharers_respect_waiting_writers_each_in_its_way(void **state)
{
    PROVES("FAST-21", "FAST-23");
    struct shared sharer;
    setup(&sharer);
    PKTHREAD other = start_thread(hold_shared, &sharer);
    wait_object(&sharer.entered);
    assert_true(ExAcquireResourceSharedLite(&sharer.resource, FALSE));
    assert_false(ExAcquireResourceExclusiveLite(&sharer.resource, FALSE));
    ExReleaseResourceLite(&sharer.resource);

    PKTHREAD writer = start_thread(hold_exclusive, &sharer);
    await_blocked(writer);
    assert_int_equal(ExGetExclusiveWaiterCount(&sharer.resource), 1);
    assert_false(ExAcquireResourceSharedLite(&sharer.resource, FALSE));
    assert_false(ExAcquireSharedWaitForExclusive(&sharer.resource, FALSE));
    assert_true(ExAcquireSharedStarveExclusive(&sharer.resource, FALSE));
    /* A sharer may share again, unless it lets the others go first of its own will. */
    assert_true(ExAcquireResourceSharedLite(&sharer.resource, FALSE));
    assert_false(ExAcquireSharedWaitForExclusive(&sharer.resource, FALSE));
    ExReleaseResourceLite(&sharer.resource);
    ExReleaseResourceLite(&sharer.resource);
    KeSetEvent(&sharer.leave, 0, FALSE);
    join_thread(other);
    join_thread(writer);
    assert_int_equal(sharer.came, 2);
    teardown(&sharer);
}

static void many_threads_share(void **state)
{
    PROVES("FAST-21");
    struct shared shared;
    PKTHREAD threads[20];
    setup(&shared);
    for (int i = 0; i < 20; i++) {
        threads[i] = start_thread(hold_shared, &shared);
    }
    while (ReadAcquire(&shared.order) != 20) {
        LARGE_INTEGER pause = interval_ms(1);
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    KeSetEvent(&shared.leave, 0, FALSE);
    for (int i = 0; i < 20; i++) {
        join_thread(threads[i]);
    }
    teardown(&shared);
}

static void conversion_lets_sharers_in(void **state)
{
    PROVES("FAST-24");
    struct shared shared;
    setup(&shared);
    ExAcquireResourceExclusiveLite(&shared.resource, TRUE);
    PKTHREAD sharer = start_thread(hold_shared, &shared);
    await_blocked(sharer);
    assert_int_equal(ExGetSharedWaiterCount(&shared.resource), 1);
    ExConvertExclusiveToSharedLite(&shared.resource);
    assert_false(ExIsResourceAcquiredExclusiveLite(&shared.resource));
    assert_int_equal(ExIsResourceAcquiredSharedLite(&shared.resource), 1);
    wait_object(&shared.entered);
    ExReleaseResourceLite(&shared.resource);
    KeSetEvent(&shared.leave, 0, FALSE);
    join_thread(sharer);
    teardown(&shared);
}

static void combined_calls_enter_the_region(void **state)
{
    PROVES("FAST-28");
    ERESOURCE resource;
    ExInitializeResourceLite(&resource);
    ExEnterCriticalRegionAndAcquireResourceExclusive(&resource);
    assert_true(KeAreApcsDisabled());
    assert_true(ExIsResourceAcquiredExclusiveLite(&resource));
    ExReleaseResourceAndLeaveCriticalRegion(&resource);
    assert_false(KeAreApcsDisabled());
    ExEnterCriticalRegionAndAcquireResourceShared(&resource);
    assert_int_equal(ExIsResourceAcquiredSharedLite(&resource), 1);
    assert_false(ExIsResourceAcquiredExclusiveLite(&resource));
    ExReleaseResourceAndLeaveCriticalRegion(&resource);
    assert_int_equal(ExIsResourceAcquiredSharedLite(&resource), 0);
    ExDeleteResourceLite(&resource);
}

static void a_sharer_releases_before_it_asks_for_more(void **state)
{
    STAYS_SILENT("FAST-20");
    struct shared shared;
    setup(&shared);
    assert_true(ExAcquireResourceSharedLite(&shared.resource, TRUE));
    ExReleaseResourceLite(&shared.resource);
    assert_true(ExAcquireResourceExclusiveLite(&shared.resource, TRUE));
    ExReleaseResourceLite(&shared.resource);
    teardown(&shared);
}

static void owner_pointers_release_for_others(void **state)
{
    struct shared shared;
    setup(&shared);
    PVOID pointer = (PVOID)((ULONG_PTR)&shared | 3);
    ExAcquireResourceExclusiveLite(&shared.resource, TRUE);
    ExSetResourceOwnerPointer(&shared.resource, pointer);
    assert_int_equal(ExIsResourceAcquiredSharedLite(&shared.resource), 0);
    ExReleaseResourceForThreadLite(&shared.resource, (ERESOURCE_THREAD)pointer);
    assert_true(ExTryToAcquireResourceExclusiveLite(&shared.resource));
    ExReleaseResourceForThreadLite(&shared.resource, ExGetCurrentResourceThread());
    teardown(&shared);
}

/* ---- misuse ---- */

static void initialise_twice(void *context)
{
    ExInitializeResourceLite(context);
    ExInitializeResourceLite(context);
}

static void delete_unknown(void *context)
{
    ExDeleteResourceLite(context);
}

static void delete_owned(void *context)
{
    ExInitializeResourceLite(context);
    ExEnterCriticalRegionAndAcquireResourceExclusive(context);
    ExDeleteResourceLite(context);
}

static void acquire_outside_region(void *context)
{
    ExInitializeResourceLite(context);
    ExAcquireResourceSharedLite(context, TRUE);
}

static void release_outside_region(void *context)
{
    ExInitializeResourceLite(context);
    ExEnterCriticalRegionAndAcquireResourceShared(context);
    KeLeaveCriticalRegion();
    ExReleaseResourceLite(context);
}

static void release_unowned(void *context)
{
    ExInitializeResourceLite(context);
    KeEnterCriticalRegion();
    ExReleaseResourceLite(context);
}

static void upgrade(void *context)
{
    ExInitializeResourceLite(context);
    ExEnterCriticalRegionAndAcquireResourceShared(context);
    ExAcquireResourceExclusiveLite(context, TRUE);
}

static void misuse_stops(void **state)
{
    PROVES("FAST-16", "FAST-17", "FAST-18", "FAST-20", "FAST-25");
    static ERESOURCE resource;
    const ULONG code = DRIVER_VERIFIER_DETECTED_VIOLATION;
    expect_bugcheck(initialise_twice, &resource, code, 0xD0, "FAST-17");
    expect_bugcheck(delete_unknown, &resource, code, 0xD1, "FAST-17");
    expect_bugcheck(delete_owned, &resource, code, 0x100B, "FAST-16");
    expect_bugcheck(acquire_outside_region, &resource, code, 0x37, "FAST-18");
    expect_bugcheck(release_outside_region, &resource, code, 0x38, "FAST-18");
    expect_bugcheck(release_unowned, &resource, RESOURCE_NOT_OWNED, (ULONG_PTR)&resource,
                    "FAST-25");
    expect_bugcheck(upgrade, &resource, code, 0x1000, "FAST-20");
}

static const struct CMUnitTest tests[] = {
    kernel_test(ownership_is_counted),
    kernel_test(exclusive_owner_keeps_others_out),
    kernel_test(sharers_respect_waiting_writers_each_in_its_way),
    kernel_test(many_threads_share),
    kernel_test(conversion_lets_sharers_in),
    kernel_test(combined_calls_enter_the_region),
    kernel_test(a_sharer_releases_before_it_asks_for_more),
    kernel_test(owner_pointers_release_for_others),
    kernel_test(misuse_stops),
};

TEST_MAIN(tests)
