// SPDX-License-Identifier: Apache-2.0
/*
 * state_entities - tables of state.db: what people declare (organisations, sites, zones,
 * devices, channels, placements, rules), each with a version, and what commands leave
 * behind beside it.
 *
 * The body is JSON in the fields of the verb that puts it; its meaning is that of
 * collector/command. Threads, errors and borrowing as in state.h.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_ENTITIES_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_ENTITIES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "collector/store/state.h"

#define STATE_ENTITY_ID_SIZE 200 /* a channel's is "DEVICE/CHANNEL" */

struct state_entity {
    const char *kind;   /* "zone" */
    const char *id;     /* unique in its kind */
    const char *org;    /* whose it is */
    const char *parent; /* a zone's site, a placement's device, a rule's zone; "" */
    int64_t version;    /* 1 at first, +1 with every change */
    const char *body;   /* JSON object */
};

typedef void state_entity_fn(void *context, const struct state_entity *entity);

/* Adds or replaces. body "" deletes: only the version stays. */
MUST_CHECK enum err state_put_entity(struct state *state,
                                     const struct state_entity *entity);
/* Calls `row` once, or returns NOT_FOUND. */
MUST_CHECK enum err state_find_entity(struct state *state, const char *kind,
                                      const char *id, void *context,
                                      state_entity_fn *row);
/* Of a deleted one too; 0: there never was one. */
MUST_CHECK enum err state_entity_version(struct state *state, const char *kind,
                                         const char *id, int64_t *version);
/* In the order of the ids; `parent` and `org` NULL mean any. */
MUST_CHECK enum err state_each_entity(struct state *state, const char *kind,
                                      const char *parent, const char *org, void *context,
                                      state_entity_fn *row);
/* A page of that, from behind `after`, "" at first. */
MUST_CHECK enum err state_page_entities(struct state *state, const char *kind,
                                        const char *org, const char *after, size_t limit,
                                        void *context, state_entity_fn *row);
/* All kinds; deleted ones count. */
MUST_CHECK enum err state_count_entities(struct state *state, uint64_t *count);

/*
 * What a command does and then turns out to be wrong is undone up to the point, inside of
 * the batch.
 */
MUST_CHECK enum err state_begin_point(struct state *state);
MUST_CHECK enum err state_undo_point(struct state *state);
MUST_CHECK enum err state_end_point(struct state *state);

/*
 * People's data of the command with that id, staged before its record is appended: a
 * transaction of its own. Taken, and gone, when the command is applied; NOT_FOUND.
 */
MUST_CHECK enum err state_stage_private(struct state *state, const char *command,
                                        int64_t at_ms, const void *data, size_t len);
MUST_CHECK enum err state_take_private(struct state *state, const char *command,
                                       struct buf *data);
/* What was staged before then and never taken. */
MUST_CHECK enum err state_drop_private(struct state *state, int64_t before_ms);

/*
 * Between `from_ms` and `to_ms` that channel measured `new_zone` and not, as was thought,
 * `old_zone`; "" is none. Pending until history, sinks and incidents follow.
 */
struct state_correction {
    uint64_t id; /* given by the store */
    const char *org;
    const char *device;
    const char *channel; /* "": all that have no placement of their own */
    int64_t from_ms;
    int64_t to_ms; /* exclusive */
    const char *old_zone;
    const char *new_zone;
    int64_t at_ms;
    const char *command; /* id of the one that said so */
};

MUST_CHECK enum err state_add_correction(struct state *state,
                                         const struct state_correction *correction);
typedef void state_correction_fn(void *context,
                                 const struct state_correction *correction);
/* Pending ones, the oldest first. */
MUST_CHECK enum err state_pending_corrections(struct state *state, size_t limit,
                                              void *context, state_correction_fn *row);
/* Pending or not: behind `after`, the oldest first. */
MUST_CHECK enum err state_corrections_after(struct state *state, uint64_t after,
                                            size_t limit, void *context,
                                            state_correction_fn *row);
/* Up to which one a sink was written anew; 0 when it never was. */
MUST_CHECK enum err state_get_corrected(struct state *state, const char *sink,
                                        uint64_t *id);
MUST_CHECK enum err state_put_corrected(struct state *state, const char *sink,
                                        uint64_t id);
/* NOT_FOUND when it is not pending. */
MUST_CHECK enum err state_end_correction(struct state *state, uint64_t id);

struct state_comment {
    const char *command;
    const char *incident;
    int64_t at_ms;
    const char *actor;
    const char *text;
    const char *kind; /* what the person did: "comment", "acknowledge", ... */
};

MUST_CHECK enum err state_add_comment(struct state *state,
                                      const struct state_comment *comment);
typedef void state_comment_fn(void *context, const struct state_comment *comment);
/* In order of time. */
MUST_CHECK enum err state_each_comment(struct state *state, const char *incident,
                                       void *context, state_comment_fn *row);

#endif
