/* What is asked of threads, and set for them, by handle. */
#include "kernel.h"

#include <ntifs.h>

static void affinity_is_set_and_told(void **state)
{
    GROUP_AFFINITY affinity = {.Mask = 2};
    GROUP_AFFINITY none = {.Mask = 0x100};
    ULONG bytes = 0;
    assert_int_equal(ZwSetInformationThread(ZwCurrentThread(), ThreadGroupInformation, &affinity,
                                            sizeof(affinity)),
                     STATUS_SUCCESS);
    affinity.Mask = 0;
    assert_int_equal(ZwQueryInformationThread(ZwCurrentThread(), ThreadGroupInformation, &affinity,
                                              sizeof(affinity), &bytes),
                     STATUS_SUCCESS);
    assert_int_equal(affinity.Mask, 2);
    assert_int_equal(bytes, sizeof(affinity));
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ULONG processor = KeGetCurrentProcessorNumberEx(NULL);
    KeLowerIrql(irql);
    assert_int_equal(processor, 1);
    assert_int_equal(
        ZwSetInformationThread(ZwCurrentThread(), ThreadGroupInformation, &none, sizeof(none)),
        STATUS_INVALID_PARAMETER);
    KAFFINITY all = 3;
    assert_int_equal(
        ZwSetInformationThread(ZwCurrentThread(), ThreadAffinityMask, &all, sizeof(all)),
        STATUS_SUCCESS);
}

static void ideal_processor_is_a_hint(void **state)
{
    PROCESSOR_NUMBER processor = {.Number = 1};
    assert_int_equal(ZwSetInformationThread(ZwCurrentThread(), ThreadIdealProcessorEx, &processor,
                                            sizeof(processor)),
                     STATUS_SUCCESS);
    assert_int_equal(KeSetIdealProcessorThread(KeGetCurrentThread(), 0), 1);
    assert_int_equal(KeSetIdealProcessorThread(KeGetCurrentThread(), 99), 0);
    processor.Group = 1;
    assert_int_equal(ZwSetInformationThread(ZwCurrentThread(), ThreadIdealProcessorEx, &processor,
                                            sizeof(processor)),
                     STATUS_INVALID_PARAMETER);
}

static void priority_is_set(void **state)
{
    LONG priority = LOW_REALTIME_PRIORITY;
    assert_int_equal(
        ZwSetInformationThread(ZwCurrentThread(), ThreadPriority, &priority, sizeof(priority)),
        STATUS_SUCCESS);
    assert_int_equal(KeQueryPriorityThread(KeGetCurrentThread()), LOW_REALTIME_PRIORITY);
    priority = 32;
    assert_int_equal(
        ZwSetInformationThread(ZwCurrentThread(), ThreadPriority, &priority, sizeof(priority)),
        STATUS_INVALID_PARAMETER);
}

static void wrong_questions_are_refused(void **state)
{
    ULONG value = 1;
    assert_int_equal(ZwSetInformationThread(ZwCurrentThread(), ThreadTimes, &value, sizeof(value)),
                     STATUS_INVALID_INFO_CLASS);
    assert_int_equal(ZwSetInformationThread(ZwCurrentThread(), ThreadPriority, &value, 2),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ZwSetInformationThread(ZwCurrentProcess(), ThreadPriority, &value, 4),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(
        ZwQueryInformationThread(ZwCurrentThread(), ThreadTimes, &value, sizeof(value), NULL),
        STATUS_INVALID_INFO_CLASS);
    assert_int_equal(
        ZwQueryInformationThread(ZwCurrentThread(), ThreadIsTerminated, &value, 2, NULL),
        STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(
        ZwQueryInformationThread(ZwCurrentThread(), ThreadIsTerminated, &value, 4, NULL),
        STATUS_SUCCESS);
    assert_int_equal(value, 0);
    assert_int_equal(ZwQueryInformationThread(NULL, ThreadIsTerminated, &value, 4, NULL),
                     STATUS_INVALID_HANDLE);
}

static void yield_succeeds(void **state)
{
    assert_true(NT_SUCCESS(ZwYieldExecution()));
}

static const struct CMUnitTest tests[] = {
    kernel_test(affinity_is_set_and_told), kernel_test(ideal_processor_is_a_hint),
    kernel_test(priority_is_set),          kernel_test(wrong_questions_are_refused),
    kernel_test(yield_succeeds),
};

TEST_MAIN(tests)
