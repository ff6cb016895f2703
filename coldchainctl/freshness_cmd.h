// SPDX-License-Identifier: Apache-2.0
/*
 * freshness_cmd - what the forms of `coldchainctl freshness` share.
 *
 * Every form returns a command_status. Results go to stdout, errors to stderr.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_FRESHNESS_CMD_H
#define COLDCHAIN_COLDCHAINCTL_FRESHNESS_CMD_H

#include <stdbool.h>

#include <jansson.h>

#include "coldchainctl/history.h"
#include "freshness/profile_set.h"

#define FRESHNESS_COMPARED_MAX 6

/* Texts are NULL and numbers NaN when not given. */
struct freshness_args {
    struct profile_set *set;
    const struct profile *profiles[FRESHNESS_COMPARED_MAX];
    size_t profile_count;
    bool wants_json;
    bool wants_markdown;
    bool is_air;
    const char *profile;
    const char *compare;
    const char *csv;
    const char *columns;
    const char *life;
    const char *plot;
    double constant;
    double humidity;
    double at;
    double tau;
    double pulp;
    double pulp_error;
    double hold_min;
    double every_h;
    double mkt_h;
};

/* freshness_show.c */
int freshness_profiles(const struct freshness_args *args);
int freshness_profile_show(struct freshness_args *args, const char *id);
int freshness_lint(struct freshness_args *args, char **files, int count);

/* freshness_life.c */
int freshness_constant(const struct freshness_args *args);
int freshness_history(const struct freshness_args *args);

/* freshness_accuracy.c */
int freshness_accuracy(const struct freshness_args *args);

/* The model's options out of the arguments; ERR_INVALID for a --life that is not D@T. */
MUST_CHECK enum err freshness_load_options(const struct freshness_args *args,
                                           struct load_options *options,
                                           struct err_text *why);

/* A built-in id, or a path (with a '/' or ending in .json), added to the set. */
MUST_CHECK enum err freshness_find(struct freshness_args *args, const char *name,
                                   const struct profile **profile, struct err_text *why);

/* null for NaN and infinity. */
json_t *freshness_number(double value);
json_t *freshness_span(const struct life_span *span);
/* Prints and takes the value. */
void freshness_print_json(json_t *value);

/* "12.3", "-" for unknown, "none" for infinity. */
const char *freshness_text(char text[32], double value, int decimals);
/* "10.2 to 14.0", "up to 14.0" when the low end is unknown. */
const char *freshness_range(char text[80], double low, double high, int decimals);

#endif
