// SPDX-License-Identifier: Apache-2.0
/*
 * journal_record - what a record of a journal is, in a word and a line.
 *
 * Records carry a type but not whose they are: the collector's and an agent's begin with
 * the same number. A MESSAGE of the collector names its topic, a pack of an agent its
 * epoch and seq; what fits neither is shown as bytes. Pure.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_JOURNAL_RECORD_H
#define COLDCHAIN_COLDCHAINCTL_JOURNAL_RECORD_H

#include <jansson.h>

#include "base/buf.h"
#include "journal/journal.h"

/* "message", "start", "pack", "marks", "loss", "commit", ...: static. */
const char *journal_record_kind(const struct journal_record *record);
/* Adds what it says, in one line of UTF-8 without control characters. */
void journal_record_line(const struct journal_record *record, struct buf *out);
/* position, kind, wall, boot_ms, size, and what it says as members; the caller owns it.
 */
json_t *journal_record_json(const struct journal_record *record);

#endif
