// SPDX-License-Identifier: Apache-2.0
#include "collector/api/feed.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/map.h"
#include "base/mem.h"

#define HOLDER_SIZE 96
#define KEY_SIZE    (1 + FEED_NAME_SIZE)
#define SPARE_MIN   64 /* places in the list that may be empty before it is tidied */

struct slot {
    enum news_kind kind;
    char key[KEY_SIZE]; /* a letter for the kind, then the name */
    char event[FEED_EVENT_SIZE];
    char *json; /* owned; NULL: none */
    bool is_over;
    uint64_t order;    /* of its last change */
    uint64_t position; /* once it is sealed */
};

/* A place in the list; empty when the slot has moved on since. */
struct place {
    uint64_t order;
    struct slot *slot;
};

struct seat {
    char holder[HOLDER_SIZE];
    size_t count;
};

struct feed {
    size_t seat_max; /* fixed */

    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_closed;
    struct map slots;     /* by key; owned; NULL: it was dropped */
    struct place *places; /* in order */
    size_t place_count;
    size_t place_capacity;
    size_t slot_count;
    size_t over_count;
    uint64_t order;  /* of the newest place */
    uint64_t sealed; /* readers see up to here */
    uint32_t life;   /* 0: not filled */
    uint64_t position;
    uint64_t floor;      /* who has not seen this position has missed something */
    uint64_t dropped;    /* order of the newest slot that was dropped */
    bool drops_unsealed; /* the floor is the position to come */
    struct seat *seats;
    size_t seat_count;
    size_t seat_capacity;
    size_t seats_taken;
    int64_t left_ms; /* when the last one left */
};

struct feed *feed_create(size_t seats)
{
    assert(seats > 0);
    struct feed *feed = mem_alloc(sizeof *feed);
    feed->seat_max = seats;
    pthread_mutex_init(&feed->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&feed->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return feed;
}

static void slot_free(struct slot *slot)
{
    if (slot == NULL)
        return;
    free(slot->json);
    free(slot);
}

/* Under lock, as all that follow. */
static void forget_all(struct feed *feed)
{
    for (size_t i = 0; i < feed->slots.count; i++)
        slot_free(feed->slots.entries[i].value);
    map_fini(&feed->slots);
    free(feed->places);
    feed->slots = (struct map){0};
    feed->places = NULL;
    feed->place_count = 0;
    feed->place_capacity = 0;
    feed->slot_count = 0;
    feed->over_count = 0;
    feed->sealed = feed->order;
    feed->life = 0;
}

void feed_destroy(struct feed *feed)
{
    if (feed == NULL)
        return;
    assert(feed->seats_taken == 0);
    forget_all(feed);
    free(feed->seats);
    pthread_mutex_destroy(&feed->lock);
    pthread_cond_destroy(&feed->changed);
    free(feed);
}

void feed_close(struct feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    feed->is_closed = true;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
}

/* ---- the loop ---------------------------------------------------------------------- */

bool feed_is_wanted(struct feed *feed, int64_t real_ms)
{
    pthread_mutex_lock(&feed->lock);
    bool is_wanted = !feed->is_closed && feed->life != 0 &&
                     (feed->seats_taken > 0 || real_ms - feed->left_ms < FEED_LINGER_MS);
    if (!is_wanted && feed->seats_taken == 0)
        forget_all(feed);
    pthread_mutex_unlock(&feed->lock);
    return is_wanted;
}

bool feed_is_filled(struct feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    bool is_filled = feed->life != 0;
    pthread_mutex_unlock(&feed->lock);
    return is_filled;
}

/* Drops empty places, and keys of what is no more. */
static void tidy(struct feed *feed)
{
    size_t kept = 0;
    for (size_t i = 0; i < feed->place_count; i++)
        if (feed->places[i].slot != NULL)
            feed->places[kept++] = feed->places[i];
    feed->place_count = kept;
    struct map slots = {0};
    for (size_t i = 0; i < feed->slots.count; i++)
        if (feed->slots.entries[i].value != NULL)
            *map_at(&slots, feed->slots.entries[i].key) = feed->slots.entries[i].value;
    map_fini(&feed->slots);
    feed->slots = slots;
}

/* Where the first place behind `order` is. */
static size_t find_place(const struct feed *feed, uint64_t order)
{
    size_t low = 0;
    size_t high = feed->place_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (feed->places[middle].order <= order)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void empty_place(struct feed *feed, const struct slot *slot)
{
    if (slot->order == 0)
        return;
    struct place *place = &feed->places[find_place(feed, slot->order - 1)];
    assert(place->slot == slot);
    place->slot = NULL;
}

/* Of closed incidents the one that changed first goes; who has not seen it begins anew.
 */
static void drop_over(struct feed *feed)
{
    assert(feed->over_count > 0);
    size_t i = 0;
    while (feed->places[i].slot == NULL || !feed->places[i].slot->is_over)
        i++;
    struct slot *slot = feed->places[i].slot;
    if (slot->order > feed->sealed)
        feed->drops_unsealed = true;
    else if (slot->position > feed->floor)
        feed->floor = slot->position;
    if (slot->order > feed->dropped)
        feed->dropped = slot->order;
    feed->places[i].slot = NULL;
    *map_at(&feed->slots, slot->key) = NULL;
    slot_free(slot);
    feed->slot_count--;
    feed->over_count--;
}

static struct slot *slot_of(struct feed *feed, const struct news *news)
{
    static const char letters[] = {
        [NEWS_ZONE] = 'z', [NEWS_DEVICE] = 'd', [NEWS_INCIDENT] = 'i'};
    char key[KEY_SIZE];
    assert(strlen(news->id) < FEED_NAME_SIZE);
    key[0] = letters[news->kind];
    snprintf(key + 1, sizeof key - 1, "%s", news->id);
    void **at = map_at(&feed->slots, key);
    if (*at != NULL)
        return *at;
    struct slot *slot = mem_alloc(sizeof *slot);
    slot->kind = news->kind;
    memcpy(slot->key, key, sizeof key);
    feed->slot_count++;
    *at = slot;
    return slot;
}

void feed_put(struct feed *feed, const struct news *news)
{
    assert(strlen(news->event) < FEED_EVENT_SIZE);
    char *json = news->json != NULL ? mem_strdup(news->json) : NULL;
    pthread_mutex_lock(&feed->lock);
    if (feed->place_count > 2 * feed->slot_count + SPARE_MIN)
        tidy(feed);
    struct slot *slot = slot_of(feed, news);
    empty_place(feed, slot);
    free(slot->json);
    slot->json = json;
    snprintf(slot->event, sizeof slot->event, "%s", news->event);
    feed->over_count += news->is_over ? 1 : 0;
    feed->over_count -= slot->is_over ? 1 : 0;
    slot->is_over = news->is_over;
    slot->order = ++feed->order;
    mem_grow(&feed->places, &feed->place_capacity, feed->place_count + 1,
             sizeof *feed->places);
    feed->places[feed->place_count++] = (struct place){slot->order, slot};
    while (feed->over_count > FEED_OVER_MAX)
        drop_over(feed);
    pthread_mutex_unlock(&feed->lock);
}

void feed_seal(struct feed *feed, uint64_t position)
{
    pthread_mutex_lock(&feed->lock);
    assert(feed->sealed <= feed->order);
    for (size_t i = find_place(feed, feed->sealed); i < feed->place_count; i++)
        if (feed->places[i].slot != NULL)
            feed->places[i].slot->position = position;
    if (feed->life == 0) {
        while (feed->life == 0)
            crypto_random(&feed->life, sizeof feed->life);
        feed->floor = position;
    }
    if (feed->drops_unsealed)
        feed->floor = position;
    feed->drops_unsealed = false;
    feed->sealed = feed->order;
    feed->position = position;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
}

/* ---- readers ----------------------------------------------------------------------- */

static struct seat *find_seat(const struct feed *feed, const char *holder)
{
    for (size_t i = 0; i < feed->seat_count; i++)
        if (strcmp(feed->seats[i].holder, holder) == 0)
            return &feed->seats[i];
    return NULL;
}

enum err feed_join(struct feed *feed, const char *holder)
{
    enum err err = ERR_OK;
    pthread_mutex_lock(&feed->lock);
    struct seat *seat = find_seat(feed, holder);
    size_t has = seat != NULL ? seat->count : 0;
    if (feed->is_closed)
        err = ERR_OFFLINE;
    else if (feed->seats_taken >= feed->seat_max || has >= (feed->seat_max + 1) / 2)
        err = ERR_LIMIT;
    if (err == ERR_OK && seat == NULL) {
        mem_grow(&feed->seats, &feed->seat_capacity, feed->seat_count + 1,
                 sizeof *feed->seats);
        seat = &feed->seats[feed->seat_count++];
        *seat = (struct seat){0};
        snprintf(seat->holder, sizeof seat->holder, "%s", holder);
    }
    if (err == ERR_OK) {
        seat->count++;
        feed->seats_taken++;
    }
    pthread_mutex_unlock(&feed->lock);
    return err;
}

void feed_leave(struct feed *feed, const char *holder, int64_t real_ms)
{
    pthread_mutex_lock(&feed->lock);
    struct seat *seat = find_seat(feed, holder);
    assert(seat != NULL && seat->count > 0);
    assert(feed->seats_taken > 0);
    if (--seat->count == 0)
        *seat = feed->seats[--feed->seat_count];
    feed->seats_taken--;
    feed->left_ms = real_ms;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
}

bool feed_wait_empty(struct feed *feed, int64_t wait_ms)
{
    struct timespec end = clock_deadline(wait_ms);
    pthread_mutex_lock(&feed->lock);
    while (feed->seats_taken > 0 &&
           pthread_cond_timedwait(&feed->changed, &feed->lock, &end) == 0) {
    }
    bool is_empty = feed->seats_taken == 0;
    pthread_mutex_unlock(&feed->lock);
    return is_empty;
}

static bool parse_id(const char *text, uint32_t *life, uint64_t *position)
{
    char end;
    return text != NULL && strlen(text) < FEED_ID_SIZE &&
           strspn(text, "0123456789abcdef") == 8 && text[8] == '-' &&
           strspn(text + 9, "0123456789") == strlen(text + 9) &&
           sscanf(text, "%8" SCNx32 "-%" SCNu64 "%c", life, position, &end) == 2;
}

bool feed_resume(struct feed *feed, const char *last_id, struct feed_cursor *cursor)
{
    uint32_t life;
    uint64_t position;
    bool is_id = parse_id(last_id, &life, &position);
    pthread_mutex_lock(&feed->lock);
    bool is_known = is_id && feed->life != 0 && life == feed->life &&
                    position >= feed->floor && position <= feed->position;
    *cursor = (struct feed_cursor){.dropped = feed->dropped};
    for (size_t i = 0; i < feed->place_count; i++)
        if (feed->places[i].slot != NULL && feed->places[i].order <= feed->sealed)
            cursor->present = feed->places[i].order;
    /* Slots stand in the order of their positions. */
    for (size_t i = 0; is_known && i < feed->place_count; i++) {
        const struct place *place = &feed->places[i];
        if (place->order > feed->sealed ||
            (place->slot != NULL && place->slot->position > position))
            break;
        cursor->order = place->order;
    }
    pthread_mutex_unlock(&feed->lock);
    return is_known;
}

static const struct place *next_place(const struct feed *feed, size_t i)
{
    for (; i < feed->place_count && feed->places[i].order <= feed->sealed; i++)
        if (feed->places[i].slot != NULL)
            return &feed->places[i];
    return NULL;
}

static void put_id(const struct feed *feed, uint64_t position, char id[FEED_ID_SIZE])
{
    snprintf(id, FEED_ID_SIZE, "%08" PRIx32 "-%" PRIu64, feed->life, position);
}

static void give(const struct feed *feed, const struct place *place,
                 const struct feed_cursor *cursor, struct feed_event *event)
{
    assert(place->slot != NULL && place->order <= feed->sealed);
    const struct slot *slot = place->slot;
    const struct place *next = next_place(feed, (size_t)(place - feed->places) + 1);
    *event = (struct feed_event){
        .kind = slot->kind,
        .json = slot->json != NULL ? mem_strdup(slot->json) : NULL,
        .is_last = next == NULL || next->slot->position != slot->position,
        .is_over = slot->is_over,
        .is_present = slot->order <= cursor->present,
    };
    memcpy(event->name, slot->key + 1, sizeof event->name);
    memcpy(event->event, slot->event, sizeof event->event);
    put_id(feed, slot->position, event->id);
}

enum err feed_next(struct feed *feed, struct feed_cursor *cursor, int64_t wait_ms,
                   struct feed_event *event)
{
    struct timespec end = clock_deadline(wait_ms);
    const struct place *place;
    bool is_late = false;
    enum err err = ERR_OK;
    *event = (struct feed_event){0};
    pthread_mutex_lock(&feed->lock);
    while ((place = next_place(feed, find_place(feed, cursor->order))) == NULL &&
           !feed->is_closed && !is_late)
        is_late = pthread_cond_timedwait(&feed->changed, &feed->lock, &end) != 0;
    if (feed->is_closed)
        err = ERR_OFFLINE;
    else if (feed->dropped > cursor->dropped && feed->dropped > cursor->order)
        err = ERR_NOT_FOUND;
    else if (place == NULL)
        err = ERR_TIMEOUT;
    if (err == ERR_OK) {
        cursor->order = place->order;
        give(feed, place, cursor, event);
    }
    if (err == ERR_TIMEOUT)
        put_id(feed, feed->position, event->id);
    pthread_mutex_unlock(&feed->lock);
    return err;
}
