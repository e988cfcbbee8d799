/* The I/O manager's functions on MDLs. */
#include "io_driver.h"

static void an_mdl_is_large_enough_for_its_buffer(void **state)
{
    PROVES("MDL-01", "MDL-04");
    static UCHAR buffer[3 * PAGE_SIZE];
    PMDL mdl = IoAllocateMdl(buffer + 1, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    assert_non_null(mdl);
    assert_null(mdl->Next);
    assert_ptr_equal(MmGetMdlVirtualAddress(mdl), buffer + 1);
    assert_int_equal(MmGetMdlByteCount(mdl), 2 * PAGE_SIZE);
    SIZE_T pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(buffer + 1, 2 * PAGE_SIZE);
    assert_true((SIZE_T)mdl->Size >= sizeof(MDL) + pages * sizeof(PFN_NUMBER));
    assert_int_equal(mdl->MdlFlags &
                         (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL),
                     0);
    IoFreeMdl(mdl);
    assert_null(IoAllocateMdl(NULL, 0xFFFFFFFF, FALSE, FALSE, NULL));
}

static void an_irp_takes_its_mdls(void **state)
{
    PROVES("MDL-02", "MDL-06");
    UCHAR buffer[3][8];
    PMDL mdls[3];
    PIRP irp = IoAllocateIrp(1, FALSE);
    mdls[0] = IoAllocateMdl(buffer[0], 8, FALSE, FALSE, irp);
    assert_ptr_equal(irp->MdlAddress, mdls[0]);
    for (int i = 1; i < 3; i++) {
        mdls[i] = IoAllocateMdl(buffer[i], 8, TRUE, FALSE, irp);
        assert_ptr_equal(irp->MdlAddress, mdls[0]);
        assert_ptr_equal(mdls[i - 1]->Next, mdls[i]);
    }
    assert_null(mdls[2]->Next);
    IoFreeMdl(mdls[0]);
    /* The others are there still. */
    assert_int_equal(MmGetMdlByteCount(mdls[1]), 8);
    assert_ptr_equal(mdls[1]->Next, mdls[2]);
    IoFreeMdl(mdls[1]);
    IoFreeMdl(mdls[2]);
    IoFreeIrp(irp);
}

static void free_locked(void *context)
{
    static UCHAR buffer[8];
    UNREFERENCED_PARAMETER(context);
    PMDL mdl = IoAllocateMdl(buffer, 8, FALSE, FALSE, NULL);
    MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
    IoFreeMdl(mdl);
}

static void an_mdl_must_be_unlocked_before_it_is_freed(void **state)
{
    PROVES("MDL-08");
    expect_bugcheck(free_locked, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB8, "MDL-08");
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_mdl_is_large_enough_for_its_buffer),
    kernel_test(an_irp_takes_its_mdls),
    kernel_test(an_mdl_must_be_unlocked_before_it_is_freed),
};

TEST_MAIN(tests)
