#include "base/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define PATH_BYTES_MAX 4096
#define ARGUMENTS_MAX 16
#define FILE_MODE 0644

struct run {
    uv_process_t process;
    uv_timer_t timer;
    struct base_child_end *end;
};

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct run *run = process->data;
    run->end->status = status;
    run->end->signal = signal;
    uv_close((uv_handle_t *)&run->timer, NULL);
    uv_close((uv_handle_t *)process, NULL);
}

static void on_time_over(uv_timer_t *timer)
{
    struct run *run = timer->data;
    run->end->is_killed = true;
    uv_process_kill(&run->process, SIGKILL);
}

/* Whether the variable is among those that are set anew. */
static bool is_replaced(const char *name, const char *const *environment)
{
    size_t length = strlen(name);
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') {
            return true;
        }
    }
    return false;
}

/* A copy of "NAME" "=" "VALUE". */
static char *join(const char *name, const char *middle, const char *value)
{
    size_t bytes = strlen(name) + strlen(middle) + strlen(value) + 1;
    char *text = malloc(bytes);
    if (text == NULL) {
        abort();
    }
    snprintf(text, bytes, "%s%s%s", name, middle, value);
    return text;
}

/* Our environment with the additions; each text and the array are the caller's to free. */
static char **whole_environment(const char *const *additions)
{
    uv_env_item_t *items;
    int count;
    size_t added = 0;
    while (additions[added] != NULL) {
        added++;
    }
    if (uv_os_environ(&items, &count) != 0) {
        return NULL;
    }
    char **all = calloc((size_t)count + added + 1, sizeof(*all));
    char **next = all;
    for (int i = 0; i < count && all != NULL; i++) {
        if (!is_replaced(items[i].name, additions)) {
            *next++ = join(items[i].name, "=", items[i].value);
        }
    }
    uv_os_free_environ(items, count);
    for (size_t i = 0; i < added && all != NULL; i++) {
        *next++ = join(additions[i], "", "");
    }
    return all;
}

static void free_environment(char **all)
{
    for (char **text = all; text != NULL && *text != NULL; text++) {
        free(*text);
    }
    free(all);
}

/* Starts it in the loop; 0 or an error of libuv's. */
static int start(uv_loop_t *loop, const struct base_child *child, struct run *run, int output)
{
    char *arguments[ARGUMENTS_MAX + 2] = {(char *)(uintptr_t)child->program};
    for (int i = 0; i < ARGUMENTS_MAX && child->arguments[i] != NULL; i++) {
        arguments[i + 1] = (char *)(uintptr_t)child->arguments[i];
    }
    uv_stdio_container_t streams[3] = {{.flags = UV_IGNORE},
                                       {.flags = UV_INHERIT_FD, .data.fd = output},
                                       {.flags = UV_INHERIT_FD, .data.fd = output}};
    char **environment = whole_environment(child->environment);
    uv_process_options_t options = {.exit_cb = on_exit_of,
                                    .file = child->program,
                                    .args = arguments,
                                    .env = environment,
                                    .flags = UV_PROCESS_WINDOWS_HIDE,
                                    .stdio = streams,
                                    .stdio_count = 3};
    run->process.data = run;
    run->timer.data = run;
    int error = environment != NULL ? uv_spawn(loop, &run->process, &options) : UV_ENOMEM;
    uv_timer_init(loop, &run->timer);
    if (error == 0) {
        uv_timer_start(&run->timer, on_time_over, child->time_limit_ms, 0);
    } else {
        uv_close((uv_handle_t *)&run->timer, NULL);
        uv_close((uv_handle_t *)&run->process, NULL);
    }
    free_environment(environment);
    return error;
}

bool base_child_run(const struct base_child *child, struct base_child_end *end)
{
    uv_loop_t loop;
    uv_fs_t opening;
    struct run run = {.end = end};
    *end = (struct base_child_end){.status = -1};
    int output =
        uv_fs_open(NULL, &opening, child->output, O_WRONLY | O_CREAT | O_TRUNC, FILE_MODE, NULL);
    uv_fs_req_cleanup(&opening);
    if (output < 0) {
        return false;
    }
    bool has_loop = uv_loop_init(&loop) == 0;
    bool is_started = has_loop && start(&loop, child, &run, output) == 0;
    if (has_loop) {
        uv_run(&loop, UV_RUN_DEFAULT);
        uv_loop_close(&loop);
    }
    uv_fs_close(NULL, &opening, output, NULL);
    uv_fs_req_cleanup(&opening);
    return is_started;
}

const char *base_program_path(void)
{
    static char path[PATH_BYTES_MAX];
    size_t bytes = sizeof(path);
    if (path[0] == '\0' && uv_exepath(path, &bytes) != 0) {
        path[0] = '\0';
    }
    return path;
}
