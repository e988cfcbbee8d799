#include "base/memory.h"

#include <windows.h>

bool base_memory_is_readable(const void *address)
{
    char byte;
    SIZE_T count = 0;
    return ReadProcessMemory(GetCurrentProcess(), address, &byte, 1, &count) && count == 1;
}
