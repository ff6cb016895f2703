// SPDX-License-Identifier: Apache-2.0
/*
 * The pipeline over a real journal and a real state.db: one story of messages, read in
 * one go, and read with a crash behind every single record.
 */
#include "collector/pipeline/pipeline.h"

#include <inttypes.h>
#include <math.h>
#include <sys/wait.h>

#include "base/crypto.h"
#include "base/deflate.h"
#include "collector/metrics.h"
#include "collector/record.h"
#include "collector/store/state_delivery.h"
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
};

static bool on_send(void *context, const char *topic, const void *data, size_t len)
{
    struct house *house = context;
    house->acks_sent++;
    if (strcmp(topic, "coldchain/v1/o/d/ack") == 0)
        snprintf(house->last_ack, sizeof house->last_ack, "%.*s", (int)len,
                 (const char *)data);
    return true;
}

static void on_command(void *context, const char *id, enum err err, const char *text)
{
    struct house *house = context;
    CHECK_TEXT(id, "c1");
    (void)text;
    house->commands++;
    house->command_err = err;
}

static void on_effects(void *context)
{
    (void)context;
}

static void before_record(void *context, const struct journal_record *record)
{
    struct house *house = context;
    if (house->poison != 0 && record->position == house->poison)
        abort();
}

static void pipeline_start(struct house *house)
{
    static const char *const channels[] = {"duty"};
    struct err_text why = {0};
    const struct pipeline_options options = {
        .journal = house->journal,
        .state = house->state,
        .acks = house->acks,
        .guard = house->guard,
        .silence_grace_ms = 0,
        .channels = channels,
        .channel_count = 1,
        .context = house,
        .on_command = on_command,
        .on_effects = on_effects,
        .before_record = before_record,
    };
    enum err err = pipeline_open(&house->pipeline, &options, &why);
    if (err != ERR_OK)
        printf("\n  %s\n", why.text);
    CHECK(err == ERR_OK);
}

static void house_open(struct house *house)
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

static void house_close(struct house *house)
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

static void put(struct house *house, enum record_type type, int64_t at_ms,
                const void *data, size_t len)
{
    const struct journal_piece piece = {data, len};
    CHECK(journal_append(house->journal, (uint8_t)type, at_ms, 0, &piece, 1, NULL) ==
          ERR_OK);
}

static uint64_t put_message(struct house *house, int64_t at_ms, const char *topic,
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

static void readings_topic(char text[TOPIC_MAX], const char *device, uint64_t seq)
{
    struct topic topic = {.org = "o", .kind = TOPIC_READINGS, .epoch = EPOCH, .seq = seq};
    snprintf(topic.device, sizeof topic.device, "%s", device);
    topic_format(&topic, text);
}

/* One reading a minute: seq n is of minute n. */
static uint64_t put_pack(struct house *house, const char *device, uint64_t seq,
                         double value, bool is_deflated)
{
    struct pack pack = {.epoch = EPOCH, .seq = seq, .clock = PACK_CLOCK_SYNCED};
    int64_t at_ms = START_MS + (int64_t)seq * 60000;
    snprintf(pack.device, sizeof pack.device, "%s", device);
    pack.wall_ms = at_ms;
    struct reading reading = {.time_ms = at_ms, .value = value, .raw = (double)NAN};
    CHECK(pack_channel(&pack, "air_temperature", &reading.channel) == ERR_OK);
    CHECK(pack_add(&pack, &reading) == ERR_OK);
    struct buf text = {0};
    struct buf small = {0};
    pack_format(&pack, &text);
    deflate_pack(&small, text.data, text.len);
    char topic[TOPIC_MAX];
    readings_topic(topic, device, seq);
    uint64_t position =
        put_message(house, at_ms, topic, is_deflated ? small.data : text.data,
                    is_deflated ? small.len : text.len);
    buf_fini(&text);
    buf_fini(&small);
    pack_fini(&pack);
    return position;
}

static void put_tick(struct house *house, int64_t minute)
{
    put(house, RECORD_TICK, START_MS + minute * 60000, "", 1);
}

/* A day in the life: an excursion, packs out of order and doubled, damage, silence. */
static void put_story(struct house *house)
{
    char topic[TOPIC_MAX];
    put(house, RECORD_CONFIG, START_MS, config, strlen(config));
    put(house, RECORD_START, START_MS, "{}", 2);
    put_pack(house, "d", 1, 5.0, false);
    put_pack(house, "d", 2, 8.0, true);  /* opens: inclusive */
    put_pack(house, "d", 2, 8.0, true);  /* doubled */
    put_pack(house, "d", 4, 13.0, true); /* ahead of 3 */
    put_pack(house, "d", 5, 13.5, true);
    put_pack(house, "d", 3, 12.5, true); /* closes the gap: 3, 4, 5 in order */
    put_pack(house, "d", 6, 13.0, false);
    readings_topic(topic, "d", 7);
    put_message(house, START_MS + 7 * 60000, topic, "[{\"n\":", 6); /* unreadable */
    put_pack(house, "d", 8, 4.0,
             true); /* closes: what cannot be read is not waited for */
    put_pack(house, "stranger", 1, 50.0, true);
    put_message(house, START_MS + 9 * 60000, "coldchain/v1/o", "x", 1);
    for (int64_t minute = 9; minute < 25; minute++)
        put_tick(house, minute);         /* silent from minute 18 on */
    put_pack(house, "d", 30, 5.0, true); /* ahead of a long gap */
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
}

static void dump_message(void *context, const struct state_message *message)
{
    buf_format(context, "outbox %s %u %s\n", message->incident, message->revision,
               message->key);
}

static void dump_quarantined(void *context, const struct state_quarantined *entry)
{
    buf_format(context, "quarantine %" PRIu64 " %s %s\n", entry->position, entry->device,
               entry->reason);
}

static void dump_step(void *context, const struct state_transition *step)
{
    buf_format(context, "step %u %s %" PRId64 " %s\n", step->revision,
               alert_effect_name(step->kind), step->at_ms, step->body);
}

struct dump {
    struct buf *out;
    struct state *state;
    char ids[16][ALERT_ID_SIZE];
    size_t count;
};

static void dump_incident(void *context, const struct incident *incident)
{
    struct dump *dump = context;
    buf_format(dump->out, "incident %s %s %s %s %" PRId64 " %" PRId64 " %.17g\n",
               incident->id, incident->rule, incident_state_name(incident->state),
               alert_severity_name(incident->severity), incident->opened_ms,
               incident->closed_ms, incident->worst);
    snprintf(dump->ids[dump->count++], ALERT_ID_SIZE, "%s", incident->id);
}

static void dump_entity(void *context, const char *key, uint64_t position,
                        const void *data, size_t len)
{
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    char hash[17];
    crypto_digest(digest, data, len);
    buf_format(context, "entity %s %zu %s\n", key, len, crypto_hex(hash, digest, 8));
    (void)position;
}

/* Everything that was decided, as text. */
static char *dump_state(struct state *state)
{
    struct buf out = {0};
    struct dump dump = {.out = &out, .state = state};
    const struct state_incident_query query = {0};
    struct state_quarantine_cursor cursor = {0};
    CHECK(state_page_incidents(state, &query, &dump, dump_incident) == ERR_OK);
    for (size_t i = 0; i < dump.count; i++)
        CHECK(state_each_transition(state, dump.ids[i], &out, dump_step) == ERR_OK);
    CHECK(state_page_messages(state, NULL, 0, 1000, &out, dump_message) == ERR_OK);
    CHECK(state_page_quarantine(state, &cursor, 1000, &out, dump_quarantined) == ERR_OK);
    CHECK(state_load_evaluations(state, &out, dump_entity) == ERR_OK);
    return buf_take(&out);
}

static void advance(struct house *house, size_t most)
{
    struct err_text why = {0};
    bool more = true;
    enum err err = pipeline_advance(house->pipeline, most, &more, &why);
    if (err != ERR_OK)
        printf("\n  %s\n", why.text);
    CHECK(err == ERR_OK);
}

static void checkpoint(struct house *house)
{
    struct err_text why = {0};
    CHECK(pipeline_checkpoint(house->pipeline, &why) == ERR_OK);
}

static char *run_in_one_go(void)
{
    struct house house;
    house_open(&house);
    put_story(&house);
    pipeline_start(&house);
    advance(&house, 1000);
    checkpoint(&house);
    char *text = dump_state(house.state);
    house_close(&house);
    return text;
}

static unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        count++;
    return count;
}

static void the_story_ends_as_it_should(void)
{
    int64_t lost = metric_get(METRIC_LOST_PACKS);
    char *text = run_in_one_go();
    CHECK(count_of(text, "incident ") == 2); /* warm, and silence of the channel */
    CHECK(strstr(text, " warm closed critical ") != NULL);
    CHECK(strstr(text, " quiet ") != NULL);
    CHECK(count_of(text, "opened") >= 2);
    CHECK(count_of(text, " escalated ") == 1);
    CHECK(count_of(text, "unreadable") == 2); /* a damaged pack and a strange topic */
    CHECK(count_of(text, "undeclared-device") == 1);
    CHECK(metric_get(METRIC_LOST_PACKS) == lost);
    free(text);
}

/* Positions differ from journal to journal, contents do not: compare within one house. */
static void a_crash_behind_every_record_changes_nothing(void)
{
    static const size_t checkpoint_every[] = {1000, 1, 3, 7};
    for (size_t i = 0; i < sizeof checkpoint_every / sizeof checkpoint_every[0]; i++) {
        char row[64];
        snprintf(row, sizeof row, "checkpoint every %zu", checkpoint_every[i]);
        struct house house;
        house_open(&house);
        put_story(&house);
        pipeline_start(&house);
        advance(&house, 1000);
        checkpoint(&house);
        char *want = dump_state(house.state);
        pipeline_close(house.pipeline);
        state_close(house.state);

        struct err_text why;
        const char *path = folder_file(&house.folder, "again.db");
        CHECK(state_open(&house.state, path, &why) == ERR_OK);
        for (size_t step = 1; step <= 60; step++) {
            /* After a crash it stands at its checkpoint: one record more each time. */
            pipeline_start(&house);
            advance(&house, step % checkpoint_every[i] + 1);
            if (step % checkpoint_every[i] == 0)
                checkpoint(&house);
            pipeline_close(house.pipeline);
            house.pipeline = NULL;
        }
        pipeline_start(&house);
        advance(&house, 1000);
        checkpoint(&house);
        char *got = dump_state(house.state);
        if (strcmp(got, want) != 0)
            printf("\n--- got\n%s--- want\n%s", got, want);
        CHECK_ROW(row, strcmp(got, want) == 0);
        free(got);
        free(want);
        house_close(&house);
    }
}

static void acks_say_what_is_taken(void)
{
    struct house house;
    house_open(&house);
    put_story(&house);
    pipeline_start(&house);
    advance(&house, 1000);
    acks_flush(house.acks, INT64_MAX);
    CHECK(house.acks_sent == 2); /* the stranger's packs are kept too */
    struct ack ack = {0};
    struct err_text why = {0};
    if (ack_parse(&ack, house.last_ack, strlen(house.last_ack), &why) != ERR_OK)
        printf("\n  %s in %s\n", why.text, house.last_ack);
    CHECK(ack.epoch_count == 1);
    CHECK(ack.epochs[0].epoch == EPOCH && ack.epochs[0].through == 8);
    CHECK(ack.epochs[0].range_count == 1 && ack.epochs[0].ranges[0].first == 30);
    CHECK(ack.epochs[0].rejected_count == 1 && ack.epochs[0].rejected[0].first == 7);
    ack_fini(&ack);
    house_close(&house);
}

static void a_command_is_answered_once_it_was_applied(void)
{
    struct house house;
    house_open(&house);
    put_story(&house);
    const char *command = "{\"id\":\"c1\",\"verb\":\"acknowledge\",\"incident\":"
                          "\"00000000000000000000000000000000\",\"actor\":\"me\"}";
    put(&house, RECORD_COMMAND, START_MS + 3600000, command, strlen(command));
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    pipeline_start(&house);
    advance(&house, 1000);
    CHECK(house.commands == 1);
    CHECK(house.command_err == ERR_NOT_FOUND);
    house_close(&house);
}

/* A process of its own that reads the journal from the checkpoint on, and crashes. */
static void crash_in_a_child(struct house *house, const char *crashes)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct err_text why;
        freopen("/dev/null", "w", stderr);
        state_close(house->state);
        if (state_open(&house->state, folder_file(&house->folder, "state.db"), &why) !=
                ERR_OK ||
            guard_open(&house->guard, crashes, &why) != ERR_OK)
            _exit(1);
        pipeline_start(house);
        bool more;
        if (pipeline_advance(house->pipeline, 1000, &more, &why) != ERR_OK)
            _exit(2);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void a_poisonous_record_is_passed_over(void)
{
    struct house house;
    struct err_text why;
    char crashes[800];
    house_open(&house);
    snprintf(crashes, sizeof crashes, "%s/crashes", house.folder.path);
    put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
    put_pack(&house, "d", 1, 5.0, false);
    house.poison = put_pack(&house, "d", 2, 9.0, false);
    put_pack(&house, "d", 3, 9.5, false);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    state_close(house.state); /* no connection crosses a fork */
    house.state = NULL;
    crash_in_a_child(&house, crashes);
    crash_in_a_child(&house, crashes);
    CHECK(state_open(&house.state, folder_file(&house.folder, "state.db"), &why) ==
          ERR_OK);
    CHECK(guard_open(&house.guard, crashes, &why) == ERR_OK);
    house.poison = 0; /* it would not be harmless, but here it has to be */
    int64_t skipped = metric_get(METRIC_SKIPPED);
    pipeline_start(&house);
    advance(&house, 1000);
    CHECK(metric_get(METRIC_SKIPPED) == skipped + 1);
    acks_flush(house.acks, INT64_MAX); /* the agent need not send it again */
    CHECK(strstr(house.last_ack, "\"through\":\"3\"") != NULL);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    advance(&house, 1000);
    char *text = dump_state(house.state);
    CHECK(count_of(text, "poison") == 1);
    CHECK(count_of(text, "incident ") == 1); /* what is behind it is judged */
    free(text);
    house_close(&house);
}

/* In the middle of what was synced. */
static void flip_a_byte(void *context, const char *name)
{
    FILE *file = fopen(folder_file(context, name), "r+");
    if (file == NULL)
        return;
    CHECK(fseek(file, 0, SEEK_END) == 0);
    if (ftell(file) > 6000) {
        CHECK(fseek(file, 5500, SEEK_SET) == 0);
        CHECK(fputc('X', file) == 'X');
    }
    CHECK(fclose(file) == 0);
}

static void damage_of_the_journal_is_listed(void)
{
    struct house house;
    house_open(&house);
    put_story(&house);
    CHECK(journal_close(house.journal) == ERR_OK);
    struct folder segments;
    snprintf(segments.path, sizeof segments.path, "%.280s/journal", house.folder.path);
    folder_each(&segments, &segments, flip_a_byte);
    struct err_text why;
    const struct journal_options options = {.segment_bytes = 1 << 20};
    CHECK(journal_open(&house.journal, segments.path, &options, NULL, &why) == ERR_OK);
    int64_t damage = metric_get(METRIC_JOURNAL_DAMAGE);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    pipeline_start(&house);
    advance(&house, 1000);
    CHECK(metric_get(METRIC_JOURNAL_DAMAGE) > damage);
    char *text = dump_state(house.state);
    CHECK(count_of(text, "journal-damage") >= 1);
    free(text);
    house_close(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"the story ends as it should", the_story_ends_as_it_should},
        {"a crash behind every record changes nothing",
         a_crash_behind_every_record_changes_nothing},
        {"acks say what is taken", acks_say_what_is_taken},
        {"a command is answered once it was applied",
         a_command_is_answered_once_it_was_applied},
        {"a poisonous record is passed over", a_poisonous_record_is_passed_over},
        {"damage of the journal is listed", damage_of_the_journal_is_listed},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("pipeline", tests);
}
