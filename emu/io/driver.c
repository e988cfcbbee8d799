/* Driver objects, and what keeps a driver loaded. */
#include "io/driver.h"

#include "base/log.h"
#include "io/io.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ob/object.h"
#include "verifier/rule.h"

#include <stdlib.h>

/* How long an unload waits for the driver's work items, in 100 ns. */
#define PINS_100NS_MAX (20LL * 1000 * 1000 * 10)

static struct _OBJECT_TYPE driver_type;
static POBJECT_TYPE driver_type_pointer = &driver_type;
POBJECT_TYPE *IoDriverObjectType = &driver_type_pointer;

/* A memory block that a driver keeps with its driver object. */
struct driver_extension {
    LIST_ENTRY link;
    PVOID id;
    _Alignas(16) UCHAR bytes[];
};

static void destroy(void *object)
{
    struct io_driver *driver = object;
    ke_code_remove(&driver->code); /* one that could not be unloaded */
    while (!IsListEmpty(&driver->extensions)) {
        free(CONTAINING_RECORD(RemoveHeadList(&driver->extensions), struct driver_extension, link));
    }
    io_reinitialize_forget(driver);
}

static struct _OBJECT_TYPE driver_type = {.name = "Driver", .destroy = destroy};

struct io_driver *io_driver_of(PDRIVER_OBJECT object)
{
    return CONTAINING_RECORD(object, struct io_driver, object);
}

/* What a major function is before the driver sets it. (DEV-07) */
static NTSTATUS refuse_request(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    Irp->IoStatus.Information = 0;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}

void io_driver_make_name(PUNICODE_STRING string, WCHAR *buffer, size_t characters,
                         const WCHAR *prefix, const char *name)
{
    size_t length = 0;
    while (prefix[length] != 0 && length + 1 < characters) {
        buffer[length] = prefix[length];
        length++;
    }
    for (size_t i = 0; name[i] != '\0' && length + 1 < characters; i++) {
        buffer[length++] = (WCHAR)(unsigned char)name[i];
    }
    buffer[length] = 0;
    string->Buffer = buffer;
    string->Length = (USHORT)(length * sizeof(WCHAR));
    string->MaximumLength = (USHORT)(string->Length + sizeof(WCHAR));
}

struct io_driver *io_driver_create(const struct wskemu_driver_image *image)
{
    struct io_driver *driver = ob_create(&driver_type, sizeof(*driver));
    if (driver == NULL) {
        return NULL;
    }
    DRIVER_OBJECT *object = &driver->object;
    object->Type = IO_TYPE_DRIVER;
    object->Size = sizeof(*object);
    object->DriverExtension = &driver->extension;
    driver->extension.DriverObject = object;
    object->DriverInit = (PDRIVER_INITIALIZE)(ULONG_PTR)image->entry;
    object->DriverStart = (PVOID)(ULONG_PTR)image->entry;
    io_driver_make_name(&object->DriverName, driver->name, RTL_NUMBER_OF(driver->name),
                        L"\\Driver\\", image->name);
    io_driver_make_name(&driver->extension.ServiceKeyName, driver->service_key,
                        RTL_NUMBER_OF(driver->service_key), L"", image->name);
    for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        object->MajorFunction[i] = refuse_request;
    }
    InitializeListHead(&driver->extensions);
    InitializeListHead(&driver->reinitializations);
    KeInitializeEvent(&driver->unpinned, NotificationEvent, TRUE);
    driver->image = image;
    driver->code = (struct ke_code){image->name, image->text_begin, image->text_end};
    return driver;
}

/* ---- pins ---- */

void io_driver_pin(PDRIVER_OBJECT object)
{
    struct io_driver *driver = io_driver_of(object);
    ob_reference(driver);
    io_drivers_lock();
    if (driver->pins++ == 0) {
        KeResetEvent(&driver->unpinned);
    }
    io_drivers_unlock();
}

void io_driver_unpin(PDRIVER_OBJECT object)
{
    struct io_driver *driver = io_driver_of(object);
    io_drivers_lock();
    if (--driver->pins == 0) {
        KeSetEvent(&driver->unpinned, IO_NO_INCREMENT, FALSE);
    }
    io_drivers_unlock();
    ob_dereference(driver);
}

void io_driver_wait_for_pins(struct io_driver *driver)
{
    LARGE_INTEGER timeout = {.QuadPart = -PINS_100NS_MAX};
    NTSTATUS status =
        KeWaitForSingleObject(&driver->unpinned, Executive, KernelMode, FALSE, &timeout);
    if (status == STATUS_TIMEOUT) {
        ke_bugcheck(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, 0, 0, 0, 0, "WORK-25",
                    "The driver %s was unloaded while %u of its work items or completion "
                    "routines were still to run.",
                    driver->image->name, driver->pins);
    }
}

unsigned io_drivers_report(struct io_drivers *drivers)
{
    unsigned left = drivers->devices_left;
    for (LIST_ENTRY *entry = drivers->loaded.Flink; entry != &drivers->loaded;
         entry = entry->Flink) {
        const struct io_driver *driver = CONTAINING_RECORD(entry, struct io_driver, link);
        if (driver->object.DriverUnload == NULL) {
            verifier_rule_speak("DEV-14");
        }
        base_log("left: driver %s, %s\n", driver->image->name,
                 driver->object.DriverUnload == NULL ? "which has no unload routine (DEV-14)"
                                                     : "whose devices are in use");
        left++;
    }
    return left;
}

void io_drivers_start(struct io_drivers *drivers)
{
    base_mutex_init(&drivers->lock);
    InitializeListHead(&drivers->loaded);
}

void io_drivers_stop(struct io_drivers *drivers)
{
    base_mutex_destroy(&drivers->lock);
}

/* ---- extensions ---- */

static PVOID find_extension(struct io_driver *driver, PVOID id)
{
    LIST_ENTRY *head = &driver->extensions;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct driver_extension *extension =
            CONTAINING_RECORD(entry, struct driver_extension, link);
        if (extension->id == id) {
            return extension->bytes;
        }
    }
    return NULL;
}

/*
 * Memory that lives as long as the driver object. STATUS_OBJECT_NAME_COLLISION for an id in use,
 * STATUS_INSUFFICIENT_RESOURCES. IRQL <= DISPATCH_LEVEL. (DEV-09)
 */
NTSTATUS IoAllocateDriverObjectExtension(PDRIVER_OBJECT DriverObject,
                                         PVOID ClientIdentificationAddress,
                                         ULONG DriverObjectExtensionSize,
                                         PVOID *DriverObjectExtension)
{
    struct io_driver *driver = io_driver_of(DriverObject);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    *DriverObjectExtension = NULL;
    struct driver_extension *extension = calloc(1, sizeof(*extension) + DriverObjectExtensionSize);
    if (extension == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    extension->id = ClientIdentificationAddress;
    io_drivers_lock();
    bool is_taken = find_extension(driver, ClientIdentificationAddress) != NULL;
    if (!is_taken) {
        InsertTailList(&driver->extensions, &extension->link);
    }
    io_drivers_unlock();
    if (is_taken) {
        free(extension);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    *DriverObjectExtension = extension->bytes;
    return STATUS_SUCCESS;
}

/* The memory of that id, or NULL. IRQL <= DISPATCH_LEVEL. (DEV-10) */
PVOID IoGetDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    io_drivers_lock();
    PVOID found = find_extension(io_driver_of(DriverObject), ClientIdentificationAddress);
    io_drivers_unlock();
    return found;
}
