/*
 * What a driver must not leave behind.
 *
 * When the unload routine has returned and the work items have run that kept the driver loaded, no
 * code of the driver may be going to run: a thread, a timer, a DPC, a completion routine of it
 * would find its code gone, which Windows stops with a bug check. Memory and handles left are lost,
 * which is said with the place where each was made; shutdown counts them.
 *
 * Whose a thing is, is told by the code that made it or that it calls, so that tests which own
 * things themselves and drivers without known bounds are left alone.
 */
#include "io/unload.h"

#include "base/stack.h"
#include "ex/executive.h"
#include "ex/work_queue.h"
#include "io/io.h"
#include "ke/bugcheck.h"
#include "ke/dpc.h"
#include "ke/timer.h"
#include "mm/mm.h"
#include "ob/object.h"
#include "ps/thread.h"
#include "verifier/level.h"

static const char *routine_name(const void *routine, struct base_site *site)
{
    *site = base_stack_site_of(routine);
    return site->text;
}

static void check_threads(const struct ke_code *code)
{
    struct base_site site;
    PETHREAD thread = ps_find_thread_of(code);
    if (thread == NULL) {
        return;
    }
    const void *routine = (const void *)(ULONG_PTR)thread->start_routine;
    bool is_blocked = ps_is_blocked(thread);
    ke_violation(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, (ULONG_PTR)routine, 0,
                 (ULONG_PTR)routine, 0, is_blocked ? "THREAD-14" : "THREAD-16",
                 "The driver %s was unloaded while its thread %p, %s, was %s", code->driver,
                 (void *)thread, routine_name(routine, &site),
                 is_blocked ? "waiting. Signal the thread and wait for the thread object."
                            : "running. What a thread signals before its end does not prove that "
                              "its code has finished: wait for the thread object.");
    ob_dereference(thread);
}

/* A work routine that tells of its end by its last line needs a moment to return. */
#define GRACE_MS 250

/* Those that were queued with ExQueueWorkItem; the other kind keeps the driver loaded. */
static void check_work(const struct ke_code *code)
{
    struct base_site site;
    LARGE_INTEGER moment = {.QuadPart = -10000};
    const void *routine = ex_work_find_of(code);
    for (int i = 0; routine != NULL && i < GRACE_MS; i++) {
        KeDelayExecutionThread(KernelMode, FALSE, &moment);
        routine = ex_work_find_of(code);
    }
    if (routine != NULL) {
        ke_violation(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, (ULONG_PTR)routine, 0,
                     (ULONG_PTR)routine, 0, "WORK-25",
                     "The driver %s was unloaded while its work routine %s was still to run, or "
                     "ran. ExQueueWorkItem does not keep a driver loaded.",
                     code->driver, routine_name(routine, &site));
    }
}

static void check_dpc(const struct ke_code *code, const KDPC *dpc, const char *what,
                      const void *object)
{
    struct base_site site;
    const void *routine = (const void *)(ULONG_PTR)dpc->DeferredRoutine;
    ke_violation(TIMER_OR_DPC_INVALID, 0x2, (ULONG_PTR)routine, (ULONG_PTR)code->begin,
                 (ULONG_PTR)code->end, object == dpc ? "DPC-15" : "TIMER-12",
                 "The driver %s was unloaded while its %s %p was %s; the DPC routine is %s.",
                 code->driver, what, object, object == dpc ? "queued" : "set",
                 routine_name(routine, &site));
}

static void check_timers(const struct io_driver *driver)
{
    const struct wskemu_driver_image *image = driver->image;
    const KTIMER *timer = ke_timers_find_of(&driver->code);
    if (timer != NULL) {
        check_dpc(&driver->code, timer->Dpc, "timer", timer);
        return;
    }
    timer = ke_timers_find(image->data_begin,
                           (size_t)((char *)image->data_end - (char *)image->data_begin));
    if (timer == NULL) {
        timer = ke_timers_find(image->bss_begin,
                               (size_t)((char *)image->bss_end - (char *)image->bss_begin));
    }
    if (timer != NULL) {
        ke_violation(TIMER_OR_DPC_INVALID, 0x0, (ULONG_PTR)timer, (ULONG_PTR)image->data_begin,
                     (ULONG_PTR)image->bss_end, "TIMER-12",
                     "The driver %s was unloaded while the timer %p in its data was set.",
                     image->name, (const void *)timer);
    }
}

static void check_dpcs(const struct ke_code *code)
{
    const KDPC *dpc = ke_dpc_find_of(code);
    if (dpc != NULL) {
        check_dpc(code, dpc, "DPC", dpc);
    }
}

/* Areas that this one does not know. */
static void call_hooks(const struct io_driver *driver)
{
    const struct io_state *io = io_state();
    for (unsigned i = 0; i < io->unload_hook_count; i++) {
        io->unload_hook[i](&driver->object, &driver->code);
    }
}

void io_unload_add_hook(io_unload_hook *hook)
{
    struct io_state *io = io_state();
    if (io->unload_hook_count < IO_UNLOAD_HOOKS_MAX) {
        io->unload_hook[io->unload_hook_count++] = hook;
    }
}

void io_unload_check(const struct io_driver *driver)
{
    const struct ke_code *code = &driver->code;
    if (!verifier_is_on()) {
        return;
    }
    io_irps_check_unloaded(&driver->object, code);
    call_hooks(driver);
    if (code->begin == code->end) {
        return;
    }
    check_threads(code);
    check_work(code);
    check_timers(driver);
    check_dpcs(code);
    io_irps_report_driver(code);
    io_work_items_report_driver(code);
    mm_mdls_report_driver(code);
    ex_pool_report_driver(code);
    ex_timers_report_driver(code);
    ex_timer_resolution_report_driver(code);
    ob_report_driver(code);
}
