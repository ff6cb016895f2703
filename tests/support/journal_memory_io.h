// SPDX-License-Identifier: Apache-2.0
/*
 * journal_memory_io - a disk in memory which forgets what was not synced.
 *
 * Files have a cache and a platter. Writes go to the cache; fdatasync carries them to the
 * platter; a failed one drops them as Linux does: the cache looks right, the platter
 * never gets them, and the next fdatasync succeeds. Names need an fsync of their folder.
 * A crash rebuilds everything from the platter, plus whatever else happened to be
 * written. Faults are injected by the number of the call. Not for threads.
 */
#ifndef COLDCHAIN_TESTS_SUPPORT_JOURNAL_MEMORY_IO_H
#define COLDCHAIN_TESTS_SUPPORT_JOURNAL_MEMORY_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/journal_io.h"

enum fault {
    FAULT_NONE,
    FAULT_EIO,
    FAULT_ENOSPC, /* only calls that need space */
    FAULT_EINTR,
    FAULT_UNSUPPORTED,  /* EOPNOTSUPP: a file system without fallocate */
    FAULT_SHORT,        /* reads and writes transfer half */
    FAULT_SHORT_ENOSPC, /* half, and the next write finds no space */
    FAULT_POWER,        /* this call and all that follow do nothing and fail */
    FAULT_EMFILE,       /* no descriptor is left; only calls that open */
    FAULT_COUNT,
};

/* What of the unsynced survives a crash. */
enum survival {
    SURVIVE_SYNCED, /* nothing but what was synced */
    SURVIVE_ALL,    /* everything: a killed process */
    SURVIVE_SOME,   /* any subset of sectors and names, by seed */
};

enum call {
    CALL_OPEN = 1 << 0,
    CALL_MKDIR = 1 << 1,
    CALL_RENAME = 1 << 2,
    CALL_UNLINK = 1 << 3,
    CALL_LIST = 1 << 4,
    CALL_READ = 1 << 5,
    CALL_WRITE = 1 << 6,
    CALL_SYNC = 1 << 7,
    CALL_SYNC_DIR = 1 << 8,
    CALL_TRUNCATE = 1 << 9,
    CALL_RESERVE = 1 << 10,
    CALL_SIZE = 1 << 11,
    CALL_LOCK = 1 << 12,
    CALL_CLOSE = 1 << 13,
    CALL_SEEK = 1 << 14,
    CALL_ANY = (1 << 15) - 1,
};

struct memory_disk;

struct memory_disk *memory_disk_create(void);
void memory_disk_destroy(struct memory_disk *disk);
/* A disk of its own with the same files; no open descriptors. */
struct memory_disk *memory_disk_dup(const struct memory_disk *disk);
/* Everything counts as synced at once: faster, where power cuts are not the question. */
void memory_disk_without_platter(struct memory_disk *disk);
/* Borrowed; lives as long as the disk. */
const struct journal_io *memory_disk_io(struct memory_disk *disk);

/* The `at`-th call (from 1, counted from here) of these kinds fails; sticky: all on. */
void memory_disk_fault(struct memory_disk *disk, enum fault fault, unsigned calls,
                       uint64_t at, bool sticky);
/* Besides, the power fails at the n-th call after the fault has struck. */
void memory_disk_power_after(struct memory_disk *disk, uint64_t n);
/* Called when the fault strikes, before the call fails. NULL: nothing. */
void memory_disk_on_fault(struct memory_disk *disk, void (*hook)(void *arg), void *arg);
/* From now on each such call fails so with that chance, by seed; 0 rows: none does. */
struct memory_chance {
    enum fault fault;
    unsigned calls;
    double chance;
};
#define MEMORY_CHANCES_MAX 8
void memory_disk_chances(struct memory_disk *disk, uint64_t seed,
                         const struct memory_chance *chances, size_t count);

/* What has happened to this disk since it was made. */
struct memory_tally {
    uint64_t strikes[FAULT_COUNT];
    uint64_t sync_strikes;     /* of these: of syncs, which drop what they cover */
    uint64_t read_strikes;     /* of these: EIO of reads */
    uint64_t writes_lost;      /* at crashes: nothing of the write was there */
    uint64_t writes_torn;      /* some sectors were, others not */
    uint64_t writes_reordered; /* a later write of the file was there, an earlier not */
    uint64_t names_lost;       /* a name, or that it was removed */
};
const struct memory_tally *memory_disk_tally(const struct memory_disk *disk);

/* Whether the fault has struck. */
bool memory_disk_struck(const struct memory_disk *disk);
/* All calls since the last memory_disk_fault(). */
uint64_t memory_disk_calls(const struct memory_disk *disk);
/* Of these, calls of the kinds that it named, also when it was FAULT_NONE. */
uint64_t memory_disk_matching(const struct memory_disk *disk);
/* Successful calls of these kinds since creation. */
uint64_t memory_disk_count(const struct memory_disk *disk, enum call call);
/* fdatasync on a descriptor on which it had failed before: must stay 0. */
uint64_t memory_disk_repeated_syncs(const struct memory_disk *disk);

/* From now on every call fails and does nothing: the process is as good as dead. */
void memory_disk_stop(struct memory_disk *disk);
/* Descriptors and locks are gone, faults too. */
void memory_disk_crash(struct memory_disk *disk, enum survival survival, uint64_t seed);

/* What cache and platter both hold, for damaging it; NULL when absent. */
uint8_t *memory_disk_bytes(struct memory_disk *disk, const char *path, size_t *size);
/* Both get this length. */
void memory_disk_resize(struct memory_disk *disk, const char *path, size_t size);
/* The n-th name below a folder ("j"), NULL behind the last; borrowed until a change. */
const char *memory_disk_name(const struct memory_disk *disk, const char *folder,
                             size_t n);

#endif
