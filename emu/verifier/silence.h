/* Rules that are not to speak, each with a reason. */
#ifndef VERIFIER_SILENCE_H
#define VERIFIER_SILENCE_H

#include "base/mutex.h"

#include <stdbool.h>

struct verifier_rule;

struct verifier_silence {
    struct verifier_silence *next;
    const struct verifier_rule *rule;
    char *reason;
    unsigned spoken; /* how often it would have spoken */
};

struct verifier_silences {
    struct base_mutex lock;
    struct verifier_silence *first;
};

void verifier_silences_start(struct verifier_silences *silences);
void verifier_silences_stop(struct verifier_silences *silences);

/* Takes in what WSKEMU_SILENCE says, "RULE:reason;RULE:reason"; says what is wrong with it. */
bool verifier_silences_read_environment(struct verifier_silences *silences);

/* Says which rules were silenced, why, and how often each would have spoken. */
void verifier_silences_report(struct verifier_silences *silences);

/* Silences a rule until the kernel ends; false if there is no such rule or no reason. */
bool verifier_silence(struct verifier_silences *silences, const char *rule, const char *reason);

/* Whether the rule (which may be NULL) is silenced; counts that it would have spoken. */
bool verifier_is_silenced(const char *rule);

/* Why it is; NULL if it is not. */
const char *verifier_silence_reason(const char *rule);

#endif
