/* Bug checks: the one door through which the emulator stops. */
#ifndef KE_BUGCHECK_H
#define KE_BUGCHECK_H

#include <wdm.h>

#include <stdbool.h>

/* Parks every thread of a halted kernel; returns only where a test expects the bug check. */
_Noreturn void ke_halt_here(void);

/* Stops with MANUALLY_INITIATED_CRASH-like code 0xE2 saying that function is not implemented. */
_Noreturn void ke_not_implemented(const char *function);

/*
 * Stops with a bug check and an explanation: a sentence that says what the driver did, formatted
 * with the host's printf. rule is a rule id or NULL.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 7, 8)))
#endif
_Noreturn void
ke_bugcheck(ULONG code, ULONG_PTR parameter1, ULONG_PTR parameter2, ULONG_PTR parameter3,
            ULONG_PTR parameter4, const char *rule, const char *sentence, ...);

/*
 * The same for a breach that the emulator survives: nothing of its own is touched by going on, and
 * the driver gets what Windows would give it without a verifier. So it returns at level off, and
 * for a rule that was silenced.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 7, 8)))
#endif
void ke_violation(ULONG code, ULONG_PTR parameter1, ULONG_PTR parameter2, ULONG_PTR parameter3,
                  ULONG_PTR parameter4, const char *rule, const char *sentence, ...);

#endif
