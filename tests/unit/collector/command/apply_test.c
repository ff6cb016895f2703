// SPDX-License-Identifier: Apache-2.0
/*
 * Commands against a real state.db: one house that changes, row by row; the audit and who
 * tampers with it.
 */
#include "collector/store/state_audit.h"
#include "collector/store/state_entities.h"
#include "collector/store/state_tables.h"
#include "tests/unit/collector/command_house.h"

/* In order: each row finds what the rows before it left. */
static const struct {
    const char *verb;
    const char *body;
    enum err want;
    const char *says;
} changes[] = {
    {"site.put", "{\"id\":\"x\",\"org\":\"nobody\"}", ERR_NOT_FOUND,
     "there is no org 'nobody'"},
    {"site.put", "{\"id\":\"x\"}", ERR_INVALID, "a new site needs 'org'"},
    {"site.put", "{\"id\":\"s\",\"org\":\"p\"}", ERR_INVALID,
     "belongs to organisation 'o' and stays there"},
    {"zone.put", "{\"id\":\"a\",\"band_low\":8,\"band_high\":2}", ERR_INVALID,
     "band_low of zone 'a' is not below band_high"},
    {"zone.put", "{\"id\":\"a\",\"band_low\":2,\"band_high\":8}", ERR_OK, ""},
    {"zone.put", "{\"id\":\"a\",\"site\":\"t\"}", ERR_INVALID, "stays there"},
    {"zone.put", "{\"id\":\"a\",\"goods\":[\"unheard_of\"]}", ERR_INVALID,
     "'unheard_of' in 'goods' of zone 'a' is no profile"},
    {"zone.put", "{\"id\":\"a\",\"steps\":[{\"from\":9,\"to\":9}]}", ERR_INVALID,
     "give a later 'to'"},
    {"zone.plan_step", "{\"id\":\"a\",\"band_low\":12}", ERR_INVALID, "'to' is missing"},
    {"zone.plan_step",
     "{\"id\":\"a\",\"from\":5,\"to\":9,\"band_low\":8,\"band_high\":2}", ERR_INVALID,
     "band_low that is not below its band_high"},
    {"zone.plan_step",
     "{\"id\":\"a\",\"from\":5,\"to\":9,\"band_low\":12,\"band_high\":15}", ERR_OK, ""},
    {"zone.plan_step", "{\"id\":\"a\",\"from\":6,\"cancel\":true}", ERR_NOT_FOUND,
     "nothing in 'steps' of zone 'a' begins at 1970-01-01T00:00:00.006Z"},
    {"zone.plan_step", "{\"id\":\"a\",\"from\":5,\"cancel\":true}", ERR_OK, ""},
    {"zone.maintenance", "{\"id\":\"a\",\"to\":5}", ERR_INVALID, "give a later 'to'"},
    {"zone.maintenance", "{\"id\":\"a\",\"to\":1790000600000}", ERR_OK, ""},
    {"zone.maintenance", "{\"id\":\"nowhere\",\"to\":1790000600000}", ERR_NOT_FOUND,
     "there is no zone 'nowhere'"},
    {"zone.load", "{\"id\":\"nowhere\",\"goods\":\"apple\"}", ERR_NOT_FOUND,
     "there is no zone 'nowhere'"},
    {"zone.load", "{\"id\":\"a\"}", ERR_INVALID, "'goods' is missing"},
    {"zone.load", "{\"id\":\"a\",\"goods\":\"unheard_of\"}", ERR_INVALID,
     "'unheard_of' in 'goods' of zone 'a' is no profile"},
    {"zone.load", "{\"id\":\"a\",\"goods\":\"apple\",\"entry_c\":180}", ERR_INVALID,
     "'entry_c'"},
    {"zone.load",
     "{\"id\":\"a\",\"goods\":\"apple\",\"entry_c\":18,\"from\":1789000000000}",
     ERR_INVALID, "within the last 7 days"},
    {"zone.load",
     "{\"id\":\"a\",\"goods\":\"apple\",\"entry_c\":18,\"from\":1790100000000}",
     ERR_INVALID, "come within a day"},
    {"zone.unload", "{\"id\":\"a\"}", ERR_NOT_FOUND,
     "nothing is recorded as standing in zone 'a'"},
    {"zone.load", "{\"id\":\"a\",\"goods\":\"apple\",\"entry_c\":18}", ERR_OK, ""},
    {"zone.unload", "{\"id\":\"a\",\"goods\":\"cabbage\"}", ERR_NOT_FOUND,
     "no 'cabbage' is recorded"},
    {"zone.unload", "{\"id\":\"a\",\"goods\":\"apple\"}", ERR_OK, ""},
    {"zone.archive", "{\"id\":\"a\"}", ERR_OK, ""},
    {"zone.load", "{\"id\":\"a\",\"goods\":\"apple\"}", ERR_INVALID,
     "zone 'a' is archived; bring it back first"},
    {"zone.archive", "{\"id\":\"a\",\"archived\":false}", ERR_OK, ""},
    {"zone.duty", "{\"id\":\"a\",\"on\":false}", ERR_INVALID, "say why zone 'a'"},
    {"zone.duty", "{\"id\":\"a\",\"on\":false,\"why\":\"empty\"}", ERR_OK, ""},
    {"zone.duty", "{\"id\":\"a\",\"on\":true}", ERR_OK, ""},
    {"zone.duty", "{\"id\":\"c\",\"on\":true}", ERR_NOT_FOUND, "there is no zone 'c'"},
    {"device.put", "{\"id\":\"d\",\"org\":\"o\"}", ERR_OK, ""},
    {"device.put", "{\"id\":\"d\",\"org\":\"p\"}", ERR_EXISTS,
     "device 'd' is declared under organisation 'o' already"},
    {"placement.put", "{\"device\":\"d\",\"zone\":\"a\",\"from\":1789990000000}", ERR_OK,
     ""},
    {"placement.put", "{\"device\":\"d\",\"zone\":\"a\",\"from\":1789990000000}", ERR_OK,
     ""}, /* said twice */
    {"placement.put", "{\"device\":\"d\",\"zone\":\"b\"}", ERR_EXISTS,
     "all of device 'd' measures zone 'a' from 2026-09-21T"},
    {"placement.put", "{\"device\":\"d\",\"channel\":\"humidity\",\"zone\":\"b\"}",
     ERR_OK, ""},
    {"placement.put", "{\"device\":\"d\",\"zone\":\"theirs\",\"to\":1}", ERR_INVALID,
     "ends after it begins"},
    {"placement.put", "{\"device\":\"d\",\"zone\":\"theirs\",\"from\":0,\"to\":9}",
     ERR_EXISTS, "declared under organisation 'o'"},
    {"placement.put", "{\"device\":\"e\",\"channel\":\"-\",\"zone\":\"b\"}", ERR_INVALID,
     "is not a channel"},
    {"placement.put", "{\"device\":\"new\",\"zone\":\"b\",\"from\":0}", ERR_OK,
     ""}, /* declared by it */
    {"placement.move", "{\"device\":\"f\",\"zone\":\"b\"}", ERR_NOT_FOUND,
     "there is nothing to move"},
    {"placement.move", "{\"device\":\"d\",\"zone\":\"b\",\"from\":1789999000000}", ERR_OK,
     ""},
    {"placement.end", "{}", ERR_INVALID, "name the placement by 'id', or by 'device'"},
    {"placement.end", "{\"device\":\"d\",\"channel\":\"co2\"}", ERR_NOT_FOUND,
     "has no placement of co2"},
    {"placement.end", "{\"device\":\"d\",\"channel\":\"humidity\",\"at\":1790000001000}",
     ERR_OK, ""},
    {"placement.correct", "{\"id\":\"p-none\"}", ERR_NOT_FOUND, "no placement 'p-none'"},
    {"zone.archive", "{\"id\":\"b\"}", ERR_INVALID, "zone 'b' is still measured"},
    {"zone.archive", "{\"id\":\"a\"}", ERR_OK, ""},
    {"placement.put", "{\"device\":\"g\",\"zone\":\"a\"}", ERR_INVALID,
     "zone 'a' is archived"},
    {"zone.archive", "{\"id\":\"a\",\"archived\":false}", ERR_OK, ""},
    {"site.archive", "{\"id\":\"s\"}", ERR_INVALID, "zone 'a' of site 's' is in use"},
    {"vehicle.plate", "{\"id\":\"s\",\"plate\":\"x\"}", ERR_INVALID, "is no vehicle"},
    {"vehicle.plate", "{\"id\":\"v\",\"plate\":\"YuF 1\",\"from\":9}", ERR_OK, ""},
    {"vehicle.plate", "{\"id\":\"v\",\"plate\":\"YuF 0\",\"from\":5}", ERR_OK, ""},
    {"vehicle.plate", "{\"id\":\"v\",\"plate\":\"YuF 2\",\"from\":9}", ERR_OK, ""},
    {"channel.calibrate", "{\"device\":\"d\",\"channel\":\"humidity\",\"due\":1}",
     ERR_INVALID, "due after it was made"},
    {"channel.calibrate",
     "{\"device\":\"d\",\"channel\":\"humidity\",\"offset\":-0.5,\"from\":7}", ERR_OK,
     ""},
    {"channel.calibrate", "{\"device\":\"none\",\"channel\":\"humidity\"}", ERR_NOT_FOUND,
     "there is no device 'none'"},
    {"probe.swap", "{\"device\":\"d\",\"channel\":\"humidity\",\"serial\":\"28-1\"}",
     ERR_OK, ""},
    {"device.replace", "{\"id\":\"d\",\"by\":\"d\"}", ERR_INVALID, "not replace itself"},
    {"device.replace", "{\"id\":\"d\",\"by\":\"d2\"}", ERR_OK, ""},
    {"device.replace", "{\"id\":\"d\",\"by\":\"d3\"}", ERR_EXISTS,
     "was replaced by 'd2' already"},
    {"rule.put",
     "{\"id\":\"warm\",\"zone\":\"a\",\"kind\":\"above\",\"quantity\":"
     "\"air_temperature\",\"levels\":[{\"level\":8,\"delay\":\"10m\"}]}",
     ERR_OK, ""},
    {"rule.put", "{\"id\":\"warm\",\"kind\":\"above\",\"levels\":[]}", ERR_INVALID,
     "warm"},
    {"rule.delete", "{\"id\":\"warm\"}", ERR_OK, ""},
    {"rule.delete", "{\"id\":\"warm\"}", ERR_NOT_FOUND, "there is no rule 'warm'"},
    {"device.archive", "{\"id\":\"d2\"}", ERR_OK, ""},
    {"room.put", "{}", ERR_UNSUPPORTED, "there is no verb 'room.put'"},
};

static void a_house_changes_row_by_row(void)
{
    struct house house;
    house_open(&house);
    furnish(&house);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct err_text why = {0};
        enum err err = run(&house, changes[i].verb, changes[i].body, &why);
        if (err != changes[i].want || strstr(why.text, changes[i].says) == NULL)
            printf("\n  %s %s: %s %s\n", changes[i].verb, changes[i].body, err_name(err),
                   why.text);
        CHECK_ROW(changes[i].body, err == changes[i].want);
        CHECK_ROW(changes[i].body, strstr(why.text, changes[i].says) != NULL);
    }
    house_close(&house);
}

static void see(void *context, const struct state_entity *row)
{
    buf_format(context, "%s %" PRId64 " %s\n", row->id, row->version, row->body);
}

static char *body_of(struct house *house, const char *kind, const char *id)
{
    struct buf out = {0};
    buf_text(&out, "");
    enum err err = state_find_entity(house->state, kind, id, &out, see);
    CHECK_ROW(id, err == ERR_OK || err == ERR_NOT_FOUND);
    return buf_take(&out);
}

static void see_correction(void *context, const struct state_correction *row)
{
    buf_format(context, "%s/%s %" PRId64 "-%" PRId64 " %s>%s;", row->device, row->channel,
               (row->from_ms - NOW) / 1000, (row->to_ms - NOW) / 1000, row->old_zone,
               row->new_zone);
}

/* Times are seconds before NOW. */
static void what_is_said_of_the_past_is_a_correction(void)
{
    static const struct {
        const char *name;
        const char *verb;
        const char *body;
        const char *want;
    } rows[] = {
        {"from now on", "placement.put", "{\"device\":\"x\",\"zone\":\"a\"}", ""},
        {"since an hour", "placement.put",
         "{\"device\":\"x\",\"zone\":\"a\",\"from\":1789996400000}", "x/ -3600-0 >a;"},
        {"moved half an hour ago", "placement.move",
         "{\"device\":\"d\",\"zone\":\"b\",\"from\":1789998200000}",
         "d/ -1800-0 a>;d/ -1800-0 >b;"},
        {"ended ten minutes ago", "placement.end",
         "{\"device\":\"d\",\"at\":1789999400000}", "d/ -600-0 a>;"},
        {"in the future", "placement.end", "{\"device\":\"d\",\"at\":1790000600000}", ""},
        {"another room all along", "placement.correct", "{\"id\":\"p1\",\"zone\":\"b\"}",
         "d/ -7200-0 a>b;"},
        {"later than was thought", "placement.correct",
         "{\"id\":\"p1\",\"from\":1789996400000}", "d/ -7200--3600 a>;"},
        {"nothing new", "placement.correct", "{\"id\":\"p1\",\"zone\":\"a\"}", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        struct err_text why;
        struct buf seen = {0};
        house_open(&house);
        furnish(&house);
        CHECK(
            run(&house, "placement.put",
                "{\"id\":\"p1\",\"device\":\"d\",\"zone\":\"a\",\"from\":1789992800000}",
                &why) == ERR_OK);
        CHECK(state_begin(house.state) == ERR_OK);
        CHECK(state_end_correction(house.state, 1) == ERR_OK);
        CHECK(state_end_correction(house.state, 1) == ERR_NOT_FOUND);
        CHECK(state_commit(house.state) == ERR_OK);
        CHECK_ROW(rows[i].name, run(&house, rows[i].verb, rows[i].body, &why) == ERR_OK);
        buf_text(&seen, "");
        CHECK(state_pending_corrections(house.state, 0, &seen, see_correction) == ERR_OK);
        if (strcmp(seen.data, rows[i].want) != 0)
            printf("\n  %s: %s\n", rows[i].name, seen.data);
        CHECK_ROW(rows[i].name, strcmp(seen.data, rows[i].want) == 0);
        buf_fini(&seen);
        house_close(&house);
    }
}

static void a_version_that_is_old_is_told_the_present_state(void)
{
    struct house house;
    struct err_text why;
    char *result;
    house_open(&house);
    furnish(&house);
    CHECK(run_as(&house, "", "k1", "zone.put", 1, "{\"id\":\"a\",\"name\":\"A\"}", &why,
                 NULL) == ERR_OK);
    CHECK(run_as(&house, "", "k2", "zone.put", 1, "{\"id\":\"a\",\"name\":\"B\"}", &why,
                 &result) == ERR_CONFLICT);
    CHECK(strstr(why.text, "it is of version 2, not 1") != NULL);
    CHECK_TEXT(result, "{\"id\":\"a\",\"kind\":\"zone\",\"present\":{\"name\":\"A\","
                       "\"site\":\"s\"},\"version\":2}");
    free(result);
    CHECK(run_as(&house, "", "k3", "zone.put", 0, "{\"id\":\"a\",\"site\":\"s\"}", &why,
                 NULL) == ERR_CONFLICT);
    CHECK(run_as(&house, "", "k4", "zone.put", 0, "{\"id\":\"n\",\"site\":\"s\"}", &why,
                 NULL) == ERR_OK);
    /* What is as it was said has no new version. */
    CHECK(run_as(&house, "", "k5", "zone.put", 2, "{\"id\":\"a\",\"name\":\"A\"}", &why,
                 NULL) == ERR_OK);
    char *body = body_of(&house, "zone", "a");
    CHECK_TEXT(body, "a 2 {\"name\":\"A\",\"site\":\"s\"}\n");
    free(body);
    house_close(&house);
}

static void a_command_is_applied_once(void)
{
    struct house house;
    struct err_text why;
    char *first;
    char *again;
    house_open(&house);
    furnish(&house);
    CHECK(run_as(&house, "", "k", "zone.put", COMMAND_ANY,
                 "{\"id\":\"a\",\"name\":\"1\"}", &why, &first) == ERR_OK);
    CHECK(run(&house, "zone.put", "{\"id\":\"a\",\"name\":\"2\"}", &why) == ERR_OK);
    CHECK(run_as(&house, "", "k", "zone.put", COMMAND_ANY,
                 "{\"id\":\"a\",\"name\":\"1\"}", &why, &again) == ERR_OK);
    CHECK_TEXT(first, again);
    char *body = body_of(&house, "zone", "a");
    CHECK_TEXT(body, "a 3 {\"name\":\"2\",\"site\":\"s\"}\n");
    free(body);
    CHECK(run_as(&house, "", "k", "zone.put", COMMAND_ANY,
                 "{\"id\":\"a\",\"name\":\"9\"}", &why, NULL) == ERR_INVALID);
    CHECK(strstr(why.text, "used for another command") != NULL);
    /* A refusal is answered again, too. */
    for (int i = 0; i < 2; i++)
        CHECK(run_as(&house, "", "r", "zone.put", COMMAND_ANY, "{\"id\":\"?\"}", &why,
                     NULL) == ERR_INVALID);
    free(first);
    free(again);
    house_close(&house);
}

/* Who belongs to one organisation touches nothing of another, by whatever name. */
static void an_organisation_touches_its_own_only(void)
{
    static const char *const rows[][2] = {
        {"zone.put", "{\"id\":\"a\",\"name\":\"mine\"}"},
        {"zone.put", "{\"id\":\"n\",\"site\":\"s\"}"},
        {"zone.duty", "{\"id\":\"a\",\"on\":false,\"why\":\"empty\"}"},
        {"site.put", "{\"id\":\"n\",\"org\":\"o\"}"},
        {"site.put", "{\"id\":\"s\",\"org\":\"p\"}"},
        {"org.put", "{\"id\":\"o\"}"},
        {"org.put", "{\"id\":\"q\"}"},
        {"device.put", "{\"id\":\"d\",\"org\":\"p\"}"},
        {"device.put", "{\"id\":\"n\",\"org\":\"o\"}"},
        {"device.replace", "{\"id\":\"d\",\"by\":\"n\"}"},
        {"probe.swap", "{\"device\":\"d\",\"channel\":\"humidity\",\"serial\":\"1\"}"},
        {"placement.put", "{\"device\":\"d\",\"zone\":\"theirs\",\"to\":9,\"from\":1}"},
        {"placement.put", "{\"device\":\"n\",\"zone\":\"a\"}"},
        {"placement.move", "{\"device\":\"d\",\"zone\":\"theirs\"}"},
        {"placement.end", "{\"device\":\"d\"}"},
        {"placement.correct", "{\"id\":\"p1\",\"from\":5}"},
        {"rule.delete", "{\"id\":\"warm\"}"},
    };
    struct house house;
    struct err_text why;
    house_open(&house);
    furnish(&house);
    CHECK(run(&house, "placement.put",
              "{\"id\":\"p1\",\"device\":\"d\",\"zone\":\"a\",\"from\":0}",
              &why) == ERR_OK);
    CHECK(run(&house, "rule.put",
              "{\"id\":\"warm\",\"zone\":\"a\",\"kind\":\"above\",\"quantity\":"
              "\"air_temperature\",\"levels\":[{\"level\":8}]}",
              &why) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char id[16];
        snprintf(id, sizeof id, "x%zu", i);
        CHECK_ROW(rows[i][1], run_as(&house, "p", id, rows[i][0], COMMAND_ANY, rows[i][1],
                                     &why, NULL) != ERR_OK);
        CHECK_ROW(rows[i][1],
                  strstr(why.text, "'o'") == NULL || strstr(rows[i][1], "\"o\"") != NULL);
    }
    CHECK(run_as(&house, "p", "y", "zone.put", COMMAND_ANY,
                 "{\"id\":\"theirs\",\"name\":\"mine\"}", &why, NULL) == ERR_OK);
    house_close(&house);
}

/* ---- audit ----------------------------------------------------------------------------
 */

static void on_link(void *context, const struct state_audit *row)
{
    audit_chain_next(context, row);
}

static void who_tampers_with_the_audit_breaks_the_chain(void)
{
    static const struct {
        const char *name;
        const char *sql;
        uint64_t broken_at;
    } rows[] = {
        {"nothing", "UPDATE audit SET actor = 'li' WHERE seq = 99", 0},
        {"who", "UPDATE audit SET actor = 'li' WHERE seq = 4", 4},
        {"why", "UPDATE audit SET reason = '' WHERE seq = 1", 1},
        {"when", "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 3", 3},
        {"what", "UPDATE audit SET changes = '[]' WHERE seq = 5", 5},
        {"a row is gone", "DELETE FROM audit WHERE seq = 3", 4},
        {"two change places",
         "UPDATE audit SET seq = CASE seq WHEN 3 THEN -4 WHEN 4 THEN -3 ELSE seq END", 3},
        {"hash and all", "UPDATE audit SET hash = zeroblob(32) WHERE seq = 2", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        struct audit_chain chain = {0};
        house_open(&house);
        furnish(&house);
        CHECK(state_begin(house.state) == ERR_OK);
        CHECK(state_write(house.state, rows[i].sql, DB_NONE) == ERR_OK);
        CHECK(state_write(house.state, "UPDATE audit SET seq = -seq WHERE seq < 0",
                          DB_NONE) == ERR_OK);
        CHECK(state_commit(house.state) == ERR_OK);
        CHECK(state_page_audit(house.state, 0, 0, &chain, on_link) == ERR_OK);
        CHECK_ROW(rows[i].name, chain.broken_at == rows[i].broken_at);
        CHECK_ROW(rows[i].name, (chain.why == NULL) == (rows[i].broken_at == 0));
        house_close(&house);
    }
}

/* ---- the record -----------------------------------------------------------------------
 */

static void records_that_are_no_commands(void)
{
    static const char *const rows[] = {
        "",
        "[]",
        "{}",
        "{\"id\":\"1\",\"verb\":\"v\",\"actor\":\"a\"}",
        "{\"id\":\"\",\"verb\":\"v\",\"actor\":\"a\",\"body\":{}}",
        "{\"id\":\"a b\",\"verb\":\"v\",\"actor\":\"a\",\"body\":{}}",
        "{\"id\":\"1\",\"verb\":\"v\",\"actor\":\"a b\",\"body\":{}}",
        "{\"id\":\"1\",\"verb\":7,\"actor\":\"a\",\"body\":{}}",
        "{\"id\":\"1\",\"verb\":\"v\",\"actor\":\"a\",\"body\":[]}",
        "{\"id\":\"1\",\"id\":\"1\",\"verb\":\"v\",\"actor\":\"a\",\"body\":{}}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct command command;
        struct err_text why = {0};
        CHECK_ROW(rows[i],
                  command_parse(&command, rows[i], strlen(rows[i]), &why) == ERR_INVALID);
        CHECK_ROW(rows[i], why.text[0] != '\0');
        command_fini(&command);
    }
}

static void a_record_reads_as_it_was_written(void)
{
    json_t *body = json_pack("{s:s}", "id", "a");
    const struct command from = {.id = "k",
                                 .verb = "zone.put",
                                 .actor = "wang",
                                 .org = "o",
                                 .reason = "门",
                                 .if_version = 3,
                                 .at_ms = NOW,
                                 .body = body};
    struct buf text = {0};
    struct command to;
    struct err_text why;
    command_format(&from, &text);
    CHECK(command_parse(&to, text.data, text.len, &why) == ERR_OK);
    CHECK_TEXT(to.id, "k");
    CHECK_TEXT(to.org, "o");
    CHECK_TEXT(to.reason, "门");
    CHECK(to.if_version == 3 && to.at_ms == NOW &&
          json_equal(body, (json_t *)(uintptr_t)to.body));
    command_fini(&to);
    buf_fini(&text);
    json_decref(body);
}

/* Bananas and apples; and a step for the bananas alone. */
static void an_answer_names_the_contact_it_came_from(void)
{
    struct house house;
    struct outcome outcome = {0};
    struct err_text why = {0};
    struct command read;
    struct buf record = {0};
    json_t *body = json_pack("{s:s}", "id", "fengjie");
    house_open(&house);
    const struct command command = {.id = "a-1",
                                    .verb = "org.put",
                                    .actor = "li",
                                    .org = "",
                                    .reason = "by a reply over sms",
                                    .via = "sms/li",
                                    .if_version = COMMAND_ANY,
                                    .body = body};
    command_format(&command, &record);
    CHECK(command_parse(&read, record.data, record.len, &why) == ERR_OK);
    CHECK_TEXT(read.via, "sms/li");
    CHECK(state_begin(house.state) == ERR_OK);
    CHECK(command_apply(house.state, &read, 1, NOW, &outcome) == ERR_OK);
    CHECK(state_commit(house.state) == ERR_OK);
    CHECK(outcome.err == ERR_OK);
    CHECK(strstr(outcome.result, "\"via\":\"sms/li\"") != NULL);
    outcome_fini(&outcome);
    command_fini(&read);
    json_decref(body);
    buf_clear(&record);
    char via[COMMAND_VIA_MAX + 2];
    memset(via, 'x', sizeof via);
    via[sizeof via - 1] = '\0';
    buf_format(&record,
               "{\"id\":\"a\",\"verb\":\"org.put\",\"actor\":\"li\",\"body\":{},"
               "\"via\":\"%s\"}",
               via);
    CHECK(command_parse(&read, record.data, record.len, &why) == ERR_INVALID);
    command_fini(&read);
    buf_fini(&record);
    house_close(&house);
}

#define BAND_RULE \
    "{\"id\":\"warm\",\"zone\":\"a\",\"kind\":\"above\"," \
    "\"quantity\":\"air_temperature\",\"levels\":[{\"level\":"

/* Refused where there is none; warned of when it goes. */
static void a_rule_may_name_the_band_of_its_zone(void)
{
    static const struct {
        const char *verb;
        const char *body;
        enum err want;
        const char *says; /* of the refusal, or in the answer */
    } rows[] = {
        {"rule.put", BAND_RULE "\"band_high\"}]}", ERR_INVALID,
         "names band_high, which zone 'a' has not"},
        {"rule.put", BAND_RULE "\"hot\"}]}", ERR_INVALID,
         "'levels[0].level' is not a number, nor an end of the zone's band"},
        {"zone.put", "{\"id\":\"a\",\"band_high\":8}", ERR_OK, ""},
        {"rule.put", BAND_RULE "\"band_high + 0.5\",\"recovery_level\":7}]}", ERR_OK, ""},
        {"zone.put", "{\"id\":\"a\",\"goods\":[\"potato\"]}", ERR_OK, ""},
        {"zone.put", "{\"id\":\"a\",\"goods\":[\"apple\"]}", ERR_OK,
         "\"code\":\"rule_without_band\""}, /* it recovers at 7, and fires at 0.5 */
        {"zone.put", "{\"id\":\"a\",\"goods\":null}", ERR_OK, ""},
        {"zone.put", "{\"id\":\"a\",\"band_high\":null}", ERR_OK,
         "\"code\":\"rule_without_band\""},
    };
    struct house house;
    house_open(&house);
    furnish(&house);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why;
        char *text = NULL;
        char id[16];
        snprintf(id, sizeof id, "b%zu", i);
        CHECK_ROW(rows[i].body, run_as(&house, "", id, rows[i].verb, COMMAND_ANY,
                                       rows[i].body, &why, &text) == rows[i].want);
        const char *said = rows[i].want == ERR_OK ? text : why.text;
        CHECK_ROW(rows[i].body, strstr(said, rows[i].says) != NULL);
        CHECK_ROW(rows[i].body,
                  rows[i].says[0] != '\0' || strstr(said, "rule_without_band") == NULL);
        free(text);
    }
    house_close(&house);
}

/* NOW and EARLIER, three hours before, as the milliseconds that they are; owned. */
static char *with_times(const char *text)
{
    struct buf out = {0};
    while (*text != '\0') {
        if (strncmp(text, "NOW", 3) == 0) {
            buf_format(&out, "%" PRId64, NOW);
            text += 3;
        } else if (strncmp(text, "EARLIER", 7) == 0) {
            buf_format(&out, "%" PRId64, NOW - 3 * 3600000);
            text += 7;
        } else {
            buf_add(&out, text++, 1);
        }
    }
    buf_text(&out, "");
    return buf_take(&out);
}

#define LIFE_RULE \
    "{\"id\":\"old\",\"zone\":\"a\",\"kind\":\"life_left\"," \
    "\"quantity\":\"product_temperature\",\"levels\":[{\"level\":20}]}"

static void on_since(void *context, const struct state_entity *row)
{
    json_t *body = json_loads(row->body, 0, NULL);
    char *text = json_dumps(json_object_get(body, "goods_since"),
                            JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    snprintf(context, 200, "%s", text != NULL ? text : "");
    free(text);
    json_decref(body);
}

/* Each row finds what the rows before it left; NOW is when it is said. */
static void goods_stand_there_since_they_came(void)
{
    static const struct {
        const char *verb;
        const char *body;
        const char *since;
        const char *warns; /* part of the answer; NULL: of nothing */
    } rows[] = {
        {"rule.put", LIFE_RULE, "", "none are named in zone 'a'"},
        {"zone.put", "{\"id\":\"a\",\"goods\":[\"apple\"]}", "{\"apple\":NOW}", NULL},
        {"zone.put", "{\"id\":\"a\",\"goods\":[\"fish_fresh\",\"apple\"]}",
         "{\"apple\":NOW,\"fish_fresh\":NOW}", "says nothing of fish_fresh"},
        {"zone.unload", "{\"id\":\"a\",\"goods\":\"fish_fresh\"}", "{\"apple\":NOW}",
         NULL},
        {"zone.load", "{\"id\":\"a\",\"goods\":\"pear\",\"from\":EARLIER}",
         "{\"apple\":NOW,\"pear\":EARLIER}", NULL},
        {"zone.load", "{\"id\":\"a\",\"goods\":\"pear\"}",
         "{\"apple\":NOW,\"pear\":EARLIER}", NULL},
        {"zone.put",
         "{\"id\":\"a\",\"goods\":[\"plum\"],\"loads\":[{\"from\":EARLIER,"
         "\"entry_c\":20,\"goods\":\"plum\"}]}",
         "{\"plum\":EARLIER}", NULL},
        {"zone.put",
         "{\"id\":\"a\",\"goods\":[\"plum\",\"apple\",\"pear\",\"grape\",\"peach\"]}",
         NULL, "looks at the first 4 sorts"},
        {"zone.put", "{\"id\":\"a\",\"goods\":null}", "", "none are named"},
    };
    struct house house;
    house_open(&house);
    furnish(&house);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why;
        char *text = NULL;
        char id[16];
        char since[200] = "";
        char *body = with_times(rows[i].body);
        snprintf(id, sizeof id, "g%zu", i);
        CHECK_ROW(rows[i].body, run_as(&house, "", id, rows[i].verb, COMMAND_ANY, body,
                                       &why, &text) == ERR_OK);
        CHECK_ROW(rows[i].body,
                  state_find_entity(house.state, "zone", "a", since, on_since) == ERR_OK);
        char *want = rows[i].since != NULL ? with_times(rows[i].since) : NULL;
        CHECK_ROW(rows[i].body, want == NULL || strcmp(since, want) == 0);
        CHECK_ROW(rows[i].body,
                  (strstr(text, "life_unknown") != NULL) == (rows[i].warns != NULL));
        CHECK_ROW(rows[i].body,
                  rows[i].warns == NULL || strstr(text, rows[i].warns) != NULL);
        free(want);
        free(body);
        free(text);
    }
    house_close(&house);
}

static void what_may_not_be_meant_is_warned_of(void)
{
    static const struct {
        const char *verb;
        const char *body;
        const char *code; /* NULL: no warning */
    } rows[] = {
        {"zone.put", "{\"id\":\"a\",\"goods\":[\"apple\"]}", NULL},
        {"zone.put", "{\"id\":\"a\",\"goods\":[\"apple\",\"banana\"]}", "band_empty"},
        {"zone.put",
         "{\"id\":\"b\",\"band_low\":2,\"band_high\":8,\"goods\":[\"banana\"]}",
         "band_empty"},
        {"zone.put", "{\"id\":\"b\",\"band_low\":null,\"band_high\":null}", NULL},
        {"zone.plan_step",
         "{\"id\":\"b\",\"to\":1790000600000,\"band_high\":20,\"goods\":[\"banana\"]}",
         NULL},
        {"zone.plan_step",
         "{\"id\":\"b\",\"to\":1790000600000,\"band_high\":20,\"goods\":[\"apple\"]}",
         "step_unshared"},
    };
    struct house house;
    house_open(&house);
    furnish(&house);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why;
        char *text = NULL;
        char id[16];
        snprintf(id, sizeof id, "w%zu", i);
        CHECK_ROW(rows[i].body, run_as(&house, "", id, rows[i].verb, COMMAND_ANY,
                                       rows[i].body, &why, &text) == ERR_OK);
        json_t *result = json_loads(text, 0, NULL);
        const json_t *first = json_array_get(json_object_get(result, "warnings"), 0);
        const char *code = json_string_value(json_object_get(first, "code"));
        CHECK_ROW(rows[i].body, (code != NULL) == (rows[i].code != NULL));
        CHECK_ROW(rows[i].body, code == NULL || rows[i].code == NULL ||
                                    strcmp(code, rows[i].code) == 0);
        CHECK_ROW(rows[i].body,
                  code == NULL || json_object_get(first, "text_zh") != NULL);
        json_decref(result);
        free(text);
    }
    house_close(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a house changes row by row", a_house_changes_row_by_row},
        {"what is said of the past is a correction",
         what_is_said_of_the_past_is_a_correction},
        {"goods stand there since they came", goods_stand_there_since_they_came},
        {"a rule may name the band of its zone", a_rule_may_name_the_band_of_its_zone},
        {"a version that is old is told the present state",
         a_version_that_is_old_is_told_the_present_state},
        {"a command is applied once", a_command_is_applied_once},
        {"an organisation touches its own only", an_organisation_touches_its_own_only},
        {"who tampers with the audit breaks the chain",
         who_tampers_with_the_audit_breaks_the_chain},
        {"records that are no commands", records_that_are_no_commands},
        {"an answer names the contact it came from",
         an_answer_names_the_contact_it_came_from},
        {"what may not be meant is warned of", what_may_not_be_meant_is_warned_of},
        {"a record reads as it was written", a_record_reads_as_it_was_written},
        CU_TEST_INFO_NULL,
    };
    return check_run("apply", tests);
}
