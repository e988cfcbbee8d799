/*
 * Text for the debugger: DbgPrint and its kin. It goes to the emulator's log and to the callbacks
 * that drivers registered. Unlike Windows, which shows hardly anything until it is asked to, every
 * component prints every level; DbgSetDebugFilterState makes it less.
 */
#include "rtl/debug_print.h"

#include "base/log.h"
#include "ke/thread.h"
#include "ke/warning.h"
#include "rtl/format.h"
#include "trace/trace.h"
#include "verifier/stack_use.h"

#include <stdatomic.h>

#define COMPONENTS 256
#define CALLBACKS_MAX 8
#define LEVELS 32

static _Atomic ULONG hidden[COMPONENTS]; /* a bit a level */
static _Atomic(PDEBUG_PRINT_CALLBACK) callbacks[CALLBACKS_MAX];

static BOOLEAN no_debugger_enabled = FALSE;
static BOOLEAN no_debugger_present = TRUE;
PBOOLEAN KdDebuggerEnabled = &no_debugger_enabled;
PBOOLEAN KdDebuggerNotPresent = &no_debugger_present;

VOID rtl_debug_print_reset(VOID)
{
    for (ULONG index = 0; index < COMPONENTS; index++) {
        atomic_store(&hidden[index], 0);
    }
    for (ULONG index = 0; index < CALLBACKS_MAX; index++) {
        atomic_store(&callbacks[index], NULL);
    }
}

/* A level below 32 is a number of a bit, any other is a mask. */
static ULONG level_mask(ULONG level)
{
    return level < LEVELS ? 1u << level : level;
}

static _Atomic ULONG *hidden_levels(ULONG component)
{
    return &hidden[component < COMPONENTS ? component : DPFLTR_DEFAULT_ID];
}

/* Whether a component's level prints: TRUE or FALSE, as a status. */
NTSTATUS DbgQueryDebugFilterState(ULONG ComponentId, ULONG Level)
{
    ULONG mask = level_mask(Level);
    return (atomic_load(hidden_levels(ComponentId)) & mask) != mask ? TRUE : FALSE;
}

/* Lets the component's level print, or not. Always STATUS_SUCCESS. */
NTSTATUS DbgSetDebugFilterState(ULONG ComponentId, ULONG Level, BOOLEAN State)
{
    if (State) {
        atomic_fetch_and(hidden_levels(ComponentId), ~level_mask(Level));
    } else {
        atomic_fetch_or(hidden_levels(ComponentId), level_mask(Level));
    }
    return STATUS_SUCCESS;
}

/* Registers a routine that gets every text that prints, or takes it off. STATUS_SUCCESS,
 * STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER (was not registered). */
NTSTATUS DbgSetDebugPrintCallback(PDEBUG_PRINT_CALLBACK DebugPrintCallback, BOOLEAN Enable)
{
    PDEBUG_PRINT_CALLBACK to = Enable ? DebugPrintCallback : NULL;
    for (ULONG index = 0; index < CALLBACKS_MAX; index++) {
        PDEBUG_PRINT_CALLBACK from = Enable ? NULL : DebugPrintCallback;
        if (atomic_compare_exchange_strong(&callbacks[index], &from, to)) {
            return STATUS_SUCCESS;
        }
    }
    return Enable ? STATUS_INSUFFICIENT_RESOURCES : STATUS_INVALID_PARAMETER;
}

static VOID emit(PCHAR text, SIZE_T length, ULONG component, ULONG level)
{
    STRING string = {(USHORT)length, (USHORT)length, text};
    base_log_write(text, length);
    trace_print(text, length);
    for (ULONG index = 0; index < CALLBACKS_MAX; index++) {
        PDEBUG_PRINT_CALLBACK callback = atomic_load(&callbacks[index]);
        if (callback != NULL) {
            callback(&string, component, level);
        }
    }
}

/* How long a format is, from after its percent sign, if it asks for wide text; else 0. */
static SIZE_T wide_format_length(PCCH letters)
{
    PCCH letter = letters + strspn(letters, "-+ #0123456789.*");
    bool is_long = *letter == 'l' || *letter == 'w';
    letter += is_long;
    bool is_wide =
        *letter == 'C' || *letter == 'S' ||
        (is_long && (*letter == 'c' || *letter == 's' || (*letter == 'Z' && letter[-1] == 'w')));
    return is_wide ? (SIZE_T)(letter + 1 - letters) : 0;
}

/* The tables of the wide formats are pageable. Without a kernel there is no level. */
static void check_format(PCCH format)
{
    if (atomic_load(&ke_generation) == 0 || ke_current() == NULL ||
        ke_current()->irql == PASSIVE_LEVEL) {
        return;
    }
    for (PCCH percent = strchr(format, '%'); percent != NULL; percent = strchr(percent, '%')) {
        percent++;
        int length = (int)wide_format_length(percent);
        if (length != 0) {
            ke_warning("RTL-100",
                       "the driver printed with the Unicode format %%%.*s at IRQL %u; it needs "
                       "PASSIVE_LEVEL",
                       length, percent, ke_current()->irql);
            return;
        }
        percent += *percent == '%';
    }
}

/* Prints a prefix and a formatted text, 512 bytes at most. IRQL <= DIRQL; the wide formats need
 * PASSIVE_LEVEL. Always STATUS_SUCCESS. Rule RTL-99. */
ULONG vDbgPrintExWithPrefix(PCCH Prefix, ULONG ComponentId, ULONG Level, PCCH Format,
                            va_list arglist)
{
    CHAR text[RTL_DEBUG_PRINT_BYTES_MAX];
    if (!DbgQueryDebugFilterState(ComponentId, Level)) {
        return STATUS_SUCCESS;
    }
    check_format(Format);
    verifier_stack_use("printed");
    SIZE_T prefix_length = min(strlen(Prefix), sizeof(text));
    SIZE_T room = sizeof(text) - prefix_length;
    RtlCopyMemory(text, Prefix, prefix_length);
    int length =
        rtl_format_narrow(text + prefix_length, room, RTL_FORMAT_NO_FLOAT, Format, arglist);
    if (length >= 0) {
        emit(text, prefix_length + min((SIZE_T)length, room), ComponentId, Level);
    }
    return STATUS_SUCCESS;
}

/* As vDbgPrintExWithPrefix, without a prefix. */
ULONG vDbgPrintEx(ULONG ComponentId, ULONG Level, PCCH Format, va_list arglist)
{
    return vDbgPrintExWithPrefix("", ComponentId, Level, Format, arglist);
}

/* As vDbgPrintEx. */
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    va_list arguments;
    va_start(arguments, Format);
    ULONG status = vDbgPrintEx(ComponentId, Level, Format, arguments);
    va_end(arguments);
    return status;
}

/* As DbgPrintEx with DPFLTR_DEFAULT_ID and DPFLTR_INFO_LEVEL. Rule RTL-99. */
ULONG DbgPrint(PCSTR Format, ...)
{
    va_list arguments;
    va_start(arguments, Format);
    ULONG status = vDbgPrintEx(DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format, arguments);
    va_end(arguments);
    return status;
}

/* As DbgPrint: nobody types Control-C. */
ULONG DbgPrintReturnControlC(PCCH Format, ...)
{
    va_list arguments;
    va_start(arguments, Format);
    ULONG status = vDbgPrintEx(DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format, arguments);
    va_end(arguments);
    return status;
}

/* Nobody answers: an empty response. */
ULONG DbgPrompt(PCCH Prompt, PCH Response, ULONG Length)
{
    DbgPrint("%s", Prompt);
    if (Length != 0) {
        Response[0] = ANSI_NULL;
    }
    return 0;
}

/* There is no debugger to disable. */
NTSTATUS KdDisableDebugger(VOID)
{
    return STATUS_DEBUGGER_INACTIVE;
}

NTSTATUS KdEnableDebugger(VOID)
{
    return STATUS_DEBUGGER_INACTIVE;
}

/* TRUE: there is no debugger. */
BOOLEAN KdRefreshDebuggerNotPresent(VOID)
{
    return TRUE;
}

/* Without a debugger a breakpoint is an exception that somebody handles, or a bug check. */
VOID DbgBreakPoint(VOID)
{
    ExRaiseStatus(STATUS_BREAKPOINT);
}

/* As DbgBreakPoint. */
VOID DbgBreakPointWithStatus(ULONG Status)
{
    UNREFERENCED_PARAMETER(Status);
    DbgBreakPoint();
}
