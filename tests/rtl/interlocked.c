/* Interlocked values. */
#include "kernel.h"

static void interlocked_old_and_new_values(void **state)
{
    PROVES("RTL-60", "RTL-61");
    LONG value = 5;
    assert_int_equal(InterlockedIncrement(&value), 6);
    assert_int_equal(InterlockedDecrement(&value), 5);
    assert_int_equal(InterlockedExchange(&value, 7), 5);
    assert_int_equal(InterlockedExchangeAdd(&value, 3), 7);
    assert_int_equal(InterlockedCompareExchange(&value, 1, 9), 10);
    assert_int_equal(InterlockedCompareExchange(&value, 12, 10), 10);
    assert_int_equal(InterlockedAnd(&value, 8), 12);
    assert_int_equal(InterlockedOr(&value, 3), 8);
    assert_int_equal(InterlockedXor(&value, 1), 11);
    assert_int_equal(value, 10);
}

static void additions_under_a_lock(void **state)
{
    PROVES("RTL-62");
    KSPIN_LOCK lock;
    ULONG value = 5;
    LARGE_INTEGER statistic = {.QuadPart = MAXULONG};
    KeInitializeSpinLock(&lock);
    assert_int_equal(ExInterlockedAddUlong(&value, 3, &lock), 5);
    assert_int_equal(value, 8);
    ExInterlockedAddLargeStatistic(&statistic, 1);
    assert_true(statistic.QuadPart == 0x100000000LL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(interlocked_old_and_new_values),
    kernel_test(additions_under_a_lock),
};

TEST_MAIN(tests)
