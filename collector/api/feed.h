// SPDX-License-Identifier: Apache-2.0
/*
 * feed - what changed last, of every zone, device and incident, for those who stream.
 *
 *   slots, by their last change:   room-2@70  one@70  9f0c..@70  room-1@85  ->  newest
 *                                     a cursor stands between any two of them
 *
 * One slot an entity, however often it changed: who reads slowly gets the latest of each,
 * and nothing queues up. The loop puts what a batch changed and seals it with the batch's
 * journal position; readers see sealed slots only, so they have all of a position when
 * the last of it has passed. While nobody has a seat, and for FEED_LINGER_MS after, the
 * feed is kept; then it forgets everything, and is another one when it is filled again.
 *
 * feed_create and feed_destroy: one thread, before and after all others.
 */
#ifndef COLDCHAIN_COLLECTOR_API_FEED_H
#define COLDCHAIN_COLLECTOR_API_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "collector/news.h"
#include "telemetry/reading.h"

#define FEED_LINGER_MS  INT64_C(120000)
#define FEED_OVER_MAX   1000 /* closed incidents that are kept */
#define FEED_ID_SIZE    32   /* "LIFE-POSITION" */
#define FEED_EVENT_SIZE 16
#define FEED_NAME_SIZE  (2 * ID_SIZE)

struct feed;

/* At most `seats` readers at a time. */
struct feed *feed_create(size_t seats);
/* No reader is left. Accepts NULL. */
void feed_destroy(struct feed *feed);
/* Readers are woken and told that it is over. Any thread. */
void feed_close(struct feed *feed);

/* ---- the loop -----------------------------------------------------------------------
 */

/* Whether news are to be put at all. */
bool feed_is_wanted(struct feed *feed, int64_t real_ms);
/* Whether it holds everything there is; else all of it is to be put, and sealed. */
bool feed_is_filled(struct feed *feed);
/* Seen by nobody before the next feed_seal(). */
void feed_put(struct feed *feed, const struct news *news);
/* What was put since the last one happened up to that position of the journal. */
void feed_seal(struct feed *feed, uint64_t position);

/* ---- readers, each in a thread of its own -------------------------------------------
 */

/*
 * Takes a seat. LIMIT: none is free, or this holder has half of them; OFFLINE: it is
 * closed. A seat is given back by feed_leave().
 */
MUST_CHECK enum err feed_join(struct feed *feed, const char *holder);
void feed_leave(struct feed *feed, const char *holder, int64_t real_ms);
/* Waits until no seat is taken; false when that takes longer. */
bool feed_wait_empty(struct feed *feed, int64_t wait_ms);

struct feed_cursor {
    uint64_t order;   /* of the last slot that was given */
    uint64_t present; /* of the newest slot when the cursor was made */
    uint64_t dropped; /* of the newest slot that was dropped by then */
};

/*
 * A cursor behind everything up to the id that an earlier stream gave, or, with false,
 * one before everything there is: the id is NULL, of another feed, or too old.
 */
bool feed_resume(struct feed *feed, const char *last_id, struct feed_cursor *cursor);

struct feed_event {
    enum news_kind kind;
    char name[FEED_NAME_SIZE]; /* id of the news */
    char event[FEED_EVENT_SIZE];
    char *json;            /* the caller's to free; may be NULL */
    char id[FEED_ID_SIZE]; /* of its position */
    bool is_last;          /* nothing else of that position follows */
    bool is_over;          /* of an incident: closed */
    bool is_present;       /* changed before the cursor was made */
};

/*
 * The next slot behind the cursor, which moves there. TIMEOUT: nothing came for so long,
 * event->id is how far everything was given; NOT_FOUND: something behind the cursor was
 * dropped, begin anew; OFFLINE: it is over.
 */
MUST_CHECK enum err feed_next(struct feed *feed, struct feed_cursor *cursor,
                              int64_t wait_ms, struct feed_event *event);

#endif
