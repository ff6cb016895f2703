// SPDX-License-Identifier: Apache-2.0
#include "bench/alerts_splice.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

#define HOUR_MS          3600000.0
#define DEFROST_READINGS 15
#define CALM_READINGS    60 /* between a stretch above the level and a calm moment */
#define RESOLUTION_C     0.1

enum { STREAM_SPLICE = 0x5b };

struct stretch {
    size_t from;
    size_t to;
};

/* Stretches above the level; the caller frees. */
static struct stretch *find_stretches(const struct record_point *points, size_t count,
                                      double level_C, size_t *found)
{
    struct stretch *stretches = NULL;
    size_t capacity = 0;
    *found = 0;
    for (size_t i = 0; i < count; i++) {
        if (points[i].value_C <= level_C)
            continue;
        bool goes_on = *found > 0 && stretches[*found - 1].to == i;
        if (!goes_on) {
            mem_grow(&stretches, &capacity, *found + 1, sizeof stretches[0]);
            stretches[(*found)++] = (struct stretch){i, i};
        }
        stretches[*found - 1].to = i + 1;
    }
    return stretches;
}

static bool is_calm(const struct stretch *stretches, size_t found, size_t index)
{
    for (size_t i = 0; i < found; i++)
        if (index + CALM_READINGS >= stretches[i].from &&
            index < stretches[i].to + CALM_READINGS)
            return false;
    return true;
}

/* A moment in one of the defrosts, each in turn; false when none lies in the range. */
static bool defrost_moment(struct rng *rng, const struct stretch *stretches, size_t found,
                           struct stretch range, size_t turn, size_t *moment)
{
    for (size_t tries = 0; tries < found; tries++) {
        const struct stretch *stretch = &stretches[(turn + tries) % found];
        size_t length = stretch->to - stretch->from;
        if (length < DEFROST_READINGS || stretch->from < range.from ||
            stretch->to > range.to)
            continue;
        *moment = stretch->from + rng_below(rng, length);
        return true;
    }
    return false;
}

static bool calm_moment(struct rng *rng, const struct stretch *stretches, size_t found,
                        struct stretch range, size_t *moment)
{
    for (int tries = 0; tries < 1000; tries++) {
        *moment = range.from + rng_below(rng, range.to - range.from);
        if (is_calm(stretches, found, *moment))
            return true;
    }
    return false;
}

static enum err check_record(const struct record_point *points, size_t count,
                             size_t before, size_t after, struct err_text *why)
{
    if (count <= after || count - after <= before)
        return err_set(why, ERR_INVALID, "the record has only %zu readings", count);
    for (size_t i = 1; i < count; i++)
        if (points[i].time_ms <= points[i - 1].time_ms)
            return err_set(why, ERR_INVALID, "reading %zu is not after the one before",
                           i + 1);
    return ERR_OK;
}

enum err splice_choose(struct splice splices[SPLICE_COUNT],
                       const struct record_point *points, size_t count, double defrost_C,
                       size_t before, size_t after, uint64_t seed, struct err_text *why)
{
    enum err err = check_record(points, count, before, after, why);
    if (err != ERR_OK)
        return err;
    size_t found;
    struct stretch *stretches = find_stretches(points, count, defrost_C, &found);
    struct stretch range = {before, count - after};
    struct rng rng = {rng_hash(seed, STREAM_SPLICE)};
    size_t first_turn = found > 0 ? rng_below(&rng, found) : 0;
    bool ok = true;
    for (size_t i = 0; i < SPLICE_COUNT && ok; i++) {
        struct splice *splice = &splices[i];
        *splice = (struct splice){.tau_h = i % 2 == 0 ? 4 : 10,
                                  .in_defrost = i < SPLICE_IN_DEFROSTS};
        ok = splice->in_defrost
                 ? defrost_moment(&rng, stretches, found, range, first_turn + i,
                                  &splice->first)
                 : calm_moment(&rng, stretches, found, range, &splice->first);
    }
    free(stretches);
    if (!ok)
        return err_set(why, ERR_INVALID, "the record has no defrost or no calm time");
    return ERR_OK;
}

double splice_value(const struct splice *splice, const struct record_point *points,
                    size_t index)
{
    if (index < splice->first)
        return points[index].value_C;
    double from_C = points[splice->first].value_C;
    double hours =
        (double)(points[index].time_ms - points[splice->first].time_ms) / HOUR_MS;
    double value_C = from_C + (SPLICE_END_C - from_C) * -expm1(-hours / splice->tau_h);
    return round(value_C / RESOLUTION_C) * RESOLUTION_C;
}
