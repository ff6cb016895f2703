// SPDX-License-Identifier: Apache-2.0
/*
 * What is said of the past, against what would have been: a device that is moved while
 * the pipeline is told at once, and one that it is told of later, over random series.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/rng.h"
#include "collector/pipeline/pipeline.h"
#include "collector/record.h"
#include "collector/store/history.h"
#include "collector/store/state_entities.h"
#include "collector/store/state_incidents.h"
#include "telemetry/delivery.h"
#include "telemetry/pack.h"
#include "telemetry/topic.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

#define START_MS INT64_C(1790000000000)
#define STEP_MS  INT64_C(60000)
#define EPOCH    UINT64_C(0xabcdef)
#define MINUTES  240
#define MORE     60 /* after the correction */

static const char *const config =
    "{\"zones\":[{\"id\":\"a\",\"org\":\"o\"},{\"id\":\"b\",\"org\":\"o\"}],"
    "\"devices\":[{\"org\":\"o\",\"id\":\"d\"}],"
    "\"placements\":[{\"org\":\"o\",\"device\":\"d\",\"channel\":\"\",\"zone\":\"a\"}],"
    "\"rules\":[{\"id\":\"warm-a\",\"zone\":\"a\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":8,"
    "\"delay\":120000,\"recovery_level\":7,\"recovery_delay\":180000},{\"severity\":"
    "\"critical\",\"level\":11,\"delay\":0,\"recovery_level\":8,\"recovery_delay\":0}]},"
    "{\"id\":\"warm-b\",\"zone\":\"b\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":5,"
    "\"delay\":60000,\"recovery_level\":5,\"recovery_delay\":60000}]},"
    "{\"id\":\"cold-b\",\"zone\":\"b\",\"quantity\":\"air_temperature\","
    "\"kind\":\"below\",\"levels\":[{\"severity\":\"critical\",\"level\":2,"
    "\"delay\":0,\"recovery_level\":3,\"recovery_delay\":0}]}]}";

struct house {
    struct folder folder;
    char history_dir[900];
    struct journal *journal;
    struct state *state;
    struct history *history;
    struct acks *acks;
    struct pipeline *pipeline;
    uint64_t cursor;
    size_t refused;
    const char *second; /* channel of put_pack(); NULL: a probe of air, too */
    int64_t late_min;   /* so long after a reading its pack comes */
};

static bool on_send(void *context, const char *topic, const void *data, size_t len)
{
    (void)context, (void)topic, (void)data, (void)len;
    return true;
}

static void on_command(void *context, const char *id, enum err err, const char *text,
                       const char *result)
{
    struct house *house = context;
    (void)id, (void)result;
    if (err != ERR_OK)
        printf("\n  refused: %s\n", text);
    house->refused += err != ERR_OK;
}

static void on_effects(void *context)
{
    (void)context;
}

static void start(struct house *house)
{
    static const char *const channels[] = {"duty"};
    struct err_text why = {0};
    const struct acks_options acks = {
        .store = "store", .interval_ms = 1000, .credits = 8, .send = on_send};
    house->acks = acks_create(&acks);
    const struct pipeline_options options = {
        .journal = house->journal,
        .state = house->state,
        .acks = house->acks,
        .history_dir = house->history_dir,
        .channels = channels,
        .channel_count = 1,
        .context = house,
        .on_command = on_command,
        .on_effects = on_effects,
    };
    CHECK(pipeline_open(&house->pipeline, &options, &why) == ERR_OK);
}

static void stop(struct house *house)
{
    pipeline_close(house->pipeline);
    acks_destroy(house->acks);
}

static void house_open(struct house *house)
{
    *house = (struct house){0};
    folder_make(&house->folder);
    struct err_text why = {0};
    const struct journal_options options = {.segment_bytes = 1 << 20};
    char dir[900];
    snprintf(dir, sizeof dir, "%s/journal", house->folder.path);
    CHECK(journal_open(&house->journal, dir, &options, NULL, &why) == ERR_OK);
    CHECK(state_open(&house->state, folder_file(&house->folder, "state.db"), &why) ==
          ERR_OK);
    snprintf(house->history_dir, sizeof house->history_dir, "%s/history",
             house->folder.path);
    CHECK(mkdir(house->history_dir, 0700) == 0);
    CHECK(history_open(&house->history, house->history_dir, &why) == ERR_OK);
    start(house);
}

static void house_close(struct house *house)
{
    char command[900];
    stop(house);
    history_close(house->history);
    state_close(house->state);
    CHECK(journal_close(house->journal) == ERR_OK);
    snprintf(command, sizeof command, "rm -r '%s'", house->folder.path);
    CHECK(system(command) == 0);
}

static void put(struct house *house, enum record_type type, int64_t minute,
                const void *data, size_t len)
{
    const struct journal_piece piece = {data, len};
    CHECK(journal_append(house->journal, (uint8_t)type, START_MS + minute * STEP_MS, 0,
                         &piece, 1, &house->cursor) == ERR_OK);
}

static void put_command(struct house *house, int64_t minute, const char *id,
                        const char *verb, const char *body)
{
    struct buf json = {0};
    buf_format(&json,
               "{\"id\":\"%s\",\"verb\":\"%s\",\"actor\":\"wang\",\"reason\":\"so\","
               "\"body\":%s}",
               id, verb, body);
    put(house, RECORD_COMMAND, minute, json.data, json.len);
    buf_fini(&json);
}

static void put_message(struct house *house, const char *topic, const struct buf *text,
                        int64_t at_ms)
{
    struct record_message message = {.topic = topic,
                                     .topic_len = strlen(topic),
                                     .payload = text->data,
                                     .payload_len = text->len,
                                     .qos = 1};
    uint8_t head[RECORD_MESSAGE_HEAD];
    record_message_head(&message, head);
    const struct journal_piece pieces[] = {
        {head, sizeof head}, {topic, message.topic_len}, {text->data, text->len}};
    CHECK(journal_append(house->journal, RECORD_MESSAGE, at_ms, 0, pieces, 3,
                         &house->cursor) == ERR_OK);
}

static void put_in_journal(struct house *house, const struct pack *pack, int64_t at_ms)
{
    struct topic topic = {
        .org = "o", .kind = TOPIC_READINGS, .epoch = EPOCH, .seq = pack->seq};
    snprintf(topic.device, sizeof topic.device, "d");
    char name[TOPIC_MAX];
    topic_format(&topic, name);
    struct buf text = {0};
    pack_format(pack, &text);
    put_message(house, name, &text, at_ms);
    buf_fini(&text);
}

/* It holds packs up to that one. */
static void put_hello(struct house *house, int64_t minute, uint64_t last)
{
    struct hello hello = {.epoch_count = 1};
    struct buf text = {0};
    snprintf(hello.nonce, sizeof hello.nonce, "%032d", 1);
    snprintf(hello.version, sizeof hello.version, "1");
    hello.epochs[0] = (struct hello_epoch){
        .epoch = EPOCH, .first = 1, .last = last, .is_current = true};
    hello_format(&hello, &text);
    put_message(house, "coldchain/v1/o/d/hello", &text, START_MS + minute * STEP_MS);
    buf_fini(&text);
}

/* Two channels a minute, into journal and history. */
static void put_pack(struct house *house, int64_t minute, double air, double other)
{
    int64_t at_ms = START_MS + minute * STEP_MS;
    int64_t arrival_ms = at_ms + house->late_min * STEP_MS;
    struct pack pack = {
        .epoch = EPOCH, .seq = (uint64_t)minute, .clock = PACK_CLOCK_SYNCED};
    snprintf(pack.device, sizeof pack.device, "d");
    pack.wall_ms = at_ms;
    const double values[] = {air, other};
    const char *const names[] = {
        "air_temperature", house->second != NULL ? house->second : "air_temperature-2"};
    for (size_t i = 0; i < 2; i++) {
        struct reading reading = {
            .time_ms = at_ms, .value = values[i], .raw = (double)NAN};
        CHECK(pack_channel(&pack, names[i], &reading.channel) == ERR_OK);
        CHECK(pack_add(&pack, &reading) == ERR_OK);
    }
    put_in_journal(house, &pack, arrival_ms);
    const struct history_message message = {.position = house->cursor,
                                            .org = "o",
                                            .device = "d",
                                            .epoch = EPOCH,
                                            .seq = pack.seq,
                                            .arrival_ms = arrival_ms};
    CHECK(history_begin(house->history) == ERR_OK);
    CHECK(history_append(house->history, &message, &pack) == ERR_OK);
    CHECK(history_commit(house->history, house->cursor) == ERR_OK);
    pack_fini(&pack);
}

static void advance(struct house *house)
{
    struct err_text why = {0};
    bool more = true;
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    while (more) {
        enum err err = pipeline_advance(house->pipeline, 100, &more, &why);
        if (err != ERR_OK)
            printf("\n  %s\n", why.text);
        CHECK(err == ERR_OK);
        if (err != ERR_OK)
            return;
    }
}

static void put_tick(struct house *house, int64_t minute)
{
    put(house, RECORD_TICK, minute, "", 1);
}

/* ---- what came of it -------------------------------------------------------------- */

/* The worst of one that is open is written down with its next transition. */
static void see_incident(void *context, const struct incident *incident)
{
    buf_format(context,
               "%s %s %s %s %s/%s onset %" PRId64 " closed %" PRId64 " worst %.17g\n",
               incident->id, incident->rule, incident->zone,
               incident_state_name(incident->state), incident->channel,
               alert_severity_name(incident->severity),
               (incident->onset_ms - START_MS) / STEP_MS,
               incident->closed_ms != 0 ? (incident->closed_ms - START_MS) / STEP_MS : -1,
               incident->closed_ms != 0 ? incident->worst : 0);
}

/* Incidents as people see them now: those that never were are not among them. */
static char *incidents_of(struct house *house)
{
    struct buf out = {0};
    const struct state_incident_query query = {0};
    CHECK(state_page_incidents(house->state, &query, &out, see_incident) == ERR_OK);
    return out.data != NULL ? buf_take(&out) : strdup("");
}

static void count_pending(void *context, const struct state_correction *row)
{
    (void)row;
    ++*(size_t *)context;
}

static size_t pending_of(struct house *house)
{
    size_t count = 0;
    CHECK(state_pending_corrections(house->state, 0, &count, count_pending) == ERR_OK);
    return count;
}

/* ---- two worlds ------------------------------------------------------------------- */

struct plan {
    double air[MINUTES + MORE];
    double other[MINUTES + MORE];
    int64_t moved;
    const char *body; /* of placement.put or .move, but for its time */
    const char *verb;
};

/* A walk that dwells now on this, now on the other side of all levels. */
static void fill(struct rng *rng, double *values)
{
    double value = 4;
    double to = 4;
    for (size_t i = 0; i < MINUTES + MORE; i++) {
        if (rng_below(rng, 12) == 0)
            to = (double)rng_below(rng, 130) / 10;
        value += (to - value) * 0.3;
        values[i] = value;
    }
}

static void say(struct house *house, const struct plan *plan, int64_t minute)
{
    char body[300];
    snprintf(body, sizeof body, "{%s,\"from\":%" PRId64 "}", plan->body,
             START_MS + plan->moved * STEP_MS);
    put_command(house, minute, "c1", plan->verb, body);
}

/* The world in which it is said at minute `said`. With a crash: behind a few more
 * readings.
 */
static char *live(const struct plan *plan, int64_t said, bool with_crash)
{
    struct house house;
    house_open(&house);
    put(&house, RECORD_CONFIG, 0, config, strlen(config));
    for (int64_t minute = 1; minute < MINUTES + MORE; minute++) {
        if (minute == said) {
            say(&house, plan, minute);
            for (int i = 0; i < 6; i++) {
                put_tick(&house, minute);
                advance(&house);
            }
        }
        if (with_crash && minute == said + MORE / 2) {
            stop(&house);
            start(&house);
            advance(&house);
        }
        put_pack(&house, minute, plan->air[minute], plan->other[minute]);
        put_tick(&house, minute);
        advance(&house);
    }
    struct err_text why;
    CHECK(pipeline_checkpoint(house.pipeline, &why) == ERR_OK);
    CHECK(pending_of(&house) == 0);
    CHECK(house.refused == 0);
    char *text = incidents_of(&house);
    house_close(&house);
    return text;
}

static void same_as_told_in_time(const char *verb, const char *body, bool with_crash)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct rng rng = {seed};
        struct plan plan = {.verb = verb, .body = body};
        fill(&rng, plan.air);
        fill(&rng, plan.other);
        plan.moved = 20 + (int64_t)rng_below(&rng, MINUTES - 40);
        char *in_time = live(&plan, plan.moved, false);
        char *late = live(&plan, MINUTES, with_crash);
        if (strcmp(in_time, late) != 0)
            printf("\n  seed %" PRIu64 " moved %" PRId64 "\n--- in time\n%s--- late\n%s",
                   seed, plan.moved, in_time, late);
        CHECK(strcmp(in_time, late) == 0);
        free(in_time);
        free(late);
    }
}

#define ALL_OF_IT "\"device\":\"d\",\"zone\":\"b\""
#define ONE_OF_IT "\"device\":\"d\",\"channel\":\"air_temperature-2\",\"zone\":\"b\""

static void a_device_that_was_moved(void)
{
    same_as_told_in_time("placement.move", ALL_OF_IT, false);
}

static void a_channel_that_was_placed_apart(void)
{
    same_as_told_in_time("placement.put", ONE_OF_IT, false);
}

static void a_crash_right_behind_it(void)
{
    same_as_told_in_time("placement.move", ALL_OF_IT, true);
}

/* ---- what the rules heed of the past ----------------------------------------------- */

#define TOLD_LATE 100
#define ALL_SAID  140

/* What is said at a minute; its `from`, where `%s` stands, is minute 2. */
struct said {
    int64_t minute;
    const char *verb;
    const char *body;
};

struct heeded {
    const char *name;
    const char *config;
    const char *second;
    struct said move; /* in time: at minute 3 */
    struct said said[3];
    double warm_C; /* from minute 30 to 49 */
    const char *want;
};

#define ZONES_A_B \
    "{\"zones\":[{\"id\":\"a\",\"org\":\"o\"},{\"id\":\"b\",\"org\":\"o\"}]," \
    "\"devices\":[{\"org\":\"o\",\"id\":\"d\"}],\"placements\":[{\"org\":\"o\"," \
    "\"device\":\"d\",\"channel\":\"\",\"zone\":\"a\"}],\"rules\":[{\"id\":\"warm\"," \
    "\"zone\":\"b\",\"quantity\":\"air_temperature\",\"kind\":\"above\",%s" \
    "\"levels\":[{\"severity\":\"warning\",\"level\":5,\"delay\":60000," \
    "\"recovery_level\":5,\"recovery_delay\":60000}]}]}"

static void say_one(struct house *house, int64_t minute, const struct said *said)
{
    char from[40];
    char id[40];
    char body[300];
    snprintf(from, sizeof from, "%" PRId64, START_MS + 2 * STEP_MS);
    snprintf(id, sizeof id, "%s-%" PRId64, said->verb, said->minute);
    snprintf(body, sizeof body, "{%s,\"from\":%s}", said->body, from);
    if (strstr(said->verb, "placement.") == NULL)
        snprintf(body, sizeof body, "{%s}", said->body);
    put_command(house, minute, id, said->verb, body);
}

static char *live_through(const struct heeded *heeded, int64_t told)
{
    struct house house;
    char text[1000];
    house_open(&house);
    house.second = heeded->second;
    snprintf(text, sizeof text, ZONES_A_B, heeded->config);
    put(&house, RECORD_CONFIG, 0, text, strlen(text));
    for (int64_t minute = 1; minute < ALL_SAID; minute++) {
        bool is_warm = minute >= 30 && minute < 50;
        if (minute == told)
            say_one(&house, minute, &heeded->move);
        for (size_t i = 0; i < 3 && heeded->said[i].verb != NULL; i++)
            if (heeded->said[i].minute == minute)
                say_one(&house, minute, &heeded->said[i]);
        put_pack(&house, minute, is_warm ? heeded->warm_C : 4,
                 minute >= 25 && minute < 55);
        put_tick(&house, minute);
        advance(&house);
    }
    CHECK_ROW(heeded->name, pending_of(&house) == 0 && house.refused == 0);
    char *incidents = incidents_of(&house);
    house_close(&house);
    return incidents;
}

/* What was excused then is excused when it is told of later. */
static void what_was_excused_stays_excused(void)
{
    static const struct heeded rows[] = {
        {.name = "nothing",
         .config = "",
         .move = {0, "placement.move", "\"device\":\"d\",\"zone\":\"b\""},
         .warm_C = 7,
         .want = "onset 30 closed 51"},
        {.name = "off duty",
         .config = "",
         .move = {0, "placement.move", "\"device\":\"d\",\"zone\":\"b\""},
         .said = {{20, "zone.duty", "\"id\":\"b\",\"on\":false,\"why\":\"empty\""},
                  {60, "zone.duty", "\"id\":\"b\",\"on\":true"}},
         .warm_C = 7,
         .want = ""},
        {.name = "the start behind it, and warm for longer",
         .config = "\"unless\":[\"start\"],",
         .move = {0, "placement.move", "\"device\":\"d\",\"zone\":\"b\""},
         .said = {{10, "zone.duty", "\"id\":\"b\",\"on\":false,\"why\":\"empty\""},
                  {20, "zone.duty", "\"id\":\"b\",\"on\":true"}},
         .warm_C = 7,
         .want = ""},
        {.name = "a door of the same device, and one channel moved",
         .config = "\"unless\":[\"door\"],",
         .second = "door",
         .move = {0, "placement.put",
                  "\"device\":\"d\",\"channel\":\"air_temperature\",\"zone\":\"b\""},
         .said = {{1, "placement.put",
                   "\"device\":\"d\",\"channel\":\"door\",\"zone\":\"b\""}},
         .warm_C = 7,
         .want = ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *in_time = live_through(&rows[i], 3);
        char *late = live_through(&rows[i], TOLD_LATE);
        if (strcmp(in_time, late) != 0)
            printf("\n  [%s]\n--- in time\n%s--- late\n%s", rows[i].name, in_time, late);
        CHECK_ROW(rows[i].name, strcmp(in_time, late) == 0);
        CHECK_ROW(rows[i].name, rows[i].want[0] != '\0'
                                    ? strstr(late, rows[i].want) != NULL
                                    : late[0] == '\0');
        free(in_time);
        free(late);
    }
}

struct long_sum {
    const char *name;
    const char *window; /* with its comma */
    int level_min;
    int64_t closed_min; /* by a person; 0: never */
    const char *want;
};

static void close_first(struct house *house, int64_t minute)
{
    char *incidents = incidents_of(house);
    char body[200];
    snprintf(body, sizeof body,
             "{\"id\":\"%.32s\",\"cause\":\"not_found\",\"action\":\"none\","
             "\"disposition\":\"no_product\"}",
             incidents);
    put_command(house, minute, "close", "incident.close", body);
    free(incidents);
}

/* 9 C for the first 100 minutes, and again 1,600 later; in between somebody says that the
 * probe was elsewhere for two minutes of 4 C. */
static char *live_long(const struct long_sum *row, bool is_corrected)
{
    static const char format[] =
        "{\"zones\":[{\"id\":\"a\",\"org\":\"o\"},{\"id\":\"b\",\"org\":\"o\"}],"
        "\"devices\":[{\"org\":\"o\",\"id\":\"d\"}],\"placements\":[{\"org\":\"o\","
        "\"device\":\"d\",\"channel\":\"\",\"zone\":\"a\"}],\"rules\":[{\"id\":\"sum\","
        "\"zone\":\"a\",\"quantity\":\"air_temperature\",\"kind\":\"cumulative_above\","
        "\"limit\":8,%s\"levels\":[{\"severity\":\"warning\",\"level\":%d,\"delay\":0,"
        "\"recovery_level\":%d,\"recovery_delay\":0}]}]}";
    struct house house;
    char text[1000];
    house_open(&house);
    snprintf(text, sizeof text, format, row->window, row->level_min, row->level_min);
    put(&house, RECORD_CONFIG, 0, text, strlen(text));
    for (int64_t minute = 1; minute <= 1740; minute++) {
        snprintf(text, sizeof text,
                 "{\"device\":\"d\",\"channel\":\"air_temperature\",\"zone\":\"b\","
                 "\"from\":%" PRId64 ",\"to\":%" PRId64 "}",
                 START_MS + 1680 * STEP_MS, START_MS + 1682 * STEP_MS);
        if (is_corrected && minute == 1690)
            put_command(&house, minute, "c1", "placement.put", text);
        if (minute == row->closed_min)
            close_first(&house, minute);
        put_pack(&house, minute, minute <= 100 || minute > 1700 ? 9 : 4, 4);
        put_tick(&house, minute);
        advance(&house);
    }
    CHECK_ROW(row->name, pending_of(&house) == 0 && house.refused == 0);
    char *incidents = incidents_of(&house);
    house_close(&house);
    return incidents;
}

static void a_sum_loses_nothing_of_what_was_before(void)
{
    static const struct long_sum rows[] = {
        {"of three days", "\"window\":259200000,", 110, 0,
         "open air_temperature/warning"},
        {"of all the past", "", 110, 0, "open air_temperature/warning"},
        {"of all the past, told and closed", "", 90, 200, "closed 200"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *untouched = live_long(&rows[i], false);
        char *corrected = live_long(&rows[i], true);
        CHECK_ROW(rows[i].name, strstr(untouched, rows[i].want) != NULL);
        CHECK_TEXT(corrected, untouched);
        free(untouched);
        free(corrected);
    }
}

/* ---- a backlog -------------------------------------------------------------------- */

static void tick_on(struct house *house, int64_t minute)
{
    for (int64_t i = 0; i < 4; i++)
        put_tick(house, minute + i);
    advance(house);
}

/* Nine of 99 packs come, 2 h late; the device is moved, and never heard of again. */
static void live_with_half_a_backlog(struct house *house, double air, bool with_crash)
{
    struct err_text why;
    put(house, RECORD_CONFIG, 0, config, strlen(config));
    house->late_min = 120;
    put_hello(house, 120, 99);
    for (int64_t minute = 1; minute < 10; minute++)
        put_pack(house, minute, minute < 2 ? 4 : air, 4);
    advance(house);
    if (with_crash) {
        CHECK(pipeline_checkpoint(house->pipeline, &why) == ERR_OK);
        stop(house);
        start(house);
    }
    say_one(house, 130, &(const struct said){130, "placement.move", ALL_OF_IT});
}

static void a_backlog_that_stopped_holds_up_no_correction(void)
{
    static const struct {
        const char *name;
        double air;
        bool with_crash;
        bool waits; /* while something is held */
    } rows[] = {
        {"nothing is found in it", 7, false, false},
        {"nothing is found, and a crash", 7, true, false},
        {"what is held is told first", 9, false, true},
        {"what is held is told first, and a crash", 9, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        house_open(&house);
        live_with_half_a_backlog(&house, rows[i].air, rows[i].with_crash);
        tick_on(&house, 131);
        CHECK_ROW(rows[i].name, (pending_of(&house) > 0) == rows[i].waits);
        tick_on(&house, 140);
        CHECK_ROW(rows[i].name, pending_of(&house) == 0 && house.refused == 0);
        char *incidents = incidents_of(&house);
        CHECK_ROW(rows[i].name, strstr(incidents, "warm-b") != NULL);
        CHECK_ROW(rows[i].name, strstr(incidents, "warm-a") == NULL);
        free(incidents);
        house_close(&house);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"a device that was moved: as if it had been told in time",
         a_device_that_was_moved},
        {"a channel that was placed apart: as if it had been told in time",
         a_channel_that_was_placed_apart},
        {"a crash right behind it: as if it had been told in time",
         a_crash_right_behind_it},
        {"what was excused stays excused", what_was_excused_stays_excused},
        {"a sum loses nothing of what was before",
         a_sum_loses_nothing_of_what_was_before},
        {"a backlog that stopped holds up no correction",
         a_backlog_that_stopped_holds_up_no_correction},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("corrections", tests);
}
