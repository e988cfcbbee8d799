/* System threads that keep the driver loaded which started them. */
#include "io/device.h"
#include "io/driver.h"
#include "ke/limit.h"
#include "ob/object.h"
#include "ps/thread.h"

#include <ntddk.h>

static bool is_device(const void *object)
{
    return *(const CSHORT *)object == IO_TYPE_DEVICE;
}

static PDRIVER_OBJECT driver_of(PVOID object)
{
    return is_device(object) ? ((PDEVICE_OBJECT)object)->DriverObject : object;
}

static void release(void *object)
{
    io_driver_unpin(driver_of(object));
    ob_dereference(object);
}

/*
 * As PsCreateSystemThread; the device or driver object stays, and the driver loaded, until the
 * thread has ended. STATUS_INVALID_HANDLE for another object, and the statuses of
 * PsCreateSystemThread. PASSIVE_LEVEL. (THREAD-17 to THREAD-19)
 */
NTSTATUS IoCreateSystemThread(PVOID IoObject, PHANDLE ThreadHandle, ULONG DesiredAccess,
                              POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
                              PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (!is_device(IoObject) && *(const CSHORT *)IoObject != IO_TYPE_DRIVER) {
        return STATUS_INVALID_HANDLE;
    }
    struct ps_thread_start start = {
        .attributes = ObjectAttributes,
        .process = ProcessHandle,
        .routine = StartRoutine,
        .context = StartContext,
        .creator = _ReturnAddress(),
        .at_end = release,
        .at_end_context = IoObject,
    };
    ob_reference(IoObject);
    io_driver_pin(driver_of(IoObject));
    NTSTATUS status = ps_create_thread(&start, DesiredAccess, ThreadHandle, ClientId);
    if (!NT_SUCCESS(status)) {
        release(IoObject);
    }
    return status;
}
