// SPDX-License-Identifier: Apache-2.0
#include "bench/alerts_truth.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define HOUR_STEPS  (WORLD_HOUR_MS / WORLD_STEP_MS)
#define MARGIN_K    0.2 /* two steps of a usual resolution (assumed) */
#define KNOWN_HOURS 6   /* below: the thermostat's differential and half a kelvin */
#define SETTLED_MS  (10 * WORLD_MINUTE_MS)
/* After the end of a cause: routine, and what needs a pull-down. */
#define PARTED_MS       (5 * WORLD_MINUTE_MS) /* outside, with the twin inside (assumed) */
#define GIVE_UP_MS      (2 * WORLD_HOUR_MS)
#define GIVE_UP_LONG_MS (48 * WORLD_HOUR_MS)
/* Goods are back when they went this part of the way from the edge to the set point. */
#define BACK_SHARE 0.3

void truth_init(struct truth *truth, const struct world_params *params,
                const struct world_sink *sink, struct world_totals *totals)
{
    memset(truth, 0, sizeof *truth);
    truth->params = params;
    truth->sink = sink;
    truth->totals = totals;
}

void truth_begin(struct truth *truth, enum world_event event, int64_t time_ms)
{
    assert(truth->open_count < TRUTH_OPEN_MAX);
    truth->open[truth->open_count++] = (struct truth_open){
        .label = {.id = truth->next_id++,
                  .event = event,
                  .onset_ms = time_ms,
                  .end_ms = -1,
                  .settled_ms = -1,
                  .envelope_ms = -1,
                  .harm_ms = -1},
        .inside_since_ms = -1,
        .left_since_ms = -1,
    };
    truth->failures_open += world_is_failure(event);
}

void truth_end(struct truth *truth, enum world_event event, int64_t time_ms)
{
    for (size_t i = 0; i < truth->open_count; i++) {
        struct truth_open *open = &truth->open[i];
        if (open->label.event != event || open->ended)
            continue;
        open->ended = true;
        open->label.end_ms = time_ms;
        open->inside_since_ms = -1;
        return;
    }
    assert(!"an event ends that did not begin");
}

static struct truth_hour envelope_of(const struct truth *truth)
{
    const struct world_params *params = truth->params;
    double half_K = params->differential_K / 2 + 0.5;
    if (truth->hour_count < KNOWN_HOURS)
        return (struct truth_hour){params->set_C - half_K, params->set_C + half_K};
    struct truth_hour all = truth->hours[0];
    size_t known = truth->hour_count < TRUTH_HOURS ? truth->hour_count : TRUTH_HOURS;
    for (size_t i = 1; i < known; i++) {
        all.least = fmin(all.least, truth->hours[i].least);
        all.most = fmax(all.most, truth->hours[i].most);
    }
    return (struct truth_hour){all.least - MARGIN_K, all.most + MARGIN_K};
}

static bool is_within(const struct truth_hour *envelope, double C)
{
    return C >= envelope->least && C <= envelope->most;
}

static void learn(struct truth *truth, double probe_C)
{
    struct truth_hour *filling = &truth->filling;
    bool first = truth->filling_steps == 0;
    filling->least = first ? probe_C : fmin(filling->least, probe_C);
    filling->most = first ? probe_C : fmax(filling->most, probe_C);
    if (++truth->filling_steps < HOUR_STEPS)
        return;
    truth->hours[truth->hour_count++ % TRUTH_HOURS] = *filling;
    truth->filling_steps = 0;
}

static void close_label(struct truth *truth, size_t index, int64_t time_ms)
{
    struct world_label label = truth->open[index].label;
    if (label.end_ms < 0)
        label.end_ms = time_ms;
    label.settled_ms = time_ms;
    label.tell = world_is_failure(label.event) || label.harm_ms >= 0;
    truth->failures_open -= world_is_failure(label.event);
    truth->open_count--;
    memmove(&truth->open[index], &truth->open[index + 1],
            (truth->open_count - index) * sizeof truth->open[0]);
    truth->totals->labels++;
    if (truth->sink->on_label != NULL)
        truth->sink->on_label(truth->sink->context, &label);
}

static int64_t give_up_ms(enum world_event event)
{
    bool routine = event == WORLD_DEFROST || event == WORLD_DOOR_SHORT ||
                   event == WORLD_DOOR_LONG || event == WORLD_LATE_DATA;
    return routine ? GIVE_UP_MS : GIVE_UP_LONG_MS;
}

/* Routine: the first moment outside. A failure: outside while its twin is inside. */
static void watch_envelope(struct truth_open *open, const struct truth_facts *facts,
                           bool inside, bool twin_inside)
{
    bool failure = world_is_failure(open->label.event);
    bool told_apart = facts->on_duty || open->label.event == WORLD_OFF_DUTY;
    bool left = !inside && told_apart && !(failure && (!twin_inside || open->ended));
    if (!left)
        open->left_since_ms = -1;
    else if (open->left_since_ms < 0)
        open->left_since_ms = facts->time_ms;
    int64_t apart_ms = left ? facts->time_ms - open->left_since_ms : 0;
    if (failure && apart_ms > open->label.apart_ms)
        open->label.apart_ms = apart_ms;
    if (open->label.envelope_ms < 0 && left && (!failure || apart_ms >= PARTED_MS))
        open->label.envelope_ms = open->left_since_ms;
}

static void step_label(struct truth *truth, size_t index, const struct truth_facts *facts,
                       bool inside, bool twin_inside)
{
    struct truth_open *open = &truth->open[index];
    int64_t time_ms = facts->time_ms;
    watch_envelope(open, facts, inside, twin_inside);
    if (!open->ended)
        return;
    if (!inside)
        open->inside_since_ms = -1;
    else if (open->inside_since_ms < 0)
        open->inside_since_ms = time_ms;
    bool settled =
        open->inside_since_ms >= 0 && time_ms - open->inside_since_ms >= SETTLED_MS;
    bool given_up = time_ms - open->label.end_ms >= give_up_ms(open->label.event);
    if (settled || given_up || !facts->on_duty)
        close_label(truth, index, time_ms);
}

static void blame(struct truth *truth, int64_t time_ms)
{
    struct world_label *cause = NULL;
    for (size_t i = 0; i < truth->open_count; i++) {
        struct world_label *label = &truth->open[i].label;
        bool not_less = cause == NULL || world_is_failure(label->event) ||
                        !world_is_failure(cause->event);
        if (not_less)
            cause = label;
    }
    truth->totals->harms++;
    if (cause == NULL)
        truth->totals->unexplained_harms++;
    else if (cause->harm_ms < 0)
        cause->harm_ms = time_ms;
}

static void watch_goods(struct truth *truth, const struct truth_facts *facts)
{
    const struct world_params *params = truth->params;
    double share = truth->goods_outside ? BACK_SHARE : 0;
    double high_C = params->high_C - share * (params->high_C - params->set_C);
    double low_C = params->low_C + share * (params->set_C - params->low_C);
    /* No goods (NaN) are not outside. */
    bool outside = facts->goods_C > high_C || facts->goods_C < low_C;
    if (outside && !truth->goods_outside)
        blame(truth, facts->time_ms);
    truth->goods_outside = outside;
}

void truth_step(struct truth *truth, const struct truth_facts *facts)
{
    if (truth->open_count == 0) {
        learn(truth, facts->probe_C);
        truth->totals->calm_ms += WORLD_STEP_MS;
    }
    watch_goods(truth, facts);
    if (truth->open_count == 0)
        return;
    struct truth_hour envelope = envelope_of(truth);
    bool inside = is_within(&envelope, facts->probe_C);
    bool twin_inside = is_within(&envelope, facts->twin_C);
    for (size_t i = truth->open_count; i > 0; i--)
        step_label(truth, i - 1, facts, inside, twin_inside);
}

bool truth_in_trouble(const struct truth *truth)
{
    return truth->failures_open > 0;
}

void truth_finish(struct truth *truth, int64_t time_ms)
{
    while (truth->open_count > 0)
        close_label(truth, 0, time_ms);
}
