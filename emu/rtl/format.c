/*
 * Windows' printf language.
 *
 * One walk over the format serves narrow (char) and wide (16-bit) text. A target keeps what fits
 * and counts everything, so that the callers, which all treat truncation differently, decide by the
 * count alone. What differs from the C library of the host:
 *
 *  - l is 32 bits; I64, ll, j, z and t are 64; I is a pointer's size; I32 is 32; h and hh are 16
 *    and 8.
 *  - s and c follow the function's own width, S and C are the opposite; h makes any of them narrow,
 *    l and w wide. Z is a counted string: STRING, or UNICODE_STRING with w or l.
 *  - p has 16 upper-case digits.
 *  - The flag 0 pads texts too. NULL texts print as (null).
 *  - n is refused. An unknown letter prints itself.
 *
 * Text changes between narrow and wide by the system code page.
 */
#include "rtl/format.h"

#include "rtl/code_page.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 64           /* a 64-bit number in the smallest base */
#define FLOAT_PRECISION_MAX 512 /* more digits than that are not asked for */
#define FLOAT_BYTES_MAX 1024    /* 309 digits, the precision, sign, point, exponent */
#define POINTER_DIGITS 16
#define NAMED_BYTES_MAX 1024

struct target {
    void *buffer;
    size_t capacity; /* in units */
    size_t length;   /* units produced, kept or not */
    bool wide;
};

enum argument_size {
    SIZE_INT,
    SIZE_CHAR,
    SIZE_SHORT,
    SIZE_LONG,
    SIZE_WIDE, /* w: says nothing about numbers */
    SIZE_64
};

struct conversion {
    bool left;
    bool plus;
    bool space;
    bool alternate;
    bool zero;
    bool has_precision;
    int width;
    int precision;
    enum argument_size size;
    unsigned letter;
};

struct formatter {
    struct target target;
    const void *format; /* of the target's width */
    size_t position;
    enum rtl_format_options options;
    rtl_format_name *names; /* of %!NAME!, or NULL */
    const void *names_context;
    va_list arguments;
};

/* Counts units, and returns how many of them are kept, at *offset. */
static size_t take(struct target *target, size_t count, size_t *offset)
{
    size_t room = target->length < target->capacity ? target->capacity - target->length : 0;
    *offset = target->length;
    target->length += count;
    return count < room ? count : room;
}

static void put_repeated(struct target *target, unsigned unit, size_t count)
{
    size_t offset;
    size_t kept = take(target, count, &offset);
    for (size_t index = 0; index < kept; index++) {
        if (target->wide) {
            ((WCHAR *)target->buffer)[offset + index] = (WCHAR)unit;
        } else {
            ((char *)target->buffer)[offset + index] = (char)unit;
        }
    }
}

static void put_narrow(struct target *target, const char *text, size_t count)
{
    size_t offset;
    size_t kept = take(target, count, &offset);
    for (size_t index = 0; index < kept; index++) {
        if (target->wide) {
            ((WCHAR *)target->buffer)[offset + index] = rtl_code_page_to_wide((UCHAR)text[index]);
        } else {
            ((char *)target->buffer)[offset + index] = text[index];
        }
    }
}

static void put_wide(struct target *target, const WCHAR *text, size_t count)
{
    size_t offset;
    size_t kept = take(target, count, &offset);
    for (size_t index = 0; index < kept; index++) {
        if (target->wide) {
            ((WCHAR *)target->buffer)[offset + index] = text[index];
        } else {
            ((char *)target->buffer)[offset + index] = (char)rtl_code_page_from_wide(text[index]);
        }
    }
}

/* The part of a field's width that its text leaves over. */
static size_t padding(const struct conversion *conversion, size_t length)
{
    return (size_t)conversion->width > length ? (size_t)conversion->width - length : 0;
}

static void put_text(struct target *target, const struct conversion *conversion, const void *text,
                     bool wide, size_t length)
{
    size_t blanks = padding(conversion, length);
    if (!conversion->left) {
        put_repeated(target, conversion->zero ? '0' : ' ', blanks);
    }
    if (wide) {
        put_wide(target, text, length);
    } else {
        put_narrow(target, text, length);
    }
    if (conversion->left) {
        put_repeated(target, ' ', blanks);
    }
}

/* A sign or a base's prefix, zeros, digits; the flag 0 fills the width between them. */
static void put_number(struct target *target, const struct conversion *conversion,
                       const char *prefix, size_t zeros, const char *digits, size_t digit_count)
{
    size_t prefix_length = strlen(prefix);
    size_t blanks = padding(conversion, prefix_length + zeros + digit_count);
    if (conversion->zero && !conversion->left) {
        zeros += blanks;
        blanks = 0;
    }
    if (!conversion->left) {
        put_repeated(target, ' ', blanks);
    }
    put_narrow(target, prefix, prefix_length);
    put_repeated(target, '0', zeros);
    put_narrow(target, digits, digit_count);
    if (conversion->left) {
        put_repeated(target, ' ', blanks);
    }
}

static unsigned next_unit(struct formatter *formatter)
{
    size_t position = formatter->position++;
    if (formatter->target.wide) {
        return ((const WCHAR *)formatter->format)[position];
    }
    return ((const UCHAR *)formatter->format)[position];
}

static bool skip_unit(struct formatter *formatter, unsigned expected)
{
    if (next_unit(formatter) == expected) {
        return true;
    }
    formatter->position--;
    return false;
}

static void parse_flags(struct formatter *formatter, struct conversion *conversion)
{
    for (;;) {
        switch (next_unit(formatter)) {
        case '-':
            conversion->left = true;
            break;
        case '+':
            conversion->plus = true;
            break;
        case ' ':
            conversion->space = true;
            break;
        case '#':
            conversion->alternate = true;
            break;
        case '0':
            conversion->zero = true;
            break;
        default:
            formatter->position--;
            return;
        }
    }
}

/* A number, or * for the next argument. Numbers too large become INT_MAX. */
static int parse_count(struct formatter *formatter)
{
    if (skip_unit(formatter, '*')) {
        return va_arg(formatter->arguments, int);
    }
    int64_t count = 0;
    for (;;) {
        unsigned unit = next_unit(formatter);
        if (unit < '0' || unit > '9') {
            formatter->position--;
            return (int)count;
        }
        count = count * 10 + (int)(unit - '0');
        count = count < INT_MAX ? count : INT_MAX;
    }
}

static void parse_width(struct formatter *formatter, struct conversion *conversion)
{
    conversion->width = parse_count(formatter);
    if (conversion->width < 0) {
        conversion->left = true;
        conversion->width = conversion->width == INT_MIN ? INT_MAX : -conversion->width;
    }
    if (skip_unit(formatter, '.')) {
        conversion->precision = parse_count(formatter);
        conversion->has_precision = conversion->precision >= 0;
    }
}

/* What follows an I: 64, 32 or nothing for a pointer's size. */
static enum argument_size parse_i_size(struct formatter *formatter)
{
    size_t start = formatter->position;
    if (skip_unit(formatter, '6') && skip_unit(formatter, '4')) {
        return SIZE_64;
    }
    formatter->position = start;
    if (skip_unit(formatter, '3') && skip_unit(formatter, '2')) {
        return SIZE_INT;
    }
    formatter->position = start;
    return SIZE_64;
}

static void parse_size(struct formatter *formatter, struct conversion *conversion)
{
    for (;;) {
        switch (next_unit(formatter)) {
        case 'h':
            conversion->size = conversion->size == SIZE_SHORT ? SIZE_CHAR : SIZE_SHORT;
            break;
        case 'l':
            conversion->size = conversion->size == SIZE_LONG ? SIZE_64 : SIZE_LONG;
            break;
        case 'w':
            conversion->size = SIZE_WIDE;
            break;
        case 'I':
            conversion->size = parse_i_size(formatter);
            break;
        case 'j':
        case 'z':
        case 't':
            conversion->size = SIZE_64;
            break;
        case 'L':
            break;
        default:
            formatter->position--;
            return;
        }
    }
}

static int64_t signed_argument(struct formatter *formatter, enum argument_size size)
{
    if (size == SIZE_64) {
        return va_arg(formatter->arguments, long long);
    }
    int value = va_arg(formatter->arguments, int);
    switch (size) {
    case SIZE_CHAR:
        return (signed char)value;
    case SIZE_SHORT:
        return (short)value;
    default:
        return value;
    }
}

static uint64_t unsigned_argument(struct formatter *formatter, enum argument_size size)
{
    int64_t value = signed_argument(formatter, size);
    switch (size) {
    case SIZE_CHAR:
        return (uint8_t)value;
    case SIZE_SHORT:
        return (uint16_t)value;
    case SIZE_64:
        return (uint64_t)value;
    default:
        return (uint32_t)value;
    }
}

/* Writes the digits so that they end at `end`; returns how many there are, none for 0. */
static size_t write_digits(char *end, uint64_t value, unsigned base, bool upper)
{
    const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t count = 0;
    for (; value != 0; value /= base) {
        *--end = alphabet[value % base];
        count++;
    }
    return count;
}

static void format_digits(struct target *target, const struct conversion *conversion,
                          const char *prefix, uint64_t value, unsigned base)
{
    struct conversion field = *conversion;
    char digits[DIGITS_MAX];
    char *end = digits + sizeof(digits);
    size_t count = write_digits(end, value, base, conversion->letter == 'X');
    size_t wanted = conversion->has_precision ? (size_t)conversion->precision : 1;
    size_t zeros = wanted > count ? wanted - count : 0;
    if (base == 8 && conversion->alternate && zeros == 0) {
        zeros = 1;
    }
    field.zero = conversion->zero && !conversion->has_precision;
    put_number(target, &field, prefix, zeros, end - count, count);
}

static void format_signed(struct formatter *formatter, const struct conversion *conversion)
{
    int64_t value = signed_argument(formatter, conversion->size);
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    const char *sign = value < 0 ? "-" : conversion->plus ? "+" : conversion->space ? " " : "";
    format_digits(&formatter->target, conversion, sign, magnitude, 10);
}

static void format_unsigned(struct formatter *formatter, const struct conversion *conversion,
                            unsigned base)
{
    uint64_t value = unsigned_argument(formatter, conversion->size);
    const char *prefix = "";
    if (base == 16 && conversion->alternate && value != 0) {
        prefix = conversion->letter == 'X' ? "0X" : "0x";
    }
    format_digits(&formatter->target, conversion, prefix, value, base);
}

static void format_pointer(struct formatter *formatter, struct conversion *conversion)
{
    conversion->letter = 'X';
    conversion->size = SIZE_64;
    conversion->has_precision = true;
    conversion->precision = POINTER_DIGITS;
    format_unsigned(formatter, conversion, 16);
}

/* Whether a text or character argument is wide. */
static bool is_wide(const struct formatter *formatter, const struct conversion *conversion)
{
    switch (conversion->size) {
    case SIZE_CHAR:
    case SIZE_SHORT:
        return false;
    case SIZE_LONG:
    case SIZE_64:
    case SIZE_WIDE:
        return true;
    default:
        break;
    }
    bool opposite = conversion->letter == 'C' || conversion->letter == 'S';
    return opposite != formatter->target.wide;
}

static void format_character(struct formatter *formatter, const struct conversion *conversion)
{
    int value = va_arg(formatter->arguments, int);
    WCHAR wide_unit = (WCHAR)value;
    char narrow_unit = (char)value;
    bool wide = is_wide(formatter, conversion);
    put_text(&formatter->target, conversion, wide ? (void *)&wide_unit : (void *)&narrow_unit, wide,
             1);
}

static void format_null(struct formatter *formatter, const struct conversion *conversion)
{
    static const char text[] = "(null)";
    size_t length = sizeof(text) - 1;
    if (conversion->has_precision && (size_t)conversion->precision < length) {
        length = (size_t)conversion->precision;
    }
    put_text(&formatter->target, conversion, text, false, length);
}

static void format_string(struct formatter *formatter, const struct conversion *conversion)
{
    const void *text = va_arg(formatter->arguments, const void *);
    if (text == NULL) {
        format_null(formatter, conversion);
        return;
    }
    size_t limit = conversion->has_precision ? (size_t)conversion->precision : SIZE_MAX;
    bool wide = is_wide(formatter, conversion);
    size_t length = 0;
    if (wide) {
        while (length < limit && ((const WCHAR *)text)[length] != 0) {
            length++;
        }
    } else {
        while (length < limit && ((const char *)text)[length] != 0) {
            length++;
        }
    }
    put_text(&formatter->target, conversion, text, wide, length);
}

static void format_counted(struct formatter *formatter, const struct conversion *conversion)
{
    /* STRING and UNICODE_STRING differ in the type of Buffer only. */
    const STRING *string = va_arg(formatter->arguments, const STRING *);
    if (string == NULL || string->Buffer == NULL) {
        format_null(formatter, conversion);
        return;
    }
    bool wide = conversion->size == SIZE_WIDE || conversion->size == SIZE_LONG;
    size_t length = string->Length;
    if (wide) {
        length /= sizeof(WCHAR);
    }
    if (conversion->has_precision && (size_t)conversion->precision < length) {
        length = (size_t)conversion->precision;
    }
    put_text(&formatter->target, conversion, string->Buffer, wide, length);
}

static void format_float(struct formatter *formatter, const struct conversion *conversion)
{
    double value = va_arg(formatter->arguments, double);
    int precision = conversion->has_precision ? conversion->precision : -1;
    if (precision > FLOAT_PRECISION_MAX) {
        precision = FLOAT_PRECISION_MAX;
    }
    char format[8];
    char text[FLOAT_BYTES_MAX];
    snprintf(format, sizeof(format), "%%%s%s.*%c", conversion->alternate ? "#" : "",
             conversion->plus    ? "+"
             : conversion->space ? " "
                                 : "",
             (int)conversion->letter);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int length = snprintf(text, sizeof(text), format, precision, value);
#pragma GCC diagnostic pop
    if (length < 0) {
        return;
    }
    bool has_sign = text[0] == '-' || text[0] == '+' || text[0] == ' ';
    char sign[2] = {has_sign ? text[0] : 0, 0};
    put_number(&formatter->target, conversion, sign, 0, text + has_sign, (size_t)length - has_sign);
}

/* %!NAME!, in narrow formats only. */
static void format_named(struct formatter *formatter, const struct conversion *conversion)
{
    const char *name = (const char *)formatter->format + formatter->position;
    size_t name_length = strcspn(name, "!");
    char text[NAMED_BYTES_MAX];
    formatter->position += name_length;
    skip_unit(formatter, '!');
    size_t length = formatter->names(formatter->names_context, name, name_length,
                                     &formatter->arguments, text, sizeof(text));
    put_text(&formatter->target, conversion, text, false, length);
}

/* Formats one argument; false where the format is refused. */
static bool convert(struct formatter *formatter, struct conversion *conversion)
{
    switch (conversion->letter) {
    case 'd':
    case 'i':
        format_signed(formatter, conversion);
        return true;
    case 'u':
        format_unsigned(formatter, conversion, 10);
        return true;
    case 'o':
        format_unsigned(formatter, conversion, 8);
        return true;
    case 'x':
    case 'X':
        format_unsigned(formatter, conversion, 16);
        return true;
    case 'p':
        format_pointer(formatter, conversion);
        return true;
    case 'c':
    case 'C':
        format_character(formatter, conversion);
        return true;
    case 's':
    case 'S':
        format_string(formatter, conversion);
        return true;
    case 'Z':
        format_counted(formatter, conversion);
        return true;
    case 'n':
        return false;
    default:
        break;
    }
    if (conversion->letter == '!' && formatter->names != NULL) {
        format_named(formatter, conversion);
        return true;
    }
    bool is_float = conversion->letter < 0x80 && strchr("aAeEfFgG", (int)conversion->letter);
    if (is_float && !(formatter->options & RTL_FORMAT_NO_FLOAT)) {
        format_float(formatter, conversion);
    } else {
        put_repeated(&formatter->target, conversion->letter, 1);
    }
    return true;
}

static int run(struct formatter *formatter)
{
    for (;;) {
        unsigned unit = next_unit(formatter);
        if (unit == 0) {
            break;
        }
        if (unit != '%') {
            put_repeated(&formatter->target, unit, 1);
            continue;
        }
        struct conversion conversion = {0};
        parse_flags(formatter, &conversion);
        parse_width(formatter, &conversion);
        parse_size(formatter, &conversion);
        conversion.letter = next_unit(formatter);
        if (conversion.letter == 0) {
            break;
        }
        if (!convert(formatter, &conversion)) {
            return -1;
        }
    }
    return formatter->target.length <= INT_MAX ? (int)formatter->target.length : -1;
}

int rtl_format_narrow(char *buffer, size_t capacity, enum rtl_format_options options,
                      const char *format, va_list arguments)
{
    struct formatter formatter = {
        .target = {.buffer = buffer, .capacity = capacity},
        .format = format,
        .options = options,
    };
    va_copy(formatter.arguments, arguments);
    int length = run(&formatter);
    va_end(formatter.arguments);
    return length;
}

int rtl_format_wide(WCHAR *buffer, size_t capacity, enum rtl_format_options options,
                    const WCHAR *format, va_list arguments)
{
    struct formatter formatter = {
        .target = {.buffer = buffer, .capacity = capacity, .wide = true},
        .format = format,
        .options = options,
    };
    va_copy(formatter.arguments, arguments);
    int length = run(&formatter);
    va_end(formatter.arguments);
    return length;
}

int rtl_format_named(char *buffer, size_t capacity, const char *format, va_list arguments,
                     rtl_format_name *names, const void *context)
{
    struct formatter formatter = {
        .target = {.buffer = buffer, .capacity = capacity},
        .format = format,
        .names = names,
        .names_context = context,
    };
    va_copy(formatter.arguments, arguments);
    int length = run(&formatter);
    va_end(formatter.arguments);
    return length;
}
