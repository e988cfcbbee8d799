/*
 * ntintsafe.h - whole numbers that notice when they overflow.
 *
 * For every type below there are RtlXAdd, RtlXSub and RtlXMult, and for every two of them RtlXToY.
 * They return STATUS_SUCCESS, or STATUS_INTEGER_OVERFLOW and a result with all bits set.
 */
#ifndef WDK_NTINTSAFE_H
#define WDK_NTINTSAFE_H
#ifndef _NTINTSAFE_H_INCLUDED_
#define _NTINTSAFE_H_INCLUDED_
#endif

#include "ntdef.h"
#include "ntstatus.h"
#include "minwindef.h"

#define NTINTSAFEAPI static __forceinline NTSTATUS
#define INTSAFE_NTSTATUS_ERROR STATUS_INTEGER_OVERFLOW
#define NTINTSAFE_ERROR STATUS_INTEGER_OVERFLOW

#ifdef __cplusplus
extern "C" {
#endif

/* X(..., name, type); twice, because a macro is not expanded within itself. */
#define WDK_INTSAFE_TYPES(X)                                                                       \
    X(Int8, INT8)                                                                                  \
    X(UInt8, UINT8)                                                                                \
    X(UChar, UCHAR)                                                                                \
    X(Byte, BYTE)                                                                                  \
    X(Short, SHORT)                                                                                \
    X(UShort, USHORT)                                                                              \
    X(Word, WORD)                                                                                  \
    X(Int16, INT16)                                                                                \
    X(UInt16, UINT16)                                                                              \
    X(Int, INT)                                                                                    \
    X(UInt, UINT)                                                                                  \
    X(Int32, INT32)                                                                                \
    X(UInt32, UINT32)                                                                              \
    X(Long, LONG)                                                                                  \
    X(ULong, ULONG)                                                                                \
    X(DWord, DWORD)                                                                                \
    X(IntPtr, INT_PTR)                                                                             \
    X(UIntPtr, UINT_PTR)                                                                           \
    X(LongPtr, LONG_PTR)                                                                           \
    X(ULongPtr, ULONG_PTR)                                                                         \
    X(DWordPtr, DWORD_PTR)                                                                         \
    X(LongLong, LONGLONG)                                                                          \
    X(ULongLong, ULONGLONG)                                                                        \
    X(Long64, LONG64)                                                                              \
    X(ULong64, ULONG64)                                                                            \
    X(DWordLong, DWORDLONG)                                                                        \
    X(Int64, INT64)                                                                                \
    X(UInt64, UINT64)                                                                              \
    X(SizeT, size_t)                                                                               \
    X(SIZET, SIZE_T)                                                                               \
    X(SSIZET, SSIZE_T)                                                                             \
    X(PtrdiffT, ptrdiff_t)

#define WDK_INTSAFE_TARGETS(X, Source, SourceType)                                                 \
    X(Source, SourceType, Int8, INT8)                                                              \
    X(Source, SourceType, UInt8, UINT8)                                                            \
    X(Source, SourceType, UChar, UCHAR)                                                            \
    X(Source, SourceType, Byte, BYTE)                                                              \
    X(Source, SourceType, Char, CHAR)                                                              \
    X(Source, SourceType, Short, SHORT)                                                            \
    X(Source, SourceType, UShort, USHORT)                                                          \
    X(Source, SourceType, Word, WORD)                                                              \
    X(Source, SourceType, Int16, INT16)                                                            \
    X(Source, SourceType, UInt16, UINT16)                                                          \
    X(Source, SourceType, Int, INT)                                                                \
    X(Source, SourceType, UInt, UINT)                                                              \
    X(Source, SourceType, Int32, INT32)                                                            \
    X(Source, SourceType, UInt32, UINT32)                                                          \
    X(Source, SourceType, Long, LONG)                                                              \
    X(Source, SourceType, ULong, ULONG)                                                            \
    X(Source, SourceType, DWord, DWORD)                                                            \
    X(Source, SourceType, IntPtr, INT_PTR)                                                         \
    X(Source, SourceType, UIntPtr, UINT_PTR)                                                       \
    X(Source, SourceType, LongPtr, LONG_PTR)                                                       \
    X(Source, SourceType, ULongPtr, ULONG_PTR)                                                     \
    X(Source, SourceType, DWordPtr, DWORD_PTR)                                                     \
    X(Source, SourceType, LongLong, LONGLONG)                                                      \
    X(Source, SourceType, ULongLong, ULONGLONG)                                                    \
    X(Source, SourceType, Long64, LONG64)                                                          \
    X(Source, SourceType, ULong64, ULONG64)                                                        \
    X(Source, SourceType, DWordLong, DWORDLONG)                                                    \
    X(Source, SourceType, Int64, INT64)                                                            \
    X(Source, SourceType, UInt64, UINT64)                                                          \
    X(Source, SourceType, SizeT, size_t)                                                           \
    X(Source, SourceType, SIZET, SIZE_T)                                                           \
    X(Source, SourceType, SSIZET, SSIZE_T)                                                         \
    X(Source, SourceType, PtrdiffT, ptrdiff_t)

#define WDK_INTSAFE_OPERATION(Name, Type, Operation, overflow)                                     \
    NTINTSAFEAPI Rtl##Name##Operation(Type Left, Type Right, Type *Result)                         \
    {                                                                                              \
        if (overflow(Left, Right, Result)) {                                                       \
            *Result = (Type)-1;                                                                    \
            return STATUS_INTEGER_OVERFLOW;                                                        \
        }                                                                                          \
        return STATUS_SUCCESS;                                                                     \
    }

#define WDK_INTSAFE_ARITHMETIC(Name, Type)                                                         \
    WDK_INTSAFE_OPERATION(Name, Type, Add, __builtin_add_overflow)                                 \
    WDK_INTSAFE_OPERATION(Name, Type, Sub, __builtin_sub_overflow)                                 \
    WDK_INTSAFE_OPERATION(Name, Type, Mult, __builtin_mul_overflow)

#define WDK_INTSAFE_CONVERSION(Source, SourceType, Target, TargetType)                             \
    NTINTSAFEAPI Rtl##Source##To##Target(SourceType Operand, TargetType *Result)                   \
    {                                                                                              \
        if (__builtin_add_overflow(Operand, (SourceType)0, Result)) {                              \
            *Result = (TargetType)-1;                                                              \
            return STATUS_INTEGER_OVERFLOW;                                                        \
        }                                                                                          \
        return STATUS_SUCCESS;                                                                     \
    }

#define WDK_INTSAFE_CONVERSIONS(Source, SourceType)                                                \
    WDK_INTSAFE_TARGETS(WDK_INTSAFE_CONVERSION, Source, SourceType)

WDK_INTSAFE_TYPES(WDK_INTSAFE_ARITHMETIC)
WDK_INTSAFE_TYPES(WDK_INTSAFE_CONVERSIONS)

#undef WDK_INTSAFE_TYPES
#undef WDK_INTSAFE_TARGETS
#undef WDK_INTSAFE_OPERATION
#undef WDK_INTSAFE_ARITHMETIC
#undef WDK_INTSAFE_CONVERSION
#undef WDK_INTSAFE_CONVERSIONS

#ifdef __cplusplus
}
#endif

#endif
