/*
 * Volatile variables under ThreadSanitizer. Microsoft's compiler gives a volatile read acquire and
 * a volatile write release semantics on x64, and drivers rely on it: a flag that one thread sets
 * and another polls is no race there. Drivers and tests are compiled to call these functions in
 * front of each volatile access, which tell the sanitizer so.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BASE_THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_THREAD__)
#define BASE_THREAD_SANITIZER
#endif

typedef int base_volatile_is_used; /* a file may not be empty */

#ifdef BASE_THREAD_SANITIZER

#include <stdint.h>

/* A write is announced before it happens, so the announcement stores what is there. */
#define BASE_VOLATILE(prefix, bytes, type)                                                         \
    void prefix##volatile_read##bytes(void *address);                                              \
    void prefix##volatile_write##bytes(void *address);                                             \
    void prefix##volatile_read##bytes(void *address)                                               \
    {                                                                                              \
        (void)__atomic_load_n((type *)address, __ATOMIC_ACQUIRE);                                  \
    }                                                                                              \
    void prefix##volatile_write##bytes(void *address)                                              \
    {                                                                                              \
        (void)__atomic_fetch_add((type *)address, 0, __ATOMIC_RELEASE);                            \
    }

BASE_VOLATILE(__tsan_, 1, uint8_t)
BASE_VOLATILE(__tsan_, 2, uint16_t)
BASE_VOLATILE(__tsan_, 4, uint32_t)
BASE_VOLATILE(__tsan_, 8, uint64_t)
BASE_VOLATILE(__tsan_unaligned_, 2, uint16_t)
BASE_VOLATILE(__tsan_unaligned_, 4, uint32_t)
BASE_VOLATILE(__tsan_unaligned_, 8, uint64_t)

#endif
