// SPDX-License-Identifier: Apache-2.0
#include "freshness/excursion.h"

#include <assert.h>
#include <math.h>

const char *excursion_side_name(enum excursion_side side)
{
    assert(side == EXCURSION_BELOW || side == EXCURSION_ABOVE);
    return side == EXCURSION_BELOW ? "below" : "above";
}

void excursions_init(struct excursions *excursions, double low, double high)
{
    *excursions = (struct excursions){.low = low, .high = high};
}

static bool close_current(struct excursions *excursions, bool in_gap,
                          struct excursion *ended)
{
    if (!excursions->is_open)
        return false;
    excursions->is_open = false;
    excursions->current.ends_in_gap = in_gap;
    *ended = excursions->current;
    return true;
}

static void open_current(struct excursions *excursions, enum excursion_side side,
                         int64_t from_ms, double value)
{
    excursions->is_open = true;
    excursions->count[side]++;
    excursions->current = (struct excursion){
        .side = side,
        .from_ms = from_ms,
        .to_ms = from_ms,
        .peak = value,
        .peak_ms = from_ms,
        .begins_in_gap = !excursions->was_graded,
    };
}

static void grow_current(struct excursions *excursions, int64_t from_ms, int64_t to_ms,
                         double value)
{
    struct excursion *current = &excursions->current;
    enum excursion_side side = current->side;
    double depth =
        side == EXCURSION_ABOVE ? value - excursions->high : excursions->low - value;
    double beyond =
        side == EXCURSION_ABOVE ? value - current->peak : current->peak - value;
    double dose = depth * (double)(to_ms - from_ms) / 60000;
    assert(depth > 0);
    if (beyond > 0) {
        current->peak = value;
        current->peak_ms = from_ms;
    }
    current->to_ms = to_ms;
    current->degree_minutes += dose;
    excursions->degree_minutes[side] += dose;
    excursions->ms[side] += to_ms - from_ms;
    int64_t length = to_ms - current->from_ms;
    if (length > excursions->longest_ms[side])
        excursions->longest_ms[side] = length;
}

bool excursions_step(struct excursions *excursions, int64_t from_ms, int64_t to_ms,
                     double value, struct excursion *ended)
{
    assert(from_ms <= to_ms);
    if (from_ms == to_ms)
        return false;
    bool has_ended = false;
    bool is_out = value < excursions->low || value > excursions->high;
    enum excursion_side side =
        value > excursions->high ? EXCURSION_ABOVE : EXCURSION_BELOW;
    bool has_hole = from_ms > excursions->last_ms;
    if (has_hole)
        excursions->was_graded = false;
    if (has_hole || !is_out || side != excursions->current.side)
        has_ended = close_current(excursions, has_hole || isnan(value), ended);
    if (is_out && !excursions->is_open)
        open_current(excursions, side, from_ms, value);
    if (is_out)
        grow_current(excursions, from_ms, to_ms, value);
    excursions->was_graded = !isnan(value);
    excursions->last_ms = to_ms;
    return has_ended;
}

bool excursions_finish(struct excursions *excursions, struct excursion *ended)
{
    return close_current(excursions, true, ended);
}
