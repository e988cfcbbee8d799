/* The well-known internet addresses that ws2ipdef.h names. */
#include <wdm.h>
#include <ws2ipdef.h>

CONST SCOPE_ID scopeid_unspecified = {.Value = 0};

CONST IN_ADDR in4addr_any = {.S_un.S_un_b = {0, 0, 0, 0}};
CONST IN_ADDR in4addr_loopback = {.S_un.S_un_b = {127, 0, 0, 1}};
CONST IN_ADDR in4addr_broadcast = {.S_un.S_un_b = {255, 255, 255, 255}};
CONST IN_ADDR in4addr_allnodesonlink = IN4ADDR_ALLNODESONLINK_INIT;
CONST IN_ADDR in4addr_allroutersonlink = IN4ADDR_ALLROUTERSONLINK_INIT;
CONST IN_ADDR in4addr_alligmpv3routersonlink = IN4ADDR_ALLIGMPV3ROUTERSONLINK_INIT;
CONST IN_ADDR in4addr_allteredohostsonlink = IN4ADDR_ALLTEREDONODESONLINK_INIT;
CONST IN_ADDR in4addr_linklocalprefix = IN4ADDR_LINKLOCALPREFIX_INIT;
CONST IN_ADDR in4addr_multicastprefix = IN4ADDR_MULTICASTPREFIX_INIT;

CONST IN6_ADDR in6addr_any = {.u.Byte = {0}};
CONST IN6_ADDR in6addr_loopback = {.u.Byte = {[15] = 1}};
CONST IN6_ADDR in6addr_allnodesonnode = IN6ADDR_ALLNODESONNODE_INIT;
CONST IN6_ADDR in6addr_allnodesonlink = IN6ADDR_ALLNODESONLINK_INIT;
CONST IN6_ADDR in6addr_allroutersonlink = IN6ADDR_ALLROUTERSONLINK_INIT;
CONST IN6_ADDR in6addr_allmldv2routersonlink = IN6ADDR_ALLMLDV2ROUTERSONLINK_INIT;
CONST IN6_ADDR in6addr_linklocalprefix = IN6ADDR_LINKLOCALPREFIX_INIT;
CONST IN6_ADDR in6addr_multicastprefix = IN6ADDR_MULTICASTPREFIX_INIT;
CONST IN6_ADDR in6addr_solicitednodemulticastprefix = IN6ADDR_SOLICITEDNODEMULTICASTPREFIX_INIT;
CONST IN6_ADDR in6addr_v4mappedprefix = IN6ADDR_V4MAPPEDPREFIX_INIT;
CONST IN6_ADDR in6addr_6to4prefix = IN6ADDR_6TO4PREFIX_INIT;
CONST IN6_ADDR in6addr_teredoprefix = IN6ADDR_TEREDOPREFIX_INIT;
CONST IN6_ADDR in6addr_teredoprefix_old = IN6ADDR_TEREDOPREFIX_INIT_OLD;
