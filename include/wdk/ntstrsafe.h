/*
 * ntstrsafe.h - strings with bounds.
 *
 * Cb functions count bytes, Cch functions characters, both with the null. They return
 * STATUS_SUCCESS, STATUS_BUFFER_OVERFLOW (cut off, but ended by a null) or
 * STATUS_INVALID_PARAMETER. The Ex forms also take flags and return the end of the text and what
 * room is left. Functions for UNICODE_STRING write no null.
 */
#ifndef WDK_NTSTRSAFE_H
#define WDK_NTSTRSAFE_H
#ifndef _NTSTRSAFE_H_INCLUDED_
#define _NTSTRSAFE_H_INCLUDED_
#endif

#include "ntdef.h"
#include "ntstatus.h"
#include "minwindef.h"

#include <stdarg.h>

#define NTSTRSAFE_MAX_CCH 2147483647
#define NTSTRSAFE_MAX_LENGTH (NTSTRSAFE_MAX_CCH - 1)
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH (0xffff / sizeof(wchar_t))

#define STRSAFE_IGNORE_NULLS 0x00000100
#define STRSAFE_FILL_BEHIND_NULL 0x00000200
#define STRSAFE_FILL_BEHIND 0x00000200
#define STRSAFE_FILL_ON_FAILURE 0x00000400
#define STRSAFE_NULL_ON_FAILURE 0x00000800
#define STRSAFE_ZERO_LENGTH_ON_FAILURE 0x00000800
#define STRSAFE_NO_TRUNCATION 0x00001000
#define STRSAFE_VALID_FLAGS                                                                        \
    (0x000000FF | STRSAFE_IGNORE_NULLS | STRSAFE_FILL_BEHIND_NULL | STRSAFE_FILL_ON_FAILURE |      \
     STRSAFE_NULL_ON_FAILURE | STRSAFE_NO_TRUNCATION)
#define STRSAFE_FILL_BYTE(x) ((DWORD)(((x)&0x000000FF) | STRSAFE_FILL_BEHIND_NULL))
#define STRSAFE_FAILURE_BYTE(x) ((DWORD)(((x)&0x000000FF) | STRSAFE_FILL_ON_FAILURE))
#define STRSAFE_GET_FILL_PATTERN(dwFlags) ((int)((dwFlags)&0x000000FF))

#define NTSTRSAFEDDI NTSTATUS NTAPI
#define NTSTRSAFEAPI NTSTRSAFEDDI

typedef char *STRSAFE_LPSTR, *NTSTRSAFE_PSTR;
typedef const char *STRSAFE_LPCSTR, *STRSAFE_PCNZCH, *NTSTRSAFE_PCSTR;
typedef wchar_t *STRSAFE_LPWSTR, *NTSTRSAFE_PWSTR;
typedef const wchar_t *STRSAFE_LPCWSTR, *STRSAFE_PCNZWCH, *NTSTRSAFE_PCWSTR;

#ifdef __ELF__
#pragma GCC visibility push(default)
#endif
#ifdef __cplusplus
extern "C" {
#endif

/* One of four families: Kind Cb or Cch, count cb or cch, Letter A or W. */
#define WDK_STRSAFE_FAMILY(Kind, count, Letter, Type)                                              \
    NTSTATUS RtlString##Kind##Copy##Letter(Type *pszDest, size_t count##Dest, const Type *pszSrc); \
    NTSTATUS RtlString##Kind##CopyEx##Letter(Type *pszDest, size_t count##Dest,                    \
                                             const Type *pszSrc, Type **ppszDestEnd,               \
                                             size_t *p##count##Remaining, ULONG dwFlags);          \
    NTSTATUS RtlString##Kind##CopyN##Letter(Type *pszDest, size_t count##Dest, const Type *pszSrc, \
                                            size_t count##ToCopy);                                 \
    NTSTATUS RtlString##Kind##CopyNEx##Letter(                                                     \
        Type *pszDest, size_t count##Dest, const Type *pszSrc, size_t count##ToCopy,               \
        Type **ppszDestEnd, size_t *p##count##Remaining, ULONG dwFlags);                           \
    NTSTATUS RtlString##Kind##Cat##Letter(Type *pszDest, size_t count##Dest, const Type *pszSrc);  \
    NTSTATUS RtlString##Kind##CatEx##Letter(Type *pszDest, size_t count##Dest, const Type *pszSrc, \
                                            Type **ppszDestEnd, size_t *p##count##Remaining,       \
                                            ULONG dwFlags);                                        \
    NTSTATUS RtlString##Kind##CatN##Letter(Type *pszDest, size_t count##Dest, const Type *pszSrc,  \
                                           size_t count##ToAppend);                                \
    NTSTATUS RtlString##Kind##CatNEx##Letter(                                                      \
        Type *pszDest, size_t count##Dest, const Type *pszSrc, size_t count##ToAppend,             \
        Type **ppszDestEnd, size_t *p##count##Remaining, ULONG dwFlags);                           \
    NTSTATUS RtlString##Kind##Printf##Letter(Type *pszDest, size_t count##Dest,                    \
                                             const Type *pszFormat, ...);                          \
    NTSTATUS RtlString##Kind##PrintfEx##Letter(Type *pszDest, size_t count##Dest,                  \
                                               Type **ppszDestEnd, size_t *p##count##Remaining,    \
                                               ULONG dwFlags, const Type *pszFormat, ...);         \
    NTSTATUS RtlString##Kind##VPrintf##Letter(Type *pszDest, size_t count##Dest,                   \
                                              const Type *pszFormat, va_list argList);             \
    NTSTATUS RtlString##Kind##VPrintfEx##Letter(                                                   \
        Type *pszDest, size_t count##Dest, Type **ppszDestEnd, size_t *p##count##Remaining,        \
        ULONG dwFlags, const Type *pszFormat, va_list argList);                                    \
    NTSTATUS RtlString##Kind##Length##Letter(const Type *psz, size_t count##Max,                   \
                                             size_t *p##count##Length)

WDK_STRSAFE_FAMILY(Cb, cb, A, char);
WDK_STRSAFE_FAMILY(Cb, cb, W, wchar_t);
WDK_STRSAFE_FAMILY(Cch, cch, A, char);
WDK_STRSAFE_FAMILY(Cch, cch, W, wchar_t);
#undef WDK_STRSAFE_FAMILY

#define RtlUnalignedStringCchLengthW RtlStringCchLengthW
#define RtlUnalignedStringCbLengthW RtlStringCbLengthW

NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc);
NTSTATUS RtlUnicodeStringInitEx(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc,
                                DWORD dwFlags);
NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING SourceString);
NTSTATUS RtlUnicodeStringValidateEx(PCUNICODE_STRING SourceString, DWORD dwFlags);

NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString);
NTSTATUS RtlUnicodeStringCopyEx(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                PUNICODE_STRING RemainingString, DWORD dwFlags);
NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc);
NTSTATUS RtlUnicodeStringCopyStringEx(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc,
                                      PUNICODE_STRING RemainingString, DWORD dwFlags);
NTSTATUS RtlUnicodeStringCat(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString);
NTSTATUS RtlUnicodeStringCatEx(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                               PUNICODE_STRING RemainingString, DWORD dwFlags);
NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc);
NTSTATUS RtlUnicodeStringCatStringEx(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc,
                                     PUNICODE_STRING RemainingString, DWORD dwFlags);

#define WDK_STRSAFE_COUNTED(Kind, count)                                                           \
    NTSTATUS RtlUnicodeString##Kind##CopyN(PUNICODE_STRING DestinationString,                      \
                                           PCUNICODE_STRING SourceString, size_t count##ToCopy);   \
    NTSTATUS RtlUnicodeString##Kind##CopyNEx(PUNICODE_STRING DestinationString,                    \
                                             PCUNICODE_STRING SourceString, size_t count##ToCopy,  \
                                             PUNICODE_STRING RemainingString, DWORD dwFlags);      \
    NTSTATUS RtlUnicodeString##Kind##CopyStringN(PUNICODE_STRING DestinationString,                \
                                                 NTSTRSAFE_PCWSTR pszSrc, size_t count##ToCopy);   \
    NTSTATUS RtlUnicodeString##Kind##CopyStringNEx(                                                \
        PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc, size_t count##ToCopy,          \
        PUNICODE_STRING RemainingString, DWORD dwFlags);                                           \
    NTSTATUS RtlUnicodeString##Kind##CatN(PUNICODE_STRING DestinationString,                       \
                                          PCUNICODE_STRING SourceString, size_t count##ToAppend);  \
    NTSTATUS RtlUnicodeString##Kind##CatNEx(PUNICODE_STRING DestinationString,                     \
                                            PCUNICODE_STRING SourceString, size_t count##ToAppend, \
                                            PUNICODE_STRING RemainingString, DWORD dwFlags);       \
    NTSTATUS RtlUnicodeString##Kind##CatStringN(PUNICODE_STRING DestinationString,                 \
                                                NTSTRSAFE_PCWSTR pszSrc, size_t count##ToAppend);  \
    NTSTATUS RtlUnicodeString##Kind##CatStringNEx(PUNICODE_STRING DestinationString,               \
                                                  NTSTRSAFE_PCWSTR pszSrc, size_t count##ToAppend, \
                                                  PUNICODE_STRING RemainingString, DWORD dwFlags)

WDK_STRSAFE_COUNTED(Cb, cb);
WDK_STRSAFE_COUNTED(Cch, cch);
#undef WDK_STRSAFE_COUNTED

NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszFormat, ...);
NTSTATUS RtlUnicodeStringPrintfEx(PUNICODE_STRING DestinationString,
                                  PUNICODE_STRING RemainingString, DWORD dwFlags,
                                  NTSTRSAFE_PCWSTR pszFormat, ...);
NTSTATUS RtlUnicodeStringVPrintf(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszFormat,
                                 va_list argList);
NTSTATUS RtlUnicodeStringVPrintfEx(PUNICODE_STRING DestinationString,
                                   PUNICODE_STRING RemainingString, DWORD dwFlags,
                                   NTSTRSAFE_PCWSTR pszFormat, va_list argList);

#ifdef __cplusplus
}
#endif
#ifdef __ELF__
#pragma GCC visibility pop
#endif

#endif
