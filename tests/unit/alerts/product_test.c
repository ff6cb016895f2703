// SPDX-License-Identifier: Apache-2.0
#include "alerts/product.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "tests/support/check.h"

#define MINUTE_MS ((int64_t)60000)
#define T0        ((int64_t)1700000000000)

static bool near(double value, double want, double within)
{
    return fabs(value - want) <= within;
}

static struct product_settings settings_of(double tau_h)
{
    return (struct product_settings){.body = {tau_h, tau_h, tau_h},
                                     .entry_low_C = (double)NAN,
                                     .entry_high_C = (double)NAN};
}

/* The arithmetic for design: +10 K in the air for half an hour, or for ever. */
static const struct {
    double tau_min;
    double peak_K;    /* after 30 min */
    double reach_min; /* +3 K */
} arithmetic[] = {{5, 9.98, 1.8}, {15, 8.6, 5.4}, {45, 4.9, 16},
                  {60, 3.9, 21},  {120, 2.2, 43}, {240, 1.2, 86}};

static void half_an_hour_of_ten_kelvin_moves_it_as_computed(void)
{
    for (size_t i = 0; i < sizeof arithmetic / sizeof arithmetic[0]; i++) {
        static const int spacing_s[] = {10, 60, 360, 1800};
        for (size_t s = 0; s < sizeof spacing_s / sizeof spacing_s[0]; s++) {
            struct product_settings settings = settings_of(arithmetic[i].tau_min / 60);
            struct product_state state = {0};
            product_air(&state, &settings, T0 - MINUTE_MS, 0);
            for (int64_t at_s = 0; at_s <= 1800; at_s += spacing_s[s])
                product_air(&state, &settings, T0 + at_s * 1000, 10);
            double want_K = 10 * -expm1(-30 / arithmetic[i].tau_min);
            CHECK(near(product_now(&state, &settings).C.mid, want_K, 1e-9));
            CHECK(near(want_K, arithmetic[i].peak_K, 0.06));
        }
    }
}

static void a_failure_reaches_three_kelvin_when_computed(void)
{
    for (size_t i = 0; i < sizeof arithmetic / sizeof arithmetic[0]; i++) {
        struct product_settings settings = settings_of(arithmetic[i].tau_min / 60);
        struct product_state state = {0};
        product_air(&state, &settings, T0 - 1, 0);
        int64_t at_ms = T0;
        for (; product_now(&state, &settings).C.mid < 3; at_ms += 1000)
            product_air(&state, &settings, at_ms, 10);
        CHECK(near((double)(at_ms - T0) / 60000, arithmetic[i].reach_min,
                   0.03 * arithmetic[i].reach_min));
    }
}

static void goods_of_unknown_warmth_lie_in_a_band_that_closes(void)
{
    struct product_settings settings = {
        .body = {10, 2.5, 10}, .entry_low_C = 2, .entry_C = 5, .entry_high_C = 20};
    struct product_state state = {0};
    CHECK(isnan(product_now(&state, &settings).C.mid));
    product_air(&state, &settings, T0, 5);
    struct thermal C = product_now(&state, &settings).C;
    CHECK(C.low == 2 && C.mid == 5 && C.high == 20);
    for (int minute = 1; minute <= 30 * 60; minute++)
        product_air(&state, &settings, T0 + minute * MINUTE_MS, 5);
    C = product_now(&state, &settings).C;
    CHECK(near(C.high, 5 + 15 * exp(-3), 1e-6)); /* the slowest body */
    CHECK(near(C.low, 5 - 3 * exp(-12), 1e-6) || C.low <= C.mid);
}

static void a_gap_widens_the_band(void)
{
    struct product_settings settings = settings_of(2);
    struct product_state state = {0};
    product_air(&state, &settings, T0, 0);
    product_air(&state, &settings, T0 + 30 * MINUTE_MS, 10);
    struct thermal C = product_now(&state, &settings).C;
    CHECK(C.low == 0 && C.high == 0); /* the air kept its value until then */
    product_air(&state, &settings, T0 + 150 * MINUTE_MS, 4);
    C = product_now(&state, &settings).C;
    CHECK(C.low == 0 && C.mid == 0 && near(C.high, 10 * -expm1(-1), 1e-9));
}

/* A body of 3 h whose probe is read to 0.1 K, doors now and then. */
static void fill(struct product_state *state, const struct product_settings *settings,
                 double true_tau_h, int hours, uint64_t seed)
{
    struct rng rng = {seed};
    double pulp_C = 4;
    for (int minute = 0; minute < hours * 60; minute++) {
        double air_C = 4 + sin(minute / 9.0) + (minute % 240 < 25 ? 12 : 0);
        pulp_C += (air_C - pulp_C) * -expm1(-1 / 60.0 / true_tau_h);
        int64_t at_ms = T0 + minute * MINUTE_MS;
        product_air(state, settings, at_ms, air_C);
        if (minute % 5 == 0)
            product_pulp(state, settings, at_ms,
                         round(10 * (pulp_C + 0.1 * (rng_uniform(&rng) - 0.5))) / 10);
    }
}

static void a_probe_teaches_tau_with_its_error(void)
{
    static const double taus_h[] = {1, 3, 8};
    for (size_t i = 0; i < sizeof taus_h / sizeof taus_h[0]; i++) {
        struct product_settings settings = {.body = {10, 2.5, 10},
                                            .entry_low_C = (double)NAN,
                                            .entry_high_C = (double)NAN,
                                            .pulp_error_K = 0.3};
        int held = 0;
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct product_state state = {0};
            fill(&state, &settings, taus_h[i], 48, seed);
            struct product product = product_now(&state, &settings);
            CHECK(product.is_fitted && product.is_probed);
            CHECK(near(product.body.tau_h, taus_h[i], 0.15 * taus_h[i]));
            CHECK(product.body.fastest_h < product.body.tau_h &&
                  product.body.tau_h < product.body.slowest_h);
            held += product.body.fastest_h <= taus_h[i] &&
                    taus_h[i] <= product.body.slowest_h;
        }
        CHECK(held >= 19);
    }
}

static void without_a_probe_tau_is_what_was_said(void)
{
    struct product_settings settings = settings_of(10);
    struct product_state state = {0};
    for (int minute = 0; minute < 600; minute++)
        product_air(&state, &settings, T0 + minute * MINUTE_MS,
                    minute % 100 < 10 ? 12 : 4);
    struct product product = product_now(&state, &settings);
    CHECK(!product.is_fitted && !product.is_probed && product.body.tau_h == 10);
}

static void nonsense_changes_nothing(void)
{
    struct product_settings settings = settings_of(2);
    struct product_state state = {0}, before;
    product_air(&state, &settings, T0, 3);
    product_pulp(&state, &settings, T0, 4);
    before = state;
    product_air(&state, &settings, T0 + 1, (double)NAN);
    product_air(&state, &settings, T0 + 1, (double)INFINITY);
    product_air(&state, &settings, T0, 9);
    product_air(&state, &settings, T0 - MINUTE_MS, 9);
    product_pulp(&state, &settings, T0 + 1, (double)NAN);
    product_pulp(&state, &settings, T0 - 1, 9);
    CHECK(memcmp(&state, &before, sizeof state) == 0);
}

static void it_goes_on_from_what_was_saved(void)
{
    struct product_settings settings = settings_of(5);
    struct product_state state = {0}, again = {0};
    settings.loads[0] = (struct product_entry){T0 + 1150 * MINUTE_MS, 18};
    settings.load_count = 1;
    fill(&state, &settings, 3, 20, 7);
    struct buf saved = {0};
    product_save(&saved, &state);
    CHECK(saved.len <= PRODUCT_SAVED_MAX);
    for (size_t len = 0; len < saved.len; len++) {
        struct buf_reader cut = buf_reader_of(saved.data, len);
        CHECK(product_load(&again, &cut) == ERR_CORRUPT && again.last_ms == 0);
    }
    struct buf_reader in = buf_reader_of(saved.data, saved.len);
    CHECK(product_load(&again, &in) == ERR_OK && in.at == saved.len);
    int64_t at_ms = T0 + 21 * 60 * MINUTE_MS;
    product_air(&state, &settings, at_ms, 9);
    product_air(&again, &settings, at_ms, 9);
    struct product one = product_now(&state, &settings);
    struct product other = product_now(&again, &settings);
    CHECK(one.C.mid == other.C.mid && one.body.tau_h == other.body.tau_h);
    CHECK(one.warmest_C == other.warmest_C && one.warmest_C > one.C.mid + 1);
    buf_fini(&saved);
}

static void what_was_saved_before_there_were_loads_is_read(void)
{
    struct product_settings settings = settings_of(5);
    struct product_state state = {0}, again = {0};
    fill(&state, &settings, 3, 20, 7);
    struct buf saved = {0};
    product_save(&saved, &state);
    saved.data[0] = 1;
    struct buf_reader in = buf_reader_of(saved.data, saved.len - 1);
    CHECK(product_load(&again, &in) == ERR_OK && in.at == saved.len - 1);
    CHECK(memcmp(&state, &again, sizeof state) == 0);
    buf_fini(&saved);
}

/* Room and goods at 5 C; 18 C came in 30 minutes after T0, between two readings, -1 C at
 * an hour. */
static void loads_follow_the_air_from_their_own_temperature(void)
{
    struct product_settings settings = settings_of(4);
    struct product_state state = {0};
    settings.loads[0] = (struct product_entry){T0 + 30 * MINUTE_MS, 18};
    settings.loads[1] = (struct product_entry){T0 + 60 * MINUTE_MS, -1};
    settings.load_count = 2;
    for (int minute = 0; minute <= 40 * 60; minute += 4) {
        product_air(&state, &settings, T0 + minute * MINUTE_MS, 5);
        struct product now = product_now(&state, &settings);
        double warm_K = minute < 30 ? 0 : 13 * exp(-(minute - 30) / 240.0);
        double cold_K = minute < 60 ? 0 : 6 * exp(-(minute - 60) / 240.0);
        CHECK(now.C.mid == 5);
        CHECK(near(now.warmest_C, 5 + (warm_K > 0.1 ? warm_K : 0), 1e-9));
        CHECK(near(now.coldest_C, 5 - (cold_K > 0.1 ? cold_K : 0), 1e-9));
    }
    CHECK(state.load_count == 2 && state.loads[0].is_joined && state.loads[1].is_joined);
    settings.load_count = 0; /* what is taken back never was */
    product_air(&state, &settings, T0 + 41 * 60 * MINUTE_MS, 5);
    CHECK(state.load_count == 0);
}

/* It came in hours ago, and somebody says so now; or nothing was heard until now. */
static void a_load_told_late_is_as_cool_as_if_told_in_time(void)
{
    struct product_settings settings = settings_of(4);
    struct product_state state = {0}, fresh = {0};
    for (int minute = 0; minute < 300; minute++)
        product_air(&state, &settings, T0 + minute * MINUTE_MS, 5);
    settings.loads[0] = (struct product_entry){T0 + 60 * MINUTE_MS, 18};
    settings.load_count = 1;
    product_air(&state, &settings, T0 + 300 * MINUTE_MS, 5);
    product_air(&fresh, &settings, T0 + 300 * MINUTE_MS, 5);
    CHECK(near(product_now(&state, &settings).warmest_C, 5 + 13 * exp(-1), 1e-9));
    CHECK(near(product_now(&fresh, &settings).warmest_C, 5 + 13 * exp(-1), 1e-9));
}

/* Goods at 5 C, a load at 18 C and one at 10 C, and what a probe says then: it corrects
 * what it agrees with, within half a kelvin, and nothing else. */
static void a_probe_corrects_what_it_stands_in(void)
{
    static const struct {
        const char *name;
        double pulp_C;
        double zone_C;
        double warm_C;
        double mild_C;
    } rows[] = {
        {"in the warm load", 17.7, 5, 17.7, 10},
        {"in the mild load", 10.3, 5, 18, 10.3},
        {"in the zone's goods", 5.2, 5.2, 18, 10},
        {"in nothing that is known", 14, 14, 18, 10},
        {"near the load, beyond its error", 17.4, 17.4, 18, 10},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct product_settings settings = settings_of(4);
        struct product_state state = {0};
        product_air(&state, &settings, T0, 5);
        settings.loads[0] = (struct product_entry){T0 + MINUTE_MS, 18};
        settings.loads[1] = (struct product_entry){T0 + MINUTE_MS, 10};
        settings.load_count = 2;
        product_air(&state, &settings, T0 + MINUTE_MS, 5);
        product_pulp(&state, &settings, T0 + MINUTE_MS, rows[i].pulp_C);
        CHECK_ROW(rows[i].name, near(state.core.mid, rows[i].zone_C, 1e-9));
        CHECK_ROW(rows[i].name, near(state.loads[0].C, rows[i].warm_C, 1e-9));
        CHECK_ROW(rows[i].name, near(state.loads[1].C, rows[i].mild_C, 1e-9));
    }
}

/* A probe in a load that cools half as fast as was said holds it: the load is where the
 * probe says, and what stood there stays what it was. */
static void a_probe_stays_with_its_load(void)
{
    struct product_settings settings = settings_of(4);
    struct product_state state = {0};
    settings.loads[0] = (struct product_entry){T0, 18};
    settings.load_count = 1;
    for (int minute = 0; minute < 12 * 60; minute++) {
        double pulp_C = 5 + 13 * exp(-minute / 480.0);
        product_air(&state, &settings, T0 + minute * MINUTE_MS, 5);
        product_pulp(&state, &settings, T0 + minute * MINUTE_MS, pulp_C);
        struct product now = product_now(&state, &settings);
        CHECK(near(now.warmest_C, pulp_C, 1e-9) && now.coldest_C == 5 && now.C.mid == 5);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"half an hour of ten kelvin moves it as computed",
         half_an_hour_of_ten_kelvin_moves_it_as_computed},
        {"a failure reaches three kelvin when computed",
         a_failure_reaches_three_kelvin_when_computed},
        {"goods of unknown warmth lie in a band that closes",
         goods_of_unknown_warmth_lie_in_a_band_that_closes},
        {"a gap widens the band", a_gap_widens_the_band},
        {"a probe teaches tau with its error", a_probe_teaches_tau_with_its_error},
        {"without a probe tau is what was said", without_a_probe_tau_is_what_was_said},
        {"nonsense changes nothing", nonsense_changes_nothing},
        {"it goes on from what was saved", it_goes_on_from_what_was_saved},
        {"what was saved before there were loads is read",
         what_was_saved_before_there_were_loads_is_read},
        {"loads follow the air from their own temperature",
         loads_follow_the_air_from_their_own_temperature},
        {"a probe corrects what it stands in", a_probe_corrects_what_it_stands_in},
        {"a probe stays with its load", a_probe_stays_with_its_load},
        {"a load told late is as cool as if told in time",
         a_load_told_late_is_as_cool_as_if_told_in_time},
        CU_TEST_INFO_NULL,
    };
    return check_run("product", tests);
}
