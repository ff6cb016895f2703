// SPDX-License-Identifier: Apache-2.0
/* What is planned in a zone, and its duty, as the rules there heed them. */
#include "collector/pipeline/pipeline.h"

#include "collector/command/command.h"
#include "collector/store/state_suppressions.h"
#include "tests/unit/collector/pipeline_house.h"

/* A reading of the device is of minute `seq`; rule "warm" fires at 8 at once. */
static void run(struct house *house, int64_t minute, const char *verb, const char *body)
{
    static int drawn;
    char id[24];
    struct buf text = {0};
    json_t *json = json_loads(body, 0, NULL);
    CHECK_ROW(body, json != NULL);
    snprintf(id, sizeof id, "c%d", drawn++);
    const struct command command = {.id = id,
                                    .verb = verb,
                                    .actor = "wang",
                                    .org = "",
                                    .reason = "",
                                    .if_version = COMMAND_ANY,
                                    .at_ms = START_MS + minute * 60000,
                                    .body = json};
    command_format(&command, &text);
    put(house, RECORD_COMMAND, START_MS + minute * 60000, text.data, text.len);
    buf_fini(&text);
    json_decref(json);
}

static void take_all(struct house *house)
{
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    if (house->pipeline == NULL)
        pipeline_start(house);
    advance(house, 100000);
    CHECK(house->command_err == ERR_OK);
}

static void count_one(void *context, const struct incident *incident)
{
    size_t *count = context;
    *count += incident->kind == ALERT_ABOVE && strcmp(incident->rule, "warm") == 0;
}

static size_t opened(struct house *house)
{
    size_t count = 0;
    const struct state_incident_query query = {0};
    CHECK(state_page_incidents(house->state, &query, &count, count_one) == ERR_OK);
    return count;
}

static void measure(struct house *house, uint64_t from, uint64_t to, double value)
{
    for (uint64_t minute = from; minute <= to; minute++)
        put_pack(house, "d", minute, value, false);
}

/* Rule "warm" with a delay of none, kept back by what is planned. */
static void furnish(struct house *house)
{
    house_open(house);
    put(house, RECORD_CONFIG, START_MS, config, strlen(config));
    run(house, 0, "rule.put",
        "{\"id\":\"warm\",\"unless\":[\"planned_step\",\"maintenance\"]}");
}

static void what_is_planned_is_not_told(void)
{
    static const struct {
        const char *name;
        const char *verb;
        const char *from; /* in what is planned */
        bool is_told;
    } rows[] = {
        {"maintenance", "zone.maintenance", "", false},
        {"a step", "zone.plan_step", "\"band_high\":20,", false},
        {"a step that does not go so far", "zone.plan_step", "\"band_high\":8.5,", true},
        {"a step to the other side", "zone.plan_step", "\"band_low\":1,", false},
        {"a step of others", "zone.plan_step", "\"goods\":[\"banana\"],", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        char body[300];
        furnish(&house);
        run(&house, 0, "zone.put", "{\"id\":\"room\",\"goods\":[\"apple\"]}");
        snprintf(body, sizeof body,
                 "{\"id\":\"room\",%s\"from\":%" PRId64 ",\"to\":%" PRId64 "}",
                 rows[i].from, START_MS, START_MS + 10 * 60000);
        run(&house, 0, rows[i].verb, body);
        measure(&house, 1, 5, 9);
        take_all(&house);
        CHECK_ROW(rows[i].name, (opened(&house) > 0) == rows[i].is_told);
        measure(&house, 6, 9, 5);
        measure(&house, 10, 12, 9); /* it is over */
        take_all(&house);
        CHECK_ROW(rows[i].name, opened(&house) == (rows[i].is_told ? 2 : 1));
        house_close(&house);
    }
}

static void keep_last(void *context, const struct suppression *told)
{
    *(struct suppression *)context = *told;
}

/* Once when it begins to keep something back, once more when it is over. */
static void what_is_kept_back_is_a_record(void)
{
    struct house house;
    struct suppression told = {.id = ""};
    char body[200];
    furnish(&house);
    snprintf(body, sizeof body,
             "{\"id\":\"room\",\"from\":%" PRId64 ",\"to\":%" PRId64 "}", START_MS,
             START_MS + 10 * 60000);
    run(&house, 0, "zone.maintenance", body);
    measure(&house, 1, 5, 9);
    take_all(&house);
    CHECK(state_each_suppression(house.state, "room", 0, INT64_MAX, 10, &told,
                                 keep_last) == ERR_OK);
    CHECK_TEXT(told.rule, "warm");
    CHECK(told.reason == ALERT_REASON_MAINTENANCE && told.to_ms == 0);
    CHECK(told.from_ms == START_MS + 60000 && told.worst == 9 && told.limit == 8);
    measure(&house, 6, 12, 9.5);
    take_all(&house);
    CHECK(state_each_suppression(house.state, "room", 0, INT64_MAX, 10, &told,
                                 keep_last) == ERR_OK);
    CHECK(told.to_ms == START_MS + 10 * 60000 && told.worst == 9.5);
    CHECK(told.ended == SUPPRESSION_OVER);
    memset(&told, 0, sizeof told);
    CHECK(state_each_suppression(house.state, "attic", 0, INT64_MAX, 10, &told,
                                 keep_last) == ERR_OK);
    CHECK(told.id[0] == '\0' && opened(&house) == 1);
    house_close(&house);
}

static void what_is_taken_back_is_told(void)
{
    struct house house;
    char body[200];
    furnish(&house);
    snprintf(body, sizeof body,
             "{\"id\":\"room\",\"from\":%" PRId64 ",\"to\":%" PRId64 "}", START_MS,
             START_MS + 600 * 60000);
    run(&house, 0, "zone.maintenance", body);
    measure(&house, 1, 5, 9);
    take_all(&house);
    CHECK(opened(&house) == 0);
    snprintf(body, sizeof body, "{\"id\":\"room\",\"from\":%" PRId64 ",\"cancel\":true}",
             START_MS);
    run(&house, 5, "zone.maintenance", body);
    measure(&house, 6, 7, 9);
    take_all(&house);
    CHECK(opened(&house) == 1);
    house_close(&house);
}

static void off_duty_climate_does_not_ring(void)
{
    struct house house;
    furnish(&house);
    run(&house, 0, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    measure(&house, 1, 5, 13);
    take_all(&house);
    CHECK(opened(&house) == 0);
    pipeline_close(house.pipeline);
    house.pipeline = NULL;
    measure(&house, 6, 8, 13);
    take_all(&house);
    CHECK(opened(&house) == 0);
    run(&house, 8, "rule.put", "{\"id\":\"warm\",\"safety\":true}");
    measure(&house, 9, 10, 13);
    take_all(&house);
    CHECK(opened(&house) == 1);
    house_close(&house);
}

static void on_duty_again_it_rings(void)
{
    struct house house;
    furnish(&house);
    run(&house, 0, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    measure(&house, 1, 5, 13);
    run(&house, 5, "zone.duty", "{\"id\":\"room\",\"on\":true}");
    take_all(&house);
    CHECK(opened(&house) == 0);
    measure(&house, 6, 8, 13);
    take_all(&house);
    CHECK(opened(&house) == 1);
    house_close(&house);
}

struct kept {
    struct suppression last; /* of that rule, the one that began last */
    const char *rule;
    size_t count;
};

static void keep(void *context, const struct suppression *told)
{
    struct kept *kept = context;
    if (strcmp(told->rule, kept->rule) == 0 && kept->count++ == 0)
        kept->last = *told;
}

static struct kept kept_by(struct house *house, const char *rule)
{
    struct kept kept = {.rule = rule};
    CHECK(state_each_suppression(house->state, "room", 0, INT64_MAX, 10, &kept, keep) ==
          ERR_OK);
    return kept;
}

static void silent_ticks(struct house *house, int64_t from, int64_t to)
{
    for (int64_t minute = from; minute <= to; minute++)
        put(house, RECORD_TICK, START_MS + minute * 60000, "", 1);
}

static void off_duty_silence_is_a_record(void)
{
    struct house house;
    furnish(&house);
    run(&house, 0, "rule.put",
        "{\"id\":\"hush\",\"zone\":\"room\",\"kind\":\"silent\","
        "\"silent\":900000,\"silent_severity\":\"warning\"}");
    measure(&house, 1, 5, 5);
    run(&house, 6, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    silent_ticks(&house, 7, 40);
    take_all(&house);
    struct kept kept = kept_by(&house, "hush");
    CHECK(kept.count == 1 && kept.last.reason == ALERT_REASON_OFF_DUTY);
    CHECK(kept.last.from_ms == START_MS + 20 * 60000 && kept.last.to_ms == 0);
    pipeline_close(house.pipeline); /* with what is kept back */
    house.pipeline = NULL;
    run(&house, 41, "zone.duty", "{\"id\":\"room\",\"on\":true}");
    silent_ticks(&house, 42, 60);
    take_all(&house);
    kept = kept_by(&house, "hush");
    CHECK(kept.count == 1 && kept.last.ended == SUPPRESSION_OVER);
    CHECK(kept.last.to_ms == START_MS + 42 * 60000);
    house_close(&house);
}

/* And again, before it would have been told: it is saved, and goes ahead of a gap. */
static void off_duty_silence_may_be_kept_back_twice(void)
{
    struct house house;
    furnish(&house);
    run(&house, 0, "rule.put",
        "{\"id\":\"hush\",\"zone\":\"room\",\"kind\":\"silent\","
        "\"silent\":900000,\"silent_severity\":\"warning\"}");
    measure(&house, 1, 5, 5);
    run(&house, 6, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    silent_ticks(&house, 7, 40);
    run(&house, 41, "zone.duty", "{\"id\":\"room\",\"on\":true}");
    silent_ticks(&house, 42, 45);
    run(&house, 46, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    silent_ticks(&house, 47, 60);
    take_all(&house);
    CHECK(kept_by(&house, "hush").count == 2);
    CHECK(pipeline_checkpoint(house.pipeline, &(struct err_text){0}) == ERR_OK);
    pipeline_close(house.pipeline);
    house.pipeline = NULL;
    measure(&house, 61, 62, 5); /* behind a gap: "d" is judged by a copy */
    take_all(&house);
    const struct kept kept = kept_by(&house, "hush");
    CHECK(kept.count == 2 && kept.last.ended == SUPPRESSION_HEARD);
    house_close(&house);
}

static void a_rule_that_is_replaced_ends_its_record(void)
{
    struct house house;
    char body[200];
    furnish(&house);
    snprintf(body, sizeof body,
             "{\"id\":\"room\",\"from\":%" PRId64 ",\"to\":%" PRId64 "}", START_MS,
             START_MS + 600 * 60000);
    run(&house, 0, "zone.maintenance", body);
    measure(&house, 1, 5, 9);
    run(&house, 6, "rule.put", "{\"id\":\"warm\",\"safety\":true}");
    take_all(&house);
    struct kept kept = kept_by(&house, "warm");
    CHECK(kept.count == 1 && kept.last.ended == SUPPRESSION_RULE_CHANGED);
    CHECK(kept.last.to_ms == START_MS + 6 * 60000);
    measure(&house, 7, 8, 9);
    run(&house, 9, "rule.delete", "{\"id\":\"warm\"}");
    take_all(&house);
    kept = kept_by(&house, "warm");
    CHECK(kept.count == 2 && kept.last.from_ms == START_MS + 7 * 60000);
    CHECK(kept.last.ended == SUPPRESSION_RULE_CHANGED);
    house_close(&house);
}

/* A tour that begins is warm: what names it waits for as long as the zone says. */
static void going_on_duty_is_a_start(void)
{
    static const struct {
        const char *name;
        const char *said;
        uint64_t rings; /* minute; 0: not within the hour */
    } rows[] = {
        {"two hours when nothing is said", "", 0},
        {"what the zone says", ",\"start_most\":600000", 15},
        {"none", ",\"start_most\":0", 6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        char body[200];
        house_open(&house);
        put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
        run(&house, 0, "rule.put", "{\"id\":\"warm\",\"unless\":[\"start\"]}");
        run(&house, 0, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
        measure(&house, 1, 4, 13);
        snprintf(body, sizeof body, "{\"id\":\"room\",\"off_duty\":null%s}",
                 rows[i].said);
        run(&house, 5, "zone.put", body);
        measure(&house, 5, 9, 13);
        take_all(&house);
        CHECK_ROW(rows[i].name, (opened(&house) > 0) == (rows[i].rings == 6));
        pipeline_close(house.pipeline);
        house.pipeline = NULL;
        measure(&house, 10, 14, 13);
        take_all(&house);
        CHECK_ROW(rows[i].name, (opened(&house) > 0) == (rows[i].rings == 6));
        measure(&house, 15, 60, 13);
        take_all(&house);
        CHECK_ROW(rows[i].name, (opened(&house) > 0) == (rows[i].rings != 0));
        const struct kept kept = kept_by(&house, "warm"); /* off duty, then the start */
        CHECK_ROW(rows[i].name, kept.count == (rows[i].rings == 6 ? 1 : 2));
        CHECK_ROW(rows[i].name,
                  kept.count == 1 || (kept.last.reason == ALERT_REASON_START &&
                                      kept.last.from_ms == START_MS + 5 * 60000 &&
                                      (kept.last.to_ms != 0) == (rows[i].rings == 15)));
        house_close(&house);
    }
}

/* Off duty before the start is over: what comes later of that time, and ahead of a gap,
 * is still excused. */
static void a_start_ends_with_its_duty(void)
{
    struct house house;
    house_open(&house);
    put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
    run(&house, 0, "rule.put",
        "{\"id\":\"warm\",\"unless\":[\"start\"],\"safety\":true}");
    run(&house, 0, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    run(&house, 2, "zone.duty", "{\"id\":\"room\",\"on\":true}");
    run(&house, 6, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    measure(&house, 2, 5, 13);
    take_all(&house);
    CHECK(opened(&house) == 0);
    measure(&house, 6, 7, 13);
    take_all(&house);
    CHECK(opened(&house) == 1);
    house_close(&house);
}

/* ---- what other devices of the zone say ------------------------------------------- */

/* A minute each up to 16: "e" says whether it is on, and "d" how warm it is. */
struct signals {
    const char *name;
    const char *signal;
    uint64_t on;
    uint64_t off;
    uint64_t warm;
    uint64_t missing; /* of "d"; 0: nothing */
    bool is_told;
};

static void put_signals(struct house *house, const struct signals *row)
{
    char body[100];
    put(house, RECORD_CONFIG, START_MS, config, strlen(config));
    snprintf(body, sizeof body, "{\"id\":\"warm\",\"unless\":[\"%s\"]}", row->signal);
    run(house, 0, "rule.put", body);
    run(house, 0, "device.put", "{\"id\":\"e\",\"org\":\"o\"}");
    run(house, 0, "placement.put", "{\"device\":\"e\",\"zone\":\"room\",\"from\":0}");
    for (uint64_t minute = 1; minute <= 16; minute++) {
        int64_t at_ms = START_MS + (int64_t)minute * 60000;
        bool is_on = minute >= row->on && minute < row->off;
        put_channel_late(house, "e", row->signal, minute, at_ms, at_ms, is_on, false);
        if (minute != row->missing)
            put_pack(house, "d", minute, minute >= row->warm ? 9 : 5, false);
    }
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
}

static void signals_of_others_are_heard_ahead_of_a_gap(void)
{
    static const struct signals rows[] = {
        {"a defrost", "defrost", 6, 20, 8, 0, false},
        {"a defrost behind the gap", "defrost", 6, 20, 8, 3, false},
        {"a door that is closed", "door", 2, 6, 8, 0, true},
        {"a door that is closed behind the gap", "door", 2, 6, 8, 3, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        house_open(&house);
        state_close(house.state);
        put_signals(&house, &rows[i]);
        check_crashes(&house, rows[i].name, 1 + i);
        CHECK_ROW(rows[i].name, (opened(&house) > 0) == rows[i].is_told);
        house_close(&house);
    }
}

/* ---- goods left behind ------------------------------------------------------------ */

struct asked {
    size_t count;
    size_t open;
    struct incident last;
};

static void count_asked(void *context, const struct incident *incident)
{
    struct asked *asked = context;
    if (incident->kind != ALERT_GOODS_LEFT)
        return;
    asked->count++;
    asked->open += incident->state != INCIDENT_CLOSED;
    asked->last = *incident; /* the oldest: the newest come first */
}

static struct asked asked_in(struct house *house)
{
    struct asked asked = {0};
    const struct state_incident_query query = {0};
    CHECK(state_page_incidents(house->state, &query, &asked, count_asked) == ERR_OK);
    return asked;
}

/* A tick each ten minutes, and what the pipeline makes of it. */
static void pass(struct house *house, int64_t from, int64_t to)
{
    for (int64_t minute = from; minute < to; minute += 10)
        put_tick(house, minute);
    take_all(house);
}

static void reopen(struct house *house)
{
    pipeline_close(house->pipeline);
    house->pipeline = NULL;
}

/* Goods are recorded in "room", which is said to be empty at minute 10. */
static void leave_goods(struct house *house)
{
    house_open(house);
    put(house, RECORD_CONFIG, START_MS, config, strlen(config));
    run(house, 0, "zone.put", "{\"id\":\"room\",\"goods\":[\"apple\"]}");
    run(house, 0, "rule.put",
        "{\"id\":\"left\",\"zone\":\"room\",\"kind\":\"goods_left\",\"quantity\":\"goods\","
        "\"levels\":[{\"level\":60}]}");
    pass(house, 0, 10);
    run(house, 10, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    pass(house, 10, 60);
}

static void recorded_goods_ask_once(void)
{
    struct house house;
    char body[200];
    leave_goods(&house);
    CHECK(strstr(house.command_result, "goods_left") != NULL); /* at once, who did it */
    CHECK(asked_in(&house).count == 0);
    pass(&house, 60, 300);
    struct asked first = asked_in(&house);
    CHECK(first.count == 1 && first.open == 1 && first.last.severity == ALERT_WARNING &&
          first.last.state == INCIDENT_OPEN);
    CHECK_TEXT(first.last.zone, "room");
    CHECK_TEXT(first.last.device, "");
    reopen(&house);
    pass(&house, 300, 600);
    struct asked again = asked_in(&house);
    CHECK(again.count == 1 && again.open == 1 && again.last.revision == 1);
    CHECK_TEXT(again.last.id, first.last.id);
    snprintf(body, sizeof body,
             "{\"id\":\"%s\",\"cause\":\"not_found\",\"action\":\"none\","
             "\"disposition\":\"unaffected\"}",
             first.last.id);
    run(&house, 600, "incident.close", body);
    pass(&house, 600, 900);
    CHECK(asked_in(&house).count == 1 && asked_in(&house).open == 0);
    reopen(&house);
    run(&house, 900, "zone.duty", "{\"id\":\"room\",\"on\":true}");
    pass(&house, 900, 910);
    run(&house, 910, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    pass(&house, 910, 1200);
    CHECK(asked_in(&house).count == 2); /* another stretch, another question */
    run(&house, 1200, "zone.put", "{\"id\":\"room\",\"goods\":null}");
    pass(&house, 1200, 1300);
    CHECK(asked_in(&house).count == 2 && asked_in(&house).open == 0);
    house_close(&house);
}

/* Looked at once an hour, however soon the first look came after the change. */
static void a_record_holds_between_two_looks(void)
{
    struct house house;
    const int64_t hour = 2 * 60 - START_MS / 60000 % 60; /* the minute of a look */
    leave_goods(&house);
    run(&house, 60, "zone.duty", "{\"id\":\"room\",\"on\":true}");
    put_tick(&house, 61);
    run(&house, hour - 2, "zone.duty",
        "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    put_tick(&house, hour - 1);
    pass(&house, hour, hour + 60);
    CHECK(asked_in(&house).count == 0);
    put_tick(&house, hour + 60);
    take_all(&house);
    CHECK(asked_in(&house).count == 1);
    house_close(&house);
}

/* What is on duty, or cures, may have goods in it. */
static void goods_where_they_belong_ask_nobody(void)
{
    struct house house;
    leave_goods(&house);
    run(&house, 60, "zone.put", "{\"id\":\"room\",\"off_duty\":\"curing\"}");
    pass(&house, 60, 300);
    CHECK(strstr(house.command_result, "goods_left") == NULL);
    run(&house, 300, "zone.duty", "{\"id\":\"room\",\"on\":true}");
    pass(&house, 300, 600);
    CHECK(asked_in(&house).count == 0);
    house_close(&house);
}

/* ---- what came in ----------------------------------------------------------------- */

static void warm_goods_in_a_cold_room_are_told(void)
{
    struct house house;
    char body[200];
    house_open(&house);
    put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
    run(&house, 0, "rule.put", "{\"id\":\"warm\",\"quantity\":\"product_temperature\"}");
    measure(&house, 1, 5, 5);
    take_all(&house);
    CHECK(opened(&house) == 0);
    snprintf(body, sizeof body,
             "{\"id\":\"room\",\"loads\":[{\"from\":%" PRId64 ",\"entry_c\":18}]}",
             START_MS + 6 * 60000);
    run(&house, 6, "zone.put", body);
    measure(&house, 6, 9, 5);
    take_all(&house);
    CHECK(opened(&house) == 1);
    house_close(&house);
}

/* The same said at the gate; once it has left, nothing of it is judged. */
static void goods_said_at_the_gate_are_watched_until_they_leave(void)
{
    static const char *const rows[] = {NULL, "{\"id\":\"room\"}"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        house_open(&house);
        put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
        run(&house, 0, "rule.put",
            "{\"id\":\"warm\",\"quantity\":\"product_temperature\"}");
        measure(&house, 1, 5, 5);
        run(&house, 6, "zone.load",
            "{\"id\":\"room\",\"goods\":\"strawberry\",\"entry_c\":18}");
        if (rows[i] != NULL)
            run(&house, 6, "zone.unload", rows[i]);
        take_all(&house);
        reopen(&house);
        measure(&house, 6, 9, 5);
        take_all(&house);
        CHECK_ROW(rows[i] != NULL ? "left" : "there",
                  opened(&house) == (rows[i] == NULL ? 1U : 0U));
        house_close(&house);
    }
}

/* ---- what a seed says ------------------------------------------------------------- */

/* The seed, with that said of "room". */
static void seed_with(struct house *house, const char *said)
{
    json_t *root = json_loads(config, 0, NULL);
    json_t *more = json_loads(said, 0, NULL);
    size_t i;
    json_t *zone;
    json_array_foreach(json_object_get(root, "zones"), i, zone)
    {
        if (strcmp(json_string_value(json_object_get(zone, "id")), "room") == 0)
            json_object_update(zone, more);
    }
    char *text = json_dumps(root, JSON_COMPACT);
    CHECK(more != NULL && text != NULL);
    house_open(house);
    put(house, RECORD_CONFIG, START_MS, text, strlen(text));
    free(text);
    json_decref(more);
    json_decref(root);
}

static void a_seed_says_what_zones_are_like(void)
{
    static const struct {
        const char *name;
        const char *said;
        const char *unless;
        bool is_told;
    } rows[] = {
        {"nothing", "{}", "[]", true},
        {"off duty", "{\"off_duty\":\"empty\"}", "[]", false},
        {"a step", "{\"steps\":[{\"from\":0,\"to\":4102444800000,\"band_high\":16}]}",
         "[\"planned_step\"]", false},
        {"maintenance", "{\"maintenance\":[{\"from\":0,\"to\":4102444800000}]}",
         "[\"maintenance\"]", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        char body[200];
        seed_with(&house, rows[i].said);
        snprintf(body, sizeof body, "{\"id\":\"warm\",\"unless\":%s}", rows[i].unless);
        run(&house, 0, "rule.put", body);
        measure(&house, 1, 5, 13);
        take_all(&house);
        CHECK_ROW(rows[i].name, (opened(&house) > 0) == rows[i].is_told);
        reopen(&house); /* it is state.db that says so now */
        run(&house, 5, "zone.put", "{\"id\":\"room\",\"name\":\"Room\"}");
        measure(&house, 6, 9, 13);
        take_all(&house);
        CHECK_ROW(rows[i].name, (opened(&house) > 0) == rows[i].is_told);
        house_close(&house);
    }
}

/* A level of the band's upper end, with no delay, in air of 13 C. */
static void goods_that_change_move_the_limits(void)
{
    struct house house;
    house_open(&house);
    put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
    run(&house, 0, "zone.put", "{\"id\":\"room\",\"goods\":[\"banana\"]}");
    run(&house, 0, "rule.put",
        "{\"id\":\"warm\",\"levels\":[{\"level\":\"band_high\"}]}");
    measure(&house, 1, 3, 13);
    take_all(&house);
    CHECK(opened(&house) == 0); /* up to 14 */
    run(&house, 3, "zone.put", "{\"id\":\"room\",\"goods\":[\"apple\"]}");
    measure(&house, 4, 5, 13);
    take_all(&house);
    CHECK(opened(&house) == 1); /* up to 0 */
    reopen(&house);
    measure(&house, 6, 7, 13);
    take_all(&house);
    CHECK(opened(&house) == 1);
    house_close(&house);
}

static void keep_life(void *context, const struct incident *incident)
{
    if (incident->kind == ALERT_LIFE_LEFT)
        *(struct incident *)context = *incident;
}

static struct incident life_told(struct house *house)
{
    struct incident told = {.id = ""};
    const struct state_incident_query query = {0};
    CHECK(state_page_incidents(house->state, &query, &told, keep_life) == ERR_OK);
    return told;
}

/* Air of 18 C; strawberries, whose life the profile knows, had stood there for 2 days. */
static void old_goods_are_told_until_they_go(void)
{
    struct house house;
    char body[200];
    house_open(&house);
    put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
    snprintf(body, sizeof body,
             "{\"id\":\"room\",\"goods\":\"strawberry\",\"from\":%" PRId64 "}",
             START_MS - INT64_C(48) * 3600000);
    run(&house, 0, "zone.load", body);
    run(&house, 0, "rule.put",
        "{\"id\":\"old\",\"zone\":\"room\",\"kind\":\"life_left\","
        "\"quantity\":\"product_temperature\",\"levels\":[{\"level\":66}]}");
    measure(&house, 1, 5, 18);
    take_all(&house);
    CHECK_TEXT(life_told(&house).id, ""); /* a third is used, as at 0 C */
    reopen(&house);
    measure(&house, 6, 20, 18);
    take_all(&house);
    struct incident told = life_told(&house);
    CHECK(told.state == INCIDENT_OPEN && told.value <= 66 && told.value > 64);
    CHECK(strstr(told.life, "\"goods\":\"strawberry\",\"limited_by\":\"ageing\"") !=
          NULL);
    run(&house, 20, "zone.unload", "{\"id\":\"room\"}");
    measure(&house, 21, 22, 18);
    take_all(&house);
    CHECK(life_told(&house).state == INCIDENT_CLOSED);
    run(&house, 22, "zone.load", "{\"id\":\"room\",\"goods\":\"strawberry\"}");
    measure(&house, 23, 60, 18);
    take_all(&house);
    CHECK(life_told(&house).state == INCIDENT_CLOSED); /* others, which came now */
    house_close(&house);
}

/* ---- how long until harm ---------------------------------------------------------- */

/* The newest comes first. */
static void keep_warm(void *context, const struct incident *incident)
{
    struct incident *found = context;
    if (found->id[0] == '\0' && strcmp(incident->rule, "warm") == 0)
        *found = *incident;
}

static struct incident warm_one(struct house *house)
{
    struct incident found = {.id = ""};
    const struct state_incident_query query = {0};
    CHECK(state_page_incidents(house->state, &query, &found, keep_warm) == ERR_OK);
    CHECK(found.id[0] != '\0');
    return found;
}

/* Goods at 5 of 0 to 8; air that goes to 9, where the rule fires, and 13, graver. With
 * `has_gap`, packs 9 to 11 come behind 12 to 15, which are judged ahead of them. */
static void put_failure(struct house *house, const char *zone, bool has_gap)
{
    static const uint64_t order[] = {8, 12, 13, 14, 15, 9, 10, 11};
    put(house, RECORD_CONFIG, START_MS, config, strlen(config));
    run(house, 0, "rule.put", "{\"id\":\"warm\",\"unless\":[\"door\"]}");
    run(house, 0, "zone.put", zone);
    measure(house, 1, 7, 5);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        uint64_t minute = has_gap ? order[i] : 8 + i;
        put_pack(house, "d", minute, minute < 12 ? 9 : 13, false);
        if (i % 3 == 2)
            put_tick(house, 8 + (int64_t)i);
    }
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
}

static void a_crash_behind_every_record_says_the_same_of_harm(void)
{
    static const struct {
        const char *name;
        const char *zone;
        bool has_gap;
        enum harm_outlook outlook;
        enum harm_basis basis;
    } rows[] = {
        {"stated", "{\"id\":\"room\",\"band_low\":0,\"band_high\":8,\"tau\":21600000}",
         false, HARM_COMES, HARM_STATED},
        {"ahead of a gap",
         "{\"id\":\"room\",\"band_low\":0,\"band_high\":8,\"tau\":21600000}", true,
         HARM_COMES, HARM_STATED},
        {"of its goods", "{\"id\":\"room\",\"goods\":[\"apple\"]}", false, HARM_THERE,
         HARM_ASSUMED},
        {"nothing said of the goods", "{\"id\":\"room\",\"band_high\":8}", false,
         HARM_COMES, HARM_ASSUMED},
        {"no band", "{\"id\":\"room\",\"tau\":21600000}", false, HARM_UNSAID,
         HARM_STATED},
    };
    static const size_t checkpoint_every[] = {1000, 1, 3};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; k < sizeof checkpoint_every / sizeof checkpoint_every[0];
             k++) {
            struct house house;
            house_open(&house);
            state_close(house.state);
            put_failure(&house, rows[i].zone, rows[i].has_gap);
            check_crashes(&house, rows[i].name, checkpoint_every[k]);
            const struct incident found = warm_one(&house);
            CHECK_ROW(rows[i].name, found.severity == ALERT_CRITICAL);
            CHECK_ROW(rows[i].name, found.harm.air_C == 13);
            CHECK_ROW(rows[i].name, found.harm.has_goods);
            CHECK_ROW(rows[i].name, found.harm.outlook == rows[i].outlook);
            CHECK_ROW(rows[i].name, found.harm.basis == rows[i].basis);
            house_close(&house);
        }
    }
}

/* Between two effects it follows the air, with the values. */
static void harm_follows_the_air(void)
{
    struct house house;
    furnish(&house);
    run(&house, 0, "rule.put", "{\"id\":\"warm\",\"unless\":[\"door\"]}");
    run(&house, 0, "zone.put", "{\"id\":\"room\",\"band_high\":8,\"tau\":21600000}");
    measure(&house, 1, 7, 5);
    measure(&house, 8, 8, 9);
    put_tick(&house, 8);
    take_all(&house);
    struct incident before = warm_one(&house);
    measure(&house, 9, 9, 11);
    put_tick(&house, 10);
    take_all(&house);
    struct incident after = warm_one(&house);
    CHECK(before.harm.air_C == 9 && after.harm.air_C == 11);
    CHECK(after.revision == before.revision);
    CHECK(after.harm.minutes.mid < before.harm.minutes.mid);
    house_close(&house);
}

/* A rule or a band that comes later is looked at from then on. */
static void a_band_that_is_said_later_counts(void)
{
    struct house house;
    furnish(&house);
    measure(&house, 1, 3, 9);
    take_all(&house);
    CHECK(warm_one(&house).harm.at_ms == 0); /* no rule asks for the goods */
    measure(&house, 4, 5, 5);
    run(&house, 5, "zone.put", "{\"id\":\"room\",\"band_high\":8}");
    run(&house, 5, "rule.put", "{\"id\":\"warm\",\"unless\":[\"door\"]}");
    measure(&house, 6, 8, 5);
    measure(&house, 9, 9, 9);
    take_all(&house);
    CHECK(warm_one(&house).harm.outlook == HARM_COMES);
    CHECK(warm_one(&house).harm.air_C == 9 && warm_one(&house).harm.band_high_C == 8);
    house_close(&house);
}

/* Whatever it came from; nor by an engine that was told of it, saved, and loaded. */
static void a_band_that_is_taken_back_counts_no_more(void)
{
    static const struct {
        const char *name;
        const char *said;
        const char *taken_back;
    } rows[] = {
        {"its band", "{\"id\":\"room\",\"band_high\":8}",
         "{\"id\":\"room\",\"band_high\":null}"},
        {"its goods", "{\"id\":\"room\",\"goods\":[\"apple\"]}",
         "{\"id\":\"room\",\"goods\":null}"},
        {"all of it", "{\"id\":\"room\",\"band_high\":8,\"tau\":21600000}",
         "{\"id\":\"room\",\"band_high\":null,\"tau\":null}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        furnish(&house);
        run(&house, 0, "rule.put", "{\"id\":\"warm\",\"unless\":[\"door\"]}");
        run(&house, 0, "zone.put", rows[i].said);
        measure(&house, 1, 5, 5);
        take_all(&house);
        run(&house, 5, "zone.put", rows[i].taken_back);
        measure(&house, 6, 7, 5);
        take_all(&house);
        reopen(&house);
        measure(&house, 8, 9, 9);
        take_all(&house);
        const struct harm harm = warm_one(&house).harm;
        CHECK_ROW(rows[i].name, harm.air_C == 9 && harm.outlook == HARM_UNSAID);
        CHECK_ROW(rows[i].name, harm.basis == HARM_ASSUMED && isnan(harm.band_high_C));
        house_close(&house);
    }
}

static void count_opened(void *context, const struct incident *incident)
{
    size_t *count = context;
    *count += strcmp(incident->rule, "soon") == 0 && incident->state == INCIDENT_OPEN;
}

/* Warm air that is cooled to the upper end is none that comes to it. */
static void what_is_predicted_is_reached_from_within_the_band(void)
{
    for (int has_band = 0; has_band < 2; has_band++) {
        struct house house;
        furnish(&house);
        if (has_band)
            run(&house, 0, "zone.put",
                "{\"id\":\"room\",\"band_low\":2,\"band_high\":8}");
        run(&house, 0, "rule.put",
            "{\"id\":\"soon\",\"zone\":\"room\",\"quantity\":\"air_temperature\","
            "\"kind\":\"predicted\",\"limit\":8,\"window\":1800000,\"levels\":[{\"level\":60}]}");
        measure(&house, 1, 200, 20);
        for (uint64_t minute = 201; minute < 350; minute++)
            measure(&house, minute, minute, 20 - (double)(minute - 200) / 10);
        take_all(&house);
        size_t open = 0;
        const struct state_incident_query query = {0};
        CHECK(state_page_incidents(house.state, &query, &open, count_opened) == ERR_OK);
        CHECK(open == (has_band ? 0 : 1));
        house_close(&house);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"signals of others are heard ahead of a gap",
         signals_of_others_are_heard_ahead_of_a_gap},
        {"goods that change move the limits", goods_that_change_move_the_limits},
        {"old goods are told until they go", old_goods_are_told_until_they_go},
        {"what is planned is not told", what_is_planned_is_not_told},
        {"what is kept back is a record", what_is_kept_back_is_a_record},
        {"what is taken back is told", what_is_taken_back_is_told},
        {"off duty climate does not ring", off_duty_climate_does_not_ring},
        {"on duty again it rings", on_duty_again_it_rings},
        {"off duty silence is a record", off_duty_silence_is_a_record},
        {"off duty silence may be kept back twice",
         off_duty_silence_may_be_kept_back_twice},
        {"a rule that is replaced ends its record",
         a_rule_that_is_replaced_ends_its_record},
        {"going on duty is a start", going_on_duty_is_a_start},
        {"a start ends with its duty", a_start_ends_with_its_duty},
        {"recorded goods ask once", recorded_goods_ask_once},
        {"a seed says what zones are like", a_seed_says_what_zones_are_like},
        {"a record holds between two looks", a_record_holds_between_two_looks},
        {"goods where they belong ask nobody", goods_where_they_belong_ask_nobody},
        {"goods said at the gate are watched until they leave",
         goods_said_at_the_gate_are_watched_until_they_leave},
        {"warm goods in a cold room are told", warm_goods_in_a_cold_room_are_told},
        {"a crash behind every record says the same of harm",
         a_crash_behind_every_record_says_the_same_of_harm},
        {"harm follows the air", harm_follows_the_air},
        {"a band that is said later counts", a_band_that_is_said_later_counts},
        {"a band that is taken back counts no more",
         a_band_that_is_taken_back_counts_no_more},
        {"what is predicted is reached from within the band",
         what_is_predicted_is_reached_from_within_the_band},
        CU_TEST_INFO_NULL,
    };
    return check_run("rooms", tests);
}
