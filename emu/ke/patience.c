#include "ke/patience.h"

#include <stdatomic.h>

static _Atomic ULONG patience_ms = KE_PATIENCE_MS;

void ke_set_patience(ULONG milliseconds)
{
    atomic_store(&patience_ms, milliseconds != 0 ? milliseconds : KE_PATIENCE_MS);
}

void ke_wait_patiently(PKEVENT event, void (*say)(void *context), void *context)
{
    LARGE_INTEGER patience = {.QuadPart = -10000LL * atomic_load(&patience_ms)};
    if (KeWaitForSingleObject(event, Executive, KernelMode, FALSE, &patience) != STATUS_TIMEOUT) {
        return;
    }
    say(context);
    KeWaitForSingleObject(event, Executive, KernelMode, FALSE, NULL);
}
