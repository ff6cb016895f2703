// SPDX-License-Identifier: Apache-2.0
/*
 * verdicts_kept - what the verdicts need to go on after a restart, and its bytes.
 *
 * Little-endian, with a checksum over all of it: a file that was cut or that rots is
 * none. Pure.
 */
#ifndef COLDCHAIN_EDGE_AGENT_VERDICTS_KEPT_H
#define COLDCHAIN_EDGE_AGENT_VERDICTS_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "edge-agent/incidents.h"
#include "telemetry/pack.h"

/* A pack of the journal. */
struct verdicts_place {
    uint64_t epoch; /* 0: none */
    uint64_t seq;
};

struct verdicts_kept {
    bool is_boot_time;               /* times are those of a boot, not of the wall */
    char boot_id[PACK_BOOT_ID_SIZE]; /* of that boot */
    struct verdicts_place since;     /* the first pack that was judged by that time */
    struct verdicts_place judged;    /* the last one */
    struct map entities;             /* of the engine: key -> struct buf, owned */
    struct incidents list;
};

void verdicts_kept_fini(struct verdicts_kept *kept);
/* Replaces what is kept under that key; len 0: it is gone. */
void verdicts_kept_put(struct verdicts_kept *kept, const char *key, const void *data,
                       size_t len);
void verdicts_kept_forget_entities(struct verdicts_kept *kept);

void verdicts_kept_save(const struct verdicts_kept *kept, struct buf *out);
/* False, and *kept zeroed, for anything that verdicts_kept_save() does not write. */
bool verdicts_kept_load(struct verdicts_kept *kept, const void *data, size_t len);

#endif
