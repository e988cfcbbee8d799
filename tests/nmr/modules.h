/* A client and a provider of an interface of the tests' own, which write down what is called. */
#ifndef TESTS_NMR_MODULES_H
#define TESTS_NMR_MODULES_H

#include "kernel.h"

#include <netioddk.h>

#include <string.h>

#define CALLS_MAX 32

/* What was called, a letter each: A/a ClientAttachProvider and ProviderAttachClient, D/d the detach
 * callbacks, C/c the cleanup callbacks. The client's are capital. */
struct calls {
    volatile LONG count;
    char text[CALLS_MAX + 1];
    KIRQL irql[CALLS_MAX];
};

struct module {
    struct calls *calls;
    HANDLE handle;          /* of the registration */
    volatile LONG attaches; /* calls of the attach callback */
    volatile LONG detaches;
    volatile LONG cleanups;
    HANDLE binding; /* of the last attach */
    const NPI_REGISTRATION_INSTANCE *peer_instance;
    PVOID peer_context;
    const VOID *peer_dispatch;
    NTSTATUS attach_status;     /* what a provider answers; what NmrClientAttachProvider returned */
    NTSTATUS detach_status;     /* what the detach callback returns */
    BOOLEAN is_early;           /* ...Complete is called inside the detach callback */
    BOOLEAN is_unwilling;       /* a client that never attaches */
    ULONG dispatch_version;     /* a client's first try; counts up to the provider's */
    ULONG version;              /* the only one that a provider takes; 0: any */
    BOOLEAN is_silent;          /* a provider that sets no out parameter */
    BOOLEAN is_liar;            /* a client that returns wrong_status */
    NTSTATUS wrong_status;      /* see is_liar */
    BOOLEAN deregisters_inside; /* a client that deregisters in its attach callback */
    NPI_CLIENT_CHARACTERISTICS client;
    NPI_PROVIDER_CHARACTERISTICS provider;
};

static const NPIID test_interface = {
    0x7C5B14A1, 0x9E1D, 0x4C3A, {0x8F, 0x02, 0x61, 0x0B, 0x55, 0x3C, 0x1D, 0x01}};
static const NPIID other_interface = {
    0x7C5B14A1, 0x9E1D, 0x4C3A, {0x8F, 0x02, 0x61, 0x0B, 0x55, 0x3C, 0x1D, 0x02}};
static const NPI_MODULEID test_module = {
    sizeof(NPI_MODULEID), MIT_GUID, {{0x11D2A6B0, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}}}};

static void note(struct calls *calls, char letter)
{
    LONG index = InterlockedIncrement(&calls->count) - 1;
    if (index < CALLS_MAX) {
        calls->text[index] = letter;
        calls->irql[index] = KeGetCurrentIrql();
    }
}

static NTSTATUS NTAPI attach_provider(HANDLE NmrBindingHandle, PVOID ClientContext,
                                      PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance)
{
    struct module *module = ClientContext;
    NTSTATUS status = STATUS_NOINTERFACE;
    note(module->calls, 'A');
    module->attaches++;
    module->binding = NmrBindingHandle;
    module->peer_instance = ProviderRegistrationInstance;
    if (module->deregisters_inside) {
        module->attach_status = NmrDeregisterClient(module->handle);
    }
    for (ULONG tries = 0; tries < 2 && status == STATUS_NOINTERFACE && !module->is_unwilling;
         tries++) {
        status = NmrClientAttachProvider(NmrBindingHandle, module,
                                         (PVOID)(ULONG_PTR)module->dispatch_version,
                                         &module->peer_context, &module->peer_dispatch);
        module->dispatch_version++;
    }
    if (!module->deregisters_inside) {
        module->attach_status = status;
    }
    return module->is_liar ? module->wrong_status : status;
}

static NTSTATUS NTAPI attach_client(HANDLE NmrBindingHandle, PVOID ProviderContext,
                                    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
                                    PVOID ClientBindingContext, CONST VOID *ClientDispatch,
                                    PVOID *ProviderBindingContext, CONST VOID **ProviderDispatch)
{
    struct module *module = ProviderContext;
    note(module->calls, 'a');
    module->attaches++;
    module->binding = NmrBindingHandle;
    module->peer_instance = ClientRegistrationInstance;
    module->peer_context = ClientBindingContext;
    module->peer_dispatch = ClientDispatch;
    if (module->version != 0 && (ULONG_PTR)ClientDispatch != module->version) {
        return STATUS_NOINTERFACE;
    }
    if (module->attach_status == STATUS_SUCCESS && !module->is_silent) {
        *ProviderBindingContext = module;
        *ProviderDispatch = &module->provider;
    }
    return module->attach_status;
}

static NTSTATUS NTAPI detach_provider(PVOID ClientBindingContext)
{
    struct module *module = ClientBindingContext;
    note(module->calls, 'D');
    module->detaches++;
    if (module->is_early) {
        NmrClientDetachProviderComplete(module->binding);
    }
    return module->detach_status;
}

static NTSTATUS NTAPI detach_client(PVOID ProviderBindingContext)
{
    struct module *module = ProviderBindingContext;
    note(module->calls, 'd');
    module->detaches++;
    if (module->is_early) {
        NmrProviderDetachClientComplete(module->binding);
    }
    return module->detach_status;
}

static VOID NTAPI cleanup_client(PVOID ClientBindingContext)
{
    struct module *module = ClientBindingContext;
    note(module->calls, 'C');
    module->cleanups++;
}

static VOID NTAPI cleanup_provider(PVOID ProviderBindingContext)
{
    struct module *module = ProviderBindingContext;
    note(module->calls, 'c');
    module->cleanups++;
}

static NPI_REGISTRATION_INSTANCE instance_of(const NPIID *interface)
{
    return (NPI_REGISTRATION_INSTANCE){
        .Size = sizeof(NPI_REGISTRATION_INSTANCE), .NpiId = interface, .ModuleId = &test_module};
}

static struct module make_module(struct calls *calls)
{
    return (struct module){
        .calls = calls,
        .client = {.Length = sizeof(NPI_CLIENT_CHARACTERISTICS),
                   .ClientAttachProvider = attach_provider,
                   .ClientDetachProvider = detach_provider,
                   .ClientCleanupBindingContext = cleanup_client,
                   .ClientRegistrationInstance = instance_of(&test_interface)},
        .provider = {.Length = sizeof(NPI_PROVIDER_CHARACTERISTICS),
                     .ProviderAttachClient = attach_client,
                     .ProviderDetachClient = detach_client,
                     .ProviderCleanupBindingContext = cleanup_provider,
                     .ProviderRegistrationInstance = instance_of(&test_interface)},
    };
}

/* A client and a provider in one, with the record of their calls. */
struct pair {
    struct calls calls;
    struct module client;
    struct module provider;
};

static void make_pair(struct pair *pair)
{
    *pair = (struct pair){.calls = {.count = 0}};
    pair->client = make_module(&pair->calls);
    pair->provider = make_module(&pair->calls);
}

static NTSTATUS register_client(struct module *client)
{
    return NmrRegisterClient(&client->client, client, &client->handle);
}

static NTSTATUS register_provider(struct module *provider)
{
    return NmrRegisterProvider(&provider->provider, provider, &provider->handle);
}

static void attach_pair(struct pair *pair)
{
    make_pair(pair);
    assert_int_equal(register_client(&pair->client), STATUS_SUCCESS);
    assert_int_equal(register_provider(&pair->provider), STATUS_SUCCESS);
}

static void end_client(const struct module *client)
{
    assert_int_equal(NmrDeregisterClient(client->handle), STATUS_PENDING);
    assert_int_equal(NmrWaitForClientDeregisterComplete(client->handle), STATUS_SUCCESS);
}

static void end_provider(const struct module *provider)
{
    assert_int_equal(NmrDeregisterProvider(provider->handle), STATUS_PENDING);
    assert_int_equal(NmrWaitForProviderDeregisterComplete(provider->handle), STATUS_SUCCESS);
}

#endif
