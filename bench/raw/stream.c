/* 3: a thread with a blocking socket sends, or receives, blocks of 64 KiB. */
#include "host/socket.h"
#include "sides.h"

#include <unistd.h>

static int fd = -1;
static struct bench_peer *peer;
static char block[BENCH_BLOCK_BYTES];

static void start(const char *kind, const struct bench_load *load)
{
    peer = bench_peer_start(kind, 0, load);
    fd = connect_loopback((uint16_t)bench_peer_tell(peer));
}

static void start_sink(const struct bench_load *load)
{
    start("sink", load);
}

static void start_source(const struct bench_load *load)
{
    start("source", load);
}

static void stop(void)
{
    set_reset_on_close(fd);
    close(fd);
    bench_peer_stop(peer);
}

static void send_blocks(uint64_t blocks)
{
    bench_peer_command(peer, blocks);
    for (; blocks != 0; blocks--) {
        for (size_t done = 0; done < sizeof(block);) {
            ssize_t moved = send(fd, block + done, sizeof(block) - done, 0);
            BENCH_REQUIRE(moved > 0);
            done += (size_t)moved;
        }
    }
    BENCH_REQUIRE(recv(fd, block, 1, 0) == 1);
}

static void receive_blocks(uint64_t blocks)
{
    bench_peer_command(peer, blocks);
    for (uint64_t left = blocks * BENCH_BLOCK_BYTES; left != 0;) {
        ssize_t moved = recv(fd, block, left < sizeof(block) ? left : sizeof(block), 0);
        BENCH_REQUIRE(moved > 0);
        left -= (uint64_t)moved;
    }
}

const struct bench_side raw_stream_send = {"send", start_sink, send_blocks, stop, NULL};
const struct bench_side raw_stream_receive = {"recv", start_source, receive_blocks, stop, NULL};
