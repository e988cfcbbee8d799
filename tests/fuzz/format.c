/*
 * libFuzzer target for the formatter: any format against arguments that every conversion can bear.
 *
 * All arguments are the same pointer: to a counted string whose first bytes, read as a text of
 * either width, end within the block. Numbers print its value. The result must fit, count alike
 * with and without room, and be the beginning of the whole.
 */
#include <ntdef.h>

#include "rtl/format.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_UNITS_MAX 256
#define ARGUMENTS 16
#define SMALL 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A counted string of either width, followed by an end for texts. */
static struct {
    UNICODE_STRING string;
    WCHAR end;
} block;

#define FEED                                                                                       \
    &block, &block, &block, &block, &block, &block, &block, &block, &block, &block, &block,        \
        &block, &block, &block, &block, &block, &block, &block, &block, &block, &block, &block,    \
        &block, &block, &block, &block, &block, &block, &block, &block, &block, &block

static int narrow(char *buffer, size_t capacity, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = rtl_format_narrow(buffer, capacity, RTL_FORMAT_NO_FLOAT, format, arguments);
    va_end(arguments);
    return length;
}

static int wide(WCHAR *buffer, size_t capacity, const WCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = rtl_format_wide(buffer, capacity, RTL_FORMAT_NO_FLOAT, format, arguments);
    va_end(arguments);
    return length;
}

static void check(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_format: %s\n", what);
        abort();
    }
}

/* More conversions than arguments would read what is not there; stars take one each as well. */
static int is_bearable(const char *format)
{
    size_t arguments = 0;
    for (; *format != 0; format++) {
        arguments += *format == '%' || *format == '*';
    }
    return arguments <= ARGUMENTS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static WCHAR counted[] = L"counted";
    static char all[4096];
    static WCHAR all_wide[4096];
    char format[FORMAT_UNITS_MAX + 1];
    WCHAR wide_format[FORMAT_UNITS_MAX + 1];
    char small[SMALL];

    if (size > FORMAT_UNITS_MAX) {
        return 0;
    }
    memcpy(format, data, size);
    format[size] = 0;
    if (!is_bearable(format)) {
        return 0;
    }
    for (size_t index = 0; index <= size; index++) {
        wide_format[index] = (UCHAR)format[index];
    }
    block.string = (UNICODE_STRING){sizeof(counted) - sizeof(WCHAR), sizeof(counted), counted};
    int length = narrow(all, sizeof(all), format, FEED);
    check(narrow(NULL, 0, format, FEED) == length, "another length without room");
    check(narrow(small, sizeof(small), format, FEED) == length, "another length in a small buffer");
    if (length > 0) {
        size_t kept = (size_t)length < sizeof(small) ? (size_t)length : sizeof(small);
        check(memcmp(small, all, kept) == 0, "another text in a small buffer");
    }
    wide(all_wide, sizeof(all_wide) / sizeof(WCHAR), wide_format, FEED);
    return 0;
}
