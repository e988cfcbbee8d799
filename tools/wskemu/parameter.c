#include "parameter.h"

#include "kernel.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETERS_MAX 64
#define BYTES_MAX 1000

struct parameter {
    char name[128];
    enum kernel_type type;
    unsigned char data[BYTES_MAX];
    size_t bytes;
};

static struct parameter parameters[PARAMETERS_MAX];
static int parameter_count;

static bool is_number(const char *text, unsigned long long limit, unsigned long long *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 0);
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && *number <= limit;
}

static void set_number(const struct command *command, struct parameter *parameter, const char *text,
                       enum kernel_type type)
{
    unsigned long long number;
    bool is_dword = type == KERNEL_DWORD;
    if (!is_number(text, is_dword ? UINT32_MAX : UINT64_MAX, &number)) {
        command_misuse(command, "--param %s: %s is no number of %d bits", parameter->name, text,
                       is_dword ? 32 : 64);
    }
    uint32_t narrow = (uint32_t)number;
    uint64_t wide = number;
    parameter->bytes = is_dword ? sizeof(narrow) : sizeof(wide);
    memcpy(parameter->data, is_dword ? (void *)&narrow : (void *)&wide, parameter->bytes);
}

static void set_binary(const struct command *command, struct parameter *parameter, const char *text)
{
    size_t digits = strlen(text);
    if (digits % 2 != 0 || strspn(text, "0123456789abcdefABCDEF") != digits ||
        digits / 2 > BYTES_MAX) {
        command_misuse(command, "--param %s: %s is no bytes in hex", parameter->name, text);
    }
    for (size_t i = 0; i < digits; i += 2) {
        char pair[3] = {text[i], text[i + 1], '\0'};
        parameter->data[parameter->bytes++] = (unsigned char)strtoul(pair, NULL, 16);
    }
}

/* Texts of a REG_MULTI_SZ are divided by commas. */
static void set_text(const struct command *command, struct parameter *parameter, const char *text,
                     bool is_list)
{
    size_t length = strlen(text);
    if (length + 2 > BYTES_MAX) {
        command_misuse(command, "--param %s: its value is too long", parameter->name);
    }
    memcpy(parameter->data, text, length + 1);
    for (size_t i = 0; is_list && i < length; i++) {
        parameter->data[i] = parameter->data[i] == ',' ? '\0' : parameter->data[i];
    }
    parameter->data[length + 1] = '\0';
    parameter->bytes = length + 1 + is_list;
}

/* "sz:text": the type that stands in front, and what follows. */
static bool has_type(const char *value, const char *type, const char **rest)
{
    size_t length = strlen(type);
    *rest = value + length;
    return strncmp(value, type, length) == 0;
}

static void set(const struct command *command, struct parameter *parameter, const char *value)
{
    const char *rest;
    unsigned long long number;
    if (has_type(value, "dword:", &rest) || is_number((rest = value), UINT32_MAX, &number)) {
        parameter->type = KERNEL_DWORD;
        set_number(command, parameter, rest, KERNEL_DWORD);
    } else if (has_type(value, "qword:", &rest)) {
        parameter->type = KERNEL_QWORD;
        set_number(command, parameter, rest, KERNEL_QWORD);
    } else if (has_type(value, "binary:", &rest)) {
        parameter->type = KERNEL_BINARY;
        set_binary(command, parameter, rest);
    } else if (has_type(value, "multi_sz:", &rest)) {
        parameter->type = KERNEL_MULTI_SZ;
        set_text(command, parameter, rest, true);
    } else {
        parameter->type = KERNEL_SZ;
        set_text(command, parameter, has_type(value, "sz:", &rest) ? rest : value, false);
    }
}

void parameter_add(const struct command *command, const char *text)
{
    const char *equals = strchr(text, '=');
    struct parameter *parameter = &parameters[parameter_count];
    if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof(parameter->name)) {
        command_misuse(command, "--param takes NAME=VALUE, not %s", text);
    }
    if (parameter_count == PARAMETERS_MAX) {
        command_misuse(command, "more than %d parameters", PARAMETERS_MAX);
    }
    memcpy(parameter->name, text, (size_t)(equals - text));
    parameter_count++;
    set(command, parameter, equals + 1);
}

bool parameters_apply(const char *driver)
{
    for (int i = 0; i < parameter_count; i++) {
        const struct parameter *parameter = &parameters[i];
        uint32_t status = kernel_set_value(driver, parameter->name, parameter->type,
                                           parameter->data, parameter->bytes);
        if (!kernel_is_success(status)) {
            const char *name = kernel_status_name(status);
            command_complain("cannot set the parameter %s: %s", parameter->name,
                             name != NULL ? name : "refused");
            return false;
        }
    }
    return true;
}
