// SPDX-License-Identifier: Apache-2.0
/* What a user of the journal sees, on the simulated disk and on the real one. */
#include "journal/journal.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto.h"
#include "tests/support/check.h"
#include "tests/support/journal_memory_io.h"

#define FIRST "j/segment-0000000001-00.log"

struct bench {
    struct memory_disk *disk;
    struct journal *journal;
    struct journal_recovery found;
    struct journal_options options;
};

static enum err reopen(struct bench *bench)
{
    struct err_text why = {0};
    enum err err =
        journal_open(&bench->journal, "j", &bench->options, &bench->found, &why);
    if (err != ERR_OK)
        printf("\n  open: %s\n", why.text);
    return err;
}

static void setup(struct bench *bench)
{
    *bench = (struct bench){.disk = memory_disk_create()};
    bench->options.io = memory_disk_io(bench->disk);
    bench->options.segment_bytes = JOURNAL_SEGMENT_MIN;
    CHECK(reopen(bench) == ERR_OK);
}

static void teardown(struct bench *bench)
{
    CHECK(journal_close(bench->journal) == ERR_OK);
    CHECK(memory_disk_repeated_syncs(bench->disk) == 0);
    memory_disk_destroy(bench->disk);
}

/* The process dies without a word. */
static void die(struct bench *bench, enum survival survival)
{
    memory_disk_stop(bench->disk);
    if (journal_close(bench->journal) != ERR_OK) {
        /* There was something to sync, and no disk. */
    }
    memory_disk_crash(bench->disk, survival, 1);
}

/* Turns bits of what is stored. */
static void damage(struct bench *bench, const char *path, uint64_t offset, uint8_t bits)
{
    size_t size = 0;
    uint8_t *bytes = memory_disk_bytes(bench->disk, path, &size);
    CHECK(bytes != NULL && offset < size);
    if (bytes == NULL || offset >= size)
        return;
    bytes[offset] ^= bits;
    memory_disk_resize(bench->disk, path, size);
}

static enum err append(struct bench *bench, const char *text, uint64_t *position)
{
    struct journal_piece piece = {text, strlen(text)};
    return journal_append(bench->journal, 20, 1000, 10, &piece, 1, position);
}

static enum err append_zeros(struct bench *bench, size_t len, uint64_t *position)
{
    static const char zeros[1 << 16];
    struct journal_piece piece = {zeros, len};
    return journal_append(bench->journal, 21, 1000, 10, &piece, 1, position);
}

static void append_synced(struct bench *bench, const char *text)
{
    CHECK(append(bench, text, NULL) == ERR_OK);
    CHECK(journal_sync(bench->journal, NULL) == ERR_OK);
}

/* All texts from a position on; LOSS as "!", in place as "?"; zeros as "0". */
static const char *texts_from(struct bench *bench, uint64_t from)
{
    static char text[2000];
    struct journal_reader *reader = NULL;
    struct journal_record record;
    size_t at = 0;
    text[0] = '\0';
    CHECK(journal_reader_open(&reader, bench->journal, from) == ERR_OK);
    enum err err;
    while ((err = journal_reader_next(reader, &record)) == ERR_OK && at < 1900) {
        const char *what = record.data;
        int len = (int)record.len;
        if (record.type == JOURNAL_TYPE_LOSS) {
            what = record.in_place ? "?" : "!";
            len = 1;
        } else if (record.type == 21) {
            what = "0";
            len = 1;
        }
        at += (size_t)snprintf(text + at, sizeof text - at, "%.*s ", len, what);
    }
    CHECK(err == ERR_NOT_FOUND);
    journal_reader_close(reader);
    return text;
}

static void a_new_journal_is_born_and_empty(void)
{
    struct bench bench;
    setup(&bench);
    CHECK(bench.found.born && bench.found.generation == 1);
    CHECK(!bench.found.generation_bumped);
    CHECK_TEXT(texts_from(&bench, 0), "");
    teardown(&bench);
    CHECK(journal_close(NULL) == ERR_OK);
}

static void records_are_seen_once_they_are_synced(void)
{
    struct bench bench;
    uint64_t first = 0, second = 0, synced = 0, bytes = 0;
    setup(&bench);
    CHECK(append(&bench, "one", &first) == ERR_OK);
    CHECK(append(&bench, "two", &second) == ERR_OK);
    CHECK(0 < first && first < second);
    CHECK(journal_pending(bench.journal, &bytes) == 2);
    CHECK(bytes == second - first + 48);
    CHECK_TEXT(texts_from(&bench, 0), "");
    CHECK(journal_sync(bench.journal, &synced) == ERR_OK);
    CHECK(synced > second && synced == journal_synced(bench.journal));
    CHECK(journal_pending(bench.journal, NULL) == 0);
    CHECK_TEXT(texts_from(&bench, 0), "one two ");
    CHECK_TEXT(texts_from(&bench, second), "two ");
    CHECK_TEXT(texts_from(&bench, synced), "");
    teardown(&bench);
}

static void a_sync_with_nothing_new_touches_no_disk(void)
{
    struct bench bench;
    setup(&bench);
    append_synced(&bench, "one");
    memory_disk_fault(bench.disk, FAULT_NONE, 0, 0, false);
    CHECK(journal_sync(bench.journal, NULL) == ERR_OK);
    CHECK(memory_disk_calls(bench.disk) == 0);
    teardown(&bench);
}

static void records_survive_closing_and_positions_stay(void)
{
    struct bench bench;
    uint64_t second = 0;
    setup(&bench);
    CHECK(append(&bench, "one", NULL) == ERR_OK);
    CHECK(append(&bench, "two", &second) == ERR_OK);
    uint8_t id[JOURNAL_ID_BYTES];
    memcpy(id, bench.found.id, sizeof id);
    for (int i = 0; i < 3; i++) {
        CHECK(journal_close(bench.journal) == ERR_OK);
        CHECK(reopen(&bench) == ERR_OK);
        CHECK(!bench.found.born && !bench.found.generation_bumped);
        CHECK(memcmp(id, bench.found.id, sizeof id) == 0);
        CHECK(bench.found.cut_bytes == 0 && bench.found.loss_count == 0);
    }
    append_synced(&bench, "three");
    CHECK_TEXT(texts_from(&bench, second), "two three ");
    teardown(&bench);
}

static void a_killed_process_loses_nothing_and_bumps_nothing(void)
{
    struct bench bench;
    setup(&bench);
    append_synced(&bench, "one");
    CHECK(append(&bench, "two", NULL) == ERR_OK);
    die(&bench, SURVIVE_ALL);
    CHECK(reopen(&bench) == ERR_OK);
    CHECK(!bench.found.generation_bumped && bench.found.cut_bytes == 0);
    CHECK(bench.found.records == 2 && bench.found.unsynced >= 1);
    CHECK_TEXT(texts_from(&bench, 0), "one two ");
    /* What recovery took over is durable now, though this process synced nothing. */
    die(&bench, SURVIVE_SYNCED);
    CHECK(reopen(&bench) == ERR_OK);
    CHECK_TEXT(texts_from(&bench, 0), "one two ");
    teardown(&bench);
}

static void a_torn_tail_is_cut_and_bumps_the_generation_once(void)
{
    struct bench bench;
    uint64_t torn = 0;
    setup(&bench);
    append_synced(&bench, "one");
    CHECK(append(&bench, "two", &torn) == ERR_OK);
    die(&bench, SURVIVE_ALL);
    damage(&bench, FIRST, (torn & UINT32_MAX) + 41, 1);
    CHECK(reopen(&bench) == ERR_OK);
    CHECK(bench.found.generation_bumped && bench.found.generation == 2);
    CHECK(bench.found.cut_bytes == 48 && bench.found.loss_count == 0);
    CHECK_TEXT(texts_from(&bench, 0), "one ");
    for (int i = 0; i < 2; i++) {
        die(&bench, SURVIVE_SYNCED);
        CHECK(reopen(&bench) == ERR_OK);
        CHECK(!bench.found.generation_bumped && bench.found.generation == 2);
    }
    uint64_t next = 0;
    CHECK(append(&bench, "three", &next) == ERR_OK);
    CHECK(next > torn);
    teardown(&bench);
}

/* The new generation is durable before anything is cut. */
static void a_bump_is_never_lost(void)
{
    bool struck = true;
    for (uint64_t at = 1; struck; at++) {
        struct bench bench;
        uint64_t torn = 0;
        setup(&bench);
        append_synced(&bench, "one");
        CHECK(append(&bench, "two", &torn) == ERR_OK);
        die(&bench, SURVIVE_ALL);
        damage(&bench, FIRST, (torn & UINT32_MAX) + 41, 1);
        memory_disk_fault(bench.disk, FAULT_POWER, CALL_ANY, at, true);
        struct err_text why;
        struck = journal_open(&bench.journal, "j", &bench.options, NULL, &why) != ERR_OK;
        die(&bench, at % 2 ? SURVIVE_SYNCED : SURVIVE_ALL);
        CHECK(reopen(&bench) == ERR_OK);
        CHECK(bench.found.generation >= 2);
        CHECK_TEXT(texts_from(&bench, 0), "one ");
        teardown(&bench);
    }
}

static void rot_is_copied_told_and_skipped(void)
{
    struct bench bench;
    uint64_t rotten = 0, after = 0;
    setup(&bench);
    append_synced(&bench, "one");
    CHECK(append(&bench, "two", &rotten) == ERR_OK);
    CHECK(append(&bench, "three", &after) == ERR_OK);
    append_synced(&bench, "four");
    die(&bench, SURVIVE_ALL);
    damage(&bench, FIRST, (rotten & UINT32_MAX) + 40, 0x20);
    CHECK(reopen(&bench) == ERR_OK);
    CHECK(bench.found.generation == 2 && bench.found.cut_bytes == 0);
    CHECK(bench.found.loss_count == 1 && bench.found.quarantined == 1);
    CHECK(bench.found.losses[0].from == rotten && bench.found.losses[0].to == after);
    CHECK(bench.found.losses[0].frames == 1);
    CHECK(bench.found.losses[0].reason == JOURNAL_LOSS_ROT);
    const char *copy = memory_disk_name(bench.disk, "j/quarantine", 0);
    CHECK(copy != NULL && strstr(copy, "segment-0000000001-00.log.g2") != NULL);
    CHECK_TEXT(texts_from(&bench, 0), "one ? three four ! ");
    for (int i = 0; i < 3; i++) {
        die(&bench, i == 1 ? SURVIVE_SYNCED : SURVIVE_ALL);
        CHECK(reopen(&bench) == ERR_OK);
        CHECK(!bench.found.generation_bumped && bench.found.loss_count == 0);
    }
    CHECK_TEXT(texts_from(&bench, 0), "one ? three four ! ");
    CHECK(memory_disk_name(bench.disk, "j/quarantine", 1) == NULL);
    teardown(&bench);
}

static void fill_segments(struct bench *bench, size_t segments)
{
    struct journal_stats stats = {0};
    while (stats.segments < segments) {
        CHECK(append_zeros(bench, 8000, NULL) == ERR_OK);
        CHECK(journal_sync(bench->journal, NULL) == ERR_OK);
        journal_stats(bench->journal, &stats);
    }
}

static void a_segment_without_header_goes_to_quarantine(void)
{
    struct bench bench;
    setup(&bench);
    append_synced(&bench, "one");
    die(&bench, SURVIVE_ALL);
    CHECK(reopen(&bench) == ERR_OK);
    append_synced(&bench, "two");
    die(&bench, SURVIVE_ALL);
    damage(&bench, "j/segment-0000000002-00.log", 20, 1);
    damage(&bench, "j/segment-0000000002-00.log", 2048 + 20, 1);
    CHECK(reopen(&bench) == ERR_OK);
    CHECK(bench.found.generation == 2 && bench.found.loss_count == 1);
    CHECK(bench.found.losses[0].reason == JOURNAL_LOSS_MISSING);
    CHECK(bench.found.quarantined == 1);
    CHECK_TEXT(texts_from(&bench, 0), "one ? ! ");
    die(&bench, SURVIVE_SYNCED);
    CHECK(reopen(&bench) == ERR_OK);
    CHECK(!bench.found.generation_bumped);
    CHECK_TEXT(texts_from(&bench, 0), "one ? ! ");
    teardown(&bench);
}

static void one_copy_of_the_header_is_enough(void)
{
    for (size_t at = 0; at <= 2048; at += 2048) {
        struct bench bench;
        setup(&bench);
        append_synced(&bench, "one");
        die(&bench, SURVIVE_ALL);
        for (size_t i = 0; i < 88; i++)
            damage(&bench, FIRST, at + i, 0x55);
        CHECK(reopen(&bench) == ERR_OK);
        CHECK(bench.found.loss_count == 0 && !bench.found.born);
        CHECK_TEXT(texts_from(&bench, 0), "one ");
        teardown(&bench);
    }
}

static void no_space_leaves_no_trace(void)
{
    struct bench bench;
    uint64_t before = 0, after = 0;
    setup(&bench);
    append_synced(&bench, "one");
    CHECK(append(&bench, "two", &before) == ERR_OK);
    memory_disk_fault(bench.disk, FAULT_SHORT_ENOSPC, CALL_WRITE, 1, false);
    CHECK(append_zeros(&bench, 3000, NULL) == ERR_FULL);
    memory_disk_fault(bench.disk, FAULT_NONE, 0, 0, false);
    CHECK(journal_pending(bench.journal, NULL) == 1);
    die(&bench, SURVIVE_ALL);
    CHECK(reopen(&bench) == ERR_OK);
    CHECK(bench.found.cut_bytes == 0 && !bench.found.generation_bumped);
    CHECK_TEXT(texts_from(&bench, 0), "one two ");
    CHECK(append(&bench, "three", &after) == ERR_OK);
    CHECK(after > before);
    teardown(&bench);
}

static void a_full_disk_is_told_and_passes(void)
{
    struct bench bench;
    setup(&bench);
    bench.options.spare_segments = 2;
    CHECK(journal_close(bench.journal) == ERR_OK);
    CHECK(reopen(&bench) == ERR_OK);
    CHECK(journal_prepare(bench.journal) == ERR_OK);
    memory_disk_fault(bench.disk, FAULT_ENOSPC, CALL_RESERVE, 1, true);
    /* The reserve of two segments is used up first. */
    int taken = 0;
    enum err err;
    while ((err = append_zeros(&bench, 16000, NULL)) == ERR_OK && taken < 100)
        taken++;
    CHECK(err == ERR_FULL && taken == 9);
    CHECK(journal_prepare(bench.journal) == ERR_FULL);
    CHECK(journal_sync(bench.journal, NULL) == ERR_OK);
    CHECK_TEXT(texts_from(&bench, 0), "0 0 0 0 0 0 0 0 0 ");
    memory_disk_fault(bench.disk, FAULT_NONE, 0, 0, false);
    CHECK(journal_prepare(bench.journal) == ERR_OK);
    append_synced(&bench, "on");
    CHECK_TEXT(texts_from(&bench, 0), "0 0 0 0 0 0 0 0 0 on ");
    teardown(&bench);
}

struct late {
    struct bench *bench;
    uint64_t position;
};

static void append_late(void *arg)
{
    struct late *late = arg;
    memory_disk_on_fault(late->bench->disk, NULL, NULL);
    CHECK(append(late->bench, "late", &late->position) == ERR_OK);
}

static void a_failed_sync_moves_the_records_and_keeps_positions(void)
{
    struct bench bench;
    struct journal_stats stats;
    uint64_t second = 0;
    setup(&bench);
    struct late late = {.bench = &bench};
    append_synced(&bench, "one");
    CHECK(append(&bench, "two", &second) == ERR_OK);
    memory_disk_fault(bench.disk, FAULT_EIO, CALL_SYNC, 1, false);
    memory_disk_on_fault(bench.disk, append_late, &late);
    CHECK(journal_sync(bench.journal, NULL) == ERR_OK);
    journal_stats(bench.journal, &stats);
    CHECK(stats.poisoned == 1 && stats.segments == 1);
    CHECK_TEXT(texts_from(&bench, 0), "one two ");
    append_synced(&bench, "three");
    CHECK_TEXT(texts_from(&bench, second), "two late three ");
    die(&bench, SURVIVE_SYNCED);
    CHECK(reopen(&bench) == ERR_OK);
    CHECK(!bench.found.generation_bumped);
    CHECK_TEXT(texts_from(&bench, 0), "one two late three ");
    CHECK_TEXT(texts_from(&bench, late.position), "late three ");
    teardown(&bench);
}

static void a_kill_while_records_move_loses_none(void)
{
    bool struck = true;
    for (uint64_t at = 1; struck; at++) {
        struct bench bench;
        setup(&bench);
        append_synced(&bench, "one");
        CHECK(append(&bench, "two", NULL) == ERR_OK);
        CHECK(append(&bench, "three", NULL) == ERR_OK);
        memory_disk_fault(bench.disk, FAULT_EIO, CALL_SYNC, 1, false);
        memory_disk_power_after(bench.disk, at);
        struck = journal_sync(bench.journal, NULL) != ERR_OK;
        CHECK(at < 50);
        die(&bench, SURVIVE_ALL);
        CHECK(reopen(&bench) == ERR_OK);
        CHECK_TEXT(texts_from(&bench, 0), "one two three ");
        teardown(&bench);
    }
}

static void a_disk_that_fails_every_sync_stops_the_journal(void)
{
    struct bench bench;
    setup(&bench);
    append_synced(&bench, "one");
    uint64_t synced = journal_synced(bench.journal);
    CHECK(append(&bench, "two", NULL) == ERR_OK);
    memory_disk_fault(bench.disk, FAULT_EIO, CALL_SYNC, 1, true);
    CHECK(journal_sync(bench.journal, NULL) == ERR_IO);
    memory_disk_fault(bench.disk, FAULT_NONE, 0, 0, false);
    CHECK(journal_sync(bench.journal, NULL) == ERR_IO);
    CHECK(append(&bench, "three", NULL) == ERR_IO);
    CHECK(journal_synced(bench.journal) == synced);
    CHECK(journal_close(bench.journal) == ERR_IO);
    CHECK(memory_disk_repeated_syncs(bench.disk) == 0);
    memory_disk_destroy(bench.disk);
}

static void a_prepared_segment_is_whole_or_not_there(void)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct bench bench;
        setup(&bench);
        bench.options.spare_segments = 2;
        append_synced(&bench, "one");
        CHECK(journal_close(bench.journal) == ERR_OK);
        CHECK(reopen(&bench) == ERR_OK);
        memory_disk_fault(bench.disk, FAULT_POWER, CALL_ANY, 1 + seed, true);
        if (journal_prepare(bench.journal) != ERR_OK) {
            /* Cut off in the middle. */
        }
        memory_disk_stop(bench.disk);
        if (journal_close(bench.journal) != ERR_OK) {
            /* Likewise. */
        }
        memory_disk_crash(bench.disk, seed % 2 ? SURVIVE_SYNCED : SURVIVE_SOME, seed);
        CHECK(reopen(&bench) == ERR_OK);
        CHECK(bench.found.loss_count == 0 && !bench.found.generation_bumped);
        for (size_t i = 0; memory_disk_name(bench.disk, "j", i) != NULL; i++)
            CHECK(strstr(memory_disk_name(bench.disk, "j", i), ".tmp") == NULL);
        teardown(&bench);
    }
}

static void a_first_open_cut_off_anywhere_is_born_again(void)
{
    bool struck = true;
    for (uint64_t at = 1; struck; at++) {
        struct bench bench = {.disk = memory_disk_create()};
        bench.options.io = memory_disk_io(bench.disk);
        bench.options.segment_bytes = JOURNAL_SEGMENT_MIN;
        memory_disk_fault(bench.disk, FAULT_POWER, CALL_ANY, at, true);
        struct err_text why;
        struck = journal_open(&bench.journal, "j", &bench.options, NULL, &why) != ERR_OK;
        memory_disk_fault(bench.disk, FAULT_NONE, 0, 0, false);
        if (!struck)
            CHECK(journal_close(bench.journal) == ERR_OK);
        memory_disk_crash(bench.disk, at % 2 ? SURVIVE_SYNCED : SURVIVE_SOME, at);
        CHECK(reopen(&bench) == ERR_OK);
        CHECK(bench.found.loss_count == 0);
        teardown(&bench);
    }
}

static void options_and_sizes_rows(void)
{
    static const struct {
        const char *name;
        size_t bytes;
        enum err want;
    } rows[] = {
        {"too small", 4096, ERR_INVALID},
        {"odd", JOURNAL_SEGMENT_MIN + 8, ERR_INVALID},
        {"too large", JOURNAL_SEGMENT_MAX * 2, ERR_INVALID},
        {"smallest", JOURNAL_SEGMENT_MIN, ERR_OK},
        {"default", 0, ERR_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct memory_disk *disk = memory_disk_create();
        struct journal_options options = {.io = memory_disk_io(disk),
                                          .segment_bytes = rows[i].bytes};
        struct journal *journal = NULL;
        struct err_text why = {0};
        CHECK_ROW(rows[i].name,
                  journal_open(&journal, "j", &options, NULL, &why) == rows[i].want);
        CHECK_ROW(rows[i].name, (journal == NULL) == (why.text[0] != '\0'));
        CHECK_ROW(rows[i].name, journal_close(journal) == ERR_OK);
        memory_disk_destroy(disk);
    }
}

static void bodies_from_nothing_to_the_limit(void)
{
    struct bench bench;
    uint64_t position = 0;
    setup(&bench);
    size_t max = journal_body_max(bench.journal);
    CHECK(max == JOURNAL_SEGMENT_MIN / 4);
    CHECK(append_zeros(&bench, max + 1, NULL) == ERR_LIMIT);
    CHECK(append_zeros(&bench, max, &position) == ERR_OK);
    CHECK(journal_append(bench.journal, 255, -1, INT64_MIN, NULL, 0, NULL) == ERR_OK);
    CHECK(journal_sync(bench.journal, NULL) == ERR_OK);
    struct journal_reader *reader = NULL;
    struct journal_record record;
    CHECK(journal_reader_open(&reader, bench.journal, 0) == ERR_OK);
    CHECK(journal_reader_next(reader, &record) == ERR_OK);
    CHECK(record.len == max && record.position == position && !record.in_place);
    CHECK(journal_reader_next(reader, &record) == ERR_OK);
    CHECK(record.len == 0 && record.type == 255);
    CHECK(record.wall_ms == -1 && record.boot_ms == INT64_MIN);
    CHECK(journal_reader_next(reader, &record) == ERR_NOT_FOUND);
    CHECK(journal_reader_position(reader) == journal_synced(bench.journal));
    journal_reader_close(reader);
    teardown(&bench);
}

static void reading_at_a_position_rows(void)
{
    struct bench bench;
    uint64_t first = 0, second = 0;
    struct journal_reader *reader = NULL;
    struct journal_record record;
    setup(&bench);
    CHECK(append(&bench, "first", &first) == ERR_OK);
    CHECK(append(&bench, "second", &second) == ERR_OK);
    CHECK(journal_sync(bench.journal, NULL) == ERR_OK);
    uint64_t synced = journal_synced(bench.journal);
    CHECK(journal_reader_open(&reader, bench.journal, 0) == ERR_OK);
    const struct {
        const char *name;
        uint64_t position;
        enum err want;
    } rows[] = {
        {"a record", second, ERR_OK},
        {"backwards", first, ERR_OK},
        {"inside a record", first + 8, ERR_CORRUPT},
        {"not aligned", first + 1, ERR_CORRUPT},
        {"a commit", second + 48, ERR_CORRUPT},
        {"nothing", 0, ERR_CORRUPT},
        {"the end", synced, ERR_NOT_FOUND},
        {"ahead", synced + 8, ERR_NOT_FOUND},
        {"another segment", synced + ((uint64_t)7 << 32), ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum err err = journal_read_at(reader, rows[i].position, &record);
        CHECK_ROW(rows[i].name, err == rows[i].want);
        CHECK_ROW(rows[i].name, err != ERR_OK || record.position == rows[i].position);
    }
    CHECK(journal_read_at(reader, first, &record) == ERR_OK);
    CHECK(record.next == second);
    CHECK(journal_reader_next(reader, &record) == ERR_OK);
    CHECK(record.position == second && record.len == 6);
    CHECK(journal_reader_seek(reader, synced + 8) == ERR_INVALID);
    CHECK(journal_reader_seek(reader, first + 3) == ERR_INVALID);
    journal_reader_close(reader);
    teardown(&bench);
}

static void segments_rotate_and_a_reader_follows(void)
{
    struct bench bench;
    struct journal_reader *reader = NULL;
    struct journal_record record;
    struct journal_stats stats = {0};
    setup(&bench);
    CHECK(journal_reader_open(&reader, bench.journal, 0) == ERR_OK);
    uint64_t last = 0, position = 0;
    for (int i = 0; i < 60; i++) {
        CHECK(append_zeros(&bench, 5000, &position) == ERR_OK);
        CHECK(position > last);
        if (i % 7 == 0)
            CHECK(append_zeros(&bench, 16000, &last) == ERR_OK);
        CHECK(journal_sync(bench.journal, NULL) == ERR_OK);
        CHECK(journal_reader_next(reader, &record) == ERR_OK);
        CHECK(record.position == position && !record.in_place);
        if (i % 7 == 0)
            CHECK(journal_reader_next(reader, &record) == ERR_OK);
        CHECK(journal_reader_next(reader, &record) == ERR_NOT_FOUND);
        last = position;
    }
    journal_stats(bench.journal, &stats);
    CHECK(stats.segments > 6 && stats.records == 69);
    CHECK(stats.first >> 32 == 1 && stats.end == stats.synced);
    journal_reader_close(reader);
    teardown(&bench);
}

static void trimming_removes_whole_synced_segments(void)
{
    struct bench bench;
    struct journal_reader *slow = NULL, *late = NULL;
    struct journal_record record;
    struct journal_stats stats;
    setup(&bench);
    append_synced(&bench, "one");
    uint64_t start = (uint64_t)1 << 32 | 4096;
    CHECK(journal_reader_open(&slow, bench.journal, 0) == ERR_OK);
    CHECK(journal_reader_next(slow, &record) == ERR_OK);
    fill_segments(&bench, 4);
    CHECK(journal_trim(bench.journal, (uint64_t)3 << 32) == ERR_OK);
    journal_stats(bench.journal, &stats);
    CHECK(stats.segments == 2 && stats.first >> 32 == 3);
    CHECK(memory_disk_bytes(bench.disk, FIRST, &(size_t){0}) == NULL);

    /* One that had begun is told where it lost the thread. */
    CHECK(journal_reader_next(slow, &record) == ERR_OK && record.in_place);
    CHECK(record.loss.reason == JOURNAL_LOSS_TRIMMED);
    CHECK(record.loss.from >> 32 == 1 && record.next >> 32 == 3);
    CHECK(journal_reader_next(slow, &record) == ERR_OK && record.position >> 32 == 3);

    CHECK(journal_reader_open(&late, bench.journal, start) == ERR_OK);
    CHECK(journal_reader_next(late, &record) == ERR_OK);
    CHECK(record.in_place && record.loss.reason == JOURNAL_LOSS_TRIMMED);
    CHECK(record.loss.from == start && record.loss.to == stats.first);
    CHECK(journal_read_at(late, start, &record) == ERR_NOT_FOUND);
    journal_reader_close(slow);
    journal_reader_close(late);

    CHECK(journal_trim(bench.journal, UINT64_MAX) == ERR_OK);
    journal_stats(bench.journal, &stats);
    CHECK(stats.segments == 1);
    die(&bench, SURVIVE_SYNCED);
    CHECK(reopen(&bench) == ERR_OK);
    CHECK(!bench.found.generation_bumped && bench.found.loss_count == 0);
    teardown(&bench);
}

static void what_is_not_synced_is_not_trimmed(void)
{
    struct bench bench;
    struct journal_stats stats;
    setup(&bench);
    do {
        CHECK(append_zeros(&bench, 9000, NULL) == ERR_OK);
        journal_stats(bench.journal, &stats);
    } while (stats.segments < 3);
    CHECK(journal_trim(bench.journal, UINT64_MAX) == ERR_OK);
    journal_stats(bench.journal, &stats);
    CHECK(stats.segments == 3);
    teardown(&bench);
}

static void a_missing_segment_is_told(void)
{
    struct bench bench;
    setup(&bench);
    append_synced(&bench, "one");
    fill_segments(&bench, 3);
    append_synced(&bench, "end");
    die(&bench, SURVIVE_ALL);
    const struct journal_io *io = bench.options.io;
    int dir = io->openat(io->context, -100, "j", 0, 0);
    CHECK(io->unlinkat(io->context, dir, "segment-0000000002-00.log") == 0);
    CHECK(io->close(io->context, dir) == 0);
    CHECK(reopen(&bench) == ERR_OK);
    const char *texts = texts_from(&bench, 0);
    CHECK(strncmp(texts, "one ", 4) == 0 && strchr(texts, '?') != NULL);
    CHECK(strstr(texts, "end") > strchr(texts, '?'));
    teardown(&bench);
}

static void read_only_writes_nothing(void)
{
    struct bench bench;
    setup(&bench);
    append_synced(&bench, "one");
    struct journal_options options = bench.options;
    struct journal *viewer = NULL;
    struct journal *writer = bench.journal;
    struct journal_piece piece = {"x", 1};
    uint64_t writes = memory_disk_count(bench.disk, CALL_WRITE);
    options.read_only = true;
    CHECK(journal_open(&viewer, "j", &options, &bench.found, NULL) == ERR_OK);
    CHECK(!bench.found.born && bench.found.records == 1);
    CHECK(journal_append(viewer, 20, 0, 0, &piece, 1, NULL) == ERR_DENIED);
    CHECK(journal_sync(viewer, NULL) == ERR_DENIED);
    CHECK(journal_prepare(viewer) == ERR_DENIED);
    CHECK(journal_trim(viewer, UINT64_MAX) == ERR_DENIED);
    bench.journal = viewer;
    CHECK_TEXT(texts_from(&bench, 0), "one ");
    CHECK(journal_close(viewer) == ERR_OK);
    CHECK(memory_disk_count(bench.disk, CALL_WRITE) == writes);
    bench.journal = writer;
    teardown(&bench);
}

static void a_second_process_is_told_to_wait(void)
{
    char dir[] = "/tmp/journal-test-XXXXXX", path[64];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/j", dir);
    struct journal_options options = {.segment_bytes = JOURNAL_SEGMENT_MIN};
    struct journal *journal = NULL;
    struct err_text why = {0};
    CHECK(journal_open(&journal, path, &options, NULL, &why) == ERR_OK);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct journal *second = NULL;
        bool told = journal_open(&second, path, &options, NULL, &why) == ERR_BUSY &&
                    strstr(why.text, "stop that one first") != NULL;
        _exit(told ? 0 : 1);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    struct journal_piece piece = {"real", 4};
    CHECK(journal_append(journal, 20, 1, 2, &piece, 1, NULL) == ERR_OK);
    CHECK(journal_close(journal) == ERR_OK);

    struct bench bench = {.options = options};
    struct journal_recovery found;
    CHECK(journal_open(&bench.journal, path, &options, &found, &why) == ERR_OK);
    CHECK(!found.born && found.records == 1 && found.cut_bytes == 0);
    CHECK_TEXT(texts_from(&bench, 0), "real ");
    CHECK(journal_close(bench.journal) == ERR_OK);
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", dir);
    CHECK(system(command) == 0);
}

static CU_TestInfo tests[] = {
    {"a new journal is born and empty", a_new_journal_is_born_and_empty},
    {"records are seen once they are synced", records_are_seen_once_they_are_synced},
    {"a sync with nothing new touches no disk", a_sync_with_nothing_new_touches_no_disk},
    {"records survive closing and positions stay",
     records_survive_closing_and_positions_stay},
    {"a killed process loses nothing and bumps nothing",
     a_killed_process_loses_nothing_and_bumps_nothing},
    {"a torn tail is cut and bumps the generation once",
     a_torn_tail_is_cut_and_bumps_the_generation_once},
    {"a bump is never lost", a_bump_is_never_lost},
    {"rot is copied, told and skipped", rot_is_copied_told_and_skipped},
    {"a segment without header goes to quarantine",
     a_segment_without_header_goes_to_quarantine},
    {"one copy of the header is enough", one_copy_of_the_header_is_enough},
    {"no space leaves no trace", no_space_leaves_no_trace},
    {"a full disk is told and passes", a_full_disk_is_told_and_passes},
    {"a failed sync moves the records and keeps positions",
     a_failed_sync_moves_the_records_and_keeps_positions},
    {"a kill while records move loses none", a_kill_while_records_move_loses_none},
    {"a disk that fails every sync stops the journal",
     a_disk_that_fails_every_sync_stops_the_journal},
    {"a prepared segment is whole or not there",
     a_prepared_segment_is_whole_or_not_there},
    {"a first open cut off anywhere is born again",
     a_first_open_cut_off_anywhere_is_born_again},
    {"options and sizes", options_and_sizes_rows},
    {"bodies from nothing to the limit", bodies_from_nothing_to_the_limit},
    {"reading at a position", reading_at_a_position_rows},
    {"segments rotate and a reader follows", segments_rotate_and_a_reader_follows},
    {"trimming removes whole synced segments", trimming_removes_whole_synced_segments},
    {"what is not synced is not trimmed", what_is_not_synced_is_not_trimmed},
    {"a missing segment is told", a_missing_segment_is_told},
    {"read-only writes nothing", read_only_writes_nothing},
    {"a second process is told to wait", a_second_process_is_told_to_wait},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    crypto_init();
    return check_run("journal", tests);
}
