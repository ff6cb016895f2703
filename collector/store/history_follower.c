// SPDX-License-Identifier: Apache-2.0
#include "collector/store/history_follower.h"

#include <assert.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/metrics.h"
#include "collector/pipeline/decode.h"
#include "collector/record.h"
#include "collector/skip.h"
#include "collector/store/history.h"

#define BATCH_RECORDS  4096
#define LINGER_MS      200  /* so that a quiet system does not sync for every message */
#define COMPACT_ROWS   2000 /* per turn, and COMPACT_FACTOR times what was appended */
#define COMPACT_FACTOR 3
#define RETAIN_EACH_MS INT64_C(3600000)

struct history_follower {
    struct history *history;
    struct journal *journal;
    struct guard *guard;
    struct decoder *decoder;
    int64_t keep_ms;
    int64_t now_ms; /* wall time of the last record */
    int64_t retained_ms;
    int64_t settled_ms;
};

static struct history_message message_of(const struct journal_record *record,
                                         const struct topic *topic)
{
    return (struct history_message){
        .position = record->position,
        .org = topic->org,
        .device = topic->device,
        .epoch = topic->epoch,
        .seq = topic->seq,
        .arrival_ms = record->wall_ms,
    };
}

static enum err append_pack(struct history_follower *follower,
                            const struct journal_record *record,
                            const struct topic *topic, const struct pack *pack)
{
    const struct history_message message = message_of(record, topic);
    enum err err = history_append(follower->history, &message, pack);
    if (err == ERR_OK)
        metric_add(METRIC_HISTORY_READINGS, (int64_t)pack->reading_count);
    /* EXISTS: taken before. LIMIT: the pipeline refused it too, it comes again. */
    return err == ERR_EXISTS || err == ERR_LIMIT ? ERR_OK : err;
}

static enum err settle(struct history_follower *follower)
{
    if (follower->now_ms < follower->settled_ms + RETAIN_EACH_MS)
        return ERR_OK;
    follower->settled_ms = follower->now_ms;
    return history_settle(follower->history, follower->now_ms);
}

/* What cannot be read is in the pipeline's quarantine, and its name is taken. */
static enum err take_name(struct history_follower *follower,
                          const struct journal_record *record, const struct topic *topic)
{
    if (topic->device[0] == '\0' || topic->kind != TOPIC_READINGS || topic->seq == 0)
        return ERR_OK;
    const struct history_message message = message_of(record, topic);
    return history_close_gap(follower->history, &message, topic->seq, topic->seq);
}

/* As in the pipeline, so that both have the same gaps. */
static enum err take_give_up(struct history_follower *follower,
                             const struct journal_record *record)
{
    struct record_gap gap;
    if (record_gap_parse(&gap, record->data, record->len) != ERR_OK)
        return ERR_OK;
    const struct history_message message = {
        .position = record->position,
        .org = gap.org,
        .device = gap.device,
        .epoch = gap.epoch,
        .seq = gap.from,
        .arrival_ms = record->wall_ms,
    };
    return history_close_gap(follower->history, &message, gap.from, gap.to);
}

static enum err take_record(struct history_follower *follower,
                            const struct journal_record *record)
{
    struct record_message message;
    struct topic topic;
    const struct pack *pack;
    follower->now_ms = record->wall_ms;
    if (record->type == RECORD_GIVE_UP)
        return take_give_up(follower, record);
    if (record->type != RECORD_MESSAGE ||
        record_message_parse(&message, record->data, record->len) != ERR_OK)
        return ERR_OK;
    if (decoder_read(follower->decoder, &message, record->wall_ms, &topic, &pack, NULL) !=
        ERR_OK)
        return take_name(follower, record, &topic);
    if (pack == NULL)
        return ERR_OK;
    return append_pack(follower, record, &topic, pack);
}

static enum err take_guarded(struct history_follower *follower,
                             const struct journal_record *record)
{
    unsigned crashes = guard_enter(follower->guard, GUARD_HISTORY, record->position,
                                   record->data, record->len);
    enum err err = ERR_OK;
    if (crashes < GUARD_CRASHES)
        err = take_record(follower, record);
    else
        skip_record(follower->journal, follower->guard, GUARD_HISTORY, record, crashes);
    guard_leave(follower->guard, GUARD_HISTORY);
    return err;
}

static enum err take_batch(struct history_follower *follower,
                           struct journal_reader *reader, size_t *taken)
{
    enum err err = history_begin(follower->history);
    for (*taken = 0; err == ERR_OK && *taken < BATCH_RECORDS; ++*taken) {
        struct journal_record record;
        enum err read = journal_reader_next(reader, &record);
        if (read == ERR_NOT_FOUND)
            break;
        err = read == ERR_OK ? take_guarded(follower, &record) : read;
    }
    if (err == ERR_OK)
        err = settle(follower);
    if (err == ERR_OK)
        err = history_commit(follower->history, journal_reader_position(reader));
    return err;
}

static enum err tidy(struct history_follower *follower, size_t appended)
{
    size_t rows = COMPACT_ROWS + COMPACT_FACTOR * appended;
    bool more = history_compact_due(follower->history);
    enum err err = more ? history_compact(follower->history, rows, &more) : ERR_OK;
    if (err != ERR_OK || follower->keep_ms == 0 ||
        follower->now_ms < follower->retained_ms + RETAIN_EACH_MS)
        return err;
    follower->retained_ms = follower->now_ms;
    size_t removed = 0;
    err =
        history_retain(follower->history, follower->now_ms - follower->keep_ms, &removed);
    if (removed > 0)
        log_info("history: months removed count=%zu", removed);
    return err;
}

/* The reader may be ahead of what was committed. */
static void start_over(struct history_follower *follower, struct journal_reader *reader)
{
    history_rollback(follower->history);
    enum err err = journal_reader_seek(reader, history_cursor(follower->history));
    assert(err == ERR_OK && "the cursor was in this journal before");
    (void)err;
}

static enum err turn(void *context, struct journal_reader *reader,
                     struct follower_turn *turn, struct err_text *why)
{
    struct history_follower *follower = context;
    size_t taken = 0;
    enum err err = take_batch(follower, reader, &taken);
    if (err == ERR_OK)
        err = tidy(follower, taken);
    if (err != ERR_OK) {
        err_set(why, err, "history: %s (%s)", err_about(err),
                history_why(follower->history));
        start_over(follower, reader);
        return err;
    }
    metric_set(METRIC_HISTORY_POSITION, (int64_t)history_cursor(follower->history));
    turn->has_more = taken == BATCH_RECORDS;
    turn->wait_ms = LINGER_MS;
    return ERR_OK;
}

static void finish(void *context)
{
    struct history_follower *follower = context;
    history_close(follower->history);
    decoder_destroy(follower->decoder);
    free(follower);
}

static const struct follower_ops history_ops = {
    .name = "history",
    .turn = turn,
    .finish = finish,
};

enum err history_follower_open(struct follower **result, struct journal *journal,
                               const char *dir, int64_t keep_ms, struct guard *guard,
                               struct err_text *why)
{
    *result = NULL;
    struct history_follower *follower = mem_alloc(sizeof *follower);
    follower->keep_ms = keep_ms;
    follower->journal = journal;
    follower->guard = guard;
    enum err err = file_make_dirs(dir, why);
    if (err == ERR_OK)
        err = history_open(&follower->history, dir, why);
    if (err != ERR_OK) {
        free(follower);
        return err;
    }
    follower->decoder = decoder_create();
    err = follower_open(result, journal, history_cursor(follower->history), &history_ops,
                        follower, why);
    if (err != ERR_OK)
        finish(follower);
    return err;
}

/* ---- copies ------------------------------------------------------------------------ */

struct copy {
    const char *to;
    enum err err;
    struct err_text *why;
};

static void copy_files(void *context, void *arg)
{
    struct history_follower *follower = context;
    struct copy *copy = arg;
    copy->err = history_copy(follower->history, copy->to, copy->why);
}

enum err history_follower_copy(struct follower *follower, const char *to,
                               struct err_text *why)
{
    struct copy copy = {.to = to, .why = why};
    if (!follower_call(follower, copy_files, &copy))
        return err_set(why, ERR_OFFLINE,
                       "the history has stopped; see the collector's log");
    return copy.err;
}
