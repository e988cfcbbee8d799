/*
 * Call stacks: which function called which, and what a code address is called.
 */
#ifndef BASE_STACK_H
#define BASE_STACK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Called for each stack frame, innermost first. pc is an address inside the frame's call or
 * faulting instruction, frame_pointer what the function has in its frame pointer register. Returns
 * true to stop.
 */
typedef bool base_stack_visitor(void *context, uintptr_t pc, uintptr_t frame_pointer);

/* Walks the calling thread's stack. False if it is damaged: what is beyond cannot be told. */
bool base_stack_walk(base_stack_visitor *visitor, void *context);

/* The host's part of it, which faults where the stack is damaged. */
void base_stack_walk_host(base_stack_visitor *visitor, void *context);

struct base_stack_frame {
    uintptr_t pc;
    const char *function; /* NULL if unknown */
    const char *file;     /* NULL if unknown */
    unsigned line;        /* of file */
    const char *header;   /* of the kernel's, whose inlined function has the address; or NULL */
};

/* Names a code address. The texts live as long as the process. */
void base_stack_name(uintptr_t pc, struct base_stack_frame *frame);

/* A code address as text: "function at file:line", or as much of it as is known. */
struct base_site {
    char text[256];
};

struct base_site base_stack_site(const void *return_address);

/* The same of a function by its address: where it begins. */
struct base_site base_stack_site_of(const void *function);

/* Where the calling thread's stack lies: from low up to, but without, high. */
void base_stack_bounds(uintptr_t *low, uintptr_t *high);

#endif
