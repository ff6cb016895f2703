// SPDX-License-Identifier: Apache-2.0
/* The collector: its journal, its checkpoints, its older copy. */
#include <stdlib.h>

#include "base/mem.h"
#include "tests/sim/world.h"

/* What is taken along is looked up in the history, by channel, time and value. */
static void store(struct world *world, size_t place)
{
    struct record *record = &world->collector.journal[place];
    if (record->body.kind == PACK_CLOCK_FIX)
        record->is_stored = true;
    if (record->is_stored || record->body.reading == 0)
        return;
    struct truth *truth = &world->readings[record->body.reading];
    record->is_stored = true;
    record->is_known = record->body.is_rescued && truth->stored > 0;
    truth->stored += !record->is_known;
}

static void give_turn(struct world *world, size_t place)
{
    struct record *record = &world->collector.journal[place];
    if (record->had_turn)
        return; /* read again after a crash: effects are behind the cursor */
    record->had_turn = true;
    if (record->body.reading == 0)
        return;
    struct truth *truth = &world->readings[record->body.reading];
    truth->heard++;
    if (record->is_known)
        return;
    if (!truth->is_promised)
        swarm_broke(world->life, "only-what-is-synced-is-sent", "reading %u",
                    record->body.reading);
    truth->turns++;
}

static void release(struct world *world, unsigned device)
{
    struct collector_device *delivery = &world->collector.devices[device];
    struct collector_epoch *turns[COLLECTOR_EPOCHS_MAX];
    struct collector_held next;
    while (collector_core_turns(delivery, turns) > 0)
        while (collector_core_next(delivery, turns[0], &next))
            give_turn(world, next.position - 1);
    for (size_t i = 0; i < delivery->epoch_count; i++)
        if (collector_core_next(delivery, &delivery->epochs[i], &next))
            give_turn(world, next.position - 1);
}

static void carry_out(struct world *world, size_t place,
                      const struct collector_action *action)
{
    const struct record *record = &world->collector.journal[place];
    switch (action->kind) {
    case COLLECTOR_ACCEPT:
        store(world, place);
        give_turn(world, place);
        break;
    case COLLECTOR_HOLD:
        store(world, place);
        break;
    case COLLECTOR_RELEASE:
        release(world, record->device);
        break;
    case COLLECTOR_FORK:
        swarm_say(world->life, "%lld: fork of epoch %llx seen at seq %llu",
                  (long long)world->now_ms, (unsigned long long)action->epoch,
                  (unsigned long long)action->seq);
        break;
    case COLLECTOR_REJECT:
    case COLLECTOR_DROP:
    case COLLECTOR_REFUSE:
    case COLLECTOR_ORDER_NEW_EPOCH:
    case COLLECTOR_LOSS:
    case COLLECTOR_TWINS:
    case COLLECTOR_REGRESSED:
    case COLLECTOR_ACK_AT:
        break;
    }
}

static void feed_record(struct world *world, size_t place)
{
    struct collector *collector = &world->collector;
    const struct record *record = &collector->journal[place];
    const struct collector_pack pack = {
        .epoch = record->epoch,
        .seq = record->seq,
        .hash = record->body.hash,
        .position = place + 1,
        .is_readable = true,
        .is_live = true,
        .previous_hash = record->body.previous_hash,
        .kind = record->body.kind,
        .ended = record->body.ended,
        .from = record->body.from,
        .to = record->body.to,
        .tells_fork = record->body.tells_fork,
    };
    const struct collector_event event = {
        .kind = record->kind == TO_HELLO   ? COLLECTOR_HELLO
                : record->kind == GIVEN_UP ? COLLECTOR_GIVE_UP
                                           : COLLECTOR_PACK,
        .epoch = record->epoch,
        .real_ms = world->now_ms,
        .wall_ms = record->wall_ms,
        .hello = record->hello,
        .pack = &pack,
    };
    struct collector_actions actions = {.count = 0};
    collector_core_step(&collector->core, &collector->devices[record->device], &event,
                        &actions);
    for (size_t i = 0; i < actions.count; i++)
        carry_out(world, place, &actions.list[i]);
}

void collector_advance(struct world *world)
{
    struct collector *collector = &world->collector;
    while (collector->fed < collector->synced)
        feed_record(world, collector->fed++);
}

static void append(struct world *world, struct record record)
{
    struct collector *collector = &world->collector;
    mem_grow(&collector->journal, &collector->capacity, collector->count + 1,
             sizeof *collector->journal);
    record.wall_ms = world->now_ms + world->wall_offset_ms;
    collector->journal[collector->count++] = record;
    if (collector->sync_ms == 0)
        collector->sync_ms = world->now_ms + SYNC_MS;
}

void collector_give_up(struct world *world, unsigned device, uint64_t epoch)
{
    append(world, (struct record){.kind = GIVEN_UP, .device = device, .epoch = epoch});
}

void collector_takes(struct world *world, const struct flying *flying)
{
    append(world, (struct record){
                      .kind = flying->kind,
                      .device = flying->device,
                      .epoch = flying->epoch,
                      .seq = flying->seq,
                      .body = flying->body,
                      .hello = flying->kind == TO_HELLO
                                   ? mem_dup(&flying->hello, sizeof flying->hello)
                                   : NULL,
                  });
}

static void note_asked(struct world *world, const struct ack *ack)
{
    for (size_t i = 0; i < ack->epoch_count; i++)
        if (ack->epochs[i].wanted_count > 0)
            world_count(world, KIND_ASKED_FOR_A_GAP);
}

void collector_send_ack(struct world *world, unsigned device)
{
    struct collector *collector = &world->collector;
    for (int i = network_doubles(world) ? 2 : 1; i > 0; i--) {
        struct flying *flying = message_make(TO_ACK, device);
        collector_core_ack(&collector->core, &collector->devices[device], world->now_ms,
                           &flying->ack);
        note_asked(world, &flying->ack);
        network_launch(world, flying);
    }
    const struct collector_event sent = {.kind = COLLECTOR_ACK_SENT,
                                         .real_ms = world->now_ms};
    struct collector_actions actions = {.count = 0};
    collector_core_step(&collector->core, &collector->devices[device], &sent, &actions);
}

bool collector_has_line(const struct collector *collector)
{
    for (unsigned i = 0; i < DEVICES; i++)
        if (collector->devices[i].wants_slot)
            return true;
    return false;
}

/* In no order that anybody could rely on. */
void collector_give_slots(struct world *world)
{
    struct collector *collector = &world->collector;
    collector->core.is_behind = collector->fed < collector->synced;
    unsigned first = (unsigned)(world->now_ms % DEVICES);
    for (unsigned i = 0; i < DEVICES; i++) {
        struct collector_device *device = &collector->devices[(first + i) % DEVICES];
        if (device->wants_slot &&
            !collector_core_give_slot(&collector->core, device, world->now_ms))
            world_count(world, KIND_SLOT_WAITED);
    }
}

bool collector_ack_is_due(const struct world *world, unsigned device)
{
    const struct collector_device *at = &world->collector.devices[device];
    return at->ack_due_ms != 0 && at->ack_due_ms <= world->now_ms;
}

void collector_checkpoint(struct collector *collector)
{
    for (size_t i = 0; i < DEVICES; i++) {
        buf_clear(&collector->saved[i]);
        collector_device_save(&collector->devices[i], &collector->saved[i]);
    }
    collector->checkpoint = collector->fed;
}

static void forget_devices(struct collector *collector)
{
    for (size_t i = 0; i < DEVICES; i++) {
        collector_device_fini(&collector->core, &collector->devices[i]);
        collector->devices[i] = (struct collector_device){0};
    }
}

/* Another generation at every start. */
void collector_start(struct world *world)
{
    struct collector *collector = &world->collector;
    collector_core_init(&collector->core, "store", rng_hash(7, ++collector->starts),
                        INTERVAL_MS, 8);
    for (size_t i = 0; i < DEVICES; i++) {
        if (collector->saved[i].len == 0)
            continue;
        struct buf_reader in =
            buf_reader_of(collector->saved[i].data, collector->saved[i].len);
        if (collector_device_load(&collector->core, &collector->devices[i], &in) !=
            ERR_OK)
            swarm_broke(world->life, "state-is-read-back", "it is not");
    }
    collector->fed = collector->checkpoint;
    collector->synced = collector->count; /* recovery syncs what it found */
    collector->sync_ms = 0;
    collector->is_up = true;
    collector->start_ms = 0;
}

static void drop_records(struct collector *collector, size_t kept)
{
    while (collector->count > kept)
        free(collector->journal[--collector->count].hello);
}

void collector_stop(struct world *world, bool is_power)
{
    struct collector *collector = &world->collector;
    if (collector->is_up && collector->fed < collector->synced)
        world_count(world, KIND_CRASH_WHILE_READING_AGAIN);
    forget_devices(collector);
    if (is_power)
        drop_records(collector, collector->synced);
    collector->is_up = false;
    collector->start_ms = world->now_ms + 1 + (int64_t)world_draw(world, 60000);
}

static void copy_saved(struct buf to[DEVICES], const struct buf from[DEVICES])
{
    for (size_t i = 0; i < DEVICES; i++) {
        buf_clear(&to[i]);
        buf_add(&to[i], from[i].data, from[i].len);
    }
}

void collector_back_up(struct collector *collector)
{
    copy_saved(collector->backup, collector->saved);
    collector->backup_checkpoint = collector->checkpoint;
    collector->backup_count = collector->synced;
    collector->has_backup = true;
}

/* What came after the copy never was, in this collector and in its stores. */
void collector_restore(struct world *world)
{
    struct collector *collector = &world->collector;
    if (!collector->has_backup)
        return;
    collector_stop(world, true);
    for (size_t i = collector->backup_count; i < collector->count; i++) {
        const struct record *record = &collector->journal[i];
        struct truth *truth = &world->readings[record->body.reading];
        if (record->body.reading == 0)
            continue;
        truth->heard -= record->had_turn;
        if (record->is_known)
            continue;
        truth->stored -= record->is_stored;
        truth->turns -= record->had_turn;
    }
    drop_records(collector, collector->backup_count);
    copy_saved(collector->saved, collector->backup);
    collector->checkpoint = collector->backup_checkpoint;
    world_count(world, KIND_RESTORED);
}

void collector_fini(struct collector *collector)
{
    forget_devices(collector);
    drop_records(collector, 0);
    free(collector->journal);
    for (size_t i = 0; i < DEVICES; i++) {
        buf_fini(&collector->saved[i]);
        buf_fini(&collector->backup[i]);
    }
}
