// SPDX-License-Identifier: Apache-2.0
/*
 * rule_doubts - what the last 30 days say of a rule that was put: whether anything
 * measured what it watches, and whether it would have fired all the time (doubts.h), or
 * by the engine itself, never (trial.h).
 *
 * Only the answer tells of it: nothing is decided by it, and when there is no time for it
 * it is left out.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/zones.h"
#include "base/clock.h"
#include "base/mem.h"
#include "collector/api/changes.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/doubts.h"
#include "collector/pipeline/registry.h"
#include "collector/pipeline/rooms.h"
#include "collector/store/state_entities.h"
#include "collector/trial.h"
#include "telemetry/channel.h"

#define LOOK_BACK_MS ((int64_t)30 * 24 * 3600 * 1000)
#define LOOK_MS      500  /* of reading, at most */
#define LOOKS_MAX    64   /* channels */
#define PAGE         2048 /* readings of a channel that are held at once */

/* A channel for the time that it measured the zone. */
struct look {
    char device[ID_SIZE];
    char channel[ID_SIZE];
    char quantity[ID_SIZE];
    int64_t from_ms;
    int64_t to_ms;
    struct sample_of *page; /* what was read and not given on; owned */
    size_t count;
    size_t at;
    size_t skip; /* readings at from_ms that were read before */
    bool is_over;
};

struct sample_of {
    int64_t time_ms;
    double value;
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
    size_t watched_count; /* of that one */
    struct outlook outlook;
    struct trial *trial; /* NULL: the outlook says it all */
    struct look *filling;
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
    if (channel_parse(&name, channel) != ERR_OK)
        return;
    bool is_it = strcmp(name.quantity, looking->rule->quantity) == 0;
    looking->watched_count += is_it;
    bool is_wanted =
        looking->trial != NULL ? trial_wants(looking->trial, name.quantity) : is_it;
    if (!is_wanted || looking->look_count == LOOKS_MAX)
        return;
    struct look *look = &looking->looks[looking->look_count++];
    *look = (struct look){.page = NULL};
    snprintf(look->quantity, sizeof look->quantity, "%s", name.quantity);
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

/* ---- trying it out ---------------------------------------------------------------- */

static bool on_page(void *context, const struct history_reading *reading)
{
    struct looking *looking = context;
    struct look *look = looking->filling;
    looking->seen++;
    look->skip = reading->time_ms == look->from_ms ? look->skip + 1 : 1;
    look->from_ms = reading->time_ms;
    if (reading->quality == QUALITY_GOOD && isfinite(reading->value))
        look->page[look->count++] = (struct sample_of){reading->time_ms, reading->value};
    return true;
}

/* Until there is something, or nothing more. */
static enum err fill_page(struct looking *looking, struct history_reader *history,
                          struct look *look)
{
    enum err err = ERR_OK;
    if (look->page == NULL)
        look->page = mem_array(PAGE, sizeof *look->page);
    look->count = 0;
    look->at = 0;
    looking->filling = look;
    while (err == ERR_OK && look->count == 0 && !look->is_over) {
        const struct history_range range = {.org = looking->org,
                                            .device = look->device,
                                            .channel = look->channel,
                                            .from_ms = look->from_ms,
                                            .to_ms = look->to_ms,
                                            .skip = look->skip};
        looking->seen = 0;
        err = history_query(history, &range, PAGE, looking, on_page);
        look->is_over = looking->seen < PAGE;
        if (clock_real_ms() > looking->deadline_ms)
            err = ERR_TIMEOUT;
    }
    return err;
}

/* The one whose next reading is the earliest; NULL: all are over. */
static enum err next_look(struct looking *looking, struct history_reader *history,
                          struct look **next)
{
    enum err err = ERR_OK;
    *next = NULL;
    for (size_t i = 0; err == ERR_OK && i < looking->look_count; i++) {
        struct look *look = &looking->looks[i];
        if (look->at == look->count && !look->is_over)
            err = fill_page(looking, history, look);
        if (look->at < look->count &&
            (*next == NULL ||
             look->page[look->at].time_ms < (*next)->page[(*next)->at].time_ms))
            *next = look;
    }
    return err;
}

static enum err try_out(struct looking *looking, struct history_reader *history)
{
    struct look *look;
    enum err err = next_look(looking, history, &look);
    while (err == ERR_OK && look != NULL) {
        const struct sample_of *sample = &look->page[look->at++];
        const struct alert_reading reading = {.zone = looking->rule->zone,
                                              .device = look->device,
                                              .channel = look->channel,
                                              .quantity = look->quantity,
                                              .time_ms = sample->time_ms,
                                              .arrival_ms = sample->time_ms,
                                              .value = sample->value,
                                              .quality = QUALITY_GOOD};
        trial_reading(looking->trial, &reading);
        err = clock_real_ms() > looking->deadline_ms ? ERR_TIMEOUT
                                                     : next_look(looking, history, &look);
    }
    return err;
}

static void on_zone(void *context, const struct state_entity *row)
{
    struct looking *looking = context;
    json_t *body = json_loads(row->body, 0, NULL);
    registry_apply(looking->registry, "zone", row->id, row->org, NULL, body);
    json_decref(body);
}

/* What the zone is like, as the pipeline tells its engine. */
static void tell_zone(struct looking *looking)
{
    const struct alert_rule *rule = looking->rule;
    json_t *body = registry_rule_json(rule);
    registry_apply(looking->registry, "rule", rule->id, looking->org, NULL, body);
    json_decref(body);
    if (registry_zone(looking->registry, rule->zone) != NULL)
        pipeline_tell_room(trial_engine(looking->trial), looking->registry, rule->zone);
}

/* ---- the whole -------------------------------------------------------------------- */

static enum err look_at_all(struct looking *looking, struct api_stores *stores)
{
    enum err err = ERR_OK;
    if (looking->trial != NULL) {
        tell_zone(looking);
        return try_out(looking, stores->history);
    }
    for (size_t i = 0; err == ERR_OK && i < looking->look_count; i++)
        err = look_at(looking, stores->history, &looking->looks[i]);
    return err;
}

static bool is_measured_itself(const struct alert_rule *rule)
{
    return rule->quantity[0] != '\0' && !doubt_is_derived(rule->quantity) &&
           strcmp(rule->quantity, ALERT_GOODS) != 0; /* what is recorded of the zone */
}

static void look(struct looking *looking, struct api_stores *stores, json_t *result)
{
    struct doubt doubt;
    const struct alert_rule *rule = looking->rule;
    bool has_outlook = is_measured_itself(rule) && outlook_begin(&looking->outlook, rule);
    if (!has_outlook)
        looking->trial = trial_create(rule);
    if (find_channels(looking, stores) != ERR_OK)
        return;
    if (is_measured_itself(rule) && looking->channel_count > 0 &&
        looking->watched_count == 0 && clock_real_ms() <= looking->deadline_ms) {
        doubt_not_measured(rule, &doubt);
        add(result, &doubt);
        return;
    }
    if (!has_outlook && looking->trial == NULL)
        return;
    enum err err = look_at_all(looking, stores);
    /* what was read until there was no more time counts as well */
    if (err != ERR_OK && err != ERR_TIMEOUT)
        return;
    if (looking->trial != NULL ? trial_doubt(looking->trial, &doubt)
                               : outlook_doubt(&looking->outlook, &doubt))
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

/* What the zone is like, and by that the numbers that the rule names of its band. */
static void enter_zone(struct looking *looking, struct alert_rule *rule,
                       struct state *state)
{
    if (state_find_entity(state, "zone", rule->zone, looking, on_zone) != ERR_OK)
        return;
    const struct registry_zone *zone = registry_zone(looking->registry, rule->zone);
    if (zone != NULL)
        alert_rule_resolve(rule, zone->band_low, zone->band_high);
}

void api_doubt_rule(struct api_call *call, json_t *result)
{
    struct found found = {0};
    const char *id = json_string_value(json_object_get(result, "id"));
    if (id == NULL ||
        state_find_entity(call->stores->state, "rule", id, &found, on_rule) != ERR_OK ||
        !found.is_there || alert_kind_is_date(found.rule.kind))
        return;
    struct looking *looking = mem_alloc(sizeof *looking);
    looking->rule = &found.rule;
    looking->to_ms = api_now_ms(call->api);
    looking->from_ms = looking->to_ms - LOOK_BACK_MS;
    looking->deadline_ms = clock_real_ms() + LOOK_MS;
    looking->registry = registry_create();
    snprintf(looking->org, sizeof looking->org, "%s", found.org);
    enter_zone(looking, &found.rule, call->stores->state);
    look(looking, call->stores, result);
    registry_destroy(looking->registry);
    trial_destroy(looking->trial);
    for (size_t i = 0; i < looking->look_count; i++)
        free(looking->looks[i].page);
    free(looking->placements);
    free(looking);
}
