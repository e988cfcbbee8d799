#include "base/interrupt.h"

/* A thread can be stopped here, but not made to look at what is its own. */
bool base_threads_ask(base_interrupt_question *question, base_interrupt_answer *answer,
                      void *context)
{
    (void)question;
    (void)answer;
    (void)context;
    return false;
}

bool base_can_ask(void)
{
    return false;
}

uint64_t base_thread_time_ns(void)
{
    return 0;
}

bool base_is_traced(void)
{
    return false;
}
