/*
 * For Microsoft's compiler only: the few words of gcc and clang that the headers and the emulator
 * use, spelled with its own intrinsics, so that nobody else has to ask which compiler it is.
 *
 * Atomic operations take any integer or pointer of 2, 4 or 8 bytes. The order is ignored: the
 * intrinsics are sequentially consistent, and loads and stores of volatile data acquire and release
 * under /volatile:ms. A store that must be sequentially consistent is an exchange.
 *
 * Never compiled so far; see the README's table of platforms.
 */
#ifndef WDK_DETAIL_MSVC_H
#define WDK_DETAIL_MSVC_H

#if defined(_MSC_VER) && !defined(__clang__)

#include <vcruntime.h>

#define WDK_MSVC 1

#ifdef __cplusplus
extern "C" {
#endif

short _InterlockedExchange16(short volatile *, short);
long _InterlockedExchange(long volatile *, long);
long long _InterlockedExchange64(long long volatile *, long long);
short _InterlockedCompareExchange16(short volatile *, short, short);
long _InterlockedCompareExchange(long volatile *, long, long);
long long _InterlockedCompareExchange64(long long volatile *, long long, long long);
unsigned char _InterlockedCompareExchange128(long long volatile *, long long, long long,
                                             long long *);
short _InterlockedExchangeAdd16(short volatile *, short);
long _InterlockedExchangeAdd(long volatile *, long);
long long _InterlockedExchangeAdd64(long long volatile *, long long);
short _InterlockedAnd16(short volatile *, short);
short _InterlockedOr16(short volatile *, short);
short _InterlockedXor16(short volatile *, short);
long _InterlockedAnd(long volatile *, long);
long long _InterlockedAnd64(long long volatile *, long long);
long _InterlockedOr(long volatile *, long);
long long _InterlockedOr64(long long volatile *, long long);
long _InterlockedXor(long volatile *, long);
long long _InterlockedXor64(long long volatile *, long long);
unsigned char _BitScanForward64(unsigned long *, unsigned long long);
unsigned char _BitScanReverse64(unsigned long *, unsigned long long);
unsigned short _byteswap_ushort(unsigned short);
unsigned long _byteswap_ulong(unsigned long);
unsigned long long _byteswap_uint64(unsigned long long);
unsigned int __popcnt(unsigned int);
unsigned long long __popcnt64(unsigned long long);
long long __mulh(long long, long long);
unsigned long long __umulh(unsigned long long, unsigned long long);
void *_AddressOfReturnAddress(void);
void *_ReturnAddress(void);
void __faststorefence(void);
void _ReadWriteBarrier(void);
void __ud2(void);
void __nop(void);
void __stosb(unsigned char *, unsigned char, size_t);
void __stosw(unsigned short *, unsigned short, size_t);
void __stosd(unsigned long *, unsigned long, size_t);
void __stosq(unsigned long long *, unsigned long long, size_t);
void __movsb(unsigned char *, unsigned char const *, size_t);
void __movsw(unsigned short *, unsigned short const *, size_t);
void __movsd(unsigned long *, unsigned long const *, size_t);
void __movsq(unsigned long long *, unsigned long long const *, size_t);
void __debugbreak(void);
void _mm_prefetch(char const *, int);
#pragma intrinsic(_BitScanForward64, _BitScanReverse64, _AddressOfReturnAddress, _ReturnAddress)

/* Functions, because macros hide the names of the intrinsics later. */
#define WDK_ATOMIC_FUNCTION(name, intrinsic)                                                       \
    static __forceinline long long wdk_##name(volatile void *address, long long value,             \
                                              size_t width)                                        \
    {                                                                                              \
        return width == 8   ? intrinsic##64((long long volatile *)address, value)                  \
               : width == 4 ? intrinsic((long volatile *)address, (long)value)                     \
                            : intrinsic##16((short volatile *)address, (short)value);              \
    }

WDK_ATOMIC_FUNCTION(exchange, _InterlockedExchange)
WDK_ATOMIC_FUNCTION(exchange_add, _InterlockedExchangeAdd)
WDK_ATOMIC_FUNCTION(and, _InterlockedAnd)
WDK_ATOMIC_FUNCTION(or, _InterlockedOr)
WDK_ATOMIC_FUNCTION(xor, _InterlockedXor)

static __forceinline int wdk_compare_exchange(volatile void *address, void *expected,
                                              long long value, size_t width)
{
    if (width == 8) {
        long long wanted = *(long long *)expected;
        long long seen =
            _InterlockedCompareExchange64((long long volatile *)address, value, wanted);
        *(long long *)expected = seen;
        return seen == wanted;
    }
    if (width == 4) {
        long wanted = *(long *)expected;
        long seen = _InterlockedCompareExchange((long volatile *)address, (long)value, wanted);
        *(long *)expected = seen;
        return seen == wanted;
    }
    short wanted = *(short *)expected;
    short seen = _InterlockedCompareExchange16((short volatile *)address, (short)value, wanted);
    *(short *)expected = seen;
    return seen == wanted;
}

static __forceinline unsigned char wdk_compare_exchange_128(long long volatile *destination,
                                                            long long high, long long low,
                                                            long long *comparand)
{
    return _InterlockedCompareExchange128(destination, high, low, comparand);
}

static __forceinline int wdk_lowest_bit(unsigned long long mask)
{
    unsigned long index = 0;
    _BitScanForward64(&index, mask);
    return (int)index;
}

static __forceinline int wdk_highest_bit(unsigned long long mask)
{
    unsigned long index = 0;
    _BitScanReverse64(&index, mask);
    return (int)index;
}

#ifdef __cplusplus
}
#endif

#define __extension__
#define __restrict__ __restrict

#define __ATOMIC_RELAXED 0
#define __ATOMIC_ACQUIRE 2
#define __ATOMIC_RELEASE 3
#define __ATOMIC_ACQ_REL 4
#define __ATOMIC_SEQ_CST 5

#define WDK_ATOMIC(address, operation, value)                                                      \
    ((__typeof__(*(address)))wdk_##operation((address), (long long)(value), sizeof(*(address))))

#define __atomic_load_n(address, order) (*(__typeof__(*(address)) volatile *)(address))
#define __atomic_store_n(address, value, order)                                                    \
    ((order) == __ATOMIC_SEQ_CST                                                                   \
         ? (void)WDK_ATOMIC(address, exchange, value)                                              \
         : (void)(*(__typeof__(*(address)) volatile *)(address) = (value)))
#define __atomic_exchange_n(address, value, order) WDK_ATOMIC(address, exchange, value)
#define __atomic_compare_exchange_n(address, expected, value, weak, success, failure)              \
    wdk_compare_exchange((address), (expected), (long long)(value), sizeof(*(address)))
#define __atomic_fetch_add(address, value, order) WDK_ATOMIC(address, exchange_add, value)
#define __atomic_fetch_sub(address, value, order)                                                  \
    WDK_ATOMIC(address, exchange_add, -(long long)(value))
#define __atomic_add_fetch(address, value, order)                                                  \
    (__atomic_fetch_add(address, value, order) + (value))
#define __atomic_sub_fetch(address, value, order)                                                  \
    (__atomic_fetch_sub(address, value, order) - (value))
#define __atomic_fetch_and(address, value, order) WDK_ATOMIC(address, and, value)
#define __atomic_fetch_or(address, value, order) WDK_ATOMIC(address, or, value)
#define __atomic_fetch_xor(address, value, order) WDK_ATOMIC(address, xor, value)
#define __atomic_or_fetch(address, value, order)                                                   \
    (__atomic_fetch_or(address, value, order) | (value))
#define __atomic_thread_fence(order) __faststorefence()
#define __atomic_signal_fence(order) _ReadWriteBarrier()

/* Whether a result does not fit; it is stored as far as it does. Both operands of one type, or the
 * second one a zero. */
#define WDK_WRAPPED(result, a, operator, b)                                                        \
    (*(result) = (__typeof__(*(result)))((unsigned long long)(a) operator(unsigned long long)(b)))
#define __builtin_add_overflow(a, b, result)                                                       \
    (WDK_WRAPPED(result, a, +, b),                                                                 \
     (b) == 0 ? (*(result) < 0) != ((a) < 0) || (long long)*(result) != (long long)(a)             \
              : ((b) < 0) != (*(result) < (a)))
#define __builtin_sub_overflow(a, b, result)                                                       \
    (WDK_WRAPPED(result, a, -, b), (b) == 0 ? 0 : (b) < 0 ? *(result) <= (a) : *(result) >= (a))
#define __builtin_mul_overflow(a, b, result)                                                       \
    (WDK_WRAPPED(result, a, *, b), (a) == 0                  ? 0                                   \
                                   : (a) < 0 && (a) + 1 == 0 ? (b) < 0 && *(result) == (b)         \
                                                             : *(result) / (a) != (b))

#define __builtin_frame_address(level) _AddressOfReturnAddress()
#define __builtin_ctz(mask) wdk_lowest_bit(mask)
#define __builtin_ctzll(mask) wdk_lowest_bit(mask)
#define __builtin_clz(mask) (31 - wdk_highest_bit(mask))
#define __builtin_clzll(mask) (63 - wdk_highest_bit(mask))
#define __builtin_prefetch(address, ...) _mm_prefetch((char const *)(address), 1)
#define __builtin_trap() __ud2()
#define __builtin_unreachable() __assume(0)

#endif

#endif
