// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/rejudge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/handover.h"
#include "base/mem.h"
#include "collector/pipeline/decode.h"
#include "collector/pipeline/rooms.h"
#include "telemetry/channel.h"

/* How far one channel was read. */
struct read_channel {
    char name[ID_SIZE];
    int64_t time_ms;
};

struct rejudge {
    const struct registry *registry;
    char org[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE]; /* "": all */
    char zone[ID_SIZE];
    struct rejudge_closed *closed;
    size_t closed_count;
    struct alerts *engine;
    struct alert_sink sink;
    struct late_list found;
    struct read_channel *channels;
    size_t channel_count;
    size_t channel_capacity;
    /* the next page of history begins at the last time read, without those of it */
    int64_t last_ms;
    size_t last_count;
    size_t seen; /* in the step under way */
};

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct rejudge *rejudge = context;
    late_note(&rejudge->found, kind, incident);
}

/* Whoever is on duty now: it is of the past that they speak. */
static enum err set_rules(struct rejudge *rejudge, struct err_text *why)
{
    const struct registry *registry = rejudge->registry;
    struct alert_rule *rules = mem_array(registry->rule_count, sizeof *rules);
    size_t count = 0;
    for (size_t i = 0; i < registry->rule_count; i++)
        if (strcmp(registry->rules[i].zone, rejudge->zone) == 0 &&
            !alert_kind_is_date(registry->rules[i].kind) &&
            registry->rules[i].kind != ALERT_GOODS_LEFT &&
            registry_has_numbers(&registry->rules[i]))
            rules[count++] = registry->rules[i];
    enum err err = alerts_set_rules(rejudge->engine, rules, count, 0, why);
    free(rules);
    if (err == ERR_OK)
        pipeline_tell_room(rejudge->engine, registry, rejudge->zone);
    return err;
}

enum err rejudge_create(struct rejudge **result, const struct rejudge_of *of,
                        struct err_text *why)
{
    *result = NULL;
    struct rejudge *rejudge = mem_alloc(sizeof *rejudge);
    rejudge->registry = of->registry;
    snprintf(rejudge->org, sizeof rejudge->org, "%s", of->org);
    snprintf(rejudge->device, sizeof rejudge->device, "%s", of->device);
    snprintf(rejudge->channel, sizeof rejudge->channel, "%s", of->channel);
    snprintf(rejudge->zone, sizeof rejudge->zone, "%s", of->zone);
    rejudge->last_ms = of->from_ms;
    rejudge->engine = alerts_create();
    rejudge->sink = (struct alert_sink){.context = rejudge, .effect = on_effect};
    if (of->closed_count > 0) {
        rejudge->closed = mem_array(of->closed_count, sizeof *rejudge->closed);
        memcpy(rejudge->closed, of->closed, of->closed_count * sizeof *rejudge->closed);
        rejudge->closed_count = of->closed_count;
    }
    enum err err = set_rules(rejudge, why);
    if (err == ERR_OK)
        alerts_copy_declared(rejudge->engine, of->live, rejudge->zone);
    if (err != ERR_OK) {
        rejudge_destroy(rejudge);
        return err;
    }
    *result = rejudge;
    return ERR_OK;
}

void rejudge_destroy(struct rejudge *rejudge)
{
    if (rejudge == NULL)
        return;
    alerts_destroy(rejudge->engine);
    free(rejudge->found.items);
    free(rejudge->channels);
    free(rejudge->closed);
    free(rejudge);
}

/* ---- reading ---------------------------------------------------------------------- */

static struct read_channel *channel_of(const struct rejudge *rejudge, const char *name)
{
    for (size_t i = 0; i < rejudge->channel_count; i++)
        if (strcmp(rejudge->channels[i].name, name) == 0)
            return &rejudge->channels[i];
    return NULL;
}

static void note_read(struct rejudge *rejudge, const char *name, int64_t time_ms)
{
    struct read_channel *channel = channel_of(rejudge, name);
    if (channel == NULL) {
        mem_grow(&rejudge->channels, &rejudge->channel_capacity,
                 rejudge->channel_count + 1, sizeof *rejudge->channels);
        channel = &rejudge->channels[rejudge->channel_count++];
        snprintf(channel->name, sizeof channel->name, "%s", name);
    }
    channel->time_ms = time_ms;
}

/* What people closed by then ends where they did. */
static void close_as_then(struct rejudge *rejudge, int64_t arrival_ms)
{
    for (size_t i = 0; i < rejudge->closed_count;) {
        const struct rejudge_closed closed = rejudge->closed[i];
        if (closed.closed_ms > arrival_ms) {
            i++;
            continue;
        }
        enum err err =
            alerts_close(rejudge->engine, closed.id, closed.closed_ms, &rejudge->sink);
        (void)err; /* NOT_FOUND: it does not come to be, or is over by itself */
        rejudge->closed[i] = rejudge->closed[--rejudge->closed_count];
    }
}

static bool on_reading(void *context, const struct history_reading *reading)
{
    struct rejudge *rejudge = context;
    rejudge->seen++;
    rejudge->last_count =
        reading->time_ms == rejudge->last_ms ? rejudge->last_count + 1 : 1;
    rejudge->last_ms = reading->time_ms;
    struct channel name;
    if (channel_parse(&name, reading->channel) != ERR_OK ||
        !decode_time_is_plausible(reading->time_ms, reading->arrival_ms))
        return true;
    note_read(rejudge, reading->channel, reading->time_ms);
    const struct registry_placement *placement =
        registry_place(rejudge->registry, rejudge->org, rejudge->device, reading->channel,
                       reading->time_ms);
    if (placement == NULL || strcmp(placement->zone, rejudge->zone) != 0)
        return true;
    close_as_then(rejudge, reading->arrival_ms);
    const struct alert_reading given = {
        .zone = rejudge->zone,
        .device = rejudge->device,
        .channel = reading->channel,
        .quantity = name.quantity,
        .time_ms = reading->time_ms,
        .arrival_ms = reading->arrival_ms,
        .value = reading->value,
        .quality = reading->quality,
    };
    alerts_reading(rejudge->engine, &given, &rejudge->sink);
    return true;
}

enum err rejudge_step(struct rejudge *rejudge, struct history_reader *history,
                      size_t most, bool *at_end)
{
    struct history_range range = {
        .org = rejudge->org,
        .device = rejudge->device,
        .from_ms = rejudge->last_ms,
        .to_ms = INT64_MAX,
        .skip = rejudge->last_count,
    };
    rejudge->seen = 0;
    /* Its other channels, too: a door, a defrost, a probe to compare with. */
    enum err err = history_query(history, &range, most, rejudge, on_reading);
    if (err == ERR_LIMIT && rejudge->channel[0] != '\0') {
        range.channel = rejudge->channel;
        err = history_query(history, &range, most, rejudge, on_reading);
    }
    *at_end = rejudge->seen < most;
    return err;
}

bool rejudge_has_read(const struct rejudge *rejudge, const char *channel, int64_t time_ms)
{
    const struct read_channel *read = channel_of(rejudge, channel);
    return read != NULL && read->time_ms >= time_ms;
}

/* ---- the end ---------------------------------------------------------------------- */

/* Where it does not measure any more nothing can fall silent. */
static void forget_moved(struct rejudge *rejudge, int64_t now_ms)
{
    for (size_t i = 0; i < rejudge->channel_count; i++) {
        const char *channel = rejudge->channels[i].name;
        const struct registry_placement *placement = registry_place(
            rejudge->registry, rejudge->org, rejudge->device, channel, now_ms);
        if (placement == NULL || strcmp(placement->zone, rejudge->zone) != 0)
            alerts_forget(rejudge->engine, rejudge->zone, rejudge->device, channel,
                          now_ms, NULL);
    }
}

void rejudge_end(struct rejudge *rejudge, int64_t now_ms)
{
    close_as_then(rejudge, INT64_MAX);
    forget_moved(rejudge, now_ms);
    alerts_tick(rejudge->engine, now_ms, &rejudge->sink);
    for (size_t i = 0; i < rejudge->found.count; i++) {
        struct incident *found = &rejudge->found.items[i].incident;
        const struct incident *open = alerts_incident(rejudge->engine, found->id);
        if (open != NULL)
            *found = *open;
    }
}

struct late_list *rejudge_found(struct rejudge *rejudge)
{
    return &rejudge->found;
}

void rejudge_hand_over(const struct rejudge *rejudge, struct alerts *to,
                       const char *channel, bool keeps_sums)
{
    if (keeps_sums)
        alerts_keep_sums(rejudge->engine, to, rejudge->zone, rejudge->device, channel);
    alerts_drop(to, rejudge->zone, rejudge->device, channel);
    alerts_copy(to, rejudge->engine, rejudge->zone, rejudge->device, channel);
}
