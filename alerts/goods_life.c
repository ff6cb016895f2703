// SPDX-License-Identifier: Apache-2.0
#include "alerts/goods_life.h"

#include <math.h>
#include <string.h>

#include "alerts/table.h"

#define VERSION  1
#define MOST     1e9                         /* days, or C.h: more is nonsense */
#define LIMIT_MS ((int64_t)1000000000000000) /* of times */

static uint64_t key_of(const struct life_goods *goods)
{
    uint64_t from = (uint64_t)goods->from_ms;
    return table_hash(table_hash_text(0, goods->name), &from, sizeof from);
}

static const struct goods_used *find(const struct life_state *state, uint64_t key)
{
    for (size_t i = 0; i < state->count; i++)
        if (state->used[i].key == key)
            return &state->used[i];
    return NULL;
}

/* What a load of freshness/load.h would know of it. */
static struct load load_of(const struct goods_used *used)
{
    struct load load;
    load_init(&load);
    load.aged_d = used->aged_d;
    load.chilled_fast = used->chilled_fast;
    load.chilled_slow = used->chilled_slow;
    load.beyond_ms = used->is_beyond;
    return load;
}

/* So long at these temperatures. */
static void stay(struct goods_used *used, const struct load_model *model, double warm_C,
                 double cold_C, int64_t ms)
{
    const struct thermal_means warm = {warm_C, warm_C, warm_C};
    const struct thermal_means cold = {cold_C, cold_C, cold_C};
    if (ms <= 0)
        return;
    struct load aged = load_of(used);
    struct load chilled = aged;
    load_stay(&aged, model, &warm, (double)NAN, ms);
    load_stay(&chilled, model, &cold, (double)NAN, ms);
    used->aged_d = aged.aged_d;
    used->chilled_fast = chilled.chilled_fast;
    used->chilled_slow = chilled.chilled_slow;
    used->is_beyond = aged.beyond_ms > 0 || chilled.beyond_ms > 0;
}

/* Of the time from `from_ms` on, what nobody has measured. */
static void assume(struct goods_used *used, const struct life_goods *goods, double at_C,
                   int64_t from_ms, int64_t to_ms)
{
    if (!isnan(at_C))
        stay(used, &goods->model, at_C, at_C, to_ms - from_ms);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* From the reading before, if there was one, to this one. */
static void pass(const struct life_state *state, struct goods_used *used,
                 const struct life_goods *goods, double at_C, int64_t time_ms,
                 double warm_C, double cold_C)
{
    int64_t begin_ms = later(state->last_ms, goods->from_ms);
    int64_t known_ms = later(begin_ms, time_ms - LIFE_GAP_MS);
    if (state->last_ms == 0 || begin_ms >= time_ms)
        return;
    assume(used, goods, at_C, begin_ms, known_ms);
    stay(used, &goods->model, (state->warmest_C + warm_C) / 2,
         (state->coldest_C + cold_C) / 2, time_ms - known_ms);
}

/* It was not known before: since it came in it was as it should be, they say. */
static struct goods_used begin(const struct life_state *state,
                               const struct life_goods *goods, double at_C,
                               int64_t time_ms)
{
    struct goods_used used = {.key = key_of(goods)};
    int64_t to_ms = state->last_ms != 0 ? state->last_ms : time_ms;
    if (goods->from_ms > 0 && goods->from_ms < to_ms)
        assume(&used, goods, at_C, goods->from_ms, to_ms);
    return used;
}

void goods_life_step(struct life_state *state, const struct life_stock *stock,
                     int64_t time_ms, double warmest_C, double coldest_C)
{
    struct goods_used next[LIFE_GOODS_MAX] = {{0}};
    size_t count = stock != NULL ? stock->count : 0;
    /* Nonsense ages nothing: goods of -999 C would have lived for ever, or never. */
    bool is_sane = warmest_C <= LOAD_HOTTEST_C && coldest_C >= LOAD_COLDEST_C;
    if (time_ms <= state->last_ms || !is_sane || isnan(warmest_C) || isnan(coldest_C))
        return;
    for (size_t i = 0; i < count; i++) {
        const struct life_goods *goods = &stock->goods[i];
        const struct goods_used *known = find(state, key_of(goods));
        next[i] = known != NULL ? *known : begin(state, goods, stock->at_C, time_ms);
        if (known != NULL || goods->from_ms > 0)
            pass(state, &next[i], goods, stock->at_C, time_ms, warmest_C, coldest_C);
        state->has_judged |= goods->model.has_life;
    }
    memcpy(state->used, next, sizeof next);
    state->count = (uint8_t)count;
    state->last_ms = time_ms;
    state->warmest_C = warmest_C;
    state->coldest_C = coldest_C;
}

void goods_life_rewind(struct life_state *state, int64_t time_ms)
{
    if (state->last_ms > time_ms)
        state->last_ms = time_ms;
}

static void add_days(struct goods_life *verdict, const struct life_state *state,
                     const struct life_stock *stock, const struct load *load)
{
    verdict->at_C = isnan(stock->at_C) ? state->warmest_C : stock->at_C;
    struct life life = life_of(load, &verdict->goods->model, verdict->at_C, (double)NAN);
    verdict->low_d = life.days.low;
    verdict->high_d = life.days.high;
}

struct goods_life goods_life_now(const struct life_state *state,
                                 const struct life_stock *stock)
{
    struct goods_life verdict = {.left_pct = (double)NAN};
    struct load worst;
    for (size_t i = 0; stock != NULL && i < stock->count; i++) {
        const struct goods_used *used = find(state, key_of(&stock->goods[i]));
        if (used == NULL)
            continue;
        struct load load = load_of(used);
        struct life_left left = life_left_of(&load, &stock->goods[i].model);
        double pct = 100 * left.share.mid;
        if (isnan(pct) || pct >= verdict.left_pct)
            continue;
        verdict.left_pct = pct;
        verdict.goods = &stock->goods[i];
        verdict.limit = left.limit;
        worst = load;
    }
    if (verdict.goods != NULL)
        add_days(&verdict, state, stock, &worst);
    else if (state->has_judged)
        verdict.left_pct = 100;
    return verdict;
}

/* ---- saved ------------------------------------------------------------------------ */

static void save_used(struct buf *out, const struct goods_used *used)
{
    buf_u64(out, used->key);
    buf_f64(out, used->aged_d.slow);
    buf_f64(out, used->aged_d.mid);
    buf_f64(out, used->aged_d.fast);
    buf_f64(out, used->chilled_fast);
    buf_f64(out, used->chilled_slow);
    buf_u8(out, used->is_beyond);
}

void goods_life_save(struct buf *out, const struct life_state *state)
{
    buf_u8(out, VERSION);
    buf_zigzag(out, state->last_ms);
    buf_f64(out, state->warmest_C);
    buf_f64(out, state->coldest_C);
    buf_u8(out, state->has_judged);
    buf_u8(out, state->count);
    for (size_t i = 0; i < state->count; i++)
        save_used(out, &state->used[i]);
}

static double read_sum(struct buf_reader *in)
{
    double sum = buf_read_f64(in);
    if (!(sum >= 0 && sum <= MOST))
        in->failed = true;
    return sum;
}

static double read_temperature(struct buf_reader *in)
{
    double celsius = buf_read_f64(in);
    if (!(fabs(celsius) <= MOST))
        in->failed = true;
    return celsius;
}

static bool read_flag(struct buf_reader *in)
{
    uint8_t flag = buf_read_u8(in);
    if (flag > 1)
        in->failed = true;
    return flag == 1;
}

static struct goods_used read_used(struct buf_reader *in)
{
    struct goods_used used = {.key = buf_read_u64(in)};
    used.aged_d.slow = read_sum(in);
    used.aged_d.mid = read_sum(in);
    used.aged_d.fast = read_sum(in);
    used.chilled_fast = read_sum(in);
    used.chilled_slow = read_sum(in);
    used.is_beyond = read_flag(in);
    return used;
}

enum err goods_life_load(struct life_state *state, struct buf_reader *in)
{
    struct life_state read = {0};
    if (buf_read_u8(in) != VERSION)
        in->failed = true;
    read.last_ms = buf_read_zigzag(in);
    if (read.last_ms <= -LIMIT_MS || read.last_ms >= LIMIT_MS)
        in->failed = true;
    read.warmest_C = read_temperature(in);
    read.coldest_C = read_temperature(in);
    read.has_judged = read_flag(in);
    read.count = buf_read_u8(in);
    if (read.count > LIFE_GOODS_MAX)
        in->failed = true;
    for (size_t i = 0; i < read.count && !in->failed; i++)
        read.used[i] = read_used(in);
    if (in->failed)
        return ERR_CORRUPT;
    *state = read;
    return ERR_OK;
}
