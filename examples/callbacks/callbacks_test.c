/* A client sends without a pause while the test turns the driver's callback off and on. */
#include <wskemu/cmocka.h>
#include <wskemu/peer.h>
#include <wskemu/registry.h>

#include <ntifs.h>

#include "callbacks_codes.h"

#define PARAMETERS                                                                                 \
    L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\callbacks\\Parameters"
#define DATA_BYTES (2 * 1024 * 1024)
#define CHUNK_BYTES 5000
#define PAUSES 50

WSKEMU_USE_DRIVER(callbacks);

static USHORT port;
static HANDLE device;
static UCHAR data[DATA_BYTES];
static ULONG sums[DATA_BYTES + 1]; /* of the first so many bytes */

static void choose_port(void)
{
    ULONG value = port = wskemu_free_port(AF_INET, SOCK_STREAM);
    assert_int_equal(wskemu_registry_set(PARAMETERS, L"Port", REG_DWORD, &value, sizeof(value)),
                     STATUS_SUCCESS);
    for (ULONG i = 0; i < DATA_BYTES; i++) {
        data[i] = (UCHAR)(i * 2654435761U >> 24);
        sums[i + 1] = sums[i] * 31 + data[i];
    }
}

static struct wskemu_peer *connect_client(void)
{
    struct wskemu_peer *peer;
    assert_int_equal(wskemu_peer_connect(WSKEMU_LOOPBACK(AF_INET, port), &peer), STATUS_SUCCESS);
    return peer;
}

static void open_device(void)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\??\\CallbacksExample");
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK block;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    assert_int_equal(ZwOpenFile(&device, GENERIC_READ | SYNCHRONIZE, &attributes, &block, 0,
                                FILE_SYNCHRONOUS_IO_NONALERT),
                     STATUS_SUCCESS);
}

static NTSTATUS control(ULONG code)
{
    IO_STATUS_BLOCK block;
    return ZwDeviceIoControlFile(device, NULL, NULL, NULL, &block, code, NULL, 0, NULL, 0);
}

static NTSTATUS query(CALLBACKS_STATISTICS *statistics)
{
    IO_STATUS_BLOCK block;
    return ZwDeviceIoControlFile(device, NULL, NULL, NULL, &block, IOCTL_CALLBACKS_QUERY, NULL, 0,
                                 statistics, sizeof(*statistics));
}

/* The two numbers belong together: they are those of one moment. */
static ULONGLONG expect_whole_statistics(void)
{
    CALLBACKS_STATISTICS statistics;
    assert_int_equal(query(&statistics), STATUS_SUCCESS);
    assert_true(statistics.Bytes <= DATA_BYTES);
    assert_int_equal(statistics.Sum, sums[statistics.Bytes]);
    return statistics.Bytes;
}

/* The client ends, and the driver when it has counted all. */
static void expect_all_counted(struct wskemu_peer *peer, ULONGLONG bytes)
{
    assert_int_equal(wskemu_peer_shutdown_send(peer), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_end(peer), STATUS_SUCCESS);
    wskemu_peer_close(peer);
    /* The driver is about to close its socket, and controls wait for that. */
    assert_int_equal(control(IOCTL_CALLBACKS_PAUSE), STATUS_DEVICE_NOT_CONNECTED);
    assert_int_equal(expect_whole_statistics(), bytes);
}

/* The first control that succeeds shows that the driver has accepted its client. */
static void resume_after(ULONG pause)
{
    LARGE_INTEGER millisecond = {.QuadPart = -10000};
    NTSTATUS status = control(pause);
    while (status == STATUS_DEVICE_NOT_CONNECTED) {
        KeDelayExecutionThread(KernelMode, FALSE, &millisecond);
        status = control(pause);
    }
    assert_true(status == STATUS_SUCCESS || status == STATUS_EVENT_PENDING);
    assert_int_equal(control(IOCTL_CALLBACKS_RESUME), STATUS_SUCCESS);
}

/* ---- a client that sends all the time, in a thread of its own ---- */

static struct {
    struct wskemu_peer *peer;
    NTSTATUS status;
    PETHREAD thread;
} sender;

static VOID send_data(PVOID context)
{
    sender.status = STATUS_SUCCESS;
    (void)context;
    for (SIZE_T sent = 0; sent < DATA_BYTES && sender.status == STATUS_SUCCESS;
         sent += CHUNK_BYTES) {
        sender.status =
            wskemu_peer_send_all(sender.peer, data + sent, min(CHUNK_BYTES, DATA_BYTES - sent));
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void start_sender(void)
{
    HANDLE handle;
    sender.peer = connect_client();
    assert_int_equal(
        PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, send_data, NULL),
        STATUS_SUCCESS);
    ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode,
                              (PVOID *)&sender.thread, NULL);
    ZwClose(handle);
}

static void end_sender(void)
{
    KeWaitForSingleObject(sender.thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(sender.thread);
    assert_int_equal(sender.status, STATUS_SUCCESS);
    expect_all_counted(sender.peer, DATA_BYTES);
}

/* ---- tests ---- */

static void all_that_a_client_sends_is_counted(void **state)
{
    (void)state;
    open_device();
    start_sender();
    end_sender();
    ZwClose(device);
}

static void nothing_is_lost_while_the_callback_is_turned_off_and_on(void **state)
{
    (void)state;
    open_device();
    start_sender();
    for (int i = 0; i < PAUSES; i++) {
        resume_after(IOCTL_CALLBACKS_PAUSE);
    }
    end_sender();
    ZwClose(device);
}

static void who_waited_for_the_callback_sees_numbers_of_one_moment(void **state)
{
    (void)state;
    open_device();
    start_sender();
    resume_after(IOCTL_CALLBACKS_PAUSE_AND_WAIT);
    for (int i = 0; i < PAUSES; i++) {
        assert_int_equal(control(IOCTL_CALLBACKS_PAUSE_AND_WAIT), STATUS_SUCCESS);
        ULONGLONG bytes = expect_whole_statistics();
        assert_int_equal(expect_whole_statistics(), bytes);
        assert_int_equal(control(IOCTL_CALLBACKS_RESUME), STATUS_SUCCESS);
    }
    end_sender();
    ZwClose(device);
}

static void a_client_that_sends_on_is_held_up_until_the_callback_is_on(void **state)
{
    SIZE_T total = 0;
    SIZE_T sent;
    (void)state;
    open_device();
    struct wskemu_peer *peer = connect_client();
    resume_after(IOCTL_CALLBACKS_PAUSE_AND_WAIT);
    assert_int_equal(control(IOCTL_CALLBACKS_PAUSE_AND_WAIT), STATUS_SUCCESS);
    wskemu_peer_set_deadline(peer, 50);
    while (total < DATA_BYTES &&
           wskemu_peer_send(peer, data + total, DATA_BYTES - total, &sent) == STATUS_SUCCESS) {
        total += sent;
    }
    assert_int_equal(expect_whole_statistics(), 0);
    wskemu_peer_set_deadline(peer, 10000);
    assert_int_equal(control(IOCTL_CALLBACKS_RESUME), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, data + total, DATA_BYTES - total), STATUS_SUCCESS);
    expect_all_counted(peer, DATA_BYTES);
    ZwClose(device);
}

static void controls_that_do_not_fit_are_refused(void **state)
{
    CALLBACKS_STATISTICS statistics;
    (void)state;
    open_device();
    assert_int_equal(control(IOCTL_CALLBACKS_PAUSE), STATUS_DEVICE_NOT_CONNECTED);
    assert_int_equal(control(IOCTL_CALLBACKS_RESUME), STATUS_DEVICE_NOT_CONNECTED);
    struct wskemu_peer *peer = connect_client();
    resume_after(IOCTL_CALLBACKS_PAUSE_AND_WAIT);
    assert_int_equal(control(IOCTL_CALLBACKS_RESUME), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(query(&statistics), STATUS_DEVICE_BUSY);
    assert_int_equal(control(IOCTL_CALLBACKS_PAUSE_AND_WAIT), STATUS_SUCCESS);
    assert_int_equal(control(IOCTL_CALLBACKS_PAUSE), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(control(IOCTL_CALLBACKS_RESUME), STATUS_SUCCESS);
    expect_all_counted(peer, 0);
    ZwClose(device);
}

/* The accept event is off while a client is there; the others wait with the transport. */
static void clients_are_served_one_after_the_other(void **state)
{
    struct wskemu_peer *peers[5];
    (void)state;
    open_device();
    for (unsigned i = 0; i < RTL_NUMBER_OF(peers); i++) {
        peers[i] = connect_client();
        assert_int_equal(wskemu_peer_send_all(peers[i], data, 1000 * (i + 1)), STATUS_SUCCESS);
    }
    for (unsigned i = 0; i < RTL_NUMBER_OF(peers); i++) {
        assert_int_equal(wskemu_peer_shutdown_send(peers[i]), STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_expect_end(peers[i]), STATUS_SUCCESS);
        wskemu_peer_close(peers[i]);
    }
    struct wskemu_peer *last = connect_client();
    assert_int_equal(wskemu_peer_send_all(last, data, 7), STATUS_SUCCESS);
    expect_all_counted(last, 7);
    ZwClose(device);
}

static void a_reset_while_paused_makes_room_for_the_next(void **state)
{
    (void)state;
    open_device();
    struct wskemu_peer *peer = connect_client();
    resume_after(IOCTL_CALLBACKS_PAUSE_AND_WAIT);
    assert_int_equal(control(IOCTL_CALLBACKS_PAUSE_AND_WAIT), STATUS_SUCCESS);
    wskemu_peer_reset(peer);
    peer = connect_client();
    assert_int_equal(wskemu_peer_send_all(peer, data, 1000), STATUS_SUCCESS);
    expect_all_counted(peer, 1000);
    ZwClose(device);
}

static void the_driver_unloads_with_a_client_that_is_paused(void **state)
{
    open_device();
    struct wskemu_peer *peer = connect_client();
    struct wskemu_peer *next = connect_client();
    resume_after(IOCTL_CALLBACKS_PAUSE_AND_WAIT);
    assert_int_equal(control(IOCTL_CALLBACKS_PAUSE_AND_WAIT), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, data, 1000), STATUS_SUCCESS);
    ZwClose(device);
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    wskemu_peer_close(peer);
    wskemu_peer_close(next);
}

static void the_driver_unloads_while_a_client_sends(void **state)
{
    start_sender();
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    KeWaitForSingleObject(sender.thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(sender.thread);
    wskemu_peer_close(sender.peer);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        wskemu_driver_test_setup(all_that_a_client_sends_is_counted, callbacks, choose_port),
        wskemu_driver_test_setup(nothing_is_lost_while_the_callback_is_turned_off_and_on, callbacks,
                                 choose_port),
        wskemu_driver_test_setup(who_waited_for_the_callback_sees_numbers_of_one_moment, callbacks,
                                 choose_port),
        wskemu_driver_test_setup(a_client_that_sends_on_is_held_up_until_the_callback_is_on,
                                 callbacks, choose_port),
        wskemu_driver_test_setup(controls_that_do_not_fit_are_refused, callbacks, choose_port),
        wskemu_driver_test_setup(clients_are_served_one_after_the_other, callbacks, choose_port),
        wskemu_driver_test_setup(a_reset_while_paused_makes_room_for_the_next, callbacks,
                                 choose_port),
        wskemu_driver_test_setup(the_driver_unloads_with_a_client_that_is_paused, callbacks,
                                 choose_port),
        wskemu_driver_test_setup(the_driver_unloads_while_a_client_sends, callbacks, choose_port),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
