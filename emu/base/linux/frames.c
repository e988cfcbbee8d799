#include "base/frames.h"

#if defined(BASE_IS_ADDRESS_SANITIZED)

#include "base/jump.h"
#include "base/memory.h"
#include "base/pages.h"
#include "base/stack.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

struct frames {
    struct frames *next;
    uintptr_t words[];
};

static struct frames *_Atomic all_frames;

/* Where the stack ended when a fault led away from it. */
static _Thread_local const void *interrupted;

/* An exhausted stack ends above the stack pointer. */
void base_frames_interrupted(const void *stack_pointer)
{
    const char *first = stack_pointer;
    uintptr_t low;
    uintptr_t high;
    base_stack_bounds(&low, &high);
    while ((uintptr_t)first < high && !base_memory_is_readable(first)) {
        first += BASE_PAGE_BYTES - (uintptr_t)first % BASE_PAGE_BYTES;
    }
    interrupted = first;
}

/* A loop, for memcpy would be told of the forbidden words between variables. */
BASE_NOT_SANITIZED static void copy(uintptr_t *to, const uintptr_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ((volatile uintptr_t *)to)[i] = ((const volatile uintptr_t *)from)[i];
    }
}

static void keep(const void *begin, const void *end)
{
    size_t count = (size_t)((const uintptr_t *)end - (const uintptr_t *)begin);
    struct frames *frames = malloc(sizeof(*frames) + count * sizeof(uintptr_t));
    if (frames == NULL) {
        return;
    }
    copy(frames->words, begin, count);
    frames->next = atomic_load(&all_frames);
    while (!atomic_compare_exchange_weak(&all_frames, &frames->next, frames)) {
    }
}

void base_frames_keep(const void *outermost)
{
    base_jump registers; /* some pointers are nowhere else */
    stack_t signals;
    const void *here = __builtin_frame_address(0);
    if (BASE_JUMP_SET(registers) != 0 || sigaltstack(NULL, &signals) != 0) {
        return;
    }
    keep(&registers, &registers + 1);
    if ((signals.ss_flags & SS_ONSTACK) != 0) {
        keep(here, (const char *)signals.ss_sp + signals.ss_size);
        here = interrupted;
    }
    if (here < outermost) {
        keep(here, outermost);
    }
}

#else

typedef int base_frames_are_not_kept;

#endif
