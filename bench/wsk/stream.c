/* 3: a thread sends, or receives, blocks of 64 KiB and waits for each. */
#include "sides.h"
#include "wsk/end.h"

static struct end end;
static struct call call;
static PWSK_SOCKET connection;
static struct bench_peer *peer;
static UCHAR block[BENCH_BLOCK_BYTES];

static void start(const char *kind, const struct bench_load *load)
{
    kernel_start();
    end_open(&end);
    call_open(&call, block, sizeof(block));
    peer = bench_peer_start(kind, 0, load);
    connection = open_connection(&end, (USHORT)bench_peer_tell(peer));
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
    close_socket(connection);
    bench_peer_stop(peer);
    call_close(&call);
    end_close(&end);
    kernel_stop();
}

static void send_blocks(uint64_t blocks)
{
    bench_peer_command(peer, blocks);
    for (; blocks != 0; blocks--) {
        send_all(&call, connection, sizeof(block));
    }
    BENCH_REQUIRE(receive_some(&call, connection, 1) == 1);
}

static void receive_blocks(uint64_t blocks)
{
    bench_peer_command(peer, blocks);
    for (uint64_t left = blocks * BENCH_BLOCK_BYTES; left != 0;) {
        ULONG moved = receive_some(&call, connection,
                                   left < sizeof(block) ? (ULONG)left : (ULONG)sizeof(block));
        BENCH_REQUIRE(moved != 0);
        left -= moved;
    }
}

const struct bench_side emu_stream_send = {"wskemu", start_sink, send_blocks, stop, NULL};
const struct bench_side emu_stream_receive = {"wskemu", start_source, receive_blocks, stop, NULL};
