// SPDX-License-Identifier: Apache-2.0
/*
 * incidents - what is wrong in the zones measured here, and what of it was told locally.
 *
 * A list that follows the effects of the rules' engine. Telling is a level, not a queue:
 * each entry says what is so and what was told last, so that nothing is told twice,
 * whatever was saved in between, and what came and went untold is not told at all. Pure;
 * one thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_INCIDENTS_H
#define COLDCHAIN_EDGE_AGENT_INCIDENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/incident.h"
#include "base/buf.h"

struct incidents_entry {
    char id[ALERT_ID_SIZE];
    char rule[ID_SIZE];
    char zone[ID_SIZE];
    char channel[ID_SIZE];
    char quantity[ID_SIZE];
    enum alert_kind kind;
    enum alert_severity severity;
    enum incident_state state;
    int64_t onset_ms;
    int64_t opened_ms;
    double limit;
    double value;
    double worst;
    struct harm harm; /* what it means for the goods, as of the last effect */
    unsigned told;    /* 1 + the severity that was told; 0: nothing, or that it is over */
    bool is_muted;    /* until it gets graver */
    /* Somebody has acknowledged it where people see it, until then: muted for it. 0 */
    int64_t quiet_until_ms;
    bool is_idle; /* its rule is not in force: nobody is to be told for now */
    /* Its times were of a clock that is gone: over then, if it has not opened anew. 0 */
    int64_t carried_until_ms;
};

struct incidents {
    struct incidents_entry *entries;
    size_t count;
    size_t capacity;
    int64_t mute_stamp_ns; /* of the last request to be quiet that was followed */
    bool has_to_mute;      /* what rang was muted, and that is to be told */
};

/* A zeroed struct is an empty list. */
void incidents_fini(struct incidents *list);

/* True when the list says something else now. */
bool incidents_apply(struct incidents *list, enum alert_effect_kind kind,
                     const struct incident *incident);
/* The incident is over without the engine having said so. */
void incidents_end(struct incidents_entry *entry);
/* The times of all that is open are of another clock; over at until_ms at the latest. */
void incidents_carry(struct incidents *list, int64_t until_ms);
/* Of those carried, ends what is due. True when there was any. */
bool incidents_end_carried(struct incidents *list, int64_t now_ms);
/*
 * `list` was made anew from the same readings: what was told of an incident under
 * another id stays told, what is there no more is over. Empties `old`.
 */
void incidents_inherit(struct incidents *list, struct incidents *old);

enum incidents_news {
    INCIDENTS_NOTHING,
    INCIDENTS_OPENED,
    INCIDENTS_ESCALATED,
    INCIDENTS_CLOSED,
};

/* The first thing that is to be told, of at least that severity, and about what. */
enum incidents_news incidents_next(const struct incidents *list,
                                   enum alert_severity least, size_t *index);
/* It was told. An entry that is over goes. */
void incidents_told(struct incidents *list, const char *id, enum incidents_news news,
                    enum alert_severity severity);
/* Those that are not over, of rules that are in force. */
size_t incidents_open(const struct incidents *list);
/* Of these, those that were told; only what rings, when asked. */
size_t incidents_count(const struct incidents *list, bool is_ringing);
/* The gravest that rings, the oldest of these; NULL: none does. Borrowed. */
const struct incidents_entry *incidents_gravest(const struct incidents *list);
/* What is told now is silent until it gets graver. True when anything was not. */
bool incidents_mute(struct incidents *list);

/*
 * The entry of the list was acknowledged until then; 0: it is not, or no longer. What is
 * new mutes it; the end of that lets it be told as if it had opened now. True when the
 * list says something else.
 */
bool incidents_quiet(struct incidents *list, struct incidents_entry *entry,
                     int64_t until_ms);

void incidents_save(const struct incidents *list, struct buf *out);
/* As incidents_save() wrote it, or did before it said anything of harm, or of people. */
#define INCIDENTS_SAVED_VERSION 3
/* Adds to the list; false for anything that incidents_save() does not write. */
bool incidents_load(struct incidents *list, unsigned version, struct buf_reader *in);

#endif
