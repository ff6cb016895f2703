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

#define DUE_AT_ONCE 64
/* When no result is ever written (a crash), the attempt is repeated after so long. */
#define LEASE_MS    INT64_C(120000)
#define LOOK_MS     INT64_C(200)  /* never look more often */
#define LOOK_MAX_MS INT64_C(5000) /* a virtual clock may run ahead of a timer */

struct job {
    struct job *next;
    uint64_t id;
    char *key;
    char *body;
    uint32_t attempts;
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
};

struct notifier {
    struct notifier_options options;
    struct channel_thread *channels;
    struct loop_timer *timer;
    /* ids handed out whose result has not come back; owned by the loop */
    uint64_t *under_way;
    size_t count;
    size_t capacity;
};

/* A result on its way from a channel's thread to the loop. */
struct finished {
    struct notifier *notifier;
    struct record_result result;
};

static void job_destroy(struct job *job)
{
    free(job->key);
    free(job->body);
    free(job);
}

static void on_finished(void *context)
{
    struct finished *finished = context;
    struct notifier *notifier = finished->notifier;
    for (size_t i = 0; i < notifier->count; i++) {
        if (notifier->under_way[i] == finished->result.message) {
            notifier->under_way[i] = notifier->under_way[--notifier->count];
            break;
        }
    }
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
    finished->notifier = channel->notifier;
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

static void enqueue(struct channel_thread *channel, struct job *job)
{
    pthread_mutex_lock(&channel->lock);
    struct job **end = &channel->first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = job;
    pthread_cond_signal(&channel->changed);
    pthread_mutex_unlock(&channel->lock);
}

/* ---- the loop's side -------------------------------------------------------------- */

struct due {
    struct notifier *notifier;
    struct due_entry {
        struct job *job;
        struct channel_thread *channel; /* NULL: the channel is no longer configured */
        char incident[ALERT_ID_SIZE];
        char name[ID_SIZE];
    } entries[DUE_AT_ONCE];
    size_t count;
};

static bool is_under_way(const struct notifier *notifier, uint64_t id)
{
    for (size_t i = 0; i < notifier->count; i++)
        if (notifier->under_way[i] == id)
            return true;
    return false;
}

static struct channel_thread *channel_named(struct notifier *notifier, const char *name)
{
    for (size_t i = 0; i < notifier->options.webhook_count; i++)
        if (strcmp(notifier->options.webhooks[i].name, name) == 0)
            return &notifier->channels[i];
    return NULL;
}

static void on_due(void *context, const struct state_message *message)
{
    struct due *due = context;
    if (due->count >= DUE_AT_ONCE || is_under_way(due->notifier, message->id))
        return;
    struct due_entry *entry = &due->entries[due->count++];
    entry->channel = channel_named(due->notifier, message->channel);
    snprintf(entry->incident, sizeof entry->incident, "%s", message->incident);
    snprintf(entry->name, sizeof entry->name, "%s", message->channel);
    entry->job = mem_alloc(sizeof *entry->job);
    entry->job->id = message->id;
    entry->job->key = mem_strdup(message->key);
    entry->job->body = mem_strdup(message->body);
    entry->job->attempts = message->attempts;
    entry->job->created_ms = message->created_ms;
    entry->job->now_ms = clock_wall_ms(due->notifier->options.clock);
}

struct earlier {
    uint64_t id;
    const char *channel;
    bool is_pending;
};

static void on_sibling(void *context, const struct state_message *message)
{
    struct earlier *earlier = context;
    if (message->id < earlier->id && message->state == STATE_OUTBOX_PENDING &&
        strcmp(message->channel, earlier->channel) == 0)
        earlier->is_pending = true;
}

/* A closing does not overtake its opening on the same channel. */
static bool has_earlier(struct notifier *notifier, const struct due_entry *entry)
{
    struct earlier earlier = {.id = entry->job->id, .channel = entry->name};
    if (state_page_messages(notifier->options.state, entry->incident, 0, DUE_AT_ONCE,
                            &earlier, on_sibling) != ERR_OK)
        return true;
    return earlier.is_pending;
}

static void put_aside_dead(struct notifier *notifier, const struct due_entry *entry)
{
    struct record_result result = {.message = entry->job->id,
                                   .outcome = STATE_OUTBOX_DEAD};
    snprintf(result.text, sizeof result.text, "the channel is no longer configured");
    notifier->options.on_result(notifier->options.context, &result);
}

/* Written down before it is made. */
static enum err hand_out(struct notifier *notifier, struct due *due)
{
    struct state *state = notifier->options.state;
    int64_t now_ms = clock_wall_ms(notifier->options.clock);
    enum err err = state_begin(state);
    for (size_t i = 0; err == ERR_OK && i < due->count; i++)
        err = state_outbox_attempt(state, due->entries[i].job->id, now_ms,
                                   now_ms + LEASE_MS);
    if (err == ERR_OK)
        err = state_commit(state);
    if (err != ERR_OK) {
        state_rollback(state);
        return err;
    }
    for (size_t i = 0; i < due->count; i++) {
        mem_grow(&notifier->under_way, &notifier->capacity, notifier->count + 1,
                 sizeof *notifier->under_way);
        notifier->under_way[notifier->count++] = due->entries[i].job->id;
        enqueue(due->entries[i].channel, due->entries[i].job);
    }
    return ERR_OK;
}

/* Leaves in `due` what may be sent now. */
static void sift(struct notifier *notifier, struct due *due)
{
    size_t kept = 0;
    for (size_t i = 0; i < due->count; i++) {
        struct due_entry *entry = &due->entries[i];
        if (entry->channel == NULL)
            put_aside_dead(notifier, entry);
        if (entry->channel == NULL || has_earlier(notifier, entry))
            job_destroy(entry->job);
        else
            due->entries[kept++] = *entry;
    }
    due->count = kept;
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

enum err notifier_pump(struct notifier *notifier, struct err_text *why)
{
    struct state *state = notifier->options.state;
    struct due due = {.notifier = notifier};
    enum err err = state_outbox_due(state, clock_wall_ms(notifier->options.clock),
                                    DUE_AT_ONCE, &due, on_due);
    sift(notifier, &due);
    if (err == ERR_OK && due.count > 0)
        err = hand_out(notifier, &due);
    if (err == ERR_OK)
        err = arm(notifier);
    return err == ERR_OK ? err : err_set(why, err, "outbox: %s", state_why(state));
}

static void on_timer(void *context)
{
    struct err_text why;
    if (notifier_pump(context, &why) != ERR_OK)
        log_error("%s", why.text);
}

struct notifier *notifier_create(const struct notifier_options *options)
{
    assert(options->on_result != NULL);
    struct notifier *notifier = mem_alloc(sizeof *notifier);
    notifier->options = *options;
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

static void channel_finish(struct channel_thread *channel)
{
    pthread_mutex_lock(&channel->lock);
    channel->is_stopping = true;
    pthread_cond_signal(&channel->changed);
    pthread_mutex_unlock(&channel->lock);
    pthread_join(channel->thread, NULL);
    while (channel->first != NULL) {
        struct job *job = channel->first;
        channel->first = job->next;
        job_destroy(job);
    }
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
    free(notifier->under_way);
    free(notifier);
}
