#include "ke/bugcheck_callback.h"

#include "base/log.h"
#include "ke/kernel.h"
#include "verifier/rule.h"

static PKBUGCHECK_CALLBACK_RECORD record_of(LIST_ENTRY *entry)
{
    return CONTAINING_RECORD(entry, KBUGCHECK_CALLBACK_RECORD, Entry);
}

/* Takes the first record off the list; NULL if there is none. */
static PKBUGCHECK_CALLBACK_RECORD take(struct ke_kernel *kernel)
{
    PKBUGCHECK_CALLBACK_RECORD record = NULL;
    base_mutex_lock(&kernel->lock);
    if (!IsListEmpty(&kernel->bugcheck_callbacks)) {
        record = record_of(RemoveHeadList(&kernel->bugcheck_callbacks));
    }
    base_mutex_unlock(&kernel->lock);
    return record;
}

void ke_bugcheck_callbacks_run(struct ke_kernel *kernel)
{
    PKBUGCHECK_CALLBACK_RECORD record;
    base_mutex_unlock_all();
    while ((record = take(kernel)) != NULL) {
        record->State = BufferStarted;
        record->CallbackRoutine(record->Buffer, record->Length);
        record->State = BufferFinished;
    }
}

unsigned ke_bugcheck_callbacks_report(void)
{
    LIST_ENTRY *head = &ke_kernel()->bugcheck_callbacks;
    unsigned left = 0;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        verifier_rule_speak("BUGCHECK-03");
        base_log("left: bug check callback record %p\n", (void *)record_of(entry));
        left++;
    }
    head = &ke_kernel()->bugcheck_reason_callbacks;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        verifier_rule_speak("BUGCHECK-03");
        base_log("left: bug check reason callback record %p\n", (void *)entry);
        left++;
    }
    return left;
}

/*
 * Has CallbackRoutine called with Buffer and Length when the system stops. CallbackRecord was
 * prepared with KeInitializeCallbackRecord and lives until it is deregistered. FALSE if it is
 * registered already. Any IRQL. (BUGCHECK-02)
 */
BOOLEAN KeRegisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord,
                                   PKBUGCHECK_CALLBACK_ROUTINE CallbackRoutine, PVOID Buffer,
                                   ULONG Length, PUCHAR Component)
{
    ke_lock();
    BOOLEAN is_new = CallbackRecord->State == BufferEmpty;
    if (is_new) {
        CallbackRecord->CallbackRoutine = CallbackRoutine;
        CallbackRecord->Buffer = Buffer;
        CallbackRecord->Length = Length;
        CallbackRecord->Component = Component;
        CallbackRecord->State = BufferInserted;
        InsertTailList(&ke_kernel()->bugcheck_callbacks, &CallbackRecord->Entry);
    }
    ke_unlock();
    return is_new;
}

/* Ends what KeRegisterBugCheckCallback began. FALSE if the record is not registered. Any IRQL. */
BOOLEAN KeDeregisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord)
{
    ke_lock();
    BOOLEAN is_registered = CallbackRecord->State == BufferInserted;
    if (is_registered) {
        RemoveEntryList(&CallbackRecord->Entry);
        CallbackRecord->State = BufferEmpty;
    }
    ke_unlock();
    return is_registered;
}

/*
 * Has CallbackRoutine called when a crash dump is written; this system writes none, like a Windows
 * with dumps turned off. Otherwise as KeRegisterBugCheckCallback.
 */
BOOLEAN KeRegisterBugCheckReasonCallback(PKBUGCHECK_REASON_CALLBACK_RECORD CallbackRecord,
                                         PKBUGCHECK_REASON_CALLBACK_ROUTINE CallbackRoutine,
                                         KBUGCHECK_CALLBACK_REASON Reason, PUCHAR Component)
{
    ke_lock();
    BOOLEAN is_new = CallbackRecord->State == BufferEmpty;
    if (is_new) {
        CallbackRecord->CallbackRoutine = CallbackRoutine;
        CallbackRecord->Reason = Reason;
        CallbackRecord->Component = Component;
        CallbackRecord->State = BufferInserted;
        InsertTailList(&ke_kernel()->bugcheck_reason_callbacks, &CallbackRecord->Entry);
    }
    ke_unlock();
    return is_new;
}

/* Ends what KeRegisterBugCheckReasonCallback began. FALSE if the record is not registered. Any
 * IRQL. */
BOOLEAN KeDeregisterBugCheckReasonCallback(PKBUGCHECK_REASON_CALLBACK_RECORD CallbackRecord)
{
    ke_lock();
    BOOLEAN is_registered = CallbackRecord->State == BufferInserted;
    if (is_registered) {
        RemoveEntryList(&CallbackRecord->Entry);
        CallbackRecord->State = BufferEmpty;
    }
    ke_unlock();
    return is_registered;
}
