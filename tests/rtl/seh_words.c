/* Structured exceptions in the plain words of the Windows kernel build. */
#include <detail/kernel_build.h>

#include <ntddk.h>

#include "test.h"

/* clang-format off */
static void plain_words_mean_the_same(void **state)
{
    NTSTATUS status = STATUS_SUCCESS;
    int blocks = 0;
    try {
        try {
            ExRaiseStatus(STATUS_NOT_FOUND);
        } finally {
            blocks++;
        }
    } except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_NOT_FOUND);
    assert_int_equal(blocks, 1);
}

static void plain_leave(void **state)
{
    int blocks = 0;
    try {
        blocks = 1;
        leave;
        blocks = 2;
    } finally {
        blocks += 10;
    }
    assert_int_equal(blocks, 11);
}

/* clang-format on */

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(plain_words_mean_the_same),
    cmocka_unit_test(plain_leave),
};

TEST_MAIN(tests)
