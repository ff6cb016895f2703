// SPDX-License-Identifier: Apache-2.0
/*
 * influx_incidents - how an incident looks in line protocol.
 *
 * One point per incident, at its onset, overwritten as it goes on: time and tags follow
 * from its first transition alone, so that a repetition lands on the same point, and
 * fields are those of the latest transition that was written.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "collector/store/influx_internal.h"
#include "telemetry/line.h"

#define NS_PER_MS 1000000u

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text != NULL ? text : "";
}

static bool time_of(const json_t *root, const char *key, int64_t *time_ms)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text != NULL && clock_parse_iso(time_ms, text);
}

/* Incidents of one rule and zone that began together differ in their nanoseconds. */
static bool point_time(const json_t *first, int64_t *ns)
{
    const char *id = text_of(first, "incident");
    int64_t onset_ms;
    int64_t whole;
    if ((!time_of(first, "onset", &onset_ms) && !time_of(first, "opened", &onset_ms)) ||
        line_timestamp(&whole, onset_ms, LINE_NS) != ERR_OK ||
        whole > INT64_MAX - (int64_t)NS_PER_MS)
        return false;
    *ns = whole + (int64_t)(crc32c(0, id, strlen(id)) % NS_PER_MS);
    return true;
}

/* What a message of an earlier version does not say, the registry knows. */
static void put_tags(struct line_writer *line, const json_t *first,
                     const struct registry *registry)
{
    const char *id = text_of(first, "zone");
    const struct registry_zone *zone =
        registry != NULL ? registry_zone(registry, id) : NULL;
    const char *org = text_of(first, "org");
    const char *site = text_of(first, "site");
    line_tag(line, "org", org[0] == '\0' && zone != NULL ? zone->org : org);
    line_tag(line, "rule", text_of(first, "rule"));
    line_tag(line, "site", site[0] == '\0' && zone != NULL ? zone->site : site);
    line_tag(line, "zone", id);
}

static void put_texts(struct line_writer *line, const json_t *body)
{
    static const struct {
        const char *field;
        const char *member;
    } texts[] = {
        {"id", "incident"},       {"kind", "kind"},     {"severity", "severity"},
        {"state", "state"},       {"device", "device"}, {"channel", "channel"},
        {"quantity", "quantity"}, {"text", "text_en"},  {"text_zh", "text_zh"},
        {"cause", "cause"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        line_text(line, texts[i].field, text_of(body, texts[i].member));
}

static void put_number(struct line_writer *line, const json_t *body, const char *key)
{
    const json_t *number = json_object_get(body, key);
    if (json_is_number(number))
        line_float(line, key, json_number_value(number));
}

/*
 * An end of 0 while there is none: a field that was written stays, so an incident that
 * opened again has to overwrite it.
 */
static void put_fields(struct line_writer *line, const json_t *body)
{
    int64_t closed_ms;
    if (!time_of(body, "closed", &closed_ms))
        closed_ms = 0;
    put_texts(line, body);
    put_number(line, body, "value");
    put_number(line, body, "worst");
    put_number(line, body, "limit");
    line_int(line, "revision", json_integer_value(json_object_get(body, "revision")));
    line_int(line, "end_ms", closed_ms);
    line_bool(line, "acknowledged", json_is_true(json_object_get(body, "acknowledged")));
}

bool influx_format_incident(const char *first_body, const char *body,
                            const struct registry *registry, struct buf *out)
{
    json_t *first = json_loads(first_body, 0, NULL);
    json_t *now = json_loads(body, 0, NULL);
    int64_t ns;
    bool is_good = json_is_object(first) && json_is_object(now) && point_time(first, &ns);
    if (is_good) {
        struct line_writer line;
        line_begin(&line, out, "incident");
        put_tags(&line, first, registry);
        put_fields(&line, now);
        is_good = line_end(&line, ns);
    }
    json_decref(first);
    json_decref(now);
    return is_good;
}

bool influx_incident_is_withdrawn(const char *first_body, const char *body,
                                  struct influx_delete *never)
{
    json_t *first = json_loads(first_body, 0, NULL);
    json_t *now = json_loads(body, 0, NULL);
    int64_t ns;
    bool is_it = json_is_object(first) && json_is_object(now) &&
                 strcmp(text_of(now, "event"), "withdrawn") == 0 &&
                 point_time(first, &ns);
    if (is_it) {
        *never = (struct influx_delete){.measurement = "incident",
                                        .tags = {{.key = "rule"}, {.key = "zone"}},
                                        .from_ns = ns,
                                        .to_ns = ns + 1};
        snprintf(never->tags[0].value, ID_SIZE, "%s", text_of(first, "rule"));
        snprintf(never->tags[1].value, ID_SIZE, "%s", text_of(first, "zone"));
    }
    json_decref(first);
    json_decref(now);
    return is_it;
}
