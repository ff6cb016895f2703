// SPDX-License-Identifier: Apache-2.0
/*
 * causes - which cause an effect belongs to, and whether people are told of it.
 *
 * state.db is the only memory, and holds exactly what was decided before this record: so
 * a replay, which decides nothing, decides nothing else.
 */
#include <assert.h>
#include <string.h>

#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"

#define CANDIDATES_MAX 32

static const char *site_of(const struct pipeline *pipeline, const char *zone)
{
    const struct registry_zone *known = registry_zone(pipeline->registry, zone);
    return known != NULL ? known->site : "";
}

struct search {
    struct pipeline *pipeline;
    const struct incident *incident;
    const char *site;
    struct cause found;
    bool has_found;
};

/* The latest that takes it. */
static void on_candidate(void *context, const struct cause *cause)
{
    struct search *search = context;
    struct cause *found = &search->found;
    if (search->has_found)
        return;
    *found = *cause;
    if (!cause_family_spans_site(found->family)) /* these have no sums */
        pipeline_note(search->pipeline, state_get_alive(search->pipeline->options.state,
                                                        found->id, &found->alive_ms));
    search->has_found = cause_takes(found, search->incident, search->site);
}

static void find_new(struct pipeline *pipeline, const struct incident *incident,
                     struct cause *cause)
{
    const char *site = site_of(pipeline, incident->zone);
    enum cause_family family = cause_family_of(incident);
    struct search search = {.pipeline = pipeline, .incident = incident, .site = site};
    if (family != CAUSE_ALONE)
        pipeline_note(pipeline,
                      state_latest_causes(pipeline->options.state, family, incident->zone,
                                          cause_family_spans_site(family) ? site : "",
                                          CANDIDATES_MAX, &search, on_candidate));
    if (search.has_found)
        *cause = search.found;
    else
        cause_begin(cause, incident, site);
}

/* What an older version decided has no row: everything of it was told. */
static void find_known(struct pipeline *pipeline, const struct incident *incident,
                       const char *id, struct cause *cause)
{
    enum err err = state_get_cause(pipeline->options.state, id, cause);
    if (err != ERR_NOT_FOUND) {
        pipeline_note(pipeline, err);
        return;
    }
    cause_begin(cause, incident, site_of(pipeline, incident->zone));
    cause->ended_ms = 0;
    cause->is_told = true;
    cause->told = incident->severity;
}

static void find_leader(struct pipeline *pipeline, const struct incident *incident,
                        struct pipeline_cause *decided)
{
    if (strcmp(decided->cause.id, incident->id) == 0)
        return;
    enum err err =
        state_get_incident(pipeline->options.state, decided->cause.id, &decided->leader);
    decided->has_leader = err == ERR_OK;
    if (err != ERR_NOT_FOUND)
        pipeline_note(pipeline, err);
}

void pipeline_decide_cause(struct pipeline *pipeline, enum alert_effect_kind kind,
                           const struct incident *incident,
                           struct pipeline_cause *decided)
{
    assert(pipeline->has_transaction);
    struct state_care care;
    struct state_others others;
    *decided = (struct pipeline_cause){.telling = CAUSE_TELL_NOBODY};
    enum err err = state_get_care(pipeline->options.state, incident->id, &care);
    bool is_new = err == ERR_NOT_FOUND;
    if (!is_new)
        pipeline_note(pipeline, err);
    if (pipeline->batch_err != ERR_OK)
        return;
    if (is_new)
        find_new(pipeline, incident, &decided->cause);
    else
        find_known(pipeline, incident, care.cause, &decided->cause);
    pipeline_note(pipeline, state_get_others(pipeline->options.state, decided->cause.id,
                                             incident->id, &others));
    bool is_over_told = false;
    if (kind == ALERT_EFFECT_CLOSED && others.is_open)
        pipeline_note(pipeline,
                      state_has_told_over(pipeline->options.state, decided->cause.id,
                                          incident, &is_over_told));
    if (pipeline->batch_err != ERR_OK)
        return;
    const struct cause_event event = {
        .kind = kind,
        .incident = incident,
        .was_told = !is_new && care.is_told,
        .is_other_open = others.is_open,
        .is_other_told = others.is_told,
        .is_over_told = is_over_told,
        .now_ms = pipeline->now_ms,
    };
    decided->telling = cause_note(&decided->cause, &event);
    decided->is_other_open = others.is_open;
    decided->is_told = event.was_told || decided->telling != CAUSE_TELL_NOBODY;
    memcpy(decided->next, others.next_untold, sizeof decided->next);
    find_leader(pipeline, incident, decided);
}

void pipeline_put_cause(struct pipeline *pipeline, const struct incident *incident,
                        const struct pipeline_cause *decided)
{
    assert(pipeline->has_transaction);
    struct state *state = pipeline->options.state;
    if (pipeline->batch_err != ERR_OK)
        return;
    pipeline_note(pipeline, state_put_cause(state, &decided->cause));
    pipeline_note(pipeline, state_set_cause(state, incident->id, decided->cause.id,
                                            decided->is_told));
    pipeline_note(pipeline, incident->state == INCIDENT_CLOSED
                                ? state_end_care(state, incident->id)
                                : state_clear_closing(state, incident->id));
}

bool pipeline_next_of_cause(struct pipeline *pipeline, struct pipeline_cause *decided,
                            struct incident *next)
{
    if (decided->telling != CAUSE_TELL_NEXT || decided->next[0] == '\0' ||
        pipeline->batch_err != ERR_OK)
        return false;
    enum err err = state_get_incident(pipeline->options.state, decided->next, next);
    if (err != ERR_OK) {
        pipeline_note(pipeline, err);
        return false;
    }
    const struct cause_event event = {
        .kind = ALERT_EFFECT_OPENED, .incident = next, .now_ms = pipeline->now_ms};
    decided->telling = cause_note(&decided->cause, &event);
    decided->is_told = true;
    find_leader(pipeline, next, decided);
    return decided->telling == CAUSE_TELL;
}
