#include "base/frames.h"

#if defined(BASE_IS_ADDRESS_SANITIZED)

#include "base/jump.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

struct frames {
    struct frames *next;
    uintptr_t words[];
};

static struct frames *_Atomic all_frames;

/* A loop, for memcpy would be told of the forbidden words between variables. */
BASE_NOT_SANITIZED static void copy(uintptr_t *to, const uintptr_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ((volatile uintptr_t *)to)[i] = ((const volatile uintptr_t *)from)[i];
    }
}

void base_frames_keep(const void *outermost)
{
    base_jump registers; /* some pointers are nowhere else */
    const uintptr_t *from = (const uintptr_t *)__builtin_frame_address(0);
    if (BASE_JUMP_SET(registers) != 0 || (const uintptr_t *)outermost < from) {
        return;
    }
    size_t saved = sizeof(registers) / sizeof(uintptr_t);
    size_t count = (size_t)((const uintptr_t *)outermost - from);
    struct frames *frames = malloc(sizeof(*frames) + (saved + count) * sizeof(uintptr_t));
    if (frames == NULL) {
        return;
    }
    copy(frames->words, (const uintptr_t *)(const void *)&registers, saved);
    copy(frames->words + saved, from, count);
    frames->next = atomic_load(&all_frames);
    while (!atomic_compare_exchange_weak(&all_frames, &frames->next, frames)) {
    }
}

#else

typedef int base_frames_are_kept_nowhere;

#endif
