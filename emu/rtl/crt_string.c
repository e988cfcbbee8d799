/*
 * The C runtime's strings where the host's differ: wide ones of 16-bit characters, and names that
 * only Microsoft has. On Windows the host's own are right.
 */
#include <wdm.h>

#include "rtl/code_page.h"

#ifndef _WIN32

/* ---- wide ---- */

size_t wcslen(const wchar_t *string)
{
    size_t length = 0;
    while (string[length] != 0) {
        length++;
    }
    return length;
}

size_t wcsnlen(const wchar_t *string, size_t count)
{
    size_t length = 0;
    while (length < count && string[length] != 0) {
        length++;
    }
    return length;
}

wchar_t *wcscpy(wchar_t *__restrict dest, const wchar_t *__restrict source)
{
    return memcpy(dest, source, (wcslen(source) + 1) * sizeof(wchar_t));
}

wchar_t *wcsncpy(wchar_t *__restrict dest, const wchar_t *__restrict source, size_t count)
{
    size_t length = wcsnlen(source, count);
    memcpy(dest, source, length * sizeof(wchar_t));
    memset(dest + length, 0, (count - length) * sizeof(wchar_t));
    return dest;
}

wchar_t *wcscat(wchar_t *__restrict dest, const wchar_t *__restrict source)
{
    wcscpy(dest + wcslen(dest), source);
    return dest;
}

wchar_t *wcsncat(wchar_t *__restrict dest, const wchar_t *__restrict source, size_t count)
{
    size_t length = wcsnlen(source, count);
    wchar_t *end = dest + wcslen(dest);
    memcpy(end, source, length * sizeof(wchar_t));
    end[length] = 0;
    return dest;
}

static int compare_wide(const wchar_t *string1, const wchar_t *string2, size_t count,
                        wchar_t (*change)(wchar_t))
{
    for (size_t index = 0; index < count; index++) {
        wchar_t unit1 = change != NULL ? change(string1[index]) : string1[index];
        wchar_t unit2 = change != NULL ? change(string2[index]) : string2[index];
        if (unit1 != unit2) {
            return unit1 < unit2 ? -1 : 1;
        }
        if (unit1 == 0) {
            break;
        }
    }
    return 0;
}

int wcscmp(const wchar_t *string1, const wchar_t *string2)
{
    return compare_wide(string1, string2, SIZE_MAX, NULL);
}

int wcsncmp(const wchar_t *string1, const wchar_t *string2, size_t count)
{
    return compare_wide(string1, string2, count, NULL);
}

int _wcsicmp(const wchar_t *string1, const wchar_t *string2)
{
    return compare_wide(string1, string2, SIZE_MAX, RtlDowncaseUnicodeChar);
}

int _wcsnicmp(const wchar_t *string1, const wchar_t *string2, size_t count)
{
    return compare_wide(string1, string2, count, RtlDowncaseUnicodeChar);
}

wchar_t *wcschr(const wchar_t *string, wchar_t letter)
{
    for (;; string++) {
        if (*string == letter) {
            return (wchar_t *)(ULONG_PTR)string;
        }
        if (*string == 0) {
            return NULL;
        }
    }
}

wchar_t *wcsrchr(const wchar_t *string, wchar_t letter)
{
    for (size_t index = wcslen(string) + 1; index-- != 0;) {
        if (string[index] == letter) {
            return (wchar_t *)(ULONG_PTR)(string + index);
        }
    }
    return NULL;
}

/* The number of leading characters that are in control, or are not. */
static size_t span(const wchar_t *string, const wchar_t *control, BOOLEAN in)
{
    size_t length = 0;
    while (string[length] != 0 && (wcschr(control, string[length]) != NULL) == in) {
        length++;
    }
    return length;
}

size_t wcsspn(const wchar_t *string, const wchar_t *control)
{
    return span(string, control, TRUE);
}

size_t wcscspn(const wchar_t *string, const wchar_t *control)
{
    return span(string, control, FALSE);
}

wchar_t *wcspbrk(const wchar_t *string, const wchar_t *control)
{
    string += wcscspn(string, control);
    return *string != 0 ? (wchar_t *)(ULONG_PTR)string : NULL;
}

wchar_t *wcsstr(const wchar_t *string, const wchar_t *substring)
{
    size_t length = wcslen(substring);
    for (;; string++) {
        if (wcsncmp(string, substring, length) == 0) {
            return (wchar_t *)(ULONG_PTR)string;
        }
        if (*string == 0) {
            return NULL;
        }
    }
}

wchar_t *wmemchr(const wchar_t *buffer, wchar_t letter, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        if (buffer[index] == letter) {
            return (wchar_t *)(ULONG_PTR)(buffer + index);
        }
    }
    return NULL;
}

int wmemcmp(const wchar_t *buffer1, const wchar_t *buffer2, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        if (buffer1[index] != buffer2[index]) {
            return buffer1[index] < buffer2[index] ? -1 : 1;
        }
    }
    return 0;
}

wchar_t *wmemcpy(wchar_t *__restrict dest, const wchar_t *__restrict source, size_t count)
{
    return memcpy(dest, source, count * sizeof(wchar_t));
}

wchar_t *wmemmove(wchar_t *dest, const wchar_t *source, size_t count)
{
    return memmove(dest, source, count * sizeof(wchar_t));
}

wchar_t *wmemset(wchar_t *dest, wchar_t letter, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        dest[index] = letter;
    }
    return dest;
}

static wchar_t *change_wide(wchar_t *string, wchar_t (*change)(wchar_t))
{
    for (wchar_t *place = string; *place != 0; place++) {
        *place = change(*place);
    }
    return string;
}

wchar_t *_wcslwr(wchar_t *string)
{
    return change_wide(string, RtlDowncaseUnicodeChar);
}

wchar_t *_wcsupr(wchar_t *string)
{
    return change_wide(string, RtlUpcaseUnicodeChar);
}

wchar_t *_wcsset(wchar_t *string, wchar_t letter)
{
    return wmemset(string, letter, wcslen(string));
}

wchar_t *_wcsnset(wchar_t *string, wchar_t letter, size_t count)
{
    return wmemset(string, letter, wcsnlen(string, count));
}

wchar_t *_wcsrev(wchar_t *string)
{
    size_t length = wcslen(string);
    for (size_t index = 0; index < length / 2; index++) {
        wchar_t letter = string[index];
        string[index] = string[length - 1 - index];
        string[length - 1 - index] = letter;
    }
    return string;
}

/* ---- between narrow and wide, by the system code page ---- */

size_t mbstowcs(wchar_t *__restrict dest, const char *__restrict source, size_t count)
{
    size_t length = strlen(source);
    if (dest == NULL) {
        return length;
    }
    for (size_t index = 0; index < count; index++) {
        dest[index] = rtl_code_page_to_wide((UCHAR)source[index]);
        if (dest[index] == 0) {
            break;
        }
    }
    return min(length, count);
}

size_t wcstombs(char *__restrict dest, const wchar_t *__restrict source, size_t count)
{
    size_t length = wcslen(source);
    for (size_t index = 0; index < length; index++) {
        if (!rtl_code_page_has(source[index])) {
            return (size_t)-1;
        }
    }
    if (dest == NULL) {
        return length;
    }
    for (size_t index = 0; index < min(count, length + 1); index++) {
        dest[index] = (char)rtl_code_page_from_wide(source[index]);
    }
    return min(length, count);
}

/* ---- narrow ---- */

static int lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? letter + 32 : (UCHAR)letter;
}

static int upper(char letter)
{
    return letter >= 'a' && letter <= 'z' ? letter - 32 : (UCHAR)letter;
}

static int compare_narrow(const char *string1, const char *string2, size_t count, BOOLEAN stop)
{
    for (size_t index = 0; index < count; index++) {
        int difference = lower(string1[index]) - lower(string2[index]);
        if (difference != 0) {
            return difference;
        }
        if (stop && string1[index] == 0) {
            break;
        }
    }
    return 0;
}

int _stricmp(const char *string1, const char *string2)
{
    return compare_narrow(string1, string2, SIZE_MAX, TRUE);
}

int _strnicmp(const char *string1, const char *string2, size_t count)
{
    return compare_narrow(string1, string2, count, TRUE);
}

int _memicmp(const void *buffer1, const void *buffer2, size_t count)
{
    return compare_narrow(buffer1, buffer2, count, FALSE);
}

static char *change_narrow(char *string, int (*change)(char))
{
    for (char *place = string; *place != 0; place++) {
        *place = (char)change(*place);
    }
    return string;
}

char *_strlwr(char *string)
{
    return change_narrow(string, lower);
}

char *_strupr(char *string)
{
    return change_narrow(string, upper);
}

char *_strset(char *string, int letter)
{
    return memset(string, letter, strlen(string));
}

char *_strnset(char *string, int letter, size_t count)
{
    return memset(string, letter, strnlen(string, count));
}

char *_strrev(char *string)
{
    size_t length = strlen(string);
    for (size_t index = 0; index < length / 2; index++) {
        char letter = string[index];
        string[index] = string[length - 1 - index];
        string[length - 1 - index] = letter;
    }
    return string;
}

#endif
