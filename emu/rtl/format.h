/* The one formatter: Windows' printf language, for every function that takes a format. */
#ifndef RTL_FORMAT_H
#define RTL_FORMAT_H

#include <ntdef.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum rtl_format_options {
    RTL_FORMAT_ALL = 0,
    RTL_FORMAT_NO_FLOAT = 1, /* %e %f %g %a are unknown letters, as for the debugger's functions */
};

/*
 * Writes the first `capacity` units of the text, without a terminating null. Returns how many units
 * the whole text has, or -1 if the format is refused (%n) or the text exceeds INT_MAX units.
 */
int rtl_format_narrow(char *buffer, size_t capacity, enum rtl_format_options options,
                      const char *format, va_list arguments);
int rtl_format_wide(WCHAR *buffer, size_t capacity, enum rtl_format_options options,
                    const WCHAR *format, va_list arguments);

/*
 * What else a format may hold: %!NAME!. Writes the text of that name into text, takes its arguments
 * if it has some, and returns the text's length.
 */
typedef size_t rtl_format_name(const void *context, const char *name, size_t name_length,
                               va_list *arguments, char *text, size_t size);

/* As rtl_format_narrow, and each %!NAME! is what `names` writes. */
int rtl_format_named(char *buffer, size_t capacity, const char *format, va_list arguments,
                     rtl_format_name *names, const void *context);

#endif
