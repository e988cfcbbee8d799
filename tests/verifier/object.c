/* Objects, handles, threads, work items and devices: misuse, and drivers that use them well. */
#include "../io/io_driver.h"
#include "twins.h"

/* ---- handles ---- */

static HANDLE make_event(void)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle = NULL;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    assert_int_equal(
        ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE),
        STATUS_SUCCESS);
    return handle;
}

static void reference(HANDLE handle, KPROCESSOR_MODE mode)
{
    PVOID object = NULL;
    if (NT_SUCCESS(ObReferenceObjectByHandle(handle, EVENT_MODIFY_STATE, *ExEventObjectType, mode,
                                             &object, NULL))) {
        ObDereferenceObject(object);
    }
}

static void reference_null(void *context)
{
    UNREFERENCED_PARAMETER(context);
    reference(NULL, KernelMode);
}

static void reference_closed(void *context)
{
    HANDLE handle = make_event();
    UNREFERENCED_PARAMETER(context);
    ZwClose(handle);
    reference(handle, KernelMode);
}

static void reference_for_user(void *context)
{
    HANDLE handle = make_event();
    UNREFERENCED_PARAMETER(context);
    reference(handle, UserMode);
    ZwClose(handle);
}

/* As a device control with a handle in its input: the program may send anything. */
static void reference_a_users(void *context)
{
    HANDLE handle = NULL;
    UNREFERENCED_PARAMETER(context);
    assert_int_equal(ZwCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE),
                     STATUS_SUCCESS);
    reference(handle, UserMode);
    ZwClose(handle);
    reference(handle, UserMode);
}

static void close_twice(void *context)
{
    HANDLE handle = make_event();
    UNREFERENCED_PARAMETER(context);
    ZwClose(handle);
    ZwClose(handle);
}

static void use_and_close(void *context)
{
    HANDLE handle = make_event();
    UNREFERENCED_PARAMETER(context);
    reference(handle, KernelMode);
    ZwClose(handle);
}

static void test_misuse_of_a_handle_is_caught(void **state)
{
    PROVES("OB-07", "OB-24");
    expect_warning(reference_null, NULL, "OB-07");
    expect_warning(reference_closed, NULL, "OB-07");
    expect_warning(reference_for_user, NULL, "OB-07");
    expect_warning(close_twice, NULL, "OB-24");
}

static void test_use_of_a_handle_is_fine(void **state)
{
    STAYS_SILENT("OB-07", "OB-24", "OB-12", "OB-16");
    expect_silence(use_and_close, NULL);
    expect_silence(reference_a_users, NULL);
}

/* ---- names ---- */

static void create_named(USHORT length, USHORT maximum_length)
{
    static WCHAR text[] = L"\\BaseNamedObjects\\Twin";
    UNICODE_STRING name = {.Buffer = text, .Length = length, .MaximumLength = maximum_length};
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle = NULL;
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (NT_SUCCESS(
            ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE))) {
        ZwClose(handle);
    }
}

static void name_with_odd_length(void *context)
{
    UNREFERENCED_PARAMETER(context);
    create_named(43, 46);
}

static void name_longer_than_its_buffer(void *context)
{
    UNREFERENCED_PARAMETER(context);
    create_named(44, 42);
}

static void name_well_formed(void *context)
{
    UNREFERENCED_PARAMETER(context);
    create_named(44, 46);
}

static void test_a_malformed_name_is_caught(void **state)
{
    PROVES("OB-27");
    expect_warning(name_with_odd_length, NULL, "OB-27");
    expect_warning(name_longer_than_its_buffer, NULL, "OB-27");
}

static void test_a_well_formed_name_is_fine(void **state)
{
    STAYS_SILENT("OB-27");
    expect_silence(name_well_formed, NULL);
}

/* ---- references ---- */

static void dereference_a_handles_object(void *context)
{
    PVOID object = NULL;
    HANDLE handle = make_event();
    UNREFERENCED_PARAMETER(context);
    ObReferenceObjectByHandle(handle, EVENT_MODIFY_STATE, *ExEventObjectType, KernelMode, &object,
                              NULL);
    ObDereferenceObject(object);
    ObDereferenceObject(object);
}

static void dereference_a_device(void *context)
{
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    UNREFERENCED_PARAMETER(context);
    ObDereferenceObject(device);
}

static void use_after_the_last_reference(void *context)
{
    PVOID object = NULL;
    HANDLE handle = make_event();
    UNREFERENCED_PARAMETER(context);
    ObReferenceObjectByHandle(handle, EVENT_MODIFY_STATE, *ExEventObjectType, KernelMode, &object,
                              NULL);
    ZwClose(handle);
    ObDereferenceObject(object);
    ObReferenceObject(object);
}

static void test_too_many_dereferences_are_caught(void **state)
{
    PROVES("OB-12", "OB-16");
    expect_bugcheck(dereference_a_handles_object, NULL, REFERENCE_BY_POINTER, ANY_PARAMETER,
                    "OB-12");
    expect_bugcheck(dereference_a_device, NULL, REFERENCE_BY_POINTER, ANY_PARAMETER, "OB-12");
    expect_bugcheck(use_after_the_last_reference, NULL, REFERENCE_BY_POINTER, ANY_PARAMETER,
                    "OB-16");
}

/* ---- threads ---- */

static VOID do_nothing(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
}

static void create_thread(ULONG attributes_flags, PCLIENT_ID client)
{
    PVOID thread = NULL;
    HANDLE handle = NULL;
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, NULL, attributes_flags, NULL, NULL);
    NTSTATUS status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, &attributes, NULL, client,
                                           do_nothing, NULL);
    if (!NT_SUCCESS(status)) {
        return;
    }
    ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread, NULL);
    ZwClose(handle);
    join_thread(thread);
}

static void create_exclusive(void *context)
{
    UNREFERENCED_PARAMETER(context);
    create_thread(OBJ_KERNEL_HANDLE | OBJ_EXCLUSIVE, NULL);
}

static void create_with_client(void *context)
{
    CLIENT_ID client;
    UNREFERENCED_PARAMETER(context);
    create_thread(OBJ_KERNEL_HANDLE, &client);
}

static void create_plainly(void *context)
{
    UNREFERENCED_PARAMETER(context);
    create_thread(OBJ_KERNEL_HANDLE, NULL);
}

static VOID set_priority(PVOID context)
{
    KeSetPriorityThread(KeGetCurrentThread(), *(const KPRIORITY *)context);
}

/* context: the priority. */
static void run_with_priority(void *context)
{
    join_thread(start_thread(set_priority, context));
}

static KPRIORITY low = LOW_PRIORITY;
static KPRIORITY real_time = LOW_REALTIME_PRIORITY;

static void test_wrong_ways_to_make_a_thread_are_caught(void **state)
{
    PROVES("THREAD-05", "THREAD-06", "THREAD-32");
    expect_warning(create_exclusive, NULL, "THREAD-06");
    expect_warning(create_with_client, NULL, "THREAD-05");
    expect_warning(run_with_priority, &low, "THREAD-32");
}

static void test_the_usual_way_to_make_a_thread_is_fine(void **state)
{
    STAYS_SILENT("THREAD-05", "THREAD-06", "THREAD-32");
    expect_silence(create_plainly, NULL);
    expect_silence(run_with_priority, &real_time);
}

/* ---- work items ---- */

static VOID tell(PDEVICE_OBJECT device, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static void queue_to(WORK_QUEUE_TYPE type)
{
    KEVENT done;
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    PIO_WORKITEM item = IoAllocateWorkItem(device);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoQueueWorkItem(item, tell, type, &done);
    wait_object(&done);
    IoFreeWorkItem(item);
    wskemu_unload_driver(device->DriverObject);
}

static void queue_critical(void *context)
{
    UNREFERENCED_PARAMETER(context);
    queue_to(CriticalWorkQueue);
}

static void queue_delayed(void *context)
{
    UNREFERENCED_PARAMETER(context);
    queue_to(DelayedWorkQueue);
}

/* context: the flag of the pool. */
static void make_item_in_pool(void *context)
{
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    PIO_WORKITEM item = ExAllocatePool2((POOL_FLAGS)(ULONG_PTR)context, IoSizeofWorkItem(), 'metI');
    IoInitializeWorkItem(device, item);
    IoUninitializeWorkItem(item);
    ExFreePoolWithTag(item, 'metI');
    wskemu_unload_driver(device->DriverObject);
}

static void test_misuse_of_work_items_is_caught(void **state)
{
    PROVES("WORK-05", "WORK-12");
    expect_warning(queue_critical, NULL, "WORK-12");
    expect_bugcheck(make_item_in_pool, (PVOID)POOL_FLAG_PAGED, DRIVER_VERIFIER_DETECTED_VIOLATION,
                    0x131, "WORK-05");
}

static void test_use_of_work_items_is_fine(void **state)
{
    STAYS_SILENT("WORK-05", "WORK-12");
    expect_silence(queue_delayed, NULL);
    expect_silence(make_item_in_pool, (PVOID)POOL_FLAG_NON_PAGED);
}

/* ---- devices ---- */

static void open_with(ULONG characteristics, ULONG flags)
{
    PDEVICE_OBJECT device = NULL;
    HANDLE handle = NULL;
    PDRIVER_OBJECT driver = load_plain();
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Twin");
    IoCreateDevice(driver, sizeof(struct node), &name, 0x8000, characteristics, FALSE, &device);
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    device->Flags |= flags;
    if (NT_SUCCESS(
            open_device(name.Buffer, FILE_READ_DATA, FILE_SYNCHRONOUS_IO_NONALERT, &handle))) {
        ZwClose(handle);
    }
    wskemu_unload_driver(driver);
}

static void open_insecure(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_with(0, 0);
}

static void open_with_a_systems_flag(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_with(FILE_DEVICE_SECURE_OPEN, DO_MAP_IO_BUFFER);
}

static void open_plainly(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_with(FILE_DEVICE_SECURE_OPEN, DO_BUFFERED_IO);
}

static void test_a_wrongly_made_device_is_caught(void **state)
{
    PROVES("DEV-32", "DEV-34");
    expect_warning(open_insecure, NULL, "DEV-32");
    expect_warning(open_with_a_systems_flag, NULL, "DEV-34");
}

static void test_a_well_made_device_is_fine(void **state)
{
    STAYS_SILENT("DEV-32", "DEV-34");
    expect_silence(open_plainly, NULL);
}

/* ---- drivers ---- */

static int entry_without_unload(void *object, void *registry_path)
{
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(registry_path);
    return STATUS_SUCCESS;
}

static void load_without_unload(void *context)
{
    UNREFERENCED_PARAMETER(context);
    load_entry(entry_without_unload);
    wskemu_shutdown();
}

static void load_with_unload(void *context)
{
    UNREFERENCED_PARAMETER(context);
    load_plain();
    wskemu_shutdown();
}

static void test_a_driver_without_unload_routine_is_caught(void **state)
{
    PROVES("DEV-14");
    log_capture();
    load_without_unload(NULL);
    assert_true(log_named("DEV-14"));
    kernel_setup(NULL);
}

static void test_a_driver_with_an_unload_routine_is_fine(void **state)
{
    STAYS_SILENT("DEV-14");
    expect_silence(load_with_unload, NULL);
    kernel_setup(NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_misuse_of_a_handle_is_caught),
    kernel_test(test_use_of_a_handle_is_fine),
    kernel_test(test_a_malformed_name_is_caught),
    kernel_test(test_a_well_formed_name_is_fine),
    kernel_test(test_too_many_dereferences_are_caught),
    kernel_test(test_wrong_ways_to_make_a_thread_are_caught),
    kernel_test(test_the_usual_way_to_make_a_thread_is_fine),
    kernel_test(test_misuse_of_work_items_is_caught),
    kernel_test(test_use_of_work_items_is_fine),
    kernel_test(test_a_wrongly_made_device_is_caught),
    kernel_test(test_a_well_made_device_is_fine),
    kernel_test(test_a_driver_without_unload_routine_is_caught),
    kernel_test(test_a_driver_with_an_unload_routine_is_fine),
};

TEST_MAIN(tests)
