/*
 * System services that open files, which are devices here: names of the host's files are not found.
 *
 * A thread that the emulator did not make stands for a program in user mode: its requests have
 * RequestorMode UserMode, and a control code's access bits are checked against its handle's. System
 * threads are kernel mode.
 */
#include "io/file.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ob/object.h"

#include <ntifs.h>

KPROCESSOR_MODE io_caller_mode(void)
{
    return PsIsSystemThread(PsGetCurrentThread()) ? KernelMode : UserMode;
}

static NTSTATUS find_related(const OBJECT_ATTRIBUTES *attributes, PFILE_OBJECT *related)
{
    ACCESS_MASK access;
    void *object = NULL;
    *related = NULL;
    if (attributes->RootDirectory == NULL) {
        return STATUS_SUCCESS;
    }
    NTSTATUS status =
        ob_reference_handle(attributes->RootDirectory, &io_file_type, &object, &access);
    *related = object;
    return status;
}

static NTSTATUS open_file(struct io_open *open, const OBJECT_ATTRIBUTES *attributes,
                          PIO_STATUS_BLOCK status_block, PHANDLE handle)
{
    PFILE_OBJECT file;
    ULONG_PTR information = 0;
    NTSTATUS status = find_related(attributes, &open->related);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    open->name = attributes->ObjectName;
    status = io_file_open(open, &file, &information);
    if (NT_SUCCESS(status)) {
        NTSTATUS opened = ob_open_handle(file, open->access, handle);
        status = NT_SUCCESS(opened) ? status : opened;
        ob_dereference(file);
    }
    if (open->related != NULL) {
        ob_dereference(open->related);
    }
    if (NT_SUCCESS(status)) {
        status_block->Status = status;
        status_block->Information = information;
    }
    return status;
}

/*
 * Opens a device by its name, or by a name relative to an open file of it. The statuses are those
 * of a look-up (STATUS_OBJECT_NAME_NOT_FOUND, ...), STATUS_INVALID_PARAMETER, and what the driver
 * says to IRP_MJ_CREATE. PASSIVE_LEVEL. (DEV-50, DEV-55)
 */
NTSTATUS ZwCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                      POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                      PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                      ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (ObjectAttributes == NULL || ObjectAttributes->ObjectName == NULL ||
        CreateDisposition > FILE_MAXIMUM_DISPOSITION) {
        return STATUS_INVALID_PARAMETER;
    }
    struct io_open open = {
        .access = io_file_access(DesiredAccess),
        .mode = io_caller_mode(),
        .disposition = CreateDisposition,
        .options = CreateOptions,
        .attributes = (USHORT)FileAttributes,
        .share_access = (USHORT)ShareAccess,
        .ea = EaBuffer,
        .ea_bytes = EaLength,
        .allocation_bytes = AllocationSize != NULL ? AllocationSize->QuadPart : 0,
    };
    return open_file(&open, ObjectAttributes, IoStatusBlock, FileHandle);
}

/* As ZwCreateFile for what is there already. PASSIVE_LEVEL. */
NTSTATUS ZwOpenFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                    POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                    ULONG ShareAccess, ULONG OpenOptions)
{
    return ZwCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, NULL, 0,
                        ShareAccess, FILE_OPEN, OpenOptions, NULL, 0);
}

/* As ZwCreateFile for plain files. PASSIVE_LEVEL. */
NTSTATUS IoCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                      POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                      PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                      ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
                      CREATE_FILE_TYPE CreateFileType, PVOID InternalParameters, ULONG Options)
{
    UNREFERENCED_PARAMETER(InternalParameters);
    UNREFERENCED_PARAMETER(Options);
    if (CreateFileType != CreateFileTypeNone) {
        ke_not_implemented("IoCreateFile for a pipe or a mailslot");
    }
    return ZwCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize,
                        FileAttributes, ShareAccess, Disposition, CreateOptions, EaBuffer,
                        EaLength);
}
