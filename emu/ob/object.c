/*
 * Objects: a header before the object counts its references and says what it is. Whoever drops the
 * last reference destroys the object, or leaves that to the deleting thread; from then on no
 * look-up finds it, for a look-up takes its reference only where one is left.
 */
#include "ob/object.h"

#include "base/log.h"
#include "base/stack.h"
#include "ke/bugcheck.h"
#include "ke/left.h"
#include "ke/warning.h"
#include "ob/directory.h"
#include "ob/link.h"
#include "ob/name.h"
#include "ob/tag.h"

#include <stdlib.h>
#include <string.h>

#define NAME_SHOWN_MAX 96

void *ob_create(POBJECT_TYPE type, size_t bytes)
{
    struct ob_header *header = calloc(1, sizeof(*header) + bytes);
    if (header == NULL) {
        return NULL;
    }
    header->type = type;
    header->creator = ke_code_caller();
    header->references = 1;
    ob_lock();
    InsertTailList(&ob_state()->objects, &header->link);
    ob_unlock();
    return header + 1;
}

void ob_make_internal(void *object)
{
    ob_header_of(object)->is_internal = true;
}

POBJECT_TYPE ob_type_of(const void *object)
{
    return ob_header_of(object)->type;
}

static void check_references(const struct ob_header *header, LONG64 before, LONG change)
{
    if (before <= 0) {
        ke_bugcheck(REFERENCE_BY_POINTER, (ULONG_PTR)header->type, (ULONG_PTR)(header + 1), 0,
                    (ULONG_PTR)before, change > 0 ? "OB-16" : "OB-15",
                    "The driver %s the %s object %p, whose last reference is gone.",
                    change > 0 ? "referenced" : "dereferenced", header->type->name,
                    (const void *)(header + 1));
    }
}

LONG_PTR ob_reference(void *object)
{
    struct ob_header *header = ob_header_of(object);
    LONG64 before = __atomic_fetch_add(&header->references, 1, __ATOMIC_RELAXED);
    check_references(header, before, 1);
    return (LONG_PTR)(before + 1);
}

bool ob_reference_safe(void *object)
{
    struct ob_header *header = ob_header_of(object);
    LONG64 count = __atomic_load_n(&header->references, __ATOMIC_RELAXED);
    while (count > 0) {
        if (__atomic_compare_exchange_n(&header->references, &count, count + 1, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

/* Keeps the header of a destroyed object, whose count is zero, and frees the oldest kept. */
static void bury(struct ob_header *header)
{
    struct ob_state *ob = ob_state();
    ob_lock();
    ULONG place = ob->next_grave++ % OB_GRAVES;
    struct ob_header *oldest = ob->grave[place];
    ob->grave[place] = header;
    ob_unlock();
    free(oldest);
}

void ob_destroy(struct ob_header *header)
{
    if (header->tags != NULL) {
        ob_tag_check_left(header);
    }
    ob_name_remove(header + 1);
    ob_lock();
    RemoveEntryList(&header->link);
    ob_unlock();
    if (header->type->destroy != NULL) {
        header->type->destroy(header + 1);
    }
    bury(header);
}

/* Drops a reference; returns how many there were. */
static LONG64 release(struct ob_header *header)
{
    LONG64 before = __atomic_fetch_sub(&header->references, 1, __ATOMIC_ACQ_REL);
    check_references(header, before, -1);
    return before;
}

LONG_PTR ob_dereference(void *object)
{
    struct ob_header *header = ob_header_of(object);
    LONG64 before = release(header);
    if (before != 1) {
        return (LONG_PTR)(before - 1);
    }
    if (header->type->is_destroyed_at_passive && ke_current()->irql != PASSIVE_LEVEL) {
        ob_delete_later(header);
    } else {
        ob_destroy(header);
    }
    return 0;
}

void ob_dereference_deferred(void *object)
{
    struct ob_header *header = ob_header_of(object);
    if (release(header) == 1) {
        ob_delete_later(header);
    }
}

void *ob_find(POBJECT_TYPE type, bool (*matches)(const void *object, ULONG_PTR key), ULONG_PTR key)
{
    struct ob_state *ob = ob_state();
    void *found = NULL;
    ob_lock();
    for (LIST_ENTRY *entry = ob->objects.Flink; entry != &ob->objects && found == NULL;
         entry = entry->Flink) {
        struct ob_header *header = CONTAINING_RECORD(entry, struct ob_header, link);
        if (header->type == type && matches(header + 1, key) && ob_reference_safe(header + 1)) {
            found = header + 1;
        }
    }
    ob_unlock();
    return found;
}

static NTSTATUS start(void *state)
{
    struct ob_state *ob = state;
    base_mutex_init(&ob->lock);
    InitializeListHead(&ob->objects);
    InitializeListHead(&ob->names);
    ob_deletions_start(&ob->deletions);
    NTSTATUS status = ob_registry_start(&ob->registry);
    return NT_SUCCESS(status) ? ob_directories_create() : status;
}

static void quiesce(void *state)
{
    struct ob_state *ob = state;
    ob_deletions_quiesce(&ob->deletions);
}

static void print_left(const struct ob_header *header)
{
    char name[NAME_SHOWN_MAX];
    ob_name_print(header + 1, name, sizeof(name));
    base_log("left: %s object %p%s%s, %lld references, %d handles\n", header->type->name,
             (const void *)(header + 1), name[0] != '\0' ? ", " : "", name,
             (long long)header->references, header->handles);
}

/* ---- what a driver left ---- */

/* The rule that asks the driver to give such an object back; NULL for one that is not looked at:
 * threads and devices may be with others still. */
static const char *rule_of(const struct ob_header *header)
{
    if (ob_is_link_type(header->type)) {
        return "DEV-48";
    }
    bool is_file = strcmp(header->type->name, "File") == 0;
    return is_file && header->handles == 0 ? "DEV-44" : NULL;
}

unsigned ob_report_driver(const struct ke_code *code)
{
    struct ob_state *ob = ob_state();
    unsigned left = ob_report_driver_handles(code);
    ob_lock();
    for (LIST_ENTRY *entry = ob->objects.Flink; entry != &ob->objects; entry = entry->Flink) {
        const struct ob_header *header = CONTAINING_RECORD(entry, struct ob_header, link);
        const char *rule = rule_of(header);
        if (rule != NULL && header->creator != NULL && ke_code_called(code, header->creator)) {
            ke_warning(rule, "the driver %s was unloaded and left the %s object %p, made in %s",
                       code->driver, header->type->name, (const void *)(header + 1),
                       base_stack_site(header->creator).text);
            left++;
        }
    }
    ob_unlock();
    return left;
}

static unsigned report(void *state)
{
    struct ob_state *ob = state;
    unsigned left = 0;
    ob_lock(); /* a thread may be about to end */
    for (LIST_ENTRY *entry = ob->objects.Flink; entry != &ob->objects; entry = entry->Flink) {
        const struct ob_header *header = CONTAINING_RECORD(entry, struct ob_header, link);
        if (!header->is_internal) {
            print_left(header);
            ke_left_note(header->creator);
            left++;
        }
    }
    ob_unlock();
    return left;
}

/* Frees what is left. What needs drivers for that, and PASSIVE_LEVEL, loses what it holds. */
static void free_object(struct ob_header *header)
{
    if (header->type->destroy != NULL && !header->type->is_destroyed_at_passive) {
        header->type->destroy(header + 1);
    }
    free(header);
}

static void stop(void *state)
{
    struct ob_state *ob = state;
    while (!IsListEmpty(&ob->objects)) {
        free_object(CONTAINING_RECORD(RemoveHeadList(&ob->objects), struct ob_header, link));
    }
    while (!IsListEmpty(&ob->names)) {
        free(RemoveHeadList(&ob->names)); /* the link is the first member */
    }
    for (ULONG i = 0; i < OB_GRAVES; i++) {
        free(ob->grave[i]);
    }
    free(ob->handles);
    ob_registry_stop(&ob->registry);
    base_mutex_destroy(&ob->lock);
}

const struct ke_module ob_module = {
    .name = "objects",
    .state_bytes = sizeof(struct ob_state),
    .start = start,
    .quiesce = quiesce,
    .report = report,
    .stop = stop,
};
