// SPDX-License-Identifier: Apache-2.0
#include "collector/collector.h"

#include "collector/collector_internal.h"

#define BATCH_RECORDS 2000
#define TICK_MS       1000
#define UNCLAIMED_MS  (INT64_C(3600) * 1000)
#define ACKS_MS       20 /* how exact the ack interval is kept */
#define TRIM_AT_ONCE  64 /* segments at a checkpoint */
#define ASKED_MS      (10LL * 60 * 1000)
#define DRAIN_MS      5000

/* The first failure ends the loop: the supervisor starts us again, nothing is lost. */
void collector_fail(struct collector *collector, enum err err, const struct err_text *why)
{
    if (collector->err == ERR_OK) {
        collector->err = err;
        collector->why = *why;
    }
    loop_stop(collector->loop);
}

enum err collector_append(struct collector *collector, enum record_type type,
                          const void *data, size_t len, uint64_t *position)
{
    const struct journal_piece piece = {data, len};
    enum err err =
        journal_append(collector->journal, (uint8_t)type, clock_wall_ms(collector->clock),
                       clock_boot_ms(collector->clock), &piece, 1, position);
    if (err == ERR_OK && collector->committer != NULL)
        committer_wake(collector->committer);
    return err;
}

void collector_append_or_fail(struct collector *collector, enum record_type type,
                              const void *data, size_t len)
{
    struct err_text why;
    enum err err = collector_append(collector, type, data, len, NULL);
    if (err != ERR_OK)
        collector_fail(
            collector,
            err_set(&why, err, "the journal takes no more: %s", err_about(err)), &why);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Bytes of the journal that somebody who must read them has not passed. */
static uint64_t backlog_of(const struct collector *collector)
{
    uint64_t synced = journal_synced(collector->journal);
    uint64_t passed = least(pipeline_committed(collector->pipeline),
                            (uint64_t)metric_get(METRIC_HISTORY_POSITION));
    if (passed >= synced)
        return 0;
    uint64_t segments = (synced >> 32) - (passed >> 32);
    return segments * (uint64_t)collector->settings->journal.segment_bytes +
           (synced & UINT32_MAX) - (passed & UINT32_MAX);
}

static void flush_acks(struct collector *collector)
{
    uint64_t backlog = backlog_of(collector);
    metric_set(METRIC_BACKLOG_BYTES, (int64_t)backlog);
    acks_set_backlog(collector->acks, backlog, collector->is_behind);
    acks_flush(collector->acks, clock_real_ms());
}

/* ---- the pipeline's turn ---------------------------------------------------------- */

static void advance(void *context);

static void post_advance(struct collector *collector)
{
    if (!atomic_exchange(&collector->advance_is_posted, true))
        loop_post(collector->loop, advance, collector);
}

/* Every result that was written down is applied: what has none is told again. */
static void catch_up(struct collector *collector)
{
    struct err_text why = {0};
    if (!collector->is_caught_up)
        collector->caught_up_boot_ms = clock_boot_ms(collector->clock);
    collector->is_caught_up = true;
    enum err err =
        collector->notifier != NULL ? notifier_resume(collector->notifier, &why) : ERR_OK;
    if (err != ERR_OK)
        collector_fail(collector, err, &why);
}

static void advance(void *context)
{
    struct collector *collector = context;
    atomic_store(&collector->advance_is_posted, false);
    if (collector->err != ERR_OK || collector->pipeline == NULL)
        return;
    bool more;
    struct err_text why = {0};
    enum err err = pipeline_advance(collector->pipeline, BATCH_RECORDS, &more, &why);
    if (err != ERR_OK) {
        collector_fail(collector, err, &why);
        return;
    }
    collector->is_behind = more;
    flush_acks(collector);
    if (collector->influx != NULL)
        influx_wake(collector->influx);
    if (more)
        post_advance(collector);
    else if (!collector->is_caught_up)
        catch_up(collector);
}

/* The committer's thread. */
void collector_on_synced(void *context)
{
    struct collector *collector = context;
    metric_set(METRIC_JOURNAL_POSITION, (int64_t)journal_synced(collector->journal));
    post_advance(collector);
    if (collector->history != NULL)
        follower_wake(collector->history);
    if (collector->influx != NULL)
        influx_wake(collector->influx);
}

static void on_sync_lost(void *context)
{
    struct err_text why;
    collector_fail(context,
                   err_set(&why, ERR_IO,
                           "the disk of the journal fails: nothing is acknowledged any "
                           "more; look at the kernel's log, replace the disk"),
                   &why);
}

/* The committer's thread. */
void collector_on_sync_failed(void *context)
{
    struct collector *collector = context;
    loop_post(collector->loop, on_sync_lost, collector);
}

static void on_room_changed(void *context)
{
    struct collector *collector = context;
    if (collector->intake != NULL)
        intake_pause(collector->intake, atomic_load(&collector->room) == ERR_FULL);
}

/* The helper's thread. */
void collector_on_room(void *context, enum err err)
{
    struct collector *collector = context;
    if (atomic_exchange(&collector->room, (int)err) != (int)err)
        loop_post(collector->loop, on_room_changed, collector);
}

void collector_pump(struct collector *collector)
{
    struct err_text why;
    enum err err = notifier_pump(collector->notifier, &why);
    if (err != ERR_OK)
        collector_fail(collector, err, &why);
}

void collector_on_effects(void *context)
{
    struct collector *collector = context;
    if (collector->notifier != NULL)
        collector_pump(collector);
    if (collector->influx != NULL)
        influx_wake(collector->influx); /* its incidents are committed by now */
}

void collector_on_command(void *context, const char *id, enum err err, const char *text,
                          const char *result)
{
    struct collector *collector = context;
    if (collector->api != NULL)
        api_command_done(collector->api, id, err, text, result);
    for (size_t i = 0; i < collector->bot_count; i++)
        telegram_command_done(collector->bots[i], id, err);
}

/* ---- timers ----------------------------------------------------------------------- */

enum err collector_write_state(void *context, api_change_fn *change, void *argument)
{
    struct collector *collector = context;
    enum err err = state_begin(collector->state);
    if (err == ERR_OK)
        err = change(collector->state, argument);
    if (err == ERR_OK)
        err = state_commit(collector->state);
    if (err != ERR_OK)
        state_rollback(collector->state);
    return err;
}

/* A reader of the log is in the way now and then; the next tick comes soon. */
static void forget(struct collector *collector)
{
    enum err err = state_forget(collector->state);
    if (err != ERR_OK && err != ERR_BUSY)
        log_warn("state.db: its log cannot be emptied: %s", state_why(collector->state));
}

static enum err drop_private(struct state *state, void *argument)
{
    const int64_t *before_ms = argument;
    return state_drop_private(state, *before_ms);
}

/* Of a request that ended before its command was in the journal. */
static void drop_unclaimed(struct collector *collector)
{
    int64_t before_ms = clock_wall_ms(collector->clock) - UNCLAIMED_MS;
    if (collector->is_caught_up &&
        collector_write_state(collector, drop_private, &before_ms) != ERR_OK)
        log_warn("state.db: %s", state_why(collector->state));
}

void collector_on_tick(void *context)
{
    struct collector *collector = context;
    forget(collector);
    struct buf data = {0};
    buf_u8(&data, (uint8_t)clock_state_of(collector->clock));
    collector_append_or_fail(collector, RECORD_TICK, data.data, data.len);
    buf_fini(&data);
    collector_remind(collector);
    loop_timer_arm(collector->tick, TICK_MS);
}

void collector_on_ack_timer(void *context)
{
    struct collector *collector = context;
    flush_acks(collector);
    if (collector->is_caught_up)
        pipeline_flush_configs(collector->pipeline, clock_real_ms());
    loop_timer_arm(collector->ack_timer, ACKS_MS);
}

/* When the segment behind the oldest one began; INT64_MAX when there is none to read. */
static int64_t second_began_ms(struct collector *collector, uint64_t second)
{
    struct journal_reader *reader = NULL;
    struct journal_record record;
    int64_t began_ms = INT64_MAX;
    if (journal_reader_open(&reader, collector->journal, second) == ERR_OK &&
        journal_reader_next(reader, &record) == ERR_OK && record.wall_ms > 0)
        began_ms = record.wall_ms;
    journal_reader_close(reader);
    return began_ms;
}

/* A gap from then on is not given up for its age: its agent may be handing it over, and a
 * collector that was away asks first. */
static int64_t asked_before_ms(const struct collector *collector)
{
    int64_t now_ms = clock_boot_ms(collector->clock);
    if (!collector->is_caught_up || now_ms - collector->caught_up_boot_ms < ASKED_MS)
        return INT64_MIN;
    return clock_wall_ms(collector->clock) - ASKED_MS;
}

/*
 * A gap that never closes must not pin the journal for ever: older than journal.keep, or
 * in the way of its budget, it is a loss. That is a decision, so it is a record.
 */
static void give_up_gap(struct collector *collector, int64_t oldest_ms)
{
    struct record_gap gap;
    int64_t since_ms;
    uint64_t position;
    if (!pipeline_oldest_gap(collector->pipeline, &gap, &since_ms, &position))
        return;
    struct journal_stats stats;
    journal_stats(collector->journal, &stats);
    bool is_in_the_way =
        stats.disk_bytes > (uint64_t)collector->settings->journal.keep_bytes &&
        position >> 32 == stats.first >> 32;
    if (!is_in_the_way &&
        (since_ms >= oldest_ms || since_ms >= asked_before_ms(collector)))
        return;
    struct buf data = {0};
    record_gap_format(&gap, &data);
    collector_append_or_fail(collector, RECORD_GIVE_UP, data.data, data.len);
    buf_fini(&data);
}

/* One segment at a time: only what everybody has passed, and only while it is too much.
 */
static void trim(struct collector *collector)
{
    const struct settings *settings = collector->settings;
    uint64_t passed = least(pipeline_needs_from(collector->pipeline),
                            (uint64_t)metric_get(METRIC_HISTORY_POSITION));
    int64_t oldest_ms = clock_wall_ms(collector->clock) - settings->journal.keep_ms;
    give_up_gap(collector, oldest_ms);
    for (int i = 0; i < TRIM_AT_ONCE; i++) {
        struct journal_stats stats;
        journal_stats(collector->journal, &stats);
        uint64_t second = ((stats.first >> 32) + 1) << 32;
        bool is_large = stats.disk_bytes > (uint64_t)settings->journal.keep_bytes;
        if (stats.segments < 2 || second > passed ||
            (!is_large && second_began_ms(collector, second) >= oldest_ms))
            return;
        if (journal_trim(collector->journal, second) != ERR_OK) {
            log_warn("old segments of the journal cannot be removed");
            return;
        }
    }
}

void collector_on_checkpoint(void *context)
{
    struct collector *collector = context;
    struct err_text why;
    enum err err = pipeline_checkpoint(collector->pipeline, &why);
    if (err != ERR_OK) {
        collector_fail(collector, err, &why);
        return;
    }
    trim(collector);
    drop_unclaimed(collector);
    loop_timer_arm(collector->checkpoint, collector->settings->pipeline.checkpoint_ms);
}

/* ---- closing ---------------------------------------------------------------------- */

/* What is synced by now is evaluated and checkpointed exactly. */
static void finish_pipeline(struct collector *collector)
{
    struct err_text why = {0};
    bool more = collector->err == ERR_OK && collector->pipeline != NULL;
    enum err err = ERR_OK;
    while (more && err == ERR_OK)
        err = pipeline_advance(collector->pipeline, BATCH_RECORDS, &more, &why);
    if (err == ERR_OK && collector->err == ERR_OK && collector->pipeline != NULL)
        err = pipeline_checkpoint(collector->pipeline, &why);
    if (err != ERR_OK)
        log_error("%s", why.text);
}

static void close_all(struct collector *collector)
{
    api_close(collector->api);
    for (size_t i = 0; i < collector->bot_count; i++)
        telegram_stop(collector->bots[i]);
    intake_close(collector->intake);
    collector->intake = NULL;
    notifier_stop(collector->notifier);
    if (collector->journal != NULL && collector->err == ERR_OK &&
        collector_append(collector, RECORD_STOP, "", 0, NULL) != ERR_OK)
        log_warn("the end could not be written to the journal");
    committer_destroy(collector->committer);
    collector->committer = NULL;
    finish_pipeline(collector);
    follower_close(collector->history, DRAIN_MS);
    collector->history = NULL; /* what is still posted looks at it */
    influx_stop(collector->influx, DRAIN_MS);
    heartbeat_destroy(collector->heartbeat);
    loop_timer_destroy(collector->tick);
    loop_timer_destroy(collector->ack_timer);
    loop_timer_destroy(collector->checkpoint);
    loop_timer_destroy(collector->news);
    notify_watchdog_destroy(collector->watchdog);
    /* May still run what was posted: results, cursors. */
    loop_destroy(collector->loop);
    api_destroy(collector->api);
    for (size_t i = 0; i < collector->bot_count; i++)
        telegram_destroy(collector->bots[i]);
    free(collector->bots);
    backup_destroy(collector->backup);
    notifier_destroy(collector->notifier);
    influx_destroy(collector->influx);
    pipeline_close(collector->pipeline);
    acks_destroy(collector->acks);
    configs_destroy(collector->configs);
    enum err err = journal_close(collector->journal);
    if (err != ERR_OK)
        log_error("the journal was not closed well: %s", err_about(err));
    state_close(collector->state);
    guard_close(collector->guard);
    free(collector->channels);
    reply_desk_destroy(collector->desk);
    roster_destroy(collector->roster);
    free(collector->roster_channels);
    crypto_wipe(&collector->links, sizeof collector->links);
    free(collector->receivers);
    free(collector->history_dir);
    free(collector->state_path);
}

static void on_hangup(void *context)
{
    struct collector *collector = context;
    log_info("SIGHUP: settings count from the next start; certificates are read again");
    api_reload(collector->api);
}

enum err collector_run(const struct settings *settings, const struct clock *clock,
                       struct err_text *why)
{
    struct collector collector = {
        .settings = settings,
        .clock = clock,
        .loop = loop_create(),
        .history_dir = mem_format("%s/history", settings->data_dir),
        .state_path = mem_format("%s/state.db", settings->data_dir),
    };
    loop_stop_on_signals(collector.loop);
    loop_on_hangup(collector.loop, on_hangup, &collector);
    enum err err = collector_open_all(&collector, why);
    if (err == ERR_OK) {
        collector_start_timers(&collector);
        log_info("ready api=%s://%s:%d sites=%zu", api_scheme(collector.api),
                 settings->api.listen, api_port(collector.api), settings->site_count);
        collector.watchdog = notify_watchdog_create(collector.loop);
        notify_ready();
        loop_run(collector.loop);
        notify_stopping();
        err = collector.err;
        if (err != ERR_OK)
            *why = collector.why;
    } else {
        collector.err = err;
    }
    close_all(&collector);
    return err;
}
