// SPDX-License-Identifier: Apache-2.0
/*
 * pipeline_house - a pipeline over a real journal and a real state.db, what is put into
 * the one, and all that was decided, from the other.
 */
#ifndef COLDCHAIN_TESTS_UNIT_COLLECTOR_PIPELINE_HOUSE_H
#define COLDCHAIN_TESTS_UNIT_COLLECTOR_PIPELINE_HOUSE_H

#include <inttypes.h>
#include <math.h>

#include "base/crypto.h"
#include "base/deflate.h"
#include "collector/pipeline/beat.h"
#include "collector/pipeline/pipeline.h"
#include "collector/record.h"
#include "collector/store/state_audit.h"
#include "collector/store/state_causes.h"
#include "collector/store/state_delivery.h"
#include "collector/store/state_entities.h"
#include "telemetry/delivery.h"
#include "telemetry/pack.h"
#include "telemetry/topic.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

#define START_MS INT64_C(1790000000000)
#define EPOCH    UINT64_C(0xabcdef)

static const char *const config =
    "{\"zones\":[{\"id\":\"room\",\"org\":\"o\",\"site\":\"s\",\"site_name\":\"S\","
    "\"name\":\"R\"}],\"devices\":[{\"org\":\"o\",\"id\":\"d\"}],"
    "\"placements\":[{\"org\":\"o\",\"device\":\"d\",\"channel\":\"\",\"zone\":\"room\","
    "\"from\":0,\"to\":0}],"
    "\"rules\":[{\"id\":\"warm\",\"zone\":\"room\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":8,\"delay\":0,"
    "\"recovery_level\":8,\"recovery_delay\":0},{\"severity\":\"critical\",\"level\":12,"
    "\"delay\":120000,\"recovery_level\":8,\"recovery_delay\":0}]},"
    "{\"id\":\"quiet\",\"zone\":\"room\",\"quantity\":\"\",\"kind\":\"silent\","
    "\"levels\":[],\"silent\":600000}]}";

struct house {
    struct folder folder;
    struct journal *journal;
    struct state *state;
    struct acks *acks;
    struct guard *guard;
    uint64_t poison; /* taking it is the end of the process */
    struct pipeline *pipeline;
    size_t acks_sent;
    char last_ack[4096];
    size_t commands;
    enum err command_err;
    char command_result[2000];
    void (*on_news)(void *context, bool is_urgent); /* NULL: nobody follows */
    const char *const *channels;                    /* NULL: "duty" alone */
    size_t channel_count;
    const struct roster *roster;
    const struct ack_links *links;
    int64_t path_ms;
    int64_t grace_ms;        /* of silence, after a start */
    struct configs *configs; /* NULL: devices are told nothing */
    struct buf told;
};

static inline bool on_send(void *context, const char *topic, const void *data, size_t len)
{
    struct house *house = context;
    house->acks_sent++;
    if (strcmp(topic, "coldchain/v1/o/d/ack") == 0)
        snprintf(house->last_ack, sizeof house->last_ack, "%.*s", (int)len,
                 (const char *)data);
    return true;
}

static inline void on_command(void *context, const char *id, enum err err,
                              const char *text, const char *result)
{
    struct house *house = context;
    CHECK(id[0] == 'c');
    (void)text;
    (void)result;
    house->commands++;
    house->command_err = err;
    snprintf(house->command_result, sizeof house->command_result, "%s", result);
}

static inline void on_effects(void *context)
{
    (void)context;
}

static inline void before_record(void *context, const struct journal_record *record)
{
    struct house *house = context;
    if (house->poison != 0 && record->position == house->poison)
        abort();
}

static inline void pipeline_start(struct house *house)
{
    static const char *const channels[] = {"duty"};
    struct err_text why = {0};
    const struct pipeline_options options = {
        .journal = house->journal,
        .state = house->state,
        .acks = house->acks,
        .configs = house->configs,
        .guard = house->guard,
        .silence_grace_ms = house->grace_ms,
        .channels = house->channels != NULL ? house->channels : channels,
        .channel_count = house->channels != NULL ? house->channel_count : 1,
        .roster = house->roster,
        .links = house->links,
        .path_ms = house->path_ms,
        .beat_channel = BEAT_NAME,
        .context = house,
        .on_command = on_command,
        .on_effects = on_effects,
        .on_news = house->on_news,
        .before_record = before_record,
    };
    enum err err = pipeline_open(&house->pipeline, &options, &why);
    if (err != ERR_OK)
        printf("\n  %s\n", why.text);
    CHECK(err == ERR_OK);
}

static inline void house_open(struct house *house)
{
    *house = (struct house){0};
    folder_make(&house->folder);
    struct err_text why = {0};
    const struct journal_options options = {.segment_bytes = 1 << 20};
    char dir[800];
    snprintf(dir, sizeof dir, "%s/journal", house->folder.path);
    CHECK(journal_open(&house->journal, dir, &options, NULL, &why) == ERR_OK);
    CHECK(state_open(&house->state, folder_file(&house->folder, "state.db"), &why) ==
          ERR_OK);
    const struct acks_options acks = {.store = "store",
                                      .interval_ms = 1000,
                                      .credits = 8,
                                      .context = house,
                                      .send = on_send};
    house->acks = acks_create(&acks);
}

static inline void house_close(struct house *house)
{
    char command[900];
    pipeline_close(house->pipeline);
    acks_destroy(house->acks);
    guard_close(house->guard);
    state_close(house->state);
    CHECK(journal_close(house->journal) == ERR_OK);
    snprintf(command, sizeof command, "rm -r '%s'", house->folder.path);
    CHECK(system(command) == 0);
}

static inline void put(struct house *house, enum record_type type, int64_t at_ms,
                       const void *data, size_t len)
{
    const struct journal_piece piece = {data, len};
    CHECK(journal_append(house->journal, (uint8_t)type, at_ms, 0, &piece, 1, NULL) ==
          ERR_OK);
}

static inline uint64_t put_message(struct house *house, int64_t at_ms, const char *topic,
                                   const void *payload, size_t len)
{
    struct record_message message = {.topic = topic,
                                     .topic_len = strlen(topic),
                                     .payload = payload,
                                     .payload_len = len,
                                     .qos = 1};
    uint8_t head[RECORD_MESSAGE_HEAD];
    record_message_head(&message, head);
    const struct journal_piece pieces[] = {
        {head, sizeof head}, {topic, message.topic_len}, {payload, len}};
    uint64_t position = 0;
    CHECK(journal_append(house->journal, RECORD_MESSAGE, at_ms, 0, pieces, 3,
                         &position) == ERR_OK);
    return position;
}

static inline void readings_topic(char text[TOPIC_MAX], const char *device, uint64_t seq)
{
    struct topic topic = {.org = "o", .kind = TOPIC_READINGS, .epoch = EPOCH, .seq = seq};
    snprintf(topic.device, sizeof topic.device, "%s", device);
    topic_format(&topic, text);
}

/* One reading, of that time, which comes at another. */
static inline uint64_t put_channel_late(struct house *house, const char *device,
                                        const char *channel, uint64_t seq, int64_t at_ms,
                                        int64_t arrival_ms, double value,
                                        bool is_deflated)
{
    struct pack pack = {.epoch = EPOCH, .seq = seq, .clock = PACK_CLOCK_SYNCED};
    snprintf(pack.device, sizeof pack.device, "%s", device);
    pack.wall_ms = at_ms;
    struct reading reading = {.time_ms = at_ms, .value = value, .raw = (double)NAN};
    CHECK(pack_channel(&pack, channel, &reading.channel) == ERR_OK);
    CHECK(pack_add(&pack, &reading) == ERR_OK);
    struct buf text = {0};
    struct buf small = {0};
    pack_format(&pack, &text);
    deflate_pack(&small, text.data, text.len);
    char topic[TOPIC_MAX];
    readings_topic(topic, device, seq);
    uint64_t position =
        put_message(house, arrival_ms, topic, is_deflated ? small.data : text.data,
                    is_deflated ? small.len : text.len);
    buf_fini(&text);
    buf_fini(&small);
    pack_fini(&pack);
    return position;
}

static inline uint64_t put_pack_late(struct house *house, const char *device,
                                     uint64_t seq, int64_t at_ms, int64_t arrival_ms,
                                     double value, bool is_deflated)
{
    return put_channel_late(house, device, "air_temperature", seq, at_ms, arrival_ms,
                            value, is_deflated);
}

/* One reading, of that time. */
static inline uint64_t put_pack_at(struct house *house, const char *device, uint64_t seq,
                                   int64_t at_ms, double value, bool is_deflated)
{
    return put_pack_late(house, device, seq, at_ms, at_ms, value, is_deflated);
}

/* One reading a minute: seq n is of minute n. */
static inline uint64_t put_pack(struct house *house, const char *device, uint64_t seq,
                                double value, bool is_deflated)
{
    return put_pack_at(house, device, seq, START_MS + (int64_t)seq * 60000, value,
                       is_deflated);
}

static inline void put_tick(struct house *house, int64_t minute)
{
    put(house, RECORD_TICK, START_MS + minute * 60000, "", 1);
}

static inline void dump_message(void *context, const struct state_message *message)
{
    buf_format(context, "outbox %s %u %s\n", message->incident, message->revision,
               message->key);
}

static inline void dump_quarantined(void *context, const struct state_quarantined *entry)
{
    buf_format(context, "quarantine %" PRIu64 " %s %s\n", entry->position, entry->device,
               entry->reason);
}

static inline void dump_step(void *context, const struct state_transition *step)
{
    buf_format(context, "step %u %s %" PRId64 " %s\n", step->revision,
               alert_effect_name(step->kind), step->at_ms, step->body);
}

struct dump {
    struct buf *out;
    struct state *state;
    char ids[64][ALERT_ID_SIZE];
    size_t count;
};

static inline void dump_incident(void *context, const struct incident *incident)
{
    struct dump *dump = context;
    buf_format(dump->out, "incident %s %s %s %s %" PRId64 " %" PRId64 " %.17g %.17g\n",
               incident->id, incident->rule, incident_state_name(incident->state),
               alert_severity_name(incident->severity), incident->opened_ms,
               incident->closed_ms, incident->value, incident->worst);
    snprintf(dump->ids[dump->count++], ALERT_ID_SIZE, "%s", incident->id);
}

static inline void dump_entity(void *context, const char *key, uint64_t position,
                               const void *data, size_t len)
{
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    char hash[17];
    crypto_digest(digest, data, len);
    buf_format(context, "entity %s %zu %s\n", key, len, crypto_hex(hash, digest, 8));
    (void)position;
}

static inline void dump_declared(void *context, const struct state_entity *row)
{
    buf_format(context, "declared %s %s %s %s %" PRId64 " %s\n", row->kind, row->id,
               row->org, row->parent, row->version, row->body);
}

static inline void dump_audit(void *context, const struct state_audit *row)
{
    char hash[2 * CRYPTO_DIGEST_BYTES + 1];
    buf_format(context, "audit %" PRIu64 " %s %s %s %s %s\n", row->seq, row->verb,
               row->outcome, row->result, row->changes,
               crypto_hex(hash, row->hash, sizeof row->hash));
}

static inline void dump_correction(void *context, const struct state_correction *row)
{
    buf_format(context, "correction %s/%s %" PRId64 "-%" PRId64 " %s>%s\n", row->device,
               row->channel, row->from_ms, row->to_ms, row->old_zone, row->new_zone);
}

static inline void dump_commands(struct state *state, struct buf *out)
{
    static const char *const kinds[] = {"org",     "site",      "zone", "device",
                                        "channel", "placement", "rule"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        CHECK(state_each_entity(state, kinds[i], NULL, NULL, out, dump_declared) ==
              ERR_OK);
    CHECK(state_page_audit(state, 0, 1000, out, dump_audit) == ERR_OK);
    CHECK(state_pending_corrections(state, 1000, out, dump_correction) == ERR_OK);
}

/* Everything that was decided, as text. */
static inline void dump_care(struct state *state, const char *id, struct buf *out)
{
    struct state_care care;
    struct cause cause;
    CHECK(state_get_care(state, id, &care) == ERR_OK);
    CHECK(state_get_cause(state, care.cause, &cause) == ERR_OK);
    buf_format(out, "care %s %s %d '%s' %s %lld %lld %lld %s %s\n", id, care.cause,
               care.is_told, care.acknowledge_reason, care.assigned_to,
               (long long)care.snoozed_until_ms, (long long)care.remind_ms,
               (long long)care.reminded_ms, care.closing.by, care.closing.disposition);
    buf_format(out, "cause %s %s %lld-%lld %d%d %d\n", cause.id, cause.zone,
               (long long)cause.onset_ms, (long long)cause.ended_ms, cause.is_told,
               cause.told, cause.is_wide);
}

static inline char *dump_state(struct state *state)
{
    struct buf out = {0};
    struct dump dump = {.out = &out, .state = state};
    const struct state_incident_query query = {0};
    struct state_quarantine_cursor cursor = {0};
    CHECK(state_page_incidents(state, &query, &dump, dump_incident) == ERR_OK);
    for (size_t i = 0; i < dump.count; i++)
        CHECK(state_each_transition(state, dump.ids[i], &out, dump_step) == ERR_OK);
    for (size_t i = 0; i < dump.count; i++)
        dump_care(state, dump.ids[i], &out);
    CHECK(state_page_messages(state, NULL, 0, 1000, &out, dump_message) == ERR_OK);
    CHECK(state_page_quarantine(state, &cursor, 1000, &out, dump_quarantined) == ERR_OK);
    CHECK(state_load_evaluations(state, &out, dump_entity) == ERR_OK);
    dump_commands(state, &out);
    return buf_take(&out);
}

static inline void advance(struct house *house, size_t most)
{
    struct err_text why = {0};
    bool more = true;
    enum err err = pipeline_advance(house->pipeline, most, &more, &why);
    if (err != ERR_OK)
        printf("\n  %s\n", why.text);
    CHECK(err == ERR_OK);
}

static inline void checkpoint(struct house *house)
{
    struct err_text why = {0};
    CHECK(pipeline_checkpoint(house->pipeline, &why) == ERR_OK);
}

static inline unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        count++;
    return count;
}

/* Closes the gap [from, to] as seq. */
static inline void put_loss(struct house *house, const char *device, uint64_t seq,
                            uint64_t from, uint64_t to)
{
    struct pack pack = {.kind = PACK_LOSS, .epoch = EPOCH, .seq = seq};
    int64_t at_ms = START_MS + (int64_t)seq * 60000;
    snprintf(pack.device, sizeof pack.device, "%s", device);
    pack.wall_ms = at_ms;
    pack.from = from;
    pack.to = to;
    struct buf text = {0};
    char topic[TOPIC_MAX];
    pack_format(&pack, &text);
    readings_topic(topic, device, seq);
    put_message(house, at_ms, topic, text.data, text.len);
    buf_fini(&text);
}

static inline void put_command(struct house *house, int64_t at_ms, const char *id,
                               const char *verb, const char *body)
{
    struct buf json = {0};
    buf_format(&json,
               "{\"id\":\"%s\",\"verb\":\"%s\",\"actor\":\"wang\",\"reason\":\"so\","
               "\"body\":%s}",
               id, verb, body);
    put(house, RECORD_COMMAND, at_ms, json.data, json.len);
    buf_fini(&json);
}

/* Positions differ from journal to journal, contents do not: compare within one house. */
static inline void check_crashes(struct house *house, const char *row,
                                 size_t checkpoint_every)
{
    CHECK(state_open(&house->state, folder_file(&house->folder, "whole.db"),
                     &(struct err_text){0}) == ERR_OK);
    pipeline_start(house);
    advance(house, 1000);
    checkpoint(house);
    struct buf registry = {0};
    registry_format(pipeline_registry(house->pipeline), &registry);
    char *want = dump_state(house->state);
    pipeline_close(house->pipeline);
    state_close(house->state);

    CHECK(state_open(&house->state, folder_file(&house->folder, "pieces.db"),
                     &(struct err_text){0}) == ERR_OK);
    for (size_t step = 1; step <= 60; step++) {
        /* After a crash it stands at its checkpoint: one record more each time. */
        pipeline_start(house);
        advance(house, step % checkpoint_every + 1);
        if (step % checkpoint_every == 0)
            checkpoint(house);
        pipeline_close(house->pipeline);
        house->pipeline = NULL;
    }
    pipeline_start(house);
    advance(house, 1000);
    checkpoint(house);
    char *got = dump_state(house->state);
    if (strcmp(got, want) != 0)
        printf("\n[%s]\n--- got\n%s--- want\n%s", row, got, want);
    CHECK_ROW(row, strcmp(got, want) == 0);
    struct buf now = {0};
    registry_format(pipeline_registry(house->pipeline), &now);
    CHECK_ROW(row, strcmp(registry.data, now.data) == 0);
    buf_fini(&registry);
    buf_fini(&now);
    free(got);
    free(want);
}

#endif
