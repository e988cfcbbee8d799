#include "bench.h"
#include "host/socket.h"

#include <unistd.h>

#define SENDERS_MAX 3

static int holes[SENDERS_MAX];
static unsigned count;

uint16_t bench_datagram_hole_open(void)
{
    uint16_t port;
    BENCH_REQUIRE(count < SENDERS_MAX);
    holes[count++] = bind_datagram(0, &port);
    return port;
}

void bench_datagram_hole_close(void)
{
    close(holes[--count]);
}
