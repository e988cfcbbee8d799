/*
 * wdm_debug.h - debug output, assertions, fail-fast.
 *
 * Part of wdm.h, which includes it; not meant to be included alone. ASSERT, NT_ASSERT and KdPrint
 * live in checked builds (DBG) only. PAGED_CODE checks in every build: that check costs nothing
 * here and a driver that fails it is wrong in every build.
 */
#ifndef WDK_DETAIL_WDM_DEBUG_H
#define WDK_DETAIL_WDM_DEBUG_H

#ifndef DBG
#define DBG 0
#endif

/* ---- output ---- */

ULONG DbgPrint(PCSTR Format, ...);
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...);
ULONG vDbgPrintEx(ULONG ComponentId, ULONG Level, PCCH Format, va_list arglist);
ULONG vDbgPrintExWithPrefix(PCCH Prefix, ULONG ComponentId, ULONG Level, PCCH Format,
                            va_list arglist);
ULONG DbgPrintReturnControlC(PCCH Format, ...);
ULONG DbgPrompt(PCCH Prompt, PCH Response, ULONG Length);
NTSTATUS DbgQueryDebugFilterState(ULONG ComponentId, ULONG Level);
NTSTATUS DbgSetDebugFilterState(ULONG ComponentId, ULONG Level, BOOLEAN State);

typedef VOID DEBUG_PRINT_CALLBACK(PSTRING Output, ULONG ComponentId, ULONG Level);
typedef DEBUG_PRINT_CALLBACK *PDEBUG_PRINT_CALLBACK;

NTSTATUS DbgSetDebugPrintCallback(PDEBUG_PRINT_CALLBACK DebugPrintCallback, BOOLEAN Enable);

/* ---- the debugger ---- */

VOID DbgBreakPoint(VOID);
VOID DbgBreakPointWithStatus(ULONG Status);
NTSTATUS KdDisableDebugger(VOID);
NTSTATUS KdEnableDebugger(VOID);
BOOLEAN KdRefreshDebuggerNotPresent(VOID);

extern PBOOLEAN KdDebuggerEnabled;
extern PBOOLEAN KdDebuggerNotPresent;
#define KD_DEBUGGER_ENABLED (*KdDebuggerEnabled)
#define KD_DEBUGGER_NOT_PRESENT (*KdDebuggerNotPresent)

/* ---- assertions ---- */

VOID RtlAssert(PVOID FailedAssertion, PVOID FileName, ULONG LineNumber, PSTR Message);

/* Where the macros below end when what they check does not hold. */
VOID wskemu_assertion_failed(const char *expression, const char *file, int line);
VOID wskemu_paged_code(const char *function, const char *file, int line);

/* An intrinsic of Microsoft's compiler that leaves texts in the debug information. */
#ifndef __annotation
#define __annotation(...) ((void)0)
#endif

#define DbgRaiseAssertionFailure()                                                                 \
    wskemu_assertion_failed("DbgRaiseAssertionFailure", __FILE__, __LINE__)

/*
 * The checks are calls of functions with a value, so that they may stand as statements and within
 * expressions, and no compiler finds an unused value.
 */
static inline BOOLEAN wskemu_assert(BOOLEAN holds, const char *expression, const char *file,
                                    int line)
{
    if (!holds) {
        wskemu_assertion_failed(expression, file, line);
    }
    return holds;
}

static inline BOOLEAN wskemu_rtl_assert(BOOLEAN holds, const char *expression, const char *file,
                                        ULONG line, const char *message)
{
    if (!holds) {
        RtlAssert((PVOID)(ULONG_PTR)expression, (PVOID)(ULONG_PTR)file, line,
                  (PSTR)(ULONG_PTR)message);
    }
    return holds;
}

static inline BOOLEAN wskemu_truth(BOOLEAN holds)
{
    return holds;
}

#define WSKEMU_HOLDS(Expression) ((BOOLEAN)((Expression) ? TRUE : FALSE))

#define NT_FRE_ASSERT(Expression)                                                                  \
    wskemu_assert(WSKEMU_HOLDS(Expression), #Expression, __FILE__, __LINE__)
#define NT_FRE_ASSERTMSG(Message, Expression)                                                      \
    wskemu_assert(WSKEMU_HOLDS(Expression), Message, __FILE__, __LINE__)
#define NT_FRE_ASSERTMSGW(Message, Expression) NT_FRE_ASSERT(Expression)

#if DBG
#define ASSERT(Expression)                                                                         \
    wskemu_rtl_assert(WSKEMU_HOLDS(Expression), #Expression, __FILE__, __LINE__, NULL)
#define ASSERTMSG(Message, Expression)                                                             \
    wskemu_rtl_assert(WSKEMU_HOLDS(Expression), #Expression, __FILE__, __LINE__, Message)
#define RTL_VERIFY(Expression) ASSERT(Expression)
#define RTL_SOFT_ASSERT(Expression) ASSERT(Expression)
#define RTL_SOFT_VERIFY(Expression) ASSERT(Expression)
#define NT_ASSERT(Expression) NT_FRE_ASSERT(Expression)
#define NT_ASSERTMSG(Message, Expression) NT_FRE_ASSERTMSG(Message, Expression)
#define NT_ASSERTMSGW(Message, Expression) NT_FRE_ASSERT(Expression)
#define NT_VERIFY(Expression) NT_FRE_ASSERT(Expression)
#define NT_VERIFYMSG(Message, Expression) NT_FRE_ASSERTMSG(Message, Expression)
#define NT_VERIFYMSGW(Message, Expression) NT_FRE_ASSERT(Expression)
#define KdPrint(Arguments) ((void)(DbgPrint Arguments))
#define KdPrintEx(Arguments) ((void)(DbgPrintEx Arguments))
#define KdBreakPoint() DbgBreakPoint()
#define KdBreakPointWithStatus(Status) DbgBreakPointWithStatus(Status)
#else
#define ASSERT(Expression) ((void)0)
#define ASSERTMSG(Message, Expression) ((void)0)
#define RTL_VERIFY(Expression) wskemu_truth(WSKEMU_HOLDS(Expression))
#define RTL_SOFT_ASSERT(Expression) ((void)0)
#define RTL_SOFT_VERIFY(Expression) RTL_VERIFY(Expression)
#define NT_ASSERT(Expression) ((void)0)
#define NT_ASSERTMSG(Message, Expression) ((void)0)
#define NT_ASSERTMSGW(Message, Expression) ((void)0)
#define NT_VERIFY(Expression) wskemu_truth(WSKEMU_HOLDS(Expression))
#define NT_VERIFYMSG(Message, Expression) NT_VERIFY(Expression)
#define NT_VERIFYMSGW(Message, Expression) NT_VERIFY(Expression)
#define KdPrint(Arguments) ((void)0)
#define KdPrintEx(Arguments) ((void)0)
#define KdBreakPoint() ((void)0)
#define KdBreakPointWithStatus(Status) ((void)0)
#endif

#define NT_ANALYSIS_ASSUME(Expression) ((void)0)
#define NT_ASSERT_ASSUME(Expression) NT_ASSERT(Expression)

/* A pageable routine may run at PASSIVE_LEVEL and APC_LEVEL only. */
#define PAGED_CODE()                                                                               \
    (KeGetCurrentIrql() > APC_LEVEL ? wskemu_paged_code(__func__, __FILE__, __LINE__) : (void)0)
#define PAGED_ASSERT(Expression) NT_ASSERT(Expression)
#define PAGED_CODE_LOCKED() ((void)0)

/* ---- fail-fast ---- */

#define FAST_FAIL_LEGACY_GS_VIOLATION 0
#define FAST_FAIL_VTGUARD_CHECK_FAILURE 1
#define FAST_FAIL_STACK_COOKIE_CHECK_FAILURE 2
#define FAST_FAIL_CORRUPT_LIST_ENTRY 3
#define FAST_FAIL_INCORRECT_STACK 4
#define FAST_FAIL_INVALID_ARG 5
#define FAST_FAIL_GS_COOKIE_INIT 6
#define FAST_FAIL_FATAL_APP_EXIT 7
#define FAST_FAIL_RANGE_CHECK_FAILURE 8
#define FAST_FAIL_UNSAFE_REGISTRY_ACCESS 9
#define FAST_FAIL_GUARD_ICALL_CHECK_FAILURE 10
#define FAST_FAIL_GUARD_WRITE_CHECK_FAILURE 11
#define FAST_FAIL_INVALID_FIBER_SWITCH 12
#define FAST_FAIL_INVALID_SET_OF_CONTEXT 13
#define FAST_FAIL_INVALID_REFERENCE_COUNT 14
#define FAST_FAIL_INVALID_JUMP_BUFFER 18
#define FAST_FAIL_MRDATA_MODIFIED 19
#define FAST_FAIL_CERTIFICATION_FAILURE 20
#define FAST_FAIL_INVALID_EXCEPTION_CHAIN 21
#define FAST_FAIL_CRYPTO_LIBRARY 22
#define FAST_FAIL_INVALID_CALL_IN_DLL_CALLOUT 23
#define FAST_FAIL_INVALID_IMAGE_BASE 24
#define FAST_FAIL_DLOAD_PROTECTION_FAILURE 25
#define FAST_FAIL_UNSAFE_EXTENSION_CALL 26
#define FAST_FAIL_INVALID_FAST_FAIL_CODE 0xFFFFFFFF

DECLSPEC_NORETURN static inline VOID RtlFailFast(ULONG Code)
{
    __fastfail(Code);
}

#endif
