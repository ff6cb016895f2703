// SPDX-License-Identifier: Apache-2.0
#include "collector/doubts.h"

#include <math.h>
#include <string.h>

#include "tests/support/check.h"

#define MINUTE INT64_C(60000)
#define DAY    (1440 * MINUTE)

static struct alert_rule rule_of(enum alert_kind kind, const char *quantity, double level)
{
    struct alert_rule rule = {.id = "r",
                              .zone = "room-1",
                              .kind = kind,
                              .limit = 8,
                              .window_ms = DAY,
                              .levels = {{.level = level, .recovery_level = level}},
                              .level_count = 1};
    snprintf(rule.quantity, sizeof rule.quantity, "%s", quantity);
    return rule;
}

static void a_rule_that_is_hardly_meant_is_doubted(void)
{
    static const struct {
        enum alert_kind kind;
        const char *quantity;
        double level;
        const char *code; /* NULL: no doubt */
        const char *says;
    } rows[] = {
        {ALERT_ABOVE, "air_temperature", 8, NULL, ""},
        {ALERT_ABOVE, "air_temprature", 8, "quantity_unknown",
         "did you mean 'air_temperature'?"},
        {ALERT_ABOVE, "xylophone", 8, "quantity_unknown", "no registered quantity: its"},
        {ALERT_ABOVE, "vpd", 1, NULL, ""},
        {ALERT_CUMULATIVE_ABOVE, "product_temperature", 60, NULL, ""},
        {ALERT_ABOVE, "humidity", 0, "fires_always", "humidity is between 0 and 100"},
        {ALERT_BELOW, "humidity", 100, "fires_always", "its level is 100"},
        {ALERT_BELOW, "humidity", 99, NULL, ""},
        {ALERT_CALIBRATION_DUE, "", 30, NULL, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct doubt doubt = {0};
        struct alert_rule rule = rule_of(rows[i].kind, rows[i].quantity, rows[i].level);
        CHECK_ROW(rows[i].quantity,
                  doubt_of_rule(&rule, &doubt) == (rows[i].code != NULL));
        if (rows[i].code == NULL || doubt.code == NULL)
            continue;
        CHECK_TEXT(doubt.code, rows[i].code);
        CHECK_ROW(rows[i].quantity, strstr(doubt.text, rows[i].says) != NULL);
        CHECK_ROW(rows[i].quantity, doubt.text_zh[0] != '\0');
    }
}

/* Two days of a reading a minute, `warm` of each hundred at 10 degrees, the rest at 4. */
static void measure(struct outlook *outlook, int warm)
{
    outlook_next_channel(outlook);
    for (int i = 0; i < 2 * 1440; i++)
        outlook_add(outlook, i * MINUTE, i % 100 < warm ? 10 : 4);
}

static void what_would_have_rung_most_of_the_time_is_doubted(void)
{
    static const struct {
        const char *name;
        enum alert_kind kind;
        double level;
        int warm;
        const char *code;
    } rows[] = {
        {"seldom", ALERT_ABOVE, 8, 10, NULL},
        {"mostly", ALERT_ABOVE, 8, 60, "fires_mostly"},
        {"always", ALERT_ABOVE, 4, 50, "fires_always"}, /* inclusive */
        {"below mostly", ALERT_BELOW, 5, 30, "fires_mostly"},
        {"minutes", ALERT_CUMULATIVE_ABOVE, 210, 20, "fires_mostly"}, /* 288 a day */
        {"few minutes", ALERT_CUMULATIVE_ABOVE, 210, 10, NULL},
        {"dose", ALERT_DOSE_ABOVE, 500, 20, "fires_mostly"}, /* 576 K min */
        {"small dose", ALERT_DOSE_ABOVE, 600, 20, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct doubt doubt = {0};
        struct outlook outlook;
        struct alert_rule rule = rule_of(rows[i].kind, "air_temperature", rows[i].level);
        CHECK_ROW(rows[i].name, outlook_begin(&outlook, &rule));
        measure(&outlook, rows[i].warm);
        measure(&outlook, rows[i].warm);
        CHECK_ROW(rows[i].name,
                  outlook_doubt(&outlook, &doubt) == (rows[i].code != NULL));
        if (rows[i].code != NULL && doubt.code != NULL)
            CHECK_TEXT(doubt.code, rows[i].code);
    }
}

static void of_little_or_of_other_kinds_nothing_is_said(void)
{
    struct doubt doubt;
    struct outlook outlook;
    struct alert_rule rule = rule_of(ALERT_ABOVE, "air_temperature", 4);
    CHECK(outlook_begin(&outlook, &rule));
    CHECK(!outlook_doubt(&outlook, &doubt));
    for (int i = 0; i < 1440; i++) /* a minute less than a day */
        outlook_add(&outlook, i * MINUTE, 10);
    CHECK(!outlook_doubt(&outlook, &doubt));
    outlook_add(&outlook, 10 * DAY, 10); /* nobody knows what was between */
    CHECK(!outlook_doubt(&outlook, &doubt));
    outlook_add(&outlook, 10 * DAY + MINUTE, 10);
    CHECK(outlook_doubt(&outlook, &doubt));
    rule = rule_of(ALERT_RATE, "air_temperature", 4);
    CHECK(!outlook_begin(&outlook, &rule));
    rule = rule_of(ALERT_CUMULATIVE_ABOVE, "air_temperature", 4);
    rule.window_ms = 0;
    CHECK(!outlook_begin(&outlook, &rule));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a rule that is hardly meant is doubted",
         a_rule_that_is_hardly_meant_is_doubted},
        {"what would have rung most of the time is doubted",
         what_would_have_rung_most_of_the_time_is_doubted},
        {"of little, or of other kinds, nothing is said",
         of_little_or_of_other_kinds_nothing_is_said},
        CU_TEST_INFO_NULL,
    };
    return check_run("doubts", tests);
}
