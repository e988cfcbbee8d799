#include "wsk/server.h"

#include <stdlib.h>

/* What is sent back of one indication: an IRP that waits in the list for the next one. */
struct echo {
    SLIST_ENTRY link;
    PIRP irp;
    PWSK_SOCKET socket;
    PWSK_DATA_INDICATION indication;
    LONG left; /* sends under way, and the callback that makes them */
};

static struct end end;
static PWSK_SOCKET listener;
static PWSK_SOCKET *connections;
static volatile LONG accepted;
static LONG awaited;
static volatile LONG64 missing; /* bytes */
static KEVENT all_accepted, all_echoed;
static SLIST_HEADER idle_echoes;

/* ---- sending back ---- */

static struct echo *take_echo(void)
{
    PSLIST_ENTRY entry = InterlockedPopEntrySList(&idle_echoes);
    if (entry != NULL) {
        return CONTAINING_RECORD(entry, struct echo, link);
    }
    struct echo *echo = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*echo), 'ohcE');
    BENCH_REQUIRE(echo != NULL);
    echo->irp = IoAllocateIrp(1, FALSE);
    return echo;
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
        connection_table(echo->socket)->WskRelease(echo->socket, echo->indication);
        InterlockedPushEntrySList(&idle_echoes, &echo->link);
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
    struct echo *echo = take_echo();
    echo->socket = *(PWSK_SOCKET *)context;
    echo->indication = indication;
    echo->left = 2;
    IoReuseIrp(echo->irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(echo->irp, echo_sent, echo, TRUE, TRUE, TRUE);
    connection_table(echo->socket)->WskSend(echo->socket, &indication->Buffer, 0, echo->irp);
    count_bytes(bytes);
    if (!echo_part_done(echo)) {
        return STATUS_PENDING;
    }
    InterlockedPushEntrySList(&idle_echoes, &echo->link);
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
    connections[index] = socket;
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
    InitializeSListHead(&idle_echoes);
    accepted = 0;
    awaited = (LONG)count;
    connections = malloc(count * sizeof(PWSK_SOCKET));
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
    return connections[index];
}

static void free_echoes(void)
{
    PSLIST_ENTRY entry;
    while ((entry = InterlockedPopEntrySList(&idle_echoes)) != NULL) {
        struct echo *echo = CONTAINING_RECORD(entry, struct echo, link);
        IoFreeIrp(echo->irp);
        ExFreePoolWithTag(echo, 'ohcE');
    }
}

void server_close(void)
{
    for (LONG i = 0; i < accepted; i++) {
        close_socket(connections[i]);
    }
    close_socket(listener);
    end_close(&end);
    free_echoes();
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
