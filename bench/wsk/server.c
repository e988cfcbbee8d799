#include "wsk/server.h"

#include <stdlib.h>

/* What is sent back of one indication: an IRP that its connection keeps for the next one. */
struct echo {
    PIRP irp;
    struct connection *connection;
    PWSK_DATA_INDICATION indication;
    LONG left; /* sends under way, and the callback that makes them */
};

struct connection {
    PWSK_SOCKET socket;
    PVOID volatile idle; /* a struct echo, or NULL */
};

static struct end end;
static PWSK_SOCKET listener;
static struct connection *connections;
static volatile LONG accepted;
static LONG awaited;
static volatile LONG64 missing; /* bytes */
static KEVENT all_accepted, all_echoed;

/* ---- sending back ---- */

static struct echo *take_echo(struct connection *connection)
{
    struct echo *echo = InterlockedExchangePointer(&connection->idle, NULL);
    if (echo != NULL) {
        return echo;
    }
    echo = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*echo), 'ohcE');
    BENCH_REQUIRE(echo != NULL);
    echo->irp = IoAllocateIrp(1, FALSE);
    echo->connection = connection;
    return echo;
}

static void free_echo(struct echo *echo)
{
    if (echo != NULL) {
        IoFreeIrp(echo->irp);
        ExFreePoolWithTag(echo, 'ohcE');
    }
}

/* Where one is kept already, that one goes. */
static void keep_echo(struct echo *echo)
{
    free_echo(InterlockedExchangePointer(&echo->connection->idle, echo));
}

/* Whether this was the last one of the indication's. */
static bool echo_part_done(struct echo *echo)
{
    return InterlockedDecrement(&echo->left) == 0;
}

static NTSTATUS echo_sent(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct echo *echo = context;
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    if (echo_part_done(echo)) {
        PWSK_SOCKET socket = echo->connection->socket;
        connection_table(socket)->WskRelease(socket, echo->indication);
        keep_echo(echo);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void count_bytes(SIZE_T bytes)
{
    if (InterlockedAdd64(&missing, -(LONG64)bytes) == 0) {
        KeSetEvent(&all_echoed, IO_NETWORK_INCREMENT, FALSE);
    }
}

/* One read is one indication, so the list has one element. */
static NTSTATUS WSKAPI receive_event(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                     SIZE_T bytes, SIZE_T *accepted_bytes)
{
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(accepted_bytes);
    if (indication == NULL) {
        return STATUS_SUCCESS;
    }
    BENCH_REQUIRE(indication->Next == NULL);
    struct connection *connection = context;
    struct echo *echo = take_echo(connection);
    echo->indication = indication;
    echo->left = 2;
    IoReuseIrp(echo->irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(echo->irp, echo_sent, echo, TRUE, TRUE, TRUE);
    connection_table(connection->socket)
        ->WskSend(connection->socket, &indication->Buffer, 0, echo->irp);
    count_bytes(bytes);
    if (!echo_part_done(echo)) {
        return STATUS_PENDING;
    }
    keep_echo(echo);
    return STATUS_SUCCESS;
}

static NTSTATUS WSKAPI disconnect_event(PVOID context, ULONG flags)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH connection_dispatch = {receive_event, disconnect_event,
                                                                   NULL};

/* ---- the listener ---- */

static NTSTATUS WSKAPI accept_event(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote,
                                    PWSK_SOCKET socket, PVOID *socket_context,
                                    const WSK_CLIENT_CONNECTION_DISPATCH **dispatch)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    BENCH_REQUIRE(socket != NULL);
    LONG index = accepted;
    connections[index].socket = socket;
    *socket_context = &connections[index];
    *dispatch = &connection_dispatch;
    if (InterlockedIncrement(&accepted) == awaited) {
        KeSetEvent(&all_accepted, IO_NETWORK_INCREMENT, FALSE);
    }
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH listen_dispatch = {accept_event, NULL, NULL};

void server_open(unsigned count, bool has_receive_event, USHORT *port)
{
    WSK_EVENT_CALLBACK_CONTROL control = {&NPI_WSK_INTERFACE_ID,
                                          WSK_EVENT_ACCEPT | WSK_EVENT_DISCONNECT |
                                              (has_receive_event ? WSK_EVENT_RECEIVE : 0)};
    KeInitializeEvent(&all_accepted, SynchronizationEvent, FALSE);
    KeInitializeEvent(&all_echoed, SynchronizationEvent, FALSE);
    accepted = 0;
    awaited = (LONG)count;
    connections = calloc(count, sizeof(*connections));
    BENCH_REQUIRE(connections != NULL);
    end_open(&end);
    BENCH_REQUIRE(NT_SUCCESS(
        end.provider.Dispatch->WskControlClient(end.provider.Client, WSK_SET_STATIC_EVENT_CALLBACKS,
                                                sizeof(control), &control, 0, NULL, NULL, NULL)));
    listener = open_listener(&end, NULL, &listen_dispatch, port);
}

void server_await_connections(void)
{
    wait_for(&all_accepted);
}

PWSK_SOCKET server_connection(unsigned index)
{
    return connections[index].socket;
}

void server_close(void)
{
    for (LONG i = 0; i < accepted; i++) {
        close_socket(connections[i].socket);
        free_echo(connections[i].idle);
    }
    close_socket(listener);
    end_close(&end);
    free(connections);
}

void server_expect(uint64_t bytes)
{
    InterlockedExchange64(&missing, (LONG64)bytes);
}

void server_await_bytes(void)
{
    wait_for(&all_echoed);
}
