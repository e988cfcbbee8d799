/* Structured exceptions: finally blocks run on every way out, and in order. */
#include <ntddk.h>

#include "test.h"

static char trace[16];

static void note(char letter)
{
    size_t length = strlen(trace);
    trace[length] = letter;
    trace[length + 1] = '\0';
}

static int reset(void **state)
{
    trace[0] = '\0';
    return 0;
}

static int filter(char letter, int answer)
{
    note(letter);
    return answer;
}

static void block_runs_after_a_normal_end(void **state)
{
    int abnormal = -1;
    __try {
        note('b');
    } __finally {
        abnormal = AbnormalTermination();
        note('f');
    }
    note('e');
    assert_string_equal(trace, "bfe");
    assert_int_equal(abnormal, 0);
}

static void block_runs_on_the_way_of_a_raise(void **state)
{
    int abnormal = -1;
    int local = 1;
    __try {
        __try {
            local = 2;
            note('b');
            ExRaiseStatus(STATUS_UNSUCCESSFUL);
        } __finally {
            abnormal = AbnormalTermination();
            local += 40;
            note('f');
        }
        note('x');
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        note('h');
        assert_int_equal(GetExceptionCode(), (ULONG)STATUS_UNSUCCESSFUL);
    }
    assert_string_equal(trace, "bfh");
    assert_true(abnormal);
    assert_int_equal(local, 42);
}

static void finally_in_callee(int depth)
{
    __try {
        if (depth == 0) {
            ExRaiseStatus(STATUS_UNSUCCESSFUL);
        }
        finally_in_callee(depth - 1);
    } __finally {
        note((char)('0' + depth));
    }
}

static void blocks_run_from_the_inside_out(void **state)
{
    __try {
        __try {
            finally_in_callee(3);
        } __finally {
            note('f');
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        note('h');
    }
    assert_string_equal(trace, "0123fh");
}

static void leave_is_a_normal_end(void **state)
{
    int abnormal = -1;
    __try {
        note('b');
        __leave;
    } __finally {
        abnormal = AbnormalTermination();
        note('f');
    }
    assert_string_equal(trace, "bf");
    assert_int_equal(abnormal, 0);
}

static void block_outside_of_the_handler_runs_once(void **state)
{
    __try {
        __try {
            ExRaiseStatus(STATUS_UNSUCCESSFUL);
        } __except (filter('q', EXCEPTION_EXECUTE_HANDLER)) {
            note('h');
        }
    } __finally {
        note('f');
    }
    assert_string_equal(trace, "qhf");
}

static void block_runs_when_the_filter_refuses(void **state)
{
    __try {
        __try {
            __try {
                ExRaiseStatus(STATUS_UNSUCCESSFUL);
            } __except (filter('q', EXCEPTION_CONTINUE_SEARCH)) {
                note('x');
            }
        } __finally {
            note('f');
        }
    } __except (filter('p', EXCEPTION_EXECUTE_HANDLER)) {
        note('h');
    }
    assert_string_equal(trace, "qfph");
}

static void raise_in_a_block_replaces_the_exception(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        __try {
            ExRaiseStatus(STATUS_NOT_FOUND);
        } __finally {
            note('f');
            ExRaiseStatus(STATUS_IO_DEVICE_ERROR);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_string_equal(trace, "f");
    assert_int_equal(status, STATUS_IO_DEVICE_ERROR);
}

static void block_may_handle_exceptions_of_its_own(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        __try {
            ExRaiseStatus(STATUS_NOT_FOUND);
        } __finally {
            __try {
                ExRaiseStatus(STATUS_IO_DEVICE_ERROR);
            } __except (EXCEPTION_EXECUTE_HANDLER) {
                note('i');
            }
            note(AbnormalTermination() ? 'a' : 'n');
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_string_equal(trace, "ia");
    assert_int_equal(status, STATUS_NOT_FOUND);
}

static void nested_blocks_know_their_own_end(void **state)
{
    __try {
        note('b');
    } __finally {
        __try {
            __try {
                ExRaiseStatus(STATUS_NOT_FOUND);
            } __finally {
                note(AbnormalTermination() ? 'A' : 'N');
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            note('h');
        }
        note(AbnormalTermination() ? 'A' : 'N');
    }
    assert_string_equal(trace, "bAhN");
}

static void loops_run_the_block_each_time(void **state)
{
    for (int i = 0; i < 3; i++) {
        __try {
            note((char)('0' + i));
            if (i == 1) {
                __leave;
            }
            note('b');
        } __finally {
            note('f');
        }
    }
    assert_string_equal(trace, "0bf1f2bf");
}

static void block_runs_only_if_its_body_did(void **state)
{
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            __try {
                note('b');
            } __finally {
                note('f');
            }
    }
    assert_string_equal(trace, "bf");
}

static void return_after_the_statement_is_fine(void **state)
{
    __try {
        note('b');
    } __finally {
        note('f');
    }
    assert_string_equal(trace, "bf");
    return;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(block_runs_after_a_normal_end, reset),
    cmocka_unit_test_setup(block_runs_on_the_way_of_a_raise, reset),
    cmocka_unit_test_setup(blocks_run_from_the_inside_out, reset),
    cmocka_unit_test_setup(leave_is_a_normal_end, reset),
    cmocka_unit_test_setup(block_outside_of_the_handler_runs_once, reset),
    cmocka_unit_test_setup(block_runs_when_the_filter_refuses, reset),
    cmocka_unit_test_setup(raise_in_a_block_replaces_the_exception, reset),
    cmocka_unit_test_setup(block_may_handle_exceptions_of_its_own, reset),
    cmocka_unit_test_setup(nested_blocks_know_their_own_end, reset),
    cmocka_unit_test_setup(loops_run_the_block_each_time, reset),
    cmocka_unit_test_setup(block_runs_only_if_its_body_did, reset),
    cmocka_unit_test_setup(return_after_the_statement_is_fine, reset),
};

TEST_MAIN(tests)
