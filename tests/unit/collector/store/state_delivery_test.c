// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_delivery.h"

#include "base/buf.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct state *state;
static struct buf seen;

static void open_in_batch(void)
{
    struct err_text why = {0};
    folder_make(&folder);
    if (state_open(&state, folder_file(&folder, "state.db"), &why) != ERR_OK) {
        printf("%s\n", why.text);
        exit(EXIT_FAILURE);
    }
    CHECK(state_begin(state) == ERR_OK);
}

static void close_all(void)
{
    CHECK(state_commit(state) == ERR_OK);
    state_close(state);
    buf_fini(&seen);
    folder_remove(&folder);
}

static const char *taken(void)
{
    static char text[2000];
    snprintf(text, sizeof text, "%s", seen.len > 0 ? seen.data : "");
    buf_clear(&seen);
    return text;
}

static void see_dedup(void *context, const struct state_dedup *dedup)
{
    buf_format(context, "%s/%s/%llx%s %.*s;", dedup->org, dedup->device,
               (unsigned long long)dedup->epoch, dedup->is_sealed ? " sealed" : "",
               (int)dedup->len, (const char *)dedup->data);
}

static void see_fork(void *context, const struct state_fork *fork)
{
    buf_format(context, "%llu %s/%s %llx/%llu %llx %llx %lld;",
               (unsigned long long)fork->position, fork->org, fork->device,
               (unsigned long long)fork->epoch, (unsigned long long)fork->seq,
               (unsigned long long)fork->held_hash, (unsigned long long)fork->other_hash,
               (long long)fork->arrived_ms);
}

static void see_quarantined(void *context, const struct state_quarantined *entry)
{
    buf_format(context, "%s:%llu.%u %s;", entry->source,
               (unsigned long long)entry->position, entry->item, entry->reason);
}

static void see_reason(void *context, const char *reason, uint64_t count)
{
    buf_format(context, "%s=%llu;", reason, (unsigned long long)count);
}

static void what_was_taken_is_kept_per_epoch(void)
{
    open_in_batch();
    struct state_dedup dedup = {
        .org = "o", .device = "d", .epoch = UINT64_MAX, .data = "abc", .len = 3};
    CHECK(state_put_dedup(state, &dedup) == ERR_OK);
    dedup.data = "abcd";
    dedup.len = 4;
    CHECK(state_put_dedup(state, &dedup) == ERR_OK);
    dedup.epoch = 1;
    dedup.is_sealed = true;
    CHECK(state_put_dedup(state, &dedup) == ERR_OK);
    CHECK(state_each_dedup(state, &seen, see_dedup) == ERR_OK);
    CHECK_TEXT(taken(), "o/d/ffffffffffffffff abcd;o/d/1 sealed abcd;");
    close_all();
}

static void forks_are_listed_once(void)
{
    open_in_batch();
    struct state_fork fork = {.position = 900,
                              .org = "o",
                              .device = "d",
                              .epoch = 0xfeedfacecafebeef,
                              .seq = 7,
                              .held_hash = UINT64_MAX,
                              .other_hash = 1,
                              .arrived_ms = 55};
    CHECK(state_add_fork(state, &fork) == ERR_OK);
    CHECK(state_add_fork(state, &fork) == ERR_EXISTS);
    fork.position = 901;
    CHECK(state_add_fork(state, &fork) == ERR_OK);
    CHECK(state_page_forks(state, 0, 1, &seen, see_fork) == ERR_OK);
    CHECK_TEXT(taken(), "900 o/d feedfacecafebeef/7 ffffffffffffffff 1 55;");
    CHECK(state_page_forks(state, 900, 5, &seen, see_fork) == ERR_OK);
    CHECK_TEXT(taken(), "901 o/d feedfacecafebeef/7 ffffffffffffffff 1 55;");
    close_all();
}

static enum err quarantine(const char *source, uint64_t position, uint32_t item,
                           const char *reason)
{
    struct state_quarantined entry = {
        .source = source, .position = position, .item = item, .reason = reason};
    return state_add_quarantined(state, &entry);
}

static void quarantine_is_idempotent_and_paged(void)
{
    open_in_batch();
    CHECK(quarantine("", 20, 0, "json") == ERR_OK);
    CHECK(quarantine("", 10, 0, "json") == ERR_OK);
    CHECK(quarantine("", 10, 0, "again") == ERR_EXISTS);
    CHECK(quarantine("influx", 10, 0, "line") == ERR_OK);
    CHECK(quarantine("influx", 10, 1, "line") == ERR_OK);
    struct state_quarantine_cursor cursor = {0};
    CHECK(state_page_quarantine(state, &cursor, 2, &seen, see_quarantined) == ERR_OK);
    CHECK_TEXT(taken(), ":10.0 json;influx:10.0 line;");
    CHECK(state_page_quarantine(state, &cursor, 2, &seen, see_quarantined) == ERR_OK);
    CHECK_TEXT(taken(), "influx:10.1 line;:20.0 json;");
    CHECK(state_page_quarantine(state, &cursor, 2, &seen, see_quarantined) == ERR_OK);
    CHECK_TEXT(taken(), "");
    CHECK(state_count_quarantine(state, &seen, see_reason) == ERR_OK);
    CHECK_TEXT(taken(), "json=2;line=2;");
    close_all();
}

static void trimming_keeps_the_newest_and_the_counts(void)
{
    open_in_batch();
    for (uint64_t i = 1; i <= 10; i++)
        CHECK(quarantine("", i, 0, "json") == ERR_OK);
    uint64_t removed = 0;
    CHECK(state_trim_quarantine(state, 3, &removed) == ERR_OK);
    CHECK(removed == 7);
    CHECK(state_trim_quarantine(state, 3, &removed) == ERR_OK);
    CHECK(removed == 0);
    struct state_quarantine_cursor cursor = {0};
    CHECK(state_page_quarantine(state, &cursor, 0, &seen, see_quarantined) == ERR_OK);
    CHECK_TEXT(taken(), ":8.0 json;:9.0 json;:10.0 json;");
    CHECK(state_count_quarantine(state, &seen, see_reason) == ERR_OK);
    CHECK_TEXT(taken(), "json=10;");
    close_all();
}

static void see_whole_entry(void *context, const struct state_quarantined *entry)
{
    const unsigned char *payload = context;
    CHECK(entry->len == STATE_QUARANTINE_BYTES);
    CHECK(memcmp(entry->data, payload, STATE_QUARANTINE_BYTES) == 0);
    CHECK(entry->size == 65536);
    CHECK(entry->epoch == 0x8000000000000001 && entry->seq == UINT64_MAX);
    CHECK(entry->arrived_ms == -5);
    CHECK_TEXT(entry->topic, "coldchain/v1/o/d/readings/x/\xff");
    CHECK_TEXT(entry->org, "o");
    CHECK_TEXT(entry->device, "d");
    CHECK_TEXT(entry->detail, "line 1: '{' expected");
}

static void payloads_are_cut_and_foreign_bytes_kept(void)
{
    open_in_batch();
    static unsigned char payload[65536];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (unsigned char)(i * 31);
    const struct state_quarantined entry = {
        .position = 1,
        .org = "o",
        .device = "d",
        .topic = "coldchain/v1/o/d/readings/x/\xff",
        .epoch = 0x8000000000000001,
        .seq = UINT64_MAX,
        .reason = "json",
        .detail = "line 1: '{' expected",
        .data = payload,
        .len = sizeof payload,
        .size = sizeof payload,
        .arrived_ms = -5,
    };
    CHECK(state_add_quarantined(state, &entry) == ERR_OK);
    struct state_quarantine_cursor cursor = {0};
    CHECK(state_page_quarantine(state, &cursor, 1, payload, see_whole_entry) == ERR_OK);
    CHECK(cursor.position == 1);
    close_all();
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what was taken is kept per epoch", what_was_taken_is_kept_per_epoch},
        {"forks are listed once", forks_are_listed_once},
        {"quarantine is idempotent and paged", quarantine_is_idempotent_and_paged},
        {"trimming keeps the newest and the counts",
         trimming_keeps_the_newest_and_the_counts},
        {"payloads are cut and foreign bytes kept",
         payloads_are_cut_and_foreign_bytes_kept},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/state_delivery", tests);
}
