/* A trace file, read and put in order. See emu/trace/format.h for its form. */
#ifndef TRACE_FILE_H
#define TRACE_FILE_H

#include "trace/address.h"
#include "trace/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A record with its fields; those that it does not have are 0. */
struct trace_fields {
    uint64_t time_ns; /* since the start */
    uint64_t object;
    uint64_t irp;
    uint64_t site;
    uint64_t first;
    uint64_t second;
    uint32_t status;
    uint16_t kind;
    uint16_t thread;
    uint16_t name;
    uint16_t flags;
    uint8_t irql;
    uint8_t processor;
};

/* One event. Objects are numbered from 1 on as they appear; 0 is none. */
struct trace_item {
    struct trace_fields record;
    size_t order;        /* one after the other in its thread */
    const uint8_t *data; /* of the record */
    size_t data_bytes;
    unsigned irp;     /* an IRP from its allocation to its free is one */
    unsigned socket;  /* likewise from open to close */
    unsigned request; /* which use of the IRP: calls that took one, counted over all IRPs */
};

struct trace_name {
    uint64_t key;
    const char *text;
};

struct trace_names {
    struct trace_name *all; /* sorted by key */
    size_t count;
};

/* A thread of the traced process. */
struct trace_thread {
    unsigned number;
    const char *name;
};

struct trace_file {
    uint8_t *bytes;
    size_t size;
    struct trace_header header;
    struct trace_item *items; /* in the order of time; of one thread in its own order */
    size_t count;
    struct trace_names names;     /* of TRACE_STRING */
    struct trace_names sites;     /* of TRACE_SITE */
    struct trace_names others;    /* of threads and drivers; not sorted */
    struct trace_thread *threads; /* each once */
    size_t thread_count;
    const char *driver; /* the first one's name, or "" */
    unsigned irp_count, socket_count, request_count;
};

/* Reads a file; false, after a complaint, if it is none. */
bool trace_file_read(struct trace_file *file, const char *path);
void trace_file_free(struct trace_file *file);

/* "socket-open" */
const char *trace_kind_text(unsigned kind);

/* "WskReceive", "a DPC routine"; "" for none. */
const char *trace_item_name(const struct trace_file *file, const struct trace_item *item);

/* "EchoAccept at echo.c:120"; "" if the item has no call site. Valid until the next call. */
const char *trace_item_site(const struct trace_file *file, const struct trace_item *item);

/* The same of any code address: its number if it has no name. */
const char *trace_site_text(const struct trace_file *file, uint64_t address);

/* All but kind, thread, IRQL and time, as text: "IRP 3 STATUS_SUCCESS 13 bytes". */
#define TRACE_TEXT_BYTES 1024
void trace_item_describe(const struct trace_file *file, const struct trace_item *item,
                         char text[TRACE_TEXT_BYTES]);

/* The addresses of an item, local and remote; false if it has none. */
bool trace_item_addresses(const struct trace_item *item, struct trace_address addresses[2]);

/* "127.0.0.1:80", "[::1]:80", "-" for none. */
void trace_address_text(const struct trace_address *address, char text[TRACE_ADDRESS_BYTES]);

/* Where an item's payload is, and how much of it was kept. */
const uint8_t *trace_item_payload(const struct trace_item *item, size_t *bytes);

/* "STATUS_SUCCESS", or its number. Valid until the next call. */
const char *trace_status_text(uint32_t status);

/* "PASSIVE", "DISPATCH" */
const char *trace_irql_text(unsigned irql);

/* The formats; false after a complaint. to is a stream of bytes. */
#include <stdio.h>
bool trace_write_text(const struct trace_file *file, FILE *to);
bool trace_write_chrome(const struct trace_file *file, FILE *to);
bool trace_write_html(const struct trace_file *file, FILE *to);
bool trace_write_pcapng(const struct trace_file *file, FILE *to);

/* Writes a string with its quotes, as JSON has it. */
void trace_write_json_string(FILE *to, const char *text, size_t bytes);

#endif
