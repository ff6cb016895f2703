// SPDX-License-Identifier: Apache-2.0
/*
 * rule_band - numbers of a rule that name an end of the zone's band.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/rule_kinds.h"

#define OFFSET_MOST 100.0 /* as far as a band can reach */

static const char *const names[] = {
    [ALERT_EDGE_LOW] = "band_low",
    [ALERT_EDGE_HIGH] = "band_high",
};

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " ");
}

/* "" or "+ 0.5": the sign stands there, and once. */
static bool parse_offset(double *offset, const char *text)
{
    *offset = 0;
    text = skip_blanks(text);
    if (*text == '\0')
        return true;
    double sign = *text == '-' ? -1 : 1;
    if (*text != '-' && *text != '+')
        return false;
    text = skip_blanks(text + 1);
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    *offset = sign * strtod(text, &end);
    return *skip_blanks(end) == '\0' && fabs(*offset) <= OFFSET_MOST;
}

bool alert_from_band_parse(struct alert_from_band *from, const char *text)
{
    *from = (struct alert_from_band){ALERT_EDGE_NONE, 0};
    for (unsigned edge = ALERT_EDGE_LOW; edge <= ALERT_EDGE_HIGH; edge++) {
        size_t len = strlen(names[edge]);
        double offset;
        if (strncmp(text, names[edge], len) == 0 && parse_offset(&offset, text + len)) {
            *from = (struct alert_from_band){(enum alert_edge)edge, offset};
            return true;
        }
    }
    return false;
}

const char *alert_from_band_format(const struct alert_from_band *from,
                                   char text[ALERT_FROM_BAND_SIZE])
{
    if (from->edge == ALERT_EDGE_NONE)
        text[0] = '\0';
    else if (from->offset == 0)
        snprintf(text, ALERT_FROM_BAND_SIZE, "%s", names[from->edge]);
    else
        snprintf(text, ALERT_FROM_BAND_SIZE, "%s%+.15g", names[from->edge], from->offset);
    return text;
}

/* Of a rule that was not checked yet. */
static size_t level_count(const struct alert_rule *rule)
{
    return rule->level_count < ALERT_LEVELS_MAX ? rule->level_count : ALERT_LEVELS_MAX;
}

bool alert_rule_names_band(const struct alert_rule *rule)
{
    bool does = rule->limit_from.edge != ALERT_EDGE_NONE;
    for (size_t i = 0; i < level_count(rule); i++)
        does |= rule->levels[i].level_from.edge != ALERT_EDGE_NONE ||
                rule->levels[i].recovery_from.edge != ALERT_EDGE_NONE;
    return does;
}

static void resolve(double *number, const struct alert_from_band *from, double low,
                    double high)
{
    if (from->edge != ALERT_EDGE_NONE)
        *number = (from->edge == ALERT_EDGE_LOW ? low : high) + from->offset;
}

void alert_rule_resolve(struct alert_rule *rule, double low, double high)
{
    resolve(&rule->limit, &rule->limit_from, low, high);
    for (size_t i = 0; i < level_count(rule); i++) {
        struct alert_level *level = &rule->levels[i];
        resolve(&level->level, &level->level_from, low, high);
        resolve(&level->recovery_level, &level->recovery_from, low, high);
    }
}

static bool is_open(const struct alert_from_band *from, double number)
{
    return from->edge != ALERT_EDGE_NONE && !isfinite(number);
}

/* The first of its numbers that names an end which the band has not; NULL. */
static const struct alert_from_band *open_of(const struct alert_rule *rule)
{
    if (is_open(&rule->limit_from, rule->limit))
        return &rule->limit_from;
    for (size_t i = 0; i < level_count(rule); i++) {
        const struct alert_level *level = &rule->levels[i];
        if (is_open(&level->level_from, level->level))
            return &level->level_from;
        if (is_open(&level->recovery_from, level->recovery_level))
            return &level->recovery_from;
    }
    return NULL;
}

static bool names_in_levels(const struct alert_rule *rule)
{
    struct alert_rule levels = *rule;
    levels.limit_from.edge = ALERT_EDGE_NONE;
    return alert_rule_names_band(&levels);
}

enum err rule_check_band(const struct alert_rule *rule, struct err_text *why)
{
    if (!alert_rule_names_band(rule))
        return ERR_OK;
    if (!rule_may_be_temperature(rule->quantity))
        return err_set(why, ERR_INVALID,
                       "rule '%s' names the band of its zone, which is one of "
                       "temperature, and watches '%s'",
                       rule->id, rule->quantity);
    if (!alert_kind_is_value(rule->kind) && names_in_levels(rule))
        return err_set(why, ERR_INVALID,
                       "rule '%s': levels of %s are no temperatures; only its limit can "
                       "name the band",
                       rule->id, alert_kind_name(rule->kind));
    const struct alert_from_band *open = open_of(rule);
    if (open == NULL)
        return ERR_OK;
    return err_set(why, ERR_INVALID,
                   "rule '%s' names %s, which zone '%s' has not; say it there, or name "
                   "the goods in 'goods'",
                   rule->id, names[open->edge], rule->zone);
}
