/*
 * The formatter, one directive a time: its letters come from the input, and its arguments are of
 * the kind that the letter asks for. Whatever the directive: nothing is written beyond the
 * capacity, the length does not depend on it, and a short text is the beginning of the long one.
 */
#include "rtl/format.h"

#include <ntddk.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX 512
#define GUARD 0x5A

struct input {
    const uint8_t *data;
    size_t size;
};

static unsigned take(struct input *input)
{
    if (input->size == 0) {
        return 0;
    }
    input->size--;
    return *input->data++;
}

static int narrow(char *buffer, size_t capacity, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = rtl_format_narrow(buffer, capacity, RTL_FORMAT_ALL, format, arguments);
    va_end(arguments);
    return length;
}

static int wide(WCHAR *buffer, size_t capacity, const WCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = rtl_format_wide(buffer, capacity, RTL_FORMAT_ALL, format, arguments);
    va_end(arguments);
    return length;
}

/* Flags, width, precision and size, of letters that never ask for a pointer. */
static size_t numeric_directive(struct input *input, char *format)
{
    static const char flags[] = "-+ #0";
    static const char *const sizes[] = {"", "h", "l", "ll", "I", "I32", "I64", "hh", "w"};
    static const char letters[] = "diouxXpcC%qk";
    size_t at = 0;
    format[at++] = '%';
    for (unsigned count = take(input) % 4; count > 0; count--) {
        format[at++] = flags[take(input) % (sizeof(flags) - 1)];
    }
    for (unsigned count = take(input) % 3; count > 0; count--) {
        format[at++] = (char)('0' + take(input) % 10);
    }
    if (take(input) % 2 == 1) {
        format[at++] = '.';
        for (unsigned count = take(input) % 3; count > 0; count--) {
            format[at++] = (char)('0' + take(input) % 10);
        }
    }
    const char *length = sizes[take(input) % (sizeof(sizes) / sizeof(sizes[0]))];
    memcpy(format + at, length, strlen(length));
    at += strlen(length);
    format[at++] = letters[take(input) % (sizeof(letters) - 1)];
    format[at] = '\0';
    return at;
}

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

static void check_narrow(const char *format, uint64_t number, size_t capacity)
{
    char long_text[TEXT_MAX];
    char short_text[TEXT_MAX];
    memset(short_text, GUARD, sizeof(short_text));
    int length = narrow(long_text, sizeof(long_text), format, number);
    require(narrow(short_text, capacity, format, number) == length);
    if (length < 0) {
        return;
    }
    size_t written = (size_t)length < capacity ? (size_t)length : capacity;
    require(memcmp(short_text, long_text, written) == 0);
    for (size_t i = capacity; i < sizeof(short_text); i++) {
        require(short_text[i] == GUARD);
    }
}

static void check_wide(const char *format, size_t format_length, uint64_t number, size_t capacity)
{
    WCHAR wide_format[64];
    WCHAR text[TEXT_MAX];
    for (size_t i = 0; i <= format_length; i++) {
        wide_format[i] = (WCHAR)format[i];
    }
    memset(text, GUARD, sizeof(text));
    wide(text, capacity, wide_format, number);
    for (size_t i = capacity; i < TEXT_MAX; i++) {
        require(text[i] == (GUARD << 8 | GUARD));
    }
}

/* The input itself as the counted, and not terminated, text of a string directive. */
static void check_strings(struct input *input, size_t capacity)
{
    char text[TEXT_MAX];
    ANSI_STRING ansi = {(USHORT)input->size, (USHORT)input->size, (PCHAR)input->data};
    UNICODE_STRING unicode = {(USHORT)(input->size & ~(size_t)1), (USHORT)input->size, NULL};
    WCHAR *units = malloc(input->size + 1);
    if (units == NULL) {
        return;
    }
    memcpy(units, input->data, input->size);
    unicode.Buffer = units;
    narrow(text, capacity, "%Z", &ansi);
    narrow(text, capacity, "%wZ", &unicode);
    narrow(text, capacity, "%.*s", (int)input->size, (const char *)input->data);
    narrow(text, capacity, "%.*ws", (int)(input->size / sizeof(WCHAR)), units);
    free(units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    char format[64];
    size_t capacity = take(&input) % TEXT_MAX;
    uint64_t number = 0;
    size_t length = numeric_directive(&input, format);
    for (int i = 0; i < 8; i++) {
        number = number << 8 | take(&input);
    }
    check_narrow(format, number, capacity);
    check_wide(format, length, number, capacity);
    check_strings(&input, capacity);
    return 0;
}
