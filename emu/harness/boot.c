/* Making the kernel and taking it down. */
#include <wskemu/wskemu.h>

#include "base/log.h"
#include "ex/executive.h"
#include "harness/peer.h"
#include "io/io.h"
#include "ke/kernel.h"
#include "mm/mm.h"
#include "nmr/nmr.h"
#include "ob/object.h"
#include "ps/thread.h"
#include "rtl/debug_print.h"
#include "rtl/exception.h"
#include "wsk/wsk.h"

static const struct ke_module *const modules[KE_MODULE_COUNT] = {
    [KE_MODULE_OB] = &ob_module,   [KE_MODULE_EX] = &ex_module,
    [KE_MODULE_MM] = &mm_module,   [KE_MODULE_PS] = &ps_module,
    [KE_MODULE_IO] = &io_module,   [KE_MODULE_NMR] = &nmr_module,
    [KE_MODULE_WSK] = &wsk_module, [KE_MODULE_HARNESS] = &peer_module,
};

static NTSTATUS start_modules(void)
{
    for (int i = 0; i < KE_MODULE_COUNT; i++) {
        if (modules[i] == NULL) {
            continue;
        }
        NTSTATUS status = ke_kernel_start_module((enum ke_module_number)i, modules[i]);
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
    ke_thread_adopt();
    struct _KTHREAD *background = ps_adopt();
    bool is_started = background != NULL && ke_lead_start(background);
    return is_started ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* What the options say, or else the policy of the process. */
static struct ke_policy policy_of(const struct wskemu_options *options)
{
    static const enum ke_completion completions[] = {
        [WSKEMU_COMPLETION_INLINE] = KE_COMPLETION_INLINE,
        [WSKEMU_COMPLETION_DEFERRED] = KE_COMPLETION_DEFERRED,
        [WSKEMU_COMPLETION_RANDOM] = KE_COMPLETION_RANDOM,
    };
    const struct wskemu_options none = {0};
    const struct wskemu_options *asked = options != NULL ? options : &none;
    struct wskemu_policy policy = wskemu_policy();
    return (struct ke_policy){
        .processors = asked->processors != 0 ? asked->processors : policy.processors,
        .loops = asked->loops != 0 ? asked->loops : policy.loops,
        .completion =
            completions[asked->completion != WSKEMU_COMPLETION_DEFAULT ? asked->completion
                                                                       : policy.completion],
        .seed = policy.seed,
    };
}

NTSTATUS wskemu_boot(const struct wskemu_options *options)
{
    if (atomic_load(&ke_running) != NULL) {
        return STATUS_DEVICE_ALREADY_ATTACHED;
    }
    if (options != NULL && (unsigned)options->completion > WSKEMU_COMPLETION_RANDOM) {
        return STATUS_INVALID_PARAMETER;
    }
    struct ke_policy policy = policy_of(options);
    if (policy.processors > KE_PROCESSORS_MAX || policy.loops > KE_LOOPS_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = ke_kernel_create(&policy);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = start_modules();
    if (!NT_SUCCESS(status)) {
        ke_kernel_destroy();
        return status;
    }
    seh_catch_faults();
    rtl_debug_print_reset();
    return STATUS_SUCCESS;
}

unsigned wskemu_shutdown(void)
{
    if (atomic_load(&ke_running) == NULL) {
        return 0;
    }
    peer_end_all();
    io_unload_all();
    unsigned left = ke_kernel_destroy();
    if (left != 0) {
        base_log("wskemu: %u things were left at shutdown.\n", left);
    }
    return left;
}

void wskemu_log_redirect(wskemu_log_sink *sink, void *context)
{
    base_log_redirect(sink, context);
}
