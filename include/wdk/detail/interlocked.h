/*
 * Interlocked operations, ordered loads and stores, and the bit instructions.
 *
 * All interlocked ones are sequentially consistent, whatever fence their name asks for: a stronger
 * order than asked is always right. Each is a function, because drivers define macros of the same
 * names around them. The names with an underscore are macros, because clang has its own ideas of
 * those.
 */
#ifndef WDK_DETAIL_INTERLOCKED_H
#define WDK_DETAIL_INTERLOCKED_H

#include "compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Increment, Decrement and Add return the new value, all others the old one. */
#define WDK_INTERLOCKED_FUNCTION(type, name) static __forceinline type Interlocked##name

#define WDK_INTERLOCKED(type, fence, width)                                                        \
    WDK_INTERLOCKED_FUNCTION(type, Increment##fence##width)(type volatile * Addend)                \
    {                                                                                              \
        return (type)__atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);                              \
    }                                                                                              \
    WDK_INTERLOCKED_FUNCTION(type, Decrement##fence##width)(type volatile * Addend)                \
    {                                                                                              \
        return (type)__atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);                              \
    }                                                                                              \
    WDK_INTERLOCKED_FUNCTION(type, Add##fence##width)(type volatile * Addend, type Value)          \
    {                                                                                              \
        return (type)__atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);                          \
    }                                                                                              \
    WDK_INTERLOCKED_FUNCTION(type, ExchangeAdd##fence##width)(type volatile * Addend, type Value)  \
    {                                                                                              \
        return (type)__atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);                          \
    }                                                                                              \
    WDK_INTERLOCKED_FUNCTION(type, Exchange##fence##width)(type volatile * Target, type Value)     \
    {                                                                                              \
        return (type)__atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);                         \
    }                                                                                              \
    WDK_INTERLOCKED_FUNCTION(type, CompareExchange##fence##width)                                  \
    (type volatile * Destination, type ExChange, type Comperand)                                   \
    {                                                                                              \
        __atomic_compare_exchange_n(Destination, &Comperand, ExChange, 0, __ATOMIC_SEQ_CST,        \
                                    __ATOMIC_SEQ_CST);                                             \
        return Comperand;                                                                          \
    }                                                                                              \
    WDK_INTERLOCKED_FUNCTION(type, And##fence##width)(type volatile * Destination, type Value)     \
    {                                                                                              \
        return (type)__atomic_fetch_and(Destination, Value, __ATOMIC_SEQ_CST);                     \
    }                                                                                              \
    WDK_INTERLOCKED_FUNCTION(type, Or##fence##width)(type volatile * Destination, type Value)      \
    {                                                                                              \
        return (type)__atomic_fetch_or(Destination, Value, __ATOMIC_SEQ_CST);                      \
    }                                                                                              \
    WDK_INTERLOCKED_FUNCTION(type, Xor##fence##width)(type volatile * Destination, type Value)     \
    {                                                                                              \
        return (type)__atomic_fetch_xor(Destination, Value, __ATOMIC_SEQ_CST);                     \
    }

#define WDK_INTERLOCKED_WIDTHS(fence)                                                              \
    WDK_INTERLOCKED(char, fence, 8)                                                                \
    WDK_INTERLOCKED(short, fence, 16)                                                              \
    WDK_INTERLOCKED(int, fence, )                                                                  \
    WDK_INTERLOCKED(__int64, fence, 64)

WDK_INTERLOCKED_WIDTHS()
WDK_INTERLOCKED_WIDTHS(Acquire)
WDK_INTERLOCKED_WIDTHS(Release)
WDK_INTERLOCKED_WIDTHS(NoFence)

#define WDK_INTERLOCKED_POINTER(fence)                                                             \
    WDK_INTERLOCKED_FUNCTION(void *, ExchangePointer##fence)(void *volatile *Target, void *Value)  \
    {                                                                                              \
        return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);                               \
    }                                                                                              \
    WDK_INTERLOCKED_FUNCTION(void *, CompareExchangePointer##fence)                                \
    (void *volatile *Destination, void *Exchange, void *Comperand)                                 \
    {                                                                                              \
        __atomic_compare_exchange_n(Destination, &Comperand, Exchange, 0, __ATOMIC_SEQ_CST,        \
                                    __ATOMIC_SEQ_CST);                                             \
        return Comperand;                                                                          \
    }

WDK_INTERLOCKED_POINTER()
WDK_INTERLOCKED_POINTER(Acquire)
WDK_INTERLOCKED_POINTER(Release)
WDK_INTERLOCKED_POINTER(NoFence)

/* The unsigned ones return the old value. */
static __forceinline unsigned int InterlockedExchangeSubtract(unsigned int volatile *Addend,
                                                              unsigned int Value)
{
    return __atomic_fetch_sub(Addend, Value, __ATOMIC_SEQ_CST);
}

static __forceinline unsigned __int64 InterlockedExchangeAddSizeT(unsigned __int64 volatile *Addend,
                                                                  unsigned __int64 Value)
{
    return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);
}

static __forceinline unsigned __int64 InterlockedIncrementSizeT(unsigned __int64 volatile *Addend)
{
    return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

static __forceinline unsigned __int64 InterlockedDecrementSizeT(unsigned __int64 volatile *Addend)
{
    return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

static __forceinline unsigned __int64 InterlockedExchangeSizeT(unsigned __int64 volatile *Target,
                                                               unsigned __int64 Value)
{
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

#if defined(__x86_64__)
/* By hand: gcc would call a library for it. Destination must lie on a 16-byte boundary. */
static __forceinline unsigned char InterlockedCompareExchange128(__int64 volatile *Destination,
                                                                 __int64 ExchangeHigh,
                                                                 __int64 ExchangeLow,
                                                                 __int64 *ComparandResult)
{
#ifdef WDK_MSVC
    return wdk_compare_exchange_128(Destination, ExchangeHigh, ExchangeLow, ComparandResult);
#else
    unsigned char equal;

    __asm__ volatile("lock; cmpxchg16b %1\n\tsetz %0"
                     : "=q"(equal), "+m"(*(__int64 volatile(*)[2])Destination),
                       "+a"(ComparandResult[0]), "+d"(ComparandResult[1])
                     : "b"(ExchangeLow), "c"(ExchangeHigh)
                     : "cc", "memory");
    return equal;
#endif
}
#define _InterlockedCompareExchange128 InterlockedCompareExchange128
#endif

/* Offsets may point beyond the first word, also backwards, as the instruction allows. */
#define WDK_BIT_TEST(type, bits, width)                                                            \
    static __forceinline unsigned char BitTest##width(type const *Base, type Offset)               \
    {                                                                                              \
        return (unsigned char)((Base[Offset >> bits] >> (Offset & ((1 << bits) - 1))) & 1);        \
    }                                                                                              \
    static __forceinline unsigned char BitTestAndSet##width(type *Base, type Offset)               \
    {                                                                                              \
        unsigned char old = BitTest##width(Base, Offset);                                          \
                                                                                                   \
        Base[Offset >> bits] |= (type)((unsigned type)1 << (Offset & ((1 << bits) - 1)));          \
        return old;                                                                                \
    }                                                                                              \
    static __forceinline unsigned char BitTestAndReset##width(type *Base, type Offset)             \
    {                                                                                              \
        unsigned char old = BitTest##width(Base, Offset);                                          \
                                                                                                   \
        Base[Offset >> bits] &= (type) ~((unsigned type)1 << (Offset & ((1 << bits) - 1)));        \
        return old;                                                                                \
    }                                                                                              \
    static __forceinline unsigned char BitTestAndComplement##width(type *Base, type Offset)        \
    {                                                                                              \
        unsigned char old = BitTest##width(Base, Offset);                                          \
                                                                                                   \
        Base[Offset >> bits] ^= (type)((unsigned type)1 << (Offset & ((1 << bits) - 1)));          \
        return old;                                                                                \
    }

WDK_BIT_TEST(int, 5, )
WDK_BIT_TEST(__int64, 6, 64)

#define WDK_INTERLOCKED_BIT(type, bits, width)                                                     \
    static __forceinline unsigned char InterlockedBitTestAndSet##width(type volatile *Base,        \
                                                                       type Offset)                \
    {                                                                                              \
        type mask = (type)((unsigned type)1 << (Offset & ((1 << bits) - 1)));                      \
                                                                                                   \
        return (__atomic_fetch_or(&Base[Offset >> bits], mask, __ATOMIC_SEQ_CST) & mask) != 0;     \
    }                                                                                              \
    static __forceinline unsigned char InterlockedBitTestAndReset##width(type volatile *Base,      \
                                                                         type Offset)              \
    {                                                                                              \
        type mask = (type)((unsigned type)1 << (Offset & ((1 << bits) - 1)));                      \
                                                                                                   \
        return (__atomic_fetch_and(&Base[Offset >> bits], ~mask, __ATOMIC_SEQ_CST) & mask) != 0;   \
    }                                                                                              \
    static __forceinline unsigned char InterlockedBitTestAndComplement##width(type volatile *Base, \
                                                                              type Offset)         \
    {                                                                                              \
        type mask = (type)((unsigned type)1 << (Offset & ((1 << bits) - 1)));                      \
                                                                                                   \
        return (__atomic_fetch_xor(&Base[Offset >> bits], mask, __ATOMIC_SEQ_CST) & mask) != 0;    \
    }

WDK_INTERLOCKED_BIT(int, 5, )
WDK_INTERLOCKED_BIT(__int64, 6, 64)

/* Return 0 for an empty mask and leave *Index alone then. */
#define WDK_BIT_SCAN(type, width, highest, leading, trailing)                                      \
    static __forceinline unsigned char BitScanForward##width(unsigned int *Index, type Mask)       \
    {                                                                                              \
        if (Mask == 0) {                                                                           \
            return 0;                                                                              \
        }                                                                                          \
        *Index = (unsigned int)trailing(Mask);                                                     \
        return 1;                                                                                  \
    }                                                                                              \
    static __forceinline unsigned char BitScanReverse##width(unsigned int *Index, type Mask)       \
    {                                                                                              \
        if (Mask == 0) {                                                                           \
            return 0;                                                                              \
        }                                                                                          \
        *Index = (unsigned int)(highest - leading(Mask));                                          \
        return 1;                                                                                  \
    }

WDK_BIT_SCAN(unsigned int, , 31, __builtin_clz, __builtin_ctz)
WDK_BIT_SCAN(unsigned __int64, 64, 63, __builtin_clzll, __builtin_ctzll)

/*
 * Ordered loads and stores: Read<prefix><order><width>, as ReadNoFence64, ReadULong64Acquire.
 */
#define WDK_ORDERED(type, prefix, width)                                                           \
    static __forceinline type Read##prefix##Acquire##width(type const volatile *Source)            \
    {                                                                                              \
        return (type)__atomic_load_n(Source, __ATOMIC_ACQUIRE);                                    \
    }                                                                                              \
    static __forceinline type Read##prefix##NoFence##width(type const volatile *Source)            \
    {                                                                                              \
        return (type)__atomic_load_n(Source, __ATOMIC_RELAXED);                                    \
    }                                                                                              \
    static __forceinline type Read##prefix##Raw##width(type const volatile *Source)                \
    {                                                                                              \
        return (type)__atomic_load_n(Source, __ATOMIC_RELAXED);                                    \
    }                                                                                              \
    static __forceinline void Write##prefix##Release##width(type volatile *Destination,            \
                                                            type Value)                            \
    {                                                                                              \
        __atomic_store_n(Destination, Value, __ATOMIC_RELEASE);                                    \
    }                                                                                              \
    static __forceinline void Write##prefix##NoFence##width(type volatile *Destination,            \
                                                            type Value)                            \
    {                                                                                              \
        __atomic_store_n(Destination, Value, __ATOMIC_RELAXED);                                    \
    }                                                                                              \
    static __forceinline void Write##prefix##Raw##width(type volatile *Destination, type Value)    \
    {                                                                                              \
        __atomic_store_n(Destination, Value, __ATOMIC_RELAXED);                                    \
    }

typedef void *wdk_pointer;

WDK_ORDERED(int, , )
WDK_ORDERED(char, , 8)
WDK_ORDERED(short, , 16)
WDK_ORDERED(__int64, , 64)
WDK_ORDERED(wdk_pointer, Pointer, )
WDK_ORDERED(unsigned char, Boolean, )
WDK_ORDERED(unsigned char, UChar, )
WDK_ORDERED(unsigned char, UInt8, )
WDK_ORDERED(signed char, Int8, )
WDK_ORDERED(unsigned short, UShort, )
WDK_ORDERED(unsigned short, UInt16, )
WDK_ORDERED(short, Int16, )
WDK_ORDERED(unsigned int, ULong, )
WDK_ORDERED(unsigned int, UInt32, )
WDK_ORDERED(int, Int32, )
WDK_ORDERED(unsigned __int64, ULong64, )
WDK_ORDERED(unsigned __int64, UInt64, )
WDK_ORDERED(__int64, Int64, )
WDK_ORDERED(__int64, LongPtr, )
WDK_ORDERED(unsigned __int64, ULongPtr, )
WDK_ORDERED(unsigned __int64, SizeT, )

#undef WDK_ORDERED
#undef WDK_BIT_SCAN
#undef WDK_INTERLOCKED_BIT
#undef WDK_BIT_TEST
#undef WDK_INTERLOCKED_POINTER
#undef WDK_INTERLOCKED_WIDTHS
#undef WDK_INTERLOCKED
#undef WDK_INTERLOCKED_FUNCTION

#ifdef __cplusplus
}
#endif

#define InterlockedExchangeAddPtr InterlockedExchangeAdd64
#define InterlockedAndSizeT(Destination, Value)                                                    \
    ((unsigned __int64)InterlockedAnd64((__int64 volatile *)(Destination), (__int64)(Value)))
#define InterlockedOrSizeT(Destination, Value)                                                     \
    ((unsigned __int64)InterlockedOr64((__int64 volatile *)(Destination), (__int64)(Value)))
#define InterlockedCompareExchangeSizeT(Destination, Value, Comperand)                             \
    ((unsigned __int64)InterlockedCompareExchange64((__int64 volatile *)(Destination),             \
                                                    (__int64)(Value), (__int64)(Comperand)))
#define InterlockedIncrementAcquireSizeT InterlockedIncrementSizeT
#define InterlockedIncrementReleaseSizeT InterlockedIncrementSizeT
#define InterlockedIncrementSizeTNoFence InterlockedIncrementSizeT
#define InterlockedDecrementSizeTNoFence InterlockedDecrementSizeT
#define InterlockedAnd32 InterlockedAnd
#define InterlockedOr32 InterlockedOr
#define InterlockedXor32 InterlockedXor
#define InterlockedAndAffinity InterlockedAndSizeT
#define InterlockedOrAffinity InterlockedOrSizeT

/* The names of the compiler's intrinsics. */
#define _InterlockedIncrement8 InterlockedIncrement8
#define _InterlockedIncrement16 InterlockedIncrement16
#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedIncrement64 InterlockedIncrement64
#define _InterlockedDecrement8 InterlockedDecrement8
#define _InterlockedDecrement16 InterlockedDecrement16
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedDecrement64 InterlockedDecrement64
#define _InterlockedAdd8 InterlockedAdd8
#define _InterlockedAdd16 InterlockedAdd16
#define _InterlockedAdd InterlockedAdd
#define _InterlockedAdd64 InterlockedAdd64
#define _InterlockedExchangeAdd8 InterlockedExchangeAdd8
#define _InterlockedExchangeAdd16 InterlockedExchangeAdd16
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd64
#define _InterlockedExchange8 InterlockedExchange8
#define _InterlockedExchange16 InterlockedExchange16
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchange64 InterlockedExchange64
#define _InterlockedCompareExchange8 InterlockedCompareExchange8
#define _InterlockedCompareExchange16 InterlockedCompareExchange16
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedCompareExchange64 InterlockedCompareExchange64
#define _InterlockedAnd8 InterlockedAnd8
#define _InterlockedAnd16 InterlockedAnd16
#define _InterlockedAnd InterlockedAnd
#define _InterlockedAnd64 InterlockedAnd64
#define _InterlockedOr8 InterlockedOr8
#define _InterlockedOr16 InterlockedOr16
#define _InterlockedOr InterlockedOr
#define _InterlockedOr64 InterlockedOr64
#define _InterlockedXor8 InterlockedXor8
#define _InterlockedXor16 InterlockedXor16
#define _InterlockedXor InterlockedXor
#define _InterlockedXor64 InterlockedXor64
#define _InterlockedExchangePointer InterlockedExchangePointer
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer
#define _interlockedbittestandset InterlockedBitTestAndSet
#define _interlockedbittestandreset InterlockedBitTestAndReset
#define _interlockedbittestandset64 InterlockedBitTestAndSet64
#define _interlockedbittestandreset64 InterlockedBitTestAndReset64
#define _bittest BitTest
#define _bittestandset BitTestAndSet
#define _bittestandreset BitTestAndReset
#define _bittestandcomplement BitTestAndComplement
#define _bittest64 BitTest64
#define _bittestandset64 BitTestAndSet64
#define _bittestandreset64 BitTestAndReset64
#define _bittestandcomplement64 BitTestAndComplement64
#define _BitScanForward BitScanForward
#define _BitScanReverse BitScanReverse
#define _BitScanForward64 BitScanForward64
#define _BitScanReverse64 BitScanReverse64

#endif
