// SPDX-License-Identifier: Apache-2.0
#include "collector/trial.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MINUTE_MS  ((int64_t)60 * 1000)
#define GAP_MAX_MS ((int64_t)3600 * 1000) /* after a longer one nothing is known */
#define SHARE_MOST 0.5
#define SHARE_ALL  0.95
/* A door that is seen in the air: whether shapes can be told from these readings. */
#define SHAPE_ID "trial-of-shapes"

struct trial {
    const struct alert_rule *rule;
    struct alerts *alerts;
    struct alert_sink sink;
    int64_t last_ms; /* of the last reading of what it watches; INT64_MIN: none */
    int64_t tick_ms;
    int64_t seen_ms;
    int64_t open_ms;
    size_t open; /* incidents */
    size_t judged;
    double most; /* of the measure */
    double least_value;
    double most_value;
    bool sees_signals; /* of a door or a defrost */
    bool sees_shapes;
};

static bool is_quantity(const char *quantity, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(quantity, names[i]) == 0)
            return true;
    return false;
}

#define IS_ONE_OF(quantity, names) \
    is_quantity((quantity), (names), sizeof(names) / sizeof(names)[0])

static bool is_signal(const char *quantity)
{
    static const char *const names[] = {"door", "defrost"};
    return IS_ONE_OF(quantity, names);
}

/* What rules of the zone ask of others, see alerts/room.h. */
static bool is_of_the_room(const char *quantity)
{
    static const char *const names[] = {"door",  "defrost",  "compressor",
                                        "mains", "humidity", "pulp_temperature"};
    return IS_ONE_OF(quantity, names);
}

/* ---- what the engine says ------------------------------------------------------------
 */

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct trial *trial = context;
    (void)incident;
    trial->open += kind == ALERT_EFFECT_OPENED;
    trial->open -= kind == ALERT_EFFECT_CLOSED;
}

static void on_measured(void *context, const char *rule, double measure)
{
    struct trial *trial = context;
    if (isnan(measure))
        return;
    if (strcmp(rule, SHAPE_ID) == 0) {
        trial->sees_shapes = true;
        return;
    }
    trial->judged++;
    trial->most = fmax(trial->most, measure);
}

/* ---- what it is told -----------------------------------------------------------------
 */

static bool is_tried(const struct alert_rule *rule)
{
    return !alert_kind_is_date(rule->kind) && !alert_kind_is_trouble(rule->kind) &&
           rule->kind != ALERT_GOODS_LEFT &&
           !(alert_kind_is_sum(rule->kind) && rule->window_ms == 0);
}

static enum err set_rules(struct trial *trial)
{
    const struct alert_rule *rule = trial->rule;
    struct alert_rule rules[2] = {*rule};
    size_t count = 1;
    if (rule->kind == ALERT_NO_RECOVERY) {
        struct alert_rule *shapes = &rules[count++];
        *shapes = (struct alert_rule){.kind = ALERT_DOOR_OPEN,
                                      .levels = {{.level = 1e6, .recovery_level = 1e6}},
                                      .level_count = 1};
        snprintf(shapes->id, sizeof shapes->id, "%s", SHAPE_ID);
        snprintf(shapes->zone, sizeof shapes->zone, "%s", rule->zone);
        snprintf(shapes->quantity, sizeof shapes->quantity, "%s", rule->quantity);
    }
    return alerts_set_rules(trial->alerts, rules, count, 0, NULL);
}

struct trial *trial_create(const struct alert_rule *rule)
{
    if (!is_tried(rule))
        return NULL;
    struct trial *trial = mem_alloc(sizeof *trial);
    *trial = (struct trial){.rule = rule,
                            .alerts = alerts_create(),
                            .last_ms = INT64_MIN,
                            .least_value = HUGE_VAL,
                            .most_value = -HUGE_VAL};
    trial->sink = (struct alert_sink){
        .context = trial, .effect = on_effect, .measured = on_measured};
    if (set_rules(trial) == ERR_OK)
        return trial;
    trial_destroy(trial); /* one that the engine does not take */
    return NULL;
}

void trial_destroy(struct trial *trial)
{
    if (trial == NULL)
        return;
    alerts_destroy(trial->alerts);
    free(trial);
}

struct alerts *trial_engine(struct trial *trial)
{
    return trial->alerts;
}

static bool is_watched(const struct trial *trial, const char *quantity)
{
    const char *wanted = trial->rule->quantity;
    return wanted[0] == '\0' || strcmp(wanted, quantity) == 0 ||
           (doubt_is_derived(wanted) && strcmp(quantity, "air_temperature") == 0);
}

bool trial_wants(const struct trial *trial, const char *quantity)
{
    return is_watched(trial, quantity) ||
           (!alert_kind_is_silence(trial->rule->kind) && is_of_the_room(quantity));
}

/* Silence is there between readings, the rest is known while they come. */
static void count_time(struct trial *trial, int64_t now_ms)
{
    if (trial->last_ms == INT64_MIN)
        return;
    int64_t span_ms = now_ms - trial->last_ms;
    bool is_silence = alert_kind_is_silence(trial->rule->kind);
    if (span_ms <= 0 || (!is_silence && span_ms > GAP_MAX_MS))
        return;
    trial->seen_ms += span_ms;
    if (!is_silence && trial->open > 0)
        trial->open_ms += span_ms;
}

/* A tick a minute, as the collector's; of silence what is open is counted by them. */
static void tick(struct trial *trial, int64_t now_ms)
{
    if (!alert_kind_is_silence(trial->rule->kind))
        return;
    if (trial->tick_ms == 0)
        trial->tick_ms = now_ms;
    for (; trial->tick_ms + MINUTE_MS <= now_ms; trial->tick_ms += MINUTE_MS) {
        alerts_tick(trial->alerts, trial->tick_ms, &trial->sink);
        if (trial->open > 0)
            trial->open_ms += MINUTE_MS;
    }
}

void trial_reading(struct trial *trial, const struct alert_reading *reading)
{
    tick(trial, reading->time_ms);
    if (is_watched(trial, reading->quantity)) {
        count_time(trial, reading->time_ms);
        trial->last_ms = reading->time_ms;
        trial->least_value = fmin(trial->least_value, reading->value);
        trial->most_value = fmax(trial->most_value, reading->value);
    }
    trial->sees_signals |= is_signal(reading->quantity);
    alerts_reading(trial->alerts, reading, &trial->sink);
}

/* ---- what comes of it ----------------------------------------------------------------
 */

struct reason {
    const char *text;
    const char *text_zh;
};

/* Why such a rule says nothing of what it sees. */
static struct reason reason_of(const struct alert_rule *rule)
{
    switch (rule->kind) {
    case ALERT_RATE:
    case ALERT_PREDICTED:
        return (struct reason){"its window holds too few readings", "时间窗内读数太少"};
    case ALERT_STEP:
        return (struct reason){"its window holds one reading at a time",
                               "时间窗内每次只有一个读数"};
    case ALERT_DIVERGE:
        return (struct reason){"no other probe of it was read at about the same time",
                               "没有其他探头在相近时间的读数"};
    case ALERT_COOLING_FAILED:
        return (struct reason){"the readings are too sparse, or too few, to know the "
                               "air's usual cycles",
                               "读数太稀疏或太少，无法掌握空气温度的平常循环"};
    case ALERT_NO_RECOVERY:
        return (struct reason){
            "no door and no defrost can be seen: there is no signal of "
            "them, and the readings are too sparse to recognise them",
            "看不到开门和除霜：没有信号，读数又太稀疏，无法识别"};
    case ALERT_LIFE_LEFT:
        return (struct reason){"of the goods in its zone no life is known",
                               "库区内货物的贮藏寿命未知"};
    default:
        break;
    }
    if (doubt_is_derived(rule->quantity))
        return (struct reason){"what it is derived from is missing",
                               "缺少推算所需的读数"};
    return (struct reason){"the readings are too sparse to recognise doors and defrosts "
                           "in them",
                           "读数太稀疏，无法识别开门和除霜"};
}

static bool is_never_judged(const struct trial *trial)
{
    const struct alert_rule *rule = trial->rule;
    if (alert_kind_is_silence(rule->kind))
        return false;
    if (rule->kind == ALERT_STEP)
        return !(trial->most > 0) && trial->most_value > trial->least_value;
    if (rule->kind == ALERT_NO_RECOVERY)
        return !trial->sees_signals && !trial->sees_shapes;
    return trial->judged == 0;
}

static void say_never(const struct trial *trial, struct doubt *doubt)
{
    const struct alert_rule *rule = trial->rule;
    struct reason reason = reason_of(rule);
    doubt->code = "never_judged";
    snprintf(doubt->text, sizeof doubt->text,
             "rule '%s' could not have fired in the last 30 days, whatever happened: %s",
             rule->id, reason.text);
    snprintf(doubt->text_zh, sizeof doubt->text_zh,
             "规则“%s”在过去 30 天无论发生什么都不会触发：%s", rule->id, reason.text_zh);
}

static void say_share(const struct trial *trial, double share, struct doubt *doubt)
{
    const struct alert_rule *rule = trial->rule;
    bool is_silence = alert_kind_is_silence(rule->kind);
    doubt->code = share >= SHARE_ALL ? "fires_always" : "fires_mostly";
    snprintf(
        doubt->text, sizeof doubt->text,
        "rule '%s' would have been open for %.0f %% of what was measured in the last 30 "
        "days: look at %s",
        rule->id, 100 * share,
        is_silence ? "its time of silence, the readings come less often"
                   : "its level, its limit and its window");
    snprintf(doubt->text_zh, sizeof doubt->text_zh,
             "规则“%s”在过去 30 天有 %.0f %% 的测量时间处于报警状态：请检查%s", rule->id,
             100 * share,
             is_silence ? "失联时长，读数间隔比它长" : "触发值、参照值和时间窗");
}

bool trial_doubt(const struct trial *trial, struct doubt *doubt)
{
    if (trial->seen_ms < DOUBT_SEEN_MIN_MS)
        return false;
    double share = (double)trial->open_ms / (double)trial->seen_ms;
    if (is_never_judged(trial))
        say_never(trial, doubt);
    else if (share >= SHARE_MOST)
        say_share(trial, share, doubt);
    else
        return false;
    return true;
}
