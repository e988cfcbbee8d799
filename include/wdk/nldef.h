/* nldef.h - kinds and states of network-layer addresses. */
#ifndef WDK_NLDEF_H
#define WDK_NLDEF_H

#include "ntdef.h"

typedef enum {
    DlUnicast,
    DlMulticast,
    DlBroadcast,
} DL_ADDRESS_TYPE;
typedef DL_ADDRESS_TYPE *PDL_ADDRESS_TYPE;

typedef enum _NL_ADDRESS_TYPE {
    NlatUnspecified,
    NlatUnicast,
    NlatAnycast,
    NlatMulticast,
    NlatBroadcast,
    NlatInvalid,
} NL_ADDRESS_TYPE;
typedef NL_ADDRESS_TYPE *PNL_ADDRESS_TYPE;

#endif /* WDK_NLDEF_H */
