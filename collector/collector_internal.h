// SPDX-License-Identifier: Apache-2.0
/*
 * collector_internal - what the files of the collector's wiring share: its struct, and
 * what is called back. Nobody else includes it. Threads: the loop, unless said.
 */
#ifndef COLDCHAIN_COLLECTOR_COLLECTOR_INTERNAL_H
#define COLDCHAIN_COLLECTOR_COLLECTOR_INTERNAL_H

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/notify.h"
#include "collector/api/api.h"
#include "collector/api/feed.h"
#include "collector/backup.h"
#include "collector/command/change.h"
#include "collector/guard.h"
#include "collector/intake/committer.h"
#include "collector/intake/intake.h"
#include "collector/metrics.h"
#include "collector/notify/channel.h"
#include "collector/notify/heartbeat.h"
#include "collector/notify/notifier.h"
#include "collector/pipeline/acks.h"
#include "collector/pipeline/beat.h"
#include "collector/pipeline/configs.h"
#include "collector/pipeline/pipeline.h"
#include "collector/record.h"
#include "collector/replies/desk.h"
#include "collector/replies/telegram.h"
#include "collector/store/history_follower.h"
#include "collector/store/influx.h"
#include "collector/store/state.h"
#include "collector/store/state_audit.h"
#include "collector/store/state_entities.h"
#include "collector/store/upgrade.h"
#include "journal/journal.h"

struct collector {
    /* fixed after open */
    const struct settings *settings;
    const struct clock *clock;
    struct loop *loop;
    struct guard *guard;
    struct state *state;
    struct journal *journal;
    struct acks *acks;
    struct configs *configs;
    struct pipeline *pipeline;
    struct committer *committer;
    struct follower *history;
    struct influx *influx;
    struct notifier *notifier;
    const struct config_channel **receivers; /* and the heartbeat's when there is one */
    size_t receiver_count;
    struct config_channel beat;
    struct heartbeat *heartbeat;
    struct intake *intake;
    struct api *api;
    struct loop_timer *tick;
    struct loop_timer *ack_timer;
    struct loop_timer *checkpoint;
    struct loop_timer *news;
    struct notify_watchdog *watchdog;
    const char **channels;
    struct roster_channel *roster_channels;
    struct roster *roster;
    struct ack_links links;
    struct reply_desk *desk;
    struct telegram **bots; /* whose answers are fetched */
    size_t bot_count;
    struct backup *backup;
    char *history_dir;
    char *state_path;

    /* shared */
    atomic_bool advance_is_posted;
    atomic_int room; /* enum err of the last look for spare segments */

    /* owned by the loop */
    bool is_caught_up;
    int64_t caught_up_boot_ms;
    bool is_behind;   /* the last batch did not reach the end of what was synced */
    bool news_is_due; /* the timer is armed */
    int64_t news_ms;  /* until then */
    enum err err;
    struct err_text why;
};

/* collector.c: the turn of the pipeline, and timers */
void collector_fail(struct collector *collector, enum err err,
                    const struct err_text *why);
enum err collector_append(struct collector *collector, enum record_type type,
                          const void *data, size_t len, uint64_t *position);
void collector_append_or_fail(struct collector *collector, enum record_type type,
                              const void *data, size_t len);
void collector_on_synced(void *context);
void collector_on_sync_failed(void *context);
void collector_on_room(void *context, enum err err);
void collector_pump(struct collector *collector);
void collector_on_effects(void *context);
void collector_on_command(void *context, const char *id, enum err err, const char *text,
                          const char *result);
enum err collector_write_state(void *context, api_change_fn *change, void *argument);
void collector_on_tick(void *context);
void collector_on_ack_timer(void *context);
void collector_on_checkpoint(void *context);

/* collector_live.c: what others are told. The follower of InfluxDB asks evaluated(), too;
 * on_attempt() and on_result() come from the notifier; the API's threads ask the rest. */
void collector_tell_all(void *context);
void collector_on_news(void *context, bool is_urgent);
void collector_on_news_timer(void *context);
uint64_t collector_evaluated(void *context);
enum err collector_on_attempt(void *context, const struct record_attempt *attempt,
                              uint64_t *position);
void collector_on_result(void *context, const struct record_result *result);
char *collector_on_address(void *context, const struct state_message *message);
enum err collector_on_publish(void *context, const char *topic, const void *data,
                              size_t len, uint64_t tag);
void collector_on_delivered(void *context, uint64_t tag, const char *why);
bool collector_send_ack(void *context, const char *topic, const void *data, size_t len);
bool collector_send_config(void *context, const char *topic, const void *data,
                           size_t len);
void collector_on_broker(void *context, bool session_present);
void collector_live(void *context, enum api_live what, const char *subject,
                    struct buf *out);
enum err collector_submit(void *context, const char *json, size_t len);
enum err collector_ready(void *context, struct err_text *why);
enum err collector_publish(void *context, const char *topic, const void *data,
                           size_t len);

/* collector_open.c */
void collector_start_timers(struct collector *collector);
enum err collector_open_all(struct collector *collector, struct err_text *why);

/* With each tick: incidents that were acknowledged and forgotten come back. */
void collector_remind(struct collector *collector);

#endif
