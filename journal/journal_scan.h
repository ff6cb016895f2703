// SPDX-License-Identifier: Apache-2.0
/*
 * journal_scan - looks at a journal's folder from outside, and mends it.
 *
 * Scanning takes no lock and writes nothing; beside a running daemon it may see a tail
 * that is still being written. Every frame of every segment is checked, and the chain
 * of hashes from COMMIT to COMMIT.
 */
#ifndef COLDCHAIN_JOURNAL_JOURNAL_SCAN_H
#define COLDCHAIN_JOURNAL_JOURNAL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/journal.h"

struct journal_segment_info {
    uint32_t number;
    unsigned parts;      /* files; more than one after a failed sync */
    bool header_damaged; /* of the two copies at least one */
    bool lost;           /* header gone or file missing: nothing readable */
    bool spare;          /* prepared, not used yet */
    uint64_t generation;
    uint64_t file_bytes;
    uint64_t used_bytes;
    uint64_t records; /* the user's */
    uint64_t commits;
    uint64_t chain_breaks; /* COMMITs whose hash or count does not fit what is there */
    uint64_t damaged_regions;
    uint64_t damaged_bytes;
    uint64_t tail_bytes; /* non-zero bytes behind the last frame of the last segment */
    int64_t first_wall_ms;
    int64_t last_wall_ms;
};

/* Any callback may be NULL; `record` is borrowed during the call. */
struct journal_scan_visitor {
    void *arg;
    void (*segment)(void *arg, const struct journal_segment_info *segment);
    /* All frames, BEGIN and COMMIT too, and damage as an in-place LOSS. */
    void (*record)(void *arg, const struct journal_record *record);
};

struct journal_scan_report {
    uint8_t id[JOURNAL_ID_BYTES];
    uint64_t generation;
    uint64_t first;
    uint64_t end;
    uint64_t synced_through; /* the highest that a COMMIT or BEGIN vouches for */
    size_t segments;
    size_t spares;
    uint64_t records;
    uint64_t losses_stored; /* LOSS records */
    uint64_t damaged_regions;
    uint64_t damaged_bytes;
    uint64_t chain_breaks;
    uint64_t tail_bytes;
};

/* True when nothing is wrong; a torn tail alone is not wrong. */
bool journal_scan_is_sound(const struct journal_scan_report *report);

/* ERR_NOT_FOUND when no journal is there. Damage is not a failure but a finding. */
MUST_CHECK enum err journal_scan(const char *dir, const struct journal_options *options,
                                 const struct journal_scan_visitor *visitor,
                                 struct journal_scan_report *report,
                                 struct err_text *why);

struct journal_repair_report {
    struct journal_recovery recovery;
    uint64_t losses_known;    /* damage for which a LOSS record was stored before */
    uint64_t losses_appended; /* by this call, those of the recovery included */
};

/*
 * Recovers like journal_open(), then checks every segment and appends a LOSS record for
 * damage which none covers yet. Deletes nothing. ERR_BUSY while a daemon has it open.
 */
MUST_CHECK enum err journal_repair(const char *dir, const struct journal_options *options,
                                   struct journal_repair_report *report,
                                   struct err_text *why);

#endif
