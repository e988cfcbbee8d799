#include "base/log.h"

#include "base/mutex.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_BYTES_MAX 2048

static struct base_mutex log_lock; /* guards the two below */
static base_log_sink *log_sink;
static void *log_context;

void base_log_redirect(base_log_sink *sink, void *context)
{
    base_mutex_lock(&log_lock);
    log_sink = sink;
    log_context = context;
    base_mutex_unlock(&log_lock);
}

void base_log_write(const char *text, size_t length)
{
    base_mutex_lock(&log_lock);
    if (log_sink != NULL) {
        log_sink(log_context, text, length);
    } else {
        fwrite(text, 1, length, stderr);
    }
    base_mutex_unlock(&log_lock);
}

void base_log(const char *format, ...)
{
    char line[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    size_t bytes = (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1;
    base_log_write(line, bytes);
}
