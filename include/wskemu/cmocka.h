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
 * if a wskemu_assert_... of any thread has failed (wskemu/assert.h), and if a bug check comes: it
 * is printed, and the next test runs in a new kernel.
 *
 * A failed assert_... leaves the test function by a jump. Use it on the test's own thread only,
 * below DISPATCH_LEVEL, and not inside a callback that the kernel made; there, use
 * wskemu_assert_...
 *
 * This header includes <cmocka.h>; the library does not need CMocka.
 */
#ifndef WSKEMU_CMOCKA_H
#define WSKEMU_CMOCKA_H

#include <wskemu/cmocka_header.h>

#include <wskemu/assert.h>
#include <wskemu/expectation.h>
#include <wskemu/wait.h>
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

/* An NTSTATUS is a success, or is this one. Beware: STATUS_TIMEOUT and STATUS_PENDING are
 * successes. */
#define assert_nt_success(value)                                                                   \
    wskemu_cmocka_check(wskemu_check_success(__FILE__, __LINE__, #value, value))
#define assert_status(value, expected)                                                             \
    wskemu_cmocka_check(wskemu_check_status(__FILE__, __LINE__, #value, value, expected))

/* Wait (wskemu/wait.h), and fail when the time is over or an assertion of another thread failed. */
#define assert_wait(object, timeout_ms)                                                            \
    wskemu_cmocka_waited(__FILE__, __LINE__, #object, wskemu_wait(object, timeout_ms))
#define assert_wait_irp(irp, timeout_ms)                                                           \
    wskemu_cmocka_waited(__FILE__, __LINE__, #irp, wskemu_wait_irp(irp, timeout_ms))
#define assert_wait_until(condition, context, timeout_ms)                                          \
    wskemu_cmocka_waited(__FILE__, __LINE__, #condition,                                           \
                         wskemu_wait_until(condition, context, timeout_ms))

/*
 * The statement ends in a bug check with this code, or of the rule with this id, on this thread or
 * on another, which may do it until WSKEMU_BUGCHECK_MS after the statement. The test goes on in a
 * new kernel, without any driver. Variables that the statement changes have to be volatile.
 *
 *     assert_bugcheck("IRP-93", IoCompleteRequest(irp, IO_NO_INCREMENT));
 *     assert_bugcheck(0x44, IoCompleteRequest(irp, IO_NO_INCREMENT));
 */
#define assert_bugcheck(expected, ...)                                                             \
    do {                                                                                           \
        struct wskemu_expectation *volatile wskemu_expectation_ = wskemu_expect_begin();           \
        if (WSKEMU_JUMP_SET(*wskemu_expect_jump(wskemu_expectation_)) == 0) {                      \
            __VA_ARGS__;                                                                           \
            wskemu_expect_statement_ended(wskemu_expectation_, WSKEMU_BUGCHECK_MS);                \
        } else {                                                                                   \
            wskemu_expect_resumed(wskemu_expectation_);                                            \
        }                                                                                          \
        WSKEMU_CMOCKA_EXPECT(wskemu_expectation_, expected, __FILE__, __LINE__);                   \
    } while (0)
#define WSKEMU_BUGCHECK_MS 2000

/* The rest is how it is done. */

struct wskemu_cmocka_test {
    CMUnitTestFunction function;
    const struct wskemu_driver_image *image; /* NULL: no driver */
    void (*prepare)(void);                   /* or NULL */
    void *state;                             /* the test function's: the driver */
    BOOLEAN is_passed;
};

#ifdef __cplusplus
#define WSKEMU_CMOCKA_STATE(function, image, prepare)                                              \
    ([]() -> void * {                                                                              \
        static struct wskemu_cmocka_test test = {function, image, prepare, NULL, FALSE};           \
        return &test;                                                                              \
    }())
#else
#define WSKEMU_CMOCKA_STATE(function, image, prepare)                                              \
    (&(struct wskemu_cmocka_test){function, image, prepare, NULL, FALSE})
#endif

#define WSKEMU_CMOCKA_TEST(function, image, prepare)                                               \
    {                                                                                              \
#function, wskemu_cmocka_run, NULL, wskemu_cmocka_clean_up,                                \
            WSKEMU_CMOCKA_STATE(function, image, prepare)                                          \
    }

/* Fails the test with the first failure that was recorded, if there is one. */
static inline void wskemu_cmocka_check_failures(void)
{
    struct wskemu_failure failure;
    if (wskemu_failure_take(&failure)) {
        wskemu_failures_forget();
        print_error("%s\n", failure.text);
        _fail(failure.file, failure.line);
    }
}

static inline void wskemu_cmocka_check(BOOLEAN is_right)
{
    if (!is_right) {
        wskemu_cmocka_check_failures();
    }
}

static inline void wskemu_cmocka_waited(const char *file, int line, const char *what,
                                        NTSTATUS status)
{
    wskemu_cmocka_check_failures();
    if (status != STATUS_SUCCESS) {
        print_error("waiting for %s: 0x%08X %s\n", what, (unsigned)status,
                    wskemu_status_name(status));
        _fail(file, line);
    }
}

static inline void wskemu_cmocka_expect(struct wskemu_expectation *expectation, const char *rule,
                                        ULONG code, const char *file, int line)
{
    struct wskemu_bugcheck caught;
    if (!wskemu_expect_end(expectation, &caught)) {
        print_error("no bug check came\n");
        _fail(file, line);
    }
    NTSTATUS status = wskemu_boot(NULL);
    if (rule != NULL ? caught.rule == NULL || strcmp(caught.rule, rule) != 0
                     : caught.code != code) {
        print_error("expected a bug check %s%s0x%X, got 0x%X of rule %s: %s\n",
                    rule != NULL ? "of rule " : "with code ", rule != NULL ? rule : "",
                    (unsigned)code, (unsigned)caught.code,
                    caught.rule != NULL ? caught.rule : "(none)", caught.sentence);
        _fail(file, line);
    }
    if (status != STATUS_SUCCESS) {
        _fail(file, line);
    }
}

static inline void wskemu_cmocka_expect_rule(struct wskemu_expectation *expectation,
                                             const char *rule, const char *file, int line)
{
    wskemu_cmocka_expect(expectation, rule, 0, file, line);
}

static inline void wskemu_cmocka_expect_code(struct wskemu_expectation *expectation, ULONG code,
                                             const char *file, int line)
{
    wskemu_cmocka_expect(expectation, NULL, code, file, line);
}

#ifdef __cplusplus
extern "C++" {
static inline void wskemu_cmocka_expect_any(struct wskemu_expectation *expectation,
                                            const char *rule, const char *file, int line)
{
    wskemu_cmocka_expect(expectation, rule, 0, file, line);
}
static inline void wskemu_cmocka_expect_any(struct wskemu_expectation *expectation, ULONG code,
                                            const char *file, int line)
{
    wskemu_cmocka_expect(expectation, NULL, code, file, line);
}
}
#define WSKEMU_CMOCKA_EXPECT(expectation, expected, file, line)                                    \
    wskemu_cmocka_expect_any(expectation, expected, file, line)
#else
#define WSKEMU_CMOCKA_EXPECT(expectation, expected, file, line)                                    \
    _Generic((expected), char *                                                                    \
             : wskemu_cmocka_expect_rule, const char *                                             \
             : wskemu_cmocka_expect_rule, default                                                  \
             : wskemu_cmocka_expect_code)(expectation, expected, file, line)
#endif

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
    wskemu_cmocka_check_failures();
    unsigned left = wskemu_shutdown(); /* unloads the driver */
    if (left != 0) {
        fail_msg("%u things were left at shutdown", left);
    }
    wskemu_cmocka_check_failures(); /* of the unload */
}

static inline void wskemu_cmocka_run(void **state)
{
    struct wskemu_cmocka_test *test = (struct wskemu_cmocka_test *)*state;
    struct wskemu_bugcheck bugcheck;
    test->state = NULL;
    test->is_passed = FALSE;
    wskemu_failures_forget();
    if (wskemu_contain_bugcheck(wskemu_cmocka_body, test, &bugcheck)) {
        fail_msg("bug check 0x%08X %s: %s%s%s%s", (unsigned)bugcheck.code, bugcheck.name,
                 bugcheck.sentence, bugcheck.rule != NULL ? " (rule " : "",
                 bugcheck.rule != NULL ? bugcheck.rule : "", bugcheck.rule != NULL ? ")" : "");
    }
    test->is_passed = TRUE;
}

#define WSKEMU_CMOCKA_FRAMES_BYTES 131072

/* A failed assertion left the test's frames, and what is still pending may write to them: shutdown
 * runs on the stack beyond. */
static inline void wskemu_cmocka_shut_down(void *context)
{
    volatile char frames_of_the_test[WSKEMU_CMOCKA_FRAMES_BYTES];
    (void)context;
    frames_of_the_test[0] = 0;
    wskemu_shutdown();
    (void)frames_of_the_test[0];
}

/* After a failure the kernel still stands; a bug check of what it is in must not end the others. */
static inline int wskemu_cmocka_clean_up(void **state)
{
    const struct wskemu_cmocka_test *test = (const struct wskemu_cmocka_test *)*state;
    wskemu_forget_expectations();
    if (!test->is_passed) {
        wskemu_print_options();
    }
    wskemu_contain_bugcheck(wskemu_cmocka_shut_down, NULL, NULL);
    wskemu_failures_forget();
    return 0;
}

#endif
