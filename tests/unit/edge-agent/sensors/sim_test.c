// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/sim.h"

#include <math.h>

#include "edge-agent/sensors/sim_world.h"
#include "tests/support/check.h"

#define MINUTE_MS ((int64_t)60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
/* 2026-11-02T00:00:00+08:00 */
#define MIDNIGHT_MS ((int64_t)1793548800000)

static struct sim_params preset(const char *name)
{
    struct sim_params params = {0};
    CHECK(sim_preset(&params, name, NULL) == ERR_OK);
    params.origin_ms = MIDNIGHT_MS;
    return params;
}

/* No weather, no doors, no produce: what is left can be computed by hand. */
static struct sim_params bare_room(void)
{
    struct sim_params params = preset("room");
    params.product_kg = 0;
    params.doors_per_h = 0;
    params.outside_swing_K = 0;
    params.outside_noise_K = 0;
    params.sun_K = 0;
    params.defrost_every_h = 0;
    return params;
}

static void add_fault(struct sim_params *params, enum sim_fault_kind kind,
                      int64_t after_ms, int64_t for_ms)
{
    params->faults[params->fault_count++] = (struct sim_fault){
        .kind = kind, .after_ms = after_ms, .for_ms = for_ms, .factor = 0.3};
}

struct extremes {
    double lowest;
    double highest;
    size_t starts; /* of the compressor */
};

static struct extremes run_for(struct sim_zone *zone, int64_t length_ms)
{
    struct extremes seen = {.lowest = 1e9, .highest = -1e9};
    bool was_on = zone->compressor_on;
    for (int64_t end_ms = zone->time_ms + length_ms; zone->time_ms < end_ms;) {
        sim_step(zone, zone->time_ms + SIM_STEP_MS);
        seen.lowest = fmin(seen.lowest, zone->air_C);
        seen.highest = fmax(seen.highest, zone->air_C);
        seen.starts += zone->compressor_on && !was_on;
        was_on = zone->compressor_on;
    }
    return seen;
}

static void a_day_stays_in_band(void)
{
    struct sim_params params = preset("room");
    struct sim_zone zone;
    sim_init(&zone, &params);
    struct extremes seen = run_for(&zone, DAY_MS);
    CHECK(seen.lowest > 3 && seen.highest < 8);
    CHECK(fabs(zone.product_C - params.set_point_C) < 0.6);
    CHECK(seen.starts > 24 && seen.starts < 24 * 10);
    double humidity = sim_humidity(&zone);
    CHECK(humidity > 80 && humidity <= 100);
}

static void a_van_keeps_its_produce_cold(void)
{
    struct sim_params params = preset("van");
    struct sim_zone zone;
    sim_init(&zone, &params);
    struct extremes seen = run_for(&zone, DAY_MS);
    CHECK(seen.highest > params.set_point_C + 2); /* doors at the stops */
    CHECK(seen.highest < params.outside_C);
    CHECK(fabs(zone.product_C - params.set_point_C) < 1.5);
}

static void a_dead_compressor_warms_exponentially(void)
{
    struct sim_params params = bare_room();
    params.fan_W = 0;
    add_fault(&params, SIM_COMPRESSOR_DEAD, 0, 0);
    struct sim_zone zone;
    sim_init(&zone, &params);
    /* One node behind the walls once air and coil move together. */
    double tau_s = (params.air_kJ_K + params.coil_kJ_K) * 1000 / params.wall_W_K;
    double start_K = params.outside_C - zone.air_C;
    for (int hours = 1; hours <= 12; hours++) {
        sim_step(&zone, MIDNIGHT_MS + hours * HOUR_MS);
        double want_C = params.outside_C - start_K * exp(-hours * 3600 / tau_s);
        CHECK(fabs(zone.air_C - want_C) < 0.05);
    }
}

static void a_weak_compressor_loses_the_set_point(void)
{
    struct sim_params params = preset("van");
    params.stop_count = 0;
    add_fault(&params, SIM_COMPRESSOR_WEAK, HOUR_MS, 0);
    params.faults[0].factor = 0.1;
    struct sim_zone zone;
    sim_init(&zone, &params);
    struct extremes before = run_for(&zone, HOUR_MS);
    struct extremes after = run_for(&zone, 6 * HOUR_MS);
    CHECK(before.highest < params.set_point_C + 1.5);
    CHECK(after.highest > params.set_point_C + 1.5);
    CHECK(zone.compressor_on); /* it never rests */
}

static void a_defrost_rises_and_recovers(void)
{
    struct sim_params params = preset("room");
    params.doors_per_h = 0;
    struct sim_zone zone;
    sim_init(&zone, &params);
    run_for(&zone, 8 * HOUR_MS - MINUTE_MS);
    CHECK(!zone.defrost_on && zone.frost_kg > 0);
    run_for(&zone, 10 * MINUTE_MS);
    CHECK(zone.defrost_on && !zone.compressor_on && zone.coil_C > 5);
    struct extremes defrost = run_for(&zone, 15 * MINUTE_MS);
    CHECK(defrost.highest > params.set_point_C + 0.5);
    CHECK(!zone.defrost_on && zone.frost_kg < 0.5);
    run_for(&zone, 30 * MINUTE_MS);
    CHECK(fabs(zone.air_C - params.set_point_C) < params.differential_K);
}

static void an_open_door_spikes_air_not_produce(void)
{
    struct sim_params params = preset("van");
    params.stop_count = 0;
    add_fault(&params, SIM_DOOR_OPEN, HOUR_MS, 10 * MINUTE_MS);
    struct sim_zone zone;
    sim_init(&zone, &params);
    run_for(&zone, HOUR_MS);
    double product_C = zone.product_C;
    double air_C = zone.air_C;
    struct extremes open = run_for(&zone, 10 * MINUTE_MS);
    CHECK(open.highest > air_C + 2);
    CHECK(open.highest < params.outside_C);
    CHECK(zone.product_C - product_C < 0.5);
    run_for(&zone, 20 * MINUTE_MS);
    CHECK(zone.air_C < params.set_point_C + 1.5);
}

/* The lag of the product is the one that its time constant says. */
static void product_lags_the_air(void)
{
    struct sim_params params = bare_room();
    params.product_kg = 1; /* too little to move the air */
    params.product_tau_h = 5;
    params.respiration_W_t = 0;
    params.product_C = 25;
    struct sim_zone zone;
    sim_init(&zone, &params);
    run_for(&zone, 5 * HOUR_MS);
    double want_C = params.set_point_C + (25 - params.set_point_C) * exp(-1);
    CHECK(fabs(zone.product_C - want_C) < 0.3);
}

static void heat_is_neither_made_nor_lost(void)
{
    static const char *const names[] = {"room", "van"};
    for (size_t i = 0; i < 2; i++) {
        struct sim_params params = preset(names[i]);
        add_fault(&params, SIM_MAINS_LOST, 5 * HOUR_MS, HOUR_MS);
        params.loads[params.load_count++] = (struct sim_load){
            .after_ms = 3 * HOUR_MS, .mass_kg = 100, .temperature_C = 20};
        params.loads[params.load_count++] =
            (struct sim_load){.after_ms = 9 * HOUR_MS, .mass_kg = -300};
        struct sim_zone zone;
        sim_init(&zone, &params);
        double before_J = sim_stored_J(&zone);
        run_for(&zone, DAY_MS);
        double change_J = sim_stored_J(&zone) - before_J;
        CHECK_ROW(names[i], fabs(change_J - zone.received_J) < 1000);
        CHECK_ROW(names[i], fabs(change_J) > 1000);
    }
}

static void loads_mix_by_mass(void)
{
    struct sim_params params = bare_room();
    params.product_kg = 1000;
    params.product_C = 5;
    params.product_tau_h = 400;
    params.loads[0] =
        (struct sim_load){.after_ms = HOUR_MS, .mass_kg = 1000, .temperature_C = 25};
    params.load_count = 1;
    struct sim_zone zone;
    sim_init(&zone, &params);
    run_for(&zone, HOUR_MS + MINUTE_MS);
    CHECK(fabs(zone.product_kg - 2000) < 1e-9);
    CHECK(fabs(zone.product_C - 15) < 0.2);
}

static void mains_lost_stops_everything(void)
{
    struct sim_params params = bare_room();
    add_fault(&params, SIM_MAINS_LOST, HOUR_MS, 4 * HOUR_MS);
    struct sim_zone zone;
    sim_init(&zone, &params);
    run_for(&zone, 5 * HOUR_MS - MINUTE_MS);
    CHECK(!zone.mains_on && !zone.compressor_on);
    CHECK(fabs(zone.battery_pct - 50) < 1);
    CHECK(zone.air_C > 7);
    run_for(&zone, 2 * HOUR_MS);
    CHECK(zone.mains_on && zone.air_C < 6.5);
}

static void faults_repeat(void)
{
    struct sim_params params = bare_room();
    add_fault(&params, SIM_DOOR_OPEN, HOUR_MS, MINUTE_MS);
    params.faults[0].every_ms = 2 * HOUR_MS;
    static const struct {
        const char *name;
        int64_t at_ms;
        bool want;
    } rows[] = {
        {"before", HOUR_MS - 1, false},
        {"first", HOUR_MS, true},
        {"over", HOUR_MS + MINUTE_MS, false},
        {"second", 3 * HOUR_MS + MINUTE_MS / 2, true},
        {"over again", 4 * HOUR_MS, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name,
                  sim_door_open(&params, MIDNIGHT_MS + rows[i].at_ms) == rows[i].want);
}

static void same_seed_same_series(void)
{
    struct sim_params params = preset("room");
    struct sim_zone fine;
    struct sim_zone coarse;
    sim_init(&fine, &params);
    sim_init(&coarse, &params);
    params.seed = 2;
    struct sim_zone other;
    sim_init(&other, &params);
    for (int64_t at_ms = 0; at_ms <= 12 * HOUR_MS; at_ms += 700)
        sim_step(&fine, MIDNIGHT_MS + at_ms);
    sim_step(&coarse, MIDNIGHT_MS + 12 * HOUR_MS);
    sim_step(&other, MIDNIGHT_MS + 12 * HOUR_MS);
    sim_step(&fine, MIDNIGHT_MS + 12 * HOUR_MS);
    CHECK(fine.air_C == coarse.air_C && fine.vapour_kg_m3 == coarse.vapour_kg_m3);
    CHECK(fine.air_C != other.air_C);
}

static void a_long_pause_costs_two_days_only(void)
{
    struct sim_params params = preset("room");
    params.loads[0] = (struct sim_load){.after_ms = HOUR_MS, .mass_kg = 500};
    params.load_count = 1;
    struct sim_zone zone;
    sim_init(&zone, &params);
    sim_step(&zone, MIDNIGHT_MS + 3650 * DAY_MS + 1234);
    CHECK(zone.time_ms <= MIDNIGHT_MS + 3650 * DAY_MS + 1234);
    CHECK(zone.time_ms > MIDNIGHT_MS + 3650 * DAY_MS + 1234 - SIM_STEP_MS);
    CHECK(zone.product_kg == params.product_kg + 500);
}

static void a_van_goes_round(void)
{
    struct sim_params params = preset("van");
    struct sim_place start = sim_place_at(&params, MIDNIGHT_MS + MINUTE_MS);
    CHECK(start.is_standing && start.latitude == params.stops[0].latitude);
    CHECK(sim_place_at(&params, MIDNIGHT_MS + 10 * MINUTE_MS).door_open);
    struct sim_place road = sim_place_at(&params, MIDNIGHT_MS + 42 * MINUTE_MS);
    CHECK(!road.is_standing && !road.door_open);
    CHECK(road.longitude < params.stops[0].longitude);
    CHECK(road.longitude > params.stops[1].longitude);
    double round_min = 0;
    for (size_t i = 0; i < params.stop_count; i++)
        round_min += params.stops[i].stand_min + params.stops[i].drive_min;
    struct sim_place again =
        sim_place_at(&params, MIDNIGHT_MS + (int64_t)((round_min + 1) * MINUTE_MS));
    CHECK(again.is_standing && again.latitude == start.latitude);
}

static void weather_follows_the_day(void)
{
    struct sim_params params = preset("room");
    params.outside_noise_K = 0;
    double three = sim_outside_C(&params, MIDNIGHT_MS + 3 * HOUR_MS);
    double fifteen = sim_outside_C(&params, MIDNIGHT_MS + 15 * HOUR_MS);
    CHECK(fabs(fifteen - three - 2 * params.outside_swing_K) < 1e-9);
    CHECK(sim_skin_C(&params, MIDNIGHT_MS + 12 * HOUR_MS) >
          sim_outside_C(&params, MIDNIGHT_MS + 12 * HOUR_MS) + 2);
    /* 23.3260 hPa at 20 C by the Magnus form of WMO, then the gas law. */
    CHECK(fabs(sim_saturation_kg_m3(20) - 2332.60 / (461.5 * 293.15)) < 1e-7);
}

static void bad_parameters_are_named(void)
{
    static const struct {
        const char *name;
        size_t offset;
        double value;
        const char *want;
    } rows[] = {
#define ROW(field, value, want) {#field, offsetof(struct sim_params, field), value, want}
        ROW(volume_m3, 0, "volume_m3"),
        ROW(air_kJ_K, 1, "air_kJ_K is too small"),
        ROW(coil_kJ_K, 0.2, "coil_kJ_K is too small"),
        ROW(outside_C, NAN, "outside_C"),
        ROW(product_tau_h, 0, "product_tau_h"),
        ROW(product_kg, -1, "product_kg"),
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sim_params params = preset("room");
        struct err_text why = {0};
        memcpy((char *)&params + rows[i].offset, &rows[i].value, sizeof(double));
        CHECK_ROW(rows[i].name, sim_check(&params, &why) == ERR_INVALID);
        CHECK_ROW(rows[i].name, strstr(why.text, rows[i].want) != NULL);
    }
    struct sim_params params = preset("van");
    params.stops[1].door_min = params.stops[1].stand_min + 1;
    CHECK(sim_check(&params, NULL) == ERR_INVALID);
    params = preset("room");
    add_fault(&params, SIM_DOOR_OPEN, -1, 0);
    CHECK(sim_check(&params, NULL) == ERR_INVALID);
    CHECK(sim_preset(&params, "shed", NULL) == ERR_NOT_FOUND);
}

static void fault_names_round_trip(void)
{
    for (int kind = SIM_COMPRESSOR_DEAD; kind <= SIM_MAINS_LOST; kind++) {
        enum sim_fault_kind parsed = SIM_COMPRESSOR_DEAD;
        CHECK(sim_fault_parse(&parsed, sim_fault_name((enum sim_fault_kind)kind)));
        CHECK((int)parsed == kind);
    }
    enum sim_fault_kind kind;
    CHECK(!sim_fault_parse(&kind, "gremlins"));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"a day of the room stays in its band", a_day_stays_in_band},
        {"a van keeps its produce cold", a_van_keeps_its_produce_cold},
        {"a dead compressor warms exponentially", a_dead_compressor_warms_exponentially},
        {"a weak compressor loses the set point", a_weak_compressor_loses_the_set_point},
        {"a defrost rises and recovers", a_defrost_rises_and_recovers},
        {"an open door spikes air, not produce", an_open_door_spikes_air_not_produce},
        {"the product lags the air", product_lags_the_air},
        {"heat is neither made nor lost", heat_is_neither_made_nor_lost},
        {"loads mix by mass", loads_mix_by_mass},
        {"mains lost stops everything", mains_lost_stops_everything},
        {"faults repeat", faults_repeat},
        {"the same seed gives the same series", same_seed_same_series},
        {"a long pause costs two days only", a_long_pause_costs_two_days_only},
        {"a van goes round", a_van_goes_round},
        {"weather follows the day", weather_follows_the_day},
        {"bad parameters are named", bad_parameters_are_named},
        {"names of faults round-trip", fault_names_round_trip},
        CU_TEST_INFO_NULL,
    };
    return check_run("sim", tests);
}
