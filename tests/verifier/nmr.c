/* What modules of NMR have to keep: structures of their own that stay. */
#include "../nmr/modules.h"
#include "full.h"

#define VIOLATION DRIVER_VERIFIER_DETECTED_VIOLATION
#define NMR_VIOLATION 0x4E4D52
#define TAG 'rmNT'

static struct pair pair;

static PVOID freed(void)
{
    PVOID memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, TAG);
    ExFreePoolWithTag(memory, TAG);
    return memory;
}

static void lose_the_registration_context(void *context)
{
    UNREFERENCED_PARAMETER(context);
    make_pair(&pair);
    PVOID memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(pair.client), TAG);
    NmrRegisterClient(&pair.client.client, memory, &pair.client.handle);
    ExFreePoolWithTag(memory, TAG);
    register_provider(&pair.provider);
}

static PVOID own_context;
static const VOID *own_dispatch;

static NTSTATUS NTAPI attach_with_own(HANDLE binding, PVOID context,
                                      PNPI_REGISTRATION_INSTANCE instance)
{
    PVOID provider_context;
    const VOID *provider_dispatch;
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(instance);
    return NmrClientAttachProvider(binding, own_context, own_dispatch, &provider_context,
                                   &provider_dispatch);
}

static NTSTATUS NTAPI accept_with_own(HANDLE binding, PVOID context,
                                      PNPI_REGISTRATION_INSTANCE instance, PVOID client_context,
                                      CONST VOID *client_dispatch, PVOID *provider_context,
                                      CONST VOID **provider_dispatch)
{
    UNREFERENCED_PARAMETER(binding);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(instance);
    UNREFERENCED_PARAMETER(client_context);
    UNREFERENCED_PARAMETER(client_dispatch);
    *provider_context = own_context;
    *provider_dispatch = own_dispatch;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI detach_own(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    return STATUS_SUCCESS;
}

/* One that frees its binding context here, and not in the cleanup callback. */
static NTSTATUS NTAPI free_in_detach(PVOID context)
{
    ExFreePoolWithTag(context, TAG);
    return STATUS_SUCCESS;
}

static VOID NTAPI free_in_cleanup(PVOID context)
{
    ExFreePoolWithTag(context, TAG);
}

static void attach_own(void)
{
    register_client(&pair.client);
    register_provider(&pair.provider);
}

static void end_pair(void)
{
    end_client(&pair.client);
    end_provider(&pair.provider);
}

static void lose_the_clients_dispatch(void *context)
{
    UNREFERENCED_PARAMETER(context);
    make_pair(&pair);
    pair.client.client.ClientAttachProvider = attach_with_own;
    pair.client.client.ClientDetachProvider = detach_own;
    pair.client.client.ClientCleanupBindingContext = NULL;
    own_context = NULL;
    own_dispatch = freed();
    attach_own();
    end_pair();
}

static void lose_the_providers_context(void *context)
{
    UNREFERENCED_PARAMETER(context);
    make_pair(&pair);
    pair.provider.provider.ProviderAttachClient = accept_with_own;
    pair.provider.provider.ProviderDetachClient = detach_own;
    pair.provider.provider.ProviderCleanupBindingContext = NULL;
    own_context = freed();
    own_dispatch = &pair;
    attach_own();
    end_pair();
}

static void free_the_context_in(PNPI_CLIENT_DETACH_PROVIDER_FN detach,
                                PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN cleanup)
{
    make_pair(&pair);
    pair.client.client.ClientAttachProvider = attach_with_own;
    pair.client.client.ClientDetachProvider = detach;
    pair.client.client.ClientCleanupBindingContext = cleanup;
    own_context = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, TAG);
    own_dispatch = NULL;
    attach_own();
    end_pair();
}

static VOID NTAPI do_nothing(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
}

static void free_the_context_early(void *context)
{
    UNREFERENCED_PARAMETER(context);
    free_the_context_in(free_in_detach, do_nothing);
}

static void free_the_context_in_time(void *context)
{
    UNREFERENCED_PARAMETER(context);
    free_the_context_in(detach_own, free_in_cleanup);
}

static void test_memory_of_a_module_that_goes_is_caught(void **state)
{
    PROVES("NMR-05", "NMR-28", "NMR-32", "NMR-56");
    expect_at_full(lose_the_registration_context, VIOLATION, "NMR-05", "registration context");
    expect_at_full(lose_the_clients_dispatch, VIOLATION, "NMR-28", "dispatch table");
    expect_at_full(lose_the_providers_context, VIOLATION, "NMR-32", "binding context");
    expect_at_full(free_the_context_early, VIOLATION, "NMR-56", "binding context");
}

static void attach_and_end(void *context)
{
    UNREFERENCED_PARAMETER(context);
    attach_pair(&pair);
    end_pair();
}

static void test_memory_of_a_module_that_stays_is_fine(void **state)
{
    STAYS_SILENT("NMR-05", "NMR-28", "NMR-32", "NMR-56");
    expect_silence_at_full(free_the_context_in_time);
    expect_silence_at_full(attach_and_end);
}

/* context: whether both are registered at the same time. */
static void register_twice(void *context)
{
    HANDLE second;
    make_pair(&pair);
    register_client(&pair.client);
    if (context == NULL) {
        end_client(&pair.client);
    }
    NmrRegisterClient(&pair.client.client, &pair.client, &second);
    pair.client.handle = second;
    end_client(&pair.client);
}

static void test_one_structure_for_two_registrations_is_caught(void **state)
{
    PROVES("NMR-13");
    expect_bugcheck(register_twice, &pair, VIOLATION, NMR_VIOLATION, "NMR-13");
}

static void test_one_structure_for_one_registration_is_fine(void **state)
{
    STAYS_SILENT("NMR-13");
    expect_silence(register_twice, NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_memory_of_a_module_that_goes_is_caught),
    kernel_test(test_memory_of_a_module_that_stays_is_fine),
    kernel_test(test_one_structure_for_two_registrations_is_caught),
    kernel_test(test_one_structure_for_one_registration_is_fine),
};

TEST_MAIN(tests)
