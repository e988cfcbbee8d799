/* MDLs and the pages that they describe. (Allocation by the I/O manager is tested beside it.) */
#include "kernel.h"

#define TAG 'tseT'

static UCHAR *new_buffer(SIZE_T bytes)
{
    UCHAR *buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes, TAG);
    assert_non_null(buffer);
    return buffer;
}

/* An MDL in the caller's own memory, of at most 4 pages. */
union own_mdl {
    MDL mdl;
    UCHAR room[sizeof(MDL) + 5 * sizeof(PFN_NUMBER)];
};

static NTSTATUS lock(PMDL mdl, LOCK_OPERATION operation)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        MmProbeAndLockPages(mdl, KernelMode, operation);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static void initialized_mdl_describes_the_buffer(void **state)
{
    PROVES("MDL-05", "MDL-16", "MDL-18");
    UCHAR *buffer = new_buffer(3 * PAGE_SIZE);
    PVOID start = buffer + 100;
    union own_mdl own;
    assert_int_equal(MmSizeOfMdl(start, 2 * PAGE_SIZE), sizeof(MDL) + 3 * sizeof(PFN_NUMBER));
    assert_int_equal(MmSizeOfMdl(buffer, PAGE_SIZE), sizeof(MDL) + sizeof(PFN_NUMBER));
    assert_int_equal(MmSizeOfMdl(buffer, 0), sizeof(MDL));
    MmInitializeMdl(&own.mdl, start, 2 * PAGE_SIZE);
    assert_ptr_equal(MmGetMdlVirtualAddress(&own.mdl), start);
    assert_int_equal(MmGetMdlByteCount(&own.mdl), 2 * PAGE_SIZE);
    assert_int_equal(MmGetMdlByteOffset(&own.mdl), 100);
    assert_ptr_equal(MmGetMdlPfnArray(&own.mdl), &own.mdl + 1);
    assert_int_equal(own.mdl.MdlFlags, 0);
    assert_null(own.mdl.Next);
    assert_int_equal(own.mdl.Size, MmSizeOfMdl(start, 2 * PAGE_SIZE));
    ExFreePool(buffer);
}

static void flags_have_windows_values(void **state)
{
    PROVES("MDL-14");
    assert_int_equal(MDL_MAPPED_TO_SYSTEM_VA, 0x1);
    assert_int_equal(MDL_PAGES_LOCKED, 0x2);
    assert_int_equal(MDL_SOURCE_IS_NONPAGED_POOL, 0x4);
    assert_int_equal(MDL_ALLOCATED_FIXED_SIZE, 0x8);
    assert_int_equal(MDL_PARTIAL, 0x10);
    assert_int_equal(MDL_PARTIAL_HAS_BEEN_MAPPED, 0x20);
    assert_int_equal(MDL_IO_PAGE_READ, 0x40);
    assert_int_equal(MDL_WRITE_OPERATION, 0x80);
    assert_int_equal(MDL_PARENT_MAPPED_SYSTEM_VA, 0x100);
    assert_int_equal(MDL_FREE_EXTRA_PTES, 0x200);
    assert_int_equal(MDL_IO_SPACE, 0x800);
    assert_int_equal(MDL_NETWORK_HEADER, 0x1000);
    assert_int_equal(MDL_MAPPING_CAN_FAIL, 0x2000);
    assert_int_equal(MDL_PAGE_CONTENTS_INVARIANT, 0x4000);
}

static void nonpaged_mdl_is_its_own_mapping(void **state)
{
    PROVES("MDL-20", "MDL-21", "MDL-25", "MDL-37", "MDL-44");
    STAYS_SILENT("MDL-24", "MDL-32");
    UCHAR *buffer = new_buffer(2 * PAGE_SIZE);
    PMDL mdl = IoAllocateMdl(buffer + 8, PAGE_SIZE, FALSE, FALSE, NULL);
    PMDL second = IoAllocateMdl(buffer, 8, FALSE, FALSE, NULL);
    assert_null(mdl->Next);
    mdl->Next = second;
    MmBuildMdlForNonPagedPool(mdl);
    MmBuildMdlForNonPagedPool(second);
    assert_true(mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL);
    assert_ptr_equal(mdl->MappedSystemVa, buffer + 8);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), buffer + 8);
    assert_false(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
    assert_int_equal(MmGetMdlPfnArray(mdl)[1], MmGetMdlPfnArray(mdl)[0] + 1);
    assert_ptr_equal(mdl->Next, second);
    assert_null(second->Next);
    IoFreeMdl(mdl); /* needs no unmapping */
    IoFreeMdl(second);
    ExFreePool(buffer);
}

static void lock_map_unlock(void **state)
{
    PROVES("MDL-26", "MDL-29", "MDL-34", "MDL-37", "MDL-40", "MDL-44");
    static const LOCK_OPERATION operations[] = {IoReadAccess, IoWriteAccess, IoModifyAccess};
    UCHAR *buffer = new_buffer(2 * PAGE_SIZE);
    memset(buffer, 0x5A, 2 * PAGE_SIZE);
    for (int i = 0; i < 3; i++) {
        PMDL mdl = IoAllocateMdl(buffer + 1000, PAGE_SIZE, FALSE, FALSE, NULL);
        assert_int_equal(lock(mdl, operations[i]), STATUS_SUCCESS);
        assert_true(mdl->MdlFlags & MDL_PAGES_LOCKED);
        assert_false(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
        UCHAR *mapped = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
        assert_non_null(mapped);
        assert_int_equal(BYTE_OFFSET(mapped), MmGetMdlByteOffset(mdl));
        assert_int_equal(mapped[0], 0x5A);
        assert_true(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
        assert_ptr_equal(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), mapped);
        MmUnlockPages(mdl);
        assert_false(mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA));
        IoFreeMdl(mdl);
    }
    assert_int_equal(buffer[1000], 0x5A);
    ExFreePool(buffer);
}

static void page_is_locked_by_several(void **state)
{
    PROVES("MDL-31");
    UCHAR *buffer = new_buffer(PAGE_SIZE);
    PMDL first = IoAllocateMdl(buffer, 100, FALSE, FALSE, NULL);
    PMDL second = IoAllocateMdl(buffer + 50, 100, FALSE, FALSE, NULL);
    assert_int_equal(lock(first, IoModifyAccess), STATUS_SUCCESS);
    assert_int_equal(lock(second, IoModifyAccess), STATUS_SUCCESS);
    MmUnlockPages(first);
    assert_true(second->MdlFlags & MDL_PAGES_LOCKED);
    UCHAR *mapped = MmGetSystemAddressForMdlSafe(second, NormalPagePriority);
    mapped[0] = 7;
    assert_int_equal(buffer[50], 7);
    MmUnlockPages(second);
    IoFreeMdl(first);
    IoFreeMdl(second);
    ExFreePool(buffer);
}

static void bad_memory_raises_and_locks_nothing(void **state)
{
    PROVES("MDL-27", "MDL-28");
    static const UCHAR constant[64] = {1};
    PMDL mdl = IoAllocateMdl((PVOID)(ULONG_PTR)0x100, 8, FALSE, FALSE, NULL);
    assert_int_equal(lock(mdl, IoReadAccess), STATUS_ACCESS_VIOLATION);
    assert_int_equal(mdl->MdlFlags, 0);
    IoFreeMdl(mdl);
    mdl = IoAllocateMdl((PVOID)(ULONG_PTR)constant, sizeof(constant), FALSE, FALSE, NULL);
    assert_int_equal(lock(mdl, IoWriteAccess), STATUS_ACCESS_VIOLATION);
    assert_int_equal(mdl->MdlFlags, 0);
    assert_int_equal(lock(mdl, IoReadAccess), STATUS_SUCCESS);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
}

static void mapping_takes_priorities_and_modes(void **state)
{
    PROVES("MDL-41", "MDL-45");
    static const ULONG priorities[] = {LowPagePriority, NormalPagePriority, HighPagePriority,
                                       NormalPagePriority | MdlMappingNoExecute,
                                       NormalPagePriority | MdlMappingNoWrite};
    assert_int_equal(LowPagePriority, 0);
    assert_int_equal(NormalPagePriority, 16);
    assert_int_equal(HighPagePriority, 32);
    assert_true(MdlMappingNoWrite == 0x80000000);
    assert_true(MdlMappingNoExecute == 0x40000000);
    UCHAR *buffer = new_buffer(64);
    PMDL mdl = IoAllocateMdl(buffer, 64, FALSE, FALSE, NULL);
    assert_int_equal(lock(mdl, IoReadAccess), STATUS_SUCCESS);
    for (size_t i = 0; i < RTL_NUMBER_OF(priorities); i++) {
        PVOID mapped =
            MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, priorities[i]);
        assert_non_null(mapped);
        MmUnmapLockedPages(mapped, mdl);
        assert_false(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
    }
    PVOID user =
        MmMapLockedPagesSpecifyCache(mdl, UserMode, MmCached, NULL, FALSE, NormalPagePriority);
    assert_non_null(user);
    MmUnmapLockedPages(user, mdl);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
    ExFreePool(buffer);
}

static void mdl_is_advanced(void **state)
{
    PROVES("MDL-54");
    UCHAR *buffer = new_buffer(3 * PAGE_SIZE);
    PMDL mdl = IoAllocateMdl(buffer + 16, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    assert_int_equal(lock(mdl, IoReadAccess), STATUS_SUCCESS);
    assert_int_equal(MmAdvanceMdl(mdl, PAGE_SIZE + 4), STATUS_SUCCESS);
    assert_int_equal(MmGetMdlByteCount(mdl), PAGE_SIZE - 4);
    assert_ptr_equal(MmGetMdlVirtualAddress(mdl), buffer + 16 + PAGE_SIZE + 4);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority),
                     buffer + 16 + PAGE_SIZE + 4);
    assert_int_equal(MmAdvanceMdl(mdl, PAGE_SIZE), STATUS_INVALID_PARAMETER_2);
    assert_int_equal(MmGetMdlByteCount(mdl), PAGE_SIZE - 4);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
    ExFreePool(buffer);
}

/* ---- what must not be done ---- */

static void unlock_unlocked(void *context)
{
    MmUnlockPages(context);
}

static void lock_twice(void *context)
{
    MmProbeAndLockPages(context, KernelMode, IoReadAccess);
    MmProbeAndLockPages(context, KernelMode, IoReadAccess);
}

static void map_unlocked(void *context)
{
    MmGetSystemAddressForMdlSafe(context, NormalPagePriority);
}

static void map_twice(void *context)
{
    MmProbeAndLockPages(context, KernelMode, IoReadAccess);
    MmMapLockedPagesSpecifyCache(context, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    MmMapLockedPagesSpecifyCache(context, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
}

static void unmap_unmapped(void *context)
{
    MmUnmapLockedPages((PVOID)(ULONG_PTR)0x1000, context);
}

static void unlock_nonpaged(void *context)
{
    MmBuildMdlForNonPagedPool(context);
    MmUnlockPages(context);
}

static void lock_nonpaged(void *context)
{
    MmBuildMdlForNonPagedPool(context);
    MmProbeAndLockPages(context, KernelMode, IoReadAccess);
}

static void map_nonpaged(void *context)
{
    MmBuildMdlForNonPagedPool(context);
    MmMapLockedPagesSpecifyCache(context, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
}

static void lock_raised(void *context)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    MmProbeAndLockPages(context, KernelMode, IoReadAccess);
}

static void misuses_are_bugchecks(void **state)
{
    PROVES("MDL-24", "MDL-30", "MDL-32", "MDL-33", "MDL-35", "MDL-39", "MDL-47", "MDL-48");
    static const struct {
        void (*body)(void *context);
        ULONG_PTR parameter;
        const char *rule;
    } misuses[] = {
        {unlock_unlocked, 0x7C, "MDL-35"}, {lock_twice, 0xB0, "MDL-30"},
        {map_unlocked, 0xB3, "MDL-39"},    {map_twice, 0xB2, "MDL-47"},
        {unmap_unmapped, 0xB6, "MDL-48"},  {unlock_nonpaged, 0x7D, "MDL-32"},
        {lock_nonpaged, 0xB0, "MDL-24"},   {map_nonpaged, 0xB2, "MDL-47"},
        {lock_raised, 0x70, "MDL-33"},
    };
    static UCHAR buffer[64];
    for (size_t i = 0; i < RTL_NUMBER_OF(misuses); i++) {
        union own_mdl own;
        MmInitializeMdl(&own.mdl, buffer, sizeof(buffer));
        expect_bugcheck(misuses[i].body, &own.mdl, DRIVER_VERIFIER_DETECTED_VIOLATION,
                        misuses[i].parameter, misuses[i].rule);
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(initialized_mdl_describes_the_buffer),
    kernel_test(flags_have_windows_values),
    kernel_test(nonpaged_mdl_is_its_own_mapping),
    kernel_test(lock_map_unlock),
    kernel_test(page_is_locked_by_several),
    kernel_test(bad_memory_raises_and_locks_nothing),
    kernel_test(mapping_takes_priorities_and_modes),
    kernel_test(mdl_is_advanced),
    kernel_test(misuses_are_bugchecks),
};

TEST_MAIN(tests)
