// SPDX-License-Identifier: Apache-2.0
/*
 * cause - which incidents are one trouble, and when people are told of it.
 *
 * A dead compressor passes three levels on four probes, a dead gateway silences fifty
 * sensors: each is one cause with many members. The incident that came first leads it and
 * gives it its id; those that follow are written down and told to nobody, unless they say
 * something graver than people were told.
 *
 *    family    kinds                                            shared within
 *    cooling   above, cumulative_above, dose_above, rate,       a zone
 *              predicted (each on a temperature),
 *              cooling_failed, no_recovery, defrost_long,
 *              door_open
 *    freezing  below, cumulative_below, dose_below (each on a   a zone
 *              temperature): too cold harms otherwise
 *    silence   silent, silent_device                            a zone, a site: when they
 *                                                               began together
 *    power     mains_lost                                       a zone; a site likewise
 *    alone     all others                                       nothing
 *
 * A sum (cumulative, dose) shows what was and stays open when all is well again, and what
 * is unknown shows nothing: they are members, and neither keep a cause going nor let it
 * grow. What is no sum joins only while a member goes on, or soon after.
 *
 * Pure: a cause is plain data that its owner keeps, and times are those of the incidents,
 * so that what is learned late belongs where it happened.
 */
#ifndef COLDCHAIN_ALERTS_CAUSE_H
#define COLDCHAIN_ALERTS_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts/incident.h"

/* What begins so soon after the end is the same trouble, which is not over. */
#define CAUSE_MERGE_MS ((int64_t)30 * 60 * 1000)
/* What fell silent, or stopped in several zones of a site, within this has one reason. */
#define CAUSE_TOGETHER_MS ((int64_t)10 * 60 * 1000)
/*
 * A cause to which nothing was added for so long takes no more: an old trouble that
 * nobody closes must not swallow a new one.
 */
#define CAUSE_GROWS_MS ((int64_t)12 * 3600 * 1000)

#define CAUSE_FAMILY_LIST(X) \
    X(ALONE, "alone") \
    X(COOLING, "cooling") \
    X(FREEZING, "freezing") \
    X(SILENCE, "silence") \
    X(POWER, "power")

enum cause_family {
#define X(name, text) CAUSE_##name,
    CAUSE_FAMILY_LIST(X)
#undef X
};

struct cause {
    char id[ALERT_ID_SIZE]; /* of the incident that led first */
    enum cause_family family;
    char zone[ID_SIZE]; /* of that one */
    char site[ID_SIZE]; /* ""; likewise */
    int64_t onset_ms;   /* the earliest of its members; of a door, mains: when proven */
    int64_t grown_ms;   /* the latest of those that are no sums */
    int64_t ended_ms;   /* when the last member was over; 0 while one is open */
    int64_t reminded_ms;
    bool is_told; /* of what goes on now, or went on last */
    enum alert_severity told;
    bool is_wide; /* people know that it is of more than one zone */
    /* The latest cause_alive_ms() of its members: who asks cause_takes() says it; it is
     * not kept. */
    int64_t alive_ms;
};

/* What a cause is told of; `kind` is what became of the incident. */
struct cause_event {
    enum alert_effect_kind kind;
    const struct incident *incident;
    bool was_told;      /* a message was made of this very incident before */
    bool is_other_open; /* another member is not closed */
    bool is_other_told; /* one of these was told */
    bool is_over_told;  /* another member is closed, was told, and is no less grave */
    int64_t now_ms;
};

enum cause_telling {
    CAUSE_TELL_NOBODY,
    CAUSE_TELL,      /* the event, as it is */
    CAUSE_TELL_OVER, /* what began and ended before anybody knew: once, waking nobody */
    CAUSE_TELL_PART, /* likewise, of a cause that goes on: it says no end */
    CAUSE_TELL_NEXT, /* the event, and what is still open of it and was not told */
};

enum cause_family cause_family_of(const struct incident *incident);
/* What stops together in several zones of a site is one cause. */
bool cause_family_spans_site(enum cause_family family);
const char *cause_family_name(enum cause_family family);
bool cause_family_parse(enum cause_family *family, const char *name);

/* Until when the member shows that its trouble goes on; INT64_MAX: it does. */
int64_t cause_alive_ms(const struct incident *member);
/* The incident leads a new one. `site` is that of its zone, "". */
void cause_begin(struct cause *cause, const struct incident *incident, const char *site);
/* Whether the incident belongs to it; not for members, which do. */
bool cause_takes(const struct cause *cause, const struct incident *incident,
                 const char *site);
/* Something became of a member, or an incident that belongs to it becomes one. */
enum cause_telling cause_note(struct cause *cause, const struct cause_event *event);

#endif
