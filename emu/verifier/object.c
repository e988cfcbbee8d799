#include "verifier/object.h"

#include "base/log.h"
#include "base/stack.h"
#include "verifier/call_stack.h"
#include "verifier/report.h"
#include "verifier/verifier.h"

#include <stdlib.h>
#include <string.h>

#define LOCK_TRIES 1000
#define SUBJECTS_MAX 4

/* The record of an object that the verifier keeps. */
struct verifier_object {
    struct verifier_object *next; /* in its bucket; guarded by the shard's lock */
    const char *kind;
    const void *start;
    const void *creator;
    struct verifier_stack stack[]; /* on which it was made: one at level full, else none */
};

static _Thread_local const void *subjects[SUBJECTS_MAX];
static _Thread_local unsigned subject_count;

void verifier_objects_start(struct verifier_objects *objects)
{
    for (int i = 0; i < VERIFIER_SHARDS; i++) {
        base_mutex_init(&objects->shards[i].lock);
    }
}

static void free_all(struct verifier_object *object)
{
    while (object != NULL) {
        struct verifier_object *next = object->next;
        free(object);
        object = next;
    }
}

void verifier_objects_stop(struct verifier_objects *objects)
{
    for (int i = 0; i < VERIFIER_SHARDS; i++) {
        for (int j = 0; j < VERIFIER_BUCKETS; j++) {
            free_all(objects->shards[i].bucket[j]);
        }
        base_mutex_destroy(&objects->shards[i].lock);
    }
}

void verifier_finder_add(verifier_finder *finder, verifier_lister *lister, void *context)
{
    struct verifier_state *verifier = verifier_state();
    if (verifier == NULL || verifier->objects.finder_count == VERIFIER_FINDERS_MAX) {
        return;
    }
    unsigned n = verifier->objects.finder_count++;
    verifier->objects.finders[n].find = finder;
    verifier->objects.finders[n].list = lister;
    verifier->objects.finders[n].context = context;
}

/* Who holds it may be on the way out of a halted kernel, or be the caller. */
bool verifier_lock(struct base_mutex *lock)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (base_mutex_try_lock(lock)) {
            return true;
        }
        YieldProcessor();
    }
    return false;
}

/* ---- keeping records ---- */

static size_t hash_of(const void *start)
{
    return (size_t)((((ULONG_PTR)start >> 4) * 0x9E3779B97F4A7C15ULL) >> 40);
}

static struct verifier_shard *shard_of(struct verifier_objects *objects, const void *start)
{
    return &objects->shards[hash_of(start) % VERIFIER_SHARDS];
}

/* The link that points at the record, or at NULL. The shard's lock is held. */
static struct verifier_object **link_to(struct verifier_shard *shard, const void *start)
{
    struct verifier_object **link =
        &shard->bucket[hash_of(start) / VERIFIER_SHARDS % VERIFIER_BUCKETS];
    while (*link != NULL && (*link)->start != start) {
        link = &(*link)->next;
    }
    return link;
}

static struct verifier_object *create(const char *kind, const void *start, const void *site)
{
    struct verifier_object *object;
    object = calloc(1, sizeof(*object) + (verifier_is_full() ? sizeof(object->stack[0]) : 0));
    if (object == NULL) {
        return NULL;
    }
    object->kind = kind;
    object->start = start;
    object->creator = site;
    if (verifier_is_full()) {
        verifier_stack_capture(&object->stack[0]);
    }
    return object;
}

void verifier_object_record(const char *kind, const void *start, const void *site)
{
    struct verifier_state *verifier = verifier_state();
    struct verifier_object *object = verifier != NULL ? create(kind, start, site) : NULL;
    if (object == NULL) {
        return;
    }
    struct verifier_shard *shard = shard_of(&verifier->objects, start);
    base_mutex_lock(&shard->lock);
    struct verifier_object **link = link_to(shard, start);
    object->next = *link;
    *link = object;
    base_mutex_unlock(&shard->lock);
}

/* Takes the record out; NULL if there is none. */
static struct verifier_object *take(const void *start)
{
    struct verifier_state *verifier = verifier_state();
    if (verifier == NULL) {
        return NULL;
    }
    struct verifier_shard *shard = shard_of(&verifier->objects, start);
    base_mutex_lock(&shard->lock);
    struct verifier_object **link = link_to(shard, start);
    struct verifier_object *object = *link;
    if (object != NULL) {
        *link = object->next;
    }
    base_mutex_unlock(&shard->lock);
    return object;
}

void verifier_object_forget(const void *start)
{
    free(take(start));
}

void verifier_object_bury(const void *start, const void *site)
{
    struct verifier_object *object = take(start);
    if (object != NULL) {
        verifier_note_freed(start, object->kind, object->creator, site);
        free(object);
    }
}

/* ---- reports ---- */

void verifier_object_is_subject(const void *object)
{
    if (subject_count < SUBJECTS_MAX) {
        subjects[subject_count++] = object;
    }
}

static bool describe_by_finders(struct verifier_objects *objects, const void *address,
                                struct verifier_description *description)
{
    for (unsigned i = 0; i < objects->finder_count; i++) {
        verifier_finder *find = objects->finders[i].find;
        if (find != NULL && find(objects->finders[i].context, address, description)) {
            return true;
        }
    }
    return false;
}

/* Copies the record, with its stack, which is printed without the lock. */
static bool describe_by_record(struct verifier_objects *objects, const void *address,
                               struct verifier_description *description,
                               struct verifier_stack *stack)
{
    struct verifier_shard *shard = shard_of(objects, address);
    if (!verifier_lock(&shard->lock)) {
        return false;
    }
    const struct verifier_object *object = *link_to(shard, address);
    if (object != NULL) {
        description->kind = object->kind;
        description->start = object->start;
        description->creator = object->creator;
        if (verifier_is_full()) {
            *stack = object->stack[0];
        }
    }
    base_mutex_unlock(&shard->lock);
    return object != NULL;
}

/* The last that happened to an object. */
struct last {
    const void *object;
    bool is_known;
    struct verifier_event event;
};

static bool find_last(void *context, const struct verifier_event *event)
{
    struct last *last = context;
    if (event->object == last->object && (event->act == VERIFIER_FREED || event->site != NULL)) {
        last->is_known = true;
        last->event = *event;
    }
    return last->is_known;
}

static struct last last_of(struct verifier_state *verifier, const void *object)
{
    struct last last = {.object = object};
    verifier_history_visit(&verifier->history, find_last, &last);
    return last;
}

bool verifier_irp_was_completed(const void *irp)
{
    struct verifier_state *verifier = verifier_state();
    struct last last = {0};
    if (verifier != NULL) {
        last = last_of(verifier, irp);
    }
    return last.is_known && last.event.act == VERIFIER_COMPLETED;
}

bool verifier_irp_is_completed(const void *irp)
{
    struct verifier_state *verifier = verifier_state();
    struct last last = {0};
    if (verifier != NULL) {
        last = last_of(verifier, irp);
    }
    return last.is_known &&
           (last.event.act == VERIFIER_COMPLETED || last.event.act == VERIFIER_FREED);
}

static void print_site(const char *what, const void *site)
{
    if (site != NULL) {
        base_log("    %s %s\n", what, base_stack_site(site).text);
    }
}

static void print_last(const struct verifier_event *event)
{
    switch (event->act) {
    case VERIFIER_SENT:
        base_log("    last sent to %p by %s, called by %s\n", event->holder,
                 event->name != NULL ? event->name : "IoCallDriver",
                 base_stack_site(event->site).text);
        return;
    case VERIFIER_COMPLETED:
        print_site("last completed by", event->site);
        return;
    case VERIFIER_USED:
        base_log("    last used by %s, called by %s\n", event->name,
                 base_stack_site(event->site).text);
        return;
    case VERIFIER_FREED:
        print_site("freed by", event->site);
        return;
    }
}

static void print_known(struct verifier_state *verifier,
                        const struct verifier_description *description,
                        const struct verifier_stack *stack)
{
    struct last last = last_of(verifier, description->start);
    base_log("\n%p: %s%s%s\n", description->start, description->kind,
             description->note[0] != '\0' ? ", " : "", description->note);
    print_site("made by", description->creator);
    if (stack->count != 0) {
        base_log("    on this stack:\n");
        verifier_stack_print(stack);
    }
    if (last.is_known) {
        print_last(&last.event);
    }
    verifier_history_print(&verifier->history, description->start);
}

/* What was freed is known as long as the history reaches back. */
static bool print_freed(struct verifier_state *verifier, const void *address)
{
    struct last last = last_of(verifier, address);
    if (!last.is_known || last.event.act != VERIFIER_FREED) {
        return false;
    }
    base_log("\n%p: %s, which was freed\n", address, last.event.name);
    print_site("made by", last.event.routine);
    print_last(&last.event);
    verifier_history_print(&verifier->history, address);
    return true;
}

/* A routine of the driver, which may have returned. */
static bool print_code(const void *address)
{
    struct base_stack_frame frame = {0};
    base_stack_name((uintptr_t)address, &frame);
    if (frame.function == NULL || frame.file == NULL || verifier_is_own_frame(&frame) ||
        strncmp(frame.function, "wskemu_", strlen("wskemu_")) == 0) {
        return false;
    }
    base_log("\n%p: the routine %s at %s:%u\n", address, frame.function, frame.file, frame.line);
    return true;
}

bool verifier_object_print(const void *address)
{
    struct verifier_state *verifier = verifier_state();
    struct verifier_description description = {0};
    struct verifier_description recorded = {0};
    struct verifier_stack stack = {0};
    if (verifier == NULL || !verifier_is_on() || (ULONG_PTR)address < PAGE_SIZE) {
        return false;
    }
    bool is_recorded = describe_by_record(&verifier->objects, address, &recorded, &stack);
    if (describe_by_finders(&verifier->objects, address, &description)) {
        print_known(verifier, &description, &stack);
        return true;
    }
    if (is_recorded) {
        print_known(verifier, &recorded, &stack);
        return true;
    }
    return print_freed(verifier, address) || print_code(address);
}

void verifier_subjects_print(void)
{
    for (unsigned i = 0; i < subject_count; i++) {
        verifier_object_print(subjects[i]);
    }
    subject_count = 0;
}

void verifier_pending_line(const char *kind, const void *object, const void *creator)
{
    struct verifier_state *verifier = verifier_state();
    base_log("pending: %s %p\n", kind, object);
    print_site("made by", creator);
    if (verifier != NULL) {
        struct last last = last_of(verifier, object);
        if (last.is_known) {
            print_last(&last.event);
        }
    }
}

/* Sockets count as pending: they are what a client that ends is waited for. */
static unsigned list_sockets(struct verifier_objects *objects)
{
    unsigned count = 0;
    for (int i = 0; i < VERIFIER_SHARDS * VERIFIER_BUCKETS; i++) {
        struct verifier_shard *shard = &objects->shards[i / VERIFIER_BUCKETS];
        if (!verifier_lock(&shard->lock)) {
            continue;
        }
        const struct verifier_object *object = shard->bucket[i % VERIFIER_BUCKETS];
        for (; object != NULL; object = object->next) {
            if (strstr(object->kind, "socket") != NULL) {
                verifier_pending_line(object->kind, object->start, object->creator);
                count++;
            }
        }
        base_mutex_unlock(&shard->lock);
    }
    return count;
}

unsigned verifier_pending_print(void)
{
    struct verifier_state *verifier = verifier_state();
    unsigned count = 0;
    for (unsigned i = 0; verifier != NULL && i < verifier->objects.finder_count; i++) {
        verifier_lister *list = verifier->objects.finders[i].list;
        count += list != NULL ? list(verifier->objects.finders[i].context) : 0;
    }
    return verifier != NULL ? count + list_sockets(&verifier->objects) : 0;
}
