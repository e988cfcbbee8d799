/* Keys as the run-time library's functions name them: a place and a path. See registry_path.c. */
#ifndef OB_REGISTRY_PATH_H
#define OB_REGISTRY_PATH_H

#include <wdm.h>

#include <stdbool.h>

/* The key that RelativeTo and Path mean; made, if wanted, where its last part is not there.
 * Statuses of ZwOpenKey or ZwCreateKey, STATUS_INVALID_PARAMETER. */
NTSTATUS ob_registry_open(ULONG relative_to, const WCHAR *path, bool is_created, HANDLE *key);

/* Closes it, unless it was the caller's handle. */
void ob_registry_close(ULONG relative_to, HANDLE key);

#endif
