/* What the foreign headers declare and inline, used as drivers use it. */
#include "foreign.h"

#define POOL_TAG 'nroF'
#define BLOCK_BYTES 200

/* CR8, inlined. */
NTSTATUS CheckLevels(VOID)
{
    KSPIN_LOCK Lock;
    KIRQL Irql;
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    KeRaiseIrql(APC_LEVEL, &Irql);
    CHECK(Irql == PASSIVE_LEVEL && KeGetCurrentIrql() == APC_LEVEL);
    CHECK(KeRaiseIrqlToDpcLevel() == APC_LEVEL);
    CHECK(KeGetCurrentIrql() == DISPATCH_LEVEL);
    KeLowerIrql(Irql);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    KeInitializeSpinLock(&Lock);
    KeAcquireSpinLock(&Lock, &Irql);
    CHECK(Irql == PASSIVE_LEVEL && KeGetCurrentIrql() == DISPATCH_LEVEL);
    KeReleaseSpinLock(&Lock, Irql);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    return STATUS_SUCCESS;
}

NTSTATUS LowerWithLock(VOID)
{
    KSPIN_LOCK Lock;
    KIRQL Irql;
    KeInitializeSpinLock(&Lock);
    KeAcquireSpinLock(&Lock, &Irql);
    KeLowerIrql(Irql);
    return STATUS_SUCCESS;
}

typedef struct _TICK {
    KTIMER Timer;
    KDPC Dpc;
    KEVENT Event;
    KIRQL Irql;
    ULONG Calls;
} TICK, *PTICK;

static VOID NTAPI OnTick(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PTICK Tick = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Tick->Irql = KeGetCurrentIrql();
    Tick->Calls++;
    KeSetEvent(&Tick->Event, IO_NO_INCREMENT, FALSE);
}

NTSTATUS CheckTimer(VOID)
{
    TICK Tick;
    LARGE_INTEGER DueTime;
    LARGE_INTEGER None;
    RtlZeroMemory(&Tick, sizeof(Tick));
    KeInitializeTimer(&Tick.Timer);
    KeInitializeDpc(&Tick.Dpc, OnTick, &Tick);
    KeInitializeEvent(&Tick.Event, SynchronizationEvent, FALSE);
    DueTime.QuadPart = -10000;
    None.QuadPart = 0;
    CHECK(!KeSetTimer(&Tick.Timer, DueTime, &Tick.Dpc));
    CHECK(KeWaitForSingleObject(&Tick.Event, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    KeFlushQueuedDpcs();
    CHECK(Tick.Calls == 1 && Tick.Irql == DISPATCH_LEVEL);
    CHECK(KeReadStateTimer(&Tick.Timer) && KeReadStateEvent(&Tick.Event) == 0);
    CHECK(KeWaitForSingleObject(&Tick.Event, Executive, KernelMode, FALSE, &None) ==
          STATUS_TIMEOUT);
    CHECK(!KeCancelTimer(&Tick.Timer));
    return STATUS_SUCCESS;
}

/* Allocating and freeing are inlined: they pop from and push on the list themselves. */
static NTSTATUS CheckLookaside(PNPAGED_LOOKASIDE_LIST List)
{
    PVOID First = ExAllocateFromNPagedLookasideList(List);
    PVOID Second = ExAllocateFromNPagedLookasideList(List);
    CHECK(First != NULL && Second != NULL);
    RtlFillMemory(First, BLOCK_BYTES, 1);
    RtlFillMemory(Second, BLOCK_BYTES, 2);
    ExFreeToNPagedLookasideList(List, First);
    CHECK(ExAllocateFromNPagedLookasideList(List) == First);
    ExFreeToNPagedLookasideList(List, First);
    ExFreeToNPagedLookasideList(List, Second);
    CHECK(List->L.TotalAllocates == 3 && List->L.AllocateMisses == 2 && List->L.TotalFrees == 3);
    return STATUS_SUCCESS;
}

static NTSTATUS CheckMdl(PUCHAR Block)
{
    PMDL Mdl = IoAllocateMdl(Block, BLOCK_BYTES, FALSE, FALSE, NULL);
    CHECK(Mdl != NULL);
    MmBuildMdlForNonPagedPool(Mdl);
    PUCHAR Address = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    BOOLEAN IsSame = Address == Block && MmGetMdlVirtualAddress(Mdl) == Block &&
                     MmGetMdlByteCount(Mdl) == BLOCK_BYTES &&
                     MmGetMdlByteOffset(Mdl) == BYTE_OFFSET(Block);
    IoFreeMdl(Mdl);
    CHECK(IsSame);
    return STATUS_SUCCESS;
}

static NTSTATUS CheckFastMutex(VOID)
{
    FAST_MUTEX Mutex;
    ExInitializeFastMutex(&Mutex);
    ExAcquireFastMutex(&Mutex);
    CHECK(KeGetCurrentIrql() == APC_LEVEL);
    ExReleaseFastMutex(&Mutex);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    return STATUS_SUCCESS;
}

NTSTATUS CheckMemory(VOID)
{
    NPAGED_LOOKASIDE_LIST List;
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, BLOCK_BYTES, POOL_TAG, 0);
    NTSTATUS Status = CheckLookaside(&List);
    ExDeleteNPagedLookasideList(&List);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, BLOCK_BYTES, POOL_TAG);
    CHECK(Block != NULL);
    Status = CheckMdl(Block);
    ExFreePoolWithTag(Block, POOL_TAG);
    return NT_SUCCESS(Status) ? CheckFastMutex() : Status;
}

NTSTATUS CheckStrings(VOID)
{
    UNICODE_STRING One;
    UNICODE_STRING Other = RTL_CONSTANT_STRING(L"A STRING");
    ANSI_STRING Narrow;
    ULONG Value;
    RtlInitUnicodeString(&One, L"a string");
    CHECK(One.Length == 16 && One.MaximumLength == 18);
    CHECK(RtlEqualUnicodeString(&One, &Other, TRUE) && !RtlEqualUnicodeString(&One, &Other, FALSE));
    CHECK(NT_SUCCESS(RtlUnicodeStringToAnsiString(&Narrow, &One, TRUE)));
    BOOLEAN IsSame = Narrow.Length == 8 && RtlCompareMemory(Narrow.Buffer, "a string", 8) == 8;
    RtlFreeAnsiString(&Narrow);
    CHECK(IsSame);
    RtlInitUnicodeString(&One, L"4711");
    CHECK(NT_SUCCESS(RtlUnicodeStringToInteger(&One, 10, &Value)) && Value == 4711);
    return STATUS_SUCCESS;
}

/* Variables of the kernel, which the headers import, and what the kernel gave the driver. */
NTSTATUS CheckObjects(PFILE_OBJECT FileObject)
{
    CHECK(FileObject->Type == 5 && FileObject->DeviceObject->Type == 3);
    CHECK(FileObject->DeviceObject->DriverObject->DeviceObject == FileObject->DeviceObject);
    CHECK(ObReferenceObjectByPointer(FileObject, 0, *IoFileObjectType, KernelMode) ==
          STATUS_SUCCESS);
    ObDereferenceObject(FileObject);
    CHECK(KeNumberProcessors > 0);
    return STATUS_SUCCESS;
}

/* The kernel's page of times, which only the kernel has at that address. */
NTSTATUS ReadSharedPage(VOID)
{
    LARGE_INTEGER Count;
    KeQueryTickCount(&Count);
    return STATUS_SUCCESS;
}
