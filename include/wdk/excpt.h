/*
 * excpt.h - structured exception handling: __try, __except, __finally, __leave.
 *
 * Microsoft's compilers, and clang-cl, have the construct built in. For gcc and clang it is made of
 * macros here. __try opens a statement expression in the condition of an if; what follows the body,
 * __except or __finally, closes it. In that expression stand the state of the processor as it was
 * in front of the body (sigsetjmp) and a variable with a cleanup function, so that the runtime
 * learns of every way out of the body: its end, return, goto, break, continue. All of them keep
 * their meaning, because there is no loop and no switch round the body or the handler, and the
 * whole is one statement. __leave is a goto to a label of that expression.
 *
 * Names of the compile-time scope (wskemu_seh_handler, wskemu_seh_block) make GetExceptionCode and
 * AbnormalTermination mean the statement round them, and fail to compile outside of one.
 *
 * Local variables have their last values in the handler only if they live in memory: sources with
 * __try are compiled with -O0.
 *
 * What differs from Windows: a filter runs after the __finally blocks that its exception passes,
 * not before; EXCEPTION_CONTINUE_EXECUTION cannot resume; leaving a __finally body or block by
 * return, goto or break, or a body by continue, is a bug check (in a block, continue ends it).
 *
 * In C++ include standard library headers before this one: GNU's define a __try of their own.
 */
#ifndef WDK_EXCPT_H
#define WDK_EXCPT_H

#include "ntdef.h"

#ifndef _MSC_VER
#include <setjmp.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What a filter says. */
#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

/* ExceptionFlags. */
#define EXCEPTION_NONCONTINUABLE 0x1
#define EXCEPTION_UNWINDING 0x2
#define EXCEPTION_EXIT_UNWIND 0x4
#define EXCEPTION_STACK_INVALID 0x8
#define EXCEPTION_NESTED_CALL 0x10
#define EXCEPTION_TARGET_UNWIND 0x20
#define EXCEPTION_COLLIDED_UNWIND 0x40
#define EXCEPTION_SOFTWARE_ORIGINATE 0x80
#define EXCEPTION_UNWIND 0x66

/* ExceptionInformation[0] of STATUS_ACCESS_VIOLATION; [1] is the address. */
#define EXCEPTION_READ_FAULT 0
#define EXCEPTION_WRITE_FAULT 1
#define EXCEPTION_EXECUTE_FAULT 8

/* Numbers of the processor's traps. */
#define EXCEPTION_DIVIDED_BY_ZERO 0
#define EXCEPTION_DEBUG 1
#define EXCEPTION_NMI 2
#define EXCEPTION_INT3 3
#define EXCEPTION_BOUND_CHECK 5
#define EXCEPTION_INVALID_OPCODE 6
#define EXCEPTION_NPX_NOT_AVAILABLE 7
#define EXCEPTION_DOUBLE_FAULT 8
#define EXCEPTION_NPX_OVERRUN 9
#define EXCEPTION_INVALID_TSS 0x0A
#define EXCEPTION_SEGMENT_NOT_PRESENT 0x0B
#define EXCEPTION_STACK_FAULT 0x0C
#define EXCEPTION_GP_FAULT 0x0D
#define EXCEPTION_RESERVED_TRAP 0x0F
#define EXCEPTION_NPX_ERROR 0x10
#define EXCEPTION_ALIGNMENT_CHECK 0x11
#define EXCEPTION_CP_FAULT 0x15
#define EXCEPTION_SE_FAULT 0x17
#define EXCEPTION_VIRTUALIZATION_FAULT 0x20

#define EXCEPTION_MAXIMUM_PARAMETERS 15

typedef struct _EXCEPTION_RECORD {
    NTSTATUS ExceptionCode;
    ULONG ExceptionFlags;
    struct _EXCEPTION_RECORD *ExceptionRecord;
    PVOID ExceptionAddress;
    ULONG NumberParameters;
    ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS];
} EXCEPTION_RECORD, *PEXCEPTION_RECORD;

typedef struct DECLSPEC_ALIGN(16) _M128A {
    ULONGLONG Low;
    LONGLONG High;
} M128A, *PM128A;

/* The processor's state. Of an exception that was raised by a call, only Rip, Rsp and Rbp are set;
 * of a fault, the general registers too. */
#define CONTEXT_AMD64 0x00100000L
#define CONTEXT_CONTROL (CONTEXT_AMD64 | 0x1L)
#define CONTEXT_INTEGER (CONTEXT_AMD64 | 0x2L)

typedef struct DECLSPEC_ALIGN(16) _CONTEXT {
    ULONGLONG P1Home;
    ULONGLONG P2Home;
    ULONGLONG P3Home;
    ULONGLONG P4Home;
    ULONGLONG P5Home;
    ULONGLONG P6Home;
    ULONG ContextFlags;
    ULONG MxCsr;
    USHORT SegCs;
    USHORT SegDs;
    USHORT SegEs;
    USHORT SegFs;
    USHORT SegGs;
    USHORT SegSs;
    ULONG EFlags;
    ULONGLONG Dr0;
    ULONGLONG Dr1;
    ULONGLONG Dr2;
    ULONGLONG Dr3;
    ULONGLONG Dr6;
    ULONGLONG Dr7;
    ULONGLONG Rax;
    ULONGLONG Rcx;
    ULONGLONG Rdx;
    ULONGLONG Rbx;
    ULONGLONG Rsp;
    ULONGLONG Rbp;
    ULONGLONG Rsi;
    ULONGLONG Rdi;
    ULONGLONG R8;
    ULONGLONG R9;
    ULONGLONG R10;
    ULONGLONG R11;
    ULONGLONG R12;
    ULONGLONG R13;
    ULONGLONG R14;
    ULONGLONG R15;
    ULONGLONG Rip;
    UCHAR FltSave[512];
    M128A VectorRegister[26];
    ULONGLONG VectorControl;
    ULONGLONG DebugControl;
    ULONGLONG LastBranchToRip;
    ULONGLONG LastBranchFromRip;
    ULONGLONG LastExceptionToRip;
    ULONGLONG LastExceptionFromRip;
} CONTEXT, *PCONTEXT;

typedef struct _EXCEPTION_POINTERS {
    PEXCEPTION_RECORD ExceptionRecord;
    PCONTEXT ContextRecord;
} EXCEPTION_POINTERS, *PEXCEPTION_POINTERS;

typedef enum _EXCEPTION_DISPOSITION {
    ExceptionContinueExecution,
    ExceptionContinueSearch,
    ExceptionNestedException,
    ExceptionCollidedUnwind
} EXCEPTION_DISPOSITION;

#ifdef _MSC_VER

unsigned long __cdecl _exception_code(void);
void *__cdecl _exception_info(void);
int __cdecl _abnormal_termination(void);

#define GetExceptionInformation (struct _EXCEPTION_POINTERS *)_exception_info

#else /* gcc and clang */

struct wskemu_seh_guard;

#ifdef _WIN32
/* A NULL frame makes longjmp restore registers only, without an unwind through the system. */
typedef jmp_buf wskemu_seh_environment;
#define WSKEMU_SEH_SETJMP(environment) _setjmp(environment, NULL)
#else
typedef sigjmp_buf wskemu_seh_environment;
#define WSKEMU_SEH_SETJMP(environment) sigsetjmp(environment, 0)
#endif

/* Where a try statement stands, and what it is. activation names the running function. */
struct wskemu_seh_place {
    void *activation;
    int number; /* of the statement, in its source */
    int is_finally;
    const char *file;
    int line;
};

/* The runtime behind the macros. A guard begins with its environment. */
struct wskemu_seh_guard *wskemu_seh_enter(const struct wskemu_seh_place *place);
int wskemu_seh_finish(struct wskemu_seh_guard *guard);
void wskemu_seh_exit(struct wskemu_seh_guard **guard);
int wskemu_seh_refuse(void *activation, int number, int disposition);
struct wskemu_seh_guard *wskemu_seh_finally_begin(void *activation, int number);
struct wskemu_seh_guard *wskemu_seh_finally_end(struct wskemu_seh_guard *guard);
void wskemu_seh_finally_exit(struct wskemu_seh_guard **guard);
ULONG wskemu_seh_code(void *activation, int number);
PEXCEPTION_POINTERS wskemu_seh_information(void *activation, int number);
int wskemu_seh_is_abnormal(const struct wskemu_seh_guard *guard);

/* A constant whose scope is the if statement in whose condition it stands. */
#ifdef __cplusplus
#define WSKEMU_SEH_SCOPE(name, value) [[maybe_unused]] constexpr int name = (value);
#else
#define WSKEMU_SEH_SCOPE(name, value) (void)sizeof(enum {name = (value)}),
#endif

/*
 * What kind of statement it is, known at its beginning: the assembler looks ahead to the symbol
 * that the end defines.
 */
#define WSKEMU_SEH_KIND                                                                            \
    __extension__({                                                                                \
        int wskemu_seh_kind;                                                                       \
        __asm__ volatile("movl $.Lwskemu_seh_%c1, %0"                                              \
                         : "=r"(wskemu_seh_kind)                                                   \
                         : "i"(wskemu_seh_try));                                                   \
        wskemu_seh_kind;                                                                           \
    })

#define WSKEMU_SEH_END(is_finally)                                                                 \
    wskemu_seh_end:                                                                                \
    __attribute__((__unused__));                                                                   \
    __asm__ volatile(".set .Lwskemu_seh_%c0, %c1" : : "i"(wskemu_seh_try), "i"(is_finally));       \
    wskemu_seh_finish(wskemu_seh_body);                                                            \
    }))                                                                                            \
    {                                                                                              \
    }

/* It would tear __except from its parameters. */
/* clang-format off */

#undef __try
#undef __except
#undef __finally
#undef __leave

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif

/* gcc obeys the word even where it does not optimise, and the handler would see an old value. */
#if !defined(__cplusplus) && !defined(__OPTIMIZE__)
#define register
#endif

#ifdef __OPTIMIZE__
#define __try _Pragma("GCC error \"sources with __try are compiled with -O0\"") WSKEMU_SEH_TRY
#else
#define __try WSKEMU_SEH_TRY
#endif

#define WSKEMU_SEH_TRY                                                                             \
    if (WSKEMU_SEH_SCOPE(wskemu_seh_try, __COUNTER__) __extension__({                              \
            __label__ wskemu_seh_end;                                                              \
            const struct wskemu_seh_place wskemu_seh_place = {                                     \
                __builtin_frame_address(0), wskemu_seh_try, WSKEMU_SEH_KIND, __FILE__, __LINE__};  \
            struct wskemu_seh_guard *wskemu_seh_body                                               \
                __attribute__((__cleanup__(wskemu_seh_exit))) =                                    \
                    wskemu_seh_enter(&wskemu_seh_place);                                           \
            if (WSKEMU_SEH_SETJMP(*(wskemu_seh_environment *)wskemu_seh_body) == 0)

/* The empty branches keep a driver's own else from binding to one of these. */
#define __except(...)                                                                              \
    WSKEMU_SEH_END(0)                                                                              \
    else if (WSKEMU_SEH_SCOPE(wskemu_seh_handler, wskemu_seh_try)                                  \
                 wskemu_seh_refuse(__builtin_frame_address(0), wskemu_seh_handler, (__VA_ARGS__))) \
    {                                                                                              \
    }                                                                                              \
    else

/* The loop runs once; its step is how the runtime learns of the block's end. */
#define __finally                                                                                  \
    WSKEMU_SEH_END(1)                                                                              \
    else for (struct wskemu_seh_guard *wskemu_seh_block                                            \
                  __attribute__((__cleanup__(wskemu_seh_finally_exit))) =                          \
                      wskemu_seh_finally_begin(__builtin_frame_address(0), wskemu_seh_try);        \
              wskemu_seh_block != NULL;                                                            \
              wskemu_seh_block = wskemu_seh_finally_end(wskemu_seh_block))

#define __leave goto wskemu_seh_end

/* clang-format on */

#ifdef __clang__
#pragma clang diagnostic pop
#endif

#define _exception_code() wskemu_seh_code(__builtin_frame_address(0), wskemu_seh_handler)
#define _exception_info() wskemu_seh_information(__builtin_frame_address(0), wskemu_seh_handler)
#define _abnormal_termination() wskemu_seh_is_abnormal(wskemu_seh_block)

#define GetExceptionInformation _exception_info

#endif /* gcc and clang */

#define GetExceptionCode _exception_code
#define AbnormalTermination _abnormal_termination

#ifdef __cplusplus
}
#endif

#endif
