// SPDX-License-Identifier: Apache-2.0
/*
 * escalation_hours - hours of the week, and who has a duty then.
 */
#include <ctype.h>
#include <string.h>

#include "alerts/escalation.h"

#define DAY_MIN   1440
#define ALL_DAYS  0x7fu
#define MINUTE_MS INT64_C(60000)
#define WEEK_MIN  ((int64_t)7 * DAY_MIN)

static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static bool read_weekday(const char **at, int *weekday)
{
    for (int i = 0; i < 7; i++) {
        if (strncmp(*at, weekdays[i], 3) == 0) {
            *at += 3;
            *weekday = i;
            return true;
        }
    }
    return false;
}

/* "mon-fri,sun" */
static bool read_days(const char **at, unsigned *days)
{
    *days = 0;
    for (;;) {
        int from;
        if (!read_weekday(at, &from))
            return false;
        int to = from;
        if (**at == '-') {
            (*at)++;
            if (!read_weekday(at, &to))
                return false;
        }
        for (int day = from;; day = (day + 1) % 7) {
            *days |= 1u << day;
            if (day == to)
                break;
        }
        if (**at != ',')
            return true;
        (*at)++;
    }
}

/* "08:00"; 24:00 is midnight, too. */
static bool read_minute(const char **at, int *minute)
{
    const char *text = *at;
    for (int i = 0; i < 5; i++)
        if (i == 2 ? text[i] != ':' : !isdigit((unsigned char)text[i]))
            return false;
    int hours = (text[0] - '0') * 10 + (text[1] - '0');
    int minutes = (text[3] - '0') * 10 + (text[4] - '0');
    *minute = hours * 60 + minutes;
    *at += 5;
    return minutes < 60 && *minute <= DAY_MIN;
}

static bool read_hours(struct escalation_hours *hours, const char *at)
{
    *hours = (struct escalation_hours){.days = ALL_DAYS, .to = DAY_MIN};
    if (isalpha((unsigned char)*at)) {
        if (!read_days(&at, &hours->days))
            return false;
        if (*at == '\0')
            return true;
        if (*at++ != ' ')
            return false;
    }
    if (!read_minute(&at, &hours->from) || *at++ != '-' || !read_minute(&at, &hours->to))
        return false;
    if (hours->to == 0)
        hours->to = DAY_MIN;
    return *at == '\0' && hours->from != hours->to && hours->from < DAY_MIN;
}

enum err escalation_hours_parse(struct escalation_hours *hours, const char *text,
                                struct err_text *why)
{
    if (read_hours(hours, text))
        return ERR_OK;
    return err_set(why, ERR_INVALID,
                   "'%s' are no hours: write them like mon-fri 08:00-20:00, 22:00-07:00 "
                   "or sat,sun",
                   text);
}

/* Those that began on that day. */
static bool hold_from(const struct escalation_hours *hours, const struct tz *tz,
                      int64_t day, int weekday, int64_t now_ms, int64_t *end_ms)
{
    if ((hours->days & 1u << weekday) == 0)
        return false;
    int64_t end_day = hours->to > hours->from ? day : day + 1;
    *end_ms = tz_wall_ms(tz, end_day, hours->to);
    return now_ms >= tz_wall_ms(tz, day, hours->from) && now_ms < *end_ms;
}

bool escalation_hours_hold(const struct escalation_hours *hours, const struct tz *tz,
                           int64_t now_ms, int64_t *end_ms)
{
    struct tz_local local = tz_local(tz, now_ms);
    return hold_from(hours, tz, local.day, local.weekday, now_ms, end_ms) ||
           hold_from(hours, tz, local.day - 1, (local.weekday + 6) % 7, now_ms, end_ms);
}

static bool is_dated(const struct escalation_shift *shift)
{
    return shift->to_ms != 0;
}

static bool holds(const struct escalation_shift *shift, const struct tz *tz,
                  int64_t now_ms)
{
    if (is_dated(shift) && (now_ms < shift->from_ms || now_ms >= shift->to_ms))
        return false;
    for (size_t i = 0; i < shift->hours_count; i++) {
        int64_t end_ms;
        if (escalation_hours_hold(&shift->hours[i], tz, now_ms, &end_ms))
            return true;
    }
    return shift->hours_count == 0;
}

static size_t add_those(const struct escalation_duty *duty, const struct tz *there,
                        bool dated, int64_t now_ms,
                        size_t contacts[ESCALATION_CONTACTS_MAX])
{
    const struct tz *tz = duty->tz != NULL ? duty->tz : there;
    size_t count = 0;
    for (size_t i = 0; i < duty->shift_count && count < ESCALATION_CONTACTS_MAX; i++) {
        const struct escalation_shift *shift = &duty->shifts[i];
        if (is_dated(shift) != dated || !holds(shift, tz, now_ms))
            continue;
        size_t known = 0;
        while (known < count && contacts[known] != shift->contact)
            known++;
        if (known == count)
            contacts[count++] = shift->contact;
    }
    return count;
}

size_t escalation_on_duty(const struct escalation_duty *duty, const struct tz *there,
                          int64_t now_ms, size_t contacts[ESCALATION_CONTACTS_MAX])
{
    size_t count = add_those(duty, there, true, now_ms, contacts);
    return count > 0 ? count : add_those(duty, there, false, now_ms, contacts);
}

int64_t escalation_gap(const struct escalation_duty *duty, const struct tz *there,
                       int64_t from_ms)
{
    size_t contacts[ESCALATION_CONTACTS_MAX];
    for (int64_t i = 0; i < WEEK_MIN; i++)
        if (escalation_on_duty(duty, there, from_ms + i * MINUTE_MS, contacts) == 0)
            return from_ms + i * MINUTE_MS;
    return ESCALATION_NEVER;
}

/* When the last of those that hold at that time ends; `at_ms`: none does. */
static int64_t latest_end(const struct escalation_address *address, const struct tz *tz,
                          int64_t at_ms)
{
    int64_t until_ms = at_ms;
    for (size_t i = 0; i < address->quiet_count; i++) {
        int64_t end_ms;
        if (escalation_hours_hold(&address->quiet[i], tz, at_ms, &end_ms) &&
            end_ms > until_ms)
            until_ms = end_ms;
    }
    return until_ms;
}

/* "sat,sun" ends on Monday, not when Sunday begins. */
int64_t escalation_quiet_until(const struct escalation_contact *contact,
                               const struct escalation_address *address,
                               const struct tz *there, int64_t now_ms)
{
    const struct tz *tz = contact->tz != NULL ? contact->tz : there;
    int64_t until_ms = now_ms;
    for (;;) {
        int64_t later_ms = latest_end(address, tz, until_ms);
        if (later_ms == until_ms)
            break;
        until_ms = later_ms;
        if (until_ms - now_ms > WEEK_MIN * MINUTE_MS)
            break; /* they never end */
    }
    return until_ms == now_ms ? 0 : until_ms;
}
