/* References that drivers take to objects, by handle and by pointer. */
#include "base/stack.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "ob/link.h"
#include "ob/object.h"
#include "ob/tag.h"
#include "verifier/level.h"

static void check_passive(const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql != PASSIVE_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE5, irql, 0, 0, "OB-06",
                    "The driver called %s at IRQL %u; it needs PASSIVE_LEVEL.", function, irql);
    }
}

/* A user may send any number as a handle, but may have none of the kernel's. */
static void check_handle(HANDLE handle, NTSTATUS status, KPROCESSOR_MODE mode, bool is_users,
                         const void *caller)
{
    if (status == STATUS_INVALID_HANDLE && mode == KernelMode) {
        ke_warning("OB-07", "the driver referenced %s handle %p, at %s",
                   handle == NULL ? "the NULL" : "a bad", handle, base_stack_site(caller).text);
    } else if (NT_SUCCESS(status) && mode != KernelMode && !is_users) {
        ke_warning("OB-07", "the driver referenced the kernel handle %p with UserMode, at %s",
                   handle, base_stack_site(caller).text);
    }
}

/*
 * The referenced object behind a handle. Access is checked for UserMode only. *Object is NULL on
 * failure. STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED. PASSIVE_LEVEL.
 * (OB-01 to OB-04)
 */
NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
                                   POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                   PVOID *Object, POBJECT_HANDLE_INFORMATION HandleInformation)
{
    struct ob_handle_info info = {0};
    check_passive("ObReferenceObjectByHandle");
    NTSTATUS status = ob_query_handle(Handle, ObjectType, Object, &info);
    check_handle(Handle, status, AccessMode, info.is_users, _ReturnAddress());
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (AccessMode != KernelMode && (DesiredAccess & ~info.access) != 0) {
        ob_dereference(*Object);
        *Object = NULL;
        return STATUS_ACCESS_DENIED;
    }
    if (HandleInformation != NULL) {
        HandleInformation->HandleAttributes = info.attributes;
        HandleInformation->GrantedAccess = info.access;
    }
    return STATUS_SUCCESS;
}

/* As ObReferenceObjectByHandle; tags are counted at level full only. (OB-17, OB-18) */
NTSTATUS ObReferenceObjectByHandleWithTag(HANDLE Handle, ACCESS_MASK DesiredAccess,
                                          POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                          ULONG Tag, PVOID *Object,
                                          POBJECT_HANDLE_INFORMATION HandleInformation)
{
    NTSTATUS status = ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode,
                                                Object, HandleInformation);
    if (NT_SUCCESS(status)) {
        ob_tag_taken(ob_header_of(*Object), Tag);
    }
    return status;
}

/* References an object after a check of its type, for UserMode and for symbolic links.
 * STATUS_OBJECT_TYPE_MISMATCH. IRQL <= DISPATCH_LEVEL. (OB-10) */
NTSTATUS ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess,
                                    POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode)
{
    UNREFERENCED_PARAMETER(DesiredAccess);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    bool is_checked = AccessMode != KernelMode || ob_is_link(Object);
    if (is_checked && ob_type_of(Object) != ObjectType) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    ob_reference(Object);
    return STATUS_SUCCESS;
}

/* As ObReferenceObjectByPointer. */
NTSTATUS ObReferenceObjectByPointerWithTag(PVOID Object, ACCESS_MASK DesiredAccess,
                                           POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                           ULONG Tag)
{
    NTSTATUS status = ObReferenceObjectByPointer(Object, DesiredAccess, ObjectType, AccessMode);
    if (NT_SUCCESS(status)) {
        ob_tag_taken(ob_header_of(Object), Tag);
    }
    return status;
}

/* One reference more, or FALSE for an object that is being deleted. IRQL <= DISPATCH. (OB-19) */
BOOLEAN ObReferenceObjectSafe(PVOID Object)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return ob_reference_safe(Object);
}

/* As ObReferenceObjectSafe. */
BOOLEAN ObReferenceObjectSafeWithTag(PVOID Object, ULONG Tag)
{
    BOOLEAN is_referenced = ObReferenceObjectSafe(Object);
    if (is_referenced) {
        ob_tag_taken(ob_header_of(Object), Tag);
    }
    return is_referenced;
}

/* One reference more. IRQL <= DISPATCH_LEVEL. (OB-10) */
LONG_PTR ObfReferenceObject(PVOID Object)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return ob_reference(Object);
}

/* As ObfReferenceObject. */
LONG_PTR ObfReferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    LONG_PTR references = ObfReferenceObject(Object);
    ob_tag_taken(ob_header_of(Object), Tag);
    return references;
}

/* Each handle holds a reference: a driver that drops one of its own leaves at least those. */
static void check_handles(const void *object)
{
    const struct ob_header *header = ob_header_of(object);
    if (!verifier_is_on() || __atomic_load_n(&header->handles, __ATOMIC_RELAXED) == 0) {
        return;
    }
    ob_lock();
    LONG handles = header->handles;
    bool is_handles =
        handles > 0 && __atomic_load_n(&header->references, __ATOMIC_RELAXED) <= handles;
    ob_unlock();
    if (is_handles) {
        ke_violation(REFERENCE_BY_POINTER, (ULONG_PTR)header->type, (ULONG_PTR)object, 0, 0,
                     "OB-12",
                     "The driver dereferenced the %s object %p more often than it had referenced "
                     "it: it dropped the reference of a handle that is open.",
                     header->type->name, object);
    }
}

/* One reference less; the last one frees the object. IRQL <= DISPATCH_LEVEL. (OB-11) */
LONG_PTR ObfDereferenceObject(PVOID Object)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_handles(Object);
    return ob_dereference(Object);
}

/* As ObfDereferenceObject. */
LONG_PTR ObfDereferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    ob_tag_dropped(ob_header_of(Object), Tag, _ReturnAddress());
    return ObfDereferenceObject(Object);
}

/* One reference less; a thread of the system's frees the object. IRQL <= DISPATCH_LEVEL. (OB-14) */
VOID ObDereferenceObjectDeferDelete(PVOID Object)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    ob_dereference_deferred(Object);
}

/* As ObDereferenceObjectDeferDelete. */
VOID ObDereferenceObjectDeferDeleteWithTag(PVOID Object, ULONG Tag)
{
    ob_tag_dropped(ob_header_of(Object), Tag, _ReturnAddress());
    ObDereferenceObjectDeferDelete(Object);
}

static NTSTATUS close(HANDLE handle, const void *caller)
{
    NTSTATUS status = ob_close_handle(handle);
    if (!NT_SUCCESS(status)) {
        ke_warning("OB-24", "the driver closed %p at %p, which is no open handle", handle, caller);
    }
    return status;
}

/* Closes a handle. STATUS_INVALID_HANDLE. PASSIVE_LEVEL. (OB-23) */
NTSTATUS ZwClose(HANDLE Handle)
{
    check_passive("ZwClose");
    return close(Handle, _ReturnAddress());
}

/* As ZwClose. */
NTSTATUS ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode)
{
    UNREFERENCED_PARAMETER(PreviousMode);
    check_passive("ObCloseHandle");
    return close(Handle, _ReturnAddress());
}
