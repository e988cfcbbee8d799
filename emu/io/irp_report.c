/* What reports say of IRPs: which one lies at an address, and which are on their way. */
#include "io/irp.h"
#include "verifier/object.h"

#include <stdio.h>

#if defined(__GNUC__)
#define NOT_SANITIZED __attribute__((no_sanitize("address", "thread"), noinline))
#else
#define NOT_SANITIZED
#endif

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

NOT_SANITIZED static struct position look(const volatile IRP *irp)
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

void io_irps_describe(struct io_irps *irps)
{
    verifier_finder_add(find, list, irps);
}
