/* Waiting for several objects: any of them, all of them, and how many there may be. */
#include "bugcheck.h"
#include "kernel.h"

#define MANY MAXIMUM_WAIT_OBJECTS

static NTSTATUS poll_many(ULONG count, PVOID *objects, WAIT_TYPE type)
{
    LARGE_INTEGER none = {.QuadPart = 0};
    KWAIT_BLOCK blocks[MANY];
    return KeWaitForMultipleObjects(count, objects, type, Executive, KernelMode, FALSE, &none,
                                    blocks);
}

static void a_wait_for_any_returns_the_index_of_the_lowest(void **state)
{
    PROVES("WAIT-22", "WAIT-26");
    KEVENT events[3];
    PVOID objects[3] = {&events[0], &events[1], &events[2]};
    for (int i = 0; i < 3; i++) {
        KeInitializeEvent(&events[i], SynchronizationEvent, i != 0);
    }
    assert_int_equal(poll_many(3, objects, WaitAny), STATUS_WAIT_0 + 1);
    assert_int_equal(KeReadStateEvent(&events[1]), 0);
    assert_int_not_equal(KeReadStateEvent(&events[2]), 0); /* only one was taken */
    assert_int_equal(poll_many(3, objects, WaitAny), STATUS_WAIT_0 + 2);
    assert_int_equal(poll_many(3, objects, WaitAny), STATUS_TIMEOUT);
}

static void a_wait_for_all_takes_all_or_nothing(void **state)
{
    PROVES("WAIT-21", "WAIT-19");
    KEVENT event;
    KSEMAPHORE semaphore;
    KMUTEX mutex;
    PVOID objects[3] = {&event, &semaphore, &mutex};
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    KeInitializeSemaphore(&semaphore, 2, 2);
    KeInitializeMutex(&mutex, 0);
    assert_int_equal(poll_many(3, objects, WaitAll), STATUS_TIMEOUT);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 2);
    assert_int_equal(KeReadStateMutex(&mutex), 1);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    assert_int_equal(poll_many(3, objects, WaitAll), STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&event), 0);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 1);
    assert_int_equal(KeReadStateMutex(&mutex), 0);
    KeReleaseMutex(&mutex, FALSE);
}

/* ---- other threads satisfy the wait ---- */

struct waiter {
    KEVENT events[2];
    KSEMAPHORE semaphore;
    WAIT_TYPE type;
    NTSTATUS status;
};

static VOID wait_for_three(PVOID context)
{
    struct waiter *waiter = context;
    PVOID objects[3] = {&waiter->events[0], &waiter->events[1], &waiter->semaphore};
    waiter->status = KeWaitForMultipleObjects(3, objects, waiter->type, Executive, KernelMode,
                                              FALSE, NULL, NULL);
}

static PKTHREAD waiter_start(struct waiter *waiter, WAIT_TYPE type)
{
    waiter->type = type;
    waiter->status = STATUS_PENDING;
    KeInitializeEvent(&waiter->events[0], SynchronizationEvent, FALSE);
    KeInitializeEvent(&waiter->events[1], NotificationEvent, FALSE);
    KeInitializeSemaphore(&waiter->semaphore, 0, 10);
    PKTHREAD thread = start_thread(wait_for_three, waiter);
    await_blocked(thread);
    return thread;
}

static void any_object_ends_a_wait_for_any(void **state)
{
    PROVES("WAIT-22");
    struct waiter waiter;
    PKTHREAD thread = waiter_start(&waiter, WaitAny);
    KeReleaseSemaphore(&waiter.semaphore, IO_NO_INCREMENT, 2, FALSE);
    join_thread(thread);
    assert_int_equal(waiter.status, STATUS_WAIT_0 + 2);
    assert_int_equal(KeReadStateSemaphore(&waiter.semaphore), 1);
    thread = waiter_start(&waiter, WaitAny);
    KeSetEvent(&waiter.events[1], IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    assert_int_equal(waiter.status, STATUS_WAIT_0 + 1);
    assert_int_not_equal(KeReadStateEvent(&waiter.events[1]), 0);
}

static void the_last_object_ends_a_wait_for_all(void **state)
{
    PROVES("WAIT-21");
    struct waiter waiter;
    PKTHREAD thread = waiter_start(&waiter, WaitAll);
    KeSetEvent(&waiter.events[0], IO_NO_INCREMENT, FALSE);
    KeReleaseSemaphore(&waiter.semaphore, IO_NO_INCREMENT, 1, FALSE);
    /* Nothing was taken while one is missing: somebody else may have it. */
    assert_int_equal(poll_object(thread), STATUS_TIMEOUT);
    assert_int_equal(poll_object(&waiter.events[0]), STATUS_SUCCESS);
    KeSetEvent(&waiter.events[1], IO_NO_INCREMENT, FALSE);
    assert_int_equal(poll_object(thread), STATUS_TIMEOUT);
    assert_int_equal(KeReadStateSemaphore(&waiter.semaphore), 1);
    KeSetEvent(&waiter.events[0], IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    assert_int_equal(waiter.status, STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&waiter.events[0]), 0);
    assert_int_equal(KeReadStateSemaphore(&waiter.semaphore), 0);
}

/* A waiter for all that cannot go on does not keep the signal from the next one. */
static void a_signal_passes_a_wait_for_all_that_misses_something(void **state)
{
    PROVES("WAIT-21");
    struct waiter waiter;
    PKTHREAD thread = waiter_start(&waiter, WaitAll);
    KeReleaseSemaphore(&waiter.semaphore, IO_NO_INCREMENT, 1, FALSE);
    assert_int_equal(wait_object(&waiter.semaphore), STATUS_SUCCESS);
    KeSetEvent(&waiter.events[0], IO_NO_INCREMENT, FALSE);
    KeSetEvent(&waiter.events[1], IO_NO_INCREMENT, FALSE);
    KeReleaseSemaphore(&waiter.semaphore, IO_NO_INCREMENT, 1, FALSE);
    join_thread(thread);
    assert_int_equal(waiter.status, STATUS_SUCCESS);
}

static void sixty_four_objects_can_be_waited_for(void **state)
{
    PROVES("WAIT-24", "WAIT-26");
    STAYS_SILENT("WAIT-25");
    KEVENT events[MANY];
    PVOID objects[MANY];
    for (int i = 0; i < MANY; i++) {
        KeInitializeEvent(&events[i], NotificationEvent, i == MANY - 1);
        objects[i] = &events[i];
    }
    assert_int_equal(poll_many(MANY, objects, WaitAny), STATUS_WAIT_0 + MANY - 1);
    assert_int_equal(poll_many(MANY, objects, WaitAll), STATUS_TIMEOUT);
}

static void a_timeout_ends_a_wait_for_several(void **state)
{
    PROVES("WAIT-22", "WAIT-06");
    KEVENT events[2];
    PVOID objects[2] = {&events[0], &events[1]};
    LARGE_INTEGER soon = interval_ms(1);
    KeInitializeEvent(&events[0], SynchronizationEvent, FALSE);
    KeInitializeEvent(&events[1], SynchronizationEvent, TRUE);
    assert_int_equal(
        KeWaitForMultipleObjects(2, objects, WaitAll, Executive, KernelMode, FALSE, &soon, NULL),
        STATUS_TIMEOUT);
    assert_int_equal(poll_object(&events[1]), STATUS_SUCCESS);
}

/* ---- contracts ---- */

static KEVENT used[MANY + 1];
static PVOID used_objects[MANY + 1];
static KWAIT_BLOCK used_blocks[MANY + 1];

static void wait_for_used(ULONG count, KIRQL level, PKWAIT_BLOCK blocks)
{
    KIRQL irql;
    for (ULONG i = 0; i < count; i++) {
        KeInitializeEvent(&used[i], NotificationEvent, TRUE);
        used_objects[i] = &used[i];
    }
    KeRaiseIrql(level, &irql);
    KeWaitForMultipleObjects(count, used_objects, WaitAny, Executive, KernelMode, FALSE, NULL,
                             blocks);
    KeLowerIrql(irql);
}

static void wait_for_four_without_blocks(void *context)
{
    wait_for_used(THREAD_WAIT_OBJECTS + 1, PASSIVE_LEVEL, NULL);
}

static void wait_for_sixty_five(void *context)
{
    wait_for_used(MANY + 1, PASSIVE_LEVEL, used_blocks);
}

static void too_many_objects_stop(void **state)
{
    PROVES("WAIT-24", "BUGCHECK-08");
    assert_int_equal(MAXIMUM_WAIT_OBJECTS, 64);
    assert_int_equal(THREAD_WAIT_OBJECTS, 3);
    struct wskemu_bugcheck stop = bugcheck_of(wait_for_four_without_blocks, NULL);
    assert_bugcheck(stop, MAXIMUM_WAIT_OBJECTS_EXCEEDED, 0, 0, 0, 0);
    stop = bugcheck_of(wait_for_sixty_five, NULL);
    assert_bugcheck(stop, MAXIMUM_WAIT_OBJECTS_EXCEEDED, 0, 0, 0, 0);
    wait_for_used(THREAD_WAIT_OBJECTS, PASSIVE_LEVEL, NULL);
    wait_for_used(MANY, PASSIVE_LEVEL, used_blocks);
}

static void wait_at_dispatch_level(void *context)
{
    wait_for_used(2, DISPATCH_LEVEL, NULL);
}

static void waiting_for_several_at_dispatch_level_stops(void **state)
{
    PROVES("WAIT-27", "WAIT-09");
    struct wskemu_bugcheck stop = bugcheck_of(wait_at_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x121, ANY, ANY, 0);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_wait_for_any_returns_the_index_of_the_lowest),
    kernel_test(a_wait_for_all_takes_all_or_nothing),
    kernel_test(any_object_ends_a_wait_for_any),
    kernel_test(the_last_object_ends_a_wait_for_all),
    kernel_test(a_signal_passes_a_wait_for_all_that_misses_something),
    kernel_test(sixty_four_objects_can_be_waited_for),
    kernel_test(a_timeout_ends_a_wait_for_several),
    kernel_test(too_many_objects_stop),
    kernel_test(waiting_for_several_at_dispatch_level_stops),
};

TEST_MAIN(tests)
