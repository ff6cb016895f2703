// SPDX-License-Identifier: Apache-2.0
/* What people type, and what buttons carry: nothing else is taken for an answer. */
#include "collector/replies/text.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "tests/support/check.h"

#define ID     "00112233445566778899aabbccddeeff"
#define OTHER  "10112233445566778899aabbccddeeff"
#define NOW_MS INT64_C(1790000000000)

static const uint8_t key[REPLY_KEY_BYTES] = {1, 2, 3};

static void a_code_is_of_one_incident_channel_and_receiver(void)
{
    static const char *const rows[][3] = {
        {"sms", "+8613800000000", ID},
        {"sms", "+8613800000001", ID},
        {"sms", "", ID},
        {"sms", "+8613800000000", OTHER},
        {"smt", "+8613800000000", ID},
        /* parts that run into each other would be signed alike */
        {"sms+8613800000000", "", ID}};
    char codes[6][REPLY_CODE_SIZE];
    for (size_t i = 0; i < 6; i++) {
        char again[REPLY_CODE_SIZE];
        reply_code(codes[i], key, rows[i][0], rows[i][1], rows[i][2]);
        reply_code(again, key, rows[i][0], rows[i][1], rows[i][2]);
        CHECK_TEXT(again, codes[i]);
        CHECK(strspn(codes[i], "23456789ABCDEFGHJKLMNPQRSTUVWXYZ") == 4);
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(codes[i], codes[k]) != 0);
    }
}

static void a_token_fits_a_button_and_names_its_incident(void)
{
    char text[REPLY_TOKEN_SIZE];
    struct reply_token token = {.incident = ID, .until_s = NOW_MS / 1000 + 60};
    struct reply_token read;
    CHECK(reply_token_format(text, &token, key, "chat"));
    CHECK(strlen(text) <= 64);
    CHECK(reply_token_parse(&read, text, key, "chat", NOW_MS) == ERR_OK);
    CHECK_TEXT(read.incident, ID);
    CHECK(read.until_s == token.until_s);
    CHECK(reply_token_parse(&read, text, key, "chat", NOW_MS + 60000) == ERR_OK);
    CHECK(reply_token_parse(&read, text, key, "chat", NOW_MS + 61000) == ERR_DENIED);
    struct reply_token test = {.incident = "test-1"};
    CHECK(!reply_token_format(text, &test, key, "chat"));
}

static void a_token_that_was_changed_is_none(void)
{
    static const uint8_t other[REPLY_KEY_BYTES] = {1, 2, 4};
    char text[REPLY_TOKEN_SIZE];
    struct reply_token token = {.incident = ID, .until_s = NOW_MS / 1000 + 60};
    struct reply_token read;
    CHECK(reply_token_format(text, &token, key, "chat"));
    CHECK(reply_token_parse(&read, text, other, "chat", NOW_MS) == ERR_INVALID);
    CHECK(reply_token_parse(&read, text, key, "chat2", NOW_MS) == ERR_INVALID);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char was = text[i];
        text[i] = was == 'a' ? 'b' : 'a';
        CHECK(reply_token_parse(&read, text, key, "chat", NOW_MS) == ERR_INVALID);
        text[i] = '\0';
        CHECK(reply_token_parse(&read, text, key, "chat", NOW_MS) == ERR_INVALID);
        text[i] = was;
    }
    char longer[200];
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    CHECK(reply_token_parse(&read, longer, key, "chat", NOW_MS) == ERR_INVALID);
}

static void what_people_type_is_understood(void)
{
    static const struct {
        const char *text;
        const char *code;
        bool says_yes;
    } rows[] = {
        {"1 4F7K", "4F7K", true},
        {" 1 4f7k\r\n", "4F7K", true},
        {"14F7K", "4F7K", true},
        {"4F7K", "4F7K", false},
        {"4f7k.", "4F7K", false},
        {"１　４ｆ７ｋ", "4F7K", true}, /* a Chinese keyboard */
        {"收到4F7K", "4F7K", true},
        {"收到：4F7K。", "4F7K", true},
        {"确认 4f7k！", "4F7K", true},
        {"ok 4F7K", "4F7K", true},
        {"OK", "", true},
        {"Okay!", "", true},
        {"收到", "", true},
        {"好的", "", true},
        {"知道了。", "", true},
        {"/ack", "", true},
        {"/ack@cold_bot", "", true},
        {"/ack@cold_bot 4F7K", "4F7K", true},
        {"@cold_bot 1 4F7K", "4F7K", true},
        {"@机器人 ＠二号 收到 4F7K", "4F7K", true},
        {"【1 4F7K】", "4F7K", true},
        {"1", "", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reply_text reply;
        CHECK_ROW(rows[i].text,
                  reply_text_parse(&reply, rows[i].text, strlen(rows[i].text)));
        CHECK_ROW(rows[i].text, strcmp(reply.code, rows[i].code) == 0);
        CHECK_ROW(rows[i].text, reply.says_yes == rows[i].says_yes);
    }
}

static void what_is_no_assent_is_not_taken_for_one(void)
{
    static const char *const rows[] = {
        "",
        " ",
        "no",
        "not ok 4F7K",
        "不收到",
        "没收到 4F7K",
        "ok?",
        "ok maybe",
        "1 4F7K 4F7L",
        "1 4F7",
        "1 4F7KK",
        "2 4F7K",
        "1 4F0K", /* no 0 in a code */
        "11 4F7K",
        "on my way",
        "@cold_bot",
        "@",
        "/nack 4F7K",
        "/",
        "\xff\xfe",
        "1 4F7K\xff",
        "ok\xe6\x94",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reply_text reply;
        CHECK_ROW(rows[i], !reply_text_parse(&reply, rows[i], strlen(rows[i])));
    }
    struct reply_text reply;
    CHECK(!reply_text_parse(&reply, "ok\0 4F7K", 8));
    char letter[5000];
    memset(letter, '1', sizeof letter);
    CHECK(!reply_text_parse(&reply, letter, sizeof letter));
    memset(letter, ' ', sizeof letter);
    memcpy(letter, "ok", 2);
    CHECK(!reply_text_parse(&reply, letter, sizeof letter));
}

static void a_message_of_ours_is_read_again(void)
{
    static const struct {
        const char *text;
        const char *code;
    } rows[] = {
        {"too warm\nReply 1 4F7K to acknowledge", "4F7K"},
        {"太热\n回复 1 4F7K 确认\nhttps://c.example/incidents/1", "4F7K"},
        {"1 AAAA and 1 BBBB", ""}, /* a list */
        {"1 AAAA and 1 AAAA", "AAAA"},
        {"1 4F7K", "4F7K"},
        {"1 4F7KA", ""},
        {"14F7K", ""},
        {"", ""},
        {"1 ", ""},
        {"4F7K", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char code[REPLY_CODE_SIZE] = "";
        bool found = reply_code_find(code, rows[i].text, strlen(rows[i].text));
        CHECK_ROW(rows[i].text, found == (rows[i].code[0] != '\0'));
        CHECK_ROW(rows[i].text, !found || strcmp(code, rows[i].code) == 0);
    }
}

int main(void)
{
    crypto_init();
    static CU_TestInfo tests[] = {
        {"a code is of one incident, channel and receiver",
         a_code_is_of_one_incident_channel_and_receiver},
        {"a token fits a button and names its incident",
         a_token_fits_a_button_and_names_its_incident},
        {"a token that was changed is none", a_token_that_was_changed_is_none},
        {"what people type is understood", what_people_type_is_understood},
        {"what is no assent is not taken for one",
         what_is_no_assent_is_not_taken_for_one},
        {"a message of ours is read again", a_message_of_ours_is_read_again},
        CU_TEST_INFO_NULL,
    };
    return check_run("text", tests);
}
