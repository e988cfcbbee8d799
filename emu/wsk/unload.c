/*
 * What a driver left with WSK when it was unloaded.
 *
 * A registration has callbacks in the driver's code, so it stops the kernel; what is lost for good
 * is only said. Accepted sockets are those of whoever registered.
 */
#include "wsk/unload.h"

#include "base/stack.h"
#include "io/unload.h"
#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "wsk/wsk.h"

/* What is found under a lock, to be said without it. */
struct leftover {
    const void *object;
    const void *creator;
    unsigned count;
};

static struct leftover find_client(const struct ke_code *code)
{
    struct wsk_clients *clients = &wsk_state()->clients;
    struct leftover found = {NULL, NULL, 0};
    base_mutex_lock(&clients->lock);
    for (LIST_ENTRY *entry = clients->all.Flink; entry != &clients->all; entry = entry->Flink) {
        const struct wsk_client *client = CONTAINING_RECORD(entry, struct wsk_client, link);
        if (client->creator != NULL && ke_code_called(code, client->creator)) {
            found.object = client->registration;
            found.creator = client->creator;
            found.count = client->sockets;
        }
    }
    base_mutex_unlock(&clients->lock);
    return found;
}

static struct leftover find_sockets(const struct ke_code *code)
{
    struct wsk_state *wsk = wsk_state();
    struct leftover found = {NULL, NULL, 0};
    base_mutex_lock(&wsk->lock);
    for (LIST_ENTRY *entry = wsk->sockets.Flink; entry != &wsk->sockets; entry = entry->Flink) {
        const struct wsk_socket *socket = CONTAINING_RECORD(entry, struct wsk_socket, link);
        if (socket->creator != NULL && ke_code_called(code, socket->creator)) {
            found.object = &socket->public;
            found.creator = socket->creator;
            found.count++;
        }
    }
    base_mutex_unlock(&wsk->lock);
    return found;
}

static const char *how_it_went(void)
{
    return io_unload_is_of_failed() ? "failed to load" : "was unloaded";
}

static void report_sockets(const struct ke_code *code)
{
    struct leftover left = find_sockets(code);
    if (left.count != 0) {
        ke_warning("WSK-CLOSE-19",
                   "the driver %s %s with %u sockets that it had not closed; the last is "
                   "%p, made by %s",
                   code->driver, how_it_went(), left.count, left.object,
                   base_stack_site(left.creator).text);
    }
}

static void report_results(const struct ke_code *code)
{
    const void *creator = NULL;
    unsigned count = wsk_results_of(code, &creator);
    if (count != 0) {
        ke_warning("WSK-NAME-06",
                   "the driver %s was unloaded with %u results of WskGetAddressInfo that it had "
                   "not freed; one was asked for by %s",
                   code->driver, count, base_stack_site(creator).text);
    }
}

static void check_unloaded(const DRIVER_OBJECT *driver, const struct ke_code *code)
{
    UNREFERENCED_PARAMETER(driver);
    report_sockets(code);
    report_results(code);
    struct leftover client = find_client(code);
    if (client.object != NULL && io_unload_is_of_failed()) {
        ke_violation(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS,
                     (ULONG_PTR)client.creator, 0, (ULONG_PTR)client.creator, 0, "DEV-03",
                     "DriverEntry of %s failed without WskDeregister for the registration %p, made "
                     "by %s, which has %u sockets. Unload is not called then: WskDeregister has to "
                     "return before DriverEntry returns.",
                     code->driver, client.object, base_stack_site(client.creator).text,
                     client.count);
    } else if (client.object != NULL) {
        ke_violation(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS,
                     (ULONG_PTR)client.creator, 0, (ULONG_PTR)client.creator, 0, "WSK-REG-44",
                     "The driver %s was unloaded without WskDeregister for the registration %p, "
                     "made by %s, which has %u sockets.",
                     code->driver, client.object, base_stack_site(client.creator).text,
                     client.count);
    }
}

void wsk_unload_start(void)
{
    io_unload_add_hook(check_unloaded);
}
