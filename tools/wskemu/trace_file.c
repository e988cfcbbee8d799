/*
 * Reading: the chunks of each thread by their sequence, each chunk as far as it says, as the writer
 * may have been killed; then all records sorted by time, which keeps each thread's order. Payload
 * that was cut into several records is put together again.
 *
 * A file that is written meanwhile may change under the reader: a thread's chunk is moved and begun
 * anew. So the chunks' heads are read again behind the rest; if one says another sequence than
 * before, all is read again, and at last that chunk is left out, its bytes being no one's.
 */
#include "trace_file.h"

#include "command.h"
#include "kernel.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_texts[TRACE_KIND_COUNT] = {
#define X(kind, text, group) [TRACE_##kind] = text,
    TRACE_KINDS(X)
#undef X
};

const char *trace_kind_text(unsigned kind)
{
    return kind < TRACE_KIND_COUNT && kind_texts[kind] != NULL ? kind_texts[kind] : "unknown";
}

#define READ_TRIES 4

/* ---- the file ---- */

static uint8_t *read_stream(FILE *from, size_t *size)
{
    uint8_t *bytes = NULL;
    size_t capacity = 0, got = 1;
    *size = 0;
    while (got != 0) {
        if (*size == capacity) {
            capacity = capacity == 0 ? 1 << 20 : capacity * 2;
            uint8_t *larger = realloc(bytes, capacity);
            if (larger == NULL) {
                free(bytes);
                return NULL;
            }
            bytes = larger;
        }
        got = fread(bytes + *size, 1, capacity - *size, from);
        *size += got;
    }
    return bytes;
}

static uint32_t sequence_of(uint64_t state)
{
    return (uint32_t)(state >> 32);
}

/* Takes away the mark of chunks that were begun anew while they were read; how many there are. */
static unsigned drop_changed(FILE *from, uint8_t *bytes, size_t size)
{
    unsigned dropped = 0;
    for (size_t at = TRACE_CHUNK_BYTES; at + sizeof(struct trace_chunk) <= size;
         at += TRACE_CHUNK_BYTES) {
        struct trace_chunk before, now;
        memcpy(&before, bytes + at, sizeof(before));
        if (before.mark == TRACE_CHUNK_MARK && at <= LONG_MAX &&
            fseek(from, (long)at, SEEK_SET) == 0 && fread(&now, sizeof(now), 1, from) == 1 &&
            sequence_of(now.state) != sequence_of(before.state)) {
            memset(bytes + at, 0, sizeof(before.mark));
            dropped++;
        }
    }
    return dropped;
}

static uint8_t *read_all(const char *path, size_t *size)
{
    uint8_t *bytes = NULL;
    unsigned dropped = 1;
    FILE *from = fopen(path, "rb");
    if (from == NULL) {
        command_complain("cannot read %s", path);
        return NULL;
    }
    setvbuf(from, NULL, _IONBF, 0); /* what is read again is to be read anew */
    for (int tries = 0; dropped != 0 && tries < READ_TRIES; tries++) {
        free(bytes);
        rewind(from);
        bytes = read_stream(from, size);
        if (bytes == NULL) {
            command_complain("%s does not fit into memory", path);
            break;
        }
        dropped = drop_changed(from, bytes, *size);
    }
    fclose(from);
    return bytes;
}

static bool check_header(struct trace_file *file, const char *path)
{
    if (file->size >= TRACE_CHUNK_BYTES) {
        memcpy(&file->header, file->bytes, sizeof(file->header));
    }
    if (memcmp(file->header.magic, TRACE_MAGIC, sizeof(file->header.magic)) != 0) {
        command_complain("%s is no trace: wskemu run --trace FILE makes one", path);
        return false;
    }
    if (file->header.version != TRACE_VERSION || file->header.chunk_bytes != TRACE_CHUNK_BYTES) {
        command_complain("%s was written by another version of wskemu (format %u, this one reads "
                         "%u)",
                         path, file->header.version, TRACE_VERSION);
        return false;
    }
    return true;
}

/* ---- records ---- */

static void append(struct trace_file *file, size_t *capacity, const struct trace_item *item)
{
    if (file->count == *capacity) {
        *capacity = *capacity == 0 ? 4096 : *capacity * 2;
        file->items = realloc(file->items, *capacity * sizeof(*file->items));
        if (file->items == NULL) {
            abort();
        }
    }
    file->items[file->count++] = *item;
}

static uint64_t time_of(const struct trace_file *file, uint64_t ticks)
{
    uint64_t start = file->header.start_ticks;
    double length = (double)file->header.tick_length / TRACE_TICKS_PER_LENGTH;
    return ticks <= start ? 0 : (uint64_t)((double)(ticks - start) * length);
}

/* Takes the next field if the record has it. */
static uint64_t take_field(const uint8_t **at, unsigned flags, unsigned field)
{
    uint64_t value = 0;
    if ((flags & field) != 0) {
        memcpy(&value, *at, TRACE_FIELD_BYTES);
        *at += TRACE_FIELD_BYTES;
    }
    return value;
}

static size_t field_bytes(unsigned flags)
{
    const unsigned singles =
        TRACE_HAS_OBJECT | TRACE_HAS_IRP | TRACE_HAS_SITE | TRACE_HAS_FIRST | TRACE_HAS_SECOND;
    size_t count = (flags & TRACE_HAS_DETAILS) != 0;
    for (unsigned left = flags & singles; left != 0; left &= left - 1) {
        count++;
    }
    return count * TRACE_FIELD_BYTES;
}

/* Takes all fields, which are there; how much data follows them. */
static size_t take_fields(const uint8_t **at, struct trace_fields *fields)
{
    unsigned flags = fields->flags;
    uint64_t object = take_field(at, flags, TRACE_HAS_OBJECT);
    fields->irp = take_field(at, flags, TRACE_HAS_IRP);
    fields->site = take_field(at, flags, TRACE_HAS_SITE);
    fields->first = take_field(at, flags, TRACE_HAS_FIRST);
    fields->second = take_field(at, flags, TRACE_HAS_SECOND);
    if ((flags & TRACE_HAS_SHORT) != 0) {
        fields->first = object >> TRACE_SHORT_SHIFT;
        object &= ((uint64_t)1 << TRACE_SHORT_SHIFT) - 1;
    }
    fields->object = object;
    struct trace_details details = {0};
    if ((flags & TRACE_HAS_DETAILS) != 0) {
        memcpy(&details, *at, sizeof(details));
        *at += sizeof(details);
    }
    fields->name = details.name;
    fields->status = details.status;
    return details.data_bytes;
}

/* Reads the record at a place, whose time counts from the base; the place behind it, or NULL. */
static const uint8_t *read_record(const struct trace_file *file, const uint8_t *at,
                                  const uint8_t *end, uint64_t base, struct trace_item *item)
{
    struct trace_record record;
    if ((size_t)(end - at) < sizeof(record)) {
        return NULL;
    }
    memcpy(&record, at, sizeof(record));
    at += sizeof(record);
    unsigned kind = record.what & ((1u << TRACE_KIND_BITS) - 1);
    unsigned flags = (unsigned)record.what >> TRACE_KIND_BITS;
    if (kind == TRACE_NONE || kind >= TRACE_KIND_COUNT || field_bytes(flags) > (size_t)(end - at)) {
        return NULL;
    }
    *item = (struct trace_item){.record = {.kind = (uint16_t)kind,
                                           .flags = (uint16_t)flags,
                                           .irql = record.irql,
                                           .processor = record.processor}};
    item->record.time_ns = time_of(file, base + (uint32_t)(record.ticks - (uint32_t)base));
    item->data_bytes = take_fields(&at, &item->record);
    item->data = at;
    size_t data = (item->data_bytes + 7) & ~(size_t)7;
    return data <= (size_t)(end - at) ? at + data : NULL;
}

/* A chunk as it lies in the file. */
struct piece {
    struct trace_chunk head;
    const uint8_t *begin;
    const uint8_t *end; /* of what counts and is there */
};

static int by_sequence(const void *left, const void *right)
{
    const struct piece *one = left, *other = right;
    uint32_t own = sequence_of(one->head.state), others = sequence_of(other->head.state);
    if (one->head.thread != other->head.thread) {
        return one->head.thread < other->head.thread ? -1 : 1;
    }
    if (own != others) {
        return own < others ? -1 : 1;
    }
    return (one->begin > other->begin) - (one->begin < other->begin);
}

/* The counters of two processors may differ by a little. */
static void read_piece(struct trace_file *file, size_t *capacity, const struct piece *piece,
                       uint64_t *now_ns)
{
    const uint8_t *at = piece->begin + sizeof(piece->head);
    uint64_t base = 0;
    while (at != NULL && at < piece->end) {
        struct trace_item item;
        at = read_record(file, at, piece->end, base, &item);
        if (at != NULL && item.record.kind == TRACE_TIME) {
            base = item.record.first;
        } else if (at != NULL) {
            item.order = file->count;
            item.record.thread = (uint16_t)piece->head.thread;
            *now_ns = item.record.time_ns > *now_ns ? item.record.time_ns : *now_ns;
            item.record.time_ns = *now_ns;
            append(file, capacity, &item);
        }
    }
}

/* Every chunk that anybody has taken; how many. */
static size_t find_pieces(const struct trace_file *file, struct piece *pieces)
{
    size_t count = 0;
    for (size_t at = TRACE_CHUNK_BYTES; at + sizeof(struct trace_chunk) <= file->size;
         at += TRACE_CHUNK_BYTES) {
        struct piece *piece = &pieces[count];
        memcpy(&piece->head, file->bytes + at, sizeof(piece->head));
        size_t used = (uint32_t)piece->head.state;
        used = used < TRACE_CHUNK_BYTES ? used : TRACE_CHUNK_BYTES;
        piece->begin = file->bytes + at;
        piece->end = piece->begin + (used < file->size - at ? used : file->size - at);
        count += piece->head.mark == TRACE_CHUNK_MARK;
    }
    return count;
}

static void read_chunks(struct trace_file *file)
{
    size_t capacity = 0;
    uint64_t now_ns = 0;
    struct piece *pieces = calloc(file->size / TRACE_CHUNK_BYTES + 1, sizeof(*pieces));
    if (pieces == NULL) {
        abort();
    }
    size_t count = find_pieces(file, pieces);
    qsort(pieces, count, sizeof(*pieces), by_sequence);
    for (size_t i = 0; i < count; i++) {
        bool is_same_thread = i != 0 && pieces[i].head.thread == pieces[i - 1].head.thread;
        now_ns = is_same_thread ? now_ns : 0;
        if (!is_same_thread ||
            sequence_of(pieces[i].head.state) != sequence_of(pieces[i - 1].head.state)) {
            read_piece(file, &capacity, &pieces[i], &now_ns);
        }
    }
    free(pieces);
}

static int by_time(const void *left, const void *right)
{
    const struct trace_item *one = left, *other = right;
    if (one->record.time_ns != other->record.time_ns) {
        return one->record.time_ns < other->record.time_ns ? -1 : 1;
    }
    return (one->order > other->order) - (one->order < other->order);
}

/* ---- names ---- */

static int by_key(const void *left, const void *right)
{
    const struct trace_name *one = left, *other = right;
    return (one->key > other->key) - (one->key < other->key);
}

static void add_name(struct trace_names *names, uint64_t key, const struct trace_item *item)
{
    char *text = malloc(item->data_bytes + 1);
    names->all = realloc(names->all, (names->count + 1) * sizeof(*names->all));
    if (text == NULL || names->all == NULL) {
        abort();
    }
    memcpy(text, item->data, item->data_bytes);
    text[item->data_bytes] = '\0';
    names->all[names->count++] = (struct trace_name){key, text};
}

static const char *find_name(const struct trace_names *names, uint64_t key)
{
    struct trace_name wanted = {key, NULL};
    const struct trace_name *found =
        names->count == 0 ? NULL
                          : bsearch(&wanted, names->all, names->count, sizeof(wanted), by_key);
    return found != NULL ? found->text : NULL;
}

static void free_names(struct trace_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free((void *)(uintptr_t)names->all[i].text);
    }
    free(names->all);
}

/* The text stays until the file is freed. */
static const char *keep_text(struct trace_file *file, const struct trace_item *item)
{
    add_name(&file->others, 0, item);
    return file->others.all[file->others.count - 1].text;
}

/* The last name that a thread has counts. */
static void add_thread(struct trace_file *file, const struct trace_item *item)
{
    const char *name = keep_text(file, item);
    for (size_t i = 0; i < file->thread_count; i++) {
        if (file->threads[i].number == item->record.thread) {
            file->threads[i].name = name;
            return;
        }
    }
    file->threads = realloc(file->threads, (file->thread_count + 1) * sizeof(*file->threads));
    if (file->threads == NULL) {
        abort();
    }
    file->threads[file->thread_count++] = (struct trace_thread){item->record.thread, name};
}

static void collect_names(struct trace_file *file)
{
    file->driver = "";
    for (size_t i = 0; i < file->count; i++) {
        const struct trace_item *item = &file->items[i];
        if (item->record.kind == TRACE_STRING) {
            add_name(&file->names, item->record.name, item);
        } else if (item->record.kind == TRACE_SITE) {
            add_name(&file->sites, item->record.site, item);
        } else if (item->record.kind == TRACE_THREAD) {
            add_thread(file, item);
        } else if (item->record.kind == TRACE_DRIVER_LOAD && file->driver[0] == '\0') {
            file->driver = keep_text(file, item);
        }
    }
    if (file->names.count != 0) {
        qsort(file->names.all, file->names.count, sizeof(*file->names.all), by_key);
    }
    if (file->sites.count != 0) {
        qsort(file->sites.all, file->sites.count, sizeof(*file->sites.all), by_key);
    }
}

/* ---- numbers ---- */

/* The number that an address has now: a table of open addressing. */
struct numbers {
    struct {
        uint64_t address;
        unsigned number;
        unsigned use;
    } * places;
    size_t capacity; /* a power of two */
    size_t count;
};

static size_t place_of(const struct numbers *numbers, uint64_t address)
{
    size_t place = (size_t)((address * 0x9E3779B97F4A7C15ULL) >> 32) & (numbers->capacity - 1);
    while (numbers->places[place].address != 0 && numbers->places[place].address != address) {
        place = (place + 1) & (numbers->capacity - 1);
    }
    return place;
}

static void grow(struct numbers *numbers)
{
    struct numbers larger = {.capacity = numbers->capacity == 0 ? 1024 : numbers->capacity * 2};
    larger.places = calloc(larger.capacity, sizeof(*larger.places));
    if (larger.places == NULL) {
        abort();
    }
    for (size_t i = 0; i < numbers->capacity; i++) {
        if (numbers->places[i].address != 0) {
            larger.places[place_of(&larger, numbers->places[i].address)] = numbers->places[i];
        }
    }
    larger.count = numbers->count;
    free(numbers->places);
    *numbers = larger;
}

/* The place of an address, which gets the next number if it has none. */
static size_t number_of(struct numbers *numbers, uint64_t address, bool is_new, unsigned *last)
{
    if (numbers->count * 2 >= numbers->capacity) {
        grow(numbers);
    }
    size_t place = place_of(numbers, address);
    if (numbers->places[place].address == 0) {
        numbers->places[place].address = address;
        numbers->count++;
    }
    if (is_new || numbers->places[place].number == 0) {
        numbers->places[place].number = ++*last;
        numbers->places[place].use = 0;
    }
    return place;
}

static bool has_socket(const struct trace_item *item)
{
    unsigned kind = item->record.kind;
    return item->record.object != 0 &&
           ((kind >= TRACE_SOCKET_OPEN && kind <= TRACE_RECEIVE_FROM) || kind == TRACE_BYTES);
}

static void number_irp(struct trace_file *file, struct numbers *irps, struct trace_item *item)
{
    unsigned kind = item->record.kind;
    size_t place = number_of(irps, item->record.irp, kind == TRACE_IRP_ALLOCATE, &file->irp_count);
    if (kind == TRACE_CALL || kind == TRACE_IRP_SEND) {
        irps->places[place].use = ++file->request_count;
    }
    item->irp = irps->places[place].number;
    item->request = irps->places[place].use;
    if (kind == TRACE_COMPLETE) {
        irps->places[place].use = 0;
    } else if (kind == TRACE_IRP_FREE) {
        irps->places[place].number = 0;
    }
}

static void number_irps(struct trace_file *file)
{
    struct numbers irps = {0};
    for (size_t i = 0; i < file->count; i++) {
        if (file->items[i].record.irp != 0) {
            number_irp(file, &irps, &file->items[i]);
        }
    }
    free(irps.places);
}

/* A call's object may be a socket too, or a client or registration: what was opened tells. */
static void number_sockets(struct trace_file *file)
{
    struct numbers sockets = {0};
    for (size_t i = 0; i < file->count; i++) {
        struct trace_item *item = &file->items[i];
        if (has_socket(item)) {
            size_t place = number_of(&sockets, item->record.object,
                                     item->record.kind == TRACE_SOCKET_OPEN, &file->socket_count);
            item->socket = sockets.places[place].number;
        } else if (item->record.kind == TRACE_CALL && sockets.capacity != 0) {
            item->socket = sockets.places[place_of(&sockets, item->record.object)].number;
        }
    }
    free(sockets.places);
}

bool trace_file_read(struct trace_file *file, const char *path)
{
    *file = (struct trace_file){0};
    file->bytes = read_all(path, &file->size);
    if (file->bytes == NULL) {
        return false;
    }
    if (!check_header(file, path)) {
        free(file->bytes);
        return false;
    }
    read_chunks(file);
    if (file->count != 0) {
        qsort(file->items, file->count, sizeof(*file->items), by_time);
    }
    collect_names(file);
    number_irps(file);
    number_sockets(file);
    return true;
}

void trace_file_free(struct trace_file *file)
{
    free_names(&file->names);
    free_names(&file->sites);
    free_names(&file->others);
    free(file->threads);
    free(file->items);
    free(file->bytes);
}

/* ---- what items say ---- */

const char *trace_item_name(const struct trace_file *file, const struct trace_item *item)
{
    const char *name = find_name(&file->names, item->record.name);
    return name != NULL ? name : "";
}

const char *trace_site_text(const struct trace_file *file, uint64_t address)
{
    static char text[280];
    const char *site = find_name(&file->sites, address);
    if (site == NULL) {
        snprintf(text, sizeof(text), "0x%" PRIx64, address);
        return text;
    }
    /* "function at /a/long/path/echo.c:12": the path's last step will do. */
    const char *at = strstr(site, " at ");
    const char *file_name = at == NULL ? NULL : strrchr(at, '/');
    if (file_name == NULL) {
        return site;
    }
    snprintf(text, sizeof(text), "%.*s at %s", (int)(at - site), site, file_name + 1);
    return text;
}

const char *trace_item_site(const struct trace_file *file, const struct trace_item *item)
{
    return item->record.site != 0 ? trace_site_text(file, item->record.site) : "";
}

bool trace_item_addresses(const struct trace_item *item, struct trace_address addresses[2])
{
    if ((item->record.flags & TRACE_HAS_ADDRESSES) == 0 ||
        item->data_bytes < 2 * sizeof(*addresses)) {
        return false;
    }
    memcpy(addresses, item->data, 2 * sizeof(*addresses));
    return true;
}

const uint8_t *trace_item_payload(const struct trace_item *item, size_t *bytes)
{
    size_t skip =
        (item->record.flags & TRACE_HAS_ADDRESSES) != 0 ? 2 * sizeof(struct trace_address) : 0;
    skip = skip < item->data_bytes ? skip : item->data_bytes;
    *bytes = item->data_bytes - skip;
    return item->data + skip;
}

void trace_address_text(const struct trace_address *address, char text[TRACE_ADDRESS_BYTES])
{
    trace_address_write(address->family, address->bytes, address->port, text);
}

const char *trace_status_text(uint32_t status)
{
    static char text[16];
    const char *name = kernel_status_name(status);
    if (name != NULL) {
        return name;
    }
    snprintf(text, sizeof(text), "0x%08" PRIX32, status);
    return text;
}

const char *trace_irql_text(unsigned irql)
{
    static char text[12];
    switch (irql) {
    case 0:
        return "PASSIVE";
    case 1:
        return "APC";
    case 2:
        return "DISPATCH";
    case 15:
        return "HIGH";
    default:
        snprintf(text, sizeof(text), "%u", irql);
        return text;
    }
}

void trace_write_json_string(FILE *to, const char *text, size_t bytes)
{
    fputc('"', to);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            fprintf(to, "\\%c", c);
        } else if (c == '\n') {
            fputs("\\n", to);
        } else if (c < 0x20 || c == '<' || c >= 0x7F) {
            fprintf(to, "\\u%04x", c); /* also keeps "</script>" out of a page */
        } else {
            fputc(c, to);
        }
    }
    fputc('"', to);
}
