// SPDX-License-Identifier: Apache-2.0
/*
 * disk_lives - lives of a journal on a disk that forgets, tears, reorders and refuses.
 *
 * A life has at least 200 appends and three crashes, one of them during recovery. Its
 * seed draws which faults it knows. After each crash the journal is opened and compared
 * with a ledger that shares no code with it: what was synced is there as it was (or, only
 * where bytes were made to rot or could not be read, a LOSS names it), nothing is there
 * that was never appended, nothing twice.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/rng.h"
#include "tests/sim/swarm.h"
#include "tests/support/journal_ledger.h"
#include "tests/support/journal_memory_io.h"

#define APPENDS_MIN 200
#define CRASHES_MIN 3
#define CRASHES_MAX 40
#define STEPS_MAX   400  /* between two crashes */
#define OPENS_MAX   2000 /* attempts to open in one life */
/* The first bytes of a segment stay: a lost header is a lost file. */
#define ROT_GUARD 64

enum kind {
    KIND_KILL,
    KIND_POWER_CUT,
    KIND_CRASH_IN_RECOVERY,
    KIND_CRASH_AGAIN_IN_RECOVERY,
    KIND_WRITE_LOST,
    KIND_WRITE_TORN,
    KIND_WRITE_REORDERED,
    KIND_NAME_LOST,
    KIND_EIO,
    KIND_SYNC_FAILED,
    KIND_NO_SPACE,
    KIND_INTERRUPTED,
    KIND_SHORT,
    KIND_SHORT_THEN_FULL,
    KIND_NO_FALLOCATE,
    KIND_NO_DESCRIPTOR,
    KIND_ROT,
    KIND_READ_REFUSED,
    KIND_SEGMENT_TRIMMED,
    KIND_CLOSED_IN_ORDER,
    KIND_LOSS_TOLD,
};

static const char *const kinds[] = {
    [KIND_KILL] = "process killed",
    [KIND_POWER_CUT] = "power cut",
    [KIND_CRASH_IN_RECOVERY] = "crash during recovery",
    [KIND_CRASH_AGAIN_IN_RECOVERY] = "crash during recovery of that",
    [KIND_WRITE_LOST] = "write lost at a crash",
    [KIND_WRITE_TORN] = "write torn at a crash",
    [KIND_WRITE_REORDERED] = "writes reordered at a crash",
    [KIND_NAME_LOST] = "directory entry lost at a crash",
    [KIND_EIO] = "EIO",
    [KIND_SYNC_FAILED] = "failed sync (data dropped)",
    [KIND_NO_SPACE] = "ENOSPC",
    [KIND_INTERRUPTED] = "EINTR",
    [KIND_SHORT] = "short read or write",
    [KIND_SHORT_THEN_FULL] = "half a write, then ENOSPC",
    [KIND_NO_FALLOCATE] = "fallocate not supported",
    [KIND_NO_DESCRIPTOR] = "EMFILE",
    [KIND_ROT] = "bit rotten in synced bytes",
    [KIND_READ_REFUSED] = "EIO of reads",
    [KIND_SEGMENT_TRIMMED] = "segments trimmed",
    [KIND_CLOSED_IN_ORDER] = "closed in order and opened",
    [KIND_LOSS_TOLD] = "synced record lost and told by LOSS",
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static struct ledger ledger; /* large; one life at a time in a process */

struct disk_life {
    struct swarm_life *told;
    struct rng rng;
    struct memory_disk *disk;
    struct journal *journal;
    struct journal_recovery found;
    struct journal_options options;
    struct memory_chance chances[MEMORY_CHANCES_MAX];
    size_t chance_count;
    uint32_t body_max;
    bool may_rot;
    bool has_rotted; /* since it was last opened */
    bool may_lose;   /* rot, or reads that failed: LOSS may stand for a record */
    uint64_t open_calls;
    uint64_t generation;
    unsigned crashes;
    unsigned crashes_in_recovery;
    uint64_t opens;
};

static uint64_t draw(struct disk_life *life, uint64_t bound)
{
    return rng_below(&life->rng, bound);
}

static void count(struct disk_life *life, enum kind kind, uint64_t times)
{
    life->told->tally.kinds[kind] += times;
}

/* ---- what this life knows ---------------------------------------------------------- */

static void learn_faults(struct disk_life *life)
{
    static const struct memory_chance known[] = {
        {FAULT_EIO, CALL_ANY & ~(unsigned)CALL_READ, 0.002},
        {FAULT_EIO, CALL_SYNC, 0.02},
        {FAULT_ENOSPC, CALL_ANY, 0.01},
        {FAULT_EINTR, CALL_ANY, 0.02},
        {FAULT_SHORT, CALL_READ | CALL_WRITE, 0.05},
        {FAULT_SHORT_ENOSPC, CALL_WRITE, 0.005},
        {FAULT_UNSUPPORTED, CALL_RESERVE, 1},
        {FAULT_EMFILE, CALL_OPEN, 0.02},
        {FAULT_EIO, CALL_READ, 0.002},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (life->chance_count == MEMORY_CHANCES_MAX || draw(life, 4) != 0)
            continue;
        life->chances[life->chance_count++] = known[i];
        life->may_lose = life->may_lose || (known[i].calls & CALL_READ) != 0;
    }
    life->may_rot = draw(life, 8) == 0;
}

static void learn_shape(struct disk_life *life)
{
    static const uint32_t bodies[] = {40, 400, 1500, 9000};
    life->body_max = bodies[draw(life, 4)];
    life->options = (struct journal_options){
        .io = memory_disk_io(life->disk),
        .segment_bytes = JOURNAL_SEGMENT_MIN << draw(life, 2),
        .spare_segments = draw(life, 3),
    };
}

/* ---- opening, and what must hold then ---------------------------------------------- */

/* Synced bytes that change by themselves while nobody looks. */
static void rot(struct disk_life *life)
{
    if (!life->may_rot || ledger.synced == 0 || draw(life, 2) != 0)
        return;
    size_t names = 0;
    while (memory_disk_name(life->disk, "j", names) != NULL)
        names++;
    const char *name =
        memory_disk_name(life->disk, "j", names > 0 ? draw(life, names) : 0);
    if (name == NULL || strstr(name, ".log") == NULL)
        return;
    char path[96];
    snprintf(path, sizeof path, "j/%s", name);
    size_t size = 0;
    uint8_t *bytes = memory_disk_bytes(life->disk, path, &size);
    if (bytes == NULL || size <= ROT_GUARD)
        return;
    size_t at = ROT_GUARD + draw(life, size - ROT_GUARD);
    bytes[at] = (uint8_t)(bytes[at] ^ (1u << draw(life, 8)));
    memory_disk_resize(life->disk, path, size); /* the platter has it, too */
    swarm_say(life->told, "rot in %s at %zu", path, at);
    count(life, KIND_ROT, 1);
    life->may_lose = true;
    life->has_rotted = true;
}

static enum err try_open(struct disk_life *life)
{
    struct err_text why = {0};
    life->opens++;
    return journal_open(&life->journal, "j", &life->options, &life->found, &why);
}

/*
 * Rot in a last group that no later one vouches for looks like a torn tail: it is cut.
 * The generation then tells the peers, who hold what was cut (docs/journal-format.md). It
 * may have grown in a recovery that was crashed into after that.
 */
static bool is_told_by_generation(struct disk_life *life, size_t promised)
{
    size_t seen = 0;
    while (seen < promised &&
           (ledger.items[seen].seen || ledger.items[seen].position < ledger.trimmed))
        seen++;
    for (size_t i = seen; i < promised; i++)
        if (ledger.items[i].seen)
            return false; /* not a tail */
    return life->has_rotted && life->found.generation > life->generation;
}

static void check_found(struct disk_life *life, struct ledger_verdict *verdict,
                        size_t promised)
{
    struct swarm_tally *tally = &life->told->tally;
    if (verdict->missing > 0 && is_told_by_generation(life, promised)) {
        swarm_say(life->told, "%zu rotten at the end, peers told", verdict->missing);
        verdict->missing = 0;
    }
    tally->lost += verdict->missing;
    tally->doubled += verdict->disorder;
    if (verdict->missing > 0)
        swarm_broke(life->told, "nothing-synced-is-lost", "%zu records are gone",
                    verdict->missing);
    if (verdict->altered > 0 || verdict->disorder > 0)
        swarm_broke(life->told, "nothing-is-invented", "%zu altered, %zu out of order",
                    verdict->altered, verdict->disorder);
    if (verdict->lost > 0 && !life->may_lose)
        swarm_broke(life->told, "no-loss-without-damage", "%zu told lost", verdict->lost);
    if (verdict->err != ERR_NOT_FOUND && !life->may_lose)
        swarm_broke(life->told, "everything-is-readable", "the reader says %s",
                    err_name(verdict->err));
    if (memory_disk_repeated_syncs(life->disk) > 0)
        swarm_broke(life->told, "a-failed-sync-is-never-repeated", "%llu were",
                    (unsigned long long)memory_disk_repeated_syncs(life->disk));
    count(life, KIND_LOSS_TOLD, verdict->lost);
}

/* The journal is open and the disk is well: is everything there? */
static void check_ledger(struct disk_life *life, size_t promised)
{
    if (life->found.born && ledger.synced > 0)
        swarm_broke(life->told, "a-journal-is-born-once", "after %zu synced records",
                    ledger.synced);
    if (life->found.generation < life->generation)
        swarm_broke(life->told, "the-generation-only-grows", "%llu after %llu",
                    (unsigned long long)life->found.generation,
                    (unsigned long long)life->generation);
    struct ledger_verdict verdict = ledger_check(&ledger, life->journal, promised);
    check_found(life, &verdict, promised);
    life->generation = life->found.generation;
    life->has_rotted = false;
    ledger_forget_unseen(&ledger);
}

/* ---- crashing ---------------------------------------------------------------------- */

static enum survival fall(struct disk_life *life)
{
    enum survival survival = (enum survival)draw(life, 3);
    memory_disk_stop(life->disk);
    if (journal_close(life->journal) != ERR_OK) {
        /* The process is as good as dead. */
    }
    life->journal = NULL;
    memory_disk_crash(life->disk, survival, rng_next(&life->rng));
    life->crashes++;
    count(life, survival == SURVIVE_ALL ? KIND_KILL : KIND_POWER_CUT, 1);
    swarm_say(life->told, "crash %u: %s", life->crashes,
              survival == SURVIVE_ALL      ? "killed"
              : survival == SURVIVE_SYNCED ? "power cut, only what was synced is there"
                                           : "power cut, and some of the rest");
    return survival;
}

/*
 * Opens while the power may fail at any call; true when it did. What a killed process
 * had not synced is promised no longer when that is a power cut.
 */
static bool crash_in_recovery(struct disk_life *life, size_t *promised)
{
    uint64_t most = life->open_calls > 0 ? life->open_calls : 40;
    uint64_t at = 1 + draw(life, most);
    memory_disk_fault(life->disk, FAULT_POWER, CALL_ANY, at, true);
    enum err err = try_open(life);
    bool fell = memory_disk_struck(life->disk) && err != ERR_OK;
    if (err == ERR_OK && !memory_disk_struck(life->disk))
        life->open_calls = memory_disk_calls(life->disk);
    if (fall(life) != SURVIVE_ALL)
        *promised = ledger.synced;
    if (fell) {
        life->crashes_in_recovery++;
        count(life, KIND_CRASH_IN_RECOVERY, 1);
        swarm_say(life->told, "that was in recovery, at call %llu",
                  (unsigned long long)at);
    }
    return fell;
}

static void recover(struct disk_life *life, size_t promised)
{
    unsigned nested = 0;
    bool must = life->crashes + 1 >= CRASHES_MIN && life->crashes_in_recovery == 0;
    if (life->crashes > 0)
        while ((must || draw(life, 3) == 0) && nested < 50) {
            if (crash_in_recovery(life, &promised)) {
                must = false;
                if (++nested == 2)
                    count(life, KIND_CRASH_AGAIN_IN_RECOVERY, 1);
            }
        }
    memory_disk_fault(life->disk, FAULT_NONE, 0, 0, false);
    if (try_open(life) != ERR_OK) {
        swarm_broke(life->told, "a-well-disk-opens", "it does not after %u crashes",
                    life->crashes);
        return;
    }
    life->open_calls = memory_disk_calls(life->disk);
    check_ledger(life, promised);
}

/* ---- living ------------------------------------------------------------------------ */

static void append(struct disk_life *life)
{
    uint32_t len = (uint32_t)draw(life, life->body_max);
    if (ledger_append(&ledger, life->journal, len) == ERR_OK)
        life->told->tally.steps++;
}

static void trim(struct disk_life *life)
{
    uint64_t synced = journal_synced(life->journal);
    uint64_t before = synced - (synced & UINT32_MAX);
    if (ledger.synced == 0 || before <= ledger.trimmed)
        return;
    ledger.trimmed = before;
    if (journal_trim(life->journal, before) == ERR_OK)
        count(life, KIND_SEGMENT_TRIMMED, 1);
}

static bool close_and_open(struct disk_life *life)
{
    size_t all = ledger.count;
    enum err err = journal_close(life->journal);
    life->journal = NULL;
    if (err != ERR_OK)
        return false;
    ledger.synced = all;
    count(life, KIND_CLOSED_IN_ORDER, 1);
    return try_open(life) == ERR_OK;
}

/* One step of a day; false when this process is at its end. */
static bool step(struct disk_life *life)
{
    uint64_t dice = draw(life, 128);
    if (dice < 96)
        append(life);
    else if (dice < 120)
        return ledger_sync(&ledger, life->journal) == ERR_OK;
    else if (dice < 125) {
        if (journal_prepare(life->journal) != ERR_OK) {
            /* Appending makes one itself, or says so. */
        }
    } else if (dice < 127)
        trim(life);
    else
        return close_and_open(life);
    return true;
}

/* Until the power fails at some call, or the steps are over. */
static void live_until_crash(struct disk_life *life)
{
    memory_disk_chances(life->disk, rng_next(&life->rng), life->chances,
                        life->chance_count);
    memory_disk_fault(life->disk, FAULT_POWER, CALL_ANY, 20 + draw(life, 600), true);
    for (size_t i = 0; i < STEPS_MAX && life->journal != NULL; i++)
        if (!step(life))
            break;
    swarm_say(life->told, "%zu records appended, %zu promised", ledger.count,
              ledger.synced);
}

static void add_strikes(struct disk_life *life)
{
    static const struct {
        enum fault fault;
        enum kind kind;
    } rows[] = {
        {FAULT_EIO, KIND_EIO},
        {FAULT_ENOSPC, KIND_NO_SPACE},
        {FAULT_EINTR, KIND_INTERRUPTED},
        {FAULT_SHORT, KIND_SHORT},
        {FAULT_SHORT_ENOSPC, KIND_SHORT_THEN_FULL},
        {FAULT_UNSUPPORTED, KIND_NO_FALLOCATE},
        {FAULT_EMFILE, KIND_NO_DESCRIPTOR},
    };
    const struct memory_tally *tally = memory_disk_tally(life->disk);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        count(life, rows[i].kind, tally->strikes[rows[i].fault]);
    count(life, KIND_SYNC_FAILED, tally->sync_strikes);
    count(life, KIND_READ_REFUSED, tally->read_strikes);
    count(life, KIND_WRITE_LOST, tally->writes_lost);
    count(life, KIND_WRITE_TORN, tally->writes_torn);
    count(life, KIND_WRITE_REORDERED, tally->writes_reordered);
    count(life, KIND_NAME_LOST, tally->names_lost);
}

static bool goes_on(const struct disk_life *life)
{
    return life->told->why[0] == '\0' && life->opens < OPENS_MAX &&
           life->crashes < CRASHES_MAX &&
           (life->told->tally.steps < APPENDS_MIN || life->crashes < CRASHES_MIN ||
            life->crashes_in_recovery == 0);
}

static void check_life(struct disk_life *life)
{
    if (life->told->tally.steps < APPENDS_MIN || life->crashes < CRASHES_MIN ||
        life->crashes_in_recovery == 0)
        swarm_broke(life->told, "a-life-is-long-enough",
                    "%llu appends, %u crashes, %u in recovery",
                    (unsigned long long)life->told->tally.steps, life->crashes,
                    life->crashes_in_recovery);
}

static void live(struct swarm_life *told)
{
    struct disk_life life = {.told = told, .rng = {told->seed}};
    life.disk = memory_disk_create();
    ledger.count = ledger.synced = 0;
    ledger.trimmed = 0;
    ledger.next_seed = 0;
    learn_faults(&life);
    learn_shape(&life);
    size_t promised = 0;
    while (goes_on(&life)) {
        rot(&life);
        recover(&life, promised);
        if (told->why[0] != '\0')
            break;
        live_until_crash(&life);
        bool was_killed = fall(&life) == SURVIVE_ALL;
        /* A killed process loses nothing, unless a failed sync had dropped it. */
        bool keeps_all = was_killed && memory_disk_tally(life.disk)->sync_strikes == 0;
        promised = keeps_all ? ledger.count : ledger.synced;
    }
    if (told->why[0] == '\0') {
        recover(&life, promised);
        check_life(&life);
    }
    if (journal_close(life.journal) != ERR_OK && told->why[0] == '\0')
        swarm_broke(told, "a-well-disk-closes", "it does not");
    add_strikes(&life);
    memory_disk_destroy(life.disk);
}

int main(int argc, char **argv)
{
    static const struct swarm swarm = {
        .name = "disk_lives",
        .step_name = "appends",
        .kinds = kinds,
        .kind_count = KINDS,
        .default_seeds = 50000,
        .live = live,
    };
    crypto_init();
    return swarm_main(&swarm, argc, argv);
}
