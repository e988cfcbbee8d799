/* What drivers must not do with the IRPs of WSK, and how they are found out. */
#include "../io/io_driver.h"
#include "log.h"
#include "wsk_pair.h"

#include <string.h>

static struct wsk_pair pair;
static UCHAR byte;

static PIRP make_irp(CCHAR locations)
{
    PIRP irp = IoAllocateIrp(locations, FALSE);
    IoSetCompletionRoutine(irp, take_back, NULL, TRUE, TRUE, TRUE);
    return irp;
}

/* A receive that stays pending. */
static PIRP make_pending(void)
{
    PIRP irp = make_irp(1);
    open_pair(&pair, NULL, NULL);
    WSK_BUF buffer = call_buffer(&pair.end.call, &byte, 1);
    receive_of(pair.near)(pair.near, &buffer, 0, irp);
    return irp;
}

static void pass_without_any_location(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    WSK_BUF buffer = call_buffer(&pair.end.call, &byte, 1);
    send_of(pair.near)(pair.near, &buffer, 0, IoAllocateIrp(0, FALSE));
}

static void pass_without_location(void *context)
{
    PIRP irp = make_irp(1);
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    WSK_BUF buffer = call_buffer(&pair.end.call, &byte, 1);
    IoSetNextIrpStackLocation(irp);
    send_of(pair.near)(pair.near, &buffer, 0, irp);
}

static void an_irp_needs_a_location_for_wsk(void **state)
{
    PROVES("WSK-IRP-05", "WSK-IRP-06");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(pass_without_any_location, NULL, NO_MORE_IRP_STACK_LOCATIONS, ANY_PARAMETER,
                    "WSK-IRP-05");
    expect_bugcheck(pass_without_location, NULL, NO_MORE_IRP_STACK_LOCATIONS, ANY_PARAMETER,
                    "WSK-IRP-06");
}

static void pass_twice(void *context)
{
    PIRP irp = make_pending();
    struct wsk_call other;
    UNREFERENCED_PARAMETER(context);
    call_init(&other);
    WSK_BUF buffer = call_buffer(&other, &byte, 1);
    receive_of(pair.near)(pair.near, &buffer, 0, irp);
}

static void free_pending(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoFreeIrp(make_pending());
}

static void reuse_pending(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoReuseIrp(make_pending(), STATUS_SUCCESS);
}

static void an_irp_that_wsk_has_is_left_alone(void **state)
{
    PROVES("WSK-IRP-14");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(pass_twice, NULL, NO_MORE_IRP_STACK_LOCATIONS, ANY_PARAMETER, "WSK-IRP-14");
    expect_bugcheck(free_pending, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20B, "IRP-18");
    expect_bugcheck(reuse_pending, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x310, "IRP-15");
}

static NTSTATUS set_event(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Two sends with one IRP. context: whether it is made ready for the second. */
static void send_again(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    KEVENT sent;
    KeInitializeEvent(&sent, SynchronizationEvent, FALSE);
    open_pair(&pair, NULL, NULL);
    for (unsigned i = 0; i < 2; i++) {
        WSK_BUF buffer = call_buffer(&pair.end.call, &byte, 1);
        if (i != 0 && context != NULL) {
            IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
        }
        IoSetCompletionRoutine(irp, set_event, &sent, TRUE, TRUE, TRUE);
        assert_int_equal(send_of(pair.near)(pair.near, &buffer, 0, irp), STATUS_PENDING);
        await(&sent);
    }
    IoFreeIrp(irp);
    close_pair(&pair);
}

static void an_irp_is_reused_between_two_calls(void **state)
{
    PROVES("WSK-IRP-12");
    UNREFERENCED_PARAMETER(state);
    log_capture();
    send_again(NULL);
    assert_true(log_named("WSK-IRP-12"));
}

static void an_irp_that_is_reused_is_fine(void **state)
{
    STAYS_SILENT("WSK-IRP-12", "WSK-IRP-05", "WSK-IRP-06", "WSK-IRP-14");
    UNREFERENCED_PARAMETER(state);
    send_again(&pair);
}

/* ---- IRPs from above ---- */

static NTSTATUS free_it(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoFreeIrp(irp);
    return STATUS_SUCCESS;
}

static NTSTATUS reuse_it(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReuseIrp(irp, STATUS_SUCCESS);
    return STATUS_SUCCESS;
}

static void send_from_above(void *dispatch)
{
    static IO_STATUS_BLOCK block;
    static KEVENT event;
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, *(PDRIVER_DISPATCH *)dispatch, NULL);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IoCallDriver(device, IoBuildDeviceIoControlRequest(0x222000, device, NULL, 0, NULL, 0, FALSE,
                                                       &event, &block));
}

static void an_irp_from_above_belongs_to_its_maker(void **state)
{
    PDRIVER_DISPATCH frees = free_it;
    PDRIVER_DISPATCH reuses = reuse_it;
    PROVES("IRP-102", "IRP-16");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(send_from_above, &frees, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x2, "IRP-102");
    expect_bugcheck(send_from_above, &reuses, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x311, "IRP-16");
}

/* ---- what is left ---- */

/* Without the fixture, which wants nothing to be left. */
static void what_is_not_freed_is_reported(void **state)
{
    PROVES("WSK-IRP-15", "WSK-IRP-33", "WSK-BUF-12");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    open_pair(&pair, NULL, NULL);
    PIRP irp = make_irp(1);
    PMDL mdl = IoAllocateMdl(&byte, 1, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    WSK_BUF buffer = {mdl, 0, 1};
    send_of(pair.near)(pair.near, &buffer, 0, irp);
    close_pair(&pair); /* which waits for the send */
    assert_int_equal(MmGetMdlByteCount(mdl), 1);
    log_capture();
    assert_int_equal(wskemu_shutdown(), 2);
    const char *text = log_captured();
    assert_non_null(strstr(text, "left: IRP"));
    assert_non_null(strstr(text, "left: MDL"));
}

/* ---- levels ---- */

enum leveled { ALLOCATE, FREE, REUSE, CANCEL };

static void call_too_high(void *context)
{
    KIRQL old;
    PIRP irp = make_irp(1);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    switch (*(const enum leveled *)context) {
    case ALLOCATE:
        IoAllocateIrp(1, FALSE);
        return;
    case FREE:
        IoFreeIrp(irp);
        return;
    case REUSE:
        IoReuseIrp(irp, STATUS_SUCCESS);
        return;
    case CANCEL:
        IoCancelIrp(irp);
        return;
    }
}

static void irps_are_handled_up_to_dispatch_level(void **state)
{
    KIRQL old;
    PROVES("WSK-IRQL-17");
    UNREFERENCED_PARAMETER(state);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    PIRP irp = make_irp(1);
    IoCancelIrp(irp);
    IoReuseIrp(irp, STATUS_SUCCESS);
    IoFreeIrp(irp);
    KeLowerIrql(old);
    for (enum leveled function = ALLOCATE; function <= CANCEL; function++) {
        expect_bugcheck(call_too_high, &function, DRIVER_VIOLATION, ANY_PARAMETER, NULL);
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_irp_needs_a_location_for_wsk),
    kernel_test(an_irp_that_wsk_has_is_left_alone),
    kernel_test(an_irp_is_reused_between_two_calls),
    kernel_test(an_irp_that_is_reused_is_fine),
    kernel_test(an_irp_from_above_belongs_to_its_maker),
    cmocka_unit_test(what_is_not_freed_is_reported),
    kernel_test(irps_are_handled_up_to_dispatch_level),
};

TEST_MAIN(tests)
