/*
 * Books kept from events: tables by address, under one lock that is taken inside whatever locks the
 * event happens under. An IRP stands in its table from the call that took it until its completion;
 * a call that was refused without completing it leaves no trace after the next call with that IRP.
 */
#include "harness/activity.h"

#include "base/clock.h"
#include "base/mutex.h"
#include "net/net.h"
#include "rtl/status_name.h"
#include "trace/address.h"
#include "trace/trace.h"

#include <stdio.h>
#include <stdlib.h>

#define PLACES_FIRST 256

/* An IRP or a socket, known by its address; NULL: a free place. */
struct entry {
    const void *key;
    struct activity_irp irp;
    struct activity_bytes bytes;
    struct net_address local;
    struct net_address remote;
    uint64_t since_ns;
    bool is_connection;
    bool has_failed;
};

struct table {
    struct entry *places;
    unsigned capacity; /* a power of two, or 0 */
    unsigned count;
};

static struct base_mutex lock; /* guards both */
static bool is_watching;
static struct table irps;
static struct table sockets;
static activity_teller *tell_line;

/* ---- tables ---- */

static unsigned home_of(const struct table *table, const void *key)
{
    return (unsigned)(((ULONG64)(ULONG_PTR)key * 0x9E3779B97F4A7C15ULL) >> 40) &
           (table->capacity - 1);
}

/* Where the key stands, or the free place where it would. */
static struct entry *place_of(const struct table *table, const void *key)
{
    unsigned place = home_of(table, key);
    while (table->places[place].key != NULL && table->places[place].key != key) {
        place = (place + 1) & (table->capacity - 1);
    }
    return &table->places[place];
}

static struct entry *find(const struct table *table, const void *key)
{
    struct entry *entry = table->capacity == 0 ? NULL : place_of(table, key);
    return entry != NULL && entry->key != NULL ? entry : NULL;
}

static bool grow(struct table *table)
{
    struct table larger = {.capacity = table->capacity == 0 ? PLACES_FIRST : table->capacity * 2,
                           .count = table->count};
    larger.places = calloc(larger.capacity, sizeof(*larger.places));
    if (larger.places == NULL) {
        return false;
    }
    for (unsigned i = 0; i < table->capacity; i++) {
        if (table->places[i].key != NULL) {
            *place_of(&larger, table->places[i].key) = table->places[i];
        }
    }
    free(table->places);
    *table = larger;
    return true;
}

/* A fresh entry for the key; NULL when memory is short. */
static struct entry *put(struct table *table, const void *key)
{
    if (table->count * 2 >= table->capacity && !grow(table)) {
        return NULL;
    }
    struct entry *entry = place_of(table, key);
    table->count += entry->key == NULL;
    *entry = (struct entry){.key = key, .since_ns = base_clock_ns()};
    return entry;
}

/* Takes an entry out; those behind it move up, so that none is missed later. */
static void take_out(struct table *table, const void *key)
{
    struct entry *entry = find(table, key);
    if (entry == NULL) {
        return;
    }
    unsigned hole = (unsigned)(entry - table->places);
    unsigned next = hole;
    table->count--;
    for (;;) {
        next = (next + 1) & (table->capacity - 1);
        if (table->places[next].key == NULL) {
            break;
        }
        unsigned home = home_of(table, table->places[next].key);
        bool is_between = hole <= next ? hole < home && home <= next : hole < home || home <= next;
        if (!is_between) {
            table->places[hole] = table->places[next];
            hole = next;
        }
    }
    table->places[hole] = (struct entry){.key = NULL};
}

/* ---- lines ---- */

static void write_address(const struct net_address *address, char text[TRACE_ADDRESS_BYTES])
{
    trace_address_write((unsigned)address->family, address->bytes, address->port, text);
}

/* What happened to a connection: "127.0.0.1:7 <- 127.0.0.1:51234 accepted". */
static void say(const struct entry *entry, bool is_in, const char *what)
{
    char line[256], local[TRACE_ADDRESS_BYTES], remote[TRACE_ADDRESS_BYTES];
    if (tell_line == NULL) {
        return;
    }
    write_address(&entry->local, local);
    write_address(&entry->remote, remote);
    snprintf(line, sizeof(line), "%s %s %s %s", local, is_in ? "<-" : "->", remote, what);
    tell_line(line, false);
}

static void say_status(const struct entry *entry, const char *what, NTSTATUS status)
{
    char line[256], local[TRACE_ADDRESS_BYTES];
    const char *name = rtl_status_name(status);
    if (tell_line == NULL) {
        return;
    }
    write_address(&entry->local, local);
    if (status == STATUS_SUCCESS) {
        snprintf(line, sizeof(line), "%s %s", what, local);
    } else if (name != NULL) {
        snprintf(line, sizeof(line), "%s %s: %s", what, local, name);
    } else {
        snprintf(line, sizeof(line), "%s %s: 0x%08X", what, local, (unsigned)status);
    }
    tell_line(line, !NT_SUCCESS(status));
}

/* ---- events ---- */

static void note_call(const struct trace_event *event)
{
    struct entry *entry = event->irp != NULL ? put(&irps, event->irp) : NULL;
    if (entry != NULL) {
        entry->irp = (struct activity_irp){.irp = event->irp,
                                           .function = event->name,
                                           .object = event->object,
                                           .site = event->site,
                                           .since_ns = entry->since_ns};
    }
}

static void note_addresses(struct entry *entry, const struct trace_event *event)
{
    if (event->addresses[0] != NULL) {
        entry->local = *event->addresses[0];
    }
    if (event->addresses[1] != NULL) {
        entry->remote = *event->addresses[1];
    }
}

static void note_bind(struct entry *entry, const struct trace_event *event)
{
    note_addresses(entry, event);
    if (!NT_SUCCESS(event->status)) {
        say_status(entry, "cannot bind to", event->status);
    }
}

static void note_connection(struct entry *entry, const struct trace_event *event)
{
    bool is_in = event->kind == TRACE_SOCKET_ACCEPT;
    note_addresses(entry, event);
    if (!NT_SUCCESS(event->status)) {
        say_status(entry, "cannot connect from", event->status);
        return;
    }
    entry->is_connection = true;
    say(entry, is_in, is_in ? "accepted" : "connected");
}

static void note_close(struct entry *entry, bool is_abortive)
{
    char what[160];
    double seconds = (double)(base_clock_ns() - entry->since_ns) / 1e9;
    if (entry->is_connection) {
        snprintf(what, sizeof(what), "%s after %.1f s, %llu bytes in, %llu out",
                 is_abortive || entry->has_failed ? "reset" : "closed", seconds,
                 (unsigned long long)entry->bytes.received, (unsigned long long)entry->bytes.sent);
        say(entry, true, what);
    }
    take_out(&sockets, entry->key);
}

/* Something that happened to a socket that is known. */
static void note_socket(struct entry *entry, const struct trace_event *event)
{
    switch (event->kind) {
    case TRACE_SOCKET_BIND:
        note_bind(entry, event);
        return;
    case TRACE_SOCKET_LISTEN:
        note_addresses(entry, event);
        say_status(entry, "listens on", STATUS_SUCCESS);
        return;
    case TRACE_SOCKET_CONNECT:
    case TRACE_SOCKET_ACCEPT:
        note_connection(entry, event);
        return;
    case TRACE_SOCKET_FAIL:
        entry->has_failed = true;
        return;
    case TRACE_SOCKET_CLOSE:
        note_close(entry, event->first != 0);
        return;
    case TRACE_SEND:
    case TRACE_SEND_TO:
        entry->bytes.sent += event->first;
        return;
    case TRACE_RECEIVE:
    case TRACE_RECEIVE_FROM:
        entry->bytes.received += event->first;
        return;
    default:
        return;
    }
}

static void note(void *context, const struct trace_event *event)
{
    UNREFERENCED_PARAMETER(context);
    base_mutex_lock(&lock);
    switch (event->kind) {
    case TRACE_CALL:
    case TRACE_IRP_SEND:
        note_call(event);
        break;
    case TRACE_COMPLETE:
    case TRACE_IRP_FREE:
        take_out(&irps, event->irp);
        break;
    case TRACE_SOCKET_OPEN:
        put(&sockets, event->object);
        break;
    default: {
        struct entry *entry = event->object != NULL ? find(&sockets, event->object) : NULL;
        if (entry != NULL) {
            note_socket(entry, event);
        }
        break;
    }
    }
    base_mutex_unlock(&lock);
}

void activity_begin(activity_teller *teller)
{
    if (!is_watching) {
        base_mutex_init(&lock);
        is_watching = true;
    }
    tell_line = teller;
    trace_listen(note, NULL, TRACE_CALLS | TRACE_IRPS | TRACE_SOCKETS | TRACE_TRAFFIC);
}

/* ---- questions ---- */

static int by_age(const void *left, const void *right)
{
    const struct activity_irp *one = left, *other = right;
    return (one->since_ns > other->since_ns) - (one->since_ns < other->since_ns);
}

unsigned activity_irps(struct activity_irp *found, unsigned count)
{
    unsigned total = 0;
    if (!is_watching) {
        return 0;
    }
    base_mutex_lock(&lock);
    for (unsigned i = 0; i < irps.capacity; i++) {
        if (irps.places[i].key != NULL) {
            if (total < count) {
                found[total] = irps.places[i].irp;
            }
            total++;
        }
    }
    base_mutex_unlock(&lock);
    qsort(found, total < count ? total : count, sizeof(*found), by_age);
    return total;
}

struct activity_bytes activity_bytes_of(const void *socket)
{
    struct activity_bytes bytes = {0};
    if (is_watching) {
        base_mutex_lock(&lock);
        const struct entry *entry = find(&sockets, socket);
        bytes = entry != NULL ? entry->bytes : bytes;
        base_mutex_unlock(&lock);
    }
    return bytes;
}
