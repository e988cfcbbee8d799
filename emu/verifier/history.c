/*
 * The ring of events.
 *
 * A writer takes a number, which is its slot, and marks the slot empty while it writes. It takes
 * several at once and leaves those that it has not used when another thread took some meanwhile, so
 * that of two events the one that came later has the greater number. A reader
 * believes a slot only if it holds the same number before and after it was read. So nobody waits;
 * what a reader loses is an event that is being overwritten, which is the oldest.
 */
#include "verifier/history.h"

#include "base/cold.h"
#include "base/local.h"
#include "base/log.h"
#include "base/sanitize.h"
#include "base/stack.h"
#include "ke/callback.h"
#include "rtl/status_name.h"
#include "verifier/verifier.h"

#include <stdio.h>
#include <stdlib.h>

/* Powers of two. */
#define SLOTS 8192
#define SLOTS_FULL 65536
#define WORDS 7
#define NUMBERS 16 /* that a thread takes at once: a locked operation for so many events */
#define IRPS_SHOWN 20

/* An event in words that may be written and read at the same time. An act writes those that it
 * has, and its reader reads no others. */
struct verifier_slot {
    _Alignas(64) _Atomic uint64_t holds; /* the event's number plus one; 0 while it is written */
    _Atomic uint64_t word[WORDS];
};

C_ASSERT(sizeof(struct verifier_slot) == 64);

/* Which word is what. Of a completion WORD_PACKED has the status, and WORD_HOLDER the Information.
 */
enum { WORD_PACKED, WORD_OBJECT, WORD_SITE, WORD_NAME, WORD_HOLDER, WORD_ROUTINE, WORD_CONTEXT };

bool verifier_history_start(struct verifier_history *history)
{
    if (!verifier_is_on()) {
        return true;
    }
    history->slot_count = verifier_is_full() ? SLOTS_FULL : SLOTS;
    history->memory = calloc(history->slot_count + 1, sizeof(*history->slots));
    history->slots = (struct verifier_slot *)(((ULONG_PTR)history->memory + 63) / 64 * 64);
    return history->memory != NULL;
}

void verifier_history_stop(struct verifier_history *history)
{
    free(history->memory);
}

/* ---- writing and reading ---- */

static void put(struct verifier_slot *slot, int word, uint64_t value)
{
    atomic_store_explicit(&slot->word[word], value, memory_order_release);
}

static void put_pointer(struct verifier_slot *slot, int word, const void *value)
{
    put(slot, word, (ULONG_PTR)value);
}

static uint64_t get(struct verifier_slot *slot, int word)
{
    return atomic_load_explicit(&slot->word[word], memory_order_acquire);
}

static const void *get_pointer(struct verifier_slot *slot, int word)
{
    return (const void *)(ULONG_PTR)get(slot, word);
}

/* The numbers that the calling thread took and has not used, in the kernel of that generation. */
static BASE_THREAD_LOCAL struct {
    uint64_t generation;
    uint64_t first;
    uint64_t end;
} taken;

BASE_COLD static uint64_t take_numbers(struct verifier_history *history)
{
    uint64_t first = atomic_fetch_add_explicit(&history->next, NUMBERS, memory_order_relaxed);
    taken.generation = ke_thread_slot.generation;
    taken.first = first + 1;
    taken.end = first + NUMBERS;
    return first;
}

/* A number after all that were given so far: what is left of those that this thread took is, as
 * long as nobody has taken any since. */
static FORCEINLINE uint64_t next_number(struct verifier_history *history)
{
    bool is_latest = taken.generation == ke_thread_slot.generation &&
                     atomic_load_explicit(&history->next, memory_order_relaxed) == taken.end;
    return is_latest && taken.first != taken.end ? taken.first++ : take_numbers(history);
}

/* The slot of the next event, marked empty; NULL if nothing is kept. */
static FORCEINLINE struct verifier_slot *begin(uint64_t *number)
{
    struct verifier_state *verifier = verifier_state();
    if (verifier == NULL || verifier->history.slots == NULL) {
        return NULL;
    }
    struct verifier_history *history = &verifier->history;
    *number = next_number(history);
    struct verifier_slot *slot = &history->slots[*number & (history->slot_count - 1)];
#ifdef __GNUC__
    __builtin_prefetch(slot + 1, 1); /* the last one's is no slot, and does no harm */
#endif
    atomic_store_explicit(&slot->holds, 0, memory_order_relaxed);
    return slot;
}

static void end(struct verifier_slot *slot, uint64_t number)
{
    atomic_store_explicit(&slot->holds, number + 1, memory_order_release);
}

void verifier_history_add_completed(const IRP *irp, const void *site)
{
    uint64_t number;
    struct verifier_slot *slot = begin(&number);
    if (slot != NULL) {
        put(slot, WORD_PACKED, (ULONG)irp->IoStatus.Status | (uint64_t)VERIFIER_COMPLETED << 48);
        put_pointer(slot, WORD_OBJECT, irp);
        put_pointer(slot, WORD_SITE, site);
        put(slot, WORD_HOLDER, irp->IoStatus.Information);
        end(slot, number);
    }
}

void verifier_history_add_used(const void *object, const char *name, const void *site)
{
    uint64_t number;
    struct verifier_slot *slot = begin(&number);
    if (slot != NULL) {
        put(slot, WORD_PACKED, (uint64_t)VERIFIER_USED << 48);
        put_pointer(slot, WORD_OBJECT, object);
        put_pointer(slot, WORD_SITE, site);
        put_pointer(slot, WORD_NAME, name);
        end(slot, number);
    }
}

void verifier_history_add_freed(const void *object, const char *kind, const void *creator,
                                const void *site)
{
    uint64_t number;
    struct verifier_slot *slot = begin(&number);
    if (slot != NULL) {
        put(slot, WORD_PACKED, (uint64_t)VERIFIER_FREED << 48);
        put_pointer(slot, WORD_OBJECT, object);
        put_pointer(slot, WORD_SITE, site);
        put_pointer(slot, WORD_NAME, kind);
        put_pointer(slot, WORD_ROUTINE, creator);
        end(slot, number);
    }
}

static void unpack_sent(struct verifier_slot *slot, struct verifier_event *event)
{
    uint64_t word = get(slot, WORD_PACKED);
    event->major = (UCHAR)word;
    event->minor = (UCHAR)(word >> 8);
    event->flags = (UCHAR)(word >> 16);
    event->control = (UCHAR)(word >> 24);
    event->stack_count = (CHAR)(word >> 32);
    event->location = (CHAR)(word >> 40);
    event->holder = get_pointer(slot, WORD_HOLDER);
    event->routine = get_pointer(slot, WORD_ROUTINE);
    event->context = (ULONG_PTR)get(slot, WORD_CONTEXT);
}

static void read_words(struct verifier_slot *slot, struct verifier_event *event)
{
    event->act = (enum verifier_act)(get(slot, WORD_PACKED) >> 48);
    event->object = get_pointer(slot, WORD_OBJECT);
    event->site = get_pointer(slot, WORD_SITE);
    switch (event->act) {
    case VERIFIER_SENT:
        event->name = get_pointer(slot, WORD_NAME);
        unpack_sent(slot, event);
        break;
    case VERIFIER_COMPLETED:
        event->status = (NTSTATUS)get(slot, WORD_PACKED);
        event->context = (ULONG_PTR)get(slot, WORD_HOLDER);
        break;
    case VERIFIER_USED:
        event->name = get_pointer(slot, WORD_NAME);
        break;
    case VERIFIER_FREED:
        event->name = get_pointer(slot, WORD_NAME);
        event->routine = get_pointer(slot, WORD_ROUTINE);
        break;
    }
}

static bool read_event(struct verifier_history *history, uint64_t number,
                       struct verifier_event *event)
{
    struct verifier_slot *slot = &history->slots[number & (history->slot_count - 1)];
    *event = (struct verifier_event){.number = number};
    if (atomic_load_explicit(&slot->holds, memory_order_acquire) != number + 1) {
        return false;
    }
    read_words(slot, event);
    return atomic_load_explicit(&slot->holds, memory_order_relaxed) == number + 1;
}

void verifier_history_visit(struct verifier_history *history, verifier_event_visitor *visitor,
                            void *context)
{
    uint64_t next = atomic_load_explicit(&history->next, memory_order_acquire);
    uint64_t first = next > history->slot_count ? next - history->slot_count : 0;
    struct verifier_event event;
    for (uint64_t number = next; history->slots != NULL && number-- > first;) {
        if (read_event(history, number, &event) && visitor(context, &event)) {
            return;
        }
    }
}

/* ---- IRPs ---- */

BASE_NOT_SANITIZED static void put_location(struct verifier_slot *slot,
                                            const volatile IO_STACK_LOCATION *location,
                                            uint64_t packed)
{
    /* MajorFunction, MinorFunction, Flags and Control, the lowest first */
    C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, MajorFunction) == 0);
    C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Control) == 3);
    put(slot, WORD_PACKED, packed | *(const volatile ULONG *)(const volatile void *)location);
    put(slot, WORD_ROUTINE, (ULONG_PTR)location->CompletionRoutine);
    put(slot, WORD_CONTEXT, (ULONG_PTR)location->Context);
}

static void put_no_location(struct verifier_slot *slot, uint64_t packed)
{
    put(slot, WORD_PACKED, packed);
    put(slot, WORD_ROUTINE, 0);
    put(slot, WORD_CONTEXT, 0);
}

/* What the driver gave away may be no IRP at all; that is for others to say. */
BASE_NOT_SANITIZED static void put_irp(struct verifier_slot *slot, const volatile IRP *irp,
                                       const volatile IO_STACK_LOCATION *location)
{
    const uint64_t packed = (uint64_t)VERIFIER_SENT << 48;
    if (irp->Type != IO_TYPE_IRP) {
        put_no_location(slot, packed);
        return;
    }
    unsigned stack_count = (UCHAR)irp->StackCount;
    unsigned current = (UCHAR)irp->CurrentLocation;
    if (location == NULL && (CHAR)current > 1) {
        location = irp->Tail.Overlay.CurrentStackLocation - 1;
        current--;
    }
    uint64_t position = packed | (uint64_t)(stack_count | current << 8) << 32;
    if (location != NULL) {
        put_location(slot, location, position);
    } else {
        put_no_location(slot, position);
    }
}

void verifier_history_add_sent(const void *holder, PIRP irp, const IO_STACK_LOCATION *location,
                               const char *name, const void *site)
{
    uint64_t number;
    struct verifier_slot *slot = begin(&number);
    if (name != NULL) {
        ke_callback_started(name, false);
    }
    if (slot != NULL) {
        put_irp(slot, irp, location);
        put_pointer(slot, WORD_OBJECT, irp);
        put_pointer(slot, WORD_SITE, site);
        put_pointer(slot, WORD_NAME, name);
        put_pointer(slot, WORD_HOLDER, holder);
        end(slot, number);
    }
}

/* ---- printing ---- */

/* The last IRPs that were sent to a holder, newest first. */
struct sent_search {
    const void *holder;
    unsigned count;
    struct verifier_event sent[IRPS_SHOWN];
};

static bool collect_sent(void *context, const struct verifier_event *event)
{
    struct sent_search *search = context;
    if (event->act == VERIFIER_SENT && event->holder == search->holder) {
        search->sent[search->count++] = *event;
    }
    return search->count == IRPS_SHOWN;
}

/* How the IRP that was sent in one event ended: the first completion after it. */
struct end_search {
    const struct verifier_event *sent;
    bool is_ended;
    struct verifier_event ended;
};

static bool find_end(void *context, const struct verifier_event *event)
{
    struct end_search *search = context;
    if (event->number <= search->sent->number) {
        return true;
    }
    if (event->object == search->sent->object) {
        search->is_ended = event->act == VERIFIER_COMPLETED;
        search->ended = *event;
    }
    return false;
}

static const char *major_name(UCHAR major)
{
    static const char *const names[] = {
        "CREATE",         "CREATE_NAMED_PIPE",   "CLOSE",           "READ",
        "WRITE",          "QUERY_INFORMATION",   "SET_INFORMATION", "QUERY_EA",
        "SET_EA",         "FLUSH_BUFFERS",       "QUERY_VOLUME",    "SET_VOLUME",
        "DIRECTORY",      "FILE_SYSTEM_CONTROL", "DEVICE_CONTROL",  "INTERNAL_DEVICE_CONTROL",
        "SHUTDOWN",       "LOCK_CONTROL",        "CLEANUP",         "CREATE_MAILSLOT",
        "QUERY_SECURITY", "SET_SECURITY",        "POWER",           "SYSTEM_CONTROL",
        "DEVICE_CHANGE",  "QUERY_QUOTA",         "SET_QUOTA",       "PNP",
    };
    return major < RTL_NUMBER_OF(names) ? names[major] : "?";
}

static void print_routine(const struct verifier_event *sent)
{
    if (sent->routine == NULL) {
        base_log("            no completion routine\n");
        return;
    }
    base_log("            %s-%p %s%s%s\n", base_stack_site_of(sent->routine).text,
             (const void *)sent->context,
             (sent->control & SL_INVOKE_ON_SUCCESS) != 0 ? "Success " : "",
             (sent->control & SL_INVOKE_ON_ERROR) != 0 ? "Error " : "",
             (sent->control & SL_INVOKE_ON_CANCEL) != 0 ? "Cancel" : "");
}

static void print_end(struct verifier_history *history, const struct verifier_event *sent)
{
    struct end_search search = {.sent = sent};
    verifier_history_visit(history, find_end, &search);
    if (!search.is_ended) {
        base_log("            not completed\n");
        return;
    }
    const char *name = rtl_status_name(search.ended.status);
    base_log("            completed: 0x%08X %s, Information 0x%llX\n",
             (unsigned)search.ended.status, name != NULL ? name : "",
             (unsigned long long)search.ended.context);
}

static void print_irp(struct verifier_history *history, const struct verifier_event *sent)
{
    base_log("    Irp %p: %d stacks, %d is current, sent by %s\n", sent->object, sent->stack_count,
             sent->location, base_stack_site(sent->site).text);
    if (sent->name != NULL) {
        base_log("    >[%s]", sent->name);
    } else {
        base_log("    >[IRP_MJ_%s(%x), %x]", major_name(sent->major), sent->major, sent->minor);
    }
    base_log(" flg %x cl %x\n", sent->flags, sent->control);
    print_routine(sent);
    print_end(history, sent);
}

void verifier_history_print(struct verifier_history *history, const void *holder)
{
    struct sent_search search = {.holder = holder};
    verifier_history_visit(history, collect_sent, &search);
    for (unsigned i = search.count; i-- > 0;) {
        print_irp(history, &search.sent[i]);
    }
}
