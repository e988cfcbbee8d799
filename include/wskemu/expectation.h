/*
 * wskemu_catch_bugcheck() in pieces, for a test framework whose body is a statement:
 *
 *     struct wskemu_expectation *expectation = wskemu_expect_begin();
 *     if (WSKEMU_JUMP_SET(*wskemu_expect_jump(expectation)) == 0) {
 *         statement;
 *         wskemu_expect_statement_ended(expectation, 1000);
 *     } else {
 *         wskemu_expect_resumed(expectation);
 *     }
 *     is_met = wskemu_expect_end(expectation, &caught);
 */
#ifndef WSKEMU_EXPECTATION_H
#define WSKEMU_EXPECTATION_H

#include <wskemu/wskemu.h>

#include <setjmp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* setjmp without the signal mask and, on Windows, without an unwind through the system. */
#if defined(_MSC_VER)
typedef jmp_buf wskemu_jump;
#define WSKEMU_JUMP_SET(jump)                                                                      \
    (_setjmp(jump) != 0 || (((_JUMP_BUFFER *)(void *)(jump))->Frame = 0, 0))
#elif defined(_WIN32)
typedef jmp_buf wskemu_jump;
#define WSKEMU_JUMP_SET(jump) _setjmp(jump, NULL)
#else
typedef sigjmp_buf wskemu_jump;
#define WSKEMU_JUMP_SET(jump) sigsetjmp(jump, 0)
#endif

struct wskemu_expectation;

/* Expects a bug check, of any thread. The calling thread has to end it. */
struct wskemu_expectation *wskemu_expect_begin(void);

/* Where the calling thread goes on when the bug check has come. */
wskemu_jump *wskemu_expect_jump(struct wskemu_expectation *expectation);

/* The statement ended without one: waits for that of another thread, and goes on at the jump if it
 * comes in time. */
void wskemu_expect_statement_ended(struct wskemu_expectation *expectation, ULONG timeout_ms);

/* First after the jump. */
void wskemu_expect_resumed(struct wskemu_expectation *expectation);

/* Whether it came, and what it said; the halted kernel is left behind. */
BOOLEAN wskemu_expect_end(struct wskemu_expectation *expectation, struct wskemu_bugcheck *caught);

#ifdef __cplusplus
}
#endif

#endif
