// SPDX-License-Identifier: Apache-2.0
/*
 * profile - what one kind of produce needs, and how it ages: numbers with their sources.
 *
 * A profile is a JSON file (docs/freshness.md shows how to add one). Every number carries
 * a unit, a mark and the source it was read in; what is not published is unknown (NaN)
 * and stays so. Pure: text in, struct out. A parsed profile is constant; any thread.
 */
#ifndef COLDCHAIN_FRESHNESS_PROFILE_H
#define COLDCHAIN_FRESHNESS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define PROFILE_TEXT_MAX         65536 /* bytes of one file */
#define PROFILE_NAME_MAX         64
#define PROFILE_SOURCES_MAX      64
#define PROFILE_PHASES_MAX       8
#define PROFILE_RESPIRATION_MAX  2
#define PROFILE_RATES_MAX        16
#define PROFILE_OBSERVATIONS_MAX 8
#define PROFILE_STAYS_MAX        4

/* key, name in the file, unit, least, most, what it is */
#define PROFILE_KEYS(X) \
    X(TEMPERATURE_MIN, "temperature.min", "Cel", -40, 40, "storage band, low end") \
    X(TEMPERATURE_MAX, "temperature.max", "Cel", -40, 40, "storage band, high end") \
    X(ALARM_LOW, "alarm.low", "Cel", -40, 40, "an alarm below this, when not the band") \
    X(ALARM_HIGH, "alarm.high", "Cel", -40, 40, \
      "an alarm above this, when not the band") \
    X(HUMIDITY_MIN, "humidity.min", "%RH", 0, 100, "humidity band, low end") \
    X(HUMIDITY_MAX, "humidity.max", "%RH", 0, 100, "humidity band, high end") \
    X(LIFE_MIN, "life.min", "d", 0.1, 1000, "published life, short end") \
    X(LIFE_MAX, "life.max", "d", 0.1, 1000, "published life, long end") \
    X(LIFE_AT, "life.at", "Cel", -40, 40, "temperature of the published life") \
    X(FREEZING_POINT, "freezing_point", "Cel", -10, 0, "highest freezing point") \
    X(CHILLING_THRESHOLD_MIN, "chilling.threshold.min", "Cel", -2, 20, \
      "lowest safe, low end") \
    X(CHILLING_THRESHOLD_MAX, "chilling.threshold.max", "Cel", -2, 20, \
      "lowest safe, high end") \
    X(CHILLING_ZONE_MIN, "chilling.zone.min", "Cel", -2, 20, "danger band, low end") \
    X(CHILLING_ZONE_MAX, "chilling.zone.max", "Cel", -2, 20, "danger band, high end") \
    X(INJURY_AT, "chilling.injury.at", "Cel", -2, 20, \
      "temperature of the time to injury") \
    X(INJURY_MIN, "chilling.injury.min", "d", 0.01, 1000, "time to injury, short end") \
    X(INJURY_MAX, "chilling.injury.max", "d", 0.01, 1000, "time to injury, long end") \
    X(KINETICS_EA, "kinetics.ea", "kJ/mol", 5, 300, "activation energy") \
    X(KINETICS_EA_MIN, "kinetics.ea.min", "kJ/mol", 5, 300, "less one standard error") \
    X(KINETICS_EA_MAX, "kinetics.ea.max", "kJ/mol", 5, 300, "plus one standard error") \
    X(KINETICS_TMIN, "kinetics.tmin", "Cel", -40, 10, \
      "growth stops (square root model)") \
    X(KINETICS_SLOPE, "kinetics.slope", "1/K", 0.001, 1, \
      "slope of ln rate (exponential)") \
    X(KINETICS_ACCURACY, "kinetics.accuracy", "1", 1, 10, "published accuracy factor") \
    X(KINETICS_VALID_MIN, "kinetics.valid.min", "Cel", -40, 60, \
      "coldest datum of the fit") \
    X(KINETICS_VALID_MAX, "kinetics.valid.max", "Cel", -40, 60, \
      "warmest datum of the fit") \
    X(THERMAL_TAU, "thermal.tau", "h", 0.01, 1000, "time constant behind the air") \
    X(THERMAL_TAU_MIN, "thermal.tau.min", "h", 0.01, 1000, "the same, fastest packing") \
    X(THERMAL_TAU_MAX, "thermal.tau.max", "h", 0.01, 1000, "the same, slowest packing") \
    X(WATER_COEFFICIENT, "water.coefficient", "%/(kPa.d)", 0, 100, \
      "loss per vapour deficit") \
    X(WATER_OFFSET, "water.offset", "kPa", 0, 5, "loss at no deficit, as a deficit") \
    X(WATER_LIMIT, "water.limit", "%", 0.1, 50, "loss that ends the life") \
    X(PRECOOL_TARGET, "precool.target", "Cel", -2, 30, "pre-cool to this after harvest") \
    X(PRECOOL_WITHIN, "precool.within", "h", 0.1, 100, "recommended time for it") \
    X(PRECOOL_LIMIT, "precool.limit", "h", 0.1, 100, "longest time for it")

enum profile_key {
#define X(key, name, unit, least, most, help) PROFILE_##key,
    PROFILE_KEYS(X)
#undef X
        PROFILE_KEY_COUNT
};

enum profile_mark {
    PROFILE_UNKNOWN,   /* not found in any source; the value is NaN */
    PROFILE_SPECIFIC,  /* published for this commodity */
    PROFILE_INHERITED, /* published for a relative, or for produce in general */
    PROFILE_DERIVED,   /* computed from numbers that are published */
};

enum profile_kinetics {
    PROFILE_KINETICS_NONE,      /* nothing published: life at its own temperature only */
    PROFILE_KINETICS_Q10,       /* steps of USDA Handbook 66 */
    PROFILE_KINETICS_ARRHENIUS, /* kinetics.ea */
    PROFILE_KINETICS_SQRT,      /* kinetics.tmin */
    PROFILE_KINETICS_EXPONENTIAL, /* kinetics.slope */
};

enum profile_chilling {
    PROFILE_CHILLING_UNKNOWN,
    PROFILE_CHILLING_NONE,
    PROFILE_CHILLING_THRESHOLD, /* dose below the lowest safe temperature */
    PROFILE_CHILLING_BAND,      /* time inside the danger band */
};

/* Texts are owned by the profile; source and note may be NULL. */
struct profile_number {
    double value;
    enum profile_mark mark;
    bool is_stated; /* in this file, were it as unknown; else from the parent or absent */
    char *source;
    char *note;
};

struct profile_source {
    char key[PROFILE_NAME_MAX];
    char *text;
};

/* A planned stage. Its time counts as dose; it does not alarm. NaN: not published. */
struct profile_phase {
    char id[PROFILE_NAME_MAX];
    char name_en[PROFILE_NAME_MAX];
    char name_zh[PROFILE_NAME_MAX];
    double temperature[2];
    double days[2];
    enum profile_mark mark;
    char *source;
    char *note;
};

struct profile_rate {
    double at_c;
    double low;
    double high;
};

/* Carbon dioxide given off, by temperature; the first one is what kinetics.ea is from. */
struct profile_respiration {
    char unit[16];
    enum profile_mark mark;
    char *source;
    size_t count;
    struct profile_rate rates[PROFILE_RATES_MAX];
};

enum profile_observed {
    PROFILE_OBSERVED_LIFE,     /* days left at at_c, after the stays */
    PROFILE_OBSERVED_CHILLING, /* days to injury at at_c */
    PROFILE_OBSERVED_RATE,     /* rate at at_c over the rate at base_c */
};

/* What somebody saw, kept to test the model with; the model never uses it. */
struct profile_observation {
    enum profile_observed kind;
    double at_c;
    double days[2];  /* NaN: open */
    double set_at_c; /* the life the model is set by, when not the profile's own; NaN */
    double set_days;
    double ratio;
    double base_c;
    size_t stay_count;
    struct {
        double at_c;
        double days;
    } stays[PROFILE_STAYS_MAX];
    char *source;
    char *note;
};

struct profile {
    char id[PROFILE_NAME_MAX];
    char inherits[PROFILE_NAME_MAX]; /* "" for none */
    char name_en[PROFILE_NAME_MAX];
    char name_zh[PROFILE_NAME_MAX];
    char category[PROFILE_NAME_MAX];
    char *notes;
    char *ethylene_production;
    char *ethylene_sensitivity;
    char *ethylene_source;
    bool has_kinetics; /* stated in this file or inherited */
    enum profile_kinetics kinetics;
    bool has_chilling;
    enum profile_chilling chilling;
    bool has_mkt;
    bool uses_mkt; /* mean kinetic temperature says something about it */
    struct profile_number numbers[PROFILE_KEY_COUNT];
    size_t source_count;
    struct profile_source sources[PROFILE_SOURCES_MAX];
    size_t respiration_count;
    struct profile_respiration respiration[PROFILE_RESPIRATION_MAX];
    size_t phase_count;
    struct profile_phase phases[PROFILE_PHASES_MAX];
    size_t observation_count;
    struct profile_observation observations[PROFILE_OBSERVATIONS_MAX];
};

/*
 * Fills the profile from the text of one file. ERR_INVALID names the key that is wrong
 * and what it should be; the profile is then empty. profile_fini() in either case.
 */
MUST_CHECK enum err profile_parse(struct profile *profile, const char *text, size_t len,
                                  struct err_text *why);

void profile_fini(struct profile *profile);

/* Fills what the child does not state; its numbers are then marked inherited. */
void profile_inherit(struct profile *child, const struct profile *parent);

/* NaN when unknown. */
double profile_value(const struct profile *profile, enum profile_key key);
bool profile_knows(const struct profile *profile, enum profile_key key);

/* "temperature.min", "Cel", what it is. */
const char *profile_key_name(enum profile_key key);
const char *profile_key_unit(enum profile_key key);
const char *profile_key_help(enum profile_key key);
double profile_key_least(enum profile_key key);
double profile_key_most(enum profile_key key);

const char *profile_mark_name(enum profile_mark mark);
const char *profile_kinetics_name(enum profile_kinetics kinetics);
const char *profile_chilling_name(enum profile_chilling chilling);

#endif
