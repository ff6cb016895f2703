// SPDX-License-Identifier: Apache-2.0
#include "alerts/alerts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/room.h"
#include "base/crypto.h"
#include "base/mem.h"

struct alerts *alerts_create(void)
{
    crypto_init(); /* ids are digests */
    struct alerts *alerts = mem_alloc(sizeof *alerts);
    alerts->told = mem_alloc(sizeof *alerts->told);
    alerts->quiet_until_ms = TIME_NONE;
    return alerts;
}

void alerts_destroy(struct alerts *alerts)
{
    if (alerts == NULL)
        return;
    sources_fini(alerts);
    while (alerts->spare != NULL) {
        struct watch *watch = alerts->spare;
        alerts->spare = watch->next;
        free(watch);
    }
    for (size_t i = 0; i < alerts->gone.count; i++)
        free(alerts->gone.items[i]);
    assert(alerts->names.count == 0);
    table_free(&alerts->names);
    table_free(&alerts->firings);
    pool_fini(&alerts->pool);
    zones_fini(&alerts->zones);
    rooms_fini(alerts);
    free(alerts->gone.items);
    free(alerts->due.items);
    free(alerts->wakes);
    buf_fini(&alerts->out);
    free(alerts->told);
    free(alerts);
}

static int compare_ids(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static enum err check_rules(const struct alert_rule *rules, size_t count,
                            struct err_text *why)
{
    const char **ids = mem_array(count, sizeof *ids);
    enum err err = ERR_OK;
    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        ids[i] = rules[i].id;
        err = alert_rule_check(&rules[i], why);
    }
    if (err == ERR_OK)
        qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < count && err == ERR_OK; i++)
        if (strcmp(ids[i - 1], ids[i]) == 0)
            err = err_set(why, ERR_INVALID, "two rules have the id '%s'", ids[i]);
    free(ids);
    return err;
}

enum err alerts_set_rules(struct alerts *alerts, const struct alert_rule *rules,
                          size_t count, int64_t now_ms, struct err_text *why)
{
    return alerts_change_rules(alerts, rules, count, now_ms, NULL, why);
}

enum err alerts_change_rules(struct alerts *alerts, const struct alert_rule *rules,
                             size_t count, int64_t now_ms, const struct alert_sink *sink,
                             struct err_text *why)
{
    assert(count == 0 || rules != NULL);
    enum err err = check_rules(rules, count, why);
    if (err != ERR_OK)
        return err;
    struct table old = alerts->zones;
    alerts->zones = (struct table){0};
    for (size_t i = 0; i < count; i++)
        zone_add_rule(zone_make(&alerts->zones, rules[i].zone), rule_create(&rules[i]));
    alerts_relink(alerts, now_ms, sink);
    zones_fini(&old);
    return ERR_OK;
}

static bool is_time(int64_t time_ms)
{
    return time_ms >= -TIME_LIMIT_MS && time_ms <= TIME_LIMIT_MS;
}

static bool has_times(const struct alert_reading *reading)
{
    return is_time(reading->time_ms) && is_time(reading->arrival_ms);
}

static bool is_good(const struct alert_reading *reading)
{
    return reading->quality == QUALITY_GOOD && isfinite(reading->value);
}

static void hear_device(struct alerts *alerts, struct source *device, int64_t arrival_ms,
                        const struct alert_sink *sink)
{
    if (device == NULL)
        return;
    silence_heard(alerts, device, arrival_ms, sink);
    silence_schedule(alerts, device);
}

/* Good or not: it is there. */
static void be_in_contact(struct alerts *alerts, const struct source *source,
                          int64_t arrival_ms)
{
    struct source *device = source_device(source);
    if (device != NULL && device->plan->pause_ms > 0)
        contact_heard(alerts, device, arrival_ms);
}

void alerts_heard(struct alerts *alerts, const struct alert_reading *reading,
                  const struct alert_sink *sink)
{
    assert(sink->effect != NULL);
    struct source *source = has_times(reading) ? source_of(alerts, reading) : NULL;
    if (source != NULL)
        be_in_contact(alerts, source, reading->arrival_ms);
    if (source == NULL || !is_good(reading))
        return;
    silence_heard(alerts, source, reading->arrival_ms, sink);
    silence_schedule(alerts, source);
    hear_device(alerts, source_device(source), reading->arrival_ms, sink);
}

static void judge(struct alerts *alerts, struct source *source,
                  const struct alert_reading *reading, const struct alert_sink *sink)
{
    silence_heard(alerts, source, reading->arrival_ms, sink);
    threshold_reading(alerts, source, reading, sink);
    silence_schedule(alerts, source);
    hear_device(alerts, source_device(source), reading->arrival_ms, sink);
}

struct source *alerts_reading_at(struct alerts *alerts, struct source *known,
                                 const struct alert_reading *reading,
                                 const struct alert_sink *sink)
{
    assert(sink->effect != NULL);
    if (!has_times(reading))
        return known;
    struct source *source = known;
    if (source == NULL)
        source = source_of(alerts, reading);
    else if (!reading->is_elsewhere)
        source_hear_of(alerts, source, reading->arrival_ms);
    if (source != NULL)
        be_in_contact(alerts, source, reading->arrival_ms);
    if (!is_good(reading))
        return source;
    if (source != NULL)
        judge(alerts, source, reading, sink);
    else
        room_overhear(alerts, reading);
    return source;
}

void alerts_overhear(struct alerts *alerts, const struct source *known,
                     const struct alert_reading *reading)
{
    enum room_role role = known != NULL ? (enum room_role)known->plan->role
                                        : room_role_of(reading->quantity, false);
    if (role == ROLE_NONE || !has_times(reading) || !is_good(reading))
        return;
    const struct zone *zone = zone_find(&alerts->zones, reading->zone);
    if (zone != NULL && zone->has_room)
        room_hear(alerts, room_make(alerts, reading->zone), role, reading);
}

void alerts_reading(struct alerts *alerts, const struct alert_reading *reading,
                    const struct alert_sink *sink)
{
    alerts_reading_at(alerts, NULL, reading, sink);
}

uint64_t alerts_removed(const struct alerts *alerts)
{
    return alerts->removed;
}

void alerts_tick(struct alerts *alerts, int64_t now_ms, const struct alert_sink *sink)
{
    if (is_time(now_ms) && now_ms >= alerts->quiet_until_ms)
        silence_tick(alerts, now_ms, sink);
}

void alerts_set_grace(struct alerts *alerts, int64_t quiet_until_ms)
{
    if (!is_time(quiet_until_ms) || quiet_until_ms == alerts->quiet_until_ms)
        return;
    alerts->quiet_until_ms = quiet_until_ms;
    alerts->is_grace_dirty = true;
}

int64_t alerts_grace(const struct alerts *alerts)
{
    return alerts->quiet_until_ms;
}

void alerts_expect(struct alerts *alerts, const char *zone, const char *device,
                   const char *channel, const char *quantity, int64_t now_ms)
{
    assert(is_time(now_ms) && (channel[0] != '\0') == (quantity[0] != '\0'));
    source_expect(alerts, zone, device, channel, quantity, now_ms);
}

void alerts_forget(struct alerts *alerts, const char *zone, const char *device,
                   const char *channel, int64_t now_ms, const struct alert_sink *sink)
{
    struct source *source = source_find(alerts, zone, device, channel);
    if (source == NULL || source->is_forgotten || source->channels > 0)
        return;
    struct source *whole = source_device(source);
    source_unlink_device(source);
    source_forget(alerts, source, now_ms, sink);
    if (whole != NULL && whole->channels == 0)
        source_forget(alerts, whole, now_ms, sink);
}

static struct watch *find_open(const struct alerts *alerts, const char *incident)
{
    uint8_t id[ID_BYTES];
    return incident_id_parse(id, incident) ? firing_find(alerts, id) : NULL;
}

enum err alerts_acknowledge(struct alerts *alerts, const char *incident, const char *who,
                            int64_t now_ms, const struct alert_sink *sink)
{
    assert(who[0] != '\0' && strlen(who) <= ID_MAX);
    struct watch *watch = find_open(alerts, incident);
    if (watch == NULL)
        return ERR_NOT_FOUND;
    if (watch->firing->acknowledged_by != NULL)
        return ERR_EXISTS;
    watch->firing->acknowledged_by = mem_strdup(who);
    watch->firing->acknowledged_ms = now_ms;
    incident_tell(alerts, watch, ALERT_EFFECT_UPDATED, now_ms, sink);
    return ERR_OK;
}

enum err alerts_remind(struct alerts *alerts, const char *incident, int64_t now_ms,
                       const struct alert_sink *sink)
{
    struct watch *watch = find_open(alerts, incident);
    if (watch == NULL)
        return ERR_NOT_FOUND;
    if (watch->firing->acknowledged_by == NULL)
        return ERR_EXISTS;
    free(watch->firing->acknowledged_by);
    watch->firing->acknowledged_by = NULL;
    watch->firing->acknowledged_ms = 0;
    incident_tell(alerts, watch, ALERT_EFFECT_REMINDED, now_ms, sink);
    return ERR_OK;
}

static bool is_remembered(const struct watch *watch)
{
    if (watch->rule == NULL || watch->source->is_forgotten)
        return false;
    enum alert_kind kind = (enum alert_kind)watch->rule->kind;
    return watch->firing->state != INCIDENT_UNKNOWN || alert_kind_is_sum(kind) ||
           alert_kind_is_silence(kind);
}

enum err alerts_close(struct alerts *alerts, const char *incident, int64_t now_ms,
                      const struct alert_sink *sink)
{
    struct watch *watch = find_open(alerts, incident);
    if (watch == NULL)
        return ERR_NOT_FOUND;
    if (!is_remembered(watch))
        return alerts_end(alerts, incident, now_ms, sink);
    incident_close(alerts, watch, now_ms, now_ms, sink);
    threshold_dismiss(watch, now_ms);
    return ERR_OK;
}

enum err alerts_end(struct alerts *alerts, const char *incident, int64_t now_ms,
                    const struct alert_sink *sink)
{
    struct watch *watch = find_open(alerts, incident);
    if (watch == NULL)
        return ERR_NOT_FOUND;
    struct source *source = watch->source;
    incident_close(alerts, watch, now_ms, now_ms, sink);
    watch_remove(alerts, watch);
    source_drop_idle(alerts, source);
    return ERR_OK;
}

const struct incident *alerts_incident(const struct alerts *alerts, const char *id)
{
    const struct watch *watch = find_open(alerts, id);
    return watch != NULL ? incident_fill(alerts, watch) : NULL;
}
