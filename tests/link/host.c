#include "host.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#define GREETING "to myself"

struct talk {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_tcp_t server;
    uv_tcp_t client;
    uv_connect_t connect;
    uv_write_t write;
    uv_getaddrinfo_t resolve;
    char received[64];
    size_t received_length;
    bool is_resolved;
};

static void close_all(struct talk *talk)
{
    uv_close((uv_handle_t *)&talk->listener, NULL);
    uv_close((uv_handle_t *)&talk->server, NULL);
    uv_close((uv_handle_t *)&talk->client, NULL);
}

static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct talk *talk = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(talk->received + talk->received_length,
                          (unsigned)(sizeof(talk->received) - talk->received_length));
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct talk *talk = stream->data;
    (void)buffer;
    if (length > 0) {
        talk->received_length += (size_t)length;
    }
    if (length < 0 || talk->received_length >= strlen(GREETING)) {
        close_all(talk);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct talk *talk = listener->data;
    if (status == 0 && uv_accept(listener, (uv_stream_t *)&talk->server) == 0) {
        uv_read_start((uv_stream_t *)&talk->server, give_space, on_read);
    }
}

static void on_connect(uv_connect_t *request, int status)
{
    struct talk *talk = request->data;
    uv_buf_t text = uv_buf_init((char *)GREETING, (unsigned)strlen(GREETING));
    if (status != 0) {
        close_all(talk);
        return;
    }
    uv_write(&talk->write, (uv_stream_t *)&talk->client, &text, 1, NULL);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct talk *talk = request->data;
    talk->is_resolved = status == 0 && list != NULL;
    uv_freeaddrinfo(list);
}

static bool start(struct talk *talk)
{
    struct sockaddr_in address;
    struct sockaddr_storage bound;
    int length = sizeof(bound);
    uv_tcp_t *handles[] = {&talk->listener, &talk->server, &talk->client};
    for (size_t i = 0; i < 3; i++) {
        uv_tcp_init(&talk->loop, handles[i]);
        handles[i]->data = talk;
    }
    talk->connect.data = talk;
    talk->resolve.data = talk;
    return uv_ip4_addr("127.0.0.1", 0, &address) == 0 &&
           uv_tcp_bind(&talk->listener, (const struct sockaddr *)&address, 0) == 0 &&
           uv_listen((uv_stream_t *)&talk->listener, 1, on_connection) == 0 &&
           uv_tcp_getsockname(&talk->listener, (struct sockaddr *)&bound, &length) == 0 &&
           uv_tcp_connect(&talk->connect, &talk->client, (const struct sockaddr *)&bound,
                          on_connect) == 0 &&
           uv_getaddrinfo(&talk->loop, &talk->resolve, on_resolved, "127.0.0.1", "80", NULL) == 0;
}

bool host_talks_to_itself(void)
{
    struct talk talk;
    memset(&talk, 0, sizeof(talk));
    if (uv_loop_init(&talk.loop) != 0) {
        return false;
    }
    if (!start(&talk)) {
        close_all(&talk);
    }
    uv_run(&talk.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&talk.loop) == 0 && talk.is_resolved &&
           talk.received_length == strlen(GREETING) &&
           memcmp(talk.received, GREETING, strlen(GREETING)) == 0;
}

void *host_module_symbol(const char *path, const char *symbol)
{
    static uv_lib_t library;
    void *address = NULL;
    if (uv_dlopen(path, &library) != 0 || uv_dlsym(&library, symbol, &address) != 0) {
        fprintf(stderr, "%s\n", uv_dlerror(&library));
        return NULL;
    }
    return address;
}
