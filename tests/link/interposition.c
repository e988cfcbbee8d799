/*
 * Drivers that define send(), bind(), close() and their like, beside a host that uses its own: each
 * side's calls arrive at its own functions. Linked four ways, so it does without the tests' support
 * library, which brings one form of wskemu with it.
 */
#include <wskemu/cmocka_header.h>
#include <wskemu/wskemu.h>

#include "host.h"

int sockets_calls(void); /* exported by sockets_one */

static void load_and_unload(const struct wskemu_driver_image *image)
{
    PDRIVER_OBJECT driver = NULL;
    assert_int_equal(wskemu_load_driver(image, &driver), STATUS_SUCCESS);
    assert_true(host_talks_to_itself());
    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
}

static void each_driver_reaches_its_own(void **state)
{
    (void)state;
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    load_and_unload(WSKEMU_DRIVER(sockets_one));
    assert_int_equal(sockets_calls(), 17);
    load_and_unload(WSKEMU_DRIVER(sockets_two));
    assert_int_equal(sockets_calls(), 17);
    assert_int_equal(wskemu_shutdown(), 0);
}

#ifdef MODULE
static void loadable_module_reaches_its_own(void **state)
{
    (void)state;
    const struct wskemu_driver_image *(*image)(void);
    *(void **)&image = host_module_symbol(MODULE, "wskemu_module_image");
    assert_non_null(image);
    assert_non_null(host_module_symbol(MODULE, "DriverEntry"));
    assert_ptr_not_equal(image(), WSKEMU_DRIVER(sockets_two));
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    load_and_unload(image());
    assert_int_equal(wskemu_shutdown(), 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_driver_reaches_its_own),
#ifdef MODULE
        cmocka_unit_test(loadable_module_reaches_its_own),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
