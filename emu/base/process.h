/* The process round the kernel. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit status of a process that ended with a bug check nobody expected. */
#define BASE_EXIT_BUGCHECK 70

/* The value of an environment variable, or fallback. The text is the host's; do not free it. */
const char *base_environment(const char *name, const char *fallback);

/* Calls visitor for each variable of the environment. */
typedef void base_environment_visitor(void *context, const char *name, const char *value);
void base_environment_each(base_environment_visitor *visitor, void *context);

/* Appends to a file, without the heap and without a stream; false if the host refuses. */
bool base_file_append(const char *path, const char *text, size_t length);

/* Ends the process at once, after what was written reached its stream. */
_Noreturn void base_process_end(int status);

/* The process's number at the host. */
uint32_t base_process_number(void);

/* Unpredictable bytes. */
void base_random(void *buffer, size_t length);

#endif
