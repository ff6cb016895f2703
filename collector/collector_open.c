// SPDX-License-Identifier: Apache-2.0
/*
 * collector_open - the parts in the order in which they need each other, with their
 * callbacks.
 */
#include "collector/collector.h"

#include "collector/collector_internal.h"

#define TICK_MS 1000
#define ACKS_MS 20  /* how exact the ack interval is kept */
#define NEWS_MS 200 /* readings are told to streams together */
/* Acks and messages to people wait no longer for a batch of the pipeline. */
#define BATCH_MS 10

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

static char beat_name[] = BEAT_NAME;

/* Webhooks are channels under a shorter name; the heartbeat's receiver comes last. */
static void name_receivers(struct collector *collector)
{
    const struct settings *settings = collector->settings;
    size_t count = settings->webhook_count + settings->channel_count;
    collector->receivers = mem_array(count + 1, sizeof(struct config_channel *));
    collector->channels = mem_array(count, sizeof *collector->channels);
    for (size_t i = 0; i < count; i++) {
        const struct config_channel *channel =
            i < settings->webhook_count
                ? &settings->webhooks[i]
                : &settings->channels[i - settings->webhook_count];
        collector->receivers[i] = channel;
        collector->channels[i] = channel->name;
    }
    collector->beat = settings->heartbeat.to;
    collector->beat.name = beat_name;
    if (settings->heartbeat.to.url != NULL)
        collector->receivers[count++] = &collector->beat;
    collector->receiver_count = count;
}

/* A key of the house: made once, and kept beside what it protects. */
static enum err open_links(struct collector *collector, struct err_text *why)
{
    const struct settings *settings = collector->settings;
    struct buf bytes = {0};
    struct err_text absent;
    char *path = mem_format("%s/ack.key", settings->data_dir);
    enum err err = file_read(&bytes, path, ACK_KEY_BYTES, &absent);
    if (err == ERR_NOT_FOUND) {
        uint8_t key[ACK_KEY_BYTES];
        crypto_random(key, sizeof key);
        buf_add(&bytes, key, sizeof key);
        crypto_wipe(key, sizeof key);
        err = file_replace(path, bytes.data, bytes.len, why);
    } else if (err != ERR_OK) {
        *why = absent;
    }
    if (err == ERR_OK && bytes.len != ACK_KEY_BYTES)
        err = err_set(why, ERR_CORRUPT,
                      "%s is no key: remove it, and links sent until now end", path);
    if (err == ERR_OK) {
        memcpy(collector->links.key, bytes.data, ACK_KEY_BYTES);
        collector->links.base = settings->escalation.link;
        collector->links.valid_ms = settings->escalation.link_ms;
    }
    buf_fini(&bytes);
    free(path);
    return err;
}

static void open_roster(struct collector *collector)
{
    const struct settings *settings = collector->settings;
    struct buf lines = {0};
    name_receivers(collector);
    size_t count = settings->webhook_count + settings->channel_count;
    collector->roster_channels = mem_array(count, sizeof *collector->roster_channels);
    for (size_t i = 0; i < count; i++)
        collector->roster_channels[i] = roster_channel_of(collector->receivers[i]);
    collector->roster =
        roster_create(&settings->escalation, collector->roster_channels, count);
    collector->desk = reply_desk_create(collector->roster, collector->links.key,
                                        collector->links.valid_ms);
    buf_text(&lines, "");
    roster_warnings(collector->roster, clock_wall_ms(collector->clock), &lines);
    for (char *line = lines.data, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        *end = '\0';
        log_warn("escalation: %s", line);
    }
    buf_fini(&lines);
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
        .send = collector_send_ack,
    };
    collector->acks = acks_create(&acks);
    collector->configs = configs_create(
        &(struct configs_options){.context = collector, .send = collector_send_config});
    const struct pipeline_options options = {
        .journal = collector->journal,
        .state = collector->state,
        .acks = collector->acks,
        .configs = collector->configs,
        .guard = collector->guard,
        .silence_grace_ms = settings->pipeline.silence_grace_ms,
        .batch_ms = BATCH_MS,
        .history_dir = collector->history_dir,
        .channels = collector->channels,
        .channel_count = settings->webhook_count + settings->channel_count,
        .beat_channel = settings->heartbeat.to.url != NULL ? BEAT_NAME : NULL,
        .roster = collector->roster,
        .links = collector->links.base != NULL ? &collector->links : NULL,
        .path_ms = settings->escalation.path_ms,
        .context = collector,
        .on_command = collector_on_command,
        .on_effects = collector_on_effects,
        .on_news = collector_on_news,
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
        return collector_append(collector, RECORD_CONFIG, seed->data, seed->len, NULL);
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
        err = collector_append(collector, RECORD_START, start.data, start.len, NULL);
    buf_fini(&seed);
    buf_fini(&start);
    return err == ERR_OK
               ? err
               : err_set(why, err, "the journal takes nothing: %s", err_about(err));
}

static void on_influx_failed(void *context, enum err err, const struct err_text *why)
{
    collector_fail(context, err, why);
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
        .evaluated = collector_evaluated,
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
        .on_synced = collector_on_synced,
        .on_failed = collector_on_sync_failed,
        .on_room = collector_on_room,
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
        .on_connected = collector_on_broker,
        .on_delivered = collector_on_delivered,
    };
    return intake_open(&collector->intake, &options, why);
}

static void open_notifier(struct collector *collector)
{
    const struct notifier_options options = {
        .state = collector->state,
        .loop = collector->loop,
        .clock = collector->clock,
        .channels = collector->receivers,
        .channel_count = collector->receiver_count,
        .context = collector,
        .on_attempt = collector_on_attempt,
        .applied = collector_evaluated,
        .on_result = collector_on_result,
        .address = collector_on_address,
        .publish = collector_on_publish,
    };
    collector->notifier = notifier_create(&options);
    collector_pump(collector);
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
        .links = collector->links.base != NULL ? &collector->links : NULL,
        .roster = collector->roster,
        .desk = collector->desk,
        .channels = collector->receivers,
        .channel_count = collector->receiver_count,
        .publish = collector_publish,
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
        .live = collector_live,
        .tell_all = collector_tell_all,
        .streams = (size_t)settings->api.streams,
        .submit = collector_submit,
        .write = collector_write_state,
        .ready = collector_ready,
    };
    enum err err = api_open(&collector->api, &options, why);
    free(token_file);
    return err;
}

/* The channel's bot, and all its channels that take answers; none when an earlier channel
 * stands for it. */
static size_t channels_of_bot(const struct collector *collector, size_t first,
                              const struct config_channel **channels)
{
    size_t count = 0;
    for (size_t i = 0; i < collector->receiver_count; i++) {
        const struct config_channel *channel = collector->receivers[i];
        if (!channel->replies ||
            !telegram_is_same_bot(channel, collector->receivers[first]))
            continue;
        if (i < first)
            return 0;
        channels[count++] = channel;
    }
    return count;
}

static void open_bots(struct collector *collector)
{
    const struct config_channel **channels =
        mem_array(collector->receiver_count, sizeof *channels);
    collector->bots = mem_array(collector->receiver_count, sizeof(struct telegram *));
    for (size_t i = 0; i < collector->receiver_count; i++) {
        size_t count = collector->receivers[i]->replies
                           ? channels_of_bot(collector, i, channels)
                           : 0;
        const struct telegram_options options = {
            .channels = channels,
            .channel_count = count,
            .desk = collector->desk,
            .state_path = collector->state_path,
            .data_dir = collector->settings->data_dir,
            .clock = collector->clock,
            .loop = collector->loop,
            .context = collector,
            .submit = collector_submit,
        };
        if (count > 0)
            collector->bots[collector->bot_count++] = telegram_create(&options);
    }
    free(channels);
}

static void on_beat(void *context, const void *data, size_t len)
{
    collector_append_or_fail(context, RECORD_BEAT, data, len);
}

static void start_heartbeat(struct collector *collector)
{
    const struct heartbeat_options options = {
        .loop = collector->loop,
        .clock = collector->clock,
        .every_ms = collector->settings->heartbeat.every_ms,
        .context = collector,
        .ready = collector_ready,
        .append = on_beat,
    };
    if (collector->settings->heartbeat.to.url != NULL)
        collector->heartbeat = heartbeat_create(&options);
}

void collector_start_timers(struct collector *collector)
{
    start_heartbeat(collector);
    collector->tick = loop_timer_create(collector->loop, collector_on_tick, collector);
    collector->ack_timer =
        loop_timer_create(collector->loop, collector_on_ack_timer, collector);
    collector->checkpoint =
        loop_timer_create(collector->loop, collector_on_checkpoint, collector);
    collector->news =
        loop_timer_create(collector->loop, collector_on_news_timer, collector);
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
        err = open_links(collector, why);
    if (err == ERR_OK)
        open_roster(collector);
    if (err == ERR_OK)
        err = open_pipeline(collector, &meta, why);
    if (err == ERR_OK)
        err = append_start(collector, why);
    return err;
}

enum err collector_open_all(struct collector *collector, struct err_text *why)
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
    if (err == ERR_OK)
        open_bots(collector);
    return err;
}
