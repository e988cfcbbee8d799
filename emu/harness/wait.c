/* Waits of a test: limited, and explained when they end without success. */
#include <wskemu/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "harness/assertion.h"
#include "harness/fault.h"
#include "io/irp.h"
#include "ke/limit.h"
#include "verifier/object.h"

#define NANOSECONDS 1000000ULL /* of a millisecond */
#define LOOK_MS 10             /* how soon a wait notices that an assertion has failed */
#define ASK_MS 1               /* how often a condition is asked */

/* One try: waits for a moment and says whether what is waited for has come. */
typedef bool try_routine(void *context);

static LARGE_INTEGER milliseconds(LONG count)
{
    return (LARGE_INTEGER){.QuadPart = -10000LL * count};
}

static NTSTATUS wait_by(try_routine *try, void *context, ULONG timeout_ms, const char *what)
{
    uint64_t since_ns = base_clock_ns();
    uint64_t deadline_ns = since_ns + timeout_ms * NANOSECONDS;
    for (;;) {
        bool is_over = base_clock_ns() >= deadline_ns || fault_is_late(since_ns);
        if (assertion_has_failed()) {
            return STATUS_ASSERTION_FAILURE;
        }
        if (try(context)) {
            return assertion_has_failed() ? STATUS_ASSERTION_FAILURE : STATUS_SUCCESS;
        }
        if (is_over) {
            base_log("wskemu: after %u ms the test still waited for %s.\n", (unsigned)timeout_ms,
                     what);
            wskemu_print_pending();
            return STATUS_TIMEOUT;
        }
    }
}

static bool try_object(void *object)
{
    LARGE_INTEGER moment = milliseconds(LOOK_MS);
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &moment) == STATUS_SUCCESS;
}

NTSTATUS wskemu_wait(PVOID object, ULONG timeout_ms)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return wait_by(try_object, object, timeout_ms, "an object");
}

static bool try_irp(void *irp)
{
    LARGE_INTEGER moment = milliseconds(ASK_MS);
    if (io_irp_is_completed(irp)) {
        return true;
    }
    KeDelayExecutionThread(KernelMode, FALSE, &moment);
    return false;
}

NTSTATUS wskemu_wait_irp(PIRP irp, ULONG timeout_ms)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return wait_by(try_irp, irp, timeout_ms, "an IRP");
}

struct condition {
    BOOLEAN (*is_true)(void *context);
    void *context;
};

static bool try_condition(void *context)
{
    const struct condition *condition = context;
    LARGE_INTEGER moment = milliseconds(ASK_MS);
    if (condition->is_true(condition->context)) {
        return true;
    }
    KeDelayExecutionThread(KernelMode, FALSE, &moment);
    return false;
}

NTSTATUS wskemu_wait_until(BOOLEAN (*condition)(void *context), void *context, ULONG timeout_ms)
{
    struct condition asked = {condition, context};
    KE_IRQL_AT_MOST(APC_LEVEL);
    return wait_by(try_condition, &asked, timeout_ms, "a condition");
}

unsigned wskemu_print_pending(void)
{
    ke_current();
    unsigned count = verifier_pending_print();
    if (count == 0) {
        base_log("pending: nothing\n");
    }
    return count;
}
