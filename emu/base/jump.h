/*
 * Leaving frames without a word to them: setjmp and longjmp, without the signal mask and, on
 * Windows, without an unwind through the system.
 */
#ifndef BASE_JUMP_H
#define BASE_JUMP_H

#include <setjmp.h>

#if defined(_MSC_VER)
/* Without a frame noted, longjmp restores registers only. */
typedef jmp_buf base_jump;
#define BASE_JUMP_SET(jump) (setjmp(jump) != 0 || (((_JUMP_BUFFER *)(void *)(jump))->Frame = 0, 0))
#define BASE_JUMP_TO(jump) longjmp(jump, 1)
#elif defined(_WIN32)
typedef jmp_buf base_jump;
#define BASE_JUMP_SET(jump) _setjmp(jump, NULL)
#define BASE_JUMP_TO(jump) longjmp(jump, 1)
#else
typedef sigjmp_buf base_jump;
#define BASE_JUMP_SET(jump) sigsetjmp(jump, 0)
#define BASE_JUMP_TO(jump) siglongjmp(jump, 1)
#endif

#endif
