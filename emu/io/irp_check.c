/*
 * What drivers must keep of IRPs that they make and give away.
 *
 * An IRP that a driver allocated, or made of its own memory, comes back to it by its completion
 * routine and by nothing else. So it is looked at when it leaves its driver: a routine must be set,
 * for every outcome, and stack locations that are nobody's must be as they were.
 */
#include "io/irp_check.h"

#include "base/cold.h"
#include "base/stack.h"
#include "ex/paged.h"
#include "io/call.h"
#include "io/irp.h"
#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "verifier/once.h"
#include "verifier/level.h"

#define INVOKE_ALWAYS (SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR)
#define INVOKE_ANY (INVOKE_ALWAYS | SL_INVOKE_ON_CANCEL)

/* Where the IRP comes from, for a sentence. */
static struct base_site origin_of(PIRP irp)
{
    const struct io_irp_record *record = io_irp_record(irp);
    struct base_site none = {"the driver in memory of its own"};
    return record != NULL ? base_stack_site(record->creator) : none;
}

static bool is_with_wsk(PIRP irp)
{
    const struct io_irp_record *record = io_irp_record(irp);
    return record != NULL && record->receiver == IO_IRP_TO_WSK;
}

/* ---- stack locations that are nobody's ---- */

static bool is_zero(const IO_STACK_LOCATION *location)
{
    const ULONG64 *word = (const ULONG64 *)(const void *)location;
    C_ASSERT(sizeof(*location) == 9 * sizeof(*word));
    return (word[0] | word[1] | word[2] | word[3] | word[4] | word[5] | word[6] | word[7] |
            word[8]) == 0;
}

/* Whose IoMarkIrpPending wrote behind the IRP: a driver's that was called with it has skipped its
 * location. */
static const char *rule_of_marker(PIRP irp)
{
    if (is_with_wsk(irp)) {
        return "WSK-IRP-22";
    }
    return io_call_is_in_dispatch(irp) ? "IRP-31" : "IRP-69";
}

/* What somebody wrote who had no stack location. */
static BASE_COLD void report_beyond(PIRP irp, const IO_STACK_LOCATION *beyond)
{
    if (beyond->Control == SL_PENDING_RETURNED) {
        ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x212, (ULONG_PTR)beyond, (ULONG_PTR)irp,
                     0, rule_of_marker(irp),
                     "A driver called IoMarkIrpPending on the IRP %p, allocated by %s, without "
                     "having a stack location in it: it wrote behind the IRP.",
                     (void *)irp, origin_of(irp).text);
        return;
    }
    ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x212, (ULONG_PTR)beyond, (ULONG_PTR)irp, 0,
                 "IRP-25",
                 "A driver wrote to the current stack location of the IRP %p, allocated by %s, "
                 "without having one: it wrote behind the IRP.",
                 (void *)irp, origin_of(irp).text);
}

/* The IRP is one of the emulator's, with a location beyond its last. */
static inline void check_beyond(PIRP irp)
{
    const IO_STACK_LOCATION *beyond = (PIO_STACK_LOCATION)(PVOID)(irp + 1) + irp->StackCount;
    if (!is_zero(beyond)) {
        report_beyond(irp, beyond);
    }
}

void io_irp_check_locations(PIRP irp)
{
    if (verifier_is_on() && io_irp_record(irp) != NULL) {
        check_beyond(irp);
    }
}

/* ---- freeing, using anew ---- */

/* WSK has it, if only to deliver its result. */
static bool is_taken_by_wsk(PIRP irp)
{
    const struct io_irp_record *record = io_irp_record(irp);
    return record != NULL && record->receiver == IO_IRP_TO_WSK &&
           irp->CurrentLocation == record->wsk_location;
}

/* Whether a driver below still has the IRP: it is cancelable there, or deep in its stack. */
static bool is_in_use(PIRP irp)
{
    return io_irp_cancel_routine(irp) != NULL || irp->CurrentLocation < irp->StackCount ||
           is_taken_by_wsk(irp);
}

/* What else a driver must have kept when it frees or reuses an IRP. */
static void check_before_end(PIRP irp, const struct io_irp_record *record, const char *end)
{
    if (verifier_is_on()) {
        io_completion_check_unsent(irp, end);
        if (record != NULL) {
            check_beyond(irp);
        }
    }
}

/* The one of two rules that speaks of the IRP: WSK's clients have one of their own for what they
 * were given from above and passed to WSK. */
static const char *rule_from_above(const struct io_irp_record *record, const char *general,
                                   const char *of_client)
{
    return record->receiver == IO_IRP_TO_WSK ? of_client : general;
}

void io_irp_check_freeable(PIRP irp, const void *caller)
{
    if (!io_irp_is_alive(irp)) {
        bool is_later = io_irp_was_freed_for_wsk(irp) && !io_completion_runs();
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x1, (ULONG_PTR)irp, 0, 0,
                    is_later ? "WSK-IRP-02" : "IRP-19",
                    "The driver called IoFreeIrp on %p, which is no IRP, or was freed already.",
                    (void *)irp);
    }
    const struct io_irp_record *record = io_irp_record(irp);
    if (record != NULL && (record->kind == IO_IRP_THREADED || record->kind == IO_IRP_SYSTEM)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x2, (ULONG_PTR)irp, 0, 0,
                    rule_from_above(record, "IRP-102", "WSK-IRP-16"),
                    "The driver freed the IRP %p, which belongs to a thread: it has to be "
                    "completed, and the I/O manager frees it.",
                    (void *)irp);
    }
    if (is_in_use(irp)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20B, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    0, "IRP-18",
                    "The driver freed the IRP %p, which a driver below or the network still has.",
                    (void *)irp);
    }
    check_before_end(irp, record, "freed");
}

/* The usual case at one look: an IRP of the driver's that came back to it, as completion left it.
 */
static inline bool is_back(const IRP *irp, const struct io_irp_record *record)
{
    const IO_STACK_LOCATION *beyond =
        (const IO_STACK_LOCATION *)(const void *)(irp + 1) + irp->StackCount;
    return record != NULL && record->kind == IO_IRP_DRIVERS && irp->StackCount > 0 &&
           irp->CurrentLocation == irp->StackCount + 1 && io_irp_cancel_routine(irp) == NULL &&
           beyond[-1].CompletionRoutine == NULL && is_zero(beyond);
}

void io_irp_check_reusable(PIRP irp, const void *caller)
{
    const struct io_irp_record *record = io_irp_record(irp);
    if (is_back(irp, record)) {
        return;
    }
    if (is_in_use(irp)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x310, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    0, "IRP-15", "The driver reused the IRP %p, which is still in use.",
                    (void *)irp);
    }
    if (record != NULL && record->kind != IO_IRP_DRIVERS && record->kind != IO_IRP_ASYNCHRONOUS) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x311, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    0,
                    rule_from_above(record, record->kind == IO_IRP_THREADED ? "IRP-16" : "IRP-12",
                                    "WSK-IRP-13"),
                    "The driver reused the IRP %p, which the I/O manager frees when it is done.",
                    (void *)irp);
    }
    check_before_end(irp, record, "reused");
}

/* ---- giving away ---- */

/* Which rules a receiver of IRPs stands for. */
struct receiver {
    const char *name;
    const char *no_routine;
    const char *not_always;
    const char *context;
};

static const struct receiver drivers = {"a driver", "IRP-55", "IRP-55", "IRP-57"};
static const struct receiver wsk = {"WSK", "WSK-IRP-09", "WSK-IRP-10", "WSK-IRP-27"};

static void check_own(PIRP irp, const struct receiver *receiver)
{
    const IO_STACK_LOCATION *next = IoGetNextIrpStackLocation(irp);
    UCHAR invoke = next->Control & INVOKE_ANY;
    if (next->CompletionRoutine == NULL) {
        ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200, (ULONG_PTR)irp, 0, 0,
                     receiver->no_routine,
                     "The driver gave the IRP %p, allocated by %s, to %s without a completion "
                     "routine that takes it back.",
                     (void *)irp, origin_of(irp).text, receiver->name);
        return;
    }
    if ((invoke & INVOKE_ALWAYS) != INVOKE_ALWAYS) {
        ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200, (ULONG_PTR)irp, invoke, 0,
                     receiver->not_always,
                     "The driver gave the IRP %p, allocated by %s, to %s with a completion routine "
                     "that is not called on %s; nobody would take the IRP back then.",
                     (void *)irp, origin_of(irp).text, receiver->name,
                     (invoke & SL_INVOKE_ON_ERROR) == 0 ? "error" : "success");
    }
    if ((invoke & SL_INVOKE_ON_CANCEL) == 0) {
        ke_warning(receiver->not_always,
                   "the driver gave the IRP %p to %s with a completion routine that it set with "
                   "InvokeOnCancel FALSE",
                   (void *)irp, receiver->name);
    }
}

/* Whether the next location is the first that anybody has, and the IRP its driver's own. */
static bool is_own_and_fresh(const IRP *irp, const struct io_irp_record *record)
{
    return irp->CurrentLocation > irp->StackCount && irp->StackCount > 0 &&
           io_irp_is_recorded_as_drivers(record);
}

static void check_no_routine(PIRP irp, const IO_STACK_LOCATION *next)
{
    if ((next->Control & INVOKE_ANY) != 0) {
        ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200, (ULONG_PTR)irp, next->Control, 0,
                     "IRP-51",
                     "The driver set a completion routine for the IRP %p that is NULL and is to be "
                     "called.",
                     (void *)irp);
    }
}

/* The routine may be called at DISPATCH_LEVEL. */
static void check_context(PIRP irp, const IO_STACK_LOCATION *next, const char *rule)
{
    if (ex_is_paged(next->Context)) {
        ke_violation(
            DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x227, (ULONG_PTR)next->CompletionRoutine,
            (ULONG_PTR)irp, (ULONG_PTR)next->Context, rule,
            "The driver gave the IRP %p away with a completion routine whose context %p is "
            "in paged pool.",
            (void *)irp, next->Context);
    }
}

static void check_receiver(PIRP irp, const struct io_irp_record *record,
                           const struct receiver *receiver)
{
    if (irp->CurrentLocation <= 1) {
        return; /* the next location is none: whoever takes the IRP says so */
    }
    const IO_STACK_LOCATION *next = IoGetNextIrpStackLocation(irp);
    if (next->CompletionRoutine == NULL) {
        check_no_routine(irp, next);
    } else {
        check_context(irp, next, receiver->context);
    }
    if (is_own_and_fresh(irp, record)) {
        check_own(irp, receiver);
    }
    if (record != NULL) {
        check_beyond(irp);
    }
}

/* The maker of a request took a stack location of its own where it has none to take. */
static void check_request(PIRP irp, const struct io_irp_record *record)
{
    if (record->kind == IO_IRP_THREADED && irp->CurrentLocation <= irp->StackCount) {
        ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x208, (ULONG_PTR)record->creator,
                     (ULONG_PTR)irp, 0, "IRP-27",
                     "The driver called IoSetNextIrpStackLocation on the IRP %p, which was built "
                     "for it by %s: such an IRP has no location for its maker.",
                     (void *)irp, origin_of(irp).text);
    }
    if (record->is_event_wanted && irp->UserEvent == NULL &&
        IoGetNextIrpStackLocation(irp)->CompletionRoutine == NULL) {
        ke_warning("IRP-105",
                   "the driver sent the IRP %p, built by %s, with neither an event nor a "
                   "completion routine: nothing tells when it is done",
                   (void *)irp, origin_of(irp).text);
    }
}

void io_irp_check_sent(PIRP irp)
{
    struct io_irp_record *record = io_irp_record(irp);
    if (verifier_is_on()) {
        check_receiver(irp, record, &drivers);
    }
    if (record != NULL && record->receiver == IO_IRP_TO_NOBODY) {
        check_request(irp, record);
        record->receiver = IO_IRP_TO_DRIVER;
    }
}

/* Whether there is more in the next location than a completion routine. */
static bool is_filled(const IO_STACK_LOCATION *next)
{
    const ULONG64 *parameters = (const ULONG64 *)(const void *)&next->Parameters;
    C_ASSERT(sizeof(next->Parameters) == 4 * sizeof(*parameters));
    return (next->MajorFunction | next->MinorFunction | next->Flags) != 0 ||
           (parameters[0] | parameters[1] | parameters[2] | parameters[3]) != 0;
}

/* The usual case at one look: an own IRP whose next location has what it should. */
static inline bool is_in_order(PIRP irp, const struct io_irp_record *record)
{
    if (record == NULL || !is_own_and_fresh(irp, record)) {
        return false;
    }
    const IO_STACK_LOCATION *next = IoGetNextIrpStackLocation(irp);
    return next->CompletionRoutine != NULL && (next->Control & INVOKE_ANY) == INVOKE_ANY &&
           !ex_is_paged(next->Context) && !is_filled(next) && is_zero(next + 1);
}

static void check_for_wsk(PIRP irp, const struct io_irp_record *record)
{
    check_receiver(irp, record, &wsk);
    if (is_own_and_fresh(irp, record) && is_filled(IoGetNextIrpStackLocation(irp))) {
        ke_warning("WSK-IRP-08",
                   "the driver filled in the stack location of the IRP %p that it gave to WSK; all "
                   "it has to set is a completion routine",
                   (void *)irp);
    }
}

/* The client passes its IRP on as the last request left it. */
static BASE_COLD void report_not_reused(PIRP irp, const struct io_irp_record *record)
{
    if (record->kind == IO_IRP_DRIVERS && verifier_speaks_first("WSK-IRP-12", record->creator)) {
        ke_warning("WSK-IRP-12",
                   "the driver gave the IRP %p, allocated by %s, to WSK once more without having "
                   "called IoReuseIrp",
                   (void *)irp, origin_of(irp).text);
    }
}

void io_irp_hand_to_wsk(PIRP irp)
{
    struct io_irp_record *record = io_irp_record(irp);
    if (verifier_is_on() && !is_in_order(irp, record)) {
        check_for_wsk(irp, record);
    }
    if (record != NULL && record->receiver == IO_IRP_TO_WSK && verifier_is_on()) {
        report_not_reused(irp, record);
    }
    if (record != NULL) {
        record->receiver = IO_IRP_TO_WSK;
        record->wsk_location = (CHAR)(irp->CurrentLocation - 1);
    }
}
