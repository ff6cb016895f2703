// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/ack_link.h"

#include "base/crypto.h"
#include "tests/support/check.h"

#define ID     "00112233445566778899aabbccddeeff"
#define NOW_MS INT64_C(1790000000000)

static const uint8_t key[ACK_KEY_BYTES] = {1, 2, 3};

static void make(char token[ACK_TOKEN_MAX], const char *contact)
{
    struct ack_claim claim = {.incident = ID, .until_s = NOW_MS / 1000 + 60};
    snprintf(claim.contact, sizeof claim.contact, "%s", contact);
    ack_token_format(token, &claim, key);
}

static void a_token_says_who_and_what(void)
{
    static const char *const contacts[] = {
        "li", "", "a-contact_of-64-characters-is-the-longest-that-an-id-may-ever-be"};
    for (size_t i = 0; i < sizeof contacts / sizeof contacts[0]; i++) {
        char token[ACK_TOKEN_MAX];
        struct ack_claim claim;
        make(token, contacts[i]);
        CHECK(ack_token_parse(&claim, token, key, NOW_MS) == ERR_OK);
        CHECK_TEXT(claim.incident, ID);
        CHECK_TEXT(claim.contact, contacts[i]);
        CHECK(claim.until_s == NOW_MS / 1000 + 60);
    }
}

static void a_token_ends(void)
{
    char token[ACK_TOKEN_MAX];
    struct ack_claim claim;
    make(token, "li");
    CHECK(ack_token_parse(&claim, token, key, NOW_MS + 60000) == ERR_OK);
    CHECK(ack_token_parse(&claim, token, key, NOW_MS + 61000) == ERR_DENIED);
}

static void what_was_changed_counts_for_nothing(void)
{
    static const uint8_t other[ACK_KEY_BYTES] = {1, 2, 4};
    char token[ACK_TOKEN_MAX];
    struct ack_claim claim;
    make(token, "li");
    CHECK(ack_token_parse(&claim, token, other, NOW_MS) == ERR_INVALID);
    for (size_t i = 0; token[i] != '\0'; i++) {
        char was = token[i];
        token[i] = was == 'a' ? 'b' : 'a';
        CHECK(ack_token_parse(&claim, token, key, NOW_MS) == ERR_INVALID);
        token[i] = '\0';
        CHECK(ack_token_parse(&claim, token, key, NOW_MS) == ERR_INVALID);
        token[i] = was;
    }
    char *longer = calloc(1, 100000);
    memset(longer, 'a', 99999);
    CHECK(ack_token_parse(&claim, longer, key, NOW_MS) == ERR_INVALID);
    free(longer);
}

static void a_link_holds_a_token(void)
{
    struct ack_links links = {.base = "https://cold.example.org", .valid_ms = 60000};
    struct buf out = {0};
    struct ack_claim claim;
    memcpy(links.key, key, sizeof key);
    ack_link(&links, ID, "li", NOW_MS, &out);
    const char *token = strstr(out.data, "/v1/ack?t=");
    CHECK(strncmp(out.data, "https://cold.example.org/v1/ack?t=", 34) == 0);
    CHECK(token != NULL &&
          ack_token_parse(&claim, token + 10, key, NOW_MS + 60000) == ERR_OK);
    buf_fini(&out);
}

int main(void)
{
    crypto_init();
    static CU_TestInfo tests[] = {
        {"a token says who and what", a_token_says_who_and_what},
        {"a token ends", a_token_ends},
        {"what was changed counts for nothing", what_was_changed_counts_for_nothing},
        {"a link holds a token", a_link_holds_a_token},
        CU_TEST_INFO_NULL,
    };
    return check_run("ack_link", tests);
}
