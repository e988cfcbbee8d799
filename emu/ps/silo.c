/* Silos (containers): there is the host's only, for which the kernel's pointer is NULL. */
#include "ke/bugcheck.h"
#include "ke/limit.h"

#include <ntddk.h>

static void check_silo(PESILO silo, const char *function)
{
    if (silo != NULL) {
        ke_not_implemented(function);
    }
}

/* Attaches the thread to a silo and returns the one before: the host's. IRQL <= DISPATCH_LEVEL. */
PESILO PsAttachSiloToCurrentThread(PESILO Silo)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_silo(Silo, __func__);
    return NULL;
}

/* Restores what PsAttachSiloToCurrentThread returned. IRQL <= DISPATCH_LEVEL. */
VOID PsDetachSiloFromCurrentThread(PESILO PreviousSilo)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_silo(PreviousSilo, __func__);
}

/* The silo of the thread. */
PESILO PsGetCurrentSilo(VOID)
{
    ke_current();
    return NULL;
}

/* The server silo of the thread. IRQL <= DISPATCH_LEVEL. */
PESILO PsGetCurrentServerSilo(VOID)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return NULL;
}

/* The host's silo. */
PESILO PsGetHostSilo(VOID)
{
    ke_current();
    return NULL;
}

/* The server silo in which a silo is. */
PESILO PsGetEffectiveServerSilo(PESILO Silo)
{
    check_silo(Silo, __func__);
    return NULL;
}

/* Whether the thread is in a server silo: no. */
BOOLEAN PsIsCurrentThreadInServerSilo(VOID)
{
    ke_current();
    return FALSE;
}

/* Whether a silo is the host's. */
BOOLEAN PsIsHostSilo(PESILO Silo)
{
    ke_current();
    return Silo == NULL;
}
