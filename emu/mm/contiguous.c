/* Memory for devices: contiguous, or not cached. Here it is pool that begins on a page. */
#include "ex/pool.h"
#include "ke/limit.h"

#include <wdm.h>

#define TAG_CONTIGUOUS 0x6E434D4Du /* "MMCn" */

static PVOID allocate(SIZE_T bytes, const void *creator)
{
    return bytes != 0
               ? ex_pool_allocate(NonPagedPoolNx, ROUND_TO_PAGES(bytes), TAG_CONTIGUOUS, creator)
               : NULL;
}

/* Contiguous memory that begins on a page, or NULL. IRQL <= DISPATCH_LEVEL. */
PVOID MmAllocateContiguousMemory(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS HighestAcceptableAddress)
{
    UNREFERENCED_PARAMETER(HighestAcceptableAddress);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return allocate(NumberOfBytes, _ReturnAddress());
}

/* As MmAllocateContiguousMemory. */
PVOID MmAllocateContiguousMemorySpecifyCache(SIZE_T NumberOfBytes,
                                             PHYSICAL_ADDRESS LowestAcceptableAddress,
                                             PHYSICAL_ADDRESS HighestAcceptableAddress,
                                             PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                             MEMORY_CACHING_TYPE CacheType)
{
    UNREFERENCED_PARAMETER(LowestAcceptableAddress);
    UNREFERENCED_PARAMETER(HighestAcceptableAddress);
    UNREFERENCED_PARAMETER(BoundaryAddressMultiple);
    UNREFERENCED_PARAMETER(CacheType);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return allocate(NumberOfBytes, _ReturnAddress());
}

/* Frees contiguous memory. IRQL <= DISPATCH_LEVEL. */
VOID MmFreeContiguousMemory(PVOID BaseAddress)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    ex_pool_free(BaseAddress, TAG_CONTIGUOUS, _ReturnAddress());
}

/* As MmFreeContiguousMemory. */
VOID MmFreeContiguousMemorySpecifyCache(PVOID BaseAddress, SIZE_T NumberOfBytes,
                                        MEMORY_CACHING_TYPE CacheType)
{
    UNREFERENCED_PARAMETER(NumberOfBytes);
    UNREFERENCED_PARAMETER(CacheType);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    ex_pool_free(BaseAddress, TAG_CONTIGUOUS, _ReturnAddress());
}

/* Memory that begins on a page, or NULL. IRQL <= APC_LEVEL. */
PVOID MmAllocateNonCachedMemory(SIZE_T NumberOfBytes)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return allocate(NumberOfBytes, _ReturnAddress());
}

/* Frees memory of MmAllocateNonCachedMemory. IRQL <= APC_LEVEL. */
VOID MmFreeNonCachedMemory(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    UNREFERENCED_PARAMETER(NumberOfBytes);
    KE_IRQL_AT_MOST(APC_LEVEL);
    ex_pool_free(BaseAddress, TAG_CONTIGUOUS, _ReturnAddress());
}
