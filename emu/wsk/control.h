/* Control operations of sockets, between control.c and the tables of option.c and ioctl.c. */
#ifndef WSK_CONTROL_H
#define WSK_CONTROL_H

#include <ntddk.h>
#include <wsk.h>

#include <stdbool.h>

struct net_address;
struct wsk_socket;

/* A call of WskControlSocket. */
struct wsk_control {
    struct wsk_socket *socket;
    WSK_CONTROL_SOCKET_TYPE type;
    ULONG code;
    ULONG level;
    SIZE_T input_bytes;
    const VOID *input;
    SIZE_T output_bytes;
    PVOID output;
    SIZE_T *returned;    /* OutputSizeReturned; may be NULL */
    SIZE_T stored;       /* bytes stored in the output, or needed there */
    PIRP irp;            /* not taken yet; may be NULL */
    const void *creator; /* the driver's call site */
};

/* The sockets that an operation is for. A stream socket that does not act as anything yet counts as
 * a listener and a connection. */
enum wsk_control_sockets {
    WSK_ON_BASIC = 1,
    WSK_ON_LISTENER = 2,
    WSK_ON_CONNECTION = 4,
    WSK_ON_DATAGRAM = 8,
    WSK_ON_ANY = 15,
};

enum wsk_control_flags {
    WSK_CAN_SET = 1,
    WSK_CAN_GET = 2,
    WSK_IRP_REQUIRED = 4,    /* none: STATUS_INVALID_PARAMETER */
    WSK_IRP_UNWANTED = 8,    /* works with one, with a warning */
    WSK_SIZE_REQUIRED = 16,  /* without an IRP OutputSizeReturned must be given */
    WSK_PASSIVE = 32,        /* PASSIVE_LEVEL only */
    WSK_BEFORE_BIND = 64,    /* set only then; STATUS_INVALID_DEVICE_STATE */
    WSK_AFTER_BIND = 128,    /* only then; STATUS_INVALID_DEVICE_STATE */
    WSK_CONNECTED_ONLY = 256 /* only then; STATUS_INVALID_DEVICE_STATE */
};

/* One operation: an option at a level, or an I/O control. */
struct wsk_control_row {
    ULONG level; /* 0 for I/O controls */
    ULONG code;
    const char *name;
    unsigned sockets; /* enum wsk_control_sockets; others: STATUS_INVALID_DEVICE_REQUEST */
    unsigned flags;   /* enum wsk_control_flags */
    SIZE_T input_bytes;
    SIZE_T output_bytes;
    /* Does it and says how it ended; the socket's lock is held, the buffers are large enough. */
    NTSTATUS (*run)(struct wsk_control *control, const struct wsk_control_row *row);
    /* Or: does it, completes the IRP, returns what WskControlSocket returns. No lock is held. */
    NTSTATUS (*own)(struct wsk_control *control, const struct wsk_control_row *row);
    ULONG argument;         /* of run or own */
    const char *form;       /* the rule on its IRP and buffers; NULL: WSK-SKO-08 */
    const char *input_rule; /* the rule on its input alone, or NULL */
    const char *rule;       /* that a driver breaks by coming too late or too early */
};

/* The row of an operation; NULL if there is none. */
const struct wsk_control_row *wsk_option_find(ULONG level, ULONG code);
const struct wsk_control_row *wsk_ioctl_find(ULONG code);

/* Ends an operation with this status: fills OutputSizeReturned, completes the IRP if there is one,
 * and gives what WskControlSocket returns. No lock is held. */
NTSTATUS wsk_control_end(struct wsk_control *control, NTSTATUS status);

/* The call has not the form that the operation asks for. */
void wsk_control_warn_of_form(const struct wsk_control *control, const struct wsk_control_row *row,
                              const char *how);

/* Stores a value in the output. */
void wsk_control_store(struct wsk_control *control, const VOID *value, SIZE_T bytes);

/* ---- operations in files of their own ---- */

/* The addresses of the machine: address_list.c. */
NTSTATUS wsk_address_list_query(struct wsk_control *control, const struct wsk_control_row *row);
NTSTATUS wsk_address_list_sort(struct wsk_control *control, const struct wsk_control_row *row);
NTSTATUS wsk_address_list_await(struct wsk_control *control, const struct wsk_control_row *row);

/* Completes all that await a change. IRQL <= DISPATCH_LEVEL. */
void wsk_address_list_changed(void);

/* Groups of multicast and interfaces: membership.c. */
NTSTATUS wsk_membership_ipv4(struct wsk_control *control, const struct wsk_control_row *row);
NTSTATUS wsk_membership_ipv6(struct wsk_control *control, const struct wsk_control_row *row);
NTSTATUS wsk_membership_group(struct wsk_control *control, const struct wsk_control_row *row);

/* The index of an interface as IPv4 options name it: one of its addresses, or its index as
 * 0.x.x.x; 0 for 0.0.0.0. */
NTSTATUS wsk_interface_of(ULONG value, ULONG *interface);

/* SIO_WSK_REGISTER_EXTENSION, and SO_WSK_EVENT_CALLBACK with the id of an extension: extension.c.
 * is_known says whether the id is that of an extension registered on the socket. */
NTSTATUS wsk_extension_register(struct wsk_control *control, const struct wsk_control_row *row);
NTSTATUS wsk_extension_set_events(struct wsk_control *control, bool *is_known);

#endif
