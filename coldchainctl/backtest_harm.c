// SPDX-License-Identifier: Apache-2.0
/*
 * backtest_harm - when goods were outside of their zone's band.
 *
 * Whose temperature is that of the goods: a measured product_temperature or
 * pulp_temperature of the zone when there is one, else what each air_temperature gives by
 * the lag.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "coldchainctl/backtest.h"
#include "freshness/thermal.h"

#define HOUR_MS 3600000.0

/* The goods as one channel sees them. */
struct goods {
    double low; /* of the band; NaN: no such end */
    double high;
    bool is_judged; /* there is a band, and it is this channel that tells */
    bool is_estimated;
    double tau_h;
    bool has_begun;
    int64_t last_ms;
    double air;
    struct thermal state;
    size_t harm; /* the last one; SIZE_MAX: none yet */
};

static bool is_probe(const struct backtest_channel *channel)
{
    return strcmp(channel->quantity, "product_temperature") == 0 ||
           strcmp(channel->quantity, "pulp_temperature") == 0;
}

static bool has_probe(const struct backtest_data *data, const char *zone)
{
    for (size_t i = 0; i < data->channel_count; i++)
        if (is_probe(&data->channels[i]) && strcmp(data->channels[i].zone, zone) == 0)
            return true;
    return false;
}

static double tau_of(const struct backtest *test, const struct backtest_options *options,
                     const char *zone)
{
    const struct registry_zone *known = registry_zone(test->registry, zone);
    if (!isnan(options->tau_h))
        return options->tau_h;
    return known != NULL ? (double)known->tau_ms / HOUR_MS : 0;
}

static struct goods *prepare(struct backtest *test,
                             const struct backtest_options *options)
{
    const struct backtest_data *data = test->data;
    struct goods *goods = mem_array(data->channel_count, sizeof *goods);
    for (size_t i = 0; i < data->channel_count; i++) {
        const struct backtest_channel *channel = &data->channels[i];
        bool is_air = strcmp(channel->quantity, "air_temperature") == 0;
        goods[i].harm = SIZE_MAX;
        if (is_probe(channel) || (is_air && !has_probe(data, channel->zone)))
            goods[i].is_judged = backtest_band(test, options, channel->zone,
                                               &goods[i].low, &goods[i].high);
        goods[i].tau_h = tau_of(test, options, channel->zone);
        goods[i].is_estimated = is_air && goods[i].tau_h > 0;
        test->has_band |= goods[i].is_judged;
        if (goods[i].is_judged && goods[i].is_estimated) {
            test->is_estimated = true;
            test->tau_h = goods[i].tau_h;
        }
    }
    return goods;
}

/* What the goods have come to at that reading. */
static double goods_at(struct goods *goods, const struct backtest_reading *reading)
{
    double value = reading->value;
    if (!goods->is_estimated)
        return value;
    const struct thermal_body body = {goods->tau_h, goods->tau_h, goods->tau_h};
    if (!goods->has_begun)
        goods->state = thermal_known(value, 0);
    else
        thermal_step(&goods->state, &body, goods->air,
                     (double)(reading->time_ms - goods->last_ms) / HOUR_MS);
    goods->air = value;
    return goods->state.mid;
}

static void harm_begins(struct backtest *test, struct goods *goods, size_t channel,
                        int64_t time_ms, bool is_warm, double value)
{
    struct backtest_harm *last =
        goods->harm != SIZE_MAX ? &test->harms[goods->harm] : NULL;
    if (last != NULL && last->is_warm == is_warm &&
        time_ms - last->to_ms < BACKTEST_HARM_GAP_MS) {
        last->is_over = false;
        return;
    }
    if (test->harm_count == BACKTEST_HARMS_MAX)
        return;
    mem_grow(&test->harms, &test->harm_capacity, test->harm_count + 1,
             sizeof *test->harms);
    goods->harm = test->harm_count;
    test->harms[test->harm_count++] = (struct backtest_harm){.channel = channel,
                                                             .from_ms = time_ms,
                                                             .to_ms = time_ms,
                                                             .is_warm = is_warm,
                                                             .worst = value,
                                                             .warned_ms = INT64_MIN};
}

static void look(struct backtest *test, struct goods *goods,
                 const struct backtest_reading *reading, double value)
{
    struct backtest_harm *harm =
        goods->harm != SIZE_MAX ? &test->harms[goods->harm] : NULL;
    bool is_warm = value > goods->high; /* false without an end there */
    bool is_cold = value < goods->low;
    bool goes_on = harm != NULL && !harm->is_over && harm->is_warm == is_warm &&
                   (is_warm || is_cold);
    if (harm != NULL && !harm->is_over && !goes_on) {
        harm->is_over = true;
        harm->to_ms = reading->time_ms;
    }
    if (is_warm || is_cold) {
        if (!goes_on)
            harm_begins(test, goods, reading->channel, reading->time_ms, is_warm, value);
        harm = goods->harm != SIZE_MAX ? &test->harms[goods->harm] : NULL;
        if (harm != NULL && !harm->is_over) {
            harm->worst = is_warm ? fmax(harm->worst, value) : fmin(harm->worst, value);
            harm->to_ms = reading->time_ms;
        }
    }
}

static int compare_harms(const void *left, const void *right)
{
    const struct backtest_harm *a = left;
    const struct backtest_harm *b = right;
    if (a->from_ms != b->from_ms)
        return a->from_ms < b->from_ms ? -1 : 1;
    return a->channel < b->channel ? -1 : a->channel > b->channel;
}

struct moment {
    int64_t time_ms;
    size_t index;
};

static int compare_moments(const void *left, const void *right)
{
    const struct moment *a = left;
    const struct moment *b = right;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* The readings as they were measured, whenever they came; the caller frees it. */
static struct moment *by_time(const struct backtest_data *data)
{
    struct moment *moments = mem_array(data->count, sizeof *moments);
    bool is_sorted = true;
    for (size_t i = 0; i < data->count; i++) {
        moments[i] = (struct moment){data->readings[i].time_ms, i};
        is_sorted &= i == 0 || moments[i - 1].time_ms <= moments[i].time_ms;
    }
    if (!is_sorted)
        qsort(moments, data->count, sizeof *moments, compare_moments);
    return moments;
}

void backtest_find_harms(struct backtest *test, const struct backtest_options *options)
{
    struct goods *all = prepare(test, options);
    struct moment *moments = by_time(test->data);
    for (size_t i = 0; i < test->data->count; i++) {
        const struct backtest_reading *reading = &test->data->readings[moments[i].index];
        struct goods *goods = &all[reading->channel];
        if (!goods->is_judged || reading->quality != QUALITY_GOOD ||
            !isfinite(reading->value) ||
            (goods->has_begun && reading->time_ms <= goods->last_ms))
            continue;
        double value = goods_at(goods, reading);
        goods->has_begun = true;
        goods->last_ms = reading->time_ms;
        look(test, goods, reading, value);
    }
    free(moments);
    free(all);
    for (size_t i = 0; i < test->harm_count; i++)
        if (!test->harms[i].is_over)
            test->harms[i].to_ms = test->data->last_ms;
    if (test->harm_count > 1)
        qsort(test->harms, test->harm_count, sizeof *test->harms, compare_harms);
}
