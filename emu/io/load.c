/*
 * Loading and unloading drivers.
 *
 * A load starts from the image's initial data: the loader keeps a copy of the writable data of
 * every image, taken before its first load, and puts it back before each further one.
 *
 * An unload waits for its turn: while a device of the driver is open or has another attached on
 * top, it is pending, the devices admit nobody, and whoever takes the last use away runs it. After
 * the unload routine the driver object stays until the work items and completion routines that pin
 * it have returned.
 */
#include "base/local.h"
#include "base/log.h"
#include "io/container.h"
#include "io/device.h"
#include "io/driver.h"
#include "io/image.h"
#include "io/io.h"
#include "io/unload.h"
#include "ke/callback.h"
#include "ke/limit.h"
#include "verifier/rule.h"
#include "ke/patience.h"
#include "ke/warning.h"
#include "ob/name.h"
#include "ob/object.h"
#include "trace/trace.h"

#include <wskemu/wskemu.h>

#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

/* The string that DriverEntry gets is there to be read. (DEV-05) */
static void check_path(const struct io_driver *driver, const UNICODE_STRING *after,
                       const WCHAR *buffer)
{
    UNICODE_STRING expected;
    WCHAR path[160];
    io_driver_make_name(&expected, path, RTL_NUMBER_OF(path), SERVICES, driver->image->name);
    bool is_same = after->Buffer == buffer && after->Length == expected.Length &&
                   after->MaximumLength == expected.MaximumLength &&
                   RtlCompareMemory(buffer, path, expected.MaximumLength) == expected.MaximumLength;
    if (!is_same) {
        ke_warning("DEV-05", "DriverEntry of %s changed its RegistryPath, which is read-only",
                   driver->image->name);
    }
}

/* What DriverEntry sets in its driver object is documented. (DEV-06) */
static void check_members(const struct io_driver *driver, const DRIVER_OBJECT *before)
{
    const DRIVER_OBJECT *after = &driver->object;
    bool is_same = after->Type == before->Type && after->Size == before->Size &&
                   after->DriverStart == before->DriverStart &&
                   after->DriverSize == before->DriverSize &&
                   after->DriverSection == before->DriverSection &&
                   after->DriverExtension == before->DriverExtension &&
                   after->DriverName.Buffer == before->DriverName.Buffer &&
                   after->DriverInit == before->DriverInit;
    if (!is_same) {
        ke_warning("DEV-06",
                   "DriverEntry of %s changed a member of its driver object that is not for "
                   "drivers",
                   driver->image->name);
    }
}

bool io_driver_is_entering(void)
{
    return atomic_load(&io_state()->drivers.entering) == ke_current();
}

static NTSTATUS call_entry(struct io_driver *driver)
{
    struct ke_callback callback;
    UNICODE_STRING registry_path;
    WCHAR path[160];
    io_driver_make_name(&registry_path, path, RTL_NUMBER_OF(path), SERVICES, driver->image->name);
    ke_callback_enter(&callback, KE_CALLBACK_ENTRY, (void *)(ULONG_PTR)driver->image->entry);
    const DRIVER_OBJECT before = driver->object;
    atomic_store(&io_state()->drivers.entering, ke_current());
    NTSTATUS status = driver->image->entry(&driver->object, &registry_path);
    atomic_store(&io_state()->drivers.entering, NULL);
    ke_callback_leave_with(&callback, status);
    check_path(driver, &registry_path, path);
    check_members(driver, &before);
    RtlZeroMemory(path, sizeof(path)); /* a driver that kept the pointer shall see it (DEV-04) */
    return status;
}

/* The devices that DriverEntry made may be opened now. (DEV-29) */
static void finish_devices(PDRIVER_OBJECT object)
{
    io_drivers_lock();
    for (PDEVICE_OBJECT device = object->DeviceObject; device != NULL;
         device = device->NextDevice) {
        device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    }
    io_drivers_unlock();
}

static void insert(struct io_driver *driver)
{
    ke_code_add(&driver->code);
    io_drivers_lock();
    InsertHeadList(&io_state()->drivers.loaded, &driver->link);
    io_drivers_unlock();
}

/* Deletes and names the devices that a driver that goes left behind. */
static void check_devices(struct io_driver *driver, const char *rule, const char *how)
{
    while (driver->object.DeviceObject != NULL) {
        PDEVICE_OBJECT device = driver->object.DeviceObject;
        verifier_rule_speak(rule);
        base_log("left: device %p of driver %s, which %s (%s)\n", (void *)device,
                 driver->image->name, how, rule);
        io_state()->drivers.devices_left++;
        io_device_detach(device);
        IoDeleteDevice(device);
    }
}

static BASE_THREAD_LOCAL bool is_of_failed;

bool io_unload_is_of_failed(void)
{
    return is_of_failed;
}

static void remove_driver(struct io_driver *driver, const char *rule, const char *how)
{
    check_devices(driver, rule, how);
    io_driver_wait_for_pins(driver);
    io_unload_check(driver);
    ke_code_remove(&driver->code);
    io_drivers_lock();
    RemoveEntryList(&driver->link);
    io_drivers_unlock();
    trace_driver_unload(&driver->object, driver->image->name);
    ob_name_remove(driver);
    ob_dereference(driver);
}

NTSTATUS wskemu_load_driver(const struct wskemu_driver_image *image, PDRIVER_OBJECT *out)
{
    *out = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    struct io_driver *driver = io_driver_create(image);
    if (driver == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS status = ob_name_insert(&driver->object.DriverName, driver);
    if (NT_SUCCESS(status) && !io_image_restore(image)) {
        status = STATUS_INSUFFICIENT_RESOURCES;
    }
    if (NT_SUCCESS(status)) {
        status = ob_registry_add_service(image->name);
    }
    if (!NT_SUCCESS(status)) {
        ob_dereference(driver);
        return status;
    }
    insert(driver);
    trace_driver_load(&driver->object, image->name, image->text_begin, image->text_end);
    status = call_entry(driver);
    if (!NT_SUCCESS(status)) {
        io_container_check_driver(&driver->object, "SESS-75", "failed to load");
        is_of_failed = true;
        remove_driver(driver, "DEV-03", "failed to load");
        return status;
    }
    finish_devices(&driver->object);
    io_reinitialize(driver);
    *out = &driver->object;
    return status;
}

/* ---- unloading ---- */

/* Whether a device of the driver is open or lies below another driver's. The lock is held. */
static bool is_used(const struct io_driver *driver)
{
    for (PDEVICE_OBJECT device = driver->object.DeviceObject; device != NULL;
         device = device->NextDevice) {
        PDEVICE_OBJECT above = device->AttachedDevice;
        if (device->ReferenceCount != 0 ||
            (above != NULL && above->DriverObject != &driver->object)) {
            return true;
        }
    }
    return false;
}

static void call_unload(struct io_driver *driver)
{
    struct ke_callback callback;
    PDRIVER_UNLOAD unload = driver->object.DriverUnload;
    ke_callback_enter(&callback, KE_CALLBACK_UNLOAD, (void *)(ULONG_PTR)unload);
    struct ke_reason reason = {
        .what = "the unload routine", .object = &driver->object, .kind = KE_REASON_END};
    ke_reason_begin(&reason);
    unload(&driver->object);
    ke_reason_end(&reason);
    ke_callback_leave(&callback);
    io_container_check_driver(&driver->object, "SESS-74", "was unloaded");
    KeFlushQueuedDpcs(); /* TIMER-13 */
    is_of_failed = false;
    remove_driver(driver, "DEV-19", "was unloaded");
}

/* Decides who runs a pending unload: at most one caller gets TRUE. */
static bool claim_unload(struct io_driver *driver)
{
    io_drivers_lock();
    bool is_mine = driver->is_unload_pending && !driver->is_unloading && !is_used(driver);
    if (is_mine) {
        driver->is_unloading = true;
    }
    io_drivers_unlock();
    return is_mine;
}

void io_driver_unused(PDRIVER_OBJECT object)
{
    struct io_driver *driver = io_driver_of(object);
    if (claim_unload(driver)) {
        call_unload(driver);
    }
}

/* Closes the driver's devices to newcomers; false if that was done before. (DEV-15) */
static bool mark_unload_pending(struct io_driver *driver)
{
    io_drivers_lock();
    bool is_first = !driver->is_unload_pending;
    driver->is_unload_pending = true;
    for (PDEVICE_OBJECT device = driver->object.DeviceObject; device != NULL;
         device = device->NextDevice) {
        device->DeviceObjectExtension->ExtensionFlags |= IO_DEVICE_UNLOAD_PENDING;
    }
    io_drivers_unlock();
    return is_first;
}

NTSTATUS wskemu_unload_driver(PDRIVER_OBJECT object)
{
    struct io_driver *driver = io_driver_of(object);
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (object->DriverUnload == NULL || !mark_unload_pending(driver)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (!claim_unload(driver)) {
        return STATUS_PENDING;
    }
    call_unload(driver);
    return STATUS_SUCCESS;
}

/* The newest driver that can still be unloaded. */
static struct io_driver *next_to_unload(void)
{
    struct io_drivers *drivers = &io_state()->drivers;
    struct io_driver *found = NULL;
    io_drivers_lock();
    for (LIST_ENTRY *entry = drivers->loaded.Flink; entry != &drivers->loaded && found == NULL;
         entry = entry->Flink) {
        struct io_driver *driver = CONTAINING_RECORD(entry, struct io_driver, link);
        if (!driver->is_unload_pending && driver->object.DriverUnload != NULL) {
            found = driver;
        }
    }
    io_drivers_unlock();
    return found;
}

void io_unload_all(void)
{
    io_shutdowns_send();
    for (struct io_driver *driver = next_to_unload(); driver != NULL; driver = next_to_unload()) {
        wskemu_unload_driver(&driver->object);
    }
}
