// SPDX-License-Identifier: Apache-2.0
/*
 * dates - incidents of what falls due on a day: calibrations, and the dates of devices.
 *
 * Looked at once an hour of the journal's time. One incident for each rule, subject and
 * due day; its measure is the days that are left. Each level tells once: an incident that
 * a person closed comes back with the next level only. It is over when the day is
 * another, or nobody asks for it any more. state.db is the only memory, so a replay tells
 * nothing twice.
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/placing.h"
#include "collector/store/state_incidents.h"
#include "telemetry/channel.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS  (24 * HOUR_MS)

/* What is due now, and what is open of it. */
struct dates {
    struct pipeline *pipeline;
    const struct alert_rule **rules; /* by zone */
    size_t rule_count;
    struct map current;    /* ids of incidents that may be open */
    struct incident *open; /* those of dates that are */
    size_t open_count;
    size_t open_capacity;
    size_t seen; /* of a page, and where the next begins */
    int64_t last_ms;
    char last[ALERT_ID_SIZE];
};

static int compare_zones(const void *left, const void *right)
{
    const struct alert_rule *a = *(const struct alert_rule *const *)left;
    const struct alert_rule *b = *(const struct alert_rule *const *)right;
    int order = strcmp(a->zone, b->zone);
    return order != 0 ? order : strcmp(a->id, b->id);
}

static void find_rules(struct dates *dates)
{
    const struct registry *registry = dates->pipeline->registry;
    dates->rules = mem_array(registry->rule_count + 1, sizeof *dates->rules);
    for (size_t i = 0; i < registry->rule_count; i++)
        if (alert_kind_is_date(registry->rules[i].kind) &&
            registry_in_force(registry, &registry->rules[i]))
            dates->rules[dates->rule_count++] = &registry->rules[i];
    if (dates->rule_count > 0)
        qsort(dates->rules, dates->rule_count, sizeof *dates->rules, compare_zones);
}

/* ---- one rule on one date --------------------------------------------------------- */

static void make_id(char id[ALERT_ID_SIZE], const struct alert_rule *rule,
                    const struct registry_due *due)
{
    struct buf text = {0};
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    buf_format(&text, "%s/%s/%s/%s/%s/%" PRId64, alert_kind_name(due->kind), rule->id,
               rule->zone, due->device, due->name, due->due_ms);
    crypto_digest(digest, text.data, text.len);
    crypto_hex(id, digest, (ALERT_ID_SIZE - 1) / 2);
    buf_fini(&text);
}

static double days_left(const struct registry_due *due, int64_t now_ms)
{
    return floor((double)(due->due_ms - now_ms) / (double)DAY_MS);
}

/* The gravest level that is reached; NULL: none. */
static const struct alert_level *level_reached(const struct alert_rule *rule, double days)
{
    const struct alert_level *reached = NULL;
    for (size_t i = 0; i < rule->level_count; i++)
        if (days <= rule->levels[i].level)
            reached = &rule->levels[i];
    return reached;
}

static void put_snapshot(struct incident *incident, const struct alert_rule *rule,
                         const struct registry_due *due)
{
    json_t *json = registry_rule_json(rule);
    json_object_set_new(json, "due_ms", json_integer(due->due_ms));
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
    snprintf(incident->snapshot, sizeof incident->snapshot, "%s",
             text != NULL && strlen(text) < sizeof incident->snapshot ? text : "{}");
    free(text);
    json_decref(json);
}

static void open_one(struct pipeline *pipeline, const struct alert_rule *rule,
                     const struct registry_due *due, struct incident *incident)
{
    const struct alert_level *level = level_reached(rule, incident->value);
    int64_t now_ms = pipeline->now_ms;
    struct channel channel;
    incident->kind = rule->kind;
    incident->severity = level->severity;
    incident->state = INCIDENT_OPEN;
    incident->onset_ms = incident->opened_ms = now_ms;
    incident->learned_ms = incident->changed_ms = now_ms;
    incident->limit = level->level;
    incident->worst = incident->value;
    incident->revision = 1;
    snprintf(incident->rule, sizeof incident->rule, "%s", rule->id);
    snprintf(incident->zone, sizeof incident->zone, "%s", rule->zone);
    snprintf(incident->device, sizeof incident->device, "%s", due->device);
    snprintf(incident->channel, sizeof incident->channel, "%s", due->name);
    if (channel_parse(&channel, due->name) == ERR_OK)
        snprintf(incident->quantity, sizeof incident->quantity, "%s", channel.quantity);
    put_snapshot(incident, rule, due);
    pipeline_emit(pipeline, ALERT_EFFECT_OPENED, incident);
}

/* The next level is graver, or it asks once more. */
static void reach(struct incident *incident, const struct alert_level *level)
{
    incident->limit = level->level;
    if (level->severity > incident->severity)
        incident->severity = level->severity;
    incident->state = INCIDENT_OPEN;
    incident->closed_ms = 0;
    incident->is_acknowledged = false;
    incident->acknowledged_by[0] = '\0';
    incident->acknowledged_ms = 0;
}

/* Another day, or another level, of one that was told of. */
static void go_on(struct pipeline *pipeline, const struct alert_rule *rule, double days,
                  struct incident *incident)
{
    const struct alert_level *level = level_reached(rule, days);
    bool is_next = level != NULL && level->level < incident->limit;
    bool is_graver = is_next && level->severity > incident->severity;
    bool is_open = incident->state != INCIDENT_CLOSED;
    if (!is_next && (!is_open || incident->value == days))
        return;
    incident->value = days;
    incident->worst = fmin(incident->worst, days);
    incident->changed_ms = pipeline->now_ms;
    incident->revision++;
    if (is_next)
        reach(incident, level);
    pipeline_emit(pipeline,
                  is_graver ? ALERT_EFFECT_ESCALATED
                  : is_next ? ALERT_EFFECT_REMINDED
                            : ALERT_EFFECT_UPDATED,
                  incident);
}

static void judge(struct dates *dates, const struct alert_rule *rule,
                  const struct registry_due *due)
{
    struct pipeline *pipeline = dates->pipeline;
    struct incident incident = {0};
    char id[ALERT_ID_SIZE];
    double days = days_left(due, pipeline->now_ms);
    make_id(id, rule, due);
    *map_at(&dates->current, id) = dates;
    enum err err = state_get_incident(pipeline->options.state, id, &incident);
    if (err == ERR_OK) {
        go_on(pipeline, rule, days, &incident);
    } else if (err == ERR_NOT_FOUND) {
        incident = (struct incident){.value = days};
        memcpy(incident.id, id, sizeof id);
        if (level_reached(rule, days) != NULL)
            open_one(pipeline, rule, due, &incident);
    } else {
        pipeline_note(pipeline, err);
    }
}

/* ---- which rules a date concerns -------------------------------------------------- */

static bool watches(const struct alert_rule *rule, const struct registry_due *due)
{
    struct channel channel;
    if (rule->kind != due->kind)
        return false;
    if (rule->quantity[0] == '\0' || strcmp(rule->quantity, due->name) == 0)
        return true;
    return rule->kind == ALERT_CALIBRATION_DUE &&
           channel_parse(&channel, due->name) == ERR_OK &&
           strcmp(channel.quantity, rule->quantity) == 0;
}

static void judge_in_zone(struct dates *dates, const char *zone,
                          const struct registry_due *due)
{
    size_t low = 0;
    size_t high = dates->rule_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(dates->rules[middle]->zone, zone) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < dates->rule_count && strcmp(dates->rules[low]->zone, zone) == 0; low++)
        if (watches(dates->rules[low], due))
            judge(dates, dates->rules[low], due);
}

/* A channel is where it measures; a device where it does as a whole, or its first. */
static const char *zone_of(const struct pipeline *pipeline,
                           const struct registry_due *due)
{
    const struct registry *registry = pipeline->registry;
    const char *channel = due->kind == ALERT_CALIBRATION_DUE ? due->name : "";
    const struct registry_placement *at =
        registry_place(registry, due->org, due->device, channel, pipeline->now_ms);
    for (size_t i = 0; at == NULL && channel[0] == '\0' && i < registry->placement_count;
         i++) {
        const struct registry_placement *one = &registry->placements[i];
        if (strcmp(one->org, due->org) == 0 && strcmp(one->device, due->device) == 0 &&
            registry_covers(one, pipeline->now_ms))
            at = one;
    }
    return at != NULL ? at->zone : NULL;
}

static void tell_date(const struct pipeline *pipeline, const struct alert_rule *rule,
                      const struct registry_due *due, void *context, standing_fn *tell)
{
    struct incident incident = {0};
    struct standing standing = {.rule = rule->id,
                                .kind = rule->kind,
                                .device = due->device,
                                .channel = due->name,
                                .quantity = rule->quantity,
                                .measure = days_left(due, pipeline->now_ms)};
    char id[ALERT_ID_SIZE];
    make_id(id, rule, due);
    if (state_get_incident(pipeline->options.state, id, &incident) == ERR_OK &&
        incident.state != INCIDENT_CLOSED) {
        standing.state = STANDING_FIRING;
        memcpy(standing.incident, id, sizeof id);
    }
    tell(context, &standing);
}

bool pipeline_each_date(const struct pipeline *pipeline, const struct alert_rule *rule,
                        void *context, standing_fn *tell)
{
    const struct registry *registry = pipeline->registry;
    bool has_any = false;
    for (size_t i = 0; i < registry->due_count; i++) {
        const struct registry_due *due = &registry->dues[i];
        const char *zone = watches(rule, due) ? zone_of(pipeline, due) : NULL;
        if (zone == NULL || strcmp(zone, rule->zone) != 0)
            continue;
        tell_date(pipeline, rule, due, context, tell);
        has_any = true;
    }
    return has_any;
}

/* ---- what is over ----------------------------------------------------------------- */

static void on_open(void *context, const struct incident *incident)
{
    struct dates *dates = context;
    dates->seen++;
    dates->last_ms = incident->opened_ms;
    memcpy(dates->last, incident->id, sizeof dates->last);
    if (!alert_kind_is_date(incident->kind) ||
        map_get(&dates->current, incident->id) != NULL)
        return;
    mem_grow(&dates->open, &dates->open_capacity, dates->open_count + 1,
             sizeof *dates->open);
    dates->open[dates->open_count++] = *incident;
}

static void find_rest(struct dates *dates)
{
    struct state_incident_query query = {.states = 1u << INCIDENT_OPEN};
    do {
        dates->seen = 0;
        pipeline_note(
            dates->pipeline,
            state_page_incidents(dates->pipeline->options.state, &query, dates, on_open));
        query.cursor_ms = dates->last_ms;
        query.cursor = dates->last;
    } while (dates->seen > 0 && dates->pipeline->batch_err == ERR_OK);
}

static void close_rest(struct dates *dates)
{
    struct pipeline *pipeline = dates->pipeline;
    for (size_t i = 0; i < dates->open_count; i++) {
        struct incident *incident = &dates->open[i];
        incident->state = INCIDENT_CLOSED;
        incident->closed_ms = incident->changed_ms = pipeline->now_ms;
        incident->revision++;
        pipeline_emit(pipeline, ALERT_EFFECT_CLOSED, incident);
    }
}

void pipeline_judge_dates(struct pipeline *pipeline)
{
    const struct registry *registry = pipeline->registry;
    bool is_due = pipeline->now_ms / HOUR_MS != pipeline->placed_ms / HOUR_MS;
    if ((!is_due && !pipeline->wants_dates) || !pipeline_begin_effects(pipeline))
        return;
    struct dates dates = {.pipeline = pipeline};
    pipeline->wants_dates = false;
    find_rules(&dates);
    for (size_t i = 0; dates.rule_count > 0 && i < registry->due_count; i++) {
        const char *zone = zone_of(pipeline, &registry->dues[i]);
        if (zone != NULL)
            judge_in_zone(&dates, zone, &registry->dues[i]);
    }
    find_rest(&dates);
    close_rest(&dates);
    map_fini(&dates.current);
    free(dates.rules);
    free(dates.open);
}
