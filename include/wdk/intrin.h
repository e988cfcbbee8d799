/*
 * Compiler intrinsics: barriers, processor hints, traps, wide arithmetic, and the interlocked ones.
 */
#ifndef WDK_INTRIN_H
#define WDK_INTRIN_H
/* MinGW's own header of this name must stay out: its guard. */
#ifndef __INTRIN_H_
#define __INTRIN_H_
#endif

#include "detail/compiler.h"
#include "detail/interlocked.h"

#ifdef _WIN32
#include <stdlib.h>
#endif
#ifdef WDK_MSVC
#include <emmintrin.h>
#elif defined(__x86_64__)
#include <emmintrin.h>
#if __has_include(<x86gprintrin.h>)
#include <x86gprintrin.h>
#else
#include <x86intrin.h>
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* For the compiler only. */
#define _ReadWriteBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define _ReadBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define _WriteBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define KeMemoryBarrierWithoutFence() _ReadWriteBarrier()

/* For the processor too. */
#define __faststorefence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define MemoryBarrier() __faststorefence()
#define FastFence() __faststorefence()
#define LoadFence() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define MemoryFence() __faststorefence()
#define StoreFence() __atomic_thread_fence(__ATOMIC_RELEASE)
#define KeMemoryBarrier() __faststorefence()
#define SpeculationFence() __faststorefence()

#ifdef WDK_MSVC
#define YieldProcessor() _mm_pause()
#define __int2c() __debugbreak()
#elif defined(__x86_64__)
#define YieldProcessor() _mm_pause()
#define __nop() __asm__ volatile("nop")
#define __debugbreak() __asm__ volatile("int3")
#define __int2c() __asm__ volatile("int3")
#else
#define YieldProcessor() __asm__ volatile("" ::: "memory")
#define __nop() __asm__ volatile("nop")
#define __debugbreak() __builtin_trap()
#define __int2c() __builtin_trap()
#endif

#ifndef WDK_MSVC
#define __ud2() __builtin_trap()
#define _ReturnAddress() __builtin_return_address(0)
#define _AddressOfReturnAddress() ((void *)((char *)__builtin_frame_address(0) + sizeof(void *)))
#endif

#define PF_TEMPORAL_LEVEL_1 3
#define PF_TEMPORAL_LEVEL_2 2
#define PF_TEMPORAL_LEVEL_3 1
#define PF_NON_TEMPORAL_LEVEL_ALL 0
#define PrefetchForWrite(p) __builtin_prefetch((const void *)(p), 1)
#define PreFetchCacheLine(l, a) __builtin_prefetch((const void *)(a), 0, l)
#define ReadForWriteAccess(p) (__builtin_prefetch((const void *)(p), 1), *(p))

/* Stops the system at once with the given FAST_FAIL_... code. */
#ifdef __ELF__
#pragma GCC visibility push(default)
#endif
DECLSPEC_NORETURN void wskemu_fastfail(unsigned int code);
#ifdef __ELF__
#pragma GCC visibility pop
#endif
#define __fastfail(code) wskemu_fastfail(code)

#ifdef WDK_MSVC
#define MultiplyHigh __mulh
#define UnsignedMultiplyHigh __umulh
#else
static __forceinline __int64 MultiplyHigh(__int64 Multiplier, __int64 Multiplicand)
{
    return (__int64)((__extension__(__int128) Multiplier * Multiplicand) >> 64);
}

static __forceinline unsigned __int64 UnsignedMultiplyHigh(unsigned __int64 Multiplier,
                                                           unsigned __int64 Multiplicand)
{
    return (unsigned __int64)((__extension__(unsigned __int128) Multiplier * Multiplicand) >> 64);
}

#define __mulh MultiplyHigh
#define __umulh UnsignedMultiplyHigh
#endif

static __forceinline __int64 Multiply128(__int64 Multiplier, __int64 Multiplicand,
                                         __int64 *HighProduct)
{
    *HighProduct = MultiplyHigh(Multiplier, Multiplicand);
    return (__int64)((unsigned __int64)Multiplier * (unsigned __int64)Multiplicand);
}

static __forceinline unsigned __int64 UnsignedMultiply128(unsigned __int64 Multiplier,
                                                          unsigned __int64 Multiplicand,
                                                          unsigned __int64 *HighProduct)
{
    *HighProduct = UnsignedMultiplyHigh(Multiplier, Multiplicand);
    return Multiplier * Multiplicand;
}

#define _mul128 Multiply128
#define _umul128 UnsignedMultiply128
#define __emul(a, b) ((__int64)(int)(a) * (__int64)(int)(b))
#define __emulu(a, b) ((unsigned __int64)(unsigned int)(a) * (unsigned __int64)(unsigned int)(b))

#ifdef WDK_MSVC
#define PopulationCount64 __popcnt64
#else
#define __popcnt16(value) ((unsigned short)__builtin_popcount((unsigned short)(value)))
#define __popcnt(value) ((unsigned int)__builtin_popcount(value))
#define __popcnt64(value) ((unsigned __int64)__builtin_popcountll(value))
#define PopulationCount64 __popcnt64

#define _byteswap_ushort(value) ((unsigned short)__builtin_bswap16(value))
#define _byteswap_ulong(value) ((unsigned int)__builtin_bswap32(value))
#define _byteswap_uint64(value) ((unsigned __int64)__builtin_bswap64(value))

static __forceinline void wdk_cpuid(int info[4], int leaf, int subleaf)
{
#if defined(__x86_64__)
    __asm__ volatile("cpuid"
                     : "=a"(info[0]), "=b"(info[1]), "=c"(info[2]), "=d"(info[3])
                     : "0"(leaf), "2"(subleaf));
#else
    (void)leaf;
    (void)subleaf;
    info[0] = info[1] = info[2] = info[3] = 0;
#endif
}

#undef __cpuid
#define __cpuid(info, leaf) wdk_cpuid(info, leaf, 0)
#define __cpuidex(info, leaf, subleaf) wdk_cpuid(info, leaf, subleaf)
#endif

/*
 * The string instructions. Plain loops, which sanitizers can follow; for the compiler they have
 * happened when they return, even to memory that nobody reads again. Moves go upwards one by one,
 * so that what overlaps repeats.
 */
#ifndef WDK_MSVC
#define WDK_STRING_INSTRUCTIONS(letter, type)                                                      \
    static __forceinline void wdk_stos##letter(type *Destination, type Data, size_t Count)         \
    {                                                                                              \
        for (size_t index = 0; index < Count; index++) {                                           \
            Destination[index] = Data;                                                             \
        }                                                                                          \
        __asm__ volatile("" : : "r"(Destination) : "memory");                                      \
    }                                                                                              \
    static __forceinline void wdk_movs##letter(type *Destination, const type *Source,              \
                                               size_t Count)                                       \
    {                                                                                              \
        for (size_t index = 0; index < Count; index++) {                                           \
            Destination[index] = Source[index];                                                    \
        }                                                                                          \
        __asm__ volatile("" : : "r"(Destination) : "memory");                                      \
    }

WDK_STRING_INSTRUCTIONS(b, unsigned char)
WDK_STRING_INSTRUCTIONS(w, unsigned short)
WDK_STRING_INSTRUCTIONS(d, unsigned int)
WDK_STRING_INSTRUCTIONS(q, unsigned __int64)
#undef WDK_STRING_INSTRUCTIONS

#define __stosb(Destination, Data, Count) wdk_stosb(Destination, Data, Count)
#define __stosw(Destination, Data, Count) wdk_stosw(Destination, Data, Count)
#define __stosd(Destination, Data, Count) wdk_stosd(Destination, Data, Count)
#define __stosq(Destination, Data, Count) wdk_stosq(Destination, Data, Count)
#define __movsb(Destination, Source, Count) wdk_movsb(Destination, Source, Count)
#define __movsw(Destination, Source, Count) wdk_movsw(Destination, Source, Count)
#define __movsd(Destination, Source, Count) wdk_movsd(Destination, Source, Count)
#define __movsq(Destination, Source, Count) wdk_movsq(Destination, Source, Count)
#else
/* ULONG is an int here. */
#define __stosd(Destination, Data, Count) __stosd((unsigned long *)(Destination), Data, Count)
#define __movsd(Destination, Source, Count)                                                        \
    __movsd((unsigned long *)(Destination), (unsigned long const *)(Source), Count)
#endif

#define ReadTimeStampCounter() __rdtsc()

#ifdef __cplusplus
}
#endif

#endif
