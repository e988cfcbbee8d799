/* Host threads. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>
#include <stddef.h>

struct base_thread;

typedef void base_thread_routine(void *context);

/* Starts a thread that runs routine(context); NULL when the host refuses. */
struct base_thread *base_thread_start(base_thread_routine *routine, void *context);

/* Waits for the thread's end and frees the record. */
void base_thread_join(struct base_thread *thread);

#endif
