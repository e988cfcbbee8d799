#include "base/process.h"
#include "ke/limit.h"

#include <ntddk.h>

/*
 * Makes a UUID: random, version 4. PASSIVE_LEVEL. STATUS_SUCCESS; never RPC_NT_UUID_LOCAL_ONLY,
 * which needs a machine without a network address, nor STATUS_RETRY.
 */
NTSTATUS ExUuidCreate(UUID *Uuid)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    base_random(Uuid, sizeof(*Uuid));
    Uuid->Data3 = (USHORT)((Uuid->Data3 & 0x0FFF) | 0x4000);
    Uuid->Data4[0] = (UCHAR)((Uuid->Data4[0] & 0x3F) | 0x80);
    return STATUS_SUCCESS;
}
