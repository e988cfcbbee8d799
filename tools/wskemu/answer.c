#include "answer.h"

#include "command.h"
#include "kernel.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 256

/* An answer of one line. */
__attribute__((format(printf, 2, 3))) static int say(char **answer, const char *format, ...)
{
    va_list arguments;
    *answer = malloc(TEXT_BYTES);
    if (*answer != NULL) {
        va_start(arguments, format);
        vsnprintf(*answer, TEXT_BYTES, format, arguments);
        va_end(arguments);
    }
    return EXIT_FAILED;
}

static const char *status_text(uint32_t status, char text[16])
{
    const char *name = kernel_status_name(status);
    snprintf(text, 16, "0x%08X", (unsigned)status);
    return name != NULL ? name : text;
}

static unsigned char *bytes_of_hex(const char *hex, size_t *count)
{
    *count = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    unsigned char *bytes = malloc(*count + 1);
    for (size_t i = 0; i < *count && bytes != NULL; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return bytes;
}

/* "STATUS_SUCCESS, 4 bytes" and a line of hex for each 16. */
static char *print_result(const struct kernel_control *control, uint32_t status)
{
    char number[16];
    const unsigned char *bytes = control->output;
    size_t count = control->information < control->output_bytes ? (size_t)control->information
                                                                : control->output_bytes;
    char *text = malloc(128 + count * 3 + count / 16 + 1);
    if (text == NULL) {
        return NULL;
    }
    char *at = text + sprintf(text, "%s, information %llu\n", status_text(status, number),
                              (unsigned long long)control->information);
    for (size_t i = 0; i < count; i++) {
        bool is_end = i % 16 == 15 || i + 1 == count;
        at += sprintf(at, "%02x%s", bytes[i], is_end ? "\n" : " ");
    }
    return text;
}

static int answer_ioctl(struct kernel_request *request, char **words, int count, char **answer)
{
    char number[16];
    size_t input_bytes = 0;
    if (count != 5) {
        return say(answer, "wskemu: ioctl asked in a way that this version does not know\n");
    }
    unsigned char *input = bytes_of_hex(words[4], &input_bytes);
    struct kernel_control control = {
        .device = words[1],
        .code = (uint32_t)strtoul(words[2], NULL, 10),
        .input = input,
        .input_bytes = (uint32_t)input_bytes,
        .output_bytes = (uint32_t)strtoul(words[3], NULL, 10),
    };
    control.output = calloc(1, control.output_bytes + 1);
    uint32_t status = kernel_control(request, &control);
    if (control.is_open) {
        *answer = print_result(&control, status);
    } else {
        say(answer, "wskemu: cannot open the device %s: %s\n", words[1],
            status_text(status, number));
    }
    free(input);
    free(control.output);
    return control.is_open && kernel_is_success(status) ? EXIT_CLEAN : EXIT_FAILED;
}

static int answer_session(char **words, int count, char **answer)
{
    char number[16];
    if (count != 4) {
        return say(answer, "wskemu: session asked in a way that this version does not know\n");
    }
    uint32_t session = (uint32_t)strtoul(words[2], NULL, 10);
    uint32_t status = kernel_session_event(words[1], session, strcmp(words[3], "local") == 0);
    if (kernel_is_success(status)) {
        return EXIT_CLEAN;
    }
    return say(answer, "wskemu: session %u, %s: %s\n", session, words[1],
               status_text(status, number));
}

/* Splits at blanks. Several questions may be answered at a time, so strtok will not do. */
static int split(char *text, char **words, int most)
{
    int count = 0;
    for (char *at = text; *at != '\0' && count < most;) {
        words[count++] = at;
        at += strcspn(at, " ");
        if (*at != '\0') {
            *at++ = '\0';
        }
    }
    return count;
}

int answer_question(struct kernel_request *request, char *question, char **answer)
{
    char *words[8];
    int count = split(question, words, 8);
    if (count == 2 && strcmp(words[0], "status") == 0) {
        kernel_request_hide();
        *answer = kernel_status(strcmp(words[1], "json") == 0);
        return *answer != NULL ? EXIT_CLEAN : EXIT_FAILED;
    }
    if (count > 0 && strcmp(words[0], "ioctl") == 0) {
        kernel_request_name("wskemu ioctl");
        return answer_ioctl(request, words, count, answer);
    }
    if (count > 0 && strcmp(words[0], "session") == 0) {
        kernel_request_name("wskemu session");
        return answer_session(words, count, answer);
    }
    if (count > 0 && strcmp(words[0], "ping") == 0) {
        kernel_request_hide();
        return EXIT_CLEAN;
    }
    return say(answer, "wskemu: this version does not know the question\n");
}
