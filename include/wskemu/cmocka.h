/*
 * CMocka tests of a driver: each in a kernel of its own, which must end empty.
 *
 *     WSKEMU_USE_DRIVER(echo);
 *
 *     static void a_client_gets_back_what_it_sent(void **state)
 *     {
 *         PDRIVER_OBJECT driver = *state;
 *         ...
 *     }
 *
 *     static const struct CMUnitTest tests[] = {
 *         wskemu_test(something_without_a_driver),
 *         wskemu_driver_test(a_client_gets_back_what_it_sent, echo),
 *     };
 *
 *     int main(void)
 *     {
 *         return cmocka_run_group_tests(tests, NULL, NULL);
 *     }
 *
 * A test fails if anything was left at its end (wskemu_shutdown), if DriverEntry does not succeed,
 * and if a bug check comes: it is printed, and the next test runs in a new kernel.
 *
 * A failed assertion leaves the test function by a jump. Assert on the test's own thread only,
 * below DISPATCH_LEVEL, and not inside a callback that the kernel made.
 *
 * This header includes <cmocka.h>; the library does not need CMocka.
 */
#ifndef WSKEMU_CMOCKA_H
#define WSKEMU_CMOCKA_H

#include <wskemu/cmocka_header.h>
#include <wskemu/wskemu.h>

/* Between wskemu_boot() and wskemu_shutdown(). */
#define wskemu_test(function) WSKEMU_CMOCKA_TEST(function, NULL, NULL)

/* With the driver of that name loaded; *state is its PDRIVER_OBJECT. It is unloaded at the end,
 * unless the test has done it. Needs WSKEMU_USE_DRIVER(driver) further up. */
#define wskemu_driver_test(function, driver)                                                       \
    WSKEMU_CMOCKA_TEST(function, &wskemu_image_##driver, NULL)

/* The same, with a call of prepare() after boot and before DriverEntry: to set registry values, or
 * to start the server that the driver connects to. void prepare(void) may use assertions. */
#define wskemu_driver_test_setup(function, driver, prepare)                                        \
    WSKEMU_CMOCKA_TEST(function, &wskemu_image_##driver, prepare)

/* The rest is how it is done. */

struct wskemu_cmocka_test {
    CMUnitTestFunction function;
    const struct wskemu_driver_image *image; /* NULL: no driver */
    void (*prepare)(void);                   /* or NULL */
    void *state;                             /* the test function's: the driver */
};

#ifdef __cplusplus
#define WSKEMU_CMOCKA_STATE(function, image, prepare)                                              \
    ([]() -> void * {                                                                              \
        static struct wskemu_cmocka_test test = {function, image, prepare, NULL};                  \
        return &test;                                                                              \
    }())
#else
#define WSKEMU_CMOCKA_STATE(function, image, prepare)                                              \
    (&(struct wskemu_cmocka_test){function, image, prepare, NULL})
#endif

#define WSKEMU_CMOCKA_TEST(function, image, prepare)                                               \
    {                                                                                              \
#function, wskemu_cmocka_run, NULL, wskemu_cmocka_clean_up,                                \
            WSKEMU_CMOCKA_STATE(function, image, prepare)                                          \
    }

static inline void wskemu_cmocka_load(struct wskemu_cmocka_test *test)
{
    PDRIVER_OBJECT driver;
    NTSTATUS status = wskemu_load_driver(test->image, &driver);
    if (!NT_SUCCESS(status)) {
        fail_msg("DriverEntry of %s returned 0x%08X", test->image->name, (unsigned)status);
    }
    test->state = driver;
}

static inline void wskemu_cmocka_body(void *context)
{
    struct wskemu_cmocka_test *test = (struct wskemu_cmocka_test *)context;
    NTSTATUS status = wskemu_boot(NULL);
    if (status != STATUS_SUCCESS) {
        fail_msg("wskemu_boot returned 0x%08X", (unsigned)status);
    }
    if (test->prepare != NULL) {
        test->prepare();
    }
    if (test->image != NULL) {
        wskemu_cmocka_load(test);
    }
    test->function(&test->state);
    unsigned left = wskemu_shutdown(); /* unloads the driver */
    if (left != 0) {
        fail_msg("%u things were left at shutdown", left);
    }
}

static inline void wskemu_cmocka_run(void **state)
{
    struct wskemu_cmocka_test *test = (struct wskemu_cmocka_test *)*state;
    struct wskemu_bugcheck bugcheck;
    test->state = NULL;
    if (wskemu_contain_bugcheck(wskemu_cmocka_body, test, &bugcheck)) {
        fail_msg("bug check 0x%08X %s: %s%s%s%s", (unsigned)bugcheck.code, bugcheck.name,
                 bugcheck.sentence, bugcheck.rule != NULL ? " (rule " : "",
                 bugcheck.rule != NULL ? bugcheck.rule : "", bugcheck.rule != NULL ? ")" : "");
    }
}

static inline void wskemu_cmocka_shut_down(void *context)
{
    (void)context;
    wskemu_shutdown();
}

/* After a failure the kernel still stands; a bug check of what it is in must not end the others. */
static inline int wskemu_cmocka_clean_up(void **state)
{
    (void)state;
    wskemu_forget_expectations();
    wskemu_contain_bugcheck(wskemu_cmocka_shut_down, NULL, NULL);
    return 0;
}

#endif
