#include "verifier/report.h"

#include "base/log.h"
#include "base/stack.h"
#include "verifier/also.h"
#include "verifier/call_stack.h"
#include "verifier/hang.h"
#include "verifier/fault_log.h"
#include "verifier/level.h"
#include "verifier/object.h"
#include "verifier/once.h"
#include "verifier/option.h"
#include "verifier/rule.h"
#include "verifier/silence.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WARNING_FRAMES 3 /* of the driver's, below a warning */

struct bugcheck_text {
    ULONG code;
    const char *name;
    const char *parameter[4];
};

#define X(code, name, p1, p2, p3, p4) {code, name, {p1, p2, p3, p4}},
static const struct bugcheck_text texts[] = {
#include "bugchecks_table.inc"
};
#undef X

/* Whether the text of a first parameter begins with that value, as "0x42 KeAcquire..." does. */
static bool begins_with(const char *text, ULONG_PTR value)
{
    char *end;
    unsigned long long number = strtoull(text, &end, 16);
    return end != text && *end == ' ' && number == value;
}

/* The row of a code, and of its first parameter where the code has several rows. */
static const struct bugcheck_text *text_of(ULONG code, ULONG_PTR parameter1)
{
    static const struct bugcheck_text unknown = {0, "UNKNOWN_BUG_CHECK", {"", "", "", ""}};
    const struct bugcheck_text *found = &unknown;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].code != code) {
            continue;
        }
        if (begins_with(texts[i].parameter[0], parameter1)) {
            return &texts[i];
        }
        if (found == &unknown) {
            found = &texts[i];
        }
    }
    return found;
}

const char *verifier_bugcheck_name(ULONG code, ULONG_PTR parameter1)
{
    return text_of(code, parameter1)->name;
}

/* ---- stacks ---- */

/* Whether a frame belongs to stopping itself, which tells a driver's author nothing. */
static bool is_of_report(const struct base_stack_frame *frame)
{
    static const char *const functions[] = {"print_frames",
                                            "print_driver_frames",
                                            "print_stack",
                                            "print_banner",
                                            "verifier_report_bugcheck",
                                            "verifier_report_warning",
                                            "stop",
                                            "stop_for_rule",
                                            "ke_bugcheck",
                                            "ke_violation",
                                            "ke_warning",
                                            "KeBugCheckEx"};
    for (size_t i = 0; i < RTL_NUMBER_OF(functions) && frame->function != NULL; i++) {
        if (strcmp(frame->function, functions[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The emulator's sources lie beside this one. */
bool verifier_is_own_frame(const struct base_stack_frame *frame)
{
    static const char own[] = __FILE__;
    size_t folder = sizeof(own) - sizeof("verifier/report.c");
    return strncmp(frame->file, own, folder) == 0;
}

/* Of the program wskemu, which a driver's author did not write either. */
static bool is_program(const struct base_stack_frame *frame)
{
    static const char own[] = __FILE__;
    static const char program[] = "tools/wskemu/";
    size_t folder = sizeof(own) - sizeof("emu/verifier/report.c");
    return strncmp(frame->file, own, folder) == 0 &&
           strncmp(frame->file + folder, program, sizeof(program) - 1) == 0;
}

/* The host's own start of a thread or a program. */
static bool is_host(const struct base_stack_frame *frame)
{
    static const char *const functions[] = {"__libc_start_call_main",
                                            "__libc_start_main",
                                            "start_thread",
                                            "clone",
                                            "__clone",
                                            "_start"};
    for (size_t i = 0; i < RTL_NUMBER_OF(functions) && frame->function != NULL; i++) {
        if (strncmp(frame->function, functions[i], strlen(functions[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* The test's fixture. */
static bool is_fixture(const struct base_stack_frame *frame)
{
    return strstr(frame->file, "wskemu/cmocka.h") != NULL;
}

bool verifier_is_driver_frame(const struct base_stack_frame *frame)
{
    return frame->file != NULL && !is_fixture(frame) && !is_of_report(frame) &&
           !verifier_is_own_frame(frame) && !is_program(frame) && !is_host(frame);
}

static void print_frame(const struct base_stack_frame *frame)
{
    if (frame->file != NULL) {
        base_log("    %s at %s:%u\n", frame->function != NULL ? frame->function : "?", frame->file,
                 frame->line);
    } else {
        base_log("    %s\n", frame->function != NULL ? frame->function : "?");
    }
}

/* Runaway recursion, too, is printed in finite time and space. */
#define FRAMES_MAX 128

typedef bool frame_filter(const struct base_stack_frame *frame);

struct frames {
    const char *title;
    frame_filter *is_wanted;
    unsigned count;
    unsigned most;
    uintptr_t last; /* address in the frame before */
    unsigned again; /* how many frames have been the same as the last that was printed */
    bool is_last_wanted;
};

static void print_again(struct frames *frames)
{
    if (frames->again != 0) {
        base_log("        and %u times more\n", frames->again);
    }
    frames->again = 0;
}

/* Naming a frame costs, those of the host most: it is asked for no more than are wanted. */
static bool print_if_wanted(void *context, uintptr_t pc, uintptr_t frame_pointer)
{
    struct frames *frames = context;
    struct base_stack_frame frame;
    UNREFERENCED_PARAMETER(frame_pointer);
    if (pc == frames->last) {
        frames->again += frames->is_last_wanted;
        return false;
    }
    print_again(frames);
    base_stack_name(pc, &frame);
    frames->last = pc;
    frames->is_last_wanted = frames->is_wanted(&frame);
    if (frames->is_last_wanted) {
        if (frames->count++ == 0) {
            base_log("%s:\n", frames->title);
        }
        print_frame(&frame);
    }
    return frames->count == frames->most;
}

static void print_frames(struct frames *frames)
{
    bool is_whole = base_stack_walk(print_if_wanted, frames);
    print_again(frames);
    if (!is_whole && frames->count != 0) {
        base_log("    (the stack is damaged; what is beyond cannot be told)\n");
    } else if (frames->count == FRAMES_MAX) {
        base_log("    (and more)\n");
    }
}

/* The innermost of those frames that are not the emulator's. */
static void print_driver_frames(unsigned most)
{
    struct frames frames = {.title = "Where", .is_wanted = verifier_is_driver_frame, .most = most};
    print_frames(&frames);
}

static bool is_told(const struct base_stack_frame *frame)
{
    return !is_of_report(frame);
}

static void print_stack(void)
{
    struct frames frames = {.title = "\nStack", .is_wanted = is_told, .most = FRAMES_MAX};
    print_frames(&frames);
}

/* Where a driver breaks a rule: the frames of its routine, down to who called that. */
struct place {
    uint64_t number;
    unsigned frames;
};

static uint64_t mix(uint64_t number, const char *text)
{
    while (*text != '\0') {
        number = (number ^ (unsigned char)*text++) * 0x100000001B3ULL;
    }
    return number;
}

static bool add_to_place(void *context, uintptr_t pc, uintptr_t frame_pointer)
{
    struct place *place = context;
    struct base_stack_frame frame;
    UNREFERENCED_PARAMETER(frame_pointer);
    base_stack_name(pc, &frame);
    if (!verifier_is_driver_frame(&frame)) {
        return place->frames != 0;
    }
    place->number = mix(place->number, frame.file) + frame.line;
    return ++place->frames == WARNING_FRAMES;
}

/* Whether the rule is broken there for the first time in this process. Files and lines tell it: a
 * driver that is loaded again may lie elsewhere. */
static bool is_new_place(const char *rule)
{
    static struct verifier_spoken told;
    struct place place = {.number = mix(0xCBF29CE484222325ULL, rule)};
    base_stack_walk(add_to_place, &place);
    return verifier_is_said_first(&told, place.number | 1);
}

/* ---- what it says ---- */

static void print_also(const char *id)
{
    unsigned next = 0;
    for (const char *also; (also = verifier_rule_also(id, &next)) != NULL;) {
        const struct verifier_rule *rule = verifier_rule_find(also);
        base_log("Also rule %s: %s\n", also, rule != NULL ? rule->text : "not in the ledgers");
    }
}

static void print_rule(const char *id)
{
    const struct verifier_rule *rule = verifier_rule_find(id);
    const char *reason = verifier_silence_reason(id);
    base_log("Rule %s: %s\n", id, rule != NULL ? rule->text : "not in the ledgers");
    if (rule != NULL) {
        base_log("See %s.\n", rule->source);
        if (rule->advice[0] != '\0') {
            base_log("Instead: %s\n", rule->advice);
        }
    }
    print_also(id);
    if (reason != NULL) {
        base_log("The rule is silenced (%s), but the kernel cannot go on after this.\n", reason);
    }
}

static void print_banner(const struct wskemu_bugcheck *bugcheck)
{
    const struct bugcheck_text *text = text_of(bugcheck->code, bugcheck->parameter[0]);
    base_log("\n*** STOP: 0x%08X (0x%016llX,0x%016llX,0x%016llX,0x%016llX)\n*** %s\n\n",
             bugcheck->code, (unsigned long long)bugcheck->parameter[0],
             (unsigned long long)bugcheck->parameter[1], (unsigned long long)bugcheck->parameter[2],
             (unsigned long long)bugcheck->parameter[3], text->name);
    /* Codes whose first parameter says what the others are have values that no row tells of. */
    bool is_known = strncmp(text->parameter[0], "0x", 2) != 0 ||
                    begins_with(text->parameter[0], bugcheck->parameter[0]);
    for (int i = 0; i < 4; i++) {
        base_log("    %d: %016llX  %s\n", i + 1, (unsigned long long)bugcheck->parameter[i],
                 is_known ? text->parameter[i] : "");
    }
}

static bool is_repeated(const struct wskemu_bugcheck *bugcheck, int n)
{
    for (int i = 0; i < n; i++) {
        if (bugcheck->parameter[i] == bugcheck->parameter[n]) {
            return true;
        }
    }
    return false;
}

static void print_objects(const struct wskemu_bugcheck *bugcheck)
{
    for (int i = 0; i < 4; i++) {
        if (!is_repeated(bugcheck, i)) {
            verifier_object_print((const void *)bugcheck->parameter[i]);
        }
    }
    verifier_subjects_print();
    verifier_evidence_print();
}

void verifier_report_bugcheck(const struct wskemu_bugcheck *bugcheck)
{
    verifier_fault_log("bugcheck 0x%X %s%s%s\n", (unsigned)bugcheck->code, bugcheck->name,
                       bugcheck->rule != NULL ? " " : "",
                       bugcheck->rule != NULL ? bugcheck->rule : "");
    print_banner(bugcheck);
    if (bugcheck->sentence[0] != '\0') {
        base_log("\n%s\n", bugcheck->sentence);
    }
    if (bugcheck->rule != NULL) {
        print_rule(bugcheck->rule);
    }
    base_log("\n");
    bool is_hang = verifier_hang_print(); /* told by who only looked on */
    if (!is_hang) {
        print_driver_frames(FRAMES_MAX);
    }
    print_objects(bugcheck);
    if (!is_hang) {
        print_stack();
    }
    base_log("\n");
    verifier_options_print();
    base_log("\n");
}

void verifier_report_warning(const char *rule, const char *sentence)
{
    bool is_first = verifier_rule_speak(rule);
    base_log("warning%s%s: %s\n", rule != NULL ? " " : "", rule != NULL ? rule : "", sentence);
    if (is_first && is_new_place(rule)) {
        print_rule(rule);
        print_driver_frames(WARNING_FRAMES);
    }
}
