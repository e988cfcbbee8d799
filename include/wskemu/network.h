/* The network that a driver finds, as a test wants it. */
#ifndef WSKEMU_NETWORK_H
#define WSKEMU_NETWORK_H

#include <wdm.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Whether there is a WSK provider; a boot begins with TRUE. While FALSE captures wait, or fail with
 * STATUS_DEVICE_NOT_READY, and clients that attached through NMR are detached: the call returns
 * when they are. What was captured before stays usable. PASSIVE_LEVEL.
 */
void wskemu_provider_set_ready(BOOLEAN ready);

/*
 * After how many milliseconds a WskDeregister, or a wait for a deregistration from NMR, that still
 * blocks says in the log what it waits for; 0 restores the default of two seconds.
 */
void wskemu_set_patience(ULONG milliseconds);

/*
 * Adds a transport to those that WSK_TRANSPORT_LIST_QUERY lists, or removes the one of that address
 * family, socket type and protocol, until the kernel ends; pending WSK_TRANSPORT_LIST_CHANGE IRPs
 * are completed. An added one is only listed, a removed one can still be used. STATUS_SUCCESS;
 * STATUS_OBJECT_NAME_COLLISION if there is one; STATUS_NOT_FOUND if there is none;
 * STATUS_INSUFFICIENT_RESOURCES. IRQL <= DISPATCH_LEVEL.
 */
struct _WSK_TRANSPORT;
NTSTATUS wskemu_transport_add(const struct _WSK_TRANSPORT *transport);
NTSTATUS wskemu_transport_remove(USHORT family, USHORT type, ULONG protocol);

/* Only completes the pending WSK_TRANSPORT_LIST_CHANGE IRPs. IRQL <= DISPATCH_LEVEL. */
void wskemu_transport_changed(void);

/* Completes what waits for SIO_ADDRESS_LIST_CHANGE at any socket. IRQL <= DISPATCH_LEVEL. */
void wskemu_address_list_changed(void);

/*
 * Names that WskGetAddressInfo and WskGetNameInfo find before the host is asked, until the kernel
 * ends. Names are UTF-8, and upper and lower case are the same. All at PASSIVE_LEVEL.
 *
 * Adds an address to a name, at most 32; an address that was added under a name has that name. A
 * name that only NULL was added to is known not to exist. STATUS_SUCCESS, STATUS_INVALID_PARAMETER,
 * STATUS_INSUFFICIENT_RESOURCES.
 */
struct sockaddr;
NTSTATUS wskemu_name_add(const char *name, const struct sockaddr *address);

/*
 * Holds a name back, which is added if there is none: lookups of it, and of its addresses, stay
 * pending until it is released; the answer is what the table says then. STATUS_NOT_FOUND for the
 * release of a name that is not there.
 */
NTSTATUS wskemu_name_hold(const char *name);
NTSTATUS wskemu_name_release(const char *name);

/* Adds a service of TCP, or of UDP. The port is in host order. */
NTSTATUS wskemu_service_add(const char *name, USHORT port, BOOLEAN is_datagram);

/* Removes all names and services; lookups that were held back ask the host. */
void wskemu_name_clear(void);

/*
 * Breaks a socket: what is pending there ends with STATUS_FILE_FORCED_CLOSED, every later call but
 * WskCloseSocket is refused with that, and an enabled receive, accept or inspect event is called
 * once with NULL. IRQL <= DISPATCH_LEVEL.
 */
struct _WSK_SOCKET;
void wskemu_socket_break(struct _WSK_SOCKET *socket);

/*
 * Calls the WskClientEvent of every registered client that has one, as WSK may do for events of
 * its later versions; none is defined today. information may be NULL. IRQL <= DISPATCH_LEVEL.
 */
void wskemu_client_event(ULONG event_type, PVOID information, SIZE_T information_length);

struct _WSK_EXTENSION_CONTROL_IN;
struct _WSK_EXTENSION_CONTROL_OUT;

/*
 * An extension interface of WSK. attach is SIO_WSK_REGISTER_EXTENSION on a socket: it fills output
 * or refuses with a status. set_events is SO_WSK_EVENT_CALLBACK with the interface's id, and gets
 * the ProviderContext of output; NULL if the interface has no callbacks. Both run in the driver's
 * call, at its IRQL, and answer at once: never with STATUS_PENDING.
 */
struct wskemu_extension {
    NTSTATUS(*attach)
    (PVOID context, struct _WSK_SOCKET *socket, const struct _WSK_EXTENSION_CONTROL_IN *input,
     struct _WSK_EXTENSION_CONTROL_OUT *output);
    NTSTATUS (*set_events)(PVOID provider_context, ULONG event_mask);
};

/* Has WSK offer an extension interface until the shutdown; without any, none is supported. */
NTSTATUS wskemu_extension_add(const GUID *id, const struct wskemu_extension *extension,
                              PVOID context);

#ifdef __cplusplus
}
#endif

#endif
