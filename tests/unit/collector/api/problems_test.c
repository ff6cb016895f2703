// SPDX-License-Identifier: Apache-2.0
#include "collector/api/problems.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tests/support/check.h"

static const char *const names[] = {
#define X(name) "PROBLEM_" #name,
    PROBLEM_LIST(X)
#undef X
};

static bool is_utf8(const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t step = utf8_len(text, left);
        if (step == 0)
            return false;
        text += step;
        left -= step;
    }
    return true;
}

static bool has_other_letters(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return true;
    return false;
}

static bool is_code(const char *code)
{
    for (const char *at = code; *at != '\0'; at++)
        if (!islower((unsigned char)*at) && *at != '-')
            return false;
    return code[0] != '\0' && strlen(code) < 40;
}

/* Whether each {place} of `text` is one of `other` too. */
static bool has_places_of(const char *text, const char *other)
{
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        char place[40];
        size_t len = strcspn(at, "}") + 1;
        CHECK(len < sizeof place && at[len - 1] == '}');
        snprintf(place, sizeof place, "%.*s", (int)len, at);
        if (strstr(other, place) == NULL)
            return false;
    }
    return true;
}

static void every_entry_is_whole_in_both_languages(void)
{
    for (size_t i = 0; i < PROBLEM_COUNT; i++) {
        const struct problem_entry *entry = problem_entry((enum problem)i);
        const struct problem_text *en = &entry->text[PROBLEM_EN];
        const struct problem_text *zh = &entry->text[PROBLEM_ZH];
        CHECK_ROW(names[i], is_code(entry->code));
        CHECK_ROW(names[i], entry->status >= 400 && entry->status < 600);
        CHECK_ROW(names[i], en->title[0] != '\0' && en->detail[0] != '\0');
        CHECK_ROW(names[i], !has_other_letters(en->title));
        CHECK_ROW(names[i], !has_other_letters(en->detail));
        CHECK_ROW(names[i], has_other_letters(zh->title) && is_utf8(zh->title));
        CHECK_ROW(names[i], has_other_letters(zh->detail) && is_utf8(zh->detail));
        CHECK_ROW(names[i], has_places_of(en->detail, zh->detail));
        CHECK_ROW(names[i], has_places_of(zh->detail, en->detail));
        CHECK_ROW(names[i], strchr(en->title, '{') == NULL);
        CHECK_ROW(names[i], strchr(zh->title, '{') == NULL);
    }
}

static void no_code_stands_for_two_problems(void)
{
    for (size_t i = 0; i < PROBLEM_COUNT; i++)
        for (size_t k = 0; k < i; k++)
            CHECK_ROW(names[i], strcmp(problem_entry((enum problem)i)->code,
                                       problem_entry((enum problem)k)->code) != 0);
}

static void places_are_filled(void)
{
    static const struct problem_place places[] = {{"name", "limit"}, {"most", "{name}"}};
    static const struct {
        const char *name;
        const char *text;
        const char *want;
    } rows[] = {
        {"none", "plain", "plain"},
        {"empty", "", ""},
        {"one", "'{name}' is it", "'limit' is it"},
        {"two in a row", "{name}{name}", "limitlimit"},
        {"a value is not looked into", "up to {most}", "up to {name}"},
        {"one that nobody gave", "see {other}", "see {other}"},
        {"not closed", "{name} and {name", "limit and {name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        problem_fill(&out, rows[i].text, places, 2);
        CHECK_ROW(rows[i].name,
                  strcmp(out.data != NULL ? out.data : "", rows[i].want) == 0);
        buf_fini(&out);
    }
}

static void the_language_is_what_the_caller_prefers(void)
{
    static const struct {
        const char *accept;
        enum problem_language want;
    } rows[] = {
        {NULL, PROBLEM_EN},
        {"", PROBLEM_EN},
        {"*", PROBLEM_EN},
        {"zh", PROBLEM_ZH},
        {"zh-CN,zh;q=0.9,en;q=0.8", PROBLEM_ZH},
        {"ZH-hans-cn", PROBLEM_ZH},
        {"en-US,en;q=0.9,zh-CN;q=0.8", PROBLEM_EN},
        {"en;q=0.2, zh;q=0.7", PROBLEM_ZH},
        {"zh;q=0", PROBLEM_EN},
        {"zh; q=1", PROBLEM_ZH},
        {"fr, zh;q=0.1", PROBLEM_ZH},
        {"fr", PROBLEM_EN},
        {"zhx", PROBLEM_EN},
        {"zh;q=2", PROBLEM_EN},
        {"zh;q=nan", PROBLEM_EN},
        {",,,", PROBLEM_EN},
        {"zh;", PROBLEM_EN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].accept != NULL ? rows[i].accept : "none",
                  problem_language_of(rows[i].accept) == rows[i].want);
}

/* ---- the document ----------------------------------------------------------------- */

static const char doc_head[] =
    "# Errors\n\n"
    "What the API refuses, it refuses with a problem document (RFC 9457). Its `type` is\n"
    "`/errors/` and one of the codes below, which never change; `title` and `detail` come\n"
    "in the language that `Accept-Language` prefers, English or Chinese. Words in braces\n"
    "are filled in. This page is made from `collector/api/problems.c` by its test:\n"
    "`COLDCHAIN_UPDATE=1 ctest --test-dir build/dev -R api/problems`.\n\n"
    "| code | status | English | 中文 |\n|---|---|---|---|\n";

static void put_doc(struct buf *out)
{
    buf_text(out, doc_head);
    for (size_t i = 0; i < PROBLEM_COUNT; i++) {
        const struct problem_entry *entry = problem_entry((enum problem)i);
        const struct problem_text *en = &entry->text[PROBLEM_EN];
        const struct problem_text *zh = &entry->text[PROBLEM_ZH];
        buf_format(out, "| `%s` | %u | **%s**: %s | **%s**：%s |\n", entry->code,
                   entry->status, en->title, en->detail, zh->title, zh->detail);
    }
}

static void the_document_is_that_of_the_table(void)
{
    struct err_text why = {0};
    struct buf want = {0};
    struct buf have = {0};
    char *path = mem_format("%s/docs/errors.md", check_source_dir());
    put_doc(&want);
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

int main(void)
{
    CU_TestInfo tests[] = {
        {"every entry is whole in both languages",
         every_entry_is_whole_in_both_languages},
        {"no code stands for two problems", no_code_stands_for_two_problems},
        {"places are filled", places_are_filled},
        {"the language is what the caller prefers",
         the_language_is_what_the_caller_prefers},
        {"the document is that of the table", the_document_is_that_of_the_table},
        CU_TEST_INFO_NULL,
    };
    return check_run("problems", tests);
}
