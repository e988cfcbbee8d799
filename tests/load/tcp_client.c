/*
 * tcp_client PORT CONNECTIONS MESSAGES: opens so many connections to 127.0.0.1, holds them all open
 * at once, sends so many messages of 64 bytes over each, one after the other, and checks that each
 * comes back as it went. Exit status 0 if all did.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_BYTES 64
#define EVENTS_MAX 256
/* Connections that are under way at once, so that the listener's queue does not overflow. */
#define CONNECTING_MAX 256

struct connection {
    int socket;
    int is_connected;
    unsigned round;
    unsigned received;
    unsigned char expected[MESSAGE_BYTES];
};

struct client {
    int epoll;
    struct sockaddr_in server;
    struct connection *connections;
    unsigned count;
    unsigned started;
    unsigned connected;
    unsigned finished;
    unsigned rounds;
};

static void fail(const char *what)
{
    fprintf(stderr, "tcp_client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void send_message(struct client *client, struct connection *connection)
{
    uint32_t seed = (uint32_t)(connection - client->connections) * 2654435761U + connection->round;
    for (unsigned i = 0; i < MESSAGE_BYTES; i++) {
        seed = seed * 1664525 + 1013904223;
        connection->expected[i] = (unsigned char)(seed >> 24);
    }
    connection->received = 0;
    if (send(connection->socket, connection->expected, MESSAGE_BYTES, MSG_NOSIGNAL) !=
        MESSAGE_BYTES) {
        fail("send");
    }
}

static void start_one(struct client *client)
{
    struct connection *connection = &client->connections[client->started++];
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
    int on = 1;
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connection->socket < 0) {
        fail("socket");
    }
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(connection->socket, (struct sockaddr *)&client->server, sizeof(client->server)) !=
            0 &&
        errno != EINPROGRESS) {
        fail("connect");
    }
    if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, connection->socket, &event) != 0) {
        fail("epoll_ctl");
    }
}

/* All are connected: every one of them begins. */
static void begin_all(struct client *client)
{
    for (unsigned i = 0; i < client->count; i++) {
        send_message(client, &client->connections[i]);
    }
}

static void on_connected(struct client *client, struct connection *connection)
{
    int error = 0;
    socklen_t length = sizeof(error);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    getsockopt(connection->socket, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
        errno = error;
        fail("connect");
    }
    connection->is_connected = 1;
    epoll_ctl(client->epoll, EPOLL_CTL_MOD, connection->socket, &event);
    if (++client->connected == client->count) {
        begin_all(client);
    } else if (client->started < client->count) {
        start_one(client);
    }
}

static void on_message(struct client *client, struct connection *connection)
{
    if (++connection->round == client->rounds) {
        client->finished++;
        return;
    }
    send_message(client, connection);
}

static void on_readable(struct client *client, struct connection *connection)
{
    unsigned char bytes[MESSAGE_BYTES];
    ssize_t got = recv(connection->socket, bytes, MESSAGE_BYTES - connection->received, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        fail("the connection ended early");
    }
    if (memcmp(bytes, connection->expected + connection->received, (size_t)got) != 0) {
        fail("other bytes came back");
    }
    connection->received += (unsigned)got;
    if (connection->received == MESSAGE_BYTES) {
        on_message(client, connection);
    }
}

static void run(struct client *client)
{
    struct epoll_event events[EVENTS_MAX];
    while (client->started < client->count && client->started < CONNECTING_MAX) {
        start_one(client);
    }
    while (client->finished < client->count) {
        int count = epoll_wait(client->epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection->is_connected) {
                on_readable(client, connection);
            } else {
                on_connected(client, connection);
            }
        }
    }
}

int main(int argc, char **argv)
{
    struct client client = {0};
    if (argc != 4) {
        fprintf(stderr, "usage: tcp_client PORT CONNECTIONS MESSAGES\n");
        return 2;
    }
    client.server.sin_family = AF_INET;
    client.server.sin_port = htons((uint16_t)atoi(argv[1]));
    client.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client.count = (unsigned)atoi(argv[2]);
    client.rounds = (unsigned)atoi(argv[3]);
    client.connections = calloc(client.count, sizeof(*client.connections));
    client.epoll = epoll_create1(0);
    if (client.connections == NULL || client.epoll < 0) {
        fail("start");
    }
    run(&client);
    for (unsigned i = 0; i < client.count; i++) {
        close(client.connections[i].socket);
    }
    free(client.connections);
    close(client.epoll);
    return 0;
}
