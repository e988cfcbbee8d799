/* Pseudo-random numbers. */
#include "kernel.h"

static void random_follows_from_its_seed(void **state)
{
    ULONG seed1 = 42;
    ULONG seed2 = 42;
    for (ULONG index = 0; index < 100; index++) {
        ULONG number = RtlRandomEx(&seed1);
        assert_int_equal(number, RtlRandomEx(&seed2));
        assert_true(number < MAXLONG);
    }
    assert_int_not_equal(RtlRandomEx(&seed1), RtlRandomEx(&seed1));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(random_follows_from_its_seed),
};

TEST_MAIN(tests)
