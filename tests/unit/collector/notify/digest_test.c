// SPDX-License-Identifier: Apache-2.0
/* Many messages become one that lists them: the gravest first, the same each time. */
#include "collector/notify/digest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/notify/kinds.h"
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

/* So many bytes as a line of either language; zh in characters of three. */
static char *message_of(size_t zh, size_t en)
{
    struct buf body = {0};
    buf_text(&body, "{\"severity\":\"warning\",\"text_zh\":\"");
    for (size_t i = 0; i < zh / 3; i++)
        buf_text(&body, "冷");
    buf_text(&body, "\",\"text_en\":\"");
    for (size_t i = 0; i < en; i++)
        buf_text(&body, "c");
    buf_text(&body, "\"}");
    return buf_take(&body);
}

/* The text that the channel sends for the first rows. */
static void text_over(const struct config_channel *channel,
                      const struct digest_row *listed, size_t count, struct buf *text)
{
    char key[DIGEST_KEY_SIZE];
    struct channel_message message;
    struct buf body = {0};
    digest_format(listed, count, key, &body);
    CHECK(channel_message_parse(&message, body.data) == ERR_OK);
    CHECK(kind_text(channel, &message, text, NULL) == ERR_OK);
    channel_message_fini(&message);
    buf_fini(&body);
}

/* "[warning] 4 messages:" are 21 bytes, "【警告】4 条消息：" are 26; "\n• " are 5. */
static void no_more_is_taken_than_the_channel_tells_uncut(void)
{
    static char mobile[] = "+8613800000000";
    static char *to[] = {mobile};
    static const struct {
        const char *name;
        enum channel_kind kind;
        enum channel_language language;
        size_t to_count;
        int64_t text_limit;
        size_t zh, en;
        size_t want;
    } cases[] = {
        {"sms: 21 + 4 * 119 = 497", CHANNEL_SMS, CHANNEL_EN, 0, 0, 3, 114, 4},
        {"sms: 21 + 4 * 120 = 501", CHANNEL_SMS, CHANNEL_EN, 0, 0, 3, 115, 3},
        {"sms: 26 + 3 * 158 = 500", CHANNEL_SMS, CHANNEL_ZH, 0, 0, 153, 3, 3},
        {"sms: 26 + 3 * 161 = 509", CHANNEL_SMS, CHANNEL_ZH, 0, 0, 156, 3, 2},
        {"both: 26 + 2 * 95 + 1 + 21 + 2 * 131 = 500", CHANNEL_SMS, CHANNEL_BOTH, 0, 0,
         90, 126, 2},
        {"both: 26 + 2 * 95 + 1 + 21 + 2 * 132 = 502", CHANNEL_SMS, CHANNEL_BOTH, 0, 0,
         90, 127, 1},
        {"wecom: 22 + 14 * 144 = 2038", CHANNEL_WECOM, CHANNEL_EN, 1, 0, 3, 139, 14},
        {"wecom: 22 + 14 * 145 = 2052", CHANNEL_WECOM, CHANNEL_EN, 1, 0, 3, 140, 13},
        {"wecom as markdown: 22 + 28 * 145 = 4082", CHANNEL_WECOM, CHANNEL_EN, 0, 0, 3,
         140, 28},
        {"wecom as it is set", CHANNEL_WECOM, CHANNEL_EN, 1, 4096, 3, 140, 13},
        {"wecom as it is set", CHANNEL_WECOM, CHANNEL_EN, 0, 500, 3, 114, 4},
        {"one is told, cut", CHANNEL_SMS, CHANNEL_EN, 0, 0, 3, 600, 1},
        {"mail takes all", CHANNEL_EMAIL, CHANNEL_BOTH, 0, 0, 600, 600, DIGEST_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct config_channel channel = {.kind = cases[i].kind,
                                               .language = cases[i].language,
                                               .to = to,
                                               .to_count = cases[i].to_count,
                                               .text_limit = cases[i].text_limit};
        struct digest_row all[DIGEST_MAX];
        struct buf text = {0};
        char *body = message_of(cases[i].zh, cases[i].en);
        for (size_t k = 0; k < DIGEST_MAX; k++)
            all[k] = (struct digest_row){"a-1", body};
        CHECK_ROW(cases[i].name, digest_take(&channel, all, DIGEST_MAX) == cases[i].want);
        CHECK_ROW(cases[i].name, digest_take(&channel, all, 1) == 1);
        text_over(&channel, all, cases[i].want, &text);
        CHECK_ROW(cases[i].name, cases[i].want == 1 || strstr(text.data, "…") == NULL);
        buf_fini(&text);
        free(body);
    }
}

static void what_is_grave_is_known(void)
{
    CHECK(digest_is_grave(GRAVE));
    CHECK(!digest_is_grave(MILD) && !digest_is_grave("{}") && !digest_is_grave("7"));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"it lists all, and the gravest first", it_lists_all_and_the_gravest_first},
        {"its key is that of its rows", its_key_is_that_of_its_rows},
        {"lines have their codes", lines_have_their_codes},
        {"receivers are not mixed", receivers_are_not_mixed},
        {"no more is taken than the channel tells uncut",
         no_more_is_taken_than_the_channel_tells_uncut},
        {"what is grave is known", what_is_grave_is_known},
        CU_TEST_INFO_NULL,
    };
    return check_run("digest", tests);
}
