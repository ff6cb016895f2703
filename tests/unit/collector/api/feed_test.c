// SPDX-License-Identifier: Apache-2.0
/* The feed: the latest of each, in order, however slowly it is read. */
#include "collector/api/feed.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/support/check.h"

static void put(struct feed *feed, enum news_kind kind, const char *id, const char *json)
{
    const struct news news = {.kind = kind, .id = id, .event = "", .json = json};
    feed_put(feed, &news);
}

static void put_incident(struct feed *feed, const char *id, const char *event)
{
    const struct news news = {.kind = NEWS_INCIDENT,
                              .id = id,
                              .event = event,
                              .is_over = strcmp(event, "closed") == 0};
    feed_put(feed, &news);
}

/* All that is behind the cursor: "NAME=JSON" each, and "#" where the id stands. */
static void read_all(struct feed *feed, struct feed_cursor *cursor, char text[1024],
                     char id[FEED_ID_SIZE])
{
    struct feed_event event;
    size_t len = 0;
    text[0] = '\0';
    while (feed_next(feed, cursor, 0, &event) == ERR_OK) {
        len += (size_t)snprintf(text + len, 1024 - len, "%s=%s%s ", event.name,
                                event.json != NULL ? event.json : event.event,
                                event.is_last ? "#" : "");
        if (event.is_last)
            memcpy(id, event.id, FEED_ID_SIZE);
        free(event.json);
    }
}

static struct feed *feed_of_three(void)
{
    struct feed *feed = feed_create(4);
    put(feed, NEWS_ZONE, "a", "1");
    put(feed, NEWS_ZONE, "b", "1");
    put(feed, NEWS_DEVICE, "o/d", "1");
    feed_seal(feed, 100);
    return feed;
}

static void a_new_reader_gets_everything_and_then_the_latest(void)
{
    struct feed *feed = feed_of_three();
    struct feed_cursor cursor;
    char text[1024];
    char id[FEED_ID_SIZE] = "";
    CHECK(!feed_resume(feed, NULL, &cursor));
    read_all(feed, &cursor, text, id);
    CHECK_TEXT(text, "a=1 b=1 o/d=1# ");
    CHECK(cursor.order == cursor.present);
    put(feed, NEWS_ZONE, "b", "2");
    feed_seal(feed, 200);
    put_incident(feed, "i", "opened");
    put(feed, NEWS_ZONE, "b", "3");
    feed_seal(feed, 300);
    read_all(feed, &cursor, text, id);
    CHECK_TEXT(text, "i=opened b=3# ");
    CHECK(strcmp(id + 8, "-300") == 0);
    feed_destroy(feed);
}

static void what_is_not_sealed_is_not_seen(void)
{
    struct feed *feed = feed_of_three();
    struct feed_cursor cursor;
    struct feed_event event;
    char text[1024];
    char id[FEED_ID_SIZE];
    feed_resume(feed, NULL, &cursor);
    put(feed, NEWS_ZONE, "a", "2");
    read_all(feed, &cursor, text, id);
    CHECK_TEXT(text, "b=1 o/d=1# ");
    CHECK(feed_next(feed, &cursor, 0, &event) == ERR_TIMEOUT);
    CHECK(strcmp(event.id + 8, "-100") == 0);
    feed_seal(feed, 200);
    read_all(feed, &cursor, text, id);
    CHECK_TEXT(text, "a=2# ");
    feed_destroy(feed);
}

static void an_id_is_gone_on_from(void)
{
    struct feed *feed = feed_of_three();
    struct feed_cursor cursor;
    char text[1024];
    char id[FEED_ID_SIZE];
    char older[FEED_ID_SIZE];
    feed_resume(feed, NULL, &cursor);
    read_all(feed, &cursor, text, older);
    put(feed, NEWS_ZONE, "a", "2");
    feed_seal(feed, 200);
    put(feed, NEWS_ZONE, "b", "2");
    feed_seal(feed, 300);
    read_all(feed, &cursor, text, id);
    CHECK(feed_resume(feed, older, &cursor));
    read_all(feed, &cursor, text, id);
    CHECK_TEXT(text, "a=2# b=2# ");
    CHECK(feed_resume(feed, id, &cursor));
    CHECK(cursor.order >= cursor.present);
    read_all(feed, &cursor, text, id);
    CHECK_TEXT(text, "");
    feed_destroy(feed);
}

static void other_ids_begin_anew(void)
{
    struct feed *feed = feed_of_three();
    struct feed_cursor cursor;
    char text[1024];
    char id[FEED_ID_SIZE];
    char far[FEED_ID_SIZE];
    char other[FEED_ID_SIZE];
    feed_resume(feed, NULL, &cursor);
    read_all(feed, &cursor, text, id);
    memcpy(far, id, sizeof far);
    memcpy(far + 8, "-101", 5);
    memcpy(other, id, sizeof other);
    other[0] = other[0] == '1' ? '2' : '1';
    const char *const rows[] = {
        far,   /* of what has not happened */
        other, /* of another life */
        "",           "-",         "0-0", "00000000-100",
        "0000000g-1", "00000000-", "x",   "00000000-99999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i], !feed_resume(feed, rows[i], &cursor) && cursor.order == 0);
    memcpy(far + 8, "-99", 4); /* before the feed began */
    CHECK(!feed_resume(feed, far, &cursor));
    CHECK(feed_resume(feed, id, &cursor));
    feed_destroy(feed);
}

static void old_closed_incidents_go_and_who_missed_one_begins_anew(void)
{
    struct feed *feed = feed_of_three();
    struct feed_cursor quick;
    struct feed_cursor slow;
    struct feed_event event;
    char name[32];
    char text[1024];
    char id[FEED_ID_SIZE];
    feed_resume(feed, NULL, &quick);
    read_all(feed, &quick, text, id);
    slow = quick;
    for (int i = 0; i < FEED_OVER_MAX + 1; i++) {
        snprintf(name, sizeof name, "%d", i);
        put_incident(feed, name, "closed");
        feed_seal(feed, 200 + (uint64_t)i);
        CHECK(feed_next(feed, &quick, 0, &event) == ERR_OK);
        CHECK(strcmp(event.name, name) == 0 && event.is_over);
    }
    CHECK(feed_next(feed, &quick, 0, &event) == ERR_TIMEOUT);
    CHECK(feed_next(feed, &slow, 0, &event) == ERR_NOT_FOUND);
    CHECK(!feed_resume(feed, id, &slow));
    CHECK(feed_next(feed, &slow, 0, &event) == ERR_OK);
    CHECK(strcmp(event.name, "a") == 0);
    free(event.json);
    /* All at once: the oldest go before anybody has seen them. */
    for (int i = 0; i < FEED_OVER_MAX + 1; i++) {
        snprintf(name, sizeof name, "n%d", i);
        put_incident(feed, name, "closed");
    }
    feed_seal(feed, 5000);
    CHECK(feed_next(feed, &quick, 0, &event) == ERR_NOT_FOUND);
    feed_destroy(feed);
}

static void seats_are_counted(void)
{
    struct feed *feed = feed_create(4);
    CHECK(feed_join(feed, "one") == ERR_OK);
    CHECK(feed_join(feed, "one") == ERR_OK);
    CHECK(feed_join(feed, "one") == ERR_LIMIT); /* half of them */
    CHECK(feed_join(feed, "two") == ERR_OK);
    CHECK(feed_join(feed, "three") == ERR_OK);
    CHECK(feed_join(feed, "four") == ERR_LIMIT);
    feed_leave(feed, "one", 0);
    CHECK(feed_join(feed, "four") == ERR_OK);
    CHECK(!feed_wait_empty(feed, 1));
    feed_close(feed);
    CHECK(feed_join(feed, "five") == ERR_OFFLINE);
    feed_leave(feed, "one", 0);
    feed_leave(feed, "two", 0);
    feed_leave(feed, "three", 0);
    feed_leave(feed, "four", 0);
    CHECK(feed_wait_empty(feed, 1));
    feed_destroy(feed);
}

static void nobody_follows_nothing_is_kept(void)
{
    struct feed *feed = feed_create(4);
    struct feed_cursor cursor;
    char text[1024];
    char id[FEED_ID_SIZE];
    CHECK(!feed_is_wanted(feed, 0) && !feed_is_filled(feed));
    CHECK(feed_join(feed, "one") == ERR_OK);
    put(feed, NEWS_ZONE, "a", "1");
    feed_seal(feed, 100);
    CHECK(feed_is_wanted(feed, 0) && feed_is_filled(feed));
    feed_resume(feed, NULL, &cursor);
    read_all(feed, &cursor, text, id);
    feed_leave(feed, "one", 1000);
    CHECK(feed_is_wanted(feed, 1000 + FEED_LINGER_MS - 1));
    CHECK(feed_resume(feed, id, &cursor));
    CHECK(!feed_is_wanted(feed, 1000 + FEED_LINGER_MS));
    CHECK(!feed_is_filled(feed) && !feed_resume(feed, id, &cursor));
    put(feed, NEWS_ZONE, "a", "2");
    feed_seal(feed, 100);
    CHECK(!feed_resume(feed, id, &cursor)); /* it is another one now */
    feed_destroy(feed);
}

/* ---- by lot ------------------------------------------------------------------------ */

#define NAMES 12

/* What a reader has heard: the latest of each, and the id given last. */
struct heard {
    int values[NAMES];
    char id[FEED_ID_SIZE];
    struct feed_cursor cursor;
};

static int number_of(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static void hear(struct feed *feed, struct heard *heard, uint64_t most)
{
    struct feed_event event;
    uint64_t last = 0;
    for (uint64_t i = 0; i < most; i++) {
        if (feed_next(feed, &heard->cursor, 0, &event) != ERR_OK)
            break;
        heard->values[number_of(event.name)] = number_of(event.json);
        if (event.is_last)
            memcpy(heard->id, event.id, sizeof heard->id);
        uint64_t position = strtoull(event.id + 9, NULL, 10);
        CHECK(position >= last);
        last = position;
        free(event.json);
    }
}

/* What was true at each position that was sealed. */
struct truth {
    int values[NAMES];
};

static void one_lot(uint64_t seed)
{
    static struct truth truths[400];
    struct rng rng = {.state = seed};
    struct feed *feed = feed_create(4);
    struct heard slow = {0};
    struct truth now = {0};
    for (int i = 0; i < NAMES; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        put(feed, NEWS_ZONE, name, "0");
    }
    feed_seal(feed, 0);
    feed_resume(feed, NULL, &slow.cursor);
    for (uint64_t position = 1; position < 400; position++) {
        for (uint64_t k = 1 + rng_below(&rng, 5); k > 0; k--) {
            char name[16];
            char json[16];
            uint64_t which = rng_below(&rng, NAMES);
            now.values[which]++;
            snprintf(name, sizeof name, "%d", (int)which);
            snprintf(json, sizeof json, "%d", now.values[which]);
            put(feed, NEWS_ZONE, name, json);
        }
        feed_seal(feed, position);
        truths[position] = now;
        if (rng_chance(&rng, 0.3))
            hear(feed, &slow, rng_below(&rng, 6));
        if (rng_chance(&rng, 0.05) && slow.id[0] != '\0') {
            /* It comes again with its id, and knows what was true then, or later. */
            struct heard again = slow;
            uint64_t had = strtoull(slow.id + 9, NULL, 10);
            memcpy(again.values, truths[had].values, sizeof again.values);
            CHECK(feed_resume(feed, slow.id, &again.cursor));
            hear(feed, &again, UINT64_MAX);
            CHECK(memcmp(again.values, now.values, sizeof now.values) == 0);
        }
    }
    hear(feed, &slow, UINT64_MAX);
    CHECK(memcmp(slow.values, now.values, sizeof now.values) == 0);
    feed_destroy(feed);
}

static void who_reads_slowly_or_comes_again_knows_the_same(void)
{
    const char *given = getenv("COLDCHAIN_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261126;
    printf("\n    seed %" PRIu64, seed);
    for (uint64_t i = 0; i < 40; i++)
        one_lot(seed + i);
}

struct wait {
    struct feed *feed;
    struct feed_cursor cursor;
    enum err err;
};

static void *wait_for_one(void *context)
{
    struct wait *wait = context;
    struct feed_event event;
    wait->err = feed_next(wait->feed, &wait->cursor, 60000, &event);
    free(event.json);
    return NULL;
}

static void who_waits_is_woken(void)
{
    struct feed *feed = feed_of_three();
    struct wait wait = {.feed = feed, .err = ERR_TIMEOUT};
    pthread_t thread;
    feed_resume(feed, NULL, &wait.cursor);
    wait.cursor.order = wait.cursor.present;
    CHECK(pthread_create(&thread, NULL, wait_for_one, &wait) == 0);
    put(feed, NEWS_ZONE, "new", "1");
    feed_seal(feed, 200);
    pthread_join(thread, NULL);
    CHECK(wait.err == ERR_OK);
    CHECK(pthread_create(&thread, NULL, wait_for_one, &wait) == 0);
    feed_close(feed);
    pthread_join(thread, NULL);
    CHECK(wait.err == ERR_OFFLINE);
    feed_destroy(feed);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a new reader gets everything and then the latest",
         a_new_reader_gets_everything_and_then_the_latest},
        {"what is not sealed is not seen", what_is_not_sealed_is_not_seen},
        {"an id is gone on from", an_id_is_gone_on_from},
        {"other ids begin anew", other_ids_begin_anew},
        {"old closed incidents go and who missed one begins anew",
         old_closed_incidents_go_and_who_missed_one_begins_anew},
        {"seats are counted", seats_are_counted},
        {"nobody follows, nothing is kept", nobody_follows_nothing_is_kept},
        {"who reads slowly or comes again knows the same",
         who_reads_slowly_or_comes_again_knows_the_same},
        {"who waits is woken", who_waits_is_woken},
        CU_TEST_INFO_NULL,
    };
    return check_run("feed", tests);
}
