#include "base/pages.h"

#include <windows.h>

void *base_pages_take(size_t bytes)
{
    return VirtualAlloc(NULL, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

bool base_pages_forbid(void *start, size_t bytes)
{
    DWORD before;
    return VirtualProtect(start, bytes, PAGE_NOACCESS, &before) != 0;
}

bool base_pages_allow(void *start, size_t bytes)
{
    DWORD before;
    return VirtualProtect(start, bytes, PAGE_READWRITE, &before) != 0;
}

void base_pages_give_back(void *start, size_t bytes)
{
    (void)bytes;
    VirtualFree(start, 0, MEM_RELEASE);
}
