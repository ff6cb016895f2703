// SPDX-License-Identifier: Apache-2.0
/*
 * packer - readings in, the final bytes of packs out.
 *
 * Decides when a pack is to be closed: by count, by age, and at once when a channel
 * leaves its band, comes back into it, or fails. The bytes are made once and are the same
 * on every resend: SenML JSON, deflated where that is smaller. Pure; one thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_PACKER_H
#define COLDCHAIN_EDGE_AGENT_PACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "telemetry/pack.h"

/* One channel of this device. */
struct packer_channel {
    char name[ID_SIZE];
    bool has_band;
    double low;
    double high;
    bool is_known; /* a reading has come */
    bool is_out;   /* the last one was out of band, or bad */
};

struct packer {
    struct packer_channel *channels;
    size_t channel_count;
    size_t channel_capacity;
    size_t readings_max;
    int64_t interval_ms;
    struct pack pack;
    int64_t opened_ms; /* of the clock that never steps */
    bool is_urgent;    /* something changed for better or worse */
    bool has_breach;   /* readings out of band, or bad */
    struct buf text;
};

/* What a pack is called and when it was closed. */
struct packer_label {
    const char *device;
    uint64_t epoch;
    uint64_t seq;
    uint64_t previous_hash;
    enum pack_clock clock;
    const char *boot_id;
    int64_t boot_ms;
    int64_t wall_ms;
};

void packer_init(struct packer *packer, size_t readings_max, int64_t interval_ms);
void packer_fini(struct packer *packer);
/* Returns the channel's index; infinite bounds are open. */
size_t packer_add_channel(struct packer *packer, const char *name, bool has_band,
                          double low, double high);
/* From the next reading on. */
void packer_set_band(struct packer *packer, size_t channel, bool has_band, double low,
                     double high);

/* Takes a reading of that channel (its own `channel` is ignored). The pack has room. */
void packer_take(struct packer *packer, size_t channel, struct reading reading,
                 int64_t real_ms);
size_t packer_count(const struct packer *packer);
/* Full, urgent, or old enough. */
bool packer_is_due(const struct packer *packer, int64_t real_ms);
/* When it will be old enough; 0 when it is empty. */
int64_t packer_due_ms(const struct packer *packer);

/* Appends the bytes of the readings taken, under that label; they stay. */
void packer_build(struct packer *packer, const struct packer_label *label,
                  struct buf *bytes);
/* Begins anew: what was built is safe. */
void packer_reset(struct packer *packer);

/* The bytes of any pack: JSON, or deflated JSON where that is smaller. */
void packer_format(struct packer *packer, const struct pack *pack, struct buf *bytes);
/* The other way, through `text`, which is kept for its memory; as pack_parse(). */
MUST_CHECK enum err packer_parse(struct pack *pack, struct buf *text, const void *bytes,
                                 size_t len, int64_t now_ms);
/* Names a pack; the kind and what belongs to it stay. */
void packer_name(struct pack *pack, const struct packer_label *label);
/* First 8 bytes of the BLAKE2b digest, as the next pack carries them. */
uint64_t packer_hash(const void *bytes, size_t len);

#endif
