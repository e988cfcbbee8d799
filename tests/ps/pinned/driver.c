/* A driver whose thread keeps it loaded: its unload routine lets the thread go, and does not wait.
 */
#include <ntddk.h>

static KEVENT stop;
static DRIVER_UNLOAD unload;
static KSTART_ROUTINE work;

/* Set by the thread's last statement; a test looks at it after the unload. */
extern volatile LONG pinned_thread_ended;
volatile LONG pinned_thread_ended;

static VOID work(PVOID StartContext)
{
    LARGE_INTEGER pause;
    UNREFERENCED_PARAMETER(StartContext);
    KeWaitForSingleObject(&stop, Executive, KernelMode, FALSE, NULL);
    pause.QuadPart = -10000; /* 1 ms in which the unload routine returns */
    KeDelayExecutionThread(KernelMode, FALSE, &pause);
    InterlockedExchange(&pinned_thread_ended, 1);
}

static VOID unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeSetEvent(&stop, IO_NO_INCREMENT, FALSE);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE thread;
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&stop, NotificationEvent, FALSE);
    DriverObject->DriverUnload = unload;
    NTSTATUS status = IoCreateSystemThread(DriverObject, &thread, THREAD_ALL_ACCESS, NULL, NULL,
                                           NULL, work, NULL);
    if (NT_SUCCESS(status)) {
        ZwClose(thread);
    }
    return status;
}
