// SPDX-License-Identifier: Apache-2.0
/*
 * config_zones - the zones of a settings file: what zone.put takes, by the fields of that
 * verb, which say what each key may be.
 */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/zones.h"
#include "base/clock.h"
#include "base/number.h"
#include "collector/command/verb.h"
#include "collector/config.h"
#include "collector/pipeline/registry.h"
#include "freshness/band.h"
#include "freshness/profile_set.h"

#define SPAN(field) .offset = offsetof(struct config_span, field)
#define FROM_KEY \
    { \
        .name = "from", .type = CONFIG_STRING, .is_required = true, SPAN(from), \
        .help = "since when" \
    }
#define TO_KEY \
    { \
        .name = "to", .type = CONFIG_STRING, .is_required = true, SPAN(to), \
        .help = "until when, exclusive" \
    }

static const struct config_key step_keys[] = {
    FROM_KEY,
    TO_KEY,
    {.name = "band_low",
     .type = CONFIG_STRING,
     SPAN(band_low),
     .help = "lowest air temperature that is in order meanwhile"},
    {.name = "band_high",
     .type = CONFIG_STRING,
     SPAN(band_high),
     .help = "highest air temperature that is in order meanwhile"},
    {.name = "goods",
     .type = CONFIG_STRINGS,
     SPAN(goods),
     .count_offset = offsetof(struct config_span, goods_count),
     .help = "profiles that it is planned for; absent: all in the zone"},
    {.name = "why", .type = CONFIG_STRING, SPAN(why), .help = "such as curing"},
    {.name = NULL},
};

static const struct config_key maintenance_keys[] = {
    FROM_KEY,
    TO_KEY,
    {.name = "why", .type = CONFIG_STRING, SPAN(why), .help = "what is done"},
    {.name = NULL},
};

static const struct config_key load_keys[] = {
    {.name = "from",
     .type = CONFIG_STRING,
     .is_required = true,
     SPAN(from),
     .help = "when it came in"},
    {.name = "entry_c",
     .type = CONFIG_STRING,
     .is_required = true,
     SPAN(entry_c),
     .help = "how warm the goods were then, in degree Celsius"},
    {.name = "goods",
     .type = CONFIG_STRING,
     SPAN(load_goods),
     .help = "profile of what came in; see zone.load"},
    {.name = "why", .type = CONFIG_STRING, SPAN(why), .help = "what came in"},
    {.name = NULL},
};

static const struct config_schema load_schema = {.keys = load_keys,
                                                 .size = sizeof(struct config_span)};
static const struct config_schema step_schema = {.keys = step_keys,
                                                 .size = sizeof(struct config_span)};
static const struct config_schema maintenance_schema = {
    .keys = maintenance_keys, .size = sizeof(struct config_span)};

#define ZONE(field) .offset = offsetof(struct config_zone, field)
#define ZONE_LIST(rows, count) \
    ZONE(rows), .count_offset = offsetof(struct config_zone, count)
static const struct config_key zone_keys[] = {
    {.name = "id",
     .type = CONFIG_STRING,
     .is_required = true,
     ZONE(id),
     .help = "identifier, unique in the house"},
    {.name = "name", .type = CONFIG_STRING, ZONE(name), .help = "for people"},
    {.name = "band_low",
     .type = CONFIG_STRING,
     ZONE(band_low),
     .help = "lowest air temperature that is in order, in degree Celsius"},
    {.name = "band_high",
     .type = CONFIG_STRING,
     ZONE(band_high),
     .help = "highest air temperature that is in order, in degree Celsius"},
    {.name = "off_duty",
     .type = CONFIG_STRING,
     ZONE(off_duty),
     .help = "why only safety is judged there; absent: it is on duty"},
    {.name = "goods",
     .type = CONFIG_STRINGS,
     ZONE_LIST(goods, goods_count),
     .help = "profiles of the produce in it: its band is what all of them bear"},
    {.name = "tau",
     .type = CONFIG_STRING,
     ZONE(tau),
     .help = "how fast its goods follow the air: the time for 63 % of a step"},
    {.name = "defrost_every",
     .type = CONFIG_STRING,
     ZONE(defrost_every),
     .help = "its defrosts' schedule"},
    {.name = "defrost_at",
     .type = CONFIG_STRING,
     ZONE(defrost_at),
     .help = "any one beginning of that schedule"},
    {.name = "defrost_most",
     .type = CONFIG_STRING,
     ZONE(defrost_most),
     .help = "how long one takes at most; 45 min when absent"},
    {.name = "door_most",
     .type = CONFIG_STRING,
     ZONE(door_most),
     .help = "how long a door without a signal may be open; 15 min when absent"},
    {.name = "recovery_most",
     .type = CONFIG_STRING,
     ZONE(recovery_most),
     .help = "how long after a door or a defrost the air may take to be back"},
    {.name = "start_most",
     .type = CONFIG_STRING,
     ZONE(start_most),
     .help = "how long the reason start holds once it goes on duty: a trip or a load "
             "begins; 2 h when absent"},
    {.name = "steps",
     .type = CONFIG_RECORDS,
     ZONE_LIST(steps, step_count),
     .record = &step_schema,
     .most = ZONE_SPANS_MAX,
     .help = "planned set-point steps, see zone.plan_step"},
    {.name = "maintenance",
     .type = CONFIG_RECORDS,
     ZONE_LIST(maintenance, maintenance_count),
     .record = &maintenance_schema,
     .most = ZONE_SPANS_MAX,
     .help = "see zone.maintenance"},
    {.name = "loads",
     .type = CONFIG_RECORDS,
     ZONE_LIST(loads, load_count),
     .record = &load_schema,
     .most = ALERT_LOADS_MAX,
     .help = "goods that came in warmer or colder than the zone"},
    {.name = "external_ids",
     .type = CONFIG_PAIRS,
     ZONE_LIST(external_ids, external_id_count),
     .help = "what others call it"},
    {.name = NULL},
};

const struct config_schema config_zone_schema = {.keys = zone_keys,
                                                 .size = sizeof(struct config_zone)};

/* ---- as JSON, by the verb's fields ------------------------------------------------ */

static const struct field *field_of(const struct field *fields, const char *name)
{
    while (strcmp(fields->name, name) != 0)
        fields++; /* the unit test holds the tables against each other */
    return fields;
}

static const struct field *zone_fields(void)
{
    return verb_find("zone.put")->fields;
}

static bool is_number(double *number, const char *text)
{
    size_t len = strlen(text);
    return len > 0 && number_scan(number, text, len) == len;
}

static json_t *text_json(const struct field *field, const char *text)
{
    double number;
    if (field->type == FIELD_NUMBER && is_number(&number, text))
        return json_real(number);
    return json_string(text);
}

static json_t *object_of(const struct config_key *keys, const struct field *fields,
                         const char *base);

/* NULL when nothing is said. */
static json_t *value_of(const struct config_key *key, const struct field *field,
                        const char *base)
{
    const void *at = base + key->offset;
    if (key->type == CONFIG_STRING) {
        const char *text = *(char *const *)at;
        return text != NULL ? text_json(field, text) : NULL;
    }
    size_t count = *(const size_t *)(const void *)(base + key->count_offset);
    if (count == 0)
        return NULL;
    json_t *list = key->type == CONFIG_PAIRS ? json_object() : json_array();
    for (size_t i = 0; i < count; i++) {
        if (key->type == CONFIG_STRINGS) {
            json_array_append_new(list, json_string((*(char **const *)at)[i]));
        } else if (key->type == CONFIG_PAIRS) {
            const struct config_pair *pair = &(*(struct config_pair *const *)at)[i];
            json_object_set_new(list, pair->name, json_string(pair->value));
        } else {
            assert(key->type == CONFIG_RECORDS);
            const char *record = *(char *const *)at + i * key->record->size;
            json_array_append_new(list,
                                  object_of(key->record->keys, field->record, record));
        }
    }
    return list;
}

static json_t *object_of(const struct config_key *keys, const struct field *fields,
                         const char *base)
{
    json_t *object = json_object();
    for (; keys->name != NULL; keys++) {
        json_t *value = value_of(keys, field_of(fields, keys->name), base);
        if (value != NULL)
            json_object_set_new(object, keys->name, value);
    }
    return object;
}

json_t *config_zone_said(const struct config_zone *zone)
{
    json_t *body = object_of(zone_keys, zone_fields(), (const char *)zone);
    json_t *clean = NULL;
    enum err err = verb_check(zone_fields(), body, &clean, NULL);
    json_decref(body);
    if (err != ERR_OK)
        return NULL; /* config_zone_check() says why */
    json_object_del(clean, "id");
    json_object_del(clean, "name");
    size_t besides = json_object_size(clean);
    besides -= zone->band_low != NULL ? 1 : 0;
    besides -= zone->band_high != NULL ? 1 : 0;
    if (besides > 0)
        return clean;
    json_decref(clean);
    return NULL;
}

static double number_of(const char *text)
{
    double number;
    return text != NULL && is_number(&number, text) ? number : (double)NAN;
}

json_t *config_zone_goods(const struct config_zone *zone)
{
    json_t *goods = json_array();
    for (size_t i = 0; zone != NULL && i < zone->goods_count; i++)
        json_array_append_new(goods, json_string(zone->goods[i]));
    return goods;
}

struct band config_zone_band(const struct config_zone *zone,
                             struct profile_set **profiles)
{
    const struct band declared = {
        number_of(zone != NULL ? zone->band_low : NULL),
        number_of(zone != NULL ? zone->band_high : NULL),
    };
    json_t *goods = config_zone_goods(zone);
    struct band band = registry_goods_band(profiles, declared, goods);
    json_decref(goods);
    return band;
}

/* ---- what is wrong ---------------------------------------------------------------- */

/* The key of the record that the sentence is about, else the first. */
static const struct config_key *blamed(const struct config_key *keys, const char *why)
{
    char name[64];
    for (const struct config_key *key = keys; key->name != NULL; key++) {
        snprintf(name, sizeof name, ".%s'", key->name);
        if (strstr(why, name) != NULL)
            return key;
    }
    return keys;
}

/* The body has the id and that key alone. */
static bool is_taken(json_t *value, const char *name, struct err_text *why)
{
    json_t *body = json_pack("{s:s, s:o}", "id", "zone", name, value);
    json_t *clean = NULL;
    enum err err = verb_check(zone_fields(), body, &clean, why);
    json_decref(clean);
    json_decref(body);
    return err == ERR_OK;
}

static void check_records(struct config *config, const struct config_key *key,
                          const struct field *field, const char *base)
{
    size_t count = *(const size_t *)(const void *)(base + key->count_offset);
    const char *records = *(char *const *)(const void *)(base + key->offset);
    for (size_t i = 0; i < count; i++) {
        struct err_text why = {""};
        const char *record = records + i * key->record->size;
        json_t *one = object_of(key->record->keys, field->record, record);
        if (is_taken(json_pack("[o]", one), key->name, &why))
            continue;
        const struct config_key *at = blamed(key->record->keys, why.text);
        config_problem(config, record + at->offset, "%s", why.text);
    }
}

static void check_band(struct config *config, char *const *low, char *const *high,
                       const char *what)
{
    if (number_of(*low) >= number_of(*high))
        config_problem(config, low, "band_low of %s is not below its band_high", what);
}

static void check_spans(struct config *config, const struct config_span *spans,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t from_ms;
        int64_t to_ms;
        const struct config_span *span = &spans[i];
        if (clock_parse_iso(&from_ms, span->from) && clock_parse_iso(&to_ms, span->to) &&
            to_ms <= from_ms)
            config_problem(config, &span->to,
                           "what is planned from %s on ends after it begins: give a "
                           "later 'to'",
                           span->from);
        check_band(config, &span->band_low, &span->band_high, "a step");
    }
}

static void check_goods(struct config *config, const struct config_zone *zone,
                        struct profile_set **profiles)
{
    struct band all = {number_of(zone->band_low), number_of(zone->band_high)};
    if (*profiles == NULL && zone->goods_count > 0)
        *profiles = profile_set_create();
    for (size_t i = 0; i < zone->goods_count; i++) {
        const struct profile *profile = profile_set_find(*profiles, zone->goods[i]);
        if (profile == NULL) {
            config_problem(config, &zone->goods,
                           "'%s' in 'goods' of zone '%s' is no profile; 'coldchainctl "
                           "freshness profiles' lists them",
                           zone->goods[i], zone->id);
            continue;
        }
        struct band own = band_of_profile(profile);
        struct band both = band_intersect(all, own);
        if (band_is_empty(both)) {
            config_warning(config, &zone->goods,
                           "what is in zone '%s' bears no temperature together: %s needs "
                           "%g to %g °C; its band is as if nothing was in it",
                           zone->id, zone->goods[i], own.low, own.high);
            return;
        }
        all = both;
    }
}

void config_zone_check(struct config *config, const struct config_zone *zone,
                       struct profile_set **profiles)
{
    const char *base = (const char *)zone;
    char what[100];
    for (const struct config_key *key = &zone_keys[1]; key->name != NULL; key++) {
        struct err_text why = {""};
        const struct field *field = field_of(zone_fields(), key->name);
        if (key->type == CONFIG_RECORDS) {
            check_records(config, key, field, base);
            continue;
        }
        json_t *value = value_of(key, field, base);
        if (value != NULL && !is_taken(value, key->name, &why))
            config_problem(config, base + key->offset, "%s", why.text);
    }
    snprintf(what, sizeof what, "zone '%.64s'", zone->id);
    check_band(config, &zone->band_low, &zone->band_high, what);
    check_spans(config, zone->steps, zone->step_count);
    check_spans(config, zone->maintenance, zone->maintenance_count);
    check_goods(config, zone, profiles);
}
