/* Questions about addresses and the system. Nothing is ever paged out, and physical addresses are
 * the virtual ones. */
#include "base/memory.h"
#include "ke/limit.h"

#include <ntddk.h>

/* Whether the address can be read now, without a fault. IRQL <= DISPATCH_LEVEL. */
BOOLEAN MmIsAddressValid(PVOID VirtualAddress)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return base_memory_is_readable(VirtualAddress);
}

/* As MmIsAddressValid. */
BOOLEAN MmIsNonPagedSystemAddressValid(PVOID VirtualAddress)
{
    return MmIsAddressValid(VirtualAddress);
}

/* The physical address of a virtual one. Any IRQL. */
PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress)
{
    PHYSICAL_ADDRESS physical = {.QuadPart = (LONGLONG)(ULONG_PTR)BaseAddress};
    ke_current();
    return physical;
}

/* How much memory the system has: much. Any IRQL. */
MM_SYSTEMSIZE MmQuerySystemSize(VOID)
{
    ke_current();
    return MmLargeSystem;
}

/* Whether the system is a server: no. Any IRQL. */
BOOLEAN MmIsThisAnNtAsSystem(VOID)
{
    ke_current();
    return FALSE;
}

/* Whether Windows' own Driver Verifier checks the driver: no. IRQL <= DISPATCH_LEVEL. */
LOGICAL MmIsDriverVerifying(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return FALSE;
}

/* As MmIsDriverVerifying, for the driver in which the address lies. IRQL <= APC_LEVEL. */
LOGICAL MmIsDriverVerifyingByAddress(PVOID AddressWithinSection)
{
    UNREFERENCED_PARAMETER(AddressWithinSection);
    KE_IRQL_AT_MOST(APC_LEVEL);
    return FALSE;
}

/* Which checks of Windows' own Driver Verifier are on: none. Returns STATUS_NOT_SUPPORTED, as where
 * it is off. */
NTSTATUS MmIsVerifierEnabled(PULONG VerifierFlags)
{
    ke_current();
    *VerifierFlags = 0;
    return STATUS_NOT_SUPPORTED;
}

/* Keeps a driver's section resident, which it is; returns a handle to that. IRQL <= APC_LEVEL. */
PVOID MmLockPagableDataSection(PVOID AddressWithinSection)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return AddressWithinSection;
}

/* Ends MmLockPagableDataSection. IRQL <= APC_LEVEL. */
VOID MmUnlockPagableImageSection(PVOID ImageSectionHandle)
{
    UNREFERENCED_PARAMETER(ImageSectionHandle);
    KE_IRQL_AT_MOST(APC_LEVEL);
}

/* Lets a driver be paged, which never happens; returns its base. IRQL <= APC_LEVEL. */
PVOID MmPageEntireDriver(PVOID AddressWithinSection)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return AddressWithinSection;
}

/* Ends MmPageEntireDriver. IRQL <= APC_LEVEL. */
VOID MmResetDriverPaging(PVOID AddressWithinSection)
{
    UNREFERENCED_PARAMETER(AddressWithinSection);
    KE_IRQL_AT_MOST(APC_LEVEL);
}
