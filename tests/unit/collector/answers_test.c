// SPDX-License-Identifier: Apache-2.0
/* What the answers of InfluxDB and of webhooks mean. */
#include "collector/notify/attempt.h"
#include "collector/store/influx_policy.h"

#include "tests/support/check.h"

static void influx_answers_mean_what_their_makers_say(void)
{
    static const struct {
        const char *name;
        int status;
        const char *body;
        size_t lines;
        enum influx_verdict want;
    } rows[] = {
        {"accepted", 204, "", 10, INFLUX_ACCEPTED},
        {"accepted too", 200, "", 10, INFLUX_ACCEPTED},
        {"partial write", 400, "{\"error\":\"partial write: dropped=1\"}", 10,
         INFLUX_BISECT},
        {"the bad line alone", 400, "{\"error\":\"unable to parse\"}", 1, INFLUX_REFUSED},
        {"v2 partial write", 422, "{\"code\":\"unprocessable entity\"}", 2,
         INFLUX_BISECT},
        {"v2 the bad line alone", 422, "", 1, INFLUX_REFUSED},
        {"no database named", 400, "{\"error\":\"database is required\"}", 1,
         INFLUX_MISCONFIGURED},
        {"too large", 413, "", 2, INFLUX_HALVE},
        {"one line too large", 413, "", 1, INFLUX_REFUSED},
        {"no database", 404, "{\"error\":\"database not found\"}", 5,
         INFLUX_MISCONFIGURED},
        {"not let in", 401, "", 5, INFLUX_MISCONFIGURED},
        {"1.x unknown policy", 500, "retention policy not found", 5,
         INFLUX_MISCONFIGURED},
        {"server error", 500, "timeout", 5, INFLUX_RETRY},
        {"busy", 429, "", 5, INFLUX_RETRY},
        {"away for now", 503, "", 5, INFLUX_RETRY},
        {"no answer", 0, "", 5, INFLUX_RETRY},
        {"a teapot", 418, "", 5, INFLUX_RETRY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name, influx_judge(rows[i].status, rows[i].body,
                                             rows[i].lines) == rows[i].want);
}

static void influx_waits_longer_each_time_up_to_a_minute(void)
{
    CHECK(influx_backoff_ms(1, -1, 0) == 250);
    CHECK(influx_backoff_ms(1, -1, 250) == 500);
    CHECK(influx_backoff_ms(3, -1, 0) == 1000);
    CHECK(influx_backoff_ms(100, -1, 0) == 30000);
    CHECK(influx_backoff_ms(1, 7000, 0) == 7000);
    for (unsigned failures = 1; failures < 40; failures++)
        for (uint64_t random = 0; random < 100000; random += 977)
            CHECK(influx_backoff_ms(failures, -1, random) <= 60000);
}

static void webhook_judge(int status, int64_t retry_after_ms, uint64_t random,
                          const struct channel_attempt *attempt,
                          struct record_result *result)
{
    const struct config_channel config = {.kind = CHANNEL_WEBHOOK};
    const struct channel_answer answer = {
        .came = status != 0, .status = status, .retry_after_ms = retry_after_ms};
    struct channel_verdict verdict = {0};
    channel_ops(CHANNEL_WEBHOOK)->judge(&config, &answer, &verdict);
    channel_settle(&verdict, attempt, random, result);
}

static void webhook_answers_decide_about_the_next_attempt(void)
{
    static const struct {
        const char *name;
        int status;
        int64_t age_ms;
        enum state_outbox want;
    } rows[] = {
        {"200", 200, 0, STATE_OUTBOX_DONE},
        {"202", 202, 0, STATE_OUTBOX_DONE},
        {"204 long after", 204, CHANNEL_GIVE_UP_MS * 2, STATE_OUTBOX_DONE},
        {"301 is not followed", 301, 0, STATE_OUTBOX_PENDING},
        {"400 understood and refused", 400, 0, STATE_OUTBOX_DEAD},
        {"401 somebody may mend it", 401, 0, STATE_OUTBOX_PENDING},
        {"404 somebody may mend it", 404, 0, STATE_OUTBOX_PENDING},
        {"410", 410, 0, STATE_OUTBOX_DEAD},
        {"429", 429, 0, STATE_OUTBOX_PENDING},
        {"500", 500, 0, STATE_OUTBOX_PENDING},
        {"500 after a day", 500, CHANNEL_GIVE_UP_MS + 1, STATE_OUTBOX_DEAD},
        {"no answer", 0, 0, STATE_OUTBOX_PENDING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct channel_attempt attempt = {.now_ms = rows[i].age_ms,
                                                .created_ms = 0};
        struct record_result result = {0};
        webhook_judge(rows[i].status, -1, 0, &attempt, &result);
        CHECK_ROW(rows[i].name, result.outcome == rows[i].want);
        if (result.outcome == STATE_OUTBOX_PENDING)
            CHECK_ROW(rows[i].name, result.next_attempt_ms > attempt.now_ms);
    }
}

static void a_receiver_that_asks_for_time_gets_it(void)
{
    const struct channel_attempt attempt = {.now_ms = 1000};
    struct record_result result = {0};
    webhook_judge(429, 30000, 0, &attempt, &result);
    CHECK(result.next_attempt_ms == 31000);
    webhook_judge(503, INT64_C(86400000) * 30, 0, &attempt, &result);
    CHECK(result.next_attempt_ms <= 1000 + 900000);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"influx answers mean what their makers say",
         influx_answers_mean_what_their_makers_say},
        {"influx waits longer each time, up to a minute",
         influx_waits_longer_each_time_up_to_a_minute},
        {"webhook answers decide about the next attempt",
         webhook_answers_decide_about_the_next_attempt},
        {"a receiver that asks for time gets it", a_receiver_that_asks_for_time_gets_it},
        CU_TEST_INFO_NULL,
    };
    return check_run("answers", tests);
}
