/*
 * Registrations: WskRegister and what follows it.
 *
 * The driver's WSK_REGISTRATION block names its client. Each function finds the client by the
 * block's address and then looks whether the block still says the same, so that a block that was
 * copied, overwritten or never registered is found out and nothing is read through a pointer out
 * of it. The thread counts as one of the client's callers until it leaves, so that WskDeregister
 * does not end the client under it. After WskDeregister the block itself says so: a capture by a
 * thread that comes late is answered from it, without a client. (WSK-REG-28, WSK-REG-30)
 */
#include "wsk/registration.h"

#include "io/driver.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/patience.h"
#include "ke/warning.h"
#include "trace/trace.h"
#include "verifier/gone.h"
#include "wsk/memory.h"
#include "wsk/wsk.h"

#include <stdlib.h>
#include <string.h>

/* ReservedRegistrationState. */
#define STATE_REGISTERED 0x57534B5245474431ULL
#define STATE_DEREGISTERED 0x57534B5245474430ULL

#define UNITS_PER_MS 10000

/* A capture in DriverEntry may wait so long. */
#define SHORT_WAIT_MS 1000

static struct wsk_client *find(const struct wsk_clients *clients, const WSK_REGISTRATION *block)
{
    for (LIST_ENTRY *entry = clients->all.Flink; entry != &clients->all; entry = entry->Flink) {
        struct wsk_client *client = CONTAINING_RECORD(entry, struct wsk_client, link);
        if (client->registration == block) {
            return client;
        }
    }
    return NULL;
}

static void check_block(const WSK_REGISTRATION *block, const struct wsk_client *client,
                        const char *function)
{
    if (client != NULL && (block->ReservedRegistrationState != STATE_REGISTERED ||
                           block->ReservedRegistrationContext != client)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)block, 0, 0,
                    "WSK-REG-07",
                    "The driver called %s with the registration block %p, which was overwritten "
                    "since WskRegister filled it.",
                    function, (const void *)block);
    }
    if (client == NULL && block->ReservedRegistrationState != STATE_DEREGISTERED) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)block, 0, 0,
                    "WSK-REG-30",
                    "The driver called %s with %p, which is no registration block that "
                    "WskRegister filled, or was overwritten after WskDeregister.",
                    function, (const void *)block);
    }
}

/* Drivers in the field give a dispatch that does not stay; Windows does not look at it again, as
 * far as is known. */
static void check_given(const struct wsk_client *client)
{
    const char *gone = verifier_gone(client->given);
    bool is_changed = gone == NULL && verifier_is_full() &&
                      !RtlEqualMemory((const UCHAR *)client->given,
                                      (const UCHAR *)&client->dispatch, sizeof(client->dispatch));
    if (gone != NULL || is_changed) {
        ke_warning("WSK-REG-08",
                   "the WSK_CLIENT_DISPATCH %p, which the driver gave to WskRegister, %s while the "
                   "registration lasts",
                   (const void *)client->given, is_changed ? "was overwritten" : "does not stay");
    }
}

/* The client of the block, which stays until leave; NULL if it was deregistered. */
static struct wsk_client *enter(const WSK_REGISTRATION *block, const char *function)
{
    struct wsk_clients *clients = &wsk_state()->clients;
    wsk_memory_check_there(block, "WSK_REGISTRATION", "WSK-REG-06");
    base_mutex_lock(&clients->lock);
    struct wsk_client *client = find(clients, block);
    if (client != NULL) {
        client->callers++;
    }
    base_mutex_unlock(&clients->lock);
    check_block(block, client, function);
    if (client != NULL && verifier_is_on()) {
        check_given(client);
    }
    return client;
}

/* The clients' lock is held. */
static void leave(struct wsk_client *client)
{
    client->callers--;
    wsk_client_note_release(client);
}

static void check_dispatch(const WSK_CLIENT_DISPATCH *dispatch)
{
    if (dispatch->Reserved != 0) {
        ke_warning("WSK-REG-10",
                   "WSK_CLIENT_DISPATCH.Reserved is %u in WskRegister; it has to be "
                   "0.",
                   dispatch->Reserved);
    }
}

/* Puts the client on the list and fills the block. */
static void enlist(struct wsk_client *client, WSK_REGISTRATION *block)
{
    struct wsk_clients *clients = &wsk_state()->clients;
    base_mutex_lock(&clients->lock);
    bool is_in_use = find(clients, block) != NULL;
    client->registration = block;
    InsertTailList(&clients->all, &client->link);
    block->ReservedRegistrationState = STATE_REGISTERED;
    block->ReservedRegistrationContext = client;
    KeInitializeSpinLock(&block->ReservedRegistrationLock);
    base_mutex_unlock(&clients->lock);
    if (is_in_use) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)block, 0, 0,
                    "WSK-REG-04",
                    "The driver called WskRegister with the block %p, which holds a registration "
                    "that was not deregistered.",
                    (void *)block);
    }
}

/*
 * Registers a client. Both the NPI and the client dispatch are copied. The block is filled and has
 * to stay where it is. STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER.
 * PASSIVE_LEVEL. (WSK-REG-01 to WSK-REG-10, WSK-IRQL-01)
 */
NTSTATUS WSKAPI WskRegister(PWSK_CLIENT_NPI WskClientNpi, PWSK_REGISTRATION WskRegistration)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    trace_call(__func__, WskRegistration, NULL);
    if (WskClientNpi == NULL || WskClientNpi->Dispatch == NULL || WskRegistration == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    check_dispatch(WskClientNpi->Dispatch);
    struct wsk_client *client = wsk_client_create(WskClientNpi, _ReturnAddress());
    if (client == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    enlist(client, WskRegistration);
    return STATUS_SUCCESS;
}

/* A wait in DriverEntry holds up the start of the system, for as long as WSK has not started. */
static void check_patience(ULONG timeout_ms)
{
    if (!verifier_is_on() || timeout_ms <= SHORT_WAIT_MS || !io_driver_is_entering()) {
        return;
    }
    ke_warning("WSK-REG-31", "the driver called WskCaptureProviderNPI in DriverEntry and %s",
               timeout_ms == WSK_INFINITE_WAIT ? "waits for ever" : "waits for a long time");
    if (!wsk_state()->clients.is_ready) {
        ke_warning("WSK-REG-32", "the driver waits in DriverEntry for WSK, which has not started");
    }
}

/* Waits for the provider, for the end of the client, or so many milliseconds. */
static void await_provider(struct wsk_client *client, ULONG timeout_ms)
{
    PVOID objects[] = {&wsk_state()->clients.ready, &client->ending};
    LARGE_INTEGER timeout = {.QuadPart = -(LONGLONG)timeout_ms * UNITS_PER_MS};
    KeWaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, FALSE,
                             timeout_ms == WSK_INFINITE_WAIT ? NULL : &timeout, NULL);
}

/* The clients' lock is held. */
static NTSTATUS capture(const struct wsk_clients *clients, struct wsk_client *client)
{
    if (client->is_ending || !clients->is_ready) {
        return STATUS_DEVICE_NOT_READY;
    }
    client->is_answered = TRUE;
    if (!wsk_client_is_supported(client->dispatch.Version)) {
        return STATUS_NOINTERFACE;
    }
    client->captures++;
    return STATUS_SUCCESS;
}

/*
 * Gives the client and the provider's dispatch table, until WskReleaseProviderNPI. Waits for the
 * provider not at all (WSK_NO_WAIT), for ever (WSK_INFINITE_WAIT) or WaitTimeout milliseconds.
 * STATUS_SUCCESS; STATUS_DEVICE_NOT_READY if there is no provider by then, or WskDeregister was
 * called; STATUS_NOINTERFACE if WSK does not offer the version of the client's dispatch.
 * PASSIVE_LEVEL; IRQL <= DISPATCH_LEVEL with WSK_NO_WAIT. (WSK-REG-15 to WSK-REG-30, WSK-IRQL-03)
 */
NTSTATUS WSKAPI WskCaptureProviderNPI(PWSK_REGISTRATION WskRegistration, ULONG WaitTimeout,
                                      PWSK_PROVIDER_NPI WskProviderNpi)
{
    KE_IRQL_AT_MOST(WaitTimeout == WSK_NO_WAIT ? DISPATCH_LEVEL : PASSIVE_LEVEL);
    trace_call(__func__, WskRegistration, NULL);
    struct wsk_clients *clients = &wsk_state()->clients;
    struct wsk_client *client = enter(WskRegistration, __func__);
    if (client == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    if (WaitTimeout != WSK_NO_WAIT) {
        check_patience(WaitTimeout);
        await_provider(client, WaitTimeout);
    }
    base_mutex_lock(&clients->lock);
    NTSTATUS status = capture(clients, client);
    client->has_failed = !NT_SUCCESS(status);
    if (NT_SUCCESS(status)) {
        WskProviderNpi->Client = client;
        WskProviderNpi->Dispatch = &wsk_provider_dispatch;
    }
    leave(client);
    base_mutex_unlock(&clients->lock);
    return status;
}

/*
 * Gives back one capture. Sockets made meanwhile stay. IRQL <= DISPATCH_LEVEL.
 * (WSK-REG-22, WSK-REG-24, WSK-REG-27, WSK-IRQL-04)
 */
VOID WSKAPI WskReleaseProviderNPI(PWSK_REGISTRATION WskRegistration)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    trace_call(__func__, WskRegistration, NULL);
    struct wsk_clients *clients = &wsk_state()->clients;
    struct wsk_client *client = enter(WskRegistration, __func__);
    bool is_captured = false;
    const char *rule = "WSK-REG-22";
    if (client != NULL) {
        base_mutex_lock(&clients->lock);
        is_captured = client->captures != 0;
        rule = client->has_failed ? "WSK-REG-23" : rule;
        client->captures -= is_captured;
        leave(client);
        base_mutex_unlock(&clients->lock);
    }
    if (!is_captured) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)WskRegistration,
                    0, 0, rule,
                    "The driver called WskReleaseProviderNPI with the registration block %p, on "
                    "which no capture is left: each release needs a successful capture.",
                    (void *)WskRegistration);
    }
}

/*
 * Tells the versions of WSK that the provider offers. STATUS_SUCCESS, also on a registration whose
 * version it does not offer, or STATUS_DEVICE_NOT_READY while there is no provider.
 * IRQL <= DISPATCH_LEVEL. (WSK-REG-33 to WSK-REG-35, WSK-IRQL-04)
 */
NTSTATUS WSKAPI WskQueryProviderCharacteristics(
    PWSK_REGISTRATION WskRegistration, PWSK_PROVIDER_CHARACTERISTICS WskProviderCharacteristics)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    struct wsk_clients *clients = &wsk_state()->clients;
    struct wsk_client *client = enter(WskRegistration, __func__);
    if (client == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    base_mutex_lock(&clients->lock);
    bool is_available = clients->is_ready && !client->is_ending;
    bool is_answered = client->is_answered;
    leave(client);
    base_mutex_unlock(&clients->lock);
    if (!is_available) {
        return STATUS_DEVICE_NOT_READY;
    }
    if (!is_answered) {
        ke_warning("WSK-HDR-26",
                   "WskQueryProviderCharacteristics should follow a "
                   "WskCaptureProviderNPI that returned STATUS_SUCCESS or STATUS_NOINTERFACE.");
    }
    *WskProviderCharacteristics = wsk_provider_versions;
    return STATUS_SUCCESS;
}

static void say_what_is_left(void *context)
{
    struct wsk_client *client = context;
    struct wsk_clients *clients = &wsk_state()->clients;
    base_mutex_lock(&clients->lock);
    ULONG captures = client->captures;
    ULONG sockets = client->sockets;
    ULONG requests = client->requests;
    base_mutex_unlock(&clients->lock);
    ke_warning("WSK-REG-46",
               "WskDeregister of %p waits for %u captures to be released, %u sockets to be closed "
               "and %u calls or IRPs to end.",
               (void *)client->registration, captures, sockets, requests);
}

/* Waits until nothing holds the client and takes it off the list. */
static void drain(struct wsk_client *client)
{
    struct wsk_clients *clients = &wsk_state()->clients;
    base_mutex_lock(&clients->lock);
    while (!wsk_client_is_idle(client)) {
        KeClearEvent(&client->idle);
        base_mutex_unlock(&clients->lock);
        ke_wait_patiently(&client->idle, &(struct ke_reason){.what = "WskDeregister",
                                                             .object = client->registration,
                                                             .kind = KE_REASON_END,
                                                             .rule = "WSK-REG-46",
                                                             .verifier_code = WSK_VIOLATION,
                                                             .say = say_what_is_left,
                                                             .context = client});
        base_mutex_lock(&clients->lock);
    }
    client->registration->ReservedRegistrationState = STATE_DEREGISTERED;
    client->registration->ReservedRegistrationContext = NULL;
    wsk_client_bury(client);
    base_mutex_unlock(&clients->lock);
}

/*
 * Ends a registration. Waits until its captures are released, its sockets closed, its calls
 * returned and the IRPs that these left pending completed; captures that wait in other threads
 * return with STATUS_DEVICE_NOT_READY. If that takes long, it says what it waits for.
 * PASSIVE_LEVEL. (WSK-REG-28, WSK-REG-29, WSK-REG-37 to WSK-REG-41, WSK-IRQL-02)
 */
VOID WSKAPI WskDeregister(PWSK_REGISTRATION WskRegistration)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    trace_call(__func__, WskRegistration, NULL);
    struct wsk_clients *clients = &wsk_state()->clients;
    struct wsk_client *client = enter(WskRegistration, __func__);
    bool is_first = false;
    if (client != NULL) {
        base_mutex_lock(&clients->lock);
        is_first = !client->is_ending;
        client->is_ending = TRUE;
        KeSetEvent(&client->ending, IO_NO_INCREMENT, FALSE);
        base_mutex_unlock(&clients->lock);
    }
    if (!is_first) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)WskRegistration,
                    0, 0, "WSK-REG-05",
                    "The driver called WskDeregister twice with the registration block %p.",
                    (void *)WskRegistration);
    }
    wsk_dead_check(client);
    wsk_client_end(client);
    base_mutex_lock(&clients->lock);
    leave(client);
    base_mutex_unlock(&clients->lock);
    drain(client);
}

void wsk_provider_set_ready(BOOLEAN is_ready)
{
    struct wsk_clients *clients = &wsk_state()->clients;
    HANDLE old = NULL;
    base_mutex_lock(&clients->lock);
    bool is_change = clients->is_ready != is_ready;
    clients->is_ready = is_ready;
    if (is_ready) {
        KeSetEvent(&clients->ready, IO_NO_INCREMENT, FALSE);
    } else {
        KeClearEvent(&clients->ready);
        old = clients->provider;
        clients->provider = NULL;
    }
    base_mutex_unlock(&clients->lock);
    if (is_change && is_ready) {
        HANDLE provider = NULL;
        wsk_binding_register(&provider);
        base_mutex_lock(&clients->lock);
        clients->provider = provider;
        base_mutex_unlock(&clients->lock);
    }
    if (is_change && old != NULL) {
        wsk_binding_deregister(old);
    }
}
