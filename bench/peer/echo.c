/* echo: listens, tells its port, and sends back what its one connection brings, until it ends. */
#include "host/socket.h"
#include "peer/peer.h"

#include <unistd.h>

void peer_echo(uint16_t port, const struct bench_load *load)
{
    char bytes[BENCH_MESSAGE_BYTES];
    ssize_t moved;
    (void)load;
    int listener = listen_loopback(0, &port);
    peer_tell(port);
    int fd = accept_one(listener);
    while ((moved = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        BENCH_REQUIRE(send(fd, bytes, (size_t)moved, 0) == moved);
    }
}
