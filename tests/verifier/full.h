/* Tests of what is checked at level full only. */
#ifndef TESTS_VERIFIER_FULL_H
#define TESTS_VERIFIER_FULL_H

#include "bugcheck.h"
#include "twins.h"

/* Ends the test's kernel and boots one at level full. */
static inline void at_full(void)
{
    struct wskemu_options options = {.verifier = WSKEMU_VERIFIER_FULL};
    assert_int_equal(wskemu_shutdown(), 0);
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
}

/* Runs body(NULL) at level full, which must end in this bug check, whose sentence has these words.
 */
static inline void expect_at_full_(const char *file, int line, void (*body)(void *), ULONG code,
                                   const char *rule, const char *words)
{
    at_full();
    struct wskemu_bugcheck stop = bugcheck_of_(file, line, body, NULL);
    if (stop.code != code || stop.rule == NULL || strcmp(stop.rule, rule) != 0 ||
        strstr(stop.sentence, words) == NULL) {
        print_error("expected 0x%X of %s saying \"%s\", got 0x%X of %s: %s\n", code, rule, words,
                    stop.code, stop.rule != NULL ? stop.rule : "no rule", stop.sentence);
        _fail(file, line);
    }
}
#define expect_at_full(body, code, rule, words)                                                    \
    expect_at_full_(__FILE__, __LINE__, body, code, rule, words)

/* Runs body(NULL) at level full, of which nothing must be said. */
#define expect_silence_at_full(body)                                                               \
    do {                                                                                           \
        at_full();                                                                                 \
        expect_silence(body, NULL);                                                                \
    } while (0)

/* Mistakes that a sanitizer would report before the kernel sees them. */
#define WILD __attribute__((noinline, unused, no_sanitize("undefined", "address", "thread")))

WILD static void write_at(volatile UCHAR *address)
{
    *address = 0x5A;
}

WILD static UCHAR read_at(const volatile UCHAR *address)
{
    return *address;
}

#endif
