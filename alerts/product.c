// SPDX-License-Identifier: Apache-2.0
#include "alerts/product.h"

#include <math.h>

#define HOUR_MS       3600000.0
#define VALUE_MOST_C  300.0
#define PULP_ERROR_K  0.5
#define STRETCH_MS    ((int64_t)30 * 60 * 1000)
#define PULL_LEAST    0.25 /* K h in a stretch: less teaches nothing but noise */
#define FADE          0.98 /* of the weight of older stretches with each new one */
#define WEIGHT_LEAST  6.0  /* stretches before a fit is believed */
#define ERRORS        2.0
#define SYSTEMATIC    0.1 /* of the slope: the pulp moves between two of its readings */
#define TAU_LEAST_H   0.05
#define TAU_MOST_H    200.0
#define STATE_VERSION 2
#define VERSION_ALONE 1 /* 0.1: no loads */
#define JOINED_K      0.1

bool product_takes(double celsius)
{
    return fabs(celsius) <= VALUE_MOST_C; /* not of NaN */
}

/* 1 / tau with its error, by least squares through the origin. */
static bool fit(const struct product_state *state, struct thermal_body *body)
{
    if (state->weight < WEIGHT_LEAST || !(state->sum_xx > 0))
        return false;
    double slope = state->sum_xy / state->sum_xx;
    double left = fmax(state->sum_yy - slope * state->sum_xy, 0);
    double error = sqrt(left / (state->weight - 1) / state->sum_xx);
    double within = ERRORS * error + SYSTEMATIC * slope;
    double least = slope - within, most = slope + within;
    if (!(least > 1 / TAU_MOST_H) || !(most < 1 / TAU_LEAST_H))
        return false;
    *body = (struct thermal_body){
        .tau_h = 1 / slope, .fastest_h = 1 / most, .slowest_h = 1 / least};
    return true;
}

static struct thermal_body body_of(const struct product_state *state,
                                   const struct product_settings *settings)
{
    struct thermal_body body = settings->body;
    (void)fit(state, &body);
    return body;
}

static struct thermal entry(const struct product_settings *settings, double air_C)
{
    if (isnan(settings->entry_low_C) || isnan(settings->entry_high_C))
        return thermal_known(air_C, 0);
    return thermal_unknown(settings->entry_low_C, settings->entry_C,
                           settings->entry_high_C);
}

/* ---- loads ------------------------------------------------------------------------ */

static bool is_same(const struct product_entry *a, const struct product_entry *b)
{
    return a->from_ms == b->from_ms && a->entry_C == b->entry_C;
}

static const struct product_load *find_load(const struct product_state *state,
                                            const struct product_entry *entry)
{
    for (size_t i = 0; i < state->load_count; i++)
        if (is_same(&state->loads[i].entry, entry))
            return &state->loads[i];
    return NULL;
}

/* Those of the settings only: as many as these are, and in their order. */
static void take_loads(struct product_state *state,
                       const struct product_settings *settings, int64_t time_ms)
{
    struct product_load kept[PRODUCT_LOADS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < settings->load_count && i < PRODUCT_LOADS_MAX; i++) {
        const struct product_entry *entry = &settings->loads[i];
        const struct product_load *known = find_load(state, entry);
        if (known != NULL)
            kept[count++] = *known;
        else if (entry->from_ms <= time_ms && product_takes(entry->entry_C))
            kept[count++] = (struct product_load){
                .entry = *entry, .at_ms = entry->from_ms, .C = entry->entry_C};
    }
    for (size_t i = 0; i < count; i++)
        state->loads[i] = kept[i];
    state->load_count = count;
}

/* The air was `air_C` from the reading before until now. */
static void move_loads(struct product_state *state, const struct thermal_body *body,
                       double air_C, int64_t time_ms)
{
    for (size_t i = 0; i < state->load_count; i++) {
        struct product_load *load = &state->loads[i];
        double hours = (double)(time_ms - load->at_ms) / HOUR_MS;
        struct thermal core = thermal_known(load->C, 0);
        if (!load->is_joined)
            (void)thermal_step(&core, body, air_C, hours);
        load->C = core.mid;
        load->at_ms = time_ms;
        load->is_joined |= fabs(load->C - state->core.mid) <= JOINED_K;
    }
}

/*
 * A probe tells of what it stands in: the load that is as warm as it says, within its
 * error, and nearer to that than the zone's goods are. NULL: it stands in those.
 */
static struct product_load *probed_load(struct product_state *state, double pulp_C,
                                        double error_K)
{
    struct product_load *nearest = NULL;
    double apart_K = fmin(error_K, fabs(state->core.mid - pulp_C));
    for (size_t i = 0; i < state->load_count; i++) {
        struct product_load *load = &state->loads[i];
        if (load->is_joined || fabs(load->C - pulp_C) >= apart_K)
            continue;
        apart_K = fabs(load->C - pulp_C);
        nearest = load;
    }
    return nearest;
}

/* ---- the zone --------------------------------------------------------------------- */

/* The pulp as the probe last said it: it moves slowly beside the air. */
static void pull(struct product_state *state, double hours)
{
    if (state->stretch_ms != 0)
        state->pulled_K_h += (state->air_C - state->pulp_C) * hours;
}

void product_air(struct product_state *state, const struct product_settings *settings,
                 int64_t time_ms, double air_C)
{
    if (!product_takes(air_C) || (state->last_ms != 0 && time_ms <= state->last_ms))
        return;
    double before_C = state->air_C;
    double hours = (double)(time_ms - state->last_ms) / HOUR_MS;
    take_loads(state, settings, time_ms);
    if (state->last_ms == 0) {
        state->core = entry(settings, air_C);
    } else {
        struct thermal_body body = body_of(state, settings);
        bool gap = time_ms - state->last_ms > PRODUCT_GAP_MS;
        double low = gap ? fmin(before_C, air_C) : before_C;
        double high = gap ? fmax(before_C, air_C) : before_C;
        double mid_C = state->core.mid;
        thermal_step_between(&state->core, &body, low, (low + high) / 2, high, hours);
        if (gap) { /* the best guess is what was there last */
            state->core.mid = mid_C;
            state->core.low = fmin(state->core.low, mid_C);
            state->core.high = fmax(state->core.high, mid_C);
        }
        pull(state, hours);
        if (gap)
            state->stretch_ms = 0;
    }
    struct thermal_body body = body_of(state, settings);
    move_loads(state, &body, state->last_ms != 0 ? before_C : air_C, time_ms);
    state->last_ms = time_ms;
    state->air_C = air_C;
}

static void close_stretch(struct product_state *state, double pulp_C)
{
    double x = state->pulled_K_h;
    double y = pulp_C - state->stretch_C;
    if (fabs(x) < PULL_LEAST)
        return;
    state->sum_xx = state->sum_xx * FADE + x * x;
    state->sum_xy = state->sum_xy * FADE + x * y;
    state->sum_yy = state->sum_yy * FADE + y * y;
    state->weight = state->weight * FADE + 1;
}

void product_pulp(struct product_state *state, const struct product_settings *settings,
                  int64_t time_ms, double pulp_C)
{
    if (!product_takes(pulp_C) || (state->pulp_ms != 0 && time_ms <= state->pulp_ms))
        return;
    double error_K = settings->pulp_error_K > 0 ? settings->pulp_error_K : PULP_ERROR_K;
    struct product_load *load = probed_load(state, pulp_C, error_K);
    if (load != NULL)
        load->C = pulp_C;
    else
        (void)thermal_pulp(&state->core, pulp_C, error_K);
    bool goes_on = state->pulp_ms != 0 && time_ms - state->pulp_ms <= PRODUCT_PULP_MS;
    state->pulp_ms = time_ms;
    state->pulp_C = pulp_C;
    if (state->stretch_ms != 0 && goes_on && time_ms - state->stretch_ms < STRETCH_MS)
        return;
    if (state->stretch_ms != 0 && goes_on)
        close_stretch(state, pulp_C);
    state->stretch_ms = state->last_ms != 0 ? time_ms : 0;
    state->stretch_C = pulp_C;
    state->pulled_K_h = 0;
}

void product_rewind(struct product_state *state, int64_t time_ms)
{
    if (state->last_ms > time_ms)
        state->last_ms = time_ms;
    if (state->pulp_ms > time_ms)
        state->pulp_ms = time_ms;
    if (state->stretch_ms > time_ms)
        state->stretch_ms =
            0; /* what was pulled meanwhile, and for how long, is unsure */
    for (size_t i = 0; i < state->load_count; i++)
        if (state->loads[i].at_ms > time_ms)
            state->loads[i].at_ms = time_ms;
}

struct product product_now(const struct product_state *state,
                           const struct product_settings *settings)
{
    struct product product = {.C = state->core, .body = settings->body};
    product.is_fitted = fit(state, &product.body);
    product.is_probed =
        state->pulp_ms != 0 && state->last_ms - state->pulp_ms <= PRODUCT_PULP_MS;
    if (state->last_ms == 0 && state->pulp_ms == 0)
        product.C = (struct thermal){(double)NAN, (double)NAN, (double)NAN};
    product.coldest_C = product.C.mid;
    product.warmest_C = product.C.mid;
    for (size_t i = 0; i < state->load_count; i++)
        if (!state->loads[i].is_joined) {
            product.coldest_C = fmin(product.coldest_C, state->loads[i].C);
            product.warmest_C = fmax(product.warmest_C, state->loads[i].C);
        }
    return product;
}

#define SAVED_NUMBERS 10

/* The numbers in the order in which they are saved. */
static void numbers_of(struct product_state *state, double *numbers[SAVED_NUMBERS])
{
    double *all[SAVED_NUMBERS] = {
        &state->air_C,  &state->core.low,  &state->core.mid,   &state->core.high,
        &state->pulp_C, &state->stretch_C, &state->pulled_K_h, &state->sum_xx,
        &state->sum_xy, &state->sum_yy,
    };
    for (int i = 0; i < SAVED_NUMBERS; i++)
        numbers[i] = all[i];
}

void product_save(struct buf *out, const struct product_state *state)
{
    struct product_state copy = *state;
    double *numbers[SAVED_NUMBERS];
    numbers_of(&copy, numbers);
    buf_u8(out, STATE_VERSION);
    buf_zigzag(out, state->last_ms);
    buf_zigzag(out, state->pulp_ms);
    buf_zigzag(out, state->stretch_ms);
    for (int i = 0; i < SAVED_NUMBERS; i++)
        buf_f64(out, *numbers[i]);
    buf_f64(out, state->weight);
    buf_varint(out, state->load_count);
    for (size_t i = 0; i < state->load_count; i++) {
        buf_zigzag(out, state->loads[i].entry.from_ms);
        buf_f64(out, state->loads[i].entry.entry_C);
        buf_zigzag(out, state->loads[i].at_ms);
        buf_f64(out, state->loads[i].C);
        buf_u8(out, state->loads[i].is_joined);
    }
}

static bool load_loads(struct product_state *state, struct buf_reader *in)
{
    uint64_t count = buf_read_varint(in);
    if (in->failed || count > PRODUCT_LOADS_MAX)
        return false;
    state->load_count = (size_t)count;
    for (size_t i = 0; i < state->load_count; i++) {
        struct product_load *load = &state->loads[i];
        load->entry.from_ms = buf_read_zigzag(in);
        load->entry.entry_C = buf_read_f64(in);
        load->at_ms = buf_read_zigzag(in);
        load->C = buf_read_f64(in);
        load->is_joined = buf_read_u8(in) != 0;
        if (!product_takes(load->entry.entry_C) || !product_takes(load->C))
            return false;
    }
    return !in->failed;
}

enum err product_load(struct product_state *state, struct buf_reader *in)
{
    struct product_state read = {0};
    double *numbers[SAVED_NUMBERS];
    numbers_of(&read, numbers);
    unsigned version = buf_read_u8(in);
    if (version != STATE_VERSION && version != VERSION_ALONE)
        return ERR_CORRUPT;
    read.last_ms = buf_read_zigzag(in);
    read.pulp_ms = buf_read_zigzag(in);
    read.stretch_ms = buf_read_zigzag(in);
    bool ok = true;
    for (int i = 0; i < SAVED_NUMBERS; i++) {
        *numbers[i] = buf_read_f64(in);
        ok = ok && isfinite(*numbers[i]);
    }
    read.weight = buf_read_f64(in);
    ok = ok && read.weight >= 0 && isfinite(read.weight) &&
         read.core.low <= read.core.mid && read.core.mid <= read.core.high;
    ok = ok && (version == VERSION_ALONE || load_loads(&read, in));
    if (in->failed || !ok)
        return ERR_CORRUPT;
    *state = read;
    return ERR_OK;
}
