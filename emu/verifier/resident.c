#include "verifier/resident.h"

#include "base/stack.h"
#include "ex/pool.h"
#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "verifier/fault.h"
#include "verifier/level.h"

#include <stdio.h>

struct origin {
    char text[320];
};

/* Which block of pool that is, and whose. */
static struct origin origin_of(const void *address)
{
    struct origin origin = {""};
    struct ex_pool_info info;
    if (ex_pool_find(address, &info)) {
        snprintf(origin.text, sizeof(origin.text), " (the block %p, allocated by %s)", info.start,
                 base_stack_site(info.creator).text);
    }
    return origin;
}

void verifier_report_object(const void *object, const char *what, ULONG code, const char *rule)
{
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, code, (ULONG_PTR)object, 0, 0, rule,
                 "The driver has the %s %p in paged pool%s. It has to lie in non-paged memory.",
                 what, object, origin_of(object).text);
}

void verifier_report_touch(const void *address, const char *function, const char *rule)
{
    KIRQL irql = ke_current()->irql;
    ke_violation(DRIVER_IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)address, irql, 0,
                 (ULONG_PTR)_ReturnAddress(), rule,
                 "The driver called %s at IRQL %u with the address %p, which lies in paged pool%s. "
                 "At DISPATCH_LEVEL and above only non-paged memory may be touched.",
                 function, irql, address, origin_of(address).text);
}

static void report_access(ULONG_PTR address, ULONG_PTR access, ULONG_PTR pc)
{
    KIRQL irql = ke_thread_slot.thread->irql;
    ke_violation(DRIVER_IRQL_NOT_LESS_OR_EQUAL, address, irql, access, pc, "POOL-29",
                 "The driver %s the address %p, which lies in paged pool%s, at IRQL %u. At "
                 "DISPATCH_LEVEL and above only non-paged memory may be touched.",
                 access == EXCEPTION_WRITE_FAULT ? "wrote to" : "read from", (void *)address,
                 origin_of((const void *)address).text, irql);
}

bool verifier_page_in(ULONG_PTR address, ULONG_PTR access, ULONG_PTR pc)
{
    bool is_entered =
        ke_thread_slot.thread != NULL && ke_thread_slot.generation == atomic_load(&ke_generation);
    if (access == EXCEPTION_EXECUTE_FAULT) {
        return false;
    }
    switch (ex_paged_fault(address, is_entered && ke_thread_slot.thread->irql >= DISPATCH_LEVEL)) {
    case EX_PAGED_TOO_HIGH:
        report_access(address, access, pc);
        return true;
    case EX_PAGED_BACK:
        return true;
    case EX_PAGED_ELSEWHERE:
        break;
    }
    return false;
}

bool verifier_check_owned(const void *memory, ULONG tag, const char *function, const char *rule)
{
    struct ex_pool_info info;
    if (!verifier_is_on()) {
        return true;
    }
    bool is_block = ex_pool_find_start(memory, &info);
    if (is_block && info.tag != tag) {
        ke_warning(rule,
                   "the driver called %s for a buffer that it allocated itself, in %s; it is freed "
                   "with ExFreePool",
                   function, base_stack_site(info.creator).text);
    }
    return is_block;
}

void verifier_look_for_ended_stack(const void *object, const char *function, const char *rule)
{
    if (verifier_is_on_ended_stack((ULONG_PTR)object)) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, (ULONG_PTR)object, 0, 0, rule,
                     "The driver called %s for %p, which lies on the stack of a thread that has "
                     "ended.",
                     function, object);
    }
}
