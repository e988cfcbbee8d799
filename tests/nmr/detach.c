/* Detaching, at once and later, and the waits for it. */
#include "modules.h"

static void deregistering_a_client_detaches_both_sides_and_cleans_up(void **state)
{
    PROVES("NMR-35", "NMR-36", "NMR-40", "NMR-43", "NMR-55");
    STAYS_SILENT("NMR-04", "NMR-06", "NMR-07", "NMR-08", "NMR-12", "NMR-42", "NMR-45");
    struct pair pair;
    attach_pair(&pair);
    assert_int_equal(NmrDeregisterClient(pair.client.handle), STATUS_PENDING);
    assert_int_equal(NmrWaitForClientDeregisterComplete(pair.client.handle), STATUS_SUCCESS);
    assert_string_equal(pair.calls.text, "AaDdCc");
    end_provider(&pair.provider);
    assert_string_equal(pair.calls.text, "AaDdCc");
}

static void deregistering_a_provider_detaches_both_sides_and_cleans_up(void **state)
{
    PROVES("NMR-35", "NMR-36", "NMR-40", "NMR-43", "NMR-55");
    struct pair pair;
    attach_pair(&pair);
    assert_int_equal(NmrDeregisterProvider(pair.provider.handle), STATUS_PENDING);
    assert_int_equal(NmrWaitForProviderDeregisterComplete(pair.provider.handle), STATUS_SUCCESS);
    assert_string_equal(pair.calls.text, "AaDdCc");
    end_client(&pair.client);
    assert_string_equal(pair.calls.text, "AaDdCc");
}

static void module_without_bindings_deregisters_by_pending_too(void **state)
{
    PROVES("NMR-36", "NMR-40");
    struct pair pair;
    make_pair(&pair);
    assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
    end_client(&pair.client);
    assert_int_equal(register_provider(&pair.provider), STATUS_SUCCESS);
    end_provider(&pair.provider);
    assert_string_equal(pair.calls.text, "");
}

static void detach_callbacks_run_once_when_both_sides_deregister(void **state)
{
    PROVES("NMR-35", "NMR-44");
    struct pair pair;
    attach_pair(&pair);
    pair.client.detach_status = STATUS_PENDING;
    assert_int_equal(NmrDeregisterClient(pair.client.handle), STATUS_PENDING);
    assert_int_equal(NmrDeregisterProvider(pair.provider.handle), STATUS_PENDING);
    assert_string_equal(pair.calls.text, "AaDd");
    NmrClientDetachProviderComplete(pair.client.binding);
    assert_string_equal(pair.calls.text, "AaDdCc");
    assert_int_equal(NmrWaitForClientDeregisterComplete(pair.client.handle), STATUS_SUCCESS);
    assert_int_equal(NmrWaitForProviderDeregisterComplete(pair.provider.handle), STATUS_SUCCESS);
}

static VOID deregister_provider_thread(PVOID context)
{
    const struct module *provider = context;
    NmrDeregisterProvider(provider->handle);
    NmrWaitForProviderDeregisterComplete(provider->handle);
}

static void both_sides_may_deregister_at_the_same_time(void **state)
{
    PROVES("NMR-44", "NMR-55");
    for (int round = 0; round < 50; round++) {
        struct pair pair;
        attach_pair(&pair);
        PKTHREAD thread = start_thread(deregister_provider_thread, &pair.provider);
        end_client(&pair.client);
        join_thread(thread);
        assert_string_equal(pair.calls.text, "AaDdCc");
    }
}

struct waiter {
    HANDLE handle;
    NTSTATUS status;
    volatile LONG is_done;
};

static VOID wait_for_client(PVOID context)
{
    struct waiter *waiter = context;
    waiter->status = NmrWaitForClientDeregisterComplete(waiter->handle);
    waiter->is_done = 1;
}

static void wait_lasts_until_both_sides_have_completed(void **state)
{
    PROVES("NMR-40", "NMR-43", "NMR-55");
    STAYS_SILENT("NMR-45", "NMR-47", "NMR-48", "NMR-49");
    struct pair pair;
    attach_pair(&pair);
    pair.client.detach_status = STATUS_PENDING;
    pair.provider.detach_status = STATUS_PENDING;
    struct waiter waiter = {.handle = pair.client.handle, .status = STATUS_UNSUCCESSFUL};
    assert_int_equal(NmrDeregisterClient(pair.client.handle), STATUS_PENDING);
    PKTHREAD thread = start_thread(wait_for_client, &waiter);
    await_blocked(thread);
    NmrProviderDetachClientComplete(pair.provider.binding);
    assert_string_equal(pair.calls.text, "AaDd");
    assert_int_equal(waiter.is_done, 0);
    NmrClientDetachProviderComplete(pair.client.binding);
    join_thread(thread);
    assert_int_equal(waiter.status, STATUS_SUCCESS);
    assert_string_equal(pair.calls.text, "AaDdCc");
    end_provider(&pair.provider);
}

static void several_threads_may_wait_for_one_deregistration(void **state)
{
    PROVES("NMR-40");
    struct pair pair;
    attach_pair(&pair);
    pair.provider.detach_status = STATUS_PENDING;
    struct waiter waiters[2];
    PKTHREAD threads[2];
    assert_int_equal(NmrDeregisterClient(pair.client.handle), STATUS_PENDING);
    for (int i = 0; i < 2; i++) {
        waiters[i] = (struct waiter){.handle = pair.client.handle, .status = STATUS_UNSUCCESSFUL};
        threads[i] = start_thread(wait_for_client, &waiters[i]);
        await_blocked(threads[i]);
    }
    NmrProviderDetachClientComplete(pair.provider.binding);
    for (int i = 0; i < 2; i++) {
        join_thread(threads[i]);
        assert_int_equal(waiters[i].status, STATUS_SUCCESS);
    }
    end_provider(&pair.provider);
}

static void completion_may_come_before_the_detach_callback_returns(void **state)
{
    PROVES("NMR-43", "NMR-55");
    STAYS_SILENT("NMR-48", "NMR-49");
    struct pair pair;
    attach_pair(&pair);
    pair.client.detach_status = STATUS_PENDING;
    pair.client.is_early = TRUE;
    pair.provider.detach_status = STATUS_PENDING;
    pair.provider.is_early = TRUE;
    end_client(&pair.client);
    assert_string_equal(pair.calls.text, "AaDdCc");
    end_provider(&pair.provider);
}

static VOID complete_provider(PVOID context)
{
    const struct module *provider = context;
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NmrProviderDetachClientComplete(provider->binding);
    KeLowerIrql(old);
}

static void completion_may_come_from_another_thread_at_dispatch_level(void **state)
{
    PROVES("NMR-43", "WSK-IRQL-16");
    struct pair pair;
    attach_pair(&pair);
    pair.provider.detach_status = STATUS_PENDING;
    assert_int_equal(NmrDeregisterClient(pair.client.handle), STATUS_PENDING);
    PKTHREAD thread = start_thread(complete_provider, &pair.provider);
    assert_int_equal(NmrWaitForClientDeregisterComplete(pair.client.handle), STATUS_SUCCESS);
    join_thread(thread);
    assert_string_equal(pair.calls.text, "AaDdCc");
    assert_int_equal(pair.calls.irql[4], DISPATCH_LEVEL);
    assert_int_equal(pair.calls.irql[5], DISPATCH_LEVEL);
    end_provider(&pair.provider);
}

static void missing_cleanup_callback_is_skipped(void **state)
{
    PROVES("NMR-55");
    struct pair pair;
    make_pair(&pair);
    pair.client.client.ClientCleanupBindingContext = NULL;
    pair.provider.provider.ProviderCleanupBindingContext = NULL;
    assert_int_equal(register_client(&pair.client), STATUS_SUCCESS);
    assert_int_equal(register_provider(&pair.provider), STATUS_SUCCESS);
    end_client(&pair.client);
    end_provider(&pair.provider);
    assert_string_equal(pair.calls.text, "AaDd");
}

static void wait_without_deregistration_or_handle_is_refused(void **state)
{
    PROVES("NMR-41");
    struct pair pair;
    HANDLE invalid = (HANDLE)(ULONG_PTR)0x1234;
    attach_pair(&pair);
    assert_int_equal(NmrWaitForClientDeregisterComplete(pair.client.handle),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(NmrWaitForProviderDeregisterComplete(pair.provider.handle),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(NmrWaitForClientDeregisterComplete(NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(NmrWaitForClientDeregisterComplete(invalid), STATUS_INVALID_PARAMETER);
    assert_int_equal(NmrWaitForProviderDeregisterComplete(invalid), STATUS_INVALID_PARAMETER);
    end_client(&pair.client);
    end_provider(&pair.provider);
    assert_int_equal(NmrWaitForClientDeregisterComplete(pair.client.handle),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(NmrWaitForProviderDeregisterComplete(pair.provider.handle),
                     STATUS_INVALID_PARAMETER);
}

static void only_the_handle_of_a_registered_module_deregisters(void **state)
{
    PROVES("NMR-12", "NMR-36");
    struct pair pair;
    attach_pair(&pair);
    assert_int_equal(NmrDeregisterClient(pair.provider.handle), STATUS_INVALID_PARAMETER);
    assert_int_equal(NmrDeregisterProvider(pair.client.handle), STATUS_INVALID_PARAMETER);
    assert_int_equal(NmrDeregisterClient(pair.client.binding), STATUS_INVALID_PARAMETER);
    assert_int_equal(NmrDeregisterClient(NULL), STATUS_INVALID_PARAMETER);
    end_client(&pair.client);
    assert_int_equal(NmrDeregisterClient(pair.client.handle), STATUS_INVALID_PARAMETER);
    end_provider(&pair.provider);
}

static void no_provider_is_offered_to_a_deregistered_client(void **state)
{
    PROVES("NMR-16", "NMR-35");
    struct pair pair;
    struct calls calls = {.count = 0};
    struct module late = make_module(&calls);
    attach_pair(&pair);
    pair.client.detach_status = STATUS_PENDING;
    assert_int_equal(NmrDeregisterClient(pair.client.handle), STATUS_PENDING);
    assert_int_equal(register_provider(&late), STATUS_SUCCESS);
    assert_int_equal(pair.client.attaches, 1);
    NmrClientDetachProviderComplete(pair.client.binding);
    assert_int_equal(NmrWaitForClientDeregisterComplete(pair.client.handle), STATUS_SUCCESS);
    end_provider(&pair.provider);
    end_provider(&late);
    assert_string_equal(calls.text, "");
}

static const struct CMUnitTest tests[] = {
    kernel_test(deregistering_a_client_detaches_both_sides_and_cleans_up),
    kernel_test(deregistering_a_provider_detaches_both_sides_and_cleans_up),
    kernel_test(module_without_bindings_deregisters_by_pending_too),
    kernel_test(detach_callbacks_run_once_when_both_sides_deregister),
    kernel_test(both_sides_may_deregister_at_the_same_time),
    kernel_test(wait_lasts_until_both_sides_have_completed),
    kernel_test(several_threads_may_wait_for_one_deregistration),
    kernel_test(completion_may_come_before_the_detach_callback_returns),
    kernel_test(completion_may_come_from_another_thread_at_dispatch_level),
    kernel_test(missing_cleanup_callback_is_skipped),
    kernel_test(wait_without_deregistration_or_handle_is_refused),
    kernel_test(only_the_handle_of_a_registered_module_deregisters),
    kernel_test(no_provider_is_offered_to_a_deregistered_client),
};

TEST_MAIN(tests)
