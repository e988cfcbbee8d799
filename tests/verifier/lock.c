/* Locks: their order, and locks that are taken again, kept or lost. Level full. */
#include "full.h"

#define TAG 'kcoL'

static KSPIN_LOCK first;
static KSPIN_LOCK second;
static KSPIN_LOCK third;
static FAST_MUTEX mutex;
static KMUTEX slow_mutex;
static EX_PUSH_LOCK push_lock;
static ERESOURCE resource;
static EX_SPIN_LOCK shared_lock;

static void initialize(void)
{
    KeInitializeSpinLock(&first);
    KeInitializeSpinLock(&second);
    KeInitializeSpinLock(&third);
    ExInitializeFastMutex(&mutex);
    KeInitializeMutex(&slow_mutex, 0);
    ExInitializePushLock(&push_lock);
    shared_lock = 0;
}

/* ---- spin locks ---- */

static void take_both(PKSPIN_LOCK outer, PKSPIN_LOCK inner)
{
    KIRQL old;
    KeAcquireSpinLock(outer, &old);
    KeAcquireSpinLockAtDpcLevel(inner);
    KeReleaseSpinLockFromDpcLevel(inner);
    KeReleaseSpinLock(outer, old);
}

static void invert_two(void *context)
{
    initialize();
    take_both(&first, &second);
    take_both(&second, &first);
}

static void invert_three(void *context)
{
    initialize();
    take_both(&first, &second);
    take_both(&second, &third);
    take_both(&third, &first);
}

static void invert_queued(void *context)
{
    KLOCK_QUEUE_HANDLE outer;
    KLOCK_QUEUE_HANDLE inner;
    initialize();
    for (int i = 0; i < 2; i++) {
        KeAcquireInStackQueuedSpinLock(i == 0 ? &first : &second, &outer);
        KeAcquireInStackQueuedSpinLockAtDpcLevel(i == 0 ? &second : &first, &inner);
        KeReleaseInStackQueuedSpinLockFromDpcLevel(&inner);
        KeReleaseInStackQueuedSpinLock(&outer);
    }
}

static VOID take_first_second(PVOID context)
{
    take_both(&first, &second);
}

static void invert_in_two_threads(void *context)
{
    initialize();
    join_thread(start_thread(take_first_second, NULL));
    take_both(&second, &first);
}

static void an_inverted_order_of_spin_locks_is_caught(void **state)
{
    PROVES("SPIN-19");
    expect_at_full(invert_two, DRIVER_VERIFIER_DETECTED_VIOLATION, "SPIN-19", "take_both at");
    expect_at_full(invert_three, DRIVER_VERIFIER_DETECTED_VIOLATION, "SPIN-19", "spin lock");
    expect_at_full(invert_queued, DRIVER_VERIFIER_DETECTED_VIOLATION, "SPIN-19", "invert_queued");
    expect_at_full(invert_in_two_threads, DRIVER_VERIFIER_DETECTED_VIOLATION, "SPIN-19",
                   "opposite");
}

/* The report has the stack of the other order beside the one of this. */
static void the_report_of_an_inversion_has_both_stacks(void **state)
{
    struct wskemu_bugcheck stop;
    PROVES("SPIN-19");
    at_full();
    log_capture();
    assert_true(wskemu_contain_bugcheck(invert_in_two_threads, NULL, &stop));
    const char *text = log_captured();
    assert_non_null(strstr(text, "Stack that took the locks in the other order"));
    assert_non_null(strstr(text, "take_first_second at"));
    assert_non_null(strstr(text, "invert_in_two_threads at"));
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
}

static void keep_one_order(void *context)
{
    initialize();
    take_both(&first, &second);
    take_both(&second, &third);
    take_both(&first, &third);
    take_both(&first, &second);
}

/* A lock that is always held round both makes their order harmless. */
static void invert_behind_a_gate(void *context)
{
    KIRQL old;
    initialize();
    for (int i = 0; i < 2; i++) {
        KeAcquireSpinLock(&third, &old);
        take_both(i == 0 ? &first : &second, i == 0 ? &second : &first);
        KeReleaseSpinLock(&third, old);
    }
}

static void try_the_other_order(void *context)
{
    KIRQL old;
    initialize();
    take_both(&first, &second);
    KeAcquireSpinLock(&second, &old);
    assert_true(KeTryToAcquireSpinLockAtDpcLevel(&first));
    KeReleaseSpinLockFromDpcLevel(&first);
    KeReleaseSpinLock(&second, old);
}

/* The same addresses, but other locks. */
static void invert_other_locks(void *context)
{
    initialize();
    take_both(&first, &second);
    initialize();
    take_both(&second, &first);
}

struct two {
    KSPIN_LOCK one;
    KSPIN_LOCK other;
};

static void invert_in_other_memory(void *context)
{
    for (int i = 0; i < 100; i++) {
        struct two *locks = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*locks), TAG);
        take_both(i % 2 == 0 ? &locks->one : &locks->other,
                  i % 2 == 0 ? &locks->other : &locks->one);
        ExFreePool(locks);
    }
}

static void orders_that_cannot_deadlock_are_left_alone(void **state)
{
    STAYS_SILENT("SPIN-19");
    expect_silence_at_full(keep_one_order);
    expect_silence_at_full(invert_behind_a_gate);
    expect_silence_at_full(try_the_other_order);
    expect_silence_at_full(invert_other_locks);
    expect_silence_at_full(invert_in_other_memory);
}

/* ---- mutexes, push locks, resources ---- */

static void with_mutex_then_slow(void)
{
    wait_object(&slow_mutex);
    ExAcquireFastMutex(&mutex);
    ExReleaseFastMutex(&mutex);
    KeReleaseMutex(&slow_mutex, FALSE);
}

static void invert_mutexes(void *context)
{
    initialize();
    with_mutex_then_slow();
    ExAcquireFastMutex(&mutex);
    wait_object(&slow_mutex);
}

static void invert_push_lock(void *context)
{
    initialize();
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&push_lock);
    ExAcquireFastMutex(&mutex);
    ExReleaseFastMutex(&mutex);
    ExReleasePushLockExclusive(&push_lock);
    ExAcquireFastMutex(&mutex);
    ExAcquirePushLockExclusive(&push_lock);
}

static void invert_resource(void *context)
{
    initialize();
    ExInitializeResourceLite(&resource);
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&resource, TRUE);
    wait_object(&slow_mutex);
    KeReleaseMutex(&slow_mutex, FALSE);
    ExReleaseResourceLite(&resource);
    wait_object(&slow_mutex);
    ExAcquireResourceExclusiveLite(&resource, TRUE);
}

static void an_inverted_order_of_mutexes_is_caught(void **state)
{
    PROVES("MUTEX-12");
    expect_at_full(invert_mutexes, DRIVER_VERIFIER_DETECTED_VIOLATION, "MUTEX-12", "the mutex");
    expect_at_full(invert_push_lock, DRIVER_VERIFIER_DETECTED_VIOLATION, "MUTEX-12", "push lock");
    expect_at_full(invert_resource, DRIVER_VERIFIER_DETECTED_VIOLATION, "MUTEX-12", "resource");
}

/* Readers do not wait for each other, and a wait with a time limit ends. */
static void share_in_both_orders(void *context)
{
    static EX_PUSH_LOCK other;
    LARGE_INTEGER limit = interval_ms(1000);
    initialize();
    ExInitializePushLock(&other);
    KeEnterCriticalRegion();
    for (int i = 0; i < 2; i++) {
        ExAcquirePushLockShared(i == 0 ? &push_lock : &other);
        ExAcquirePushLockShared(i == 0 ? &other : &push_lock);
        ExReleasePushLockShared(&push_lock);
        ExReleasePushLockShared(&other);
    }
    KeLeaveCriticalRegion();
    with_mutex_then_slow();
    ExAcquireFastMutex(&mutex);
    assert_int_equal(KeWaitForSingleObject(&slow_mutex, Executive, KernelMode, FALSE, &limit),
                     STATUS_SUCCESS);
    KeReleaseMutex(&slow_mutex, FALSE);
    ExReleaseFastMutex(&mutex);
}

static void recursive_mutexes(void *context)
{
    initialize();
    wait_object(&slow_mutex);
    wait_object(&slow_mutex);
    KeReleaseMutex(&slow_mutex, FALSE);
    ExAcquireFastMutex(&mutex);
    ExReleaseFastMutex(&mutex);
    KeReleaseMutex(&slow_mutex, FALSE);
    with_mutex_then_slow();
}

static void orders_of_mutexes_that_cannot_deadlock_are_left_alone(void **state)
{
    STAYS_SILENT("MUTEX-12");
    expect_silence_at_full(share_in_both_orders);
    expect_silence_at_full(recursive_mutexes);
}

/* ---- taken again ---- */

static void share_spin_lock_twice(void *context)
{
    initialize();
    ExAcquireSpinLockShared(&shared_lock);
    ExAcquireSpinLockSharedAtDpcLevel(&shared_lock);
}

static void own_spin_lock_twice(void *context)
{
    initialize();
    ExAcquireSpinLockExclusive(&shared_lock);
    ExAcquireSpinLockExclusiveAtDpcLevel(&shared_lock);
}

static void own_push_lock_twice(void *context)
{
    initialize();
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&push_lock);
    ExAcquirePushLockExclusive(&push_lock);
}

static void share_own_push_lock(void *context)
{
    initialize();
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&push_lock);
    ExAcquirePushLockShared(&push_lock);
}

static void a_lock_that_is_taken_again_is_caught(void **state)
{
    PROVES("SPIN-36", "FAST-32");
    expect_at_full(share_spin_lock_twice, DRIVER_VERIFIER_DETECTED_VIOLATION, "SPIN-36",
                   "share_spin_lock_twice");
    expect_at_full(own_spin_lock_twice, DRIVER_VERIFIER_DETECTED_VIOLATION, "SPIN-36",
                   "own_spin_lock_twice");
    expect_at_full(own_push_lock_twice, DRIVER_VERIFIER_DETECTED_VIOLATION, "FAST-32",
                   "own_push_lock_twice");
    expect_at_full(share_own_push_lock, DRIVER_VERIFIER_DETECTED_VIOLATION, "FAST-32",
                   "share_own_push_lock");
}

static void take_and_give_back(void *context)
{
    initialize();
    KIRQL old = ExAcquireSpinLockShared(&shared_lock);
    assert_true(ExTryConvertSharedSpinLockExclusive(&shared_lock));
    ExReleaseSpinLockExclusive(&shared_lock, old);
    old = ExAcquireSpinLockExclusive(&shared_lock);
    ExReleaseSpinLockExclusive(&shared_lock, old);
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&push_lock);
    ExReleasePushLockShared(&push_lock);
    ExAcquirePushLockExclusive(&push_lock);
    ExReleasePushLockExclusive(&push_lock);
    KeLeaveCriticalRegion();
}

static void locks_that_are_given_back_are_left_alone(void **state)
{
    STAYS_SILENT("SPIN-16", "SPIN-36", "FAST-32");
    expect_silence_at_full(take_and_give_back);
}

/* ---- pairs of spin lock functions ---- */

static void release_without_lowering(void *context)
{
    KIRQL old;
    initialize();
    KeAcquireSpinLock(&first, &old);
    KeReleaseSpinLockFromDpcLevel(&first);
}

static void release_and_lower(void *context)
{
    initialize();
    KIRQL old = KeRaiseIrqlToDpcLevel();
    KeAcquireSpinLockAtDpcLevel(&first);
    KeReleaseSpinLock(&first, old);
}

static void release_to_passive_level(void *context)
{
    KIRQL old;
    KIRQL apc;
    initialize();
    KeRaiseIrql(APC_LEVEL, &apc);
    KeAcquireSpinLock(&first, &old);
    KeReleaseSpinLock(&first, PASSIVE_LEVEL);
}

static void release_to_the_level_of_the_other(void *context)
{
    KIRQL outer;
    KIRQL inner;
    initialize();
    KeAcquireSpinLock(&first, &outer);
    KeAcquireSpinLock(&second, &inner);
    KeReleaseSpinLock(&second, outer);
}

static void save_both_levels_in_one(void *context)
{
    KIRQL old;
    initialize();
    KeAcquireSpinLock(&first, &old);
    KeAcquireSpinLock(&second, &old);
}

static void spin_locks_that_are_not_released_as_acquired_are_caught(void **state)
{
    PROVES("SPIN-06", "SPIN-07", "SPIN-10");
    const ULONG code = DRIVER_VERIFIER_DETECTED_VIOLATION;
    expect_at_full(release_without_lowering, code, "SPIN-10", "raises the IRQL");
    expect_at_full(release_and_lower, code, "SPIN-10", "leaves the IRQL alone");
    expect_at_full(release_to_passive_level, code, "SPIN-06", "to IRQL 0");
    expect_at_full(release_to_the_level_of_the_other, code, "SPIN-06", "to IRQL 0");
    expect_at_full(save_both_levels_in_one, code, "SPIN-07", "save_both_levels_in_one");
}

static void release_as_acquired(void *context)
{
    KIRQL outer;
    KIRQL inner;
    initialize();
    KeAcquireSpinLock(&first, &outer);
    KeAcquireSpinLock(&second, &inner);
    KeAcquireSpinLockAtDpcLevel(&third);
    KeReleaseSpinLockFromDpcLevel(&third);
    KeReleaseSpinLock(&second, inner);
    KeReleaseSpinLock(&first, outer);
    /* Or in the order of acquisition. */
    KeAcquireSpinLock(&first, &outer);
    KeAcquireSpinLock(&second, &inner);
    KeReleaseSpinLock(&first, inner);
    KeReleaseSpinLock(&second, outer);
    /* A lock that was tried takes either release. */
    outer = KeRaiseIrqlToDpcLevel();
    KeTryToAcquireSpinLockAtDpcLevel(&first);
    KeReleaseSpinLockFromDpcLevel(&first);
    KeTryToAcquireSpinLockAtDpcLevel(&first);
    KeReleaseSpinLock(&first, outer);
}

static void spin_locks_that_are_released_as_acquired_are_left_alone(void **state)
{
    STAYS_SILENT("SPIN-06", "SPIN-07", "SPIN-10", "SPIN-17", "SPIN-21");
    expect_silence_at_full(release_as_acquired);
}

static KLOCK_QUEUE_HANDLE shared_handle;

static void acquire_with(PKLOCK_QUEUE_HANDLE handle)
{
    initialize();
    KeAcquireInStackQueuedSpinLock(&first, handle);
    KeReleaseInStackQueuedSpinLock(handle);
}

static void acquire_with_shared_handle(void *context)
{
    acquire_with(&shared_handle);
}

static void a_queue_handle_that_is_not_on_the_stack_is_warned_of(void **state)
{
    PROVES("SPIN-29");
    at_full();
    expect_warning(acquire_with_shared_handle, NULL, "SPIN-29");
}

static void acquire_with_own_handle(void *context)
{
    KLOCK_QUEUE_HANDLE handle;
    acquire_with(&handle);
}

static void a_queue_handle_on_the_stack_is_left_alone(void **state)
{
    STAYS_SILENT("SPIN-29");
    expect_silence_at_full(acquire_with_own_handle);
}

static VOID keep_fast_mutex(PVOID context)
{
    ExAcquireFastMutex(&mutex);
}

static void end_with_fast_mutex(void *context)
{
    initialize();
    join_thread(start_thread(keep_fast_mutex, NULL));
}

static void a_routine_that_keeps_a_fast_mutex_is_caught(void **state)
{
    PROVES("FAST-14");
    expect_at_full(end_with_fast_mutex, IRQL_UNEXPECTED_VALUE, "FAST-14", "fast mutex");
}

static VOID return_fast_mutex(PVOID context)
{
    ExAcquireFastMutex(&mutex);
    ExReleaseFastMutex(&mutex);
}

static void end_without_fast_mutex(void *context)
{
    initialize();
    join_thread(start_thread(return_fast_mutex, NULL));
}

static void a_routine_that_releases_its_fast_mutex_is_left_alone(void **state)
{
    STAYS_SILENT("FAST-14");
    expect_silence_at_full(end_without_fast_mutex);
}

/* ---- what lies on the stack ---- */

#define STACK_BYTES (192 * 1024) /* too much for Windows, not for the host */

static UCHAR *volatile shown; /* what compilers cannot follow they keep whole */

static VOID lock_deep_down(PVOID context)
{
    UCHAR room[STACK_BYTES];
    shown = room;
    ExAcquireFastMutex(&mutex);
    ExReleaseFastMutex(&mutex);
    shown = NULL;
}

/* context: the routine. */
static void lock_in_thread(void *context)
{
    initialize();
    join_thread(start_thread((PKSTART_ROUTINE)(ULONG_PTR)context, NULL));
}

static void a_routine_that_uses_up_the_stack_is_warned_of(void **state)
{
    PROVES("THREAD-36");
    at_full();
    expect_warning(lock_in_thread, (PVOID)(ULONG_PTR)lock_deep_down, "THREAD-36");
}

static VOID lock_on_expanded_stack(PVOID context)
{
    KeExpandKernelStackAndCallout(lock_deep_down, context, 0x10000);
}

static void lock_with_care(void *context)
{
    lock_in_thread((PVOID)(ULONG_PTR)return_fast_mutex);
    lock_in_thread((PVOID)(ULONG_PTR)lock_on_expanded_stack);
}

static void small_frames_and_an_expanded_stack_are_left_alone(void **state)
{
    STAYS_SILENT("THREAD-36");
    expect_silence_at_full(lock_with_care);
}

/* ---- kept and lost ---- */

static void initialize_while_held(void *context)
{
    KIRQL old;
    initialize();
    KeAcquireSpinLock(&first, &old);
    KeInitializeSpinLock(&first);
}

static void free_while_held(void *context)
{
    KIRQL old;
    struct two *locks = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*locks), TAG);
    KeAcquireSpinLock(&locks->other, &old);
    ExFreePool(locks);
}

static void a_lock_that_is_lost_while_held_is_caught(void **state)
{
    PROVES("SPIN-16");
    expect_at_full(initialize_while_held, DRIVER_VERIFIER_DETECTED_VIOLATION, "SPIN-16",
                   "initialize_while_held");
    expect_at_full(free_while_held, DRIVER_VERIFIER_DETECTED_VIOLATION, "SPIN-16",
                   "free_while_held");
}

static void leave_region_with_resource(void *context)
{
    ExInitializeResourceLite(&resource);
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&resource, TRUE);
    KeLeaveCriticalRegion();
}

static void leave_region_with_push_lock(void *context)
{
    initialize();
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&push_lock);
    KeLeaveCriticalRegion();
}

static VOID keep_resource(PVOID context)
{
    ExInitializeResourceLite(&resource);
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&resource, TRUE);
}

static void run_keeper(void *context)
{
    static WORK_QUEUE_ITEM item;
    static KEVENT never;
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    ExInitializeWorkItem(&item, keep_resource, NULL);
    ExQueueWorkItem(&item, DelayedWorkQueue);
    wait_object(&never);
}

static void a_resource_that_is_kept_is_caught(void **state)
{
    PROVES("FAST-18", "FAST-26", "FAST-30", "DV-54");
    expect_at_full(leave_region_with_resource, DRIVER_VERIFIER_DETECTED_VIOLATION, "FAST-18",
                   "leave_region_with_resource");
    expect_at_full(leave_region_with_push_lock, DRIVER_VERIFIER_DETECTED_VIOLATION, "FAST-30",
                   "leave_region_with_push_lock");
    expect_at_full(run_keeper, RESOURCE_NOT_OWNED, "FAST-26", "keep_resource");
}

static VOID release_in_time(PVOID context)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&resource, TRUE);
    ExAcquireResourceExclusiveLite(&resource, TRUE);
    ExReleaseResourceLite(&resource);
    ExReleaseResourceLite(&resource);
    KeLeaveCriticalRegion();
}

/* A resource may be handed to another thread, which then releases it. */
static VOID release_for_other(PVOID context)
{
    ExReleaseResourceForThreadLite(&resource, (ERESOURCE_THREAD)context | 3);
}

static void run_good_owners(void *context)
{
    ExInitializeResourceLite(&resource);
    join_thread(start_thread(release_in_time, NULL));
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&resource, TRUE);
    ExSetResourceOwnerPointer(&resource, (PVOID)((ULONG_PTR)&resource | 3));
    KeLeaveCriticalRegion();
    join_thread(start_thread(release_for_other, &resource));
    release_in_time(NULL);
    ExDeleteResourceLite(&resource);
}

static void resources_that_are_released_are_left_alone(void **state)
{
    STAYS_SILENT("FAST-18", "FAST-26", "FAST-30", "DV-54");
    expect_silence_at_full(run_good_owners);
}

/* ---- remove locks ---- */

static IO_REMOVE_LOCK remove_lock;

static void release_with_other_tag(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoInitializeRemoveLock(&remove_lock, TAG, 0, 0);
    IoAcquireRemoveLock(&remove_lock, &first);
    IoReleaseRemoveLock(&remove_lock, &second);
}

static void remove_with_other_tag(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoInitializeRemoveLock(&remove_lock, TAG, 0, 0);
    IoAcquireRemoveLock(&remove_lock, &first);
    IoReleaseRemoveLockAndWait(&remove_lock, &second);
}

static void a_remove_lock_released_with_another_tag_is_caught(void **state)
{
    PROVES("FAST-49");
    UNREFERENCED_PARAMETER(state);
    expect_at_full(release_with_other_tag, DRIVER_VERIFIER_DETECTED_VIOLATION, "FAST-49",
                   "acquired by release_with_other_tag");
    expect_at_full(remove_with_other_tag, DRIVER_VERIFIER_DETECTED_VIOLATION, "FAST-49",
                   "acquired by remove_with_other_tag");
}

/* The same tag twice, in no order; at last a lock that was left and is initialised again. */
static void use_remove_locks(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoInitializeRemoveLock(&remove_lock, TAG, 0, 0);
    IoAcquireRemoveLock(&remove_lock, &first);
    IoAcquireRemoveLock(&remove_lock, &second);
    IoAcquireRemoveLock(&remove_lock, &first);
    IoReleaseRemoveLock(&remove_lock, &first);
    IoReleaseRemoveLock(&remove_lock, &second);
    IoInitializeRemoveLock(&remove_lock, TAG, 0, 0);
    IoAcquireRemoveLock(&remove_lock, &second);
    IoReleaseRemoveLockAndWait(&remove_lock, &second);
    assert_int_equal(IoAcquireRemoveLock(&remove_lock, &third), STATUS_DELETE_PENDING);
}

static void remove_locks_released_with_their_tags_are_fine(void **state)
{
    STAYS_SILENT("FAST-49");
    UNREFERENCED_PARAMETER(state);
    expect_silence_at_full(use_remove_locks);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_inverted_order_of_spin_locks_is_caught),
    kernel_test(the_report_of_an_inversion_has_both_stacks),
    kernel_test(orders_that_cannot_deadlock_are_left_alone),
    kernel_test(an_inverted_order_of_mutexes_is_caught),
    kernel_test(orders_of_mutexes_that_cannot_deadlock_are_left_alone),
    kernel_test(a_lock_that_is_taken_again_is_caught),
    kernel_test(locks_that_are_given_back_are_left_alone),
    kernel_test(spin_locks_that_are_not_released_as_acquired_are_caught),
    kernel_test(spin_locks_that_are_released_as_acquired_are_left_alone),
    kernel_test(a_queue_handle_that_is_not_on_the_stack_is_warned_of),
    kernel_test(a_queue_handle_on_the_stack_is_left_alone),
    kernel_test(a_routine_that_keeps_a_fast_mutex_is_caught),
    kernel_test(a_routine_that_releases_its_fast_mutex_is_left_alone),
    kernel_test(a_routine_that_uses_up_the_stack_is_warned_of),
    kernel_test(small_frames_and_an_expanded_stack_are_left_alone),
    kernel_test(a_lock_that_is_lost_while_held_is_caught),
    kernel_test(a_resource_that_is_kept_is_caught),
    kernel_test(resources_that_are_released_are_left_alone),
    kernel_test(a_remove_lock_released_with_another_tag_is_caught),
    kernel_test(remove_locks_released_with_their_tags_are_fine),
};

TEST_MAIN(tests)
