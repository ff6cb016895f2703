// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/message.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collector/notify/message_date.h"
#include "collector/notify/message_trouble.h"
#include "telemetry/quantity.h"

#define LATE_MS     INT64_C(300000) /* learned so much later than it happened: say so */
#define PHRASE_SIZE 160

void message_key(const struct incident *incident, char key[MESSAGE_KEY_SIZE])
{
    snprintf(key, MESSAGE_KEY_SIZE, "%s-%" PRIu32, incident->id, incident->revision);
}

static const char *unit_of(const struct incident *incident)
{
    int index = quantity_find(incident->quantity);
    return index >= 0 ? quantity_at((size_t)index)->unit : "";
}

/* "1 h 5 min", the same in both languages. */
static void format_span(char *text, size_t size, int64_t ms)
{
    int64_t minutes = (ms + 30000) / 60000;
    if (ms < 60000)
        snprintf(text, size, "%" PRId64 " s", ms / 1000);
    else if (minutes < 60)
        snprintf(text, size, "%" PRId64 " min", minutes);
    else
        snprintf(text, size, "%" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
}

struct phrases {
    char zone[2 * REGISTRY_NAME_SIZE + ID_SIZE];
    char value[PHRASE_SIZE];
    char limit[PHRASE_SIZE];
    char span[32];
    char since[CLOCK_ISO_MAX];
};

/* A device, and where it measures when it does; without one it is the collector. */
static void put_subject(char *zone, size_t size, const struct incident *incident)
{
    size_t len = strlen(zone);
    const char *who =
        incident->device[0] != '\0' ? incident->device : "coldchain-collector";
    snprintf(zone + len, size - len, "%s%s", len > 0 ? " " : "", who);
}

static void fill_phrases(struct phrases *phrases, const struct incident *incident,
                         const struct registry *registry)
{
    const struct registry_zone *zone =
        registry != NULL ? registry_zone(registry, incident->zone) : NULL;
    if (zone != NULL && zone->name[0] != '\0')
        snprintf(phrases->zone, sizeof phrases->zone, "%s %s", zone->site_name,
                 zone->name);
    else
        snprintf(phrases->zone, sizeof phrases->zone, "%s", incident->zone);
    if (alert_kind_is_trouble(incident->kind))
        put_subject(phrases->zone, sizeof phrases->zone, incident);
    const char *unit = unit_of(incident);
    snprintf(phrases->value, sizeof phrases->value, "%.1f %s", incident->worst, unit);
    snprintf(phrases->limit, sizeof phrases->limit, "%.1f %s", incident->limit, unit);
    int64_t end = incident->closed_ms != 0 ? incident->closed_ms : incident->changed_ms;
    format_span(phrases->span, sizeof phrases->span, end - incident->onset_ms);
    clock_format_iso(phrases->since, incident->onset_ms);
}

static char *text_en(const struct phrases *p, const struct incident *incident,
                     enum alert_effect_kind kind)
{
    const char *severity = alert_severity_name(incident->severity);
    struct buf text = {0};
    if (alert_kind_is_trouble(incident->kind)) {
        buf_format(&text, "[%s] %s: ", severity, p->zone);
        message_trouble(incident, kind, false, &text);
        return buf_take(&text);
    }
    if (alert_kind_is_date(incident->kind)) {
        buf_format(&text, "[%s] %s: ", severity, p->zone);
        message_date(incident, kind, false, &text);
        return buf_take(&text);
    }
    if (alert_kind_is_silence(incident->kind))
        buf_format(&text, "[%s] %s: no reading from %s %s for %s, last at %s", severity,
                   p->zone, incident->device, incident->channel, p->span, p->since);
    else
        buf_format(&text, "[%s] %s: %s %s, limit %s (%s), since %s", severity, p->zone,
                   incident->quantity, p->value, p->limit,
                   alert_kind_is_above(incident->kind) ? "above" : "below", p->since);
    if (kind == ALERT_EFFECT_CLOSED)
        buf_format(&text, "; over after %s", p->span);
    else if (kind == ALERT_EFFECT_WITHDRAWN)
        buf_format(&text, "; withdrawn: %s was not in this zone then", incident->device);
    else
        buf_text(&text, alert_kind_is_silence(incident->kind)
                            ? ". Check first: power and network of the sensor"
                            : ". Check first: door, compressor, evaporator fan");
    return buf_take(&text);
}

static char *text_zh(const struct phrases *p, const struct incident *incident,
                     enum alert_effect_kind kind)
{
    const char *severity = incident->severity == ALERT_CRITICAL ? "严重" : "警告";
    int index = quantity_find(incident->quantity);
    const char *quantity =
        index >= 0 ? quantity_at((size_t)index)->about_zh : incident->quantity;
    struct buf text = {0};
    if (alert_kind_is_trouble(incident->kind)) {
        buf_format(&text, "【%s】%s：", severity, p->zone);
        message_trouble(incident, kind, true, &text);
        return buf_take(&text);
    }
    if (alert_kind_is_date(incident->kind)) {
        buf_format(&text, "【%s】%s：", severity, p->zone);
        message_date(incident, kind, true, &text);
        return buf_take(&text);
    }
    if (alert_kind_is_silence(incident->kind))
        buf_format(&text, "【%s】%s：%s %s 已 %s 无数据，最后 %s", severity, p->zone,
                   incident->device, incident->channel, p->span, p->since);
    else
        buf_format(&text, "【%s】%s：%s %s，%s限值 %s，始于 %s", severity, p->zone,
                   quantity, p->value,
                   alert_kind_is_above(incident->kind) ? "高于" : "低于", p->limit,
                   p->since);
    if (kind == ALERT_EFFECT_CLOSED)
        buf_format(&text, "；已恢复，持续 %s", p->span);
    else if (kind == ALERT_EFFECT_WITHDRAWN)
        buf_format(&text, "；已撤销：当时 %s 不在此库区", incident->device);
    else
        buf_text(&text, alert_kind_is_silence(incident->kind)
                            ? "。先查：传感器电源和网络"
                            : "。先查：库门、压缩机、蒸发器风机");
    return buf_take(&text);
}

static void put_number(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

static void put_time(json_t *object, const char *key, int64_t ms)
{
    char text[CLOCK_ISO_MAX];
    json_object_set_new(object, key,
                        ms != 0 ? json_string(clock_format_iso(text, ms)) : json_null());
}

static void put_times(json_t *root, const struct incident *incident, int64_t told_ms)
{
    put_time(root, "onset", incident->onset_ms);
    put_time(root, "opened", incident->opened_ms);
    put_time(root, "learned", incident->learned_ms);
    put_time(root, "closed", incident->closed_ms);
    put_time(root, "withdrawn", incident->withdrawn_ms);
    put_time(root, "told", told_ms);
    json_object_set_new(
        root, "late", json_boolean(incident->learned_ms - incident->opened_ms > LATE_MS));
}

/* As it is when this is said: it may be another one later. */
static void put_place(json_t *root, const struct incident *incident,
                      const struct registry *registry)
{
    const struct registry_zone *zone =
        registry != NULL ? registry_zone(registry, incident->zone) : NULL;
    json_t *subject = alert_kind_is_trouble(incident->kind)
                          ? json_loads(incident->snapshot, 0, NULL)
                          : NULL;
    const char *org = json_string_value(json_object_get(subject, "org"));
    if (zone != NULL)
        org = zone->org;
    json_object_set_new(root, "org", json_string(org != NULL ? org : ""));
    json_decref(subject);
    json_object_set_new(root, "site", json_string(zone != NULL ? zone->site : ""));
}

/* `text` is taken, and what is to be said of the cause added. */
static char *with_cause(char *text, const struct message_cause *cause,
                        const struct incident *incident, enum alert_effect_kind kind,
                        bool is_zh)
{
    struct buf out = {0};
    buf_text(&out, text);
    message_cause_say(cause, incident, kind, is_zh, &out);
    free(text);
    return buf_take(&out);
}

static json_t *message_root(const struct incident *incident, enum alert_effect_kind kind,
                            const char *en, const char *zh)
{
    char key[MESSAGE_KEY_SIZE];
    message_key(incident, key);
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s}",
        "key", key, "event", alert_effect_name(kind), "incident", incident->id,
        "revision", (json_int_t)incident->revision, "rule", incident->rule, "kind",
        alert_kind_name(incident->kind), "severity",
        alert_severity_name(incident->severity), "state",
        incident_state_name(incident->state), "zone", incident->zone, "device",
        incident->device, "channel", incident->channel, "quantity", incident->quantity,
        "acknowledged", incident->is_acknowledged, "text_en", en, "text_zh", zh);
    assert(root != NULL);
    return root;
}

void message_format(const struct incident *incident, enum alert_effect_kind kind,
                    const struct message_cause *cause, const struct registry *registry,
                    int64_t told_ms, struct buf *out)
{
    static const struct message_cause alone = {.id = NULL};
    struct phrases phrases;
    if (cause == NULL)
        cause = &alone;
    fill_phrases(&phrases, incident, registry);
    char *en =
        with_cause(text_en(&phrases, incident, kind), cause, incident, kind, false);
    char *zh = with_cause(text_zh(&phrases, incident, kind), cause, incident, kind, true);
    json_t *root = message_root(incident, kind, en, zh);
    json_object_set_new(root, "cause",
                        json_string(cause->id != NULL ? cause->id : incident->id));
    json_object_set_new(root, "is_over", json_boolean(cause->is_over));
    put_place(root, incident, registry);
    put_number(root, "value", incident->value);
    put_number(root, "worst", incident->worst);
    put_number(root, "limit", incident->limit);
    put_times(root, incident, told_ms);
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert(text != NULL);
    buf_text(out, text);
    free(text);
    free(en);
    free(zh);
    json_decref(root);
}
