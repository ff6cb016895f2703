// SPDX-License-Identifier: Apache-2.0
#include "alerts/air.h"

#include <math.h>
#include <string.h>

#include "alerts/air_envelope.h"

#define MINUTE_MS    60000.0
#define FAST_MIN     1.0 /* what is compared with the envelope is smoothed over that */
#define SLOW_MIN     3.0 /* the rate comes from the difference of both */
#define APART_SHARE  0.1 /* of the last gap in the usual one */
#define VALUE_MOST_C 300.0
#define SETTLED_MS   ((int64_t)10 * 60 * 1000) /* inside, and worth learning */
#define BACK_MS      ((int64_t)5 * 60 * 1000)  /* inside, and the excursion is over */
/* Rising as only heated air does. */
#define HEATED_RATIO 1.2  /* of the fastest rise without cooling */
#define WIDTH_MIN    15.0 /* nothing unheated crosses the envelope in less */
#define DOOR_RATIO   6.0  /* of what is heated */
/* A door's rise fades, a heater's goes on. */
#define NAMED_MIN    3.0 /* so long a door may take to show its speed */
#define RENAMED_MIN  12.0
#define STEADY_SHARE 0.8 /* of the top rate, which is forgotten with */
#define LEAK_MIN     8.0
/* How long it may take until the air falls back: */
#define LONG_MIN       8.0 /* what rose so long is a defrost: as long as one takes */
#define AFTER_RATIO    2.0 /* else so many times as long as it rose, at least */
#define AFTER_MIN      8.0
#define AFTER_MOST_MIN ((double)AIR_DOOR_MS / MINUTE_MS)
/* Falling back. */
#define FALLEN_SHARE 0.1 /* of the way: the door is shut, the defrost over */
#define FALLEN_K     0.15
#define COOLED_SHARE 0.4  /* of the fastest fall of earlier cycles: something cools */
#define LOW_MIN      45.0 /* as long as below the envelope proves nothing */
#define PATIENCE_MIN 15.0 /* without a sign of cooling */
/* Just above the top for so long that no thermostat lets it. */
#define EXCESS_KMIN   1.0
#define EXCESS_BACK_K 0.1
/* By signals. */
#define RUNNING_MIN  30.0 /* a compressor may run while the air comes no nearer */
#define NEARER_K     0.1
#define RECOVERIES   4     /* as long as so many of the longest */
#define LONG_OUT_MIN 480.0 /* or, where none is said, as that, */
#define ALOOF_MIN    180.0 /* of which so long no nearer than before, whatever doors */
#define DARK_MIN     20.0  /* mains are gone: they come back, or mains_lost tells */
#define STILL_WEIGHT 2.0   /* a minute of a compressor that should run */
#define REST_MIN     4.0   /* it does not start again at once */

/* What one reading is judged with. */
struct step {
    struct air_state *state;
    const struct air_settings *settings;
    const struct air_signals *signals;
    int64_t time_ms;
    double gap_min;
    bool is_anew; /* the first one, or the first after a gap */
    double rate;  /* K/min */
};

static bool is_known(const struct air_state *state)
{
    return state->slot_count >= AIR_KNOWN;
}

static double minutes_between(int64_t from_ms, int64_t to_ms)
{
    return (double)(to_ms - from_ms) / MINUTE_MS;
}

static bool is_sparse(const struct air_state *state)
{
    return (double)state->apart_min * MINUTE_MS > (double)AIR_SPARSE_MS;
}

static void space_out(struct air_state *state, double gap_min)
{
    double share = state->apart_min > 0 ? APART_SHARE : 1;
    state->apart_min += (float)((gap_min - (double)state->apart_min) * share);
}

static void smooth(struct step *step, double value_C)
{
    struct air_state *state = step->state;
    if (step->is_anew) {
        /* After one gap it is as it was; of readings that are all gaps it is the cadence.
         */
        if (state->last_ms != 0 && state->fast == state->slow)
            space_out(state, fmin(step->gap_min, (double)AIR_GAP_MS / MINUTE_MS));
        state->fast = state->slow = (float)value_C;
        state->heated = 0;
        state->heated_ms = state->hot_ms = 0;
        state->cooled_ms = 0;
        state->excess_Kmin = state->slack_min = state->dark_min = state->still_min = 0;
        return;
    }
    double gap_min = step->gap_min;
    state->fast += (float)((value_C - (double)state->fast) * -expm1(-gap_min / FAST_MIN));
    state->slow += (float)((value_C - (double)state->slow) * -expm1(-gap_min / SLOW_MIN));
    space_out(state, gap_min);
    step->rate = (double)(state->fast - state->slow) / (SLOW_MIN - FAST_MIN);
}

/* How far beyond the edge of that side; negative inside. */
static double beyond(const struct air_state *state, int side)
{
    double edge = side > 0 ? state->envelope.most : state->envelope.least;
    return side * ((double)state->fast - edge / AIR_PER_K);
}

/* Far enough beyond the envelope, or long enough just above it; 0: inside. */
static int side_of(struct step *step)
{
    struct air_state *state = step->state;
    double margin_K = air_margin(&state->envelope);
    double above_K = beyond(state, 1);
    double excess_Kmin = (double)state->excess_Kmin + above_K * step->gap_min;
    bool is_low = above_K < -EXCESS_BACK_K || step->is_anew;
    state->excess_Kmin = is_low ? 0 : (float)fmin(fmax(excess_Kmin, 0), 2 * EXCESS_KMIN);
    if (above_K > margin_K || (double)state->excess_Kmin > EXCESS_KMIN)
        return 1;
    return beyond(state, -1) > margin_K ? -1 : 0;
}

/* For how long a compressor runs while it comes no nearer, by more than noise. */
static void follow_slack(struct step *step, float far)
{
    struct air_state *state = step->state;
    bool is_nearer = far < state->mark - (float)NEARER_K;
    bool is_running = step->signals->compressor == AIR_ON && state->heated == 0;
    if (is_nearer || !is_running)
        state->slack_min = 0;
    else
        state->slack_min += (float)step->gap_min;
    if (is_nearer || far > state->mark)
        state->mark = far;
}

/* By more than noise nearer than it was in all of this time outside. */
static void follow_nearest(struct step *step, float far)
{
    struct air_state *state = step->state;
    bool went_out = state->outside_ms == step->time_ms;
    double way_K = state->nearest / AIR_PER_K - (double)far;
    if (!went_out && !step->is_anew && way_K <= NEARER_K)
        return;
    state->nearest = (int16_t)lround(fmin((double)far, VALUE_MOST_C) * AIR_PER_K);
    double out_min = minutes_between(state->outside_ms, step->time_ms);
    state->nearest_min = (uint16_t)fmin(out_min, UINT16_MAX);
}

/* It went out, or stays there, or came back. */
static void place(struct step *step)
{
    struct air_state *state = step->state;
    if (state->side != 0 && beyond(state, state->side) < 0) {
        state->side = 0;
        state->inside_ms = step->time_ms;
    }
    int side = side_of(step);
    if (side != 0 && side != state->side) {
        state->side = (int8_t)side;
        state->is_above = side > 0;
        state->outside_ms = step->time_ms;
        state->extreme = state->mark = -1;
        state->slack_min = (float)(RUNNING_MIN - PATIENCE_MIN);
    }
    if (state->side == 0) {
        if (step->time_ms - state->inside_ms >= BACK_MS)
            state->unexplained_min = 0;
        return;
    }
    float far = (float)beyond(state, state->side);
    if (far > state->extreme || step->is_anew)
        state->extreme = state->best = far;
    state->best = fminf(state->best, far);
    follow_slack(step, far);
    follow_nearest(step, far);
    double least_rate = COOLED_SHARE * state->envelope.fall / AIR_PER_K;
    if (-step->rate * state->side >= least_rate)
        state->cooled_ms = step->time_ms;
}

static bool is_falling(const struct air_state *state)
{
    double way = fmax(FALLEN_K, FALLEN_SHARE * (double)state->extreme);
    return (double)(state->extreme - state->best) > way;
}

static int64_t defrost_most_ms(const struct air_settings *settings)
{
    return settings->defrost_most_ms > 0 ? settings->defrost_most_ms : AIR_DEFROST_MS;
}

static bool in_schedule(const struct step *step)
{
    const struct air_settings *settings = step->settings;
    if (settings->defrost_every_ms <= 0)
        return false;
    int64_t into_ms =
        (step->time_ms - settings->defrost_first_ms) % settings->defrost_every_ms;
    if (into_ms < 0)
        into_ms += settings->defrost_every_ms;
    return into_ms < defrost_most_ms(settings);
}

/* By its shape: a door, a defrost, or 0. */
static enum air_phase heated_by_shape(const struct step *step)
{
    const struct air_slot *envelope = &step->state->envelope;
    double width_K = (double)(envelope->most - envelope->least) / AIR_PER_K;
    double least_rate =
        fmax(HEATED_RATIO * envelope->rise / AIR_PER_K, width_K / WIDTH_MIN);
    if (!is_known(step->state) || is_sparse(step->state) || step->rate <= least_rate)
        return 0;
    bool door = step->signals->door == AIR_UNKNOWN;
    bool defrost = step->signals->defrost == AIR_UNKNOWN;
    if (defrost && in_schedule(step))
        return AIR_DEFROST;
    if (door && (!defrost || step->rate > DOOR_RATIO * least_rate))
        return AIR_DOOR;
    return defrost ? AIR_DEFROST : 0;
}

static enum air_phase heated_by_signal(const struct step *step)
{
    if (step->signals->defrost == AIR_ON)
        return AIR_DEFROST;
    return step->signals->door == AIR_ON ? AIR_DOOR : 0;
}

static void begin_heat(struct step *step, enum air_phase heat, bool is_signalled)
{
    struct air_state *state = step->state;
    bool is_other = is_signalled && heat != (enum air_phase)state->heated;
    if (state->heated == 0 || is_other)
        state->heated_ms = step->time_ms;
    /* A door may be slow to show, and what rises for long is none. */
    double rose_min = minutes_between(state->heated_ms, step->time_ms);
    bool is_steady = step->rate >= STEADY_SHARE * (double)state->top_rate;
    bool is_renamed =
        heat == AIR_DOOR ? rose_min <= NAMED_MIN : rose_min >= RENAMED_MIN && is_steady;
    if (state->heated == 0)
        state->top_rate = 0;
    if (state->heated == 0 || is_signalled || is_renamed)
        state->heated = (uint8_t)heat;
    double top_rate = (double)state->top_rate * exp(-step->gap_min / LEAK_MIN);
    state->top_rate = (float)fmax(top_rate, step->rate);
    state->is_signalled = is_signalled;
    state->hot_ms = step->time_ms;
}

static void end_heat(struct step *step)
{
    struct air_state *state = step->state;
    state->heated = 0;
    state->heated_ms = step->time_ms;
}

static void follow_heat(struct step *step)
{
    struct air_state *state = step->state;
    enum air_phase signalled = heated_by_signal(step);
    enum air_phase shaped = heated_by_shape(step);
    bool is_over = state->side == 0 || is_falling(state);
    if (signalled != 0)
        begin_heat(step, signalled, true);
    else if (state->heated != 0 && (state->is_signalled || (is_over && shaped == 0)))
        end_heat(step);
    else if (shaped != 0)
        begin_heat(step, shaped, false);
}

/* The door or the defrost explains that the air is where it is. */
static bool is_explained(const struct step *step)
{
    const struct air_state *state = step->state;
    if (state->heated == 0 || state->is_signalled)
        return state->heated != 0;
    double rose_min = minutes_between(state->heated_ms, state->hot_ms);
    double since_min = minutes_between(state->hot_ms, step->time_ms);
    if (since_min < fmin(fmax(AFTER_RATIO * rose_min, AFTER_MIN), AFTER_MOST_MIN))
        return true;
    bool is_door = state->heated == AIR_DOOR || rose_min < LONG_MIN;
    int64_t most_ms =
        is_door ? step->settings->door_most_ms : defrost_most_ms(step->settings);
    return step->time_ms - state->heated_ms < most_ms;
}

/* It stands still above the envelope: in a defrost, or by a switch at the door, it may.
 */
static bool is_still(const struct step *step)
{
    const struct air_state *state = step->state;
    bool may_rest = state->heated != 0 && (double)state->still_min <= REST_MIN;
    return state->side > 0 && step->signals->compressor == AIR_OFF &&
           step->signals->mains != AIR_OFF && !may_rest;
}

static void follow_signals(struct step *step)
{
    struct air_state *state = step->state;
    float gap_min = step->is_anew ? 0 : (float)step->gap_min;
    /* Between readings that are far apart it may have run. */
    float stood_min = fminf(gap_min, (float)((double)AIR_SPARSE_MS / MINUTE_MS));
    state->still_min = is_still(step) ? state->still_min + stood_min : 0;
    state->dark_min = step->signals->mains == AIR_OFF ? state->dark_min + gap_min : 0;
}

/* Nothing cools, whatever the shape. */
static bool is_broken(const struct step *step)
{
    const struct air_state *state = step->state;
    return state->side > 0 &&
           ((double)state->dark_min > DARK_MIN || (double)state->still_min > REST_MIN);
}

/* It fell back after a door or a defrost, but should be inside by now. */
static bool is_overdue(const struct step *step)
{
    const struct air_state *state = step->state;
    int64_t most_ms = step->settings->recovery_most_ms;
    return most_ms > 0 && state->heated == 0 && state->heated_ms >= state->outside_ms &&
           step->time_ms - state->heated_ms >= most_ms;
}

/* Whatever doors there were meanwhile. Warm goods take long, but the air comes nearer. */
static bool is_long_outside(const struct step *step)
{
    const struct air_state *state = step->state;
    int64_t most_ms = RECOVERIES * step->settings->recovery_most_ms;
    if (most_ms > 0)
        return step->time_ms - state->outside_ms > most_ms;
    double out_min = minutes_between(state->outside_ms, step->time_ms);
    return out_min > LONG_OUT_MIN && out_min - state->nearest_min > ALOOF_MIN;
}

/* Minutes for which nothing heated it and nothing cooled it. */
static double waited_min(const struct step *step)
{
    const struct air_state *state = step->state;
    int64_t since_ms =
        state->hot_ms > state->cooled_ms ? state->hot_ms : state->cooled_ms;
    if (is_overdue(step))
        since_ms = state->heated_ms;
    if (state->side < 0)
        since_ms = step->time_ms;
    return minutes_between(since_ms > state->outside_ms ? since_ms : state->outside_ms,
                           step->time_ms);
}

static bool is_coming_back(const struct step *step)
{
    const struct air_state *state = step->state;
    if (state->side < 0) /* before and after a defrost many run for longer */
        return minutes_between(state->outside_ms, step->time_ms) < LOW_MIN;
    if (step->signals->mains == AIR_OFF || step->signals->compressor == AIR_OFF)
        return true; /* unless it is broken */
    if (step->signals->compressor == AIR_ON && state->heated == 0)
        return (double)state->slack_min < RUNNING_MIN && !is_long_outside(step);
    bool was_heated = state->hot_ms >= state->outside_ms - SETTLED_MS ||
                      state->cooled_ms >= state->outside_ms;
    return state->heated == 0 && was_heated && waited_min(step) < PATIENCE_MIN &&
           !is_overdue(step);
}

/* Shapes cannot be told, and nothing else tells. */
static bool is_blind(const struct air_state *state, const struct air_signals *signals)
{
    bool has_signal = signals->compressor != AIR_UNKNOWN ||
                      (signals->door != AIR_UNKNOWN && signals->defrost != AIR_UNKNOWN);
    return is_sparse(state) && !has_signal;
}

static enum air_phase phase_of(struct step *step)
{
    struct air_state *state = step->state;
    if (!is_known(state) || is_blind(state, step->signals))
        return AIR_UNAVAILABLE;
    if (is_broken(step))
        return AIR_FAILING;
    if (is_explained(step))
        return (enum air_phase)state->heated;
    if (state->side == 0)
        return AIR_STEADY;
    return is_coming_back(step) ? AIR_RECOVERING : AIR_FAILING;
}

/* When that began of which there are unexplained minutes. */
static int64_t outside_since(const struct air_state *state)
{
    double counted_min = (double)state->unexplained_min;
    if (STILL_WEIGHT * (double)state->still_min >= counted_min)
        counted_min = (double)state->still_min;
    int64_t since_ms = state->last_ms - (int64_t)(counted_min * MINUTE_MS);
    bool is_outside_longer = state->side != 0 && state->outside_ms < since_ms;
    return is_outside_longer ? state->outside_ms : since_ms;
}

struct air_verdict air_last(const struct air_state *state,
                            const struct air_signals *signals)
{
    bool known = is_known(state);
    const struct air_slot *envelope = &state->envelope;
    struct air_verdict verdict = {
        .phase = (enum air_phase)state->phase,
        .since_ms = state->since_ms,
        .unexplained_min = (double)state->unexplained_min,
        .outside_ms = outside_since(state),
        .door = signals->door,
        .defrost = signals->defrost,
        .is_signalled = state->heated != 0 && state->is_signalled,
        .is_above = state->is_above,
        .apart_min = (double)state->apart_min,
        .least = known ? envelope->least / AIR_PER_K : (double)NAN,
        .most = known ? envelope->most / AIR_PER_K : (double)NAN,
    };
    double heated_min = minutes_between(state->heated_ms, state->last_ms);
    if (verdict.phase == AIR_UNAVAILABLE)
        verdict.why =
            known || is_blind(state, signals) ? AIR_WHY_SPARSE : AIR_WHY_LEARNING;
    if (state->heated == AIR_DOOR)
        verdict.door_min = heated_min;
    else if (state->heated == AIR_DEFROST)
        verdict.defrost_min = heated_min;
    else if (state->side != 0 && state->heated_ms >= state->outside_ms)
        verdict.recovery_min = heated_min;
    return verdict;
}

static void learn(struct step *step)
{
    struct air_state *state = step->state;
    bool is_signalled = state->heated != 0 && state->is_signalled;
    bool is_calm = state->side == 0 && !is_signalled && !step->is_anew &&
                   (!is_known(state) || step->time_ms - state->inside_ms >= SETTLED_MS);
    if (is_calm)
        air_learn(state, step->gap_min, step->rate);
    else
        air_unlearn(state);
    if (!step->is_anew && state->side != 0)
        state->idle_min += (float)step->gap_min;
    bool is_idle = (double)state->idle_min * MINUTE_MS > (double)AIR_RELEARN_MS;
    if (is_known(state) && is_idle && !step->signals->is_told)
        air_forget(state);
}

/* What was waited for did not come: that time is unexplained, too. */
static void enter(struct step *step, enum air_phase phase)
{
    struct air_state *state = step->state;
    enum air_phase before = (enum air_phase)state->phase;
    if (phase == AIR_FAILING && !step->is_anew)
        state->unexplained_min +=
            (float)(before == AIR_STEADY || before == AIR_FAILING ? step->gap_min
                                                                  : waited_min(step));
    if ((double)state->still_min > REST_MIN)
        state->unexplained_min =
            fmaxf(state->unexplained_min, (float)STILL_WEIGHT * state->still_min);
    if (phase == before)
        return;
    state->phase = (uint8_t)phase;
    state->since_ms = step->time_ms;
}

static const struct air_settings nothing_declared = {0};

struct air_verdict air_judge(struct air_state *state, const struct air_settings *settings,
                             int64_t time_ms, double value_C,
                             const struct air_signals *signals)
{
    if (!(fabs(value_C) <= VALUE_MOST_C) ||
        (state->last_ms != 0 && time_ms <= state->last_ms))
        return air_last(state, signals);
    if (state->last_ms == 0)
        state->since_ms = time_ms;
    struct step step = {.state = state,
                        .settings = settings != NULL ? settings : &nothing_declared,
                        .signals = signals,
                        .time_ms = time_ms,
                        .gap_min = (double)(time_ms - state->last_ms) / MINUTE_MS,
                        .is_anew =
                            state->last_ms == 0 || time_ms - state->last_ms > AIR_GAP_MS};
    smooth(&step, value_C);
    state->last_ms = time_ms;
    if (is_known(state))
        place(&step);
    follow_heat(&step);
    follow_signals(&step);
    enter(&step, phase_of(&step));
    learn(&step);
    return air_last(state, signals);
}

void air_rewind(struct air_state *state, int64_t time_ms)
{
    int64_t *const times[] = {&state->last_ms,  &state->since_ms,   &state->heated_ms,
                              &state->hot_ms,   &state->outside_ms, &state->cooled_ms,
                              &state->inside_ms};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (*times[i] > time_ms)
            *times[i] = time_ms;
}

void air_forget(struct air_state *state)
{
    *state = (struct air_state){.last_ms = state->last_ms,
                                .since_ms = state->last_ms,
                                .fast = state->fast,
                                .slow = state->slow,
                                .apart_min = state->apart_min};
}
