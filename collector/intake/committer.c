// SPDX-License-Identifier: Apache-2.0
#include "collector/intake/committer.h"

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"

#define POLL_MS    1    /* while a group fills */
#define PREPARE_MS 1000 /* between looks at the spare segments */

struct committer {
    /* fixed after create */
    struct committer_options options;
    pthread_t thread;
    pthread_t helper;
    /* shared */
    sem_t news;
    sem_t helper_stop;
    atomic_bool is_awake;
    atomic_bool is_stopping;
};

static void pause_ms(int64_t ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

/* Lets the group fill: until it is large or old enough. */
static void let_fill(struct committer *committer)
{
    for (int64_t waited = 0; waited < committer->options.interval_ms; waited += POLL_MS) {
        uint64_t bytes;
        journal_pending(committer->options.journal, &bytes);
        if (bytes >= committer->options.bytes || atomic_load(&committer->is_stopping))
            return;
        pause_ms(POLL_MS);
    }
}

static enum err commit(struct committer *committer)
{
    if (journal_pending(committer->options.journal, NULL) == 0)
        return ERR_OK;
    let_fill(committer);
    enum err err = journal_sync(committer->options.journal, NULL);
    if (err == ERR_OK)
        committer->options.on_synced(committer->options.context);
    return err;
}

static void *run(void *context)
{
    struct committer *committer = context;
    pthread_setname_np(pthread_self(), "committer");
    while (!atomic_load(&committer->is_stopping)) {
        sem_wait(&committer->news);
        /* From here on a new append must wake us again. */
        atomic_store(&committer->is_awake, false);
        if (commit(committer) != ERR_OK) {
            committer->options.on_failed(committer->options.context);
            return NULL;
        }
    }
    if (commit(committer) != ERR_OK)
        committer->options.on_failed(committer->options.context);
    return NULL;
}

static void *prepare(void *context)
{
    struct committer *committer = context;
    pthread_setname_np(pthread_self(), "spares");
    for (;;) {
        enum err err = journal_prepare(committer->options.journal);
        committer->options.on_room(committer->options.context, err);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PREPARE_MS / 1000;
        if (sem_timedwait(&committer->helper_stop, &until) == 0)
            return NULL;
    }
}

struct committer *committer_create(const struct committer_options *options)
{
    assert(options->on_synced != NULL && options->on_failed != NULL &&
           options->on_room != NULL && options->interval_ms > 0);
    struct committer *committer = mem_alloc(sizeof *committer);
    committer->options = *options;
    sem_init(&committer->news, 0, 0);
    sem_init(&committer->helper_stop, 0, 0);
    if (pthread_create(&committer->thread, NULL, run, committer) != 0 ||
        pthread_create(&committer->helper, NULL, prepare, committer) != 0)
        log_fatal("no thread can be made for=committer");
    return committer;
}

void committer_wake(struct committer *committer)
{
    if (!atomic_exchange(&committer->is_awake, true))
        sem_post(&committer->news);
}

void committer_destroy(struct committer *committer)
{
    if (committer == NULL)
        return;
    atomic_store(&committer->is_stopping, true);
    sem_post(&committer->news);
    sem_post(&committer->helper_stop);
    pthread_join(committer->thread, NULL);
    pthread_join(committer->helper, NULL);
    sem_destroy(&committer->news);
    sem_destroy(&committer->helper_stop);
    free(committer);
}
