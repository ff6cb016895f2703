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
#include "collector/notify/checks.h"
#include "collector/notify/message_date.h"
#include "collector/notify/message_harm.h"
#include "collector/notify/message_life.h"
#include "collector/notify/message_trouble.h"
#include "collector/notify/template.h"
#include "collector/notify/words.h"
#include "telemetry/quantity.h"

#define LATE_MS     INT64_C(300000) /* learned so much later than it happened: say so */
#define PHRASE_SIZE 160

void message_key(const struct incident *incident, char key[MESSAGE_KEY_SIZE])
{
    snprintf(key, MESSAGE_KEY_SIZE, "%s-%" PRIu32, incident->id, incident->revision);
}

void message_span(char *text, size_t size, int64_t ms)
{
    int64_t minutes = (ms + 30000) / 60000;
    if (ms < 60000)
        snprintf(text, size, "%" PRId64 " s", ms / 1000);
    else if (minutes < 60)
        snprintf(text, size, "%" PRId64 " min", minutes);
    else
        snprintf(text, size, "%" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
}

/* What the templates of words.c name; the same in both languages. */
struct phrases {
    char zone[2 * REGISTRY_NAME_SIZE + ID_SIZE];
    char value[PHRASE_SIZE];
    char worst[PHRASE_SIZE]; /* "": `value` is that */
    char level[PHRASE_SIZE];
    char reference[PHRASE_SIZE];
    char window[32];
    char span[32];
    char since[MESSAGE_TIME_SIZE];
    const struct registry_zone *place; /* NULL: not known */
};

/* A device, and where it measures when it does; a channel; or it is the collector. */
static void put_subject(char *zone, size_t size, const struct incident *incident)
{
    size_t len = strlen(zone);
    const char *who = incident->device[0] != '\0'    ? incident->device
                      : incident->channel[0] != '\0' ? incident->channel
                                                     : "coldchain-collector";
    snprintf(zone + len, size - len, "%s%s", len > 0 ? " " : "", who);
}

static void format_value(char text[PHRASE_SIZE], const struct incident *incident,
                         double value, const char *unit)
{
    int index = quantity_find(incident->quantity);
    const char *own = index >= 0 ? quantity_at((size_t)index)->unit : "";
    snprintf(text, PHRASE_SIZE, "%.1f %s%s", value, own, unit);
}

/* Measures that have a unit of their own. */
static const struct {
    const char *unit;
    int decimals;
    const char *shown;
} measures[] = {
    {"1", 0, ""},
    {"1/h", 1, "/h"},
    {"%", 0, " %"},
    {"d", 0, " d"},
};

/* In the unit of the kind's measure: of the quantity, minutes, a count, days. */
static void format_measure(char text[PHRASE_SIZE], const struct incident *incident,
                           double value)
{
    const char *unit = alert_kind_unit(incident->kind);
    if (!isfinite(value)) {
        snprintf(text, PHRASE_SIZE, "?");
        return;
    }
    if (strcmp(unit, "min") == 0) {
        message_span(text, PHRASE_SIZE, (int64_t)(value * 60000));
        return;
    }
    for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++)
        if (strcmp(unit, measures[i].unit) == 0) {
            snprintf(text, PHRASE_SIZE, "%.*f%s", measures[i].decimals, value,
                     measures[i].shown);
            return;
        }
    format_value(text, incident, value, unit);
}

/* "55 min (40 min–1 h 10 min)": the same in both languages. */
static void add_interval(char text[PHRASE_SIZE], const struct incident *incident)
{
    char low[32];
    char high[32];
    message_span(low, sizeof low, (int64_t)(incident->worst_low * 60000));
    message_span(high, sizeof high, (int64_t)(incident->worst_high * 60000));
    size_t len = strlen(text);
    if (incident->worst_high > 0 && strcmp(low, high) != 0)
        snprintf(text + len, PHRASE_SIZE - len, " (%s–%s)", low, high);
}

/* What the rule itself says, as it was when the incident opened. */
static void fill_rule(struct phrases *phrases, const struct incident *incident)
{
    json_t *rule = json_loads(incident->snapshot, 0, NULL);
    const json_t *limit = json_object_get(rule, "limit");
    json_int_t window_ms = json_integer_value(json_object_get(rule, "window_ms"));
    snprintf(phrases->reference, sizeof phrases->reference, "?");
    if (json_is_number(limit))
        format_value(phrases->reference, incident, json_number_value(limit), "");
    message_span(phrases->window, sizeof phrases->window, window_ms);
    json_decref(rule);
}

/* What it is now helps more than what it once was, and both most. */
static void fill_value(struct phrases *phrases, const struct incident *incident)
{
    format_measure(phrases->value, incident, incident->worst);
    phrases->worst[0] = '\0';
    if (alert_kind_is_value(incident->kind) && isfinite(incident->value)) {
        char now[PHRASE_SIZE];
        format_measure(now, incident, incident->value);
        if (strcmp(now, phrases->value) != 0) {
            snprintf(phrases->worst, PHRASE_SIZE, "%s", phrases->value);
            snprintf(phrases->value, PHRASE_SIZE, "%s", now);
        }
    }
    add_interval(phrases->value, incident);
}

static void fill_phrases(struct phrases *phrases, const struct incident *incident,
                         const struct registry *registry, const struct tz *tz,
                         int64_t told_ms)
{
    const struct registry_zone *zone =
        registry != NULL ? registry_zone(registry, incident->zone) : NULL;
    phrases->place = zone;
    if (zone != NULL && zone->name[0] != '\0')
        snprintf(phrases->zone, sizeof phrases->zone, "%s%s%s", zone->site_name,
                 zone->site_name[0] != '\0' ? " " : "", zone->name);
    else
        snprintf(phrases->zone, sizeof phrases->zone, "%s", incident->zone);
    if (alert_kind_is_trouble(incident->kind))
        put_subject(phrases->zone, sizeof phrases->zone, incident);
    fill_value(phrases, incident);
    format_measure(phrases->level, incident, incident->limit);
    fill_rule(phrases, incident);
    int64_t end_ms = incident->closed_ms != 0 ? incident->closed_ms : told_ms;
    message_span(phrases->span, sizeof phrases->span, end_ms - incident->onset_ms);
    message_time(phrases->since, &(struct message_times){.tz = tz}, incident->onset_ms);
}

static const char *quantity_in(const struct incident *incident,
                               enum words_language language)
{
    int index = quantity_find(incident->quantity);
    if (index < 0)
        return incident->quantity;
    const struct quantity *quantity = quantity_at((size_t)index);
    return language == WORDS_ZH ? quantity->about_zh : quantity->about_en;
}

static void add_worst(const struct phrases *p, enum words_language language,
                      struct buf *value)
{
    const struct template_value worst = {"worst", p->worst};
    buf_text(value, p->value);
    if (p->worst[0] == '\0')
        return;
    words_say(WORDS_WORST, language, &worst, 1, value);
}

static void fill(const struct phrases *p, const struct incident *incident,
                 enum words_language language, const char *text, struct buf *out)
{
    bool is_critical = incident->severity == ALERT_CRITICAL;
    struct buf value = {0};
    struct buf life = {0};
    add_worst(p, language, &value);
    message_life(incident, p->place, language == WORDS_ZH, &life);
    const struct template_value values[] = {
        {"severity", words(is_critical ? WORDS_CRITICAL : WORDS_WARNING, language)},
        {"zone", p->zone},
        {"quantity", quantity_in(incident, language)},
        {"device", incident->device},
        {"channel", incident->channel},
        {"value", value.data},
        {"life", life.len > 0 ? life.data : ""},
        {"alone", check_is_alone(incident) ? words(WORDS_ALONE, language) : ""},
        {"level", p->level},
        {"reference", p->reference},
        {"window", p->window},
        {"span", p->span},
        {"since", p->since},
    };
    enum err err = template_fill(text, TEMPLATE_AS_IS, values,
                                 sizeof values / sizeof values[0], out, NULL);
    assert(err == ERR_OK); /* the unit test fills every text there is */
    (void)err;
    buf_fini(&value);
    buf_fini(&life);
}

static void add_end(const struct phrases *p, const struct incident *incident,
                    enum alert_effect_kind kind, enum words_language language,
                    struct buf *out)
{
    if (kind == ALERT_EFFECT_CLOSED)
        fill(p, incident, language, words(WORDS_OVER, language), out);
    else if (kind == ALERT_EFFECT_WITHDRAWN)
        fill(p, incident, language, words(WORDS_WITHDRAWN, language), out);
    else {
        buf_text(out, words(WORDS_CHECK, language));
        buf_text(out, check_of(incident, language));
    }
}

static char *text_in(enum words_language language, const struct phrases *p,
                     const struct incident *incident, enum alert_effect_kind kind,
                     struct message_times *times, int64_t told_ms)
{
    struct buf text = {0};
    fill(p, incident, language, words(WORDS_HEAD, language), &text);
    if (alert_kind_is_trouble(incident->kind)) {
        message_trouble(incident, kind, language == WORDS_ZH, &text);
        return buf_take(&text);
    }
    if (alert_kind_is_date(incident->kind)) {
        message_date(incident, kind, language == WORDS_ZH, &text);
        return buf_take(&text);
    }
    fill(p, incident, language, words_of_kind(incident->kind)->what[language], &text);
    message_harm_say(incident, language, times, told_ms, &text);
    add_end(p, incident, kind, language, &text);
    message_harm_detail(incident, language, &text);
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

/* What the cause is known by to programs, whichever of its incidents is told. */
static void put_leader(json_t *root, const struct incident *leader)
{
    if (leader == NULL)
        return;
    json_object_set_new(root, "leader",
                        json_pack("{s:s, s:s, s:s, s:s, s:s}", "rule", leader->rule,
                                  "kind", alert_kind_name(leader->kind), "zone",
                                  leader->zone, "device", leader->device, "quantity",
                                  leader->quantity));
}

static bool has_kind_text(const struct incident *incident)
{
    return !alert_kind_is_trouble(incident->kind) && !alert_kind_is_date(incident->kind);
}

/* Whether the text of its kind tells when it began, and so the zone of time. */
static bool tells_since(const struct incident *incident, enum words_language language)
{
    return has_kind_text(incident) &&
           strstr(words_of_kind(incident->kind)->what[language], "${since}") != NULL;
}

struct said {
    const struct incident *incident;
    struct phrases phrases;
};

/* What is told in both languages. */
struct plan {
    struct said subject;
    struct said other; /* of its cause; no incident: there is none */
    struct incident first;
    bool is_end; /* of the cause */
    enum alert_effect_kind kind;
    const struct message_cause *cause;
    const struct tz *tz;
    int64_t told_ms;
};

/*
 * Whoever is told that a cause is over knows it by what began it: that is told again,
 * with how long it all was, and behind it what ended last.
 */
static bool ends_cause(const struct plan *plan, const struct incident *incident)
{
    const struct message_cause *cause = plan->cause;
    return plan->kind == ALERT_EFFECT_CLOSED && !cause->is_over && !cause->is_part &&
           cause->leader != NULL && cause->leader->withdrawn_ms == 0 &&
           has_kind_text(incident) && has_kind_text(cause->leader);
}

static void choose(struct plan *plan, const struct incident *incident)
{
    const struct incident *leader = plan->cause->leader;
    plan->subject.incident = incident;
    plan->other.incident = leader != NULL && has_kind_text(leader) ? leader : NULL;
    plan->is_end = ends_cause(plan, incident);
    if (!plan->is_end)
        return;
    plan->first = *leader;
    plan->first.severity = incident->severity;
    plan->first.state = INCIDENT_CLOSED;
    plan->first.closed_ms = incident->closed_ms;
    plan->subject.incident = &plan->first;
    plan->other.incident = incident;
}

static void say_other(struct plan *plan, enum words_language language,
                      struct message_times *times, struct buf *out)
{
    const struct incident *other = plan->other.incident;
    struct phrases *phrases = &plan->other.phrases;
    if (other == NULL)
        return;
    message_time(phrases->since, times, other->onset_ms);
    fill(phrases, other, language,
         words(plan->is_end ? WORDS_LAST : WORDS_CAUSE, language), out);
    if (strcmp(other->zone, plan->subject.incident->zone) != 0)
        fill(phrases, other, language, words(WORDS_THERE, language), out);
    fill(phrases, other, language, words_of_kind(other->kind)->what[language], out);
}

/* With what is to be said of the cause. */
static char *whole_text(enum words_language language, struct plan *plan)
{
    struct buf out = {0};
    struct message_times times = {.tz = plan->tz};
    char since[MESSAGE_TIME_SIZE];
    const struct incident *incident = plan->subject.incident;
    if (tells_since(incident, language))
        message_time(since, &times, incident->onset_ms);
    char *text = text_in(language, &plan->subject.phrases, incident, plan->kind, &times,
                         plan->told_ms);
    buf_text(&out, text);
    message_cause_say(plan->cause, incident, plan->kind, language == WORDS_ZH, &times,
                      &out);
    say_other(plan, language, &times, &out);
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
    static const struct tz utc = {0};
    const struct tz *tz = registry != NULL ? registry_tz(registry, incident->zone) : &utc;
    char since[MESSAGE_TIME_SIZE];
    if (cause == NULL)
        cause = &alone;
    struct plan plan = {.kind = kind, .cause = cause, .tz = tz, .told_ms = told_ms};
    choose(&plan, incident);
    fill_phrases(&plan.subject.phrases, plan.subject.incident, registry, tz, told_ms);
    if (plan.other.incident != NULL)
        fill_phrases(&plan.other.phrases, plan.other.incident, registry, tz, told_ms);
    char *en = whole_text(WORDS_EN, &plan);
    char *zh = whole_text(WORDS_ZH, &plan);
    json_t *root = message_root(incident, kind, en, zh);
    json_object_set_new(root, "cause",
                        json_string(cause->id != NULL ? cause->id : incident->id));
    put_leader(root, cause->leader);
    json_object_set_new(root, "is_over", json_boolean(cause->is_over));
    json_object_set_new(root, "cause_goes_on",
                        json_boolean(cause->is_part || cause->goes_on));
    if (cause->is_part)
        json_object_set_new(root, "event",
                            json_string(alert_effect_name(ALERT_EFFECT_UPDATED)));
    put_place(root, incident, registry);
    put_number(root, "value", incident->value);
    put_number(root, "worst", incident->worst);
    bool is_between = incident->worst_high > 0;
    put_number(root, "worst_low", is_between ? incident->worst_low : (double)NAN);
    put_number(root, "worst_high", is_between ? incident->worst_high : (double)NAN);
    put_number(root, "limit", incident->limit);
    json_object_set_new(root, "harm", message_harm_json(&incident->harm));
    put_times(root, incident, told_ms);
    message_time(since, &(struct message_times){.tz = tz}, incident->onset_ms);
    json_object_set_new(root, "onset_local", json_string(since));
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert(text != NULL);
    buf_text(out, text);
    free(text);
    free(en);
    free(zh);
    json_decref(root);
}
