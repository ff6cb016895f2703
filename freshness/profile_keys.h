// SPDX-License-Identifier: Apache-2.0
/*
 * profile_keys - every number a profile may state: its name in the file, unit and range.
 *
 * Parser, linter, `profile show` and the document all go by this one table. Constant.
 */
#ifndef COLDCHAIN_FRESHNESS_PROFILE_KEYS_H
#define COLDCHAIN_FRESHNESS_PROFILE_KEYS_H

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

/* "temperature.min", "Cel", what it is. */
const char *profile_key_name(enum profile_key key);
const char *profile_key_unit(enum profile_key key);
const char *profile_key_help(enum profile_key key);
double profile_key_least(enum profile_key key);
double profile_key_most(enum profile_key key);

#endif
