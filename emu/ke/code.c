/*
 * The code of loaded drivers.
 *
 * All drivers live in one process with the emulator, so that only an address tells whose a routine
 * is. The few that are loaded stand in a table of the process. It is read without a lock: an entry
 * is written before its code runs and taken out after its last routine has returned.
 */
#include "ke/code.h"

#include "base/stack.h"
#include "ke/warning.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define DRIVERS_MAX 64

static const struct ke_code *_Atomic known[DRIVERS_MAX];

/* The bounds of all that were loaded, for as long as the process runs; end is written last. */
static struct {
    _Atomic uintptr_t begin;
    _Atomic uintptr_t end;
} past[DRIVERS_MAX];

/* Puts one pointer where another was. */
static void exchange(const struct ke_code *from, const struct ke_code *to)
{
    for (int i = 0; i < DRIVERS_MAX; i++) {
        const struct ke_code *expected = from;
        if (atomic_compare_exchange_strong(&known[i], &expected, to)) {
            return;
        }
    }
}

/* The entry of the same code, which a kernel that a bug check halted left; or NULL. */
static const struct ke_code *find_stale(const struct ke_code *code)
{
    for (int i = 0; i < DRIVERS_MAX; i++) {
        const struct ke_code *entry = atomic_load(&known[i]);
        if (entry != NULL && entry->begin == code->begin) {
            return entry;
        }
    }
    return NULL;
}

static void remember(const struct ke_code *code)
{
    for (int i = 0; i < DRIVERS_MAX; i++) {
        uintptr_t begin = 0;
        if (atomic_compare_exchange_strong(&past[i].begin, &begin, (uintptr_t)code->begin)) {
            atomic_store(&past[i].end, (uintptr_t)code->end);
            return;
        }
        if (begin == (uintptr_t)code->begin) {
            return;
        }
    }
}

void ke_code_add(const struct ke_code *code)
{
    if (code->begin != code->end) {
        exchange(find_stale(code), code);
        remember(code);
    }
}

bool ke_code_was_any_known(void)
{
    return atomic_load(&past[0].end) != 0;
}

bool ke_code_was_drivers(const void *return_address)
{
    uintptr_t address = (uintptr_t)return_address - 1;
    for (int i = 0; i < DRIVERS_MAX; i++) {
        if (address < atomic_load(&past[i].end) && address >= atomic_load(&past[i].begin)) {
            return true;
        }
    }
    return false;
}

void ke_code_remove(const struct ke_code *code)
{
    exchange(code, NULL);
}

bool ke_code_holds(const struct ke_code *code, const void *routine)
{
    return (uintptr_t)routine - (uintptr_t)code->begin <
           (uintptr_t)code->end - (uintptr_t)code->begin;
}

bool ke_code_called(const struct ke_code *code, const void *return_address)
{
    return ke_code_holds(code, (const char *)return_address - 1);
}

bool ke_code_warn_of_left(const struct ke_code *code, const char *rule, const char *kind,
                          const void *object, const void *creator)
{
    if (!ke_code_called(code, creator)) {
        return false;
    }
    ke_warning(rule,
               "the driver %s was unloaded and did not free the %s %p that it allocated in %s",
               code->driver, kind, object, base_stack_site(creator).text);
    return true;
}

const struct ke_code *ke_code_of(const void *address)
{
    for (int i = 0; i < DRIVERS_MAX; i++) {
        const struct ke_code *code = atomic_load_explicit(&known[i], memory_order_acquire);
        if (code != NULL && ke_code_holds(code, address)) {
            return code;
        }
    }
    return NULL;
}

bool ke_code_is_any_known(void)
{
    for (int i = 0; i < DRIVERS_MAX; i++) {
        if (atomic_load_explicit(&known[i], memory_order_relaxed) != NULL) {
            return true;
        }
    }
    return false;
}

static bool stop_in_driver(void *context, uintptr_t pc, uintptr_t frame_pointer)
{
    (void)frame_pointer;
    if (ke_code_of((const void *)pc) == NULL) {
        return false;
    }
    *(const void **)context = (const char *)pc + 1;
    return true;
}

const void *ke_code_caller(void)
{
    const void *caller = NULL;
    if (ke_code_is_any_known()) {
        base_stack_walk(stop_in_driver, &caller);
    }
    return caller;
}
