/*
 * Timers.
 *
 * Timers that are set stand in a binary heap by due time. The heap is the emulator's; of the
 * driver's KTIMER it uses TimerListEntry, whose first word holds the timer's place in the heap
 * plus one, zero when it is not set. So setting, cancelling and expiring cost the logarithm of
 * how many are set, and a timer owns nothing of the host.
 */
#include "ke/timer.h"

#include "base/clock.h"
#include "base/cold.h"
#include "base/log.h"
#include "ke/bugcheck.h"
#include "ke/dpc.h"
#include "ke/irql.h"
#include "ke/kernel.h"
#include "ke/limit.h"
#include "ke/wait.h"
#include "ke/warning.h"
#include "trace/trace.h"

#include <stdlib.h>

#define NS_PER_MS 1000000ULL

static size_t place_of(const KTIMER *timer)
{
    return (size_t)(ULONG_PTR)timer->TimerListEntry.Flink;
}

static void put(size_t place, struct ke_timer_slot slot)
{
    ke_entered()->timers.heap[place - 1] = slot;
    slot.timer->TimerListEntry.Flink = (LIST_ENTRY *)(ULONG_PTR)place;
}

static struct ke_timer_slot get(size_t place)
{
    return ke_entered()->timers.heap[place - 1];
}

/* Whether the timer stands in the heap, whatever its memory says. */
static bool is_set(const KTIMER *timer)
{
    size_t place = place_of(timer);
    return place != 0 && place <= ke_entered()->timers.count && get(place).timer == timer;
}

static bool is_before(struct ke_timer_slot one, struct ke_timer_slot other)
{
    return one.due_ns != other.due_ns ? one.due_ns < other.due_ns : one.order < other.order;
}

static void sift_up(size_t place, struct ke_timer_slot slot)
{
    while (place > 1 && is_before(slot, get(place / 2))) {
        put(place, get(place / 2));
        place /= 2;
    }
    put(place, slot);
}

static void sift_down(size_t place, struct ke_timer_slot slot)
{
    size_t count = ke_entered()->timers.count;
    for (size_t child = place * 2; child <= count; child = place * 2) {
        if (child < count && is_before(get(child + 1), get(child))) {
            child++;
        }
        if (!is_before(get(child), slot)) {
            break;
        }
        put(place, get(child));
        place = child;
    }
    put(place, slot);
}

static void grow(struct ke_timers *timers)
{
    size_t capacity = timers->capacity == 0 ? 64 : timers->capacity * 2;
    struct ke_timer_slot *heap = realloc(timers->heap, capacity * sizeof(*heap));
    if (heap == NULL) {
        abort();
    }
    timers->heap = heap;
    timers->capacity = capacity;
}

static void insert(PKTIMER timer, uint64_t due_ns)
{
    struct ke_timers *timers = &ke_entered()->timers;
    if (timers->count == timers->capacity) {
        grow(timers);
    }
    struct ke_timer_slot slot = {due_ns, timers->order++, timer};
    size_t place = timers->count + 1;
    atomic_store_explicit(&timers->count, place, memory_order_relaxed);
    sift_up(place, slot);
    ke_timer_index_count(&timers->index, timer, 1);
    if (timers->index.place != NULL) {
        ke_timer_index_add(&timers->index, timer);
    }
}

static void remove_timer(PKTIMER timer)
{
    struct ke_timers *timers = &ke_entered()->timers;
    size_t place = place_of(timer);
    size_t count = timers->count;
    struct ke_timer_slot last = get(count);
    atomic_store_explicit(&timers->count, count - 1, memory_order_relaxed);
    timer->TimerListEntry.Flink = NULL;
    ke_timer_index_count(&timers->index, timer, -1);
    if (timers->index.place != NULL) {
        ke_timer_index_remove(&timers->index, timer);
    }
    if (last.timer == timer) {
        return;
    }
    if (place > 1 && is_before(last, get(place / 2))) {
        sift_up(place, last);
    } else {
        sift_down(place, last);
    }
}

bool ke_timers_are_set(void)
{
    return atomic_load_explicit(&ke_entered()->timers.count, memory_order_relaxed) != 0;
}

bool ke_timers_do_more_than_tick(unsigned long milliseconds)
{
    size_t count = atomic_load_explicit(&ke_entered()->timers.count, memory_order_relaxed);
    for (size_t i = 1; i <= count; i++) {
        ULONG period = get(i).timer->Period;
        if (period == 0 || period > milliseconds) {
            return true;
        }
    }
    return false;
}

uint64_t ke_timers_next(void)
{
    return ke_timers_are_set() ? get(1).due_ns : BASE_FOREVER;
}

static uint64_t now_or_period(uint64_t due_ns, uint64_t now_ns, ULONG period_ms)
{
    uint64_t next = due_ns + (uint64_t)period_ms * NS_PER_MS;
    return next > now_ns ? next : now_ns;
}

/* Signals the timer and queues its DPC. The timer may be gone afterwards unless it is periodic. */
static void expire(PKTIMER timer, uint64_t due_ns, uint64_t now_ns)
{
    PKDPC dpc = timer->Dpc;
    trace_object(TRACE_TIMER_EXPIRE, TRACE_DISPATCH, timer, (ULONG_PTR)dpc, 0);
    remove_timer(timer);
    if (timer->Period != 0) {
        insert(timer, now_or_period(due_ns, now_ns, timer->Period));
    }
    if (dpc != NULL) {
        ULONGLONG time = KeQueryInterruptTime();
        ke_dpc_queue_for_timer(dpc, (PVOID)(ULONG_PTR)(ULONG)time,
                               (PVOID)(ULONG_PTR)(ULONG)(time >> 32));
    }
    ke_object_signal(&timer->Header, 1);
}

void ke_timers_expire(uint64_t now_ns)
{
    /* A periodic timer set again for now waits for the next round, else this would not end. */
    uint64_t first_new = ke_entered()->timers.order;
    while (ke_timers_are_set()) {
        struct ke_timer_slot slot = get(1);
        if (slot.due_ns > now_ns || slot.order >= first_new) {
            break;
        }
        expire(slot.timer, slot.due_ns, now_ns);
    }
}

static void make_index(struct ke_timers *timers)
{
    ke_timer_index_begin(&timers->index, timers->count);
    for (size_t place = 1; place <= timers->count && timers->index.place != NULL; place++) {
        ke_timer_index_add(&timers->index, get(place).timer);
    }
}

static PKTIMER look_at_all(struct ke_timers *timers, const void *start, size_t bytes)
{
    PKTIMER found = NULL;
    for (size_t place = 1; place <= timers->count && found == NULL; place++) {
        PKTIMER timer = get(place).timer;
        timers->steps++;
        found = (ULONG_PTR)timer - (ULONG_PTR)start < bytes ? timer : NULL;
    }
    return found;
}

PKTIMER ke_timers_find(const void *start, size_t bytes)
{
    struct ke_timers *timers = &ke_kernel()->timers;
    if (timers->count == 0 || !ke_timer_index_may_hold(&timers->index, start, bytes)) {
        return NULL;
    }
    ke_lock();
    bool is_indexed = ke_timer_index_pays(bytes, timers->count);
    if (is_indexed && timers->index.place == NULL) {
        make_index(timers);
    }
    PKTIMER found = is_indexed && timers->index.place != NULL
                        ? ke_timer_index_find(&timers->index, start, bytes, &timers->steps)
                        : look_at_all(timers, start, bytes);
    ke_unlock();
    return found;
}

PKTIMER ke_timers_find_by_dpc(const KDPC *dpc)
{
    const struct ke_timers *timers = &ke_kernel()->timers;
    PKTIMER found = NULL;
    ke_lock();
    for (size_t place = 1; place <= timers->count && found == NULL; place++) {
        PKTIMER timer = get(place).timer;
        found = timer->Dpc == dpc ? timer : NULL;
    }
    ke_unlock();
    return found;
}

PKTIMER ke_timers_find_of(const struct ke_code *code)
{
    struct ke_timers *timers = &ke_kernel()->timers;
    PKTIMER found = NULL;
    ke_lock();
    for (size_t place = 1; place <= timers->count && found == NULL; place++) {
        PKTIMER timer = get(place).timer;
        const KDPC *dpc = timer->Dpc;
        bool is_its = dpc != NULL && ke_code_holds(code, (void *)(ULONG_PTR)dpc->DeferredRoutine);
        found = is_its ? timer : NULL;
    }
    ke_unlock();
    return found;
}

/* The memory may never have been a timer, so only the heap is believed. */
static void check_not_set(const KTIMER *timer)
{
    if (place_of(timer) == 0 || atomic_load(&ke_generation) == 0) {
        return;
    }
    ke_lock();
    bool is_in_use = is_set(timer);
    ke_unlock();
    if (is_in_use) {
        ke_bugcheck(KERNEL_SECURITY_CHECK_FAILURE, FAST_FAIL_CORRUPT_LIST_ENTRY, 0, 0, 0,
                    "TIMER-02", "The driver initialised the timer %p again while it was set.",
                    (const void *)timer);
    }
}

unsigned ke_timers_report(void)
{
    struct ke_timers *timers = &ke_kernel()->timers;
    for (size_t place = 1; place <= timers->count; place++) {
        base_log("left: timer %p, still set\n", (void *)get(place).timer);
    }
    return (unsigned)timers->count;
}

void ke_timers_free(void)
{
    free(ke_kernel()->timers.heap);
    ke_timer_index_free(&ke_kernel()->timers.index);
}

/* Prepares a notification timer. IRQL <= DISPATCH_LEVEL. (TIMER-01) */
VOID KeInitializeTimer(PKTIMER Timer)
{
    KeInitializeTimerEx(Timer, NotificationTimer);
}

/* Prepares a timer of the given type, not signalled. IRQL <= DISPATCH_LEVEL. (TIMER-01) */
VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_not_set(Timer);
    UCHAR type = Type == SynchronizationTimer ? KE_TIMER_SYNCHRONIZATION : KE_TIMER_NOTIFICATION;
    ke_object_initialize(&Timer->Header, type, sizeof(*Timer) / sizeof(LONG), 0);
    Timer->DueTime.QuadPart = 0;
    Timer->TimerListEntry.Flink = NULL;
    Timer->TimerListEntry.Blink = NULL;
    Timer->Dpc = NULL;
    Timer->Period = 0;
}

BASE_COLD _Noreturn static void report_no_timer(const KTIMER *timer)
{
    ke_object_check(&timer->Header, "a timer");
    ke_object_is_none(&timer->Header, "a timer");
}

/* The lock is held. */
static FORCEINLINE void check_initialised(const KTIMER *timer)
{
    UCHAR type = timer->Header.Type;
    bool is_timer = type == KE_TIMER_NOTIFICATION || type == KE_TIMER_SYNCHRONIZATION;
    if (!is_timer || timer->Header.WaitListHead.Flink == NULL ||
        verifier_local_object_is_gone(&timer->Header)) {
        report_no_timer(timer);
    }
}

static void check_period(LONG period)
{
    if (period < 0) {
        ke_warning("TIMER-05",
                   "the driver set a timer with a period of %d ms, which is taken as "
                   "%u ms",
                   period, (ULONG)period);
    }
}

static void arm(PKTIMER timer, uint64_t due_ns)
{
    const struct ke_lead *lead = &ke_entered()->lead;
    insert(timer, due_ns);
    if (due_ns < lead->poll_deadline_ns || lead->leader == NULL) {
        ke_lead_kick();
    }
}

/* Lets a timer expire whose time has passed when it is set; it may be gone afterwards. */
static void expire_at_once(PKTIMER timer, LONG period)
{
    uint64_t now_ns = base_clock_ns();
    insert(timer, now_ns);
    expire(timer, now_ns, now_ns);
    if (period != 0 || ke_dpc_has_orphans()) {
        ke_lead_kick();
    }
}

/*
 * Sets a timer for DueTime (100 ns: negative relative, positive absolute system time), every
 * Period milliseconds after that unless zero. A time that has passed expires before the call
 * returns. Returns whether the timer was set already; that setting is cancelled. IRQL <=
 * DISPATCH_LEVEL. (TIMER-03 to TIMER-08)
 */
BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_period(Period);
    uint64_t due_ns = ke_deadline(&DueTime);
    bool is_due = DueTime.QuadPart > 0 ? ke_is_past(due_ns) : DueTime.QuadPart == 0;
    KIRQL old = ke_current()->irql;
    if (Dpc != NULL) {
        ke_dpc_check(Dpc, __func__);
    }
    if (is_due) {
        ke_raise_irql(DISPATCH_LEVEL);
    }
    ke_lock();
    check_initialised(Timer);
    BOOLEAN was_set = is_set(Timer);
    if (was_set) {
        remove_timer(Timer);
    }
    WriteRelease(&Timer->Header.SignalState, 0);
    Timer->Dpc = Dpc;
    Timer->Period = (ULONG)Period;
    Timer->DueTime.QuadPart = due_ns / 100;
    trace_object(TRACE_TIMER_SET, TRACE_DISPATCH, Timer, due_ns, (ULONG)Period);
    if (is_due) {
        expire_at_once(Timer, Period);
    } else {
        arm(Timer, due_ns);
    }
    ke_unlock();
    if (is_due) {
        ke_lower_irql(old);
    }
    return was_set;
}

/* Sets a timer that expires once. As KeSetTimerEx with a Period of zero. (TIMER-03) */
BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

/* As KeSetTimerEx; TolerableDelay (ms) allows to expire later, which is never used. (TIMER-17) */
BOOLEAN KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period,
                              ULONG TolerableDelay, PKDPC Dpc)
{
    UNREFERENCED_PARAMETER(TolerableDelay);
    return KeSetTimerEx(Timer, DueTime, (LONG)Period, Dpc);
}

/* Cancels a timer; returns whether it was set. Its DPC, once queued, runs all the same. IRQL <=
 * DISPATCH_LEVEL. (TIMER-09, TIMER-10) */
BOOLEAN KeCancelTimer(PKTIMER Timer)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    ke_lock();
    check_initialised(Timer);
    BOOLEAN was_set = is_set(Timer);
    if (was_set) {
        trace_object(TRACE_TIMER_CANCEL, TRACE_DISPATCH, Timer, 0, 0);
        remove_timer(Timer);
    }
    ke_unlock();
    return was_set;
}

/* Whether the timer is signalled. IRQL <= DISPATCH_LEVEL. (TIMER-16) */
BOOLEAN KeReadStateTimer(PKTIMER Timer)
{
    return (BOOLEAN)(ReadAcquire(&Timer->Header.SignalState) != 0);
}
