/* wskemu ioctl: a control to a running driver's device. */
#include "command.h"
#include "control.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX (1024 * 1024)
#define OUTPUT_BYTES_MAX (1024 * 1024)

static const struct command_option options[] = {
    {"in", "HEX", "the input's bytes, as 0a0b0c; blanks do not count", 'i'},
    {"out", "BYTES", "room for the output", 'o'},
    {"process", "NUMBER", "of the `wskemu run` to ask, if several run", 'p'},
    {0},
};

static const struct command about = {
    .name = "ioctl",
    .usage = "DEVICE CODE [--in HEX] [--out BYTES]",
    .about = "Opens a device of a running driver, sends a device control, waits for its end, and\n"
             "prints the output's bytes.",
    .more = "DEVICE is a name as in \\Device\\Echo, or a short one: Echo is \\??\\Echo, else\n"
            "\\Device\\Echo. CODE is a number as CTL_CODE makes it, 0x222004 say.\n"
            "Ctrl-C cancels a control that waits. Ends with 0 if the control succeeded, else 1.\n",
    .options = options,
};

/* The hex digits of text without blanks; "-" for none. */
static void copy_hex(const char *text, char *to)
{
    size_t digits = 0;
    for (; *text != '\0'; text++) {
        if (isxdigit((unsigned char)*text)) {
            to[digits++] = *text;
        } else if (!isspace((unsigned char)*text)) {
            command_misuse(&about, "--in: %c is no hex digit", *text);
        }
    }
    if (digits % 2 != 0) {
        command_misuse(&about, "--in: half a byte is left; each byte has two digits");
    }
    if (digits / 2 > INPUT_BYTES_MAX) {
        command_misuse(&about, "--in: more than %d bytes", INPUT_BYTES_MAX);
    }
    strcpy(to + digits, digits == 0 ? "-" : "");
}

int command_ioctl(int count, char **arguments)
{
    const char *input = "", *value;
    unsigned process = 0, output_bytes = 0;
    int option;
    while ((option = command_next_option(&about, count, arguments, &value)) >= 0) {
        if (option == 0) {
            input = value;
        } else if (option == 1) {
            output_bytes = (unsigned)command_number(&about, "--out", value, OUTPUT_BYTES_MAX);
        } else {
            process = (unsigned)command_number(&about, "--process", value, UINT32_MAX);
        }
    }
    if (optind != count - 2) {
        command_misuse(&about, "it takes a device and a code");
    }
    const char *device = arguments[optind];
    unsigned code = (unsigned)command_number(&about, "CODE", arguments[optind + 1], UINT32_MAX);
    if (strpbrk(device, " \n") != NULL || strlen(device) > 400) {
        command_misuse(&about, "%s is no device's name", device);
    }
    char *question = malloc(strlen(device) + strlen(input) + 64);
    if (question == NULL) {
        return EXIT_FAILED;
    }
    int used = sprintf(question, "ioctl %s %u %u ", device, code, output_bytes);
    copy_hex(input, question + used);
    int status = control_ask(process, question);
    free(question);
    return status;
}
