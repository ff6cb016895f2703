// SPDX-License-Identifier: Apache-2.0
#include "telemetry/window.h"

#include <stdlib.h>

#include "base/rng.h"
#include "tests/support/check.h"

/* Pack `seq` of branch 0 or 1; both have the first ones in common. */
#define COMMON 3
static uint64_t hash_of(uint64_t seq, uint64_t branch)
{
    return seq == 0 ? 0 : rng_hash(seq <= COMMON ? 7 : 8 + branch, seq) | 1;
}

static enum window_verdict take(struct window *window, uint64_t seq, uint64_t branch)
{
    return window_take(window, seq, hash_of(seq, branch), hash_of(seq - 1, branch));
}

/* "a5" takes pack 5 of branch a; what each becomes: n(ew), d(uplicate), f(ork). */
static void neighbours_that_do_not_fit_are_forks(void)
{
    static const struct {
        const char *name;
        const char *packs;
        const char *want;
    } rows[] = {
        {"one branch in order", "a1 a2 a3 a4 a5", "nnnnn"},
        {"the other behind it", "a1 a2 a3 a4 b5", "nnnnf"},
        {"another body", "a1 a2 a3 a4 b4", "nnnnf"},
        {"the other ahead of a gap", "a1 a2 a3 b5 b4", "nnnnn"},
        {"into a gap that belongs to the other", "a1 a2 a3 b5 a4", "nnnnf"},
        {"and then the right one", "a1 a2 a3 b5 a4 b4", "nnnnfn"},
        {"the same long after", "a1 a2 a3 b5 b6 b7 b8 b9 b10 b11 b12 b13 b14 a4",
         "nnnnnnnnnnnnnf"},
        {"behind the first of two ranges, long after",
         "a1 a2 a3 a5 b9 b10 b11 b12 b13 b14 b15 b16 b17 b6", "nnnnnnnnnnnnnf"},
        {"what fits, there", "a1 a2 a3 a5 b9 b10 b11 b12 b13 b14 b15 b16 b17 a6",
         "nnnnnnnnnnnnnn"},
        {"a range grows to the left", "a1 a2 a3 b9 b8 b7 a6 b6", "nnnnnnfn"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct window window = {0};
        char got[64] = "";
        size_t count = 0;
        for (const char *at = rows[i].packs; at != NULL && *at != '\0';) {
            uint64_t branch = (uint64_t)(*at++ - 'a');
            char *end;
            uint64_t seq = strtoull(at, &end, 10);
            got[count++] = "ndf!"[take(&window, seq, branch)];
            at = *end == ' ' ? end + 1 : end;
        }
        got[count] = '\0';
        CHECK_ROW(rows[i].name, strcmp(got, rows[i].want) == 0);
        window_fini(&window);
    }
}

static void a_loss_asks_for_nothing_any_more(void)
{
    struct window window = {0};
    for (uint64_t seq = 1; seq <= 3; seq++)
        CHECK(take(&window, seq, 0) == WINDOW_NEW);
    CHECK(take(&window, 6, 1) == WINDOW_NEW);
    CHECK(window.edge_count == 2);
    CHECK(window_close(&window, 4, 5) == ERR_OK);
    CHECK(window.edge_count == 0 && window.taken.through == 6);
    CHECK(window_hash(&window, 6) == hash_of(6, 1));
    CHECK(take(&window, 7, 0) == WINDOW_FORK);
    window_fini(&window);
}

/* Long before the newest ones: only the gap behind it remembered the hash. */
static void a_mark_at_a_gap_keeps_its_hash(void)
{
    struct window window = {0};
    CHECK(take(&window, 1, 0) == WINDOW_NEW && take(&window, 3, 0) == WINDOW_NEW);
    for (uint64_t seq = 5; seq <= 30; seq++)
        CHECK(take(&window, seq, 0) == WINDOW_NEW);
    CHECK(take(&window, 2, 0) == WINDOW_NEW);
    CHECK(window.taken.through == 3 && window_hash(&window, 3) == hash_of(3, 0));
    CHECK(take(&window, 4, 1) == WINDOW_FORK);
    window_fini(&window);
}

static bool same(const struct window *a, const struct window *b)
{
    struct buf left = {0}, right = {0};
    window_save(a, &left);
    window_save(b, &right);
    bool is_same = left.len == right.len && memcmp(left.data, right.data, left.len) == 0;
    buf_fini(&left);
    buf_fini(&right);
    return is_same;
}

/* In any order, saved and loaded anywhere: one branch never forks, and all is taken. */
static void one_branch_in_any_order_is_no_fork(void)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng rng = {seed};
        struct window window = {0};
        uint64_t last = 5 + rng_below(&rng, 60);
        for (uint64_t left = last * 6; left > 0 && window.taken.through < last; left--) {
            uint64_t seq = left > last ? 1 + rng_below(&rng, last) : left;
            CHECK(take(&window, seq, 0) != WINDOW_FORK);
            struct buf saved = {0};
            window_save(&window, &saved);
            struct window loaded = {0};
            struct buf_reader in = buf_reader_of(saved.data, saved.len);
            CHECK(window_load(&loaded, &in) == ERR_OK && same(&window, &loaded));
            buf_fini(&saved);
            window_fini(&window);
            window = loaded;
        }
        CHECK(window.taken.through == last && window.edge_count == 0);
        CHECK(window_hash(&window, last) == hash_of(last, 0));
        window_fini(&window);
    }
}

static void what_is_cut_off_is_corrupt(void)
{
    struct window window = {0};
    CHECK(take(&window, 1, 0) == WINDOW_NEW && take(&window, 5, 0) == WINDOW_NEW);
    struct buf saved = {0};
    window_save(&window, &saved);
    for (size_t len = 0; len < saved.len; len++) {
        struct window loaded = {0};
        struct buf_reader in = buf_reader_of(saved.data, len);
        CHECK(window_load(&loaded, &in) == ERR_CORRUPT && loaded.edges == NULL);
    }
    buf_fini(&saved);
    window_fini(&window);
}

static CU_TestInfo tests[] = {
    {"neighbours that do not fit are forks", neighbours_that_do_not_fit_are_forks},
    {"a loss asks for nothing any more", a_loss_asks_for_nothing_any_more},
    {"a mark at a gap keeps its hash", a_mark_at_a_gap_keeps_its_hash},
    {"one branch in any order is no fork", one_branch_in_any_order_is_no_fork},
    {"what is cut off is corrupt", what_is_cut_off_is_corrupt},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("window", tests);
}
