/* Requests of WSK: where they are made and waited for, and what goes with them. */
#include "bugcheck.h"
#include "twins.h"
#include "wsk_datagram.h"
#include "wsk_pair.h"

#include <netioddk.h>

#define VIOLATION DRIVER_VERIFIER_DETECTED_VIOLATION
#define WSK_VIOLATION 0x57534B

static struct wsk_pair pair;
static struct wsk_call call;

/* ---- waiting in an event callback ---- */

static BOOLEAN waits;
static KEVENT called;

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indication);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    begin_send(&call, pair.near, "y", 1, 0);
    if (waits) {
        wait_object(&call.done);
    }
    KeSetEvent(&called, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH table = {.WskReceiveEvent = on_receive};

static void send_in_an_event(void *context)
{
    waits = context != NULL;
    KeInitializeEvent(&called, NotificationEvent, FALSE);
    open_pair(&pair, NULL, &table);
    call_init(&call);
    enable_events(pair.near, WSK_EVENT_RECEIVE);
    send_all(&pair, pair.far, "x", 1);
    await(&called);
    await(&call.done);
    call_free(&call);
    close_pair(&pair);
}

static void test_waiting_for_a_request_in_an_event_is_caught(void **state)
{
    PROVES("WSK-EVT-07");
    struct wskemu_bugcheck stop = bugcheck_of(send_in_an_event, &pair);
    assert_string_equal(stop.rule, "WSK-EVT-07");
}

static void test_waiting_outside_of_an_event_is_fine(void **state)
{
    STAYS_SILENT("WSK-IRP-36", "WSK-EVT-07", "WAIT-09");
    expect_silence(send_in_an_event, NULL);
}

/* ---- completion routines that call WSK ---- */

#define SOCKETS 12

static struct {
    PWSK_SOCKET socket[SOCKETS];
    PIRP irp[SOCKETS];
    SOCKADDR_INET sink;
    unsigned depth; /* sends that are made by completion routines */
    unsigned sent;
    WSK_BUF buffer;
    KEVENT done;
} chain;

static NTSTATUS send_next(PDEVICE_OBJECT device, PIRP irp, PVOID context);

static void send_one(void)
{
    unsigned i = chain.sent++;
    IoSetCompletionRoutine(chain.irp[i], send_next, NULL, TRUE, TRUE, TRUE);
    datagram_table(chain.socket[i])
        ->WskSendTo(chain.socket[i], &chain.buffer, 0, (PSOCKADDR)&chain.sink, 0, NULL,
                    chain.irp[i]);
}

static NTSTATUS send_next(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    if (chain.sent < chain.depth) {
        send_one();
    } else {
        KeSetEvent(&chain.done, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* context: how many. */
static void send_by_completion_routines(void *context)
{
    struct wskemu_options options = {.completion = WSKEMU_COMPLETION_INLINE};
    struct wsk_call data;
    wskemu_shutdown();
    wskemu_boot(&options);
    open_wsk(&pair.end);
    chain.depth = (unsigned)(ULONG_PTR)context;
    chain.sent = 0;
    call_init(&data);
    chain.buffer = call_buffer(&data, "x", 1);
    chain.sink = loopback_address(AF_INET, 9);
    KeInitializeEvent(&chain.done, NotificationEvent, FALSE);
    for (unsigned i = 0; i < SOCKETS; i++) {
        chain.socket[i] = open_datagram(&pair.end, AF_INET, NULL, NULL, NULL);
        chain.irp[i] = IoAllocateIrp(1, FALSE);
    }
    send_one();
    await(&chain.done);
    for (unsigned i = 0; i < SOCKETS; i++) {
        close_socket(&pair.end, chain.socket[i]);
        IoFreeIrp(chain.irp[i]);
    }
    call_free(&data);
    close_wsk(&pair.end);
}

static void test_completion_routines_deep_on_each_other_are_warned_of(void **state)
{
    PROVES("WSK-IRP-23");
    expect_warning(send_by_completion_routines, (PVOID)(ULONG_PTR)SOCKETS, "WSK-IRP-23");
}

static void test_a_completion_routine_that_calls_once_is_fine(void **state)
{
    STAYS_SILENT("WSK-IRP-23");
    expect_silence(send_by_completion_routines, (PVOID)(ULONG_PTR)2);
}

/* ---- what does not fit together ---- */

/* context: whether a send is pending. */
static void ask_for_silence(void *context)
{
    static UCHAR large[65536];
    static UCHAR sink[65536];
    SIZE_T moved;
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    if (context != NULL) {
        fill_until_pending(&pair, &call, pair.near, large, sizeof(large), &moved);
    }
    control_socket(&pair.end, pair.near, WskIoctl, SIO_WSK_SET_TCP_SILENT_MODE, 0, NULL, 0, NULL, 0,
                   NULL);
    while (context != NULL && !call_is_done(&call)) {
        receive_bytes(&pair.end, pair.far, sink, sizeof(sink), 0, &moved);
    }
    call_free(&call);
    close_pair(&pair);
}

static void test_silent_mode_while_a_send_is_pending_is_caught(void **state)
{
    PROVES("WSK-IOC-26");
    expect_bugcheck(ask_for_silence, &pair, VIOLATION, WSK_VIOLATION, "WSK-IOC-26");
}

static void test_silent_mode_of_an_idle_connection_is_fine(void **state)
{
    STAYS_SILENT("WSK-IOC-26");
    expect_silence(ask_for_silence, NULL);
}

/* context: control information of length 0, or NULL. */
static void send_messages(void *context)
{
    SOCKADDR_INET bound;
    open_wsk(&pair.end);
    PWSK_SOCKET socket = open_datagram(&pair.end, AF_INET, NULL, NULL, &bound);
    WSK_BUF_LIST list = {.Buffer = call_buffer(&pair.end.call, "x", 1)};
    call_wait(&pair.end.call,
              datagram_table(socket)->WskSendMessages(socket, &list, 0, (PSOCKADDR)&bound, 0,
                                                      context, call_irp(&pair.end.call)));
    close_socket(&pair.end, socket);
    close_wsk(&pair.end);
}

static void test_control_information_without_a_length_is_warned_of(void **state)
{
    static CMSGHDR control;
    PROVES("WSK-DGRM-26");
    expect_warning(send_messages, &control, "WSK-DGRM-26");
}

static void test_no_control_information_is_fine(void **state)
{
    STAYS_SILENT("WSK-DGRM-26");
    expect_silence(send_messages, NULL);
}

/* ---- a client of WSK through NMR ---- */

static NTSTATUS NTAPI attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE instance)
{
    static const WSK_CLIENT_DISPATCH dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
    PVOID provider_context;
    const VOID *provider_dispatch;
    UNREFERENCED_PARAMETER(instance);
    return NmrClientAttachProvider(binding, context, &dispatch, &provider_context,
                                   &provider_dispatch);
}

static NTSTATUS NTAPI detach(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    return STATUS_SUCCESS;
}

struct instance {
    ULONG number;
    const VOID *characteristics;
};

static void attach_as(void *context)
{
    static const NPI_MODULEID module_id = {
        sizeof(NPI_MODULEID), MIT_GUID, {{0x11D2A6B5, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}}}};
    static NPI_CLIENT_CHARACTERISTICS module;
    const struct instance *instance = context;
    HANDLE handle;
    module = (NPI_CLIENT_CHARACTERISTICS){
        .Length = sizeof(module), .ClientAttachProvider = attach, .ClientDetachProvider = detach};
    module.ClientRegistrationInstance =
        (NPI_REGISTRATION_INSTANCE){.Size = sizeof(NPI_REGISTRATION_INSTANCE),
                                    .NpiId = &NPI_WSK_INTERFACE_ID,
                                    .ModuleId = &module_id,
                                    .Number = instance->number,
                                    .NpiSpecificCharacteristics = instance->characteristics};
    assert_int_equal(NmrRegisterClient(&module, &module, &handle), STATUS_SUCCESS);
    NmrDeregisterClient(handle);
    NmrWaitForClientDeregisterComplete(handle);
}

static void test_an_instance_that_is_filled_wrongly_is_warned_of(void **state)
{
    PROVES("NMR-09", "NMR-10");
    expect_warning(attach_as, &(struct instance){.number = 1}, "NMR-09");
    expect_warning(attach_as, &(struct instance){.characteristics = &pair}, "NMR-10");
}

static void test_an_instance_as_wsk_wants_it_is_fine(void **state)
{
    STAYS_SILENT("NMR-09", "NMR-10", "WSK-IRQL-13", "WSK-IRQL-14", "WSK-IRQL-15");
    expect_silence(attach_as, &(struct instance){0});
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_waiting_for_a_request_in_an_event_is_caught),
    kernel_test(test_waiting_outside_of_an_event_is_fine),
    kernel_test(test_completion_routines_deep_on_each_other_are_warned_of),
    kernel_test(test_a_completion_routine_that_calls_once_is_fine),
    kernel_test(test_silent_mode_while_a_send_is_pending_is_caught),
    kernel_test(test_silent_mode_of_an_idle_connection_is_fine),
    kernel_test(test_control_information_without_a_length_is_warned_of),
    kernel_test(test_no_control_information_is_fine),
    kernel_test(test_an_instance_that_is_filled_wrongly_is_warned_of),
    kernel_test(test_an_instance_as_wsk_wants_it_is_fine),
};

TEST_MAIN(tests)
