/* Extension interfaces on sockets. */
#include "wsk_end.h"

#include <wskemu/network.h>

static const NPIID interface_id = {0x7F1D2A55, 0x0C1E, 0x4E9B, {1, 2, 3, 4, 5, 6, 7, 8}};
static const NPIID unknown_id = {0x7F1D2A56, 0x0C1E, 0x4E9B, {1, 2, 3, 4, 5, 6, 7, 8}};

/* What the provider saw, and what it gives. */
struct provider {
    PWSK_SOCKET socket;
    WSK_EXTENSION_CONTROL_IN input;
    unsigned attached;
    ULONG event_mask;
    NTSTATUS answer;
};

static const int provider_table;
static const int client_table;

static NTSTATUS attach(PVOID context, PWSK_SOCKET socket, const WSK_EXTENSION_CONTROL_IN *input,
                       PWSK_EXTENSION_CONTROL_OUT output)
{
    struct provider *provider = context;
    provider->socket = socket;
    provider->input = *input;
    provider->attached++;
    output->ProviderContext = provider;
    output->ProviderDispatch = &provider_table;
    return provider->answer;
}

static NTSTATUS set_events(PVOID provider_context, ULONG event_mask)
{
    struct provider *provider = provider_context;
    provider->event_mask = event_mask;
    return STATUS_SUCCESS;
}

static const struct wskemu_extension with_events = {attach, set_events};
static const struct wskemu_extension without_events = {attach, NULL};

static NTSTATUS register_extension(PWSK_SOCKET socket, const NPIID *id,
                                   PWSK_EXTENSION_CONTROL_OUT output)
{
    WSK_EXTENSION_CONTROL_IN input = {(PNPIID)id, socket, &client_table};
    return control_socket_now(socket, WskIoctl, SIO_WSK_REGISTER_EXTENSION, 0, &input,
                              sizeof(input), output, sizeof(*output), NULL);
}

static NTSTATUS set_events_of(PWSK_SOCKET socket, const NPIID *id, ULONG mask)
{
    WSK_EVENT_CALLBACK_CONTROL events = {(PNPIID)id, mask};
    return control_socket_now(socket, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, &events,
                              sizeof(events), NULL, 0, NULL);
}

static const ULONG categories[] = {WSK_FLAG_BASIC_SOCKET, WSK_FLAG_LISTEN_SOCKET,
                                   WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET,
                                   WSK_FLAG_STREAM_SOCKET};

static void no_extension_is_supported(void **state)
{
    PROVES("WSK-EXT-01", "WSK-EXT-04", "WSK-EXT-05", "WSK-HDR-33");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(categories); i++) {
        WSK_EXTENSION_CONTROL_OUT output;
        PWSK_SOCKET socket = make_socket(&test_end, AF_INET, categories[i], NULL, NULL);
        assert_int_equal(register_extension(socket, &interface_id, &output), STATUS_NOT_SUPPORTED);
        close_socket(&test_end, socket);
    }
}

static void one_that_is_provided_is_registered_on_a_socket(void **state)
{
    struct provider provider = {.answer = STATUS_SUCCESS};
    PROVES("WSK-EXT-01", "WSK-EXT-02", "WSK-EXT-03", "WSK-EXT-04", "WSK-HDR-33");
    STAYS_SILENT("WSK-EXT-02", "WSK-SKO-08");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_extension_add(&interface_id, &with_events, &provider), STATUS_SUCCESS);
    for (unsigned i = 0; i < RTL_NUMBER_OF(categories); i++) {
        WSK_EXTENSION_CONTROL_OUT output = {NULL, NULL};
        PWSK_SOCKET socket = make_socket(&test_end, AF_INET6, categories[i], NULL, NULL);
        assert_int_equal(register_extension(socket, &unknown_id, &output), STATUS_NOT_SUPPORTED);
        assert_int_equal(register_extension(socket, &interface_id, &output), STATUS_SUCCESS);
        assert_ptr_equal(output.ProviderContext, &provider);
        assert_ptr_equal(output.ProviderDispatch, &provider_table);
        assert_ptr_equal(provider.socket, socket);
        assert_ptr_equal(provider.input.ClientContext, socket);
        assert_ptr_equal(provider.input.ClientDispatch, &client_table);
        assert_int_equal(register_extension(socket, &interface_id, &output),
                         STATUS_ALREADY_REGISTERED);
        assert_int_equal(provider.attached, i + 1);
        close_socket(&test_end, socket);
    }
}

static void an_irp_that_is_not_wanted_is_completed(void **state)
{
    struct provider provider = {.answer = STATUS_SUCCESS};
    WSK_EXTENSION_CONTROL_IN input = {(PNPIID)&interface_id, NULL, NULL};
    WSK_EXTENSION_CONTROL_OUT output = {NULL, NULL};
    SIZE_T stored;
    PROVES("WSK-EXT-02", "WSK-SKO-08", "WSK-IRP-01");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_extension_add(&interface_id, &with_events, &provider), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    assert_int_equal(control_socket(&test_end, socket, WskIoctl, SIO_WSK_REGISTER_EXTENSION, 0,
                                    &input, sizeof(input), &output, sizeof(output), &stored),
                     STATUS_SUCCESS);
    assert_int_equal(stored, sizeof(output));
    assert_ptr_equal(output.ProviderDispatch, &provider_table);
    close_socket(&test_end, socket);
}

static void a_provider_may_refuse(void **state)
{
    struct provider provider = {.answer = STATUS_DEVICE_NOT_READY};
    WSK_EXTENSION_CONTROL_OUT output = {NULL, NULL};
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_extension_add(&interface_id, &with_events, &provider), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    assert_int_equal(register_extension(socket, &interface_id, &output), STATUS_DEVICE_NOT_READY);
    assert_null(output.ProviderDispatch);
    assert_false(NT_SUCCESS(set_events_of(socket, &interface_id, 1)));
    close_socket(&test_end, socket);
}

static void a_basic_socket_has_the_callbacks_of_its_extensions_only(void **state)
{
    struct provider provider = {.answer = STATUS_SUCCESS};
    WSK_EXTENSION_CONTROL_OUT output;
    PROVES("WSK-CBE-27", "WSK-CBE-16");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_extension_add(&interface_id, &with_events, &provider), STATUS_SUCCESS);
    assert_int_equal(wskemu_extension_add(&unknown_id, &without_events, &provider), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    assert_false(NT_SUCCESS(set_events_of(socket, &interface_id, 5)));
    assert_int_equal(register_extension(socket, &interface_id, &output), STATUS_SUCCESS);
    assert_int_equal(register_extension(socket, &unknown_id, &output), STATUS_SUCCESS);
    assert_int_equal(set_events_of(socket, &interface_id, 5), STATUS_SUCCESS);
    assert_int_equal(provider.event_mask, 5);
    assert_int_equal(set_events_of(socket, &interface_id, 4 | WSK_EVENT_DISABLE), STATUS_SUCCESS);
    assert_int_equal(provider.event_mask, 4 | WSK_EVENT_DISABLE);
    assert_false(NT_SUCCESS(set_events_of(socket, &unknown_id, 1)));
    assert_false(NT_SUCCESS(set_events_of(socket, &NPI_WSK_INTERFACE_ID, WSK_EVENT_RECEIVE)));
    close_socket(&test_end, socket);
}

static void other_sockets_have_both_kinds_of_callbacks(void **state)
{
    struct provider provider = {.answer = STATUS_SUCCESS};
    WSK_EXTENSION_CONTROL_OUT output;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_extension_add(&interface_id, &with_events, &provider), STATUS_SUCCESS);
    PWSK_SOCKET socket = listen_loopback(&test_end, AF_INET, NULL, NULL, NULL);
    assert_int_equal(register_extension(socket, &interface_id, &output), STATUS_SUCCESS);
    assert_int_equal(set_events_of(socket, &interface_id, 9), STATUS_SUCCESS);
    assert_int_equal(provider.event_mask, 9);
    assert_int_equal(set_events_of(socket, &NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT),
                     STATUS_SUCCESS);
    assert_int_equal(provider.event_mask, 9);
    close_socket(&test_end, socket);
}

static const struct CMUnitTest tests[] = {
    kernel_test_wsk(no_extension_is_supported),
    kernel_test_wsk(one_that_is_provided_is_registered_on_a_socket),
    kernel_test_wsk(an_irp_that_is_not_wanted_is_completed),
    kernel_test_wsk(a_provider_may_refuse),
    kernel_test_wsk(a_basic_socket_has_the_callbacks_of_its_extensions_only),
    kernel_test_wsk(other_sockets_have_both_kinds_of_callbacks),
};

TEST_MAIN(tests)
