// SPDX-License-Identifier: Apache-2.0
#include "freshness/thermal.h"

#include <math.h>

#include "base/csv.h"
#include "freshness/pt100.h"
#include "tests/support/check.h"

static bool near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        printf("\n  got %.7g, want %.7g +- %g", got, want, tolerance);
    return fabs(got - want) <= tolerance;
}

static struct thermal_body body_of(double tau_h)
{
    return (struct thermal_body){.tau_h = tau_h, .fastest_h = tau_h, .slowest_h = tau_h};
}

/* Cooling coefficients per hour and the times that follow from them. */
static void cooling_times(void)
{
    static const struct {
        const char *name;
        double per_hour, half_h, seven_eighths_h;
    } rows[] = {
        {"room", 0.10, 6.93, 20.79},
        {"forced air", 0.40, 1 + 44 / 60.0, 5 + 12 / 60.0},
        {"package ice", 0.70, 0.990, 2.971},
        {"hydro", 0.90, 0.770, 2.310},
        {"vacuum", 1.80, 0.385, 1.155},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double tau = 1 / rows[i].per_hour;
        CHECK_ROW(rows[i].name, near(thermal_half_h(tau), rows[i].half_h, 0.02));
        CHECK_ROW(rows[i].name,
                  near(thermal_seven_eighths_h(tau), rows[i].seven_eighths_h, 0.02));
        CHECK_ROW(rows[i].name,
                  near(thermal_seven_eighths_h(tau), 3 * thermal_half_h(tau), 1e-12));
        struct thermal state = thermal_known(30, 0);
        struct thermal_body body = body_of(tau);
        thermal_step(&state, &body, 2, thermal_seven_eighths_h(tau));
        CHECK_ROW(rows[i].name, near(state.mid, 2 + 28 / 8.0, 1e-9));
    }
}

static void a_step_is_exact_for_any_spacing(void)
{
    struct thermal_body body = body_of(2.5);
    struct thermal one = thermal_known(25, 0), many = one;
    double sum = 0;
    struct thermal_means whole = thermal_step(&one, &body, 3, 7.3);
    for (int i = 0; i < 1000; i++)
        sum += thermal_step(&many, &body, 3, 7.3 / 1000).mid;
    CHECK(near(one.mid, many.mid, 1e-9));
    CHECK(near(whole.mid, sum / 1000, 1e-9)); /* the mean is exact too */
    CHECK(near(one.mid, 3 + 22 * exp(-7.3 / 2.5), 1e-12));
}

/* Every body with a time constant in the range, from any entry in the band, stays inside.
 */
static void the_band_holds_every_body_it_stands_for(void)
{
    struct thermal_body body = {.tau_h = 5, .fastest_h = 2.5, .slowest_h = 10};
    uint32_t seed = 7;
    for (int run = 0; run < 50; run++) {
        struct thermal state = thermal_unknown(0, 10, 30);
        struct thermal one[6];
        double taus[] = {2.5, 3, 5, 7, 10, 10};
        for (int i = 0; i < 6; i++)
            one[i] = thermal_known(i * 6, 0);
        for (int step = 0; step < 200; step++) {
            seed = seed * 1664525 + 1013904223;
            double air = (double)(seed >> 16) / 65536 * 40 - 5;
            double hours = (double)(seed & 0xff) / 128;
            thermal_step(&state, &body, air, hours);
            CHECK(state.low <= state.mid && state.mid <= state.high);
            for (int i = 0; i < 6; i++) {
                struct thermal_body exact = body_of(taus[i]);
                thermal_step(&one[i], &exact, air, hours);
                if (one[i].mid < state.low - 1e-9 || one[i].mid > state.high + 1e-9)
                    CHECK(!"a body left the band");
            }
        }
        CHECK(state.high - state.low < 35);
    }
}

static void a_pulp_probe_corrects_and_contradicts(void)
{
    struct thermal_body body = {.tau_h = 5, .fastest_h = 2.5, .slowest_h = 10};
    struct thermal state = thermal_unknown(0, 4, 40);
    CHECK(thermal_pulp(&state, 18, 0.5));
    CHECK(near(state.mid, 18, 0) && near(state.low, 17.5, 0) &&
          near(state.high, 18.5, 0));
    thermal_step(&state, &body, 2, 1);
    CHECK(state.low < state.mid && state.mid < state.high && state.mid < 18);
    CHECK(!thermal_pulp(&state, 30, 0.5)); /* no body of this range is at 30 C by now */
    CHECK(near(state.mid, 30, 0));
}

static void without_a_body_the_air_is_the_product(void)
{
    struct thermal_body none = {0};
    struct thermal state = thermal_known(20, 0);
    struct thermal_means means = thermal_step(&state, &none, 4, 0.1);
    CHECK(near(state.mid, 4, 0) && near(means.mid, 4, 0));
    thermal_step(&state, &none, 5, 0);
    CHECK(near(state.mid, 5, 0));
}

/* The step integrated in small pieces until the goods are there; -1: not in 400 h. */
static double integrated_h(double from, double air, double limit, bool is_above,
                           double tau_h)
{
    double celsius = from;
    double piece_h = 0.001;
    for (int i = 0; i < 400000; i++) {
        if (is_above ? celsius >= limit : celsius <= limit)
            return i * piece_h;
        celsius += (air - celsius) / tau_h * piece_h;
    }
    return -1;
}

static void how_long_until_a_limit_is_as_integrated(void)
{
    static const struct {
        const char *name;
        struct thermal state;
        double air, limit;
        bool is_above, reaches;
    } rows[] = {
        {"warm air", {4.8, 5.1, 5.6}, 9.4, 8, true, true},
        {"just beyond", {4.8, 5.1, 5.6}, 8.01, 8, true, true},
        {"hot", {0, 2, 3}, 35, 8, true, true},
        {"at the limit: never quite", {4, 5, 6}, 8, 8, true, false},
        {"not so warm", {4, 5, 6}, 7.2, 8, true, false},
        {"the air is cold", {4, 5, 6}, -3, 8, true, false},
        {"frost", {1.5, 2, 2.5}, -4, 0, false, true},
        {"frost that does not reach", {1.5, 2, 2.5}, 0.5, 0, false, false},
        {"warm air does not freeze", {1.5, 2, 2.5}, 20, 0, false, false},
        {"some may be there", {6, 7.5, 8.3}, 12, 8, true, true},
    };
    const struct thermal_body body = {.tau_h = 5, .fastest_h = 2.5, .slowest_h = 10};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct thermal *state = &rows[i].state;
        bool above = rows[i].is_above;
        struct thermal hours;
        bool reaches =
            thermal_reach(state, &body, rows[i].air, rows[i].limit, above, &hours);
        CHECK_ROW(rows[i].name, reaches == rows[i].reaches);
        double mid = integrated_h(state->mid, rows[i].air, rows[i].limit, above, 5);
        CHECK_ROW(rows[i].name, (mid >= 0) == reaches);
        if (!reaches)
            continue;
        double soonest = integrated_h(above ? state->high : state->low, rows[i].air,
                                      rows[i].limit, above, 2.5);
        double latest = integrated_h(above ? state->low : state->high, rows[i].air,
                                     rows[i].limit, above, 10);
        CHECK_ROW(rows[i].name, near(hours.low, soonest, 0.01));
        CHECK_ROW(rows[i].name, near(hours.mid, mid, 0.01));
        CHECK_ROW(rows[i].name, near(hours.high, latest, 0.01));
        CHECK_ROW(rows[i].name, hours.low <= hours.mid && hours.mid <= hours.high);
    }
}

static void what_is_past_a_limit_is_there(void)
{
    const struct thermal_body body = {.tau_h = 5, .fastest_h = 2.5, .slowest_h = 10};
    const struct thermal_body none = {0};
    struct thermal state = thermal_known(9, 0.5);
    struct thermal hours;
    CHECK(thermal_reach(&state, &body, 2, 8, true, &hours) && hours.high == 0);
    CHECK(thermal_reach(&state, &body, 12, 8, true, &hours) && hours.high == 0);
    CHECK(thermal_reach(&state, &body, 12, 9, true, &hours) && hours.high == 0);
    CHECK(!thermal_reach(&state, &body, 12, 8, false, &hours));
    state = thermal_known(4, 0);
    CHECK(thermal_reach(&state, &none, 12, 8, true, &hours) && hours.high == 0);
}

struct swing {
    double low[3], high[3]; /* of the core, for 0.5, 2.5 and 10 h */
};

static const double core_taus[3] = {0.5, 2.5, 10};

/* The recorded freezer between two instants; false when it is not there. */
static bool replay(const char *path, int64_t from_ms, int64_t to_ms, struct swing *swing)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t size = 4u << 20;
    char *text = malloc(size);
    size_t len = text != NULL ? fread(text, 1, size, file) : 0;
    fclose(file);
    static struct csv csv;
    struct csv_map map;
    struct thermal core[3];
    int64_t before_ms = 0, time_ms;
    double values[CSV_COLUMNS_MAX], before_c = 0;
    bool has_one = false;
    csv_init(&csv, text, len);
    bool is_good =
        csv_map_parse(&map, "time=ISOdateTime,t=Temperature", NULL) == ERR_OK &&
        csv_map_bind(&map, &csv, NULL) == ERR_OK;
    while (is_good && csv_next(&csv, NULL) == ERR_OK &&
           csv_map_row(&map, &csv, &time_ms, values, NULL) == ERR_OK) {
        for (int i = 0; i < 3; i++) {
            struct thermal_body body = body_of(core_taus[i]);
            if (!has_one)
                core[i] = thermal_known(values[1], 0);
            else
                thermal_step(&core[i], &body, before_c,
                             (double)(time_ms - before_ms) / 3600000);
            if (time_ms <= from_ms)
                swing->low[i] = swing->high[i] = core[i].mid;
            else if (time_ms <= to_ms)
                swing->high[i] = fmax(swing->high[i], core[i].mid);
        }
        has_one = true;
        before_ms = time_ms;
        before_c = values[1];
    }
    free(text);
    return is_good && has_one;
}

/* A door spike to 8.4 C moves a core by 2.6 / 0.7 / 0.2 C, a defrost by 13.8 / 4.3 / 1.2
 * C. */
static void the_recorded_freezer_moves_cores_as_published(void)
{
    static const double door_want[3] = {2.6, 0.7, 0.2},
                        defrost_want[3] = {13.8, 4.3, 1.2};
    const int64_t hour_ms = 3600000, july_12 = 1657584000000;
    char dir[4000], path[4096];
    if (check_shared_dir(dir, sizeof dir,
                         "datasets/freezer_celsi/CELSI-raw-data-reports.csv") == NULL)
        return;
    snprintf(path, sizeof path, "%s/datasets/freezer_celsi/CELSI-raw-data-reports.csv",
             dir);
    struct swing door = {{0}, {0}}, defrost = {{0}, {0}};
    CHECK(replay(path, july_12 + 5 * hour_ms, july_12 + 6 * hour_ms, &door));
    int64_t july_15_1730 = july_12 + (3 * 24 + 17) * hour_ms + hour_ms / 2;
    CHECK(replay(path, july_15_1730, july_15_1730 + 4 * hour_ms, &defrost));
    for (int i = 0; i < 3; i++) {
        printf("\n  core tau %.1f h: door +%.2f C, defrost of 38 min +%.2f C",
               core_taus[i], door.high[i] - door.low[i],
               defrost.high[i] - defrost.low[i]);
        CHECK(near(door.high[i] - door.low[i], door_want[i], 0.1));
        /* Which of three like defrosts was meant is not said; they differ by this much.
         */
        CHECK(near(defrost.high[i] - defrost.low[i], defrost_want[i],
                   0.05 * defrost_want[i]));
    }
}

/* A generated freezer of the same shape: a 38 min ramp from -20 to 5 C, once. */
static void a_generated_defrost_moves_a_slow_core_little(void)
{
    double moved[3];
    for (int i = 0; i < 3; i++) {
        struct thermal core = thermal_known(-20, 0);
        struct thermal_body body = body_of(core_taus[i]);
        double high = -20;
        for (int minute = 0; minute < 180; minute++) {
            double air = minute < 38 ? -20 + 25 * minute / 38.0 : -20;
            thermal_step(&core, &body, air, 1 / 60.0);
            high = fmax(high, core.mid);
        }
        moved[i] = high + 20;
    }
    CHECK(moved[0] > 8 && moved[0] < 25);
    CHECK(moved[1] > 2 && moved[1] < 5);
    CHECK(moved[2] > 0.5 && moved[2] < 1.5);
}

/* IEC 60751: 138.51 ohm at 100 C and 92.16 at -20. */
static void pt100_table(void)
{
    CHECK(near(pt100_ohm(100, 100), 138.51, 5e-3));
    CHECK(near(pt100_ohm(100, -20), 92.16, 5e-3));
    CHECK(near(pt100_ohm(100, 0), 100, 0));
    for (double t = -200; t <= 850; t += 17.3)
        CHECK(near(pt100_celsius(1000, pt100_ohm(1000, t)), t, 1e-6));
    CHECK(isnan(pt100_celsius(100, 0)) && isnan(pt100_celsius(100, 1e6)));
    CHECK(isnan(pt100_celsius(100, (double)NAN)));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"cooling times", cooling_times},
        {"a step is exact for any spacing", a_step_is_exact_for_any_spacing},
        {"the band holds every body it stands for",
         the_band_holds_every_body_it_stands_for},
        {"a pulp probe corrects and contradicts", a_pulp_probe_corrects_and_contradicts},
        {"without a body the air is the product", without_a_body_the_air_is_the_product},
        {"how long until a limit is as integrated",
         how_long_until_a_limit_is_as_integrated},
        {"what is past a limit is there", what_is_past_a_limit_is_there},
        {"the recorded freezer moves cores as published",
         the_recorded_freezer_moves_cores_as_published},
        {"a generated defrost moves a slow core little",
         a_generated_defrost_moves_a_slow_core_little},
        {"Pt100 table", pt100_table},
        CU_TEST_INFO_NULL,
    };
    return check_run("thermal", tests);
}
