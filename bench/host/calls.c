/*
 * Counts the system calls of a process and its threads, as strace does: the process stops at each
 * entry and each exit, and this counts the entries. Processes that it starts are not followed.
 * Slow, so nothing is timed meanwhile.
 */
#include "host/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSTEM_CALL_STOP (SIGTRAP | 0x80)

static pid_t start_traced(char *const argv[])
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDOUT_FILENO);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0) {
            _exit(1);
        }
        execv(argv[0], argv);
        _exit(1);
    }
    return pid;
}

/* What to pass on to a stopped thread: no signal at stops that the tracer made. */
static long signal_of(int status)
{
    int number = WSTOPSIG(status);
    bool is_ours = number == SYSTEM_CALL_STOP || number == SIGTRAP || number == SIGSTOP;
    return is_ours ? 0 : number;
}

double bench_trace_calls(char *const argv[])
{
    uint64_t stops = 0;
    int status;
    pid_t first = start_traced(argv);
    if (first < 0 || waitpid(first, &status, 0) != first || !WIFSTOPPED(status)) {
        return -1;
    }
    ptrace(PTRACE_SETOPTIONS, first, NULL,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
    ptrace(PTRACE_SYSCALL, first, NULL, NULL);
    for (;;) {
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0 || (thread == first && !WIFSTOPPED(status))) {
            break;
        }
        if (WIFSTOPPED(status)) {
            stops += WSTOPSIG(status) == SYSTEM_CALL_STOP;
            ptrace(PTRACE_SYSCALL, thread, NULL, signal_of(status));
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? (double)stops / 2 : -1;
}
