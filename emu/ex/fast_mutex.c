/*
 * Fast mutexes, and guarded mutexes, which are fast mutexes that are held in a guarded region.
 *
 * Count is 1 while the mutex is free, 0 while it is held, -1 while it is held and somebody sleeps
 * for it, parked at Count's address. The event in the structure is not used.
 */
#include "ke/address.h"
#include "ke/bugcheck.h"
#include "ke/irql.h"
#include "ke/limit.h"
#include "ke/patience.h"
#include "ke/warning.h"
#include "verifier/lock_order.h"

#define FREE FM_LOCK_BIT
#define HELD 0
#define CONTENDED (-1)

static bool try_acquire(PFAST_MUTEX mutex)
{
    LONG seen = FREE;
    return __atomic_compare_exchange_n(&mutex->Count, &seen, HELD, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

/* One that was initialised holds an event, which nobody uses. */
static void check_initialised(const FAST_MUTEX *mutex, const char *function)
{
    const DISPATCHER_HEADER *event = &mutex->Event.Header;
    if (event->WaitListHead.Flink != &event->WaitListHead) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1002, (ULONG_PTR)mutex, 0, 0, "SPIN-16",
                    "The driver called %s for the fast or guarded mutex %p, which was never "
                    "initialised.",
                    function, (const void *)mutex);
    }
}

static void check_not_owner(PFAST_MUTEX mutex, const struct _KTHREAD *thread)
{
    if (__atomic_load_n(&mutex->Owner, __ATOMIC_RELAXED) == thread) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1000, (ULONG_PTR)mutex, 0, 0, "FAST-05",
                    "The driver acquired the fast or guarded mutex %p, which the same thread holds "
                    "already. On Windows it would wait for ever.",
                    (void *)mutex);
    }
}

static void set_owner(PFAST_MUTEX mutex, const struct _KTHREAD *thread)
{
    __atomic_store_n(&mutex->Owner, (PVOID)(ULONG_PTR)thread, __ATOMIC_RELAXED);
}

static const void *holder_of(const void *mutex, unsigned n)
{
    const FAST_MUTEX *held = mutex;
    return n == 0 ? __atomic_load_n(&held->Owner, __ATOMIC_RELAXED) : NULL;
}

static void await(PFAST_MUTEX mutex)
{
    struct ke_reason reason = {.what = "the fast or guarded mutex",
                               .object = mutex,
                               .kind = KE_REASON_LOCK,
                               .rule = "MUTEX-12",
                               .holder = holder_of};
    ke_reason_begin(&reason);
    while (__atomic_exchange_n(&mutex->Count, CONTENDED, __ATOMIC_SEQ_CST) != FREE) {
        ke_address_wait(&mutex->Count, sizeof(mutex->Count), (ULONG)CONTENDED, true);
    }
    ke_reason_end(&reason);
}

static void acquire(PFAST_MUTEX mutex, const char *function, const void *site)
{
    struct _KTHREAD *thread = ke_current();
    verifier_lock_wanted(&verifier_fast_mutex, mutex);
    if (!try_acquire(mutex)) {
        check_initialised(mutex, function);
        check_not_owner(mutex, thread);
        __atomic_fetch_add(&mutex->Contention, 1, __ATOMIC_RELAXED);
        await(mutex);
    }
    set_owner(mutex, thread);
    verifier_lock_taken(&verifier_fast_mutex, mutex, site);
}

/* The mutex was free, and was taken. */
static void note_tried(PFAST_MUTEX mutex, const void *site)
{
    set_owner(mutex, ke_current());
    verifier_lock_taken(&verifier_fast_mutex, mutex, site);
}

static void check_owner(PFAST_MUTEX mutex, const char *function)
{
    const void *owner = __atomic_load_n(&mutex->Owner, __ATOMIC_RELAXED);
    if (owner == NULL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1007, (ULONG_PTR)mutex, 0, 0, "FAST-06",
                    "The driver called %s for the mutex %p, which nobody holds.", function,
                    (void *)mutex);
    }
    if (owner != ke_current()) {
        ke_warning("FAST-06", "the driver called %s for the mutex %p, which another thread holds",
                   function, (void *)mutex);
    }
}

static void release(PFAST_MUTEX mutex, const char *function)
{
    check_owner(mutex, function);
    verifier_lock_dropped(mutex);
    set_owner(mutex, NULL);
    if (__atomic_exchange_n(&mutex->Count, FREE, __ATOMIC_SEQ_CST) == CONTENDED) {
        ke_address_wake(&mutex->Count, false);
    }
}

/* ---- fast mutexes ---- */

static void check_acquire_level(PFAST_MUTEX mutex, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql > APC_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x33, irql, (ULONG_PTR)mutex, 0, "FAST-04",
                    "The driver called %s at IRQL %u; the highest level allowed is APC_LEVEL.",
                    function, irql);
    }
}

static void check_release_level(PFAST_MUTEX mutex, const char *function)
{
    const struct _KTHREAD *thread = ke_current();
    if (thread->irql != APC_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x34, thread->irql,
                    (ULONG_PTR)thread->kernel_apc_disable, (ULONG_PTR)mutex, "FAST-04",
                    "The driver called %s at IRQL %u; a fast mutex is held, and released, at "
                    "APC_LEVEL.",
                    function, thread->irql);
    }
}

/* Whether a mutex may be acquired here in the unsafe way. */
static bool is_shielded(const struct _KTHREAD *thread)
{
    return thread->irql == APC_LEVEL || (thread->irql < APC_LEVEL && KeAreApcsDisabled());
}

static void check_shielded(PFAST_MUTEX mutex, ULONG verifier_code, const char *rule,
                           const char *function)
{
    const struct _KTHREAD *thread = ke_current();
    if (!is_shielded(thread)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, verifier_code, thread->irql,
                    (ULONG_PTR)thread->kernel_apc_disable, (ULONG_PTR)mutex, rule,
                    "The driver called %s at IRQL %u and outside a critical or guarded region.",
                    function, thread->irql);
    }
}

/* Waits for the mutex and holds it at APC_LEVEL. IRQL <= APC_LEVEL. (FAST-02) */
VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    check_acquire_level(FastMutex, __func__);
    KIRQL old = ke_raise_irql(APC_LEVEL);
    acquire(FastMutex, __func__, _ReturnAddress());
    FastMutex->OldIrql = old;
}

/* Releases the mutex and restores the level before its acquisition. APC_LEVEL. (FAST-02) */
VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    check_release_level(FastMutex, __func__);
    KIRQL old = (KIRQL)FastMutex->OldIrql;
    release(FastMutex, __func__);
    ke_lower_irql(old);
}

/* As ExAcquireFastMutex if the mutex is free; else FALSE at once. IRQL <= APC_LEVEL. (FAST-03) */
BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    check_acquire_level(FastMutex, __func__);
    if (!try_acquire(FastMutex)) {
        check_initialised(FastMutex, __func__);
        return FALSE;
    }
    note_tried(FastMutex, _ReturnAddress());
    FastMutex->OldIrql = ke_raise_irql(APC_LEVEL);
    return TRUE;
}

/* Waits for the mutex and leaves the level alone, which is APC_LEVEL or in a critical region.
 * (FAST-07) */
VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    check_shielded(FastMutex, 0x39, "FAST-08", __func__);
    acquire(FastMutex, __func__, _ReturnAddress());
}

/* Undoes ExAcquireFastMutexUnsafe. (FAST-07) */
VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    check_shielded(FastMutex, 0x3A, "FAST-08", __func__);
    release(FastMutex, __func__);
}

/* ---- guarded mutexes ---- */

/* Prepares a guarded mutex that is free. IRQL <= DISPATCH_LEVEL. */
VOID KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    ExInitializeFastMutex(Mutex);
}

/* Enters a guarded region and waits for the mutex; what follows counts as made at APC_LEVEL.
 * IRQL <= APC_LEVEL. (FAST-11, FAST-12) */
VOID KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    check_acquire_level(Mutex, __func__);
    KeEnterGuardedRegion();
    KIRQL old = ke_raise_irql(APC_LEVEL);
    acquire(Mutex, __func__, _ReturnAddress());
    Mutex->OldIrql = old;
}

/* Releases the mutex and leaves the guarded region. IRQL <= APC_LEVEL. (FAST-12) */
VOID KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    check_release_level(Mutex, __func__);
    KIRQL old = (KIRQL)Mutex->OldIrql;
    release(Mutex, __func__);
    ke_lower_irql(old);
    KeLeaveGuardedRegion();
}

/* As KeAcquireGuardedMutex if the mutex is free; else FALSE at once. (FAST-12) */
BOOLEAN KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    check_acquire_level(Mutex, __func__);
    if (!try_acquire(Mutex)) {
        check_initialised(Mutex, __func__);
        return FALSE;
    }
    note_tried(Mutex, _ReturnAddress());
    KeEnterGuardedRegion();
    Mutex->OldIrql = ke_raise_irql(APC_LEVEL);
    return TRUE;
}

/* Waits for the mutex, in a guarded region or at APC_LEVEL, which stay as they are. */
VOID KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX FastMutex)
{
    check_shielded(FastMutex, 0x39, "FAST-13", __func__);
    acquire(FastMutex, __func__, _ReturnAddress());
}

/* Undoes KeAcquireGuardedMutexUnsafe. */
VOID KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX FastMutex)
{
    check_shielded(FastMutex, 0x3A, "FAST-13", __func__);
    release(FastMutex, __func__);
}
