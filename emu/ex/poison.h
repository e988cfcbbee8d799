/* Telling AddressSanitizer which bytes nobody may touch. Nothing without it. */
#ifndef EX_POISON_H
#define EX_POISON_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EX_HAS_POISON 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define EX_HAS_POISON 1
#endif

#ifdef EX_HAS_POISON
void __asan_poison_memory_region(void const volatile *start, size_t bytes);
void __asan_unpoison_memory_region(void const volatile *start, size_t bytes);
#endif

static inline void ex_poison(void *start, size_t bytes)
{
#ifdef EX_HAS_POISON
    __asan_poison_memory_region(start, bytes);
#else
    (void)start;
    (void)bytes;
#endif
}

static inline void ex_unpoison(void *start, size_t bytes)
{
#ifdef EX_HAS_POISON
    __asan_unpoison_memory_region(start, bytes);
#else
    (void)start;
    (void)bytes;
#endif
}

#endif
