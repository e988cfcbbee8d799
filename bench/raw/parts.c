/* 6: what comes nearest to the kernel's parts in a plain program. */
#include "sides.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <uv.h>

#define IRP_BYTES 280 /* with one stack location */
#define POOL_BYTES 256

static void start_nothing(const struct bench_load *load)
{
    (void)load;
}

static void stop_nothing(void)
{
}

/* ---- memory ---- */

static void *volatile kept;
static volatile unsigned called;

static void complete(void *request)
{
    kept = request;
    called++;
}

static void (*volatile routine)(void *) = complete;

static void request(uint64_t operations)
{
    for (; operations != 0; operations--) {
        void *memory = malloc(IRP_BYTES);
        routine(memory);
        free(memory);
    }
}

static void allocate(uint64_t operations)
{
    for (; operations != 0; operations--) {
        kept = calloc(1, POOL_BYTES);
        free(kept);
    }
}

const struct bench_side raw_irp = {"malloc", start_nothing, request, stop_nothing, NULL};
const struct bench_side raw_pool = {"calloc", start_nothing, allocate, stop_nothing, NULL};

/* ---- two threads ---- */

static sem_t there, back;
static pthread_t thread;
static volatile bool is_ending;

static void *answer(void *context)
{
    for (;;) {
        sem_wait(&there);
        if (is_ending) {
            return context;
        }
        sem_post(&back);
    }
}

static void start_event(const struct bench_load *load)
{
    (void)load;
    is_ending = false;
    sem_init(&there, 0, 0);
    sem_init(&back, 0, 0);
    BENCH_REQUIRE(pthread_create(&thread, NULL, answer, NULL) == 0);
}

static void ask(uint64_t operations)
{
    for (; operations != 0; operations--) {
        sem_post(&there);
        sem_wait(&back);
    }
}

static void stop_event(void)
{
    is_ending = true;
    sem_post(&there);
    pthread_join(thread, NULL);
}

const struct bench_side raw_event = {"semaphores", start_event, ask, stop_event, NULL};

/* ---- locks and queues ---- */

static pthread_spinlock_t spin_lock;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void start_spin_lock(const struct bench_load *load)
{
    (void)load;
    pthread_spin_init(&spin_lock, PTHREAD_PROCESS_PRIVATE);
}

static void lock(uint64_t operations)
{
    for (; operations != 0; operations--) {
        pthread_spin_lock(&spin_lock);
        pthread_spin_unlock(&spin_lock);
    }
}

struct item {
    struct item *next;
    void (*run)(void *);
};

static struct item *volatile first;

static void queue_and_call(uint64_t operations)
{
    struct item item = {NULL, routine};
    for (; operations != 0; operations--) {
        pthread_mutex_lock(&mutex);
        item.next = first;
        first = &item;
        pthread_mutex_unlock(&mutex);
        pthread_mutex_lock(&mutex);
        struct item *taken = first;
        first = taken->next;
        pthread_mutex_unlock(&mutex);
        taken->run(NULL);
    }
}

const struct bench_side raw_spin_lock = {"pthread", start_spin_lock, lock, stop_nothing, NULL};
const struct bench_side raw_dpc = {"mutex", start_nothing, queue_and_call, stop_nothing, NULL};

/* ---- timers ---- */

static uv_loop_t loop;
static uv_timer_t one;

static void expire(uv_timer_t *handle)
{
    (void)handle;
}

static void start_timer(const struct bench_load *load)
{
    (void)load;
    BENCH_REQUIRE(uv_loop_init(&loop) == 0);
    uv_timer_init(&loop, &one);
}

static void set_and_cancel(uint64_t operations)
{
    for (; operations != 0; operations--) {
        uv_timer_start(&one, expire, 10000, 0);
        uv_timer_stop(&one);
    }
}

static void stop_timer(void)
{
    uv_close((uv_handle_t *)&one, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

const struct bench_side uv_timer = {"libuv", start_timer, set_and_cancel, stop_timer, NULL};
