/* Whole numbers that notice when they overflow. */
#include "test.h"

#include <ntddk.h>
#include <ntintsafe.h>

static void unsigned_arithmetic(void **state)
{
    ULONG sum = 0;
    SIZE_T product = 0;
    UCHAR small = 0;
    assert_int_equal(RtlULongAdd(MAXULONG - 1, 1, &sum), STATUS_SUCCESS);
    assert_int_equal(sum, MAXULONG);
    assert_int_equal(RtlULongAdd(MAXULONG, 1, &sum), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(sum, MAXULONG);
    assert_int_equal(RtlULongSub(1, 2, &sum), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlULongSub(3, 2, &sum), STATUS_SUCCESS);
    assert_int_equal(sum, 1);
    assert_int_equal(RtlSIZETMult((SIZE_T)1 << 32, 1u << 31, &product), STATUS_SUCCESS);
    assert_true(product == (SIZE_T)1 << 63);
    assert_int_equal(RtlSIZETMult((SIZE_T)1 << 32, (SIZE_T)1 << 32, &product),
                     STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlUInt8Add(200, 56, &small), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(small, 0xFF);
    assert_int_equal(RtlUInt32Add(1, 2, &sum), STATUS_SUCCESS);
}

static void signed_arithmetic(void **state)
{
    LONG number = 0;
    SHORT small = 0;
    assert_int_equal(RtlLongAdd(MAXLONG, 1, &number), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(number, -1);
    assert_int_equal(RtlLongSub(-5, 3, &number), STATUS_SUCCESS);
    assert_int_equal(number, -8);
    assert_int_equal(RtlLongMult(1 << 16, 1 << 15, &number), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlShortMult(-256, 128, &small), STATUS_SUCCESS);
    assert_int_equal(small, -32768);
}

static void conversions(void **state)
{
    ULONG number = 0;
    UCHAR small = 0;
    LONG negative = 0;
    CHAR letter = 0;
    assert_int_equal(RtlSIZETToULong((SIZE_T)1 << 32, &number), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(number, MAXULONG);
    assert_int_equal(RtlULong64ToULong(77, &number), STATUS_SUCCESS);
    assert_int_equal(number, 77);
    assert_int_equal(RtlLongToULong(-1, &number), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlULongToLong(0x80000000, &negative), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(negative, -1);
    assert_int_equal(RtlLongLongToLong(-7, &negative), STATUS_SUCCESS);
    assert_int_equal(negative, -7);
    assert_int_equal(RtlULongToUChar(256, &small), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlIntToUChar(255, &small), STATUS_SUCCESS);
    assert_int_equal(RtlIntToChar(-128, &letter), STATUS_SUCCESS);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(unsigned_arithmetic),
    cmocka_unit_test(signed_arithmetic),
    cmocka_unit_test(conversions),
};

TEST_MAIN(tests)
