#include "harness/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 4096
#define PIECE_BYTES_MAX 640

static void append(struct report *report, const char *text)
{
    size_t length = strlen(text);
    if (report->text == NULL) {
        return;
    }
    if (report->used + length + 1 > report->capacity) {
        size_t capacity = report->capacity * 2 + length;
        char *larger = realloc(report->text, capacity);
        if (larger == NULL) {
            free(report->text);
            report->text = NULL;
            return;
        }
        report->text = larger;
        report->capacity = capacity;
    }
    memcpy(report->text + report->used, text, length + 1);
    report->used += length;
}

void report_begin(struct report *report, bool is_json)
{
    *report = (struct report){.is_json = is_json, .capacity = CAPACITY_FIRST};
    report->text = malloc(report->capacity);
    append(report, is_json ? "{" : "");
}

static void end_row(struct report *report)
{
    if (report->has_row) {
        append(report, report->is_json ? "}" : "\n");
    }
    report->has_row = false;
}

static void end_section(struct report *report)
{
    bool is_empty = !report->has_row;
    end_row(report);
    if (!report->has_section) {
        return;
    }
    if (report->is_json) {
        append(report, "]");
    } else if (is_empty) {
        append(report, "  none\n");
    }
}

void report_section(struct report *report, const char *name)
{
    char text[PIECE_BYTES_MAX];
    end_section(report);
    const char *form = !report->is_json ? "%s:\n" : report->has_section ? ",\"%s\":[" : "\"%s\":[";
    snprintf(text, sizeof(text), form, name);
    append(report, text);
    report->has_section = true;
}

void report_row(struct report *report)
{
    bool is_first = !report->has_row;
    end_row(report);
    if (report->is_json) {
        append(report, is_first ? "{" : ",{");
    } else {
        append(report, " ");
    }
    report->has_row = true;
    report->has_value = false;
}

static void name_value(struct report *report, const char *name)
{
    char text[PIECE_BYTES_MAX];
    const char *form = !report->is_json ? " %s=" : report->has_value ? ",\"%s\":" : "\"%s\":";
    snprintf(text, sizeof(text), form, name);
    append(report, text);
    report->has_value = true;
}

static void append_quoted(struct report *report, const char *value)
{
    char text[8];
    append(report, "\"");
    for (const char *at = value; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        bool is_plain = c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
        snprintf(text, sizeof(text), is_plain ? "%c" : "\\u%04x", c);
        append(report, text);
    }
    append(report, "\"");
}

void report_text(struct report *report, const char *name, const char *value)
{
    name_value(report, name);
    bool has_blank = strchr(value, ' ') != NULL;
    if (report->is_json || has_blank) {
        append_quoted(report, value);
    } else {
        append(report, value);
    }
}

void report_number(struct report *report, const char *name, uint64_t value)
{
    char text[32];
    name_value(report, name);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    append(report, text);
}

void report_seconds(struct report *report, const char *name, uint64_t ns)
{
    char text[32];
    name_value(report, name);
    snprintf(text, sizeof(text), "%.3f", (double)ns / 1e9);
    append(report, text);
}

char *report_end(struct report *report)
{
    end_section(report);
    append(report, report->is_json ? "}\n" : "");
    return report->text;
}
