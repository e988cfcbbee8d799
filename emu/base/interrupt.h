/*
 * What the other threads of the process do at this moment, asked of them while they do it.
 */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* Called on an interrupted thread, on top of whatever it does: it may look, at what is its own, and
 * write to context. It must take no lock and no memory. */
typedef void base_interrupt_question(void *context);

/* Called on the asking thread after each answer. */
typedef void base_interrupt_answer(void *context);

/*
 * Asks each other thread of the process, one after the other. Those that do not answer soon are
 * left out. Returns false where the host has no way to ask.
 */
bool base_threads_ask(base_interrupt_question *question, base_interrupt_answer *answer,
                      void *context);

/* Whether the host has a way to ask. */
bool base_can_ask(void);

/* Processor time that the calling thread has used; it may be asked in a question. */
uint64_t base_thread_time_ns(void);

/* Whether a debugger has the process. */
bool base_is_traced(void);

#endif
