/*
 * The recorder: events as records in a file, through memory that the file is mapped to. format.h
 * tells the file's form.
 *
 * Each thread writes into a chunk of its own, so a record costs no lock: it is filled in place, and
 * its kind, stored last, makes it count. A killed process leaves every record that was complete; a
 * record that a fault interrupted is written over by the next.
 *
 * Names and call sites are kept in tables by address, that only grow and are read without a lock.
 * Naming a call site takes long, so it is done later: by who asks, at the end, at a bug check.
 *
 * Nobody may write while the recording begins or ends: no kernel runs then. What a thread knows of
 * an earlier recording is out of date by its number.
 */
#include "trace/recorder.h"

#include "base/clock.h"
#include "base/file_map.h"
#include "base/mutex.h"
#include "base/process.h"
#include "base/stack.h"
#include "ke/kernel.h"
#include "net/net.h"

#include <wskemu/trace.h>

#include <stdlib.h>
#include <string.h>

#define CHUNKS_PER_WINDOW (BASE_FILE_WINDOW_BYTES / TRACE_CHUNK_BYTES)
#define MEGABYTES_DEFAULT 1024
#define MEGABYTES_MAX 65536
#define NAMES_MAX 4096 /* a power of two, as the next */
#define SITES_MAX 16384
#define DATA_BYTES_MAX (TRACE_CHUNK_BYTES - 2 * TRACE_UNIT_BYTES)

C_ASSERT(sizeof(struct trace_record) == TRACE_UNIT_BYTES);
C_ASSERT(sizeof(struct trace_chunk) <= TRACE_UNIT_BYTES);
C_ASSERT(sizeof(struct trace_header) <= TRACE_CHUNK_BYTES);

_Atomic unsigned trace_recorded_groups;

struct name {
    const char *_Atomic text;
    USHORT number; /* written before the text */
};

struct recorder {
    struct base_file_map *map;
    struct trace_header *header;
    ULONG payload_max;
    uint64_t chunks_max;
    _Atomic uint64_t chunks; /* taken */
    _Atomic uint64_t lost;
    atomic_uint threads;
    void *_Atomic *windows; /* of the file, as many as chunks_max allows */
    struct base_mutex lock; /* guards making windows and names */
    USHORT name_count;
    struct name names[NAMES_MAX];
    _Atomic ULONG_PTR sites[SITES_MAX];
    atomic_bool is_site_named[SITES_MAX];
};

static struct recorder *recorder;
static _Atomic uint64_t recording; /* counts recordings */

/* What a thread writes to. */
struct writer {
    uint64_t recording;
    USHORT thread;
    char *next; /* NULL: it has no chunk */
    char *end;
};

static _Thread_local struct writer writer;

/* ---- chunks ---- */

static char *window_of(uint64_t chunk)
{
    size_t index = (size_t)(chunk / CHUNKS_PER_WINDOW);
    char *window = atomic_load_explicit(&recorder->windows[index], memory_order_acquire);
    if (window != NULL) {
        return window;
    }
    base_mutex_lock(&recorder->lock);
    window = atomic_load(&recorder->windows[index]);
    if (window == NULL) {
        window = base_file_map_window(recorder->map, index);
        atomic_store_explicit(&recorder->windows[index], window, memory_order_release);
    }
    base_mutex_unlock(&recorder->lock);
    return window;
}

/* Gives the thread the next chunk of the file; false if there is none. */
static bool take_chunk(struct writer *own)
{
    own->next = NULL;
    own->end = NULL;
    if (atomic_load_explicit(&recorder->chunks, memory_order_relaxed) >= recorder->chunks_max) {
        return false;
    }
    uint64_t number = atomic_fetch_add(&recorder->chunks, 1);
    char *window = number < recorder->chunks_max ? window_of(number) : NULL;
    if (window == NULL) {
        return false;
    }
    char *memory = window + number % CHUNKS_PER_WINDOW * TRACE_CHUNK_BYTES;
    base_file_map_prepare(memory, TRACE_CHUNK_BYTES);
    struct trace_chunk *chunk = (struct trace_chunk *)(void *)memory;
    chunk->thread = own->thread;
    __atomic_store_n(&chunk->mark, TRACE_CHUNK_MARK, __ATOMIC_RELEASE);
    __atomic_store_n(&recorder->header->chunks, number + 1, __ATOMIC_RELAXED);
    own->next = memory + TRACE_UNIT_BYTES;
    own->end = memory + TRACE_CHUNK_BYTES;
    return true;
}

static unsigned units_of(SIZE_T bytes)
{
    return (unsigned)((bytes + TRACE_UNIT_BYTES - 1) / TRACE_UNIT_BYTES);
}

/* Room for a record with so much data, or NULL: then it is lost. */
static struct trace_record *reserve(struct writer *own, SIZE_T data_bytes)
{
    SIZE_T bytes = TRACE_UNIT_BYTES * (SIZE_T)(1 + units_of(data_bytes));
    if ((SIZE_T)(own->end - own->next) < bytes && !take_chunk(own)) {
        uint64_t lost = atomic_fetch_add(&recorder->lost, 1) + 1;
        __atomic_store_n(&recorder->header->lost, lost, __ATOMIC_RELAXED);
        return NULL;
    }
    return (struct trace_record *)(void *)own->next;
}

/* Everything of the record is in place: it counts from here on. */
static void commit(struct writer *own, struct trace_record *record, enum trace_kind kind,
                   SIZE_T data_bytes)
{
    unsigned units = units_of(data_bytes);
    record->data_units = (USHORT)units;
    record->data_tail = (UCHAR)(data_bytes % TRACE_UNIT_BYTES);
    own->next += TRACE_UNIT_BYTES * (SIZE_T)(1 + units);
    __atomic_store_n(&record->kind, (USHORT)kind, __ATOMIC_RELEASE);
}

static void stamp(const struct writer *own, struct trace_record *record)
{
    const struct _KTHREAD *thread = ke_thread_slot.thread;
    const struct ke_processor *processor = thread != NULL ? thread->processor : NULL;
    record->time_ns = base_clock_ns() - recorder->header->start_ns;
    record->thread = own->thread;
    record->irql = thread != NULL ? thread->irql : PASSIVE_LEVEL;
    record->processor = processor != NULL ? (UCHAR)processor->number : TRACE_NO_PROCESSOR;
}

/* A record that has little but its text. */
static void write_text(struct writer *own, enum trace_kind kind, ULONG_PTR site, USHORT name,
                       const char *text)
{
    SIZE_T bytes = strlen(text) < DATA_BYTES_MAX ? strlen(text) : DATA_BYTES_MAX;
    struct trace_record *record = reserve(own, bytes);
    if (record == NULL) {
        return;
    }
    stamp(own, record);
    record->site = site;
    record->name = name;
    RtlCopyMemory(record + 1, text, bytes);
    commit(own, record, kind, bytes);
}

/* The calling thread's writer; what it knows is of this recording. */
static struct writer *own_writer(void)
{
    uint64_t now = atomic_load_explicit(&recording, memory_order_relaxed);
    if (writer.recording != now) {
        writer = (struct writer){.recording = now};
        writer.thread = (USHORT)atomic_fetch_add(&recorder->threads, 1);
        const struct _KTHREAD *thread = ke_thread_slot.thread;
        bool is_worker = thread != NULL && thread->is_worker;
        write_text(&writer, TRACE_THREAD, 0, 0,
                   is_worker                               ? "worker"
                   : ke_thread_slot.is_emulated            ? "system thread"
                   : thread != NULL && !thread->is_adopted ? "background"
                                                           : "host thread");
    }
    return &writer;
}

/* ---- names and sites ---- */

static size_t place_of(ULONG_PTR address, size_t places)
{
    return (size_t)((address * 0x9E3779B97F4A7C15ULL) >> 40) & (places - 1);
}

/* The lock is held. */
static USHORT add_name(struct writer *own, const char *text, size_t place)
{
    struct recorder *file = recorder;
    while (atomic_load(&file->names[place].text) != NULL) {
        if (atomic_load(&file->names[place].text) == text) {
            return file->names[place].number;
        }
        place = (place + 1) & (NAMES_MAX - 1);
    }
    if (file->name_count == NAMES_MAX / 2) {
        return 0;
    }
    file->names[place].number = ++file->name_count;
    write_text(own, TRACE_STRING, 0, file->names[place].number, text);
    atomic_store_explicit(&file->names[place].text, text, memory_order_release);
    return file->names[place].number;
}

/* Names are known by their address: one text may have several numbers. */
static USHORT number_of(struct writer *own, const char *text)
{
    if (text == NULL) {
        return 0;
    }
    size_t first = place_of((ULONG_PTR)text, NAMES_MAX);
    for (size_t place = first;; place = (place + 1) & (NAMES_MAX - 1)) {
        const struct name *name = &recorder->names[place];
        const char *known = atomic_load_explicit(&name->text, memory_order_acquire);
        if (known == text) {
            return name->number;
        }
        if (known == NULL) {
            break;
        }
    }
    /* A window is made under this lock too. */
    if ((SIZE_T)(own->end - own->next) < TRACE_CHUNK_BYTES / 4 && !take_chunk(own)) {
        return 0;
    }
    base_mutex_lock(&recorder->lock);
    USHORT number = add_name(own, text, first);
    base_mutex_unlock(&recorder->lock);
    return number;
}

static void note_site(ULONG_PTR address)
{
    size_t place = place_of(address, SITES_MAX);
    for (size_t tried = 0; address != 0 && tried < 64; tried++) {
        ULONG_PTR known = atomic_load_explicit(&recorder->sites[place], memory_order_relaxed);
        if (known == address || (known == 0 && atomic_compare_exchange_strong(
                                                   &recorder->sites[place], &known, address))) {
            return;
        }
        if (known != address) {
            place = (place + 1) & (SITES_MAX - 1);
        }
    }
}

/* An address is inside the call that was made, or a routine's first. */
static void name_site(struct writer *own, ULONG_PTR address)
{
    struct base_site site = base_stack_site((const void *)(address + 1));
    write_text(own, TRACE_SITE, address, 0, site.text);
}

void wskemu_trace_name_sites(void)
{
    if (atomic_load(&trace_recorded_groups) == 0) {
        return;
    }
    for (size_t place = 0; place < SITES_MAX; place++) {
        ULONG_PTR address = atomic_load(&recorder->sites[place]);
        if (address != 0 && !atomic_exchange(&recorder->is_site_named[place], true)) {
            name_site(own_writer(), address);
        }
    }
}

/* ---- events ---- */

static void fill_address(struct trace_address *to, const struct net_address *from)
{
    *to = (struct trace_address){0};
    if (from != NULL && from->family != 0) {
        to->family = (UCHAR)from->family;
        to->port = from->port;
        to->scope = from->scope;
        RtlCopyMemory(to->bytes, from->bytes, sizeof(to->bytes));
    }
}

/* Where a gathered payload stands. */
struct payload {
    const struct net_buffer *buffers;
    SIZE_T offset;
    SIZE_T left;
};

/* Copies what comes next of it. */
static void take_payload(struct payload *payload, char *to, SIZE_T bytes)
{
    while (bytes != 0) {
        SIZE_T here = payload->buffers->length - payload->offset;
        SIZE_T moved = here < bytes ? here : bytes;
        RtlCopyMemory(to, (const char *)payload->buffers->base + payload->offset, moved);
        to += moved;
        bytes -= moved;
        payload->left -= moved;
        payload->offset += moved;
        if (payload->offset == payload->buffers->length) {
            payload->buffers++;
            payload->offset = 0;
        }
    }
}

static SIZE_T at_most(SIZE_T bytes, SIZE_T limit)
{
    return bytes < limit ? bytes : limit;
}

/* Payload that did not fit beside its event goes into records of its own behind it. */
static void write_rest(struct writer *own, struct payload *payload)
{
    while (payload->left != 0) {
        SIZE_T bytes = at_most(payload->left, DATA_BYTES_MAX);
        struct trace_record *record = reserve(own, bytes);
        if (record == NULL) {
            return;
        }
        stamp(own, record);
        take_payload(payload, (char *)(record + 1), bytes);
        commit(own, record, TRACE_BYTES, bytes);
    }
}

/* Writes addresses, text and the first of the payload; returns their bytes. */
static SIZE_T fill_data(char *data, const struct trace_event *event, SIZE_T text_bytes,
                        struct payload *payload, SIZE_T payload_bytes)
{
    char *to = data;
    if ((event->flags & TRACE_HAS_ADDRESSES) != 0) {
        struct trace_address *addresses = (struct trace_address *)(void *)to;
        fill_address(&addresses[0], event->addresses[0]);
        fill_address(&addresses[1], event->addresses[1]);
        to += 2 * sizeof(*addresses);
    }
    if (text_bytes != 0) {
        RtlCopyMemory(to, event->text, text_bytes);
        to += text_bytes;
    }
    take_payload(payload, to, payload_bytes);
    return (SIZE_T)(to + payload_bytes - data);
}

static void fill(struct trace_record *record, const struct trace_event *event, USHORT name)
{
    record->object = (ULONG_PTR)event->object;
    record->irp = (ULONG_PTR)event->irp;
    record->site = (ULONG_PTR)event->site;
    record->first = event->first;
    record->second = event->second;
    record->status = (ULONG)event->status;
    record->name = name;
    record->flags = (UCHAR)event->flags;
}

static void record_event(const struct trace_event *event)
{
    struct writer *own = own_writer();
    USHORT name = number_of(own, event->name);
    struct payload payload = {event->buffers, 0,
                              at_most(event->payload_bytes, recorder->payload_max)};
    SIZE_T fixed = (event->flags & TRACE_HAS_ADDRESSES) != 0 ? 2 * sizeof(struct trace_address) : 0;
    SIZE_T text = at_most(event->text_bytes, DATA_BYTES_MAX - fixed);
    SIZE_T inside = at_most(payload.left, DATA_BYTES_MAX - fixed - text);
    struct trace_record *record = reserve(own, fixed + text + inside);
    if (record == NULL) {
        return;
    }
    note_site((ULONG_PTR)event->site);
    stamp(own, record);
    fill(record, event, name);
    SIZE_T bytes = 0;
    if (fixed + text + inside != 0) {
        bytes = fill_data((char *)(record + 1), event, text, &payload, inside);
    }
    commit(own, record, event->kind, bytes);
    write_rest(own, &payload);
}

/* Routines are named as call sites are. */
static bool has_routine(enum trace_kind kind)
{
    return kind == TRACE_CALLBACK || kind == TRACE_DPC_QUEUE || kind == TRACE_DPC_RUN ||
           kind == TRACE_WORK_QUEUE || kind == TRACE_WORK_RUN || kind == TRACE_THREAD_START;
}

void trace_record(const struct trace_event *event)
{
    if (has_routine(event->kind)) {
        note_site((ULONG_PTR)event->first);
    }
    record_event(event);
    if (event->kind == TRACE_BUGCHECK) {
        wskemu_trace_name_sites();
    }
}

/* ---- beginning and end ---- */

static unsigned groups_of(enum wskemu_trace_level level)
{
    const unsigned network =
        TRACE_META | TRACE_SOCKETS | TRACE_TRAFFIC | TRACE_THREADS | TRACE_TEXTS;
    switch (level) {
    case WSKEMU_TRACE_NETWORK:
        return network;
    case WSKEMU_TRACE_ALL:
        return network | TRACE_CALLS | TRACE_IRPS | TRACE_DISPATCH | TRACE_WAITS | TRACE_LEVELS;
    default:
        return network | TRACE_CALLS | TRACE_IRPS | TRACE_DISPATCH;
    }
}

static void release(struct recorder *file)
{
    size_t windows = (size_t)((file->chunks_max + CHUNKS_PER_WINDOW - 1) / CHUNKS_PER_WINDOW);
    for (size_t i = 0; i < windows; i++) {
        void *window = atomic_load(&file->windows[i]);
        if (window != NULL) {
            base_file_map_release(window);
        }
    }
    base_mutex_destroy(&file->lock);
    free((void *)file->windows);
    free(file);
}

static void fill_header(struct trace_header *header, unsigned groups)
{
    *header = (struct trace_header){
        .version = TRACE_VERSION,
        .unit_bytes = TRACE_UNIT_BYTES,
        .chunk_bytes = TRACE_CHUNK_BYTES,
        .groups = groups,
        .start_ns = base_clock_ns(),
        .start_wall_100ns = base_clock_wall_100ns(),
        .chunks = 1,
        .process = base_process_number(),
    };
    RtlCopyMemory(header->magic, TRACE_MAGIC, sizeof(header->magic));
}

/* Room for a recording without its file; NULL when memory is short. */
static struct recorder *create(ULONG payload_bytes, ULONG megabytes)
{
    struct recorder *file = calloc(1, sizeof(*file));
    if (file == NULL) {
        return NULL;
    }
    file->payload_max = payload_bytes;
    file->chunks_max = (uint64_t)megabytes * CHUNKS_PER_WINDOW;
    file->windows = calloc(megabytes, sizeof(*file->windows));
    if (file->windows == NULL) {
        free(file);
        return NULL;
    }
    base_mutex_init(&file->lock);
    atomic_store(&file->chunks, 1);
    return file;
}

static NTSTATUS open_file(struct recorder *file, const char *path)
{
    file->map = base_file_map_create(path);
    if (file->map == NULL) {
        return STATUS_ACCESS_DENIED;
    }
    file->header = base_file_map_window(file->map, 0);
    if (file->header == NULL) {
        base_file_map_close(file->map, 0);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    atomic_store(&file->windows[0], file->header);
    return STATUS_SUCCESS;
}

NTSTATUS wskemu_trace_start(const struct wskemu_trace_options *options)
{
    ULONG megabytes = options->megabytes_max != 0 ? options->megabytes_max : MEGABYTES_DEFAULT;
    if (options->path == NULL || (unsigned)options->level > WSKEMU_TRACE_ALL ||
        megabytes > MEGABYTES_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    if (recorder != NULL) {
        return STATUS_DEVICE_ALREADY_ATTACHED;
    }
    struct recorder *file = create(options->payload_bytes, megabytes);
    if (file == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS status = open_file(file, options->path);
    if (!NT_SUCCESS(status)) {
        release(file);
        return status;
    }
    unsigned groups = groups_of(options->level);
    fill_header(file->header, groups);
    recorder = file;
    atomic_fetch_add(&recording, 1);
    atomic_store(&trace_recorded_groups, groups);
    trace_groups_update();
    return STATUS_SUCCESS;
}

void wskemu_trace_stop(void)
{
    struct recorder *file = recorder;
    if (file == NULL) {
        return;
    }
    wskemu_trace_name_sites();
    atomic_store(&trace_recorded_groups, 0);
    trace_groups_update();
    recorder = NULL;
    uint64_t chunks = atomic_load(&file->chunks);
    chunks = chunks < file->chunks_max ? chunks : file->chunks_max;
    file->header->chunks = chunks;
    file->header->is_closed = 1;
    struct base_file_map *map = file->map;
    release(file);
    base_file_map_close(map, chunks * TRACE_CHUNK_BYTES);
}
