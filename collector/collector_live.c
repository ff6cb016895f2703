// SPDX-License-Identifier: Apache-2.0
/*
 * collector_live - what others are told: streams, devices and whoever asks the API.
 */
#include <inttypes.h>

#include "collector/collector_internal.h"
#include "collector/command/command.h"
#include "collector/store/state_causes.h"

#define NEWS_MS   200 /* readings are told to streams together */
#define NEWS_PART 20  /* of the loop's time, at most, goes into telling them */

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
void collector_tell_all(void *context)
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
void collector_on_news(void *context, bool is_urgent)
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

void collector_on_news_timer(void *context)
{
    struct collector *collector = context;
    collector->news_is_due = false;
    if (news_is_wanted(collector))
        tell_news(collector);
    else
        pipeline_drop_news(collector->pipeline);
}

/* Any thread. */
uint64_t collector_evaluated(void *context)
{
    const struct collector *collector = context;
    return pipeline_committed(collector->pipeline);
}

enum err collector_on_attempt(void *context, const struct record_attempt *attempt,
                              uint64_t *position)
{
    struct buf data = {0};
    record_attempt_format(attempt, &data);
    enum err err =
        collector_append(context, RECORD_ATTEMPT, data.data, data.len, position);
    buf_fini(&data);
    return err;
}

void collector_on_result(void *context, const struct record_result *result)
{
    struct buf data = {0};
    record_result_format(result, &data);
    collector_append_or_fail(context, RECORD_RESULT, data.data, data.len);
    buf_fini(&data);
}

static const struct config_channel *receiver_of(const struct collector *collector,
                                                const char *name)
{
    for (size_t i = 0; i < collector->receiver_count; i++)
        if (strcmp(collector->receivers[i]->name, name) == 0)
            return collector->receivers[i];
    return NULL;
}

char *collector_on_address(void *context, const struct state_message *message)
{
    const struct collector *collector = context;
    const struct config_channel *channel = receiver_of(collector, message->channel);
    char *body = roster_addressed(collector->roster, message->contact, message->channel,
                                  message->address, message->body);
    return channel != NULL && channel_takes_replies(channel)
               ? reply_desk_offer(collector->desk, channel, message->contact,
                                  message->incident, clock_wall_ms(collector->clock),
                                  body)
               : body;
}

enum err collector_on_publish(void *context, const char *topic, const void *data,
                              size_t len, uint64_t tag)
{
    const struct collector *collector = context;
    return collector->intake != NULL
               ? intake_publish(collector->intake, topic, data, len, tag)
               : ERR_OFFLINE;
}

void collector_on_delivered(void *context, uint64_t tag, const char *why)
{
    struct collector *collector = context;
    if (collector->notifier != NULL)
        notifier_delivered(collector->notifier, tag, why);
}

bool collector_send_ack(void *context, const char *topic, const void *data, size_t len)
{
    struct collector *collector = context;
    return collector->intake != NULL && intake_send(collector->intake, topic, data, len);
}

bool collector_send_config(void *context, const char *topic, const void *data, size_t len)
{
    struct collector *collector = context;
    return collector->intake != NULL && intake_is_connected(collector->intake) &&
           intake_retain(collector->intake, topic, data, len);
}

void collector_on_broker(void *context, bool session_present)
{
    struct collector *collector = context;
    configs_connected(collector->configs, session_present);
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

void collector_live(void *context, enum api_live what, const char *subject,
                    struct buf *out)
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
    case API_LIVE_CHANNELS:
        notifier_channels_json(collector->notifier, out);
        break;
    case API_LIVE_STATUS:
        status_json(collector, out);
        break;
    case API_LIVE_PLACEMENTS:
        pipeline_placements_json(collector->pipeline, out);
        break;
    case API_LIVE_RULES:
        pipeline_standing_json(collector->pipeline, subject, now_ms, out);
        break;
    }
}

enum err collector_submit(void *context, const char *json, size_t len)
{
    return collector_append(context, RECORD_COMMAND, json, len, NULL);
}

/* ---- what was acknowledged and forgotten ------------------------------------------- */

#define REMINDERS_MAX 100 /* with one tick; the next one goes on */

static void on_due(void *context, const char *incident, int64_t remind_ms)
{
    struct collector *collector = context;
    char id[COMMAND_ID_MAX + 1];
    /* The same for the same reminder, so that it is applied once however often asked. */
    snprintf(id, sizeof id, "remind-%s-%" PRId64, incident, remind_ms);
    json_t *body = json_pack("{s:s}", "id", incident);
    const struct command command = {
        .id = id,
        .verb = "incident.remind",
        .actor = "collector",
        .org = "",
        .reason = "",
        .if_version = COMMAND_ANY,
        .at_ms = clock_wall_ms(collector->clock),
        .body = body,
    };
    struct buf record = {0};
    command_format(&command, &record);
    collector_append_or_fail(collector, RECORD_COMMAND, record.data, record.len);
    buf_fini(&record);
    json_decref(body);
}

void collector_remind(struct collector *collector)
{
    if (!collector->is_caught_up)
        return;
    enum err err = state_due_reminders(collector->state, clock_wall_ms(collector->clock),
                                       REMINDERS_MAX, collector, on_due);
    if (err != ERR_OK)
        log_warn("nobody is reminded: state.db: %s", state_why(collector->state));
}

enum err collector_ready(void *context, struct err_text *why)
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
enum err collector_publish(void *context, const char *topic, const void *data, size_t len)
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
