#include "io/device.h"

#include "io/io.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ob/object.h"

#include <ntifs.h>

/* Device stacks: devices attached on top of others, also those of other drivers. */

/* The top of the stack. The lock is held. */
static PDEVICE_OBJECT top_of(PDEVICE_OBJECT device)
{
    while (device->AttachedDevice != NULL) {
        device = device->AttachedDevice;
    }
    return device;
}

PDEVICE_OBJECT io_device_top(PDEVICE_OBJECT device)
{
    io_drivers_lock();
    PDEVICE_OBJECT top = top_of(device);
    io_drivers_unlock();
    return top;
}

static bool admits_attachment(PDEVICE_OBJECT device)
{
    return device->DeviceObjectExtension->ExtensionFlags == 0 &&
           (device->Flags & DO_DEVICE_INITIALIZING) == 0;
}

/* Attaches and stores the device that is now below; returns it too, or NULL. */
static PDEVICE_OBJECT attach(PDEVICE_OBJECT source, PDEVICE_OBJECT target, PDEVICE_OBJECT *below)
{
    io_drivers_lock();
    PDEVICE_OBJECT lower = top_of(target);
    bool is_attached = admits_attachment(lower);
    if (is_attached) {
        *below = lower; /* before the first request can come */
        lower->AttachedDevice = source;
        source->DeviceObjectExtension->AttachedTo = lower;
        source->StackSize = (CCHAR)(lower->StackSize + 1);
        source->AlignmentRequirement = lower->AlignmentRequirement;
    }
    io_drivers_unlock();
    return is_attached ? lower : NULL;
}

/*
 * Puts SourceDevice on top of TargetDevice's stack and returns the device it now lies on, or NULL
 * if the target is going away. IRQL <= DISPATCH_LEVEL. (DEV-41)
 */
PDEVICE_OBJECT IoAttachDeviceToDeviceStack(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice)
{
    PDEVICE_OBJECT below;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return attach(SourceDevice, TargetDevice, &below);
}

/* The same, storing the device below before a request can arrive. STATUS_NO_SUCH_DEVICE. */
NTSTATUS IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice,
                                         PDEVICE_OBJECT *AttachedToDeviceObject)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    PDEVICE_OBJECT lower = attach(SourceDevice, TargetDevice, AttachedToDeviceObject);
    if (lower == NULL) {
        *AttachedToDeviceObject = NULL;
        return STATUS_NO_SUCH_DEVICE;
    }
    return STATUS_SUCCESS;
}

/* Takes what is attached to the lower device off it; NULL if nothing is. */
static PDEVICE_OBJECT detach(PDEVICE_OBJECT lower)
{
    io_drivers_lock();
    PDEVICE_OBJECT upper = lower->AttachedDevice;
    if (upper != NULL) {
        upper->DeviceObjectExtension->AttachedTo = NULL;
        lower->AttachedDevice = NULL;
    }
    io_drivers_unlock();
    return upper;
}

void io_device_detach(PDEVICE_OBJECT device)
{
    PDEVICE_OBJECT lower = device->DeviceObjectExtension->AttachedTo;
    if (lower != NULL) {
        detach(lower);
        io_driver_unused(lower->DriverObject);
    }
}

/* Takes the device that is attached to TargetDevice off. PASSIVE_LEVEL. (DEV-42) */
VOID IoDetachDevice(PDEVICE_OBJECT TargetDevice)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (detach(TargetDevice) == NULL) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x202, (ULONG_PTR)_ReturnAddress(),
                    (ULONG_PTR)TargetDevice, 0, "DEV-42",
                    "The driver detached from the device %p, to which nothing is attached.",
                    (void *)TargetDevice);
    }
    io_driver_unused(TargetDevice->DriverObject);
}

/* The top of the device's stack, referenced. IRQL <= DISPATCH_LEVEL. */
PDEVICE_OBJECT IoGetAttachedDeviceReference(PDEVICE_OBJECT DeviceObject)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    io_drivers_lock();
    PDEVICE_OBJECT top = top_of(DeviceObject);
    ob_reference(top);
    io_drivers_unlock();
    return top;
}

/* The top of the device's stack, not referenced. IRQL <= DISPATCH_LEVEL. */
PDEVICE_OBJECT IoGetAttachedDevice(PDEVICE_OBJECT DeviceObject)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return io_device_top(DeviceObject);
}

/* The top of the stack of the device that a file was opened on. IRQL <= DISPATCH_LEVEL. */
PDEVICE_OBJECT IoGetRelatedDeviceObject(PFILE_OBJECT FileObject)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return io_device_top(FileObject->DeviceObject);
}
