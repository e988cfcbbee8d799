/*
 * Faults, explained.
 *
 * At level full the pages of what was freed, and the page behind each block, are forbidden, and the
 * memory says whose it was (ex/guarded.c). Stacks of threads that ended are remembered, the last
 * ones, until another thread gets the same memory. What lies below LOWEST_ADDRESS is a NULL pointer
 * with an offset.
 */
#include "verifier/fault.h"

#include "base/local.h"
#include "base/stack.h"
#include "ex/guarded.h"
#include "ex/pool.h"
#include "io/call.h"
#include "io/container.h"
#include "io/transfer.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "mm/mm.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Below it lies no memory. */
#define LOWEST_ADDRESS 0x10000

#define STACKS_MAX 64

/* A place is written by one thread at a time, high last, and cleared by its high. */
static struct {
    struct {
        atomic_uintptr_t low;
        atomic_uintptr_t high; /* 0 while the place is free */
    } stack[STACKS_MAX];
    atomic_uint next;
} ended;

/* The calling thread's last call that was made to fail. */
static BASE_THREAD_LOCAL struct {
    const char *function;
    const void *caller;
} refused;

void verifier_note_refused(const char *function, const void *caller)
{
    refused.function = function;
    refused.caller = caller;
}

void verifier_note_granted(const char *function)
{
    if (refused.function != NULL && strcmp(refused.function, function) == 0) {
        refused.function = NULL;
    }
}

/* What a driver that did not look whether that call failed breaks, or NULL. */
static const char *rule_of_refused(const char *function)
{
    if (strcmp(function, "MmMapLockedPagesSpecifyCache") == 0) {
        return "MDL-38";
    }
    return strncmp(function, "ExAllocatePool", 14) == 0 ? "POOL-15" : NULL;
}

static void describe_refused(struct verifier_place *place, ULONG_PTR address)
{
    place->rule = rule_of_refused(refused.function);
    snprintf(place->text, sizeof(place->text),
             ", a NULL pointer and an offset of %llu; this thread's last call that failed was %s, "
             "that of %s",
             (unsigned long long)address, refused.function, base_stack_site(refused.caller).text);
}

static void describe_null(struct verifier_place *place, ULONG_PTR address)
{
    if (refused.function != NULL) {
        describe_refused(place, address);
        return;
    }
    const void *failed = ex_pool_failed_creator();
    place->rule = failed != NULL ? "POOL-15" : NULL;
    snprintf(place->text, sizeof(place->text), ", a NULL pointer and an offset of %llu%s%s",
             (unsigned long long)address,
             failed != NULL ? "; this thread's last allocation of pool failed, that of " : "",
             failed != NULL ? base_stack_site(failed).text : "");
}

bool verifier_is_on_ended_stack(ULONG_PTR address)
{
    for (unsigned i = 0; i < STACKS_MAX; i++) {
        if (address < atomic_load(&ended.stack[i].high) &&
            address >= atomic_load(&ended.stack[i].low)) {
            return true;
        }
    }
    return false;
}

void verifier_stack_ended(void)
{
    uintptr_t low;
    uintptr_t high;
    base_stack_bounds(&low, &high);
    unsigned i = atomic_fetch_add(&ended.next, 1) % STACKS_MAX;
    atomic_store(&ended.stack[i].high, 0);
    atomic_store(&ended.stack[i].low, low);
    atomic_store(&ended.stack[i].high, high);
}

void verifier_stack_begins(void)
{
    uintptr_t low;
    uintptr_t high;
    base_stack_bounds(&low, &high);
    for (unsigned i = 0; i < STACKS_MAX; i++) {
        if (low < atomic_load(&ended.stack[i].high) && atomic_load(&ended.stack[i].low) < high) {
            atomic_store(&ended.stack[i].high, 0);
        }
    }
}

struct verifier_place verifier_place_of(ULONG_PTR address)
{
    struct verifier_place place = {"", NULL};
    if (address < LOWEST_ADDRESS) {
        describe_null(&place, address);
    } else if (verifier_is_on_ended_stack(address)) {
        snprintf(place.text, sizeof(place.text), ", on the stack of a thread that has ended");
    }
    if (place.rule == NULL) {
        place.rule = io_container_fault_rule();
    }
    if (place.rule == NULL && io_calls_have_pointer(address)) {
        place.rule = "DEV-73";
    }
    return place;
}

const char *verifier_pattern_of(ULONG_PTR address)
{
    ULONG_PTR byte = address & 0xFF;
    if (address != byte * 0x0101010101010101ULL) {
        return "";
    }
    if (byte == EX_POOL_FRESH_BYTE) {
        return "; it is what new pool is filled with, so that the pointer was read from a block "
               "before it was set";
    }
    return "; one byte all over is what memory is filled with that was freed or never initialised";
}

static const char *verb_of(ULONG_PTR access)
{
    if (access == EXCEPTION_EXECUTE_FAULT) {
        return "executed";
    }
    return access == EXCEPTION_WRITE_FAULT ? "wrote to" : "read from";
}

static _Noreturn void report_freed(const struct ex_guarded *block, ULONG_PTR address,
                                   ULONG_PTR access, ULONG_PTR pc)
{
    verifier_evidence_add(&block->created, "Stack of the allocation");
    verifier_evidence_add(&block->freed, "Stack of the free");
    ke_bugcheck(DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL, address, access != EXCEPTION_READ_FAULT,
                pc, 0, block->freed_rule,
                "The driver %s address %p, which is %lld bytes from the start of the %s %p of %llu "
                "bytes, tag '%.4s', that was freed by %s.",
                verb_of(access), (void *)address, (long long)(address - (ULONG_PTR)block->start),
                block->what, (void *)block->start, (unsigned long long)block->bytes,
                (const char *)&block->tag, base_stack_site(block->freer).text);
}

/* Blocks that the emulator made for the driver have rules of their own. */
static const char *rule_of_behind(const struct ex_guarded *block)
{
    if (block->tag == IO_TRANSFER_TAG) {
        return "DEV-74";
    }
    return block->tag == MM_PAGES_TAG ? "MDL-56" : "POOL-36";
}

static _Noreturn void report_behind(const struct ex_guarded *block, ULONG_PTR address,
                                    ULONG_PTR access, ULONG_PTR pc)
{
    verifier_evidence_add(&block->created, "Stack of the allocation");
    ke_bugcheck(DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION, address, access != EXCEPTION_READ_FAULT,
                pc, 0, rule_of_behind(block),
                "The driver %s address %p, which is %llu bytes behind the end of the %s %p of "
                "%llu bytes, tag '%.4s', allocated by %s.",
                verb_of(access), (void *)address,
                (unsigned long long)(address - (ULONG_PTR)block->start - block->bytes), block->what,
                (void *)block->start, (unsigned long long)block->bytes, (const char *)&block->tag,
                base_stack_site(block->creator).text);
}

void verifier_check_fault(ULONG_PTR address, ULONG_PTR access, ULONG_PTR pc)
{
    static struct ex_guarded block; /* evidence outlives this frame; the kernel stops here */
    switch (ex_guarded_find((const void *)address, &block)) {
    case EX_GUARDED_FREED:
        report_freed(&block, address, access, pc);
    case EX_GUARDED_BEHIND:
        report_behind(&block, address, access, pc);
    case EX_GUARDED_NOWHERE:
        break;
    }
}
