#include "ke/bugcheck.h"
#include "ke/kernel.h"
#include "ke/limit.h"
#include "ke/wait.h"
#include "verifier/resident.h"

/*
 * Events: a state and a list of waiters, in the driver's own memory. They hold nothing else, so
 * they may be copied, forgotten and made anew.
 */

/* Prepares an event of either type in the given state. Any IRQL. (EVT-01) */
VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    UCHAR type = Type == SynchronizationEvent ? KE_EVENT_SYNCHRONIZATION : KE_EVENT_NOTIFICATION;
    ke_object_initialize(&Event->Header, type, sizeof(*Event) / sizeof(LONG), State != FALSE);
}

static void check_set_level(const KEVENT *event, BOOLEAN wait)
{
    static const char condition[] = "KeSetEvent with Wait TRUE needs IRQL <= APC_LEVEL";
    KIRQL irql = ke_current()->irql;
    ke_check_wait_next(ke_current(), "KeSetEvent");
    verifier_check_alive(event, "KeSetEvent", "EVT-02");
    if (irql > DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x80, irql, (ULONG_PTR)event, 0, "EVT-08",
                    "The driver called KeSetEvent at IRQL %u; the highest level allowed is "
                    "DISPATCH_LEVEL.",
                    irql);
    }
    if (wait && irql > APC_LEVEL) {
        ke_bugcheck(
            DRIVER_VERIFIER_DETECTED_VIOLATION, 0x20016, (ULONG_PTR)condition, 0, 0, "EVT-08",
            "The driver called KeSetEvent with Wait TRUE at IRQL %u, where it cannot wait.", irql);
    }
}

/*
 * Signals the event and returns the state before, nonzero if it was signalled. The event is not
 * touched after it was made signalled. With Wait TRUE the level stays raised until the thread's
 * next wait. IRQL <= DISPATCH_LEVEL; with Wait TRUE <= APC_LEVEL. (EVT-05, EVT-06, EVT-08, WAIT-29)
 */
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    UNREFERENCED_PARAMETER(Increment);
    check_set_level(Event, Wait);
    ke_lock();
    ke_object_check(&Event->Header, "an event");
    LONG before = Event->Header.SignalState;
    if (before == 0) {
        ke_object_signal(&Event->Header, 1);
    }
    ke_unlock();
    if (Wait) {
        ke_wait_next();
    }
    return before;
}

/* Makes the event not signalled and returns the state before. IRQL <= DISPATCH_LEVEL. (EVT-07) */
LONG KeResetEvent(PRKEVENT Event)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    ke_lock();
    ke_object_check(&Event->Header, "an event");
    LONG before = Event->Header.SignalState;
    WriteRelease(&Event->Header.SignalState, 0);
    ke_unlock();
    return before;
}

/* Makes the event not signalled. IRQL <= DISPATCH_LEVEL. */
VOID KeClearEvent(PRKEVENT Event)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    KeResetEvent(Event);
}

/* Nonzero if the event is signalled. IRQL <= DISPATCH_LEVEL. */
LONG KeReadStateEvent(PRKEVENT Event)
{
    return ReadAcquire(&Event->Header.SignalState);
}

/* Releases all, or one, that wait now, and leaves the event not signalled. Returns the state
 * before. IRQL <= DISPATCH_LEVEL; with Wait TRUE <= APC_LEVEL. (EVT-09) */
LONG KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    UNREFERENCED_PARAMETER(Increment);
    KE_IRQL_AT_MOST(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    ke_lock();
    ke_object_check(&Event->Header, "an event");
    LONG before = Event->Header.SignalState;
    if (before == 0) {
        ke_object_signal(&Event->Header, 1);
    }
    WriteRelease(&Event->Header.SignalState, 0);
    ke_unlock();
    if (Wait) {
        ke_wait_next();
    }
    return before;
}
