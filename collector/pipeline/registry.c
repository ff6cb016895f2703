// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/registry.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"

#define REGISTRY_ROWS_MAX 2000000

static bool take_text(const json_t *object, const char *key, char *to, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        text = "";
    return (size_t)snprintf(to, size, "%s", text) < size;
}

static double take_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static int64_t take_ms(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool parse_zone(struct registry_zone *zone, const json_t *from)
{
    zone->band_low = take_number(from, "band_low");
    zone->band_high = take_number(from, "band_high");
    return take_text(from, "id", zone->id, sizeof zone->id) && id_is_valid(zone->id) &&
           take_text(from, "org", zone->org, sizeof zone->org) &&
           take_text(from, "site", zone->site, sizeof zone->site) &&
           take_text(from, "site_name", zone->site_name, sizeof zone->site_name) &&
           take_text(from, "name", zone->name, sizeof zone->name);
}

static bool parse_device(struct registry_device *device, const json_t *from)
{
    return take_text(from, "org", device->org, sizeof device->org) &&
           id_is_valid(device->org) &&
           take_text(from, "id", device->id, sizeof device->id) &&
           id_is_valid(device->id);
}

static bool parse_placement(struct registry_placement *placement, const json_t *from)
{
    placement->from_ms = take_ms(from, "from");
    placement->to_ms = take_ms(from, "to");
    return take_text(from, "org", placement->org, sizeof placement->org) &&
           take_text(from, "device", placement->device, sizeof placement->device) &&
           take_text(from, "channel", placement->channel, sizeof placement->channel) &&
           take_text(from, "zone", placement->zone, sizeof placement->zone);
}

static bool parse_level(struct alert_level *level, const json_t *from)
{
    const char *severity = json_string_value(json_object_get(from, "severity"));
    level->level = take_number(from, "level");
    level->delay_ms = take_ms(from, "delay");
    level->recovery_level = take_number(from, "recovery_level");
    level->recovery_delay_ms = take_ms(from, "recovery_delay");
    return severity != NULL && alert_severity_parse(&level->severity, severity);
}

static bool parse_rule(struct alert_rule *rule, const json_t *from)
{
    const char *kind = json_string_value(json_object_get(from, "kind"));
    if (kind == NULL || !alert_kind_parse(&rule->kind, kind))
        return false;
    const json_t *levels = json_object_get(from, "levels");
    size_t count = json_array_size(levels);
    if (count > ALERT_LEVELS_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!parse_level(&rule->levels[i], json_array_get(levels, i)))
            return false;
    rule->level_count = count;
    rule->silent_ms = take_ms(from, "silent");
    const char *severity = json_string_value(json_object_get(from, "silent_severity"));
    if (severity != NULL && !alert_severity_parse(&rule->silent_severity, severity))
        return false;
    return take_text(from, "id", rule->id, sizeof rule->id) &&
           take_text(from, "zone", rule->zone, sizeof rule->zone) &&
           take_text(from, "quantity", rule->quantity, sizeof rule->quantity);
}

static int compare_placements(const void *left, const void *right)
{
    const struct registry_placement *a = left;
    const struct registry_placement *b = right;
    int order = strcmp(a->org, b->org);
    if (order == 0)
        order = strcmp(a->device, b->device);
    if (order == 0)
        order = strcmp(a->channel, b->channel);
    return order != 0 ? order : (a->from_ms > b->from_ms) - (a->from_ms < b->from_ms);
}

typedef bool row_fn(void *row, const json_t *from);

static bool zone_row(void *row, const json_t *from)
{
    return parse_zone(row, from);
}

static bool device_row(void *row, const json_t *from)
{
    return parse_device(row, from);
}

static bool placement_row(void *row, const json_t *from)
{
    return parse_placement(row, from);
}

static bool rule_row(void *row, const json_t *from)
{
    return parse_rule(row, from);
}

static enum err parse_rows(const json_t *root, const char *key, char **rows, size_t size,
                           size_t *count, row_fn *parse, struct err_text *why)
{
    const json_t *array = json_object_get(root, key);
    size_t many = json_array_size(array);
    if (many > REGISTRY_ROWS_MAX)
        return err_set(why, ERR_LIMIT, "more than %d rows in '%s'", REGISTRY_ROWS_MAX,
                       key);
    *rows = mem_array(many, size);
    *count = many;
    for (size_t i = 0; i < many; i++)
        if (!parse(*rows + i * size, json_array_get(array, i)))
            return err_set(why, ERR_INVALID, "row %zu of '%s' is not valid", i + 1, key);
    return ERR_OK;
}

static enum err parse_tables(struct registry *registry, const json_t *root,
                             struct err_text *why)
{
    char *zones = NULL;
    char *devices = NULL;
    char *placements = NULL;
    char *rules = NULL;
    enum err err = parse_rows(root, "zones", &zones, sizeof *registry->zones,
                              &registry->zone_count, zone_row, why);
    registry->zones = (void *)zones;
    if (err != ERR_OK)
        return err;
    err = parse_rows(root, "devices", &devices, sizeof *registry->devices,
                     &registry->device_count, device_row, why);
    registry->devices = (void *)devices;
    if (err != ERR_OK)
        return err;
    err = parse_rows(root, "placements", &placements, sizeof *registry->placements,
                     &registry->placement_count, placement_row, why);
    registry->placements = (void *)placements;
    if (err != ERR_OK)
        return err;
    err = parse_rows(root, "rules", &rules, sizeof *registry->rules,
                     &registry->rule_count, rule_row, why);
    registry->rules = (void *)rules;
    return err;
}

static int compare_zones(const void *left, const void *right)
{
    const struct registry_zone *const *a = left;
    const struct registry_zone *const *b = right;
    return strcmp((*a)->id, (*b)->id);
}

static int compare_devices(const void *left, const void *right)
{
    const struct registry_device *const *a = left;
    const struct registry_device *const *b = right;
    int order = strcmp((*a)->org, (*b)->org);
    return order != 0 ? order : strcmp((*a)->id, (*b)->id);
}

static int compare_changes(const void *left, const void *right)
{
    const struct registry_change *a = left;
    const struct registry_change *b = right;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (a->is_end != b->is_end)
        return a->is_end ? -1 : 1;
    return (a->placement > b->placement) - (a->placement < b->placement);
}

static void index_changes(struct registry *registry)
{
    registry->changes =
        mem_array(2 * registry->placement_count, sizeof *registry->changes);
    for (size_t i = 0; i < registry->placement_count; i++) {
        const struct registry_placement *placement = &registry->placements[i];
        struct registry_change change = {.placement = (uint32_t)i};
        change.at_ms = placement->from_ms;
        registry->changes[registry->change_count++] = change;
        change.at_ms = placement->to_ms;
        change.is_end = true;
        if (placement->to_ms != 0)
            registry->changes[registry->change_count++] = change;
    }
    if (registry->change_count > 0)
        qsort(registry->changes, registry->change_count, sizeof *registry->changes,
              compare_changes);
}

static void index_names(struct registry *registry)
{
    registry->zones_by_id =
        mem_array(registry->zone_count, sizeof *registry->zones_by_id);
    for (size_t i = 0; i < registry->zone_count; i++)
        registry->zones_by_id[i] = &registry->zones[i];
    registry->devices_by_name =
        mem_array(registry->device_count, sizeof *registry->devices_by_name);
    for (size_t i = 0; i < registry->device_count; i++)
        registry->devices_by_name[i] = &registry->devices[i];
    if (registry->zone_count > 0)
        qsort(registry->zones_by_id, registry->zone_count, sizeof *registry->zones_by_id,
              compare_zones);
    if (registry->device_count > 0)
        qsort(registry->devices_by_name, registry->device_count,
              sizeof *registry->devices_by_name, compare_devices);
}

enum err registry_parse(struct registry **result, const char *json, size_t len,
                        struct err_text *why)
{
    *result = NULL;
    json_error_t error;
    json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return err_set(why, ERR_INVALID, "line %d: %s", error.line, error.text);
    struct registry *registry = mem_alloc(sizeof *registry);
    enum err err = parse_tables(registry, root, why);
    json_decref(root);
    if (err != ERR_OK) {
        registry_destroy(registry);
        return err;
    }
    if (registry->placement_count > 0)
        qsort(registry->placements, registry->placement_count,
              sizeof *registry->placements, compare_placements);
    index_names(registry);
    index_changes(registry);
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    crypto_digest(digest, json, len);
    crypto_hex(registry->hash, digest, 8);
    *result = registry;
    return ERR_OK;
}

void registry_destroy(struct registry *registry)
{
    if (registry == NULL)
        return;
    free(registry->zones_by_id);
    free(registry->devices_by_name);
    free(registry->changes);
    free(registry->zones);
    free(registry->devices);
    free(registry->placements);
    free(registry->rules);
    free(registry);
}

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *format_zone(const struct registry_zone *zone)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "id", zone->id, "org",
                     zone->org, "site", zone->site, "site_name", zone->site_name, "name",
                     zone->name, "band_low", number_or_null(zone->band_low), "band_high",
                     number_or_null(zone->band_high));
}

static json_t *format_placement(const struct registry_placement *placement)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "org", placement->org, "device",
                     placement->device, "channel", placement->channel, "zone",
                     placement->zone, "from", (json_int_t)placement->from_ms, "to",
                     (json_int_t)placement->to_ms);
}

static json_t *format_rule(const struct alert_rule *rule)
{
    json_t *levels = json_array();
    for (size_t i = 0; i < rule->level_count; i++) {
        const struct alert_level *level = &rule->levels[i];
        json_array_append_new(
            levels, json_pack("{s:s, s:f, s:I, s:f, s:I}", "severity",
                              alert_severity_name(level->severity), "level", level->level,
                              "delay", (json_int_t)level->delay_ms, "recovery_level",
                              level->recovery_level, "recovery_delay",
                              (json_int_t)level->recovery_delay_ms));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:s}", "id", rule->id, "zone",
                     rule->zone, "quantity", rule->quantity, "kind",
                     alert_kind_name(rule->kind), "levels", levels, "silent",
                     (json_int_t)rule->silent_ms, "silent_severity",
                     alert_severity_name(rule->silent_severity));
}

void registry_format(const struct registry *registry, struct buf *out)
{
    json_t *zones = json_array();
    json_t *devices = json_array();
    json_t *placements = json_array();
    json_t *rules = json_array();
    for (size_t i = 0; i < registry->zone_count; i++)
        json_array_append_new(zones, format_zone(&registry->zones[i]));
    for (size_t i = 0; i < registry->device_count; i++)
        json_array_append_new(devices,
                              json_pack("{s:s, s:s}", "org", registry->devices[i].org,
                                        "id", registry->devices[i].id));
    for (size_t i = 0; i < registry->placement_count; i++)
        json_array_append_new(placements, format_placement(&registry->placements[i]));
    for (size_t i = 0; i < registry->rule_count; i++)
        json_array_append_new(rules, format_rule(&registry->rules[i]));
    json_t *root = json_pack("{s:o, s:o, s:o, s:o}", "zones", zones, "devices", devices,
                             "placements", placements, "rules", rules);
    char *text =
        json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    assert(text != NULL);
    buf_text(out, text);
    free(text);
    json_decref(root);
}

const struct registry_zone *registry_zone(const struct registry *registry, const char *id)
{
    size_t low = 0;
    size_t high = registry->zone_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(registry->zones_by_id[middle]->id, id);
        if (order == 0)
            return registry->zones_by_id[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool registry_has_device(const struct registry *registry, const char *org,
                         const char *device)
{
    size_t low = 0;
    size_t high = registry->device_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct registry_device *at = registry->devices_by_name[middle];
        int order = strcmp(at->org, org);
        if (order == 0)
            order = strcmp(at->id, device);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool registry_same_placements(const struct registry *a, const struct registry *b)
{
    if (a->placement_count != b->placement_count)
        return false;
    for (size_t i = 0; i < a->placement_count; i++)
        if (compare_placements(&a->placements[i], &b->placements[i]) != 0 ||
            a->placements[i].to_ms != b->placements[i].to_ms ||
            strcmp(a->placements[i].zone, b->placements[i].zone) != 0)
            return false;
    return true;
}

/* The latest placement of exactly that channel that had begun at that time. */
static const struct registry_placement *
place_exactly(const struct registry *registry, const struct registry_placement *key)
{
    size_t low = 0;
    size_t high = registry->placement_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_placements(&registry->placements[middle], key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    const struct registry_placement *found = &registry->placements[low - 1];
    bool matches = strcmp(found->org, key->org) == 0 &&
                   strcmp(found->device, key->device) == 0 &&
                   strcmp(found->channel, key->channel) == 0 &&
                   (found->to_ms == 0 || key->from_ms < found->to_ms);
    return matches ? found : NULL;
}

const struct registry_placement *registry_place(const struct registry *registry,
                                                const char *org, const char *device,
                                                const char *channel, int64_t time_ms)
{
    struct registry_placement key = {.from_ms = time_ms};
    snprintf(key.org, sizeof key.org, "%s", org);
    snprintf(key.device, sizeof key.device, "%s", device);
    snprintf(key.channel, sizeof key.channel, "%s", channel);
    const struct registry_placement *found = place_exactly(registry, &key);
    if (found != NULL || channel[0] == '\0')
        return found;
    key.channel[0] = '\0';
    return place_exactly(registry, &key);
}
