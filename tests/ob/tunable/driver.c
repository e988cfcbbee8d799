/* A driver that reads its port from its service key, and keeps a key and a device of its own. */
#include <ntddk.h>

static DRIVER_UNLOAD unload;
static DRIVER_DISPATCH complete;

/* The value Port of a key; 0 if there is none. */
static ULONG read_port(HANDLE key)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"Port");
    UCHAR buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    PKEY_VALUE_PARTIAL_INFORMATION info = (PKEY_VALUE_PARTIAL_INFORMATION)(PVOID)buffer;
    ULONG bytes = 0;
    NTSTATUS status =
        ZwQueryValueKey(key, &name, KeyValuePartialInformation, info, sizeof(buffer), &bytes);
    if (!NT_SUCCESS(status) || info->Type != REG_DWORD) {
        return 0;
    }
    return *(ULONG *)(PVOID)info->Data;
}

static NTSTATUS write_port(PDRIVER_OBJECT driver, ULONG port)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"Seen");
    HANDLE parameters = NULL;
    NTSTATUS status =
        IoOpenDriverRegistryKey(driver, DriverRegKeyParameters, KEY_WRITE, 0, &parameters);
    if (NT_SUCCESS(status)) {
        status = ZwSetValueKey(parameters, &name, 0, REG_DWORD, &port, sizeof(port));
        ZwClose(parameters);
    }
    return status;
}

static NTSTATUS complete(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID unload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Tunable");
    OBJECT_ATTRIBUTES attributes;
    PDEVICE_OBJECT device;
    HANDLE key;
    InitializeObjectAttributes(&attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               NULL, NULL);
    NTSTATUS status = ZwOpenKey(&key, KEY_READ, &attributes);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = write_port(DriverObject, read_port(key));
    ZwClose(key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    DriverObject->DriverUnload = unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = complete;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = complete;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = complete;
    return IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}
