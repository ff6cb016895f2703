// SPDX-License-Identifier: Apache-2.0
/*
 * replay - answers to changes that are no commands, kept for who asks again under the
 * same Idempotency-Key.
 *
 * Commands are kept in the audit, for ever (collector/command). What is kept here is gone
 * after a restart, after a day, or when REPLAY_MAX others came since; only changes that
 * do no harm when they are made again may rely on it. Locks itself; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_API_REPLAY_H
#define COLDCHAIN_COLLECTOR_API_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/crypto.h"

#define REPLAY_MAX     256
#define REPLAY_LIFE_MS (INT64_C(24) * 3600 * 1000)

enum replay_result {
    REPLAY_NEW,   /* make the change, then call replay_end() */
    REPLAY_AGAIN, /* it was made: here is its answer */
    REPLAY_OTHER, /* the key was used for another request */
    REPLAY_UNDER_WAY,
    REPLAY_FULL, /* nothing can be kept just now: so many are under way */
};

struct replay;

struct replay *replay_create(void);
/* Accepts NULL. Forgets safely: answers may hold secrets. */
void replay_destroy(struct replay *replay);

/* `who` is the key with who asks, `what` the request, both as digests. AGAIN adds the
 * answer's body and cookie. */
enum replay_result replay_begin(struct replay *replay,
                                const uint8_t who[CRYPTO_DIGEST_BYTES],
                                const uint8_t what[CRYPTO_DIGEST_BYTES], int64_t now_ms,
                                struct buf *body, struct buf *cookie);
/* The change was made and answered so; `is_kept` false: it was not, the key is free. */
void replay_end(struct replay *replay, const uint8_t who[CRYPTO_DIGEST_BYTES],
                bool is_kept, const struct buf *body, const struct buf *cookie);

#endif
