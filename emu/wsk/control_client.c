/*
 * WskControlClient.
 *
 * All operations but one end within the call and must have no IRP. One that comes with an IRP all
 * the same, or with sizes that are not the operation's, is refused with STATUS_INVALID_PARAMETER,
 * an IRP being completed with that, and a warning names the rule.
 */
#include "ke/limit.h"
#include "ke/warning.h"
#include "trace/trace.h"
#include "wsk/security.h"
#include "wsk/transport.h"
#include "wsk/wsk.h"

/* What WskControlClient was told. */
struct call {
    struct wsk_client *client;
    SIZE_T input_bytes;
    PVOID input;
    SIZE_T output_bytes;
    PVOID output;
    SIZE_T *returned;
    const void *creator; /* the driver's call site */
};

/* An operation that ends within the call. */
struct operation {
    ULONG code;
    const char *name;
    const char *rule; /* of its arguments */
    SIZE_T input_bytes;
    SIZE_T output_bytes; /* 0 where the size is not known in advance */
    bool is_sized;       /* it returns a size */
    bool is_before_sockets;
    const char *before_sockets_rule;
    NTSTATUS (*run)(const struct call *call);
};

static NTSTATUS query_transports(const struct call *call)
{
    SIZE_T required;
    NTSTATUS status = wsk_transport_query(call->output, call->output_bytes, &required);
    *call->returned = required;
    return status;
}

static NTSTATUS cache_descriptor(const struct call *call)
{
    PSECURITY_DESCRIPTOR const *uncached = call->input;
    return wsk_security_cache(*uncached, call->creator, call->output);
}

static NTSTATUS release_descriptor(const struct call *call)
{
    PSECURITY_DESCRIPTOR const *cached = call->input;
    wsk_security_release(*cached);
    return STATUS_SUCCESS;
}

/* A second call adds to what the first one enabled: nothing static can be disabled. */
static NTSTATUS set_static_events(const struct call *call)
{
    const WSK_EVENT_CALLBACK_CONTROL *control = call->input;
    const ULONG known = WSK_CONNECTION_EVENTS | WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE_FROM;
    if (control->NpiId == NULL || !IsEqualGUID(control->NpiId, &NPI_WSK_INTERFACE_ID)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (control->EventMask == 0 || (control->EventMask & ~known) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    base_mutex_lock(&call->client->lock);
    call->client->static_events |= control->EventMask;
    base_mutex_unlock(&call->client->lock);
    return STATUS_SUCCESS;
}

/* There are no TDI transports and no TDI filters to choose. (WSK-CTL-37, WSK-CTL-40) */
static NTSTATUS accept_without_effect(const struct call *call)
{
    UNREFERENCED_PARAMETER(call);
    return STATUS_SUCCESS;
}

static const struct operation operations[] = {
    {.code = WSK_TRANSPORT_LIST_QUERY,
     .name = "WSK_TRANSPORT_LIST_QUERY",
     .rule = "WSK-CTL-12",
     .is_sized = true,
     .run = query_transports},
    {.code = WSK_CACHE_SD,
     .name = "WSK_CACHE_SD",
     .rule = "WSK-CTL-22",
     .input_bytes = sizeof(PSECURITY_DESCRIPTOR),
     .output_bytes = sizeof(PSECURITY_DESCRIPTOR),
     .run = cache_descriptor},
    {.code = WSK_RELEASE_SD,
     .name = "WSK_RELEASE_SD",
     .rule = "WSK-CTL-25",
     .input_bytes = sizeof(PSECURITY_DESCRIPTOR),
     .run = release_descriptor},
    {.code = WSK_SET_STATIC_EVENT_CALLBACKS,
     .name = "WSK_SET_STATIC_EVENT_CALLBACKS",
     .rule = "WSK-CTL-27",
     .input_bytes = sizeof(WSK_EVENT_CALLBACK_CONTROL),
     .is_before_sockets = true,
     .before_sockets_rule = "WSK-CTL-28",
     .run = set_static_events},
    {.code = WSK_TDI_DEVICENAME_MAPPING,
     .name = "WSK_TDI_DEVICENAME_MAPPING",
     .rule = "WSK-CTL-35",
     .input_bytes = sizeof(WSK_TDI_MAP_INFO),
     .is_before_sockets = true,
     .before_sockets_rule = "WSK-CTL-36",
     .run = accept_without_effect},
    {.code = WSK_TDI_BEHAVIOR,
     .name = "WSK_TDI_BEHAVIOR",
     .rule = "WSK-CTL-39",
     .input_bytes = sizeof(ULONG),
     .is_before_sockets = true,
     .before_sockets_rule = "WSK-CTL-39",
     .run = accept_without_effect},
};

static const struct operation *find(ULONG code)
{
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(operations); i++) {
        if (operations[i].code == code) {
            return &operations[i];
        }
    }
    return NULL;
}

/* What is ignored, but should not be there. (WSK-CTL-06, WSK-CTL-07) */
static void warn_of_surplus(const struct operation *operation, const struct call *call)
{
    if (operation->input_bytes == 0 && (call->input != NULL || call->input_bytes != 0)) {
        ke_warning("WSK-CTL-06", "%s has no input: InputBuffer has to be NULL and InputSize 0.",
                   operation->name);
    }
    if (!operation->is_sized && operation->output_bytes == 0 &&
        (call->output != NULL || call->output_bytes != 0)) {
        ke_warning("WSK-CTL-06", "%s has no output: OutputBuffer has to be NULL and OutputSize 0.",
                   operation->name);
    }
    if (!operation->is_sized && call->returned != NULL) {
        ke_warning("WSK-CTL-07", "OutputSizeReturned should be NULL for %s.", operation->name);
    }
}

static bool is_input_right(const struct operation *operation, const struct call *call)
{
    return operation->input_bytes == 0 ||
           (call->input_bytes == operation->input_bytes && call->input != NULL);
}

static bool is_output_right(const struct operation *operation, const struct call *call)
{
    if (operation->is_sized) {
        return call->returned != NULL;
    }
    return operation->output_bytes == 0 ||
           (call->output_bytes == operation->output_bytes && call->output != NULL);
}

static NTSTATUS refuse(const struct operation *operation, const char *what)
{
    ke_warning(operation->rule, "WskControlClient with %s: %s.", operation->name, what);
    return STATUS_INVALID_PARAMETER;
}

static NTSTATUS check(const struct operation *operation, const struct call *call, PIRP irp)
{
    if (irp != NULL) {
        return refuse(operation, "the IRP has to be NULL");
    }
    if (!is_input_right(operation, call)) {
        return refuse(operation, "the input is not what the operation takes");
    }
    if (!is_output_right(operation, call)) {
        return refuse(operation, operation->is_sized ? "OutputSizeReturned must not be NULL"
                                                     : "the output is not what it gives");
    }
    warn_of_surplus(operation, call);
    if (operation->is_before_sockets) {
        base_mutex_lock(&call->client->lock);
        bool is_late = call->client->has_had_sockets;
        base_mutex_unlock(&call->client->lock);
        if (is_late) {
            ke_warning(operation->before_sockets_rule,
                       "%s has to come before the client makes its first socket.", operation->name);
            return STATUS_INVALID_DEVICE_STATE;
        }
    }
    return STATUS_SUCCESS;
}

/* WSK_TRANSPORT_LIST_CHANGE: the only operation that has an IRP. Everything else that it is given
 * is ignored. (WSK-CTL-18, WSK-HDR-15, WSK-HDR-32) */
static NTSTATUS await_change(const struct call *call, PIRP irp)
{
    if (call->input != NULL || call->input_bytes != 0 || call->output != NULL ||
        call->output_bytes != 0 || call->returned != NULL) {
        ke_warning("WSK-CTL-18", "WSK_TRANSPORT_LIST_CHANGE has neither input nor output.");
    }
    if (irp == NULL) {
        ke_warning("WSK-CTL-08", "WSK_TRANSPORT_LIST_CHANGE needs an IRP.");
        return STATUS_INVALID_PARAMETER;
    }
    return wsk_transport_await_change(call->client, irp);
}

static NTSTATUS control(ULONG code, const struct call *call, PIRP irp)
{
    if (code == WSK_TRANSPORT_LIST_CHANGE) {
        return await_change(call, irp);
    }
    const struct operation *operation = find(code);
    NTSTATUS status = operation == NULL ? STATUS_INVALID_PARAMETER : check(operation, call, irp);
    if (NT_SUCCESS(status)) {
        return operation->run(call);
    }
    return irp == NULL ? status : wsk_irp_refuse(irp, status);
}

/*
 * Controls the client. Sizes are in bytes. STATUS_SUCCESS; STATUS_PENDING only for
 * WSK_TRANSPORT_LIST_CHANGE; STATUS_BUFFER_OVERFLOW with the required size in *OutputSizeReturned;
 * STATUS_INVALID_HANDLE for no client; STATUS_INVALID_PARAMETER for an unknown code and wrong
 * arguments; STATUS_INVALID_DEVICE_STATE where a socket was made too early;
 * STATUS_INVALID_SECURITY_DESCR, STATUS_INSUFFICIENT_RESOURCES. IRQL <= DISPATCH_LEVEL.
 * (WSK-CTL, WSK-HDR-08)
 */
NTSTATUS WSKAPI wsk_control_client(PWSK_CLIENT Client, ULONG ControlCode, SIZE_T InputSize,
                                   PVOID InputBuffer, SIZE_T OutputSize, PVOID OutputBuffer,
                                   SIZE_T *OutputSizeReturned, PIRP Irp)
{
    ke_limit_at_most(DISPATCH_LEVEL, "WskControlClient");
    trace_call("WskControlClient", Client, Irp);
    if (Client == NULL) {
        return STATUS_INVALID_HANDLE;
    }
    const struct call call = {
        .client = wsk_client_enter(Client),
        .input_bytes = InputSize,
        .input = InputBuffer,
        .output_bytes = OutputSize,
        .output = OutputBuffer,
        .returned = OutputSizeReturned,
        .creator = _ReturnAddress(),
    };
    NTSTATUS status = control(ControlCode, &call, Irp);
    wsk_client_release_request(call.client);
    return status;
}
