/* A page of its own: timeline.html, with the trace as data where it says so. */
#include "timeline.h"
#include "trace_file.h"

#include <inttypes.h>
#include <string.h>

#define MARK "/*TRACE*/"

/* More would make a page that browsers show slowly; the first ones are kept. */
#define EVENTS_MAX 200000

static bool is_shown(const struct trace_item *item)
{
    return item->record.kind != TRACE_STRING && item->record.kind != TRACE_SITE &&
           item->record.kind != TRACE_BYTES && item->record.kind != TRACE_THREAD;
}

/* [ns, thread, processor, irql, kind, irp, request, socket, text] */
static void write_event(const struct trace_file *file, const struct trace_item *item, FILE *to)
{
    char text[TRACE_TEXT_BYTES];
    const struct trace_fields *record = &item->record;
    trace_item_describe(file, item, text);
    fprintf(to, "[%" PRIu64 ",%u,%d,%u,%u,%u,%u,%u,", record->time_ns, record->thread,
            record->processor == TRACE_NO_PROCESSOR ? -1 : (int)record->processor, record->irql,
            record->kind, item->irp, item->request, item->socket);
    trace_write_json_string(to, text, strlen(text));
    fputs("]", to);
}

static void write_data(const struct trace_file *file, FILE *to)
{
    size_t written = 0, total = 0;
    fputs("{driver:", to);
    trace_write_json_string(to, file->driver, strlen(file->driver));
    fputs(",kinds:[\"\"", to);
    for (unsigned kind = 1; kind < TRACE_KIND_COUNT; kind++) {
        fprintf(to, ",\"%s\"", trace_kind_text(kind));
    }
    fputs("],threads:{", to);
    for (size_t i = 0; i < file->thread_count; i++) {
        fprintf(to, "%s%u:", i != 0 ? "," : "", file->threads[i].number);
        trace_write_json_string(to, file->threads[i].name, strlen(file->threads[i].name));
    }
    fputs("},events:[\n", to);
    for (size_t i = 0; i < file->count; i++) {
        if (!is_shown(&file->items[i]) || ++total > EVENTS_MAX) {
            continue;
        }
        fputs(written++ != 0 ? ",\n" : "", to);
        write_event(file, &file->items[i], to);
    }
    fprintf(to, "],total:%zu,lost:%" PRIu64 ",closed:%s}", total, file->header.lost,
            file->header.is_closed != 0 ? "true" : "false");
}

bool trace_write_html(const struct trace_file *file, FILE *to)
{
    const char *page = (const char *)timeline_page;
    size_t mark = 0;
    while (mark + strlen(MARK) <= timeline_page_bytes &&
           memcmp(page + mark, MARK, strlen(MARK)) != 0) {
        mark++;
    }
    fwrite(page, 1, mark, to);
    write_data(file, to);
    fwrite(page + mark + strlen(MARK), 1, timeline_page_bytes - mark - strlen(MARK), to);
    return !ferror(to);
}
