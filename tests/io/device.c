/* Device objects, their stacks and their names. */
#include "bugcheck.h"
#include "io_driver.h"

#include <wdmsec.h>

static PDEVICE_OBJECT create(PDRIVER_OBJECT driver, ULONG extension_bytes, PCWSTR name,
                             BOOLEAN is_exclusive)
{
    PDEVICE_OBJECT device = NULL;
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, name);
    assert_int_equal(IoCreateDevice(driver, extension_bytes, &string, FILE_DEVICE_TRANSPORT,
                                    FILE_DEVICE_SECURE_OPEN, is_exclusive, &device),
                     STATUS_SUCCESS);
    return device;
}

static int empty_entry(void *object, void *registry_path)
{
    UNREFERENCED_PARAMETER(registry_path);
    ((PDRIVER_OBJECT)object)->DriverUnload = NULL;
    return STATUS_SUCCESS;
}

static VOID unload_nothing(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
}

/* A driver whose devices the test deletes itself. */
static PDRIVER_OBJECT load_bare(void)
{
    PDRIVER_OBJECT driver = load_entry(empty_entry);
    driver->DriverUnload = unload_nothing;
    return driver;
}

static void a_new_device_is_as_documented(void **state)
{
    PROVES("DEV-23", "DEV-24", "DEV-26", "DEV-27");
    PDRIVER_OBJECT driver = load_bare();
    PDEVICE_OBJECT device = create(driver, 100, L"\\Device\\Test", TRUE);
    const UCHAR *extension = device->DeviceExtension;
    assert_int_equal(device->Type, 3);
    assert_int_equal(device->StackSize, 1);
    assert_int_equal(device->ReferenceCount, 0);
    assert_ptr_equal(device->DriverObject, driver);
    assert_int_equal(device->DeviceType, FILE_DEVICE_TRANSPORT);
    assert_int_equal(device->Characteristics, FILE_DEVICE_SECURE_OPEN);
    assert_true((device->Flags & DO_DEVICE_INITIALIZING) != 0);
    assert_true((device->Flags & DO_EXCLUSIVE) != 0);
    assert_int_equal(device->AlignmentRequirement, 63);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(extension[i], 0);
    }
    IoDeleteDevice(device);
}

static void without_an_extension_there_is_none(void **state)
{
    PROVES("DEV-25");
    PDEVICE_OBJECT device = create(load_bare(), 0, NULL, FALSE);
    assert_null(device->DeviceExtension);
    assert_int_equal(device->Flags & DO_EXCLUSIVE, 0);
    IoDeleteDevice(device);
}

static void a_name_is_given_once(void **state)
{
    PROVES("DEV-23");
    PDEVICE_OBJECT second = (PDEVICE_OBJECT)(ULONG_PTR)1;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\device\\TEST");
    PDRIVER_OBJECT driver = load_bare();
    PDEVICE_OBJECT device = create(driver, 0, L"\\Device\\Test", FALSE);
    assert_int_equal(IoCreateDevice(driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &second),
                     STATUS_OBJECT_NAME_COLLISION);
    assert_null(second);
    assert_ptr_equal(driver->DeviceObject, device);
    IoDeleteDevice(device);
    device = create(driver, 0, L"\\Device\\Test", FALSE);
    IoDeleteDevice(device);
}

static void a_new_device_stands_in_front_of_the_list(void **state)
{
    PROVES("DEV-28", "DEV-36");
    PDRIVER_OBJECT driver = load_bare();
    PDEVICE_OBJECT devices[3];
    for (int i = 0; i < 3; i++) {
        devices[i] = create(driver, 0, NULL, FALSE);
        assert_ptr_equal(driver->DeviceObject, devices[i]);
    }
    assert_ptr_equal(devices[2]->NextDevice, devices[1]);
    IoDeleteDevice(devices[1]);
    assert_ptr_equal(devices[2]->NextDevice, devices[0]);
    IoDeleteDevice(devices[2]);
    assert_ptr_equal(driver->DeviceObject, devices[0]);
    IoDeleteDevice(devices[0]);
    assert_null(driver->DeviceObject);
}

static void a_deleted_device_lives_while_it_is_referenced(void **state)
{
    PROVES("DEV-36");
    PDEVICE_OBJECT device = create(load_bare(), 16, L"\\Device\\Test", FALSE);
    ObReferenceObject(device);
    IoDeleteDevice(device);
    assert_int_equal(device->Type, IO_TYPE_DEVICE);
    ObDereferenceObject(device);
}

static void flags_are_windows(void **state)
{
    PROVES("DEV-35");
    assert_int_equal(DO_BUFFERED_IO, 0x4);
    assert_int_equal(DO_EXCLUSIVE, 0x8);
    assert_int_equal(DO_DIRECT_IO, 0x10);
    assert_int_equal(DO_DEVICE_INITIALIZING, 0x80);
    assert_int_equal(DO_SHUTDOWN_REGISTERED, 0x800);
    assert_int_equal(DO_POWER_PAGABLE, 0x2000);
}

static void attaching_builds_a_stack(void **state)
{
    PROVES("DEV-41");
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT bottom = add_device(driver, NULL, NULL, NULL);
    PDEVICE_OBJECT middle = add_device(driver, NULL, NULL, NULL);
    PDEVICE_OBJECT top = add_device(driver, NULL, NULL, NULL);
    bottom->AlignmentRequirement = FILE_LONG_ALIGNMENT;
    assert_ptr_equal(IoAttachDeviceToDeviceStack(middle, bottom), bottom);
    node_of(middle)->lower = bottom;
    assert_ptr_equal(IoAttachDeviceToDeviceStack(top, bottom), middle);
    node_of(top)->lower = middle;
    assert_int_equal(middle->StackSize, 2);
    assert_int_equal(top->StackSize, 3);
    assert_int_equal(top->AlignmentRequirement, FILE_LONG_ALIGNMENT);
    assert_ptr_equal(bottom->AttachedDevice, middle);
    assert_ptr_equal(IoGetAttachedDevice(bottom), top);
    PDEVICE_OBJECT referenced = IoGetAttachedDeviceReference(bottom);
    assert_ptr_equal(referenced, top);
    ObDereferenceObject(referenced);
}

static void a_device_that_is_not_ready_takes_no_attachment(void **state)
{
    PROVES("DEV-41");
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT below = (PDEVICE_OBJECT)(ULONG_PTR)1;
    PDEVICE_OBJECT bottom = add_device(driver, NULL, NULL, NULL);
    PDEVICE_OBJECT top = add_device(driver, NULL, NULL, NULL);
    bottom->Flags |= DO_DEVICE_INITIALIZING;
    assert_null(IoAttachDeviceToDeviceStack(top, bottom));
    assert_int_equal(IoAttachDeviceToDeviceStackSafe(top, bottom, &below), STATUS_NO_SUCH_DEVICE);
    assert_null(below);
}

static void a_secure_device_needs_its_descriptor(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const GUID class_id = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
    PDEVICE_OBJECT device = NULL;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Test");
    PDRIVER_OBJECT driver = load_bare();
    assert_int_equal(IoCreateDeviceSecure(driver, 8, &name, FILE_DEVICE_UNKNOWN,
                                          FILE_DEVICE_SECURE_OPEN, FALSE,
                                          &SDDL_DEVOBJ_SYS_ALL_ADM_ALL, &class_id, &device),
                     STATUS_SUCCESS);
    IoDeleteDevice(device);
    assert_int_equal(IoCreateDeviceSecure(driver, 8, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, NULL,
                                          &class_id, &device),
                     STATUS_INVALID_PARAMETER);
}

/* ---- links ---- */

static void a_link_leads_to_its_device(void **state)
{
    PROVES("DEV-46", "DEV-47", "DEV-49");
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\TestLink");
    UNICODE_STRING same = RTL_CONSTANT_STRING(L"\\??\\testlink");
    UNICODE_STRING target = RTL_CONSTANT_STRING(L"\\Device\\Test");
    HANDLE handle;
    add_device(load_plain(), L"\\Device\\Test", NULL, NULL);
    assert_int_equal(IoCreateSymbolicLink(&link, &target), STATUS_SUCCESS);
    assert_int_equal(IoCreateSymbolicLink(&link, &target), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(IoCreateSymbolicLink(&same, &target), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(open_device(L"\\??\\TestLink", FILE_READ_DATA, 0, &handle), STATUS_SUCCESS);
    ZwClose(handle);
    assert_int_equal(IoDeleteSymbolicLink(&link), STATUS_SUCCESS);
    assert_int_equal(IoDeleteSymbolicLink(&link), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(open_device(L"\\??\\TestLink", FILE_READ_DATA, 0, &handle),
                     STATUS_OBJECT_NAME_NOT_FOUND);
}

/* ---- shutdown ---- */

static LONG shutdowns;

static NTSTATUS count_shutdowns(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    shutdowns += IoGetCurrentIrpStackLocation(irp)->MajorFunction == IRP_MJ_SHUTDOWN;
    return complete(irp, STATUS_SUCCESS, 0);
}

static void shutdown_is_told_to_those_that_asked(void **state)
{
    PROVES("DEV-45");
    shutdowns = 0;
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT first = add_device(driver, NULL, count_shutdowns, NULL);
    PDEVICE_OBJECT second = add_device(driver, NULL, count_shutdowns, NULL);
    add_device(driver, NULL, count_shutdowns, NULL);
    assert_int_equal(IoRegisterShutdownNotification(first), STATUS_SUCCESS);
    assert_true((first->Flags & DO_SHUTDOWN_REGISTERED) != 0);
    assert_int_equal(IoRegisterLastChanceShutdownNotification(second), STATUS_SUCCESS);
    assert_int_equal(wskemu_shutdown(), 0);
    assert_int_equal(shutdowns, 2);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    first = add_device(load_plain(), NULL, count_shutdowns, NULL);
    assert_int_equal(IoRegisterShutdownNotification(first), STATUS_SUCCESS);
    IoUnregisterShutdownNotification(first);
    assert_int_equal(first->Flags & DO_SHUTDOWN_REGISTERED, 0);
    assert_int_equal(wskemu_shutdown(), 0);
    assert_int_equal(shutdowns, 2);
}

/* ---- a device's whole life ---- */

static void a_device_that_is_detached_and_deleted_once_is_fine(void **state)
{
    STAYS_SILENT("DEV-33", "DEV-37", "DEV-39", "DEV-42", "DV-40", "DV-41");
    HANDLE handle;
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT bottom = add_device(driver, L"\\Device\\Test", NULL, NULL);
    bottom->Flags |= DO_BUFFERED_IO;
    PDEVICE_OBJECT top = add_device_above(driver, bottom, NULL, NULL);
    top->Flags |= DO_BUFFERED_IO;
    NTSTATUS status = open_device(L"\\Device\\Test", FILE_READ_DATA, 0, &handle);
    assert_int_equal(status, STATUS_SUCCESS);
    ZwClose(handle);
    IoDetachDevice(bottom);
    IoDeleteDevice(top);
    IoDeleteDevice(bottom);
}

/* ---- what must be caught ---- */

static void delete_twice(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT device = create(load_bare(), 0, NULL, FALSE);
    ObReferenceObject(device);
    IoDeleteDevice(device);
    IoDeleteDevice(device);
}

static void delete_attached(void *context)
{
    PDRIVER_OBJECT driver = load_plain();
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT bottom = add_device(driver, NULL, NULL, NULL);
    IoDeleteDevice(add_device_above(driver, bottom, NULL, NULL));
}

static void detach_twice(void *context)
{
    PDRIVER_OBJECT driver = load_plain();
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT bottom = add_device(driver, NULL, NULL, NULL);
    add_device_above(driver, bottom, NULL, NULL);
    IoDetachDevice(bottom);
    IoDetachDevice(bottom);
}

static void open_with_both_flags(void *context)
{
    HANDLE handle;
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT device = add_device(load_plain(), L"\\Device\\Test", NULL, NULL);
    device->Flags |= DO_BUFFERED_IO | DO_DIRECT_IO;
    open_device(L"\\Device\\Test", FILE_READ_DATA, 0, &handle);
}

static VOID tick(PDEVICE_OBJECT device, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
}

static void initialise_timer_twice(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT device = create(load_bare(), 0, NULL, FALSE);
    IoInitializeTimer(device, tick, NULL);
    IoInitializeTimer(device, tick, NULL);
}

static void misuse_of_a_device_is_caught(void **state)
{
    PROVES("DEV-33", "DEV-37", "DEV-39", "DEV-42");
    ULONG code = DRIVER_VERIFIER_IOMANAGER_VIOLATION;
    expect_bugcheck(delete_twice, NULL, code, 0x240, "DEV-37");
    expect_bugcheck(delete_attached, NULL, code, 0x201, "DEV-39");
    expect_bugcheck(detach_twice, NULL, code, 0x202, "DEV-42");
    expect_bugcheck(open_with_both_flags, NULL, code, 0x245, "DEV-33");
    expect_bugcheck(initialise_timer_twice, NULL, code, 0xA, NULL);
}

static void a_device_may_leave_its_timer_running(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PDEVICE_OBJECT device = create(load_bare(), 0, NULL, FALSE);
    assert_int_equal(IoInitializeTimer(device, tick, NULL), STATUS_SUCCESS);
    IoStartTimer(device);
    IoStopTimer(device);
    IoStartTimer(device);
    IoDeleteDevice(device);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_new_device_is_as_documented),
    kernel_test(without_an_extension_there_is_none),
    kernel_test(a_name_is_given_once),
    kernel_test(a_new_device_stands_in_front_of_the_list),
    kernel_test(a_deleted_device_lives_while_it_is_referenced),
    kernel_test(flags_are_windows),
    kernel_test(attaching_builds_a_stack),
    kernel_test(a_device_that_is_not_ready_takes_no_attachment),
    kernel_test(a_secure_device_needs_its_descriptor),
    kernel_test(a_link_leads_to_its_device),
    cmocka_unit_test(shutdown_is_told_to_those_that_asked),
    kernel_test(a_device_that_is_detached_and_deleted_once_is_fine),
    kernel_test(misuse_of_a_device_is_caught),
    kernel_test(a_device_may_leave_its_timer_running),
};

TEST_MAIN(tests)
