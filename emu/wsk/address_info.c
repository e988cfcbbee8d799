/*
 * WskGetAddressInfo and WskFreeAddressInfo.
 *
 * Digits are read here. Names are asked of the table that a test fills, and then of the host. All
 * that the driver passes in is copied before the call returns; *Result is written just before the
 * IRP is completed.
 */
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "trace/trace.h"
#include "wsk/memory.h"
#include "wsk/wsk.h"

#include <stdlib.h>

/* Of AI_..., what an ADDRINFOEXW has room to answer. Most of it has no effect here. */
#define HINT_FLAGS                                                                                 \
    (AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV | AI_DNS_ONLY |                   \
     AI_FORCE_CLEAR_TEXT | AI_BYPASS_DNS_CACHE | AI_ALL | AI_ADDRCONFIG | AI_V4MAPPED |            \
     AI_NON_AUTHORITATIVE | AI_SECURE | AI_RETURN_PREFERRED_NAMES | AI_FQDN | AI_FILESERVER |      \
     AI_DISABLE_IDN_ENCODING)

/* ---- text ---- */

/* Whether the text is digits alone; a number that is no port makes it 0 and *is_port false. */
static bool is_number(PCWSTR text, USHORT *port, bool *is_port)
{
    ULONG number = 0;
    for (PCWSTR next = text; *next != L'\0'; next++) {
        if (*next < L'0' || *next > L'9') {
            return false;
        }
        number = number > MAXUSHORT ? number : number * 10 + (ULONG)(*next - L'0');
    }
    *is_port = number <= MAXUSHORT;
    *port = *is_port ? (USHORT)number : 0;
    return true;
}

/* Up to Length, or to a null before it. Nothing is read behind MaximumLength. */
static ULONG length_of(const UNICODE_STRING *string, const char *parameter)
{
    ULONG length = string->Length / sizeof(WCHAR);
    for (ULONG i = 0; i < length; i++) {
        if (string->Buffer[i] == L'\0') {
            return i;
        }
    }
    if (string->MaximumLength < string->Length + sizeof(WCHAR) || string->Buffer[length] != 0) {
        ke_warning("WSK-HDR-27",
                   "WskGetAddressInfo: %s has to end with a null, within its MaximumLength and "
                   "behind its Length.",
                   parameter);
    }
    return length;
}

/* Copies a name; what is absent becomes the empty text. */
static NTSTATUS read_name(const UNICODE_STRING *string, const char *parameter,
                          WCHAR text[NET_NAME_MAX])
{
    text[0] = L'\0';
    if (string == NULL || string->Buffer == NULL || string->Length == 0) {
        return STATUS_SUCCESS;
    }
    if (string->Length % sizeof(WCHAR) != 0 || string->Length > string->MaximumLength) {
        return STATUS_INVALID_PARAMETER;
    }
    ULONG length = length_of(string, parameter);
    if (length >= NET_NAME_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlCopyMemory(text, string->Buffer, length * sizeof(WCHAR));
    text[length] = L'\0';
    return STATUS_SUCCESS;
}

/* ---- the question ---- */

static bool is_combination(const ADDRINFOEXW *hints)
{
    switch (hints->ai_socktype) {
    case 0:
    case SOCK_RAW:
        return true;
    case SOCK_STREAM:
        return hints->ai_protocol == 0 || hints->ai_protocol == IPPROTO_TCP;
    case SOCK_DGRAM:
        return hints->ai_protocol == 0 || hints->ai_protocol == IPPROTO_UDP;
    default:
        return false;
    }
}

static bool is_family(INT family)
{
    return family == AF_UNSPEC || family == AF_INET || family == AF_INET6;
}

static NTSTATUS check_hints(const ADDRINFOEXW *hints, bool has_node)
{
    const INT canonical = AI_CANONNAME | AI_FQDN;
    bool is_empty = hints->ai_addrlen == 0 && hints->ai_canonname == NULL &&
                    hints->ai_addr == NULL && hints->ai_blob == NULL && hints->ai_bloblen == 0 &&
                    hints->ai_provider == NULL && hints->ai_next == NULL;
    if (!is_empty || !is_family(hints->ai_family) || !is_combination(hints) ||
        (hints->ai_flags & ~HINT_FLAGS) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((hints->ai_flags & canonical) == canonical ||
        ((hints->ai_flags & canonical) != 0 && !has_node)) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

/* Whether the name space and provider are those of TCP/IP. Others have no names here. */
static bool has_names(ULONG name_space, const GUID *provider)
{
    static const GUID any = {0};
    static const GUID tcpip = {
        0x22059D40, 0x7E9E, 0x11CF, {0xAE, 0x5A, 0x00, 0xAA, 0x00, 0xA7, 0x11, 0x2B}};
    bool is_provider =
        provider == NULL || IsEqualGUID(provider, &any) || IsEqualGUID(provider, &tcpip);
    return is_provider && (name_space == NS_ALL || name_space == NS_DNS ||
                           name_space == NS_TCPIP_HOSTS || name_space == NS_TCPIP_LOCAL);
}

static void add_address(struct wsk_lookup *lookup, struct net_address address)
{
    lookup->addresses[lookup->count++] = address;
}

/* Without a node: this machine, or all its addresses for one who listens. IPv6 comes first, as the
 * order of preference has it. */
static void add_own(struct wsk_lookup *lookup)
{
    bool is_passive = (lookup->flags & AI_PASSIVE) != 0;
    struct net_address ipv6 = {.family = NET_IPV6};
    struct net_address ipv4 = {.family = NET_IPV4};
    if (!is_passive) {
        ipv6.bytes[15] = 1;
        ipv4.bytes[0] = 127;
        ipv4.bytes[3] = 1;
    }
    add_address(lookup, ipv6);
    add_address(lookup, ipv4);
}

static void ask_node(struct wsk_lookup *lookup, ULONG name_space, const GUID *provider)
{
    struct net_address address;
    if (lookup->node[0] == L'\0') {
        add_own(lookup);
    } else if (wsk_name_is_address(lookup->node, &address)) {
        add_address(lookup, address);
        RtlCopyMemory(lookup->found_node, lookup->node, sizeof(lookup->node));
    } else if ((lookup->flags & AI_NUMERICHOST) != 0 || !has_names(name_space, provider)) {
        lookup->status = STATUS_NOT_FOUND;
    } else {
        lookup->wants_node = true;
    }
}

static void ask_service(struct wsk_lookup *lookup)
{
    bool is_port = true;
    if (!is_number(lookup->service, &lookup->port, &is_port)) {
        lookup->wants_service = (lookup->flags & AI_NUMERICSERV) == 0;
        is_port = lookup->wants_service;
    }
    if (!is_port) {
        lookup->status = STATUS_NOT_FOUND;
    }
}

/* AI_V4MAPPED wants IPv4 addresses for IPv6, if there are no others or with AI_ALL. */
static bool may_map(const struct wsk_lookup *lookup)
{
    return lookup->hints.ai_family == AF_INET6 && (lookup->flags & AI_V4MAPPED) != 0;
}

/* Whom to ask is in the hints. A type that is left open has the services of TCP. */
static void ask(struct wsk_lookup *lookup, ULONG name_space, const GUID *provider)
{
    INT type = lookup->hints.ai_socktype;
    bool is_datagram =
        type == SOCK_DGRAM || (type == 0 && lookup->hints.ai_protocol == IPPROTO_UDP);
    lookup->type = is_datagram ? NET_DATAGRAM : NET_STREAM;
    if (lookup->hints.ai_family != AF_UNSPEC && !may_map(lookup)) {
        lookup->family = wsk_net_family((ADDRESS_FAMILY)lookup->hints.ai_family);
    }
    ask_node(lookup, name_space, provider);
    ask_service(lookup);
}

static struct net_address mapped(const struct net_address *ipv4)
{
    struct net_address address = {.family = NET_IPV6, .bytes = {[10] = 0xFF, [11] = 0xFF}};
    RtlCopyMemory(&address.bytes[12], ipv4->bytes, 4);
    return address;
}

/* Chooses the addresses that the hints want; returns how many. */
static ULONG choose(const struct wsk_lookup *lookup, struct net_address chosen[NET_RESOLVED_MAX])
{
    INT family = lookup->hints.ai_family;
    ULONG count = 0;
    for (ULONG i = 0; i < lookup->count; i++) {
        if (family == AF_UNSPEC ||
            lookup->addresses[i].family == wsk_net_family((ADDRESS_FAMILY)family)) {
            chosen[count++] = lookup->addresses[i];
        }
    }
    if (!may_map(lookup) || (count != 0 && (lookup->flags & AI_ALL) == 0)) {
        return count;
    }
    for (ULONG i = 0; i < lookup->count; i++) {
        if (lookup->addresses[i].family == NET_IPV4) {
            chosen[count++] = mapped(&lookup->addresses[i]);
        }
    }
    return count;
}

static NTSTATUS answer_addresses(struct wsk_lookup *lookup)
{
    struct net_address chosen[NET_RESOLVED_MAX];
    ULONG count = choose(lookup, chosen);
    PCWSTR canonical = L"";
    if (count == 0) {
        return STATUS_NOT_FOUND;
    }
    if ((lookup->flags & (AI_CANONNAME | AI_FQDN)) != 0) {
        canonical = lookup->found_node[0] != L'\0' ? lookup->found_node : lookup->node;
    }
    wsk_memory_check_there(lookup->result, "variable for the result", "WSK-NAME-24");
    *lookup->result = wsk_result_create(lookup, chosen, count, canonical);
    return *lookup->result != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS read_question(struct wsk_lookup *lookup, const UNICODE_STRING *node,
                              const UNICODE_STRING *service, const ADDRINFOEXW *hints)
{
    NTSTATUS status = read_name(node, "NodeName", lookup->node);
    if (NT_SUCCESS(status)) {
        status = read_name(service, "ServiceName", lookup->service);
    }
    bool has_node = lookup->node[0] != L'\0';
    if (!NT_SUCCESS(status) || (!has_node && lookup->service[0] == L'\0')) {
        return STATUS_INVALID_PARAMETER;
    }
    if (hints != NULL) {
        lookup->hints = *hints;
        lookup->flags = hints->ai_flags;
    }
    return check_hints(&lookup->hints, has_node);
}

/*
 * Finds the addresses of a host and the port of a service; each may be a name or digits, one may be
 * absent. *Result gets a list for WskFreeAddressInfo before the IRP completes. STATUS_PENDING;
 * STATUS_INVALID_PARAMETER, STATUS_INSUFFICIENT_RESOURCES. The IRP gets STATUS_NOT_FOUND for what
 * is unknown. STATUS_INVALID_HANDLE without a client and STATUS_INVALID_PARAMETER without an IRP
 * leave the IRP alone. PASSIVE_LEVEL. (WSK-NAME-01 to WSK-NAME-13, WSK-HDR-27)
 */
NTSTATUS WSKAPI wsk_get_address_info(PWSK_CLIENT Client, PUNICODE_STRING NodeName,
                                     PUNICODE_STRING ServiceName, ULONG NameSpace, GUID *Provider,
                                     PADDRINFOEXW Hints, PADDRINFOEXW *Result,
                                     PEPROCESS OwningProcess, PETHREAD OwningThread, PIRP Irp)
{
    ke_limit_exactly(PASSIVE_LEVEL, "WskGetAddressInfo");
    trace_call("WskGetAddressInfo", Client, Irp);
    if (Client == NULL) {
        return STATUS_INVALID_HANDLE;
    }
    if (Irp == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    struct wsk_client *client = wsk_client_enter_by(Client, "WSK-NAME-21");
    struct wsk_lookup *lookup = calloc(1, sizeof(*lookup));
    NTSTATUS status = lookup == NULL   ? STATUS_INSUFFICIENT_RESOURCES
                      : Result == NULL ? STATUS_INVALID_PARAMETER
                                       : wsk_name_check_owner(OwningProcess, OwningThread);
    if (NT_SUCCESS(status)) {
        status = read_question(lookup, NodeName, ServiceName, Hints);
    }
    if (NT_SUCCESS(status)) {
        *Result = NULL;
        lookup->creator = _ReturnAddress();
        lookup->result = Result;
        lookup->answer = answer_addresses;
        ask(lookup, NameSpace, Provider);
    }
    status = wsk_lookup_run(status, lookup, client, Irp);
    wsk_client_release_request(client);
    return status;
}

/*
 * Frees a list that WskGetAddressInfo gave. Anything else is a bug check, but for NULL, which is a
 * warning. PASSIVE_LEVEL. (WSK-NAME-06, WSK-NAME-07)
 */
VOID WSKAPI wsk_free_address_info(PWSK_CLIENT Client, PADDRINFOEXW AddrInfo)
{
    ke_limit_exactly(PASSIVE_LEVEL, "WskFreeAddressInfo");
    struct wsk_client *client = wsk_client_enter_by(Client, "WSK-NAME-21");
    if (AddrInfo == NULL) {
        ke_warning("WSK-NAME-07", "The driver called WskFreeAddressInfo with NULL.");
    } else if (!wsk_result_free(AddrInfo)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)AddrInfo, 0, 0,
                    "WSK-NAME-07",
                    "The driver called WskFreeAddressInfo with %p, which is no list that "
                    "WskGetAddressInfo returned, or was freed already.",
                    (void *)AddrInfo);
    }
    wsk_client_release_request(client);
}
