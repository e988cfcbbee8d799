/* wskemu trace: a recorded run in another form. */
#include "command.h"
#include "trace_file.h"

#include <string.h>

static const struct command_option options[] = {
    {"format", "NAME", "text, chrome, html or pcapng; default: by the output's name, else text",
     'f'},
    {"output", "FILE", "where to; default: the standard output", 'o'},
    {0},
};

static const struct command about = {
    .name = "trace",
    .usage = "[-f FORMAT] [-o FILE] TRACE",
    .about = "Writes what `wskemu run --trace TRACE` recorded.",
    .more = "text     one line an event: seconds, thread, processor, IRQL, event, details\n"
            "chrome   trace JSON, for https://ui.perfetto.dev or chrome://tracing (.json)\n"
            "html     a page of its own with a timeline, for any browser (.html)\n"
            "pcapng   the network side, for Wireshark and tshark (.pcapng); the bytes are there\n"
            "         if the run had --payload\n",
    .options = options,
};

struct format {
    const char *name;
    const char *ending;
    bool (*write)(const struct trace_file *file, FILE *to);
};

static const struct format formats[] = {
    {"text", ".txt", trace_write_text},
    {"chrome", ".json", trace_write_chrome},
    {"html", ".html", trace_write_html},
    {"pcapng", ".pcapng", trace_write_pcapng},
};

#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), tail = strlen(ending);
    return length >= tail && strcmp(text + length - tail, ending) == 0;
}

static const struct format *choose(const char *name, const char *output)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (name != NULL ? strcmp(name, formats[i].name) == 0
                         : output != NULL && ends_with(output, formats[i].ending)) {
            return &formats[i];
        }
    }
    if (name != NULL) {
        command_misuse(&about, "no format named %s: text, chrome, html or pcapng", name);
    }
    return &formats[0];
}

static int write_to(const struct trace_file *file, const struct format *format, const char *output)
{
    FILE *to = output != NULL ? fopen(output, "wb") : stdout;
    if (to == NULL) {
        command_complain("cannot write %s", output);
        return EXIT_FAILED;
    }
    bool is_written = format->write(file, to);
    bool is_kept = output != NULL ? fclose(to) == 0 : fflush(to) == 0;
    if (!is_written || !is_kept) {
        command_complain("could not write all of %s", output != NULL ? output : "the output");
        return EXIT_FAILED;
    }
    return EXIT_CLEAN;
}

int command_trace(int count, char **arguments)
{
    const char *name = NULL, *output = NULL, *value;
    int option;
    while ((option = command_next_option(&about, count, arguments, &value)) >= 0) {
        *(option == 0 ? &name : &output) = value;
    }
    if (optind != count - 1) {
        command_misuse(&about, "it takes one trace file");
    }
    const struct format *format = choose(name, output);
    struct trace_file file;
    if (!trace_file_read(&file, arguments[optind])) {
        return EXIT_FAILED;
    }
    int status = write_to(&file, format, output);
    trace_file_free(&file);
    return status;
}
