// SPDX-License-Identifier: Apache-2.0
/* What a rule of each kind would have done with three days of a room. */
#include "collector/trial.h"

#include <math.h>
#include <string.h>

#include "tests/support/check.h"

#define T0     INT64_C(1657195200000)
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAYS   3
#define AIR    "air_temperature"
#define GOODS  "product_temperature"

/* A channel that is read each `step` minutes; `shape` gives its value. */
struct part {
    const char *channel;
    const char *quantity;
    int step;
    double (*shape)(int minute);
};

struct row {
    const char *name;
    struct {
        enum alert_kind kind;
        const char *quantity;
        double level;
        double limit;
        int window; /* minutes */
        int silent;
    } rule;
    struct part parts[3];
    const char *code; /* NULL: no doubt */
    const char *says;
};

/* As a thermostat lets it go up and down, between 2 and 4 C. */
static double well(int minute)
{
    int at = minute % 20;
    return at < 12 ? 2 + (double)at / 6 : 4 - (double)(at - 12) / 4;
}

static double warm(int minute)
{
    return well(minute) + 8;
}

static double still(int minute)
{
    (void)minute;
    return 4;
}

static double other(int minute)
{
    return well(minute) + 3;
}

/* Half of the hour up, half of it down: 12 K/h either way. */
static double swinging(int minute)
{
    int at = minute % 60;
    return at < 30 ? (double)at / 5 : 12 - (double)at / 5;
}

static double rising(int minute)
{
    return (double)minute / 60;
}

static double impossible(int minute)
{
    (void)minute;
    return 300;
}

static double on(int minute)
{
    (void)minute;
    return 1;
}

static double off(int minute)
{
    (void)minute;
    return 0;
}

static double often(int minute)
{
    return minute % 60 < 10;
}

static double starts(int minute)
{
    return minute % 6 < 3;
}

static double humid(int minute)
{
    (void)minute;
    return 99;
}

static const struct row rows[] = {
    {"rate: it rises all the time",
     {ALERT_RATE, AIR, 0.5, 0, 30, 0},
     {{AIR, AIR, 1, rising}},
     "fires_always",
     "look at its level"},
    {"rate: well", {ALERT_RATE, AIR, 30, 0, 30, 0}, {{AIR, AIR, 1, swinging}}, NULL, ""},
    {"rate: a reading each half hour is no line",
     {ALERT_RATE, AIR, 5, 0, 30, 0},
     {{AIR, AIR, 30, well}},
     "never_judged",
     "too few readings"},
    {"predicted: too sparse",
     {ALERT_PREDICTED, AIR, 60, 8, 30, 0},
     {{AIR, AIR, 30, well}},
     "never_judged",
     "too few readings"},
    {"predicted: behind its limit all the time",
     {ALERT_PREDICTED, AIR, 60, 8, 30, 0},
     {{AIR, AIR, 1, warm}},
     NULL, /* at its limit from the side on which it is at home */
     ""},
    {"step: all the time",
     {ALERT_STEP, AIR, 1, 0, 60, 0},
     {{AIR, AIR, 1, well}},
     "fires_always",
     "look at its level"},
    {"step: one reading at a time",
     {ALERT_STEP, AIR, 1, 0, 10, 0},
     {{AIR, AIR, 25, well}},
     "never_judged",
     "one reading at a time"},
    {"step: nothing moves, which is well",
     {ALERT_STEP, AIR, 1, 0, 10, 0},
     {{AIR, AIR, 1, still}},
     NULL,
     ""},
    {"stuck: always",
     {ALERT_STUCK, AIR, 60, 0, 0, 0},
     {{AIR, AIR, 1, still}},
     "fires_always",
     ""},
    {"stuck: never", {ALERT_STUCK, AIR, 60, 0, 0, 0}, {{AIR, AIR, 1, well}}, NULL, ""},
    {"diverge: nobody beside it",
     {ALERT_DIVERGE, AIR, 2, 0, 0, 0},
     {{AIR, AIR, 1, well}},
     "never_judged",
     "no other probe"},
    {"diverge: apart for good",
     {ALERT_DIVERGE, AIR, 2, 0, 0, 0},
     {{AIR, AIR, 1, well}, {AIR "-2", AIR, 1, other}},
     "fires_always",
     ""},
    {"diverge: together",
     {ALERT_DIVERGE, AIR, 2, 0, 0, 0},
     {{AIR, AIR, 1, well}, {AIR "-2", AIR, 1, well}},
     NULL,
     ""},
    {"implausible: all of it",
     {ALERT_IMPLAUSIBLE, AIR, 1, 0, 0, 0},
     {{AIR, AIR, 1, impossible}},
     "fires_always",
     ""},
    {"implausible: well",
     {ALERT_IMPLAUSIBLE, AIR, 1, 0, 0, 0},
     {{AIR, AIR, 1, well}},
     NULL,
     ""},
    {"cooling_failed: too sparse",
     {ALERT_COOLING_FAILED, AIR, 10, 0, 0, 0},
     {{AIR, AIR, 10, well}},
     "never_judged",
     "usual cycles"},
    {"cooling_failed: well",
     {ALERT_COOLING_FAILED, AIR, 10, 0, 0, 0},
     {{AIR, AIR, 1, well}},
     NULL,
     ""},
    {"door_open: in air that is too sparse",
     {ALERT_DOOR_OPEN, AIR, 10, 0, 0, 0},
     {{AIR, AIR, 10, well}},
     "never_judged",
     "doors and defrosts"},
    {"door_open: the switch hangs",
     {ALERT_DOOR_OPEN, "door", 10, 0, 0, 0},
     {{"door", "door", 1, on}},
     "fires_always",
     ""},
    {"door_open: shut",
     {ALERT_DOOR_OPEN, "door", 10, 0, 0, 0},
     {{"door", "door", 1, off}},
     NULL,
     ""},
    {"defrost_long: without an end",
     {ALERT_DEFROST_LONG, "defrost", 30, 0, 0, 0},
     {{"defrost", "defrost", 1, on}},
     "fires_always",
     ""},
    {"defrost_long: in air that is too sparse",
     {ALERT_DEFROST_LONG, AIR, 30, 0, 0, 0},
     {{AIR, AIR, 10, well}},
     "never_judged",
     ""},
    {"defrost_often: each hour, where six a day are meant",
     {ALERT_DEFROST_OFTEN, "defrost", 6, 0, 24 * 60, 0},
     {{"defrost", "defrost", 1, often}},
     "fires_mostly",
     ""},
    {"defrost_missing: there is none",
     {ALERT_DEFROST_MISSING, "defrost", 30, 0, 6 * 60, 0},
     {{"defrost", "defrost", 1, off}},
     "fires_mostly",
     ""},
    {"defrost_missing: each hour",
     {ALERT_DEFROST_MISSING, "defrost", 30, 0, 6 * 60, 0},
     {{"defrost", "defrost", 1, often}},
     NULL,
     ""},
    {"no_recovery: nobody sees a door",
     {ALERT_NO_RECOVERY, AIR, 30, 8, 0, 0},
     {{AIR, AIR, 10, well}},
     "never_judged",
     "no door and no defrost"},
    {"no_recovery: seen by the signal",
     {ALERT_NO_RECOVERY, AIR, 30, 8, 0, 0},
     {{AIR, AIR, 10, well}, {"door", "door", 10, off}},
     NULL,
     ""},
    {"no_recovery: seen in the air",
     {ALERT_NO_RECOVERY, AIR, 30, 8, 0, 0},
     {{AIR, AIR, 1, well}},
     NULL,
     ""},
    {"cycling: ten starts an hour, where six are many",
     {ALERT_CYCLING, "compressor", 6, 0, 60, 0},
     {{"compressor", "compressor", 1, starts}},
     "fires_always",
     ""},
    {"cycling: it runs",
     {ALERT_CYCLING, "compressor", 6, 0, 60, 0},
     {{"compressor", "compressor", 1, on}},
     NULL,
     ""},
    {"mains_lost: the wrong way round",
     {ALERT_MAINS_LOST, "mains", 5, 0, 0, 0},
     {{"mains", "mains", 1, off}},
     "fires_always",
     ""},
    {"mains_lost: well",
     {ALERT_MAINS_LOST, "mains", 5, 0, 0, 0},
     {{"mains", "mains", 1, on}},
     NULL,
     ""},
    {"silent: sooner than readings come",
     {ALERT_SILENT, AIR, 0, 0, 0, 5},
     {{AIR, AIR, 15, well}},
     "fires_mostly",
     "the readings come less often"},
    {"silent: well", {ALERT_SILENT, AIR, 0, 0, 0, 30}, {{AIR, AIR, 15, well}}, NULL, ""},
    {"silent_device: sooner than readings come",
     {ALERT_SILENT_DEVICE, "", 0, 0, 0, 5},
     {{AIR, AIR, 15, well}, {"humidity", "humidity", 15, humid}},
     "fires_mostly",
     ""},
    {"goods: too warm for what they are",
     {ALERT_ABOVE, GOODS, 8, 0, 0, 0},
     {{AIR, AIR, 1, warm}},
     "fires_always",
     ""},
    {"goods: well", {ALERT_ABOVE, GOODS, 8, 0, 0, 0}, {{AIR, AIR, 1, well}}, NULL, ""},
    {"goods: minutes in a window",
     {ALERT_CUMULATIVE_ABOVE, GOODS, 60, 8, 24 * 60, 0},
     {{AIR, AIR, 1, warm}},
     "fires_always",
     ""},
    {"life: nobody said what stands there",
     {ALERT_LIFE_LEFT, GOODS, 20, 0, 0, 0},
     {{AIR, AIR, 1, well}},
     "never_judged",
     "of the goods in its zone no life is known"},
    {"vpd: without humidity",
     {ALERT_ABOVE, "vpd", 1, 0, 0, 0},
     {{AIR, AIR, 1, well}},
     "never_judged",
     "derived from"},
    {"vpd: never that dry",
     {ALERT_ABOVE, "vpd", 1, 0, 0, 0},
     {{AIR, AIR, 1, well}, {"humidity", "humidity", 1, humid}},
     NULL,
     ""},
};

static struct alert_rule rule_of(const struct row *row)
{
    double level = row->rule.level;
    struct alert_rule rule = {.id = "r",
                              .zone = "room-1",
                              .kind = row->rule.kind,
                              .limit = row->rule.limit,
                              .window_ms = row->rule.window * MINUTE,
                              .silent_ms = row->rule.silent * MINUTE,
                              .levels = {{.level = level, .recovery_level = level}},
                              .level_count = row->rule.silent > 0 ? 0 : 1};
    snprintf(rule.quantity, sizeof rule.quantity, "%s", row->rule.quantity);
    return rule;
}

static void tell(struct trial *trial, const struct part *part, int minute)
{
    if (part->channel == NULL || minute % part->step != 0 ||
        !trial_wants(trial, part->quantity))
        return;
    const struct alert_reading reading = {.zone = "room-1",
                                          .device = "d",
                                          .channel = part->channel,
                                          .quantity = part->quantity,
                                          .time_ms = T0 + minute * MINUTE,
                                          .arrival_ms = T0 + minute * MINUTE,
                                          .value = part->shape(minute)};
    trial_reading(trial, &reading);
}

static void a_rule_of_each_kind_is_tried(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct doubt doubt = {.code = NULL};
        struct err_text why = {""};
        const struct alert_rule rule = rule_of(row);
        CHECK_ROW(row->name, alert_rule_check(&rule, &why) == ERR_OK);
        struct trial *trial = trial_create(&rule);
        CHECK_ROW(row->name, trial != NULL);
        for (int minute = 0; trial != NULL && minute < DAYS * 24 * 60; minute++)
            for (size_t k = 0; k < sizeof row->parts / sizeof row->parts[0]; k++)
                tell(trial, &row->parts[k], minute);
        bool is_doubted = trial_doubt(trial, &doubt);
        const char *code = is_doubted ? doubt.code : "none";
        CHECK_TEXT(code, row->code != NULL ? row->code : "none");
        CHECK_ROW(row->name, is_doubted == (row->code != NULL));
        CHECK_ROW(row->name, !is_doubted || strstr(doubt.text, row->says) != NULL);
        CHECK_ROW(row->name, !is_doubted || doubt.text_zh[0] != '\0');
        trial_destroy(trial);
    }
}

/* All that rules of readings may be, but those a level alone tells of (doubts_test.c). */
static void no_kind_is_left_out(void)
{
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        bool is_tried = alert_kind_is_value((enum alert_kind)kind) ||
                        alert_kind_is_trouble((enum alert_kind)kind) ||
                        alert_kind_is_date((enum alert_kind)kind) ||
                        kind == ALERT_GOODS_LEFT; /* readings do not say who is where */
        is_tried |= kind == ALERT_CUMULATIVE_BELOW || kind == ALERT_DOSE_ABOVE ||
                    kind == ALERT_DOSE_BELOW;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            is_tried |= (int)rows[i].rule.kind == kind;
        CHECK_ROW(alert_kind_name((enum alert_kind)kind), is_tried);
    }
}

static void of_others_nothing_is_said(void)
{
    struct alert_rule rule = rule_of(&rows[0]);
    struct doubt doubt;
    rule.kind = ALERT_CALIBRATION_DUE;
    CHECK(trial_create(&rule) == NULL);
    rule.kind = ALERT_DOSE_ABOVE; /* it adds up for ever */
    rule.window_ms = 0;
    CHECK(trial_create(&rule) == NULL);
    rule = rule_of(&rows[0]);
    struct trial *trial = trial_create(&rule);
    for (int minute = 0; minute < 24 * 60; minute++) /* a minute less than a day */
        tell(trial, &rows[0].parts[0], minute);
    CHECK(!trial_doubt(trial, &doubt));
    tell(trial, &rows[0].parts[0], 24 * 60);
    CHECK(trial_doubt(trial, &doubt));
    trial_destroy(trial);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a rule of each kind is tried", a_rule_of_each_kind_is_tried},
        {"no kind is left out", no_kind_is_left_out},
        {"of others nothing is said", of_others_nothing_is_said},
        CU_TEST_INFO_NULL,
    };
    return check_run("trial", tests);
}
