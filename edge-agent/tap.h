// SPDX-License-Identifier: Apache-2.0
/*
 * tap - tells a local program of each pack, once it is on this machine's disk.
 *
 * A display in the cab, a second recorder, a test's ledger: whoever has bound the Unix
 * datagram socket gets "ORG/DEVICE EPOCH SEQ\n" and the pack's bytes, as published
 * (docs/wire.md). It is a courtesy, not a delivery: nobody listening, or not fast enough,
 * is counted and never waited for. Belongs to the loop thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_TAP_H
#define COLDCHAIN_EDGE_AGENT_TAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tap;

/* `path` is where the other one binds, now or later. INVALID: it is too long. */
MUST_CHECK enum err tap_open(struct tap **tap, const char *path, struct err_text *why);
/* Accepts NULL. */
void tap_close(struct tap *tap);

void tap_tell(struct tap *tap, const char *org, const char *device, uint64_t epoch,
              uint64_t seq, const void *bytes, size_t len);
/* Packs that nobody took. */
uint64_t tap_missed(const struct tap *tap);

#endif
