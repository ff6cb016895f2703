// SPDX-License-Identifier: Apache-2.0
/*
 * uplink_core_parts - what the files of the delivery core share among themselves.
 */
#ifndef COLDCHAIN_EDGE_AGENT_UPLINK_CORE_PARTS_H
#define COLDCHAIN_EDGE_AGENT_UPLINK_CORE_PARTS_H

#include "edge-agent/uplink_core.h"

/* One step under way. */
struct agent_step {
    struct agent_core *core;
    struct agent_actions *actions;
    int64_t now_ms;
};

/* uplink_core.c */
void agent_act(const struct agent_step *step, struct agent_action action);

/* uplink_epochs.c */
struct agent_epoch *agent_find_epoch(const struct agent_core *core, uint64_t epoch);
struct agent_epoch *agent_add_epoch(struct agent_core *core, uint64_t epoch);
/* Done, moved, or lost here: nothing to send. */
bool agent_is_settled(const struct agent_epoch *epoch, uint64_t seq);
/* For all up to *last as for `seq`: whether it can be read here and nothing stands for
 * it, but for what the collector says. */
bool agent_run_is_kept(const struct agent_epoch *epoch, uint64_t seq, uint64_t *last);
/* How many of [first, last] the set holds. */
uint64_t agent_count_within(const struct seqset *set, uint64_t first, uint64_t last);

/* uplink_send.c */
void agent_publish(const struct agent_step *step, struct agent_flight *flight);
void agent_resend_due(const struct agent_step *step);
void agent_watch_silence(const struct agent_step *step);
/* When to say hello again, unless an ack comes first. */
void agent_watch_hello(const struct agent_step *step);
void agent_on_timer(const struct agent_step *step);
void agent_fill_window(const struct agent_step *step);
void agent_set_timer(const struct agent_step *step);

/* uplink_loss.c */
void agent_tell_loss(const struct agent_step *step, uint64_t epoch, uint64_t from,
                     uint64_t to);
/* The collector asks for [from, to], which are not to be sent: what is gone was moved or
 * is lost, and is said again. */
void agent_tell_again(const struct agent_step *step, const struct agent_epoch *epoch,
                      uint64_t from, uint64_t to);
void agent_on_gone(const struct agent_step *step, uint64_t epoch, uint64_t seq);
void agent_on_thinned(const struct agent_step *step, uint64_t epoch, uint64_t from,
                      uint64_t to);
void agent_on_trimmed(const struct agent_step *step, uint64_t epoch, uint64_t first);

/* uplink_ack.c */
void agent_on_ack(const struct agent_step *step, const struct agent_event *event);

#endif
