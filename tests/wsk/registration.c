/* WskRegister and what follows it. */
#include "log.h"
#include "wsk_end.h"

#include "../rtl/capture.h"
#include "wsk/client.h"

#include <wskemu/network.h>

#define LONG_MS 60000

static const WSK_CLIENT_DISPATCH version_1_0 = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static const WSK_CLIENT_DISPATCH version_2_0 = {MAKE_WSK_VERSION(2, 0), 0, NULL};

static NTSTATUS register_as(WSK_REGISTRATION *registration, const WSK_CLIENT_DISPATCH *dispatch)
{
    WSK_CLIENT_NPI npi = {NULL, dispatch};
    return WskRegister(&npi, registration);
}

static void registering_fills_the_block(void **state)
{
    PROVES("WSK-REG-01", "WSK-REG-24");
    STAYS_SILENT("WSK-REG-07", "WSK-REG-10");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    RtlFillMemory(&registration, sizeof(registration), 0xCC);
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(registration.ReservedRegistrationLock, 0);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider), STATUS_SUCCESS);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}

static void refused_registration_leaves_nothing(void **state)
{
    PROVES("WSK-REG-02");
    WSK_REGISTRATION registration;
    assert_int_equal(register_as(&registration, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(WskRegister(NULL, &registration), STATUS_INVALID_PARAMETER);
}

static void registrations_are_independent(void **state)
{
    PROVES("WSK-REG-03", "WSK-DISP-06");
    STAYS_SILENT("WSK-REG-04");
    WSK_REGISTRATION one, other;
    WSK_PROVIDER_NPI from_one, from_other;
    assert_int_equal(register_as(&one, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(register_as(&other, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&one, WSK_NO_WAIT, &from_one), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&other, WSK_NO_WAIT, &from_other), STATUS_SUCCESS);
    assert_non_null(from_one.Client);
    assert_ptr_not_equal(from_one.Client, from_other.Client);
    WskReleaseProviderNPI(&one);
    WskDeregister(&one);
    assert_int_equal(WskCaptureProviderNPI(&other, WSK_NO_WAIT, &from_other), STATUS_SUCCESS);
    WskReleaseProviderNPI(&other);
    WskReleaseProviderNPI(&other);
    WskDeregister(&other);
}

static NTSTATUS register_from_the_stack(WSK_REGISTRATION *registration)
{
    WSK_CLIENT_DISPATCH dispatch = version_1_0;
    WSK_CLIENT_NPI npi = {NULL, &dispatch};
    NTSTATUS status = WskRegister(&npi, registration);
    RtlFillMemory(&dispatch, sizeof(dispatch), 0xCC);
    RtlFillMemory(&npi, sizeof(npi), 0xCC);
    return status;
}

static void npi_may_be_a_stack_variable(void **state)
{
    PROVES("WSK-REG-09");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    assert_int_equal(register_from_the_stack(&registration), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider), STATUS_SUCCESS);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}

static void capture_gives_a_whole_table_of_the_version_in_force(void **state)
{
    PROVES("WSK-REG-15", "WSK-DISP-01", "WSK-DISP-02", "WSK-DISP-03");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider = {NULL, NULL};
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider), STATUS_SUCCESS);
    assert_int_equal(WSK_MAJOR_VERSION(provider.Dispatch->Version), 1);
    assert_true(WSK_MINOR_VERSION(provider.Dispatch->Version) >= 0);
    assert_int_equal(provider.Dispatch->Version, MAKE_WSK_VERSION(1, 0));
    assert_non_null(provider.Dispatch->WskSocket);
    assert_non_null(provider.Dispatch->WskSocketConnect);
    assert_non_null(provider.Dispatch->WskControlClient);
    assert_non_null(provider.Dispatch->WskGetAddressInfo);
    assert_non_null(provider.Dispatch->WskFreeAddressInfo);
    assert_non_null(provider.Dispatch->WskGetNameInfo);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}

static void capture_without_wait_never_blocks(void **state)
{
    PROVES("WSK-REG-16", "WSK-HDR-03");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    KIRQL old;
    assert_int_equal(WSK_NO_WAIT, 0);
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    wskemu_provider_set_ready(FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NTSTATUS before = WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider);
    KeLowerIrql(old);
    wskemu_provider_set_ready(TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NTSTATUS after = WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider);
    if (NT_SUCCESS(after)) {
        WskReleaseProviderNPI(&registration);
    }
    KeLowerIrql(old);
    assert_int_equal(before, STATUS_DEVICE_NOT_READY);
    assert_int_equal(after, STATUS_SUCCESS);
    WskDeregister(&registration);
}

/* A capture on a thread of its own. */
struct capture {
    WSK_REGISTRATION *registration;
    ULONG timeout;
    NTSTATUS status;
    volatile LONG is_done;
};

static VOID capture_thread(PVOID context)
{
    struct capture *capture = context;
    WSK_PROVIDER_NPI provider;
    capture->status = WskCaptureProviderNPI(capture->registration, capture->timeout, &provider);
    capture->is_done = 1;
    if (NT_SUCCESS(capture->status)) {
        WskReleaseProviderNPI(capture->registration);
    }
}

static NTSTATUS status_once_ready(ULONG timeout)
{
    WSK_REGISTRATION registration;
    struct capture capture = {&registration, timeout, STATUS_UNSUCCESSFUL, 0};
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    wskemu_provider_set_ready(FALSE);
    PKTHREAD thread = start_thread(capture_thread, &capture);
    await_blocked(thread);
    assert_int_equal(capture.is_done, 0);
    wskemu_provider_set_ready(TRUE);
    join_thread(thread);
    WskDeregister(&registration);
    return capture.status;
}

static void capture_waits_for_the_provider(void **state)
{
    PROVES("WSK-REG-17", "WSK-REG-18", "WSK-HDR-03");
    assert_int_equal(WSK_INFINITE_WAIT, 0xFFFFFFFF);
    assert_int_equal(status_once_ready(WSK_INFINITE_WAIT), STATUS_SUCCESS);
    assert_int_equal(status_once_ready(LONG_MS), STATUS_SUCCESS);
    assert_int_equal(status_once_ready(WSK_INFINITE_WAIT - 1), STATUS_SUCCESS);
}

static void capture_gives_up_after_its_milliseconds(void **state)
{
    PROVES("WSK-REG-18", "WSK-REG-19");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    wskemu_provider_set_ready(FALSE);
    ULONG64 start = KeQueryInterruptTime();
    assert_int_equal(WskCaptureProviderNPI(&registration, 2, &provider), STATUS_DEVICE_NOT_READY);
    assert_true(KeQueryInterruptTime() - start >= 2 * 10000);
    WskDeregister(&registration);
    wskemu_provider_set_ready(TRUE);
}

static void capture_waits_at_once_when_the_provider_is_there(void **state)
{
    PROVES("WSK-REG-15", "WSK-REG-17", "WSK-REG-18");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &provider),
                     STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, LONG_MS, &provider), STATUS_SUCCESS);
    WskReleaseProviderNPI(&registration);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}

static void unsupported_version_is_refused_and_the_range_can_be_asked(void **state)
{
    PROVES("WSK-REG-20", "WSK-REG-33", "WSK-REG-35", "WSK-DISP-01");
    STAYS_SILENT("WSK-HDR-26", "WSK-REG-23");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    WSK_PROVIDER_CHARACTERISTICS range = {0, 0};
    assert_int_equal(register_as(&registration, &version_2_0), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider),
                     STATUS_NOINTERFACE);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &provider),
                     STATUS_NOINTERFACE);
    assert_int_equal(WskQueryProviderCharacteristics(&registration, &range), STATUS_SUCCESS);
    assert_int_equal(range.LowestVersion, MAKE_WSK_VERSION(1, 0));
    assert_int_equal(range.HighestVersion, MAKE_WSK_VERSION(1, 0));
    WskDeregister(&registration);
    WSK_CLIENT_DISPATCH highest = {range.HighestVersion, 0, NULL};
    assert_int_equal(register_as(&registration, &highest), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider), STATUS_SUCCESS);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}

static void range_is_not_known_before_the_provider_is_there(void **state)
{
    PROVES("WSK-REG-33", "WSK-REG-34");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    WSK_PROVIDER_CHARACTERISTICS range;
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    wskemu_provider_set_ready(FALSE);
    assert_int_equal(WskQueryProviderCharacteristics(&registration, &range),
                     STATUS_DEVICE_NOT_READY);
    wskemu_provider_set_ready(TRUE);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider), STATUS_SUCCESS);
    assert_int_equal(WskQueryProviderCharacteristics(&registration, &range), STATUS_SUCCESS);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}

/* WskDeregister on a thread of its own. */
struct deregistration {
    WSK_REGISTRATION *registration;
    PKTHREAD thread;
    volatile LONG is_done;
};

static VOID deregister_thread(PVOID context)
{
    struct deregistration *deregistration = context;
    WskDeregister(deregistration->registration);
    deregistration->is_done = 1;
}

static void start_deregistration(struct deregistration *deregistration,
                                 WSK_REGISTRATION *registration)
{
    *deregistration = (struct deregistration){.registration = registration};
    deregistration->thread = start_thread(deregister_thread, deregistration);
    await_blocked(deregistration->thread);
    assert_int_equal(deregistration->is_done, 0);
}

static void deregistering_waits_for_every_capture(void **state)
{
    PROVES("WSK-REG-21", "WSK-REG-24", "WSK-REG-37");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    struct deregistration deregistration;
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider), STATUS_SUCCESS);
    start_deregistration(&deregistration, &registration);
    WskReleaseProviderNPI(&registration);
    await_blocked(deregistration.thread);
    assert_int_equal(deregistration.is_done, 0);
    WskReleaseProviderNPI(&registration);
    join_thread(deregistration.thread);
}

static void deregistering_waits_for_sockets_which_work_on(void **state)
{
    PROVES("WSK-REG-27", "WSK-REG-39", "WSK-CLOSE-19");
    struct wsk_end end;
    struct deregistration deregistration;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    assert_non_null(socket);
    WskReleaseProviderNPI(&end.registration);
    start_deregistration(&deregistration, &end.registration);
    assert_int_equal(bind_loopback(&end, socket, AF_INET, NULL), STATUS_SUCCESS);
    await_blocked(deregistration.thread);
    assert_int_equal(deregistration.is_done, 0);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    join_thread(deregistration.thread);
    call_free(&end.call);
}

/* What every function of the table does first, and last when its IRP has completed. */
static void deregistering_waits_for_calls_and_the_irps_they_leave(void **state)
{
    PROVES("WSK-REG-38", "WSK-REG-40");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    struct deregistration deregistration;
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider), STATUS_SUCCESS);
    struct wsk_client *client = wsk_client_enter(provider.Client);
    wsk_client_hold_request(client);
    WskReleaseProviderNPI(&registration);
    start_deregistration(&deregistration, &registration);
    wsk_client_release_request(client);
    await_blocked(deregistration.thread);
    assert_int_equal(deregistration.is_done, 0);
    wsk_client_release_request(client);
    join_thread(deregistration.thread);
}

static void deregistering_cancels_the_watch_of_transports_and_waits_for_it(void **state)
{
    PROVES("WSK-REG-40", "WSK-REG-41");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    NTSTATUS returned =
        end.provider.Dispatch->WskControlClient(end.provider.Client, WSK_TRANSPORT_LIST_CHANGE, 0,
                                                NULL, 0, NULL, NULL, call_irp(&end.call));
    assert_int_equal(returned, STATUS_PENDING);
    assert_false(call_is_done(&end.call));
    WskReleaseProviderNPI(&end.registration);
    WskDeregister(&end.registration);
    assert_true(call_is_done(&end.call));
    assert_int_equal(call_wait(&end.call, returned), STATUS_CANCELLED);
    call_free(&end.call);
}

static void capture_after_deregistering_is_refused(void **state)
{
    PROVES("WSK-REG-28");
    STAYS_SILENT("WSK-REG-30");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    WSK_PROVIDER_CHARACTERISTICS range;
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    WskDeregister(&registration);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider),
                     STATUS_DEVICE_NOT_READY);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &provider),
                     STATUS_DEVICE_NOT_READY);
    assert_int_equal(WskQueryProviderCharacteristics(&registration, &range),
                     STATUS_DEVICE_NOT_READY);
}

static void capture_while_deregistering_is_refused(void **state)
{
    PROVES("WSK-REG-28");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    struct deregistration deregistration;
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider), STATUS_SUCCESS);
    start_deregistration(&deregistration, &registration);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &provider),
                     STATUS_DEVICE_NOT_READY);
    WskReleaseProviderNPI(&registration);
    join_thread(deregistration.thread);
}

#define CAPTURES 3

static void blocked_captures_return_when_the_client_deregisters(void **state)
{
    PROVES("WSK-REG-29");
    static const ULONG timeouts[CAPTURES] = {WSK_INFINITE_WAIT, LONG_MS, WSK_INFINITE_WAIT};
    WSK_REGISTRATION registration;
    struct capture captures[CAPTURES];
    PKTHREAD threads[CAPTURES];
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    wskemu_provider_set_ready(FALSE);
    for (int i = 0; i < CAPTURES; i++) {
        captures[i] = (struct capture){&registration, timeouts[i], STATUS_UNSUCCESSFUL, 0};
        threads[i] = start_thread(capture_thread, &captures[i]);
        await_blocked(threads[i]);
    }
    WskDeregister(&registration);
    for (int i = 0; i < CAPTURES; i++) {
        join_thread(threads[i]);
        assert_int_equal(captures[i].status, STATUS_DEVICE_NOT_READY);
    }
    wskemu_provider_set_ready(TRUE);
}

static void what_was_captured_stays_when_the_provider_goes(void **state)
{
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider), STATUS_SUCCESS);
    wskemu_provider_set_ready(FALSE);
    wsk_client_release_request(wsk_client_enter(provider.Client));
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
    wskemu_provider_set_ready(TRUE);
}

/* ---- what a driver does wrong ---- */

static WSK_REGISTRATION block;
static WSK_PROVIDER_NPI captured_provider;

static void register_twice(void *context)
{
    register_as(&block, &version_1_0);
    register_as(&block, &version_1_0);
}

static void deregister_twice(void *context)
{
    register_as(&block, &version_1_0);
    WskDeregister(&block);
    WskDeregister(&block);
}

static void write_to_the_block(void *context)
{
    register_as(&block, &version_1_0);
    block.ReservedRegistrationContext = NULL;
    WskDeregister(&block);
}

static void capture_with_an_overwritten_block(void *context)
{
    register_as(&block, &version_1_0);
    WskDeregister(&block);
    RtlFillMemory(&block, sizeof(block), 0xCC);
    WskCaptureProviderNPI(&block, WSK_NO_WAIT, &captured_provider);
}

static void capture_without_registration(void *context)
{
    RtlZeroMemory(&block, sizeof(block));
    WskCaptureProviderNPI(&block, WSK_NO_WAIT, &captured_provider);
}

static void capture_with_a_copy(void *context)
{
    WSK_REGISTRATION copy;
    register_as(&block, &version_1_0);
    copy = block;
    WskCaptureProviderNPI(&copy, WSK_NO_WAIT, &captured_provider);
}

static void release_once_too_often(void *context)
{
    register_as(&block, &version_1_0);
    WskCaptureProviderNPI(&block, WSK_NO_WAIT, &captured_provider);
    WskReleaseProviderNPI(&block);
    WskReleaseProviderNPI(&block);
}

static void release_a_failed_capture(void *context)
{
    register_as(&block, &version_2_0);
    WskCaptureProviderNPI(&block, WSK_NO_WAIT, &captured_provider);
    WskReleaseProviderNPI(&block);
}

#define expect_violation(body, rule)                                                               \
    expect_bugcheck(body, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, rule)

static void block_holds_one_registration_and_ends_once(void **state)
{
    PROVES("WSK-REG-04", "WSK-REG-05");
    expect_violation(register_twice, "WSK-REG-04");
    expect_violation(deregister_twice, "WSK-REG-05");
}

static void block_is_not_the_clients_to_change(void **state)
{
    PROVES("WSK-REG-07", "WSK-REG-30");
    expect_violation(write_to_the_block, "WSK-REG-07");
    expect_violation(capture_with_an_overwritten_block, "WSK-REG-30");
    expect_violation(capture_without_registration, "WSK-REG-30");
    expect_violation(capture_with_a_copy, "WSK-REG-30");
}

static void release_needs_a_successful_capture(void **state)
{
    PROVES("WSK-REG-22", "WSK-REG-23");
    expect_violation(release_once_too_often, "WSK-REG-22");
    expect_violation(release_a_failed_capture, "WSK-REG-23");
}

static void call_socket(void)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    captured_provider.Dispatch->WskSocket(captured_provider.Client, AF_INET, SOCK_STREAM,
                                          IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL, NULL,
                                          NULL, NULL, irp);
}

static void call_after_release(void *context)
{
    register_as(&block, &version_1_0);
    WskCaptureProviderNPI(&block, WSK_NO_WAIT, &captured_provider);
    WskReleaseProviderNPI(&block);
    call_socket();
}

static void call_after_deregistration(void *context)
{
    register_as(&block, &version_1_0);
    WskCaptureProviderNPI(&block, WSK_NO_WAIT, &captured_provider);
    WskReleaseProviderNPI(&block);
    WskDeregister(&block);
    register_as(&block, &version_1_0);
    call_socket();
}

static void provider_is_called_between_capture_and_release_only(void **state)
{
    PROVES("WSK-REG-25");
    expect_violation(call_after_release, "WSK-REG-25");
    expect_violation(call_after_deregistration, "WSK-REG-25");
}

static void reserved_member_is_zero(void **state)
{
    PROVES("WSK-REG-10");
    const WSK_CLIENT_DISPATCH odd = {MAKE_WSK_VERSION(1, 0), 1, NULL};
    capture_start();
    assert_int_equal(register_as(&block, &odd), STATUS_SUCCESS);
    assert_non_null(strstr(capture_stop(), "WSK-REG-10"));
    WskDeregister(&block);
}

static void range_is_asked_after_a_capture(void **state)
{
    PROVES("WSK-HDR-26");
    WSK_PROVIDER_CHARACTERISTICS range;
    assert_int_equal(register_as(&block, &version_1_0), STATUS_SUCCESS);
    capture_start();
    assert_int_equal(WskQueryProviderCharacteristics(&block, &range), STATUS_SUCCESS);
    assert_non_null(strstr(capture_stop(), "WSK-HDR-26"));
    WskDeregister(&block);
}

static KEVENT has_spoken;

static void note_speech(void *context, const char *text, size_t length)
{
    capture_sink(context, text, length);
    KeSetEvent(&has_spoken, IO_NO_INCREMENT, FALSE);
}

static void deregistration_that_takes_long_says_what_it_waits_for(void **state)
{
    PROVES("WSK-REG-46");
    struct deregistration deregistration;
    KeInitializeEvent(&has_spoken, NotificationEvent, FALSE);
    assert_int_equal(register_as(&block, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&block, WSK_NO_WAIT, &captured_provider),
                     STATUS_SUCCESS);
    capture_start();
    wskemu_log_redirect(note_speech, NULL);
    wskemu_set_patience(1);
    start_deregistration(&deregistration, &block);
    assert_int_equal(wait_object(&has_spoken), STATUS_SUCCESS);
    wskemu_set_patience(0);
    WskReleaseProviderNPI(&block);
    join_thread(deregistration.thread);
    assert_non_null(strstr(capture_stop(), "1 captures to be released, 0 sockets"));
}

static void registration_that_stays_is_reported_at_shutdown(void **state)
{
    PROVES("WSK-REG-05", "WSK-REG-45");
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_int_equal(register_as(&block, &version_1_0), STATUS_SUCCESS);
    capture_start();
    unsigned left = wskemu_shutdown();
    const char *text = capture_stop();
    assert_int_equal(left, 1);
    assert_non_null(strstr(text, "WSK-REG-45"));
}

/* ---- levels ---- */

static void at_level(KIRQL level, void (*body)(void))
{
    KIRQL old;
    register_as(&block, &version_1_0);
    WskCaptureProviderNPI(&block, WSK_NO_WAIT, &captured_provider);
    KeRaiseIrql(level, &old);
    body();
}

static void do_register(void)
{
    register_as(&block, &version_1_0);
}

static void do_deregister(void)
{
    WskDeregister(&block);
}

static void do_capture(void)
{
    WskCaptureProviderNPI(&block, 1, &captured_provider);
}

static void do_capture_without_wait(void)
{
    WskCaptureProviderNPI(&block, WSK_NO_WAIT, &captured_provider);
}

static void do_release(void)
{
    WskReleaseProviderNPI(&block);
}

static void do_query(void)
{
    WSK_PROVIDER_CHARACTERISTICS range;
    WskQueryProviderCharacteristics(&block, &range);
}

#define ABOVE_DISPATCH_LEVEL (DISPATCH_LEVEL + 1)

struct level_case {
    KIRQL level;
    void (*body)(void);
    ULONG violation;
    const char *rule;
};

static void run_level_case(void *context)
{
    const struct level_case *level_case = context;
    at_level(level_case->level, level_case->body);
}

static void functions_keep_to_their_levels(void **state)
{
    PROVES("WSK-IRQL-01", "WSK-IRQL-02", "WSK-IRQL-03", "WSK-IRQL-04");
    struct level_case cases[] = {
        {APC_LEVEL, do_register, 1, "WSK-IRQL-01"},
        {DISPATCH_LEVEL, do_register, 1, "WSK-IRQL-01"},
        {APC_LEVEL, do_deregister, 1, "WSK-IRQL-02"},
        {DISPATCH_LEVEL, do_deregister, 1, "WSK-IRQL-02"},
        {APC_LEVEL, do_capture, 2, "WSK-IRQL-03"},
        {DISPATCH_LEVEL, do_capture, 2, "WSK-IRQL-03"},
        {ABOVE_DISPATCH_LEVEL, do_capture_without_wait, 2, "WSK-IRQL-03"},
        {ABOVE_DISPATCH_LEVEL, do_release, 2, "WSK-IRQL-04"},
        {ABOVE_DISPATCH_LEVEL, do_query, 2, "WSK-IRQL-04"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_bugcheck(run_level_case, &cases[i], DRIVER_VIOLATION, cases[i].violation,
                        cases[i].rule);
    }
}

static void functions_work_at_their_highest_levels(void **state)
{
    STAYS_SILENT("WSK-IRQL-01", "WSK-IRQL-02", "WSK-IRQL-03", "WSK-IRQL-04");
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    WSK_PROVIDER_CHARACTERISTICS range;
    KIRQL old;
    assert_int_equal(register_as(&registration, &version_1_0), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, 1, &provider), STATUS_SUCCESS);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NTSTATUS captured = WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &provider);
    NTSTATUS asked = WskQueryProviderCharacteristics(&registration, &range);
    WskReleaseProviderNPI(&registration);
    WskReleaseProviderNPI(&registration);
    KeLowerIrql(old);
    assert_int_equal(captured, STATUS_SUCCESS);
    assert_int_equal(asked, STATUS_SUCCESS);
    WskDeregister(&registration);
}

struct client_listener {
    const void *context;
    ULONG calls;
    ULONG type;
    PVOID information;
    SIZE_T length;
    NTSTATUS answer;
} client_listener;

static NTSTATUS WSKAPI on_client(PVOID context, ULONG type, PVOID information, SIZE_T length)
{
    client_listener.context = context;
    client_listener.calls++;
    client_listener.type = type;
    client_listener.information = information;
    client_listener.length = length;
    return client_listener.answer;
}

static void no_client_event_is_raised_by_itself(void **state)
{
    PROVES("WSK-EVT-68", "WSK-REG-12", "WSK-EVT-67", "WSK-EVT-71");
    STAYS_SILENT("WSK-EVT-69");
    static const WSK_CLIENT_DISPATCH listening = {MAKE_WSK_VERSION(1, 0), 0, on_client};
    static const WSK_CLIENT_DISPATCH deaf = {MAKE_WSK_VERSION(1, 0), 0, NULL};
    WSK_CLIENT_NPI npi = {&client_listener, &listening};
    WSK_CLIENT_NPI deaf_npi = {NULL, &deaf};
    WSK_EVENT_CALLBACK_CONTROL none = {&NPI_WSK_INTERFACE_ID, 0};
    WSK_REGISTRATION registration, other;
    WSK_PROVIDER_NPI provider;
    RtlZeroMemory(&client_listener, sizeof(client_listener));
    client_listener.answer = STATUS_NOT_IMPLEMENTED;
    assert_int_equal(WskRegister(&npi, &registration), STATUS_SUCCESS);
    assert_int_equal(WskRegister(&deaf_npi, &other), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &provider),
                     STATUS_SUCCESS);
    provider.Dispatch->WskControlClient(provider.Client, WSK_SET_STATIC_EVENT_CALLBACKS,
                                        sizeof(none), &none, 0, NULL, NULL, NULL);
    assert_int_equal(client_listener.calls, 0);
    wskemu_client_event(7, NULL, 5);
    assert_int_equal(client_listener.calls, 1);
    assert_ptr_equal(client_listener.context, &client_listener);
    assert_int_equal(client_listener.type, 7);
    assert_null(client_listener.information);
    assert_int_equal(client_listener.length, 0);
    wskemu_client_event(8, &none, sizeof(none));
    assert_non_null(client_listener.information);
    assert_int_equal(client_listener.length, sizeof(none));
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
    wskemu_client_event(9, NULL, 0);
    assert_int_equal(client_listener.calls, 2);
    WskDeregister(&other);
}

static void an_unknown_client_event_is_not_implemented(void **state)
{
    PROVES("WSK-EVT-69");
    static const WSK_CLIENT_DISPATCH listening = {MAKE_WSK_VERSION(1, 0), 0, on_client};
    WSK_CLIENT_NPI npi = {&client_listener, &listening};
    WSK_REGISTRATION registration;
    RtlZeroMemory(&client_listener, sizeof(client_listener));
    assert_int_equal(WskRegister(&npi, &registration), STATUS_SUCCESS);
    log_capture();
    wskemu_client_event(1, NULL, 0);
    assert_true(log_named("WSK-EVT-69"));
    client_listener.answer = STATUS_NOT_IMPLEMENTED;
    log_capture();
    wskemu_client_event(1, NULL, 0);
    assert_false(log_named("WSK-EVT-69"));
    WskDeregister(&registration);
}

static const struct CMUnitTest tests[] = {
    kernel_test(registering_fills_the_block),
    kernel_test(refused_registration_leaves_nothing),
    kernel_test(registrations_are_independent),
    kernel_test(npi_may_be_a_stack_variable),
    kernel_test(capture_gives_a_whole_table_of_the_version_in_force),
    kernel_test(capture_without_wait_never_blocks),
    kernel_test(capture_waits_for_the_provider),
    kernel_test(capture_gives_up_after_its_milliseconds),
    kernel_test(capture_waits_at_once_when_the_provider_is_there),
    kernel_test(unsupported_version_is_refused_and_the_range_can_be_asked),
    kernel_test(range_is_not_known_before_the_provider_is_there),
    kernel_test(deregistering_waits_for_every_capture),
    kernel_test(deregistering_waits_for_sockets_which_work_on),
    kernel_test(deregistering_waits_for_calls_and_the_irps_they_leave),
    kernel_test(deregistering_cancels_the_watch_of_transports_and_waits_for_it),
    kernel_test(capture_after_deregistering_is_refused),
    kernel_test(capture_while_deregistering_is_refused),
    kernel_test(blocked_captures_return_when_the_client_deregisters),
    kernel_test(what_was_captured_stays_when_the_provider_goes),
    kernel_test(block_holds_one_registration_and_ends_once),
    kernel_test(block_is_not_the_clients_to_change),
    kernel_test(release_needs_a_successful_capture),
    kernel_test(provider_is_called_between_capture_and_release_only),
    kernel_test(reserved_member_is_zero),
    kernel_test(range_is_asked_after_a_capture),
    kernel_test(deregistration_that_takes_long_says_what_it_waits_for),
    cmocka_unit_test(registration_that_stays_is_reported_at_shutdown),
    kernel_test(functions_keep_to_their_levels),
    kernel_test(functions_work_at_their_highest_levels),
    kernel_test(no_client_event_is_raised_by_itself),
    kernel_test(an_unknown_client_event_is_not_implemented),
};

TEST_MAIN(tests)
