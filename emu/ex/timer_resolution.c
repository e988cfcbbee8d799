/*
 * The tick's length, as drivers ask for it: it is told, and has no effect, for waits and timers are
 * as fine as the host's.
 */
#include "ex/executive.h"

#include "base/log.h"
#include "base/stack.h"
#include "ke/limit.h"
#include "ke/warning.h"

#define UNITS_FINEST 5000 /* 0.5 ms */
#define UNITS_DEFAULT 156250

static ULONG resolution(const struct ex_state *ex)
{
    ULONG finest = atomic_load(&ex->resolution);
    return finest == 0 ? UNITS_DEFAULT : finest;
}

static void shorten(struct ex_state *ex, ULONG units)
{
    ULONG wanted = units < UNITS_FINEST ? UNITS_FINEST : units;
    ULONG before = atomic_load(&ex->resolution);
    while ((before == 0 ? UNITS_DEFAULT : before) > wanted &&
           !atomic_compare_exchange_weak(&ex->resolution, &before, wanted)) {
    }
}

/*
 * With SetResolution TRUE makes the tick as short as DesiredTime (100 ns) if it was longer, with
 * FALSE takes one such wish back; the default returns when all are. Returns the tick in force.
 * IRQL <= APC_LEVEL. (TIME-13, TIME-14)
 */
ULONG ExSetTimerResolution(ULONG DesiredTime, BOOLEAN SetResolution)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    struct ex_state *ex = ex_state();
    if (SetResolution) {
        atomic_fetch_add(&ex->resolution_wishes, 1);
        atomic_store(&ex->resolution_wisher, _ReturnAddress());
        shorten(ex, DesiredTime);
    } else if (atomic_load(&ex->resolution_wishes) != 0 &&
               atomic_fetch_sub(&ex->resolution_wishes, 1) == 1) {
        atomic_store(&ex->resolution, 0);
    }
    return resolution(ex);
}

/* The longest, the shortest and the current tick, in 100 ns. Any IRQL. (TIME-15) */
VOID ExQueryTimerResolution(PULONG MaximumTime, PULONG MinimumTime, PULONG CurrentTime)
{
    *MaximumTime = UNITS_DEFAULT;
    *MinimumTime = UNITS_FINEST;
    *CurrentTime = resolution(ex_state());
}

void ex_timer_resolution_report_driver(const struct ke_code *code)
{
    const void *wisher = atomic_load(&ex_state()->resolution_wisher);
    if (atomic_load(&ex_state()->resolution_wishes) != 0 && ke_code_called(code, wisher)) {
        ke_warning("TIME-14",
                   "the driver %s was unloaded and did not take back the timer resolution that it "
                   "asked for in %s",
                   code->driver, base_stack_site(wisher).text);
    }
}

unsigned ex_timer_resolution_report(void)
{
    unsigned wishes = atomic_load(&ex_state()->resolution_wishes);
    if (wishes != 0) {
        base_log("left: %u wishes for a shorter timer resolution, never taken back with "
                 "ExSetTimerResolution (TIME-14)\n",
                 wishes);
    }
    return wishes;
}
