// SPDX-License-Identifier: Apache-2.0
/*
 * goods - since when what stands in a zone stands there, and whether rules that ask how
 * long it lasts can know.
 */
#include <string.h>

#include "collector/command/internal.h"
#include "collector/doubts.h"
#include "collector/pipeline/registry.h"
#include "collector/store/state_entities.h"
#include "freshness/profile_set.h"

static bool is_among(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), name) == 0)
            return true;
    return false;
}

/* As a load of it says, or as the command does. */
static int64_t since_of(const struct entity *zone, const char *name, int64_t from_ms)
{
    size_t i;
    json_t *load;
    json_array_foreach(json_object_get(zone->body, "loads"), i, load)
    {
        const char *goods = json_string_value(json_object_get(load, "goods"));
        if (goods != NULL && strcmp(goods, name) == 0)
            return json_integer_value(json_object_get(load, "from"));
    }
    return from_ms;
}

/* What stood there stays as it was, also when nobody knows since when. */
static json_t *since_now(const struct entity *zone, const struct entity *before,
                         int64_t from_ms)
{
    const json_t *goods = json_object_get(zone->body, "goods");
    const json_t *stood = json_object_get(before->body, "goods");
    const json_t *known = json_object_get(before->body, "goods_since");
    json_t *since = json_object();
    for (size_t i = 0; i < json_array_size(goods); i++) {
        const char *name = json_string_value(json_array_get(goods, i));
        json_t *old = json_object_get(known, name);
        if (old != NULL)
            json_object_set(since, name, old);
        else if (!is_among(stood, name))
            json_object_set_new(since, name, json_integer(since_of(zone, name, from_ms)));
    }
    return since;
}

enum err zone_note_goods(struct change *change, struct entity *zone, int64_t from_ms)
{
    struct entity before = {0};
    enum err err = change_get(change, "zone", zone->id, &before);
    if (err != ERR_OK)
        return err;
    json_t *since = since_now(zone, &before, from_ms);
    if (json_object_size(since) > 0)
        json_object_set(zone->body, "goods_since", since);
    else
        json_object_del(zone->body, "goods_since");
    json_decref(since);
    entity_fini(&before);
    return ERR_OK;
}

void rule_warn_goods(struct change *change, const struct alert_rule *rule,
                     const struct entity *zone)
{
    struct profile_set *profiles = NULL;
    struct doubt doubt;
    if (doubt_of_goods(rule, &profiles, json_object_get(zone->body, "goods"), &doubt))
        change_add_warning(change, doubt.code, doubt.text, doubt.text_zh);
    profile_set_destroy(profiles);
}
