#include "verifier/rule.h"

#include <stddef.h>
#include <string.h>

#define X(id, kind, soft, text, source) {id, text, source},
static const struct verifier_rule rules[] = {
#include "rules_table.inc"
};
#undef X

const struct verifier_rule *verifier_rule_find(const char *id)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strcmp(rules[i].id, id) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}
