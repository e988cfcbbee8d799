#include "ke/patience.h"

#include "verifier/hang.h"

#include <stdatomic.h>

static _Atomic ULONG patience_ms = KE_PATIENCE_MS;

void ke_set_patience(ULONG milliseconds)
{
    atomic_store(&patience_ms, milliseconds != 0 ? milliseconds : KE_PATIENCE_MS);
}

/* It speaks before the watchdog stops the kernel. */
static LARGE_INTEGER patience(void)
{
    ULONG milliseconds = atomic_load(&patience_ms);
    ULONG hang_ms = (ULONG)verifier_hang_ms();
    if (hang_ms != 0 && milliseconds > hang_ms / 2) {
        milliseconds = hang_ms / 2;
    }
    return (LARGE_INTEGER){.QuadPart = -10000LL * milliseconds};
}

void ke_wait_patiently(PKEVENT event, struct ke_reason *reason)
{
    LARGE_INTEGER limit = patience();
    ke_reason_begin(reason);
    if (KeWaitForSingleObject(event, Executive, KernelMode, FALSE, &limit) == STATUS_TIMEOUT) {
        reason->say(reason->context);
        KeWaitForSingleObject(event, Executive, KernelMode, FALSE, NULL);
    }
    ke_reason_end(reason);
}
