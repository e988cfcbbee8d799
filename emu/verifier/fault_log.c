#include "verifier/fault_log.h"

#include "base/process.h"
#include "verifier/option.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES_MAX 1024

void verifier_fault_log(const char *format, ...)
{
    char line[LINE_BYTES_MAX];
    va_list arguments;
    if (!verifier_option_is_set(OPTION_FAULT_LOG)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    base_file_append(verifier_option_text(OPTION_FAULT_LOG), line, strlen(line));
}
