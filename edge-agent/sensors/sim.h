// SPDX-License-Identifier: Apache-2.0
/*
 * sim - the physics of a cold room or a refrigerated van, for demonstrations and tests.
 *
 * Three lumped heat stores (evaporator coil, air with its fittings, product) and one
 * balance of water vapour, driven by a thermostat, a defrost clock, doors, weather and a
 * schedule of failures:
 *
 *   outside --walls, door-- air --fan-- coil --compressor--> out
 *                            |            \--heater (defrost)
 *                         product (respires)
 *
 * Pure and seeded: the state at a time is a function of parameters, seed and that time
 * only, whatever the steps in between were as long as they end on whole SIM_STEP_MS from
 * the origin; sensor noise is a hash of channel and time. Not shared by threads.
 *
 * Parameters carry their source in sim_presets.c; those without one say "assumed".
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_SIM_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "telemetry/reading.h"

#define SIM_STEP_MS    5000
#define SIM_FAULTS_MAX 16
#define SIM_LOADS_MAX  16
#define SIM_STOPS_MAX  12

#define SIM_FAULT_LIST(X) \
    X(COMPRESSOR_DEAD, "compressor_dead") \
    X(COMPRESSOR_WEAK, "compressor_weak") /* `factor` of its power is left */ \
    X(DOOR_OPEN, "door_open")             /* left open */ \
    X(PROBE_STUCK, "probe_stuck")         /* repeats its last value */ \
    X(PROBE_MISSING, "probe_missing")     /* reads as open circuit */ \
    X(MAINS_LOST, "mains_lost")

enum sim_fault_kind {
#define X(name, text) SIM_##name,
    SIM_FAULT_LIST(X)
#undef X
};

/* Times count from the origin of the simulation. */
struct sim_fault {
    enum sim_fault_kind kind;
    int64_t after_ms;
    int64_t for_ms;        /* 0: for ever */
    int64_t every_ms;      /* 0: once */
    double factor;         /* COMPRESSOR_WEAK: 0..1 */
    char channel[ID_SIZE]; /* PROBE_*: the channel concerned, "" for all */
};

/* Produce brought in (mass > 0) or taken out (mass < 0, temperature ignored). */
struct sim_load {
    int64_t after_ms;
    double mass_kg;
    double temperature_C;
};

/* A van drives to the next stop, stands there, opens its door, and goes on; in a ring. */
struct sim_stop {
    double latitude;
    double longitude;
    double drive_min; /* from the stop before */
    double stand_min;
    double door_min; /* of the standing time */
};

struct sim_params {
    uint64_t seed;
    int64_t origin_ms; /* wall time at which schedules begin */

    /* the enclosure */
    double volume_m3;
    double air_kJ_K;    /* air and what follows it at once: shelves, skins, boxes */
    double wall_W_K;    /* heat transmission of walls, roof and floor */
    double door_m3_s;   /* air exchanged while the door stands open */
    double doors_per_h; /* openings in working hours, when there are no stops */
    double door_min;    /* mean length of one */

    /* the produce */
    double product_kg;
    double product_C; /* at the origin */
    double product_kJ_kgK;
    double product_tau_h;        /* thermal time constant towards the air */
    double respiration_W_t;      /* heat per tonne at 5 C, Q10 = 3 */
    double transpiration_m3_s_t; /* vapour conductance of skin and packing per tonne */

    /* the refrigeration */
    double set_point_C;
    double differential_K; /* on at set point + half of it, off at - half */
    double cooling_W;      /* at a coil 7 K below the set point */
    double coil_W_K;       /* fan on */
    double coil_kJ_K;
    double fan_W;
    double defrost_every_h; /* 0: never */
    double defrost_min;     /* at most: ends early when the coil is warm */
    double defrost_W;

    /* outside */
    double outside_C;       /* mean of the day */
    double outside_swing_K; /* half of the daily range; highest at 15:00 local */
    double outside_noise_K; /* of the weather's own changes, over hours */
    double outside_dew_C;
    double sun_K; /* warming of the skin at noon */
    int32_t utc_offset_min;

    /* the sensors */
    double noise_K;
    double resolution_K;
    double noise_rh;
    double resolution_rh;

    struct sim_fault faults[SIM_FAULTS_MAX];
    size_t fault_count;
    struct sim_load loads[SIM_LOADS_MAX]; /* ascending in time */
    size_t load_count;
    struct sim_stop stops[SIM_STOPS_MAX]; /* none: a room */
    size_t stop_count;
};

/* "room" or "van"; NOT_FOUND lists them. */
MUST_CHECK enum err sim_preset(struct sim_params *params, const char *name,
                               struct err_text *why);
/* Sets a number of the above by its field's name; checks its range. */
MUST_CHECK enum err sim_set(struct sim_params *params, const char *name, const char *text,
                            struct err_text *why);
/* INVALID for parameters with which the step is unstable or which mean nothing. */
MUST_CHECK enum err sim_check(const struct sim_params *params, struct err_text *why);
bool sim_fault_parse(enum sim_fault_kind *kind, const char *name);
const char *sim_fault_name(enum sim_fault_kind kind);

struct sim_zone {
    struct sim_params params;
    int64_t time_ms;
    double air_C;
    double product_C;
    double product_kg;
    double coil_C;
    double vapour_kg_m3;
    double frost_kg;
    double battery_pct;
    int64_t compressor_since_ms; /* of its last change */
    bool compressor_on;
    bool defrost_on;
    bool door_open;
    bool mains_on;
    bool heater_on;
    size_t loads_done;
    double received_J; /* all heat that entered, less what left */
};

/* Copies the parameters, which sim_check() has passed; the state is that of the origin.
 */
void sim_init(struct sim_zone *zone, const struct sim_params *params);
/*
 * Runs the zone to `now_ms`. Time never goes back; a zone more than two days behind (its
 * program was off) starts its states afresh two days before now.
 */
void sim_step(struct sim_zone *zone, int64_t now_ms);

double sim_humidity(const struct sim_zone *zone);
/* Heat in coil, air and product above 0 C: changes by what `received_J` counts. */
double sim_stored_J(const struct sim_zone *zone);

/* One sensor on a zone. */
struct sim_probe {
    char channel[ID_SIZE];
    int signal; /* of the table in sim_probe.c */
    uint64_t seed;
    double last; /* what a stuck probe repeats; NaN before the first */
};

/* By the channel's quantity ("air_temperature-2" is air); NOT_FOUND lists the known. */
MUST_CHECK enum err sim_probe_init(struct sim_probe *probe, const char *channel,
                                   uint64_t seed, struct err_text *why);
/* What the probe reads now; the value is NaN unless the quality is GOOD. */
enum quality sim_probe_read(struct sim_probe *probe, const struct sim_zone *zone,
                            double *value);

#endif
