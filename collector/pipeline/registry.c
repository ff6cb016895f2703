// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/registry.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "collector/pipeline/body.h"
#include "collector/pipeline/registry_plans.h"
#include "collector/pipeline/rows.h"

#define REGISTRY_ROWS_MAX 2000000

/* The lock, the names, and how many rows there is room for; 0: exactly what there is. */
struct registry_guard {
    pthread_rwlock_t lock;
    struct map names; /* keys alone */
    struct map tzs;   /* name -> struct tz, owned; NULL: it is not known here */
    size_t zones;
    size_t devices;
    size_t placements;
    size_t rules;
    size_t sites;
    size_t changes;
};

static bool parse_zone(struct registry_zone *zone, const json_t *from)
{
    zone->band_low = body_number(from, "band_low");
    zone->band_high = body_number(from, "band_high");
    return body_text(from, "id", zone->id, sizeof zone->id) && id_is_valid(zone->id) &&
           body_text(from, "org", zone->org, sizeof zone->org) &&
           body_text(from, "site", zone->site, sizeof zone->site) &&
           body_text(from, "site_name", zone->site_name, sizeof zone->site_name) &&
           body_text(from, "site_tz", zone->site_tz, sizeof zone->site_tz) &&
           body_text(from, "name", zone->name, sizeof zone->name);
}

const char *registry_name(struct registry *registry, const char *text)
{
    char name[ID_SIZE];
    snprintf(name, sizeof name, "%.*s", ID_MAX, text != NULL ? text : "");
    return map_key(&registry->guard->names, name);
}

/* False when it is too long. */
static bool take_name(struct registry *registry, const json_t *object, const char *key,
                      const char **name)
{
    char text[ID_SIZE];
    bool fits = body_text(object, key, text, sizeof text);
    *name = registry_name(registry, text);
    return fits;
}

static bool parse_device(struct registry *registry, struct registry_device *device,
                         const json_t *from)
{
    return take_name(registry, from, "org", &device->org) && id_is_valid(device->org) &&
           take_name(registry, from, "id", &device->id) && id_is_valid(device->id);
}

static bool parse_placement(struct registry *registry,
                            struct registry_placement *placement, const json_t *from)
{
    placement->from_ms = body_ms(from, "from");
    placement->to_ms = body_ms(from, "to");
    return take_name(registry, from, "org", &placement->org) &&
           take_name(registry, from, "device", &placement->device) &&
           take_name(registry, from, "channel", &placement->channel) &&
           take_name(registry, from, "zone", &placement->zone);
}

bool registry_parse_placement(struct registry *registry,
                              struct registry_placement *placement, const char *org,
                              const json_t *body)
{
    bool is_good = parse_placement(registry, placement, body);
    placement->org = registry_name(registry, org);
    return is_good;
}

typedef bool row_fn(struct registry *registry, void *row, const json_t *from);

static bool zone_row(struct registry *registry, void *row, const json_t *from)
{
    registry_describe_zone(registry, row, from);
    if (!parse_zone(row, from))
        return false;
    registry_take_said(registry, row, from);
    return true;
}

static bool device_row(struct registry *registry, void *row, const json_t *from)
{
    return parse_device(registry, row, from);
}

static bool placement_row(struct registry *registry, void *row, const json_t *from)
{
    return parse_placement(registry, row, from);
}

static bool rule_row(struct registry *registry, void *row, const json_t *from)
{
    (void)registry;
    struct alert_rule *rule = row;
    return registry_parse_rule(rule, json_string_value(json_object_get(from, "id")),
                               from);
}

static enum err parse_rows(struct registry *registry, const json_t *root, const char *key,
                           char **rows, size_t size, size_t *count, row_fn *parse,
                           struct err_text *why)
{
    const json_t *array = json_object_get(root, key);
    size_t many = json_array_size(array);
    if (many > REGISTRY_ROWS_MAX)
        return err_set(why, ERR_LIMIT, "more than %d rows in '%s'", REGISTRY_ROWS_MAX,
                       key);
    *rows = mem_array(many, size);
    *count = many;
    for (size_t i = 0; i < many; i++)
        if (!parse(registry, *rows + i * size, json_array_get(array, i)))
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
    enum err err = parse_rows(registry, root, "zones", &zones, sizeof *registry->zones,
                              &registry->zone_count, zone_row, why);
    registry->zones = (void *)zones;
    if (err != ERR_OK)
        return err;
    err = parse_rows(registry, root, "devices", &devices, sizeof *registry->devices,
                     &registry->device_count, device_row, why);
    registry->devices = (void *)devices;
    if (err != ERR_OK)
        return err;
    err = parse_rows(registry, root, "placements", &placements,
                     sizeof *registry->placements, &registry->placement_count,
                     placement_row, why);
    registry->placements = (void *)placements;
    if (err != ERR_OK)
        return err;
    err = parse_rows(registry, root, "rules", &rules, sizeof *registry->rules,
                     &registry->rule_count, rule_row, why);
    registry->rules = (void *)rules;
    return err;
}

static int compare_zones(const void *left, const void *right)
{
    const struct registry_zone *a = left;
    const struct registry_zone *b = right;
    return strcmp(a->id, b->id);
}

static int compare_rules(const void *left, const void *right)
{
    const struct alert_rule *a = left;
    const struct alert_rule *b = right;
    return strcmp(a->id, b->id);
}

static int compare_devices(const void *left, const void *right)
{
    const struct registry_device *a = left;
    const struct registry_device *b = right;
    int order = strcmp(a->org, b->org);
    return order != 0 ? order : strcmp(a->id, b->id);
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
    free(registry->changes);
    registry->change_count = 0;
    registry->guard->changes =
        registry->placement_count > 0 ? 2 * registry->placement_count : 1;
    registry->changes = mem_array(registry->guard->changes, sizeof *registry->changes);
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
    assert(registry->change_count <= registry->guard->changes);
    if (registry->change_count > 0)
        qsort(registry->changes, registry->change_count, sizeof *registry->changes,
              compare_changes);
}

/* Rows that came one by one left room for as many again. */
static void *fit(void *rows, size_t count, size_t size, size_t *room)
{
    if (count == 0 || *room == 0)
        return rows;
    *room = 0;
    return mem_realloc(rows, count * size);
}

static void fit_all(struct registry *registry)
{
    struct registry_guard *guard = registry->guard;
#define FIT(name) \
    registry->name##s = fit(registry->name##s, registry->name##_count, \
                            sizeof *registry->name##s, &guard->name##s)
    FIT(site);
    FIT(zone);
    FIT(device);
    FIT(placement);
    FIT(rule);
#undef FIT
}

static void sort(void *rows, size_t count, size_t size,
                 int (*compare)(const void *, const void *))
{
    if (count > 0)
        qsort(rows, count, size, compare);
}

static void resolve(const struct registry *registry, struct alert_rule *rule)
{
    const struct registry_zone *zone = registry_zone(registry, rule->zone);
    alert_rule_resolve(rule, zone != NULL ? zone->band_low : (double)NAN,
                       zone != NULL ? zone->band_high : (double)NAN);
}

/* Of one zone, or of all. */
static void resolve_rules(const struct registry *registry, const char *zone)
{
    for (size_t i = 0; i < registry->rule_count; i++)
        if (alert_rule_names_band(&registry->rules[i]) &&
            (zone == NULL || strcmp(registry->rules[i].zone, zone) == 0))
            resolve(registry, &registry->rules[i]);
}

void registry_load_end(struct registry *registry)
{
    fit_all(registry);
    sort(registry->sites, registry->site_count, sizeof *registry->sites,
         registry_compare_sites);
    sort(registry->zones, registry->zone_count, sizeof *registry->zones, compare_zones);
    sort(registry->devices, registry->device_count, sizeof *registry->devices,
         compare_devices);
    sort(registry->placements, registry->placement_count, sizeof *registry->placements,
         registry_compare_placements);
    sort(registry->rules, registry->rule_count, sizeof *registry->rules, compare_rules);
    registry_sort_dues(registry);
    resolve_rules(registry, NULL);
    index_changes(registry);
    registry->generation++;
}

/* Looked up once, for many sites have the same; NULL: none, or it is not known here. */
static const struct tz *find_tz(struct registry *registry, const char *name)
{
    struct map *tzs = &registry->guard->tzs;
    struct tz tz;
    struct err_text why;
    if (name == NULL || name[0] == '\0')
        return NULL;
    size_t known = tzs->count;
    void **at = map_at(tzs, name);
    bool is_new = tzs->count > known;
    if (is_new && tz_load(&tz, name, &why) == ERR_OK) {
        *at = mem_alloc(sizeof tz);
        memcpy(*at, &tz, sizeof tz);
    } else if (is_new)
        log_warn("%s; times there are told as at home", why.text);
    return *at;
}

/* A seed names each site with its zones. */
static void note_sites(struct registry *registry)
{
    registry->sites = mem_array(registry->zone_count, sizeof *registry->sites);
    sort(registry->zones, registry->zone_count, sizeof *registry->zones, compare_zones);
    for (size_t i = 0; i < registry->zone_count; i++) {
        const struct registry_zone *zone = &registry->zones[i];
        struct registry_site *site = &registry->sites[registry->site_count++];
        snprintf(site->id, sizeof site->id, "%s", zone->site);
        snprintf(site->name, sizeof site->name, "%s", zone->site_name);
        site->tz = find_tz(registry, zone->site_tz);
    }
    sort(registry->sites, registry->site_count, sizeof *registry->sites,
         registry_compare_sites);
    size_t kept = 0;
    for (size_t i = 0; i < registry->site_count; i++)
        if (kept == 0 || strcmp(registry->sites[kept - 1].id, registry->sites[i].id) != 0)
            registry->sites[kept++] = registry->sites[i];
    registry->site_count = kept;
}

struct registry *registry_create(void)
{
    struct registry *registry = mem_alloc(sizeof *registry);
    registry->guard = mem_alloc(sizeof *registry->guard);
    pthread_rwlock_init(&registry->guard->lock, NULL);
    return registry;
}

enum err registry_parse(struct registry **result, const char *json, size_t len,
                        struct err_text *why)
{
    *result = NULL;
    json_error_t error;
    json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return err_set(why, ERR_INVALID, "line %d: %s", error.line, error.text);
    struct registry *registry = registry_create();
    enum err err = parse_tables(registry, root, why);
    json_decref(root);
    if (err != ERR_OK) {
        registry_destroy(registry);
        return err;
    }
    note_sites(registry);
    registry_load_end(registry);
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    crypto_digest(digest, json, len);
    crypto_hex(registry->hash, digest, 8);
    *result = registry;
    return ERR_OK;
}

static void drop_rows(struct registry *registry)
{
    free(registry->changes);
    free(registry->zones);
    free(registry->devices);
    free(registry->placements);
    free(registry->rules);
    free(registry->sites);
    free(registry->spans);
    free(registry->dues);
    json_decref(registry->said);
    profile_set_destroy(registry->profiles);
    map_fini(&registry->guard->names);
    for (size_t i = 0; i < registry->guard->tzs.count; i++)
        free(registry->guard->tzs.entries[i].value);
    map_fini(&registry->guard->tzs);
}

void registry_destroy(struct registry *registry)
{
    if (registry == NULL)
        return;
    drop_rows(registry);
    pthread_rwlock_destroy(&registry->guard->lock);
    free(registry->guard);
    free(registry);
}

void registry_take(struct registry *registry, struct registry *from)
{
    assert(registry != from);
    struct registry_guard *guard = registry->guard;
    uint64_t generation = registry->generation;
    struct tz home = registry->home;
    pthread_rwlock_wrlock(&guard->lock);
    drop_rows(registry);
    *registry = *from;
    registry->guard = guard;
    registry->generation = generation + 1;
    registry->home = home;
    guard->names = from->guard->names;
    guard->tzs = from->guard->tzs;
    guard->changes = from->guard->changes;
    guard->zones = guard->devices = guard->placements = guard->rules = guard->sites = 0;
    pthread_rwlock_unlock(&guard->lock);
    pthread_rwlock_destroy(&from->guard->lock);
    free(from->guard);
    free(from);
}

void registry_lock(const struct registry *registry)
{
    pthread_rwlock_rdlock(&registry->guard->lock);
}

void registry_unlock(const struct registry *registry)
{
    pthread_rwlock_unlock(&registry->guard->lock);
}

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* What nobody has said is not written: the bytes are those of before it could be said. */
static json_t *format_zone(const struct registry *registry,
                           const struct registry_zone *zone)
{
    const json_t *said = registry_said(registry, zone->id);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "id", zone->id, "org", zone->org, "site",
        zone->site, "site_name", zone->site_name, "name", zone->name, "band_low",
        number_or_null(zone->band_low), "band_high", number_or_null(zone->band_high));
    if (zone->site_tz[0] != '\0')
        json_object_set_new(json, "site_tz", json_string(zone->site_tz));
    if (said != NULL) /* the band that was declared, not what its goods bear */
        json_object_update(json, (json_t *)(uintptr_t)said);
    return json;
}

static json_t *format_placement(const struct registry_placement *placement)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "org", placement->org, "device",
                     placement->device, "channel", placement->channel, "zone",
                     placement->zone, "from", (json_int_t)placement->from_ms, "to",
                     (json_int_t)placement->to_ms);
}

void registry_format(const struct registry *registry, struct buf *out)
{
    json_t *zones = json_array();
    json_t *devices = json_array();
    json_t *placements = json_array();
    json_t *rules = json_array();
    for (size_t i = 0; i < registry->zone_count; i++)
        json_array_append_new(zones, format_zone(registry, &registry->zones[i]));
    for (size_t i = 0; i < registry->device_count; i++)
        json_array_append_new(devices,
                              json_pack("{s:s, s:s}", "org", registry->devices[i].org,
                                        "id", registry->devices[i].id));
    for (size_t i = 0; i < registry->placement_count; i++)
        json_array_append_new(placements, format_placement(&registry->placements[i]));
    for (size_t i = 0; i < registry->rule_count; i++)
        json_array_append_new(rules, registry_rule_json(&registry->rules[i]));
    json_t *root = json_pack("{s:o, s:o, s:o, s:o}", "zones", zones, "devices", devices,
                             "placements", placements, "rules", rules);
    char *text =
        json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    assert(text != NULL);
    buf_text(out, text);
    free(text);
    json_decref(root);
}

/* ---- changes, one entity at a time ----------------------------------------------------
 */

#define TABLE(registry, name, order) \
    { \
        .rows = (void **)&(registry)->name##s, .count = &(registry)->name##_count, \
        .room = &(registry)->guard->name##s, .size = sizeof *(registry)->name##s, \
        .compare = (order), \
    }

static const char *site_name(const struct registry *registry, const char *id)
{
    const struct registry_site *site = registry_site(registry, id);
    return site != NULL ? site->name : "";
}

/* Names that are too long for us are cut. */
static void cut_text(char *to, size_t size, const json_t *body, const char *key)
{
    const char *text = json_string_value(json_object_get(body, key));
    size_t len = text != NULL ? strlen(text) : 0;
    if (len >= size) /* not within a character */
        for (len = size - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    if (len > 0)
        memcpy(to, text, len);
    to[len] = '\0';
}

static bool read_zone(struct registry *registry, struct registry_zone *zone,
                      const char *id, const char *org, const json_t *body)
{
    const struct band declared = {body_number(body, "band_low"),
                                  body_number(body, "band_high")};
    struct band band = registry_goods_band(&registry->profiles, declared,
                                           json_object_get(body, "goods"));
    zone->band_low = band.low;
    zone->band_high = band.high;
    registry_describe_zone(registry, zone, body);
    zone->is_off_duty = json_is_string(json_object_get(body, "off_duty"));
    zone->is_archived = json_is_true(json_object_get(body, "archived"));
    snprintf(zone->id, sizeof zone->id, "%.64s", id);
    snprintf(zone->org, sizeof zone->org, "%.64s", org);
    cut_text(zone->name, sizeof zone->name, body, "name");
    if (!body_text(body, "site", zone->site, sizeof zone->site))
        return false;
    snprintf(zone->site_name, sizeof zone->site_name, "%s",
             site_name(registry, zone->site));
    return true;
}

static void apply_site(struct registry *registry, const char *id, const json_t *body)
{
    const struct rows sites = TABLE(registry, site, registry_compare_sites);
    struct registry_site site = {0};
    size_t at;
    snprintf(site.id, sizeof site.id, "%.64s", id);
    cut_text(site.name, sizeof site.name, body, "name");
    site.tz = find_tz(registry, json_string_value(json_object_get(body, "time_zone")));
    if (body == NULL)
        rows_take(&sites, &site, &at);
    else
        rows_put(&sites, &site);
    for (size_t i = 0; i < registry->zone_count; i++)
        if (strcmp(registry->zones[i].site, site.id) == 0)
            memcpy(registry->zones[i].site_name, site.name, sizeof site.name);
}

static bool apply_zone(struct registry *registry, const char *id, const char *org,
                       const json_t *body)
{
    const struct rows zones = TABLE(registry, zone, compare_zones);
    struct registry_zone zone = {0};
    size_t at;
    snprintf(zone.id, sizeof zone.id, "%.64s", id);
    registry_put_plans(registry, zone.id, body);
    if (body == NULL)
        return rows_take(&zones, &zone, &at);
    if (!read_zone(registry, &zone, id, org, body))
        return false;
    rows_put(&zones, &zone);
    return true;
}

/* Archived ones are nobody's any more. */
static void apply_device(struct registry *registry, const char *id, const char *org,
                         const json_t *body)
{
    const struct rows devices = TABLE(registry, device, compare_devices);
    struct registry_device device = {0};
    size_t at;
    device.id = registry_name(registry, id);
    device.org = registry_name(registry, org);
    if (body == NULL || json_is_true(json_object_get(body, "archived")))
        rows_take(&devices, &device, &at);
    else
        rows_put(&devices, &device);
}

static bool apply_rule(struct registry *registry, const char *id, const json_t *body)
{
    const struct rows rules = TABLE(registry, rule, compare_rules);
    struct alert_rule rule = {0};
    size_t at;
    snprintf(rule.id, sizeof rule.id, "%.64s", id);
    if (body == NULL)
        return rows_take(&rules, &rule, &at);
    if (!registry_parse_rule(&rule, id, body))
        return false;
    resolve(registry, &rule);
    rows_put(&rules, &rule);
    return true;
}

/* Placements behind `at` have moved up or down by one. */
static void renumber(struct registry *registry, size_t at, int step)
{
    assert(step == 1 || step == -1);
    for (size_t i = 0; i < registry->change_count; i++)
        if (registry->changes[i].placement >= at)
            registry->changes[i].placement =
                (uint32_t)((int64_t)registry->changes[i].placement + step);
}

static void put_change(struct registry *registry, size_t placement, int64_t at_ms,
                       bool is_end)
{
    const struct rows changes = TABLE(registry, change, compare_changes);
    const struct registry_change change = {
        .at_ms = at_ms, .placement = (uint32_t)placement, .is_end = is_end};
    assert(placement < registry->placement_count);
    rows_put(&changes, &change);
}

static void drop_changes(struct registry *registry, size_t placement)
{
    size_t kept = 0;
    for (size_t i = 0; i < registry->change_count; i++)
        if (registry->changes[i].placement != placement)
            registry->changes[kept++] = registry->changes[i];
    registry->change_count = kept;
}

static bool apply_placement(struct registry *registry, const char *org,
                            const json_t *old_body, const json_t *body)
{
    const struct rows placements =
        TABLE(registry, placement, registry_compare_placements);
    struct registry_placement old = {0};
    struct registry_placement new = {0};
    size_t at;
    if ((old_body != NULL && !registry_parse_placement(registry, &old, org, old_body)) ||
        (body != NULL && !registry_parse_placement(registry, &new, org, body)))
        return false;
    if (old_body != NULL && rows_take(&placements, &old, &at)) {
        drop_changes(registry, at);
        renumber(registry, at, -1);
    }
    if (body != NULL) {
        at = rows_find(&placements, &new);
        if (!rows_have(&placements, at, &new))
            renumber(registry, at, 1);
        rows_put(&placements, &new);
        put_change(registry, at, new.from_ms, false);
        if (new.to_ms != 0)
            put_change(registry, at, new.to_ms, true);
    }
    registry->generation++;
    return true;
}

static bool apply(struct registry *registry, const char *kind, const char *id,
                  const char *org, const json_t *old, const json_t *body)
{
    if (strcmp(kind, "placement") == 0)
        return apply_placement(registry, org, old, body);
    if (strcmp(kind, "zone") == 0)
        return apply_zone(registry, id, org, body);
    if (strcmp(kind, "rule") == 0)
        return apply_rule(registry, id, body);
    if (strcmp(kind, "device") == 0)
        apply_device(registry, id, org, body);
    if (strcmp(kind, "site") == 0)
        apply_site(registry, id, body);
    return true;
}

bool registry_apply(struct registry *registry, const char *kind, const char *id,
                    const char *org, const json_t *old, const json_t *body)
{
    pthread_rwlock_wrlock(&registry->guard->lock);
    bool is_good = apply(registry, kind, id, org, json_is_null(old) ? NULL : old,
                         json_is_null(body) ? NULL : body);
    registry_put_dues(registry, kind, id, org, json_is_null(body) ? NULL : body, false);
    if (strcmp(kind, "zone") == 0)
        resolve_rules(registry, id);
    pthread_rwlock_unlock(&registry->guard->lock);
    return is_good;
}

bool registry_load(struct registry *registry, const char *kind, const char *id,
                   const char *org, const json_t *body)
{
    const struct rows placements =
        TABLE(registry, placement, registry_compare_placements);
    struct registry_placement placement = {0};
    registry_put_dues(registry, kind, id, org, body, true);
    if (strcmp(kind, "placement") != 0) /* those come in the order of their ids */
        return apply(registry, kind, id, org, NULL, body);
    if (!registry_parse_placement(registry, &placement, org, body))
        return false;
    rows_add(&placements, &placement);
    return true;
}
