// SPDX-License-Identifier: Apache-2.0
/*
 * air - what the air of a place is doing: as always, a door, a defrost, or no cooling.
 *
 * One struct for each channel of air temperature, one step for each reading:
 *
 *  - The envelope is the least and the most of the last 24 hours in which nothing was
 *    going on, in 12 slots of 120 such minutes; the most extreme slots do not count. Only
 *    air that went up and down as a thermostat lets it fills a slot, so that a failure is
 *    not learned; a slot waits for that, for twelve hours where it never does. Air that
 *    was outside for AIR_RELEARN_MS without filling one is learned anew: another set
 *    point; but not while somebody is told of it (`is_told`): a dead compressor does not
 *    become what is usual over a long weekend.
 *  - Outside is a fifth of its width beyond it; or just above it for so long that no
 *    thermostat lets it (1 K min).
 *  - Without cooling the air rises no faster than it does between two runs of the
 *    compressor. What rises faster (1.2 times, or across the whole envelope within a
 *    quarter of an hour) is heated: by a door when it is six times as fast, else by a
 *    defrost. A door or a defrost lasts until the air falls back; its minutes are a
 *    measure of their own (door_open, defrost_long), for a door may stay open. For some
 *    time they explain that the air is where it is.
 *  - Air that was heated falls back as fast as only cooled air does (0.4 times the
 * fastest fall between two rests of the compressor), or is not on its way back.
 *  - Air that is outside, not heated, and not on its way back is unexplained. These
 *    minutes are the measure of cooling_failed; they are zero again when the air was
 *    inside for five minutes. What was waited for in vain counts, too.
 *  - Signals say more than shapes and are believed. A compressor that stands still above
 *    the envelope for longer than it rests: cooling has failed, whatever door or defrost
 *    comes after that, and each such minute counts twice. One that runs is given time as
 *    long as the air comes nearer by 0.1 K in half an hour, but none when it was outside
 *    for 8 hours, doors and all, and for the last 3 no nearer than before. Mains that are
 *    gone are waited for: 20 minutes.
 *
 * Below the envelope only falling back counts. Where readings are too far apart for
 * shapes (AIR_SPARSE_MS), only signals count, and without them the verdict is that there
 * is none. The same readings give the same verdicts. Temperatures in C, times in ms.
 */
#ifndef COLDCHAIN_ALERTS_AIR_H
#define COLDCHAIN_ALERTS_AIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define AIR_SLOTS      12
#define AIR_SLOT_MS    ((int64_t)120 * 60 * 1000)
#define AIR_KNOWN      3 /* slots without which there is no envelope */
#define AIR_SPARSE_MS  ((int64_t)150 * 1000)
#define AIR_GAP_MS     ((int64_t)30 * 60 * 1000) /* after it the air may be anywhere */
#define AIR_DEFROST_MS ((int64_t)45 * 60 * 1000)
#define AIR_DOOR_MS    ((int64_t)15 * 60 * 1000)
#define AIR_RELEARN_MS ((int64_t)72 * 3600 * 1000)

#define AIR_PHASE_LIST(X) \
    X(UNAVAILABLE, "unavailable") \
    X(STEADY, "steady") \
    X(DOOR, "door") \
    X(DEFROST, "defrost") \
    X(RECOVERING, "recovering") \
    X(FAILING, "failing")

enum air_phase {
#define X(name, text) AIR_##name,
    AIR_PHASE_LIST(X)
#undef X
};

/* Why there is no verdict. */
#define AIR_WHY_LIST(X) \
    X(WHY_NONE, "") \
    X(WHY_LEARNING, "learning") /* fewer than AIR_KNOWN slots of undisturbed air */ \
    X(WHY_SPARSE, "sparse") /* readings too far apart, and no signal: learned or not */

enum air_why {
#define X(name, text) AIR_##name,
    AIR_WHY_LIST(X)
#undef X
};

enum air_signal {
    AIR_UNKNOWN, /* 0: there is no such signal */
    AIR_OFF,
    AIR_ON,
};

/* On: open, running, there. */
struct air_signals {
    enum air_signal door;
    enum air_signal defrost;
    enum air_signal compressor;
    enum air_signal mains;
    bool is_told; /* an incident about this air is open: cooling_failed */
};

/* What is declared of a place, or is usual for its kind; all 0: nothing. */
struct air_settings {
    int64_t defrost_every_ms; /* a schedule: heated air within it is a defrost */
    int64_t defrost_first_ms; /* any one of its beginnings */
    int64_t defrost_most_ms;  /* how long one may take; 0: AIR_DEFROST_MS */
    int64_t door_most_ms; /* how long a door may stay open that no signal shows; 0: its
                             rise and AIR_DOOR_MS */
    int64_t recovery_most_ms; /* from the end of either until the air is inside again; 0:
                                 as long as something cools */
};

/* Of 120 undisturbed minutes, in hundredths of a kelvin. */
struct air_slot {
    int16_t least;
    int16_t most;
    int16_t rise; /* the fastest, per minute */
    int16_t fall;
};

/*
 * Zeroes: nothing known. Plain data, without pointers; only air.c reads it. float: what
 * comes from probes of 0.1 K needs no more, and there is one of these for each channel.
 */
struct air_state {
    int64_t last_ms; /* 0: no reading yet */
    int64_t since_ms;
    int64_t heated_ms;  /* this door or defrost began; when none is: the last one ended */
    int64_t hot_ms;     /* it last rose as only heated air does */
    int64_t outside_ms; /* it left the envelope, the last time */
    int64_t cooled_ms;  /* it last fell as only cooled air does */
    int64_t inside_ms;  /* it came back, the last time */
    float fast;         /* smoothed over FAST_MIN, SLOW_MIN */
    float slow;
    float extreme;  /* the farthest outside, on its side */
    float best;     /* the nearest since then */
    float top_rate; /* of this door or defrost, K/min */
    float unexplained_min;
    float apart_min;   /* readings, smoothed */
    float idle_min;    /* outside, since a slot was filled */
    float part_min;    /* minutes in `part` */
    float excess_Kmin; /* how far above the top, added up */
    float mark;        /* as near as it was when it last came nearer */
    float slack_min;   /* since then */
    float dark_min;    /* since the mains went */
    float still_min;   /* above, and a compressor stands still that should run */
    struct air_slot slots[AIR_SLOTS];
    struct air_slot filling;
    struct air_slot before; /* it is learned when nothing follows on it */
    struct air_slot part;
    struct air_slot envelope; /* of the slots; meaningful from AIR_KNOWN on */
    int16_t nearest; /* outside it was no nearer than that, in hundredths of a kelvin */
    uint16_t nearest_min; /* as long after it went out */
    uint8_t slot_next;
    uint8_t slot_count;
    uint8_t filled; /* parts of five minutes in the slot */
    bool has_before : 1;
    uint8_t swings; /* from one half of the slot to the other */
    bool in_upper : 1;
    uint8_t turns; /* the same of its parts */
    bool was_upper : 1;
    int8_t side; /* +1 above, -1 below, 0 inside */
    uint8_t phase;
    uint8_t heated; /* enum air_phase: AIR_DOOR, AIR_DEFROST, or 0 */
    bool is_signalled : 1;
    bool is_above : 1;
};

struct air_verdict {
    enum air_phase phase;
    enum air_why why; /* of UNAVAILABLE */
    int64_t since_ms; /* the phase began, or the first reading came */
    double
        unexplained_min; /* outside, and neither door nor defrost nor on the way back */
    int64_t outside_ms;  /* since when: it left the envelope, or these minutes ago */
    double door_min;     /* of the door that is open; 0 */
    double defrost_min;  /* of the defrost that goes on; 0 */
    double recovery_min; /* since a door or defrost ended, the air still outside; 0 */
    enum air_signal door, defrost; /* as their signals say; UNKNOWN: the phase tells */
    bool is_signalled;             /* the door or defrost by a signal, not by its shape */
    bool is_above;                 /* the side on which it is outside, or was last */
    double apart_min;              /* readings usually are so far apart; 0: not known */
    double least, most;            /* the envelope; NaN while learning */
};

/*
 * One reading. A value that is no number, or a time not after the last, changes nothing
 * and gives the verdict of the last reading. `settings` may be NULL.
 */
struct air_verdict air_judge(struct air_state *state, const struct air_settings *settings,
                             int64_t time_ms, double value_C,
                             const struct air_signals *signals);

/* The verdict of the last reading, should these signals hold; nothing is changed. */
struct air_verdict air_last(const struct air_state *state,
                            const struct air_signals *signals);
/* Undisturbed minutes that are lacking at least until there is an envelope; 0: none. */
double air_lacks_min(const struct air_state *state);

/* The clock was ahead and came back to `time_ms`: nothing stays in the future. */
void air_rewind(struct air_state *state, int64_t time_ms);

/* A place begins anew (another set point, another place): the envelope is forgotten. */
void air_forget(struct air_state *state);

/* A version and what air_load() needs; at most AIR_SAVED_MAX bytes are added to `out`. */
#define AIR_SAVED_MAX 360
void air_save(struct buf *out, const struct air_state *state);
/* CORRUPT, with the state as it was: another version, cut, or numbers that are none. */
MUST_CHECK enum err air_load(struct air_state *state, struct buf_reader *in);

const char *air_phase_name(enum air_phase phase);
const char *air_why_name(enum air_why why);

#endif
