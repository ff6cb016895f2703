// SPDX-License-Identifier: Apache-2.0
/*
 * The table of verbs: its rows, what their fields take, and docs/commands.md, which is
 * made from it: with COLDCHAIN_UPDATE set, anew.
 */
#include "collector/command/verb.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/support/check.h"

static const char intro[] =
    "# Commands\n\n"
    "Everything that can be changed, made from the table in `collector/command/verbs.c` "
    "by\n`tests/unit/collector/command/verbs_test.c`, which fails when the two differ. "
    "How to send one is in\n[api.md](api.md) (`POST /api/v1/commands` takes any of them); "
    "each has a row in the audit.\n\n"
    "A `put` changes the fields it names and leaves the others; `null` takes one away. "
    "Times are RFC 3339 or\nmilliseconds, durations `90s`, `10m`, `2h` or milliseconds. "
    "*new*: needed when the entity is new.\n"
    "A *level* is a number, or an end of the zone's band that gives it: `band_low`, "
    "`band_high`, `band_high-0.5`.\n\n"
    "A *manager* is an admin, in person or by an admin's token; an integrator's token is "
    "none. *route*: it is\nmade by its own route alone, which knows who asks.\n\n"
    "What is marked * is about people, or a secret: it goes into its table of `state.db`, "
    "and the journal and the\naudit name the field only (`\"private\":[\"phone\"]`). "
    "[people.md](people.md) says how that is kept.\n";

static void put_fields(struct buf *out, const struct field *fields, const char *indent)
{
    static const char *const needs[] = {"", "new", "always"};
    for (; fields->name != NULL; fields++) {
        buf_format(out, "| %s`%s`%s | %s | %s | %s", indent, fields->name,
                   fields->is_private ? " *" : "", field_type_name(fields->type),
                   needs[fields->need], fields->help);
        for (const char *const *word = fields->words; word != NULL && *word != NULL;
             word++)
            buf_format(out, "%s`%s`", word == fields->words ? ": " : ", ", *word);
        buf_format(out, " | %s |\n", fields->help_zh);
        if (fields->record != NULL)
            put_fields(out, fields->record, "- ");
    }
}

static void put_document(struct buf *out)
{
    buf_text(out, intro);
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        buf_format(out, "\n## %s\n\n%s. %s。 Least role: %s.\n\n", verb->name, verb->help,
                   verb->help_zh, verb_role_name(verb->role));
        buf_text(out, "| field | type | needed | what | 说明 |\n|---|---|---|---|---|\n");
        put_fields(out, verb->fields, "");
        buf_format(out, "\n    %s\n", verb->example);
    }
}

static void the_document_is_the_table(void)
{
    struct buf want = {0};
    struct buf have = {0};
    struct err_text why = {0};
    char *path = mem_format("%s/docs/commands.md", check_source_dir());
    put_document(&want);
    if (getenv("COLDCHAIN_UPDATE") != NULL) {
        FILE *file = fopen(path, "w");
        CHECK(file != NULL && fwrite(want.data, 1, want.len, file) == want.len);
        CHECK(file != NULL && fclose(file) == 0);
    }
    CHECK(file_read(&have, path, 1 << 20, &why) == ERR_OK);
    CHECK(have.len == want.len && memcmp(have.data, want.data, want.len) == 0);
    buf_fini(&have);
    buf_fini(&want);
    free(path);
}

static void every_example_passes_its_check(void)
{
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        struct err_text why = {0};
        json_t *clean = NULL;
        json_t *example = json_loads(verb->example, 0, NULL);
        CHECK_ROW(verb->name, verb_find(verb->name) == verb);
        CHECK_ROW(verb->name, example != NULL);
        CHECK_ROW(verb->name, verb_check(verb->fields, example, &clean, &why) == ERR_OK);
        json_decref(example);
        json_decref(clean);
    }
    CHECK(verb_find("zone.destroy") == NULL);
    json_t *table = verb_table();
    CHECK(json_array_size(table) > 15);
    json_decref(table);
}

static void bodies_are_checked_by_their_fields(void)
{
    static const struct {
        const char *verb;
        const char *body;
        const char *want; /* part of the sentence; NULL: good */
    } rows[] = {
        {"zone.put", "{\"id\":\"a\",\"site\":\"s\"}", NULL},
        {"zone.put", "{\"id\":\"a\",\"name\":null}", NULL},
        {"zone.put", "{}", "'id' is missing"},
        {"rule.put", "{\"id\":\"r\",\"limit\":\"band_low\"}", NULL},
        {"rule.put", "{\"id\":\"r\",\"limit\":8}", NULL},
        {"rule.put", "{\"id\":\"r\",\"limit\":1e7}",
         "'limit' is not a number, nor an end"},
        {"rule.put", "{\"id\":\"r\",\"limit\":\"8\"}", "'limit' is not a number, nor"},
        {"rule.put", "{\"id\":\"r\",\"levels\":[{\"level\":\"band_high-0.5\"}]}", NULL},
        {"rule.put", "{\"id\":\"r\",\"levels\":[{\"level\":true}]}",
         "'levels[0].level' is not a number, nor an end"},
        {"zone.put", "{\"id\":null}", "'id' is not an identifier"},
        {"zone.put", "{\"id\":\"a b\"}", "'id' is not an identifier"},
        {"zone.put", "{\"id\":\"a\",\"nmae\":\"x\"}",
         "'nmae' is not known here; there are:"},
        {"zone.put", "{\"id\":\"a\",\"band_low\":\"2\"}",
         "not a number from -100 to 100"},
        {"zone.put", "{\"id\":\"a\",\"band_low\":-101}", "not a number from -100 to 100"},
        {"zone.put", "{\"id\":\"a\",\"off_duty\":\"lazy\"}", "not one of: empty, "},
        {"zone.put", "{\"id\":\"a\",\"archived\":1}", "not true or false"},
        {"zone.put", "{\"id\":\"a\",\"external_ids\":{\"erp\":\"7\"}}", NULL},
        {"zone.put", "{\"id\":\"a\",\"external_ids\":{\"erp\":7}}", "not a text"},
        {"zone.put", "{\"id\":\"a\",\"name\":\"a\\u0001\"}", "not a text"},
        {"rule.put", "{\"id\":\"r\",\"levels\":[{\"level\":8,\"delay\":\"10m\"}]}", NULL},
        {"rule.put", "{\"id\":\"r\",\"levels\":[{\"delay\":\"10m\"}]}",
         "'levels[0].level' is missing"},
        {"rule.put", "{\"id\":\"r\",\"levels\":[{\"level\":8,\"delay\":\"soon\"}]}",
         "'levels[0].delay' is not a duration"},
        {"rule.put", "{\"id\":\"r\",\"levels\":8}", "not a list of at most 4 objects"},
        {"rule.put", "{\"id\":\"r\",\"levels\":[1,2,3,4,5]}", "not a list of at most 4"},
        {"placement.put", "{\"device\":\"d\",\"zone\":\"z\",\"from\":\"10:00\"}",
         "'from' is not a time"},
        {"placement.put", "{\"device\":\"d\",\"zone\":\"z\",\"from\":-1}",
         "'from' is not a time"},
        {"placement.put", "{\"device\":\"d\",\"zone\":\"z\",\"channel\":\"a b\"}",
         "'channel' is not a name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why = {0};
        json_t *clean = NULL;
        json_t *body = json_loads(rows[i].body, 0, NULL);
        enum err err = verb_check(verb_find(rows[i].verb)->fields, body, &clean, &why);
        CHECK_ROW(rows[i].body, (err == ERR_OK) == (rows[i].want == NULL));
        CHECK_ROW(rows[i].body,
                  rows[i].want == NULL || strstr(why.text, rows[i].want) != NULL);
        CHECK_ROW(rows[i].body, (clean != NULL) == (err == ERR_OK));
        json_decref(body);
        json_decref(clean);
    }
}

static void times_and_durations_become_milliseconds(void)
{
    struct err_text why = {0};
    json_t *clean = NULL;
    json_t *body =
        json_loads("{\"id\":\"r\",\"silent\":\"1h30m\",\"levels\":[{\"level\":8,"
                   "\"delay\":1500}]}",
                   0, NULL);
    CHECK(verb_check(verb_find("rule.put")->fields, body, &clean, &why) == ERR_OK);
    CHECK(json_integer_value(json_object_get(clean, "silent")) == 5400000);
    json_decref(clean);
    json_decref(body);
    body = json_loads(
        "{\"device\":\"d\",\"zone\":\"z\",\"from\":\"2026-11-01T10:00:00Z\"}", 0, NULL);
    CHECK(verb_check(verb_find("placement.put")->fields, body, &clean, &why) == ERR_OK);
    CHECK(json_integer_value(json_object_get(clean, "from")) == INT64_C(1793527200000));
    json_decref(clean);
    json_decref(body);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"the document is the table", the_document_is_the_table},
        {"every example passes its check", every_example_passes_its_check},
        {"bodies are checked by their fields", bodies_are_checked_by_their_fields},
        {"times and durations become milliseconds",
         times_and_durations_become_milliseconds},
        CU_TEST_INFO_NULL,
    };
    return check_run("verbs", tests);
}
