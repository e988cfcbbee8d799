/* Lookaside lists of all three kinds. */
#include "kernel.h"

#define TAG 'kooL'
#define SIZE 64

static int allocations;
static int frees;

static PVOID allocate_counted(POOL_TYPE type, SIZE_T bytes, ULONG tag)
{
    allocations++;
    return ExAllocatePoolWithTag(type, bytes, tag);
}

static VOID free_counted(PVOID block)
{
    frees++;
    ExFreePool(block);
}

static PVOID allocate_counted_ex(POOL_TYPE type, SIZE_T bytes, ULONG tag, PLOOKASIDE_LIST_EX list)
{
    allocations++;
    assert_int_equal(list->L.Size, bytes);
    return ExAllocatePoolWithTag(type, bytes, tag);
}

static VOID free_counted_ex(PVOID block, PLOOKASIDE_LIST_EX list)
{
    frees++;
    ExFreePool(block);
}

static void last_freed_is_first_allocated(void **state)
{
    PROVES("POOL-41", "POOL-44", "POOL-45", "POOL-46", "POOL-51");
    STAYS_SILENT("POOL-43", "POOL-52");
    NPAGED_LOOKASIDE_LIST list;
    PVOID blocks[8];
    allocations = frees = 0;
    ExInitializeNPagedLookasideList(&list, allocate_counted, free_counted, POOL_NX_ALLOCATION, SIZE,
                                    TAG, 0);
    assert_int_equal(allocations, 0);
    assert_int_equal(list.L.Size, SIZE);
    for (int i = 0; i < 8; i++) {
        blocks[i] = ExAllocateFromNPagedLookasideList(&list);
        assert_non_null(blocks[i]);
    }
    assert_int_equal(allocations, 8);
    for (int i = 0; i < 3; i++) {
        ExFreeToNPagedLookasideList(&list, blocks[i]);
    }
    assert_int_equal(frees, 0);
    for (int i = 2; i >= 0; i--) {
        assert_ptr_equal(ExAllocateFromNPagedLookasideList(&list), blocks[i]);
    }
    assert_int_equal(allocations, 8);
    for (int i = 0; i < 8; i++) {
        ExFreeToNPagedLookasideList(&list, blocks[i]);
    }
    assert_true(frees > 0 && frees < 8);
    assert_int_equal(list.L.TotalAllocates, 11);
    assert_int_equal(list.L.AllocateMisses, 8);
    assert_int_equal(list.L.TotalFrees, 11);
    assert_int_equal(list.L.FreeMisses, frees);
    ExDeleteNPagedLookasideList(&list);
    assert_int_equal(frees, 8);
}

static void paged_lists_use_pool(void **state)
{
    PROVES("POOL-41", "POOL-45");
    PAGED_LOOKASIDE_LIST list;
    ExInitializePagedLookasideList(&list, NULL, NULL, POOL_RAISE_IF_ALLOCATION_FAILURE, SIZE, TAG,
                                   0);
    UCHAR *block = ExAllocateFromPagedLookasideList(&list);
    RtlFillMemory(block, SIZE, 0x5A);
    ExFreeToPagedLookasideList(&list, block);
    assert_ptr_equal(ExAllocateFromPagedLookasideList(&list), block);
    ExFreePoolWithTag(block, TAG);
    ExDeletePagedLookasideList(&list);
}

static void newer_lists_check_their_arguments(void **state)
{
    PROVES("POOL-48");
    LOOKASIDE_LIST_EX list;
    ULONG both =
        EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL | EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE;
    assert_int_equal(
        ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPoolMustSucceed, 0, SIZE, TAG, 0),
        STATUS_INVALID_PARAMETER_4);
    assert_int_equal(
        ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPoolNx, 4, SIZE, TAG, 0),
        STATUS_INVALID_PARAMETER_5);
    assert_int_equal(
        ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPoolNx, both, SIZE, TAG, 0),
        STATUS_INVALID_PARAMETER_5);
    assert_int_equal(ExInitializeLookasideListEx(&list, NULL, NULL, PagedPool, 0, SIZE, TAG, 0),
                     STATUS_SUCCESS);
    ExFreeToLookasideListEx(&list, ExAllocateFromLookasideListEx(&list));
    ExDeleteLookasideListEx(&list);
}

static void own_blocks_keep_their_content(void **state)
{
    PROVES("POOL-45", "POOL-46", "POOL-51");
    LOOKASIDE_LIST_EX list;
    allocations = frees = 0;
    ExInitializeLookasideListEx(&list, allocate_counted_ex, free_counted_ex, NonPagedPoolNx, 0,
                                SIZE, TAG, 0);
    UCHAR *block = ExAllocateFromLookasideListEx(&list);
    RtlFillMemory(block, SIZE, 0x5A);
    ExFreeToLookasideListEx(&list, block);
    assert_ptr_equal(ExAllocateFromLookasideListEx(&list), block);
    assert_int_equal(block[sizeof(PVOID)], 0x5A);
    assert_int_equal(block[SIZE - 1], 0x5A);
    ExFreeToLookasideListEx(&list, block);
    ExFlushLookasideListEx(&list);
    assert_int_equal(frees, 1);
    ExDeleteLookasideListEx(&list);
    assert_int_equal(allocations, 1);
}

/* ---- many threads ---- */

#define THREADS 4
#define ROUNDS 2000

static VOID use_list(PVOID context)
{
    for (int i = 0; i < ROUNDS; i++) {
        ULONG *first = ExAllocateFromLookasideListEx(context);
        ULONG *second = ExAllocateFromLookasideListEx(context);
        first[4] = second[4] = (ULONG)i;
        ExFreeToLookasideListEx(context, first);
        ExFreeToLookasideListEx(context, second);
    }
}

static void threads_share_a_list(void **state)
{
    PROVES("POOL-50");
    LOOKASIDE_LIST_EX list;
    PKTHREAD threads[THREADS];
    ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPoolNx, 0, SIZE, TAG, 0);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start_thread(use_list, &list);
    }
    for (int i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(list.L.TotalAllocates, 2 * THREADS * ROUNDS);
    assert_int_equal(list.L.TotalFrees, 2 * THREADS * ROUNDS);
    ExDeleteLookasideListEx(&list);
}

/* ---- misuse ---- */

static void prepare_twice(void *context)
{
    ExInitializeNPagedLookasideList(context, NULL, NULL, 0, SIZE, TAG, 0);
    ExInitializeNPagedLookasideList(context, NULL, NULL, 0, SIZE, TAG, 0);
}

static void delete_unprepared(void *context)
{
    ExDeleteNPagedLookasideList(context);
}

static void prepare_for_nothing(void *context)
{
    ExInitializeNPagedLookasideList(context, NULL, NULL, 0, 4, TAG, 0);
}

static void misuse_stops(void **state)
{
    PROVES("POOL-43", "POOL-52");
    static NPAGED_LOOKASIDE_LIST list;
    expect_bugcheck(prepare_twice, &list, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xCA, "POOL-52");
    expect_bugcheck(delete_unprepared, &list, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xCB, "POOL-52");
    expect_bugcheck(prepare_for_nothing, &list, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xCD,
                    "POOL-43");
}

static const struct CMUnitTest tests[] = {
    kernel_test(last_freed_is_first_allocated),
    kernel_test(paged_lists_use_pool),
    kernel_test(newer_lists_check_their_arguments),
    kernel_test(own_blocks_keep_their_content),
    kernel_test(threads_share_a_list),
    kernel_test(misuse_stops),
};

TEST_MAIN(tests)
