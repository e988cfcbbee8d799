#include "ke/sentence.h"

#include <stdio.h>
#include <string.h>

/* What hosts make of %p and NULL. */
static const char *const nothings[] = {"(nil)", "0000000000000000"};

static void replace(char *place, size_t length, const char *with)
{
    const char *rest = place + length; /* with is no longer than what it replaces */
    while (*with != '\0') {
        *place++ = *with++;
    }
    memmove(place, rest, strlen(rest) + 1);
}

void ke_sentence(char *text, size_t bytes, const char *format, va_list arguments)
{
    vsnprintf(text, bytes, format, arguments);
    for (size_t i = 0; i < sizeof(nothings) / sizeof(nothings[0]); i++) {
        for (char *place = text; (place = strstr(place, nothings[i])) != NULL;) {
            replace(place, strlen(nothings[i]), "NULL");
        }
    }
}
