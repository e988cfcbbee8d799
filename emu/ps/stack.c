/* The kernel stack: the host's, which is larger than Windows'. */
#include "base/stack.h"
#include "ke/thread.h"

#include <ntddk.h>

/* Where the calling thread's stack lies. Any IRQL. (THREAD-37) */
VOID IoGetStackLimits(PULONG_PTR LowLimit, PULONG_PTR HighLimit)
{
    uintptr_t low = 0;
    uintptr_t high = 0;
    ke_current();
    base_stack_bounds(&low, &high);
    *LowLimit = low;
    *HighLimit = high;
}

/* Whether the region lies wholly in the calling thread's stack. Any IRQL. */
ULONG IoWithinStackLimits(ULONG_PTR RegionStart, SIZE_T RegionSize)
{
    ULONG_PTR low = 0;
    ULONG_PTR high = 0;
    IoGetStackLimits(&low, &high);
    return RegionStart >= low && RegionStart <= high && RegionSize <= high - RegionStart;
}

/* Where the calling thread's stack begins: its highest address. Any IRQL. */
PVOID IoGetInitialStack(VOID)
{
    ULONG_PTR low = 0;
    ULONG_PTR high = 0;
    IoGetStackLimits(&low, &high);
    return (PVOID)high;
}
