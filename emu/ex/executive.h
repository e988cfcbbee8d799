/* What the executive keeps in the running kernel. Each part belongs to the file of its name. */
#ifndef EX_EXECUTIVE_H
#define EX_EXECUTIVE_H

#include "ex/guarded.h"
#include "ex/paged.h"
#include "ex/pool.h"
#include "ex/registry.h"
#include "ex/work_queue.h"
#include "ke/code.h"
#include "ke/kernel.h"

/* Timers that the kernel allocated. See timer.c. */
struct ex_timers {
    struct base_mutex lock; /* guards the list */
    LIST_ENTRY all;
};

void ex_timers_start(struct ex_timers *timers);
unsigned ex_timers_report(struct ex_timers *timers);
void ex_timers_stop(struct ex_timers *timers);

/* Warns of those that a driver allocated and, unloaded, did not delete. */
void ex_timers_report_driver(const struct ke_code *code);

struct ex_state {
    struct ex_pool pool;
    struct ex_guarded_memory guarded;
    struct ex_paged paged;
    struct ex_registry registry;
    struct ex_work_queues work;
    struct ex_timers timers;
    atomic_uint resolution;                /* the tick that drivers asked for; 0 is the default */
    atomic_uint resolution_wishes;         /* how many drivers asked */
    const void *_Atomic resolution_wisher; /* return address of the one that asked last */
};

extern const struct ke_module ex_module;

/* Says how many wishes for a shorter tick were not taken back. (TIME-14) */
unsigned ex_timer_resolution_report(void);

/* Warns if a driver that was unloaded did not take back such a wish. */
void ex_timer_resolution_report_driver(const struct ke_code *code);

static inline struct ex_state *ex_state(void)
{
    return ke_state(KE_MODULE_EX);
}

#endif
