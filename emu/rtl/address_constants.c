/* The well-known internet addresses that ws2ipdef.h names. */
#include <wdm.h>
#include <ws2ipdef.h>

CONST SCOPE_ID scopeid_unspecified = {.Value = 0};

CONST IN_ADDR in4addr_any = {.S_un.S_un_b = {0, 0, 0, 0}};
CONST IN_ADDR in4addr_loopback = {.S_un.S_un_b = {127, 0, 0, 1}};
CONST IN_ADDR in4addr_broadcast = {.S_un.S_un_b = {255, 255, 255, 255}};

CONST IN6_ADDR in6addr_any = {.u.Byte = {0}};
CONST IN6_ADDR in6addr_loopback = {.u.Byte = {[15] = 1}};
