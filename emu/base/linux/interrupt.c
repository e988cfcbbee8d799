/*
 * Asking by a signal. One question stands at a time; its state says whether the thread that was
 * asked may still answer, so that one that comes late touches nothing. The signal is one that hosts
 * ignore by default: if it comes after the handler is gone, nothing happens.
 */
#include "base/interrupt.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SIGNAL SIGURG
#define PATIENCE_NS 200000000L
#define NANOSECONDS 1000000000L

/* Whom the question is for, or one of these. */
enum { NOBODY = 0, IS_ANSWERING = -1 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of who asks */
static atomic_int asked;
static sem_t is_answered;
static base_interrupt_question *question_now;
static void *context_now;

static void on_signal(int number)
{
    int kept_errno = errno;
    int me = (int)syscall(SYS_gettid);
    (void)number;
    if (atomic_compare_exchange_strong(&asked, &me, IS_ANSWERING)) {
        question_now(context_now);
        sem_post(&is_answered);
    }
    errno = kept_errno;
}

static bool wait_for_answer(void)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += PATIENCE_NS;
    end.tv_sec += end.tv_nsec / NANOSECONDS;
    end.tv_nsec %= NANOSECONDS;
    int result;
    while ((result = sem_timedwait(&is_answered, &end)) != 0 && errno == EINTR) {
    }
    return result == 0;
}

static bool ask(int thread)
{
    int expected = thread;
    atomic_store(&asked, thread);
    if (syscall(SYS_tgkill, getpid(), thread, SIGNAL) == 0 && wait_for_answer()) {
        return true;
    }
    if (atomic_compare_exchange_strong(&asked, &expected, NOBODY)) {
        return false;
    }
    while (sem_wait(&is_answered) != 0) { /* it is about to */
    }
    return true;
}

static void ask_all(DIR *threads, base_interrupt_answer *answer, void *context)
{
    const struct dirent *entry;
    int me = (int)syscall(SYS_gettid);
    while ((entry = readdir(threads)) != NULL) {
        int thread = atoi(entry->d_name);
        if (thread > 0 && thread != me && ask(thread)) {
            answer(context);
        }
    }
}

bool base_threads_ask(base_interrupt_question *question, base_interrupt_answer *answer,
                      void *context)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction before;
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL) {
        return false;
    }
    sigemptyset(&action.sa_mask);
    pthread_mutex_lock(&lock);
    sem_init(&is_answered, 0, 0);
    question_now = question;
    context_now = context;
    sigaction(SIGNAL, &action, &before);
    ask_all(threads, answer, context);
    sigaction(SIGNAL, &before, NULL);
    sem_destroy(&is_answered);
    pthread_mutex_unlock(&lock);
    closedir(threads);
    return true;
}

bool base_can_ask(void)
{
    return true;
}

uint64_t base_thread_time_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * NANOSECONDS + (uint64_t)used.tv_nsec;
}

bool base_is_traced(void)
{
    static const char key[] = "TracerPid:";
    char line[128];
    bool is_traced = false;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
        if (strncmp(line, key, sizeof(key) - 1) == 0) {
            is_traced = atoi(line + sizeof(key) - 1) != 0;
        }
    }
    if (status != NULL) {
        fclose(status);
    }
    return is_traced;
}
