// SPDX-License-Identifier: Apache-2.0
/*
 * config - the collector's settings: process settings, and the seed of places and rules
 * (config_seed.h).
 *
 * Read once at start. The seed becomes a CONFIG record of the journal when state.db is
 * empty; see docs/decisions/0007-commands-and-their-replay.md.
 */
#ifndef COLDCHAIN_COLLECTOR_CONFIG_H
#define COLDCHAIN_COLLECTOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/config.h"
#include "collector/config_channels.h"
#include "collector/config_escalation.h"
#include "collector/config_seed.h"

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
