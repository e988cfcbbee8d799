/* Bitmaps. */
#include "kernel.h"

static void bitmap_finds_and_counts(void **state)
{
    ULONG words[2];
    RTL_BITMAP map;
    RtlInitializeBitMap(&map, words, 40);
    RtlClearAllBits(&map);
    RtlSetBits(&map, 3, 4);
    assert_int_equal(RtlNumberOfSetBits(&map), 4);
    assert_int_equal(RtlNumberOfClearBits(&map), 36);
    assert_true(RtlAreBitsSet(&map, 3, 4));
    assert_false(RtlAreBitsSet(&map, 3, 5));
    assert_true(RtlAreBitsClear(&map, 7, 33));
    assert_false(RtlAreBitsClear(&map, 7, 34));
    assert_int_equal(RtlFindClearBits(&map, 4, 0), 7);
    assert_int_equal(RtlFindClearBitsAndSet(&map, 4, 38), 7);
    assert_int_equal(RtlFindSetBits(&map, 8, 0), 3);
    assert_int_equal(RtlFindSetBitsAndClear(&map, 8, 0), 3);
    assert_int_equal(RtlFindSetBits(&map, 1, 0), 0xffffffff);
    RtlSetBit(&map, 33);
    assert_true(RtlTestBit(&map, 33));
    assert_int_equal(RtlCheckBit(&map, 32), 0);
    RtlClearBit(&map, 33);
    assert_int_equal(RtlNumberOfSetBits(&map), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bitmap_finds_and_counts),
};

TEST_MAIN(tests)
