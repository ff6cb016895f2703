// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_incidents.h"

#include <inttypes.h>
#include <math.h>

#include "base/buf.h"
#include "base/rng.h"
#include "collector/store/state_causes.h"
#include "collector/store/state_escalation.h"
#include "collector/store/state_tables.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct state *state;
static struct buf seen;

static void open_in_batch(void)
{
    struct err_text why = {0};
    folder_make(&folder);
    if (state_open(&state, folder_file(&folder, "state.db"), &why) != ERR_OK) {
        printf("%s\n", why.text);
        exit(EXIT_FAILURE);
    }
    CHECK(state_begin(state) == ERR_OK);
}

static void close_all(void)
{
    CHECK(state_commit(state) == ERR_OK);
    state_close(state);
    buf_fini(&seen);
    folder_remove(&folder);
}

static const char *taken(void)
{
    static char text[4000];
    snprintf(text, sizeof text, "%s", seen.len > 0 ? seen.data : "");
    buf_clear(&seen);
    return text;
}

static struct incident make_incident(const char *id, uint32_t revision)
{
    struct incident incident = {
        .kind = ALERT_ABOVE,
        .severity = ALERT_CRITICAL,
        .state = INCIDENT_OPEN,
        .onset_ms = 900,
        .opened_ms = 1000,
        .learned_ms = 1100,
        .changed_ms = 1200,
        .limit = 8.0,
        .value = 9.25,
        .worst = 9.75,
        .worst_low = 9.25,
        .worst_high = 10.5,
        .harm = {.at_ms = 990,
                 .air_C = 9.25,
                 .band_low_C = 0.1,
                 .band_high_C = (double)NAN,
                 .has_goods = true,
                 .goods_C = {4.9, 5.1, 5.3},
                 .outlook = HARM_COMES,
                 .is_cold = true,
                 .minutes = {61.5, 70, 90},
                 .basis = HARM_FITTED,
                 .tau_low_h = 2.5,
                 .tau_high_h = 7.75},
        .revision = revision,
        .snapshot = "{\"level\":8}",
        .life = "{\"goods\":\"apple\"}",
    };
    snprintf(incident.id, sizeof incident.id, "%s", id);
    snprintf(incident.rule, sizeof incident.rule, "room-1-warm");
    snprintf(incident.zone, sizeof incident.zone, "room-1");
    snprintf(incident.device, sizeof incident.device, "gw-1");
    snprintf(incident.channel, sizeof incident.channel, "air_temperature-2");
    snprintf(incident.quantity, sizeof incident.quantity, "air_temperature");
    return incident;
}

static void see_incident(void *context, const struct incident *incident)
{
    buf_format(context, "%s/%u %s@%" PRId64 ";", incident->id, incident->revision,
               incident_state_name(incident->state), incident->opened_ms);
}

static void see_transition(void *context, const struct state_transition *step)
{
    buf_format(context, "%u %s %" PRId64 " %s;", step->revision,
               alert_effect_name(step->kind), step->at_ms, step->body);
}

static void see_message(void *context, const struct state_message *message)
{
    buf_format(context, "%" PRIu64 " %s/%u %s %s %s %s n=%u next=%" PRId64 " '%s';",
               message->id, message->incident, message->revision, message->channel,
               message->key, message->body, state_outbox_name(message->state),
               message->attempts, message->next_attempt_ms, message->last_result);
}

static void see_attempt(void *context, const struct state_attempt *attempt)
{
    buf_format(context, "%u %" PRId64 "-%" PRId64 " %s '%s';", attempt->number,
               attempt->began_ms, attempt->ended_ms, attempt->outcome, attempt->result);
}

static void every_field_comes_back(void)
{
    open_in_batch();
    struct incident incident = make_incident("aa", 3);
    struct incident back;
    incident.is_acknowledged = true;
    snprintf(incident.acknowledged_by, ID_SIZE, "user-7");
    incident.acknowledged_ms = 1300;
    incident.closed_ms = 1400;
    incident.state = INCIDENT_CLOSED;
    incident.kind = ALERT_SILENT;
    incident.severity = ALERT_WARNING;
    memset(incident.snapshot, 'x', sizeof incident.snapshot - 1);
    CHECK(state_add_incident(state, ALERT_EFFECT_CLOSED, &incident, 5, "") == ERR_OK);
    CHECK(state_get_incident(state, "aa", &back) == ERR_OK);
    CHECK_TEXT(back.id, incident.id);
    CHECK_TEXT(back.rule, incident.rule);
    CHECK_TEXT(back.zone, incident.zone);
    CHECK_TEXT(back.device, incident.device);
    CHECK_TEXT(back.channel, incident.channel);
    CHECK_TEXT(back.quantity, incident.quantity);
    CHECK_TEXT(back.acknowledged_by, incident.acknowledged_by);
    CHECK_TEXT(back.snapshot, incident.snapshot);
    CHECK_TEXT(back.life, incident.life);
    CHECK(back.kind == incident.kind && back.severity == incident.severity);
    CHECK(back.state == incident.state && back.is_acknowledged);
    CHECK(back.acknowledged_ms == 1300 && back.onset_ms == 900);
    CHECK(back.opened_ms == 1000 && back.learned_ms == 1100);
    CHECK(back.changed_ms == 1200 && back.closed_ms == 1400);
    CHECK(memcmp(&back.limit, &incident.limit, sizeof back.limit) == 0);
    CHECK(memcmp(&back.value, &incident.value, sizeof back.value) == 0);
    CHECK(memcmp(&back.worst, &incident.worst, sizeof back.worst) == 0);
    CHECK(back.worst_low == 9.25 && back.worst_high == 10.5);
    char want[HARM_TEXT_SIZE];
    char harm[HARM_TEXT_SIZE];
    harm_format(want, &incident.harm);
    harm_format(harm, &back.harm);
    CHECK_TEXT(harm, want);
    CHECK(back.harm.minutes.high == 90 && back.harm.basis == HARM_FITTED);
    CHECK(back.revision == 3);
    CHECK(state_get_incident(state, "bb", &back) == ERR_NOT_FOUND);

    incident = make_incident("nan", 1);
    incident.value = incident.worst = incident.limit = (double)NAN; /* a silent one */
    incident.harm = (struct harm){0};
    CHECK(state_add_incident(state, ALERT_EFFECT_OPENED, &incident, 5, "") == ERR_OK);
    CHECK(state_get_incident(state, "nan", &back) == ERR_OK);
    CHECK(isnan(back.value) && isnan(back.worst) && isnan(back.limit));
    CHECK(back.harm.at_ms == 0);
    close_all();
}

static void a_revision_is_added_once_and_the_row_goes_forward(void)
{
    open_in_batch();
    struct incident first = make_incident("aa", 1);
    struct incident second = make_incident("aa", 2);
    struct incident third = make_incident("aa", 3);
    struct incident back;
    second.state = INCIDENT_RECOVERING;
    third.state = INCIDENT_CLOSED;
    CHECK(state_add_incident(state, ALERT_EFFECT_OPENED, &first, 10, "{}") == ERR_OK);
    CHECK(state_add_incident(state, ALERT_EFFECT_OPENED, &first, 99, "[]") == ERR_EXISTS);
    CHECK(state_add_incident(state, ALERT_EFFECT_CLOSED, &third, 30, "c") == ERR_OK);
    CHECK(state_add_incident(state, ALERT_EFFECT_UPDATED, &second, 20, "b") == ERR_OK);
    CHECK(state_get_incident(state, "aa", &back) == ERR_OK);
    CHECK(back.revision == 3 && back.state == INCIDENT_CLOSED);
    CHECK(state_each_transition(state, "aa", &seen, see_transition) == ERR_OK);
    CHECK_TEXT(taken(), "1 opened 10 {};2 updated 20 b;3 closed 30 c;");
    close_all();
}

static void add_incident_at(const char *id, const char *zone, int64_t opened_ms,
                            int64_t closed_ms, enum incident_state which)
{
    struct incident incident = make_incident(id, 1);
    snprintf(incident.zone, sizeof incident.zone, "%s", zone);
    incident.opened_ms = opened_ms;
    incident.closed_ms = closed_ms;
    incident.state = which;
    CHECK(state_add_incident(state, ALERT_EFFECT_OPENED, &incident, 1, "") == ERR_OK);
}

static void incidents_are_filtered(void)
{
    static const struct {
        const char *name;
        struct state_incident_query query;
        const char *want;
    } rows[] = {
        {"all, the newest first",
         {0},
         "e/1 closed@500;d/1 unknown@400;c/1 recovering@300;b/1 closed@200;a/1 open@100;"},
        {"alive",
         {.states =
              1u << INCIDENT_OPEN | 1u << INCIDENT_RECOVERING | 1u << INCIDENT_UNKNOWN},
         "d/1 unknown@400;c/1 recovering@300;a/1 open@100;"},
        {"closed", {.states = 1u << INCIDENT_CLOSED}, "e/1 closed@500;b/1 closed@200;"},
        {"a zone", {.zone = "room"}, "e/1 closed@500;c/1 recovering@300;a/1 open@100;"},
        {"a zone, open",
         {.zone = "room", .states = 1u << INCIDENT_OPEN},
         "a/1 open@100;"},
        {"touching a time: not yet open, or closed before",
         {.from_ms = 260, .to_ms = 400},
         "c/1 recovering@300;a/1 open@100;"},
        {"closed at the very time",
         {.from_ms = 250, .to_ms = 251},
         "b/1 closed@200;a/1 open@100;"},
        {"the first two", {.limit = 2}, "e/1 closed@500;d/1 unknown@400;"},
        {"the next two",
         {.limit = 2, .cursor_ms = 400, .cursor = "d"},
         "c/1 recovering@300;b/1 closed@200;"},
        {"none", {.zone = "nowhere"}, ""},
    };
    open_in_batch();
    add_incident_at("a", "room", 100, 0, INCIDENT_OPEN);
    add_incident_at("b", "van", 200, 250, INCIDENT_CLOSED);
    add_incident_at("c", "room", 300, 0, INCIDENT_RECOVERING);
    add_incident_at("d", "van", 400, 0, INCIDENT_UNKNOWN);
    add_incident_at("e", "room", 500, 550, INCIDENT_CLOSED);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_ROW(rows[i].name, state_page_incidents(state, &rows[i].query, &seen,
                                                     see_incident) == ERR_OK);
        const char *got = taken();
        if (strcmp(got, rows[i].want) != 0)
            printf("\n  got: %s\n", got);
        CHECK_ROW(rows[i].name, strcmp(got, rows[i].want) == 0);
    }
    uint64_t count = 0;
    CHECK(state_count_incidents(state, 0, &count) == ERR_OK && count == 5);
    CHECK(state_count_incidents(state, 1u << INCIDENT_CLOSED, &count) == ERR_OK);
    CHECK(count == 2);
    close_all();
}

struct pages {
    size_t rows;
    int64_t last_ms;
    char last[ALERT_ID_SIZE];
};

static void see_in_order(void *context, const struct incident *incident)
{
    struct pages *pages = context;
    CHECK(
        pages->rows == 0 || incident->opened_ms < pages->last_ms ||
        (incident->opened_ms == pages->last_ms && strcmp(incident->id, pages->last) < 0));
    pages->rows++;
    pages->last_ms = incident->opened_ms;
    snprintf(pages->last, sizeof pages->last, "%s", incident->id);
}

static void pages_cover_everything_once(void)
{
    open_in_batch();
    struct rng rng = {.state = 1};
    for (int i = 0; i < 137; i++) {
        char id[ALERT_ID_SIZE];
        snprintf(id, sizeof id, "%016" PRIx64, rng_next(&rng));
        add_incident_at(id, "room", (int64_t)rng_below(&rng, 20), 0, INCIDENT_OPEN);
    }
    struct pages pages = {0};
    size_t before = 0;
    do {
        before = pages.rows;
        char cursor[ALERT_ID_SIZE];
        snprintf(cursor, sizeof cursor, "%s", pages.last);
        const struct state_incident_query query = {
            .limit = 10,
            .cursor = before > 0 ? cursor : NULL,
            .cursor_ms = pages.last_ms,
        };
        CHECK(state_page_incidents(state, &query, &pages, see_in_order) == ERR_OK);
    } while (pages.rows > before);
    CHECK(pages.rows == 137);
    close_all();
}

static struct state_message make_message(const char *incident, uint32_t revision,
                                         int64_t next_attempt_ms)
{
    return (struct state_message){.incident = incident,
                                  .revision = revision,
                                  .channel = "hook",
                                  .key = "k",
                                  .body = "{}",
                                  .created_ms = 1,
                                  .next_attempt_ms = next_attempt_ms};
}

static void messages_are_due_in_their_order(void)
{
    open_in_batch();
    int64_t due_ms = 0;
    CHECK(state_outbox_next(state, &due_ms) == ERR_OK && due_ms == INT64_MAX);
    const struct state_message late = make_message("aa", 1, 500);
    const struct state_message soon = make_message("aa", 2, 100);
    CHECK(state_add_message(state, &late) == ERR_OK);
    CHECK(state_add_message(state, &soon) == ERR_OK);
    CHECK(state_add_message(state, &soon) == ERR_EXISTS);
    CHECK(state_outbox_next(state, &due_ms) == ERR_OK && due_ms == 100);
    CHECK(state_outbox_due(state, 99, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "");
    CHECK(state_outbox_due(state, 100, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "2 aa/2 hook k {} pending n=0 next=100 '';");
    CHECK(state_outbox_due(state, 500, 1, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "2 aa/2 hook k {} pending n=0 next=100 '';");
    CHECK(state_page_messages(state, NULL, 0, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "1 aa/1 hook k {} pending n=0 next=500 '';"
                        "2 aa/2 hook k {} pending n=0 next=100 '';");
    CHECK(state_page_messages(state, "aa", 1, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "2 aa/2 hook k {} pending n=0 next=100 '';");
    close_all();
}

static void attempts_and_results_are_kept(void)
{
    open_in_batch();
    uint64_t count = 0;
    const struct state_message message = make_message("aa", 1, 100);
    CHECK(state_add_message(state, &message) == ERR_OK);
    CHECK(state_outbox_attempt(state, 1, 100, 400) == ERR_OK);
    CHECK(state_outbox_due(state, 399, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), ""); /* leased to the attempt */
    CHECK(state_outbox_result(state, 1, 150, STATE_OUTBOX_PENDING, 200, "503") == ERR_OK);
    CHECK(state_outbox_due(state, 200, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "1 aa/1 hook k {} pending n=1 next=200 '503';");
    CHECK(state_outbox_attempt(state, 1, 200, 500) == ERR_OK); /* killed meanwhile */
    CHECK(state_outbox_attempt(state, 1, 500, 900) == ERR_OK);
    CHECK(state_outbox_result(state, 1, 510, STATE_OUTBOX_DONE, 0, "200") == ERR_OK);
    CHECK(state_outbox_attempt(state, 1, 600, 900) == ERR_NOT_FOUND);
    CHECK(state_outbox_result(state, 1, 600, STATE_OUTBOX_DEAD, 0, "") == ERR_NOT_FOUND);
    CHECK(state_outbox_attempt(state, 7, 600, 900) == ERR_NOT_FOUND);
    CHECK(state_each_attempt(state, 1, &seen, see_attempt) == ERR_OK);
    CHECK_TEXT(taken(), "1 100-150 pending '503';2 200-0  '';3 500-510 done '200';");
    CHECK(state_count_messages(state, STATE_OUTBOX_DONE, &count) == ERR_OK && count == 1);
    CHECK(state_count_messages(state, STATE_OUTBOX_PENDING, &count) == ERR_OK);
    CHECK(count == 0);
    close_all();
}

/* A closing waits for its opening; another number waits for neither. */
static void one_address_holds_up_no_other(void)
{
    open_in_batch();
    const struct state_message first = make_message("aa", 1, 100);
    const struct state_message end = make_message("aa", 2, 100);
    struct state_message other = make_message("aa", 1, 100);
    other.address = 1;
    CHECK(state_add_message(state, &first) == ERR_OK);
    CHECK(state_add_message(state, &end) == ERR_OK);
    CHECK(state_add_message(state, &other) == ERR_OK);
    CHECK(state_outbox_ready(state, "hook", 100, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "1 aa/1 hook k {} pending n=0 next=100 '';"
                        "3 aa/1 hook k {} pending n=0 next=100 '';");
    close_all();
}

/* What was tried and is put off keeps its place. */
static void what_is_not_due_yet_holds_up_nothing(void)
{
    open_in_batch();
    const struct state_message later = make_message("aa", 1, 900);
    const struct state_message graver = make_message("aa", 2, 100);
    const struct state_message failed = make_message("bb", 1, 100);
    const struct state_message end = make_message("bb", 2, 100);
    CHECK(state_add_message(state, &later) == ERR_OK);
    CHECK(state_add_message(state, &graver) == ERR_OK);
    CHECK(state_add_message(state, &failed) == ERR_OK);
    CHECK(state_add_message(state, &end) == ERR_OK);
    CHECK(state_outbox_attempt(state, 3, 100, 900) == ERR_OK);
    CHECK(state_outbox_ready(state, "hook", 100, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "2 aa/2 hook k {} pending n=0 next=100 '';");
    CHECK(state_outbox_ready(state, "hook", 900, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "1 aa/1 hook k {} pending n=0 next=900 '';"
                        "3 bb/1 hook k {} pending n=1 next=900 '';");
    close_all();
}

static void see_body(void *context, const char *body)
{
    buf_format(context, "%s;", body);
}

/* An Alertmanager that was away for a day hears of it when it is back. */
static void what_is_open_is_told_again(void)
{
    open_in_batch();
    const struct incident incident = make_incident("aa", 1);
    struct state_message message = make_message("aa", 1, 100);
    message.body = "{\"n\":1}";
    CHECK(state_add_incident(state, ALERT_EFFECT_OPENED, &incident, 5, "") == ERR_OK);
    CHECK(state_set_cause(state, "aa", "aa", true) == ERR_OK);
    CHECK(state_add_message(state, &message) == ERR_OK);
    CHECK(state_outbox_open(state, "hook", 10, &seen, see_body) == ERR_OK);
    CHECK_TEXT(taken(), ""); /* it is on its way */
    CHECK(state_outbox_attempt(state, 1, 100, 400) == ERR_OK);
    CHECK(state_outbox_result(state, 1, 150, STATE_OUTBOX_DEAD, 0, "away") == ERR_OK);
    CHECK(state_outbox_open(state, "hook", 10, &seen, see_body) == ERR_OK);
    CHECK_TEXT(taken(), "{\"n\":1};");
    message.revision = 2;
    message.body = "{\"n\":2}";
    CHECK(state_add_message(state, &message) == ERR_OK);
    CHECK(state_outbox_result(state, 2, 160, STATE_OUTBOX_DONE, 0, "200") == ERR_OK);
    CHECK(state_outbox_open(state, "hook", 10, &seen, see_body) == ERR_OK);
    CHECK_TEXT(taken(), "{\"n\":2};");
    message.revision = 3;
    message.body = "{\"n\":3}";
    CHECK(state_add_message(state, &message) == ERR_OK);
    CHECK(state_withdraw_message(state, 3, STATE_SAID_AGAIN, "") == ERR_OK);
    CHECK(state_outbox_open(state, "hook", 10, &seen, see_body) == ERR_OK);
    CHECK_TEXT(taken(), "{\"n\":2};"); /* that one was never tried */
    close_all();
}

/* An end that is told in the morning was not sent in the last minute. */
static void what_waits_for_its_hour_fills_no_channel(void)
{
    open_in_batch();
    uint64_t count = 0;
    const struct state_message sent = make_message("aa", 1, 100);
    struct state_message end = make_message("aa", 2, 900);
    end.created_ms = 900;
    CHECK(state_add_message(state, &sent) == ERR_OK);
    CHECK(state_add_message(state, &end) == ERR_OK);
    CHECK(state_count_channel(state, "hook", 0, 100, &count) == ERR_OK && count == 1);
    CHECK(state_count_channel(state, "hook", 1, 899, &count) == ERR_OK && count == 0);
    CHECK(state_count_channel(state, "hook", 899, 900, &count) == ERR_OK && count == 1);
    close_all();
}

static void attempts_of_a_former_run_are_due_at_once(void)
{
    open_in_batch();
    const struct state_message first = make_message("aa", 1, 100);
    const struct state_message second = make_message("bb", 1, 100);
    const struct state_message third = make_message("cc", 1, 800);
    CHECK(state_add_message(state, &first) == ERR_OK);
    CHECK(state_add_message(state, &second) == ERR_OK);
    CHECK(state_add_message(state, &third) == ERR_OK);
    CHECK(state_outbox_attempt(state, 1, 100, 900) == ERR_OK); /* killed meanwhile */
    CHECK(state_outbox_attempt(state, 2, 100, 900) == ERR_OK); /* failed, is put off */
    CHECK(state_outbox_result(state, 2, 110, STATE_OUTBOX_PENDING, 700, "503") == ERR_OK);
    CHECK(state_outbox_resume(state, 100) == ERR_OK); /* both began in this run */
    CHECK(state_outbox_due(state, 300, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "");
    CHECK(state_outbox_resume(state, 300) == ERR_OK);
    CHECK(state_outbox_due(state, 300, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "1 aa/1 hook k {} pending n=1 next=300 '';");
    close_all();
}

static void a_batch_holds_the_incident_and_its_message_or_neither(void)
{
    open_in_batch();
    CHECK(state_commit(state) == ERR_OK);
    struct incident incident = make_incident("aa", 1);
    struct incident back;
    const struct state_message message = make_message("aa", 1, 100);
    CHECK(state_begin(state) == ERR_OK);
    CHECK(state_add_incident(state, ALERT_EFFECT_OPENED, &incident, 1, "") == ERR_OK);
    CHECK(state_add_message(state, &message) == ERR_OK);
    CHECK(state_put_effect_position(state, 77) == ERR_OK);
    state_rollback(state);
    struct state_meta meta = {0};
    CHECK(state_get_incident(state, "aa", &back) == ERR_NOT_FOUND);
    CHECK(state_outbox_due(state, 1000, 10, &seen, see_message) == ERR_OK);
    CHECK_TEXT(taken(), "");
    CHECK(state_load_meta(state, &meta) == ERR_OK && meta.effect_position == 0);
    CHECK(state_begin(state) == ERR_OK);
    close_all();
}

static void words_that_nobody_wrote_are_corrupt(void)
{
    open_in_batch();
    struct incident incident = make_incident("aa", 1);
    struct incident back;
    const struct state_message message = make_message("aa", 1, 100);
    CHECK(state_add_incident(state, ALERT_EFFECT_OPENED, &incident, 1, "") == ERR_OK);
    CHECK(state_add_message(state, &message) == ERR_OK);
    CHECK(state_write(state, "UPDATE incident SET kind = 'sideways'", DB_NONE) == ERR_OK);
    CHECK(state_write(state, "UPDATE incident_event SET kind = 'danced'", DB_NONE) ==
          ERR_OK);
    CHECK(state_write(state, "UPDATE outbox SET state = 'lost'", DB_NONE) == ERR_OK);
    CHECK(state_get_incident(state, "aa", &back) == ERR_CORRUPT);
    CHECK(state_page_incidents(state, &(struct state_incident_query){0}, &seen,
                               see_incident) == ERR_CORRUPT);
    CHECK(state_each_transition(state, "aa", &seen, see_transition) == ERR_CORRUPT);
    CHECK(state_page_messages(state, NULL, 0, 1, &seen, see_message) == ERR_CORRUPT);
    close_all();
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every field comes back", every_field_comes_back},
        {"a revision is added once and the row goes forward",
         a_revision_is_added_once_and_the_row_goes_forward},
        {"incidents are filtered", incidents_are_filtered},
        {"pages cover everything once", pages_cover_everything_once},
        {"messages are due in their order", messages_are_due_in_their_order},
        {"attempts and results are kept", attempts_and_results_are_kept},
        {"one address holds up no other", one_address_holds_up_no_other},
        {"what is not due yet holds up nothing", what_is_not_due_yet_holds_up_nothing},
        {"what is open is told again", what_is_open_is_told_again},
        {"what waits for its hour fills no channel",
         what_waits_for_its_hour_fills_no_channel},
        {"attempts of a former run are due at once",
         attempts_of_a_former_run_are_due_at_once},
        {"a batch holds the incident and its message or neither",
         a_batch_holds_the_incident_and_its_message_or_neither},
        {"words that nobody wrote are corrupt", words_that_nobody_wrote_are_corrupt},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/state_incidents", tests);
}
