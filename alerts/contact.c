// SPDX-License-Identifier: Apache-2.0
/*
 * contact - whether a device is heard at all, for rules of silence that ask for that.
 *
 * Anything that comes of it counts, a probe that sends its failure too: who says that a
 * probe is broken is there. By arrival. A pause as long as plan.pause_ms is a silence of
 * the device, and what its channels are silent for counts from its end.
 */
#include <stdalign.h>

#include "alerts/internal.h"
#include "alerts/shared.h"

struct contact {
    int64_t since_ms; /* heard from then on without such a pause */
    int64_t last_ms;
};

static size_t contact_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct contact);
}

static void contact_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    (void)rule;
    struct contact *contact = gauge;
    archive_time(archive, &contact->since_ms);
    archive_time(archive, &contact->last_ms);
}

const struct gauge_kind gauge_contact = {
    "contact", alignof(struct contact), contact_size, NULL, NULL, contact_archive};

/* Before anything came of it since somebody asks, it was heard when a channel was. */
static struct contact contact_of(const struct source *device)
{
    const struct contact *contact = gauge_shared_find(device, OF_CONTACT);
    return contact != NULL ? *contact
                           : (struct contact){device->heard_ms, device->heard_ms};
}

void contact_heard(struct alerts *alerts, struct source *device, int64_t arrival_ms)
{
    struct contact now = contact_of(device);
    if (arrival_ms - now.last_ms >= device->plan->pause_ms) {
        now.since_ms = arrival_ms;
        alerts->has_new_stretches = true;
    }
    now.last_ms = arrival_ms;
    if (now.since_ms > arrival_ms) /* the collector's clock went back */
        now.since_ms = arrival_ms;
    *(struct contact *)gauge_shared(alerts, device, OF_CONTACT) = now;
    source_touch(alerts, device);
}

int64_t contact_since(const struct source *device)
{
    return contact_of(device).since_ms;
}

/* By the end of the pause; by the last word, too, where the collector's clock went back
 * and hides that end. */
int64_t contact_back_at(const struct source *device, int64_t lost_ms)
{
    struct contact now = contact_of(device);
    if (now.last_ms < lost_ms)
        return TIME_NEVER;
    return now.since_ms > lost_ms ? now.since_ms : lost_ms;
}

bool contact_is_lost(const struct source *device, int64_t now_ms)
{
    return now_ms - contact_of(device).last_ms >= device->plan->pause_ms;
}
