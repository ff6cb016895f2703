// SPDX-License-Identifier: Apache-2.0
/*
 * The pipeline over a real journal and a real state.db: one story of messages, read in
 * one go, and read with a crash behind every single record.
 */
#include "collector/pipeline/pipeline.h"

#include <sys/wait.h>

#include "collector/metrics.h"
#include "tests/unit/collector/pipeline_house.h"

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

static const char *const late_config =
    "{\"zones\":[{\"id\":\"room\",\"org\":\"o\"},{\"id\":\"slow\",\"org\":\"o\"}],"
    "\"devices\":[{\"org\":\"o\",\"id\":\"d\"},{\"org\":\"o\",\"id\":\"s\"}],"
    "\"placements\":[{\"org\":\"o\",\"device\":\"d\",\"zone\":\"room\"},"
    "{\"org\":\"o\",\"device\":\"s\",\"zone\":\"slow\"}],"
    "\"rules\":[{\"id\":\"warm\",\"zone\":\"room\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":8,\"delay\":0,"
    "\"recovery_level\":8,\"recovery_delay\":0},{\"severity\":\"critical\",\"level\":20,"
    "\"delay\":0,\"recovery_level\":8,\"recovery_delay\":0}]},"
    "{\"id\":\"slow\",\"zone\":\"slow\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\",\"level\":8,"
    "\"delay\":120000,\"recovery_level\":8,\"recovery_delay\":0}]},"
    "{\"id\":\"quiet\",\"zone\":\"room\",\"quantity\":\"\",\"kind\":\"silent\","
    "\"levels\":[],\"silent\":600000}]}";

/* One letter is one record; see late_rows. */
static void put_hello(struct house *house, int64_t at_ms, uint64_t last)
{
    struct hello hello = {.epoch_count = 1};
    struct buf text = {0};
    snprintf(hello.nonce, sizeof hello.nonce, "n%" PRId64, at_ms);
    hello.epochs[0] = (struct hello_epoch){
        .epoch = EPOCH, .first = 1, .last = last, .is_current = true};
    hello_format(&hello, &text);
    put_message(house, at_ms, "coldchain/v1/o/d/hello", text.data, text.len);
    buf_fini(&text);
}

static void put_late(struct house *house, const char *packs)
{
    int64_t arrival_ms = 0; /* 0: each as it was measured */
    put(house, RECORD_CONFIG, START_MS, late_config, strlen(late_config));
    char device[2] = "";
    unsigned seq;
    int taken;
    for (const char *at = packs; *at != '\0'; at += taken) {
        double value;
        unsigned to;
        unsigned minute;
        char id[16];
        char verb[32];
        char body[256];
        if (sscanf(at, "do %u %15s %31s %255s %n", &seq, id, verb, body, &taken) == 4) {
            put_command(house, START_MS + seq * INT64_C(60000), id, verb, body);
        } else if (sscanf(at, "loss %1[a-z]%u %u-%u %n", device, &seq, &(unsigned){0},
                          &to, &taken) == 4) {
            unsigned from = 0;
            CHECK(sscanf(at, "loss %*1[a-z]%*u %u-", &from) == 1);
            put_loss(house, device, seq, from, to);
        } else if (sscanf(at, "tick %u %n", &seq, &taken) == 1) {
            put_tick(house, seq);
        } else if (sscanf(at, "at %u %n", &seq, &taken) == 1) {
            arrival_ms = START_MS + seq * INT64_C(60000);
        } else if (sscanf(at, "hello %u %n", &seq, &taken) == 1) {
            put_hello(house, arrival_ms, seq);
        } else if (sscanf(at, "%1[a-z]%u@%u=%lf %n", device, &seq, &minute, &value,
                          &taken) == 4) {
            int64_t at_ms = START_MS + minute * INT64_C(60000);
            put_pack_late(house, device, seq, at_ms, arrival_ms, value, true);
        } else if (sscanf(at, "%1[a-z]%u=%lf %n", device, &seq, &value, &taken) == 3) {
            int64_t at_ms = START_MS + seq * INT64_C(60000);
            put_pack_late(house, device, seq, at_ms, arrival_ms != 0 ? arrival_ms : at_ms,
                          value, true);
        } else {
            CHECK(false);
            break;
        }
    }
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
}

/* "d3=9": pack 3 of device d, of minute 3, says 9 degrees; "d3@7=9": of minute 7; "at
 * 60": what follows comes in minute 60; "hello 4": d holds packs up to 4; "loss d6 2-4":
 * 6 says that 2 to 4 are lost. Room d is warm from 8 on, critical from 20 on; room s
 * after 2 min. */
static const struct {
    const char *name;
    const char *packs;
    const char *want; /* the messages: o(pened), e(scalated), c(losed), in order */
    unsigned incidents;
} late_rows[] = {
    {"in order", "d1=5 d2=9 d3=5", "oc", 1},
    {"behind a gap it rings at once", "d1=5 d3=9", "o", 1},
    {"and is over at once", "d1=5 d3=9 d4=5", "oc", 1},
    {"told once when the gap closes", "d1=5 d3=9 d2=5", "o", 1},
    {"it had begun in the gap", "d1=5 d3=9 d2=9 d4=5", "oc", 1},
    {"begun in the gap, over behind it", "d1=5 d3=9 d4=5 d2=9", "oc", 1},
    {"the gap is lost, which is told too", "d1=5 d3=9 d4=9 loss d5 2-2 d6=5", "ooc", 2},
    {"a clone is told of once", "d1=5 d2=5 d2=6 d2=7 d3=5 d3=4", "o", 1},
    {"an incident in the gap is told late", "d1=5 d5=5 d2=5 d3=9 d4=5", "c", 1},
    {"two in the gap, one behind it",
     "d1=5 d9=9 d2=9 d3=5 d4=9 d5=5 d6=5 d7=5 d8=5 d10=5", "oc", 3},
    {"worse behind the gap", "d1=9 d3=25 d2=9", "oe", 1},
    {"worse in the gap", "d1=9 d3=9 d2=25", "oe", 1},
    {"worse in both is told once", "d1=9 d3=25 d2=25", "oe", 1},
    {"open before the gap, over behind it", "d1=9 d3=5 d2=9 d4=5", "oc", 1},
    {"open before and behind", "d1=9 d3=9 d2=9 d4=5", "oc", 1},
    {"over in the gap, again behind it", "d1=9 d3=9 d2=5 d4=5", "ococ", 2},
    {"it was wrong", "s1=9 s3=9 s2=5", "oc", 1},
    {"it was right", "s1=9 s3=9 s2=9", "o", 1},
    {"several gaps", "d1=5 d3=9 d5=9 d2=5 d4=9 d6=5", "oc", 1},
    {"what is heard behind a gap is not silent",
     "d1=5 d3=5 d8=5 tick 12 d13=5 tick 17 d18=5 tick 22 d2=5", "", 0},
    {"silence ends behind a gap", "d1=5 tick 12 d13=5 d14=5", "oc", 1},
    {"worse in the gap, and not now", "d1=9 d5=9 d2=25 d6=9", "o", 1},
    {"found in the gap first", "at 5 s1@1=9 s4@2=9 s2@3=9 s5@4=9", "o", 1},
    {"over in a backlog that comes in order",
     "d1=5 at 60 hello 6 d2=9 d3=25 d4=5 d5=5 d6=5", "c", 1},
    {"nothing of it is told before it is in", "d1=5 at 60 hello 6 d2=9 d3=25 d4=5 d5=5",
     "", 0},
    {"it goes on at the end of a backlog", "d1=5 at 60 hello 4 d2=5 d3=9 d4=9", "o", 1},
    {"open before a backlog, over in it", "d1=9 at 60 hello 4 d2=9 d3=5 d4=5", "oc", 1},
    {"worse in a backlog, and at its end", "d1=9 at 60 hello 3 d2=9 d3=25", "oe", 1},
    {"worse in a backlog, and over", "d1=9 at 60 hello 4 d2=25 d3=5 d4=5", "oc", 1},
    {"a hello without a backlog holds nothing", "at 60 hello 1 d1=5 d2=9 d3=5", "oc", 1},
    {"what is not old is told", "d1=5 at 8 hello 4 d2=9 d3=5", "oc", 1},
    {"a backlog is told when it is not old", "d1=5 at 14 hello 9 d2=9 d3=9 d4=9 d5=9",
     "o", 1},
    {"and not before", "d1=5 at 14 hello 9 d2=9 d3=9 d4=9", "", 0},
    {"a slow backlog waits", "d1=5 at 60 hello 9 d2=5 d3=9 tick 66", "", 0},
    {"a slow backlog, and the clock is set back", "d1=5 at 600 hello 9 d2=5 d3=9 tick 66",
     "o", 1},
    {"for a part of its age", "d1=5 at 60 hello 9 d2=5 d3=9 tick 68", "o", 1},
    {"and goes on",
     "d1=5 at 60 hello 9 d2=5 d3=9 tick 68 at 69 d4=25 d5=5 d6=5 d7=9 d8=5 d9=5", "oc",
     2},
    {"a backlog that breaks off, and silence", "d1=5 at 60 hello 9 d2=9 tick 75", "oo",
     2},
    {"over in a backlog, and now", "d1=5 at 60 hello 4 d2=9 d5@60=5 d3=5 d4=5", "c", 1},
    {"it goes on now", "d1=5 at 60 hello 4 d2=9 d5@60=9", "o", 1},
    {"and was going on all the time", "d1=5 at 60 hello 4 d2=9 d5@60=9 d6@61=5 d3=9 d4=9",
     "oc", 1},
    {"worse now than in the backlog", "d1=5 at 60 hello 4 d2=9 d5@60=25 d3=9 d4=9", "o",
     1},
    {"worse in the backlog, and now", "d1=9 at 60 hello 4 d2=25 d5@60=25 d3=25 d4=25",
     "oe", 1},
    {"it is not known now", "d1=5 at 60 hello 4 s1@60=5 d2=9 tick 68", "o", 1},
    {"over in a backlog, again now", "d1=5 at 60 hello 4 d2=9 d5@60=5 d6@61=9 d3=5 d4=5",
     "oc", 2},
};

/* "do 3 c1 VERB BODY": command c1, in minute 3. */
static const struct {
    const char *name;
    const char *records;
} command_rows[] = {
    {"a rule that is changed", "d1=9 do 1 c1 rule.put {\"id\":\"warm\",\"levels\":[{"
                               "\"level\":20}]} d2=9 d3=21 do 4 c2 rule.delete "
                               "{\"id\":\"warm\"} d5=30 tick 30"},
    {"a device that is moved and comes back",
     "d1=5 do 2 c1 placement.move {\"device\":\"d\",\"zone\":\"slow\"} d2=9 d3=9 d4=9 "
     "d5=9 do 6 c2 placement.move {\"device\":\"d\",\"zone\":\"room\"} d6=9 d7=5"},
    {"said late, and said twice",
     "d1=5 d2=9 do 4 c1 placement.move "
     "{\"device\":\"d\",\"zone\":\"slow\",\"from\":1790000090000} do 4 c1 placement.move "
     "{\"device\":\"d\",\"zone\":\"slow\",\"from\":1790000090000} d3=9 d4=9 d5=9"},
    {"a device that is replaced",
     "d1=5 e1=9 do 2 c1 device.replace {\"id\":\"d\",\"by\":\"e\"} e2=9 e3=9 d3=30 e4=5 "
     "tick 40"},
    {"off duty and on again",
     "d1=9 do 2 c1 zone.duty {\"id\":\"room\",\"on\":false,\"why\":\"empty\"} d2=30 d3=5 "
     "d4=30 do 5 c2 zone.duty {\"id\":\"room\",\"on\":true} d5=30 d6=5 tick 40"},
    {"refused ones",
     "d1=9 do 1 c1 zone.put {\"id\":\"x\"} do 1 c2 nothing.at-all {} do 2 c3 "
     "placement.put {\"device\":\"d\",\"zone\":\"slow\"} d2=5 do 3 c3 "
     "placement.put {\"device\":\"s\",\"zone\":\"slow\"}"},
    {"ahead of a gap", "d1=5 d3=9 do 4 c1 rule.put {\"id\":\"warm\",\"levels\":[{"
                       "\"level\":20}]} d4=9 d2=9 d5=21 do 6 c2 placement.end "
                       "{\"device\":\"d\"} d6=25"},
};

static void dump_letter(void *context, const struct state_message *message)
{
    const char *event = strstr(message->body, "\"event\":\"");
    CHECK(event != NULL);
    if (event != NULL)
        buf_add(context, event + strlen("\"event\":\""), 1);
}

static void what_is_ahead_of_a_gap_is_told_once(void)
{
    for (size_t i = 0; i < sizeof late_rows / sizeof late_rows[0]; i++) {
        const char *row = late_rows[i].name;
        struct house house;
        struct buf told = {0};
        house_open(&house);
        put_late(&house, late_rows[i].packs);
        pipeline_start(&house);
        advance(&house, 1000);
        buf_text(&told, "");
        CHECK(state_page_messages(house.state, NULL, 0, 1000, &told, dump_letter) ==
              ERR_OK);
        if (strcmp(told.data, late_rows[i].want) != 0)
            printf("\n  %s: %s, not %s\n", row, told.data, late_rows[i].want);
        CHECK_ROW(row, strcmp(told.data, late_rows[i].want) == 0);
        uint64_t incidents = 0;
        CHECK(state_count_incidents(house.state, 0, &incidents) == ERR_OK);
        CHECK_ROW(row, incidents == late_rows[i].incidents);
        buf_fini(&told);
        house_close(&house);
    }
}

static void on_any_incident(void *context, const struct incident *incident)
{
    *(struct incident *)context = *incident;
}

static void newest_incident(struct house *house, struct incident *incident)
{
    const struct state_incident_query query = {.limit = 1};
    *incident = (struct incident){0};
    CHECK(state_page_incidents(house->state, &query, incident, on_any_incident) ==
          ERR_OK);
}

/* It was told ahead of the gap, so a person may take it before the gap closes. */
static void who_took_it_is_kept_when_the_gap_closes(void)
{
    static const struct {
        const char *name;
        const char *before;
        const char *after;
        enum incident_state want;
    } rows[] = {
        {"open", "d1=5 d3=9", "d2=9", INCIDENT_OPEN},
        {"over already", "d1=5 d3=9 d4=5", "d2=9", INCIDENT_CLOSED},
        {"before the gap", "d1=9 d3=10", "d2=9 d4=5", INCIDENT_CLOSED},
        {"worse before it is taken", "d1=9 d3=25", "d2=9", INCIDENT_OPEN},
        {"while a backlog comes", "d1=9 at 60 hello 4 d2=25", "at 61 d3=25 d4=25",
         INCIDENT_OPEN},
        {"over in a backlog", "d1=9 at 60 hello 4 d2=9 d3=5", "at 61 d4=5",
         INCIDENT_CLOSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        struct incident incident;
        char command[300];
        house_open(&house);
        pipeline_start(&house);
        put_late(&house, rows[i].before);
        advance(&house, 1000);
        newest_incident(&house, &incident);
        snprintf(command, sizeof command,
                 "{\"id\":\"c1\",\"verb\":\"acknowledge\",\"incident\":\"%s\","
                 "\"actor\":\"me\"}",
                 incident.id);
        put(&house, RECORD_COMMAND, START_MS + 3600000, command, strlen(command));
        put_late(&house, rows[i].after);
        advance(&house, 1000);
        CHECK_ROW(rows[i].name, house.command_err == ERR_OK);
        newest_incident(&house, &incident);
        CHECK_ROW(rows[i].name, incident.is_acknowledged);
        CHECK_ROW(rows[i].name, strcmp(incident.acknowledged_by, "me") == 0);
        CHECK_ROW(rows[i].name, incident.state == rows[i].want);
        house_close(&house);
    }
}

struct of_rule {
    const char *rule;
    struct incident incident;
};

static void on_incident_of(void *context, const struct incident *incident)
{
    struct of_rule *of = context;
    if (strcmp(incident->rule, of->rule) == 0)
        of->incident = *incident;
}

static struct incident incident_of(struct house *house, const char *rule)
{
    struct of_rule of = {.rule = rule};
    const struct state_incident_query query = {0};
    CHECK(state_page_incidents(house->state, &query, &of, on_incident_of) == ERR_OK);
    return of.incident;
}

static void acknowledge(struct house *house, const char *rule)
{
    char command[300];
    snprintf(command, sizeof command,
             "{\"id\":\"c-%s\",\"verb\":\"acknowledge\",\"incident\":\"%s\","
             "\"actor\":\"me\"}",
             rule, incident_of(house, rule).id);
    put(house, RECORD_COMMAND, START_MS + 3600000, command, strlen(command));
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    advance(house, 1000);
    CHECK_ROW(rule, house->command_err == ERR_OK);
}

/* Two devices have gaps, d the first; of one the gap closes before anybody takes it. */
static void it_is_taken_of_whichever_device_is_late(void)
{
    static const struct {
        const char *name;
        const char *closes; /* a gap, before it is taken */
        bool restarts;
        const char *taken; /* incidents of these rules */
    } rows[] = {
        {"of both", "", false, "warm slow"},
        {"of both, restored", "", true, "warm slow"},
        {"of the later one", "d2=9", false, "slow"},
        {"of the later one, restored", "d2=9", true, "slow"},
        {"of the earlier one", "s2=9 s4=9", false, "warm"},
        {"of the earlier one, restored", "s2=9 s4=9", true, "warm"},
        {"of neither", "d2=9 s2=9 s4=9", false, "warm slow"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        char rule[8];
        int length = 0;
        house_open(&house);
        pipeline_start(&house);
        put_late(&house, "d1=5 s1=5 d3=9 s3=9 s5=9");
        put_late(&house, rows[i].closes);
        advance(&house, 1000);
        if (rows[i].restarts) {
            checkpoint(&house);
            pipeline_close(house.pipeline);
            pipeline_start(&house);
        }
        for (const char *at = rows[i].taken; sscanf(at, "%7s %n", rule, &length) == 1;
             at += length)
            acknowledge(&house, rule);
        put_late(&house, "d2=9 s2=9 s4=9");
        advance(&house, 1000);
        for (const char *at = rows[i].taken; sscanf(at, "%7s %n", rule, &length) == 1;
             at += length) {
            struct incident incident = incident_of(&house, rule);
            CHECK_ROW(rows[i].name, incident.state == INCIDENT_OPEN);
            CHECK_ROW(rows[i].name, strcmp(incident.acknowledged_by, "me") == 0);
        }
        house_close(&house);
    }
}

static void what_a_person_closes_is_not_undone_by_a_backlog(void)
{
    struct house house;
    struct incident incident;
    struct buf told = {0};
    char body[300];
    house_open(&house);
    pipeline_start(&house);
    put_late(&house, "d1=9 at 60 hello 4 d2=25");
    advance(&house, 1000);
    newest_incident(&house, &incident);
    snprintf(body, sizeof body,
             "{\"id\":\"%s\",\"cause\":\"door\",\"action\":\"door_closed\","
             "\"disposition\":\"unaffected\"}",
             incident.id);
    put_command(&house, START_MS + 3600000, "c1", "incident.close", body);
    put_late(&house, "at 61 d3=25 d4=25");
    advance(&house, 1000);
    CHECK(house.command_err == ERR_OK);
    newest_incident(&house, &incident);
    CHECK(incident.state == INCIDENT_CLOSED);
    CHECK(state_page_messages(house.state, NULL, 0, 1000, &told, dump_letter) == ERR_OK);
    buf_text(&told, "");
    CHECK_TEXT(told.data, "oc");
    buf_fini(&told);
    house_close(&house);
}

static void a_crash_behind_every_record_changes_nothing(void)
{
    static const size_t checkpoint_every[] = {1000, 1, 3, 7};
    size_t lates = sizeof late_rows / sizeof late_rows[0];
    size_t stories = lates + sizeof command_rows / sizeof command_rows[0] + 1;
    for (size_t i = 0; i < sizeof checkpoint_every / sizeof checkpoint_every[0]; i++) {
        for (size_t k = 0; k < stories; k++) {
            char row[128];
            snprintf(row, sizeof row, "checkpoint every %zu: %s", checkpoint_every[i],
                     k > lates ? command_rows[k - 1 - lates].name
                     : k > 0   ? late_rows[k - 1].name
                               : "the story");
            struct house house;
            house_open(&house);
            state_close(house.state);
            if (k > lates)
                put_late(&house, command_rows[k - 1 - lates].records);
            else if (k > 0)
                put_late(&house, late_rows[k - 1].packs);
            else
                put_story(&house);
            check_crashes(&house, row, checkpoint_every[i]);
            house_close(&house);
        }
    }
}

static const char *const device_rules =
    "\"rules\":[{\"id\":\"gone\",\"zone\":\"room\",\"quantity\":\"\","
    "\"kind\":\"silent_device\",\"silent\":600000},"
    "{\"id\":\"quiet\",\"zone\":\"room\",\"quantity\":\"\",\"kind\":\"silent\","
    "\"silent\":600000}]";

static void put_placed(struct house *house, int64_t minute, const char *placements)
{
    struct buf json = {0};
    buf_format(&json,
               "{\"zones\":[{\"id\":\"room\",\"org\":\"o\"},{\"id\":\"van\","
               "\"org\":\"o\"}],\"devices\":[{\"org\":\"o\",\"id\":\"d\"}],"
               "\"placements\":[%s],%s}",
               placements, device_rules);
    put(house, RECORD_CONFIG, START_MS + minute * 60000, json.data, json.len);
    buf_fini(&json);
}

#define WHOLE  "{\"org\":\"o\",\"device\":\"d\",\"zone\":\"room\"}"
#define DEVICE "{\"device\":\"d\"" /* of a command's body */
#define CHANNEL \
    "{\"org\":\"o\",\"device\":\"d\",\"channel\":\"humidity\",\"zone\":\"room\"}"
/* Until minute 5, and from then on. */
#define UNTIL_5 "{\"org\":\"o\",\"device\":\"d\",\"zone\":\"room\",\"to\":1790000300000}"
#define FROM_5  "{\"org\":\"o\",\"device\":\"d\",\"zone\":\"room\",\"from\":1790000300000}"

static void silence_follows_the_placements(void)
{
    static const struct {
        const char *name;
        const char *first;
        bool is_heard;    /* in minute 1 */
        const char *verb; /* in minute 3; NULL: none */
        const char *body;
        int64_t quiet; /* minute in which nobody is told yet */
        unsigned want; /* told a minute later */
    } rows[] = {
        {"heard, then silent", WHOLE, true, NULL, NULL, 10, 2},
        {"declared and never heard", WHOLE, false, NULL, NULL, 9, 1},
        {"a channel that was never heard", CHANNEL, false, NULL, NULL, 9, 2},
        {"taken away", WHOLE, true, "placement.end", DEVICE "}", 60, 0},
        {"moved", WHOLE, true, "placement.move", DEVICE ",\"zone\":\"van\"}", 60, 0},
        {"taken away before it was heard", WHOLE, false, "placement.end", DEVICE "}", 60,
         0},
        {"channel taken away before it was heard", CHANNEL, false, "placement.end",
         DEVICE ",\"channel\":\"humidity\"}", 60, 0},
        {"placed later", "", false, "placement.put", DEVICE ",\"zone\":\"room\"}", 12, 1},
        {"its time is over", UNTIL_5, true, NULL, NULL, 60, 0},
        {"its time begins", FROM_5, false, NULL, NULL, 14, 1},
        {"placed there again", WHOLE, true, "placement.put",
         DEVICE ",\"zone\":\"room\",\"from\":0}", 10, 2},
        {"off duty", WHOLE, true, "zone.duty",
         "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}", 60, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        house_open(&house);
        put_placed(&house, 0, rows[i].first);
        if (rows[i].is_heard)
            put_pack(&house, "d", 1, 5.0, false);
        int64_t minute = 2;
        for (; minute <= rows[i].quiet; minute++) {
            if (minute == 3 && rows[i].verb != NULL)
                put_command(&house, START_MS + minute * 60000, "c1", rows[i].verb,
                            rows[i].body);
            put_tick(&house, minute);
        }
        pipeline_start(&house);
        CHECK(journal_sync(house.journal, NULL) == ERR_OK);
        advance(&house, 1000);
        uint64_t incidents = 0;
        CHECK(state_count_incidents(house.state, 0, &incidents) == ERR_OK);
        CHECK_ROW(rows[i].name, incidents == 0);
        CHECK_ROW(rows[i].name, house.command_err == ERR_OK);
        put_tick(&house, minute);
        CHECK(journal_sync(house.journal, NULL) == ERR_OK);
        advance(&house, 1000);
        CHECK(state_count_incidents(house.state, 0, &incidents) == ERR_OK);
        if (incidents != rows[i].want)
            printf("\n  %s: %u\n", rows[i].name, (unsigned)incidents);
        CHECK_ROW(rows[i].name, incidents == rows[i].want);
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
    acks_flush(house.acks, START_MS);
    CHECK(house.acks_sent == 2); /* the stranger's packs are kept too */
    struct ack ack = {0};
    struct err_text why = {0};
    if (ack_parse(&ack, house.last_ack, strlen(house.last_ack), &why) != ERR_OK)
        printf("\n  %s in %s\n", why.text, house.last_ack);
    CHECK(ack.epoch_count == 1);
    CHECK(ack.epochs[0].epoch == EPOCH && ack.epochs[0].through == 8);
    CHECK(ack.epochs[0].range_count == 1 && ack.epochs[0].ranges[0].first == 30);
    CHECK(ack.epochs[0].rejected_count == 1 && ack.epochs[0].rejected[0].first == 7);
    CHECK(ack.epochs[0].wanted_count == 1 && ack.epochs[0].wanted[0].first == 9);
    CHECK(ack.epochs[0].wanted[0].last == 29 && ack.epochs[0].hash != 0);
    ack_fini(&ack);
    house_close(&house);
}

/* A device that was upgraded before its collector is seen, and nothing of it is lost. */
static void a_message_of_a_later_version_is_kept_and_counted(void)
{
    static const char topic[] = "coldchain/v2/o/d/readings/000000000000000a/1";
    struct house house;
    house_open(&house);
    int64_t before = metric_get(METRIC_QUARANTINED);
    put_message(&house, START_MS, topic, "who knows", 9);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    pipeline_start(&house);
    advance(&house, 1000);
    CHECK(metric_get(METRIC_QUARANTINED) == before + 1);
    struct state_quarantine_cursor cursor = {0};
    struct buf out = {0};
    CHECK(state_page_quarantine(house.state, &cursor, 10, &out, dump_quarantined) ==
          ERR_OK);
    CHECK(out.len > 0 && strstr(out.data, "unreadable") != NULL);
    buf_fini(&out);
    house_close(&house);
}

static void a_gap_that_never_closes_can_be_given_up(void)
{
    struct house house;
    struct record_gap gap;
    int64_t since_ms;
    uint64_t position;
    house_open(&house);
    put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
    put_pack(&house, "d", 1, 5.0, false);
    uint64_t behind = put_pack(&house, "d", 4, 13.0, false);
    pipeline_start(&house);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    advance(&house, 1000);
    checkpoint(&house);
    CHECK(pipeline_needs_from(house.pipeline) == behind);
    CHECK(pipeline_oldest_gap(house.pipeline, &gap, &since_ms, &position));
    CHECK(gap.epoch == EPOCH && gap.from == 2 && gap.to == 3);
    CHECK(since_ms == START_MS + 4 * 60000 && position == behind);
    struct buf data = {0};
    record_gap_format(&gap, &data);
    put(&house, RECORD_GIVE_UP, START_MS + 3600000, data.data, data.len);
    put(&house, RECORD_GIVE_UP, START_MS + 3600001, data.data, data.len); /* too late */
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    int64_t lost = metric_get(METRIC_LOST_PACKS);
    advance(&house, 1000);
    checkpoint(&house);
    CHECK(metric_get(METRIC_LOST_PACKS) == lost + 2);
    CHECK(!pipeline_oldest_gap(house.pipeline, &gap, &since_ms, &position));
    CHECK(pipeline_needs_from(house.pipeline) > behind);
    char *text = dump_state(house.state);
    CHECK(count_of(text, "given-up") == 1);
    CHECK(count_of(text, " warm open ") == 1 &&
          count_of(text, " lost_packs open warning ") == 1);
    free(text);
    buf_fini(&data);
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
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(9);
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
    acks_flush(house.acks, START_MS); /* the agent need not send it again */
    CHECK(strstr(house.last_ack, "\"through\":\"3\"") != NULL);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    advance(&house, 1000);
    char *text = dump_state(house.state);
    CHECK(count_of(text, "  poison\n") == 1);
    CHECK(count_of(text, " poison open critical ") == 1); /* and told of */
    CHECK(count_of(text, " warm open ") == 1); /* what is behind it is judged */
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
    CHECK(count_of(text, " journal_damage open critical ") == 1);
    free(text);
    house_close(&house);
}

/* The fix overtook what it dates, as it does when an agent comes back with its backlog.
 */
static void a_reading_of_an_unset_clock_is_judged_by_the_fix(void)
{
    static const char unset[] =
        "[{\"cc-boot\":\"00000000000000b1\",\"cc-up\":600000,\"cc-at\":600000,"
        "\"n\":\"air_temperature\",\"u\":\"Cel\",\"t\":-300,\"v\":9.5}]";
    char fix[400];
    snprintf(
        fix, sizeof fix,
        "[{\"cc-kind\":\"clock-fix\",\"cc-dev\":\"d\","
        "\"cc-epoch\":\"0000000000abcdef\",\"cc-seq\":\"2\",\"cc-boot\":\"00000000000000b1\","
        "\"cc-clock\":\"synced\",\"cc-fixed\":\"00000000000000b1\","
        "\"cc-offset\":%lld,\"n\":\"pack\",\"vs\":\"clock-fix\"}]",
        (long long)START_MS);
    for (int is_fixed = 0; is_fixed <= 1; is_fixed++) {
        struct house house;
        char topic[TOPIC_MAX];
        house_open(&house);
        put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
        readings_topic(topic, "d", 2);
        if (is_fixed != 0)
            put_message(&house, START_MS + 601000, topic, fix, strlen(fix));
        readings_topic(topic, "d", 1);
        put_message(&house, START_MS + 602000, topic, unset, strlen(unset));
        CHECK(journal_sync(house.journal, NULL) == ERR_OK);
        pipeline_start(&house);
        advance(&house, 1000);
        struct incident incident;
        newest_incident(&house, &incident);
        CHECK((incident.onset_ms == START_MS + 300000) == (is_fixed != 0));
        CHECK((strcmp(incident.rule, "warm") == 0) == (is_fixed != 0));
        house_close(&house);
    }
}

/* ---- a device that goes in and out of its limit with every reading ---------------- */

#define FLAPS 2100 /* more than are held of one device */

/* Of humidity each is a cause of its own. */
static const char *const damp_room =
    "{\"zones\":[{\"id\":\"room\",\"org\":\"o\",\"site\":\"s\"}],\"devices\":[{\"org\":\"o\","
    "\"id\":\"d\"}],\"placements\":[{\"org\":\"o\",\"device\":\"d\",\"channel\":\"\","
    "\"zone\":\"room\",\"from\":0,\"to\":0}],\"rules\":[{\"id\":\"damp\",\"zone\":\"room\","
    "\"quantity\":\"humidity\",\"kind\":\"above\",\"levels\":[{\"severity\":\"warning\","
    "\"level\":8,\"delay\":0,\"recovery_level\":8,\"recovery_delay\":0}]}]}";

static void put_flaps(struct house *house, uint64_t seq, int64_t from_ms,
                      int64_t arrival_ms)
{
    struct pack pack = {.epoch = EPOCH, .seq = seq, .clock = PACK_CLOCK_SYNCED};
    struct buf text = {0};
    char topic[TOPIC_MAX];
    snprintf(pack.device, sizeof pack.device, "d");
    pack.wall_ms = from_ms + INT64_C(2) * FLAPS * 100;
    for (int64_t i = 0; i < INT64_C(2) * FLAPS; i++) {
        struct reading reading = {.time_ms = from_ms + i * 100,
                                  .value = i % 2 == 0 ? 9 : 5,
                                  .raw = (double)NAN};
        CHECK(pack_channel(&pack, "humidity", &reading.channel) == ERR_OK);
        CHECK(pack_add(&pack, &reading) == ERR_OK);
    }
    pack_format(&pack, &text);
    readings_topic(topic, "d", seq);
    put_message(house, arrival_ms, topic, text.data, text.len);
    buf_fini(&text);
    pack_fini(&pack);
}

static void on_size(void *context, const char *key, uint64_t position, const void *data,
                    size_t len)
{
    size_t *size = context;
    (void)position;
    (void)data;
    if (strncmp(key, "late:", 5) == 0)
        *size = len;
}

static void count_flap(void *context, const struct incident *incident)
{
    size_t *counts = context;
    counts[incident->state == INCIDENT_CLOSED]++;
}

static void check_flaps(struct house *house, size_t want)
{
    size_t counts[2] = {0};
    struct state_incident_query query = {.states = 7, .limit = 1000};
    uint64_t closed = 0;
    CHECK(state_page_incidents(house->state, &query, counts, count_flap) == ERR_OK);
    CHECK(counts[0] == 0);
    CHECK(state_count_incidents(house->state, 1u << INCIDENT_CLOSED, &closed) == ERR_OK);
    CHECK(closed == want);
}

/* Of a flood only so many are held: the next start reads the checkpoint all the same. */
static void a_flood_ahead_of_a_gap_is_bounded(void)
{
    struct house house;
    size_t size = 0;
    house_open(&house);
    put(&house, RECORD_CONFIG, START_MS, damp_room, strlen(damp_room));
    put_pack(&house, "d", 1, 5, false);
    put_flaps(&house, 3, START_MS + 3 * 60000, START_MS + 8 * 60000);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    pipeline_start(&house);
    advance(&house, 100000);
    check_flaps(&house, 2048);
    checkpoint(&house);
    CHECK(state_load_evaluations(house.state, &size, on_size) == ERR_OK);
    CHECK(size > 0 && size < 4u << 20);
    pipeline_close(house.pipeline);
    pipeline_start(&house);
    put_pack_late(&house, "d", 2, START_MS + 2 * 60000, START_MS + 9 * 60000, 5, false);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    advance(&house, 100000);
    check_flaps(&house, FLAPS);
    house_close(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a flood ahead of a gap is bounded", a_flood_ahead_of_a_gap_is_bounded},
        {"the story ends as it should", the_story_ends_as_it_should},
        {"a crash behind every record changes nothing",
         a_crash_behind_every_record_changes_nothing},
        {"what is ahead of a gap is told once", what_is_ahead_of_a_gap_is_told_once},
        {"who took it is kept when the gap closes",
         who_took_it_is_kept_when_the_gap_closes},
        {"it is taken of whichever device is late",
         it_is_taken_of_whichever_device_is_late},
        {"what a person closes is not undone by a backlog",
         what_a_person_closes_is_not_undone_by_a_backlog},
        {"a reading of an unset clock is judged by the fix",
         a_reading_of_an_unset_clock_is_judged_by_the_fix},
        {"silence follows the placements", silence_follows_the_placements},
        {"acks say what is taken", acks_say_what_is_taken},
        {"a message of a later version is kept and counted",
         a_message_of_a_later_version_is_kept_and_counted},
        {"a gap that never closes can be given up",
         a_gap_that_never_closes_can_be_given_up},
        {"a command is answered once it was applied",
         a_command_is_answered_once_it_was_applied},
        {"a poisonous record is passed over", a_poisonous_record_is_passed_over},
        {"damage of the journal is listed", damage_of_the_journal_is_listed},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("pipeline", tests);
}
