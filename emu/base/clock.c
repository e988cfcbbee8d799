#include "base/clock.h"

#include <time.h>
#include <uv.h>

/* Seconds between 1601-01-01 and 1970-01-01. */
#define SECONDS_1601_TO_1970 11644473600ULL
#define UNITS_PER_SECOND 10000000ULL

uint64_t base_clock_ns(void)
{
    return uv_hrtime();
}

uint64_t base_clock_wall_100ns(void)
{
    uv_timeval64_t now;
    uv_gettimeofday(&now);
    return ((uint64_t)now.tv_sec + SECONDS_1601_TO_1970) * UNITS_PER_SECOND +
           (uint64_t)now.tv_usec * 10;
}

int64_t base_clock_bias_100ns(void)
{
    time_t now = time(NULL);
    struct tm *utc = gmtime(&now);
    if (utc == NULL) {
        return 0;
    }
    struct tm copy = *utc;
    copy.tm_isdst = -1;
    return (int64_t)difftime(mktime(&copy), now) * (int64_t)UNITS_PER_SECOND;
}
