/*
 * Extension interfaces. Windows defines none; a test may provide some (include/wskemu/network.h).
 *
 * The provided ones stand in wsk_state, those that a socket registered at the socket. Neither list
 * shrinks while it is in use, so entries may be used without the lock.
 */
#include "wsk/extension.h"

#include "wsk/control.h"
#include "wsk/wsk.h"

#include <stdlib.h>

/* One that a test provides. */
struct wsk_extension {
    struct wsk_extension *next;
    NPIID id;
    struct wskemu_extension provider;
    PVOID context;
};

/* One that a driver registered on a socket. */
struct wsk_extension_use {
    struct wsk_extension_use *next;
    const struct wsk_extension *extension;
    PVOID provider_context;
};

NTSTATUS wsk_extension_provide(const GUID *id, const struct wskemu_extension *provider,
                               PVOID context)
{
    struct wsk_state *wsk = wsk_state();
    struct wsk_extension *extension = calloc(1, sizeof(*extension));
    if (extension == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    extension->id = *id;
    extension->provider = *provider;
    extension->context = context;
    base_mutex_lock(&wsk->lock);
    extension->next = wsk->extensions;
    wsk->extensions = extension;
    base_mutex_unlock(&wsk->lock);
    return STATUS_SUCCESS;
}

void wsk_extensions_stop(struct wsk_state *wsk)
{
    while (wsk->extensions != NULL) {
        struct wsk_extension *extension = wsk->extensions;
        wsk->extensions = extension->next;
        free(extension);
    }
}

void wsk_extensions_end(struct wsk_socket *socket)
{
    while (socket->extensions != NULL) {
        struct wsk_extension_use *use = socket->extensions;
        socket->extensions = use->next;
        free(use);
    }
}

/* The last one provided under this id, or NULL. */
static const struct wsk_extension *find(const NPIID *id)
{
    struct wsk_state *wsk = wsk_state();
    base_mutex_lock(&wsk->lock);
    const struct wsk_extension *extension = wsk->extensions;
    while (extension != NULL && !IsEqualGUID(&extension->id, id)) {
        extension = extension->next;
    }
    base_mutex_unlock(&wsk->lock);
    return extension;
}

/* The one registered on the socket under this id, or NULL. */
static const struct wsk_extension_use *find_use(struct wsk_socket *socket, const NPIID *id)
{
    wsk_socket_lock(socket);
    const struct wsk_extension_use *use = socket->extensions;
    while (use != NULL && !IsEqualGUID(&use->extension->id, id)) {
        use = use->next;
    }
    wsk_socket_unlock(socket);
    return use;
}

static NTSTATUS add_use(struct wsk_socket *socket, const struct wsk_extension *extension,
                        PVOID provider_context)
{
    struct wsk_extension_use *use = calloc(1, sizeof(*use));
    if (use == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    use->extension = extension;
    use->provider_context = provider_context;
    wsk_socket_lock(socket);
    use->next = socket->extensions;
    socket->extensions = use;
    wsk_socket_unlock(socket);
    return STATUS_SUCCESS;
}

/* Asks the provider, and keeps what it answers. */
static NTSTATUS attach(struct wsk_control *control, const struct wsk_extension *extension,
                       const WSK_EXTENSION_CONTROL_IN *input)
{
    WSK_EXTENSION_CONTROL_OUT output = {0};
    NTSTATUS status =
        extension->provider.attach(extension->context, &control->socket->public, input, &output);
    if (NT_SUCCESS(status)) {
        status = add_use(control->socket, extension, output.ProviderContext);
    }
    if (NT_SUCCESS(status)) {
        wsk_control_store(control, &output, sizeof(output));
    }
    return status;
}

NTSTATUS wsk_extension_register(struct wsk_control *control, const struct wsk_control_row *row)
{
    WSK_EXTENSION_CONTROL_IN input;
    UNREFERENCED_PARAMETER(row);
    RtlCopyMemory(&input, control->input, sizeof(input));
    if (input.NpiId == NULL) {
        return wsk_control_end(control, STATUS_INVALID_PARAMETER);
    }
    const struct wsk_extension *extension = find(input.NpiId);
    if (extension == NULL) {
        return wsk_control_end(control, STATUS_NOT_SUPPORTED);
    }
    if (find_use(control->socket, input.NpiId) != NULL) {
        return wsk_control_end(control, STATUS_ALREADY_REGISTERED);
    }
    return wsk_control_end(control, attach(control, extension, &input));
}

NTSTATUS wsk_extension_set_events(struct wsk_control *control, bool *is_known)
{
    WSK_EVENT_CALLBACK_CONTROL events;
    RtlCopyMemory(&events, control->input, sizeof(events));
    const struct wsk_extension_use *use =
        events.NpiId == NULL ? NULL : find_use(control->socket, events.NpiId);
    *is_known = use != NULL;
    if (use == NULL) {
        return STATUS_NOT_FOUND;
    }
    if (use->extension->provider.set_events == NULL) {
        return wsk_control_end(control, STATUS_INVALID_DEVICE_REQUEST);
    }
    return wsk_control_end(
        control, use->extension->provider.set_events(use->provider_context, events.EventMask));
}
