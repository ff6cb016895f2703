// SPDX-License-Identifier: Apache-2.0
/*
 * Cases from the field, as data: tests/golden/alerts/NAME.yaml, see README.md there. Each
 * is played to the engine of the collector, and everything that it tells is compared.
 */
#include <dirent.h>
#include <inttypes.h>
#include <math.h>

#include "alerts/alerts.h"
#include "alerts/zones.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/tree.h"
#include "base/units.h"
#include "coldchainctl/backtest_rules.h"
#include "freshness/band.h"
#include "freshness/profile_set.h"
#include "telemetry/channel.h"
#include "tests/support/check.h"

#define T0        INT64_C(1767225600000)
#define MINUTE_MS INT64_C(60000)
#define DEVICE    "d"
#define ZONE      "z"

struct held {
    char channel[ID_SIZE];
    int64_t time_ms;
    double value;
};

/* The last incident of a rule: what a person does is done to it. */
struct last {
    char rule[ID_SIZE];
    char id[ALERT_ID_SIZE];
};

#define RULES_MAX 8

struct play {
    const char *name;
    struct last lasts[RULES_MAX];
    size_t last_count;
    bool is_persons; /* what is told now is a person's doing */
    struct backtest_rules rules;
    struct alerts *alerts;
    struct alert_sink sink;
    struct map saved; /* what the engine wanted kept: key -> struct buf */
    struct buf told;
    bool shows_updates;
    bool is_restless; /* restarted after each step */
    int64_t now_ms;   /* the record has come so far */
    int64_t tick_ms;  /* and the engine's clock */
    int64_t every_ms;
    int64_t off_ms; /* off duty since then */
    bool is_empty;
    struct life_stock stock;
    struct held *held; /* readings that have not arrived yet */
    size_t held_count;
    size_t held_capacity;
};

static const char *span(char text[UNITS_TEXT_MAX], int64_t time_ms)
{
    return units_format_duration(text, time_ms - T0);
}

static struct last *last_of(struct play *play, const char *rule)
{
    for (size_t i = 0; i < play->last_count; i++)
        if (strcmp(play->lasts[i].rule, rule) == 0)
            return &play->lasts[i];
    CHECK_ROW(play->name, play->last_count < RULES_MAX);
    struct last *last = &play->lasts[play->last_count++];
    snprintf(last->rule, sizeof last->rule, "%s", rule);
    return last;
}

/* "closed warm by a person at 40m worst 9" */
static void tell_persons(struct play *play, enum alert_effect_kind kind,
                         const struct incident *incident)
{
    char at[UNITS_TEXT_MAX];
    span(at, incident->changed_ms);
    if (kind == ALERT_EFFECT_CLOSED)
        buf_format(&play->told, "closed %s by a person at %s worst %g\n", incident->rule,
                   at, incident->worst);
    else
        buf_format(&play->told, "%s %s at %s\n",
                   incident->is_acknowledged ? "acknowledged" : "needed again",
                   incident->rule, at);
}

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct play *play = context;
    char at[UNITS_TEXT_MAX];
    char since[UNITS_TEXT_MAX];
    char told[UNITS_TEXT_MAX];
    span(told, incident->changed_ms);
    if (kind == ALERT_EFFECT_OPENED)
        snprintf(last_of(play, incident->rule)->id, ALERT_ID_SIZE, "%s", incident->id);
    if (play->is_persons) {
        tell_persons(play, kind, incident);
        return;
    }
    if (kind == ALERT_EFFECT_UPDATED && !play->shows_updates)
        return;
    if (kind == ALERT_EFFECT_OPENED)
        buf_format(&play->told, "opened %s %s at %s since %s", incident->rule,
                   alert_severity_name(incident->severity), span(at, incident->opened_ms),
                   span(since, incident->onset_ms));
    else if (kind == ALERT_EFFECT_CLOSED)
        buf_format(&play->told, "closed %s at %s since %s worst %g", incident->rule,
                   span(at, incident->closed_ms), span(since, incident->back_ms),
                   incident->worst);
    else
        buf_format(&play->told, "%s %s at %s",
                   kind == ALERT_EFFECT_UPDATED ? incident_state_name(incident->state)
                                                : alert_severity_name(incident->severity),
                   incident->rule, span(at, incident->changed_ms));
    if (strcmp(at, told) != 0)
        buf_format(&play->told, " told %s", told);
    if (kind == ALERT_EFFECT_CLOSED && incident->is_acknowledged)
        buf_text(&play->told, " acknowledged");
    buf_text(&play->told, "\n");
}

static void on_suppressed(void *context, const struct suppression *kept)
{
    struct play *play = context;
    char from[UNITS_TEXT_MAX];
    char at[UNITS_TEXT_MAX];
    buf_format(&play->told, "kept back %s by %s since %s %s %s\n", kept->rule,
               alert_reason_name(kept->reason), span(from, kept->from_ms),
               kept->to_ms != 0 ? "until" : "told",
               span(at, kept->to_ms != 0 ? kept->to_ms : kept->told_ms));
}

/* ---- the engine, and its restart --------------------------------------------------- */

static void on_changed(void *context, const char *key, const void *data, size_t len)
{
    struct play *play = context;
    struct buf **kept = (struct buf **)map_at(&play->saved, key);
    if (*kept == NULL)
        *kept = mem_alloc(sizeof **kept);
    buf_clear(*kept);
    buf_add(*kept, data, len);
}

static void start(struct play *play)
{
    struct err_text why = {""};
    play->alerts = alerts_create();
    enum err err = alerts_set_rules(play->alerts, play->rules.rules, play->rules.count,
                                    play->tick_ms, &why);
    CHECK_TEXT(why.text, "");
    CHECK_ROW(play->name, err == ERR_OK);
    for (size_t i = 0; i < play->saved.count; i++) {
        const struct buf *kept = play->saved.entries[i].value;
        if (kept->len > 0)
            CHECK_ROW(play->name, alerts_load(play->alerts, play->saved.entries[i].key,
                                              kept->data, kept->len) == ERR_OK);
    }
    alerts_set_goods(play->alerts, ZONE, &play->stock);
}

static void restart(struct play *play)
{
    alerts_save_changed(play->alerts, play, on_changed);
    alerts_destroy(play->alerts);
    start(play);
}

static void tick_until(struct play *play, int64_t now_ms)
{
    for (; play->tick_ms <= now_ms; play->tick_ms += MINUTE_MS)
        alerts_tick(play->alerts, play->tick_ms, &play->sink);
}

static void give(struct play *play, const char *name, int64_t time_ms, int64_t arrival_ms,
                 double value)
{
    struct channel channel;
    CHECK_ROW(play->name, channel_parse(&channel, name) == ERR_OK);
    const struct alert_reading reading = {
        .zone = ZONE,
        .device = DEVICE,
        .channel = channel.name,
        .quantity = channel.quantity,
        .time_ms = time_ms,
        .arrival_ms = arrival_ms,
        .value = value,
        .quality = isnan(value) ? QUALITY_FAULT : QUALITY_GOOD,
    };
    tick_until(play, arrival_ms);
    alerts_reading(play->alerts, &reading, &play->sink);
}

static void hold(struct play *play, const char *name, int64_t time_ms, double value)
{
    mem_grow(&play->held, &play->held_capacity, play->held_count + 1, sizeof *play->held);
    struct held *held = &play->held[play->held_count++];
    *held = (struct held){.time_ms = time_ms, .value = value};
    snprintf(held->channel, sizeof held->channel, "%s", name);
}

/* A network is there again: all at once, and perhaps once more. */
static void release(struct play *play, size_t times)
{
    for (size_t round = 0; round < times; round++)
        for (size_t i = 0; i < play->held_count; i++)
            give(play, play->held[i].channel, play->held[i].time_ms, play->now_ms,
                 play->held[i].value);
    play->held_count = 0;
}

/* ---- the record -------------------------------------------------------------------- */

static const char *text_of(const struct tree *map, const char *key)
{
    const struct tree *item = tree_get(map, key);
    return item != NULL && item->kind == TREE_TEXT ? item->text : NULL;
}

static int64_t span_of(const struct play *play, const struct tree *map, const char *key,
                       int64_t otherwise)
{
    int64_t ms = otherwise;
    const char *text = text_of(map, key);
    if (text != NULL)
        CHECK_ROW(play->name, units_parse_duration(&ms, text) == ERR_OK);
    return ms;
}

/* "8", "5..9" for a value that moves in a line, "fault" for a reading that is none. */
static double value_at(const struct play *play, const char *text, double share)
{
    double from;
    double to;
    const char *dots = strstr(text, "..");
    size_t len = dots != NULL ? (size_t)(dots - text) : strlen(text);
    if (strcmp(text, "fault") == 0)
        return (double)NAN;
    CHECK_ROW(play->name, number_scan(&from, text, len) == len);
    if (dots == NULL)
        return from;
    CHECK_ROW(play->name, number_scan(&to, dots + 2, strlen(dots + 2)) > 0);
    return from + (to - from) * share;
}

static bool is_channel(const char *key)
{
    static const char *const others[] = {"for", "every", "held"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(others[i], key) == 0)
            return false;
    return true;
}

static void measure(struct play *play, const struct tree *step)
{
    int64_t length_ms = span_of(play, step, "for", 0);
    int64_t every_ms = span_of(play, step, "every", play->every_ms);
    bool is_held = tree_get(step, "held") != NULL;
    int64_t from_ms = play->now_ms;
    CHECK_ROW(play->name, length_ms > 0 && every_ms > 0);
    for (int64_t at = 0; at < length_ms; at += every_ms) {
        for (size_t i = 0; i < step->count; i++) {
            const struct tree *item = &step->items[i];
            if (!is_channel(item->key))
                continue;
            double value = value_at(play, item->text, (double)at / (double)length_ms);
            if (is_held)
                hold(play, item->key, from_ms + at, value);
            else
                give(play, item->key, from_ms + at, from_ms + at, value);
        }
    }
    play->now_ms = from_ms + length_ms;
    tick_until(play, play->now_ms - 1);
}

/* "empty" or another word; "no": it is on duty again. */
static void change_duty(struct play *play, const char *off_duty)
{
    bool ends = strcmp(off_duty, "no") == 0;
    if (!ends) {
        play->off_ms = play->now_ms;
        play->is_empty = strcmp(off_duty, "empty") == 0;
    }
    alerts_declare_off_duty(play->alerts, ZONE, play->off_ms,
                            ends ? play->now_ms : INT64_MAX, play->is_empty);
}

/* Goods come in, at the temperature that is theirs, or all of them go. */
static void change_stock(struct play *play, const char *put_in)
{
    static const struct load_options as_published = {0};
    play->stock = (struct life_stock){.count = 0};
    if (put_in != NULL) {
        struct profile_set *set = profile_set_create();
        const struct profile *profile = profile_set_find(set, put_in);
        CHECK_ROW(put_in, profile != NULL);
        const struct band band = band_of_profile(profile);
        struct life_goods *goods = &play->stock.goods[play->stock.count++];
        snprintf(goods->name, sizeof goods->name, "%s", put_in);
        goods->from_ms = play->now_ms;
        CHECK_ROW(put_in,
                  load_model_init(&goods->model, profile, &as_published, NULL) == ERR_OK);
        goods->model.profile = NULL;
        play->stock.at_C = (band.low + band.high) / 2;
        profile_set_destroy(set);
    }
    alerts_set_goods(play->alerts, ZONE, &play->stock);
}

/* Somebody takes, or closes, the last incident of that rule; or it comes back. */
static bool is_persons_act(struct play *play, const struct tree *step)
{
    enum err err = ERR_OK;
    const char *rule;
    play->is_persons = true;
    if ((rule = text_of(step, "acknowledge")) != NULL)
        err = alerts_acknowledge(play->alerts, last_of(play, rule)->id, "li",
                                 play->now_ms, &play->sink);
    else if ((rule = text_of(step, "remind")) != NULL)
        err = alerts_remind(play->alerts, last_of(play, rule)->id, play->now_ms,
                            &play->sink);
    else if ((rule = text_of(step, "close")) != NULL)
        err = alerts_close(play->alerts, last_of(play, rule)->id, play->now_ms,
                           &play->sink);
    play->is_persons = false;
    CHECK_ROW(play->name, err == ERR_OK);
    return rule != NULL;
}

static void play_steps(struct play *play, const struct tree *steps);

static void play_step(struct play *play, const struct tree *step)
{
    double times = 1;
    const char *number = text_of(step, "times");
    if (number != NULL)
        CHECK_ROW(play->name, number_scan(&times, number, strlen(number)) > 0);
    if (is_persons_act(play, step))
        return;
    if (tree_get(step, "restart") != NULL) {
        restart(play);
    } else if (tree_get(step, "off_duty") != NULL) {
        change_duty(play, text_of(step, "off_duty"));
    } else if (tree_get(step, "put_in") != NULL) {
        change_stock(play, text_of(step, "put_in"));
    } else if (tree_get(step, "take_out") != NULL) {
        change_stock(play, NULL);
    } else if (tree_get(step, "arrive") != NULL) {
        release(play, (size_t)times);
    } else if (tree_get(step, "silent") != NULL) {
        play->now_ms += span_of(play, step, "silent", 0);
        tick_until(play, play->now_ms - 1);
    } else if (tree_get(step, "steps") != NULL) {
        for (size_t i = 0; i < (size_t)times; i++)
            play_steps(play, tree_get(step, "steps"));
    } else {
        measure(play, step);
    }
}

static void play_steps(struct play *play, const struct tree *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        play_step(play, &steps->items[i]);
        if (play->is_restless)
            restart(play);
    }
}

/* ---- one file ---------------------------------------------------------------------- */

/* From "rules:" to the next key at the margin, behind as many empty lines as before. */
static void cut_rules(const struct buf *file, struct buf *rules)
{
    bool is_within = false;
    const char *at = file->data;
    while (*at != '\0') {
        size_t len = strcspn(at, "\n");
        if (*at != ' ' && *at != '#' && *at != '\n')
            is_within = strncmp(at, "rules:", 6) == 0;
        if (is_within)
            buf_add(rules, at, len);
        buf_text(rules, "\n");
        at += len + (at[len] == '\n');
    }
}

static void compare(struct play *play, const struct tree *root)
{
    struct buf want = {0};
    const struct tree *expect = tree_get(root, "expect");
    CHECK_ROW(play->name, expect != NULL && expect->kind == TREE_LIST);
    for (size_t i = 0; expect != NULL && i < expect->count; i++)
        buf_format(&want, "%s\n", expect->items[i].text);
    bool is_same =
        (want.len == 0 && play->told.len == 0) ||
        (want.len == play->told.len && memcmp(want.data, play->told.data, want.len) == 0);
    CHECK_ROW(play->name, is_same);
    if (!is_same)
        printf("\n%s\n--- want\n%s--- got\n%s", play->name, want.len > 0 ? want.data : "",
               play->told.len > 0 ? play->told.data : "");
    buf_fini(&want);
}

static void play_fini(struct play *play)
{
    for (size_t i = 0; i < play->saved.count; i++) {
        buf_fini(play->saved.entries[i].value);
        free(play->saved.entries[i].value);
    }
    map_fini(&play->saved);
    backtest_rules_fini(&play->rules);
    alerts_destroy(play->alerts);
    buf_fini(&play->told);
    free(play->held);
}

static void play_case(const char *name, const struct tree *root, const struct buf *rules,
                      bool is_restless)
{
    struct err_text why = {""};
    struct play play = {.name = name,
                        .now_ms = T0,
                        .tick_ms = T0,
                        .is_restless = is_restless,
                        .shows_updates = tree_get(root, "updates") != NULL};
    play.sink = (struct alert_sink){
        .context = &play, .effect = on_effect, .suppressed = on_suppressed};
    play.every_ms = span_of(&play, root, "every", MINUTE_MS);
    enum err err = backtest_rules_parse(&play.rules, name, rules->data, rules->len, &why);
    CHECK_TEXT(why.text, "");
    CHECK_ROW(name, err == ERR_OK && tree_get(root, "record") != NULL);
    if (err == ERR_OK && tree_get(root, "record") != NULL) {
        start(&play);
        play_steps(&play, tree_get(root, "record"));
        compare(&play, root);
    }
    play_fini(&play);
}

/* Whence it comes, what others do, what we do: a case that does not say is none. */
static void check_told(const char *name, const struct tree *root)
{
    static const char *const keys[] = {"case", "source", "peer", "ours"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *text = text_of(root, keys[i]);
        CHECK_ROW(name, text != NULL && text[0] != '\0');
    }
}

/* False: it waits for something that is not there yet. */
static bool play_file(const char *path, const char *name)
{
    struct buf file = {0};
    struct buf rules = {0};
    struct tree *root = NULL;
    struct err_text why = {""};
    enum err err = file_read(&file, path, 1 << 20, &why);
    if (err == ERR_OK)
        err = tree_parse(&root, name, file.data, file.len, &why);
    CHECK_TEXT(why.text, "");
    bool is_played = err == ERR_OK && tree_get(root, "waits") == NULL;
    if (err == ERR_OK)
        check_told(name, root);
    if (is_played) {
        cut_rules(&file, &rules);
        play_case(name, root, &rules, false);
        play_case(name, root, &rules, true); /* which changes nothing */
    } else if (err == ERR_OK) {
        printf("\n  %s waits for %s", name, text_of(root, "waits"));
    }
    tree_destroy(root);
    buf_fini(&rules);
    buf_fini(&file);
    return is_played;
}

static int is_case(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".yaml") == 0;
}

static void cases_from_the_field(void)
{
    char folder[3000];
    struct dirent **entries = NULL;
    size_t played = 0;
    snprintf(folder, sizeof folder, "%s/tests/golden/alerts", check_source_dir());
    int count = scandir(folder, &entries, is_case, alphasort);
    CHECK(count > 0);
    for (int i = 0; i < count; i++) {
        char path[4000];
        char name[100]; /* as a row's label may be */
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        snprintf(name, sizeof name, "%.99s", entries[i]->d_name);
        played += play_file(path, name);
        free(entries[i]);
    }
    free(entries);
    printf("\n  %zu of %d cases played", played, count);
    CHECK(played > 0);
}

static CU_TestInfo tests[] = {
    {"cases from the field end as they are written", cases_from_the_field},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("golden_alerts", tests);
}
