// SPDX-License-Identifier: Apache-2.0
#include "base/tz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"

#define FOLDER       "/usr/share/zoneinfo/"
#define NAME_MAX_LEN 64
#define FILE_MAX     (256u << 10)
#define RULE_MAX     100
#define DAY_S        86400
#define OFFSET_MAX_H 24
#define CHANGE_MAX_H 167
#define MINUTE_MS    INT64_C(60000)
#define DEFAULT_AT_S 7200 /* clocks change at 02:00 when nothing is said */
#define DAYS_OF_WEEK 7

/* ---- reading a rule --------------------------------------------------------------- */

static bool read_number(const char **at, int most, int *number)
{
    if (!isdigit((unsigned char)**at))
        return false;
    *number = 0;
    for (; isdigit((unsigned char)**at); (*at)++) {
        *number = *number * 10 + (**at - '0');
        if (*number > most)
            return false;
    }
    return true;
}

/* "[+-]h[:m[:s]]" */
static bool read_time(const char **at, int most_hours, int32_t *seconds)
{
    int sign = **at == '-' ? -1 : 1;
    if (**at == '-' || **at == '+')
        (*at)++;
    int parts[3] = {0, 0, 0};
    if (!read_number(at, most_hours, &parts[0]))
        return false;
    for (int i = 1; i < 3 && **at == ':'; i++) {
        (*at)++;
        if (!read_number(at, 59, &parts[i]))
            return false;
    }
    *seconds = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
    return true;
}

/* "CET" or "<+0330>"; what it says does not matter. */
static bool skip_name(const char **at)
{
    const char *from = *at;
    if (**at == '<') {
        *at += strcspn(*at, ">");
        if (**at != '>')
            return false;
        (*at)++;
        return true;
    }
    while (isalpha((unsigned char)**at))
        (*at)++;
    return *at - from >= 3;
}

static bool read_day(const char **at, struct tz_change *change)
{
    if (**at == 'M') {
        change->kind = TZ_MONTH_WEEK_DAY;
        (*at)++;
        return read_number(at, 12, &change->month) && change->month >= 1 &&
               *(*at)++ == '.' && read_number(at, 5, &change->week) &&
               change->week >= 1 && *(*at)++ == '.' && read_number(at, 6, &change->day);
    }
    change->kind = **at == 'J' ? TZ_JULIAN : TZ_DAY;
    if (change->kind == TZ_DAY)
        return read_number(at, 365, &change->day);
    (*at)++;
    return read_number(at, 365, &change->day) && change->day >= 1;
}

static bool read_change(const char **at, struct tz_change *change)
{
    change->seconds = DEFAULT_AT_S;
    if (**at != ',')
        return false;
    (*at)++;
    if (!read_day(at, change))
        return false;
    if (**at != '/')
        return true;
    (*at)++;
    return read_time(at, CHANGE_MAX_H, &change->seconds);
}

enum err tz_parse(struct tz *tz, const char *text)
{
    const char *at = text;
    int32_t west_s;
    *tz = (struct tz){0};
    if (!skip_name(&at) || !read_time(&at, OFFSET_MAX_H, &west_s))
        return ERR_INVALID;
    tz->standard_s = -west_s;
    if (*at == '\0')
        return ERR_OK;
    if (!skip_name(&at))
        return ERR_INVALID;
    tz->has_summer = true;
    tz->summer_s = tz->standard_s + 3600;
    if (*at != ',') {
        if (!read_time(&at, OFFSET_MAX_H, &west_s))
            return ERR_INVALID;
        tz->summer_s = -west_s;
    }
    bool is_good =
        read_change(&at, &tz->begins) && read_change(&at, &tz->ends) && *at == '\0';
    return is_good ? ERR_OK : ERR_INVALID;
}

/* ---- files ------------------------------------------------------------------------ */

/* From version 2 on a file ends with "\nRULE\n". */
enum err tz_parse_file(struct tz *tz, const void *data, size_t len)
{
    const char *bytes = data;
    if (len < 8 || memcmp(bytes, "TZif", 4) != 0 || bytes[len - 1] != '\n')
        return ERR_INVALID;
    size_t from = len - 1;
    while (from > 0 && bytes[from - 1] != '\n' && len - from <= RULE_MAX)
        from--;
    char rule[RULE_MAX + 1];
    size_t rule_len = len - 1 - from;
    if (from == 0 || bytes[from - 1] != '\n' || rule_len == 0 || rule_len > RULE_MAX ||
        memchr(bytes + from, '\0', rule_len) != NULL)
        return ERR_INVALID;
    memcpy(rule, bytes + from, rule_len);
    rule[rule_len] = '\0';
    return tz_parse(tz, rule);
}

static bool is_name(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > NAME_MAX_LEN || !isalpha((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("/_+-", name[i]) == NULL)
            return false;
    return true;
}

enum err tz_load(struct tz *tz, const char *name, struct err_text *why)
{
    if (strcmp(name, "UTC") == 0)
        return tz_parse(tz, "UTC0");
    if (strcmp(name, "Asia/Shanghai") == 0)
        return tz_parse(tz, "CST-8");
    char path[sizeof FOLDER + NAME_MAX_LEN];
    struct buf bytes = {0};
    struct err_text ignored;
    if (!is_name(name))
        return err_set(why, ERR_INVALID,
                       "'%s' is no time zone; one is called like Asia/Shanghai", name);
    snprintf(path, sizeof path, FOLDER "%s", name);
    enum err err = file_read(&bytes, path, FILE_MAX, &ignored);
    if (err == ERR_OK)
        err = tz_parse_file(tz, bytes.data, bytes.len);
    buf_fini(&bytes);
    if (err == ERR_OK)
        return ERR_OK;
    return err_set(why, ERR_INVALID,
                   "the time zone '%s' is not known here: look into %s, and whether the "
                   "package tzdata is installed",
                   name, FOLDER);
}

/* ---- times ------------------------------------------------------------------------ */

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    return a % b < 0 ? quotient - 1 : quotient;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days since 1970-01-01 of the first day of a month (1 to 12). */
static int64_t first_of_month(int64_t year, int month)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t past = year - 1;
    int64_t days = past * 365 + floor_div(past, 4) - floor_div(past, 100) +
                   floor_div(past, 400) - 719162;
    return days + before[month - 1] + (month > 2 && is_leap(year));
}

static int64_t year_of(int64_t day)
{
    int64_t year = 1970 + floor_div(day, 366);
    while (first_of_month(year + 1, 1) <= day)
        year++;
    return year;
}

/* From Sunday 0. */
static int weekday_of(int64_t day)
{
    int64_t from_thursday = day - floor_div(day, DAYS_OF_WEEK) * DAYS_OF_WEEK;
    return (int)((from_thursday + 4) % DAYS_OF_WEEK);
}

static int64_t change_day(const struct tz_change *change, int64_t year)
{
    int64_t first = first_of_month(year, 1);
    if (change->kind == TZ_DAY)
        return first + change->day;
    if (change->kind == TZ_JULIAN)
        return first + change->day - 1 + (is_leap(year) && change->day > 59);
    int64_t month = first_of_month(year, change->month);
    int64_t next = change->month == 12 ? first_of_month(year + 1, 1)
                                       : first_of_month(year, change->month + 1);
    int ahead = (change->day - weekday_of(month) + DAYS_OF_WEEK) % DAYS_OF_WEEK;
    int64_t day = month + ahead + (int64_t)(change->week - 1) * DAYS_OF_WEEK;
    return day < next ? day : day - DAYS_OF_WEEK;
}

int32_t tz_offset_s(const struct tz *tz, int64_t wall_ms)
{
    if (!tz->has_summer)
        return tz->standard_s;
    int64_t now_s = floor_div(wall_ms, 1000);
    int64_t year = year_of(floor_div(now_s + tz->standard_s, DAY_S));
    int64_t begins = change_day(&tz->begins, year) * DAY_S + tz->begins.seconds;
    int64_t ends = change_day(&tz->ends, year) * DAY_S + tz->ends.seconds;
    begins -= tz->standard_s;
    ends -= tz->summer_s;
    bool is_summer =
        begins < ends ? now_s >= begins && now_s < ends : now_s >= begins || now_s < ends;
    return is_summer ? tz->summer_s : tz->standard_s;
}

struct tz_local tz_local(const struct tz *tz, int64_t wall_ms)
{
    int64_t local_s = floor_div(wall_ms, 1000) + tz_offset_s(tz, wall_ms);
    int64_t day = floor_div(local_s, DAY_S);
    int sunday_first = weekday_of(day);
    return (struct tz_local){
        .day = day,
        .minute = (int)((local_s - day * DAY_S) / 60),
        .weekday = (sunday_first + DAYS_OF_WEEK - 1) % DAYS_OF_WEEK,
    };
}

int64_t tz_wall_ms(const struct tz *tz, int64_t day, int minute)
{
    int64_t local_ms = (day * (DAY_S / 60) + minute) * MINUTE_MS;
    int64_t by_standard = local_ms - (int64_t)tz->standard_s * 1000;
    if (!tz->has_summer)
        return by_standard;
    int64_t by_summer = local_ms - (int64_t)tz->summer_s * 1000;
    bool is_summer = tz_offset_s(tz, by_summer) == tz->summer_s;
    bool is_standard = tz_offset_s(tz, by_standard) == tz->standard_s;
    if (is_summer && is_standard)
        return by_summer < by_standard ? by_summer : by_standard;
    if (is_summer)
        return by_summer;
    if (is_standard)
        return by_standard;
    /* Left out: an hour that is none. The change lies between the two readings of it. */
    int64_t low = by_summer < by_standard ? by_summer : by_standard;
    int64_t high = by_summer < by_standard ? by_standard : by_summer;
    int32_t before = tz_offset_s(tz, low);
    while (high - low > MINUTE_MS) {
        int64_t middle = low + floor_div((high - low) / 2, MINUTE_MS) * MINUTE_MS;
        if (middle == low)
            break;
        if (tz_offset_s(tz, middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* ---- texts ------------------------------------------------------------------------ */

#define MINUTE_LEN 16 /* "2026-11-27T05:40" */
#define DAY_LEN    10

const char *tz_format(char text[TZ_TEXT_MAX], const struct tz *tz, int64_t wall_ms)
{
    char iso[CLOCK_ISO_MAX];
    clock_format_iso(iso, wall_ms);
    if (iso[DAY_LEN] == 'T') { /* else it is no time, and says so */
        clock_format_iso(iso, wall_ms + (int64_t)tz_offset_s(tz, wall_ms) * 1000);
        iso[DAY_LEN] = ' ';
    }
    snprintf(text, TZ_TEXT_MAX, "%.*s", MINUTE_LEN, iso);
    return text;
}

const char *tz_format_offset(char text[TZ_TEXT_MAX], const struct tz *tz, int64_t wall_ms)
{
    int32_t offset_s = tz_offset_s(tz, wall_ms);
    int minutes = abs((int)offset_s) / 60;
    char sign = offset_s < 0 ? '-' : '+';
    if (minutes == 0)
        snprintf(text, TZ_TEXT_MAX, "UTC");
    else if (minutes % 60 == 0)
        snprintf(text, TZ_TEXT_MAX, "UTC%c%d", sign, minutes / 60);
    else
        snprintf(text, TZ_TEXT_MAX, "UTC%c%d:%02d", sign, minutes / 60, minutes % 60);
    return text;
}
