// SPDX-License-Identifier: Apache-2.0
/* The rules of a settings file: what they become, and what is refused or told of. */
#include "collector/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

#include "collector/pipeline/registry.h"
#include "tests/support/check.h"

#define HEAD \
    "sites:\n" \
    "  - id: store\n" \
    "    zones:\n" \
    "      - id: room-1\n" \
    "rules:\n"

/* Settings of the text; `why` is the first problem, "" for none. */
static void load(struct config *config, struct settings *settings, const char *rules,
                 struct err_text *why)
{
    char text[2000];
    snprintf(text, sizeof text, HEAD "%s", rules);
    *config = (struct config){0};
    *why = (struct err_text){""};
    enum err err = config_load_text(config, &settings_schema, settings, "seed.yaml", text,
                                    strlen(text), why);
    CHECK_ROW(rules, (err == ERR_OK) == (why->text[0] == '\0'));
}

static void a_rule_has_all_that_a_rule_can_have(void)
{
    struct config config;
    struct settings settings;
    struct err_text why;
    struct alert_rule rule;
    load(&config, &settings,
         "  - id: warm\n"
         "    zone: room-1\n"
         "    kind: above\n"
         "    limit: 8.5\n"
         "    unless: [door, planned_step]\n"
         "    safety: yes\n"
         "    levels:\n"
         "      - level: 12\n"
         "        delay: 10m\n",
         &why);
    CHECK_TEXT(why.text, "");
    CHECK(settings.rule_count == 1);
    config_rule_take(&rule, &settings.rules[0]);
    CHECK(rule.kind == ALERT_ABOVE && rule.limit == 8.5 && rule.window_ms == 0);
    CHECK(rule.unless == (1u << ALERT_REASON_DOOR | 1u << ALERT_REASON_PLANNED_STEP));
    CHECK(rule.is_safety && rule.levels[0].delay_ms == 600000);
    CHECK_TEXT(rule.quantity, "air_temperature");
    CHECK(config.warnings_count == 0);
    config_fini(&config);
}

/* As commands and exports call them. */
static void other_names_of_its_fields_are_taken(void)
{
    struct config config;
    struct settings settings;
    struct err_text why;
    struct alert_rule rule;
    load(
        &config, &settings,
        "  - {id: warm, zone: room-1, kind: above, levels: [{level: 8, recovery_level: 7}]}\n"
        "  - {id: gone, zone: room-1, kind: silent, silent: 5m, silent_severity: critical}\n",
        &why);
    CHECK_TEXT(why.text, "");
    CHECK(settings.rule_count == 2);
    config_rule_take(&rule, &settings.rules[0]);
    CHECK(rule.levels[0].recovery_level == 7);
    config_rule_take(&rule, &settings.rules[1]);
    CHECK(rule.silent_ms == 300000 && rule.silent_severity == ALERT_CRITICAL);
    config_fini(&config);
    load(&config, &settings,
         "  - {id: gone, zone: room-1, kind: silent, silent_after: 5m, silent: 6m}\n",
         &why);
    CHECK(strstr(why.text, "'rules[0].silent_after' has a value already") != NULL);
    config_fini(&config);
}

static void only_a_channel_asks_whether_its_device_is_heard(void)
{
    static const struct {
        const char *rule;
        const char *refused; /* NULL: it is taken */
    } rows[] = {
        {"  - {id: gone, zone: room-1, kind: silent, silent: 30m, unless: "
         "[device_silent]}\n",
         NULL},
        {"  - {id: gone, zone: room-1, kind: silent, silent: 0, unless: "
         "[device_silent]}\n",
         ":6: rule 'gone': with device_silent in unless a rule says how long"},
        {"  - {id: gone, zone: room-1, kind: silent_device, unless: [device_silent]}\n",
         ":6: rule 'gone': device_silent in unless is for the kind silent"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config config;
        struct settings settings;
        struct err_text why;
        load(&config, &settings, rows[i].rule, &why);
        if (rows[i].refused == NULL)
            CHECK_TEXT(why.text, "");
        else
            CHECK_ROW(why.text, strstr(why.text, rows[i].refused) != NULL);
        config_fini(&config);
    }
}

/* Their heads say that they may be copied. */
static void rules_that_come_with_it_are_settings(void)
{
    static const char *const names[] = {"room", "freezer", "van"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct config config = {0};
        struct settings settings;
        struct err_text why = {""};
        struct buf text = {0};
        char *path =
            mem_format("%s/alerts/profiles/%s.yaml", check_source_dir(), names[i]);
        buf_text(&text, "sites:\n  - {id: store, zones: [{id: place}]}\n");
        CHECK(file_read(&text, path, 1 << 20, &why) == ERR_OK);
        enum err err = config_load_text(&config, &settings_schema, &settings, path,
                                        text.data, text.len, &why);
        CHECK_ROW(names[i], err == ERR_OK && settings.rule_count >= 9);
        CHECK_TEXT(why.text, "");
        config_fini(&config);
        buf_fini(&text);
        free(path);
    }
}

static void each_kind_watches_what_it_is_about(void)
{
    static const struct {
        const char *kind;
        const char *quantity;
    } rows[] = {{"above", "air_temperature"}, {"silent", "air_temperature"},
                {"silent_device", ""},        {"mains_lost", "mains"},
                {"door_open", "door"},        {"defrost_missing", "defrost"},
                {"cycling", "compressor"},    {"calibration_due", ""},
                {"rate", "air_temperature"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alert_rule rule;
        struct config_rule from = {0};
        for (int k = 0; registry_rule_kinds[k] != NULL; k++)
            if (strcmp(registry_rule_kinds[k], rows[i].kind) == 0)
                from.kind = k;
        config_rule_take(&rule, &from);
        CHECK_TEXT(alert_kind_name(rule.kind), rows[i].kind);
        CHECK_TEXT(rule.quantity, rows[i].quantity);
    }
}

#define RULE(rest) "  - id: r\n    zone: room-1\n" rest

static void what_is_wrong_is_told_with_its_line(void)
{
    static const struct {
        const char *rules;
        const char *why;
    } rows[] = {
        {RULE("    kind: sideways\n"), "seed.yaml:8: "},
        {RULE("    kind: above\n"), "seed.yaml:6: rule 'r' needs 1 to 4 levels"},
        {RULE("    kind: above\n    limit: warm\n    levels: [{level: 8}]\n"),
         "seed.yaml:9: 'warm' is not a number, nor an end of the zone's band"},
        {RULE("    kind: above\n    unless: [door, tired]\n    levels: [{level: 8}]\n"),
         "seed.yaml:9: 'tired' is no reason; there are: defrost, door"},
        {RULE("    kind: above\n    safety: yes\n    unless: [off_duty]\n"
              "    levels: [{level: 8}]\n"),
         "seed.yaml:6: rule 'r' is about safety"},
        {RULE("    kind: above\n    levels: [{level: 99}]\n"),
         "seed.yaml:6: rule 'r' could never fire"},
        {RULE("    kind: above\n    levels: [{level: band_high}]\n"),
         "seed.yaml:6: rule 'r' names band_high, which zone 'room-1' has not"},
        {RULE("    kind: above\n    levels:\n      - level: band_high*2\n"),
         "seed.yaml:10: 'band_high*2' is not a number"},
        {RULE("    kind: above\n    window: 1h\n    levels: [{level: 8}]\n"),
         "seed.yaml:6: rule 'r': above has no window"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config config;
        struct settings settings;
        struct err_text why;
        load(&config, &settings, rows[i].rules, &why);
        CHECK_ROW(rows[i].why, strncmp(why.text, rows[i].why, strlen(rows[i].why)) == 0);
        config_fini(&config);
    }
}

/* What is said of the zone below `sites`, its goods with it. */
static void a_rule_may_name_the_band_of_its_zone(void)
{
    static const char *const zones[] = {"band_high: 8", "goods: [apple]"};
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        char text[600];
        struct config config = {0};
        struct settings settings;
        struct err_text why = {""};
        struct alert_rule rule;
        snprintf(text, sizeof text,
                 "sites:\n  - id: store\n    zones:\n      - id: room-1\n        %s\n"
                 "rules:\n  - id: r\n    zone: room-1\n    kind: above\n    levels:\n"
                 "      - {level: band_high + 1, recovery: band_high}\n",
                 zones[i]);
        CHECK_ROW(zones[i], config_load_text(&config, &settings_schema, &settings, "seed",
                                             text, strlen(text), &why) == ERR_OK);
        CHECK_TEXT(why.text, "");
        config_rule_take(&rule, &settings.rules[0]);
        CHECK(rule.levels[0].level_from.edge == ALERT_EDGE_HIGH &&
              rule.levels[0].level_from.offset == 1);
        CHECK(rule.levels[0].recovery_from.edge == ALERT_EDGE_HIGH);
        struct buf seed = {0};
        settings_seed(&settings, &seed);
        CHECK(strstr(seed.data, "\"level\":\"band_high+1\"") != NULL);
        buf_fini(&seed);
        config_fini(&config);
    }
}

static void what_is_hardly_meant_is_warned_of_with_its_line(void)
{
    struct config config;
    struct settings settings;
    struct err_text why;
    load(
        &config, &settings,
        RULE(
            "    kind: above\n    quantity: humidty\n    levels: [{level: 95}]\n") "  - id: s\n    zone: room-1\n    kind: below\n    quantity: humidity\n"
                                                                                   "    levels: [{level: 100}]\n",
        &why);
    CHECK_TEXT(why.text, "");
    CHECK(config.warnings_count == 2);
    CHECK_TEXT(
        config.warnings.data,
        "seed.yaml:6: rule 'r' watches 'humidty', which is no registered quantity; "
        "did you mean 'humidity'?\n"
        "seed.yaml:11: rule 's' fires at whatever is measured: humidity is between "
        "0 and 100, its level is 100\n");
    config_fini(&config);
}

/* A program needs no contact, and without a policy everything goes everywhere. */
static void a_channel_that_policies_never_tell_over_is_warned_of(void)
{
    static const char channels_text[] =
        "channels:\n"
        "  - {name: call, kind: command, command: [/bin/true]}\n"
        "  - {name: group, kind: wecom, token: t}\n"
        "  - {name: desk, kind: alertmanager, url: 'http://127.0.0.1:9'}\n"
        "webhooks:\n"
        "  - {name: hook, url: 'http://127.0.0.1:9'}\n"
        "escalation:\n"
        "  contacts: [{id: li, addresses: [{channel: call}]}]\n"
        "  duties: [{id: all, shifts: [{contact: li}]}]\n";
    static const char policy_text[] = "  policies: [{id: any, steps: [{duty: all}]}]\n";
    for (int has_policy = 0; has_policy < 2; has_policy++) {
        char text[1000];
        struct config config;
        struct settings settings;
        struct err_text why;
        snprintf(text, sizeof text, "%s%s%s",
                 RULE("    kind: above\n    levels: [{level: 8}]\n"), channels_text,
                 has_policy ? policy_text : "");
        load(&config, &settings, text, &why);
        CHECK_TEXT(why.text, "");
        CHECK(config.warnings_count == (size_t)has_policy);
        if (has_policy)
            CHECK(strstr(config.warnings.data, "seed.yaml:12: no contact has an address "
                                               "on channel 'group'") != NULL);
        config_fini(&config);
    }
}

/* The examples of the document, all in one file; each kind has one. Some ask for goods in
 * the zone. */
static void the_document_s_rules_are_rules(void)
{
    struct buf text = {0};
    struct buf rules = {0};
    struct err_text why = {""};
    struct config config = {0};
    struct settings settings;
    char *path = mem_format("%s/docs/rules.md", check_source_dir());
    CHECK(file_read(&text, path, 1 << 20, &why) == ERR_OK);
    buf_text(&text, "");
    buf_text(&rules, "sites:\n  - id: store\n    zones:\n"
                     "      - {id: room-1, goods: [strawberry]}\nrules:\n");
    const char *at = text.data;
    while ((at = strstr(at, "```yaml\n")) != NULL) {
        at += strlen("```yaml\n");
        const char *end = strstr(at, "```");
        for (; at < end; at = strchr(at, '\n') + 1)
            buf_format(&rules, "  %.*s\n", (int)strcspn(at, "\n"), at);
    }
    CHECK(config_load_text(&config, &settings_schema, &settings, "rules.md", rules.data,
                           rules.len, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
    CHECK(config.warnings_count == 0);
    for (int kind = 0; registry_rule_kinds[kind] != NULL; kind++) {
        bool has_example = strcmp(registry_rule_kinds[kind], "below") == 0 ||
                           strcmp(registry_rule_kinds[kind], "cumulative_below") == 0 ||
                           strcmp(registry_rule_kinds[kind], "dose_above") == 0;
        for (size_t i = 0; i < settings.rule_count; i++)
            has_example |= settings.rules[i].kind == kind;
        CHECK_ROW(registry_rule_kinds[kind], has_example);
    }
    config_fini(&config);
    buf_fini(&rules);
    buf_fini(&text);
    free(path);
}

#define HEAD_OF_SITE \
    "sites:\n" \
    "  - id: store\n" \
    "    time_zone: %s\n" \
    "    zones:\n" \
    "      - id: room-1\n"

/* What a site's clocks go by is in the seed; a zone of time that is none is refused. */
static void a_site_may_say_its_time_zone(void)
{
    static const struct {
        const char *name;
        const char *want; /* a part of the complaint; NULL: it is good */
    } rows[] = {{"Asia/Shanghai", NULL},
                {"UTC", NULL},
                {"Asia/Shanhai", "seed.yaml:3"},
                {"../../etc/passwd", "is no time zone"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config config = {0};
        struct settings settings;
        struct err_text why = {""};
        struct buf seed = {0};
        char *yaml = mem_format(HEAD_OF_SITE, rows[i].name);
        enum err err = config_load_text(&config, &settings_schema, &settings, "seed.yaml",
                                        yaml, strlen(yaml), &why);
        CHECK_ROW(rows[i].name, (err == ERR_OK) == (rows[i].want == NULL));
        if (rows[i].want != NULL) {
            CHECK_ROW(rows[i].name, strstr(why.text, rows[i].want) != NULL);
        } else {
            char *want = mem_format("\"site_tz\":\"%s\"", rows[i].name);
            settings_seed(&settings, &seed);
            CHECK_ROW(rows[i].name, strstr(seed.data, want) != NULL);
            free(want);
        }
        buf_fini(&seed);
        config_fini(&config);
        free(yaml);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a rule may name the band of its zone", a_rule_may_name_the_band_of_its_zone},
        {"a site may say its time zone", a_site_may_say_its_time_zone},
        {"a rule has all that a rule can have", a_rule_has_all_that_a_rule_can_have},
        {"other names of its fields are taken", other_names_of_its_fields_are_taken},
        {"only a channel asks whether its device is heard",
         only_a_channel_asks_whether_its_device_is_heard},
        {"rules that come with it are settings", rules_that_come_with_it_are_settings},
        {"each kind watches what it is about", each_kind_watches_what_it_is_about},
        {"the document's rules are rules", the_document_s_rules_are_rules},
        {"what is wrong is told with its line", what_is_wrong_is_told_with_its_line},
        {"what is hardly meant is warned of with its line",
         what_is_hardly_meant_is_warned_of_with_its_line},
        {"a channel that policies never tell over is warned of",
         a_channel_that_policies_never_tell_over_is_warned_of},
        CU_TEST_INFO_NULL,
    };
    return check_run("config", tests);
}
