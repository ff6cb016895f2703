// SPDX-License-Identifier: Apache-2.0
/*
 * settings - the agent's configuration: one key table, and what a table cannot check.
 *
 * Read once at start; everything in it lives until config_fini().
 */
#ifndef COLDCHAIN_EDGE_AGENT_SETTINGS_H
#define COLDCHAIN_EDGE_AGENT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "edge-agent/sensors/sensor.h"

/* What is in order for a channel, where the collector sends no rules (rules.h). */
struct settings_band {
    char *channel; /* a channel, or a quantity for all its channels */
    char *low;     /* numbers; NULL: none */
    char *high;
};

struct settings {
    char *org;
    char *device;
    struct {
        char *uri;
        char *client_id; /* NULL: ORG/DEVICE, as is the username */
        char *username;
        char *password;
        char *ca_file;
        char *cert_file;
        char *key_file;
        int64_t keepalive_ms;
        int64_t reconnect_min_ms;
        int64_t reconnect_max_ms;
    } mqtt;
    struct {
        char *dir;
        int64_t max_bytes;
    } journal;
    struct {
        int64_t readings;
        int64_t interval_ms;
    } pack;
    int64_t drain_timeout_ms;
    struct {
        char *file; /* NULL: none */
        int64_t interval_ms;
    } status;
    struct {
        char *socket; /* NULL: none */
    } tap;
    struct {
        int64_t no_ack_after_ms; /* 0: never */
        char **command;
        size_t command_count;
        int64_t timeout_ms;
        char **on_incident;
        size_t on_incident_count;
        int severity;      /* enum alert_severity */
        int64_t repeat_ms; /* 0: never */
        char *mute_file;   /* NULL: none */
    } alarm;
    struct sensor_settings *sensors;
    size_t sensor_count;
    struct settings_band *bands;
    size_t band_count;
};

extern const struct config_schema settings_schema;

/* The band of a channel; false when none is declared. Infinite where it is open. */
bool settings_band(const struct settings *settings, const char *channel, double *low,
                   double *high);

#endif
