// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>

#include "base/buf.h"
#include "coldchainctl/backtest.h"
#include "coldchainctl/backtest_show.h"
#include "tests/support/check.h"

#define T0     INT64_C(1767225600000)
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

static const char rules_text[] =
    "rules:\n"
    "  - id: warm\n"
    "    zone: z\n"
    "    kind: above\n"
    "    quantity: air_temperature\n"
    "    levels: [{level: 8, delay: 30m}]\n"
    "  - {id: cold, zone: z, kind: below, quantity: air_temperature, levels: [{level: 2}]}\n"
    "  - {id: gone, zone: z, kind: silent, quantity: air_temperature, silent: 1h}\n";

struct bench {
    struct backtest_rules rules;
    struct backtest_data data;
    struct backtest test;
    int64_t now_ms;
};

static void begin(struct bench *bench)
{
    struct err_text why = {""};
    *bench = (struct bench){.now_ms = T0};
    CHECK(backtest_rules_parse(&bench->rules, "r.yaml", rules_text, strlen(rules_text),
                               &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
}

static void put(struct bench *bench, const char *channel, int64_t time_ms,
                int64_t arrival_ms, double value)
{
    struct err_text why = {""};
    int index = backtest_data_channel(&bench->data, "z", "d", channel);
    CHECK(index >= 0);
    const struct backtest_reading reading = {.time_ms = time_ms,
                                             .arrival_ms = arrival_ms,
                                             .value = value,
                                             .channel = (uint16_t)index};
    CHECK(backtest_data_add(&bench->data, &reading, &why) == ERR_OK);
}

/* So many minutes of air at that temperature, a reading each. */
static void air(struct bench *bench, int minutes, double value)
{
    for (int i = 0; i < minutes; i++, bench->now_ms += MINUTE)
        put(bench, "air_temperature", bench->now_ms, bench->now_ms, value);
}

static void run(struct bench *bench, double low, double high, double tau_h,
                bool as_arrived)
{
    struct err_text why = {""};
    const struct backtest_options options = {
        .band_low = low, .band_high = high, .tau_h = tau_h};
    CHECK(backtest_data_order(&bench->data, as_arrived, &why) == ERR_OK);
    CHECK(backtest_run(&bench->test, &bench->rules, &bench->data, &options, &why) ==
          ERR_OK);
    CHECK_TEXT(why.text, "");
}

static void end(struct bench *bench)
{
    backtest_fini(&bench->test);
    backtest_data_fini(&bench->data);
    backtest_rules_fini(&bench->rules);
}

static void lines_and_bands_of_a_file(void)
{
    static const char text[] = "coldchain_config: 1\n"
                               "zones:\n"
                               "  - {id: z, site: s, band_low: 2}\n"
                               "  - {id: y, site: s}\n"
                               "rules:\n"
                               "  - {id: a, zone: z, kind: above, quantity: humidity, "
                               "levels: [{level: 80}]}\n"
                               "  - {id: b, zone: y, kind: silent, silent: 5m}\n";
    struct backtest_rules rules;
    struct err_text why = {""};
    CHECK(backtest_rules_parse(&rules, "f", text, strlen(text), &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
    CHECK(rules.count == 2 && rules.lines[0] == 6 && rules.lines[1] == 7);
    CHECK(rules.rules[0].levels[0].recovery_level == 80);
    CHECK(json_object_size(rules.zones) == 2);
    CHECK(json_number_value(
              json_object_get(json_object_get(rules.zones, "z"), "band_low")) == 2);
    CHECK(backtest_rules_zone(&rules) == NULL);
    CHECK(backtest_rules_keep(&rules, "x", &why) == ERR_NOT_FOUND);
    backtest_rules_fini(&rules);
    CHECK(backtest_rules_parse(&rules, "f", text, strlen(text), &why) == ERR_OK);
    CHECK(backtest_rules_keep(&rules, "y", &why) == ERR_OK);
    CHECK(rules.count == 1 && rules.lines[0] == 7);
    CHECK_TEXT(backtest_rules_zone(&rules), "y");
    backtest_rules_fini(&rules);
}

/* What the file says of the zone, or who tries it, gives the numbers. */
static void a_rule_may_name_the_band(void)
{
    static const struct {
        const char *name;
        const char *zone;
        double high; /* of --band */
        size_t firings;
        const char *says;
    } rows[] = {
        {"of the zone", ", band_high: 8", NAN, 1, ""},
        {"of its goods", ", goods: [banana]", NAN, 0, ""},
        {"as tried", ", band_high: 8", 12, 0, ""},
        {"none", "", NAN, 0, "f:5: rule 'a' names band_high, which zone 'z' has not"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[400];
        struct bench bench = {.now_ms = T0};
        struct err_text why = {""};
        snprintf(text, sizeof text,
                 "coldchain_config: 1\n"
                 "zones:\n"
                 "  - {id: z, site: s%s}\n"
                 "rules:\n"
                 "  - {id: a, zone: z, kind: above, quantity: air_temperature, "
                 "levels: [{level: band_high}]}\n",
                 rows[i].zone);
        CHECK_ROW(rows[i].name, backtest_rules_parse(&bench.rules, "f", text,
                                                     strlen(text), &why) == ERR_OK);
        air(&bench, 60, 9);
        CHECK(backtest_data_order(&bench.data, false, &why) == ERR_OK);
        const struct backtest_options options = {
            .band_low = NAN, .band_high = rows[i].high, .tau_h = NAN};
        enum err err =
            backtest_run(&bench.test, &bench.rules, &bench.data, &options, &why);
        CHECK_ROW(rows[i].name, (err == ERR_OK) == (rows[i].says[0] == '\0'));
        CHECK_ROW(rows[i].name, strstr(why.text, rows[i].says) != NULL);
        CHECK_ROW(rows[i].name, bench.test.firing_count == rows[i].firings);
        end(&bench);
    }
}

/* Strawberries, whose life is 5 to 7 days at 0 C, grow old in a room that is in order. */
static void goods_grow_old_in_a_record(void)
{
    static const char text[] =
        "coldchain_config: 1\n"
        "zones:\n"
        "  - {id: z, site: s, goods: [strawberry]}\n"
        "rules:\n"
        "  - {id: old, zone: z, kind: life_left, quantity: product_temperature, "
        "levels: [{level: 50}]}\n";
    struct bench bench = {.now_ms = T0};
    struct err_text why = {""};
    CHECK(backtest_rules_parse(&bench.rules, "f", text, strlen(text), &why) == ERR_OK);
    air(&bench, 3 * 24 * 60 + 30, 0);
    run(&bench, NAN, NAN, NAN, false);
    CHECK(bench.test.firing_count == 1);
    CHECK(bench.test.firings[0].onset_ms == T0 + 3 * 24 * HOUR);
    CHECK(bench.test.has_band && !bench.test.tallies[0].is_about_harm);
    end(&bench);
}

static void a_warning_comes_before_harm(void)
{
    struct bench bench;
    begin(&bench);
    air(&bench, 60, 5);
    air(&bench, 600, 20);
    air(&bench, 1, 5);
    run(&bench, 2, 8, 6, false);
    const struct backtest_tally *warm = &bench.test.tallies[0];
    CHECK(warm->firings == 1 && warm->open == 0 && warm->delay_ms == 30 * MINUTE);
    CHECK(warm->warned == 1 && warm->late == 0 && warm->missed == 0);
    /* 5 C in 20 C is 8 C after 6 h * ln(15 / 12): 80 min. */
    CHECK(warm->ahead_ms == 51 * MINUTE);
    CHECK(bench.test.harm_count == 1 && bench.test.is_estimated);
    CHECK(!bench.test.harms[0].is_over && bench.test.harms[0].is_warm);
    CHECK(bench.test.tallies[1].missed == 0); /* warm harm is not for `cold` to tell */
    CHECK(!bench.test.tallies[2].is_about_harm);
    end(&bench);
}

static void harm_of_both_sides_and_the_rule_that_misses_it(void)
{
    struct bench bench;
    begin(&bench);
    air(&bench, 20, 9); /* too short for `warm` */
    air(&bench, 60, 5);
    air(&bench, 20, 1);
    air(&bench, 60, 5);
    run(&bench, 2, 8, 0, false);
    CHECK(bench.test.harm_count == 2 && !bench.test.is_estimated);
    CHECK(bench.test.tallies[0].missed == 1 && bench.test.tallies[0].firings == 0);
    CHECK(bench.test.tallies[1].warned == 1 && bench.test.tallies[1].ahead_ms == 0);
    CHECK(bench.test.tallies[1].false_alarms == 0);
    CHECK(bench.test.harms[0].warned_ms == INT64_MIN);
    end(&bench);
}

static void harm_that_comes_back_soon_is_one(void)
{
    struct bench bench;
    begin(&bench);
    air(&bench, 10, 9);
    air(&bench, 29, 5);
    air(&bench, 10, 9.5);
    air(&bench, 31, 5);
    air(&bench, 10, 9);
    air(&bench, 60, 5);
    run(&bench, 2, 8, 0, false);
    CHECK(bench.test.harm_count == 2);
    CHECK(bench.test.harms[0].worst == 9.5);
    CHECK(bench.test.harms[0].to_ms == T0 + 49 * MINUTE);
    CHECK(bench.test.harms[1].from_ms == T0 + 80 * MINUTE);
    end(&bench);
}

static void silence_as_measured_and_as_it_arrived(void)
{
    struct bench bench;
    begin(&bench);
    air(&bench, 60, 5);
    for (int i = 0; i < 180; i++, bench.now_ms += MINUTE)
        put(&bench, "air_temperature", bench.now_ms, T0 + 240 * MINUTE, 5);
    air(&bench, 30, 5);
    run(&bench, 2, 8, 0, true);
    CHECK(bench.test.tallies[2].firings == 1);
    CHECK(bench.test.firings[0].onset_ms == T0 + 59 * MINUTE);
    CHECK(bench.test.firings[0].closed_ms == T0 + 240 * MINUTE);
    backtest_fini(&bench.test);
    run(&bench, 2, 8, 0, false);
    CHECK(bench.test.tallies[2].firings == 0);
    end(&bench);
}

/* Nobody can be told of what has not come yet. */
static void what_came_after_the_harm_warned_nobody(void)
{
    struct bench bench;
    begin(&bench);
    air(&bench, 60, 5);
    int64_t later_ms = bench.now_ms + 6 * HOUR;
    for (int i = 0; i < 120; i++, bench.now_ms += MINUTE)
        put(&bench, "air_temperature", bench.now_ms, later_ms, 20);
    bench.now_ms = later_ms + MINUTE;
    air(&bench, 60, 5);
    run(&bench, 2, 8, 6, true);
    const struct backtest_tally *warm = &bench.test.tallies[0];
    CHECK(warm->firings == 1 && warm->delay_ms == 6 * HOUR);
    CHECK(warm->warned == 0 && warm->late == 1 && warm->missed == 0);
    CHECK(warm->ahead_ms == -1 && bench.test.harm_count == 1);
    for (size_t i = 0; i < bench.test.harm_count; i++)
        CHECK(bench.test.harms[i].warned_ms == later_ms);
    backtest_fini(&bench.test);
    run(&bench, 2, 8, 6, false);
    warm = &bench.test.tallies[0];
    CHECK(warm->firings == 1 && warm->delay_ms == 30 * MINUTE);
    CHECK(warm->warned == 1 && warm->late == 0);
    end(&bench);
}

/* Newer readings came first: what happened to the goods is the same. */
static void harm_goes_by_when_it_was_measured(void)
{
    struct bench bench;
    begin(&bench);
    air(&bench, 60, 5);
    int64_t hot_ms = bench.now_ms;
    for (int i = 0; i < 20; i++, bench.now_ms += MINUTE)
        put(&bench, "air_temperature", bench.now_ms, bench.now_ms + HOUR, 9);
    air(&bench, 120, 5);
    run(&bench, 2, 8, 0, true);
    CHECK(bench.test.harm_count == 1);
    for (size_t i = 0; i < bench.test.harm_count; i++) {
        CHECK(bench.test.harms[i].from_ms == hot_ms);
        CHECK(bench.test.harms[i].to_ms == hot_ms + 20 * MINUTE);
    }
    end(&bench);
}

static void whatever_order_a_record_has(void)
{
    struct bench bench;
    begin(&bench);
    for (int i = 59; i >= 0; i--)
        put(&bench, "air_temperature", T0 + i * MINUTE, T0 + i * MINUTE, i < 20 ? 9 : 5);
    put(&bench, "door", T0 + 5 * MINUTE, T0 + 5 * MINUTE, 1);
    run(&bench, NAN, NAN, 6, false);
    CHECK(bench.test.tallies[0].firings == 0 && !bench.test.has_band);
    CHECK(bench.data.readings[0].time_ms == T0);
    const struct backtest_reading *door = &bench.data.readings[5];
    CHECK(strcmp(bench.data.channels[door->channel].channel, "door") == 0);
    CHECK(bench.data.readings[6].time_ms == door->time_ms);
    end(&bench);
}

static void a_month_has_thirty_days(void)
{
    const struct backtest test = {.span_ms = 60 * 24 * HOUR};
    const struct backtest moment = {.span_ms = 0};
    CHECK(backtest_per_month(&test, 3) == 1.5);
    CHECK(backtest_per_month(&moment, 3) == 3);
}

static void a_picture_shows_what_lasts_a_minute(void)
{
    struct bench bench;
    struct buf picture = {0};
    begin(&bench);
    air(&bench, 2000, 5);
    air(&bench, 1, 1);
    air(&bench, 2000, 5);
    run(&bench, 2, 8, 0, false);
    backtest_picture(&bench.test, 100, false, &picture);
    CHECK(picture.len > 0);
    const char *course = picture.data + 24;
    const char *marks = strchr(course, '\n') + 1;
    CHECK(strncmp(marks, "cold ", 5) == 0);
    size_t at = (size_t)(strchr(marks, '#') - marks) - 24;
    CHECK(course[at] == '_' && course[at + 2] == '#');
    CHECK(strstr(picture.data, "harm") != NULL);
    CHECK(strstr(picture.data, "2026-01-01") != NULL);
    buf_fini(&picture);
    end(&bench);
}

static void nothing_is_no_record(void)
{
    struct backtest_data data = {.count = 0};
    struct err_text why = {""};
    CHECK(backtest_data_order(&data, false, &why) == ERR_NOT_FOUND);
    CHECK_TEXT(why.text, "there is no reading in that time");
    backtest_data_fini(&data);
}

static CU_TestInfo tests[] = {
    {"a rule may name the band", a_rule_may_name_the_band},
    {"goods grow old in a record", goods_grow_old_in_a_record},
    {"a file's rules come with their lines, its zones with their bands",
     lines_and_bands_of_a_file},
    {"a warning comes before harm", a_warning_comes_before_harm},
    {"harm of both sides, and the rule that misses it",
     harm_of_both_sides_and_the_rule_that_misses_it},
    {"harm that comes back soon is one", harm_that_comes_back_soon_is_one},
    {"silence as measured and as it arrived", silence_as_measured_and_as_it_arrived},
    {"what came after the harm warned nobody", what_came_after_the_harm_warned_nobody},
    {"harm goes by when it was measured", harm_goes_by_when_it_was_measured},
    {"a record in any order is judged in that of time", whatever_order_a_record_has},
    {"a month has thirty days", a_month_has_thirty_days},
    {"a picture shows what lasts a minute", a_picture_shows_what_lasts_a_minute},
    {"nothing is no record", nothing_is_no_record},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("backtest", tests);
}
