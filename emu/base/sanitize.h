/*
 * BASE_NOT_SANITIZED in front of a function that looks at memory which may be freed, or which
 * others write meanwhile. Sanitizers leave it alone then, which they do only for functions that are
 * not inlined; without them it is a function like any other.
 */
#ifndef BASE_SANITIZE_H
#define BASE_SANITIZE_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BASE_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BASE_IS_SANITIZED 1
#endif

/* With leaks found at the end. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BASE_IS_ADDRESS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define BASE_IS_ADDRESS_SANITIZED 1
#endif

#if !defined(__GNUC__)
#define BASE_NOT_SANITIZED
#elif defined(BASE_IS_SANITIZED)
#if defined(__GNUC__)
#define BASE_NOT_SANITIZED __attribute__((no_sanitize("address", "thread"), noinline, unused))
#endif
#else
#if defined(__GNUC__)
#define BASE_NOT_SANITIZED __attribute__((unused))
#endif
#endif

#endif
