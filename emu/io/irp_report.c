/* What reports say of IRPs: which one lies at an address, and which are on their way. */
#include "io/irp.h"
#include "base/stack.h"
#include "ke/warning.h"
#include "verifier/hang.h"
#include "verifier/object.h"

#include <stdio.h>
#include <string.h>

static PIRP irp_of(const struct io_irp_record *record)
{
    return (PIRP)(PVOID)(ULONG_PTR)(record + 1);
}

/* What its owner may be changing at this moment. */
struct position {
    CHAR stack_count;
    CHAR location;
    bool is_pending; /* somebody has it */
};

BASE_NOT_SANITIZED static struct position look(const volatile IRP *irp)
{
    return (struct position){.stack_count = irp->StackCount,
                             .location = irp->CurrentLocation,
                             .is_pending = irp->CurrentLocation <= irp->StackCount};
}

static void describe(const struct io_irp_record *record, struct verifier_description *description)
{
    struct position position = look(irp_of(record));
    description->kind = "IRP";
    description->start = irp_of(record);
    description->creator = record->creator;
    snprintf(description->note, sizeof(description->note), "%d stacks, %s", position.stack_count,
             position.is_pending ? "somebody has it" : "nobody below its maker has it");
}

static bool find(void *context, const void *address, struct verifier_description *description)
{
    struct io_irps *irps = context;
    bool is_found = false;
    if (!verifier_lock(&irps->lock)) {
        return false;
    }
    for (LIST_ENTRY *entry = irps->all.Flink; entry != &irps->all && !is_found;
         entry = entry->Flink) {
        const struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        is_found = irp_of(record) == address;
        if (is_found) {
            describe(record, description);
        }
    }
    base_mutex_unlock(&irps->lock);
    return is_found;
}

static unsigned list(void *context)
{
    struct io_irps *irps = context;
    unsigned count = 0;
    if (!verifier_lock(&irps->lock)) {
        return 0;
    }
    for (LIST_ENTRY *entry = irps->all.Flink; entry != &irps->all; entry = entry->Flink) {
        const struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        if (look(irp_of(record)).is_pending) {
            verifier_pending_line("IRP", irp_of(record), record->creator);
            count++;
        }
    }
    base_mutex_unlock(&irps->lock);
    return count;
}

/* What the history says is ordered after what was stored in the IRP before. */
bool io_irp_is_completed(PIRP irp)
{
    return verifier_is_on() ? verifier_irp_is_completed(irp) : !look(irp).is_pending;
}

/* What an IRP that somebody has tells of a hang. */
enum guilt { INNOCENT, CANNOT_BE_CANCELLED, IS_CANCELLED };

BASE_NOT_SANITIZED static enum guilt guilt_of(const volatile IRP *irp)
{
    if (irp->CurrentLocation > irp->StackCount) {
        return INNOCENT;
    }
    if (irp->Cancel) {
        return IS_CANCELLED;
    }
    return irp->CancelRoutine == NULL ? CANNOT_BE_CANCELLED : INNOCENT;
}

/* The guiltiest IRP. */
static PIRP find_guilty(struct io_irps *irps, enum guilt *guilt)
{
    PIRP found = NULL;
    *guilt = INNOCENT;
    if (!verifier_lock(&irps->lock)) {
        return NULL;
    }
    for (LIST_ENTRY *entry = irps->all.Flink; entry != &irps->all; entry = entry->Flink) {
        PIRP irp = irp_of(CONTAINING_RECORD(entry, struct io_irp_record, link));
        if (guilt_of(irp) > *guilt) {
            *guilt = guilt_of(irp);
            found = irp;
        }
    }
    base_mutex_unlock(&irps->lock);
    return found;
}

/* Whose dispatch routine has the IRP; NULL if it is no driver's. */
static const void *dispatch_routine_of(const IRP *irp)
{
    const IO_STACK_LOCATION *location = irp->Tail.Overlay.CurrentStackLocation;
    const DEVICE_OBJECT *device = location->DeviceObject;
    if (device == NULL || location->MajorFunction > IRP_MJ_MAXIMUM_FUNCTION) {
        return NULL;
    }
    return (const void *)(ULONG_PTR)device->DriverObject->MajorFunction[location->MajorFunction];
}

/* Adds to the sentence that the IRP is what is waited for, as far as anybody knows; false if the
 * hang has a rule that says more. */
static bool explain_by(const IRP *irp, struct verifier_hang_cause *cause)
{
    const void *routine = dispatch_routine_of(irp);
    size_t length = strlen(cause->sentence);
    if (routine == NULL || cause->rule != NULL) {
        return false;
    }
    bool is_pended = (irp->Tail.Overlay.CurrentStackLocation->Control & SL_PENDING_RETURNED) != 0;
    snprintf(cause->sentence + length, sizeof(cause->sentence) - length,
             is_pended ? " The IRP %p was pended by %s, and is not completed."
                       : " The IRP %p was sent to %s, and is not completed.",
             (const void *)irp, base_stack_site((const char *)routine + 1).text);
    cause->rule = "CANCEL-22";
    return true;
}

/* A cancelled IRP that nobody completes explains a hang; one that cannot be cancelled helps. */
static bool suspect(void *context, struct verifier_hang_cause *cause)
{
    enum guilt guilt;
    PIRP irp = find_guilty(context, &guilt);
    if (guilt == CANNOT_BE_CANCELLED && !explain_by(irp, cause)) {
        ke_warning("CANCEL-22",
                   "The IRP %p waits at a driver that gave it no cancel routine, so that nobody "
                   "can end the wait.",
                   (void *)irp);
    }
    if (guilt != IS_CANCELLED) {
        return false;
    }
    *cause = (struct verifier_hang_cause){
        .code = DRIVER_VERIFIER_DETECTED_VIOLATION,
        .parameter = {0x135, (ULONG_PTR)irp, verifier_hang_ms()},
        .rule = "CANCEL-24",
    };
    snprintf(cause->sentence, sizeof(cause->sentence),
             "The IRP %p was cancelled, but whoever has it did not complete it, and for %lu ms "
             "nothing has happened.",
             (void *)irp, verifier_hang_ms());
    return true;
}

void io_irps_describe(struct io_irps *irps)
{
    verifier_finder_add(find, list, irps);
    verifier_asker_add(NULL, suspect, irps);
}
