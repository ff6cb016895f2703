// SPDX-License-Identifier: Apache-2.0
/*
 * alerts_world - years of cold rooms, freezers and vans whose failures are known.
 *
 * What rules are measured against (docs/alert-quality.md): the air around goods, the
 * goods themselves, and everything that happens to them, with the truth beside it: when
 * it began, when the air left what the thermostat keeps, when goods left their band, and
 * whether a person should have been told.
 *
 *   outside --walls, door-- air --coil--> out      goods follow the air by a first-order
 * lag
 *                            |
 *                    stock, goods just brought in, heater (defrost)
 *
 * Simpler on purpose than edge-agent/sensors/sim.h, which has coil, frost and humidity:
 * here every event is planned ahead, so that it can be labelled, and a year takes a
 * second.
 *
 * Pure: a world is a function of kind, options and seed. Physics run in steps of
 * WORLD_STEP_MS whatever the cadence, so truth does not depend on it. Temperatures in C,
 * times in ms from the world's origin, a 1st of January at 00:00 local time. Not shared
 * by threads.
 */
#ifndef COLDCHAIN_BENCH_ALERTS_WORLD_H
#define COLDCHAIN_BENCH_ALERTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define WORLD_STEP_MS   10000
#define WORLD_MINUTE_MS ((int64_t)60000)
#define WORLD_HOUR_MS   ((int64_t)3600000)
#define WORLD_DAY_MS    ((int64_t)86400000)
/* Rules may be tuned on seeds below; figures are reported from here on. */
#define WORLD_REPORT_SEED 10000
/* No failure before: a time in which rules may learn. */
#define WORLD_QUIET_DAYS 30

#define WORLD_KIND_LIST(X) \
    X(ROOM, "room") \
    X(FREEZER, "freezer") \
    X(VAN, "van")

enum world_kind {
#define X(name, text) WORLD_##name,
    WORLD_KIND_LIST(X)
#undef X
};
#define WORLD_KINDS 3

/* Name, text, whether it is a failure that a person should be told of. */
#define WORLD_EVENT_LIST(X) \
    X(DEFROST, "defrost", false) \
    X(DOOR_SHORT, "door_short", false) \
    X(DOOR_LONG, "door_long", false) \
    X(LOADING, "loading_warm", false) \
    X(POWER_DIP, "power_dip", false) \
    X(LATE_DATA, "late_data", false) \
    X(OFF_DUTY, "off_duty", false) \
    X(DEFROST_ENDLESS, "defrost_endless", true) \
    X(DOOR_LEFT_OPEN, "door_left_open", true) \
    X(COMPRESSOR_DEAD, "compressor_dead", true) \
    X(COMPRESSOR_SLOW, "compressor_slow", true) \
    X(POWER_CUT, "power_cut", true) \
    X(PROBE_FALLEN, "probe_fallen", true) \
    X(PROBE_STUCK, "probe_stuck", true)

enum world_event {
#define X(name, text, failure) WORLD_##name,
    WORLD_EVENT_LIST(X)
#undef X
};
#define WORLD_EVENTS 14

const char *world_kind_name(enum world_kind kind);
bool world_kind_parse(enum world_kind *kind, const char *name);
const char *world_event_name(enum world_event event);
bool world_is_failure(enum world_event event);

/* What is known about a kind of place; sources stand beside the numbers, in the plan. */
struct world_params {
    double air_kJ_K; /* air and what follows it at once */
    double wall_W_K;
    double door_W_K;     /* while the door stands open */
    double heat_W;       /* fans, lamps, breathing goods */
    double goods_kJ_K;   /* of a full store */
    double goods_tau_h;  /* first-order lag of goods behind the air */
    double cooling_W;    /* at the set point; more when the air is warmer */
    double coil_K;       /* the coil below the set point */
    double cooling_most; /* times cooling_W */
    double set_C;
    double differential_K;
    double defrost_every_h;
    double defrost_min;   /* the longest; the shortest takes 0.6 of it */
    double defrost_W;     /* of the heater, into the air */
    double low_C, high_C; /* the band of the goods */
    double doors_per_h;   /* of a room, in working hours */
    double outside_C, outside_year_K, outside_day_K, outside_noise_K;
    double noise_K, resolution_K;
    double probe_tau_s;
};

const struct world_params *world_params_of(enum world_kind kind);

struct world_options {
    enum world_kind kind;
    uint64_t seed;
    int days;           /* 1 to 3,660 */
    int64_t cadence_ms; /* 10 s to 10 min, whole steps */
    bool without_failures;
};

struct world_sample {
    int64_t time_ms;
    int64_t arrival_ms; /* later than the time by what the way takes, or by hours */
    double reading_C;   /* what the probe says: noise, resolution, its own faults */
    /* signals that a place may or may not have */
    bool door_open;
    bool defrost_on;
    bool compressor_on;
    bool mains_on;
    bool on_duty; /* goods are inside, or it is being made ready for them */
    /* the truth */
    double air_C;
    double goods_C; /* NaN when empty */
    double outside_C;
};

struct world_label {
    uint32_t id; /* ascending by onset */
    enum world_event event;
    int64_t onset_ms;
    int64_t end_ms;     /* of the cause: door shut, compressor repaired */
    int64_t settled_ms; /* readings back within the envelope for ten minutes */
    /* The reading without noise left the envelope of earlier undisturbed hours; -1:
     * never.
     */
    int64_t envelope_ms;
    int64_t harm_ms;  /* goods left their band by this; -1: never */
    int64_t apart_ms; /* of a failure: for so long on end it was outside on its account */
    bool tell;        /* a failure, or goods were harmed */
};

struct world_sink {
    void *context;
    void (*on_sample)(void *context, const struct world_sample *sample); /* by time */
    void (*on_label)(void *context, const struct world_label *label);    /* by settling */
};

/* What adds up over a run, for tests and for shares. */
struct world_totals {
    uint64_t samples;
    uint64_t labels;
    int64_t ran_ms;
    int64_t door_ms;
    int64_t defrost_ms;
    int64_t on_duty_ms;
    int64_t calm_ms; /* no label open */
    uint32_t harms;
    uint32_t unexplained_harms; /* goods left their band and no label was open: a bug */
};

/* INVALID for options that mean nothing. */
MUST_CHECK enum err world_check(const struct world_options *options,
                                struct err_text *why);
/* Runs a world that world_check() passed. */
void world_run(const struct world_options *options, const struct world_sink *sink,
               struct world_totals *totals);

/* One line each, with its newline; `buf` grows. */
void world_csv_header(struct buf *buf);
void world_csv(struct buf *buf, const struct world_sample *sample);
void world_label_json(struct buf *buf, const struct world_options *options,
                      const struct world_label *label);

#endif
