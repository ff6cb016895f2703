// SPDX-License-Identifier: Apache-2.0
/*
 * roster - the plan of alerts/escalation.h, made of the settings; and what is odd in it.
 *
 * The settings outlive it. Not changed once made; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_ROSTER_H
#define COLDCHAIN_COLLECTOR_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "alerts/escalation.h"
#include "base/buf.h"
#include "collector/config_channels.h"
#include "collector/config_escalation.h"

struct roster_channel {
    const char *name; /* borrowed */
    bool rings;
    int64_t rate;      /* messages a minute, 0: no limit */
    bool is_machine;   /* programs read it */
    bool stops_at_end; /* it knows an end from a beginning */
};

struct roster_channel roster_channel_of(const struct config_channel *config);

struct roster {
    struct escalation_plan plan;
    const struct config_escalation *config;
    struct tz tz; /* of escalation.time_zone: where a site has none */
    struct escalation_channel *channels;
    const struct roster_channel *given; /* of the same index */
    struct escalation_contact *contacts;
    struct escalation_duty *duties;
    struct escalation_policy *policies;
    void **owned; /* arrays inside */
    size_t owned_count;
    size_t owned_capacity;
};

/* Settings that were checked. `channels` outlive it. The caller destroys it. */
struct roster *roster_create(const struct config_escalation *config,
                             const struct roster_channel *channels, size_t count);
/* Accepts NULL. */
void roster_destroy(struct roster *roster);

/* Index, or ESCALATION_NONE. */
size_t roster_contact(const struct roster *roster, const char *id);
size_t roster_channel(const struct roster *roster, const char *name);
/* Where that contact is reached over that channel, `way` as of escalation_tell; NULL: the
 * channel's own receivers. */
const char *roster_address(const struct roster *roster, const char *contact,
                           const char *channel, size_t way);

/* Who signs in as that contact; NULL: nobody that is known. */
const char *roster_person(const struct roster *roster, const char *contact);
/* The message's body with that address as "to"; the caller's to free. */
char *roster_addressed(const struct roster *roster, const char *contact,
                       const char *channel, size_t way, const char *body);

/* Appends a line for each gap of a duty in the week to come. */
void roster_warnings(const struct roster *roster, int64_t now_ms, struct buf *lines);

#endif
