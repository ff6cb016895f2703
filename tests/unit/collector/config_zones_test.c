// SPDX-License-Identifier: Apache-2.0
/* The zones of a settings file: all that zone.put takes, and what becomes of it. */
#include <stdlib.h>
#include <string.h>

#include "collector/command/change.h"
#include "collector/command/verb.h"
#include "collector/config.h"
#include "collector/pipeline/registry.h"
#include "collector/store/state_entities.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

#define HEAD \
    "org: farm\n" \
    "sites:\n" \
    "  - id: store\n" \
    "    zones:\n" \
    "      - id: room\n"
#define KEY "        "

static void load(struct config *config, struct settings *settings, const char *zone,
                 struct err_text *why)
{
    char text[2000];
    snprintf(text, sizeof text, HEAD "%s", zone);
    *config = (struct config){0};
    *why = (struct err_text){""};
    enum err err = config_load_text(config, &settings_schema, settings, "seed.yaml", text,
                                    strlen(text), why);
    CHECK_ROW(zone, (err == ERR_OK) == (why->text[0] == '\0'));
}

/* ---- one table and the other ------------------------------------------------------ */

static const struct config_key *key_of(const struct config_schema *schema,
                                       const char *name)
{
    for (const struct config_key *key = schema->keys; key->name != NULL; key++)
        if (strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

static const struct field *field_of(const struct field *fields, const char *name)
{
    for (; fields->name != NULL; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

/* A zone stands below its site, and what is archived is not of the beginning. */
static bool is_left_out(const char *name)
{
    return strcmp(name, "site") == 0 || strcmp(name, "archived") == 0;
}

static void compare_tables(const struct field *fields, const struct config_schema *schema)
{
    for (const struct config_key *key = schema->keys; key->name != NULL; key++)
        CHECK_ROW(key->name, field_of(fields, key->name) != NULL);
    for (const struct field *field = fields; field->name != NULL; field++) {
        const struct config_key *key = key_of(schema, field->name);
        CHECK_ROW(field->name, (key == NULL) == is_left_out(field->name));
        if (key == NULL)
            continue;
        CHECK_TEXT(key->help, field->help);
        CHECK_ROW(field->name, key->is_required == (field->need == FIELD_ALWAYS));
        CHECK_ROW(field->name,
                  (key->type == CONFIG_RECORDS) == (field->type == FIELD_RECORDS));
        CHECK_ROW(field->name,
                  (key->type == CONFIG_STRINGS) == (field->type == FIELD_IDS));
        if (key->type != CONFIG_RECORDS)
            continue;
        CHECK_ROW(field->name, key->most == field->most);
        compare_tables(field->record, key->record);
    }
}

static void a_file_says_what_the_command_says(void)
{
    compare_tables(verb_find("zone.put")->fields, &config_zone_schema);
}

/* ---- what becomes of it ----------------------------------------------------------- */

#define WHOLE \
    KEY "name: Room\n" KEY "band_low: -1\n" KEY "band_high: 9.5\n" KEY \
        "goods: [apple]\n" KEY "tau: 6h\n" KEY "defrost_every: 8h\n" KEY \
        "defrost_at: 2026-11-01T02:00:00Z\n" KEY "defrost_most: 30m\n" KEY \
        "door_most: 20m\n" KEY "recovery_most: 15m\n" KEY "start_most: 3h\n" KEY \
        "external_ids: {erp: R-1}\n" KEY "steps:\n" KEY \
        "  - {from: 2026-11-02T00:00:00Z, to: 2026-11-03T00:00:00Z, band_high: 16, " \
        "goods: [apple], why: curing}\n" KEY "loads:\n" KEY \
        "  - {from: 2026-11-02T00:00:00Z, entry_c: 18, goods: apple, why: oranges}\n" KEY \
        "maintenance:\n" KEY \
        "  - {from: 2026-11-04T00:00:00Z, to: 2026-11-04T06:00:00Z}\n"

/* As zone.put would have kept it. */
static const char kept[] =
    "{\"band_high\":9.5,\"band_low\":-1.0,\"defrost_at\":1793498400000,"
    "\"defrost_every\":28800000,\"defrost_most\":1800000,\"door_most\":1200000,"
    "\"external_ids\":{\"erp\":\"R-1\"},\"goods\":[\"apple\"],\"loads\":["
    "{\"entry_c\":18.0,\"from\":1793577600000,\"goods\":\"apple\",\"why\":\"oranges\"}],"
    "\"maintenance\":["
    "{\"from\":1793750400000,\"to\":1793772000000}],\"name\":\"Room\","
    "\"recovery_most\":900000,\"site\":\"store\",\"start_most\":10800000,\"steps\":["
    "{\"band_high\":16.0,\"from\":1793577600000,\"goods\":[\"apple\"],"
    "\"to\":1793664000000,\"why\":\"curing\"}],\"tau\":21600000}";

static struct registry *seed_of(const char *zone, struct buf *json)
{
    struct config config;
    struct settings settings;
    struct err_text why;
    struct registry *registry = NULL;
    load(&config, &settings, zone, &why);
    CHECK_TEXT(why.text, "");
    settings_seed(&settings, json);
    CHECK(registry_parse(&registry, json->data, json->len, &why) == ERR_OK);
    config_fini(&config);
    return registry;
}

static void on_zone(void *context, const struct state_entity *row)
{
    buf_text(context, row->body);
}

static void a_seed_is_kept_as_the_command_keeps_it(void)
{
    struct folder folder;
    struct state *state;
    struct err_text why = {""};
    struct buf json = {0};
    struct buf again = {0};
    struct buf body = {0};
    struct buf differences = {0};
    folder_make(&folder);
    CHECK(state_open(&state, folder_file(&folder, "state.db"), &why) == ERR_OK);
    struct registry *registry = seed_of(WHOLE, &json);
    registry_format(registry, &again);
    CHECK(json.len == again.len && memcmp(json.data, again.data, json.len) == 0);
    CHECK(state_begin(state) == ERR_OK);
    CHECK(seed_apply(state, registry, 1, 1000) == ERR_OK);
    CHECK(state_commit(state) == ERR_OK);
    CHECK(state_find_entity(state, "zone", "room", &body, on_zone) == ERR_OK);
    buf_u8(&body, 0);
    CHECK_TEXT(body.data, kept);
    CHECK(seed_compare(state, registry, &differences) == ERR_OK);
    CHECK(differences.len == 0);
    registry_destroy(registry);
    state_close(state);
    folder_remove(&folder);
    buf_fini(&json);
    buf_fini(&again);
    buf_fini(&body);
    buf_fini(&differences);
}

static void a_seed_is_in_force_as_the_command_is(void)
{
    struct buf json = {0};
    size_t count;
    struct registry *registry = seed_of(WHOLE, &json);
    const struct registry_zone *zone = registry_zone(registry, "room");
    CHECK(zone->tau_ms == 6 * 3600000 && zone->defrost_every_ms == 8 * 3600000);
    CHECK(zone->door_most_ms == 20 * 60000 && zone->has_goods && zone->is_described);
    CHECK(zone->band_low == -1 && zone->band_high == 0); /* what apples bear */
    const struct registry_span *spans = registry_spans(registry, "room", &count);
    CHECK(count == 2 && spans[0].reason == ALERT_REASON_PLANNED_STEP &&
          spans[0].high == 16 && spans[1].reason == ALERT_REASON_MAINTENANCE);
    CHECK(registry_is_on_duty(registry, "room"));
    registry_destroy(registry);
    buf_clear(&json);
    registry = seed_of(KEY "off_duty: empty\n", &json);
    registry_begin_duty(registry, 5000);
    zone = registry_zone(registry, "room");
    CHECK(!registry_is_on_duty(registry, "room") && zone->is_empty);
    CHECK(zone->off_since_ms == 5000);
    registry_destroy(registry);
    buf_fini(&json);
}

/* A file that says no more than before is the same seed as before. */
static void a_plain_zone_is_the_seed_that_it_was(void)
{
    struct buf json = {0};
    struct registry *registry = seed_of(KEY "band_high: 8\n", &json);
    CHECK(registry_said(registry, "room") == NULL);
    buf_u8(&json, 0);
    CHECK(strstr(json.data, "\"zones\":[{\"band_high\":8.0,\"band_low\":null,\"id\":"
                            "\"room\",\"name\":\"room\",\"org\":\"farm\",\"site\":"
                            "\"store\",\"site_name\":\"\"}]") != NULL);
    registry_destroy(registry);
    buf_fini(&json);
}

/* ---- what is wrong ---------------------------------------------------------------- */

static void mistakes_are_told_with_their_line(void)
{
    static const struct {
        const char *zone;
        const char *why;
    } rows[] = {
        {KEY "tau: soon\n", "seed.yaml:6: 'tau' is not a duration"},
        {KEY "name: x\n" KEY "tau: 1s\n", "seed.yaml:7: 'tau' is not a duration"},
        {KEY "band_low: cold\n", "seed.yaml:6: 'band_low' is not a number from -100"},
        {KEY "band_low: 9\n" KEY "band_high: 3\n", "seed.yaml:6: band_low of zone"},
        {KEY "off_duty: lazy\n", "seed.yaml:6: 'off_duty' is not one of: empty, "},
        {KEY "defrost_at: noon\n", "seed.yaml:6: 'defrost_at' is not a time such as"},
        {KEY "goods: [apple, stone]\n", "seed.yaml:6: 'stone' in 'goods' of zone 'room'"},
        {KEY "goods: apple\n", "seed.yaml:6: "},
        {KEY "good: [apple]\n", "seed.yaml:6: unknown key"},
        {KEY "steps:\n" KEY "  - {from: noon, to: 2026-11-01T00:00:00Z}\n",
         "seed.yaml:7: 'steps[0].from' is not a time such as"},
        {KEY "steps:\n" KEY "  - from: 2026-11-01T00:00:00Z\n" KEY
             "    to: 2026-11-02T00:00:00Z\n" KEY "    band_low: 900\n",
         "seed.yaml:9: 'steps[0].band_low' is not a number from -100 to 100"},
        {KEY "steps:\n" KEY "  - from: 2026-11-02T00:00:00Z\n" KEY
             "    to: 2026-11-01T00:00:00Z\n",
         "seed.yaml:8: what is planned from 2026-11-02T00:00:00Z on ends"},
        {KEY "maintenance:\n" KEY "  - from: 2026-11-01T00:00:00Z\n",
         "seed.yaml:7: 'sites[0].zones[0].maintenance[0].to' is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config config;
        struct settings settings;
        struct err_text why;
        load(&config, &settings, rows[i].zone, &why);
        bool is_told = strncmp(why.text, rows[i].why, strlen(rows[i].why)) == 0;
        if (!is_told)
            printf("\n  %s", why.text);
        CHECK_ROW(rows[i].why, is_told);
        config_fini(&config);
    }
}

static void goods_that_do_not_fit_are_doubted(void)
{
    struct config config;
    struct settings settings;
    struct err_text why;
    load(&config, &settings, KEY "goods: [apple, banana]\n", &why);
    CHECK_TEXT(why.text, "");
    CHECK(config.warnings_count == 1);
    CHECK(strstr(config.warnings.data,
                 "seed.yaml:6: what is in zone 'room' bears no "
                 "temperature together: banana needs 13 to") != NULL);
    config_fini(&config);
}

static CU_TestInfo tests[] = {
    {"a file says what the command says", a_file_says_what_the_command_says},
    {"a seed is kept as the command keeps it", a_seed_is_kept_as_the_command_keeps_it},
    {"a seed is in force as the command is", a_seed_is_in_force_as_the_command_is},
    {"a plain zone is the seed that it was", a_plain_zone_is_the_seed_that_it_was},
    {"goods that do not fit are doubted", goods_that_do_not_fit_are_doubted},
    {"mistakes are told with their line", mistakes_are_told_with_their_line},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("config_zones", tests);
}
