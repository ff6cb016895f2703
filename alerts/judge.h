// SPDX-License-Identifier: Apache-2.0
/*
 * judge - what becomes of a sample: past a level or not, held back, told as an incident.
 * Only the files of this folder include it.
 *
 * alerts.c, the public face, calls threshold with each reading, which passes it to
 * measured and derive; they keep watches (internal.h), hold back what reasons explain
 * (hold) and tell of incidents (incident). `sink` is called before a function returns.
 */
#ifndef COLDCHAIN_ALERTS_JUDGE_H
#define COLDCHAIN_ALERTS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/air.h"
#include "alerts/structs.h"

/* What a rule's levels are told of one reading. */
struct sample {
    int64_t time_ms;
    int64_t arrival_ms;
    int64_t before_ms; /* event time of the reading before; TIME_NONE */
    int64_t stood_ms;  /* for which the reading before stands */
    double measure;
    int64_t begun_ms; /* since when what is measured lasts; TIME_NONE: as long as the
                         level is past */
    double low; /* the measure is between these two; both 0: nothing is known of that */
    double high;
    unsigned reasons; /* that hold the rule back now, as bits; 0: none */
    bool is_in_step;  /* a planned step's own band says that the value is in order */
    bool is_kept;     /* something that the measure counts was not counted for them */
    double kept;      /* that */
    double apart_min; /* with SPARSE among the reasons */
};

/* hold.c */
/* One sample while reasons hold: what would have happened without them. */
void hold_sample(struct alerts *alerts, struct watch *watch, const struct sample *sample,
                 const struct alert_sink *sink);
/*
 * One sample of a rule of shapes while SPARSE holds, the readings being so far apart:
 * told once that has lasted for an hour.
 */
void hold_sparse(struct alerts *alerts, struct watch *watch, const struct sample *sample,
                 const struct alert_sink *sink);
/* Silence that falls due while reasons hold, after so many seconds. */
void hold_silence(struct alerts *alerts, struct watch *watch, unsigned reasons,
                  int64_t now_ms, double silent_s, const struct alert_sink *sink);
/* Ends what is kept back, if anything is; `sink` may be NULL. */
void hold_stop(struct alerts *alerts, struct watch *watch, enum suppression_end ended,
               int64_t time_ms, int64_t now_ms, const struct alert_sink *sink);
/* If its reason holds no more. */
void hold_end(struct alerts *alerts, struct watch *watch, const struct sample *sample,
              const struct alert_sink *sink);

/* threshold.c */
/* Inclusive, on the rule's side. */
bool level_is_past(const struct rule *rule, size_t level, double value);
void threshold_step(struct alerts *alerts, struct source *source, struct rule *rule,
                    const struct sample *sample, const struct alert_sink *sink);
/* The measure says nothing: no level moves, but what was kept back may be over, or it is
 * SPARSE that begins. */
void threshold_skip(struct alerts *alerts, struct source *source, struct rule *rule,
                    const struct sample *sample, const struct alert_sink *sink);
void threshold_reading(struct alerts *alerts, struct source *source,
                       const struct alert_reading *reading,
                       const struct alert_sink *sink);
/* A person closed its incident, which is told already: see alerts_close(). */
void threshold_dismiss(struct watch *watch, int64_t now_ms);
static inline bool watch_is_dismissed(const struct watch *watch)
{
    return watch->firing == NULL && watch->fired != 0;
}
/* The rule in force was replaced by another with the same id. */
void threshold_restart(struct watch *watch);

/* measured.c: rules whose measure is not the value alone */
void measured_reading(struct alerts *alerts, struct source *source,
                      const struct alert_reading *reading, int64_t before_ms,
                      const struct alert_sink *sink);
/* Bits of reasons that hold the rule back: those it names, and OFF_DUTY but for safety.
 */
unsigned rule_unless(const struct rule *rule);
/* Of this air, what its shape says; it holds for its channel alone. NULL: nothing. */
unsigned reasons_of_air(const struct air_verdict *air);

/* derive.c: channels that the engine computes */
#define DERIVED_COUNT 3
#define DERIVED_GOODS 0 /* the first of them, for derive_channel() */
/* As a bit of zone.derives; 0: that quantity is not derived. */
unsigned derive_bit(const char *quantity);
/* Whether readings of that quantity are turned into others. */
bool derive_from(const char *quantity);
/* The channel's name; false when it would be too long. */
bool derive_channel(char name[ID_SIZE], size_t which, const char *air_channel);
/* The channel that a derived one is of; false: it is none. */
bool derive_origin(char name[ID_SIZE], const char *channel);
void derive_reading(struct alerts *alerts, struct source *source,
                    const struct alert_reading *reading, const struct product *product,
                    const struct alert_sink *sink);

/* incident.c */
/* Accepts NULL. */
void firing_destroy(struct firing *firing);
struct watch *firing_find(const struct alerts *alerts, const uint8_t id[ID_BYTES]);
void firing_index(struct alerts *alerts, struct watch *watch);
/* Also when it is not there. */
void firing_unindex(struct alerts *alerts, const struct watch *watch);
/*
 * `opening` has the times, the limit and the severity; its name is made of `passed_ms`,
 * when its level was first passed.
 */
void incident_open(struct alerts *alerts, struct watch *watch,
                   const struct firing *opening, int64_t passed_ms,
                   const struct alert_sink *sink);
void incident_tell(struct alerts *alerts, struct watch *watch,
                   enum alert_effect_kind kind, int64_t now_ms,
                   const struct alert_sink *sink);
/* Tells of it and forgets it; the watch is pending afterwards. */
void incident_close(struct alerts *alerts, struct watch *watch, int64_t closed_ms,
                    int64_t now_ms, const struct alert_sink *sink);
/* What an incident of that watch that passed its level then would be named. */
void incident_id_of(char id[ALERT_ID_SIZE], const struct watch *watch, int64_t passed_ms);
const struct incident *incident_fill(const struct alerts *alerts,
                                     const struct watch *watch);
/* False for anything but 32 hex digits. */
bool incident_id_parse(uint8_t id[ID_BYTES], const char *text);

/* outlook.c: what it means for the goods, of incidents of which that is asked. */
void outlook_fill(const struct alerts *alerts, const struct source *source,
                  struct incident *incident);

#endif
