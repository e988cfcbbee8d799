/* Clocks and ticks. Dates are in tests/rtl. */
#include "bugcheck.h"
#include "kernel.h"

#define UNITS_PER_SECOND 10000000LL
#define UNITS_PER_DAY (86400 * UNITS_PER_SECOND)

static LARGE_INTEGER precise(void)
{
    LARGE_INTEGER time;
    KeQuerySystemTimePrecise(&time);
    return time;
}

static void system_time_counts_from_1601(void **state)
{
    PROVES("TIME-01");
    LARGE_INTEGER time;
    TIME_FIELDS fields;
    KeQuerySystemTime(&time);
    RtlTimeToTimeFields(&time, &fields);
    /* Later than when this was written, and not by centuries. */
    assert_true(fields.Year >= 2024 && fields.Year < 2200);
}

static void both_system_times_tell_the_same_within_a_tick(void **state)
{
    PROVES("TIME-02");
    LARGE_INTEGER before = precise();
    LARGE_INTEGER time;
    KeQuerySystemTime(&time);
    LARGE_INTEGER after = precise();
    LONGLONG tick = KeQueryTimeIncrement();
    assert_true(time.QuadPart >= before.QuadPart - tick);
    assert_true(time.QuadPart <= after.QuadPart);
    /* A microsecond is seen to pass. */
    KeStallExecutionProcessor(2);
    assert_true(precise().QuadPart - after.QuadPart >= 10);
}

static void interrupt_time_counts_from_boot(void **state)
{
    PROVES("TIME-03", "TIME-04");
    ULONG64 counter;
    ULONGLONG start = KeQueryInterruptTimePrecise(&counter);
    LARGE_INTEGER system_start = precise();
    KeStallExecutionProcessor(1000);
    ULONGLONG end = KeQueryInterruptTimePrecise(&counter);
    LONGLONG elapsed = precise().QuadPart - system_start.QuadPart;
    assert_true(end - start >= 10000);
    assert_true(elapsed >= 9990);
    assert_true(KeQueryInterruptTime() + KeQueryTimeIncrement() >= end);
    assert_true(KeQueryUnbiasedInterruptTime() <= KeQueryInterruptTime() + KeQueryTimeIncrement());
}

static void a_precise_interrupt_time_names_its_counter(void **state)
{
    PROVES("TIME-04", "TIME-06");
    ULONG64 counter;
    LARGE_INTEGER before = KeQueryPerformanceCounter(NULL);
    KeQueryInterruptTimePrecise(&counter);
    LARGE_INTEGER after = KeQueryPerformanceCounter(NULL);
    assert_true((LONGLONG)counter >= before.QuadPart && (LONGLONG)counter <= after.QuadPart);
}

static void ticks_times_the_increment_are_elapsed_time(void **state)
{
    PROVES("TIME-05");
    LARGE_INTEGER ticks;
    LONGLONG increment = KeQueryTimeIncrement();
    assert_true(increment > 0);
    LONGLONG before = (LONGLONG)KeQueryInterruptTime();
    KeQueryTickCount(&ticks);
    LONGLONG after = (LONGLONG)KeQueryInterruptTime();
    assert_true(ticks.QuadPart * increment <= after + increment);
    assert_true((ticks.QuadPart + 1) * increment >= before - increment);
    assert_int_equal(KeQueryTimeIncrement(), increment);
}

static void ticks_go_on(void **state)
{
    PROVES("TIME-05");
    LARGE_INTEGER start;
    LARGE_INTEGER ticks;
    LARGE_INTEGER interval = {.QuadPart = -(LONGLONG)KeQueryTimeIncrement()};
    KeQueryTickCount(&start);
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
    KeQueryTickCount(&ticks);
    assert_true(ticks.QuadPart > start.QuadPart);
}

static void the_performance_counter_has_a_fixed_frequency(void **state)
{
    PROVES("TIME-06");
    LARGE_INTEGER frequency;
    LARGE_INTEGER again;
    LARGE_INTEGER last = KeQueryPerformanceCounter(&frequency);
    assert_true(frequency.QuadPart > 0);
    for (int i = 0; i < 1000; i++) {
        LARGE_INTEGER counter = KeQueryPerformanceCounter(NULL);
        assert_true(counter.QuadPart >= last.QuadPart);
        last = counter;
    }
    KeQueryPerformanceCounter(&again);
    assert_int_equal(again.QuadPart, frequency.QuadPart);
    LARGE_INTEGER start = KeQueryPerformanceCounter(NULL);
    KeStallExecutionProcessor(1000);
    LARGE_INTEGER end = KeQueryPerformanceCounter(NULL);
    assert_true((end.QuadPart - start.QuadPart) * 1000 >= frequency.QuadPart);
}

static void clocks_are_read_at_any_level(void **state)
{
    PROVES("TIME-08");
    LARGE_INTEGER value;
    ULONG64 counter;
    KIRQL irql;
    KeRaiseIrql(HIGH_LEVEL, &irql);
    KeQuerySystemTime(&value);
    KeQuerySystemTimePrecise(&value);
    KeQueryInterruptTime();
    KeQueryInterruptTimePrecise(&counter);
    KeQueryUnbiasedInterruptTime();
    KeQueryTickCount(&value);
    KeQueryTimeIncrement();
    KeQueryPerformanceCounter(&value);
    KIRQL level = KeGetCurrentIrql();
    KeLowerIrql(irql);
    assert_int_equal(level, HIGH_LEVEL);
}

static void local_time_is_system_time_less_the_bias(void **state)
{
    PROVES("TIME-09");
    LARGE_INTEGER system = precise();
    LARGE_INTEGER local;
    LARGE_INTEGER back;
    ExSystemTimeToLocalTime(&system, &local);
    ExLocalTimeToSystemTime(&local, &back);
    assert_int_equal(back.QuadPart, system.QuadPart);
    LONGLONG bias = system.QuadPart - local.QuadPart;
    assert_true(bias > -UNITS_PER_DAY && bias < UNITS_PER_DAY);
    assert_int_equal(bias % (60 * UNITS_PER_SECOND), 0);
}

static void a_stall_lasts_as_long_as_asked(void **state)
{
    LARGE_INTEGER start = precise();
    KeStallExecutionProcessor(50);
    assert_true(precise().QuadPart - start.QuadPart >= 500 - 1);
}

static const struct CMUnitTest tests[] = {
    kernel_test(system_time_counts_from_1601),
    kernel_test(both_system_times_tell_the_same_within_a_tick),
    kernel_test(interrupt_time_counts_from_boot),
    kernel_test(a_precise_interrupt_time_names_its_counter),
    kernel_test(ticks_times_the_increment_are_elapsed_time),
    kernel_test(ticks_go_on),
    kernel_test(the_performance_counter_has_a_fixed_frequency),
    kernel_test(clocks_are_read_at_any_level),
    kernel_test(local_time_is_system_time_less_the_bias),
    kernel_test(a_stall_lasts_as_long_as_asked),
};

TEST_MAIN(tests)
