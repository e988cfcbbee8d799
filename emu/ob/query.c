/* Handles to objects that a driver has, and what objects say of themselves. */
#include "ke/limit.h"
#include "ob/name.h"
#include "ob/object.h"

#include <ntifs.h>

#include <string.h>

/*
 * A handle to an object. The type is checked where one is given. STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_INSUFFICIENT_RESOURCES. IRQL <= APC_LEVEL.
 */
NTSTATUS ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes,
                               PACCESS_STATE PassedAccessState, ACCESS_MASK DesiredAccess,
                               POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode, PHANDLE Handle)
{
    UNREFERENCED_PARAMETER(PassedAccessState);
    KE_IRQL_AT_MOST(APC_LEVEL);
    bool is_typeless = ObjectType == NULL && AccessMode == KernelMode;
    if (!is_typeless && ob_type_of(Object) != ObjectType) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    struct ob_handle_info info = {
        .access = DesiredAccess,
        .attributes = HandleAttributes & OBJ_INHERIT,
    };
    ob_lock();
    NTSTATUS status = ob_open_handle_locked(Object, &info, Handle);
    ob_unlock();
    return status;
}

/*
 * An object's name; of no characters for an object without one. The text follows the struct.
 * STATUS_INFO_LENGTH_MISMATCH with *ReturnLength, the bytes needed. IRQL <= APC_LEVEL.
 */
NTSTATUS ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION ObjectNameInfo, ULONG Length,
                           PULONG ReturnLength)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    ULONG bytes = ob_name_copy(Object, NULL, 0);
    ULONG needed = (ULONG)sizeof(*ObjectNameInfo) + (bytes != 0 ? bytes + sizeof(WCHAR) : 0);
    *ReturnLength = needed;
    if (Length < needed) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    memset(ObjectNameInfo, 0, sizeof(*ObjectNameInfo));
    if (bytes != 0) {
        WCHAR *text = (WCHAR *)(PVOID)(ObjectNameInfo + 1);
        ob_name_copy(Object, text, bytes);
        text[bytes / sizeof(WCHAR)] = L'\0';
        ObjectNameInfo->Name.Buffer = text;
        ObjectNameInfo->Name.Length = (USHORT)bytes;
        ObjectNameInfo->Name.MaximumLength = (USHORT)(bytes + sizeof(WCHAR));
    }
    return STATUS_SUCCESS;
}

static NTSTATUS query_basic(const void *object, const struct ob_handle_info *handle,
                            PPUBLIC_OBJECT_BASIC_INFORMATION info, ULONG length, ULONG *needed)
{
    const struct ob_header *header = ob_header_of(object);
    *needed = sizeof(*info);
    if (length != sizeof(*info)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    memset(info, 0, sizeof(*info));
    info->GrantedAccess = handle->access;
    ob_lock();
    info->Attributes = handle->attributes | (header->is_permanent ? OBJ_PERMANENT : 0);
    info->HandleCount = (ULONG)header->handles;
    ob_unlock();
    /* Without the reference that this question holds. */
    info->PointerCount = (ULONG)__atomic_load_n(&header->references, __ATOMIC_RELAXED) - 1;
    return STATUS_SUCCESS;
}

static NTSTATUS query_type(const void *object, PPUBLIC_OBJECT_TYPE_INFORMATION info, ULONG length,
                           ULONG *needed)
{
    const char *name = ob_type_of(object)->name;
    USHORT bytes = (USHORT)(strlen(name) * sizeof(WCHAR));
    *needed = (ULONG)(sizeof(*info) + bytes + sizeof(WCHAR));
    if (length < *needed) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    memset(info, 0, sizeof(*info));
    WCHAR *text = (WCHAR *)(PVOID)(info + 1);
    for (size_t i = 0; i <= bytes / sizeof(WCHAR); i++) {
        text[i] = (WCHAR)name[i];
    }
    info->TypeName.Buffer = text;
    info->TypeName.Length = bytes;
    info->TypeName.MaximumLength = (USHORT)(bytes + sizeof(WCHAR));
    return STATUS_SUCCESS;
}

/*
 * What an object is, by a handle: ObjectBasicInformation, ObjectNameInformation or
 * ObjectTypeInformation. STATUS_INFO_LENGTH_MISMATCH with *ReturnLength (which may be NULL), the
 * bytes needed; STATUS_INVALID_INFO_CLASS, STATUS_INVALID_HANDLE. PASSIVE_LEVEL.
 */
NTSTATUS ZwQueryObject(HANDLE Handle, OBJECT_INFORMATION_CLASS ObjectInformationClass,
                       PVOID ObjectInformation, ULONG ObjectInformationLength, PULONG ReturnLength)
{
    struct ob_handle_info handle;
    void *object = NULL;
    ULONG needed = 0;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = ob_query_handle(Handle, NULL, &object, &handle);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    switch (ObjectInformationClass) {
    case ObjectBasicInformation:
        status = query_basic(object, &handle, ObjectInformation, ObjectInformationLength, &needed);
        break;
    case ObjectNameInformation:
        status = ObQueryNameString(object, ObjectInformation, ObjectInformationLength, &needed);
        break;
    case ObjectTypeInformation:
        status = query_type(object, ObjectInformation, ObjectInformationLength, &needed);
        break;
    default:
        status = STATUS_INVALID_INFO_CLASS;
    }
    ob_dereference(object);
    if (ReturnLength != NULL) {
        *ReturnLength = needed;
    }
    return status;
}

static NTSTATUS check_process(HANDLE handle)
{
    void *process = NULL;
    ACCESS_MASK access = 0;
    NTSTATUS status = ob_reference_handle(handle, *PsProcessType, &process, &access);
    if (NT_SUCCESS(status)) {
        ob_dereference(process);
    }
    return status;
}

static NTSTATUS duplicate(HANDLE source, PHANDLE target, ACCESS_MASK access, ULONG attributes,
                          ULONG options)
{
    struct ob_handle_info info;
    void *object = NULL;
    NTSTATUS status = ob_query_handle(source, NULL, &object, &info);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if ((options & DUPLICATE_SAME_ACCESS) == 0) {
        info.access = access;
    }
    if ((options & DUPLICATE_SAME_ATTRIBUTES) == 0) {
        info.attributes = attributes & OBJ_INHERIT;
    }
    if (target != NULL) {
        ob_lock();
        status = ob_open_handle_locked(object, &info, target);
        ob_unlock();
    }
    ob_dereference(object);
    return status;
}

/*
 * Another handle to what SourceHandle is to; TargetHandle may be NULL. Both processes are the
 * system's. With DUPLICATE_CLOSE_SOURCE the source is closed in any case. STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH. PASSIVE_LEVEL.
 */
NTSTATUS ZwDuplicateObject(HANDLE SourceProcessHandle, HANDLE SourceHandle,
                           HANDLE TargetProcessHandle, PHANDLE TargetHandle,
                           ACCESS_MASK DesiredAccess, ULONG HandleAttributes, ULONG Options)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = check_process(SourceProcessHandle);
    if (NT_SUCCESS(status) && TargetHandle != NULL) {
        status = check_process(TargetProcessHandle);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = duplicate(SourceHandle, TargetHandle, DesiredAccess, HandleAttributes, Options);
    if ((Options & DUPLICATE_CLOSE_SOURCE) != 0) {
        ob_close_handle(SourceHandle);
    }
    return status;
}

/*
 * Lets a permanent object go with its last handle and reference. STATUS_INVALID_HANDLE.
 * PASSIVE_LEVEL. (OB-22)
 */
NTSTATUS ZwMakeTemporaryObject(HANDLE Handle)
{
    void *object = NULL;
    ACCESS_MASK access = 0;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = ob_reference_handle(Handle, NULL, &object, &access);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    struct ob_header *header = ob_header_of(object);
    ob_lock();
    bool was_permanent = header->is_permanent;
    header->is_permanent = false;
    header->is_temporary = true;
    ob_unlock();
    if (was_permanent) {
        ob_dereference(object);
    }
    ob_dereference(object);
    return STATUS_SUCCESS;
}
