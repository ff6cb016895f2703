// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/uplink.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "edge-agent/outbox.h"
#include "edge-agent/status.h"
#include "net/mqtt.h"
#include "telemetry/topic.h"

#define CONTENT_JSON    "application/senml+json"
#define CONTENT_DEFLATE "application/senml+json;deflate"
#define ZLIB_FIRST_BYTE 0x78

/* How much of an epoch has been counted as acked. */
struct tally {
    uint64_t epoch;
    uint64_t through;
};

struct uplink {
    struct uplink_options options; /* fixed after open, to last_will */
    char client_id[2 * ID_SIZE];
    char topics[TOPIC_CONFIG + 1][TOPIC_MAX]; /* by kind; not READINGS */
    char last_will[STATUS_OFFLINE_MAX];

    struct mqtt *mqtt;
    struct agent_core core;
    struct loop_timer *timer;
    struct outbox outbox;      /* what the connection had no room for */
    struct agent_event *queue; /* events that came while one was handled */
    size_t queue_count;
    size_t queue_capacity;
    bool is_feeding;
    bool has_written; /* LOSS or an epoch's end: to be committed */
    bool has_failed;
    bool is_closed; /* what was posted before is not acted on any more */
    struct tally *tallies;
    size_t tally_count;
    size_t tally_capacity;
    uint64_t packs_acked;
    uint64_t readings_acked;
    struct buf scratch;
};

/* ---- carrying out ---- */

static void feed(struct uplink *uplink, const struct agent_event *event);

static void fail(struct uplink *uplink, enum err err)
{
    if (uplink->has_failed)
        return;
    uplink->has_failed = true;
    uplink->options.on_failed(uplink->options.context, err);
}

static enum err publish(struct uplink *uplink, const struct mqtt_publish *publish)
{
    enum err err = mqtt_publish(uplink->mqtt, publish);
    if (err != ERR_OK && err != ERR_LIMIT && err != ERR_OFFLINE)
        log_warn("publish failed topic=%s reason=\"%s\"", publish->topic, err_about(err));
    return err;
}

/* A pack that is offline or refused is a pack lost on the way: it will be sent again. */
static enum err publish_bytes(struct uplink *uplink, const struct spool_pack *pack)
{
    const struct settings *settings = uplink->options.settings;
    struct topic topic = {.kind = TOPIC_READINGS, .epoch = pack->epoch, .seq = pack->seq};
    memcpy(topic.org, settings->org, strlen(settings->org) + 1);
    memcpy(topic.device, settings->device, strlen(settings->device) + 1);
    char text[TOPIC_MAX];
    const uint8_t *bytes = pack->bytes;
    bool is_deflated = pack->len > 0 && bytes[0] == ZLIB_FIRST_BYTE;
    return publish(uplink,
                   &(struct mqtt_publish){
                       .topic = topic_format(&topic, text),
                       .payload = pack->bytes,
                       .payload_len = pack->len,
                       .content_type = is_deflated ? CONTENT_DEFLATE : CONTENT_JSON,
                       .qos = 1,
                   });
}

static void publish_pack(struct uplink *uplink, uint64_t epoch, uint64_t seq,
                         bool is_live)
{
    struct spool_pack pack;
    enum err err = spool_read(uplink->options.spool, epoch, seq, &pack);
    if (err == ERR_CORRUPT || err == ERR_NOT_FOUND) {
        log_error("a stored pack is damaged epoch=%016llx seq=%llu",
                  (unsigned long long)epoch, (unsigned long long)seq);
        feed(uplink,
             &(struct agent_event){.kind = AGENT_PACK_GONE, .epoch = epoch, .seq = seq});
    }
    if (err == ERR_OK && publish_bytes(uplink, &pack) == ERR_LIMIT)
        outbox_put(&uplink->outbox, epoch, seq, is_live);
}

/* The connection has room again. */
static void publish_waiting(struct uplink *uplink)
{
    struct outbox_entry next;
    while (outbox_take(&uplink->outbox, &next)) {
        if (agent_core_is_done(&uplink->core, next.epoch, next.seq))
            continue;
        publish_pack(uplink, next.epoch, next.seq, next.is_live);
        return;
    }
}

static void publish_hello(struct uplink *uplink)
{
    struct hello hello;
    agent_core_hello(&uplink->core, &hello);
    memcpy(hello.version, COLDCHAIN_VERSION, sizeof COLDCHAIN_VERSION);
    buf_clear(&uplink->scratch);
    hello_format(&hello, &uplink->scratch);
    enum err err = publish(uplink, &(struct mqtt_publish){
                                       .topic = uplink->topics[TOPIC_HELLO],
                                       .payload = uplink->scratch.data,
                                       .payload_len = uplink->scratch.len,
                                       .content_type = "application/json",
                                       .qos = 1,
                                   });
    (void)err; /* asked again when nobody answers */
}

static void set_timer(struct uplink *uplink, int64_t at_ms)
{
    if (at_ms == 0) {
        loop_timer_cancel(uplink->timer);
        return;
    }
    int64_t delay_ms = at_ms - clock_real_ms();
    loop_timer_arm(uplink->timer, delay_ms > 0 ? delay_ms : 0);
}

static void note_written(struct uplink *uplink, enum err err)
{
    uplink->has_written = true;
    if (err == ERR_FULL)
        log_warn("no space to say what is lost; the collector will ask for it");
    else if (err != ERR_OK)
        fail(uplink, err);
}

static void save_marks(struct uplink *uplink)
{
    const struct clock *clock = uplink->options.clock;
    buf_clear(&uplink->scratch);
    agent_core_save(&uplink->core, &uplink->scratch);
    enum err err = spool_write_marks(uplink->options.spool, uplink->scratch.data,
                                     uplink->scratch.len, clock_wall_ms(clock),
                                     clock_boot_ms(clock));
    /* Without marks the collector says it again after a restart. */
    if (err != ERR_OK && err != ERR_FULL)
        fail(uplink, err);
}

/* A forked epoch that could not be ended, for want of room, is asked about again. */
static void take_along(struct uplink *uplink, const struct agent_action *action)
{
    struct recorder *recorder = uplink->options.recorder;
    if (action->is_fork && action->epoch == recorder_epoch(recorder))
        return;
    note_written(uplink, recorder_take_along(recorder, action->epoch, action->from,
                                             action->to, action->is_fork));
}

static void carry_out(struct uplink *uplink, const struct agent_action *action)
{
    struct recorder *recorder = uplink->options.recorder;
    switch (action->kind) {
    case AGENT_PUBLISH:
        publish_pack(uplink, action->epoch, action->seq, action->is_live);
        break;
    case AGENT_PUBLISH_HELLO:
        publish_hello(uplink);
        break;
    case AGENT_SET_TIMER:
        set_timer(uplink, action->at_ms);
        break;
    case AGENT_WRITE_LOSS:
        note_written(uplink, recorder_write_loss(recorder, action->epoch, action->from,
                                                 action->to, "space"));
        break;
    case AGENT_WRITE_MOVED:
        note_written(uplink, recorder_write_moved(recorder, action->epoch, action->from,
                                                  action->to));
        break;
    case AGENT_NEW_EPOCH:
        if (action->epoch == recorder_epoch(recorder))
            note_written(uplink, recorder_fork(recorder));
        break;
    case AGENT_TAKE_ALONG:
        take_along(uplink, action);
        break;
    case AGENT_SAVE_MARKS:
        save_marks(uplink);
        break;
    }
}

/* ---- events ---- */

static void handle(struct uplink *uplink, const struct agent_event *event)
{
    assert(uplink->is_feeding);
    struct agent_actions actions = {0};
    agent_core_step(&uplink->core, event, &actions);
    for (size_t i = 0; i < actions.count && !uplink->has_failed; i++)
        carry_out(uplink, &actions.list[i]);
    agent_actions_fini(&actions);
}

/* Events that carrying out one leads to are handled after it, not within it. */
static void feed(struct uplink *uplink, const struct agent_event *event)
{
    mem_grow(&uplink->queue, &uplink->queue_capacity, uplink->queue_count + 1,
             sizeof *uplink->queue);
    uplink->queue[uplink->queue_count] = *event;
    uplink->queue[uplink->queue_count++].now_ms = clock_real_ms();
    if (uplink->is_feeding)
        return;
    uplink->is_feeding = true;
    for (size_t at = 0; at < uplink->queue_count && !uplink->has_failed; at++) {
        struct agent_event next = uplink->queue[at];
        handle(uplink, &next);
        if (uplink->has_written) {
            uplink->has_written = false;
            enum err err = recorder_commit(uplink->options.recorder);
            if (err != ERR_OK)
                fail(uplink, err);
        }
    }
    uplink->queue_count = 0;
    uplink->is_feeding = false;
}

static void on_synced(void *context, uint64_t epoch, uint64_t seq, bool is_urgent)
{
    feed(context, &(struct agent_event){.kind = AGENT_PACK_SYNCED,
                                        .epoch = epoch,
                                        .seq = seq,
                                        .is_urgent = is_urgent});
}

static void on_thinned(void *context, uint64_t epoch, uint64_t from, uint64_t to)
{
    feed(context, &(struct agent_event){
                      .kind = AGENT_THINNED, .epoch = epoch, .seq = from, .to = to});
}

static void on_trimmed(void *context, uint64_t epoch, uint64_t first)
{
    feed(context,
         &(struct agent_event){.kind = AGENT_TRIMMED, .epoch = epoch, .seq = first});
}

static bool is_done(void *context, uint64_t epoch, uint64_t seq)
{
    const struct uplink *uplink = context;
    return agent_core_is_done(&uplink->core, epoch, seq);
}

static void on_timer(void *context)
{
    feed(context, &(struct agent_event){.kind = AGENT_TIMER});
}

/* ---- counting ---- */

static struct tally *tally_of(struct uplink *uplink, uint64_t epoch)
{
    for (size_t i = uplink->tally_count; i-- > 0;)
        if (uplink->tallies[i].epoch == epoch)
            return &uplink->tallies[i];
    mem_grow(&uplink->tallies, &uplink->tally_capacity, uplink->tally_count + 1,
             sizeof *uplink->tallies);
    uplink->tallies[uplink->tally_count] = (struct tally){.epoch = epoch};
    return &uplink->tallies[uplink->tally_count++];
}

/* Both ways: a restored collector takes back what it acked. */
static void count_epoch(struct uplink *uplink, const struct agent_epoch *epoch)
{
    struct tally *tally = tally_of(uplink, epoch->epoch);
    uint64_t now = epoch->done.through;
    const struct spool *spool = uplink->options.spool;
    if (now > tally->through) {
        uplink->packs_acked += now - tally->through;
        uplink->readings_acked +=
            spool_readings(spool, epoch->epoch, tally->through + 1, now);
    } else if (now < tally->through) {
        uplink->packs_acked -= tally->through - now;
        uplink->readings_acked -=
            spool_readings(spool, epoch->epoch, now + 1, tally->through);
    }
    tally->through = now;
}

static void count_acked(struct uplink *uplink)
{
    for (size_t i = 0; i < uplink->core.epoch_count; i++)
        count_epoch(uplink, &uplink->core.epochs[i]);
}

/* ---- what we say of ourselves ---- */

static void publish_status(struct uplink *uplink)
{
    buf_clear(&uplink->scratch);
    status_online(uplink->options.settings, uplink->options.rules,
                  clock_wall_ms(uplink->options.clock), &uplink->scratch);
    enum err err = publish(uplink, &(struct mqtt_publish){
                                       .topic = uplink->topics[TOPIC_STATUS],
                                       .payload = uplink->scratch.data,
                                       .payload_len = uplink->scratch.len,
                                       .content_type = "application/json",
                                       .qos = 1,
                                       .retain = true,
                                   });
    (void)err; /* said again at the next connect */
}

/* ---- messages ---- */

/* A message on its way from Paho's thread to the loop. */
struct letter {
    struct uplink *uplink;
    enum topic_kind kind;
    bool is_retained;
    size_t len;
    char payload[];
};

/* Of our pack that the ack says the hash of; what is proved is not read again. */
static uint64_t own_hash(struct uplink *uplink, const struct ack *ack, uint64_t epoch,
                         uint64_t seq, uint64_t said)
{
    struct spool_pack pack;
    if (said == 0)
        return 0;
    if (agent_core_is_proved(&uplink->core, ack, epoch, seq))
        return said;
    if (spool_read(uplink->options.spool, epoch, seq, &pack) != ERR_OK)
        return 0;
    return delivery_hash(pack.bytes, pack.len);
}

static struct agent_own own_of(struct uplink *uplink, const struct ack *ack,
                               const struct ack_epoch *said)
{
    struct agent_own own = {
        .mark = own_hash(uplink, ack, said->epoch, said->through, said->hash)};
    for (size_t i = 0; i < said->seam_count; i++)
        own.seams[i] =
            own_hash(uplink, ack, said->epoch, said->seams[i].seq, said->seams[i].hash);
    return own;
}

static void take_ack(struct uplink *uplink, const struct letter *letter)
{
    struct ack ack = {0};
    struct agent_own own[DELIVERY_EPOCHS_MAX];
    struct err_text why = {0};
    if (ack_parse(&ack, letter->payload, letter->len, &why) == ERR_OK) {
        for (size_t i = 0; i < ack.epoch_count; i++)
            own[i] = own_of(uplink, &ack, &ack.epochs[i]);
        feed(uplink, &(struct agent_event){.kind = AGENT_ACK,
                                           .ack = &ack,
                                           .own = own,
                                           .is_retained = letter->is_retained});
        count_acked(uplink);
    } else {
        log_warn("an ack cannot be read reason=\"%s\"", why.text);
    }
    ack_fini(&ack);
}

static void take_rules(struct uplink *uplink, const struct letter *letter)
{
    struct rules *rules = uplink->options.rules;
    if (!rules_take(rules, letter->payload, letter->len))
        return;
    recorder_apply_rules(uplink->options.recorder, rules);
    if (uplink->options.on_rules != NULL)
        uplink->options.on_rules(uplink->options.context);
    publish_status(uplink);
}

static void take_letter(void *context)
{
    struct letter *letter = context;
    if (letter->uplink->is_closed)
        log_debug("a message came too late bytes=%zu", letter->len);
    else if (letter->kind == TOPIC_ACK)
        take_ack(letter->uplink, letter);
    else if (letter->kind == TOPIC_CONFIG)
        take_rules(letter->uplink, letter);
    else
        log_debug("a message that this version does not act on bytes=%zu", letter->len);
    free(letter);
}

/* COMMAND for what is none of the others. */
static enum topic_kind kind_of(const struct uplink *uplink,
                               const struct mqtt_message *message)
{
    static const enum topic_kind kinds[] = {TOPIC_ACK, TOPIC_CONFIG};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *topic = uplink->topics[kinds[i]];
        if (message->topic_len == strlen(topic) &&
            memcmp(message->topic, topic, message->topic_len) == 0)
            return kinds[i];
    }
    return TOPIC_COMMAND;
}

/* Of rules that are too long one byte more than allowed is enough to refuse them. */
static size_t length_of(enum topic_kind kind, const struct mqtt_message *message)
{
    bool is_cut = kind == TOPIC_CONFIG && message->payload_len > ZONE_RULES_BYTES_MAX;
    return is_cut ? ZONE_RULES_BYTES_MAX + 1 : message->payload_len;
}

/* Paho's thread, under Paho's lock. */
static void on_message(void *context, const struct mqtt_message *message)
{
    struct uplink *uplink = context;
    enum topic_kind kind = kind_of(uplink, message);
    size_t len = length_of(kind, message);
    if (kind != TOPIC_CONFIG && len > DELIVERY_BYTES_MAX)
        return;
    struct letter *letter = mem_alloc(sizeof *letter + len);
    letter->uplink = uplink;
    letter->kind = kind;
    letter->is_retained = message->is_retained;
    letter->len = len;
    if (len > 0)
        memcpy(letter->payload, message->payload, len);
    loop_post(uplink->options.loop, take_letter, letter);
}

/* ---- the connection ---- */

static void subscribe(struct uplink *uplink, enum topic_kind kind, int qos)
{
    enum err err = mqtt_subscribe(uplink->mqtt, uplink->topics[kind], qos, 0);
    if (err != ERR_OK)
        log_warn("subscribe failed topic=%s reason=\"%s\"", uplink->topics[kind],
                 err_about(err));
}

static void on_connected(void *context, bool session_present)
{
    struct uplink *uplink = context;
    (void)session_present; /* a clean start */
    log_info("connected peer=%s waiting=%llu", uplink->options.settings->mqtt.uri,
             (unsigned long long)agent_core_backlog(&uplink->core));
    subscribe(uplink, TOPIC_ACK, 0);
    subscribe(uplink, TOPIC_COMMAND, 1);
    subscribe(uplink, TOPIC_CONFIG, 1);
    publish_status(uplink);
    uint8_t random[(DELIVERY_NONCE_SIZE - 1) / 2];
    char nonce[DELIVERY_NONCE_SIZE];
    crypto_random(random, sizeof random);
    feed(uplink, &(struct agent_event){
                     .kind = AGENT_CONNECTED,
                     .nonce = crypto_hex(nonce, random, sizeof random),
                 });
}

static void on_lost(void *context, const char *why)
{
    struct uplink *uplink = context;
    log_warn("uplink lost peer=%s reason=\"%s\"", uplink->options.settings->mqtt.uri,
             why);
    feed(uplink, &(struct agent_event){.kind = AGENT_LOST});
}

static void on_delivered(void *context, uint64_t tag)
{
    (void)tag;
    publish_waiting(context);
}

static void on_refused(void *context, uint64_t tag, const char *why)
{
    struct uplink *uplink = context;
    (void)tag;
    log_warn("the broker refuses a message peer=%s reason=\"%s\"",
             uplink->options.settings->mqtt.uri, why);
    publish_waiting(uplink);
}

static void on_subscribed(void *context, const char *filter, const char *refusal)
{
    (void)context;
    if (refusal != NULL)
        log_error("the broker refuses a subscription topic=%s reason=\"%s\"", filter,
                  refusal);
}

/* ---- opening ---- */

static void make_topics(struct uplink *uplink)
{
    const struct settings *settings = uplink->options.settings;
    static_assert(TOPIC_READINGS == 0, "the only kind with a name of its own each time");
    for (int kind = TOPIC_STATUS; kind <= TOPIC_CONFIG; kind++) {
        struct topic topic = {.kind = (enum topic_kind)kind};
        memcpy(topic.org, settings->org, strlen(settings->org) + 1);
        memcpy(topic.device, settings->device, strlen(settings->device) + 1);
        topic_format(&topic, uplink->topics[kind]);
    }
}

static void load_held(struct uplink *uplink)
{
    const struct spool *spool = uplink->options.spool;
    for (size_t i = 0; i < spool_epoch_count(spool); i++) {
        const struct spool_epoch *epoch = spool_epoch_at(spool, i);
        agent_core_hold(&uplink->core, epoch->epoch, epoch->first, epoch->last);
    }
    const struct buf *marks = spool_marks(spool);
    if (marks != NULL &&
        agent_core_load(&uplink->core, marks->data, marks->len) != ERR_OK)
        log_warn("the marks of what was acked cannot be read; the collector says them");
    count_acked(uplink);
}

static enum err connect(struct uplink *uplink, struct err_text *why)
{
    const struct settings *settings = uplink->options.settings;
    snprintf(uplink->client_id, sizeof uplink->client_id, "%s/%s", settings->org,
             settings->device);
    const char *name = uplink->client_id;
    struct mqtt_options options = {
        .uri = settings->mqtt.uri,
        .client_id = settings->mqtt.client_id != NULL ? settings->mqtt.client_id : name,
        .username = settings->mqtt.username != NULL   ? settings->mqtt.username
                    : settings->mqtt.password != NULL ? name
                                                      : NULL,
        .password = settings->mqtt.password,
        .ca_file = settings->mqtt.ca_file,
        .cert_file = settings->mqtt.cert_file,
        .key_file = settings->mqtt.key_file,
        .keepalive_s = (int)(settings->mqtt.keepalive_ms / 1000),
        .clean_start = true,
        .reconnect_min_ms = settings->mqtt.reconnect_min_ms,
        .reconnect_max_ms = settings->mqtt.reconnect_max_ms,
        .will_topic = uplink->topics[TOPIC_STATUS],
        .will_payload = uplink->last_will,
        .context = uplink,
        .on_message = on_message,
        .on_connected = on_connected,
        .on_lost = on_lost,
        .on_delivered = on_delivered,
        .on_refused = on_refused,
        .on_subscribed = on_subscribed,
    };
    return mqtt_open(&uplink->mqtt, uplink->options.loop, &options, why);
}

enum err uplink_open(struct uplink **uplink, const struct uplink_options *options,
                     struct err_text *why)
{
    assert(options->on_failed != NULL);
    *uplink = NULL;
    struct uplink *made = mem_alloc(sizeof *made);
    made->options = *options;
    uint64_t seed;
    crypto_random(&seed, sizeof seed);
    agent_core_init(&made->core, seed);
    made->timer = loop_timer_create(options->loop, on_timer, made);
    make_topics(made);
    status_offline(made->last_will, "lost");
    load_held(made);
    recorder_set_sender(options->recorder, &(struct recorder_sender){
                                               .context = made,
                                               .on_synced = on_synced,
                                               .on_thinned = on_thinned,
                                               .on_trimmed = on_trimmed,
                                               .is_done = is_done,
                                           });
    enum err err = connect(made, why);
    if (err != ERR_OK) {
        uplink_close(made);
        return err;
    }
    *uplink = made;
    return ERR_OK;
}

static void say_goodbye(struct uplink *uplink)
{
    char offline[STATUS_OFFLINE_MAX];
    status_offline(offline, "stopped");
    enum err err = publish(uplink, &(struct mqtt_publish){
                                       .topic = uplink->topics[TOPIC_STATUS],
                                       .payload = offline,
                                       .payload_len = strlen(offline),
                                       .content_type = "application/json",
                                       .qos = 1,
                                       .retain = true,
                                   });
    (void)err; /* then the last will says it */
}

/* After all letters, which know it. */
static void bury(void *context)
{
    free(context);
}

void uplink_close(struct uplink *uplink)
{
    if (uplink == NULL)
        return;
    if (uplink->mqtt != NULL && mqtt_is_connected(uplink->mqtt))
        say_goodbye(uplink);
    mqtt_close(uplink->mqtt);
    recorder_set_sender(uplink->options.recorder, &(struct recorder_sender){0});
    loop_timer_destroy(uplink->timer);
    agent_core_fini(&uplink->core);
    outbox_fini(&uplink->outbox);
    free(uplink->queue);
    free(uplink->tallies);
    buf_fini(&uplink->scratch);
    uplink->is_closed = true;
    loop_post(uplink->options.loop, bury, uplink);
}

bool uplink_is_connected(const struct uplink *uplink)
{
    return mqtt_is_connected(uplink->mqtt);
}

uint64_t uplink_backlog(const struct uplink *uplink)
{
    return agent_core_backlog(&uplink->core);
}

const struct agent_counts *uplink_counts(const struct uplink *uplink)
{
    return &uplink->core.counts;
}

uint64_t uplink_packs_acked(const struct uplink *uplink)
{
    return uplink->packs_acked;
}

uint64_t uplink_readings_acked(const struct uplink *uplink)
{
    return uplink->readings_acked;
}
