// SPDX-License-Identifier: Apache-2.0
#include "alerts/cause.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const families[] = {
#define X(name, text) [CAUSE_##name] = text,
    CAUSE_FAMILY_LIST(X)
#undef X
};

/* By name, so that a kind which is not there yet needs no change here. */
static const struct {
    const char *kind;
    enum cause_family family;
    bool is_any_quantity; /* else temperatures only */
    bool is_proven_late;  /* it had lasted for long when it was */
} kinds[] = {
    {"above", CAUSE_COOLING, false, false},
    {"below", CAUSE_FREEZING, false, false},
    {"cumulative_above", CAUSE_COOLING, false, false},
    {"cumulative_below", CAUSE_FREEZING, false, false},
    {"dose_above", CAUSE_COOLING, false, false},
    {"dose_below", CAUSE_FREEZING, false, false},
    {"rate", CAUSE_COOLING, false, false},
    {"predicted", CAUSE_COOLING, false, false},
    {"cooling_failed", CAUSE_COOLING, true, true},
    {"no_recovery", CAUSE_COOLING, true, true},
    {"defrost_long", CAUSE_COOLING, true, true},
    {"door_open", CAUSE_COOLING, true, true},
    {"silent", CAUSE_SILENCE, true, false},
    {"silent_device", CAUSE_SILENCE, true, false},
    {"mains_lost", CAUSE_POWER, true, true},
};

static bool is_temperature(const char *quantity)
{
    static const char word[] = "temperature";
    size_t len = strlen(quantity);
    return len >= sizeof word - 1 &&
           strcmp(quantity + len - (sizeof word - 1), word) == 0;
}

enum cause_family cause_family_of(const struct incident *incident)
{
    const char *kind = alert_kind_name(incident->kind);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].is_any_quantity || is_temperature(incident->quantity)
                       ? kinds[i].family
                       : CAUSE_ALONE;
    return CAUSE_ALONE;
}

/*
 * Where the incident stands among others. What had lasted for long when it was proven
 * stands there: it may have begun while the last trouble went on, and is to be told.
 */
static int64_t place_ms(const struct incident *incident)
{
    const char *kind = alert_kind_name(incident->kind);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].is_proven_late && strcmp(kinds[i].kind, kind) == 0)
            return incident->opened_ms;
    return incident->onset_ms;
}

bool cause_family_spans_site(enum cause_family family)
{
    return family == CAUSE_SILENCE || family == CAUSE_POWER;
}

const char *cause_family_name(enum cause_family family)
{
    assert((size_t)family < COUNT(families));
    return families[family];
}

bool cause_family_parse(enum cause_family *family, const char *name)
{
    for (size_t i = 0; i < COUNT(families); i++) {
        if (strcmp(families[i], name) == 0) {
            *family = (enum cause_family)i;
            return true;
        }
    }
    return false;
}

int64_t cause_alive_ms(const struct incident *member)
{
    if (alert_kind_is_sum(member->kind))
        return member->onset_ms;
    if (member->state == INCIDENT_UNKNOWN)
        return member->changed_ms;
    return member->state == INCIDENT_CLOSED ? member->closed_ms : INT64_MAX;
}

void cause_begin(struct cause *cause, const struct incident *incident, const char *site)
{
    *cause = (struct cause){
        .family = cause_family_of(incident),
        .onset_ms = place_ms(incident),
        .grown_ms = place_ms(incident),
        .ended_ms = incident->closed_ms,
        .alive_ms = cause_alive_ms(incident),
    };
    snprintf(cause->id, sizeof cause->id, "%s", incident->id);
    snprintf(cause->zone, sizeof cause->zone, "%s", incident->zone);
    snprintf(cause->site, sizeof cause->site, "%s", site);
}

static bool touches(const struct cause *cause, const struct incident *incident)
{
    int64_t at_ms = place_ms(incident);
    bool is_before_end =
        cause->ended_ms == 0 || at_ms <= cause->ended_ms + CAUSE_MERGE_MS;
    bool is_behind_onset = incident->closed_ms == 0 ||
                           incident->closed_ms >= cause->onset_ms - CAUSE_MERGE_MS;
    return is_before_end && is_behind_onset &&
           at_ms <= cause->grown_ms + CAUSE_GROWS_MS &&
           at_ms >= cause->onset_ms - CAUSE_GROWS_MS;
}

/* What was heard long after the others fell silent has a trouble of its own. */
static bool is_alive(const struct cause *cause, const struct incident *incident)
{
    if (cause->family == CAUSE_SILENCE && cause->ended_ms == 0)
        return place_ms(incident) <= cause->grown_ms + CAUSE_TOGETHER_MS;
    return alert_kind_is_sum(incident->kind) || cause->alive_ms == INT64_MAX ||
           place_ms(incident) <= cause->alive_ms + CAUSE_MERGE_MS;
}

/* A whole site at once: power, or the way out of it. */
static bool is_together(const struct cause *cause, const struct incident *incident,
                        const char *site)
{
    int64_t apart = place_ms(incident) - cause->onset_ms;
    return cause_family_spans_site(cause->family) && site[0] != '\0' &&
           strcmp(cause->site, site) == 0 && apart <= CAUSE_TOGETHER_MS &&
           apart >= -CAUSE_TOGETHER_MS;
}

bool cause_takes(const struct cause *cause, const struct incident *incident,
                 const char *site)
{
    if (cause->family == CAUSE_ALONE || cause->family != cause_family_of(incident) ||
        !touches(cause, incident) || !is_alive(cause, incident))
        return false;
    return strcmp(cause->zone, incident->zone) == 0 || is_together(cause, incident, site);
}

/* ---- what becomes of it ----------------------------------------------------------- */

static bool is_graver(const struct cause *cause, const struct incident *incident)
{
    return !cause->is_told || incident->severity > cause->told;
}

static enum cause_telling tell(struct cause *cause, const struct incident *incident)
{
    if (is_graver(cause, incident))
        cause->told = incident->severity;
    cause->is_told = true;
    return CAUSE_TELL;
}

static void grow(struct cause *cause, const struct incident *incident)
{
    int64_t at_ms = place_ms(incident);
    if (at_ms < cause->onset_ms)
        cause->onset_ms = at_ms;
    if (at_ms > cause->grown_ms && !alert_kind_is_sum(incident->kind))
        cause->grown_ms = at_ms;
}

static enum cause_telling opened(struct cause *cause, const struct cause_event *event)
{
    const struct incident *incident = event->incident;
    grow(cause, incident);
    if (incident->state == INCIDENT_CLOSED)
        return CAUSE_TELL_NOBODY; /* its end follows, and says it all */
    if (cause->ended_ms != 0) {   /* it was said to be over, and is not */
        cause->ended_ms = 0;
        cause->is_told = false;
    }
    bool is_wider =
        !cause->is_wide && cause->is_told && strcmp(cause->zone, incident->zone) != 0;
    cause->is_wide |= is_wider;
    return is_wider || is_graver(cause, incident) ? tell(cause, incident)
                                                  : CAUSE_TELL_NOBODY;
}

static void end(struct cause *cause, const struct cause_event *event)
{
    if (!event->is_other_open && event->incident->closed_ms > cause->ended_ms)
        cause->ended_ms = event->incident->closed_ms;
}

/* What goes on and gets as grave now is told as ever: people would get up for that. */
static enum cause_telling closed_in_part(const struct cause *cause,
                                         const struct cause_event *event)
{
    bool is_known = !is_graver(cause, event->incident) || event->is_over_told;
    return is_known ? CAUSE_TELL_NOBODY : CAUSE_TELL_PART;
}

static enum cause_telling closed(struct cause *cause, const struct cause_event *event)
{
    bool was_over = cause->ended_ms != 0;
    if (event->is_other_open)
        return closed_in_part(cause, event);
    end(cause, event);
    if (!was_over && cause->is_told)
        return CAUSE_TELL;
    if (!is_graver(cause, event->incident))
        return CAUSE_TELL_NOBODY;
    tell(cause, event->incident);
    return CAUSE_TELL_OVER;
}

/* Those who were told of it are told; those who were told of nothing else are told on. */
static enum cause_telling withdrawn(struct cause *cause, const struct cause_event *event)
{
    end(cause, event);
    if (!event->was_told)
        return CAUSE_TELL_NOBODY;
    if (!event->is_other_open)
        return CAUSE_TELL;
    if (event->is_other_told)
        return CAUSE_TELL;
    cause->is_told = false;
    return CAUSE_TELL_NEXT;
}

/* Of many members that were acknowledged together one speaks. */
static enum cause_telling reminded(struct cause *cause, const struct cause_event *event)
{
    cause->ended_ms = 0;
    bool is_again = cause->reminded_ms != 0 && event->now_ms >= cause->reminded_ms &&
                    event->now_ms - cause->reminded_ms < CAUSE_TOGETHER_MS;
    if (is_again)
        return CAUSE_TELL_NOBODY;
    cause->reminded_ms = event->now_ms;
    return tell(cause, event->incident);
}

enum cause_telling cause_note(struct cause *cause, const struct cause_event *event)
{
    switch (event->kind) {
    case ALERT_EFFECT_OPENED:
        return opened(cause, event);
    case ALERT_EFFECT_ESCALATED:
        cause->ended_ms = 0; /* what a person closed may come back so */
        return is_graver(cause, event->incident) ? tell(cause, event->incident)
                                                 : CAUSE_TELL_NOBODY;
    case ALERT_EFFECT_UPDATED:
        return CAUSE_TELL_NOBODY;
    case ALERT_EFFECT_REMINDED:
        return reminded(cause, event);
    case ALERT_EFFECT_CLOSED:
        return closed(cause, event);
    case ALERT_EFFECT_WITHDRAWN:
        return withdrawn(cause, event);
    }
    return CAUSE_TELL_NOBODY;
}
