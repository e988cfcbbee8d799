/*
 * Writing events to a file. See recorder.c; here is what each event of few fields costs: a record
 * is written in place, into the chunk of the calling thread, and counts as soon as the chunk's
 * state says so.
 */
#ifndef TRACE_RECORDER_H
#define TRACE_RECORDER_H

#include "base/local.h"
#include "base/ticks.h"
#include "ke/kernel.h"
#include "trace/trace.h"

#ifdef __ELF__
#ifdef __GNUC__
#define TRACE_LOCAL __attribute__((visibility("hidden")))
#endif
#endif
#ifndef TRACE_LOCAL
#define TRACE_LOCAL
#endif

#ifdef __GNUC__
#define TRACE_IN_PLACE __attribute__((always_inline))
#else
#define TRACE_IN_PLACE
#endif

/* The groups that are recorded; 0 while nothing is. */
TRACE_LOCAL extern _Atomic unsigned trace_recorded_groups;

/* What a thread writes to. */
struct trace_writer {
    uint64_t recording; /* of which it knows; another one's chunk is gone */
    struct trace_chunk *chunk;
    uint64_t state; /* the chunk's; full if there is none */
    ULONG thread;
    bool is_left_out;
};

TRACE_LOCAL extern BASE_THREAD_LOCAL struct trace_writer trace_writer;

#define TRACE_NAMES_MAX 4096 /* a power of two, as the next */
#define TRACE_SITES_MAX 16384

/* A name in its table, which only grows. */
struct trace_name {
    const char *_Atomic text;
    USHORT number; /* written before the text */
};

/* What every event asks of the recording that goes on. */
struct trace_recording {
    _Atomic uint64_t number;
    _Atomic uint64_t look_at; /* ticks when the clock is to be compared again */
    bool is_clock;            /* ticks are the clock's nanoseconds */
    ULONG payload_max;
    struct trace_name *names; /* by their address */
    _Atomic ULONG_PTR *sites; /* that are to be named */
};

TRACE_LOCAL extern struct trace_recording trace_recording;

/* Makes room for so many bytes in the thread's chunk; false if the record is lost. */
BASE_COLD bool trace_make_room(struct trace_writer *own, SIZE_T bytes);

/* Finds out how long a tick is. */
BASE_COLD void trace_compare_clock(void);

/* The number of a name that is not in its place. */
BASE_COLD USHORT trace_number_of_new(const char *text);

/* Remembers a site that is not in its place. */
BASE_COLD void trace_note_new_site(ULONG_PTR address);

/* Writes an event that has addresses, text or payload. */
void trace_record_data(const struct trace_event *event);

/* Works out anew who watches what. */
void trace_groups_update(void);

static inline size_t trace_place_of(ULONG_PTR address, size_t places)
{
    return (size_t)((address * 0x9E3779B97F4A7C15ULL) >> 40) & (places - 1);
}

/* The number of a name, which is known by its address: one text may have several. */
static inline USHORT trace_number_of(const char *text)
{
    const struct trace_name *name =
        &trace_recording.names[trace_place_of((ULONG_PTR)text, TRACE_NAMES_MAX)];
    return atomic_load_explicit(&name->text, memory_order_acquire) == text
               ? name->number
               : trace_number_of_new(text);
}

/* Remembers a routine or call site that is to be named. */
static inline void trace_note_site(ULONG_PTR address)
{
    _Atomic ULONG_PTR *site = &trace_recording.sites[trace_place_of(address, TRACE_SITES_MAX)];
    if (atomic_load_explicit(site, memory_order_relaxed) != address) {
        trace_note_new_site(address);
    }
}

/* Room for a record with so many bytes behind its head, or NULL: then it is lost. */
static inline struct trace_record *trace_reserve(struct trace_writer *own, SIZE_T bytes)
{
    bytes += sizeof(struct trace_record);
    if (own->recording != atomic_load_explicit(&trace_recording.number, memory_order_relaxed) ||
        (ULONG)own->state + bytes > TRACE_CHUNK_BYTES) {
        if (!trace_make_room(own, bytes)) {
            return NULL;
        }
    }
    return (struct trace_record *)(void *)((char *)own->chunk + (ULONG)own->state);
}

/* Everything of the record is in place: it counts from here on. */
static inline void trace_commit(struct trace_writer *own, SIZE_T bytes)
{
    own->state += sizeof(struct trace_record) + bytes;
    __atomic_store_n(&own->chunk->state, own->state, __ATOMIC_RELEASE);
}

static inline void trace_stamp(struct trace_record *record)
{
    const struct _KTHREAD *thread = ke_thread_slot.thread;
    const struct ke_processor *processor = thread != NULL ? thread->processor : NULL;
    uint64_t now = trace_recording.is_clock ? base_clock_ns() : base_ticks();
    record->ticks = now;
    record->irql = thread != NULL ? thread->irql : PASSIVE_LEVEL;
    record->processor = processor != NULL ? (UCHAR)processor->number : TRACE_NO_PROCESSOR;
    if (now >= atomic_load_explicit(&trace_recording.look_at, memory_order_relaxed)) {
        trace_compare_clock();
    }
}

/* Writes the fields that the flags say; where they end. */
TRACE_IN_PLACE static inline uint64_t *trace_fill(uint64_t *to, unsigned flags,
                                                  const struct trace_event *event)
{
    if ((flags & TRACE_HAS_OBJECT) != 0) {
        *to++ = (ULONG_PTR)event->object;
    }
    if ((flags & TRACE_HAS_IRP) != 0) {
        *to++ = (ULONG_PTR)event->irp;
    }
    if ((flags & TRACE_HAS_SITE) != 0) {
        *to++ = (ULONG_PTR)event->site;
    }
    if ((flags & TRACE_HAS_FIRST) != 0) {
        *to++ = event->first;
    }
    if ((flags & TRACE_HAS_SECOND) != 0) {
        *to++ = event->second;
    }
    if ((flags & TRACE_HAS_STATUS) != 0) {
        *to++ = (ULONG)event->status;
    }
    return to;
}

static inline SIZE_T trace_field_bytes(unsigned flags)
{
    unsigned count = (flags & 1) + (flags >> 1 & 1) + (flags >> 2 & 1) + (flags >> 3 & 1) +
                     (flags >> 4 & 1) + (flags >> 5 & 1);
    return (SIZE_T)count * TRACE_FIELD_BYTES;
}

/* Writes an event that is nothing but its fields. With flags that the compiler knows that is a
 * dozen stores. */
TRACE_IN_PLACE static inline void trace_record(const struct trace_event *event)
{
    struct trace_writer *own = &trace_writer;
    USHORT name = event->name != NULL ? trace_number_of(event->name) : 0;
    SIZE_T bytes = trace_field_bytes(event->flags);
    struct trace_record *record = trace_reserve(own, bytes);
    if (record == NULL) {
        return;
    }
    if ((event->flags & TRACE_HAS_SITE) != 0) {
        trace_note_site((ULONG_PTR)event->site);
    }
    trace_stamp(record);
    record->kind = (UCHAR)event->kind;
    record->flags = (UCHAR)event->flags;
    record->name = name;
    record->data_bytes = 0;
    trace_fill((uint64_t *)(void *)(record + 1), event->flags, event);
    trace_commit(own, bytes);
}

#endif
