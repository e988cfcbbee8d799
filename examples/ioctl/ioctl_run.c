/* Drives the ioctl driver as a program would: opens its device, controls it, cancels, closes. */
#include <ntifs.h>

#include <wskemu/wskemu.h>

#include "ioctl_codes.h"

static int failures;

static void check(BOOLEAN is_true, const char *what)
{
    DbgPrint("%s %s\n", is_true ? "ok:    " : "FAILED:", what);
    failures += !is_true;
}

static HANDLE open_device(ULONG options)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\??\\IoctlExample");
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK block;
    HANDLE handle = NULL;
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS status = ZwOpenFile(&handle, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &attributes,
                                 &block, FILE_SHARE_READ | FILE_SHARE_WRITE, options);
    check(NT_SUCCESS(status), "the device opens");
    return handle;
}

static NTSTATUS control(HANDLE file, HANDLE event, ULONG code, PVOID input, ULONG input_bytes,
                        PVOID output, ULONG output_bytes, PIO_STATUS_BLOCK block)
{
    return ZwDeviceIoControlFile(file, event, NULL, NULL, block, code, input, input_bytes, output,
                                 output_bytes);
}

static void control_at_once(void)
{
    IO_STATUS_BLOCK block;
    CHAR text[5] = "abcde";
    HANDLE file = open_device(FILE_SYNCHRONOUS_IO_NONALERT);
    NTSTATUS status = control(file, NULL, IOCTL_EXAMPLE_REVERSE, text, 5, text, 5, &block);
    check(status == STATUS_SUCCESS && block.Information == 5, "a buffered control succeeds");
    check(RtlCompareMemory(text, "edcba", 5) == 5, "and its output comes back");
    status = control(file, NULL, IOCTL_EXAMPLE_FILL, "x", 1, text, 5, &block);
    check(status == STATUS_SUCCESS, "a direct control succeeds");
    check(RtlCompareMemory(text, "xxxxx", 5) == 5, "and writes through its MDL");
    status = control(file, NULL, 0x12345678, NULL, 0, NULL, 0, &block);
    check(status == STATUS_INVALID_DEVICE_REQUEST, "an unknown control is refused");
    ZwClose(file);
}

static void control_with_wait(void)
{
    IO_STATUS_BLOCK wait_block;
    IO_STATUS_BLOCK block;
    CHAR text[4] = "----";
    HANDLE event;
    HANDLE file = open_device(0);
    ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    NTSTATUS status = control(file, event, IOCTL_EXAMPLE_WAIT, NULL, 0, text, 4, &wait_block);
    check(status == STATUS_PENDING, "a control that has to wait pends");
    status = control(file, NULL, IOCTL_EXAMPLE_POST, "post", 4, NULL, 0, &block);
    check(status == STATUS_SUCCESS, "another control brings what it waits for");
    ZwWaitForSingleObject(event, FALSE, NULL);
    check(wait_block.Status == STATUS_SUCCESS && RtlCompareMemory(text, "post", 4) == 4,
          "and it ends with that");

    status = control(file, event, IOCTL_EXAMPLE_WAIT, NULL, 0, text, 4, &wait_block);
    check(status == STATUS_PENDING, "a second one pends");
    ZwClose(file);
    ZwWaitForSingleObject(event, FALSE, NULL);
    check(wait_block.Status == STATUS_CANCELLED, "closing the file cancels it");
    ZwClose(event);
}

/* As another driver: sends the waiting control and cancels it. */
static void cancel_as_driver(void)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(IOCTL_DEVICE_NAME);
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    KEVENT event;
    IO_STATUS_BLOCK block;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    NTSTATUS status = IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device);
    check(NT_SUCCESS(status), "a driver finds the device");
    PIRP irp = IoBuildDeviceIoControlRequest(IOCTL_EXAMPLE_WAIT, device, NULL, 0, NULL, 0, FALSE,
                                             &event, &block);
    IoGetNextIrpStackLocation(irp)->FileObject = file;
    status = IoCallDriver(device, irp);
    check(status == STATUS_PENDING, "its control pends");
    check(IoCancelIrp(irp), "it can be cancelled");
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    check(block.Status == STATUS_CANCELLED, "and ends as cancelled");
    ObDereferenceObject(file);
}

int main(void)
{
    PDRIVER_OBJECT driver;
    if (!NT_SUCCESS(wskemu_boot(NULL))) {
        return 1;
    }
    if (!NT_SUCCESS(wskemu_load_driver(WSKEMU_DRIVER(ioctl), &driver))) {
        wskemu_shutdown();
        return 1;
    }
    control_at_once();
    control_with_wait();
    cancel_as_driver();
    check(wskemu_unload_driver(driver) == STATUS_SUCCESS, "the driver unloads");
    check(wskemu_shutdown() == 0, "nothing is left");
    return failures == 0 ? 0 : 1;
}
