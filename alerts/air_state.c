// SPDX-License-Identifier: Apache-2.0
/*
 * air_state - names, and what survives a restart: u8 version, points in time as zigzag,
 * f64 for what is a number, slots as zigzag hundredths, flags as u8.
 */
#include <math.h>

#include "alerts/air.h"

#define STATE_VERSION 3 /* 2: without `nearest` */
#define NUMBERS       14
#define NUMBERS_1     9 /* of version 1: without what follows signals */
#define TIMES         7
#define HUNDREDTHS    32000 /* no air is warmer than 320 C */

static const char *const phases[] = {
#define X(name, text) text,
    AIR_PHASE_LIST(X)
#undef X
};
static const char *const whys[] = {
#define X(name, text) text,
    AIR_WHY_LIST(X)
#undef X
};

const char *air_phase_name(enum air_phase phase)
{
    return phases[phase];
}

const char *air_why_name(enum air_why why)
{
    return whys[why];
}

static void parts_of(struct air_state *state, int64_t *times[TIMES],
                     float *numbers[NUMBERS])
{
    int64_t *all_times[TIMES] = {&state->last_ms,  &state->since_ms,   &state->heated_ms,
                                 &state->hot_ms,   &state->outside_ms, &state->cooled_ms,
                                 &state->inside_ms};
    float *all_numbers[NUMBERS] = {&state->fast,
                                   &state->slow,
                                   &state->extreme,
                                   &state->best,
                                   &state->unexplained_min,
                                   &state->top_rate,
                                   &state->apart_min,
                                   &state->idle_min,
                                   &state->part_min,
                                   &state->excess_Kmin,
                                   &state->mark,
                                   &state->slack_min,
                                   &state->dark_min,
                                   &state->still_min};
    for (int i = 0; i < TIMES; i++)
        times[i] = all_times[i];
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = all_numbers[i];
}

static void save_slot(struct buf *out, const struct air_slot *slot)
{
    buf_zigzag(out, slot->least);
    buf_zigzag(out, slot->most);
    buf_zigzag(out, slot->rise);
    buf_zigzag(out, slot->fall);
}

void air_save(struct buf *out, const struct air_state *state)
{
    struct air_state copy = *state;
    int64_t *times[TIMES];
    float *numbers[NUMBERS];
    parts_of(&copy, times, numbers);
    buf_u8(out, STATE_VERSION);
    for (int i = 0; i < TIMES; i++)
        buf_zigzag(out, *times[i]);
    for (int i = 0; i < NUMBERS; i++)
        buf_f64(out, (double)*numbers[i]);
    buf_u8(out, state->slot_count);
    buf_u8(out, state->slot_next);
    for (int i = 0; i < state->slot_count; i++)
        save_slot(out, &state->slots[i]);
    save_slot(out, &state->envelope);
    save_slot(out, &state->filling);
    save_slot(out, &state->before);
    save_slot(out, &state->part);
    buf_u8(out, state->filled);
    buf_u8(out, state->swings);
    buf_u8(out, state->turns);
    buf_u8(out, (uint8_t)(state->side + 1));
    buf_u8(out, state->phase);
    buf_u8(out, state->heated);
    buf_u8(out,
           (uint8_t)(state->is_signalled | state->is_above << 1 | state->has_before << 2 |
                     state->in_upper << 3 | state->was_upper << 4));
    buf_zigzag(out, state->nearest);
    buf_zigzag(out, state->nearest_min);
}

static int16_t read_hundredths(struct buf_reader *in)
{
    int64_t value = buf_read_zigzag(in);
    if (value < -HUNDREDTHS || value > HUNDREDTHS) {
        in->failed = true;
        return 0;
    }
    return (int16_t)value;
}

static struct air_slot read_slot(struct buf_reader *in)
{
    struct air_slot slot;
    slot.least = read_hundredths(in);
    slot.most = read_hundredths(in);
    slot.rise = read_hundredths(in);
    slot.fall = read_hundredths(in);
    in->failed = in->failed || slot.least > slot.most;
    return slot;
}

static float read_float(struct buf_reader *in)
{
    double value = buf_read_f64(in);
    /* Not of NaN; minutes of a century are fewer. */
    if (!(fabs(value) < 1e9)) {
        in->failed = true;
        return 0;
    }
    return (float)value;
}

static void read_flags(struct air_state *read, struct buf_reader *in)
{
    read->filled = buf_read_u8(in);
    read->swings = buf_read_u8(in);
    read->turns = buf_read_u8(in);
    read->side = (int8_t)(buf_read_u8(in) - 1);
    read->phase = buf_read_u8(in);
    read->heated = buf_read_u8(in);
    uint8_t flags = buf_read_u8(in);
    read->is_signalled = flags & 1;
    read->is_above = flags & 2;
    read->has_before = flags & 4;
    read->in_upper = flags & 8;
    read->was_upper = flags & 16;
    if (read->side < -1 || read->side > 1 || read->phase > AIR_FAILING ||
        (read->heated != 0 && read->heated != AIR_DOOR && read->heated != AIR_DEFROST))
        in->failed = true;
}

/* What an older one did not follow begins now, should it be outside. */
static void read_nearest(struct air_state *read, struct buf_reader *in, uint8_t version)
{
    double out_min = ((double)read->last_ms - (double)read->outside_ms) / 60000;
    read->nearest = HUNDREDTHS;
    read->nearest_min = (uint16_t)fmax(fmin(out_min, UINT16_MAX), 0);
    if (version < 3)
        return;
    read->nearest = read_hundredths(in);
    int64_t nearest_min = buf_read_zigzag(in);
    in->failed = in->failed || nearest_min < 0 || nearest_min > UINT16_MAX;
    read->nearest_min = (uint16_t)nearest_min;
}

enum err air_load(struct air_state *state, struct buf_reader *in)
{
    struct air_state read = {0};
    int64_t *times[TIMES];
    float *numbers[NUMBERS];
    parts_of(&read, times, numbers);
    uint8_t version = buf_read_u8(in);
    if (version < 1 || version > STATE_VERSION)
        return ERR_CORRUPT;
    int numbers_saved = version == 1 ? NUMBERS_1 : NUMBERS;
    for (int i = 0; i < TIMES; i++)
        *times[i] = buf_read_zigzag(in);
    for (int i = 0; i < numbers_saved; i++)
        *numbers[i] = read_float(in);
    read.slot_count = buf_read_u8(in);
    read.slot_next = buf_read_u8(in);
    if (in->failed || read.slot_count > AIR_SLOTS || read.slot_next >= AIR_SLOTS)
        return ERR_CORRUPT;
    for (int i = 0; i < read.slot_count; i++)
        read.slots[i] = read_slot(in);
    read.envelope = read_slot(in);
    read.filling = read_slot(in);
    read.before = read_slot(in);
    read.part = read_slot(in);
    read_flags(&read, in);
    read_nearest(&read, in, version);
    if (in->failed)
        return ERR_CORRUPT;
    *state = read;
    return ERR_OK;
}
