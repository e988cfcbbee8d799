/* The test adds and removes transports; the driver has to notice. */
#include <wskemu/cmocka.h>
#include <wskemu/network.h>

#include <ntifs.h>
#include <wsk.h>

#include "transports_codes.h"

#define ENTRIES_MAX 80
#define PROTOCOL 132 /* SCTP, which nobody offers here */

WSKEMU_USE_DRIVER(transports);

static const WSK_TRANSPORT sctp = {.Version = MAKE_WSK_VERSION(1, 0),
                                   .SocketType = SOCK_STREAM,
                                   .Protocol = PROTOCOL,
                                   .AddressFamily = AF_INET};

/* An application: the device, and the event that tells of changes. */
static HANDLE device;
static HANDLE event;

static union {
    TRANSPORTS_LIST list;
    UCHAR bytes[FIELD_OFFSET(TRANSPORTS_LIST, Entries) + ENTRIES_MAX * sizeof(TRANSPORTS_ENTRY)];
} answer;

static NTSTATUS control(ULONG code, PVOID input, ULONG input_bytes, PVOID output,
                        ULONG output_bytes, ULONG_PTR *information)
{
    IO_STATUS_BLOCK block = {0};
    NTSTATUS status = ZwDeviceIoControlFile(device, NULL, NULL, NULL, &block, code, input,
                                            input_bytes, output, output_bytes);
    *information = block.Information;
    return status;
}

static void open_device(void)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\??\\TransportsExample");
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK block;
    ULONG_PTR information;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    assert_int_equal(ZwOpenFile(&device, GENERIC_READ | SYNCHRONIZE, &attributes, &block, 0,
                                FILE_SYNCHRONOUS_IO_NONALERT),
                     STATUS_SUCCESS);
    assert_int_equal(ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE),
                     STATUS_SUCCESS);
    assert_int_equal(
        control(IOCTL_TRANSPORTS_SET_EVENT, &event, sizeof(event), NULL, 0, &information),
        STATUS_SUCCESS);
}

static void close_device(void)
{
    ZwClose(device);
    ZwClose(event);
}

static BOOLEAN driver_lists(USHORT family, USHORT type, ULONG protocol)
{
    ULONG_PTR information;
    assert_int_equal(
        control(IOCTL_TRANSPORTS_QUERY, NULL, 0, &answer, sizeof(answer), &information),
        STATUS_SUCCESS);
    assert_int_equal(information, FIELD_OFFSET(TRANSPORTS_LIST, Entries) +
                                      answer.list.Count * sizeof(TRANSPORTS_ENTRY));
    const TRANSPORTS_ENTRY *entry = answer.list.Entries;
    for (ULONG i = 0; i < answer.list.Count; i++, entry++) {
        if (entry->AddressFamily == family && entry->SocketType == type &&
            entry->Protocol == protocol) {
            return TRUE;
        }
    }
    return FALSE;
}

static BOOLEAN event_is_set(void *context)
{
    LARGE_INTEGER none = {.QuadPart = 0};
    UNREFERENCED_PARAMETER(context);
    return ZwWaitForSingleObject(event, FALSE, &none) == STATUS_SUCCESS;
}

/* Looks at the list each time the event says that it is a new one. */
static void wait_until(BOOLEAN is_listed, USHORT family, USHORT type, ULONG protocol)
{
    do {
        assert_wait_until(event_is_set, NULL, 10000);
    } while (driver_lists(family, type, protocol) != is_listed);
}

static void the_driver_knows_what_wsk_offers(void **state)
{
    (void)state;
    open_device();
    wait_until(TRUE, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(driver_lists(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
    assert_true(driver_lists(AF_INET6, SOCK_STREAM, IPPROTO_TCP));
    assert_false(driver_lists(AF_INET, SOCK_STREAM, PROTOCOL));
    close_device();
}

static void a_new_transport_is_noticed_and_its_end_too(void **state)
{
    (void)state;
    open_device();
    for (int round = 0; round < 10; round++) {
        assert_int_equal(wskemu_transport_add(&sctp), STATUS_SUCCESS);
        wait_until(TRUE, AF_INET, SOCK_STREAM, PROTOCOL);
        assert_int_equal(wskemu_transport_remove(AF_INET, SOCK_STREAM, PROTOCOL), STATUS_SUCCESS);
        wait_until(FALSE, AF_INET, SOCK_STREAM, PROTOCOL);
    }
    close_device();
}

/* Faster than the driver can ask: it may miss the steps, but not where they led. */
static void the_last_of_many_changes_is_never_missed(void **state)
{
    (void)state;
    open_device();
    for (int round = 0; round < 100; round++) {
        assert_int_equal(wskemu_transport_add(&sctp), STATUS_SUCCESS);
        assert_int_equal(wskemu_transport_remove(AF_INET, SOCK_STREAM, PROTOCOL), STATUS_SUCCESS);
    }
    assert_int_equal(wskemu_transport_remove(AF_INET6, SOCK_DGRAM, IPPROTO_UDP), STATUS_SUCCESS);
    wait_until(FALSE, AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
    close_device();
}

static void a_report_without_a_change_does_no_harm(void **state)
{
    (void)state;
    open_device();
    wait_until(TRUE, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    wskemu_transport_changed();
    wait_until(TRUE, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    close_device();
}

static void a_small_buffer_is_told_the_count(void **state)
{
    ULONG_PTR information;
    ULONG count = 0;
    (void)state;
    open_device();
    wait_until(TRUE, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_int_equal(control(IOCTL_TRANSPORTS_QUERY, NULL, 0, &count, sizeof(count), &information),
                     STATUS_BUFFER_OVERFLOW);
    assert_int_equal(count, answer.list.Count);
    close_device();
}

/* The IRP is always pending then: the driver has to get it back by itself. */
static void the_driver_unloads_while_it_watches(void **state)
{
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        wskemu_driver_test(the_driver_knows_what_wsk_offers, transports),
        wskemu_driver_test(a_new_transport_is_noticed_and_its_end_too, transports),
        wskemu_driver_test(the_last_of_many_changes_is_never_missed, transports),
        wskemu_driver_test(a_report_without_a_change_does_no_harm, transports),
        wskemu_driver_test(a_small_buffer_is_told_the_count, transports),
        wskemu_driver_test(the_driver_unloads_while_it_watches, transports),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
