// SPDX-License-Identifier: Apache-2.0
#include "freshness/load.h"

#include <math.h>

#include "freshness/life.h"
#include "freshness/profile_set.h"
#include "tests/support/check.h"

#define HOUR_MS 3600000LL
#define DAY_MS  (24 * HOUR_MS)
#define T0      1700000000000LL

static const double nan_c = (double)NAN;

static bool near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        printf("\n  got %.7g, want %.7g +- %g", got, want, tolerance);
    return fabs(got - want) <= tolerance;
}

static struct profile_set *set;

static struct load_model model_of(const char *id, struct load_options options)
{
    struct load_model model;
    struct err_text why = {""};
    const struct profile *profile = profile_set_find(set, id);
    CHECK_ROW(id, profile != NULL);
    CHECK_ROW(id, load_model_init(&model, profile, &options, &why) == ERR_OK);
    return model;
}

static enum err give(struct load *load, const struct load_model *model, int64_t at_ms,
                     double celsius, double humidity)
{
    return load_reading(load, model,
                        &(struct load_reading){.time_ms = at_ms,
                                               .temperature_c = celsius,
                                               .humidity_pct = humidity,
                                               .pulp_c = nan_c});
}

/* `days` at a constant temperature, a reading every 10 minutes. */
static void stay(struct load *load, const struct load_model *model, int64_t *now,
                 double celsius, double days)
{
    int64_t end = *now + llround(days * (double)DAY_MS);
    for (; *now < end; *now += HOUR_MS / 6)
        CHECK(give(load, model, *now, celsius, nan_c) == ERR_OK);
    *now = end;
    load_hold(load, model, end);
}

static struct life after(const char *id, struct load_options options, double first_c,
                         double first_days, double at_c)
{
    struct load_model model = model_of(id, options);
    struct load load;
    int64_t now = T0;
    load_init(&load);
    if (first_days > 0)
        stay(&load, &model, &now, first_c, first_days);
    return life_of(&load, &model, at_c, nan_c);
}

static void a_fresh_load_has_its_published_life(void)
{
    const struct load_options plain = {0};
    struct life life = after("navel_orange", plain, 0, 0, 5.5);
    CHECK(life.verdict == LIFE_STATED && life.limit == LIFE_AGEING);
    CHECK(near(life.days.low, 60, 1e-9) && near(life.days.high, 90, 1e-9));
    CHECK(near(life.days.mid, 75, 1e-9) && !life.is_extrapolated);
    /* Warmer: the Arrhenius rate of 73.6 kJ/mol, and a wider range than the factor alone.
     */
    life = after("navel_orange", plain, 0, 0, 20);
    double rate = exp(73600 / 8.314 * (1 / 278.65 - 1 / 293.15));
    CHECK(near(life.days.mid, 75 / rate, 1e-9));
    CHECK(life.days.low < 60 / rate && life.days.high > 90 / rate);
}

/* 8.9 d at 15 C, then 5 C, the model set by the opposite order: 23.1 d in all. */
static void stays_add_up_dynamically(void)
{
    struct load_options own = {.life_days = 35.93, .life_at_c = 5};
    struct life life = after("salmon_cold_smoked_vp", own, 15, 8.9, 5);
    CHECK(near(8.9 + life.days.mid, 23.1, 0.1));
    CHECK(!(8.9 + life.days.low > 25) &&
          !(8.9 + life.days.high < 25)); /* 25 was observed */
    life = after("salmon_cold_smoked_vp", own, 5, 8.9, 15);
    CHECK(near(8.9 + life.days.mid, 20, 0.05));
    own = (struct load_options){.life_days = 21, .life_at_c = 5};
    CHECK(near(after("fish_fresh", own, 0, 0, 0).days.mid, 47.25, 1e-9));
}

static void nothing_is_stated_without_ground(void)
{
    const struct load_options plain = {0};
    static const struct {
        const char *name, *id;
        double first_c, first_days, at_c;
        enum life_verdict want;
    } rows[] = {
        {"no life published", "milk_pasteurised", 4, 0, 4, LIFE_NOT_PUBLISHED},
        {"no life published, fish", "fish_fresh", 0, 0, 0, LIFE_NOT_PUBLISHED},
        {"no kinetics, inside its band", "egg_shell", 5, 2, 5, LIFE_STATED},
        {"no kinetics, asked outside", "egg_shell", 5, 2, 20, LIFE_NO_KINETICS},
        {"no kinetics, was outside", "egg_shell", 20, 1, 5, LIFE_NO_KINETICS},
        {"was frozen", "navel_orange", -3, 0.5, 5, LIFE_FROZEN},
        {"would freeze", "navel_orange", 5, 1, -1, LIFE_WOULD_FREEZE},
        {"1000 C", "navel_orange", 5, 1, 1000, LIFE_NOT_PLAUSIBLE},
        {"-273 C", "navel_orange", 5, 1, -273, LIFE_NOT_PLAUSIBLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct life life =
            after(rows[i].id, plain, rows[i].first_c, rows[i].first_days, rows[i].at_c);
        CHECK_ROW(rows[i].name, life.verdict == rows[i].want);
        CHECK_ROW(rows[i].name, isnan(life.days.mid) == (rows[i].want != LIFE_STATED));
        CHECK_ROW(rows[i].name, strlen(life_verdict_text(life.verdict)) > 5);
    }
    CHECK(after("navel_orange", plain, 5, 1, nan_c).verdict == LIFE_NOT_PLAUSIBLE);
    CHECK(near(after("egg_shell", plain, 5, 2, 5).days.mid, 31.5 - 2, 1e-9));
}

static void chilling_limits_and_is_never_reset(void)
{
    const struct load_options plain = {0};
    /* Cucumber: injury after 2-3 d at 7.2 C, threshold 10 C: (10 - 7.2) x 24 x 2..3 C.h.
     */
    struct life life = after("cucumber", plain, 0, 0, 7.2);
    CHECK(life.limit == LIFE_CHILLING);
    CHECK(near(life.days.low, 2, 1e-9) && near(life.days.high, 3, 1e-9));
    life = after("cucumber", plain, 0, 0, 5);
    CHECK(near(life.days.low, 2 * 2.8 / 5, 1e-9) &&
          near(life.days.high, 3 * 2.8 / 5, 1e-9));
    CHECK(after("cucumber", plain, 0, 0, 12).limit == LIFE_AGEING);
    /* One cold day, then a warm one: the dose is still there. */
    struct load_model model = model_of("cucumber", plain);
    struct load load;
    int64_t now = T0;
    load_init(&load);
    stay(&load, &model, &now, 7.2, 1);
    double dose = load.chilled_fast;
    CHECK(near(dose, 2.8 * 24, 1e-6));
    stay(&load, &model, &now, 18, 1);
    CHECK(near(load.chilled_fast, dose, 0)); /* and not less */
    life = life_of(&load, &model, 7.2, nan_c);
    CHECK(near(life.by[LIFE_CHILLING].low, 1, 1e-9) &&
          near(life.by[LIFE_CHILLING].high, 2, 1e-9));
}

/* Plum: 2-7 C is worse than 0 C. The latest time to injury is known, the earliest is not.
 */
static void stone_fruit_has_a_danger_band(void)
{
    const struct load_options plain = {0};
    struct load_model model = model_of("wushan_crisp_plum", plain);
    static const struct {
        double celsius, hours;
    } rows[] = {{0, 0}, {1, 0}, {1.99, 0}, {2, 24}, {5, 24}, {7, 24}, {7.01, 0}, {12, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct load load;
        int64_t now = T0;
        load_init(&load);
        stay(&load, &model, &now, rows[i].celsius, 1);
        CHECK(near(load.chilled_slow, rows[i].hours, 1e-9));
        CHECK(near(load.chilled_fast, rows[i].hours, 1e-9));
    }
    struct life at5 = after("wushan_crisp_plum", plain, 5, 10, 5);
    CHECK(near(at5.by[LIFE_CHILLING].high, 25, 1e-9) && isnan(at5.by[LIFE_CHILLING].low));
    struct life at0 = after("wushan_crisp_plum", plain, 0, 10, 0);
    CHECK(isinf(at0.by[LIFE_CHILLING].high));
    CHECK(at0.days.mid > at5.days.mid);
}

static void freezing_is_an_event(void)
{
    struct load_model model = model_of("lettuce", (struct load_options){0});
    struct load load;
    int64_t now = T0;
    load_init(&load);
    stay(&load, &model, &now, 0.5, 1);
    CHECK(load.frozen_ms == 0);
    stay(&load, &model, &now, -0.5, 0.25);
    CHECK(load.frozen_ms == 6 * HOUR_MS && load.frozen_at_ms == T0 + DAY_MS);
    stay(&load, &model, &now, 1, 1);
    CHECK(life_of(&load, &model, 1, nan_c).verdict == LIFE_FROZEN);
    CHECK(near(load.coldest_c, -0.5, 0) && near(load.warmest_c, 1, 0));
}

static void water_loss_has_its_own_counter(void)
{
    static const char text[] =
        "{\"format\":\"coldchain-profile/1\",\"id\":\"leaf\",\"name\":{\"en\":\"Leaf\"},"
        "\"kinetics\":\"q10\",\"chilling\":\"none\",\"sources\":{\"S\":\"s\"},\"numbers\":{"
        "\"life.min\":{\"value\":100,\"unit\":\"d\",\"mark\":\"specific\",\"source\":\"S\"},"
        "\"life.max\":{\"value\":100,\"unit\":\"d\",\"mark\":\"specific\",\"source\":\"S\"},"
        "\"life.at\":{\"value\":5,\"unit\":\"Cel\",\"mark\":\"specific\",\"source\":\"S\"},"
        "\"water.coefficient\":{\"value\":4,\"unit\":\"%/(kPa.d)\",\"mark\":\"specific\","
        "\"source\":\"S\"},"
        "\"water.offset\":{\"value\":0.27,\"unit\":\"kPa\",\"mark\":\"derived\",\"source\":\"S\"},"
        "\"water.limit\":{\"value\":3,\"unit\":\"%\",\"mark\":\"specific\",\"source\":\"S\"}}}";
    const struct profile *profile;
    CHECK(profile_set_add(set, text, sizeof text - 1, &profile, NULL) == ERR_OK);
    struct load_model model = model_of("leaf", (struct load_options){0});
    struct load load;
    load_init(&load);
    for (int i = 0; i <= 48; i++)
        CHECK(give(&load, &model, T0 + i * HOUR_MS / 4, 5, 50) == ERR_OK);
    double deficit = 0.87174 / 2;
    CHECK(near(load.deficit_kpa_h, deficit * 12, 1e-4));
    CHECK(load.humid_ms == 12 * HOUR_MS);
    CHECK(near(life_water_pct(&load, &model), 4 * (deficit + 0.27) / 2, 1e-4));
    struct life life = life_of(&load, &model, 5, 50);
    CHECK(life.limit == LIFE_WATER);
    CHECK(near(life.days.mid, 3 / (4 * (deficit + 0.27)) - 0.5, 1e-3));
    /* Without a stated humidity it cannot limit. */
    CHECK(life_of(&load, &model, 5, nan_c).limit == LIFE_AGEING);
    /* Without a coefficient, as in every built-in profile, only the exposure is known. */
    struct load_model orange = model_of("navel_orange", (struct load_options){0});
    CHECK(isnan(life_water_pct(&load, &orange)));
    CHECK(isnan(life_of(&load, &orange, 5, 50).by[LIFE_WATER].mid));
}

static void bad_readings_are_counted_and_change_nothing(void)
{
    const double inf = (double)INFINITY;
    static const struct {
        const char *name;
        int64_t at_ms;
        enum err want;
    } times[] = {{"the same instant", 0, ERR_CONFLICT},
                 {"backwards", -HOUR_MS, ERR_CONFLICT}};
    const struct {
        const char *name;
        double celsius;
    } values[] = {{"NaN", nan_c},    {"1000 C", 1000}, {"-1000 C", -1000},
                  {"infinite", inf}, {"-127 C", -127}, {"85 C", 85},
                  {"-60.1 C", -60.1}};
    struct load_model model = model_of("navel_orange", (struct load_options){0});
    struct load load;
    load_init(&load);
    CHECK(give(&load, &model, T0, nan_c, nan_c) == ERR_INVALID && load.rejected == 1);
    load_hold(&load, &model, T0 + DAY_MS); /* nothing to hold */
    CHECK(give(&load, &model, T0, 5, 90) == ERR_OK);
    CHECK(give(&load, &model, T0 + HOUR_MS / 6, 5, 90) == ERR_OK);
    struct load before = load;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        CHECK_ROW(values[i].name, give(&load, &model, T0 + HOUR_MS, values[i].celsius,
                                       90) == ERR_INVALID);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        CHECK_ROW(times[i].name, give(&load, &model, T0 + HOUR_MS / 6 + times[i].at_ms, 6,
                                      90) == times[i].want);
    CHECK(load.rejected == 1 + sizeof values / sizeof values[0] && load.backwards == 2);
    CHECK(load.last_ms == before.last_ms && load.graded_ms == before.graded_ms);
    CHECK(near(load.aged_d.mid, before.aged_d.mid, 0));
    /* A humidity that cannot be is none; the temperature still counts. */
    CHECK(give(&load, &model, T0 + HOUR_MS / 5, 5, 140) == ERR_OK &&
          isnan(load.held_pct));
}

static void gaps_age_between_their_ends_and_are_stated(void)
{
    struct load_model model = model_of("navel_orange", (struct load_options){0});
    struct load load;
    load_init(&load);
    CHECK(give(&load, &model, T0, 4, 90) == ERR_OK);
    CHECK(give(&load, &model, T0 + 2 * HOUR_MS, 12, 90) == ERR_OK);
    CHECK(load.graded_ms == LOAD_HOLD_MS &&
          load.assumed_ms == 2 * HOUR_MS - LOAD_HOLD_MS);
    CHECK(load.humid_ms == LOAD_HOLD_MS); /* no humidity is assumed */
    double held = 0.25 / 24, gap = 1.75 / 24;
    struct rates at4 = kinetics_rates(&model.kinetics, 4, 4, 4);
    struct rates across = kinetics_rates(&model.kinetics, 4, 8, 12);
    CHECK(near(load.aged_d.slow, at4.slow * held + across.slow * gap, 1e-12));
    CHECK(near(load.aged_d.mid, at4.mid * held + across.mid * gap, 1e-12));
    CHECK(near(load.aged_d.fast, at4.fast * held + across.fast * gap, 1e-12));
    load_hold(&load, &model, T0 + 10 * HOUR_MS);
    CHECK(load.last_ms ==
          T0 + 2 * HOUR_MS + LOAD_HOLD_MS); /* no gap is opened by waiting */
    CHECK(load.graded_ms + load.assumed_ms == load.last_ms - load.first_ms);
}

/* A pulp probe in the fruit narrows what the air alone leaves open. */
static void air_readings_simulate_the_product(void)
{
    struct load_options air = {.is_air = true, .pulp_error = 0.5};
    struct load_model model = model_of("navel_orange", air);
    struct load blind, probed;
    load_init(&blind);
    load_init(&probed);
    load_enter(&probed, &model, 24);
    for (int i = 0; i <= 144; i++) {
        CHECK(give(&blind, &model, T0 + i * HOUR_MS / 6, 5, nan_c) == ERR_OK);
        CHECK(give(&probed, &model, T0 + i * HOUR_MS / 6, 5, nan_c) == ERR_OK);
    }
    CHECK(probed.product.low <= probed.product.mid &&
          probed.product.mid <= probed.product.high);
    CHECK(near(probed.product.mid, 5 + 19 * exp(-24 / 10.0), 1e-9));
    CHECK(blind.product.low < 5 && blind.product.high > probed.product.high);
    CHECK(blind.aged_d.fast > probed.aged_d.fast && probed.aged_d.mid > blind.aged_d.mid);
    struct load_reading pulp = {.time_ms = T0 + 25 * HOUR_MS,
                                .temperature_c = 5,
                                .humidity_pct = nan_c,
                                .pulp_c = 21};
    CHECK(load_reading(&probed, &model, &pulp) == ERR_OK);
    CHECK(probed.contradicted == 1 && near(probed.product.mid, 21, 0));
    struct profile bare = {.id = "bare"};
    for (int i = 0; i < PROFILE_KEY_COUNT; i++)
        bare.numbers[i].value = nan_c;
    struct err_text why = {""};
    CHECK(load_model_init(&model, &bare, &air, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "time constant") != NULL);
}

static void the_state_fits_its_budget(void)
{
    printf("\n  %zu bytes of state per load", sizeof(struct load));
    CHECK(sizeof(struct load) <= 256);
}

/* The share that is left does not ask at what temperature the rest will be. */
static void what_is_left_is_a_share_of_the_worst(void)
{
    static const struct {
        const char *id;
        double at_c;
        double days;
        enum life_process limit;
        double low; /* NaN: none can be stated */
        double mid;
        double high;
    } rows[] = {
        {"navel_orange", 5.5, 0, LIFE_AGEING, 1, 1, 1},
        {"navel_orange", 5.5, 30, LIFE_AGEING, 1 - 30 / 60.0, 1 - 30 / 75.0,
         1 - 30 / 90.0},
        {"navel_orange", 5.5, 100, LIFE_AGEING, 0, 0, 0},
        {"cucumber", 7.2, 1, LIFE_CHILLING, 1 - 1 / 2.0, 1 - 5 / 12.0, 1 - 1 / 3.0},
        {"fish_fresh", 0, 1, LIFE_AGEING, NAN, NAN, NAN},    /* no life is published */
        {"pork_chilled", 20, 1, LIFE_AGEING, NAN, NAN, NAN}, /* nor kinetics */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct load_model model = model_of(rows[i].id, (struct load_options){0});
        const struct thermal_means at = {rows[i].at_c, rows[i].at_c, rows[i].at_c};
        struct load load;
        load_init(&load);
        if (rows[i].days > 0)
            load_stay(&load, &model, &at, nan_c, llround(rows[i].days * (double)DAY_MS));
        struct life_left left = life_left_of(&load, &model);
        CHECK_ROW(rows[i].id, left.limit == rows[i].limit);
        if (isnan(rows[i].mid)) {
            CHECK_ROW(rows[i].id, isnan(left.share.mid));
            continue;
        }
        CHECK_ROW(rows[i].id, near(left.share.mid, rows[i].mid, 1e-9));
        bool has_spread = rows[i].limit == LIFE_CHILLING || rows[i].days == 0;
        CHECK_ROW(rows[i].id,
                  left.share.low <= left.share.mid && left.share.mid <= left.share.high);
        CHECK_ROW(rows[i].id, !has_spread || (near(left.share.low, rows[i].low, 1e-9) &&
                                              near(left.share.high, rows[i].high, 1e-9)));
    }
}

/* What readings do, whoever knows the temperatures does in one step. */
static void a_stay_is_what_readings_make_of_it(void)
{
    struct load_model model = model_of("cucumber", (struct load_options){0});
    const struct thermal_means at = {8, 8, 8};
    struct load read;
    struct load stayed;
    int64_t now = T0;
    load_init(&read);
    load_init(&stayed);
    stay(&read, &model, &now, 8, 2);
    load_stay(&stayed, &model, &at, nan_c, 2 * DAY_MS);
    CHECK(near(stayed.aged_d.mid, read.aged_d.mid, 1e-9));
    CHECK(near(stayed.chilled_fast, read.chilled_fast, 1e-9));
    CHECK(near(stayed.chilled_slow, read.chilled_slow, 1e-9));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what is left is a share of the worst", what_is_left_is_a_share_of_the_worst},
        {"a stay is what readings make of it", a_stay_is_what_readings_make_of_it},
        {"a fresh load has its published life", a_fresh_load_has_its_published_life},
        {"stays add up dynamically", stays_add_up_dynamically},
        {"nothing is stated without ground", nothing_is_stated_without_ground},
        {"chilling limits and is never reset", chilling_limits_and_is_never_reset},
        {"stone fruit has a danger band", stone_fruit_has_a_danger_band},
        {"freezing is an event", freezing_is_an_event},
        {"water loss has its own counter", water_loss_has_its_own_counter},
        {"bad readings are counted and change nothing",
         bad_readings_are_counted_and_change_nothing},
        {"gaps age between their ends and are stated",
         gaps_age_between_their_ends_and_are_stated},
        {"air readings simulate the product", air_readings_simulate_the_product},
        {"the state fits its budget", the_state_fits_its_budget},
        CU_TEST_INFO_NULL,
    };
    set = profile_set_create();
    int status = check_run("load", tests);
    profile_set_destroy(set);
    return status;
}
