// SPDX-License-Identifier: Apache-2.0
#include "collector/doubts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alerts/goods_life.h"
#include "base/names.h"
#include "freshness/profile_set.h"
#include "telemetry/channel.h"
#include "telemetry/quantity.h"

#define MINUTE_MS  60000.0
#define GAP_MAX_MS ((int64_t)3600 * 1000) /* after a longer one nothing is known */
#define SHARE_MOST 0.5
#define SHARE_ALL  0.95

bool doubt_is_derived(const char *quantity)
{
    static const char *const names[] = {"product_temperature", "condensation_margin",
                                        "vpd"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], quantity) == 0)
            return true;
    return false;
}

static void doubt_say(struct doubt *doubt, const char *code, const char *text,
                      const char *text_zh, ...)
    __attribute__((format(printf, 3, 5), format(printf, 4, 5)));

static void doubt_say(struct doubt *doubt, const char *code, const char *text,
                      const char *text_zh, ...)
{
    va_list arguments;
    doubt->code = code;
    va_start(arguments, text_zh);
    vsnprintf(doubt->text, sizeof doubt->text, text, arguments);
    va_end(arguments);
    va_start(arguments, text_zh);
    vsnprintf(doubt->text_zh, sizeof doubt->text_zh, text_zh, arguments);
    va_end(arguments);
}

/* ---- what the rule itself says ---------------------------------------------------- */

static bool is_unknown(const struct alert_rule *rule, struct doubt *doubt)
{
    struct names_near near;
    if (rule->quantity[0] == '\0' || rule->kind == ALERT_DATE_DUE ||
        doubt_is_derived(rule->quantity) ||
        strcmp(rule->quantity, "pulp_temperature") == 0 ||
        quantity_find(rule->quantity) >= 0)
        return false;
    names_near_init(&near, rule->quantity);
    for (size_t i = 0; i < quantity_count(); i++)
        names_near_offer(&near, quantity_at(i)->name, strlen(quantity_at(i)->name));
    if (near.best != NULL)
        doubt_say(doubt, "quantity_unknown",
                  "rule '%s' watches '%s', which is no registered quantity; did you mean "
                  "'%.*s'?",
                  "规则“%s”监视的“%s”不是已登记的量;是否指“%.*s”?", rule->id,
                  rule->quantity, (int)near.best_len, near.best);
    else
        doubt_say(doubt, "quantity_unknown",
                  "rule '%s' watches '%s', which is no registered quantity: its unit and "
                  "its bounds are not known",
                  "规则“%s”监视的“%s”不是已登记的量:单位和合理范围未知", rule->id,
                  rule->quantity);
    return true;
}

/* Whatever can be measured is past its mildest level. */
static bool is_always_past(const struct alert_rule *rule, struct doubt *doubt)
{
    int index = quantity_find(rule->quantity);
    if (index < 0 || !alert_kind_is_value(rule->kind) || rule->level_count == 0)
        return false;
    const struct quantity *quantity = quantity_at((size_t)index);
    double level = rule->levels[0].level;
    bool is_always = alert_kind_is_above(rule->kind) ? level <= quantity->lowest
                                                     : level >= quantity->highest;
    if (is_always)
        doubt_say(doubt, "fires_always",
                  "rule '%s' fires at whatever is measured: %s is between %g and %g, its "
                  "level is %g",
                  "规则“%s”对任何测量值都会触发:%s 在 %g 至 %g 之间,触发值为 %g",
                  rule->id, quantity->name, quantity->lowest, quantity->highest, level);
    return is_always;
}

bool doubt_of_rule(const struct alert_rule *rule, struct doubt *doubt)
{
    return is_unknown(rule, doubt) || is_always_past(rule, doubt);
}

/* The first of which no storage life is published; NULL: of all it is. */
static const char *unknown_life(struct profile_set **profiles, const json_t *goods)
{
    static const struct load_options as_published = {0};
    if (*profiles == NULL)
        *profiles = profile_set_create();
    for (size_t i = 0; i < json_array_size(goods); i++) {
        struct load_model model;
        const char *name = json_string_value(json_array_get(goods, i));
        const struct profile *profile = profile_set_find(*profiles, name);
        if (profile != NULL &&
            (load_model_init(&model, profile, &as_published, NULL) != ERR_OK ||
             !model.has_life))
            return name;
    }
    return NULL;
}

bool doubt_of_goods(const struct alert_rule *rule, struct profile_set **profiles,
                    const json_t *goods, struct doubt *doubt)
{
    size_t count = json_array_size(goods);
    if (rule->kind != ALERT_LIFE_LEFT)
        return false;
    const char *unknown = count > 0 ? unknown_life(profiles, goods) : NULL;
    if (count == 0)
        doubt_say(doubt, "life_unknown",
                  "rule '%s' asks what life goods have left, and none are named in zone "
                  "'%s': say 'goods' there",
                  "规则“%s”判断货物剩余寿命,但库区“%s”未登记货物:请填写 goods", rule->id,
                  rule->zone);
    else if (unknown != NULL)
        doubt_say(
            doubt, "life_unknown",
            "rule '%s' says nothing of %s in zone '%s': no storage life is published "
            "for it",
            "规则“%s”不判断 %s（库区“%s”）:没有已发表的贮藏寿命", rule->id, unknown,
            rule->zone);
    else if (count > LIFE_GOODS_MAX)
        doubt_say(doubt, "life_unknown",
                  "rule '%s' looks at the first %d sorts of goods in zone '%s', of %zu",
                  "规则“%s”只判断前 %d 种货物（库区“%s”共 %zu 种）", rule->id,
                  LIFE_GOODS_MAX, rule->zone, count);
    return count == 0 || unknown != NULL || count > LIFE_GOODS_MAX;
}

void doubt_not_measured(const struct alert_rule *rule, struct doubt *doubt)
{
    doubt_say(doubt, "not_measured",
              "rule '%s' watches %s, but nothing in zone '%s' has measured it yet",
              "规则“%s”监视 %s,但库区“%s”内尚无该量的读数", rule->id, rule->quantity,
              rule->zone);
}

/* ---- what it would have done ------------------------------------------------------ */

static bool looks_up(enum alert_kind kind)
{
    return kind == ALERT_ABOVE || kind == ALERT_CUMULATIVE_ABOVE ||
           kind == ALERT_DOSE_ABOVE;
}

bool outlook_begin(struct outlook *outlook, const struct alert_rule *rule)
{
    *outlook = (struct outlook){.rule = rule, .last = (double)NAN};
    bool is_windowed = alert_kind_is_sum(rule->kind) && rule->window_ms > 0;
    return rule->level_count > 0 && (alert_kind_is_value(rule->kind) || is_windowed);
}

void outlook_next_channel(struct outlook *outlook)
{
    outlook->last = (double)NAN;
}

/* How far beyond, at least 0 when it is past. */
static double beyond(const struct alert_rule *rule, double value)
{
    double line = alert_kind_is_value(rule->kind) ? rule->levels[0].level : rule->limit;
    return looks_up(rule->kind) ? value - line : line - value;
}

void outlook_add(struct outlook *outlook, int64_t time_ms, double value)
{
    int64_t span_ms = time_ms - outlook->last_ms;
    if (isfinite(outlook->last) && span_ms > 0 && span_ms <= GAP_MAX_MS) {
        double past = beyond(outlook->rule, outlook->last);
        outlook->seen_ms += span_ms;
        if (past >= 0) {
            outlook->past_ms += span_ms;
            outlook->excess += past * (double)span_ms;
        }
    }
    outlook->last_ms = time_ms;
    outlook->last = value;
}

/* Of a mean window, in the unit of the level. */
static double mean_measure(const struct outlook *outlook)
{
    const struct alert_rule *rule = outlook->rule;
    bool is_dose = rule->kind == ALERT_DOSE_ABOVE || rule->kind == ALERT_DOSE_BELOW;
    double sum = is_dose ? outlook->excess : (double)outlook->past_ms;
    return sum / (double)outlook->seen_ms * (double)rule->window_ms / MINUTE_MS;
}

bool outlook_doubt(const struct outlook *outlook, struct doubt *doubt)
{
    const struct alert_rule *rule = outlook->rule;
    if (outlook->seen_ms < DOUBT_SEEN_MIN_MS)
        return false;
    if (alert_kind_is_sum(rule->kind)) {
        double mean = mean_measure(outlook);
        if (mean < rule->levels[0].level)
            return false;
        doubt_say(
            doubt, "fires_mostly",
            "rule '%s' would have fired most of the last 30 days: a window had "
            "%.3g on the mean, its level is %g",
            "规则“%s”在过去 30 天的大部分时间都会触发:每个时间窗平均为 %.3g,触发值为 %g",
            rule->id, mean, rule->levels[0].level);
        return true;
    }
    double share = (double)outlook->past_ms / (double)outlook->seen_ms;
    if (share < SHARE_MOST)
        return false;
    doubt_say(
        doubt, share >= SHARE_ALL ? "fires_always" : "fires_mostly",
        "rule '%s' would have fired for %.0f %% of what was measured in the last 30 "
        "days: its level is %g",
        "规则“%s”在过去 30 天有 %.0f %% 的测量时间会触发:触发值为 %g", rule->id,
        100 * share, rule->levels[0].level);
    return true;
}
