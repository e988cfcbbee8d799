/* 6: the kernel's parts that every driver uses. */
#include "sides.h"
#include "wsk/end.h"

#define POOL_BYTES 256
#define POOL_TAG 'hcnB'

static void start(const struct bench_load *load)
{
    (void)load;
    kernel_start();
}

static void stop(void)
{
    kernel_stop();
}

/* ---- IRPs, pool ---- */

static NTSTATUS free_completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    IoFreeIrp(irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void complete(uint64_t operations)
{
    for (; operations != 0; operations--) {
        PIRP irp = IoAllocateIrp(1, FALSE);
        IoSetCompletionRoutine(irp, free_completed, NULL, TRUE, TRUE, TRUE);
        IoSetNextIrpStackLocation(irp);
        irp->IoStatus.Status = STATUS_SUCCESS;
        IoCompleteRequest(irp, IO_NO_INCREMENT);
    }
}

static void allocate(uint64_t operations)
{
    for (; operations != 0; operations--) {
        ExFreePoolWithTag(ExAllocatePool2(POOL_FLAG_NON_PAGED, POOL_BYTES, POOL_TAG), POOL_TAG);
    }
}

const struct bench_side emu_irp = {"wskemu", start, complete, stop, NULL};
const struct bench_side emu_pool = {"wskemu", start, allocate, stop, NULL};

/* ---- two threads ---- */

static KEVENT there, back;
static volatile BOOLEAN is_ending;
static PKTHREAD thread;

static VOID answer(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    for (;;) {
        wait_for(&there);
        if (is_ending) {
            return;
        }
        KeSetEvent(&back, IO_NO_INCREMENT, FALSE);
    }
}

static void start_event(const struct bench_load *load)
{
    start(load);
    is_ending = FALSE;
    KeInitializeEvent(&there, SynchronizationEvent, FALSE);
    KeInitializeEvent(&back, SynchronizationEvent, FALSE);
    thread = thread_start(answer, NULL);
}

static void ask(uint64_t operations)
{
    for (; operations != 0; operations--) {
        KeSetEvent(&there, IO_NO_INCREMENT, FALSE);
        wait_for(&back);
    }
}

static void stop_event(void)
{
    is_ending = TRUE;
    KeSetEvent(&there, IO_NO_INCREMENT, FALSE);
    thread_join(thread);
    stop();
}

const struct bench_side emu_event = {"wskemu", start_event, ask, stop_event, NULL};

/* ---- spin lock, timer, DPC ---- */

static KSPIN_LOCK spin_lock;
static KTIMER timer;
static KDPC dpc;
static volatile unsigned ran;

static void lock(uint64_t operations)
{
    KIRQL irql;
    KeInitializeSpinLock(&spin_lock);
    for (; operations != 0; operations--) {
        KeAcquireSpinLock(&spin_lock, &irql);
        KeReleaseSpinLock(&spin_lock, irql);
    }
}

static void set_and_cancel(uint64_t operations)
{
    LARGE_INTEGER due = {.QuadPart = -100000000};
    KeInitializeTimer(&timer);
    for (; operations != 0; operations--) {
        KeSetTimer(&timer, due, NULL);
        KeCancelTimer(&timer);
    }
}

static VOID count(PKDPC which, PVOID context, PVOID one, PVOID two)
{
    UNREFERENCED_PARAMETER(which);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(one);
    UNREFERENCED_PARAMETER(two);
    ran++;
}

static void queue_dpcs(uint64_t operations)
{
    KeInitializeDpc(&dpc, count, NULL);
    for (; operations != 0; operations--) {
        KeInsertQueueDpc(&dpc, NULL, NULL);
    }
    KeFlushQueuedDpcs();
}

const struct bench_side emu_spin_lock = {"wskemu", start, lock, stop, NULL};
const struct bench_side emu_timer = {"wskemu", start, set_and_cancel, stop, NULL};
const struct bench_side emu_dpc = {"wskemu", start, queue_dpcs, stop, NULL};
