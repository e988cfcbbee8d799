/* What drivers do wrong with the buffers of controls, and with requests of a file that is closed.
 */
#include "../io/io_driver.h"
#include "full.h"

#define CODE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define BYTES 64

/* Sends a control with room for BYTES bytes to a device with that dispatch routine. */
static void control(void *context)
{
    HANDLE handle;
    IO_STATUS_BLOCK block;
    UCHAR output[BYTES] = {0};
    PDRIVER_OBJECT driver = load_plain();
    add_device(driver, L"\\Device\\Control", (PDRIVER_DISPATCH)(ULONG_PTR)context, NULL);
    NTSTATUS status =
        open_device(L"\\Device\\Control", FILE_READ_DATA, FILE_SYNCHRONOUS_IO_NONALERT, &handle);
    assert_int_equal(status, STATUS_SUCCESS);
    ZwDeviceIoControlFile(handle, NULL, NULL, NULL, &block, CODE, NULL, 0, output, BYTES);
    ZwClose(handle);
    wskemu_unload_driver(driver);
}

static bool is_control(PIRP irp)
{
    return IoGetCurrentIrpStackLocation(irp)->MajorFunction == IRP_MJ_DEVICE_CONTROL;
}

/* ---- what goes out ---- */

static NTSTATUS answer_partly(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    if (!is_control(irp)) {
        return complete(irp, STATUS_SUCCESS, 0);
    }
    *(PULONG)irp->AssociatedIrp.SystemBuffer = 1;
    return complete(irp, STATUS_SUCCESS, BYTES);
}

static NTSTATUS answer_wholly(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    if (!is_control(irp)) {
        return complete(irp, STATUS_SUCCESS, 0);
    }
    RtlZeroMemory(irp->AssociatedIrp.SystemBuffer, BYTES);
    *(PULONG)irp->AssociatedIrp.SystemBuffer = 1;
    return complete(irp, STATUS_SUCCESS, BYTES);
}

static NTSTATUS answer_briefly(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    if (!is_control(irp)) {
        return complete(irp, STATUS_SUCCESS, 0);
    }
    *(PULONG)irp->AssociatedIrp.SystemBuffer = 1;
    return complete(irp, STATUS_SUCCESS, sizeof(ULONG));
}

static void output_that_nobody_wrote_is_caught(void **state)
{
    PROVES("DEV-75", "POOL-40");
    expect_warning(control, (PVOID)(ULONG_PTR)answer_partly, "DEV-75");
}

static void output_that_was_written_is_fine(void **state)
{
    STAYS_SILENT("DEV-75", "POOL-40", "DEV-68", "IRP-90");
    expect_silence(control, (PVOID)(ULONG_PTR)answer_wholly);
    expect_silence(control, (PVOID)(ULONG_PTR)answer_briefly);
}

/* ---- lengths ---- */

struct answer {
    UCHAR bytes[2 * BYTES];
};

WILD static NTSTATUS answer_unseen(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    if (!is_control(irp)) {
        return complete(irp, STATUS_SUCCESS, 0);
    }
    struct answer *answer = irp->AssociatedIrp.SystemBuffer;
    write_at(&answer->bytes[BYTES]);
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS answer_if_there_is_room(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    const IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
    if (!is_control(irp)) {
        return complete(irp, STATUS_SUCCESS, 0);
    }
    if (location->Parameters.DeviceIoControl.IoControlCode != CODE) {
        return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (location->Parameters.DeviceIoControl.OutputBufferLength < sizeof(struct answer)) {
        return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
    }
    RtlZeroMemory(irp->AssociatedIrp.SystemBuffer, sizeof(struct answer));
    return complete(irp, STATUS_SUCCESS, sizeof(struct answer));
}

static void control_unseen(void *context)
{
    UNREFERENCED_PARAMETER(context);
    control((PVOID)(ULONG_PTR)answer_unseen);
}

static void control_with_a_look(void *context)
{
    UNREFERENCED_PARAMETER(context);
    control((PVOID)(ULONG_PTR)answer_if_there_is_room);
}

static void a_buffer_used_without_a_look_at_its_length_is_caught(void **state)
{
    PROVES("DEV-74");
    expect_at_full(control_unseen, DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION, "DEV-74",
                   "behind the end");
    expect_bugcheck(control_unseen, NULL, BAD_POOL_HEADER, 0x21, "DEV-74");
}

static void a_buffer_whose_length_was_looked_at_is_fine(void **state)
{
    STAYS_SILENT("DEV-74");
    expect_silence(control_with_a_look, NULL);
    expect_silence_at_full(control_with_a_look);
}

/* ---- pointers of whoever made the request ---- */

#define NEITHER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_NEITHER, FILE_ANY_ACCESS)

/* No memory is there. */
static const PVOID nowhere = (PVOID)0x4242424000;

WILD static NTSTATUS read_unprobed(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    const IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
    if (is_control(irp)) {
        read_at(location->Parameters.DeviceIoControl.Type3InputBuffer);
    }
    return complete(irp, STATUS_SUCCESS, 0);
}

WILD static NTSTATUS read_probed(PDEVICE_OBJECT device, PIRP irp)
{
    NTSTATUS status = STATUS_SUCCESS;
    UNREFERENCED_PARAMETER(device);
    const IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
    if (is_control(irp)) {
        __try {
            ProbeForRead(location->Parameters.DeviceIoControl.Type3InputBuffer, BYTES, 1);
            read_at(location->Parameters.DeviceIoControl.Type3InputBuffer);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            status = GetExceptionCode();
        }
    }
    return complete(irp, status, 0);
}

static NTSTATUS send_neither(PDRIVER_DISPATCH dispatch)
{
    HANDLE handle;
    IO_STATUS_BLOCK block;
    PDRIVER_OBJECT driver = load_plain();
    add_device(driver, L"\\Device\\Neither", dispatch, NULL);
    NTSTATUS status =
        open_device(L"\\Device\\Neither", FILE_READ_DATA, FILE_SYNCHRONOUS_IO_NONALERT, &handle);
    assert_int_equal(status, STATUS_SUCCESS);
    status =
        ZwDeviceIoControlFile(handle, NULL, NULL, NULL, &block, NEITHER, nowhere, BYTES, NULL, 0);
    ZwClose(handle);
    wskemu_unload_driver(driver);
    return status;
}

static void send_to_unprobed(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_neither(read_unprobed);
}

static void a_pointer_used_unprobed_is_caught(void **state)
{
    PROVES("DEV-73");
    expect_bugcheck(send_to_unprobed, NULL, PAGE_FAULT_IN_NONPAGED_AREA, ANY_PARAMETER, "DEV-73");
}

static void a_pointer_probed_inside_a_try_statement_is_fine(void **state)
{
    STAYS_SILENT("DEV-73");
    assert_int_equal(send_neither(read_probed), STATUS_ACCESS_VIOLATION);
}

/* ---- codes ---- */

static void send_code(void *context)
{
    HANDLE handle;
    IO_STATUS_BLOCK block;
    PDRIVER_OBJECT driver = load_plain();
    add_device(driver, L"\\Device\\Code", NULL, NULL);
    NTSTATUS status =
        open_device(L"\\Device\\Code", FILE_READ_DATA, FILE_SYNCHRONOUS_IO_NONALERT, &handle);
    assert_int_equal(status, STATUS_SUCCESS);
    ZwDeviceIoControlFile(handle, NULL, NULL, NULL, &block, *(ULONG *)context, NULL, 0, NULL, 0);
    ZwClose(handle);
    wskemu_unload_driver(driver);
}

static void a_vendors_code_with_a_function_of_others_is_caught(void **state)
{
    PROVES("DEV-63");
    ULONG code = CTL_CODE(0x8000, 0x7FF, METHOD_BUFFERED, FILE_ANY_ACCESS);
    expect_warning(send_code, &code, "DEV-63");
}

static void a_vendors_code_is_fine(void **state)
{
    STAYS_SILENT("DEV-63");
    ULONG codes[] = {CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS), CODE};
    for (size_t i = 0; i < RTL_NUMBER_OF(codes); i++) {
        expect_silence(send_code, &codes[i]);
    }
}

/* ---- the last close ---- */

static PIRP queued;

static VOID cancel_queued(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    complete(irp, STATUS_CANCELLED, 0);
}

static NTSTATUS queue(PIRP irp)
{
    IoMarkIrpPending(irp);
    queued = irp;
    IoSetCancelRoutine(irp, cancel_queued);
    return STATUS_PENDING;
}

/* Never ends a request of its own accord. */
static NTSTATUS queue_for_ever(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    return is_control(irp) ? queue(irp) : complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS queue_until_cleanup(PDEVICE_OBJECT device, PIRP irp)
{
    if (IoGetCurrentIrpStackLocation(irp)->MajorFunction == IRP_MJ_CLEANUP &&
        IoSetCancelRoutine(queued, NULL) != NULL) {
        complete(queued, STATUS_CANCELLED, 0);
    }
    return queue_for_ever(device, irp);
}

/* Closes the handle while the control is queued. */
static void close_queued(void *context)
{
    HANDLE handle;
    static IO_STATUS_BLOCK block;
    static UCHAR output[BYTES];
    PDRIVER_OBJECT driver = load_plain();
    add_device(driver, L"\\Device\\Queue", (PDRIVER_DISPATCH)(ULONG_PTR)context, NULL);
    assert_int_equal(open_device(L"\\Device\\Queue", FILE_READ_DATA, 0, &handle), STATUS_SUCCESS);
    NTSTATUS status =
        ZwDeviceIoControlFile(handle, NULL, NULL, NULL, &block, CODE, NULL, 0, output, BYTES);
    assert_int_equal(status, STATUS_PENDING);
    ZwClose(handle);
    if ((PDRIVER_DISPATCH)(ULONG_PTR)context == queue_for_ever) {
        IoSetCancelRoutine(queued, NULL);
        complete(queued, STATUS_CANCELLED, 0);
    }
    wskemu_unload_driver(driver);
}

static void a_request_that_outlives_the_cleanup_is_caught(void **state)
{
    PROVES("DEV-57");
    expect_warning(close_queued, (PVOID)(ULONG_PTR)queue_for_ever, "DEV-57");
}

static void a_request_that_ends_in_the_cleanup_is_fine(void **state)
{
    STAYS_SILENT("DEV-57");
    expect_silence(close_queued, (PVOID)(ULONG_PTR)queue_until_cleanup);
}

/* ---- what a file has ---- */

struct state {
    ULONG counter;
};

/* Frees the file's state at the end that the device's context names. */
WILD static NTSTATUS keep_state(PDEVICE_OBJECT device, PIRP irp)
{
    const UCHAR *end = node_of(device)->context;
    const IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
    PFILE_OBJECT file = location->FileObject;
    if (location->MajorFunction == IRP_MJ_CREATE) {
        file->FsContext = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(struct state), 'tatS');
    } else {
        ((struct state *)file->FsContext)->counter++;
    }
    if (location->MajorFunction == *end) {
        ExFreePool(file->FsContext);
    }
    return complete(irp, STATUS_SUCCESS, 0);
}

static void open_and_close(UCHAR end)
{
    HANDLE handle;
    PDRIVER_OBJECT driver = load_plain();
    add_device(driver, L"\\Device\\State", keep_state, &end);
    assert_int_equal(open_device(L"\\Device\\State", FILE_READ_DATA, 0, &handle), STATUS_SUCCESS);
    ZwClose(handle);
    wskemu_unload_driver(driver);
}

static void free_on_cleanup(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_and_close(IRP_MJ_CLEANUP);
}

static void free_on_close(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_and_close(IRP_MJ_CLOSE);
}

static void what_the_close_still_uses_and_the_cleanup_freed_is_caught(void **state)
{
    PROVES("DEV-58");
    expect_at_full(free_on_cleanup, DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL, "DEV-58",
                   "freed by keep_state");
}

static void what_the_close_frees_is_fine(void **state)
{
    STAYS_SILENT("DEV-58");
    expect_silence_at_full(free_on_close);
}

static const struct CMUnitTest tests[] = {
    kernel_test(what_the_close_still_uses_and_the_cleanup_freed_is_caught),
    kernel_test(what_the_close_frees_is_fine),
    kernel_test(output_that_nobody_wrote_is_caught),
    kernel_test(output_that_was_written_is_fine),
    kernel_test(a_buffer_used_without_a_look_at_its_length_is_caught),
    kernel_test(a_buffer_whose_length_was_looked_at_is_fine),
    kernel_test(a_vendors_code_with_a_function_of_others_is_caught),
    kernel_test(a_vendors_code_is_fine),
    kernel_test(a_pointer_used_unprobed_is_caught),
    kernel_test(a_pointer_probed_inside_a_try_statement_is_fine),
    kernel_test(a_request_that_outlives_the_cleanup_is_caught),
    kernel_test(a_request_that_ends_in_the_cleanup_is_fine),
};

TEST_MAIN(tests)
