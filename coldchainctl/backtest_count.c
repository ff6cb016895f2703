// SPDX-License-Identifier: Apache-2.0
/*
 * backtest_count - firings and harms, counted rule by rule.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "coldchainctl/backtest.h"
#include "collector/doubts.h"
#include "telemetry/quantity.h"

/* Times that a rule took, of which the middle one is told. */
struct spans {
    int64_t *ms;
    size_t count;
    size_t capacity;
};

static void spans_add(struct spans *spans, int64_t ms)
{
    mem_grow(&spans->ms, &spans->capacity, spans->count + 1, sizeof *spans->ms);
    spans->ms[spans->count++] = ms;
}

static int compare_ms(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* -1 when there is none. */
static int64_t spans_middle(struct spans *spans)
{
    if (spans->count == 0)
        return -1;
    qsort(spans->ms, spans->count, sizeof *spans->ms, compare_ms);
    return spans->ms[spans->count / 2];
}

static bool is_temperature(const char *quantity)
{
    int index = quantity_find(quantity);
    return index >= 0 && strcmp(quantity_at((size_t)index)->senml_unit, "Cel") == 0;
}

/* What it tells of harms the goods; others speak of probes, doors, machines or time. */
static bool tells_of_harm(enum alert_kind kind)
{
    return alert_kind_is_value(kind) || alert_kind_is_sum(kind) || kind == ALERT_RATE ||
           kind == ALERT_PREDICTED || kind == ALERT_COOLING_FAILED;
}

/* A derived quantity is made of the zone's air. */
static bool watches(const struct alert_rule *rule, const struct backtest_channel *channel)
{
    bool is_its = rule->quantity[0] == '\0' ||
                  strcmp(rule->quantity, channel->quantity) == 0 ||
                  (doubt_is_derived(rule->quantity) &&
                   strcmp(channel->quantity, "air_temperature") == 0);
    return is_its && strcmp(rule->zone, channel->zone) == 0;
}

static const char *zone_of(const struct backtest *test, const struct backtest_harm *harm)
{
    assert(harm->channel < test->data->channel_count);
    return test->data->channels[harm->channel].zone;
}

/* Whether that rule is to tell of that harm: the same zone, and the same side. */
static bool is_its(const struct backtest *test, size_t rule,
                   const struct backtest_harm *harm)
{
    const struct alert_rule *from = &test->rules->rules[rule];
    bool is_low = strstr(alert_kind_name(from->kind), "below") != NULL;
    return harm->is_warm != is_low && strcmp(zone_of(test, harm), from->zone) == 0;
}

static bool overlap(const struct backtest_firing *firing,
                    const struct backtest_harm *harm)
{
    return firing->onset_ms <= harm->to_ms && firing->end_ms >= harm->from_ms;
}

static void count_firing(struct backtest *test, struct backtest_firing *firing)
{
    assert(firing->rule < test->rules->count);
    struct backtest_tally *tally = &test->tallies[firing->rule];
    for (size_t i = 0; i < test->harm_count && firing->harm == SIZE_MAX; i++)
        if (overlap(firing, &test->harms[i]) &&
            is_its(test, firing->rule, &test->harms[i]))
            firing->harm = i;
    tally->firings++;
    tally->criticals += firing->severity == ALERT_CRITICAL;
    tally->open += firing->closed_ms == 0;
    tally->open_ms += firing->end_ms - firing->onset_ms;
    tally->false_alarms += tally->is_about_harm && firing->harm == SIZE_MAX;
}

/* The rule's first word of that harm; NULL: it had none. */
static const struct backtest_firing *first_word(const struct backtest *test, size_t rule,
                                                const struct backtest_harm *harm)
{
    for (size_t i = 0; i < test->firing_count; i++)
        if (test->firings[i].rule == rule && overlap(&test->firings[i], harm))
            return &test->firings[i]; /* of a rule they stand in the order of telling */
    return NULL;
}

static void count_harm(struct backtest *test, size_t rule, struct backtest_harm *harm,
                       struct spans *ahead)
{
    struct backtest_tally *tally = &test->tallies[rule];
    const struct backtest_firing *word = first_word(test, rule, harm);
    if (word == NULL) {
        tally->missed++;
        return;
    }
    int64_t ms = harm->from_ms - word->told_ms;
    if (harm->warned_ms == INT64_MIN || word->told_ms < harm->warned_ms)
        harm->warned_ms = word->told_ms;
    if (ms < 0) {
        tally->late++;
        return;
    }
    if (tally->warned++ == 0 || ms < tally->ahead_least_ms)
        tally->ahead_least_ms = ms;
    spans_add(ahead, ms);
}

static void count_rule(struct backtest *test, size_t rule)
{
    struct backtest_tally *tally = &test->tallies[rule];
    struct spans ahead = {.count = 0};
    struct spans delays = {.count = 0};
    for (size_t i = 0; i < test->firing_count; i++)
        if (test->firings[i].rule == rule)
            spans_add(&delays, test->firings[i].told_ms - test->firings[i].onset_ms);
    for (size_t i = 0; i < test->harm_count && tally->is_about_harm; i++)
        if (is_its(test, rule, &test->harms[i]))
            count_harm(test, rule, &test->harms[i], &ahead);
    tally->delay_ms = spans_middle(&delays);
    tally->ahead_ms = spans_middle(&ahead);
    free(ahead.ms);
    free(delays.ms);
}

void backtest_count(struct backtest *test)
{
    const struct backtest_rules *rules = test->rules;
    for (size_t i = 0; i < rules->count; i++) {
        const struct alert_rule *rule = &rules->rules[i];
        struct backtest_tally *tally = &test->tallies[i];
        for (size_t k = 0; k < test->data->channel_count; k++)
            if (watches(rule, &test->data->channels[k]))
                tally->readings += test->data->channels[k].count;
        tally->is_about_harm =
            test->has_band && tells_of_harm(rule->kind) && is_temperature(rule->quantity);
    }
    for (size_t i = 0; i < test->firing_count; i++)
        count_firing(test, &test->firings[i]);
    for (size_t i = 0; i < rules->count; i++)
        count_rule(test, i);
}
