#include "ke/freed.h"

#include "ke/bugcheck.h"
#include "ke/dpc.h"
#include "ke/timer.h"

static _Noreturn void stop(ULONG_PTR kind, const char *what, const void *object, const void *start,
                           size_t bytes)
{
    ke_bugcheck(TIMER_OR_DPC_INVALID, kind, (ULONG_PTR)object, (ULONG_PTR)start,
                (ULONG_PTR)start + bytes, "POOL-37",
                "The driver freed the memory %p while %p in it was %s.", start, object, what);
}

void ke_look_into_freed(const void *start, size_t bytes)
{
    const KTIMER *timer = ke_timers_find(start, bytes);
    if (timer != NULL) {
        stop(0x0, "a timer that is set", timer, start, bytes);
    }
    const KDPC *dpc = ke_dpc_find(start, bytes);
    if (dpc != NULL) {
        stop(0x1, "a queued DPC", dpc, start, bytes);
    }
}
