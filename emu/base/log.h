/* Where the emulator's text goes: DbgPrint, traces, reports, bug checks. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

typedef void base_log_sink(void *context, const char *text, size_t length);

/* Sends all text to sink; NULL restores the standard error stream. */
void base_log_redirect(base_log_sink *sink, void *context);

/* Writes length bytes in one piece. */
void base_log_write(const char *text, size_t length);

/* Writes formatted text of at most 2,047 bytes in one piece, with the host's printf. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void base_log(const char *format, ...);

#endif
