/* Bad drivers that are caught, and good twins on which the verifier stays silent. */
#include "kernel.h"
#include "test.h"

static NTSTATUS take_back(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP sent_irp(void)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, take_back, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    irp->IoStatus.Status = STATUS_SUCCESS;
    return irp;
}

static void complete_twice(void *context)
{
    PIRP irp = sent_irp();
    UNREFERENCED_PARAMETER(context);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static void an_irp_completed_twice_is_caught(void **state)
{
    PROVES("IRP-93");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(complete_twice, NULL, MULTIPLE_IRP_COMPLETE_REQUESTS, ANY_PARAMETER, "IRP-93");
}

static void one_completed_once_is_not(void **state)
{
    STAYS_SILENT("IRP-93", "IRP-89", "IRP-19");
    UNREFERENCED_PARAMETER(state);
    PIRP irp = sent_irp();
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    IoFreeIrp(irp);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_irp_completed_twice_is_caught),
    kernel_test(one_completed_once_is_not),
};

TEST_MAIN(tests)
