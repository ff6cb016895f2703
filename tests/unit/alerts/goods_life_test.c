// SPDX-License-Identifier: Apache-2.0
#include "alerts/goods_life.h"

#include "alerts/zones.h"
#include "freshness/profile_set.h"
#include "tests/unit/alerts/story.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
#define MIN     60

static struct profile_set *profiles;

static bool near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        printf("\n  got %.7g, want %.7g +- %g", got, want, tolerance);
    return fabs(got - want) <= tolerance;
}

/* 21 days at 5 C, by Arrhenius with 100 kJ/mol: 46.4 days at 0 C (Dalgaard, for fish). */
static struct life_goods checked(int64_t from_ms)
{
    struct life_goods goods = {.name = "checked", .from_ms = from_ms};
    goods.model = (struct load_model){
        .has_life = true,
        .has_kinetics = true,
        .kinetics = {.model = PROFILE_KINETICS_ARRHENIUS,
                     .ref_c = 5,
                     .a = {100000 / 8.314, 100000 / 8.314, 100000 / 8.314},
                     .valid_min_c = NAN,
                     .valid_max_c = NAN,
                     .accuracy = 1},
        .ref_c = 5,
        .life_min_d = 21,
        .life_mid_d = 21,
        .life_max_d = 21,
        .injury_fast = NAN,
        .injury_slow = NAN,
        .water_coefficient = NAN,
        .water_limit_pct = NAN,
    };
    return goods;
}

static struct life_goods published(const char *id, int64_t from_ms)
{
    static const struct load_options as_published = {0};
    struct life_goods goods = {.from_ms = from_ms};
    const struct profile *profile = profile_set_find(profiles, id);
    CHECK_ROW(id, profile != NULL);
    CHECK_ROW(id, load_model_init(&goods.model, profile, &as_published, NULL) == ERR_OK);
    goods.model.profile = NULL;
    snprintf(goods.name, sizeof goods.name, "%s", id);
    return goods;
}

/* A reading every ten minutes, from `from_ms` to `to_ms` with both. */
static void stay(struct life_state *state, const struct life_stock *stock,
                 int64_t from_ms, int64_t to_ms, double warm_C, double cold_C)
{
    for (int64_t at = from_ms; at <= to_ms; at += HOUR_MS / 6)
        goods_life_step(state, stock, at, warm_C, cold_C);
}

static double left_of(const struct life_state *state, const struct life_stock *stock)
{
    return goods_life_now(state, stock).left_pct;
}

static void a_constant_temperature_uses_what_is_published(void)
{
    static const struct {
        double at_C;
        double days;
        double left_pct;
        double tolerance;
    } rows[] = {
        {5, 10.5, 50, 1e-6}, {5, 21, 0, 1e-6},     {5, 30, 0, 1e-6},
        {0, 23.2, 50, 0.15}, {0, 46.4, 0, 0.2},    {0, 4.64, 90, 0.05},
        {5, 2.1, 90, 1e-6},  {40, 0.001, 99.5, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct life_state state = {0};
        struct life_stock stock = {.goods = {checked(T0)}, .count = 1, .at_C = NAN};
        int64_t end_ms = T0 + (int64_t)(rows[i].days * (double)DAY_MS);
        stay(&state, &stock, T0, end_ms, rows[i].at_C, rows[i].at_C);
        goods_life_step(&state, &stock, end_ms, rows[i].at_C, rows[i].at_C);
        CHECK(near(left_of(&state, &stock), rows[i].left_pct, rows[i].tolerance));
    }
}

/* The days are at the zone's own temperature; what is short of the rest is named. */
static void the_worst_is_named_with_its_days(void)
{
    struct life_state state = {0};
    struct life_stock stock = {.goods = {published("apple", T0),
                                         published("cucumber", T0),
                                         published("fish_fresh", T0)},
                               .count = 3,
                               .at_C = 11.25};
    stay(&state, &stock, T0, T0 + DAY_MS, 7.2, 7.2);
    const struct goods_life life = goods_life_now(&state, &stock);
    CHECK(life.goods == &stock.goods[1] && life.limit == LIFE_CHILLING);
    CHECK_TEXT(stock.goods[1].name, "cucumber"); /* of fish no life is published */
    /* a dose of 2 to 3 days at 7.2 C, of which one is used */
    CHECK(near(life.left_pct, 100 * (1 - (1 / 2.0 + 1 / 3.0) / 2), 1e-6));
    CHECK(life.at_C == 11.25 && life.low_d > 0 && life.high_d > life.low_d);
    stock.goods[1] = published("strawberry", T0);
    stay(&state, &stock, T0 + DAY_MS + 1, T0 + DAY_MS + 1, 7.2, 7.2);
    CHECK(goods_life_now(&state, &stock).goods == &stock.goods[1]);
}

static void the_warmest_age_and_the_coldest_are_chilled(void)
{
    struct life_stock stock = {
        .goods = {published("cucumber", T0)}, .count = 1, .at_C = NAN};
    struct life_state warm = {0};
    struct life_state cold = {0};
    struct life_state both = {0};
    stay(&warm, &stock, T0, T0 + DAY_MS, 20, 20);
    stay(&cold, &stock, T0, T0 + DAY_MS, 7.2, 7.2);
    stay(&both, &stock, T0, T0 + DAY_MS, 20, 7.2);
    CHECK(both.used[0].aged_d.mid == warm.used[0].aged_d.mid);
    CHECK(both.used[0].chilled_fast == cold.used[0].chilled_fast);
    CHECK(cold.used[0].chilled_fast > 0 && warm.used[0].chilled_fast == 0);
}

/* What nobody measured: between the ends for a day, else as the zone should be. */
static void gaps_are_lived_through(void)
{
    static const struct {
        const char *name;
        double at_C; /* of the zone */
        int64_t from_ms;
        int64_t first_ms;
        int64_t next_ms;
        double days; /* used, of 21 at 5 C; 0 C counts 21/46.4 of them */
    } rows[] = {
        {"a gap of a day", NAN, T0, T0, T0 + DAY_MS, 1},
        {"of three, the zone not known", NAN, T0, T0, T0 + 3 * DAY_MS, 1},
        {"of three, the zone at 0 C", 0, T0, T0, T0 + 3 * DAY_MS, 1 + 2 * 21 / 46.34},
        {"it was there before it was measured", 0, T0 - 4 * DAY_MS, T0, T0 + DAY_MS,
         1 + 4 * 21 / 46.34},
        {"the same, the zone not known", NAN, T0 - 4 * DAY_MS, T0, T0 + DAY_MS, 1},
        {"it comes within the gap", 0, T0 + DAY_MS / 2, T0, T0 + DAY_MS, 0.5},
        {"it is to come", 0, T0 + 2 * DAY_MS, T0, T0 + DAY_MS, 0},
        {"nobody said when", 0, 0, T0, T0 + DAY_MS, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct life_state state = {0};
        struct life_stock stock = {
            .goods = {checked(rows[i].from_ms)}, .count = 1, .at_C = rows[i].at_C};
        goods_life_step(&state, &stock, rows[i].first_ms, 5, 5);
        goods_life_step(&state, &stock, rows[i].next_ms, 5, 5);
        goods_life_step(&state, &stock, rows[i].first_ms, 40, 40); /* late: nothing */
        CHECK_ROW(rows[i].name, near(state.used[0].aged_d.mid, rows[i].days, 2e-3));
    }
}

static void a_clock_that_was_ahead_blinds_nothing(void)
{
    struct life_state state = {0};
    struct life_stock stock = {.goods = {checked(T0)}, .count = 1, .at_C = NAN};
    goods_life_step(&state, &stock, T0, 5, 5);
    goods_life_step(&state, &stock, T0 + DAY_MS, 5, 5);
    goods_life_rewind(&state, T0 + HOUR_MS);
    goods_life_step(&state, &stock, T0 + 2 * HOUR_MS, 5, 5);
    CHECK(near(state.used[0].aged_d.mid, 1 + 1 / 24.0, 1e-9));
}

static void goods_come_and_go(void)
{
    struct life_state state = {0};
    struct life_stock stock = {.count = 0, .at_C = 5};
    int64_t now = T0;
    CHECK(isnan(left_of(&state, NULL)) && isnan(left_of(&state, &stock)));
    stay(&state, &stock, now, now + DAY_MS, 5, 5);
    CHECK(isnan(left_of(&state, &stock))); /* nothing ever stood there */
    now += DAY_MS;
    stock.goods[stock.count++] = checked(now);
    stay(&state, &stock, now + 1, now + DAY_MS, 5, 5);
    now += DAY_MS;
    CHECK(near(left_of(&state, &stock), 100 * 20 / 21.0, 0.05));
    stock.goods[0].from_ms = now; /* another lot of them */
    stay(&state, &stock, now + 1, now + DAY_MS / 2, 5, 5);
    CHECK(near(left_of(&state, &stock), 100 * 20.5 / 21.0, 0.05));
    stock.goods[0] = published("fish_fresh", now);
    stay(&state, &stock, now + DAY_MS, now + DAY_MS, 5, 5);
    CHECK(left_of(&state, &stock) == 100); /* what was told of is gone */
    stock.count = 0;
    stay(&state, &stock, now + 2 * DAY_MS, now + 2 * DAY_MS, 5, 5);
    CHECK(left_of(&state, &stock) == 100 && state.count == 0);
}

static void nonsense_ages_nothing(void)
{
    static const double values[] = {-999, 850, 9.9e37, -9.9e37};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct life_state state = {0};
        struct life_stock stock = {
            .goods = {published("mango", T0)}, .count = 1, .at_C = 12};
        stay(&state, &stock, T0, T0 + DAY_MS, 12, 12);
        double before = left_of(&state, &stock);
        goods_life_step(&state, &stock, T0 + DAY_MS + 60000, values[i], values[i]);
        CHECK(left_of(&state, &stock) == before);
        struct buf saved = {0};
        struct life_state back = {0};
        goods_life_save(&saved, &state);
        struct buf_reader in = buf_reader_of(saved.data, saved.len);
        CHECK(goods_life_load(&back, &in) == ERR_OK);
        buf_fini(&saved);
    }
}

static void what_is_saved_is_what_was(void)
{
    struct life_state state = {0};
    struct life_stock stock = {
        .goods = {published("cucumber", T0), checked(T0)}, .count = 2, .at_C = 5};
    stay(&state, &stock, T0, T0 + DAY_MS, 9, 7);
    struct buf saved = {0};
    goods_life_save(&saved, &state);
    for (size_t len = 0; len <= saved.len; len++) {
        struct life_state back = {.last_ms = 1};
        struct buf_reader in = buf_reader_of(saved.data, len);
        enum err err = goods_life_load(&back, &in);
        CHECK((err == ERR_OK) == (len == saved.len));
        CHECK(err == ERR_OK ? back.last_ms == state.last_ms : back.last_ms == 1);
        CHECK(err != ERR_OK || left_of(&back, &stock) == left_of(&state, &stock));
    }
    ((char *)saved.data)[0]++; /* of a version to come */
    struct life_state back = {0};
    struct buf_reader in = buf_reader_of(saved.data, saved.len);
    CHECK(goods_life_load(&back, &in) == ERR_CORRUPT);
    buf_fini(&saved);
}

/* ---- as a rule -------------------------------------------------------------------- */

static struct alert_rule life_rule(double level)
{
    struct alert_rule rule = rule_above("old", level, level, 0, 0);
    rule.kind = ALERT_LIFE_LEFT;
    snprintf(rule.quantity, sizeof rule.quantity, "product_temperature");
    return rule;
}

static void air(struct story *story, int64_t from_min, int64_t to_min, double value)
{
    for (int64_t minute = from_min; minute < to_min; minute += 10) {
        struct alert_reading reading =
            story_reading("air_temperature", minute * MIN, value);
        alerts_reading(story->alerts, &reading, &story->sink);
    }
}

static void nonsense_is_refused(void)
{
    static const struct {
        const char *name;
        double level;
        const char *quantity;
        unsigned unless;
        const char *says;
    } rows[] = {
        {"all of it", 100, "product_temperature", 0, "would always fire"},
        {"nothing", 0, "product_temperature", 0, "would never fire"},
        {"the air", 20, "air_temperature", 0,
         "is judged by the quantity 'product_temperature'"},
        {"unless a defrost", 20, "product_temperature", 1u << ALERT_REASON_DEFROST,
         "contradicts itself: life_left unless defrost"},
        {"a step", 20, "product_temperature", 1u << ALERT_REASON_PLANNED_STEP, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why = {""};
        struct alert_rule rule = life_rule(rows[i].level);
        rule.unless = rows[i].unless;
        snprintf(rule.quantity, sizeof rule.quantity, "%s", rows[i].quantity);
        bool is_rule = alert_rule_check(&rule, &why) == ERR_OK;
        CHECK_ROW(rows[i].name, is_rule == (rows[i].says == NULL));
        CHECK_ROW(rows[i].name,
                  rows[i].says == NULL || strstr(why.text, rows[i].says) != NULL);
    }
}

/* A rule that is changed does not give the goods their life back. */
static void a_changed_rule_goes_on_with_the_life_that_was_used(void)
{
    struct story story;
    struct alert_rule rule = life_rule(5);
    struct life_stock stock = {.goods = {checked(T0)}, .count = 1, .at_C = 5};
    story_begin(&story);
    story_rules(&story, &rule, 1);
    alerts_set_goods(story.alerts, "room-1", &stock);
    air(&story, 0, 11 * 24 * 60, 5);
    CHECK_TEXT(story_told(&story), "");
    rule = life_rule(50);
    story_rules(&story, &rule, 1);
    air(&story, 11 * 24 * 60, 11 * 24 * 60 + 10, 5);
    CHECK(story.count == 1 && near(story.last.value, 100 * 10 / 21.0, 0.1));
    CHECK_TEXT(story.last.life, "{\"goods\":\"checked\",\"limited_by\":\"ageing\","
                                "\"at_c\":5.0,\"days\":[10.00,10.00]}");
    story_told(&story);
    stock.count = 0;
    alerts_set_goods(story.alerts, "room-1", &stock);
    air(&story, 11 * 24 * 60 + 10, 11 * 24 * 60 + 20, 5);
    CHECK(story.last.state == INCIDENT_CLOSED && story.last.value == 100);
    CHECK_TEXT(story.last.life, "");
    story_end(&story);
}

int main(void)
{
    profiles = profile_set_create();
    CU_TestInfo tests[] = {
        {"a constant temperature uses what is published",
         a_constant_temperature_uses_what_is_published},
        {"the worst is named with its days", the_worst_is_named_with_its_days},
        {"the warmest age and the coldest are chilled",
         the_warmest_age_and_the_coldest_are_chilled},
        {"gaps are lived through", gaps_are_lived_through},
        {"a clock that was ahead blinds nothing", a_clock_that_was_ahead_blinds_nothing},
        {"goods come and go", goods_come_and_go},
        {"nonsense ages nothing", nonsense_ages_nothing},
        {"what is saved is what was", what_is_saved_is_what_was},
        {"nonsense is refused", nonsense_is_refused},
        {"a changed rule goes on with the life that was used",
         a_changed_rule_goes_on_with_the_life_that_was_used},
        CU_TEST_INFO_NULL,
    };
    int result = check_run("goods_life", tests);
    profile_set_destroy(profiles);
    return result;
}
