#include "raw/uv_server.h"

#include "host/socket.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <uv.h>

#define BACKLOG 4096
#define READ_BYTES 65536

struct connection {
    uv_tcp_t tcp;
    uv_write_t write;
};

static uv_loop_t loop;
static uv_tcp_t listener;
static unsigned accepted;
static uint64_t echoed; /* bytes of this round */
static struct bench_peer *peer;
static char bytes[READ_BYTES];

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle, (void)suggested;
    *buffer = uv_buf_init(bytes, sizeof(bytes));
}

static void note_write(uv_write_t *request, int status)
{
    (void)request;
    BENCH_REQUIRE(status == 0);
}

static void free_connection(uv_handle_t *handle)
{
    free(handle);
}

static void echo(uv_stream_t *stream, ssize_t moved, const uv_buf_t *buffer)
{
    struct connection *connection = (struct connection *)stream;
    if (moved < 0) {
        uv_close((uv_handle_t *)stream, free_connection);
        return;
    }
    uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)moved);
    BENCH_REQUIRE(uv_write(&connection->write, stream, &answer, 1, note_write) == 0);
    echoed += (uint64_t)moved;
}

static void accept_connection(uv_stream_t *server, int status)
{
    struct connection *connection = malloc(sizeof(*connection));
    BENCH_REQUIRE(status == 0 && connection != NULL);
    uv_tcp_init(&loop, &connection->tcp);
    BENCH_REQUIRE(uv_accept(server, (uv_stream_t *)&connection->tcp) == 0);
    uv_tcp_nodelay(&connection->tcp, 1);
    uv_read_start((uv_stream_t *)&connection->tcp, give_buffer, echo);
    accepted++;
}

static uint16_t listen_here(void)
{
    struct sockaddr_in address = loopback(0);
    int length = sizeof(address);
    BENCH_REQUIRE(uv_loop_init(&loop) == 0);
    uv_tcp_init(&loop, &listener);
    BENCH_REQUIRE(uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) == 0);
    BENCH_REQUIRE(uv_listen((uv_stream_t *)&listener, BACKLOG, accept_connection) == 0);
    uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

void uv_server_start(const struct bench_load *load, const char *kind, void (*on_listening)(void))
{
    uint16_t port = listen_here();
    if (on_listening != NULL) {
        on_listening();
    }
    accepted = 0;
    peer = bench_peer_start(kind, port, load);
    while (accepted < load->connections) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    bench_peer_tell(peer);
}

void uv_server_exchange(uint64_t messages)
{
    echoed = 0;
    bench_peer_command(peer, messages);
    while (echoed < messages * BENCH_MESSAGE_BYTES) {
        uv_run(&loop, UV_RUN_ONCE);
    }
}

/* The connections end with the peer, and close themselves. */
void uv_server_stop(void)
{
    bench_peer_stop(peer);
    uv_close((uv_handle_t *)&listener, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    BENCH_REQUIRE(uv_loop_close(&loop) == 0);
}
