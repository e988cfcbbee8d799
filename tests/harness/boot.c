/* Booting and shutting down, and what is reported as left. */
#include "test.h"

#include "base/stack.h"

#include <ntddk.h>
#include <wskemu/wskemu.h>

#include <string.h>

static char written[4096];
static size_t written_length;

static void keep(void *context, const char *text, size_t length)
{
    UNREFERENCED_PARAMETER(context);
    if (written_length + length < sizeof(written)) {
        memcpy(written + written_length, text, length);
        written_length += length;
        written[written_length] = '\0';
    }
}

static void listen_to_log(void)
{
    written_length = 0;
    written[0] = '\0';
    wskemu_log_redirect(keep, NULL);
}

static void a_kernel_boots_and_ends_again_and_again(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
        assert_int_equal(wskemu_shutdown(), 0);
    }
}

static void only_one_kernel_runs_at_a_time(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_boot(NULL), STATUS_DEVICE_ALREADY_ATTACHED);
    assert_int_equal(wskemu_shutdown(), 0);
    assert_int_equal(wskemu_shutdown(), 0);
}

static void too_many_processors_are_refused(void **state)
{
    struct wskemu_options options = {.processors = 65};
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_boot(&options), STATUS_INVALID_PARAMETER);
    options.processors = 64;
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    assert_int_equal(wskemu_shutdown(), 0);
}

static void an_irp_and_an_mdl_that_are_left_are_counted_and_named(void **state)
{
    UCHAR buffer[16];
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_non_null(IoAllocateIrp(1, FALSE));
    assert_non_null(IoAllocateMdl(buffer, sizeof(buffer), FALSE, FALSE, NULL));
    listen_to_log();
    unsigned left = wskemu_shutdown();
    wskemu_log_redirect(NULL, NULL);
    assert_int_equal(left, 2);
    assert_non_null(strstr(written, "left: IRP"));
    assert_non_null(strstr(written, "left: MDL"));
    if (strchr(base_stack_site(__builtin_return_address(0)).text, ':') != NULL) {
        assert_non_null(strstr(written, "boot.c:")); /* this build knows files and lines */
    }
}

static void a_timer_that_is_set_is_left(void **state)
{
    static KTIMER timer;
    LARGE_INTEGER due = {.QuadPart = -100000000};
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    KeInitializeTimer(&timer);
    KeSetTimer(&timer, due, NULL);
    listen_to_log();
    unsigned left = wskemu_shutdown();
    wskemu_log_redirect(NULL, NULL);
    assert_int_equal(left, 1);
    assert_non_null(strstr(written, "left: timer"));
}

static KEVENT never;

static VOID wait_for_ever(PVOID context)
{
    KEVENT *started = context;
    KeSetEvent(started, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&never, Executive, KernelMode, FALSE, NULL);
}

static void a_thread_that_still_runs_is_left_and_the_next_kernel_boots(void **state)
{
    HANDLE handle;
    static KEVENT started;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    KeInitializeEvent(&started, NotificationEvent, FALSE);
    NTSTATUS status = PsCreateSystemThread(&handle, 0, NULL, NULL, NULL, wait_for_ever, &started);
    assert_int_equal(status, STATUS_SUCCESS);
    KeWaitForSingleObject(&started, Executive, KernelMode, FALSE, NULL);
    ZwClose(handle);
    listen_to_log();
    unsigned left = wskemu_shutdown();
    wskemu_log_redirect(NULL, NULL);
    assert_true(left >= 1);
    assert_non_null(strstr(written, "system threads still run"));
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_shutdown(), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_kernel_boots_and_ends_again_and_again),
    cmocka_unit_test(only_one_kernel_runs_at_a_time),
    cmocka_unit_test(too_many_processors_are_refused),
    cmocka_unit_test(an_irp_and_an_mdl_that_are_left_are_counted_and_named),
    cmocka_unit_test(a_timer_that_is_set_is_left),
    cmocka_unit_test(a_thread_that_still_runs_is_left_and_the_next_kernel_boots),
};

TEST_MAIN(tests)
