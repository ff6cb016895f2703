// SPDX-License-Identifier: Apache-2.0
/* What is declared of a room, and what rules make of it. */
#include "alerts/handover.h"
#include "alerts/zones.h"
#include "base/mem.h"
#include "tests/unit/alerts/story.h"

#define MIN 60

/* ---- an engine that is saved and loaded ------------------------------------------- */

struct kept {
    char *key;
    void *data;
    size_t len;
};

struct shelf {
    struct kept items[8];
    size_t count;
};

static void put(void *context, const char *key, const void *data, size_t len)
{
    struct shelf *shelf = context;
    size_t i = 0;
    while (i < shelf->count && strcmp(shelf->items[i].key, key) != 0)
        i++;
    if (i == shelf->count) {
        CHECK(i < 8);
        shelf->items[shelf->count++].key = mem_strdup(key);
    }
    free(shelf->items[i].data);
    shelf->items[i].data = mem_dup(data, len + 1);
    shelf->items[i].len = len;
}

static void restart(struct story *story, const struct alert_rule *rules, size_t count,
                    struct shelf *shelf)
{
    alerts_save_changed(story->alerts, shelf, put);
    alerts_destroy(story->alerts);
    story->alerts = alerts_create();
    story_rules(story, rules, count);
    for (size_t i = 0; i < shelf->count; i++) {
        const struct kept *kept = &shelf->items[i];
        CHECK_ROW(kept->key,
                  kept->len == 0 || alerts_load(story->alerts, kept->key, kept->data,
                                                kept->len) == ERR_OK);
    }
}

static void shelf_fini(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) {
        free(shelf->items[i].key);
        free(shelf->items[i].data);
    }
}

/* ---- planned steps ---------------------------------------------------------------- */

static void declare_step(struct story *story, int64_t to_min, double low, double high)
{
    alerts_declare_step(story->alerts, "room-1", T0, T0 + to_min * MIN * 1000, low, high);
}

static struct alert_rule unless_planned(struct alert_rule rule)
{
    rule.unless = 1u << ALERT_REASON_PLANNED_STEP;
    return rule;
}

static void read_each_minute(struct story *story, int64_t from_min, int64_t to_min,
                             double value)
{
    for (int64_t minute = from_min; minute < to_min; minute++)
        story_read(story, minute * MIN, value);
}

/* Above 8 for ten minutes, or below 2: what a step allows beyond is not told. */
static void a_step_excuses_what_it_was_planned_for(void)
{
    static const struct {
        const char *name;
        double low, high;
        double value;
        const char *told;
    } rows[] = {
        {"no band", NAN, NAN, 40, ""},
        {"within", 12, 16, 15, ""},
        {"at its end", 12, 16, 16, ""},
        {"on its way up", 12, 16, 10, ""},
        {"beyond", 12, 16, 17, "opened warning open 0>600 17"},
        {"open above", 12, NAN, 30, ""},
        {"within, cold", -3, 0, -2, ""},
        {"beyond, cold", -3, 0, -4, "opened warning open 0>600 -4"},
        {"open below", NAN, 0, -4, ""},
    };
    const struct alert_rule rules[] = {
        unless_planned(rule_above("warm", 8, 7, 10 * MIN, 0)),
        unless_planned(rule_mirrored(rule_above("cold", -2, -3, 10 * MIN, 0))),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct story story;
        story_begin(&story);
        story_rules(&story, rules, 2);
        declare_step(&story, 600, rows[i].low, rows[i].high);
        read_each_minute(&story, 0, 30, rows[i].value);
        CHECK_ROW(rows[i].name, strcmp(story_told(&story), rows[i].told) == 0);
        story_end(&story);
    }
}

static void back_within_a_step_is_back(void)
{
    const struct alert_rule rule = unless_planned(rule_above("warm", 8, 7, 0, 5 * MIN));
    struct shelf shelf = {0};
    struct story story;
    story_begin(&story);
    story_rules(&story, &rule, 1);
    declare_step(&story, 60, 12, 16);
    read_each_minute(&story, 0, 10, 18);
    CHECK_TEXT(story_told(&story), "opened warning open 0>0 18");
    restart(&story, &rule, 1, &shelf);
    read_each_minute(&story, 10, 20, 15);
    CHECK_TEXT(story_told(&story), "updated warning recovering 0>0 15; "
                                   "closed warning closed 600>900 15");
    read_each_minute(&story, 20, 62, 15); /* the step is over, the room is not back */
    CHECK_TEXT(story_told(&story), "opened warning open 3600>3600 15");
    story_end(&story);
    shelf_fini(&shelf);
}

static void beyond_a_step_time_counts(void)
{
    struct alert_rule rule = unless_planned(rule_above("sum", 20, 20, 0, 0));
    rule.kind = ALERT_CUMULATIVE_ABOVE;
    rule.limit = 8;
    struct story story;
    story_begin(&story);
    story_rules(&story, &rule, 1);
    declare_step(&story, 600, 12, 16);
    read_each_minute(&story, 0, 60, 15);
    CHECK_TEXT(story_told(&story), "");
    read_each_minute(&story, 60, 85, 17);
    CHECK_TEXT(story_told(&story), "opened warning open 4800>4800 20");
    read_each_minute(&story, 85, 90, 15); /* the sum is not less for that */
    CHECK_TEXT(story_told(&story), "");
    story_end(&story);
}

/* Two at once: what either allows. */
static void the_widest_of_two_steps_holds(void)
{
    const struct alert_rule rule = unless_planned(rule_above("warm", 8, 7, 0, 0));
    struct story story;
    story_begin(&story);
    story_rules(&story, &rule, 1);
    declare_step(&story, 60, 10, 12);
    alerts_declare_step(story.alerts, "room-1", T0 + 60000, T0 + 3600000, 14, 16);
    read_each_minute(&story, 1, 10, 15.5);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 10 * MIN, 16.5);
    CHECK_TEXT(story_told(&story), "opened warning open 600>600 16.5");
    story_end(&story);
}

/* ---- goods left behind ------------------------------------------------------------ */

static struct alert_rule goods_left(const char *quantity, double limit)
{
    struct alert_rule rule = rule_above("left", 30, 30, 0, 0);
    rule.kind = ALERT_GOODS_LEFT;
    rule.limit = limit;
    snprintf(rule.quantity, sizeof rule.quantity, "%s", quantity);
    return rule;
}

static void read_of(struct story *story, const char *quantity, int64_t from_min,
                    int64_t to_min, double value)
{
    for (int64_t minute = from_min; minute < to_min; minute++) {
        struct alert_reading reading = story_reading(quantity, minute * MIN, value);
        reading.quantity = quantity;
        alerts_reading(story->alerts, &reading, &story->sink);
    }
}

/* 31 readings are half an hour. */
static void signs_of_goods_ask(void)
{
    static const struct {
        const char *quantity;
        double limit;
        double sign;
        double none;
    } rows[] = {
        {"goods", NAN, 1, 0},         {"compressor", NAN, 1, 0}, {"fan", NAN, 1, 0},
        {"air_temperature", 8, 8, 9}, {"co2", 0.5, 0.5, 0.4},    {"ethylene", 1, 2, 0.1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *quantity = rows[i].quantity;
        const struct alert_rule rule = goods_left(quantity, rows[i].limit);
        struct story story;
        story_begin(&story);
        story_rules(&story, &rule, 1);
        read_of(&story, quantity, 0, 60, rows[i].sign); /* nobody says that it is empty */
        alerts_declare_off_duty(story.alerts, "room-1", T0 + 60 * MIN * 1000, INT64_MAX,
                                true);
        read_of(&story, quantity, 60, 180, rows[i].none);
        CHECK_ROW(quantity, story.count == 0);
        read_of(&story, quantity, 180, 210, rows[i].sign);
        CHECK_ROW(quantity, story.count == 0);
        read_of(&story, quantity, 210, 300, rows[i].sign);
        CHECK_ROW(quantity, story.count == 1 &&
                                story.last.opened_ms == T0 + 210 * MIN * INT64_C(1000) &&
                                story.last.onset_ms == T0 + 180 * MIN * INT64_C(1000));
        story_end(&story);
    }
}

/* Whatever asks first asks for all, with restarts and after it was closed by a person. */
static void one_question_in_a_stretch(void)
{
    struct alert_rule rules[] = {goods_left("compressor", NAN), goods_left("goods", NAN)};
    struct shelf shelf = {0};
    struct story story;
    snprintf(rules[1].id, sizeof rules[1].id, "recorded");
    story_begin(&story);
    story_rules(&story, rules, 2);
    alerts_declare_off_duty(story.alerts, "room-1", T0, INT64_MAX, true);
    read_of(&story, "compressor", 0, 40, 1);
    CHECK_TEXT(story_told(&story), "opened warning open 0>1800 30");
    restart(&story, rules, 2, &shelf);
    alerts_declare_off_duty(story.alerts, "room-1", T0, INT64_MAX, true); /* said again */
    read_of(&story, "compressor", 40, 90, 1);
    read_of(&story, "goods", 40, 90, 1);
    CHECK_TEXT(story_told(&story), "");
    CHECK(alerts_close(story.alerts, story.last.id, T0 + 90 * MIN * 1000, &story.sink) ==
          ERR_OK);
    story_told(&story);
    read_of(&story, "compressor", 90, 190, 1);
    CHECK_TEXT(story_told(&story), "");
    alerts_declare_off_duty(story.alerts, "room-1", T0, T0 + 190 * MIN * 1000, true);
    read_of(&story, "compressor", 190, 195, 1);
    alerts_declare_off_duty(story.alerts, "room-1", T0 + 195 * MIN * 1000, INT64_MAX,
                            true);
    read_of(&story, "compressor", 195, 230, 1);
    CHECK_TEXT(story_told(&story), "opened warning open 11700>13500 30");
    story_end(&story);
    shelf_fini(&shelf);
}

static void what_is_no_question_is_refused(void)
{
    static const struct {
        const char *quantity;
        double limit;
        int64_t delay_ms;
        enum alert_reason unless;
        const char *why;
    } rows[] = {
        {"air_temperature", NAN, 0, ALERT_REASON_MAINTENANCE, "needs a limit"},
        {"compressor", NAN, 60000, ALERT_REASON_MAINTENANCE, "no delay"},
        {"compressor", NAN, 0, ALERT_REASON_OFF_DUTY, "leave off_duty out"},
        {"compressor", NAN, 0, ALERT_REASON_MAINTENANCE, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alert_rule rule = goods_left(rows[i].quantity, rows[i].limit);
        struct err_text why = {""};
        rule.levels[0].delay_ms = rows[i].delay_ms;
        rule.unless = 1u << rows[i].unless;
        enum err err = alert_rule_check(&rule, &why);
        CHECK_ROW(rows[i].why, (err == ERR_OK) == (rows[i].why[0] == '\0'));
        CHECK_ROW(rows[i].why, strstr(why.text, rows[i].why) != NULL);
    }
}

/* ---- what is saved ---------------------------------------------------------------- */

/* As versions before the band of a step wrote it: one stretch of maintenance. */
static void a_room_of_before_is_read(void)
{
    struct alert_rule rule = rule_above("warm", 8, 7, 0, 0);
    struct buf old = {0};
    struct story story;
    rule.unless = 1u << ALERT_REASON_MAINTENANCE;
    buf_u8(&old, 1);
    for (int i = 0; i < 3; i++)
        buf_f64(&old, 0);
    for (int i = 0; i < 5; i++)
        buf_zigzag(&old, 0);
    buf_varint(&old, 0);
    buf_varint(&old, 1);
    buf_zigzag(&old, T0);
    buf_zigzag(&old, T0 + 10 * MIN * 1000);
    buf_u8(&old, ALERT_REASON_MAINTENANCE);
    story_begin(&story);
    story_rules(&story, &rule, 1);
    CHECK(alerts_load(story.alerts, "room/room-1", old.data, old.len) == ERR_OK);
    CHECK(alerts_load(story.alerts, "room/room-1", old.data, old.len - 1) == ERR_CORRUPT);
    read_each_minute(&story, 0, 10, 9);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 10 * MIN, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 600>600 9");
    story_end(&story);
    buf_fini(&old);
}

/* An engine that judges ahead is told what is planned now; the rest it has from the
 * other. */
static void a_copy_knows_what_is_over(void)
{
    struct alert_rule rule = rule_above("warm", 8, 7, 0, 0);
    const struct alert_room like = {.body = {10, 2.5, 10}};
    struct story story;
    struct story ahead;
    rule.unless = 1u << ALERT_REASON_START;
    story_begin(&story);
    story_rules(&story, &rule, 1);
    story_begin(&ahead);
    story_rules(&ahead, &rule, 1);
    alerts_declare(story.alerts, "room-1", ALERT_REASON_START, T0, T0 + 10 * MIN * 1000);
    alerts_set_room(ahead.alerts, "room-1", &like);
    alerts_copy(ahead.alerts, story.alerts, "room-1", "dev-1", "air_temperature");
    read_each_minute(&ahead, 5, 10, 9);
    CHECK_TEXT(story_told(&ahead), "");
    story_read(&ahead, 10 * MIN, 9);
    CHECK_TEXT(story_told(&ahead), "opened warning open 600>600 9");
    story_end(&story);
    story_end(&ahead);
}

static void keep_room(void *context, const char *key, const void *data, size_t len)
{
    if (strcmp(key, "room/room-1") == 0)
        buf_add(context, data, len);
}

/* The air is at 5 C all the time. Of goods that are warm and goods that are cold each
 * rule sees those of its side, also after a restart between two readings. */
static void what_came_in_is_judged_at_its_own_temperature(void)
{
    const struct alert_room before = {.body = {4, 1, 12}};
    const struct alert_room after = {
        .body = {4, 1, 12},
        .loads = {{T0 + 10 * MIN * 1000, 18}, {T0 + 20 * MIN * 1000, -1}},
        .load_count = 2};
    struct alert_rule rules[3] = {rule_above("warm", 8, 8, 30 * MIN, 0),
                                  rule_above("cold", 1, 1, 0, 0),
                                  rule_above("air", 8, 8, 0, 0)};
    struct story story;
    struct buf saved = {0};
    for (int i = 0; i < 2; i++)
        snprintf(rules[i].quantity, ID_SIZE, "product_temperature");
    rules[1].kind = ALERT_BELOW;
    story_begin(&story);
    story_rules(&story, rules, 3);
    alerts_set_room(story.alerts, "room-1", &before);
    read_each_minute(&story, 0, 10, 5);
    alerts_set_room(story.alerts, "room-1", &after);
    read_each_minute(&story, 10, 20, 5);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 20 * MIN, 5);
    CHECK_TEXT(story_told(&story), "opened warning open 1200>1200 -1");
    alerts_save_changed(story.alerts, &saved, keep_room);
    CHECK(alerts_load(story.alerts, "room/room-1", saved.data, saved.len) == ERR_OK);
    CHECK(alerts_load(story.alerts, "room/room-1", saved.data, saved.len - 1) ==
          ERR_CORRUPT);
    read_each_minute(&story, 21, 40, 5);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 40 * MIN, 5);
    const char *told = story_told(&story);
    CHECK_ROW(told, strncmp(told, "opened warning open 600>2400 16.4", 33) == 0);
    /* 6 K below 5 C come within 4 K, 13 K above it within 3 K */
    read_each_minute(&story, 41, 1200, 5);
    told = story_told(&story);
    CHECK_ROW(told, strstr(told, "closed warning closed 7080>7080 ") != NULL);
    CHECK_ROW(told, strstr(told, "closed warning closed 21720>21720 ") != NULL);
    CHECK(strstr(told, "opened") == NULL);
    story_end(&story);
    buf_fini(&saved);
}

static CU_TestInfo tests[] = {
    {"what came in is judged at its own temperature",
     what_came_in_is_judged_at_its_own_temperature},
    {"a step excuses what it was planned for", a_step_excuses_what_it_was_planned_for},
    {"back within a step is back", back_within_a_step_is_back},
    {"beyond a step time counts", beyond_a_step_time_counts},
    {"the widest of two steps holds", the_widest_of_two_steps_holds},
    {"signs of goods ask", signs_of_goods_ask},
    {"one question in a stretch", one_question_in_a_stretch},
    {"what is no question is refused", what_is_no_question_is_refused},
    {"a copy knows what is over", a_copy_knows_what_is_over},
    {"a room of before is read", a_room_of_before_is_read},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("room", tests);
}
