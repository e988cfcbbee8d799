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
    uint64_t base;  /* ticks, of the chunk's last TRACE_TIME */
    uint64_t
        until; /* ticks when something is to be done first: another base, a look at the clock */
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

/* Writes an event whatever it has and whatever it takes. */
BASE_COLD void trace_record(const struct trace_event *event);

/* Works out anew who watches what. */
void trace_groups_update(void);

static inline size_t trace_place_of(ULONG_PTR address, size_t places)
{
    return (size_t)((address * 0x9E3779B97F4A7C15ULL) >> 40) & (places - 1);
}

static inline USHORT trace_what(enum trace_kind kind, unsigned flags)
{
    return (USHORT)((unsigned)kind | flags << TRACE_KIND_BITS);
}

/* Writes the fields that the flags say; where they end. */
TRACE_IN_PLACE static inline char *trace_fill(uint64_t *to, unsigned flags,
                                              const struct trace_event *event, USHORT name,
                                              USHORT data_bytes)
{
    if ((flags & TRACE_HAS_SHORT) != 0) {
        *to++ = (ULONG_PTR)event->object | event->first << TRACE_SHORT_SHIFT;
    } else if ((flags & TRACE_HAS_OBJECT) != 0) {
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
    if ((flags & TRACE_HAS_DETAILS) != 0) {
        *to++ = name | (uint64_t)data_bytes << 16 | (uint64_t)(ULONG)event->status << 32;
    }
    return (char *)to;
}

static inline SIZE_T trace_field_bytes(unsigned flags)
{
    unsigned count = (flags & 1) + (flags >> 1 & 1) + (flags >> 2 & 1) + (flags >> 3 & 1) +
                     (flags >> 4 & 1) + ((flags & TRACE_HAS_DETAILS) != 0);
    return (SIZE_T)count * TRACE_FIELD_BYTES;
}

static inline bool trace_is_known_site(ULONG_PTR address)
{
    const _Atomic ULONG_PTR *place =
        &trace_recording.sites[trace_place_of(address, TRACE_SITES_MAX)];
    return atomic_load_explicit(place, memory_order_relaxed) == address;
}

/* The number of a name if it is known and stands where its address says. */
static inline bool trace_find_name(const char *text, USHORT *number)
{
    const struct trace_name *name =
        &trace_recording.names[trace_place_of((ULONG_PTR)text, TRACE_NAMES_MAX)];
    if (atomic_load_explicit(&name->text, memory_order_acquire) != text) {
        return false;
    }
    *number = name->number;
    return true;
}

/* Writes an event that is nothing but its fields, if nothing has to be done for it before: the way
 * of nearly all. It calls no function, and with flags that the compiler knows it is some forty
 * instructions. */
TRACE_IN_PLACE static inline bool trace_record_at_once(const struct trace_event *event)
{
    struct trace_writer *own = &trace_writer;
    const struct _KTHREAD *thread = ke_thread_slot.thread;
    uint64_t state = own->state, now = base_ticks();
    SIZE_T bytes = sizeof(struct trace_record) + trace_field_bytes(event->flags);
    USHORT name = 0;
    if (own->recording != atomic_load_explicit(&trace_recording.number, memory_order_relaxed) ||
        (ULONG)state + bytes > TRACE_CHUNK_BYTES || thread == NULL || now >= own->until ||
        ((event->flags & TRACE_HAS_NAME) != 0 && !trace_find_name(event->name, &name)) ||
        ((event->flags & TRACE_HAS_SITE) != 0 && !trace_is_known_site((ULONG_PTR)event->site)) ||
        (event->is_routine_first && !trace_is_known_site((ULONG_PTR)event->first))) {
        return false;
    }
    struct trace_chunk *chunk = own->chunk;
    struct trace_record *record = (struct trace_record *)(void *)((char *)chunk + (ULONG)state);
    const struct ke_processor *processor = thread->processor;
    record->ticks = (ULONG)now;
    record->what = trace_what(event->kind, event->flags);
    record->irql = thread->irql;
    record->processor = processor != NULL ? (UCHAR)processor->number : TRACE_NO_PROCESSOR;
    trace_fill((uint64_t *)(void *)(record + 1), event->flags, event, name, 0);
    own->state = state + bytes;
    __atomic_store_n(&chunk->state, state + bytes, __ATOMIC_RELEASE);
    return true;
}

#endif
