// SPDX-License-Identifier: Apache-2.0
#include "alerts/air_envelope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN_K     0.15 /* noise and resolution of a usual probe */
#define MARGIN_SHARE 0.08 /* of the width */
#define SIDE_SHARE   0.15 /* of the width beyond the middle: it was in that half */
#define OUTLIERS     2    /* slots that do not count on either side, of AIR_SLOTS */
#define PART_MIN     5.0  /* what came just before an excursion is not learned */
#define SLOT_PARTS   ((uint8_t)(AIR_SLOT_MS / 60000 / 5))

enum { LOWER = 1, UPPER = 2 };

static int by_value(const void *left, const void *right)
{
    int16_t one = *(const int16_t *)left, other = *(const int16_t *)right;
    return (one > other) - (one < other);
}

static void settle(struct air_state *state)
{
    int16_t least[AIR_SLOTS], most[AIR_SLOTS], rise[AIR_SLOTS];
    size_t count = state->slot_count;
    for (size_t i = 0; i < count; i++) {
        least[i] = state->slots[i].least;
        most[i] = state->slots[i].most;
        rise[i] = state->slots[i].rise;
    }
    qsort(least, count, sizeof least[0], by_value);
    qsort(most, count, sizeof most[0], by_value);
    qsort(rise, count, sizeof rise[0], by_value);
    /* A day on, outliers are rare; before, a third of the slots may be anything. */
    size_t outliers = count / 3;
    /* By day doors rise faster than the air does by itself: the quiet slots count. */
    state->envelope = (struct air_slot){.least = least[outliers],
                                        .most = most[count - 1 - outliers],
                                        .rise = rise[count / 6]};
}

static void close_slot(struct air_state *state)
{
    bool went_both_ways = state->filling_sides == (LOWER | UPPER);
    state->filled = 0;
    state->filling_sides = 0;
    if (state->slot_count >= AIR_KNOWN && !went_both_ways)
        return;
    state->slots[state->slot_next] = state->filling;
    state->slot_next = (uint8_t)((state->slot_next + 1) % AIR_SLOTS);
    if (state->slot_count < AIR_SLOTS)
        state->slot_count++;
    settle(state);
}

static struct air_slot join(const struct air_slot *one, const struct air_slot *other)
{
    return (struct air_slot){
        .least = one->least < other->least ? one->least : other->least,
        .most = one->most > other->most ? one->most : other->most,
        .rise = one->rise > other->rise ? one->rise : other->rise,
    };
}

static void commit(struct air_state *state, const struct air_slot *part)
{
    state->filling = state->filled == 0 ? *part : join(&state->filling, part);
    double middle = (state->envelope.least + state->envelope.most) / 2.0;
    double off = SIDE_SHARE * (state->envelope.most - state->envelope.least);
    state->filling_sides |= part->least < middle - off ? LOWER : 0;
    state->filling_sides |= part->most > middle + off ? UPPER : 0;
    if (++state->filled >= SLOT_PARTS)
        close_slot(state);
}

void air_learn(struct air_state *state, double gap_min, double rate)
{
    int16_t now = (int16_t)lround((double)state->fast * AIR_PER_K);
    struct air_slot seen = {now, now, (int16_t)lround(fmin(rate, 100) * AIR_PER_K)};
    state->part = state->part_min <= 0 ? seen : join(&state->part, &seen);
    state->part_min += (float)gap_min;
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

double air_margin(const struct air_slot *envelope)
{
    double width_K = (envelope->most - envelope->least) / AIR_PER_K;
    return fmax(MARGIN_K, MARGIN_SHARE * width_K);
}
