// SPDX-License-Identifier: Apache-2.0
#include "collector/store/history_query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/*
 * The readings of one series out of the files, in order of time: file by file, chunk by
 * chunk, then the tail. One chunk is in memory at a time. The odd file, whose times can
 * lie anywhere, is a stream of its own.
 */
struct stream {
    size_t place; /* of its series */
    size_t file;  /* the one it reads, up to `files_end` */
    size_t files_end;
    struct stored_chunk chunk;
    bool is_tail_read;
    struct samples samples;
    size_t next;
    bool is_done;
};

/* Reads what comes behind the samples it has; in-range ones may be none. */
static enum err stream_refill(struct query *query, struct stream *stream)
{
    assert(stream->file < stream->files_end && stream->place < query->series_count);
    struct query_file *file = &query->files[stream->file];
    int64_t series = query->series[stream->place].id;
    stream->samples.count = 0;
    stream->next = 0;
    enum err err = month_next_chunk(file->db, series, query->from_ms, query->to_ms,
                                    &stream->chunk, &stream->samples);
    if (err != ERR_NOT_FOUND)
        return err;
    if (!stream->is_tail_read) {
        struct month_tail tail;
        stream->is_tail_read = true;
        return month_load_tail(file->db, series, &tail, &stream->samples);
    }
    stream->file++;
    stream->chunk = (struct stored_chunk){.first_ms = INT64_MIN};
    stream->is_tail_read = false;
    stream->is_done = stream->file == stream->files_end;
    return ERR_OK;
}

/* Moves on to a sample in range, or to the end. */
static enum err stream_settle(struct query *query, struct stream *stream)
{
    while (!stream->is_done) {
        for (; stream->next < stream->samples.count; stream->next++) {
            int64_t time_ms = stream->samples.items[stream->next].time_ms;
            if (time_ms >= query->to_ms)
                break; /* the rest of this chunk is behind it too */
            if (time_ms >= query->from_ms)
                return ERR_OK;
        }
        if (query_is_late(query))
            return ERR_TIMEOUT;
        enum err err = stream_refill(query, stream);
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

struct merge {
    struct query *query;
    struct stream *streams; /* by series; of each, the odd file first */
    size_t stream_count;
    size_t next_recent;
};

static enum err add_stream(struct merge *merge, size_t place, size_t file,
                           size_t files_end)
{
    if (file == files_end)
        return ERR_OK;
    assert(merge->stream_count < 2 * merge->query->series_count);
    struct stream *stream = &merge->streams[merge->stream_count++];
    *stream = (struct stream){
        .place = place,
        .file = file,
        .files_end = files_end,
        .chunk = {.first_ms = INT64_MIN},
    };
    return stream_settle(merge->query, stream);
}

static enum err merge_begin(struct merge *merge, struct query *query)
{
    size_t months = query->file_count > 0 && query->files[0].month == MONTH_ODD;
    *merge = (struct merge){.query = query};
    merge->streams = mem_array(2 * query->series_count, sizeof *merge->streams);
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < query->series_count; i++) {
        err = add_stream(merge, i, 0, months);
        if (err == ERR_OK)
            err = add_stream(merge, i, months, query->file_count);
    }
    return err;
}

static void merge_end(struct merge *merge)
{
    for (size_t i = 0; i < merge->stream_count; i++)
        samples_fini(&merge->streams[i].samples);
    free(merge->streams);
}

/* The stream whose sample comes first; NULL when all are done. */
static struct stream *first_stream(const struct merge *merge)
{
    struct stream *first = NULL;
    int64_t first_ms = 0;
    for (size_t i = 0; i < merge->stream_count; i++) {
        struct stream *stream = &merge->streams[i];
        if (stream->is_done)
            continue;
        int64_t time_ms = stream->samples.items[stream->next].time_ms;
        if (first == NULL || time_ms < first_ms) {
            first = stream;
            first_ms = time_ms;
        }
    }
    return first;
}

/* Of equal times, the channels are in order, and what is in a file comes first. */
static bool recent_is_first(const struct query_recent *recent,
                            const struct stream *stream)
{
    if (stream == NULL)
        return true;
    int64_t time_ms = stream->samples.items[stream->next].time_ms;
    return recent->sample.time_ms < time_ms ||
           (recent->sample.time_ms == time_ms && recent->place < stream->place);
}

/* The next reading of all; NOT_FOUND at the end. */
static enum err merge_next(struct merge *merge, struct sample *sample, size_t *place)
{
    struct query *query = merge->query;
    struct stream *stream = first_stream(merge);
    const struct query_recent *recent = merge->next_recent < query->recent_count
                                            ? &query->recents[merge->next_recent]
                                            : NULL;
    if (recent != NULL && recent_is_first(recent, stream)) {
        *sample = recent->sample;
        *place = recent->place;
        merge->next_recent++;
        return ERR_OK;
    }
    if (stream == NULL)
        return ERR_NOT_FOUND;
    *sample = stream->samples.items[stream->next++];
    *place = stream->place;
    return stream_settle(query, stream);
}

static struct history_reading reading_of(const struct query *query, size_t place,
                                         const struct sample *sample)
{
    return (struct history_reading){
        .channel = query->series[place].channel,
        .time_ms = sample->time_ms,
        .arrival_ms = sample->arrival_ms,
        .value = sample->value,
        .raw = sample->raw,
        .quality = sample->quality <= QUALITY_FAULT ? (enum quality)sample->quality
                                                    : QUALITY_FAULT,
        .epoch = sample->epoch,
        .seq = sample->seq,
    };
}

static enum err give_readings(struct query *query, size_t skip, size_t limit,
                              void *context, history_reading_fn *row)
{
    struct merge merge;
    struct sample sample;
    size_t place = 0;
    enum err err = merge_begin(&merge, query);
    for (size_t i = 0; err == ERR_OK && i < skip + limit; i++) {
        err = merge_next(&merge, &sample, &place);
        if (err != ERR_OK || i < skip)
            continue;
        const struct history_reading reading = reading_of(query, place, &sample);
        if (!row(context, &reading))
            break;
    }
    merge_end(&merge);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err history_query(struct history_reader *reader, const struct history_range *range,
                       size_t limit, void *context, history_reading_fn *row)
{
    struct query query;
    if (limit == 0 || limit > HISTORY_LIMIT_MAX || range->skip > HISTORY_LIMIT_MAX)
        return ERR_LIMIT;
    enum err err = query_begin(&query, reader, range);
    if (err == ERR_OK && query.series_count > 0) {
        err = query_load_recents(&query, range->skip + limit);
        if (err == ERR_OK)
            err = give_readings(&query, range->skip, limit, context, row);
    }
    query_end(&query);
    return err;
}

static uint64_t count_in_range(const struct query *query, const struct samples *samples)
{
    uint64_t count = 0;
    for (size_t i = 0; i < samples->count; i++)
        count += samples->items[i].time_ms >= query->from_ms &&
                 samples->items[i].time_ms < query->to_ms;
    return count;
}

/* A chunk that is in range as a whole is counted without decoding it. */
static enum err count_chunks(struct query *query, struct db *db, int64_t series,
                             uint64_t *count)
{
    int64_t whole = 0;
    struct samples samples = {0};
    enum err err = db_get_one(
        db,
        "SELECT coalesce(sum(readings), 0) FROM chunk WHERE series = ?1"
        " AND first_ms >= ?2 AND first_ms < ?3 AND last_ms < ?3",
        DB_ARGS(db_int(series), db_int(query->from_ms), db_int(query->to_ms)), &whole);
    *count += (uint64_t)whole;
    struct db_rows rows;
    db_select(&rows, db,
              "SELECT data FROM chunk WHERE series = ?1 AND first_ms < ?3"
              " AND last_ms >= ?2 AND (first_ms < ?2 OR last_ms >= ?3)",
              DB_ARGS(db_int(series), db_int(query->from_ms), db_int(query->to_ms)));
    while (err == ERR_OK && db_next(&rows)) {
        size_t len = 0;
        const void *data = db_get_blob(&rows, 0, &len);
        samples.count = 0;
        err = chunk_decode(data, len, &samples);
        *count += count_in_range(query, &samples);
    }
    enum err ended = db_end(&rows);
    struct month_tail tail;
    samples.count = 0;
    if (err == ERR_OK && ended == ERR_OK)
        err = month_load_tail(db, series, &tail, &samples);
    *count += count_in_range(query, &samples);
    samples_fini(&samples);
    return err != ERR_OK ? err : ended;
}

enum err history_count(struct history_reader *reader, const struct history_range *range,
                       uint64_t *count)
{
    struct query query;
    *count = 0;
    enum err err = query_begin(&query, reader, range);
    if (err == ERR_OK && query.series_count > 0)
        err = query_load_recents(&query, 0);
    *count = query.recent_count;
    for (size_t i = 0; err == ERR_OK && i < query.file_count; i++)
        for (size_t k = 0; err == ERR_OK && k < query.series_count; k++)
            err = count_chunks(&query, query.files[i].db, query.series[k].id, count);
    query_end(&query);
    return err;
}
