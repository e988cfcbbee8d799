/* MDLs: what drivers do wrong with them, and drivers that do it right. */
#include "full.h"

#define TAG 'ldmT'
#define BYTES 64

static UCHAR fixed[3 * PAGE_SIZE];

static PMDL new_mdl(void)
{
    PMDL mdl = IoAllocateMdl(fixed, BYTES, FALSE, FALSE, NULL);
    assert_non_null(mdl);
    return mdl;
}

static PMDL locked_mdl(void)
{
    PMDL mdl = new_mdl();
    __try {
        MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        fail();
    }
    return mdl;
}

/* A driver that does everything right. */
static void use_mdls(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PMDL mdl = locked_mdl();
    PMDL part = IoAllocateMdl(fixed, BYTES, FALSE, FALSE, NULL);
    assert_non_null(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoExecute));
    IoBuildPartialMdl(mdl, part, fixed + 8, 8);
    MmGetSystemAddressForMdlSafe(part, NormalPagePriority | MdlMappingNoExecute);
    MmPrepareMdlForReuse(part);
    IoBuildPartialMdl(mdl, part, fixed + 16, 8);
    MmPrepareMdlForReuse(part);
    IoFreeMdl(part);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
    UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, BYTES, TAG);
    mdl = IoAllocateMdl(block, BYTES, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    IoFreeMdl(mdl);
    ExFreePool(block);
}

/* Paged pool and the stack are locked. */
static void lock_pageable_buffers(void *context)
{
    UNREFERENCED_PARAMETER(context);
    UCHAR local[BYTES];
    UCHAR *block = ExAllocatePool2(POOL_FLAG_PAGED, BYTES, TAG);
    PVOID buffers[] = {local, block};
    for (size_t i = 0; i < RTL_NUMBER_OF(buffers); i++) {
        PMDL mdl = IoAllocateMdl(buffers[i], BYTES, FALSE, FALSE, NULL);
        __try {
            MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            fail();
        }
        MmUnlockPages(mdl);
        IoFreeMdl(mdl);
    }
    ExFreePool(block);
}

static void a_driver_that_uses_mdls_well_is_left_alone(void **state)
{
    STAYS_SILENT("MDL-03", "MDL-08", "MDL-09", "MDL-11", "MDL-22", "MDL-23", "MDL-24", "MDL-28",
                 "MDL-30", "MDL-33", "MDL-35", "MDL-39", "MDL-46", "MDL-47", "MDL-48", "MDL-51",
                 "MDL-53");
    expect_silence(use_mdls, NULL);
    expect_silence(lock_pageable_buffers, NULL);
    expect_silence_at_full(use_mdls);
    expect_silence_at_full(lock_pageable_buffers);
}

/* ---- allocating and freeing ---- */

static void allocate_second_without_irp(void *context)
{
    IoFreeMdl(IoAllocateMdl(fixed, BYTES, TRUE, FALSE, NULL));
}

static void allocate_with_quota(void *context)
{
    IoFreeMdl(IoAllocateMdl(fixed, BYTES, FALSE, TRUE, NULL));
}

static void odd_allocations_are_warned_of(void **state)
{
    PROVES("MDL-03");
    expect_warning(allocate_second_without_irp, NULL, "MDL-03");
    expect_warning(allocate_with_quota, NULL, "MDL-03");
}

static void free_locked(void *context)
{
    IoFreeMdl(locked_mdl());
}

static void free_mapped(void *context)
{
    PMDL mdl = locked_mdl();
    MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    IoFreeMdl(mdl);
}

/* Its driver took the flag away itself: no function leaves such an MDL. */
static void free_only_mapped(void *context)
{
    PMDL mdl = locked_mdl();
    MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    mdl->MdlFlags &= (CSHORT)~MDL_PAGES_LOCKED;
    IoFreeMdl(mdl);
}

static void free_twice(void *context)
{
    PMDL mdl = new_mdl();
    IoFreeMdl(mdl);
    IoFreeMdl(mdl);
}

static void free_own(void *context)
{
    static MDL own;
    MmInitializeMdl(&own, fixed, 8);
    IoFreeMdl(&own);
}

static void a_bad_free_is_caught(void **state)
{
    PROVES("MDL-08", "MDL-09", "MDL-11");
    expect_bugcheck(free_locked, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB8, "MDL-08");
    expect_bugcheck(free_mapped, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB8, "MDL-08");
    expect_bugcheck(free_only_mapped, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB8, "MDL-09");
    expect_bugcheck(free_own, NULL, BAD_POOL_CALLER, 0x46, "MDL-11");
    struct wskemu_bugcheck stop = bugcheck_of(free_twice, NULL);
    assert_string_equal(stop.rule, "MDL-11");
    assert_non_null(strstr(stop.sentence, "freed by free_twice at"));
    expect_at_full(free_twice, BAD_POOL_CALLER, "MDL-11", "free_twice");
}

static void what_a_bad_free_lacks_is_told(void **state)
{
    static const char unlock[] = "Instead: Call MmUnlockPages before IoFreeMdl.";
    static const char unmap[] = "Instead: Call MmUnmapLockedPages before IoFreeMdl.";
    assert_non_null(strstr(printed_of(free_locked, NULL), unlock));
    assert_non_null(strstr(printed_of(free_mapped, NULL), unlock));
    assert_non_null(strstr(printed_of(free_only_mapped, NULL), unmap));
}

WILD static void read_freed(void *context)
{
    PMDL mdl = new_mdl();
    IoFreeMdl(mdl);
    *(volatile ULONG *)&mdl->ByteCount;
}

static void lock_freed(void *context)
{
    PMDL mdl = new_mdl();
    IoFreeMdl(mdl);
    __try {
        MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
}

static void the_use_of_a_freed_mdl_is_caught(void **state)
{
    PROVES("MDL-11");
    expect_at_full(read_freed, DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL, "MDL-11",
                   "freed by read_freed");
    expect_at_full(lock_freed, DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL, "MDL-11",
                   "freed by lock_freed");
}

static void mdls_left_at_the_end_are_told(void **state)
{
    PROVES("MDL-12", "MDL-36");
    locked_mdl();
    log_capture();
    unsigned left = wskemu_shutdown();
    const char *text = log_captured();
    assert_int_equal(left, 1);
    assert_non_null(strstr(text, "whose pages are locked"));
    assert_non_null(strstr(text, "new_mdl"));
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
}

static void nothing_is_told_of_mdls_that_were_freed(void **state)
{
    STAYS_SILENT("MDL-12", "MDL-36");
    use_mdls(NULL);
    log_capture();
    unsigned left = wskemu_shutdown();
    assert_string_equal(log_captured(), "");
    assert_int_equal(left, 0);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
}

/* ---- pages of their own ---- */

/* Physical addresses for four of the eight pages that it asks for. */
static PMDL few_pages(ULONG flags)
{
    PHYSICAL_ADDRESS low = {.QuadPart = 0};
    PHYSICAL_ADDRESS high = {.QuadPart = 4 * PAGE_SIZE - 1};
    PHYSICAL_ADDRESS skip = {.QuadPart = 0};
    return MmAllocatePagesForMdlEx(low, high, skip, 8 * PAGE_SIZE, MmCached, flags);
}

WILD static void use_pages_unseen(void *context)
{
    UNREFERENCED_PARAMETER(context);
    UCHAR *mapped =
        MmGetSystemAddressForMdlSafe(few_pages(0), NormalPagePriority | MdlMappingNoExecute);
    for (ULONG page = 0; page < 8; page++) {
        write_at(&mapped[page * PAGE_SIZE]);
    }
}

static void use_pages_that_are_there(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PMDL mdl = few_pages(0);
    UCHAR *mapped = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoExecute);
    for (ULONG offset = 0; offset < MmGetMdlByteCount(mdl); offset += PAGE_SIZE) {
        mapped[offset] = 1;
    }
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
    assert_null(few_pages(MM_ALLOCATE_FULLY_REQUIRED));
}

static void pages_that_were_asked_for_and_not_given_are_caught(void **state)
{
    PROVES("MDL-56");
    expect_at_full(use_pages_unseen, DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION, "MDL-56",
                   "behind the end");
}

static void the_pages_that_were_given_may_be_used(void **state)
{
    PROVES("MDL-55");
    STAYS_SILENT("MDL-56");
    expect_silence_at_full(use_pages_that_are_there);
}

/* ---- what an MDL describes ---- */

static void build_for_paged_pool(void *context)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_PAGED, BYTES, TAG);
    MmBuildMdlForNonPagedPool(IoAllocateMdl(block, BYTES, FALSE, FALSE, NULL));
}

static void build_for_large_paged_pool(void *context)
{
    UCHAR *block = ExAllocatePool2(POOL_FLAG_PAGED, 4 * PAGE_SIZE, TAG);
    MmBuildMdlForNonPagedPool(IoAllocateMdl(block + 3 * PAGE_SIZE, 9, FALSE, FALSE, NULL));
}

static void build_for_stack(void *context)
{
    UCHAR local[BYTES];
    PMDL mdl = IoAllocateMdl(local, BYTES, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    IoFreeMdl(mdl);
}

static void lock_paged_at_dispatch(void *context)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_PAGED, BYTES, TAG);
    PMDL mdl = IoAllocateMdl(block, BYTES, FALSE, FALSE, NULL);
    KeRaiseIrqlToDpcLevel();
    __try {
        MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
}

static void lock_without_handler(void *context)
{
    PMDL mdl = new_mdl();
    MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
}

static void pageable_buffers_are_noticed(void **state)
{
    PROVES("MDL-22", "MDL-23", "MDL-28", "MDL-33");
    expect_bugcheck(build_for_paged_pool, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7F, "MDL-22");
    expect_bugcheck(build_for_large_paged_pool, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7F,
                    "MDL-22");
    expect_warning(build_for_stack, NULL, "MDL-23");
    expect_bugcheck(lock_paged_at_dispatch, NULL, DRIVER_IRQL_NOT_LESS_OR_EQUAL, ANY_PARAMETER,
                    "MDL-33");
    expect_warning(lock_without_handler, NULL, "MDL-28");
}

/* ---- mapping ---- */

static void map_in_the_old_way(void *context)
{
    MmMapLockedPages(locked_mdl(), KernelMode);
}

static void map_or_die(void *context)
{
    MmMapLockedPagesSpecifyCache(locked_mdl(), KernelMode, MmCached, NULL, TRUE,
                                 NormalPagePriority);
}

static void take_part_of_raw(void *context)
{
    PMDL part = IoAllocateMdl(fixed, BYTES, FALSE, FALSE, NULL);
    IoBuildPartialMdl(new_mdl(), part, fixed, 8);
}

static void take_part_again_while_mapped(void *context)
{
    PMDL mdl = locked_mdl();
    PMDL part = IoAllocateMdl(fixed, BYTES, FALSE, FALSE, NULL);
    IoBuildPartialMdl(mdl, part, fixed, 8);
    MmGetSystemAddressForMdlSafe(part, NormalPagePriority);
    IoBuildPartialMdl(mdl, part, fixed + 8, 8);
}

static void bad_mappings_and_parts_are_caught(void **state)
{
    PROVES("MDL-46", "MDL-51", "MDL-53");
    expect_bugcheck(map_in_the_old_way, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x81, "MDL-46");
    expect_bugcheck(map_or_die, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x82, "MDL-46");
    expect_bugcheck(take_part_of_raw, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB3, "MDL-51");
    expect_bugcheck(take_part_again_while_mapped, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB2,
                    "MDL-53");
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_driver_that_uses_mdls_well_is_left_alone),
    kernel_test(odd_allocations_are_warned_of),
    kernel_test(a_bad_free_is_caught),
    kernel_test(what_a_bad_free_lacks_is_told),
    kernel_test(the_use_of_a_freed_mdl_is_caught),
    kernel_test(mdls_left_at_the_end_are_told),
    kernel_test(nothing_is_told_of_mdls_that_were_freed),
    kernel_test(pageable_buffers_are_noticed),
    kernel_test(bad_mappings_and_parts_are_caught),
    kernel_test(pages_that_were_asked_for_and_not_given_are_caught),
    kernel_test(the_pages_that_were_given_may_be_used),
};

TEST_MAIN(tests)
