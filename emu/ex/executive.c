#include "ex/executive.h"

#include "verifier/lock_order.h"

static NTSTATUS start(void *state)
{
    struct ex_state *ex = state;
    ex_pool_start(&ex->pool);
    ex_guarded_start(&ex->guarded);
    ex_paged_start(&ex->paged);
    verifier_lock_order_start();
    ex_registry_start(&ex->registry);
    ex_work_start(&ex->work);
    ex_timers_start(&ex->timers);
    return STATUS_SUCCESS;
}

static void quiesce(void *state)
{
    struct ex_state *ex = state;
    ex_work_quiesce(&ex->work);
}

static unsigned report(void *state)
{
    struct ex_state *ex = state;
    return ex_timer_resolution_report() + ex_work_report(&ex->work) +
           ex_registry_report(&ex->registry) + ex_timers_report(&ex->timers) +
           ex_pool_report(&ex->pool);
}

static void stop(void *state)
{
    struct ex_state *ex = state;
    ex_work_stop(&ex->work);
    ex_registry_stop(&ex->registry);
    ex_timers_stop(&ex->timers);
    ex_pool_stop(&ex->pool);
    ex_guarded_stop(&ex->guarded);
    ex_paged_stop(&ex->paged);
}

const struct ke_module ex_module = {
    .name = "executive",
    .state_bytes = sizeof(struct ex_state),
    .start = start,
    .quiesce = quiesce,
    .report = report,
    .stop = stop,
};
