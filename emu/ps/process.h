/* The system process. */
#ifndef PS_PROCESS_H
#define PS_PROCESS_H

#include <ntddk.h>

/* Makes the process object of the kernel that starts. */
NTSTATUS ps_process_create(void);

#endif
