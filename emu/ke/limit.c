#include "ke/limit.h"

#include "ke/bugcheck.h"

/* Parameter 1 of DRIVER_VIOLATION. */
enum { VIOLATION_IRQL_REQUIRED = 1, VIOLATION_IRQL_TOO_HIGH = 2 };

void ke_limit_broken(KIRQL irql, KIRQL limit, bool is_exact, const char *function)
{
    ke_violation(DRIVER_VIOLATION, is_exact ? VIOLATION_IRQL_REQUIRED : VIOLATION_IRQL_TOO_HIGH,
                 irql, limit, 0, "IRQL-13", "The driver called %s at IRQL %u; %s %u.", function,
                 irql, is_exact ? "it needs IRQL" : "the highest level allowed is", limit);
}
