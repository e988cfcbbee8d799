/* IRPs that drivers give to WSK: what they must do with their own, and drivers that do. */
#include "../io/passing.h"
#include "twins.h"
#include "wsk_pair.h"

#define VIOLATION DRIVER_VERIFIER_IOMANAGER_VIOLATION

/* How a client makes the IRP of its send, and what its completion routine does. */
struct client {
    struct wsk_pair pair;
    KEVENT done;
    BOOLEAN on_success;
    BOOLEAN on_error;
    BOOLEAN on_cancel;
    BOOLEAN marks;
    BOOLEAN frees;
    BOOLEAN goes_on;
    BOOLEAN fills_location;
};

static const struct client good = {.on_success = TRUE, .on_error = TRUE, .on_cancel = TRUE};

static NTSTATUS on_sent(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct client *client = context;
    UNREFERENCED_PARAMETER(device);
    if (client->marks && irp->PendingReturned) {
        IoMarkIrpPending(irp);
    }
    if (client->frees) {
        IoFreeIrp(irp);
    }
    if (client->goes_on) {
        return STATUS_SUCCESS;
    }
    KeSetEvent(&client->done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP make_irp(struct client *client)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    if (client->fills_location) {
        IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_WRITE;
    }
    if (client->on_success || client->on_error || client->on_cancel) {
        IoSetCompletionRoutine(irp, on_sent, client, client->on_success, client->on_error,
                               client->on_cancel);
    }
    return irp;
}

/* Sends one byte and waits. A routine that goes on never says that it was called. */
static PIRP send_one(struct client *client)
{
    PWSK_SOCKET socket = client->pair.near;
    WSK_BUF buffer = call_buffer(&client->pair.end.call, "x", 1);
    KeInitializeEvent(&client->done, NotificationEvent, FALSE);
    PIRP irp = make_irp(client);
    send_of(socket)(socket, &buffer, 0, irp);
    await(&client->done);
    return irp;
}

static void send_and_end(struct client *client)
{
    open_pair(&client->pair, NULL, NULL);
    PIRP irp = send_one(client);
    if (!client->frees) {
        IoFreeIrp(irp);
    }
    close_pair(&client->pair);
}

/* context: a client as its test wants it. Its copy stays: threads of a halted kernel may use it. */
static void send_as(void *context)
{
    static struct client clients[16];
    static unsigned used;
    struct client *client = &clients[used++];
    *client = *(const struct client *)context;
    send_and_end(client);
}

static void test_an_own_irp_that_wsk_cannot_give_back_is_caught(void **state)
{
    PROVES("WSK-IRP-09", "WSK-IRP-10", "WSK-IRP-11");
    struct client without = {.on_success = FALSE};
    struct client for_success = {.on_success = TRUE, .on_cancel = TRUE};
    struct client for_error = {.on_error = TRUE, .on_cancel = TRUE};
    struct client not_for_cancel = {.on_success = TRUE, .on_error = TRUE};
    struct client going_on = good;
    going_on.goes_on = TRUE;
    expect_bugcheck(send_as, &without, VIOLATION, 0x200, "WSK-IRP-09");
    expect_bugcheck(send_as, &for_success, VIOLATION, 0x200, "WSK-IRP-10");
    expect_bugcheck(send_as, &for_error, VIOLATION, 0x200, "WSK-IRP-10");
    expect_warning(send_as, &not_for_cancel, "WSK-IRP-10");
    expect_bugcheck(send_as, &going_on, VIOLATION, 0x200, "WSK-IRP-11");
}

static void test_marking_an_own_irp_pending_for_wsk_is_caught(void **state)
{
    PROVES("WSK-IRP-22", "IRP-69");
    struct client marking = good;
    marking.marks = TRUE;
    expect_bugcheck(send_as, &marking, VIOLATION, 0x212, "WSK-IRP-22");
}

static void test_filling_in_the_location_for_wsk_is_caught(void **state)
{
    PROVES("WSK-IRP-08");
    struct client filling = good;
    filling.fills_location = TRUE;
    expect_warning(send_as, &filling, "WSK-IRP-08");
}

static void test_an_own_irp_with_a_routine_that_takes_it_back_is_fine(void **state)
{
    STAYS_SILENT("WSK-IRP-08", "WSK-IRP-09", "WSK-IRP-10", "WSK-IRP-11", "WSK-IRP-22");
    struct client client = good;
    struct client freeing = good;
    freeing.frees = TRUE;
    expect_silence(send_as, &client);
    expect_silence(send_as, &freeing);
}

/* ---- the routine's context ---- */

/* context: the flag of the pool. */
static void send_with_context_in(void *context)
{
    struct client *client =
        ExAllocatePool2((POOL_FLAGS)(ULONG_PTR)context, sizeof(*client), 'tnlC');
    *client = good;
    send_and_end(client);
    ExFreePoolWithTag(client, 'tnlC');
}

/* Stopped at the call: the routine never sees its context. */
static void send_with_paged_context(void *context)
{
    static struct client client;
    UNREFERENCED_PARAMETER(context);
    open_pair(&client.pair, NULL, NULL);
    PWSK_SOCKET socket = client.pair.near;
    WSK_BUF buffer = call_buffer(&client.pair.end.call, "x", 1);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, on_sent, ExAllocatePool2(POOL_FLAG_PAGED, 64, 'tnlC'), TRUE, TRUE,
                           TRUE);
    send_of(socket)(socket, &buffer, 0, irp);
}

static void test_a_context_in_paged_pool_for_wsk_is_caught(void **state)
{
    PROVES("WSK-IRP-27");
    expect_bugcheck(send_with_paged_context, NULL, VIOLATION, 0x227, "WSK-IRP-27");
}

static void test_a_context_in_non_paged_pool_for_wsk_is_fine(void **state)
{
    STAYS_SILENT("WSK-IRP-27");
    expect_silence(send_with_context_in, (PVOID)POOL_FLAG_NON_PAGED);
}

/* ---- after the end ---- */

#if defined(__GNUC__)
__attribute__((no_sanitize("address", "thread"), noinline))
#endif
static void
touch(volatile IRP *irp)
{
    irp->IoStatus.Information = 1;
}

static void touch_after_free(void *context)
{
    static struct client client;
    UNREFERENCED_PARAMETER(context);
    client = good;
    client.frees = TRUE;
    open_pair(&client.pair, NULL, NULL);
    touch(send_one(&client));
    for (int i = 0; i < 100; i++) {
        IoFreeIrp(IoAllocateIrp(1, FALSE));
    }
}

static void touch_before_free(void *context)
{
    static struct client client;
    UNREFERENCED_PARAMETER(context);
    client = good;
    open_pair(&client.pair, NULL, NULL);
    PIRP irp = send_one(&client);
    touch(irp);
    IoFreeIrp(irp);
    close_pair(&client.pair);
}

static void test_touching_an_irp_that_its_routine_freed_is_caught(void **state)
{
    PROVES("WSK-IRP-28", "IRP-41", "IRP-94");
    expect_bugcheck(touch_after_free, NULL, VIOLATION, 0x20A, "WSK-IRP-28");
}

static void free_after_free(void *context)
{
    static struct client client;
    UNREFERENCED_PARAMETER(context);
    client = good;
    client.frees = TRUE;
    open_pair(&client.pair, NULL, NULL);
    IoFreeIrp(send_one(&client));
}

static void test_freeing_an_irp_that_its_routine_freed_is_caught(void **state)
{
    PROVES("WSK-IRP-02", "IRP-19");
    expect_bugcheck(free_after_free, NULL, VIOLATION, 0x1, "WSK-IRP-02");
}

static void test_touching_an_irp_that_is_still_there_is_fine(void **state)
{
    STAYS_SILENT("WSK-IRP-02", "WSK-IRP-28", "IRP-41");
    expect_silence(touch_before_free, NULL);
}

/* ---- an IRP from above ---- */

static struct wsk_pair relay;
static BOOLEAN cancels;

/* Receives into nothing that ever comes. */
static NTSTATUS pass_to_wsk(PDEVICE_OBJECT device, PIRP irp)
{
    static UCHAR byte;
    PWSK_SOCKET socket = relay.near;
    WSK_BUF buffer = call_buffer(node_of(device)->context, &byte, 1);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, mark_and_continue, NULL, TRUE, TRUE, TRUE);
    NTSTATUS status = receive_of(socket)(socket, &buffer, 0, irp);
    if (cancels) {
        IoCancelIrp(irp);
    }
    return status;
}

/* The maker cancels its own request, if the driver does not do it. context: whether it does. */
static void cancel_from_above(void *context)
{
    struct wsk_call call;
    KEVENT done;
    cancels = context != NULL;
    open_pair(&relay, NULL, NULL);
    call_init(&call);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, pass_to_wsk, &call);
    device->StackSize = 2;
    PIRP irp = allocate_for(device, IRP_MJ_READ, &done);
    IoCallDriver(device, irp);
    if (!cancels) {
        IoCancelIrp(irp);
    }
    await(&done);
    IoFreeIrp(irp);
    call_free(&call);
    close_pair(&relay);
    wskemu_unload_driver(device->DriverObject);
}

static void test_cancelling_an_irp_from_above_is_caught(void **state)
{
    PROVES("WSK-IRP-31");
    expect_warning(cancel_from_above, (PVOID)1, "WSK-IRP-31");
}

static void test_cancelling_an_own_irp_is_fine(void **state)
{
    STAYS_SILENT("WSK-IRP-31", "CANCEL-05");
    expect_silence(cancel_from_above, NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_an_own_irp_that_wsk_cannot_give_back_is_caught),
    kernel_test(test_marking_an_own_irp_pending_for_wsk_is_caught),
    kernel_test(test_filling_in_the_location_for_wsk_is_caught),
    kernel_test(test_an_own_irp_with_a_routine_that_takes_it_back_is_fine),
    kernel_test(test_a_context_in_paged_pool_for_wsk_is_caught),
    kernel_test(test_a_context_in_non_paged_pool_for_wsk_is_fine),
    kernel_test(test_touching_an_irp_that_its_routine_freed_is_caught),
    kernel_test(test_freeing_an_irp_that_its_routine_freed_is_caught),
    kernel_test(test_touching_an_irp_that_is_still_there_is_fine),
    kernel_test(test_cancelling_an_irp_from_above_is_caught),
    kernel_test(test_cancelling_an_own_irp_is_fine),
};

TEST_MAIN(tests)
