/*
 * The ring of events.
 *
 * A writer takes a number, which is its slot, and marks the slot empty while it writes. A reader
 * believes a slot only if it holds the same number before and after it was read. So nobody waits;
 * what a reader loses is an event that is being overwritten, which is the oldest.
 */
#include "verifier/history.h"

#include "base/log.h"
#include "base/stack.h"
#include "rtl/status_name.h"
#include "verifier/verifier.h"

#include <stdio.h>
#include <stdlib.h>

/* Powers of two. */
#define SLOTS 8192
#define SLOTS_FULL 65536
#define WORDS 8
#define IRPS_SHOWN 20

/* An event in words that may be written and read at the same time. */
struct verifier_slot {
    _Atomic uint64_t holds; /* the event's number plus one; 0 while it is written */
    _Atomic uint64_t word[WORDS];
};

bool verifier_history_start(struct verifier_history *history)
{
    if (!verifier_is_on()) {
        return true;
    }
    history->slot_count = verifier_is_full() ? SLOTS_FULL : SLOTS;
    history->slots = calloc(history->slot_count, sizeof(*history->slots));
    return history->slots != NULL;
}

void verifier_history_stop(struct verifier_history *history)
{
    free(history->slots);
}

/* ---- writing and reading ---- */

static uint64_t pack(const struct verifier_event *event)
{
    return (uint64_t)event->major | (uint64_t)event->minor << 8 | (uint64_t)event->flags << 16 |
           (uint64_t)event->control << 24 | (uint64_t)(UCHAR)event->stack_count << 32 |
           (uint64_t)(UCHAR)event->location << 40 | (uint64_t)event->act << 48;
}

static void unpack(struct verifier_event *event, uint64_t word)
{
    event->major = (UCHAR)word;
    event->minor = (UCHAR)(word >> 8);
    event->flags = (UCHAR)(word >> 16);
    event->control = (UCHAR)(word >> 24);
    event->stack_count = (CHAR)(word >> 32);
    event->location = (CHAR)(word >> 40);
    event->act = (enum verifier_act)(word >> 48);
}

static const void *pointer_of(uint64_t word)
{
    return (const void *)(ULONG_PTR)word;
}

void verifier_history_add(const struct verifier_event *event)
{
    struct verifier_state *verifier = verifier_state();
    if (verifier == NULL || verifier->history.slots == NULL) {
        return;
    }
    struct verifier_history *history = &verifier->history;
    const uint64_t words[WORDS] = {
        pack(event),
        (ULONG_PTR)event->object,
        (ULONG_PTR)event->holder,
        (ULONG_PTR)event->name,
        (ULONG_PTR)event->site,
        (ULONG_PTR)event->routine,
        event->context,
        (ULONG)event->status,
    };
    uint64_t number = atomic_fetch_add_explicit(&history->next, 1, memory_order_relaxed);
    struct verifier_slot *slot = &history->slots[number & (history->slot_count - 1)];
    atomic_store_explicit(&slot->holds, 0, memory_order_relaxed);
    for (int i = 0; i < WORDS; i++) {
        atomic_store_explicit(&slot->word[i], words[i], memory_order_release);
    }
    atomic_store_explicit(&slot->holds, number + 1, memory_order_release);
}

static bool read_event(struct verifier_history *history, uint64_t number,
                       struct verifier_event *event)
{
    struct verifier_slot *slot = &history->slots[number & (history->slot_count - 1)];
    uint64_t words[WORDS];
    if (atomic_load_explicit(&slot->holds, memory_order_acquire) != number + 1) {
        return false;
    }
    for (int i = 0; i < WORDS; i++) {
        words[i] = atomic_load_explicit(&slot->word[i], memory_order_acquire);
    }
    if (atomic_load_explicit(&slot->holds, memory_order_relaxed) != number + 1) {
        return false;
    }
    *event = (struct verifier_event){.number = number,
                                     .object = pointer_of(words[1]),
                                     .holder = pointer_of(words[2]),
                                     .name = pointer_of(words[3]),
                                     .site = pointer_of(words[4]),
                                     .routine = pointer_of(words[5]),
                                     .context = (ULONG_PTR)words[6],
                                     .status = (NTSTATUS)words[7]};
    unpack(event, words[0]);
    return true;
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

/* What the driver gave away may be no IRP at all; that is for others to say. */
#if defined(__GNUC__)
__attribute__((no_sanitize("address", "thread"), noinline))
#endif
static void
look(struct verifier_event *event, const volatile IRP *irp,
     const volatile IO_STACK_LOCATION *location)
{
    if (irp->Type != IO_TYPE_IRP) {
        return;
    }
    event->stack_count = irp->StackCount;
    event->location = irp->CurrentLocation;
    if (location == NULL && irp->CurrentLocation > 1) {
        location = irp->Tail.Overlay.CurrentStackLocation - 1;
        event->location--;
    }
    if (location != NULL) {
        event->major = location->MajorFunction;
        event->minor = location->MinorFunction;
        event->flags = location->Flags;
        event->control = location->Control;
        event->routine = (const void *)(ULONG_PTR)location->CompletionRoutine;
        event->context = (ULONG_PTR)location->Context;
    }
}

void verifier_history_add_sent(const void *holder, PIRP irp, const IO_STACK_LOCATION *location,
                               const char *name, const void *site)
{
    struct verifier_event event = {
        .act = VERIFIER_SENT, .object = irp, .holder = holder, .name = name, .site = site};
    look(&event, irp, location);
    verifier_history_add(&event);
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
    base_log("            %s-%p %s%s%s\n", base_stack_site((const char *)sent->routine + 1).text,
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
