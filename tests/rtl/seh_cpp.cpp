/* Structured exceptions in C++. */
#include <ntddk.h>

#include "test.h"

namespace
{

struct counted {
    explicit counted(int *count) : count_(count)
    {
    }
    ~counted()
    {
        ++*count_;
    }
    int *count_;
};

void raise_it(NTSTATUS status)
{
    ExRaiseStatus(status);
}

template <typename Call> NTSTATUS status_of(Call call)
{
    __try {
        call();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

void raise_reaches_the_handler(void **)
{
    PROVES("RTL-101");
    NTSTATUS status = STATUS_SUCCESS;
    int local = 1;
    __try {
        local = 2;
        raise_it(STATUS_NOT_FOUND);
        local = 3;
    } __except (GetExceptionCode() == static_cast<ULONG>(STATUS_NOT_FOUND)
                    ? EXCEPTION_EXECUTE_HANDLER
                    : EXCEPTION_CONTINUE_SEARCH) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_NOT_FOUND);
    assert_int_equal(local, 2);
}

void lambdas_and_templates_have_bodies_of_their_own(void **)
{
    assert_int_equal(status_of([] { raise_it(STATUS_IO_TIMEOUT); }), STATUS_IO_TIMEOUT);
    assert_int_equal(status_of([] {}), STATUS_SUCCESS);
    NTSTATUS inner = STATUS_SUCCESS;
    NTSTATUS outer = status_of([&] {
        inner = status_of([] { raise_it(STATUS_IO_TIMEOUT); });
        raise_it(STATUS_NOT_FOUND);
    });
    assert_int_equal(inner, STATUS_IO_TIMEOUT);
    assert_int_equal(outer, STATUS_NOT_FOUND);
}

void objects_of_a_body_that_is_left_are_destroyed(void **)
{
    int destroyed = 0;
    for (int i = 0; i < 6; i++) {
        __try {
            counted object(&destroyed);
            if (i == 1) {
                continue;
            }
            if (i == 4) {
                break;
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            destroyed = 100;
        }
    }
    assert_int_equal(destroyed, 5);
}

void finally_runs(void **)
{
    int blocks = 0;
    NTSTATUS status = status_of([&] {
        __try {
            raise_it(STATUS_NOT_FOUND);
        } __finally {
            blocks += AbnormalTermination() ? 1 : 10;
        }
    });
    assert_int_equal(status, STATUS_NOT_FOUND);
    assert_int_equal(blocks, 1);
    __try {
        __leave;
    } __finally {
        blocks += AbnormalTermination() ? 1 : 10;
    }
    assert_int_equal(blocks, 11);
}

void code_belongs_to_the_enclosing_handler(void **)
{
    NTSTATUS nested = STATUS_SUCCESS;
    NTSTATUS after = STATUS_SUCCESS;
    __try {
        raise_it(STATUS_NOT_FOUND);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        __try {
            raise_it(STATUS_IO_TIMEOUT);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            nested = GetExceptionCode();
        }
        after = GetExceptionCode();
    }
    assert_int_equal(nested, STATUS_IO_TIMEOUT);
    assert_int_equal(after, STATUS_NOT_FOUND);
}

const struct CMUnitTest tests[] = {
    cmocka_unit_test(raise_reaches_the_handler),
    cmocka_unit_test(lambdas_and_templates_have_bodies_of_their_own),
    cmocka_unit_test(objects_of_a_body_that_is_left_are_destroyed),
    cmocka_unit_test(finally_runs),
    cmocka_unit_test(code_belongs_to_the_enclosing_handler),
};

} // namespace

TEST_MAIN(tests)
