/* I/O controls of sockets: the table, and what its rows do. */
#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "wsk/control.h"
#include "wsk/indication.h"
#include "wsk/misuse.h"
#include "wsk/option.h"
#include "wsk/wsk.h"

#include <mstcpip.h>

/* ---- datagrams ---- */

/* Reads the address of a fixed remote side; no input clears it. */
static NTSTATUS fixed_address(const struct wsk_control *control, struct net_address *address,
                              bool *has_address)
{
    const struct wsk_socket *socket = control->socket;
    SIZE_T needed = socket->family == AF_INET ? sizeof(SOCKADDR_IN) : sizeof(SOCKADDR_IN6);
    *has_address = control->input_bytes != 0 || control->input != NULL;
    if (!*has_address) {
        return STATUS_SUCCESS;
    }
    bool is_whole = control->input != NULL && control->input_bytes >= needed;
    NTSTATUS status =
        is_whole ? wsk_address_of(socket, control->input, address) : STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(status)) {
        bool is_remote = control->code == SIO_WSK_SET_REMOTE_ADDRESS;
        wsk_misuse(is_remote ? "WSK-IOC-09" : "WSK-IOC-13", "WskControlSocket", "socket", socket,
                   "with an input that is no whole address of the socket's family");
    }
    return status;
}

static NTSTATUS set_remote(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct net_address address;
    bool has_address;
    UNREFERENCED_PARAMETER(row);
    NTSTATUS status = fixed_address(control, &address, &has_address);
    if (NT_SUCCESS(status)) {
        wsk_datagram_set_remote(control->socket, has_address ? &address : NULL);
    }
    return status;
}

static NTSTATUS set_target(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct net_address address;
    bool has_address;
    UNREFERENCED_PARAMETER(row);
    NTSTATUS status = fixed_address(control, &address, &has_address);
    if (NT_SUCCESS(status)) {
        wsk_datagram_set_target(control->socket, has_address ? &address : NULL);
    }
    return status;
}

/* ---- connections ---- */

static NTSTATUS query_send_backlog(struct wsk_control *control, const struct wsk_control_row *row)
{
    wsk_send_measure_backlog(control->socket);
    SIZE_T ideal = control->socket->connection.ideal_backlog;
    UNREFERENCED_PARAMETER(row);
    wsk_control_store(control, &ideal, sizeof(ideal));
    return STATUS_SUCCESS;
}

/* What the host holds, and what a receive event left. */
static NTSTATUS query_receive_backlog(struct wsk_control *control,
                                      const struct wsk_control_row *row)
{
    const struct wsk_socket *socket = control->socket;
    const struct wsk_indication *held = socket->connection.held;
    SIZE_T backlog = held == NULL ? 0 : held->end - held->start;
    size_t unread = 0;
    UNREFERENCED_PARAMETER(row);
    if (socket->net != NULL) {
        NTSTATUS status = wsk_status(net_unread(socket->net, &unread));
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
    backlog += unread;
    wsk_control_store(control, &backlog, sizeof(backlog));
    return STATUS_SUCCESS;
}

static NTSTATUS query_inspect_id(struct wsk_control *control, const struct wsk_control_row *row)
{
    const struct wsk_socket *socket = control->socket;
    UNREFERENCED_PARAMETER(row);
    if (socket->role != WSK_ROLE_CONNECTION || !socket->connection.has_inspect_id) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    wsk_control_store(control, &socket->connection.inspect_id, sizeof(WSK_INSPECT_ID));
    return STATUS_SUCCESS;
}

/* Accepted and remembered: the host chooses its own way through loopback. Too late is too late. */
static NTSTATUS set_fast_loopback(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct wsk_socket *socket = control->socket;
    if (socket->type != SOCK_STREAM) {
        return STATUS_NOT_SUPPORTED;
    }
    if (control->input == NULL ||
        (control->input_bytes != sizeof(BOOLEAN) && control->input_bytes != sizeof(ULONG))) {
        return STATUS_INVALID_BUFFER_SIZE;
    }
    if (socket->role == WSK_ROLE_CONNECTION &&
        (socket->state == WSK_CONNECTING || socket->state == WSK_CONNECTED)) {
        ke_warning("WSK-IOC-33", "%s came after the connect request", row->name);
        return STATUS_NOT_SUPPORTED;
    }
    socket->options &= ~WSK_OPTION_FAST_LOOPBACK;
    socket->options |= *(const BOOLEAN *)control->input ? WSK_OPTION_FAST_LOOPBACK : 0;
    return STATUS_SUCCESS;
}

/* ---- what is known and never works ---- */

/* The argument is the status. */
static NTSTATUS refuse(struct wsk_control *control, const struct wsk_control_row *row)
{
    UNREFERENCED_PARAMETER(control);
    return (NTSTATUS)row->argument;
}

/* The host has no such mode. */
static NTSTATUS set_silent_mode(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct wsk_socket *socket = control->socket;
    if (wsk_queue_first(&socket->send) != NULL) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket,
                     (ULONG_PTR)wsk_queue_first(&socket->send), 0, "WSK-IOC-26",
                     "The driver asked for the silent mode of the socket %p while a send or a "
                     "disconnect of it was pending.",
                     (void *)socket);
    }
    return refuse(control, row);
}

/* ---- the table ---- */

#define NAMED(control) .code = (control), .name = "WskControlSocket (" #control ")"
#define QUERY_NOW (WSK_IRP_UNWANTED | WSK_SIZE_REQUIRED)

static const struct wsk_control_row rows[] = {
    {NAMED(SIO_ADDRESS_LIST_QUERY), .sockets = WSK_ON_ANY, .flags = QUERY_NOW | WSK_PASSIVE,
     .own = wsk_address_list_query, .form = "WSK-IOC-02"},
    {NAMED(SIO_ADDRESS_LIST_CHANGE), .sockets = WSK_ON_ANY, .flags = WSK_PASSIVE,
     .own = wsk_address_list_await, .form = "WSK-IOC-04"},
    {NAMED(SIO_ADDRESS_LIST_SORT), .sockets = WSK_ON_ANY, .flags = WSK_PASSIVE,
     .own = wsk_address_list_sort},
    {NAMED(SIO_WSK_SET_REMOTE_ADDRESS), .sockets = WSK_ON_DATAGRAM,
     .flags = WSK_IRP_REQUIRED | WSK_AFTER_BIND, .run = set_remote, .form = "WSK-IOC-07",
     .rule = "WSK-IOC-08"},
    {NAMED(SIO_WSK_SET_SENDTO_ADDRESS), .sockets = WSK_ON_DATAGRAM,
     .flags = WSK_IRP_REQUIRED | WSK_AFTER_BIND, .run = set_target, .form = "WSK-IOC-13",
     .rule = "WSK-IOC-14"},
    {NAMED(SIO_WSK_QUERY_IDEAL_SEND_BACKLOG), .sockets = WSK_ON_CONNECTION,
     .flags = WSK_IRP_REQUIRED | WSK_CONNECTED_ONLY, .output_bytes = sizeof(SIZE_T),
     .run = query_send_backlog, .form = "WSK-IOC-18", .rule = "WSK-IOC-18"},
    {NAMED(SIO_WSK_QUERY_RECEIVE_BACKLOG), .sockets = WSK_ON_CONNECTION,
     .flags = WSK_IRP_REQUIRED | WSK_CONNECTED_ONLY, .output_bytes = sizeof(SIZE_T),
     .run = query_receive_backlog, .form = "WSK-IOC-20", .rule = "WSK-IOC-20"},
    {NAMED(SIO_WSK_QUERY_INSPECT_ID), .sockets = WSK_ON_ANY, .flags = QUERY_NOW,
     .output_bytes = sizeof(WSK_INSPECT_ID), .run = query_inspect_id, .form = "WSK-IOC-22"},
    {NAMED(SIO_WSK_SET_TCP_SILENT_MODE), .sockets = WSK_ON_CONNECTION,
     .flags = WSK_IRP_REQUIRED | WSK_CONNECTED_ONLY, .run = set_silent_mode,
     .argument = (ULONG)STATUS_NOT_SUPPORTED, .form = "WSK-IOC-25"},
    {NAMED(SIO_WSK_REGISTER_EXTENSION), .sockets = WSK_ON_ANY, .flags = WSK_IRP_UNWANTED,
     .input_bytes = sizeof(WSK_EXTENSION_CONTROL_IN),
     .output_bytes = sizeof(WSK_EXTENSION_CONTROL_OUT), .own = wsk_extension_register,
     .form = "WSK-EXT-02"},
    {NAMED(SIO_LOOPBACK_FAST_PATH), .sockets = WSK_ON_ANY, .flags = WSK_IRP_REQUIRED | WSK_PASSIVE,
     .run = set_fast_loopback, .form = "WSK-IOC-32"},
    {NAMED(SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS), .sockets = WSK_ON_ANY,
     .flags = WSK_IRP_REQUIRED | WSK_SIZE_REQUIRED | WSK_PASSIVE, .run = refuse,
     .argument = (ULONG)STATUS_NOT_FOUND, .form = "WSK-IOC-40"},
    {NAMED(SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT), .sockets = WSK_ON_ANY,
     .flags = WSK_IRP_REQUIRED | WSK_SIZE_REQUIRED | WSK_PASSIVE, .run = refuse,
     .argument = (ULONG)STATUS_NOT_FOUND, .form = "WSK-IOC-40"},
    {NAMED(SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS), .sockets = WSK_ON_ANY,
     .flags = WSK_IRP_REQUIRED | WSK_PASSIVE, .run = refuse,
     .argument = (ULONG)STATUS_ACCESS_DENIED, .form = "WSK-IOC-40"},
};

const struct wsk_control_row *wsk_ioctl_find(ULONG code)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(rows); i++) {
        if (rows[i].code == code) {
            return &rows[i];
        }
    }
    return NULL;
}
