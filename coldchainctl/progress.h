// SPDX-License-Identifier: Apache-2.0
/*
 * progress - how far long work is, on one line of the terminal.
 *
 * On stderr, and only when that is a terminal that is not dumb: a script sees nothing. It
 * is drawn at most PROGRESS_PER_SECOND times a second, kept to the terminal's width, and
 * gone at the end. A zeroed struct is safe to end. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_PROGRESS_H
#define COLDCHAIN_COLDCHAINCTL_PROGRESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PROGRESS_PER_SECOND 10

/* Texts are borrowed until the end. */
struct progress {
    const char *label;
    const char *unit; /* "B" is shown as KiB, MiB, ... */
    uint64_t total;   /* 0: not known */
    uint64_t done;
    int64_t begun_ms;
    int64_t drawn_ms;
    size_t columns; /* of the terminal */
    FILE *out;      /* NULL: nothing is shown */
};

void progress_begin(struct progress *progress, const char *label, const char *unit,
                    uint64_t total);
void progress_add(struct progress *progress, uint64_t done);
/* So much in all; less than before is not believed. */
void progress_set(struct progress *progress, uint64_t done);
/* Clears the line. */
void progress_end(struct progress *progress);

/* The same at a given time, and as far as progress->out and columns say. */
void progress_begin_at(struct progress *progress, int64_t now_ms);
void progress_set_at(struct progress *progress, uint64_t done, int64_t now_ms);

/* The line as it is after `ms`, without what moves the cursor: pure. */
void progress_format(const struct progress *progress, int64_t ms, char *text,
                     size_t size);

#endif
