/*
 * Two threads that use IRPs and events as fast as they can. In full (WSKEMU_LONG=1) each does a
 * million rounds; without it, enough of them to meet each other.
 */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

#define THREADS 2
#define ROUNDS_SHORT 20000
#define ROUNDS_LONG 1000000
#define ROUNDS_PER_IRP 100

static LONG rounds(void)
{
    const char *text = getenv("WSKEMU_LONG");
    return text != NULL && strcmp(text, "1") == 0 ? ROUNDS_LONG : ROUNDS_SHORT;
}

struct cycler {
    PKTHREAD thread;
    LONG rounds;
    LONG completions;
};

static NTSTATUS count(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct cycler *cycler = context;
    UNREFERENCED_PARAMETER(device);
    cycler->completions += irp->IoStatus.Status == STATUS_SUCCESS && irp->PendingReturned;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void complete_once(PIRP irp, struct cycler *cycler)
{
    IoSetCompletionRoutine(irp, count, cycler, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    IoMarkIrpPending(irp);
    irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static VOID cycle(PVOID context)
{
    struct cycler *cycler = context;
    for (LONG round = 0; round < cycler->rounds;) {
        PIRP irp = IoAllocateIrp(1, FALSE);
        for (int i = 0; i < ROUNDS_PER_IRP && round < cycler->rounds; i++, round++) {
            complete_once(irp, cycler);
            IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
        }
        IoFreeIrp(irp);
    }
}

static void irps_are_allocated_completed_and_reused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct cycler cyclers[THREADS] = {{.rounds = rounds()}, {.rounds = rounds()}};
    for (int i = 0; i < THREADS; i++) {
        cyclers[i].thread = start_thread(cycle, &cyclers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        join_thread(cyclers[i].thread);
        assert_int_equal(cyclers[i].completions, cyclers[i].rounds);
    }
}

static VOID allocate_each_time(PVOID context)
{
    struct cycler *cycler = context;
    for (LONG round = 0; round < cycler->rounds; round++) {
        PIRP irp = IoAllocateIrp((CCHAR)(1 + round % 4), FALSE);
        complete_once(irp, cycler);
        IoFreeIrp(irp);
    }
}

static void irps_are_allocated_each_time(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct cycler cyclers[THREADS] = {{.rounds = rounds()}, {.rounds = rounds()}};
    for (int i = 0; i < THREADS; i++) {
        cyclers[i].thread = start_thread(allocate_each_time, &cyclers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        join_thread(cyclers[i].thread);
        assert_int_equal(cyclers[i].completions, cyclers[i].rounds);
    }
}

/* One ball between two players, each of which has an event. */
struct match {
    KEVENT turn[2];
    LONG rounds;
    LONG ball;
};

static VOID return_balls(PVOID context)
{
    struct match *match = context;
    for (LONG round = 0; round < match->rounds; round++) {
        wait_object(&match->turn[1]);
        match->ball++;
        KeSetEvent(&match->turn[0], IO_NO_INCREMENT, FALSE);
    }
}

static void events_go_back_and_forth(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct match match = {.rounds = rounds()};
    for (int i = 0; i < 2; i++) {
        KeInitializeEvent(&match.turn[i], SynchronizationEvent, FALSE);
    }
    PKTHREAD thread = start_thread(return_balls, &match);
    for (LONG round = 0; round < match.rounds; round++) {
        match.ball++;
        KeSetEvent(&match.turn[1], IO_NO_INCREMENT, FALSE);
        wait_object(&match.turn[0]);
        assert_int_equal(match.ball, 2 * (round + 1));
    }
    join_thread(thread);
}

static const struct CMUnitTest tests[] = {
    kernel_test(irps_are_allocated_completed_and_reused),
    kernel_test(irps_are_allocated_each_time),
    kernel_test(events_go_back_and_forth),
};

TEST_MAIN(tests)
