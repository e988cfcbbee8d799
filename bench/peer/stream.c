/*
 * sink: listens, tells its port; for each command reads so many blocks from its one connection,
 * then sends one byte back. source: the same the other way: for each command it writes so many
 * blocks.
 */
#include "host/socket.h"
#include "peer/peer.h"

#include <unistd.h>

static char block[4 * BENCH_BLOCK_BYTES];

static int accept_told(void)
{
    uint16_t port;
    int listener = listen_loopback(0, &port);
    peer_tell(port);
    return accept_one(listener);
}

static void drain(int fd, uint64_t bytes)
{
    while (bytes != 0) {
        ssize_t moved = recv(fd, block, bytes < sizeof(block) ? bytes : sizeof(block), 0);
        BENCH_REQUIRE(moved > 0);
        bytes -= (uint64_t)moved;
    }
}

void peer_sink(uint16_t port, const struct bench_load *load)
{
    uint64_t blocks;
    (void)port, (void)load;
    int fd = accept_told();
    while (peer_command(&blocks)) {
        drain(fd, blocks * BENCH_BLOCK_BYTES);
        write_all(fd, block, 1);
    }
}

void peer_source(uint16_t port, const struct bench_load *load)
{
    uint64_t blocks;
    (void)port, (void)load;
    int fd = accept_told();
    while (peer_command(&blocks)) {
        for (; blocks != 0; blocks--) {
            write_all(fd, block, BENCH_BLOCK_BYTES);
        }
    }
}
