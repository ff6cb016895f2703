// SPDX-License-Identifier: Apache-2.0
/*
 * story - an engine whose effects are written down as one line of text, for tests that
 * read like a log: "opened warning open 60>60 9; ..." is the effect, severity, state,
 * onset>opened (or back>closed), and value. Times are seconds from T0, given and written.
 */
#ifndef COLDCHAIN_TESTS_UNIT_ALERTS_STORY_H
#define COLDCHAIN_TESTS_UNIT_ALERTS_STORY_H

#include <inttypes.h>
#include <math.h>

#include "alerts/alerts.h"
#include "base/buf.h"
#include "tests/support/check.h"

#define T0 INT64_C(1657195200000)

struct story {
    struct alerts *alerts;
    struct alert_sink sink;
    struct buf log;
    struct incident last; /* of the last effect */
    size_t count;         /* effects */
};

static inline int64_t story_s(int64_t time_ms)
{
    return time_ms == 0 ? 0 : (time_ms - T0) / 1000;
}

static inline void story_effect(void *context, enum alert_effect_kind kind,
                                const struct incident *incident)
{
    struct story *story = context;
    bool is_closed = kind == ALERT_EFFECT_CLOSED;
    buf_format(
        &story->log, "%s%s %s %s %" PRId64 ">%" PRId64 " %g",
        story->log.len > 0 ? "; " : "", alert_effect_name(kind),
        alert_severity_name(incident->severity), incident_state_name(incident->state),
        story_s(is_closed ? incident->back_ms : incident->onset_ms),
        story_s(is_closed ? incident->closed_ms : incident->opened_ms), incident->value);
    story->last = *incident;
    story->count++;
}

static inline void story_begin(struct story *story)
{
    *story = (struct story){.alerts = alerts_create()};
    story->sink = (struct alert_sink){.context = story, .effect = story_effect};
}

static inline void story_rules(struct story *story, const struct alert_rule *rules,
                               size_t count)
{
    struct err_text why = {""};
    enum err err = alerts_set_rules(story->alerts, rules, count, T0, &why);
    CHECK_TEXT(why.text, "");
    CHECK(err == ERR_OK);
}

static inline void story_end(struct story *story)
{
    alerts_destroy(story->alerts);
    buf_fini(&story->log);
}

/* What happened since the last call. */
static inline const char *story_told(struct story *story)
{
    static char text[4000];
    snprintf(text, sizeof text, "%s", story->log.len > 0 ? story->log.data : "");
    buf_clear(&story->log);
    return text;
}

static inline struct alert_reading story_reading(const char *channel, int64_t at_s,
                                                 double value)
{
    return (struct alert_reading){
        .zone = "room-1",
        .device = "dev-1",
        .channel = channel,
        .quantity = "air_temperature",
        .time_ms = T0 + at_s * 1000,
        .arrival_ms = T0 + at_s * 1000,
        .value = value,
    };
}

static inline void story_read(struct story *story, int64_t at_s, double value)
{
    struct alert_reading reading = story_reading("air_temperature", at_s, value);
    alerts_reading(story->alerts, &reading, &story->sink);
}

static inline void story_bad(struct story *story, int64_t at_s)
{
    struct alert_reading reading = story_reading("air_temperature", at_s, NAN);
    reading.quality = QUALITY_OPEN;
    alerts_reading(story->alerts, &reading, &story->sink);
}

static inline void story_tick(struct story *story, int64_t at_s)
{
    alerts_tick(story->alerts, T0 + at_s * 1000, &story->sink);
}

/* Above `level` with delays in seconds; recovers below `recovery`. */
static inline struct alert_rule rule_above(const char *id, double level, double recovery,
                                           int64_t delay_s, int64_t recovery_delay_s)
{
    struct alert_rule rule = {
        .zone = "room-1",
        .quantity = "air_temperature",
        .kind = ALERT_ABOVE,
        .level_count = 1,
        .levels = {{.severity = ALERT_WARNING,
                    .level = level,
                    .delay_ms = delay_s * 1000,
                    .recovery_level = recovery,
                    .recovery_delay_ms = recovery_delay_s * 1000}},
    };
    snprintf(rule.id, sizeof rule.id, "%s", id);
    return rule;
}

/* Mirrors a rule above at 0. */
static inline struct alert_rule rule_mirrored(struct alert_rule rule)
{
    rule.kind = ALERT_BELOW;
    for (size_t i = 0; i < rule.level_count; i++) {
        rule.levels[i].level = -rule.levels[i].level;
        rule.levels[i].recovery_level = -rule.levels[i].recovery_level;
    }
    return rule;
}

static inline void rule_add_critical(struct alert_rule *rule, double level,
                                     double recovery, int64_t delay_s,
                                     int64_t recovery_delay_s)
{
    rule->levels[rule->level_count++] = (struct alert_level){
        .severity = ALERT_CRITICAL,
        .level = level,
        .delay_ms = delay_s * 1000,
        .recovery_level = recovery,
        .recovery_delay_ms = recovery_delay_s * 1000,
    };
}

static inline struct alert_rule rule_silent(const char *id, enum alert_kind kind,
                                            int64_t silent_s)
{
    struct alert_rule rule = {
        .zone = "room-1",
        .kind = kind,
        .silent_ms = silent_s * 1000,
        .silent_severity = ALERT_CRITICAL,
    };
    snprintf(rule.id, sizeof rule.id, "%s", id);
    return rule;
}

#endif
