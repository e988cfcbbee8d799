/*
 * Processes: the system's, in which everything runs, and others that a test makes, in which nothing
 * runs. They are there to be named, and to be users and groups whose rights are asked for.
 */
#ifndef PS_PROCESS_H
#define PS_PROCESS_H

#include <ntddk.h>

#include <stdbool.h>

/* Makes the process object of the kernel that starts. */
NTSTATUS ps_process_create(void);

/* Most users and groups of a process. */
#define PS_SIDS_MAX 16

/*
 * Makes another process, which is these users and groups and Everyone (S-1-1-0). *process has a
 * reference, for ObDereferenceObject. STATUS_INVALID_SID, STATUS_TOO_MANY_SIDS,
 * STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS ps_process_create_other(const PSID *sids, ULONG count, PEPROCESS *process);

/* Whether the process is this user or group. Any IRQL. */
bool ps_process_is(PEPROCESS process, const void *sid);

/* The process whose rights a thread has: its own, unless it impersonates. Any IRQL. */
PEPROCESS ps_thread_identity(PETHREAD thread);

/* Has a thread act with the rights of a process, or, for NULL, of its own again. */
void ps_thread_impersonate(PETHREAD thread, PEPROCESS process);

#endif
