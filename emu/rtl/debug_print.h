/* The debugger's output, as the rest of the emulator sees it. */
#ifndef RTL_DEBUG_PRINT_H
#define RTL_DEBUG_PRINT_H

#include <wdm.h>

#define RTL_DEBUG_PRINT_BYTES_MAX 512 /* of one call (rule RTL-99) */

/* Every component prints every level, and nobody listens: the state at boot. */
VOID rtl_debug_print_reset(VOID);

#endif
