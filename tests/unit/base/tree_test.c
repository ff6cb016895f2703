// SPDX-License-Identifier: Apache-2.0
#include "base/tree.h"

#include "tests/support/check.h"

static struct tree *parse(const char *text)
{
    struct tree *tree;
    struct err_text why = {""};
    enum err err = tree_parse(&tree, "f.yaml", text, strlen(text), &why);
    if (err != ERR_OK)
        printf("\n  %s\n", why.text);
    CHECK(err == ERR_OK);
    return tree;
}

static void everything_has_a_line(void)
{
    struct tree *tree = parse("# first\n"
                              "zones:\n"
                              "  - id: a\n"
                              "    high: 8\n"
                              "  - {id: \"8\"}\n"
                              "end: true\n");
    const struct tree *zones = tree_get(tree, "zones");
    CHECK(zones->kind == TREE_LIST && zones->count == 2 && zones->items[1].line == 5);
    const struct tree *high = tree_get(&zones->items[0], "high");
    CHECK(high->line == 4 && high->is_plain);
    CHECK_TEXT(high->text, "8");
    CHECK(!tree_get(&zones->items[1], "id")->is_plain);
    CHECK(tree_get(tree, "none") == NULL && tree_get(high, "x") == NULL);
    tree_destroy(tree);
}

static void what_is_wrong_is_said_with_its_line(void)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"", "f.yaml:1: there is nothing in it"},
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3: 'a' stands in line 1 already"},
        {"a: 1\n b: [", "f.yaml:2: not valid YAML: "},
        {"a: &x 1\n", "f.yaml:1: anchors, aliases and tags are not read here"},
        {"a: 1\nb: *x\n", "f.yaml:2: anchors, aliases and tags are not read here"},
        {"a: !!int 1\n", "f.yaml:1: anchors, aliases and tags are not read here"},
        {"a: 1\n---\nb: 1\n", "f.yaml:2: a second document begins here"},
        {"? [a]\n: 1\n", "f.yaml:1: a key is a word before a colon"},
        {"a: \"\\0\"\n", "f.yaml:1: a text holds a NUL"},
        {"a: \xff\n", "f.yaml:1: not UTF-8 text (invalid leading UTF-8 octet); save"},
        {"[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "f.yaml:1: nested too deep"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tree *tree;
        struct err_text why = {""};
        CHECK_ROW(rows[i].why, tree_parse(&tree, "f.yaml", rows[i].text,
                                          strlen(rows[i].text), &why) != ERR_OK);
        CHECK_ROW(rows[i].why, tree == NULL);
        CHECK_ROW(rows[i].why, strncmp(why.text, rows[i].why, strlen(rows[i].why)) == 0);
    }
}

/* libyaml takes time that grows with the square of the nesting. */
static void a_hostile_megabyte_is_refused_at_once(void)
{
    struct tree *tree;
    struct err_text why = {""};
    struct buf text = {0};
    for (int i = 0; i < 1 << 20; i++)
        buf_text(&text, "[");
    CHECK(tree_parse(&tree, "f.yaml", text.data, text.len, &why) == ERR_LIMIT);
    buf_fini(&text);
}

static void texts_read_back(void)
{
    static const struct {
        const char *text;
        const char *written;
    } rows[] = {
        {"room-1", "room-1"},
        {"Asia/Shanghai", "Asia/Shanghai"},
        {"", "\"\""},
        {"1", "\"1\""},
        {"no", "\"no\""},
        {"NULL", "\"NULL\""},
        {"a b", "\"a b\""},
        {"a: b # c", "\"a: b # c\""},
        {"\"\\", "\"\\\"\\\\\""},
        {"a\nb\t", "\"a\\u000ab\\u0009\""},
        {"奉节脐橙", "\"奉节脐橙\""},
        {"\xc2\x85\xe2\x80\xa8\xef\xbb\xbf", "\"\\u0085\\u2028\\ufeff\""},
        {"\xf0\x9f\x8d\x8a", "\"\xf0\x9f\x8d\x8a\""},
        {"- x", "\"- x\""},
        {"~", "\"~\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text = {0};
        tree_quote(&text, rows[i].text);
        CHECK_TEXT(text.data, rows[i].written);
        struct buf list = {0};
        buf_format(&list, "- %s\n", text.data);
        struct tree *tree = parse(list.data);
        CHECK_TEXT(tree->items[0].text, rows[i].text);
        tree_destroy(tree);
        buf_fini(&list);
        buf_fini(&text);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"everything has a line", everything_has_a_line},
        {"what is wrong is said with its line", what_is_wrong_is_said_with_its_line},
        {"a hostile megabyte is refused at once", a_hostile_megabyte_is_refused_at_once},
        {"texts read back", texts_read_back},
        CU_TEST_INFO_NULL,
    };
    return check_run("tree", tests);
}
