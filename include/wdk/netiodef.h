/* netiodef.h - identities of network modules, and protocol headers as they stand on the wire. */
#ifndef WDK_NETIODEF_H
#define WDK_NETIODEF_H

#include "guiddef.h"
#include "ifdef.h"
#include "in6addr.h"
#include "inaddr.h"
#include "nldef.h"
#include <string.h>
#include "ws2def.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An Ethernet address: who was given the block, and a number in it. */

typedef union _DL_OUI {
    UCHAR Byte[3];
    _ANONYMOUS_STRUCT struct {
        UCHAR Group : 1;
        UCHAR Local : 1;
    };
} DL_OUI, *PDL_OUI;

typedef union _DL_EI48 {
    UCHAR Byte[3];
} DL_EI48, *PDL_EI48;

typedef union _DL_EUI48 {
    UCHAR Byte[6];
    _ANONYMOUS_STRUCT struct {
        DL_OUI Oui;
        DL_EI48 Ei48;
    };
} DL_EUI48, *PDL_EUI48;

/* What a Network Programming Interface is called. */
typedef GUID NPIID;
typedef CONST NPIID *PNPIID;

typedef enum _NPI_MODULEID_TYPE {
    MIT_GUID = 1,
    MIT_IF_LUID,
} NPI_MODULEID_TYPE;

/* What a network module is called. */
typedef struct _NPI_MODULEID {
    USHORT Length;
    NPI_MODULEID_TYPE Type;
    _ANONYMOUS_UNION union {
        GUID Guid;
        LUID IfLuid;
    };
} NPI_MODULEID;
typedef CONST NPI_MODULEID *PNPI_MODULEID;

static FORCEINLINE BOOLEAN NmrIsEqualNpiModuleId(PNPI_MODULEID ModuleId1, PNPI_MODULEID ModuleId2)
{
    if (ModuleId1->Type != ModuleId2->Type) {
        return FALSE;
    }
    if (ModuleId1->Type == MIT_GUID) {
        return memcmp(&ModuleId1->Guid, &ModuleId2->Guid, sizeof(GUID)) == 0;
    }
    return ModuleId1->IfLuid.LowPart == ModuleId2->IfLuid.LowPart &&
           ModuleId1->IfLuid.HighPart == ModuleId2->IfLuid.HighPart;
}

/* IPv4. */
#define IP_VER_MASK 0xf0
#define IP_OPT_EOL 0x0
#define IP_OPT_NOP 0x1
#define IP_OPT_RR 0x7
#define IP_OPT_TS 0x44
#define IP_OPT_SECURITY 0x82
#define IP_OPT_LSRR 0x83
#define IP_OPT_SID 0x88
#define IP_OPT_SSRR 0x89
#define IP_OPT_ROUTER_ALERT 0x94
#define IP_OPT_MULTIDEST 0x95

/* IPv6; masks are for the first word of the header as it stands in memory. */
#define IPV6_VERSION 0x60
#define IPV6_TRAFFIC_CLASS_MASK 0x0000c00f
#define IPV6_FULL_TRAFFIC_CLASS_MASK 0x0000f00f
#define IPV6_ECN_MASK 0x00003000
#define IPV6_FLOW_LABEL_MASK 0xffff0f00
#define IPV6_ECN_SHIFT 12
#define IPV6_MINIMUM_MTU 1280
#define IPV6_MINIMUM_ULMTU (IPV6_MINIMUM_MTU - sizeof(IPV6_HEADER))
#define IPV6_ROUTER_ALERT_LENGTH 8
#define EXT_LEN_UNIT 8

/* Headers. Multi-byte members are in network order. */

typedef struct _IPV4_HEADER {
    _ANONYMOUS_UNION union {
        UINT8 VersionAndHeaderLength;
        _ANONYMOUS_STRUCT struct {
            UINT8 HeaderLength : 4;
            UINT8 Version : 4;
        };
    };
    _ANONYMOUS_UNION union {
        UINT8 TypeOfServiceAndEcnField;
        _ANONYMOUS_STRUCT struct {
            UINT8 EcnField : 2;
            UINT8 TypeOfService : 6;
        };
    };
    UINT16 TotalLength;
    UINT16 Identification;
    _ANONYMOUS_UNION union {
        UINT16 FlagsAndOffset;
        _ANONYMOUS_STRUCT struct {
            UINT16 DontUse1 : 5;
            UINT16 MoreFragments : 1;
            UINT16 DontFragment : 1;
            UINT16 Reserved : 1;
            UINT16 DontUse2 : 8;
        };
    };
    UINT8 TimeToLive;
    UINT8 Protocol;
    UINT16 HeaderChecksum;
    IN_ADDR SourceAddress;
    IN_ADDR DestinationAddress;
} IPV4_HEADER, *PIPV4_HEADER;

typedef struct _IPV6_HEADER {
    _ANONYMOUS_UNION union {
        UINT32 VersionClassFlow;
        _ANONYMOUS_STRUCT struct {
            UINT32 DontUse1 : 4;
            UINT32 Version : 4;
            UINT32 DontUse2 : 24;
        };
    };
    UINT16 PayloadLength;
    UINT8 NextHeader;
    UINT8 HopLimit;
    IN6_ADDR SourceAddress;
    IN6_ADDR DestinationAddress;
} IPV6_HEADER, *PIPV6_HEADER;

#ifdef __cplusplus
}
#endif

#endif /* WDK_NETIODEF_H */
