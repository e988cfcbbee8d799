/* ipifcons.h - kinds of network interface, as IANA numbers them (those that a socket may meet). */
#ifndef WDK_IPIFCONS_H
#define WDK_IPIFCONS_H

#include "ntdef.h"

#define IF_TYPE_OTHER 1
#define IF_TYPE_ETHERNET_CSMACD 6
#define IF_TYPE_PPP 23
#define IF_TYPE_SOFTWARE_LOOPBACK 24
#define IF_TYPE_IEEE80211 71
#define IF_TYPE_TUNNEL 131

#endif /* WDK_IPIFCONS_H */
