/* Pseudo-random numbers, wholly determined by their seed. */
#include "rtl/level.h"

#include <wdm.h>

#define MODULUS 0x7fffffffULL
#define FACTOR 0x7fffffedULL
#define SUMMAND 0x7fffffc3ULL

/* A number below MAXLONG, which is also the next seed. IRQL <= APC_LEVEL. */
ULONG RtlUniform(PULONG Seed)
{
    *Seed = (ULONG)((*Seed * FACTOR + SUMMAND) % MODULUS);
    return *Seed;
}

/* As RtlUniform, with a result that is not the seed. IRQL <= APC_LEVEL. */
ULONG RtlRandomEx(PULONG Seed)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    ULONG high = RtlUniform(Seed);
    ULONG low = RtlUniform(Seed);
    return (ULONG)((high * 0x8000ULL + (low >> 8)) % MODULUS);
}

/* As RtlRandomEx. */
ULONG RtlRandom(PULONG Seed)
{
    return RtlRandomEx(Seed);
}
