// SPDX-License-Identifier: Apache-2.0
/* What a user of the journal sees, on the simulated disk. */
#include "journal/journal.h"

#include "base/crypto.h"
#include "tests/support/check.h"
#include "tests/support/journal_memory_io.h"

#define SMALL JOURNAL_SEGMENT_MIN

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
    bench->options.segment_bytes = SMALL;
    CHECK(reopen(bench) == ERR_OK);
}

static void teardown(struct bench *bench)
{
    CHECK(journal_close(bench->journal) == ERR_OK);
    memory_disk_destroy(bench->disk);
}

static enum err append(struct bench *bench, const char *text, uint64_t *position)
{
    struct journal_piece piece = {text, strlen(text)};
    return journal_append(bench->journal, 20, 1000, 10, &piece, 1, position);
}

/* All texts from a position on, joined; LOSS as "!". */
static void read_texts(struct bench *bench, uint64_t from, char *text, size_t size)
{
    struct journal_reader *reader = NULL;
    struct journal_record record;
    text[0] = '\0';
    size_t at = 0;
    CHECK(journal_reader_open(&reader, bench->journal, from) == ERR_OK);
    enum err err;
    while ((err = journal_reader_next(reader, &record)) == ERR_OK) {
        bool lost = record.type == JOURNAL_TYPE_LOSS;
        at += (size_t)snprintf(text + at, size - at, "%.*s ", lost ? 1 : (int)record.len,
                               lost ? "!" : (const char *)record.data);
    }
    CHECK(err == ERR_NOT_FOUND);
    journal_reader_close(reader);
}

static void a_new_journal_is_born_and_empty(void)
{
    struct bench bench;
    char text[100];
    setup(&bench);
    CHECK(bench.found.born && bench.found.generation == 1);
    CHECK(!bench.found.generation_bumped);
    read_texts(&bench, 0, text, sizeof text);
    CHECK_TEXT(text, "");
    teardown(&bench);
}

static void records_are_seen_once_they_are_synced(void)
{
    struct bench bench;
    char text[100];
    uint64_t first = 0, second = 0, synced = 0;
    setup(&bench);
    CHECK(append(&bench, "one", &first) == ERR_OK);
    CHECK(append(&bench, "two", &second) == ERR_OK);
    CHECK(0 < first && first < second);
    CHECK(journal_pending(bench.journal, NULL) == 2);
    read_texts(&bench, 0, text, sizeof text);
    CHECK_TEXT(text, "");
    CHECK(journal_sync(bench.journal, &synced) == ERR_OK);
    CHECK(synced > second && synced == journal_synced(bench.journal));
    CHECK(journal_pending(bench.journal, NULL) == 0);
    read_texts(&bench, 0, text, sizeof text);
    CHECK_TEXT(text, "one two ");
    read_texts(&bench, second, text, sizeof text);
    CHECK_TEXT(text, "two ");
    teardown(&bench);
}

static void records_survive_closing_and_positions_stay(void)
{
    struct bench bench;
    char text[100];
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
    CHECK(append(&bench, "three", NULL) == ERR_OK);
    CHECK(journal_sync(bench.journal, NULL) == ERR_OK);
    read_texts(&bench, second, text, sizeof text);
    CHECK_TEXT(text, "two three ");
    teardown(&bench);
}

static CU_TestInfo tests[] = {
    {"a new journal is born and empty", a_new_journal_is_born_and_empty},
    {"records are seen once they are synced", records_are_seen_once_they_are_synced},
    {"records survive closing and positions stay",
     records_survive_closing_and_positions_stay},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    crypto_init();
    return check_run("journal", tests);
}
