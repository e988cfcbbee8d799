/* Reads, writes and controls: how buffers go to the driver and come back. */
#include "io_driver.h"

#define CODE(function, method, access)                                                             \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + (function), method, access)
#define BUFFERED CODE(0, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IN_DIRECT CODE(1, METHOD_IN_DIRECT, FILE_ANY_ACCESS)
#define OUT_DIRECT CODE(2, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
#define NEITHER CODE(3, METHOD_NEITHER, FILE_ANY_ACCESS)
#define NEEDS_READ CODE(4, METHOD_BUFFERED, FILE_READ_ACCESS)
#define NEEDS_WRITE CODE(5, METHOD_BUFFERED, FILE_WRITE_ACCESS)
#define CHECK_READ CODE(6, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define PEND CODE(7, METHOD_BUFFERED, FILE_ANY_ACCESS)

/* What the driver saw, and what it shall do. */
static struct {
    LONG calls;
    UCHAR major;
    ULONG code;
    PVOID system_buffer;
    PVOID user_buffer;
    PVOID type3;
    PMDL mdl;
    CSHORT mdl_flags;
    ULONG mdl_bytes;
    UCHAR input[8];
    ULONG input_bytes;
    ULONG output_bytes;
    KPROCESSOR_MODE mode;
    NTSTATUS checks[3];
    NTSTATUS status;
    ULONG_PTR information;
    PIRP pended;
    KEVENT arrived;
} seen;

static NTSTATUS pend(PIRP irp)
{
    IoMarkIrpPending(irp);
    seen.pended = irp;
    KeSetEvent(&seen.arrived, IO_NO_INCREMENT, FALSE);
    return STATUS_PENDING;
}

static void note_buffers(PIRP irp)
{
    seen.system_buffer = irp->AssociatedIrp.SystemBuffer;
    seen.user_buffer = irp->UserBuffer;
    seen.mdl = irp->MdlAddress;
    seen.mode = irp->RequestorMode;
    if (seen.mdl != NULL) {
        seen.mdl_flags = seen.mdl->MdlFlags;
        seen.mdl_bytes = MmGetMdlByteCount(seen.mdl);
    }
}

static NTSTATUS serve_control(PIRP irp, PIO_STACK_LOCATION location)
{
    seen.code = location->Parameters.DeviceIoControl.IoControlCode;
    seen.input_bytes = location->Parameters.DeviceIoControl.InputBufferLength;
    seen.output_bytes = location->Parameters.DeviceIoControl.OutputBufferLength;
    seen.type3 = location->Parameters.DeviceIoControl.Type3InputBuffer;
    if (seen.code == PEND) {
        return pend(irp);
    }
    seen.checks[0] = IoValidateDeviceIoControlAccess(irp, FILE_READ_ACCESS);
    seen.checks[1] = IoValidateDeviceIoControlAccess(irp, FILE_WRITE_ACCESS);
    seen.checks[2] = IoValidateDeviceIoControlAccess(irp, 0x80);
    if (seen.system_buffer != NULL && seen.input_bytes != 0) {
        RtlCopyMemory(seen.input, seen.system_buffer, min(seen.input_bytes, 8));
    }
    if (METHOD_FROM_CTL_CODE(seen.code) == METHOD_BUFFERED && seen.output_bytes != 0) {
        RtlFillMemory(seen.system_buffer, seen.output_bytes, 'o');
    }
    if (seen.mdl != NULL && METHOD_FROM_CTL_CODE(seen.code) == METHOD_OUT_DIRECT) {
        RtlFillMemory(MmGetSystemAddressForMdlSafe(seen.mdl, NormalPagePriority), seen.mdl_bytes,
                      'd');
    }
    return complete(irp, seen.status, seen.information);
}

static NTSTATUS serve_transfer(PIRP irp, PIO_STACK_LOCATION location)
{
    ULONG bytes = location->Parameters.Read.Length;
    if (seen.system_buffer == NULL) {
        return complete(irp, STATUS_SUCCESS, bytes);
    }
    if (location->MajorFunction == IRP_MJ_WRITE) {
        RtlCopyMemory(seen.input, seen.system_buffer, min(bytes, 8));
    } else {
        RtlFillMemory(seen.system_buffer, bytes, 'r');
    }
    return complete(irp, STATUS_SUCCESS, bytes);
}

static NTSTATUS serve(PDEVICE_OBJECT device, PIRP irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
    UNREFERENCED_PARAMETER(device);
    switch (location->MajorFunction) {
    case IRP_MJ_DEVICE_CONTROL:
        seen.calls++;
        note_buffers(irp);
        return serve_control(irp, location);
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
        seen.major = location->MajorFunction;
        note_buffers(irp);
        return serve_transfer(irp, location);
    case IRP_MJ_FLUSH_BUFFERS:
        seen.major = location->MajorFunction;
        return complete(irp, STATUS_SUCCESS, 0);
    default:
        return complete(irp, STATUS_SUCCESS, 0);
    }
}

static PDEVICE_OBJECT make_device(void)
{
    RtlZeroMemory(&seen, sizeof(seen));
    KeInitializeEvent(&seen.arrived, SynchronizationEvent, FALSE);
    return add_device(load_plain(), L"\\Device\\Test", serve, NULL);
}

static HANDLE open_test(ACCESS_MASK access, ULONG options)
{
    HANDLE handle;
    assert_int_equal(open_device(L"\\Device\\Test", access, options, &handle), STATUS_SUCCESS);
    return handle;
}

static HANDLE open_synchronous(void)
{
    return open_test(GENERIC_READ | GENERIC_WRITE, FILE_SYNCHRONOUS_IO_NONALERT);
}

static void a_code_is_made_of_its_parts(void **state)
{
    PROVES("DEV-61", "DEV-62");
    assert_int_equal(CTL_CODE(0x22, 0x801, METHOD_NEITHER, FILE_WRITE_ACCESS),
                     (0x22 << 16) | (2 << 14) | (0x801 << 2) | 3);
    assert_int_equal(METHOD_BUFFERED, 0);
    assert_int_equal(METHOD_IN_DIRECT, 1);
    assert_int_equal(METHOD_OUT_DIRECT, 2);
    assert_int_equal(METHOD_NEITHER, 3);
    assert_int_equal(FILE_ANY_ACCESS, 0);
    assert_int_equal(FILE_READ_ACCESS, 1);
    assert_int_equal(FILE_WRITE_ACCESS, 2);
    assert_int_equal(DEVICE_TYPE_FROM_CTL_CODE(BUFFERED), FILE_DEVICE_UNKNOWN);
    assert_int_equal(METHOD_FROM_CTL_CODE(OUT_DIRECT), METHOD_OUT_DIRECT);
    assert_int_equal(IoGetFunctionCodeFromCtlCode(NEITHER), 0x803);
}

static NTSTATUS control(HANDLE handle, ULONG code, PVOID input, ULONG input_bytes, PVOID output,
                        ULONG output_bytes, PIO_STATUS_BLOCK block)
{
    return ZwDeviceIoControlFile(handle, NULL, NULL, NULL, block, code, input, input_bytes, output,
                                 output_bytes);
}

static void buffered_controls_share_one_buffer(void **state)
{
    PROVES("DEV-66", "DEV-67", "DEV-69");
    IO_STATUS_BLOCK block;
    UCHAR input[4] = "iiii";
    UCHAR output[8] = "--------";
    make_device();
    HANDLE handle = open_synchronous();
    seen.information = 6;
    assert_int_equal(control(handle, BUFFERED, input, 4, output, 8, &block), STATUS_SUCCESS);
    assert_memory_equal(seen.input, "iiii", 4);
    assert_ptr_not_equal(seen.system_buffer, input);
    assert_ptr_not_equal(seen.system_buffer, output);
    assert_null(seen.mdl);
    assert_int_equal(seen.input_bytes, 4);
    assert_int_equal(seen.output_bytes, 8);
    assert_int_equal(block.Information, 6);
    assert_memory_equal(output, "oooooo--", 8);
    ZwClose(handle);
}

static void an_error_copies_nothing_and_a_warning_copies(void **state)
{
    PROVES("DEV-67");
    static const NTSTATUS statuses[] = {STATUS_UNSUCCESSFUL, STATUS_BUFFER_OVERFLOW};
    make_device();
    HANDLE handle = open_synchronous();
    for (int i = 0; i < 2; i++) {
        IO_STATUS_BLOCK block;
        UCHAR output[4] = "----";
        seen.status = statuses[i];
        seen.information = 4;
        assert_int_equal(control(handle, BUFFERED, NULL, 0, output, 4, &block), statuses[i]);
        assert_memory_equal(output, i == 0 ? "----" : "oooo", 4);
    }
    ZwClose(handle);
}

static void without_buffers_there_is_no_system_buffer(void **state)
{
    UNREFERENCED_PARAMETER(state);
    IO_STATUS_BLOCK block;
    make_device();
    HANDLE handle = open_synchronous();
    assert_int_equal(control(handle, BUFFERED, NULL, 0, NULL, 0, &block), STATUS_SUCCESS);
    assert_null(seen.system_buffer);
    ZwClose(handle);
}

static void direct_controls_lock_the_second_buffer(void **state)
{
    PROVES("DEV-70", "DEV-71");
    IO_STATUS_BLOCK block;
    UCHAR input[4] = "iiii";
    UCHAR output[8] = "--------";
    make_device();
    HANDLE handle = open_synchronous();
    assert_int_equal(control(handle, OUT_DIRECT, input, 4, output, 8, &block), STATUS_SUCCESS);
    assert_memory_equal(seen.input, "iiii", 4);
    assert_int_equal(seen.mdl_bytes, 8);
    assert_true((seen.mdl_flags & MDL_PAGES_LOCKED) != 0);
    assert_true((seen.mdl_flags & MDL_WRITE_OPERATION) != 0);
    assert_memory_equal(output, "dddddddd", 8);
    assert_int_equal(control(handle, IN_DIRECT, input, 4, output, 8, &block), STATUS_SUCCESS);
    assert_int_equal(seen.mdl_flags & MDL_WRITE_OPERATION, 0);
    assert_int_equal(control(handle, OUT_DIRECT, input, 4, NULL, 0, &block), STATUS_SUCCESS);
    assert_null(seen.mdl);
    ZwClose(handle);
}

static void a_buffer_that_cannot_be_locked_is_refused(void **state)
{
    PROVES("DEV-70");
    IO_STATUS_BLOCK block;
    make_device();
    HANDLE handle = open_synchronous();
    assert_int_equal(control(handle, OUT_DIRECT, NULL, 0, (PVOID)(ULONG_PTR)0x10, 8, &block),
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal(control(handle, BUFFERED, (PVOID)(ULONG_PTR)0x10, 8, NULL, 0, &block),
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal(seen.calls, 0);
    ZwClose(handle);
}

static void neither_passes_the_pointers(void **state)
{
    PROVES("DEV-72");
    IO_STATUS_BLOCK block;
    PVOID input = (PVOID)(ULONG_PTR)0x10;
    PVOID output = (PVOID)(ULONG_PTR)0x20;
    make_device();
    HANDLE handle = open_synchronous();
    assert_int_equal(control(handle, NEITHER, input, 4, output, 8, &block), STATUS_SUCCESS);
    assert_ptr_equal(seen.type3, input);
    assert_ptr_equal(seen.user_buffer, output);
    assert_null(seen.system_buffer);
    assert_null(seen.mdl);
    ZwClose(handle);
}

static void a_handle_must_have_the_access_of_the_code(void **state)
{
    PROVES("DEV-64");
    IO_STATUS_BLOCK block;
    make_device();
    HANDLE reader = open_test(FILE_READ_DATA, FILE_SYNCHRONOUS_IO_NONALERT);
    HANDLE writer = open_test(FILE_WRITE_DATA, FILE_SYNCHRONOUS_IO_NONALERT);
    assert_int_equal(control(reader, NEEDS_READ, NULL, 0, NULL, 0, &block), STATUS_SUCCESS);
    assert_int_equal(control(writer, NEEDS_WRITE, NULL, 0, NULL, 0, &block), STATUS_SUCCESS);
    LONG calls = seen.calls;
    assert_int_equal(control(reader, NEEDS_WRITE, NULL, 0, NULL, 0, &block), STATUS_ACCESS_DENIED);
    assert_int_equal(control(writer, NEEDS_READ, NULL, 0, NULL, 0, &block), STATUS_ACCESS_DENIED);
    assert_int_equal(seen.calls, calls);
    ZwClose(reader);
    ZwClose(writer);
}

static VOID control_in_system_thread(PVOID context)
{
    IO_STATUS_BLOCK block;
    HANDLE handle;
    NTSTATUS *status = context;
    open_device(L"\\Device\\Test", FILE_READ_DATA, FILE_SYNCHRONOUS_IO_NONALERT, &handle);
    *status = control(handle, NEEDS_WRITE, NULL, 0, NULL, 0, &block);
    ZwClose(handle);
}

static void a_driver_checks_access_afterwards(void **state)
{
    PROVES("DEV-65");
    IO_STATUS_BLOCK block;
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    make_device();
    HANDLE reader = open_test(FILE_READ_DATA, FILE_SYNCHRONOUS_IO_NONALERT);
    assert_int_equal(control(reader, CHECK_READ, NULL, 0, NULL, 0, &block), STATUS_SUCCESS);
    assert_int_equal(seen.mode, UserMode);
    assert_int_equal(seen.checks[0], STATUS_SUCCESS);
    assert_int_equal(seen.checks[1], STATUS_ACCESS_DENIED);
    assert_int_equal(seen.checks[2], STATUS_INVALID_PARAMETER);
    ZwClose(reader);
    join_thread(start_thread(control_in_system_thread, &status));
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(seen.mode, KernelMode);
    assert_int_equal(seen.checks[1], STATUS_SUCCESS);
}

static void reads_and_writes_go_as_the_device_says(void **state)
{
    PROVES("DEV-76");
    IO_STATUS_BLOCK block;
    UCHAR buffer[4] = "wwww";
    PDEVICE_OBJECT device = make_device();
    HANDLE handle = open_synchronous();
    assert_int_equal(ZwWriteFile(handle, NULL, NULL, NULL, &block, buffer, 4, NULL, NULL),
                     STATUS_SUCCESS);
    assert_null(seen.system_buffer);
    assert_null(seen.mdl);
    assert_ptr_equal(seen.user_buffer, buffer);
    device->Flags |= DO_BUFFERED_IO;
    assert_int_equal(ZwWriteFile(handle, NULL, NULL, NULL, &block, buffer, 4, NULL, NULL),
                     STATUS_SUCCESS);
    assert_memory_equal(seen.input, "wwww", 4);
    assert_int_equal(ZwReadFile(handle, NULL, NULL, NULL, &block, buffer, 4, NULL, NULL),
                     STATUS_SUCCESS);
    assert_memory_equal(buffer, "rrrr", 4);
    assert_int_equal(block.Information, 4);
    device->Flags = (device->Flags & ~(ULONG)DO_BUFFERED_IO) | DO_DIRECT_IO;
    assert_int_equal(ZwReadFile(handle, NULL, NULL, NULL, &block, buffer, 4, NULL, NULL),
                     STATUS_SUCCESS);
    assert_null(seen.system_buffer);
    assert_true((seen.mdl_flags & (MDL_PAGES_LOCKED | MDL_WRITE_OPERATION)) ==
                (MDL_PAGES_LOCKED | MDL_WRITE_OPERATION));
    assert_int_equal(ZwFlushBuffersFile(handle, &block), STATUS_SUCCESS);
    assert_int_equal(seen.major, IRP_MJ_FLUSH_BUFFERS);
    ZwClose(handle);
}

/* ---- pending controls ---- */

static VOID complete_pended(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    wait_object(&seen.arrived);
    complete(seen.pended, STATUS_TIMEOUT, 0);
}

static void a_synchronous_file_waits_for_the_end(void **state)
{
    UNREFERENCED_PARAMETER(state);
    IO_STATUS_BLOCK block;
    make_device();
    HANDLE handle = open_synchronous();
    PKTHREAD thread = start_thread(complete_pended, NULL);
    assert_int_equal(control(handle, PEND, NULL, 0, NULL, 0, &block), STATUS_TIMEOUT);
    assert_int_equal(block.Status, STATUS_TIMEOUT);
    join_thread(thread);
    ZwClose(handle);
}

static void an_asynchronous_file_tells_the_end_by_an_event(void **state)
{
    UNREFERENCED_PARAMETER(state);
    IO_STATUS_BLOCK block;
    HANDLE event;
    make_device();
    HANDLE handle = open_test(GENERIC_READ | GENERIC_WRITE, 0);
    assert_int_equal(ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, TRUE),
                     STATUS_SUCCESS);
    LARGE_INTEGER none = {.QuadPart = 0};
    assert_int_equal(
        ZwDeviceIoControlFile(handle, event, NULL, NULL, &block, PEND, NULL, 0, NULL, 0),
        STATUS_PENDING);
    assert_int_equal(ZwWaitForSingleObject(event, FALSE, &none), STATUS_TIMEOUT);
    /* The request keeps the file: its close waits for it. */
    ZwClose(handle);
    complete(seen.pended, STATUS_SUCCESS, 0);
    assert_int_equal(ZwWaitForSingleObject(event, FALSE, NULL), STATUS_SUCCESS);
    assert_int_equal(block.Status, STATUS_SUCCESS);
    ZwClose(event);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_code_is_made_of_its_parts),
    kernel_test(buffered_controls_share_one_buffer),
    kernel_test(an_error_copies_nothing_and_a_warning_copies),
    kernel_test(without_buffers_there_is_no_system_buffer),
    kernel_test(direct_controls_lock_the_second_buffer),
    kernel_test(a_buffer_that_cannot_be_locked_is_refused),
    kernel_test(neither_passes_the_pointers),
    kernel_test(a_handle_must_have_the_access_of_the_code),
    kernel_test(a_driver_checks_access_afterwards),
    kernel_test(reads_and_writes_go_as_the_device_says),
    kernel_test(a_synchronous_file_waits_for_the_end),
    kernel_test(an_asynchronous_file_tells_the_end_by_an_event),
};

TEST_MAIN(tests)
