#include "verifier/verifier.h"

static NTSTATUS start(void *state)
{
    struct verifier_state *verifier = state;
    verifier_objects_start(&verifier->objects);
    verifier_silences_start(&verifier->silences);
    if (!verifier_history_start(&verifier->history)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    verifier_dispatch_watch_start(&verifier->dispatch_watch, ke_kernel());
    bool is_understood = verifier_silences_read_environment(&verifier->silences);
    return is_understood ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static unsigned report(void *state)
{
    struct verifier_state *verifier = state;
    verifier_silences_report(&verifier->silences);
    return 0;
}

static void stop(void *state)
{
    struct verifier_state *verifier = state;
    verifier_dispatch_watch_stop(&verifier->dispatch_watch);
    verifier_hang_stop(&verifier->hang);
    verifier_silences_stop(&verifier->silences);
    verifier_objects_stop(&verifier->objects);
    verifier_history_stop(&verifier->history);
}

const struct ke_module verifier_module = {
    .name = "verifier",
    .state_bytes = sizeof(struct verifier_state),
    .start = start,
    .report = report,
    .stop = stop,
};
