/* What is not implemented: each function stops with a bug check that names it, so that no driver
 * mistakes it for a success. */
#include "ke/bugcheck.h"

#include <ntifs.h>

NTSTATUS MmProtectMdlSystemAddress(PMDL MemoryDescriptorList, ULONG NewProtect)
{
    ke_not_implemented(__func__);
}

PVOID MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
                   MEMORY_CACHING_TYPE CacheType)
{
    ke_not_implemented(__func__);
}

PVOID MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect)
{
    ke_not_implemented(__func__);
}

VOID MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    ke_not_implemented(__func__);
}

NTSTATUS MmMapViewInSystemSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize)
{
    ke_not_implemented(__func__);
}

NTSTATUS MmUnmapViewInSystemSpace(PVOID MappedBase)
{
    ke_not_implemented(__func__);
}

PVOID MmAllocateMappingAddress(SIZE_T NumberOfBytes, ULONG PoolTag)
{
    ke_not_implemented(__func__);
}

VOID MmFreeMappingAddress(PVOID BaseAddress, ULONG PoolTag)
{
    ke_not_implemented(__func__);
}

PVOID MmMapLockedPagesWithReservedMapping(PVOID MappingAddress, ULONG PoolTag,
                                          PMDL MemoryDescriptorList, MEMORY_CACHING_TYPE CacheType)
{
    ke_not_implemented(__func__);
}

VOID MmUnmapReservedMapping(PVOID BaseAddress, ULONG PoolTag, PMDL MemoryDescriptorList)
{
    ke_not_implemented(__func__);
}

NTSTATUS MmCopyMemory(PVOID TargetAddress, MM_COPY_ADDRESS SourceAddress, SIZE_T NumberOfBytes,
                      ULONG Flags, PSIZE_T NumberOfBytesTransferred)
{
    ke_not_implemented(__func__);
}

HANDLE MmSecureVirtualMemory(PVOID Address, SIZE_T Size, ULONG ProbeMode)
{
    ke_not_implemented(__func__);
}

VOID MmUnsecureVirtualMemory(HANDLE SecureHandle)
{
    ke_not_implemented(__func__);
}
