#include "io/device.h"

#include "io/io.h"
#include "ke/limit.h"

#include <stdlib.h>
#include <string.h>

/* Properties of devices: what drivers wrote. No device has any of the system's own. */

struct property {
    LIST_ENTRY link; /* in io_device.properties */
    DEVPROPKEY key;
    LCID locale;
    DEVPROPTYPE type;
    ULONG bytes;
    UCHAR data[];
};

/* DEVPKEY_Device_SessionId */
static const DEVPROPKEY session_key = {
    {0x83da6326, 0x97a6, 0x4088, {0x94, 0x53, 0xa1, 0x92, 0x3f, 0x57, 0x3b, 0x29}}, 6};

static LIST_ENTRY *properties_of(PDEVICE_OBJECT object)
{
    return &CONTAINING_RECORD(object, struct io_device, object)->properties;
}

/* The lock is held, as for the next. */
static struct property *find(PDEVICE_OBJECT device, const DEVPROPKEY *key, LCID locale)
{
    LIST_ENTRY *head = properties_of(device);
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct property *property = CONTAINING_RECORD(entry, struct property, link);
        if (property->locale == locale && property->key.pid == key->pid &&
            IsEqualGUID(&property->key.fmtid, &key->fmtid)) {
            return property;
        }
    }
    return NULL;
}

/* Puts a property, or none, in the place of the one that has its key, which it returns. */
static struct property *replace(PDEVICE_OBJECT device, const DEVPROPKEY *key, LCID locale,
                                struct property *by)
{
    struct property *old = find(device, key, locale);
    if (old != NULL) {
        RemoveEntryList(&old->link);
    }
    if (by != NULL) {
        InsertTailList(properties_of(device), &by->link);
    }
    return old;
}

static struct property *create(const DEVPROPKEY *key, LCID locale, DEVPROPTYPE type, ULONG bytes,
                               const void *data)
{
    struct property *property = calloc(1, sizeof(*property) + bytes);
    if (property != NULL) {
        property->key = *key;
        property->locale = locale;
        property->type = type;
        property->bytes = bytes;
        memcpy(property->data, data, bytes);
    }
    return property;
}

/*
 * Sets a property of a device to a copy of Size bytes of Data; Data NULL deletes it. Properties
 * last as long as the device object: Flags makes no difference. STATUS_OBJECT_NAME_NOT_FOUND where
 * there is none to delete, STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. (SESS-35, SESS-38)
 */
NTSTATUS IoSetDevicePropertyData(PDEVICE_OBJECT Pdo, const DEVPROPKEY *PropertyKey, LCID Lcid,
                                 ULONG Flags, DEVPROPTYPE Type, ULONG Size, PVOID Data)
{
    struct property *property = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (Data != NULL) {
        property = create(PropertyKey, Lcid, Type, Size, Data);
        if (property == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    io_drivers_lock();
    struct property *old = replace(Pdo, PropertyKey, Lcid, property);
    io_drivers_unlock();
    bool is_missing = Data == NULL && old == NULL;
    free(old);
    return is_missing ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_SUCCESS;
}

/*
 * Copies a property of a device to Data, its type to *Type and its length in bytes to
 * *RequiredSize. STATUS_OBJECT_NAME_NOT_FOUND; STATUS_BUFFER_TOO_SMALL, with *RequiredSize filled
 * in. IRQL <= APC_LEVEL. (SESS-38)
 */
NTSTATUS IoGetDevicePropertyData(PDEVICE_OBJECT Pdo, const DEVPROPKEY *PropertyKey, LCID Lcid,
                                 ULONG Flags, ULONG Size, PVOID Data, PULONG RequiredSize,
                                 PDEVPROPTYPE Type)
{
    NTSTATUS status = STATUS_SUCCESS;
    KE_IRQL_AT_MOST(APC_LEVEL);
    io_drivers_lock();
    const struct property *property = find(Pdo, PropertyKey, Lcid);
    if (property == NULL) {
        status = STATUS_OBJECT_NAME_NOT_FOUND;
    } else {
        *RequiredSize = property->bytes;
        if (Size < property->bytes) {
            status = STATUS_BUFFER_TOO_SMALL;
        } else {
            *Type = property->type;
            memcpy(Data, property->data, property->bytes);
        }
    }
    io_drivers_unlock();
    return status;
}

ULONG io_device_session(PDEVICE_OBJECT device)
{
    ULONG id = 0;
    io_drivers_lock();
    const struct property *property = find(device, &session_key, 0);
    if (property != NULL && property->type == DEVPROP_TYPE_UINT32 &&
        property->bytes == sizeof(id)) {
        memcpy(&id, property->data, sizeof(id));
    }
    io_drivers_unlock();
    return id;
}

void io_device_properties_free(PDEVICE_OBJECT device)
{
    LIST_ENTRY *head = properties_of(device);
    while (!IsListEmpty(head)) {
        free(CONTAINING_RECORD(RemoveHeadList(head), struct property, link));
    }
}
