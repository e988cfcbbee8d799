/* Drivers written in the dialects that real ones are written in compile unmodified and run. */
#include "test.h"

#include <wskemu/wskemu.h>

static void load_and_unload(const struct wskemu_driver_image *image)
{
    PDRIVER_OBJECT driver = NULL;
    assert_int_equal(wskemu_load_driver(image, &driver), STATUS_SUCCESS);
    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
}

static void line_ends_and_byte_order_mark(void **state)
{
    (void)state;
    load_and_unload(WSKEMU_DRIVER(odd_encoding));
}

static void header_names_in_other_letters(void **state)
{
    (void)state;
    load_and_unload(WSKEMU_DRIVER(odd_names));
}

static void words_of_microsofts_compiler(void **state)
{
    (void)state;
    load_and_unload(WSKEMU_DRIVER(odd_words));
}

static void plain_try_and_except(void **state)
{
    (void)state;
    load_and_unload(WSKEMU_DRIVER(odd_seh));
}

static void cplusplus(void **state)
{
    (void)state;
    load_and_unload(WSKEMU_DRIVER(odd_cpp));
}

static void types_that_do_not_match(void **state)
{
    (void)state;
    load_and_unload(WSKEMU_DRIVER(odd_types));
}

static void wide_characters_of_16_bits(void **state)
{
    (void)state;
    load_and_unload(WSKEMU_DRIVER(odd_wide));
}

static const struct CMUnitTest tests[] = {
    kernel_test(line_ends_and_byte_order_mark),
    kernel_test(header_names_in_other_letters),
    kernel_test(words_of_microsofts_compiler),
    kernel_test(plain_try_and_except),
    kernel_test(cplusplus),
    kernel_test(types_that_do_not_match),
    kernel_test(wide_characters_of_16_bits),
};

TEST_MAIN(tests)
