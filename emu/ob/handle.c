/*
 * Handles: one table, for all handles here are the kernel's. A handle's value is four times its
 * slot's number plus four, with the bits that mark kernel handles on Windows.
 *
 * The name of a temporary object goes with its last handle (OB-21), in the same hold of the lock,
 * so that whoever opens by name gets either a handle to the named object or none.
 */
#include "base/stack.h"
#include "ke/warning.h"
#include "ob/name.h"
#include "ob/object.h"

#include <stdlib.h>

#define KERNEL_HANDLE_MASK 0xFFFFFFFF80000000ULL
#define SLOTS_FIRST 64
#define OTHERS_MS 300 /* how long requests of a test that has ended may still take */
#define ALL_ACCESS (STANDARD_RIGHTS_ALL | SPECIFIC_RIGHTS_ALL)

struct ob_handle {
    void *object; /* NULL while free */
    struct ob_handle_info info;
    const void *creator; /* where driver code opened it, or NULL */
    ULONG next_free;
};

static HANDLE handle_of(ULONG slot)
{
    return (HANDLE)(ULONG_PTR)(KERNEL_HANDLE_MASK | ((ULONG64)slot * 4 + 4));
}

/* The slot of a handle that is open, or NULL. The lock is held. */
static struct ob_handle *slot_of(struct ob_state *ob, HANDLE handle)
{
    ULONG64 value = (ULONG_PTR)handle;
    ULONG64 low = value & ~KERNEL_HANDLE_MASK;
    if ((value & KERNEL_HANDLE_MASK) != KERNEL_HANDLE_MASK || low % 4 != 0 || low == 0) {
        return NULL;
    }
    ULONG64 slot = low / 4 - 1;
    if (slot >= ob->handle_capacity || ob->handles[slot].object == NULL) {
        return NULL;
    }
    return &ob->handles[slot];
}

static bool grow(struct ob_state *ob)
{
    ULONG capacity = ob->handle_capacity == 0 ? SLOTS_FIRST : ob->handle_capacity * 2;
    struct ob_handle *handles = realloc(ob->handles, capacity * sizeof(*handles));
    if (handles == NULL) {
        return false;
    }
    for (ULONG i = ob->handle_capacity; i < capacity; i++) {
        handles[i] = (struct ob_handle){.next_free = i + 1};
    }
    ob->first_free = ob->handle_capacity;
    ob->handles = handles;
    ob->handle_capacity = capacity;
    return true;
}

NTSTATUS ob_open_handle_locked(void *object, const struct ob_handle_info *info, HANDLE *handle)
{
    struct ob_state *ob = ob_state();
    if (ob->first_free == ob->handle_capacity && !grow(ob)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ULONG slot = ob->first_free;
    ob->first_free = ob->handles[slot].next_free;
    ob->handles[slot].object = object;
    ob->handles[slot].info = *info;
    ob->handles[slot].creator = ke_code_caller();
    ob->handle_count++;
    ob_header_of(object)->handles++;
    ob_reference(object);
    *handle = handle_of(slot);
    return STATUS_SUCCESS;
}

NTSTATUS ob_open_handle(void *object, ACCESS_MASK access, HANDLE *handle)
{
    struct ob_handle_info info = {.access = access};
    ob_lock();
    NTSTATUS status = ob_open_handle_locked(object, &info, handle);
    ob_unlock();
    return status;
}

/* What a pseudo-handle stands for, or NULL. */
static void *pseudo_object(HANDLE handle)
{
    if (handle == ZwCurrentThread()) {
        return ke_current();
    }
    return handle == ZwCurrentProcess() ? PsGetCurrentProcess() : NULL;
}

static NTSTATUS query_pseudo(void *pseudo, POBJECT_TYPE type, void **object,
                             struct ob_handle_info *info)
{
    if (type != NULL && ob_type_of(pseudo) != type) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    ob_reference(pseudo);
    *object = pseudo;
    *info = (struct ob_handle_info){.access = ALL_ACCESS};
    return STATUS_SUCCESS;
}

NTSTATUS ob_query_handle(HANDLE handle, POBJECT_TYPE type, void **object,
                         struct ob_handle_info *info)
{
    void *pseudo = pseudo_object(handle);
    NTSTATUS status = STATUS_SUCCESS;
    *object = NULL;
    if (pseudo != NULL) {
        return query_pseudo(pseudo, type, object, info);
    }
    ob_lock();
    const struct ob_handle *slot = slot_of(ob_state(), handle);
    if (slot == NULL) {
        status = STATUS_INVALID_HANDLE;
    } else if (type != NULL && ob_type_of(slot->object) != type) {
        status = STATUS_OBJECT_TYPE_MISMATCH;
    } else {
        ob_reference(slot->object);
        *object = slot->object;
        *info = slot->info;
    }
    ob_unlock();
    return status;
}

NTSTATUS ob_reference_handle(HANDLE handle, POBJECT_TYPE type, void **object, ACCESS_MASK *granted)
{
    struct ob_handle_info info = {0};
    NTSTATUS status = ob_query_handle(handle, type, object, &info);
    *granted = info.access;
    return status;
}

/* Empties a slot and returns its object, whose handle is one less. The lock is held. */
static void *empty(struct ob_state *ob, struct ob_handle *slot)
{
    void *object = slot->object;
    slot->object = NULL;
    slot->next_free = ob->first_free;
    ob->first_free = (ULONG)(slot - ob->handles);
    ob->handle_count--;
    ob_header_of(object)->handles--;
    return object;
}

NTSTATUS ob_close_handle(HANDLE handle)
{
    struct ob_name *name = NULL;
    ob_lock();
    struct ob_handle *slot = slot_of(ob_state(), handle);
    if (slot == NULL) {
        ob_unlock();
        return STATUS_INVALID_HANDLE;
    }
    void *object = empty(ob_state(), slot);
    const struct ob_header *header = ob_header_of(object);
    bool is_last = header->handles == 0;
    if (is_last && header->is_temporary) {
        name = ob_name_detach_locked(object);
    }
    ob_unlock();
    free(name);
    if (is_last && header->type->close != NULL) {
        header->type->close(object);
    }
    ob_dereference(object);
    return STATUS_SUCCESS;
}

static LONG64 references_of(const struct ob_header *header)
{
    return __atomic_load_n(&header->references, __ATOMIC_ACQUIRE);
}

/* A handle that no driver opened, or NULL; and whether its object is in other use as well. */
static HANDLE find_others(struct ob_state *ob, bool *is_in_use)
{
    HANDLE found = NULL;
    ob_lock();
    for (ULONG slot = 0; slot < ob->handle_capacity && found == NULL; slot++) {
        if (ob->handles[slot].object != NULL && ob->handles[slot].creator == NULL) {
            const struct ob_header *header = ob_header_of(ob->handles[slot].object);
            found = handle_of(slot);
            *is_in_use = references_of(header) > header->handles;
        }
    }
    ob_unlock();
    return found;
}

/* A file that no driver opened, and which somebody still holds without a handle; or NULL. */
static void *find_others_file(struct ob_state *ob)
{
    void *found = NULL;
    ob_lock();
    for (LIST_ENTRY *entry = ob->objects.Flink; entry != &ob->objects; entry = entry->Flink) {
        struct ob_header *header = CONTAINING_RECORD(entry, struct ob_header, link);
        if (header->type == *IoFileObjectType && header->creator == NULL && header->handles == 0 &&
            references_of(header) == 1) {
            found = header + 1;
        }
    }
    ob_unlock();
    return found;
}

void ob_close_others(void)
{
    LARGE_INTEGER pause = {.QuadPart = -10000};
    ULONG patience_ms = OTHERS_MS;
    HANDLE handle;
    bool is_in_use;
    while ((handle = find_others(ob_state(), &is_in_use)) != NULL) {
        for (; is_in_use && patience_ms != 0; patience_ms--) {
            KeDelayExecutionThread(KernelMode, FALSE, &pause);
            find_others(ob_state(), &is_in_use);
        }
        ob_close_handle(handle);
    }
    void *file;
    while ((file = find_others_file(ob_state())) != NULL) {
        if (patience_ms == 0) {
            ob_dereference(file);
            continue;
        }
        patience_ms--;
        KeDelayExecutionThread(KernelMode, FALSE, &pause); /* then it may be gone by itself */
    }
}

unsigned ob_report_driver_handles(const struct ke_code *code)
{
    struct ob_state *ob = ob_state();
    unsigned left = 0;
    ob_lock();
    for (ULONG slot = 0; slot < ob->handle_capacity; slot++) {
        const struct ob_handle *open = &ob->handles[slot];
        if (open->object == NULL || open->creator == NULL || !ke_code_called(code, open->creator)) {
            continue;
        }
        POBJECT_TYPE type = ob_type_of(open->object);
        ke_warning(type == *PsThreadType ? "THREAD-09" : "OB-24",
                   "the driver %s was unloaded and did not close the handle %p of the %s object "
                   "%p, opened in %s",
                   code->driver, handle_of(slot), type->name, open->object,
                   base_stack_site(open->creator).text);
        left++;
    }
    ob_unlock();
    return left;
}
