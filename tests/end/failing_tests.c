/* CMocka tests that must fail, each for a reason of its own, and one after them that must not. See
 * check.cmake. */
#include <wskemu/cmocka.h>
#include <wskemu/peer.h>
#include <wskemu/registry.h>

#include <ntddk.h>

WSKEMU_USE_DRIVER(configured);
WSKEMU_USE_DRIVER(mydriver);

#define SERVICE L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\mydriver"

static void leaks(void **state)
{
    (void)state;
    assert_non_null(ExAllocatePoolWithTag(NonPagedPoolNx, 16, 'kaeL'));
}

static void breaks_a_rule(void **state)
{
    KSPIN_LOCK lock;
    (void)state;
    KeInitializeSpinLock(&lock);
    KeReleaseSpinLock(&lock, PASSIVE_LEVEL);
}

static VOID crash(PVOID context)
{
    (void)context;
    KeBugCheckEx(0xE2, 1, 2, 3, 4);
}

static KEVENT never;

static void waits_while_a_thread_crashes(void **state)
{
    HANDLE thread;
    (void)state;
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, crash, NULL);
    KeWaitForSingleObject(&never, Executive, KernelMode, FALSE, NULL);
}

static void fail_here(void *context)
{
    (void)context;
    assert_true(FALSE);
}

static void asserts_where_it_expects_a_bug_check(void **state)
{
    (void)state;
    wskemu_catch_bugcheck(fail_here, NULL, NULL);
}

static void asserts_at_a_raised_level(void **state)
{
    KIRQL irql;
    (void)state;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    assert_int_equal(irql, DISPATCH_LEVEL);
}

static KBUGCHECK_CALLBACK_RECORD record;
static LONG is_halted;

static VOID note_halt(PVOID buffer, ULONG length)
{
    (void)buffer;
    (void)length;
    InterlockedExchange(&is_halted, 1);
}

static void asserts_after_a_thread_crashed(void **state)
{
    HANDLE thread;
    (void)state;
    KeInitializeCallbackRecord(&record);
    KeRegisterBugCheckCallback(&record, note_halt, NULL, 0, (PUCHAR) "failing");
    PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, crash, NULL);
    while (InterlockedCompareExchange(&is_halted, 0, 0) == 0) {
        YieldProcessor();
    }
    assert_true(FALSE);
}

static KEVENT done;

static VOID assert_something_false(PVOID context)
{
    (void)context;
    wskemu_assert_int_equal(1, 2);
    KeSetEvent(&done, IO_NO_INCREMENT, FALSE);
}

static void waits_while_a_thread_asserts(void **state)
{
    HANDLE thread;
    (void)state;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, assert_something_false,
                         NULL);
    ZwClose(thread);
    assert_wait(&done, 10000);
}

static void asserts_for_other_threads(void **state)
{
    (void)state;
    wskemu_assert_nt_success(STATUS_CANCELLED);
}

static void waits_in_vain(void **state)
{
    (void)state;
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    assert_wait(&never, 20);
}

static void expects_another_bug_check(void **state)
{
    (void)state;
    assert_bugcheck("IRP-93", KeBugCheckEx(0xE2, 1, 2, 3, 4));
}

static struct wskemu_peer *server;

static void start_server(void)
{
    SOCKADDR_STORAGE address;
    wskemu_peer_listen(WSKEMU_LOOPBACK(AF_INET, 0), &server);
    wskemu_peer_local_address(server, &address);
    ULONG port = wskemu_port((PSOCKADDR)&address);
    wskemu_registry_set(SERVICE, L"Port", REG_DWORD, &port, sizeof(port));
}

/* The driver, which waits for its server, unloads all the same. */
static void leaves_peers(void **state)
{
    struct wskemu_peer *peer;
    (void)state;
    assert_int_equal(wskemu_peer_accept(server, &peer), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(peer, "hello", 5), STATUS_SUCCESS);
}

static void never_runs(void **state)
{
    (void)state;
}

static void passes(void **state)
{
    (void)state;
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        wskemu_test(leaks),
        wskemu_test(breaks_a_rule),
        wskemu_test(waits_while_a_thread_crashes),
        wskemu_test(asserts_where_it_expects_a_bug_check),
        wskemu_test(asserts_at_a_raised_level),
        wskemu_test(asserts_after_a_thread_crashed),
        wskemu_test(waits_while_a_thread_asserts),
        wskemu_test(asserts_for_other_threads),
        wskemu_test(waits_in_vain),
        wskemu_test(expects_another_bug_check),
        wskemu_driver_test_setup(leaves_peers, mydriver, start_server),
        wskemu_driver_test(never_runs, configured),
        wskemu_test(passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
