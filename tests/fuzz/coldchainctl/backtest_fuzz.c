// SPDX-License-Identifier: Apache-2.0
/*
 * Two files of people: rules, then behind a NUL a record. Whatever they hold is refused
 * with a sentence or judged, and what is told fits the record.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "coldchainctl/backtest.h"
#include "coldchainctl/backtest_show.h"

#define COLUMNS "time=time@s,air_temperature=air@C,door=door"

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void check_rules(const struct backtest_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        require(alert_rule_check(&rules->rules[i], NULL) == ERR_OK);
        require(rules->lines[i] > 0);
    }
}

static void check_told(const struct backtest *test)
{
    size_t firings = 0;
    for (size_t i = 0; i < test->rules->count; i++) {
        const struct backtest_tally *tally = &test->tallies[i];
        firings += tally->firings;
        require(tally->false_alarms <= tally->firings);
        require(!tally->is_about_harm ||
                tally->warned + tally->late + tally->missed <= test->harm_count);
    }
    require(firings == test->firing_count);
    for (size_t i = 0; i < test->firing_count; i++) {
        const struct backtest_firing *firing = &test->firings[i];
        require(firing->rule < test->rules->count);
        require(firing->onset_ms <= firing->opened_ms);
        require(firing->closed_ms == 0 || firing->closed_ms == firing->end_ms);
        require(firing->harm == SIZE_MAX || firing->harm < test->harm_count);
    }
    for (size_t i = 0; i < test->harm_count; i++)
        require(test->harms[i].from_ms <= test->harms[i].to_ms &&
                isfinite(test->harms[i].worst));
}

static void look(const struct backtest *test)
{
    struct buf picture = {0};
    json_t *whole = backtest_json(test);
    backtest_picture(test, 60, true, &picture);
    require(whole != NULL);
    json_decref(whole);
    buf_fini(&picture);
}

static void judge(struct backtest_rules *rules, struct backtest_data *data)
{
    struct backtest test;
    struct err_text why = {""};
    const struct backtest_options options = {
        .band_low = 2, .band_high = 8, .tau_h = (double)NAN};
    if (backtest_data_order(data, false, &why) != ERR_OK)
        return;
    require(backtest_run(&test, rules, data, &options, &why) == ERR_OK);
    check_told(&test);
    look(&test);
    backtest_fini(&test);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const uint8_t *end = memchr(bytes, '\0', size);
    size_t len = end != NULL ? (size_t)(end - bytes) : size;
    struct backtest_rules rules;
    struct backtest_data data = {.count = 0};
    struct err_text why = {""};
    const struct backtest_csv csv = {
        .name = "r.csv", .columns = COLUMNS, .zone = "room-1", .is_partial = true};
    if (size > 20000)
        return 0;
    char *text = strndup((const char *)bytes, len);
    enum err err = backtest_rules_parse(&rules, "r.yaml", text, strlen(text), &why);
    require((err == ERR_OK) == (why.text[0] == '\0'));
    require(err == ERR_OK || strncmp(why.text, "r.yaml:", 7) == 0);
    if (err == ERR_OK) {
        check_rules(&rules);
        size_t at = end != NULL ? len + 1 : size;
        if (backtest_data_parse(&data, bytes + at, size - at, &csv, &why) == ERR_OK)
            judge(&rules, &data);
        else
            require(strncmp(why.text, "r.csv:", 6) == 0);
    }
    backtest_data_fini(&data);
    backtest_rules_fini(&rules);
    free(text);
    return 0;
}
