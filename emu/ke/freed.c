#include "ke/freed.h"

#include "ke/bugcheck.h"
#include "ke/dpc.h"
#include "ke/timer.h"

static _Noreturn void stop_for_timer(const KTIMER *timer, const void *start, size_t bytes)
{
    bool is_in_dpc = timer->Period != 0 && ke_current()->dpc_depth != 0;
    ke_bugcheck(TIMER_OR_DPC_INVALID, 0x0, (ULONG_PTR)timer, (ULONG_PTR)start,
                (ULONG_PTR)start + bytes, is_in_dpc ? "TIMER-15" : "POOL-37",
                "The driver freed the memory %p while %p in it was %s.", start, (const void *)timer,
                is_in_dpc ? "a periodic timer, which is set again when its DPC runs"
                          : "a timer that is set");
}

static _Noreturn void stop_for_dpc(const KDPC *dpc, const void *start, size_t bytes)
{
    ke_bugcheck(TIMER_OR_DPC_INVALID, 0x1, (ULONG_PTR)dpc, (ULONG_PTR)start,
                (ULONG_PTR)start + bytes, "DPC-15",
                "The driver freed the memory %p while %p in it was a queued DPC.", start,
                (const void *)dpc);
}

void ke_look_into_freed(const void *start, size_t bytes)
{
    const KTIMER *timer = ke_timers_find(start, bytes);
    if (timer != NULL) {
        stop_for_timer(timer, start, bytes);
    }
    const KDPC *dpc = ke_dpc_find(start, bytes);
    if (dpc != NULL) {
        stop_for_dpc(dpc, start, bytes);
    }
}
