/* What memory the process has. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>

/* Whether the byte at that address can be read at this moment. */
bool base_memory_is_readable(const void *address);

#endif
