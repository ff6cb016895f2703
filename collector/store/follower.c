// SPDX-License-Identifier: Apache-2.0
#include "collector/store/follower.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

/* After a turn that failed; doubled up to the second. */
#define AGAIN_MS     250
#define AGAIN_MAX_MS 15000

struct follower {
    /* fixed after open */
    const struct follower_ops *ops;
    void *context;
    struct journal_reader *reader; /* owned by the thread */
    pthread_t thread;

    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool has_news;
    bool is_stopping;
    bool has_failed;
    bool has_ended;                         /* no turn and no call follows */
    void (*call)(void *context, void *arg); /* wanted; NULL: none */
    void *call_arg;
    int64_t stop_at_ms; /* real time */
    struct err_text why;
};

static struct timespec deadline_of(int64_t real_ms)
{
    int64_t left = real_ms - clock_real_ms();
    return clock_deadline(left > 0 ? left : 0);
}

/* First the pause that the turn asked for, then until there is news. */
static void rest(struct follower *follower, const struct follower_turn *turn)
{
    struct timespec pause_end = deadline_of(clock_real_ms() + turn->wait_ms);
    pthread_mutex_lock(&follower->lock);
    while (turn->wait_ms > 0 && !follower->is_stopping && follower->call == NULL &&
           pthread_cond_timedwait(&follower->changed, &follower->lock, &pause_end) == 0) {
    }
    while (!turn->ignores_news && !follower->has_news && !follower->is_stopping &&
           follower->call == NULL)
        pthread_cond_wait(&follower->changed, &follower->lock);
    follower->has_news = false;
    pthread_mutex_unlock(&follower->lock);
}

/* After follower_close() it goes on until nothing is left or time is up. */
static bool is_over(struct follower *follower, const struct follower_turn *turn)
{
    pthread_mutex_lock(&follower->lock);
    bool over = follower->is_stopping &&
                (!turn->has_more || clock_real_ms() >= follower->stop_at_ms);
    pthread_mutex_unlock(&follower->lock);
    return over;
}

/* Says so once for each reason. */
static void complain(struct follower *follower, enum err err, const struct err_text *why)
{
    pthread_mutex_lock(&follower->lock);
    bool is_known = follower->has_failed && strcmp(follower->why.text, why->text) == 0;
    follower->has_failed = true;
    follower->why = *why;
    pthread_mutex_unlock(&follower->lock);
    if (err == ERR_CORRUPT)
        log_error("%s stopped: %s", follower->ops->name, why->text);
    else if (!is_known)
        log_error("%s waits: %s", follower->ops->name, why->text);
}

static void recover(struct follower *follower)
{
    pthread_mutex_lock(&follower->lock);
    bool had_failed = follower->has_failed;
    follower->has_failed = false;
    pthread_mutex_unlock(&follower->lock);
    if (had_failed)
        log_info("%s goes on", follower->ops->name);
}

/* One turn; one that failed is tried again after *again_ms. CORRUPT ends it all. */
static enum err take_turn(struct follower *follower, struct follower_turn *turn,
                          int64_t *again_ms)
{
    struct err_text why = {0};
    *turn = (struct follower_turn){0};
    enum err err = follower->ops->turn(follower->context, follower->reader, turn, &why);
    if (err == ERR_OK) {
        recover(follower);
        *again_ms = AGAIN_MS;
        return ERR_OK;
    }
    complain(follower, err, &why);
    *turn = (struct follower_turn){.wait_ms = *again_ms, .ignores_news = true};
    *again_ms = *again_ms * 2 < AGAIN_MAX_MS ? *again_ms * 2 : AGAIN_MAX_MS;
    return err == ERR_CORRUPT ? err : ERR_OK;
}

/* Without the lock: it may take its time. */
static void answer_call(struct follower *follower)
{
    pthread_mutex_lock(&follower->lock);
    void (*call)(void *, void *) = follower->call;
    void *arg = follower->call_arg;
    pthread_mutex_unlock(&follower->lock);
    if (call == NULL)
        return;
    call(follower->context, arg);
    pthread_mutex_lock(&follower->lock);
    follower->call = NULL;
    pthread_cond_broadcast(&follower->changed);
    pthread_mutex_unlock(&follower->lock);
}

/* Who still waits for a call is told that there is none. */
static void end(struct follower *follower)
{
    pthread_mutex_lock(&follower->lock);
    follower->has_ended = true;
    pthread_cond_broadcast(&follower->changed);
    pthread_mutex_unlock(&follower->lock);
}

static void *run(void *context)
{
    struct follower *follower = context;
    pthread_setname_np(pthread_self(), follower->ops->name);
    struct follower_turn turn = {.has_more = true};
    int64_t again_ms = AGAIN_MS;
    for (bool was_stopping = false;;) {
        if (take_turn(follower, &turn, &again_ms) != ERR_OK)
            break;
        if (is_over(follower, &turn) && was_stopping)
            break;
        answer_call(follower);
        if (!turn.has_more)
            rest(follower, &turn);
        pthread_mutex_lock(&follower->lock);
        was_stopping = follower->is_stopping;
        pthread_mutex_unlock(&follower->lock);
    }
    end(follower);
    follower->ops->finish(follower->context);
    return NULL;
}

enum err follower_open(struct follower **result, struct journal *journal, uint64_t from,
                       const struct follower_ops *ops, void *context,
                       struct err_text *why)
{
    *result = NULL;
    struct follower *follower = mem_alloc(sizeof *follower);
    follower->ops = ops;
    follower->context = context;
    enum err err = journal_reader_open(&follower->reader, journal, from);
    if (err != ERR_OK) {
        free(follower);
        return err_set(why, err, "%s cannot follow the journal: %s", ops->name,
                       err == ERR_INVALID
                           ? "its store is ahead of it; they do not belong "
                             "together, restore both from one backup"
                           : err_about(err));
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&follower->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&follower->lock, NULL);
    if (pthread_create(&follower->thread, NULL, run, follower) != 0)
        log_fatal("no thread can be made for=%s", ops->name);
    *result = follower;
    return ERR_OK;
}

void follower_wake(struct follower *follower)
{
    pthread_mutex_lock(&follower->lock);
    if (!follower->has_news) {
        follower->has_news = true;
        pthread_cond_broadcast(&follower->changed);
    }
    pthread_mutex_unlock(&follower->lock);
}

bool follower_call(struct follower *follower, void (*call)(void *context, void *arg),
                   void *arg)
{
    pthread_mutex_lock(&follower->lock);
    while (follower->call != NULL && !follower->has_ended)
        pthread_cond_wait(&follower->changed, &follower->lock);
    bool is_taken = !follower->has_ended && !follower->is_stopping;
    if (is_taken) {
        follower->call = call;
        follower->call_arg = arg;
        pthread_cond_broadcast(&follower->changed);
    }
    while (is_taken && follower->call != NULL && !follower->has_ended)
        pthread_cond_wait(&follower->changed, &follower->lock);
    bool has_run = is_taken && follower->call == NULL;
    if (is_taken)
        follower->call = NULL;
    pthread_mutex_unlock(&follower->lock);
    return has_run;
}

void follower_close(struct follower *follower, int64_t drain_ms)
{
    if (follower == NULL)
        return;
    pthread_mutex_lock(&follower->lock);
    follower->is_stopping = true;
    follower->stop_at_ms = clock_real_ms() + drain_ms;
    pthread_cond_broadcast(&follower->changed);
    pthread_mutex_unlock(&follower->lock);
    pthread_join(follower->thread, NULL);
    journal_reader_close(follower->reader);
    pthread_cond_destroy(&follower->changed);
    pthread_mutex_destroy(&follower->lock);
    free(follower);
}

bool follower_has_failed(struct follower *follower, struct err_text *why)
{
    pthread_mutex_lock(&follower->lock);
    bool has_failed = follower->has_failed;
    *why = follower->why;
    pthread_mutex_unlock(&follower->lock);
    return has_failed;
}
