/*
 * wskemu run: drivers as a program.
 *
 * This thread boots, loads, then waits in the kernel, so that it leads and serves the network;
 * another watches for signals and questions (control.c). At the end the drivers are unloaded, and
 * what is left is told.
 */
#include "answer.h"
#include "command.h"
#include "control.h"
#include "ending.h"
#include "kernel.h"
#include "module.h"
#include "parameter.h"
#include "signals.h"

#include <wskemu/driver_image.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define DRIVERS_MAX 16
#define PAYLOAD_ALL 0x40000000u
#define SECONDS_MAX 1e9

enum {
    OPTION_PARAM,
    OPTION_FOR,
    OPTION_TRACE,
    OPTION_TRACE_LEVEL,
    OPTION_TRACE_SIZE,
    OPTION_PAYLOAD,
    OPTION_SESSIONS,
    OPTION_VERBOSE,
    OPTION_QUIET,
};

static const struct command_option options[] = {
    [OPTION_PARAM] = {"param", "NAME=VALUE", "a value of the driver's Parameters key; see below",
                      'p'},
    [OPTION_FOR] = {"for", "SECONDS", "unload after that time; default: at Ctrl-C", 'f'},
    [OPTION_TRACE] = {"trace", "FILE", "record what happens, for `wskemu trace`", 't'},
    [OPTION_TRACE_LEVEL] = {"trace-level", "LEVEL",
                            "network, calls (default), or all: also waits and IRQLs", 'l'},
    [OPTION_TRACE_SIZE] = {"trace-size", "MB", "the trace's size at most; default: 1024", 0},
    [OPTION_PAYLOAD] = {"payload", NULL, "record the bytes sent and received too", 0},
    [OPTION_SESSIONS] = {"sessions", "logind", "show the driver the machine's own user sessions",
                         0},
    [OPTION_VERBOSE] = {"verbose", NULL, "print connections even if this is no terminal", 'v'},
    [OPTION_QUIET] = {"quiet", NULL, "print problems only", 'q'},
    {0},
};

static const struct command about = {
    .name = "run",
    .usage = "DRIVER [DRIVER...] [OPTION...]",
    .about = "Loads drivers that `wskemu build` or wskemu_add_driver() made, and keeps them\n"
             "running until Ctrl-C.",
    .more =
        "A parameter's value is a number (REG_DWORD), text (REG_SZ), or has its type in front:\n"
        "dword:7 qword:7 sz:text multi_sz:a,b binary:0a0b. Every driver gets all of them.\n\n"
        "Ends with 0 if all was clean, 3 if a driver did not load, 4 if one left things\n"
        "behind, 6 if one did not come back in time, 70 after a bug check. Further\n"
        "variables of the environment, such as WSKEMU_PROCESSORS and WSKEMU_COMPLETION,\n"
        "are told of in wskemu(1).\n",
    .options = options,
};

static struct {
    const struct wskemu_driver_image *drivers[DRIVERS_MAX];
    int driver_count;
    uint64_t milliseconds;
    const char *trace;
    enum kernel_trace_level trace_level;
    unsigned trace_megabytes;
    bool has_payload;
    const char *sessions;
    bool is_verbose;
    bool is_quiet;
} run;

static uint64_t start_ns;

/* ---- options ---- */

static uint64_t milliseconds_of(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds > 0) || seconds > SECONDS_MAX) {
        command_misuse(&about, "--for: %s is no number of seconds", text);
    }
    return (uint64_t)ceil(seconds * 1000);
}

static enum kernel_trace_level level_of(const char *text)
{
    static const char *const names[] = {"calls", "network", "all"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            return (enum kernel_trace_level)i;
        }
    }
    command_misuse(&about, "--trace-level is network, calls or all, not %s", text);
}

static void take_option(int option, const char *value)
{
    switch (option) {
    case OPTION_PARAM:
        parameter_add(&about, value);
        break;
    case OPTION_FOR:
        run.milliseconds = milliseconds_of(value);
        break;
    case OPTION_TRACE:
        run.trace = value;
        break;
    case OPTION_TRACE_LEVEL:
        run.trace_level = level_of(value);
        break;
    case OPTION_TRACE_SIZE:
        run.trace_megabytes = (unsigned)command_number(&about, "--trace-size", value, 65536);
        break;
    case OPTION_PAYLOAD:
        run.has_payload = true;
        break;
    case OPTION_SESSIONS:
        run.sessions = value;
        break;
    case OPTION_VERBOSE:
        run.is_verbose = true;
        break;
    case OPTION_QUIET:
        run.is_quiet = true;
        break;
    }
}

static void read_options(int count, char **arguments)
{
    const char *value;
    int option;
    run.is_verbose = uv_guess_handle(1) == UV_TTY;
    while ((option = command_next_option(&about, count, arguments, &value)) >= 0) {
        take_option(option, value);
    }
    run.driver_count = count - optind;
    if (run.driver_count == 0) {
        command_misuse(&about, "which driver?");
    }
    if (run.driver_count > DRIVERS_MAX) {
        command_misuse(&about, "more than %d drivers", DRIVERS_MAX);
    }
    if (run.trace == NULL && run.has_payload) {
        command_misuse(&about, "--payload is of a --trace FILE");
    }
}

/* ---- output ---- */

static void write_log(void *context, const char *text, size_t length)
{
    (void)context;
    if (!run.is_quiet) {
        fwrite(text, 1, length, stdout);
        fflush(stdout);
    }
}

static void write_line(const char *line, bool is_problem)
{
    if (is_problem) {
        command_complain("%s", line);
    } else if (run.is_verbose && !run.is_quiet) {
        printf("[%9.3f] %s\n", (double)(uv_hrtime() - start_ns) / 1e9, line);
        fflush(stdout);
    }
}

static void say(const char *text, const char *what)
{
    char line[512];
    snprintf(line, sizeof(line), "%s%s", text, what);
    write_line(line, false);
}

static const char *text_of(uint32_t status)
{
    static char number[16];
    const char *name = kernel_status_name(status);
    snprintf(number, sizeof(number), "0x%08X", (unsigned)status);
    return name != NULL ? name : number;
}

/* ---- the run ---- */

static bool start_trace(void)
{
    if (run.trace == NULL) {
        return true;
    }
    uint32_t status = kernel_trace_start(run.trace, run.trace_level,
                                         run.has_payload ? PAYLOAD_ALL : 0, run.trace_megabytes);
    if (!kernel_is_success(status)) {
        command_complain("cannot write the trace %s: %s", run.trace, text_of(status));
    }
    return kernel_is_success(status);
}

static bool mirror_sessions(void)
{
    if (run.sessions == NULL) {
        return true;
    }
    uint32_t status = kernel_mirror_sessions(run.sessions);
    if (!kernel_is_success(status)) {
        command_complain("cannot show the sessions of %s: %s", run.sessions, text_of(status));
    }
    return kernel_is_success(status);
}

static void explain_refusal(const char *driver, uint32_t status)
{
    const char *name = text_of(status);
    command_complain("%s did not load: its DriverEntry returned %s", driver, name);
    if (strcmp(name, "STATUS_ADDRESS_ALREADY_EXISTS") == 0 ||
        strcmp(name, "STATUS_SHARING_VIOLATION") == 0) {
        fprintf(stderr, "Its port is taken by another program (`ss -lntup` says by which). If the "
                        "driver has a\nparameter for its port: --param Port=NUMBER\n");
    } else if (strcmp(name, "STATUS_ACCESS_DENIED") == 0) {
        fprintf(stderr, "Ports below 1024 are the administrator's on many hosts.\n");
    }
}

static bool load(const struct wskemu_driver_image *driver)
{
    if (!parameters_apply(driver->name)) {
        return false;
    }
    uint32_t status = kernel_load(driver);
    if (!kernel_is_success(status)) {
        explain_refusal(driver->name, status);
        return false;
    }
    say("loaded ", driver->name);
    return true;
}

static bool load_all(void)
{
    for (int i = 0; i < run.driver_count; i++) {
        if (!load(run.drivers[i])) {
            return false;
        }
    }
    return true;
}

/* A hang is better explained by the kernel, which needs its time to be sure. */
static uint64_t limit_of(uint64_t hang_ms)
{
    return hang_ms + hang_ms / 2;
}

static int finish(bool was_loaded)
{
    say("unloading", "");
    control_stop();
    unsigned left = kernel_shutdown();
    kernel_trace_stop();
    ending_stop();
    if (!was_loaded) {
        return EXIT_NOT_LOADED;
    }
    if (left != 0) {
        command_complain("%u things were left behind", left);
        return EXIT_LEFT_THINGS;
    }
    say("nothing was left", "");
    return EXIT_CLEAN;
}

int command_run(int count, char **arguments)
{
    read_options(count, arguments);
    for (int i = 0; i < run.driver_count; i++) {
        run.drivers[i] = module_open(arguments[optind + i]);
        if (run.drivers[i] == NULL) {
            return EXIT_NOT_LOADED;
        }
    }
    if (!start_trace()) {
        return EXIT_FAILED;
    }
    start_ns = uv_hrtime();
    signals_block(); /* in every thread of the kernel too */
    kernel_redirect_log(write_log, NULL);
    kernel_watch(write_line);
    uint32_t status = kernel_boot();
    if (!kernel_is_success(status)) {
        command_complain("the kernel does not start: %s", text_of(status));
        kernel_trace_stop();
        return EXIT_FAILED;
    }
    if (!control_start(answer_question, kernel_stop, kernel_trace_name_sites)) {
        kernel_shutdown();
        kernel_trace_stop();
        return EXIT_FAILED;
    }
    if (!ending_start(control_ask_to_stop, control_remove_place, limit_of(kernel_hang_ms()))) {
        return EXIT_FAILED;
    }
    ending_expect(run.milliseconds);
    bool was_loaded = mirror_sessions() && load_all();
    if (was_loaded) {
        ending_expect(run.milliseconds);
        kernel_wait(run.milliseconds);
    }
    return finish(was_loaded);
}
