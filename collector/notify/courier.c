// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/courier.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/notify/kinds.h"

/* What is to be published: the thread waits while the loop and the broker have it. */
struct handoff {
    const char *topic;
    const void *data;
    size_t len;
    uint64_t tag;
    bool is_open; /* the thread waits for it */
    bool is_done;
    enum err err;
    struct err_text why;
};

static atomic_uint_fast64_t last_tag; /* unlike those of all other channels */

struct courier {
    /* fixed after create */
    struct courier_options options;
    pthread_t thread;
    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct courier_job *first;
    bool is_stopping;
    struct handoff handoff;
};

/* Results on their way from the thread to the loop. */
struct finished {
    struct courier *courier;
    size_t count;
    bool blocks;
    struct record_result results[];
};

struct courier_job *courier_job_create(void)
{
    return mem_alloc(sizeof(struct courier_job));
}

void courier_job_destroy(struct courier_job *job)
{
    if (job == NULL)
        return;
    for (size_t i = 0; i < job->body_count; i++)
        free(job->bodies[i]);
    free(job->bodies);
    free(job->key);
    free(job->body);
    free(job);
}

/* ---- publishing ------------------------------------------------------------------- */

static void end_handoff(struct courier *courier, uint64_t tag, enum err err,
                        const char *why)
{
    struct handoff *handoff = &courier->handoff;
    pthread_mutex_lock(&courier->lock);
    if (handoff->is_open && !handoff->is_done && handoff->tag == tag) {
        handoff->is_done = true;
        handoff->err = err;
        err_set(&handoff->why, err, "%s", why);
        pthread_cond_broadcast(&courier->changed);
    }
    pthread_mutex_unlock(&courier->lock);
}

/* What is published is copied out under the lock: the thread may give up any time. */
static void on_publish(void *context)
{
    struct courier *courier = context;
    const struct handoff *handoff = &courier->handoff;
    pthread_mutex_lock(&courier->lock);
    bool is_open = handoff->is_open && !handoff->is_done;
    char *topic = is_open ? mem_strdup(handoff->topic) : NULL;
    size_t len = handoff->len;
    void *data = is_open ? mem_dup(handoff->data, len) : NULL;
    uint64_t tag = handoff->tag;
    pthread_mutex_unlock(&courier->lock);
    if (is_open) {
        const struct courier_options *options = &courier->options;
        enum err err = options->publish(options->publish_context, topic, data, len, tag);
        if (err != ERR_OK)
            end_handoff(courier, tag, err, "the broker cannot be reached now");
    }
    free(topic);
    free(data);
}

void courier_delivered(struct courier *courier, uint64_t tag, const char *why)
{
    end_handoff(courier, tag, why == NULL ? ERR_OK : ERR_DENIED, why != NULL ? why : "");
}

static void deadline_of(struct timespec *at, int64_t timeout_ms)
{
    clock_gettime(CLOCK_MONOTONIC, at);
    at->tv_sec += timeout_ms / 1000;
    at->tv_nsec += timeout_ms % 1000 * 1000000;
    if (at->tv_nsec >= 1000000000) {
        at->tv_nsec -= 1000000000;
        at->tv_sec++;
    }
}

static enum err publish(void *context, const char *topic, const void *data, size_t len,
                        int64_t timeout_ms, struct err_text *why)
{
    struct courier *courier = context;
    struct timespec end;
    deadline_of(&end, timeout_ms);
    pthread_mutex_lock(&courier->lock);
    assert(!courier->handoff.is_open); /* the thread publishes one at a time */
    uint64_t tag = atomic_fetch_add(&last_tag, 1) + 1;
    courier->handoff = (struct handoff){
        .topic = topic, .data = data, .len = len, .tag = tag, .is_open = true};
    pthread_mutex_unlock(&courier->lock);
    loop_post(courier->options.loop, on_publish, courier);
    pthread_mutex_lock(&courier->lock);
    int error = 0;
    while (!courier->handoff.is_done && !courier->is_stopping && error == 0)
        error = pthread_cond_timedwait(&courier->changed, &courier->lock, &end);
    courier->handoff.is_open = false;
    enum err err = courier->handoff.is_done ? courier->handoff.err : ERR_TIMEOUT;
    if (courier->handoff.is_done)
        *why = courier->handoff.why;
    else
        err_set(why, err, "the broker did not say that it has it");
    pthread_mutex_unlock(&courier->lock);
    return err;
}

/* ---- the thread ------------------------------------------------------------------- */

static void on_finished(void *context)
{
    struct finished *finished = context;
    const struct courier_options *options = &finished->courier->options;
    options->on_finished(options->context, finished->results, finished->count,
                         finished->blocks);
    free(finished);
}

/* Each row of a digest is told what became of it, and in which message. */
static void post_results(struct courier *courier, const struct courier_job *job,
                         const struct channel_verdict *verdict)
{
    assert(job->count > 0 && job->count <= DIGEST_MAX);
    struct finished *finished =
        mem_alloc(sizeof *finished + job->count * sizeof finished->results[0]);
    uint64_t random;
    crypto_random(&random, sizeof random);
    finished->courier = courier;
    finished->count = job->count;
    finished->blocks = verdict->blocks;
    for (size_t i = 0; i < job->count; i++) {
        struct record_result *result = &finished->results[i];
        struct channel_verdict said = *verdict;
        struct channel_attempt attempt = job->attempt;
        attempt.created_ms = job->created_ms[i];
        if (job->count > 1)
            snprintf(said.said, sizeof said.said, "in %s of %zu messages: %.120s",
                     job->key, job->count, verdict->said);
        channel_settle(&said, &attempt, random, result);
        result->message = job->ids[i];
    }
    if (finished->results[0].outcome != STATE_OUTBOX_DONE)
        log_warn("notification not delivered channel=%s attempt=%u: %s",
                 courier->options.channel->name, job->attempt.attempts + 1,
                 finished->results[0].text);
    loop_post(courier->options.loop, on_finished, finished);
}

static void refresh(struct courier *courier, const struct carriers *carriers,
                    const struct courier_job *job)
{
    const struct config_channel *channel = courier->options.channel;
    struct channel_request request = {0};
    enum err err =
        kind_alertmanager_refresh(channel, (const char *const *)job->bodies,
                                  job->body_count, job->attempt.stamp_ms, &request);
    if (err == ERR_OK) {
        struct channel_answer answer;
        channel_carry(channel, carriers, &request, &answer);
        if (!answer.came || answer.status >= 300)
            log_warn("what is open was not told again channel=%s status=%d: %s",
                     channel->name, answer.status, answer.said);
        channel_answer_fini(&answer);
    }
    channel_request_fini(&request);
}

static void carry_out(struct courier *courier, const struct carriers *carriers,
                      struct courier_job *job)
{
    struct clock real;
    clock_init(&real);
    job->attempt.stamp_ms = clock_wall_ms(&real);
    if (job->is_refresh) {
        refresh(courier, carriers, job);
        return;
    }
    struct channel_verdict verdict = {0};
    channel_try(courier->options.channel, carriers, job->key, job->body, &job->attempt,
                &verdict);
    post_results(courier, job, &verdict);
}

static struct courier_job *next_job(struct courier *courier)
{
    pthread_mutex_lock(&courier->lock);
    while (courier->first == NULL && !courier->is_stopping)
        pthread_cond_wait(&courier->changed, &courier->lock);
    struct courier_job *job = courier->is_stopping ? NULL : courier->first;
    if (job != NULL)
        courier->first = job->next;
    pthread_mutex_unlock(&courier->lock);
    return job;
}

static void *run(void *context)
{
    struct courier *courier = context;
    pthread_setname_np(pthread_self(), "notify");
    struct carriers carriers = {.http = http_client_create(), .context = courier};
    if (courier->options.publish != NULL)
        carriers.publish = publish;
    for (struct courier_job *job = next_job(courier); job != NULL;
         job = next_job(courier)) {
        carry_out(courier, &carriers, job);
        courier_job_destroy(job);
    }
    http_client_destroy(carriers.http);
    return NULL;
}

/* ---- the loop's side -------------------------------------------------------------- */

struct courier *courier_create(const struct courier_options *options)
{
    assert(options->on_finished != NULL && options->loop != NULL);
    struct courier *courier = mem_alloc(sizeof *courier);
    pthread_condattr_t attr;
    courier->options = *options;
    pthread_mutex_init(&courier->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&courier->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&courier->thread, NULL, run, courier) != 0)
        log_fatal("no thread can be made for=%s", options->channel->name);
    return courier;
}

void courier_give(struct courier *courier, struct courier_job *job)
{
    assert(job->count > 0 || job->is_refresh);
    pthread_mutex_lock(&courier->lock);
    struct courier_job **end = &courier->first;
    while (*end != NULL)
        end = &(*end)->next;
    job->next = NULL;
    *end = job;
    pthread_cond_broadcast(&courier->changed);
    pthread_mutex_unlock(&courier->lock);
}

void courier_stop(struct courier *courier)
{
    pthread_mutex_lock(&courier->lock);
    courier->is_stopping = true;
    pthread_cond_broadcast(&courier->changed);
    pthread_mutex_unlock(&courier->lock);
    pthread_join(courier->thread, NULL);
    while (courier->first != NULL) {
        struct courier_job *job = courier->first;
        courier->first = job->next;
        courier_job_destroy(job);
    }
}

void courier_destroy(struct courier *courier)
{
    assert(courier->is_stopping && courier->first == NULL);
    pthread_mutex_destroy(&courier->lock);
    pthread_cond_destroy(&courier->changed);
    free(courier);
}
