// SPDX-License-Identifier: Apache-2.0
/* Incidents, their acknowledgement, quarantine, outbox and sinks over HTTP. */
#include "tests/unit/collector/api/world.h"

#include <inttypes.h>

#include "collector/store/state_delivery.h"
#include "collector/store/state_escalation.h"

#define INCIDENTS 25

/* Three incidents open at each moment, so that pages end between them. */
static struct incident incident_of(int number)
{
    struct incident incident = {
        .kind = ALERT_ABOVE,
        .severity = ALERT_WARNING,
        .state = number % 5 == 0 ? INCIDENT_CLOSED : INCIDENT_OPEN,
        .onset_ms = WORLD_T0 + number / 3 * 60000,
        .opened_ms = WORLD_T0 + number / 3 * 60000,
        .learned_ms = WORLD_T0 + number * 60000,
        .changed_ms = WORLD_T0 + number * 60000,
        .closed_ms = number % 5 == 0 ? WORLD_T0 + number * 60000 + 1000 : 0,
        .limit = 8,
        .value = 9.5,
        .worst = (double)NAN,
        .revision = 1,
    };
    snprintf(incident.id, sizeof incident.id, "%032x", number + 1);
    snprintf(incident.rule, sizeof incident.rule, "warm");
    snprintf(incident.zone, sizeof incident.zone, "room-%d", number % 2);
    snprintf(incident.device, sizeof incident.device, "one");
    snprintf(incident.channel, sizeof incident.channel, "air_temperature");
    snprintf(incident.quantity, sizeof incident.quantity, "air_temperature");
    snprintf(incident.snapshot, sizeof incident.snapshot, "{\"id\":\"warm\"}");
    return incident;
}

static void fill(struct world *world)
{
    world_must(state_begin(world->state), "begin");
    for (int i = 0; i < INCIDENTS; i++) {
        struct incident incident = incident_of(i);
        world_must(state_add_incident(world->state, ALERT_EFFECT_OPENED, &incident,
                                      incident.learned_ms, "{\"text\":\"warm\"}"),
                   "incident");
        const struct state_message message = {.incident = incident.id,
                                              .revision = 1,
                                              .channel = "duty",
                                              .key = incident.id,
                                              .body = "{}",
                                              .created_ms = WORLD_T0,
                                              .next_attempt_ms = WORLD_T0};
        world_must(state_add_message(world->state, &message), "message");
    }
    world_must(state_commit(world->state), "commit");
}

/* Follows `next` through the list of that name; every `key` comes once. */
static size_t walk(const struct world *world, const char *path, const char *list_name,
                   const char *param, const char *key)
{
    size_t count = 0;
    char *seen = mem_strdup("");
    char *url = mem_strdup(path);
    for (int pages = 0; url != NULL && pages < 100; pages++) {
        struct answer answer;
        size_t i;
        json_t *entry;
        world_get(world, url, &answer);
        CHECK_ROW(url, answer.status == 200);
        json_array_foreach(json_object_get(answer.json, list_name), i, entry)
        {
            char *text = json_dumps(json_object_get(entry, key), JSON_ENCODE_ANY);
            CHECK_ROW(path, strstr(seen, text) == NULL);
            char *more = mem_format("%s,%s", seen, text);
            free(seen);
            free(text);
            seen = more;
            count++;
        }
        const json_t *next = json_object_get(answer.json, "next");
        free(url);
        url = json_is_string(next)
                  ? mem_format("%s&%s=%s", path, param, json_string_value(next))
              : json_is_integer(next) ? mem_format("%s&%s=%" PRId64, path, param,
                                                   (int64_t)json_integer_value(next))
                                      : NULL;
        answer_fini(&answer);
    }
    free(url);
    free(seen);
    return count;
}

static void incidents_are_filtered_and_paged(void)
{
    static const struct {
        const char *query;
        size_t count;
    } rows[] = {
        {"limit=1", 25},
        {"limit=2", 25},
        {"limit=7", 25},
        {"limit=1000", 25},
        {"limit=2&state=closed", 5},
        {"limit=3&state=open,closed", 25},
        {"limit=3&state=recovering", 0},
        {"limit=4&zone=room-1", 12},
        {"limit=4&zone=room-9", 0},
        {"limit=4&zone=room-0&state=closed", 3},
        {"limit=4&from=2026-11-24", 20},
        {"limit=4&to=2026-11-23T08:00:00.001Z", 3},
    };
    struct world world;
    world_open(&world);
    fill(&world);
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[200];
        snprintf(path, sizeof path, "/api/v1/incidents?%s", rows[i].query);
        CHECK_ROW(rows[i].query,
                  walk(&world, path, "incidents", "cursor", "id") == rows[i].count);
    }
    world_close(&world);
}

static void one_incident_tells_its_story(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    fill(&world);
    world_run(&world);
    struct incident want = incident_of(0);
    char path[100];
    snprintf(path, sizeof path, "/api/v1/incidents/%s", want.id);
    world_get(&world, path, &answer);
    CHECK(answer.status == 200);
    const json_t *step = json_array_get(json_object_get(answer.json, "transitions"), 0);
    const json_t *message = json_array_get(json_object_get(answer.json, "messages"), 0);
    CHECK_TEXT(json_string_value(json_object_get(answer.json, "state")), "closed");
    CHECK_TEXT(json_string_value(json_object_get(answer.json, "opened")),
               "2026-11-23T08:00:00.000Z");
    CHECK(json_is_null(json_object_get(answer.json, "worst")));
    CHECK(json_is_false(json_object_get(answer.json, "acknowledged")));
    CHECK_TEXT(json_string_value(json_object_get(step, "event")), "opened");
    CHECK_TEXT(
        json_string_value(json_object_get(json_object_get(step, "message"), "text")),
        "warm");
    CHECK_TEXT(json_string_value(json_object_get(message, "channel")), "duty");
    CHECK_TEXT(json_string_value(
                   json_object_get(json_object_get(answer.json, "rule_in_force"), "id")),
               "warm");
    answer_fini(&answer);
    world_get(&world, "/api/v1/incidents/ffffffffffffffffffffffffffffffff", &answer);
    CHECK(answer.status == 404);
    answer_fini(&answer);
    world_close(&world);
}

/* ---- acknowledgement -----------------------------------------------------------------
 */

#define ACKNOWLEDGE "/api/v1/incidents/00ab/acknowledge"

static void an_acknowledgement_waits_for_the_command(void)
{
    static const struct {
        const char *name;
        enum err submit;
        enum err command;
        bool is_never;
        int want;
        const char *detail;
    } rows[] = {
        {"applied", ERR_OK, ERR_OK, false, 200, ""},
        {"unknown", ERR_OK, ERR_NOT_FOUND, false, 404, "not found"},
        {"somebody was first", ERR_OK, ERR_EXISTS, false, 409, "exists already"},
        {"refused", ERR_OK, ERR_INVALID, false, 400, "value not allowed"},
        {"never applied", ERR_OK, ERR_OK, true, 504, "it was not applied in time"},
        {"no room in the journal", ERR_FULL, ERR_OK, false, 500, "no space left"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world world;
        struct answer answer;
        world_open(&world);
        world.submit_err = rows[i].submit;
        world.command_err = rows[i].command;
        world.is_never_applied = rows[i].is_never;
        world_run(&world);
        world_ask(&world, "POST", ACKNOWLEDGE, world.token, "{\"reason\":\"门开着\"}",
                  &answer);
        CHECK_ROW(rows[i].name, answer.status == rows[i].want);
        CHECK_ROW(rows[i].name, strstr(answer_detail(&answer), rows[i].detail) != NULL);
        answer_fini(&answer);
        world_close(&world);
    }
}

static void a_command_names_who_what_and_why(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    world_run(&world);
    world_ask(&world, "POST", ACKNOWLEDGE, world.token, "{\"reason\":\"on my way\"}",
              &answer);
    CHECK_TEXT(answer.body, "{\"applied\":true}");
    answer_fini(&answer);
    json_t *command = json_loads(world.command, 0, NULL);
    CHECK_TEXT(json_string_value(json_object_get(command, "verb")),
               "incident.acknowledge");
    CHECK_TEXT(json_string_value(json_object_get(json_object_get(command, "body"), "id")),
               "00ab");
    CHECK_TEXT(json_string_value(json_object_get(command, "actor")), "first-start");
    CHECK_TEXT(json_string_value(json_object_get(command, "reason")), "on my way");
    CHECK(json_string_length(json_object_get(command, "id")) == 32);
    json_decref(command);
    world_ask(&world, "POST", ACKNOWLEDGE, world.token, NULL, &answer);
    CHECK(answer.status == 200);
    answer_fini(&answer);
    world_close(&world);
}

static void bodies_that_are_not_understood(void)
{
    static const char *const rows[] = {"x",
                                       "[]",
                                       "{\"reason\":5}",
                                       "{\"reason\":\"a\",\"reason\":\"b\"}",
                                       "{}x",
                                       "nul",
                                       "\"on my way\"",
                                       "{\"reason\":\"\xff\"}",
                                       "{\"reason\":\"\\u001b[2J\"}"};
    struct world world;
    struct answer answer;
    world_open(&world);
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_ask(&world, "POST", ACKNOWLEDGE, world.token, rows[i], &answer);
        CHECK_ROW(rows[i], answer.status == 400);
        answer_fini(&answer);
    }
    char *text = mem_alloc(600);
    memset(text, 'a', 599);
    char *body = mem_format("{\"reason\":\"%s\"}", text);
    world_ask(&world, "POST", ACKNOWLEDGE, world.token, body, &answer);
    CHECK(answer.status == 400);
    answer_fini(&answer);
    free(body);
    free(text);
    CHECK(world.command[0] == '\0');
    world_close(&world);
}

/* ---- quarantine, outbox, sinks -------------------------------------------------------
 */

/* Several items of one position, of two sources: a page may end among them. */
static void fill_quarantine(struct world *world)
{
    world_must(state_begin(world->state), "begin");
    for (uint32_t i = 0; i < 12; i++) {
        char detail[40];
        snprintf(detail, sizeof detail, "entry %u", i);
        const struct state_quarantined entry = {
            .source = i % 4 < 2 ? "" : "influx",
            .position = 100 + i / 4,
            .item = i % 2,
            .org = "fengjie",
            .device = "one",
            .topic = i == 5 ? "coldchain/\xff\xfe" : "coldchain/v1/x",
            .epoch = UINT64_MAX,
            .seq = i,
            .reason = "unreadable",
            .detail = detail,
            .data = "\x01{}\xff",
            .len = 4,
            .size = 4,
            .arrived_ms = WORLD_T0,
        };
        world_must(state_add_quarantined(world->state, &entry), "quarantine");
    }
    world_must(state_commit(world->state), "commit");
}

static void quarantine_is_paged_and_counted_whatever_the_bytes(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    fill_quarantine(&world);
    world_run(&world);
    for (int limit = 1; limit <= 13; limit++) {
        char path[100];
        snprintf(path, sizeof path, "/api/v1/quarantine?limit=%d", limit);
        CHECK_ROW(path, walk(&world, path, "quarantine", "after", "detail") == 12);
    }
    world_get(&world, "/api/v1/quarantine", &answer);
    const json_t *row = json_array_get(json_object_get(answer.json, "quarantine"), 5);
    CHECK_TEXT(json_string_value(json_object_get(row, "topic")),
               "coldchain/\xef\xbf\xbd\xef\xbf\xbd");
    CHECK_TEXT(json_string_value(json_object_get(row, "sample")), ".{}.");
    CHECK(json_integer_value(json_object_get(json_object_get(answer.json, "counts"),
                                             "unreadable")) == 12);
    answer_fini(&answer);
    world_close(&world);
}

static void outbox_and_sinks_are_shown(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    fill(&world);
    const struct state_sink sink = {.name = "influx",
                                    .cursor = 7,
                                    .state = "rejecting",
                                    .last_error = "said \xff",
                                    .changed_ms = WORLD_T0,
                                    .accepted = 3,
                                    .rejected = 2,
                                    .retries = 1};
    world_must(state_begin(world.state), "begin");
    world_must(state_put_sink(world.state, &sink), "sink");
    world_must(state_outbox_attempt(world.state, 1, WORLD_T0, WORLD_T0 + 1), "attempt");
    world_must(state_outbox_result(world.state, 1, WORLD_T0, STATE_OUTBOX_DONE, 0,
                                   "a cut \xe9\x97"),
               "result");
    world_must(state_commit(world.state), "commit");
    world_run(&world);
    CHECK(walk(&world, "/api/v1/outbox?limit=4", "messages", "after", "id") == INCIDENTS);
    world_get(&world, "/api/v1/outbox?limit=1", &answer);
    const json_t *message = json_array_get(json_object_get(answer.json, "messages"), 0);
    CHECK_TEXT(json_string_value(json_object_get(message, "state")), "done");
    CHECK_TEXT(json_string_value(json_object_get(message, "last_result")),
               "a cut \xef\xbf\xbd\xef\xbf\xbd");
    answer_fini(&answer);
    world_get(&world, "/api/v1/sinks", &answer);
    CHECK_TEXT(
        json_string_value(json_object_get(json_array_get(answer.json, 0), "last_error")),
        "said \xef\xbf\xbd");
    answer_fini(&answer);
    world_close(&world);
}

/* Contact, address, step and repeat; an end has no step, a channel's own no contact. */
static void an_incident_says_who_was_told(void)
{
    static const char *const want[] = {
        "null null null null",
        "\"li\" 1 1 1",
        "\"li\" 2 1 3",
        "\"li\" 1 null null",
    };
    struct world world;
    struct answer answer;
    char path[100];
    world_open(&world);
    fill(&world);
    const struct incident incident = incident_of(0);
    struct state_message message = {.incident = incident.id,
                                    .revision = 1,
                                    .channel = "sms",
                                    .key = "k",
                                    .body = "{}",
                                    .contact = "li"};
    world_must(state_begin(world.state), "begin");
    world_must(state_add_message(world.state, &message), "first");
    message.address = 1;
    message.times = 2;
    world_must(state_add_message(world.state, &message), "third");
    message.address = 0;
    message.times = 0;
    message.step = STATE_STEP_END;
    world_must(state_add_message(world.state, &message), "end");
    world_must(state_commit(world.state), "commit");
    world_run(&world);
    snprintf(path, sizeof path, "/api/v1/incidents/%s", incident.id);
    world_get(&world, path, &answer);
    const json_t *messages = json_object_get(answer.json, "messages");
    CHECK(json_array_size(messages) == sizeof want / sizeof want[0]);
    for (size_t i = 0; i < json_array_size(messages); i++) {
        static const char *const keys[] = {"contact", "address", "step", "times"};
        char text[100] = "";
        size_t len = 0;
        for (size_t k = 0; k < 4; k++) {
            char *value = json_dumps(
                json_object_get(json_array_get(messages, i), keys[k]), JSON_ENCODE_ANY);
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s",
                                    k > 0 ? " " : "", value);
            free(value);
        }
        CHECK_TEXT(text, want[i]);
    }
    answer_fini(&answer);
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"an incident says who was told", an_incident_says_who_was_told},
        {"incidents are filtered and paged", incidents_are_filtered_and_paged},
        {"one incident tells its story", one_incident_tells_its_story},
        {"an acknowledgement waits for the command",
         an_acknowledgement_waits_for_the_command},
        {"a command names who, what and why", a_command_names_who_what_and_why},
        {"bodies that are not understood", bodies_that_are_not_understood},
        {"quarantine is paged and counted whatever the bytes",
         quarantine_is_paged_and_counted_whatever_the_bytes},
        {"outbox and sinks are shown", outbox_and_sinks_are_shown},
        CU_TEST_INFO_NULL,
    };
    return check_run("incidents", tests);
}
