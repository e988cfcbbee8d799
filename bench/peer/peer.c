#include "peer/peer.h"

#include "host/process.h"
#include "host/socket.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *kind;
    void (*run)(uint16_t port, const struct bench_load *load);
} peers[] = {
    {"echo", peer_echo},           {"sink", peer_sink}, {"source", peer_source},
    {"load", peer_load},           {"idle", peer_idle}, {"datagrams", peer_datagrams},
    {"connector", peer_connector},
};

bool peer_command(uint64_t *number)
{
    return read_exactly(STDIN_FILENO, number, sizeof(*number)) == sizeof(*number);
}

void peer_tell(uint64_t number)
{
    write_all(STDOUT_FILENO, &number, sizeof(number));
}

/* PROGRAM --peer KIND PORT CONNECTIONS DEPTH ROTATE */
int bench_peer_main(int argc, char **argv)
{
    BENCH_REQUIRE(argc == 7);
    uint16_t port = (uint16_t)atoi(argv[3]);
    struct bench_load load = {.connections = (unsigned)atoi(argv[4]),
                              .depth = (unsigned)atoi(argv[5]),
                              .rotate = atoi(argv[6]) != 0};
    for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
        if (strcmp(peers[i].kind, argv[2]) == 0) {
            peers[i].run(port, &load);
            return 0;
        }
    }
    bench_fail(__FILE__, __LINE__, argv[2]);
}
