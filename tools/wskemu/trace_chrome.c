/*
 * Trace JSON, as Perfetto and Chrome read it: a track a thread and a processor with routines and
 * waits as slices, calls and completions as short ones; an asynchronous span an IRP's use and a
 * socket; arrows from cause to effect; the IRQL of each thread as a counter.
 */
#include "trace_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 1, PROCESSORS = 2, NETWORK = 3, SESSIONS = 4 };

/* A cause whose effect has not come. */
struct cause {
    const char *category;
    uint64_t object;
    unsigned number;
};

struct chrome {
    const struct trace_file *file;
    FILE *to;
    bool has_event;
    int irql[UINT16_MAX + 1]; /* of each thread; -1: not told yet */
    const struct trace_item **requests;
    struct cause *causes;
    size_t cause_count;
    unsigned arrow_count;
};

static void begin(struct chrome *chrome, const char *phase, const char *category,
                  const struct trace_item *item)
{
    fprintf(chrome->to, "%s{\"ph\":\"%s\",\"cat\":\"%s\",\"ts\":%" PRIu64 ".%03u",
            chrome->has_event ? ",\n" : "", phase, category, item->record.time_ns / 1000,
            (unsigned)(item->record.time_ns % 1000));
    chrome->has_event = true;
}

static void on_track(struct chrome *chrome, int process, unsigned track)
{
    fprintf(chrome->to, ",\"pid\":%d,\"tid\":%u", process, track);
}

static void named(struct chrome *chrome, const char *name)
{
    fputs(",\"name\":", chrome->to);
    trace_write_json_string(chrome->to, name, strlen(name));
}

/* Closes the event, with the item's own words as its argument. */
static void end(struct chrome *chrome, const struct trace_item *item)
{
    char text[TRACE_TEXT_BYTES];
    trace_item_describe(chrome->file, item, text);
    fputs(",\"args\":{\"what\":", chrome->to);
    trace_write_json_string(chrome->to, text, strlen(text));
    fputs("}}", chrome->to);
}

static void slice(struct chrome *chrome, const char *phase, const struct trace_item *item,
                  const char *name)
{
    begin(chrome, phase, "routine", item);
    on_track(chrome, THREADS, item->record.thread);
    named(chrome, name);
    end(chrome, item);
    if (item->record.processor != TRACE_NO_PROCESSOR) {
        begin(chrome, phase, "routine", item);
        on_track(chrome, PROCESSORS, item->record.processor);
        named(chrome, name);
        end(chrome, item);
    }
}

/* A slice just long enough for arrows to begin and end at. */
static void moment(struct chrome *chrome, const struct trace_item *item, const char *name)
{
    begin(chrome, "X", "event", item);
    fputs(",\"dur\":0.2", chrome->to);
    on_track(chrome, THREADS, item->record.thread);
    named(chrome, name);
    end(chrome, item);
}

/* An end of an arrow; both have the same category and number, which no other has. */
static void arrow(struct chrome *chrome, const char *phase, const char *category,
                  const struct trace_item *item, unsigned number)
{
    begin(chrome, phase, category, item);
    on_track(chrome, THREADS, item->record.thread);
    fprintf(chrome->to, ",\"id\":\"%u\",\"bp\":\"e\"", number);
    named(chrome, category);
    fputs("}", chrome->to);
}

static struct cause *find_cause(struct chrome *chrome, const char *category, uint64_t object)
{
    for (size_t i = chrome->cause_count; i-- > 0;) {
        struct cause *cause = &chrome->causes[i];
        if (cause->object == object && strcmp(cause->category, category) == 0) {
            return cause;
        }
    }
    return NULL;
}

/* Of several causes the last counts. */
static unsigned begin_arrow(struct chrome *chrome, const char *category, uint64_t object)
{
    struct cause *cause = find_cause(chrome, category, object);
    if (cause == NULL) {
        size_t count = chrome->cause_count + 1;
        chrome->causes = realloc(chrome->causes, count * sizeof(*chrome->causes));
        if (chrome->causes == NULL) {
            abort();
        }
        cause = &chrome->causes[chrome->cause_count++];
    }
    *cause = (struct cause){category, object, ++chrome->arrow_count};
    return cause->number;
}

/* 0 if nothing caused it: a wait that was over at once, a further tick of a periodic timer. */
static unsigned end_arrow(struct chrome *chrome, const char *category, uint64_t object)
{
    struct cause *cause = find_cause(chrome, category, object);
    if (cause == NULL) {
        return 0;
    }
    unsigned number = cause->number;
    *cause = chrome->causes[--chrome->cause_count];
    return number;
}

static void span(struct chrome *chrome, int process, const char *phase, const char *category,
                 const struct trace_item *item, unsigned id, const char *name)
{
    begin(chrome, phase, category, item);
    on_track(chrome, process, 0);
    fprintf(chrome->to, ",\"id\":\"%u\"", id);
    named(chrome, name);
    end(chrome, item);
}

static void tell_irql(struct chrome *chrome, const struct trace_item *item)
{
    const struct trace_fields *record = &item->record;
    int level = record->kind == TRACE_IRQL ? (int)record->second : record->irql;
    if (chrome->irql[record->thread] == level) {
        return;
    }
    chrome->irql[record->thread] = level;
    begin(chrome, "C", "irql", item);
    on_track(chrome, THREADS, record->thread);
    fprintf(chrome->to, ",\"name\":\"IRQL of thread %u\",\"args\":{\"irql\":%d}}", record->thread,
            level);
}

static void tell_request(struct chrome *chrome, const struct trace_item *item)
{
    char name[128];
    const struct trace_item *call = chrome->requests[item->request];
    bool is_begin = item->record.kind != TRACE_COMPLETE;
    const char *function =
        call->record.kind == TRACE_CALL ? trace_item_name(chrome->file, call) : "IofCallDriver";
    snprintf(name, sizeof(name), "IRP %u %s", item->irp, function);
    span(chrome, NETWORK, is_begin ? "b" : "e", "irp", item, item->request, name);
    moment(chrome, item, is_begin ? function : "completes");
    arrow(chrome, is_begin ? "s" : "f", "irp", item, item->request);
}

static void tell_socket(struct chrome *chrome, const struct trace_item *item)
{
    char name[64];
    unsigned kind = item->record.kind;
    snprintf(name, sizeof(name), "socket %u", item->socket);
    const char *phase = kind == TRACE_SOCKET_OPEN ? "b" : kind == TRACE_SOCKET_CLOSE ? "e" : "n";
    span(chrome, NETWORK, phase, "socket", item, item->socket,
         phase[0] == 'n' ? trace_kind_text(kind) : name);
}

static void tell_session(struct chrome *chrome, const struct trace_item *item)
{
    char name[64];
    unsigned session = (unsigned)item->record.first;
    const char *event = trace_item_name(chrome->file, item);
    bool is_begin = strcmp(event, "create") == 0;
    bool is_end = strcmp(event, "terminate") == 0;
    snprintf(name, sizeof(name), "session %u", session);
    span(chrome, SESSIONS,
         is_begin ? "b"
         : is_end ? "e"
                  : "n",
         "session", item, session, is_begin || is_end ? name : event);
    moment(chrome, item, event);
}

static void tell_instant(struct chrome *chrome, const struct trace_item *item)
{
    begin(chrome, "i", "text", item);
    on_track(chrome, THREADS, item->record.thread);
    fputs(",\"s\":\"t\"", chrome->to);
    named(chrome, trace_kind_text(item->record.kind));
    end(chrome, item);
}

static void tell_effect(struct chrome *chrome, const struct trace_item *item, bool is_cause,
                        const char *category, uint64_t object)
{
    unsigned number =
        is_cause ? begin_arrow(chrome, category, object) : end_arrow(chrome, category, object);
    moment(chrome, item, trace_kind_text(item->record.kind));
    if (number != 0) {
        arrow(chrome, is_cause ? "s" : "f", category, item, number);
    }
}

static void tell(struct chrome *chrome, const struct trace_item *item)
{
    const struct trace_fields *record = &item->record;
    switch (record->kind) {
    case TRACE_CALLBACK:
        slice(chrome, "B", item, trace_item_name(chrome->file, item));
        break;
    case TRACE_RETURN:
        slice(chrome, "E", item, trace_item_name(chrome->file, item));
        break;
    case TRACE_CALL:
    case TRACE_IRP_SEND:
    case TRACE_COMPLETE:
        if (item->request != 0 && chrome->requests[item->request] != NULL) {
            tell_request(chrome, item);
        } else {
            moment(chrome, item, trace_item_name(chrome->file, item));
        }
        break;
    case TRACE_DPC_QUEUE:
    case TRACE_DPC_RUN:
        tell_effect(chrome, item, record->kind == TRACE_DPC_QUEUE, "dpc", record->object);
        break;
    case TRACE_WORK_QUEUE:
    case TRACE_WORK_RUN:
        tell_effect(chrome, item, record->kind == TRACE_WORK_QUEUE, "work", record->object);
        break;
    case TRACE_TIMER_SET:
    case TRACE_TIMER_EXPIRE:
        tell_effect(chrome, item, record->kind == TRACE_TIMER_SET, "timer", record->object);
        break;
    case TRACE_WAKE:
        tell_effect(chrome, item, true, "wake", record->first);
        break;
    case TRACE_WAIT:
        slice(chrome, "B", item, "waits");
        break;
    case TRACE_WAIT_END:
        slice(chrome, "E", item, "waits");
        tell_effect(chrome, item, false, "wake", record->first);
        break;
    case TRACE_SESSION:
        tell_session(chrome, item);
        break;
    case TRACE_STRING:
    case TRACE_SITE:
    case TRACE_BYTES:
    case TRACE_IRQL:
        break;
    default:
        if (item->socket != 0) {
            tell_socket(chrome, item);
        } else {
            tell_instant(chrome, item);
        }
        break;
    }
}

static void name_track(struct chrome *chrome, const char *what, int process, unsigned track,
                       const char *name)
{
    fprintf(chrome->to, "%s{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%u,\"args\":{\"name\":",
            chrome->has_event ? ",\n" : "", what, process, track);
    trace_write_json_string(chrome->to, name, strlen(name));
    fputs("}}", chrome->to);
    chrome->has_event = true;
}

static void name_tracks(struct chrome *chrome)
{
    char name[160];
    bool has_processor[256] = {false};
    name_track(chrome, "process_name", THREADS, 0, "threads");
    name_track(chrome, "process_name", PROCESSORS, 0, "processors");
    name_track(chrome, "process_name", NETWORK, 0, "IRPs and sockets");
    name_track(chrome, "process_name", SESSIONS, 0, "sessions");
    for (size_t i = 0; i < chrome->file->thread_count; i++) {
        const struct trace_thread *thread = &chrome->file->threads[i];
        snprintf(name, sizeof(name), "thread %u (%s)", thread->number, thread->name);
        name_track(chrome, "thread_name", THREADS, thread->number, name);
    }
    for (size_t i = 0; i < chrome->file->count; i++) {
        unsigned processor = chrome->file->items[i].record.processor;
        if (processor != TRACE_NO_PROCESSOR && !has_processor[processor]) {
            has_processor[processor] = true;
            snprintf(name, sizeof(name), "processor %u", processor);
            name_track(chrome, "thread_name", PROCESSORS, processor, name);
        }
    }
}

bool trace_write_chrome(const struct trace_file *file, FILE *to)
{
    static struct chrome chrome;
    chrome.file = file;
    chrome.to = to;
    chrome.requests = calloc(file->request_count + 1, sizeof(const struct trace_item *));
    if (chrome.requests == NULL) {
        abort();
    }
    memset(chrome.irql, 0xFF, sizeof(chrome.irql));
    for (size_t i = 0; i < file->count; i++) {
        unsigned kind = file->items[i].record.kind;
        if (kind == TRACE_CALL || kind == TRACE_IRP_SEND) {
            chrome.requests[file->items[i].request] = &file->items[i];
        }
    }
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", to);
    name_tracks(&chrome);
    for (size_t i = 0; i < file->count; i++) {
        tell_irql(&chrome, &file->items[i]);
        tell(&chrome, &file->items[i]);
    }
    fputs("\n]}\n", to);
    free(chrome.requests);
    free(chrome.causes);
    return !ferror(to);
}
