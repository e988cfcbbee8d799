/*
 * load: opens its connections to the port, tells how many. For each command it exchanges so many
 * messages: it keeps depth of them on their way on each connection, sending as much as came back;
 * or, with rotate, depth in all, each next one on the next connection that has none on its way.
 *
 * idle: opens its connections, tells how many, and keeps them.
 */
#include "host/socket.h"
#include "peer/peer.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 256
#define READ_BYTES 65536

struct load {
    const struct bench_load *how;
    int *fds;
    bool *is_busy; /* a message is on its way; kept with rotate only */
    int epoll;
    unsigned next;       /* the connection whose turn it is */
    uint64_t unsent;     /* bytes */
    uint64_t unreceived; /* bytes */
};

static char bytes[READ_BYTES];

static int *open_connections(uint16_t port, unsigned count)
{
    int *fds = malloc(count * sizeof(*fds));
    BENCH_REQUIRE(fds != NULL);
    for (unsigned i = 0; i < count; i++) {
        fds[i] = connect_loopback(port);
        set_reset_on_close(fds[i]);
    }
    return fds;
}

static void send_at(struct load *load, int fd, uint64_t length)
{
    if (length > load->unsent) {
        length = load->unsent;
    }
    if (length != 0) {
        write_all(fd, bytes, length);
        load->unsent -= length;
    }
}

static void send_next(struct load *load)
{
    if (load->unsent == 0) {
        return;
    }
    while (load->is_busy[load->next]) {
        load->next = (load->next + 1) % load->how->connections;
    }
    load->is_busy[load->next] = true;
    send_at(load, load->fds[load->next], BENCH_MESSAGE_BYTES);
    load->next = (load->next + 1) % load->how->connections;
}

static void send_first(struct load *load)
{
    if (load->how->rotate) {
        for (unsigned i = 0; i < load->how->depth; i++) {
            send_next(load);
        }
        return;
    }
    for (unsigned i = 0; i < load->how->connections; i++) {
        send_at(load, load->fds[i], (uint64_t)load->how->depth * BENCH_MESSAGE_BYTES);
    }
}

static void answer(struct load *load, unsigned index)
{
    ssize_t moved = recv(load->fds[index], bytes, sizeof(bytes), 0);
    BENCH_REQUIRE(moved > 0 && (uint64_t)moved <= load->unreceived);
    load->unreceived -= (uint64_t)moved;
    if (load->how->rotate) {
        BENCH_REQUIRE(moved == BENCH_MESSAGE_BYTES);
        load->is_busy[index] = false;
        send_next(load);
    } else {
        send_at(load, load->fds[index], (uint64_t)moved);
    }
}

static void exchange(struct load *load, uint64_t messages)
{
    struct epoll_event events[EVENTS];
    load->unsent = load->unreceived = messages * BENCH_MESSAGE_BYTES;
    send_first(load);
    while (load->unreceived != 0) {
        int count = epoll_wait(load->epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            answer(load, events[i].data.u32);
        }
    }
}

void peer_load(uint16_t port, const struct bench_load *how)
{
    struct load load = {.how = how, .fds = open_connections(port, how->connections)};
    uint64_t messages;
    load.is_busy = calloc(how->connections, sizeof(*load.is_busy));
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < how->connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        BENCH_REQUIRE(epoll_ctl(load.epoll, EPOLL_CTL_ADD, load.fds[i], &event) == 0);
    }
    peer_tell(how->connections);
    while (peer_command(&messages)) {
        exchange(&load, messages);
    }
}

void peer_idle(uint16_t port, const struct bench_load *load)
{
    uint64_t number;
    open_connections(port, load->connections);
    peer_tell(load->connections);
    while (peer_command(&number)) {
        continue;
    }
}
