// SPDX-License-Identifier: Apache-2.0
/*
 * pack - the readings an agent closes together: one journal record, one seq, one message.
 *
 * A pack travels as SenML JSON (RFC 8428). What SenML has no word for travels as extra
 * labels of the first record, which other readers of SenML ignore (docs/wire.md). The
 * name of a pack is (device, epoch, seq); it stands in the topic and again in the pack.
 * Pure; time is a parameter.
 */
#ifndef COLDCHAIN_TELEMETRY_PACK_H
#define COLDCHAIN_TELEMETRY_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "telemetry/channel.h"
#include "telemetry/reading.h"

/* Inflated size of a pack; what is larger is quarantined. */
#define PACK_BYTES_MAX    (1u << 20)
#define PACK_READINGS_MAX 20000
#define PACK_CHANNELS_MAX 256
#define PACK_BOOT_ID_SIZE 17

/* The years 1 to 9999. */
#define PACK_TIME_MIN INT64_C(-62135596800000)
#define PACK_TIME_MAX INT64_C(253402300799999)

/* Name of the one record that packs other than DATA have for other readers of SenML. */
#define PACK_CONTROL_NAME "pack"

#define PACK_KIND_LIST(X) \
    X(DATA, "data") \
    X(LOSS, "loss")           /* seqs that the agent no longer has, and why */ \
    X(THINNED, "thinned")     /* in-range backlog was thinned for space */ \
    X(EPOCH_END, "epoch-end") /* an earlier epoch of this device ended at a seq */ \
    X(CLOCK_FIX, "clock-fix") /* how to date a boot's records by boot time */

enum pack_kind {
#define X(name, text) PACK_##name,
    PACK_KIND_LIST(X)
#undef X
};

/* The state of the agent's clock when it closed the pack. */
#define PACK_CLOCK_LIST(X) \
    X(UNSET, "unset") \
    X(STEPPED, "stepped") \
    X(SYNCED, "synced")

enum pack_clock {
#define X(name, text) PACK_CLOCK_##name,
    PACK_CLOCK_LIST(X)
#undef X
};

struct pack {
    enum pack_kind kind;
    char device[ID_SIZE];
    uint64_t epoch;
    uint64_t seq;
    uint64_t previous_hash; /* of the bytes of seq - 1; 0 for the first of an epoch */
    enum pack_clock clock;
    char boot_id[PACK_BOOT_ID_SIZE]; /* 16 hex digits; empty when unknown */
    int64_t boot_ms;                 /* boot time when the pack was closed */
    int64_t wall_ms;                 /* wall time when the pack was closed */

    /* DATA; also THINNED, which carries what it kept */
    struct channel *channels;
    size_t channel_count;
    size_t channel_capacity;
    struct reading *readings;
    size_t reading_count;
    size_t reading_capacity;

    /* LOSS, THINNED: seqs [from, to], of the epoch `ended` when it is not this pack's
     * own (0); EPOCH_END: `ended` ended at `to` */
    uint64_t ended;
    uint64_t from;
    uint64_t to;
    char reason[ID_SIZE];
    /* CLOCK_FIX: wall time = boot time + offset, for records of fixed_boot_id */
    char fixed_boot_id[PACK_BOOT_ID_SIZE];
    int64_t offset_ms;
};

/* A zeroed struct is an empty pack. */
void pack_fini(struct pack *pack);
/* Empties the pack but keeps its memory, so that one struct serves a stream. */
void pack_clear(struct pack *pack);

#define PACK_REASON_FORK   "fork"   /* another device goes by that epoch */
#define PACK_REASON_CLOSED "closed" /* somebody else called that seq lost */
#define PACK_REASON_MOVED  "moved"  /* it stands in another pack, which is there */
/* A THINNED pack that thinned nothing: a whole one, under a new name. */
bool pack_is_rescued(const struct pack *pack);
/* The same, and `ended` is known to be forked. */
bool pack_tells_fork(const struct pack *pack);

/* A reading's time when its clock should have shown so much more; the time as it is when
 * that is beyond all years. */
int64_t pack_shifted_ms(int64_t time_ms, int64_t shift_ms);

/* Index of the channel of that name, added when it is new. INVALID or LIMIT. */
MUST_CHECK enum err pack_channel(struct pack *pack, const char *name, uint16_t *index);
/*
 * Appends the reading. INVALID when its channel, quality or time does not exist, or when
 * it is GOOD and not a finite number; LIMIT past PACK_READINGS_MAX. The value of a
 * reading that is not GOOD becomes NaN.
 */
MUST_CHECK enum err pack_add(struct pack *pack, const struct reading *reading);

/*
 * Appends the pack as SenML JSON text. Values round-trip exactly, times to the ms, also
 * those of a clock that was never set. Readings of one channel keep their order. Device,
 * epoch and seq are set, or none of them.
 */
void pack_format(const struct pack *pack, struct buf *out);

/*
 * Reads SenML JSON or, when its first byte is 0x80-0x9f, SenML CBOR (already inflated).
 * Packs of other makers carry no labels of ours: then device is empty, seq is 0 and
 * kind is DATA. Relative times are resolved against the pack's own closing time (cc-at)
 * or, without one, now_ms. Readings come in order of time; equal times keep the order of
 * the pack. On failure (INVALID, LIMIT, UNSUPPORTED) `why` says what is wrong and the
 * pack is empty.
 *
 * Booleans become 0 and 1; units change to that of the registry, or to the primary unit
 * for an unregistered quantity; text that is not the name of a quality, and data, become
 * a reading of quality FAULT; a record that holds only a sum is passed over.
 */
MUST_CHECK enum err pack_parse(struct pack *pack, const void *data, size_t len,
                               int64_t now_ms, struct err_text *why);

#endif
