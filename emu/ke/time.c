/*
 * Time. Every clock a driver can read comes from the one clock of emu/base: system time is the wall
 * time at boot plus what the monotonic clock counted since, so that it moves with timers and waits.
 */
#include "base/clock.h"
#include "ke/kernel.h"
#include "ke/warning.h"

/* What a driver may stall at most. */
#define STALL_US_MAX 50

#define NS_PER_UNIT 100
#define UNITS_PER_TICK 156250

static ULONGLONG units_since_boot(void)
{
    ke_current();
    return (base_clock_ns() - ke_kernel()->boot_ns) / NS_PER_UNIT;
}

/* System time: 100 ns units since 1601-01-01 UTC. Any IRQL. (TIME-01) */
VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
    ULONGLONG since_boot = units_since_boot();
    CurrentTime->QuadPart = (LONGLONG)(ke_kernel()->boot_wall_100ns + since_boot);
}

/* As KeQuerySystemTimePrecise. */
VOID(KeQuerySystemTime)(PLARGE_INTEGER CurrentTime)
{
    KeQuerySystemTimePrecise(CurrentTime);
}

/* 100 ns units since boot. Any IRQL. */
ULONGLONG KeQueryInterruptTime(VOID)
{
    return units_since_boot();
}

/* As KeQueryInterruptTime, with the performance counter at the same moment. Any IRQL. */
ULONGLONG KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    *QpcTimeStamp = (ULONG64)KeQueryPerformanceCounter(NULL).QuadPart;
    return units_since_boot();
}

/* As KeQueryInterruptTime: this machine never sleeps. Any IRQL. */
ULONGLONG KeQueryUnbiasedInterruptTime(VOID)
{
    return units_since_boot();
}

/* As KeQueryInterruptTimePrecise. */
ULONGLONG KeQueryUnbiasedInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    return KeQueryInterruptTimePrecise(QpcTimeStamp);
}

/* Clock ticks since boot, of KeQueryTimeIncrement units each. Any IRQL. */
VOID(KeQueryTickCount)(PLARGE_INTEGER CurrentCount)
{
    CurrentCount->QuadPart = (LONGLONG)(units_since_boot() / UNITS_PER_TICK);
}

/* 100 ns units in a clock tick. Any IRQL. */
ULONG KeQueryTimeIncrement(VOID)
{
    return UNITS_PER_TICK;
}

/* A counter of 10 MHz, as on current Windows. Any IRQL. */
LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER counter;
    counter.QuadPart = (LONGLONG)units_since_boot();
    if (PerformanceFrequency != NULL) {
        PerformanceFrequency->QuadPart = 10000000;
    }
    return counter;
}

/* Waits at least MicroSeconds without giving up the processor. Any IRQL. */
VOID KeStallExecutionProcessor(ULONG MicroSeconds)
{
    if (MicroSeconds > STALL_US_MAX) {
        ke_warning("TIME-16",
                   "the driver called KeStallExecutionProcessor for %u microseconds; "
                   "more than %u are too many",
                   MicroSeconds, STALL_US_MAX);
    }
    uint64_t end = base_clock_ns() + (uint64_t)MicroSeconds * 1000;
    while (base_clock_ns() < end) {
        YieldProcessor();
    }
}

/* Local time from system time. Any IRQL. */
VOID ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime)
{
    LocalTime->QuadPart = SystemTime->QuadPart - base_clock_bias_100ns();
}

/* System time from local time. Any IRQL. */
VOID ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime)
{
    SystemTime->QuadPart = LocalTime->QuadPart + base_clock_bias_100ns();
}
