/* Every load of a driver starts from its image's initial data. */
#include "test.h"

#include <wskemu/wskemu.h>

static PDRIVER_OBJECT load(void)
{
    PDRIVER_OBJECT driver = NULL;
    assert_int_equal(wskemu_load_driver(WSKEMU_DRIVER(counting), &driver), STATUS_SUCCESS);
    return driver;
}

static void each_load_starts_from_the_image(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wskemu_unload_driver(load()), STATUS_SUCCESS);
    }
}

static void each_boot_starts_from_the_image(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
        assert_int_equal(wskemu_unload_driver(load()), STATUS_SUCCESS);
        assert_int_equal(wskemu_shutdown(), 0);
    }
}

static void stop(void *context)
{
    (void)context;
    load();
    KeBugCheck(MANUALLY_INITIATED_CRASH);
}

static void load_after_a_bugcheck_starts_from_the_image(void **state)
{
    (void)state;
    struct wskemu_bugcheck caught;
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_true(wskemu_catch_bugcheck(stop, NULL, &caught));
    assert_int_equal(caught.code, MANUALLY_INITIATED_CRASH);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_unload_driver(load()), STATUS_SUCCESS);
    assert_int_equal(wskemu_shutdown(), 0);
}

static const struct CMUnitTest tests[] = {
    kernel_test(each_load_starts_from_the_image),
    cmocka_unit_test(each_boot_starts_from_the_image),
    cmocka_unit_test(load_after_a_bugcheck_starts_from_the_image),
};

TEST_MAIN(tests)
