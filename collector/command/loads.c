// SPDX-License-Identifier: Apache-2.0
/*
 * loads - goods come into a zone, warm or not, and go: said at the gate, one at a time.
 */
#include <math.h>
#include <string.h>

#include "alerts/zones.h"
#include "base/clock.h"
#include "collector/command/internal.h"
#include "collector/pipeline/registry_plans.h"

#define DAY_MS   ((int64_t)24 * 3600 * 1000)
#define OVER_MS  (7 * DAY_MS)
#define OVER_TAU 6 /* e^-6 of 40 K is 0.1 K: as warm as the rest */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static int64_t from_of(const json_t *load)
{
    return json_integer_value(json_object_get(load, "from"));
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* The list, made when it is not there; borrowed. */
static json_t *list_of(struct entity *zone, const char *name)
{
    json_t *list = json_object_get(zone->body, name);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(zone->body, name, list);
    }
    return list;
}

static void drop_empty(struct entity *zone, const char *name)
{
    if (json_array_size(json_object_get(zone->body, name)) == 0)
        json_object_del(zone->body, name);
}

static enum err open_zone(struct change *change, struct entity *zone,
                          struct err_text *why)
{
    const char *id = change_text(change, "id");
    enum err err = change_open(change, "zone", id, zone, why);
    if (err == ERR_OK && zone->body == NULL)
        return err_set(why, ERR_NOT_FOUND, "there is no zone '%s'", id);
    if (err == ERR_OK && json_is_true(json_object_get(zone->body, "archived")))
        return err_set(why, ERR_INVALID, "zone '%s' is archived; bring it back first",
                       id);
    return err;
}

/* ---- the answer -----------------------------------------------------------------------
 */

static json_t *json_of(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* What the zone's air may be now: its goods' bands and its own. */
static void tell_band(struct change *change, const struct entity *zone,
                      struct registry *registry)
{
    const struct band declared = {number_of(zone->body, "band_low"),
                                  number_of(zone->body, "band_high")};
    struct band band = registry_goods_band(&registry->profiles, declared,
                                           json_object_get(zone->body, "goods"));
    json_object_set_new(
        change->result, "band",
        json_pack("{s:o, s:o}", "low", json_of(band.low), "high", json_of(band.high)));
}

static enum err put(struct change *change, struct entity *zone, struct registry *registry)
{
    enum err err =
        zone_note_goods(change, zone, change_ms(change, "from", change->now_ms));
    if (err == ERR_OK)
        err = zone_warn_rules(change, zone);
    if (err == ERR_OK)
        err = change_put(change, zone, entity_text(zone, "site"));
    if (err == ERR_OK)
        tell_band(change, zone, registry);
    return err;
}

/* ---- loading --------------------------------------------------------------------------
 */

/* After this long a load is as warm as what stood there. */
static int64_t over_ms(const struct entity *zone, struct registry *registry)
{
    struct registry_zone described = {0};
    registry_describe_zone(registry, &described, zone->body);
    int64_t over = OVER_TAU * described.tau_most_ms;
    return over < OVER_MS ? over : OVER_MS;
}

static void drop_over(json_t *loads, int64_t before_ms)
{
    for (size_t i = json_array_size(loads); i-- > 0;)
        if (from_of(json_array_get(loads, i)) <= before_ms)
            json_array_remove(loads, i);
}

/* In order of time; the same goods of the same time are said anew. */
static void insert(json_t *loads, json_t *load)
{
    size_t at = json_array_size(loads);
    while (at > 0 && from_of(json_array_get(loads, at - 1)) >= from_of(load))
        at--;
    for (size_t i = at; i < json_array_size(loads);) {
        const json_t *other = json_array_get(loads, i);
        if (from_of(other) == from_of(load) &&
            strcmp(text_of(other, "goods"), text_of(load, "goods")) == 0)
            json_array_remove(loads, i);
        else
            i++;
    }
    json_array_insert_new(loads, at, load);
}

static enum err check_time(const struct change *change, int64_t from_ms,
                           struct err_text *why)
{
    char from[CLOCK_ISO_MAX];
    if (from_ms > change->now_ms + DAY_MS || from_ms <= change->now_ms - OVER_MS)
        return err_set(why, ERR_INVALID,
                       "'from' is %s: say goods that came in within the last 7 days or "
                       "come within a day; older ones are as warm as the rest, and go "
                       "without 'entry_c'",
                       clock_format_iso(from, from_ms));
    return ERR_OK;
}

static enum err add_load(struct change *change, struct entity *zone,
                         struct registry *registry, struct err_text *why)
{
    static const char *const fields[] = {"entry_c", "goods", "why", NULL};
    int64_t from_ms = change_ms(change, "from", change->now_ms);
    enum err err = check_time(change, from_ms, why);
    if (err != ERR_OK)
        return err;
    json_t *load = json_pack("{s:I}", "from", (json_int_t)from_ms);
    for (size_t i = 0; fields[i] != NULL; i++)
        if (change_has(change, fields[i]))
            json_object_set(load, fields[i], json_object_get(change->body, fields[i]));
    json_t *loads = list_of(zone, "loads");
    drop_over(loads, change->now_ms - over_ms(zone, registry));
    insert(loads, load);
    if (json_array_size(loads) > ALERT_LOADS_MAX)
        return err_set(why, ERR_LIMIT,
                       "%d loads of zone '%s' are on their way to its temperature "
                       "already: take out what has left (zone.unload), or say goods "
                       "that are no warmer than those without 'entry_c'",
                       ALERT_LOADS_MAX, zone->id);
    return ERR_OK;
}

static void add_goods(struct entity *zone, const char *name)
{
    json_t *goods = list_of(zone, "goods");
    for (size_t i = 0; i < json_array_size(goods); i++)
        if (strcmp(json_string_value(json_array_get(goods, i)), name) == 0)
            return;
    json_array_append_new(goods, json_string(name));
}

static void warn_off_duty(struct change *change, const struct entity *zone)
{
    const char *reason = entity_text(zone, "off_duty");
    if (reason[0] != '\0')
        change_warn(change, "off_duty",
                    "zone '%s' is off duty (%s), and its goods are not watched: put it "
                    "on duty (zone.duty)",
                    "库区“%s”已停用(%s),库内货物不受监视:请启用库区(zone.duty)", zone->id,
                    reason);
}

enum err zone_load(struct change *change, struct err_text *why)
{
    struct entity zone = {0};
    struct registry *registry = registry_create();
    enum err err = open_zone(change, &zone, why);
    if (err == ERR_OK) {
        add_goods(&zone, change_text(change, "goods"));
        err = zone_check_plans(change, &zone, why);
    }
    if (err == ERR_OK && change_has(change, "entry_c"))
        err = add_load(change, &zone, registry, why);
    if (err == ERR_OK) {
        warn_off_duty(change, &zone);
        err = put(change, &zone, registry);
    }
    registry_destroy(registry);
    entity_fini(&zone);
    return err;
}

/* ---- unloading ------------------------------------------------------------------------
 */

/* Takes away those of that name; NULL: all. How many went. */
static size_t take_goods(json_t *goods, const char *name)
{
    size_t before = json_array_size(goods);
    for (size_t i = before; i-- > 0;)
        if (name == NULL ||
            strcmp(json_string_value(json_array_get(goods, i)), name) == 0)
            json_array_remove(goods, i);
    return before - json_array_size(goods);
}

static size_t take_loads(json_t *loads, const char *name)
{
    size_t before = json_array_size(loads);
    for (size_t i = before; i-- > 0;)
        if (name == NULL || strcmp(text_of(json_array_get(loads, i), "goods"), name) == 0)
            json_array_remove(loads, i);
    return before - json_array_size(loads);
}

static enum err take_out(struct change *change, struct entity *zone, struct err_text *why)
{
    const char *name = change_text(change, "goods");
    size_t gone = take_goods(json_object_get(zone->body, "goods"), name);
    gone += take_loads(json_object_get(zone->body, "loads"), name);
    drop_empty(zone, "goods");
    drop_empty(zone, "loads");
    if (gone > 0)
        return ERR_OK;
    return name != NULL
               ? err_set(why, ERR_NOT_FOUND,
                         "no '%s' is recorded as standing in zone '%s'; look at the zone",
                         name, zone->id)
               : err_set(why, ERR_NOT_FOUND,
                         "nothing is recorded as standing in zone '%s'", zone->id);
}

enum err zone_unload(struct change *change, struct err_text *why)
{
    struct entity zone = {0};
    struct registry *registry = registry_create();
    enum err err = open_zone(change, &zone, why);
    if (err == ERR_OK)
        err = take_out(change, &zone, why);
    if (err == ERR_OK)
        err = zone_check_plans(change, &zone, why);
    if (err == ERR_OK)
        err = put(change, &zone, registry);
    registry_destroy(registry);
    entity_fini(&zone);
    return err;
}
