/*
 * Calls that Windows only refuses, and that no driver means to make: the verifier says which rule
 * they break. Each is said once for a rule and an object.
 */
#ifndef WSK_MISUSE_H
#define WSK_MISUSE_H

#include <ntddk.h>

struct wsk_socket;

/* "the driver called FUNCTION on the KIND OBJECT, HOW". */
void wsk_misuse(const char *rule, const char *function, const char *kind, const void *object,
                const char *how);

/* A function that requires an IRP was called without one. */
void wsk_misuse_no_irp(const char *function, const char *kind, const void *object);

/* Says it of a socket, and refuses the IRP with the status. No lock is held. */
NTSTATUS wsk_misuse_refuse(struct wsk_socket *socket, PIRP irp, NTSTATUS status, const char *rule,
                           const char *function, const char *how);

/* Refuses the IRP with the status; if that is STATUS_INVALID_DEVICE_STATE, says which rule forbids
 * the function in the socket's state. The lock is held on entry, not on return. */
NTSTATUS wsk_misuse_refuse_state(struct wsk_socket *socket, PIRP irp, NTSTATUS status,
                                 const char *function);

#endif
