// SPDX-License-Identifier: Apache-2.0
/*
 * alerts - rules over channels in, incidents out: (state, event, now) -> effects.
 *
 * Deterministic and pure: the same events give the same incidents with the same ids,
 * whatever was saved and loaded between. Thresholds are judged by event time, silence by
 * the collector's (arrivals and ticks, which come from one clock). Owned by one thread.
 * What it is told of zones is in zones.h, of two engines on one channel in handover.h.
 *
 *           past a level for its delay          back for the recovery delay
 *   (quiet) --------------------------> open -> recovering ----------------> closed
 *                                       |  ^      |
 *                        source silent  v  +------+ past the level again
 *                                     unknown -> (reads again) open or recovering
 *
 * One incident per rule and channel at a time:
 *  - Delays are proven by samples, never by the passing of time: an incident opens at the
 *    sample past the level that is `delay` or more after the first one, closes at the
 *    sample back that is `recovery delay` or more after the first one. A sample that is
 *    not past starts the delay anew. A gap counts for no longer than the shortest silence
 *    that a rule of its channel, not of its device, names (ALERT_UNKNOWN_MS without one);
 *    a measure that says nothing proves nothing either way.
 *  - It stays open while any level that fired is not back, or another is being passed.
 *    Rising severity escalates the same incident; severity never falls.
 *  - A reading that is bad, or no number, or not newer than the last good one of its
 *    channel, moves no threshold; a channel that gives only bad ones counts as silent.
 *    When the last one turns out to lie more than ALERT_CLOCK_SLACK_MS in the future,
 *    the channel's clock was wrong, and it goes on from the reading given.
 *  - Silence resolves nothing: the incident is unknown after the shortest silence that a
 *    rule of its channel names (ALERT_UNKNOWN_MS without one), or when its device is
 *    silent by one of its own, and starts its recovery anew with the next good reading.
 *    Silence itself ends with the next good reading.
 */
#ifndef COLDCHAIN_ALERTS_ALERTS_H
#define COLDCHAIN_ALERTS_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/incident.h"
#include "alerts/rule.h"
#include "alerts/suppression.h"
#include "base/err.h"
#include "telemetry/reading.h"

/* What a person closed and still lasts opens anew after so long. */
#define ALERT_STILL_MS       ((int64_t)24 * 3600 * 1000)
#define ALERT_UNKNOWN_MS     ((int64_t)2 * 3600 * 1000)
#define ALERT_CLOCK_SLACK_MS ((int64_t)5 * 60 * 1000)

/* Borrowed names of at most ID_MAX characters; zone and device without a '/'. */
struct alert_reading {
    const char *zone;
    const char *device;
    const char *channel;  /* not "" */
    const char *quantity; /* the same for all readings of a channel */
    int64_t time_ms;      /* event time */
    int64_t arrival_ms;   /* when the collector had it */
    double value;
    enum quality quality;
    double spread_K; /* the coldest of what it speaks of is so much below `value`; 0 */
    /* The channel measures another zone by the time of the arrival: judged, and no sign
     * that anything is to be heard here. */
    bool is_elsewhere;
};

/*
 * Called during the functions below, in order. What is told is borrowed; the engine must
 * not be called from within.
 */
struct alert_sink {
    void *context;
    void (*effect)(void *context, enum alert_effect_kind kind,
                   const struct incident *incident);
    void (*suppressed)(void *context, const struct suppression *told); /* may be NULL */
    /* Every measure of a rule that looks further than at the value, NaN when it says
     * nothing: for who tries a rule out. May be NULL. */
    void (*measured)(void *context, const char *rule, double measure);
};

struct alerts;
struct source; /* where an engine keeps a channel: its own, for alerts_reading_at() */

struct alerts *alerts_create(void);
void alerts_destroy(struct alerts *alerts);

/*
 * Replaces the rules. State of rules that did not change is kept. A rule that did change
 * but kept id, zone and kind goes on with its open incidents, its delays start anew; so
 * does what it measures when its limit or window changed, and then nothing that is open
 * ends before that has looked back over its window. What no rule watches any more stays
 * as it is until a person closes it, or the rule comes back. INVALID names the rule;
 * nothing is changed then.
 */
MUST_CHECK enum err alerts_set_rules(struct alerts *alerts,
                                     const struct alert_rule *rules, size_t count,
                                     int64_t now_ms, struct err_text *why);
/* The same; what the old rules kept back ends, and `sink` is told so. */
MUST_CHECK enum err alerts_change_rules(struct alerts *alerts,
                                        const struct alert_rule *rules, size_t count,
                                        int64_t now_ms, const struct alert_sink *sink,
                                        struct err_text *why);

void alerts_reading(struct alerts *alerts, const struct alert_reading *reading,
                    const struct alert_sink *sink);
/*
 * The same, without the look-up by names: `known` is what this function returned for that
 * channel in that zone, if alerts_removed() has not changed since; otherwise NULL, and it
 * is looked up. Returns where the engine keeps the channel, NULL when no rule watches it.
 */
struct source *alerts_reading_at(struct alerts *alerts, struct source *known,
                                 const struct alert_reading *reading,
                                 const struct alert_sink *sink);
/*
 * A signal, a probe beside others: the engine, which is not to judge the reading, hears
 * it for what it judges in that zone. `known`: as another engine with the same zones
 * returned it for the channel, NULL.
 */
void alerts_overhear(struct alerts *alerts, const struct source *known,
                     const struct alert_reading *reading);
/* Grows whenever the engine gives up a place where it kept a channel. */
uint64_t alerts_removed(const struct alerts *alerts);
/*
 * The reading is here, but its turn to be judged has not come: it ends silence, and
 * that is all.
 */
void alerts_heard(struct alerts *alerts, const struct alert_reading *reading,
                  const struct alert_sink *sink);
/* Silence. Costs nothing but for channels whose silence may be due. */
void alerts_tick(struct alerts *alerts, int64_t now_ms, const struct alert_sink *sink);
/* Nothing becomes silent before then: the grace after a start. Part of the saved state.
 */
void alerts_set_grace(struct alerts *alerts, int64_t quiet_until_ms);
/* Until when; INT64_MIN: there was none. */
int64_t alerts_grace(const struct alerts *alerts);

/*
 * The channel is to measure that zone from now on, heard of or not: its silence counts
 * from now. `channel` "" with `quantity` "": the device as a whole.
 */
void alerts_expect(struct alerts *alerts, const char *zone, const char *device,
                   const char *channel, const char *quantity, int64_t now_ms);
/*
 * The device's clock went back to `to_ms`, and what comes next is newer all the same:
 * nothing that the channel, what is derived from it, or its signal told stays later.
 */
void alerts_turn_back(struct alerts *alerts, const char *zone, const char *device,
                      const char *channel, int64_t to_ms);
/*
 * The channel measures that zone no longer (its placement ended): it cannot fall silent
 * there. What is open becomes unknown, as when it is not heard, and stays for a person to
 * close. Its next reading that is not of elsewhere brings it back.
 * `channel` "": a device that was expected and none of whose channels was ever heard.
 */
void alerts_forget(struct alerts *alerts, const char *zone, const char *device,
                   const char *channel, int64_t now_ms, const struct alert_sink *sink);

/*
 * NOT_FOUND; EXISTS when somebody else was first. The engine knows open incidents only:
 * a closed one is acknowledged where it is stored, by the same rule.
 */
MUST_CHECK enum err alerts_acknowledge(struct alerts *alerts, const char *incident,
                                       const char *who, int64_t now_ms,
                                       const struct alert_sink *sink);

/* The acknowledgement is taken back: somebody is to look again. NOT_FOUND; EXISTS when
 * there was none. */
MUST_CHECK enum err alerts_remind(struct alerts *alerts, const char *incident,
                                  int64_t now_ms, const struct alert_sink *sink);

/*
 * A person closes it, whatever its state, and knows what was. So what lasts opens no new
 * one until it was back for its recovery delay once. Sooner, only what they did not know:
 * a level that had not fired; of a sum, as much again as its first level; of all others
 * but silence, that it lasts for ALERT_STILL_MS more; what was unknown, when it is read
 * again. Silence is told again only after the channel was heard. NOT_FOUND.
 */
MUST_CHECK enum err alerts_close(struct alerts *alerts, const char *incident,
                                 int64_t now_ms, const struct alert_sink *sink);
/* It ends where it stands, and what lasts opens a new one: whoever measured it measures
 * elsewhere, say. NOT_FOUND. */
MUST_CHECK enum err alerts_end(struct alerts *alerts, const char *incident,
                               int64_t now_ms, const struct alert_sink *sink);

/* The incident with that id that is not closed, or NULL; borrowed until the next call. */
const struct incident *alerts_incident(const struct alerts *alerts, const char *id);

/*
 * What must survive a restart, entity by entity: `changed` is called for each entity
 * (key, bytes) that changed since the last call; len 0 means that it is gone. An entity
 * is a channel or a device of a zone; the bytes begin with a version.
 */
void alerts_save_changed(struct alerts *alerts, void *context,
                         void (*changed)(void *context, const char *key, const void *data,
                                         size_t len));
/*
 * Puts back one entity, in any order; rules are set first (state of a rule that has
 * changed since is treated as by alerts_set_rules). CORRUPT changes nothing.
 */
MUST_CHECK enum err alerts_load(struct alerts *alerts, const char *key, const void *data,
                                size_t len);

/*
 * Channels that the engine derives from each air temperature of a zone whose rules name
 * them: "product_temperature-est", "condensation_margin-est", "vpd-est", with the probe
 * of the air behind it ("air_temperature-2" gives "product_temperature-est2"). They are
 * judged as any channel, but cannot fall silent by themselves.
 */
bool alert_channel_is_derived(const char *channel);

#endif
