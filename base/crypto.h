// SPDX-License-Identifier: Apache-2.0
/*
 * crypto - the door to libsodium: random bytes, hashes, message authentication.
 *
 * crypto_init() first, once per process (again is harmless). Nothing here fails
 * afterwards; bad arguments are bugs of ours. Any thread. (libsodium itself owns the
 * name crypto_hash, hence "digest".)
 */
#ifndef COLDCHAIN_BASE_CRYPTO_H
#define COLDCHAIN_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_DIGEST_BYTES 32
#define CRYPTO_HMAC_BYTES   32

/* Ends the process when the library cannot be used: nothing works without it. */
void crypto_init(void);

/* Unpredictable bytes from the kernel. */
void crypto_random(void *out, size_t len);

/* BLAKE2b, 256 bits (RFC 7693), without a key. */
void crypto_digest(uint8_t out[CRYPTO_DIGEST_BYTES], const void *data, size_t len);

/*
 * The same hash, piece by piece. The struct must not be copied or moved between begin
 * and end; one thread at a time.
 */
struct crypto_digest {
    unsigned char opaque[384 + 64];
};
void crypto_digest_begin(struct crypto_digest *digest);
void crypto_digest_add(struct crypto_digest *digest, const void *data, size_t len);
/* Copies the state, so that both can go on. */
void crypto_digest_copy(struct crypto_digest *to, const struct crypto_digest *from);
void crypto_digest_end(struct crypto_digest *digest, uint8_t out[CRYPTO_DIGEST_BYTES]);

/* RFC 2104 with SHA-256, for webhooks and chat robots. */
void crypto_hmac_sha256(uint8_t out[CRYPTO_HMAC_BYTES], const void *key, size_t key_len,
                        const void *data, size_t len);

/* Takes the same time whatever differs. */
bool crypto_equal(const void *a, const void *b, size_t len);

/*
 * argon2id with a salt and its parameters as one text (RFC 9106). It takes some 20 to 100
 * ms and CRYPTO_PASSWORD_MEMORY bytes while it runs: the caller bounds how many do at a
 * time. False: that memory could not be had.
 */
#define CRYPTO_PASSWORD_SIZE   128
#define CRYPTO_PASSWORD_MEMORY (19 * 1024 * 1024)
bool crypto_password_hash(char hash[CRYPTO_PASSWORD_SIZE], const char *password);
/* False for anything that is not such a text, after no less work. */
bool crypto_password_check(const char *hash, const char *password);

/* Overwrites it, whatever the compiler thinks of that. */
void crypto_wipe(void *data, size_t len);

/* Lower case and a NUL: `text` has room for 2 * len + 1. Returns text. */
char *crypto_hex(char *text, const void *data, size_t len);
/* Exactly 2 * len hex digits of either case; false otherwise. */
bool crypto_unhex(void *out, size_t len, const char *text);

/* Standard base64 with padding and a NUL (RFC 4648, section 4); NULL when it has no room.
 */
char *crypto_base64(char *text, size_t size, const void *data, size_t len);

#endif
