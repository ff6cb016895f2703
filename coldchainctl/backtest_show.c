// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/backtest_show.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "coldchainctl/say.h"
#include "coldchainctl/screen.h"
#include "coldchainctl/show.h"
#include "coldchainctl/spark.h"
#include "coldchainctl/table.h"
#include "collector/doubts.h"

#define DAY_MS       86400000.0
#define PICTURE_MOST 120
#define OFTEN        0.5 /* of the time: such a rule tells nobody anything */

/* "2026-11-23 08:00Z" */
static const char *minute(char text[CLOCK_ISO_MAX], int64_t ms)
{
    clock_format_iso(text, ms);
    text[10] = ' ';
    text[16] = 'Z';
    text[17] = '\0';
    return text;
}

/* "45s", "12m", "3h20m", "5d4h"; "-" for a negative one. */
static const char *span(char text[SHOW_SIZE], int64_t ms)
{
    int64_t s = ms / 1000;
    if (ms < 0)
        snprintf(text, SHOW_SIZE, "-");
    else if (s < 60)
        snprintf(text, SHOW_SIZE, "%" PRId64 "s", s);
    else if (s < 3600)
        snprintf(text, SHOW_SIZE, "%" PRId64 "m", s / 60);
    else if (s < 86400)
        snprintf(text, SHOW_SIZE, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
    else
        snprintf(text, SHOW_SIZE, "%" PRId64 "d%02" PRId64 "h", s / 86400, s / 3600 % 24);
    return text;
}

static const char *shortest(char text[NUMBER_SIZE], double value)
{
    if (isfinite(value))
        number_format(round(value * 1000) / 1000, text);
    else
        snprintf(text, NUMBER_SIZE, "-");
    return text;
}

/* ---- warnings ---------------------------------------------------------------------- */

static void warn(json_t *list, const struct backtest *test, size_t rule, const char *text)
{
    char line[700];
    snprintf(line, sizeof line, "%.200s:%d: %.450s", test->rules->name,
             test->rules->lines[rule], text);
    json_array_append_new(list, json_string(line));
}

/* What there is in that zone: "air_temperature, door". */
static void list_quantities(const struct backtest *test, const char *zone,
                            struct buf *out)
{
    const struct backtest_data *data = test->data;
    for (size_t i = 0; i < data->channel_count; i++) {
        const struct backtest_channel *channel = &data->channels[i];
        bool is_known = strcmp(channel->zone, zone) != 0;
        for (size_t k = 0; k < i; k++)
            is_known |= strcmp(data->channels[k].quantity, channel->quantity) == 0 &&
                        strcmp(data->channels[k].zone, zone) == 0;
        if (!is_known)
            buf_format(out, "%s%s", out->len > 0 ? ", " : "", channel->quantity);
    }
    if (out->len == 0)
        buf_text(out, "-");
}

static bool is_empty(const struct backtest *test, const char *zone)
{
    const struct registry_zone *known = registry_zone(test->registry, zone);
    return known != NULL && known->is_empty && known->off_since_ms != 0;
}

static bool has_goods(const struct backtest *test, const char *zone)
{
    const struct registry_zone *known = registry_zone(test->registry, zone);
    return known != NULL && known->goods_count > 0;
}

static void warn_of_rule(json_t *list, const struct backtest *test, size_t i)
{
    const struct alert_rule *rule = &test->rules->rules[i];
    const struct backtest_tally *tally = &test->tallies[i];
    struct doubt doubt;
    char text[450];
    if (doubt_of_rule(rule, &doubt))
        warn(list, test, i, say_language() == SAY_ZH ? doubt.text_zh : doubt.text);
    if (alert_kind_is_date(rule->kind)) {
        snprintf(text, sizeof text,
                 say("rule '%s' is judged by dates, so a record says nothing of it"),
                 rule->id);
        warn(list, test, i, text);
    } else if (rule->kind == ALERT_GOODS_LEFT && !is_empty(test, rule->zone)) {
        snprintf(text, sizeof text,
                 say("rule '%s' asks only while its zone is off duty as empty, which "
                     "'%s' is not"),
                 rule->id, rule->zone);
        warn(list, test, i, text);
    } else if (rule->kind == ALERT_LIFE_LEFT && !has_goods(test, rule->zone)) {
        snprintf(text, sizeof text,
                 say("rule '%s' asks what life goods have left, and none are named in "
                     "zone '%s': say 'goods' there"),
                 rule->id, rule->zone);
        warn(list, test, i, text);
    } else if (tally->readings == 0) {
        struct buf known = {0};
        list_quantities(test, rule->zone, &known);
        snprintf(text, sizeof text,
                 say("rule '%s' watches %s in zone '%s', of which there is no reading; "
                     "there are: %.200s"),
                 rule->id, rule->quantity[0] != '\0' ? rule->quantity : "*", rule->zone,
                 known.data);
        warn(list, test, i, text);
        buf_fini(&known);
    } else if (test->span_ms > 0 &&
               (double)tally->open_ms > OFTEN * (double)test->span_ms) {
        double share = fmin((double)tally->open_ms / (double)test->span_ms, 1);
        snprintf(text, sizeof text,
                 say("rule '%s' would have been open %.0f %% of the time: that tells "
                     "nobody anything; look at its levels"),
                 rule->id, share * 100);
        warn(list, test, i, text);
    }
}

json_t *backtest_warnings(const struct backtest *test)
{
    json_t *list = json_array();
    for (size_t i = 0; i < test->rules->count; i++)
        warn_of_rule(list, test, i);
    return list;
}

/* ---- tables ------------------------------------------------------------------------ */

static void harm_cells(struct table *table, const struct backtest *test,
                       const struct backtest_tally *tally)
{
    char text[SHOW_SIZE];
    if (!tally->is_about_harm) {
        for (int i = 0; i < 6; i++)
            table_cell(table, "-");
        return;
    }
    table_cell(table, "%zu", tally->false_alarms);
    table_cell(table, "%.1f", backtest_per_month(test, tally->false_alarms));
    table_cell(table, "%zu", tally->warned);
    table_cell(table, "%s", span(text, tally->ahead_ms));
    table_cell(table, "%zu", tally->late);
    table_cell(table, "%zu", tally->missed);
    if (tally->missed > 0)
        table_alarm(table);
}

static void print_rules(const struct backtest *test)
{
    char text[SHOW_SIZE];
    struct table table = {.headings = {"RULE", "KIND", ">FIRINGS", ">CRITICAL", ">OPEN",
                                       ">DELAY", ">KEPT", ">FALSE", ">A MONTH", ">WARNED",
                                       ">AHEAD", ">LATE", ">MISSED"}};
    for (size_t i = 0; i < test->rules->count; i++) {
        const struct alert_rule *rule = &test->rules->rules[i];
        const struct backtest_tally *tally = &test->tallies[i];
        table_cell(&table, "%s", rule->id);
        table_cell(&table, "%s", say_word(alert_kind_name(rule->kind)));
        table_cell(&table, "%zu", tally->firings);
        table_cell(&table, "%zu", tally->criticals);
        table_cell(&table, "%zu", tally->open);
        table_cell(&table, "%s", span(text, tally->delay_ms));
        table_cell(&table, "%zu", tally->kept);
        harm_cells(&table, test, tally);
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_firing(struct table *table, const struct backtest *test,
                         const struct backtest_firing *firing)
{
    char text[CLOCK_ISO_MAX > SHOW_SIZE ? CLOCK_ISO_MAX : SHOW_SIZE];
    table_cell(table, "%s", test->rules->rules[firing->rule].id);
    table_cell(table, "%s",
               firing->channel[0] != '\0' ? firing->channel : firing->device);
    table_cell(table, "%s", say_word(alert_severity_name(firing->severity)));
    table_cell(table, "%s", minute(text, firing->onset_ms));
    table_cell(table, "%s", span(text, firing->told_ms - firing->onset_ms));
    table_cell(table, "%s",
               firing->closed_ms != 0 ? span(text, firing->closed_ms - firing->onset_ms)
                                      : say_word(incident_state_name(firing->state)));
    table_cell(table, "%s", shortest(text, firing->worst));
    if (firing->harm == SIZE_MAX) {
        table_cell(table, "%s",
                   test->tallies[firing->rule].is_about_harm ? say("none") : "-");
        return;
    }
    int64_t ms = test->harms[firing->harm].from_ms - firing->told_ms;
    if (ms >= 0)
        table_cell(table, say("%s later"), span(text, ms));
    else
        table_cell(table, say("%s before"), span(text, -ms));
}

static void print_firings(const struct backtest *test, bool shows_all)
{
    struct table table = {.headings = {"RULE", "CHANNEL", "SEVERITY", "ONSET",
                                       ">TOLD AFTER", ">LASTED", ">WORST", "HARM"}};
    size_t shown = shows_all || test->firing_count < BACKTEST_SHOWN ? test->firing_count
                                                                    : BACKTEST_SHOWN;
    if (shown == 0)
        return;
    for (size_t i = 0; i < shown; i++)
        print_firing(&table, test, &test->firings[i]);
    putchar('\n');
    table_print(&table, stdout);
    table_fini(&table);
    if (shown < test->firing_count)
        printf(say("and %zu more; --all shows them\n"), test->firing_count - shown);
    if (test->lost_firings > 0)
        printf(say("and %zu more that are only counted\n"), test->lost_firings);
}

/* "warm, times kept back: 14 (door 9, defrost 5)" */
static void print_kept(const struct backtest *test)
{
    for (size_t i = 0; i < test->rules->count; i++) {
        const struct backtest_tally *tally = &test->tallies[i];
        const char *between = "";
        if (tally->kept == 0)
            continue;
        printf(say("%s, times kept back: %zu ("), test->rules->rules[i].id, tally->kept);
        for (int reason = 0; reason < ALERT_REASON_COUNT; reason++) {
            if (tally->kept_by[reason] == 0)
                continue;
            printf("%s%s %zu", between,
                   say_of("reason", alert_reason_name((enum alert_reason)reason)),
                   tally->kept_by[reason]);
            between = ", ";
        }
        puts(")");
    }
}

static void print_harm(const struct backtest *test)
{
    size_t before = 0;
    size_t late = 0;
    if (!test->has_band) {
        puts(say("no band is known, so nothing is said of harm: give --band LOW..HIGH"));
        return;
    }
    for (size_t i = 0; i < test->harm_count; i++) {
        const struct backtest_harm *harm = &test->harms[i];
        before += harm->warned_ms != INT64_MIN && harm->warned_ms <= harm->from_ms;
        late += harm->warned_ms != INT64_MIN && harm->warned_ms > harm->from_ms;
    }
    printf(say("times that goods left their band: %zu (told before %zu, later %zu, never "
               "%zu)\n"),
           test->harm_count, before, late, test->harm_count - before - late);
    if (test->is_estimated)
        printf(say("their temperature is estimated: it follows the air, %g h (--tau)\n"),
               test->tau_h);
}

static void print_head(const struct backtest *test)
{
    char first[CLOCK_ISO_MAX];
    char last[CLOCK_ISO_MAX];
    const struct backtest_data *data = test->data;
    printf(say("%s: %zu rules over %zu readings of %zu channels, %s to %s (%.1f days)\n"),
           test->rules->name, test->rules->count, data->count, data->channel_count,
           minute(first, data->first_ms), minute(last, data->last_ms),
           (double)test->span_ms / DAY_MS);
    if (data->refused > 0)
        printf(say("%zu rows were left out; the first: %s\n"), data->refused,
               data->first_refusal.text);
}

void backtest_show(const struct backtest *test, bool shows_all)
{
    struct buf picture = {0};
    size_t columns = screen_columns();
    print_head(test);
    putchar('\n');
    print_rules(test);
    print_kept(test);
    print_harm(test);
    backtest_picture(test, columns < PICTURE_MOST ? columns : PICTURE_MOST,
                     spark_is_utf8(), &picture);
    if (picture.len > 0)
        printf("\n%s", picture.data);
    buf_fini(&picture);
    print_firings(test, shows_all);
}

/* ---- side by side ------------------------------------------------------------------ */

struct figures {
    size_t firings;
    size_t criticals;
    size_t false_alarms;
    size_t before;
    size_t late;
    size_t never;
    int64_t ahead_ms; /* of all harms that were told of before, the mean; -1: none */
};

static struct figures figures_of(const struct backtest *test)
{
    struct figures figures = {.ahead_ms = -1};
    int64_t sum_ms = 0;
    for (size_t i = 0; i < test->rules->count; i++) {
        figures.firings += test->tallies[i].firings;
        figures.criticals += test->tallies[i].criticals;
        figures.false_alarms += test->tallies[i].false_alarms;
    }
    for (size_t i = 0; i < test->harm_count; i++) {
        const struct backtest_harm *harm = &test->harms[i];
        bool is_told = harm->warned_ms != INT64_MIN;
        bool is_before = is_told && harm->warned_ms <= harm->from_ms;
        figures.before += is_before;
        figures.late += is_told && !is_before;
        figures.never += !is_told;
        sum_ms += is_before ? harm->from_ms - harm->warned_ms : 0;
    }
    if (figures.before > 0)
        figures.ahead_ms = sum_ms / (int64_t)figures.before;
    return figures;
}

void backtest_compare(const struct backtest *const *tests, size_t count)
{
    char text[SHOW_SIZE];
    struct table table = {.headings = {"RULES", ">FIRINGS", ">CRITICAL", ">FALSE",
                                       ">A MONTH", ">WARNED", ">AHEAD", ">LATE",
                                       ">MISSED"}};
    for (size_t i = 0; i < count; i++) {
        struct figures figures = figures_of(tests[i]);
        table_cell(&table, "%s", tests[i]->rules->name);
        table_cell(&table, "%zu", figures.firings);
        table_cell(&table, "%zu", figures.criticals);
        if (!tests[i]->has_band) {
            for (int k = 0; k < 6; k++)
                table_cell(&table, "-");
            continue;
        }
        table_cell(&table, "%zu", figures.false_alarms);
        table_cell(&table, "%.1f", backtest_per_month(tests[i], figures.false_alarms));
        table_cell(&table, "%zu", figures.before);
        table_cell(&table, "%s", span(text, figures.ahead_ms));
        table_cell(&table, "%zu", figures.late);
        table_cell(&table, "%zu", figures.never);
    }
    table_print(&table, stdout);
    table_fini(&table);
}
