// SPDX-License-Identifier: Apache-2.0
/*
 * rule_kinds - what alert_rule_check() asks of a rule's limit, window, reasons and levels
 * by its kind.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "alerts/rule_kinds.h"
#include "telemetry/channel.h"
#include "telemetry/quantity.h"

#define MINUTE_MS     ((int64_t)60 * 1000)
#define FIT_WINDOW_MS ((int64_t)7 * 24 * 3600 * 1000)

/* Kinds that speak of a state, and where they can see it. */
enum sight {
    SEES_ANY,
    SEES_TEMPERATURE,
    SEES_SIGNAL, /* the signal itself only */
    SEES_EITHER, /* the signal, or a temperature from whose curve it is recognised */
    SEES_GOODS,  /* what is derived for the goods */
};

static enum sight sight_of(enum alert_kind kind, const char **signal)
{
    *signal = "";
    switch (kind) {
    case ALERT_DOSE_ABOVE:
    case ALERT_DOSE_BELOW:
    case ALERT_COOLING_FAILED:
    case ALERT_NO_RECOVERY:
        return SEES_TEMPERATURE;
    case ALERT_DOOR_OPEN:
        *signal = "door";
        return SEES_EITHER;
    case ALERT_DEFROST_LONG:
    case ALERT_DEFROST_OFTEN:
    case ALERT_DEFROST_MISSING:
        *signal = "defrost";
        return SEES_EITHER;
    case ALERT_CYCLING:
        *signal = "compressor";
        return SEES_SIGNAL;
    case ALERT_MAINS_LOST:
        *signal = "mains";
        return SEES_SIGNAL;
    case ALERT_LIFE_LEFT:
        *signal = "product_temperature";
        return SEES_GOODS;
    default:
        return SEES_ANY;
    }
}

static const struct quantity *registered(const char *name)
{
    int index = quantity_find(name);
    return index >= 0 ? quantity_at((size_t)index) : NULL;
}

bool rule_is_of_signal(const char *name)
{
    const struct quantity *quantity = registered(name);
    return quantity != NULL && strcmp(quantity->senml_unit, "/") == 0;
}

/* What is not in the registry may be a temperature; what is there and none is not. */
bool rule_may_be_temperature(const char *name)
{
    const struct quantity *quantity = registered(name);
    return quantity == NULL || strcmp(quantity->unit, "°C") == 0 ||
           strcmp(quantity->unit, "K") == 0;
}

static enum err check_sight(const struct alert_rule *rule, struct err_text *why)
{
    const char *signal;
    enum sight sight = sight_of(rule->kind, &signal);
    const char *kind = alert_kind_name(rule->kind);
    if (sight == SEES_ANY ||
        (sight != SEES_TEMPERATURE && strcmp(rule->quantity, signal) == 0))
        return ERR_OK;
    if (sight == SEES_GOODS)
        return err_set(why, ERR_INVALID,
                       "rule '%s': %s is judged by the quantity '%s', not by '%s'",
                       rule->id, kind, signal, rule->quantity);
    if (sight == SEES_SIGNAL)
        return err_set(why, ERR_INVALID,
                       "rule '%s': %s is judged by the signal '%s', not by '%s'",
                       rule->id, kind, signal, rule->quantity);
    if (rule_may_be_temperature(rule->quantity))
        return ERR_OK;
    if (sight == SEES_EITHER)
        return err_set(why, ERR_INVALID,
                       "rule '%s': %s is judged by the signal '%s' or by a temperature, "
                       "not by '%s'",
                       rule->id, kind, signal, rule->quantity);
    return err_set(why, ERR_INVALID,
                   "rule '%s': %s is judged by a temperature, not by '%s'", rule->id,
                   kind, rule->quantity);
}

static enum err check_limit(const struct alert_rule *rule, struct err_text *why)
{
    if (!alert_kind_has_limit(rule->kind))
        return ERR_OK;
    if (rule->kind == ALERT_GOODS_LEFT && rule_is_of_signal(rule->quantity))
        return ERR_OK;
    if (!isfinite(rule->limit))
        return err_set(why, ERR_INVALID,
                       "rule '%s': %s needs a limit, the value that it counts from",
                       rule->id, alert_kind_name(rule->kind));
    const struct quantity *quantity = registered(rule->quantity);
    if (quantity != NULL &&
        (rule->limit < quantity->lowest || rule->limit > quantity->highest))
        return err_set(
            why, ERR_INVALID,
            "rule '%s' could never fire: its limit is %g, and %s is between %g "
            "and %g %s",
            rule->id, rule->limit, quantity->name, quantity->lowest, quantity->highest,
            quantity->unit);
    return ERR_OK;
}

/* They look at samples, of which a bounded number is kept. */
static bool is_fit(enum alert_kind kind)
{
    return kind == ALERT_RATE || kind == ALERT_PREDICTED || kind == ALERT_STEP;
}

static enum err check_window(const struct alert_rule *rule, struct err_text *why)
{
    const char *kind = alert_kind_name(rule->kind);
    if (!alert_kind_has_window(rule->kind)) {
        if (rule->window_ms == 0)
            return ERR_OK;
        return err_set(why, ERR_INVALID, "rule '%s': %s has no window", rule->id, kind);
    }
    if (rule->window_ms == 0 && alert_kind_is_sum(rule->kind))
        return ERR_OK;
    if (rule->window_ms == 0)
        return err_set(why, ERR_INVALID, "rule '%s': %s needs a window", rule->id, kind);
    int64_t longest = is_fit(rule->kind) ? FIT_WINDOW_MS : ALERT_DELAY_MAX_MS;
    if (rule->window_ms < MINUTE_MS || rule->window_ms > longest)
        return err_set(why, ERR_INVALID,
                       "rule '%s': the window of %s must be between a minute and %" PRId64
                       " days",
                       rule->id, kind, longest / (24 * 60 * MINUTE_MS));
    return ERR_OK;
}

static enum err check_device_silent(const struct alert_rule *rule, struct err_text *why)
{
    if ((rule->unless & 1u << ALERT_REASON_DEVICE_SILENT) == 0)
        return ERR_OK;
    if (rule->kind != ALERT_SILENT)
        return err_set(why, ERR_INVALID,
                       "rule '%s': device_silent in unless is for the kind silent, a "
                       "channel of a device that is heard, and not for %s",
                       rule->id, alert_kind_name(rule->kind));
    if (rule->silent_ms == 0)
        return err_set(why, ERR_INVALID,
                       "rule '%s': with device_silent in unless a rule says how long a "
                       "channel may be silent; that is not learned then",
                       rule->id);
    return ERR_OK;
}

static enum err check_reasons(const struct alert_rule *rule, struct err_text *why)
{
    const unsigned known = (1u << ALERT_REASON_COUNT) - 1;
    const unsigned sparse = 1u << ALERT_REASON_SPARSE;
    const unsigned shape = 1u << ALERT_REASON_DEFROST | 1u << ALERT_REASON_DOOR;
    if ((rule->unless & ~known) != 0)
        return err_set(why, ERR_INVALID, "rule '%s': unknown reason 0x%x in unless",
                       rule->id, rule->unless & ~known);
    if ((rule->unless & sparse) != 0)
        return err_set(why, ERR_INVALID,
                       "rule '%s': sparse is nothing that a rule names in its unless: "
                       "readings too far apart hold it back by themselves",
                       rule->id);
    if (check_device_silent(rule, why) != ERR_OK)
        return ERR_INVALID;
    bool is_safety = rule->is_safety || rule->kind == ALERT_GOODS_LEFT;
    if (is_safety && (rule->unless & 1u << ALERT_REASON_OFF_DUTY) != 0)
        return err_set(why, ERR_INVALID,
                       "rule '%s' is about safety, which rings off duty, too; leave "
                       "off_duty out of its unless",
                       rule->id);
    unsigned never = 0;
    const char *signal;
    if (alert_kind_is_silence(rule->kind) || alert_kind_is_date(rule->kind))
        never = shape | 1u << ALERT_REASON_PLANNED_STEP;
    else if (rule->kind == ALERT_LIFE_LEFT)
        never = shape; /* goods age whatever warms them */
    else if (sight_of(rule->kind, &signal) == SEES_EITHER)
        never = 1u << (rule->kind == ALERT_DOOR_OPEN ? ALERT_REASON_DOOR
                                                     : ALERT_REASON_DEFROST);
    for (unsigned i = 0; i < ALERT_REASON_COUNT; i++)
        if ((rule->unless & never & 1u << i) != 0)
            return err_set(why, ERR_INVALID, "rule '%s' contradicts itself: %s unless %s",
                           rule->id, alert_kind_name(rule->kind),
                           alert_reason_name((enum alert_reason)i));
    return ERR_OK;
}

/* The greatest that the measure can reach in the rule's window; infinity: no bound. */
static double reach_of(const struct alert_rule *rule)
{
    const struct quantity *quantity = registered(rule->quantity);
    double minutes =
        rule->window_ms > 0 ? (double)rule->window_ms / (double)MINUTE_MS : HUGE_VAL;
    switch (rule->kind) {
    case ALERT_CUMULATIVE_ABOVE:
    case ALERT_CUMULATIVE_BELOW:
        return minutes;
    case ALERT_DOSE_ABOVE:
        return quantity != NULL ? minutes * (quantity->highest - rule->limit) : HUGE_VAL;
    case ALERT_DOSE_BELOW:
        return quantity != NULL ? minutes * (rule->limit - quantity->lowest) : HUGE_VAL;
    case ALERT_STEP:
    case ALERT_DIVERGE:
        return quantity != NULL ? quantity->highest - quantity->lowest : HUGE_VAL;
    default:
        return HUGE_VAL;
    }
}

/* All of it is left before anything happens. */
static enum err check_life(const struct alert_rule *rule, double level,
                           struct err_text *why)
{
    if (rule->kind != ALERT_LIFE_LEFT || level < 100)
        return ERR_OK;
    return err_set(why, ERR_INVALID,
                   "rule '%s' would always fire: a level of life_left is less than 100 "
                   "%%, not %g",
                   rule->id, level);
}

enum err rule_check_reach(const struct alert_rule *rule, struct err_text *why)
{
    if (alert_kind_is_value(rule->kind))
        return ERR_OK;
    bool asks_once = rule->level_count == 1 && rule->levels[0].delay_ms == 0;
    if (rule->kind == ALERT_GOODS_LEFT && !asks_once)
        return err_set(
            why, ERR_INVALID,
            "rule '%s': goods_left asks once, so it has one level and no delay",
            rule->id);
    double reach = reach_of(rule);
    for (size_t i = 0; i < rule->level_count; i++) {
        double level = rule->levels[i].level;
        if (level <= 0 && !alert_kind_is_date(rule->kind))
            return err_set(
                why, ERR_INVALID,
                "rule '%s' would %s: a level of %s must be more than 0, not %g", rule->id,
                alert_kind_is_above(rule->kind) ? "always fire" : "never fire",
                alert_kind_name(rule->kind), level);
        if (check_life(rule, level, why) != ERR_OK)
            return ERR_INVALID;
        if (level > reach)
            return err_set(why, ERR_INVALID,
                           "rule '%s' could never fire: %s is at most %g here, the level "
                           "is %g",
                           rule->id, alert_kind_name(rule->kind), reach, level);
    }
    return ERR_OK;
}

enum err rule_check_kind(const struct alert_rule *rule, struct err_text *why)
{
    if (!alert_kind_is_available(rule->kind))
        return err_set(why, ERR_INVALID, "rule '%s': the kind %s is not available yet",
                       rule->id, alert_kind_name(rule->kind));
    enum err err = check_sight(rule, why);
    if (err == ERR_OK)
        err = check_limit(rule, why);
    if (err == ERR_OK)
        err = check_window(rule, why);
    if (err == ERR_OK)
        err = check_reasons(rule, why);
    return err;
}
