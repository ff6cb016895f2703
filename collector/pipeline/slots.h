// SPDX-License-Identifier: Apache-2.0
/*
 * slots - who may send its backlog now, so that what happens now does not stand behind
 * it.
 *
 * Everything that is under way, in the broker and here, a live reading has to wait for.
 * So of the devices that have a backlog only a few have a slot at a time: each of as many
 * packs as there are credits, and the others wait in line. Whoever has had half of them
 * taken stands in line again, so that one alone never stops. A slot ends when its packs
 * are in, or after SLOT_MS: a slow link keeps what it was granted, but not the place.
 * While what was taken is not evaluated, no slot is given.
 *
 * Part of the pure core: the line itself is the shell's, by wants_slot. Nothing of it is
 * saved but what the last hello said; a slot that is lost with its ack comes again with
 * the device's next hello, which it says when it is left waiting, or, while live packs
 * are acked, with the request for the gap that they show. Correct delivery depends on
 * none of it. Belongs to one thread.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_SLOTS_H
#define COLDCHAIN_COLLECTOR_PIPELINE_SLOTS_H

#include "collector/pipeline/collector_core.h"

/* The device said hello; it has that many packs that it knows no ack of. */
void slots_hello(struct collector_core *core, struct collector_device *device,
                 uint64_t backlog);
/* The pack was taken: it is of the backlog when it was closed before the hello, or lies
 * below what came before it. */
bool slots_is_backlog(const struct collector_epoch *epoch, uint64_t seq,
                      uint64_t highest_before);
/* After such a one; false when it was the last. */
bool slots_took(struct collector_core *core, struct collector_device *device);
/* A gap has just come: what is missing may be more than the hello told. */
void slots_want(struct collector_device *device);
/* It was read back. */
void slots_loaded(struct collector_device *device);
/* The ack that tells of its slot went out. */
void slots_told(struct collector_core *core, const struct collector_device *device,
                int64_t real_ms);
/* It is no more. */
void slots_drop(struct collector_core *core, const struct collector_device *device);
/* Packs of its backlog that it may have under way. */
uint32_t slots_credits(const struct collector_core *core,
                       const struct collector_device *device, const struct ack *ack);

#endif
