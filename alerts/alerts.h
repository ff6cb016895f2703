// SPDX-License-Identifier: Apache-2.0
/*
 * alerts - rules over channels in, incidents out: (state, event, now) -> effects.
 *
 * Deterministic and pure: the same events give the same incidents with the same ids,
 * whatever was saved and loaded between. Thresholds are judged by event time, silence by
 * the collector's (arrivals and ticks, which come from one clock). Owned by one thread.
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

#include "alerts/air.h"
#include "alerts/goods_life.h"
#include "alerts/harm.h"
#include "alerts/rule.h"
#include "base/err.h"
#include "freshness/thermal.h"
#include "telemetry/reading.h"

/* What a person closed and still lasts opens anew after so long. */
#define ALERT_STILL_MS ((int64_t)24 * 3600 * 1000)
#define ALERT_ID_SIZE  33 /* 32 hex digits and NUL */
#define ALERT_LIFE_MAX 192

#define ALERT_UNKNOWN_MS     ((int64_t)2 * 3600 * 1000)
#define ALERT_CLOCK_SLACK_MS ((int64_t)5 * 60 * 1000)

#define INCIDENT_STATE_LIST(X) \
    X(OPEN, "open") \
    X(RECOVERING, "recovering") \
    X(UNKNOWN, "unknown") \
    X(CLOSED, "closed")

enum incident_state {
#define X(name, text) INCIDENT_##name,
    INCIDENT_STATE_LIST(X)
#undef X
};

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
 * Of silence, onset is the arrival of the last good reading, opened the tick that proved
 * it, closed the arrival of the next good one; limit, value and worst are seconds.
 */
struct incident {
    char id[ALERT_ID_SIZE]; /* hash of rule, zone, device, channel, and when it passed */
    char rule[ID_SIZE];
    char zone[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE];  /* SILENT_DEVICE: "" */
    char quantity[ID_SIZE]; /* SILENT_DEVICE: "" */
    enum alert_kind kind;
    enum alert_severity severity; /* the highest it has reached */
    enum incident_state state;
    bool is_acknowledged;
    char acknowledged_by[ID_SIZE]; /* an id, never a name */
    int64_t acknowledged_ms;
    int64_t onset_ms;     /* event time at which the level was first passed; of what
                             lasts (a door, mains): at which that began */
    int64_t opened_ms;    /* event time of the reading that proved its delay */
    int64_t learned_ms;   /* when the collector knew */
    int64_t changed_ms;   /* when the collector last told of it */
    int64_t back_ms;      /* event time since when it is back; 0 while it is not */
    int64_t closed_ms;    /* event time of the reading that closed it; 0 while open; when
                             a person closed it, that person's time */
    int64_t withdrawn_ms; /* when it turned out that it never was, which is nothing that
                             the engine finds out; 0 */
    double limit;         /* the level reached */
    double value;         /* latest */
    double worst;
    double worst_low; /* PREDICTED: `worst` is between these two, if the value goes on so;
                         both 0: nothing is known of that */
    double worst_high;
    char life[ALERT_LIFE_MAX]; /* LIFE_LEFT: of whose life that is, what limits it, and
                                  how many days it lasts, as JSON; "" */
    struct harm harm; /* of cooling, freezing and power (cause.h), while it is not closed:
                         as of the last effect */
    uint32_t revision;                 /* 1 at opening, +1 with every effect */
    char snapshot[ALERT_SNAPSHOT_MAX]; /* the rule in force at opening, as JSON */
};

#define ALERT_EFFECT_LIST(X) \
    X(OPENED, "opened") \
    X(ESCALATED, "escalated") /* severity rose */ \
    X(UPDATED, "updated")     /* state or acknowledgement changed; nobody is called */ \
    X(REMINDED, "reminded")   /* acknowledged, and forgotten: it needs it again */ \
    X(CLOSED, "closed") \
    X(WITHDRAWN, "withdrawn") /* it never was; not by the engine */

enum alert_effect_kind {
#define X(name, text) ALERT_EFFECT_##name,
    ALERT_EFFECT_LIST(X)
#undef X
};

/*
 * What a rule kept back while one of its reasons held: it would have fired, or what it
 * counts was not counted. One per rule, channel and stretch of the reason; told when it
 * begins to keep something back, and again, under the same id, when it has ended. Of a
 * channel that is not heard again the second telling is missing; silence that is kept
 * back ends with its reason, heard or not.
 */
#define SUPPRESSION_END_LIST(X) \
    X(GOES_ON, "") \
    X(OVER, "over")                 /* the reason holds no more */ \
    X(HEARD, "heard")               /* silence: it was heard */ \
    X(RULE_CHANGED, "rule_changed") /* or it went */ \
    X(NOT_MEASURED, "not_measured") /* the channel measures that zone no longer */

enum suppression_end {
#define X(name, text) SUPPRESSION_##name,
    SUPPRESSION_END_LIST(X)
#undef X
};

struct suppression {
    char id[ALERT_ID_SIZE]; /* hash of rule, zone, device, channel and from */
    char rule[ID_SIZE];
    char zone[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE];
    char quantity[ID_SIZE];
    enum alert_kind kind;
    enum alert_severity severity; /* of the gravest level kept back */
    enum alert_reason reason;
    enum suppression_end ended; /* GOES_ON while to_ms is 0 */
    int64_t from_ms; /* event time of the first reading that was kept back; of silence:
                        when it would have been told */
    int64_t to_ms;   /* of the first reading after the stretch; 0: it goes on */
    int64_t told_ms; /* when the collector knew */
    double limit; /* the level that was passed, or the rule's limit; silence: seconds */
    double worst; /* of the measure, or of the value where that was not counted; SPARSE:
                     minutes between readings, and how many are too many */
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

/*
 * The quantity of what is recorded as standing in a zone: 1, goods; 0, none. Who keeps
 * the record gives it as readings of a channel of that name and of no device (""), which
 * does not fall silent.
 */
#define ALERT_GOODS "goods"

/* Goods that came in at another temperature than the zone's. */
#define ALERT_LOADS_MAX 4
struct alert_load {
    int64_t from_ms; /* event time */
    double entry_C;
};

/* What is known of a zone as a place. All 0: nothing. */
struct alert_room {
    struct thermal_body body;                 /* of its goods: freshness/thermal.h */
    struct air_settings air;                  /* its defrost schedule: alerts/air.h */
    struct alert_load loads[ALERT_LOADS_MAX]; /* what came in last */
    size_t load_count;
    bool has_band;     /* what its goods bear, or what was declared */
    double band_low_C; /* NaN: open */
    double band_high_C;
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

/* Saved. Forgets nothing of what was estimated so far. */
void alerts_set_room(struct alerts *alerts, const char *zone,
                     const struct alert_room *settings);
/* Nothing is said of it, or no longer. Saved, when that is news. */
void alerts_clear_room(struct alerts *alerts, const char *zone);
/*
 * What stands there, for rules of life_left. Not saved: to be said again after a state
 * was loaded, before anything is judged.
 */
void alerts_set_goods(struct alerts *alerts, const char *zone,
                      const struct life_stock *stock);
/*
 * The reason holds in that zone from..to, event time; TIME_NEVER (INT64_MAX): until the
 * same `reason` and `from` are declared with an end. Saved. OFF_DUTY holds back every
 * rule that is not about safety; the others those that name them.
 */
void alerts_declare(struct alerts *alerts, const char *zone, enum alert_reason reason,
                    int64_t from_ms, int64_t to_ms);
/* OFF_DUTY; `is_empty`: nothing is said to be in it, which rules of goods_left doubt. */
void alerts_declare_off_duty(struct alerts *alerts, const char *zone, int64_t from_ms,
                             int64_t to_ms, bool is_empty);
/*
 * PLANNED_STEP with a band of its own; NaN: open on that side. Rules above and below, and
 * those that count time or doses beyond a limit, of a temperature of the air or the goods
 * are held back by it only while the value is within the band on their side; and what is
 * open above or below is back there.
 */
void alerts_declare_step(struct alerts *alerts, const char *zone, int64_t from_ms,
                         int64_t to_ms, double low, double high);

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

/*
 * Two engines on one channel: one judges in order, the other judged ahead of a gap and
 * has told already.
 *  - copy: what `from` holds of the channel replaces what `to` holds of it;
 *  - drop: the channel is forgotten with its incidents, which nobody is told;
 *  - adopt: the open incident `id` goes on under the name, revision, severity and
 *    acknowledgement of `told`. NOT_FOUND; EXISTS when that name is another's already.
 */
void alerts_copy(struct alerts *to, const struct alerts *from, const char *zone,
                 const char *device, const char *channel);
/*
 * `to` has judged the channel from somewhere in the past on: its sums without a window go
 * on from what `from` has, where that is more, with what a person closed of them.
 */
void alerts_keep_sums(struct alerts *to, const struct alerts *from, const char *zone,
                      const char *device, const char *channel);
/* What was declared of the zone, the past included, holds in `to`, too. */
void alerts_copy_declared(struct alerts *to, const struct alerts *from, const char *zone);
void alerts_drop(struct alerts *alerts, const char *zone, const char *device,
                 const char *channel);
MUST_CHECK enum err alerts_adopt(struct alerts *alerts, const char *id,
                                 const struct incident *told);

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

const char *incident_state_name(enum incident_state state);
bool incident_state_parse(enum incident_state *state, const char *name);
const char *alert_effect_name(enum alert_effect_kind kind);
const char *suppression_end_name(enum suppression_end ended);
bool suppression_end_parse(enum suppression_end *ended, const char *name);

/*
 * Channels that the engine derives from each air temperature of a zone whose rules name
 * them: "product_temperature-est", "condensation_margin-est", "vpd-est", with the probe
 * of the air behind it ("air_temperature-2" gives "product_temperature-est2"). They are
 * judged as any channel, but cannot fall silent by themselves.
 */
bool alert_channel_is_derived(const char *channel);

#endif
