/*
 * The C runtime that a driver expects where it is not the host's: wide strings of 16-bit letters,
 * Microsoft's formatting names, and the checked (_s) functions.
 *
 * On a host whose wchar_t has 32 bits, calling its wcslen with our strings would read garbage
 * without a word. So each wide name is declared here under another link name. The host's <wchar.h>
 * is read first: what agrees with ours in type is declared again, and the second link name wins;
 * what does not agree (swprintf has no size here; C++ libraries overload wcschr) is turned aside
 * while it is read. If it was read before us, by the driver, macros lead to ours.
 */
#ifndef WDK_DETAIL_CRT_H
#define WDK_DETAIL_CRT_H

#include "compiler.h"

#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#ifdef _WIN32

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
/* Without a size, as in the kernel's runtime; C++ also keeps the host's, the arguments choose. */
#ifdef __cplusplus
extern "C++" {
int swprintf(wchar_t *buffer, const wchar_t *format, ...) __asm__("_swprintf");
int vswprintf(wchar_t *buffer, const wchar_t *format, va_list arguments) __asm__("_vswprintf");
}
#else
#undef swprintf
#undef vswprintf
#define swprintf _swprintf
#define vswprintf _vswprintf
#endif

#else

#include <stdint.h>

#ifndef _WCHAR_H
/* Read now, unarmoured: the armoured inline forms would call the host's behind our back. */
#pragma push_macro("__USE_FORTIFY_LEVEL")
#undef __USE_FORTIFY_LEVEL
#define __USE_FORTIFY_LEVEL 0
#define swprintf wdk_host_swprintf
#define vswprintf wdk_host_vswprintf
#ifdef __cplusplus
#define wcschr wdk_host_wcschr
#define wcsrchr wdk_host_wcsrchr
#define wcsstr wdk_host_wcsstr
#define wcspbrk wdk_host_wcspbrk
#define wmemchr wdk_host_wmemchr
#endif
#include <wchar.h>
#undef swprintf
#undef vswprintf
#ifdef __cplusplus
#undef wcschr
#undef wcsrchr
#undef wcsstr
#undef wcspbrk
#undef wmemchr
#endif
#pragma pop_macro("__USE_FORTIFY_LEVEL")
#else
/* Read already, and perhaps used by another header: ours go by other names in this file. */
#define wcslen wdk_wcslen
#define wcsnlen wdk_wcsnlen
#define wcscpy wdk_wcscpy
#define wcsncpy wdk_wcsncpy
#define wcscat wdk_wcscat
#define wcsncat wdk_wcsncat
#define wcscmp wdk_wcscmp
#define wcsncmp wdk_wcsncmp
#define wcsspn wdk_wcsspn
#define wcscspn wdk_wcscspn
#define wcschr wdk_wcschr
#define wcsrchr wdk_wcsrchr
#define wcsstr wdk_wcsstr
#define wcspbrk wdk_wcspbrk
#define wmemchr wdk_wmemchr
#define wmemcmp wdk_wmemcmp
#define wmemcpy wdk_wmemcpy
#define wmemmove wdk_wmemmove
#define wmemset wdk_wmemset
#undef swprintf
#undef vswprintf
#define swprintf wdk_swprintf
#define vswprintf wdk_vswprintf
#endif
#ifdef _STDLIB_H
#define mbstowcs wdk_mbstowcs
#define wcstombs wdk_wcstombs
#endif

#include <wctype.h>

#if defined(__cplusplus) && defined(__THROW)
#define WDK_CRT_THROW __THROW
#else
#define WDK_CRT_THROW
#endif

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

#ifndef _ERRNO_T_DEFINED
#define _ERRNO_T_DEFINED
typedef int errno_t;
#endif
#ifndef _RSIZE_T_DEFINED
#define _RSIZE_T_DEFINED
typedef size_t rsize_t;
#endif
#ifndef _TRUNCATE
#define _TRUNCATE ((size_t)-1)
#endif
#ifndef STRUNCATE
#define STRUNCATE 80
#endif

/* Wide strings. */
size_t wcslen(const wchar_t *string) WDK_CRT_THROW WDK_LINK_NAME("wcslen");
size_t wcsnlen(const wchar_t *string, size_t count) WDK_CRT_THROW WDK_LINK_NAME("wcsnlen");
wchar_t *wcscpy(wchar_t *__restrict dest, const wchar_t *__restrict source) WDK_CRT_THROW
    WDK_LINK_NAME("wcscpy");
wchar_t *wcsncpy(wchar_t *__restrict dest, const wchar_t *__restrict source,
                 size_t count) WDK_CRT_THROW WDK_LINK_NAME("wcsncpy");
wchar_t *wcscat(wchar_t *__restrict dest, const wchar_t *__restrict source) WDK_CRT_THROW
    WDK_LINK_NAME("wcscat");
wchar_t *wcsncat(wchar_t *__restrict dest, const wchar_t *__restrict source,
                 size_t count) WDK_CRT_THROW WDK_LINK_NAME("wcsncat");
int wcscmp(const wchar_t *string1, const wchar_t *string2) WDK_CRT_THROW WDK_LINK_NAME("wcscmp");
int wcsncmp(const wchar_t *string1, const wchar_t *string2, size_t count) WDK_CRT_THROW
    WDK_LINK_NAME("wcsncmp");
size_t wcsspn(const wchar_t *string, const wchar_t *control) WDK_CRT_THROW WDK_LINK_NAME("wcsspn");
size_t wcscspn(const wchar_t *string, const wchar_t *control) WDK_CRT_THROW
    WDK_LINK_NAME("wcscspn");
int wmemcmp(const wchar_t *buffer1, const wchar_t *buffer2, size_t count) WDK_CRT_THROW
    WDK_LINK_NAME("wmemcmp");
wchar_t *wmemcpy(wchar_t *__restrict dest, const wchar_t *__restrict source,
                 size_t count) WDK_CRT_THROW WDK_LINK_NAME("wmemcpy");
wchar_t *wmemmove(wchar_t *dest, const wchar_t *source, size_t count) WDK_CRT_THROW
    WDK_LINK_NAME("wmemmove");
wchar_t *wmemset(wchar_t *dest, wchar_t letter, size_t count) WDK_CRT_THROW
    WDK_LINK_NAME("wmemset");
size_t mbstowcs(wchar_t *__restrict dest, const char *__restrict source, size_t count) WDK_CRT_THROW
    WDK_LINK_NAME("mbstowcs");
size_t wcstombs(char *__restrict dest, const wchar_t *__restrict source, size_t count) WDK_CRT_THROW
    WDK_LINK_NAME("wcstombs");

int _wcsicmp(const wchar_t *string1, const wchar_t *string2) WDK_LINK_NAME("_wcsicmp");
int _wcsnicmp(const wchar_t *string1, const wchar_t *string2, size_t count)
    WDK_LINK_NAME("_wcsnicmp");
wchar_t *_wcslwr(wchar_t *string) WDK_LINK_NAME("_wcslwr");
wchar_t *_wcsupr(wchar_t *string) WDK_LINK_NAME("_wcsupr");
wchar_t *_wcsrev(wchar_t *string) WDK_LINK_NAME("_wcsrev");
wchar_t *_wcsset(wchar_t *string, wchar_t letter) WDK_LINK_NAME("_wcsset");
wchar_t *_wcsnset(wchar_t *string, wchar_t letter, size_t count) WDK_LINK_NAME("_wcsnset");
int _wtoi(const wchar_t *string) WDK_LINK_NAME("_wtoi");
int _wtol(const wchar_t *string) WDK_LINK_NAME("_wtol");
__int64 _wtoi64(const wchar_t *string) WDK_LINK_NAME("_wtoi64");

/* Narrow strings that the host lacks. */
int _stricmp(const char *string1, const char *string2) WDK_LINK_NAME("_stricmp");
int _strnicmp(const char *string1, const char *string2, size_t count) WDK_LINK_NAME("_strnicmp");
int _memicmp(const void *buffer1, const void *buffer2, size_t count) WDK_LINK_NAME("_memicmp");
char *_strlwr(char *string) WDK_LINK_NAME("_strlwr");
char *_strupr(char *string) WDK_LINK_NAME("_strupr");
char *_strrev(char *string) WDK_LINK_NAME("_strrev");
char *_strset(char *string, int letter) WDK_LINK_NAME("_strset");
char *_strnset(char *string, int letter, size_t count) WDK_LINK_NAME("_strnset");
__int64 _atoi64(const char *string) WDK_LINK_NAME("_atoi64");
char *_itoa(int value, char *buffer, int radix) WDK_LINK_NAME("_itoa");
char *_ltoa(int value, char *buffer, int radix) WDK_LINK_NAME("_ltoa");
char *_ultoa(unsigned int value, char *buffer, int radix) WDK_LINK_NAME("_ultoa");
char *_i64toa(__int64 value, char *buffer, int radix) WDK_LINK_NAME("_i64toa");
char *_ui64toa(unsigned __int64 value, char *buffer, int radix) WDK_LINK_NAME("_ui64toa");
wchar_t *_itow(int value, wchar_t *buffer, int radix) WDK_LINK_NAME("_itow");
wchar_t *_ltow(int value, wchar_t *buffer, int radix) WDK_LINK_NAME("_ltow");
wchar_t *_ultow(unsigned int value, wchar_t *buffer, int radix) WDK_LINK_NAME("_ultow");

/* Formatting: %l is 32 bits wide here, and the plain forms do not end what they cut off. */
int _snprintf(char *buffer, size_t count, const char *format, ...) WDK_LINK_NAME("_snprintf");
int _vsnprintf(char *buffer, size_t count, const char *format, va_list arguments)
    WDK_LINK_NAME("_vsnprintf");
int _scprintf(const char *format, ...) WDK_LINK_NAME("_scprintf");
int _vscprintf(const char *format, va_list arguments) WDK_LINK_NAME("_vscprintf");
int _snwprintf(wchar_t *buffer, size_t count, const wchar_t *format, ...)
    WDK_LINK_NAME("_snwprintf");
int _vsnwprintf(wchar_t *buffer, size_t count, const wchar_t *format, va_list arguments)
    WDK_LINK_NAME("_vsnwprintf");
int _scwprintf(const wchar_t *format, ...) WDK_LINK_NAME("_scwprintf");
int _vscwprintf(const wchar_t *format, va_list arguments) WDK_LINK_NAME("_vscwprintf");
int _swprintf(wchar_t *buffer, const wchar_t *format, ...) WDK_LINK_NAME("swprintf");
int _vswprintf(wchar_t *buffer, const wchar_t *format, va_list arguments)
    WDK_LINK_NAME("vswprintf");
int _swprintf_c(wchar_t *buffer, size_t count, const wchar_t *format, ...)
    WDK_LINK_NAME("_swprintf_c");
int _vswprintf_c(wchar_t *buffer, size_t count, const wchar_t *format, va_list arguments)
    WDK_LINK_NAME("_vswprintf_c");

int sprintf_s(char *buffer, size_t size, const char *format, ...) WDK_LINK_NAME("sprintf_s");
int vsprintf_s(char *buffer, size_t size, const char *format, va_list arguments)
    WDK_LINK_NAME("vsprintf_s");
int _snprintf_s(char *buffer, size_t size, size_t count, const char *format, ...)
    WDK_LINK_NAME("_snprintf_s");
int _vsnprintf_s(char *buffer, size_t size, size_t count, const char *format, va_list arguments)
    WDK_LINK_NAME("_vsnprintf_s");
int swprintf_s(wchar_t *buffer, size_t size, const wchar_t *format, ...)
    WDK_LINK_NAME("swprintf_s");
int vswprintf_s(wchar_t *buffer, size_t size, const wchar_t *format, va_list arguments)
    WDK_LINK_NAME("vswprintf_s");
int _snwprintf_s(wchar_t *buffer, size_t size, size_t count, const wchar_t *format, ...)
    WDK_LINK_NAME("_snwprintf_s");
int _vsnwprintf_s(wchar_t *buffer, size_t size, size_t count, const wchar_t *format,
                  va_list arguments) WDK_LINK_NAME("_vsnwprintf_s");

/* Checked copies: sizes in bytes for mem..., in letters for the others. */
errno_t memcpy_s(void *dest, rsize_t size, const void *source, rsize_t count)
    WDK_LINK_NAME("memcpy_s");
errno_t memmove_s(void *dest, rsize_t size, const void *source, rsize_t count)
    WDK_LINK_NAME("memmove_s");
errno_t strcpy_s(char *dest, rsize_t size, const char *source) WDK_LINK_NAME("strcpy_s");
errno_t strcat_s(char *dest, rsize_t size, const char *source) WDK_LINK_NAME("strcat_s");
errno_t strncpy_s(char *dest, rsize_t size, const char *source, rsize_t count)
    WDK_LINK_NAME("strncpy_s");
errno_t strncat_s(char *dest, rsize_t size, const char *source, rsize_t count)
    WDK_LINK_NAME("strncat_s");
char *strtok_s(char *string, const char *delimiters, char **context) WDK_LINK_NAME("strtok_s");
errno_t _strlwr_s(char *string, size_t size) WDK_LINK_NAME("_strlwr_s");
errno_t _strupr_s(char *string, size_t size) WDK_LINK_NAME("_strupr_s");
errno_t _itoa_s(int value, char *buffer, size_t size, int radix) WDK_LINK_NAME("_itoa_s");
errno_t _ultoa_s(unsigned int value, char *buffer, size_t size, int radix)
    WDK_LINK_NAME("_ultoa_s");
errno_t wmemcpy_s(wchar_t *dest, rsize_t size, const wchar_t *source, rsize_t count)
    WDK_LINK_NAME("wmemcpy_s");
errno_t wmemmove_s(wchar_t *dest, rsize_t size, const wchar_t *source, rsize_t count)
    WDK_LINK_NAME("wmemmove_s");
errno_t wcscpy_s(wchar_t *dest, rsize_t size, const wchar_t *source) WDK_LINK_NAME("wcscpy_s");
errno_t wcscat_s(wchar_t *dest, rsize_t size, const wchar_t *source) WDK_LINK_NAME("wcscat_s");
errno_t wcsncpy_s(wchar_t *dest, rsize_t size, const wchar_t *source, rsize_t count)
    WDK_LINK_NAME("wcsncpy_s");
errno_t wcsncat_s(wchar_t *dest, rsize_t size, const wchar_t *source, rsize_t count)
    WDK_LINK_NAME("wcsncat_s");
wchar_t *wcstok_s(wchar_t *string, const wchar_t *delimiters, wchar_t **context)
    WDK_LINK_NAME("wcstok_s");
errno_t _wcslwr_s(wchar_t *string, size_t size) WDK_LINK_NAME("_wcslwr_s");
errno_t _wcsupr_s(wchar_t *string, size_t size) WDK_LINK_NAME("_wcsupr_s");
errno_t _itow_s(int value, wchar_t *buffer, size_t size, int radix) WDK_LINK_NAME("_itow_s");

/* One C function, or two overloads where the host's library expects those. */
#ifndef __CORRECT_ISO_CPP_WCHAR_H_PROTO
wchar_t *wcschr(const wchar_t *string, wchar_t letter) WDK_CRT_THROW WDK_LINK_NAME("wcschr");
wchar_t *wcsrchr(const wchar_t *string, wchar_t letter) WDK_CRT_THROW WDK_LINK_NAME("wcsrchr");
wchar_t *wcsstr(const wchar_t *string, const wchar_t *substring) WDK_CRT_THROW
    WDK_LINK_NAME("wcsstr");
wchar_t *wcspbrk(const wchar_t *string, const wchar_t *control) WDK_CRT_THROW
    WDK_LINK_NAME("wcspbrk");
wchar_t *wmemchr(const wchar_t *buffer, wchar_t letter, size_t count) WDK_CRT_THROW
    WDK_LINK_NAME("wmemchr");
#else
extern "C++" {
wchar_t *wcschr(wchar_t *string, wchar_t letter) WDK_LINK_NAME("wcschr");
const wchar_t *wcschr(const wchar_t *string, wchar_t letter) WDK_LINK_NAME("wcschr");
wchar_t *wcsrchr(wchar_t *string, wchar_t letter) WDK_LINK_NAME("wcsrchr");
const wchar_t *wcsrchr(const wchar_t *string, wchar_t letter) WDK_LINK_NAME("wcsrchr");
wchar_t *wcsstr(wchar_t *string, const wchar_t *substring) WDK_LINK_NAME("wcsstr");
const wchar_t *wcsstr(const wchar_t *string, const wchar_t *substring) WDK_LINK_NAME("wcsstr");
wchar_t *wcspbrk(wchar_t *string, const wchar_t *control) WDK_LINK_NAME("wcspbrk");
const wchar_t *wcspbrk(const wchar_t *string, const wchar_t *control) WDK_LINK_NAME("wcspbrk");
wchar_t *wmemchr(wchar_t *buffer, wchar_t letter, size_t count) WDK_LINK_NAME("wmemchr");
const wchar_t *wmemchr(const wchar_t *buffer, wchar_t letter, size_t count)
    WDK_LINK_NAME("wmemchr");
}
#endif

int swprintf(wchar_t *buffer, const wchar_t *format, ...) WDK_LINK_NAME("swprintf");
int vswprintf(wchar_t *buffer, const wchar_t *format, va_list arguments) WDK_LINK_NAME("vswprintf");
#ifdef __cplusplus
/* The standard's form, with a size, beside it: the arguments choose. */
extern "C++" {
int swprintf(wchar_t *buffer, size_t count, const wchar_t *format, ...)
    WDK_LINK_NAME("_swprintf_c");
int vswprintf(wchar_t *buffer, size_t count, const wchar_t *format, va_list arguments)
    WDK_LINK_NAME("_vswprintf_c");
}
#endif

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif /* !_WIN32 */

#endif
