/* connector: for each command makes so many connections to the port, a few at a time, each closed
 * when the other end has closed it. */
#include "host/socket.h"
#include "peer/peer.h"

#include <sys/epoll.h>
#include <unistd.h>

#define AT_ONCE 16

static void open_one(int epoll, uint16_t port)
{
    struct epoll_event event = {.events = EPOLLIN};
    event.data.fd = connect_loopback(port);
    set_reset_on_close(event.data.fd);
    BENCH_REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event) == 0);
}

static void run(int epoll, uint16_t port, uint64_t count)
{
    struct epoll_event events[AT_ONCE];
    uint64_t opened = 0, closed = 0;
    while (closed < count) {
        for (; opened < count && opened - closed < AT_ONCE; opened++) {
            open_one(epoll, port);
        }
        int ready = epoll_wait(epoll, events, AT_ONCE, -1);
        for (int i = 0; i < ready; i++, closed++) {
            close(events[i].data.fd);
        }
    }
}

void peer_connector(uint16_t port, const struct bench_load *load)
{
    uint64_t count;
    (void)load;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    while (peer_command(&count)) {
        run(epoll, port, count);
    }
}
