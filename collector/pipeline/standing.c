// SPDX-License-Identifier: Apache-2.0
/*
 * standing - what each rule of a zone can judge right now, and how warm its goods are
 * taken to be, as JSON for the API.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/standing.h"
#include "base/clock.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/placing.h"
#include "collector/standing_text.h"
#include "telemetry/quantity.h"

struct standing_view {
    const struct pipeline *pipeline;
    const struct registry_zone *zone;
    json_t *rules; /* by id, in the registry's order */
    json_t *goods;
};

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *time_or_null(int64_t ms)
{
    char text[CLOCK_ISO_MAX];
    return ms > 0 ? json_string(clock_format_iso(text, ms)) : json_null();
}

static json_t *span_or_null(int64_t ms)
{
    return ms > 0 ? json_integer((ms + 999) / 1000) : json_null();
}

/* ---- rules ------------------------------------------------------------------------- */

static json_t *levels_json(const struct alert_rule *rule)
{
    json_t *levels = json_array();
    for (size_t i = 0; i < rule->level_count; i++)
        json_array_append_new(
            levels, json_pack("{s:f, s:s}", "level", rule->levels[i].level, "severity",
                              alert_severity_name(rule->levels[i].severity)));
    return levels;
}

/* Of the measure; a name behind a unit is per the quantity's own. */
static void put_unit(json_t *entry, const struct alert_rule *rule)
{
    const char *kind = alert_kind_unit(rule->kind);
    int index = quantity_find(rule->quantity);
    const char *own = index >= 0 ? quantity_at((size_t)index)->unit : "";
    bool is_own = kind[0] == '\0' || kind[0] == '/' || kind[0] == ' ';
    bool is_difference = kind[0] != '\0' || !alert_kind_is_value(rule->kind);
    if (is_own && is_difference && strcmp(own, "°C") == 0)
        own = "K";
    json_object_set_new(entry, "unit", json_sprintf("%s%s", is_own ? own : "", kind));
}

static json_t *rule_json(const struct alert_rule *rule)
{
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:b, s:s, s:o, s:[]}", "id", rule->id, "kind",
                  alert_kind_name(rule->kind), "quantity", rule->quantity, "safety",
                  rule->is_safety, "state", standing_state_name(STANDING_JUDGING),
                  "levels", levels_json(rule), "channels");
    assert(entry != NULL);
    put_unit(entry, rule);
    return entry;
}

static void begin_rules(struct standing_view *view)
{
    const struct registry *registry = view->pipeline->registry;
    for (size_t i = 0; i < registry->rule_count; i++) {
        const struct alert_rule *rule = &registry->rules[i];
        if (strcmp(rule->zone, view->zone->id) == 0 && registry_in_force(registry, rule))
            json_object_set_new(view->rules, rule->id, rule_json(rule));
    }
}

/* Of the channels' states what matters most: firing, unavailable, held back, judging. */
static unsigned weight_of(const char *state)
{
    static const enum standing_state grave_last[] = {
        STANDING_JUDGING, STANDING_HELD_BACK, STANDING_UNAVAILABLE, STANDING_FIRING};
    unsigned weight = 0;
    for (unsigned i = 0; i < sizeof grave_last / sizeof grave_last[0]; i++)
        if (strcmp(standing_state_name(grave_last[i]), state) == 0)
            weight = i;
    return weight;
}

static void add_state(json_t *rule, const char *state)
{
    const char *before = json_string_value(json_object_get(rule, "state"));
    if (weight_of(state) > weight_of(before))
        json_object_set_new(rule, "state", json_string(state));
}

/* The value itself, where the measure is that. */
static double value_of(const struct standing_view *view, const struct standing *standing)
{
    char key[DEVICE_KEY_SIZE];
    const struct device *device = map_get(
        &view->pipeline->devices, device_key(key, view->zone->org, standing->device));
    if (device == NULL || !alert_kind_is_value(standing->kind))
        return (double)NAN;
    for (size_t i = 0; i < device->channel_count; i++)
        if (strcmp(device->channels[i].name->name, standing->channel) == 0 &&
            device->channels[i].quality == QUALITY_GOOD)
            return device->channels[i].value;
    return (double)NAN;
}

static json_t *channel_json(const struct standing_view *view,
                            const struct standing *standing)
{
    struct standing_text text = {.en = ""};
    bool is_held = standing->state == STANDING_HELD_BACK;
    double measure =
        isnan(standing->measure) ? value_of(view, standing) : standing->measure;
    (void)standing_text(&text, standing);
    json_t *entry = json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "device", standing->device, "channel", standing->channel, "quantity",
        standing->quantity, "state", standing_state_name(standing->state), "why",
        text_or_null(standing_why_name(standing->why)), "reason",
        text_or_null(is_held ? alert_reason_name(standing->reason) : ""), "unseen",
        text_or_null(standing_why_name(standing->unseen)), "text", text_or_null(text.en),
        "text_zh", text_or_null(text.zh), "since", time_or_null(standing->since_ms),
        "left_s", span_or_null(standing->left_ms), "apart_s",
        span_or_null(standing->apart_ms), "measure", number_or_null(measure), "incident",
        text_or_null(standing->incident));
    assert(entry != NULL);
    return entry;
}

static void on_standing(void *context, const struct standing *standing)
{
    struct standing_view *view = context;
    json_t *rule = json_object_get(view->rules, standing->rule);
    if (rule == NULL)
        return;
    json_array_append_new(json_object_get(rule, "channels"),
                          channel_json(view, standing));
    add_state(rule, standing_state_name(standing->state));
}

/* Rules of dates are no business of the engine. */
static void add_dates(struct standing_view *view)
{
    const struct registry *registry = view->pipeline->registry;
    for (size_t i = 0; i < registry->rule_count; i++) {
        const struct alert_rule *rule = &registry->rules[i];
        if (!alert_kind_is_date(rule->kind) ||
            json_object_get(view->rules, rule->id) == NULL)
            continue;
        if (!pipeline_each_date(view->pipeline, rule, view, on_standing))
            on_standing(view, &(struct standing){.rule = rule->id,
                                                 .kind = rule->kind,
                                                 .device = "",
                                                 .channel = "",
                                                 .quantity = rule->quantity,
                                                 .state = STANDING_UNAVAILABLE,
                                                 .why = STANDING_NO_DATE,
                                                 .measure = (double)NAN});
    }
}

/* ---- goods ------------------------------------------------------------------------- */

static const char *tau_source(const struct standing_view *view,
                              const struct standing_goods *goods)
{
    if (goods->is_fitted)
        return "probe";
    return goods->is_described ? registry_tau_name(view->zone->tau_from) : "built_in";
}

static json_t *band_json(double low, double mid, double high)
{
    return json_pack("{s:o, s:o, s:o}", "low", number_or_null(low), "mid",
                     number_or_null(mid), "high", number_or_null(high));
}

static void on_goods(void *context, const struct standing_goods *goods)
{
    struct standing_view *view = context;
    json_t *loads = json_array();
    for (size_t i = 0; i < goods->load_count; i++)
        json_array_append_new(
            loads, json_pack("{s:o, s:o, s:o}", "from",
                             time_or_null(goods->loads[i].load.from_ms), "entry_c",
                             number_or_null(goods->loads[i].load.entry_C), "now_c",
                             number_or_null(goods->loads[i].C)));
    json_t *entry = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o}", "device", goods->device,
        "channel", goods->channel, "time", time_or_null(goods->time_ms), "temperature_c",
        band_json(goods->C.low, goods->C.mid, goods->C.high), "coldest_c",
        number_or_null(goods->coldest_C), "warmest_c", number_or_null(goods->warmest_C),
        "tau_h",
        band_json(goods->body.fastest_h, goods->body.tau_h, goods->body.slowest_h),
        "tau_from", tau_source(view, goods), "probed", goods->is_probed, "loads", loads);
    assert(entry != NULL);
    json_array_append_new(view->goods, entry);
}

/* ---- both -------------------------------------------------------------------------- */

/* An object that was filled in the order of rules becomes a list. */
static json_t *values_of(json_t *object)
{
    json_t *list = json_array();
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        json_array_append(list, value);
    }
    json_decref(object);
    return list;
}

void pipeline_standing_json(const struct pipeline *pipeline, const char *zone,
                            int64_t now_ms, struct buf *out)
{
    struct standing_view view = {.pipeline = pipeline};
    if (pipeline->registry != NULL)
        view.zone = registry_zone(pipeline->registry, zone);
    if (view.zone == NULL)
        return;
    view.rules = json_object();
    view.goods = json_array();
    begin_rules(&view);
    alerts_standing(pipeline->alerts, zone, now_ms, &view, on_standing);
    add_dates(&view);
    alerts_standing_goods(pipeline->alerts, zone, &view, on_goods);
    json_t *root = json_pack("{s:s, s:o, s:o, s:o, s:o}", "zone", zone, "band_low",
                             number_or_null(view.zone->band_low), "band_high",
                             number_or_null(view.zone->band_high), "rules",
                             values_of(view.rules), "goods", view.goods);
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12));
    assert(text != NULL);
    buf_text(out, text);
    free(text);
    json_decref(root);
}
