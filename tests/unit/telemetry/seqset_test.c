// SPDX-License-Identifier: Apache-2.0
#include "telemetry/seqset.h"

#include <inttypes.h>
#include <time.h>

#include "tests/support/check.h"

#define BITMAP 400 /* seqs the naive twin knows */

/* "5|7-9,12" is through 5 and two ranges. */
static const char *flat(const struct seqset *set)
{
    static char out[4096];
    size_t used = (size_t)snprintf(out, sizeof out, "%" PRIu64 "|", set->through);
    for (uint32_t i = 0; i < set->count; i++) {
        const struct seq_range *range = &set->ranges[i];
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%" PRIu64,
                                 i > 0 ? "," : "", range->first);
        if (range->last != range->first)
            used +=
                (size_t)snprintf(out + used, sizeof out - used, "-%" PRIu64, range->last);
    }
    return out;
}

static void ranges_grow_touch_and_merge(void)
{
    static const struct {
        const char *name;
        struct seq_range adds[6];
        enum err want; /* of the last one */
        const char *want_set;
    } rows[] = {
        {"the first", {{1, 1}}, ERR_OK, "1|"},
        {"in order", {{1, 1}, {2, 2}, {3, 3}}, ERR_OK, "3|"},
        {"again", {{1, 1}, {1, 1}}, ERR_EXISTS, "1|"},
        {"ahead of a gap", {{3, 3}}, ERR_OK, "0|3"},
        {"again behind a gap", {{3, 3}, {3, 3}}, ERR_EXISTS, "0|3"},
        {"the gap closes", {{3, 3}, {1, 2}}, ERR_OK, "3|"},
        {"closes from above", {{3, 3}, {2, 2}}, ERR_OK, "0|2-3"},
        {"grows at its end", {{3, 3}, {4, 4}}, ERR_OK, "0|3-4"},
        {"two become one", {{3, 3}, {5, 5}, {4, 4}}, ERR_OK, "0|3-5"},
        {"many become one", {{3, 3}, {5, 5}, {9, 9}, {2, 11}}, ERR_OK, "0|2-11"},
        {"over the mark and a range", {{1, 4}, {7, 8}, {3, 6}}, ERR_OK, "8|"},
        {"inside a range", {{5, 20}, {7, 9}}, ERR_EXISTS, "0|5-20"},
        {"inside the mark", {{1, 20}, {7, 9}}, ERR_EXISTS, "20|"},
        {"over both ends", {{5, 6}, {4, 7}}, ERR_OK, "0|4-7"},
        {"overlaps low", {{5, 8}, {3, 6}}, ERR_OK, "0|3-8"},
        {"overlaps high", {{5, 8}, {7, 12}}, ERR_OK, "0|5-12"},
        {"in between", {{3, 3}, {9, 9}, {6, 6}}, ERR_OK, "0|3,6,9"},
        {"the mark takes the first of two", {{2, 3}, {6, 7}, {1, 1}}, ERR_OK, "3|6-7"},
        {"zero is no seq", {{0, 0}}, ERR_INVALID, "0|"},
        {"zero to five", {{0, 5}}, ERR_INVALID, "0|"},
        {"backwards", {{5, 4}}, ERR_INVALID, "0|"},
        {"the last of all", {{UINT64_MAX, UINT64_MAX}}, ERR_OK, "0|18446744073709551615"},
        {"the last of all again",
         {{UINT64_MAX, UINT64_MAX}, {UINT64_MAX, UINT64_MAX}},
         ERR_EXISTS,
         "0|18446744073709551615"},
        {"all there are", {{1, UINT64_MAX}}, ERR_OK, "18446744073709551615|"},
        {"nothing beyond all",
         {{1, UINT64_MAX}, {UINT64_MAX, UINT64_MAX}},
         ERR_EXISTS,
         "18446744073709551615|"},
        {"the end joins", {{9, UINT64_MAX}, {1, 8}}, ERR_OK, "18446744073709551615|"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seqset set = {0};
        enum err err = ERR_OK;
        for (size_t j = 0; j < 6 && (j == 0 || rows[i].adds[j].last != 0); j++)
            err = seqset_add_range(&set, rows[i].adds[j].first, rows[i].adds[j].last);
        CHECK_ROW(rows[i].name, err == rows[i].want);
        CHECK_TEXT(flat(&set), rows[i].want_set);
        seqset_fini(&set);
    }
}

static void gaps_and_the_highest(void)
{
    struct seqset set = {0};
    struct seq_range gap = {0};
    CHECK(!seqset_first_gap(&set, &gap) && seqset_highest(&set) == 0);
    CHECK(!seqset_has(&set, 0) && !seqset_has(&set, 1));
    CHECK(seqset_add_range(&set, 1, 4) == ERR_OK);
    CHECK(!seqset_first_gap(&set, &gap) && seqset_highest(&set) == 4);
    CHECK(seqset_add_range(&set, 10, 12) == ERR_OK);
    CHECK(seqset_add(&set, 20) == ERR_OK);
    CHECK(seqset_first_gap(&set, &gap) && gap.first == 5 && gap.last == 9);
    CHECK(seqset_highest(&set) == 20);
    CHECK(seqset_has(&set, 4) && !seqset_has(&set, 5) && !seqset_has(&set, 9));
    CHECK(seqset_has(&set, 10) && seqset_has(&set, 12) && !seqset_has(&set, 13));
    CHECK(!seqset_has(&set, 21) && !seqset_has(&set, 0));
    seqset_fini(&set);
    CHECK(set.through == 0 && set.count == 0);
}

static void a_range_too_many_changes_nothing(void)
{
    struct seqset set = {0};
    for (uint64_t i = 0; i < SEQSET_RANGES_MAX; i++)
        CHECK(seqset_add(&set, 3 + 2 * i) == ERR_OK);
    uint64_t beyond = 3 + 2 * (uint64_t)SEQSET_RANGES_MAX;
    struct buf before = {0};
    struct buf after = {0};
    seqset_save(&set, &before);
    CHECK(seqset_add(&set, beyond) == ERR_LIMIT);
    CHECK(seqset_add(&set, UINT64_MAX) == ERR_LIMIT);
    seqset_save(&set, &after);
    CHECK(before.len == after.len && memcmp(before.data, after.data, after.len) == 0);
    /* what needs no new range is still taken */
    CHECK(seqset_add(&set, beyond - 1) == ERR_OK);
    CHECK(seqset_add(&set, 4) == ERR_OK && set.count == SEQSET_RANGES_MAX - 1);
    CHECK(seqset_add(&set, beyond + 10) == ERR_OK);
    CHECK(seqset_add_range(&set, 1, beyond) == ERR_OK && set.count == 1);
    CHECK(set.through == beyond);
    buf_fini(&before);
    buf_fini(&after);
    seqset_fini(&set);
}

/* What the header says of `ranges`. */
static bool is_well_formed(const struct seqset *set)
{
    uint64_t end = set->through;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct seq_range *range = &set->ranges[i];
        if (range->first <= end + 1 || range->last < range->first)
            return false;
        end = range->last;
    }
    return set->count <= set->capacity || set->count == 0;
}

static bool same_as_bitmap(const struct seqset *set, const bool bitmap[BITMAP])
{
    uint64_t through = 0;
    while (through + 1 < BITMAP && bitmap[through + 1])
        through++;
    uint64_t highest = 0;
    for (uint64_t seq = 1; seq < BITMAP; seq++) {
        if (seqset_has(set, seq) != bitmap[seq])
            return false;
        if (bitmap[seq])
            highest = seq;
    }
    return set->through == through && seqset_highest(set) == highest;
}

static uint64_t next_random(uint64_t *state)
{
    /* xorshift64* (Vigna 2014) */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1d;
}

/* One random range into both; false when they answer differently. */
static bool step_both(struct seqset *set, bool bitmap[BITMAP], uint64_t *random)
{
    uint64_t first = 1 + next_random(random) % (BITMAP - 1);
    uint64_t last = first + next_random(random) % 4 * (next_random(random) % 8);
    if (last >= BITMAP)
        last = BITMAP - 1;
    bool was_new = false;
    for (uint64_t seq = first; seq <= last; seq++) {
        was_new = was_new || !bitmap[seq];
        bitmap[seq] = true;
    }
    return seqset_add_range(set, first, last) == (was_new ? ERR_OK : ERR_EXISTS);
}

static bool survives_saving(struct seqset *set)
{
    struct buf saved = {0};
    struct seqset loaded = {0};
    seqset_save(set, &saved);
    struct buf_reader in = buf_reader_of(saved.data, saved.len);
    bool same = seqset_load(&loaded, &in) == ERR_OK && in.at == saved.len &&
                loaded.through == set->through && loaded.count == set->count &&
                (set->count == 0 || memcmp(loaded.ranges, set->ranges,
                                           set->count * sizeof *set->ranges) == 0);
    seqset_fini(&loaded);
    buf_fini(&saved);
    return same;
}

static void it_agrees_with_a_bitmap(void)
{
    const char *given = getenv("COLDCHAIN_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    printf("COLDCHAIN_SEED=%" PRIu64 " ", seed);
    uint64_t random = seed | 1;
    for (unsigned round = 0; round < 100; round++) {
        struct seqset set = {0};
        bool bitmap[BITMAP] = {false};
        bool same = true;
        for (unsigned step = 0; same && step < 200; step++)
            same = step_both(&set, bitmap, &random) && is_well_formed(&set) &&
                   same_as_bitmap(&set, bitmap);
        CHECK(same);
        CHECK(survives_saving(&set));
        seqset_fini(&set);
    }
}

static void damaged_sets_are_refused(void)
{
    static const struct {
        const char *name;
        size_t len;
        uint8_t bytes[32];
    } rows[] = {
        {"nothing", 0, {0}},
        {"no count", 1, {5}},
        {"no range", 2, {5, 1}},
        {"half a range", 3, {5, 1, 2}},
        {"too many ranges", 4, {0, 0xff, 0xff, 3}},
        {"adjacent to the mark", 4, {5, 1, 1, 0}},
        {"on the mark", 4, {5, 1, 0, 0}},
        {"first past u64",
         14,
         {5, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0}},
        {"last past u64",
         14,
         {5, 1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seqset set = {0};
        CHECK(seqset_add(&set, 9) == ERR_OK);
        struct buf_reader in = buf_reader_of(rows[i].bytes, rows[i].len);
        CHECK_ROW(rows[i].name, seqset_load(&set, &in) == ERR_CORRUPT);
        CHECK_ROW(rows[i].name, set.through == 0 && set.count == 0);
        seqset_fini(&set);
    }
}

static void a_run_ends_where_it_changes(void)
{
    struct seqset set = {0};
    CHECK(seqset_add_range(&set, 1, 3) == ERR_OK && seqset_add(&set, 7) == ERR_OK);
    const struct {
        uint64_t seq;
        bool is_in;
        uint64_t last;
    } rows[] = {
        {1, true, 3}, {3, true, 3}, {4, false, 6}, {7, true, 7}, {8, false, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t last = 0;
        CHECK(seqset_run(&set, rows[i].seq, &last) == rows[i].is_in);
        CHECK(last == rows[i].last);
    }
    seqset_fini(&set);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"ranges grow, touch and merge", ranges_grow_touch_and_merge},
        {"gaps and the highest", gaps_and_the_highest},
        {"a range too many changes nothing", a_range_too_many_changes_nothing},
        {"it agrees with a bitmap", it_agrees_with_a_bitmap},
        {"a run ends where it changes", a_run_ends_where_it_changes},
        {"damaged sets are refused", damaged_sets_are_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("seqset", tests);
}
