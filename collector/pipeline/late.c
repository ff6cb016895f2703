// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/late.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SAVED_VERSION     4
#define SAVED_VERSION_3   3 /* nothing of backlogs */
#define SAVED_VERSION_2   2 /* no word of harm */
#define SAVED_VERSION_OLD 1 /* 0.1: predictions without an interval */

struct late *late_create(void)
{
    return mem_alloc(sizeof(struct late));
}

void late_destroy(struct late *late)
{
    if (late == NULL)
        return;
    free(late->channels);
    free(late->told.items);
    free(late->held.items);
    free(late);
}

bool late_is_empty(const struct late *late)
{
    return late == NULL ||
           (late->channel_count == 0 && late->told.count == 0 && late->held.count == 0);
}

bool late_add_channel(struct late *late, const char *zone, const char *channel)
{
    for (size_t i = 0; i < late->channel_count; i++)
        if (strcmp(late->channels[i].channel, channel) == 0 &&
            strcmp(late->channels[i].zone, zone) == 0)
            return false;
    mem_grow(&late->channels, &late->channel_capacity, late->channel_count + 1,
             sizeof *late->channels);
    struct late_channel *added = &late->channels[late->channel_count++];
    snprintf(added->zone, sizeof added->zone, "%s", zone);
    snprintf(added->channel, sizeof added->channel, "%s", channel);
    return true;
}

struct late_incident *late_find(const struct late_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].incident.id, id) == 0)
            return &list->items[i];
    return NULL;
}

static struct late_incident *add(struct late_list *list, const struct incident *incident)
{
    mem_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items);
    struct late_incident *added = &list->items[list->count++];
    *added = (struct late_incident){.incident = *incident};
    return added;
}

bool late_takes(const struct late_list *list, const char *id)
{
    return list->count < LATE_INCIDENTS || late_find(list, id) != NULL;
}

void late_note(struct late_list *list, enum alert_effect_kind kind,
               const struct incident *incident)
{
    struct late_incident *entry = late_find(list, incident->id);
    if (entry == NULL)
        entry = add(list, incident);
    entry->incident = *incident;
    entry->is_new |= kind == ALERT_EFFECT_OPENED;
    entry->is_worse |= kind == ALERT_EFFECT_ESCALATED;
}

void late_remove(struct late_list *list, struct late_incident *entry)
{
    size_t at = (size_t)(entry - list->items);
    assert(at < list->count);
    list->count--;
    memmove(entry, entry + 1, (list->count - at) * sizeof *entry);
}

static int64_t end_of(const struct incident *incident)
{
    return incident->state == INCIDENT_CLOSED ? incident->closed_ms : INT64_MAX;
}

static bool is_same_trouble(const struct incident *a, const struct incident *b)
{
    return strcmp(a->rule, b->rule) == 0 && strcmp(a->zone, b->zone) == 0 &&
           strcmp(a->device, b->device) == 0 && strcmp(a->channel, b->channel) == 0 &&
           a->onset_ms <= end_of(b) && b->onset_ms <= end_of(a);
}

struct late_incident *late_match(const struct late *late, const struct incident *incident,
                                 bool by_id)
{
    for (size_t i = late->told.count; i > 0; i--) {
        struct late_incident *told = &late->told.items[i - 1];
        if (!told->is_matched && (by_id ? strcmp(told->incident.id, incident->id) == 0
                                        : is_same_trouble(&told->incident, incident)))
            return told;
    }
    return NULL;
}

bool late_is_part(const struct late_list *list, const struct incident *incident)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_same_trouble(&list->items[i].incident, incident))
            return true;
    return false;
}

static enum alert_effect_kind kind_of(const struct late_incident *held,
                                      const struct incident *told)
{
    const struct incident *now = &held->incident;
    if (now->state == INCIDENT_CLOSED)
        return told != NULL && told->state == INCIDENT_CLOSED ? ALERT_EFFECT_UPDATED
                                                              : ALERT_EFFECT_CLOSED;
    if (told == NULL)
        return held->is_new     ? ALERT_EFFECT_OPENED
               : held->is_worse ? ALERT_EFFECT_ESCALATED
                                : ALERT_EFFECT_UPDATED;
    if (told->state == INCIDENT_CLOSED)
        return ALERT_EFFECT_OPENED; /* it was said to be over, and is not */
    return now->severity > told->severity ? ALERT_EFFECT_ESCALATED : ALERT_EFFECT_UPDATED;
}

/* Revisions go on above both, so that no row of state.db is met twice. */
enum alert_effect_kind late_merge(struct late_incident *held,
                                  const struct late_incident *told)
{
    struct incident *now = &held->incident;
    const struct incident *then = told != NULL ? &told->incident : NULL;
    enum alert_effect_kind kind = kind_of(held, then);
    if (then != NULL) {
        memcpy(now->id, then->id, sizeof now->id);
        now->learned_ms = then->learned_ms;
        if (then->revision > now->revision)
            now->revision = then->revision;
        if (then->severity > now->severity)
            now->severity = then->severity;
        if (then->is_acknowledged) {
            now->is_acknowledged = true;
            now->acknowledged_ms = then->acknowledged_ms;
            memcpy(now->acknowledged_by, then->acknowledged_by,
                   sizeof now->acknowledged_by);
        }
    }
    now->revision++;
    return kind;
}

/* ---- the checkpoint --------------------------------------------------------------- */

static void save_text(struct buf *out, const char *text)
{
    buf_blob(out, text, strlen(text));
}

static void save_incident(struct buf *out, const struct late_incident *from)
{
    const struct incident *incident = &from->incident;
    buf_u8(out, (uint8_t)((from->is_new ? 1 : 0) | (from->is_worse ? 2 : 0) |
                          (incident->is_acknowledged ? 4 : 0)));
    buf_u8(out, (uint8_t)incident->kind);
    buf_u8(out, (uint8_t)incident->severity);
    buf_u8(out, (uint8_t)incident->state);
    save_text(out, incident->id);
    save_text(out, incident->rule);
    save_text(out, incident->zone);
    save_text(out, incident->device);
    save_text(out, incident->channel);
    save_text(out, incident->quantity);
    save_text(out, incident->acknowledged_by);
    save_text(out, incident->snapshot);
    const int64_t times[] = {incident->acknowledged_ms, incident->onset_ms,
                             incident->opened_ms,       incident->learned_ms,
                             incident->changed_ms,      incident->back_ms,
                             incident->closed_ms};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        buf_zigzag(out, times[i]);
    buf_f64(out, incident->limit);
    buf_f64(out, incident->value);
    buf_f64(out, incident->worst);
    if (incident->kind == ALERT_PREDICTED) {
        buf_f64(out, incident->worst_low);
        buf_f64(out, incident->worst_high);
    }
    if (incident->kind == ALERT_LIFE_LEFT)
        save_text(out, incident->life);
    buf_varint(out, incident->revision);
    char harm[HARM_TEXT_SIZE];
    harm_format(harm, &incident->harm);
    save_text(out, harm);
}

static void save_list(struct buf *out, const struct late_list *list)
{
    buf_varint(out, list->count);
    for (size_t i = 0; i < list->count; i++)
        save_incident(out, &list->items[i]);
}

void late_save(const struct late *late, struct buf *out)
{
    buf_u8(out, SAVED_VERSION);
    buf_varint(out, late->channel_count);
    for (size_t i = 0; i < late->channel_count; i++) {
        save_text(out, late->channels[i].zone);
        save_text(out, late->channels[i].channel);
    }
    save_list(out, &late->told);
    save_list(out, &late->held);
    buf_zigzag(out, late->until_ms);
}

static void load_text(struct buf_reader *in, char *to, size_t size)
{
    size_t len = 0;
    const void *text = buf_read_blob(in, &len);
    if (text == NULL || len >= size) {
        in->failed = true;
        return;
    }
    memcpy(to, text, len);
    to[len] = '\0';
}

static void load_words(struct buf_reader *in, struct incident *incident)
{
    load_text(in, incident->id, sizeof incident->id);
    load_text(in, incident->rule, sizeof incident->rule);
    load_text(in, incident->zone, sizeof incident->zone);
    load_text(in, incident->device, sizeof incident->device);
    load_text(in, incident->channel, sizeof incident->channel);
    load_text(in, incident->quantity, sizeof incident->quantity);
    load_text(in, incident->acknowledged_by, sizeof incident->acknowledged_by);
    load_text(in, incident->snapshot, sizeof incident->snapshot);
}

static void load_harm(struct buf_reader *in, struct harm *harm)
{
    char text[HARM_TEXT_SIZE] = "";
    load_text(in, text, sizeof text);
    if (!harm_parse(harm, text))
        in->failed = true;
}

static void load_incident(struct buf_reader *in, unsigned version, struct late_list *list)
{
    struct incident incident = {0};
    uint8_t flags = buf_read_u8(in);
    uint8_t kind = buf_read_u8(in);
    uint8_t severity = buf_read_u8(in);
    uint8_t state = buf_read_u8(in);
    if (kind >= ALERT_KIND_COUNT || alert_kind_is_trouble((enum alert_kind)kind) ||
        severity > ALERT_CRITICAL || state > INCIDENT_CLOSED) {
        in->failed = true;
        return;
    }
    incident.kind = (enum alert_kind)kind;
    incident.severity = (enum alert_severity)severity;
    incident.state = (enum incident_state)state;
    incident.is_acknowledged = (flags & 4) != 0;
    load_words(in, &incident);
    int64_t *const times[] = {&incident.acknowledged_ms, &incident.onset_ms,
                              &incident.opened_ms,       &incident.learned_ms,
                              &incident.changed_ms,      &incident.back_ms,
                              &incident.closed_ms};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        *times[i] = buf_read_zigzag(in);
    incident.limit = buf_read_f64(in);
    incident.value = buf_read_f64(in);
    incident.worst = buf_read_f64(in);
    if (version > SAVED_VERSION_OLD && incident.kind == ALERT_PREDICTED) {
        incident.worst_low = buf_read_f64(in);
        incident.worst_high = buf_read_f64(in);
    }
    if (incident.kind == ALERT_LIFE_LEFT)
        load_text(in, incident.life, sizeof incident.life);
    incident.revision = (uint32_t)buf_read_varint(in);
    if (version > SAVED_VERSION_2)
        load_harm(in, &incident.harm);
    if (in->failed)
        return;
    struct late_incident *entry = add(list, &incident);
    entry->is_new = (flags & 1) != 0;
    entry->is_worse = (flags & 2) != 0;
}

static void load_list(struct buf_reader *in, unsigned version, struct late_list *list)
{
    uint64_t count = buf_read_varint(in);
    if (count > LATE_INCIDENTS_MAX)
        in->failed = true;
    for (uint64_t i = 0; i < count && !in->failed; i++)
        load_incident(in, version, list);
}

enum err late_load(struct late *late, const void *data, size_t len)
{
    assert(late->channel_count == 0);
    struct buf_reader in = buf_reader_of(data, len);
    unsigned version = buf_read_u8(&in);
    if (version < SAVED_VERSION_OLD || version > SAVED_VERSION)
        return ERR_CORRUPT;
    uint64_t channels = buf_read_varint(&in);
    for (uint64_t i = 0; i < channels && !in.failed; i++) {
        char zone[ID_SIZE] = "";
        char channel[ID_SIZE] = "";
        load_text(&in, zone, sizeof zone);
        load_text(&in, channel, sizeof channel);
        late_add_channel(late, zone, channel);
    }
    load_list(&in, version, &late->told);
    load_list(&in, version, &late->held);
    if (version > SAVED_VERSION_3)
        late->until_ms = buf_read_zigzag(&in);
    return in.failed || in.at != len ? ERR_CORRUPT : ERR_OK;
}
