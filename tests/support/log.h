/* What the emulator writes, kept for a test to look at. */
#ifndef TESTS_SUPPORT_LOG_H
#define TESTS_SUPPORT_LOG_H

#include <stdbool.h>

/* Keeps what is written from now on instead of printing it. */
void log_capture(void);

/* Ends that; the text is valid until the next log_capture. */
const char *log_captured(void);

/* Ends that, and says whether the text names this. */
bool log_named(const char *text);

#endif
