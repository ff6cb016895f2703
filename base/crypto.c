// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "base/log.h"

static_assert(CRYPTO_DIGEST_BYTES == crypto_generichash_BYTES,
              "libsodium's default size");
static_assert(CRYPTO_HMAC_BYTES == crypto_auth_hmacsha256_BYTES, "SHA-256");
static_assert(sizeof(crypto_generichash_state) + 64 <= sizeof(struct crypto_digest),
              "room to align the state");

void crypto_init(void)
{
    if (sodium_init() < 0)
        log_fatal("libsodium cannot be initialised");
}

void crypto_random(void *out, size_t len)
{
    randombytes_buf(out, len);
}

void crypto_digest(uint8_t out[CRYPTO_DIGEST_BYTES], const void *data, size_t len)
{
    int failed = crypto_generichash(out, CRYPTO_DIGEST_BYTES, data, len, NULL, 0);
    assert(failed == 0);
    (void)failed;
}

/* The library wants 64 byte alignment, which the heap does not promise. */
static crypto_generichash_state *state_of(const struct crypto_digest *digest)
{
    uintptr_t address = ((uintptr_t)digest->opaque + 63) & ~(uintptr_t)63;
    return (crypto_generichash_state *)address;
}

void crypto_digest_begin(struct crypto_digest *digest)
{
    int failed = crypto_generichash_init(state_of(digest), NULL, 0, CRYPTO_DIGEST_BYTES);
    assert(failed == 0);
    (void)failed;
}

void crypto_digest_add(struct crypto_digest *digest, const void *data, size_t len)
{
    int failed = crypto_generichash_update(state_of(digest), data, len);
    assert(failed == 0);
    (void)failed;
}

void crypto_digest_copy(struct crypto_digest *to, const struct crypto_digest *from)
{
    memcpy(state_of(to), state_of(from), sizeof(crypto_generichash_state));
}

void crypto_digest_end(struct crypto_digest *digest, uint8_t out[CRYPTO_DIGEST_BYTES])
{
    int failed = crypto_generichash_final(state_of(digest), out, CRYPTO_DIGEST_BYTES);
    assert(failed == 0);
    (void)failed;
}

void crypto_hmac_sha256(uint8_t out[CRYPTO_HMAC_BYTES], const void *key, size_t key_len,
                        const void *data, size_t len)
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_len);
    crypto_auth_hmacsha256_update(&state, data, len);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

/* OWASP's least for argon2id: 19 MiB, 2 passes. A board of 1 GB bears several at once. */
#define PASSWORD_PASSES 2

static_assert(CRYPTO_PASSWORD_SIZE >= crypto_pwhash_STRBYTES, "room for the text");

bool crypto_password_hash(char hash[CRYPTO_PASSWORD_SIZE], const char *password)
{
    return crypto_pwhash_str_alg(hash, password, strlen(password), PASSWORD_PASSES,
                                 CRYPTO_PASSWORD_MEMORY,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0;
}

bool crypto_password_check(const char *hash, const char *password)
{
    char wasted[CRYPTO_PASSWORD_SIZE];
    static const char start[] = "$argon2id$";
    if (strncmp(hash, start, strlen(start)) == 0)
        return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
    /* Who has no password takes as long as who has another. */
    if (crypto_password_hash(wasted, password))
        sodium_memzero(wasted, sizeof wasted);
    return false;
}

void crypto_wipe(void *data, size_t len)
{
    sodium_memzero(data, len);
}

char *crypto_hex(char *text, const void *data, size_t len)
{
    return sodium_bin2hex(text, 2 * len + 1, data, len);
}

bool crypto_unhex(void *out, size_t len, const char *text)
{
    size_t got = 0;
    return strlen(text) == 2 * len &&
           sodium_hex2bin(out, len, text, 2 * len, NULL, &got, NULL) == 0 && got == len;
}

char *crypto_base64(char *text, size_t size, const void *data, size_t len)
{
    if (sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL) > size)
        return NULL;
    return sodium_bin2base64(text, size, data, len, sodium_base64_VARIANT_ORIGINAL);
}
