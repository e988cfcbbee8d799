/* Memory that a driver gives to WSK: MDLs, buffers, contexts and tables. */
#include "full.h"
#include "wsk_datagram.h"
#include "wsk_pair.h"

#include <wskemu/network.h>

#define VIOLATION DRIVER_VERIFIER_DETECTED_VIOLATION
#define WSK_VIOLATION 0x57534B
#define TAG 'fuBW'

static struct wsk_pair pair;
static UCHAR byte;

/* ---- MDLs of pending requests ---- */

static struct wsk_call call;
static PMDL mdl;

static PMDL lock(void *bytes, ULONG length)
{
    PMDL made = IoAllocateMdl(bytes, length, FALSE, FALSE, NULL);
    __try {
        MmProbeAndLockPages(made, KernelMode, IoWriteAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        IoFreeMdl(made);
        made = NULL;
    }
    return made;
}

static void pend_receive(void)
{
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    mdl = lock(&byte, 1);
    WSK_BUF buffer = {mdl, 0, 1};
    receive_of(pair.near)(pair.near, &buffer, 0, call_irp(&call));
}

static void free_of_receive(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    begin_receive(&call, pair.near, &byte, 1, 0);
    IoFreeMdl(call.mdl);
}

static void unlock_of_receive(void *context)
{
    UNREFERENCED_PARAMETER(context);
    pend_receive();
    MmUnlockPages(mdl);
}

static void free_after_receive(void *context)
{
    UNREFERENCED_PARAMETER(context);
    pend_receive();
    send_all(&pair, pair.far, "x", 1);
    await(&call.done);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
    call_free(&call);
    close_pair(&pair);
}

static void free_of_receive_from(void *context)
{
    struct receipt *receipt = context;
    assert_int_equal(open_wsk(&pair.end), STATUS_SUCCESS);
    PWSK_SOCKET socket = open_datagram(&pair.end, AF_INET, NULL, NULL, NULL);
    receipt_init(receipt);
    start_receipt(receipt, socket, 16);
    IoFreeMdl(receipt->call.mdl);
}

static void pend_send(UCHAR *bytes, SIZE_T length)
{
    SIZE_T sent;
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    fill_until_pending(&pair, &call, pair.near, bytes, length, &sent);
}

static UCHAR large[65536];

static void free_of_send(void *context)
{
    UNREFERENCED_PARAMETER(context);
    pend_send(large, sizeof(large));
    IoFreeMdl(call.mdl);
}

/* The send completes when the other end has taken enough. */
static void finish_send(void)
{
    static UCHAR sink[65536];
    SIZE_T moved;
    while (!call_is_done(&call)) {
        receive_bytes(&pair.end, pair.far, sink, sizeof(sink), 0, &moved);
    }
    call_free(&call);
    close_pair(&pair);
}

static void free_after_send(void *context)
{
    UNREFERENCED_PARAMETER(context);
    pend_send(large, sizeof(large));
    finish_send();
}

/* A connect that nobody answers at once: its MDL is in use until the IRP completes. */
static void free_of_connect(void *context)
{
    struct wskemu_options options = {.processors = 1};
    SOCKADDR_INET bound;
    SOCKADDR_INET any = any_address(AF_INET, 0);
    UNREFERENCED_PARAMETER(context);
    wskemu_shutdown();
    wskemu_boot(&options);
    assert_int_equal(open_wsk(&pair.end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&pair.end, AF_INET, NULL, NULL, &bound);
    UNREFERENCED_PARAMETER(listener);
    PWSK_SOCKET socket = make_socket(&pair.end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    bind_socket(&pair.end, socket, &any);
    call_init(&call);
    WSK_BUF buffer = call_buffer(&call, "x", 1);
    const WSK_PROVIDER_CONNECTION_DISPATCH *table = socket->Dispatch;
    KIRQL old = KeRaiseIrqlToDpcLevel(); /* nothing is delivered: it is the only processor */
    table->WskConnectEx(socket, (PSOCKADDR)&bound, &buffer, 0, call_irp(&call));
    IoFreeMdl(call.mdl);
    KeLowerIrql(old);
}

/* Under the deferred policy a result waits to be delivered, which it cannot at DISPATCH_LEVEL. */
static void free_of_send_to(void *context)
{
    struct wskemu_options options = {.completion = WSKEMU_COMPLETION_DEFERRED};
    SOCKADDR_INET bound;
    UNREFERENCED_PARAMETER(context);
    wskemu_shutdown();
    wskemu_boot(&options);
    assert_int_equal(open_wsk(&pair.end), STATUS_SUCCESS);
    PWSK_SOCKET socket = open_datagram(&pair.end, AF_INET, NULL, NULL, &bound);
    call_init(&call);
    WSK_BUF buffer = call_buffer(&call, "x", 1);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    datagram_table(socket)->WskSendTo(socket, &buffer, 0, (PSOCKADDR)&bound, 0, NULL,
                                      call_irp(&call));
    IoFreeMdl(call.mdl);
    KeLowerIrql(old);
}

static void test_freeing_the_mdl_of_a_pending_request_is_caught(void **state)
{
    static struct receipt receipt;
    PROVES("WSK-RECV-21", "WSK-SEND-12", "WSK-CONN-24", "WSK-DGRM-15", "WSK-DGRM-47");
    expect_bugcheck(free_of_receive, NULL, VIOLATION, WSK_VIOLATION, "WSK-RECV-21");
    expect_bugcheck(unlock_of_receive, NULL, VIOLATION, WSK_VIOLATION, "WSK-RECV-21");
    expect_bugcheck(free_of_send, NULL, VIOLATION, WSK_VIOLATION, "WSK-SEND-12");
    expect_bugcheck(free_of_connect, NULL, VIOLATION, WSK_VIOLATION, "WSK-CONN-24");
    expect_bugcheck(free_of_receive_from, &receipt, VIOLATION, WSK_VIOLATION, "WSK-DGRM-47");
    expect_bugcheck(free_of_send_to, NULL, VIOLATION, WSK_VIOLATION, "WSK-DGRM-15");
}

static void test_unlocking_such_an_mdl_is_not_called_a_free(void **state)
{
    const char *text = printed_of(unlock_of_receive, NULL);
    assert_non_null(strstr(text, "The driver unlocked the MDL"));
    assert_null(strstr(text, "IoFreeMdl"));
}

static void test_freeing_an_mdl_after_its_request_is_fine(void **state)
{
    STAYS_SILENT("WSK-BUF-09", "WSK-RECV-21", "WSK-SEND-12", "WSK-CONN-24", "WSK-DGRM-15",
                 "WSK-DGRM-47", "WSK-BUF-02", "WSK-BUF-05", "WSK-BUF-08");
    expect_silence(free_after_receive, NULL);
    expect_silence(free_after_send, NULL);
}

/* ---- data that changes ---- */

static void change_data(void *context)
{
    UNREFERENCED_PARAMETER(context);
    pend_send(large, sizeof(large));
    large[sizeof(large) - 1] ^= 1;
    finish_send();
}

static void leave_data(void *context)
{
    UNREFERENCED_PARAMETER(context);
    pend_send(large, sizeof(large));
    finish_send();
}

static void free_data(void *context)
{
    UCHAR *bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(large), TAG);
    UNREFERENCED_PARAMETER(context);
    pend_send(bytes, sizeof(large));
    ExFreePoolWithTag(bytes, TAG);
    finish_send();
}

static void test_data_that_changes_while_it_is_sent_is_caught(void **state)
{
    PROVES("WSK-SEND-12", "WSK-BUF-09");
    expect_at_full(change_data, VIOLATION, "WSK-SEND-12", "wrote to the data");
    expect_at_full(free_data, VIOLATION, "WSK-BUF-09", "in a block that was freed");
}

static void test_data_that_stays_is_fine(void **state)
{
    STAYS_SILENT("WSK-SEND-12", "WSK-BUF-09");
    expect_silence_at_full(leave_data);
}

/* ---- what lies in paged pool ---- */

static PVOID paged(void)
{
    return ExAllocatePool2(POOL_FLAG_PAGED, sizeof(SOCKADDR_INET), TAG);
}

static const WSK_CLIENT_CONNECTION_DISPATCH no_events = {0};

static void paged_context(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_wsk(&pair.end);
    make_socket(&pair.end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, paged(), &no_events);
}

static void paged_connect_context(void *context)
{
    SOCKADDR_INET any = any_address(AF_INET, 0);
    SOCKADDR_INET remote = loopback_address(AF_INET, 9);
    UNREFERENCED_PARAMETER(context);
    open_wsk(&pair.end);
    pair.end.provider.Dispatch->WskSocketConnect(
        pair.end.provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&any, (PSOCKADDR)&remote, 0,
        paged(), &no_events, NULL, NULL, NULL, call_irp(&pair.end.call));
}

static void paged_accept_context(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    accept_of(pair.listener)(pair.listener, 0, paged(), &no_events, NULL, NULL,
                             call_irp(&pair.end.call));
}

static void paged_accept_address(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    accept_of(pair.listener)(pair.listener, 0, NULL, NULL, paged(), NULL, call_irp(&pair.end.call));
}

static void paged_address(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    local_of(pair.near)(pair.near, paged(), call_irp(&pair.end.call));
}

static void paged_sender(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_wsk(&pair.end);
    PWSK_SOCKET socket = open_datagram(&pair.end, AF_INET, NULL, NULL, NULL);
    WSK_BUF buffer = call_buffer(&pair.end.call, &byte, 1);
    datagram_table(socket)->WskReceiveFrom(socket, &buffer, 0, paged(), NULL, NULL, NULL,
                                           call_irp(&pair.end.call));
}

static void resident_memory(void *context)
{
    SOCKADDR_INET *address = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*address), TAG);
    PVOID other = paged(); /* there is some, so that it is looked for */
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, address, &no_events);
    local_address(&pair.end, pair.near, address);
    close_pair(&pair);
    ExFreePoolWithTag(address, TAG);
    ExFreePoolWithTag(other, TAG);
}

static void test_memory_in_paged_pool_is_caught(void **state)
{
    PROVES("WSK-SOCK-12", "WSK-SOCK-46", "WSK-ACC-11", "WSK-ACC-14", "WSK-ADDR-11", "WSK-DGRM-35");
    expect_bugcheck(paged_context, NULL, VIOLATION, WSK_VIOLATION, "WSK-SOCK-12");
    expect_bugcheck(paged_connect_context, NULL, VIOLATION, WSK_VIOLATION, "WSK-SOCK-46");
    expect_bugcheck(paged_accept_context, NULL, VIOLATION, WSK_VIOLATION, "WSK-ACC-11");
    expect_bugcheck(paged_accept_address, NULL, VIOLATION, WSK_VIOLATION, "WSK-ACC-14");
    expect_bugcheck(paged_address, NULL, VIOLATION, WSK_VIOLATION, "WSK-ADDR-11");
    expect_bugcheck(paged_sender, NULL, VIOLATION, WSK_VIOLATION, "WSK-DGRM-35");
}

static void test_resident_memory_is_fine(void **state)
{
    STAYS_SILENT("WSK-SOCK-12", "WSK-SOCK-46", "WSK-ACC-11", "WSK-ACC-14", "WSK-ADDR-11",
                 "WSK-DGRM-35");
    expect_silence(resident_memory, NULL);
}

/* ---- outputs that are not there any more ---- */

static void boot_deferred_at_full(void)
{
    struct wskemu_options options = {.verifier = WSKEMU_VERIFIER_FULL,
                                     .completion = WSKEMU_COMPLETION_DEFERRED};
    wskemu_shutdown();
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
}

static PVOID output(SIZE_T length)
{
    return ExAllocatePool2(POOL_FLAG_NON_PAGED, length, TAG);
}

static void free_address_output(void *context)
{
    UNREFERENCED_PARAMETER(context);
    boot_deferred_at_full();
    open_pair(&pair, NULL, NULL);
    PSOCKADDR address = output(sizeof(SOCKADDR_INET));
    KIRQL old = KeRaiseIrqlToDpcLevel();
    NTSTATUS returned = local_of(pair.near)(pair.near, address, call_irp(&pair.end.call));
    ExFreePoolWithTag(address, TAG);
    KeLowerIrql(old);
    call_wait(&pair.end.call, returned);
}

static void free_option_output(void *context)
{
    UNREFERENCED_PARAMETER(context);
    boot_deferred_at_full();
    open_pair(&pair, NULL, NULL);
    PULONG value = output(sizeof(*value));
    const WSK_PROVIDER_BASIC_DISPATCH *basic = pair.near->Dispatch;
    KIRQL old = KeRaiseIrqlToDpcLevel();
    NTSTATUS returned =
        basic->WskControlSocket(pair.near, WskGetOption, SO_TYPE, SOL_SOCKET, 0, NULL,
                                sizeof(*value), value, NULL, call_irp(&pair.end.call));
    ExFreePoolWithTag(value, TAG);
    KeLowerIrql(old);
    call_wait(&pair.end.call, returned);
}

static void free_accept_output(void *context)
{
    SOCKADDR_INET bound;
    UNREFERENCED_PARAMETER(context);
    boot_deferred_at_full();
    open_wsk(&pair.end);
    pair.listener = listen_loopback(&pair.end, AF_INET, NULL, NULL, &bound);
    PSOCKADDR address = output(sizeof(SOCKADDR_INET));
    call_init(&call);
    accept_of(pair.listener)(pair.listener, 0, NULL, NULL, address, NULL, call_irp(&call));
    ExFreePoolWithTag(address, TAG);
    connect_to(&pair.end, &bound, NULL, NULL);
    await(&call.done);
}

static void free_datagram_output(void *context)
{
    SOCKADDR_INET bound;
    UNREFERENCED_PARAMETER(context);
    boot_deferred_at_full();
    open_wsk(&pair.end);
    PWSK_SOCKET socket = open_datagram(&pair.end, AF_INET, NULL, NULL, &bound);
    PSOCKADDR address = output(sizeof(SOCKADDR_INET));
    call_init(&call);
    WSK_BUF buffer = call_buffer(&call, &byte, 1);
    datagram_table(socket)->WskReceiveFrom(socket, &buffer, 0, address, NULL, NULL, NULL,
                                           call_irp(&call));
    ExFreePoolWithTag(address, TAG);
    send_datagram(&pair.end, socket, "x", 1, &bound, NULL);
    await(&call.done);
}

static void free_name_output(void *context)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"slow.test");
    SOCKADDR_INET address = loopback_address(AF_INET, 0);
    UNREFERENCED_PARAMETER(context);
    boot_deferred_at_full();
    open_wsk(&pair.end);
    wskemu_name_add("slow.test", (struct sockaddr *)&address);
    wskemu_name_hold("slow.test");
    PADDRINFOEXW *result = output(sizeof(*result));
    NTSTATUS returned = pair.end.provider.Dispatch->WskGetAddressInfo(
        pair.end.provider.Client, &name, NULL, NS_ALL, NULL, NULL, result, NULL, NULL,
        call_irp(&pair.end.call));
    ExFreePoolWithTag(result, TAG);
    wskemu_name_release("slow.test");
    call_wait(&pair.end.call, returned);
}

static void free_context_early(void *context)
{
    PVOID own = output(64);
    UNREFERENCED_PARAMETER(context);
    boot_deferred_at_full();
    own = output(64);
    open_pair(&pair, own, &no_events);
    ExFreePoolWithTag(own, TAG);
    close_socket(&pair.end, pair.near);
}

static void keep_outputs(void *context)
{
    PVOID own;
    SOCKADDR_INET address;
    ULONG type;
    UNREFERENCED_PARAMETER(context);
    own = output(64);
    open_pair(&pair, own, &no_events);
    local_address(&pair.end, pair.near, &address);
    get_option(&pair.end, pair.near, SOL_SOCKET, SO_TYPE, &type);
    close_pair(&pair);
    ExFreePoolWithTag(own, TAG);
}

static void test_an_output_that_goes_before_the_irp_is_caught(void **state)
{
    PROVES("WSK-ADDR-12", "WSK-SKO-12", "WSK-ACC-15", "WSK-DGRM-47", "WSK-NAME-24");
    expect_bugcheck(free_address_output, NULL, VIOLATION, WSK_VIOLATION, "WSK-ADDR-12");
    expect_bugcheck(free_option_output, NULL, VIOLATION, WSK_VIOLATION, "WSK-SKO-12");
    expect_bugcheck(free_accept_output, NULL, VIOLATION, WSK_VIOLATION, "WSK-ACC-15");
    expect_bugcheck(free_datagram_output, NULL, VIOLATION, WSK_VIOLATION, "WSK-DGRM-47");
    expect_bugcheck(free_name_output, NULL, VIOLATION, WSK_VIOLATION, "WSK-NAME-24");
}

static void test_a_context_that_goes_before_its_socket_is_caught(void **state)
{
    PROVES("WSK-CLOSE-23");
    expect_bugcheck(free_context_early, NULL, VIOLATION, WSK_VIOLATION, "WSK-CLOSE-23");
}

static void test_outputs_that_stay_are_fine(void **state)
{
    STAYS_SILENT("WSK-ADDR-12", "WSK-SKO-12", "WSK-ACC-15", "WSK-DGRM-47", "WSK-NAME-24",
                 "WSK-CLOSE-23");
    expect_silence_at_full(keep_outputs);
}

/* ---- contexts and tables ---- */

static NTSTATUS WSKAPI on_accept(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote,
                                 PWSK_SOCKET accepted, PVOID *accepted_context,
                                 CONST WSK_CLIENT_CONNECTION_DISPATCH **accepted_dispatch);
static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indication);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH listen_table = {.WskAcceptEvent = on_accept};
static const WSK_CLIENT_CONNECTION_DISPATCH receive_table = {.WskReceiveEvent = on_receive};

static struct {
    BOOLEAN enables_first;
    BOOLEAN sets_table;
    PVOID context;
    BOOLEAN refuses;
    ULONG inherited;
    PWSK_SOCKET socket;
    KEVENT called;
} offer;

static NTSTATUS WSKAPI on_accept(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote,
                                 PWSK_SOCKET accepted, PVOID *accepted_context,
                                 CONST WSK_CLIENT_CONNECTION_DISPATCH **accepted_dispatch)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    if (offer.enables_first) {
        enable_events(accepted, WSK_EVENT_RECEIVE);
    }
    if (offer.sets_table) {
        *accepted_dispatch = &receive_table;
        *accepted_context = offer.context != NULL ? offer.context : &offer;
    }
    offer.socket = accepted;
    KeSetEvent(&offer.called, IO_NO_INCREMENT, FALSE);
    return offer.refuses ? STATUS_REQUEST_NOT_ACCEPTED : STATUS_SUCCESS;
}

static void accept_one(void)
{
    SOCKADDR_INET bound;
    KeInitializeEvent(&offer.called, NotificationEvent, FALSE);
    open_wsk(&pair.end);
    pair.listener = listen_loopback(&pair.end, AF_INET, NULL, &listen_table, &bound);
    enable_events(pair.listener, WSK_EVENT_ACCEPT | offer.inherited);
    pair.near = connect_to(&pair.end, &bound, NULL, NULL);
    await(&offer.called);
    disable_event(&pair.end, pair.listener, WSK_EVENT_ACCEPT);
}

static void accept_and_close(void *context)
{
    UNREFERENCED_PARAMETER(context);
    accept_one();
    if (!offer.refuses) {
        close_socket(&pair.end, offer.socket);
    }
    close_near(&pair);
    close_socket(&pair.end, pair.listener);
    close_wsk(&pair.end);
}

static void touch_refused(void *context)
{
    UNREFERENCED_PARAMETER(context);
    offer.refuses = TRUE;
    accept_one();
    receive_bytes(&pair.end, offer.socket, &byte, 1, 0, NULL);
}

static void test_an_accept_event_that_sets_too_little_is_caught(void **state)
{
    PROVES("WSK-ACC-30", "WSK-ACC-31", "WSK-HDR-21", "WSK-HDR-22");
    RtlZeroMemory(&offer, sizeof(offer));
    offer.inherited = WSK_EVENT_RECEIVE;
    expect_bugcheck(accept_and_close, NULL, VIOLATION, WSK_VIOLATION, "WSK-ACC-30");
    offer.sets_table = TRUE;
    offer.context = paged();
    expect_bugcheck(accept_and_close, NULL, VIOLATION, WSK_VIOLATION, "WSK-ACC-31");
    RtlZeroMemory(&offer, sizeof(offer));
    expect_bugcheck(touch_refused, NULL, VIOLATION, ANY_PARAMETER, "WSK-HDR-22");
    RtlZeroMemory(&offer, sizeof(offer));
    offer.enables_first = TRUE;
    offer.sets_table = TRUE;
    expect_warning(accept_and_close, NULL, "WSK-HDR-21");
}

static void test_an_accept_event_that_sets_both_is_fine(void **state)
{
    STAYS_SILENT("WSK-ACC-30", "WSK-ACC-31", "WSK-HDR-21", "WSK-HDR-22", "WSK-ACC-12");
    RtlZeroMemory(&offer, sizeof(offer));
    offer.inherited = WSK_EVENT_RECEIVE;
    offer.sets_table = TRUE;
    expect_silence(accept_and_close, NULL);
    offer.refuses = TRUE;
    expect_silence(accept_and_close, NULL);
}

static void enable_without_a_routine(void *context)
{
    open_pair(&pair, NULL, context);
    enable_events(pair.near, WSK_EVENT_RECEIVE);
    close_pair(&pair);
}

static void context_without_a_table(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, &pair, NULL);
    close_pair(&pair);
}

static void basic_with_a_context(void *context)
{
    open_wsk(&pair.end);
    close_socket(&pair.end, make_socket(&pair.end, AF_INET, WSK_FLAG_BASIC_SOCKET, context, NULL));
    close_wsk(&pair.end);
}

static void enable_with_an_irp(void *context)
{
    WSK_EVENT_CALLBACK_CONTROL wanted = {&NPI_WSK_INTERFACE_ID, WSK_EVENT_RECEIVE};
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, &receive_table);
    control_socket(&pair.end, pair.near, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, &wanted,
                   sizeof(wanted), NULL, 0, NULL);
    close_pair(&pair);
}

static void test_what_comes_with_a_socket_in_vain_is_warned_of(void **state)
{
    PROVES("WSK-SOCK-13", "WSK-SOCK-14", "WSK-SOCK-16", "WSK-CBE-05");
    expect_warning(enable_without_a_routine, (PVOID)(ULONG_PTR)&no_events, "WSK-SOCK-16");
    expect_warning(enable_without_a_routine, NULL, "WSK-SOCK-16");
    expect_warning(context_without_a_table, NULL, "WSK-SOCK-13");
    expect_warning(basic_with_a_context, &pair, "WSK-SOCK-14");
    expect_warning(enable_with_an_irp, NULL, "WSK-CBE-05");
}

static void test_what_comes_with_a_socket_for_its_events_is_fine(void **state)
{
    STAYS_SILENT("WSK-SOCK-13", "WSK-SOCK-14", "WSK-SOCK-16", "WSK-CBE-05");
    expect_silence(enable_without_a_routine, (PVOID)(ULONG_PTR)&receive_table);
    expect_silence(basic_with_a_context, NULL);
}

/* The listener's table once more. context: NULL for WskAccept, else WskSocket. */
static void reuse_the_listeners_table(void *context)
{
    SOCKADDR_INET bound;
    open_wsk(&pair.end);
    pair.listener = listen_loopback(&pair.end, AF_INET, NULL, &listen_table, &bound);
    enable_events(pair.listener, WSK_EVENT_ACCEPT);
    disable_event(&pair.end, pair.listener, WSK_EVENT_ACCEPT);
    pair.near = connect_to(&pair.end, &bound, NULL, context == NULL ? NULL : (PVOID)&listen_table);
    accept_socket(&pair.end, pair.listener, NULL,
                  (const WSK_CLIENT_CONNECTION_DISPATCH *)(PVOID)&listen_table, &pair.far);
    enable_events(context == NULL ? pair.far : pair.near, WSK_EVENT_RECEIVE);
}

static void test_a_table_of_another_type_is_caught(void **state)
{
    PROVES("WSK-SOCK-15", "WSK-ACC-12");
    expect_bugcheck(reuse_the_listeners_table, NULL, VIOLATION, WSK_VIOLATION, "WSK-ACC-12");
    expect_bugcheck(reuse_the_listeners_table, &pair, VIOLATION, WSK_VIOLATION, "WSK-SOCK-15");
}

static void test_tables_of_the_right_type_are_fine(void **state)
{
    STAYS_SILENT("WSK-SOCK-15", "WSK-ACC-12");
    RtlZeroMemory(&offer, sizeof(offer));
    offer.inherited = WSK_EVENT_RECEIVE;
    offer.sets_table = TRUE;
    for (unsigned i = 0; i < 3; i++) {
        expect_silence(accept_and_close, NULL);
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_freeing_the_mdl_of_a_pending_request_is_caught),
    kernel_test(test_unlocking_such_an_mdl_is_not_called_a_free),
    kernel_test(test_freeing_an_mdl_after_its_request_is_fine),
    kernel_test(test_data_that_changes_while_it_is_sent_is_caught),
    kernel_test(test_data_that_stays_is_fine),
    kernel_test(test_memory_in_paged_pool_is_caught),
    kernel_test(test_resident_memory_is_fine),
    kernel_test(test_an_output_that_goes_before_the_irp_is_caught),
    kernel_test(test_a_context_that_goes_before_its_socket_is_caught),
    kernel_test(test_outputs_that_stay_are_fine),
    kernel_test(test_an_accept_event_that_sets_too_little_is_caught),
    kernel_test(test_an_accept_event_that_sets_both_is_fine),
    kernel_test(test_what_comes_with_a_socket_in_vain_is_warned_of),
    kernel_test(test_what_comes_with_a_socket_for_its_events_is_fine),
    kernel_test(test_a_table_of_another_type_is_caught),
    kernel_test(test_tables_of_the_right_type_are_fine),
};

TEST_MAIN(tests)
