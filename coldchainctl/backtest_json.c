// SPDX-License-Identifier: Apache-2.0
/*
 * backtest_json - the result of a backtest for programs: times in ISO 8601, spans in ms.
 */
#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "coldchainctl/backtest_show.h"

static json_t *time_json(int64_t ms)
{
    char text[CLOCK_ISO_MAX];
    return ms > 0 ? json_string(clock_format_iso(text, ms)) : json_null();
}

static json_t *number_json(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *span_json(int64_t ms)
{
    return ms >= 0 ? json_integer(ms) : json_null();
}

/* Reason -> how often. */
static json_t *reasons_json(const struct backtest_tally *tally)
{
    json_t *object = json_object();
    for (int reason = 0; reason < ALERT_REASON_COUNT; reason++)
        if (tally->kept_by[reason] > 0)
            json_object_set_new(object, alert_reason_name((enum alert_reason)reason),
                                json_integer((json_int_t)tally->kept_by[reason]));
    return object;
}

static json_t *rule_json(const struct backtest *test, size_t i)
{
    const struct alert_rule *rule = &test->rules->rules[i];
    const struct backtest_tally *tally = &test->tallies[i];
    json_t *object = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "id", rule->id, "line",
        test->rules->lines[i], "zone", rule->zone, "kind", alert_kind_name(rule->kind),
        "quantity", rule->quantity, "readings", (json_int_t)tally->readings, "firings",
        (json_int_t)tally->firings, "criticals", (json_int_t)tally->criticals, "open",
        (json_int_t)tally->open, "open_ms", (json_int_t)tally->open_ms, "delay_ms",
        span_json(tally->delay_ms));
    assert(object != NULL);
    json_t *harm =
        tally->is_about_harm
            ? json_pack("{s:I, s:f, s:I, s:I, s:I, s:o, s:o}", "false_alarms",
                        (json_int_t)tally->false_alarms, "false_alarms_a_month",
                        backtest_per_month(test, tally->false_alarms), "warned",
                        (json_int_t)tally->warned, "late", (json_int_t)tally->late,
                        "missed", (json_int_t)tally->missed, "ahead_ms",
                        span_json(tally->ahead_ms), "ahead_least_ms",
                        span_json(tally->warned > 0 ? tally->ahead_least_ms : -1))
            : json_null();
    json_object_set_new(object, "kept_back", json_integer((json_int_t)tally->kept));
    json_object_set_new(object, "kept_back_by", reasons_json(tally));
    json_object_set_new(object, "harm", harm);
    return object;
}

static json_t *firing_json(const struct backtest *test,
                           const struct backtest_firing *firing)
{
    const struct alert_rule *rule = &test->rules->rules[firing->rule];
    json_t *ahead =
        firing->harm != SIZE_MAX
            ? json_integer(test->harms[firing->harm].from_ms - firing->told_ms)
            : json_null();
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "id", firing->id, "rule", rule->id, "zone", rule->zone, "device", firing->device,
        "channel", firing->channel, "severity", alert_severity_name(firing->severity),
        "state", incident_state_name(firing->state), "onset", time_json(firing->onset_ms),
        "opened", time_json(firing->opened_ms), "told", time_json(firing->told_ms),
        "critical", time_json(firing->critical_ms), "closed",
        time_json(firing->closed_ms), "limit", number_json(firing->limit), "worst",
        number_json(firing->worst), "harm_after_ms", ahead);
}

static json_t *harm_json(const struct backtest *test, const struct backtest_harm *harm)
{
    const struct backtest_channel *channel = &test->data->channels[harm->channel];
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:f, s:o}", "zone", channel->zone,
                     "device", channel->device, "channel", channel->channel, "side",
                     harm->is_warm ? "warm" : "cold", "from", time_json(harm->from_ms),
                     "to", harm->is_over ? time_json(harm->to_ms) : json_null(), "worst",
                     harm->worst, "warned",
                     harm->warned_ms != INT64_MIN ? time_json(harm->warned_ms)
                                                  : json_null());
}

static json_t *kept_json(const struct backtest *test, const struct backtest_kept *kept)
{
    const struct alert_rule *rule = &test->rules->rules[kept->rule];
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "id", kept->id,
                     "rule", rule->id, "zone", rule->zone, "device", kept->device,
                     "channel", kept->channel, "reason", alert_reason_name(kept->reason),
                     "severity", alert_severity_name(kept->severity), "from",
                     time_json(kept->from_ms), "to", time_json(kept->to_ms), "worst",
                     number_json(kept->worst));
}

json_t *backtest_json(const struct backtest *test)
{
    json_t *rules = json_array();
    json_t *firings = json_array();
    json_t *harms = json_array();
    json_t *kept = json_array();
    const struct backtest_data *data = test->data;
    for (size_t i = 0; i < test->rules->count; i++)
        json_array_append_new(rules, rule_json(test, i));
    for (size_t i = 0; i < test->firing_count; i++)
        json_array_append_new(firings, firing_json(test, &test->firings[i]));
    for (size_t i = 0; i < test->kept_count; i++)
        json_array_append_new(kept, kept_json(test, &test->kept[i]));
    for (size_t i = 0; i < test->harm_count; i++)
        json_array_append_new(harms, harm_json(test, &test->harms[i]));
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:b, s:b, s:o, s:o, s:o, s:o, s:o}",
                  "file", test->rules->name, "from", time_json(data->first_ms), "to",
                  time_json(data->last_ms), "readings", (json_int_t)data->count,
                  "left_out", (json_int_t)data->refused, "firings_not_listed",
                  (json_int_t)test->lost_firings, "band", test->has_band, "estimated",
                  test->is_estimated, "rules", rules, "firings", firings, "kept_back",
                  kept, "harms", harms, "warnings", backtest_warnings(test));
    assert(object != NULL);
    return object;
}
