/* 4: 64-byte datagrams, one a call, and several a call. */
#include "host/socket.h"
#include "sides.h"

#include <string.h>
#include <unistd.h>

#define LIST_MAX 64

/* One side's; the two of a measurement run side by side. */
struct end {
    int fd;
    struct sockaddr_in hole; /* of one that sends */
    struct bench_peer *peer; /* of one that receives */
    unsigned list;
};

static struct end each, lists; /* one datagram a call, a list a call */

static void fill(struct mmsghdr *messages, struct iovec *piece, struct sockaddr_in *addresses)
{
    memset(messages, 0, LIST_MAX * sizeof(*messages));
    for (unsigned i = 0; i < LIST_MAX; i++) {
        messages[i].msg_hdr.msg_name = &addresses[i];
        messages[i].msg_hdr.msg_namelen = sizeof(addresses[i]);
        messages[i].msg_hdr.msg_iov = piece;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
}

/* ---- sending ---- */

static void open_sender(struct end *end, const struct bench_load *load)
{
    uint16_t port;
    end->hole = loopback(bench_datagram_hole_open());
    end->fd = bind_datagram(0, &port);
    end->list = load->list;
}

static void close_sender(struct end *end)
{
    close(end->fd);
    bench_datagram_hole_close();
}

static void start_send_each(const struct bench_load *load)
{
    open_sender(&each, load);
}

static void start_send_lists(const struct bench_load *load)
{
    open_sender(&lists, load);
}

static void stop_send_each(void)
{
    close_sender(&each);
}

static void stop_send_lists(void)
{
    close_sender(&lists);
}

static void send_each(uint64_t operations)
{
    char bytes[BENCH_MESSAGE_BYTES] = {0};
    for (; operations != 0; operations--) {
        BENCH_REQUIRE(sendto(each.fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&each.hole,
                             sizeof(each.hole)) == sizeof(bytes));
    }
}

static void send_lists(uint64_t operations)
{
    char bytes[BENCH_MESSAGE_BYTES] = {0};
    struct mmsghdr messages[LIST_MAX];
    struct sockaddr_in addresses[LIST_MAX];
    struct iovec piece = {bytes, sizeof(bytes)};
    fill(messages, &piece, addresses);
    for (unsigned i = 0; i < LIST_MAX; i++) {
        addresses[i] = lists.hole;
    }
    for (uint64_t done = 0; done < operations; done += lists.list) {
        BENCH_REQUIRE(sendmmsg(lists.fd, messages, lists.list, 0) == (int)lists.list);
    }
}

const struct bench_side raw_sendto = {"sendto", start_send_each, send_each, stop_send_each, NULL};
const struct bench_side raw_sendmmsg = {"sendmmsg", start_send_lists, send_lists, stop_send_lists,
                                        NULL};

/* ---- receiving ---- */

static void open_receiver(struct end *end, const struct bench_load *load)
{
    uint16_t port;
    end->fd = bind_datagram(0, &port);
    end->list = load->list;
    end->peer = bench_peer_start("datagrams", port, load);
}

static void close_receiver(struct end *end)
{
    bench_peer_stop(end->peer);
    close(end->fd);
}

static void start_receive_each(const struct bench_load *load)
{
    open_receiver(&each, load);
}

static void start_receive_lists(const struct bench_load *load)
{
    open_receiver(&lists, load);
}

static void stop_receive_each(void)
{
    close_receiver(&each);
}

static void stop_receive_lists(void)
{
    close_receiver(&lists);
}

static void grant(int fd, const struct sockaddr_in *to)
{
    BENCH_REQUIRE(sendto(fd, "", 1, 0, (const struct sockaddr *)to, sizeof(*to)) == 1);
}

static void receive_each(uint64_t operations)
{
    char bytes[BENCH_MESSAGE_BYTES];
    struct sockaddr_in from;
    bench_peer_command(each.peer, operations);
    for (uint64_t done = 1; done <= operations; done++) {
        socklen_t length = sizeof(from);
        BENCH_REQUIRE(recvfrom(each.fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from,
                               &length) == sizeof(bytes));
        if (done % BENCH_BURST == 0) {
            grant(each.fd, &from);
        }
    }
}

static void receive_lists(uint64_t operations)
{
    char bytes[BENCH_MESSAGE_BYTES];
    struct mmsghdr messages[LIST_MAX];
    struct sockaddr_in addresses[LIST_MAX];
    struct iovec piece = {bytes, sizeof(bytes)};
    uint64_t done = 0, granted = 0;
    fill(messages, &piece, addresses);
    bench_peer_command(lists.peer, operations);
    while (done < operations) {
        int count = recvmmsg(lists.fd, messages, lists.list, MSG_WAITFORONE, NULL);
        BENCH_REQUIRE(count > 0);
        for (done += (unsigned)count; granted < done / BENCH_BURST; granted++) {
            grant(lists.fd, &addresses[0]);
        }
    }
}

const struct bench_side raw_recvfrom = {"recvfrom", start_receive_each, receive_each,
                                        stop_receive_each, NULL};
const struct bench_side raw_recvmmsg = {"recvmmsg", start_receive_lists, receive_lists,
                                        stop_receive_lists, NULL};
