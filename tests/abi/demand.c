/*
 * Drivers find what they ask for: the names of tests/data/api-demand.md, and each function that
 * include/wdk declares.
 *
 * A name that is declared but is not what it should be does not compile, a function without a
 * definition does not link: see demand.py.
 */
#include "demand.h"
#include "test.h"

/* From here on a function must behave, not only say that it is not there. */
#define CORE_THAT_BEHAVES 2

#define X(name) +1
static const unsigned demanded_count = 0
#include "demanded.inc"
    ;
#undef X

#define X(name) name,
static const char *const undeclared[] = {
#include "undeclared.inc"
    NULL};
#undef X

struct stopping {
    const char *name;
    unsigned core;
};

#define X(name, core) {name, core},
static const struct stopping stopping[] = {
#include "stopping.inc"
    {NULL, 0}};
#undef X

static void demanded_names_are_declared(void **state)
{
    print_message("%u names demanded and declared\n", demanded_count);
    for (size_t i = 0; undeclared[i] != NULL; i++) {
        print_error("%s is demanded, but neither declared nor excused\n", undeclared[i]);
    }
    assert_null(undeclared[0]);
}

static void declared_functions_are_defined(void **state)
{
    for (size_t i = 0; i < demand_address_count; i++) {
        if (demand_addresses[i].address == 0) {
            fail_msg("%s is declared, but not defined", demand_addresses[i].name);
        }
    }
    print_message("%u functions declared and defined\n", (unsigned)demand_address_count);
}

static void demanded_functions_behave(void **state)
{
    unsigned left = 0;
    for (size_t i = 0; stopping[i].name != NULL; i++) {
        print_message("%s (core %u) is not implemented\n", stopping[i].name, stopping[i].core);
        left += stopping[i].core >= CORE_THAT_BEHAVES;
    }
    assert_int_equal(left, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(demanded_names_are_declared),
    cmocka_unit_test(declared_functions_are_defined),
    cmocka_unit_test(demanded_functions_behave),
};

TEST_MAIN(tests)
