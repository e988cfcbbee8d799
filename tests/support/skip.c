#include "skip.h"
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM_PREFIX "test_"

/* The program test_a_b_c is area and topic "a.b_c": whichever of its underscores is the dot. */
static bool is_of_program(const char *line, const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (line[i] != name[i] && !(line[i] == '.' && name[i] == '_')) {
            return false;
        }
    }
    return line[length] == '.';
}

static bool is_of(const char *line, const char *program, const char *function)
{
    size_t length;
    size_t prefix_length = strlen(PROGRAM_PREFIX);
    size_t function_length = strlen(function);
    const char *name = rules_program_name(program, &length);
    if (length <= prefix_length || strncmp(name, PROGRAM_PREFIX, prefix_length) != 0) {
        return false;
    }
    length -= prefix_length;
    return is_of_program(line, name + prefix_length, length) &&
           strncmp(line + length + 1, function, function_length) == 0 &&
           line[length + 1 + function_length] == ',';
}

bool skip_is_listed(const char *program, const char *function, char *line, size_t bytes_max)
{
    const char *path = getenv("WSKEMU_SKIP");
    bool is_listed = false;
    if (path == NULL || path[0] == '\0') {
        return false;
    }
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "WSKEMU_SKIP=%s cannot be read\n", path);
        exit(EXIT_FAILURE);
    }
    while (!is_listed && fgets(line, (int)bytes_max, file) != NULL) {
        is_listed = is_of(line, program, function);
    }
    fclose(file);
    return is_listed;
}
