/* System time as a date. */
#include "kernel.h"

static void time_splits_and_joins(void **state)
{
    PROVES("TIME-10", "TIME-11");
    LARGE_INTEGER time = {.QuadPart = 0};
    TIME_FIELDS fields;
    RtlTimeToTimeFields(&time, &fields);
    assert_int_equal(fields.Year, 1601);
    assert_int_equal(fields.Month, 1);
    assert_int_equal(fields.Day, 1);
    assert_int_equal(fields.Weekday, 1);
    TIME_FIELDS leap = {2024, 2, 29, 23, 59, 58, 999, 0};
    assert_true(RtlTimeFieldsToTime(&leap, &time));
    RtlTimeToTimeFields(&time, &fields);
    assert_int_equal(fields.Weekday, 4);
    leap.Weekday = 4;
    assert_memory_equal(&fields, &leap, sizeof(fields));
    leap.Year = 2023;
    assert_false(RtlTimeFieldsToTime(&leap, &time));
    leap.Year = 1900;
    assert_false(RtlTimeFieldsToTime(&leap, &time));
    leap.Year = 2000;
    assert_true(RtlTimeFieldsToTime(&leap, &time));
    leap.Hour = 24;
    assert_false(RtlTimeFieldsToTime(&leap, &time));
}

static void every_day_of_a_thousand_years(void **state)
{
    PROVES("TIME-10");
    TIME_FIELDS before = {1601, 1, 1, 0, 0, 0, 0, 1};
    for (LONG day = 1; day < 365 * 1000; day++) {
        LARGE_INTEGER time = {.QuadPart = day * 864000000000LL};
        LARGE_INTEGER joined;
        TIME_FIELDS fields;
        RtlTimeToTimeFields(&time, &fields);
        assert_true(RtlTimeFieldsToTime(&fields, &joined) && joined.QuadPart == time.QuadPart);
        assert_int_equal(fields.Weekday, (before.Weekday + 1) % 7);
        assert_true(fields.Day == before.Day + 1 || fields.Day == 1);
        before = fields;
    }
}

static void seconds_since_1970(void **state)
{
    PROVES("TIME-12");
    TIME_FIELDS fields = {1970, 1, 1, 0, 0, 1, 0, 0};
    LARGE_INTEGER time;
    LARGE_INTEGER back;
    ULONG seconds = 0;
    RtlTimeFieldsToTime(&fields, &time);
    assert_true(RtlTimeToSecondsSince1970(&time, &seconds));
    assert_int_equal(seconds, 1);
    RtlSecondsSince1970ToTime(1, &back);
    assert_true(back.QuadPart == time.QuadPart);
    fields.Year = 2107;
    RtlTimeFieldsToTime(&fields, &time);
    assert_false(RtlTimeToSecondsSince1970(&time, &seconds));
    fields.Year = 1969;
    RtlTimeFieldsToTime(&fields, &time);
    assert_false(RtlTimeToSecondsSince1970(&time, &seconds));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(time_splits_and_joins),
    cmocka_unit_test(every_day_of_a_thousand_years),
    cmocka_unit_test(seconds_since_1970),
};

TEST_MAIN(tests)
