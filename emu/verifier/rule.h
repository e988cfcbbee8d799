/* The documented rules, by id; made of docs/rules at build time. */
#ifndef VERIFIER_RULE_H
#define VERIFIER_RULE_H

struct verifier_rule {
    const char *id;
    const char *text;
    const char *source; /* the documentation pages */
};

/* The rule of that id, or NULL. */
const struct verifier_rule *verifier_rule_find(const char *id);

#endif
