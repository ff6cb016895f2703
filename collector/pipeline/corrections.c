// SPDX-License-Identifier: Apache-2.0
/*
 * corrections - incidents follow what is said of the past.
 *
 * A command that says that a channel measured another zone than was thought leaves a
 * correction behind. With each tick the oldest one goes on a little: both zones are
 * judged again from history (rejudge.h), and when history has been read as far as the
 * present, the incidents that touch the corrected time become what they would be. Those
 * that never were are withdrawn, others are told of now, late, and what is open is taken
 * over by the engine, with what people did to it.
 *
 * A correction ends in one transaction with its effects and a checkpoint: what a replay
 * reads again lies behind it.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/handover.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/pipeline/ahead.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/rejudge.h"
#include "collector/store/state_audit.h"
#include "collector/store/state_entities.h"
#include "collector/store/state_incidents.h"

#define STEP_READINGS 20000
#define ZONES_MAX     16 /* in which one channel was at a time */
/* What had begun before, at least: what goods are like, delays. */
#define LOOK_BACK_MS INT64_C(86400000)

/* What was decided of one zone and device before. */
struct decided {
    struct incident *items;
    size_t count;
    size_t capacity;
    const char *device;
    const char *channel; /* "": all */
    size_t read;         /* in this page */
    int64_t last_ms;
    char last[ALERT_ID_SIZE];
};

struct zone_again {
    char zone[ID_SIZE];
    struct rejudge *rejudge;
    struct decided decided;
};

/* The correction under way. */
struct correcting {
    uint64_t id;
    char org[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE]; /* "": all */
    int64_t from_ms;
    int64_t to_ms;
    struct zone_again zones[ZONES_MAX];
    size_t zone_count;
};

struct corrections {
    struct history_reader *history; /* opened when it is first wanted */
    struct correcting *now;         /* NULL: none */
};

static void correcting_destroy(struct correcting *now)
{
    if (now == NULL)
        return;
    for (size_t i = 0; i < now->zone_count; i++) {
        rejudge_destroy(now->zones[i].rejudge);
        free(now->zones[i].decided.items);
    }
    free(now);
}

struct corrections *corrections_create(void)
{
    return mem_alloc(sizeof(struct corrections));
}

void corrections_destroy(struct corrections *corrections)
{
    if (corrections == NULL)
        return;
    correcting_destroy(corrections->now);
    history_reader_close(corrections->history);
    free(corrections);
}

void corrections_begin_anew(struct corrections *corrections)
{
    correcting_destroy(corrections->now);
    corrections->now = NULL;
}

void corrections_heed(struct corrections *corrections, const struct device *device)
{
    const struct correcting *now = corrections->now;
    if (now != NULL && strcmp(now->device, device->id) == 0 &&
        strcmp(now->org, device->org) == 0)
        corrections_begin_anew(corrections);
}

/* ---- what was decided ------------------------------------------------------------- */

static void on_decided(void *context, const struct incident *incident)
{
    struct decided *decided = context;
    decided->read++;
    decided->last_ms = incident->opened_ms;
    snprintf(decided->last, sizeof decided->last, "%s", incident->id);
    bool is_of_channel =
        decided->channel[0] == '\0' || strcmp(decided->channel, incident->channel) == 0;
    if (alert_kind_is_date(incident->kind) || incident->kind == ALERT_GOODS_LEFT ||
        strcmp(incident->device, decided->device) != 0 || !is_of_channel ||
        incident->withdrawn_ms != 0)
        return;
    mem_grow(&decided->items, &decided->capacity, decided->count + 1,
             sizeof *decided->items);
    decided->items[decided->count++] = *incident;
}

/* Those of the zone that touch [from_ms, now]. */
static enum err read_decided(struct pipeline *pipeline, const struct correcting *now,
                             const char *zone, struct decided *decided)
{
    struct state_incident_query query = {.zone = zone, .from_ms = now->from_ms};
    *decided = (struct decided){.device = now->device, .channel = now->channel};
    enum err err = ERR_OK;
    do {
        decided->read = 0;
        err = state_page_incidents(pipeline->options.state, &query, decided, on_decided);
        query.cursor_ms = decided->last_ms;
        query.cursor = decided->last;
    } while (err == ERR_OK && decided->read == STATE_PAGE_MAX);
    return err;
}

static const struct incident *decided_find(const struct decided *decided, const char *id)
{
    for (size_t i = 0; i < decided->count; i++)
        if (strcmp(decided->items[i].id, id) == 0)
            return &decided->items[i];
    return NULL;
}

/* What people closed, of what was decided. */
struct closings {
    const struct decided *decided;
    struct rejudge_closed *items;
    size_t count;
};

static void add_closing(struct closings *closings, const char *id, int64_t at_ms)
{
    const struct incident *incident =
        id != NULL ? decided_find(closings->decided, id) : NULL;
    if (incident == NULL || closings->count == closings->decided->count)
        return;
    struct rejudge_closed *added = &closings->items[closings->count++];
    snprintf(added->id, sizeof added->id, "%s", incident->id);
    added->closed_ms = at_ms;
}

static void on_audit(void *context, const struct state_audit *row)
{
    struct closings *closings = context;
    if (strcmp(row->verb, "incident.close") != 0 ||
        strcmp(row->outcome, err_name(ERR_OK)) != 0)
        return;
    json_t *body = json_loads(row->body, 0, NULL);
    json_t *result = json_loads(row->result, 0, NULL);
    const json_t *ids = json_object_get(result, "incidents");
    for (size_t i = 0; i < json_array_size(ids); i++)
        add_closing(closings, json_string_value(json_array_get(ids, i)), row->at_ms);
    if (ids == NULL) /* of a version that closed one at a time */
        add_closing(closings, json_string_value(json_object_get(body, "id")), row->at_ms);
    json_decref(body);
    json_decref(result);
}

static enum err closed_by_people(struct pipeline *pipeline, struct closings *closings)
{
    if (closings->decided->count == 0)
        return ERR_OK;
    closings->items = mem_array(closings->decided->count, sizeof *closings->items);
    return state_audit_back(pipeline->options.state, 0, INT64_MAX, closings, on_audit);
}

/* ---- beginning one ---------------------------------------------------------------- */

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* As far as the zone's rules do: windows, and delays that had begun before. */
static int64_t look_back(const struct registry *registry, const char *zone)
{
    int64_t back_ms = LOOK_BACK_MS;
    for (size_t i = 0; i < registry->rule_count; i++) {
        const struct alert_rule *rule = &registry->rules[i];
        if (strcmp(rule->zone, zone) != 0)
            continue;
        back_ms = longer(back_ms, rule->window_ms);
        for (size_t k = 0; k < rule->level_count; k++)
            back_ms = longer(back_ms, longer(rule->levels[k].delay_ms,
                                             rule->levels[k].recovery_delay_ms));
    }
    return back_ms;
}

static enum err begin_zone(struct pipeline *pipeline, const struct correcting *now,
                           struct zone_again *again)
{
    struct closings closings = {.decided = &again->decided};
    struct err_text why;
    enum err err = read_decided(pipeline, now, again->zone, &again->decided);
    if (err == ERR_OK)
        err = closed_by_people(pipeline, &closings);
    int64_t from_ms = now->from_ms;
    for (size_t i = 0; i < again->decided.count; i++)
        if (again->decided.items[i].onset_ms < from_ms)
            from_ms = again->decided.items[i].onset_ms;
    const struct rejudge_of of = {
        .registry = pipeline->registry,
        .live = pipeline->alerts,
        .org = now->org,
        .device = now->device,
        .channel = now->channel,
        .zone = again->zone,
        .from_ms = from_ms - look_back(pipeline->registry, again->zone),
        .closed = closings.items,
        .closed_count = closings.count,
    };
    if (err == ERR_OK && rejudge_create(&again->rejudge, &of, &why) != ERR_OK) {
        log_error("rules in force are refused: %s", why.text);
        err = ERR_INVALID;
    }
    free(closings.items);
    return err;
}

static void add_zone(struct correcting *now, const char *zone)
{
    for (size_t i = 0; i < now->zone_count; i++)
        if (strcmp(now->zones[i].zone, zone) == 0)
            return;
    if (zone[0] == '\0')
        return;
    if (now->zone_count == ZONES_MAX) {
        log_warn("a correction leaves a zone as it is zone=%s", zone);
        return;
    }
    assert(now->zone_count < ZONES_MAX);
    struct zone_again *added = &now->zones[now->zone_count++];
    snprintf(added->zone, sizeof added->zone, "%s", zone);
}

/* Without a placement of its own a channel is where its device is. */
static void add_zones_of_device(struct correcting *now, const struct registry *registry)
{
    for (size_t i = 0; i < registry->placement_count; i++) {
        const struct registry_placement *placement = &registry->placements[i];
        if (placement->channel[0] == '\0' && strcmp(placement->org, now->org) == 0 &&
            strcmp(placement->device, now->device) == 0 &&
            placement->from_ms < now->to_ms &&
            (placement->to_ms == 0 || placement->to_ms > now->from_ms))
            add_zone(now, placement->zone);
    }
}

struct first {
    const struct registry *registry;
    struct correcting *now;
};

static void on_pending(void *context, const struct state_correction *row)
{
    struct first *first = context;
    assert(first->now == NULL);
    struct correcting *now = mem_alloc(sizeof *now);
    now->id = row->id;
    snprintf(now->org, sizeof now->org, "%s", row->org);
    snprintf(now->device, sizeof now->device, "%s", row->device);
    snprintf(now->channel, sizeof now->channel, "%s", row->channel);
    now->from_ms = row->from_ms;
    now->to_ms = row->to_ms;
    add_zone(now, row->old_zone);
    add_zone(now, row->new_zone);
    if (row->channel[0] != '\0' && (row->old_zone[0] == '\0' || row->new_zone[0] == '\0'))
        add_zones_of_device(now, first->registry);
    first->now = now;
}

/* The oldest that is pending; none leaves it NULL. */
static enum err begin_next(struct pipeline *pipeline)
{
    struct corrections *corrections = pipeline->corrections;
    assert(corrections->now == NULL);
    struct first first = {.registry = pipeline->registry};
    enum err err =
        state_pending_corrections(pipeline->options.state, 1, &first, on_pending);
    for (size_t i = 0; err == ERR_OK && first.now != NULL && i < first.now->zone_count;
         i++)
        err = begin_zone(pipeline, first.now, &first.now->zones[i]);
    if (err != ERR_OK) {
        correcting_destroy(first.now);
        return err;
    }
    corrections->now = first.now;
    return ERR_OK;
}

/* ---- the end of one --------------------------------------------------------------- */

static bool is_in_question(const struct correcting *now, const struct incident *incident)
{
    return incident->onset_ms < now->to_ms &&
           (incident->closed_ms == 0 || incident->closed_ms >= now->from_ms);
}

static bool is_elsewhere(const struct pipeline *pipeline, const struct correcting *now,
                         const struct incident *incident, int64_t time_ms)
{
    const struct registry_placement *placement = registry_place(
        pipeline->registry, now->org, incident->device, incident->channel, time_ms);
    return placement == NULL || strcmp(placement->zone, incident->zone) != 0;
}

/* The channel measured elsewhere when it began, or before it was proven. */
static bool never_was(const struct pipeline *pipeline, const struct correcting *now,
                      const struct zone_again *again, const struct incident *incident)
{
    return is_in_question(now, incident) &&
           late_find(rejudge_found(again->rejudge), incident->id) == NULL &&
           (is_elsewhere(pipeline, now, incident, incident->onset_ms) ||
            is_elsewhere(pipeline, now, incident, incident->opened_ms));
}

static void tell_nobody(void *context, enum alert_effect_kind kind,
                        const struct incident *incident)
{
    (void)context;
    (void)kind;
    (void)incident;
}

static void withdraw(struct pipeline *pipeline, const struct incident *was)
{
    static const struct alert_sink quiet = {.effect = tell_nobody};
    struct incident incident = *was;
    enum err err = alerts_end(pipeline->alerts, was->id, pipeline->now_ms, &quiet);
    (void)err; /* NOT_FOUND: it was over */
    if (incident.closed_ms == 0)
        incident.closed_ms = pipeline->now_ms;
    incident.state = INCIDENT_CLOSED;
    incident.withdrawn_ms = pipeline->now_ms;
    incident.changed_ms = pipeline->now_ms;
    incident.revision++;
    pipeline_emit(pipeline, ALERT_EFFECT_WITHDRAWN, &incident);
}

static bool is_the_same(const struct incident *a, const struct incident *b)
{
    return a->state == b->state && a->closed_ms == b->closed_ms &&
           a->back_ms == b->back_ms && a->severity == b->severity &&
           (a->closed_ms == 0 || a->worst == b->worst);
}

/*
 * What an engine of other rules decided and this one does not find goes on in the one
 * that has it, and so does all else of the channel.
 */
static bool is_kept(const struct pipeline *pipeline, const struct correcting *now,
                    struct zone_again *again, const char *channel)
{
    const struct decided *decided = &again->decided;
    for (size_t i = 0; i < decided->count; i++) {
        const struct incident *incident = &decided->items[i];
        if (incident->state != INCIDENT_CLOSED &&
            strcmp(incident->channel, channel) == 0 &&
            late_find(rejudge_found(again->rejudge), incident->id) == NULL &&
            !never_was(pipeline, now, again, incident))
            return true;
    }
    return false;
}

/* Not when one was told of that never was: it counted what was elsewhere. */
static bool keeps_sums(const struct pipeline *pipeline, const struct correcting *now,
                       const struct zone_again *again)
{
    for (size_t i = 0; i < again->decided.count; i++)
        if (alert_kind_is_sum(again->decided.items[i].kind) &&
            never_was(pipeline, now, again, &again->decided.items[i]))
            return false;
    return true;
}

/* False when the zone's engine stays as it is. */
static bool hand_over(struct pipeline *pipeline, const struct correcting *now,
                      struct zone_again *again, const char *channel)
{
    if (!registry_is_on_duty(pipeline->registry, again->zone) ||
        is_kept(pipeline, now, again, channel))
        return false;
    rejudge_hand_over(again->rejudge, pipeline->alerts, channel,
                      keeps_sums(pipeline, now, again));
    return true;
}

/* In the engine it is what people were told, and what they did to it. */
static void adopt_unchanged(struct pipeline *pipeline, const struct incident *was)
{
    if (was->state == INCIDENT_CLOSED)
        return;
    enum err err = alerts_adopt(pipeline->alerts, was->id, was);
    if (err != ERR_OK)
        log_error("an incident is not in the engine id=%s: %s", was->id, err_about(err));
}

static void conclude_found(struct pipeline *pipeline, const struct correcting *now,
                           struct zone_again *again, const char *channel,
                           struct late_incident *found)
{
    if (strcmp(found->incident.channel, channel) != 0)
        return;
    const struct incident *was = decided_find(&again->decided, found->incident.id);
    if (was != NULL &&
        (is_the_same(was, &found->incident) || !is_in_question(now, was))) {
        adopt_unchanged(pipeline, was);
        return;
    }
    if (was == NULL && !is_in_question(now, &found->incident))
        return;
    struct late_incident told = {0};
    if (was != NULL)
        told.incident = *was;
    /* It rises only, but for what raised it having been elsewhere. */
    if (told.incident.severity > found->incident.severity)
        told.incident.severity = found->incident.severity;
    if (was == NULL)
        found->incident.learned_ms = pipeline->now_ms;
    pipeline_settle_one(pipeline, found, was != NULL ? &told : NULL);
}

static void conclude_channel(struct pipeline *pipeline, const struct correcting *now,
                             struct zone_again *again, const char *channel)
{
    if (!hand_over(pipeline, now, again, channel))
        return;
    struct late_list *found = rejudge_found(again->rejudge);
    for (size_t i = 0; i < found->count; i++)
        conclude_found(pipeline, now, again, channel, &found->items[i]);
}

static bool is_concerned(const struct correcting *now, const char *channel)
{
    return now->channel[0] == '\0' || strcmp(now->channel, channel) == 0;
}

static void conclude(struct pipeline *pipeline, struct device *device)
{
    struct corrections *corrections = pipeline->corrections;
    struct correcting *now = corrections->now;
    for (size_t i = 0; i < now->zone_count; i++) {
        struct zone_again *again = &now->zones[i];
        rejudge_end(again->rejudge, pipeline->now_ms);
        for (size_t k = 0; k < again->decided.count; k++)
            if (never_was(pipeline, now, again, &again->decided.items[k]))
                withdraw(pipeline, &again->decided.items[k]);
        for (size_t k = 0; k < device->channel_count; k++)
            if (is_concerned(now, device->channels[k].name->name))
                conclude_channel(pipeline, now, again, device->channels[k].name->name);
    }
    log_info("incidents follow a correction device=%s channel=%s zones=%zu", now->device,
             now->channel[0] != '\0' ? now->channel : "all", now->zone_count);
}

/* Together with what the engines hold now, so that a replay does not miss it. */
static void end_it(struct pipeline *pipeline)
{
    struct corrections *corrections = pipeline->corrections;
    pipeline_note(pipeline,
                  state_end_correction(pipeline->options.state, corrections->now->id));
    pipeline->wants_checkpoint = true;
    corrections_begin_anew(corrections);
}

/* ---- going on --------------------------------------------------------------------- */

/* History was read as far as the engine has judged. */
static bool has_caught_up(const struct correcting *now, const struct device *device)
{
    for (size_t i = 0; i < now->zone_count; i++)
        for (size_t k = 0; k < device->channel_count; k++) {
            const struct device_channel *channel = &device->channels[k];
            const struct rejudge *rejudge = now->zones[i].rejudge;
            if (channel->time_ms > 0 && is_concerned(now, channel->name->name) &&
                !rejudge_has_read(rejudge, channel->name->name, channel->time_ms))
                return false;
        }
    return true;
}

/* What cannot be read now is read with the next tick. */
static bool read_on(struct pipeline *pipeline, struct correcting *now)
{
    struct corrections *corrections = pipeline->corrections;
    struct err_text why = {0};
    enum err err = ERR_OK;
    bool at_end = true;
    if (corrections->history == NULL)
        err = history_reader_open(&corrections->history, pipeline->options.history_dir,
                                  &why);
    for (size_t i = 0; i < now->zone_count && err == ERR_OK && at_end; i++)
        err = rejudge_step(now->zones[i].rejudge, corrections->history, STEP_READINGS,
                           &at_end);
    if (err != ERR_OK)
        log_warn("a correction waits: history cannot be read: %s", err_about(err));
    return err == ERR_OK && at_end;
}

void pipeline_correct(struct pipeline *pipeline)
{
    struct corrections *corrections = pipeline->corrections;
    if (pipeline->options.history_dir == NULL || pipeline->at <= pipeline->effect_cursor)
        return;
    if (corrections->now == NULL)
        pipeline_note(pipeline, begin_next(pipeline));
    struct correcting *now = corrections->now;
    if (now == NULL || !read_on(pipeline, now))
        return;
    char key[DEVICE_KEY_SIZE];
    struct device *device =
        map_get(&pipeline->devices, device_key(key, now->org, now->device));
    if (device != NULL && (!late_is_empty(device->late) || !has_caught_up(now, device)))
        return;
    if (!pipeline_begin_effects(pipeline))
        return;
    if (device != NULL)
        conclude(pipeline, device);
    end_it(pipeline);
}
