/*
 * A thread that has led wakes another one and then computes without sleeping. That other thread
 * must go on, and so must its socket, although the host may take the first one for busy with the
 * poll (emu/base/windows/poller.c).
 *
 * Meaningful on Windows itself only: Linux and Wine let any thread poll at any time.
 */
#include "wsk_pair.h"

#include "ke/kernel.h"
#include "ke/thread.h"

#define COMPUTE_SECONDS 2
#define HOUR_MS 3600000

struct hand_over {
    struct wsk_pair pair;
    struct wsk_call receive;
    PKTHREAD leader;
    KTIMER never;     /* is set, so that somebody always leads */
    KEVENT go_on;     /* ends the leader's wait */
    KEVENT be_served; /* the former leader wakes the other thread, while somebody else polls */
    LONG has_served;
};

/* Waits until this thread polls, or until another one does. */
static void spin_until_polling(PKTHREAD thread, BOOLEAN is_this_one)
{
    const struct ke_lead *lead = &ke_kernel()->lead;
    BOOLEAN polls = FALSE;
    while (!polls) {
        ke_lock();
        polls = lead->is_polling && (lead->leader == thread) == is_this_one;
        ke_unlock();
        KeStallExecutionProcessor(20); /* leaves the lock to others */
    }
}

/* The receive is pending before there is data, so that the loop has to tell of it. */
static VOID use_the_socket(PVOID context)
{
    struct hand_over *hand_over = context;
    struct wsk_pair *pair = &hand_over->pair;
    UCHAR byte = 0;
    NTSTATUS returned = begin_receive(&hand_over->receive, pair->near, &byte, 1, 0);
    spin_until_polling(hand_over->leader, TRUE);
    KeSetEvent(&hand_over->go_on, IO_NO_INCREMENT, FALSE);
    wait_object(&hand_over->be_served);
    send_bytes(&pair->end, pair->far, "x", 1, 0, NULL);
    if (returned == STATUS_PENDING && call_wait(&hand_over->receive, returned) == STATUS_SUCCESS &&
        byte == 'x') {
        WriteRelease(&hand_over->has_served, TRUE);
    }
}

/* Whoever leads ends the wait for the timer, passes the lead to this thread with that, and this
 * thread takes it with its next wait. */
static void wait_and_lead(PKEVENT event)
{
    LARGE_INTEGER moment = interval_ms(2);
    LARGE_INTEGER patience = interval_ms(100);
    KTIMER timer;
    KeInitializeTimer(&timer);
    do {
        KeSetTimer(&timer, moment, NULL);
        wait_object(&timer);
    } while (KeWaitForSingleObject(event, Executive, KernelMode, FALSE, &patience) !=
             STATUS_SUCCESS);
}

static ULONGLONG seconds_since(LARGE_INTEGER begin)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER now = KeQueryPerformanceCounter(&frequency);
    return (ULONGLONG)(now.QuadPart - begin.QuadPart) / (ULONGLONG)frequency.QuadPart;
}

static void a_socket_is_served_while_the_former_leader_computes(void **state)
{
    struct hand_over hand_over = {.leader = KeGetCurrentThread()};
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&hand_over.go_on, NotificationEvent, FALSE);
    KeInitializeEvent(&hand_over.be_served, NotificationEvent, FALSE);
    KeInitializeTimer(&hand_over.never);
    KeSetTimer(&hand_over.never, interval_ms(HOUR_MS), NULL);
    open_pair(&hand_over.pair, NULL, NULL);
    call_init(&hand_over.receive);
    PKTHREAD thread = start_thread(use_the_socket, &hand_over);
    wait_and_lead(&hand_over.go_on);
    spin_until_polling(hand_over.leader, FALSE);
    KeSetEvent(&hand_over.be_served, IO_NO_INCREMENT, FALSE);
    LARGE_INTEGER begin = KeQueryPerformanceCounter(NULL);
    while (ReadAcquire(&hand_over.has_served) == FALSE && seconds_since(begin) < COMPUTE_SECONDS) {
    }
    assert_true(ReadAcquire(&hand_over.has_served));
    join_thread(thread);
    KeCancelTimer(&hand_over.never);
    call_free(&hand_over.receive);
    close_pair(&hand_over.pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_socket_is_served_while_the_former_leader_computes),
};

TEST_MAIN(tests)
