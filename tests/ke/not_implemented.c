/* What is not implemented stops and says its name; it never looks like a success. */
#include "bugcheck.h"
#include "kernel.h"

#include <ntifs.h>

#include <string.h>

static void open_section(void *context)
{
    HANDLE handle = NULL;
    ZwOpenSection(&handle, SECTION_MAP_READ, NULL);
}

static void bug_check_names_the_function(void **state)
{
    struct wskemu_bugcheck bugcheck = bugcheck_of(open_section, NULL);
    assert_int_equal(bugcheck.code, MANUALLY_INITIATED_CRASH);
    assert_non_null(strstr(bugcheck.sentence, "ZwOpenSection"));
}

static const struct CMUnitTest tests[] = {
    kernel_test(bug_check_names_the_function),
};

TEST_MAIN(tests)
