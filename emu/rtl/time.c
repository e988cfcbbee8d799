/*
 * System time (100 ns since 1601-01-01) as a date. Days are counted in years that begin in March,
 * so that the day of a leap year comes last.
 */
#include "rtl/level.h"

#include <wdm.h>

#define TICKS_PER_MILLISECOND 10000LL
#define TICKS_PER_SECOND 10000000LL
#define TICKS_PER_DAY (86400 * TICKS_PER_SECOND)
#define DAYS_PER_400_YEARS 146097
#define MARCH_1600_TO_1601 306 /* days */
#define SECONDS_1601_TO_1970 11644473600LL
#define SECONDS_1601_TO_1980 11960006400LL
#define YEAR_MAX 30827

/* Days from 1601-01-01 to a date. */
static LONGLONG days_from_date(LONG year, LONG month, LONG day)
{
    LONG march_year = month > 2 ? year : year - 1;
    LONG march_month = month > 2 ? month - 3 : month + 9;
    LONGLONG years = march_year - 1600;
    LONGLONG days = years * 365 + years / 4 - years / 100 + years / 400;
    return days + (153 * march_month + 2) / 5 + day - 1 - MARCH_1600_TO_1601;
}

static VOID date_from_days(LONGLONG days, PTIME_FIELDS fields)
{
    days += MARCH_1600_TO_1601;
    LONGLONG era = days / DAYS_PER_400_YEARS;
    LONG day_of_era = (LONG)(days % DAYS_PER_400_YEARS);
    LONG year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    LONG day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    LONG march_month = (5 * day_of_year + 2) / 153;
    fields->Day = (CSHORT)(day_of_year - (153 * march_month + 2) / 5 + 1);
    fields->Month = (CSHORT)(march_month < 10 ? march_month + 3 : march_month - 9);
    fields->Year = (CSHORT)(1600 + era * 400 + year_of_era + (march_month >= 10));
}

/* Splits a time. Any IRQL with resident memory. Rule TIME-10. */
VOID RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields)
{
    LONGLONG days = Time->QuadPart / TICKS_PER_DAY;
    LONG milliseconds = (LONG)(Time->QuadPart % TICKS_PER_DAY / TICKS_PER_MILLISECOND);
    date_from_days(days, TimeFields);
    TimeFields->Weekday = (CSHORT)((days + 1) % 7);
    TimeFields->Milliseconds = (CSHORT)(milliseconds % 1000);
    TimeFields->Second = (CSHORT)(milliseconds / 1000 % 60);
    TimeFields->Minute = (CSHORT)(milliseconds / 60000 % 60);
    TimeFields->Hour = (CSHORT)(milliseconds / 3600000);
}

static BOOLEAN is_date(const TIME_FIELDS *fields)
{
    static const CSHORT days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (fields->Year < 1601 || fields->Year > YEAR_MAX || fields->Month < 1 || fields->Month > 12) {
        return FALSE;
    }
    BOOLEAN leap = fields->Year % 4 == 0 && (fields->Year % 100 != 0 || fields->Year % 400 == 0);
    CSHORT last = (CSHORT)(days[fields->Month - 1] + (leap && fields->Month == 2));
    return fields->Day >= 1 && fields->Day <= last;
}

static BOOLEAN is_time_of_day(const TIME_FIELDS *fields)
{
    return fields->Hour >= 0 && fields->Hour < 24 && fields->Minute >= 0 && fields->Minute < 60 &&
           fields->Second >= 0 && fields->Second < 60 && fields->Milliseconds >= 0 &&
           fields->Milliseconds < 1000;
}

/* Joins what RtlTimeToTimeFields splits; ignores the weekday. FALSE for what is no date. Any IRQL
 * with resident memory. Rule TIME-11. */
BOOLEAN RtlTimeFieldsToTime(PTIME_FIELDS TimeFields, PLARGE_INTEGER Time)
{
    if (!is_date(TimeFields) || !is_time_of_day(TimeFields)) {
        return FALSE;
    }
    LONGLONG seconds = (TimeFields->Hour * 60 + TimeFields->Minute) * 60 + TimeFields->Second;
    LONGLONG days = days_from_date(TimeFields->Year, TimeFields->Month, TimeFields->Day);
    Time->QuadPart = days * TICKS_PER_DAY + seconds * TICKS_PER_SECOND +
                     TimeFields->Milliseconds * TICKS_PER_MILLISECOND;
    return TRUE;
}

static BOOLEAN seconds_since(LONGLONG epoch_seconds, PLARGE_INTEGER time, PULONG seconds)
{
    LONGLONG elapsed = time->QuadPart / TICKS_PER_SECOND - epoch_seconds;
    if (elapsed < 0 || elapsed > MAXULONG) {
        return FALSE;
    }
    *seconds = (ULONG)elapsed;
    return TRUE;
}

/* FALSE for times before 1970 or after 32 bits of seconds. IRQL <= APC_LEVEL. Rule TIME-12. */
BOOLEAN RtlTimeToSecondsSince1970(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    return seconds_since(SECONDS_1601_TO_1970, Time, ElapsedSeconds);
}

/* The reverse of RtlTimeToSecondsSince1970. */
VOID RtlSecondsSince1970ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
    Time->QuadPart = (SECONDS_1601_TO_1970 + ElapsedSeconds) * TICKS_PER_SECOND;
}

/* As RtlTimeToSecondsSince1970, from 1980. */
BOOLEAN RtlTimeToSecondsSince1980(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
    return seconds_since(SECONDS_1601_TO_1980, Time, ElapsedSeconds);
}

/* The reverse of RtlTimeToSecondsSince1980. */
VOID RtlSecondsSince1980ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
    Time->QuadPart = (SECONDS_1601_TO_1980 + ElapsedSeconds) * TICKS_PER_SECOND;
}
