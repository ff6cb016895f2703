// SPDX-License-Identifier: Apache-2.0
#include "collector/access/throttle.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"

/* Keys are kept by their digest: of any length, and nobody's name stands in memory. */
struct entry {
    uint8_t key[CRYPTO_DIGEST_BYTES];
    unsigned failures; /* 0: the entry is free */
    int64_t last_ms;
    int64_t until_ms;
};

struct throttle {
    struct throttle_policy policy;
    struct entry entries[THROTTLE_KEYS];
};

struct throttle *throttle_create(const struct throttle_policy *policy)
{
    assert(policy->first_ms > 0 && policy->most_ms >= policy->first_ms);
    struct throttle *throttle = mem_alloc(sizeof *throttle);
    throttle->policy = *policy;
    return throttle;
}

void throttle_destroy(struct throttle *throttle)
{
    free(throttle);
}

/* NULL when it is not there. */
static struct entry *find(struct throttle *throttle, const uint8_t *key)
{
    for (size_t i = 0; i < THROTTLE_KEYS; i++)
        if (throttle->entries[i].failures > 0 &&
            memcmp(throttle->entries[i].key, key, CRYPTO_DIGEST_BYTES) == 0)
            return &throttle->entries[i];
    return NULL;
}

/* A free one, else the one whose last failure is the longest ago. */
static struct entry *claim(struct throttle *throttle, const uint8_t *key)
{
    struct entry *oldest = &throttle->entries[0];
    for (size_t i = 0; i < THROTTLE_KEYS && oldest->failures > 0; i++) {
        struct entry *entry = &throttle->entries[i];
        if (entry->failures == 0 || entry->last_ms < oldest->last_ms)
            oldest = entry;
    }
    *oldest = (struct entry){0};
    memcpy(oldest->key, key, CRYPTO_DIGEST_BYTES);
    return oldest;
}

static int64_t wait_of(const struct throttle_policy *policy, unsigned failures)
{
    int64_t wait_ms = failures >= policy->free ? policy->first_ms : 0;
    for (unsigned i = policy->free; i < failures && wait_ms < policy->most_ms; i++)
        wait_ms *= 2;
    return wait_ms < policy->most_ms ? wait_ms : policy->most_ms;
}

int64_t throttle_try(struct throttle *throttle, const char *key, int64_t now_ms)
{
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    crypto_digest(digest, key, strlen(key));
    struct entry *entry = find(throttle, digest);
    if (entry == NULL)
        entry = claim(throttle, digest);
    /* A clock that went back must not lock anybody out. */
    if (now_ms < entry->last_ms ||
        now_ms - entry->last_ms >= throttle->policy.forget_ms) {
        entry->failures = 0;
        entry->until_ms = 0;
    }
    if (now_ms < entry->until_ms)
        return entry->until_ms - now_ms;
    entry->failures++;
    entry->last_ms = now_ms;
    entry->until_ms = now_ms + wait_of(&throttle->policy, entry->failures);
    return 0;
}

void throttle_pass(struct throttle *throttle, const char *key)
{
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    crypto_digest(digest, key, strlen(key));
    struct entry *entry = find(throttle, digest);
    if (entry != NULL)
        *entry = (struct entry){0};
}

void throttle_undo(struct throttle *throttle, const char *key)
{
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    crypto_digest(digest, key, strlen(key));
    struct entry *entry = find(throttle, digest);
    if (entry == NULL)
        return;
    entry->failures--;
    entry->until_ms = entry->last_ms + wait_of(&throttle->policy, entry->failures);
}
