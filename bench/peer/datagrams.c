/*
 * datagrams: for each command sends so many datagrams to the port, a multiple of BENCH_BURST: two
 * bursts at once, one more for each datagram that comes back. So none is lost.
 */
#include "host/socket.h"
#include "peer/peer.h"

#include <unistd.h>

static void send_burst(int fd, uint64_t *left)
{
    static char bytes[BENCH_MESSAGE_BYTES];
    static struct iovec piece = {bytes, sizeof(bytes)};
    struct mmsghdr messages[BENCH_BURST] = {{{0}, 0}};
    if (*left == 0) {
        return;
    }
    for (unsigned i = 0; i < BENCH_BURST; i++) {
        messages[i].msg_hdr.msg_iov = &piece;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    BENCH_REQUIRE(sendmmsg(fd, messages, BENCH_BURST, 0) == BENCH_BURST);
    *left -= BENCH_BURST;
}

void peer_datagrams(uint16_t port, const struct bench_load *load)
{
    struct sockaddr_in address = loopback(port);
    uint16_t own;
    uint64_t count;
    char credit;
    (void)load;
    int fd = bind_datagram(0, &own);
    BENCH_REQUIRE(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    while (peer_command(&count)) {
        uint64_t left = count;
        send_burst(fd, &left);
        send_burst(fd, &left);
        for (uint64_t credits = count / BENCH_BURST; credits != 0; credits--) {
            BENCH_REQUIRE(recv(fd, &credit, 1, 0) == 1);
            send_burst(fd, &left);
        }
    }
}
