// SPDX-License-Identifier: Apache-2.0
/*
 * rule_doubts - what the last 30 days say of a rule that was put: whether anything
 * measured what it watches, and whether it would have fired all the time.
 *
 * Only the answer tells of it: nothing is decided by it, and when there is no time for it
 * it is left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collector/api/internal.h"
#include "collector/doubts.h"
#include "collector/pipeline/registry.h"
#include "collector/store/state_entities.h"
#include "telemetry/channel.h"

#define LOOK_BACK_MS ((int64_t)30 * 24 * 3600 * 1000)
#define LOOK_MS      500 /* of reading, at most */
#define LOOKS_MAX    64  /* channels */

/* A channel for the time that it measured the zone. */
struct look {
    char device[ID_SIZE];
    char channel[ID_SIZE];
    int64_t from_ms;
    int64_t to_ms;
};

struct looking {
    const struct alert_rule *rule;
    char org[ID_SIZE];
    int64_t from_ms;
    int64_t to_ms;
    int64_t deadline_ms;       /* real time */
    struct registry *registry; /* for its names */
    const char *wanted;        /* "zone":"room-1", as a body has it */
    struct registry_placement *placements;
    size_t placement_count;
    size_t placement_capacity;
    const struct registry_placement *at; /* the one whose channels are being listed */
    struct look looks[LOOKS_MAX];
    size_t look_count;
    size_t channel_count; /* of any quantity */
    struct outlook outlook;
    int64_t last_ms;
    size_t last_count;
    size_t seen;
};

/* ---- where to look ---------------------------------------------------------------- */

static void on_placement(void *context, const struct state_entity *row)
{
    struct looking *looking = context;
    struct registry_placement placement = {0};
    if (strstr(row->body, looking->wanted) == NULL ||
        clock_real_ms() > looking->deadline_ms)
        return;
    json_t *body = json_loads(row->body, 0, NULL);
    bool is_there =
        registry_parse_placement(looking->registry, &placement, row->org, body) &&
        strcmp(placement.zone, looking->rule->zone) == 0 &&
        (placement.to_ms == 0 || placement.to_ms > looking->from_ms);
    json_decref(body);
    if (!is_there)
        return;
    mem_grow(&looking->placements, &looking->placement_capacity,
             looking->placement_count + 1, sizeof *looking->placements);
    looking->placements[looking->placement_count++] = placement;
}

static void on_series(void *context, const char *org, const char *device,
                      const char *channel)
{
    struct looking *looking = context;
    const struct registry_placement *at = looking->at;
    struct channel name;
    (void)org;
    if (at->channel[0] != '\0' && strcmp(at->channel, channel) != 0)
        return;
    looking->channel_count++;
    if (channel_parse(&name, channel) != ERR_OK ||
        strcmp(name.quantity, looking->rule->quantity) != 0 ||
        looking->look_count == LOOKS_MAX)
        return;
    struct look *look = &looking->looks[looking->look_count++];
    snprintf(look->device, sizeof look->device, "%s", device);
    snprintf(look->channel, sizeof look->channel, "%s", channel);
    look->from_ms = at->from_ms > looking->from_ms ? at->from_ms : looking->from_ms;
    look->to_ms =
        at->to_ms != 0 && at->to_ms < looking->to_ms ? at->to_ms : looking->to_ms;
}

static enum err find_channels(struct looking *looking, struct api_stores *stores)
{
    char wanted[ID_SIZE + 16];
    snprintf(wanted, sizeof wanted, "\"zone\":\"%s\"", looking->rule->zone);
    looking->wanted = wanted;
    enum err err = state_each_entity(stores->state, "placement", NULL, looking->org,
                                     looking, on_placement);
    for (size_t i = 0; err == ERR_OK && i < looking->placement_count; i++) {
        looking->at = &looking->placements[i];
        err = history_series(stores->history, looking->org, looking->at->device, looking,
                             on_series);
    }
    return err;
}

/* ---- looking ---------------------------------------------------------------------- */

static bool on_reading(void *context, const struct history_reading *reading)
{
    struct looking *looking = context;
    looking->seen++;
    looking->last_count =
        reading->time_ms == looking->last_ms ? looking->last_count + 1 : 1;
    looking->last_ms = reading->time_ms;
    if (reading->quality == QUALITY_GOOD)
        outlook_add(&looking->outlook, reading->time_ms, reading->value);
    return true;
}

static enum err look_at(struct looking *looking, struct history_reader *history,
                        const struct look *look)
{
    struct history_range range = {.org = looking->org,
                                  .device = look->device,
                                  .channel = look->channel,
                                  .from_ms = look->from_ms,
                                  .to_ms = look->to_ms};
    enum err err;
    looking->last_ms = INT64_MIN;
    looking->last_count = 0;
    outlook_next_channel(&looking->outlook);
    do {
        looking->seen = 0;
        err = history_query(history, &range, HISTORY_LIMIT_MAX, looking, on_reading);
        range.from_ms = looking->last_ms;
        range.skip = looking->last_count;
        if (clock_real_ms() > looking->deadline_ms)
            err = ERR_TIMEOUT;
    } while (err == ERR_OK && looking->seen == HISTORY_LIMIT_MAX);
    return err;
}

static void add(json_t *result, const struct doubt *doubt)
{
    json_t *warnings = json_object_get(result, "warnings");
    if (warnings == NULL) {
        warnings = json_array();
        json_object_set_new(result, "warnings", warnings);
    }
    json_array_append_new(warnings,
                          json_pack("{s:s, s:s, s:s}", "code", doubt->code, "text",
                                    doubt->text, "text_zh", doubt->text_zh));
}

static void look(struct looking *looking, struct api_stores *stores, json_t *result)
{
    struct doubt doubt;
    if (find_channels(looking, stores) != ERR_OK)
        return;
    bool is_record = strcmp(looking->rule->quantity, ALERT_GOODS) == 0;
    if (looking->channel_count > 0 && looking->look_count == 0 && !is_record &&
        clock_real_ms() <= looking->deadline_ms) {
        doubt_not_measured(looking->rule, &doubt);
        add(result, &doubt);
    }
    if (!outlook_begin(&looking->outlook, looking->rule))
        return;
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < looking->look_count; i++)
        err = look_at(looking, stores->history, &looking->looks[i]);
    /* what was read until there was no more time counts as well */
    if ((err == ERR_OK || err == ERR_TIMEOUT) && outlook_doubt(&looking->outlook, &doubt))
        add(result, &doubt);
}

/* ---- the rule --------------------------------------------------------------------- */

struct found {
    struct alert_rule rule;
    char org[ID_SIZE];
    bool is_there;
};

static void on_rule(void *context, const struct state_entity *row)
{
    struct found *found = context;
    json_t *body = json_loads(row->body, 0, NULL);
    snprintf(found->org, sizeof found->org, "%s", row->org);
    found->is_there = registry_parse_rule(&found->rule, row->id, body);
    json_decref(body);
}

void api_doubt_rule(struct api_call *call, json_t *result)
{
    struct found found = {0};
    const char *id = json_string_value(json_object_get(result, "id"));
    if (id == NULL ||
        state_find_entity(call->stores->state, "rule", id, &found, on_rule) != ERR_OK ||
        !found.is_there || found.rule.quantity[0] == '\0' ||
        doubt_is_derived(found.rule.quantity))
        return;
    struct looking *looking = mem_alloc(sizeof *looking);
    looking->rule = &found.rule;
    looking->to_ms = api_now_ms(call->api);
    looking->from_ms = looking->to_ms - LOOK_BACK_MS;
    looking->deadline_ms = clock_real_ms() + LOOK_MS;
    looking->registry = registry_create();
    snprintf(looking->org, sizeof looking->org, "%s", found.org);
    look(looking, call->stores, result);
    registry_destroy(looking->registry);
    free(looking->placements);
    free(looking);
}
