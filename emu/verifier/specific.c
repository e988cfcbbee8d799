#include "verifier/specific.h"

#include "ke/callback.h"
#include "verifier/history.h"
#include "verifier/verifier.h"

#include <string.h>

/* How far into the context of a completion routine what is signalled there may lie. */
#define CONTEXT_BYTES_MAX 1024

struct specific {
    const char *name;
    const char *rule;
};

/* A star at the end stands for the rest of a name. */
static bool is_meant(const char *pattern, const char *name)
{
    size_t length = strcspn(pattern, "*");
    return strncmp(pattern, name, length) == 0 && (pattern[length] == '*' || name[length] == '\0');
}

/* The rule of the first row that fits, or NULL. */
static const char *find(const struct specific *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (is_meant(rows[i].name, name)) {
            return rows[i].rule;
        }
    }
    return NULL;
}

#define FIND(rows, name) find(rows, RTL_NUMBER_OF(rows), name)

/* ---- levels ---- */

static const struct specific levels[] = {
    {"WskRegister", "WSK-IRQL-01"},
    {"WskDeregister", "WSK-IRQL-02"},
    {"WskCaptureProviderNPI", "WSK-IRQL-03"},
    {"WskReleaseProviderNPI", "WSK-IRQL-04"},
    {"WskQueryProviderCharacteristics", "WSK-IRQL-04"},
    {"WskSocket", "WSK-IRQL-05"},
    {"WskSocketConnect", "WSK-IRQL-05"},
    {"WskControlClient", "WSK-IRQL-05"},
    {"WskGetAddressInfo", "WSK-IRQL-06"},
    {"WskGetNameInfo", "WSK-IRQL-06"},
    {"WskFreeAddressInfo", "WSK-IRQL-06"},
    {"WskBind", "WSK-IRQL-07"},
    {"WskListen", "WSK-IRQL-07"},
    {"WskConnect", "WSK-IRQL-07"},
    {"WskConnectEx", "WSK-IRQL-07"},
    {"WskAccept", "WSK-IRQL-07"},
    {"WskInspectComplete", "WSK-IRQL-07"},
    {"WskDisconnect", "WSK-IRQL-07"},
    {"WskCloseSocket", "WSK-IRQL-07"},
    {"WskSend", "WSK-IRQL-08"},
    {"WskReceive", "WSK-IRQL-08"},
    {"WskSendTo", "WSK-IRQL-08"},
    {"WskReceiveFrom", "WSK-IRQL-08"},
    {"WskRelease", "WSK-IRQL-08"},
    {"WskGetLocalAddress", "WSK-IRQL-08"},
    {"WskGetRemoteAddress", "WSK-IRQL-08"},
    {"WskControlSocket", "WSK-IRQL-09"},
    {"WskControlSocket (SIO_ADDRESS_LIST_QUERY)", "WSK-IRQL-09"},
    {"WskControlSocket (SIO_ADDRESS_LIST_CHANGE)", "WSK-IRQL-09"},
    {"WskControlSocket (SIO_ADDRESS_LIST_SORT)", "WSK-IRQL-09"},
    {"WskControlSocket (SIO_LOOPBACK_FAST_PATH)", "WSK-IRQL-10"},
    {"WskControlSocket (SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS)", "WSK-IRQL-10"},
    {"WskControlSocket (SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT)", "WSK-IRQL-10"},
    {"WskControlSocket (SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS)", "WSK-IRQL-10"},
    {"NmrRegisterClient", "WSK-IRQL-13"},
    {"NmrRegisterProvider", "WSK-IRQL-13"},
    {"NmrClientAttachProvider", "WSK-IRQL-13"},
    {"NmrDeregisterClient", "WSK-IRQL-14"},
    {"NmrDeregisterProvider", "WSK-IRQL-14"},
    {"NmrClientDetachProviderComplete", "WSK-IRQL-14"},
    {"NmrProviderDetachClientComplete", "WSK-IRQL-14"},
    {"NmrWaitForClientDeregisterComplete", "WSK-IRQL-15"},
    {"NmrWaitForProviderDeregisterComplete", "WSK-IRQL-15"},
    {"IoAllocateIrp", "WSK-IRQL-17"},
    {"IoFreeIrp", "WSK-IRQL-17"},
    {"IoReuseIrp", "WSK-IRQL-17"},
    {"IoCancelIrp", "WSK-IRQL-17"},
    {"IoReleaseCancelSpinLock", "CANCEL-21"},
    {"IoRegisterContainerNotification", "SESS-12"},
    {"IoUnregisterContainerNotification", "SESS-68"},
    {"IoGetContainerInformation", "SESS-78"},
    {"KeFlushQueuedDpcs", "DPC-12"},
    {"PsCreateSystemThread", "THREAD-02"},
    {"KeDelayExecutionThread", "THREAD-27"},
    {"KeReleaseMutex", "MUTEX-10"},
    {"KeReleaseSemaphore", "SEM-07"},
    {"ExDeleteTimer", "TIMER-27"},
    {"RtlCompareUnicodeString", "RTL-16"},
    {"RtlEqualUnicodeString", "RTL-16"},
    {"RtlPrefixUnicodeString", "RTL-16"},
    {"RtlHashUnicodeString", "RTL-16"},
    {"RtlUpcaseUnicodeString", "RTL-16"},
    {"RtlAnsiStringToUnicodeString", "RTL-16"},
    {"RtlUnicodeStringToAnsiString", "RTL-16"},
    {"RtlUnicodeStringToUTF8String", "RTL-16"},
    {"Zw*", "IRQL-23"},
};

/* Driver Verifier's own. */
static const struct specific checked_levels[] = {
    {"KeDelayExecutionThread", "DV-30"},
    {"KeEnterGuardedRegion", "DV-31"},
    {"KeLeaveGuardedRegion", "DV-31"},
    {"KeInitializeTimerEx", "DV-33"},
    {"KeSetTimerEx", "DV-33"},
    {"KeCancelTimer", "DV-33"},
    {"KeResetEvent", "DV-33"},
    {"KeClearEvent", "DV-33"},
    {"KeReleaseMutex", "DV-33"},
    {"KeSetEvent", "DV-34"},
    {"ExInitializePagedLookasideList", "DV-37"},
    {"ExDeletePagedLookasideList", "DV-37"},
    {"ExAllocateFromPagedLookasideList", "DV-37"},
    {"ExFreeToPagedLookasideList", "DV-37"},
    {"ExRegisterCallback", "DV-37"},
    {"ExUnregisterCallback", "DV-37"},
    {"ExSetTimerResolution", "DV-37"},
    {"ProbeFor*", "DV-37"},
    {"ExAcquireResource*", "DV-37"},
    {"ExTryToAcquireResource*", "DV-37"},
    {"ExAcquireShared*", "DV-37"},
    {"ExDeleteResourceLite", "DV-37"},
    {"ExCreateCallback", "DV-39"},
    {"ExUuidCreate", "DV-39"},
    {"IoDeleteDevice", "DV-40"},
    {"IoCreateDevice", "DV-40"},
    {"IoBuildDeviceIoControlRequest", "DV-40"},
    {"IoDetachDevice", "DV-41"},
    {"IoCreateFile", "DV-41"},
    {"IoCreateNotificationEvent", "DV-41"},
    {"IoCreateSynchronizationEvent", "DV-41"},
    {"IoCreateSymbolicLink", "DV-41"},
    {"IoDeleteSymbolicLink", "DV-41"},
    {"MmAllocatePagesForMdl", "DV-42"},
    {"MmFreePagesFromMdl", "DV-42"},
    {"MmAllocateNonCachedMemory", "DV-42"},
    {"MmFreeNonCachedMemory", "DV-42"},
    {"MmLockPagableDataSection", "DV-42"},
    {"MmUnlockPagableImageSection", "DV-42"},
    {"ObReferenceObjectByHandle", "DV-45"},
    {"PsCreateSystemThread", "DV-45"},
    {"PsTerminateSystemThread", "DV-45"},
    {"PsGetVersion", "DV-45"},
    {"RtlDeleteRegistryValue", "DV-45"},
    {"ZwClose", "DV-45"},
};

const char *verifier_level_rule(const char *function)
{
    return FIND(levels, function);
}

const char *verifier_checked_level_rule(const char *function)
{
    return FIND(checked_levels, function);
}

/* ---- waits ---- */

/* What the rules say of all that may be waited for there. */
static const struct specific any_waits[] = {
    {"WskAcceptEvent", "WSK-EVT-10"},      {"WskInspectEvent", "WSK-EVT-10"},
    {"WskAbortEvent", "WSK-EVT-10"},       {"WskReceiveEvent", "WSK-EVT-10"},
    {"WskReceiveFromEvent", "WSK-EVT-10"}, {"WskDisconnectEvent", "WSK-EVT-10"},
    {"WskSendBacklogEvent", "WSK-EVT-10"}, {"WskClientEvent", "WSK-EVT-10"},
    {"a threaded DPC routine", "DPC-17"},
};

/* And of requests that were started there. */
static const struct specific request_waits[] = {
    {"WskAcceptEvent", "WSK-ACC-35"},     {"WskInspectEvent", "WSK-INSP-35"},
    {"WskAbortEvent", "WSK-INSP-35"},     {"a completion routine", "WSK-IRP-25"},
    {"WskReceiveEvent", "WSK-EVT-07"},    {"WskReceiveFromEvent", "WSK-EVT-07"},
    {"WskDisconnectEvent", "WSK-EVT-07"}, {"WskSendBacklogEvent", "WSK-EVT-07"},
    {"WskClientEvent", "WSK-EVT-07"},
};

/* Requests that wait for the return of the callback in which they are waited for. */
static const struct specific own_waits[] = {
    {"WskCloseSocket", "WSK-CLOSE-21"},
    {"WskControlSocket", "WSK-CBE-15"},
};

/* The newest request of WSK whose completion routine has what is waited for, as its context or in a
 * structure that begins there. */
struct search {
    const void *what;
    bool is_found;
};

static bool is_waited_for(void *context, const struct verifier_event *event)
{
    struct search *search = context;
    ULONG_PTR distance = (ULONG_PTR)search->what - event->context;
    search->is_found = event->act == VERIFIER_SENT && event->name != NULL &&
                       event->routine != NULL && distance < CONTEXT_BYTES_MAX;
    return search->is_found;
}

static bool is_for_request(const void *what)
{
    struct verifier_state *verifier = verifier_state();
    struct search search = {.what = what};
    if (verifier != NULL) {
        verifier_history_visit(&verifier->history, is_waited_for, &search);
    }
    return search.is_found;
}

/* Inside a routine of that name, which started a request with that function. */
static const char *request_rule(const struct ke_callback *callback)
{
    const char *rule = FIND(request_waits, callback->what);
    const char *own = rule != NULL && callback->is_own ? FIND(own_waits, callback->started) : NULL;
    return own != NULL ? own : rule;
}

const char *verifier_wait_rule(const struct ke_callback *callback, const void *what)
{
    const char *rule = NULL;
    if (callback != NULL && callback->started != NULL) {
        rule = request_rule(callback);
    }
    if (rule == NULL && callback != NULL) {
        rule = FIND(any_waits, callback->what);
    }
    if (rule == NULL && ke_current()->spin_locks_held != 0) {
        rule = "SPIN-21";
    }
    if (rule == NULL && is_for_request(what)) {
        rule = "WSK-IRP-36";
    }
    return rule != NULL ? rule : "WAIT-09";
}

/* ---- waits that nobody ends ---- */

#define COMPLETED_MAX 32 /* IRPs that are remembered on the way back */

struct forgetful {
    const void *what;
    const void *completed[COMPLETED_MAX]; /* later than the events that are still to come */
    unsigned count;
    const void *routine;
};

static bool was_completed(const struct forgetful *search, const void *irp)
{
    for (unsigned i = 0; i < search->count; i++) {
        if (search->completed[i] == irp) {
            return true;
        }
    }
    return false;
}

static bool is_forgetful(void *context, const struct verifier_event *event)
{
    struct forgetful *search = context;
    if (event->act == VERIFIER_COMPLETED && search->count < COMPLETED_MAX) {
        search->completed[search->count++] = event->object;
    }
    if (event->act != VERIFIER_SENT || event->context != (ULONG_PTR)search->what) {
        return false;
    }
    if (event->name == NULL && was_completed(search, event->object)) {
        search->routine = event->routine;
    }
    return true;
}

const void *verifier_forgetful_routine(const void *what)
{
    struct verifier_state *verifier = verifier_state();
    struct forgetful search = {.what = what};
    if (verifier != NULL && what != NULL) {
        verifier_history_visit(&verifier->history, is_forgetful, &search);
    }
    return search.routine;
}
