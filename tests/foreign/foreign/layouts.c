/* The structures of the foreign headers, and of our network headers beside them, against Windows'
 * layouts: a difference does not compile. */
#include <ntddk.h>
#include <wsk.h>

#include "check.h"

#include "foreign_layouts.inc"

/* The module's marks on a dispatcher object and the constants by which an IRP is walked. */
_Static_assert(IRP_MJ_MAXIMUM_FUNCTION == 0x1B, "major functions");
_Static_assert(SL_INVOKE_ON_CANCEL == 0x20 && SL_INVOKE_ON_SUCCESS == 0x40 &&
                   SL_INVOKE_ON_ERROR == 0x80 && SL_PENDING_RETURNED == 0x01,
               "flags of a stack location");
_Static_assert(MDL_MAPPED_TO_SYSTEM_VA == 0x1 && MDL_SOURCE_IS_NONPAGED_POOL == 0x4,
               "flags of an MDL");
