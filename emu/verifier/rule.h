/* The documented rules, by id; made of docs/rules at build time. */
#ifndef VERIFIER_RULE_H
#define VERIFIER_RULE_H

#include <stdbool.h>

struct verifier_rule {
    const char *id;
    const char *text;
    const char *source; /* the documentation pages */
    const char *advice; /* what to do instead; empty where nothing catches the rule's breach */
};

/* The rule of that id, or NULL. */
const struct verifier_rule *verifier_rule_find(const char *id);

/* A warning or a bug check names the rule: counts it, and says whether it is the first time in
 * this kernel. id may be NULL. */
bool verifier_rule_speak(const char *id);

/* How often it was named in this process. */
unsigned verifier_rule_spoken(const char *id);

#endif
