// SPDX-License-Identifier: Apache-2.0
/*
 * room - what an engine knows of a zone besides the channel that it judges: doors,
 * defrosts, compressors and mains by their signals, the other probes, the air's humidity,
 * a probe in the goods, and what was declared (duty, planned steps, maintenance).
 *
 * There only for zones whose rules ask for it, or for which something was declared. All
 * of it by event time: what is asked of a point in time that lies before the last change
 * of a signal is answered by the stretch before it, and by "not" before that. Bounded:
 * ROOM_PROBES_MAX channels, of which the one heard longest ago gives way, and
 * ROOM_STRETCHES_MAX stretches. Only the files of this folder include it.
 */
#ifndef COLDCHAIN_ALERTS_ROOM_H
#define COLDCHAIN_ALERTS_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/air.h"
#include "alerts/product.h"
#include "alerts/structs.h"
#include "alerts/zones.h"

#define ROOM_PROBES_MAX    64
#define ROOM_STRETCHES_MAX 32

/* A signal that is not heard for this long holds nothing back any more. */
#define ROOM_SIGNAL_MS ((int64_t)3600 * 1000)
/* Two probes are compared when they were read within this. */
#define ROOM_APART_MS ((int64_t)15 * 60 * 1000)
/* Humidity and pulp are used for this long. */
#define ROOM_FRESH_MS ((int64_t)2 * 3600 * 1000)

/* What a channel is to its room. */
enum room_role {
    ROLE_NONE,
    ROLE_DOOR,
    ROLE_DEFROST,
    ROLE_COMPRESSOR,
    ROLE_MAINS,
    ROLE_HUMIDITY,
    ROLE_PULP,
    ROLE_PROBE, /* of a quantity whose probes are compared */
    ROLE_COUNT,
};

struct room_probe {
    uint64_t key;   /* hash of device and channel */
    uint64_t group; /* ROLE_PROBE: hash of the quantity */
    int64_t time_ms;
    double value;
    int64_t on_ms;  /* a signal's last stretch of being on; TIME_NONE: none yet */
    int64_t off_ms; /* its end; TIME_NEVER while it is on */
    uint8_t role;
};

struct room_stretch {
    int64_t from_ms;
    int64_t to_ms; /* TIME_NEVER: until it is told otherwise */
    double low;    /* PLANNED_STEP: what is in order meanwhile; NaN: open */
    double high;
    uint8_t reason;
    bool is_empty; /* OFF_DUTY: nothing is said to be in it */
    bool is_asked; /* and somebody was asked whether that is so */
};

/* A channel of air, and the goods in it, as of its last reading. */
struct room_air {
    uint64_t key; /* hash of device and channel */
    int64_t time_ms;
    double C;
    struct product product;
};

struct room {
    struct alert_room settings;
    struct life_stock *stock; /* not saved; NULL: nobody has said */
    struct room_air *air;     /* the farthest out of the band; NULL: nobody asked */
    struct room_probe *probes;
    size_t probe_count;
    size_t probe_capacity;
    struct room_stretch *stretches;
    size_t stretch_count;
    size_t stretch_capacity;
    bool is_dirty;
    char zone[];
};

/* By the quantity alone; `is_compared`: a rule compares its probes. */
enum room_role room_role_of(const char *quantity, bool is_compared);

struct room *room_find(const struct alerts *alerts, const char *zone);
struct room *room_make(struct alerts *alerts, const char *zone);
void rooms_fini(struct alerts *alerts);
void room_touch(struct alerts *alerts, struct room *room);
/* The one of that reason from then on; a new one begins at TIME_NONE. */
struct room_stretch *room_stretch(struct room *room, enum alert_reason reason,
                                  int64_t from_ms);
/* Its zone's plans look at it from now on. */
void room_attach(struct alerts *alerts, const struct room *room);

void room_hear(struct alerts *alerts, struct room *room, enum room_role role,
               const struct alert_reading *reading);
/* The same for a channel that no rule watches; costs a look-up. */
void room_overhear(struct alerts *alerts, const struct alert_reading *reading);

/* Kept where it is farther out of the band than what is kept, or that is old. */
void room_note_air(struct alerts *alerts, struct room *room,
                   const struct alert_reading *reading, const struct product *product);

/* Bits of enum alert_reason that hold then, by signals and by what was declared. */
unsigned room_reasons(const struct room *room, int64_t time_ms);
/*
 * What was declared for that reason goes on from then on until this; TIME_NEVER: until it
 * is told otherwise. Without any, or a room (NULL), it is over at once.
 */
int64_t room_until(const struct room *room, enum alert_reason reason, int64_t from_ms);
/* The stretch of then in which it is off duty as empty; NULL: none. */
struct room_stretch *room_empty(struct room *room, int64_t time_ms);
/* What the planned steps of then allow, the widest of several; infinite where open. */
void room_step_band(const struct room *room, int64_t time_ms, double *low, double *high);
/* The last door or defrost ended, at or before then; TIME_NONE. */
int64_t room_ended(const struct room *room, int64_t time_ms);
struct air_signals room_signals(const struct room *room, int64_t time_ms);
/*
 * The median of the zone's other probes of that quantity, read within ROOM_APART_MS; NaN
 * without. Of two that are alone, only the one with the greater key hears of the other,
 * or one difference were told twice.
 */
double room_others(const struct room *room, const struct alert_reading *reading);
/*
 * Whether there are any, whichever of two hears of the other; *last_ms: when the latest
 * of them was read, TIME_NONE.
 */
bool room_has_others(const struct room *room, const struct alert_reading *reading,
                     int64_t *last_ms);
/* See alerts_turn_back(). */
void room_turn_back(struct alerts *alerts, const char *zone, const char *device,
                    const char *channel, int64_t to_ms);
/* The latest value of that role, not older than ROOM_FRESH_MS; NaN; its time. */
double room_latest(const struct room *room, enum room_role role, int64_t now_ms,
                   int64_t *time_ms);

/* 0 <= fastest <= tau <= slowest, and no nonsense. */
bool room_body_is_good(const struct thermal_body *body);

/* room_state.c: "room/ZONE". */
bool room_key_is(const char *key);
void room_save(const struct room *room, struct buf *key, struct buf *out);
MUST_CHECK enum err room_load(struct alerts *alerts, const char *key, const void *data,
                              size_t len);
/* What `from` knows later, or besides, is put into `to`. */
void room_merge(struct alerts *to, const struct alerts *from, const char *zone);
/* The same of what was declared there, and of nothing that was measured. */
void room_merge_declared(struct alerts *to, const struct alerts *from, const char *zone);

#endif
