// SPDX-License-Identifier: Apache-2.0
/*
 * tz - local time where people live: offsets of named time zones, by rule.
 *
 * A zone is its rule in force (POSIX TZ, which the system's zone files end with), so it
 * is right for now and the future; of years before that rule it knows nothing. Plain
 * data: copied freely, any thread.
 */
#ifndef COLDCHAIN_BASE_TZ_H
#define COLDCHAIN_BASE_TZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* When the clocks change: a day of the year, and seconds behind its midnight. */
struct tz_change {
    enum { TZ_MONTH_WEEK_DAY, TZ_JULIAN, TZ_DAY } kind;
    int month; /* 1 to 12 */
    int week;  /* 1 to 5; 5 is the last */
    int day;   /* of the week from Sunday 0; or of the year, JULIAN from 1 and never
                  counting 29 February, DAY from 0 and counting it */
    int32_t seconds;
};

struct tz {
    int32_t standard_s; /* east of Greenwich */
    int32_t summer_s;
    bool has_summer;
    struct tz_change begins; /* by standard time */
    struct tz_change ends;   /* by summer time */
};

struct tz_local {
    int64_t day; /* since 1970-01-01 */
    int minute;  /* of the day */
    int weekday; /* Monday 0 */
};

/* INVALID: no POSIX TZ string such as "CET-1CEST,M3.5.0,M10.5.0/3". */
MUST_CHECK enum err tz_parse(struct tz *tz, const char *text);
/*
 * By the name of the system's zone files: "Asia/Shanghai". It and "UTC" are known without
 * them. INVALID with a sentence.
 */
MUST_CHECK enum err tz_load(struct tz *tz, const char *name, struct err_text *why);
/* The rule that ends the bytes of a zone file (RFC 8536). INVALID: there is none. */
MUST_CHECK enum err tz_parse_file(struct tz *tz, const void *data, size_t len);

/* Seconds to add to UTC at that time. */
int32_t tz_offset_s(const struct tz *tz, int64_t wall_ms);
struct tz_local tz_local(const struct tz *tz, int64_t wall_ms);
/*
 * UTC of a local minute. Of one that is left out when clocks go forward, the moment that
 * they do; of one that comes twice, the first.
 */
int64_t tz_wall_ms(const struct tz *tz, int64_t day, int minute);

#define TZ_TEXT_MAX 32
/* "2026-11-27 05:40": the minute that people read on the wall. Years 0000 to 9999. */
const char *tz_format(char text[TZ_TEXT_MAX], const struct tz *tz, int64_t wall_ms);
/* Which zone that is, the same in every language: "UTC+8", "UTC-3:30", "UTC". */
const char *tz_format_offset(char text[TZ_TEXT_MAX], const struct tz *tz,
                             int64_t wall_ms);

#endif
