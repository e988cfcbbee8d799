/*
 * Thousands of connections to an echo driver that lives of event callbacks alone, all open at the
 * same time, each echoing messages, from client processes. In full (WSKEMU_LONG=1) ten thousand
 * connections echo a hundred messages each; without it, enough of them to see it work.
 */
#include "wsk_end.h"

#include <ntstrsafe.h>
#include <stdlib.h>
#include <string.h>

#include "children.h"

#define CLIENTS 2

struct scale {
    ULONG connections; /* of each client */
    ULONG messages;
};

static const struct scale full = {5000, 100};
static const struct scale small = {250, 20};

/* Descriptors of the process beyond its connections. */
#define FILES_BESIDES 100

/* A connection of the driver. It goes when it was closed and no send is under way. */
struct connection {
    struct echo *echo;
    PWSK_SOCKET socket;
    volatile LONG references;
};

/* One echo: the indication that it sends back. */
struct reply {
    struct connection *connection;
    PWSK_DATA_INDICATION indication;
};

struct echo {
    volatile LONG accepted;
    volatile LONG open;
    volatile LONG failures;
    LONG most_open;
    KEVENT all_closed;
    BOOLEAN is_last_client_gone;
};

static NTSTATUS free_connection(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct connection *connection = context;
    struct echo *echo = connection->echo;
    UNREFERENCED_PARAMETER(device);
    IoFreeIrp(irp);
    ExFreePool(connection);
    if (InterlockedDecrement(&echo->open) == 0) {
        KeSetEvent(&echo->all_closed, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void release(struct connection *connection)
{
    if (InterlockedDecrement(&connection->references) != 0) {
        return;
    }
    PWSK_SOCKET socket = connection->socket;
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, free_connection, connection, TRUE, TRUE, TRUE);
    basic->WskCloseSocket(socket, irp);
}

static NTSTATUS on_sent(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct reply *reply = context;
    struct connection *connection = reply->connection;
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = connection->socket->Dispatch;
    UNREFERENCED_PARAMETER(device);
    if (!NT_SUCCESS(irp->IoStatus.Status)) {
        InterlockedIncrement(&connection->echo->failures);
    }
    dispatch->WskRelease(connection->socket, reply->indication);
    IoFreeIrp(irp);
    ExFreePool(reply);
    release(connection);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    struct connection *connection = context;
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = connection->socket->Dispatch;
    struct reply *reply = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*reply), 'lpeR');
    reply->connection = connection;
    reply->indication = indication;
    InterlockedIncrement(&connection->references);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, on_sent, reply, TRUE, TRUE, TRUE);
    dispatch->WskSend(connection->socket, &indication->Buffer, WSK_FLAG_NODELAY, irp);
    return STATUS_PENDING;
}

static NTSTATUS WSKAPI on_disconnect(PVOID context, ULONG flags)
{
    UNREFERENCED_PARAMETER(flags);
    release(context);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH connection_table = {
    .WskReceiveEvent = on_receive, .WskDisconnectEvent = on_disconnect};

static NTSTATUS WSKAPI on_accept(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote,
                                 PWSK_SOCKET accepted, PVOID *accepted_context,
                                 CONST WSK_CLIENT_CONNECTION_DISPATCH **accepted_table)
{
    struct echo *echo = context;
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    struct connection *connection =
        ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*connection), 'nnoC');
    connection->echo = echo;
    connection->socket = accepted;
    connection->references = 1;
    *accepted_context = connection;
    *accepted_table = &connection_table;
    InterlockedIncrement(&echo->accepted);
    LONG open = InterlockedIncrement(&echo->open);
    if (open > echo->most_open) {
        echo->most_open = open;
    }
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH listen_table = {.WskAcceptEvent = on_accept};

static void await_children(int *children, unsigned count)
{
    LARGE_INTEGER moment = interval_ms(10);
    for (unsigned i = 0; i < count; i++) {
        int status;
        while (!child_has_ended(children[i], &status)) {
            KeDelayExecutionThread(KernelMode, FALSE, &moment);
        }
        assert_int_equal(status, 0);
    }
}

static struct scale scale_of_run(void)
{
    const char *text = getenv("WSKEMU_LONG");
    return text != NULL && strcmp(text, "1") == 0 ? full : small;
}

/* Whether the process may open that many connections; else it says so. */
static bool has_room(ULONG connections)
{
    unsigned long files = children_raise_files();
    if (files < connections + FILES_BESIDES) {
        print_message("skipped: this process may open %lu files; %lu connections need %lu\n", files,
                      (unsigned long)connections, (unsigned long)connections + FILES_BESIDES);
        return false;
    }
    return true;
}

static void start_clients(int *children, const SOCKADDR_INET *server, struct scale scale)
{
    char port[8];
    char connections[16];
    char messages[16];
    RtlStringCbPrintfA(port, sizeof(port), "%u", port_of(server));
    RtlStringCbPrintfA(connections, sizeof(connections), "%u", scale.connections);
    RtlStringCbPrintfA(messages, sizeof(messages), "%u", scale.messages);
    const char *arguments[] = {port, connections, messages, NULL};
    for (unsigned i = 0; i < CLIENTS; i++) {
        children[i] = child_start("tcp_client", arguments);
        assert_true(children[i] > 0);
    }
}

static void thousands_of_connections_echo(void **state)
{
    struct wsk_end end;
    struct echo echo = {0};
    SOCKADDR_INET bound;
    int children[CLIENTS];
    struct scale scale = scale_of_run();
    PROVES("WSK-EVT-28", "WSK-EVT-35", "WSK-CBE-21", "WSK-ACC-21", "WSK-ACC-34");
    UNREFERENCED_PARAMETER(state);
    if (!has_room(CLIENTS * scale.connections)) {
        skip();
    }
    KeInitializeEvent(&echo.all_closed, NotificationEvent, FALSE);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, &echo, &listen_table, &bound);
    assert_int_equal(
        enable_events(listener, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT),
        STATUS_SUCCESS);
    start_clients(children, &bound, scale);
    await_children(children, CLIENTS);
    await(&echo.all_closed);
    assert_int_equal(echo.accepted, CLIENTS * scale.connections);
    assert_int_equal(echo.failures, 0);
    print_message("at most %d connections open at once\n", echo.most_open);
    close_socket(&end, listener);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    kernel_test(thousands_of_connections_echo),
};

TEST_MAIN(tests)
