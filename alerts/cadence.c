// SPDX-License-Identifier: Apache-2.0
/*
 * cadence - after how long a channel is silent, where no rule says it: learned from how
 * far apart it was heard so far.
 *
 * The longest of the usual pauses, which fades, times CADENCE_TIMES. A pause that was a
 * silence teaches little: that a channel now comes rarely is believed after some of them.
 */
#include <stdalign.h>

#include "alerts/internal.h"
#include "alerts/shared.h"

/* Packs of a backlog come faster than readings do, and teach nothing. */
#define PAUSE_LEAST_MS  MEASURE_SECOND_MS
#define KNOWN_AFTER     8 /* pauses */
#define CADENCE_TIMES   4
#define CADENCE_MOST_MS (24 * MEASURE_HOUR_MS)

struct cadence {
    float longest_ms;
    uint8_t seen; /* pauses, up to KNOWN_AFTER */
};

static size_t cadence_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct cadence);
}

static void cadence_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    (void)rule;
    struct cadence *cadence = gauge;
    archive_f32(archive, &cadence->longest_ms);
    archive_u8(archive, &cadence->seen);
    if (archive->out == NULL && !(cadence->longest_ms >= 0)) {
        archive->in->failed = true;
        cadence->longest_ms = 0;
    }
}

const struct gauge_kind gauge_cadence = {
    "cadence", alignof(struct cadence), cadence_size, NULL, NULL, cadence_archive};

static int64_t learned_ms(const struct cadence *cadence)
{
    if (cadence == NULL || cadence->seen < KNOWN_AFTER)
        return ALERT_UNKNOWN_MS;
    float span_ms = CADENCE_TIMES * cadence->longest_ms;
    if (span_ms >= (float)CADENCE_MOST_MS)
        return CADENCE_MOST_MS;
    int64_t whole_ms = (int64_t)span_ms;
    return whole_ms > CADENCE_LEAST_MS ? whole_ms : CADENCE_LEAST_MS;
}

int64_t cadence_silent_ms(const struct source *source, const struct rule *rule)
{
    return rule->silent_ms > 0 ? rule->silent_ms
                               : learned_ms(gauge_shared_find(source, OF_CADENCE));
}

void cadence_heard(struct alerts *alerts, struct source *source, int64_t arrival_ms)
{
    int64_t pause_ms = arrival_ms - source->heard_ms;
    if (pause_ms < PAUSE_LEAST_MS)
        return;
    struct cadence *cadence = gauge_shared(alerts, source, OF_CADENCE);
    float longest = cadence->longest_ms - cadence->longest_ms / 64;
    float pause = (float)(pause_ms < CADENCE_MOST_MS ? pause_ms : CADENCE_MOST_MS);
    if (cadence->seen >= KNOWN_AFTER && pause_ms > learned_ms(cadence))
        pause = cadence->longest_ms * 1.5F;
    cadence->longest_ms = pause > longest ? pause : longest;
    if (cadence->seen < KNOWN_AFTER)
        cadence->seen++;
}
