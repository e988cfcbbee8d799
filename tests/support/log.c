#include "log.h"

#include <wskemu/wskemu.h>

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536

static char kept[TEXT_MAX];
static size_t used;

static void keep(void *context, const char *text, size_t length)
{
    (void)context;
    if (length < TEXT_MAX - used) {
        memcpy(kept + used, text, length);
        used += length;
        kept[used] = '\0';
    }
}

void log_capture(void)
{
    used = 0;
    kept[0] = '\0';
    wskemu_log_redirect(keep, NULL);
}

const char *log_captured(void)
{
    wskemu_log_redirect(NULL, NULL);
    return kept;
}

bool log_named(const char *text)
{
    return strstr(log_captured(), text) != NULL;
}
