#include "host/process.h"

#include "host/socket.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 10
#define NUMBER_TEXT 24

extern char **environ;

struct bench_peer {
    pid_t pid;
    int to;
    int from;
};

/* Where this program stands. valgrind answers readlink for it; the link itself leads to valgrind.
 */
static char *own_path(void)
{
    static char path[PATH_MAX];
    if (path[0] == '\0') {
        BENCH_REQUIRE(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
    }
    return path;
}

/* Starts argv[0] with pipes as its standard input (unless to is NULL) and output. is_silent: what
 * it writes as an error goes the same way. */
static pid_t spawn(char *const argv[], int *to, int *from, bool is_silent)
{
    posix_spawn_file_actions_t actions;
    int input[2] = {-1, -1}, output[2];
    pid_t pid;
    BENCH_REQUIRE(pipe2(output, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    if (is_silent) {
        posix_spawn_file_actions_adddup2(&actions, output[1], STDERR_FILENO);
    }
    if (to != NULL) {
        BENCH_REQUIRE(pipe2(input, O_CLOEXEC) == 0);
        posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
        *to = input[1];
    }
    BENCH_REQUIRE(posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    if (to != NULL) {
        close(input[0]);
    }
    *from = output[0];
    return pid;
}

static void await_end(pid_t pid)
{
    int status;
    BENCH_REQUIRE(waitpid(pid, &status, 0) == pid);
    BENCH_REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- peers ---- */

static struct bench_peer *start_peer(char *const argv[])
{
    struct bench_peer *peer = malloc(sizeof(*peer));
    BENCH_REQUIRE(peer != NULL);
    peer->pid = spawn(argv, &peer->to, &peer->from, false);
    return peer;
}

struct bench_peer *bench_apart_start(const struct bench_measurement *measurement, unsigned side)
{
    char *argv[] = {own_path(), "--apart", (char *)(uintptr_t)measurement->name,
                    (char *)(uintptr_t)measurement->sides[side]->name, NULL};
    return start_peer(argv);
}

struct bench_peer *bench_peer_start(const char *kind, uint16_t port, const struct bench_load *load)
{
    char numbers[4][NUMBER_TEXT];
    snprintf(numbers[0], NUMBER_TEXT, "%u", port);
    snprintf(numbers[1], NUMBER_TEXT, "%u", load->connections);
    snprintf(numbers[2], NUMBER_TEXT, "%u", load->depth);
    snprintf(numbers[3], NUMBER_TEXT, "%u", load->rotate);
    char *argv[] = {own_path(), "--peer",   (char *)(uintptr_t)kind,
                    numbers[0], numbers[1], numbers[2],
                    numbers[3], NULL};
    return start_peer(argv);
}

void bench_peer_command(struct bench_peer *peer, uint64_t number)
{
    write_all(peer->to, &number, sizeof(number));
}

uint64_t bench_peer_tell(struct bench_peer *peer)
{
    uint64_t number;
    BENCH_REQUIRE(read_exactly(peer->from, &number, sizeof(number)) == sizeof(number));
    return number;
}

/* A peer ends with its commands. */
void bench_peer_stop(struct bench_peer *peer)
{
    close(peer->to);
    await_end(peer->pid);
    close(peer->from);
    free(peer);
}

/* ---- programs ---- */

void bench_run_program(const char *name)
{
    char folder[PATH_MAX], path[2 * PATH_MAX], text[512];
    int from;
    snprintf(folder, sizeof(folder), "%s", own_path());
    snprintf(path, sizeof(path), "%s/%s", dirname(folder), name);
    char *argv[] = {path, NULL};
    pid_t pid = spawn(argv, NULL, &from, true);
    while (read(from, text, sizeof(text)) > 0) {
        continue;
    }
    close(from);
    await_end(pid);
}

/* ---- one side alone ---- */

struct alone {
    char operations[NUMBER_TEXT];
    char *argv[ARGUMENTS_MAX];
};

static void alone_arguments(struct alone *alone, const struct bench_measurement *measurement,
                            unsigned side, uint64_t operations)
{
    char *argv[] = {own_path(),
                    "--one",
                    (char *)(uintptr_t)measurement->name,
                    (char *)(uintptr_t)measurement->sides[side]->name,
                    alone->operations,
                    NULL};
    snprintf(alone->operations, NUMBER_TEXT, "%llu", (unsigned long long)operations);
    memcpy(alone->argv, argv, sizeof(argv));
}

double bench_run_alone(const struct bench_measurement *measurement, unsigned side,
                       uint64_t operations)
{
    struct alone alone;
    char text[64] = "";
    int from;
    alone_arguments(&alone, measurement, side, operations);
    pid_t pid = spawn(alone.argv, NULL, &from, false);
    read_exactly(from, text, sizeof(text) - 1);
    close(from);
    await_end(pid);
    return strtod(text, NULL);
}

double bench_count_calls(const struct bench_measurement *measurement, unsigned side,
                         uint64_t operations)
{
    struct alone alone;
    alone_arguments(&alone, measurement, side, operations);
    return bench_trace_calls(alone.argv);
}
