/* System threads: how they start, what they are, and how they end. */
#include "kernel.h"

#include <ntifs.h>

/* What a thread saw of itself. */
struct seen {
    PVOID context;
    KIRQL irql;
    BOOLEAN apcs_disabled;
    BOOLEAN all_apcs_disabled;
    PETHREAD thread;
    HANDLE id;
    BOOLEAN is_system;
    NTSTATUS exit_status;
};

static void look(PVOID context)
{
    struct seen *seen = context;
    seen->context = context;
    seen->irql = KeGetCurrentIrql();
    seen->apcs_disabled = KeAreApcsDisabled();
    seen->all_apcs_disabled = KeAreAllApcsDisabled();
    seen->thread = PsGetCurrentThread();
    seen->id = PsGetCurrentThreadId();
    seen->is_system = PsIsSystemThread(PsGetCurrentThread());
    seen->exit_status = PsGetThreadExitStatus(PsGetCurrentThread());
}

static void thread_starts_in_a_critical_region(void **state)
{
    PROVES("THREAD-01", "THREAD-07", "THREAD-08", "THREAD-20", "THREAD-24");
    struct seen seen = {0};
    PKTHREAD thread = start_thread(look, &seen);
    assert_int_equal(wait_object(thread), STATUS_SUCCESS);
    assert_ptr_equal(seen.context, &seen);
    assert_int_equal(seen.irql, PASSIVE_LEVEL);
    assert_true(seen.apcs_disabled);
    assert_false(seen.all_apcs_disabled);
    assert_ptr_equal(seen.thread, thread);
    assert_true(seen.is_system);
    ObDereferenceObject(thread);
}

static void thread_belongs_to_the_system(void **state)
{
    PROVES("THREAD-04", "THREAD-21");
    struct seen seen = {0};
    CLIENT_ID client;
    HANDLE handle = NULL;
    PETHREAD thread = NULL;
    assert_int_equal(
        PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, &client, look, &seen),
        STATUS_SUCCESS);
    assert_int_equal(
        ObReferenceObjectByHandle(handle, 0, *PsThreadType, KernelMode, (PVOID *)&thread, NULL),
        STATUS_SUCCESS);
    assert_int_equal(ZwWaitForSingleObject(handle, FALSE, NULL), STATUS_SUCCESS);
    assert_ptr_equal(PsGetThreadProcess(thread), PsInitialSystemProcess);
    assert_ptr_equal(client.UniqueProcess, PsGetProcessId(PsInitialSystemProcess));
    assert_ptr_equal(client.UniqueThread, seen.id);
    assert_ptr_equal(PsGetThreadId(thread), seen.id);
    assert_ptr_equal(PsGetCurrentProcess(), IoGetCurrentProcess());
    assert_ptr_equal(PsGetCurrentProcessId(), PsGetThreadProcessId(thread));
    ObDereferenceObject(thread);
    ZwClose(handle);
}

static void current_thread_has_one_pointer(void **state)
{
    PROVES("THREAD-20", "THREAD-21");
    KIRQL irql;
    PVOID here = KeGetCurrentThread();
    HANDLE id = PsGetCurrentThreadId();
    assert_ptr_equal(PsGetCurrentThread(), here);
    KeRaiseIrql(HIGH_LEVEL, &irql);
    PVOID raised = PsGetCurrentThread();
    PVOID raised_too = KeGetCurrentThread();
    HANDLE raised_id = PsGetCurrentThreadId();
    HANDLE process_id = PsGetCurrentProcessId();
    KeLowerIrql(irql);
    assert_ptr_equal(raised, here);
    assert_ptr_equal(raised_too, here);
    assert_ptr_equal(raised_id, id);
    assert_ptr_equal(process_id, PsGetCurrentProcessId());
    assert_false(PsIsSystemThread(PsGetCurrentThread()));
}

static void handle_is_the_kernels(void **state)
{
    PROVES("THREAD-03");
    struct seen seen = {0};
    HANDLE handle = NULL;
    PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, look, &seen);
    assert_true((LONG_PTR)handle < 0); /* Windows' mark of kernel handles */
    ZwWaitForSingleObject(handle, FALSE, NULL);
    ZwClose(handle);
}

static void wrong_parameters_are_refused(void **state)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle = NULL;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE | OBJ_PERMANENT, NULL, NULL);
    assert_int_equal(
        PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, &attributes, NULL, NULL, look, NULL),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, (HANDLE)(ULONG_PTR)6,
                                          NULL, look, NULL),
                     STATUS_INVALID_HANDLE);
    assert_int_equal(
        PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, ZwCurrentThread(), NULL, look, NULL),
        STATUS_OBJECT_TYPE_MISMATCH);
}

static BOOLEAN came_back;

static void terminate(PVOID context)
{
    PsTerminateSystemThread(*(NTSTATUS *)context);
    came_back = TRUE;
}

static void terminate_does_not_return(void **state)
{
    PROVES("THREAD-10", "THREAD-15", "THREAD-22");
    NTSTATUS status = STATUS_BUFFER_OVERFLOW;
    came_back = FALSE;
    PKTHREAD thread = start_thread(terminate, &status);
    assert_int_equal(wait_object(thread), STATUS_SUCCESS);
    assert_int_equal(poll_object(thread), STATUS_SUCCESS); /* and stays signalled */
    assert_false(came_back);
    assert_int_equal(PsGetThreadExitStatus((PETHREAD)thread), STATUS_BUFFER_OVERFLOW);
    assert_true(PsIsThreadTerminating((PETHREAD)thread));
    ObDereferenceObject(thread);
}

static void only_system_threads_terminate(void **state)
{
    PROVES("THREAD-11");
    assert_false(NT_SUCCESS(PsTerminateSystemThread(STATUS_SUCCESS)));
}

static int end_in_entry(void *driver, void *path)
{
    UNREFERENCED_PARAMETER(driver);
    UNREFERENCED_PARAMETER(path);
    return PsTerminateSystemThread(STATUS_SUCCESS);
}

static void load_that_ends_its_thread(void *context)
{
    static const struct wskemu_driver_image image = {.name = "ending", .entry = end_in_entry};
    PDRIVER_OBJECT driver;
    UNREFERENCED_PARAMETER(context);
    wskemu_load_driver(&image, &driver);
}

static void a_driver_entry_does_not_end_its_thread(void **state)
{
    PROVES("THREAD-12");
    expect_bugcheck(load_that_ends_its_thread, NULL, ACTIVE_EX_WORKER_THREAD_TERMINATION,
                    ANY_PARAMETER, "THREAD-12");
}

static void wait_for_event(PVOID context)
{
    wait_object(context);
}

static void exit_status_is_pending_meanwhile(void **state)
{
    PROVES("THREAD-22");
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(wait_for_event, &event);
    assert_int_equal(PsGetThreadExitStatus((PETHREAD)thread), STATUS_PENDING);
    assert_false(PsIsThreadTerminating((PETHREAD)thread));
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    wait_object(thread);
    assert_int_equal(PsGetThreadExitStatus((PETHREAD)thread), STATUS_SUCCESS);
    ObDereferenceObject(thread);
}

static void thread_is_found_by_its_id(void **state)
{
    PROVES("THREAD-23");
    KEVENT event;
    PETHREAD found = NULL;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(wait_for_event, &event);
    HANDLE id = PsGetThreadId((PETHREAD)thread);
    assert_int_equal(PsLookupThreadByThreadId(id, &found), STATUS_SUCCESS);
    assert_ptr_equal(found, thread);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    assert_int_equal(PsGetThreadExitStatus(found), STATUS_SUCCESS); /* the reference holds */
    ObDereferenceObject(found);
    assert_int_equal(PsLookupThreadByThreadId((HANDLE)(ULONG_PTR)0x7777, &found),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(PsLookupThreadByThreadId(NULL, &found), STATUS_INVALID_PARAMETER);
    assert_int_equal(PsLookupThreadByThreadId(PsGetCurrentThreadId(), &found), STATUS_SUCCESS);
    assert_ptr_equal(found, PsGetCurrentThread());
    ObDereferenceObject(found);
}

static void many_threads_come_and_go(void **state)
{
    struct seen seen[20] = {0};
    PKTHREAD thread[20];
    for (int i = 0; i < 20; i++) {
        thread[i] = start_thread(look, &seen[i]);
    }
    for (int i = 0; i < 20; i++) {
        wait_object(thread[i]);
        for (int j = 0; j < i; j++) {
            assert_ptr_not_equal(seen[i].id, seen[j].id);
        }
    }
    for (int i = 0; i < 20; i++) {
        ObDereferenceObject(thread[i]);
    }
}

static void stack_has_room(void **state)
{
    PROVES("THREAD-37");
    KIRQL irql;
    ULONG_PTR here = IoGetRemainingStackSize();
    KeRaiseIrql(HIGH_LEVEL, &irql);
    ULONG_PTR raised = IoGetRemainingStackSize();
    KeLowerIrql(irql);
    assert_true(here > 0);
    assert_true(raised > 0);
}

static void create_raised(void *context)
{
    HANDLE handle;
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, look, context);
}

static void creation_needs_passive_level(void **state)
{
    PROVES("THREAD-02");
    expect_bugcheck(create_raised, NULL, DRIVER_VIOLATION, ANY_PARAMETER, NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(thread_starts_in_a_critical_region),
    kernel_test(thread_belongs_to_the_system),
    kernel_test(current_thread_has_one_pointer),
    kernel_test(handle_is_the_kernels),
    kernel_test(wrong_parameters_are_refused),
    kernel_test(terminate_does_not_return),
    kernel_test(only_system_threads_terminate),
    kernel_test(a_driver_entry_does_not_end_its_thread),
    kernel_test(exit_status_is_pending_meanwhile),
    kernel_test(thread_is_found_by_its_id),
    kernel_test(many_threads_come_and_go),
    kernel_test(stack_has_room),
    kernel_test(creation_needs_passive_level),
};

TEST_MAIN(tests)
