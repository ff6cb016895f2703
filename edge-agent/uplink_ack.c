// SPDX-License-Identifier: Apache-2.0
/* uplink_ack - what an ack means, and which acks mean nothing. */
#include "edge-agent/uplink_core_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool in_ranges(const struct seq_range *ranges, size_t count, uint64_t seq)
{
    for (size_t i = 0; i < count; i++)
        if (seq >= ranges[i].first && seq <= ranges[i].last)
            return true;
    return false;
}

static bool ack_covers(const struct ack *ack, uint64_t epoch, uint64_t seq)
{
    for (size_t i = 0; i < ack->epoch_count; i++) {
        const struct ack_epoch *said = &ack->epochs[i];
        if (said->epoch == epoch &&
            (seq <= said->through || in_ranges(said->ranges, said->range_count, seq) ||
             in_ranges(said->rejected, said->rejected_count, seq)))
            return true;
    }
    return false;
}

/* An ack cannot name what was never closed: it would hide later packs. */
static void take_range(struct agent_epoch *held, uint64_t first, uint64_t last)
{
    if (first < 1)
        first = 1;
    if (last > held->last)
        last = held->last;
    if (first > last)
        return;
    assert(first >= 1 && last <= held->last);
    enum err err = seqset_add_range(&held->done, first, last);
    if (err != ERR_OK && err != ERR_EXISTS) {
        /* LIMIT: too torn to remember; the collector says it again as it closes up. */
    }
}

/* Everything held is to be sent again, unless the ack at hand names it. */
static void forget_done(const struct agent_core *core, struct agent_epoch *held)
{
    seqset_fini(&held->done);
    held->done = (struct seqset){0};
    held->next = held->first;
    if (core->is_answered) {
        /* In the middle of a session: what was live has been sent, and is lost too. */
        held->live_from = held->last + 1;
        held->live_next = held->live_from;
    }
}

/* Both known, and of different packs. */
static bool differ(uint64_t said, uint64_t own)
{
    return said != 0 && own != 0 && said != own;
}

/*
 * The collector says so, or it has what was never closed here, or another body where we
 * have one: whatever it names may be another device's.
 */
static bool is_forked(const struct agent_epoch *held, const struct ack_epoch *said,
                      const struct agent_own *own)
{
    bool is_forked =
        said->end_epoch || said->through > held->last || differ(said->hash, own->mark);
    for (size_t i = 0; i < said->seam_count; i++)
        is_forked |= differ(said->seams[i].hash, own->seams[i]);
    return is_forked;
}

/* Those of [from, to] that are here and not proved to be there. */
static void take_along(const struct agent_step *step, const struct agent_epoch *held,
                       uint64_t from, uint64_t to, bool is_fork)
{
    uint64_t last = 0;
    from = from > held->first ? from : held->first;
    to = to < held->last ? to : held->last;
    for (uint64_t seq = from; seq <= to && seq > last; seq = last + 1) {
        uint64_t proved_last;
        bool is_kept = agent_run_is_kept(held, seq, &last);
        bool is_proved = seqset_run(&held->proved, seq, &proved_last);
        last = proved_last < last ? proved_last : last;
        last = last < to ? last : to;
        if (is_kept && !is_proved)
            agent_act(step, (struct agent_action){.kind = AGENT_TAKE_ALONG,
                                                  .epoch = held->epoch,
                                                  .from = seq,
                                                  .to = last,
                                                  .is_fork = is_fork});
    }
}

/* The highest of these ranges up to `through`; 0 when there is none. */
static uint64_t highest_below(const struct seq_range *ranges, size_t count,
                              uint64_t through)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t last = ranges[i].last < through ? ranges[i].last : through;
        if (ranges[i].first <= through && last > highest)
            highest = last;
    }
    return highest;
}

/* Each pack holds the hash of the one before it: `seq` proves all behind it, down to the
 * first that the collector has no pack of, or could not read. */
static void prove_from(struct agent_epoch *held, const struct ack_epoch *said,
                       uint64_t seq)
{
    uint64_t closed = highest_below(said->closed, said->closed_count, seq);
    uint64_t unread = highest_below(said->rejected, said->rejected_count, seq);
    uint64_t from = closed + 1 > unread ? closed + 1 : unread;
    enum err err = seqset_add_range(&held->proved, from, seq);
    if (err != ERR_OK && err != ERR_EXISTS) {
        /* LIMIT, or it is closed: proved by a later one, or taken along. */
    }
}

static void note_proved(struct agent_epoch *held, const struct ack_epoch *said,
                        const struct agent_own *own)
{
    if (said->hash != 0 && said->hash == own->mark)
        prove_from(held, said, said->through);
    for (size_t i = 0; i < said->seam_count; i++)
        if (said->seams[i].hash == own->seams[i] && said->seams[i].seq <= said->through)
            prove_from(held, said, said->seams[i].seq);
}

static void take_proved(struct agent_epoch *held)
{
    uint64_t last = 0;
    for (uint64_t seq = 1; seq <= held->last && seq > last; seq = last + 1)
        if (seqset_run(&held->proved, seq, &last))
            take_range(held, seq, last);
}

/* No name in it is believed, whoever's it is by now: only what is proved. */
static void leave_epoch(const struct agent_step *step, struct agent_epoch *held)
{
    struct agent_core *core = step->core;
    bool is_current = held == &core->epochs[core->epoch_count - 1];
    if (is_current && held->is_left)
        return; /* ordered, and there was no room for it */
    held->is_left = true;
    if (is_current) {
        core->counts.forks++;
        agent_act(step,
                  (struct agent_action){.kind = AGENT_NEW_EPOCH, .epoch = held->epoch});
    }
    take_along(step, held, held->first, held->last, true);
    forget_done(core, held);
    take_proved(held);
}

/* Those of [first, last] that the collector has a pack of. */
static void take_named(struct agent_epoch *held, const struct ack_epoch *said,
                       uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last && seq <= held->last;) {
        const struct seq_range *next = NULL; /* the lowest closed one from here on */
        for (size_t i = 0; i < said->closed_count; i++)
            if (said->closed[i].last >= seq &&
                (next == NULL || said->closed[i].first < next->first))
                next = &said->closed[i];
        uint64_t to = next != NULL && next->first <= last ? next->first - 1 : last;
        if (to >= seq)
            take_range(held, seq, to);
        if (next == NULL || next->first > last || next->last == UINT64_MAX)
            return;
        seq = next->last + 1;
    }
}

static void take_epoch(const struct agent_step *step, struct agent_epoch *held,
                       const struct ack_epoch *said, bool is_base)
{
    assert(held->epoch == said->epoch);
    struct agent_counts *counts = &step->core->counts;
    uint64_t before = held->done.through;
    if (is_base)
        forget_done(step->core, held);
    take_proved(held);
    take_named(held, said, 1, said->through);
    counts->rewinds += held->done.through < before;
    for (size_t i = 0; i < said->range_count; i++)
        take_named(held, said, said->ranges[i].first, said->ranges[i].last);
    for (size_t i = 0; i < said->rejected_count; i++) {
        uint64_t known = agent_count_within(&held->done, said->rejected[i].first,
                                            said->rejected[i].last);
        take_range(held, said->rejected[i].first, said->rejected[i].last);
        counts->rejected += agent_count_within(&held->done, said->rejected[i].first,
                                               said->rejected[i].last) -
                            known;
    }
    held->is_heard = true;
}

/*
 * The collector has seen later seqs and misses these. An epoch that is not known here may
 * be that of another device under this name, which holds it: only its own device may call
 * it lost.
 */
static void take_wanted(const struct agent_step *step, const struct ack_epoch *said,
                        struct seq_range wanted)
{
    struct agent_core *core = step->core;
    const struct agent_epoch *held = agent_find_epoch(core, said->epoch);
    if (held == NULL)
        return;
    if (wanted.last > held->last)
        wanted.last = held->last;
    if (wanted.first < 1 || wanted.first > wanted.last)
        return;
    agent_tell_again(step, held, wanted.first, wanted.last);
    if (wanted.first < held->first)
        wanted.first = held->first;
    if (wanted.first > wanted.last)
        return;
    if (core->wanted_count < AGENT_WANTED_MAX)
        core->wanted[core->wanted_count++] = (struct agent_range){said->epoch, wanted};
    for (size_t i = 0; i < core->flight_count; i++) {
        struct agent_flight *flight = &core->flights[i];
        bool is_asked = flight->epoch == said->epoch && flight->seq >= wanted.first &&
                        flight->seq <= wanted.last;
        if (is_asked && step->now_ms - flight->sent_ms >= core->ack_interval_ms)
            agent_publish(step, flight);
    }
}

/* Of a forked epoch nothing is sent; what is gone is told all the same. */
static void tell_wanted(const struct agent_step *step, const struct agent_epoch *held,
                        const struct ack_epoch *said)
{
    for (size_t i = 0; i < said->wanted_count; i++) {
        struct seq_range wanted = said->wanted[i];
        wanted.last = wanted.last < held->last ? wanted.last : held->last;
        if (wanted.first >= 1 && wanted.first <= wanted.last)
            agent_tell_again(step, held, wanted.first, wanted.last);
    }
}

static void land_flights(struct agent_core *core, const struct ack *ack)
{
    size_t kept = 0;
    for (size_t i = 0; i < core->flight_count; i++)
        if (!ack_covers(ack, core->flights[i].epoch, core->flights[i].seq))
            core->flights[kept++] = core->flights[i];
    core->flight_count = kept;
}

static void take_terms(struct agent_core *core, const struct ack *ack)
{
    core->credits = ack->credits;
    core->backlog_credits = ack->backlog_credits;
    core->ack_interval_ms = ack->ack_interval_ms;
    if (core->ack_interval_ms < AGENT_ACK_INTERVAL_MIN_MS)
        core->ack_interval_ms = AGENT_ACK_INTERVAL_MIN_MS;
    if (core->ack_interval_ms > AGENT_ACK_INTERVAL_MAX_MS)
        core->ack_interval_ms = AGENT_ACK_INTERVAL_MAX_MS;
}

/* Another store, or the same after a restore: what it does not name, it does not have. */
static void meet_collector(struct agent_core *core, const struct ack *ack)
{
    bool is_same =
        strcmp(core->store, ack->store) == 0 && core->generation == ack->generation;
    if (is_same)
        return;
    bool is_first = core->store[0] == '\0';
    if (!is_first && core->is_answered && core->left_count < AGENT_LEFT_MAX)
        core->left[core->left_count++] = core->generation;
    memcpy(core->store, ack->store, sizeof core->store);
    core->generation = ack->generation;
    core->told_count = 0; /* it may be one that heard nothing of them */
    for (size_t i = 0; i < core->epoch_count; i++) {
        struct agent_epoch *epoch = &core->epochs[i];
        epoch->is_heard = false;
        epoch->is_left = false;
        /* It may be an older copy, which took another device's packs since: what was
         * proved of its last life, this ack proves anew, or nobody does. */
        if (!is_first) {
            seqset_fini(&epoch->proved);
            epoch->proved = (struct seqset){0};
        }
        bool is_named = false;
        for (size_t j = 0; j < ack->epoch_count; j++)
            is_named |= ack->epochs[j].epoch == epoch->epoch;
        if (is_named || is_first)
            continue;
        core->counts.rewinds += epoch->done.through > 0;
        forget_done(core, epoch);
    }
}

/* Nobody listened for a while: what is not sent by now is no news any more, and goes
 * with the rest when there is a slot for it. */
static void make_backlog(struct agent_core *core)
{
    for (size_t i = 0; i < core->epoch_count; i++) {
        core->epochs[i].live_from = core->epochs[i].last + 1;
        core->epochs[i].live_next = core->epochs[i].live_from;
    }
}

static void end_silence(const struct agent_step *step)
{
    struct agent_core *core = step->core;
    bool was_probing = core->is_probing;
    core->is_answered = true;
    core->is_probing = false;
    core->silent_count = 0;
    core->silent_due_ms = 0;
    core->hello_due_ms = 0;
    /* Also while it waits for a slot, of which an ack that was lost may have told. */
    if (core->flight_count > 0 || core->credits == 0 || agent_core_backlog(core) > 0)
        agent_watch_silence(step);
    if (!was_probing)
        return;
    make_backlog(core);
    /* What hung behind the probe has waited long enough. */
    agent_resend_due(step);
}

static bool was_left(const struct agent_core *core, uint64_t generation)
{
    for (size_t i = 0; i < core->left_count; i++)
        if (core->left[i] == generation)
            return generation != core->generation;
    return false;
}

/*
 * It was overtaken by one of a later life of the collector. Unless it was the other that
 * came late: then this life goes on answering, and nobody else does.
 */
static bool is_late(struct agent_core *core, const struct ack *ack)
{
    bool is_late = was_left(core, ack->generation);
    bool goes_on = is_late && core->late_generation == ack->generation;
    core->late_count = goes_on ? core->late_count + 1 : is_late;
    core->late_generation = is_late ? ack->generation : 0;
    if (core->late_count < AGENT_LATE_MAX || !core->is_probing)
        return is_late;
    core->left_count = 0;
    core->late_count = 0;
    return false;
}

static void take_epochs(const struct agent_step *step, const struct agent_event *event)
{
    static const struct agent_own none = {0};
    const struct ack *ack = event->ack;
    for (size_t i = 0; i < ack->epoch_count; i++) {
        const struct ack_epoch *said = &ack->epochs[i];
        struct agent_epoch *held = agent_find_epoch(step->core, said->epoch);
        const struct agent_own *own = event->own != NULL ? &event->own[i] : &none;
        if (held != NULL)
            note_proved(held, said, own);
        if (held != NULL && is_forked(held, said, own)) {
            leave_epoch(step, held);
            tell_wanted(step, held, said);
            continue;
        }
        if (held != NULL) {
            take_epoch(step, held, said, !held->is_heard);
            /* Somebody called these lost, and here they are. */
            for (size_t j = 0; j < said->closed_count; j++)
                take_along(step, held, said->closed[j].first, said->closed[j].last,
                           false);
        }
        for (size_t j = 0; j < said->wanted_count; j++)
            take_wanted(step, said, said->wanted[j]);
    }
}

void agent_on_ack(const struct agent_step *step, const struct agent_event *event)
{
    struct agent_core *core = step->core;
    const struct ack *ack = event->ack;
    if (event->is_retained || !core->is_connected ||
        strcmp(ack->nonce, core->nonce) != 0 || is_late(core, ack)) {
        core->counts.acks_ignored++;
        return;
    }
    core->counts.acks++;
    take_terms(core, ack);
    meet_collector(core, ack);
    land_flights(core, ack);
    core->wanted_count = 0;
    take_epochs(step, event);
    end_silence(step);
    agent_act(step, (struct agent_action){.kind = AGENT_SAVE_MARKS});
}
