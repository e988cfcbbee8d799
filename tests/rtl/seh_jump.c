/* Structured exceptions: return, goto, break, continue and leave out of a body and out of a
 * handler. After each, the body guards nothing any more. */
#include <ntddk.h>

#include "test.h"

#define CAUGHT_OUTSIDE 100

static int leave_by_return(int how)
{
    __try {
        if (how == 1) {
            return 1;
        }
        if (how == 2) {
            ExRaiseStatus(STATUS_UNSUCCESSFUL);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return 2;
    }
    return 3;
}

static void return_leaves_a_body_and_a_handler(void **state)
{
    int caught = 0;
    assert_int_equal(leave_by_return(1), 1);
    assert_int_equal(leave_by_return(2), 2);
    assert_int_equal(leave_by_return(3), 3);
    __try {
        assert_int_equal(leave_by_return(1), 1);
        ExRaiseStatus(STATUS_UNSUCCESSFUL);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        caught = CAUGHT_OUTSIDE;
    }
    assert_int_equal(caught, CAUGHT_OUTSIDE);
}

static void raise_it(void)
{
    ExRaiseStatus(STATUS_UNSUCCESSFUL);
}

static int leave_by_goto(void)
{
    __try {
        goto done;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return 1;
    }
done:
    raise_it();
    return 2;
}

static void goto_leaves_a_body(void **state)
{
    int result = 0;
    __try {
        result = leave_by_goto();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        result = CAUGHT_OUTSIDE;
    }
    assert_int_equal(result, CAUGHT_OUTSIDE);
}

static int goto_backwards(void)
{
    int rounds = 0;
again:
    rounds++;
    __try {
        if (rounds < 3) {
            goto again;
        }
        raise_it();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        rounds += 10;
        if (rounds < 20) {
            goto again;
        }
    }
    return rounds;
}

static void goto_may_enter_the_statement_again(void **state)
{
    assert_int_equal(goto_backwards(), 24);
}

static int leave_by_break(void)
{
    int i = 0;
    for (i = 0; i < 10; i++) {
        __try {
            if (i == 4) {
                break;
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            return -1;
        }
    }
    raise_it();
    return i;
}

static void break_leaves_a_body(void **state)
{
    int result = 0;
    __try {
        result = leave_by_break();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        result = CAUGHT_OUTSIDE;
    }
    assert_int_equal(result, CAUGHT_OUTSIDE);
}

static void break_and_continue_belong_to_the_drivers_loop(void **state)
{
    int continued = 0;
    int fell_through = 0;
    int i = 0;
    while (i < 100) {
        i++;
        __try {
            if (i % 2 == 0) {
                continued++;
                continue;
            }
            if (i == 51) {
                break;
            }
            if (i % 3 == 0) {
                ExRaiseStatus(STATUS_UNSUCCESSFUL);
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            if (i == 45) {
                break;
            }
            continue;
        }
        fell_through++;
    }
    assert_int_equal(i, 45);
    assert_int_equal(continued, 22);
    assert_int_equal(fell_through, 15);
}

static void break_belongs_to_the_drivers_switch(void **state)
{
    int seen = 0;
    switch (2) {
    case 1:
        seen = 1;
        break;
    case 2:
        __try {
            seen = 2;
            break;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            seen = 3;
        }
        seen = 4;
        break;
    default:
        seen = 5;
    }
    assert_int_equal(seen, 2);
}

static void raise_after_continue_goes_outwards(void **state)
{
    int caught = 0;
    __try {
        for (int i = 0; i < 3; i++) {
            if (i == 2) {
                raise_it();
            }
            __try {
                continue;
            } __except (EXCEPTION_EXECUTE_HANDLER) {
                caught = 1;
            }
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        caught = CAUGHT_OUTSIDE;
    }
    assert_int_equal(caught, CAUGHT_OUTSIDE);
}

/* The stack is the same, and so are the frame and the function: only the body was left. */
static void raise_after_the_statement_goes_outwards(void **state)
{
    int caught = 0;
    __try {
        __try {
            caught = 1;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            caught = 2;
        }
        raise_it();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        caught = CAUGHT_OUTSIDE;
    }
    assert_int_equal(caught, CAUGHT_OUTSIDE);
}

static void leave_goes_to_the_end_of_the_body(void **state)
{
    int steps = 0;
    int handled = 0;
    __try {
        steps = 1;
        for (;;) {
            if (steps == 5) {
                __leave;
            }
            steps++;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        handled = 1;
    }
    assert_int_equal(steps, 5);
    assert_int_equal(handled, 0);
}

static void leave_means_the_innermost_body(void **state)
{
    int inner = 0;
    int outer = 0;
    __try {
        __try {
            inner = 1;
            __leave;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            inner = 2;
        }
        outer = 1;
        __try {
            ExRaiseStatus(STATUS_UNSUCCESSFUL);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            outer = 2;
            __leave;
        }
        outer = 3;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        outer = 4;
    }
    assert_int_equal(inner, 1);
    assert_int_equal(outer, 2);
}

static void leave_keeps_locals(void **state)
{
    int number = 1;
    char text[4] = "abc";
    __try {
        number = 7;
        text[1] = 'x';
        __leave;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        number = 0;
    }
    assert_int_equal(number, 7);
    assert_string_equal(text, "axc");
}

static void loops_leave_nothing_behind(void **state)
{
    int caught = 0;
    for (int i = 0; i < 2000; i++) {
        __try {
            if (i % 4 == 0) {
                continue;
            }
            if (i % 4 == 1) {
                raise_it();
            }
            if (i % 4 == 2) {
                __leave;
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            caught++;
        }
    }
    assert_int_equal(caught, 500);
}

/* In the four below nothing but the jump leads to where it goes: compilers like to move such code
 * into the body. */

static int lone_goto(void)
{
    __try {
        goto done;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return 1;
    }
    return 2;
done:
    raise_it();
    return 3;
}

static int lone_break(void)
{
    for (;;) {
        __try {
            break;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            return 1;
        }
        return 2;
    }
    raise_it();
    return 3;
}

static int lone_continue(void)
{
    for (;; raise_it()) {
        __try {
            continue;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            return 1;
        }
        return 2;
    }
}

static int lone_break_of_switch(int value)
{
    switch (value) {
    default:
        __try {
            break;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            return 1;
        }
        return 2;
    }
    raise_it();
    return 3;
}

static void code_after_a_jump_is_outside(void **state)
{
    int caught = 0;
    for (int i = 0; i < 4; i++) {
        __try {
            switch (i) {
            case 0:
                caught = lone_goto();
                break;
            case 1:
                caught = lone_break();
                break;
            case 2:
                caught = lone_continue();
                break;
            default:
                caught = lone_break_of_switch(i);
                break;
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            caught = CAUGHT_OUTSIDE;
        }
        assert_int_equal(caught, CAUGHT_OUTSIDE);
    }
}

static FORCEINLINE int inlined(int value)
{
    return value + 1;
}

static void inlined_calls_change_nothing(void **state)
{
    int value = 0;
    __try {
        value = inlined(value);
        raise_it();
    } __except (inlined(0)) {
        value = inlined(value);
    }
    assert_int_equal(value, 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(return_leaves_a_body_and_a_handler),
    cmocka_unit_test(goto_leaves_a_body),
    cmocka_unit_test(goto_may_enter_the_statement_again),
    cmocka_unit_test(break_leaves_a_body),
    cmocka_unit_test(break_and_continue_belong_to_the_drivers_loop),
    cmocka_unit_test(break_belongs_to_the_drivers_switch),
    cmocka_unit_test(raise_after_continue_goes_outwards),
    cmocka_unit_test(raise_after_the_statement_goes_outwards),
    cmocka_unit_test(leave_goes_to_the_end_of_the_body),
    cmocka_unit_test(leave_means_the_innermost_body),
    cmocka_unit_test(leave_keeps_locals),
    cmocka_unit_test(loops_leave_nothing_behind),
    cmocka_unit_test(code_after_a_jump_is_outside),
    cmocka_unit_test(inlined_calls_change_nothing),
};

TEST_MAIN(tests)
