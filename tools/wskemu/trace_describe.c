/* What an event says, in words. */
#include "trace_file.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static const char *const majors[] = {
    "CREATE",          "CREATE_NAMED_PIPE",
    "CLOSE",           "READ",
    "WRITE",           "QUERY_INFORMATION",
    "SET_INFORMATION", "QUERY_EA",
    "SET_EA",          "FLUSH_BUFFERS",
    "QUERY_VOLUME",    "SET_VOLUME",
    "DIRECTORY",       "FILE_SYSTEM",
    "DEVICE_CONTROL",  "INTERNAL_CONTROL",
    "SHUTDOWN",        "LOCK",
    "CLEANUP",         "CREATE_MAILSLOT",
    "QUERY_SECURITY",  "SET_SECURITY",
    "POWER",           "SYSTEM_CONTROL",
    "DEVICE_CHANGE",   "QUERY_QUOTA",
    "SET_QUOTA",       "PNP",
};

struct text {
    char *at;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->at + text->used, TRACE_TEXT_BYTES - text->used, format, arguments);
    va_end(arguments);
    if (length > 0) {
        text->used += (size_t)length;
        text->used = text->used < TRACE_TEXT_BYTES ? text->used : TRACE_TEXT_BYTES - 1;
    }
}

/* A word, with a blank in front of it unless it is the first. */
#define WORD(text, ...)                                                                            \
    do {                                                                                           \
        say(text, "%s", (text)->used == 0 ? "" : " ");                                             \
        say(text, __VA_ARGS__);                                                                    \
    } while (0)

static void say_data(struct text *text, const struct trace_item *item)
{
    size_t bytes = item->data_bytes;
    while (bytes != 0 && (item->data[bytes - 1] == '\n' || item->data[bytes - 1] == '\r')) {
        bytes--;
    }
    WORD(text, "%.*s", (int)bytes, (const char *)item->data);
    for (char *at = text->at; *at != '\0'; at++) {
        *at = *at == '\n' || *at == '\r' || *at == '\t' ? ' ' : *at;
    }
}

static void say_objects(struct text *text, const struct trace_item *item)
{
    if (item->socket != 0) {
        WORD(text, "socket %u", item->socket);
    }
    if (item->irp != 0) {
        WORD(text, "IRP %u", item->irp);
    }
}

static void say_addresses(struct text *text, const struct trace_item *item)
{
    struct trace_address addresses[2];
    char local[TRACE_ADDRESS_BYTES], remote[TRACE_ADDRESS_BYTES];
    if (!trace_item_addresses(item, addresses)) {
        return;
    }
    trace_address_text(&addresses[0], local);
    trace_address_text(&addresses[1], remote);
    WORD(text, "%s", local);
    if (addresses[1].family != 0) {
        bool is_in =
            item->record.kind == TRACE_SOCKET_ACCEPT || item->record.kind == TRACE_RECEIVE_FROM;
        WORD(text, "%s %s", is_in ? "from" : "to", remote);
    }
}

static void say_socket_type(struct text *text, const struct trace_fields *record)
{
    unsigned family = record->first & 0xFFFF;
    unsigned type = record->first >> 16 & 0xFFFF;
    WORD(text, "%s %s",
         family == 2    ? "IPv4"
         : family == 23 ? "IPv6"
                        : "family?",
         type == 1   ? "stream"
         : type == 2 ? "datagram"
                     : "raw");
}

/* What the kind's own fields say. */
static void say_fields(struct text *text, const struct trace_file *file,
                       const struct trace_item *item)
{
    const struct trace_fields *record = &item->record;
    switch (record->kind) {
    case TRACE_COMPLETE:
        WORD(text, record->first > UINT32_MAX ? "information 0x%" PRIx64 : "information %" PRIu64,
             record->first);
        break;
    case TRACE_CALLBACK:
    case TRACE_RETURN:
    case TRACE_DPC_QUEUE:
    case TRACE_DPC_RUN:
    case TRACE_WORK_QUEUE:
    case TRACE_WORK_RUN:
    case TRACE_THREAD_START:
        WORD(text, "%s", trace_site_text(file, record->first));
        break;
    case TRACE_IRP_ALLOCATE:
        WORD(text, "%" PRIu64 " locations", record->first);
        break;
    case TRACE_IRP_SEND:
        WORD(text, "IRP_MJ_%s",
             record->first >> 8 < sizeof(majors) / sizeof(majors[0]) ? majors[record->first >> 8]
                                                                     : "?");
        break;
    case TRACE_IRP_CANCEL:
        WORD(text, "%s", record->first != 0 ? "its cancel routine is called" : "no cancel routine");
        break;
    case TRACE_SOCKET_OPEN:
        say_socket_type(text, record);
        break;
    case TRACE_SOCKET_CLOSE:
        WORD(text, "%s", record->first != 0 ? "abortively" : "gracefully");
        break;
    case TRACE_SEND:
    case TRACE_RECEIVE:
    case TRACE_SEND_TO:
    case TRACE_RECEIVE_FROM:
        WORD(text, "%" PRIu64 " bytes", record->first);
        break;
    case TRACE_TIMER_SET:
        WORD(text, "due in %.3f ms",
             (double)(int64_t)(record->first - file->header.start_ns - record->time_ns) / 1e6);
        if (record->second != 0) {
            WORD(text, "every %" PRIu64 " ms", record->second);
        }
        break;
    case TRACE_WAIT:
        WORD(text, "%" PRIu64 " objects", record->second);
        break;
    case TRACE_IRQL:
        WORD(text, "from %s", trace_irql_text((unsigned)record->first));
        WORD(text, "to %s", trace_irql_text((unsigned)record->second));
        break;
    case TRACE_BUGCHECK:
        WORD(text, "0x%08" PRIX64 " (0x%" PRIx64 ")", record->first, record->second);
        break;
    case TRACE_SESSION:
        WORD(text, "session %" PRIu64, record->first);
        break;
    default:
        break;
    }
}

static bool has_text(unsigned kind)
{
    return kind == TRACE_PRINT || kind == TRACE_WARNING || kind == TRACE_BUGCHECK ||
           kind == TRACE_THREAD || kind == TRACE_DRIVER_LOAD || kind == TRACE_DRIVER_UNLOAD;
}

/* An object that has no number. */
static bool has_plain_object(const struct trace_item *item)
{
    return item->record.object != 0 && item->socket == 0 &&
           item->record.kind != TRACE_DRIVER_LOAD && item->record.kind != TRACE_DRIVER_UNLOAD;
}

void trace_item_describe(const struct trace_file *file, const struct trace_item *item,
                         char buffer[TRACE_TEXT_BYTES])
{
    struct text text = {buffer, 0};
    const char *name = trace_item_name(file, item);
    buffer[0] = '\0';
    if (name[0] != '\0') {
        WORD(&text, "%s", name);
    }
    say_objects(&text, item);
    if (has_plain_object(item)) {
        WORD(&text, "0x%" PRIx64, item->record.object);
    }
    say_addresses(&text, item);
    say_fields(&text, file, item);
    if (has_text(item->record.kind)) {
        say_data(&text, item);
    }
    if ((item->record.flags & TRACE_HAS_STATUS) != 0) {
        WORD(&text, "%s", trace_status_text(item->record.status));
    }
    const char *site = trace_item_site(file, item);
    if (site[0] != '\0') {
        WORD(&text, "[%s]", site);
    }
}
