#include "ke/bugcheck.h"
#include "ke/kernel.h"
#include "ke/limit.h"
#include "verifier/lock_order.h"

/* Critical and guarded regions: counts per thread, for there are no APCs to hold back. */

/* Bug checks above APC_LEVEL with the verifier's code for such a call. */
static void check_level(ULONG verifier_code, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql > APC_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, verifier_code, irql, 0, 0, "IRQL-17",
                    "The driver called %s at IRQL %u; the highest level allowed is APC_LEVEL.",
                    function, irql);
    }
}

/* Holds back normal kernel APCs in this thread; nests. IRQL <= APC_LEVEL. (IRQL-16) */
VOID KeEnterCriticalRegion(VOID)
{
    check_level(0x11A, __func__);
    ke_current()->kernel_apc_disable--;
}

/* Ends what KeEnterCriticalRegion began. IRQL <= APC_LEVEL. (IRQL-17) */
VOID KeLeaveCriticalRegion(VOID)
{
    struct _KTHREAD *thread = ke_current();
    check_level(0x11B, __func__);
    if (thread->kernel_apc_disable == 0) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3E, 0, 0, 0, "IRQL-17",
                    "The driver called KeLeaveCriticalRegion in a thread that has entered no "
                    "critical region.");
    }
    thread->kernel_apc_disable++;
    if (!KeAreApcsDisabled()) {
        verifier_region_left();
    }
}

/* Holds back all APCs in this thread; nests. IRQL <= APC_LEVEL. (IRQL-16) */
VOID KeEnterGuardedRegion(VOID)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    ke_current()->special_apc_disable--;
}

/* Ends what KeEnterGuardedRegion began. IRQL <= APC_LEVEL. (IRQL-17, DV-53) */
VOID KeLeaveGuardedRegion(VOID)
{
    static const char condition[] = "KeLeaveGuardedRegion follows KeEnterGuardedRegion";
    struct _KTHREAD *thread = ke_current();
    KE_IRQL_AT_MOST(APC_LEVEL);
    if (thread->special_apc_disable == 0) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4000E, (ULONG_PTR)condition, 0, 0,
                    "IRQL-17",
                    "The driver called KeLeaveGuardedRegion in a thread that has entered no "
                    "guarded region.");
    }
    thread->special_apc_disable++;
}

/* TRUE where normal kernel APCs are held back. Any IRQL. (IRQL-19) */
BOOLEAN KeAreApcsDisabled(VOID)
{
    const struct _KTHREAD *thread = ke_current();
    return thread->kernel_apc_disable != 0 || thread->special_apc_disable != 0;
}

/* TRUE where all APCs are held back. Any IRQL. (IRQL-19) */
BOOLEAN KeAreAllApcsDisabled(VOID)
{
    const struct _KTHREAD *thread = ke_current();
    return thread->special_apc_disable != 0 || thread->irql >= APC_LEVEL;
}
