/* Loading, keeping and unloading drivers. */
#include "io_driver.h"

#include <string.h>

/* What the driver's routines saw; the test reads and the entry fills it. */
static struct {
    LONG entries;
    LONG unloads;
    KIRQL entry_irql;
    KIRQL unload_irql;
    PEPROCESS process;
    PVOID init;
    PVOID unload;
    PVOID start_io;
    PDRIVER_DISPATCH first_major;
    BOOLEAN are_majors_equal;
    WCHAR path[128];
    PUNICODE_STRING path_string;
    WCHAR *path_buffer;
    NTSTATUS answer;
    BOOLEAN keeps_devices;
} seen;

static VOID note_unload(PDRIVER_OBJECT driver)
{
    seen.unloads++;
    seen.unload_irql = KeGetCurrentIrql();
    while (driver->DeviceObject != NULL) {
        IoDeleteDevice(driver->DeviceObject);
    }
}

static void note_driver(PDRIVER_OBJECT driver)
{
    seen.init = (PVOID)(ULONG_PTR)driver->DriverInit;
    seen.unload = (PVOID)(ULONG_PTR)driver->DriverUnload;
    seen.start_io = (PVOID)(ULONG_PTR)driver->DriverStartIo;
    seen.first_major = driver->MajorFunction[0];
    seen.are_majors_equal = TRUE;
    for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        seen.are_majors_equal &= driver->MajorFunction[i] == seen.first_major;
    }
}

static int note_entry(void *object, void *registry_path)
{
    PDRIVER_OBJECT driver = object;
    PUNICODE_STRING path = registry_path;
    PDEVICE_OBJECT device;
    seen.entries++;
    seen.entry_irql = KeGetCurrentIrql();
    seen.process = PsGetCurrentProcess();
    note_driver(driver);
    seen.path_buffer = path->Buffer;
    RtlCopyMemory(seen.path, path->Buffer, path->Length);
    driver->DriverUnload = note_unload;
    if (seen.keeps_devices) {
        IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    }
    return seen.answer;
}

static NTSTATUS load(PDRIVER_OBJECT *driver)
{
    static struct wskemu_driver_image image = {.name = "noted", .entry = note_entry};
    return wskemu_load_driver(&image, driver);
}

static void start_over(void)
{
    RtlZeroMemory(&seen, sizeof(seen));
}

static void the_entry_is_called_first_at_passive_level(void **state)
{
    PROVES("DEV-01", "DEV-12");
    PDRIVER_OBJECT driver;
    start_over();
    assert_int_equal(load(&driver), STATUS_SUCCESS);
    assert_int_equal(seen.entries, 1);
    assert_int_equal(seen.entry_irql, PASSIVE_LEVEL);
    assert_ptr_equal(seen.process, PsInitialSystemProcess);
    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
    assert_int_equal(seen.unloads, 1);
    assert_int_equal(seen.unload_irql, PASSIVE_LEVEL);
}

static void a_failing_entry_fails_the_load(void **state)
{
    PROVES("DEV-02");
    STAYS_SILENT("DEV-03");
    PDRIVER_OBJECT driver;
    start_over();
    seen.answer = STATUS_UNSUCCESSFUL;
    assert_int_equal(load(&driver), STATUS_UNSUCCESSFUL);
    assert_null(driver);
    assert_int_equal(seen.unloads, 0);
    seen.answer = STATUS_OBJECT_NAME_EXISTS;
    assert_int_equal(load(&driver), STATUS_OBJECT_NAME_EXISTS);
    assert_non_null(driver);
    wskemu_unload_driver(driver);
    assert_int_equal(seen.unloads, 1);
}

static void the_registry_path_names_the_service(void **state)
{
    PROVES("DEV-04");
    static const WCHAR expected[] =
        L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\noted";
    PDRIVER_OBJECT driver;
    start_over();
    assert_int_equal(load(&driver), STATUS_SUCCESS);
    assert_memory_equal(seen.path, expected, sizeof(expected));
    wskemu_unload_driver(driver);
}

static void majors_start_as_one_system_routine(void **state)
{
    PROVES("DEV-07", "DEV-08");
    PDRIVER_OBJECT driver;
    start_over();
    assert_int_equal(load(&driver), STATUS_SUCCESS);
    assert_int_equal(RTL_NUMBER_OF(driver->MajorFunction), 28);
    assert_non_null(seen.first_major);
    assert_true(seen.are_majors_equal);
    assert_ptr_equal(seen.init, note_entry);
    assert_null(seen.unload);
    assert_null(seen.start_io);
    PDEVICE_OBJECT device;
    IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    PIRP irp = allocate_for(device, IRP_MJ_READ, NULL);
    assert_int_equal(IoCallDriver(device, irp), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(irp->IoStatus.Status, STATUS_INVALID_DEVICE_REQUEST);
    IoFreeIrp(irp);
}

static void an_extension_belongs_to_an_id(void **state)
{
    PROVES("DEV-09", "DEV-10");
    PVOID first;
    PVOID second;
    int ids[2];
    PDRIVER_OBJECT driver = load_plain();
    assert_null(IoGetDriverObjectExtension(driver, &ids[0]));
    assert_int_equal(IoAllocateDriverObjectExtension(driver, &ids[0], 64, &first), STATUS_SUCCESS);
    RtlFillMemory(first, 64, 0xEE);
    assert_int_equal(IoAllocateDriverObjectExtension(driver, &ids[0], 64, &second),
                     STATUS_OBJECT_NAME_COLLISION);
    assert_null(second);
    assert_int_equal(IoAllocateDriverObjectExtension(driver, &ids[1], 64, &second), STATUS_SUCCESS);
    assert_ptr_equal(IoGetDriverObjectExtension(driver, &ids[0]), first);
    assert_ptr_equal(IoGetDriverObjectExtension(driver, &ids[1]), second);
}

static struct {
    LONG calls;
    ULONG counts[3];
} reinitialized;

static VOID reinitialize(PDRIVER_OBJECT driver, PVOID context, ULONG count)
{
    reinitialized.counts[reinitialized.calls++] = count;
    if (reinitialized.calls < 2) {
        IoRegisterDriverReinitialization(driver, reinitialize, context);
    }
}

static int reinitializing_entry(void *object, void *registry_path)
{
    int status = plain_entry(object, registry_path);
    IoRegisterDriverReinitialization(object, reinitialize, NULL);
    return reinitialized.calls == 0 ? status : STATUS_UNSUCCESSFUL;
}

static void reinitialization_comes_after_a_good_entry(void **state)
{
    PROVES("DEV-11");
    RtlZeroMemory(&reinitialized, sizeof(reinitialized));
    PDRIVER_OBJECT driver = load_entry(reinitializing_entry);
    assert_int_equal(reinitialized.calls, 2);
    assert_int_equal(reinitialized.counts[0], 1);
    assert_int_equal(reinitialized.counts[1], 2);
    wskemu_unload_driver(driver);
}

static void without_an_unload_routine_a_driver_stays(void **state)
{
    PROVES("DEV-13", "NMR-57");
    PDRIVER_OBJECT driver = load_plain();
    driver->DriverUnload = NULL;
    assert_int_equal(wskemu_unload_driver(driver), STATUS_INVALID_DEVICE_REQUEST);
    driver->DriverUnload = unload_devices;
    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
}

static LONG late_unloads;

static VOID count_unload(PDRIVER_OBJECT driver)
{
    late_unloads++;
    unload_devices(driver);
}

static void an_unload_waits_for_the_last_close(void **state)
{
    PROVES("DEV-15", "DEV-16");
    HANDLE handle;
    HANDLE second;
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT device = add_device(driver, L"\\Device\\Test", NULL, NULL);
    late_unloads = 0;
    driver->DriverUnload = count_unload;
    assert_int_equal(open_device(L"\\Device\\Test", FILE_READ_DATA, 0, &handle), STATUS_SUCCESS);
    assert_int_equal(device->ReferenceCount, 1);
    assert_int_equal(wskemu_unload_driver(driver), STATUS_PENDING);
    assert_int_equal(late_unloads, 0);
    assert_int_equal(open_device(L"\\Device\\Test", FILE_READ_DATA, 0, &second),
                     STATUS_NO_SUCH_DEVICE);
    assert_int_equal(wskemu_unload_driver(driver), STATUS_INVALID_DEVICE_REQUEST);
    ZwClose(handle);
    assert_int_equal(late_unloads, 1);
}

static void an_unload_waits_for_the_device_above(void **state)
{
    PROVES("DEV-15", "DEV-16");
    static struct wskemu_driver_image upper_image = {.name = "upper", .entry = plain_entry};
    PDRIVER_OBJECT upper;
    PDRIVER_OBJECT lower = load_plain();
    PDEVICE_OBJECT bottom = add_device(lower, NULL, NULL, NULL);
    PDEVICE_OBJECT other = add_device(lower, NULL, NULL, NULL);
    late_unloads = 0;
    lower->DriverUnload = count_unload;
    assert_int_equal(wskemu_load_driver(&upper_image, &upper), STATUS_SUCCESS);
    add_device_above(upper, bottom, NULL, NULL);
    PDEVICE_OBJECT late = add_device(upper, NULL, NULL, NULL);
    assert_int_equal(wskemu_unload_driver(lower), STATUS_PENDING);
    assert_int_equal(late_unloads, 0);
    assert_null(IoAttachDeviceToDeviceStack(late, other));
    assert_int_equal(wskemu_unload_driver(upper), STATUS_SUCCESS);
    assert_int_equal(late_unloads, 1);
}

static int devices_entry(void *object, void *registry_path)
{
    int status = plain_entry(object, registry_path);
    PDEVICE_OBJECT device;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Early");
    IoCreateDevice(object, sizeof(struct node), &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    return status;
}

static void devices_of_the_entry_are_ready_and_later_ones_are_not(void **state)
{
    PROVES("DEV-29");
    HANDLE handle;
    PDEVICE_OBJECT device;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Late");
    PDRIVER_OBJECT driver = load_entry(devices_entry);
    assert_int_equal(driver->DeviceObject->Flags & DO_DEVICE_INITIALIZING, 0);
    assert_int_equal(open_device(L"\\Device\\Early", FILE_READ_DATA, 0, &handle), STATUS_SUCCESS);
    ZwClose(handle);
    IoCreateDevice(driver, sizeof(struct node), &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    assert_int_equal(open_device(L"\\Device\\Late", FILE_READ_DATA, 0, &handle),
                     STATUS_NO_SUCH_DEVICE);
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    assert_int_equal(open_device(L"\\Device\\Late", FILE_READ_DATA, 0, &handle), STATUS_SUCCESS);
    ZwClose(handle);
}

/* Two requests that wait for each other inside the driver. */
struct meeting {
    KEVENT here[2];
    PDEVICE_OBJECT device;
};

static NTSTATUS meet(PDEVICE_OBJECT device, PIRP irp)
{
    struct meeting *meeting = node_of(device)->context;
    ULONG_PTR self = IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length;
    KeSetEvent(&meeting->here[self], IO_NO_INCREMENT, FALSE);
    wait_object(&meeting->here[1 - self]);
    return complete(irp, STATUS_SUCCESS, 0);
}

static void send_to_meeting(struct meeting *meeting, ULONG self)
{
    PIRP irp = allocate_for(meeting->device, IRP_MJ_READ, NULL);
    IoGetNextIrpStackLocation(irp)->Parameters.Read.Length = self;
    IoCallDriver(meeting->device, irp);
    IoFreeIrp(irp);
}

static VOID send_in_thread(PVOID context)
{
    send_to_meeting(context, 1);
}

static void a_driver_is_called_from_several_threads_at_once(void **state)
{
    PROVES("DEV-22");
    struct meeting meeting;
    for (int i = 0; i < 2; i++) {
        KeInitializeEvent(&meeting.here[i], NotificationEvent, FALSE);
    }
    meeting.device = add_device(load_plain(), NULL, meet, &meeting);
    PKTHREAD thread = start_thread(send_in_thread, &meeting);
    send_to_meeting(&meeting, 0);
    join_thread(thread);
}

static char text_of_log[512];

static void keep_log(void *context, const char *text, size_t length)
{
    size_t used = strlen(text_of_log);
    UNREFERENCED_PARAMETER(context);
    if (used + length < sizeof(text_of_log)) {
        memcpy(text_of_log + used, text, length);
        text_of_log[used + length] = '\0';
    }
}

static void devices_that_a_failed_load_leaves_are_reported(void **state)
{
    PROVES("DEV-03");
    PDRIVER_OBJECT driver;
    start_over();
    seen.answer = STATUS_UNSUCCESSFUL;
    seen.keeps_devices = TRUE;
    text_of_log[0] = '\0';
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    wskemu_log_redirect(keep_log, NULL);
    assert_int_equal(load(&driver), STATUS_UNSUCCESSFUL);
    assert_int_equal(wskemu_shutdown(), 1);
    wskemu_log_redirect(NULL, NULL);
    assert_non_null(strstr(text_of_log, "of driver noted, which failed to load"));
}

static const struct CMUnitTest tests[] = {
    kernel_test(the_entry_is_called_first_at_passive_level),
    kernel_test(a_failing_entry_fails_the_load),
    kernel_test(the_registry_path_names_the_service),
    kernel_test(majors_start_as_one_system_routine),
    kernel_test(an_extension_belongs_to_an_id),
    kernel_test(reinitialization_comes_after_a_good_entry),
    kernel_test(without_an_unload_routine_a_driver_stays),
    kernel_test(an_unload_waits_for_the_last_close),
    kernel_test(an_unload_waits_for_the_device_above),
    kernel_test(devices_of_the_entry_are_ready_and_later_ones_are_not),
    kernel_test(a_driver_is_called_from_several_threads_at_once),
    cmocka_unit_test(devices_that_a_failed_load_leaves_are_reported),
};

TEST_MAIN(tests)
