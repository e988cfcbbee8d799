/*
 * udp_client PORT DATAGRAMS: sends so many datagrams to 127.0.0.1, each with its number, as fast as
 * they go. Exit status 0 if the host took them all.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_BYTES 64
#define BATCH 32

struct batch {
    unsigned char bytes[BATCH][DATAGRAM_BYTES];
    struct iovec pieces[BATCH];
    struct mmsghdr messages[BATCH];
};

static void prepare(struct batch *batch, struct sockaddr_in *server)
{
    memset(batch, 0, sizeof(*batch));
    for (int i = 0; i < BATCH; i++) {
        batch->pieces[i].iov_base = batch->bytes[i];
        batch->pieces[i].iov_len = DATAGRAM_BYTES;
        batch->messages[i].msg_hdr.msg_iov = &batch->pieces[i];
        batch->messages[i].msg_hdr.msg_iovlen = 1;
        batch->messages[i].msg_hdr.msg_name = server;
        batch->messages[i].msg_hdr.msg_namelen = sizeof(*server);
    }
}

int main(int argc, char **argv)
{
    static struct batch batch;
    struct sockaddr_in server = {.sin_family = AF_INET};
    if (argc != 3) {
        fprintf(stderr, "usage: udp_client PORT DATAGRAMS\n");
        return 2;
    }
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    uint32_t count = (uint32_t)strtoul(argv[2], NULL, 10);
    int sock = socket(AF_INET, SOCK_DGRAM, 0);
    prepare(&batch, &server);
    for (uint32_t next = 0; next < count;) {
        unsigned length = count - next < BATCH ? count - next : BATCH;
        for (unsigned i = 0; i < length; i++) {
            uint32_t number = next + i;
            memcpy(batch.bytes[i], &number, sizeof(number));
        }
        int sent = sendmmsg(sock, batch.messages, length, 0);
        if (sent < 0 && errno != EINTR && errno != EAGAIN && errno != ENOBUFS) {
            fprintf(stderr, "udp_client: send: %s\n", strerror(errno));
            return 1;
        }
        next += sent > 0 ? (uint32_t)sent : 0;
    }
    close(sock);
    return 0;
}
