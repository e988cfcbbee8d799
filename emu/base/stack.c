#include "base/stack.h"

/* A stack that is deeper is cut off here, so that runaway recursion prints in finite time. */
#define FRAMES_MAX 128

struct print {
    base_stack_printer *printer;
    void *context;
    unsigned frames;
};

static bool print_one(void *context, uintptr_t pc, uintptr_t frame_pointer)
{
    struct print *print = context;
    struct base_stack_frame frame = {0};
    (void)frame_pointer;
    base_stack_name(pc, &frame);
    print->printer(print->context, &frame);
    return ++print->frames == FRAMES_MAX;
}

void base_stack_print(base_stack_printer *printer, void *context)
{
    struct print print = {printer, context, 0};
    base_stack_walk(print_one, &print);
}
