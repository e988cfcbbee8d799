/* The process round the kernel. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/* Exit status of a process that ended with a bug check nobody expected. */
#define BASE_EXIT_BUGCHECK 70

/* The value of an environment variable, or fallback. The text is the host's; do not free it. */
const char *base_environment(const char *name, const char *fallback);

/* Ends the process at once, after what was written reached its stream. */
_Noreturn void base_process_end(int status);

/* Unpredictable bytes. */
void base_random(void *buffer, size_t length);

#endif
