// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/backtest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "collector/pipeline/rooms.h"

#define TICK_MS       ((int64_t)60 * 1000)
#define TICKS_MOST    20000 /* of a gap: in one of months they are less dense */
#define PROGRESS_EACH 4096

/* One pass of the engine. */
struct run {
    struct backtest *test;
    struct alerts *alerts;
    struct alert_sink sink;
    struct map rules;      /* id -> index + 1 */
    struct map firings;    /* incident's id -> index + 1 */
    struct map kept;       /* suppression's id -> index + 1 */
    struct source **known; /* per channel, see alerts_reading_at() */
    uint64_t removed;
    int64_t tick_ms;
};

static void *as_pointer(size_t index)
{
    return (void *)(uintptr_t)(index + 1);
}

static size_t as_index(const void *pointer)
{
    assert(pointer != NULL);
    return (size_t)(uintptr_t)pointer - 1;
}

static void fill(struct backtest_firing *firing, const struct incident *incident)
{
    firing->severity = incident->severity;
    firing->state = incident->state;
    firing->limit = incident->limit;
    firing->worst = incident->worst;
    firing->closed_ms = incident->closed_ms;
}

static void add_firing(struct run *run, const struct incident *incident)
{
    struct backtest *test = run->test;
    if (test->firing_count == BACKTEST_FIRINGS_MAX) {
        test->lost_firings++;
        return;
    }
    assert(test->firing_count < BACKTEST_FIRINGS_MAX);
    mem_grow(&test->firings, &test->firing_capacity, test->firing_count + 1,
             sizeof *test->firings);
    struct backtest_firing *firing = &test->firings[test->firing_count];
    *firing = (struct backtest_firing){
        .rule = as_index(map_get(&run->rules, incident->rule)),
        .onset_ms = incident->onset_ms,
        .opened_ms = incident->opened_ms,
        .told_ms = incident->learned_ms,
        .harm = SIZE_MAX,
    };
    snprintf(firing->id, sizeof firing->id, "%s", incident->id);
    snprintf(firing->device, sizeof firing->device, "%s", incident->device);
    snprintf(firing->channel, sizeof firing->channel, "%s", incident->channel);
    *map_at(&run->firings, incident->id) = as_pointer(test->firing_count++);
}

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct run *run = context;
    if (kind == ALERT_EFFECT_OPENED)
        add_firing(run, incident);
    const void *place = map_get(&run->firings, incident->id);
    if (place == NULL)
        return; /* one too many */
    struct backtest_firing *firing = &run->test->firings[as_index(place)];
    fill(firing, incident);
    if (incident->severity == ALERT_CRITICAL && firing->critical_ms == 0)
        firing->critical_ms = incident->changed_ms;
}

static void tick_until(struct run *run, int64_t now_ms)
{
    int64_t each_ms = (now_ms - run->tick_ms) / TICKS_MOST;
    if (each_ms < TICK_MS)
        each_ms = TICK_MS;
    assert(each_ms > 0);
    for (; run->tick_ms <= now_ms; run->tick_ms += each_ms)
        alerts_tick(run->alerts, run->tick_ms, &run->sink);
}

static void feed(struct run *run, const struct backtest_reading *from)
{
    assert(from->channel < run->test->data->channel_count);
    const struct backtest_channel *channel = &run->test->data->channels[from->channel];
    const struct alert_reading reading = {
        .zone = channel->zone,
        .device = channel->device,
        .channel = channel->channel,
        .quantity = channel->quantity,
        .time_ms = from->time_ms,
        .arrival_ms = from->arrival_ms,
        .value = from->value,
        .quality = (enum quality)from->quality,
    };
    if (run->removed != alerts_removed(run->alerts)) {
        memset(run->known, 0, run->test->data->channel_count * sizeof(struct source *));
        run->removed = alerts_removed(run->alerts);
    }
    run->known[from->channel] =
        alerts_reading_at(run->alerts, run->known[from->channel], &reading, &run->sink);
}

static void on_suppressed(void *context, const struct suppression *told)
{
    struct run *run = context;
    struct backtest *test = run->test;
    size_t rule = as_index(map_get(&run->rules, told->rule));
    void **place = map_at(&run->kept, told->id);
    if (*place == NULL) {
        struct backtest_tally *tally = &test->tallies[rule];
        tally->kept++;
        tally->kept_by[told->reason]++;
        *place = as_pointer(test->kept_count);
        if (test->kept_count == BACKTEST_FIRINGS_MAX)
            return;
        mem_grow(&test->kept, &test->kept_capacity, test->kept_count + 1,
                 sizeof *test->kept);
        test->kept_count++;
    }
    if (as_index(*place) == BACKTEST_FIRINGS_MAX)
        return; /* one too many: counted */
    struct backtest_kept *kept = &test->kept[as_index(*place)];
    *kept = (struct backtest_kept){.rule = rule,
                                   .reason = told->reason,
                                   .severity = told->severity,
                                   .from_ms = told->from_ms,
                                   .to_ms = told->to_ms,
                                   .worst = told->worst};
    snprintf(kept->id, sizeof kept->id, "%s", told->id);
    snprintf(kept->device, sizeof kept->device, "%s", told->device);
    snprintf(kept->channel, sizeof kept->channel, "%s", told->channel);
}

/* What is still open tells its worst to nobody: asked here. */
static void settle(struct run *run, int64_t end_ms)
{
    struct backtest *test = run->test;
    for (size_t i = 0; i < test->firing_count; i++) {
        struct backtest_firing *firing = &test->firings[i];
        const struct incident *incident = alerts_incident(run->alerts, firing->id);
        if (incident != NULL)
            fill(firing, incident);
        firing->end_ms = firing->closed_ms != 0 ? firing->closed_ms : end_ms;
    }
}

static void replay(struct run *run, const struct backtest_options *options)
{
    const struct backtest_data *data = run->test->data;
    run->tick_ms = data->readings[0].arrival_ms;
    for (size_t i = 0; i < data->count; i++) {
        tick_until(run, data->readings[i].arrival_ms);
        feed(run, &data->readings[i]);
        if (i % PROGRESS_EACH == 0 && options->progress != NULL)
            options->progress(options->context, i);
    }
    tick_until(run, data->readings[data->count - 1].arrival_ms);
    settle(run, data->last_ms);
}

/* What is judged by dates no record can show. */
static enum err set_rules(struct run *run, struct err_text *why)
{
    const struct backtest_rules *all = run->test->rules;
    struct alert_rule *rules = mem_array(all->count, sizeof *rules);
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (!alert_kind_is_date(all->rules[i].kind))
            rules[count++] = all->rules[i];
    enum err err = alerts_set_rules(run->alerts, rules, count,
                                    run->test->data->readings[0].arrival_ms, why);
    free(rules);
    return err;
}

enum err backtest_run(struct backtest *test, struct backtest_rules *rules,
                      const struct backtest_data *data,
                      const struct backtest_options *options, struct err_text *why)
{
    *test = (struct backtest){.rules = rules,
                              .data = data,
                              .tallies = mem_array(rules->count, sizeof *test->tallies),
                              .registry = backtest_registry(rules, options),
                              .span_ms = data->last_ms - data->first_ms};
    struct run run = {.test = test,
                      .alerts = alerts_create(),
                      .known = mem_array(data->channel_count, sizeof *run.known)};
    assert(data->count > 0);
    run.sink = (struct alert_sink){
        .context = &run, .effect = on_effect, .suppressed = on_suppressed};
    for (size_t i = 0; i < rules->count; i++)
        *map_at(&run.rules, rules->rules[i].id) = as_pointer(i);
    enum err err = backtest_resolve(test, rules, options, why);
    if (err == ERR_OK)
        err = set_rules(&run, why);
    if (err == ERR_OK) {
        pipeline_tell_rooms(run.alerts, test->registry);
        replay(&run, options);
        backtest_find_harms(test, options);
        backtest_count(test);
    }
    alerts_destroy(run.alerts);
    map_fini(&run.rules);
    map_fini(&run.firings);
    map_fini(&run.kept);
    free(run.known);
    return err;
}

void backtest_fini(struct backtest *test)
{
    free(test->tallies);
    free(test->firings);
    free(test->harms);
    free(test->kept);
    registry_destroy(test->registry);
    *test = (struct backtest){.firing_count = 0};
}

double backtest_per_month(const struct backtest *test, size_t count)
{
    double months = (double)test->span_ms / (30.0 * 24 * 3600 * 1000);
    return months > 0 ? (double)count / months : (double)count;
}
