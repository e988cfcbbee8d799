/* One line an event: time in seconds, thread, processor, IRQL, what happened, its details. */
#include "trace_file.h"

#include <inttypes.h>

static bool is_shown(const struct trace_item *item)
{
    return item->record.kind != TRACE_STRING && item->record.kind != TRACE_SITE &&
           item->record.kind != TRACE_BYTES;
}

static void write_line(const struct trace_file *file, const struct trace_item *item, FILE *to)
{
    char text[TRACE_TEXT_BYTES];
    char processor[8] = "-";
    const struct trace_fields *record = &item->record;
    if (record->processor != TRACE_NO_PROCESSOR) {
        snprintf(processor, sizeof(processor), "%u", record->processor);
    }
    trace_item_describe(file, item, text);
    fprintf(to, "%6" PRIu64 ".%09" PRIu64 " %5u %3s %-8s %-15s %s\n", record->time_ns / 1000000000,
            record->time_ns % 1000000000, record->thread, processor, trace_irql_text(record->irql),
            trace_kind_text(record->kind), text);
}

bool trace_write_text(const struct trace_file *file, FILE *to)
{
    fprintf(to, "%-16s %5s %3s %-8s %-15s %s\n", "# seconds", "thr", "cpu", "irql", "event",
            "details");
    for (size_t i = 0; i < file->count; i++) {
        if (is_shown(&file->items[i])) {
            write_line(file, &file->items[i], to);
        }
    }
    if (file->header.lost != 0) {
        fprintf(to, "# %" PRIu64 " events were lost: the file was full\n", file->header.lost);
    }
    if (file->header.is_closed == 0) {
        fprintf(to, "# the program did not end the trace: it runs, or was stopped or killed\n");
    }
    return !ferror(to);
}
