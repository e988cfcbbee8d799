/*
 * Frames that a jump leaves behind.
 *
 * LeakSanitizer takes for lost what no running thread's stack points at. A halted kernel stays as
 * it stands, so what the frames of the thread that leaves it held is not lost: they are copied.
 */
#ifndef BASE_FRAMES_H
#define BASE_FRAMES_H

#include "base/sanitize.h"

#if defined(BASE_IS_ADDRESS_SANITIZED)

#define BASE_FRAME_HERE() __builtin_frame_address(0)

/* Keeps the frames between the caller's and the one that began there; until the process ends. */
void base_frames_keep(const void *outermost);

/* A fault leads the calling thread to the stack for signals, away from its own. */
void base_frames_interrupted(const void *stack_pointer);

#else

#define BASE_FRAME_HERE() NULL

static inline void base_frames_keep(const void *outermost)
{
    (void)outermost;
}

static inline void base_frames_interrupted(const void *stack_pointer)
{
    (void)stack_pointer;
}

#endif

#endif
