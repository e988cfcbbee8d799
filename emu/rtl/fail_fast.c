#include "ke/bugcheck.h"

/* Failures that a driver reports itself: fast fails, assertions, pageable code at a wrong level. */

/* Ends where __fastfail is called: KERNEL_SECURITY_CHECK_FAILURE with the code. Any IRQL. */
DECLSPEC_NORETURN void wskemu_fastfail(unsigned int code)
{
    ke_bugcheck(KERNEL_SECURITY_CHECK_FAILURE, code, 0, 0, 0,
                code == FAST_FAIL_CORRUPT_LIST_ENTRY ? "RTL-46" : NULL,
                "The driver failed fast with code %u%s.", code,
                code == FAST_FAIL_CORRUPT_LIST_ENTRY
                    ? ": a list entry's neighbours do not point back at it, so the entry was "
                      "removed twice, inserted twice or overwritten"
                    : "");
}

/* What PAGED_CODE() calls where it finds the IRQL above APC_LEVEL. */
VOID wskemu_paged_code(const char *function, const char *file, int line)
{
    KIRQL irql = KeGetCurrentIrql();
    ULONG_PTR pc = (ULONG_PTR)_ReturnAddress();
    ke_bugcheck(IRQL_NOT_LESS_OR_EQUAL, pc, irql, EXCEPTION_EXECUTE_FAULT, pc, "IRQL-13",
                "The pageable function %s (%s:%d) was called at IRQL %u; pageable code runs at "
                "APC_LEVEL or below.",
                function, file, line, irql);
}
