/* Directories: they only say where names may stand; what stands in them is in the one list. */
#include "ob/directory.h"

#include "ke/limit.h"
#include "ob/name.h"
#include "ob/object.h"

static struct _OBJECT_TYPE directory_type = {.name = "Directory"};

static const WCHAR *const directories[] = {
    L"\\Device",   L"\\Driver",           L"\\FileSystem",    L"\\??",
    L"\\Callback", L"\\BaseNamedObjects", L"\\KernelObjects",
};

/* A kernel has no sessions: every DOS device is global. (DEV-49, DEV-50) */
static const struct {
    const WCHAR *path;
    const WCHAR *target;
} links[] = {
    {L"\\DosDevices", L"\\??"},
    {L"\\GLOBAL??", L"\\??"},
    {L"\\??\\Global", L"\\??"},
    {L"\\??\\GLOBALROOT", L""},
};

static NTSTATUS create_directory(const WCHAR *text)
{
    UNICODE_STRING path;
    RtlInitUnicodeString(&path, text);
    void *directory = ob_create(&directory_type, 1);
    if (directory == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ob_make_internal(directory);
    return ob_name_insert(&path, directory);
}

static NTSTATUS create_link(const WCHAR *path_text, const WCHAR *target_text)
{
    UNICODE_STRING path;
    UNICODE_STRING target;
    void *link = NULL;
    RtlInitUnicodeString(&path, path_text);
    RtlInitUnicodeString(&target, target_text);
    NTSTATUS status = ob_name_link(&path, &target);
    if (NT_SUCCESS(status)) {
        status = ob_name_find_locked(&path, FALSE, &link);
        ob_make_internal(link);
    }
    return status;
}

NTSTATUS ob_directories_create(void)
{
    NTSTATUS status = STATUS_SUCCESS;
    for (size_t i = 0; i < RTL_NUMBER_OF(directories) && NT_SUCCESS(status); i++) {
        status = create_directory(directories[i]);
    }
    for (size_t i = 0; i < RTL_NUMBER_OF(links) && NT_SUCCESS(status); i++) {
        status = create_link(links[i].path, links[i].target);
    }
    return status;
}

bool ob_is_directory(const void *object)
{
    return ob_type_of(object) == &directory_type;
}

/*
 * Creates or, with OBJ_OPENIF, opens a directory of the namespace. STATUS_OBJECT_NAME_COLLISION,
 * STATUS_OBJECT_NAME_EXISTS, STATUS_OBJECT_PATH_NOT_FOUND. PASSIVE_LEVEL.
 */
NTSTATUS ZwCreateDirectoryObject(PHANDLE DirectoryHandle, ACCESS_MASK DesiredAccess,
                                 POBJECT_ATTRIBUTES ObjectAttributes)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    void *directory = ob_create(&directory_type, 1);
    if (directory == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return ob_insert(directory, ObjectAttributes, DesiredAccess, DirectoryHandle);
}
