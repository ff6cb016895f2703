// SPDX-License-Identifier: Apache-2.0
/*
 * places - organisations, sites, vehicles, zones, and the rules that watch zones.
 */
#include <stdio.h>
#include <string.h>

#include "collector/command/internal.h"
#include "collector/doubts.h"
#include "collector/pipeline/registry.h"
#include "collector/store/state_entities.h"

enum err org_put(struct change *change, struct err_text *why)
{
    struct entity org = {0};
    enum err err = change_merge(change, "org", change_text(change, "id"), &org, why);
    snprintf(org.org, sizeof org.org, "%.64s", org.id);
    if (err == ERR_OK)
        err = change_put(change, &org, "");
    entity_fini(&org);
    return err;
}

/* The entity `id` must be there; its organisation in `org`, its body in `entity`. */
static enum err refer(struct change *change, const char *kind, const char *id,
                      char org[ID_SIZE], struct err_text *why)
{
    struct entity entity = {0};
    enum err err = change_need(change, kind, id, &entity, why);
    if (err == ERR_OK && json_is_true(json_object_get(entity.body, "archived")))
        err = err_set(why, ERR_INVALID, "%s '%s' is archived; bring it back first", kind,
                      id);
    snprintf(org, ID_SIZE, "%s", entity.org);
    entity_fini(&entity);
    return err;
}

/* A place stays in the organisation it was made for. */
static enum err keep_org(struct entity *entity, const char *org, struct err_text *why)
{
    if (entity->version > 0 && strcmp(entity->org, org) != 0)
        return err_set(why, ERR_INVALID,
                       "%s '%s' belongs to organisation '%s' and stays there; archive it "
                       "and make a new one in '%s'",
                       entity->kind, entity->id, entity->org, org);
    memmove(entity->org, org, strlen(org) + 1);
    return ERR_OK;
}

/* ---- sites ----------------------------------------------------------------------------
 */

enum err site_put(struct change *change, struct err_text *why)
{
    struct entity site = {0};
    char org[ID_SIZE] = "";
    enum err err = change_merge(change, "site", change_text(change, "id"), &site, why);
    if (err == ERR_OK)
        err = refer(change, "org", entity_text(&site, "org"), org, why);
    if (err == ERR_OK)
        err = keep_org(&site, org, why);
    if (err == ERR_OK)
        err = change_put(change, &site, org);
    entity_fini(&site);
    return err;
}

struct below {
    char id[ID_SIZE];
};

static void on_below(void *context, const struct state_entity *row)
{
    struct below *below = context;
    json_t *body = json_loads(row->body, 0, NULL);
    if (below->id[0] == '\0' && !json_is_true(json_object_get(body, "archived")))
        snprintf(below->id, sizeof below->id, "%.64s", row->id);
    json_decref(body);
}

/* `archived` defaults to true. */
static void put_archived(struct change *change, struct entity *entity)
{
    bool is_archived = !json_is_false(json_object_get(change->body, "archived"));
    if (is_archived)
        json_object_set_new(entity->body, "archived", json_true());
    else
        json_object_del(entity->body, "archived");
}

static bool is_archived(const struct entity *entity)
{
    return json_is_true(json_object_get(entity->body, "archived"));
}

static enum err open_known(struct change *change, const char *kind, struct entity *entity,
                           struct err_text *why)
{
    const char *id = change_text(change, "id");
    enum err err = change_open(change, kind, id, entity, why);
    if (err == ERR_OK && entity->body == NULL)
        err = err_set(why, ERR_NOT_FOUND, "there is no %s '%s'", kind, id);
    return err;
}

enum err site_archive(struct change *change, struct err_text *why)
{
    struct entity site = {0};
    struct below below = {""};
    enum err err = open_known(change, "site", &site, why);
    if (err == ERR_OK)
        put_archived(change, &site);
    if (err == ERR_OK && is_archived(&site))
        err = state_each_entity(change->state, "zone", site.id, NULL, &below, on_below);
    if (err == ERR_OK && below.id[0] != '\0')
        err = err_set(why, ERR_INVALID,
                      "zone '%s' of site '%s' is in use; archive its zones first",
                      below.id, site.id);
    if (err == ERR_OK)
        err = change_put(change, &site, site.org);
    entity_fini(&site);
    return err;
}

enum err vehicle_plate(struct change *change, struct err_text *why)
{
    static const char *const fields[] = {"plate", "lessor", NULL};
    struct entity site = {0};
    enum err err = open_known(change, "site", &site, why);
    if (err == ERR_OK && strcmp(entity_text(&site, "tier"), "vehicle") != 0)
        err = err_set(why, ERR_INVALID, "site '%s' is no vehicle: its tier is '%s'",
                      site.id, entity_text(&site, "tier"));
    if (err == ERR_OK) {
        change_add_dated(change, &site, "plates", fields);
        err = change_put(change, &site, site.org);
    }
    entity_fini(&site);
    return err;
}

/* ---- zones ----------------------------------------------------------------------------
 */

static enum err check_band(const struct entity *zone, struct err_text *why)
{
    const json_t *low = json_object_get(zone->body, "band_low");
    const json_t *high = json_object_get(zone->body, "band_high");
    if (low != NULL && high != NULL && json_number_value(low) >= json_number_value(high))
        return err_set(why, ERR_INVALID, "band_low of zone '%s' is not below band_high",
                       zone->id);
    return ERR_OK;
}

/* Since when it is off duty, or on duty again, for what is judged later of that time. */
static void note_duty(const struct change *change, struct entity *zone)
{
    bool is_off = json_object_get(zone->body, "off_duty") != NULL;
    bool was_off = json_object_get(zone->body, "off_duty_since") != NULL;
    if (is_off == was_off)
        return;
    json_object_del(zone->body, is_off ? "on_duty_since" : "off_duty_since");
    json_object_set_new(zone->body, is_off ? "off_duty_since" : "on_duty_since",
                        json_integer(change->now_ms));
}

enum err zone_put(struct change *change, struct err_text *why)
{
    struct entity zone = {0};
    char org[ID_SIZE] = "";
    enum err err = change_merge(change, "zone", change_text(change, "id"), &zone, why);
    if (err == ERR_OK)
        err = refer(change, "site", entity_text(&zone, "site"), org, why);
    if (err == ERR_OK)
        err = keep_org(&zone, org, why);
    if (err == ERR_OK)
        err = check_band(&zone, why);
    if (err == ERR_OK)
        err = zone_check_plans(change, &zone, why);
    note_duty(change, &zone);
    if (err == ERR_OK)
        err = zone_note_goods(change, &zone, change->now_ms);
    if (err == ERR_OK)
        zone_warn_goods(change, &zone);
    if (err == ERR_OK)
        err = zone_warn_rules(change, &zone);
    if (err == ERR_OK)
        err = change_put(change, &zone, entity_text(&zone, "site"));
    entity_fini(&zone);
    return err;
}

enum err zone_duty(struct change *change, struct err_text *why)
{
    struct entity zone = {0};
    bool is_on = json_is_true(json_object_get(change->body, "on"));
    enum err err = open_known(change, "zone", &zone, why);
    if (err == ERR_OK && !is_on && !change_has(change, "why"))
        err = err_set(why, ERR_INVALID,
                      "say why zone '%s' is off duty: one of empty, pre-cooling, "
                      "ventilating, curing, repair, other",
                      zone.id);
    if (err == ERR_OK && is_on)
        json_object_del(zone.body, "off_duty");
    if (err == ERR_OK && !is_on)
        json_object_set(zone.body, "off_duty", json_object_get(change->body, "why"));
    note_duty(change, &zone);
    if (err == ERR_OK)
        zone_warn_goods(change, &zone);
    if (err == ERR_OK)
        err = change_put(change, &zone, entity_text(&zone, "site"));
    entity_fini(&zone);
    return err;
}

enum err zone_archive(struct change *change, struct err_text *why)
{
    struct entity zone = {0};
    char placement[ID_SIZE] = "";
    enum err err = open_known(change, "zone", &zone, why);
    if (err == ERR_OK)
        put_archived(change, &zone);
    if (err == ERR_OK && is_archived(&zone))
        err = placement_of_zone(change, zone.id, change->now_ms, placement);
    if (err == ERR_OK && placement[0] != '\0')
        err = err_set(why, ERR_INVALID,
                      "zone '%s' is still measured, by placement '%s'; end it first",
                      zone.id, placement);
    if (err == ERR_OK)
        err = change_put(change, &zone, entity_text(&zone, "site"));
    entity_fini(&zone);
    return err;
}

/* ---- rules ----------------------------------------------------------------------------
 */

static enum err check_rule(struct change *change, const struct entity *entity,
                           struct err_text *why)
{
    struct alert_rule rule = {0};
    struct doubt doubt;
    if (!registry_parse_rule(&rule, entity->id, entity->body))
        return err_set(why, ERR_INVALID, "rule '%s' cannot be read", entity->id);
    enum err err = rule_resolve(change, &rule, why);
    if (err == ERR_OK)
        err = alert_rule_check(&rule, why);
    if (err == ERR_OK && doubt_of_rule(&rule, &doubt))
        change_add_warning(change, doubt.code, doubt.text, doubt.text_zh);
    return err;
}

/* A level without a recovery of its own recovers at the level. */
static void fill_levels(struct entity *rule)
{
    size_t i;
    json_t *level;
    json_array_foreach(json_object_get(rule->body, "levels"), i, level)
    {
        if (json_object_get(level, "severity") == NULL)
            json_object_set_new(level, "severity", json_string("warning"));
        if (json_object_get(level, "delay") == NULL)
            json_object_set_new(level, "delay", json_integer(0));
        if (json_object_get(level, "recovery_level") == NULL)
            json_object_set(level, "recovery_level", json_object_get(level, "level"));
        if (json_object_get(level, "recovery_delay") == NULL)
            json_object_set_new(level, "recovery_delay", json_integer(0));
    }
}

enum err rule_put(struct change *change, struct err_text *why)
{
    struct entity rule = {0};
    char org[ID_SIZE] = "";
    enum err err = change_merge(change, "rule", change_text(change, "id"), &rule, why);
    if (err == ERR_OK)
        err = refer(change, "zone", entity_text(&rule, "zone"), org, why);
    if (err == ERR_OK)
        err = keep_org(&rule, org, why);
    if (err == ERR_OK) {
        fill_levels(&rule);
        err = check_rule(change, &rule, why);
    }
    if (err == ERR_OK)
        err = change_put(change, &rule, entity_text(&rule, "zone"));
    entity_fini(&rule);
    return err;
}

enum err rule_delete(struct change *change, struct err_text *why)
{
    struct entity rule = {0};
    enum err err = open_known(change, "rule", &rule, why);
    if (err == ERR_OK)
        err = change_delete(change, &rule);
    entity_fini(&rule);
    return err;
}
