/* Memory of whole pages: described by an MDL, contiguous, and not cached. */
#include "kernel.h"

static const PHYSICAL_ADDRESS lowest = {.QuadPart = 0};
static const PHYSICAL_ADDRESS highest = {.QuadPart = -1};

static bool is_zero(const UCHAR *bytes, SIZE_T count)
{
    for (SIZE_T i = 0; i < count; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void mdl_has_zeroed_pages(void **state)
{
    PROVES("MDL-44", "MDL-55");
    PMDL mdl = MmAllocatePagesForMdl(lowest, highest, lowest, 5000);
    assert_non_null(mdl);
    assert_int_equal(MmGetMdlByteCount(mdl), 2 * PAGE_SIZE);
    assert_true(mdl->MdlFlags & MDL_PAGES_LOCKED);
    UCHAR *mapped = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    assert_non_null(mapped);
    assert_int_equal(BYTE_OFFSET(mapped), 0);
    assert_true(is_zero(mapped, MmGetMdlByteCount(mdl)));
    mapped[2 * PAGE_SIZE - 1] = 1;
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);

    mdl = MmAllocatePagesForMdlEx(lowest, highest, lowest, PAGE_SIZE, MmCached,
                                  MM_ALLOCATE_FULLY_REQUIRED);
    assert_non_null(mdl);
    mapped = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    assert_true(is_zero(mapped, PAGE_SIZE));
    MmUnmapLockedPages(mapped, mdl);
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
    assert_null(MmAllocatePagesForMdl(lowest, highest, lowest, 0));
}

static void free_pages_of_another(void *context)
{
    MmFreePagesFromMdl(context);
}

static void only_such_an_mdl_has_pages(void **state)
{
    UCHAR buffer[16];
    PMDL mdl = IoAllocateMdl(buffer, sizeof(buffer), FALSE, FALSE, NULL);
    expect_bugcheck(free_pages_of_another, mdl, BAD_POOL_CALLER, ANY_PARAMETER, "MDL-55");
}

static void leaked_pages_are_reported(void **state)
{
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    PMDL mdl = MmAllocatePagesForMdl(lowest, highest, lowest, PAGE_SIZE);
    assert_non_null(mdl);
    assert_int_equal(wskemu_shutdown(), 2); /* the pages and the MDL */
}

static void contiguous_memory_begins_on_a_page(void **state)
{
    PVOID memory = MmAllocateContiguousMemory(100, highest);
    assert_non_null(memory);
    assert_int_equal(BYTE_OFFSET(memory), 0);
    assert_int_equal(MmGetPhysicalAddress((UCHAR *)memory + 50).QuadPart,
                     MmGetPhysicalAddress(memory).QuadPart + 50);
    MmFreeContiguousMemory(memory);
    memory = MmAllocateContiguousMemorySpecifyCache(5000, lowest, highest, lowest, MmNonCached);
    assert_int_equal(BYTE_OFFSET(memory), 0);
    MmFreeContiguousMemorySpecifyCache(memory, 5000, MmNonCached);
    memory = MmAllocateNonCachedMemory(100);
    assert_int_equal(BYTE_OFFSET(memory), 0);
    MmFreeNonCachedMemory(memory, 100);
}

static void address_is_valid_where_memory_is(void **state)
{
    KIRQL irql;
    UCHAR here = 0;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    BOOLEAN is_valid = MmIsAddressValid(&here);
    BOOLEAN is_null_valid = MmIsAddressValid(NULL);
    BOOLEAN is_wild_valid = MmIsAddressValid((PVOID)(ULONG_PTR)0xFFFF800000000000ULL);
    KeLowerIrql(irql);
    assert_true(is_valid);
    assert_false(is_null_valid);
    assert_false(is_wild_valid);
}

static void system_tells_what_it_is(void **state)
{
    ULONG flags = 1;
    assert_int_equal(MmQuerySystemSize(), MmLargeSystem);
    assert_int_equal(MmIsVerifierEnabled(&flags), STATUS_NOT_SUPPORTED);
    assert_int_equal(flags, 0);
    assert_false(MmIsDriverVerifyingByAddress(&flags));
    assert_false(MmIsThisAnNtAsSystem());
}

static const struct CMUnitTest tests[] = {
    kernel_test(mdl_has_zeroed_pages),
    kernel_test(only_such_an_mdl_has_pages),
    cmocka_unit_test(leaked_pages_are_reported),
    kernel_test(contiguous_memory_begins_on_a_page),
    kernel_test(address_is_valid_where_memory_is),
    kernel_test(system_tells_what_it_is),
};

TEST_MAIN(tests)
