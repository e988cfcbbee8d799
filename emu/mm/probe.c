/*
 * Probing memory. A process's memory is whatever the host gave the process, but for the kernel's
 * own pool; an address beyond the end of Windows' user space is not a process's either.
 */
#include "base/sanitize.h"
#include "ex/pool.h"
#include "ke/limit.h"
#include "mm/mm.h"

/* Touches a byte as the operation would; a fault raises STATUS_ACCESS_VIOLATION. The sanitizers
 * must not look: the memory is the driver's, and may be in use by another thread. */
BASE_NOT_SANITIZED static void touch(volatile UCHAR *address, bool for_write)
{
    UCHAR value = *address;
    if (for_write) {
        __atomic_compare_exchange_n(address, &value, value, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
    }
}

void mm_probe(PVOID address, SIZE_T length, BOOLEAN for_write)
{
    if (length == 0) {
        return;
    }
    ULONG_PTR last = (ULONG_PTR)address + length - 1;
    if (last < (ULONG_PTR)address) {
        ExRaiseAccessViolation();
    }
    touch(address, for_write);
    for (ULONG_PTR page = ((ULONG_PTR)address | (PAGE_SIZE - 1)) + 1; page <= last && page != 0;
         page += PAGE_SIZE) {
        touch((volatile UCHAR *)page, for_write);
    }
}

void mm_probe_user(const volatile void *address, SIZE_T length)
{
    struct ex_pool_info info;
    ULONG_PTR first = (ULONG_PTR)address;
    ULONG_PTR last = first + length - 1;
    if (length == 0) {
        return;
    }
    if (last < first || last >= MM_USER_END || ex_pool_find((const void *)first, &info) ||
        ex_pool_find((const void *)last, &info)) {
        ExRaiseAccessViolation();
    }
}

/* Raises STATUS_DATATYPE_MISALIGNMENT unless the address is a multiple of Alignment. */
static void probe_alignment(const volatile void *address, ULONG alignment)
{
    if (((ULONG_PTR)address & (alignment - 1)) != 0) {
        ExRaiseDatatypeMisalignment();
    }
}

/*
 * Raises STATUS_ACCESS_VIOLATION if the range is not a process's, STATUS_DATATYPE_MISALIGNMENT if
 * it is not aligned; the memory itself is not read. Does nothing for a Length of 0. IRQL <=
 * APC_LEVEL. (POOL-53)
 */
VOID ProbeForRead(const volatile VOID *Address, SIZE_T Length, ULONG Alignment)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    if (Length != 0) {
        probe_alignment(Address, Alignment);
        mm_probe_user(Address, Length);
    }
}

/* As ProbeForRead; raises STATUS_ACCESS_VIOLATION for memory that cannot be written, too. */
VOID ProbeForWrite(volatile VOID *Address, SIZE_T Length, ULONG Alignment)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    if (Length != 0) {
        probe_alignment(Address, Alignment);
        mm_probe_user(Address, Length);
        mm_probe((PVOID)(ULONG_PTR)Address, Length, TRUE);
    }
}
