// SPDX-License-Identifier: Apache-2.0
/* docs/wire.md says what the code does: its examples are read, its lists are complete. */
#include "telemetry/delivery.h"
#include "telemetry/pack.h"
#include "telemetry/quantity.h"
#include "telemetry/zone_rules.h"

#include "tests/support/cases.h"

static struct buf doc;

static void load(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/docs/wire.md", check_source_dir());
    buf_clear(&doc);
    CHECK(cases_read(path, &doc));
    buf_text(&doc, "");
}

/* Calls `check` with each fenced block opened by "```json <kind>"; how many there are. */
static size_t each_block(const char *kind, void (*check)(const char *text, size_t len))
{
    char fence[64];
    size_t count = 0;
    snprintf(fence, sizeof fence, "```json %s\n", kind);
    for (const char *at = strstr(doc.data, fence); at != NULL; at = strstr(at, fence)) {
        at += strlen(fence);
        const char *end = strstr(at, "```");
        CHECK_ROW(kind, end != NULL);
        if (end == NULL)
            break;
        check(at, (size_t)(end - at));
        count++;
    }
    return count;
}

static void check_pack(const char *text, size_t len)
{
    struct pack pack = {0};
    struct err_text why = {""};
    enum err err = pack_parse(&pack, text, len, INT64_C(1753772400000), &why);
    if (err != ERR_OK)
        printf("\n  %s\n", why.text);
    CHECK(err == ERR_OK);
    CHECK(pack.reading_count > 0 || pack.kind == PACK_LOSS ||
          pack.kind == PACK_CLOCK_FIX);
    pack_fini(&pack);
}

static void check_hello(const char *text, size_t len)
{
    struct hello hello;
    struct err_text why = {""};
    CHECK(hello_parse(&hello, text, len, &why) == ERR_OK);
    CHECK(hello.epoch_count == 2 && hello.epochs[0].is_current);
}

static void check_ack(const char *text, size_t len)
{
    struct ack ack;
    struct err_text why = {""};
    CHECK(ack_parse(&ack, text, len, &why) == ERR_OK);
    CHECK(ack.epoch_count == 1 && ack.epochs[0].wanted_count == 1);
    ack_fini(&ack);
}

static void check_config(const char *text, size_t len)
{
    struct zone_rules rules;
    struct err_text why = {""};
    CHECK(zone_rules_parse(&rules, text, len, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
    CHECK(rules.zone_count == 2 && rules.zones[0].rule_count == 2);
    CHECK(rules.zones[1].load_count == 1 && rules.zones[1].handled_count == 1);
    CHECK(rules.notes.passed_over == 0);
    zone_rules_fini(&rules);
}

static void its_examples_are_read(void)
{
    load();
    CHECK(each_block("pack", check_pack) == 5);
    CHECK(each_block("hello", check_hello) == 1);
    CHECK(each_block("ack", check_ack) == 1);
    CHECK(each_block("config", check_config) == 1);
}

static void it_lists_every_quantity(void)
{
    load();
    for (size_t i = 0; i < quantity_count(); i++) {
        const struct quantity *quantity = quantity_at(i);
        char row[200];
        snprintf(row, sizeof row, "| `%s` | %s | `%s` |", quantity->name,
                 quantity->unit[0] != '\0' ? quantity->unit : "state",
                 quantity->senml_unit);
        CHECK_ROW(row, strstr(doc.data, row) != NULL);
    }
}

static void it_lists_every_kind_and_quality(void)
{
    static const char *const words[] = {
#define X(name, text) text,
        QUALITY_LIST(X) PACK_KIND_LIST(X) PACK_CLOCK_LIST(X)
#undef X
    };
    load();
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char quoted[40];
        snprintf(quoted, sizeof quoted, "`%s`", words[i]);
        /* "good" is what a value is that says nothing else */
        CHECK_ROW(words[i],
                  strcmp(words[i], "good") == 0 || strstr(doc.data, quoted) != NULL);
    }
    buf_fini(&doc);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"its examples are read", its_examples_are_read},
        {"it lists every quantity", it_lists_every_quantity},
        {"it lists every kind and quality", it_lists_every_kind_and_quality},
        CU_TEST_INFO_NULL,
    };
    return check_run("wire_doc", tests);
}
