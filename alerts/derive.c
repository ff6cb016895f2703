// SPDX-License-Identifier: Apache-2.0
/*
 * derive - channels that the engine computes from air: the goods' temperature, how far
 * they are from dew, and what the air could still take up.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/shared.h"
#include "freshness/psychrometrics.h"

#define PROBE "-est"

enum derived {
    DERIVED_PRODUCT = DERIVED_GOODS,
    DERIVED_MARGIN,
    DERIVED_VPD,
};

static const char *const quantities[DERIVED_COUNT] = {
    [DERIVED_PRODUCT] = "product_temperature",
    [DERIVED_MARGIN] = "condensation_margin",
    [DERIVED_VPD] = "vpd",
};

#define SOURCE_QUANTITY "air_temperature"

unsigned derive_bit(const char *quantity)
{
    for (unsigned i = 0; i < DERIVED_COUNT; i++)
        if (strcmp(quantities[i], quantity) == 0)
            return 1u << i;
    return 0;
}

bool derive_from(const char *quantity)
{
    return strcmp(quantity, SOURCE_QUANTITY) == 0;
}

bool derive_channel(char name[ID_SIZE], size_t which, const char *air_channel)
{
    assert(which < DERIVED_COUNT);
    const char *rest = air_channel;
    if (strncmp(rest, SOURCE_QUANTITY, strlen(SOURCE_QUANTITY)) == 0)
        rest += strlen(SOURCE_QUANTITY);
    if (rest[0] == '-')
        rest++;
    int len = snprintf(name, ID_SIZE, "%s" PROBE "%s", quantities[which], rest);
    return len > 0 && len < ID_SIZE;
}

bool derive_origin(char name[ID_SIZE], const char *channel)
{
    const char *end = strstr(channel, PROBE);
    if (end == NULL || !alert_channel_is_derived(channel))
        return false;
    const char *rest = end + strlen(PROBE);
    int len = snprintf(name, ID_SIZE, "%s%s%s", SOURCE_QUANTITY,
                       rest[0] != '\0' ? "-" : "", rest);
    return len > 0 && len < ID_SIZE;
}

bool alert_channel_is_derived(const char *channel)
{
    for (size_t i = 0; i < DERIVED_COUNT; i++) {
        size_t len = strlen(quantities[i]);
        if (strncmp(channel, quantities[i], len) == 0 &&
            strncmp(channel + len, PROBE, strlen(PROBE)) == 0)
            return true;
    }
    return false;
}

static struct source *derived_source(struct alerts *alerts, const struct source *air,
                                     const char *channel, size_t which,
                                     int64_t arrival_ms)
{
    const char *zone = air->plan->zone;
    struct source *source = source_find(alerts, zone, air->station->device, channel);
    if (source != NULL) {
        source_hear_of(alerts, source, arrival_ms);
        return source;
    }
    source = source_make(alerts, zone, air->station->device, channel, quantities[which],
                         arrival_ms);
    silence_schedule(alerts, source);
    return source;
}

/* The warmest goods; a surface that is colder than the air around it gets wet first. */
static double value_of(size_t which, const struct product *product, double air_C,
                       double humidity)
{
    switch ((enum derived)which) {
    case DERIVED_PRODUCT:
        return product->warmest_C;
    case DERIVED_MARGIN:
        return product->coldest_C - dew_point_c(air_C, humidity);
    case DERIVED_VPD:
        return 10 * vapour_deficit_kpa(air_C, humidity); /* hPa */
    }
    return (double)NAN;
}

static void feed(struct alerts *alerts, const struct source *air,
                 const struct alert_reading *reading, size_t which, double value,
                 double spread_K, const struct alert_sink *sink)
{
    char channel[ID_SIZE];
    if (!isfinite(value) || !derive_channel(channel, which, source_channel(air)))
        return;
    struct source *source =
        derived_source(alerts, air, channel, which, reading->arrival_ms);
    struct alert_reading derived = *reading;
    derived.channel = source_channel(source);
    derived.quantity = quantities[which];
    derived.value = value;
    derived.spread_K = spread_K;
    silence_heard(alerts, source, reading->arrival_ms, sink);
    threshold_reading(alerts, source, &derived, sink);
    silence_schedule(alerts, source);
}

void derive_reading(struct alerts *alerts, struct source *source,
                    const struct alert_reading *reading, const struct product *product,
                    const struct alert_sink *sink)
{
    const struct room *room = source->plan->room;
    unsigned wanted = source->plan->derives;
    int64_t humidity_ms;
    double humidity =
        room != NULL ? room_latest(room, ROLE_HUMIDITY, reading->time_ms, &humidity_ms)
                     : (double)NAN;
    for (size_t i = 0; i < DERIVED_COUNT; i++)
        if ((wanted & 1u << i) != 0)
            feed(alerts, source, reading, i,
                 value_of(i, product, reading->value, humidity),
                 i == DERIVED_PRODUCT ? product->warmest_C - product->coldest_C : 0,
                 sink);
}
