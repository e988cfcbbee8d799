/* Pool: what drivers do wrong with it, and drivers that do it right. */
#include "full.h"

#define TAG 'looP'
#define BYTES 40

static UCHAR *new_block(POOL_FLAGS flags)
{
    UCHAR *block = ExAllocatePool2(flags, BYTES, TAG);
    assert_non_null(block);
    return block;
}

static void use_pool(void *context)
{
    UNREFERENCED_PARAMETER(context);
    UCHAR *block = new_block(POOL_FLAG_NON_PAGED);
    UCHAR *large = ExAllocatePool2(POOL_FLAG_PAGED, 3 * PAGE_SIZE + 5, TAG);
    write_at(block);
    write_at(block + BYTES - 1);
    write_at(large + 3 * PAGE_SIZE + 4);
    ExFreePoolWithTag(block, TAG);
    ExFreePool(large);
}

static void a_driver_that_keeps_to_its_block_is_left_alone(void **state)
{
    STAYS_SILENT("POOL-19", "POOL-31", "POOL-33", "POOL-34", "POOL-35", "POOL-36");
    expect_silence(use_pool, NULL);
    expect_silence_at_full(use_pool);
}

/* ---- beyond the block, after its end ---- */

static void write_far_behind(void *context)
{
    write_at(new_block(POOL_FLAG_NON_PAGED) + 48);
}

static void read_behind_page(void *context)
{
    UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, TAG);
    read_at(block + PAGE_SIZE);
}

static void write_just_behind(void *context)
{
    UCHAR *block = new_block(POOL_FLAG_NON_PAGED);
    write_at(block + BYTES);
    ExFreePool(block);
}

static void write_before(void *context)
{
    UCHAR *block = new_block(POOL_FLAG_NON_PAGED);
    write_at(block - 1);
    ExFreePool(block);
}

static void an_access_beyond_a_block_is_caught(void **state)
{
    PROVES("POOL-19", "POOL-36");
    expect_at_full(write_far_behind, DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION, "POOL-36",
                   "new_block");
    expect_at_full(read_behind_page, DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION, "POOL-36",
                   "pool.c");
    expect_at_full(write_just_behind, BAD_POOL_HEADER, "POOL-36", "new_block");
    expect_at_full(write_before, BAD_POOL_HEADER, "POOL-19", "new_block");
}

static void read_freed(void *context)
{
    UCHAR *block = new_block(POOL_FLAG_NON_PAGED);
    ExFreePool(block);
    read_at(block + 3);
}

static void write_freed_in_try(void *context)
{
    UCHAR *block = ExAllocatePool2(POOL_FLAG_PAGED, 5 * PAGE_SIZE, TAG);
    ExFreePool(block);
    __try {
        write_at(block + 4 * PAGE_SIZE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
}

static void an_access_to_a_freed_block_is_caught(void **state)
{
    PROVES("POOL-35");
    expect_at_full(read_freed, DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL, "POOL-35",
                   "freed by read_freed");
    expect_at_full(write_freed_in_try, DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL, "POOL-35",
                   "wrote to");
}

static void free_twice(void *context)
{
    UCHAR *block = new_block(POOL_FLAG_NON_PAGED);
    ExFreePool(block);
    ExFreePool(block);
}

static void free_with_other_tag(void *context)
{
    ExFreePoolWithTag(new_block(POOL_FLAG_NON_PAGED), 'rehO');
}

static void free_inside(void *context)
{
    ExFreePool(new_block(POOL_FLAG_NON_PAGED) + 16);
}

static void a_bad_free_is_caught_at_full_too(void **state)
{
    PROVES("POOL-31", "POOL-33", "POOL-34");
    expect_at_full(free_twice, BAD_POOL_CALLER, "POOL-33", "by free_twice");
    expect_at_full(free_with_other_tag, BAD_POOL_CALLER, "POOL-31", "new_block");
    expect_at_full(free_inside, BAD_POOL_CALLER, "POOL-34", "16 bytes inside");
}

/* Freed memory is not used again at once, so that a late access is seen. */
static void many_blocks_come_and_go(void *context)
{
    for (ULONG i = 0; i < 10000; i++) {
        UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16 + i % 6000, TAG);
        write_at(block + 15 + i % 6000);
        ExFreePool(block);
    }
}

static void ten_thousand_blocks_live(void *context)
{
    static UCHAR *blocks[10000];
    for (ULONG i = 0; i < RTL_NUMBER_OF(blocks); i++) {
        blocks[i] = ExAllocatePool2(POOL_FLAG_NON_PAGED, i % 100 + 1, TAG);
        write_at(blocks[i] + i % 100);
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(blocks); i++) {
        ExFreePool(blocks[i]);
    }
}

static void full_serves_drivers_with_many_blocks(void **state)
{
    expect_silence_at_full(many_blocks_come_and_go);
    expect_silence_at_full(ten_thousand_blocks_live);
}

/* ---- what is asked for ---- */

static void ask_for_session(void *context)
{
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_SESSION, BYTES, TAG));
}

static void ask_without_tag(void *context)
{
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED, BYTES, 0));
}

static void ask_with_control_characters(void *context)
{
    ExFreePool(ExAllocatePool2(POOL_FLAG_NON_PAGED, BYTES, 0x01020304));
}

static void ask_for_nothing(void *context)
{
    ExFreePool(ExAllocatePool2(POOL_FLAG_NON_PAGED, 0, TAG));
}

static void ask_for_something(void *context)
{
    ExFreePool(ExAllocatePool2(POOL_FLAG_NON_PAGED, 1, 'a'));
    ExFreePool(ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_USE_QUOTA, BYTES, ' ~'));
    ExFreePool(ExAllocatePoolWithQuotaTag(PagedPool, BYTES, TAG));
}

static void odd_requests_are_warned_of(void **state)
{
    PROVES("POOL-06", "POOL-16", "POOL-23");
    expect_warning(ask_for_session, NULL, "POOL-06");
    expect_warning(ask_without_tag, NULL, "POOL-23");
    expect_warning(ask_with_control_characters, NULL, "POOL-23");
    expect_warning(ask_for_nothing, NULL, "POOL-16");
}

static void ordinary_requests_are_not(void **state)
{
    STAYS_SILENT("POOL-06", "POOL-12", "POOL-16", "POOL-23");
    expect_silence(ask_for_something, NULL);
    expect_silence_at_full(ask_for_something);
}

static VOID charge_in_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    ExAllocatePoolWithQuotaTag(NonPagedPool, BYTES, TAG);
}

static VOID charge_by_flag_in_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_USE_QUOTA, BYTES, TAG);
}

static void run_dpc(void *context)
{
    static KDPC dpc;
    KeInitializeDpc(&dpc, *(PKDEFERRED_ROUTINE *)context, NULL);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

static void quota_charged_in_a_dpc_is_caught(void **state)
{
    PROVES("POOL-12");
    PKDEFERRED_ROUTINE routines[] = {charge_in_dpc, charge_by_flag_in_dpc};
    for (size_t i = 0; i < RTL_NUMBER_OF(routines); i++) {
        expect_bugcheck(run_dpc, &routines[i], DRIVER_VERIFIER_DETECTED_VIOLATION, 0x10B,
                        "POOL-12");
    }
}

/* ---- a result that nobody looked at ---- */

struct device {
    ULONG64 filler[3];
    ULONG counter;
};

WILD static void use_failed_allocation(void *context)
{
    volatile struct device *device = ExAllocatePool2(POOL_FLAG_NON_PAGED, 1ULL << 40, TAG);
    device->counter = 1;
}

static void look_at_failed_allocation(void *context)
{
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED, 1ULL << 40, TAG));
}

static void the_use_of_a_failed_allocation_is_explained(void **state)
{
    PROVES("POOL-15");
    struct wskemu_bugcheck stop = bugcheck_of(use_failed_allocation, NULL);
    assert_string_equal(stop.rule, "POOL-15");
    assert_non_null(strstr(stop.sentence, "an offset of 24"));
    assert_non_null(strstr(stop.sentence, "use_failed_allocation"));
}

static void a_driver_that_looks_is_left_alone(void **state)
{
    STAYS_SILENT("POOL-15");
    expect_silence(look_at_failed_allocation, NULL);
}

/* ---- lookaside lists ---- */

static PAGED_LOOKASIDE_LIST *list_in(POOL_FLAGS flags)
{
    PAGED_LOOKASIDE_LIST *list = ExAllocatePool2(flags, sizeof(*list), TAG);
    assert_non_null(list);
    return list;
}

static void list_in_paged_pool(void *context)
{
    ExInitializePagedLookasideList(list_in(POOL_FLAG_PAGED), NULL, NULL, 0, 64, TAG, 0);
}

static void list_with_depth(void *context)
{
    static NPAGED_LOOKASIDE_LIST list;
    ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 64, TAG, 7);
    ExDeleteNPagedLookasideList(&list);
}

static void list_with_useless_flag(void *context)
{
    static LOOKASIDE_LIST_EX list;
    assert_int_equal(ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPoolNx,
                                                 EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE, 64, TAG,
                                                 0),
                     STATUS_SUCCESS);
    ExDeleteLookasideListEx(&list);
}

static PVOID deliver_less(POOL_TYPE type, SIZE_T bytes, ULONG tag)
{
    return ExAllocatePoolWithTag(type, bytes / 2, tag);
}

static PVOID deliver_paged(POOL_TYPE type, SIZE_T bytes, ULONG tag)
{
    return ExAllocatePoolWithTag(PagedPool, bytes, tag);
}

static PVOID deliver_other_tag(POOL_TYPE type, SIZE_T bytes, ULONG tag)
{
    return ExAllocatePoolWithTag(type, bytes, 'rehO');
}

static PVOID deliver_right(POOL_TYPE type, SIZE_T bytes, ULONG tag)
{
    return ExAllocatePoolWithTag(type, bytes, tag);
}

static void take_from_list(void *context)
{
    static NPAGED_LOOKASIDE_LIST list;
    PALLOCATE_FUNCTION *deliver = context;
    ExInitializeNPagedLookasideList(&list, *deliver, ExFreePool, 0, 64, TAG, 0);
    ExFreeToNPagedLookasideList(&list, ExAllocateFromNPagedLookasideList(&list));
    ExDeleteNPagedLookasideList(&list);
}

static void bad_lookaside_lists_are_caught(void **state)
{
    PROVES("POOL-42", "POOL-47", "POOL-49");
    PALLOCATE_FUNCTION deliver = deliver_less;
    expect_bugcheck(list_in_paged_pool, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, "POOL-42");
    expect_warning(list_with_depth, NULL, "POOL-42");
    expect_warning(list_with_useless_flag, NULL, "POOL-49");
    expect_bugcheck(take_from_list, &deliver, BAD_POOL_CALLER, ANY_PARAMETER, "POOL-47");
    deliver = deliver_paged;
    expect_bugcheck(take_from_list, &deliver, BAD_POOL_CALLER, ANY_PARAMETER, "POOL-47");
    deliver = deliver_other_tag;
    expect_warning(take_from_list, &deliver, "POOL-47");
}

static void use_good_lists(void *context)
{
    static LOOKASIDE_LIST_EX newer;
    PALLOCATE_FUNCTION deliver = deliver_right;
    PAGED_LOOKASIDE_LIST *list = list_in(POOL_FLAG_NON_PAGED);
    ExInitializePagedLookasideList(list, NULL, NULL, 0, 64, TAG, 0);
    ExFreeToPagedLookasideList(list, ExAllocateFromPagedLookasideList(list));
    ExDeletePagedLookasideList(list);
    ExFreePool(list);
    ExInitializeLookasideListEx(&newer, NULL, NULL, PagedPool,
                                EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL, 64, TAG, 0);
    ExFreeToLookasideListEx(&newer, ExAllocateFromLookasideListEx(&newer));
    ExDeleteLookasideListEx(&newer);
    take_from_list(&deliver);
}

static void good_lookaside_lists_are_left_alone(void **state)
{
    STAYS_SILENT("POOL-42", "POOL-47", "POOL-49");
    expect_silence(use_good_lists, NULL);
    expect_silence_at_full(use_good_lists);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_driver_that_keeps_to_its_block_is_left_alone),
    kernel_test(an_access_beyond_a_block_is_caught),
    kernel_test(an_access_to_a_freed_block_is_caught),
    kernel_test(a_bad_free_is_caught_at_full_too),
    kernel_test(full_serves_drivers_with_many_blocks),
    kernel_test(odd_requests_are_warned_of),
    kernel_test(ordinary_requests_are_not),
    kernel_test(quota_charged_in_a_dpc_is_caught),
    kernel_test(the_use_of_a_failed_allocation_is_explained),
    kernel_test(a_driver_that_looks_is_left_alone),
    kernel_test(bad_lookaside_lists_are_caught),
    kernel_test(good_lookaside_lists_are_left_alone),
};

TEST_MAIN(tests)
