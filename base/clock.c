// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

/* Nothing of ours ran before this: 2026-01-01T00:00:00Z. */
#define BUILD_FLOOR_MS 1767225600000

static const char *const state_names[] = {
    [CLOCK_UNSET] = "unset",
    [CLOCK_STEPPED] = "stepped",
    [CLOCK_SYNCED] = "synced",
};

static int64_t read_ns(clockid_t id)
{
    struct timespec now;
    int failed = clock_gettime(id, &now);
    assert(failed == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void clock_init(struct clock *clock)
{
    *clock = (struct clock){.rate = 1.0};
}

void clock_init_virtual(struct clock *clock, int64_t wall_ms, int64_t real_ms,
                        double rate)
{
    assert(rate > 0.0);
    *clock = (struct clock){.is_virtual = true,
                            .origin_wall_ms = wall_ms,
                            .origin_real_ms = real_ms,
                            .rate = rate};
}

int64_t clock_real_ns(void)
{
    return read_ns(CLOCK_BOOTTIME);
}

struct timespec clock_deadline(int64_t wait_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += wait_ms / 1000;
    end.tv_nsec += wait_ms % 1000 * 1000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    return end;
}

int64_t clock_real_ms(void)
{
    return clock_real_ns() / 1000000;
}

static int64_t virtual_elapsed_ms(const struct clock *clock)
{
    double real = (double)clock_real_ns() / 1e6 - (double)clock->origin_real_ms;
    return (int64_t)floor(real * clock->rate);
}

void clock_set_late(struct clock *clock, int64_t set_real_ms)
{
    assert(clock->is_virtual && set_real_ms > 0);
    clock->set_real_ms = set_real_ms;
}

bool clock_may_step(const struct clock *clock)
{
    return !clock->is_virtual || clock->set_real_ms != 0;
}

static bool is_unset(const struct clock *clock)
{
    return clock->set_real_ms != 0 && clock_real_ms() < clock->set_real_ms;
}

int64_t clock_wall_ms(const struct clock *clock)
{
    if (clock->is_virtual && is_unset(clock))
        return virtual_elapsed_ms(clock);
    if (clock->is_virtual)
        return clock->origin_wall_ms + virtual_elapsed_ms(clock);
    return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_boot_ms(const struct clock *clock)
{
    if (clock->is_virtual)
        return clock->origin_real_ms + virtual_elapsed_ms(clock);
    return clock_real_ms();
}

enum clock_state clock_state_of(const struct clock *clock)
{
    if (clock->is_virtual)
        return is_unset(clock) ? CLOCK_UNSET : CLOCK_SYNCED;
    if (clock_wall_ms(clock) < BUILD_FLOOR_MS)
        return CLOCK_UNSET;
    struct timex kernel = {0};
    return adjtimex(&kernel) != TIME_ERROR ? CLOCK_SYNCED : CLOCK_STEPPED;
}

const char *clock_state_name(enum clock_state state)
{
    assert((size_t)state < sizeof state_names / sizeof state_names[0]);
    return state_names[state];
}

bool clock_state_parse(enum clock_state *state, const char *name)
{
    for (size_t i = 0; i < sizeof state_names / sizeof state_names[0]; i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *state = (enum clock_state)i;
            return true;
        }
    }
    return false;
}

void clock_boot_id(char id[17])
{
    char text[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file != NULL) {
        if (fgets(text, sizeof text, file) == NULL)
            text[0] = '\0';
        fclose(file);
    }
    size_t len = 0;
    for (const char *at = text; *at != '\0' && len < 16; at++)
        if (isxdigit((unsigned char)*at))
            id[len++] = *at;
    while (len < 16)
        id[len++] = '0';
    id[16] = '\0';
}

/* Days since 1970-01-01 of a proleptic Gregorian date: era arithmetic, any year. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

const char *clock_format_iso(char text[CLOCK_ISO_MAX], int64_t wall_ms)
{
    int64_t seconds = wall_ms / 1000 - (wall_ms % 1000 < 0);
    int millis = (int)((wall_ms % 1000 + 1000) % 1000);
    time_t when = (time_t)seconds;
    struct tm parts;
    if (gmtime_r(&when, &parts) == NULL || parts.tm_year < -1900 ||
        parts.tm_year > 8099) {
        snprintf(text, CLOCK_ISO_MAX, "out of range");
        return text;
    }
    snprintf(text, CLOCK_ISO_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
             (parts.tm_year + 1900) % 10000, (parts.tm_mon + 1) % 100,
             parts.tm_mday % 100, parts.tm_hour % 100, parts.tm_min % 100,
             parts.tm_sec % 100, millis % 1000);
    return text;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

/* Exactly `count` digits; -1 otherwise. */
static int digits(const char **at, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static bool skip(const char **at, const char *any_of)
{
    if (**at == '\0' || strchr(any_of, **at) == NULL)
        return false;
    (*at)++;
    return true;
}

static bool parse_fraction(const char **at, int *millis)
{
    *millis = 0;
    if (!skip(at, ".,"))
        return true;
    int scale = 100;
    if (!isdigit((unsigned char)**at))
        return false;
    for (; isdigit((unsigned char)**at); (*at)++, scale /= 10)
        *millis += scale * (**at - '0');
    return true;
}

static bool parse_offset(const char **at, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (skip(at, "Zz"))
        return true;
    int sign = **at == '-' ? -1 : 1;
    if (!skip(at, "+-"))
        return false;
    int hours = digits(at, 2);
    skip(at, ":");
    int minutes = digits(at, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *offset_ms = (int64_t)sign * (hours * 60 + minutes) * 60000;
    return true;
}

static bool parse_time(const char **at, int64_t *of_day_ms)
{
    int hour = digits(at, 2);
    if (!skip(at, ":"))
        return false;
    int minute = digits(at, 2);
    int second = 0;
    int millis = 0;
    if (skip(at, ":")) {
        second = digits(at, 2);
        if (!parse_fraction(at, &millis))
            return false;
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    int64_t offset_ms;
    if (!parse_offset(at, &offset_ms))
        return false;
    *of_day_ms =
        ((int64_t)hour * 3600 + minute * 60 + second) * 1000 + millis - offset_ms;
    return true;
}

bool clock_parse_iso(int64_t *wall_ms, const char *text)
{
    const char *at = text;
    int year = digits(&at, 4);
    if (year < 0 || !skip(&at, "-"))
        return false;
    int month = digits(&at, 2);
    if (month < 1 || month > 12 || !skip(&at, "-"))
        return false;
    int day = digits(&at, 2);
    if (day < 1 || day > days_in_month(year, month))
        return false;
    int64_t of_day_ms = 0;
    if (*at != '\0' && (!skip(&at, "Tt ") || !parse_time(&at, &of_day_ms)))
        return false;
    if (*at != '\0')
        return false;
    *wall_ms = days_of(year, month, day) * 86400000 + of_day_ms;
    return true;
}
