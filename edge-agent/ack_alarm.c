// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/ack_alarm.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/program.h"
#include "edge-agent/siren.h"

#define LOOK_MS    1000 /* how often acks are looked for */
#define OUTPUT_MAX 4096
#define MARK_MAX   16

/* What the command has been told, for all that is known: one that fails, or is ended by a
 * power cut, may have done it. */
enum told { TOLD_BACK, TOLD_LOST, TOLD_PERHAPS };

struct ack_alarm {
    /* fixed after create */
    struct ack_alarm_options options;
    pthread_t thread;
    /* owned by the loop */
    struct ack_watch watch;
    struct loop_timer *timer;
    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_wanted; /* ringing, as the loop sees it */
    bool is_stopping;
    uint64_t runs;
    uint64_t failed;
    /* owned by the command's thread, once it runs */
    enum told told;
    bool is_tried_ringing; /* what the command was run for last */
    int64_t failures;      /* of that, in a row */
    int64_t not_before_ms;
};

/* ---- when ---- */

bool ack_watch_step(struct ack_watch *watch, int64_t now_ms, uint64_t acked,
                    uint64_t backlog)
{
    bool was_ringing = watch->is_ringing;
    if (backlog == 0) {
        watch->since_ms = 0;
        watch->is_ringing = false;
    } else if (acked != watch->acked || watch->since_ms == 0) {
        watch->since_ms = now_ms;
        /* Packs that begin to wait while nothing is acked end no alarm: there was none.
         */
        watch->is_ringing = false;
    } else if (watch->after_ms > 0 && now_ms - watch->since_ms >= watch->after_ms) {
        watch->is_ringing = true;
    }
    watch->acked = acked;
    return watch->is_ringing != was_ringing;
}

int64_t ack_watch_waiting_ms(const struct ack_watch *watch, int64_t now_ms)
{
    return watch->since_ms != 0 ? now_ms - watch->since_ms : 0;
}

/* ---- the command's thread ---- */

static void run_command(const struct ack_alarm *alarm, bool is_ringing, bool *is_done)
{
    const struct ack_alarm_options *options = &alarm->options;
    char **argv = mem_array(options->command_count + 2, sizeof *argv);
    for (size_t i = 0; i < options->command_count; i++)
        argv[i] = options->command[i];
    char lost[] = "lost";
    char back[] = "back";
    argv[options->command_count] = is_ringing ? lost : back;
    const struct program_options child = {
        .argv = argv, .timeout_ms = options->timeout_ms, .output_max = OUTPUT_MAX};
    struct buf out = {0};
    struct buf complaint = {0};
    struct err_text why;
    *is_done = program_run(&child, &out, &complaint, &why) == ERR_OK;
    if (!*is_done)
        log_error("the alarm's command failed: %s", why.text);
    buf_fini(&out);
    buf_fini(&complaint);
    free(argv);
}

/* ---- what it was told, through restarts ---- */

static enum told read_mark(const char *path)
{
    struct buf text = {0};
    struct err_text why;
    enum told told = TOLD_PERHAPS; /* one that cannot be read is there all the same */
    enum err err = file_read(&text, path, MARK_MAX, &why);
    if (err == ERR_NOT_FOUND)
        told = TOLD_BACK;
    else if (err == ERR_OK && text.len == strlen("lost\n") &&
             memcmp(text.data, "lost\n", text.len) == 0)
        told = TOLD_LOST;
    buf_fini(&text);
    return told;
}

/* Without a mark it rings all the same. */
static void set_told(struct ack_alarm *alarm, enum told told)
{
    struct err_text why;
    const char *text = told == TOLD_LOST ? "lost\n" : "perhaps\n";
    if (alarm->told == told)
        return;
    alarm->told = told;
    if (alarm->options.mark == NULL)
        return;
    enum err err = told == TOLD_BACK
                       ? file_remove(alarm->options.mark, &why)
                       : file_replace(alarm->options.mark, text, strlen(text), &why);
    if (err != ERR_OK)
        log_warn("what the alarm's command was told is not kept: %s", why.text);
}

/* 0: now; negative: there is nothing to tell. */
static int64_t due_in_ms(const struct ack_alarm *alarm, bool is_ringing)
{
    if (alarm->told == (is_ringing ? TOLD_LOST : TOLD_BACK))
        return -1;
    if (alarm->failures == 0 || alarm->is_tried_ringing != is_ringing)
        return 0;
    int64_t left_ms = alarm->not_before_ms - clock_real_ms();
    return left_ms > 0 ? left_ms : 0;
}

static void note_result(struct ack_alarm *alarm, bool is_ringing, bool is_done)
{
    if (alarm->is_tried_ringing != is_ringing)
        alarm->failures = 0;
    alarm->is_tried_ringing = is_ringing;
    alarm->failures = is_done ? 0 : alarm->failures + 1;
    if (is_done)
        set_told(alarm, is_ringing ? TOLD_LOST : TOLD_BACK);
    else
        alarm->not_before_ms =
            clock_real_ms() + siren_wait_ms(alarm->options.retry_ms, alarm->failures);
}

static void wait_for(struct ack_alarm *alarm, int64_t wait_ms)
{
    if (wait_ms < 0) {
        pthread_cond_wait(&alarm->changed, &alarm->lock);
        return;
    }
    struct timespec until = clock_deadline(wait_ms);
    pthread_cond_timedwait(&alarm->changed, &alarm->lock, &until);
}

/* What came and went while a command ran is not told. */
static void *serve(void *context)
{
    struct ack_alarm *alarm = context;
    pthread_mutex_lock(&alarm->lock);
    while (!alarm->is_stopping) {
        bool is_ringing = alarm->is_wanted;
        int64_t wait_ms = due_in_ms(alarm, is_ringing);
        if (wait_ms != 0) {
            wait_for(alarm, wait_ms);
            continue;
        }
        bool is_done;
        pthread_mutex_unlock(&alarm->lock);
        set_told(alarm, TOLD_PERHAPS);
        run_command(alarm, is_ringing, &is_done);
        note_result(alarm, is_ringing, is_done);
        pthread_mutex_lock(&alarm->lock);
        alarm->runs++;
        alarm->failed += !is_done;
    }
    pthread_mutex_unlock(&alarm->lock);
    return NULL;
}

/* Signals are the loop's. */
static void start_thread(struct ack_alarm *alarm)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&alarm->thread, NULL, serve, alarm) != 0)
        log_fatal("no thread can be made for=alarm");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the loop's side ---- */

static void tell(struct ack_alarm *alarm)
{
    int64_t waiting_ms = ack_alarm_waiting_ms(alarm);
    if (alarm->watch.is_ringing)
        log_error(
            "nothing was acknowledged for %llds although packs wait: check network, "
            "broker and collector",
            (long long)(waiting_ms / 1000));
    else
        log_info("acknowledgements are back");
    pthread_mutex_lock(&alarm->lock);
    alarm->is_wanted = alarm->watch.is_ringing;
    pthread_cond_signal(&alarm->changed);
    pthread_mutex_unlock(&alarm->lock);
}

static void on_timer(void *context)
{
    struct ack_alarm *alarm = context;
    uint64_t acked;
    uint64_t backlog;
    alarm->options.look(alarm->options.context, &acked, &backlog);
    if (ack_watch_step(&alarm->watch, clock_real_ms(), acked, backlog))
        tell(alarm);
    loop_timer_arm(alarm->timer, LOOK_MS);
}

/* What rang before this start rings until acks come. */
static void go_on(struct ack_alarm *alarm)
{
    uint64_t backlog;
    if (alarm->options.mark != NULL)
        alarm->told = read_mark(alarm->options.mark);
    if (alarm->told == TOLD_BACK || alarm->options.after_ms == 0)
        return; /* where it is never to ring, what rings is ended */
    alarm->options.look(alarm->options.context, &alarm->watch.acked, &backlog);
    alarm->watch.since_ms = clock_real_ms();
    alarm->watch.is_ringing = alarm->is_wanted = true;
    /* Whether it rings is not known: again when acks stay away, not at each start. */
    alarm->is_tried_ringing = true;
    alarm->failures = 1;
    alarm->not_before_ms = alarm->watch.since_ms + alarm->options.after_ms;
}

static void init_condition(struct ack_alarm *alarm)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&alarm->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

struct ack_alarm *ack_alarm_create(const struct ack_alarm_options *options)
{
    struct ack_alarm *alarm = mem_alloc(sizeof *alarm);
    alarm->options = *options;
    alarm->watch.after_ms = options->after_ms;
    pthread_mutex_init(&alarm->lock, NULL);
    init_condition(alarm);
    if (options->command_count > 0) {
        go_on(alarm);
        start_thread(alarm);
    }
    alarm->timer = loop_timer_create(options->loop, on_timer, alarm);
    loop_timer_arm(alarm->timer, 0);
    return alarm;
}

void ack_alarm_destroy(struct ack_alarm *alarm)
{
    if (alarm == NULL)
        return;
    pthread_mutex_lock(&alarm->lock);
    alarm->is_stopping = true;
    pthread_cond_signal(&alarm->changed);
    pthread_mutex_unlock(&alarm->lock);
    if (alarm->options.command_count > 0)
        pthread_join(alarm->thread, NULL);
    loop_timer_destroy(alarm->timer);
    pthread_cond_destroy(&alarm->changed);
    pthread_mutex_destroy(&alarm->lock);
    free(alarm);
}

bool ack_alarm_is_ringing(const struct ack_alarm *alarm)
{
    return alarm->watch.is_ringing;
}

int64_t ack_alarm_waiting_ms(const struct ack_alarm *alarm)
{
    return ack_watch_waiting_ms(&alarm->watch, clock_real_ms());
}

uint64_t ack_alarm_runs(struct ack_alarm *alarm, uint64_t *failed)
{
    pthread_mutex_lock(&alarm->lock);
    uint64_t runs = alarm->runs;
    *failed = alarm->failed;
    pthread_mutex_unlock(&alarm->lock);
    return runs;
}
