/* What surveyed drivers do with WSK, and no other test does: see docs/api-demand.md. */
#include "wsk_pair.h"

#include "wsk/wsk.h"

#include <winerror.h>
#include <stdlib.h>

/* ---- IRPs ---- */

static void every_call_returns_pending(void **state)
{
    struct wsk_end end;
    SOCKADDR_INET bound;
    SOCKADDR_INET any = any_address(AF_INET, 0);
    UCHAR byte;
    PADDRINFOEXW list;
    UNICODE_STRING node = RTL_CONSTANT_STRING(L"192.0.2.1");
    PROVES("WSK-IRP-37");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    const WSK_PROVIDER_DISPATCH *wsk = end.provider.Dispatch;
    struct wsk_call *call = &end.call;
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    struct wsk_call accept;
    call_init(&accept);
    NTSTATUS accepting =
        accept_of(listener)(listener, 0, NULL, NULL, NULL, NULL, call_irp(&accept));
    assert_int_equal(accepting, STATUS_PENDING);
#define EXPECT_PENDING(expression)                                                                 \
    do {                                                                                           \
        NTSTATUS returned_ = (expression);                                                         \
        assert_int_equal(returned_, STATUS_PENDING);                                               \
        assert_int_equal(call_wait(call, returned_), STATUS_SUCCESS);                              \
    } while (0)
    EXPECT_PENDING(wsk->WskSocket(end.provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                  WSK_FLAG_CONNECTION_SOCKET, NULL, NULL, NULL, NULL, NULL,
                                  call_irp(call)));
    PWSK_SOCKET near = (PWSK_SOCKET)call_information(call);
    EXPECT_PENDING(bind_of(near)(near, (PSOCKADDR)&any, 0, call_irp(call)));
    EXPECT_PENDING(connect_of(near)(near, (PSOCKADDR)&bound, 0, call_irp(call)));
    EXPECT_PENDING(local_of(near)(near, (PSOCKADDR)&any, call_irp(call)));
    assert_int_equal(call_wait(&accept, accepting), STATUS_SUCCESS);
    PWSK_SOCKET far = (PWSK_SOCKET)call_information(&accept);
    WSK_BUF buffer = call_buffer(call, "x", 1);
    EXPECT_PENDING(send_of(near)(near, &buffer, 0, call_irp(call)));
    buffer = call_buffer(call, &byte, 1);
    EXPECT_PENDING(receive_of(far)(far, &buffer, 0, call_irp(call)));
    EXPECT_PENDING(disconnect_of(near)(near, NULL, 0, call_irp(call)));
    EXPECT_PENDING(wsk->WskGetAddressInfo(end.provider.Client, &node, NULL, 0, NULL, NULL, &list,
                                          NULL, NULL, call_irp(call)));
    wsk->WskFreeAddressInfo(end.provider.Client, list);
    const WSK_PROVIDER_BASIC_DISPATCH *basic = near->Dispatch;
    EXPECT_PENDING(basic->WskCloseSocket(near, call_irp(call)));
#undef EXPECT_PENDING
    call_free(&accept);
    close_socket(&end, far);
    close_socket(&end, listener);
    close_wsk(&end);
}

struct freed {
    KEVENT done;
    NTSTATUS status;
};

static NTSTATUS free_irp(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct freed *freed = context;
    UNREFERENCED_PARAMETER(device);
    freed->status = irp->IoStatus.Status;
    IoFreeIrp(irp);
    KeSetEvent(&freed->done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP irp_that_frees_itself(struct freed *freed)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    KeInitializeEvent(&freed->done, NotificationEvent, FALSE);
    IoSetCompletionRoutine(irp, free_irp, freed, TRUE, TRUE, TRUE);
    return irp;
}

static void a_completion_routine_may_free_its_irp(void **state)
{
    struct wsk_pair pair;
    struct freed receive, send, disconnect, close;
    UCHAR byte;
    PROVES("WSK-IRP-26");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    WSK_BUF in = call_buffer(&pair.end.call, &byte, 1);
    receive_of(pair.far)(pair.far, &in, 0, irp_that_frees_itself(&receive));
    PMDL mdl = IoAllocateMdl("x", 1, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    WSK_BUF out = {mdl, 0, 1};
    send_of(pair.near)(pair.near, &out, 0, irp_that_frees_itself(&send));
    await(&send.done);
    await(&receive.done);
    disconnect_of(pair.near)(pair.near, NULL, 0, irp_that_frees_itself(&disconnect));
    const WSK_PROVIDER_BASIC_DISPATCH *basic = pair.near->Dispatch;
    basic->WskCloseSocket(pair.near, irp_that_frees_itself(&close));
    pair.near = NULL;
    await(&disconnect.done);
    await(&close.done);
    assert_int_equal(send.status, STATUS_SUCCESS);
    assert_int_equal(receive.status, STATUS_SUCCESS);
    assert_int_equal(close.status, STATUS_SUCCESS);
    IoFreeMdl(mdl);
    close_pair(&pair);
}

static NTSTATUS note_done(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void an_irp_may_be_initialised_for_every_call(void **state)
{
    struct wsk_pair pair;
    KEVENT done;
    USHORT size = IoSizeOfIrp(1);
    PROVES("WSK-IRP-12");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    PIRP irp = ExAllocatePoolWithTag(NonPagedPool, size, 'tseT');
    for (unsigned i = 0; i < 3; i++) {
        KeInitializeEvent(&done, NotificationEvent, FALSE);
        IoInitializeIrp(irp, size, 1);
        IoSetCompletionRoutine(irp, note_done, &done, TRUE, TRUE, TRUE);
        WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
        assert_int_equal(send_of(pair.near)(pair.near, &buffer, 0, irp), STATUS_PENDING);
        await(&done);
        assert_int_equal(irp->IoStatus.Status, STATUS_SUCCESS);
    }
    IoFreeIrp(irp); /* it is pool memory */
    close_pair(&pair);
}

static VOID never_called(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    print_error("a cancel routine of the driver was called\n");
    abort();
}

static void an_old_cancel_routine_gives_way(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    UCHAR byte;
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    WSK_BUF buffer = call_buffer(&call, &byte, 1);
    PIRP irp = call_irp(&call);
    IoSetCancelRoutine(irp, never_called);
    NTSTATUS returned = receive_of(pair.near)(pair.near, &buffer, 0, irp);
    assert_true(IoCancelIrp(irp));
    assert_int_equal(call_wait(&call, returned), STATUS_CANCELLED);
    irp = call_irp(&call);
    IoSetCancelRoutine(irp, never_called);
    returned = receive_of(pair.near)(pair.near, &buffer, 0, irp);
    send_all(&pair, pair.far, "x", 1);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    call_free(&call);
    close_pair(&pair);
}

static VOID cancel_irp(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    IoCancelIrp(context);
}

static void a_timer_may_cancel_a_receive(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    KTIMER timer;
    KDPC dpc;
    UCHAR byte;
    PROVES("WSK-IRP-32");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    NTSTATUS returned = begin_receive(&call, pair.near, &byte, 1, 0);
    KeInitializeTimer(&timer);
    KeInitializeDpc(&dpc, cancel_irp, call.irp);
    KeSetTimer(&timer, interval_ms(1), &dpc);
    assert_int_equal(call_wait(&call, returned), STATUS_CANCELLED);
    KeFlushQueuedDpcs();
    call_free(&call);
    close_pair(&pair);
}

static void a_wait_that_times_out_is_followed_by_a_cancel(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    LARGE_INTEGER timeout = interval_ms(1);
    UCHAR byte;
    PROVES("WSK-IRP-32");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    NTSTATUS returned = begin_receive(&call, pair.near, &byte, 1, 0);
    assert_int_equal(KeWaitForSingleObject(&call.done, Executive, KernelMode, FALSE, &timeout),
                     STATUS_TIMEOUT);
    IoCancelIrp(call.irp);
    assert_int_equal(call_wait(&call, returned), STATUS_CANCELLED);
    call_free(&call);
    close_pair(&pair);
}

static void a_pending_disconnect_can_be_cancelled(void **state)
{
    static UCHAR bytes[1 << 16];
    struct wsk_pair pair;
    struct wsk_call send, disconnect;
    SIZE_T sent;
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&send);
    call_init(&disconnect);
    NTSTATUS sending = fill_until_pending(&pair, &send, pair.near, bytes, sizeof(bytes), &sent);
    NTSTATUS returned = disconnect_of(pair.near)(pair.near, NULL, 0, call_irp(&disconnect));
    assert_int_equal(returned, STATUS_PENDING);
    assert_false(call_is_done(&disconnect));
    IoCancelIrp(disconnect.irp);
    assert_int_equal(call_wait(&disconnect, returned), STATUS_CANCELLED);
    close_near(&pair);
    assert_int_not_equal(call_wait(&send, sending), STATUS_PENDING);
    call_free(&send);
    call_free(&disconnect);
    close_pair(&pair);
}

static void a_close_that_is_cancelled_still_completes(void **state)
{
    struct wsk_pair pair;
    struct wsk_call receive;
    UCHAR byte;
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&receive);
    NTSTATUS receiving = begin_receive(&receive, pair.near, &byte, 1, 0);
    const WSK_PROVIDER_BASIC_DISPATCH *basic = pair.near->Dispatch;
    PIRP irp = call_irp(&pair.end.call);
    IoCancelIrp(irp);
    NTSTATUS returned = basic->WskCloseSocket(pair.near, irp);
    pair.near = NULL;
    assert_int_equal(call_wait(&pair.end.call, returned), STATUS_SUCCESS);
    assert_int_equal(call_wait(&receive, receiving), STATUS_CANCELLED);
    call_free(&receive);
    close_pair(&pair);
}

/* ---- what the driver passes in ---- */

static void what_is_passed_may_go_after_the_call(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    UCHAR bytes[4] = {0};
    SOCKADDR_INET any = any_address(AF_INET, 0);
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    WSK_BUF buffer = call_buffer(&call, bytes, sizeof(bytes));
    NTSTATUS returned =
        receive_of(pair.near)(pair.near, &buffer, WSK_FLAG_WAITALL, call_irp(&call));
    RtlFillMemory(&buffer, sizeof(buffer), 0xEE);
    send_all(&pair, pair.far, "abcd", 4);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_memory_equal(bytes, "abcd", 4);
    PWSK_SOCKET socket = make_socket(&pair.end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    returned = bind_of(socket)(socket, (PSOCKADDR)&any, 0, call_irp(&call));
    RtlFillMemory(&any, sizeof(any), 0xEE);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    close_socket(&pair.end, socket);
    call_free(&call);
    close_pair(&pair);
}

static void a_table_is_not_looked_at_without_events(void **state)
{
    struct wsk_end end;
    SOCKADDR_INET bound;
    const VOID *garbage = (const VOID *)(ULONG_PTR)0xDEADBEEFDEADBEE8;
    PWSK_SOCKET accepted;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, garbage, &bound);
    PWSK_SOCKET near = connect_to(&end, &bound, NULL, garbage);
    assert_int_equal(accept_socket(&end, listener, NULL, garbage, &accepted), STATUS_SUCCESS);
    assert_int_equal(send_bytes(&end, near, "x", 1, 0, NULL), STATUS_SUCCESS);
    PWSK_SOCKET datagram = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, garbage);
    assert_int_equal(bind_loopback(&end, datagram, AF_INET, NULL), STATUS_SUCCESS);
    close_socket(&end, datagram);
    close_socket(&end, near);
    close_socket(&end, accepted);
    close_socket(&end, listener);
    close_wsk(&end);
}

static void a_bare_address_has_room_enough(void **state)
{
    struct wsk_end end;
    SOCKADDR bare = {.sa_family = AF_INET};
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    NTSTATUS returned = bind_of(socket)(socket, &bare, 0, call_irp(&end.call));
    assert_int_equal(call_wait(&end.call, returned), STATUS_SUCCESS);
    close_socket(&end, socket);
    close_wsk(&end);
}

/* ---- data ---- */

static void both_directions_are_used_at_once(void **state)
{
    struct wsk_pair pair;
    struct wsk_call receive;
    UCHAR byte;
    PROVES("WSK-IRP-01");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&receive);
    NTSTATUS receiving = begin_receive(&receive, pair.near, &byte, 1, 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(send_bytes(&pair.end, pair.near, "ping", 4, WSK_FLAG_NODELAY, NULL),
                         STATUS_SUCCESS);
    }
    assert_false(call_is_done(&receive));
    send_all(&pair, pair.far, "x", 1);
    assert_int_equal(call_wait(&receive, receiving), STATUS_SUCCESS);
    assert_int_equal(byte, 'x');
    call_free(&receive);
    close_pair(&pair);
}

static void the_ex_functions_move_data(void **state)
{
    struct wsk_pair pair;
    UCHAR bytes[4];
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    const WSK_PROVIDER_CONNECTION_DISPATCH *near = pair.near->Dispatch;
    const WSK_PROVIDER_CONNECTION_DISPATCH *far = pair.far->Dispatch;
    struct wsk_call *call = &pair.end.call;
    WSK_BUF buffer = call_buffer(call, "data", 4);
    NTSTATUS returned = near->WskSendEx(pair.near, &buffer, 0, 0, NULL, call_irp(call));
    assert_int_equal(returned, STATUS_PENDING);
    assert_int_equal(call_wait(call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(call), 4);
    buffer = call_buffer(call, bytes, 4);
    returned =
        far->WskReceiveEx(pair.far, &buffer, WSK_FLAG_WAITALL, NULL, NULL, NULL, call_irp(call));
    assert_int_equal(returned, STATUS_PENDING);
    assert_int_equal(call_wait(call, returned), STATUS_SUCCESS);
    assert_memory_equal(bytes, "data", 4);
    close_pair(&pair);
}

/* ---- events ---- */

struct connecting {
    PWSK_SOCKET socket;
    NTSTATUS enabled;
    KIRQL irql;
    KEVENT connected;
    KEVENT received;
    USHORT mdl_flags;
    BOOLEAN is_one_mdl;
};

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    struct connecting *connecting = context;
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(accepted); /* it was set to all */
    if (indication != NULL) {
        PMDL mdl = indication->Buffer.Mdl;
        connecting->mdl_flags = (USHORT)mdl->MdlFlags;
        connecting->is_one_mdl =
            indication->Next == NULL && mdl->Next == NULL && mdl->ByteCount >= indicated &&
            RtlEqualMemory((PUCHAR)mdl->MappedSystemVa + indication->Buffer.Offset, "x", 1);
        KeSetEvent(&connecting->received, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS enable_when_connected(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct connecting *connecting = context;
    KIRQL irql;
    UNREFERENCED_PARAMETER(device);
    KeRaiseIrql(DISPATCH_LEVEL, &irql); /* where the completion may run anyway */
    connecting->irql = irql;
    connecting->enabled = NT_SUCCESS(irp->IoStatus.Status)
                              ? enable_events(connecting->socket, WSK_EVENT_RECEIVE)
                              : irp->IoStatus.Status;
    KeLowerIrql(irql);
    KeSetEvent(&connecting->connected, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void events_are_enabled_when_a_connect_completes(void **state)
{
    static const WSK_CLIENT_CONNECTION_DISPATCH table = {.WskReceiveEvent = on_receive};
    struct connecting connecting = {.enabled = STATUS_PENDING};
    struct wsk_end end;
    SOCKADDR_INET bound;
    PWSK_SOCKET accepted;
    PROVES("WSK-CBE-10");
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&connecting.connected, NotificationEvent, FALSE);
    KeInitializeEvent(&connecting.received, NotificationEvent, FALSE);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    SOCKADDR_INET any = any_address(AF_INET, 0);
    connecting.socket = make_socket(&end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, &connecting, &table);
    bind_socket(&end, connecting.socket, &any);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, enable_when_connected, &connecting, TRUE, TRUE, TRUE);
    connect_of(connecting.socket)(connecting.socket, (PSOCKADDR)&bound, 0, irp);
    await(&connecting.connected);
    assert_int_equal(connecting.enabled, STATUS_SUCCESS);
    assert_int_equal(accept_socket(&end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_int_equal(send_bytes(&end, accepted, "x", 1, 0, NULL), STATUS_SUCCESS);
    await(&connecting.received);
    close_socket(&end, connecting.socket);
    assert_true(connecting.is_one_mdl);
    assert_int_not_equal(
        connecting.mdl_flags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL), 0);
    close_socket(&end, accepted);
    close_socket(&end, listener);
    IoFreeIrp(irp);
    close_wsk(&end);
}

static void events_may_be_enabled_with_an_irp(void **state)
{
    WSK_EVENT_CALLBACK_CONTROL control = {(PNPIID)&NPI_WSK_INTERFACE_ID, WSK_EVENT_RECEIVE};
    static const WSK_CLIENT_CONNECTION_DISPATCH table = {.WskReceiveEvent = on_receive};
    struct connecting connecting = {0};
    struct wsk_pair pair;
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&connecting.received, NotificationEvent, FALSE);
    open_pair(&pair, &connecting, &table);
    assert_int_equal(control_socket(&pair.end, pair.near, WskSetOption, SO_WSK_EVENT_CALLBACK,
                                    SOL_SOCKET, &control, sizeof(control), NULL, 0, NULL),
                     STATUS_SUCCESS);
    send_all(&pair, pair.far, "x", 1);
    await(&connecting.received);
    close_pair(&pair);
}

/* ---- declarations, as drivers use them ---- */

static const WSK_CLIENT_DISPATCH positional_client = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static WSK_CLIENT_NPI designated_npi = {.ClientContext = NULL, .Dispatch = &positional_client};
static SOCKADDR_IN6 positional_any = {AF_INET6, 0x5000, 0, IN6ADDR_ANY_INIT, {0}};
static const SOCKADDR_IN designated_any = {.sin_family = AF_INET, .sin_addr.s_addr = INADDR_ANY};
static const WSK_CLIENT_CONNECTION_DISPATCH positional_connection = {on_receive, NULL, NULL};
static const WSK_CLIENT_LISTEN_DISPATCH designated_listen = {.WskAcceptEvent = NULL};
static const WSK_CLIENT_STREAM_DISPATCH stream = {&designated_listen, &positional_connection};

/* A list node that stands first in a driver's own structure. */
struct message {
    WSK_BUF_LIST list;
    ULONG number;
};

/* Sizes of arrays are constants. */
_Alignas(8) static UCHAR
    control_room[WSA_CMSG_SPACE(sizeof(IN_PKTINFO)) + WSA_CMSG_SPACE(sizeof(INT))];
C_ASSERT(WSA_CMSG_LEN(0) == 16);
C_ASSERT(sizeof(WSACMSGHDR) == 16 && sizeof(CMSGHDR) == sizeof(WSACMSGHDR));
C_ASSERT(sizeof(WSABUF) == 16 && FIELD_OFFSET(WSABUF, buf) == 8);
C_ASSERT(sizeof(WSK_SOCKET) == sizeof(PVOID) && sizeof(SOCKADDR) == 16);
C_ASSERT(AF_INET == 2 && AF_INET6 == 23 && SOL_SOCKET == 0xFFFF);
C_ASSERT(MSG_TRUNC == 0x100 && MSG_CTRUNC == 0x200);
C_ASSERT(SOCK_STREAM == 1 && SOCK_DGRAM == 2 && SOCK_RAW == 3);
C_ASSERT(AI_PASSIVE == 1 && AI_CANONNAME == 2 && AI_NUMERICHOST == 4 && AI_ADDRCONFIG == 0x400);
C_ASSERT(NI_NUMERICHOST == 2 && NI_NUMERICSERV == 8 && NI_MAXHOST == 1025 && NI_MAXSERV == 32);
C_ASSERT(WSAEWOULDBLOCK == 10035 && WSAECONNRESET == 10054);

static const char *category_name(ULONG flags)
{
    switch (flags) {
    case WSK_FLAG_BASIC_SOCKET:
        return "basic";
    case WSK_FLAG_LISTEN_SOCKET:
        return "listening";
    case WSK_FLAG_CONNECTION_SOCKET:
        return "connection";
    case WSK_FLAG_DATAGRAM_SOCKET:
        return "datagram";
    case WSK_FLAG_STREAM_SOCKET:
        return "stream";
    default:
        return NULL;
    }
}

static void declarations_serve_as_drivers_write_them(void **state)
{
    struct message message = {.list = {NULL, {0}}, .number = 7};
    WSK_BUF_LIST *next = &message.list;
    PNPIID id = (PNPIID)&NPI_WSK_INTERFACE_ID;
    WSK_EVENT_CALLBACK_CONTROL control = {id, WSK_EVENT_RECEIVE};
    SOCKADDR_INET either = {.Ipv6 = positional_any};
    IPPROTO protocol = IPPROTO_TCP;
    PADDRINFOA narrow = NULL;
    ADDRINFOEXW wide = {.ai_next = NULL};
    WSAMSG wsa = {.Control = {sizeof(control_room), (CHAR *)control_room}};
    IN6_ADDR loopback = IN6ADDR_LOOPBACK_INIT;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(((struct message *)next)->number, 7);
    assert_int_equal(positional_client.Version, 0x0100);
    assert_int_equal(control.EventMask, WSK_EVENT_RECEIVE);
    assert_int_equal(either.si_family, AF_INET6);
    assert_int_equal(designated_any.sin_family, AF_INET);
    assert_int_equal(loopback.u.Byte[15], 1);
    assert_int_equal(protocol, 6);
    assert_null(narrow);
    assert_null(wide.ai_next);
    assert_null(stream.Listen->WskAcceptEvent);
    assert_ptr_equal(stream.Connect->WskReceiveEvent, on_receive);
    PCMSGHDR record = WSA_CMSG_FIRSTHDR(&wsa);
    record->cmsg_len = WSA_CMSG_LEN(sizeof(IN_PKTINFO));
    record = WSA_CMSG_NXTHDR(&wsa, record);
    assert_ptr_equal(record, control_room + WSA_CMSG_SPACE(sizeof(IN_PKTINFO)));
    record->cmsg_len = WSA_CMSG_LEN(sizeof(INT));
    assert_null(WSA_CMSG_NXTHDR(&wsa, record));
    assert_string_equal(category_name(WSK_FLAG_STREAM_SOCKET), "stream");
    assert_ptr_equal(designated_npi.Dispatch, &positional_client);
}

static void tables_are_reached_in_either_way(void **state)
{
    struct wsk_pair pair;
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    const WSK_PROVIDER_CONNECTION_DISPATCH *near = pair.near->Dispatch;
    const WSK_PROVIDER_CONNECTION_DISPATCH *of_listener = pair.listener->Dispatch;
    const WSK_PROVIDER_LISTEN_DISPATCH *listener = pair.listener->Dispatch;
    PFN_WSK_SEND transfer = near->WskSend;
    UCHAR byte = 0;
    assert_true(near->Basic.WskCloseSocket == near->WskCloseSocket);
    assert_true(of_listener->WskBind == listener->WskBind);
    assert_true(of_listener->WskCloseSocket == listener->Basic.WskCloseSocket);
    assert_true(pair.end.provider.Dispatch->Version >= MAKE_WSK_VERSION(1, 0));
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    assert_int_equal(
        call_wait(&pair.end.call, transfer(pair.near, &buffer, 0, call_irp(&pair.end.call))),
        STATUS_SUCCESS);
    transfer =
        (PFN_WSK_SEND)((const WSK_PROVIDER_CONNECTION_DISPATCH *)pair.far->Dispatch)->WskReceive;
    buffer = call_buffer(&pair.end.call, &byte, 1);
    assert_int_equal(
        call_wait(&pair.end.call, transfer(pair.far, &buffer, 0, call_irp(&pair.end.call))),
        STATUS_SUCCESS);
    assert_int_equal(byte, 'x');
    close_pair(&pair);
}

/* ---- options and statuses ---- */

static void timeouts_of_wrappers_are_refused(void **state)
{
    struct wsk_pair pair;
    ULONG value = 1000;
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    static const ULONG options[] = {SO_RCVTIMEO, SO_SNDTIMEO};
    for (unsigned i = 0; i < RTL_NUMBER_OF(options); i++) {
        assert_int_equal(set_option(&pair.end, pair.near, SOL_SOCKET, options[i], value),
                         STATUS_NOT_SUPPORTED);
        assert_int_equal(get_option(&pair.end, pair.near, SOL_SOCKET, options[i], &value),
                         STATUS_NOT_SUPPORTED);
    }
    assert_int_equal(get_option(&pair.end, pair.near, SOL_SOCKET, SO_TYPE, &value), STATUS_SUCCESS);
    assert_int_equal(value, SOCK_STREAM);
    close_pair(&pair);
}

/* Two that were the same would not compile. */
static int number_of(NTSTATUS status)
{
    switch (status) {
#define CASE(name)                                                                                 \
    case name:                                                                                     \
        return __LINE__
        CASE(STATUS_SUCCESS);
        CASE(STATUS_PENDING);
        CASE(STATUS_MORE_PROCESSING_REQUIRED);
        CASE(STATUS_INSUFFICIENT_RESOURCES);
        CASE(STATUS_UNSUCCESSFUL);
        CASE(STATUS_INVALID_PARAMETER);
        CASE(STATUS_TIMEOUT);
        CASE(STATUS_CANCELLED);
        CASE(STATUS_INVALID_DEVICE_STATE);
        CASE(STATUS_NOT_SUPPORTED);
        CASE(STATUS_ACCESS_VIOLATION);
        CASE(STATUS_BUFFER_TOO_SMALL);
        CASE(STATUS_BUFFER_OVERFLOW);
        CASE(STATUS_CONNECTION_REFUSED);
        CASE(STATUS_CONNECTION_RESET);
        CASE(STATUS_CONNECTION_ABORTED);
        CASE(STATUS_CONNECTION_DISCONNECTED);
        CASE(STATUS_CONNECTION_INVALID);
        CASE(STATUS_CONNECTION_ACTIVE);
        CASE(STATUS_GRACEFUL_DISCONNECT);
        CASE(STATUS_LOCAL_DISCONNECT);
        CASE(STATUS_REMOTE_DISCONNECT);
        CASE(STATUS_NETWORK_UNREACHABLE);
        CASE(STATUS_HOST_UNREACHABLE);
        CASE(STATUS_PROTOCOL_UNREACHABLE);
        CASE(STATUS_PORT_UNREACHABLE);
        CASE(STATUS_BAD_NETWORK_PATH);
        CASE(STATUS_ADDRESS_ALREADY_EXISTS);
        CASE(STATUS_ADDRESS_ALREADY_ASSOCIATED);
        CASE(STATUS_ADDRESS_NOT_ASSOCIATED);
        CASE(STATUS_SHARING_VIOLATION);
        CASE(STATUS_INVALID_ADDRESS);
        CASE(STATUS_INVALID_ADDRESS_COMPONENT);
        CASE(STATUS_IO_TIMEOUT);
        CASE(STATUS_FILE_FORCED_CLOSED);
        CASE(STATUS_REQUEST_NOT_ACCEPTED);
        CASE(STATUS_REQUEST_ABORTED);
        CASE(STATUS_DATA_NOT_ACCEPTED);
        CASE(STATUS_INVALID_HANDLE);
        CASE(STATUS_ACCESS_DENIED);
        CASE(STATUS_NOT_FOUND);
        CASE(STATUS_NO_MATCH);
        CASE(STATUS_NOT_IMPLEMENTED);
        CASE(STATUS_DEVICE_NOT_READY);
        CASE(STATUS_CANT_WAIT);
        CASE(STATUS_ALREADY_REGISTERED);
        CASE(STATUS_ALREADY_INITIALIZED);
        CASE(STATUS_RETRY);
        CASE(STATUS_NDIS_ADAPTER_NOT_READY);
        CASE(STATUS_WAIT_1);
        CASE(STATUS_ALERTED);
        CASE(STATUS_NOINTERFACE);
        CASE(STATUS_RECEIVE_PARTIAL);
        CASE(STATUS_PARTIAL_COPY);
#undef CASE
    default:
        return 0;
    }
}

static void a_switch_tells_all_statuses_apart(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_not_equal(number_of(STATUS_WAIT_0), 0); /* which is STATUS_SUCCESS */
    assert_int_equal(STATUS_WAIT_0, STATUS_SUCCESS);
    assert_int_equal(number_of((NTSTATUS)0xC0FFEE), 0);
    assert_true(NT_SUCCESS(STATUS_PENDING) && NT_SUCCESS(STATUS_TIMEOUT));
    assert_false(NT_SUCCESS(STATUS_BUFFER_OVERFLOW) || NT_ERROR(STATUS_BUFFER_OVERFLOW));
}

static void errors_of_the_host_have_their_statuses(void **state)
{
    static const struct {
        enum net_error error;
        NTSTATUS status;
    } cases[] = {
        {NET_NO_MEMORY, STATUS_INSUFFICIENT_RESOURCES},
        {NET_ADDRESS_IN_USE, STATUS_ADDRESS_ALREADY_EXISTS},
        {NET_ADDRESS_NOT_AVAILABLE, STATUS_INVALID_ADDRESS_COMPONENT},
        {NET_ACCESS_DENIED, STATUS_ACCESS_DENIED},
        {NET_REFUSED, STATUS_CONNECTION_REFUSED},
        {NET_RESET, STATUS_CONNECTION_RESET},
        {NET_ABORTED, STATUS_CONNECTION_ABORTED},
        {NET_TIMED_OUT, STATUS_IO_TIMEOUT},
        {NET_UNREACHABLE_NETWORK, STATUS_NETWORK_UNREACHABLE},
        {NET_UNREACHABLE_HOST, STATUS_HOST_UNREACHABLE},
        {NET_NOT_FOUND, STATUS_NOT_FOUND},
    };
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(cases); i++) {
        assert_int_equal(wsk_status(cases[i].error), cases[i].status);
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(every_call_returns_pending),
    kernel_test(a_completion_routine_may_free_its_irp),
    kernel_test(an_irp_may_be_initialised_for_every_call),
    kernel_test(an_old_cancel_routine_gives_way),
    kernel_test(a_timer_may_cancel_a_receive),
    kernel_test(a_wait_that_times_out_is_followed_by_a_cancel),
    kernel_test(a_pending_disconnect_can_be_cancelled),
    kernel_test(a_close_that_is_cancelled_still_completes),
    kernel_test(what_is_passed_may_go_after_the_call),
    kernel_test(a_table_is_not_looked_at_without_events),
    kernel_test(a_bare_address_has_room_enough),
    kernel_test(both_directions_are_used_at_once),
    kernel_test(the_ex_functions_move_data),
    kernel_test(events_are_enabled_when_a_connect_completes),
    kernel_test(events_may_be_enabled_with_an_irp),
    kernel_test(declarations_serve_as_drivers_write_them),
    kernel_test(tables_are_reached_in_either_way),
    kernel_test(timeouts_of_wrappers_are_refused),
    kernel_test(a_switch_tells_all_statuses_apart),
    kernel_test(errors_of_the_host_have_their_statuses),
};

TEST_MAIN(tests)
