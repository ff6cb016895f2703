// SPDX-License-Identifier: Apache-2.0
/* Incidents that no rule watches for: one for each device and cause, until a person ends
 * it. */
#include "collector/pipeline/pipeline.h"

#include "telemetry/delivery.h"
#include "tests/unit/collector/pipeline_house.h"

#define OTHER_EPOCH (EPOCH + 1)

static void put_hello(struct house *house, int64_t minute, const char *nonce,
                      uint64_t epoch, uint64_t last)
{
    struct hello hello = {.epoch_count = 1};
    struct buf text = {0};
    snprintf(hello.nonce, sizeof hello.nonce, "%s", nonce);
    hello.epochs[0] = (struct hello_epoch){
        .epoch = epoch, .first = 1, .last = last, .is_current = true};
    hello_format(&hello, &text);
    put_message(house, START_MS + minute * 60000, "coldchain/v1/o/d/hello", text.data,
                text.len);
    buf_fini(&text);
}

static void open_placed(struct house *house)
{
    house_open(house);
    put(house, RECORD_CONFIG, START_MS, config, strlen(config));
}

static void take_all(struct house *house)
{
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    if (house->pipeline == NULL)
        pipeline_start(house);
    advance(house, 100000);
}

/* Two bodies under one name; more of them are counted. */
static void put_fork(struct house *house)
{
    put_pack(house, "d", 1, 5.0, false);
    put_pack(house, "d", 1, 6.0, false);
    put_pack(house, "d", 1, 7.0, false);
}

static void put_twins(struct house *house)
{
    put_hello(house, 1, "a1", EPOCH, 0);
    put_hello(house, 2, "b1", OTHER_EPOCH, 0);
    put_hello(house, 3, "a2", EPOCH, 0);
    put_hello(house, 4, "b2", OTHER_EPOCH, 0);
    put_hello(house, 5, "a3", EPOCH, 0);
    put_hello(house, 6, "b3", OTHER_EPOCH, 0);
}

static void put_regressed(struct house *house)
{
    put_pack(house, "d", 1, 5.0, false);
    put_pack(house, "d", 2, 5.0, false);
    put_pack(house, "d", 3, 5.0, false);
    put_hello(house, 4, "a1", EPOCH, 1);
}

static void put_lost(struct house *house)
{
    put_pack(house, "d", 1, 5.0, false);
    put_loss(house, "d", 4, 2, 3);
}

/* What a clock told that was `ahead_ms` ahead of the arrival. */
static void put_ahead(struct house *house, uint64_t seq, int64_t ahead_ms)
{
    char topic[TOPIC_MAX];
    char text[200];
    int64_t at_ms = START_MS + (int64_t)seq * 60000;
    snprintf(text, sizeof text,
             "[{\"cc-clock\":\"synced\",\"n\":\"air_temperature\",\"u\":\"Cel\","
             "\"t\":%lld,\"v\":5}]",
             (long long)((at_ms + ahead_ms) / 1000));
    readings_topic(topic, "d", seq);
    put_message(house, at_ms, topic, text, strlen(text));
}

/* A clock that nobody set since the boot, so long ago. */
static void put_unset(struct house *house, uint64_t seq, int64_t up_ms)
{
    char topic[TOPIC_MAX];
    char text[240];
    snprintf(text, sizeof text,
             "[{\"cc-boot\":\"00000000000000b1\",\"cc-up\":%lld,\"cc-at\":%lld,"
             "\"n\":\"air_temperature\",\"u\":\"Cel\",\"t\":-1,\"v\":5}]",
             (long long)up_ms, (long long)up_ms);
    readings_topic(topic, "d", seq);
    put_message(house, START_MS + (int64_t)seq * 60000, topic, text, strlen(text));
}

static void put_clock_fix(struct house *house, uint64_t seq)
{
    char topic[TOPIC_MAX];
    char text[300];
    snprintf(text, sizeof text,
             "[{\"cc-kind\":\"clock-fix\",\"cc-dev\":\"d\","
             "\"cc-epoch\":\"0000000000abcdef\",\"cc-seq\":\"%d\","
             "\"cc-boot\":\"00000000000000b1\",\"cc-clock\":\"synced\","
             "\"cc-fixed\":\"00000000000000b1\",\"cc-offset\":%lld,"
             "\"n\":\"pack\",\"vs\":\"clock-fix\"}]",
             (int)seq, (long long)START_MS - 7200000);
    readings_topic(topic, "d", seq);
    put_message(house, START_MS + (int64_t)seq * 60000, topic, text, strlen(text));
}

static void put_clock_wrong(struct house *house)
{
    put_pack(house, "d", 1, 5.0, false);
    put_ahead(house, 2, 11 * 60000);
    put_unset(house, 3, 3660000);
}

/* What a clock told that was `behind_ms` behind the arrival. */
static void put_behind_in(struct house *house, uint64_t epoch, uint64_t seq,
                          int64_t behind_ms, double value)
{
    char text_of_topic[TOPIC_MAX];
    char text[240];
    struct topic topic = {
        .org = "o", .device = "d", .kind = TOPIC_READINGS, .epoch = epoch, .seq = seq};
    int64_t at_ms = START_MS + (int64_t)seq * 60000;
    topic_format(&topic, text_of_topic);
    snprintf(text, sizeof text,
             "[{\"cc-clock\":\"synced\",\"cc-at\":%lld,\"n\":\"air_temperature\","
             "\"u\":\"Cel\",\"t\":%lld,\"v\":%.1f}]",
             (long long)(at_ms - behind_ms), (long long)((at_ms - behind_ms) / 1000),
             value);
    put_message(house, at_ms, text_of_topic, text, strlen(text));
}

static void put_behind(struct house *house, uint64_t seq, int64_t behind_ms, double value)
{
    put_behind_in(house, EPOCH, seq, behind_ms, value);
}

static void put_clock_back(struct house *house)
{
    put_pack(house, "d", 1, 5.0, false);
    put_behind(house, 2, 9 * 60000, 5.0); /* somebody set it, by a little */
    put_behind(house, 3, 8 * 3600000, 5.0);
    put_behind(house, 4, 8 * 3600000, 5.0);
}

static const struct {
    const char *kind;
    void (*put)(struct house *house);
    enum alert_severity severity;
    double count;
    const char *remedy_en;
    const char *remedy_zh;
} rows[] = {
    {"fork", put_fork, ALERT_CRITICAL, 2, "name of its own", "单独的名称"},
    {"twins", put_twins, ALERT_CRITICAL, 1, "name of its own", "单独的名称"},
    {"regressed", put_regressed, ALERT_WARNING, 2, "disk or card", "存储卡"},
    {"lost_packs", put_lost, ALERT_WARNING, 2, "free space", "剩余空间"},
    {"clock_wrong", put_clock_wrong, ALERT_WARNING, 2, "time server", "时间服务器"},
    {"clock_wrong", put_clock_back, ALERT_WARNING, 1, "time server", "时间服务器"},
};

struct wanted {
    const char *kind;
    struct incident newest; /* its id is "" when there is none */
    size_t count;
};

static void keep_newest(void *context, const struct incident *incident)
{
    struct wanted *wanted = context;
    if (strcmp(alert_kind_name(incident->kind), wanted->kind) != 0)
        return;
    bool is_newer = incident->opened_ms == wanted->newest.opened_ms &&
                    wanted->newest.state == INCIDENT_CLOSED;
    if (wanted->count++ == 0 || is_newer) /* the newest comes first */
        wanted->newest = *incident;
}

static struct wanted find(struct house *house, const char *kind)
{
    struct wanted wanted = {.kind = kind};
    const struct state_incident_query query = {.limit = 100};
    CHECK(state_page_incidents(house->state, &query, &wanted, keep_newest) == ERR_OK);
    return wanted;
}

static void keep_body(void *context, const struct state_message *message)
{
    buf_format(context, "%s\n", message->body);
}

static char *told(struct house *house)
{
    struct buf bodies = {0};
    buf_text(&bodies, "");
    CHECK(state_page_messages(house->state, NULL, 0, 1000, &bodies, keep_body) == ERR_OK);
    return buf_take(&bodies);
}

static void each_cause_is_one_incident_and_one_message_with_its_remedy(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *row = rows[i].kind;
        struct house house;
        open_placed(&house);
        rows[i].put(&house);
        take_all(&house);
        uint64_t count = 0;
        struct incident incident = find(&house, row).newest;
        CHECK(state_count_incidents(house.state, 0, &count) == ERR_OK);
        CHECK_ROW(row, count == 1);
        CHECK_ROW(row, strcmp(incident.rule, row) == 0);
        CHECK_ROW(row, strcmp(alert_kind_name(incident.kind), row) == 0);
        CHECK_ROW(row, strcmp(incident.zone, "room") == 0);
        CHECK_ROW(row, strcmp(incident.device, "d") == 0);
        CHECK_ROW(row, incident.severity == rows[i].severity);
        CHECK_ROW(row, incident.state == INCIDENT_OPEN);
        CHECK_ROW(row, incident.value == rows[i].count);
        char *bodies = told(&house);
        CHECK_ROW(row, count_of(bodies, "\"event\":\"opened\"") == 1);
        CHECK_ROW(row, count_of(bodies, "\n") == 1);
        CHECK_ROW(row, count_of(bodies, "\"org\":\"o\"") == 1);
        CHECK_ROW(row, strstr(bodies, rows[i].remedy_en) != NULL);
        CHECK_ROW(row, strstr(bodies, rows[i].remedy_zh) != NULL);
        CHECK_ROW(row, strstr(bodies, "S R d: ") != NULL);
        free(bodies);
        house_close(&house);
    }
}

/* Eight hours of nothing would be long; a time zone set wrong is soon done. */
static void a_clock_that_was_put_back_blinds_no_rule(void)
{
    for (int is_waiting = 0; is_waiting < 2; is_waiting++) {
        struct house house;
        open_placed(&house);
        put_pack(&house, "d", 1, 5.0, false);
        if (is_waiting) /* the pack before comes last */
            put_behind(&house, 3, 8 * 3600000, 9.0);
        put_behind(&house, 2, 8 * 3600000, 5.0);
        if (!is_waiting)
            put_behind(&house, 3, 8 * 3600000, 9.0);
        take_all(&house);
        struct wanted warm = find(&house, "above");
        CHECK(warm.count == 1 && warm.newest.state == INCIDENT_OPEN);
        CHECK(warm.newest.value == 9.0);
        CHECK(warm.newest.onset_ms == START_MS + 3 * 60000 - 8 * 3600000);
        CHECK(find(&house, "clock_wrong").newest.value == 1);
        house_close(&house);
    }
}

/* Another device's journal may be of any time. */
static void an_older_epoch_is_no_clock_that_went_back(void)
{
    struct house house;
    open_placed(&house);
    put_pack(&house, "d", 1, 5.0, false);
    put_hello(&house, 2, "a1", OTHER_EPOCH, 1);
    put_behind_in(&house, OTHER_EPOCH, 1, 8 * 3600000, 5.0);
    put_pack(&house, "d", 2, 5.0, false);
    take_all(&house);
    CHECK(find(&house, "clock_wrong").count == 0);
    house_close(&house);
}

static void close_by_a_person(struct house *house, const char *command,
                              const struct incident *incident, int64_t at_ms)
{
    char body[160];
    snprintf(body, sizeof body,
             "{\"id\":\"%s\",\"cause\":\"network\",\"action\":\"repaired\","
             "\"disposition\":\"no_product\"}",
             incident->id);
    put_command(house, at_ms, command, "incident.close", body);
    take_all(house);
}

static void silence_never_ends_it_and_a_person_does(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *row = rows[i].kind;
        struct house house;
        open_placed(&house);
        rows[i].put(&house);
        for (int64_t day = 1; day < 60; day++)
            put_tick(&house, day * 24 * 60);
        take_all(&house);
        struct incident open = find(&house, row).newest;
        CHECK_ROW(row, open.state == INCIDENT_OPEN && open.revision == 1);
        close_by_a_person(&house, "c1", &open, START_MS + INT64_C(61) * 86400000);
        struct wanted after = find(&house, row);
        CHECK_ROW(row, house.command_err == ERR_OK);
        CHECK_ROW(row, after.count == 1 && after.newest.state == INCIDENT_CLOSED);
        CHECK_ROW(row, strcmp(after.newest.id, open.id) == 0);
        CHECK_ROW(row, after.newest.closed_ms == START_MS + INT64_C(61) * 86400000);
        close_by_a_person(&house, "c2", &open, START_MS + INT64_C(62) * 86400000);
        CHECK_ROW(row, house.command_err == ERR_EXISTS);
        house_close(&house);
    }
}

static void what_goes_on_after_it_was_closed_is_another_one(void)
{
    struct house house;
    open_placed(&house);
    put_fork(&house);
    put_twins(&house);
    take_all(&house);
    struct incident fork = find(&house, "fork").newest;
    struct incident twins = find(&house, "twins").newest;
    close_by_a_person(&house, "c1", &fork, START_MS + 3600000);
    close_by_a_person(&house, "c2", &twins, START_MS + 3600000);
    CHECK(find(&house, "fork").count == 1 && find(&house, "twins").count == 1);
    put_pack(&house, "d", 1, 8.0, false);
    for (int turn = 0; turn < 4; turn++) {
        char nonce[16];
        snprintf(nonce, sizeof nonce, "z%d", turn);
        put_hello(&house, 70 + turn, nonce, turn % 2 == 0 ? EPOCH : OTHER_EPOCH, 0);
    }
    take_all(&house);
    CHECK(find(&house, "fork").count == 2 && find(&house, "twins").count == 2);
    CHECK(find(&house, "fork").newest.state == INCIDENT_OPEN);
    CHECK(find(&house, "twins").newest.state == INCIDENT_OPEN);
    house_close(&house);
}

static void each_device_has_its_own(void)
{
    struct house house;
    char *bodies;
    open_placed(&house);
    put_fork(&house);
    put_pack(&house, "stranger", 1, 5.0, false);
    put_pack(&house, "stranger", 1, 6.0, false);
    take_all(&house);
    CHECK(find(&house, "fork").count == 2);
    CHECK_TEXT(find(&house, "fork").newest.device, "stranger");
    CHECK_TEXT(find(&house, "fork").newest.zone, ""); /* it measures none */
    bodies = told(&house);
    CHECK(strstr(bodies, "[critical] stranger: ") != NULL);
    CHECK(count_of(bodies, "\"org\":\"o\"") == 2);
    free(bodies);
    house_close(&house);
}

static void a_clock_that_is_nearly_right_or_soon_set_is_not_told(void)
{
    struct house house;
    open_placed(&house);
    put_ahead(&house, 1, 9 * 60000);
    put_ahead(&house, 2, -INT64_C(30) * 86400000); /* a backlog */
    put_unset(&house, 3, 3540000);
    put_clock_fix(&house, 4);
    put_unset(&house, 5, 7200000); /* it dates this */
    take_all(&house);
    CHECK(find(&house, "clock_wrong").count == 0);
    house_close(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"each cause is one incident and one message with its remedy",
         each_cause_is_one_incident_and_one_message_with_its_remedy},
        {"silence never ends it and a person does",
         silence_never_ends_it_and_a_person_does},
        {"what goes on after it was closed is another one",
         what_goes_on_after_it_was_closed_is_another_one},
        {"each device has its own", each_device_has_its_own},
        {"a clock that was put back blinds no rule",
         a_clock_that_was_put_back_blinds_no_rule},
        {"an older epoch is no clock that went back",
         an_older_epoch_is_no_clock_that_went_back},
        {"a clock that is nearly right or soon set is not told",
         a_clock_that_is_nearly_right_or_soon_set_is_not_told},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("raise", tests);
}
