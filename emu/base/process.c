#include "base/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

const char *base_environment(const char *name, const char *fallback)
{
    const char *value = getenv(name);
    return value != NULL ? value : fallback;
}

_Noreturn void base_process_end(int status)
{
    fflush(NULL);
    _Exit(status);
}

void base_random(void *buffer, size_t length)
{
    if (uv_random(NULL, NULL, buffer, length, 0, NULL) != 0) {
        abort();
    }
}
