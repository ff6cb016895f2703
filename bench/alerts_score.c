// SPDX-License-Identifier: Apache-2.0
#include "bench/alerts_score.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

#define MONTH_MS (30 * (double)WORLD_DAY_MS)
/* A compressor that loses power over days: what is told long before is told of others. */
#define SLOW_BEFORE_MS WORLD_HOUR_MS

static void add_minutes(struct minutes *minutes, int64_t length_ms)
{
    mem_grow(&minutes->values, &minutes->capacity, minutes->count + 1, sizeof(double));
    minutes->values[minutes->count++] = (double)length_ms / (double)WORLD_MINUTE_MS;
}

static bool is_visible(const struct world_label *label)
{
    return label->envelope_ms >= 0 || label->harm_ms >= 0 ||
           label->event == WORLD_PROBE_STUCK;
}

static int64_t counts_from_ms(const struct world_label *label)
{
    if (label->event == WORLD_COMPRESSOR_SLOW && label->envelope_ms >= 0)
        return label->envelope_ms - SLOW_BEFORE_MS;
    return label->onset_ms;
}

static bool belongs(const struct notice *notice, const struct world_label *label)
{
    return label->tell && !notice->is_silence &&
           notice->event_ms >= counts_from_ms(label) &&
           notice->event_ms <= label->settled_ms;
}

/* It showed, and was inside again before it had to be told. */
static bool is_brief(const struct world_label *label)
{
    return world_is_failure(label->event) && label->event != WORLD_PROBE_STUCK &&
           label->harm_ms < 0 && label->apart_ms < SCORE_WITHIN_MS;
}

static void score_there(struct score *score, const struct world_label *label,
                        const struct notice *first)
{
    bool dead = label->event == WORLD_COMPRESSOR_DEAD && label->envelope_ms >= 0;
    bool in_time =
        first != NULL && first->event_ms - label->envelope_ms <= SCORE_WITHIN_MS;
    score->dead_late_there += dead && !in_time;
    if (first == NULL)
        return;
    if (dead)
        add_minutes(&score->dead_there, first->event_ms - label->envelope_ms);
    score->harms_told_before_there +=
        label->harm_ms >= 0 && first->event_ms < label->harm_ms;
}

/* What was told with less left than could have been. */
static void score_time(struct score *score, const struct world_label *label,
                       const struct notice *first)
{
    int64_t latest_ms = label->harm_ms - SCORE_BEFORE_HARM_MS;
    if (label->harm_ms < 0 || label->envelope_ms < 0 || label->envelope_ms > latest_ms)
        return;
    score->harms_with_time++;
    score->harms_short += first == NULL || first->told_ms > latest_ms;
    score->harms_short_there += first == NULL || first->event_ms > latest_ms;
}

static void score_label(struct score *score, const struct world_label *label,
                        const struct notice *first)
{
    bool dead = label->event == WORLD_COMPRESSOR_DEAD && label->envelope_ms >= 0;
    bool harmed = label->harm_ms >= 0;
    score->to_tell++;
    score->dead += dead;
    score->harms += harmed;
    if (!is_visible(label))
        score->not_visible++;
    else if (first == NULL)
        score->missed++;
    score->brief += is_visible(label) && first == NULL && is_brief(label);
    score_there(score, label, first);
    score_time(score, label, first);
    if (first == NULL)
        return;
    if (dead)
        add_minutes(&score->dead_after_envelope, first->told_ms - label->envelope_ms);
    if (harmed)
        add_minutes(&score->before_harm, label->harm_ms - first->told_ms);
    score->harms_told_before += harmed && first->told_ms < label->harm_ms;
}

static const struct notice *first_of(const struct world_label *label,
                                     const struct notice *notices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (belongs(&notices[i], label))
            return &notices[i];
    return NULL;
}

/* True when nothing came at that time; then it says what is so. */
static bool is_outage(const struct notice *notice, const struct world_label *labels,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (labels[i].event == WORLD_LATE_DATA && notice->told_ms >= labels[i].onset_ms &&
            notice->told_ms <= labels[i].end_ms)
            return true;
    return false;
}

void score_add(struct score *score, const struct world_label *labels, size_t label_count,
               const struct notice *notices, size_t notice_count,
               const struct world_totals *totals)
{
    bool *true_notices = mem_array(notice_count, sizeof *true_notices);
    for (size_t i = 0; i < label_count; i++) {
        if (!labels[i].tell)
            continue;
        score_label(score, &labels[i], first_of(&labels[i], notices, notice_count));
        for (size_t j = 0; j < notice_count; j++)
            true_notices[j] = true_notices[j] || belongs(&notices[j], &labels[i]);
    }
    for (size_t j = 0; j < notice_count; j++) {
        bool is_silence = notices[j].is_silence;
        score->notices += !is_silence;
        score->false_notices += !is_silence && !true_notices[j];
        score->silences += is_silence;
        score->silences_false +=
            is_silence && !is_outage(&notices[j], labels, label_count);
    }
    free(true_notices);
    score->months += (double)totals->on_duty_ms / MONTH_MS;
}

void score_fini(struct score *score)
{
    free(score->dead_after_envelope.values);
    free(score->dead_there.values);
    free(score->before_harm.values);
    *score = (struct score){0};
}

static int by_value(const void *left, const void *right)
{
    double one = *(const double *)left, other = *(const double *)right;
    return (one > other) - (one < other);
}

double minutes_quantile(struct minutes *minutes, double share)
{
    if (minutes->count == 0)
        return (double)NAN;
    qsort(minutes->values, minutes->count, sizeof minutes->values[0], by_value);
    size_t index = (size_t)ceil(share * (double)minutes->count);
    return minutes->values[index > 0 ? index - 1 : 0];
}
