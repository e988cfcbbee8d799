#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(id, kind, soft, text, source, advice) id,
static const char *const ids[] = {
#include "rules_table.inc"
};
#undef X

bool rules_know(const char *id)
{
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (strcmp(ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

const char *rules_program_name(const char *path, size_t *length)
{
    const char *name = path;
    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '/' || *at == '\\') {
            name = at + 1;
        }
    }
    *length = strlen(name);
    if (*length > 4 && strcmp(name + *length - 4, ".exe") == 0) {
        *length -= 4;
    }
    return name;
}

/* A filter may hold characters that no file name may. */
static void make_file_name(char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("*?/\\:|<>\" ", *text) != NULL) {
            *text = '_';
        }
    }
}

bool rules_file(const char *program, const char *selection, char *path, size_t bytes_max)
{
    const char *folder = getenv("WSKEMU_RULES_DIR");
    if (folder == NULL || folder[0] == '\0') {
        return false;
    }
    size_t name_length;
    const char *name = rules_program_name(program, &name_length);
    int used = snprintf(path, bytes_max, "%s/%.*s.", folder, (int)name_length, name);
    if (used < 0 || (size_t)used >= bytes_max) {
        return false;
    }
    size_t left = bytes_max - (size_t)used;
    int rest = snprintf(path + used, left, "%s.rules", selection != NULL ? selection : "all");
    make_file_name(path + used);
    return rest > 0 && (size_t)rest < left;
}

void rules_clear(const char *path)
{
    remove(path);
}

bool rules_write(const char *path, const struct rules_proof *proofs, size_t count)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        fprintf(stderr, "rules: cannot write %s\n", path);
        return false;
    }
    static const char *const parts[] = {"", ":caught", ":silent"};
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "%s%s %s\n", proofs[i].id, parts[proofs[i].part], proofs[i].test);
    }
    bool is_written = ferror(file) == 0;
    return fclose(file) == 0 && is_written;
}
