/* The C runtime's numbers as text, in Microsoft's names. On Windows the host's own are right. */
#include <wdm.h>

#include <errno.h>
#include <stdlib.h>

#ifndef _WIN32

#define DIGITS_MAX 66 /* 64 binary digits, a sign, a null */
#define RADIX_MAX 36

/* Writes into text, which may be longer than the number. */
static const char *write_number(unsigned __int64 value, BOOLEAN negative, unsigned radix,
                                char text[DIGITS_MAX])
{
    char *first = text + DIGITS_MAX - 1;
    *first = 0;
    do {
        *--first = "0123456789abcdefghijklmnopqrstuvwxyz"[value % radix];
        value /= radix;
    } while (value != 0);
    if (negative) {
        *--first = '-';
    }
    return first;
}

/* A minus is written in base 10 only; in other bases a number is its bits. */
static const char *write_int(int value, int radix, char text[DIGITS_MAX])
{
    BOOLEAN negative = radix == 10 && value < 0;
    unsigned magnitude = negative ? 0u - (unsigned)value : (unsigned)value;
    return write_number(magnitude, negative, (unsigned)radix, text);
}

static wchar_t *widen(wchar_t *buffer, const char *text)
{
    wchar_t *place = buffer;
    do {
        *place++ = (wchar_t)*text;
    } while (*text++ != 0);
    return buffer;
}

char *_itoa(int value, char *buffer, int radix)
{
    char text[DIGITS_MAX];
    return strcpy(buffer, write_int(value, radix, text));
}

char *_ltoa(int value, char *buffer, int radix)
{
    return _itoa(value, buffer, radix);
}

char *_ultoa(unsigned int value, char *buffer, int radix)
{
    return _ui64toa(value, buffer, radix);
}

char *_i64toa(__int64 value, char *buffer, int radix)
{
    char text[DIGITS_MAX];
    BOOLEAN negative = radix == 10 && value < 0;
    unsigned __int64 magnitude = (unsigned __int64)value;
    magnitude = negative ? 0 - magnitude : magnitude;
    return strcpy(buffer, write_number(magnitude, negative, (unsigned)radix, text));
}

char *_ui64toa(unsigned __int64 value, char *buffer, int radix)
{
    char text[DIGITS_MAX];
    return strcpy(buffer, write_number(value, FALSE, (unsigned)radix, text));
}

wchar_t *_itow(int value, wchar_t *buffer, int radix)
{
    char text[DIGITS_MAX];
    return widen(buffer, write_int(value, radix, text));
}

wchar_t *_ltow(int value, wchar_t *buffer, int radix)
{
    return _itow(value, buffer, radix);
}

wchar_t *_ultow(unsigned int value, wchar_t *buffer, int radix)
{
    char text[DIGITS_MAX];
    return widen(buffer, write_number(value, FALSE, (unsigned)radix, text));
}

static errno_t check(const void *buffer, size_t size, int radix)
{
    return buffer == NULL || size == 0 || radix < 2 || radix > RADIX_MAX ? EINVAL : 0;
}

static errno_t put_narrow(char *buffer, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length >= size) {
        buffer[0] = 0;
        return ERANGE;
    }
    memcpy(buffer, text, length + 1);
    return 0;
}

errno_t _itoa_s(int value, char *buffer, size_t size, int radix)
{
    char text[DIGITS_MAX];
    errno_t error = check(buffer, size, radix);
    return error != 0 ? error : put_narrow(buffer, size, write_int(value, radix, text));
}

errno_t _ultoa_s(unsigned int value, char *buffer, size_t size, int radix)
{
    char text[DIGITS_MAX];
    errno_t error = check(buffer, size, radix);
    return error != 0 ? error
                      : put_narrow(buffer, size, write_number(value, FALSE, (unsigned)radix, text));
}

errno_t _itow_s(int value, wchar_t *buffer, size_t size, int radix)
{
    char text[DIGITS_MAX];
    errno_t error = check(buffer, size, radix);
    if (error != 0) {
        return error;
    }
    const char *number = write_int(value, radix, text);
    if (strlen(number) >= size) {
        buffer[0] = 0;
        return ERANGE;
    }
    widen(buffer, number);
    return 0;
}

/* White space, a sign, decimal digits. Numbers that are too large stay at the limit. */
static __int64 read_number(const wchar_t *string, __int64 minimum, __int64 maximum)
{
    while (*string == ' ' || (*string >= '\t' && *string <= '\r')) {
        string++;
    }
    BOOLEAN negative = *string == '-';
    if (negative || *string == '+') {
        string++;
    }
    __int64 value = 0;
    for (; *string >= '0' && *string <= '9'; string++) {
        int digit = *string - '0';
        if (negative ? value < (minimum + digit) / 10 : value > (maximum - digit) / 10) {
            return negative ? minimum : maximum;
        }
        value = value * 10 + (negative ? -digit : digit);
    }
    return value;
}

int _wtoi(const wchar_t *string)
{
    return (int)read_number(string, MINLONG32, MAXLONG32);
}

int _wtol(const wchar_t *string)
{
    return _wtoi(string);
}

__int64 _wtoi64(const wchar_t *string)
{
    return read_number(string, MINLONG64, MAXLONG64);
}

__int64 _atoi64(const char *string)
{
    return strtoll(string, NULL, 10);
}

#endif
