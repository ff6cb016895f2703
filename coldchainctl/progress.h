// SPDX-License-Identifier: Apache-2.0
/*
 * progress - how far long work is, on one line of the terminal.
 *
 * On stderr, and only when that is a terminal: a script sees nothing. A zeroed struct is
 * safe to end. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_PROGRESS_H
#define COLDCHAIN_COLDCHAINCTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    const char *label;
    const char *unit; /* "B" is shown as KiB, MiB, ... */
    uint64_t total;   /* 0: not known */
    uint64_t done;
    int64_t begun_ms;
    int64_t drawn_ms;
    bool is_shown;
};

void progress_begin(struct progress *progress, const char *label, const char *unit,
                    uint64_t total);
void progress_add(struct progress *progress, uint64_t done);
/* Clears the line. */
void progress_end(struct progress *progress);

/* The line as it is after `ms`, without what moves the cursor: pure. */
void progress_format(const struct progress *progress, int64_t ms, char *text,
                     size_t size);

#endif
