/* Memory, 64-bit helpers, byte order. */
#include "kernel.h"

static void comparison_counts_equal_bytes(void **state)
{
    PROVES("RTL-37");
    assert_int_equal(RtlCompareMemory("abcd", "abxd", 4), 2);
    assert_int_equal(RtlCompareMemory("abcd", "abcd", 4), 4);
    assert_int_equal(RtlCompareMemory("a", "b", 0), 0);
    assert_true(RtlEqualMemory("abcd", "abcd", 4));
    assert_false(RtlEqualMemory("abcd", "abce", 4));
    assert_int_equal(RtlCompareMemoryUlong("aaaaaaab", 8, 0x61616161), 4);
}

static void filling_and_moving(void **state)
{
    PROVES("RTL-39", "RTL-40");
    UCHAR buffer[9] = "abcdefgh";
    RtlFillMemory(buffer, 3, 'x');
    assert_string_equal(buffer, "xxxdefgh");
    RtlMoveMemory(buffer + 2, buffer, 4);
    assert_string_equal(buffer, "xxxxxdgh");
    RtlZeroMemory(buffer, 2);
    assert_int_equal(buffer[1], 0);
    assert_int_equal(buffer[2], 'x');
    assert_ptr_equal(RtlSecureZeroMemory(buffer, sizeof(buffer)), buffer);
    assert_true(RtlIsZeroMemory(buffer, sizeof(buffer)));
    RtlFillMemoryUlong(buffer, 8, 0x44434241);
    assert_string_equal(buffer, "ABCDABCD");
    assert_false(RtlIsZeroMemory(buffer, 1));
}

static void byte_order_and_wide_numbers(void **state)
{
    assert_int_equal(RtlUshortByteSwap(0x1234), 0x3412);
    assert_int_equal(RtlUlongByteSwap(0x12345678), 0x78563412);
    assert_true(RtlUlonglongByteSwap(0x0102030405060708ULL) == 0x0807060504030201ULL);
    assert_int_equal(RtlConvertLongToLargeInteger(-5).QuadPart, -5);
    assert_true(RtlConvertUlongToLargeInteger(MAXULONG).QuadPart == MAXULONG);
    assert_true(Int32x32To64(-100000, 100000) == -10000000000LL);
}

struct record {
    ULONG before;
    LIST_ENTRY link;
};

static void containing_record(void **state)
{
    PROVES("RTL-59");
    struct record record;
    assert_ptr_equal(CONTAINING_RECORD(&record.link, struct record, link), &record);
    assert_int_equal(FIELD_OFFSET(struct record, link), 8);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(comparison_counts_equal_bytes),
    cmocka_unit_test(filling_and_moving),
    cmocka_unit_test(byte_order_and_wide_numbers),
    cmocka_unit_test(containing_record),
};

TEST_MAIN(tests)
