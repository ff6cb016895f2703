// SPDX-License-Identifier: Apache-2.0
/* uplink_send - what to send next, and when to send it again. */
#include "edge-agent/uplink_core_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int64_t timeout_ms(struct agent_core *core, uint32_t attempts)
{
    int64_t wait_ms = 3 * core->ack_interval_ms;
    for (uint32_t i = 0; i < attempts && wait_ms < AGENT_TIMEOUT_MAX_MS; i++)
        wait_ms *= 2;
    if (wait_ms > AGENT_TIMEOUT_MAX_MS &&
        AGENT_TIMEOUT_MAX_MS >= 3 * core->ack_interval_ms)
        wait_ms = AGENT_TIMEOUT_MAX_MS;
    return wait_ms + (int64_t)(rng_uniform(&core->rng) * (double)wait_ms / 2);
}

static struct agent_flight *find_flight(struct agent_core *core, uint64_t epoch,
                                        uint64_t seq)
{
    for (size_t i = 0; i < core->flight_count; i++)
        if (core->flights[i].seq == seq && core->flights[i].epoch == epoch)
            return &core->flights[i];
    return NULL;
}

void agent_watch_silence(const struct agent_step *step)
{
    struct agent_core *core = step->core;
    core->silent_due_ms = step->now_ms + timeout_ms(core, core->silent_count);
}

void agent_watch_hello(const struct agent_step *step)
{
    struct agent_core *core = step->core;
    core->hello_due_ms = 0;
    if (core->hello_count >= AGENT_HELLO_AGAIN_MAX)
        return;
    int64_t wait_ms = AGENT_HELLO_AGAIN_MS * (INT64_C(1) << core->hello_count);
    core->hello_due_ms =
        step->now_ms + wait_ms + (int64_t)(rng_uniform(&core->rng) * (double)wait_ms / 2);
}

/* It was published while the collector had no subscription, or the broker lost it. */
static void say_hello_again(const struct agent_step *step)
{
    assert(step->core->is_connected);
    step->core->hello_count++;
    agent_watch_hello(step);
    agent_act(step, (struct agent_action){.kind = AGENT_PUBLISH_HELLO});
}

void agent_publish(const struct agent_step *step, struct agent_flight *flight)
{
    struct agent_core *core = step->core;
    assert(core->is_connected && flight->seq >= 1);
    flight->sent_ms = step->now_ms;
    flight->due_ms = step->now_ms + timeout_ms(core, flight->attempts);
    core->counts.published++;
    core->counts.resent += flight->attempts > 0;
    flight->attempts++;
    agent_act(step, (struct agent_action){.kind = AGENT_PUBLISH,
                                          .epoch = flight->epoch,
                                          .seq = flight->seq,
                                          .is_live = flight->is_live});
}

static void send_pack(const struct agent_step *step, uint64_t epoch, uint64_t seq,
                      bool is_live)
{
    struct agent_core *core = step->core;
    assert(core->flight_count < AGENT_WINDOW_MAX);
    assert(find_flight(core, epoch, seq) == NULL);
    if (core->flight_count == 0 && core->silent_due_ms == 0)
        agent_watch_silence(step);
    struct agent_flight *flight = &core->flights[core->flight_count++];
    *flight = (struct agent_flight){.epoch = epoch, .seq = seq, .is_live = is_live};
    agent_publish(step, flight);
}

static bool is_sendable(struct agent_core *core, const struct agent_epoch *epoch,
                        uint64_t seq)
{
    return seq >= epoch->first && seq <= epoch->last && !epoch->is_left &&
           !agent_is_settled(epoch, seq) && find_flight(core, epoch->epoch, seq) == NULL;
}

/* Takes the lowest seq of the range that may be sent; false when it holds none. */
static bool take_of_range(struct agent_core *core, struct agent_range *range,
                          bool even_done, uint64_t *seq)
{
    const struct agent_epoch *epoch = agent_find_epoch(core, range->epoch);
    if (epoch == NULL)
        return false;
    while (range->seqs.first <= range->seqs.last) {
        *seq = range->seqs.first++;
        bool wanted_again = even_done && *seq >= epoch->first && *seq <= epoch->last &&
                            !seqset_has(&epoch->gone, *seq) &&
                            !seqset_has(&epoch->moved, *seq) &&
                            find_flight(core, epoch->epoch, *seq) == NULL;
        if (wanted_again || is_sendable(core, epoch, *seq))
            return true;
    }
    return false;
}

static bool take_of_queue(struct agent_core *core, struct agent_range *queue,
                          size_t *count, bool even_done, struct agent_range *taken)
{
    while (*count > 0) {
        uint64_t seq;
        if (take_of_range(core, &queue[0], even_done, &seq)) {
            *taken = (struct agent_range){queue[0].epoch, {seq, seq}};
            return true;
        }
        memmove(queue, queue + 1, --*count * sizeof *queue);
    }
    return false;
}

static bool take_live(struct agent_core *core, struct agent_range *taken)
{
    for (size_t i = 0; i < core->epoch_count; i++) {
        struct agent_epoch *epoch = &core->epochs[i];
        while (epoch->live_next <= epoch->last) {
            uint64_t seq = epoch->live_next++;
            if (is_sendable(core, epoch, seq)) {
                *taken = (struct agent_range){epoch->epoch, {seq, seq}};
                return true;
            }
        }
    }
    return false;
}

static bool take_backlog(struct agent_core *core, struct agent_range *taken)
{
    for (size_t i = 0; i < core->epoch_count; i++) {
        struct agent_epoch *epoch = &core->epochs[i];
        if (epoch->next <= epoch->done.through)
            epoch->next = epoch->done.through + 1;
        while (epoch->next <= epoch->last && epoch->next < epoch->live_from) {
            uint64_t seq = epoch->next++;
            if (is_sendable(core, epoch, seq)) {
                *taken = (struct agent_range){epoch->epoch, {seq, seq}};
                return true;
            }
        }
    }
    return false;
}

static bool take_first(struct agent_core *core, struct agent_range *taken)
{
    return take_of_queue(core, core->urgent, &core->urgent_count, false, taken) ||
           take_live(core, taken);
}

static bool take_later(struct agent_core *core, struct agent_range *taken)
{
    return take_of_queue(core, core->wanted, &core->wanted_count, true, taken) ||
           take_backlog(core, taken);
}

static size_t window_of(uint32_t credits)
{
    return credits < AGENT_WINDOW_MAX / 2 ? credits : AGENT_WINDOW_MAX / 2;
}

static size_t flying(const struct agent_core *core, bool is_live)
{
    size_t count = 0;
    for (size_t i = 0; i < core->flight_count; i++)
        count += core->flights[i].is_live == is_live;
    return count;
}

/* Packs closed before the session that are still to be looked at. */
static uint64_t behind(const struct agent_core *core)
{
    uint64_t count = 0;
    for (size_t i = 0; i < core->epoch_count; i++) {
        const struct agent_epoch *epoch = &core->epochs[i];
        uint64_t done = epoch->done.through;
        uint64_t next = epoch->next > done ? epoch->next : done + 1;
        if (next < epoch->live_from)
            count += epoch->live_from - next;
    }
    return count;
}

static void fill_live(const struct agent_step *step)
{
    struct agent_core *core = step->core;
    struct agent_range next;
    size_t window = window_of(core->credits);
    for (size_t count = flying(core, true); count < window && take_first(core, &next);
         count++)
        send_pack(step, next.epoch, next.seqs.first, true);
}

static void fill_backlog(const struct agent_step *step)
{
    struct agent_core *core = step->core;
    struct agent_range next;
    size_t window = window_of(core->backlog_credits);
    for (size_t count = flying(core, false); count < window && take_later(core, &next);
         count++)
        send_pack(step, next.epoch, next.seqs.first, false);
}

/*
 * What is live has credits of its own and never waits for the backlog, which has as many
 * as the collector can do with from all. A short one goes first all the same, so that no
 * gap is seen. What was closed before the session may have arrived: the answer to hello
 * says, and nothing of it goes before.
 */
void agent_fill_window(const struct agent_step *step)
{
    struct agent_core *core = step->core;
    if (!core->is_connected || core->is_probing)
        return;
    bool is_short = core->is_answered && behind(core) <= window_of(core->backlog_credits);
    if (is_short)
        fill_backlog(step);
    if (core->is_answered || step->now_ms >= core->patient_until_ms)
        fill_live(step);
    if (core->is_answered && !is_short)
        fill_backlog(step);
}

static struct agent_flight *oldest_flight(struct agent_core *core)
{
    struct agent_flight *oldest = NULL;
    for (size_t i = 0; i < core->flight_count; i++)
        if (oldest == NULL || core->flights[i].sent_ms < oldest->sent_ms)
            oldest = &core->flights[i];
    return oldest;
}

/* The lowest pack that is not settled, of the oldest epoch; false when all are. */
static bool lowest_open(struct agent_core *core, struct agent_range *found)
{
    for (size_t i = 0; i < core->epoch_count; i++) {
        const struct agent_epoch *epoch = &core->epochs[i];
        uint64_t seq = epoch->done.through + 1;
        if (seq < epoch->first)
            seq = epoch->first;
        for (; seq <= epoch->last; seq++) {
            if (!agent_is_settled(epoch, seq)) {
                *found = (struct agent_range){epoch->epoch, {seq, seq}};
                return true;
            }
        }
    }
    return false;
}

/* Nobody answers: ask again, with one pack, and less and less often. */
static void probe(const struct agent_step *step)
{
    struct agent_core *core = step->core;
    assert(core->is_connected && core->silent_due_ms <= step->now_ms);
    core->is_probing = true;
    core->silent_count++;
    agent_watch_silence(step);
    agent_act(step, (struct agent_action){.kind = AGENT_PUBLISH_HELLO});
    struct agent_flight *flight = oldest_flight(core);
    struct agent_range open;
    if (flight != NULL)
        agent_publish(step, flight);
    else if (lowest_open(core, &open))
        send_pack(step, open.epoch, open.seqs.first, false);
}

void agent_resend_due(const struct agent_step *step)
{
    struct agent_core *core = step->core;
    for (size_t i = 0; i < core->flight_count; i++)
        if (core->flights[i].due_ms <= step->now_ms)
            agent_publish(step, &core->flights[i]);
}

void agent_on_timer(const struct agent_step *step)
{
    struct agent_core *core = step->core;
    core->timer_ms = 0;
    if (!core->is_connected)
        return;
    if (core->hello_due_ms != 0 && core->hello_due_ms <= step->now_ms)
        say_hello_again(step);
    if (core->silent_due_ms != 0 && core->silent_due_ms <= step->now_ms)
        probe(step);
    else if (!core->is_probing)
        agent_resend_due(step);
}

/* One timer serves silence and single packs. */
void agent_set_timer(const struct agent_step *step)
{
    struct agent_core *core = step->core;
    int64_t at_ms = 0;
    if (core->is_connected) {
        at_ms = core->silent_due_ms;
        if (core->hello_due_ms != 0 && (at_ms == 0 || core->hello_due_ms < at_ms))
            at_ms = core->hello_due_ms;
        if (!core->is_answered && step->now_ms < core->patient_until_ms &&
            core->patient_until_ms < at_ms)
            at_ms = core->patient_until_ms;
        for (size_t i = 0; i < core->flight_count && !core->is_probing; i++)
            if (at_ms == 0 || core->flights[i].due_ms < at_ms)
                at_ms = core->flights[i].due_ms;
    }
    if (at_ms == core->timer_ms)
        return;
    core->timer_ms = at_ms;
    agent_act(step, (struct agent_action){.kind = AGENT_SET_TIMER, .at_ms = at_ms});
}
