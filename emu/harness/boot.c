/* Making the kernel and taking it down. */
#include <wskemu/wskemu.h>

#include "base/log.h"
#include "ex/executive.h"
#include "io/io.h"
#include "ke/kernel.h"
#include "mm/mm.h"
#include "ob/object.h"
#include "ps/thread.h"
#include "rtl/debug_print.h"
#include "rtl/exception.h"
#include "wsk/wsk.h"

static const struct ke_module *const modules[KE_MODULE_COUNT] = {
    [KE_MODULE_OB] = &ob_module, [KE_MODULE_EX] = &ex_module, [KE_MODULE_MM] = &mm_module,
    [KE_MODULE_PS] = &ps_module, [KE_MODULE_IO] = &io_module, [KE_MODULE_WSK] = &wsk_module,
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

NTSTATUS wskemu_boot(const struct wskemu_options *options)
{
    ULONG processors = options != NULL ? options->processors : 0;
    if (atomic_load(&ke_running) != NULL) {
        return STATUS_DEVICE_ALREADY_ATTACHED;
    }
    if (processors > KE_PROCESSORS_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = ke_kernel_create(processors != 0 ? processors : wskemu_policy().processors);
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
