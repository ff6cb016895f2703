// SPDX-License-Identifier: Apache-2.0
/*
 * incidents - what people do to incidents: take, assign, put off, comment, close.
 *
 * state.db says what may be done and by whom it was done already: the first one wins, the
 * second is told who that was. To which incidents of the cause it was done stands in the
 * command's result, from which a replay does the same to the engines.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collector/command/change.h"
#include "collector/pipeline/ahead.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"
#include "collector/store/state_entities.h"

#define MEMBERS_MAX STATE_PAGE_MAX
#define HOUR_MS     INT64_C(3600000)

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* state.db alone has it: no engine does. */
static bool is_raised(const struct incident *incident)
{
    return alert_kind_is_trouble(incident->kind) || alert_kind_is_date(incident->kind);
}

/* ---- one incident, in the engines and where it is stored ------------------------------
 */

/* A closed incident has left the engine; it stays in the list until it is acknowledged.
 */
static enum err take_stored(struct pipeline *pipeline, const char *id, const char *actor)
{
    struct incident incident;
    enum err err = state_get_incident(pipeline->options.state, id, &incident);
    if (err != ERR_OK)
        return err;
    if (incident.is_acknowledged == (actor != NULL))
        return ERR_EXISTS;
    incident.is_acknowledged = actor != NULL;
    snprintf(incident.acknowledged_by, sizeof incident.acknowledged_by, "%s",
             actor != NULL ? actor : "");
    incident.acknowledged_ms = actor != NULL ? pipeline->now_ms : 0;
    incident.changed_ms = pipeline->now_ms;
    incident.revision++;
    pipeline_emit(pipeline, actor != NULL ? ALERT_EFFECT_UPDATED : ALERT_EFFECT_REMINDED,
                  &incident);
    return ERR_OK;
}

static enum err acknowledge_one(struct pipeline *pipeline, const char *id,
                                const char *actor)
{
    enum err err = pipeline_acknowledge_late(pipeline, id, actor);
    if (err == ERR_NOT_FOUND)
        err = alerts_acknowledge(pipeline->alerts, id, actor, pipeline->now_ms,
                                 &pipeline->sink);
    return err == ERR_NOT_FOUND ? take_stored(pipeline, id, actor) : err;
}

static enum err remind_one(struct pipeline *pipeline, const char *id, const char *actor)
{
    (void)actor;
    enum err err = pipeline_remind_late(pipeline, id);
    if (err == ERR_NOT_FOUND)
        err = alerts_remind(pipeline->alerts, id, pipeline->now_ms, &pipeline->sink);
    return err == ERR_NOT_FOUND ? take_stored(pipeline, id, NULL) : err;
}

static enum err close_one(struct pipeline *pipeline, const char *id, const char *actor)
{
    (void)actor;
    struct incident incident;
    enum err err = alerts_close(pipeline->alerts, id, pipeline->now_ms, &pipeline->sink);
    if (err != ERR_NOT_FOUND)
        return err;
    err = state_get_incident(pipeline->options.state, id, &incident);
    return err == ERR_OK && is_raised(&incident)
               ? pipeline_close_raised(pipeline, &incident)
               : err;
}

/* ---- which ones -----------------------------------------------------------------------
 */

/* The incident that was named, and the others of its cause that are to share its fate. */
struct targets {
    struct pipeline *pipeline;
    struct incident named;
    struct state_care care; /* of that one */
    bool (*wants)(const struct targets *targets, const struct incident *incident,
                  bool is_told);
    char (*ids)[ALERT_ID_SIZE];
    size_t count;
};

static void on_member(void *context, const struct incident *incident)
{
    struct targets *targets = context;
    if (strcmp(incident->id, targets->named.id) != 0)
        memcpy(targets->ids[targets->count++], incident->id, ALERT_ID_SIZE);
}

static bool wants_acknowledgement(const struct targets *targets,
                                  const struct incident *incident, bool is_told)
{
    (void)targets;
    return !incident->is_acknowledged && is_told;
}

/* Ahead of packs that are missing only the second engine has it, which closes nothing. */
static bool can_close(const struct pipeline *pipeline, const struct incident *incident)
{
    return incident->state != INCIDENT_CLOSED &&
           (is_raised(incident) ||
            alerts_incident(pipeline->alerts, incident->id) != NULL);
}

static bool wants_closing(const struct targets *targets, const struct incident *incident,
                          bool is_told)
{
    (void)is_told;
    bool leads = strcmp(targets->named.id, targets->care.cause) == 0;
    return leads && can_close(targets->pipeline, incident);
}

static bool is_in_hand(const struct targets *targets, const struct incident *incident,
                       bool is_told)
{
    (void)targets;
    (void)is_told;
    return incident->is_acknowledged && incident->state != INCIDENT_CLOSED;
}

/* Of the members, in their order, those that `wants` picks. */
static enum err pick_members(struct targets *targets)
{
    struct state *state = targets->pipeline->options.state;
    size_t all = 0;
    targets->count = 0;
    enum err err =
        state_each_member(state, targets->care.cause, MEMBERS_MAX, targets, on_member);
    size_t count = targets->count;
    for (size_t i = 0; err == ERR_OK && i < count; i++) {
        struct incident incident;
        struct state_care care;
        err = state_get_incident(state, targets->ids[i], &incident);
        if (err == ERR_OK)
            err = state_get_care(state, targets->ids[i], &care);
        if (err == ERR_OK && targets->wants(targets, &incident, care.is_told))
            memmove(targets->ids[all++], targets->ids[i], ALERT_ID_SIZE);
    }
    targets->count = all;
    return err;
}

static enum err find_named(struct targets *targets, const char *id, struct err_text *why)
{
    struct state *state = targets->pipeline->options.state;
    enum err err = state_get_incident(state, id, &targets->named);
    if (err == ERR_OK)
        err = state_get_care(state, id, &targets->care);
    return err == ERR_NOT_FOUND ? err_set(why, err, "there is no incident '%s'", id)
                                : err;
}

/* ---- the verbs ------------------------------------------------------------------------
 */

struct doing {
    struct targets targets;
    struct change *change;
    json_t *done; /* of the result: ids */
    struct err_text *why;
};

typedef enum err one_fn(struct pipeline *pipeline, const char *id, const char *actor);

static enum err do_one(struct doing *doing, const char *id, one_fn *one)
{
    enum err err = one(doing->targets.pipeline, id, doing->change->command->actor);
    if (err == ERR_OK)
        json_array_append_new(doing->done, json_string(id));
    return err;
}

/* Those that are done already are passed over. */
static enum err do_members(struct doing *doing, one_fn *one)
{
    enum err err = pick_members(&doing->targets);
    for (size_t i = 0; i < doing->targets.count && err == ERR_OK; i++) {
        err = do_one(doing, doing->targets.ids[i], one);
        if (err == ERR_EXISTS || err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    return err;
}

typedef enum err later_fn(struct state *state, const char *id, int64_t at_ms);

/* When that one, and what else of its cause somebody has in hand, comes back. */
static enum err come_back(struct doing *doing, int64_t at_ms, later_fn *later)
{
    struct targets *targets = &doing->targets;
    struct state *state = doing->change->state;
    targets->wants = is_in_hand;
    enum err err = pick_members(targets);
    if (err == ERR_OK)
        err = later(state, targets->named.id, at_ms);
    pipeline_note_handled(targets->pipeline, targets->named.id);
    for (size_t i = 0; i < targets->count && err == ERR_OK; i++) {
        err = later(state, targets->ids[i], at_ms);
        pipeline_note_handled(targets->pipeline, targets->ids[i]);
    }
    return err;
}

static enum err note_doing(struct doing *doing, const char *kind, const char *text)
{
    const struct state_comment row = {
        .command = doing->change->command->id,
        .incident = doing->targets.named.id,
        .at_ms = doing->change->now_ms,
        .actor = doing->change->command->actor,
        .text = text,
        .kind = kind,
    };
    enum err err = state_add_comment(doing->change->state, &row);
    if (err == ERR_EXISTS)
        err = ERR_OK;
    return err == ERR_OK ? come_back(doing, row.at_ms + PIPELINE_FORGOTTEN_MS,
                                     state_put_off_reminder)
                         : err;
}

static enum err taken_before(struct doing *doing)
{
    char at[CLOCK_ISO_MAX];
    const struct incident *named = &doing->targets.named;
    return err_set(doing->why, ERR_EXISTS, "%s acknowledged it before, at %s",
                   named->acknowledged_by, clock_format_iso(at, named->acknowledged_ms));
}

/* That one and what else of its cause people were told of. */
static enum err take_all(struct doing *doing)
{
    struct targets *targets = &doing->targets;
    targets->wants = wants_acknowledgement;
    enum err err = ERR_OK;
    if (!targets->named.is_acknowledged)
        err = do_one(doing, targets->named.id, acknowledge_one);
    return err == ERR_OK ? do_members(doing, acknowledge_one) : err;
}

/* Who was not told by now need not be. */
static enum err quieten(const struct doing *doing)
{
    return pipeline_withdraw_taken(doing->targets.pipeline, doing->targets.care.cause,
                                   doing->change->command->actor);
}

static enum err acknowledge(struct doing *doing)
{
    const struct change *change = doing->change;
    enum err err = take_all(doing);
    if (err == ERR_EXISTS || (err == ERR_OK && json_array_size(doing->done) == 0))
        return taken_before(doing);
    if (err == ERR_OK)
        err = quieten(doing);
    size_t i;
    json_t *id;
    json_array_foreach(doing->done, i, id)
    {
        if (err == ERR_OK)
            err = state_set_acknowledged(change->state, json_string_value(id),
                                         change->command->reason,
                                         change->now_ms + PIPELINE_FORGOTTEN_MS);
    }
    return err == ERR_OK ? note_doing(doing, "acknowledge", change->command->reason)
                         : err;
}

static enum err snooze(struct doing *doing)
{
    const struct change *change = doing->change;
    struct targets *targets = &doing->targets;
    const char *span = text_of(change->body, "for");
    int64_t until_ms = change->now_ms + (span[0] - '0') * HOUR_MS;
    if (targets->named.state == INCIDENT_CLOSED)
        return err_set(doing->why, ERR_EXISTS, "it is over: there is nothing to put off");
    enum err err = take_all(doing);
    if (err == ERR_OK)
        err = quieten(doing);
    if (err == ERR_OK)
        err = come_back(doing, until_ms, state_set_snoozed);
    return err == ERR_OK ? note_doing(doing, "snooze", span) : err;
}

static enum err assign(struct doing *doing)
{
    const struct change *change = doing->change;
    const struct state_care *care = &doing->targets.care;
    const char *to = text_of(change->body, "to");
    const char *from = text_of(change->body, "from");
    char at[CLOCK_ISO_MAX];
    if (strcmp(care->assigned_to, from) != 0 && strcmp(care->assigned_to, to) != 0 &&
        care->assigned_to[0] != '\0')
        return err_set(doing->why, ERR_EXISTS,
                       "it is %s's since %s; say 'from' to take it over",
                       care->assigned_to, clock_format_iso(at, care->assigned_ms));
    enum err err =
        state_set_assigned(change->state, doing->targets.named.id, to, change->now_ms);
    return err == ERR_OK ? note_doing(doing, "assign", to) : err;
}

static enum err comment(struct doing *doing)
{
    return note_doing(doing, "comment", text_of(doing->change->body, "text"));
}

static enum err remind(struct doing *doing)
{
    const char *id = doing->targets.named.id;
    if (doing->targets.named.state == INCIDENT_CLOSED)
        return err_set(doing->why, ERR_EXISTS, "it is over");
    enum err err = do_one(doing, id, remind_one);
    if (err == ERR_EXISTS)
        return err_set(doing->why, err, "nobody has acknowledged it");
    return err == ERR_OK
               ? state_set_reminded(doing->change->state, id, doing->change->now_ms)
               : err;
}

static enum err read_closing(struct doing *doing, struct state_closing *closing)
{
    const struct change *change = doing->change;
    const json_t *body = change->body;
    snprintf(closing->by, sizeof closing->by, "%s", change->command->actor);
    snprintf(closing->cause, sizeof closing->cause, "%s", text_of(body, "cause"));
    snprintf(closing->action, sizeof closing->action, "%s", text_of(body, "action"));
    snprintf(closing->disposition, sizeof closing->disposition, "%s",
             text_of(body, "disposition"));
    snprintf(closing->note, sizeof closing->note, "%s", text_of(body, "note"));
    bool is_other =
        strcmp(closing->cause, "other") == 0 || strcmp(closing->action, "other") == 0;
    if (is_other && closing->note[0] == '\0')
        return err_set(doing->why, ERR_INVALID, "'other' needs a 'note' that says what");
    return ERR_OK;
}

static enum err closed_before(struct doing *doing)
{
    const struct targets *targets = &doing->targets;
    char at[CLOCK_ISO_MAX];
    if (targets->named.state != INCIDENT_CLOSED)
        return err_set(doing->why, ERR_INVALID,
                       "it was judged ahead of packs that are missing; close it when "
                       "they have come");
    clock_format_iso(at, targets->named.closed_ms);
    if (targets->care.closing.by[0] == '\0')
        return err_set(doing->why, ERR_EXISTS, "it is over since %s", at);
    return err_set(doing->why, ERR_EXISTS, "%s closed it before, at %s",
                   targets->care.closing.by, at);
}

/* One that leads is closed with what goes on of its cause. */
static enum err close_all(struct doing *doing)
{
    const struct change *change = doing->change;
    struct targets *targets = &doing->targets;
    struct state_closing closing = {0};
    enum err err = read_closing(doing, &closing);
    targets->wants = wants_closing;
    if (err == ERR_OK && can_close(targets->pipeline, &targets->named))
        err = do_one(doing, targets->named.id, close_one);
    if (err == ERR_OK)
        err = do_members(doing, close_one);
    if (err == ERR_EXISTS || (err == ERR_OK && json_array_size(doing->done) == 0))
        return closed_before(doing);
    size_t i;
    json_t *id;
    json_array_foreach(doing->done, i, id)
    {
        if (err == ERR_OK)
            err = state_set_closing(change->state, json_string_value(id), &closing);
    }
    return err == ERR_OK ? note_doing(doing, "close", closing.note) : err;
}

/* `one`: what the verb does to an engine, done again by a replay; its effects are not. */
static const struct {
    const char *name;
    enum err (*run)(struct doing *doing);
    one_fn *one;
} incident_verbs[] = {
    {"incident.acknowledge", acknowledge, acknowledge_one},
    {"incident.snooze", snooze, acknowledge_one},
    {"incident.remind", remind, remind_one},
    {"incident.close", close_all, close_one},
    {"incident.assign", assign, NULL},
    {"incident.comment", comment, NULL},
};

#define VERB_COUNT (sizeof incident_verbs / sizeof incident_verbs[0])

static size_t verb_of(const struct command *command)
{
    size_t i = 0;
    while (i < VERB_COUNT && strcmp(incident_verbs[i].name, command->verb) != 0)
        i++;
    return i;
}

enum err pipeline_do_incident(struct pipeline *pipeline, struct change *change,
                              struct err_text *why)
{
    size_t verb = verb_of(change->command);
    if (verb == VERB_COUNT)
        return ERR_UNSUPPORTED;
    struct doing doing = {
        .targets = {.pipeline = pipeline},
        .change = change,
        .done = json_array(),
        .why = why,
    };
    doing.targets.ids = mem_array(MEMBERS_MAX, ALERT_ID_SIZE);
    json_object_set_new(change->result, "incidents", doing.done);
    enum err err = find_named(&doing.targets, text_of(change->command->body, "id"), why);
    if (err == ERR_OK)
        err = incident_verbs[verb].run(&doing);
    free(doing.targets.ids);
    return err;
}

bool pipeline_redo_incident(struct pipeline *pipeline, const struct command *command,
                            const char *result)
{
    size_t verb = verb_of(command);
    if (verb == VERB_COUNT)
        return false;
    one_fn *one = incident_verbs[verb].one;
    json_t *answer = json_loads(result, 0, NULL);
    const json_t *ids = json_object_get(answer, "incidents");
    enum err err = ERR_OK;
    for (size_t i = 0; one != NULL && i < json_array_size(ids); i++)
        err = one(pipeline, json_string_value(json_array_get(ids, i)), command->actor);
    if (one != NULL && ids == NULL) /* of a version that did one at a time */
        err = one(pipeline, text_of(command->body, "id"), command->actor);
    (void)err; /* state.db knows already: nothing is left to be told */
    json_decref(answer);
    return true;
}
