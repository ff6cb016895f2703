// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/notifier.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "collector/notify/channel_queue.h"
#include "collector/store/state_incidents.h"

#define ORPHANS_MAX 64 /* of channels that are no longer configured, at a time */
#define LOOK_MS     INT64_C(200)  /* never look more often */
#define LOOK_MAX_MS INT64_C(5000) /* a virtual clock may run ahead of a timer */

struct notifier {
    struct notifier_options options;
    struct channel_queue **queues;
    struct loop_timer *timer;
    int64_t since_ms; /* when this run began */
};

struct orphans {
    const struct notifier *notifier;
    uint64_t ids[ORPHANS_MAX];
    size_t count;
};

static void on_any_due(void *context, const struct state_message *message)
{
    struct orphans *orphans = context;
    const struct notifier_options *options = &orphans->notifier->options;
    for (size_t i = 0; i < options->channel_count; i++)
        if (strcmp(options->channels[i]->name, message->channel) == 0)
            return;
    if (orphans->count < ORPHANS_MAX)
        orphans->ids[orphans->count++] = message->id;
}

static enum err put_aside_orphans(struct notifier *notifier)
{
    const struct notifier_options *options = &notifier->options;
    struct orphans orphans = {.notifier = notifier};
    enum err err = state_outbox_due(options->state, clock_wall_ms(options->clock),
                                    ORPHANS_MAX, &orphans, on_any_due);
    for (size_t i = 0; err == ERR_OK && i < orphans.count; i++) {
        struct record_result result = {.message = orphans.ids[i],
                                       .outcome = STATE_OUTBOX_DEAD};
        snprintf(result.text, sizeof result.text, "the channel is no longer configured");
        options->on_result(options->context, &result);
    }
    return err;
}

/* An Alertmanager is told again even when nothing is due. */
static int64_t longest_wait(const struct notifier *notifier)
{
    int64_t wait = INT64_MAX;
    for (size_t i = 0; i < notifier->options.channel_count; i++) {
        const struct config_channel *channel = notifier->options.channels[i];
        if (channel->kind == CHANNEL_ALERTMANAGER && channel->refresh_ms < wait)
            wait = channel->refresh_ms;
    }
    return wait;
}

static enum err arm(struct notifier *notifier)
{
    int64_t due_ms;
    int64_t longest = longest_wait(notifier);
    enum err err = state_outbox_next(notifier->options.state, &due_ms);
    if (err != ERR_OK || (due_ms == INT64_MAX && longest == INT64_MAX))
        return err;
    int64_t wait = due_ms - clock_wall_ms(notifier->options.clock);
    if (wait > longest)
        wait = longest;
    if (wait < LOOK_MS)
        wait = LOOK_MS;
    loop_timer_arm(notifier->timer, wait < LOOK_MAX_MS ? wait : LOOK_MAX_MS);
    return ERR_OK;
}

enum err notifier_resume(struct notifier *notifier, struct err_text *why)
{
    struct state *state = notifier->options.state;
    enum err err = state_begin(state);
    if (err == ERR_OK)
        err = state_outbox_resume(state, notifier->since_ms);
    if (err == ERR_OK)
        err = state_commit(state);
    for (size_t i = 0; err == ERR_OK && i < notifier->options.channel_count; i++)
        channel_queue_resume(notifier->queues[i]);
    if (err == ERR_OK)
        return notifier_pump(notifier, why);
    err_set(why, err, "outbox: %s", state_why(state));
    state_rollback(state);
    return err;
}

enum err notifier_pump(struct notifier *notifier, struct err_text *why)
{
    if (notifier->timer == NULL)
        return ERR_OK;
    enum err err = put_aside_orphans(notifier);
    for (size_t i = 0; err == ERR_OK && i < notifier->options.channel_count; i++)
        err = channel_queue_pump(notifier->queues[i]);
    if (err == ERR_OK)
        err = arm(notifier);
    return err == ERR_OK
               ? err
               : err_set(why, err, "outbox: %s", state_why(notifier->options.state));
}

static void on_timer(void *context)
{
    struct err_text why;
    if (notifier_pump(context, &why) != ERR_OK)
        log_error("%s", why.text);
}

struct notifier *notifier_create(const struct notifier_options *options)
{
    assert(options->on_result != NULL && options->on_attempt != NULL);
    assert(options->applied != NULL && options->state != NULL);
    struct notifier *notifier = mem_alloc(sizeof *notifier);
    notifier->options = *options;
    notifier->since_ms = clock_wall_ms(options->clock);
    notifier->timer = loop_timer_create(options->loop, on_timer, notifier);
    notifier->queues = mem_array(options->channel_count, sizeof *notifier->queues);
    for (size_t i = 0; i < options->channel_count; i++)
        notifier->queues[i] =
            channel_queue_create(&notifier->options, options->channels[i]);
    return notifier;
}

void notifier_stop(struct notifier *notifier)
{
    if (notifier == NULL)
        return;
    for (size_t i = 0; i < notifier->options.channel_count; i++)
        channel_queue_stop(notifier->queues[i]);
    loop_timer_destroy(notifier->timer);
    notifier->timer = NULL;
}

void notifier_destroy(struct notifier *notifier)
{
    if (notifier == NULL)
        return;
    assert(notifier->timer == NULL);
    for (size_t i = 0; i < notifier->options.channel_count; i++)
        channel_queue_destroy(notifier->queues[i]);
    free(notifier->queues);
    free(notifier);
}

void notifier_delivered(struct notifier *notifier, uint64_t tag, const char *why)
{
    for (size_t i = 0; i < notifier->options.channel_count; i++)
        courier_delivered(notifier->queues[i]->courier, tag, why);
}

void notifier_channels_json(struct notifier *notifier, struct buf *out)
{
    int64_t now_ms = clock_wall_ms(notifier->options.clock);
    json_t *list = json_array();
    for (size_t i = 0; i < notifier->options.channel_count; i++)
        json_array_append_new(list, channel_queue_json(notifier->queues[i], now_ms));
    char *text = json_dumps(list, JSON_COMPACT);
    assert(text != NULL);
    buf_text(out, text);
    free(text);
    json_decref(list);
}
