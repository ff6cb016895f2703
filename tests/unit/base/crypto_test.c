// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.h"

#include "tests/support/check.h"

/* Values of RFC 4231 and of b2sum -l 256. */
static void hmac_rows(void)
{
    static const struct {
        const char *name;
        const char *key;
        const char *data;
        const char *want;
    } rows[] = {
        {"RFC 4231 case 2", "Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"empty", "", "",
         "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t mac[CRYPTO_HMAC_BYTES];
        char hex[2 * sizeof mac + 1];
        crypto_hmac_sha256(mac, rows[i].key, strlen(rows[i].key), rows[i].data,
                           strlen(rows[i].data));
        CHECK_ROW(rows[i].name,
                  strcmp(crypto_hex(hex, mac, sizeof mac), rows[i].want) == 0);
    }
}

static void hash_is_blake2b_and_the_same_in_pieces(void)
{
    uint8_t whole[CRYPTO_DIGEST_BYTES], pieces[CRYPTO_DIGEST_BYTES];
    char hex[2 * sizeof whole + 1];
    crypto_digest(whole, "abc", 3);
    CHECK_TEXT(crypto_hex(hex, whole, sizeof whole),
               "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    struct crypto_digest hash;
    crypto_digest_begin(&hash);
    crypto_digest_add(&hash, "a", 1);
    crypto_digest_add(&hash, "bc", 2);
    crypto_digest_end(&hash, pieces);
    CHECK(crypto_equal(whole, pieces, sizeof whole));
}

static void hex_goes_both_ways(void)
{
    static const struct {
        const char *name;
        const char *text;
        bool want;
    } rows[] = {
        {"exact", "00FFab", true},
        {"too short", "00ff", false},
        {"too long", "00ffabcd", false},
        {"not hex", "00fg00", false},
        {"empty", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[3] = {0};
        CHECK_ROW(rows[i].name, crypto_unhex(bytes, 3, rows[i].text) == rows[i].want);
    }
    char text[7];
    CHECK_TEXT(crypto_hex(text, "\x00\xff\xab", 3), "00ffab");
}

static void random_bytes_differ(void)
{
    uint8_t a[16] = {0}, b[16] = {0};
    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
}

static void passwords_are_argon2id(void)
{
    char hash[CRYPTO_PASSWORD_SIZE];
    char other[CRYPTO_PASSWORD_SIZE];
    CHECK(crypto_password_hash(hash, "orange truck seven hill"));
    CHECK(crypto_password_hash(other, "orange truck seven hill"));
    CHECK(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0);
    CHECK(strcmp(hash, other) != 0); /* salted */
    CHECK(crypto_password_check(hash, "orange truck seven hill"));
    CHECK(!crypto_password_check(hash, "orange truck seven hills"));
    CHECK(!crypto_password_check(hash, ""));
    CHECK(!crypto_password_check("", ""));
    CHECK(!crypto_password_check("", "orange truck seven hill"));
    CHECK(!crypto_password_check("$argon2id$", "orange truck seven hill"));
    CHECK(!crypto_password_check("orange truck seven hill", "orange truck seven hill"));
}

static CU_TestInfo tests[] = {
    {"HMAC-SHA-256 rows", hmac_rows},
    {"the hash is BLAKE2b-256, whole or in pieces",
     hash_is_blake2b_and_the_same_in_pieces},
    {"hex goes both ways", hex_goes_both_ways},
    {"random bytes differ", random_bytes_differ},
    {"passwords are argon2id", passwords_are_argon2id},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    crypto_init();
    return check_run("crypto", tests);
}
