/*
 * The IRQL at which functions may be called. Each row is a function with the highest level at which
 * it may be called, and a level at which a call must be caught; the same call at the former is the
 * good twin.
 */
#include "../io/io_driver.h"
#include "full.h"

#include <ntifs.h>

#define TAG 'lqrI'

static KSPIN_LOCK lock;
static KEVENT event;
static KMUTEX mutex;
static KSEMAPHORE semaphore;
static KTIMER timer;
static KDPC dpc;
static FAST_MUTEX fast_mutex;
static KGUARDED_MUTEX guarded_mutex;
static ERESOURCE resource;
static PAGED_LOOKASIDE_LIST paged_list;
static EX_RUNDOWN_REF rundown;
static PVOID block;
static PVOID paged_block;
static PDRIVER_OBJECT some_driver;

static void set_up(void)
{
    KeInitializeSpinLock(&lock);
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeInitializeMutex(&mutex, 0);
    KeInitializeSemaphore(&semaphore, 0, 100);
    KeInitializeTimer(&timer);
    KeInitializeDpc(&dpc, NULL, NULL);
    ExInitializeFastMutex(&fast_mutex);
    KeInitializeGuardedMutex(&guarded_mutex);
    ExInitializeResourceLite(&resource);
    ExInitializePagedLookasideList(&paged_list, NULL, NULL, 0, 64, TAG, 0);
    ExInitializeRundownProtection(&rundown);
    block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, TAG);
    paged_block = ExAllocatePool2(POOL_FLAG_PAGED, 64, TAG);
    some_driver = load_plain();
}

static void tear_down(void)
{
    wskemu_unload_driver(some_driver);
    ExDeleteResourceLite(&resource);
    ExDeletePagedLookasideList(&paged_list);
    if (block != NULL) {
        ExFreePool(block);
    }
    if (paged_block != NULL) {
        ExFreePool(paged_block);
    }
}

static void spin_lock(void)
{
    KIRQL old;
    KeAcquireSpinLock(&lock, &old);
    KeReleaseSpinLock(&lock, old);
}

static void queued_spin_lock(void)
{
    KLOCK_QUEUE_HANDLE handle;
    KeAcquireInStackQueuedSpinLock(&lock, &handle);
    KeReleaseInStackQueuedSpinLock(&handle);
}

static void set_event(void)
{
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
}

static void set_event_and_wait(void)
{
    KeSetEvent(&event, IO_NO_INCREMENT, TRUE);
    wait_object(&event);
}

static void reset_event(void)
{
    KeResetEvent(&event);
    set_event();
}

static void wait_for_ever(void)
{
    wait_object(&event);
}

static void wait_a_while(void)
{
    LARGE_INTEGER limit = interval_ms(10);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &limit);
}

static void wait_for_several(void)
{
    PVOID objects[] = {&event};
    KeWaitForMultipleObjects(1, objects, WaitAll, Executive, KernelMode, FALSE, NULL, NULL);
}

static void release_semaphore(void)
{
    KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 1, FALSE);
}

static void set_timer(void)
{
    LARGE_INTEGER due = interval_ms(60000);
    KeSetTimer(&timer, due, NULL);
    KeCancelTimer(&timer);
}

static void raise_to_dispatch(void)
{
    KeLowerIrql(KeRaiseIrqlToDpcLevel());
}

static void sleep_shortly(void)
{
    LARGE_INTEGER pause = {.QuadPart = -1};
    KeDelayExecutionThread(KernelMode, FALSE, &pause);
}

static void guarded(void)
{
    KeAcquireGuardedMutex(&guarded_mutex);
    KeReleaseGuardedMutex(&guarded_mutex);
}

static void fast(void)
{
    ExAcquireFastMutex(&fast_mutex);
    ExReleaseFastMutex(&fast_mutex);
}

static void try_fast(void)
{
    assert_true(ExTryToAcquireFastMutex(&fast_mutex));
    ExReleaseFastMutex(&fast_mutex);
}

static void critical_region(void)
{
    KeEnterCriticalRegion();
    KeLeaveCriticalRegion();
}

static void guarded_region(void)
{
    KeEnterGuardedRegion();
    KeLeaveGuardedRegion();
}

static void own_resource(void)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&resource, TRUE);
    ExReleaseResourceLite(&resource);
    KeLeaveCriticalRegion();
}

static void own_resource_outside_region(void)
{
    ExAcquireResourceExclusiveLite(&resource, FALSE);
    ExReleaseResourceLite(&resource);
}

static void use_paged_list(void)
{
    ExFreeToPagedLookasideList(&paged_list, ExAllocateFromPagedLookasideList(&paged_list));
}

static void set_resolution(void)
{
    ExSetTimerResolution(10000, TRUE);
    ExSetTimerResolution(0, FALSE);
}

static void probe(void)
{
    UCHAR byte = 0;
    ProbeForRead(&byte, 1, 1);
}

static void allocate_pool(void)
{
    ExFreePool(ExAllocatePool2(POOL_FLAG_NON_PAGED, 8, TAG));
}

static void allocate_paged_pool(void)
{
    ExFreePool(ExAllocatePool2(POOL_FLAG_PAGED, 8, TAG));
}

static void free_pool(void)
{
    PVOID freed = block;
    block = NULL;
    ExFreePool(freed);
}

static void free_paged_pool(void)
{
    PVOID freed = paged_block;
    paged_block = NULL;
    ExFreePool(freed);
}

static void make_uuid(void)
{
    UUID uuid;
    ExUuidCreate(&uuid);
}

static void take_not_cached_memory(void)
{
    MmFreeNonCachedMemory(MmAllocateNonCachedMemory(64), 64);
}

static void wait_for_rundown(void)
{
    ExWaitForRundownProtectionRelease(&rundown);
    ExReInitializeRundownProtection(&rundown);
}

static void flush_dpcs(void)
{
    KeFlushQueuedDpcs();
}

static void compare_strings(void)
{
    DECLARE_CONST_UNICODE_STRING(text, L"text");
    RtlCompareUnicodeString(&text, &text, TRUE);
}

static void hash_string(void)
{
    DECLARE_CONST_UNICODE_STRING(text, L"text");
    ULONG hash;
    RtlHashUnicodeString(&text, TRUE, HASH_STRING_ALGORITHM_DEFAULT, &hash);
}

static VOID no_thread(PVOID context)
{
}

static void start_a_thread(void)
{
    join_thread(start_thread(no_thread, NULL));
}

static void close_handle(void)
{
    HANDLE handle;
    PVOID thread;
    PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, no_thread, NULL);
    ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &thread, NULL);
    ZwClose(handle);
    join_thread(thread);
}

static void close_null(void)
{
    ZwClose(NULL);
}

static void make_and_delete_device(void)
{
    PDEVICE_OBJECT device;
    IoCreateDevice(some_driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    IoDeleteDevice(device);
}

static void make_event(void)
{
    HANDLE handle;
    ZwCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    ZwClose(handle);
}

static void make_named_event(void)
{
    HANDLE handle;
    DECLARE_CONST_UNICODE_STRING(name, L"\\BaseNamedObjects\\Irql");
    IoCreateNotificationEvent((PUNICODE_STRING)(ULONG_PTR)&name, &handle);
    ZwClose(handle);
}

static const struct limit {
    const char *name;
    void (*call)(void);
    KIRQL good;
    KIRQL bad;
} limits[] = {
    {"KeAcquireSpinLock", spin_lock, DISPATCH_LEVEL, DISPATCH_LEVEL + 1},
    {"KeAcquireInStackQueuedSpinLock", queued_spin_lock, DISPATCH_LEVEL, DISPATCH_LEVEL + 1},
    {"KeSetEvent", set_event, DISPATCH_LEVEL, DISPATCH_LEVEL + 1},
    {"KeSetEvent with Wait", set_event_and_wait, APC_LEVEL, DISPATCH_LEVEL},
    {"KeResetEvent", reset_event, DISPATCH_LEVEL, DISPATCH_LEVEL + 1},
    {"KeWaitForSingleObject", wait_for_ever, APC_LEVEL, DISPATCH_LEVEL},
    {"KeWaitForSingleObject with a limit", wait_a_while, APC_LEVEL, DISPATCH_LEVEL},
    {"KeWaitForMultipleObjects", wait_for_several, APC_LEVEL, DISPATCH_LEVEL},
    {"KeReleaseSemaphore", release_semaphore, DISPATCH_LEVEL, DISPATCH_LEVEL + 1},
    {"KeSetTimer", set_timer, DISPATCH_LEVEL, DISPATCH_LEVEL + 1},
    {"KeRaiseIrqlToDpcLevel", raise_to_dispatch, DISPATCH_LEVEL, DISPATCH_LEVEL + 1},
    {"KeDelayExecutionThread", sleep_shortly, APC_LEVEL, DISPATCH_LEVEL},
    {"KeAcquireGuardedMutex", guarded, APC_LEVEL, DISPATCH_LEVEL},
    {"ExAcquireFastMutex", fast, APC_LEVEL, DISPATCH_LEVEL},
    {"ExTryToAcquireFastMutex", try_fast, APC_LEVEL, DISPATCH_LEVEL},
    {"KeEnterCriticalRegion", critical_region, APC_LEVEL, DISPATCH_LEVEL},
    {"KeEnterGuardedRegion", guarded_region, APC_LEVEL, DISPATCH_LEVEL},
    {"ExAcquireResourceExclusiveLite", own_resource, PASSIVE_LEVEL, DISPATCH_LEVEL},
    {"ExAcquireResourceExclusiveLite, no region", own_resource_outside_region, APC_LEVEL,
     PASSIVE_LEVEL},
    {"ExAllocateFromPagedLookasideList", use_paged_list, APC_LEVEL, DISPATCH_LEVEL},
    {"ExSetTimerResolution", set_resolution, APC_LEVEL, DISPATCH_LEVEL},
    {"ProbeForRead", probe, APC_LEVEL, DISPATCH_LEVEL},
    {"ExAllocatePool2", allocate_pool, DISPATCH_LEVEL, DISPATCH_LEVEL + 1},
    {"ExAllocatePool2, paged", allocate_paged_pool, APC_LEVEL, DISPATCH_LEVEL},
    {"ExFreePool", free_pool, DISPATCH_LEVEL, DISPATCH_LEVEL + 1},
    {"ExFreePool, paged", free_paged_pool, APC_LEVEL, DISPATCH_LEVEL},
    {"ExUuidCreate", make_uuid, PASSIVE_LEVEL, DISPATCH_LEVEL},
    {"MmAllocateNonCachedMemory", take_not_cached_memory, APC_LEVEL, DISPATCH_LEVEL},
    {"ExWaitForRundownProtectionRelease", wait_for_rundown, APC_LEVEL, DISPATCH_LEVEL},
    {"KeFlushQueuedDpcs", flush_dpcs, PASSIVE_LEVEL, DISPATCH_LEVEL},
    {"RtlCompareUnicodeString", compare_strings, APC_LEVEL, DISPATCH_LEVEL},
    {"RtlHashUnicodeString", hash_string, APC_LEVEL, DISPATCH_LEVEL},
    {"PsCreateSystemThread", start_a_thread, PASSIVE_LEVEL, DISPATCH_LEVEL},
    {"ZwClose", close_handle, PASSIVE_LEVEL, DISPATCH_LEVEL},
    {"IoCreateDevice", make_and_delete_device, PASSIVE_LEVEL, DISPATCH_LEVEL},
    {"IoCreateNotificationEvent", make_named_event, PASSIVE_LEVEL, DISPATCH_LEVEL},
    {"ZwCreateEvent", make_event, PASSIVE_LEVEL, DISPATCH_LEVEL},
    {"ZwClose, of nothing", close_null, PASSIVE_LEVEL, DISPATCH_LEVEL},
};

/* Calls at the level that is too high; comes back if nothing was said. */
static void call_too_high(void *context)
{
    const struct limit *limit = context;
    KIRQL old;
    set_up();
    KeRaiseIrql(limit->bad, &old);
    limit->call();
}

static void a_call_at_too_high_a_level_is_caught(void **state)
{
    PROVES("DV-30", "DV-31", "DV-33", "DV-34", "DV-36", "DV-37", "DV-39", "DV-40", "DV-41", "DV-42",
           "DV-45", "IRQL-23", "IRQL-12", "IRQL-13", "WAIT-09", "WAIT-27", "RTL-16", "THREAD-02",
           "DPC-12");
    for (size_t i = 0; i < RTL_NUMBER_OF(limits); i++) {
        struct wskemu_bugcheck stop;
        if (!wskemu_catch_bugcheck(call_too_high, (void *)&limits[i], &stop)) {
            print_error("%s at IRQL %u was not caught\n", limits[i].name, limits[i].bad);
            fail();
        }
        assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
        assert_non_null(stop.rule);
        assert_string_not_equal(stop.sentence, "");
    }
}

static void call_at_limit(void *context)
{
    const struct limit *limit = context;
    KIRQL old;
    set_up();
    KeRaiseIrql(limit->good, &old);
    limit->call();
    KeLowerIrql(old);
    tear_down();
}

static void a_call_at_the_highest_level_allowed_is_left_alone(void **state)
{
    STAYS_SILENT("DV-30", "DV-31", "DV-33", "DV-34", "DV-36", "DV-37", "DV-39", "DV-40", "DV-41",
                 "DV-42", "DV-45", "IRQL-23", "IRQL-12", "IRQL-13", "WAIT-09", "WAIT-27", "RTL-16",
                 "THREAD-02", "DPC-12");
    for (size_t i = 0; i < RTL_NUMBER_OF(limits) - 1; i++) {
        expect_silence(call_at_limit, (void *)&limits[i]);
    }
}

/* ---- exactly DISPATCH_LEVEL ---- */

static void acquire_below(void *context)
{
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLockAtDpcLevel(&lock);
}

static void release_below(void *context)
{
    KIRQL old;
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &old);
    KeReleaseSpinLock(&lock, old);
    KeReleaseSpinLock(&lock, old);
}

static void acquire_twice(void *context)
{
    KIRQL old;
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &old);
    KeAcquireSpinLock(&lock, &old);
}

static void a_call_below_dispatch_level_is_caught(void **state)
{
    PROVES("DV-35", "DV-52", "SPIN-05", "SPIN-09");
    expect_bugcheck(acquire_below, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x40, "SPIN-09");
    expect_bugcheck(acquire_twice, NULL, SPIN_LOCK_ALREADY_OWNED, ANY_PARAMETER, "SPIN-14");
    expect_bugcheck(release_below, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x32, "SPIN-05");
}

static void acquire_at_dispatch(void *context)
{
    KIRQL old;
    KeInitializeSpinLock(&lock);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    KeAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLockFromDpcLevel(&lock);
    KeLowerIrql(old);
}

static void a_call_at_dispatch_level_is_left_alone(void **state)
{
    STAYS_SILENT("DV-35", "DV-52", "SPIN-05", "SPIN-09");
    expect_silence(acquire_at_dispatch, NULL);
    expect_silence_at_full(acquire_at_dispatch);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_call_at_too_high_a_level_is_caught),
    kernel_test(a_call_at_the_highest_level_allowed_is_left_alone),
    kernel_test(a_call_below_dispatch_level_is_caught),
    kernel_test(a_call_at_dispatch_level_is_left_alone),
};

TEST_MAIN(tests)
