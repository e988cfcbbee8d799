/* Structured exceptions: a raised status reaches the handler that it should. */
#include <ntddk.h>

#include "test.h"

static void raise_below(NTSTATUS status, int depth)
{
    if (depth > 0) {
        raise_below(status, depth - 1);
    }
    if (depth == 0) {
        ExRaiseStatus(status);
    }
}

static void raise_reaches_the_handler(void **state)
{
    PROVES("RTL-101");
    volatile int after = 0;
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        ExRaiseStatus(STATUS_INVALID_PARAMETER);
        after = 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_INVALID_PARAMETER);
    assert_int_equal(after, 0);
}

static void body_without_raise_skips_the_handler(void **state)
{
    int ran = 0;
    __try {
        ran = 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        ran = 2;
    }
    assert_int_equal(ran, 1);
}

static void raise_crosses_calls(void **state)
{
    PROVES("RTL-101");
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        raise_below(STATUS_IO_TIMEOUT, 20);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_IO_TIMEOUT);
}

static void locals_have_their_last_value(void **state)
{
    int number = 1;
    register int kept = 1;
    double real = 1.0;
    char text[8] = "first";
    int *pointer = NULL;
    __try {
        number = 2;
        kept = 2;
        real = 2.5;
        text[0] = 'F';
        pointer = &number;
        for (int i = 0; i < 10; i++) {
            number += i;
        }
        raise_below(STATUS_UNSUCCESSFUL, 3);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        number++;
    }
    assert_int_equal(number, 48);
    assert_int_equal(kept, 2);
    assert_true(real == 2.5);
    assert_string_equal(text, "First");
    assert_ptr_equal(pointer, &number);
}

static void inner_handler_comes_first(void **state)
{
    int inner = 0;
    int outer = 0;
    __try {
        __try {
            ExRaiseStatus(STATUS_UNSUCCESSFUL);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            inner++;
        }
        inner++;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        outer++;
    }
    assert_int_equal(inner, 2);
    assert_int_equal(outer, 0);
}

static int count_and_search(int *count)
{
    (*count)++;
    return EXCEPTION_CONTINUE_SEARCH;
}

static void search_goes_on_outwards(void **state)
{
    int asked = 0;
    int inner = 0;
    NTSTATUS outer = STATUS_SUCCESS;
    __try {
        __try {
            __try {
                raise_below(STATUS_NOT_FOUND, 2);
            } __except (count_and_search(&asked)) {
                inner++;
            }
        } __except (count_and_search(&asked)) {
            inner++;
        }
    } __except (GetExceptionCode() == (ULONG)STATUS_NOT_FOUND ? EXCEPTION_EXECUTE_HANDLER
                                                              : EXCEPTION_CONTINUE_SEARCH) {
        outer = GetExceptionCode();
    }
    assert_int_equal(asked, 2);
    assert_int_equal(inner, 0);
    assert_int_equal(outer, STATUS_NOT_FOUND);
}

static int search_in_callee(int *asked)
{
    __try {
        ExRaiseStatus(STATUS_NOT_FOUND);
    } __except (count_and_search(asked)) {
        return 1;
    }
    return 2;
}

static void search_goes_on_in_the_caller(void **state)
{
    int asked = 0;
    int result = 0;
    __try {
        result = search_in_callee(&asked);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        result = 3;
    }
    assert_int_equal(asked, 1);
    assert_int_equal(result, 3);
}

static void raise_in_a_handler_goes_outwards(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        __try {
            ExRaiseStatus(STATUS_NOT_FOUND);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            ExRaiseStatus(STATUS_IO_DEVICE_ERROR);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_IO_DEVICE_ERROR);
}

static int raise_in_filter(void)
{
    ExRaiseStatus(STATUS_IO_DEVICE_ERROR);
}

static void raise_in_a_filter_goes_outwards(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    int inner = 0;
    __try {
        __try {
            ExRaiseStatus(STATUS_NOT_FOUND);
        } __except (raise_in_filter()) {
            inner++;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(inner, 0);
    assert_int_equal(status, STATUS_IO_DEVICE_ERROR);
}

static int handle_another(void)
{
    __try {
        ExRaiseStatus(STATUS_IO_DEVICE_ERROR);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode() == (ULONG)STATUS_IO_DEVICE_ERROR;
    }
    return 0;
}

static void filter_may_handle_exceptions_of_its_own(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        ExRaiseStatus(STATUS_NOT_FOUND);
    } __except (handle_another() ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_NOT_FOUND);
}

static void code_belongs_to_the_enclosing_handler(void **state)
{
    NTSTATUS before = 0;
    NTSTATUS nested = 0;
    NTSTATUS after = 0;
    __try {
        ExRaiseStatus(STATUS_NOT_FOUND);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        before = GetExceptionCode();
        __try {
            ExRaiseStatus(STATUS_IO_DEVICE_ERROR);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            nested = GetExceptionCode();
        }
        assert_true(handle_another());
        after = GetExceptionCode();
    }
    assert_int_equal(before, STATUS_NOT_FOUND);
    assert_int_equal(nested, STATUS_IO_DEVICE_ERROR);
    assert_int_equal(after, STATUS_NOT_FOUND);
}

static int copy_record(PEXCEPTION_POINTERS information, EXCEPTION_RECORD *copy)
{
    *copy = *information->ExceptionRecord;
    return information->ContextRecord->Rip == (ULONG_PTR)copy->ExceptionAddress;
}

static void filter_sees_the_record(void **state)
{
    EXCEPTION_RECORD record = {0};
    EXCEPTION_RECORD own = {
        .ExceptionCode = (NTSTATUS)0xE0001234,
        .NumberParameters = 2,
        .ExceptionInformation = {11, 22},
    };
    int handled = 0;
    __try {
        ExRaiseException(&own);
    } __except (copy_record(GetExceptionInformation(), &record)) {
        handled = 1;
    }
    assert_int_equal(handled, 1);
    assert_int_equal((ULONG)record.ExceptionCode, 0xE0001234);
    assert_int_equal(record.NumberParameters, 2);
    assert_int_equal(record.ExceptionInformation[1], 22);
}

static void raising_functions_raise_their_status(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        ExRaiseAccessViolation();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
    __try {
        ExRaiseDatatypeMisalignment();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_DATATYPE_MISALIGNMENT);
}

static void continuing_a_raised_status_raises_again(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        __try {
            ExRaiseStatus(STATUS_NOT_FOUND);
        } __except (EXCEPTION_CONTINUE_EXECUTION) {
            status = STATUS_UNSUCCESSFUL;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_NONCONTINUABLE_EXCEPTION);
}

static int recurse(int depth)
{
    int handled = 0;
    __try {
        if (depth > 0) {
            handled = recurse(depth - 1);
        }
        ExRaiseStatus(STATUS_UNSUCCESSFUL);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        handled++;
    }
    return handled;
}

static void recursion_handles_at_each_level(void **state)
{
    assert_int_equal(recurse(30), 31);
}

static int caught_for_all(int value)
{
    __try {
        if (value == 3) {
            ExRaiseStatus(STATUS_UNSUCCESSFUL);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return 1;
    }
    return 0;
}

/* A try statement is one statement: it stands where any may stand. */
static void statement_needs_no_braces(void **state)
{
    int branch = 0;
    int raised = 0;
    for (int i = 0; i < 5; i++)
        __try {
            raised += caught_for_all(i);
            if (i == 2) {
                ExRaiseStatus(STATUS_UNSUCCESSFUL);
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            raised += 10;
        }
    assert_int_equal(raised, 11);
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            __try {
                ExRaiseStatus(STATUS_UNSUCCESSFUL);
            } __except (EXCEPTION_EXECUTE_HANDLER) {
                branch += 1;
            }
        else
            branch += 10;
    }
    assert_int_equal(branch, 11);
}

static void handler_may_not_see_a_body_that_was_left_out(void **state)
{
    int ran = 0;
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            __try {
                ran++;
                ExRaiseStatus(STATUS_UNSUCCESSFUL);
            } __except (EXCEPTION_EXECUTE_HANDLER) {
                ran += 10;
            }
    }
    assert_int_equal(ran, 11);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(raise_reaches_the_handler),
    cmocka_unit_test(body_without_raise_skips_the_handler),
    cmocka_unit_test(raise_crosses_calls),
    cmocka_unit_test(locals_have_their_last_value),
    cmocka_unit_test(inner_handler_comes_first),
    cmocka_unit_test(search_goes_on_outwards),
    cmocka_unit_test(search_goes_on_in_the_caller),
    cmocka_unit_test(raise_in_a_handler_goes_outwards),
    cmocka_unit_test(raise_in_a_filter_goes_outwards),
    cmocka_unit_test(filter_may_handle_exceptions_of_its_own),
    cmocka_unit_test(code_belongs_to_the_enclosing_handler),
    cmocka_unit_test(filter_sees_the_record),
    cmocka_unit_test(raising_functions_raise_their_status),
    cmocka_unit_test(continuing_a_raised_status_raises_again),
    cmocka_unit_test(recursion_handles_at_each_level),
    cmocka_unit_test(statement_needs_no_braces),
    cmocka_unit_test(handler_may_not_see_a_body_that_was_left_out),
};

TEST_MAIN(tests)
