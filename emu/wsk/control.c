/*
 * WskControlSocket.
 *
 * Every operation is a row of a table (option.c, ioctl.c). The row says what can be checked without
 * knowing the operation: which sockets it is for, whether it wants an IRP, how large its buffers
 * are, when it may come. What is left is a function that sets or stores a value.
 *
 * All buffers are read and written during the call, with an IRP too: drivers keep values on their
 * stacks. The exceptions have an `own` function.
 *
 * The order of refusals, where several apply: unknown; not for this socket; no IRP where one is
 * required; buffers; state.
 */
#include "wsk/control.h"

#include "ke/limit.h"
#include "ke/warning.h"
#include "wsk/misuse.h"
#include "wsk/option.h"
#include "wsk/wsk.h"

void wsk_control_store(struct wsk_control *control, const VOID *value, SIZE_T bytes)
{
    RtlCopyMemory(control->output, value, bytes);
    control->stored = bytes;
}

/* ---- checks ---- */

void wsk_control_warn_of_form(const struct wsk_control *control, const struct wsk_control_row *row,
                              const char *how)
{
    wsk_misuse(row->form != NULL ? row->form : "WSK-SKO-08", row->name, "socket", control->socket,
               how);
}

static const struct wsk_control_row *find(const struct wsk_control *control)
{
    switch (control->type) {
    case WskSetOption:
    case WskGetOption:
        return wsk_option_find(control->level, control->code);
    case WskIoctl:
        return wsk_ioctl_find(control->code);
    default:
        return NULL;
    }
}

static unsigned kinds_of(const struct wsk_socket *socket)
{
    switch (socket->role) {
    case WSK_ROLE_LISTENER:
        return WSK_ON_LISTENER;
    case WSK_ROLE_CONNECTION:
        return WSK_ON_CONNECTION;
    case WSK_ROLE_DATAGRAM:
        return WSK_ON_DATAGRAM;
    default:
        return socket->category == WSK_FLAG_STREAM_SOCKET ? WSK_ON_LISTENER | WSK_ON_CONNECTION
                                                          : WSK_ON_BASIC;
    }
}

/* Whether options of this level are the socket's: IPv4's are also those of a socket of IPv6 that
 * takes IPv4. */
static bool has_level(const struct wsk_socket *socket, ULONG level)
{
    switch (level) {
    case IPPROTO_IP:
        return socket->family == AF_INET || (socket->options & WSK_OPTION_IPV6_ONLY) == 0;
    case IPPROTO_IPV6:
        return socket->family == AF_INET6;
    case IPPROTO_TCP:
        return socket->type == SOCK_STREAM;
    case IPPROTO_UDP:
        return socket->type == SOCK_DGRAM;
    default:
        return true;
    }
}

static bool has_form(const struct wsk_control *control, const struct wsk_control_row *row)
{
    switch (control->type) {
    case WskSetOption:
        return (row->flags & WSK_CAN_SET) != 0;
    case WskGetOption:
        return (row->flags & WSK_CAN_GET) != 0;
    default:
        return true;
    }
}

static NTSTATUS check_buffers(struct wsk_control *control, const struct wsk_control_row *row)
{
    SIZE_T input = control->type == WskGetOption ? 0 : row->input_bytes;
    SIZE_T output = control->type == WskSetOption ? 0 : row->output_bytes;
    if (input != 0 && (control->input == NULL || control->input_bytes < input)) {
        if (row->input_rule != NULL) {
            wsk_misuse(row->input_rule, row->name, "socket", control->socket,
                       "with an input that is too small");
        }
        return STATUS_INVALID_PARAMETER;
    }
    if (output != 0 && (control->output == NULL || control->output_bytes < output)) {
        control->stored = output;
        return STATUS_BUFFER_TOO_SMALL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS check_call(struct wsk_control *control, const struct wsk_control_row *row)
{
    if ((row->flags & WSK_IRP_REQUIRED) != 0 && control->irp == NULL) {
        wsk_control_warn_of_form(control, row, "without an IRP");
        return STATUS_INVALID_PARAMETER;
    }
    if ((row->flags & WSK_SIZE_REQUIRED) != 0 && control->irp == NULL &&
        control->returned == NULL) {
        wsk_control_warn_of_form(control, row, "without OutputSizeReturned");
        return STATUS_INVALID_PARAMETER;
    }
    return check_buffers(control, row);
}

/* What a driver should not do but may. */
static void warn(const struct wsk_control *control, const struct wsk_control_row *row)
{
    bool is_ioctl = control->type == WskIoctl;
    bool has_input = is_ioctl ? (control->code & IOC_IN) != 0 : control->type == WskSetOption;
    bool has_output = is_ioctl ? (control->code & IOC_OUT) != 0 || row->output_bytes != 0
                               : control->type == WskGetOption;
    if (control->irp != NULL && (row->flags & WSK_IRP_UNWANTED) != 0) {
        wsk_control_warn_of_form(control, row, "with an IRP");
    }
    if (control->irp != NULL && control->returned != NULL &&
        (row->flags & WSK_SIZE_REQUIRED) == 0) {
        ke_warning("WSK-SKO-09", "OutputSizeReturned was given with %s although there is an IRP",
                   row->name);
    }
    if ((control->input != NULL && !has_input) || (control->output != NULL && !has_output)) {
        ke_warning("WSK-SKO-11", "a buffer was given with %s that it has no use for", row->name);
    }
}

/* Whether it comes at a time when it may. The lock is held. */
static bool is_in_time(const struct wsk_control *control, const struct wsk_control_row *row)
{
    enum wsk_socket_state state = control->socket->state;
    bool is_setting = control->type != WskGetOption;
    if (is_setting && (row->flags & WSK_BEFORE_BIND) != 0 && state != WSK_OPENED) {
        return false;
    }
    if ((row->flags & WSK_AFTER_BIND) != 0 && state == WSK_OPENED) {
        return false;
    }
    return (row->flags & WSK_CONNECTED_ONLY) == 0 || state == WSK_CONNECTED;
}

/* ---- running ---- */

NTSTATUS wsk_control_end(struct wsk_control *control, NTSTATUS status)
{
    bool has_size =
        NT_SUCCESS(status) || status == STATUS_BUFFER_OVERFLOW || status == STATUS_BUFFER_TOO_SMALL;
    if (control->returned != NULL && has_size) {
        *control->returned = control->stored;
    }
    if (control->irp == NULL) {
        return status;
    }
    if (!NT_SUCCESS(status)) {
        return wsk_irp_refuse(control->irp, status);
    }
    if (status == STATUS_SUCCESS && control->stored != 0) {
        return wsk_irp_finish_output(control->socket, control->irp, control->stored,
                                     control->output, "WSK-SKO-12");
    }
    return wsk_irp_finish(control->socket, control->irp, status, control->stored);
}

/* STATUS_SUCCESS if the row fits the socket and the call. */
static NTSTATUS check(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct wsk_socket *socket = control->socket;
    if (!has_form(control, row)) {
        return STATUS_NOT_SUPPORTED;
    }
    wsk_socket_lock(socket);
    bool is_for_socket = (kinds_of(socket) & row->sockets) != 0 &&
                         (control->type == WskIoctl || has_level(socket, row->level));
    wsk_socket_unlock(socket);
    return is_for_socket ? check_call(control, row) : STATUS_INVALID_DEVICE_REQUEST;
}

static NTSTATUS run(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct wsk_socket *socket = control->socket;
    wsk_socket_lock(socket);
    bool is_allowed = is_in_time(control, row);
    NTSTATUS status = is_allowed ? row->run(control, row) : STATUS_INVALID_DEVICE_STATE;
    wsk_socket_unlock(socket);
    if (!is_allowed && row->rule != NULL) {
        ke_warning(row->rule, "%s was used on a socket in a state in which it cannot be",
                   row->name);
    }
    return wsk_control_end(control, status);
}

static NTSTATUS control_socket(struct wsk_control *control)
{
    if ((ULONG)control->type >= WskControlMax) {
        return wsk_control_end(control, STATUS_INVALID_PARAMETER);
    }
    const struct wsk_control_row *row = find(control);
    if (row == NULL) {
        return wsk_control_end(control, STATUS_NOT_SUPPORTED);
    }
    if ((row->flags & WSK_PASSIVE) != 0) {
        ke_limit_exactly(PASSIVE_LEVEL, row->name);
    }
    NTSTATUS status = check(control, row);
    if (!NT_SUCCESS(status)) {
        return wsk_control_end(control, status);
    }
    warn(control, row);
    return row->own != NULL ? row->own(control, row) : run(control, row);
}

/*
 * Sets or gets an option of a socket, or controls it otherwise. <= DISPATCH, some PASSIVE. Returns
 * the result, or STATUS_PENDING with an IRP; STATUS_NOT_SUPPORTED for what is not known,
 * STATUS_INVALID_DEVICE_REQUEST for what is not for such sockets. (WSK-SKO, WSK-OPT, WSK-IOC)
 */
NTSTATUS WSKAPI wsk_control_socket(PWSK_SOCKET Socket, WSK_CONTROL_SOCKET_TYPE RequestType,
                                   ULONG ControlCode, ULONG Level, SIZE_T InputSize,
                                   PVOID InputBuffer, SIZE_T OutputSize, PVOID OutputBuffer,
                                   SIZE_T *OutputSizeReturned, PIRP Irp)
{
    struct wsk_control control = {.socket = wsk_socket_of(Socket),
                                  .type = RequestType,
                                  .code = ControlCode,
                                  .level = Level,
                                  .input_bytes = InputSize,
                                  .input = InputBuffer,
                                  .output_bytes = OutputSize,
                                  .output = OutputBuffer,
                                  .returned = OutputSizeReturned,
                                  .irp = Irp,
                                  .creator = _ReturnAddress()};
    WSK_COUNT_CALL(control.socket);
    NTSTATUS status = wsk_control_begin(control.socket, Irp, "WskControlSocket");
    return NT_SUCCESS(status) ? control_socket(&control) : status;
}
