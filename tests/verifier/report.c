/* What a bug check and a warning tell. */
#include "kernel.h"
#include "log.h"
#include "test.h"

#include "base/stack.h"
#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "verifier/object.h"
#include "verifier/once.h"

#include <string.h>

/* Whether this build's stacks have files and lines. */
static bool knows_lines(void)
{
    return strchr(base_stack_site(_ReturnAddress()).text, ':') != NULL;
}

/* Runs body, which must end in a bug check, and returns what was printed. */
static const char *report_of(void (*body)(void *context), void *context)
{
    struct wskemu_options options = {.verifier = WSKEMU_VERIFIER_STANDARD};
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    log_capture();
    bool is_caught = wskemu_contain_bugcheck(body, context, NULL) != FALSE;
    const char *text = log_captured();
    assert_true(is_caught);
    return text;
}

static void in_order(const char *text, const char *const *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *place = strstr(text, expected[i]);
        if (place == NULL) {
            print_error("missing or out of order: %s\nin:\n%s\n", expected[i], text);
            fail();
        }
        text = place;
    }
}

static NTSTATUS keep(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void complete_twice(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    UNREFERENCED_PARAMETER(context);
    IoSetCompletionRoutine(irp, keep, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static void a_bug_check_tells_what_where_and_what_to_do_instead(void **state)
{
    static const char *const expected[] = {
        "*** STOP: 0x00000044",
        "*** MULTIPLE_IRP_COMPLETE_REQUESTS",
        "    1: ",
        "The driver completed the IRP",
        "Rule IRP-93: ",
        "See ",
        "Instead: ",
        ": IRP, 1 stacks",
        "Stack:",
        "Options: WSKEMU_VERIFIER=standard",
    };
    UNREFERENCED_PARAMETER(state);
    in_order(report_of(complete_twice, NULL), expected, RTL_NUMBER_OF(expected));
}

static void it_names_the_drivers_frames_first_and_who_made_the_object(void **state)
{
    static const char *const expected[] = {"Where:",
                                           "complete_twice at ",
                                           "report.c:",
                                           ": IRP",
                                           "made by complete_twice at ",
                                           "report.c:",
                                           "last completed by complete_twice at ",
                                           "Stack:",
                                           "complete_twice at "};
    UNREFERENCED_PARAMETER(state);
    if (!knows_lines()) {
        skip();
    }
    const char *text = report_of(complete_twice, NULL);
    in_order(text, expected, RTL_NUMBER_OF(expected));
    const char *stack = strstr(text, "Stack:");
    assert_true(strstr(text, " verifier_report") == NULL && stack != NULL);
}

static void remove_twice(void *context)
{
    LIST_ENTRY head, first, second;
    UNREFERENCED_PARAMETER(context);
    InitializeListHead(&head);
    InsertTailList(&head, &first);
    InsertTailList(&head, &second);
    RemoveEntryList(&first);
    RemoveEntryList(&first);
}

/* The line of the call, not that of the header which has the function. */
static void a_function_of_a_header_is_told_by_the_drivers_line(void **state)
{
    static const char *const expected[] = {"Where:", "remove_twice at ", "report.c:", "Stack:"};
    UNREFERENCED_PARAMETER(state);
    if (!knows_lines()) {
        skip();
    }
    const char *text = report_of(remove_twice, NULL);
    in_order(text, expected, RTL_NUMBER_OF(expected));
    const char *place = strstr(text, "remove_twice at ");
    assert_non_null(place);
    const char *end = strchr(place, '\n');
    assert_non_null(end);
#ifndef _WIN32 /* its debug library does not tell of inlined calls */
    const char *header = strstr(place, "wdm_rtl.h");
    assert_true(header == NULL || header > end);
#endif
}

/* Rules and places that lie as far from each other. */
static void what_is_said_once_is_said_of_each_rule_and_place(void **state)
{
    static _Alignas(64) const char rules[32];
    static _Alignas(64) const char places[32];
    UNREFERENCED_PARAMETER(state);
    assert_true(verifier_speaks_first(rules, places + 16));
    assert_true(verifier_speaks_first(rules + 8, places));
    assert_false(verifier_speaks_first(rules + 8, places));
}

static void complete_freed(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    UNREFERENCED_PARAMETER(context);
    IoFreeIrp(irp);
    IoFreeIrp(irp);
}

static void it_says_who_freed_what_is_freed(void **state)
{
    static const char *const expected[] = {"Rule IRP-19", ": IRP, which was freed", "made by",
                                           "freed by", "Stack:"};
    UNREFERENCED_PARAMETER(state);
    in_order(report_of(complete_freed, NULL), expected, RTL_NUMBER_OF(expected));
}

static void name_a_block(void *context)
{
    void *block = ExAllocatePoolWithTag(NonPagedPoolNx, 100, 'tseT');
    verifier_object_is_subject(block);
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0, 0, 0, (ULONG_PTR)context, "POOL-36",
                "Something about the block.");
}

static void objects_that_no_parameter_names_can_be_told_of(void **state)
{
    static const char *const expected[] = {"Something about the block.",
                                           ": pool block, 100 bytes, tag 'Test'", "made by"};
    UNREFERENCED_PARAMETER(state);
    in_order(report_of(name_a_block, NULL), expected, RTL_NUMBER_OF(expected));
}

static NTSTATUS refuse(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    irp->IoStatus.Information = 7;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS entry_of_device(void *driver_object, void *registry_path)
{
    PDRIVER_OBJECT driver = driver_object;
    PDEVICE_OBJECT device;
    UNREFERENCED_PARAMETER(registry_path);
    for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        driver->MajorFunction[i] = refuse;
    }
    return IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}

static void send_to_device_and_stop(void *context)
{
    static const struct wskemu_driver_image image = {
        .name = "sink", .entry = (int (*)(void *, void *))entry_of_device};
    PDRIVER_OBJECT driver;
    UNREFERENCED_PARAMETER(context);
    if (wskemu_load_driver(&image, &driver) != STATUS_SUCCESS) {
        return;
    }
    for (int i = 0; i < 25; i++) {
        PIRP irp = IoAllocateIrp(1, FALSE);
        IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_WRITE;
        IoGetNextIrpStackLocation(irp)->MinorFunction = (UCHAR)i;
        IoSetCompletionRoutine(irp, keep, NULL, TRUE, TRUE, TRUE);
        IoCallDriver(driver->DeviceObject, irp);
        IoFreeIrp(irp);
    }
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)driver->DeviceObject, 0, 0, 0, NULL,
                "Something about the device.");
}

static void the_last_twenty_irps_of_a_device_are_listed(void **state)
{
    static const char *const expected[] = {
        "device object",
        "stacks, ",
        ">[IRP_MJ_WRITE(4), 5]",
        "Success Error Cancel",
        "completed: 0xC00000BB STATUS_NOT_SUPPORTED, Information 0x7",
        ">[IRP_MJ_WRITE(4), 18]"};
    UNREFERENCED_PARAMETER(state);
    const char *text = report_of(send_to_device_and_stop, NULL);
    in_order(text, expected, RTL_NUMBER_OF(expected));
    assert_null(strstr(text, ">[IRP_MJ_WRITE(4), 4]"));
}

static void a_warning_explains_itself_once(void **state)
{
    struct wskemu_options options = {.verifier = WSKEMU_VERIFIER_STANDARD};
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    log_capture();
    ke_warning("IRP-67", "the first");
    ke_warning("IRP-67", "the second");
    const char *text = log_captured();
    const char *second = strstr(text, "warning IRP-67: the second");
    assert_int_equal(wskemu_shutdown(), 0);
    assert_non_null(strstr(text, "warning IRP-67: the first"));
    assert_non_null(strstr(text, "Rule IRP-67: "));
    assert_non_null(second);
    assert_null(strstr(second, "Rule IRP-67: "));
}

/* Two of a driver's places; not inlined, so that each has a frame. */
static __attribute__((noinline)) void warn_here(void)
{
    ke_warning("IRP-68", "of one place");
}

static __attribute__((noinline)) void warn_there(void)
{
    ke_warning("IRP-68", "of another");
}

/* Whether a new kernel's first warning by warn explains itself. */
static bool is_explained(void (*warn)(void))
{
    struct wskemu_options options = {.verifier = WSKEMU_VERIFIER_STANDARD};
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    log_capture();
    warn();
    const char *text = log_captured();
    assert_int_equal(wskemu_shutdown(), 0);
    assert_non_null(strstr(text, "warning IRP-68: of "));
    return strstr(text, "Rule IRP-68: ") != NULL;
}

static void later_kernels_explain_what_is_new_to_the_process(void **state)
{
    void (*const places[])(void) = {warn_here, warn_here, warn_there, warn_there};
    const bool expected[] = {true, false, knows_lines(), false};
    size_t count = RTL_NUMBER_OF(places);
#ifdef _WIN32 /* its walks of the stack leave out frames, so that both places may look the same */
    count = 2;
#endif
    UNREFERENCED_PARAMETER(state);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(is_explained(places[i]), expected[i]);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_bug_check_tells_what_where_and_what_to_do_instead),
    cmocka_unit_test(it_names_the_drivers_frames_first_and_who_made_the_object),
    cmocka_unit_test(a_function_of_a_header_is_told_by_the_drivers_line),
    kernel_test(what_is_said_once_is_said_of_each_rule_and_place),
    cmocka_unit_test(it_says_who_freed_what_is_freed),
    cmocka_unit_test(objects_that_no_parameter_names_can_be_told_of),
    cmocka_unit_test(the_last_twenty_irps_of_a_device_are_listed),
    cmocka_unit_test(a_warning_explains_itself_once),
    cmocka_unit_test(later_kernels_explain_what_is_new_to_the_process),
};

TEST_MAIN(tests)
