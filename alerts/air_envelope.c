// SPDX-License-Identifier: Apache-2.0
#include "alerts/air_envelope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN_K     0.15 /* noise and resolution of a usual probe */
#define MARGIN_SHARE 0.2  /* of the width */
#define TURNS        3    /* up, down, and up again, */
#define TURN_K       0.1  /* by more than noise; air that never does is flat: */
#define FLAT_PARTS   144
#define SWING_K      0.6 /* or so far within minutes */
#define SWING_SHARE  0.8 /* up takes longer than down */
#define SWING_OFF    3   /* one part in so many of half the width */
#define PART_MIN     5.0 /* what came just before an excursion is not learned */
#define SLOT_PARTS   ((uint8_t)(AIR_SLOT_MS / 60000 / 5))

static int by_value(const void *left, const void *right)
{
    int16_t one = *(const int16_t *)left, other = *(const int16_t *)right;
    return (one > other) - (one < other);
}

static void settle(struct air_state *state)
{
    int16_t least[AIR_SLOTS] = {0}, most[AIR_SLOTS] = {0};
    int16_t rise[AIR_SLOTS] = {0}, fall[AIR_SLOTS] = {0};
    size_t count = state->slot_count;
    for (size_t i = 0; i < count; i++) {
        least[i] = state->slots[i].least;
        most[i] = state->slots[i].most;
        rise[i] = state->slots[i].rise;
        fall[i] = state->slots[i].fall;
    }
    qsort(least, count, sizeof least[0], by_value);
    qsort(most, count, sizeof most[0], by_value);
    qsort(rise, count, sizeof rise[0], by_value);
    qsort(fall, count, sizeof fall[0], by_value);
    /* A day on, outliers are rare; before, a third of the slots may be anything. */
    size_t outliers = count / 3;
    /* By day doors rise faster than the air does by itself: the quiet slots count. */
    state->envelope = (struct air_slot){.least = least[outliers],
                                        .most = most[count - 1 - outliers],
                                        .rise = rise[count / 6],
                                        .fall = fall[count / 2]};
}

static struct air_slot join(const struct air_slot *one, const struct air_slot *other)
{
    return (struct air_slot){
        .least = one->least < other->least ? one->least : other->least,
        .most = one->most > other->most ? one->most : other->most,
        .rise = one->rise > other->rise ? one->rise : other->rise,
        .fall = one->fall > other->fall ? one->fall : other->fall,
    };
}

/* From one half of what the slot has seen so far to the other, by more than noise. */
static void count_swing(struct air_state *state, int now)
{
    struct air_slot seen =
        state->filled == 0 ? state->part : join(&state->filling, &state->part);
    int off = 2 * now - seen.least - seen.most;
    if (abs(off) * SWING_OFF < seen.most - seen.least || (off > 0) == state->in_upper)
        return;
    state->in_upper = off > 0;
    if (state->swings < UINT8_MAX)
        state->swings++;
}

/*
 * Air that is turned round every few minutes is smoothed more than air that goes on
 * rising: across the envelope in half a period is how fast it must have been.
 */
static void close_slot(struct air_state *state)
{
    struct air_slot *slot = &state->filling;
    double rise = SWING_SHARE * (slot->most - slot->least) * state->swings /
                  (state->filled * PART_MIN);
    slot->rise = (int16_t)fmax(slot->rise, rise);
    state->filled = 0;
    state->swings = state->turns = 0;
    state->idle_min = 0;
    state->slots[state->slot_next] = *slot;
    state->slot_next = (uint8_t)((state->slot_next + 1) % AIR_SLOTS);
    if (state->slot_count < AIR_SLOTS)
        state->slot_count++;
    settle(state);
}

/* Whether it was up and down for longer than noise is. */
static void count_turn(struct air_state *state, const struct air_slot *part)
{
    int off = part->least + part->most - state->filling.least - state->filling.most;
    if (abs(off) <= 2 * TURN_K * AIR_PER_K)
        return;
    if ((off > 0) != state->was_upper && state->turns < UINT8_MAX)
        state->turns++;
    state->was_upper = off > 0;
}

static void commit(struct air_state *state, const struct air_slot *part)
{
    state->filling = state->filled == 0 ? *part : join(&state->filling, part);
    count_turn(state, part);
    if (state->filled < UINT8_MAX)
        state->filled++;
    double width_K = (state->filling.most - state->filling.least) / AIR_PER_K;
    bool has_turned = state->turns >= TURNS || state->filled >= FLAT_PARTS ||
                      (state->swings >= TURNS && width_K >= SWING_K);
    if (state->filled >= SLOT_PARTS && has_turned)
        close_slot(state);
}

void air_learn(struct air_state *state, double gap_min, double rate)
{
    int16_t now = (int16_t)lround((double)state->fast * AIR_PER_K);
    int16_t rise = (int16_t)lround(fmax(fmin(rate, 100), -100) * AIR_PER_K);
    struct air_slot seen = {now, now, rise, (int16_t)-rise};
    state->part = state->part_min <= 0 ? seen : join(&state->part, &seen);
    state->part_min += (float)gap_min;
    count_swing(state, now);
    if ((double)state->part_min < PART_MIN)
        return;
    if (state->has_before)
        commit(state, &state->before);
    state->before = state->part;
    state->has_before = true;
    state->part_min = 0;
}

void air_unlearn(struct air_state *state)
{
    state->part_min = 0;
    state->has_before = false;
}

double air_lacks_min(const struct air_state *state)
{
    if (state->slot_count >= AIR_KNOWN)
        return 0;
    double slot_min = SLOT_PARTS * PART_MIN;
    double done_min = fmin(state->filled * PART_MIN + (double)state->part_min, slot_min);
    return (AIR_KNOWN - state->slot_count) * slot_min - done_min;
}

double air_margin(const struct air_slot *envelope)
{
    double width_K = (envelope->most - envelope->least) / AIR_PER_K;
    return fmax(MARGIN_K, MARGIN_SHARE * width_K);
}
