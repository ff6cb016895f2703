// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/uplink_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "edge-agent/uplink_core_parts.h"

void agent_actions_fini(struct agent_actions *actions)
{
    free(actions->list);
    *actions = (struct agent_actions){0};
}

void agent_act(const struct agent_step *step, struct agent_action action)
{
    struct agent_actions *actions = step->actions;
    mem_grow(&actions->list, &actions->capacity, actions->count + 1,
             sizeof *actions->list);
    actions->list[actions->count++] = action;
}

void agent_core_init(struct agent_core *core, uint64_t seed)
{
    *core = (struct agent_core){
        .credits = AGENT_CREDITS_DEFAULT,
        .ack_interval_ms = AGENT_ACK_INTERVAL_MS,
        .rng = {.state = seed},
    };
}

void agent_core_fini(struct agent_core *core)
{
    for (size_t i = 0; i < core->epoch_count; i++) {
        seqset_fini(&core->epochs[i].done);
        seqset_fini(&core->epochs[i].gone);
        seqset_fini(&core->epochs[i].moved);
        seqset_fini(&core->epochs[i].proved);
    }
    free(core->epochs);
    *core = (struct agent_core){0};
}

static void on_connected(const struct agent_step *step, const char *nonce)
{
    struct agent_core *core = step->core;
    assert(strlen(nonce) < sizeof core->nonce);
    core->is_connected = true;
    core->is_answered = false;
    core->is_probing = false;
    memset(core->nonce, 0, sizeof core->nonce);
    memcpy(core->nonce, nonce, strlen(nonce));
    core->credits = AGENT_CREDITS_DEFAULT;
    core->backlog_credits = 0;
    core->ack_interval_ms = AGENT_ACK_INTERVAL_MS;
    core->flight_count = 0;
    core->wanted_count = 0;
    core->urgent_count = 0;
    core->told_count = 0;
    core->left_count = 0;
    core->silent_count = 0;
    core->patient_until_ms = 0;
    for (size_t i = 0; i < core->epoch_count; i++) {
        struct agent_epoch *epoch = &core->epochs[i];
        epoch->is_heard = false;
        epoch->is_left = false;
        epoch->next = epoch->first;
        epoch->live_from = epoch->last + 1;
        epoch->live_next = epoch->live_from;
    }
    core->hello_count = 0;
    if (agent_core_backlog(core) > 0)
        core->patient_until_ms = step->now_ms + AGENT_PATIENCE_MS;
    agent_watch_silence(step);
    agent_watch_hello(step);
    agent_act(step, (struct agent_action){.kind = AGENT_PUBLISH_HELLO});
}

static void on_lost(struct agent_core *core)
{
    core->is_connected = false;
    core->is_probing = false;
    core->flight_count = 0;
    core->silent_due_ms = 0;
    core->hello_due_ms = 0;
}

static void on_synced(struct agent_core *core, const struct agent_event *event)
{
    assert(core->urgent_count <= AGENT_URGENT_MAX);
    struct agent_epoch *epoch = agent_find_epoch(core, event->epoch);
    if (epoch == NULL)
        epoch = agent_add_epoch(core, event->epoch);
    assert(event->seq == epoch->last + 1);
    assert(epoch == &core->epochs[core->epoch_count - 1]);
    epoch->last = event->seq;
    if (event->is_urgent && core->is_connected && core->urgent_count < AGENT_URGENT_MAX)
        core->urgent[core->urgent_count++] =
            (struct agent_range){event->epoch, {event->seq, event->seq}};
}

void agent_core_step(struct agent_core *core, const struct agent_event *event,
                     struct agent_actions *actions)
{
    struct agent_step step = {.core = core, .actions = actions, .now_ms = event->now_ms};
    assert(event->now_ms > 0);
    actions->count = 0;
    switch (event->kind) {
    case AGENT_PACK_SYNCED:
        on_synced(core, event);
        break;
    case AGENT_PACK_GONE:
        agent_on_gone(&step, event->epoch, event->seq);
        break;
    case AGENT_THINNED:
        agent_on_thinned(&step, event->epoch, event->seq, event->to);
        break;
    case AGENT_TRIMMED:
        agent_on_trimmed(&step, event->epoch, event->seq);
        break;
    case AGENT_CONNECTED:
        on_connected(&step, event->nonce);
        break;
    case AGENT_LOST:
        on_lost(core);
        break;
    case AGENT_ACK:
        agent_on_ack(&step, event);
        break;
    case AGENT_TIMER:
        agent_on_timer(&step);
        break;
    }
    agent_fill_window(&step);
    agent_set_timer(&step);
}
