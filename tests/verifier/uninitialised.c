/* Objects that were never initialised, and such as lie on a stack that is gone. */
#include "full.h"

#include "base/sanitize.h"
#include "base/stack.h"

/* In a zeroed block, and in one whose content nobody chose. */
static const POOL_FLAGS contents[] = {POOL_FLAG_NON_PAGED,
                                      POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED};

static const POOL_FLAGS *content;

static void *memory(size_t bytes)
{
    return ExAllocatePool2(*content, bytes, 'tset');
}

static VOID no_dpc(PKDPC object, PVOID context, PVOID argument1, PVOID argument2)
{
}

static void set_timer(void *context)
{
    LARGE_INTEGER due = {.QuadPart = -1};
    KeSetTimer(memory(sizeof(KTIMER)), due, NULL);
}

static void cancel_timer(void *context)
{
    KeCancelTimer(memory(sizeof(KTIMER)));
}

static void set_event(void *context)
{
    KeSetEvent(memory(sizeof(KEVENT)), IO_NO_INCREMENT, FALSE);
}

static void queue_dpc(void *context)
{
    KeInsertQueueDpc(memory(sizeof(KDPC)), NULL, NULL);
}

static void remove_dpc(void *context)
{
    KeRemoveQueueDpc(memory(sizeof(KDPC)));
}

static void set_timer_with_dpc(void *context)
{
    static KTIMER timer;
    LARGE_INTEGER due = {.QuadPart = -1};
    KeInitializeTimer(&timer);
    KeSetTimer(&timer, due, memory(sizeof(KDPC)));
}

static void acquire_fast_mutex(void *context)
{
    ExAcquireFastMutex(memory(sizeof(FAST_MUTEX)));
}

static void try_guarded_mutex(void *context)
{
    KeTryToAcquireGuardedMutex(memory(sizeof(KGUARDED_MUTEX)));
}

static void acquire_resource(void *context)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(memory(sizeof(ERESOURCE)), TRUE);
}

static void acquire_deleted_resource(void *context)
{
    static ERESOURCE resource;
    ExInitializeResourceLite(&resource);
    ExDeleteResourceLite(&resource);
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&resource, TRUE);
}

static void acquire_spin_lock(void *context)
{
    KIRQL irql;
    KeAcquireSpinLock(memory(sizeof(KSPIN_LOCK)), &irql);
}

static void acquire_queued_spin_lock(void *context)
{
    KLOCK_QUEUE_HANDLE handle;
    KeAcquireInStackQueuedSpinLock(memory(sizeof(KSPIN_LOCK)), &handle);
}

static void insert_into_list(void *context)
{
    static LIST_ENTRY entry;
    InsertTailList(memory(sizeof(LIST_ENTRY)), &entry);
}

static void insert_into_list_atomically(void *context)
{
    static LIST_ENTRY entry;
    static KSPIN_LOCK lock;
    KeInitializeSpinLock(&lock);
    ExInterlockedInsertTailList(memory(sizeof(LIST_ENTRY)), &entry, &lock);
}

static void expect(void (*body)(void *), const char *rule, const char *words)
{
    struct wskemu_bugcheck stop = bugcheck_of(body, NULL);
    if (stop.rule == NULL) {
        print_error("got no rule: %s\n", stop.sentence);
    }
    assert_non_null(stop.rule);
    assert_string_equal(stop.rule, rule);
    assert_non_null(strstr(stop.sentence, words));
}

static void dispatcher_objects_that_were_never_initialised_are_called_so(void **state)
{
    PROVES("WAIT-11");
    for (content = contents; content < contents + 2; content++) {
        expect(set_timer, "WAIT-11", "as a timer, which was never initialised");
        expect(cancel_timer, "WAIT-11", "as a timer, which was never initialised");
        expect(set_event, "WAIT-11", "as an event, which was never initialised");
        expect(queue_dpc, "DPC-01", "never initialised");
        expect(remove_dpc, "DPC-01", "never initialised");
        expect(set_timer_with_dpc, "DPC-01", "never initialised");
    }
}

static void locks_that_were_never_initialised_are_called_so(void **state)
{
    PROVES("SPIN-02", "SPIN-16", "FAST-17");
    for (content = contents; content < contents + 2; content++) {
        expect(acquire_fast_mutex, "SPIN-16", "never initialised");
        expect(try_guarded_mutex, "SPIN-16", "never initialised");
        expect(acquire_resource, "FAST-17", "never initialised");
    }
    content = &contents[1]; /* a zeroed spin lock is a free one */
    expect(acquire_spin_lock, "SPIN-02", "never initialised");
    expect(acquire_queued_spin_lock, "SPIN-02", "never initialised");
    expect(acquire_deleted_resource, "FAST-17", "was deleted");
}

/* Whether the fault in a list function comes, which a sanitizer forestalls, and can be told from
 * others: the functions are known by their header. */
__attribute__((noinline)) static bool knows_list_functions(void)
{
#if defined(BASE_IS_SANITIZED) || defined(_WIN32)
    return false;
#else
    return strchr(base_stack_site(_ReturnAddress()).text, ':') != NULL;
#endif
}

static void lists_that_were_never_initialised_are_called_so(void **state)
{
    content = &contents[0];
    if (knows_list_functions()) {
        expect(insert_into_list, "RTL-42", "never initialised");
    }
    expect(insert_into_list_atomically, "RTL-42", "never initialised");
}

static void use_all(void *context)
{
    static struct {
        KTIMER timer;
        KDPC dpc;
        FAST_MUTEX mutex;
        ERESOURCE resource;
        KSPIN_LOCK lock;
    } objects;
    KIRQL irql;
    LARGE_INTEGER due = {.QuadPart = -100000000};
    KeInitializeTimer(&objects.timer);
    KeInitializeDpc(&objects.dpc, no_dpc, NULL);
    ExInitializeFastMutex(&objects.mutex);
    ExInitializeResourceLite(&objects.resource);
    KeInitializeSpinLock(&objects.lock);
    KeSetTimer(&objects.timer, due, &objects.dpc);
    KeCancelTimer(&objects.timer);
    KeInsertQueueDpc(&objects.dpc, NULL, NULL);
    ExAcquireFastMutex(&objects.mutex);
    ExReleaseFastMutex(&objects.mutex);
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&objects.resource, TRUE);
    ExReleaseResourceLite(&objects.resource);
    KeLeaveCriticalRegion();
    ExDeleteResourceLite(&objects.resource);
    KeAcquireSpinLock(&objects.lock, &irql);
    KeReleaseSpinLock(&objects.lock, irql);
}

static void initialised_objects_pass(void **state)
{
    STAYS_SILENT("WAIT-11", "SPIN-02", "FAST-17");
    expect_silence(use_all, NULL);
    expect_silence_at_full(use_all);
}

/* ---- on a stack ---- */

static volatile ULONG_PTR left;

static void run_as_dpc(PKDEFERRED_ROUTINE routine)
{
    static KDPC dpc;
    KeInitializeDpc(&dpc, routine, NULL);
    KeInsertQueueDpc(&dpc, NULL, NULL);
}

static VOID leave_timer(PKDPC object, PVOID context, PVOID argument1, PVOID argument2)
{
    KTIMER timer;
    LARGE_INTEGER due = {.QuadPart = -100000000};
    KeInitializeTimer(&timer);
    KeSetTimer(&timer, due, NULL);
}

static VOID cancel_own_timer(PKDPC object, PVOID context, PVOID argument1, PVOID argument2)
{
    KTIMER timer;
    LARGE_INTEGER due = {.QuadPart = -100000000};
    KeInitializeTimer(&timer);
    KeSetTimer(&timer, due, NULL);
    KeCancelTimer(&timer);
}

static VOID leave_event(PKDPC object, PVOID context, PVOID argument1, PVOID argument2)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    left = (ULONG_PTR)&event;
}

static VOID set_own_event(PKDPC object, PVOID context, PVOID argument1, PVOID argument2)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
}

static void leave_timer_behind(void *context)
{
    run_as_dpc(leave_timer);
}

static void set_event_that_is_gone(void *context)
{
    run_as_dpc(leave_event);
    KeSetEvent((PKEVENT)left, IO_NO_INCREMENT, FALSE);
}

static void use_local_objects(void *context)
{
    for (int i = 0; i < 2; i++) {
        run_as_dpc(cancel_own_timer);
        run_as_dpc(set_own_event);
    }
}

static void a_timer_on_a_stack_that_goes_stops(void **state)
{
    PROVES("TIMER-02");
    expect(leave_timer_behind, "TIMER-02", "which lies on its stack, was set");
    expect_at_full(leave_timer_behind, TIMER_OR_DPC_INVALID, "TIMER-02", "lies on its stack");
}

static void an_event_on_a_stack_that_is_gone_stops(void **state)
{
    PROVES("EVT-02");
    expect_at_full(set_event_that_is_gone, DRIVER_VERIFIER_DETECTED_VIOLATION, "EVT-02",
                   "on the stack of a function that has returned");
}

static void local_objects_that_stay_pass(void **state)
{
    STAYS_SILENT("TIMER-02", "EVT-02");
    expect_silence(use_local_objects, NULL);
    expect_silence_at_full(use_local_objects);
}

static const struct CMUnitTest tests[] = {
    kernel_test(dispatcher_objects_that_were_never_initialised_are_called_so),
    kernel_test(locks_that_were_never_initialised_are_called_so),
    kernel_test(lists_that_were_never_initialised_are_called_so),
    kernel_test(initialised_objects_pass),
    kernel_test(a_timer_on_a_stack_that_goes_stops),
    kernel_test(an_event_on_a_stack_that_is_gone_stops),
    kernel_test(local_objects_that_stay_pass),
};

TEST_MAIN(tests)
