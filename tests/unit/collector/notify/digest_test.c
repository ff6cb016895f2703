// SPDX-License-Identifier: Apache-2.0
/* Many messages become one that lists them: the gravest first, the same each time. */
#include "collector/notify/digest.h"

#include <jansson.h>
#include <string.h>

#include "base/crypto.h"
#include "tests/support/check.h"

#define MILD  "{\"severity\":\"warning\",\"text_en\":\"mild\",\"text_zh\":\"轻\"}"
#define GRAVE "{\"severity\":\"critical\",\"text_en\":\"grave\",\"text_zh\":\"重\"}"

static const struct digest_row rows[] = {{"a-1", MILD}, {"b-1", GRAVE}, {"c-2", MILD}};

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text != NULL ? text : "(none)";
}

static void it_lists_all_and_the_gravest_first(void)
{
    char key[DIGEST_KEY_SIZE];
    struct buf body = {0};
    crypto_init();
    digest_format(rows, 3, key, &body);
    json_t *root = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    CHECK_TEXT(text_of(root, "text_en"),
               "[critical] 3 messages:\n• grave\n• mild\n• mild");
    CHECK_TEXT(text_of(root, "text_zh"), "【严重】3 条消息：\n• 重\n• 轻\n• 轻");
    CHECK_TEXT(text_of(root, "severity"), "critical");
    CHECK_TEXT(text_of(root, "key"), key);
    CHECK(json_array_size(json_object_get(root, "digest")) == 3);
    json_decref(root);
    buf_fini(&body);
}

static void its_key_is_that_of_its_rows(void)
{
    char first[DIGEST_KEY_SIZE];
    char again[DIGEST_KEY_SIZE];
    char fewer[DIGEST_KEY_SIZE];
    struct buf body = {0};
    digest_format(rows, 3, first, &body);
    digest_format(rows, 3, again, &body);
    digest_format(rows, 2, fewer, &body);
    CHECK_TEXT(again, first);
    CHECK(strcmp(fewer, first) != 0);
    buf_fini(&body);
}

static void lines_have_their_codes(void)
{
    static const struct digest_row coded[] = {
        {"a-1", "{\"text_en\":\"mild\",\"text_zh\":\"轻\",\"code\":\"4F7K\"}"},
        {"b-1", "{\"text_en\":\"over\",\"text_zh\":\"好\"}"}};
    char key[DIGEST_KEY_SIZE];
    struct buf body = {0};
    digest_format(coded, 2, key, &body);
    json_t *root = json_loadb(body.data, body.len, 0, NULL);
    CHECK_TEXT(text_of(root, "text_en"),
               "[warning] 2 messages:\n• mild → 1 4F7K\n• over");
    CHECK(json_array_size(json_object_get(root, "offers")) == 1);
    json_decref(root);
    buf_clear(&body);
    digest_format(rows, 3, key, &body);
    CHECK(strstr(body.data, "offers") == NULL);
    buf_fini(&body);
}

static void receivers_are_not_mixed(void)
{
    CHECK(digest_fits("{}", "{\"to\":[]}"));
    CHECK(digest_fits("{\"to\":[\"a\"]}", "{\"to\":[\"a\"]}"));
    CHECK(!digest_fits("{\"to\":[\"a\"]}", "{\"to\":[\"b\"]}"));
    CHECK(!digest_fits("{\"to\":[\"a\"]}", "{}"));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"it lists all, and the gravest first", it_lists_all_and_the_gravest_first},
        {"its key is that of its rows", its_key_is_that_of_its_rows},
        {"lines have their codes", lines_have_their_codes},
        {"receivers are not mixed", receivers_are_not_mixed},
        CU_TEST_INFO_NULL,
    };
    return check_run("digest", tests);
}
