#include "base/pages.h"

#include <sys/mman.h>

void *base_pages_take(size_t bytes)
{
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

bool base_pages_forbid(void *start, size_t bytes)
{
    return mprotect(start, bytes, PROT_NONE) == 0;
}

bool base_pages_allow(void *start, size_t bytes)
{
    return mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0;
}

void base_pages_give_back(void *start, size_t bytes)
{
    munmap(start, bytes);
}
