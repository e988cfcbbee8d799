/*
 * The C runtime's formatting, over Windows' printf language. On Windows the host's own is right.
 *
 * The plain forms return -1 where they cut off, and then write no null; a text that fills the
 * buffer exactly is whole and has none either. The _s forms always write one.
 */
#include <wdm.h>

#include "rtl/format.h"

#ifndef _WIN32

#define UNLIMITED (SIZE_MAX / sizeof(wchar_t))

/* How a buffer of so many units ends. */
enum ending { END_IF_ROOM, END_ALWAYS };

#define DEFINE_FINISH(name, Type)                                                                  \
    static int name(Type *buffer, size_t size, int length, enum ending ending)                     \
    {                                                                                              \
        BOOLEAN whole = length >= 0 && (size_t)length <= size;                                     \
        if (ending == END_ALWAYS && size != 0) {                                                   \
            whole = length >= 0 && (size_t)length < size;                                          \
            buffer[whole ? (size_t)length : length < 0 ? 0 : size - 1] = 0;                        \
        } else if (whole && (size_t)length < size) {                                               \
            buffer[length] = 0;                                                                    \
        }                                                                                          \
        return whole ? length : -1;                                                                \
    }

DEFINE_FINISH(finish_narrow, char)
DEFINE_FINISH(finish_wide, wchar_t)

/* One family: the plain form, the measuring one, and those that always end with a null. */
#define DEFINE_FAMILY(Type, format_text, finish, vsn, vsc, vs_s, vsn_s)                            \
    int vsn(Type *buffer, size_t count, const Type *format, va_list arguments)                     \
    {                                                                                              \
        int length = format_text(buffer, count, RTL_FORMAT_ALL, format, arguments);                \
        return finish(buffer, count, length, END_IF_ROOM);                                         \
    }                                                                                              \
                                                                                                   \
    int vsc(const Type *format, va_list arguments)                                                 \
    {                                                                                              \
        return format_text(NULL, 0, RTL_FORMAT_ALL, format, arguments);                            \
    }                                                                                              \
                                                                                                   \
    int vs_s(Type *buffer, size_t size, const Type *format, va_list arguments)                     \
    {                                                                                              \
        int length = format_text(buffer, size, RTL_FORMAT_ALL, format, arguments);                 \
        length = finish(buffer, size, length, END_ALWAYS);                                         \
        if (length < 0 && size != 0) {                                                             \
            buffer[0] = 0;                                                                         \
        }                                                                                          \
        return length;                                                                             \
    }                                                                                              \
                                                                                                   \
    int vsn_s(Type *buffer, size_t size, size_t count, const Type *format, va_list arguments)      \
    {                                                                                              \
        if (count == _TRUNCATE || count < size) {                                                  \
            size = count == _TRUNCATE ? size : count + 1;                                          \
            int length = format_text(buffer, size, RTL_FORMAT_ALL, format, arguments);             \
            return finish(buffer, size, length, END_ALWAYS);                                       \
        }                                                                                          \
        return vs_s(buffer, size, format, arguments);                                              \
    }

DEFINE_FAMILY(char, rtl_format_narrow, finish_narrow, _vsnprintf, _vscprintf, vsprintf_s,
              _vsnprintf_s)
DEFINE_FAMILY(wchar_t, rtl_format_wide, finish_wide, _vsnwprintf, _vscwprintf, vswprintf_s,
              _vsnwprintf_s)

int _vswprintf_c(wchar_t *buffer, size_t count, const wchar_t *format, va_list arguments)
{
    int length = rtl_format_wide(buffer, count, RTL_FORMAT_ALL, format, arguments);
    return finish_wide(buffer, count, length, END_ALWAYS);
}

int vswprintf(wchar_t *buffer, const wchar_t *format, va_list arguments)
{
    return _vsnwprintf(buffer, UNLIMITED, format, arguments);
}

/* The forms with an ellipsis: `call` is the other form's call, with `arguments`. */
#define WITH_ARGUMENTS(call)                                                                       \
    va_list arguments;                                                                             \
    va_start(arguments, format);                                                                   \
    int length = call;                                                                             \
    va_end(arguments);                                                                             \
    return length

int _snprintf(char *buffer, size_t count, const char *format, ...)
{
    WITH_ARGUMENTS(_vsnprintf(buffer, count, format, arguments));
}

int _scprintf(const char *format, ...)
{
    WITH_ARGUMENTS(_vscprintf(format, arguments));
}

int _snwprintf(wchar_t *buffer, size_t count, const wchar_t *format, ...)
{
    WITH_ARGUMENTS(_vsnwprintf(buffer, count, format, arguments));
}

int _scwprintf(const wchar_t *format, ...)
{
    WITH_ARGUMENTS(_vscwprintf(format, arguments));
}

int swprintf(wchar_t *buffer, const wchar_t *format, ...)
{
    WITH_ARGUMENTS(vswprintf(buffer, format, arguments));
}

int _swprintf_c(wchar_t *buffer, size_t count, const wchar_t *format, ...)
{
    WITH_ARGUMENTS(_vswprintf_c(buffer, count, format, arguments));
}

int sprintf_s(char *buffer, size_t size, const char *format, ...)
{
    WITH_ARGUMENTS(vsprintf_s(buffer, size, format, arguments));
}

int _snprintf_s(char *buffer, size_t size, size_t count, const char *format, ...)
{
    WITH_ARGUMENTS(_vsnprintf_s(buffer, size, count, format, arguments));
}

int swprintf_s(wchar_t *buffer, size_t size, const wchar_t *format, ...)
{
    WITH_ARGUMENTS(vswprintf_s(buffer, size, format, arguments));
}

int _snwprintf_s(wchar_t *buffer, size_t size, size_t count, const wchar_t *format, ...)
{
    WITH_ARGUMENTS(_vsnwprintf_s(buffer, size, count, format, arguments));
}

#endif
