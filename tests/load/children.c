#include "children.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 16

extern char **environ;

int child_start(const char *program, const char *const *arguments)
{
    char path[4096];
    char *argv[ARGUMENTS_MAX + 2];
    pid_t child;
    int count = 0;
    snprintf(path, sizeof(path), "%s/%s", LOAD_PROGRAMS_DIR, program);
    argv[count++] = path;
    for (int i = 0; arguments[i] != NULL && count <= ARGUMENTS_MAX; i++) {
        argv[count++] = (char *)arguments[i];
    }
    argv[count] = NULL;
    return posix_spawn(&child, path, NULL, NULL, argv, environ) == 0 ? (int)child : -1;
}

bool child_has_ended(int child, int *status)
{
    int raw;
    if (waitpid(child, &raw, WNOHANG) != child) {
        return false;
    }
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return true;
}

unsigned long children_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return (unsigned long)limit.rlim_cur;
}

/* A line of /proc/net/udp: "sl: local:port remote:port ... drops", the port in hexadecimal. */
static long drops_of(char *line, unsigned short port)
{
    unsigned local;
    char *last = strrchr(line, ' ');
    if (sscanf(line, " %*d: %*8[0-9A-Fa-f]:%x", &local) != 1 || local != port || last == NULL) {
        return -1;
    }
    return strtol(last + 1, NULL, 10);
}

long children_udp_drops(unsigned short port)
{
    char line[512];
    long drops = -1;
    FILE *file = fopen("/proc/net/udp", "r");
    if (file == NULL) {
        return -1;
    }
    while (drops < 0 && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        size_t length = strlen(line);
        while (length != 0 && line[length - 1] == ' ') {
            line[--length] = '\0';
        }
        drops = drops_of(line, port);
    }
    fclose(file);
    return drops;
}
