/* Who runs the loop: timers and waits go on whatever the threads do. */
#include "kernel.h"

#include "ke/kernel.h"

static VOID ping(PVOID context)
{
    KEVENT *events = context;
    for (int i = 0; i < 500; i++) {
        KeWaitForSingleObject(&events[0], Executive, KernelMode, FALSE, NULL);
        KeSetEvent(&events[1], IO_NO_INCREMENT, FALSE);
    }
}

static PVOID start(PKSTART_ROUTINE routine, PVOID context)
{
    HANDLE handle;
    PVOID thread;
    assert_int_equal(PsCreateSystemThread(&handle, 0, NULL, NULL, NULL, routine, context), 0);
    assert_int_equal(
        ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread, NULL),
        0);
    ZwClose(handle);
    return thread;
}

static void join(PVOID thread)
{
    KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(thread);
}

static void two_threads_wake_each_other(void **state)
{
    KEVENT events[2];
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&events[0], SynchronizationEvent, FALSE);
    KeInitializeEvent(&events[1], SynchronizationEvent, FALSE);
    PVOID thread = start(ping, events);
    for (int i = 0; i < 500; i++) {
        KeSetEvent(&events[0], IO_NO_INCREMENT, FALSE);
        KeWaitForSingleObject(&events[1], Executive, KernelMode, FALSE, NULL);
    }
    join(thread);
}

struct computing {
    KTIMER timer;
    KDPC dpc;
    volatile LONG expired;
};

static VOID note_expiry(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct computing *computing = context;
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    InterlockedExchange(&computing->expired, 1);
}

static void a_timer_expires_while_every_thread_computes(void **state)
{
    struct computing computing = {.expired = 0};
    LARGE_INTEGER due = {.QuadPart = -10000};
    UNREFERENCED_PARAMETER(state);
    KeInitializeTimer(&computing.timer);
    KeInitializeDpc(&computing.dpc, note_expiry, &computing);
    KeSetTimer(&computing.timer, due, &computing.dpc);
    while (ReadAcquire(&computing.expired) == 0) {
        YieldProcessor();
    }
    KeFlushQueuedDpcs();
}

struct hand_over {
    KEVENT go;
    KEVENT done;
    KTIMER timer;
};

static VOID wait_for_timer(PVOID context)
{
    struct hand_over *hand_over = context;
    KeWaitForSingleObject(&hand_over->go, Executive, KernelMode, FALSE, NULL);
    KeWaitForSingleObject(&hand_over->timer, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&hand_over->done, IO_NO_INCREMENT, FALSE);
}

/* A former leader wakes another waiter and then computes: that waiter must make progress. */
static void a_waiter_goes_on_while_the_former_leader_computes(void **state)
{
    struct hand_over hand_over;
    LARGE_INTEGER soon = {.QuadPart = -10000};
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&hand_over.go, NotificationEvent, FALSE);
    KeInitializeEvent(&hand_over.done, NotificationEvent, FALSE);
    KeInitializeTimer(&hand_over.timer);
    PVOID thread = start(wait_for_timer, &hand_over);
    KeDelayExecutionThread(KernelMode, FALSE, &soon); /* leads */
    KeSetTimer(&hand_over.timer, soon, NULL);
    KeSetEvent(&hand_over.go, IO_NO_INCREMENT, FALSE);
    while (KeReadStateEvent(&hand_over.done) == 0) {
        YieldProcessor();
    }
    join(thread);
}

static VOID wait_for_event(PVOID event)
{
    KeWaitForSingleObject(event, Executive, KernelMode, FALSE, NULL);
}

/* Returns whether somebody leads, once a thread that might is parked. */
static BOOLEAN is_led_beside_an_idle_thread(void)
{
    for (;;) {
        ke_lock();
        BOOLEAN is_idle = ke_kernel()->lead.idle != 0;
        BOOLEAN is_led = ke_kernel()->lead.leader != NULL;
        ke_unlock();
        if (is_idle) {
            return is_led;
        }
        YieldProcessor();
    }
}

static VOID set_event(PKDPC dpc, PVOID event, PVOID argument1, PVOID argument2)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
}

/* Without sockets and timers a waiter parks; a timer that is set then must expire all the same. */
static void a_timer_expires_while_one_thread_is_parked_and_one_computes(void **state)
{
    KEVENT event;
    KTIMER timer;
    KDPC dpc;
    LARGE_INTEGER soon = {.QuadPart = -10000};
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeInitializeTimer(&timer);
    KeInitializeDpc(&dpc, set_event, &event);
    PVOID thread = start(wait_for_event, &event);
    assert_false(is_led_beside_an_idle_thread());
    KeSetTimer(&timer, soon, &dpc);
    while (KeReadStateEvent(&event) == 0) {
        YieldProcessor();
    }
    join(thread);
}

/* The same for a DPC that is left to the leader. */
static void a_dpc_left_over_runs_while_one_thread_is_parked_and_one_computes(void **state)
{
    KEVENT event;
    KDPC dpc;
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeInitializeDpc(&dpc, set_event, &event);
    KeSetImportanceDpc(&dpc, LowImportance);
    PVOID thread = start(wait_for_event, &event);
    assert_false(is_led_beside_an_idle_thread());
    KeInsertQueueDpc(&dpc, NULL, NULL);
    while (KeReadStateEvent(&event) == 0) {
        YieldProcessor();
    }
    join(thread);
}

struct crash {
    KTIMER timer;
    KDPC dpc;
    volatile LONG has_begun;
};

static BOOLEAN is_stopping(void)
{
    ke_lock();
    BOOLEAN is = ke_kernel()->lead.is_stopping;
    ke_unlock();
    return is;
}

static VOID crash_when_the_kernel_stops(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct crash *crash = context;
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    InterlockedExchange(&crash->has_begun, 1);
    while (!is_stopping()) {
        YieldProcessor();
    }
    KeBugCheck(MANUALLY_INITIATED_CRASH);
}

/* The background thread never ends: it stands in this DPC, which computing leaves to it. */
static void shut_down_while_it_crashes(void *context)
{
    static struct crash crash;
    const struct wskemu_options options = {.processors = 2, .loops = 1};
    LARGE_INTEGER due = {.QuadPart = -10000};
    UNREFERENCED_PARAMETER(context);
    wskemu_shutdown();
    wskemu_boot(&options);
    KeInitializeTimer(&crash.timer);
    KeInitializeDpc(&crash.dpc, crash_when_the_kernel_stops, &crash);
    KeSetTimer(&crash.timer, due, &crash.dpc);
    while (ReadAcquire(&crash.has_begun) == 0) {
        YieldProcessor();
    }
    wskemu_shutdown();
}

static void a_bug_check_ends_a_shutdown(void **state)
{
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(shut_down_while_it_crashes, NULL, MANUALLY_INITIATED_CRASH, ANY_PARAMETER,
                    NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(two_threads_wake_each_other),
    kernel_test(a_timer_expires_while_every_thread_computes),
    kernel_test(a_waiter_goes_on_while_the_former_leader_computes),
    kernel_test(a_timer_expires_while_one_thread_is_parked_and_one_computes),
    kernel_test(a_dpc_left_over_runs_while_one_thread_is_parked_and_one_computes),
    kernel_test(a_bug_check_ends_a_shutdown),
};

TEST_MAIN(tests)
