#include "spawn.h"

#include "paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#ifdef _WIN32
#define SEPARATOR ';'
#define ENDING ".exe"
#else
#define SEPARATOR ':'
#define ENDING ""
#endif

static void on_exit(uv_process_t *process, int64_t status, int signal)
{
    *(int *)process->data = signal != 0 ? -1 : (int)status;
    uv_close((uv_handle_t *)process, NULL);
}

static int run(const char *const *arguments, int output)
{
    uv_loop_t loop;
    uv_process_t process;
    int status = -1;
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = output},
        {.flags = UV_INHERIT_FD, .data.fd = output},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit,
        .file = arguments[0],
        .args = (char **)(uintptr_t)arguments,
        .stdio_count = 3,
        .stdio = stdio,
    };
    process.data = &status;
    uv_loop_init(&loop);
    if (uv_spawn(&loop, &process, &options) != 0) {
        status = -1;
        uv_close((uv_handle_t *)&process, NULL);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return status;
}

int spawn_and_wait(const char *const *arguments, const char *output)
{
    uv_fs_t request;
    int file = (int)uv_fs_open(NULL, &request, output,
                               UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_TRUNC, 0600, NULL);
    uv_fs_req_cleanup(&request);
    if (file < 0) {
        return -1;
    }
    int status = run(arguments, file);
    uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    return status;
}

bool spawn_find(const char *program, char *found, size_t size)
{
    char path[2 * PATHS_BYTES];
    char candidate[2 * PATHS_BYTES + 256];
    size_t length = sizeof(path);
    if (strchr(program, '/') != NULL) {
        snprintf(candidate, sizeof(candidate), "%s", program);
        path[0] = '\0';
    } else if (uv_os_getenv("PATH", path, &length) != 0) {
        return false;
    }
    for (char *step = path; step != NULL;) {
        char *end = strchr(step, SEPARATOR);
        if (end != NULL) {
            *end++ = '\0';
        }
        if (step[0] != '\0') {
            snprintf(candidate, sizeof(candidate), "%s/%s%s", step, program, ENDING);
        }
        if (candidate[0] != '\0' && paths_exist(candidate)) {
            if (found != NULL) {
                snprintf(found, size, "%s", candidate);
            }
            return true;
        }
        step = end;
    }
    return false;
}
