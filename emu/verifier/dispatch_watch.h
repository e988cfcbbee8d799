/* Routines that keep a processor at DISPATCH_LEVEL. See dispatch_watch.c. */
#ifndef VERIFIER_DISPATCH_WATCH_H
#define VERIFIER_DISPATCH_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>

struct base_park;
struct base_thread;
struct ke_kernel;

struct verifier_dispatch_watch {
    struct ke_kernel *kernel;
    struct base_thread *thread; /* NULL: nobody watches */
    struct base_park *park;
    atomic_bool is_over;
};

/* Begins to watch the kernel, unless hangs are not to be told. */
void verifier_dispatch_watch_start(struct verifier_dispatch_watch *watch, struct ke_kernel *kernel);

/* When the kernel goes. */
void verifier_dispatch_watch_stop(struct verifier_dispatch_watch *watch);

#endif
