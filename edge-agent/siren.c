// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/siren.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/program.h"

#define LOOK_MS         1000 /* how often the mute file is looked at */
#define UNDER_WAY_MS    20   /* how often the end of a command is looked for */
#define RETRY_DOUBLINGS 6
#define OUTPUT_MAX      4096
#define ENVIRONMENT_MAX 32

/* What a command is run for. */
struct errand {
    char event[16];
    enum incidents_news news; /* NOTHING: repeated, muted */
    bool is_mute;
    char id[ALERT_ID_SIZE]; /* "" when it is about no incident */
    enum alert_severity severity;
    char *environment[ENVIRONMENT_MAX]; /* owned */
    size_t environment_count;
};

struct siren {
    /* fixed after create */
    struct siren_options options;
    pthread_t thread;
    /* owned by the loop */
    struct loop_timer *timer;
    struct errand errand; /* under way while is_busy; then lent to the thread */
    bool is_busy;
    int64_t failures;
    int64_t not_before_ms;
    int64_t told_ms; /* when anything was told, for repeating */
    uint64_t runs;
    uint64_t failed;
    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_stopping;
    bool is_given; /* the errand is to be run */
    bool is_done;
    bool has_failed;
};

/* ---- the command's thread ---- */

static bool run_command(const struct siren *siren)
{
    const struct siren_options *options = &siren->options;
    char event[sizeof siren->errand.event];
    char **argv = mem_array(options->command_count + 2, sizeof *argv);
    for (size_t i = 0; i < options->command_count; i++)
        argv[i] = options->command[i];
    memcpy(event, siren->errand.event, sizeof event);
    argv[options->command_count] = event;
    const struct program_options program = {.argv = argv,
                                            .environment = siren->errand.environment,
                                            .timeout_ms = options->timeout_ms,
                                            .output_max = OUTPUT_MAX};
    struct buf out = {0};
    struct buf complaint = {0};
    struct err_text why;
    bool is_done = program_run(&program, &out, &complaint, &why) == ERR_OK;
    if (!is_done)
        log_error("the command for incidents failed event=%s: %s", event, why.text);
    buf_fini(&out);
    buf_fini(&complaint);
    free(argv);
    return is_done;
}

static void *serve(void *context)
{
    struct siren *siren = context;
    pthread_mutex_lock(&siren->lock);
    while (!siren->is_stopping) {
        if (!siren->is_given) {
            pthread_cond_wait(&siren->changed, &siren->lock);
            continue;
        }
        siren->is_given = false;
        pthread_mutex_unlock(&siren->lock);
        bool is_done = run_command(siren);
        pthread_mutex_lock(&siren->lock);
        siren->is_done = true;
        siren->has_failed = !is_done;
    }
    pthread_mutex_unlock(&siren->lock);
    return NULL;
}

/* Signals are the loop's. */
static void start_thread(struct siren *siren)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&siren->thread, NULL, serve, siren) != 0)
        log_fatal("no thread can be made for=siren");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- what a command is told ---- */

static void forget_errand(struct errand *errand)
{
    for (size_t i = 0; i < errand->environment_count; i++)
        free(errand->environment[i]);
    *errand = (struct errand){0};
}

static void put(struct errand *errand, char *text)
{
    assert(errand->environment_count + 1 < ENVIRONMENT_MAX); /* NULL at the end */
    errand->environment[errand->environment_count++] = text;
}

/* What is not known is not there. */
static void put_number(struct errand *errand, const char *name, double value)
{
    if (isfinite(value))
        put(errand, mem_format("COLDCHAIN_%s=%.10g", name, value));
}

/* What it means for the goods. */
static void describe_harm(struct errand *errand, const struct harm *harm)
{
    if (harm->at_ms == 0)
        return;
    put_number(errand, "AIR", harm->air_C);
    put_number(errand, "BAND_LOW", harm->band_low_C);
    put_number(errand, "BAND_HIGH", harm->band_high_C);
    if (!harm->has_goods)
        return;
    put_number(errand, "GOODS", harm->goods_C.mid);
    put_number(errand, "GOODS_LOW", harm->goods_C.low);
    put_number(errand, "GOODS_HIGH", harm->goods_C.high);
    put(errand, mem_format("COLDCHAIN_HARM=%s", harm_outlook_name(harm->outlook)));
    put(errand, mem_format("COLDCHAIN_TAU_FROM=%s", harm_basis_name(harm->basis)));
    if (harm->outlook != HARM_COMES)
        return;
    put_number(errand, "HARM_MINUTES", harm->minutes.mid);
    put_number(errand, "HARM_MINUTES_LOW", harm->minutes.low);
    put_number(errand, "HARM_MINUTES_HIGH", harm->minutes.high);
}

static void describe(struct errand *errand, const struct incidents_entry *entry)
{
    char iso[CLOCK_ISO_MAX];
    memcpy(errand->id, entry->id, sizeof errand->id);
    errand->severity = entry->severity;
    put(errand, mem_format("COLDCHAIN_INCIDENT=%s", entry->id));
    put(errand, mem_format("COLDCHAIN_RULE=%s", entry->rule));
    put(errand, mem_format("COLDCHAIN_ZONE=%s", entry->zone));
    put(errand, mem_format("COLDCHAIN_CHANNEL=%s", entry->channel));
    put(errand, mem_format("COLDCHAIN_KIND=%s", alert_kind_name(entry->kind)));
    put(errand,
        mem_format("COLDCHAIN_SEVERITY=%s", alert_severity_name(entry->severity)));
    put(errand, mem_format("COLDCHAIN_VALUE=%g", entry->value));
    put(errand, mem_format("COLDCHAIN_LIMIT=%g", entry->limit));
    put(errand, mem_format("COLDCHAIN_WORST=%g", entry->worst));
    put(errand, mem_format("COLDCHAIN_SINCE=%s", clock_format_iso(iso, entry->onset_ms)));
    if (entry->state != INCIDENT_CLOSED)
        describe_harm(errand, &entry->harm);
}

/* How many ring once this is told. */
static size_t ringing_after(const struct siren *siren, enum incidents_news news,
                            const struct incidents_entry *entry)
{
    size_t ringing = incidents_count(siren->options.list, true);
    bool rings = entry->told != 0 && !entry->is_muted;
    if (news != INCIDENTS_CLOSED)
        return ringing + !rings;
    return ringing; /* what is over or idle is not counted any more */
}

static void make_errand(struct siren *siren, const char *event,
                        const struct incidents_entry *entry, size_t ringing)
{
    struct errand *errand = &siren->errand;
    snprintf(errand->event, sizeof errand->event, "%s", event);
    put(errand, mem_format("COLDCHAIN_EVENT=%s", event));
    put(errand, mem_format("COLDCHAIN_DEVICE=%s", siren->options.device));
    put(errand, mem_format("COLDCHAIN_OPEN=%zu", ringing));
    if (entry != NULL)
        describe(errand, entry);
}

/* ---- the loop's side ---- */

static void note_told(struct siren *siren)
{
    const struct errand *errand = &siren->errand;
    if (errand->news != INCIDENTS_NOTHING)
        incidents_told(siren->options.list, errand->id, errand->news, errand->severity);
    if (errand->is_mute)
        siren->options.list->has_to_mute = false;
    siren->told_ms = clock_real_ms();
    siren->failures = 0;
    siren->not_before_ms = 0;
    forget_errand(&siren->errand);
    siren->options.on_told(siren->options.context);
}

int64_t siren_wait_ms(int64_t retry_ms, int64_t failures)
{
    assert(failures > 0);
    int64_t doublings = failures - 1 < RETRY_DOUBLINGS ? failures - 1 : RETRY_DOUBLINGS;
    return retry_ms << doublings;
}

static void try_later(struct siren *siren)
{
    assert(!siren->is_busy);
    siren->failures++;
    siren->not_before_ms =
        clock_real_ms() + siren_wait_ms(siren->options.retry_ms, siren->failures);
    forget_errand(&siren->errand);
}

/* False while it is under way. */
static bool take_result(struct siren *siren)
{
    if (!siren->is_busy)
        return true;
    pthread_mutex_lock(&siren->lock);
    bool is_done = siren->is_done;
    bool has_failed = siren->has_failed;
    siren->is_done = false;
    pthread_mutex_unlock(&siren->lock);
    if (!is_done)
        return false;
    siren->is_busy = false;
    siren->runs++;
    siren->failed += has_failed;
    if (has_failed)
        try_later(siren);
    else
        note_told(siren);
    return true;
}

/* Touched since it was last followed; one that goes asks for nothing. */
static void look_at_mute_file(struct siren *siren)
{
    struct stat now;
    struct incidents *list = siren->options.list;
    if (siren->options.mute_file == NULL || stat(siren->options.mute_file, &now) != 0)
        return;
    int64_t stamp_ns = (int64_t)now.st_mtim.tv_sec * 1000000000 + now.st_mtim.tv_nsec;
    if (stamp_ns == list->mute_stamp_ns)
        return;
    list->mute_stamp_ns = stamp_ns;
    if (incidents_mute(list)) {
        log_info("muted: what is open now is quiet until it gets graver");
        list->has_to_mute = true;
    }
    siren->options.on_told(siren->options.context);
}

/* False when there is nothing to tell. */
static bool find_errand(struct siren *siren)
{
    assert(!siren->is_busy); /* the thread has the errand then */
    size_t index;
    const struct siren_options *options = &siren->options;
    enum incidents_news news = incidents_next(options->list, options->least, &index);
    siren->errand = (struct errand){.news = news};
    if (news != INCIDENTS_NOTHING) {
        static const char *const events[] = {[INCIDENTS_OPENED] = "opened",
                                             [INCIDENTS_ESCALATED] = "escalated",
                                             [INCIDENTS_CLOSED] = "closed"};
        const struct incidents_entry *entry = &options->list->entries[index];
        make_errand(siren, events[news], entry, ringing_after(siren, news, entry));
        return true;
    }
    size_t ringing = incidents_count(options->list, true);
    if (options->list->has_to_mute) {
        siren->errand.is_mute = true;
        make_errand(siren, "muted", NULL, ringing);
        return true;
    }
    if (ringing == 0 || options->repeat_ms == 0 ||
        clock_real_ms() - siren->told_ms < options->repeat_ms)
        return false;
    make_errand(siren, "repeated", incidents_gravest(options->list), ringing);
    return true;
}

/* Over before anybody was told of it. */
static bool is_untold_end(const struct siren *siren)
{
    const struct incidents *list = siren->options.list;
    if (siren->errand.news != INCIDENTS_CLOSED)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->entries[i].id, siren->errand.id) == 0)
            return list->entries[i].told == 0;
    return true;
}

static void give(struct siren *siren)
{
    assert(!siren->is_busy && siren->options.command_count > 0);
    siren->is_busy = true;
    pthread_mutex_lock(&siren->lock);
    siren->is_given = true;
    pthread_cond_signal(&siren->changed);
    pthread_mutex_unlock(&siren->lock);
}

static void look(struct siren *siren)
{
    while (take_result(siren) && clock_real_ms() >= siren->not_before_ms &&
           find_errand(siren)) {
        if (siren->options.command_count > 0 && !is_untold_end(siren))
            give(siren);
        else
            note_told(siren);
    }
    loop_timer_arm(siren->timer, siren->is_busy ? UNDER_WAY_MS : LOOK_MS);
}

static void on_timer(void *context)
{
    struct siren *siren = context;
    look_at_mute_file(siren);
    look(siren);
}

void siren_look(struct siren *siren)
{
    look(siren);
}

struct siren *siren_create(const struct siren_options *options)
{
    assert(options->list != NULL && options->on_told != NULL);
    struct siren *siren = mem_alloc(sizeof *siren);
    siren->options = *options;
    siren->told_ms = clock_real_ms();
    pthread_mutex_init(&siren->lock, NULL);
    pthread_cond_init(&siren->changed, NULL);
    if (options->command_count > 0)
        start_thread(siren);
    siren->timer = loop_timer_create(options->loop, on_timer, siren);
    loop_timer_arm(siren->timer, 0);
    return siren;
}

void siren_destroy(struct siren *siren)
{
    if (siren == NULL)
        return;
    pthread_mutex_lock(&siren->lock);
    siren->is_stopping = true;
    pthread_cond_signal(&siren->changed);
    pthread_mutex_unlock(&siren->lock);
    if (siren->options.command_count > 0)
        pthread_join(siren->thread, NULL);
    if (siren->is_busy && !take_result(siren))
        forget_errand(&siren->errand); /* never begun: told after the next start */
    loop_timer_destroy(siren->timer);
    pthread_cond_destroy(&siren->changed);
    pthread_mutex_destroy(&siren->lock);
    free(siren);
}

uint64_t siren_runs(const struct siren *siren, uint64_t *failed)
{
    *failed = siren->failed;
    return siren->runs;
}
