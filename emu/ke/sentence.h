/* The sentence of a bug check or a warning. */
#ifndef KE_SENTENCE_H
#define KE_SENTENCE_H

#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf, but a pointer without a value is NULL on each host. */
void ke_sentence(char *text, size_t bytes, const char *format, va_list arguments);

#endif
