/*
 * The recorder: events as records in a file. format.h tells the file's form.
 *
 * Each thread writes into a chunk of its own, memory that the file is mapped to, so a record costs
 * no lock: it is filled in place, and counts once the chunk's state includes it. A killed process
 * leaves every record that was complete; a record that a fault interrupted is written over by the
 * next.
 *
 * A thread keeps its chunk as long as it lives. What is in it when it is full goes to the file's
 * end by one call of the host, and the same memory is filled anew. Fresh mapped memory for each
 * chunk would cost a fault a page, which is more than all the rest.
 *
 * Times are the processor's counter where that can be trusted. How long a tick is is found out by
 * the clock, first in the moment in which the recording begins, then each time when twice as much
 * time has gone by, so that it is known to the thousandth at first and to the millionth soon. When
 * to look, and when half a time no longer says which moment it is, is one number of each thread's:
 * the way that calls nothing compares with that.
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
#define RECORD_BYTES_MAX (sizeof(struct trace_record) + TRACE_FIELDS_MAX * TRACE_FIELD_BYTES)
#define TIME_BYTES (sizeof(struct trace_record) + TRACE_FIELD_BYTES)
#define DATA_BYTES_MAX                                                                             \
    (TRACE_CHUNK_BYTES - sizeof(struct trace_chunk) - TIME_BYTES - RECORD_BYTES_MAX)
#define CALIBRATION_NS 50000 /* at the begin */
#define LOOK_AGAIN_MAX_NS 1000000000
#define LOOKS 4 /* at the clock, of which the quickest counts */

C_ASSERT(sizeof(struct trace_record) == 8 && sizeof(struct trace_details) == TRACE_FIELD_BYTES);
C_ASSERT(sizeof(struct trace_chunk) == 16);
C_ASSERT(sizeof(struct trace_header) <= TRACE_CHUNK_BYTES);
C_ASSERT((int)TRACE_KIND_COUNT <= 1 << TRACE_KIND_BITS && TRACE_CHUNK_BYTES <= 65536);

_Atomic unsigned trace_recorded_groups;
struct trace_recording trace_recording;
BASE_THREAD_LOCAL struct trace_writer trace_writer;

struct recorder {
    struct base_file_map *map;
    struct trace_header *header;
    uint64_t chunks_max;
    _Atomic uint64_t chunks; /* taken */
    _Atomic uint64_t lost;
    _Atomic(struct trace_chunk *) spare; /* which a thread gave back; or NULL */
    atomic_bool is_full;                 /* the host took no more */
    atomic_uint threads;
    void *_Atomic *windows; /* of the file, as many as chunks_max allows */
    struct base_mutex lock; /* guards making windows and names */
    USHORT name_count;
    struct trace_name names[TRACE_NAMES_MAX];
    _Atomic ULONG_PTR sites[TRACE_SITES_MAX];
    atomic_bool is_site_named[TRACE_SITES_MAX];
};

static struct recorder *recorder;
static uint64_t ticks_now(void)
{
    return trace_recording.is_clock ? base_clock_ns() : base_ticks();
}

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

/* The next chunk of the file; false if there is none. */
static bool next_chunk(uint64_t *number)
{
    if (atomic_load_explicit(&recorder->is_full, memory_order_relaxed) ||
        atomic_load_explicit(&recorder->chunks, memory_order_relaxed) >= recorder->chunks_max) {
        return false;
    }
    *number = atomic_fetch_add(&recorder->chunks, 1);
    if (*number >= recorder->chunks_max) {
        return false;
    }
    __atomic_store_n(&recorder->header->chunks, *number + 1, __ATOMIC_RELAXED);
    return true;
}

/* Memory of a chunk that nobody has; NULL if there is none. */
static struct trace_chunk *new_chunk(void)
{
    uint64_t number;
    char *window = next_chunk(&number) ? window_of(number) : NULL;
    if (window == NULL) {
        return NULL;
    }
    char *memory = window + number % CHUNKS_PER_WINDOW * TRACE_CHUNK_BYTES;
    base_file_map_prepare(memory, TRACE_CHUNK_BYTES);
    return (struct trace_chunk *)(void *)memory;
}

/* Gives the thread its chunk. */
static bool take_chunk(struct trace_writer *own)
{
    struct trace_chunk *chunk = atomic_exchange(&recorder->spare, NULL);
    chunk = chunk != NULL ? chunk : new_chunk();
    if (chunk == NULL) {
        return false;
    }
    own->chunk = chunk;
    own->state = sizeof(*chunk);
    chunk->thread = own->thread;
    chunk->state = own->state;
    __atomic_store_n(&chunk->mark, TRACE_CHUNK_MARK, __ATOMIC_RELEASE);
    return true;
}

/* Copies the thread's chunk to the file's end, and empties it. */
static bool move_chunk(struct trace_writer *own)
{
    uint64_t number;
    if (!next_chunk(&number)) {
        return false;
    }
    if (!base_file_map_write(recorder->map, number * TRACE_CHUNK_BYTES, own->chunk,
                             (ULONG)own->state)) {
        atomic_store(&recorder->is_full, true);
        return false;
    }
    own->state = ((own->state >> 32) + 1) << 32 | sizeof(*own->chunk);
    __atomic_store_n(&own->chunk->state, own->state, __ATOMIC_RELEASE);
    return true;
}

static bool is_there_room(const struct trace_writer *own, SIZE_T bytes)
{
    return own->chunk != NULL && (ULONG)own->state + bytes <= TRACE_CHUNK_BYTES;
}

/* Whether the moment cannot be told by its lower half. */
static bool needs_base(const struct trace_writer *own, uint64_t now)
{
    return own->chunk == NULL || (ULONG)own->state == sizeof(*own->chunk) || now < own->base ||
           now - own->base > UINT32_MAX;
}

static void write_text(struct trace_writer *own, enum trace_kind kind, ULONG_PTR site, USHORT name,
                       const char *text);

/* The thread's first record of this recording is to be what it is. */
static void begin_thread(struct trace_writer *own, uint64_t now)
{
    const struct _KTHREAD *thread = ke_thread_slot.thread;
    bool is_worker = thread != NULL && thread->is_worker;
    *own = (struct trace_writer){.recording = now, .state = TRACE_CHUNK_BYTES};
    own->thread = atomic_fetch_add(&recorder->threads, 1);
    write_text(own, TRACE_THREAD, 0, 0,
               is_worker                               ? "worker"
               : ke_thread_slot.is_emulated            ? "system thread"
               : thread != NULL && !thread->is_adopted ? "background"
                                                       : "host thread");
}

/* Makes room for so many bytes in the thread's chunk; false if the record is lost. */
static bool make_room(struct trace_writer *own, SIZE_T bytes)
{
    bytes += TIME_BYTES;
    uint64_t now = atomic_load_explicit(&trace_recording.number, memory_order_relaxed);
    if (own->recording != now) {
        begin_thread(own, now);
    }
    if (own->is_left_out) {
        return false;
    }
    if (is_there_room(own, bytes) || (own->chunk != NULL ? move_chunk(own) : take_chunk(own))) {
        return true;
    }
    uint64_t lost = atomic_fetch_add(&recorder->lost, 1) + 1;
    __atomic_store_n(&recorder->header->lost, lost, __ATOMIC_RELAXED);
    return false;
}

/* Writes the head and the fields of a record, for which there is room; where its data goes. */
static char *fill(struct trace_writer *own, const struct trace_event *event, uint64_t now,
                  USHORT name, SIZE_T data_bytes)
{
    struct trace_record *record =
        (struct trace_record *)(void *)((char *)own->chunk + (ULONG)own->state);
    const struct _KTHREAD *thread = ke_thread_slot.thread;
    const struct ke_processor *processor = thread != NULL ? thread->processor : NULL;
    *record = (struct trace_record){
        .ticks = (ULONG)now,
        .what = trace_what(event->kind, event->flags),
        .irql = thread != NULL ? thread->irql : PASSIVE_LEVEL,
        .processor = processor != NULL ? (UCHAR)processor->number : TRACE_NO_PROCESSOR,
    };
    return trace_fill((uint64_t *)(void *)(record + 1), event->flags, event, name,
                      (USHORT)data_bytes);
}

/* Everything of the record is in place up to end: it counts from here on. */
static void commit(struct trace_writer *own, const char *end)
{
    own->state = (own->state >> 32 << 32) + (uint64_t)(end - (const char *)own->chunk);
    __atomic_store_n(&own->chunk->state, own->state, __ATOMIC_RELEASE);
}

/* The thread's moments are told from this one on. */
static void write_base(struct trace_writer *own, uint64_t now)
{
    own->base = now > TRACE_TIME_SLACK ? now - TRACE_TIME_SLACK : 0;
    struct trace_event event = {.kind = TRACE_TIME, .flags = TRACE_HAS_FIRST, .first = own->base};
    commit(own, fill(own, &event, now, 0, 0));
}

static SIZE_T padded(SIZE_T bytes)
{
    return (bytes + TRACE_FIELD_BYTES - 1) & ~(SIZE_T)(TRACE_FIELD_BYTES - 1);
}

/* Begins a record: where its data goes, or NULL if it is lost. */
static char *begin_record(struct trace_writer *own, const struct trace_event *event, USHORT name,
                          SIZE_T data_bytes)
{
    SIZE_T bytes = trace_field_bytes(event->flags) + padded(data_bytes);
    if (!make_room(own, sizeof(struct trace_record) + bytes)) {
        return NULL;
    }
    uint64_t now = ticks_now();
    if (needs_base(own, now)) {
        write_base(own, now);
    }
    uint64_t look_at = atomic_load_explicit(&trace_recording.look_at, memory_order_relaxed);
    own->until = look_at < own->base + UINT32_MAX ? look_at : own->base + UINT32_MAX;
    return fill(own, event, now, name, data_bytes);
}

/* A record that has little but its text. */
static void write_text(struct trace_writer *own, enum trace_kind kind, ULONG_PTR site, USHORT name,
                       const char *text)
{
    SIZE_T bytes = strlen(text) < DATA_BYTES_MAX ? strlen(text) : DATA_BYTES_MAX;
    struct trace_event event = {.kind = kind,
                                .flags = TRACE_HAS_SITE | TRACE_HAS_NAME | TRACE_HAS_DATA,
                                .site = (const void *)site};
    char *data = begin_record(own, &event, name, bytes);
    if (data != NULL) {
        RtlCopyMemory(data, text, bytes);
        commit(own, data + padded(bytes));
    }
}

void trace_name_thread(const char *name)
{
    if (atomic_load(&trace_recorded_groups) != 0) {
        write_text(&trace_writer, TRACE_THREAD, 0, 0, name);
    }
}

void trace_leave_out_thread(void)
{
    struct trace_writer *own = &trace_writer;
    if (atomic_load(&trace_recorded_groups) == 0) {
        return;
    }
    uint64_t now = atomic_load_explicit(&trace_recording.number, memory_order_relaxed);
    struct trace_chunk *chunk = own->recording == now && own->state >> 32 == 0 ? own->chunk : NULL;
    *own = (struct trace_writer){.recording = now, .state = TRACE_CHUNK_BYTES, .is_left_out = true};
    if (chunk != NULL) {
        __atomic_store_n(&chunk->state, sizeof(*chunk), __ATOMIC_RELEASE);
        atomic_store(&recorder->spare, chunk);
    }
}

/* ---- time ---- */

/* The counter and the clock at one moment: the thread may be held up between reading one and the
 * other, so that the quickest of several tries counts. */
static uint64_t read_both(uint64_t *ns)
{
    uint64_t ticks = 0, shortest = UINT64_MAX;
    for (int i = 0; i < LOOKS; i++) {
        uint64_t before = ticks_now();
        uint64_t clock = base_clock_ns();
        uint64_t took = ticks_now() - before;
        if (took < shortest) {
            shortest = took;
            ticks = before + took / 2;
            *ns = clock;
        }
    }
    return ticks;
}

/* Two threads may do it at once; either is right. */
static void compare_clock(void)
{
    uint64_t ns;
    struct trace_header *header = recorder->header;
    uint64_t ticks = read_both(&ns);
    if (trace_recording.is_clock || ticks <= header->start_ticks || ns <= header->start_ns) {
        return;
    }
    uint64_t passed = ns - header->start_ns;
    double ns_per_tick = (double)passed / (double)(ticks - header->start_ticks);
    __atomic_store_n(&header->tick_length, (uint64_t)(ns_per_tick * TRACE_TICKS_PER_LENGTH),
                     __ATOMIC_RELAXED);
    passed = passed < LOOK_AGAIN_MAX_NS ? passed : LOOK_AGAIN_MAX_NS;
    atomic_store(&trace_recording.look_at, ticks + (uint64_t)((double)passed / ns_per_tick));
}

static void start_counting(struct trace_header *header)
{
    trace_recording.is_clock = !base_ticks_are_steady();
    header->tick_length = (uint64_t)TRACE_TICKS_PER_LENGTH;
    header->start_ticks = read_both(&header->start_ns);
    header->start_wall_100ns = base_clock_wall_100ns();
    atomic_store(&trace_recording.look_at, 0);
    while (!trace_recording.is_clock && base_clock_ns() - header->start_ns < CALIBRATION_NS) {
        compare_clock();
    }
}

/* ---- names and sites ---- */

/* The lock is held. */
static USHORT add_name(struct trace_writer *own, const char *text, size_t place)
{
    struct recorder *file = recorder;
    while (atomic_load(&file->names[place].text) != NULL) {
        if (atomic_load(&file->names[place].text) == text) {
            return file->names[place].number;
        }
        place = (place + 1) & (TRACE_NAMES_MAX - 1);
    }
    if (file->name_count == TRACE_NAMES_MAX / 2) {
        return 0;
    }
    file->names[place].number = ++file->name_count;
    write_text(own, TRACE_STRING, 0, file->names[place].number, text);
    atomic_store_explicit(&file->names[place].text, text, memory_order_release);
    return file->names[place].number;
}

/* Names are known by their address: one text may have several numbers. Room is made before the lock
 * is taken, which making a window takes too. */
static USHORT number_of(const char *text)
{
    struct trace_writer *own = &trace_writer;
    size_t first = trace_place_of((ULONG_PTR)text, TRACE_NAMES_MAX);
    if (text == NULL) {
        return 0;
    }
    for (size_t place = first;; place = (place + 1) & (TRACE_NAMES_MAX - 1)) {
        const struct trace_name *name = &recorder->names[place];
        const char *known = atomic_load_explicit(&name->text, memory_order_acquire);
        if (known == text) {
            return name->number;
        }
        if (known == NULL) {
            break;
        }
    }
    if (!make_room(own, TRACE_CHUNK_BYTES / 4)) {
        return 0;
    }
    base_mutex_lock(&recorder->lock);
    USHORT number = add_name(own, text, first);
    base_mutex_unlock(&recorder->lock);
    return number;
}

static void note_site(ULONG_PTR address)
{
    size_t place = trace_place_of(address, TRACE_SITES_MAX);
    for (size_t tried = 0; address != 0 && tried < 64; tried++) {
        ULONG_PTR known = atomic_load_explicit(&recorder->sites[place], memory_order_relaxed);
        if (known == address || (known == 0 && atomic_compare_exchange_strong(
                                                   &recorder->sites[place], &known, address))) {
            return;
        }
        if (known != address) {
            place = (place + 1) & (TRACE_SITES_MAX - 1);
        }
    }
}

/* An address is inside the call that was made, or a routine's first. */
static void name_site(ULONG_PTR address)
{
    struct base_site site = base_stack_site((const void *)(address + 1));
    write_text(&trace_writer, TRACE_SITE, address, 0, site.text);
}

void wskemu_trace_name_sites(void)
{
    if (atomic_load(&trace_recorded_groups) == 0) {
        return;
    }
    compare_clock();
    for (size_t place = 0; place < TRACE_SITES_MAX; place++) {
        ULONG_PTR address = atomic_load(&recorder->sites[place]);
        if (address != 0 && !atomic_exchange(&recorder->is_site_named[place], true)) {
            name_site(address);
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
static void write_rest(struct trace_writer *own, struct payload *payload)
{
    const struct trace_event event = {.kind = TRACE_BYTES, .flags = TRACE_HAS_DATA};
    while (payload->left != 0) {
        SIZE_T bytes = at_most(payload->left, DATA_BYTES_MAX);
        char *data = begin_record(own, &event, 0, bytes);
        if (data == NULL) {
            return;
        }
        take_payload(payload, data, bytes);
        commit(own, data + padded(bytes));
    }
}

/* Writes addresses, text and the first of the payload. */
static void fill_data(char *to, const struct trace_event *event, SIZE_T text_bytes,
                      struct payload *payload, SIZE_T payload_bytes)
{
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
}

void trace_record(const struct trace_event *event)
{
    struct trace_writer *own = &trace_writer;
    struct payload payload = {event->buffers, 0,
                              at_most(event->payload_bytes, trace_recording.payload_max)};
    USHORT name = number_of(event->name);
    SIZE_T fixed = (event->flags & TRACE_HAS_ADDRESSES) != 0 ? 2 * sizeof(struct trace_address) : 0;
    SIZE_T text = at_most(event->text_bytes, DATA_BYTES_MAX - fixed);
    SIZE_T inside = at_most(payload.left, DATA_BYTES_MAX - fixed - text);
    SIZE_T bytes = fixed + text + inside;
    struct trace_event whole = *event;
    whole.flags |= bytes != 0 ? (unsigned)TRACE_HAS_DATA : 0;
    note_site((ULONG_PTR)event->site);
    note_site(event->is_routine_first ? (ULONG_PTR)event->first : 0);
    char *data = begin_record(own, &whole, name, bytes);
    if (data == NULL) {
        return;
    }
    fill_data(data, event, text, &payload, inside);
    commit(own, data + padded(bytes));
    write_rest(own, &payload);
    if (ticks_now() >= atomic_load_explicit(&trace_recording.look_at, memory_order_relaxed)) {
        compare_clock();
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
        .chunk_bytes = TRACE_CHUNK_BYTES,
        .groups = groups,
        .chunks = 1,
        .process = base_process_number(),
    };
    start_counting(header);
    RtlCopyMemory(header->magic, TRACE_MAGIC, sizeof(header->magic));
}

/* Room for a recording without its file; NULL when memory is short. */
static struct recorder *create(ULONG megabytes)
{
    struct recorder *file = calloc(1, sizeof(*file));
    if (file == NULL) {
        return NULL;
    }
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
    struct recorder *file = create(megabytes);
    if (file == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS status = open_file(file, options->path);
    if (!NT_SUCCESS(status)) {
        release(file);
        return status;
    }
    unsigned groups = groups_of(options->level);
    recorder = file;
    trace_recording.payload_max = options->payload_bytes;
    trace_recording.names = file->names;
    trace_recording.sites = file->sites;
    fill_header(file->header, groups);
    atomic_fetch_add(&trace_recording.number, 1);
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
