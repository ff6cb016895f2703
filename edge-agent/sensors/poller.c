// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/poller.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

/* What a fast sensor needs is waited for; what takes longer comes with the next read. */
#define WAIT_MS  50
#define LEAD_MS  20
#define CLOSE_MS 1000

struct poller {
    struct poller_options options; /* fixed after creation */

    /* owned by the loop thread */
    bool has_thread;
    pthread_t thread;

    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t wake; /* of the thread */
    pthread_cond_t done; /* of the loop */
    int refs;
    bool is_stopped;
    bool is_wanted; /* at wanted_ms */
    bool is_polling;
    bool has_result;
    bool has_ended;        /* the thread */
    int64_t wanted_ms;     /* real */
    int64_t begun_ms;      /* real */
    int64_t took_ms;       /* the last measurement */
    int64_t wall_less_ms;  /* wall time minus real time */
    struct samples result; /* of the last measurement */
};

static void unref(struct poller *poller)
{
    pthread_mutex_lock(&poller->lock);
    assert(poller->refs > 0);
    bool is_last = --poller->refs == 0;
    pthread_mutex_unlock(&poller->lock);
    if (!is_last)
        return;
    poller->options.fini(poller->options.context);
    samples_fini(&poller->result);
    pthread_cond_destroy(&poller->wake);
    pthread_cond_destroy(&poller->done);
    pthread_mutex_destroy(&poller->lock);
    free(poller);
}

static void wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms)
{
    struct timespec end = clock_deadline(ms);
    pthread_cond_timedwait(cond, lock, &end);
}

/* ---- the thread ---- */

/* Under lock. False: it is over. */
static bool wait_until_wanted(struct poller *poller)
{
    while (!poller->is_stopped) {
        int64_t left_ms = poller->wanted_ms - clock_real_ms();
        if (poller->is_wanted && left_ms <= 0)
            return true;
        if (poller->is_wanted)
            wait_ms(&poller->wake, &poller->lock, left_ms);
        else
            pthread_cond_wait(&poller->wake, &poller->lock);
    }
    return false;
}

/* Under lock, which it lets go while it measures. */
static void measure(struct poller *poller)
{
    assert(poller->is_wanted && !poller->is_polling);
    struct samples samples = {0};
    poller->is_wanted = false;
    poller->is_polling = true;
    poller->begun_ms = clock_real_ms();
    int64_t now_ms = poller->begun_ms + poller->wall_less_ms;
    pthread_mutex_unlock(&poller->lock);
    poller->options.poll(poller->options.context, now_ms, &samples);
    pthread_mutex_lock(&poller->lock);
    samples_fini(&poller->result);
    poller->result = samples;
    poller->has_result = true;
    poller->is_polling = false;
    poller->took_ms = clock_real_ms() - poller->begun_ms;
    pthread_cond_signal(&poller->done);
}

static void *run(void *context)
{
    struct poller *poller = context;
    pthread_mutex_lock(&poller->lock);
    while (wait_until_wanted(poller))
        measure(poller);
    poller->has_ended = true;
    pthread_cond_signal(&poller->done);
    pthread_mutex_unlock(&poller->lock);
    unref(poller);
    return NULL;
}

/* ---- the loop ---- */

struct poller *poller_create(const struct poller_options *options)
{
    assert(options->poll != NULL && options->fini != NULL && options->timeout_ms > 0);
    struct poller *poller = mem_alloc(sizeof *poller);
    poller->options = *options;
    poller->refs = 1;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&poller->lock, NULL);
    pthread_cond_init(&poller->wake, &attr);
    pthread_cond_init(&poller->done, &attr);
    pthread_condattr_destroy(&attr);
    return poller;
}

/* Signals belong to the loop. */
static enum err start_thread(struct poller *poller)
{
    assert(!poller->has_thread && poller->refs == 1);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    poller->refs++;
    int error = pthread_create(&poller->thread, NULL, run, poller);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        poller->refs--;
        return err_from_errno(error);
    }
    poller->has_thread = true;
    return ERR_OK;
}

void poller_destroy(struct poller *poller)
{
    if (poller == NULL)
        return;
    pthread_mutex_lock(&poller->lock);
    poller->is_stopped = true;
    pthread_cond_signal(&poller->wake);
    int64_t end_ms = clock_real_ms() + CLOSE_MS;
    int64_t left_ms = CLOSE_MS;
    while (poller->has_thread && !poller->has_ended && left_ms > 0) {
        wait_ms(&poller->done, &poller->lock, left_ms);
        left_ms = end_ms - clock_real_ms();
    }
    bool has_ended = poller->has_ended;
    pthread_mutex_unlock(&poller->lock);
    if (poller->has_thread && has_ended)
        pthread_join(poller->thread, NULL);
    else if (poller->has_thread)
        pthread_detach(poller->thread); /* stuck in the kernel: it frees its share */
    unref(poller);
}

/* Under lock. */
static void want(struct poller *poller, int64_t at_ms)
{
    poller->is_wanted = true;
    poller->wanted_ms = at_ms;
    pthread_cond_signal(&poller->wake);
}

/* Under lock. */
static void take(struct poller *poller, struct samples *samples, int64_t real_ms)
{
    assert(poller->has_result);
    for (size_t i = 0; i < poller->result.count; i++) {
        const struct sample *sample = &poller->result.list[i];
        samples_add(samples, sample->time_ms, sample->channel, sample->value,
                    sample->quality);
    }
    poller->has_result = false;
    int64_t lead_ms = poller->took_ms + poller->took_ms / 4 + LEAD_MS;
    int64_t delay_ms = poller->options.interval_ms - lead_ms;
    want(poller, real_ms + (delay_ms > 0 ? delay_ms : 0));
}

enum err poller_read(struct poller *poller, int64_t now_ms, struct samples *samples)
{
    int64_t real_ms = clock_real_ms();
    pthread_mutex_lock(&poller->lock);
    enum err err = poller->has_thread ? ERR_OK : start_thread(poller);
    poller->wall_less_ms = now_ms - real_ms;
    if (err == ERR_OK && !poller->has_result) {
        if (!poller->is_polling)
            want(poller, real_ms);
        int64_t end_ms = real_ms + WAIT_MS;
        for (int64_t left_ms = WAIT_MS; !poller->has_result && left_ms > 0;
             left_ms = end_ms - clock_real_ms())
            wait_ms(&poller->done, &poller->lock, left_ms);
    }
    if (err == ERR_OK && poller->has_result)
        take(poller, samples, real_ms);
    else if (err == ERR_OK && poller->is_polling &&
             real_ms - poller->begun_ms > poller->options.timeout_ms)
        err = ERR_TIMEOUT;
    pthread_mutex_unlock(&poller->lock);
    return err;
}
