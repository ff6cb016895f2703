// SPDX-License-Identifier: Apache-2.0
/*
 * config_seed - the places, devices and rules that a configuration names, as the file has
 * them.
 *
 * What is only text here is checked and read by the functions below. Plain data, owned by
 * struct settings. Any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_CONFIG_SEED_H
#define COLDCHAIN_COLLECTOR_CONFIG_SEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "alerts/rule.h"
#include "base/config.h"
#include "freshness/band.h"

struct profile_set;

/* Of a planned step, of maintenance, or of a load, as the file has it. */
struct config_span {
    char *from; /* RFC 3339 */
    char *to;
    char *band_low; /* numbers; NULL: none */
    char *band_high;
    char **goods;
    size_t goods_count;
    char *entry_c;
    char *load_goods; /* of a load: one profile */
    char *why;
};

/* What zone.put takes, as the file has it; NULL: nothing is said. */
struct config_zone {
    char *id;
    char *name;
    char *band_low; /* numbers; NULL: none */
    char *band_high;
    char *off_duty;
    char **goods;
    size_t goods_count;
    char *tau;
    char *defrost_every;
    char *defrost_at;
    char *defrost_most;
    char *door_most;
    char *recovery_most;
    char *start_most;
    struct config_span *steps;
    size_t step_count;
    struct config_span *maintenance;
    size_t maintenance_count;
    struct config_span *loads;
    size_t load_count;
    struct config_pair *external_ids;
    size_t external_id_count;
};

struct config_site {
    char *id;
    char *name;
    char *time_zone; /* NULL: escalation.time_zone */
    struct config_zone *zones;
    size_t zone_count;
};

struct config_placement {
    char *channel;
    char *zone;
    char *from; /* RFC 3339, NULL: always */
    char *to;
};

struct config_device {
    char *id;
    char *zone; /* NULL: placements only */
    struct config_placement *placements;
    size_t placement_count;
};

struct config_level {
    enum alert_severity severity;
    char *level; /* a number, or an end of the zone's band: "band_high-0.5" */
    int64_t delay_ms;
    char *recovery; /* the same; NULL: the level itself */
    int64_t recovery_delay_ms;
};

struct config_rule {
    char *id;
    char *zone;
    char *quantity;
    int kind;    /* index into registry_rule_kinds */
    char *limit; /* as a level; NULL: none */
    int64_t window_ms;
    char **unless; /* of registry_rule_reasons */
    size_t unless_count;
    bool is_safety;
    struct config_level *levels;
    size_t level_count;
    int64_t silent_ms;
    enum alert_severity severity;
};

extern const struct config_schema config_rule_schema;
extern const struct config_schema config_zone_schema;

/* Adds what is wrong with it; `profiles` is made when it is first wanted. */
void config_zone_check(struct config *config, const struct config_zone *zone,
                       struct profile_set **profiles);
/*
 * What it says besides its name, as zone.put keeps it; NULL when that is a band at most.
 * The caller's to release.
 */
json_t *config_zone_said(const struct config_zone *zone);

/* What a rule of that kind watches when nothing is said; "" for what has none. */
const char *config_usual_quantity(enum alert_kind kind);
/*
 * The rule that it describes: alert_rule_check() says whether it is one. Reasons that are
 * none are passed over, config_rule_check() tells of them.
 */
void config_rule_take(struct alert_rule *rule, const struct config_rule *from);
/*
 * Adds what is wrong with it to the problems of the file. `zone` is what it watches;
 * NULL: there is none.
 */
void config_rule_check(struct config *config, const struct config_rule *from,
                       const struct config_zone *zone, struct profile_set **profiles);
/* As the declared band of the zone and its goods have it; open for NULL. */
struct band config_zone_band(const struct config_zone *zone,
                             struct profile_set **profiles);
/* The names of what stands there, a list; the caller's to release. */
json_t *config_zone_goods(const struct config_zone *zone);

#endif
