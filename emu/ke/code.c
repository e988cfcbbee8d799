/*
 * The code of loaded drivers.
 *
 * All drivers live in one process with the emulator, so that only an address tells whose a routine
 * is. The few that are loaded stand in a table of the process. It is read without a lock: an entry
 * is written before its code runs and taken out after its last routine has returned.
 */
#include "ke/code.h"

#include "base/stack.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define DRIVERS_MAX 64

static const struct ke_code *_Atomic known[DRIVERS_MAX];

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

void ke_code_add(const struct ke_code *code)
{
    if (code->begin != code->end) {
        exchange(find_stale(code), code);
    }
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

static bool is_known(const void *address)
{
    for (int i = 0; i < DRIVERS_MAX; i++) {
        const struct ke_code *code = atomic_load_explicit(&known[i], memory_order_acquire);
        if (code != NULL && ke_code_holds(code, address)) {
            return true;
        }
    }
    return false;
}

static bool stop_in_driver(void *context, uintptr_t pc, uintptr_t frame_pointer)
{
    (void)frame_pointer;
    if (!is_known((const void *)pc)) {
        return false;
    }
    *(const void **)context = (const char *)pc + 1;
    return true;
}

const void *ke_code_caller(void)
{
    const void *caller = NULL;
    for (int i = 0; i < DRIVERS_MAX && caller == NULL; i++) {
        if (atomic_load_explicit(&known[i], memory_order_relaxed) != NULL) {
            base_stack_walk(stop_in_driver, &caller);
            break;
        }
    }
    return caller;
}
