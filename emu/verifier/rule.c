#include "verifier/rule.h"

#include "ke/thread.h"
#include "verifier/also.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#define X(id, kind, soft, text, source, advice) {id, text, source, advice},
static const struct verifier_rule rules[] = {
#include "rules_table.inc"
};
#undef X

#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

static atomic_uint spoken[RULE_COUNT];

/* The last kernel in which each rule was named. */
static _Atomic uint64_t last_generation[RULE_COUNT];

const struct verifier_rule *verifier_rule_find(const char *id)
{
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (strcmp(rules[i].id, id) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

/* Those that are broken with it are named, too. */
static void count_also(const char *id)
{
    unsigned next = 0;
    for (const char *also; (also = verifier_rule_also(id, &next)) != NULL;) {
        const struct verifier_rule *rule = verifier_rule_find(also);
        if (rule != NULL) {
            atomic_fetch_add(&spoken[rule - rules], 1);
        }
    }
}

bool verifier_rule_speak(const char *id)
{
    const struct verifier_rule *rule = id != NULL ? verifier_rule_find(id) : NULL;
    uint64_t generation = ke_thread_slot.generation;
    if (rule == NULL) {
        return false;
    }
    atomic_fetch_add(&spoken[rule - rules], 1);
    count_also(id);
    return atomic_exchange(&last_generation[rule - rules], generation) != generation;
}

unsigned verifier_rule_spoken(const char *id)
{
    const struct verifier_rule *rule = verifier_rule_find(id);
    return rule != NULL ? atomic_load(&spoken[rule - rules]) : 0;
}
