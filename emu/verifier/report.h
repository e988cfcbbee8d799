/*
 * What is printed when a driver broke a rule.
 *
 * A bug check prints Windows' banner with what each parameter means, a sentence that says what the
 * driver did, the rule with its page and what to do instead, the driver's own frames, the objects
 * that the parameters name (where they were made and last used, their last IRPs), the whole stack,
 * and the options of the run.
 */
#ifndef VERIFIER_REPORT_H
#define VERIFIER_REPORT_H

#include <wskemu/wskemu.h>

#include <stdbool.h>

/* Windows' name of a code; with parameter 1, because some codes have several texts. */
const char *verifier_bugcheck_name(ULONG code, ULONG_PTR parameter1);

struct base_stack_frame;

/* Whether the frame is the emulator's. Its file must not be NULL. */
bool verifier_is_own_frame(const struct base_stack_frame *frame);

/* Whether it is a function of the driver or of who loaded it, and its source is known. */
bool verifier_is_driver_frame(const struct base_stack_frame *frame);

/* Prints a bug check. The kernel is halted. */
void verifier_report_bugcheck(const struct wskemu_bugcheck *bugcheck);

/* Prints a warning: the first of a rule in full, all others in one line. rule may be NULL. */
void verifier_report_warning(const char *rule, const char *sentence);

#endif
