#include "base/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define FILE_MODE 0644

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

bool base_file_append(const char *path, const char *text, size_t length)
{
    uv_fs_t request;
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)text, (unsigned)length);
    int file = uv_fs_open(NULL, &request, path, O_WRONLY | O_CREAT | O_APPEND, FILE_MODE, NULL);
    uv_fs_req_cleanup(&request);
    if (file < 0) {
        return false;
    }
    int written = uv_fs_write(NULL, &request, file, &buffer, 1, -1, NULL);
    uv_fs_req_cleanup(&request);
    uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    return written == (int)length;
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
