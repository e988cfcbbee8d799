/* Processes that a test makes. */
#include <wskemu/process.h>

#include "ke/limit.h"
#include "ps/process.h"

NTSTATUS wskemu_process_create(const PSID *sids, ULONG count, PEPROCESS *process)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return ps_process_create_other(sids, count, process);
}

void wskemu_impersonate(PETHREAD thread, PEPROCESS process)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    ps_thread_impersonate(thread, process);
}
