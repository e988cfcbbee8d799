/*
 * Hooks.
 *
 * A point is a pointer by which drivers call: an entry of a WSK dispatch table, or the slot of a
 * hook point of the kernel (mm/hook_point.h). Hooking a function puts a gate into its points, and
 * unhooking the function itself again. A gate belongs to its point until the process ends, so that
 * a thread which comes through one late finds the right function behind it.
 *
 * A hook is a name with what the test wants; one lock guards all of it. It is not held while
 * conditions, replacements or the function itself run.
 *
 * Drivers read the pointers without a lock, and on x86-64 see the old or the new one; the writes
 * are hidden from ThreadSanitizer, which would ask for more.
 */
#include "harness/hook.h"

#include "base/log.h"
#include "base/mutex.h"
#include "base/sanitize.h"
#include "harness/hook_gate.h"
#include "ke/thread.h"
#include "mm/hook_point.h"
#include "wsk/wsk.h"

#include <wskemu/assert.h>

#include <stdatomic.h>
#include <string.h>

#define HOOKS_MAX 256
#define RULES_MAX 16
#define NO_IRP (-1)
#define MICROSECONDS 1000 /* of a millisecond */

struct rule {
    struct wskemu_hook hook;
    ULONG seen; /* calls that matched */
};

/* By name; guarded by the lock, but for name, irp, decider and context, which stay. */
struct hook {
    const char *name;
    int irp; /* the number of the argument that is the IRP, or NO_IRP */
    hook_decider *_Atomic decider;
    const void *context;
    bool is_set;
    ULONG calls;
    unsigned rule_count;
    struct rule rules[RULES_MAX];
};

/* One a gate. */
struct point {
    void *volatile *slot;
    void *function;
    struct hook *hook;
};

struct entry {
    const char *name;
    const void *table;
    void *slot;
    int irp;
};

#define PROVIDER(name, irp)                                                                        \
    {                                                                                              \
#name, &wsk_provider_dispatch, (void *)&wsk_provider_dispatch.name, irp                    \
    }
#define OF(table, name, irp)                                                                       \
    {                                                                                              \
#name, &wsk_##table##_dispatch, (void *)&wsk_##table##_dispatch.name, irp                  \
    }
#define BASIC(table) OF(table, WskControlSocket, 9), OF(table, WskCloseSocket, 1)
#define CONNECTED(table)                                                                           \
    BASIC(table), OF(table, WskBind, 3), OF(table, WskConnect, 3),                                 \
        OF(table, WskGetLocalAddress, 2), OF(table, WskGetRemoteAddress, 2),                       \
        OF(table, WskSend, 3), OF(table, WskReceive, 3), OF(table, WskDisconnect, 3),              \
        OF(table, WskRelease, NO_IRP), OF(table, WskConnectEx, 4), OF(table, WskSendEx, 5),        \
        OF(table, WskReceiveEx, 6)

static const struct entry entries[] = {
    PROVIDER(WskSocket, 10),
    PROVIDER(WskSocketConnect, 11),
    PROVIDER(WskControlClient, 7),
    PROVIDER(WskGetAddressInfo, 9),
    PROVIDER(WskFreeAddressInfo, NO_IRP),
    PROVIDER(WskGetNameInfo, 8),
    BASIC(basic),
    BASIC(listen),
    OF(listen, WskBind, 3),
    OF(listen, WskAccept, 6),
    OF(listen, WskInspectComplete, 3),
    OF(listen, WskGetLocalAddress, 2),
    BASIC(datagram),
    OF(datagram, WskBind, 3),
    OF(datagram, WskSendTo, 6),
    OF(datagram, WskReceiveFrom, 7),
    OF(datagram, WskRelease, NO_IRP),
    OF(datagram, WskGetLocalAddress, 2),
    OF(datagram, WskSendMessages, 6),
    CONNECTED(connection),
    CONNECTED(stream),
    OF(stream, WskAccept, 6),
    OF(stream, WskListen, 1),
};

#define ENTRY_COUNT (sizeof(entries) / sizeof(entries[0]))

static struct base_mutex lock; /* guards all below */
static struct hook hooks[HOOKS_MAX];
static unsigned hook_count;
#if HOOK_GATES_MAX != 0
static struct point points[HOOK_GATES_MAX];
#else
static struct point points[1];
#endif
static unsigned point_count;

/* ---- points ---- */

BASE_NOT_SANITIZED static void put(void *volatile *slot, void *function)
{
    *slot = function;
}

/* Makes a point of a slot if it is none yet, and puts its gate there. The lock is held. */
static bool hook_slot(struct hook *hook, void *slot)
{
    unsigned gate = 0;
    while (gate < point_count && points[gate].slot != slot) {
        gate++;
    }
    if (gate == HOOK_GATES_MAX) {
        return false;
    }
    if (gate == point_count) {
        void *volatile *of = slot;
        points[gate] = (struct point){.slot = of, .function = *of, .hook = hook};
        point_count++;
    }
    put(points[gate].slot, hook_gate(gate));
    return true;
}

static bool hook_slots(struct hook *hook)
{
    bool is_hooked = false;
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        if (strcmp(entries[i].name, hook->name) == 0) {
            is_hooked = hook_slot(hook, entries[i].slot);
        }
    }
    const struct mm_hook_point *point = is_hooked ? NULL : mm_hook_point_find(hook->name);
    if (point != NULL) {
        is_hooked = hook_slot(hook, (void *)&mm_hook_slots[point - mm_hook_points]);
    }
    return is_hooked;
}

static void unhook_slots(const struct hook *hook)
{
    for (unsigned i = 0; i < point_count; i++) {
        if (points[i].hook == hook) {
            put(points[i].slot, points[i].function);
        }
    }
}

/* ---- hooks by name ---- */

static struct hook *find(const char *function)
{
    for (unsigned i = 0; i < hook_count; i++) {
        if (strcmp(hooks[i].name, function) == 0) {
            return &hooks[i];
        }
    }
    return NULL;
}

/* The emulator's own text of a hookable function's name, which lives for ever, or NULL. */
static const char *name_of(const char *function, int *irp)
{
    *irp = NO_IRP;
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        if (strcmp(entries[i].name, function) == 0) {
            *irp = entries[i].irp;
            return entries[i].name;
        }
    }
    const struct mm_hook_point *point = mm_hook_point_find(function);
    return point != NULL ? point->name : NULL;
}

/* The hook of that name, made if it is new; *status says why it is NULL. The lock is held. */
static struct hook *obtain(const char *function, NTSTATUS *status)
{
    struct hook *hook = find(function);
    int irp;
    if (hook != NULL) {
        return hook;
    }
    const char *name = name_of(function, &irp);
    if (name == NULL) {
        *status = mm_hook_point_count == 0 ? STATUS_NOT_SUPPORTED : STATUS_PROCEDURE_NOT_FOUND;
    } else if (hook_count == HOOKS_MAX) {
        *status = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        hook = &hooks[hook_count++];
        hook->name = name;
        hook->irp = irp;
    }
    return hook;
}

static bool is_hookable(const char *function)
{
    int irp;
    return name_of(function, &irp) != NULL;
}

/* The lock is held. */
static NTSTATUS add(struct hook *hook, const struct wskemu_hook *wanted)
{
    if (hook->rule_count == RULES_MAX || !hook_slots(hook)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (wanted != NULL) {
        hook->rules[hook->rule_count++] = (struct rule){.hook = *wanted};
    }
    hook->is_set = true;
    return STATUS_SUCCESS;
}

/* Macros of the headers whose name the kernel has as a function, too; drivers call the other. */
static const char *const macros[][2] = {{"IoCallDriver", "IofCallDriver"},
                                        {"IoCompleteRequest", "IofCompleteRequest"}};

static const char *macro_for(const char *function)
{
    for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
        if (strcmp(macros[i][0], function) == 0) {
            return macros[i][1];
        }
    }
    return NULL;
}

static void say_why_not(const char *function, NTSTATUS status)
{
    if (macro_for(function) != NULL) {
        wskemu_fail_at("wskemu_hook", 0, "%s cannot be hooked: drivers call %s by it", function,
                       macro_for(function));
        return;
    }
    const char *why = "there are too many hooks";
    if (status == STATUS_NOT_SUPPORTED) {
        why = "with Microsoft's compiler only the entries of WSK's dispatch tables can be";
    } else if (status == STATUS_PROCEDURE_NOT_FOUND) {
        why = "it is no function of the kernel's and no entry of WSK's dispatch tables (a macro or "
              "an inline function cannot be hooked, but what it calls)";
    }
    wskemu_fail_at("wskemu_hook", 0, "%s cannot be hooked: %s", function, why);
}

static NTSTATUS set(const char *function, const struct wskemu_hook *wanted)
{
    NTSTATUS status = STATUS_PROCEDURE_NOT_FOUND;
    base_mutex_lock(&lock);
    struct hook *hook = macro_for(function) == NULL ? obtain(function, &status) : NULL;
    if (hook != NULL) {
        status = add(hook, wanted);
    }
    base_mutex_unlock(&lock);
    if (status != STATUS_SUCCESS) {
        say_why_not(function, status);
    }
    return status;
}

NTSTATUS wskemu_hook(const char *function, const struct wskemu_hook *hook)
{
    return set(function, hook);
}

/* The lock is held. */
static void clear(struct hook *hook)
{
    hook->is_set = false;
    hook->calls = 0;
    hook->rule_count = 0;
    if (atomic_load(&hook->decider) == NULL) {
        unhook_slots(hook);
    }
}

void wskemu_unhook(const char *function)
{
    base_mutex_lock(&lock);
    struct hook *hook = find(function);
    if (hook != NULL) {
        clear(hook);
    }
    base_mutex_unlock(&lock);
    mock_forget(function);
}

static void clear_all(void)
{
    base_mutex_lock(&lock);
    for (unsigned i = 0; i < hook_count; i++) {
        clear(&hooks[i]);
    }
    base_mutex_unlock(&lock);
}

void wskemu_unhook_all(void)
{
    clear_all();
    mock_forget(NULL);
}

void hook_end(void)
{
    clear_all();
    mock_end();
}

bool hook_decide(const char *function, hook_decider *decider, const void *context)
{
    NTSTATUS status = STATUS_SUCCESS;
    base_mutex_lock(&lock);
    struct hook *hook = obtain(function, &status);
    bool is_there = hook != NULL && hook_slots(hook);
    if (is_there) {
        hook->context = context;
        atomic_store(&hook->decider, decider);
    }
    base_mutex_unlock(&lock);
    return is_there;
}

ULONG wskemu_calls(const char *function)
{
    base_mutex_lock(&lock);
    const struct hook *hook = find(function);
    ULONG calls = hook != NULL ? hook->calls : 0;
    base_mutex_unlock(&lock);
    return calls;
}

/* What stands in a slot when nobody hooks it. */
static void *unhooked(void *slot)
{
    void *function = *(void *volatile *)slot;
    base_mutex_lock(&lock);
    for (unsigned i = 0; i < point_count; i++) {
        if (points[i].slot == slot) {
            function = points[i].function;
        }
    }
    base_mutex_unlock(&lock);
    return function;
}

wskemu_function wskemu_original(const char *function, const void *dispatch)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        if (entries[i].table == dispatch && strcmp(entries[i].name, function) == 0) {
            return (wskemu_function)(ULONG_PTR)unhooked(entries[i].slot);
        }
    }
    const struct mm_hook_point *point = mm_hook_point_find(function);
    return point != NULL && dispatch == NULL ? (wskemu_function)(ULONG_PTR)point->function : NULL;
}

/* ---- queues ---- */

/* What is queued for a function that can be hooked has it hooked. */
void wskemu_queue_result(const char *function, ULONG64 value, const char *file, int line)
{
    mock_queue(function, MOCK_RESULT, value, file, line);
    if (is_hookable(function)) {
        set(function, NULL);
    }
}

void wskemu_queue_expectation(const char *function, ULONG n, ULONG64 value, const char *file,
                              int line)
{
    mock_queue(function, (int)n, value, file, line);
    if (is_hookable(function)) {
        set(function, NULL);
    }
}

/* ---- calls ---- */

ULONG64 wskemu_argument(const struct wskemu_call *call, ULONG n)
{
    const struct hook_frame *frame = (const struct hook_frame *)(const void *)call->frame;
    if (n < HOOK_REGISTERS) {
        return frame->registers[n];
    }
    return n < WSKEMU_HOOK_ARGUMENTS ? frame->stack[HOOK_STACK_FIRST + n - HOOK_REGISTERS] : 0;
}

static bool matches(const struct wskemu_hook *hook, const struct wskemu_call *call)
{
    for (ULONG n = 0; n < WSKEMU_HOOK_ARGUMENTS; n++) {
        if ((hook->matches & 1u << n) != 0 &&
            !mock_is_equal(wskemu_argument(call, n), hook->argument[n])) {
            return false;
        }
    }
    return hook->condition == NULL || hook->condition(call, hook->context);
}

/* Copies rule n; false if there is none. */
static bool copy_rule(struct hook *hook, unsigned n, struct wskemu_hook *copy)
{
    base_mutex_lock(&lock);
    bool is_there = n < hook->rule_count;
    if (is_there) {
        *copy = hook->rules[n].hook;
    }
    base_mutex_unlock(&lock);
    return is_there;
}

/* Counts a call that matched rule n, and says whether the rule takes it. */
static bool takes(struct hook *hook, unsigned n, const struct wskemu_hook *wanted)
{
    base_mutex_lock(&lock);
    ULONG seen = n < hook->rule_count ? ++hook->rules[n].seen : 0;
    base_mutex_unlock(&lock);
    ULONG first = max(wanted->first, 1);
    return seen >= first && (wanted->count == 0 || seen - first < wanted->count);
}

static struct hook_action choose(struct hook *hook, const struct wskemu_call *call)
{
    struct hook_action action = {0};
    struct wskemu_hook wanted = {0};
    for (unsigned n = 0; copy_rule(hook, n, &wanted); n++) {
        if (matches(&wanted, call) && takes(hook, n, &wanted)) {
            action = (struct hook_action){.fails = wanted.fails,
                                          .is_late = wanted.is_late,
                                          .delay_ms = wanted.delay_ms,
                                          .result = wanted.result,
                                          .replacement = wanted.replacement};
        }
    }
    return action;
}

static struct hook_action decide(struct hook *hook, struct wskemu_call *call)
{
    struct hook_action action = {0};
    hook_decider *decider = atomic_load(&hook->decider);
    base_mutex_lock(&lock);
    bool is_set = hook->is_set;
    call->number = is_set ? ++hook->calls : 0;
    base_mutex_unlock(&lock);
    if (is_set) {
        mock_check(call);
    }
    if (decider != NULL && decider(hook->context, call, &action)) {
        return action;
    }
    if (is_set && mock_take(hook->name, &action.result)) {
        action.fails = true;
        return action;
    }
    return is_set ? choose(hook, call) : action;
}

static void delay(ULONG delay_ms)
{
    LARGE_INTEGER interval = {.QuadPart = -10000LL * delay_ms};
    if (KeGetCurrentIrql() < DISPATCH_LEVEL) {
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    } else {
        KeStallExecutionProcessor(delay_ms * MICROSECONDS);
    }
}

/* What a call returns that has no effect. */
static ULONG64 fail(const struct hook *hook, const struct wskemu_call *call,
                    const struct hook_action *action)
{
    NTSTATUS status = (NTSTATUS)action->result;
    PIRP irp =
        hook->irp == NO_IRP ? NULL : (PIRP)(ULONG_PTR)wskemu_argument(call, (ULONG)hook->irp);
    if (irp == NULL) {
        return action->result;
    }
    return (ULONG64)(action->is_late ? wsk_irp_finish(NULL, irp, status, 0)
                                     : wsk_irp_refuse(irp, status));
}

const void *hook_enter(unsigned gate, struct hook_frame *frame)
{
    struct point *point = &points[gate];
    struct wskemu_call call = {.function = point->hook->name,
                               .return_address = (const void *)(ULONG_PTR)frame->stack[0],
                               .frame = (const ULONG64 *)(const void *)frame};
    struct hook_action action = decide(point->hook, &call);
    if (action.delay_ms != 0) {
        delay(action.delay_ms);
    }
    if (action.raises) {
        ExRaiseStatus((NTSTATUS)action.result);
    }
    if (action.fails) {
        frame->rax = fail(point->hook, &call, &action);
        return NULL;
    }
    return action.replacement != NULL ? (const void *)(ULONG_PTR)action.replacement
                                      : point->function;
}
