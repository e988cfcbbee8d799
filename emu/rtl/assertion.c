/*
 * Assertions of a driver that do not hold. On Windows they break into the debugger or, where there
 * is none, stop the system by an unhandled exception; here they always stop it, so that a test
 * fails.
 */
#include "ke/bugcheck.h"

/* Where NT_ASSERT, NT_VERIFY and DbgRaiseAssertionFailure end. Any IRQL. */
VOID wskemu_assertion_failed(const char *expression, const char *file, int line)
{
    ke_bugcheck(KMODE_EXCEPTION_NOT_HANDLED, (ULONG_PTR)(LONG_PTR)STATUS_ASSERTION_FAILURE,
                (ULONG_PTR)expression, (ULONG_PTR)line, 0, NULL,
                "The driver's assertion \"%s\" failed (%s:%d).", expression, file, line);
}

/* Where ASSERT and ASSERTMSG end. Message may be NULL. Any IRQL. */
VOID RtlAssert(PVOID FailedAssertion, PVOID FileName, ULONG LineNumber, PSTR Message)
{
    DbgPrint("*** Assertion failed: %s%s\n***   Source File: %s, line %lu\n",
             Message != NULL ? Message : "", (PCSTR)FailedAssertion, (PCSTR)FileName, LineNumber);
    wskemu_assertion_failed(FailedAssertion, FileName, (int)LineNumber);
}
