/*
 * File objects.
 *
 * An open makes a file object, sends IRP_MJ_CREATE with it and, when the driver agrees, gives a
 * handle. The last handle's close sends IRP_MJ_CLEANUP; the last reference sends IRP_MJ_CLOSE, at
 * PASSIVE_LEVEL, when no request can be left, for requests reference their file. A file keeps its
 * device object, and counts as an open of it until it is closed.
 */
#include "io/file.h"

#include "io/container.h"
#include "io/device.h"
#include "io/io.h"
#include "io/request.h"
#include "ke/limit.h"
#include "ob/name.h"
#include "ob/object.h"
#include "verifier/level.h"

#include <stdlib.h>
#include <string.h>

#define OPTIONS_MASK 0x00FFFFFF
#define SYNCHRONOUS (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)

static void close_file(void *object);
static void destroy(void *object);

static DISPATCHER_HEADER *waitable(void *object)
{
    return &((PFILE_OBJECT)object)->Event.Header;
}

/* The device's name and what follows it. */
static ULONG query_name(void *object, WCHAR *buffer, ULONG bytes)
{
    PFILE_OBJECT file = object;
    ULONG front = ob_name_copy(file->DeviceObject, buffer, bytes);
    ULONG room = bytes > front ? bytes - front : 0;
    ULONG copied = file->FileName.Length < room ? file->FileName.Length : room;
    if (copied != 0) {
        memcpy((UCHAR *)buffer + front, file->FileName.Buffer, copied);
    }
    return front + file->FileName.Length;
}

struct _OBJECT_TYPE io_file_type = {
    .name = "File",
    .destroy = destroy,
    .close = close_file,
    .waitable = waitable,
    .query_name = query_name,
    .is_destroyed_at_passive = true,
};
static POBJECT_TYPE file_type_pointer = &io_file_type;
POBJECT_TYPE *IoFileObjectType = &file_type_pointer;

ACCESS_MASK io_file_access(ACCESS_MASK access)
{
    static const struct {
        ACCESS_MASK generic;
        ACCESS_MASK specific;
    } map[] = {
        {GENERIC_READ, FILE_GENERIC_READ},       {GENERIC_WRITE, FILE_GENERIC_WRITE},
        {GENERIC_EXECUTE, FILE_GENERIC_EXECUTE}, {GENERIC_ALL, FILE_ALL_ACCESS},
        {MAXIMUM_ALLOWED, FILE_ALL_ACCESS},
    };
    for (size_t i = 0; i < RTL_NUMBER_OF(map); i++) {
        if ((access & map[i].generic) != 0) {
            access = (access & ~map[i].generic) | map[i].specific;
        }
    }
    return access;
}

/* ---- requests of the file itself ---- */

/* Sends a request without parameters and waits; a failure is the driver's affair. */
static void send(PFILE_OBJECT file, UCHAR major_function, ULONG flags)
{
    struct io_request request = {
        .device = io_device_top(file->DeviceObject),
        .file = file,
        .major_function = major_function,
        .mode = KernelMode,
    };
    IO_STATUS_BLOCK result;
    PIRP irp = io_request_create(&request, IO_IRP_SYSTEM, _ReturnAddress());
    if (irp != NULL) {
        irp->Flags |= flags;
        io_request_wait(request.device, irp, &result);
    }
}

/* The last handle is closed. (DEV-56) */
static void close_file(void *object)
{
    PFILE_OBJECT file = object;
    send(file, IRP_MJ_CLEANUP, IRP_CLOSE_OPERATION | IRP_SYNCHRONOUS_API);
    file->Flags |= FO_CLEANUP_COMPLETE;
    if (verifier_is_on()) {
        io_irps_check_cleaned(file);
    }
}

/* The last reference is gone. (DEV-59) */
static void destroy(void *object)
{
    PFILE_OBJECT file = object;
    PDEVICE_OBJECT device = file->DeviceObject;
    if ((file->Flags & FO_FILE_OPEN) != 0) {
        send(file, IRP_MJ_CLOSE, IRP_CLOSE_OPERATION | IRP_SYNCHRONOUS_API);
    }
    io_container_check_object(file, "SESS-44", "was closed");
    free(file->FileName.Buffer);
    if (file->RelatedFileObject != NULL) {
        ob_dereference(file->RelatedFileObject);
    }
    io_device_close(device);
    ob_dereference(device);
}

/* ---- opening ---- */

static ULONG file_flags(const struct io_open *open)
{
    ULONG flags = 0;
    if ((open->options & SYNCHRONOUS) != 0) {
        flags |= FO_SYNCHRONOUS_IO;
    }
    if ((open->options & FILE_SYNCHRONOUS_IO_ALERT) != 0) {
        flags |= FO_ALERTABLE_IO;
    }
    if ((open->options & FILE_NO_INTERMEDIATE_BUFFERING) != 0) {
        flags |= FO_NO_INTERMEDIATE_BUFFERING;
    }
    if ((open->options & FILE_WRITE_THROUGH) != 0) {
        flags |= FO_WRITE_THROUGH;
    }
    return flags;
}

static void fill(PFILE_OBJECT file, const struct io_open *open)
{
    file->Type = IO_TYPE_FILE;
    file->Size = sizeof(*file);
    file->Flags = file_flags(open);
    file->ReadAccess = (open->access & (FILE_READ_DATA | FILE_EXECUTE)) != 0;
    file->WriteAccess = (open->access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
    file->DeleteAccess = (open->access & DELETE) != 0;
    file->SharedRead = (open->share_access & FILE_SHARE_READ) != 0;
    file->SharedWrite = (open->share_access & FILE_SHARE_WRITE) != 0;
    file->SharedDelete = (open->share_access & FILE_SHARE_DELETE) != 0;
    KeInitializeEvent(&file->Lock, SynchronizationEvent, FALSE);
    KeInitializeEvent(&file->Event, NotificationEvent, FALSE);
    InitializeListHead(&file->IrpList);
}

static bool copy_name(PFILE_OBJECT file, const UNICODE_STRING *name)
{
    if (name->Length == 0) {
        return true;
    }
    file->FileName.Buffer = malloc(name->Length);
    if (file->FileName.Buffer == NULL) {
        return false;
    }
    file->FileName.Length = name->Length;
    file->FileName.MaximumLength = name->Length;
    memcpy(file->FileName.Buffer, name->Buffer, name->Length);
    return true;
}

/* A file on the device, of which it takes over the reference and the open. */
static PFILE_OBJECT create(const struct io_open *open, PDEVICE_OBJECT device,
                           const UNICODE_STRING *name)
{
    PFILE_OBJECT file = ob_create(&io_file_type, sizeof(*file));
    if (file == NULL) {
        io_device_close(device);
        ob_dereference(device);
        return NULL;
    }
    fill(file, open);
    file->DeviceObject = device;
    if (open->related != NULL) {
        ob_reference(open->related);
        file->RelatedFileObject = open->related;
    }
    if (!copy_name(file, name)) {
        ob_dereference(file);
        return NULL;
    }
    return file;
}

/* The device that is named, referenced, and what follows its name. */
static NTSTATUS find_device(const struct io_open *open, PDEVICE_OBJECT *device,
                            UNICODE_STRING *rest)
{
    void *object = NULL;
    if (open->related != NULL) {
        *device = open->related->DeviceObject;
        *rest = *open->name;
        ob_reference(*device);
        return STATUS_SUCCESS;
    }
    NTSTATUS status = ob_name_find(open->name, &object, rest);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (ob_type_of(object) != &io_device_type) {
        ob_dereference(object);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    *device = object;
    return STATUS_SUCCESS;
}

static void fill_create(PIRP irp, const struct io_open *open, PIO_SECURITY_CONTEXT security)
{
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
    irp->Flags |= IRP_CREATE_OPERATION | IRP_SYNCHRONOUS_API;
    irp->AssociatedIrp.SystemBuffer = open->ea;
    irp->Overlay.AllocationSize.QuadPart = open->allocation_bytes;
    location->Parameters.Create.SecurityContext = security;
    location->Parameters.Create.Options =
        (open->disposition << 24) | (open->options & OPTIONS_MASK);
    location->Parameters.Create.FileAttributes = open->attributes;
    location->Parameters.Create.ShareAccess = open->share_access;
    location->Parameters.Create.EaLength = open->ea_bytes;
}

/* Asks the driver. (DEV-55) */
static NTSTATUS send_create(PFILE_OBJECT file, const struct io_open *open, ULONG_PTR *information)
{
    ACCESS_STATE access = {
        .OriginalDesiredAccess = open->access,
        .PreviouslyGrantedAccess = open->access,
    };
    IO_SECURITY_CONTEXT security = {
        .AccessState = &access,
        .DesiredAccess = open->access,
        .FullCreateOptions = open->options,
    };
    struct io_request request = {
        .device = io_device_top(file->DeviceObject),
        .file = file,
        .major_function = IRP_MJ_CREATE,
        .mode = open->mode,
    };
    IO_STATUS_BLOCK result = {.Information = 0};
    PIRP irp = io_request_create(&request, IO_IRP_SYSTEM, _ReturnAddress());
    if (irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    fill_create(irp, open, &security);
    NTSTATUS status = io_request_wait(request.device, irp, &result);
    *information = result.Information;
    return status;
}

NTSTATUS io_file_open(const struct io_open *open, PFILE_OBJECT *file, ULONG_PTR *information)
{
    PDEVICE_OBJECT device;
    UNICODE_STRING rest;
    NTSTATUS status = find_device(open, &device, &rest);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = io_device_open(device);
    if (!NT_SUCCESS(status)) {
        ob_dereference(device);
        return status;
    }
    *file = create(open, device, &rest);
    if (*file == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = send_create(*file, open, information);
    if (!NT_SUCCESS(status)) {
        ob_dereference(*file);
        return status;
    }
    (*file)->Flags |= FO_FILE_OPEN | FO_HANDLE_CREATED;
    return status;
}
