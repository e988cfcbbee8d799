/*
 * Of mstcpip.h: questions on internet addresses and socket addresses, and how to set them.
 *
 * Names begin with IN4 or IN6 for one family and with INET for either. IN4_..., IN6_... and
 * INET_... take addresses; IN4ADDR_..., IN6ADDR_... and INETADDR_... take socket addresses.
 * Addresses and ports are in network order. An address behind a CONST UCHAR * may lie on any byte.
 */
#ifndef WDK_DETAIL_MSTCPIP_ADDRESS_H
#define WDK_DETAIL_MSTCPIP_ADDRESS_H

#include <string.h>
#include "../nldef.h"
#include "../ws2def.h"
#include "../ws2ipdef.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- IPv4 ---- */

/* Classes of addresses in network order; IN_CLASSA and its kin want host order. */
#define IN4_CLASSA(i) (((LONG)(i)&0x80) == 0)
#define IN4_CLASSB(i) (((LONG)(i)&0xc0) == 0x80)
#define IN4_CLASSC(i) (((LONG)(i)&0xe0) == 0xc0)
#define IN4_CLASSD(i) (((LONG)(i)&0xf0) == 0xe0)
#define IN4_MULTICAST(i) IN4_CLASSD(i)

#define IN4ADDR_ANY INADDR_ANY
#define IN4ADDR_BROADCAST INADDR_BROADCAST
#define IN4ADDR_NONE INADDR_NONE

static FORCEINLINE BOOLEAN IN4_ADDR_EQUAL(CONST IN_ADDR *a, CONST IN_ADDR *b)
{
    return a->s_addr == b->s_addr;
}

static FORCEINLINE BOOLEAN IN4_UNALIGNED_ADDR_EQUAL(CONST IN_ADDR UNALIGNED *a,
                                                    CONST IN_ADDR UNALIGNED *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static FORCEINLINE BOOLEAN IN4_IS_ADDR_UNSPECIFIED(CONST IN_ADDR *a)
{
    return a->s_addr == IN4ADDR_ANY;
}

/* 127.0.0.0/8 */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_LOOPBACK(CONST IN_ADDR *a)
{
    return a->s_net == 127;
}

static FORCEINLINE BOOLEAN IN4_IS_ADDR_BROADCAST(CONST IN_ADDR *a)
{
    return a->s_addr == IN4ADDR_BROADCAST;
}

/* 224.0.0.0/4 */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_MULTICAST(CONST IN_ADDR *a)
{
    return IN4_MULTICAST(a->s_net);
}

/* 169.254.0.0/16 */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_LINKLOCAL(CONST IN_ADDR *a)
{
    return a->s_net == 169 && a->s_host == 254;
}

/* None is: private addresses count as global ones. */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_SITELOCAL(CONST IN_ADDR *a)
{
    UNREFERENCED_PARAMETER(a);
    return FALSE;
}

/* 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_RFC1918(CONST IN_ADDR *a)
{
    return a->s_net == 10 || (a->s_net == 172 && (a->s_host & 0xf0) == 16) ||
           (a->s_net == 192 && a->s_host == 168);
}

/* 224.0.0.0/24 */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_MC_LINKLOCAL(CONST IN_ADDR *a)
{
    return a->s_net == 224 && a->s_host == 0 && a->s_lh == 0;
}

/* 239.255.0.0/16 */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_MC_ADMINLOCAL(CONST IN_ADDR *a)
{
    return a->s_net == 239 && a->s_host == 255;
}

/* The rest of 239.0.0.0/8 */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_MC_SITELOCAL(CONST IN_ADDR *a)
{
    return a->s_net == 239 && !IN4_IS_ADDR_MC_ADMINLOCAL(a);
}

#define WDK_IN4_UNALIGNED(question)                                                                \
    static FORCEINLINE BOOLEAN IN4_IS_UNALIGNED_ADDR_##question(CONST IN_ADDR UNALIGNED *a)        \
    {                                                                                              \
        IN_ADDR aligned;                                                                           \
        memcpy(&aligned, (CONST VOID *)a, sizeof(aligned));                                        \
        return IN4_IS_ADDR_##question(&aligned);                                                   \
    }

WDK_IN4_UNALIGNED(UNSPECIFIED)
WDK_IN4_UNALIGNED(LOOPBACK)
WDK_IN4_UNALIGNED(BROADCAST)
WDK_IN4_UNALIGNED(MULTICAST)
WDK_IN4_UNALIGNED(LINKLOCAL)
WDK_IN4_UNALIGNED(RFC1918)
#define IN4_IS_UNALIGNED_ADDR_SITELOCAL IN4_IS_ADDR_SITELOCAL

static FORCEINLINE VOID IN4ADDR_SETSOCKADDR(PSOCKADDR_IN a, CONST IN_ADDR *addr, USHORT port)
{
    CONST IN_ADDR address = *addr; /* it may be a's own */

    memset(a, 0, sizeof(*a));
    a->sin_family = AF_INET;
    a->sin_port = port;
    a->sin_addr = address;
}

static FORCEINLINE VOID IN4ADDR_SETANY(PSOCKADDR_IN a)
{
    memset(a, 0, sizeof(*a));
    a->sin_family = AF_INET;
}

static FORCEINLINE VOID IN4ADDR_SETLOOPBACK(PSOCKADDR_IN a)
{
    IN4ADDR_SETANY(a);
    a->sin_addr.s_addr = IN4ADDR_LOOPBACK;
}

static FORCEINLINE BOOLEAN IN4ADDR_ISANY(CONST SOCKADDR_IN *a)
{
    return IN4_IS_ADDR_UNSPECIFIED(&a->sin_addr);
}

static FORCEINLINE BOOLEAN IN4ADDR_ISLOOPBACK(CONST SOCKADDR_IN *a)
{
    return IN4_IS_ADDR_LOOPBACK(&a->sin_addr);
}

/* Always unspecified. */
static FORCEINLINE SCOPE_ID IN4ADDR_SCOPE_ID(CONST SOCKADDR_IN *a)
{
    CONST SCOPE_ID unspecified = SCOPEID_UNSPECIFIED_INIT;

    UNREFERENCED_PARAMETER(a);
    return unspecified;
}

static FORCEINLINE BOOLEAN IN4ADDR_ISEQUAL(CONST SOCKADDR_IN *a, CONST SOCKADDR_IN *b)
{
    return IN4_ADDR_EQUAL(&a->sin_addr, &b->sin_addr);
}

static FORCEINLINE BOOLEAN IN4ADDR_ISUNSPECIFIED(CONST SOCKADDR_IN *a)
{
    return IN4ADDR_ISANY(a);
}

static FORCEINLINE SCOPE_LEVEL Ipv4UnicastAddressScope(CONST UCHAR *Address)
{
    IN_ADDR address;

    memcpy(&address, Address, sizeof(address));
    return IN4_IS_ADDR_LINKLOCAL(&address) || IN4_IS_ADDR_LOOPBACK(&address) ? ScopeLevelLink
                                                                             : ScopeLevelGlobal;
}

static FORCEINLINE SCOPE_LEVEL Ipv4MulticastAddressScope(CONST UCHAR *Address)
{
    IN_ADDR address;

    memcpy(&address, Address, sizeof(address));
    return IN4_IS_ADDR_MC_LINKLOCAL(&address)    ? ScopeLevelLink
           : IN4_IS_ADDR_MC_ADMINLOCAL(&address) ? ScopeLevelAdmin
           : IN4_IS_ADDR_MC_SITELOCAL(&address)  ? ScopeLevelSite
                                                 : ScopeLevelGlobal;
}

static FORCEINLINE SCOPE_LEVEL Ipv4AddressScope(CONST UCHAR *Address)
{
    IN_ADDR address;

    memcpy(&address, Address, sizeof(address));
    return IN4_IS_ADDR_BROADCAST(&address)   ? ScopeLevelLink
           : IN4_IS_ADDR_MULTICAST(&address) ? Ipv4MulticastAddressScope(Address)
                                             : Ipv4UnicastAddressScope(Address);
}

/* Loopback is unicast. 0.0.0.0/8 and 240.0.0.0/4 are invalid, but for their first and last. */
static FORCEINLINE NL_ADDRESS_TYPE Ipv4AddressType(CONST UCHAR *Address)
{
    IN_ADDR address;

    memcpy(&address, Address, sizeof(address));
    return IN4_IS_ADDR_MULTICAST(&address)                     ? NlatMulticast
           : IN4_IS_ADDR_BROADCAST(&address)                   ? NlatBroadcast
           : IN4_IS_ADDR_UNSPECIFIED(&address)                 ? NlatUnspecified
           : address.s_net == 0 || (address.s_net >> 4) == 0xf ? NlatInvalid
                                                               : NlatUnicast;
}

/* Takes out of a scope what the address says itself. */
static FORCEINLINE VOID IN4_UNCANONICALIZE_SCOPE_ID(CONST IN_ADDR *Address, SCOPE_ID *ScopeId)
{
    CONST SCOPE_LEVEL level = Ipv4AddressScope((CONST UCHAR *)Address);

    if (IN4_IS_ADDR_LOOPBACK(Address) || level == ScopeLevelGlobal) {
        ScopeId->Value = 0;
    }
    if (ScopeId->Level == (ULONG)level) {
        ScopeId->Level = 0;
    }
}

/* Whether 6to4 can be derived from it: unicast, and not for local use. */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_6TO4ELIGIBLE(CONST IN_ADDR *a)
{
    return Ipv4AddressType((CONST UCHAR *)a) == NlatUnicast && !IN4_IS_ADDR_LOOPBACK(a) &&
           !IN4_IS_ADDR_LINKLOCAL(a) && !IN4_IS_ADDR_SITELOCAL(a) && !IN4_IS_ADDR_RFC1918(a);
}

WDK_IN4_UNALIGNED(6TO4ELIGIBLE)
#undef WDK_IN4_UNALIGNED

/* ---- IPv6 ---- */

/* Whether the first len bits are equal. */
static FORCEINLINE BOOLEAN IN6_PREFIX_EQUAL(CONST IN6_ADDR *a, CONST IN6_ADDR *b, UINT8 len)
{
    CONST UINT8 bytes = len / 8;
    CONST UINT8 bits = len % 8;

    return memcmp(a, b, bytes) == 0 &&
           (bits == 0 || (a->s6_bytes[bytes] ^ b->s6_bytes[bytes]) >> (8 - bits) == 0);
}

static FORCEINLINE BOOLEAN IN6_IS_ADDR_ALLNODESONNODE(CONST IN6_ADDR *a)
{
    CONST IN6_ADDR nodes = IN6ADDR_ALLNODESONNODE_INIT;

    return IN6_ADDR_EQUAL(a, &nodes);
}

static FORCEINLINE BOOLEAN IN6_IS_ADDR_ALLNODESONLINK(CONST IN6_ADDR *a)
{
    CONST IN6_ADDR nodes = IN6ADDR_ALLNODESONLINK_INIT;

    return IN6_ADDR_EQUAL(a, &nodes);
}

static FORCEINLINE BOOLEAN IN6_IS_ADDR_ALLROUTERSONLINK(CONST IN6_ADDR *a)
{
    CONST IN6_ADDR routers = IN6ADDR_ALLROUTERSONLINK_INIT;

    return IN6_ADDR_EQUAL(a, &routers);
}

static FORCEINLINE BOOLEAN IN6_IS_ADDR_SOLICITEDNODE(CONST IN6_ADDR *a)
{
    CONST IN6_ADDR prefix = IN6ADDR_SOLICITEDNODEMULTICASTPREFIX_INIT;

    return IN6_PREFIX_EQUAL(a, &prefix, IN6ADDR_SOLICITEDNODEMULTICASTPREFIX_LENGTH);
}

/* The last half begins with 0000:5efe or 0200:5efe. */
static FORCEINLINE BOOLEAN IN6_IS_ADDR_ISATAP(CONST IN6_ADDR *a)
{
    return (a->s6_bytes[8] & 0xfd) == 0 && a->s6_bytes[9] == 0 && a->s6_bytes[10] == 0x5e &&
           a->s6_bytes[11] == 0xfe;
}

static FORCEINLINE BOOLEAN IN6_IS_ADDR_6TO4(CONST IN6_ADDR *a)
{
    CONST IN6_ADDR prefix = IN6ADDR_6TO4PREFIX_INIT;

    return IN6_PREFIX_EQUAL(a, &prefix, IN6ADDR_6TO4PREFIX_LENGTH);
}

/* By today's prefix or by that of the experiment. */
static FORCEINLINE BOOLEAN IN6_IS_ADDR_TEREDO(CONST IN6_ADDR *a)
{
    CONST IN6_ADDR prefix = IN6ADDR_TEREDOPREFIX_INIT;
    CONST IN6_ADDR old_prefix = IN6ADDR_TEREDOPREFIX_INIT_OLD;

    return IN6_PREFIX_EQUAL(a, &prefix, IN6ADDR_TEREDOPREFIX_LENGTH) ||
           IN6_PREFIX_EQUAL(a, &old_prefix, IN6ADDR_TEREDOPREFIX_LENGTH);
}

static FORCEINLINE BOOLEAN IN6ADDR_ISV4MAPPED(CONST SOCKADDR_IN6 *a)
{
    return IN6_IS_ADDR_V4MAPPED(&a->sin6_addr);
}

static FORCEINLINE BOOLEAN IN6ADDR_ISISATAP(CONST SOCKADDR_IN6 *a)
{
    return IN6_IS_ADDR_ISATAP(&a->sin6_addr);
}

static FORCEINLINE BOOLEAN IN6ADDR_IS6TO4(CONST SOCKADDR_IN6 *a)
{
    return IN6_IS_ADDR_6TO4(&a->sin6_addr);
}

static FORCEINLINE BOOLEAN IN6ADDR_ISTEREDO(CONST SOCKADDR_IN6 *a)
{
    return IN6_IS_ADDR_TEREDO(&a->sin6_addr);
}

/* Pointers to the IPv4 address inside of an IPv6 one. */

static FORCEINLINE CONST UCHAR *IN6_GET_ADDR_V4MAPPED(CONST IN6_ADDR *Ipv6Address)
{
    return &Ipv6Address->s6_bytes[12];
}

static FORCEINLINE CONST UCHAR *IN6_GET_ADDR_V4COMPAT(CONST IN6_ADDR *Ipv6Address)
{
    return &Ipv6Address->s6_bytes[12];
}

static FORCEINLINE CONST UCHAR *IN6_EXTRACT_V4ADDR_FROM_ISATAP(CONST IN6_ADDR *Ipv6Address)
{
    return &Ipv6Address->s6_bytes[12];
}

static FORCEINLINE CONST UCHAR *IN6_EXTRACT_V4ADDR_FROM_6TO4(CONST IN6_ADDR *Ipv6Address)
{
    return &Ipv6Address->s6_bytes[2];
}

static FORCEINLINE VOID IN6_SET_ADDR_V4MAPPED(PIN6_ADDR a6, CONST IN_ADDR *a4)
{
    CONST IN6_ADDR prefix = IN6ADDR_V4MAPPEDPREFIX_INIT;

    *a6 = prefix;
    memcpy(&a6->s6_bytes[12], a4, sizeof(*a4));
}

static FORCEINLINE VOID IN6_SET_ADDR_V4COMPAT(PIN6_ADDR a6, CONST IN_ADDR *a4)
{
    memset(a6, 0, sizeof(*a6));
    memcpy(&a6->s6_bytes[12], a4, sizeof(*a4));
}

/* The group that listens for who asks after the unicast address. */
static FORCEINLINE VOID IN6_SET_ADDR_SOLICITEDNODE(PIN6_ADDR Multicast, CONST IN6_ADDR *Unicast)
{
    CONST IN6_ADDR prefix = IN6ADDR_SOLICITEDNODEMULTICASTPREFIX_INIT;

    *Multicast = prefix;
    memcpy(&Multicast->s6_bytes[13], &Unicast->s6_bytes[13], 3);
}

/* Sets the last 64 bits. */
static FORCEINLINE VOID IN6_SET_ISATAP_IDENTIFIER(IN6_ADDR *Ipv6Address, CONST IN_ADDR *Ipv4Address)
{
    Ipv6Address->s6_bytes[8] = IN4_IS_ADDR_6TO4ELIGIBLE(Ipv4Address) ? 2 : 0;
    Ipv6Address->s6_bytes[9] = 0;
    Ipv6Address->s6_bytes[10] = 0x5e;
    Ipv6Address->s6_bytes[11] = 0xfe;
    memcpy(&Ipv6Address->s6_bytes[12], Ipv4Address, sizeof(*Ipv4Address));
}

/* Sets the first 64 bits. */
static FORCEINLINE VOID IN6_SET_6TO4_PREFIX(IN6_ADDR *Ipv6Address, CONST IN_ADDR *Ipv4Address)
{
    Ipv6Address->s6_bytes[0] = 0x20;
    Ipv6Address->s6_bytes[1] = 0x02;
    memcpy(&Ipv6Address->s6_bytes[2], Ipv4Address, sizeof(*Ipv4Address));
    memset(&Ipv6Address->s6_bytes[6], 0, 2);
}

static FORCEINLINE SCOPE_LEVEL Ipv6UnicastAddressScope(CONST UCHAR *Address)
{
    IN6_ADDR address;

    memcpy(&address, Address, sizeof(address));
    return IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_LOOPBACK(&address) ? ScopeLevelLink
           : IN6_IS_ADDR_SITELOCAL(&address)                                 ? ScopeLevelSite
                                                                             : ScopeLevelGlobal;
}

static FORCEINLINE SCOPE_LEVEL IN6_MULTICAST_SCOPE(CONST UCHAR *Address)
{
    return (SCOPE_LEVEL)(Address[1] & 0xf);
}

static FORCEINLINE SCOPE_LEVEL Ipv6AddressScope(CONST UCHAR *Address)
{
    return Address[0] == 0xff ? IN6_MULTICAST_SCOPE(Address) : Ipv6UnicastAddressScope(Address);
}

/* An address that has an IPv4 one inside is invalid if that one is not unicast. */
static FORCEINLINE NL_ADDRESS_TYPE Ipv6AddressType(CONST UCHAR *Address)
{
    IN6_ADDR address;
    CONST UCHAR *inside = NULL;

    memcpy(&address, Address, sizeof(address));
    if (IN6_IS_ADDR_MULTICAST(&address)) {
        return NlatMulticast;
    }
    if (IN6_IS_ADDR_UNSPECIFIED(&address)) {
        return NlatUnspecified;
    }
    if (IN6_IS_ADDR_ISATAP(&address) || IN6_IS_ADDR_V4COMPAT(&address) ||
        IN6_IS_ADDR_V4MAPPED(&address) || IN6_IS_ADDR_V4TRANSLATED(&address)) {
        inside = IN6_EXTRACT_V4ADDR_FROM_ISATAP(&address);
    } else if (IN6_IS_ADDR_6TO4(&address)) {
        inside = IN6_EXTRACT_V4ADDR_FROM_6TO4(&address);
    }
    return inside == NULL || Ipv4AddressType(inside) == NlatUnicast ? NlatUnicast : NlatInvalid;
}

/* Takes out of a scope what the address says itself. */
static FORCEINLINE VOID IN6_UNCANONICALIZE_SCOPE_ID(CONST IN6_ADDR *Address, SCOPE_ID *ScopeId)
{
    CONST SCOPE_LEVEL level = Ipv6AddressScope((CONST UCHAR *)Address);

    if (IN6_IS_ADDR_LOOPBACK(Address) || level == ScopeLevelGlobal) {
        ScopeId->Value = 0;
    }
    if (ScopeId->Level == (ULONG)level) {
        ScopeId->Level = 0;
    }
}

static FORCEINLINE VOID IN6ADDR_SETSOCKADDR(PSOCKADDR_IN6 a, CONST IN6_ADDR *addr, SCOPE_ID scope,
                                            USHORT port)
{
    CONST IN6_ADDR address = *addr; /* it may be a's own */

    IN6ADDR_SETANY(a);
    a->sin6_port = port;
    a->sin6_addr = address;
    a->sin6_scope_struct = scope;
    IN6_UNCANONICALIZE_SCOPE_ID(&a->sin6_addr, &a->sin6_scope_struct);
}

static FORCEINLINE VOID IN6ADDR_SETV4MAPPED(PSOCKADDR_IN6 a6, CONST IN_ADDR *a4, SCOPE_ID scope,
                                            USHORT port)
{
    IN6ADDR_SETANY(a6);
    a6->sin6_port = port;
    IN6_SET_ADDR_V4MAPPED(&a6->sin6_addr, a4);
    a6->sin6_scope_struct = scope;
    IN4_UNCANONICALIZE_SCOPE_ID(a4, &a6->sin6_scope_struct);
}

/* ---- either family, by address ---- */

static FORCEINLINE SIZE_T INET_ADDR_LENGTH(ADDRESS_FAMILY af)
{
    return af == AF_INET6 ? sizeof(IN6_ADDR) : sizeof(IN_ADDR);
}

static FORCEINLINE SIZE_T INET_SOCKADDR_LENGTH(ADDRESS_FAMILY af)
{
    return af == AF_INET6 ? sizeof(SOCKADDR_IN6) : sizeof(SOCKADDR_IN);
}

static FORCEINLINE BOOLEAN INET_ADDR_EQUAL(ADDRESS_FAMILY af, CONST VOID *a, CONST VOID *b)
{
    return memcmp(a, b, INET_ADDR_LENGTH(af)) == 0;
}

static FORCEINLINE BOOLEAN INET_UNALIGNED_ADDR_EQUAL(ADDRESS_FAMILY af, CONST VOID *a,
                                                     CONST VOID *b)
{
    return INET_ADDR_EQUAL(af, a, b);
}

static FORCEINLINE BOOLEAN INET_IS_ADDR_UNSPECIFIED(ADDRESS_FAMILY af, CONST VOID *a)
{
    return af == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED((CONST IN6_ADDR *)a)
                          : IN4_IS_ADDR_UNSPECIFIED((CONST IN_ADDR *)a);
}

static FORCEINLINE BOOLEAN INET_IS_UNALIGNED_ADDR_UNSPECIFIED(ADDRESS_FAMILY af, CONST VOID *a)
{
    CONST IN6_ADDR unspecified = IN6ADDR_ANY_INIT;

    return INET_ADDR_EQUAL(af, a, &unspecified);
}

static FORCEINLINE BOOLEAN INET_IS_ADDR_LOOPBACK(ADDRESS_FAMILY af, CONST VOID *a)
{
    return af == AF_INET6 ? IN6_IS_ADDR_LOOPBACK((CONST IN6_ADDR *)a)
                          : IN4_IS_ADDR_LOOPBACK((CONST IN_ADDR *)a);
}

static FORCEINLINE BOOLEAN INET_IS_ADDR_BROADCAST(ADDRESS_FAMILY af, CONST VOID *a)
{
    return af != AF_INET6 && IN4_IS_ADDR_BROADCAST((CONST IN_ADDR *)a);
}

static FORCEINLINE BOOLEAN INET_IS_ADDR_MULTICAST(ADDRESS_FAMILY af, CONST VOID *a)
{
    return af == AF_INET6 ? IN6_IS_ADDR_MULTICAST((CONST IN6_ADDR *)a)
                          : IN4_IS_ADDR_MULTICAST((CONST IN_ADDR *)a);
}

static FORCEINLINE CONST UCHAR *INET_ADDR_UNSPECIFIED(ADDRESS_FAMILY af)
{
    return af == AF_INET6 ? (CONST UCHAR *)&in6addr_any : (CONST UCHAR *)&in4addr_any;
}

static FORCEINLINE VOID INET_SET_ADDRESS(ADDRESS_FAMILY Family, PUCHAR Address, CONST UCHAR *Value)
{
    memmove(Address, Value, INET_ADDR_LENGTH(Family));
}

static FORCEINLINE VOID INET_UNCANONICALIZE_SCOPE_ID(ADDRESS_FAMILY AddressFamily,
                                                     CONST UCHAR *Address, SCOPE_ID *ScopeId)
{
    if (AddressFamily == AF_INET6) {
        IN6_UNCANONICALIZE_SCOPE_ID((CONST IN6_ADDR *)Address, ScopeId);
    } else {
        IN4_UNCANONICALIZE_SCOPE_ID((CONST IN_ADDR *)Address, ScopeId);
    }
}

/* By address and scope. */

static FORCEINLINE BOOLEAN NL_ADDR_EQUAL(ADDRESS_FAMILY af, SCOPE_ID sa, CONST UCHAR *aa,
                                         SCOPE_ID sb, CONST UCHAR *ab)
{
    return sa.Value == sb.Value && INET_ADDR_EQUAL(af, aa, ab);
}

static FORCEINLINE BOOLEAN NL_IS_ADDR_UNSPECIFIED(ADDRESS_FAMILY af, SCOPE_ID s, CONST UCHAR *a)
{
    return s.Value == 0 && INET_IS_ADDR_UNSPECIFIED(af, a);
}

/* ---- either family, by socket address ---- */

static FORCEINLINE VOID INETADDR_SETSOCKADDR(ADDRESS_FAMILY af, PSOCKADDR a, CONST VOID *addr,
                                             SCOPE_ID scope, USHORT port)
{
    if (af == AF_INET6) {
        IN6ADDR_SETSOCKADDR((PSOCKADDR_IN6)a, (CONST IN6_ADDR *)addr, scope, port);
    } else {
        IN_ADDR address;
        memcpy(&address, addr, sizeof(address));
        IN4ADDR_SETSOCKADDR((PSOCKADDR_IN)a, &address, port);
    }
}

static FORCEINLINE VOID INETADDR_SETANY(PSOCKADDR a)
{
    if (a->sa_family == AF_INET6) {
        IN6ADDR_SETANY((PSOCKADDR_IN6)a);
    } else {
        IN4ADDR_SETANY((PSOCKADDR_IN)a);
    }
}

static FORCEINLINE VOID INETADDR_SETLOOPBACK(PSOCKADDR a)
{
    if (a->sa_family == AF_INET6) {
        IN6ADDR_SETLOOPBACK((PSOCKADDR_IN6)a);
    } else {
        IN4ADDR_SETLOOPBACK((PSOCKADDR_IN)a);
    }
}

static FORCEINLINE PUCHAR INETADDR_ADDRESS(CONST SOCKADDR *a)
{
    if (a->sa_family == AF_INET6) {
        return (PUCHAR) & ((PSOCKADDR_IN6)a)->sin6_addr;
    }
    return (PUCHAR) & ((PSOCKADDR_IN)a)->sin_addr;
}

static FORCEINLINE VOID INETADDR_SET_ADDRESS(PSOCKADDR a, CONST UCHAR *Address)
{
    INET_SET_ADDRESS(a->sa_family, INETADDR_ADDRESS(a), Address);
}

/* In network order; it stands at the same offset in both families. */
static FORCEINLINE USHORT INETADDR_PORT(CONST SOCKADDR *a)
{
    return ((CONST SOCKADDR_IN *)a)->sin_port;
}

static FORCEINLINE VOID INETADDR_SET_PORT(PSOCKADDR a, USHORT Port)
{
    ((PSOCKADDR_IN)a)->sin_port = Port;
}

static FORCEINLINE SCOPE_ID INETADDR_SCOPE_ID(CONST SOCKADDR *a)
{
    return a->sa_family == AF_INET6 ? ((CONST SOCKADDR_IN6 *)a)->sin6_scope_struct
                                    : IN4ADDR_SCOPE_ID((CONST SOCKADDR_IN *)a);
}

static FORCEINLINE BOOLEAN INETADDR_ISANY(CONST SOCKADDR *a)
{
    return INET_IS_ADDR_UNSPECIFIED(a->sa_family, INETADDR_ADDRESS(a));
}

static FORCEINLINE BOOLEAN INETADDR_ISUNSPECIFIED(CONST SOCKADDR *a)
{
    return a->sa_family == AF_INET6 ? IN6ADDR_ISUNSPECIFIED((CONST SOCKADDR_IN6 *)a)
                                    : IN4ADDR_ISUNSPECIFIED((CONST SOCKADDR_IN *)a);
}

static FORCEINLINE BOOLEAN INETADDR_ISLOOPBACK(CONST SOCKADDR *a)
{
    return INET_IS_ADDR_LOOPBACK(a->sa_family, INETADDR_ADDRESS(a));
}

static FORCEINLINE BOOLEAN INETADDR_ISMULTICAST(CONST SOCKADDR *a)
{
    return INET_IS_ADDR_MULTICAST(a->sa_family, INETADDR_ADDRESS(a));
}

static FORCEINLINE BOOLEAN INETADDR_ISV4MAPPED(CONST SOCKADDR *a)
{
    return a->sa_family == AF_INET6 && IN6ADDR_ISV4MAPPED((CONST SOCKADDR_IN6 *)a);
}

static FORCEINLINE BOOLEAN INETADDR_ISEQUAL(CONST SOCKADDR *a, CONST SOCKADDR *b)
{
    if (a->sa_family != b->sa_family) {
        return FALSE;
    }
    return a->sa_family == AF_INET6
               ? IN6ADDR_ISEQUAL((CONST SOCKADDR_IN6 *)a, (CONST SOCKADDR_IN6 *)b)
               : IN4ADDR_ISEQUAL((CONST SOCKADDR_IN *)a, (CONST SOCKADDR_IN *)b);
}

#ifdef __cplusplus
}
#endif

#endif /* WDK_DETAIL_MSTCPIP_ADDRESS_H */
