/*
 * Memory that cannot be any more what a driver gave, for those who come back to it: on the stack of
 * a thread that has ended, below the frames of the calling thread, or, at level full, in a block
 * that was freed.
 */
#include "verifier/gone.h"

#include "base/stack.h"
#include "ex/guarded.h"
#include "ex/pool.h"
#include "verifier/fault.h"
#include "verifier/level.h"

static bool is_below_frames(ULONG_PTR address)
{
    uintptr_t low;
    uintptr_t high;
    base_stack_bounds(&low, &high);
    return address >= low && address < (uintptr_t)__builtin_frame_address(0);
}

static bool is_freed(const void *address)
{
    struct ex_guarded block;
    return verifier_is_full() && ex_guarded_find(address, &block) == EX_GUARDED_FREED;
}

/* The host gives the memory of stacks to others, pool among them. */
static bool is_on_ended_stack(const void *address)
{
    struct ex_pool_info block;
    return verifier_is_on_ended_stack((ULONG_PTR)address) && !ex_pool_find(address, &block);
}

const char *verifier_gone(const void *address)
{
    if (address == NULL || !verifier_is_on()) {
        return NULL;
    }
    if (is_freed(address)) {
        return "in a block that was freed"; /* be it where a stack was once */
    }
    if (is_on_ended_stack(address)) {
        return "on the stack of a thread that has ended";
    }
    return is_below_frames((ULONG_PTR)address)
               ? "in the stack frame of a function that has returned"
               : NULL;
}
