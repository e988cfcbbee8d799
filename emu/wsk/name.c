/* What the functions for names share: their lock, addresses in digits, and whose request it is. */
#include "ps/process.h"
#include "wsk/wsk.h"

#include <ip2string.h>
#include <ntifs.h>

struct wsk_names *wsk_names_lock(void)
{
    struct wsk_names *names = &wsk_state()->names;
    base_mutex_lock(&names->lock);
    return names;
}

void wsk_names_unlock(struct wsk_names *names)
{
    base_mutex_unlock(&names->lock);
}

static bool is_ipv4_text(PCWSTR text, struct net_address *address)
{
    IN_ADDR ipv4;
    PCWSTR end;
    if (!NT_SUCCESS(RtlIpv4StringToAddressW(text, FALSE, &end, &ipv4)) || *end != L'\0') {
        return false;
    }
    *address = (struct net_address){.family = NET_IPV4};
    RtlCopyMemory(address->bytes, &ipv4, sizeof(ipv4));
    return true;
}

bool wsk_name_is_address(PCWSTR text, struct net_address *address)
{
    IN6_ADDR ipv6;
    ULONG scope;
    USHORT port;
    if (is_ipv4_text(text, address)) {
        return true;
    }
    if (text[0] == L'[' || !NT_SUCCESS(RtlIpv6StringToAddressExW(text, &ipv6, &scope, &port))) {
        return false;
    }
    *address = (struct net_address){.family = NET_IPV6, .scope = scope};
    RtlCopyMemory(address->bytes, &ipv6, sizeof(ipv6));
    return true;
}

void wsk_name_write_address(const struct net_address *address, WCHAR text[NET_NAME_MAX])
{
    ULONG length = NET_NAME_MAX;
    if (address->family == NET_IPV4) {
        IN_ADDR ipv4;
        RtlCopyMemory(&ipv4, address->bytes, sizeof(ipv4));
        RtlIpv4AddressToStringExW(&ipv4, 0, text, &length);
        return;
    }
    IN6_ADDR ipv6;
    RtlCopyMemory(&ipv6, address->bytes, sizeof(ipv6));
    RtlIpv6AddressToStringExW(&ipv6, address->scope, 0, text, &length);
}

/* Whose account the request is processed as makes no difference to the host. (WSK-NAME-11 to -13,
 * WSK-HDR-28) */
NTSTATUS wsk_name_check_owner(PEPROCESS process, PETHREAD thread)
{
    PETHREAD caller = PsGetCurrentThread();
    if (process == NULL) {
        return thread == NULL ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    }
    bool is_impersonating = ps_thread_identity(caller) != PsGetThreadProcess(caller);
    return is_impersonating ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}
