/* System threads of IoCreateSystemThread, which keep their driver loaded. */
#include "kernel.h"

#include <ntddk.h>

extern volatile LONG pinned_thread_ended;

static void thread_keeps_its_driver(void **state)
{
    PROVES("THREAD-17", "THREAD-18", "THREAD-19");
    PDRIVER_OBJECT driver = NULL;
    assert_int_equal(wskemu_load_driver(WSKEMU_DRIVER(pinned), &driver), STATUS_SUCCESS);
    assert_int_equal(pinned_thread_ended, 0);
    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
    assert_int_equal(ReadAcquire(&pinned_thread_ended), 1);
}

static void run(PVOID context)
{
    wait_object(context);
}

static void only_devices_and_drivers_have_threads(void **state)
{
    PROVES("THREAD-19");
    HANDLE handle = NULL;
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    assert_int_equal(IoCreateSystemThread(PsGetCurrentThread(), &handle, THREAD_ALL_ACCESS, NULL,
                                          NULL, NULL, run, &event),
                     STATUS_INVALID_HANDLE);
}

static const struct CMUnitTest tests[] = {
    kernel_test(thread_keeps_its_driver),
    kernel_test(only_devices_and_drivers_have_threads),
};

TEST_MAIN(tests)
