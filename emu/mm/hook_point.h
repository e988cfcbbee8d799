/*
 * Where a driver's calls of the kernel's functions pass: a jump each by way of a slot, which holds
 * the function itself while nobody hooks it. Made at build time, in plain C; see routines.py.
 */
#ifndef MM_HOOK_POINT_H
#define MM_HOOK_POINT_H

#include <stddef.h>

struct mm_hook_point {
    const char *name;
    void *function;
    void *jump; /* what a driver calls */
};

extern const struct mm_hook_point mm_hook_points[]; /* in the order of names */
extern const size_t mm_hook_point_count;            /* 0 where the compiler has none */
extern void *_Atomic mm_hook_slots[];               /* one each, in the same order */

/* The one with this name, or NULL. */
const struct mm_hook_point *mm_hook_point_find(const char *name);

#endif
