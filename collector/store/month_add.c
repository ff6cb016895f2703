// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/store/month.h"
#include "telemetry/reading.h"

/*
 *     time ------------------------------------------------------>
 *     [ chunk ][  chunk   ]   [ chunk ]|  tail ...
 *          ^ late                      floor          ^ usual
 *
 * What comes at or behind the floor joins the tail, and full lots of the tail become
 * chunks; what comes before it is merged into the chunk where it belongs.
 */
#define LOT_SAMPLES 512

static_assert(LOT_SAMPLES <= CHUNK_SAMPLES_MAX, "a lot becomes a chunk");

struct summary {
    int64_t arrived_ms;
    double low; /* NaN: no good reading */
    double high;
};

static struct summary summary_of(const struct sample *samples, size_t count)
{
    assert(count == 0 || samples != NULL);
    struct summary sum = {
        .arrived_ms = INT64_MIN, .low = (double)NAN, .high = (double)NAN};
    for (size_t i = 0; i < count; i++) {
        const struct sample *sample = &samples[i];
        if (sample->arrival_ms > sum.arrived_ms)
            sum.arrived_ms = sample->arrival_ms;
        if (sample->quality != QUALITY_GOOD || isnan(sample->value))
            continue;
        sum.low = fmin(sum.low, sample->value); /* of a number and NaN: the number */
        sum.high = fmax(sum.high, sample->value);
    }
    return sum;
}

static enum err insert_chunk(struct db *db, int64_t series, const struct sample *samples,
                             size_t count)
{
    struct buf data = {0};
    assert(count > 0 && count <= CHUNK_SAMPLES_MAX);
    assert(samples[0].time_ms <= samples[count - 1].time_ms);
    struct summary sum = summary_of(samples, count);
    chunk_encode(samples, count, &data);
    enum err err = db_run(
        db,
        "INSERT INTO chunk (series, first_ms, last_ms, readings, arrived_ms, low, high,"
        " data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        DB_ARGS(db_int(series), db_int(samples[0].time_ms),
                db_int(samples[count - 1].time_ms), db_int((int64_t)count),
                db_int(sum.arrived_ms), db_real(sum.low), db_real(sum.high),
                db_blob(data.data, data.len)));
    buf_fini(&data);
    return err;
}

static enum err put_tail(struct db *db, int64_t series, const struct month_tail *tail,
                         const struct sample *samples, size_t count)
{
    struct buf data = {0};
    assert(count < LOT_SAMPLES);
    assert(count == 0 || samples[0].time_ms >= tail->floor_ms);
    struct summary sum = summary_of(samples, count);
    if (count > 0)
        chunk_encode(samples, count, &data);
    enum err err =
        db_run(db, "INSERT OR REPLACE INTO tail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               DB_ARGS(db_int(series), db_int(tail->through), db_int(tail->floor_ms),
                       db_int(count > 0 ? samples[0].time_ms : 0),
                       db_int(count > 0 ? samples[count - 1].time_ms : 0),
                       db_int((int64_t)count), db_int(sum.arrived_ms), db_real(sum.low),
                       db_real(sum.high), db_blob(data.data, data.len)));
    buf_fini(&data);
    return err;
}

/* Both in order of time; of equal times, those of `old` come first. */
static void merge(struct samples *out, const struct samples *old,
                  const struct moving *const *moving, size_t count)
{
    size_t i = 0;
    samples_reserve(out, old->count + count);
    for (size_t k = 0; k < count; k++) {
        while (i < old->count && old->items[i].time_ms <= moving[k]->sample.time_ms)
            samples_add(out, &old->items[i++]);
        samples_add(out, &moving[k]->sample);
    }
    while (i < old->count)
        samples_add(out, &old->items[i++]);
    assert(out->count == old->count + count);
}

static enum err add_to_tail(struct db *db, int64_t series, struct month_tail *tail,
                            const struct samples *old, const struct moving *const *moving,
                            size_t count)
{
    struct samples all = {0};
    enum err err = ERR_OK;
    size_t done = 0;
    merge(&all, old, moving, count);
    while (err == ERR_OK && all.count - done >= LOT_SAMPLES) {
        err = insert_chunk(db, series, all.items + done, LOT_SAMPLES);
        done += LOT_SAMPLES;
        tail->floor_ms = all.items[done - 1].time_ms;
    }
    if (err == ERR_OK)
        err = put_tail(db, series, tail, all.items + done, all.count - done);
    samples_fini(&all);
    return err;
}

/* The chunk where a late sample belongs: the last that begins at or before it, or else
 * the first. */
static enum err find_late_chunk(struct db *db, int64_t series, int64_t time_ms,
                                int64_t *id)
{
    enum err err = db_get_one(db,
                              "SELECT id FROM chunk WHERE series = ? AND first_ms <= ?"
                              " ORDER BY first_ms DESC, last_ms DESC LIMIT 1",
                              DB_ARGS(db_int(series), db_int(time_ms)), id);
    if (err != ERR_NOT_FOUND)
        return err;
    return db_get_one(
        db, "SELECT id FROM chunk WHERE series = ? ORDER BY first_ms, last_ms LIMIT 1",
        DB_ARGS(db_int(series)), id);
}

static enum err load_chunk(struct db *db, int64_t id, struct samples *samples)
{
    struct db_rows rows;
    enum err err = ERR_CORRUPT;
    db_select(&rows, db, "SELECT data FROM chunk WHERE id = ?", DB_ARGS(db_int(id)));
    if (db_next(&rows)) {
        size_t len = 0;
        const void *data = db_get_blob(&rows, 0, &len);
        err = chunk_decode(data, len, samples);
    }
    enum err ended = db_end(&rows);
    return ended != ERR_OK ? ended : err;
}

/* Replaces chunk `id` by as few chunks as hold the samples, of about equal size. */
static enum err replace_chunk(struct db *db, int64_t series, int64_t id,
                              const struct samples *samples)
{
    enum err err = db_run(db, "DELETE FROM chunk WHERE id = ?", DB_ARGS(db_int(id)));
    size_t lots = (samples->count + LOT_SAMPLES - 1) / LOT_SAMPLES;
    if (samples->count <= CHUNK_SAMPLES_MAX)
        lots = 1;
    for (size_t i = 0; err == ERR_OK && i < lots; i++) {
        size_t from = samples->count * i / lots;
        size_t to = samples->count * (i + 1) / lots;
        err = insert_chunk(db, series, samples->items + from, to - from);
    }
    return err;
}

/* Merges as many late samples as belong into the chunk of the first; *taken of them. */
static enum err add_late(struct db *db, int64_t series, int64_t floor_ms,
                         const struct moving *const *moving, size_t count, size_t *taken)
{
    struct samples old = {0};
    struct samples all = {0};
    int64_t id = 0;
    int64_t next_ms = floor_ms;
    *taken = 0;
    enum err err = find_late_chunk(db, series, moving[0]->sample.time_ms, &id);
    if (err == ERR_OK)
        err = load_chunk(db, id, &old);
    if (err == ERR_OK)
        err = db_get_one(db,
                         "SELECT first_ms FROM chunk WHERE series = ? AND first_ms > ?"
                         " ORDER BY first_ms LIMIT 1",
                         DB_ARGS(db_int(series), db_int(old.items[0].time_ms)), &next_ms);
    if (err == ERR_NOT_FOUND) { /* no chunk behind, or none at all any more */
        next_ms = floor_ms;
        err = ERR_OK;
    }
    if (err == ERR_OK) {
        size_t fit = 1;
        while (fit < count && moving[fit]->sample.time_ms < next_ms)
            fit++;
        merge(&all, &old, moving, fit);
        err = replace_chunk(db, series, id, &all);
        *taken = fit;
    }
    samples_fini(&old);
    samples_fini(&all);
    return err;
}

/* Those that the file does not hold yet, in place of all; how many. */
static size_t drop_held(const struct moving **fresh, const struct moving *const *moving,
                        size_t count, int64_t through)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        assert(moving[i]->series == moving[0]->series && moving[i]->row > 0);
        assert(i == 0 || moving[i]->sample.time_ms >= moving[i - 1]->sample.time_ms);
        if (moving[i]->row > through)
            fresh[kept++] = moving[i];
    }
    return kept;
}

static enum err add_fresh(struct db *db, int64_t series, struct month_tail *tail,
                          const struct samples *old, const struct moving *const *fresh,
                          size_t count)
{
    size_t late = 0;
    while (late < count && fresh[late]->sample.time_ms < tail->floor_ms)
        late++;
    int64_t floor_ms = tail->floor_ms;
    enum err err = add_to_tail(db, series, tail, old, fresh + late, count - late);
    for (size_t done = 0, taken = 0; err == ERR_OK && done < late; done += taken)
        err = add_late(db, series, floor_ms, fresh + done, late - done, &taken);
    return err;
}

enum err month_add(struct db *db, const struct moving *const *moving, size_t count,
                   int64_t through)
{
    assert(count > 0 && db_is_in_transaction(db));
    int64_t series = moving[0]->series;
    struct month_tail tail;
    struct samples old = {0};
    const struct moving **fresh = mem_array(count, sizeof(const struct moving *));
    enum err err = month_load_tail(db, series, &tail, &old);
    if (err == ERR_OK && tail.through < through) {
        size_t kept = drop_held(fresh, moving, count, tail.through);
        tail.through = through;
        err = add_fresh(db, series, &tail, &old, fresh, kept);
    }
    free(fresh);
    samples_fini(&old);
    return err;
}

static bool holds(const struct samples *samples, int64_t time_ms, uint64_t value_bits)
{
    for (size_t i = 0; i < samples->count; i++)
        if (samples->items[i].time_ms == time_ms &&
            memcmp(&samples->items[i].value, &value_bits, sizeof value_bits) == 0)
            return true;
    return false;
}

enum err month_has(struct db *db, int64_t series, int64_t time_ms, uint64_t value_bits,
                   bool *has)
{
    struct month_tail tail;
    *has = false;
    enum err err = month_load_tail(db, series, &tail, NULL);
    if (err != ERR_OK || (time_ms > tail.chunk.last_ms && time_ms > tail.floor_ms))
        return err; /* behind everything: the usual case, without decoding */
    struct samples samples = {0};
    err = month_load_tail(db, series, &tail, &samples);
    struct stored_chunk chunk = {.first_ms = INT64_MIN};
    while (err == ERR_OK) {
        *has = *has || holds(&samples, time_ms, value_bits);
        samples.count = 0;
        err = month_next_chunk(db, series, time_ms, time_ms + 1, &chunk, &samples);
    }
    samples_fini(&samples);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err month_drop_arrived(struct db *db, int64_t oldest_ms)
{
    enum err err =
        db_run(db, "DELETE FROM chunk WHERE arrived_ms < ?", DB_ARGS(db_int(oldest_ms)));
    if (err != ERR_OK)
        return err;
    /* The row stays: it knows what was moved. Everything may join its tail again. */
    return db_run(db,
                  "UPDATE tail SET readings = 0, first_ms = 0, last_ms = 0,"
                  " low = NULL, high = NULL, data = x'' WHERE arrived_ms < ?",
                  DB_ARGS(db_int(oldest_ms)));
}
