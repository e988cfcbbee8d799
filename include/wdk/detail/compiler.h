/*
 * What compilers disagree about, in one place: Microsoft's keywords spelled for gcc and clang.
 *
 * A driver may write __declspec(anything), __forceinline beside static in either order, __int64,
 * calling conventions and __pragma. Each is a macro here, so that gcc and clang agree on every
 * host; alignment and noreturn keep their meaning, what only means something to Microsoft's linker
 * or analyser becomes nothing.
 */
#ifndef WDK_DETAIL_COMPILER_H
#define WDK_DETAIL_COMPILER_H

/* First, so that a host header with the same names (MinGW's _mingw.h) cannot define them later. */
#include <stddef.h>
#include <stdarg.h>

#include "msvc.h"

#ifndef _MSC_VER

/* A macro on purpose hides clang's keyword of the same name. */
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif

/* The exact 64-bit type is the one that size_t and int64_t have on this host: a SIZE_T * and a
 * size_t * are then one type, as they are on Windows. */
#undef __int8
#undef __int16
#undef __int32
#undef __int64
#define __int8 char
#define __int16 short
#define __int32 int
#if defined(__LP64__)
#define __int64 long
#else
#define __int64 long long
#endif

#undef __cdecl
#undef _cdecl
#undef __stdcall
#undef _stdcall
#undef __fastcall
#undef _fastcall
#undef __thiscall
#undef __vectorcall
#undef __clrcall
#define __cdecl
#define _cdecl
#define __stdcall
#define _stdcall
#define __fastcall
#define _fastcall
#define __thiscall
#define __vectorcall
#define __clrcall

#undef __ptr32
#undef __ptr64
#undef __sptr
#undef __uptr
#undef __w64
#undef __unaligned
#define __ptr32
#define __ptr64
#define __sptr
#define __uptr
#define __w64
#define __unaligned

/* No storage class in it: "static" may stand before or after. */
#undef __forceinline
#undef _inline
#undef _forceinline
#define __forceinline __inline__ __attribute__((__always_inline__))
#define _inline __inline__
#define _forceinline __forceinline

/* clang knows these itself when it is told -fms-extensions. */
#ifdef __has_builtin
#if __has_builtin(__assume)
#define WDK_HAS_ASSUME
#endif
#if __has_builtin(__noop)
#define WDK_HAS_NOOP
#endif
#endif
#ifndef WDK_HAS_ASSUME
#define __assume(expression) ((expression) ? (void)0 : __builtin_unreachable())
#endif
/* With and without an argument list; the arguments are not evaluated. */
#ifndef WDK_HAS_NOOP
#define __noop(...) ((void)0)
enum wdk_noop { __noop = 0 };
#endif
#undef WDK_HAS_ASSUME
#undef WDK_HAS_NOOP

/* Passed on, for the sake of pack; the others are unknown and have no effect. */
#ifndef __pragma
#define __pragma(...) _Pragma(#__VA_ARGS__)
#endif

/* The value is per place of use; writing it twice writes the same letters. */
#ifndef __FUNCTIONW__
#define __FUNCTIONW__                                                                              \
    (__extension__({                                                                               \
        static wchar_t wdk_name[sizeof(__func__)];                                                 \
        for (size_t wdk_index = 0; wdk_index < sizeof(__func__); wdk_index++) {                    \
            wdk_name[wdk_index] = (wchar_t)(unsigned char)__func__[wdk_index];                     \
        }                                                                                          \
        (const wchar_t *)wdk_name;                                                                 \
    }))
#endif
#ifndef __FUNCSIG__
#define __FUNCSIG__ __PRETTY_FUNCTION__
#endif
#ifndef __FUNCDNAME__
#define __FUNCDNAME__ __func__
#endif

#undef __declspec
#define __declspec(attribute) __declspec_##attribute
#ifdef __clang__
#pragma clang diagnostic pop
#endif

#undef _declspec
#define _declspec(attribute) __declspec_##attribute
#define __declspec_
#define __declspec_align(bytes) __attribute__((__aligned__(bytes)))
#define __declspec_allocate(segment)
#define __declspec_allocator
#define __declspec_appdomain
#define __declspec_code_seg(segment)
#define __declspec_deprecated __declspec_deprecated_none
#define __declspec_deprecated_none
#define __declspec_empty_bases
#define __declspec_guard(kind)
#define __declspec_hybrid_guest
#define __declspec_intrin_type
#define __declspec_jitintrinsic
#define __declspec_naked __attribute__((__naked__))
#define __declspec_no_init_all
#define __declspec_no_sanitize_address
#define __declspec_noalias
#define __declspec_noinline __attribute__((__noinline__))
#define __declspec_noreturn __attribute__((__noreturn__))
#define __declspec_nothrow __attribute__((__nothrow__))
#define __declspec_novtable
#define __declspec_process
#define __declspec_property(accessors)
#define __declspec_restrict
#define __declspec_safebuffers
#define __declspec_spectre(mode)
#define __declspec_thread __thread
#define __declspec_uuid(text)
/* Kept by Microsoft's spelling with underscores as well. */
#define __declspec___noreturn__ __attribute__((__noreturn__))
#define __declspec___dllimport__ __declspec_dllimport
#define __declspec___dllexport__ __declspec_dllexport
#ifdef _WIN32
#define __declspec_dllexport __attribute__((__dllexport__))
#define __declspec_dllimport __attribute__((__dllimport__))
#define __declspec_selectany __attribute__((__selectany__))
#else
#define __declspec_dllexport
#define __declspec_dllimport
#define __declspec_selectany __attribute__((__weak__))
#endif

#endif /* !_MSC_VER */

#ifndef FORCEINLINE
#define FORCEINLINE __forceinline
#endif
#ifndef CFORCEINLINE
#define CFORCEINLINE FORCEINLINE
#endif
#ifndef STKFORCEINLINE
#define STKFORCEINLINE FORCEINLINE
#endif
#ifndef FORCENOINLINE
#define FORCENOINLINE __declspec(noinline)
#endif

#define NTAPI __stdcall
#define WINAPI __stdcall
#define APIENTRY WINAPI
#define CALLBACK __stdcall
#define PASCAL __stdcall
#define WINAPIV __cdecl
#define STDMETHODCALLTYPE __stdcall
#define FASTCALL __fastcall
#define STDAPICALLTYPE __stdcall
#ifndef CDECL
#define CDECL __cdecl
#endif

#define DECLSPEC_NORETURN __declspec(noreturn)
#define DECLSPEC_NOINLINE __declspec(noinline)
#define DECLSPEC_NOTHROW __declspec(nothrow)
#define DECLSPEC_ALIGN(bytes) __declspec(align(bytes))
#define DECLSPEC_SELECTANY __declspec(selectany)
#define DECLSPEC_NOVTABLE __declspec(novtable)
#define DECLSPEC_UUID(text) __declspec(uuid(text))
#define DECLSPEC_DEPRECATED __declspec(deprecated)
#define DECLSPEC_DEPRECATED_DDK
#define DECLSPEC_NOINITALL
#define DECLSPEC_GUARDNOCF __declspec(guard(nocf))
#define DECLSPEC_GUARD_SUPPRESS
#define DECLSPEC_CHPE_GUEST
#define DECLSPEC_ADDRSAFE
#define DECLSPEC_XFGVIRT(base, function)
/* The kernel is linked statically to the driver: nothing is imported through a table. */
#define DECLSPEC_IMPORT
#define DECLSPEC_EXPORT
#define SYSTEM_CACHE_ALIGNMENT_SIZE 64
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(SYSTEM_CACHE_ALIGNMENT_SIZE)

#define NTSYSAPI
#define NTSYSCALLAPI
#define NTKERNELAPI
#define NTHALAPI
#define NTSYSAPI_KERNEL
#define NTKERNELAPI_NORETURN
#define NTDDKAPI

#ifndef RESTRICTED_POINTER
#define RESTRICTED_POINTER __restrict
#endif
#undef UNALIGNED
#define UNALIGNED
#define UNALIGNED64
#define POINTER_32
#define POINTER_64
#define FIRMWARE_PTR
#undef _ANONYMOUS_UNION
#undef _ANONYMOUS_STRUCT
#define _ANONYMOUS_UNION __extension__
#define _ANONYMOUS_STRUCT __extension__

#ifdef __cplusplus
#define EXTERN_C extern "C"
#define EXTERN_C_START extern "C" {
#define EXTERN_C_END }
#define C_ASSERT(condition) static_assert(condition, #condition)
#else
#define EXTERN_C extern
#define EXTERN_C_START
#define EXTERN_C_END
#define C_ASSERT(condition) _Static_assert(condition, #condition)
/* Before C23 the plain word comes with <assert.h> only; Microsoft's compiler always knows it. */
#if !defined(static_assert) && (!defined(__STDC_VERSION__) || __STDC_VERSION__ < 202311L)
#define static_assert _Static_assert
#endif
#endif

/* A name that must not meet the host library's function of the same name: the declaration keeps
 * the name, the linker sees ours. The first is for the C runtime's names, which mean the same in
 * Windows' own C library; the second for the kernel's that Windows' user mode has too. */
#if defined(_WIN32)
#define WDK_LINK_NAME(name)
#else
#define WDK_LINK_NAME(name) __asm__("wskemu_" name)
#endif
#if defined(_MSC_VER) && !defined(__clang__)
#define WDK_KERNEL_LINK_NAME(                                                                      \
    name) /* no such word: both meet, and the linker must find ours first */
#else
#define WDK_KERNEL_LINK_NAME(name) __asm__("wskemu_" name)
#endif

#endif
