// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/recorder.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "edge-agent/packer.h"
#include "edge-agent/thinner.h"

/* Readings that wait in memory while the disk takes nothing. */
#define RETAINED_MAX 2000
/* Thinning that keeps more than this makes no room worth the writing and the wear. */
#define KEPT_MAX 0.5
/* Segments given up in one commit: more would hold the loop too long. */
#define TRIMS_MAX 4
/* Packs taken along between two commits. */
#define TAKEN_AT_ONCE 64
/* Between two looks; a time service that slews is slower. */
#define CLOCK_STEP_MS 1000

static_assert((int)PACK_CLOCK_UNSET == (int)CLOCK_UNSET &&
                  (int)PACK_CLOCK_STEPPED == (int)CLOCK_STEPPED &&
                  (int)PACK_CLOCK_SYNCED == (int)CLOCK_SYNCED,
              "the clock's states travel by the same names");

/* A pack that is written and not yet announced. */
struct announcement {
    uint64_t epoch;
    uint64_t seq;
    bool is_urgent;
};

struct recorder {
    const struct settings *settings; /* fixed after create, to sender */
    struct spool *spool;
    const struct clock *clock;
    struct recorder_sender sender;
    struct tap *tap;           /* or NULL */
    struct verdicts *verdicts; /* or NULL */
    char boot_id[PACK_BOOT_ID_SIZE];
    int64_t offset_ms; /* wall - boot time, by which what is open was dated */
    enum clock_state clock_state;

    struct packer packer;
    uint64_t epoch;
    uint64_t last_seq;
    uint64_t last_hash;
    struct spool_cursor taken[SPOOL_CURSORS_MAX]; /* with what is open */
    struct spool_cursor saved[SPOOL_CURSORS_MAX]; /* with the last pack of readings */
    size_t cursor_count;
    struct announcement *pending;
    size_t pending_count;
    size_t pending_capacity;
    struct buf bytes;
    bool is_full; /* the disk, whatever our budget says */
    bool is_committing;
    struct recorder_counts counts;
};

/* ---- names ---- */

/* By the clock that dated the readings, which may have been set since. */
static struct packer_label next_label(const struct recorder *recorder)
{
    int64_t boot_ms = clock_boot_ms(recorder->clock);
    return (struct packer_label){
        .device = recorder->settings->device,
        .epoch = recorder->epoch,
        .seq = recorder->last_seq + 1,
        .previous_hash = recorder->last_hash,
        .clock = (enum pack_clock)recorder->clock_state,
        .boot_id = recorder->boot_id,
        .boot_ms = boot_ms,
        .wall_ms = boot_ms + recorder->offset_ms,
    };
}

static void begin_epoch(struct recorder *recorder)
{
    do
        crypto_random(&recorder->epoch, sizeof recorder->epoch);
    while (recorder->epoch == 0);
    recorder->last_seq = 0;
    recorder->last_hash = 0;
}

/* ---- writing ---- */

/* recorder->bytes become the pack of the next seq. */
static enum err write_pack(struct recorder *recorder, struct spool_pack pack)
{
    assert(recorder->epoch != 0 && recorder->bytes.len > 0);
    pack.epoch = recorder->epoch;
    pack.seq = recorder->last_seq + 1;
    pack.cursors = pack.cursors != NULL ? pack.cursors : recorder->saved;
    pack.cursor_count = recorder->cursor_count;
    pack.bytes = recorder->bytes.data;
    pack.len = recorder->bytes.len;
    enum err err = spool_write(recorder->spool, &pack, clock_wall_ms(recorder->clock),
                               clock_boot_ms(recorder->clock));
    if (err != ERR_OK)
        return err;
    recorder->last_seq = pack.seq;
    recorder->last_hash = spool_last_hash(recorder->spool);
    recorder->counts.packs++;
    mem_grow(&recorder->pending, &recorder->pending_capacity, recorder->pending_count + 1,
             sizeof *recorder->pending);
    recorder->pending[recorder->pending_count++] = (struct announcement){
        .epoch = pack.epoch, .seq = pack.seq, .is_urgent = pack.is_urgent};
    return ERR_OK;
}

/* A pack without readings, or one that thinning made. */
static enum err write_control(struct recorder *recorder, struct pack *pack,
                              bool has_breach)
{
    struct packer_label label = next_label(recorder);
    if (pack->boot_id[0] != '\0') { /* its readings were dated by the clock of then */
        label.clock = pack->clock;
        label.boot_ms = pack->boot_ms;
        label.wall_ms = pack->wall_ms;
    }
    const char *boot_id = pack->boot_id[0] != '\0' ? pack->boot_id : recorder->boot_id;
    char boot_text[PACK_BOOT_ID_SIZE];
    memcpy(boot_text, boot_id, sizeof boot_text);
    label.boot_id = boot_text;
    packer_name(pack, &label);
    buf_clear(&recorder->bytes);
    packer_format(&recorder->packer, pack, &recorder->bytes);
    return write_pack(recorder, (struct spool_pack){
                                    .readings = (uint32_t)pack->reading_count,
                                    .has_breach = has_breach,
                                });
}

static enum err write_epoch_end(struct recorder *recorder, uint64_t ended, uint64_t last)
{
    struct pack pack = {.kind = PACK_EPOCH_END, .ended = ended, .to = last};
    enum err err = write_control(recorder, &pack, false);
    pack_fini(&pack);
    return err;
}

enum err recorder_write_loss(struct recorder *recorder, uint64_t epoch, uint64_t from,
                             uint64_t to, const char *reason)
{
    assert(from >= 1 && from <= to && strlen(reason) < ID_SIZE);
    struct pack pack = {
        .kind = PACK_LOSS,
        .ended = epoch == recorder->epoch ? 0 : epoch,
        .from = from,
        .to = to,
    };
    memcpy(pack.reason, reason, strlen(reason));
    log_warn("packs cannot be sent any more from=%llu to=%llu reason=%s",
             (unsigned long long)from, (unsigned long long)to, reason);
    enum err err = write_control(recorder, &pack, false);
    pack_fini(&pack);
    return err;
}

enum err recorder_new_epoch(struct recorder *recorder)
{
    assert(recorder->epoch != 0);
    uint64_t ended = recorder->epoch;
    uint64_t last = recorder->last_seq;
    /* What is open belongs to the new epoch: it was never sent. */
    begin_epoch(recorder);
    log_warn("a new epoch begins ended=%016llx last=%llu", (unsigned long long)ended,
             (unsigned long long)last);
    return write_epoch_end(recorder, ended, last);
}

/* ---- forks ---- */

enum err recorder_write_moved(struct recorder *recorder, uint64_t epoch, uint64_t from,
                              uint64_t to)
{
    assert(from >= 1 && from <= to);
    struct pack pack = {.kind = PACK_THINNED,
                        .ended = epoch == recorder->epoch ? 0 : epoch,
                        .from = from,
                        .to = to,
                        .reason = PACK_REASON_MOVED};
    enum err err = write_control(recorder, &pack, false);
    pack_fini(&pack);
    return err;
}

enum err recorder_fork(struct recorder *recorder)
{
    log_error("another device goes by this one's name, or this is a copy");
    return recorder_new_epoch(recorder);
}

static enum err write_taken_along(struct recorder *recorder, struct thinner *thinner)
{
    enum err err = ERR_OK;
    struct thinned *kept;
    while (err == ERR_OK && (kept = thinner_next(thinner)) != NULL) {
        if (kept->stands_for_source)
            kept->pack.ended = kept->epoch;
        err = write_control(recorder, &kept->pack, kept->has_breach);
    }
    return err;
}

/* Those of [from, to] that can be read; the others are lost. */
static enum err take_some_along(struct recorder *recorder, uint64_t epoch, uint64_t from,
                                uint64_t to, bool is_fork)
{
    struct thinner *thinner = thinner_create_rescue(
        &recorder->packer, is_fork ? PACK_REASON_FORK : PACK_REASON_CLOSED);
    enum err err = ERR_OK;
    for (uint64_t seq = from; seq <= to && err == ERR_OK; seq++) {
        struct spool_pack pack;
        if (spool_read(recorder->spool, epoch, seq, &pack) != ERR_OK ||
            !thinner_take(thinner, &pack, clock_wall_ms(recorder->clock)))
            err = recorder_write_loss(recorder, epoch, seq, seq, "damaged");
    }
    if (err == ERR_OK)
        err = write_taken_along(recorder, thinner);
    thinner_destroy(thinner);
    return err;
}

enum err recorder_take_along(struct recorder *recorder, uint64_t epoch, uint64_t from,
                             uint64_t to, bool is_fork)
{
    assert(from >= 1 && from <= to);
    log_warn("packs go under new names epoch=%016llx from=%llu to=%llu reason=%s",
             (unsigned long long)epoch, (unsigned long long)from, (unsigned long long)to,
             is_fork ? PACK_REASON_FORK : PACK_REASON_CLOSED);
    for (uint64_t seq = from; seq <= to; seq += TAKEN_AT_ONCE) {
        uint64_t last = to - seq < TAKEN_AT_ONCE ? to : seq + TAKEN_AT_ONCE - 1;
        enum err err = take_some_along(recorder, epoch, seq, last, is_fork);
        if (err == ERR_OK)
            err = recorder_commit(recorder);
        if (err != ERR_OK)
            return err;
        if (recorder->sender.on_thinned != NULL)
            recorder->sender.on_thinned(recorder->sender.context, epoch, seq, last);
    }
    return ERR_OK;
}

/* ---- cursors ---- */

static void put_cursor(struct recorder *recorder, uint64_t sensor, uint64_t cursor,
                       bool is_saved)
{
    size_t at = 0;
    while (at < recorder->cursor_count && recorder->taken[at].sensor != sensor)
        at++;
    assert(at < SPOOL_CURSORS_MAX);
    if (at == recorder->cursor_count) {
        recorder->saved[at] = (struct spool_cursor){.sensor = sensor};
        recorder->cursor_count++;
    }
    recorder->taken[at] = (struct spool_cursor){.sensor = sensor, .cursor = cursor};
    if (is_saved)
        recorder->saved[at] = recorder->taken[at];
}

/* ---- the clock ---- */

/* The cursor that says, with each pack, in which boot an unset clock dated one. */
static uint64_t unset_cursor(void)
{
    return rng_seed_of("unset clock");
}

static uint64_t boot_number(const struct recorder *recorder)
{
    return rng_seed_of(recorder->boot_id);
}

static enum err write_clock_fix(struct recorder *recorder)
{
    assert(recorder->clock_state != CLOCK_UNSET);
    struct pack pack = {.kind = PACK_CLOCK_FIX, .offset_ms = recorder->offset_ms};
    memcpy(pack.fixed_boot_id, recorder->boot_id, sizeof pack.fixed_boot_id);
    log_info("the clock was set: earlier readings of this boot are dated by it");
    put_cursor(recorder, unset_cursor(), 0, true);
    struct packer_label label = next_label(recorder);
    packer_name(&pack, &label);
    buf_clear(&recorder->bytes);
    packer_format(&recorder->packer, &pack, &recorder->bytes);
    /* Before the backlog, which it dates. */
    enum err err = write_pack(recorder, (struct spool_pack){.is_urgent = true});
    pack_fini(&pack);
    return err;
}

static void read_clock(struct recorder *recorder)
{
    recorder->offset_ms = clock_wall_ms(recorder->clock) - clock_boot_ms(recorder->clock);
    recorder->clock_state = clock_state_of(recorder->clock);
}

static bool owes_clock_fix(const struct recorder *recorder)
{
    uint64_t boot = 0;
    for (size_t i = 0; i < recorder->cursor_count; i++)
        if (recorder->saved[i].sensor == unset_cursor())
            boot = recorder->saved[i].cursor;
    return recorder->clock_state != CLOCK_UNSET && boot == boot_number(recorder);
}

enum err recorder_watch_clock(struct recorder *recorder)
{
    int64_t offset_ms = clock_wall_ms(recorder->clock) - clock_boot_ms(recorder->clock);
    int64_t step_ms = offset_ms - recorder->offset_ms;
    enum err err = ERR_OK;
    if (step_ms > CLOCK_STEP_MS || step_ms < -CLOCK_STEP_MS) {
        log_warn("the clock stepped by_ms=%lld", (long long)step_ms);
        err = recorder_close_pack(recorder, true);
    }
    read_clock(recorder);
    if (err == ERR_OK && owes_clock_fix(recorder))
        err = write_clock_fix(recorder);
    return err == ERR_FULL ? ERR_OK : err; /* said when packs are closed */
}

/* ---- creating ---- */

static void load_cursors(struct recorder *recorder)
{
    for (size_t i = 0; i < recorder->settings->sensor_count; i++) {
        uint64_t sensor = rng_seed_of(recorder->settings->sensors[i].name);
        uint64_t cursor;
        if (spool_cursor(recorder->spool, sensor, &cursor))
            put_cursor(recorder, sensor, cursor, true);
    }
}

static void load_unset(struct recorder *recorder)
{
    uint64_t boot;
    if (spool_cursor(recorder->spool, unset_cursor(), &boot))
        put_cursor(recorder, unset_cursor(), boot, true);
}

static void add_channels(struct recorder *recorder)
{
    const struct settings *settings = recorder->settings;
    for (size_t i = 0; i < settings->sensor_count; i++) {
        const struct sensor_settings *sensor = &settings->sensors[i];
        for (size_t j = 0; j < sensor->channel_count; j++) {
            double low = 0;
            double high = 0;
            const char *name = sensor->channels[j].name;
            bool has_band = settings_band(settings, name, &low, &high);
            packer_add_channel(&recorder->packer, name, has_band, low, high);
        }
    }
}

void recorder_apply_rules(struct recorder *recorder, const struct rules *rules)
{
    struct packer *packer = &recorder->packer;
    for (size_t i = 0; i < packer->channel_count; i++) {
        double low = 0;
        double high = 0;
        bool has_band =
            rules_band(rules, recorder->settings, packer->channels[i].name, &low, &high);
        packer_set_band(packer, i, has_band, low, high);
    }
}

static enum err begin(struct recorder *recorder, const struct spool_recovery *recovery)
{
    size_t count = spool_epoch_count(recorder->spool);
    if (count == 0) {
        begin_epoch(recorder);
        return ERR_OK;
    }
    const struct spool_epoch *current = spool_epoch_at(recorder->spool, count - 1);
    recorder->epoch = current->epoch;
    recorder->last_seq = current->last;
    recorder->last_hash = spool_last_hash(recorder->spool);
    if (!recovery->was_cut)
        return ERR_OK;
    log_warn("the journal was damaged, what was cut may have been sent");
    return recorder_new_epoch(recorder);
}

enum err recorder_create(struct recorder **recorder, const struct settings *settings,
                         struct spool *spool, const struct spool_recovery *recovery,
                         const struct clock *clock, struct err_text *why)
{
    struct recorder *made = mem_alloc(sizeof *made);
    made->settings = settings;
    made->spool = spool;
    made->clock = clock;
    clock_boot_id(made->boot_id);
    read_clock(made);
    packer_init(&made->packer, (size_t)settings->pack.readings,
                settings->pack.interval_ms);
    add_channels(made);
    load_cursors(made);
    load_unset(made);
    enum err err = begin(made, recovery);
    if (err == ERR_OK)
        err = recorder_commit(made); /* nobody listens yet: the spool is the index */
    if (err != ERR_OK) {
        recorder_destroy(made);
        *recorder = NULL;
        return err_set(why, err, "the journal takes nothing: %s", err_about(err));
    }
    *recorder = made;
    return ERR_OK;
}

void recorder_destroy(struct recorder *recorder)
{
    if (recorder == NULL)
        return;
    packer_fini(&recorder->packer);
    buf_fini(&recorder->bytes);
    free(recorder->pending);
    free(recorder);
}

void recorder_set_tap(struct recorder *recorder, struct tap *tap)
{
    recorder->tap = tap;
}

void recorder_set_verdicts(struct recorder *recorder, struct verdicts *verdicts)
{
    recorder->verdicts = verdicts;
}

void recorder_set_sender(struct recorder *recorder, const struct recorder_sender *sender)
{
    recorder->sender = *sender;
}

/* ---- taking ---- */

void recorder_take(struct recorder *recorder, size_t channel,
                   const struct reading *reading)
{
    size_t most = recorder->packer.readings_max > RETAINED_MAX
                      ? recorder->packer.readings_max + SENSOR_CHANNELS_MAX
                      : RETAINED_MAX;
    if (packer_count(&recorder->packer) >= most) {
        recorder->counts.dropped++;
        return;
    }
    packer_take(&recorder->packer, channel, *reading, clock_real_ms());
}

void recorder_set_cursor(struct recorder *recorder, uint64_t sensor, uint64_t cursor)
{
    put_cursor(recorder, sensor, cursor, false);
}

/* The disk is full beside our budget: wait, with what there is in memory. */
static void note_full(struct recorder *recorder, bool is_full)
{
    if (is_full && !recorder->is_full)
        log_error("no space on the disk, readings wait in memory limit=%d", RETAINED_MAX);
    if (!is_full && recorder->is_full)
        log_info("the disk takes readings again dropped=%llu",
                 (unsigned long long)recorder->counts.dropped);
    recorder->is_full = is_full;
}

enum err recorder_close_pack(struct recorder *recorder, bool is_forced)
{
    struct packer *packer = &recorder->packer;
    size_t count = packer_count(packer);
    if (count == 0 || !(is_forced || packer_is_due(packer, clock_real_ms())))
        return ERR_OK;
    struct packer_label label = next_label(recorder);
    if (recorder->clock_state == CLOCK_UNSET)
        put_cursor(recorder, unset_cursor(), boot_number(recorder), false);
    buf_clear(&recorder->bytes);
    packer_build(packer, &label, &recorder->bytes);
    enum err err = write_pack(recorder, (struct spool_pack){
                                            .readings = (uint32_t)count,
                                            .is_urgent = packer->is_urgent,
                                            .has_breach = packer->has_breach,
                                            .cursors = recorder->taken,
                                        });
    note_full(recorder, err == ERR_FULL);
    if (err == ERR_FULL && recorder->verdicts != NULL)
        verdicts_unsynced(recorder->verdicts, &packer->pack);
    if (err != ERR_OK)
        return err == ERR_FULL ? ERR_OK : err;
    memcpy(recorder->saved, recorder->taken, sizeof recorder->saved);
    recorder->counts.readings += count;
    packer_reset(packer);
    return ERR_OK;
}

int64_t recorder_due_ms(const struct recorder *recorder)
{
    return packer_due_ms(&recorder->packer);
}

/* ---- room ---- */

static bool is_done(const struct recorder *recorder, uint64_t epoch, uint64_t seq)
{
    return recorder->sender.is_done != NULL &&
           recorder->sender.is_done(recorder->sender.context, epoch, seq);
}

struct survey {
    struct recorder *recorder;
    struct thinner *thinner;
    uint64_t packs;
};

static void survey_pack(void *context, const struct spool_pack *pack)
{
    struct survey *survey = context;
    if (is_done(survey->recorder, pack->epoch, pack->seq))
        return;
    if (!thinner_take(survey->thinner, pack, clock_wall_ms(survey->recorder->clock)))
        log_warn("what cannot be read is not thinned but lost");
    survey->packs++;
}

/* Breaches upon breaches: the oldest go, and it is said (LOSS, by on_trimmed). */
static void give_up(struct recorder *recorder, const struct survey *survey)
{
    log_error(
        "the journal is full of readings out of band: the oldest are lost packs=%llu",
        (unsigned long long)survey->packs);
    recorder->counts.lost += survey->packs;
    thinner_give_up(survey->thinner);
}

/* What thinning kept goes to the end of the journal. */
static enum err write_thinned(struct recorder *recorder, struct thinner *thinner)
{
    struct thinned *thinned;
    while ((thinned = thinner_next(thinner)) != NULL) {
        if (thinned->stands_for_source && thinned->epoch != recorder->epoch)
            thinned->pack.ended = thinned->epoch;
        enum err err = write_control(recorder, &thinned->pack, thinned->has_breach);
        if (err != ERR_OK)
            return err;
        recorder->counts.thinned += thinned->dropped;
        if (thinned->stands_for_source && recorder->sender.on_thinned != NULL)
            recorder->sender.on_thinned(recorder->sender.context, thinned->epoch,
                                        thinned->from, thinned->to);
    }
    return ERR_OK;
}

static void announce_trimmed(struct recorder *recorder)
{
    for (size_t i = 0; i < spool_epoch_count(recorder->spool); i++) {
        const struct spool_epoch *epoch = spool_epoch_at(recorder->spool, i);
        if (recorder->sender.on_trimmed != NULL)
            recorder->sender.on_trimmed(recorder->sender.context, epoch->epoch,
                                        epoch->first);
    }
}

static enum err write_then_trim(struct recorder *recorder, struct thinner *thinner)
{
    enum err err = write_thinned(recorder, thinner);
    if (err == ERR_OK)
        err = spool_sync(recorder->spool);
    return err == ERR_OK ? spool_trim_oldest(recorder->spool) : err;
}

/* The disk has no room for both: a crash in between makes a LOSS of what was thinned. */
static enum err trim_then_write(struct recorder *recorder, struct thinner *thinner)
{
    enum err err = spool_trim_oldest(recorder->spool);
    return err == ERR_OK ? write_thinned(recorder, thinner) : err;
}

/* Gives up the oldest segment: acked packs just go, others are thinned. */
static enum err make_room(struct recorder *recorder)
{
    struct thinner *thinner = thinner_create(&recorder->packer);
    struct survey survey = {.recorder = recorder, .thinner = thinner};
    enum err err = ERR_NOT_FOUND;
    if (spool_oldest(recorder->spool, survey_pack, &survey)) {
        if (thinner_kept(thinner) > KEPT_MAX)
            give_up(recorder, &survey);
        err = recorder->is_full ? ERR_FULL : write_then_trim(recorder, thinner);
        if (err == ERR_FULL)
            err = trim_then_write(recorder, thinner);
        announce_trimmed(recorder);
    }
    thinner_destroy(thinner);
    return err;
}

static enum err keep_budget(struct recorder *recorder)
{
    for (int i = 0; i < TRIMS_MAX; i++) {
        if (!spool_is_full(recorder->spool) && !recorder->is_full)
            return ERR_OK;
        enum err err = make_room(recorder);
        /* NOT_FOUND: all there is, is in use. FULL: said so when packs are closed. */
        if (err == ERR_NOT_FOUND || err == ERR_FULL)
            return ERR_OK;
        if (err != ERR_OK || recorder->is_full)
            return err;
    }
    return ERR_OK;
}

static void tell_tap(struct recorder *recorder, uint64_t epoch, uint64_t seq)
{
    struct spool_pack pack;
    if (recorder->tap != NULL && spool_read(recorder->spool, epoch, seq, &pack) == ERR_OK)
        tap_tell(recorder->tap, recorder->settings->org, recorder->settings->device,
                 epoch, seq, pack.bytes, pack.len);
}

static void announce(struct recorder *recorder)
{
    size_t count = recorder->pending_count;
    struct announcement *announced = recorder->pending;
    recorder->pending = NULL;
    recorder->pending_count = 0;
    recorder->pending_capacity = 0;
    for (size_t i = 0; i < count; i++) {
        tell_tap(recorder, announced[i].epoch, announced[i].seq);
        if (recorder->verdicts != NULL)
            verdicts_synced(recorder->verdicts, announced[i].epoch, announced[i].seq);
        if (recorder->sender.on_synced != NULL)
            recorder->sender.on_synced(recorder->sender.context, announced[i].epoch,
                                       announced[i].seq, announced[i].is_urgent);
    }
    free(announced);
}

enum err recorder_commit(struct recorder *recorder)
{
    if (recorder->is_committing)
        return ERR_OK; /* from within an announcement: the loop below takes it */
    recorder->is_committing = true;
    enum err err = keep_budget(recorder);
    while (err == ERR_OK && recorder->pending_count > 0) {
        err = spool_sync(recorder->spool);
        if (err == ERR_OK)
            announce(recorder);
    }
    recorder->is_committing = false;
    return err;
}

uint64_t recorder_epoch(const struct recorder *recorder)
{
    return recorder->epoch;
}

const struct recorder_counts *recorder_counts(const struct recorder *recorder)
{
    return &recorder->counts;
}

size_t recorder_waiting(const struct recorder *recorder)
{
    return packer_count(&recorder->packer);
}
