// SPDX-License-Identifier: Apache-2.0
/*
 * seed - the places and rules of the settings file, for an empty state.db: once. Later
 * it is only said what is different.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/command/change.h"
#include "collector/pipeline/registry.h"
#include "collector/store/state_audit.h"
#include "collector/store/state_entities.h"

/* Where what the seed says goes: into state.db, or against it. */
struct sowing {
    struct state *state;
    struct buf *differences; /* NULL: it is written */
};

/* ---- against what there is ------------------------------------------------------------
 */

static bool same_value(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    if (!json_is_array(a) && !json_is_object(a))
        return json_equal(a, b);
    bool same = json_typeof(a) == json_typeof(b) &&
                json_array_size(a) == json_array_size(b) &&
                json_object_size(a) == json_object_size(b);
    for (size_t i = 0; same && i < json_array_size(a); i++)
        same = same_value(json_array_get(a, i), json_array_get(b, i));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)a, key, value)
    {
        same = same && same_value(value, json_object_get(b, key));
    }
    return same;
}

/* What an entity has when nothing is said. */
static bool is_default(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL ? text[0] == '\0' || strcmp(text, "warning") == 0
                        : json_is_number(value) && json_number_value(value) == 0;
}

static void put_value(struct buf *out, const json_t *value)
{
    char *text =
        value != NULL
            ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15))
            : NULL;
    buf_text(out, text != NULL ? text : "nothing");
    free(text);
}

struct comparison {
    const char *kind;
    const char *id;
    const json_t *body; /* of the seed */
    struct buf *out;
};

static void on_present(void *context, const struct state_entity *row)
{
    const struct comparison *comparison = context;
    json_t *present = json_loads(row->body, 0, NULL);
    const char *field;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)comparison->body, field, value)
    {
        const json_t *has = json_object_get(present, field);
        if (strcmp(field, "by") == 0 || (has == NULL && is_default(value)) ||
            (has != NULL && same_value(value, has)))
            continue;
        buf_format(comparison->out, "%s '%s' has %s ", comparison->kind, comparison->id,
                   field);
        put_value(comparison->out, has);
        buf_text(comparison->out, ", not ");
        put_value(comparison->out, value);
        buf_text(comparison->out, "\n");
    }
    json_decref(present);
}

static enum err compare(struct state *state, const struct comparison *comparison)
{
    char line[400];
    enum err err = state_find_entity(state, comparison->kind, comparison->id,
                                     (void *)(uintptr_t)comparison, on_present);
    if (err != ERR_NOT_FOUND)
        return err;
    snprintf(line, sizeof line, "%s '%s' is not there\n", comparison->kind,
             comparison->id);
    /* a seed names organisations and sites with each of their zones */
    if (comparison->out->len == 0 || strstr(comparison->out->data, line) == NULL)
        buf_text(comparison->out, line);
    return ERR_OK;
}

/* ---- what the seed says ---------------------------------------------------------------
 */

static enum err write_row(struct state *state, const char *kind, const char *id,
                          const char *org, const char *parent, const json_t *body)
{
    char *text =
        json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    const struct state_entity row = {
        .kind = kind, .id = id, .org = org, .parent = parent, .version = 1, .body = text};
    enum err err = text != NULL ? state_put_entity(state, &row) : ERR_INVALID;
    free(text);
    return err;
}

/* Takes the body. */
static enum err put(const struct sowing *sowing, const char *kind, const char *id,
                    const char *org, const char *parent, json_t *body)
{
    const struct comparison comparison = {
        .kind = kind, .id = id, .body = body, .out = sowing->differences};
    enum err err = sowing->differences != NULL
                       ? compare(sowing->state, &comparison)
                       : write_row(sowing->state, kind, id, org, parent, body);
    json_decref(body);
    return err;
}

static void set_text(json_t *body, const char *field, const char *text)
{
    if (text[0] != '\0')
        json_object_set_new(body, field, json_string(text));
}

static void set_number(json_t *body, const char *field, double value)
{
    if (isfinite(value))
        json_object_set_new(body, field, json_real(value));
}

static enum err put_zone(const struct sowing *sowing, const struct registry *registry,
                         const struct registry_zone *zone)
{
    const json_t *said = registry_said(registry, zone->id);
    json_t *org = json_object();
    json_t *site = json_pack("{s:s}", "org", zone->org);
    json_t *body = json_pack("{s:s}", "site", zone->site);
    set_text(site, "name", zone->site_name);
    set_text(site, "time_zone", zone->site_tz);
    set_text(body, "name", zone->name);
    if (said != NULL) {
        json_object_update(body, (json_t *)(uintptr_t)said);
    } else {
        set_number(body, "band_low", zone->band_low);
        set_number(body, "band_high", zone->band_high);
    }
    enum err err = put(sowing, "org", zone->org, zone->org, "", org);
    if (err == ERR_OK && zone->site[0] != '\0')
        err = put(sowing, "site", zone->site, zone->org, zone->org, site);
    else
        json_decref(site);
    if (err == ERR_OK)
        return put(sowing, "zone", zone->id, zone->org, zone->site, body);
    json_decref(body);
    return err;
}

static enum err put_device(const struct sowing *sowing,
                           const struct registry_device *device)
{
    enum err err = put(sowing, "org", device->org, device->org, "", json_object());
    return err == ERR_OK ? put(sowing, "device", device->id, device->org, device->org,
                               json_pack("{s:s}", "org", device->org))
                         : err;
}

static enum err put_placement(const struct sowing *sowing,
                              const struct registry_placement *placement)
{
    char key[4 * ID_SIZE + 32];
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    char hex[17];
    char id[ID_SIZE];
    snprintf(key, sizeof key, "%s/%s/%s/%lld", placement->org, placement->device,
             placement->channel, (long long)placement->from_ms);
    crypto_digest(digest, key, strlen(key));
    snprintf(id, sizeof id, "p-%s", crypto_hex(hex, digest, 8));
    json_t *body =
        json_pack("{s:s, s:s, s:I, s:s}", "device", placement->device, "zone",
                  placement->zone, "from", (json_int_t)placement->from_ms, "by", "seed");
    set_text(body, "channel", placement->channel);
    if (placement->to_ms != 0)
        json_object_set_new(body, "to", json_integer(placement->to_ms));
    return put(sowing, "placement", id, placement->org, placement->device, body);
}

static enum err put_rule(const struct sowing *sowing, const struct registry *registry,
                         const struct alert_rule *rule)
{
    const struct registry_zone *zone = registry_zone(registry, rule->zone);
    json_t *body = registry_rule_json(rule);
    json_object_del(body, "id");
    return put(sowing, "rule", rule->id, zone != NULL ? zone->org : "", rule->zone, body);
}

static enum err put_all(const struct sowing *sowing, const struct registry *registry)
{
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < registry->zone_count; i++)
        err = put_zone(sowing, registry, &registry->zones[i]);
    for (size_t i = 0; err == ERR_OK && i < registry->device_count; i++)
        err = put_device(sowing, &registry->devices[i]);
    for (size_t i = 0; err == ERR_OK && i < registry->placement_count; i++)
        err = put_placement(sowing, &registry->placements[i]);
    for (size_t i = 0; err == ERR_OK && i < registry->rule_count; i++)
        err = put_rule(sowing, registry, &registry->rules[i]);
    return err;
}

enum err seed_apply(struct state *state, const struct registry *registry,
                    uint64_t position, int64_t now_ms)
{
    char body[64];
    char result[160];
    const struct sowing sowing = {.state = state};
    enum err err = put_all(&sowing, registry);
    if (err != ERR_OK)
        return err;
    snprintf(body, sizeof body, "{\"hash\":\"%s\"}", registry->hash);
    snprintf(result, sizeof result,
             "{\"devices\":%zu,\"placements\":%zu,\"rules\":%zu,\"zones\":%zu}",
             registry->device_count, registry->placement_count, registry->rule_count,
             registry->zone_count);
    const struct state_audit row = {
        .position = position,
        .command = SEED_VERB,
        .at_ms = now_ms,
        .actor = SEED_VERB,
        .verb = SEED_VERB,
        .reason = "",
        .body = body,
        .outcome = err_name(ERR_OK),
        .detail = "",
        .result = result,
        .changes = "[]",
    };
    return state_add_audit(state, &row);
}

enum err seed_compare(struct state *state, const struct registry *registry,
                      struct buf *differences)
{
    const struct sowing sowing = {.state = state, .differences = differences};
    return put_all(&sowing, registry);
}
