#include "base/ticks.h"

#if defined(__x86_64__)

#include <cpuid.h>

#define LEAF_POWER 0x80000007u
#define IS_INVARIANT (1u << 8) /* of EDX */

bool base_ticks_are_steady(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(LEAF_POWER, &eax, &ebx, &ecx, &edx) != 0 && (edx & IS_INVARIANT) != 0 &&
           base_ticks_are_trusted();
}

#else

bool base_ticks_are_steady(void)
{
    return true; /* it is the clock */
}

#endif
