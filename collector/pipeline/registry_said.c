// SPDX-License-Identifier: Apache-2.0
/*
 * registry_said - what zones of a seed say besides their names and bands.
 */
#include <string.h>

#include "collector/pipeline/body.h"
#include "collector/pipeline/registry_plans.h"

static bool is_usual(const char *key)
{
    static const char *const usual[] = {"id",      "org",  "site",     "site_name",
                                        "site_tz", "name", "band_low", "band_high"};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (strcmp(usual[i], key) == 0)
            return true;
    return false;
}

void registry_say(struct registry *registry, const char *zone, json_t *said)
{
    if (registry->said == NULL)
        registry->said = json_object();
    json_object_set_new(registry->said, zone, said);
}

const json_t *registry_said(const struct registry *registry, const char *zone)
{
    return json_object_get(registry->said, zone);
}

void registry_take_said(struct registry *registry, struct registry_zone *zone,
                        const json_t *row)
{
    const struct band declared = {zone->band_low, zone->band_high};
    const char *key;
    json_t *value;
    json_t *said = json_object();
    size_t besides = 0;
    json_object_foreach((json_t *)(uintptr_t)row, key, value)
    {
        besides += !is_usual(key);
        bool is_band = strncmp(key, "band_", 5) == 0 && !json_is_null(value);
        if (is_band || !is_usual(key))
            json_object_set(said, key, value);
    }
    if (besides == 0) {
        json_decref(said);
        return;
    }
    registry_say(registry, zone->id, said);
    struct band band =
        registry_goods_band(&registry->profiles, declared, json_object_get(row, "goods"));
    zone->band_low = band.low;
    zone->band_high = band.high;
    zone->is_off_duty = json_is_string(json_object_get(row, "off_duty"));
    registry_put_plans(registry, zone->id, row);
}

void registry_begin_duty(struct registry *registry, int64_t now_ms)
{
    for (size_t i = 0; i < registry->zone_count; i++) {
        struct registry_zone *zone = &registry->zones[i];
        json_t *said = json_object_get(registry->said, zone->id);
        if (!zone->is_off_duty || said == NULL)
            continue;
        zone->off_since_ms = now_ms;
        json_object_set_new(said, "off_duty_since", json_integer(now_ms));
    }
}
