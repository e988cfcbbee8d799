/* Bug checks that a test expects, on its own thread and on others. */
#include "test.h"

#include <ntddk.h>
#include <wskemu/wskemu.h>

#include <stdlib.h>
#include <string.h>

static int boot(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return wskemu_boot(NULL) == STATUS_SUCCESS ? 0 : -1;
}

/* After an expected bug check there is no kernel any more, and the next one boots. */
static int boot_once_more(void **state)
{
    UNREFERENCED_PARAMETER(state);
    if (wskemu_boot(NULL) != STATUS_SUCCESS) {
        return -1;
    }
    return wskemu_shutdown() == 0 ? 0 : -1;
}

#define bugcheck_test(function) cmocka_unit_test_setup_teardown(function, boot, boot_once_more)

static void crash(void *context)
{
    UNREFERENCED_PARAMETER(context);
    KeBugCheckEx(0xE2, 1, 2, 3, 4);
}

static void an_own_bug_check_is_caught_with_its_parameters(void **state)
{
    PROVES("BUGCHECK-01");
    struct wskemu_bugcheck caught;
    UNREFERENCED_PARAMETER(state);
    assert_true(wskemu_catch_bugcheck(crash, NULL, &caught));
    assert_int_equal(caught.code, 0xE2);
    for (ULONG_PTR i = 0; i < 4; i++) {
        assert_int_equal(caught.parameter[i], i + 1);
    }
}

static void crash_without_parameters(void *context)
{
    UNREFERENCED_PARAMETER(context);
    KeBugCheck(0xE2);
}

static void ke_bug_check_has_no_parameters(void **state)
{
    struct wskemu_bugcheck caught;
    UNREFERENCED_PARAMETER(state);
    assert_true(wskemu_catch_bugcheck(crash_without_parameters, NULL, &caught));
    assert_int_equal(caught.code, 0xE2);
    assert_int_equal(caught.parameter[0], 0);
}

static VOID crash_in_thread(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    KeBugCheckEx(0xE2, 7, 0, 0, 0);
}

static KEVENT never;

static void start_crashing_thread(void)
{
    HANDLE handle;
    if (NT_SUCCESS(PsCreateSystemThread(&handle, 0, NULL, NULL, NULL, crash_in_thread, NULL))) {
        ZwClose(handle);
    }
}

static void wait_while_another_crashes(void *context)
{
    UNREFERENCED_PARAMETER(context);
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    start_crashing_thread();
    KeWaitForSingleObject(&never, Executive, KernelMode, FALSE, NULL);
}

static void a_bug_check_of_another_thread_ends_a_wait(void **state)
{
    struct wskemu_bugcheck caught;
    UNREFERENCED_PARAMETER(state);
    assert_true(wskemu_catch_bugcheck(wait_while_another_crashes, NULL, &caught));
    assert_int_equal(caught.parameter[0], 7);
}

static void compute_while_another_crashes(void *context)
{
    UNREFERENCED_PARAMETER(context);
    start_crashing_thread();
    for (;;) {
        KeGetCurrentIrql(); /* any entry into the kernel ends here once it is halted */
    }
}

static void a_bug_check_of_another_thread_ends_the_test_at_its_next_entry(void **state)
{
    struct wskemu_bugcheck caught;
    UNREFERENCED_PARAMETER(state);
    assert_true(wskemu_catch_bugcheck(compute_while_another_crashes, NULL, &caught));
    assert_int_equal(caught.parameter[0], 7);
}

static void do_nothing(void *context)
{
    UNREFERENCED_PARAMETER(context);
}

/* The pointer is nowhere but here. */
static void hold_memory_and_crash(void *context)
{
    void *volatile held = malloc(64);
    UNREFERENCED_PARAMETER(context);
    assert_non_null(held);
    KeBugCheckEx(0xE2, 1, 2, 3, 4);
}

/* A halted kernel stands as it is; LeakSanitizer looks for what is lost when the process ends. */
static void what_the_left_frames_held_is_not_lost(void **state)
{
    struct wskemu_bugcheck caught;
    UNREFERENCED_PARAMETER(state);
    assert_true(wskemu_catch_bugcheck(hold_memory_and_crash, NULL, &caught));
    assert_int_equal(caught.code, 0xE2);
}

static void a_body_that_returns_has_no_bug_check(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_false(wskemu_catch_bugcheck(do_nothing, NULL, NULL));
    assert_int_equal(wskemu_shutdown(), 0);
}

static KSPIN_LOCK lock;

static void take_twice(void *context)
{
    KIRQL irql;
    UNREFERENCED_PARAMETER(context);
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    KeAcquireSpinLockAtDpcLevel(&lock);
}

static void a_violation_has_a_rule_a_name_and_a_sentence(void **state)
{
    struct wskemu_bugcheck caught;
    UNREFERENCED_PARAMETER(state);
    assert_true(wskemu_catch_bugcheck(take_twice, NULL, &caught));
    assert_int_equal(caught.code, SPIN_LOCK_ALREADY_OWNED);
    assert_string_equal(caught.name, "SPIN_LOCK_ALREADY_OWNED");
    assert_string_equal(caught.rule, "SPIN-14");
    assert_non_null(strstr(caught.sentence, "holds already"));
}

static const struct CMUnitTest tests[] = {
    bugcheck_test(an_own_bug_check_is_caught_with_its_parameters),
    bugcheck_test(ke_bug_check_has_no_parameters),
    bugcheck_test(a_bug_check_of_another_thread_ends_a_wait),
    bugcheck_test(a_bug_check_of_another_thread_ends_the_test_at_its_next_entry),
    bugcheck_test(what_the_left_frames_held_is_not_lost),
    bugcheck_test(a_body_that_returns_has_no_bug_check),
    bugcheck_test(a_violation_has_a_rule_a_name_and_a_sentence),
};

TEST_MAIN(tests)
