// SPDX-License-Identifier: Apache-2.0
/*
 * Every byte cut, every bit flipped: what was synced comes back as it was, or a LOSS
 * says that it is gone. COLDCHAIN_EXHAUSTIVE=1, or a build without sanitizers, tries all
 * 524,288 bits; other builds stride through them. COLDCHAIN_LAYOUT chooses how the
 * records lie in the segment: 0 mixed (the default), 1 many small ones, 2 few large ones.
 */
#include "journal/journal.h"

#include <malloc.h>

#include "base/buf.h"
#include "base/crc32c.h"
#include "base/crypto.h"
#include "journal/format.h"
#include "journal/journal_scan.h"
#include "tests/support/check.h"
#include "tests/support/journal_ledger.h"
#include "tests/support/journal_memory_io.h"

#define SEGMENT JOURNAL_SEGMENT_MIN
#define FIRST   "j/segment-0000000001-00.log"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRIDE 1009
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STRIDE 1009
#endif
#endif
#ifndef STRIDE
#define STRIDE 1
#endif

static struct ledger ledger;

static size_t stride(void)
{
    const char *exhaustive = getenv("COLDCHAIN_EXHAUSTIVE");
    return exhaustive != NULL ? 1 : STRIDE;
}

static const struct {
    int group;      /* records between two syncs */
    uint32_t usual; /* longest body of nine in ten */
    uint32_t large;
} layouts[] = {{9, 300, 6000}, {40, 24, 90}, {2, 7000, 14000}};
#define LAYOUTS (sizeof layouts / sizeof layouts[0])

static size_t layout(void)
{
    const char *wanted = getenv("COLDCHAIN_LAYOUT");
    return wanted != NULL ? strtoul(wanted, NULL, 10) % LAYOUTS : 0;
}

static enum err open_on(struct memory_disk *disk, struct journal **journal,
                        struct journal_recovery *found)
{
    struct journal_options options = {.io = memory_disk_io(disk),
                                      .segment_bytes = SEGMENT};
    struct err_text why = {0};
    enum err err = journal_open(journal, "j", &options, found, &why);
    if (err != ERR_OK)
        printf("\n  open: %s\n", why.text);
    return err;
}

/*
 * A disk with segment 1 nearly full of synced groups, left by a killed process. With
 * `sealed` a second segment follows.
 */
static struct memory_disk *make_disk(bool sealed)
{
    struct memory_disk *disk = memory_disk_create();
    struct journal *journal = NULL;
    ledger = (struct ledger){.random = 7};
    CHECK(open_on(disk, &journal, NULL) == ERR_OK);
    struct journal_stats stats;
    do {
        for (int i = 0; i < layouts[layout()].group; i++) {
            uint64_t kind = ledger_random(&ledger) % 10;
            uint32_t longest =
                kind == 0 ? layouts[layout()].large : layouts[layout()].usual;
            uint32_t len = (uint32_t)(ledger_random(&ledger) % longest);
            CHECK(ledger_append(&ledger, journal, len) == ERR_OK);
        }
        CHECK(ledger_sync(&ledger, journal) == ERR_OK);
        journal_stats(journal, &stats);
    } while (sealed ? stats.segments < 2
                    : stats.end < ((uint64_t)1 << 32) + SEGMENT - 8000);
    CHECK(stats.segments == (sealed ? 2 : 1));
    memory_disk_stop(disk);
    CHECK(journal_close(journal) != ERR_OK);
    memory_disk_crash(disk, SURVIVE_ALL, 0);
    memory_disk_without_platter(disk);
    return disk;
}

/* Opens a damaged copy: nothing altered, nothing silently lost, and open again. */
static bool survives(const struct memory_disk *disk, const char *what, size_t at)
{
    struct memory_disk *copy = memory_disk_dup(disk);
    struct journal *journal = NULL;
    struct journal_recovery found;
    bool good = open_on(copy, &journal, &found) == ERR_OK;
    if (good) {
        struct ledger_verdict verdict = ledger_check(&ledger, journal, ledger.synced);
        good = ledger_is_good(&verdict);
        /* Whatever is gone, the peers are told. */
        good = good && (verdict.lost == 0 || found.generation_bumped || found.born ||
                        found.segments_checked < found.segments);
        good = journal_close(journal) == ERR_OK && good;
    }
    if (!good)
        printf("  %s at %zu\n", what, at);
    memory_disk_destroy(copy);
    return good;
}

static void flip_bits(bool sealed, size_t step)
{
    struct memory_disk *disk = make_disk(sealed);
    size_t size = 0, bad = 0, tried = 0;
    uint8_t *bytes = memory_disk_bytes(disk, FIRST, &size);
    CHECK(bytes != NULL && size > 0);
    for (size_t bit = 0; bytes != NULL && bit < 8 * size && bad < 5; bit += step) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bad += survives(disk, "flipped bit", bit) ? 0 : 1;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        tried++;
    }
    printf("(%zu bits) ", tried);
    CHECK(bad == 0);
    memory_disk_destroy(disk);
}

static void every_bit_flipped_in_the_last_segment(void)
{
    flip_bits(false, stride());
}

static void bits_flipped_in_a_sealed_segment(void)
{
    flip_bits(true, stride() * 13);
}

static void every_length_the_file_can_be_cut_to(void)
{
    struct memory_disk *disk = make_disk(false);
    size_t size = 0, bad = 0, step = stride() == 1 ? 1 : 61;
    CHECK(memory_disk_bytes(disk, FIRST, &size) != NULL);
    for (size_t len = 0; len < size && bad < 5; len += step) {
        struct memory_disk *cut = memory_disk_dup(disk);
        memory_disk_resize(cut, FIRST, len);
        bad += survives(cut, "cut to", len) ? 0 : 1;
        memory_disk_destroy(cut);
    }
    CHECK(bad == 0);
    memory_disk_destroy(disk);
}

/*
 * A torn write leaves zeros instead of the end. What was synced before the last group is
 * vouched for; the last group may be torn, which bumps the generation.
 */
static void every_length_zeroed_behind(void)
{
    struct memory_disk *disk = make_disk(false);
    size_t size = 0, bad = 0, step = stride() == 1 ? 1 : 61;
    uint8_t *bytes = memory_disk_bytes(disk, FIRST, &size);
    CHECK(bytes != NULL);
    uint8_t *whole = malloc(size);
    CHECK(whole != NULL);
    if (bytes == NULL || whole == NULL)
        return;
    memcpy(whole, bytes, size);
    for (size_t len = 0; len < size && bad < 5; len += step) {
        memset(bytes + len, 0, size - len);
        struct memory_disk *copy = memory_disk_dup(disk);
        struct journal *journal = NULL;
        struct journal_recovery found;
        bool good = open_on(copy, &journal, &found) == ERR_OK;
        if (good) {
            struct ledger_verdict verdict = ledger_check(&ledger, journal, 0);
            /* What is kept is a prefix: nothing in the middle is missing. */
            for (size_t i = 0; i < verdict.kept; i++)
                good = good && ledger.items[i].seen;
            good = good && verdict.altered == 0;
            good = journal_close(journal) == ERR_OK && good;
        }
        bad += good ? 0 : 1;
        memory_disk_destroy(copy);
        memcpy(bytes + len, whole + len, size - len);
    }
    CHECK(bad == 0);
    free(whole);
    memory_disk_destroy(disk);
}

/* Sectors and pages, zeroed or filled with the bytes of another place. */
static void whole_sectors_zeroed_or_misplaced(void)
{
    struct memory_disk *disk = make_disk(false);
    size_t size = 0, bad = 0;
    uint8_t *bytes = memory_disk_bytes(disk, FIRST, &size);
    CHECK(bytes != NULL);
    static const size_t units[] = {512, 4096, 16384};
    for (size_t u = 0; bytes != NULL && u < 3; u++)
        for (size_t at = 0; at + units[u] <= size && bad < 5; at += units[u]) {
            uint8_t saved[16384];
            memcpy(saved, bytes + at, units[u]);
            memset(bytes + at, 0, units[u]);
            /* A zeroed end cannot be told from an end: only what is vouched for. */
            bool at_end = at + units[u] >= 57000;
            bad += at_end || survives(disk, "zeroed sector", at) ? 0 : 1;
            size_t other = (at + 5 * units[u]) % (size - units[u] + 1) / 8 * 8;
            memcpy(bytes + at, bytes + other, units[u]);
            bad += at_end || survives(disk, "misplaced sector", at) ? 0 : 1;
            memcpy(bytes + at, saved, units[u]);
        }
    CHECK(bad == 0);
    memory_disk_destroy(disk);
}

static void a_scan_finds_every_flipped_bit_in_used_bytes(void)
{
    struct memory_disk *disk = make_disk(true);
    struct journal_options options = {.io = memory_disk_io(disk)};
    struct journal_scan_report report;
    CHECK(journal_scan("j", &options, NULL, &report, NULL) == ERR_OK);
    CHECK(journal_scan_is_sound(&report));
    CHECK(report.records == ledger.count);
    size_t size = 0, silent = 0;
    uint8_t *bytes = memory_disk_bytes(disk, FIRST, &size);
    CHECK(bytes != NULL);
    for (size_t bit = 4096 * 8; bytes != NULL && bit < 60000 * 8; bit += 97) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct journal_scan_report flipped;
        bool found = journal_scan("j", &options, NULL, &flipped, NULL) == ERR_OK &&
                     !journal_scan_is_sound(&flipped);
        /* Padding is the one thing that is not covered, and carries nothing. */
        silent += !found && flipped.records != report.records;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(silent == 0);
    memory_disk_destroy(disk);
}

/* As a later version would write it: the same frame of a header, another version. */
static void make_newer(uint8_t *bytes)
{
    for (size_t copy = 0; copy <= HEADER_COPY; copy += HEADER_COPY) {
        bytes_put_u32(bytes + copy + 8, 2);
        bytes_put_u32(bytes + copy + 84, crc32c(0, bytes + copy, 84));
    }
}

static void a_newer_journal_is_refused_and_left_alone(void)
{
    struct memory_disk *disk = make_disk(true);
    size_t size = 0;
    uint8_t *bytes = memory_disk_bytes(disk, FIRST, &size);
    CHECK(bytes != NULL && size > 0);
    make_newer(bytes);
    uint32_t before = crc32c(0, bytes, size);
    struct journal_options options = {.io = memory_disk_io(disk),
                                      .segment_bytes = SEGMENT};
    struct journal *journal = NULL;
    struct err_text why = {0};
    CHECK(journal_open(&journal, "j", &options, NULL, &why) == ERR_UNSUPPORTED);
    CHECK(journal == NULL && strstr(why.text, "newer coldchain") != NULL);
    struct journal_scan_report report;
    CHECK(journal_scan("j", &options, NULL, &report, &why) == ERR_UNSUPPORTED);
    CHECK(strstr(why.text, "newer coldchain") != NULL);
    size_t after = 0;
    bytes = memory_disk_bytes(disk, FIRST, &after);
    CHECK(bytes != NULL && after == size && crc32c(0, bytes, after) == before);
    memory_disk_destroy(disk);
}

static CU_TestInfo tests[] = {
    {"every bit flipped in the last segment", every_bit_flipped_in_the_last_segment},
    {"bits flipped in a sealed segment", bits_flipped_in_a_sealed_segment},
    {"every length the file can be cut to", every_length_the_file_can_be_cut_to},
    {"every length zeroed behind", every_length_zeroed_behind},
    {"whole sectors zeroed or misplaced", whole_sectors_zeroed_or_misplaced},
    {"a scan finds every flipped bit in used bytes",
     a_scan_finds_every_flipped_bit_in_used_bytes},
    {"a newer journal is refused and left alone",
     a_newer_journal_is_refused_and_left_alone},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    /* A million journals are opened: their files should not be mapped anew each time. */
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 128 << 20);
    crypto_init();
    return check_run("damage", tests);
}
