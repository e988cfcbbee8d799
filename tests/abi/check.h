/* The checks that tools/generate/abi_tests.py writes, one line a row of tests/data/abi. */
#ifndef TESTS_ABI_CHECK_H
#define TESTS_ABI_CHECK_H

#include <stddef.h>

#ifdef __cplusplus
#define ABI_ASSERT(condition, text) static_assert(condition, text)
#define ABI_ALIGNMENT_OF(type) alignof(type)
#else
#define ABI_ASSERT(condition, text) _Static_assert(condition, text)
#define ABI_ALIGNMENT_OF(type) _Alignof(type)
#endif

/* A constant's unsigned image in its own width. */
#define ABI_IMAGE(constant)                                                                        \
    ((unsigned long long)(constant) & (~0ULL >> (64 - 8 * sizeof(constant))))

#define ABI_CONSTANT(name, value) ABI_ASSERT(ABI_IMAGE(name) == value, #name " is not " #value)

#define ABI_SIZE(type, bytes) ABI_ASSERT(sizeof(type) == bytes, #type " has not " #bytes " bytes")

#define ABI_ALIGNMENT(type, bytes)                                                                 \
    ABI_ASSERT(ABI_ALIGNMENT_OF(type) == bytes, #type " is not aligned to " #bytes)

#define ABI_FLEXIBLE(type, field, at)                                                              \
    ABI_ASSERT(offsetof(type, field) == at, #type "." #field " is not at " #at)

#define ABI_FIELD(type, field, at, bytes)                                                          \
    ABI_FLEXIBLE(type, field, at);                                                                 \
    ABI_ASSERT(sizeof(((type *)0)->field) == bytes, #type "." #field " has not " #bytes " bytes")

#define ABI_SIGNED(type) ABI_ASSERT((type)-1 < (type)0, #type " is not signed")
#define ABI_UNSIGNED(type) ABI_ASSERT((type)-1 > (type)0, #type " is not unsigned")

#define ABI_TYPE(type, ...)                                                                        \
    ABI_ASSERT(__builtin_types_compatible_p(type, __VA_ARGS__), #type " is not " #__VA_ARGS__)

#endif
