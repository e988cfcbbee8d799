#include "base/thread.h"

#include <stdlib.h>
#include <uv.h>

struct base_thread {
    uv_thread_t host;
};

struct base_thread *base_thread_start(base_thread_routine *routine, void *context)
{
    struct base_thread *thread = calloc(1, sizeof(*thread));
    if (thread == NULL) {
        return NULL;
    }
    if (uv_thread_create(&thread->host, routine, context) != 0) {
        free(thread);
        return NULL;
    }
    return thread;
}

void base_thread_join(struct base_thread *thread)
{
    uv_thread_join(&thread->host);
    free(thread);
}
