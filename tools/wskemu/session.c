/* wskemu session: user sessions of a running driver's machine. */
#include "command.h"
#include "control.h"

#include <string.h>

static const struct command_option options[] = {
    {"remote", NULL, "connect: from another machine, not at the machine itself", 'r'},
    {"process", "NUMBER", "of the `wskemu run` to ask, if several run", 'p'},
    {0},
};

static const char *const events[] = {"create", "connect", "disconnect",
                                     "logon",  "logoff",  "terminate"};

static const struct command about = {
    .name = "session",
    .usage = "[--remote] EVENT ID",
    .about = "Has an event happen to the user session ID, a number; drivers that registered with\n"
             "IoRegisterContainerNotification are told.",
    .more = "EVENT is create, connect, disconnect, logon, logoff or terminate. A session is\n"
            "created first; Windows' rules say which event may follow which.\n",
    .options = options,
};

static bool is_event(const char *word)
{
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (strcmp(word, events[i]) == 0) {
            return true;
        }
    }
    return false;
}

int command_session(int count, char **arguments)
{
    char question[128];
    const char *value;
    bool is_remote = false;
    unsigned process = 0;
    int option;
    while ((option = command_next_option(&about, count, arguments, &value)) >= 0) {
        if (option == 0) {
            is_remote = true;
        } else {
            process = (unsigned)command_number(&about, "--process", value, UINT32_MAX);
        }
    }
    if (optind != count - 2) {
        command_misuse(&about, "it takes an event and a session's number");
    }
    if (!is_event(arguments[optind])) {
        command_misuse(&about, "no event named %s", arguments[optind]);
    }
    unsigned id = (unsigned)command_number(&about, "ID", arguments[optind + 1], UINT32_MAX);
    snprintf(question, sizeof(question), "session %s %u %s", arguments[optind], id,
             is_remote ? "remote" : "local");
    return control_ask(process, question);
}
