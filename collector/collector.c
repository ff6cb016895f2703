// SPDX-License-Identifier: Apache-2.0
#include "collector/collector.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/notify.h"
#include "collector/api/api.h"
#include "collector/api/feed.h"
#include "collector/backup.h"
#include "collector/command/change.h"
#include "collector/guard.h"
#include "collector/intake/committer.h"
#include "collector/intake/intake.h"
#include "collector/metrics.h"
#include "collector/notify/heartbeat.h"
#include "collector/notify/notifier.h"
#include "collector/pipeline/acks.h"
#include "collector/pipeline/beat.h"
#include "collector/pipeline/configs.h"
#include "collector/pipeline/pipeline.h"
#include "collector/record.h"
#include "collector/store/history_follower.h"
#include "collector/store/influx.h"
#include "collector/store/state.h"
#include "collector/store/state_audit.h"
#include "collector/store/state_entities.h"
#include "collector/store/upgrade.h"
#include "journal/journal.h"

#define BATCH_RECORDS 2000
#define TICK_MS       1000
#define UNCLAIMED_MS  (INT64_C(3600) * 1000)
#define ACKS_MS       20 /* how exact the ack interval is kept */
#define TRIM_AT_ONCE  64 /* segments at a checkpoint */
#define DRAIN_MS      5000
#define NEWS_MS       200 /* readings are told to streams together */
#define NEWS_PART     20  /* of the loop's time, at most, goes into telling them */

struct collector {
    /* fixed after open */
    const struct settings *settings;
    const struct clock *clock;
    struct loop *loop;
    struct guard *guard;
    struct state *state;
    struct journal *journal;
    struct acks *acks;
    struct configs *configs;
    struct pipeline *pipeline;
    struct committer *committer;
    struct follower *history;
    struct influx *influx;
    struct notifier *notifier;
    struct config_webhook
        *receivers; /* webhooks, and the heartbeat's when there is one */
    size_t receiver_count;
    struct heartbeat *heartbeat;
    struct intake *intake;
    struct api *api;
    struct loop_timer *tick;
    struct loop_timer *ack_timer;
    struct loop_timer *checkpoint;
    struct loop_timer *news;
    struct notify_watchdog *watchdog;
    const char **channels;
    struct backup *backup;
    char *history_dir;
    char *state_path;

    /* shared */
    atomic_bool advance_is_posted;
    atomic_int room; /* enum err of the last look for spare segments */

    /* owned by the loop */
    bool is_caught_up;
    bool news_is_due; /* the timer is armed */
    int64_t news_ms;  /* until then */
    enum err err;
    struct err_text why;
};

/* The first failure ends the loop: the supervisor starts us again, nothing is lost. */
static void fail(struct collector *collector, enum err err, const struct err_text *why)
{
    if (collector->err == ERR_OK) {
        collector->err = err;
        collector->why = *why;
    }
    loop_stop(collector->loop);
}

static enum err append(struct collector *collector, enum record_type type,
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

static void append_or_fail(struct collector *collector, enum record_type type,
                           const void *data, size_t len)
{
    struct err_text why;
    enum err err = append(collector, type, data, len, NULL);
    if (err != ERR_OK)
        fail(collector,
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
    acks_set_backlog(collector->acks, backlog);
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
    collector->is_caught_up = true;
    enum err err =
        collector->notifier != NULL ? notifier_resume(collector->notifier, &why) : ERR_OK;
    if (err != ERR_OK)
        fail(collector, err, &why);
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
        fail(collector, err, &why);
        return;
    }
    flush_acks(collector);
    if (collector->influx != NULL)
        influx_wake(collector->influx);
    if (more)
        post_advance(collector);
    else if (!collector->is_caught_up)
        catch_up(collector);
}

/* The committer's thread. */
static void on_synced(void *context)
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
    fail(context,
         err_set(&why, ERR_IO,
                 "the disk of the journal fails: nothing is acknowledged any "
                 "more; look at the kernel's log, replace the disk"),
         &why);
}

/* The committer's thread. */
static void on_sync_failed(void *context)
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
static void on_room(void *context, enum err err)
{
    struct collector *collector = context;
    if (atomic_exchange(&collector->room, (int)err) != (int)err)
        loop_post(collector->loop, on_room_changed, collector);
}

static void pump(struct collector *collector)
{
    struct err_text why;
    enum err err = notifier_pump(collector->notifier, &why);
    if (err != ERR_OK)
        fail(collector, err, &why);
}

static void on_effects(void *context)
{
    struct collector *collector = context;
    if (collector->notifier != NULL)
        pump(collector);
    if (collector->influx != NULL)
        influx_wake(collector->influx); /* its incidents are committed by now */
}

static void on_command(void *context, const char *id, enum err err, const char *text,
                       const char *result)
{
    struct collector *collector = context;
    if (collector->api != NULL)
        api_command_done(collector->api, id, err, text, result);
}

/* ---- news for streams -------------------------------------------------------------- */

static bool news_is_wanted(const struct collector *collector)
{
    return collector->api != NULL &&
           feed_is_wanted(api_feed(collector->api), clock_real_ms());
}

static void put_news(void *context, const struct news *news)
{
    struct collector *collector = context;
    feed_put(api_feed(collector->api), news);
}

static void tell_news(struct collector *collector)
{
    int64_t begun_ms = clock_real_ms();
    pipeline_tell_news(collector->pipeline, collector, put_news);
    feed_seal(api_feed(collector->api), pipeline_position(collector->pipeline));
    int64_t rest_ms = (clock_real_ms() - begun_ms) * NEWS_PART;
    collector->news_ms = rest_ms > NEWS_MS ? rest_ms : NEWS_MS;
}

/* A stream begins, and nobody followed before. */
static void tell_all(void *context)
{
    struct collector *collector = context;
    enum err err = pipeline_tell_all(collector->pipeline, collector, put_news);
    if (err != ERR_OK)
        log_warn("no stream can begin: state.db: %s", err_about(err));
    else
        feed_seal(api_feed(collector->api), pipeline_position(collector->pipeline));
}

/*
 * Together with what is urgent goes all the rest: an id that a stream was given means
 * everything up to its position.
 */
static void on_news(void *context, bool is_urgent)
{
    struct collector *collector = context;
    if (!news_is_wanted(collector)) {
        pipeline_drop_news(collector->pipeline);
    } else if (is_urgent) {
        tell_news(collector);
    } else if (!collector->news_is_due) {
        collector->news_is_due = true;
        loop_timer_arm(collector->news, collector->news_ms);
    }
}

static void on_news_timer(void *context)
{
    struct collector *collector = context;
    collector->news_is_due = false;
    if (news_is_wanted(collector))
        tell_news(collector);
    else
        pipeline_drop_news(collector->pipeline);
}

/* Any thread. */
static uint64_t evaluated(void *context)
{
    const struct collector *collector = context;
    return pipeline_committed(collector->pipeline);
}

static enum err on_attempt(void *context, const struct record_attempt *attempt,
                           uint64_t *position)
{
    struct buf data = {0};
    record_attempt_format(attempt, &data);
    enum err err = append(context, RECORD_ATTEMPT, data.data, data.len, position);
    buf_fini(&data);
    return err;
}

static void on_result(void *context, const struct record_result *result)
{
    struct buf data = {0};
    record_result_format(result, &data);
    append_or_fail(context, RECORD_RESULT, data.data, data.len);
    buf_fini(&data);
}

static bool send_ack(void *context, const char *topic, const void *data, size_t len)
{
    struct collector *collector = context;
    return collector->intake != NULL && intake_send(collector->intake, topic, data, len);
}

static bool send_config(void *context, const char *topic, const void *data, size_t len)
{
    struct collector *collector = context;
    return collector->intake != NULL && intake_is_connected(collector->intake) &&
           intake_retain(collector->intake, topic, data, len);
}

static void on_broker(void *context, bool session_present)
{
    struct collector *collector = context;
    configs_connected(collector->configs, session_present);
}

/* ---- timers ----------------------------------------------------------------------- */

static enum err write_state(void *context, api_change_fn *change, void *argument)
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
        write_state(collector, drop_private, &before_ms) != ERR_OK)
        log_warn("state.db: %s", state_why(collector->state));
}

static void on_tick(void *context)
{
    struct collector *collector = context;
    forget(collector);
    struct buf data = {0};
    buf_u8(&data, (uint8_t)clock_state_of(collector->clock));
    append_or_fail(collector, RECORD_TICK, data.data, data.len);
    buf_fini(&data);
    loop_timer_arm(collector->tick, TICK_MS);
}

static void on_ack_timer(void *context)
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
    if (since_ms >= oldest_ms && !is_in_the_way)
        return;
    struct buf data = {0};
    record_gap_format(&gap, &data);
    append_or_fail(collector, RECORD_GIVE_UP, data.data, data.len);
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

static void on_checkpoint(void *context)
{
    struct collector *collector = context;
    struct err_text why;
    enum err err = pipeline_checkpoint(collector->pipeline, &why);
    if (err != ERR_OK) {
        fail(collector, err, &why);
        return;
    }
    trim(collector);
    drop_unclaimed(collector);
    loop_timer_arm(collector->checkpoint, collector->settings->pipeline.checkpoint_ms);
}

/* ---- what the API asks ------------------------------------------------------------ */

static void status_json(struct collector *collector, struct buf *out)
{
    json_t *status = json_pack(
        "{s:s, s:b, s:b, s:I, s:I, s:I, s:I}", "version", COLDCHAIN_VERSION, "connected",
        intake_is_connected(collector->intake), "caught_up", collector->is_caught_up,
        "synced", (json_int_t)journal_synced(collector->journal), "evaluated",
        (json_int_t)pipeline_position(collector->pipeline), "history",
        (json_int_t)metric_get(METRIC_HISTORY_POSITION), "devices",
        (json_int_t)metric_get(METRIC_DEVICES));
    char *text = json_dumps(status, JSON_COMPACT);
    assert(text != NULL);
    buf_text(out, text);
    free(text);
    json_decref(status);
}

static void live(void *context, enum api_live what, struct buf *out)
{
    struct collector *collector = context;
    int64_t now_ms = clock_wall_ms(collector->clock);
    switch (what) {
    case API_LIVE_ZONES:
        pipeline_zones_json(collector->pipeline, now_ms, out);
        break;
    case API_LIVE_DEVICES:
        pipeline_devices_json(collector->pipeline, now_ms, out);
        break;
    case API_LIVE_STATUS:
        status_json(collector, out);
        break;
    case API_LIVE_PLACEMENTS:
        pipeline_placements_json(collector->pipeline, out);
        break;
    }
}

static enum err submit(void *context, const char *json, size_t len)
{
    return append(context, RECORD_COMMAND, json, len, NULL);
}

static enum err ready(void *context, struct err_text *why)
{
    struct collector *collector = context;
    struct err_text failure;
    if (collector->history != NULL && follower_has_failed(collector->history, &failure))
        return err_set(why, ERR_IO, "%s", failure.text);
    if (!collector->is_caught_up)
        return ERR_BUSY;
    return intake_is_connected(collector->intake) ? ERR_OK : ERR_OFFLINE;
}

/* The API's threads: an append is safe in any thread, and waits for no sync. */
static enum err publish(void *context, const char *topic, const void *data, size_t len)
{
    struct collector *collector = context;
    struct record_message message = {
        .topic = topic, .topic_len = strlen(topic), .qos = 1};
    uint8_t head[RECORD_MESSAGE_HEAD];
    record_message_head(&message, head);
    const struct journal_piece pieces[] = {
        {head, sizeof head}, {topic, message.topic_len}, {data, len}};
    enum err err = journal_append(
        collector->journal, RECORD_MESSAGE, clock_wall_ms(collector->clock),
        clock_boot_ms(collector->clock), pieces, sizeof pieces / sizeof pieces[0], NULL);
    if (err == ERR_OK)
        committer_wake(collector->committer);
    return err;
}

/* ---- opening ---------------------------------------------------------------------- */

static enum err open_guard(struct collector *collector, struct err_text *why)
{
    char *path = mem_format("%s/crashes", collector->settings->data_dir);
    enum err err = guard_open(&collector->guard, path, why);
    free(path);
    return err;
}

static enum err open_journal(struct collector *collector, struct err_text *why)
{
    const struct settings *settings = collector->settings;
    char *dir = mem_format("%s/journal", settings->data_dir);
    const struct journal_options options = {
        .segment_bytes = (size_t)settings->journal.segment_bytes,
        .spare_segments = (size_t)settings->journal.spare_segments,
    };
    struct journal_recovery report;
    enum err err = journal_open(&collector->journal, dir, &options, &report, why);
    if (err == ERR_OK) {
        log_info("journal open records=%" PRIu64 " unsynced=%" PRIu64 " cut=%" PRIu64
                 " damaged=%zu generation=%" PRIu64,
                 report.records, report.unsynced, report.cut_bytes, report.loss_count,
                 report.generation);
        if (report.loss_count > 0)
            log_error("the journal was damaged; what could be kept is kept, the rest is "
                      "listed by: coldchainctl journal verify %s",
                      dir);
    }
    free(dir);
    return err;
}

/* Agents are told a generation that changes whenever something may be gone. */
static enum err open_state(struct collector *collector, struct state_meta *meta,
                           struct err_text *why)
{
    enum err err = state_open(&collector->state, collector->state_path, why);
    if (err != ERR_OK)
        return err;
    err = state_load_meta(collector->state, meta);
    if (err != ERR_OK)
        return err_set(why, err, "state.db: %s", state_why(collector->state));
    struct journal_stats stats;
    journal_stats(collector->journal, &stats);
    /* Another one for each start: a copy that is started again goes on as another life,
     * so that agents rewind to what it holds, whatever it was copied from. */
    uint32_t life;
    crypto_random(&life, sizeof life);
    meta->generation = stats.generation << 32 | life;
    return ERR_OK;
}

static enum err open_pipeline(struct collector *collector, const struct state_meta *meta,
                              struct err_text *why)
{
    const struct settings *settings = collector->settings;
    const struct acks_options acks = {
        .store = meta->store_id,
        .generation = meta->generation,
        .interval_ms = settings->delivery.ack_interval_ms,
        .credits = (uint32_t)settings->delivery.credits,
        .backlog_max = (uint64_t)settings->delivery.backlog_max,
        .context = collector,
        .send = send_ack,
    };
    collector->acks = acks_create(&acks);
    collector->configs = configs_create(
        &(struct configs_options){.context = collector, .send = send_config});
    collector->channels = mem_array(settings->webhook_count, sizeof *collector->channels);
    for (size_t i = 0; i < settings->webhook_count; i++)
        collector->channels[i] = settings->webhooks[i].name;
    const struct pipeline_options options = {
        .journal = collector->journal,
        .state = collector->state,
        .acks = collector->acks,
        .configs = collector->configs,
        .guard = collector->guard,
        .silence_grace_ms = settings->pipeline.silence_grace_ms,
        .history_dir = collector->history_dir,
        .channels = collector->channels,
        .channel_count = settings->webhook_count,
        .beat_channel = settings->heartbeat.to.url != NULL ? BEAT_NAME : NULL,
        .context = collector,
        .on_command = on_command,
        .on_effects = on_effects,
        .on_news = on_news,
    };
    return pipeline_open(&collector->pipeline, &options, why);
}

struct seeded {
    char hash[17];
    bool is_seeded;
};

static void on_seed(void *context, const struct state_audit *row)
{
    struct seeded *seeded = context;
    json_t *body = json_loads(row->body, 0, NULL);
    const char *hash = json_string_value(json_object_get(body, "hash"));
    snprintf(seeded->hash, sizeof seeded->hash, "%s", hash != NULL ? hash : "");
    seeded->is_seeded = true;
    json_decref(body);
}

#define DIFFERENCES_MAX 20

static void log_differences(struct buf *lines)
{
    size_t count = 0;
    for (char *line = lines->data, *end; line != NULL && *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        *end = '\0';
        if (++count <= DIFFERENCES_MAX)
            log_warn("not as in the settings: %s", line);
    }
    if (count > DIFFERENCES_MAX)
        log_warn("and %zu more differences", count - DIFFERENCES_MAX);
}

static void tell_differences(struct collector *collector, const struct buf *seed)
{
    struct registry *registry;
    struct err_text why = {""};
    struct buf lines = {0};
    log_warn("places, devices and rules in the settings are not what this state.db began "
             "with, and are not applied: they change by commands, see 'coldchainctl do' "
             "and 'coldchainctl config import'");
    if (registry_parse(&registry, seed->data, seed->len, &why) != ERR_OK) {
        log_warn("the seed cannot be compared: %s", why.text);
        return;
    }
    enum err err = seed_compare(collector->state, registry, &lines);
    if (err != ERR_OK)
        log_warn("the seed cannot be compared: %s", err_about(err));
    log_differences(&lines);
    buf_fini(&lines);
    registry_destroy(registry);
}

/* A seed is for an empty state.db; later ones only say that they are not heard. */
static enum err offer_seed(struct collector *collector, const struct buf *seed,
                           const char *hash, struct err_text *why)
{
    const struct settings *settings = collector->settings;
    bool is_empty_seed = settings->site_count == 0 && settings->device_count == 0 &&
                         settings->rule_count == 0;
    struct seeded seeded = {0};
    uint64_t count = 0;
    enum err err = state_count_entities(collector->state, &count);
    if (err == ERR_OK)
        err = state_find_audit(collector->state, SEED_VERB, &seeded, on_seed);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err_set(why, err, "state.db: %s", state_why(collector->state));
    if (is_empty_seed || strcmp(seeded.hash, hash) == 0)
        return ERR_OK;
    if (count == 0 && !seeded.is_seeded)
        return append(collector, RECORD_CONFIG, seed->data, seed->len, NULL);
    tell_differences(collector, seed);
    return ERR_OK;
}

static enum err append_start(struct collector *collector, struct err_text *why)
{
    struct buf seed = {0};
    settings_seed(collector->settings, &seed);
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    char hash[17];
    crypto_digest(digest, seed.data, seed.len);
    crypto_hex(hash, digest, 8);
    enum err err = offer_seed(collector, &seed, hash, why);
    struct buf start = {0};
    buf_format(&start, "{\"version\":\"%s\",\"config\":\"%s\"}", COLDCHAIN_VERSION, hash);
    if (err == ERR_OK)
        err = append(collector, RECORD_START, start.data, start.len, NULL);
    buf_fini(&seed);
    buf_fini(&start);
    return err == ERR_OK
               ? err
               : err_set(why, err, "the journal takes nothing: %s", err_about(err));
}

static void on_influx_failed(void *context, enum err err, const struct err_text *why)
{
    fail(context, err, why);
}

static enum err open_followers(struct collector *collector, struct err_text *why)
{
    const struct settings *settings = collector->settings;
    enum err err = history_follower_open(
        &collector->history, collector->journal, collector->history_dir,
        settings->history.keep_ms, collector->guard, why);
    if (err != ERR_OK || settings->influx.url == NULL)
        return err;
    const struct influx_options options = {
        .settings = settings,
        .journal = collector->journal,
        .state = collector->state,
        .state_path = collector->state_path,
        .history_dir = collector->history_dir,
        .loop = collector->loop,
        .guard = collector->guard,
        .context = collector,
        .on_failed = on_influx_failed,
        .registry = pipeline_registry(collector->pipeline),
        .evaluated = evaluated,
    };
    return influx_open(&collector->influx, &options, why);
}

static void open_committer(struct collector *collector)
{
    const struct committer_options options = {
        .journal = collector->journal,
        .interval_ms = collector->settings->journal.commit_interval_ms,
        .bytes = (uint64_t)collector->settings->journal.commit_bytes,
        .context = collector,
        .on_synced = on_synced,
        .on_failed = on_sync_failed,
        .on_room = on_room,
    };
    collector->committer = committer_create(&options);
    committer_wake(collector->committer);
}

static enum err open_intake(struct collector *collector, struct err_text *why)
{
    const struct settings *settings = collector->settings;
    const struct intake_options options = {
        .broker =
            {
                .uri = settings->mqtt.uri,
                .client_id = settings->mqtt.client_id,
                .username = settings->mqtt.username,
                .password = settings->mqtt.password,
                .ca_file = settings->mqtt.ca_file,
                .cert_file = settings->mqtt.cert_file,
                .key_file = settings->mqtt.key_file,
                .keepalive_s = (int)(settings->mqtt.keepalive_ms / 1000),
                .clean_start = false,
                .session_expiry_s = (uint32_t)(settings->mqtt.session_expiry_ms / 1000),
                .reconnect_max_ms = 5000,
            },
        .clock = collector->clock,
        .loop = collector->loop,
        .journal = collector->journal,
        .committer = collector->committer,
        .context = collector,
        .on_connected = on_broker,
    };
    return intake_open(&collector->intake, &options, why);
}

static char beat_name[] = BEAT_NAME;

static void name_receivers(struct collector *collector)
{
    const struct settings *settings = collector->settings;
    size_t count = settings->webhook_count;
    collector->receivers = mem_array(count + 1, sizeof *collector->receivers);
    for (size_t i = 0; i < count; i++)
        collector->receivers[i] = settings->webhooks[i];
    if (settings->heartbeat.to.url != NULL) {
        collector->receivers[count] = settings->heartbeat.to;
        collector->receivers[count++].name = beat_name;
    }
    collector->receiver_count = count;
}

static void open_notifier(struct collector *collector)
{
    name_receivers(collector);
    const struct notifier_options options = {
        .state = collector->state,
        .loop = collector->loop,
        .clock = collector->clock,
        .webhooks = collector->receivers,
        .webhook_count = collector->receiver_count,
        .context = collector,
        .on_attempt = on_attempt,
        .applied = evaluated,
        .on_result = on_result,
    };
    collector->notifier = notifier_create(&options);
    pump(collector);
}

static enum err open_api(struct collector *collector, struct err_text *why)
{
    const struct settings *settings = collector->settings;
    char *token_file = settings->api.token_file != NULL
                           ? mem_strdup(settings->api.token_file)
                           : mem_format("%s/api.token", settings->data_dir);
    const struct backup_options backup = {
        .data_dir = settings->data_dir,
        .state_path = collector->state_path,
        .journal = collector->journal,
        .history = collector->history,
    };
    collector->backup = backup_create(&backup);
    const struct api_options options = {
        .backup = collector->backup,
        .publish = publish,
        .listen = settings->api.listen,
        .port = (int)settings->api.port,
        .state_path = collector->state_path,
        .history_dir = collector->history_dir,
        .token_file = token_file,
        .cert_file = settings->api.cert_file,
        .key_file = settings->api.key_file,
        .proxies = (const char *const *)settings->api.proxies,
        .proxy_count = settings->api.proxy_count,
        .loop = collector->loop,
        .clock = collector->clock,
        .context = collector,
        .live = live,
        .tell_all = tell_all,
        .streams = (size_t)settings->api.streams,
        .submit = submit,
        .write = write_state,
        .ready = ready,
    };
    enum err err = api_open(&collector->api, &options, why);
    free(token_file);
    return err;
}

static void on_beat(void *context, const void *data, size_t len)
{
    append_or_fail(context, RECORD_BEAT, data, len);
}

static void start_heartbeat(struct collector *collector)
{
    const struct heartbeat_options options = {
        .loop = collector->loop,
        .clock = collector->clock,
        .every_ms = collector->settings->heartbeat.every_ms,
        .context = collector,
        .ready = ready,
        .append = on_beat,
    };
    if (collector->settings->heartbeat.to.url != NULL)
        collector->heartbeat = heartbeat_create(&options);
}

static void start_timers(struct collector *collector)
{
    start_heartbeat(collector);
    collector->tick = loop_timer_create(collector->loop, on_tick, collector);
    collector->ack_timer = loop_timer_create(collector->loop, on_ack_timer, collector);
    collector->checkpoint = loop_timer_create(collector->loop, on_checkpoint, collector);
    collector->news = loop_timer_create(collector->loop, on_news_timer, collector);
    collector->news_ms = NEWS_MS;
    loop_timer_arm(collector->tick, TICK_MS);
    loop_timer_arm(collector->ack_timer, ACKS_MS);
    loop_timer_arm(collector->checkpoint, collector->settings->pipeline.checkpoint_ms);
}

static enum err open_stores(struct collector *collector, struct err_text *why)
{
    struct state_meta meta;
    enum err err = file_make_dirs(collector->settings->data_dir, why);
    if (err == ERR_OK)
        err = upgrade_check(collector->state_path, collector->history_dir, why);
    if (err == ERR_OK)
        err = open_guard(collector, why);
    if (err == ERR_OK)
        err = open_journal(collector, why);
    if (err == ERR_OK)
        err = open_state(collector, &meta, why);
    if (err == ERR_OK)
        err = open_pipeline(collector, &meta, why);
    if (err == ERR_OK)
        err = append_start(collector, why);
    return err;
}

static enum err open_all(struct collector *collector, struct err_text *why)
{
    enum err err = open_stores(collector, why);
    if (err == ERR_OK)
        err = open_followers(collector, why);
    if (err != ERR_OK)
        return err;
    open_committer(collector);
    open_notifier(collector);
    err = open_intake(collector, why);
    if (err == ERR_OK)
        err = open_api(collector, why);
    return err;
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
    intake_close(collector->intake);
    collector->intake = NULL;
    notifier_stop(collector->notifier);
    if (collector->journal != NULL && collector->err == ERR_OK &&
        append(collector, RECORD_STOP, "", 0, NULL) != ERR_OK)
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
    enum err err = open_all(&collector, why);
    if (err == ERR_OK) {
        start_timers(&collector);
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
