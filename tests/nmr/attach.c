/* Pairing clients with providers, and attaching them. */
#include "modules.h"

static void client_that_registers_second_is_offered_the_provider_at_once(void **state)
{
    PROVES("NMR-01", "NMR-02", "NMR-03", "NMR-15", "NMR-18", "NMR-24");
    struct pair pair;
    make_pair(&pair);
    assert_int_equal(register_provider(&pair.provider), STATUS_SUCCESS);
    assert_string_equal(pair.calls.text, "");
    assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
    assert_string_equal(pair.calls.text, "Aa");
    assert_non_null(pair.client.handle);
    assert_non_null(pair.provider.handle);
    assert_non_null(pair.client.binding);
    assert_ptr_equal(pair.client.binding, pair.provider.binding);
    assert_ptr_equal(pair.client.peer_instance,
                     &pair.provider.provider.ProviderRegistrationInstance);
    assert_ptr_equal(pair.provider.peer_instance, &pair.client.client.ClientRegistrationInstance);
    assert_ptr_equal(pair.client.peer_context, &pair.provider);
    assert_ptr_equal(pair.client.peer_dispatch, &pair.provider.provider);
    assert_ptr_equal(pair.provider.peer_context, &pair.client);
    end_client(&pair.client);
    end_provider(&pair.provider);
}

static void client_is_offered_every_provider_once(void **state)
{
    PROVES("NMR-15", "NMR-16");
    struct pair one;
    struct module second = make_module(&one.calls);
    struct module third = make_module(&one.calls);
    make_pair(&one);
    assert_int_equal(register_provider(&one.provider), STATUS_SUCCESS);
    assert_int_equal(register_provider(&second), STATUS_SUCCESS);
    assert_int_equal(register_client(&one.client), STATUS_SUCCESS);
    assert_int_equal(one.client.attaches, 2);
    assert_int_equal(register_provider(&third), STATUS_SUCCESS);
    assert_int_equal(one.client.attaches, 3);
    assert_int_equal(one.provider.attaches, 1);
    assert_int_equal(second.attaches, 1);
    assert_int_equal(third.attaches, 1);
    end_client(&one.client);
    assert_int_equal(one.client.detaches, 3);
    assert_int_equal(one.client.cleanups, 3);
    end_provider(&one.provider);
    end_provider(&second);
    end_provider(&third);
}

static void modules_of_different_interfaces_do_not_meet(void **state)
{
    PROVES("NMR-01");
    struct pair pair;
    make_pair(&pair);
    pair.provider.provider.ProviderRegistrationInstance.NpiId = &other_interface;
    assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
    assert_int_equal(register_provider(&pair.provider), STATUS_SUCCESS);
    end_client(&pair.client);
    end_provider(&pair.provider);
    assert_string_equal(pair.calls.text, "");
}

static void equal_identifiers_at_different_addresses_are_one_interface(void **state)
{
    PROVES("NMR-01");
    struct pair pair;
    NPIID copy = test_interface;
    make_pair(&pair);
    pair.provider.provider.ProviderRegistrationInstance.NpiId = &copy;
    assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
    assert_int_equal(register_provider(&pair.provider), STATUS_SUCCESS);
    assert_string_equal(pair.calls.text, "Aa");
    end_client(&pair.client);
    end_provider(&pair.provider);
}

static void refused_client_may_try_again_with_another_table(void **state)
{
    PROVES("NMR-24", "NMR-25");
    STAYS_SILENT("NMR-21", "NMR-23", "NMR-31");
    struct pair pair;
    make_pair(&pair);
    pair.client.dispatch_version = 6;
    pair.provider.version = 7;
    assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
    assert_int_equal(register_provider(&pair.provider), STATUS_SUCCESS);
    assert_string_equal(pair.calls.text, "Aaa");
    assert_int_equal(pair.client.attach_status, STATUS_SUCCESS);
    end_client(&pair.client);
    end_provider(&pair.provider);
    assert_string_equal(pair.calls.text, "AaaDdCc");
}

static void pair_that_did_not_attach_is_neither_detached_nor_cleaned_up(void **state)
{
    PROVES("NMR-25", "NMR-59");
    struct pair pair;
    make_pair(&pair);
    pair.provider.attach_status = STATUS_NOINTERFACE;
    assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
    assert_int_equal(register_provider(&pair.provider), STATUS_SUCCESS);
    assert_int_equal(pair.client.attach_status, STATUS_NOINTERFACE);
    end_provider(&pair.provider);
    end_client(&pair.client);
    assert_string_equal(pair.calls.text, "Aaa");
}

static void client_may_decline(void **state)
{
    PROVES("NMR-59");
    STAYS_SILENT("NMR-20");
    struct pair pair;
    make_pair(&pair);
    pair.client.is_unwilling = TRUE;
    assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
    assert_int_equal(register_provider(&pair.provider), STATUS_SUCCESS);
    end_provider(&pair.provider);
    end_client(&pair.client);
    assert_string_equal(pair.calls.text, "A");
}

static void status_of_the_provider_is_what_the_client_gets(void **state)
{
    PROVES("NMR-24");
    struct pair pair;
    make_pair(&pair);
    pair.provider.attach_status = STATUS_INSUFFICIENT_RESOURCES;
    assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
    assert_int_equal(register_provider(&pair.provider), STATUS_SUCCESS);
    assert_int_equal(pair.client.attach_status, STATUS_INSUFFICIENT_RESOURCES);
    end_client(&pair.client);
    end_provider(&pair.provider);
    assert_string_equal(pair.calls.text, "Aa");
}

static void attach_callbacks_run_at_passive_level_on_the_registering_thread(void **state)
{
    PROVES("WSK-IRQL-16");
    struct pair pair;
    KIRQL old;
    attach_pair(&pair);
    assert_int_equal(pair.calls.irql[0], PASSIVE_LEVEL);
    assert_int_equal(pair.calls.irql[1], PASSIVE_LEVEL);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NTSTATUS client = NmrDeregisterClient(pair.client.handle);
    NTSTATUS provider = NmrDeregisterProvider(pair.provider.handle);
    KeLowerIrql(old);
    assert_int_equal(client, STATUS_PENDING);
    assert_int_equal(provider, STATUS_PENDING);
    assert_string_equal(pair.calls.text, "AaDdCc");
    for (int i = 2; i < pair.calls.count; i++) {
        assert_int_equal(pair.calls.irql[i], DISPATCH_LEVEL);
    }
    assert_int_equal(NmrWaitForClientDeregisterComplete(pair.client.handle), STATUS_SUCCESS);
    assert_int_equal(NmrWaitForProviderDeregisterComplete(pair.provider.handle), STATUS_SUCCESS);
}

static void client_that_deregisters_while_it_attaches_is_detached_afterwards(void **state)
{
    PROVES("NMR-35", "NMR-36");
    struct pair pair;
    make_pair(&pair);
    pair.client.deregisters_inside = TRUE;
    assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
    assert_int_equal(register_provider(&pair.provider), STATUS_SUCCESS);
    assert_int_equal(pair.client.attach_status, STATUS_PENDING);
    assert_string_equal(pair.calls.text, "AaDdCc");
    assert_int_equal(NmrWaitForClientDeregisterComplete(pair.client.handle), STATUS_SUCCESS);
    end_provider(&pair.provider);
}

#define ROUNDS 50

static VOID register_provider_thread(PVOID context)
{
    struct module *provider = context;
    provider->detach_status = register_provider(provider);
}

static void modules_that_register_at_the_same_time_meet_once(void **state)
{
    PROVES("NMR-15", "NMR-16");
    for (int round = 0; round < ROUNDS; round++) {
        struct pair pair;
        make_pair(&pair);
        PKTHREAD thread = start_thread(register_provider_thread, &pair.provider);
        assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
        join_thread(thread);
        assert_int_equal(pair.client.attaches, 1);
        assert_int_equal(pair.provider.attaches, 1);
        end_client(&pair.client);
        end_provider(&pair.provider);
        assert_string_equal(pair.calls.text, "AaDdCc");
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(client_that_registers_second_is_offered_the_provider_at_once),
    kernel_test(client_is_offered_every_provider_once),
    kernel_test(modules_of_different_interfaces_do_not_meet),
    kernel_test(equal_identifiers_at_different_addresses_are_one_interface),
    kernel_test(refused_client_may_try_again_with_another_table),
    kernel_test(pair_that_did_not_attach_is_neither_detached_nor_cleaned_up),
    kernel_test(client_may_decline),
    kernel_test(status_of_the_provider_is_what_the_client_gets),
    kernel_test(attach_callbacks_run_at_passive_level_on_the_registering_thread),
    kernel_test(client_that_deregisters_while_it_attaches_is_detached_afterwards),
    kernel_test(modules_that_register_at_the_same_time_meet_once),
};

TEST_MAIN(tests)
