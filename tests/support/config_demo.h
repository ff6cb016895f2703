// SPDX-License-Identifier: Apache-2.0
/*
 * config_demo - settings of every type, for the tests and the fuzzer of base/config.
 */
#ifndef COLDCHAIN_TESTS_SUPPORT_CONFIG_DEMO_H
#define COLDCHAIN_TESTS_SUPPORT_CONFIG_DEMO_H

#include <stddef.h>
#include <string.h>

#include "base/config.h"

enum demo_mode {
    DEMO_LOW,
    DEMO_HIGH,
};

struct demo_sensor {
    char *id;
    double scale;
};

struct demo_zone {
    char *id;
    char *name;
    struct demo_sensor *sensors;
    size_t sensors_count;
};

struct demo {
    char *uri;
    char *user;
    char *password;
    bool wants_tls;
    int64_t port;
    double limit_C;
    int64_t spool_bytes;
    int64_t interval_ms;
    int64_t most_ms;
    enum demo_mode mode;
    char **tags;
    size_t tags_count;
    struct config_pair *headers;
    size_t headers_count;
    struct demo_zone *zones;
    size_t zones_count;
};

static const char *const demo_modes[] = {"low", "high", NULL};

static const struct config_key demo_sensor_keys[] = {
    {.name = "id",
     .type = CONFIG_STRING,
     .is_required = true,
     .offset = offsetof(struct demo_sensor, id),
     .help = "name of the sensor"},
    {.name = "scale",
     .type = CONFIG_DOUBLE,
     .offset = offsetof(struct demo_sensor, scale),
     .fallback = "1",
     .help = "factor of the raw value"},
    {0},
};

static const struct config_schema demo_sensor_schema = {
    .keys = demo_sensor_keys, .size = sizeof(struct demo_sensor)};

static const struct config_key demo_zone_keys[] = {
    {.name = "id",
     .type = CONFIG_STRING,
     .is_required = true,
     .offset = offsetof(struct demo_zone, id),
     .help = "id of the zone"},
    {.name = "name",
     .type = CONFIG_STRING,
     .offset = offsetof(struct demo_zone, name),
     .help = "what people call it"},
    {.name = "sensors",
     .type = CONFIG_RECORDS,
     .offset = offsetof(struct demo_zone, sensors),
     .count_offset = offsetof(struct demo_zone, sensors_count),
     .least = 0,
     .most = 3,
     .record = &demo_sensor_schema,
     .help = "what measures it"},
    {0},
};

static void demo_zone_check(struct config *config, const void *settings)
{
    const struct demo_zone *zone = settings;
    for (size_t i = 1; i < zone->sensors_count; i++)
        if (strcmp(zone->sensors[i].id, zone->sensors[i - 1].id) == 0)
            config_problem(config, &zone->sensors[i].id,
                           "sensor '%s' stands twice in zone '%s'; rename one",
                           zone->sensors[i].id, zone->id);
}

static const struct config_schema demo_zone_schema = {
    .keys = demo_zone_keys, .size = sizeof(struct demo_zone), .check = demo_zone_check};

static const struct config_key demo_keys[] = {
    {.name = "mqtt.uri",
     .type = CONFIG_STRING,
     .is_required = true,
     .offset = offsetof(struct demo, uri),
     .help = "address of the broker"},
    {.name = "mqtt.login.user",
     .type = CONFIG_STRING,
     .offset = offsetof(struct demo, user),
     .help = "name at the broker"},
    {.name = "mqtt.login.password",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct demo, password),
     .help = "password at the broker"},
    {.name = "mqtt.tls",
     .type = CONFIG_BOOL,
     .offset = offsetof(struct demo, wants_tls),
     .fallback = "no",
     .help = "encrypt"},
    {.name = "port",
     .type = CONFIG_INT,
     .offset = offsetof(struct demo, port),
     .fallback = "1883",
     .least = 1,
     .most = 65535,
     .help = "port to listen on"},
    {.name = "limit",
     .type = CONFIG_DOUBLE,
     .offset = offsetof(struct demo, limit_C),
     .fallback = "4.5",
     .least = -60,
     .most = 60,
     .help = "warmest air in degree Celsius"},
    {.name = "spool.max_bytes",
     .type = CONFIG_SIZE,
     .offset = offsetof(struct demo, spool_bytes),
     .fallback = "64M",
     .least = 1 << 20,
     .most = 1ll << 40,
     .help = "most that waits on disk"},
    {.name = "spool.interval",
     .type = CONFIG_DURATION,
     .offset = offsetof(struct demo, interval_ms),
     .fallback = "10s",
     .least = 1000,
     .most = 3600000,
     .help = "time between two packs"},
    {.name = "spool.most",
     .type = CONFIG_DURATION,
     .offset = offsetof(struct demo, most_ms),
     .help = "longest wait"},
    {.name = "mode",
     .type = CONFIG_ENUM,
     .offset = offsetof(struct demo, mode),
     .fallback = "high",
     .words = demo_modes,
     .help = "how much is logged"},
    {.name = "tags",
     .type = CONFIG_STRINGS,
     .offset = offsetof(struct demo, tags),
     .count_offset = offsetof(struct demo, tags_count),
     .help = "words for searching"},
    {.name = "headers",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct demo, headers),
     .count_offset = offsetof(struct demo, headers_count),
     .help = "headers of each request"},
    {.name = "zones",
     .type = CONFIG_RECORDS,
     .offset = offsetof(struct demo, zones),
     .count_offset = offsetof(struct demo, zones_count),
     .record = &demo_zone_schema,
     .help = "rooms and compartments"},
    {0},
};

static void demo_check(struct config *config, const void *settings)
{
    const struct demo *demo = settings;
    if (demo->most_ms != 0 && demo->most_ms < demo->interval_ms)
        config_problem(config, &demo->most_ms,
                       "'spool.most' is below 'spool.interval'; raise it");
}

static const struct config_schema demo_schema = {
    .keys = demo_keys, .size = sizeof(struct demo), .check = demo_check};

#endif
