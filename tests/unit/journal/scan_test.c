// SPDX-License-Identifier: Apache-2.0
#include "journal/journal_scan.h"

#include "base/crc32c.h"
#include "base/crypto.h"
#include "journal/format.h"
#include "tests/support/check.h"
#include "tests/support/journal_memory_io.h"

#define FIRST "j/segment-0000000001-00.log"

struct bench {
    struct memory_disk *disk;
    struct journal_options options;
    uint64_t positions[64];
};

struct seen {
    size_t segments;
    size_t spares;
    size_t records;
    size_t losses;
    uint64_t last;
};

static void see_segment(void *arg, const struct journal_segment_info *segment)
{
    struct seen *seen = arg;
    seen->segments += !segment->spare;
    seen->spares += segment->spare;
}

static void see_record(void *arg, const struct journal_record *record)
{
    struct seen *seen = arg;
    CHECK(record->position > seen->last);
    seen->last = record->position;
    seen->records += record->type >= JOURNAL_TYPE_USER;
    seen->losses += record->in_place;
}

/* Forty records of 3,000 bytes in three segments, the last opened anew, and a spare. */
static void setup(struct bench *bench)
{
    *bench = (struct bench){.disk = memory_disk_create()};
    bench->options = (struct journal_options){.io = memory_disk_io(bench->disk),
                                              .segment_bytes = JOURNAL_SEGMENT_MIN,
                                              .spare_segments = 1};
    static char body[3000];
    struct journal_piece piece = {body, sizeof body};
    for (int i = 0; i < 40;) {
        struct journal *journal = NULL;
        struct err_text why;
        CHECK(journal_open(&journal, "j", &bench->options, NULL, &why) == ERR_OK);
        for (int k = 0; k < 20; k++, i++) {
            CHECK(journal_append(journal, 16, i, i, &piece, 1, &bench->positions[i]) ==
                  ERR_OK);
            if (k % 3 == 0)
                CHECK(journal_sync(journal, NULL) == ERR_OK);
        }
        CHECK(journal_prepare(journal) == ERR_OK);
        CHECK(journal_close(journal) == ERR_OK);
    }
}

static void flip(struct bench *bench, const char *path, uint64_t offset)
{
    size_t size = 0;
    uint8_t *bytes = memory_disk_bytes(bench->disk, path, &size);
    CHECK(bytes != NULL && offset < size);
    if (bytes != NULL && offset < size)
        bytes[offset] ^= 4;
    memory_disk_resize(bench->disk, path, size);
}

static struct journal_scan_report scan(struct bench *bench, struct seen *seen)
{
    struct journal_scan_report report = {0};
    struct err_text why = {0};
    *seen = (struct seen){0};
    struct journal_scan_visitor visitor = {seen, see_segment, see_record};
    CHECK(journal_scan("j", &bench->options, &visitor, &report, &why) == ERR_OK);
    CHECK(seen->records == report.records && seen->segments == report.segments);
    return report;
}

static void a_sound_journal_is_sound(void)
{
    struct bench bench;
    struct seen seen;
    setup(&bench);
    uint64_t writes = memory_disk_count(bench.disk, CALL_WRITE);
    struct journal_scan_report report = scan(&bench, &seen);
    CHECK(journal_scan_is_sound(&report));
    CHECK(report.records == 40 && report.losses_stored == 0 && report.tail_bytes == 0);
    CHECK(report.segments >= 3 && report.spares == 1 && seen.spares == 1);
    CHECK(report.generation == 1 && report.synced_through <= report.end);
    CHECK(memory_disk_count(bench.disk, CALL_WRITE) == writes);
    memory_disk_destroy(bench.disk);
}

/* A group in which nothing succeeded leaves no COMMIT; one without goes on. */
static void failed_appends_do_not_break_the_chain(void)
{
    struct bench bench;
    struct seen seen;
    struct journal *journal = NULL;
    struct journal_piece piece = {"x", 1};
    struct err_text why;
    setup(&bench);
    CHECK(journal_open(&journal, "j", &bench.options, NULL, &why) == ERR_OK);
    for (int i = 0; i < 6; i++) {
        CHECK(journal_append(journal, 16, 0, 0, &piece, 1, NULL) == ERR_OK);
        memory_disk_fault(bench.disk, FAULT_ENOSPC, CALL_WRITE, 1, false);
        CHECK(i % 2 == 0 ||
              journal_append(journal, 16, 0, 0, &piece, 1, NULL) == ERR_FULL);
        CHECK(journal_sync(journal, NULL) == ERR_OK);
        memory_disk_fault(bench.disk, FAULT_ENOSPC, CALL_WRITE, 1, false);
        CHECK(journal_append(journal, 16, 0, 0, &piece, 1, NULL) == ERR_FULL);
        CHECK(journal_sync(journal, NULL) == ERR_OK);
    }
    CHECK(journal_close(journal) == ERR_OK);
    struct journal_scan_report report = scan(&bench, &seen);
    CHECK(journal_scan_is_sound(&report) && report.records == 46);
    memory_disk_destroy(bench.disk);
}

static void findings_rows(void)
{
    static const struct {
        const char *name;
        int record;      /* damaged in its body; -1: none */
        uint64_t offset; /* from there, in segment 1 */
        uint64_t regions;
        uint64_t records;
    } rows[] = {
        {"a body", 5, 100, 1, 39},          {"a header", 5, 9, 1, 39},
        {"the first record", 0, 50, 1, 39}, {"the BEGIN", -1, 4096 + 50, 1, 40},
        {"one header copy", -1, 20, 0, 40},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench;
        struct seen seen;
        setup(&bench);
        uint64_t base =
            rows[i].record < 0 ? 0 : bench.positions[rows[i].record] & UINT32_MAX;
        flip(&bench, FIRST, base + rows[i].offset);
        struct journal_scan_report report = scan(&bench, &seen);
        CHECK_ROW(rows[i].name, report.damaged_regions == rows[i].regions);
        CHECK_ROW(rows[i].name, seen.losses == rows[i].regions);
        CHECK_ROW(rows[i].name, report.records == rows[i].records);
        CHECK_ROW(rows[i].name, report.chain_breaks == 0);
        memory_disk_destroy(bench.disk);
    }
}

/* Somebody who knows salt and checksums replaces a record: the chain does not fit. */
static void a_forged_record_breaks_the_chain(void)
{
    struct bench bench;
    struct seen seen;
    struct segment_header header;
    struct frame frame;
    bool damaged = false;
    size_t size = 0;
    setup(&bench);
    uint8_t *bytes = memory_disk_bytes(bench.disk, FIRST, &size);
    uint64_t at = bench.positions[4] & UINT32_MAX;
    CHECK(bytes != NULL && segment_header_parse(&header, bytes, size, &damaged));
    CHECK(frame_parse(&frame, bytes + at, header.salt, bench.positions[4]));
    bytes[at + FRAME_HEADER] ^= 1;
    frame.body_crc = frame_salted(crc32c(0, bytes + at + FRAME_HEADER, frame.len),
                                  header.salt, bench.positions[4]);
    frame_format(bytes + at, &frame, header.salt, bench.positions[4]);
    struct journal_scan_report report = scan(&bench, &seen);
    CHECK(report.damaged_regions == 0 && report.records == 40);
    CHECK(report.chain_breaks == 1 && !journal_scan_is_sound(&report));
    memory_disk_destroy(bench.disk);
}

static void repair_tells_once(void)
{
    struct bench bench;
    struct seen seen;
    struct journal_repair_report repair;
    struct err_text why;
    setup(&bench);
    flip(&bench, FIRST, (bench.positions[5] & UINT32_MAX) + 60);
    flip(&bench, FIRST, (bench.positions[8] & UINT32_MAX) + 60);
    CHECK(journal_repair("j", &bench.options, &repair, &why) == ERR_OK);
    CHECK(repair.losses_appended == 2 && repair.losses_known == 0);
    CHECK(journal_repair("j", &bench.options, &repair, &why) == ERR_OK);
    CHECK(repair.losses_appended == 0 && repair.losses_known == 2);
    struct journal_scan_report report = scan(&bench, &seen);
    CHECK(report.losses_stored == 2 && report.records == 38);
    memory_disk_destroy(bench.disk);
}

static void nothing_there_is_not_found(void)
{
    struct memory_disk *disk = memory_disk_create();
    struct journal_options options = {.io = memory_disk_io(disk)};
    struct journal_scan_report report;
    struct err_text why = {0};
    CHECK(journal_scan("j", &options, NULL, &report, &why) == ERR_NOT_FOUND);
    CHECK(why.text[0] != '\0');
    CHECK(options.io->mkdirat(disk, -100, "j", 0) == 0);
    CHECK(journal_scan("j", &options, NULL, &report, &why) == ERR_NOT_FOUND);
    CHECK_TEXT(why.text, "no journal in j");
    memory_disk_destroy(disk);
}

static CU_TestInfo tests[] = {
    {"a sound journal is sound", a_sound_journal_is_sound},
    {"failed appends do not break the chain", failed_appends_do_not_break_the_chain},
    {"findings", findings_rows},
    {"a forged record breaks the chain", a_forged_record_breaks_the_chain},
    {"repair tells once", repair_tells_once},
    {"nothing there is not found", nothing_there_is_not_found},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    crypto_init();
    return check_run("scan", tests);
}
