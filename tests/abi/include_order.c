/*
 * The headers in several orders, in C and C++. That they compile, twice over, is the test; what is
 * left to run is that no order changed a type.
 */
#include "test.h"

#define X(order) extern const unsigned order[2];
#include "orders.inc"
#undef X

static void order_changes_no_type(void **state)
{
    static const unsigned *const orders[] = {
#define X(order) order,
#include "orders.inc"
#undef X
    };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        assert_int_equal(orders[i][0], 208);
        assert_int_equal(orders[i][1], 56);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(order_changes_no_type),
};

TEST_MAIN(tests)
