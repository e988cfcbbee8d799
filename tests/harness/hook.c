/* Hooks: a driver's calls counted, delayed, made to fail, replaced; and the queues for it. */
#include "hooked/hooked.h"
#include "kernel.h"
#include "log.h"
#include "test.h"
#include "wsk_end.h"

#include <wskemu/cmocka.h>
#include <wskemu/hook.h>

#include <string.h>

WSKEMU_USE_DRIVER(hooked);

static void calls_are_counted_and_happen(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_status(wskemu_hook_watch("ExAllocatePool2"), STATUS_SUCCESS);
    assert_int_equal(wskemu_calls("ExAllocatePool2"), 0);
    assert_true(hooked_allocates());
    assert_true(hooked_allocates());
    ExFreePoolWithTag(ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, 'tset'), 'tset'); /* the test's */
    assert_int_equal(wskemu_calls("ExAllocatePool2"), 2);
    wskemu_unhook("ExAllocatePool2");
    assert_true(hooked_allocates());
    assert_int_equal(wskemu_calls("ExAllocatePool2"), 0);
}

static void many_arguments_of_a_variable_number_arrive(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_status(wskemu_hook_watch("DbgPrint"), STATUS_SUCCESS);
    log_capture();
    HookedPrint();
    assert_true(log_named("1 2 3 4 5 6 7 eight"));
    assert_int_equal(wskemu_calls("DbgPrint"), 1);
}

static void the_nth_call_fails(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_status(wskemu_hook_fail_nth("ExAllocatePool2", 3, 0), STATUS_SUCCESS);
    assert_true(hooked_allocates());
    assert_true(hooked_allocates());
    assert_false(hooked_allocates());
    assert_true(hooked_allocates());
    wskemu_hook_fail("ExAllocatePool2", NULL);
    assert_false(hooked_allocates());
    assert_false(hooked_allocates());
}

static BOOLEAN is_even(const struct wskemu_call *call, void *context)
{
    ULONG *asked = context;
    (*asked)++;
    assert_string_equal(call->function, "ExAllocatePool2");
    return wskemu_argument(call, 1) % 2 == 0;
}

static void only_calls_that_match_are_taken(void **state)
{
    struct wskemu_hook hook = {.fails = TRUE, .matches = 1u << 1, .argument = {0, 7}};
    ULONG asked = 0;
    UNREFERENCED_PARAMETER(state);
    wskemu_hook("ExAllocatePool2", &hook);
    assert_null(HookedAllocate(7));
    assert_true(hooked_allocates());
    wskemu_unhook("ExAllocatePool2");
    hook = (struct wskemu_hook){.fails = TRUE, .condition = is_even, .context = &asked, .first = 2};
    wskemu_hook("ExAllocatePool2", &hook);
    assert_true(hooked_allocates()); /* the first of 16 */
    HookedFree(HookedAllocate(7));
    assert_null(HookedAllocate(8));
    assert_int_equal(asked, 3);
}

static void a_delayed_call_takes_its_time(void **state)
{
    LARGE_INTEGER before, after;
    UNREFERENCED_PARAMETER(state);
    wskemu_hook_delay("ExAllocatePool2", 20);
    KeQuerySystemTimePrecise(&before);
    assert_true(hooked_allocates());
    KeQuerySystemTimePrecise(&after);
    assert_true(after.QuadPart - before.QuadPart >= 20 * 10000);
}

static PVOID allocate_more(POOL_FLAGS flags, SIZE_T bytes, ULONG tag)
{
    return ExAllocatePool2(flags, bytes * 2, tag);
}

static void a_replacement_may_call_the_function(void **state)
{
    UNREFERENCED_PARAMETER(state);
    wskemu_hook_replace("ExAllocatePool2", allocate_more);
    PUCHAR block = HookedAllocate(16);
    block[31] = 1; /* behind what the driver asked for */
    HookedFree(block);
    assert_int_equal(wskemu_calls("ExAllocatePool2"), 1);
    assert_ptr_equal(wskemu_original("ExAllocatePool2", NULL), (wskemu_function)ExAllocatePool2);
}

static NTSTATUS close_nothing(HANDLE handle)
{
    wskemu_check(0, handle);
    return (NTSTATUS)wskemu_mock();
}

static void queues_say_what_is_returned_and_what_comes(void **state)
{
    UNREFERENCED_PARAMETER(state);
    wskemu_will_return("ExAllocatePool2", NULL);
    wskemu_expect("ExAllocatePool2", 1, 123);
    assert_null(HookedAllocate(123));
    assert_true(hooked_allocates());
    wskemu_hook_replace("ZwClose", close_nothing);
    wskemu_expect("close_nothing", 0, 77);
    wskemu_will_return("close_nothing", STATUS_INVALID_HANDLE);
    assert_status(HookedClose((HANDLE)77), STATUS_INVALID_HANDLE);
}

static void expect_failure(const char *text)
{
    struct wskemu_failure failure;
    assert_true(wskemu_failure_take(&failure));
    assert_non_null(strstr(failure.text, text));
}

static void what_was_queued_and_did_not_come_fails_the_test(void **state)
{
    UNREFERENCED_PARAMETER(state);
    wskemu_expect("ExAllocatePool2", 1, 123);
    hooked_allocates();
    expect_failure("argument 1 of ExAllocatePool2 is 16 (0x10), not 123");
    wskemu_will_return("ExFreePoolWithTag", 5);
    wskemu_expect("nobody", 2, 6);
    wskemu_shutdown();
    expect_failure("ExFreePoolWithTag was not called to return 0x5");
    expect_failure("nobody was not called with 0x6 as argument 2");
    assert_int_equal(wskemu_mock(), 0);
    expect_failure("nothing is queued for");
    assert_status(wskemu_boot(NULL), STATUS_SUCCESS);
}

static void what_cannot_be_hooked_fails_the_test(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_status(wskemu_hook_watch("IoSetCompletionRoutine"), STATUS_PROCEDURE_NOT_FOUND);
    expect_failure("IoSetCompletionRoutine cannot be hooked: it is no function of the kernel's");
    assert_status(wskemu_hook_watch("IoCompleteRequest"), STATUS_PROCEDURE_NOT_FOUND);
    expect_failure("IoCompleteRequest cannot be hooked: drivers call IofCompleteRequest by it");
    assert_status(wskemu_hook_watch("PsThreadType"), STATUS_PROCEDURE_NOT_FOUND);
    expect_failure("PsThreadType cannot be hooked");
    assert_status(wskemu_hook_watch("IofCompleteRequest"), STATUS_SUCCESS);
}

static void hooks_end_with_the_kernel(void **state)
{
    UNREFERENCED_PARAMETER(state);
    wskemu_hook_fail("ExAllocatePool2", NULL);
    assert_false(hooked_allocates());
    wskemu_shutdown();
    assert_status(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_true(hooked_allocates());
}

static void a_routine_by_name_is_hooked_too(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_ptr_equal(HookedFind(L"ZwClose"), (PVOID)(ULONG_PTR)ZwClose);
    wskemu_will_return("ZwClose", STATUS_ACCESS_DENIED);
    NTSTATUS (*close)(HANDLE) = HookedFind(L"ZwClose");
    assert_status(close((HANDLE)5), STATUS_ACCESS_DENIED);
    assert_ptr_equal(HookedFind(L"PsThreadType"), (PVOID)&PsThreadType);
}

/* ---- WSK ---- */

static void an_entry_of_wsk_fails_and_completes_its_irp(void **state)
{
    struct wsk_end end;
    SOCKADDR_INET bound;
    UNREFERENCED_PARAMETER(state);
    assert_status(open_wsk(&end), STATUS_SUCCESS);
    wskemu_hook_fail_nth("WskBind", 1, (ULONG64)STATUS_ADDRESS_ALREADY_EXISTS);
    wskemu_hook_watch("WskSocket"); /* eleven arguments */
    assert_null(listen_loopback(&end, AF_INET, NULL, NULL, &bound));
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    assert_non_null(listener);
    assert_int_equal(wskemu_calls("WskBind"), 2);
    assert_int_equal(wskemu_calls("WskSocket"), 2);
    assert_status(close_socket(&end, listener), STATUS_SUCCESS);
    close_wsk(&end);
}

static void a_late_failure_is_pending_first(void **state)
{
    struct wskemu_hook late = {
        .fails = TRUE, .is_late = TRUE, .result = (ULONG64)STATUS_CONNECTION_RESET};
    struct wsk_end end;
    struct wsk_call call;
    UCHAR byte;
    SOCKADDR_INET bound;
    UNREFERENCED_PARAMETER(state);
    assert_status(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    PWSK_SOCKET socket = connect_to(&end, &bound, NULL, NULL);
    assert_non_null(socket);
    wskemu_hook("WskReceive", &late);
    call_init(&call);
    WSK_BUF buffer = call_buffer(&call, &byte, 1);
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = socket->Dispatch;
    NTSTATUS returned = dispatch->WskReceive(socket, &buffer, 0, call_irp(&call));
    assert_status(returned, STATUS_PENDING);
    assert_status(call_wait(&call, returned), STATUS_CONNECTION_RESET);
    call_free(&call);
    close_socket(&end, socket);
    close_socket(&end, listener);
    close_wsk(&end);
}

static NTSTATUS WSKAPI send_twice(PWSK_SOCKET socket, PWSK_BUF buffer, ULONG flags, PIRP irp)
{
    PFN_WSK_SEND send = (PFN_WSK_SEND)wskemu_original("WskSend", socket->Dispatch);
    wskemu_assert_int_equal(buffer->Length, 2);
    return send(socket, buffer, flags, irp);
}

static void an_entry_of_wsk_is_replaced_in_each_table(void **state)
{
    struct wsk_end end;
    SOCKADDR_INET bound;
    SIZE_T moved;
    UNREFERENCED_PARAMETER(state);
    assert_status(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    PWSK_SOCKET socket = connect_to(&end, &bound, NULL, NULL);
    wskemu_hook_replace("WskSend", send_twice);
    wskemu_expect("WskSend", 2, 0);
    assert_status(send_bytes(&end, socket, "ab", 2, 0, &moved), STATUS_SUCCESS);
    assert_int_equal(wskemu_calls("WskSend"), 1);
    assert_ptr_not_equal(wskemu_original("WskSend", socket->Dispatch), (wskemu_function)send_twice);
    close_socket(&end, socket);
    close_socket(&end, listener);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    wskemu_driver_test(calls_are_counted_and_happen, hooked),
    wskemu_driver_test(many_arguments_of_a_variable_number_arrive, hooked),
    wskemu_driver_test(the_nth_call_fails, hooked),
    wskemu_driver_test(only_calls_that_match_are_taken, hooked),
    wskemu_driver_test(a_delayed_call_takes_its_time, hooked),
    wskemu_driver_test(a_replacement_may_call_the_function, hooked),
    wskemu_driver_test(queues_say_what_is_returned_and_what_comes, hooked),
    wskemu_driver_test(what_was_queued_and_did_not_come_fails_the_test, hooked),
    wskemu_driver_test(what_cannot_be_hooked_fails_the_test, hooked),
    wskemu_driver_test(hooks_end_with_the_kernel, hooked),
    wskemu_driver_test(a_routine_by_name_is_hooked_too, hooked),
    wskemu_test(an_entry_of_wsk_fails_and_completes_its_irp),
    wskemu_test(a_late_failure_is_pending_first),
    wskemu_test(an_entry_of_wsk_is_replaced_in_each_table),
};

TEST_MAIN(tests)
