// SPDX-License-Identifier: Apache-2.0
/*
 * measured - readings of channels whose rules look further than at the value: gauges are
 * moved, the zone is asked, reasons are found.
 */
#include <math.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/measure.h"
#include "alerts/room.h"
#include "alerts/shared.h"

#define STEP (1u << ALERT_REASON_PLANNED_STEP)

unsigned rule_unless(const struct rule *rule)
{
    return rule->is_safety ? rule->unless : rule->unless | 1u << ALERT_REASON_OFF_DUTY;
}

/* NULL when nothing of the zone matters to its rules. */
static struct room *room_of(struct alerts *alerts, struct plan *plan)
{
    if (plan->needs_room && plan->room == NULL)
        plan->room = room_make(alerts, plan->zone);
    return plan->room;
}

unsigned reasons_of_air(const struct air_verdict *air)
{
    if (air == NULL)
        return 0;
    switch (air->phase) {
    case AIR_DOOR:
        return 1u << ALERT_REASON_DOOR;
    case AIR_DEFROST:
        return 1u << ALERT_REASON_DEFROST;
    case AIR_RECOVERING: /* it is on its way back from either */
        return 1u << ALERT_REASON_DOOR | 1u << ALERT_REASON_DEFROST;
    default:
        return 0;
    }
}

/* When a door or defrost ended last, by its signal or as the air recovers from it. */
static int64_t ended_at(const struct room *room, const struct air_verdict *air,
                        int64_t time_ms)
{
    int64_t ended_ms = room != NULL ? room_ended(room, time_ms) : TIME_NONE;
    if (air == NULL || !(air->recovery_min > 0))
        return ended_ms;
    int64_t since_ms = time_ms - (int64_t)(air->recovery_min * (double)MEASURE_MINUTE_MS);
    return since_ms > ended_ms ? since_ms : ended_ms;
}

/* no_recovery: nothing is counted, and no door or defrost whose end would be seen. */
static bool sees_no_end(const struct source *source, const struct rule *rule,
                        const struct sample *sample)
{
    const struct watch *watch = watch_find(source, rule);
    bool is_open = watch != NULL &&
                   (watch->hold == NULL || watch->hold->reason != ALERT_REASON_SPARSE);
    if (rule->kind != ALERT_NO_RECOVERY || sample->measure > 0 || is_open)
        return false;
    struct air_signals signals = room_signals(source->plan->room, sample->time_ms);
    return signals.door == AIR_UNKNOWN && signals.defrost == AIR_UNKNOWN;
}

/* It says nothing because there is nothing to be seen in readings so far apart. */
static bool is_sparse(const struct source *source, const struct rule *rule,
                      const struct moment *moment, const struct sample *sample)
{
    if (moment->air == NULL || moment->air->why != AIR_WHY_SPARSE ||
        !rule_is_of_shapes(rule))
        return false;
    return isnan(sample->measure) || sees_no_end(source, rule, sample);
}

/* A gauge that began anew under an open incident knows that it lasts when it is past
 * again, and that it is over when it has looked back over all of its window. */
static bool is_blind(const struct source *source, const struct rule *rule,
                     const struct moment *moment, double measure)
{
    struct watch *watch = watch_find(source, rule);
    if (watch == NULL || watch->firing == NULL)
        return false;
    int64_t back_ms = moment->is_new ? measure_looks_back(rule) : 0;
    if (back_ms > 0)
        watch->blind_ms = back_ms < TIME_LIMIT_MS - moment->time_ms
                              ? moment->time_ms + back_ms
                              : TIME_LIMIT_MS;
    if (moment->time_ms >= watch->blind_ms || level_is_past(rule, 0, measure))
        watch->blind_ms = TIME_NONE;
    return watch->blind_ms != TIME_NONE;
}

static void judge_rule(struct alerts *alerts, struct source *source, size_t index,
                       struct moment *moment, struct sample *sample,
                       const struct alert_sink *sink)
{
    struct rule *rule = source->plan->rules[index];
    const struct gauge_kind *kind = measure_kind(rule);
    moment->is_held = sample->reasons != 0;
    moment->is_kept = false;
    moment->low = moment->high = 0;
    moment->begun_ms = TIME_NONE;
    sample->measure = moment->value;
    if (kind != NULL) {
        bool is_new;
        void *gauge = gauge_of_rule(alerts, source, kind, index, &is_new);
        moment->is_new = is_new;
        moment->before_ms = is_new ? moment->time_ms : sample->before_ms;
        moment->stood_ms = is_new ? 0 : sample->stood_ms;
        sample->measure = kind->step(gauge, rule, moment);
        if (source->watches != NULL && is_blind(source, rule, moment, sample->measure))
            sample->measure = (double)NAN;
    }
    sample->begun_ms = moment->begun_ms;
    sample->low = moment->low;
    sample->high = moment->high;
    sample->is_kept = moment->is_held && moment->is_kept;
    sample->kept = moment->value;
    if (sink->measured != NULL)
        sink->measured(sink->context, rule->id, sample->measure);
    bool sparse = is_sparse(source, rule, moment, sample);
    if (sparse) {
        sample->reasons |= 1u << ALERT_REASON_SPARSE;
        sample->apart_min = moment->air->apart_min;
    }
    if (sparse || isnan(sample->measure))
        threshold_skip(alerts, source, rule, sample, sink);
    else
        threshold_step(alerts, source, rule, sample, sink);
}

/* Whether a band of the zone is about it. */
static bool is_of_band(const char *quantity)
{
    static const char *const names[] = {"air_temperature", "return_temperature",
                                        "product_temperature", "pulp_temperature"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], quantity) == 0)
            return true;
    return false;
}

/* What the zone says of this reading; returns the reasons that hold. */
static unsigned ask_room(struct alerts *alerts, struct source *source, struct room *room,
                         const struct alert_reading *reading, struct moment *moment)
{
    const struct plan *plan = source->plan;
    if (plan->role != ROLE_NONE && !source->is_derived)
        room_hear(alerts, room, (enum room_role)plan->role, reading);
    if (plan->is_compared)
        moment->others = room_others(room, reading);
    unsigned reasons = room_reasons(room, reading->time_ms);
    const struct room_stretch *empty = room_empty(room, reading->time_ms);
    if (empty != NULL) {
        moment->empty_ms = empty->from_ms;
        moment->is_asked = empty->is_asked;
    }
    if (room->settings.has_band && is_of_band(plan->quantity)) {
        moment->band_low = room->settings.band_low_C;
        moment->band_high = room->settings.band_high_C;
    }
    if ((reasons & STEP) != 0)
        room_step_band(room, reading->time_ms, &moment->step_low, &moment->step_high);
    return reasons;
}

/* The moment, and the reasons that hold. */
static unsigned look_around(struct alerts *alerts, struct source *source,
                            const struct alert_reading *reading, struct moment *moment,
                            struct air_verdict *verdict)
{
    struct room *room = room_of(alerts, source->plan);
    *moment = (struct moment){.time_ms = reading->time_ms,
                              .value = reading->value,
                              .empty_ms = TIME_NONE,
                              .step_low = -HUGE_VAL,
                              .step_high = HUGE_VAL,
                              .band_low = (double)NAN,
                              .band_high = (double)NAN,
                              .life_pct = (double)NAN,
                              .others = (double)NAN,
                              .quantity = source->plan->registered};
    unsigned reasons = room != NULL ? ask_room(alerts, source, room, reading, moment) : 0;
    moment->is_explained =
        (reasons & (1u << ALERT_REASON_DOOR | 1u << ALERT_REASON_DEFROST)) != 0;
    if (source->plan->wants_air && !source->is_derived) {
        *verdict = shared_air(alerts, source, room, reading);
        moment->air = verdict;
        moment->is_explained |=
            verdict->phase == AIR_DOOR || verdict->phase == AIR_DEFROST;
    }
    if (source->plan->wants_life)
        moment->life_pct = shared_life(alerts, source, room, reading).left_pct;
    moment->ended_ms = ended_at(room, moment->air, reading->time_ms);
    return reasons | reasons_of_air(moment->air);
}

/* What the step allows on the side to which the rule looks; infinite: everything. */
static double step_bound(const struct rule *rule, const struct moment *moment,
                         bool *is_above)
{
    *is_above = true;
    if (!is_of_band(rule->quantity))
        return HUGE_VAL;
    switch ((enum alert_kind)rule->kind) {
    case ALERT_ABOVE:
    case ALERT_CUMULATIVE_ABOVE:
    case ALERT_DOSE_ABOVE:
    case ALERT_NO_RECOVERY:
        return moment->step_high;
    case ALERT_BELOW:
    case ALERT_CUMULATIVE_BELOW:
    case ALERT_DOSE_BELOW:
        *is_above = false;
        return moment->step_low;
    default:
        return HUGE_VAL;
    }
}

/* A step excuses no more than it was planned to be. */
static void heed_step(const struct rule *rule, const struct moment *moment,
                      struct sample *sample)
{
    bool is_above;
    sample->is_in_step = false;
    if ((sample->reasons & STEP) == 0)
        return;
    double bound = step_bound(rule, moment, &is_above);
    if (!isfinite(bound))
        return;
    if (is_above ? moment->value > bound : moment->value < bound)
        sample->reasons &= ~STEP;
    else
        sample->is_in_step = alert_kind_is_value((enum alert_kind)rule->kind);
}

static void note_asked(struct alerts *alerts, struct room *room, struct moment *moment)
{
    room_empty(room, moment->time_ms)->is_asked = true;
    room_touch(alerts, room);
    moment->is_asked = true;
    moment->asks = false;
}

/* What only gauges ask. */
static int64_t stood_for(struct source *source, int64_t before_ms, int64_t time_ms)
{
    if (source->gauges == NULL)
        return 0;
    return pace_step(&source->gauges->usual_ms, before_ms, time_ms);
}

void measured_reading(struct alerts *alerts, struct source *source,
                      const struct alert_reading *reading, int64_t before_ms,
                      const struct alert_sink *sink)
{
    struct plan *plan = source->plan;
    struct moment moment;
    struct air_verdict verdict;
    struct product product;
    unsigned reasons = look_around(alerts, source, reading, &moment, &verdict);
    if (plan->has_goods) { /* before the rules: what they tell of says how warm */
        product = shared_product(alerts, source, plan->room, reading);
        room_note_air(alerts, plan->room, reading, &product);
    }
    struct sample sample = {.time_ms = reading->time_ms,
                            .arrival_ms = reading->arrival_ms,
                            .before_ms = before_ms,
                            .stood_ms = stood_for(source, before_ms, reading->time_ms)};
    for (size_t i = 0; i < plan->count; i++) {
        const struct rule *rule = plan->rules[i];
        if (rule_is_silence(rule))
            continue;
        moment.value = rule_value(rule, reading);
        sample.reasons = reasons & rule_unless(rule);
        heed_step(rule, &moment, &sample);
        judge_rule(alerts, source, i, &moment, &sample, sink);
        if (moment.asks)
            note_asked(alerts, plan->room, &moment);
    }
    if (plan->derives != 0 && !source->is_derived)
        derive_reading(alerts, source, reading, &product, sink);
}
