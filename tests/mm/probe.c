/* Probes of a process's memory. */
#include "kernel.h"

enum probe { READ, WRITE };

/* The status that the probe raises, STATUS_SUCCESS if none. */
static NTSTATUS probe(enum probe kind, volatile void *address, SIZE_T length, ULONG alignment)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        if (kind == READ) {
            ProbeForRead(address, length, alignment);
        } else {
            ProbeForWrite(address, length, alignment);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static void process_memory_passes(void **state)
{
    PROVES("POOL-53");
    ULONG64 memory[4] = {1, 2, 3, 4};
    assert_int_equal(probe(READ, memory, sizeof(memory), 8), STATUS_SUCCESS);
    assert_int_equal(probe(WRITE, memory, sizeof(memory), 8), STATUS_SUCCESS);
    assert_int_equal(memory[0], 1);
    assert_int_equal(memory[3], 4);
}

static void kernel_memory_raises(void **state)
{
    PROVES("POOL-53");
    UCHAR *pool = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, 'tseT');
    PVOID beyond = (PVOID)(ULONG_PTR)0xFFFF800000000000ULL;
    UCHAR here = 0;
    assert_int_equal(probe(READ, pool, 100, 1), STATUS_ACCESS_VIOLATION);
    assert_int_equal(probe(WRITE, pool + 50, 1, 1), STATUS_ACCESS_VIOLATION);
    assert_int_equal(probe(READ, beyond, 8, 1), STATUS_ACCESS_VIOLATION);
    assert_int_equal(probe(READ, &here, (SIZE_T)-1, 1), STATUS_ACCESS_VIOLATION); /* wraps */
    ExFreePool(pool);
}

static void misalignment_raises(void **state)
{
    PROVES("POOL-53");
    ULONG64 memory = 0;
    UCHAR *odd = (UCHAR *)&memory + 1;
    assert_int_equal(probe(READ, odd, 2, 1), STATUS_SUCCESS);
    assert_int_equal(probe(READ, odd, 2, 2), STATUS_DATATYPE_MISALIGNMENT);
    assert_int_equal(probe(WRITE, odd, 4, 4), STATUS_DATATYPE_MISALIGNMENT);
}

static void nothing_is_not_probed(void **state)
{
    PROVES("POOL-53");
    assert_int_equal(probe(READ, (PVOID)(ULONG_PTR)0xFFFF800000000001ULL, 0, 8), STATUS_SUCCESS);
    assert_int_equal(probe(WRITE, NULL, 0, 8), STATUS_SUCCESS);
}

static void unwritable_memory_raises(void **state)
{
    static const ULONG64 constant[2] = {7, 8};
    volatile void *address = (volatile void *)(ULONG_PTR)constant;
    assert_int_equal(probe(READ, address, sizeof(constant), 8), STATUS_SUCCESS);
    assert_int_equal(probe(WRITE, address, sizeof(constant), 8), STATUS_ACCESS_VIOLATION);
    assert_int_equal(probe(WRITE, (PVOID)(ULONG_PTR)0x100, 8, 1), STATUS_ACCESS_VIOLATION);
}

static void user_buffer_is_locked_in_user_mode(void **state)
{
    UCHAR *pool = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, 'tseT');
    PMDL mdl = IoAllocateMdl(pool, 100, FALSE, FALSE, NULL);
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        MmProbeAndLockPages(mdl, UserMode, IoReadAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
    IoFreeMdl(mdl);
    ExFreePool(pool);
}

static const struct CMUnitTest tests[] = {
    kernel_test(process_memory_passes),    kernel_test(kernel_memory_raises),
    kernel_test(misalignment_raises),      kernel_test(nothing_is_not_probed),
    kernel_test(unwritable_memory_raises), kernel_test(user_buffer_is_locked_in_user_mode),
};

TEST_MAIN(tests)
