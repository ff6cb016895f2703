// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/alerts/story.h"

#include <jansson.h>

static struct alert_rule plain(void)
{
    struct alert_rule rule = rule_above("warm", 8, 7, 600, 300);
    rule_add_critical(&rule, 12, 11, 60, 300);
    return rule;
}

static struct alert_rule below(void)
{
    struct alert_rule rule = rule_mirrored(plain());
    return rule;
}

static struct alert_rule silent(void)
{
    return rule_silent("quiet", ALERT_SILENT, 600);
}

/* One thing wrong each. */
static void bad_id(struct alert_rule *rule)
{
    snprintf(rule->id, sizeof rule->id, "to warm");
}
static void no_id(struct alert_rule *rule)
{
    rule->id[0] = '\0';
}
static void no_zone(struct alert_rule *rule)
{
    rule->zone[0] = '\0';
}
static void no_quantity(struct alert_rule *rule)
{
    rule->quantity[0] = '\0';
}
static void bad_quantity(struct alert_rule *rule)
{
    snprintf(rule->quantity, sizeof rule->quantity, "air temperature");
}
static void bad_kind(struct alert_rule *rule)
{
    rule->kind = (enum alert_kind)77;
}
static void no_levels(struct alert_rule *rule)
{
    rule->level_count = 0;
}
static void many_levels(struct alert_rule *rule)
{
    rule->level_count = ALERT_LEVELS_MAX + 1;
}
static void nan_level(struct alert_rule *rule)
{
    rule->levels[0].level = NAN;
}
static void infinite_recovery(struct alert_rule *rule)
{
    rule->levels[1].recovery_level = INFINITY;
}
static void wrong_side(struct alert_rule *rule)
{
    rule->levels[0].recovery_level =
        rule->levels[0].level + (rule->kind == ALERT_ABOVE ? 0.1 : -0.1);
}
static void negative_delay(struct alert_rule *rule)
{
    rule->levels[0].delay_ms = -1;
}
static void negative_recovery_delay(struct alert_rule *rule)
{
    rule->levels[1].recovery_delay_ms = -1;
}
static void endless_delay(struct alert_rule *rule)
{
    rule->levels[1].delay_ms = ALERT_DELAY_MAX_MS + 1;
}
static void swapped_levels(struct alert_rule *rule)
{
    struct alert_level level = rule->levels[0];
    rule->levels[0] = rule->levels[1];
    rule->levels[1] = level;
}
static void equal_levels(struct alert_rule *rule)
{
    rule->levels[1].level = rule->levels[0].level;
    rule->levels[1].recovery_level = rule->levels[0].recovery_level;
}
static void milder_further_out(struct alert_rule *rule)
{
    rule->levels[0].severity = ALERT_CRITICAL;
    rule->levels[1].severity = ALERT_WARNING;
}
static void recoveries_crossed(struct alert_rule *rule)
{
    rule->levels[1].recovery_level =
        rule->levels[0].recovery_level + (rule->kind == ALERT_ABOVE ? -1 : 1);
}
static void bad_severity(struct alert_rule *rule)
{
    rule->levels[0].severity = (enum alert_severity)9;
}
static void out_of_reach(struct alert_rule *rule)
{
    rule->levels[1].level = rule->kind == ALERT_ABOVE ? 1e6 : -1e6;
}
static void no_silence(struct alert_rule *rule)
{
    rule->kind = ALERT_SILENT_DEVICE; /* of a channel it would be learned */
    rule->silent_ms = 0;
}
static void negative_silence(struct alert_rule *rule)
{
    rule->silent_ms = -5;
}
static void endless_silence(struct alert_rule *rule)
{
    rule->silent_ms = INT64_MAX;
}
static void silence_with_levels(struct alert_rule *rule)
{
    rule->level_count = 1;
}
static void bad_silent_severity(struct alert_rule *rule)
{
    rule->silent_severity = (enum alert_severity)2;
}
static void device_with_quantity(struct alert_rule *rule)
{
    rule->kind = ALERT_SILENT_DEVICE;
    snprintf(rule->quantity, sizeof rule->quantity, "door");
}

static void contradictions_are_refused_with_a_sentence(void)
{
    static const struct {
        const char *name;
        struct alert_rule (*base)(void);
        void (*spoil)(struct alert_rule *rule);
        const char *says;
    } rows[] = {
        {"bad id", plain, bad_id, "'to warm'"},
        {"no id", plain, no_id, "id ''"},
        {"no zone", plain, no_zone, "zone"},
        {"no quantity", plain, no_quantity, "no quantity"},
        {"bad quantity", plain, bad_quantity, "'air temperature'"},
        {"bad kind", plain, bad_kind, "kind 77"},
        {"no levels", plain, no_levels, "1 to 4 levels"},
        {"many levels", plain, many_levels, "it has 5"},
        {"level is no number", plain, nan_level, "finite"},
        {"recovery is no number", below, infinite_recovery, "finite"},
        {"recovers while it fires, above", plain, wrong_side, "8 needs a recovery"},
        {"recovers while it fires, below", below, wrong_side, "-8 needs a recovery"},
        {"negative delay", plain, negative_delay, "between 0 and 366 days"},
        {"negative recovery delay", below, negative_recovery_delay, "between 0 and 366"},
        {"endless delay", plain, endless_delay, "between 0 and 366 days"},
        {"swapped levels, above", plain, swapped_levels, "8 cannot follow 12"},
        {"swapped levels, below", below, swapped_levels, "-8 cannot follow -12"},
        {"equal levels", plain, equal_levels, "8 cannot follow 8"},
        {"a warning beyond a critical", plain, milder_further_out, "only a warning"},
        {"recoveries crossed, above", plain, recoveries_crossed, "recovers at 6"},
        {"recoveries crossed, below", below, recoveries_crossed, "recovers at -6"},
        {"bad severity", plain, bad_severity, "severity 9"},
        {"out of reach, above", plain, out_of_reach, "never fire: air_temperature"},
        {"out of reach, below", below, out_of_reach, "never fire: air_temperature"},
        {"no silence", silent, no_silence, "silence of 0 ms"},
        {"negative silence", silent, negative_silence, "silence of -5 ms"},
        {"endless silence", silent, endless_silence, "at most 366 days"},
        {"silence with levels", silent, silence_with_levels, "no levels"},
        {"severity of silence", silent, bad_silent_severity, "severity 2"},
        {"a device has no quantity", silent, device_with_quantity, "'door' alone"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alert_rule rule = rows[i].base();
        struct err_text why = {""};
        CHECK_ROW(rows[i].name, alert_rule_check(&rule, &why) == ERR_OK);
        rows[i].spoil(&rule);
        CHECK_ROW(rows[i].name, alert_rule_check(&rule, &why) == ERR_INVALID);
        if (strstr(why.text, rows[i].says) == NULL)
            printf("\n  got: %s\n", why.text);
        CHECK_ROW(rows[i].name, strstr(why.text, rows[i].says) != NULL);
        CHECK_ROW(rows[i].name, rule.id[0] == '\0' || strstr(why.text, rule.id) != NULL);
    }
}

static void unusual_rules_are_allowed(void)
{
    struct alert_rule rule = rule_above("r", 1e6, 1e6, 0, 0);
    snprintf(rule.quantity, sizeof rule.quantity, "urn:dev:ow:10e2073a:ppm");
    CHECK(alert_rule_check(&rule, NULL) == ERR_OK);
    rule = rule_silent("q", ALERT_SILENT_DEVICE, 1);
    CHECK(alert_rule_check(&rule, NULL) == ERR_OK);
    rule = rule_above("same", 8, 8, 0, 0); /* recovery at the level itself */
    CHECK(alert_rule_check(&rule, NULL) == ERR_OK);
}

static void a_set_with_a_bad_rule_changes_nothing(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rules[] = {rule_above("one", 8, 8, 0, 0),
                                 rule_above("one", 9, 9, 0, 0)};
    struct err_text why = {""};
    story_rules(&story, rules, 1);
    CHECK(alerts_set_rules(story.alerts, rules, 2, T0, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "two rules have the id 'one'") != NULL);
    rules[0].level_count = 0;
    CHECK(alerts_set_rules(story.alerts, rules, 1, T0, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "'one'") != NULL);
    story_read(&story, 0, 8.5);
    CHECK_TEXT(story_told(&story), "opened warning open 0>0 8.5");
    story_end(&story);
}

static void the_snapshot_is_the_rule_as_json(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", -9.9, -10.1, 0, 300);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, -9.9);
    CHECK_TEXT(story.last.snapshot,
               "{\"id\":\"warm\",\"zone\":\"room-1\",\"kind\":\"above\","
               "\"quantity\":\"air_temperature\",\"levels\":[{\"severity\":\"warning\","
               "\"level\":-9.9,\"delay_ms\":0,\"recovery_level\":-10.1,"
               "\"recovery_delay_ms\":300000}]}");
    rule = rule_silent("quiet", ALERT_SILENT, 600);
    story_rules(&story, &rule, 1);
    story_tick(&story, 600);
    CHECK_TEXT(story.last.snapshot,
               "{\"id\":\"quiet\",\"zone\":\"room-1\",\"kind\":\"silent\","
               "\"silent_ms\":600000,\"severity\":\"critical\"}");
    story_end(&story);
}

/* The longest ids, four levels, numbers of all digits: it must still fit, and be exact.
 */
static void the_largest_snapshot_fits(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("r", 1, 1, 0, 0);
    memset(rule.id, 'r', ID_MAX);
    memset(rule.zone, 'z', ID_MAX);
    memset(rule.quantity, 'q', ID_MAX);
    rule.level_count = ALERT_LEVELS_MAX;
    for (int i = 0; i < ALERT_LEVELS_MAX; i++)
        rule.levels[i] = (struct alert_level){
            .severity = ALERT_CRITICAL,
            .level = -1.2345678901234567e-300 / (i + 3),
            .delay_ms = ALERT_DELAY_MAX_MS - 1,
            .recovery_level = -1.2345678901234567e-300 / (i + 2),
            .recovery_delay_ms = ALERT_DELAY_MAX_MS - 1,
        };
    rule.levels[0].delay_ms = 0;
    rule.unless = (1u << ALERT_REASON_SPARSE) - 1;
    story_rules(&story, &rule, 1);
    struct alert_reading reading = story_reading("q-1", 0, 1);
    reading.zone = rule.zone;
    reading.quantity = rule.quantity;
    alerts_reading(story.alerts, &reading, &story.sink);
    json_t *json = json_loads(story.last.snapshot, 0, NULL);
    CHECK(json != NULL);
    const json_t *level = json_array_get(json_object_get(json, "levels"), 3);
    CHECK(json_real_value(json_object_get(level, "level")) == rule.levels[3].level);
    CHECK_TEXT(json_string_value(json_object_get(json, "id")), rule.id);
    json_decref(json);
    story_end(&story);
}

static void windows_and_reasons_of_kinds_that_have_none_are_refused(void)
{
    struct err_text why = {""};
    struct alert_rule rule = plain();
    rule.window_ms = 60000;
    CHECK(alert_rule_check(&rule, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "above has no window") != NULL);
    rule = plain();
    rule.unless = 1u << ALERT_REASON_COUNT;
    CHECK(alert_rule_check(&rule, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "unknown reason 0x100") != NULL);
    rule.unless = 1u << ALERT_REASON_SPARSE;
    CHECK(alert_rule_check(&rule, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "nothing that a rule names") != NULL);
    rule = plain();
    rule.is_safety = true;
    rule.unless = 1u << ALERT_REASON_DOOR;
    CHECK(alert_rule_check(&rule, &why) == ERR_OK);
    rule.unless = 1u << ALERT_REASON_OFF_DUTY;
    CHECK(alert_rule_check(&rule, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "rings off duty") != NULL);
    rule = silent();
    rule.unless = 1u << ALERT_REASON_DEFROST;
    CHECK(alert_rule_check(&rule, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "silent unless defrost") != NULL);
    rule.unless = 1u << ALERT_REASON_DEVICE_SILENT;
    CHECK(alert_rule_check(&rule, &why) == ERR_OK);
    rule.silent_ms = 0;
    CHECK(alert_rule_check(&rule, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "how long a channel may be silent") != NULL);
    rule = silent();
    rule.kind = ALERT_SILENT_DEVICE;
    rule.quantity[0] = '\0';
    rule.unless = 1u << ALERT_REASON_DEVICE_SILENT;
    CHECK(alert_rule_check(&rule, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "not for silent_device") != NULL);
    rule = plain();
    rule.unless = 1u << ALERT_REASON_DEVICE_SILENT;
    CHECK(alert_rule_check(&rule, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "not for above") != NULL);
}

static void names_are_read_as_written(void)
{
    enum alert_reason reason;
    for (unsigned i = 0; i < ALERT_REASON_COUNT; i++)
        CHECK(alert_reason_parse(&reason, alert_reason_name((enum alert_reason)i)) &&
              reason == (enum alert_reason)i);
    CHECK(!alert_reason_parse(&reason, "weather"));
    enum alert_kind kind;
    for (unsigned i = 0; i < ALERT_KIND_COUNT; i++)
        CHECK(alert_kind_parse(&kind, alert_kind_name((enum alert_kind)i)) &&
              kind == (enum alert_kind)i);
    CHECK(!alert_kind_parse(&kind, "Above") && !alert_kind_parse(&kind, ""));
    enum alert_severity severity;
    for (unsigned i = 0; i <= ALERT_CRITICAL; i++)
        CHECK(alert_severity_parse(&severity,
                                   alert_severity_name((enum alert_severity)i)) &&
              severity == (enum alert_severity)i);
    CHECK(!alert_severity_parse(&severity, "fatal"));
    enum incident_state state;
    for (unsigned i = 0; i <= INCIDENT_CLOSED; i++)
        CHECK(incident_state_parse(&state, incident_state_name((enum incident_state)i)) &&
              state == (enum incident_state)i);
    CHECK(!incident_state_parse(&state, "gone"));
    CHECK_TEXT(alert_effect_name(ALERT_EFFECT_ESCALATED), "escalated");
}

/* ---- numbers that the band gives -------------------------------------------------- */

static void ends_of_the_band_are_read_as_written(void)
{
    static const struct {
        const char *text;
        const char *again; /* NULL: it is none */
        enum alert_edge edge;
        double offset;
    } rows[] = {
        {"band_high", "band_high", ALERT_EDGE_HIGH, 0},
        {"band_low", "band_low", ALERT_EDGE_LOW, 0},
        {"band_high+0.5", "band_high+0.5", ALERT_EDGE_HIGH, 0.5},
        {"band_low - 1", "band_low-1", ALERT_EDGE_LOW, -1},
        {"band_high +0", "band_high", ALERT_EDGE_HIGH, 0},
        {"band", NULL, ALERT_EDGE_NONE, 0},
        {"band_higher", NULL, ALERT_EDGE_NONE, 0},
        {"band_high 1", NULL, ALERT_EDGE_NONE, 0},
        {"band_high+", NULL, ALERT_EDGE_NONE, 0},
        {"band_high+-1", NULL, ALERT_EDGE_NONE, 0},
        {"band_high+nan", NULL, ALERT_EDGE_NONE, 0},
        {"band_high+1000", NULL, ALERT_EDGE_NONE, 0},
        {"band_high+1K", NULL, ALERT_EDGE_NONE, 0},
        {"8", NULL, ALERT_EDGE_NONE, 0},
        {"", NULL, ALERT_EDGE_NONE, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alert_from_band from;
        char text[ALERT_FROM_BAND_SIZE];
        CHECK_ROW(rows[i].text,
                  alert_from_band_parse(&from, rows[i].text) == (rows[i].again != NULL));
        CHECK_ROW(rows[i].text,
                  from.edge == rows[i].edge && from.offset == rows[i].offset);
        alert_from_band_format(&from, text);
        CHECK_ROW(rows[i].text,
                  strcmp(text, rows[i].again != NULL ? rows[i].again : "") == 0);
    }
}

static void a_rule_takes_its_numbers_from_the_band(void)
{
    static const struct {
        const char *name;
        enum alert_kind kind;
        const char *quantity;
        struct alert_from_band level;
        struct alert_from_band recovery;
        struct alert_from_band limit;
        double low;
        double high;
        const char *says; /* "" when it is a rule */
    } rows[] = {
        {.name = "the end itself",
         .level = {ALERT_EDGE_HIGH, 0},
         .recovery = {ALERT_EDGE_HIGH, -0.5},
         .low = 0,
         .high = 4,
         .says = ""},
        {.name = "there is no such end",
         .level = {ALERT_EDGE_HIGH, 0},
         .recovery = {ALERT_EDGE_HIGH, 0},
         .low = 0,
         .high = NAN,
         .says = "names band_high, which zone '"},
        {.name = "the recovery names one that is not there",
         .recovery = {ALERT_EDGE_LOW, 0},
         .low = NAN,
         .high = 4,
         .says = "names band_low"},
        {.name = "a recovery of its own that fits no more",
         .level = {ALERT_EDGE_HIGH, 0},
         .low = 0,
         .high = 4,
         .says = "would recover while it fires"},
        {.name = "no temperature",
         .quantity = "humidity",
         .level = {ALERT_EDGE_HIGH, 0},
         .low = 0,
         .high = 4,
         .says = "which is one of temperature, and watches 'humidity'"},
        {.name = "minutes",
         .kind = ALERT_CUMULATIVE_ABOVE,
         .level = {ALERT_EDGE_HIGH, 0},
         .low = 0,
         .high = 4,
         .says = "only its limit can name the band"},
        {.name = "minutes beyond it",
         .kind = ALERT_CUMULATIVE_ABOVE,
         .limit = {ALERT_EDGE_HIGH, 0.5},
         .low = 0,
         .high = 4,
         .says = ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why = {""};
        struct alert_rule rule = rule_above("warm", 8, 7, 600, 300);
        rule.kind = rows[i].kind;
        if (rows[i].quantity != NULL)
            snprintf(rule.quantity, sizeof rule.quantity, "%s", rows[i].quantity);
        rule.levels[0].level_from = rows[i].level;
        rule.levels[0].recovery_from = rows[i].recovery;
        rule.limit_from = rows[i].limit;
        CHECK_ROW(rows[i].name, alert_rule_names_band(&rule));
        alert_rule_resolve(&rule, rows[i].low, rows[i].high);
        bool is_good = rows[i].says[0] == '\0';
        CHECK_ROW(rows[i].name, (alert_rule_check(&rule, &why) == ERR_OK) == is_good);
        CHECK_ROW(rows[i].name, strstr(why.text, rows[i].says) != NULL);
        if (is_good && rows[i].level.edge != ALERT_EDGE_NONE)
            CHECK_ROW(rows[i].name,
                      rule.levels[0].level == 4 && rule.levels[0].recovery_level == 3.5);
        if (is_good && rows[i].limit.edge != ALERT_EDGE_NONE)
            CHECK_ROW(rows[i].name, rule.limit == 4.5 && rule.levels[0].level == 8);
    }
    struct alert_rule numbers = plain();
    CHECK(!alert_rule_names_band(&numbers));
    alert_rule_resolve(&numbers, 0, 4);
    CHECK(numbers.levels[0].level == 8 && numbers.levels[1].recovery_level == 11);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"ends of the band are read as written", ends_of_the_band_are_read_as_written},
        {"a rule takes its numbers from the band",
         a_rule_takes_its_numbers_from_the_band},
        {"contradictions are refused with a sentence",
         contradictions_are_refused_with_a_sentence},
        {"unusual rules are allowed", unusual_rules_are_allowed},
        {"a set with a bad rule changes nothing", a_set_with_a_bad_rule_changes_nothing},
        {"the snapshot is the rule as JSON", the_snapshot_is_the_rule_as_json},
        {"the largest snapshot fits", the_largest_snapshot_fits},
        {"windows and reasons of kinds that have none are refused",
         windows_and_reasons_of_kinds_that_have_none_are_refused},
        {"names are read as written", names_are_read_as_written},
        CU_TEST_INFO_NULL,
    };
    return check_run("rule", tests);
}
