/* wskemu: runs a WSK driver as a program, and shows what it did. */
#include "command.h"

#include <string.h>

struct entry {
    const char *name;
    command_function *function;
    const char *text;
};

static const struct entry entries[] = {
    {"build", command_build, "makes a loadable driver of one source file"},
    {"run", command_run, "loads drivers and keeps them running"},
    {"status", command_status, "says what a running driver has: sockets, IRPs, threads, pool"},
    {"ioctl", command_ioctl, "sends a control to a running driver's device"},
    {"session", command_session, "has a user session come, go or change for a running driver"},
    {"trace", command_trace, "shows a trace as text, in Perfetto, as a page or to Wireshark"},
};

#define ENTRY_COUNT (sizeof(entries) / sizeof(entries[0]))

static void print_usage(FILE *to)
{
    fprintf(to, "usage: wskemu COMMAND [ARGUMENT...]\n\n");
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        fprintf(to, "  %-9s %s\n", entries[i].name, entries[i].text);
    }
    fprintf(to, "\nwskemu COMMAND --help says more. A first driver:\n\n"
                "  wskemu build echo.c && wskemu run echo\n");
}

int main(int count, char **arguments)
{
    if (count < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    const char *name = arguments[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout);
        return EXIT_CLEAN;
    }
    if (strcmp(name, "--version") == 0) {
        puts("wskemu " WSKEMU_VERSION);
        return EXIT_CLEAN;
    }
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        if (strcmp(name, entries[i].name) == 0) {
            return entries[i].function(count - 1, arguments + 1);
        }
    }
    command_complain("no command named %s\n", name);
    print_usage(stderr);
    return EXIT_USAGE;
}
