/*
 * The sweep of faults.
 *
 * Each run is a process of its own (base/child.h), so that one that crashes or hangs ends nothing
 * else. The fault to inject goes there by the environment, and what came of it comes back by a file
 * of lines (verifier/fault_log.h): "fault" when a call failed, "bugcheck", "left", and where
 * nothing is to fail "stack" for each call stack that was met. How the process ended says the rest.
 *
 * A run under a fault may fail its test. It must not crash, hang, bug check or leave anything.
 */
#include <wskemu/fault.h>

#include "base/child.h"
#include "base/log.h"
#include "base/process.h"
#include "ke/kernel.h"
#include "verifier/option.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_LIMIT_MS 10000
#define STACKS_MAX 2048
#define TEXT_BYTES_MAX 1024
#define OUTPUT_LINES_MAX 60

/* The sweep that runs. */
struct sweep {
    const char *program;
    const char *test;
    ULONG64 time_limit_ms;
    char log[TEXT_BYTES_MAX];    /* the file of lines */
    char output[TEXT_BYTES_MAX]; /* the file that gets the process's output */
    struct wskemu_sweep_result result;
};

/* What one run was. */
struct run {
    char fault[32];
    struct base_child_end end;
    bool is_started;
    char failed[TEXT_BYTES_MAX]; /* the call that did; "" if none */
    char bugcheck[TEXT_BYTES_MAX];
    unsigned left;
    bool is_shut_down; /* a kernel came to its end */
};

/* The call stacks that were failed by the sweeps of this process, and those that a run met. */
struct stacks {
    ULONG hash[STACKS_MAX];
    unsigned count;
};

static struct stacks done;

static bool holds(const struct stacks *stacks, ULONG hash)
{
    for (unsigned i = 0; i < stacks->count; i++) {
        if (stacks->hash[i] == hash) {
            return true;
        }
    }
    return false;
}

static void add(struct stacks *stacks, ULONG hash)
{
    if (stacks->count < STACKS_MAX && !holds(stacks, hash)) {
        stacks->hash[stacks->count++] = hash;
    }
}

/* ---- a run ---- */

/* What follows the word and a blank at the beginning of a line, without the line's end; or NULL. */
static const char *behind(char *line, const char *word)
{
    size_t length = strlen(word);
    line[strcspn(line, "\r\n")] = '\0';
    return strncmp(line, word, length) == 0 && line[length] == ' ' ? line + length + 1 : NULL;
}

static void read_line(char *line, struct run *run, struct stacks *met)
{
    const char *text;
    if ((text = behind(line, "fault")) != NULL) {
        snprintf(run->failed, sizeof(run->failed), "%s", text);
    } else if ((text = behind(line, "bugcheck")) != NULL) {
        snprintf(run->bugcheck, sizeof(run->bugcheck), "%s", text);
    } else if ((text = behind(line, "left")) != NULL) {
        run->left += (unsigned)strtoul(text, NULL, 10);
        run->is_shut_down = true;
    } else if ((text = behind(line, "stack")) != NULL && met != NULL) {
        add(met, (ULONG)strtoul(text, NULL, 16));
    }
}

static void read_log(const struct sweep *sweep, struct run *run, struct stacks *met)
{
    char line[TEXT_BYTES_MAX];
    FILE *file = fopen(sweep->log, "r");
    if (file == NULL) {
        return;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        read_line(line, run, met);
    }
    fclose(file);
}

/* Runs the test with this fault. */
static void run_once(const struct sweep *sweep, struct run *run, struct stacks *met)
{
    char fault[64];
    char log[TEXT_BYTES_MAX + 32];
    char hang[64]; /* so that a hang is explained before its time is over */
    const char *arguments[] = {sweep->test, NULL};
    const char *environment[] = {fault, log, hang, NULL};
    struct base_child child = {.program = sweep->program,
                               .arguments = arguments,
                               .environment = environment,
                               .output = sweep->output,
                               .time_limit_ms = sweep->time_limit_ms};
    snprintf(hang, sizeof(hang), "WSKEMU_HANG_MS=%llu",
             (unsigned long long)sweep->time_limit_ms / 2);
    snprintf(fault, sizeof(fault), "WSKEMU_FAULT=%s", run->fault);
    snprintf(log, sizeof(log), "WSKEMU_FAULT_LOG=%s", sweep->log);
    remove(sweep->log);
    run->is_started = base_child_run(&child, &run->end);
    read_log(sweep, run, met);
}

static struct run run_of(const struct sweep *sweep, const char *fault, struct stacks *met)
{
    struct run run = {.is_started = false};
    snprintf(run.fault, sizeof(run.fault), "%s", fault);
    run_once(sweep, &run, met);
    return run;
}

/* ---- what it came to ---- */

static bool is_crash(const struct base_child_end *end)
{
    /* A test program returns how many tests failed; Windows says a crash by a status. */
    return end->signal != 0 || end->status < 0 || end->status > 255;
}

/* What is wrong with a run, in words; NULL if nothing is. */
static const char *verdict(const struct run *run, bool must_pass, char *text, size_t bytes)
{
    if (!run->is_started) {
        return "could not be started";
    }
    if (run->bugcheck[0] != '\0') {
        snprintf(text, bytes, "bug check %s", run->bugcheck);
        return text;
    }
    if (run->end.is_killed) {
        return "hangs";
    }
    if (is_crash(&run->end)) {
        snprintf(text, bytes, "crashes (signal %d, status 0x%llX)", run->end.signal,
                 (unsigned long long)run->end.status);
        return text;
    }
    if (!run->is_shut_down) {
        snprintf(text, bytes, "ends without wskemu_shutdown (status %lld)",
                 (long long)run->end.status);
        return text;
    }
    if (run->left != 0) {
        snprintf(text, bytes, "leaves %u things", run->left);
        return text;
    }
    return must_pass && run->end.status != 0 ? "fails, though no call was made to fail" : NULL;
}

static void print_output(const struct sweep *sweep)
{
    char line[TEXT_BYTES_MAX];
    FILE *file = fopen(sweep->output, "r");
    for (int i = 0; file != NULL && i < OUTPUT_LINES_MAX && fgets(line, sizeof(line), file); i++) {
        base_log("    | %s", line);
    }
    if (file != NULL) {
        fclose(file);
    }
}

/* Judges a run; tells it if something is wrong. */
static bool judge(struct sweep *sweep, const struct run *run, bool must_pass)
{
    char text[TEXT_BYTES_MAX + 64];
    const char *wrong = verdict(run, must_pass, text, sizeof(text));
    sweep->result.trials += run->failed[0] != '\0';
    if (wrong == NULL) {
        return true;
    }
    sweep->result.found++;
    base_log("\nsweep: %s %s\n", sweep->test != NULL ? sweep->test : sweep->program, wrong);
    if (run->failed[0] != '\0') {
        const char *call = strchr(run->failed, ' ');
        base_log("  after the call %s\n", call != NULL ? call + 1 : run->failed);
    }
    base_log(
        "  repeat it: WSKEMU_FAULT=%s%s%s %s%s%s\n", run->fault,
        verifier_option_is_set(OPTION_COMPLETION) ? " WSKEMU_COMPLETION=" : "",
        verifier_option_is_set(OPTION_COMPLETION) ? verifier_option_text(OPTION_COMPLETION) : "",
        sweep->program, sweep->test != NULL ? " " : "", sweep->test != NULL ? sweep->test : "");
    print_output(sweep);
    return false;
}

/* ---- sweeps ---- */

static bool may_go_on(const struct sweep *sweep, const struct wskemu_sweep *wanted)
{
    return wanted->trials_max == 0 || sweep->result.trials < wanted->trials_max;
}

/* Fails the 1st, 2nd, 3rd ... call until a run comes to its end without. */
static void sweep_calls(struct sweep *sweep, const struct wskemu_sweep *wanted)
{
    char fault[32];
    for (ULONG nth = 1; may_go_on(sweep, wanted); nth++) {
        snprintf(fault, sizeof(fault), "nth:%u", (unsigned)nth);
        struct run run = run_of(sweep, fault, NULL);
        bool is_untouched = run.failed[0] == '\0';
        judge(sweep, &run, is_untouched);
        if (is_untouched) {
            return;
        }
    }
}

/* Has a run without faults tell the call stacks, and fails each of them. */
static void sweep_stacks(struct sweep *sweep, const struct wskemu_sweep *wanted)
{
    static struct stacks met;
    char fault[32];
    met.count = 0;
    struct run untouched = run_of(sweep, "count", &met);
    if (!judge(sweep, &untouched, true)) {
        return;
    }
    for (unsigned i = 0; i < met.count && may_go_on(sweep, wanted); i++) {
        if (wanted->spares_done && holds(&done, met.hash[i])) {
            sweep->result.spared++;
            continue;
        }
        add(&done, met.hash[i]);
        snprintf(fault, sizeof(fault), "stack:%08X", (unsigned)met.hash[i]);
        struct run run = run_of(sweep, fault, NULL);
        judge(sweep, &run, run.failed[0] == '\0');
    }
}

/* Names of two files that no other process uses. */
static void name_files(struct sweep *sweep)
{
    const char *folder = base_environment("TMPDIR", base_environment("TEMP", "/tmp"));
    unsigned number = base_process_number();
    snprintf(sweep->log, sizeof(sweep->log), "%s/wskemu-sweep-%u.log", folder, number);
    snprintf(sweep->output, sizeof(sweep->output), "%s/wskemu-sweep-%u.out", folder, number);
}

static void print_result(const struct sweep *sweep)
{
    base_log("sweep: %s: %u trials, %u found", sweep->test != NULL ? sweep->test : sweep->program,
             (unsigned)sweep->result.trials, (unsigned)sweep->result.found);
    if (sweep->result.spared != 0) {
        base_log(", %u call stacks left to earlier sweeps", (unsigned)sweep->result.spared);
    }
    base_log("\n");
}

NTSTATUS wskemu_fault_sweep_with(const struct wskemu_sweep *wanted,
                                 struct wskemu_sweep_result *result)
{
    struct sweep sweep = {
        .program = wanted->program != NULL ? wanted->program : base_program_path(),
        .test = wanted->test,
        .time_limit_ms = wanted->time_limit_ms != 0 ? wanted->time_limit_ms : TIME_LIMIT_MS};
    if (atomic_load(&ke_running) != NULL) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    name_files(&sweep);
    if (wanted->is_each) {
        sweep_calls(&sweep, wanted);
    } else {
        sweep_stacks(&sweep, wanted);
    }
    remove(sweep.log);
    remove(sweep.output);
    print_result(&sweep);
    if (result != NULL) {
        *result = sweep.result;
    }
    return sweep.result.found == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

ULONG wskemu_fault_sweep(const char *test)
{
    struct wskemu_sweep sweep = {.test = test,
                                 .is_each = verifier_option_is_set(OPTION_LONG) ? TRUE : FALSE};
    struct wskemu_sweep_result result = {0};
    NTSTATUS status = wskemu_fault_sweep_with(&sweep, &result);
    return status == STATUS_SUCCESS || result.found != 0 ? result.found : 1;
}
