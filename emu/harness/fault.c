/*
 * Faults.
 *
 * Each function of the table is hooked with a decider when faults begin for the first time; without
 * them none is, and a driver pays nothing. The decider counts the calls that could fail and says
 * which does. What a call stack is tells the hash of its places in the driver's code, each from the
 * beginning of that code, so that it is the same in each run of a program.
 *
 * The state belongs to the process: the nth call is counted over all kernels that it boots.
 */
#include "harness/fault.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/process.h"
#include "base/stack.h"
#include "harness/hook.h"
#include "ke/code.h"
#include "verifier/fault.h"
#include "verifier/fault_log.h"
#include "verifier/option.h"
#include "wsk/queue.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define STACKS_MAX 4096 /* a power of two */
#define STACK_FRAMES_MAX 24
#define LATE_NS 300000000ULL
#define HASH_FIRST 2166136261u
#define HASH_FACTOR 16777619u

enum kind {
    KIND_POOL,
    KIND_IRP,
    KIND_MDL,
    KIND_THREAD,
    KIND_WORK_ITEM,
    KIND_TIMER,
    KIND_DEVICE,
    KIND_OBJECT,
    KIND_REGISTRY,
    KIND_STRING,
    KIND_REGISTRATION,
    KIND_SOCKET,
    KIND_BIND,
    KIND_CONNECT,
    KIND_ACCEPT,
    KIND_SEND,
    KIND_RECEIVE,
    KIND_NAME,
    KIND_CONTROL,
    KIND_COUNT
};

static const char *const kind_names[KIND_COUNT] = {
    "pool",   "irp",      "mdl",     "thread",       "work_item", "timer", "device",
    "object", "registry", "string",  "registration", "socket",    "bind",  "connect",
    "accept", "send",     "receive", "name",         "control"};

enum manner {
    MANNER_NULL,
    MANNER_STATUS,
    MANNER_WSK,
    MANNER_RAISE,
    MANNER_FLAGS, /* NULL or, with POOL_FLAG_RAISE_ON_FAILURE, an exception */
    MANNER_TYPE,  /* the same with POOL_RAISE_IF_ALLOCATION_FAILURE */
    MANNER_QUOTA, /* an exception or, with POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, NULL */
    MANNER_COPY   /* a status, if the third argument is TRUE */
};

struct row {
    const char *function;
    enum kind kind;
    enum manner manner;
};

static const struct row rows[] = {
#define X(function, kind, manner) {#function, KIND_##kind, MANNER_##manner},
#include "harness/fault_table.h"
#undef X
};

enum mode { MODE_NONE, MODE_COUNT, MODE_NTH, MODE_STACK, MODE_STACKS, MODE_RANDOM };

struct plan {
    enum mode mode;
    ULONG nth;
    ULONG stack;
    ULONG per_million;
};

static struct base_mutex lock; /* guards all below but the atomics */
static struct plan plan;
static ULONG kinds = (1u << KIND_COUNT) - 1;
static ULONG random_state;
static bool is_from_test; /* the test began them, not the environment */
static bool is_booted;
static ULONG stacks[STACKS_MAX]; /* those that were met; 0: a free place */
static ULONG calls;
static ULONG faults;

static atomic_bool is_armed;
static _Atomic uint64_t failed_at_ns; /* when the first call failed; 0: none has */

/* ---- call stacks ---- */

struct walk {
    ULONG hash;
    unsigned frames;
};

static bool add_frame(void *context, uintptr_t pc, uintptr_t frame_pointer)
{
    struct walk *walk = context;
    const struct ke_code *code = ke_code_of((const void *)pc);
    UNREFERENCED_PARAMETER(frame_pointer);
    if (code == NULL) {
        return walk->frames != 0;
    }
    ULONG offset = (ULONG)(pc - (uintptr_t)code->begin);
    for (const char *letter = code->driver; *letter != '\0'; letter++) {
        walk->hash = (walk->hash ^ (UCHAR)*letter) * HASH_FACTOR;
    }
    for (int i = 0; i < 4; i++) {
        walk->hash = (walk->hash ^ ((offset >> (8 * i)) & 0xFF)) * HASH_FACTOR;
    }
    return ++walk->frames == STACK_FRAMES_MAX;
}

/* Never 0. Without a driver in it a stack is known by the function that was called. */
static ULONG hash_of_stack(const char *function)
{
    struct walk walk = {.hash = HASH_FIRST};
    base_stack_walk(add_frame, &walk);
    for (; walk.frames == 0 && *function != '\0'; function++) {
        walk.hash = (walk.hash ^ (UCHAR)*function) * HASH_FACTOR;
    }
    return walk.hash | 1;
}

/* Whether the stack is met for the first time; the lock is held. More than can be kept are new each
 * time. */
static bool is_new_stack(ULONG hash)
{
    ULONG place = hash >> 1;
    for (int i = 0; i < STACKS_MAX; i++, place++) {
        ULONG *stack = &stacks[place & (STACKS_MAX - 1)];
        if (*stack == hash) {
            return false;
        }
        if (*stack == 0) {
            *stack = hash;
            return true;
        }
    }
    return true;
}

/* ---- which call fails ---- */

static bool draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % 1000000 < plan.per_million;
}

/* A call that could fail, with its number and stack. */
struct candidate {
    ULONG number;
    ULONG stack; /* 0: not asked for */
};

/* Counts the call and decides; the lock is held. */
static bool is_due(struct candidate *call, bool *is_first_of_stack)
{
    call->number = ++calls;
    *is_first_of_stack = call->stack != 0 && is_new_stack(call->stack);
    switch (plan.mode) {
    case MODE_NTH:
        return call->number == plan.nth;
    case MODE_STACK:
        return call->stack == plan.stack && *is_first_of_stack;
    case MODE_STACKS:
        return *is_first_of_stack;
    case MODE_RANDOM:
        return draw();
    default:
        return false;
    }
}

static void fill_in(const struct row *row, const struct wskemu_call *call,
                    struct hook_action *action)
{
    ULONG64 first = wskemu_argument(call, 0);
    bool raises = row->manner == MANNER_RAISE ||
                  (row->manner == MANNER_FLAGS && (first & POOL_FLAG_RAISE_ON_FAILURE) != 0) ||
                  (row->manner == MANNER_TYPE && (first & POOL_RAISE_IF_ALLOCATION_FAILURE) != 0) ||
                  (row->manner == MANNER_QUOTA && (first & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE) == 0);
    bool has_status = raises || row->manner == MANNER_STATUS || row->manner == MANNER_WSK ||
                      row->manner == MANNER_COPY;
    *action = (struct hook_action){
        .fails = true,
        .raises = raises,
        .result = has_status ? (ULONG64)STATUS_INSUFFICIENT_RESOURCES : 0,
        .is_late = row->manner == MANNER_WSK && wsk_policy_defers(),
    };
}

static void tell(const char *what, const struct row *row, const struct wskemu_call *call,
                 const struct candidate *candidate)
{
    struct base_site site = base_stack_site(call->return_address);
    verifier_fault_log("%s %08X %u %s, called by %s\n", what, (unsigned)candidate->stack,
                       (unsigned)candidate->number, row->function, site.text);
    if (strcmp(what, "fault") == 0) {
        base_log("wskemu: fault: %s fails, called by %s (call %u, stack %08X)\n", row->function,
                 site.text, (unsigned)candidate->number, (unsigned)candidate->stack);
    }
}

static bool is_candidate(const struct row *row, const struct wskemu_call *call)
{
    if (row->manner == MANNER_COPY && (UCHAR)wskemu_argument(call, 2) == 0) {
        return false;
    }
    return !ke_code_is_any_known() || ke_code_of((const char *)call->return_address - 1) != NULL;
}

/* A hook_decider. */
static bool decide(const void *context, const struct wskemu_call *call, struct hook_action *action)
{
    const struct row *row = context;
    struct candidate candidate = {0};
    bool is_first_of_stack;
    if (!atomic_load_explicit(&is_armed, memory_order_relaxed) || !is_candidate(row, call)) {
        return false;
    }
    candidate.stack = hash_of_stack(row->function);
    base_mutex_lock(&lock);
    bool is_meant = plan.mode != MODE_NONE && (kinds & 1u << row->kind) != 0;
    bool fails = is_meant && is_due(&candidate, &is_first_of_stack);
    bool is_told = is_meant && is_first_of_stack && plan.mode == MODE_COUNT;
    faults += fails;
    base_mutex_unlock(&lock);
    if (is_told || fails) {
        tell(fails ? "fault" : "stack", row, call, &candidate);
    }
    if (fails) {
        uint64_t none = 0;
        atomic_compare_exchange_strong(&failed_at_ns, &none, base_clock_ns());
        fill_in(row, call, action);
        if (action->result == 0 && !action->raises) {
            verifier_note_refused(row->function, call->return_address);
        }
    } else {
        verifier_note_granted(row->function);
    }
    return fails;
}

/* ---- what is asked for ---- */

/* The number behind the prefix; false unless it is all of the rest. */
static bool number_behind(const char *text, const char *prefix, int base, ULONG *number)
{
    size_t length = strlen(prefix);
    char *end;
    if (strncmp(text, prefix, length) != 0 || text[length] == '\0') {
        return false;
    }
    *number = (ULONG)strtoull(text + length, &end, base);
    return *end == '\0' && text[length] != '-';
}

static bool rate_behind(const char *text, const char *prefix, ULONG *per_million)
{
    size_t length = strlen(prefix);
    char *end;
    if (strncmp(text, prefix, length) != 0 || text[length] < '0' || text[length] > '9') {
        return false;
    }
    double rate = strtod(text + length, &end);
    *per_million = rate >= 0 && rate <= 1 ? (ULONG)(rate * 1e6) : 0;
    return *end == '\0' && rate >= 0 && rate <= 1;
}

static bool parse(const char *text, struct plan *parsed)
{
    *parsed = (struct plan){0};
    if (strcmp(text, "count") == 0) {
        parsed->mode = MODE_COUNT; /* of the sweep: nothing fails, the stacks are told */
    } else if (strcmp(text, "stacks") == 0) {
        parsed->mode = MODE_STACKS;
    } else if (number_behind(text, "nth:", 10, &parsed->nth) && parsed->nth != 0) {
        parsed->mode = MODE_NTH;
    } else if (number_behind(text, "stack:", 16, &parsed->stack) && parsed->stack != 0) {
        parsed->mode = MODE_STACK;
    } else if (rate_behind(text, "random:", &parsed->per_million)) {
        parsed->mode = MODE_RANDOM;
    }
    return parsed->mode != MODE_NONE;
}

/* The kinds that a text names, as bits; 0 if it names one that is none. */
static ULONG parse_kinds(const char *text)
{
    ULONG found = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        ULONG before = found;
        for (int i = 0; i < KIND_COUNT; i++) {
            if (strlen(kind_names[i]) == length && memcmp(kind_names[i], text, length) == 0) {
                found |= 1u << i;
            }
        }
        if (found == before) {
            return 0;
        }
        text += length + (text[length] == ',');
    }
    return found;
}

static ULONG seed(void)
{
    ULONG drawn = 0;
    if (verifier_option_is_set(OPTION_SEED) &&
        strcmp(verifier_option_text(OPTION_SEED), "random") != 0) {
        drawn = (ULONG)verifier_option_number(OPTION_SEED);
    } else {
        base_random(&drawn, sizeof(drawn));
        base_log("wskemu: faults are drawn from WSKEMU_SEED=%u\n", (unsigned)drawn);
    }
    return drawn * HASH_FACTOR | 1;
}

static void hook_rows(void)
{
    static bool are_hooked;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !are_hooked; i++) {
        hook_decide(rows[i].function, decide, &rows[i]);
    }
    are_hooked = true;
}

static void begin(const struct plan *wanted, bool is_of_test)
{
    if (wanted->mode != MODE_NONE) {
        hook_rows();
    }
    base_mutex_lock(&lock);
    plan = *wanted;
    is_from_test = is_of_test;
    calls = 0;
    faults = 0;
    memset(stacks, 0, sizeof(stacks));
    random_state = plan.mode == MODE_RANDOM ? seed() : 0;
    base_mutex_unlock(&lock);
    atomic_store(&failed_at_ns, 0);
    atomic_store(&is_armed, wanted->mode != MODE_NONE);
}

NTSTATUS wskemu_fault(const char *which)
{
    struct plan wanted = {.mode = MODE_NONE};
    if (which != NULL && !parse(which, &wanted)) {
        base_log("wskemu: the fault \"%s\" is none of nth:N, stack:HASH, stacks, random:RATE\n",
                 which);
        return STATUS_INVALID_PARAMETER;
    }
    begin(&wanted, true);
    return STATUS_SUCCESS;
}

NTSTATUS wskemu_fault_kinds(const char *text)
{
    ULONG wanted = text == NULL || *text == '\0' ? (1u << KIND_COUNT) - 1 : parse_kinds(text);
    if (wanted == 0) {
        base_log("wskemu: \"%s\" names kinds of faults that are none; these are:", text);
        for (int i = 0; i < KIND_COUNT; i++) {
            base_log(" %s", kind_names[i]);
        }
        base_log("\n");
        return STATUS_INVALID_PARAMETER;
    }
    base_mutex_lock(&lock);
    kinds = wanted;
    base_mutex_unlock(&lock);
    return STATUS_SUCCESS;
}

ULONG wskemu_fault_calls(void)
{
    base_mutex_lock(&lock);
    ULONG count = calls;
    base_mutex_unlock(&lock);
    return count;
}

ULONG wskemu_faults(void)
{
    base_mutex_lock(&lock);
    ULONG count = faults;
    base_mutex_unlock(&lock);
    return count;
}

bool fault_boot(void)
{
    if (is_booted) {
        return true;
    }
    if (wskemu_fault_kinds(verifier_option_text(OPTION_FAULT_KINDS)) != STATUS_SUCCESS) {
        return false;
    }
    if (verifier_option_is_set(OPTION_FAULT)) {
        if (wskemu_fault(verifier_option_text(OPTION_FAULT)) != STATUS_SUCCESS) {
            return false;
        }
        is_from_test = false;
    }
    is_booted = true;
    return true;
}

void fault_end(void)
{
    const struct plan none = {.mode = MODE_NONE};
    if (is_from_test) {
        begin(&none, false);
        wskemu_fault_kinds(verifier_option_text(OPTION_FAULT_KINDS));
    }
}

/* ---- for waits and the sweep ---- */

bool fault_is_armed(void)
{
    return atomic_load_explicit(&is_armed, memory_order_relaxed);
}

bool fault_is_late(uint64_t since_ns)
{
    uint64_t failed_ns = atomic_load(&failed_at_ns);
    return fault_is_armed() && failed_ns != 0 &&
           base_clock_ns() > max(since_ns, failed_ns) + LATE_NS;
}

void fault_note_left(unsigned left)
{
    verifier_fault_log("left %u\n", left);
}
