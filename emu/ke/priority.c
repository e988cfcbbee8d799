/*
 * Thread priorities: kept and told, without any effect, for the host schedules. The base increment
 * is counted from the system process's priority.
 */
#include "ke/limit.h"
#include "ke/warning.h"

#include <ntddk.h>

#define PROCESS_PRIORITY 8
#define VARIABLE_LOWEST 1
#define VARIABLE_HIGHEST (LOW_REALTIME_PRIORITY - 1)

static KPRIORITY load(PKTHREAD thread)
{
    return __atomic_load_n(&thread->priority, __ATOMIC_RELAXED);
}

static KPRIORITY exchange(PKTHREAD thread, KPRIORITY priority)
{
    return __atomic_exchange_n(&thread->priority, priority, __ATOMIC_RELAXED);
}

/* The thread's priority. PASSIVE_LEVEL. (THREAD-31) */
KPRIORITY KeQueryPriorityThread(PKTHREAD Thread)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return load(Thread);
}

/* Sets the thread's priority, 1 to 31, and returns the one before. PASSIVE_LEVEL. (THREAD-31) */
KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (Priority <= LOW_PRIORITY || Priority > HIGH_PRIORITY) {
        ke_warning("THREAD-32", "the driver set a thread's priority to %d, which is %s", Priority,
                   Priority == LOW_PRIORITY ? "the system's" : "none");
    }
    return exchange(Thread, Priority);
}

static KPRIORITY clamp(KPRIORITY value, KPRIORITY lowest, KPRIORITY highest)
{
    if (value < lowest) {
        return lowest;
    }
    return value > highest ? highest : value;
}

/* Sets the thread's priority relative to its process's, without leaving the class, variable or
 * real-time, that it is in; returns the increment before. PASSIVE_LEVEL. (THREAD-31, THREAD-33) */
LONG KeSetBasePriorityThread(PKTHREAD Thread, LONG Increment)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    bool is_realtime = load(Thread) >= LOW_REALTIME_PRIORITY;
    LONG increment = clamp(Increment, -HIGH_PRIORITY, HIGH_PRIORITY);
    KPRIORITY priority =
        clamp(PROCESS_PRIORITY + increment, is_realtime ? LOW_REALTIME_PRIORITY : VARIABLE_LOWEST,
              is_realtime ? HIGH_PRIORITY : VARIABLE_HIGHEST);
    return exchange(Thread, priority) - PROCESS_PRIORITY;
}
