/*
 * Objects: what has a reference count and may have handles and a name. See object.c.
 */
#ifndef OB_OBJECT_H
#define OB_OBJECT_H

#include <wdm.h>

#include "base/mutex.h"
#include "ke/code.h"
#include "ke/kernel.h"
#include "ob/deletion.h"
#include "ob/key.h"

#include <stdbool.h>

/* A type of objects. The kernel's exported type pointers (PsThreadType, ...) point at these. */
struct _OBJECT_TYPE {
    const char *name; /* "Thread" */
    /* Frees what the object holds; called once, when the last reference went. May be NULL. */
    void (*destroy)(void *object);
    /* Says that the last handle was closed. May be NULL. */
    void (*close)(void *object);
    /* What to wait for when the object is waited for; NULL if it cannot be. */
    DISPATCHER_HEADER *(*waitable)(void *object);
    /*
     * The object's full name where it is not the namespace's: writes at most that many bytes and
     * returns how many the name has. May be NULL.
     */
    ULONG (*query_name)(void *object, WCHAR *buffer, ULONG bytes);
    /* destroy needs PASSIVE_LEVEL: above it, and at shutdown, it is left to the deleting thread. */
    bool is_destroyed_at_passive;
};

/* Stands before every object, and keeps it aligned as the allocator aligns. */
struct ob_header {
    _Alignas(16) LIST_ENTRY link; /* in ob_state.objects; guarded by its lock */
    POBJECT_TYPE type;
    const void *creator;  /* where driver code made it, or NULL */
    LONG64 references;    /* atomic */
    LONG handles;         /* guarded by ob_state.lock, as all below */
    bool is_internal;     /* the emulator's own: not reported as left */
    bool is_temporary;    /* loses its name with its last handle */
    bool is_permanent;    /* the namespace holds a reference */
    struct ob_name *name; /* in the namespace, or NULL */
    struct ob_tags *tags; /* of references, or NULL; see tag.c */
};

/* So many destroyed objects keep their memory, so that who uses one too long is found out. */
#define OB_GRAVES 64

struct ob_state {
    struct base_mutex lock; /* guards the lists, the handle table and the namespace */
    LIST_ENTRY objects;
    LIST_ENTRY names;
    struct ob_handle *handles;
    ULONG handle_count;                 /* slots in use */
    ULONG handle_capacity;              /* slots */
    ULONG first_free;                   /* slot number, or handle_capacity */
    struct ob_header *grave[OB_GRAVES]; /* or NULL */
    ULONG next_grave;
    struct ob_deletions deletions;
    struct ob_registry registry;
};

/* What a handle is. */
struct ob_handle_info {
    ACCESS_MASK access;
    ULONG attributes; /* OBJ_INHERIT */
    bool is_users;    /* a user's, which no driver or system thread opened */
};

extern const struct ke_module ob_module;

static inline struct ob_state *ob_state(void)
{
    return ke_state(KE_MODULE_OB);
}

static inline struct ob_header *ob_header_of(const void *object)
{
    return (struct ob_header *)(ULONG_PTR)object - 1;
}

static inline void ob_lock(void)
{
    base_mutex_lock(&ob_state()->lock);
}

static inline void ob_unlock(void)
{
    base_mutex_unlock(&ob_state()->lock);
}

/*
 * Warns of what code of the driver made and left: handles, symbolic links, files without handle.
 * Returns how many. (THREAD-09, OB-24, DEV-44, DEV-48)
 */
unsigned ob_report_driver(const struct ke_code *code);

/* The handles alone. */
unsigned ob_report_driver_handles(const struct ke_code *code);

/* A zeroed object of that many bytes with one reference; NULL when memory is short. */
void *ob_create(POBJECT_TYPE type, size_t bytes);

/* Marks an object as the emulator's own, which shutdown does not report. */
void ob_make_internal(void *object);

/* The type of an object. */
POBJECT_TYPE ob_type_of(const void *object);

/* One reference more, one less; the object is destroyed with its last. Any IRQL <= DISPATCH. */
LONG_PTR ob_reference(void *object);
LONG_PTR ob_dereference(void *object);

/* One reference more, unless the last one is gone. */
bool ob_reference_safe(void *object);

/* One reference less; the deleting thread destroys the object. */
void ob_dereference_deferred(void *object);

/* Destroys an object without references. */
void ob_destroy(struct ob_header *header);

/* The object of that type for which matches says true, referenced; NULL if there is none. */
void *ob_find(POBJECT_TYPE type, bool (*matches)(const void *object, ULONG_PTR key), ULONG_PTR key);

/* A kernel handle to the object; it holds a reference. STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS ob_open_handle(void *object, ACCESS_MASK access, HANDLE *handle);

/* The same, with the lock held. */
NTSTATUS ob_open_handle_locked(void *object, const struct ob_handle_info *info, HANDLE *handle);

/* The referenced object behind a handle, or behind ZwCurrentThread() and ZwCurrentProcess(); type
 * NULL means any. STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH. */
NTSTATUS ob_reference_handle(HANDLE handle, POBJECT_TYPE type, void **object, ACCESS_MASK *granted);

/* The same; tells all of the handle. */
NTSTATUS ob_query_handle(HANDLE handle, POBJECT_TYPE type, void **object,
                         struct ob_handle_info *info);

/* Closes a handle. STATUS_INVALID_HANDLE if it is none. */
NTSTATUS ob_close_handle(HANDLE handle);

/* Closes all handles and files that no driver opened: what a test had when one of its assertions
 * ended it. Requests that it made have a moment to come to their end. */
void ob_close_others(void);

/*
 * Gives the object the name that attributes (which may be NULL) say, and opens a handle to it. With
 * OBJ_OPENIF and a name in use, the handle is to the object that has it, and the status is
 * STATUS_OBJECT_NAME_EXISTS. The caller's reference is used up in any case.
 * STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_TYPE_MISMATCH, those of ob_name_insert.
 */
NTSTATUS ob_insert(void *object, const OBJECT_ATTRIBUTES *attributes, ACCESS_MASK access,
                   HANDLE *handle);

/* Opens a handle to the object of that type that attributes name. */
NTSTATUS ob_open(const OBJECT_ATTRIBUTES *attributes, POBJECT_TYPE type, ACCESS_MASK access,
                 HANDLE *handle);

#endif
