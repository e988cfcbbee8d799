/* What a test says of the network. */
#include <wskemu/network.h>

#include "ke/limit.h"
#include "ke/patience.h"
#include "wsk/client.h"
#include "wsk/name.h"
#include "wsk/control.h"
#include "wsk/extension.h"
#include "wsk/transport.h"
#include "wsk/wsk.h"

void wskemu_provider_set_ready(BOOLEAN ready)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    wsk_provider_set_ready(ready);
}

void wskemu_set_patience(ULONG milliseconds)
{
    ke_set_patience(milliseconds);
}

NTSTATUS wskemu_transport_add(const struct _WSK_TRANSPORT *transport)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return wsk_transport_add(transport);
}

NTSTATUS wskemu_transport_remove(USHORT family, USHORT type, ULONG protocol)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return wsk_transport_remove(family, type, protocol);
}

void wskemu_transport_changed(void)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    wsk_transport_report_change();
}

void wskemu_address_list_changed(void)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    wsk_address_list_changed();
}

void wskemu_socket_break(struct _WSK_SOCKET *socket)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    wsk_socket_kill(wsk_socket_of(socket));
}

void wskemu_client_event(ULONG event_type, PVOID information, SIZE_T information_length)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    wsk_client_event(event_type, information, information != NULL ? information_length : 0);
}

NTSTATUS wskemu_extension_add(const GUID *id, const struct wskemu_extension *extension,
                              PVOID context)
{
    return wsk_extension_provide(id, extension, context);
}

NTSTATUS wskemu_name_add(const char *name, const struct sockaddr *address)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return wsk_name_add(name, address);
}

NTSTATUS wskemu_name_hold(const char *name)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return wsk_name_hold(name, true);
}

NTSTATUS wskemu_name_release(const char *name)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return wsk_name_hold(name, false);
}

NTSTATUS wskemu_service_add(const char *name, USHORT port, BOOLEAN is_datagram)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return wsk_service_add(name, port, is_datagram);
}

void wskemu_name_clear(void)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    wsk_name_clear();
}
