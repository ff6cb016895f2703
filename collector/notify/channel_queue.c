// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/channel_queue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/store/state_incidents.h"

/* When no result is ever written (a crash), the attempt is repeated after so long. */
#define LEASE_MS    INT64_C(120000)
#define REFRESH_MAX 1000 /* open incidents in one request */

static_assert(QUEUE_UNDER_WAY_MAX <= DIGEST_MAX, "`due` has room for either");

/* Rows that are due and not under way, the oldest first. */
struct due {
    struct channel_queue *queue;
    size_t want;
    size_t count;
    struct row {
        uint64_t id;
        char *key;
        char *body;
        int64_t created_ms;
    } rows[DIGEST_MAX];
};

static bool is_under_way(const struct channel_queue *queue, uint64_t id)
{
    for (size_t i = 0; i < queue->count; i++)
        if (queue->under_way[i] == id)
            return true;
    return false;
}

static void forget(struct channel_queue *queue, uint64_t id)
{
    for (size_t i = 0; i < queue->count; i++) {
        if (queue->under_way[i] == id) {
            queue->under_way[i] = queue->under_way[--queue->count];
            break;
        }
    }
}

static void on_due(void *context, const struct state_message *message)
{
    struct due *due = context;
    assert(due->want <= DIGEST_MAX);
    if (due->count >= due->want || is_under_way(due->queue, message->id))
        return;
    const struct notifier_options *options = due->queue->options;
    char *body = options->address != NULL ? options->address(options->context, message)
                                          : mem_strdup(message->body);
    due->rows[due->count++] = (struct row){.id = message->id,
                                           .key = mem_strdup(message->key),
                                           .body = body,
                                           .created_ms = message->created_ms};
}

static void due_fini(struct due *due)
{
    for (size_t i = 0; i < due->count; i++) {
        free(due->rows[i].key);
        free(due->rows[i].body);
    }
}

/* ---- asking ----------------------------------------------------------------------- */

static void put_last(struct courier_job **end, struct courier_job *job)
{
    while (*end != NULL)
        end = &(*end)->next;
    job->next = NULL;
    *end = job;
}

/* Nothing is sent that is not written down first: a record for each row of the job. */
static enum err ask(struct channel_queue *queue, struct courier_job *job, int64_t now_ms)
{
    const struct notifier_options *options = queue->options;
    assert(job->count > 0 &&
           queue->count + job->count <= QUEUE_UNDER_WAY_MAX + DIGEST_MAX);
    job->attempt.now_ms = now_ms;
    for (size_t i = 0; i < job->count; i++) {
        const struct record_attempt attempt = {.message = job->ids[i],
                                               .retry_ms = now_ms + LEASE_MS};
        enum err err = options->on_attempt(options->context, &attempt, &job->position);
        if (err != ERR_OK) {
            courier_job_destroy(job);
            return err;
        }
    }
    for (size_t i = 0; i < job->count; i++)
        queue->under_way[queue->count++] = job->ids[i];
    bucket_take(&queue->bucket, now_ms);
    put_last(&queue->asked, job);
    return ERR_OK;
}

static void add_row(struct courier_job *job, const struct row *row)
{
    assert(job->count < DIGEST_MAX);
    job->created_ms[job->count] = row->created_ms;
    job->ids[job->count++] = row->id;
}

static enum err ask_single(struct channel_queue *queue, const struct row *row,
                           int64_t now_ms)
{
    struct courier_job *job = courier_job_create();
    add_row(job, row);
    job->key = mem_strdup(row->key);
    job->body = mem_strdup(row->body);
    return ask(queue, job, now_ms);
}

/* Else as they were. */
static void grave_first(const struct due *due, const struct row *sorted[DIGEST_MAX])
{
    bool is_grave[DIGEST_MAX];
    size_t count = 0;
    for (size_t i = 0; i < due->count; i++) {
        is_grave[i] = digest_is_grave(due->rows[i].body);
        if (is_grave[i])
            sorted[count++] = &due->rows[i];
    }
    for (size_t i = 0; i < due->count; i++)
        if (!is_grave[i])
            sorted[count++] = &due->rows[i];
}

/*
 * Those for the receivers of the first, as many as are told uncut; the others have a
 * digest of their own.
 */
static enum err ask_digest(struct channel_queue *queue, const struct due *due,
                           int64_t now_ms)
{
    const struct row *sorted[DIGEST_MAX];
    const struct row *chosen[DIGEST_MAX];
    struct digest_row rows[DIGEST_MAX];
    char key[DIGEST_KEY_SIZE];
    struct buf body = {0};
    size_t count = 0;
    grave_first(due, sorted);
    for (size_t i = 0; i < due->count; i++) {
        if (!digest_fits(sorted[0]->body, sorted[i]->body))
            continue;
        rows[count] = (struct digest_row){sorted[i]->key, sorted[i]->body};
        chosen[count++] = sorted[i];
    }
    size_t taken = digest_take(queue->channel, rows, count);
    assert(taken > 0 && taken <= count);
    if (taken == 1)
        return ask_single(queue, chosen[0], now_ms);
    struct courier_job *job = courier_job_create();
    for (size_t i = 0; i < taken; i++)
        add_row(job, chosen[i]);
    digest_format(rows, taken, key, &body);
    job->key = mem_strdup(key);
    job->body = buf_take(&body);
    return ask(queue, job, now_ms);
}

static bool may_ask(struct channel_queue *queue, int64_t now_ms)
{
    return queue->count < QUEUE_UNDER_WAY_MAX && bucket_is_open(&queue->bucket, now_ms);
}

static enum err ask_rows(struct channel_queue *queue, const struct due *due,
                         int64_t now_ms)
{
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < due->count && may_ask(queue, now_ms); i++)
        err = ask_single(queue, &due->rows[i], now_ms);
    return err;
}

/* Asks for what may be sent over that channel now, whatever waits for others. */
static enum err ask_for_due(struct channel_queue *queue, int64_t now_ms)
{
    struct due due = {.queue = queue, .want = QUEUE_UNDER_WAY_MAX};
    if (!may_ask(queue, now_ms))
        return ERR_OK;
    bool digests = channel_ops(queue->channel->kind)->digests && queue->bucket.rate > 0;
    if (digests)
        due.want = DIGEST_MAX;
    /* Those under way may be due. */
    enum err err = state_outbox_ready(queue->options->state, queue->channel->name, now_ms,
                                      due.want + queue->count, &due, on_due);
    int64_t tokens = bucket_left(&queue->bucket, now_ms);
    if (err == ERR_OK && digests && due.count > 1 && (int64_t)due.count > tokens)
        err = ask_digest(queue, &due, now_ms);
    else if (err == ERR_OK)
        err = ask_rows(queue, &due, now_ms);
    due_fini(&due);
    return err;
}

/* ---- sending ---------------------------------------------------------------------- */

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

/* The journal's order decides: what a result in front of the attempt ended is not sent.
 */
static enum err keep_pending(struct channel_queue *queue, struct courier_job *job)
{
    size_t kept = 0;
    for (size_t i = 0; i < job->count; i++) {
        struct standing standing = {.id = job->ids[i]};
        enum err err = state_page_messages(queue->options->state, NULL, standing.id - 1,
                                           1, &standing, on_standing);
        if (err != ERR_OK)
            return err;
        if (!standing.is_pending || standing.attempts == 0) {
            forget(queue, job->ids[i]);
            continue;
        }
        if (kept == 0)
            job->attempt.attempts = standing.attempts - 1;
        job->created_ms[kept] = job->created_ms[i];
        job->ids[kept++] = job->ids[i];
    }
    job->count = kept;
    return ERR_OK;
}

static enum err send_applied(struct channel_queue *queue)
{
    uint64_t applied = queue->options->applied(queue->options->context);
    while (queue->asked != NULL && queue->asked->position <= applied) {
        struct courier_job *job = queue->asked;
        enum err err = keep_pending(queue, job);
        if (err != ERR_OK)
            return err;
        queue->asked = job->next;
        if (job->count > 0)
            courier_give(queue->courier, job);
        else
            courier_job_destroy(job);
    }
    return ERR_OK;
}

/* ---- what is open, again ---------------------------------------------------------- */

static void on_open(void *context, const char *body)
{
    struct courier_job *job = context;
    if (job->body_count < REFRESH_MAX)
        job->bodies[job->body_count++] = mem_strdup(body);
}

/* Decides nothing and leaves no trace: an Alertmanager forgets what it is not told. */
static enum err refresh(struct channel_queue *queue, int64_t now_ms)
{
    if (queue->refreshed_ms != INT64_MAX && queue->refreshed_ms > now_ms)
        queue->refreshed_ms = now_ms; /* the clock was set back */
    if (queue->channel->kind != CHANNEL_ALERTMANAGER ||
        now_ms - queue->refreshed_ms < queue->channel->refresh_ms)
        return ERR_OK;
    queue->refreshed_ms = now_ms;
    struct courier_job *job = courier_job_create();
    job->is_refresh = true;
    job->bodies = mem_array(REFRESH_MAX, sizeof *job->bodies);
    enum err err = state_outbox_open(queue->options->state, queue->channel->name,
                                     REFRESH_MAX, job, on_open);
    if (err == ERR_OK && job->body_count > 0)
        courier_give(queue->courier, job);
    else
        courier_job_destroy(job);
    return err;
}

/* ---- the whole -------------------------------------------------------------------- */

static void on_finished(void *context, const struct record_result *results, size_t count,
                        bool blocks)
{
    assert(count > 0 && count <= DIGEST_MAX);
    struct channel_queue *queue = context;
    const struct notifier_options *options = queue->options;
    int64_t now_ms = clock_wall_ms(options->clock);
    int64_t next_ms = 0; /* of those that are not given up */
    for (size_t i = 0; i < count; i++) {
        if (results[i].next_attempt_ms > next_ms)
            next_ms = results[i].next_attempt_ms;
        forget(queue, results[i].message);
        options->on_result(options->context, &results[i]);
    }
    channel_health_take(&queue->health, results[0].outcome, now_ms);
    snprintf(queue->last, sizeof queue->last, "%s", results[0].text);
    if (blocks)
        bucket_block(&queue->bucket, next_ms);
}

struct channel_queue *channel_queue_create(const struct notifier_options *options,
                                           const struct config_channel *channel)
{
    struct channel_queue *queue = mem_alloc(sizeof *queue);
    queue->options = options;
    queue->channel = channel;
    queue->refreshed_ms = INT64_MAX; /* not before channel_queue_resume() */
    bucket_init(&queue->bucket, channel_rate(channel), clock_wall_ms(options->clock));
    queue->courier = courier_create(&(struct courier_options){
        .channel = channel,
        .loop = options->loop,
        .context = queue,
        .on_finished = on_finished,
        .publish_context = options->context,
        .publish = options->publish,
    });
    return queue;
}

void channel_queue_stop(struct channel_queue *queue)
{
    courier_stop(queue->courier);
    while (queue->asked != NULL) {
        struct courier_job *job = queue->asked;
        queue->asked = job->next;
        courier_job_destroy(job);
    }
}

void channel_queue_destroy(struct channel_queue *queue)
{
    assert(queue->asked == NULL); /* it was stopped */
    courier_destroy(queue->courier);
    free(queue);
}

void channel_queue_resume(struct channel_queue *queue)
{
    queue->refreshed_ms = 0;
}

enum err channel_queue_pump(struct channel_queue *queue)
{
    int64_t now_ms = clock_wall_ms(queue->options->clock);
    enum err err = send_applied(queue);
    if (err == ERR_OK)
        err = ask_for_due(queue, now_ms);
    return err == ERR_OK ? refresh(queue, now_ms) : err;
}

static json_t *time_json(int64_t ms)
{
    char text[CLOCK_ISO_MAX];
    return ms != 0 ? json_string(clock_format_iso(text, ms)) : json_null();
}

json_t *channel_queue_json(struct channel_queue *queue, int64_t now_ms)
{
    static const char *const languages[] = {"zh", "en", "both"};
    const struct config_channel *channel = queue->channel;
    bool is_blocked = now_ms < queue->bucket.blocked_until_ms;
    bool is_down = channel_health_is_down(&queue->health);
    bool rings = channel_rings(channel);
    int64_t left = bucket_left(&queue->bucket, now_ms);
    const char *state = is_blocked                   ? "blocked"
                        : is_down                    ? "down"
                        : queue->health.failures > 0 ? "failing"
                        : queue->health.good_ms != 0 ? "ok"
                                                     : "unused";
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:b, s:b, s:s, s:I, s:o, s:I, s:I, s:s, s:o, s:o, s:o}", "name",
        channel->name, "kind", channel_kind_name(channel->kind), "language",
        languages[channel->language], "rings", rings, "can_ring_now",
        rings && !is_blocked && !is_down, "state", state, "failures",
        (json_int_t)queue->health.failures, "tokens",
        left >= 0 ? json_integer(left) : json_null(), "rate",
        (json_int_t)queue->bucket.rate, "under_way", (json_int_t)queue->count,
        "last_result", queue->last, "last_at", time_json(queue->health.last_ms),
        "last_good_at", time_json(queue->health.good_ms), "blocked_until",
        time_json(is_blocked ? queue->bucket.blocked_until_ms : 0));
    assert(json != NULL);
    return json;
}
