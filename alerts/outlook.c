// SPDX-License-Identifier: Apache-2.0
/*
 * outlook - what an incident means for the goods of its zone: which air to look at, and
 * against which band.
 *
 * The incident's own air where it is of one (or of what is derived from it); of a door,
 * the mains or another probe, the zone's air that is farthest out of its band. Nothing is
 * kept of it: it is found each time that something is told, from what is saved anyway.
 */
#include <math.h>
#include <stdlib.h>

#include "alerts/cause.h"
#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/room.h"
#include "alerts/shared.h"

/* What stands there, or what it may be, is not what the band is of. */
#define NOT_OF_BAND (1u << ALERT_REASON_OFF_DUTY | 1u << ALERT_REASON_PLANNED_STEP)

static bool is_asked(const struct incident *incident)
{
    enum cause_family family = cause_family_of(incident);
    return family == CAUSE_COOLING || family == CAUSE_FREEZING || family == CAUSE_POWER;
}

static bool find_own(const struct alerts *alerts, const struct source *source,
                     struct room_air *air)
{
    char name[ID_SIZE];
    const struct source *of = source;
    if (source->is_derived && derive_origin(name, source_channel(source)))
        of = source_find(alerts, source->plan->zone, source->station->device, name);
    return of != NULL && shared_air_now(of, air);
}

static bool find_air(const struct alerts *alerts, const struct source *source,
                     const struct room *room, struct room_air *air)
{
    if (find_own(alerts, source, air))
        return true;
    if (room == NULL || room->air == NULL ||
        llabs(room->air->time_ms - source->last_ms) > ROOM_APART_MS)
        return false;
    *air = *room->air;
    return true;
}

void outlook_fill(const struct alerts *alerts, const struct source *source,
                  struct incident *incident)
{
    struct room_air air;
    const struct room *room = room_find(alerts, source->plan->zone);
    if (!is_asked(incident) || !find_air(alerts, source, room, &air))
        return;
    if (room != NULL && (room_reasons(room, air.time_ms) & NOT_OF_BAND) != 0) {
        incident->harm = harm_of_air(air.time_ms, air.C);
        return;
    }
    bool has_band = room != NULL && room->settings.has_band;
    const struct harm_air look = {
        .at_ms = air.time_ms,
        .C = air.C,
        .band_low_C = has_band ? room->settings.band_low_C : (double)NAN,
        .band_high_C = has_band ? room->settings.band_high_C : (double)NAN,
    };
    incident->harm =
        harm_look(&look, &air.product, cause_family_of(incident) == CAUSE_FREEZING);
}
