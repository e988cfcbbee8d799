/* WSK reached through NMR, without WskRegister. */
#include "wsk_end.h"

#include "wsk/client.h"

#include <wskemu/network.h>

static const NPI_MODULEID module_id = {
    sizeof(NPI_MODULEID), MIT_GUID, {{0x11D2A6B1, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}}}};

static const WSK_CLIENT_DISPATCH version_1_0 = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static const WSK_CLIENT_DISPATCH version_9_0 = {MAKE_WSK_VERSION(9, 0), 0, NULL};

/* A client of WSK by NMR; end is used for its calls. */
struct attached {
    HANDLE handle;
    HANDLE binding;
    struct wsk_end end;
    const WSK_CLIENT_DISPATCH *first_try;
    NTSTATUS first_status;
    NTSTATUS status;
    USHORT highest_version; /* of the provider's characteristics */
    LONG attaches;
    LONG detaches;
    LONG cleanups;
    NTSTATUS detach_status;
};

static NTSTATUS NTAPI attach_provider(HANDLE NmrBindingHandle, PVOID ClientContext,
                                      PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance)
{
    struct attached *client = ClientContext;
    const WSK_PROVIDER_CHARACTERISTICS *versions =
        ProviderRegistrationInstance->NpiSpecificCharacteristics;
    PVOID *context = &client->end.provider.Client;
    const VOID **dispatch = (const VOID **)&client->end.provider.Dispatch;
    client->attaches++;
    client->binding = NmrBindingHandle;
    client->highest_version = versions->HighestVersion;
    client->status =
        NmrClientAttachProvider(NmrBindingHandle, client, client->first_try, context, dispatch);
    client->first_status = client->status;
    if (client->status == STATUS_NOINTERFACE) {
        client->status =
            NmrClientAttachProvider(NmrBindingHandle, client, &version_1_0, context, dispatch);
    }
    return client->status;
}

static NTSTATUS NTAPI detach_provider(PVOID ClientBindingContext)
{
    struct attached *client = ClientBindingContext;
    client->detaches++;
    return client->detach_status;
}

static VOID NTAPI cleanup(PVOID ClientBindingContext)
{
    struct attached *client = ClientBindingContext;
    client->cleanups++;
}

static const NPI_CLIENT_CHARACTERISTICS characteristics = {
    .Length = sizeof(NPI_CLIENT_CHARACTERISTICS),
    .ClientAttachProvider = attach_provider,
    .ClientDetachProvider = detach_provider,
    .ClientCleanupBindingContext = cleanup,
    .ClientRegistrationInstance = {.Size = sizeof(NPI_REGISTRATION_INSTANCE),
                                   .NpiId = &NPI_WSK_INTERFACE_ID,
                                   .ModuleId = &module_id},
};

static void start_client(struct attached *client, const WSK_CLIENT_DISPATCH *first_try)
{
    *client = (struct attached){.first_try = first_try};
    call_init(&client->end.call);
    assert_int_equal(NmrRegisterClient(&characteristics, client, &client->handle), STATUS_SUCCESS);
}

static void end_client(struct attached *client)
{
    assert_int_equal(NmrDeregisterClient(client->handle), STATUS_PENDING);
    assert_int_equal(NmrWaitForClientDeregisterComplete(client->handle), STATUS_SUCCESS);
    call_free(&client->end.call);
}

static PWSK_SOCKET open_socket(struct attached *client)
{
    return make_socket(&client->end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
}

static void client_of_nmr_gets_the_client_pointer_and_the_table(void **state)
{
    PROVES("NMR-14", "NMR-17", "NMR-19", "NMR-26", "WSK-DISP-06");
    struct attached client;
    start_client(&client, &version_1_0);
    assert_int_equal(client.attaches, 1);
    assert_int_equal(client.status, STATUS_SUCCESS);
    assert_int_equal(client.highest_version, MAKE_WSK_VERSION(1, 0));
    assert_non_null(client.end.provider.Client);
    assert_int_equal(client.end.provider.Dispatch->Version, MAKE_WSK_VERSION(1, 0));
    PWSK_SOCKET socket = open_socket(&client);
    assert_non_null(socket);
    assert_int_equal(close_socket(&client.end, socket), STATUS_SUCCESS);
    end_client(&client);
    assert_int_equal(client.detaches, 1);
    assert_int_equal(client.cleanups, 1);
}

static void refused_version_may_be_followed_by_another(void **state)
{
    PROVES("NMR-24", "NMR-25", "NMR-27");
    struct attached client;
    start_client(&client, &version_9_0);
    assert_int_equal(client.first_status, STATUS_NOINTERFACE);
    assert_int_equal(client.status, STATUS_SUCCESS);
    end_client(&client);
}

static void client_is_attached_when_the_provider_becomes_ready(void **state)
{
    PROVES("NMR-16", "NMR-17");
    struct attached client;
    wskemu_provider_set_ready(FALSE);
    start_client(&client, &version_1_0);
    assert_int_equal(client.attaches, 0);
    wskemu_provider_set_ready(TRUE);
    assert_int_equal(client.attaches, 1);
    assert_int_equal(client.status, STATUS_SUCCESS);
    wskemu_provider_set_ready(FALSE);
    assert_int_equal(client.detaches, 1);
    assert_int_equal(client.cleanups, 1);
    wskemu_provider_set_ready(TRUE);
    assert_int_equal(client.attaches, 2);
    end_client(&client);
    assert_int_equal(client.detaches, 2);
}

static VOID wait_for_client(PVOID context)
{
    struct attached *client = context;
    NmrWaitForClientDeregisterComplete(client->handle);
}

static void detachment_lasts_until_all_sockets_are_closed(void **state)
{
    PROVES("NMR-53", "NMR-55");
    struct attached client;
    start_client(&client, &version_1_0);
    PWSK_SOCKET one = open_socket(&client);
    PWSK_SOCKET other = open_socket(&client);
    assert_int_equal(NmrDeregisterClient(client.handle), STATUS_PENDING);
    PKTHREAD thread = start_thread(wait_for_client, &client);
    await_blocked(thread);
    assert_int_equal(close_socket(&client.end, one), STATUS_SUCCESS);
    await_blocked(thread);
    assert_int_equal(client.detaches, 1);
    assert_int_equal(client.cleanups, 0);
    assert_int_equal(bind_loopback(&client.end, other, AF_INET, NULL), STATUS_SUCCESS);
    assert_int_equal(close_socket(&client.end, other), STATUS_SUCCESS);
    join_thread(thread);
    assert_int_equal(client.cleanups, 1);
    call_free(&client.end.call);
}

static void client_may_call_until_it_has_reported_its_detachment(void **state)
{
    PROVES("NMR-43", "NMR-55");
    STAYS_SILENT("NMR-52");
    struct attached client;
    start_client(&client, &version_1_0);
    client.detach_status = STATUS_PENDING;
    assert_int_equal(NmrDeregisterClient(client.handle), STATUS_PENDING);
    assert_int_equal(client.detaches, 1);
    PWSK_SOCKET socket = open_socket(&client);
    assert_non_null(socket);
    assert_int_equal(close_socket(&client.end, socket), STATUS_SUCCESS);
    assert_int_equal(client.cleanups, 0);
    NmrClientDetachProviderComplete(client.binding);
    assert_int_equal(NmrWaitForClientDeregisterComplete(client.handle), STATUS_SUCCESS);
    assert_int_equal(client.cleanups, 1);
    call_free(&client.end.call);
}

static void call_after_detachment(void *context)
{
    struct attached *client = context;
    end_client(client);
    call_init(&client->end.call);
    open_socket(client);
}

static void detached_client_must_not_call(void **state)
{
    PROVES("NMR-52");
    static struct attached client;
    start_client(&client, &version_1_0);
    expect_bugcheck(call_after_detachment, &client, DRIVER_VERIFIER_DETECTED_VIOLATION,
                    WSK_VIOLATION, "NMR-52");
}

static const struct CMUnitTest tests[] = {
    kernel_test(client_of_nmr_gets_the_client_pointer_and_the_table),
    kernel_test(refused_version_may_be_followed_by_another),
    kernel_test(client_is_attached_when_the_provider_becomes_ready),
    kernel_test(detachment_lasts_until_all_sockets_are_closed),
    kernel_test(client_may_call_until_it_has_reported_its_detachment),
    kernel_test(detached_client_must_not_call),
};

TEST_MAIN(tests)
