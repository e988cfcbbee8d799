#include "ke/warning.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#define SENTENCE_BYTES_MAX 512

void ke_warning(const char *rule, const char *sentence, ...)
{
    char text[SENTENCE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, sentence);
    vsnprintf(text, sizeof(text), sentence, arguments);
    va_end(arguments);
    base_log("warning%s%s: %s\n", rule != NULL ? " " : "", rule != NULL ? rule : "", text);
}
