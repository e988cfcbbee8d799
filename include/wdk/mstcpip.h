/* mstcpip.h - I/O controls of Microsoft's TCP/IP, and helpers for its addresses. */
#ifndef WDK_MSTCPIP_H
#define WDK_MSTCPIP_H

#include "guiddef.h"
#include <string.h>
#include "ws2def.h"
#include "ws2ipdef.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SIO_QUERY_WFP_ALE_ENDPOINT_HANDLE _WSAIOR(IOC_VENDOR, 205)
#define SIO_QUERY_RSS_SCALABILITY_INFO _WSAIOR(IOC_VENDOR, 210)
#define SIO_RCVALL _WSAIOW(IOC_VENDOR, 1)
#define SIO_RCVALL_MCAST _WSAIOW(IOC_VENDOR, 2)
#define SIO_RCVALL_IGMPMCAST _WSAIOW(IOC_VENDOR, 3)
#define SIO_KEEPALIVE_VALS _WSAIOW(IOC_VENDOR, 4)
#define SIO_ABSORB_RTRALERT _WSAIOW(IOC_VENDOR, 5)
#define SIO_UCAST_IF _WSAIOW(IOC_VENDOR, 6)
#define SIO_LIMIT_BROADCASTS _WSAIOW(IOC_VENDOR, 7)
#define SIO_INDEX_BIND _WSAIOW(IOC_VENDOR, 8)
#define SIO_INDEX_MCASTIF _WSAIOW(IOC_VENDOR, 9)
#define SIO_INDEX_ADD_MCAST _WSAIOW(IOC_VENDOR, 10)
#define SIO_INDEX_DEL_MCAST _WSAIOW(IOC_VENDOR, 11)
#define SIO_RCVALL_MCAST_IF _WSAIOW(IOC_VENDOR, 13)
#define SIO_RCVALL_IF _WSAIOW(IOC_VENDOR, 14)
#define SIO_LOOPBACK_FAST_PATH _WSAIOW(IOC_VENDOR, 16)
#define SIO_TCP_INITIAL_RTO _WSAIOW(IOC_VENDOR, 17)
#define SIO_APPLY_TRANSPORT_SETTING _WSAIOW(IOC_VENDOR, 19)
#define SIO_QUERY_TRANSPORT_SETTING _WSAIOW(IOC_VENDOR, 20)
#define SIO_CPU_AFFINITY _WSAIOW(IOC_VENDOR, 21)
#define SIO_TCP_SET_ICW _WSAIOW(IOC_VENDOR, 22)
#define SIO_TCP_SET_ACK_FREQUENCY _WSAIOW(IOC_VENDOR, 23)
#define SIO_SET_PRIORITY_HINT _WSAIOW(IOC_VENDOR, 24)
#define SIO_PRIORITY_HINT SIO_SET_PRIORITY_HINT
#define SIO_ACQUIRE_PORT_RESERVATION _WSAIOW(IOC_VENDOR, 100)
#define SIO_RELEASE_PORT_RESERVATION _WSAIOW(IOC_VENDOR, 101)
#define SIO_ASSOCIATE_PORT_RESERVATION _WSAIOW(IOC_VENDOR, 102)
#define SIO_SET_SECURITY _WSAIOW(IOC_VENDOR, 200)
#define SIO_SET_PEER_TARGET_NAME _WSAIOW(IOC_VENDOR, 202)
#define SIO_DELETE_PEER_TARGET_NAME _WSAIOW(IOC_VENDOR, 203)
#define SIO_SOCKET_USAGE_NOTIFICATION _WSAIOW(IOC_VENDOR, 204)
#define SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS _WSAIOW(IOC_VENDOR, 220)
#define SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT _WSAIOW(IOC_VENDOR, 221)
#define SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS _WSAIOW(IOC_VENDOR, 222)
#define SIO_GET_TX_TIMESTAMP _WSAIOW(IOC_VENDOR, 234)
#define SIO_TIMESTAMPING _WSAIOW(IOC_VENDOR, 235)
#define SIO_TCP_INFO _WSAIORW(IOC_VENDOR, 39)
#define SIO_QUERY_SECURITY _WSAIORW(IOC_VENDOR, 201)

/* SIO_KEEPALIVE_VALS; times are in milliseconds. */
struct tcp_keepalive {
    ULONG onoff;
    ULONG keepalivetime;
    ULONG keepaliveinterval;
};

/* SIO_RCVALL and its kin. */

typedef enum {
    RCVALL_OFF = 0,
    RCVALL_ON = 1,
    RCVALL_SOCKETLEVELONLY = 2,
    RCVALL_IPLEVEL = 3,
} RCVALL_VALUE;
typedef RCVALL_VALUE *PRCVALL_VALUE;

#define RCVALL_MAX RCVALL_IPLEVEL

typedef struct {
    RCVALL_VALUE Mode;
    ULONG Interface;
} RCVALL_IF, *PRCVALL_IF;

/* SIO_TCP_INITIAL_RTO. */

#define TCP_INITIAL_RTO_DEFAULT_RTT 0
#define TCP_INITIAL_RTO_DEFAULT_MAX_SYN_RETRANSMISSIONS 0
#define TCP_INITIAL_RTO_UNSPECIFIED_RTT ((USHORT)-1)
#define TCP_INITIAL_RTO_UNSPECIFIED_MAX_SYN_RETRANSMISSIONS ((UCHAR)-1)
#define TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS ((UCHAR)-2)

typedef struct _TCP_INITIAL_RTO_PARAMETERS {
    USHORT Rtt;
    UCHAR MaxSynRetransmissions;
} TCP_INITIAL_RTO_PARAMETERS, *PTCP_INITIAL_RTO_PARAMETERS;

/* SIO_TCP_SET_ICW. */

typedef enum {
    TCP_ICW_LEVEL_DEFAULT = 0,
    TCP_ICW_LEVEL_HIGH = 1,
    TCP_ICW_LEVEL_VERY_HIGH = 2,
    TCP_ICW_LEVEL_AGGRESSIVE = 3,
    TCP_ICW_LEVEL_EXPERIMENTAL = 4,
    TCP_ICW_LEVEL_COMPAT = 254,
    TCP_ICW_LEVEL_MAX = 255,
} TCP_ICW_LEVEL;
typedef TCP_ICW_LEVEL *PTCP_ICW_LEVEL;

typedef struct _TCP_ICW_PARAMETERS {
    TCP_ICW_LEVEL Level;
} TCP_ICW_PARAMETERS, *PTCP_ICW_PARAMETERS;

/* SIO_TCP_SET_ACK_FREQUENCY. */
typedef struct _TCP_ACK_FREQUENCY_PARAMETERS {
    UCHAR TcpDelayedAckFrequency;
} TCP_ACK_FREQUENCY_PARAMETERS, *PTCP_ACK_FREQUENCY_PARAMETERS;

/* SIO_SET_PRIORITY_HINT. */
typedef enum {
    SocketPriorityHintVeryLow = 0,
    SocketPriorityHintLow = 1,
    SocketPriorityHintNormal = 2,
} SOCKET_PRIORITY_HINT;
typedef SOCKET_PRIORITY_HINT *PSOCKET_PRIORITY_HINT;

/* SIO_SOCKET_USAGE_NOTIFICATION. */
typedef enum _SOCKET_USAGE_TYPE {
    SYSTEM_CRITICAL_SOCKET = 1,
} SOCKET_USAGE_TYPE;

/* SIO_QUERY_RSS_SCALABILITY_INFO. */
typedef struct _RSS_SCALABILITY_INFO {
    BOOLEAN RssEnabled;
} RSS_SCALABILITY_INFO, *PRSS_SCALABILITY_INFO;

/* SIO_TIMESTAMPING. */

#define TIMESTAMPING_FLAG_RX 0x1
#define TIMESTAMPING_FLAG_TX 0x2

typedef struct _TIMESTAMPING_CONFIG {
    ULONG Flags;
    USHORT TxTimestampsBuffered;
} TIMESTAMPING_CONFIG, *PTIMESTAMPING_CONFIG;

/* SIO_TCP_INFO; the input is the version, a ULONG. */

typedef enum _TCPSTATE {
    TCPSTATE_CLOSED,
    TCPSTATE_LISTEN,
    TCPSTATE_SYN_SENT,
    TCPSTATE_SYN_RCVD,
    TCPSTATE_ESTABLISHED,
    TCPSTATE_FIN_WAIT_1,
    TCPSTATE_FIN_WAIT_2,
    TCPSTATE_CLOSE_WAIT,
    TCPSTATE_CLOSING,
    TCPSTATE_LAST_ACK,
    TCPSTATE_TIME_WAIT,
    TCPSTATE_MAX,
} TCPSTATE;

typedef struct _TCP_INFO_v0 {
    TCPSTATE State;
    ULONG Mss;
    ULONG64 ConnectionTimeMs;
    BOOLEAN TimestampsEnabled;
    ULONG RttUs;
    ULONG MinRttUs;
    ULONG BytesInFlight;
    ULONG Cwnd;
    ULONG SndWnd;
    ULONG RcvWnd;
    ULONG RcvBuf;
    ULONG64 BytesOut;
    ULONG64 BytesIn;
    ULONG BytesReordered;
    ULONG BytesRetrans;
    ULONG FastRetrans;
    ULONG DupAcksIn;
    ULONG TimeoutEpisodes;
    UCHAR SynRetrans;
} TCP_INFO_v0, *PTCP_INFO_v0;

typedef struct _TCP_INFO_v1 {
    TCPSTATE State;
    ULONG Mss;
    ULONG64 ConnectionTimeMs;
    BOOLEAN TimestampsEnabled;
    ULONG RttUs;
    ULONG MinRttUs;
    ULONG BytesInFlight;
    ULONG Cwnd;
    ULONG SndWnd;
    ULONG RcvWnd;
    ULONG RcvBuf;
    ULONG64 BytesOut;
    ULONG64 BytesIn;
    ULONG BytesReordered;
    ULONG BytesRetrans;
    ULONG FastRetrans;
    ULONG DupAcksIn;
    ULONG TimeoutEpisodes;
    UCHAR SynRetrans;
    ULONG SndLimTransRwin;
    ULONG SndLimTimeRwin;
    ULONG64 SndLimBytesRwin;
    ULONG SndLimTransCwnd;
    ULONG SndLimTimeCwnd;
    ULONG64 SndLimBytesCwnd;
    ULONG SndLimTransSnd;
    ULONG SndLimTimeSnd;
    ULONG64 SndLimBytesSnd;
} TCP_INFO_v1, *PTCP_INFO_v1;

typedef struct _TCP_INFO_v2 {
    TCPSTATE State;
    ULONG Mss;
    ULONG64 ConnectionTimeMs;
    BOOLEAN TimestampsEnabled;
    ULONG RttUs;
    ULONG MinRttUs;
    ULONG BytesInFlight;
    ULONG Cwnd;
    ULONG SndWnd;
    ULONG RcvWnd;
    ULONG RcvBuf;
    ULONG64 BytesOut;
    ULONG64 BytesIn;
    ULONG BytesReordered;
    ULONG BytesRetrans;
    ULONG FastRetrans;
    ULONG DupAcksIn;
    ULONG TimeoutEpisodes;
    UCHAR SynRetrans;
    ULONG SndLimTransRwin;
    ULONG SndLimTimeRwin;
    ULONG64 SndLimBytesRwin;
    ULONG SndLimTransCwnd;
    ULONG SndLimTimeCwnd;
    ULONG64 SndLimBytesCwnd;
    ULONG SndLimTransSnd;
    ULONG SndLimTimeSnd;
    ULONG64 SndLimBytesSnd;
    ULONG OutOfOrderPktsIn;
    BOOLEAN EcnNegotiated;
    ULONG EceAcksIn;
    ULONG PtoEpisodes;
} TCP_INFO_v2, *PTCP_INFO_v2;

/* SIO_ACQUIRE_PORT_RESERVATION and its kin. Ports are in network order. */

#define INVALID_PORT_RESERVATION_TOKEN ((ULONG64)0)

typedef struct _INET_PORT_RANGE {
    USHORT StartPort;
    USHORT NumberOfPorts;
} INET_PORT_RANGE, *PINET_PORT_RANGE;

typedef INET_PORT_RANGE INET_PORT_RESERVATION, *PINET_PORT_RESERVATION;

typedef struct {
    ULONG64 Token;
} INET_PORT_RESERVATION_TOKEN, *PINET_PORT_RESERVATION_TOKEN;

/* Both parts are unnamed members in C; Token cannot be spelled both ways in one language. */
typedef struct {
    _ANONYMOUS_UNION union {
        INET_PORT_RESERVATION Reservation;
        _ANONYMOUS_STRUCT struct {
            USHORT StartPort;
            USHORT NumberOfPorts;
        };
    };
#ifdef __cplusplus
    INET_PORT_RESERVATION_TOKEN Token;
#else
    ULONG64 Token;
#endif
} INET_PORT_RESERVATION_INSTANCE, *PINET_PORT_RESERVATION_INSTANCE;

typedef struct {
    ULONG OwningPid;
} INET_PORT_RESERVATION_INFORMATION, *PINET_PORT_RESERVATION_INFORMATION;

/* SIO_APPLY_TRANSPORT_SETTING and SIO_QUERY_TRANSPORT_SETTING. */

typedef struct TRANSPORT_SETTING_ID {
    GUID Guid;
} TRANSPORT_SETTING_ID, *PTRANSPORT_SETTING_ID;

typedef enum {
    CONTROL_CHANNEL_TRIGGER_STATUS_INVALID = 0,
    CONTROL_CHANNEL_TRIGGER_STATUS_SOFTWARE_SLOT_ALLOCATED = 1,
    CONTROL_CHANNEL_TRIGGER_STATUS_HARDWARE_SLOT_ALLOCATED = 2,
    CONTROL_CHANNEL_TRIGGER_STATUS_POLICY_ERROR = 3,
    CONTROL_CHANNEL_TRIGGER_STATUS_SYSTEM_ERROR = 4,
    CONTROL_CHANNEL_TRIGGER_STATUS_TRANSPORT_DISCONNECTED = 5,
    CONTROL_CHANNEL_TRIGGER_STATUS_SERVICE_UNAVAILABLE = 6,
} CONTROL_CHANNEL_TRIGGER_STATUS;
typedef CONTROL_CHANNEL_TRIGGER_STATUS *PCONTROL_CHANNEL_TRIGGER_STATUS;

#define CONTROL_CHANNEL_TRIGGER_STATUS_MAX CONTROL_CHANNEL_TRIGGER_STATUS_SYSTEM_ERROR

typedef struct _REAL_TIME_NOTIFICATION_SETTING_INPUT {
    TRANSPORT_SETTING_ID TransportSettingId;
    GUID BrokerEventGuid;
} REAL_TIME_NOTIFICATION_SETTING_INPUT, *PREAL_TIME_NOTIFICATION_SETTING_INPUT;

typedef struct _REAL_TIME_NOTIFICATION_SETTING_INPUT_EX {
    TRANSPORT_SETTING_ID TransportSettingId;
    GUID BrokerEventGuid;
    BOOLEAN Unmark;
} REAL_TIME_NOTIFICATION_SETTING_INPUT_EX, *PREAL_TIME_NOTIFICATION_SETTING_INPUT_EX;

typedef struct _REAL_TIME_NOTIFICATION_SETTING_OUTPUT {
    CONTROL_CHANNEL_TRIGGER_STATUS ChannelStatus;
} REAL_TIME_NOTIFICATION_SETTING_OUTPUT, *PREAL_TIME_NOTIFICATION_SETTING_OUTPUT;

typedef struct _ASSOCIATE_NAMERES_CONTEXT_INPUT {
    TRANSPORT_SETTING_ID TransportSettingId;
    ULONG64 Handle;
} ASSOCIATE_NAMERES_CONTEXT_INPUT, *PASSOCIATE_NAMERES_CONTEXT_INPUT;

/* SIO_SET_SECURITY and its kin. */

typedef enum _SOCKET_SECURITY_PROTOCOL {
    SOCKET_SECURITY_PROTOCOL_DEFAULT,
    SOCKET_SECURITY_PROTOCOL_IPSEC,
    SOCKET_SECURITY_PROTOCOL_IPSEC2,
    SOCKET_SECURITY_PROTOCOL_INVALID,
} SOCKET_SECURITY_PROTOCOL;

typedef struct _SOCKET_SECURITY_SETTINGS {
    SOCKET_SECURITY_PROTOCOL SecurityProtocol;
    ULONG SecurityFlags;
} SOCKET_SECURITY_SETTINGS;

typedef struct _SOCKET_SECURITY_SETTINGS_IPSEC {
    SOCKET_SECURITY_PROTOCOL SecurityProtocol;
    ULONG SecurityFlags;
    ULONG IpsecFlags;
    GUID AuthipMMPolicyKey;
    GUID AuthipQMPolicyKey;
    GUID Reserved;
    ULONG64 Reserved2;
    ULONG UserNameStringLen;
    ULONG DomainNameStringLen;
    ULONG PasswordStringLen;
    __extension__ WCHAR AllStrings[0];
} SOCKET_SECURITY_SETTINGS_IPSEC;

typedef struct _SOCKET_PEER_TARGET_NAME {
    SOCKET_SECURITY_PROTOCOL SecurityProtocol;
    SOCKADDR_STORAGE PeerAddress;
    ULONG PeerTargetNameStringLen;
    __extension__ WCHAR AllStrings[0];
} SOCKET_PEER_TARGET_NAME;

typedef struct _SOCKET_SECURITY_QUERY_TEMPLATE {
    SOCKET_SECURITY_PROTOCOL SecurityProtocol;
    SOCKADDR_STORAGE PeerAddress;
    ULONG PeerTokenAccessMask;
} SOCKET_SECURITY_QUERY_TEMPLATE;

typedef struct _SOCKET_SECURITY_QUERY_INFO {
    SOCKET_SECURITY_PROTOCOL SecurityProtocol;
    ULONG Flags;
    ULONG64 PeerApplicationAccessTokenHandle;
    ULONG64 PeerMachineAccessTokenHandle;
} SOCKET_SECURITY_QUERY_INFO;

/* Where RFC 6052 leaves its gap in an IPv6 address that embeds an IPv4 one: bits 64 to 71. */
#define IN6_EMBEDDEDV4_UOCTET_POSITION 8
#define IN6_EMBEDDEDV4_BITS_IN_BYTE 8

#define SOCKADDR_SIZE(af)                                                                          \
    ((af) == AF_INET    ? sizeof(SOCKADDR_IN)                                                      \
     : (af) == AF_INET6 ? sizeof(SOCKADDR_IN6)                                                     \
                        : sizeof(SOCKADDR_STORAGE))

/* Questions on IPv4 addresses. */

static FORCEINLINE BOOLEAN IN4_ADDR_EQUAL(CONST IN_ADDR *a, CONST IN_ADDR *b)
{
    return a->s_addr == b->s_addr;
}

static FORCEINLINE BOOLEAN IN4_UNALIGNED_ADDR_EQUAL(CONST IN_ADDR *a, CONST IN_ADDR *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static FORCEINLINE BOOLEAN IN4_IS_ADDR_UNSPECIFIED(CONST IN_ADDR *a)
{
    return a->s_addr == INADDR_ANY;
}

/* 127.0.0.0/8 */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_LOOPBACK(CONST IN_ADDR *a)
{
    return a->s_net == 127;
}

static FORCEINLINE BOOLEAN IN4_IS_ADDR_BROADCAST(CONST IN_ADDR *a)
{
    return a->s_addr == INADDR_BROADCAST;
}

/* 224.0.0.0/4 */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_MULTICAST(CONST IN_ADDR *a)
{
    return (a->s_net & 0xf0) == 0xe0;
}

/* 169.254.0.0/16 */
static FORCEINLINE BOOLEAN IN4_IS_ADDR_LINKLOCAL(CONST IN_ADDR *a)
{
    return a->s_net == 169 && a->s_host == 254;
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

static FORCEINLINE BOOLEAN IN4ADDR_ISANY(CONST SOCKADDR_IN *a)
{
    return IN4_IS_ADDR_UNSPECIFIED(&a->sin_addr);
}

static FORCEINLINE BOOLEAN IN4ADDR_ISUNSPECIFIED(CONST SOCKADDR_IN *a)
{
    return IN4ADDR_ISANY(a);
}

static FORCEINLINE BOOLEAN IN4ADDR_ISLOOPBACK(CONST SOCKADDR_IN *a)
{
    return IN4_IS_ADDR_LOOPBACK(&a->sin_addr);
}

static FORCEINLINE BOOLEAN IN4ADDR_ISEQUAL(CONST SOCKADDR_IN *a, CONST SOCKADDR_IN *b)
{
    return IN4_ADDR_EQUAL(&a->sin_addr, &b->sin_addr);
}

/* IPv4 addresses inside IPv6 ones. */

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

/* A pointer into the IPv6 address. */
static FORCEINLINE CONST UCHAR *IN6_GET_ADDR_V4MAPPED(CONST IN6_ADDR *Ipv6Address)
{
    return &Ipv6Address->s6_bytes[12];
}

static FORCEINLINE CONST UCHAR *IN6_GET_ADDR_V4COMPAT(CONST IN6_ADDR *Ipv6Address)
{
    return &Ipv6Address->s6_bytes[12];
}

/* Either family, by address. */

static FORCEINLINE BOOLEAN INET_ADDR_EQUAL(ADDRESS_FAMILY af, CONST VOID *a, CONST VOID *b)
{
    return memcmp(a, b, af == AF_INET6 ? sizeof(IN6_ADDR) : sizeof(IN_ADDR)) == 0;
}

static FORCEINLINE BOOLEAN INET_IS_ADDR_UNSPECIFIED(ADDRESS_FAMILY af, CONST VOID *a)
{
    return af == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED((CONST IN6_ADDR *)a)
                          : IN4_IS_ADDR_UNSPECIFIED((CONST IN_ADDR *)a);
}

static FORCEINLINE BOOLEAN INET_IS_ADDR_LOOPBACK(ADDRESS_FAMILY af, CONST VOID *a)
{
    return af == AF_INET6 ? IN6_IS_ADDR_LOOPBACK((CONST IN6_ADDR *)a)
                          : IN4_IS_ADDR_LOOPBACK((CONST IN_ADDR *)a);
}

static FORCEINLINE BOOLEAN INET_IS_ADDR_BROADCAST(ADDRESS_FAMILY af, CONST VOID *a)
{
    return af == AF_INET && IN4_IS_ADDR_BROADCAST((CONST IN_ADDR *)a);
}

static FORCEINLINE BOOLEAN INET_IS_ADDR_MULTICAST(ADDRESS_FAMILY af, CONST VOID *a)
{
    return af == AF_INET6 ? IN6_IS_ADDR_MULTICAST((CONST IN6_ADDR *)a)
                          : IN4_IS_ADDR_MULTICAST((CONST IN_ADDR *)a);
}

/* Either family, by socket address. */

static FORCEINLINE VOID INETADDR_SETANY(PSOCKADDR a)
{
    ADDRESS_FAMILY family = a->sa_family;

    memset(a, 0, SOCKADDR_SIZE(family));
    a->sa_family = family;
}

static FORCEINLINE VOID INETADDR_SETLOOPBACK(PSOCKADDR a)
{
    INETADDR_SETANY(a);
    if (a->sa_family == AF_INET6) {
        ((PSOCKADDR_IN6)a)->sin6_addr.s6_bytes[15] = 1;
    } else {
        ((PSOCKADDR_IN)a)->sin_addr.s_addr = IN4ADDR_LOOPBACK;
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
    memcpy(INETADDR_ADDRESS(a), Address,
           a->sa_family == AF_INET6 ? sizeof(IN6_ADDR) : sizeof(IN_ADDR));
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
    CONST SCOPE_ID unspecified = SCOPEID_UNSPECIFIED_INIT;

    return a->sa_family == AF_INET6 ? ((CONST SOCKADDR_IN6 *)a)->sin6_scope_struct : unspecified;
}

static FORCEINLINE VOID INETADDR_SETSOCKADDR(ADDRESS_FAMILY af, PSOCKADDR a, CONST VOID *addr,
                                             SCOPE_ID scope, USHORT port)
{
    a->sa_family = af;
    INETADDR_SETANY(a);
    INETADDR_SET_ADDRESS(a, (CONST UCHAR *)addr);
    INETADDR_SET_PORT(a, port);
    if (af == AF_INET6) {
        ((PSOCKADDR_IN6)a)->sin6_scope_struct = scope;
    }
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
    return a->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&((CONST SOCKADDR_IN6 *)a)->sin6_addr);
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

#endif /* WDK_MSTCPIP_H */
