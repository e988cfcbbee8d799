/*
 * What every test file includes: CMocka, the kernel's fixture and the record of proven rules.
 *
 *     static void event_wakes_one_waiter(void **state)
 *     {
 *         PROVES("EVT-03");
 *         ...
 *     }
 *
 *     static const struct CMUnitTest tests[] = {
 *         kernel_test(event_wakes_one_waiter), // in a kernel of its own, which must end empty
 *         cmocka_unit_test(something_without_a_kernel),
 *     };
 *
 *     TEST_MAIN(tests)
 *
 * A failed assertion jumps out of the test function: assert on the test's own thread only, below
 * DISPATCH_LEVEL, and not inside a callback that the kernel made.
 */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <wskemu/cmocka_header.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rule ids that the running test proves if it passes; an id that the ledgers do not hold fails. */
#define PROVES(...) test_proves(__FILE__, __LINE__, __VA_ARGS__, (const char *)NULL)
void test_proves(const char *file, int line, ...);

/* Rule ids that a correct driver in the running test keeps: the test fails if a warning or a bug
 * check names one of them until its end. The good twin of a test that PROVES() the rule. */
#define STAYS_SILENT(...) test_stays_silent(__FILE__, __LINE__, __VA_ARGS__, (const char *)NULL)
void test_stays_silent(const char *file, int line, ...);

/* wskemu_test() of wskemu/cmocka.h, for files that must not see a WDK header by this one. */
#define kernel_test(function)                                                                      \
    {                                                                                              \
#function, kernel_run, NULL, kernel_clean_up, (void *)(function)                           \
    }
void kernel_run(void **state);
int kernel_clean_up(void **state);

/* The same as a fixture's two halves, for tests with a setup of their own. */
int kernel_setup(void **state);
int kernel_teardown(void **state);

/* PROGRAM [--list | FILTER]; FILTER is a test's name, with * and ? as in a shell. */
#define TEST_MAIN(tests)                                                                           \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return test_main(argc, argv, tests, sizeof(tests) / sizeof((tests)[0]));                   \
    }
int test_main(int argc, char **argv, const struct CMUnitTest *tests, size_t count);

#ifdef __cplusplus
}
#endif

#endif
