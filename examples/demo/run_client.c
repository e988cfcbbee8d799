#include "run_client.h"

#include <stdio.h>
#include <uv.h>

#define TIME_MS_MAX 20000

struct client {
    uv_process_t process;
    uv_timer_t timer;
    bool is_good;
};

static void ended(uv_process_t *process, int64_t code, int signal)
{
    struct client *client = process->data;
    client->is_good = code == 0 && signal == 0;
    uv_close((uv_handle_t *)process, NULL);
    uv_close((uv_handle_t *)&client->timer, NULL);
}

static void took_too_long(uv_timer_t *timer)
{
    struct client *client = timer->data;
    puts("demo      the client takes too long");
    uv_process_kill(&client->process, SIGTERM);
}

static bool start(uv_loop_t *loop, struct client *client, const char *program, unsigned port)
{
    char text[16];
    snprintf(text, sizeof(text), "%u", port);
    char *arguments[] = {(char *)program, text, NULL};
    uv_stdio_container_t streams[] = {{.flags = UV_IGNORE},
                                      {.flags = UV_INHERIT_FD, .data.fd = 1},
                                      {.flags = UV_INHERIT_FD, .data.fd = 2}};
    uv_process_options_t options = {
        .exit_cb = ended, .file = program, .args = arguments, .stdio_count = 3, .stdio = streams};
    client->process.data = client;
    client->timer.data = client;
    uv_timer_init(loop, &client->timer);
    uv_timer_start(&client->timer, took_too_long, TIME_MS_MAX, 0);
    int error = uv_spawn(loop, &client->process, &options);
    if (error != 0) {
        printf("demo      cannot run %s: %s\n", program, uv_strerror(error));
        uv_close((uv_handle_t *)&client->process, NULL);
        uv_close((uv_handle_t *)&client->timer, NULL);
    }
    return error == 0;
}

bool run_client(const char *program, unsigned port)
{
    uv_loop_t loop;
    struct client client = {.is_good = false};
    if (uv_loop_init(&loop) != 0) {
        return false;
    }
    start(&loop, &client, program, port);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return client.is_good;
}
