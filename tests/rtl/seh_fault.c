/* Structured exceptions: faults of the processor raise. */
#include <ntddk.h>

#include "test.h"

/* The undefined behaviour is the point: its sanitizer is kept off. */
#define WILD __attribute__((no_sanitize("undefined")))

WILD static int read_through(const volatile int *pointer)
{
    return *pointer;
}

static int *volatile nowhere;
static volatile int zero;
static void (*volatile no_function)(void);

static void read_of_null_raises(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    int value = 1;
    __try {
        value = 2;
        value = read_through(nowhere);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
    assert_int_equal(value, 2);
}

WILD static void write_in_the_body_itself_raises(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        *nowhere = 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
}

static int take_parameters(PEXCEPTION_POINTERS information, ULONG_PTR *access)
{
    const EXCEPTION_RECORD *record = information->ExceptionRecord;
    access[0] = record->NumberParameters;
    access[1] = record->ExceptionInformation[0];
    return record->ExceptionFlags == 0;
}

WILD static void record_tells_the_access(void **state)
{
    ULONG_PTR access[2] = {0};
    int handled = 0;
    __try {
        *nowhere = 1;
    } __except (take_parameters(GetExceptionInformation(), access)) {
        handled = 1;
    }
    assert_int_equal(handled, 1);
    assert_int_equal(access[0], 2);
#if !defined(__SANITIZE_THREAD__)
    assert_int_equal(access[1], EXCEPTION_WRITE_FAULT);
#endif
}

WILD static void copy_from_nowhere_raises(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    char buffer[64];
    __try {
        RtlCopyMemory(buffer, (const void *)(ULONG_PTR)nowhere, sizeof(buffer));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
}

static void wild_pointer_raises(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        read_through((const int *)(ULONG_PTR)0xFFFF800000001000);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
}

WILD static void call_of_null_raises(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        no_function();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
}

WILD static int divide(int dividend, int divisor)
{
    return dividend / divisor;
}

static void division_by_zero_raises(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        divide(1, zero);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_INTEGER_DIVIDE_BY_ZERO);
}

WILD static void fault_again_and_again(void **state)
{
    int caught = 0;
    for (int i = 0; i < 50; i++) {
        __try {
            *nowhere = i;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            caught++;
        }
    }
    assert_int_equal(caught, 50);
}

WILD static void finally_runs_after_a_fault(void **state)
{
    int blocks = 0;
    int handlers = 0;
    __try {
        __try {
            *nowhere = 1;
        } __finally {
            blocks++;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        handlers++;
    }
    assert_int_equal(blocks, 1);
    assert_int_equal(handlers, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(read_of_null_raises),        cmocka_unit_test(write_in_the_body_itself_raises),
    cmocka_unit_test(record_tells_the_access),    cmocka_unit_test(copy_from_nowhere_raises),
    cmocka_unit_test(wild_pointer_raises),        cmocka_unit_test(call_of_null_raises),
    cmocka_unit_test(division_by_zero_raises),    cmocka_unit_test(fault_again_and_again),
    cmocka_unit_test(finally_runs_after_a_fault),
};

TEST_MAIN(tests)
