#include "raw/waiter.h"

#include <pthread.h>
#include <semaphore.h>

static pthread_t thread;
static sem_t end;
static bool is_running;

static void *wait_for_end(void *context)
{
    sem_wait(&end);
    return context;
}

void waiter_start(const struct bench_load *load)
{
    is_running = load->has_waiter;
    if (is_running) {
        sem_init(&end, 0, 0);
        BENCH_REQUIRE(pthread_create(&thread, NULL, wait_for_end, NULL) == 0);
    }
}

void waiter_stop(void)
{
    if (is_running) {
        sem_post(&end);
        pthread_join(thread, NULL);
    }
}
