/*
 * Sending IRPs.
 *
 * A dispatch routine may complete its IRP, keep it, or pass it on, in this thread or in another,
 * and it returns a status that has to fit what it did. When it returns, the IRP may be gone. So a
 * record of each running call stands on the caller's stack and in a table, and completion writes
 * there what it saw at the call's stack location, and whether a driver below has kept the IRP.
 * Where a call is recorded, completion moves the IRP's position under the lock of its part of the
 * table. IRPs that were never sent to a device (WSK's) pay nothing for this.
 */
#include "io/call.h"

#include "base/sanitize.h"
#include "base/stack.h"
#include "io/io.h"
#include "io/irp_check.h"
#include "io/thread_irps.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "trace/trace.h"
#include "verifier/rule.h"
#include "verifier/history.h"

struct io_call {
    LIST_ENTRY link; /* guarded by its part's lock, as all below is */
    PIRP irp;
    PIO_STACK_LOCATION location;
    UCHAR major_function;
    PDRIVER_DISPATCH routine;
    const struct ke_callback *callback; /* of the routine */
    const struct _KTHREAD *thread;
    PIO_COMPLETION_ROUTINE above; /* what the driver above set in the location, and its context */
    PVOID above_context;
    const void *below;       /* what stood where the lowest driver would set a completion routine */
    bool is_held_below;      /* passed down by the routine, not completed, its call returned */
    bool is_left_elsewhere;  /* completed by another thread than the routine's */
    bool is_completed;       /* completion has left the location */
    bool was_marked;         /* marked pending at that time */
    bool is_marked;          /* marked pending and not completed when the routine returned */
    bool is_passed_on;       /* below the location when the routine returned */
    bool is_pending_below;   /* what was below the location had been marked pending */
    NTSTATUS completed_with; /* IoStatus.Status at that time */
    struct io_call *parent;  /* whose routine made the call with the same IRP, or NULL */
    bool was_sent;           /* the routine sent it to another driver, on its own thread */
    bool is_ended_by_itself; /* completed by the routine itself */
    NTSTATUS sent_status;    /* what that driver returned */
};

void io_calls_start(struct io_calls *calls)
{
    for (int i = 0; i < IO_CALL_SHARDS; i++) {
        base_mutex_init(&calls->shard[i].lock);
        InitializeListHead(&calls->shard[i].calls);
    }
}

void io_calls_stop(struct io_calls *calls)
{
    for (int i = 0; i < IO_CALL_SHARDS; i++) {
        base_mutex_destroy(&calls->shard[i].lock);
    }
}

static struct io_call_shard *shard_of(const IRP *irp)
{
    ULONG_PTR key = (ULONG_PTR)irp >> 4;
    return &io_state()->calls.shard[(key ^ (key >> 8)) % IO_CALL_SHARDS];
}

struct io_call_shard *io_calls_lock(const IRP *irp)
{
    struct io_call_shard *shard = shard_of(irp);
    if (atomic_load_explicit(&shard->count, memory_order_relaxed) == 0) {
        return NULL;
    }
    base_mutex_lock(&shard->lock);
    return shard;
}

void io_calls_unlock(struct io_call_shard *shard)
{
    if (shard != NULL) {
        base_mutex_unlock(&shard->lock);
    }
}

/* The lowest driver's next location lies in the IRP itself, where this member is. (IRP-56) */
C_ASSERT(FIELD_OFFSET(IRP, Tail.Overlay.OriginalFileObject) ==
         sizeof(IRP) - sizeof(IO_STACK_LOCATION) +
             FIELD_OFFSET(IO_STACK_LOCATION, CompletionRoutine));

BASE_NOT_SANITIZED static const void *what_is_below(const volatile IRP *irp)
{
    return irp->Tail.Overlay.OriginalFileObject;
}

static bool is_lowest(const struct io_call *call)
{
    return call->location == (PIO_STACK_LOCATION)(PVOID)(call->irp + 1);
}

static void check_below(const struct io_call *call)
{
    if (is_lowest(call) && what_is_below(call->irp) != call->below) {
        ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x208, (ULONG_PTR)call->routine,
                     (ULONG_PTR)call->irp, 0, "IRP-56",
                     "The driver whose dispatch routine is %p set a completion routine for the IRP "
                     "%p, which has no stack location below the driver's own.",
                     (void *)(ULONG_PTR)call->routine, (void *)call->irp);
    }
}

void io_calls_note_left(struct io_call_shard *shard, const IRP *irp,
                        const IO_STACK_LOCATION *location)
{
    bool is_pending = (location->Control & SL_PENDING_RETURNED) != 0;
    if (shard == NULL) {
        return;
    }
    for (LIST_ENTRY *entry = shard->calls.Flink; entry != &shard->calls; entry = entry->Flink) {
        struct io_call *call = CONTAINING_RECORD(entry, struct io_call, link);
        if (call->irp != irp || call->is_completed) {
            continue;
        }
        if (call->location <= location + 1) {
            call->is_held_below = false;
        }
        if (call->location == location) {
            call->is_completed = true;
            call->is_left_elsewhere = call->thread != ke_current();
            call->is_ended_by_itself = call->callback == ke_callback_innermost();
            call->was_marked = is_pending;
            call->completed_with = irp->IoStatus.Status;
            check_below(call);
        } else if (call->location == location + 1) {
            call->is_pending_below |= is_pending;
        }
    }
}

/* The next call after that entry, or the first one, with the IRP; NULL if there is none. */
static struct io_call *next_with(struct io_call_shard *shard, const LIST_ENTRY *entry,
                                 const IRP *irp)
{
    for (entry = entry->Flink; entry != &shard->calls; entry = entry->Flink) {
        struct io_call *call = CONTAINING_RECORD(entry, struct io_call, link);
        if (call->irp == irp && !call->is_completed) {
            return call;
        }
    }
    return NULL;
}

static struct io_call *first_with(struct io_call_shard *shard, const IRP *irp)
{
    return next_with(shard, &shard->calls, irp);
}

/* The call whose dispatch routine runs on this thread and calls us. The part is locked. */
static struct io_call *find_running(struct io_call_shard *shard, const IRP *irp)
{
    const struct ke_callback *innermost = ke_callback_innermost();
    struct io_call *call = first_with(shard, irp);
    while (call != NULL && call->callback != innermost) {
        call = next_with(shard, &call->link, irp);
    }
    return call;
}

bool io_call_is_in_dispatch(const IRP *irp)
{
    struct io_call_shard *shard = io_calls_lock(irp);
    bool is_found = shard != NULL && find_running(shard, irp) != NULL;
    io_calls_unlock(shard);
    return is_found;
}

void io_call_look_for_held(const IRP *irp, ULONG code, const char *what, const void *caller)
{
    struct io_call_shard *shard = io_calls_lock(irp);
    const struct io_call *call = shard != NULL ? find_running(shard, irp) : NULL;
    bool is_held = call != NULL && call->is_held_below;
    io_calls_unlock(shard);
    if (is_held) {
        ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, code, (ULONG_PTR)caller, (ULONG_PTR)irp,
                     0, "IRP-44",
                     "The driver passed the IRP %p down and %s it, at %s, while the driver below "
                     "still had it.",
                     (const void *)irp, what, base_stack_site(caller).text);
    }
}

/* Whether a running call has the location: its driver skipped it. The part is locked. */
static const struct io_call *find_skipped(struct io_call_shard *shard, const struct io_call *call)
{
    const struct io_call *other = first_with(shard, call->irp);
    while (other != NULL && other->location != call->location) {
        other = next_with(shard, &other->link, call->irp);
    }
    return other;
}

static void check_skipped(const struct io_call *skipped, const struct io_call *call)
{
    bool is_kept = skipped->above == call->location->CompletionRoutine &&
                   skipped->above_context == call->location->Context;
    if (!is_kept) {
        ke_violation(
            DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x212, (ULONG_PTR)skipped->routine,
            (ULONG_PTR)call->irp, 0, "IRP-29",
            "The driver whose dispatch routine is %p skipped its stack location of the IRP "
            "%p and then set a completion routine: it took the place of the routine of the "
            "driver above. Copy the location instead.",
            (void *)(ULONG_PTR)skipped->routine, (void *)call->irp);
    }
}

static bool lies_in(ULONG_PTR address, const void *buffer, ULONG bytes)
{
    return address - (ULONG_PTR)buffer < bytes;
}

/* The part is locked. */
static bool has_pointer(const struct io_call *call, ULONG_PTR address)
{
    if (call->is_completed || call->thread != ke_thread_slot.thread ||
        call->major_function != IRP_MJ_DEVICE_CONTROL) {
        return false;
    }
    const IO_STACK_LOCATION *location = call->location;
    ULONG code = location->Parameters.DeviceIoControl.IoControlCode;
    return METHOD_FROM_CTL_CODE(code) == METHOD_NEITHER &&
           (lies_in(address, location->Parameters.DeviceIoControl.Type3InputBuffer,
                    location->Parameters.DeviceIoControl.InputBufferLength) ||
            lies_in(address, call->irp->UserBuffer,
                    location->Parameters.DeviceIoControl.OutputBufferLength));
}

bool io_calls_have_pointer(ULONG_PTR address)
{
    struct io_state *io = io_state();
    bool is_found = false;
    for (int i = 0; io != NULL && i < IO_CALL_SHARDS && !is_found; i++) {
        struct io_call_shard *shard = &io->calls.shard[i];
        if (!base_mutex_try_lock(&shard->lock)) {
            continue;
        }
        for (LIST_ENTRY *entry = shard->calls.Flink; entry != &shard->calls && !is_found;
             entry = entry->Flink) {
            is_found = has_pointer(CONTAINING_RECORD(entry, struct io_call, link), address);
        }
        base_mutex_unlock(&shard->lock);
    }
    return is_found;
}

/* Looks at where the IRP goes. Returns whether its sender skipped its own location. */
static bool check_sender(struct io_call_shard *shard, const struct io_call *call)
{
    const struct io_call *skipped = find_skipped(shard, call);
    if (skipped == NULL) {
        return false;
    }
    check_skipped(skipped, call);
    return true;
}

/* A bug check inside halts everything: that the lock is held then does not matter. */
static void begin(struct io_call *call, const void *caller)
{
    struct io_call_shard *shard = shard_of(call->irp);
    base_mutex_lock(&shard->lock);
    bool is_skipped = check_sender(shard, call);
    call->parent = find_running(shard, call->irp);
    io_call_check_location(call->irp, call->location, is_skipped, caller);
    atomic_fetch_add_explicit(&shard->count, 1, memory_order_relaxed);
    InsertHeadList(&shard->calls, &call->link);
    base_mutex_unlock(&shard->lock);
}

/* Looks at an IRP that is somebody else's by now, but still there: see end(). */
BASE_NOT_SANITIZED static void look(struct io_call *call)
{
    volatile IO_STACK_LOCATION *location = call->location;
    call->is_marked = (location->Control & SL_PENDING_RETURNED) != 0;
    call->is_passed_on =
        ((volatile IRP *)call->irp)->Tail.Overlay.CurrentStackLocation < call->location;
}

/* Tells the calls above that the IRP is with this call's driver, or further down. */
static void note_held(struct io_call_shard *shard, const struct io_call *call)
{
    for (struct io_call *above = first_with(shard, call->irp); above != NULL;
         above = next_with(shard, &above->link, call->irp)) {
        above->is_held_below |= above->location >= call->location;
    }
}

/* An IRP that has not left the call's location cannot be freed: completion needs the lock first. */
static void end(struct io_call *call)
{
    struct io_call_shard *shard = shard_of(call->irp);
    base_mutex_lock(&shard->lock);
    RemoveEntryList(&call->link);
    atomic_fetch_sub_explicit(&shard->count, 1, memory_order_relaxed);
    if (!call->is_completed) {
        look(call);
        check_below(call);
        note_held(shard, call);
    }
    base_mutex_unlock(&shard->lock);
}

static _Noreturn void wrong_status(const struct io_call *call, ULONG code, NTSTATUS status,
                                   const char *rule, const char *what)
{
    ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, code, (ULONG_PTR)call->routine,
                (ULONG_PTR)call->irp, (ULONG)status, rule,
                "The driver's dispatch routine %p returned 0x%08X for the IRP %p, %s.",
                (void *)(ULONG_PTR)call->routine, (unsigned)status, (void *)call->irp, what);
}

static void check_pending_status(const struct io_call *call)
{
    if (call->is_pending_below) {
        return;
    }
    if (call->is_completed && !call->was_marked && call->is_left_elsewhere) {
        wrong_status(call, 0x23D, STATUS_PENDING, "IRP-78",
                     "which another thread completed before it was marked pending; mark it first, "
                     "then let others have it");
    }
    if (call->is_completed && !call->was_marked) {
        wrong_status(call, 0x23D, STATUS_PENDING, "IRP-81",
                     "which was completed and not marked pending");
    }
    if (!call->is_completed && !call->is_marked && !call->is_passed_on) {
        wrong_status(call, 0x23D, STATUS_PENDING, "IRP-80",
                     "which it did not mark pending and did not pass on");
    }
}

/* Of a routine that marked its request pending and returned otherwise. */
static const char *rule_of_marked(const struct io_call *call)
{
    bool is_taken_back = call->was_sent && call->is_completed && call->is_ended_by_itself;
    return is_taken_back ? "IRP-70" : "IRP-79";
}

/* Of a routine that returns another status than it completed the request with. */
static const char *rule_of_other_status(const struct io_call *call, NTSTATUS status)
{
    UCHAR function = call->major_function;
    if (call->was_sent && !call->is_ended_by_itself && call->sent_status == status) {
        return "IRP-72"; /* its completion routine changed it */
    }
    return function == IRP_MJ_CREATE || function == IRP_MJ_CLOSE ? "DEV-54" : "IRP-82";
}

/* What a dispatch routine returns has to fit what it did. (IRP-77, IRP-79 to IRP-83) */
static void check_status(const struct io_call *call, NTSTATUS status)
{
    if (status == STATUS_PENDING) {
        check_pending_status(call);
        return;
    }
    if (status == (NTSTATUS)0xFFFFFFFF) {
        wrong_status(call, 0x225, status, "IRP-83", "which is no status");
    }
    if (call->is_completed ? call->was_marked : call->is_marked) {
        wrong_status(call, 0x23E, status, rule_of_marked(call),
                     "which it marked pending; it has to return STATUS_PENDING");
    }
    if (!call->is_completed) {
        wrong_status(call, 0x226, status, "IRP-77", "which is not completed yet");
    }
    if (call->completed_with != status) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x224, (ULONG_PTR)call->routine,
                    (ULONG_PTR)call->irp, (ULONG)call->completed_with,
                    rule_of_other_status(call, status),
                    "The driver's dispatch routine %p returned 0x%08X for the IRP %p, which was "
                    "completed with 0x%08X.",
                    (void *)(ULONG_PTR)call->routine, (unsigned)status, (void *)call->irp,
                    (unsigned)call->completed_with);
    }
}

/* Takes the next location for the receiving driver; bug checks if there is none. */
static PIO_STACK_LOCATION push_location(PIRP irp, PDEVICE_OBJECT device)
{
    if (irp->CurrentLocation <= 1) {
        ke_bugcheck(NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR)irp, 0, 0, 0, "IRP-39",
                    "The driver sent the IRP %p, whose %d stack locations are used up, to device "
                    "%p.",
                    (void *)irp, irp->StackCount, (void *)device);
    }
    irp->CurrentLocation--;
    PIO_STACK_LOCATION location = --irp->Tail.Overlay.CurrentStackLocation;
    location->DeviceObject = device;
    if (io_irp_record(irp) != NULL) {
        io_irp_record(irp)->driver = device->DriverObject;
        io_irp_record(irp)->driver_location = irp->CurrentLocation;
    }
    return location;
}

static PDRIVER_DISPATCH routine_of(PDEVICE_OBJECT device, PIRP irp, UCHAR major_function)
{
    PDRIVER_DISPATCH routine = major_function <= IRP_MJ_MAXIMUM_FUNCTION
                                   ? device->DriverObject->MajorFunction[major_function]
                                   : NULL;
    if (routine == NULL) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x21F, (ULONG_PTR)device->DriverObject,
                    (ULONG_PTR)irp, 0, "DEV-07",
                    "The IRP %p has the major function 0x%02X, for which the driver of device %p "
                    "has no dispatch routine.",
                    (void *)irp, major_function, (void *)device);
    }
    return routine;
}

static void check_state(const struct ke_callback *callback, PDEVICE_OBJECT device)
{
    const struct _KTHREAD *thread = ke_current();
    if (thread->irql != callback->irql) {
        verifier_rule_speak("DV-46");
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x5, (ULONG_PTR)device, callback->irql,
                    thread->irql, "IRP-47",
                    "The driver's dispatch routine %p was called at IRQL %u and returned at %u. "
                    "Driver Verifier checks it, too: see rule DV-46",
                    callback->routine, callback->irql, thread->irql);
    }
    if (thread->kernel_apc_disable != callback->kernel_apc_disable ||
        thread->special_apc_disable != callback->special_apc_disable) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xC5, (ULONG_PTR)callback->routine,
                    (USHORT)thread->kernel_apc_disable, (USHORT)callback->kernel_apc_disable,
                    "IRP-47",
                    "The driver's dispatch routine %p returned inside a critical or guarded "
                    "region that it entered, or left one that it did not enter.",
                    callback->routine);
    }
}

/* The sender's call is on this thread, below our own. */
static void note_sent(const struct io_call *call, NTSTATUS status)
{
    if (call->parent != NULL) {
        call->parent->was_sent = true;
        call->parent->sent_status = status;
    }
}

static const char *name_of(UCHAR major_function)
{
    return major_function == IRP_MJ_CLEANUP ? "a cleanup routine" : "a dispatch routine";
}

static NTSTATUS call_driver(PDEVICE_OBJECT device, PIRP irp, const void *caller)
{
    struct ke_callback callback;
    io_thread_irps_check_frames();
    io_call_check(device, irp, caller);
    io_call_check_held(irp, 0x205, "sent", caller);
    io_irp_check_sent(irp);
    PIO_STACK_LOCATION location = push_location(irp, device);
    verifier_note_sent(device, irp, location, NULL, caller);
    io_call_check_level(irp, location->MajorFunction, caller);
    struct io_call call = {
        .irp = irp,
        .location = location,
        .major_function = location->MajorFunction,
        .routine = routine_of(device, irp, location->MajorFunction),
        .callback = &callback,
        .thread = ke_current(),
        .above = location->CompletionRoutine,
        .above_context = location->Context,
        .below = irp->Tail.Overlay.OriginalFileObject,
    };
    trace_irp_send(irp, device, location->MajorFunction, location->MinorFunction);
    begin(&call, caller);
    ke_callback_enter(&callback, name_of(call.major_function), (void *)(ULONG_PTR)call.routine);
    NTSTATUS status = call.routine(device, irp);
    check_state(&callback, device);
    ke_callback_leave(&callback);
    end(&call);
    note_sent(&call, status);
    io_thread_irps_check_frames();
    check_status(&call, status);
    return status;
}

/*
 * Sends an IRP to a device's driver and returns what its dispatch routine returned. IRQL <=
 * DISPATCH_LEVEL, PASSIVE_LEVEL for all but read, write, control and power requests. (IRP-38)
 */
NTSTATUS FASTCALL IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    ke_current();
    return call_driver(DeviceObject, Irp, _ReturnAddress());
}

/* As IofCallDriver. */
NTSTATUS(IoCallDriver)(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    return call_driver(DeviceObject, Irp, _ReturnAddress());
}
