#include "io/irp.h"
#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "mm/mm.h"
#include "verifier/rule.h"

/* The I/O manager's functions on MDLs. */

static void append(PIRP irp, PMDL mdl)
{
    PMDL last = irp->MdlAddress;
    while (last->Next != NULL) {
        last = last->Next;
    }
    last->Next = mdl;
}

/*
 * An MDL for the buffer, or NULL when memory is short or Length too large. With an IRP it becomes
 * the IRP's MDL, or the last of its chain if SecondaryBuffer. IRQL <= DISPATCH_LEVEL. (MDL-01, 02)
 */
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota,
                   PIRP Irp)
{
    ke_current();
    if (ChargeQuota || (SecondaryBuffer && Irp == NULL)) {
        ke_warning("MDL-03", "the driver called IoAllocateMdl with %s",
                   ChargeQuota ? "ChargeQuota TRUE" : "SecondaryBuffer TRUE and no IRP");
    }
    PMDL mdl = mm_mdl_allocate(VirtualAddress, Length, _ReturnAddress());
    if (mdl == NULL || Irp == NULL) {
        return mdl;
    }
    if (SecondaryBuffer && Irp->MdlAddress != NULL) {
        append(Irp, mdl);
    } else {
        Irp->MdlAddress = mdl;
    }
    return mdl;
}

/* The unlocking of locked pages is what is missing: it ends their mapping, too. */
static void check_freeable(PMDL mdl)
{
    bool is_locked = (mdl->MdlFlags & MDL_PAGES_LOCKED) != 0;
    bool is_mapped =
        (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL)) == MDL_MAPPED_TO_SYSTEM_VA;
    if (!is_locked && !is_mapped) {
        return;
    }
    if (is_locked && is_mapped) {
        verifier_rule_speak("MDL-09");
    }
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB8, (ULONG_PTR)mdl,
                (ULONG_PTR)(USHORT)mdl->MdlFlags, 0, is_locked ? "MDL-08" : "MDL-09",
                "The driver freed the MDL %p while its pages are %s.%s", (void *)mdl,
                is_locked ? "locked" : "mapped",
                is_locked && is_mapped ? " They are mapped as well (rule MDL-09), which "
                                         "MmUnlockPages ends."
                                       : "");
}

/* Frees one MDL. IRQL <= DISPATCH_LEVEL. (MDL-06) */
VOID IoFreeMdl(PMDL Mdl)
{
    ke_current();
    mm_mdl_check(Mdl);
    check_freeable(Mdl);
    mm_mdl_free(Mdl, _ReturnAddress());
}

static void check_range(PMDL source, PMDL target, const UCHAR *address, ULONG length)
{
    const UCHAR *begin = MmGetMdlVirtualAddress(source);
    const UCHAR *end = begin + MmGetMdlByteCount(source);
    if (address < begin || address > end || length > (ULONG_PTR)(end - address)) {
        ke_bugcheck(INVALID_MDL_RANGE, (ULONG_PTR)source, (ULONG_PTR)target, (ULONG_PTR)address,
                    length, "MDL-50",
                    "The driver called IoBuildPartialMdl for a range of %u bytes that is not in "
                    "the source MDL.",
                    length);
    }
    SIZE_T pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, length);
    if ((SIZE_T)target->Size < sizeof(MDL) + pages * sizeof(PFN_NUMBER)) {
        ke_bugcheck(TARGET_MDL_TOO_SMALL, 0, 0, 0, 0, "MDL-50",
                    "The driver called IoBuildPartialMdl with a target MDL that is too small for "
                    "%u bytes.",
                    length);
    }
}

static void check_source(PMDL source)
{
    if ((source->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL)) == 0) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB3, (ULONG_PTR)source,
                     (ULONG_PTR)(USHORT)source->MdlFlags, 0, "MDL-51",
                     "The driver called IoBuildPartialMdl with the source MDL %p, which is neither "
                     "locked nor built from non-paged pool.",
                     (void *)source);
    }
}

static void check_target(PMDL target)
{
    if ((target->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) != 0) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xB2, (ULONG_PTR)target,
                     (ULONG_PTR)(USHORT)target->MdlFlags, 0, "MDL-53",
                     "The driver called IoBuildPartialMdl again for the MDL %p, which is mapped: "
                     "the mapping leaks. Call MmPrepareMdlForReuse first.",
                     (void *)target);
    }
}

/*
 * Makes TargetMdl describe Length bytes of SourceMdl from VirtualAddress on; Length 0 means to its
 * end. IRQL <= DISPATCH_LEVEL. (MDL-49 to 52)
 */
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
    ke_current();
    UCHAR *address = VirtualAddress;
    UCHAR *begin = MmGetMdlVirtualAddress(SourceMdl);
    ULONG length = Length;
    if (length == 0 && address >= begin) {
        length = (ULONG)(MmGetMdlByteCount(SourceMdl) - (ULONG_PTR)(address - begin));
    }
    check_range(SourceMdl, TargetMdl, address, length);
    check_source(SourceMdl);
    check_target(TargetMdl);
    CSHORT source_flags = SourceMdl->MdlFlags;
    TargetMdl->Process = SourceMdl->Process;
    TargetMdl->StartVa = PAGE_ALIGN(address);
    TargetMdl->ByteOffset = BYTE_OFFSET(address);
    TargetMdl->ByteCount = length;
    TargetMdl->MdlFlags = (CSHORT)((TargetMdl->MdlFlags & MDL_ALLOCATED_FIXED_SIZE) | MDL_PARTIAL |
                                   (source_flags & MDL_SOURCE_IS_NONPAGED_POOL));
    if ((source_flags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) != 0) {
        TargetMdl->MappedSystemVa = (UCHAR *)SourceMdl->MappedSystemVa + (address - begin);
        TargetMdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA | MDL_PARENT_MAPPED_SYSTEM_VA;
    }
    ULONG count = ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, length);
    for (ULONG i = 0; i < count; i++) {
        MmGetMdlPfnArray(TargetMdl)[i] = ((ULONG_PTR)TargetMdl->StartVa >> PAGE_SHIFT) + i;
    }
}
