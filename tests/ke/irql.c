/* The level of a thread: raising, lowering, and the processors that DISPATCH_LEVEL owns. */
#include "bugcheck.h"
#include "../verifier/twins.h"
#include "kernel.h"

static void levels_are_those_of_x64(void **state)
{
    PROVES("IRQL-01");
    assert_int_equal(PASSIVE_LEVEL, 0);
    assert_int_equal(APC_LEVEL, 1);
    assert_int_equal(DISPATCH_LEVEL, 2);
    assert_int_equal(CLOCK_LEVEL, 13);
    assert_int_equal(IPI_LEVEL, 14);
    assert_int_equal(POWER_LEVEL, 14);
    assert_int_equal(HIGH_LEVEL, 15);
}

static void a_raise_stores_the_level_before(void **state)
{
    PROVES("IRQL-02", "IRQL-03", "IRQL-06");
    STAYS_SILENT("IRQL-04", "IRQL-06", "IRQL-07");
    KIRQL old[3];
    KIRQL level[4];
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeRaiseIrql(APC_LEVEL, &old[0]);
    level[0] = KeGetCurrentIrql();
    KeRaiseIrql(DISPATCH_LEVEL, &old[1]);
    level[1] = KeGetCurrentIrql();
    KeRaiseIrql(HIGH_LEVEL, &old[2]);
    level[2] = KeGetCurrentIrql();
    KeLowerIrql(old[2]);
    level[3] = KeGetCurrentIrql();
    KeLowerIrql(old[1]);
    KeLowerIrql(old[0]);
    assert_int_equal(old[0], PASSIVE_LEVEL);
    assert_int_equal(old[1], APC_LEVEL);
    assert_int_equal(old[2], DISPATCH_LEVEL);
    assert_int_equal(level[0], APC_LEVEL);
    assert_int_equal(level[1], DISPATCH_LEVEL);
    assert_int_equal(level[2], HIGH_LEVEL);
    assert_int_equal(level[3], DISPATCH_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void raising_to_the_level_that_is_there_is_allowed(void **state)
{
    PROVES("IRQL-03");
    KIRQL outer;
    KIRQL inner;
    KeRaiseIrql(APC_LEVEL, &outer);
    KeRaiseIrql(APC_LEVEL, &inner);
    KeLowerIrql(inner);
    KIRQL level = KeGetCurrentIrql();
    KeLowerIrql(outer);
    assert_int_equal(level, APC_LEVEL);
}

static void raise_to_dpc_level_returns_the_level_before(void **state)
{
    PROVES("IRQL-05");
    KIRQL first = KeRaiseIrqlToDpcLevel();
    KIRQL second = KeRaiseIrqlToDpcLevel();
    KIRQL level = KeGetCurrentIrql();
    KeLowerIrql(second);
    KeLowerIrql(first);
    assert_int_equal(first, PASSIVE_LEVEL);
    assert_int_equal(second, DISPATCH_LEVEL);
    assert_int_equal(level, DISPATCH_LEVEL);
}

static KIRQL level_of_thread;
static BOOLEAN apcs_of_thread;

static VOID note_level(PVOID context)
{
    level_of_thread = KeGetCurrentIrql();
    apcs_of_thread = KeAreApcsDisabled();
}

static void a_system_thread_runs_at_passive_level(void **state)
{
    PROVES("THREAD-07", "THREAD-08");
    level_of_thread = HIGH_LEVEL;
    join_thread(start_thread(note_level, NULL));
    assert_int_equal(level_of_thread, PASSIVE_LEVEL);
    assert_true(apcs_of_thread);
}

/* ---- processors ---- */

/* Threads at DISPATCH_LEVEL count how many of them there are at once. */
struct crowd {
    ULONG processors;
    volatile LONG inside;
    volatile LONG most;
    volatile LONG entries;
    volatile LONG collisions;
    volatile LONG occupied[4];
};

static void note_inside(struct crowd *crowd)
{
    PROCESSOR_NUMBER number;
    ULONG processor = KeGetCurrentProcessorNumberEx(&number);
    LONG inside = InterlockedIncrement(&crowd->inside);
    LONG most = ReadAcquire(&crowd->most);
    while (inside > most && InterlockedCompareExchange(&crowd->most, inside, most) != most) {
        most = ReadAcquire(&crowd->most);
    }
    if (InterlockedIncrement(&crowd->occupied[processor]) != 1) {
        InterlockedIncrement(&crowd->collisions);
    }
    InterlockedIncrement(&crowd->entries);
    InterlockedDecrement(&crowd->occupied[processor]);
    InterlockedDecrement(&crowd->inside);
}

static VOID enter_often(PVOID context)
{
    for (int i = 0; i < 100; i++) {
        KIRQL irql = KeRaiseIrqlToDpcLevel();
        note_inside(context);
        KeLowerIrql(irql);
    }
}

static void crowd_run(ULONG processors)
{
    const struct wskemu_options options = {.processors = processors};
    struct crowd crowd = {.processors = processors};
    PKTHREAD threads[5];
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    for (int i = 0; i < 5; i++) {
        threads[i] = start_thread(enter_often, &crowd);
    }
    for (int i = 0; i < 5; i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(crowd.entries, 500);
    assert_int_equal(crowd.collisions, 0);
    assert_true(crowd.most >= 1 && (ULONG)crowd.most <= processors);
    assert_int_equal(wskemu_shutdown(), 0);
}

static void code_at_dispatch_level_is_alone_on_its_processor(void **state)
{
    PROVES("IRQL-11", "DPC-05");
    crowd_run(1);
    crowd_run(2);
    crowd_run(4);
}

struct rendezvous {
    LONG expected;
    volatile LONG arrived;
};

static VOID meet_at_dispatch_level(PVOID context)
{
    struct rendezvous *rendezvous = context;
    KIRQL irql = KeRaiseIrqlToDpcLevel();
    InterlockedIncrement(&rendezvous->arrived);
    while (ReadAcquire(&rendezvous->arrived) < rendezvous->expected) {
        YieldProcessor();
    }
    KeLowerIrql(irql);
}

static void each_processor_can_be_at_dispatch_level_at_once(void **state)
{
    PROVES("IRQL-02");
    static const ULONG counts[] = {2, 4};
    for (int i = 0; i < 2; i++) {
        const struct wskemu_options options = {.processors = counts[i]};
        struct rendezvous rendezvous = {.expected = (LONG)counts[i]};
        PKTHREAD threads[4];
        assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
        for (ULONG j = 0; j < counts[i]; j++) {
            threads[j] = start_thread(meet_at_dispatch_level, &rendezvous);
        }
        for (ULONG j = 0; j < counts[i]; j++) {
            join_thread(threads[j]);
        }
        assert_int_equal(wskemu_shutdown(), 0);
    }
}

/* A leader that must deliver while every processor is taken waits for one, and is woken. */
struct occupation {
    KTIMER timer;
    volatile LONG is_taken;
    volatile LONG shall_leave;
};

static VOID occupy(PVOID context)
{
    struct occupation *occupation = context;
    KIRQL irql = KeRaiseIrqlToDpcLevel();
    InterlockedExchange(&occupation->is_taken, 1);
    while (ReadAcquire(&occupation->shall_leave) == 0) {
        YieldProcessor();
    }
    KeStallExecutionProcessor(300); /* so that the leader finds the processor taken */
    KeLowerIrql(irql);
}

static void a_leader_waits_for_a_processor_to_deliver_on(void **state)
{
    const struct wskemu_options options = {.processors = 1};
    for (int i = 0; i < 5; i++) {
        struct occupation occupation = {.is_taken = 0};
        assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
        KeInitializeTimer(&occupation.timer);
        LARGE_INTEGER due = {.QuadPart = -1000};
        PKTHREAD thread = start_thread(occupy, &occupation);
        while (ReadAcquire(&occupation.is_taken) == 0) {
            YieldProcessor();
        }
        KeSetTimer(&occupation.timer, due, NULL);
        InterlockedExchange(&occupation.shall_leave, 1);
        assert_int_equal(wait_object(&occupation.timer), STATUS_SUCCESS);
        join_thread(thread);
        assert_int_equal(wskemu_shutdown(), 0);
    }
}

/* ---- contracts ---- */

static void raise_to_a_lower_level(void *context)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeRaiseIrql(APC_LEVEL, &irql);
}

static void raise_above_the_highest(void *context)
{
    KIRQL irql;
    KeRaiseIrql(HIGH_LEVEL + 1, &irql);
}

static void raise_to_dpc_level_from_above(void *context)
{
    KIRQL irql;
    KeRaiseIrql(HIGH_LEVEL, &irql);
    KeRaiseIrqlToDpcLevel();
}

static void lower_past_a_level(void *context)
{
    KIRQL first;
    KIRQL second;
    KeRaiseIrql(APC_LEVEL, &first);
    KeRaiseIrql(DISPATCH_LEVEL, &second);
    KeLowerIrql(first);
}

static void lower_to_a_level_between(void *context)
{
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    KeLowerIrql(APC_LEVEL);
    KeLowerIrql(old);
}

static void lowering_to_another_level_than_the_raise_returned_is_caught(void **state)
{
    PROVES("IRQL-06");
    expect_warning(lower_past_a_level, NULL, "IRQL-06");
    expect_warning(lower_to_a_level_between, NULL, "IRQL-06");
}

static void raising_to_a_wrong_level_stops(void **state)
{
    PROVES("IRQL-03", "IRQL-04", "IRQL-05", "DV-07");
    struct wskemu_bugcheck stop = bugcheck_of(raise_to_a_lower_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x30, DISPATCH_LEVEL, APC_LEVEL, 0);
    stop = bugcheck_of(raise_above_the_highest, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x30, PASSIVE_LEVEL, HIGH_LEVEL + 1,
                    0);
    stop = bugcheck_of(raise_to_dpc_level_from_above, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x30, HIGH_LEVEL, DISPATCH_LEVEL, 0);
}

static void lower_to_a_higher_level(void *context)
{
    KeLowerIrql(DISPATCH_LEVEL);
}

static void lowering_to_a_higher_level_stops(void **state)
{
    PROVES("IRQL-07", "DV-07");
    struct wskemu_bugcheck stop = bugcheck_of(lower_to_a_higher_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, PASSIVE_LEVEL, DISPATCH_LEVEL,
                    0);
}

static KSPIN_LOCK held;

/* Restores the level of the first of two acquisitions first. */
static void lower_past_a_lock(void *context)
{
    KIRQL old;
    KeInitializeSpinLock(&held);
    KeAcquireSpinLock(&held, &old);
    KeLowerIrql(old);
}

static void lowering_the_level_while_holding_a_spin_lock_stops(void **state)
{
    PROVES("IRQL-06", "SPIN-23");
    struct wskemu_bugcheck stop = bugcheck_of(lower_past_a_lock, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, DISPATCH_LEVEL, PASSIVE_LEVEL,
                    0);
}

static VOID return_raised(PVOID context)
{
    KIRQL irql;
    KeRaiseIrql(APC_LEVEL, &irql);
}

static void let_a_thread_end_raised(void *context)
{
    wait_object(start_thread(return_raised, NULL));
}

static void a_thread_that_ends_at_a_raised_level_stops(void **state)
{
    PROVES("IRQL-14", "THREAD-34", "BUGCHECK-41");
    struct wskemu_bugcheck stop = bugcheck_of(let_a_thread_end_raised, NULL);
    assert_int_equal(stop.code, IRQL_UNEXPECTED_VALUE);
    assert_int_equal(stop.parameter[0] >> 16, APC_LEVEL);
    assert_int_equal((stop.parameter[0] >> 8) & 0xFF, PASSIVE_LEVEL);
    assert_int_equal(stop.parameter[2], (ULONG_PTR)return_raised);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(levels_are_those_of_x64),
    kernel_test(a_raise_stores_the_level_before),
    kernel_test(raising_to_the_level_that_is_there_is_allowed),
    kernel_test(raise_to_dpc_level_returns_the_level_before),
    kernel_test(a_system_thread_runs_at_passive_level),
    cmocka_unit_test(code_at_dispatch_level_is_alone_on_its_processor),
    cmocka_unit_test(each_processor_can_be_at_dispatch_level_at_once),
    cmocka_unit_test(a_leader_waits_for_a_processor_to_deliver_on),
    kernel_test(lowering_to_another_level_than_the_raise_returned_is_caught),
    kernel_test(raising_to_a_wrong_level_stops),
    kernel_test(lowering_to_a_higher_level_stops),
    kernel_test(lowering_the_level_while_holding_a_spin_lock_stops),
    kernel_test(a_thread_that_ends_at_a_raised_level_stops),
};

TEST_MAIN(tests)
