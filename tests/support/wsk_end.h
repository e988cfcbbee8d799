/*
 * A driver's side of WSK for tests: a registered client that makes one call after the other, each
 * waited for. A law that every call keeps is checked in passing, on whichever thread:
 * STATUS_PENDING was returned exactly when PendingReturned is TRUE, and any other status that was
 * returned is the final one. A broken law and a wait without an end stop the program.
 *
 * For calls that shall stay pending, or whose return value counts: struct wsk_call.
 */
#ifndef TESTS_SUPPORT_WSK_END_H
#define TESTS_SUPPORT_WSK_END_H

#include "kernel.h"

#include <ntddk.h>
#include <wsk.h>

/* One IRP with an event, used for one call after the other. */
struct wsk_call {
    PIRP irp;
    KEVENT done;
    BOOLEAN pending_returned;
    PMDL mdl; /* of memory given by call_buffer */
};

/* A client of WSK with a call. */
struct wsk_end {
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    struct wsk_call call;
};

/* ---- calls ---- */

void call_init(struct wsk_call *call);
void call_free(struct wsk_call *call);

/* The IRP, made ready for the next call. */
PIRP call_irp(struct wsk_call *call);

/* An MDL of memory that is not paged, or lies on the caller's stack. */
PMDL resident_mdl(const void *bytes, SIZE_T length);
void free_resident_mdl(PMDL mdl);

/* A WSK_BUF of such memory; its MDL lives until the next one or call_free. */
WSK_BUF call_buffer(struct wsk_call *call, const void *bytes, SIZE_T length);

/* Waits for the call whose function returned this; gives the final status. */
NTSTATUS call_wait(struct wsk_call *call, NTSTATUS returned);

/* Whether the IRP was completed. */
BOOLEAN call_is_done(struct wsk_call *call);

static inline ULONG_PTR call_information(const struct wsk_call *call)
{
    return call->irp->IoStatus.Information;
}

/* Waits for an event or a thread; stops the program if that takes too long. */
void await(PVOID object);

/* ---- the client ---- */

NTSTATUS open_wsk(struct wsk_end *end);
void close_wsk(struct wsk_end *end);

/* A test between open_wsk(&test_end) and close_wsk, in a kernel of its own. */
extern struct wsk_end test_end;
#define kernel_test_wsk(function) cmocka_unit_test_setup_teardown(function, wsk_setup, wsk_teardown)
int wsk_setup(void **state);
int wsk_teardown(void **state);

/* WskControlClient without an IRP. */
NTSTATUS control_client(struct wsk_end *end, ULONG code, const void *input, SIZE_T input_length,
                        void *output, SIZE_T output_length, SIZE_T *returned);

/* Enables these events of all sockets to come. */
NTSTATUS enable_static_events(struct wsk_end *end, ULONG mask);

/* ---- addresses; ports in host order ---- */

SOCKADDR_INET loopback_address(ADDRESS_FAMILY family, USHORT port);
SOCKADDR_INET any_address(ADDRESS_FAMILY family, USHORT port);
USHORT port_of(const SOCKADDR_INET *address);
void assert_address_equal_(const char *file, int line, const SOCKADDR_INET *left,
                           const SOCKADDR_INET *right);
#define assert_address_equal(left, right) assert_address_equal_(__FILE__, __LINE__, left, right)

/* ---- sockets ---- */

NTSTATUS try_socket(struct wsk_end *end, ADDRESS_FAMILY family, USHORT type, ULONG protocol,
                    ULONG category, PVOID context, const VOID *dispatch, PWSK_SOCKET *socket);

/* A socket of TCP, or of UDP for WSK_FLAG_DATAGRAM_SOCKET; NULL if there is none. */
PWSK_SOCKET make_socket(struct wsk_end *end, ADDRESS_FAMILY family, ULONG category, PVOID context,
                        const VOID *dispatch);

/* Makes a socket that was not made here known to what follows. */
void learn_socket(ULONG category, PWSK_SOCKET socket);

/* What the category's table holds, for sockets of any category that has it. */
PFN_WSK_BIND bind_of(PWSK_SOCKET socket);
PFN_WSK_CONNECT connect_of(PWSK_SOCKET socket);
PFN_WSK_ACCEPT accept_of(PWSK_SOCKET socket);
PFN_WSK_SEND send_of(PWSK_SOCKET socket);
PFN_WSK_RECEIVE receive_of(PWSK_SOCKET socket);
PFN_WSK_DISCONNECT disconnect_of(PWSK_SOCKET socket);
PFN_WSK_GET_LOCAL_ADDRESS local_of(PWSK_SOCKET socket);
PFN_WSK_GET_REMOTE_ADDRESS remote_of(PWSK_SOCKET socket);

NTSTATUS bind_socket(struct wsk_end *end, PWSK_SOCKET socket, const SOCKADDR_INET *address);

/* Binds to the loopback address and a port that the host chooses; *bound (may be NULL) is it. */
NTSTATUS bind_loopback(struct wsk_end *end, PWSK_SOCKET socket, ADDRESS_FAMILY family,
                       SOCKADDR_INET *bound);
NTSTATUS connect_socket(struct wsk_end *end, PWSK_SOCKET socket, const SOCKADDR_INET *remote);
NTSTATUS accept_socket(struct wsk_end *end, PWSK_SOCKET listener, PVOID context,
                       const WSK_CLIENT_CONNECTION_DISPATCH *dispatch, PWSK_SOCKET *accepted);
NTSTATUS local_address(struct wsk_end *end, PWSK_SOCKET socket, SOCKADDR_INET *address);
NTSTATUS remote_address(struct wsk_end *end, PWSK_SOCKET socket, SOCKADDR_INET *address);
NTSTATUS disconnect_socket(struct wsk_end *end, PWSK_SOCKET socket, ULONG flags);
NTSTATUS close_socket(struct wsk_end *end, PWSK_SOCKET socket);

/* A bound listener on the loopback address; a bound and connected socket. NULL if it fails. */
PWSK_SOCKET listen_loopback(struct wsk_end *end, ADDRESS_FAMILY family, PVOID context,
                            const WSK_CLIENT_LISTEN_DISPATCH *dispatch, SOCKADDR_INET *bound);
PWSK_SOCKET connect_to(struct wsk_end *end, const SOCKADDR_INET *remote, PVOID context,
                       const WSK_CLIENT_CONNECTION_DISPATCH *dispatch);

/* ---- data ---- */

/* *moved may be NULL. */
NTSTATUS send_bytes(struct wsk_end *end, PWSK_SOCKET socket, const void *bytes, SIZE_T length,
                    ULONG flags, SIZE_T *moved);
NTSTATUS receive_bytes(struct wsk_end *end, PWSK_SOCKET socket, void *bytes, SIZE_T length,
                       ULONG flags, SIZE_T *moved);

/* ---- control ---- */

/* WskControlSocket with an IRP that is waited for; *information (may be NULL) is the IRP's. */
NTSTATUS control_socket(struct wsk_end *end, PWSK_SOCKET socket, WSK_CONTROL_SOCKET_TYPE type,
                        ULONG code, ULONG level, const void *input, SIZE_T input_length,
                        void *output, SIZE_T output_length, SIZE_T *information);

/* WskControlSocket without an IRP: what it returned. */
NTSTATUS control_socket_now(PWSK_SOCKET socket, WSK_CONTROL_SOCKET_TYPE type, ULONG code,
                            ULONG level, const void *input, SIZE_T input_length, void *output,
                            SIZE_T output_length, SIZE_T *returned);

NTSTATUS set_option(struct wsk_end *end, PWSK_SOCKET socket, ULONG level, ULONG option,
                    ULONG value);
NTSTATUS get_option(struct wsk_end *end, PWSK_SOCKET socket, ULONG level, ULONG option,
                    ULONG *value);

/* SO_WSK_EVENT_CALLBACK without an IRP: what it returned. */
NTSTATUS enable_events(PWSK_SOCKET socket, ULONG mask);
NTSTATUS disable_event_now(PWSK_SOCKET socket, ULONG event);

/* Disables one with an IRP that is waited for. */
NTSTATUS disable_event(struct wsk_end *end, PWSK_SOCKET socket, ULONG event);

#endif
