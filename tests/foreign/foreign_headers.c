/*
 * A driver that was compiled against the kernel headers of MinGW-w64, and not ours, runs: the
 * layouts, the values and the names are Windows', and CR8 is the IRQL.
 */
#include <wskemu/cmocka.h>
#include <wskemu/peer.h>

#include <ntddk.h>

#include "foreign/codes.h"

WSKEMU_USE_DRIVER(foreign);

static NTSTATUS ask(ULONG code, PVOID output, ULONG output_bytes)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(FOREIGN_DEVICE_NAME);
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    KEVENT event;
    IO_STATUS_BLOCK block;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    assert_int_equal(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device),
                     STATUS_SUCCESS);
    PIRP irp = IoBuildDeviceIoControlRequest(code, device, NULL, 0, output, output_bytes, FALSE,
                                             &event, &block);
    assert_non_null(irp);
    IoGetNextIrpStackLocation(irp)->FileObject = file;
    IoCallDriver(device, irp);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(file);
    return block.Status;
}

/* A failed check of the driver's is the number of its line, from 0xE0000000. */
static void assert_agreed(ULONG code)
{
    assert_int_equal(ask(code, NULL, 0), STATUS_SUCCESS);
}

static void inlined_levels_are_the_kernels(void **state)
{
    (void)state;
    assert_agreed(IOCTL_FOREIGN_LEVELS);
}

static void a_timer_runs_its_dpc(void **state)
{
    (void)state;
    assert_agreed(IOCTL_FOREIGN_TIMER);
}

static void memory_is_shared_with_the_kernel(void **state)
{
    (void)state;
    assert_agreed(IOCTL_FOREIGN_MEMORY);
}

static void strings_are_understood(void **state)
{
    (void)state;
    assert_agreed(IOCTL_FOREIGN_STRINGS);
}

static void objects_and_imported_variables_are_the_kernels(void **state)
{
    (void)state;
    assert_agreed(IOCTL_FOREIGN_OBJECTS);
}

static void its_echo_server_serves(void **state)
{
    static UCHAR bytes[100000];
    struct wskemu_peer *peer;
    USHORT port = 0;
    (void)state;
    assert_int_equal(ask(IOCTL_FOREIGN_SERVE, &port, sizeof(port)), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_connect(WSKEMU_LOOPBACK(AF_INET, port), &peer), STATUS_SUCCESS);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (UCHAR)(i * 31 + i / 256);
    }
    assert_int_equal(wskemu_peer_send_all(peer, "hello", 5), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(peer, "hello", 5), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, bytes, sizeof(bytes)), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_shutdown_send(peer), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(peer, bytes, sizeof(bytes)), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_end(peer), STATUS_SUCCESS);
    wskemu_peer_close(peer);
}

static void ask_for(void *context)
{
    ask(*(ULONG *)context, NULL, 0);
}

static struct wskemu_bugcheck stop_of(ULONG code)
{
    struct wskemu_bugcheck caught = {0};
    PDRIVER_OBJECT driver;
    assert_true(wskemu_catch_bugcheck(ask_for, &code, &caught));
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_load_driver(WSKEMU_DRIVER(foreign), &driver), STATUS_SUCCESS);
    return caught;
}

static void an_inlined_lowering_obeys_the_rules(void **state)
{
    (void)state;
    struct wskemu_bugcheck stop = stop_of(IOCTL_FOREIGN_LOWER_WITH_LOCK);
    assert_int_equal(stop.code, DRIVER_VERIFIER_DETECTED_VIOLATION);
    assert_string_equal(stop.rule, "SPIN-23");
}

/* Not possible, but it does not go unnoticed. */
static void the_shared_user_data_page_is_named(void **state)
{
    (void)state;
    struct wskemu_bugcheck stop = stop_of(IOCTL_FOREIGN_SHARED_PAGE);
    assert_int_equal(stop.code, PAGE_FAULT_IN_NONPAGED_AREA);
    assert_int_equal(stop.parameter[0], 0xFFFFF78000000320ULL);
    assert_non_null(strstr(stop.sentence, "shared user data"));
}

static const struct CMUnitTest tests[] = {
    wskemu_driver_test(inlined_levels_are_the_kernels, foreign),
    wskemu_driver_test(a_timer_runs_its_dpc, foreign),
    wskemu_driver_test(memory_is_shared_with_the_kernel, foreign),
    wskemu_driver_test(strings_are_understood, foreign),
    wskemu_driver_test(objects_and_imported_variables_are_the_kernels, foreign),
    wskemu_driver_test(its_echo_server_serves, foreign),
    wskemu_driver_test(an_inlined_lowering_obeys_the_rules, foreign),
    wskemu_driver_test(the_shared_user_data_page_is_named, foreign),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
