/* wskemu status: what a running driver has. */
#include "command.h"
#include "control.h"

static const struct command_option options[] = {
    {"json", NULL, "as JSON", 'j'},
    {"process", "NUMBER", "of the `wskemu run` to ask, if several run", 'p'},
    {0},
};

static const struct command about = {
    .name = "status",
    .usage = "[--json]",
    .about = "Says what a running driver has: devices, sockets, pending IRPs with their age and\n"
             "call site, threads, pool by tag, sessions.",
    .options = options,
};

int command_status(int count, char **arguments)
{
    const char *value;
    bool is_json = false;
    unsigned process = 0;
    int option;
    while ((option = command_next_option(&about, count, arguments, &value)) >= 0) {
        if (option == 0) {
            is_json = true;
        } else {
            process = (unsigned)command_number(&about, "--process", value, UINT32_MAX);
        }
    }
    if (optind != count) {
        command_misuse(&about, "it takes no argument: %s", arguments[optind]);
    }
    return control_ask(process, is_json ? "status json" : "status text");
}
