// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/verdicts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "edge-agent/packer.h"
#include "edge-agent/verdict_rules.h"
#include "edge-agent/verdicts_kept.h"

/* How often what is judged is kept while no incident changes: a card wears out. */
#define KEEP_MS        ((int64_t)10 * 60 * 1000)
#define FILE_MAX       (16u << 20)
#define START_QUIET_MS 120000
/* What another clock's times were of is over, when it has not opened anew so long after
 * the longest delay. */
#define CARRY_MS ((int64_t)10 * 60 * 1000)
/* Nobody's acknowledgement keeps a siren quiet for longer, whatever a message says. */
#define QUIET_MAX_MS ((int64_t)12 * 60 * 60 * 1000)

/* One channel of this device, and what it measures. */
struct measured {
    char name[ID_SIZE];
    char quantity[ID_SIZE];
    char zone[ID_SIZE]; /* "": none of those that we were told of */
};

struct verdicts {
    struct verdicts_options options; /* fixed after create, with path and sink */
    char *path;
    struct alert_sink sink;
    struct alerts *engine;
    const struct zone_rules *zones; /* the agent's */
    struct verdict_spans spans;     /* that were declared */
    struct alert_rule *rules;
    size_t rule_count;
    struct zone_notes notes; /* of rules that are not judged */
    struct measured *channels;
    size_t channel_count;
    struct verdicts_kept kept;
    int64_t shift_ms; /* from boot time to the time that is judged by */
    bool is_silent;   /* what is judged once more: the list is told of when it is done */
    bool has_changed; /* the list, since on_changed() */
    bool is_kept;     /* what matters is in the file */
    int64_t kept_real_ms;
    struct pack pack; /* both kept for their memory */
    struct buf text;
};

/* ---- time ---- */

static int64_t now_ms(const struct verdicts *verdicts)
{
    const struct clock *clock = verdicts->options.clock;
    return verdicts->kept.is_boot_time ? clock_boot_ms(clock) : clock_wall_ms(clock);
}

static int64_t longest_delay_ms(const struct verdicts *verdicts)
{
    int64_t longest_ms = 0;
    for (size_t i = 0; i < verdicts->rule_count; i++) {
        const struct alert_rule *rule = &verdicts->rules[i];
        for (size_t j = 0; j < rule->level_count; j++)
            if (rule->levels[j].delay_ms > longest_ms)
                longest_ms = rule->levels[j].delay_ms;
        if (rule->silent_ms > longest_ms)
            longest_ms = rule->silent_ms;
    }
    return longest_ms;
}

/* ---- what the engine tells ---- */

static void say(enum alert_effect_kind kind, const struct incident *incident)
{
    char onset[CLOCK_ISO_MAX];
    clock_format_iso(onset, incident->onset_ms);
    if (kind == ALERT_EFFECT_UPDATED)
        return;
    log_warn("incident %s id=%s zone=%s channel=%s rule=%s severity=%s value=%g limit=%g "
             "since=%s",
             alert_effect_name(kind), incident->id, incident->zone, incident->channel,
             incident->rule, alert_severity_name(incident->severity), incident->value,
             incident->limit, onset);
}

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct verdicts *verdicts = context;
    if (incidents_apply(&verdicts->kept.list, kind, incident))
        verdicts->has_changed = true;
    if (!verdicts->is_silent)
        say(kind, incident);
}

/* ---- what people did where they see it ---- */

static_assert(ZONE_RULES_INCIDENT_SIZE == ALERT_ID_SIZE, "the ids are the engine's");

/* Silence has another id there, for it counts from when something arrived. */
static bool is_about(const struct zone_handled *handled,
                     const struct incidents_entry *entry)
{
    if (strcmp(handled->incident, entry->id) == 0)
        return true;
    return alert_kind_is_silence(entry->kind) && entry->opened_ms <= handled->at_ms &&
           strcmp(handled->rule, entry->rule) == 0 &&
           strcmp(handled->channel, entry->channel) == 0;
}

static const struct zone_handled *handled_of(const struct verdicts *verdicts,
                                             const struct incidents_entry *entry)
{
    for (size_t i = 0; i < verdicts->zones->zone_count; i++) {
        const struct zone_config *zone = &verdicts->zones->zones[i];
        if (strcmp(zone->zone, entry->zone) != 0)
            continue;
        for (size_t j = 0; j < zone->handled_count; j++)
            if (is_about(&zone->handled[j], entry))
                return &zone->handled[j];
    }
    return NULL;
}

static void close_as_there(struct verdicts *verdicts, struct incidents_entry *entry,
                           int64_t at_ms)
{
    char id[ALERT_ID_SIZE];
    memcpy(id, entry->id, sizeof id);
    if (alerts_close(verdicts->engine, id, at_ms, &verdicts->sink) != ERR_OK)
        incidents_end(entry);
    verdicts->has_changed = true;
}

/* Looked at again and again: what is open may have come after it was handled there. */
static void follow_people(struct verdicts *verdicts)
{
    struct incidents *list = &verdicts->kept.list;
    int64_t time_ms = now_ms(verdicts);
    if (verdicts->kept.is_boot_time)
        return; /* no incident here is one of those */
    for (size_t i = 0; i < list->count; i++) {
        struct incidents_entry *entry = &list->entries[i];
        if (entry->state == INCIDENT_CLOSED)
            continue;
        const struct zone_handled *handled = handled_of(verdicts, entry);
        if (handled != NULL && handled->quiet_until_ms == 0) {
            close_as_there(verdicts, entry,
                           handled->at_ms < time_ms ? handled->at_ms : time_ms);
            continue;
        }
        int64_t until_ms = handled != NULL ? handled->quiet_until_ms : 0;
        if (until_ms <= time_ms || until_ms - time_ms > QUIET_MAX_MS)
            until_ms = 0;
        if (incidents_quiet(list, entry, until_ms))
            verdicts->has_changed = true;
    }
}

static void tell_changes(struct verdicts *verdicts)
{
    follow_people(verdicts);
    if (!verdicts->has_changed)
        return;
    verdicts->has_changed = false;
    verdicts_keep(verdicts);
    if (verdicts->options.on_changed != NULL)
        verdicts->options.on_changed(verdicts->options.context);
}

/* ---- the engine and its rules ---- */

static void set_engine_rules(struct verdicts *verdicts)
{
    struct err_text why = {""};
    if (alerts_set_rules(verdicts->engine, verdicts->rules, verdicts->rule_count,
                         now_ms(verdicts), &why) != ERR_OK)
        log_error("the zones' rules are not judged here reason=\"%s\"", why.text);
    verdict_rooms(verdicts->engine, verdicts->zones, &verdicts->spans, now_ms(verdicts));
}

static void expect_channels(struct verdicts *verdicts)
{
    for (size_t i = 0; i < verdicts->channel_count; i++) {
        const struct measured *channel = &verdicts->channels[i];
        if (channel->zone[0] != '\0')
            alerts_expect(verdicts->engine, channel->zone,
                          verdicts->options.settings->device, channel->name,
                          channel->quantity, now_ms(verdicts));
    }
}

static int64_t grace_ms(const struct verdicts *verdicts)
{
    int64_t quiet_ms = START_QUIET_MS;
    const struct settings *settings = verdicts->options.settings;
    for (size_t i = 0; i < settings->sensor_count; i++)
        if (2 * settings->sensors[i].interval_ms > quiet_ms)
            quiet_ms = 2 * settings->sensors[i].interval_ms;
    return quiet_ms;
}

/* What was not heard while we were away, or by another clock, is not silent at once. */
static void begin_grace(struct verdicts *verdicts)
{
    alerts_set_grace(verdicts->engine, now_ms(verdicts) + grace_ms(verdicts));
}

static void begin_engine(struct verdicts *verdicts)
{
    alerts_destroy(verdicts->engine);
    verdicts->engine = alerts_create();
    set_engine_rules(verdicts);
    begin_grace(verdicts);
}

static void add_channels(struct verdicts *verdicts)
{
    const struct settings *settings = verdicts->options.settings;
    for (size_t i = 0; i < settings->sensor_count; i++)
        verdicts->channel_count += settings->sensors[i].channel_count;
    verdicts->channels =
        mem_array(verdicts->channel_count + 1, sizeof *verdicts->channels);
    struct measured *next = verdicts->channels;
    for (size_t i = 0; i < settings->sensor_count; i++) {
        for (size_t j = 0; j < settings->sensors[i].channel_count; j++, next++) {
            struct channel channel;
            *next = (struct measured){.name = ""};
            if (channel_parse(&channel, settings->sensors[i].channels[j].name) != ERR_OK)
                continue; /* the settings are checked */
            memcpy(next->name, channel.name, sizeof next->name);
            memcpy(next->quantity, channel.quantity, sizeof next->quantity);
        }
    }
}

static const struct measured *measured_as(const struct verdicts *verdicts,
                                          const char *channel)
{
    for (size_t i = 0; i < verdicts->channel_count; i++)
        if (strcmp(verdicts->channels[i].name, channel) == 0)
            return &verdicts->channels[i];
    return NULL;
}

static bool is_in_force(const struct verdicts *verdicts, const char *rule)
{
    for (size_t i = 0; i < verdicts->rule_count; i++)
        if (strcmp(verdicts->rules[i].id, rule) == 0)
            return true;
    return false;
}

static void move_channels(struct verdicts *verdicts, const struct zone_rules *rules)
{
    const char *device = verdicts->options.settings->device;
    for (size_t i = 0; i < verdicts->channel_count; i++) {
        struct measured *channel = &verdicts->channels[i];
        const struct zone_config *zone = zone_rules_zone(rules, channel->name);
        const char *name = zone != NULL ? zone->zone : "";
        if (channel->zone[0] != '\0' && strcmp(channel->zone, name) != 0)
            alerts_forget(verdicts->engine, channel->zone, device, channel->name,
                          now_ms(verdicts), NULL);
        memcpy(channel->zone, name, strlen(name) + 1);
    }
}

/* What a rule that went has opened is idle until it comes back, as the engine has it;
 * what a channel measures elsewhere now, nobody here can see the end of. */
static void look_through_list(struct verdicts *verdicts)
{
    struct incidents *list = &verdicts->kept.list;
    for (size_t i = 0; i < list->count; i++) {
        struct incidents_entry *entry = &list->entries[i];
        const struct measured *channel = measured_as(verdicts, entry->channel);
        bool is_idle = !is_in_force(verdicts, entry->rule);
        bool is_derived = alert_channel_is_derived(entry->channel);
        bool is_elsewhere = channel == NULL ? !is_derived
                                            : (channel->zone[0] != '\0' &&
                                               strcmp(channel->zone, entry->zone) != 0);
        verdicts->has_changed |= is_idle != entry->is_idle || is_elsewhere;
        entry->is_idle = is_idle;
        if (!is_elsewhere || entry->state == INCIDENT_CLOSED)
            continue;
        char id[ALERT_ID_SIZE];
        memcpy(id, entry->id, sizeof id);
        if (alerts_end(verdicts->engine, id, now_ms(verdicts), &verdicts->sink) != ERR_OK)
            incidents_end(entry);
    }
}

static void apply_rules(struct verdicts *verdicts, const struct zone_rules *rules)
{
    free(verdicts->rules);
    verdicts->zones = rules;
    verdicts->rules = verdict_rules(rules, &verdicts->notes, &verdicts->rule_count);
    move_channels(verdicts, rules);
}

void verdicts_set_rules(struct verdicts *verdicts, const struct zone_rules *rules)
{
    apply_rules(verdicts, rules);
    set_engine_rules(verdicts);
    expect_channels(verdicts);
    look_through_list(verdicts);
    verdicts->has_changed = true; /* what follows is judged by these: kept */
    tell_changes(verdicts);
}

/* ---- readings ---- */

/* By how much a reading's time is to be changed. False when it cannot be dated. */
static bool date(const struct verdicts *verdicts, const struct pack *pack,
                 int64_t *add_ms)
{
    const struct verdicts_kept *kept = &verdicts->kept;
    *add_ms = 0;
    if (pack->clock != PACK_CLOCK_UNSET)
        return !kept->is_boot_time;
    /* Its own boot's time, and from there on what the clock was set to. */
    *add_ms = verdicts->shift_ms - (pack->wall_ms - pack->boot_ms);
    return strcmp(pack->boot_id, kept->boot_id) == 0;
}

static void take_readings(struct verdicts *verdicts, const struct pack *pack)
{
    int64_t add_ms;
    if (!date(verdicts, pack, &add_ms))
        return;
    for (size_t i = 0; i < pack->reading_count; i++) {
        const struct reading *reading = &pack->readings[i];
        const struct measured *channel =
            measured_as(verdicts, pack->channels[reading->channel].name);
        if (channel == NULL || channel->zone[0] == '\0')
            continue;
        const struct alert_reading given = {
            .zone = channel->zone,
            .device = verdicts->options.settings->device,
            .channel = channel->name,
            .quantity = channel->quantity,
            .time_ms = pack_shifted_ms(reading->time_ms, add_ms),
            .arrival_ms = pack_shifted_ms(pack->wall_ms, add_ms),
            .value = reading->value,
            .quality = (enum quality)reading->quality,
        };
        alerts_reading(verdicts->engine, &given, &verdicts->sink);
    }
}

/* Times from before mean nothing by the new clock. */
static void begin_anew(struct verdicts *verdicts, const struct pack *pack,
                       const struct verdicts_place *place)
{
    struct verdicts_kept *kept = &verdicts->kept;
    log_info("readings are judged by another clock from now on, delays begin anew");
    kept->is_boot_time = pack->clock == PACK_CLOCK_UNSET;
    memcpy(kept->boot_id, pack->boot_id, sizeof kept->boot_id);
    kept->since = *place;
    verdicts->shift_ms = 0;
    verdicts_kept_forget_entities(kept);
    begin_engine(verdicts);
    expect_channels(verdicts);
    int64_t arrival_ms = kept->is_boot_time ? pack->boot_ms : pack->wall_ms;
    incidents_carry(&kept->list, arrival_ms + longest_delay_ms(verdicts) + CARRY_MS);
    verdicts->has_changed = true;
}

static bool is_by_our_clock(const struct verdicts *verdicts, const struct pack *pack)
{
    const struct verdicts_kept *kept = &verdicts->kept;
    if (pack->clock != PACK_CLOCK_UNSET)
        return !kept->is_boot_time;
    return kept->is_boot_time && strcmp(pack->boot_id, kept->boot_id) == 0;
}

/* False when it cannot be read. */
static bool read_pack(struct verdicts *verdicts, const struct verdicts_place *place)
{
    struct spool_pack found;
    return spool_read(verdicts->options.spool, place->epoch, place->seq, &found) ==
               ERR_OK &&
           packer_parse(&verdicts->pack, &verdicts->text, found.bytes, found.len, 0) ==
               ERR_OK;
}

typedef void place_fn(struct verdicts *verdicts, const struct verdicts_place *place);

/* The packs that the journal holds behind `after`, up to `last` (epoch 0: all). Of an
 * epoch that is held no more nothing is left, and all that is held came later. */
static void each_pack(struct verdicts *verdicts, struct verdicts_place after,
                      struct verdicts_place last, place_fn *take)
{
    struct spool *spool = verdicts->options.spool;
    size_t at = 0;
    while (at < spool_epoch_count(spool) &&
           spool_epoch_at(spool, at)->epoch != after.epoch)
        at++;
    if (at == spool_epoch_count(spool))
        at = 0;
    for (; at < spool_epoch_count(spool); at++) {
        const struct spool_epoch *epoch = spool_epoch_at(spool, at);
        struct verdicts_place place = {.epoch = epoch->epoch, .seq = epoch->first};
        if (epoch->epoch == after.epoch && after.seq + 1 > place.seq)
            place.seq = after.seq + 1;
        bool is_last = epoch->epoch == last.epoch;
        uint64_t end = is_last && last.seq < epoch->last ? last.seq : epoch->last;
        for (; place.seq <= end; place.seq++)
            take(verdicts, &place);
        if (is_last)
            return;
    }
}

static void judge_again(struct verdicts *verdicts, const struct verdicts_place *place)
{
    if (read_pack(verdicts, place) && verdicts->pack.kind == PACK_DATA)
        take_readings(verdicts, &verdicts->pack);
}

/* That boot is dated now, and the collector judges it so. */
static void judge_boot_again(struct verdicts *verdicts, int64_t offset_ms)
{
    struct verdicts_kept *kept = &verdicts->kept;
    struct incidents before = kept->list;
    struct verdicts_place after = {.epoch = kept->since.epoch,
                                   .seq = kept->since.seq - 1};
    kept->list = (struct incidents){0};
    kept->is_boot_time = false;
    verdicts->shift_ms = offset_ms;
    verdicts_kept_forget_entities(kept);
    begin_engine(verdicts);
    verdicts->is_silent = true;
    each_pack(verdicts, after, kept->judged, judge_again);
    verdicts->is_silent = false;
    expect_channels(verdicts);
    incidents_inherit(&kept->list, &before);
    look_through_list(verdicts);
    verdicts->has_changed = true;
    log_info("the clock was set, the readings of this boot are judged by it open=%zu",
             kept->list.count);
}

static void take_pack(struct verdicts *verdicts, const struct verdicts_place *place)
{
    struct verdicts_kept *kept = &verdicts->kept;
    const struct pack *pack = &verdicts->pack;
    if (pack->kind == PACK_CLOCK_FIX) {
        if (kept->is_boot_time && strcmp(pack->fixed_boot_id, kept->boot_id) == 0)
            judge_boot_again(verdicts, pack->offset_ms);
        return;
    }
    if (pack->kind != PACK_DATA)
        return; /* what was thinned or taken along was judged under its first name */
    if (!is_by_our_clock(verdicts, pack))
        begin_anew(verdicts, pack, place);
    take_readings(verdicts, pack);
}

static void judge(struct verdicts *verdicts, const struct verdicts_place *place)
{
    bool is_watched = verdicts->rule_count > 0 || verdicts->kept.list.count > 0;
    if (is_watched && read_pack(verdicts, place))
        take_pack(verdicts, place);
    verdicts->kept.judged = *place;
    verdicts->is_kept &= !is_watched;
}

void verdicts_synced(struct verdicts *verdicts, uint64_t epoch, uint64_t seq)
{
    judge(verdicts, &(struct verdicts_place){.epoch = epoch, .seq = seq});
    tell_changes(verdicts);
}

void verdicts_unsynced(struct verdicts *verdicts, const struct pack *pack)
{
    if (verdicts->rule_count > 0 && is_by_our_clock(verdicts, pack))
        take_readings(verdicts, pack);
    tell_changes(verdicts);
}

void verdicts_tick(struct verdicts *verdicts)
{
    int64_t time_ms = now_ms(verdicts);
    if (alerts_grace(verdicts->engine) > time_ms + grace_ms(verdicts))
        begin_grace(verdicts); /* the clock was ahead */
    alerts_tick(verdicts->engine, time_ms, &verdicts->sink);
    if (incidents_end_carried(&verdicts->kept.list, time_ms))
        verdicts->has_changed = true;
    tell_changes(verdicts);
    if (!verdicts->is_kept && clock_real_ms() - verdicts->kept_real_ms >= KEEP_MS)
        verdicts_keep(verdicts);
}

/* ---- keeping ---- */

static void on_entity(void *context, const char *key, const void *data, size_t len)
{
    struct verdicts *verdicts = context;
    verdicts_kept_put(&verdicts->kept, key, data, len);
}

void verdicts_keep(struct verdicts *verdicts)
{
    struct buf text = {0};
    struct err_text why = {""};
    alerts_save_changed(verdicts->engine, verdicts, on_entity);
    verdicts_kept_save(&verdicts->kept, &text);
    verdicts->kept_real_ms = clock_real_ms();
    verdicts->is_kept = file_replace(verdicts->path, text.data, text.len, &why) == ERR_OK;
    if (!verdicts->is_kept) /* again when it is due, or something changes */
        log_warn("verdicts are not kept, a restart judges by older ones reason=\"%s\"",
                 why.text);
    buf_fini(&text);
}

/* False without a file that can be read. */
static bool load(struct verdicts *verdicts)
{
    struct buf text = {0};
    struct err_text why = {""};
    if (access(verdicts->path, F_OK) != 0)
        return false;
    enum err err = file_read(&text, verdicts->path, FILE_MAX, &why);
    if (err == ERR_OK && !verdicts_kept_load(&verdicts->kept, text.data, text.len))
        err = err_set(&why, ERR_CORRUPT, "%s is damaged", verdicts->path);
    if (err != ERR_OK)
        log_warn("kept verdicts cannot be read, delays begin anew reason=\"%s\"",
                 why.text);
    buf_fini(&text);
    return err == ERR_OK;
}

/* Without a file judging begins with what comes next. */
static void begin_here(struct verdicts *verdicts)
{
    struct verdicts_kept *kept = &verdicts->kept;
    struct spool *spool = verdicts->options.spool;
    size_t count = spool_epoch_count(spool);
    if (count > 0) {
        const struct spool_epoch *epoch = spool_epoch_at(spool, count - 1);
        kept->judged = (struct verdicts_place){.epoch = epoch->epoch, .seq = epoch->last};
    }
    kept->is_boot_time = clock_state_of(verdicts->options.clock) == CLOCK_UNSET;
    clock_boot_id(kept->boot_id);
    kept->since =
        (struct verdicts_place){.epoch = kept->judged.epoch, .seq = kept->judged.seq + 1};
}

static void load_entities(struct verdicts *verdicts)
{
    const struct map *entities = &verdicts->kept.entities;
    for (size_t i = 0; i < entities->count; i++) {
        const struct buf *bytes = entities->entries[i].value;
        if (bytes != NULL && bytes->len > 0 &&
            alerts_load(verdicts->engine, entities->entries[i].key, bytes->data,
                        bytes->len) != ERR_OK)
            log_warn("a kept verdict is not understood key=%s", entities->entries[i].key);
    }
}

struct verdicts *verdicts_create(const struct verdicts_options *options,
                                 const struct zone_rules *rules)
{
    struct verdicts *made = mem_alloc(sizeof *made);
    made->options = *options;
    made->path = mem_format("%s/%s", options->settings->journal.dir, VERDICTS_FILE);
    made->sink = (struct alert_sink){.context = made, .effect = on_effect};
    made->engine = alerts_create();
    made->kept_real_ms = clock_real_ms();
    made->is_kept = true;
    add_channels(made);
    apply_rules(made, rules);
    bool is_new = !load(made);
    if (is_new)
        begin_here(made);
    begin_engine(made);
    load_entities(made);
    begin_grace(made);
    if (!is_new)
        each_pack(made, made->kept.judged, (struct verdicts_place){0}, judge);
    expect_channels(made);
    look_through_list(made);
    tell_changes(made);
    return made;
}

void verdicts_destroy(struct verdicts *verdicts)
{
    if (verdicts == NULL)
        return;
    if (!verdicts->is_kept)
        verdicts_keep(verdicts);
    alerts_destroy(verdicts->engine);
    verdicts_kept_fini(&verdicts->kept);
    pack_fini(&verdicts->pack);
    buf_fini(&verdicts->text);
    free(verdicts->channels);
    verdict_spans_fini(&verdicts->spans);
    free(verdicts->rules);
    free(verdicts->path);
    free(verdicts);
}

struct incidents *verdicts_incidents(struct verdicts *verdicts)
{
    return &verdicts->kept.list;
}

const struct zone_notes *verdicts_notes(const struct verdicts *verdicts)
{
    return &verdicts->notes;
}

void verdicts_refresh(struct verdicts *verdicts)
{
    struct incidents *list = &verdicts->kept.list;
    for (size_t i = 0; i < list->count; i++) {
        struct incidents_entry *entry = &list->entries[i];
        const struct incident *incident = alerts_incident(verdicts->engine, entry->id);
        if (incident == NULL)
            continue;
        entry->value = incident->value;
        entry->worst = incident->worst;
        entry->harm = incident->harm;
    }
}
