/*
 * The C runtime's checked functions. A broken contract empties the destination and returns an error
 * number; there is no invalid-parameter handler. On Windows the host's own are right.
 */
#include <wdm.h>

#include <errno.h>

#ifndef _WIN32

/* Sizes and counts in units of so many bytes. */
static errno_t copy_memory(void *dest, size_t size, const void *source, size_t count, size_t unit)
{
    if (count == 0) {
        return 0;
    }
    if (dest == NULL) {
        return EINVAL;
    }
    if (source == NULL || size < count) {
        memset(dest, 0, size * unit);
        return source == NULL ? EINVAL : ERANGE;
    }
    memmove(dest, source, count * unit);
    return 0;
}

errno_t memcpy_s(void *dest, rsize_t size, const void *source, rsize_t count)
{
    return copy_memory(dest, size, source, count, 1);
}

errno_t memmove_s(void *dest, rsize_t size, const void *source, rsize_t count)
{
    return copy_memory(dest, size, source, count, 1);
}

errno_t wmemcpy_s(wchar_t *dest, rsize_t size, const wchar_t *source, rsize_t count)
{
    return copy_memory(dest, size, source, count, sizeof(wchar_t));
}

errno_t wmemmove_s(wchar_t *dest, rsize_t size, const wchar_t *source, rsize_t count)
{
    return copy_memory(dest, size, source, count, sizeof(wchar_t));
}

/* Copies at most count units behind the first `start` ones; _TRUNCATE cuts off without an error. */
#define DEFINE_COPY(name, Type, length_of)                                                         \
    static errno_t name(Type *dest, size_t size, size_t start, const Type *source, size_t count)   \
    {                                                                                              \
        if (source == NULL || start >= size) {                                                     \
            dest[0] = 0;                                                                           \
            return EINVAL;                                                                         \
        }                                                                                          \
        size_t length = length_of(source, count);                                                  \
        size_t room = size - start - 1;                                                            \
        if (length > room && count != _TRUNCATE) {                                                 \
            dest[0] = 0;                                                                           \
            return ERANGE;                                                                         \
        }                                                                                          \
        size_t kept = min(length, room);                                                           \
        memcpy(dest + start, source, kept * sizeof(Type));                                         \
        dest[start + kept] = 0;                                                                    \
        return kept < length ? STRUNCATE : 0;                                                      \
    }

DEFINE_COPY(copy_narrow, char, strnlen)
DEFINE_COPY(copy_wide, wchar_t, wcsnlen)

/* Longer than any text, and not _TRUNCATE. */
#define WHOLE (_TRUNCATE - 1)

#define DEFINE_CHECKED(Type, copy, length_of, cpy, cat, ncpy, ncat)                                \
    errno_t cpy(Type *dest, rsize_t size, const Type *source)                                      \
    {                                                                                              \
        return dest == NULL || size == 0 ? EINVAL : copy(dest, size, 0, source, WHOLE);            \
    }                                                                                              \
                                                                                                   \
    errno_t ncpy(Type *dest, rsize_t size, const Type *source, rsize_t count)                      \
    {                                                                                              \
        return dest == NULL || size == 0 ? EINVAL : copy(dest, size, 0, source, count);            \
    }                                                                                              \
                                                                                                   \
    errno_t cat(Type *dest, rsize_t size, const Type *source)                                      \
    {                                                                                              \
        return dest == NULL || size == 0 ? EINVAL                                                  \
                                         : copy(dest, size, length_of(dest, size), source, WHOLE); \
    }                                                                                              \
                                                                                                   \
    errno_t ncat(Type *dest, rsize_t size, const Type *source, rsize_t count)                      \
    {                                                                                              \
        return dest == NULL || size == 0 ? EINVAL                                                  \
                                         : copy(dest, size, length_of(dest, size), source, count); \
    }

DEFINE_CHECKED(char, copy_narrow, strnlen, strcpy_s, strcat_s, strncpy_s, strncat_s)
DEFINE_CHECKED(wchar_t, copy_wide, wcsnlen, wcscpy_s, wcscat_s, wcsncpy_s, wcsncat_s)

/* The next token of the string, or of *context if the string is NULL. */
#define DEFINE_TOKEN(name, Type, skip_in, skip_not_in)                                             \
    Type *name(Type *string, const Type *delimiters, Type **context)                               \
    {                                                                                              \
        Type *token = string != NULL ? string : *context;                                          \
        token += skip_in(token, delimiters);                                                       \
        Type *end = token + skip_not_in(token, delimiters);                                        \
        *context = end;                                                                            \
        if (end == token) {                                                                        \
            return NULL;                                                                           \
        }                                                                                          \
        if (*end != 0) {                                                                           \
            *end = 0;                                                                              \
            *context = end + 1;                                                                    \
        }                                                                                          \
        return token;                                                                              \
    }

DEFINE_TOKEN(strtok_s, char, strspn, strcspn)
DEFINE_TOKEN(wcstok_s, wchar_t, wcsspn, wcscspn)

#define DEFINE_CASE(name, Type, length_of, change)                                                 \
    errno_t name(Type *string, size_t size)                                                        \
    {                                                                                              \
        if (string == NULL || length_of(string, size) == size) {                                   \
            return EINVAL;                                                                         \
        }                                                                                          \
        change(string);                                                                            \
        return 0;                                                                                  \
    }

DEFINE_CASE(_strlwr_s, char, strnlen, _strlwr)
DEFINE_CASE(_strupr_s, char, strnlen, _strupr)
DEFINE_CASE(_wcslwr_s, wchar_t, wcsnlen, _wcslwr)
DEFINE_CASE(_wcsupr_s, wchar_t, wcsnlen, _wcsupr)

#endif
