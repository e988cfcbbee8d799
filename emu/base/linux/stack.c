#include "base/stack.h"

#include <pthread.h>
#include <stdlib.h>
#include <unwind.h>

/* The frame pointer's number in the x86-64 unwind tables. */
#define REGISTER_RBP 6

struct walk {
    base_stack_visitor *visitor;
    void *context;
    bool is_first; /* the frame of base_stack_walk_host itself is not reported */
};

static _Unwind_Reason_Code step(struct _Unwind_Context *frame, void *context)
{
    struct walk *walk = context;
    int is_before_instruction = 0;
    uintptr_t pc = _Unwind_GetIPInfo(frame, &is_before_instruction);
    uintptr_t frame_pointer = _Unwind_GetGR(frame, REGISTER_RBP);
    if (walk->is_first) {
        walk->is_first = false;
        return _URC_NO_REASON;
    }
    /* A return address may be the first byte of what follows the calling function or block. */
    pc -= is_before_instruction ? 0 : 1;
    return walk->visitor(walk->context, pc, frame_pointer) ? _URC_END_OF_STACK : _URC_NO_REASON;
}

void base_stack_walk_host(base_stack_visitor *visitor, void *context)
{
    struct walk walk = {visitor, context, true};
    _Unwind_Backtrace(step, &walk);
}

void base_stack_bounds(uintptr_t *low, uintptr_t *high)
{
    static _Thread_local uintptr_t known_low;
    static _Thread_local uintptr_t known_high;
    pthread_attr_t attributes;
    void *address = NULL;
    size_t size = 0;
    if (known_high == 0) {
        if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
            abort();
        }
        if (pthread_attr_getstack(&attributes, &address, &size) != 0) {
            abort();
        }
        pthread_attr_destroy(&attributes);
        known_low = (uintptr_t)address;
        known_high = known_low + size;
    }
    *low = known_low;
    *high = known_high;
}
