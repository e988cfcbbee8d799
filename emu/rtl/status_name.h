/* Status codes and their names. */
#ifndef RTL_STATUS_NAME_H
#define RTL_STATUS_NAME_H

#include <ntdef.h>

/* "STATUS_UNSUCCESSFUL"; NULL for a status without a name. */
const char *rtl_status_name(NTSTATUS status);

#endif
