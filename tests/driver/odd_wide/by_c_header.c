#include <stddef.h>

/* As <wchar.h> declares it. */
extern size_t wcslen(const wchar_t *text);

unsigned length_by_c_header(const wchar_t *text);

unsigned length_by_c_header(const wchar_t *text)
{
    return (unsigned)wcslen(text);
}
