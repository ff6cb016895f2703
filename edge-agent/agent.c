// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/agent.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/notify.h"
#include "edge-agent/ack_alarm.h"
#include "edge-agent/recorder.h"
#include "edge-agent/rules.h"
#include "edge-agent/sampler.h"
#include "edge-agent/siren.h"
#include "edge-agent/spool.h"
#include "edge-agent/status.h"
#include "edge-agent/tap.h"
#include "edge-agent/uplink.h"
#include "edge-agent/verdicts.h"

/* Recorded series wait while so many packs are not acked. */
#define CONGESTED_PACKS 2000
/* How often the end of draining is looked for. */
#define DRAIN_POLL_MS    20
#define JUDGE_MS         1000 /* how often silence is looked for */
#define COMMAND_RETRY_MS 5000

struct agent {
    const struct settings *settings;
    const struct agent_run_options *options;
    struct loop *loop;
    struct spool *spool;
    struct recorder *recorder;
    struct rules rules;
    struct verdicts *verdicts;
    struct siren *siren; /* NULL until all is open */
    struct tap *tap;     /* or NULL */
    struct uplink *uplink;
    struct sampler *sampler;
    struct ack_alarm *alarm;
    char *alarm_mark; /* path */
    struct loop_timer *status_timer;
    struct loop_timer *drain_timer;
    struct loop_timer *judge_timer;
    struct notify_watchdog *watchdog;
    bool is_draining;
    int64_t drain_until_ms; /* 0: for ever */
    enum err failure;
};

/* ---- what the parts tell ---- */

static void on_failed(void *context, enum err err)
{
    struct agent *agent = context;
    agent->failure = err;
    loop_stop(agent->loop);
}

static bool is_congested(void *context)
{
    const struct agent *agent = context;
    return uplink_backlog(agent->uplink) >= CONGESTED_PACKS;
}

static void begin_drain(struct agent *agent, int64_t until_ms)
{
    assert(!agent->is_draining);
    agent->is_draining = true;
    agent->drain_until_ms = until_ms;
    loop_timer_arm(agent->drain_timer, 0);
}

static void on_ended(void *context)
{
    struct agent *agent = context;
    log_info("all sensors have ended waiting=%llu",
             (unsigned long long)uplink_backlog(agent->uplink));
    if (agent->options->exit_when_drained)
        begin_drain(agent, 0);
}

static void on_drain(void *context)
{
    struct agent *agent = context;
    uint64_t backlog = uplink_backlog(agent->uplink);
    bool is_late = agent->drain_until_ms != 0 && clock_real_ms() >= agent->drain_until_ms;
    if (backlog == 0 || is_late) {
        log_info("drained waiting=%llu", (unsigned long long)backlog);
        loop_stop(agent->loop);
        return;
    }
    loop_timer_arm(agent->drain_timer, DRAIN_POLL_MS);
}

/* ---- verdicts ---- */

static void on_incidents(void *context)
{
    const struct agent *agent = context;
    if (agent->siren != NULL)
        siren_look(agent->siren);
}

static void on_told(void *context)
{
    const struct agent *agent = context;
    verdicts_keep(agent->verdicts);
}

static void on_rules(void *context)
{
    struct agent *agent = context;
    verdicts_set_rules(agent->verdicts, &agent->rules.in_force);
    agent->rules.unjudged = *verdicts_notes(agent->verdicts);
}

static void on_judge(void *context)
{
    const struct agent *agent = context;
    verdicts_tick(agent->verdicts);
    loop_timer_arm(agent->judge_timer, JUDGE_MS);
}

/* ---- status ---- */

static void count_stored(const struct spool *spool, struct status *status)
{
    for (size_t i = 0; i < spool_epoch_count(spool); i++) {
        const struct spool_epoch *epoch = spool_epoch_at(spool, i);
        status->packs_stored += epoch->last + 1 - epoch->first;
        status->readings_stored +=
            spool_readings(spool, epoch->epoch, epoch->first, epoch->last);
    }
}

static void fill_status(const struct agent *agent, struct status *status)
{
    const struct sampler_counts *sampled = sampler_counts(agent->sampler);
    const struct recorder_counts *recorded = recorder_counts(agent->recorder);
    const struct agent_counts *sent = uplink_counts(agent->uplink);
    const struct zone_notes notes = rules_notes(&agent->rules);
    struct journal_stats journal;
    spool_stats(agent->spool, &journal);
    *status = (struct status){
        .is_connected = uplink_is_connected(agent->uplink),
        .has_ended = sampler_has_ended(agent->sampler),
        .rules_version = agent->rules.in_force.version,
        .rules_taken = agent->rules.taken,
        .rules_refused = agent->rules.refused,
        .rules_unknown = notes.passed_over,
        .rules_left_out = notes.left_out,
        .wall_ms = (uint64_t)clock_wall_ms(agent->options->clock),
        .readings_expected = sampled->expected,
        .readings_taken = sampled->taken,
        .readings_bad = sampled->bad,
        .readings_dropped = recorded->dropped,
        .readings_thinned = recorded->thinned,
        .packs_lost = recorded->lost,
        .readings_waiting = recorder_waiting(agent->recorder),
        .readings_acked = uplink_readings_acked(agent->uplink),
        .packs_acked = uplink_packs_acked(agent->uplink),
        .packs_published = sent->published,
        .packs_resent = sent->resent,
        .packs_rejected = sent->rejected,
        .acks = sent->acks,
        .acks_ignored = sent->acks_ignored,
        .rewinds = sent->rewinds,
        .backlog = uplink_backlog(agent->uplink),
        .journal_bytes = journal.disk_bytes,
        .bytes_written = journal.bytes_written,
        .syncs = journal.syncs,
        .tap_missed = agent->tap != NULL ? tap_missed(agent->tap) : 0,
    };
    status->is_ringing = ack_alarm_is_ringing(agent->alarm);
    status->unacked_ms = (uint64_t)ack_alarm_waiting_ms(agent->alarm);
    status->alarm_runs = ack_alarm_runs(agent->alarm, &status->alarm_runs_failed);
    status->incident_runs = siren_runs(agent->siren, &status->incident_runs_failed);
    verdicts_refresh(agent->verdicts);
    status->incidents = verdicts_incidents(agent->verdicts);
    status->incidents_open = incidents_open(status->incidents);
    count_stored(agent->spool, status);
}

static void write_status(const struct agent *agent)
{
    if (agent->settings->status.file == NULL)
        return;
    struct status status;
    fill_status(agent, &status);
    enum err err = status_write(&status, agent->settings->status.file);
    if (err != ERR_OK)
        log_warn("status file not written path=%s reason=\"%s\"",
                 agent->settings->status.file, err_about(err));
}

static void on_status(void *context)
{
    struct agent *agent = context;
    write_status(agent);
    loop_timer_arm(agent->status_timer, agent->settings->status.interval_ms);
}

/* ---- opening and closing ---- */

static enum err open_journal(struct agent *agent, struct err_text *why)
{
    const struct settings *settings = agent->settings;
    struct spool_recovery recovery;
    enum err err =
        spool_open(&agent->spool, settings->journal.dir,
                   (uint64_t)settings->journal.max_bytes, NULL, &recovery, why);
    if (err != ERR_OK)
        return err;
    log_info("journal open dir=%s born=%d cut=%d packs=%llu unreadable=%llu",
             settings->journal.dir, recovery.is_born, recovery.was_cut,
             (unsigned long long)recovery.packs, (unsigned long long)recovery.unreadable);
    err = recorder_create(&agent->recorder, settings, agent->spool, &recovery,
                          agent->options->clock, why);
    if (err != ERR_OK)
        return err;
    rules_init(&agent->rules, settings->journal.dir);
    recorder_apply_rules(agent->recorder, &agent->rules);
    return ERR_OK;
}

static void open_verdicts(struct agent *agent)
{
    const struct verdicts_options options = {
        .settings = agent->settings,
        .spool = agent->spool,
        .clock = agent->options->clock,
        .context = agent,
        .on_changed = on_incidents,
    };
    agent->verdicts = verdicts_create(&options, &agent->rules.in_force);
    agent->rules.unjudged = *verdicts_notes(agent->verdicts);
    recorder_set_verdicts(agent->recorder, agent->verdicts);
    loop_timer_arm(agent->judge_timer, JUDGE_MS);
}

static void open_siren(struct agent *agent)
{
    const struct settings *settings = agent->settings;
    const struct siren_options options = {
        .loop = agent->loop,
        .list = verdicts_incidents(agent->verdicts),
        .device = settings->device,
        .command = settings->alarm.on_incident,
        .command_count = settings->alarm.on_incident_count,
        .least = (enum alert_severity)settings->alarm.severity,
        .timeout_ms = settings->alarm.timeout_ms,
        .repeat_ms = settings->alarm.repeat_ms,
        .retry_ms = COMMAND_RETRY_MS,
        .mute_file = settings->alarm.mute_file,
        .context = agent,
        .on_told = on_told,
    };
    agent->siren = siren_create(&options);
}

static enum err open_tap(struct agent *agent, struct err_text *why)
{
    const char *path = agent->settings->tap.socket;
    enum err err = path != NULL ? tap_open(&agent->tap, path, why) : ERR_OK;
    recorder_set_tap(agent->recorder, agent->tap);
    return err;
}

static enum err open_uplink(struct agent *agent, struct err_text *why)
{
    struct uplink_options options = {
        .settings = agent->settings,
        .clock = agent->options->clock,
        .loop = agent->loop,
        .spool = agent->spool,
        .recorder = agent->recorder,
        .rules = &agent->rules,
        .context = agent,
        .on_failed = on_failed,
        .on_rules = on_rules,
    };
    return uplink_open(&agent->uplink, &options, why);
}

static enum err open_sampler(struct agent *agent, struct err_text *why)
{
    struct sampler_options options = {
        .settings = agent->settings,
        .clock = agent->options->clock,
        .loop = agent->loop,
        .recorder = agent->recorder,
        .spool = agent->spool,
        .context = agent,
        .is_congested = is_congested,
        .on_ended = on_ended,
        .on_failed = on_failed,
    };
    return sampler_open(&agent->sampler, &options, why);
}

static void look_for_acks(void *context, uint64_t *acked, uint64_t *backlog)
{
    const struct agent *agent = context;
    *acked = uplink_packs_acked(agent->uplink);
    *backlog = uplink_backlog(agent->uplink);
}

static void open_alarm(struct agent *agent)
{
    const struct settings *settings = agent->settings;
    agent->alarm_mark = mem_format("%s/%s", settings->journal.dir, ACK_ALARM_MARK);
    const struct ack_alarm_options options = {
        .loop = agent->loop,
        .after_ms = settings->alarm.no_ack_after_ms,
        .timeout_ms = settings->alarm.timeout_ms,
        .command = settings->alarm.command,
        .command_count = settings->alarm.command_count,
        .retry_ms = COMMAND_RETRY_MS,
        .mark = agent->alarm_mark,
        .context = agent,
        .look = look_for_acks,
    };
    agent->alarm = ack_alarm_create(&options);
}

static enum err open_all(struct agent *agent, struct err_text *why)
{
    enum err err = open_journal(agent, why);
    if (err == ERR_OK) {
        open_verdicts(agent);
        err = open_tap(agent, why);
    }
    if (err == ERR_OK)
        err = open_uplink(agent, why);
    if (err == ERR_OK)
        err = open_sampler(agent, why);
    if (err == ERR_OK) {
        open_alarm(agent);
        open_siren(agent);
    }
    return err;
}

/* Told to stop: what was taken becomes durable, and gets its chance to arrive. */
static enum err wind_down(struct agent *agent)
{
    sampler_stop(agent->sampler);
    enum err err = recorder_close_pack(agent->recorder, true);
    if (err == ERR_OK)
        err = recorder_commit(agent->recorder);
    if (err != ERR_OK || agent->settings->drain_timeout_ms == 0)
        return err;
    log_info("stopping waiting=%llu", (unsigned long long)uplink_backlog(agent->uplink));
    begin_drain(agent, clock_real_ms() + agent->settings->drain_timeout_ms);
    loop_run(agent->loop);
    return agent->failure;
}

static enum err serve(struct agent *agent, struct err_text *why)
{
    loop_timer_arm(agent->status_timer, 0);
    log_info("ready device=%s/%s sensors=%zu waiting=%llu", agent->settings->org,
             agent->settings->device, agent->settings->sensor_count,
             (unsigned long long)uplink_backlog(agent->uplink));
    notify_ready();
    loop_run(agent->loop);
    notify_stopping();
    enum err err = agent->failure;
    if (err == ERR_OK && !agent->is_draining)
        err = wind_down(agent);
    write_status(agent);
    if (err != ERR_OK)
        return err_set(why, err, "the journal in %s failed: %s",
                       agent->settings->journal.dir, err_about(err));
    return ERR_OK;
}

enum err agent_run(const struct settings *settings,
                   const struct agent_run_options *options, struct err_text *why)
{
    struct agent agent = {
        .settings = settings, .options = options, .loop = loop_create()};
    loop_stop_on_signals(agent.loop);
    agent.status_timer = loop_timer_create(agent.loop, on_status, &agent);
    agent.drain_timer = loop_timer_create(agent.loop, on_drain, &agent);
    agent.judge_timer = loop_timer_create(agent.loop, on_judge, &agent);
    agent.watchdog = notify_watchdog_create(agent.loop);
    enum err err = open_all(&agent, why);
    if (err == ERR_OK)
        err = serve(&agent, why);
    siren_destroy(agent.siren);
    ack_alarm_destroy(agent.alarm);
    free(agent.alarm_mark);
    sampler_close(agent.sampler);
    uplink_close(agent.uplink);
    recorder_destroy(agent.recorder);
    verdicts_destroy(agent.verdicts);
    rules_fini(&agent.rules);
    tap_close(agent.tap);
    spool_close(agent.spool);
    notify_watchdog_destroy(agent.watchdog);
    loop_timer_destroy(agent.judge_timer);
    loop_timer_destroy(agent.drain_timer);
    loop_timer_destroy(agent.status_timer);
    loop_destroy(agent.loop);
    return err;
}
