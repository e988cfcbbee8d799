#include "ke/sentence.h"

#include <stdio.h>
#include <string.h>

/* What hosts make of %p and NULL. */
static const char *const nothings[] = {"(nil)", "0000000000000000"};

static void replace(char *place, size_t length, const char *with)
{
    size_t new_length = strlen(with);
    memcpy(place, with, new_length);
    memmove(place + new_length, place + length, strlen(place + length) + 1);
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
