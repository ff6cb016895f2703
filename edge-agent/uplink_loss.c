// SPDX-License-Identifier: Apache-2.0
/* uplink_loss - packs that cannot be sent any more: said, and never passed over. */
#include "edge-agent/uplink_core_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void note_told(struct agent_core *core, uint64_t epoch, uint64_t from, uint64_t to)
{
    /* Full: forget the oldest, whose answer is the likeliest to have arrived. */
    if (core->told_count == AGENT_TOLD_MAX)
        memmove(core->told, core->told + 1, --core->told_count * sizeof *core->told);
    core->told[core->told_count++] = (struct agent_range){epoch, {from, to}};
}

/* Orders a pack of that kind, unless one was ordered that is still held. */
static void tell(const struct agent_step *step, enum agent_action_kind kind,
                 uint64_t epoch, uint64_t from, uint64_t to)
{
    struct agent_core *core = step->core;
    assert(from >= 1 && from <= to);
    for (size_t i = 0; i < core->told_count; i++)
        if (core->told[i].epoch == epoch && core->told[i].seqs.first <= from &&
            core->told[i].seqs.last >= to)
            return;
    note_told(core, epoch, from, to);
    agent_act(step, (struct agent_action){
                        .kind = kind, .epoch = epoch, .from = from, .to = to});
}

void agent_tell_loss(const struct agent_step *step, uint64_t epoch, uint64_t from,
                     uint64_t to)
{
    tell(step, AGENT_WRITE_LOSS, epoch, from, to);
}

void agent_tell_again(const struct agent_step *step, const struct agent_epoch *epoch,
                      uint64_t from, uint64_t to)
{
    uint64_t last = 0;
    for (uint64_t seq = from; seq <= to && seq > last; seq = last + 1) {
        uint64_t kept_last;
        bool is_kept = agent_run_is_kept(epoch, seq, &kept_last);
        bool is_moved = seqset_run(&epoch->moved, seq, &last);
        last = kept_last < last ? kept_last : last;
        last = last < to ? last : to;
        if (seq < epoch->first && last >= epoch->first)
            last = epoch->first - 1;
        if (is_moved)
            tell(step, AGENT_WRITE_MOVED, epoch->epoch, seq, last);
        else if (!is_kept || seq < epoch->first)
            tell(step, AGENT_WRITE_LOSS, epoch->epoch, seq, last);
    }
}

static void forget_flights(struct agent_core *core, uint64_t epoch, uint64_t below)
{
    size_t kept = 0;
    for (size_t i = 0; i < core->flight_count; i++)
        if (core->flights[i].epoch != epoch || core->flights[i].seq >= below)
            core->flights[kept++] = core->flights[i];
    core->flight_count = kept;
}

void agent_on_gone(const struct agent_step *step, uint64_t epoch, uint64_t seq)
{
    struct agent_core *core = step->core;
    struct agent_epoch *held = agent_find_epoch(core, epoch);
    if (held == NULL)
        return;
    if (seqset_add(&held->gone, seq) == ERR_LIMIT) {
        /* So torn a journal: it is tried, and found unreadable, each time it is due. */
    }
    for (size_t i = 0; i < core->flight_count; i++) {
        if (core->flights[i].epoch == epoch && core->flights[i].seq == seq) {
            core->flights[i] = core->flights[--core->flight_count];
            break;
        }
    }
    agent_tell_loss(step, epoch, seq, seq);
}

void agent_on_thinned(const struct agent_step *step, uint64_t epoch, uint64_t from,
                      uint64_t to)
{
    struct agent_epoch *held = agent_find_epoch(step->core, epoch);
    if (held == NULL)
        return;
    struct agent_core *core = step->core;
    size_t kept = 0;
    for (size_t i = 0; i < core->flight_count; i++)
        if (core->flights[i].epoch != epoch || core->flights[i].seq < from ||
            core->flights[i].seq > to)
            core->flights[kept++] = core->flights[i];
    core->flight_count = kept;
    enum err err = seqset_add_range(&held->moved, from, to);
    if (err != ERR_OK && err != ERR_EXISTS) {
        /* LIMIT: trimming tells these as a loss, and the thinned pack closes it. */
    }
    note_told(core, epoch, from, to);
    agent_act(step, (struct agent_action){.kind = AGENT_SAVE_MARKS});
}

void agent_on_trimmed(const struct agent_step *step, uint64_t epoch, uint64_t first)
{
    struct agent_core *core = step->core;
    struct agent_epoch *held = agent_find_epoch(core, epoch);
    if (held == NULL || first <= held->first)
        return;
    uint64_t from = held->first;
    held->first = first;
    forget_flights(core, epoch, first);
    core->told_count = 0; /* packs that told a loss may be gone with these */
    uint64_t lost_from = 0;
    for (uint64_t seq = from; seq < first && seq <= held->last; seq++) {
        bool lost = !agent_is_settled(held, seq);
        if (lost && lost_from == 0)
            lost_from = seq;
        if (!lost && lost_from != 0) {
            agent_tell_loss(step, epoch, lost_from, seq - 1);
            lost_from = 0;
        }
    }
    if (lost_from != 0)
        agent_tell_loss(step, epoch, lost_from,
                        (first <= held->last ? first : held->last + 1) - 1);
}
