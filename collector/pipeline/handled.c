// SPDX-License-Identifier: Apache-2.0
/*
 * handled - devices that judge by themselves learn what people did to their incidents.
 *
 * What was acknowledged or closed stands in state.db; here are the ids of those that
 * changed since the devices were told last. Nothing of it is saved: at the start all are
 * looked through once.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"

void pipeline_note_handled(struct pipeline *pipeline, const char *incident)
{
    struct pipeline_handled *handled = &pipeline->handled;
    if (pipeline->options.configs == NULL || !handled->is_loaded)
        return;
    mem_grow(&handled->ids, &handled->capacity, handled->count + 1, sizeof *handled->ids);
    snprintf(handled->ids[handled->count++], ALERT_ID_SIZE, "%s", incident);
}

/* No device judges what it cannot measure. */
static bool is_of_channel(const struct incident *incident)
{
    return incident->device[0] != '\0' && incident->channel[0] != '\0' &&
           !alert_kind_is_trouble(incident->kind) && !alert_kind_is_date(incident->kind);
}

static void on_step(void *context, const struct state_transition *step)
{
    bool *was_unknown = context;
    if (step->kind != ALERT_EFFECT_CLOSED)
        *was_unknown = strstr(step->body, "\"state\":\"unknown\"") != NULL;
}

/* Whoever closed it did not know what was. It is told anew when it is read again; the
 * device has read it all the while. */
static bool was_unknown(const struct pipeline *pipeline, const struct incident *incident)
{
    bool was = false;
    if (incident->state != INCIDENT_CLOSED || alert_kind_is_sum(incident->kind) ||
        alert_kind_is_silence(incident->kind))
        return false;
    return state_each_transition(pipeline->options.state, incident->id, &was, on_step) ==
               ERR_OK &&
           was;
}

/* False when nobody has it in hand. */
static bool describe(struct zone_handled *handled, const struct incident *incident,
                     const struct state_care *care)
{
    bool is_closed = incident->state == INCIDENT_CLOSED;
    *handled = (struct zone_handled){
        .at_ms = is_closed ? incident->closed_ms : incident->acknowledged_ms,
        .quiet_until_ms = is_closed ? 0 : care->remind_ms,
    };
    memcpy(handled->incident, incident->id, sizeof handled->incident);
    memcpy(handled->rule, incident->rule, sizeof handled->rule);
    memcpy(handled->channel, incident->channel, sizeof handled->channel);
    return is_closed || (incident->is_acknowledged && care->remind_ms != 0);
}

static void tell(struct pipeline *pipeline, const char *id)
{
    struct incident incident;
    struct state_care care;
    struct zone_handled handled;
    struct state *state = pipeline->options.state;
    if (state_get_incident(state, id, &incident) != ERR_OK ||
        state_get_care(state, id, &care) != ERR_OK)
        return;
    const struct registry_zone *zone = registry_zone(pipeline->registry, incident.zone);
    bool is_over = incident.state == INCIDENT_CLOSED && care.closing.by[0] == '\0';
    if (zone == NULL || !is_of_channel(&incident) || is_over)
        return; /* what is over by itself is over there, too */
    if (was_unknown(pipeline, &incident))
        return;
    bool is_handled = describe(&handled, &incident, &care);
    configs_handled(pipeline->options.configs, zone->org, incident.device, incident.zone,
                    id, is_handled ? &handled : NULL);
}

static void on_handled(void *context, const char *id)
{
    struct pipeline *pipeline = context;
    pipeline_note_handled(pipeline, id);
}

void pipeline_tell_handled(struct pipeline *pipeline)
{
    struct pipeline_handled *handled = &pipeline->handled;
    if (!handled->is_loaded && pipeline->options.configs != NULL) {
        handled->is_loaded = true;
        if (state_each_handled(pipeline->options.state,
                               pipeline->now_ms - CONFIGS_CLOSED_MS, pipeline,
                               on_handled) != ERR_OK)
            log_warn("devices are not told what was done before the start: %s",
                     state_why(pipeline->options.state));
    }
    for (size_t i = 0; i < handled->count; i++)
        tell(pipeline, handled->ids[i]);
    handled->count = 0;
}
