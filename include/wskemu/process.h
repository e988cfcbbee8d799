/* Processes beside the system's, as owners of sockets: see OwningProcess of WskSocket. */
#ifndef WSKEMU_PROCESS_H
#define WSKEMU_PROCESS_H

#include <wdm.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes a process in which nothing runs. It is these users and groups (SIDs, at most 16) and
 * Everyone. The system's process is Everyone, LocalSystem and the administrators. *process has a
 * reference, for ObDereferenceObject. STATUS_SUCCESS, STATUS_INVALID_SID, STATUS_TOO_MANY_SIDS,
 * STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL.
 */
NTSTATUS wskemu_process_create(const PSID *sids, ULONG count, PEPROCESS *process);

/*
 * Has a thread act with the rights of a process instead of its own, as one does that impersonates a
 * client, until the next call; NULL ends it. The process must outlive that. PASSIVE_LEVEL.
 */
void wskemu_impersonate(PETHREAD thread, PEPROCESS process);

#ifdef __cplusplus
}
#endif

#endif
