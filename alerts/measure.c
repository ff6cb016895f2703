// SPDX-License-Identifier: Apache-2.0
#include "alerts/measure.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "alerts/internal.h"

void archive_u8(struct archive *archive, uint8_t *value)
{
    if (archive->out != NULL)
        buf_u8(archive->out, *value);
    else
        *value = buf_read_u8(archive->in);
}

void archive_u16(struct archive *archive, uint16_t *value)
{
    if (archive->out != NULL) {
        buf_varint(archive->out, *value);
        return;
    }
    uint64_t read = buf_read_varint(archive->in);
    if (read > UINT16_MAX)
        archive->in->failed = true;
    *value = archive->in->failed ? 0 : (uint16_t)read;
}

void archive_bool(struct archive *archive, bool *value)
{
    uint8_t byte = *value;
    archive_u8(archive, &byte);
    if (archive->out == NULL && byte > 1)
        archive->in->failed = true;
    *value = byte == 1;
}

void archive_f32(struct archive *archive, float *value)
{
    uint32_t bits;
    memcpy(&bits, value, sizeof bits);
    if (archive->out != NULL) {
        buf_u32(archive->out, bits);
        return;
    }
    bits = buf_read_u32(archive->in);
    memcpy(value, &bits, sizeof bits);
    if (!isfinite(*value)) {
        archive->in->failed = true;
        *value = 0;
    }
}

void archive_f64(struct archive *archive, double *value)
{
    if (archive->out != NULL) {
        buf_f64(archive->out, *value);
        return;
    }
    *value = buf_read_f64(archive->in);
    if (!isfinite(*value)) {
        archive->in->failed = true;
        *value = 0;
    }
}

void archive_time(struct archive *archive, int64_t *time_ms)
{
    if (archive->out != NULL) {
        buf_zigzag(archive->out, *time_ms);
        return;
    }
    *time_ms = buf_read_zigzag(archive->in);
    if (*time_ms != TIME_NONE &&
        (*time_ms < -TIME_LIMIT_MS || *time_ms > TIME_LIMIT_MS)) {
        archive->in->failed = true;
        *time_ms = TIME_NONE;
    }
}

void archive_span(struct archive *archive, int64_t *span_ms, int64_t most)
{
    if (archive->out != NULL) {
        buf_zigzag(archive->out, *span_ms);
        return;
    }
    *span_ms = buf_read_zigzag(archive->in);
    if (*span_ms < 0 || *span_ms > most) {
        archive->in->failed = true;
        *span_ms = 0;
    }
}

float measure_narrow(double value)
{
    return (float)fmax(fmin(value, 1e30), -1e30);
}

/* A reading after more than twice the usual is a gap, and hardly changes what is usual.
 */
static void learn(float *usual_ms, int64_t apart_ms)
{
    float apart = (float)(apart_ms < PACE_MOST_MS ? apart_ms : PACE_MOST_MS);
    if (*usual_ms <= 0)
        *usual_ms = apart;
    else if (apart <= 2 * *usual_ms)
        *usual_ms += (apart - *usual_ms) / 8;
    else
        *usual_ms += *usual_ms / 8;
}

int64_t pace_step(float *usual_ms, int64_t before_ms, int64_t time_ms)
{
    if (before_ms == TIME_NONE || time_ms <= before_ms)
        return 0;
    int64_t apart_ms = time_ms - before_ms;
    int64_t most_ms = *usual_ms > 0 ? (int64_t)(2 * *usual_ms) : PACE_FIRST_MS;
    learn(usual_ms, apart_ms);
    if (most_ms > PACE_MOST_MS)
        most_ms = PACE_MOST_MS;
    return apart_ms < most_ms ? apart_ms : most_ms;
}

void pace_archive_old(struct archive *archive)
{
    int64_t last_ms = TIME_NONE; /* the source's own */
    float usual_ms = 0;
    archive_time(archive, &last_ms);
    archive_f32(archive, &usual_ms);
    if (!(usual_ms >= 0 && usual_ms < 1e9F))
        archive->in->failed = true;
    else if (usual_ms > 0)
        *archive->usual_ms = usual_ms;
}

const struct gauge_kind *measure_kind(const struct rule *rule)
{
    static const struct gauge_kind *const kinds[ALERT_KIND_COUNT] = {
        [ALERT_CUMULATIVE_ABOVE] = &gauge_tally,
        [ALERT_CUMULATIVE_BELOW] = &gauge_tally,
        [ALERT_DOSE_ABOVE] = &gauge_tally,
        [ALERT_DOSE_BELOW] = &gauge_tally,
        [ALERT_RATE] = &gauge_fit,
        [ALERT_PREDICTED] = &gauge_fit,
        [ALERT_STEP] = &gauge_spread,
        [ALERT_STUCK] = &gauge_stuck,
        [ALERT_DIVERGE] = &gauge_apart,
        [ALERT_IMPLAUSIBLE] = &gauge_jump,
        [ALERT_COOLING_FAILED] = &gauge_cooling,
        [ALERT_DOOR_OPEN] = &gauge_stretch,
        [ALERT_DEFROST_LONG] = &gauge_stretch,
        [ALERT_DEFROST_OFTEN] = &gauge_count,
        [ALERT_DEFROST_MISSING] = &gauge_missing,
        [ALERT_NO_RECOVERY] = &gauge_recovery,
        [ALERT_CYCLING] = &gauge_count,
        [ALERT_MAINS_LOST] = &gauge_stretch,
        [ALERT_GOODS_LEFT] = &gauge_left,
        [ALERT_LIFE_LEFT] = &gauge_life_left,
    };
    const struct gauge_kind *kind = kinds[rule->kind];
    return kind == &gauge_tally && rule->window_ms == 0 ? &gauge_total : kind;
}

bool rule_is_measured(const struct rule *rule)
{
    return measure_kind(rule) != NULL;
}

double measure_now(const struct rule *rule, const void *gauge, int64_t last_ms)
{
    static measure_now_fn *const kinds[ALERT_KIND_COUNT] = {
        [ALERT_CUMULATIVE_ABOVE] = tally_now,
        [ALERT_CUMULATIVE_BELOW] = tally_now,
        [ALERT_DOSE_ABOVE] = tally_now,
        [ALERT_DOSE_BELOW] = tally_now,
        [ALERT_RATE] = fit_now,
        [ALERT_PREDICTED] = fit_now,
        [ALERT_STEP] = spread_now,
        [ALERT_STUCK] = stuck_now,
        [ALERT_DOOR_OPEN] = stretch_now,
        [ALERT_DEFROST_LONG] = stretch_now,
        [ALERT_DEFROST_OFTEN] = count_now,
        [ALERT_DEFROST_MISSING] = missing_now,
        [ALERT_NO_RECOVERY] = recovery_now,
        [ALERT_CYCLING] = count_now,
        [ALERT_MAINS_LOST] = stretch_now,
        [ALERT_GOODS_LEFT] = left_now,
    };
    measure_now_fn *now = kinds[rule->kind];
    if (now == tally_now && rule->window_ms == 0)
        now = total_now;
    return now != NULL ? now(gauge, rule, last_ms) : (double)NAN;
}

void measure_turn_back(const struct rule *rule, void *gauge, int64_t from_ms,
                       int64_t to_ms)
{
    const struct gauge_kind *kind = measure_kind(rule);
    if (kind == &gauge_tally || kind == &gauge_count) /* of one struct */
        tally_turn_to(gauge, rule, from_ms, to_ms);
    else if (kind == &gauge_fit)
        fit_restart(gauge);
    else if (kind == &gauge_spread)
        spread_restart(gauge);
}

int64_t measure_looks_back(const struct rule *rule)
{
    enum alert_kind kind = (enum alert_kind)rule->kind;
    if (alert_kind_is_sum(kind) && rule->window_ms == 0)
        return TIME_LIMIT_MS;
    bool is_of_window = alert_kind_is_sum(kind) || kind == ALERT_STEP ||
                        kind == ALERT_DEFROST_OFTEN || kind == ALERT_CYCLING;
    return is_of_window ? rule->window_ms : 0;
}

enum measure_lack measure_lacks(const struct rule *rule, const void *gauge,
                                int64_t apart_ms, int64_t last_ms, int64_t *left_ms)
{
    if (rule->kind == ALERT_RATE || rule->kind == ALERT_PREDICTED)
        return fit_lacks(gauge, rule, apart_ms, last_ms, left_ms);
    /* It compares readings with each other. */
    if (rule->kind == ALERT_STEP && apart_ms >= rule->window_ms)
        return LACKS_CADENCE;
    return LACKS_NOTHING;
}

/*
 * A signal is the state itself, also for a rule on a temperature: the air is in one phase
 * at a time, and a door that is open stays so when a defrost begins, or cooling fails.
 * Without a signal the phase is taken.
 */
enum measure_sight measure_sight(const struct rule *rule, const struct moment *moment)
{
    const struct air_verdict *air = moment->air;
    bool is_door = rule->kind == ALERT_DOOR_OPEN;
    const char *signal = is_door ? "door" : "defrost";
    if (rule->kind == ALERT_CYCLING || rule->kind == ALERT_MAINS_LOST ||
        strcmp(rule->quantity, signal) == 0)
        return moment->value >= 0.5 ? SIGHT_ON : SIGHT_OFF;
    if (air == NULL)
        return SIGHT_NONE;
    enum air_signal said = is_door ? air->door : air->defrost;
    if (said != AIR_UNKNOWN)
        return said == AIR_ON ? SIGHT_ON : SIGHT_OFF;
    if (air->phase == AIR_UNAVAILABLE)
        return SIGHT_NONE;
    return air->phase == (is_door ? AIR_DOOR : AIR_DEFROST) ? SIGHT_ON : SIGHT_OFF;
}
