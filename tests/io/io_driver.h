/*
 * A driver made of the test's own functions: it has no image, and each of its devices has a
 * dispatch routine of its own.
 */
#ifndef TESTS_IO_IO_DRIVER_H
#define TESTS_IO_IO_DRIVER_H

#include "kernel.h"

#include <ntifs.h>

/* The extension of a device that add_device made. */
struct node {
    PDRIVER_DISPATCH dispatch;
    PDEVICE_OBJECT lower; /* what the device is attached to, or NULL */
    PVOID context;        /* the test's */
};

static inline struct node *node_of(PDEVICE_OBJECT device)
{
    return device->DeviceExtension;
}

static inline NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static inline NTSTATUS dispatch_to_node(PDEVICE_OBJECT device, PIRP irp)
{
    PDRIVER_DISPATCH dispatch = node_of(device)->dispatch;
    return dispatch != NULL ? dispatch(device, irp) : complete(irp, STATUS_SUCCESS, 0);
}

/* Deletes the driver's devices: the newest first, so those on top of others before them. */
static inline VOID unload_devices(PDRIVER_OBJECT driver)
{
    while (driver->DeviceObject != NULL) {
        PDEVICE_OBJECT device = driver->DeviceObject;
        if (node_of(device)->lower != NULL) {
            IoDetachDevice(node_of(device)->lower);
        }
        IoDeleteDevice(device);
    }
}

static inline int plain_entry(void *object, void *registry_path)
{
    PDRIVER_OBJECT driver = object;
    UNREFERENCED_PARAMETER(registry_path);
    driver->DriverUnload = unload_devices;
    for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        driver->MajorFunction[i] = dispatch_to_node;
    }
    return STATUS_SUCCESS;
}

/* Loads a driver of that entry; it is unloaded by the test or by shutdown. */
static inline PDRIVER_OBJECT load_entry(int (*entry)(void *, void *))
{
    static struct wskemu_driver_image image = {.name = "test"};
    PDRIVER_OBJECT driver = NULL;
    image.entry = entry;
    assert_int_equal(wskemu_load_driver(&image, &driver), STATUS_SUCCESS);
    return driver;
}

static inline PDRIVER_OBJECT load_plain(void)
{
    return load_entry(plain_entry);
}

/* A device of the driver that may be opened; name NULL for none. */
static inline PDEVICE_OBJECT add_device(PDRIVER_OBJECT driver, PCWSTR name,
                                        PDRIVER_DISPATCH dispatch, PVOID context)
{
    PDEVICE_OBJECT device = NULL;
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, name);
    NTSTATUS status = IoCreateDevice(driver, sizeof(struct node), &string, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &device);
    assert_int_equal(status, STATUS_SUCCESS);
    node_of(device)->dispatch = dispatch;
    node_of(device)->context = context;
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return device;
}

/* The same on top of another device. */
static inline PDEVICE_OBJECT add_device_above(PDRIVER_OBJECT driver, PDEVICE_OBJECT lower,
                                              PDRIVER_DISPATCH dispatch, PVOID context)
{
    PDEVICE_OBJECT device = add_device(driver, NULL, dispatch, context);
    node_of(device)->lower = IoAttachDeviceToDeviceStack(device, lower);
    assert_non_null(node_of(device)->lower);
    return device;
}

/* Sets the event and keeps the IRP: its maker owns it again. */
static inline NTSTATUS take_back(PDEVICE_OBJECT device, PIRP irp, PVOID event)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    if (event != NULL) {
        KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* An IRP for the device, as a driver allocates it: it will be taken back. */
static inline PIRP allocate_for(PDEVICE_OBJECT device, UCHAR major_function, PRKEVENT event)
{
    PIRP irp = IoAllocateIrp(device->StackSize, FALSE);
    assert_non_null(irp);
    IoGetNextIrpStackLocation(irp)->MajorFunction = major_function;
    IoSetCompletionRoutine(irp, take_back, event, TRUE, TRUE, TRUE);
    return irp;
}

/* Opens a device by name, for synchronous requests. */
static inline NTSTATUS open_device(PCWSTR name, ACCESS_MASK access, ULONG options, PHANDLE handle)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK block;
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, name);
    InitializeObjectAttributes(&attributes, &string, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    return ZwOpenFile(handle, access | SYNCHRONIZE, &attributes, &block,
                      FILE_SHARE_READ | FILE_SHARE_WRITE, options);
}

#endif
