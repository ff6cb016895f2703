// SPDX-License-Identifier: Apache-2.0
/*
 * registry_find - looks up in the registry what is so, by names and times.
 *
 * Rows are ordered, so that nothing here takes longer than a few comparisons, but what
 * asks all rules.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/pipeline/registry_plans.h"

int registry_compare_sites(const void *left, const void *right)
{
    const struct registry_site *a = left;
    const struct registry_site *b = right;
    return strcmp(a->id, b->id);
}

int registry_compare_placements(const void *left, const void *right)
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

const struct registry_zone *registry_zone(const struct registry *registry, const char *id)
{
    size_t low = 0;
    size_t high = registry->zone_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(registry->zones[middle].id, id);
        if (order == 0)
            return &registry->zones[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct registry_site *registry_site(const struct registry *registry, const char *id)
{
    struct registry_site key = {0};
    snprintf(key.id, sizeof key.id, "%.64s", id);
    return registry->site_count > 0 ? bsearch(&key, registry->sites, registry->site_count,
                                              sizeof key, registry_compare_sites)
                                    : NULL;
}

const struct tz *registry_tz(const struct registry *registry, const char *zone)
{
    const struct registry_zone *found = registry_zone(registry, zone);
    const struct registry_site *site =
        found != NULL ? registry_site(registry, found->site) : NULL;
    return site != NULL && site->tz != NULL ? site->tz : &registry->home;
}

bool registry_has_device(const struct registry *registry, const char *org,
                         const char *device)
{
    size_t low = 0;
    size_t high = registry->device_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct registry_device *at = &registry->devices[middle];
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

/* The latest placement of exactly that channel that had begun at that time. */
static const struct registry_placement *
place_exactly(const struct registry *registry, const struct registry_placement *key)
{
    size_t low = 0;
    size_t high = registry->placement_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (registry_compare_placements(&registry->placements[middle], key) <= 0)
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
    assert(org != NULL && device != NULL && channel != NULL);
    struct registry_placement key = {
        .org = org, .device = device, .channel = channel, .from_ms = time_ms};
    const struct registry_placement *found = place_exactly(registry, &key);
    if (found != NULL || channel[0] == '\0')
        return found;
    key.channel = "";
    return place_exactly(registry, &key);
}

bool registry_is_on_duty(const struct registry *registry, const char *zone)
{
    const struct registry_zone *found = registry_zone(registry, zone);
    return found == NULL || (!found->is_off_duty && !found->is_archived);
}

bool registry_asks_life(const struct registry *registry, const char *zone)
{
    for (size_t i = 0; i < registry->rule_count; i++)
        if (registry->rules[i].kind == ALERT_LIFE_LEFT &&
            strcmp(registry->rules[i].zone, zone) == 0)
            return true;
    return false;
}

bool registry_follows_band(const struct registry *registry, const char *zone)
{
    for (size_t i = 0; i < registry->rule_count; i++)
        if (alert_rule_names_band(&registry->rules[i]) &&
            strcmp(registry->rules[i].zone, zone) == 0)
            return true;
    return false;
}

bool registry_has_numbers(const struct alert_rule *rule)
{
    return !alert_rule_names_band(rule) || alert_rule_check(rule, NULL) == ERR_OK;
}

bool registry_in_force(const struct registry *registry, const struct alert_rule *rule)
{
    const struct registry_zone *found = registry_zone(registry, rule->zone);
    return (found == NULL || !found->is_archived) && registry_has_numbers(rule);
}
