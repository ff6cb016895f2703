// SPDX-License-Identifier: Apache-2.0
/*
 * seed - the places and rules of the settings file, for an empty state.db: once.
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

static enum err put(struct state *state, const char *kind, const char *id,
                    const char *org, const char *parent, json_t *body)
{
    char *text =
        json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    const struct state_entity row = {
        .kind = kind, .id = id, .org = org, .parent = parent, .version = 1, .body = text};
    enum err err = text != NULL ? state_put_entity(state, &row) : ERR_INVALID;
    free(text);
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

static enum err put_zone(struct state *state, const struct registry_zone *zone)
{
    json_t *org = json_object();
    json_t *site = json_pack("{s:s}", "org", zone->org);
    json_t *body = json_pack("{s:s}", "site", zone->site);
    set_text(site, "name", zone->site_name);
    set_text(body, "name", zone->name);
    set_number(body, "band_low", zone->band_low);
    set_number(body, "band_high", zone->band_high);
    enum err err = put(state, "org", zone->org, zone->org, "", org);
    if (err == ERR_OK && zone->site[0] != '\0')
        err = put(state, "site", zone->site, zone->org, zone->org, site);
    else
        json_decref(site);
    if (err == ERR_OK)
        return put(state, "zone", zone->id, zone->org, zone->site, body);
    json_decref(body);
    return err;
}

static enum err put_device(struct state *state, const struct registry_device *device)
{
    enum err err = put(state, "org", device->org, device->org, "", json_object());
    return err == ERR_OK ? put(state, "device", device->id, device->org, device->org,
                               json_pack("{s:s}", "org", device->org))
                         : err;
}

static enum err put_placement(struct state *state,
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
    return put(state, "placement", id, placement->org, placement->device, body);
}

static enum err put_rule(struct state *state, const struct registry *registry,
                         const struct alert_rule *rule)
{
    const struct registry_zone *zone = registry_zone(registry, rule->zone);
    json_t *body = registry_rule_json(rule);
    json_object_del(body, "id");
    return put(state, "rule", rule->id, zone != NULL ? zone->org : "", rule->zone, body);
}

static enum err put_all(struct state *state, const struct registry *registry)
{
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < registry->zone_count; i++)
        err = put_zone(state, &registry->zones[i]);
    for (size_t i = 0; err == ERR_OK && i < registry->device_count; i++)
        err = put_device(state, &registry->devices[i]);
    for (size_t i = 0; err == ERR_OK && i < registry->placement_count; i++)
        err = put_placement(state, &registry->placements[i]);
    for (size_t i = 0; err == ERR_OK && i < registry->rule_count; i++)
        err = put_rule(state, registry, &registry->rules[i]);
    return err;
}

enum err seed_apply(struct state *state, const struct registry *registry,
                    uint64_t position, int64_t now_ms)
{
    char body[64];
    char result[160];
    enum err err = put_all(state, registry);
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
