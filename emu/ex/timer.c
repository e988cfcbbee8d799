/*
 * Timers that the kernel allocates: a KTIMER, which drivers may wait for, with a DPC that calls the
 * driver.
 *
 * A timer is freed once, by finish(). Its KTIMER is off by then, and KeFlushQueuedDpcs has returned
 * since, so that no DPC of it is queued or running. ExDeleteTimer calls finish() itself where it
 * may wait, else a work item does.
 */
#include "ex/executive.h"

#include "base/log.h"
#include "base/stack.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/irql.h"
#include "ke/limit.h"

#include <stdlib.h>

#define UNITS_PER_MS 10000

struct _EX_TIMER {
    KTIMER timer;        /* first, for the object is waitable */
    LIST_ENTRY link;     /* in ex_timers.all; guarded by its lock */
    const void *creator; /* return address of who allocated it */
    KDPC dpc;
    PEXT_CALLBACK callback;
    PVOID context;
    ULONG attributes;
    atomic_bool is_deleted;
    atomic_bool frees_after_expiry; /* deleted without being cancelled */
    PEXT_DELETE_CALLBACK delete_callback;
    PVOID delete_context;
    WORK_QUEUE_ITEM finisher;
};

static struct ex_timers *timers_of_kernel(void)
{
    return &ex_state()->timers;
}

void ex_timers_start(struct ex_timers *timers)
{
    base_mutex_init(&timers->lock);
    InitializeListHead(&timers->all);
}

static PEX_TIMER next_of(struct ex_timers *timers, PEX_TIMER timer)
{
    LIST_ENTRY *next = timer != NULL ? timer->link.Flink : timers->all.Flink;
    return next != &timers->all ? CONTAINING_RECORD(next, struct _EX_TIMER, link) : NULL;
}

unsigned ex_timers_report(struct ex_timers *timers)
{
    unsigned left = 0;
    for (PEX_TIMER timer = NULL; (timer = next_of(timers, timer)) != NULL; left++) {
        base_log("left: system-allocated timer %p, never deleted, made by %s\n", (void *)timer,
                 base_stack_site(timer->creator).text);
    }
    return left;
}

/* The driver is gone, so nobody deletes its timers meanwhile. */
void ex_timers_report_driver(const struct ke_code *code)
{
    struct ex_timers *timers = timers_of_kernel();
    base_mutex_lock(&timers->lock);
    for (PEX_TIMER timer = NULL; (timer = next_of(timers, timer)) != NULL;) {
        ke_code_warn_of_left(code, "TIMER-28", "system-allocated timer", timer, timer->creator);
    }
    base_mutex_unlock(&timers->lock);
}

void ex_timers_stop(struct ex_timers *timers)
{
    while (!IsListEmpty(&timers->all)) {
        PEX_TIMER timer = next_of(timers, NULL);
        RemoveEntryList(&timer->link);
        free(timer);
    }
    base_mutex_destroy(&timers->lock);
}

static void call_back(PEX_TIMER timer)
{
    struct ke_callback callback;
    ke_callback_enter(&callback, "a timer callback", (void *)(ULONG_PTR)timer->callback);
    timer->callback(timer, timer->context);
    ke_callback_leave(&callback);
}

static KDEFERRED_ROUTINE expired;

static VOID expired(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    PEX_TIMER timer = context;
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    if (timer->callback != NULL) {
        call_back(timer);
    }
    if (atomic_exchange(&timer->frees_after_expiry, false)) {
        ex_work_insert(&timer->finisher, DelayedWorkQueue);
    }
}

/* Says to the driver that the timer is gone, at DISPATCH_LEVEL, and frees it. */
static void finish(void *context)
{
    PEX_TIMER timer = context;
    KeFlushQueuedDpcs();
    if (timer->delete_callback != NULL) {
        struct ke_callback callback;
        KIRQL old = ke_raise_irql(DISPATCH_LEVEL);
        ke_callback_enter(&callback, "a timer delete callback",
                          (void *)(ULONG_PTR)timer->delete_callback);
        timer->delete_callback(timer->delete_context);
        ke_callback_leave(&callback);
        ke_lower_irql(old);
    }
    base_mutex_lock(&timers_of_kernel()->lock);
    RemoveEntryList(&timer->link);
    base_mutex_unlock(&timers_of_kernel()->lock);
    free(timer);
}

static _Noreturn void refuse(const void *timer, const char *rule, const char *why)
{
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x16, 0, (ULONG_PTR)timer, 0, rule, "%s", why);
}

/*
 * Makes a timer, or returns NULL. Callback may be NULL; Attributes are EX_TIMER_... bits. IRQL <=
 * DISPATCH_LEVEL. (TIMER-18, TIMER-19)
 */
PEX_TIMER ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    if ((Attributes & EX_TIMER_HIGH_RESOLUTION) != 0 && (Attributes & EX_TIMER_NO_WAKE) != 0) {
        refuse(NULL, "TIMER-19",
               "The driver asked for a timer that is both of high resolution and no-wake.");
    }
    PEX_TIMER timer = calloc(1, sizeof(*timer));
    if (timer == NULL) {
        return NULL;
    }
    KeInitializeTimerEx(&timer->timer, (Attributes & EX_TIMER_NOTIFICATION) != 0
                                           ? NotificationTimer
                                           : SynchronizationTimer);
    KeInitializeDpc(&timer->dpc, expired, timer);
    ExInitializeWorkItem(&timer->finisher, finish, timer);
    timer->callback = Callback;
    timer->context = CallbackContext;
    timer->attributes = Attributes;
    timer->creator = _ReturnAddress();
    base_mutex_lock(&timers_of_kernel()->lock);
    InsertTailList(&timers_of_kernel()->all, &timer->link);
    base_mutex_unlock(&timers_of_kernel()->lock);
    return timer;
}

/* The period in milliseconds, at least one unless there is none. */
static LONG period_ms(LONGLONG units)
{
    if (units == 0) {
        return 0;
    }
    return units < UNITS_PER_MS ? 1 : (LONG)(units / UNITS_PER_MS);
}

/*
 * Sets the timer for DueTime and then every Period (both 100 ns; the period counts in whole
 * milliseconds). TRUE if that cancelled a setting; FALSE also for a deleted timer. IRQL <=
 * DISPATCH_LEVEL. (TIMER-20, TIMER-21)
 */
BOOLEAN ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period,
                   PEXT_SET_PARAMETERS Parameters)
{
    UNREFERENCED_PARAMETER(Parameters);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    if ((Timer->attributes & EX_TIMER_HIGH_RESOLUTION) != 0 && DueTime >= 0) {
        refuse(Timer, "TIMER-21",
               "The driver set a high-resolution timer for an absolute time; it takes relative "
               "ones only.");
    }
    if (Period < 0 || Period > MAXLONG) {
        refuse(Timer, "TIMER-20", "The driver set a timer with a period out of range.");
    }
    if (atomic_load(&Timer->is_deleted)) {
        return FALSE;
    }
    LARGE_INTEGER due = {.QuadPart = DueTime};
    return KeSetTimerEx(&Timer->timer, due, period_ms(Period), &Timer->dpc);
}

/* Cancels the timer; TRUE if it was set, and then neither signal nor callback follows. IRQL <=
 * DISPATCH_LEVEL. (TIMER-23) */
BOOLEAN ExCancelTimer(PEX_TIMER Timer, PEXT_CANCEL_PARAMETERS Parameters)
{
    UNREFERENCED_PARAMETER(Parameters);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return !atomic_load(&Timer->is_deleted) && KeCancelTimer(&Timer->timer);
}

/* Leaves the freeing to the expiry of a timer that is set for once; false if there is none. */
static bool leave_to_expiry(PEX_TIMER timer)
{
    ke_lock();
    bool is_set = timer->timer.TimerListEntry.Flink != NULL && timer->timer.Period == 0;
    if (is_set) {
        atomic_store(&timer->frees_after_expiry, true);
    }
    ke_unlock();
    return is_set;
}

/*
 * Deletes the timer: Cancel says whether a setting is cancelled first, Wait whether to return only
 * after the callbacks are done. Returns whether the timer was set and is cancelled. IRQL <=
 * DISPATCH_LEVEL, <= APC_LEVEL with Wait. (TIMER-24 to TIMER-27)
 */
BOOLEAN ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait,
                      PEXT_DELETE_PARAMETERS Parameters)
{
    KE_IRQL_AT_MOST(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    if (Wait && !Cancel) {
        refuse(Timer, "TIMER-26", "The driver deleted a timer with Wait but without Cancel.");
    }
    if (atomic_exchange(&Timer->is_deleted, true)) {
        return FALSE;
    }
    if (Parameters != NULL) {
        Timer->delete_callback = Parameters->DeleteCallback;
        Timer->delete_context = Parameters->DeleteContext;
    }
    if (!Cancel && leave_to_expiry(Timer)) {
        return FALSE;
    }
    BOOLEAN was_set = KeCancelTimer(&Timer->timer);
    if (Wait) {
        finish(Timer);
    } else {
        ex_work_insert(&Timer->finisher, DelayedWorkQueue);
    }
    return was_set;
}
