/* 4: 64-byte datagrams: one a call, lists, and WskReceiveFromEvent. */
#include "sides.h"
#include "wsk/end.h"

#define LIST_MAX 64

static struct end end;
static struct call call;
static PWSK_SOCKET socket;
static SOCKADDR_IN remote;
static UCHAR bytes[BENCH_MESSAGE_BYTES];
static unsigned list;

static void open_end(PVOID context, const WSK_CLIENT_DATAGRAM_DISPATCH *dispatch, USHORT *port)
{
    kernel_start();
    end_open(&end);
    call_open(&call, bytes, sizeof(bytes));
    socket = open_datagram(&end, context, dispatch, port);
}

static void close_end(void)
{
    close_socket(socket);
    call_close(&call);
    end_close(&end);
    kernel_stop();
}

/* ---- sending ---- */

static void start_send(const struct bench_load *load)
{
    USHORT port;
    open_end(NULL, NULL, &port);
    remote = loopback_address(bench_datagram_hole_open());
    list = load->list;
}

static void stop_send(void)
{
    close_end();
    bench_datagram_hole_close();
}

static void send_each(uint64_t operations)
{
    for (; operations != 0; operations--) {
        datagram_table(socket)->WskSendTo(socket, &call.buffer, 0, (PSOCKADDR)&remote, 0, NULL,
                                          call_irp(&call));
        call_result(&call);
    }
}

static void send_lists(uint64_t operations)
{
    WSK_BUF_LIST messages[LIST_MAX];
    for (unsigned i = 0; i < list; i++) {
        messages[i] = (WSK_BUF_LIST){i + 1 < list ? &messages[i + 1] : NULL, call.buffer};
    }
    for (uint64_t done = 0; done < operations; done += list) {
        datagram_table(socket)->WskSendMessages(socket, messages, 0, (PSOCKADDR)&remote, 0, NULL,
                                                call_irp(&call));
        call_result(&call);
    }
}

const struct bench_side emu_send_to = {"wskemu", start_send, send_each, stop_send, NULL};
const struct bench_side emu_send_messages = {"wskemu", start_send, send_lists, stop_send, NULL};

/* ---- receiving ---- */

static struct bench_peer *peer;
static KEVENT all_received;
static uint64_t missing; /* datagrams; the callback's from the command to all_received */

static NTSTATUS credit_sent(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    IoFreeIrp(irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void grant(PSOCKADDR to)
{
    WSK_BUF one = {call.buffer.Mdl, 0, 1};
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, credit_sent, NULL, TRUE, TRUE, TRUE);
    datagram_table(socket)->WskSendTo(socket, &one, 0, to, 0, NULL, irp);
}

static NTSTATUS WSKAPI receive_event(PVOID context, ULONG flags,
                                     PWSK_DATAGRAM_INDICATION indication)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    for (; indication != NULL; indication = indication->Next) {
        missing--;
        if (missing % BENCH_BURST == 0) {
            grant(indication->RemoteAddress);
        }
        if (missing == 0) {
            KeSetEvent(&all_received, IO_NETWORK_INCREMENT, FALSE);
        }
    }
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_DATAGRAM_DISPATCH dispatch = {receive_event};

static void start_receive(const struct bench_load *load)
{
    USHORT port;
    KeInitializeEvent(&all_received, SynchronizationEvent, FALSE);
    open_end(NULL, &dispatch, &port);
    enable_event(socket, WSK_EVENT_RECEIVE_FROM);
    peer = bench_peer_start("datagrams", port, load);
}

static void stop_receive(void)
{
    bench_peer_stop(peer);
    close_end();
}

static void receive(uint64_t operations)
{
    missing = operations;
    bench_peer_command(peer, operations);
    wait_for(&all_received);
}

const struct bench_side emu_receive_from_event = {"wskemu", start_receive, receive, stop_receive,
                                                  NULL};
