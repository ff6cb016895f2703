// SPDX-License-Identifier: Apache-2.0
/*
 * A random workload on a simulated disk, stopped or failed at every single call; then
 * recovery, itself stopped at every call. What was synced is there, nothing is invented.
 */
#include "journal/journal.h"

#include "base/crypto.h"
#include "tests/support/check.h"
#include "tests/support/journal_ledger.h"
#include "tests/support/journal_memory_io.h"

#define STEPS 240

/* Sanitizers make a run ten times as slow; a prime stride still visits all kinds. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRIDE 5
#else
#define STRIDE 1
#endif

struct life {
    struct memory_disk *disk;
    struct journal *journal;
    struct journal_recovery found;
    struct ledger *ledger;
};

static struct ledger ledger;

static enum err life_open(struct life *life)
{
    struct journal_options options = {.io = memory_disk_io(life->disk),
                                      .segment_bytes = JOURNAL_SEGMENT_MIN,
                                      .spare_segments = 1};
    struct err_text why = {0};
    return journal_open(&life->journal, "j", &options, &life->found, &why);
}

/* The process ends where it stands; its memory is released. */
static void life_end(struct life *life)
{
    memory_disk_stop(life->disk);
    if (journal_close(life->journal) != ERR_OK) {
        /* The disk does not answer any more. */
    }
    life->journal = NULL;
}

/* One random step. False when the journal has failed for good. */
static bool life_step(struct life *life)
{
    uint64_t dice = ledger_random(life->ledger) % 64;
    if (dice < 40) {
        uint64_t large = ledger_random(life->ledger) % 8;
        uint64_t len = ledger_random(life->ledger) % (large == 0 ? 9000 : 400);
        if (ledger_append(life->ledger, life->journal, (uint32_t)len) != ERR_OK) {
            /* Then it is not in the ledger. */
        }
    } else if (dice < 56) {
        return ledger_sync(life->ledger, life->journal) == ERR_OK;
    } else if (dice < 61) {
        if (journal_prepare(life->journal) != ERR_OK) {
            /* Appending makes one itself, or says so. */
        }
    } else if (dice == 61 && life->ledger->synced > 0) {
        uint64_t synced = journal_synced(life->journal);
        life->ledger->trimmed = synced - (synced & UINT32_MAX);
        if (journal_trim(life->journal, life->ledger->trimmed) != ERR_OK) {
            /* It stays until the next time. */
        }
    } else if (dice == 62) {
        size_t count = life->ledger->count;
        enum err err = journal_close(life->journal);
        life->journal = NULL;
        if (err != ERR_OK)
            return false;
        life->ledger->synced = count;
        return life_open(life) == ERR_OK;
    }
    return true;
}

static void life_run(struct life *life, size_t steps)
{
    if (life_open(life) != ERR_OK)
        return;
    while (steps-- > 0)
        if (!life_step(life))
            return;
}

static void begin(struct life *life, uint64_t seed)
{
    *life = (struct life){.disk = memory_disk_create(), .ledger = &ledger};
    ledger.count = ledger.synced = 0;
    ledger.trimmed = 0;
    ledger.next_seed = 0;
    ledger.random = seed * 6364136223846793005u + 1442695040888963407u;
}

/* Everything promised is there. A killed process loses nothing at all. */
static bool holds(struct life *life, enum survival survival)
{
    size_t promised = survival == SURVIVE_ALL ? ledger.count : ledger.synced;
    if (life_open(life) != ERR_OK)
        return false;
    struct ledger_verdict verdict = ledger_check(&ledger, life->journal, promised);
    bool good = ledger_is_good(&verdict) && verdict.lost == 0;
    if (survival == SURVIVE_ALL && memory_disk_repeated_syncs(life->disk) == 0)
        good = good && life->found.cut_bytes == 0;
    good = good && memory_disk_repeated_syncs(life->disk) == 0;
    return journal_close(life->journal) == ERR_OK && good;
}

/* Also when reading is what failed: damage may be told that is none. */
static bool holds_or_tells(struct life *life)
{
    if (life_open(life) != ERR_OK)
        return false;
    struct ledger_verdict verdict = ledger_check(&ledger, life->journal, ledger.synced);
    bool good = ledger_is_good(&verdict) && memory_disk_repeated_syncs(life->disk) == 0;
    return journal_close(life->journal) == ERR_OK && good;
}

static uint64_t count_calls(uint64_t seed)
{
    struct life life;
    begin(&life, seed);
    memory_disk_fault(life.disk, FAULT_NONE, 0, 0, false);
    life_run(&life, STEPS);
    uint64_t calls = memory_disk_calls(life.disk);
    life_end(&life);
    memory_disk_destroy(life.disk);
    return calls;
}

static void a_crash_at_every_call_loses_nothing_synced(void)
{
    static const enum survival survivals[] = {SURVIVE_SYNCED, SURVIVE_SOME, SURVIVE_ALL};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        uint64_t calls = count_calls(seed);
        CHECK(calls > 200);
        size_t bad = 0;
        for (uint64_t at = 1; at <= calls && bad < 3; at += STRIDE)
            for (size_t s = 0; s < 3; s++) {
                struct life life;
                begin(&life, seed);
                memory_disk_fault(life.disk, FAULT_POWER, CALL_ANY, at, true);
                life_run(&life, STEPS);
                life_end(&life);
                memory_disk_crash(life.disk, survivals[s], seed + at);
                if (!holds(&life, survivals[s])) {
                    printf("  seed %llu call %llu survival %zu\n",
                           (unsigned long long)seed, (unsigned long long)at, s);
                    bad++;
                }
                memory_disk_destroy(life.disk);
            }
        CHECK(bad == 0);
    }
}

/* Recovery of one crash, stopped at every call, then done again. */
static size_t interrupt_recovery(uint64_t seed, uint64_t at)
{
    size_t bad = 0;
    bool struck = true;
    for (uint64_t inner = 1; struck && bad < 3; inner += STRIDE) {
        struct life life;
        begin(&life, seed);
        memory_disk_fault(life.disk, FAULT_POWER, CALL_ANY, at, true);
        life_run(&life, STEPS);
        life_end(&life);
        memory_disk_crash(life.disk, SURVIVE_SOME, seed + at);
        memory_disk_fault(life.disk, FAULT_POWER, CALL_ANY, inner, true);
        enum err err = life_open(&life);
        struck = memory_disk_struck(life.disk);
        CHECK(struck || err == ERR_OK);
        life_end(&life);
        memory_disk_crash(life.disk, SURVIVE_SOME, inner);
        if (!holds(&life, SURVIVE_SOME)) {
            printf("  seed %llu call %llu, then %llu\n", (unsigned long long)seed,
                   (unsigned long long)at, (unsigned long long)inner);
            bad++;
        }
        memory_disk_destroy(life.disk);
    }
    return bad;
}

static void recovery_may_be_interrupted_anywhere(void)
{
    uint64_t calls = count_calls(4);
    for (uint64_t at = 5; at <= calls; at += calls / (40 / STRIDE))
        CHECK(interrupt_recovery(4, at) == 0);
}

static void every_fault_at_every_call(void)
{
    static const struct {
        const char *name;
        enum fault fault;
        unsigned calls;
        bool sticky;
    } rows[] = {
        {"EIO once", FAULT_EIO, CALL_ANY & ~(unsigned)CALL_READ, false},
        {"EIO from then on", FAULT_EIO, CALL_ANY & ~(unsigned)CALL_READ, true},
        {"EIO of writes from then on", FAULT_EIO, CALL_WRITE, true},
        {"EIO of one sync", FAULT_EIO, CALL_SYNC, false},
        {"EIO of syncs from then on", FAULT_EIO, CALL_SYNC, true},
        {"EIO of one read", FAULT_EIO, CALL_READ, false},
        {"no space once", FAULT_ENOSPC, CALL_ANY, false},
        {"no space from then on", FAULT_ENOSPC, CALL_ANY, true},
        {"half a record, then no space", FAULT_SHORT_ENOSPC, CALL_WRITE, false},
        {"half a record, then no space for good", FAULT_SHORT_ENOSPC, CALL_WRITE, true},
        {"EINTR once", FAULT_EINTR, CALL_ANY, false},
        {"EINTR from then on", FAULT_EINTR, CALL_ANY, true},
        {"no fallocate", FAULT_UNSUPPORTED, CALL_RESERVE, true},
        {"short once", FAULT_SHORT, CALL_ANY, false},
        {"always short", FAULT_SHORT, CALL_ANY, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t bad = 0, runs = 0;
        bool struck = true;
        for (uint64_t at = 1; struck && bad < 3; at += STRIDE) {
            struct life life;
            begin(&life, 11 + i % 3);
            memory_disk_fault(life.disk, rows[i].fault, rows[i].calls, at,
                              rows[i].sticky);
            life_run(&life, STEPS);
            struck = memory_disk_struck(life.disk);
            life_end(&life);
            memory_disk_crash(life.disk, at % 2 == 0 ? SURVIVE_SYNCED : SURVIVE_SOME, at);
            if (!holds(&life, SURVIVE_SYNCED)) {
                printf("  %s at %llu\n", rows[i].name, (unsigned long long)at);
                bad++;
            }
            runs++;
            memory_disk_destroy(life.disk);
        }
        CHECK_ROW(rows[i].name, bad == 0);
        CHECK_ROW(rows[i].name, runs > 1);
    }
}

/* Sectors that stay unreadable while it runs and are readable again, or not. */
static void reads_that_fail_for_good_are_told(void)
{
    for (uint64_t at = 1; at < 60; at++) {
        struct life life;
        begin(&life, 21);
        life_run(&life, STEPS);
        CHECK(ledger_sync(&ledger, life.journal) == ERR_OK);
        life_end(&life);
        memory_disk_crash(life.disk, SURVIVE_SYNCED, at);
        memory_disk_fault(life.disk, FAULT_EIO, CALL_READ, at, true);
        if (life_open(&life) == ERR_OK) {
            struct ledger_verdict verdict =
                ledger_check(&ledger, life.journal, ledger.synced);
            CHECK(ledger_is_good(&verdict));
        }
        life_end(&life);
        memory_disk_crash(life.disk, SURVIVE_SYNCED, at);
        CHECK(holds_or_tells(&life));
        memory_disk_destroy(life.disk);
    }
}

/* Many crashes in one life: what survives one is the beginning of the next. */
static void lives_with_many_crashes(void)
{
    for (uint64_t seed = 100; seed < 100 + 120 / STRIDE; seed++) {
        struct life life;
        begin(&life, seed);
        bool good = true;
        for (int crash = 0; crash < 8 && good; crash++) {
            uint64_t at = 1 + ledger_random(&ledger) % 500;
            enum survival survival = (enum survival)(ledger_random(&ledger) % 3);
            memory_disk_fault(life.disk, FAULT_POWER, CALL_ANY, at, true);
            life_run(&life, STEPS);
            life_end(&life);
            memory_disk_crash(life.disk, survival, seed + at);
            good = holds(&life, survival);
            ledger_forget_unseen(&ledger);
        }
        if (!good)
            printf("  seed %llu\n", (unsigned long long)seed);
        CHECK(good);
        memory_disk_destroy(life.disk);
    }
}

/*
 * The power fails while a segment goes on in another file: that file's header must not
 * be there before the rest of it, or the segment would end where its length does.
 */
static bool survives_power_while_mending(uint64_t at, uint64_t after, uint64_t seed)
{
    struct life life;
    begin(&life, 31);
    memory_disk_fault(life.disk, FAULT_EIO, CALL_SYNC, at, false);
    memory_disk_power_after(life.disk, after);
    life_run(&life, STEPS);
    bool struck = memory_disk_struck(life.disk);
    life_end(&life);
    memory_disk_crash(life.disk, SURVIVE_SOME, seed);
    bool good = struck && holds(&life, SURVIVE_SYNCED);
    memory_disk_destroy(life.disk);
    return good;
}

static void power_fails_while_a_failed_sync_is_mended(void)
{
    size_t bad = 0;
    for (uint64_t at = 3; at < 30; at += 3)
        for (uint64_t after = 1; after < 14; after++)
            for (uint64_t seed = 1; seed < 12 && bad < 3; seed++)
                bad += !survives_power_while_mending(at, after, at * 1000 + seed);
    CHECK(bad == 0);
}

/*
 * A process ends because syncing failed for good; the next one sees everything in the
 * cache, counts it, and must have written all of it again, headers too.
 */
static void what_a_failed_sync_left_in_the_cache_is_written_again(void)
{
    static const struct memory_chance often = {FAULT_EIO, CALL_SYNC, 0.2};
    size_t struck = 0;
    for (uint64_t seed = 1; seed < 200; seed++) {
        struct life life;
        begin(&life, 41 + seed % 5);
        CHECK(life_open(&life) == ERR_OK);
        memory_disk_chances(life.disk, seed, &often, 1);
        for (int i = 0; i < STEPS && life_step(&life); i++)
            continue;
        struck += memory_disk_tally(life.disk)->sync_strikes > 1;
        life_end(&life);
        memory_disk_crash(life.disk, SURVIVE_ALL, seed);
        CHECK(life_open(&life) == ERR_OK);
        struct ledger_verdict verdict = ledger_check(&ledger, life.journal, 0);
        CHECK(ledger_is_good(&verdict));
        ledger_forget_unseen(&ledger); /* all that is there now is promised */
        life_end(&life);
        memory_disk_crash(life.disk, SURVIVE_SYNCED, seed);
        CHECK(holds(&life, SURVIVE_SYNCED));
        memory_disk_destroy(life.disk);
    }
    CHECK(struck > 50);
}

static CU_TestInfo tests[] = {
    {"power fails while a failed sync is mended",
     power_fails_while_a_failed_sync_is_mended},
    {"what a failed sync left in the cache is written again",
     what_a_failed_sync_left_in_the_cache_is_written_again},
    {"a crash at every call loses nothing synced",
     a_crash_at_every_call_loses_nothing_synced},
    {"recovery may be interrupted anywhere", recovery_may_be_interrupted_anywhere},
    {"every fault at every call", every_fault_at_every_call},
    {"reads that fail for good are told", reads_that_fail_for_good_are_told},
    {"lives with many crashes", lives_with_many_crashes},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    crypto_init();
    return check_run("faults", tests);
}
