#include "io/device.h"

#include "ke/bugcheck.h"
#include "ke/limit.h"

#include <stdlib.h>

/* A device's timer, whose routine is called once a second at DISPATCH_LEVEL while it runs. */

#define PERIOD_MS 1000
#define MS_100NS 10000

struct _IO_TIMER {
    KTIMER timer;
    KDPC dpc;
    PDEVICE_OBJECT device;
    PIO_TIMER_ROUTINE routine;
    PVOID context;
};

static VOID call_routine(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    PIO_TIMER timer = context;
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    timer->routine(timer->device, timer->context);
}

/*
 * Gives a device its timer, stopped. STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. Once a device.
 */
NTSTATUS IoInitializeTimer(PDEVICE_OBJECT DeviceObject, PIO_TIMER_ROUTINE TimerRoutine,
                           PVOID Context)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (DeviceObject->Timer != NULL) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0xA, (ULONG_PTR)DeviceObject, 0, 0, NULL,
                    "The driver called IoInitializeTimer twice for the device %p.",
                    (void *)DeviceObject);
    }
    PIO_TIMER timer = calloc(1, sizeof(*timer));
    if (timer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    timer->device = DeviceObject;
    timer->routine = TimerRoutine;
    timer->context = Context;
    KeInitializeTimer(&timer->timer);
    KeInitializeDpc(&timer->dpc, call_routine, timer);
    DeviceObject->Timer = timer;
    return STATUS_SUCCESS;
}

/* Starts the device's timer. IRQL <= DISPATCH_LEVEL. */
VOID IoStartTimer(PDEVICE_OBJECT DeviceObject)
{
    LARGE_INTEGER due = {.QuadPart = -(LONGLONG)PERIOD_MS * MS_100NS};
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    KeSetTimerEx(&DeviceObject->Timer->timer, due, PERIOD_MS, &DeviceObject->Timer->dpc);
}

/* Stops the device's timer. Not from its routine. IRQL <= DISPATCH_LEVEL. */
VOID IoStopTimer(PDEVICE_OBJECT DeviceObject)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    KeCancelTimer(&DeviceObject->Timer->timer);
    KeRemoveQueueDpc(&DeviceObject->Timer->dpc);
}

void io_device_timer_free(PDEVICE_OBJECT device)
{
    PIO_TIMER timer = device->Timer;
    if (timer == NULL) {
        return;
    }
    device->Timer = NULL;
    KeCancelTimer(&timer->timer);
    KeRemoveQueueDpc(&timer->dpc);
    KeFlushQueuedDpcs();
    free(timer);
}
