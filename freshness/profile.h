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
#include "freshness/profile_keys.h"

#define PROFILE_TEXT_MAX         65536 /* bytes of one file */
#define PROFILE_NAME_MAX         64
#define PROFILE_SOURCES_MAX      64
#define PROFILE_PHASES_MAX       8
#define PROFILE_RESPIRATION_MAX  2
#define PROFILE_RATES_MAX        16
#define PROFILE_OBSERVATIONS_MAX 8
#define PROFILE_STAYS_MAX        4

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

const char *profile_mark_name(enum profile_mark mark);
const char *profile_kinetics_name(enum profile_kinetics kinetics);
const char *profile_chilling_name(enum profile_chilling chilling);

#endif
