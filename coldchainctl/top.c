// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/top.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "coldchainctl/show.h"

#define POINTS_MAX   20000 /* of a zone */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a zone is worth looking at for: the larger the earlier. */
enum {
    URGENCY_OK,
    URGENCY_NEVER,
    URGENCY_BROKEN,
    URGENCY_OUTSIDE,
    URGENCY_INCIDENT, /* and its severity */
};

static void zone_fini(struct top_zone *zone)
{
    free(zone->id);
    free(zone->name);
    free(zone->device);
    free(zone->channel);
    free(zone->points);
}

void top_fini(struct top *top)
{
    for (size_t i = 0; i < top->count; i++)
        zone_fini(&top->zones[i]);
    free(top->zones);
    json_decref(top->incidents);
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* A static word for what the API calls the quality of a reading. */
static const char *state_of_quality(const char *quality)
{
    static const char *const words[] = {"open",     "short",   "range", "timeout",
                                        "checksum", "startup", "fault"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(quality, words[i]) == 0)
            return words[i];
    return "bad";
}

/* How far outside of the band; without a band the warmer one. */
static double excursion(const struct top_zone *zone, double value)
{
    if (isnan(zone->low) && isnan(zone->high))
        return value;
    return fmax(value - zone->high, zone->low - value); /* passes over NaN */
}

/* ---- points --------------------------------------------------------------------------
 */

static void add_point(struct top_zone *zone, int64_t time_ms, double value)
{
    size_t at = zone->point_count;
    while (at > 0 && zone->points[at - 1].time_ms > time_ms)
        at--;
    if ((at > 0 && zone->points[at - 1].time_ms == time_ms) || at >= POINTS_MAX)
        return;
    mem_grow(&zone->points, &zone->point_capacity, zone->point_count + 1,
             sizeof *zone->points);
    memmove(&zone->points[at + 1], &zone->points[at],
            (zone->point_count - at) * sizeof *zone->points);
    zone->points[at] = (struct top_point){time_ms, value};
    zone->point_count++;
}

static void forget_points(struct top_zone *zone, int64_t before_ms)
{
    size_t old = 0;
    while (old < zone->point_count && zone->points[old].time_ms < before_ms)
        old++;
    zone->point_count -= old;
    if (zone->point_count > 0)
        memmove(zone->points, zone->points + old,
                zone->point_count * sizeof *zone->points);
}

void top_take_past(struct top *top, struct top_zone *zone, const json_t *readings)
{
    size_t i;
    json_t *reading;
    (void)top;
    json_array_foreach((json_t *)(uintptr_t)readings, i, reading)
    {
        int64_t time_ms;
        double value = number_of(reading, "value");
        if (strcmp(show_text(reading, "device"), zone->device) == 0 &&
            strcmp(show_text(reading, "channel"), zone->channel) == 0 &&
            clock_parse_iso(&time_ms, show_text(reading, "time")) && !isnan(value))
            add_point(zone, time_ms, value);
    }
    zone->has_past = true;
}

/* ---- zones ---------------------------------------------------------------------------
 */

static void replace(char **text, const char *with)
{
    if (*text != NULL && strcmp(*text, with) == 0)
        return;
    free(*text);
    *text = mem_strdup(with);
}

/* Another probe has another past. */
static void shows(struct top_zone *zone, const char *device, const char *channel)
{
    bool is_same = zone->device != NULL && strcmp(zone->device, device) == 0 &&
                   strcmp(zone->channel, channel) == 0;
    if (is_same)
        return;
    replace(&zone->device, device);
    replace(&zone->channel, channel);
    zone->point_count = 0;
    zone->has_past = false;
}

static struct top_zone *zone_of(struct top *top, const char *id)
{
    for (size_t i = 0; i < top->count; i++)
        if (strcmp(top->zones[i].id, id) == 0)
            return &top->zones[i];
    mem_grow(&top->zones, &top->capacity, top->count + 1, sizeof *top->zones);
    struct top_zone *zone = &top->zones[top->count++];
    *zone = (struct top_zone){.id = mem_strdup(id)};
    shows(zone, "", "");
    return zone;
}

/* The worst one that can be trusted; without one the first. */
static const json_t *worst_channel(const struct top_zone *zone, const json_t *channels)
{
    const json_t *found = NULL;
    double worst = NAN;
    size_t i;
    json_t *channel;
    json_array_foreach((json_t *)(uintptr_t)channels, i, channel)
    {
        if (strcmp(show_text(channel, "quantity"), "air_temperature") != 0)
            continue;
        double value = number_of(channel, "value");
        double far = isnan(value) ? (double)NAN : excursion(zone, value);
        if (found != NULL && (isnan(far) || far <= worst))
            continue;
        found = channel;
        worst = far;
    }
    return found;
}

static double humidity_of(const json_t *channels)
{
    size_t i;
    json_t *channel;
    json_array_foreach((json_t *)(uintptr_t)channels, i, channel)
    {
        double value = number_of(channel, "value");
        if (strcmp(show_text(channel, "quantity"), "humidity") == 0 && !isnan(value))
            return value;
    }
    return (double)NAN;
}

static void judge(struct top_zone *zone, const json_t *channel)
{
    zone->urgency = URGENCY_OK;
    zone->state = "ok";
    if (channel == NULL) {
        zone->state = "never";
        zone->urgency = URGENCY_NEVER;
    } else if (isnan(zone->temperature)) {
        zone->state = state_of_quality(show_text(channel, "quality"));
        zone->urgency = URGENCY_BROKEN;
    } else if (zone->temperature < zone->low || zone->temperature > zone->high) {
        zone->state = zone->temperature < zone->low ? "BELOW" : "ABOVE";
        zone->urgency = URGENCY_OUTSIDE;
    }
}

static void take_zone(struct top *top, const json_t *object)
{
    struct top_zone *zone = zone_of(top, show_text(object, "id"));
    const json_t *channels = json_object_get(object, "channels");
    const char *name = json_string_value(json_object_get(object, "name"));
    replace(&zone->name, name != NULL && name[0] != '\0' ? name : zone->id);
    zone->is_seen = true;
    zone->low = number_of(object, "band_low");
    zone->high = number_of(object, "band_high");
    zone->humidity = humidity_of(channels);
    zone->temperature = (double)NAN;
    zone->time_ms = 0;
    const json_t *channel = worst_channel(zone, channels);
    if (channel != NULL) {
        shows(zone, show_text(channel, "device"), show_text(channel, "channel"));
        zone->temperature = number_of(channel, "value");
        if (clock_parse_iso(&zone->time_ms, show_text(channel, "time")) &&
            !isnan(zone->temperature))
            add_point(zone, zone->time_ms, zone->temperature);
    }
    forget_points(zone, top->as_of_ms - top->span_ms);
    judge(zone, channel);
}

/* The collector's clock when it answered: a reading's time and its age. */
static int64_t time_of_answer(const json_t *zones, int64_t now_ms)
{
    size_t i;
    size_t k;
    json_t *zone;
    json_t *channel;
    json_array_foreach((json_t *)(uintptr_t)zones, i, zone)
    {
        json_array_foreach(json_object_get(zone, "channels"), k, channel)
        {
            int64_t time_ms;
            double age_ms = number_of(channel, "age_ms");
            if (!isnan(age_ms) && clock_parse_iso(&time_ms, show_text(channel, "time")))
                return time_ms + (int64_t)age_ms;
        }
    }
    return now_ms;
}

void top_take_zones(struct top *top, const json_t *zones, int64_t now_ms)
{
    size_t i;
    size_t kept = 0;
    json_t *object;
    top->as_of_ms = time_of_answer(zones, now_ms);
    for (i = 0; i < top->count; i++)
        top->zones[i].is_seen = false;
    json_array_foreach((json_t *)(uintptr_t)zones, i, object) take_zone(top, object);
    for (i = 0; i < top->count; i++) {
        if (top->zones[i].is_seen)
            top->zones[kept++] = top->zones[i];
        else
            zone_fini(&top->zones[i]);
    }
    top->count = kept;
}

static int severity_of(const json_t *incident)
{
    const char *severity = show_text(incident, "severity");
    return strcmp(severity, "critical") == 0  ? 2
           : strcmp(severity, "warning") == 0 ? 1
                                              : 0;
}

void top_take_incidents(struct top *top, json_t *incidents)
{
    size_t i;
    json_t *incident;
    json_decref(top->incidents);
    top->incidents = json_incref(incidents);
    json_array_foreach(incidents, i, incident)
    {
        const char *id = show_text(incident, "zone");
        for (size_t k = 0; k < top->count; k++) {
            struct top_zone *zone = &top->zones[k];
            int urgency = URGENCY_INCIDENT + severity_of(incident);
            if (strcmp(zone->id, id) != 0)
                continue;
            if (strncmp(show_text(incident, "kind"), "silent", 6) == 0)
                zone->state = "SILENT";
            if (urgency > zone->urgency)
                zone->urgency = urgency;
        }
    }
}

/* ---- order ---------------------------------------------------------------------------
 */

static const char *const order_names[] = {"urgency", "name", "temperature", "age"};
static_assert(COUNT(order_names) == TOP_ORDERS, "each order has a name");

bool top_parse_order(enum top_order *order, const char *word)
{
    for (size_t i = 0; i < TOP_ORDERS; i++) {
        if (strcmp(order_names[i], word) == 0) {
            *order = (enum top_order)i;
            return true;
        }
    }
    return false;
}

const char *top_order_name(enum top_order order)
{
    return order_names[order];
}

static int by_name(const void *a, const void *b)
{
    const struct top_zone *left = a;
    const struct top_zone *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : strcmp(left->id, right->id);
}

static int by_urgency(const void *a, const void *b)
{
    const struct top_zone *left = a;
    const struct top_zone *right = b;
    if (left->urgency != right->urgency)
        return left->urgency > right->urgency ? -1 : 1;
    return by_name(a, b);
}

/* The warmest first; what has none at the end. */
static int by_temperature(const void *a, const void *b)
{
    const struct top_zone *left = a;
    const struct top_zone *right = b;
    bool has_left = !isnan(left->temperature);
    bool has_right = !isnan(right->temperature);
    if (has_left != has_right)
        return has_left ? -1 : 1;
    if (has_left && left->temperature != right->temperature)
        return left->temperature > right->temperature ? -1 : 1;
    return by_name(a, b);
}

/* What was not heard for longest first. */
static int by_age(const void *a, const void *b)
{
    const struct top_zone *left = a;
    const struct top_zone *right = b;
    if (left->time_ms != right->time_ms)
        return left->time_ms < right->time_ms ? -1 : 1;
    return by_name(a, b);
}

void top_sort(struct top *top)
{
    static int (*const orders[])(const void *, const void *) = {by_urgency, by_name,
                                                                by_temperature, by_age};
    static_assert(COUNT(orders) == TOP_ORDERS, "each order compares");
    if (top->count > 0)
        qsort(top->zones, top->count, sizeof *top->zones, orders[top->order]);
}
