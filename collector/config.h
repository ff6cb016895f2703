// SPDX-License-Identifier: Apache-2.0
/*
 * config - the collector's settings: process settings, and the seed of places and rules.
 *
 * Read once at start. The seed becomes a CONFIG record of the journal when state.db is
 * empty; see docs/decisions/0007-commands-and-their-replay.md.
 */
#ifndef COLDCHAIN_COLLECTOR_CONFIG_H
#define COLDCHAIN_COLLECTOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/rule.h"
#include "base/config.h"
#include "collector/config_channels.h"
#include "collector/config_escalation.h"
#include "collector/pipeline/registry.h"

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

struct settings {
    char *org;
    char *data_dir;
    struct {
        char *uri;
        char *client_id;
        char *username;
        char *password;
        char *ca_file;
        char *cert_file;
        char *key_file;
        int64_t keepalive_ms;
        int64_t session_expiry_ms;
    } mqtt;
    struct {
        int64_t segment_bytes;
        int64_t spare_segments;
        int64_t commit_interval_ms;
        int64_t commit_bytes;
        int64_t keep_ms;
        int64_t keep_bytes;
    } journal;
    struct {
        int64_t ack_interval_ms;
        int64_t credits;
        int64_t backlog_max;
    } delivery;
    struct {
        int64_t checkpoint_ms;
        int64_t silence_grace_ms;
    } pipeline;
    struct {
        int64_t keep_ms;
    } history;
    struct {
        char *url;   /* NULL: no InfluxDB */
        int version; /* index into influx_versions */
        char *database;
        char *org;
        char *bucket;
        char *username;
        char *password;
        char *token;
        char *ca_file;
        int64_t batch_lines;
        int64_t flush_ms;
    } influx;
    struct {
        char *listen;
        int64_t port;
        char *token_file;
        char *cert_file; /* NULL: no TLS */
        char *key_file;
        char **proxies;
        size_t proxy_count;
        int64_t streams;
    } api;
    struct {
        struct config_channel to; /* url NULL: no heartbeat */
        int64_t every_ms;
    } heartbeat;
    struct config_channel *webhooks;
    size_t webhook_count;
    struct config_channel *channels;
    size_t channel_count;
    struct config_escalation escalation;
    struct config_site *sites;
    size_t site_count;
    struct config_device *devices;
    size_t device_count;
    struct config_rule *rules;
    size_t rule_count;
};

extern const struct config_schema settings_schema;
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

/* The seed as the JSON of a CONFIG record. */
void settings_seed(const struct settings *settings, struct buf *json);

/* People read it, and policies tell nothing over it, for no contact's address names it.
 */
bool config_is_unheard(const struct settings *settings,
                       const struct config_channel *channel);
/* What to say of such a one; its name stands in for %s. */
#define CONFIG_UNHEARD \
    "no contact has an address on channel '%s': policies tell nothing over it; it gets " \
    "what no policy is for, and what would reach nobody else"

#endif
