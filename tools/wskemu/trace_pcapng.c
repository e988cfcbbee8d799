/*
 * The network side as a packet capture. What the driver sent and received is known as bytes, not as
 * packets; so packets are made up: a handshake where a connection begins, segments with running
 * sequence numbers, FIN or RST where it ends, datagrams as they were. Each carries a comment: which
 * IRP moved it, and where the driver made the call.
 */
#include "trace_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINK_RAW 101 /* packets begin with their IP header */
#define UNITS_1601_TO_1970 116444736000000000ULL
#define SEGMENT_BYTES 32768
#define HEADERS_MAX 60
#define FIRST_SEQUENCE 1000

enum tcp_flags { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { TCP = 6, UDP = 17 };

/* A direction of a connection is known by who sends: 0 the driver, 1 its peer. */
struct conversation {
    struct trace_address end[2]; /* of the driver, of its peer */
    uint32_t next[2];            /* sequence number of the next byte */
    bool has_ended[2];
    bool is_open;
};

struct capture {
    const struct trace_file *file;
    FILE *to;
    struct conversation *sockets;       /* by number */
    const struct trace_item **requests; /* the call of each, by number */
};

/* What a packet is made of. */
struct packet {
    const struct trace_item *item; /* gives time and comment */
    const struct trace_address *from;
    const struct trace_address *to;
    const uint8_t *payload; /* what was kept of it */
    size_t kept;
    size_t length;
    uint32_t sequence;
    uint32_t acknowledged;
    unsigned flags;
    int protocol;
};

/* ---- blocks ---- */

static void put32(FILE *to, uint32_t number)
{
    fwrite(&number, sizeof(number), 1, to);
}

static void put16(FILE *to, uint16_t number)
{
    fwrite(&number, sizeof(number), 1, to);
}

static size_t padding_of(size_t bytes)
{
    return (4 - bytes % 4) % 4;
}

static void put_padded(FILE *to, const void *bytes, size_t count)
{
    static const char zeros[4];
    if (count != 0) {
        fwrite(bytes, 1, count, to);
    }
    fwrite(zeros, 1, padding_of(count), to);
}

static size_t option_bytes(size_t length)
{
    return 4 + length + padding_of(length);
}

static void put_option(FILE *to, uint16_t code, const void *value, size_t length)
{
    put16(to, code);
    put16(to, (uint16_t)length);
    put_padded(to, value, length);
}

static void write_section(FILE *to)
{
    static const char program[] = "wskemu";
    uint32_t length = (uint32_t)(28 + option_bytes(sizeof(program) - 1) + 4);
    put32(to, 0x0A0D0D0A);
    put32(to, length);
    put32(to, 0x1A2B3C4D);
    put16(to, 1);
    put16(to, 0);
    put32(to, UINT32_MAX); /* the section's length is not told */
    put32(to, UINT32_MAX);
    put_option(to, 4, program, sizeof(program) - 1);
    put32(to, 0);
    put32(to, length);
}

static void write_interface(FILE *to, const char *name)
{
    static const uint8_t nanoseconds = 9;
    size_t bytes = strlen(name);
    uint32_t length = (uint32_t)(20 + option_bytes(bytes) + option_bytes(1) + 4);
    put32(to, 1);
    put32(to, length);
    put16(to, LINK_RAW);
    put16(to, 0);
    put32(to, 0); /* no limit of a packet's length */
    put_option(to, 2, name, bytes);
    put_option(to, 9, &nanoseconds, 1);
    put32(to, 0);
    put32(to, length);
}

/* ---- headers ---- */

static void store16(uint8_t *at, unsigned number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

static void store32(uint8_t *at, uint32_t number)
{
    store16(at, number >> 16);
    store16(at + 2, number & 0xFFFF);
}

static uint32_t add_words(uint32_t sum, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i + 1 < count; i += 2) {
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    if (count % 2 != 0) {
        sum += (uint32_t)bytes[count - 1] << 8;
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return sum;
}

static bool is_ipv6(const struct packet *packet)
{
    return packet->from->family == 6 || packet->to->family == 6;
}

static size_t write_ip(uint8_t *at, const struct packet *packet, size_t inner)
{
    memset(at, 0, 40);
    if (is_ipv6(packet)) {
        at[0] = 0x60;
        store16(at + 4, (unsigned)inner);
        at[6] = (uint8_t)packet->protocol;
        at[7] = 64;
        memcpy(at + 8, packet->from->bytes, 16);
        memcpy(at + 24, packet->to->bytes, 16);
        return 40;
    }
    at[0] = 0x45;
    store16(at + 2, (unsigned)(20 + inner));
    at[6] = 0x40; /* not to be split */
    at[8] = 64;
    at[9] = (uint8_t)packet->protocol;
    memcpy(at + 12, packet->from->bytes, 4);
    memcpy(at + 16, packet->to->bytes, 4);
    store16(at + 10, ~add_words(0, at, 20) & 0xFFFF);
    return 20;
}

static size_t write_inner(uint8_t *at, const struct packet *packet)
{
    memset(at, 0, 20);
    store16(at, packet->from->port);
    store16(at + 2, packet->to->port);
    if (packet->protocol == UDP) {
        store16(at + 4, (unsigned)(8 + packet->length));
        return 8;
    }
    store32(at + 4, packet->sequence);
    store32(at + 8, (packet->flags & ACK) != 0 ? packet->acknowledged : 0);
    at[12] = 0x50;
    at[13] = (uint8_t)packet->flags;
    store16(at + 14, 65535);
    return 20;
}

/* The checksum over addresses, header and payload; where payload is missing there is none. */
static void write_checksum(uint8_t *inner, size_t header, const struct packet *packet)
{
    size_t address = is_ipv6(packet) ? 16 : 4;
    if (packet->kept < packet->length) {
        return;
    }
    uint32_t sum = add_words(0, packet->from->bytes, address);
    sum = add_words(sum, packet->to->bytes, address);
    sum += (uint32_t)packet->protocol + (uint32_t)(header + packet->length);
    sum = add_words(sum, inner, header);
    sum = add_words(sum, packet->payload, packet->length);
    sum = (sum & 0xFFFF) + (sum >> 16);
    uint32_t value = ~((sum & 0xFFFF) + (sum >> 16)) & 0xFFFF;
    store16(inner + (packet->protocol == UDP ? 6 : 16), value == 0 ? 0xFFFF : value);
}

/* ---- packets ---- */

static void comment_on(const struct capture *capture, const struct trace_item *item,
                       char text[TRACE_TEXT_BYTES])
{
    const struct trace_item *call = item->request != 0 ? capture->requests[item->request] : NULL;
    if (call != NULL) {
        snprintf(text, TRACE_TEXT_BYTES, "IRP %u of %s, %s", item->irp,
                 trace_item_name(capture->file, call), trace_item_site(capture->file, call));
    } else if (item->irp != 0) {
        snprintf(text, TRACE_TEXT_BYTES, "IRP %u", item->irp);
    } else {
        snprintf(text, TRACE_TEXT_BYTES, "%s, no IRP", trace_kind_text(item->record.kind));
    }
}

static void write_packet(const struct capture *capture, const struct packet *packet)
{
    char comment[TRACE_TEXT_BYTES];
    uint8_t headers[HEADERS_MAX];
    uint8_t inner[20];
    FILE *to = capture->to;
    size_t inner_bytes = write_inner(inner, packet);
    size_t ip_bytes = write_ip(headers, packet, inner_bytes + packet->length);
    write_checksum(inner, inner_bytes, packet);
    memcpy(headers + ip_bytes, inner, inner_bytes);
    size_t head = ip_bytes + inner_bytes;
    size_t kept = head + packet->kept;
    comment_on(capture, packet->item, comment);
    uint64_t when = (capture->file->header.start_wall_100ns - UNITS_1601_TO_1970) * 100 +
                    packet->item->record.time_ns;
    uint32_t length =
        (uint32_t)(28 + kept + padding_of(kept) + option_bytes(strlen(comment)) + 4 + 4);
    put32(to, 6);
    put32(to, length);
    put32(to, 0);
    put32(to, (uint32_t)(when >> 32));
    put32(to, (uint32_t)when);
    put32(to, (uint32_t)kept);
    put32(to, (uint32_t)(head + packet->length));
    fwrite(headers, 1, head, to);
    put_padded(to, packet->payload, packet->kept); /* headers have whole words */
    put_option(to, 1, comment, strlen(comment));
    put32(to, 0);
    put32(to, length);
}

/* A segment of a connection, by side: 0 the driver, 1 its peer. */
static void write_segment(const struct capture *capture, const struct trace_item *item, int side,
                          unsigned flags, const uint8_t *payload, size_t kept, size_t length)
{
    struct conversation *socket = &capture->sockets[item->socket];
    struct packet packet = {
        .item = item,
        .from = &socket->end[side],
        .to = &socket->end[!side],
        .payload = payload,
        .kept = kept,
        .length = length,
        .sequence = socket->next[side],
        .acknowledged = socket->next[!side],
        .flags = flags,
        .protocol = TCP,
    };
    write_packet(capture, &packet);
    socket->next[side] += (uint32_t)length + ((flags & (SYN | FIN)) != 0);
}

/* The payload of an item from its records, which lie behind it on its thread; to be freed. */
static uint8_t *gather(const struct capture *capture, size_t index, size_t *kept)
{
    const struct trace_file *file = capture->file;
    const struct trace_item *item = &file->items[index];
    size_t bytes;
    const uint8_t *first = trace_item_payload(item, &bytes);
    uint8_t *all = malloc((size_t)item->record.first + 1);
    if (all == NULL || bytes > item->record.first) {
        abort();
    }
    memcpy(all, first, bytes);
    *kept = bytes;
    for (size_t i = index + 1; i < file->count && *kept < item->record.first && bytes != 0; i++) {
        const struct trace_item *next = &file->items[i];
        if (next->record.thread != item->record.thread) {
            continue;
        }
        if (next->record.kind != TRACE_BYTES || next->data_bytes > item->record.first - *kept) {
            break;
        }
        memcpy(all + *kept, next->data, next->data_bytes);
        *kept += next->data_bytes;
    }
    return all;
}

static size_t at_most(size_t number, size_t limit)
{
    return number < limit ? number : limit;
}

static void write_stream(const struct capture *capture, size_t index, int side)
{
    const struct trace_item *item = &capture->file->items[index];
    size_t kept, left = (size_t)item->record.first, done = 0;
    if (!capture->sockets[item->socket].is_open) {
        return;
    }
    uint8_t *payload = gather(capture, index, &kept);
    while (left != 0) {
        size_t here = at_most(left, SEGMENT_BYTES);
        size_t kept_here = done < kept ? at_most(kept - done, here) : 0;
        write_segment(capture, item, side, PSH | ACK, payload + at_most(done, kept), kept_here,
                      here);
        done += here;
        left -= here;
    }
    free(payload);
}

static void write_datagram(const struct capture *capture, size_t index, int side)
{
    const struct trace_item *item = &capture->file->items[index];
    struct trace_address ends[2];
    size_t kept;
    if (!trace_item_addresses(item, ends) || item->record.first > 65000) {
        return;
    }
    uint8_t *payload = gather(capture, index, &kept);
    struct packet packet = {
        .item = item,
        .from = &ends[side],
        .to = &ends[!side],
        .payload = payload,
        .kept = kept,
        .length = (size_t)item->record.first,
        .protocol = UDP,
    };
    write_packet(capture, &packet);
    free(payload);
}

/* ---- a connection's life ---- */

static void write_begin(const struct capture *capture, const struct trace_item *item, int side)
{
    struct conversation *socket = &capture->sockets[item->socket];
    if ((item->record.status & 0x80000000u) != 0 || !trace_item_addresses(item, socket->end)) {
        return;
    }
    socket->next[0] = FIRST_SEQUENCE;
    socket->next[1] = 2 * FIRST_SEQUENCE;
    socket->is_open = true;
    socket->has_ended[0] = socket->has_ended[1] = false;
    write_segment(capture, item, side, SYN, NULL, 0, 0);
    write_segment(capture, item, !side, SYN | ACK, NULL, 0, 0);
    write_segment(capture, item, side, ACK, NULL, 0, 0);
}

static void write_end(const struct capture *capture, const struct trace_item *item, int side)
{
    struct conversation *socket = &capture->sockets[item->socket];
    if (!socket->is_open || socket->has_ended[side]) {
        return;
    }
    socket->has_ended[side] = true;
    write_segment(capture, item, side, FIN | ACK, NULL, 0, 0);
    write_segment(capture, item, !side, ACK, NULL, 0, 0);
    socket->is_open = !(socket->has_ended[0] && socket->has_ended[1]);
}

static void write_reset(const struct capture *capture, const struct trace_item *item, int side)
{
    if (capture->sockets[item->socket].is_open) {
        write_segment(capture, item, side, RST | ACK, NULL, 0, 0);
        capture->sockets[item->socket].is_open = false;
    }
}

static void write_item(const struct capture *capture, size_t index)
{
    const struct trace_item *item = &capture->file->items[index];
    bool is_own = item->record.first != 0;
    switch (item->record.kind) {
    case TRACE_SOCKET_CONNECT:
        write_begin(capture, item, 0);
        break;
    case TRACE_SOCKET_ACCEPT:
        write_begin(capture, item, 1);
        break;
    case TRACE_SEND:
        write_stream(capture, index, 0);
        break;
    case TRACE_RECEIVE:
        write_stream(capture, index, 1);
        break;
    case TRACE_SEND_TO:
        write_datagram(capture, index, 0);
        break;
    case TRACE_RECEIVE_FROM:
        write_datagram(capture, index, 1);
        break;
    case TRACE_SOCKET_SHUTDOWN:
        write_end(capture, item, 0);
        break;
    case TRACE_SOCKET_END:
        write_end(capture, item, 1);
        break;
    case TRACE_SOCKET_FAIL:
        write_reset(capture, item, is_own ? 0 : 1);
        break;
    case TRACE_SOCKET_CLOSE:
        if (is_own) {
            write_reset(capture, item, 0);
        } else {
            write_end(capture, item, 0);
        }
        break;
    default:
        break;
    }
}

bool trace_write_pcapng(const struct trace_file *file, FILE *to)
{
    struct capture capture = {
        .file = file,
        .to = to,
        .sockets = calloc(file->socket_count + 1, sizeof(*capture.sockets)),
        .requests = calloc(file->request_count + 1, sizeof(const struct trace_item *)),
    };
    if (capture.sockets == NULL || capture.requests == NULL) {
        abort();
    }
    for (size_t i = 0; i < file->count; i++) {
        if (file->items[i].record.kind == TRACE_CALL) {
            capture.requests[file->items[i].request] = &file->items[i];
        }
    }
    write_section(to);
    write_interface(to, file->driver[0] != '\0' ? file->driver : "wskemu");
    for (size_t i = 0; i < file->count; i++) {
        write_item(&capture, i);
    }
    free(capture.requests);
    free(capture.sockets);
    return !ferror(to);
}
