/* Keeps what the emulator logs, for tests that read it. */
#ifndef TESTS_RTL_CAPTURE_H
#define TESTS_RTL_CAPTURE_H

#include <wskemu/wskemu.h>

#include <string.h>

static struct {
    char text[8192];
    size_t length;
} captured;

static inline void capture_sink(void *context, const char *text, size_t length)
{
    (void)context;
    if (length < sizeof(captured.text) - captured.length) {
        memcpy(captured.text + captured.length, text, length);
        captured.length += length;
        captured.text[captured.length] = 0;
    }
}

static inline void capture_start(void)
{
    captured.length = 0;
    captured.text[0] = 0;
    wskemu_log_redirect(capture_sink, NULL);
}

/* Ends the capture; the text stays until the next one. */
static inline const char *capture_stop(void)
{
    wskemu_log_redirect(NULL, NULL);
    return captured.text;
}

#endif
