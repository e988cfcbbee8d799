/*
 * The side of `wskemu run`. One thread has a loop of libuv's for the socket and a clock; each
 * question gets a thread of its own, since it may wait, and hands its answer back through the loop.
 * A client that goes away cancels its question.
 */
#include "control.h"

#include "command.h"
#include "control_place.h"
#include "kernel.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define TICK_MS 100

/* A client, from its connection until its handle has closed and its thread has ended. */
struct client {
    uv_pipe_t pipe; /* first */
    uv_write_t write;
    struct client *next;            /* in clients */
    struct kernel_request *request; /* while its thread runs, or is not joined */
    char *question;
    size_t used;
    char *answer; /* with its status line */
    bool is_asked;
    bool is_cancelled;
    bool is_closed;
    atomic_bool is_answered;
};

static uv_loop_t loop;
static uv_thread_t loop_thread;
static uv_sem_t has_entered; /* the loop's thread, the kernel */
static uv_pipe_t listener;
static uv_async_t wake; /* an answer is there, or the end */
static uv_timer_t ticker;
static struct client *clients;
static atomic_bool is_stopping;
static atomic_bool is_asked_to_stop;
static control_handler *handle;
static control_stopper *stopper;
static void (*on_tick)(void);
static char place[CONTROL_PLACE_BYTES];

/* ---- clients ---- */

static void forget(struct client *client)
{
    struct client **link = &clients;
    while (*link != client) {
        link = &(*link)->next;
    }
    *link = client->next;
    free(client->question);
    free(client->answer);
    free(client);
}

/* Frees a client of which nothing is left. */
static void settle(struct client *client)
{
    if (client->is_closed && client->request == NULL) {
        forget(client);
    }
}

static void on_client_closed(uv_handle_t *handle_of_client)
{
    struct client *client = (struct client *)handle_of_client;
    client->is_closed = true;
    settle(client);
}

static void close_client(struct client *client)
{
    if (client->request != NULL && !client->is_cancelled) {
        client->is_cancelled = true;
        kernel_request_cancel(client->request);
    }
    if (!uv_is_closing((uv_handle_t *)&client->pipe)) {
        uv_close((uv_handle_t *)&client->pipe, on_client_closed);
    }
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    close_client((struct client *)write->handle);
}

static void send_answer(struct client *client)
{
    uv_buf_t buffer = uv_buf_init(client->answer, (unsigned)strlen(client->answer));
    if (uv_is_closing((uv_handle_t *)&client->pipe) ||
        uv_write(&client->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_written) != 0) {
        close_client(client);
    }
}

static void answer(struct kernel_request *request, void *context)
{
    struct client *client = context;
    char *text = NULL;
    int status = handle(request, client->question, &text);
    size_t bytes = (text != NULL ? strlen(text) : 0) + 16;
    client->answer = malloc(bytes);
    if (client->answer != NULL) {
        snprintf(client->answer, bytes, "%d\n%s", status, text != NULL ? text : "");
    }
    free(text);
    atomic_store(&client->is_answered, true);
    uv_async_send(&wake);
}

static void begin_answer(struct client *client)
{
    client->is_asked = true;
    client->request = kernel_request_start(answer, client);
    if (client->request == NULL) {
        close_client(client);
    }
}

static void on_room(uv_handle_t *handle_of_client, size_t suggested, uv_buf_t *buffer)
{
    struct client *client = (struct client *)handle_of_client;
    char *larger = NULL;
    if (client->used < CONTROL_LINE_BYTES) {
        larger = realloc(client->question, client->used + suggested);
    }
    if (larger == NULL) {
        *buffer = uv_buf_init(NULL, 0); /* libuv then reports an error */
        return;
    }
    client->question = larger;
    *buffer = uv_buf_init(larger + client->used, (unsigned)suggested);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct client *client = (struct client *)stream;
    if (count < 0) {
        close_client(client);
        return;
    }
    char *end = count == 0 ? NULL : memchr(buffer->base, '\n', (size_t)count);
    client->used += (size_t)count;
    if (end != NULL && !client->is_asked) {
        *end = '\0';
        begin_answer(client);
    }
}

static void on_connection(uv_stream_t *server, int status)
{
    struct client *client = status == 0 ? calloc(1, sizeof(*client)) : NULL;
    if (client == NULL) {
        return;
    }
    uv_pipe_init(&loop, &client->pipe, 0);
    client->next = clients;
    clients = client;
    if (uv_accept(server, (uv_stream_t *)&client->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&client->pipe, on_room, on_read) != 0) {
        close_client(client);
    }
}

/* ---- the loop ---- */

/* Joins threads that have answered. */
static void collect(void)
{
    struct client *next;
    for (struct client *client = clients; client != NULL; client = next) {
        next = client->next;
        if (client->request != NULL && atomic_load(&client->is_answered)) {
            kernel_request_join(client->request);
            client->request = NULL;
            if (client->answer != NULL && !client->is_closed) {
                send_answer(client);
            } else {
                close_client(client);
            }
            settle(client);
        }
    }
}

static bool has_threads(void)
{
    for (const struct client *client = clients; client != NULL; client = client->next) {
        if (client->request != NULL) {
            return true;
        }
    }
    return false;
}

static void close_one(uv_handle_t *each, void *context)
{
    (void)context;
    if (!uv_is_closing(each) && each->type != UV_NAMED_PIPE) {
        uv_close(each, NULL);
    }
}

static void on_wake(uv_async_t *async)
{
    (void)async;
    collect();
    if (atomic_exchange(&is_asked_to_stop, false)) {
        stopper();
    }
    if (!atomic_load(&is_stopping)) {
        return;
    }
    if (!uv_is_closing((uv_handle_t *)&listener)) {
        uv_close((uv_handle_t *)&listener, NULL);
    }
    for (struct client *client = clients, *next; client != NULL; client = next) {
        next = client->next;
        if (client->answer == NULL) {
            close_client(client);
        }
    }
    if (!has_threads()) {
        uv_walk(&loop, close_one, NULL);
        kernel_requests_end();
    }
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    on_tick();
}

static void run_loop(void *context)
{
    (void)context;
    kernel_stand_aside();
    uv_sem_post(&has_entered);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static bool listen_at_place(void)
{
    uv_pipe_init(&loop, &listener, 0);
    if (!control_place_choose(place)) {
        command_complain("cannot make a folder for the control socket; set XDG_RUNTIME_DIR");
        return false;
    }
    int error = uv_pipe_bind(&listener, control_place_pipe(place));
    if (error == 0) {
        error = uv_listen((uv_stream_t *)&listener, 16, on_connection);
    }
    if (error != 0) {
        command_complain("cannot listen at %s: %s", place, uv_strerror(error));
        return false;
    }
    return true;
}

bool control_start(control_handler *handler, control_stopper *on_stop, void (*tick)(void))
{
    handle = handler;
    stopper = on_stop;
    on_tick = tick;
    uv_loop_init(&loop);
    uv_async_init(&loop, &wake, on_wake);
    if (!listen_at_place()) {
        return false;
    }
    uv_timer_init(&loop, &ticker);
    uv_timer_start(&ticker, on_timer, TICK_MS, TICK_MS);
    uv_sem_init(&has_entered, 0);
    bool is_started = uv_thread_create(&loop_thread, run_loop, NULL) == 0;
    if (is_started) {
        uv_sem_wait(&has_entered); /* a driver may stop the kernel at once */
    }
    uv_sem_destroy(&has_entered);
    return is_started;
}

void control_ask_to_stop(void)
{
    atomic_store(&is_asked_to_stop, true);
    uv_async_send(&wake);
}

void control_remove_place(void)
{
    control_place_remove(place);
}

void control_stop(void)
{
    atomic_store(&is_stopping, true);
    uv_async_send(&wake);
    kernel_requests_await();
    uv_thread_join(&loop_thread);
    uv_loop_close(&loop);
    control_place_remove(place);
}
