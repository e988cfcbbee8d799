/* Assertions of any thread, waits with a time limit, and bug checks of a statement. How a test
 * fails by them is tested in tests/end. */
#include "kernel.h"
#include "log.h"
#include "test.h"

#include <wskemu/cmocka.h>

#include <string.h>

#define LONG_MS 10000

static void all_that_hold_record_nothing(void **state)
{
    static const char text[] = "text";
    struct wskemu_failure failure;
    UNREFERENCED_PARAMETER(state);
    wskemu_assert_true(text[0] == 't');
    wskemu_assert_false(text[0] == 'x');
    wskemu_assert_null(NULL);
    wskemu_assert_non_null(text);
    wskemu_assert_int_equal(sizeof(text), 5);
    wskemu_assert_int_not_equal(sizeof(text), 4);
    wskemu_assert_ptr_equal(text, &text[0]);
    wskemu_assert_string_equal(text, "text");
    wskemu_assert_memory_equal(text, "te", 2);
    wskemu_assert_status(STATUS_PENDING, STATUS_PENDING);
    wskemu_assert_nt_success(STATUS_PENDING);
    assert_false(wskemu_failure_take(&failure));
}

static void failure_is(const char *text)
{
    struct wskemu_failure failure;
    assert_true(wskemu_failure_take(&failure));
    assert_string_equal(failure.text, text);
    assert_non_null(strstr(failure.file, "assert.c"));
    assert_true(failure.line > 0);
}

static void each_that_fails_says_why_and_goes_on(void **state)
{
    UNREFERENCED_PARAMETER(state);
    log_capture();
    wskemu_assert_true(1 == 2);
    wskemu_assert_non_null(NULL);
    wskemu_assert_int_equal(16, 2);
    wskemu_assert_string_equal("one", "two");
    wskemu_assert_status(STATUS_TIMEOUT, STATUS_SUCCESS);
    wskemu_assert_nt_success(STATUS_CANCELLED);
    assert_true(log_named("assert.c:"));
    failure_is("1 == 2 is false");
    assert_true(wskemu_failure_take(&(struct wskemu_failure){0}));
    failure_is("16 is 16 (0x10), not 2 (0x2)");
    failure_is("\"one\" is \"one\", not \"two\"");
    failure_is("STATUS_TIMEOUT is 0x00000102 STATUS_TIMEOUT, not 0x00000000 STATUS_SUCCESS");
    failure_is("STATUS_CANCELLED is 0xC0000120 STATUS_CANCELLED, which is no success");
}

static KEVENT event;

static VOID assert_and_set(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    wskemu_assert_true(1 == 2);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
}

static void a_wait_ends_when_an_assertion_of_another_thread_has_failed(void **state)
{
    static KEVENT never;
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    log_capture();
    PKTHREAD thread = start_thread(assert_and_set, NULL);
    NTSTATUS status = wskemu_wait(&never, LONG_MS);
    bool is_printed = log_named("1 == 2 is false");
    wskemu_failures_forget();
    assert_status(status, STATUS_ASSERTION_FAILURE);
    assert_true(is_printed);
    assert_wait(&event, LONG_MS); /* the thread went on */
    join_thread(thread);
}

static PIRP pending_irp;

static NTSTATUS take_back(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void send_to_nobody(void)
{
    pending_irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(pending_irp, take_back, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(pending_irp);
}

static VOID complete_pending(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    pending_irp->IoStatus.Status = STATUS_CANCELLED;
    IoCompleteRequest(pending_irp, IO_NO_INCREMENT);
}

static void a_wait_that_times_out_tells_what_is_pending(void **state)
{
    static KEVENT never;
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    send_to_nobody();
    log_capture();
    NTSTATUS status = wskemu_wait(&never, 20);
    const char *text = log_captured();
    assert_status(status, STATUS_TIMEOUT);
    assert_non_null(strstr(text, "after 20 ms the test still waited"));
    const char *pending = strstr(text, "pending: IRP");
    assert_non_null(pending);
    assert_non_null(strstr(pending, "send_to_nobody"));
    complete_pending(NULL);
    IoFreeIrp(pending_irp);
}

static void an_irp_is_waited_for(void **state)
{
    UNREFERENCED_PARAMETER(state);
    send_to_nobody();
    PKTHREAD thread = start_thread(complete_pending, NULL);
    assert_wait_irp(pending_irp, LONG_MS);
    assert_status(pending_irp->IoStatus.Status, STATUS_CANCELLED);
    join_thread(thread);
    IoFreeIrp(pending_irp);
}

static BOOLEAN is_set(void *context)
{
    UNREFERENCED_PARAMETER(context);
    return KeReadStateEvent(&event) != 0;
}

static VOID set(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
}

static void a_condition_is_waited_for(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(set, NULL);
    assert_wait_until(is_set, NULL, LONG_MS);
    join_thread(thread);
}

static void complete_what_is_complete(void)
{
    send_to_nobody();
    complete_pending(NULL);
    complete_pending(NULL);
}

static void a_statement_ends_in_a_bug_check_by_code_or_by_rule(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_bugcheck(0x44, complete_what_is_complete());
    assert_bugcheck("IRP-93", complete_what_is_complete());
    assert_bugcheck(MULTIPLE_IRP_COMPLETE_REQUESTS, {
        send_to_nobody();
        complete_pending(NULL);
        complete_pending(NULL);
    });
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL); /* in a new kernel */
}

static VOID crash(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    complete_what_is_complete();
}

static void the_bug_check_may_be_another_threads(void **state)
{
    HANDLE thread;
    UNREFERENCED_PARAMETER(state);
    assert_bugcheck(
        "IRP-93", PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, crash, NULL));
    assert_bugcheck(0x44, {
        PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, crash, NULL);
        KeInitializeEvent(&event, NotificationEvent, FALSE);
        wait_object(&event);
    });
}

static const struct CMUnitTest tests[] = {
    kernel_test(all_that_hold_record_nothing),
    kernel_test(each_that_fails_says_why_and_goes_on),
    kernel_test(a_wait_ends_when_an_assertion_of_another_thread_has_failed),
    kernel_test(a_wait_that_times_out_tells_what_is_pending),
    kernel_test(an_irp_is_waited_for),
    kernel_test(a_condition_is_waited_for),
    kernel_test(a_statement_ends_in_a_bug_check_by_code_or_by_rule),
    kernel_test(the_bug_check_may_be_another_threads),
};

TEST_MAIN(tests)
