#include "ke/limit.h"
#include "ob/name.h"

/* Links to devices. \DosDevices and \?? are one place; the namespace sees to that. */

/*
 * Makes SymbolicLinkName lead to DeviceName, which need not be there yet.
 * STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_PATH_NOT_FOUND,
 * STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. (DEV-46)
 */
NTSTATUS IoCreateSymbolicLink(PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return ob_name_link(SymbolicLinkName, DeviceName);
}

/* As IoCreateSymbolicLink: nothing is protected here. */
NTSTATUS IoCreateUnprotectedSymbolicLink(PUNICODE_STRING SymbolicLinkName,
                                         PUNICODE_STRING DeviceName)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return ob_name_link(SymbolicLinkName, DeviceName);
}

/* Removes a link. STATUS_OBJECT_NAME_NOT_FOUND. PASSIVE_LEVEL. (DEV-47) */
NTSTATUS IoDeleteSymbolicLink(PUNICODE_STRING SymbolicLinkName)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return ob_name_unlink(SymbolicLinkName);
}
