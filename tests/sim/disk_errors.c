// SPDX-License-Identifier: Apache-2.0
/*
 * disk_errors - each error of each call of the journal to its disk, once and for good.
 *
 * A case is (error, which calls, once or for good, the number of the call that fails,
 * counted over opening a journal that holds something, work, and closing it). Then the
 * power fails, the disk is well again, and what was synced must be there. A failed sync
 * is never repeated. Cases are numbered through by errors first, so that any count of
 * them tries all kinds; the fault strikes in each.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/rng.h"
#include "tests/sim/swarm.h"
#include "tests/support/journal_ledger.h"
#include "tests/support/journal_memory_io.h"

#define STEPS 120
#define WORKS 4096 /* different ones, by seed */

static const struct {
    const char *name;
    enum fault fault;
    unsigned calls;
    bool is_sticky;
    bool reads; /* what cannot be read may be told lost */
} rows[] = {
    {"EIO once", FAULT_EIO, CALL_ANY & ~(unsigned)CALL_READ, false, false},
    {"EIO for good", FAULT_EIO, CALL_ANY & ~(unsigned)CALL_READ, true, false},
    {"EIO of one write", FAULT_EIO, CALL_WRITE, false, false},
    {"EIO of writes for good", FAULT_EIO, CALL_WRITE, true, false},
    {"EIO of one sync", FAULT_EIO, CALL_SYNC, false, false},
    {"EIO of syncs for good", FAULT_EIO, CALL_SYNC, true, false},
    {"EIO of one folder sync", FAULT_EIO, CALL_SYNC_DIR, false, false},
    {"EIO of one close", FAULT_EIO, CALL_CLOSE, false, false},
    {"EIO of one read", FAULT_EIO, CALL_READ, false, true},
    {"EIO of reads for good", FAULT_EIO, CALL_READ, true, true},
    {"ENOSPC once", FAULT_ENOSPC, CALL_ANY, false, false},
    {"ENOSPC for good", FAULT_ENOSPC, CALL_ANY, true, false},
    {"half a write, then ENOSPC", FAULT_SHORT_ENOSPC, CALL_WRITE, false, false},
    {"half a write, ENOSPC for good", FAULT_SHORT_ENOSPC, CALL_WRITE, true, false},
    {"EINTR once", FAULT_EINTR, CALL_ANY, false, false},
    {"EINTR for good", FAULT_EINTR, CALL_ANY, true, false},
    {"EMFILE once", FAULT_EMFILE, CALL_OPEN, false, false},
    {"EMFILE for good", FAULT_EMFILE, CALL_OPEN, true, false},
    {"fallocate not supported", FAULT_UNSUPPORTED, CALL_RESERVE, true, false},
    {"short once", FAULT_SHORT, CALL_READ | CALL_WRITE, false, false},
    {"always short", FAULT_SHORT, CALL_READ | CALL_WRITE, true, false},
};
#define ROWS (sizeof rows / sizeof rows[0])

static const char *kinds[ROWS];
static struct ledger ledger;
/* How many calls that a row concerns a work makes; 0: not counted yet. */
static uint32_t call_counts[ROWS][WORKS];

struct error_case {
    struct swarm_life *life;
    size_t row;
    struct memory_disk *disk;
    struct journal *journal;
};

static enum err open_journal(struct error_case *tried)
{
    const struct journal_options options = {.io = memory_disk_io(tried->disk),
                                            .segment_bytes = JOURNAL_SEGMENT_MIN,
                                            .spare_segments = 1};
    struct err_text why = {0};
    return journal_open(&tried->journal, "j", &options, NULL, &why);
}

/* What is refused is refused; only what was promised is looked for afterwards. */
static bool step(struct error_case *tried)
{
    uint64_t dice = ledger_random(&ledger) % 64;
    uint64_t len = ledger_random(&ledger) % (dice % 8 == 0 ? 4000 : 400);
    if (dice < 40)
        tried->life->tally.steps +=
            ledger_append(&ledger, tried->journal, (uint32_t)len) == ERR_OK;
    else if (dice < 58)
        return ledger_sync(&ledger, tried->journal) == ERR_OK;
    else if (journal_prepare(tried->journal) != ERR_OK)
        return true;
    return true;
}

static void do_steps(struct error_case *tried)
{
    for (int i = 0; i < STEPS; i++)
        if (!step(tried))
            return;
}

/* A disk with a journal that holds something; then the one that may fail. */
static void begin(struct error_case *tried, size_t number)
{
    tried->disk = memory_disk_create();
    ledger.count = ledger.synced = 0;
    ledger.trimmed = 0;
    ledger.next_seed = 0;
    ledger.random = rng_hash(1, number) | 1;
    if (open_journal(tried) != ERR_OK)
        abort();
    do_steps(tried);
    size_t all = ledger.count;
    if (journal_close(tried->journal) != ERR_OK)
        abort();
    tried->journal = NULL;
    ledger.synced = all;
}

static void work(struct error_case *tried)
{
    if (open_journal(tried) != ERR_OK)
        return;
    do_steps(tried);
    size_t all = ledger.count;
    if (journal_close(tried->journal) == ERR_OK)
        ledger.synced = all;
    tried->journal = NULL;
}

static uint32_t count_calls(size_t row, size_t number)
{
    struct swarm_life nobody = {0};
    struct error_case counted = {.life = &nobody, .row = row};
    begin(&counted, number);
    memory_disk_fault(counted.disk, FAULT_NONE, rows[row].calls, 0, false);
    work(&counted);
    uint64_t calls = memory_disk_matching(counted.disk);
    memory_disk_destroy(counted.disk);
    return (uint32_t)calls;
}

/* The n-th case of a row: which work, and which call of it. */
static size_t find_case(size_t row, uint64_t n, uint64_t *at)
{
    for (size_t number = 0; number < WORKS; number++) {
        uint32_t *calls = &call_counts[row][number];
        if (*calls == 0)
            *calls = count_calls(row, number);
        if (n < *calls) {
            *at = n + 1;
            return number;
        }
        n -= *calls;
    }
    *at = 1;
    return 0;
}

static void die(struct error_case *tried, uint64_t seed)
{
    memory_disk_stop(tried->disk);
    if (journal_close(tried->journal) != ERR_OK) {
        /* As good as dead. */
    }
    tried->journal = NULL;
    memory_disk_crash(tried->disk, seed % 2 == 0 ? SURVIVE_SYNCED : SURVIVE_SOME, seed);
}

static void check(struct error_case *tried)
{
    struct swarm_life *life = tried->life;
    if (open_journal(tried) != ERR_OK) {
        swarm_broke(life, "a-well-disk-opens", "after %s", rows[tried->row].name);
        return;
    }
    struct ledger_verdict found = ledger_check(&ledger, tried->journal, ledger.synced);
    life->tally.lost += found.missing;
    life->tally.doubled += found.disorder;
    if (found.missing > 0 || found.altered > 0 || found.disorder > 0 ||
        (found.lost > 0 && !rows[tried->row].reads))
        swarm_broke(life, "nothing-synced-is-lost", "%zu gone, %zu altered, %zu lost: %s",
                    found.missing, found.altered, found.lost, rows[tried->row].name);
    if (memory_disk_repeated_syncs(tried->disk) > 0)
        swarm_broke(life, "a-failed-sync-is-never-repeated", "after %s",
                    rows[tried->row].name);
}

static void live(struct swarm_life *life)
{
    struct error_case tried = {.life = life, .row = (life->seed - 1) % ROWS};
    uint64_t at = 0;
    size_t number = find_case(tried.row, (life->seed - 1) / ROWS, &at);
    swarm_say(life, "%s at call %llu of work %zu", rows[tried.row].name,
              (unsigned long long)at, number);
    begin(&tried, number);
    memory_disk_fault(tried.disk, rows[tried.row].fault, rows[tried.row].calls, at,
                      rows[tried.row].is_sticky);
    work(&tried);
    if (!memory_disk_struck(tried.disk))
        swarm_broke(life, "the-fault-strikes", "%s does not", rows[tried.row].name);
    life->tally.kinds[tried.row]++;
    die(&tried, life->seed);
    check(&tried);
    if (journal_close(tried.journal) != ERR_OK)
        swarm_broke(life, "a-well-disk-closes", "after %s", rows[tried.row].name);
    memory_disk_destroy(tried.disk);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < ROWS; i++)
        kinds[i] = rows[i].name;
    const struct swarm swarm = {
        .name = "disk_errors",
        .step_name = "appends",
        .kinds = kinds,
        .kind_count = ROWS,
        .default_seeds = 3000,
        .live = live,
    };
    crypto_init();
    return swarm_main(&swarm, argc, argv);
}
