#include "ke/limit.h"

#include "ke/bugcheck.h"
#include "verifier/level.h"
#include "verifier/rule.h"
#include "verifier/silence.h"
#include "verifier/specific.h"

/* Parameter 1 of DRIVER_VIOLATION. */
enum { VIOLATION_IRQL_REQUIRED = 1, VIOLATION_IRQL_TOO_HIGH = 2 };

/* Whether one of the other rules that speak of it is silenced; else they are named. */
static bool is_silenced(bool has_specific, const char *checked)
{
    if ((has_specific && verifier_is_silenced("IRQL-13")) ||
        (checked != NULL && verifier_is_silenced(checked))) {
        return true;
    }
    if (verifier_is_on()) {
        verifier_rule_speak(has_specific ? "IRQL-13" : NULL);
        verifier_rule_speak(checked);
    }
    return false;
}

void ke_limit_broken(KIRQL irql, KIRQL limit, bool is_exact, const char *function)
{
    const char *specific = verifier_level_rule(function);
    const char *checked = verifier_checked_level_rule(function);
    if (is_silenced(specific != NULL, checked)) {
        return;
    }
    ke_violation(DRIVER_VIOLATION, is_exact ? VIOLATION_IRQL_REQUIRED : VIOLATION_IRQL_TOO_HIGH,
                 irql, limit, 0, specific != NULL ? specific : "IRQL-13",
                 "The driver called %s at IRQL %u; %s %u.%s%s", function, irql,
                 is_exact ? "it needs IRQL" : "the highest level allowed is", limit,
                 checked != NULL ? " Driver Verifier checks it, too: see rule " : "",
                 checked != NULL ? checked : "");
}
