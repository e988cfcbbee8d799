/* The addresses on the calling stack. */
#include "kernel.h"

#include <ntifs.h>

#define DEPTH 16

static PVOID trace[DEPTH];
static ULONG hash;
static PVOID *into;
static volatile ULONG depth;

/* The result is used after each call, so that none becomes a jump; calls through a volatile pointer
 * are to the function itself and no copy of it. */
typedef USHORT capture(ULONG skip, ULONG limit);

static USHORT inner(ULONG skip, ULONG limit)
{
    USHORT count = RtlCaptureStackBackTrace(skip, limit, trace, &hash);
    depth++;
    return count;
}

static capture *volatile call_inner = inner;

static USHORT middle(ULONG skip, ULONG limit)
{
    into[0] = _ReturnAddress();
    USHORT count = call_inner(skip, limit);
    depth++;
    return count;
}

static capture *volatile outer = middle;

static ULONG_PTR begin_of(capture *function)
{
    return (ULONG_PTR)function;
}

static void the_first_frames_are_the_callers(void **state)
{
    PVOID returns;
    into = &returns;
    assert_int_equal(outer(0, 3), 3);
    assert_in_range((ULONG_PTR)trace[0], begin_of(inner) + 1, begin_of(inner) + 400);
    assert_in_range((ULONG_PTR)trace[1], begin_of(middle) + 1, begin_of(middle) + 400);
    assert_ptr_equal(trace[2], returns);
}

static void frames_are_skipped_from_the_caller_on(void **state)
{
    PVOID returns;
    into = &returns;
    assert_int_equal(outer(2, 1), 1);
    assert_ptr_equal(trace[0], returns);
}

static void no_more_frames_come_than_there_are_or_are_wanted(void **state)
{
    PVOID returns;
    into = &returns;
    trace[1] = NULL;
    assert_int_equal(outer(0, 1), 1);
    assert_null(trace[1]);
    assert_int_equal(outer(0, 0), 0);
    assert_int_equal(outer(100000, DEPTH), 0);
    assert_int_equal(hash, 0);
    assert_in_range(outer(0, DEPTH), 3, DEPTH);
}

static void the_hash_is_the_sum_of_the_addresses(void **state)
{
    PVOID returns;
    ULONG sum = 0;
    into = &returns;
    USHORT count = outer(0, DEPTH);
    for (USHORT index = 0; index < count; index++) {
        sum += (ULONG)(ULONG_PTR)trace[index];
    }
    assert_int_equal(hash, sum);
    assert_in_range(RtlCaptureStackBackTrace(0, DEPTH, trace, NULL), 1, DEPTH);
}

static void a_trace_can_be_taken_at_dispatch_level(void **state)
{
    KIRQL irql;
    PVOID returns;
    into = &returns;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    USHORT count = outer(0, 3);
    KeLowerIrql(irql);
    assert_int_equal(count, 3);
    assert_ptr_equal(trace[2], returns);
}

static const struct CMUnitTest tests[] = {
    kernel_test(the_first_frames_are_the_callers),
    kernel_test(frames_are_skipped_from_the_caller_on),
    kernel_test(no_more_frames_come_than_there_are_or_are_wanted),
    kernel_test(the_hash_is_the_sum_of_the_addresses),
    kernel_test(a_trace_can_be_taken_at_dispatch_level),
};

TEST_MAIN(tests)
