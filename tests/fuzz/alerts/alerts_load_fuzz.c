// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a key, a NUL, and the bytes of its entity; several of them, each with its length
 * before it (16 bits, little endian). What was taken must be fit to live with, and must
 * be saved as something that can be loaded again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alerts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    (void)context;
    (void)kind;
    if (incident->revision == 0 && incident->id[0] == '\0')
        abort();
}

static const struct alert_sink sink = {.effect = on_effect};

static struct alerts *make(void)
{
    static const struct alert_rule rules[] = {
        {.id = "warm",
         .zone = "z",
         .quantity = "t",
         .kind = ALERT_ABOVE,
         .level_count = 2,
         .levels = {{.level = 8, .recovery_level = 7, .delay_ms = 60000},
                    {.severity = ALERT_CRITICAL, .level = 12, .recovery_level = 12}}},
        {.id = "sum",
         .zone = "z",
         .quantity = "t",
         .kind = ALERT_CUMULATIVE_ABOVE,
         .limit = 8,
         .window_ms = 3600000,
         .unless = 1u << ALERT_REASON_DOOR,
         .level_count = 1,
         .levels = {{.level = 1, .recovery_level = 1}}},
        {.id = "soon",
         .zone = "z",
         .quantity = "t",
         .kind = ALERT_PREDICTED,
         .limit = 12,
         .window_ms = 3600000,
         .level_count = 1,
         .levels = {{.level = 30, .recovery_level = 40}}},
        {.id = "step",
         .zone = "z",
         .quantity = "t",
         .kind = ALERT_STEP,
         .window_ms = 600000,
         .level_count = 1,
         .levels = {{.level = 3, .recovery_level = 3}}},
        {.id = "stuck",
         .zone = "z",
         .quantity = "t",
         .kind = ALERT_STUCK,
         .level_count = 1,
         .levels = {{.level = 1, .recovery_level = 1}}},
        {.id = "cold",
         .zone = "z",
         .quantity = "air_temperature",
         .kind = ALERT_COOLING_FAILED,
         .level_count = 1,
         .levels = {{.level = 1, .recovery_level = 1}}},
        {.id = "goods",
         .zone = "z",
         .quantity = "product_temperature",
         .kind = ALERT_ABOVE,
         .level_count = 1,
         .levels = {{.level = 8, .recovery_level = 8}}},
        {.id = "rare", .zone = "z", .kind = ALERT_SILENT},
        {.id = "quiet", .zone = "z", .kind = ALERT_SILENT, .silent_ms = 600000},
        {.id = "dead", .zone = "z", .kind = ALERT_SILENT_DEVICE, .silent_ms = 900000},
    };
    struct alerts *alerts = alerts_create();
    if (alerts_set_rules(alerts, rules, sizeof rules / sizeof rules[0], 0, NULL) !=
        ERR_OK)
        abort();
    return alerts;
}

static void live_on(struct alerts *alerts, const char *channel)
{
    static const double values[] = {9, 13, 5, 5};
    for (int i = 0; i < 4; i++) {
        const struct alert_reading reading = {.zone = "z",
                                              .device = "d",
                                              .channel = channel,
                                              .quantity = channel,
                                              .time_ms = i * 70000,
                                              .arrival_ms = i * 70000,
                                              .value = values[i]};
        alerts_reading(alerts, &reading, &sink);
        alerts_tick(alerts, i * 1000000, &sink);
    }
}

static void live(struct alerts *alerts)
{
    live_on(alerts, "t");
    live_on(alerts, "air_temperature");
    live_on(alerts, "door");
}

static void reload(void *context, const char *key, const void *data, size_t len)
{
    if (len > 0 && alerts_load(context, key, data, len) != ERR_OK)
        abort();
}

/* One entity, in memory of its own so that one byte read too far is seen. */
static void load_one(struct alerts *alerts, const uint8_t *data, size_t size)
{
    const uint8_t *nul = memchr(data, '\0', size);
    if (nul == NULL)
        return;
    size_t key_size = (size_t)(nul - data) + 1;
    char *key = malloc(key_size);
    void *bytes = malloc(size - key_size + 1);
    if (key != NULL && bytes != NULL) {
        memcpy(key, data, key_size);
        memcpy(bytes, data + key_size, size - key_size);
        enum err err = alerts_load(alerts, key, bytes, size - key_size);
        if (err != ERR_OK && err != ERR_CORRUPT)
            abort();
    }
    free(key);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alerts *alerts = make();
    while (size >= 2) {
        size_t len = (size_t)data[0] | (size_t)data[1] << 8;
        data += 2;
        size -= 2;
        if (len > size)
            len = size;
        load_one(alerts, data, len);
        data += len;
        size -= len;
    }
    live(alerts);
    struct alerts *again = make();
    alerts_save_changed(alerts, again, reload);
    live(again);
    alerts_destroy(again);
    alerts_destroy(alerts);
    return 0;
}
