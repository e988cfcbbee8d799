#include "base/stack.h"

#include <stdio.h>

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

struct base_site base_stack_site(const void *return_address)
{
    struct base_site site;
    struct base_stack_frame frame = {0};
    /* A call returns behind itself, which may be the next line. */
    base_stack_name((uintptr_t)return_address - 1, &frame);
    if (frame.function == NULL) {
        snprintf(site.text, sizeof(site.text), "%p", return_address);
    } else if (frame.file == NULL) {
        snprintf(site.text, sizeof(site.text), "%s", frame.function);
    } else {
        snprintf(site.text, sizeof(site.text), "%s at %s:%u", frame.function, frame.file,
                 frame.line);
    }
    return site;
}

struct base_site base_stack_site_of(const void *function)
{
    return base_stack_site((const char *)function + 1);
}

void base_stack_print(base_stack_printer *printer, void *context)
{
    struct print print = {printer, context, 0};
    base_stack_walk(print_one, &print);
}
