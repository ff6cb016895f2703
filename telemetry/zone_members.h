// SPDX-License-Identifier: Apache-2.0
/*
 * zone_members - what a zone is like, as one table: what is written of it and read again.
 * Times in ms; nothing is said where they are 0. Inside telemetry/ only; pure.
 */
#ifndef COLDCHAIN_TELEMETRY_ZONE_MEMBERS_H
#define COLDCHAIN_TELEMETRY_ZONE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/zone_rules.h"

#define ZONE_MEMBERS 8

struct zone_member {
    const char *name;
    size_t offset; /* of an int64_t in struct zone_config */
    bool is_date;
    bool is_late; /* agents of form 1 may not know it */
};

extern const struct zone_member zone_members[ZONE_MEMBERS];

/* Borrowed from the zone. */
int64_t *zone_member_of(struct zone_config *zone, const struct zone_member *member);

#endif
