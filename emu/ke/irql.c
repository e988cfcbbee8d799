#include "ke/irql.h"

#include "verifier/resident.h"
#include "ke/bugcheck.h"
#include "ke/kernel.h"
#include "ke/wait.h"
#include "ke/warning.h"
#include "trace/trace.h"

KIRQL ke_raise_irql(KIRQL new_irql)
{
    struct _KTHREAD *thread = ke_current();
    KIRQL old = thread->irql;
    ke_check_wait_next(thread, "a function that raises the IRQL");
    if (new_irql < old || new_irql > HIGH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x30, old, new_irql, 0, "IRQL-04",
                    "The driver raised the IRQL from %u to %u, which is %s.", old, new_irql,
                    new_irql < old ? "lower" : "no level");
    }
    if (new_irql >= DISPATCH_LEVEL && old < DISPATCH_LEVEL) {
        ke_processor_claim(thread);
    }
    if (new_irql != old) {
        thread->irql_before[new_irql] = old;
    }
    thread->irql = new_irql;
    if (new_irql >= DISPATCH_LEVEL) {
        ex_paged_raised();
    }
    trace_irql(old, new_irql);
    return old;
}

/* What a thread may not do that is about to leave DISPATCH_LEVEL. */
static void check_leave(const struct _KTHREAD *thread, KIRQL new_irql)
{
    if (thread->dpc_depth != 0) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, thread->irql, new_irql, 1, "IRQL-07",
                    "The driver lowered the IRQL to %u inside a DPC, which runs at DISPATCH_LEVEL "
                    "until it returns.",
                    new_irql);
    }
    if (thread->spin_locks_held != 0) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, thread->irql, new_irql, 0, "SPIN-23",
                    "The driver lowered the IRQL to %u while it held %u spin locks.", new_irql,
                    thread->spin_locks_held);
    }
}

void ke_lower_irql(KIRQL new_irql)
{
    struct _KTHREAD *thread = ke_current();
    KIRQL old = thread->irql;
    ke_check_wait_next(thread, "KeLowerIrql");
    if (new_irql > old) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, old, new_irql, 0, "IRQL-07",
                    "The driver lowered the IRQL from %u to %u, which is higher.", old, new_irql);
    }
    if (new_irql < DISPATCH_LEVEL && old >= DISPATCH_LEVEL) {
        check_leave(thread, new_irql);
        thread->irql = DISPATCH_LEVEL;
        ke_processor_release(thread);
    }
    thread->irql = new_irql;
    trace_irql(old, new_irql);
}

/* The level at which the calling thread runs. Any IRQL. */
KIRQL KeGetCurrentIrql(VOID)
{
    return ke_current()->irql;
}

/* Raises to NewIrql, which must not be lower than the current level. Any IRQL. (IRQL-03, IRQL-04)
 * */
KIRQL KfRaiseIrql(KIRQL NewIrql)
{
    return ke_raise_irql(NewIrql);
}

/* As KfRaiseIrql, storing the old level in *OldIrql. */
VOID(KeRaiseIrql)(KIRQL NewIrql, PKIRQL OldIrql)
{
    *OldIrql = ke_raise_irql(NewIrql);
}

/* A driver skips levels that it raised to, or finds one between. (IRQL-06) */
static void check_nesting(KIRQL new_irql)
{
    const struct _KTHREAD *thread = ke_current();
    KIRQL old = thread->irql;
    if (new_irql < old && old <= HIGH_LEVEL && thread->irql_before[old] != new_irql) {
        ke_warning("IRQL-06",
                   "the driver lowered the IRQL from %u to %u; it had raised it from %u, and that "
                   "is what the raise returned",
                   old, new_irql, thread->irql_before[old]);
    }
}

/* Restores a level that a raise returned. (IRQL-06, IRQL-07) */
VOID KeLowerIrql(KIRQL NewIrql)
{
    check_nesting(NewIrql);
    ke_lower_irql(NewIrql);
}

/* Raises to DISPATCH_LEVEL and returns the old level. IRQL <= DISPATCH_LEVEL. (IRQL-05) */
KIRQL KeRaiseIrqlToDpcLevel(VOID)
{
    return ke_raise_irql(DISPATCH_LEVEL);
}
