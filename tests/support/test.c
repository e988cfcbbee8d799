/*
 * Runs a file's tests and keeps what they prove.
 *
 * CMocka leaves a failed or skipped test by a jump, so it never says which tests passed. Each test
 * is therefore run inside one of ours, which the jump leaves too: only when the test function came
 * back do its ids count. A failure in a teardown is seen in the result of the whole run, and then
 * nothing is written.
 */
#include "test.h"
#include "rules.h"
#include "skip.h"

#include <wskemu/cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PROOFS_MAX 4096
#define PATH_BYTES_MAX 1024
#define SKIPPED_BYTES_MAX 512

/* A test as the file wrote it, and the state that its fixture left for it. */
struct wrapped_test {
    const struct CMUnitTest *inner;
    void *state;
    char skipped[SKIPPED_BYTES_MAX]; /* the line of a list that says why it does not run */
};

static const char *running;
static struct rules_proof proofs[PROOFS_MAX];
static size_t proof_count; /* of tests that passed */
static size_t named_count; /* these and those of the running test */

static int wrapped_setup(void **state)
{
    struct wrapped_test *test = *state;
    return test->inner->setup_func(&test->state);
}

/* Comes after a jump too, which may have left the body of an expected bug check. */
static int wrapped_teardown(void **state)
{
    struct wrapped_test *test = *state;
    wskemu_forget_expectations();
    return test->inner->teardown_func != NULL ? test->inner->teardown_func(&test->state) : 0;
}

/* The test function came back: looks which of the rules that it named the verifier named, too. */
static void settle(void)
{
    for (size_t i = proof_count; i < named_count; i++) {
        bool was_named = wskemu_rule_spoken(proofs[i].id) != proofs[i].spoken;
        if (was_named && proofs[i].part == RULES_KEPT_SILENT) {
            fail_msg("a false alarm: rule %s was named, which the driver keeps", proofs[i].id);
        }
        if (was_named && proofs[i].part == RULES_PROVEN) {
            proofs[i].part = RULES_CAUGHT;
        }
    }
}

static void wrapped_run(void **state)
{
    struct wrapped_test *test = *state;
    running = test->inner->name;
    named_count = proof_count;
    test->inner->test_func(&test->state);
    settle();
    proof_count = named_count;
}

static void skip_listed(void **state)
{
    const struct wrapped_test *test = *state;
    print_message("skipped by %s\n", test->skipped);
    skip();
}

static void wrap(struct CMUnitTest *outer, struct wrapped_test *test,
                 const struct CMUnitTest *inner, const char *program)
{
    test->inner = inner;
    test->state = inner->initial_state;
    outer->name = inner->name;
    outer->initial_state = test;
    if (skip_is_listed(program, inner->name, test->skipped, sizeof(test->skipped))) {
        outer->test_func = skip_listed;
        return;
    }
    outer->test_func = wrapped_run;
    outer->setup_func = inner->setup_func != NULL ? wrapped_setup : NULL;
    outer->teardown_func = wrapped_teardown;
}

static void note(const char *file, int line, const char *id, enum rules_part part)
{
    if (!rules_know(id)) {
        print_error("%s is no rule of docs/rules\n", id);
        _fail(file, line);
    }
    if (named_count == PROOFS_MAX) {
        print_error("more than %d rules named in one file\n", PROOFS_MAX);
        _fail(file, line);
    }
    proofs[named_count++] = (struct rules_proof){
        .id = id, .test = running, .part = part, .spoken = wskemu_rule_spoken(id)};
}

void test_proves(const char *file, int line, ...)
{
    va_list ids;
    va_start(ids, line);
    for (const char *id = va_arg(ids, const char *); id != NULL; id = va_arg(ids, const char *)) {
        note(file, line, id, RULES_PROVEN);
    }
    va_end(ids);
}

void test_stays_silent(const char *file, int line, ...)
{
    va_list ids;
    va_start(ids, line);
    for (const char *id = va_arg(ids, const char *); id != NULL; id = va_arg(ids, const char *)) {
        note(file, line, id, RULES_KEPT_SILENT);
    }
    va_end(ids);
}

void kernel_run(void **state)
{
    struct wskemu_cmocka_test test = {.function = (CMUnitTestFunction)(uintptr_t)*state};
    void *as_state = &test;
    wskemu_cmocka_run(&as_state);
}

int kernel_clean_up(void **state)
{
    struct wskemu_cmocka_test test = {.is_passed = TRUE}; /* the options are printed at the end */
    void *as_state = &test;
    (void)state;
    return wskemu_cmocka_clean_up(&as_state);
}

int kernel_setup(void **state)
{
    (void)state;
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    return 0;
}

int kernel_teardown(void **state)
{
    (void)state;
    assert_int_equal(wskemu_shutdown(), 0);
    return 0;
}

/* A plain name must be there: a filter that selects nothing would pass. */
static bool is_selectable(const char *filter, const struct CMUnitTest *tests, size_t count)
{
    if (strpbrk(filter, "*?") != NULL) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tests[i].name, filter) == 0) {
            return true;
        }
    }
    print_error("no test named %s\n", filter);
    return false;
}

static int run(const char *program, const struct CMUnitTest *tests, size_t count)
{
    struct CMUnitTest *outer = calloc(count, sizeof(*outer));
    struct wrapped_test *wrapped = calloc(count, sizeof(*wrapped));
    int failed = -1;
    if (outer != NULL && wrapped != NULL) {
        for (size_t i = 0; i < count; i++) {
            wrap(&outer[i], &wrapped[i], &tests[i], program);
        }
        failed = _cmocka_run_group_tests("tests", outer, count, NULL, NULL);
    }
    free(wrapped);
    free(outer);
    return failed;
}

int test_main(int argc, char **argv, const struct CMUnitTest *tests, size_t count)
{
    const char *filter = argc > 1 ? argv[1] : NULL;
    if (filter != NULL && strcmp(filter, "--list") == 0) {
        for (size_t i = 0; i < count; i++) {
            print_message("%s\n", tests[i].name);
        }
        return 0;
    }
    if (filter != NULL) {
        if (!is_selectable(filter, tests, count)) {
            return 2;
        }
        cmocka_set_test_filter(filter);
    }
    char path[PATH_BYTES_MAX];
    bool is_recorded = rules_file(argv[0], filter, path, sizeof(path));
    if (is_recorded) {
        rules_clear(path);
    }
    int failed = run(argv[0], tests, count);
    if (failed != 0) {
        wskemu_print_options();
    }
    if (failed == 0 && is_recorded && proof_count > 0) {
        return rules_write(path, proofs, proof_count) ? 0 : 1;
    }
    return failed == 0 ? 0 : 1;
}
