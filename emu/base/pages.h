/* Pages of the process's memory, taken from the host as a whole, that can be forbidden. */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#define BASE_PAGE_BYTES 4096

/* Zeroed pages that may be read and written, or NULL. bytes is a multiple of BASE_PAGE_BYTES. */
void *base_pages_take(size_t bytes);

/* From now on every access to those pages faults. False if the host refuses. */
bool base_pages_forbid(void *start, size_t bytes);

/* The same pages may be read and written again. False if the host refuses. */
bool base_pages_allow(void *start, size_t bytes);

/* Gives back all that base_pages_take gave. */
void base_pages_give_back(void *start, size_t bytes);

#endif
