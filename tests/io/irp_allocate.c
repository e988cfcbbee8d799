/* IRPs as memory: making them, their stack locations, using them again, freeing them. */
#include "bugcheck.h"
#include "io_driver.h"

#define LOCATIONS 3

/* Has a helper see the IRP as a driver that owns its location n. */
static PIO_STACK_LOCATION location_of(PIRP irp, int number)
{
    return (PIO_STACK_LOCATION)(PVOID)(irp + 1) + (number - 1);
}

static bool is_zero(const void *memory, size_t bytes)
{
    const UCHAR *byte = memory;
    for (size_t i = 0; i < bytes; i++) {
        if (byte[i] != 0) {
            return false;
        }
    }
    return true;
}

static void an_allocated_irp_is_ready_for_use(void **state)
{
    PROVES("IRP-01", "IRP-05", "IRP-22", "IRP-24");
    PIRP irp = IoAllocateIrp(LOCATIONS, FALSE);
    assert_non_null(irp);
    assert_int_equal(irp->Type, IO_TYPE_IRP);
    assert_int_equal(irp->StackCount, LOCATIONS);
    assert_int_equal(irp->CurrentLocation, LOCATIONS + 1);
    assert_true(is_zero(irp + 1, LOCATIONS * sizeof(IO_STACK_LOCATION)));
    assert_ptr_equal(IoGetNextIrpStackLocation(irp), location_of(irp, LOCATIONS));
    assert_null(irp->MdlAddress);
    assert_null(irp->CancelRoutine);
    assert_false(irp->Cancel);
    IoFreeIrp(irp);
}

static void an_impossible_stack_gives_no_irp(void **state)
{
    PROVES("IRP-01");
    assert_null(IoAllocateIrp(127, FALSE));
    assert_null(IoAllocateIrp(-1, FALSE));
}

static VOID allocate_and_end(PVOID context)
{
    *(PIRP *)context = IoAllocateIrp(1, FALSE);
}

static void an_irp_outlives_its_thread(void **state)
{
    PROVES("IRP-03");
    PIRP irp = NULL;
    join_thread(start_thread(allocate_and_end, &irp));
    assert_non_null(irp);
    assert_null(irp->Tail.Overlay.Thread);
    assert_false(irp->Cancel);
    IoFreeIrp(irp);
}

static void an_irp_can_be_allocated_for_a_device(void **state)
{
    PROVES("IRP-08");
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    PIRP irp = IoAllocateIrpEx(device, device->StackSize, FALSE);
    assert_non_null(irp);
    assert_int_equal(irp->StackCount, 1);
    IoFreeIrp(irp);
}

static void the_size_is_that_of_irp_and_locations(void **state)
{
    PROVES("IRP-09");
    for (CCHAR i = 1; i < 10; i++) {
        size_t expected = sizeof(IRP) + (size_t)i * sizeof(IO_STACK_LOCATION);
        assert_int_equal(IoSizeOfIrp(i), expected);
        assert_int_equal((IoSizeOfIrp)(i), expected);
    }
}

static void raw_memory_becomes_an_irp_and_again(void **state)
{
    PROVES("IRP-10", "IRP-14");
    STAYS_SILENT("IRP-06");
    struct {
        IRP irp;
        IO_STACK_LOCATION locations[2];
    } memory;
    for (int i = 0; i < 2; i++) {
        RtlFillMemory(&memory, sizeof(memory), 0xAA);
        IoInitializeIrp(&memory.irp, IoSizeOfIrp(2), 2);
        assert_int_equal(memory.irp.Type, IO_TYPE_IRP);
        assert_int_equal(memory.irp.Size, IoSizeOfIrp(2));
        assert_int_equal(memory.irp.StackCount, 2);
        assert_int_equal(memory.irp.CurrentLocation, 3);
        assert_ptr_equal(IoGetNextIrpStackLocation(&memory.irp), &memory.locations[1]);
        assert_true(is_zero(memory.locations, sizeof(memory.locations)));
    }
}

static void an_irp_allocated_without_quota_may_be_initialised_again(void **state)
{
    PROVES("IRP-14");
    PIRP irp = IoAllocateIrp(1, FALSE);
    irp->IoStatus.Status = STATUS_UNSUCCESSFUL;
    IoInitializeIrp(irp, IoSizeOfIrp(1), 1);
    assert_int_equal(irp->IoStatus.Status, 0);
    IoFreeIrp(irp);
}

static void reuse_keeps_the_stack_and_stores_the_status(void **state)
{
    PROVES("IRP-11");
    STAYS_SILENT("IRP-12");
    PIRP irp = IoAllocateIrp(LOCATIONS, FALSE);
    IoSetNextIrpStackLocation(irp);
    irp->Cancel = TRUE;
    irp->PendingReturned = TRUE;
    IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
    assert_int_equal(irp->IoStatus.Status, STATUS_UNSUCCESSFUL);
    assert_int_equal(irp->StackCount, LOCATIONS);
    assert_int_equal(irp->CurrentLocation, LOCATIONS + 1);
    assert_false(irp->Cancel);
    assert_false(irp->PendingReturned);
    IoFreeIrp(irp);
}

static void pool_memory_that_was_made_an_irp_is_freed_as_one(void **state)
{
    PROVES("IRP-10");
    PIRP irp = ExAllocatePool2(POOL_FLAG_NON_PAGED, IoSizeOfIrp(1), 'tseT');
    IoInitializeIrp(irp, IoSizeOfIrp(1), 1);
    IoFreeIrp(irp);
}

static void freeing_an_irp_leaves_its_mdl(void **state)
{
    PROVES("IRP-17", "IRP-20");
    UCHAR buffer[32];
    PIRP irp = IoAllocateIrp(1, FALSE);
    PMDL mdl = IoAllocateMdl(buffer, sizeof(buffer), FALSE, FALSE, irp);
    assert_ptr_equal(irp->MdlAddress, mdl);
    IoFreeIrp(irp);
    assert_int_equal(MmGetMdlByteCount(mdl), sizeof(buffer));
    IoFreeMdl(mdl);
}

static void locations_are_used_from_the_last_to_the_first(void **state)
{
    PROVES("IRP-22", "IRP-23", "IRP-26");
    PIRP irp = IoAllocateIrp(LOCATIONS, FALSE);
    for (int i = LOCATIONS; i > 1; i--) {
        IoSetNextIrpStackLocation(irp);
        assert_int_equal(irp->CurrentLocation, i);
        assert_ptr_equal(IoGetCurrentIrpStackLocation(irp), location_of(irp, i));
        assert_ptr_equal(IoGetNextIrpStackLocation(irp), location_of(irp, i - 1));
    }
    for (int i = LOCATIONS; i > 1; i--) {
        IoSkipCurrentIrpStackLocation(irp);
    }
    assert_int_equal(irp->CurrentLocation, LOCATIONS + 1);
    IoFreeIrp(irp);
}

static void skipping_gives_the_next_driver_the_same_location(void **state)
{
    PROVES("IRP-28");
    PIRP irp = IoAllocateIrp(2, FALSE);
    IoSetNextIrpStackLocation(irp);
    PIO_STACK_LOCATION own = IoGetCurrentIrpStackLocation(irp);
    IoSkipCurrentIrpStackLocation(irp);
    assert_ptr_equal(IoGetNextIrpStackLocation(irp), own);
    IoFreeIrp(irp);
}

static void copying_takes_the_request_and_not_the_routine(void **state)
{
    PROVES("IRP-32");
    PIRP irp = IoAllocateIrp(2, FALSE);
    IoSetCompletionRoutine(irp, take_back, irp, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    PIO_STACK_LOCATION own = IoGetCurrentIrpStackLocation(irp);
    own->MajorFunction = IRP_MJ_WRITE;
    own->MinorFunction = 7;
    own->Parameters.Write.Length = 123;
    own->DeviceObject = (PDEVICE_OBJECT)(ULONG_PTR)0x1000;
    own->FileObject = (PFILE_OBJECT)(ULONG_PTR)0x2000;
    IoMarkIrpPending(irp);
    PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(irp);
    next->Control = 0xFF;
    IoCopyCurrentIrpStackLocationToNext(irp);
    assert_int_equal(next->MajorFunction, IRP_MJ_WRITE);
    assert_int_equal(next->MinorFunction, 7);
    assert_int_equal(next->Parameters.Write.Length, 123);
    assert_ptr_equal(next->DeviceObject, own->DeviceObject);
    assert_ptr_equal(next->FileObject, own->FileObject);
    assert_null(next->CompletionRoutine);
    assert_null(next->Context);
    assert_int_equal(next->Control, 0);
    IoFreeIrp(irp);
}

static void control_bits_and_major_functions_are_windows(void **state)
{
    PROVES("IRP-35", "IRP-96", "IRP-111");
    assert_int_equal(SL_PENDING_RETURNED, 0x01);
    assert_int_equal(SL_ERROR_RETURNED, 0x02);
    assert_int_equal(SL_INVOKE_ON_CANCEL, 0x20);
    assert_int_equal(SL_INVOKE_ON_SUCCESS, 0x40);
    assert_int_equal(SL_INVOKE_ON_ERROR, 0x80);
    assert_int_equal(IO_NO_INCREMENT, 0);
    assert_int_equal(IO_NETWORK_INCREMENT, 2);
    assert_int_equal(IRP_MJ_CREATE, 0x00);
    assert_int_equal(IRP_MJ_CLOSE, 0x02);
    assert_int_equal(IRP_MJ_READ, 0x03);
    assert_int_equal(IRP_MJ_WRITE, 0x04);
    assert_int_equal(IRP_MJ_FLUSH_BUFFERS, 0x09);
    assert_int_equal(IRP_MJ_DEVICE_CONTROL, 0x0e);
    assert_int_equal(IRP_MJ_INTERNAL_DEVICE_CONTROL, 0x0f);
    assert_int_equal(IRP_MJ_SHUTDOWN, 0x10);
    assert_int_equal(IRP_MJ_CLEANUP, 0x12);
    assert_int_equal(IRP_MJ_POWER, 0x16);
    assert_int_equal(IRP_MJ_SYSTEM_CONTROL, 0x17);
    assert_int_equal(IRP_MJ_PNP, 0x1b);
    assert_int_equal(IRP_MJ_MAXIMUM_FUNCTION, 0x1b);
}

static void marking_pending_sets_a_bit_of_the_current_location(void **state)
{
    PROVES("IRP-76");
    PIRP irp = IoAllocateIrp(2, FALSE);
    IoSetNextIrpStackLocation(irp);
    IoMarkIrpPending(irp);
    assert_int_equal(location_of(irp, 2)->Control, SL_PENDING_RETURNED);
    assert_int_equal(location_of(irp, 1)->Control, 0);
    IoFreeIrp(irp);
}

static void the_holder_may_use_driver_context_and_list_entry(void **state)
{
    PROVES("IRP-37");
    LIST_ENTRY list;
    PIRP irp = IoAllocateIrp(1, FALSE);
    InitializeListHead(&list);
    for (ULONG_PTR i = 0; i < 4; i++) {
        irp->Tail.Overlay.DriverContext[i] = (PVOID)(0x1000 + i);
    }
    InsertTailList(&list, &irp->Tail.Overlay.ListEntry);
    assert_ptr_equal(CONTAINING_RECORD(RemoveHeadList(&list), IRP, Tail.Overlay.ListEntry), irp);
    for (ULONG_PTR i = 0; i < 4; i++) {
        assert_ptr_equal(irp->Tail.Overlay.DriverContext[i], (PVOID)(0x1000 + i));
    }
    IoFreeIrp(irp);
}

/* ---- what must be caught ---- */

static void free_twice(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoFreeIrp(irp);
    IoFreeIrp(irp);
}

static void initialise_charged(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoInitializeIrp(IoAllocateIrp(1, TRUE), IoSizeOfIrp(1), 1);
}

static void free_cancelable(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCancelRoutine(irp, context);
    IoFreeIrp(irp);
}

static void reuse_held(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PIRP irp = IoAllocateIrp(2, FALSE);
    IoSetNextIrpStackLocation(irp);
    IoSetNextIrpStackLocation(irp);
    IoReuseIrp(irp, STATUS_SUCCESS);
}

static VOID cancel_nothing(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
}

static void misuse_is_caught(void **state)
{
    PROVES("IRP-06", "IRP-15", "IRP-18", "IRP-19");
    expect_bugcheck(free_twice, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x1, "IRP-19");
    expect_bugcheck(initialise_charged, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20D, "IRP-06");
    expect_bugcheck(free_cancelable, (PVOID)(ULONG_PTR)cancel_nothing,
                    DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20B, "IRP-18");
    expect_bugcheck(reuse_held, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x310, "IRP-15");
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_allocated_irp_is_ready_for_use),
    kernel_test(an_impossible_stack_gives_no_irp),
    kernel_test(an_irp_outlives_its_thread),
    kernel_test(an_irp_can_be_allocated_for_a_device),
    kernel_test(the_size_is_that_of_irp_and_locations),
    kernel_test(raw_memory_becomes_an_irp_and_again),
    kernel_test(an_irp_allocated_without_quota_may_be_initialised_again),
    kernel_test(reuse_keeps_the_stack_and_stores_the_status),
    kernel_test(pool_memory_that_was_made_an_irp_is_freed_as_one),
    kernel_test(freeing_an_irp_leaves_its_mdl),
    kernel_test(locations_are_used_from_the_last_to_the_first),
    kernel_test(skipping_gives_the_next_driver_the_same_location),
    kernel_test(copying_takes_the_request_and_not_the_routine),
    kernel_test(control_bits_and_major_functions_are_windows),
    kernel_test(marking_pending_sets_a_bit_of_the_current_location),
    kernel_test(the_holder_may_use_driver_context_and_list_entry),
    kernel_test(misuse_is_caught),
};

TEST_MAIN(tests)
