// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/notifier.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "collector/notify/webhook.h"
#include "collector/store/state_incidents.h"

/*
 * Asked for or handed to one channel and not come back: what a receiver that hangs costs
 * in memory. Their leases may run out while they wait for each other; they are known, and
 * not handed out twice.
 */
#define UNDER_WAY_MAX 8
#define ORPHANS_MAX   64 /* of channels that are no longer configured, at a time */
/* When no result is ever written (a crash), the attempt is repeated after so long. */
#define LEASE_MS    INT64_C(120000)
#define LOOK_MS     INT64_C(200)  /* never look more often */
#define LOOK_MAX_MS INT64_C(5000) /* a virtual clock may run ahead of a timer */

struct job {
    struct job *next;
    uint64_t id;
    uint64_t position; /* of its ATTEMPT record */
    char *key;
    char *body;
    uint32_t attempts; /* made before this one */
    int64_t created_ms;
    int64_t now_ms;
};

struct channel_thread {
    /* fixed after create */
    struct notifier *notifier;
    const struct config_webhook *webhook;
    pthread_t thread;
    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *first;
    bool is_stopping;
    /* owned by the loop */
    struct job *asked;                 /* in the order of their ATTEMPT records */
    uint64_t under_way[UNDER_WAY_MAX]; /* ids asked for or handed out, without result */
    size_t count;
};

struct notifier {
    struct notifier_options options;
    struct channel_thread *channels;
    struct loop_timer *timer;
    int64_t since_ms; /* when this run began */
};

/* A result on its way from a channel's thread to the loop. */
struct finished {
    struct channel_thread *channel;
    struct record_result result;
};

static void job_destroy(struct job *job)
{
    free(job->key);
    free(job->body);
    free(job);
}

static void forget(struct channel_thread *channel, uint64_t id)
{
    for (size_t i = 0; i < channel->count; i++) {
        if (channel->under_way[i] == id) {
            channel->under_way[i] = channel->under_way[--channel->count];
            break;
        }
    }
}

static void on_finished(void *context)
{
    struct finished *finished = context;
    struct channel_thread *channel = finished->channel;
    struct notifier *notifier = channel->notifier;
    forget(channel, finished->result.message);
    notifier->options.on_result(notifier->options.context, &finished->result);
    free(finished);
}

static void attempt(struct channel_thread *channel, struct http_client *client,
                    struct job *job)
{
    struct clock real;
    clock_init(&real);
    const struct webhook_attempt attempt = {
        .key = job->key,
        .body = job->body,
        .body_len = strlen(job->body),
        .attempts = job->attempts,
        .now_ms = job->now_ms,
        .created_ms = job->created_ms,
        .stamp_ms = clock_wall_ms(&real),
    };
    struct finished *finished = mem_alloc(sizeof *finished);
    finished->channel = channel;
    finished->result.message = job->id;
    webhook_post(channel->webhook, client, &attempt, &finished->result);
    if (finished->result.outcome != STATE_OUTBOX_DONE)
        log_warn("notification not delivered channel=%s attempt=%u: %s",
                 channel->webhook->name, job->attempts + 1, finished->result.text);
    loop_post(channel->notifier->options.loop, on_finished, finished);
}

static struct job *next_job(struct channel_thread *channel)
{
    pthread_mutex_lock(&channel->lock);
    while (channel->first == NULL && !channel->is_stopping)
        pthread_cond_wait(&channel->changed, &channel->lock);
    struct job *job = channel->is_stopping ? NULL : channel->first;
    if (job != NULL)
        channel->first = job->next;
    pthread_mutex_unlock(&channel->lock);
    return job;
}

static void *run(void *context)
{
    struct channel_thread *channel = context;
    pthread_setname_np(pthread_self(), "notify");
    struct http_client *client = http_client_create();
    for (struct job *job = next_job(channel); job != NULL; job = next_job(channel)) {
        attempt(channel, client, job);
        job_destroy(job);
    }
    http_client_destroy(client);
    return NULL;
}

static void put_last(struct job **end, struct job *job)
{
    while (*end != NULL)
        end = &(*end)->next;
    job->next = NULL;
    *end = job;
}

static void enqueue(struct channel_thread *channel, struct job *job)
{
    pthread_mutex_lock(&channel->lock);
    put_last(&channel->first, job);
    pthread_cond_signal(&channel->changed);
    pthread_mutex_unlock(&channel->lock);
}

/* ---- the loop's side -------------------------------------------------------------- */

/* What one channel is given at a time. */
struct due {
    struct channel_thread *channel;
    struct job *jobs[UNDER_WAY_MAX];
    size_t count;
};

static bool is_under_way(const struct channel_thread *channel, uint64_t id)
{
    for (size_t i = 0; i < channel->count; i++)
        if (channel->under_way[i] == id)
            return true;
    return false;
}

static void on_due(void *context, const struct state_message *message)
{
    struct due *due = context;
    struct channel_thread *channel = due->channel;
    if (channel->count + due->count >= UNDER_WAY_MAX ||
        is_under_way(channel, message->id))
        return;
    struct job *job = mem_alloc(sizeof *job);
    job->id = message->id;
    job->key = mem_strdup(message->key);
    job->body = mem_strdup(message->body);
    job->created_ms = message->created_ms;
    job->now_ms = clock_wall_ms(channel->notifier->options.clock);
    due->jobs[due->count++] = job;
}

/* Nothing is sent that is not written down first. */
static enum err ask(struct channel_thread *channel, struct job *job)
{
    const struct notifier_options *options = &channel->notifier->options;
    const struct record_attempt attempt = {.message = job->id,
                                           .retry_ms = job->now_ms + LEASE_MS};
    enum err err = options->on_attempt(options->context, &attempt, &job->position);
    if (err != ERR_OK) {
        job_destroy(job);
        return err;
    }
    channel->under_way[channel->count++] = job->id;
    put_last(&channel->asked, job);
    return ERR_OK;
}

/* Asks for what may be sent over that channel now, whatever waits for others. */
static enum err ask_for_due(struct channel_thread *channel)
{
    const struct notifier_options *options = &channel->notifier->options;
    struct due due = {.channel = channel};
    enum err err = state_outbox_ready(options->state, channel->webhook->name,
                                      clock_wall_ms(options->clock), 2 * UNDER_WAY_MAX,
                                      &due, on_due); /* those under way may be due */
    for (size_t i = 0; i < due.count; i++) {
        if (err == ERR_OK)
            err = ask(channel, due.jobs[i]);
        else
            job_destroy(due.jobs[i]);
    }
    return err;
}

struct standing {
    uint64_t id;
    uint32_t attempts;
    bool is_pending;
};

static void on_standing(void *context, const struct state_message *message)
{
    struct standing *standing = context;
    if (message->id != standing->id)
        return;
    standing->attempts = message->attempts;
    standing->is_pending = message->state == STATE_OUTBOX_PENDING;
}

/*
 * Sends what was asked for, as far as that is applied. The journal's order decides: what
 * a result in front of the attempt ended is not sent.
 */
static enum err send_applied(struct channel_thread *channel)
{
    const struct notifier_options *options = &channel->notifier->options;
    uint64_t applied = options->applied(options->context);
    enum err err = ERR_OK;
    while (err == ERR_OK && channel->asked != NULL &&
           channel->asked->position <= applied) {
        struct standing standing = {.id = channel->asked->id};
        err = state_page_messages(options->state, NULL, standing.id - 1, 1, &standing,
                                  on_standing);
        if (err != ERR_OK)
            return err;
        struct job *job = channel->asked;
        channel->asked = job->next;
        if (standing.is_pending && standing.attempts > 0) {
            job->attempts = standing.attempts - 1;
            enqueue(channel, job);
        } else {
            forget(channel, job->id);
            job_destroy(job);
        }
    }
    return err;
}

static enum err hand_out(struct channel_thread *channel)
{
    enum err err = send_applied(channel);
    return err == ERR_OK ? ask_for_due(channel) : err;
}

struct orphans {
    const struct notifier *notifier;
    uint64_t ids[ORPHANS_MAX];
    size_t count;
};

static void on_any_due(void *context, const struct state_message *message)
{
    struct orphans *orphans = context;
    const struct notifier_options *options = &orphans->notifier->options;
    for (size_t i = 0; i < options->webhook_count; i++)
        if (strcmp(options->webhooks[i].name, message->channel) == 0)
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

static enum err arm(struct notifier *notifier)
{
    int64_t due_ms;
    enum err err = state_outbox_next(notifier->options.state, &due_ms);
    if (err != ERR_OK || due_ms == INT64_MAX)
        return err;
    int64_t wait = due_ms - clock_wall_ms(notifier->options.clock);
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
    for (size_t i = 0; err == ERR_OK && i < notifier->options.webhook_count; i++)
        err = hand_out(&notifier->channels[i]);
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
    struct notifier *notifier = mem_alloc(sizeof *notifier);
    notifier->options = *options;
    notifier->since_ms = clock_wall_ms(options->clock);
    notifier->timer = loop_timer_create(options->loop, on_timer, notifier);
    notifier->channels = mem_array(options->webhook_count, sizeof *notifier->channels);
    for (size_t i = 0; i < options->webhook_count; i++) {
        struct channel_thread *channel = &notifier->channels[i];
        channel->notifier = notifier;
        channel->webhook = &options->webhooks[i];
        pthread_mutex_init(&channel->lock, NULL);
        pthread_cond_init(&channel->changed, NULL);
        if (pthread_create(&channel->thread, NULL, run, channel) != 0)
            log_fatal("no thread can be made for=%s", channel->webhook->name);
    }
    return notifier;
}

static void drop_jobs(struct job **first)
{
    while (*first != NULL) {
        struct job *job = *first;
        *first = job->next;
        job_destroy(job);
    }
}

static void channel_finish(struct channel_thread *channel)
{
    pthread_mutex_lock(&channel->lock);
    channel->is_stopping = true;
    pthread_cond_signal(&channel->changed);
    pthread_mutex_unlock(&channel->lock);
    pthread_join(channel->thread, NULL);
    drop_jobs(&channel->first);
    drop_jobs(&channel->asked);
    pthread_mutex_destroy(&channel->lock);
    pthread_cond_destroy(&channel->changed);
}

void notifier_stop(struct notifier *notifier)
{
    if (notifier == NULL)
        return;
    for (size_t i = 0; i < notifier->options.webhook_count; i++)
        channel_finish(&notifier->channels[i]);
    loop_timer_destroy(notifier->timer);
    notifier->timer = NULL;
}

void notifier_destroy(struct notifier *notifier)
{
    if (notifier == NULL)
        return;
    assert(notifier->timer == NULL);
    free(notifier->channels);
    free(notifier);
}
