/*
 * The safe string functions.
 *
 * All of them are one act: find where the text begins in the destination (0, or behind what is
 * there), write as much as fits, set the end, and then obey the flags. A destination is described
 * by its room, that is its units without the null, whichever its type and its unit; only a
 * UNICODE_STRING has no null. The public functions are made by macros, because they differ in type
 * and unit only; each has a plain form and one with flags (rules RTL-64 to RTL-84).
 */
#include <wdm.h>
#include <ntstrsafe.h>

#include "rtl/format.h"
#include "rtl/level.h"

#include "ke/bugcheck.h"
#include "ke/warning.h"

struct call {
    PVOID text;       /* the destination */
    size_t room;      /* units, without the null */
    size_t odd_bytes; /* of the destination, behind its last unit */
    BOOLEAN wide;
    BOOLEAN has_null; /* ends with a null */
    BOOLEAN is_open;  /* has any place at all */
    ULONG flags;
    size_t start; /* where writing begins */
    size_t end;   /* where the text ends */
};

struct source {
    const VOID *text;
    size_t count; /* units at most */
    BOOLEAN has_null;
};

static BOOLEAN is_null_at(const VOID *text, BOOLEAN wide, size_t index)
{
    return wide ? ((PCWCH)text)[index] == 0 : ((const CHAR *)text)[index] == 0;
}

static size_t length_up_to(const VOID *text, BOOLEAN wide, size_t limit)
{
    size_t length = 0;
    while (length < limit && !is_null_at(text, wide, length)) {
        length++;
    }
    return length;
}

static size_t unit_size(const struct call *call)
{
    return call->wide ? sizeof(WCHAR) : sizeof(CHAR);
}

static PUCHAR address_of(const struct call *call, size_t index)
{
    return (PUCHAR)call->text + index * unit_size(call);
}

static VOID set_end(struct call *call, size_t end)
{
    call->end = end;
    if (call->has_null && call->is_open) {
        RtlZeroMemory(address_of(call, end), unit_size(call));
    }
}

/* ---- destinations ---- */

/* A destination of so many units. RTL-67, RTL-69. */
static NTSTATUS open_text(struct call *call, size_t size)
{
    BOOLEAN may_be_nothing = (call->flags & STRSAFE_IGNORE_NULLS) != 0;
    call->has_null = TRUE;
    call->is_open = size != 0 && call->text != NULL;
    if (size > NTSTRSAFE_MAX_CCH || (size == 0 && !may_be_nothing) ||
        (size != 0 && call->text == NULL)) {
        set_end(call, 0);
        call->is_open = FALSE; /* no flag touches it */
        return STATUS_INVALID_PARAMETER;
    }
    call->room = size != 0 ? size - 1 : 0;
    return STATUS_SUCCESS;
}

/* The same, to append to. RTL-73. */
static NTSTATUS open_end_of_text(struct call *call, size_t size)
{
    BOOLEAN may_be_nothing = (call->flags & STRSAFE_IGNORE_NULLS) != 0;
    call->has_null = TRUE;
    call->is_open = size != 0 && call->text != NULL;
    if (size > NTSTRSAFE_MAX_CCH || !(call->is_open || (may_be_nothing && size == 0))) {
        call->is_open = FALSE;
        return STATUS_INVALID_PARAMETER;
    }
    call->room = size != 0 ? size - 1 : 0;
    call->start = call->is_open ? length_up_to(call->text, call->wide, size) : 0;
    if (call->start > call->room) {
        call->is_open = FALSE;
        return STATUS_INVALID_PARAMETER;
    }
    call->end = call->start;
    return STATUS_SUCCESS;
}

static NTSTATUS validate(PCUNICODE_STRING string, ULONG flags)
{
    if (string == NULL) {
        return flags & STRSAFE_IGNORE_NULLS ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    }
    return RtlValidateUnicodeString(0, string);
}

static NTSTATUS open_counted(struct call *call, PUNICODE_STRING string, BOOLEAN at_end)
{
    NTSTATUS status = validate(string, call->flags);
    call->wide = TRUE;
    if (!NT_SUCCESS(status) || string == NULL) {
        return status;
    }
    call->text = string->Buffer;
    call->room = string->MaximumLength / sizeof(WCHAR);
    call->is_open = call->room != 0;
    call->start = at_end ? string->Length / sizeof(WCHAR) : 0;
    call->end = call->start;
    return STATUS_SUCCESS;
}

/* ---- writing ---- */

/* Whether the flags are known ones; a destination that begins at 0 is emptied if not. */
static BOOLEAN check_flags(struct call *call)
{
    if ((call->flags & ~(ULONG)STRSAFE_VALID_FLAGS) == 0) {
        return TRUE;
    }
    set_end(call, call->start);
    return FALSE;
}

/* What a destination without any place makes of a text. */
static NTSTATUS refuse_text(const struct call *call, BOOLEAN is_empty)
{
    if (is_empty) {
        return STATUS_SUCCESS;
    }
    return call->text == NULL ? STATUS_INVALID_PARAMETER : STATUS_BUFFER_OVERFLOW;
}

static VOID check_overlap(const VOID *to, const VOID *from, size_t bytes)
{
    if ((ULONG_PTR)to - (ULONG_PTR)from < bytes || (ULONG_PTR)from - (ULONG_PTR)to < bytes) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xF0, (ULONG_PTR)to, (ULONG_PTR)from,
                     bytes, "RTL-76",
                     "The driver gave a safe string function a source %p that overlaps what it "
                     "writes at %p, %llu bytes.",
                     from, to, (unsigned long long)bytes);
    }
}

/* The functions' code is pageable on Windows; drivers get away with it where it happens to be
 * there. */
static VOID check_level(VOID)
{
    if (atomic_load(&ke_generation) != 0 && ke_current() != NULL &&
        ke_current()->irql >= DISPATCH_LEVEL) {
        ke_warning("RTL-77",
                   "the driver called a safe string function at IRQL %u; it needs "
                   "PASSIVE_LEVEL",
                   ke_current()->irql);
    }
}

static NTSTATUS write_source(struct call *call, struct source source)
{
    check_level();
    if (!check_flags(call)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (source.text == NULL && (call->flags & STRSAFE_IGNORE_NULLS)) {
        source.count = 0;
    }
    size_t room = call->room - call->start;
    size_t wanted = source.count;
    if (source.has_null && wanted != 0) {
        /* One more than fits tells whether it is cut off. */
        wanted = length_up_to(source.text, call->wide, min(wanted, room + 1));
    }
    if (!call->is_open) {
        return refuse_text(call, wanted == 0);
    }
    size_t kept = min(wanted, room);
    if (kept != 0) {
        check_overlap(address_of(call, call->start), source.text, kept * unit_size(call));
        RtlMoveMemory(address_of(call, call->start), source.text, kept * unit_size(call));
    }
    set_end(call, call->start + kept);
    return wanted > room ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static NTSTATUS write_format(struct call *call, const VOID *format, va_list arguments)
{
    static const WCHAR nothing[1];
    check_level();
    if (!check_flags(call)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (format == NULL && (call->flags & STRSAFE_IGNORE_NULLS)) {
        format = nothing;
    }
    if (!call->is_open) {
        return refuse_text(call, is_null_at(format, call->wide, 0));
    }
    int length = call->wide
                     ? rtl_format_wide(call->text, call->room, RTL_FORMAT_ALL, format, arguments)
                     : rtl_format_narrow(call->text, call->room, RTL_FORMAT_ALL, format, arguments);
    if (length < 0) {
        set_end(call, 0);
        return STATUS_BUFFER_OVERFLOW;
    }
    set_end(call, min((size_t)length, call->room));
    return (size_t)length > call->room ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* ---- flags ---- */

static VOID fill(struct call *call, size_t from)
{
    size_t all = (call->room + call->has_null) * unit_size(call) + call->odd_bytes;
    size_t offset = from * unit_size(call);
    if (offset < all) {
        RtlFillMemory((PUCHAR)call->text + offset, all - offset,
                      STRSAFE_GET_FILL_PATTERN(call->flags));
    }
}

static VOID obey_failure_flags(struct call *call)
{
    if (call->flags & STRSAFE_FILL_ON_FAILURE) {
        BOOLEAN is_text = call->has_null && STRSAFE_GET_FILL_PATTERN(call->flags) != 0;
        fill(call, 0);
        set_end(call, is_text ? call->room : 0);
    }
    if (call->flags & STRSAFE_NO_TRUNCATION) {
        set_end(call, call->flags & STRSAFE_FILL_ON_FAILURE ? 0 : call->start);
    }
    if (call->flags & STRSAFE_NULL_ON_FAILURE) {
        set_end(call, 0);
    }
}

static NTSTATUS finish(struct call *call, NTSTATUS status)
{
    if (!call->is_open) {
        return status;
    }
    if (!NT_SUCCESS(status)) {
        obey_failure_flags(call);
    } else if (call->flags & STRSAFE_FILL_BEHIND_NULL) {
        fill(call, call->end + call->has_null);
    }
    return status;
}

/* ---- the acts ---- */

static NTSTATUS copy_text(struct call *call, size_t size, const VOID *text, size_t count)
{
    NTSTATUS status = open_text(call, size);
    if (NT_SUCCESS(status) && count > NTSTRSAFE_MAX_CCH && count != SIZE_MAX) {
        set_end(call, 0);
        status = STATUS_INVALID_PARAMETER;
    }
    if (NT_SUCCESS(status)) {
        struct source source = {text, count, TRUE};
        status = write_source(call, source);
    }
    return finish(call, status);
}

static NTSTATUS append_text(struct call *call, size_t size, const VOID *text, size_t count)
{
    NTSTATUS status = open_end_of_text(call, size);
    if (NT_SUCCESS(status) && count > NTSTRSAFE_MAX_CCH && count != SIZE_MAX) {
        status = STATUS_INVALID_PARAMETER;
    }
    if (NT_SUCCESS(status)) {
        struct source source = {text, count, TRUE};
        status = write_source(call, source);
    }
    return finish(call, status);
}

static NTSTATUS print_text(struct call *call, size_t size, const VOID *format, va_list arguments)
{
    NTSTATUS status = open_text(call, size);
    if (NT_SUCCESS(status)) {
        status = write_format(call, format, arguments);
    }
    return finish(call, status);
}

/* The length without the null. RTL-74. */
static NTSTATUS measure(const VOID *text, BOOLEAN wide, size_t limit, size_t *length)
{
    *length = 0;
    if (text == NULL || limit > NTSTRSAFE_MAX_CCH) {
        return STATUS_INVALID_PARAMETER;
    }
    size_t found = length_up_to(text, wide, limit);
    if (found == limit) {
        return STATUS_INVALID_PARAMETER;
    }
    *length = found;
    return STATUS_SUCCESS;
}

/* Reports the end and the rest, where the call got that far. RTL-79. */
static VOID report(const struct call *call, NTSTATUS status, PVOID *end, size_t *remaining,
                   BOOLEAN in_bytes)
{
    if (!NT_SUCCESS(status) && status != STATUS_BUFFER_OVERFLOW) {
        return;
    }
    size_t units = call->is_open ? call->room + call->has_null - call->end : 0;
    if (end != NULL) {
        *end = call->is_open ? address_of(call, call->end) : call->text;
    }
    if (remaining != NULL) {
        *remaining = in_bytes ? units * unit_size(call) + call->odd_bytes : units;
    }
}

/* ---- functions for text that ends with a null ---- */

#define BYTES_OF_UNIT_Cb(Type) sizeof(Type)
#define BYTES_OF_UNIT_Cch(Type) 1
#define IN_BYTES_Cb TRUE
#define IN_BYTES_Cch FALSE

/* From what a function counts to units. */
#define UNITS(Kind, Type, count) ((count) / BYTES_OF_UNIT_##Kind(Type))

#define CALL(Kind, Type, size, given_flags)                                                        \
    {                                                                                              \
        .text = pszDest, .wide = sizeof(Type) == sizeof(WCHAR), .flags = (given_flags),            \
        .odd_bytes = (size) % BYTES_OF_UNIT_##Kind(Type)                                           \
    }

#define REPORT(Kind, Type, remaining)                                                              \
    do {                                                                                           \
        PVOID end = NULL;                                                                          \
        report(&call, status, &end, remaining, IN_BYTES_##Kind);                                   \
        if (ppszDestEnd != NULL && end != NULL) {                                                  \
            *ppszDestEnd = (Type *)end;                                                            \
        }                                                                                          \
    } while (0)

/* Copy and Cat: act is what to do, ToDo the name of the count. */
#define DEFINE_TRANSFER(Kind, count, Letter, Type, Name, act, ToDo)                                \
    NTSTATUS RtlString##Kind##Name##Letter(Type *pszDest, size_t count##Dest, const Type *pszSrc)  \
    {                                                                                              \
        struct call call = CALL(Kind, Type, count##Dest, 0);                                       \
        return act(&call, UNITS(Kind, Type, count##Dest), pszSrc, SIZE_MAX);                       \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlString##Kind##Name##N##Letter(Type *pszDest, size_t count##Dest,                   \
                                              const Type *pszSrc, size_t count##ToDo)              \
    {                                                                                              \
        struct call call = CALL(Kind, Type, count##Dest, 0);                                       \
        return act(&call, UNITS(Kind, Type, count##Dest), pszSrc, UNITS(Kind, Type, count##ToDo)); \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlString##Kind##Name##Ex##Letter(Type *pszDest, size_t count##Dest,                  \
                                               const Type *pszSrc, Type **ppszDestEnd,             \
                                               size_t *p##count##Remaining, ULONG dwFlags)         \
    {                                                                                              \
        struct call call = CALL(Kind, Type, count##Dest, dwFlags);                                 \
        NTSTATUS status = act(&call, UNITS(Kind, Type, count##Dest), pszSrc, SIZE_MAX);            \
        REPORT(Kind, Type, p##count##Remaining);                                                   \
        return status;                                                                             \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlString##Kind##Name##NEx##Letter(                                                   \
        Type *pszDest, size_t count##Dest, const Type *pszSrc, size_t count##ToDo,                 \
        Type **ppszDestEnd, size_t *p##count##Remaining, ULONG dwFlags)                            \
    {                                                                                              \
        struct call call = CALL(Kind, Type, count##Dest, dwFlags);                                 \
        NTSTATUS status =                                                                          \
            act(&call, UNITS(Kind, Type, count##Dest), pszSrc, UNITS(Kind, Type, count##ToDo));    \
        REPORT(Kind, Type, p##count##Remaining);                                                   \
        return status;                                                                             \
    }

#define DEFINE_PRINTF(Kind, count, Letter, Type)                                                   \
    NTSTATUS RtlString##Kind##VPrintf##Letter(Type *pszDest, size_t count##Dest,                   \
                                              const Type *pszFormat, va_list argList)              \
    {                                                                                              \
        struct call call = CALL(Kind, Type, count##Dest, 0);                                       \
        return print_text(&call, UNITS(Kind, Type, count##Dest), pszFormat, argList);              \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlString##Kind##VPrintfEx##Letter(                                                   \
        Type *pszDest, size_t count##Dest, Type **ppszDestEnd, size_t *p##count##Remaining,        \
        ULONG dwFlags, const Type *pszFormat, va_list argList)                                     \
    {                                                                                              \
        struct call call = CALL(Kind, Type, count##Dest, dwFlags);                                 \
        NTSTATUS status = print_text(&call, UNITS(Kind, Type, count##Dest), pszFormat, argList);   \
        REPORT(Kind, Type, p##count##Remaining);                                                   \
        return status;                                                                             \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlString##Kind##Printf##Letter(Type *pszDest, size_t count##Dest,                    \
                                             const Type *pszFormat, ...)                           \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, pszFormat);                                                            \
        NTSTATUS status =                                                                          \
            RtlString##Kind##VPrintf##Letter(pszDest, count##Dest, pszFormat, arguments);          \
        va_end(arguments);                                                                         \
        return status;                                                                             \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlString##Kind##PrintfEx##Letter(Type *pszDest, size_t count##Dest,                  \
                                               Type **ppszDestEnd, size_t *p##count##Remaining,    \
                                               ULONG dwFlags, const Type *pszFormat, ...)          \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, pszFormat);                                                            \
        NTSTATUS status = RtlString##Kind##VPrintfEx##Letter(pszDest, count##Dest, ppszDestEnd,    \
                                                             p##count##Remaining, dwFlags,         \
                                                             pszFormat, arguments);                \
        va_end(arguments);                                                                         \
        return status;                                                                             \
    }

#define DEFINE_LENGTH(Kind, count, Letter, Type)                                                   \
    NTSTATUS RtlString##Kind##Length##Letter(const Type *psz, size_t count##Max,                   \
                                             size_t *p##count##Length)                             \
    {                                                                                              \
        size_t length;                                                                             \
        NTSTATUS status =                                                                          \
            measure(psz, sizeof(Type) == sizeof(WCHAR), UNITS(Kind, Type, count##Max), &length);   \
        if (p##count##Length != NULL) {                                                            \
            *p##count##Length = length * BYTES_OF_UNIT_##Kind(Type);                               \
        }                                                                                          \
        return status;                                                                             \
    }

#define DEFINE_FAMILY(Kind, count, Letter, Type)                                                   \
    DEFINE_TRANSFER(Kind, count, Letter, Type, Copy, copy_text, ToCopy)                            \
    DEFINE_TRANSFER(Kind, count, Letter, Type, Cat, append_text, ToAppend)                         \
    DEFINE_PRINTF(Kind, count, Letter, Type)                                                       \
    DEFINE_LENGTH(Kind, count, Letter, Type)

DEFINE_FAMILY(Cb, cb, A, char)
DEFINE_FAMILY(Cb, cb, W, wchar_t)
DEFINE_FAMILY(Cch, cch, A, char)
DEFINE_FAMILY(Cch, cch, W, wchar_t)

/* ---- functions for UNICODE_STRING ---- */

/* Points the string at pszSrc, which may be NULL. STATUS_INVALID_PARAMETER for more than 32767
 * characters. IRQL PASSIVE_LEVEL. Rule RTL-82. */
NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    return RtlUnicodeStringInitEx(DestinationString, pszSrc, 0);
}

NTSTATUS RtlUnicodeStringInitEx(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc,
                                DWORD dwFlags)
{
    if (DestinationString == NULL) {
        return dwFlags & STRSAFE_IGNORE_NULLS ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    }
    RtlZeroMemory(DestinationString, sizeof(*DestinationString));
    if (dwFlags & ~(ULONG)STRSAFE_IGNORE_NULLS) {
        return STATUS_INVALID_PARAMETER;
    }
    if (pszSrc == NULL) {
        return STATUS_SUCCESS;
    }
    size_t length = length_up_to(pszSrc, TRUE, NTSTRSAFE_UNICODE_STRING_MAX_CCH + 1);
    if (length > NTSTRSAFE_UNICODE_STRING_MAX_CCH) {
        return STATUS_INVALID_PARAMETER;
    }
    DestinationString->Buffer = (PWCH)pszSrc;
    DestinationString->Length = (USHORT)(length * sizeof(WCHAR));
    /* The longest text has no room for its null within 16 bits. */
    DestinationString->MaximumLength =
        (USHORT)(min(length + 1, NTSTRSAFE_UNICODE_STRING_MAX_CCH) * sizeof(WCHAR));
    return STATUS_SUCCESS;
}

/* IRQL PASSIVE_LEVEL. STATUS_SUCCESS, STATUS_INVALID_PARAMETER. Rule RTL-84. */
NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING SourceString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    return validate(SourceString, 0);
}

NTSTATUS RtlUnicodeStringValidateEx(PCUNICODE_STRING SourceString, DWORD dwFlags)
{
    if (dwFlags & ~(ULONG)STRSAFE_IGNORE_NULLS) {
        return STATUS_INVALID_PARAMETER;
    }
    return validate(SourceString, dwFlags);
}

static NTSTATUS finish_counted(struct call *call, NTSTATUS status, PUNICODE_STRING destination,
                               PUNICODE_STRING remaining)
{
    status = finish(call, status);
    if (call->is_open) {
        destination->Length = (USHORT)(call->end * sizeof(WCHAR));
    }
    if (remaining != NULL && (NT_SUCCESS(status) || status == STATUS_BUFFER_OVERFLOW)) {
        remaining->Length = 0;
        remaining->MaximumLength = (USHORT)((call->room - call->end) * sizeof(WCHAR));
        remaining->Buffer = call->is_open ? (PWCH)call->text + call->end : call->text;
    }
    return status;
}

/* RTL-83. */
static NTSTATUS transfer(PUNICODE_STRING destination, BOOLEAN at_end, NTSTATUS source_status,
                         struct source source, PUNICODE_STRING remaining, ULONG flags)
{
    struct call call = {.flags = flags};
    NTSTATUS status = open_counted(&call, destination, at_end);
    if (NT_SUCCESS(status)) {
        status = source_status;
    }
    if (NT_SUCCESS(status)) {
        status = write_source(&call, source);
    }
    return finish_counted(&call, status, destination, remaining);
}

static NTSTATUS transfer_counted(PUNICODE_STRING destination, BOOLEAN at_end,
                                 PCUNICODE_STRING string, size_t limit, PUNICODE_STRING remaining,
                                 ULONG flags)
{
    NTSTATUS status = validate(string, flags);
    struct source source = {0};
    if (NT_SUCCESS(status) && string != NULL) {
        source.text = string->Buffer;
        source.count = min(string->Length / sizeof(WCHAR), limit);
    }
    return transfer(destination, at_end, status, source, remaining, flags);
}

static NTSTATUS transfer_text(PUNICODE_STRING destination, BOOLEAN at_end, PCWSTR text,
                              size_t limit, PUNICODE_STRING remaining, ULONG flags)
{
    struct source source = {text, limit, TRUE};
    return transfer(destination, at_end, STATUS_SUCCESS, source, remaining, flags);
}

#define DEFINE_COUNTED(Name, at_end)                                                               \
    NTSTATUS RtlUnicodeString##Name(PUNICODE_STRING DestinationString,                             \
                                    PCUNICODE_STRING SourceString)                                 \
    {                                                                                              \
        return transfer_counted(DestinationString, at_end, SourceString, SIZE_MAX, NULL, 0);       \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlUnicodeString##Name##Ex(PUNICODE_STRING DestinationString,                         \
                                        PCUNICODE_STRING SourceString,                             \
                                        PUNICODE_STRING RemainingString, DWORD dwFlags)            \
    {                                                                                              \
        return transfer_counted(DestinationString, at_end, SourceString, SIZE_MAX,                 \
                                RemainingString, dwFlags);                                         \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlUnicodeString##Name##String(PUNICODE_STRING DestinationString,                     \
                                            NTSTRSAFE_PCWSTR pszSrc)                               \
    {                                                                                              \
        return transfer_text(DestinationString, at_end, pszSrc, SIZE_MAX, NULL, 0);                \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlUnicodeString##Name##StringEx(PUNICODE_STRING DestinationString,                   \
                                              NTSTRSAFE_PCWSTR pszSrc,                             \
                                              PUNICODE_STRING RemainingString, DWORD dwFlags)      \
    {                                                                                              \
        return transfer_text(DestinationString, at_end, pszSrc, SIZE_MAX, RemainingString,         \
                             dwFlags);                                                             \
    }

#define DEFINE_COUNTED_N(Kind, count, Name, at_end, ToDo)                                          \
    NTSTATUS RtlUnicodeString##Kind##Name##N(PUNICODE_STRING DestinationString,                    \
                                             PCUNICODE_STRING SourceString, size_t count##ToDo)    \
    {                                                                                              \
        return transfer_counted(DestinationString, at_end, SourceString,                           \
                                UNITS(Kind, WCHAR, count##ToDo), NULL, 0);                         \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlUnicodeString##Kind##Name##NEx(PUNICODE_STRING DestinationString,                  \
                                               PCUNICODE_STRING SourceString, size_t count##ToDo,  \
                                               PUNICODE_STRING RemainingString, DWORD dwFlags)     \
    {                                                                                              \
        return transfer_counted(DestinationString, at_end, SourceString,                           \
                                UNITS(Kind, WCHAR, count##ToDo), RemainingString, dwFlags);        \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlUnicodeString##Kind##Name##StringN(PUNICODE_STRING DestinationString,              \
                                                   NTSTRSAFE_PCWSTR pszSrc, size_t count##ToDo)    \
    {                                                                                              \
        return transfer_text(DestinationString, at_end, pszSrc, UNITS(Kind, WCHAR, count##ToDo),   \
                             NULL, 0);                                                             \
    }                                                                                              \
                                                                                                   \
    NTSTATUS RtlUnicodeString##Kind##Name##StringNEx(                                              \
        PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc, size_t count##ToDo,            \
        PUNICODE_STRING RemainingString, DWORD dwFlags)                                            \
    {                                                                                              \
        return transfer_text(DestinationString, at_end, pszSrc, UNITS(Kind, WCHAR, count##ToDo),   \
                             RemainingString, dwFlags);                                            \
    }

DEFINE_COUNTED(Copy, FALSE)
DEFINE_COUNTED(Cat, TRUE)
DEFINE_COUNTED_N(Cb, cb, Copy, FALSE, ToCopy)
DEFINE_COUNTED_N(Cch, cch, Copy, FALSE, ToCopy)
DEFINE_COUNTED_N(Cb, cb, Cat, TRUE, ToAppend)
DEFINE_COUNTED_N(Cch, cch, Cat, TRUE, ToAppend)

/* IRQL PASSIVE_LEVEL. STATUS_SUCCESS, STATUS_BUFFER_OVERFLOW, STATUS_INVALID_PARAMETER. RTL-83. */
NTSTATUS RtlUnicodeStringVPrintfEx(PUNICODE_STRING DestinationString,
                                   PUNICODE_STRING RemainingString, DWORD dwFlags,
                                   NTSTRSAFE_PCWSTR pszFormat, va_list argList)
{
    struct call call = {.flags = dwFlags};
    NTSTATUS status = open_counted(&call, DestinationString, FALSE);
    if (NT_SUCCESS(status)) {
        status = write_format(&call, pszFormat, argList);
    }
    return finish_counted(&call, status, DestinationString, RemainingString);
}

NTSTATUS RtlUnicodeStringVPrintf(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszFormat,
                                 va_list argList)
{
    return RtlUnicodeStringVPrintfEx(DestinationString, NULL, 0, pszFormat, argList);
}

NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszFormat, ...)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    va_list arguments;
    va_start(arguments, pszFormat);
    NTSTATUS status = RtlUnicodeStringVPrintf(DestinationString, pszFormat, arguments);
    va_end(arguments);
    return status;
}

NTSTATUS RtlUnicodeStringPrintfEx(PUNICODE_STRING DestinationString,
                                  PUNICODE_STRING RemainingString, DWORD dwFlags,
                                  NTSTRSAFE_PCWSTR pszFormat, ...)
{
    va_list arguments;
    va_start(arguments, pszFormat);
    NTSTATUS status = RtlUnicodeStringVPrintfEx(DestinationString, RemainingString, dwFlags,
                                                pszFormat, arguments);
    va_end(arguments);
    return status;
}
