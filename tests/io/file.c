/* Files: devices that were opened, and the requests of their life. */
#include "io_driver.h"

#define EVENTS_MAX 16

/* What the driver was asked, in order. */
static struct {
    LONG count;
    UCHAR major[EVENTS_MAX];
    PFILE_OBJECT file[EVENTS_MAX];
    KIRQL irql[EVENTS_MAX];
    PVOID thread[EVENTS_MAX];
    ULONG create_options;
    USHORT create_share;
    USHORT name_bytes;
    WCHAR name[32];
    NTSTATUS create_status;
    ULONG_PTR create_information;
} seen;

static NTSTATUS serve(PDEVICE_OBJECT device, PIRP irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
    LONG i = seen.count < EVENTS_MAX ? seen.count++ : EVENTS_MAX - 1;
    UNREFERENCED_PARAMETER(device);
    seen.major[i] = location->MajorFunction;
    seen.file[i] = location->FileObject;
    seen.irql[i] = KeGetCurrentIrql();
    seen.thread[i] = PsGetCurrentThread();
    if (location->MajorFunction == IRP_MJ_CREATE) {
        seen.create_options = location->Parameters.Create.Options;
        seen.create_share = location->Parameters.Create.ShareAccess;
        seen.name_bytes = location->FileObject->FileName.Length;
        if (seen.name_bytes != 0) {
            RtlCopyMemory(seen.name, location->FileObject->FileName.Buffer, seen.name_bytes);
        }
        return complete(irp, seen.create_status, seen.create_information);
    }
    return complete(irp, STATUS_SUCCESS, 0);
}

static PDEVICE_OBJECT make_device(void)
{
    RtlZeroMemory(&seen, sizeof(seen));
    return add_device(load_plain(), L"\\Device\\Test", serve, NULL);
}

static NTSTATUS create_file(PCWSTR name, ULONG disposition, ULONG options, PHANDLE handle,
                            PIO_STATUS_BLOCK block)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, name);
    InitializeObjectAttributes(&attributes, &string, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateFile(handle, GENERIC_READ | SYNCHRONIZE, &attributes, block, NULL,
                        FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ, disposition, options, NULL, 0);
}

static void an_open_and_a_close_send_three_requests(void **state)
{
    PROVES("DEV-55", "DEV-56", "DEV-59", "DEV-60", "DEV-52");
    HANDLE handle;
    IO_STATUS_BLOCK block;
    PDEVICE_OBJECT device = make_device();
    seen.create_information = FILE_OPENED;
    assert_int_equal(
        create_file(L"\\Device\\Test", FILE_OPEN_IF, FILE_NON_DIRECTORY_FILE, &handle, &block),
        STATUS_SUCCESS);
    assert_int_equal(block.Information, FILE_OPENED);
    assert_int_equal(seen.create_options, (FILE_OPEN_IF << 24) | FILE_NON_DIRECTORY_FILE);
    assert_int_equal(seen.create_share, FILE_SHARE_READ);
    assert_int_equal(device->ReferenceCount, 1);
    ZwClose(handle);
    assert_int_equal(device->ReferenceCount, 0);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.major[0], IRP_MJ_CREATE);
    assert_int_equal(seen.major[1], IRP_MJ_CLEANUP);
    assert_int_equal(seen.major[2], IRP_MJ_CLOSE);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(seen.file[i], seen.file[0]);
        assert_int_equal(seen.irql[i], PASSIVE_LEVEL);
    }
    assert_ptr_equal(seen.thread[0], PsGetCurrentThread());
    assert_ptr_equal(seen.thread[1], PsGetCurrentThread());
}

static void close_comes_with_the_last_reference(void **state)
{
    PROVES("DEV-56", "DEV-59");
    HANDLE handle;
    PVOID file;
    IO_STATUS_BLOCK block;
    make_device();
    assert_int_equal(create_file(L"\\Device\\Test", FILE_OPEN, 0, &handle, &block), STATUS_SUCCESS);
    assert_int_equal(ObReferenceObjectByHandle(handle, FILE_READ_DATA, *IoFileObjectType,
                                               KernelMode, &file, NULL),
                     STATUS_SUCCESS);
    assert_ptr_equal(file, seen.file[0]);
    ZwClose(handle);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.major[1], IRP_MJ_CLEANUP);
    ObDereferenceObject(file);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.major[2], IRP_MJ_CLOSE);
}

static NTSTATUS serve_and_tell(PDEVICE_OBJECT device, PIRP irp)
{
    bool is_close = IoGetCurrentIrpStackLocation(irp)->MajorFunction == IRP_MJ_CLOSE;
    NTSTATUS status = serve(device, irp);
    if (is_close) {
        KeSetEvent(node_of(device)->context, IO_NO_INCREMENT, FALSE);
    }
    return status;
}

static void close_is_sent_at_passive_level_even_if_dereferenced_above(void **state)
{
    PROVES("DEV-59");
    HANDLE handle;
    PVOID file;
    KEVENT closed;
    IO_STATUS_BLOCK block;
    PDEVICE_OBJECT device = make_device();
    KeInitializeEvent(&closed, NotificationEvent, FALSE);
    node_of(device)->dispatch = serve_and_tell;
    node_of(device)->context = &closed;
    assert_int_equal(create_file(L"\\Device\\Test", FILE_OPEN, 0, &handle, &block), STATUS_SUCCESS);
    ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &file, NULL);
    ZwClose(handle);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    ObDereferenceObject(file);
    KeLowerIrql(old);
    wait_object(&closed);
    assert_int_equal(seen.major[2], IRP_MJ_CLOSE);
    assert_int_equal(seen.irql[2], PASSIVE_LEVEL);
}

static void a_refused_open_gives_nothing(void **state)
{
    PROVES("DEV-55");
    HANDLE handle = NULL;
    IO_STATUS_BLOCK block;
    PDEVICE_OBJECT device = make_device();
    seen.create_status = STATUS_ACCESS_DENIED;
    assert_int_equal(create_file(L"\\Device\\Test", FILE_OPEN, 0, &handle, &block),
                     STATUS_ACCESS_DENIED);
    assert_int_equal(seen.count, 1);
    assert_int_equal(device->ReferenceCount, 0);
}

static void what_follows_the_name_is_the_files_name(void **state)
{
    PROVES("DEV-50");
    static const WCHAR expected[] = L"\\sub\\file";
    HANDLE handle;
    IO_STATUS_BLOCK block;
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\TestLink");
    UNICODE_STRING target = RTL_CONSTANT_STRING(L"\\Device\\Test");
    make_device();
    assert_int_equal(IoCreateSymbolicLink(&link, &target), STATUS_SUCCESS);
    assert_int_equal(create_file(L"\\??\\TestLink\\sub\\file", FILE_OPEN, 0, &handle, &block),
                     STATUS_SUCCESS);
    assert_int_equal(seen.name_bytes, sizeof(expected) - sizeof(WCHAR));
    assert_memory_equal(seen.name, expected, seen.name_bytes);
    ZwClose(handle);
    IoDeleteSymbolicLink(&link);
}

static void names_that_are_no_devices_are_refused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE handle;
    IO_STATUS_BLOCK block;
    make_device();
    assert_int_equal(create_file(L"\\Device\\Other", FILE_OPEN, 0, &handle, &block),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_false(NT_SUCCESS(create_file(L"\\??\\C:\\log.txt", FILE_OPEN, 0, &handle, &block)));
    assert_int_equal(create_file(L"\\Driver\\test", FILE_OPEN, 0, &handle, &block),
                     STATUS_OBJECT_TYPE_MISMATCH);
}

static void an_exclusive_device_is_opened_once(void **state)
{
    PROVES("DEV-51");
    HANDLE first;
    HANDLE second;
    IO_STATUS_BLOCK block;
    PDEVICE_OBJECT device = make_device();
    device->Flags |= DO_EXCLUSIVE;
    assert_int_equal(create_file(L"\\Device\\Test", FILE_OPEN, 0, &first, &block), STATUS_SUCCESS);
    assert_int_equal(create_file(L"\\Device\\Test", FILE_OPEN, 0, &second, &block),
                     STATUS_ACCESS_DENIED);
    assert_int_equal(create_file(L"\\Device\\Test\\more", FILE_OPEN, 0, &second, &block),
                     STATUS_ACCESS_DENIED);
    ZwClose(first);
    assert_int_equal(create_file(L"\\Device\\Test", FILE_OPEN, 0, &first, &block), STATUS_SUCCESS);
    ZwClose(first);
}

static void a_file_is_opened_relative_to_another(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE root;
    HANDLE handle;
    IO_STATUS_BLOCK block;
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"part");
    make_device();
    assert_int_equal(create_file(L"\\Device\\Test", FILE_OPEN, 0, &root, &block), STATUS_SUCCESS);
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, root, NULL);
    assert_int_equal(ZwOpenFile(&handle, GENERIC_READ, &attributes, &block, 0, 0), STATUS_SUCCESS);
    assert_int_equal(seen.name_bytes, name.Length);
    ZwClose(handle);
    ZwClose(root);
}

/* ---- for other drivers ---- */

static void a_device_pointer_comes_with_its_file(void **state)
{
    PROVES("DEV-43");
    PFILE_OBJECT file;
    PDEVICE_OBJECT found;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Test");
    PDEVICE_OBJECT bottom = make_device();
    PDEVICE_OBJECT top = add_device_above(bottom->DriverObject, bottom, serve, NULL);
    assert_int_equal(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &found),
                     STATUS_SUCCESS);
    assert_ptr_equal(found, top);
    assert_ptr_equal(file->DeviceObject, bottom);
    assert_ptr_equal(IoGetRelatedDeviceObject(file), top);
    assert_int_equal(seen.count, 2); /* opened, and its only handle closed */
    assert_int_equal(seen.major[1], IRP_MJ_CLEANUP);
    ObDereferenceObject(file);
    assert_int_equal(seen.major[2], IRP_MJ_CLOSE);
}

static void a_device_pointer_needs_a_devices_name(void **state)
{
    PROVES("DEV-43");
    PFILE_OBJECT file;
    PDEVICE_OBJECT found;
    UNICODE_STRING driver = RTL_CONSTANT_STRING(L"\\Driver\\test");
    UNICODE_STRING missing = RTL_CONSTANT_STRING(L"\\Device\\Missing");
    UNICODE_STRING empty = {.Length = 0};
    make_device();
    assert_int_equal(IoGetDeviceObjectPointer(&driver, 0, &file, &found),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(IoGetDeviceObjectPointer(&missing, 0, &file, &found),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoGetDeviceObjectPointer(&empty, 0, &file, &found),
                     STATUS_OBJECT_NAME_INVALID);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_open_and_a_close_send_three_requests),
    kernel_test(close_comes_with_the_last_reference),
    kernel_test(close_is_sent_at_passive_level_even_if_dereferenced_above),
    kernel_test(a_refused_open_gives_nothing),
    kernel_test(what_follows_the_name_is_the_files_name),
    kernel_test(names_that_are_no_devices_are_refused),
    kernel_test(an_exclusive_device_is_opened_once),
    kernel_test(a_file_is_opened_relative_to_another),
    kernel_test(a_device_pointer_comes_with_its_file),
    kernel_test(a_device_pointer_needs_a_devices_name),
};

TEST_MAIN(tests)
