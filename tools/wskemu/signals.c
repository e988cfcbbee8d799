#include "signals.h"

#ifdef _WIN32

void signals_block(void)
{
    /* A thread of the host's own tells of Ctrl-C. */
}

void signals_unblock(void)
{
}

#else

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

static void change(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(how, &set, NULL);
}

void signals_block(void)
{
    change(SIG_BLOCK);
}

void signals_unblock(void)
{
    change(SIG_UNBLOCK);
}

#endif
