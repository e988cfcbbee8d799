#include "ke/warning.h"

#include "ke/sentence.h"
#include "trace/trace.h"
#include "verifier/level.h"
#include "verifier/report.h"
#include "verifier/silence.h"

#include <stdarg.h>
#include <string.h>

#define SENTENCE_BYTES_MAX 512

void ke_warning(const char *rule, const char *sentence, ...)
{
    char text[SENTENCE_BYTES_MAX];
    va_list arguments;
    if (!verifier_is_on() || verifier_is_silenced(rule)) {
        return;
    }
    va_start(arguments, sentence);
    ke_sentence(text, sizeof(text), sentence, arguments);
    va_end(arguments);
    trace_warning(rule, text, strlen(text));
    verifier_report_warning(rule, text);
}
