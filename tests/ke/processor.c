/* What drivers ask about processors, affinity and priorities. */
#include "kernel.h"

#define PROCESSORS 3

static int boot_three(void **state)
{
    static const struct wskemu_options options = {.processors = PROCESSORS};
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    return 0;
}

static void counts_and_masks_agree(void **state)
{
    KAFFINITY mask = 0;
    GROUP_AFFINITY group = {0};
    USHORT count = 0;
    assert_int_equal(KeQueryActiveProcessorCount(&mask), PROCESSORS);
    assert_int_equal(mask, 7);
    assert_int_equal(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS), PROCESSORS);
    assert_int_equal(KeQueryActiveProcessorCountEx(0), PROCESSORS);
    assert_int_equal(KeQueryActiveProcessorCountEx(1), 0);
    assert_int_equal(KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS), PROCESSORS);
    assert_int_equal(KeQueryActiveProcessors(), 7);
    assert_int_equal(KeQueryGroupAffinity(0), 7);
    KeQueryNodeActiveAffinity(0, &group, &count);
    assert_int_equal(group.Mask, 7);
    assert_int_equal(count, PROCESSORS);
    assert_int_equal(KeQueryHighestNodeNumber(), 0);
}

static void numbers_and_indexes_convert(void **state)
{
    PROCESSOR_NUMBER number = {1, 2, 3};
    assert_int_equal(KeGetProcessorNumberFromIndex(2, &number), STATUS_SUCCESS);
    assert_int_equal(number.Group, 0);
    assert_int_equal(number.Number, 2);
    assert_int_equal(number.Reserved, 0);
    assert_int_equal(KeGetProcessorIndexFromNumber(&number), 2);
    assert_int_equal(KeGetProcessorNumberFromIndex(PROCESSORS, &number), STATUS_INVALID_PARAMETER);
    number.Number = PROCESSORS;
    assert_int_equal(KeGetProcessorIndexFromNumber(&number), INVALID_PROCESSOR_INDEX);
}

static void affinity_chooses_the_processor(void **state)
{
    for (ULONG i = 0; i < PROCESSORS; i++) {
        PROCESSOR_NUMBER number;
        assert_int_equal(KeSetSystemAffinityThreadEx((KAFFINITY)1 << i), 0);
        KIRQL old = KeRaiseIrqlToDpcLevel();
        ULONG index = KeGetCurrentProcessorNumberEx(&number);
        KeLowerIrql(old);
        assert_int_equal(index, i);
        assert_int_equal(number.Number, i);
        assert_int_equal(KeGetCurrentProcessorIndex(), i);
        KeRevertToUserAffinityThreadEx(0);
    }
    GROUP_AFFINITY wanted = {.Mask = 2};
    GROUP_AFFINITY before;
    KeSetSystemGroupAffinityThread(&wanted, &before);
    assert_int_equal(before.Mask, 0);
    assert_int_equal(KeGetCurrentProcessorNumber(), 1);
    wanted.Mask = 8;
    KeSetSystemGroupAffinityThread(&wanted, &before);
    assert_int_equal(KeGetCurrentProcessorNumber(), 1);
    KeRevertToUserAffinityThread();
}

/* The number of entries of a relation in a buffer. */
static ULONG count_entries(PVOID buffer, ULONG length, LOGICAL_PROCESSOR_RELATIONSHIP relation)
{
    ULONG count = 0;
    for (ULONG offset = 0; offset < length;) {
        PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX entry = (PVOID)((UCHAR *)buffer + offset);
        count += entry->Relationship == relation;
        offset += entry->Size;
    }
    return count;
}

static void relations_are_asked_for_twice(void **state)
{
    UCHAR buffer[1024];
    ULONG length = 0;
    PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX first = (PVOID)buffer;
    assert_int_equal(KeQueryLogicalProcessorRelationship(NULL, RelationNumaNode, NULL, &length),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(KeQueryLogicalProcessorRelationship(NULL, RelationNumaNode, first, &length),
                     STATUS_SUCCESS);
    assert_int_equal(first->Relationship, RelationNumaNode);
    assert_int_equal(first->Size, length);
    assert_int_equal(first->NumaNode.NodeNumber, 0);
    assert_int_equal(first->NumaNode.GroupMask.Mask, 7);
    length = sizeof(buffer);
    assert_int_equal(KeQueryLogicalProcessorRelationship(NULL, RelationAll, first, &length),
                     STATUS_SUCCESS);
    assert_int_equal(count_entries(buffer, length, RelationProcessorCore), PROCESSORS);
    assert_int_equal(count_entries(buffer, length, RelationProcessorPackage), 1);
    assert_int_equal(count_entries(buffer, length, RelationGroup), 1);
    PROCESSOR_NUMBER number = {0, 1, 0};
    length = sizeof(buffer);
    assert_int_equal(
        KeQueryLogicalProcessorRelationship(&number, RelationProcessorCore, first, &length),
        STATUS_SUCCESS);
    assert_int_equal(first->Processor.GroupMask[0].Mask, 2);
    assert_int_equal(length, first->Size);
}

struct told {
    ULONG started;
    ULONG completed;
};

static VOID note_processor(PVOID context, PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT change,
                           PNTSTATUS status)
{
    struct told *told = context;
    told->started += change->State == KeProcessorAddStartNotify;
    told->completed += change->State == KeProcessorAddCompleteNotify;
    if (change->ProcNumber.Number != change->NtNumber) {
        *status = STATUS_UNSUCCESSFUL;
    }
}

static void callbacks_are_told_of_existing_processors(void **state)
{
    struct told told = {0, 0};
    PVOID handle =
        KeRegisterProcessorChangeCallback(note_processor, &told, KE_PROCESSOR_CHANGE_ADD_EXISTING);
    assert_non_null(handle);
    assert_int_equal(told.started, PROCESSORS);
    assert_int_equal(told.completed, PROCESSORS);
    KeDeregisterProcessorChangeCallback(handle);
}

static void priorities_are_kept(void **state)
{
    PROVES("THREAD-30", "THREAD-31", "THREAD-33");
    PKTHREAD thread = KeGetCurrentThread();
    assert_int_equal(LOW_PRIORITY, 0);
    assert_int_equal(LOW_REALTIME_PRIORITY, 16);
    assert_int_equal(HIGH_PRIORITY, 31);
    KPRIORITY first = KeQueryPriorityThread(thread);
    assert_int_equal(KeSetPriorityThread(thread, 10), first);
    assert_int_equal(KeQueryPriorityThread(thread), 10);
    assert_int_equal(KeSetBasePriorityThread(thread, 1), 2);
    assert_int_equal(KeSetBasePriorityThread(thread, 2), 1);
    KeSetBasePriorityThread(thread, 20);
    assert_true(KeQueryPriorityThread(thread) < LOW_REALTIME_PRIORITY);
    KeSetPriorityThread(thread, LOW_REALTIME_PRIORITY);
    KeSetBasePriorityThread(thread, -5);
    assert_true(KeQueryPriorityThread(thread) >= LOW_REALTIME_PRIORITY);
    KeSetPriorityThread(thread, first);
}

static VOID note_call(PVOID context)
{
    *(BOOLEAN *)context = TRUE;
}

static void callouts_are_called(void **state)
{
    BOOLEAN is_called = FALSE;
    assert_int_equal(KeExpandKernelStackAndCallout(note_call, &is_called, 8192), STATUS_SUCCESS);
    assert_true(is_called);
    assert_int_equal(KeExpandKernelStackAndCallout(note_call, &is_called, 1 << 20),
                     STATUS_INVALID_PARAMETER_3);
}

static void the_watchdog_answers_at_dispatch_level_only(void **state)
{
    PROVES("DPC-18");
    KDPC_WATCHDOG_INFORMATION information;
    assert_int_equal(KeQueryDpcWatchdogInformation(&information), STATUS_UNSUCCESSFUL);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    NTSTATUS status = KeQueryDpcWatchdogInformation(&information);
    KeLowerIrql(old);
    assert_int_equal(status, STATUS_SUCCESS);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(counts_and_masks_agree, boot_three, kernel_teardown),
    cmocka_unit_test_setup_teardown(numbers_and_indexes_convert, boot_three, kernel_teardown),
    cmocka_unit_test_setup_teardown(affinity_chooses_the_processor, boot_three, kernel_teardown),
    cmocka_unit_test_setup_teardown(relations_are_asked_for_twice, boot_three, kernel_teardown),
    cmocka_unit_test_setup_teardown(callbacks_are_told_of_existing_processors, boot_three,
                                    kernel_teardown),
    kernel_test(priorities_are_kept),
    kernel_test(callouts_are_called),
    kernel_test(the_watchdog_answers_at_dispatch_level_only),
};

TEST_MAIN(tests)
