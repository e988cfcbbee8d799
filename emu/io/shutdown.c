#include "io/shutdown.h"

#include "base/log.h"
#include "io/device.h"
#include "io/io.h"
#include "io/request.h"
#include "ke/limit.h"
#include "ob/object.h"

#include <stdlib.h>

/* Shutdown notifications. A registration references its device. (DEV-45) */

struct registration {
    LIST_ENTRY link;
    PDEVICE_OBJECT device;
};

void io_shutdowns_start(struct io_shutdowns *shutdowns)
{
    base_mutex_init(&shutdowns->lock);
    InitializeListHead(&shutdowns->registered);
    InitializeListHead(&shutdowns->last_chance);
}

static struct registration *take_first(LIST_ENTRY *list)
{
    struct io_shutdowns *shutdowns = &io_state()->shutdowns;
    struct registration *registration = NULL;
    base_mutex_lock(&shutdowns->lock);
    if (!IsListEmpty(list)) {
        registration = CONTAINING_RECORD(RemoveHeadList(list), struct registration, link);
    }
    base_mutex_unlock(&shutdowns->lock);
    return registration;
}

static NTSTATUS insert(LIST_ENTRY *list, PDEVICE_OBJECT device)
{
    struct io_shutdowns *shutdowns = &io_state()->shutdowns;
    struct registration *registration = malloc(sizeof(*registration));
    if (registration == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ob_reference(device);
    registration->device = device;
    base_mutex_lock(&shutdowns->lock);
    device->Flags |= DO_SHUTDOWN_REGISTERED;
    InsertHeadList(list, &registration->link);
    base_mutex_unlock(&shutdowns->lock);
    return STATUS_SUCCESS;
}

/*
 * Has IRP_MJ_SHUTDOWN sent to the device at shutdown, while its driver is still loaded.
 * STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. (DEV-45)
 */
NTSTATUS IoRegisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return insert(&io_state()->shutdowns.registered, DeviceObject);
}

/* As IoRegisterShutdownNotification, after all of those were told. */
NTSTATUS IoRegisterLastChanceShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return insert(&io_state()->shutdowns.last_chance, DeviceObject);
}

/* Moves the device's registrations to another list. The lock is held. */
static void take_of_device(LIST_ENTRY *list, PDEVICE_OBJECT device, LIST_ENTRY *taken)
{
    LIST_ENTRY *entry = list->Flink;
    while (entry != list) {
        struct registration *registration = CONTAINING_RECORD(entry, struct registration, link);
        entry = entry->Flink;
        if (registration->device == device) {
            RemoveEntryList(&registration->link);
            InsertTailList(taken, &registration->link);
        }
    }
}

static void release(struct registration *registration)
{
    ob_dereference(registration->device);
    free(registration);
}

/* Ends what the two functions above began. PASSIVE_LEVEL. (DEV-45) */
VOID IoUnregisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    struct io_shutdowns *shutdowns = &io_state()->shutdowns;
    LIST_ENTRY taken;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    InitializeListHead(&taken);
    base_mutex_lock(&shutdowns->lock);
    take_of_device(&shutdowns->registered, DeviceObject, &taken);
    take_of_device(&shutdowns->last_chance, DeviceObject, &taken);
    DeviceObject->Flags &= ~(ULONG)DO_SHUTDOWN_REGISTERED;
    base_mutex_unlock(&shutdowns->lock);
    while (!IsListEmpty(&taken)) {
        release(CONTAINING_RECORD(RemoveHeadList(&taken), struct registration, link));
    }
}

static void tell(PDEVICE_OBJECT device)
{
    struct io_request request = {
        .device = io_device_top(device), .major_function = IRP_MJ_SHUTDOWN, .mode = KernelMode};
    IO_STATUS_BLOCK result;
    PIRP irp = io_request_create(&request, IO_IRP_SYSTEM, _ReturnAddress());
    if (irp != NULL) {
        io_request_wait(request.device, irp, &result);
    }
}

/* A deleted device's driver is gone: its registration stays and is reported. */
static void tell_all(LIST_ENTRY *list, LIST_ENTRY *left)
{
    for (struct registration *registration = take_first(list); registration != NULL;
         registration = take_first(list)) {
        if (io_device_is_deleted(registration->device)) {
            InsertTailList(left, &registration->link);
            continue;
        }
        tell(registration->device);
        release(registration);
    }
}

void io_shutdowns_send(void)
{
    struct io_shutdowns *shutdowns = &io_state()->shutdowns;
    LIST_ENTRY left;
    InitializeListHead(&left);
    tell_all(&shutdowns->registered, &left);
    tell_all(&shutdowns->last_chance, &left);
    while (!IsListEmpty(&left)) {
        InsertTailList(&shutdowns->registered, RemoveHeadList(&left));
    }
}

unsigned io_shutdowns_report(struct io_shutdowns *shutdowns)
{
    unsigned left = 0;
    for (LIST_ENTRY *entry = shutdowns->registered.Flink; entry != &shutdowns->registered;
         entry = entry->Flink) {
        const struct registration *registration =
            CONTAINING_RECORD(entry, struct registration, link);
        base_log("left: shutdown notification of the deleted device %p\n",
                 (void *)registration->device);
        left++;
    }
    return left;
}

void io_shutdowns_stop(struct io_shutdowns *shutdowns)
{
    while (!IsListEmpty(&shutdowns->registered)) {
        free(CONTAINING_RECORD(RemoveHeadList(&shutdowns->registered), struct registration, link));
    }
    base_mutex_destroy(&shutdowns->lock);
}
