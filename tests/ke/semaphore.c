/* Semaphores: counts, limits, and how many waits a release satisfies. */
#include "bugcheck.h"
#include "kernel.h"

static void a_semaphore_is_signalled_while_its_count_is_not_zero(void **state)
{
    PROVES("SEM-01", "SEM-04", "SEM-08", "WAIT-19");
    KSEMAPHORE semaphore;
    KeInitializeSemaphore(&semaphore, 0, 5);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 0);
    assert_int_equal(poll_object(&semaphore), STATUS_TIMEOUT);
    KeInitializeSemaphore(&semaphore, 2, 5);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 2);
    assert_int_equal(poll_object(&semaphore), STATUS_SUCCESS);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 1);
    assert_int_equal(poll_object(&semaphore), STATUS_SUCCESS);
    assert_int_equal(poll_object(&semaphore), STATUS_TIMEOUT);
}

static void a_release_returns_the_count_before(void **state)
{
    PROVES("SEM-05");
    KSEMAPHORE semaphore;
    KeInitializeSemaphore(&semaphore, 0, 10);
    assert_int_equal(KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 3, FALSE), 0);
    assert_int_equal(KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 1, FALSE), 3);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 4);
}

struct gate {
    KSEMAPHORE semaphore;
    KSEMAPHORE passed;
    PKTHREAD threads[4];
};

static VOID pass(PVOID context)
{
    struct gate *gate = context;
    wait_object(&gate->semaphore);
    KeReleaseSemaphore(&gate->passed, IO_NO_INCREMENT, 1, FALSE);
}

static void a_release_satisfies_as_many_waits_as_it_has_units(void **state)
{
    PROVES("SEM-05", "SEM-04");
    struct gate gate;
    KeInitializeSemaphore(&gate.semaphore, 0, 4);
    KeInitializeSemaphore(&gate.passed, 0, 4);
    for (int i = 0; i < 4; i++) {
        gate.threads[i] = start_thread(pass, &gate);
        await_blocked(gate.threads[i]);
    }
    KeReleaseSemaphore(&gate.semaphore, IO_NO_INCREMENT, 3, FALSE);
    for (int i = 0; i < 3; i++) {
        wait_object(&gate.passed);
    }
    assert_int_equal(KeReadStateSemaphore(&gate.passed), 0);
    assert_int_equal(KeReadStateSemaphore(&gate.semaphore), 0);
    KeReleaseSemaphore(&gate.semaphore, IO_NO_INCREMENT, 2, FALSE);
    for (int i = 0; i < 4; i++) {
        join_thread(gate.threads[i]);
    }
    assert_int_equal(KeReadStateSemaphore(&gate.semaphore), 1);
}

static NTSTATUS release_guarded(PRKSEMAPHORE semaphore, LONG adjustment)
{
    __try {
        KeReleaseSemaphore(semaphore, IO_NO_INCREMENT, adjustment, FALSE);
        return STATUS_SUCCESS;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

static void a_release_beyond_the_limit_raises_and_changes_nothing(void **state)
{
    PROVES("SEM-06");
    KSEMAPHORE semaphore;
    KeInitializeSemaphore(&semaphore, 1, 3);
    assert_int_equal(release_guarded(&semaphore, 3), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 1);
    assert_int_equal(release_guarded(&semaphore, MAXLONG), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    assert_int_equal(release_guarded(&semaphore, -1), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 1);
    assert_int_equal(release_guarded(&semaphore, 2), STATUS_SUCCESS);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 3);
}

/* Who reads without a lock must never see a count that was never there. */
struct reader {
    KSEMAPHORE semaphore;
    volatile LONG is_ending;
    volatile LONG zeros;
};

static VOID read_often(PVOID context)
{
    struct reader *reader = context;
    while (ReadAcquire(&reader->is_ending) == 0) {
        if (KeReadStateSemaphore(&reader->semaphore) == 0) {
            InterlockedIncrement(&reader->zeros);
        }
    }
}

static void a_signalled_semaphore_stays_signalled_while_it_is_released(void **state)
{
    PROVES("SEM-08");
    struct reader reader = {.zeros = 0};
    KeInitializeSemaphore(&reader.semaphore, 1, MAXLONG);
    PKTHREAD thread = start_thread(read_often, &reader);
    for (int i = 0; i < 2000; i++) {
        KeReleaseSemaphore(&reader.semaphore, IO_NO_INCREMENT, 1, FALSE);
    }
    InterlockedExchange(&reader.is_ending, 1);
    join_thread(thread);
    assert_int_equal(reader.zeros, 0);
}

/* ---- contracts ---- */

static KSEMAPHORE used;

static void release_too_high(void *context)
{
    KIRQL irql;
    KeInitializeSemaphore(&used, 0, 1);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    KeReleaseSemaphore(&used, IO_NO_INCREMENT, 1, FALSE);
}

static void release_to_wait_at_dispatch_level(void *context)
{
    KIRQL irql;
    KeInitializeSemaphore(&used, 0, 1);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeReleaseSemaphore(&used, IO_NO_INCREMENT, 1, TRUE);
}

static void releasing_a_semaphore_too_high_stops(void **state)
{
    PROVES("SEM-07", "IRQL-13");
    struct wskemu_bugcheck stop = bugcheck_of(release_too_high, NULL);
    assert_bugcheck(stop, DRIVER_VIOLATION, 2, DISPATCH_LEVEL + 1, DISPATCH_LEVEL, 0);
    stop = bugcheck_of(release_to_wait_at_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VIOLATION, 2, DISPATCH_LEVEL, PASSIVE_LEVEL, 0);
}

static void a_semaphore_is_released_at_dispatch_level(void **state)
{
    STAYS_SILENT("SEM-07");
    KIRQL irql;
    KeInitializeSemaphore(&used, 0, 1);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeReleaseSemaphore(&used, IO_NO_INCREMENT, 1, FALSE);
    KeLowerIrql(irql);
    assert_int_equal(KeReadStateSemaphore(&used), 1);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_semaphore_is_signalled_while_its_count_is_not_zero),
    kernel_test(a_release_returns_the_count_before),
    kernel_test(a_release_satisfies_as_many_waits_as_it_has_units),
    kernel_test(a_release_beyond_the_limit_raises_and_changes_nothing),
    kernel_test(a_signalled_semaphore_stays_signalled_while_it_is_released),
    kernel_test(releasing_a_semaphore_too_high_stops),
    kernel_test(a_semaphore_is_released_at_dispatch_level),
};

TEST_MAIN(tests)
