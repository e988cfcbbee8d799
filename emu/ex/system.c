/* What drivers ask about the system that they run on. */
#include "ke/thread.h"

/* The mode of who called the driver: everything here is kernel mode. Any IRQL. */
KPROCESSOR_MODE ExGetPreviousMode(VOID)
{
    return KernelMode;
}

/* The PF_... features that every x64 processor has. */
#define FEATURES_OF_X64                                                                            \
    ((1u << 2) /* cmpxchg8b */ | (1u << 3) /* MMX */ | (1u << 6) /* SSE */ | (1u << 8) /* TSC */ | \
     (1u << 9) /* PAE */ | (1u << 10) /* SSE2 */ | (1u << 12) /* NX */ |                           \
     (1u << 14) /* cmpxchg16b */)

/* Whether the processor has a feature, one of PF_...; FALSE also where that is not known. Any
 * IRQL. */
BOOLEAN ExIsProcessorFeaturePresent(ULONG ProcessorFeature)
{
    return ProcessorFeature < 32 && ((FEATURES_OF_X64 >> ProcessorFeature) & 1) != 0;
}

/* Whether the system is of a product suite: it is a workstation that admits one user's sessions. */
BOOLEAN ExVerifySuite(SUITE_TYPE SuiteType)
{
    return SuiteType == SingleUserTS;
}
