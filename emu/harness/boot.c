/* Making the kernel and taking it down. */
#include <wskemu/wskemu.h>

#include "base/log.h"
#include "ex/executive.h"
#include "harness/fault.h"
#include "harness/hook.h"
#include "harness/peer.h"
#include "harness/policy.h"
#include "harness/session_mirror.h"
#include "io/io.h"
#include "ke/kernel.h"
#include "ke/left.h"
#include "mm/mm.h"
#include "nmr/nmr.h"
#include "ob/object.h"
#include "ps/thread.h"
#include "rtl/debug_print.h"
#include "rtl/exception.h"
#include "verifier/hang.h"
#include "verifier/level.h"
#include "verifier/option.h"
#include "verifier/rule.h"
#include "verifier/verifier.h"
#include "wsk/name.h"
#include "wsk/wsk.h"

static const struct ke_module *const modules[KE_MODULE_COUNT] = {
    [KE_MODULE_VERIFIER] = &verifier_module,
    [KE_MODULE_OB] = &ob_module,
    [KE_MODULE_EX] = &ex_module,
    [KE_MODULE_MM] = &mm_module,
    [KE_MODULE_PS] = &ps_module,
    [KE_MODULE_IO] = &io_module,
    [KE_MODULE_NMR] = &nmr_module,
    [KE_MODULE_WSK] = &wsk_module,
    [KE_MODULE_HARNESS] = &peer_module,
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

static struct ke_policy kernel_policy(const struct wskemu_options *options)
{
    static const enum ke_completion completions[] = {
        [WSKEMU_COMPLETION_INLINE] = KE_COMPLETION_INLINE,
        [WSKEMU_COMPLETION_DEFERRED] = KE_COMPLETION_DEFERRED,
        [WSKEMU_COMPLETION_RANDOM] = KE_COMPLETION_RANDOM,
    };
    return (struct ke_policy){
        .processors = options->processors,
        .loops = options->loops,
        .completion = completions[options->completion],
        .seed = wskemu_policy().seed,
    };
}

static bool are_possible(const struct wskemu_options *options)
{
    return options == NULL ||
           (options->processors <= KE_PROCESSORS_MAX && options->loops <= KE_LOOPS_MAX &&
            (unsigned)options->completion <= WSKEMU_COMPLETION_RANDOM &&
            (unsigned)options->verifier <= WSKEMU_VERIFIER_FULL);
}

NTSTATUS wskemu_boot(const struct wskemu_options *options)
{
    if (atomic_load(&ke_running) != NULL) {
        return STATUS_DEVICE_ALREADY_ATTACHED;
    }
    if (!are_possible(options) || !verifier_options_check() || !fault_boot()) {
        return STATUS_INVALID_PARAMETER;
    }
    struct wskemu_options used = policy_apply(options);
    struct ke_policy policy = kernel_policy(&used);
    atomic_store(&verifier_level_now, (int)used.verifier - WSKEMU_VERIFIER_OFF);
    verifier_hang_set(used.hang_ms);
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
        hook_end();
        fault_end();
        return 0;
    }
    peer_end_all();
    session_mirror_end();
    if (wskemu_faults() != 0) {
        /* A test that ended at the fault must not keep the drivers. */
        wsk_name_release_all();
        ob_close_others();
    }
    io_unload_all();
    hook_end();
    fault_end();
    unsigned left = ke_kernel_destroy();
    fault_note_left(left - min(ke_left_take_others(), left));
    if (left != 0) {
        base_log("wskemu: %u things were left at shutdown.\n", left);
    }
    return left;
}

BOOLEAN wskemu_silence_rule(const char *rule, const char *reason)
{
    ke_current();
    return verifier_silence(&verifier_state()->silences, rule, reason) ? TRUE : FALSE;
}

unsigned wskemu_rule_spoken(const char *rule)
{
    return verifier_rule_spoken(rule);
}

void wskemu_print_options(void)
{
    verifier_options_print();
}

void wskemu_log_redirect(wskemu_log_sink *sink, void *context)
{
    base_log_redirect(sink, context);
}
