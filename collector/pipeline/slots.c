// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/slots.h"

#include <assert.h>

/* As long as its packs may take to come here before another one may begin. */
#define SLOT_MS 100

static struct collector_slot *slot_of(struct collector_core *core,
                                      const struct collector_device *device)
{
    for (size_t i = 0; i < core->slot_count; i++)
        if (core->slots[i].device == device)
            return &core->slots[i];
    return NULL;
}

static void end_slot(struct collector_core *core, struct collector_slot *slot)
{
    assert(core->slot_count > 0);
    assert(slot >= core->slots && slot < core->slots + core->slot_count);
    slot->device->slot_left = 0;
    *slot = core->slots[--core->slot_count];
}

static void end_slot_of(struct collector_core *core,
                        const struct collector_device *device)
{
    struct collector_slot *slot = slot_of(core, device);
    if (slot != NULL)
        end_slot(core, slot);
}

static void end_old_slots(struct collector_core *core, int64_t real_ms)
{
    for (size_t i = core->slot_count; i > 0; i--)
        if (core->slots[i - 1].until_ms <= real_ms)
            end_slot(core, &core->slots[i - 1]);
}

/* A device that never said hello reads no acks. */
void slots_want(struct collector_device *device)
{
    if (device->nonce[0] != '\0')
        device->wants_slot = true;
}

static bool is_behind(const struct collector_device *device)
{
    for (size_t i = 0; i < device->epoch_count; i++) {
        const struct collector_epoch *epoch = &device->epochs[i];
        const struct seqset *taken = &epoch->window.taken;
        if (taken->count > 0 || taken->through < epoch->said ||
            taken->through < epoch->gone || taken->through < epoch->last)
            return true;
    }
    return false;
}

void slots_hello(struct collector_core *core, struct collector_device *device,
                 uint64_t backlog)
{
    end_slot_of(core, device); /* of another session, or its ack was lost */
    device->wants_slot = false;
    if (backlog > 0)
        slots_want(device);
}

bool slots_is_backlog(const struct collector_epoch *epoch, uint64_t seq,
                      uint64_t highest_before)
{
    return seq <= epoch->said || seq < highest_before;
}

bool slots_took(struct collector_core *core, struct collector_device *device)
{
    bool is_used_up = device->slot_left == 1;
    if (device->slot_left > 0)
        device->slot_left--;
    if (is_used_up)
        end_slot_of(core, device);
    if (!is_behind(device)) {
        end_slot_of(core, device);
        device->wants_slot = false;
        return false;
    }
    if (is_used_up || device->unacked >= (collector_core_credits(core) + 1) / 2)
        slots_want(device);
    return true;
}

void slots_loaded(struct collector_device *device)
{
    if (is_behind(device))
        slots_want(device);
}

void slots_told(struct collector_core *core, const struct collector_device *device,
                int64_t real_ms)
{
    struct collector_slot *slot = slot_of(core, device);
    if (slot != NULL && slot->until_ms == INT64_MAX)
        slot->until_ms = real_ms + SLOT_MS;
}

void slots_drop(struct collector_core *core, const struct collector_device *device)
{
    end_slot_of(core, device);
}

uint32_t slots_credits(const struct collector_core *core,
                       const struct collector_device *device, const struct ack *ack)
{
    uint32_t credits = collector_core_credits(core);
    /* What is asked for waits for no slot. */
    for (size_t i = 0; i < ack->epoch_count; i++)
        if (ack->epochs[i].wanted_count > 0 && device->slot_left < credits)
            return credits;
    return device->slot_left;
}

bool collector_core_give_slot(struct collector_core *core,
                              struct collector_device *device, int64_t real_ms)
{
    assert(device->wants_slot && real_ms > 0);
    assert(core->slots_max <= COLLECTOR_SLOTS);
    end_old_slots(core, real_ms);
    struct collector_slot *slot = slot_of(core, device);
    if (core->is_behind || (slot == NULL && core->slot_count >= core->slots_max))
        return false;
    if (slot == NULL)
        slot = &core->slots[core->slot_count++];
    *slot = (struct collector_slot){.device = device, .until_ms = INT64_MAX};
    device->wants_slot = false;
    device->slot_left = collector_core_credits(core);
    if (device->ack_due_ms == 0 || device->ack_due_ms > real_ms)
        device->ack_due_ms = real_ms;
    return true;
}

int64_t collector_core_slot_ends_ms(const struct collector_core *core)
{
    int64_t at_ms = INT64_MAX;
    for (size_t i = 0; i < core->slot_count; i++)
        if (core->slots[i].until_ms < at_ms)
            at_ms = core->slots[i].until_ms;
    return at_ms;
}
