// SPDX-License-Identifier: Apache-2.0
/*
 * Every kind of rule, as rows: what comes in, and what is told. Each row is told by an
 * engine that goes on, by one that is saved and loaded after every third reading, and by
 * one that is given everything twice.
 */
#include "base/mem.h"
#include "tests/unit/alerts/story.h"

#define MIN  60
#define H    3600
#define AIR  "air_temperature"
#define AIR2 "air_temperature-2"
#define DAY  (24 * H)

#define UNLESS(reason) (1u << ALERT_REASON_##reason)

/* One channel from..to (seconds, inclusive), its value on a straight line. */
struct part {
    const char *channel;
    int64_t from_s;
    int64_t to_s;
    int64_t step_s;
    double from;
    double to;
};

struct rule_row {
    enum alert_kind kind;
    const char *quantity;
    double limit;
    int64_t window_s;
    double level;
    double recovery;
    int64_t delay_s;
    unsigned unless;
};

struct row {
    const char *name;
    struct rule_row rule;
    struct part parts[10];
    size_t opened;
    int64_t first_s; /* the first opening: between these */
    int64_t until_s;
    size_t closed;
    size_t kept; /* suppressions told, their ends included */
};

static const struct row rows[] = {
    {"cumulative: 3.5 h in dips of 50 min, 30 min apart",
     {ALERT_CUMULATIVE_ABOVE, AIR, 8, 0, 210, 210, 0, 0},
     {{AIR, 0, 49 * MIN, MIN, 9, 9},
      {AIR, 50 * MIN, 79 * MIN, MIN, 5, 5},
      {AIR, 80 * MIN, 129 * MIN, MIN, 9, 9},
      {AIR, 130 * MIN, 159 * MIN, MIN, 5, 5},
      {AIR, 160 * MIN, 209 * MIN, MIN, 9, 9},
      {AIR, 210 * MIN, 239 * MIN, MIN, 5, 5},
      {AIR, 240 * MIN, 289 * MIN, MIN, 9, 9},
      {AIR, 290 * MIN, 319 * MIN, MIN, 5, 5},
      {AIR, 320 * MIN, 340 * MIN, MIN, 9, 9}},
     1,
     330 * MIN,
     330 * MIN,
     0,
     0},
    {"cumulative: the limit itself is beyond",
     {ALERT_CUMULATIVE_ABOVE, AIR, 8, 0, 10, 10, 0, 0},
     {{AIR, 0, 20 * MIN, MIN, 8, 8}},
     1,
     10 * MIN,
     10 * MIN,
     0,
     0},
    {"cumulative: a gap of six hours proves no more than two readings",
     {ALERT_CUMULATIVE_ABOVE, AIR, 8, 0, 30, 30, 0, 0},
     {{AIR, 0, 5 * MIN, MIN, 9, 9}, {AIR, 6 * H, 6 * H + 10 * MIN, MIN, 9, 9}},
     0,
     0,
     0,
     0,
     0},
    {"cumulative: what is older than the window counts no more",
     {ALERT_CUMULATIVE_ABOVE, AIR, 8, 4 * H, 60, 60, 0, 0},
     {{AIR, 0, 39 * MIN, MIN, 9, 9},
      {AIR, 40 * MIN, 5 * H - MIN, MIN, 5, 5},
      {AIR, 5 * H, 5 * H + 39 * MIN, MIN, 9, 9},
      {AIR, 5 * H + 40 * MIN, 6 * H, MIN, 5, 5}},
     0,
     0,
     0,
     0,
     0},
    {"cumulative: the window is left, and it is over",
     {ALERT_CUMULATIVE_BELOW, AIR, 0, 4 * H, 60, 60, 0, 0},
     {{AIR, 0, 89 * MIN, MIN, -1, -1}, {AIR, 90 * MIN, 8 * H, MIN, 2, 2}},
     1,
     60 * MIN,
     60 * MIN,
     1,
     0},
    {"cumulative: time in a declared door is kept back, and told once",
     {ALERT_CUMULATIVE_ABOVE, AIR, 8, 0, 30, 30, 0, UNLESS(DOOR)},
     {{"door", 0, 0, MIN, 0, 0},
      {"door", 5 * MIN, 45 * MIN, MIN, 1, 1},
      {AIR, 5 * MIN, 45 * MIN, MIN, 9, 9},
      {"door", 46 * MIN, 60 * MIN, MIN, 0, 0},
      {AIR, 46 * MIN, 60 * MIN, MIN, 9, 9}},
     0,
     0,
     0,
     0,
     2},
    {"dose: 3 K for 20 min are 60 K min",
     {ALERT_DOSE_ABOVE, AIR, 5, 0, 60, 60, 0, 0},
     {{AIR, 0, 30 * MIN, MIN, 8, 8}},
     1,
     20 * MIN,
     20 * MIN,
     0,
     0},
    {"dose below: 2 K for 30 min",
     {ALERT_DOSE_BELOW, AIR, 2, 6 * H, 60, 60, 0, 0},
     {{AIR, 0, 40 * MIN, MIN, 0, 0}},
     1,
     30 * MIN,
     30 * MIN,
     0,
     0},
    {"dose: at the limit there is none",
     {ALERT_DOSE_ABOVE, AIR, 5, 0, 1, 1, 0, 0},
     {{AIR, 0, 10 * H, MIN, 5, 5}},
     0,
     0,
     0,
     0,
     0},
    {"rate: 6 K/h are more than 5",
     {ALERT_RATE, AIR, 0, 30 * MIN, 5, 1, 0, 0},
     {{AIR, 0, 60 * MIN, MIN, 4, 4},
      {AIR, 61 * MIN, 120 * MIN, MIN, 4.1, 10},
      {AIR, 121 * MIN, 200 * MIN, MIN, 10, 10}},
     1,
     75 * MIN,
     92 * MIN,
     1,
     0},
    {"rate: 4 K/h are not",
     {ALERT_RATE, AIR, 0, 30 * MIN, 5, 1, 0, 0},
     {{AIR, 0, 60 * MIN, MIN, 4, 4}, {AIR, 61 * MIN, 180 * MIN, MIN, 4, 12}},
     0,
     0,
     0,
     0,
     0},
    {"rate: two readings are no line",
     {ALERT_RATE, AIR, 0, 30 * MIN, 5, 5, 0, 0},
     {{AIR, 0, 60 * MIN, 20 * MIN, 4, 34}},
     0,
     0,
     0,
     0,
     0},
    {"predicted: 3 K/h from 2 reach 8 within the hour",
     {ALERT_PREDICTED, AIR, 8, 30 * MIN, 60, 90, 0, 0},
     {{AIR, 0, 60 * MIN, MIN, 2, 2},
      {AIR, 61 * MIN, 180 * MIN, MIN, 2.05, 8},
      {AIR, 181 * MIN, 300 * MIN, MIN, 8, 2}},
     1,
     115 * MIN,
     125 * MIN,
     1,
     0},
    {"predicted: it goes on while the limit is passed",
     {ALERT_PREDICTED, AIR, 8, 30 * MIN, 60, 90, 0, 0},
     {{AIR, 0, 60 * MIN, MIN, 2, 2},
      {AIR, 61 * MIN, 180 * MIN, MIN, 2.1, 14},
      {AIR, 181 * MIN, 240 * MIN, MIN, 14, 14}},
     1,
     80 * MIN,
     110 * MIN,
     0,
     0},
    {"predicted: towards a limit below",
     {ALERT_PREDICTED, AIR, 0, 30 * MIN, 60, 90, 0, 0},
     {{AIR, 0, 60 * MIN, MIN, 5, 5}, {AIR, 61 * MIN, 150 * MIN, MIN, 5, 0.5}},
     1,
     90 * MIN,
     110 * MIN,
     0,
     0},
    {"step: 10 %RH within ten minutes",
     {ALERT_STEP, "humidity", 0, 10 * MIN, 10, 5, 0, 0},
     {{"humidity", 0, 30 * MIN, MIN, 80, 80},
      {"humidity", 31 * MIN, 31 * MIN, MIN, 92, 92},
      {"humidity", 32 * MIN, 60 * MIN, MIN, 92, 92}},
     1,
     31 * MIN,
     31 * MIN,
     1,
     0},
    {"step: slowly it is none",
     {ALERT_STEP, "humidity", 0, 10 * MIN, 10, 5, 0, 0},
     {{"humidity", 0, 10 * H, MIN, 40, 80}},
     0,
     0,
     0,
     0,
     0},
    {"stuck: two hours without any movement",
     {ALERT_STUCK, AIR, 0, 0, 120, 120, 0, 0},
     {{AIR, 0, 60 * MIN, MIN, 4, 5},
      {AIR, 61 * MIN, 190 * MIN, MIN, 5.5, 5.5},
      {AIR, 191 * MIN, 200 * MIN, MIN, 5, 4}},
     1,
     181 * MIN,
     181 * MIN,
     1,
     0},
    {"stuck: a gap does not make it longer",
     {ALERT_STUCK, AIR, 0, 0, 120, 120, 0, 0},
     {{AIR, 0, 30 * MIN, MIN, 5, 5}, {AIR, 10 * H, 10 * H + 30 * MIN, MIN, 5, 5}},
     0,
     0,
     0,
     0,
     0},
    {"implausible: 85 C is what a sensor says that lost its power",
     {ALERT_IMPLAUSIBLE, AIR, 0, 0, 1, 1, 0, 0},
     {{AIR, 0, 10 * MIN, MIN, 4, 4},
      {AIR, 11 * MIN, 11 * MIN, MIN, 85, 85},
      {AIR, 12 * MIN, 20 * MIN, MIN, 4, 4}},
     1,
     11 * MIN,
     11 * MIN,
     1,
     0},
    {"implausible: 40 K within a minute",
     {ALERT_IMPLAUSIBLE, AIR, 0, 0, 5, 5, 0, 0},
     {{AIR, 0, 10 * MIN, MIN, 4, 4},
      {AIR, 11 * MIN, 11 * MIN, MIN, 44, 44},
      {AIR, 12 * MIN, 20 * MIN, MIN, 4, 4}},
     1,
     11 * MIN,
     11 * MIN,
     1,
     0},
    {"implausible: a door is not",
     {ALERT_IMPLAUSIBLE, AIR, 0, 0, 1, 1, 0, 0},
     {{AIR, 0, 10 * MIN, MIN, 4, 4},
      {AIR, 11 * MIN, 15 * MIN, MIN, 9, 25},
      {AIR, 16 * MIN, 30 * MIN, MIN, 25, 4}},
     0,
     0,
     0,
     0,
     0},
    {"diverge: one of two probes, told once",
     {ALERT_DIVERGE, AIR, 0, 0, 2, 1, 10 * MIN, 0},
     {{AIR, 0, 60 * MIN, MIN, 4, 4},
      {AIR2, 0, 30 * MIN, MIN, 4, 4},
      {AIR2, 31 * MIN, 60 * MIN, MIN, 7, 7}},
     1,
     41 * MIN,
     43 * MIN,
     0,
     0},
    {"diverge: while there is nothing to compare with no delay runs",
     {ALERT_DIVERGE, AIR, 0, 0, 2, 1, 60 * MIN, 0},
     {{AIR, 0, 5 * MIN, MIN, 4, 4},
      {AIR2, 0, 5 * MIN, MIN, 9, 9},
      {AIR, 6 * MIN, 3 * H, MIN, 4, 4},
      {AIR, 3 * H + MIN, 5 * H, MIN, 4, 4},
      {AIR2, 3 * H + MIN, 5 * H, MIN, 9, 9}},
     1,
     3 * H + 30 * MIN,
     4 * H,
     0,
     0},
    {"diverge: nothing to compare with",
     {ALERT_DIVERGE, AIR, 0, 0, 2, 1, 0, 0},
     {{AIR, 0, 60 * MIN, MIN, 4, 4}, {AIR2, 2 * H, 3 * H, MIN, 9, 9}},
     0,
     0,
     0,
     0,
     0},
    {"door open for ten minutes, by its signal",
     {ALERT_DOOR_OPEN, "door", 0, 0, 10, 10, 0, 0},
     {{"door", 0, 5 * MIN, MIN, 0, 0},
      {"door", 6 * MIN, 30 * MIN, MIN, 1, 1},
      {"door", 31 * MIN, 40 * MIN, MIN, 0, 0}},
     1,
     16 * MIN,
     16 * MIN,
     1,
     0},
    {"doors of five minutes do not add up",
     {ALERT_DOOR_OPEN, "door", 0, 0, 10, 10, 0, 0},
     {{"door", 0, 5 * MIN, MIN, 1, 1},
      {"door", 6 * MIN, 7 * MIN, MIN, 0, 0},
      {"door", 8 * MIN, 13 * MIN, MIN, 1, 1},
      {"door", 14 * MIN, 15 * MIN, MIN, 0, 0}},
     0,
     0,
     0,
     0,
     0},
    {"a defrost that does not end",
     {ALERT_DEFROST_LONG, "defrost", 0, 0, 45, 45, 0, 0},
     {{"defrost", 0, 5 * MIN, MIN, 0, 0}, {"defrost", 6 * MIN, 80 * MIN, MIN, 1, 1}},
     1,
     51 * MIN,
     51 * MIN,
     0,
     0},
    {"defrosts too often: the fourth within six hours",
     {ALERT_DEFROST_OFTEN, "defrost", 0, 6 * H, 4, 4, 0, 0},
     {{"defrost", 0, 5 * MIN, MIN, 0, 0},
      {"defrost", 6 * MIN, 16 * MIN, MIN, 1, 1},
      {"defrost", 17 * MIN, 59 * MIN, MIN, 0, 0},
      {"defrost", 60 * MIN, 70 * MIN, MIN, 1, 1},
      {"defrost", 71 * MIN, 119 * MIN, MIN, 0, 0},
      {"defrost", 120 * MIN, 130 * MIN, MIN, 1, 1},
      {"defrost", 131 * MIN, 179 * MIN, MIN, 0, 0},
      {"defrost", 180 * MIN, 190 * MIN, MIN, 1, 1},
      {"defrost", 191 * MIN, 9 * H, MIN, 0, 0}},
     1,
     180 * MIN,
     180 * MIN,
     1,
     0},
    {"no defrost for an hour more than its eight",
     {ALERT_DEFROST_MISSING, "defrost", 0, 8 * H, 60, 60, 0, 0},
     {{"defrost", 0, 20 * MIN, MIN, 1, 1}, {"defrost", 21 * MIN, 10 * H, MIN, 0, 0}},
     1,
     9 * H + 19 * MIN,
     9 * H + 21 * MIN,
     0,
     0},
    {"no recovery half an hour after the door was closed",
     {ALERT_NO_RECOVERY, AIR, 8, 0, 30, 30, 0, 0},
     {{"door", 0, 4 * MIN, MIN, 0, 0},
      {"door", 5 * MIN, 15 * MIN, MIN, 1, 1},
      {AIR, 0, 4 * MIN, MIN, 4, 4},
      {AIR, 5 * MIN, 15 * MIN, MIN, 8, 14},
      {"door", 16 * MIN, 90 * MIN, MIN, 0, 0},
      {AIR, 16 * MIN, 90 * MIN, MIN, 12, 12}},
     1,
     46 * MIN,
     47 * MIN,
     0,
     0},
    {"recovered in time, and warm later for another reason",
     {ALERT_NO_RECOVERY, AIR, 8, 0, 30, 30, 0, 0},
     {{"door", 0, 4 * MIN, MIN, 0, 0},
      {"door", 5 * MIN, 15 * MIN, MIN, 1, 1},
      {AIR, 5 * MIN, 15 * MIN, MIN, 8, 14},
      {"door", 16 * MIN, 150 * MIN, MIN, 0, 0},
      {AIR, 16 * MIN, 30 * MIN, MIN, 12, 7},
      {AIR, 31 * MIN, 150 * MIN, MIN, 9, 9}},
     0,
     0,
     0,
     0,
     0},
    {"ten starts an hour",
     {ALERT_CYCLING, "compressor", 0, H, 10, 8, 0, 0},
     {{"compressor", 0, 0, MIN, 0, 0},
      {"compressor", MIN, 119 * MIN, 4 * MIN, 1, 1},
      {"compressor", 3 * MIN, 119 * MIN, 4 * MIN, 0, 0},
      {"compressor", 2 * H, 4 * H, MIN, 0, 0}},
     1,
     36 * MIN,
     38 * MIN,
     1,
     0},
    {"mains away for five minutes",
     {ALERT_MAINS_LOST, "mains", 0, 0, 5, 5, 0, 0},
     {{"mains", 0, 5 * MIN, MIN, 1, 1},
      {"mains", 6 * MIN, 20 * MIN, MIN, 0, 0},
      {"mains", 21 * MIN, 22 * MIN, MIN, 1, 1}},
     1,
     11 * MIN,
     11 * MIN,
     1,
     0},
    {"above, unless the door is open: kept back and told, then it is counted",
     {ALERT_ABOVE, AIR, 0, 0, 8, 8, 10 * MIN, UNLESS(DOOR)},
     {{"door", 0, 4 * MIN, MIN, 0, 0},
      {"door", 5 * MIN, 25 * MIN, MIN, 1, 1},
      {AIR, 0, 4 * MIN, MIN, 4, 4},
      {AIR, 5 * MIN, 25 * MIN, MIN, 9, 9},
      {"door", 26 * MIN, 50 * MIN, MIN, 0, 0},
      {AIR, 26 * MIN, 50 * MIN, MIN, 9, 9}},
     1,
     35 * MIN,
     36 * MIN,
     0,
     2},
    {"above, unless the door is open: a short one keeps nothing back",
     {ALERT_ABOVE, AIR, 0, 0, 8, 8, 10 * MIN, UNLESS(DOOR)},
     {{"door", 0, 4 * MIN, MIN, 0, 0},
      {"door", 5 * MIN, 10 * MIN, MIN, 1, 1},
      {AIR, 0, 4 * MIN, MIN, 4, 4},
      {AIR, 5 * MIN, 10 * MIN, MIN, 9, 9},
      {"door", 11 * MIN, 30 * MIN, MIN, 0, 0},
      {AIR, 11 * MIN, 30 * MIN, MIN, 5, 5}},
     0,
     0,
     0,
     0,
     0},
    {"a door that is not heard of any more holds nothing back",
     {ALERT_ABOVE, AIR, 0, 0, 8, 8, 10 * MIN, UNLESS(DOOR)},
     {{"door", 0, 0, MIN, 1, 1},
      {AIR, 0, 4 * MIN, MIN, 4, 4},
      {AIR, 5 * MIN, 100 * MIN, MIN, 9, 9}},
     1,
     60 * MIN,
     72 * MIN,
     0,
     2},
    {"the goods are warm later than the air",
     {ALERT_ABOVE, "product_temperature", 0, 0, 8, 8, 0, 0},
     {{AIR, 0, 60 * MIN, MIN, 4, 4}, {AIR, 61 * MIN, 10 * H, MIN, 12, 12}},
     1,
     61 * MIN + 160 * MIN,
     61 * MIN + 172 * MIN,
     0,
     0},
    {"dew on cold goods",
     {ALERT_BELOW, "condensation_margin", 0, 0, 0, 0, 0, 0},
     {{"humidity", 0, 2 * H, MIN, 80, 80},
      {AIR, 0, 60 * MIN, MIN, 4, 4},
      {AIR, 61 * MIN, 2 * H, MIN, 15, 15}},
     1,
     61 * MIN,
     62 * MIN,
     0,
     0},
};

/* ---- telling a row ------------------------------------------------------------------
 */

#define ENTITIES 16

struct teller {
    struct story story;
    struct row const *row;
    size_t opened;
    size_t closed;
    size_t kept;
    int64_t first_s;
    int64_t onset_s;
    char id[ALERT_ID_SIZE];
    struct {
        char key[3 * ID_SIZE];
        void *data;
        size_t len;
    } entities[ENTITIES];
    size_t count;
};

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct teller *teller = context;
    if (kind == ALERT_EFFECT_OPENED && teller->opened++ == 0) {
        teller->first_s = story_s(incident->opened_ms);
        teller->onset_s = story_s(incident->onset_ms);
        snprintf(teller->id, sizeof teller->id, "%s", incident->id);
    }
    teller->closed += kind == ALERT_EFFECT_CLOSED;
    story_effect(&teller->story, kind, incident);
}

static void on_suppressed(void *context, const struct suppression *told)
{
    struct teller *teller = context;
    teller->kept++;
    buf_format(&teller->story.log, "kept %s %s %" PRId64 ">%" PRId64 " %g %g; ", told->id,
               alert_reason_name(told->reason), story_s(told->from_ms),
               story_s(told->to_ms), told->limit, told->worst);
}

static struct alert_rule rule_of(const struct row *row)
{
    struct alert_rule rule =
        rule_above("r", row->rule.level, row->rule.recovery, row->rule.delay_s, 0);
    rule.kind = row->rule.kind;
    rule.limit = row->rule.limit;
    rule.window_ms = row->rule.window_s * 1000;
    rule.unless = row->rule.unless;
    snprintf(rule.quantity, sizeof rule.quantity, "%s", row->rule.quantity);
    return rule;
}

static void put(void *context, const char *key, const void *data, size_t len)
{
    struct teller *teller = context;
    size_t i = 0;
    while (i < teller->count && strcmp(teller->entities[i].key, key) != 0)
        i++;
    if (i == teller->count) {
        if (teller->count == ENTITIES)
            abort();
        teller->count++;
        snprintf(teller->entities[i].key, sizeof teller->entities[i].key, "%s", key);
    }
    free(teller->entities[i].data);
    teller->entities[i].data = mem_dup(data, len > 0 ? len : 1);
    teller->entities[i].len = len;
}

static void begin(struct teller *teller)
{
    struct alert_rule rule = rule_of(teller->row);
    teller->story.alerts = alerts_create();
    story_rules(&teller->story, &rule, 1);
}

static void restart(struct teller *teller)
{
    alerts_save_changed(teller->story.alerts, teller, put);
    alerts_destroy(teller->story.alerts);
    begin(teller);
    for (size_t i = 0; i < teller->count; i++)
        if (teller->entities[i].len > 0) {
            enum err err = alerts_load(teller->story.alerts, teller->entities[i].key,
                                       teller->entities[i].data, teller->entities[i].len);
            CHECK_ROW(teller->row->name, err == ERR_OK);
        }
}

static void tell_at(struct teller *teller, const struct part *part, int64_t at_s,
                    const struct alert_sink *sink)
{
    if (part->channel == NULL || at_s < part->from_s || at_s > part->to_s ||
        (at_s - part->from_s) % part->step_s != 0)
        return;
    double along = part->to_s > part->from_s ? (double)(at_s - part->from_s) /
                                                   (double)(part->to_s - part->from_s)
                                             : 0;
    struct alert_reading reading =
        story_reading(part->channel, at_s, part->from + along * (part->to - part->from));
    reading.quantity = strcmp(part->channel, AIR2) == 0 ? AIR : part->channel;
    alerts_reading(teller->story.alerts, &reading, sink);
}

static void tell_row(struct teller *teller, const struct row *row, bool restarts,
                     bool twice)
{
    *teller = (struct teller){.row = row};
    const struct alert_sink sink = {
        .context = teller, .effect = on_effect, .suppressed = on_suppressed};
    begin(teller);
    for (int64_t at_s = 0; at_s <= 10 * H; at_s += MIN) {
        for (size_t i = 0; i < sizeof row->parts / sizeof row->parts[0]; i++)
            for (int times = twice ? 2 : 1; times > 0; times--)
                tell_at(teller, &row->parts[i], at_s, &sink);
        if (restarts && at_s % (3 * MIN) == 0)
            restart(teller);
    }
}

static void untell(struct teller *teller)
{
    for (size_t i = 0; i < teller->count; i++)
        free(teller->entities[i].data);
    story_end(&teller->story);
}

static void every_kind_tells_what_it_should(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct alert_rule rule = rule_of(row);
        struct err_text why = {""};
        CHECK_ROW(row->name, alert_rule_check(&rule, &why) == ERR_OK);
        CHECK_TEXT(why.text, "");
        struct teller teller;
        tell_row(&teller, row, false, false);
        bool is_right = teller.opened == row->opened && teller.closed == row->closed &&
                        teller.kept == row->kept && teller.first_s >= row->first_s &&
                        teller.first_s <= row->until_s;
        if (!is_right)
            printf("\n  %s: %s", row->name,
                   teller.story.log.len > 0 ? teller.story.log.data : "nothing");
        CHECK_ROW(row->name, is_right);
        untell(&teller);
    }
}

static void restarts_and_repeats_change_nothing(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct teller steady;
        struct teller other;
        tell_row(&steady, &rows[i], false, false);
        char *want = mem_strdup(story_told(&steady.story));
        tell_row(&other, &rows[i], true, false);
        CHECK_TEXT(story_told(&other.story), want);
        untell(&other);
        tell_row(&other, &rows[i], false, true);
        CHECK_TEXT(story_told(&other.story), want);
        untell(&other);
        free(want);
        untell(&steady);
    }
}

/* Of the rows above: when what lasts too long began; a sum, when it was used up. */
static const struct {
    const char *row;
    int64_t onset_s;
    const char *id; /* by when the level was passed, as ever; NULL: not looked at */
} onsets[] = {
    {"stuck: two hours without any movement", 61 * MIN, NULL},
    {"door open for ten minutes, by its signal", 6 * MIN, NULL},
    {"a defrost that does not end", 6 * MIN, NULL},
    {"no defrost for an hour more than its eight", 8 * H + 20 * MIN, NULL},
    {"no recovery half an hour after the door was closed", 16 * MIN, NULL},
    {"mains away for five minutes", 6 * MIN, "a52c6b93188ac58ef6ff1e9da4feca57"},
    {"cumulative: the limit itself is beyond", 10 * MIN, NULL},
};

static const struct row *row_named(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    CHECK_ROW(name, false);
    return &rows[0];
}

static void what_lasts_began_when_it_began(void)
{
    for (size_t i = 0; i < sizeof onsets / sizeof onsets[0]; i++) {
        struct teller teller;
        tell_row(&teller, row_named(onsets[i].row), false, false);
        if (teller.onset_s != onsets[i].onset_s)
            printf("\n  %s: %" PRId64 "\n", onsets[i].row, teller.onset_s);
        CHECK_ROW(onsets[i].row, teller.onset_s == onsets[i].onset_s);
        CHECK_ROW(onsets[i].row, teller.onset_s <= teller.first_s);
        if (onsets[i].id != NULL)
            CHECK_TEXT(teller.id, onsets[i].id);
        untell(&teller);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every kind tells what it should", every_kind_tells_what_it_should},
        {"what lasts began when it began", what_lasts_began_when_it_began},
        {"restarts and repeats change nothing", restarts_and_repeats_change_nothing},
        CU_TEST_INFO_NULL,
    };
    return check_run("measure", tests);
}
