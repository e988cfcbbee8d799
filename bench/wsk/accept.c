/* 5: WskAcceptEvent closes each connection at once. */
#include "sides.h"
#include "wsk/end.h"

static struct end end;
static PWSK_SOCKET listener;
static struct bench_peer *peer;
static KEVENT all_closed;
static volatile LONG missing;

static NTSTATUS connection_closed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    IoFreeIrp(irp);
    if (InterlockedDecrement(&missing) == 0) {
        KeSetEvent(&all_closed, IO_NETWORK_INCREMENT, FALSE);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS WSKAPI accept_event(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote,
                                    PWSK_SOCKET socket, PVOID *socket_context,
                                    const WSK_CLIENT_CONNECTION_DISPATCH **dispatch)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    *socket_context = NULL;
    *dispatch = NULL;
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, connection_closed, NULL, TRUE, TRUE, TRUE);
    connection_table(socket)->Basic.WskCloseSocket(socket, irp);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH dispatch = {accept_event, NULL, NULL};

static void start(const struct bench_load *load)
{
    USHORT port;
    KeInitializeEvent(&all_closed, SynchronizationEvent, FALSE);
    kernel_start();
    end_open(&end);
    listener = open_listener(&end, NULL, &dispatch, &port);
    enable_event(listener, WSK_EVENT_ACCEPT);
    peer = bench_peer_start("connector", port, load);
}

static void run(uint64_t operations)
{
    missing = (LONG)operations;
    bench_peer_command(peer, operations);
    wait_for(&all_closed);
}

static void stop(void)
{
    bench_peer_stop(peer);
    close_socket(listener);
    end_close(&end);
    kernel_stop();
}

const struct bench_side emu_accept = {"wskemu", start, run, stop, NULL};
