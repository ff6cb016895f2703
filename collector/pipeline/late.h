// SPDX-License-Identifier: Apache-2.0
/*
 * late - what is told of a device while packs of it are missing, or a backlog comes.
 *
 * A pack ahead of a gap is judged at once by a second engine, on a copy of what the first
 * one held: its incidents are told as they come (`told`). When the gap closes, the first
 * engine judges everything in order; what it finds meanwhile is held back (`held`). Once
 * nothing waits any more the two are settled: an incident that was told already goes on
 * under its first name, what is new is told, what was told and turned out wrong is
 * closed. docs/decisions/0004-judged-ahead-of-a-gap.md has the cases.
 *
 *   in order -> pack ahead of a gap -> late -> nothing waits -> settled -> in order
 *
 * Of a backlog that comes in order the same is held, by backlog.c; no channel has a copy
 * then, and nothing of it is told.
 *
 * Belongs to the loop thread. Saved with its device in the checkpoint.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_LATE_H
#define COLDCHAIN_COLLECTOR_PIPELINE_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/incident.h"
#include "base/buf.h"
#include "base/err.h"

/* What a checkpoint may hold, and what is put into one list: 256 channels of eight rules.
 * A device that goes in and out of its limits with every reading makes more of them than
 * memory and checkpoint have room for. */
#define LATE_INCIDENTS_MAX 65536
#define LATE_INCIDENTS     2048

/* A channel that the second engine has a copy of. */
struct late_channel {
    char zone[ID_SIZE];
    char channel[ID_SIZE];
};

struct late_incident {
    struct incident incident; /* as it is now */
    bool is_new;              /* opened, escalated since the gap */
    bool is_worse;
    bool is_matched; /* while settling */
};

struct late_list {
    struct late_incident *items;
    size_t count;
    size_t capacity;
};

struct device;

struct late {
    struct device *device; /* whose it is; borrowed */
    struct late *before;   /* of all devices that have one; see pipeline_be_late() */
    struct late *behind;
    struct late_channel *channels;
    size_t channel_count;
    size_t channel_capacity;
    struct late_list told; /* of the second engine */
    struct late_list held; /* of the first one */
    int64_t until_ms; /* of a backlog nothing is held for longer; 0: nothing is held */
    int64_t wait_ms;  /* from the first that is held; not saved */
};

struct late *late_create(void);
/* Accepts NULL. */
void late_destroy(struct late *late);
/*
 * Nothing is judged ahead, and nothing found so far, as in a backlog that never goes on:
 * there is nothing to settle. True for NULL.
 */
bool late_is_empty(const struct late *late);

/* True when it was not there. */
bool late_add_channel(struct late *late, const char *zone, const char *channel);
/* It is there, or one more may be. */
bool late_takes(const struct late_list *list, const char *id);
/* Adds the incident, or makes the one with its id equal to it. */
void late_note(struct late_list *list, enum alert_effect_kind kind,
               const struct incident *incident);
/* It was held, and needs be no longer. */
void late_remove(struct late_list *list, struct late_incident *entry);
/* NULL when there is none. */
struct late_incident *late_find(const struct late_list *list, const char *id);
/*
 * Of the told ones that are not matched, the one that tells of the same trouble: the same
 * id, or else (unless `by_id`) rule, zone, device, channel and an overlap in time.
 */
struct late_incident *late_match(const struct late *late, const struct incident *incident,
                                 bool by_id);
/* True when one of them, under whatever name, is of the same trouble at that time. */
bool late_is_part(const struct late_list *list, const struct incident *incident);
/* What a person is told after both are known; *incident becomes that. */
enum alert_effect_kind late_merge(struct late_incident *held,
                                  const struct late_incident *told);

void late_save(const struct late *late, struct buf *out);
/* CORRUPT. */
MUST_CHECK enum err late_load(struct late *late, const void *data, size_t len);

#endif
