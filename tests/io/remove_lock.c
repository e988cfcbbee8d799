/* Remove locks. */
#include "io_driver.h"

static void acquiring_ends_with_the_removal(void **state)
{
    PROVES("FAST-48");
    IO_REMOVE_LOCK lock;
    IoInitializeRemoveLock(&lock, 'tseT', 0, 0);
    assert_int_equal(IoAcquireRemoveLock(&lock, &lock), STATUS_SUCCESS);
    assert_int_equal(IoAcquireRemoveLock(&lock, NULL), STATUS_SUCCESS);
    IoReleaseRemoveLock(&lock, NULL);
    IoReleaseRemoveLockAndWait(&lock, &lock);
    assert_int_equal(IoAcquireRemoveLock(&lock, NULL), STATUS_DELETE_PENDING);
    assert_int_equal(IoAcquireRemoveLock(&lock, NULL), STATUS_DELETE_PENDING);
}

static VOID remove_device(PVOID context)
{
    IO_REMOVE_LOCK *lock = context;
    if (NT_SUCCESS(IoAcquireRemoveLock(lock, NULL))) {
        IoReleaseRemoveLockAndWait(lock, NULL);
    }
}

static void removal_waits_for_the_last_holder(void **state)
{
    PROVES("FAST-48");
    STAYS_SILENT("FAST-49");
    IO_REMOVE_LOCK lock;
    IoInitializeRemoveLock(&lock, 'tseT', 0, 0);
    assert_int_equal(IoAcquireRemoveLock(&lock, &lock), STATUS_SUCCESS);
    PKTHREAD thread = start_thread(remove_device, &lock);
    await_blocked(thread);
    assert_int_equal(IoAcquireRemoveLock(&lock, NULL), STATUS_DELETE_PENDING);
    assert_int_equal(poll_object(thread), STATUS_TIMEOUT);
    IoReleaseRemoveLock(&lock, &lock);
    join_thread(thread);
}

static void release_too_often(void *context)
{
    IO_REMOVE_LOCK lock;
    UNREFERENCED_PARAMETER(context);
    IoInitializeRemoveLock(&lock, 'tseT', 0, 0);
    IoReleaseRemoveLock(&lock, NULL);
}

static void a_release_without_an_acquire_is_caught(void **state)
{
    PROVES("FAST-49");
    expect_bugcheck(release_too_often, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xD5, "FAST-49");
}

static const struct CMUnitTest tests[] = {
    kernel_test(acquiring_ends_with_the_removal),
    kernel_test(removal_waits_for_the_last_holder),
    kernel_test(a_release_without_an_acquire_is_caught),
};

TEST_MAIN(tests)
