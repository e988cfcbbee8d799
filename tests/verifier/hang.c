/*
 * Hangs: each driver that waits for ever is explained within the time limit, and each good twin
 * idles for longer than that in silence.
 */
#include "../io/io_driver.h"
#include "hanging/hanging.h"
#include "twins.h"

#include <wskemu/peer.h>
#include <wskemu/registry.h>

#include <stdlib.h>

WSKEMU_USE_DRIVER(hanging);

#define SERVICE L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\hanging"
#define HANG_MS 100
#define IDLE_MS 250 /* longer */

static void boot_short_at(enum wskemu_verifier level)
{
    const struct wskemu_options options = {.hang_ms = HANG_MS, .verifier = level};
    wskemu_shutdown();
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
}

static void boot_short(void)
{
    boot_short_at(WSKEMU_VERIFIER_STANDARD);
}

/* Runs body(context), which hangs: the bug check names code and rule, its report all the words. */
static void expect_hang_(int line, void (*body)(void *), void *context, ULONG code,
                         const char *rule, const char *const *words)
{
    struct wskemu_bugcheck caught = {0};
    log_capture();
    BOOLEAN is_caught = wskemu_contain_bugcheck(body, context, &caught);
    const char *text = log_captured();
    NTSTATUS status = is_caught ? wskemu_boot(NULL) : STATUS_SUCCESS;
    bool is_rule =
        rule == NULL ? caught.rule == NULL : caught.rule != NULL && strcmp(caught.rule, rule) == 0;
    if (!is_caught || caught.code != code || !is_rule) {
        print_error("expected 0x%X of %s, got 0x%X of %s:\n%s\n", code, rule, caught.code,
                    caught.rule, text);
        _fail(__FILE__, line);
    }
    for (; *words != NULL; words++) {
        if (strstr(text, *words) == NULL) {
            print_error("the report does not say \"%s\":\n%s\n", *words, text);
            _fail(__FILE__, line);
        }
    }
    assert_int_equal(status, STATUS_SUCCESS);
}
#define expect_hang_at(level, body, context, code, rule, ...)                                      \
    do {                                                                                           \
        boot_short_at(level);                                                                      \
        expect_hang_(__LINE__, body, context, code, rule,                                          \
                     (const char *const[]){__VA_ARGS__, NULL});                                    \
    } while (0)
#define expect_hang(body, context, code, rule, ...)                                                \
    expect_hang_at(WSKEMU_VERIFIER_STANDARD, body, context, code, rule, __VA_ARGS__)

/* Threads of a halted kernel may still look at these. */
static KEVENT never;
static KEVENT reached[2];
static KSPIN_LOCK spin[2];
static KMUTEX mutex;
static FAST_MUTEX fast;
static ERESOURCE resource;
static EX_PUSH_LOCK push;
static EX_RUNDOWN_REF rundown;
static KSEMAPHORE semaphore;

static void begin(void)
{
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    KeInitializeEvent(&reached[0], NotificationEvent, FALSE);
    KeInitializeEvent(&reached[1], NotificationEvent, FALSE);
}

/* Runs both at a time, each to the end. */
static void run_both(PKSTART_ROUTINE one, PKSTART_ROUTINE other)
{
    begin();
    PKTHREAD first = start_thread(one, NULL);
    PKTHREAD second = start_thread(other, NULL);
    join_thread(first);
    join_thread(second);
}

/* ---- waits that nobody ends ---- */

static void wait_for_stop(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    wait_object(&never);
}

static void join_who_is_never_told(void *context)
{
    UNREFERENCED_PARAMETER(context);
    begin();
    join_thread(start_thread(wait_for_stop, NULL));
}

static void a_driver_that_waits_for_ever_is_explained(void **state)
{
    expect_hang(join_who_is_never_told, NULL, MANUALLY_INITIATED_CRASH, NULL, "The driver hangs",
                "waits without a limit for the event", "(wait_for_stop at ", "wait_object at ",
                "(of the program) waits without a limit for the end of the thread", "pending: ");
}

static void take_semaphore(void *context)
{
    UNREFERENCED_PARAMETER(context);
    KeInitializeSemaphore(&semaphore, 0, 1);
    wait_object(&semaphore);
}

static void a_single_thread_that_waits_for_ever_is_explained(void **state)
{
    expect_hang(take_semaphore, NULL, MANUALLY_INITIATED_CRASH, NULL,
                "(of the program) waits without a limit for the semaphore", "take_semaphore at ");
}

/* ---- deadlocks ---- */

/* Says that one of both is here, and waits for the other without giving its processor away. */
static void meet_spinning(int here)
{
    KeSetEvent(&reached[here], IO_NO_INCREMENT, FALSE);
    while (KeReadStateEvent(&reached[1 - here]) == 0) {
        YieldProcessor();
    }
}

static void meet(int here)
{
    KeSetEvent(&reached[here], IO_NO_INCREMENT, FALSE);
    wait_object(&reached[1 - here]);
}

static void spin_in_order(PVOID context)
{
    KIRQL irql;
    UNREFERENCED_PARAMETER(context);
    KeAcquireSpinLock(&spin[0], &irql);
    meet_spinning(0);
    KeAcquireSpinLockAtDpcLevel(&spin[1]);
}

static void spin_in_reverse(PVOID context)
{
    KIRQL irql;
    UNREFERENCED_PARAMETER(context);
    KeAcquireSpinLock(&spin[1], &irql);
    meet_spinning(1);
    KeAcquireSpinLockAtDpcLevel(&spin[0]);
}

static void deadlock_spin_locks(void *context)
{
    UNREFERENCED_PARAMETER(context);
    KeInitializeSpinLock(&spin[0]);
    KeInitializeSpinLock(&spin[1]);
    run_both(spin_in_order, spin_in_reverse);
}

static void two_spin_locks_that_deadlock_are_explained(void **state)
{
    PROVES("SPIN-19");
    expect_hang(deadlock_spin_locks, NULL, DPC_WATCHDOG_VIOLATION, "SPIN-19", "Deadlock: thread",
                "(spin_in_order at ", "(spin_in_reverse at ", "waits for the spin lock",
                "which is held by thread", "which is held by the first");
}

static void mutex_then_fast(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    wait_object(&mutex);
    meet(0);
    ExAcquireFastMutex(&fast);
}

static void fast_then_mutex(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    ExAcquireFastMutex(&fast);
    meet(1);
    wait_object(&mutex);
}

static void deadlock_mutexes(void *context)
{
    UNREFERENCED_PARAMETER(context);
    KeInitializeMutex(&mutex, 0);
    ExInitializeFastMutex(&fast);
    run_both(mutex_then_fast, fast_then_mutex);
}

static void resource_then_push(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&resource, TRUE);
    meet(0);
    ExAcquirePushLockExclusive(&push);
}

static void push_then_resource(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&push);
    meet(1);
    ExAcquireResourceExclusiveLite(&resource, TRUE);
}

static void deadlock_resource(void *context)
{
    UNREFERENCED_PARAMETER(context);
    ExInitializeResourceLite(&resource);
    ExInitializePushLock(&push);
    run_both(resource_then_push, push_then_resource);
}

static void want_mutex(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    wait_object(&mutex);
}

static void join_while_owning(void *context)
{
    UNREFERENCED_PARAMETER(context);
    KeInitializeMutex(&mutex, 0);
    wait_object(&mutex);
    join_thread(start_thread(want_mutex, NULL));
}

static void other_locks_that_deadlock_are_explained(void **state)
{
    PROVES("MUTEX-12");
    expect_hang(deadlock_mutexes, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, "MUTEX-12",
                "waits for the mutex", "waits for the fast or guarded mutex");
    expect_hang(deadlock_resource, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, "MUTEX-12",
                "waits for the resource", "waits for the push lock");
    expect_hang(join_while_owning, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, "MUTEX-12",
                "waits for the end of the thread", "waits for the mutex");
}

/* ---- rundown ---- */

static void run_down_as_holder(void *context)
{
    UNREFERENCED_PARAMETER(context);
    ExInitializeRundownProtection(&rundown);
    assert_true(ExAcquireRundownProtection(&rundown));
    ExWaitForRundownProtectionRelease(&rundown);
}

static void a_holder_that_waits_for_rundown_is_explained(void **state)
{
    PROVES("FAST-40");
    expect_hang(run_down_as_holder, NULL, MANUALLY_INITIATED_CRASH, "FAST-40",
                "waits without a limit for the rundown of");
}

static void release_later(PVOID context)
{
    LARGE_INTEGER later = interval_ms(IDLE_MS);
    KeDelayExecutionThread(KernelMode, FALSE, &later);
    ExReleaseRundownProtection(context);
}

static void run_down_with_a_holder(void *context)
{
    UNREFERENCED_PARAMETER(context);
    ExInitializeRundownProtection(&rundown);
    assert_true(ExAcquireRundownProtection(&rundown));
    PKTHREAD thread = start_thread(release_later, &rundown);
    ExWaitForRundownProtectionRelease(&rundown);
    join_thread(thread);
}

static void a_wait_for_rundown_may_take_long(void **state)
{
    STAYS_SILENT("FAST-40");
    boot_short();
    expect_silence(run_down_with_a_holder, NULL);
}

/* ---- remove locks ---- */

static IO_REMOVE_LOCK remove_lock;

/* Two of three acquisitions are not released. */
static void remove_while_held(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoInitializeRemoveLock(&remove_lock, 'tseT', 0, 0);
    IoAcquireRemoveLock(&remove_lock, (PVOID)0x1111);
    IoAcquireRemoveLock(&remove_lock, (PVOID)0x2222);
    IoAcquireRemoveLock(&remove_lock, (PVOID)0x3333);
    IoAcquireRemoveLock(&remove_lock, (PVOID)0x4444);
    IoReleaseRemoveLock(&remove_lock, (PVOID)0x3333);
    IoReleaseRemoveLockAndWait(&remove_lock, (PVOID)0x2222);
}

#ifdef _WIN32 /* whose pointers look otherwise, and where a caller may have no name */
#define HELD(tag) "acquired with tag 000000000000" tag " by "
#else
#define HELD(tag) "acquired with tag 0x" tag " by remove_while_held at "
#endif

static void a_remove_lock_that_is_never_released_is_explained(void **state)
{
    PROVES("FAST-49");
    expect_hang(remove_while_held, NULL, MANUALLY_INITIATED_CRASH, "FAST-49",
                "a thread waits for ever\n", "waits without a limit for the remove lock",
                "acquired 2 times without release", "Rule FAST-49: ", "pending: remove lock",
                "recorded with WSKEMU_VERIFIER=full");
    expect_hang_at(WSKEMU_VERIFIER_FULL, remove_while_held, NULL, MANUALLY_INITIATED_CRASH,
                   "FAST-49", "acquired 2 times without release", "pending: remove lock",
                   HELD("1111"), HELD("4444"));
}

static void tags_that_were_released_are_not_told(void **state)
{
    boot_short_at(WSKEMU_VERIFIER_FULL);
    log_capture();
    wskemu_contain_bugcheck(remove_while_held, NULL, NULL);
    const char *text = log_captured();
    assert_null(strstr(text, "tag 0x2222"));
    assert_null(strstr(text, "tag 0x3333"));
    assert_null(strstr(text, "pending: nothing"));
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
}

static void release_remove_lock_later(PVOID context)
{
    LARGE_INTEGER later = interval_ms(IDLE_MS);
    KeDelayExecutionThread(KernelMode, FALSE, &later);
    IoReleaseRemoveLock(context, context);
}

static void remove_with_a_holder(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoInitializeRemoveLock(&remove_lock, 'tseT', 0, 0);
    IoAcquireRemoveLock(&remove_lock, &remove_lock);
    IoAcquireRemoveLock(&remove_lock, NULL);
    PKTHREAD thread = start_thread(release_remove_lock_later, &remove_lock);
    IoReleaseRemoveLockAndWait(&remove_lock, NULL);
    join_thread(thread);
}

static void a_wait_for_a_remove_lock_may_take_long(void **state)
{
    STAYS_SILENT("FAST-49");
    boot_short();
    expect_silence(remove_with_a_holder, NULL);
    boot_short_at(WSKEMU_VERIFIER_FULL);
    expect_silence(remove_with_a_holder, NULL);
}

/* ---- cancelled IRPs ---- */

static PDRIVER_CANCEL cancel_routine; /* of reads, or NULL */

static void forget_to_complete(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
}

static NTSTATUS hold_reads(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    if (IoGetCurrentIrpStackLocation(irp)->MajorFunction != IRP_MJ_READ) {
        return complete(irp, STATUS_SUCCESS, 0);
    }
    IoMarkIrpPending(irp);
    if (cancel_routine != NULL) {
        IoSetCancelRoutine(irp, cancel_routine);
    }
    return STATUS_PENDING;
}

/* context: whether the IRP is cancelled. */
static void read_for_ever(void *context)
{
    static KEVENT done;
    static IO_STATUS_BLOCK result;
    static UCHAR byte;
    LARGE_INTEGER start = {.QuadPart = 0};
    cancel_routine = context != NULL ? forget_to_complete : NULL;
    PDEVICE_OBJECT device = add_device(load_plain(), L"\\Device\\Holding", hold_reads, NULL);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    PIRP irp = IoBuildSynchronousFsdRequest(IRP_MJ_READ, device, &byte, 1, &start, &done, &result);
    assert_int_equal(IoCallDriver(device, irp), STATUS_PENDING);
    if (context != NULL) {
        assert_true(IoCancelIrp(irp));
    }
    wait_object(&done);
}

static void a_cancelled_irp_that_nobody_completes_is_explained(void **state)
{
    PROVES("CANCEL-24");
    expect_hang(read_for_ever, (void *)1, DRIVER_VERIFIER_DETECTED_VIOLATION, "CANCEL-24",
                "was cancelled, but whoever has it did not complete it", "pending: IRP", "hang.c:");
}

static void a_wait_for_an_irp_that_cannot_be_cancelled_is_explained(void **state)
{
    PROVES("CANCEL-22");
    expect_hang(read_for_ever, NULL, MANUALLY_INITIATED_CRASH, "CANCEL-22",
                "was pended by dispatch_to_node", "hang.c:", "pending: IRP");
}

/* ---- who computes ---- */

static volatile LONG is_enough;

static void compute_at_dispatch(PKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(first);
    UNREFERENCED_PARAMETER(second);
    while (!is_enough) {
        KeQueryInterruptTime();
    }
}

static void run_compute(void *context)
{
    static KDPC dpc;
    UNREFERENCED_PARAMETER(context);
    KeInitializeDpc(&dpc, compute_at_dispatch, NULL);
    KeInsertQueueDpc(&dpc, NULL, NULL);
}

static void wait_for_computing(void *context)
{
    UNREFERENCED_PARAMETER(context);
    is_enough = FALSE;
    wait_object(start_thread(run_compute, NULL));
}

static void a_dpc_that_computes_for_ever_is_explained(void **state)
{
    PROVES("DPC-14");
#if defined(_WIN32)
    skip(); /* nobody can be asked there what its thread does */
#endif
    expect_hang(wait_for_computing, NULL, DPC_WATCHDOG_VIOLATION, "DPC-14",
                "compute_at_dispatch at ", "called as a DPC routine",
                "What the routine does:", "hang.c:");
    is_enough = TRUE;
}

static void run_many(void *context)
{
    ULONGLONG end = KeQueryInterruptTime() + IDLE_MS * 10000ULL;
    is_enough = TRUE;
    while (KeQueryInterruptTime() < end) {
        run_compute(context);
    }
}

static void many_dpcs_that_return_are_fine(void **state)
{
    STAYS_SILENT("DPC-14");
    boot_short();
    expect_silence(run_many, NULL);
}

/* ---- a completion routine that a dispatch routine waits for ---- */

static NTSTATUS keep_and_forget(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIO_COMPLETION_ROUTINE waited_routine;

static NTSTATUS pass_and_wait(PDEVICE_OBJECT device, PIRP irp)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, waited_routine, &event, TRUE, TRUE, TRUE);
    if (IoCallDriver(node_of(device)->lower, irp) == STATUS_PENDING) {
        wait_object(&event);
    }
    return complete(irp, irp->IoStatus.Status, irp->IoStatus.Information);
}

static NTSTATUS complete_pending(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    complete(irp, STATUS_SUCCESS, 0);
    return STATUS_PENDING;
}

static void send_through(void *context)
{
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT bottom = add_device(driver, NULL, complete_pending, NULL);
    PDEVICE_OBJECT top = add_device_above(driver, bottom, pass_and_wait, NULL);
    waited_routine = (PIO_COMPLETION_ROUTINE)(ULONG_PTR)context;
    PIRP irp = allocate_for(top, IRP_MJ_READ, NULL);
    IoCallDriver(top, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(driver);
}

static void an_event_that_a_completion_routine_forgot_is_explained(void **state)
{
    PROVES("DV-64");
    expect_hang(send_through, (PVOID)(ULONG_PTR)keep_and_forget, MANUALLY_INITIATED_CRASH, "DV-64",
                "keep_and_forget", "did not set it");
}

static void an_event_that_a_completion_routine_sets_is_fine(void **state)
{
    STAYS_SILENT("DV-64");
    boot_short();
    expect_silence(send_through, (PVOID)(ULONG_PTR)take_back);
}

static void complete_cancelled(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    complete(irp, STATUS_CANCELLED, 0);
}

static void cancel_later(PVOID context)
{
    LARGE_INTEGER later = interval_ms(IDLE_MS);
    KeDelayExecutionThread(KernelMode, FALSE, &later);
    IoCancelIrp(context);
}

static void read_until_cancelled(void *context)
{
    KEVENT done;
    IO_STATUS_BLOCK result;
    UCHAR byte;
    LARGE_INTEGER start = {.QuadPart = 0};
    cancel_routine = complete_cancelled;
    PDEVICE_OBJECT device = add_device(load_plain(), L"\\Device\\Holding", hold_reads, NULL);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    PIRP irp = IoBuildSynchronousFsdRequest(IRP_MJ_READ, device, &byte, 1, &start, &done, &result);
    assert_int_equal(IoCallDriver(device, irp), STATUS_PENDING);
    PKTHREAD thread = start_thread(cancel_later, irp);
    wait_object(&done);
    join_thread(thread);
    assert_int_equal(result.Status, STATUS_CANCELLED);
}

static void an_irp_that_waits_long_and_can_be_cancelled_is_no_hang(void **state)
{
    STAYS_SILENT("CANCEL-22", "CANCEL-24");
    boot_short();
    expect_silence(read_until_cancelled, NULL);
}

/* ---- the end of a driver ---- */

/* context: the act. */
static void load_and_unload(void *context)
{
    ULONG act = (ULONG)(ULONG_PTR)context;
    LARGE_INTEGER idle = interval_ms(IDLE_MS);
    PDRIVER_OBJECT driver = NULL;
    wskemu_registry_set(SERVICE, L"Act", REG_DWORD, &act, sizeof(act));
    assert_int_equal(wskemu_load_driver(WSKEMU_DRIVER(hanging), &driver), STATUS_SUCCESS);
    if (act == HANGING_NOT) {
        KeDelayExecutionThread(KernelMode, FALSE, &idle);
    }
    wskemu_unload_driver(driver);
}

#define ACT(act) ((void *)(ULONG_PTR)(act))

static void a_socket_left_open_is_explained(void **state)
{
    PROVES("WSK-REG-46", "WSK-CLOSE-19");
    expect_hang(load_and_unload, ACT(HANGING_SOCKET), DRIVER_VERIFIER_DETECTED_VIOLATION,
                "WSK-REG-46", "inside WskDeregister", "1 sockets to be closed", "pending: socket",
                "made by OpenListener at ", "Unload at ");
}

static void a_capture_left_is_explained(void **state)
{
    PROVES("WSK-REG-46");
    expect_hang(load_and_unload, ACT(HANGING_RELEASE), DRIVER_VERIFIER_DETECTED_VIOLATION,
                "WSK-REG-46", "inside WskDeregister", "1 captures to be released");
}

static void an_unload_routine_that_waits_for_its_thread_is_explained(void **state)
{
    PROVES("THREAD-12");
    expect_hang(load_and_unload, ACT(HANGING_THREAD), MANUALLY_INITIATED_CRASH, "THREAD-12",
                "inside the unload routine", "StopThread at ", "(Serve at ");
    expect_hang(load_and_unload, ACT(HANGING_ACCEPT), MANUALLY_INITIATED_CRASH, "THREAD-12",
                "inside the unload routine", "(Serve at ", "pending: IRP", "last sent to",
                "by WskAccept");
}

static void a_server_that_idles_is_no_hang(void **state)
{
    STAYS_SILENT("WSK-REG-46", "WSK-CLOSE-19", "THREAD-12");
    boot_short();
    expect_silence(load_and_unload, ACT(HANGING_NOT));
}

/* ---- what may still happen ---- */

static void wait_for_timer(void *context)
{
    KTIMER timer;
    KeInitializeTimer(&timer);
    KeSetTimer(&timer, interval_ms(IDLE_MS), NULL);
    wait_object(&timer);
}

static void a_timer_that_is_set_is_no_hang(void **state)
{
    boot_short();
    expect_silence(wait_for_timer, NULL);
}

static void a_wait_with_a_limit_is_no_hang(void **state)
{
    LARGE_INTEGER limit = interval_ms(IDLE_MS);
    boot_short();
    begin();
    PKTHREAD thread = start_thread(wait_for_stop, NULL);
    log_capture();
    NTSTATUS status = KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, &limit);
    assert_string_equal(log_captured(), "");
    assert_int_equal(status, STATUS_TIMEOUT);
    KeSetEvent(&never, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
}

/* Computes, or waits for something that the kernel does not know. */
static void compute(PVOID context)
{
    ULONGLONG end = KeQueryInterruptTime() + IDLE_MS * 10000ULL;
    while (KeQueryInterruptTime() < end) {
        YieldProcessor();
    }
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static void wait_for_who_computes(void *context)
{
    begin();
    PKTHREAD thread = start_thread(compute, &never);
    wait_object(&never);
    join_thread(thread);
}

static void a_thread_that_runs_is_no_hang(void **state)
{
    boot_short();
    expect_silence(wait_for_who_computes, NULL);
}

/* ---- work items ---- */

#define WORKERS 40 /* more than there are */

static struct {
    WORK_QUEUE_ITEM item;
    BOOLEAN is_last;
} crowd[WORKERS];

/* All wait for what the last of them does. */
static VOID wait_for_the_last(PVOID context)
{
    if (*(const BOOLEAN *)context) {
        KeSetEvent(&never, IO_NO_INCREMENT, FALSE);
    } else {
        wait_object(&never);
    }
    KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 1, FALSE);
}

/* context: how many. */
static void queue_a_crowd(void *context)
{
    ULONG count = (ULONG)(ULONG_PTR)context;
    begin();
    KeInitializeSemaphore(&semaphore, 0, WORKERS);
    for (ULONG i = 0; i < count; i++) {
        crowd[i].is_last = i == count - 1;
        ExInitializeWorkItem(&crowd[i].item, wait_for_the_last, &crowd[i].is_last);
        ExQueueWorkItem(&crowd[i].item, DelayedWorkQueue);
    }
    for (ULONG i = 0; i < count; i++) {
        wait_object(&semaphore);
    }
}

static void work_routines_that_wait_for_others_are_explained(void **state)
{
    PROVES("WORK-17");
    expect_hang(queue_a_crowd, (PVOID)WORKERS, MANUALLY_INITIATED_CRASH, "WORK-17",
                "All 32 worker threads run work routines that wait", "wait_for_the_last at ");
}

static void a_few_work_routines_may_wait_for_others(void **state)
{
    STAYS_SILENT("WORK-17");
    boot_short();
    expect_silence(queue_a_crowd, (PVOID)4);
}

static WORK_QUEUE_ITEM item;

static VOID take_mutex_and_signal(PVOID context)
{
    if (context == &mutex) {
        wait_object(&mutex);
        KeReleaseMutex(&mutex, FALSE);
    } else {
        ExAcquireFastMutex(&fast);
        ExReleaseFastMutex(&fast);
    }
    KeSetEvent(&never, IO_NO_INCREMENT, FALSE);
}

static void queue_for(PVOID context)
{
    begin();
    KeInitializeMutex(&mutex, 0);
    ExInitializeFastMutex(&fast);
    ExInitializeWorkItem(&item, take_mutex_and_signal, context);
}

static void wait_for_work_with_mutex(void *context)
{
    queue_for(context);
    wait_object(&mutex);
    ExAcquireFastMutex(&fast);
    ExQueueWorkItem(&item, DelayedWorkQueue);
    wait_object(&never);
}

static void a_lock_that_is_held_while_waiting_for_a_work_item_is_explained(void **state)
{
    PROVES("WORK-18");
    expect_hang(wait_for_work_with_mutex, &mutex, MANUALLY_INITIATED_CRASH, "WORK-18",
                "A work routine waits for the mutex", "waits without a limit for the event",
                "take_mutex_and_signal at ", "wait_for_work_with_mutex at ");
    expect_hang(wait_for_work_with_mutex, &fast, MANUALLY_INITIATED_CRASH, "WORK-18",
                "A work routine waits for the fast or guarded mutex");
}

static void wait_for_work_without_mutex(void *context)
{
    queue_for(context);
    wait_object(&mutex);
    KeReleaseMutex(&mutex, FALSE);
    ExQueueWorkItem(&item, DelayedWorkQueue);
    wait_object(&never);
}

static void a_lock_that_is_released_first_is_no_hang(void **state)
{
    STAYS_SILENT("WORK-18");
    boot_short();
    expect_silence(wait_for_work_without_mutex, &mutex);
    expect_silence(wait_for_work_without_mutex, &fast);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_driver_that_waits_for_ever_is_explained),
    kernel_test(a_single_thread_that_waits_for_ever_is_explained),
    kernel_test(two_spin_locks_that_deadlock_are_explained),
    kernel_test(other_locks_that_deadlock_are_explained),
    kernel_test(a_holder_that_waits_for_rundown_is_explained),
    kernel_test(a_wait_for_rundown_may_take_long),
    kernel_test(a_remove_lock_that_is_never_released_is_explained),
    kernel_test(tags_that_were_released_are_not_told),
    kernel_test(a_wait_for_a_remove_lock_may_take_long),
    kernel_test(a_cancelled_irp_that_nobody_completes_is_explained),
    kernel_test(an_event_that_a_completion_routine_forgot_is_explained),
    kernel_test(an_event_that_a_completion_routine_sets_is_fine),
    kernel_test(a_wait_for_an_irp_that_cannot_be_cancelled_is_explained),
    kernel_test(a_dpc_that_computes_for_ever_is_explained),
    kernel_test(many_dpcs_that_return_are_fine),
    kernel_test(an_irp_that_waits_long_and_can_be_cancelled_is_no_hang),
    kernel_test(a_socket_left_open_is_explained),
    kernel_test(a_capture_left_is_explained),
    kernel_test(an_unload_routine_that_waits_for_its_thread_is_explained),
    kernel_test(a_server_that_idles_is_no_hang),
    kernel_test(a_timer_that_is_set_is_no_hang),
    kernel_test(a_wait_with_a_limit_is_no_hang),
    kernel_test(a_thread_that_runs_is_no_hang),
    kernel_test(work_routines_that_wait_for_others_are_explained),
    kernel_test(a_few_work_routines_may_wait_for_others),
    kernel_test(a_lock_that_is_held_while_waiting_for_a_work_item_is_explained),
    kernel_test(a_lock_that_is_released_first_is_no_hang),
};

TEST_MAIN(tests)
