// SPDX-License-Identifier: Apache-2.0
/*
 * journal_ledger - a naive twin of a journal: what was promised, in a plain array.
 *
 * It shares no code with the journal. Bodies follow from the number of the record.
 */
#ifndef COLDCHAIN_TESTS_SUPPORT_JOURNAL_LEDGER_H
#define COLDCHAIN_TESTS_SUPPORT_JOURNAL_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal.h"

#define LEDGER_MAX 20000

struct ledger_entry {
    uint64_t position;
    uint32_t seed;
    uint32_t len;
    bool seen;
};

struct ledger {
    struct ledger_entry items[LEDGER_MAX];
    size_t count;
    size_t synced;    /* entries below are promised to survive a power cut */
    uint64_t trimmed; /* positions below may be gone */
    uint64_t random;
    uint32_t next_seed;
};

static inline uint64_t ledger_random(struct ledger *ledger)
{
    ledger->random ^= ledger->random << 13;
    ledger->random ^= ledger->random >> 7;
    ledger->random ^= ledger->random << 17;
    return ledger->random;
}

#define LEDGER_POOL ((size_t)1 << 18)
#define LEDGER_BODY ((size_t)1 << 16)

/* Bodies are windows of one random pool; which one follows from the record's number. */
static inline const uint8_t *ledger_body(uint32_t seed)
{
    static uint8_t pool[LEDGER_POOL];
    static bool is_filled;
    uint32_t state = 12345;
    for (size_t i = 0; i < LEDGER_POOL && !is_filled; i++) {
        state = state * 1664525u + 1013904223u;
        pool[i] = (uint8_t)(state >> 24);
    }
    is_filled = true;
    return pool + (seed * (size_t)7919) % (LEDGER_POOL - LEDGER_BODY);
}

/* Appends a record of this length, in up to three pieces, and notes it when it is taken.
 */
static inline enum err ledger_append(struct ledger *ledger, struct journal *journal,
                                     uint32_t len)
{
    /* A record that was refused must not look like the next one. */
    struct ledger_entry entry = {.seed = ++ledger->next_seed, .len = len};
    const uint8_t *body = ledger_body(entry.seed);
    size_t first = len / 3, second = (len - first) / 2;
    struct journal_piece pieces[] = {{body, first},
                                     {body + first, second},
                                     {body + first + second, len - first - second}};
    enum err err = journal_append(journal, (uint8_t)(16 + entry.seed % 240), entry.seed,
                                  entry.seed * 2, pieces, 3, &entry.position);
    if (err == ERR_OK && ledger->count < LEDGER_MAX)
        ledger->items[ledger->count++] = entry;
    return err;
}

static inline enum err ledger_sync(struct ledger *ledger, struct journal *journal)
{
    size_t count = ledger->count;
    enum err err = journal_sync(journal, NULL);
    if (err == ERR_OK)
        ledger->synced = count;
    return err;
}

static inline bool ledger_matches(const struct ledger_entry *entry,
                                  const struct journal_record *record)
{
    return record->position == entry->position && record->len == entry->len &&
           record->type == 16 + entry->seed % 240 && record->wall_ms == entry->seed &&
           record->boot_ms == (int64_t)entry->seed * 2 &&
           memcmp(record->data, ledger_body(entry->seed), entry->len) == 0;
}

struct ledger_verdict {
    size_t altered;  /* records that were never appended like this */
    size_t disorder; /* positions that do not rise */
    size_t missing;  /* promised, not there, and no LOSS says so */
    size_t lost;     /* promised, not there, and a LOSS says so */
    size_t kept;
    size_t losses;
    enum err err; /* of the reader; ERR_NOT_FOUND is the good end */
};

#define LEDGER_LOSSES 256

static inline bool ledger_is_covered(const struct journal_loss *losses, size_t count,
                                     uint64_t position)
{
    for (size_t i = 0; i < count; i++)
        if (losses[i].from <= position && position < losses[i].to)
            return true;
    return false;
}

/* Reads everything and compares; `promised` entries must be there or be told lost. */
static inline struct ledger_verdict ledger_check(struct ledger *ledger,
                                                 struct journal *journal, size_t promised)
{
    static struct journal_loss losses[LEDGER_LOSSES];
    struct ledger_verdict verdict = {0};
    struct journal_reader *reader = NULL;
    struct journal_record record;
    uint64_t last = 0;
    size_t at = 0;
    for (size_t i = 0; i < ledger->count; i++)
        ledger->items[i].seen = false;
    verdict.err = journal_reader_open(&reader, journal, 0);
    while (verdict.err == ERR_OK) {
        verdict.err = journal_reader_next(reader, &record);
        if (verdict.err != ERR_OK)
            break;
        verdict.disorder += record.position <= last;
        last = record.position;
        if (record.type == JOURNAL_TYPE_LOSS) {
            if (verdict.losses < LEDGER_LOSSES)
                losses[verdict.losses++] = record.loss;
            continue;
        }
        while (at < ledger->count && ledger->items[at].position < record.position)
            at++;
        if (at < ledger->count && ledger_matches(&ledger->items[at], &record)) {
            ledger->items[at].seen = true;
            verdict.kept++;
        } else {
            verdict.altered++;
        }
    }
    journal_reader_close(reader);
    for (size_t i = 0; i < promised; i++) {
        const struct ledger_entry *entry = &ledger->items[i];
        if (entry->seen || entry->position < ledger->trimmed)
            continue;
        if (ledger_is_covered(losses, verdict.losses, entry->position))
            verdict.lost++;
        else
            verdict.missing++;
    }
    return verdict;
}

static inline bool ledger_is_good(const struct ledger_verdict *verdict)
{
    bool good = verdict->altered == 0 && verdict->disorder == 0 &&
                verdict->missing == 0 && verdict->err == ERR_NOT_FOUND;
    if (!good)
        printf("\n  altered %zu disorder %zu missing %zu lost %zu kept %zu err %s\n",
               verdict->altered, verdict->disorder, verdict->missing, verdict->lost,
               verdict->kept, err_name(verdict->err));
    return good;
}

/* After a crash, entries that did not survive are forgotten: they were not promised. */
static inline void ledger_forget_unseen(struct ledger *ledger)
{
    size_t kept = 0;
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->items[i].seen || ledger->items[i].position < ledger->trimmed)
            ledger->items[kept++] = ledger->items[i];
    ledger->count = kept;
    ledger->synced = kept;
}

#endif
