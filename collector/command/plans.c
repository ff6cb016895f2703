// SPDX-License-Identifier: Apache-2.0
/*
 * plans - what is planned in a zone: set-point steps and maintenance; and what its goods
 * bear together.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "collector/command/internal.h"
#include "freshness/band.h"
#include "freshness/profile_set.h"

static int64_t ms_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* ---- spans of time --------------------------------------------------------------------
 */

static enum err check_spans(const struct entity *zone, const char *list,
                            struct err_text *why)
{
    char from[CLOCK_ISO_MAX];
    size_t i;
    json_t *span;
    json_array_foreach(json_object_get(zone->body, list), i, span)
    {
        if (ms_of(span, "to") <= ms_of(span, "from"))
            return err_set(why, ERR_INVALID,
                           "what is planned in zone '%s' from %s on ends after it "
                           "begins: give a later 'to'",
                           zone->id, clock_format_iso(from, ms_of(span, "from")));
        if (number_of(span, "band_low") >= number_of(span, "band_high"))
            return err_set(why, ERR_INVALID,
                           "the step in zone '%s' from %s on has a band_low that is not "
                           "below its band_high",
                           zone->id, clock_format_iso(from, ms_of(span, "from")));
    }
    return ERR_OK;
}

/* Makes room in a list that is full, when something in it is over. */
static void drop_past(json_t *list, int64_t now_ms)
{
    size_t oldest = json_array_size(list);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (ms_of(json_array_get(list, i), "to") <= now_ms &&
            (oldest == json_array_size(list) ||
             ms_of(json_array_get(list, i), "to") <
                 ms_of(json_array_get(list, oldest), "to")))
            oldest = i;
    if (json_array_size(list) > ZONE_SPANS_MAX && oldest < json_array_size(list))
        json_array_remove(list, oldest);
}

static bool take_away(json_t *list, int64_t from_ms)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (ms_of(json_array_get(list, i), "from") == from_ms)
            return json_array_remove(list, i) == 0;
    return false;
}

static enum err cancel(struct change *change, struct entity *zone, const char *list,
                       struct err_text *why)
{
    char from[CLOCK_ISO_MAX];
    int64_t from_ms = change_ms(change, "from", 0);
    json_t *spans = json_object_get(zone->body, list);
    if (!take_away(spans, from_ms))
        return err_set(why, ERR_NOT_FOUND,
                       "nothing in '%s' of zone '%s' begins at %s; look at the zone",
                       list, zone->id, clock_format_iso(from, from_ms));
    if (json_array_size(spans) == 0)
        json_object_del(zone->body, list);
    return ERR_OK;
}

static enum err add(struct change *change, struct entity *zone, const char *list,
                    const char *const *fields, struct err_text *why)
{
    if (!change_has(change, "to"))
        return err_set(why, ERR_INVALID, "'to' is missing: until when, exclusive");
    change_add_dated(change, zone, list, fields);
    drop_past(json_object_get(zone->body, list), change->now_ms);
    if (json_array_size(json_object_get(zone->body, list)) > ZONE_SPANS_MAX)
        return err_set(why, ERR_LIMIT,
                       "zone '%s' has %d of them to come already; cancel one first",
                       zone->id, ZONE_SPANS_MAX);
    return ERR_OK;
}

static enum err put_span(struct change *change, const char *list,
                         const char *const *fields, struct err_text *why)
{
    struct entity zone = {0};
    const char *id = change_text(change, "id");
    enum err err = change_open(change, "zone", id, &zone, why);
    if (err == ERR_OK && zone.body == NULL)
        err = err_set(why, ERR_NOT_FOUND, "there is no zone '%s'", id);
    if (err == ERR_OK)
        err = json_is_true(json_object_get(change->body, "cancel"))
                  ? cancel(change, &zone, list, why)
                  : add(change, &zone, list, fields, why);
    if (err == ERR_OK)
        err = zone_check_plans(change, &zone, why);
    if (err == ERR_OK)
        err = change_put(change, &zone, entity_text(&zone, "site"));
    entity_fini(&zone);
    return err;
}

enum err zone_plan_step(struct change *change, struct err_text *why)
{
    static const char *const fields[] = {"to",    "band_low", "band_high",
                                         "goods", "why",      NULL};
    return put_span(change, "steps", fields, why);
}

enum err zone_maintenance(struct change *change, struct err_text *why)
{
    static const char *const fields[] = {"to", "why", NULL};
    return put_span(change, "maintenance", fields, why);
}

/* ---- goods ----------------------------------------------------------------------------
 */

static bool is_among(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), name) == 0)
            return true;
    return false;
}

/* `so_far` is what those before it bear. */
static void warn_empty(struct change *change, const struct entity *zone, const char *name,
                       struct band so_far, struct band own)
{
    change_warn(
        change, "band_empty",
        "what is in zone '%s' bears no temperature together: %s needs %g to %g "
        "°C, the others %g to %g; its band is as if nothing was in it",
        "库区“%s”内的货物没有共同的适宜温度:%s 需要 %g 至 %g °C,其余需要 %g 至 %g "
        "°C;库区温度带按未装货处理",
        zone->id, name, own.low, own.high, so_far.low, so_far.high);
}

static enum err check_goods(struct change *change, const struct entity *zone,
                            const struct profile_set *set, struct err_text *why)
{
    struct band all = {number_of(zone->body, "band_low"),
                       number_of(zone->body, "band_high")};
    const json_t *goods = json_object_get(zone->body, "goods");
    bool is_told = false;
    for (size_t i = 0; i < json_array_size(goods); i++) {
        const char *name = json_string_value(json_array_get(goods, i));
        const struct profile *profile = profile_set_find(set, name);
        if (profile == NULL)
            return err_set(why, ERR_INVALID,
                           "'%s' in 'goods' of zone '%s' is no profile; 'coldchainctl "
                           "freshness profiles' lists them",
                           name, zone->id);
        struct band own = band_of_profile(profile);
        struct band both = band_intersect(all, own);
        if (band_is_empty(both) && !is_told)
            warn_empty(change, zone, name, all, own);
        is_told |= band_is_empty(both);
        all = both;
    }
    return ERR_OK;
}

/* A step is for those who are planned to share it; what else is there is watched on. */
static void warn_unshared(struct change *change, const struct entity *zone)
{
    const json_t *goods = json_object_get(zone->body, "goods");
    size_t k;
    json_t *step;
    json_array_foreach(json_object_get(zone->body, "steps"), k, step)
    {
        const json_t *sharing = json_object_get(step, "goods");
        if (sharing == NULL || ms_of(step, "to") <= change->now_ms)
            continue;
        for (size_t i = 0; i < json_array_size(goods); i++) {
            char from[CLOCK_ISO_MAX];
            const char *name = json_string_value(json_array_get(goods, i));
            if (!is_among(sharing, name))
                change_warn(change, "step_unshared",
                            "the step in zone '%s' from %s on is not planned for %s, "
                            "which is there: rules go on as ever",
                            "库区“%s”自 %s 起的计划阶段不含库内的 %s:规则照常判断",
                            zone->id, clock_format_iso(from, ms_of(step, "from")), name);
        }
    }
}

enum err zone_check_plans(struct change *change, const struct entity *zone,
                          struct err_text *why)
{
    enum err err = check_spans(zone, "steps", why);
    if (err == ERR_OK)
        err = check_spans(zone, "maintenance", why);
    if (err != ERR_OK || json_object_get(zone->body, "goods") == NULL)
        return err;
    struct profile_set *set = profile_set_create();
    err = check_goods(change, zone, set, why);
    profile_set_destroy(set);
    if (err == ERR_OK)
        warn_unshared(change, zone);
    return err;
}

void zone_warn_goods(struct change *change, const struct entity *zone)
{
    const json_t *goods = json_object_get(zone->body, "goods");
    if (strcmp(entity_text(zone, "off_duty"), "empty") != 0 ||
        json_array_size(goods) == 0)
        return;
    const char *first = json_string_value(json_array_get(goods, 0));
    change_warn(
        change, "goods_left",
        "zone '%s' is off duty as empty, and %zu sorts of goods are recorded as "
        "standing in it (%s): look whether they are gone, then empty 'goods'",
        "库区“%s”登记为空库停用,但仍登记有 %zu 种货物(%s):请确认是否已清空,再清空 goods",
        zone->id, json_array_size(goods), first);
}
