// SPDX-License-Identifier: Apache-2.0
#include "collector/api/replay.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum entry_state {
    ENTRY_FREE,
    ENTRY_UNDER_WAY,
    ENTRY_MADE,
};

struct entry {
    enum entry_state state;
    uint8_t who[CRYPTO_DIGEST_BYTES];
    uint8_t what[CRYPTO_DIGEST_BYTES];
    int64_t begun_ms;
    uint64_t number; /* in the order of their begin */
    struct buf body;
    struct buf cookie;
};

struct replay {
    pthread_mutex_t lock;
    uint64_t count; /* ever */
    struct entry entries[REPLAY_MAX];
};

struct replay *replay_create(void)
{
    struct replay *replay = mem_alloc(sizeof *replay);
    pthread_mutex_init(&replay->lock, NULL);
    return replay;
}

static void forget(struct buf *buf)
{
    if (buf->data != NULL)
        crypto_wipe(buf->data, buf->len);
    buf_fini(buf);
}

static void free_entry(struct entry *entry)
{
    forget(&entry->body);
    forget(&entry->cookie);
    *entry = (struct entry){.state = ENTRY_FREE};
}

void replay_destroy(struct replay *replay)
{
    if (replay == NULL)
        return;
    for (size_t i = 0; i < REPLAY_MAX; i++)
        free_entry(&replay->entries[i]);
    pthread_mutex_destroy(&replay->lock);
    free(replay);
}

static struct entry *find(struct replay *replay, const uint8_t who[CRYPTO_DIGEST_BYTES])
{
    for (size_t i = 0; i < REPLAY_MAX; i++) {
        struct entry *entry = &replay->entries[i];
        if (entry->state != ENTRY_FREE && memcmp(entry->who, who, sizeof entry->who) == 0)
            return entry;
    }
    return NULL;
}

/* A free one, else the oldest that is not under way; NULL when all are. */
static struct entry *make_room(struct replay *replay)
{
    struct entry *oldest = NULL;
    for (size_t i = 0; i < REPLAY_MAX; i++) {
        struct entry *entry = &replay->entries[i];
        if (entry->state == ENTRY_FREE)
            return entry;
        if (entry->state == ENTRY_MADE &&
            (oldest == NULL || entry->number < oldest->number))
            oldest = entry;
    }
    if (oldest != NULL)
        free_entry(oldest);
    return oldest;
}

static enum replay_result answer_again(const struct entry *entry,
                                       const uint8_t what[CRYPTO_DIGEST_BYTES],
                                       struct buf *body, struct buf *cookie)
{
    if (memcmp(entry->what, what, sizeof entry->what) != 0)
        return REPLAY_OTHER;
    if (entry->state == ENTRY_UNDER_WAY)
        return REPLAY_UNDER_WAY;
    buf_add(body, entry->body.data, entry->body.len);
    buf_add(cookie, entry->cookie.data, entry->cookie.len);
    return REPLAY_AGAIN;
}

static enum replay_result begin(struct replay *replay,
                                const uint8_t who[CRYPTO_DIGEST_BYTES],
                                const uint8_t what[CRYPTO_DIGEST_BYTES], int64_t now_ms,
                                struct buf *body, struct buf *cookie)
{
    struct entry *entry = find(replay, who);
    if (entry != NULL && entry->state == ENTRY_MADE &&
        now_ms - entry->begun_ms > REPLAY_LIFE_MS) {
        free_entry(entry);
        entry = NULL;
    }
    if (entry != NULL)
        return answer_again(entry, what, body, cookie);
    entry = make_room(replay);
    if (entry == NULL)
        return REPLAY_FULL;
    assert(entry->state == ENTRY_FREE);
    entry->state = ENTRY_UNDER_WAY;
    memcpy(entry->who, who, sizeof entry->who);
    memcpy(entry->what, what, sizeof entry->what);
    entry->begun_ms = now_ms;
    entry->number = ++replay->count;
    return REPLAY_NEW;
}

enum replay_result replay_begin(struct replay *replay,
                                const uint8_t who[CRYPTO_DIGEST_BYTES],
                                const uint8_t what[CRYPTO_DIGEST_BYTES], int64_t now_ms,
                                struct buf *body, struct buf *cookie)
{
    pthread_mutex_lock(&replay->lock);
    enum replay_result result = begin(replay, who, what, now_ms, body, cookie);
    pthread_mutex_unlock(&replay->lock);
    return result;
}

void replay_end(struct replay *replay, const uint8_t who[CRYPTO_DIGEST_BYTES],
                bool is_kept, const struct buf *body, const struct buf *cookie)
{
    pthread_mutex_lock(&replay->lock);
    struct entry *entry = find(replay, who);
    assert(entry != NULL && entry->state == ENTRY_UNDER_WAY);
    if (is_kept) {
        entry->state = ENTRY_MADE;
        buf_add(&entry->body, body->data, body->len);
        buf_add(&entry->cookie, cookie->data, cookie->len);
    } else {
        free_entry(entry);
    }
    pthread_mutex_unlock(&replay->lock);
}
