#include "base/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

const char *base_environment(const char *name, const char *fallback)
{
    const char *value = getenv(name);
    return value != NULL ? value : fallback;
}

void base_environment_each(base_environment_visitor *visitor, void *context)
{
    uv_env_item_t *items;
    int count;
    if (uv_os_environ(&items, &count) != 0) {
        return;
    }
    for (int i = 0; i < count; i++) {
        visitor(context, items[i].name, items[i].value);
    }
    uv_os_free_environ(items, count);
}

_Noreturn void base_process_end(int status)
{
    fflush(NULL);
    _Exit(status);
}

uint32_t base_process_number(void)
{
    return (uint32_t)uv_os_getpid();
}

void base_random(void *buffer, size_t length)
{
    if (uv_random(NULL, NULL, buffer, length, 0, NULL) != 0) {
        abort();
    }
}
