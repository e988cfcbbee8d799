#include "io/device.h"
#include "io/file.h"
#include "ke/limit.h"
#include "ob/object.h"

/* Devices that other drivers find by their names. */

/*
 * Opens a named device for other drivers: gives a referenced file object, and the top of the
 * device's stack, which may be used as long as the file is referenced. STATUS_OBJECT_NAME_INVALID,
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_INSUFFICIENT_RESOURCES and those of an open. PASSIVE_LEVEL.
 * (DEV-43, DEV-44)
 */
NTSTATUS IoGetDeviceObjectPointer(PUNICODE_STRING ObjectName, ACCESS_MASK DesiredAccess,
                                  PFILE_OBJECT *FileObject, PDEVICE_OBJECT *DeviceObject)
{
    ULONG_PTR information;
    HANDLE handle;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (ObjectName->Length == 0 || ObjectName->Buffer == NULL) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    struct io_open open = {
        .name = ObjectName,
        .access = io_file_access(DesiredAccess),
        .mode = KernelMode,
        .disposition = FILE_OPEN,
        .options = FILE_NON_DIRECTORY_FILE,
    };
    NTSTATUS status = io_file_open(&open, FileObject, &information);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ob_open_handle(*FileObject, open.access, &handle);
    if (!NT_SUCCESS(status)) {
        ob_dereference(*FileObject);
        return status;
    }
    ob_close_handle(handle);
    *DeviceObject = io_device_top((*FileObject)->DeviceObject);
    return STATUS_SUCCESS;
}

/*
 * Attaches to the top of a named device's stack. Statuses of IoGetDeviceObjectPointer, and
 * STATUS_NO_SUCH_DEVICE. PASSIVE_LEVEL.
 */
NTSTATUS IoAttachDevice(PDEVICE_OBJECT SourceDevice, PUNICODE_STRING TargetDevice,
                        PDEVICE_OBJECT *AttachedDevice)
{
    PFILE_OBJECT file;
    PDEVICE_OBJECT target;
    NTSTATUS status = IoGetDeviceObjectPointer(TargetDevice, FILE_READ_ATTRIBUTES, &file, &target);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = IoAttachDeviceToDeviceStackSafe(SourceDevice, target, AttachedDevice);
    ob_dereference(file);
    return status;
}
