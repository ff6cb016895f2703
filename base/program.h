// SPDX-License-Identifier: Apache-2.0
/*
 * program - runs one program to its end: bounded in time and output, nothing left behind.
 *
 * No shell; a group of its own, which is killed (SIGKILL) at the end in any case, so that
 * what the program started ends with it; no descriptor of ours, stdin empty, and a small
 * environment of its own (PATH, LC_ALL and what the options add). Blocks; for threads
 * that may wait.
 */
#ifndef COLDCHAIN_BASE_PROGRAM_H
#define COLDCHAIN_BASE_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define PROGRAM_COMPLAINT_MAX 400

struct program_options {
    char *const *argv;        /* argv[0] is a path; NULL at the end */
    char *const *environment; /* "NAME=value", added; NULL at the end; NULL: nothing */
    int64_t timeout_ms;
    size_t output_max;
};

/*
 * Adds what it printed to `out`, and the beginning of what it said on stderr to
 * `complaint`. TIMEOUT; LIMIT when it printed more; NOT_FOUND or DENIED when it cannot be
 * started; IO when it ended with a status other than 0 or by a signal.
 */
MUST_CHECK enum err program_run(const struct program_options *options, struct buf *out,
                                struct buf *complaint, struct err_text *why);

#endif
