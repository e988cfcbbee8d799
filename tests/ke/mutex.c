/* Mutex objects: owners, recursion, APCs, and who may release. */
#include "bugcheck.h"
#include "kernel.h"

static void a_mutex_begins_free(void **state)
{
    PROVES("MUTEX-01", "MUTEX-09");
    KMUTEX mutex;
    KeInitializeMutex(&mutex, 0);
    assert_int_equal(KeReadStateMutex(&mutex), 1);
    assert_int_equal(wait_object(&mutex), STATUS_SUCCESS);
    assert_int_not_equal(KeReadStateMutex(&mutex), 1);
    KeReleaseMutex(&mutex, FALSE);
    assert_int_equal(KeReadStateMutex(&mutex), 1);
}

static void an_owner_acquires_and_releases_repeatedly(void **state)
{
    PROVES("MUTEX-03", "MUTEX-06");
    KMUTEX mutex;
    KeInitializeMutex(&mutex, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(KeWaitForMutexObject(&mutex, Executive, KernelMode, FALSE, NULL),
                         STATUS_SUCCESS);
    }
    assert_int_not_equal(KeReleaseMutex(&mutex, FALSE), 0);
    assert_int_not_equal(KeReleaseMutex(&mutex, FALSE), 0);
    assert_int_not_equal(KeReadStateMutex(&mutex), 1);
    assert_int_equal(KeReleaseMutex(&mutex, FALSE), 0);
    assert_int_equal(KeReadStateMutex(&mutex), 1);
}

struct shared {
    KMUTEX mutex;
    NTSTATUS status;
    volatile LONG inside;
    volatile LONG entries;
};

static VOID poll_shared(PVOID context)
{
    struct shared *shared = context;
    shared->status = poll_object(&shared->mutex);
    if (shared->status == STATUS_SUCCESS) {
        KeReleaseMutex(&shared->mutex, FALSE);
    }
}

static NTSTATUS poll_in_another_thread(struct shared *shared)
{
    join_thread(start_thread(poll_shared, shared));
    return shared->status;
}

static void a_mutex_is_free_after_as_many_releases_as_acquisitions(void **state)
{
    PROVES("MUTEX-03");
    struct shared shared;
    KeInitializeMutex(&shared.mutex, 0);
    wait_object(&shared.mutex);
    wait_object(&shared.mutex);
    assert_int_equal(poll_in_another_thread(&shared), STATUS_TIMEOUT);
    KeReleaseMutex(&shared.mutex, FALSE);
    assert_int_equal(poll_in_another_thread(&shared), STATUS_TIMEOUT);
    KeReleaseMutex(&shared.mutex, FALSE);
    assert_int_equal(poll_in_another_thread(&shared), STATUS_SUCCESS);
}

static VOID enter_often(PVOID context)
{
    struct shared *shared = context;
    for (int i = 0; i < 100; i++) {
        wait_object(&shared->mutex);
        if (InterlockedIncrement(&shared->inside) == 1) {
            shared->entries++;
        }
        InterlockedDecrement(&shared->inside);
        KeReleaseMutex(&shared->mutex, FALSE);
    }
}

static void one_thread_owns_a_mutex_at_a_time(void **state)
{
    PROVES("MUTEX-03");
    struct shared shared = {.entries = 0};
    PKTHREAD threads[3];
    KeInitializeMutex(&shared.mutex, 0);
    for (int i = 0; i < 3; i++) {
        threads[i] = start_thread(enter_often, &shared);
    }
    for (int i = 0; i < 3; i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(shared.entries, 300);
}

static void an_owner_has_its_normal_apcs_disabled(void **state)
{
    PROVES("MUTEX-05", "IRQL-20", "IRQL-21");
    KMUTEX mutex;
    KeInitializeMutex(&mutex, 0);
    assert_false(KeAreApcsDisabled());
    wait_object(&mutex);
    assert_true(KeAreApcsDisabled());
    assert_false(KeAreAllApcsDisabled());
    wait_object(&mutex);
    KeReleaseMutex(&mutex, FALSE);
    assert_true(KeAreApcsDisabled());
    KeReleaseMutex(&mutex, FALSE);
    assert_false(KeAreApcsDisabled());
}

struct handed {
    KMUTEX mutex;
    KEVENT go;
    BOOLEAN before;
    BOOLEAN after;
};

/* A system thread starts inside a critical region; it leaves that one to see the mutex's. */
static VOID take_handed(PVOID context)
{
    struct handed *handed = context;
    KeLeaveCriticalRegion();
    handed->before = KeAreApcsDisabled();
    wait_object(&handed->mutex);
    handed->after = KeAreApcsDisabled();
    KeReleaseMutex(&handed->mutex, FALSE);
    KeEnterCriticalRegion();
}

static void a_waiter_that_is_given_the_mutex_has_its_apcs_disabled(void **state)
{
    PROVES("MUTEX-05", "IRQL-21");
    struct handed handed;
    KeInitializeMutex(&handed.mutex, 0);
    wait_object(&handed.mutex);
    PKTHREAD thread = start_thread(take_handed, &handed);
    await_blocked(thread);
    KeReleaseMutex(&handed.mutex, FALSE);
    join_thread(thread);
    assert_false(handed.before);
    assert_true(handed.after);
}

static NTSTATUS release_guarded(PRKMUTEX mutex)
{
    __try {
        KeReleaseMutex(mutex, FALSE);
        return STATUS_SUCCESS;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

static VOID release_foreign(PVOID context)
{
    struct shared *shared = context;
    shared->status = release_guarded(&shared->mutex);
}

static void only_the_owner_releases(void **state)
{
    PROVES("MUTEX-07");
    struct shared shared;
    KeInitializeMutex(&shared.mutex, 0);
    assert_int_equal(release_guarded(&shared.mutex), STATUS_MUTANT_NOT_OWNED);
    wait_object(&shared.mutex);
    join_thread(start_thread(release_foreign, &shared));
    assert_int_equal(shared.status, STATUS_MUTANT_NOT_OWNED);
    assert_int_equal(release_guarded(&shared.mutex), STATUS_SUCCESS);
}

/* What a mutex looks like whose owner ended; the emulator stops such an owner, so nothing else
 * makes one. */
static void an_abandoned_mutex_says_so(void **state)
{
    PROVES("MUTEX-07", "WAIT-23");
    KMUTEX mutex;
    KEVENT event;
    PVOID objects[2] = {&event, &mutex};
    LARGE_INTEGER none = {.QuadPart = 0};
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeInitializeMutex(&mutex, 0);
    mutex.Abandoned = TRUE;
    assert_int_equal(release_guarded(&mutex), STATUS_ABANDONED);
    NTSTATUS status =
        KeWaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, FALSE, &none, NULL);
    assert_int_equal(status, STATUS_ABANDONED_WAIT_0 + 1);
    assert_true(NT_SUCCESS(status));
    KeReleaseMutex(&mutex, FALSE);
    assert_int_equal(poll_object(&mutex), STATUS_SUCCESS);
    KeReleaseMutex(&mutex, FALSE);
}

static void a_level_does_not_release_what_another_acquired(void **state)
{
    PROVES("MUTEX-07");
    KMUTEX mutex;
    KIRQL irql;
    KeInitializeMutex(&mutex, 0);
    wait_object(&mutex);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    NTSTATUS at_dispatch = release_guarded(&mutex);
    NTSTATUS polled = poll_object(&mutex);
    KeLowerIrql(irql);
    assert_int_equal(at_dispatch, STATUS_MUTANT_NOT_OWNED);
    assert_int_equal(polled, STATUS_TIMEOUT);
    KeReleaseMutex(&mutex, FALSE);

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    polled = poll_object(&mutex);
    KeLowerIrql(irql);
    assert_int_equal(polled, STATUS_SUCCESS);
    assert_int_equal(release_guarded(&mutex), STATUS_MUTANT_NOT_OWNED);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    at_dispatch = release_guarded(&mutex);
    KeLowerIrql(irql);
    assert_int_equal(at_dispatch, STATUS_SUCCESS);
}

static NTSTATUS wait_guarded(PRKMUTEX mutex)
{
    __try {
        return wait_object(mutex);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

/* The limit is 2^31 acquisitions away: the test goes there by writing the state. */
static void acquiring_beyond_the_limit_raises(void **state)
{
    PROVES("MUTEX-04");
    KMUTEX mutex;
    KeInitializeMutex(&mutex, 0);
    wait_object(&mutex);
    mutex.Header.SignalState = MINLONG + 1;
    assert_int_equal(wait_guarded(&mutex), STATUS_SUCCESS);
    assert_int_equal(wait_guarded(&mutex), STATUS_MUTANT_LIMIT_EXCEEDED);
    assert_true(mutex.Header.SignalState == (LONG)MINLONG);
    mutex.Header.SignalState = 0;
    KeReleaseMutex(&mutex, FALSE);
}

/* ---- a DPC on a thread that waits is not that thread ---- */

static VOID poll_from_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct shared *shared = context;
    shared->status = poll_object(&shared->mutex);
}

static void a_dpc_does_not_own_what_its_thread_owns(void **state)
{
    PROVES("MUTEX-07");
    struct shared shared = {.status = STATUS_PENDING};
    KDPC dpc;
    KeInitializeMutex(&shared.mutex, 0);
    KeInitializeDpc(&dpc, poll_from_dpc, &shared);
    wait_object(&shared.mutex);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    assert_int_equal(shared.status, STATUS_TIMEOUT);
    KeReleaseMutex(&shared.mutex, FALSE);
}

/* ---- contracts ---- */

static KMUTEX kept;

static VOID end_with_mutex(PVOID context)
{
    wait_object(&kept);
}

static PKTHREAD thief;

static void let_a_thread_end_with_a_mutex(void *context)
{
    KeInitializeMutex(&kept, 0);
    thief = start_thread(end_with_mutex, NULL);
    wait_object(thief);
}

static void a_thread_that_ends_with_a_mutex_stops(void **state)
{
    PROVES("MUTEX-11", "THREAD-34", "BUGCHECK-90");
    struct wskemu_bugcheck stop = bugcheck_of(let_a_thread_end_with_a_mutex, NULL);
    assert_bugcheck(stop, THREAD_TERMINATE_HELD_MUTEX, ANY, &kept, 0, 0);
    assert_true(stop.parameter[0] != 0);
}

static void release_too_high(void *context)
{
    KIRQL irql;
    KeInitializeMutex(&kept, 0);
    wait_object(&kept);
    KeRaiseIrql(HIGH_LEVEL, &irql);
    KeReleaseMutex(&kept, FALSE);
}

static void releasing_a_mutex_above_dispatch_level_stops(void **state)
{
    PROVES("MUTEX-10");
    struct wskemu_bugcheck stop = bugcheck_of(release_too_high, NULL);
    assert_bugcheck(stop, DRIVER_VIOLATION, 2, HIGH_LEVEL, DISPATCH_LEVEL, 0);
}

static void initialize_unaligned(void *context)
{
    KeInitializeMutex(context, 0);
}

static void a_mutex_that_is_not_aligned_stops(void **state)
{
    PROVES("MUTEX-02");
    static UCHAR memory[sizeof(KMUTEX) + 16];
    UCHAR *unaligned = (UCHAR *)(((ULONG_PTR)memory + 7) & ~(ULONG_PTR)7) + 4;
    struct wskemu_bugcheck stop = bugcheck_of(initialize_unaligned, unaligned);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, unaligned, 0, 0);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_mutex_begins_free),
    kernel_test(an_owner_acquires_and_releases_repeatedly),
    kernel_test(a_mutex_is_free_after_as_many_releases_as_acquisitions),
    kernel_test(one_thread_owns_a_mutex_at_a_time),
    kernel_test(an_owner_has_its_normal_apcs_disabled),
    kernel_test(a_waiter_that_is_given_the_mutex_has_its_apcs_disabled),
    kernel_test(only_the_owner_releases),
    kernel_test(an_abandoned_mutex_says_so),
    kernel_test(a_level_does_not_release_what_another_acquired),
    kernel_test(acquiring_beyond_the_limit_raises),
    kernel_test(a_dpc_does_not_own_what_its_thread_owns),
    kernel_test(a_thread_that_ends_with_a_mutex_stops),
    kernel_test(releasing_a_mutex_above_dispatch_level_stops),
    kernel_test(a_mutex_that_is_not_aligned_stops),
};

TEST_MAIN(tests)
