/* MDLs that describe a part of another. */
#include "bugcheck.h"
#include "io_driver.h"

static UCHAR buffer[2 * PAGE_SIZE];

static PMDL pool_mdl(PVOID address, ULONG bytes)
{
    PMDL mdl = IoAllocateMdl(address, bytes, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    return mdl;
}

static PMDL locked_mdl(PVOID address, ULONG bytes)
{
    PMDL mdl = IoAllocateMdl(address, bytes, FALSE, FALSE, NULL);
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    return mdl;
}

static void a_part_describes_what_it_was_told(void **state)
{
    PROVES("MDL-49");
    PMDL source = pool_mdl(buffer, sizeof(buffer));
    PMDL part = IoAllocateMdl(buffer, sizeof(buffer), FALSE, FALSE, NULL);
    IoBuildPartialMdl(source, part, buffer + 100, 50);
    assert_ptr_equal(MmGetMdlVirtualAddress(part), buffer + 100);
    assert_int_equal(MmGetMdlByteCount(part), 50);
    assert_true((part->MdlFlags & MDL_PARTIAL) != 0);
    MmPrepareMdlForReuse(part);
    IoBuildPartialMdl(source, part, buffer + 100, 0);
    assert_int_equal(MmGetMdlByteCount(part), sizeof(buffer) - 100);
    IoFreeMdl(part);
    IoFreeMdl(source);
}

static void a_part_of_a_mapped_source_shares_the_mapping(void **state)
{
    PROVES("MDL-52");
    PMDL source = pool_mdl(buffer, 100);
    PMDL part = IoAllocateMdl(buffer, 100, FALSE, FALSE, NULL);
    IoBuildPartialMdl(source, part, buffer + 10, 20);
    assert_true((part->MdlFlags & MDL_PARENT_MAPPED_SYSTEM_VA) != 0);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(part, NormalPagePriority), buffer + 10);
    IoFreeMdl(part);
    IoFreeMdl(source);
}

static void a_part_of_an_unmapped_source_is_mapped_by_itself(void **state)
{
    PROVES("MDL-07", "MDL-44", "MDL-52");
    PMDL source = locked_mdl(buffer, 100);
    PMDL part = IoAllocateMdl(buffer, 100, FALSE, FALSE, NULL);
    IoBuildPartialMdl(source, part, buffer + 10, 20);
    assert_int_equal(part->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA, 0);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(part, NormalPagePriority), buffer + 10);
    assert_true((part->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) != 0);
    IoFreeMdl(part); /* ends that mapping: nothing is complained of */
    assert_int_equal(source->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA, 0);
    MmUnlockPages(source);
    IoFreeMdl(source);
}

static void build_outside(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PMDL source = pool_mdl(buffer, 100);
    PMDL part = IoAllocateMdl(buffer, 100, FALSE, FALSE, NULL);
    IoBuildPartialMdl(source, part, buffer + 90, 20);
}

static void build_too_large(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PMDL source = pool_mdl(buffer, sizeof(buffer));
    PMDL part = IoAllocateMdl(buffer, 0, FALSE, FALSE, NULL);
    IoBuildPartialMdl(source, part, buffer, sizeof(buffer));
}

static void a_wrong_range_is_caught(void **state)
{
    PROVES("MDL-50");
    struct wskemu_bugcheck caught = bugcheck_of(build_outside, NULL);
    assert_bugcheck(caught, INVALID_MDL_RANGE, ANY, ANY, buffer + 90, 20);
    caught = bugcheck_of(build_too_large, NULL);
    assert_bugcheck(caught, TARGET_MDL_TOO_SMALL, ANY, ANY, ANY, ANY);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_part_describes_what_it_was_told),
    kernel_test(a_part_of_a_mapped_source_shares_the_mapping),
    kernel_test(a_part_of_an_unmapped_source_is_mapped_by_itself),
    kernel_test(a_wrong_range_is_caught),
};

TEST_MAIN(tests)
