#include "verifier/fault_log.h"

#include "verifier/option.h"

#include <stdarg.h>
#include <stdio.h>

void verifier_fault_log(const char *format, ...)
{
    if (!verifier_option_is_set(OPTION_FAULT_LOG)) {
        return;
    }
    FILE *file = fopen(verifier_option_text(OPTION_FAULT_LOG), "a");
    if (file == NULL) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fclose(file);
}
