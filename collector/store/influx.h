// SPDX-License-Identifier: Apache-2.0
/*
 * influx - follows the journal into InfluxDB, or whatever takes line protocol over HTTP.
 *
 * Measurement "climate"; tags org, site, zone, device, probe; one field per quantity,
 * `seq`, `late`, and `state` where a sensor failed. Nanoseconds below the millisecond
 * come from the seq, so that distinct samples never share a time in a series and a
 * repetition overwrites itself. The cursor is kept in state.db, behind what was accepted.
 *
 * Measurement "incident": a point for each one, from the transitions in state.db, with a
 * cursor of its own; tags org, site, zone, rule (influx_incidents.c).
 *
 * When it is said of the past that a device measured another zone, its points of that
 * time are deleted and written anew from history (influx_rewrite.c), and incidents that
 * never were are deleted.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_INFLUX_H
#define COLDCHAIN_COLLECTOR_STORE_INFLUX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "collector/config.h"
#include "collector/guard.h"
#include "collector/pipeline/registry.h"
#include "collector/store/follower.h"
#include "collector/store/state.h"
#include "telemetry/pack.h"
#include "telemetry/topic.h"

struct influx;

struct influx_options {
    const struct settings *settings;
    struct journal *journal;
    struct state *state;
    /* For readers of incidents and corrections; NULL: neither are written. */
    const char *state_path;
    const char *history_dir; /* what corrections are written from; NULL: they are not */
    struct loop *loop;
    struct guard *guard;             /* may be NULL */
    const struct registry *registry; /* read under its lock */
    void *context;
    /* What lies behind that position waits; NULL: nothing does. Any thread. */
    uint64_t (*evaluated)(void *context);
    void (*on_failed)(void *context, enum err err, const struct err_text *why); /* loop */
};

/* Opened on the loop thread. The sink outlives the follower and the loop. */
MUST_CHECK enum err influx_open(struct influx **influx,
                                const struct influx_options *options,
                                struct err_text *why);
void influx_wake(struct influx *influx);
/* Sends what is left, at most drain_ms. Accepts NULL. */
void influx_stop(struct influx *influx, int64_t drain_ms);
/* After the loop is gone. Accepts NULL. */
void influx_destroy(struct influx *influx);

/* Borrowed names. */
struct influx_reading {
    const char *org;
    const char *device;
    const struct channel *channel;
    int64_t time_ms;
    int64_t arrival_ms;
    double value;
    enum quality quality;
    uint64_t seq;    /* 0: unknown */
    unsigned repeat; /* of its channel at one time within its pack, from 0 */
};

/* Appends one line, or none of a time beyond the format; returns how many. Pure. */
size_t influx_format_reading(const struct influx_reading *reading,
                             const struct registry *registry, struct buf *out);
/* One line per reading; returns how many. Pure. */
size_t influx_format_pack(const struct pack *pack, const struct topic *topic,
                          const struct registry *registry, int64_t arrival_ms,
                          struct buf *out);

/*
 * The line of an incident after the transition `body`, whose first one said `first_body`
 * (what message_format() made). False, and nothing added, when they cannot be read.
 */
bool influx_format_incident(const char *first_body, const char *body,
                            const struct registry *registry, struct buf *out);
struct influx_delete;
/* Whether that transition says that it never was, and which point that is. */
bool influx_incident_is_withdrawn(const char *first_body, const char *body,
                                  struct influx_delete *never);

#endif
