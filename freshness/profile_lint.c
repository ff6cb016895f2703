// SPDX-License-Identifier: Apache-2.0
#include "freshness/profile_lint.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "freshness/kinetics.h"

/* Typed activation energies are rounded to 0.1. */
#define FIT_TOLERANCE 0.1

struct lint {
    const struct profile *profile;
    lint_sink *sink;
    void *context;
    size_t errors;
};

static void say(struct lint *lint, enum lint_severity severity, const char *key,
                const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void say(struct lint *lint, enum lint_severity severity, const char *key,
                const char *fmt, ...)
{
    char text[300];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    lint->errors += severity == LINT_ERROR;
    lint->sink(lint->context, severity, key, text);
}

static double value(const struct lint *lint, enum profile_key key)
{
    return profile_value(lint->profile, key);
}

static bool knows(const struct lint *lint, enum profile_key key)
{
    return profile_knows(lint->profile, key);
}

/* Low end, high end; `needs_both` when one without the other says nothing. */
static void check_pairs(struct lint *lint)
{
    static const struct {
        enum profile_key low;
        enum profile_key high;
        bool needs_both;
    } pairs[] = {
        {PROFILE_TEMPERATURE_MIN, PROFILE_TEMPERATURE_MAX, true},
        {PROFILE_ALARM_LOW, PROFILE_ALARM_HIGH, false},
        {PROFILE_HUMIDITY_MIN, PROFILE_HUMIDITY_MAX, true},
        {PROFILE_LIFE_MIN, PROFILE_LIFE_MAX, true},
        {PROFILE_CHILLING_THRESHOLD_MIN, PROFILE_CHILLING_THRESHOLD_MAX, true},
        {PROFILE_CHILLING_ZONE_MIN, PROFILE_CHILLING_ZONE_MAX, true},
        {PROFILE_INJURY_MIN, PROFILE_INJURY_MAX, false},
        {PROFILE_KINETICS_EA_MIN, PROFILE_KINETICS_EA, false},
        {PROFILE_KINETICS_EA, PROFILE_KINETICS_EA_MAX, false},
        {PROFILE_KINETICS_VALID_MIN, PROFILE_KINETICS_VALID_MAX, true},
        {PROFILE_THERMAL_TAU_MIN, PROFILE_THERMAL_TAU, false},
        {PROFILE_THERMAL_TAU, PROFILE_THERMAL_TAU_MAX, false},
        {PROFILE_PRECOOL_WITHIN, PROFILE_PRECOOL_LIMIT, false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        double low = value(lint, pairs[i].low), high = value(lint, pairs[i].high);
        if (low > high)
            say(lint, LINT_ERROR, profile_key_name(pairs[i].low), "%g is above %s, %g",
                low, profile_key_name(pairs[i].high), high);
        if (pairs[i].needs_both && isnan(low) != isnan(high))
            say(lint, LINT_ERROR,
                profile_key_name(isnan(low) ? pairs[i].low : pairs[i].high),
                "is unknown while its other end is known");
    }
}

/* True when the text names a source of the profile: "UCD-plum (at 2 C); cargo-plums". */
static bool names_source(const struct profile *profile, const char *text)
{
    for (size_t i = 0; text != NULL && i < profile->source_count; i++) {
        size_t len = strlen(profile->sources[i].key);
        const char *at = strstr(text, profile->sources[i].key);
        if (len > 0 && at != NULL && strchr(" ;,:().", at[len]) != NULL)
            return true;
    }
    return false;
}

static void check_source(struct lint *lint, const char *key, const char *source)
{
    if (source == NULL || source[0] == '\0')
        say(lint, LINT_ERROR, key, "has no source");
    else if (!names_source(lint->profile, source))
        say(lint, LINT_ERROR, key, "'%.100s' is not among the sources of the file",
            source);
}

static void check_sources(struct lint *lint)
{
    const struct profile *profile = lint->profile;
    for (int i = 0; i < PROFILE_KEY_COUNT; i++)
        if (knows(lint, (enum profile_key)i))
            check_source(lint, profile_key_name((enum profile_key)i),
                         profile->numbers[i].source);
    for (size_t i = 0; i < profile->respiration_count; i++)
        check_source(lint, "respiration", profile->respiration[i].source);
    for (size_t i = 0; i < profile->phase_count; i++)
        check_source(lint, profile->phases[i].id, profile->phases[i].source);
    for (size_t i = 0; i < profile->observation_count; i++)
        check_source(lint, "observations", profile->observations[i].source);
    if (profile->ethylene_production != NULL || profile->ethylene_sensitivity != NULL)
        check_source(lint, "ethylene", profile->ethylene_source);
}

static void check_freezing(struct lint *lint)
{
    double freezing = value(lint, PROFILE_FREEZING_POINT);
    double low = value(lint, PROFILE_TEMPERATURE_MIN);
    double alarm = value(lint, PROFILE_ALARM_LOW);
    if (freezing >= low)
        say(lint, LINT_ERROR, "temperature.min",
            "%g is not above the freezing point, %g: the band would freeze the goods",
            low, freezing);
    if (freezing >= alarm)
        say(lint, LINT_ERROR, "alarm.low", "%g is not above the freezing point, %g",
            alarm, freezing);
    if (alarm > low)
        say(lint, LINT_ERROR, "alarm.low", "%g lies inside the band, which begins at %g",
            alarm, low);
    if (value(lint, PROFILE_ALARM_HIGH) < value(lint, PROFILE_TEMPERATURE_MAX))
        say(lint, LINT_ERROR, "alarm.high", "lies inside the band");
}

static void check_life(struct lint *lint)
{
    double at = value(lint, PROFILE_LIFE_AT);
    if (!knows(lint, PROFILE_LIFE_MIN))
        say(lint, LINT_WARNING, "life.min", "is unknown: no life can be stated");
    else if (isnan(at))
        say(lint, LINT_ERROR, "life.at", "is unknown: a life holds at some temperature");
    if (!knows(lint, PROFILE_TEMPERATURE_MIN))
        say(lint, LINT_WARNING, "temperature.min",
            "is unknown: nothing is in or out of band");
    if (at < value(lint, PROFILE_TEMPERATURE_MIN) ||
        at > value(lint, PROFILE_TEMPERATURE_MAX))
        say(lint, LINT_WARNING, "life.at", "%g is outside the band", at);
}

static void check_fit(struct lint *lint)
{
    const struct profile *profile = lint->profile;
    double ea = value(lint, PROFILE_KINETICS_EA), fitted, error;
    if (profile->numbers[PROFILE_KINETICS_EA].mark != PROFILE_DERIVED)
        return;
    if (profile->respiration_count == 0 ||
        !kinetics_fit(&profile->respiration[0], &fitted, &error)) {
        say(lint, LINT_ERROR, "kinetics.ea",
            "is derived, but there is no respiration to fit");
        return;
    }
    if (fabs(fitted - ea) > FIT_TOLERANCE)
        say(lint, LINT_ERROR, "kinetics.ea", "is %g, but the respiration gives %.1f", ea,
            fitted);
    if (fabs(fitted + error - value(lint, PROFILE_KINETICS_EA_MAX)) > FIT_TOLERANCE ||
        fabs(fitted - error - value(lint, PROFILE_KINETICS_EA_MIN)) > FIT_TOLERANCE)
        say(lint, LINT_ERROR, "kinetics.ea.min",
            "with kinetics.ea.max is not one standard error, %.1f, from %.1f", error,
            fitted);
}

static void check_kinetics(struct lint *lint)
{
    static const struct {
        enum profile_kinetics model;
        enum profile_key needs;
    } needs[] = {
        {PROFILE_KINETICS_ARRHENIUS, PROFILE_KINETICS_EA},
        {PROFILE_KINETICS_SQRT, PROFILE_KINETICS_TMIN},
        {PROFILE_KINETICS_EXPONENTIAL, PROFILE_KINETICS_SLOPE},
    };
    const struct profile *profile = lint->profile;
    if (!profile->has_kinetics)
        say(lint, LINT_ERROR, "kinetics",
            "is missing; state q10 or none rather than leave it open");
    if (profile->has_kinetics && profile->kinetics == PROFILE_KINETICS_NONE)
        say(lint, LINT_WARNING, "kinetics",
            "is none: a life can be stated inside the band only");
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if (profile->kinetics == needs[i].model && !knows(lint, needs[i].needs))
            say(lint, LINT_ERROR, profile_key_name(needs[i].needs),
                "is unknown, but kinetics is %s",
                profile_kinetics_name(profile->kinetics));
    check_fit(lint);
    bool is_produce = profile->kinetics == PROFILE_KINETICS_Q10 ||
                      profile->kinetics == PROFILE_KINETICS_ARRHENIUS;
    if (is_produce && profile->uses_mkt)
        say(lint, LINT_ERROR, "mean_kinetic_temperature",
            "is on, but it says nothing about living produce");
}

static void check_threshold(struct lint *lint)
{
    double low = value(lint, PROFILE_TEMPERATURE_MIN);
    double safe = value(lint, PROFILE_CHILLING_THRESHOLD_MAX);
    if (isnan(safe))
        say(lint, LINT_ERROR, "chilling.threshold.max",
            "is unknown, but chilling is threshold");
    if (safe > low)
        say(lint, LINT_WARNING, "temperature.min",
            "%g is below the lowest safe temperature, %g: storage in the band counts as dose",
            low, safe);
    if (value(lint, PROFILE_INJURY_AT) >= safe)
        say(lint, LINT_ERROR, "chilling.injury.at", "is not below the threshold, %g",
            safe);
}

static void check_band(struct lint *lint)
{
    double at = value(lint, PROFILE_INJURY_AT);
    double low = value(lint, PROFILE_CHILLING_ZONE_MIN);
    double high = value(lint, PROFILE_CHILLING_ZONE_MAX);
    if (isnan(low) || isnan(high))
        say(lint, LINT_ERROR, "chilling.zone.min", "is unknown, but chilling is band");
    if (at < low || at > high)
        say(lint, LINT_ERROR, "chilling.injury.at", "is outside the danger band");
    if (value(lint, PROFILE_TEMPERATURE_MAX) >= low &&
        value(lint, PROFILE_TEMPERATURE_MIN) <= high)
        say(lint, LINT_ERROR, "temperature.max", "reaches into the danger band");
}

static void check_chilling(struct lint *lint)
{
    switch (lint->profile->chilling) {
    case PROFILE_CHILLING_UNKNOWN:
        if (!lint->profile->has_chilling)
            say(lint, LINT_ERROR, "chilling", "is missing; say unknown where it is");
        return;
    case PROFILE_CHILLING_NONE:
        return;
    case PROFILE_CHILLING_THRESHOLD:
        check_threshold(lint);
        break;
    case PROFILE_CHILLING_BAND:
        check_band(lint);
        break;
    }
    if (!knows(lint, PROFILE_INJURY_MAX))
        say(lint, LINT_WARNING, "chilling.injury.max",
            "is unknown: dose is counted, but no time to injury can be stated");
}

static void check_phases(struct lint *lint)
{
    for (size_t i = 0; i < lint->profile->phase_count; i++) {
        const struct profile_phase *phase = &lint->profile->phases[i];
        if (phase->temperature[0] > phase->temperature[1])
            say(lint, LINT_ERROR, phase->id,
                "temperature: the low end is above the high end");
        if (phase->days[0] > phase->days[1] || phase->days[0] < 0)
            say(lint, LINT_ERROR, phase->id,
                "days: the low end is above the high end, or "
                "negative");
        if (isnan(phase->days[1]))
            say(lint, LINT_ERROR, phase->id, "days: a planned phase must end some time");
        if (phase->mark == PROFILE_UNKNOWN)
            say(lint, LINT_ERROR, phase->id, "a phase cannot be of unknown origin");
    }
}

size_t profile_lint(const struct profile *profile, lint_sink *sink, void *context)
{
    assert(profile->id[0] != '\0');
    struct lint lint = {.profile = profile, .sink = sink, .context = context};
    check_sources(&lint);
    check_pairs(&lint);
    check_freezing(&lint);
    check_life(&lint);
    check_kinetics(&lint);
    check_chilling(&lint);
    check_phases(&lint);
    return lint.errors;
}
