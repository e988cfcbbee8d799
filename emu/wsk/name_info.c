/*
 * WskGetNameInfo.
 *
 * An address and a port always have digits, which are the answer until the table that a test fills,
 * or the host, has a name. What the driver wants filled is written just before its IRP is
 * completed.
 */
#include "ke/limit.h"
#include "ke/warning.h"
#include "trace/trace.h"
#include "wsk/wsk.h"

#include <stdlib.h>

#define NAME_FLAGS (NI_NOFQDN | NI_NUMERICHOST | NI_NAMEREQD | NI_NUMERICSERV | NI_DGRAM)

/* Most addresses of one machine that are looked at. */
#define OWN_ADDRESSES_MAX 64

static bool is_wanted(const UNICODE_STRING *string)
{
    return string != NULL && string->Buffer != NULL && string->MaximumLength != 0;
}

static NTSTATUS check_names(const UNICODE_STRING *node, const UNICODE_STRING *service, ULONG flags)
{
    const ULONG contrary = NI_NUMERICHOST | NI_NAMEREQD;
    if (!is_wanted(node) && !is_wanted(service)) {
        ke_warning("WSK-NAME-15", "WskGetNameInfo has to be asked for a node name, a service name, "
                                  "or both.");
        return STATUS_INVALID_PARAMETER;
    }
    return (flags & ~NAME_FLAGS) != 0 || (flags & contrary) == contrary ? STATUS_INVALID_PARAMETER
                                                                        : STATUS_SUCCESS;
}

static NTSTATUS read_address(const SOCKADDR *sockaddr, ULONG bytes, struct net_address *address)
{
    if (bytes > sizeof(SOCKADDR_STORAGE)) {
        ke_warning("WSK-NAME-14",
                   "WskGetNameInfo: SockAddrLength is %u; no address is larger than "
                   "SOCKADDR_STORAGE.",
                   bytes);
    }
    if (sockaddr == NULL || bytes < sizeof(sockaddr->sa_family)) {
        return STATUS_INVALID_PARAMETER;
    }
    ULONG needed = sockaddr->sa_family == AF_INET ? sizeof(SOCKADDR_IN) : sizeof(SOCKADDR_IN6);
    return bytes >= needed && wsk_address_from(sockaddr, address) ? STATUS_SUCCESS
                                                                  : STATUS_INVALID_PARAMETER;
}

static bool is_own(const struct net_address *address)
{
    struct net_address own[OWN_ADDRESSES_MAX];
    unsigned total = 0;
    SIZE_T bytes = address->family == NET_IPV4 ? 4 : 16;
    if (address->family == NET_IPV4 && address->bytes[0] == 127) {
        return true;
    }
    if (net_host_addresses(address->family, own, OWN_ADDRESSES_MAX, &total) != NET_OK) {
        return false;
    }
    for (unsigned i = 0; i < total && i < OWN_ADDRESSES_MAX; i++) {
        if (RtlEqualMemory(own[i].bytes, address->bytes, bytes)) {
            return true;
        }
    }
    return false;
}

/* Keeps the first part of the name only. */
static void cut_domain(WCHAR text[NET_NAME_MAX])
{
    for (ULONG i = 0; text[i] != L'\0'; i++) {
        if (text[i] == L'.') {
            text[i] = L'\0';
        }
    }
}

static ULONG bytes_of(PCWSTR text)
{
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, text);
    return string.Length;
}

static bool fits(const UNICODE_STRING *string, PCWSTR text, const char *parameter)
{
    ULONG needed = bytes_of(text) + sizeof(WCHAR);
    if (!is_wanted(string) || string->MaximumLength >= needed) {
        return true;
    }
    ke_warning("WSK-NAME-16",
               "WskGetNameInfo: %s has %u bytes, and the name takes %u with its null.", parameter,
               string->MaximumLength, needed);
    return false;
}

static void give(UNICODE_STRING *string, PCWSTR text)
{
    if (is_wanted(string)) {
        string->Length = (USHORT)bytes_of(text);
        RtlCopyMemory(string->Buffer, text, string->Length + sizeof(WCHAR));
    }
}

static NTSTATUS answer_names(struct wsk_lookup *lookup)
{
    if (!lookup->has_name && (lookup->flags & NI_NAMEREQD) != 0) {
        return STATUS_NO_MATCH;
    }
    if (lookup->has_name && (lookup->flags & NI_NOFQDN) != 0) {
        cut_domain(lookup->found_node);
    }
    if (!fits(lookup->node_out, lookup->found_node, "NodeName") ||
        !fits(lookup->service_out, lookup->found_service, "ServiceName")) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    give(lookup->node_out, lookup->found_node);
    give(lookup->service_out, lookup->found_service);
    return STATUS_SUCCESS;
}

/* Digits are the answer until there is a better one. */
static void ask_names(struct wsk_lookup *lookup)
{
    UNICODE_STRING port = {0, sizeof(lookup->found_service), lookup->found_service};
    lookup->port = lookup->address.port;
    wsk_name_write_address(&lookup->address, lookup->found_node);
    RtlIntegerToUnicodeString(lookup->port, 10, &port);
    lookup->is_of_address = true;
    lookup->type = (lookup->flags & NI_DGRAM) != 0 ? NET_DATAGRAM : NET_STREAM;
    lookup->wants_node = (is_wanted(lookup->node_out) && (lookup->flags & NI_NUMERICHOST) == 0) ||
                         (lookup->flags & NI_NAMEREQD) != 0;
    lookup->wants_service = is_wanted(lookup->service_out) && (lookup->flags & NI_NUMERICSERV) == 0;
    if ((lookup->flags & NI_NOFQDN) != 0 && !is_own(&lookup->address)) {
        lookup->flags &= ~NI_NOFQDN;
    }
}

/*
 * Finds the name of an address and of its port, and writes them with a null where the driver gave
 * room; SockAddrLength is in bytes. STATUS_PENDING; STATUS_INVALID_PARAMETER,
 * STATUS_INSUFFICIENT_RESOURCES. The IRP gets STATUS_NO_MATCH where NI_NAMEREQD finds no name, and
 * STATUS_BUFFER_TOO_SMALL. STATUS_INVALID_HANDLE without a client and STATUS_INVALID_PARAMETER
 * without an IRP leave the IRP alone. PASSIVE_LEVEL. (WSK-NAME-08 to WSK-NAME-20)
 */
NTSTATUS WSKAPI wsk_get_name_info(PWSK_CLIENT Client, PSOCKADDR SockAddr, ULONG SockAddrLength,
                                  PUNICODE_STRING NodeName, PUNICODE_STRING ServiceName,
                                  ULONG Flags, PEPROCESS OwningProcess, PETHREAD OwningThread,
                                  PIRP Irp)
{
    ke_limit_exactly(PASSIVE_LEVEL, "WskGetNameInfo");
    trace_call("WskGetNameInfo", Client, Irp);
    if (Client == NULL) {
        return STATUS_INVALID_HANDLE;
    }
    if (Irp == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    struct wsk_client *client = wsk_client_enter_by(Client, "WSK-NAME-21");
    struct wsk_lookup *lookup = calloc(1, sizeof(*lookup));
    NTSTATUS status = lookup == NULL ? STATUS_INSUFFICIENT_RESOURCES
                                     : wsk_name_check_owner(OwningProcess, OwningThread);
    if (NT_SUCCESS(status)) {
        status = check_names(NodeName, ServiceName, Flags);
    }
    if (NT_SUCCESS(status)) {
        status = read_address(SockAddr, SockAddrLength, &lookup->address);
    }
    if (NT_SUCCESS(status)) {
        lookup->flags = (INT)Flags;
        lookup->node_out = NodeName;
        lookup->service_out = ServiceName;
        lookup->answer = answer_names;
        ask_names(lookup);
    }
    status = wsk_lookup_run(status, lookup, client, Irp);
    wsk_client_release_request(client);
    return status;
}
