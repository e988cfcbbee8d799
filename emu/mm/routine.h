/* The kernel's routines by name. The table is made at build time, in plain C; see routine.c. */
#ifndef MM_ROUTINE_H
#define MM_ROUTINE_H

#include <stddef.h>

struct mm_routine {
    const char *name;
    void *address;
};

extern const struct mm_routine mm_routines[]; /* in the order of names */
extern const size_t mm_routine_count;

#endif
