/* The pool memory of strings that the run-time library makes itself (rules RTL-17, RTL-19). */
#ifndef RTL_STRING_MEMORY_H
#define RTL_STRING_MEMORY_H

#include <wdm.h>

/* Paged pool with the tag "Strg", at least one character; NULL if there is none. */
PVOID rtl_string_allocate(SIZE_T bytes);
VOID rtl_string_free(PVOID buffer);

#endif
