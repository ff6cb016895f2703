// SPDX-License-Identifier: Apache-2.0
/*
 * state - what survives a restart: one entity per source, and the grace.
 *
 * Key "ZONE/DEVICE/CHANNEL" (CHANNEL empty: the device as a whole). Numbers as base/buf
 * writes them, texts as blobs, points in time as zigzag:
 *
 *   u8 version, quantity, u8 is_forgotten, last, heard, varint watches,
 *   per watch: rule id, u8 kind, u64 print of the rule in force (0: it went),
 *              varint fired, u8 which of `since` are set, those, f64 value, f64 worst,
 *              (version 3, predicted) f64 worst_low, f64 worst_high,
 *              u8 has_firing (version 5: 2, when a person closed it, then when;
 *              version 6: 3, one that is blind, then until when)
 *              (version 2) u8 has_hold
 *     firing:  16 bytes id, onset, opened, learned, changed, acknowledged,
 *              acknowledged_by, f64 limit, varint revision, u8 severity, u8 state,
 *              snapshot
 *     hold:    from, f64 worst, f64 limit, u8 reason, u8 severity, u8 is_told, past of
 *              every level
 *   (version 2) gauges: see gauges.c (version 4: in another form)
 *
 * Key "room/ZONE": see room_state.c. Key "grace": u8 version, quiet until.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/room.h"
#include "base/mem.h"

static_assert(ALERT_LEVELS_MAX <= 8, "which of `since` are set is one byte");

#define STATE_VERSION 6
#define GRACE_KEY     "grace"

/* What is saved as has_firing. */
enum { HAS_NONE, HAS_FIRING, IS_DISMISSED, IS_BLIND };

static void put_text(struct buf *out, const char *text)
{
    buf_blob(out, text, strlen(text));
}

static void save_firing(struct buf *out, const struct firing *firing)
{
    buf_add(out, firing->id, ID_BYTES);
    buf_zigzag(out, firing->onset_ms);
    buf_zigzag(out, firing->opened_ms);
    buf_zigzag(out, firing->learned_ms);
    buf_zigzag(out, firing->changed_ms);
    buf_zigzag(out, firing->acknowledged_ms);
    put_text(out, firing->acknowledged_by != NULL ? firing->acknowledged_by : "");
    buf_f64(out, firing->limit);
    buf_varint(out, firing->revision);
    buf_u8(out, firing->severity);
    buf_u8(out, firing->state);
    put_text(out, rule_snapshot(firing->rule));
}

static void save_hold(struct buf *out, const struct hold *hold)
{
    buf_zigzag(out, hold->from_ms);
    buf_f64(out, hold->worst);
    buf_f64(out, hold->limit);
    buf_u8(out, hold->reason);
    buf_u8(out, hold->severity);
    buf_u8(out, hold->is_told);
    for (unsigned i = 0; i < ALERT_LEVELS_MAX; i++)
        buf_zigzag(out, hold->past_ms[i]);
}

static void save_watch(struct buf *out, const struct watch *watch)
{
    assert(watch->rule != NULL || watch->firing != NULL);
    const struct rule *rule = watch->rule != NULL ? watch->rule : watch->firing->rule;
    put_text(out, rule->id);
    buf_u8(out, rule->kind);
    buf_u64(out, watch->rule != NULL ? rule->print : 0);
    buf_varint(out, watch->fired);
    unsigned set = 0;
    for (unsigned i = 0; i < ALERT_LEVELS_MAX; i++)
        if (watch->since[i] != TIME_NONE)
            set |= 1u << i;
    buf_u8(out, (uint8_t)set);
    for (unsigned i = 0; i < ALERT_LEVELS_MAX; i++)
        if (watch->since[i] != TIME_NONE)
            buf_zigzag(out, watch->since[i]);
    buf_f64(out, watch->value);
    buf_f64(out, watch->worst);
    if (rule->kind == ALERT_PREDICTED) {
        buf_f64(out, watch->worst_low);
        buf_f64(out, watch->worst_high);
    }
    if (watch->firing != NULL) {
        bool is_blind = watch->blind_ms != TIME_NONE;
        buf_u8(out, is_blind ? IS_BLIND : HAS_FIRING);
        save_firing(out, watch->firing);
        if (is_blind)
            buf_zigzag(out, watch->blind_ms);
    } else if (watch->fired != 0 && !rule_is_silence(rule)) {
        buf_u8(out, IS_DISMISSED);
        buf_zigzag(out, watch->dismissed_ms);
    } else {
        buf_u8(out, HAS_NONE);
    }
    buf_u8(out, watch->hold != NULL);
    if (watch->hold != NULL)
        save_hold(out, watch->hold);
}

void source_save(struct buf *out, const struct source *source)
{
    size_t count = 0;
    for (const struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        count++;
    buf_clear(out);
    buf_u8(out, STATE_VERSION);
    put_text(out, source->plan->quantity);
    buf_u8(out, source->is_forgotten);
    buf_zigzag(out, source->last_ms);
    buf_zigzag(out, source->heard_ms);
    buf_varint(out, count);
    for (const struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        save_watch(out, watch);
    gauges_save(out, source);
}

void alerts_save_changed(struct alerts *alerts, void *context,
                         void (*changed)(void *context, const char *key, const void *data,
                                         size_t len))
{
    struct buf *out = &alerts->out;
    struct buf key = {0};
    for (size_t i = 0; i < alerts->gone.count; i++) {
        changed(context, alerts->gone.items[i], "", 0);
        free(alerts->gone.items[i]);
    }
    alerts->gone.count = 0;
    for (struct source *source = source_take_dirty(alerts); source != NULL;
         source = source_take_dirty(alerts)) {
        source_key(source, &key);
        source_save(out, source);
        changed(context, key.data, out->data, out->len);
    }
    for (size_t i = 0; i < alerts->dirty_rooms.count; i++) {
        struct room *room = alerts->dirty_rooms.items[i];
        room->is_dirty = false;
        room_save(room, &key, out);
        changed(context, key.data, out->data, out->len);
    }
    alerts->dirty_rooms.count = 0;
    if (alerts->is_grace_dirty) {
        buf_clear(out);
        buf_u8(out, STATE_VERSION);
        buf_zigzag(out, alerts->quiet_until_ms);
        changed(context, GRACE_KEY, out->data, out->len);
        alerts->is_grace_dirty = false;
    }
    buf_fini(&key);
}

/* A watch as it was read, before anything is known to be right. */
struct saved_watch {
    char rule[ID_SIZE];
    char acknowledged_by[ID_SIZE];
    char snapshot[ALERT_SNAPSHOT_MAX];
    uint8_t kind;
    uint64_t print;
    struct watch watch;
    struct firing firing;
    struct hold hold;
    bool has_firing;
    bool is_dismissed;
    bool has_hold;
};

/* A text without a NUL that fits. */
static void read_text(struct buf_reader *in, char *text, size_t size)
{
    size_t len = 0;
    const void *data = buf_read_blob(in, &len);
    if (data == NULL || len >= size || memchr(data, '\0', len) != NULL) {
        in->failed = true;
        text[0] = '\0';
        return;
    }
    memcpy(text, data, len);
    text[len] = '\0';
}

static int64_t read_time(struct buf_reader *in)
{
    int64_t time_ms = buf_read_zigzag(in);
    if (time_ms < -TIME_LIMIT_MS || time_ms > TIME_LIMIT_MS)
        in->failed = true;
    return in->failed ? 0 : time_ms;
}

static uint8_t read_enum(struct buf_reader *in, unsigned highest)
{
    uint8_t value = buf_read_u8(in);
    if (value > highest)
        in->failed = true;
    return in->failed ? 0 : value;
}

static void read_firing(struct buf_reader *in, struct saved_watch *saved)
{
    struct firing *firing = &saved->firing;
    const void *id = buf_read_bytes(in, ID_BYTES);
    if (id != NULL)
        memcpy(firing->id, id, ID_BYTES);
    firing->onset_ms = read_time(in);
    firing->opened_ms = read_time(in);
    firing->learned_ms = read_time(in);
    firing->changed_ms = read_time(in);
    firing->acknowledged_ms = read_time(in);
    read_text(in, saved->acknowledged_by, sizeof saved->acknowledged_by);
    firing->limit = buf_read_f64(in);
    uint64_t revision = buf_read_varint(in);
    firing->revision = (uint32_t)revision;
    firing->severity = read_enum(in, ALERT_CRITICAL);
    firing->state = read_enum(in, INCIDENT_UNKNOWN);
    read_text(in, saved->snapshot, sizeof saved->snapshot);
    if (revision == 0 || revision > UINT32_MAX)
        in->failed = true;
}

static void read_hold(struct buf_reader *in, struct hold *hold)
{
    hold->from_ms = read_time(in);
    hold->worst = buf_read_f64(in);
    hold->limit = buf_read_f64(in);
    hold->reason = read_enum(in, ALERT_REASON_COUNT - 1);
    hold->severity = read_enum(in, ALERT_CRITICAL);
    hold->is_told = read_enum(in, 1) != 0;
    for (unsigned i = 0; i < ALERT_LEVELS_MAX; i++) {
        int64_t past_ms = buf_read_zigzag(in);
        if (past_ms != TIME_NONE && (past_ms < -TIME_LIMIT_MS || past_ms > TIME_LIMIT_MS))
            in->failed = true;
        hold->past_ms[i] = past_ms;
    }
}

static void read_watch(struct buf_reader *in, unsigned version, struct saved_watch *saved)
{
    *saved = (struct saved_watch){0};
    read_text(in, saved->rule, sizeof saved->rule);
    saved->kind = read_enum(in, ALERT_KIND_COUNT - 1);
    if (alert_kind_is_trouble((enum alert_kind)saved->kind))
        in->failed = true;
    saved->print = buf_read_u64(in);
    uint64_t fired = buf_read_varint(in);
    saved->watch.fired = (unsigned)fired & ((1u << ALERT_LEVELS_MAX) - 1);
    uint8_t set = read_enum(in, (1u << ALERT_LEVELS_MAX) - 1);
    for (unsigned i = 0; i < ALERT_LEVELS_MAX; i++)
        saved->watch.since[i] = (set & (1u << i)) != 0 ? read_time(in) : TIME_NONE;
    saved->watch.value = buf_read_f64(in);
    saved->watch.worst = buf_read_f64(in);
    if (version > 2 && saved->kind == ALERT_PREDICTED) {
        saved->watch.worst_low = buf_read_f64(in);
        saved->watch.worst_high = buf_read_f64(in);
    }
    uint8_t has = read_enum(in, version > 5   ? IS_BLIND
                                : version > 4 ? IS_DISMISSED
                                              : HAS_FIRING);
    saved->has_firing = has == HAS_FIRING || has == IS_BLIND;
    saved->is_dismissed = has == IS_DISMISSED;
    if (saved->has_firing)
        read_firing(in, saved);
    saved->watch.blind_ms = has == IS_BLIND ? read_time(in) : TIME_NONE;
    if (saved->is_dismissed)
        saved->watch.dismissed_ms = read_time(in);
    saved->has_hold = version > 1 && read_enum(in, 1) != 0;
    if (saved->has_hold)
        read_hold(in, &saved->hold);
    if (fired != saved->watch.fired)
        in->failed = true;
}

/* What the engine itself never leaves behind. */
static bool is_consistent(const struct saved_watch *saved, const struct source *source)
{
    bool is_silence = alert_kind_is_silence((enum alert_kind)saved->kind);
    if ((saved->kind == ALERT_SILENT_DEVICE) != source->plan->is_device ||
        !id_is_valid(saved->rule))
        return false;
    bool is_timed = false;
    for (unsigned i = 0; i < ALERT_LEVELS_MAX; i++)
        is_timed |= saved->watch.since[i] != TIME_NONE;
    if (saved->has_hold && saved->print == 0)
        return false;
    if (saved->is_dismissed)
        return !is_silence && saved->watch.fired != 0 && saved->print != 0;
    if (is_silence && saved->watch.fired == 0)
        /* kept back, or counting since then; both was saved once, and means kept back */
        return !saved->has_firing && saved->print != 0 && (is_timed || saved->has_hold);
    if (is_silence)
        return saved->watch.fired == 1 && !is_timed && !saved->has_hold &&
               (saved->has_firing || saved->print != 0);
    return saved->has_firing ? saved->watch.fired != 0
                             : saved->watch.fired == 0 && saved->print != 0 &&
                                   (is_timed || saved->has_hold);
}

/* The levels that it speaks of exist. */
static bool fits_rule(const struct saved_watch *saved, const struct rule *rule)
{
    for (unsigned i = rule_is_silence(rule) ? 1 : rule->level_count; i < ALERT_LEVELS_MAX;
         i++)
        if ((saved->watch.fired & (1u << i)) != 0 || saved->watch.since[i] != TIME_NONE)
            return false;
    return true;
}

static bool is_doubled(const struct alerts *alerts, const struct source *source,
                       const struct source *existing, const struct saved_watch *saved)
{
    for (const struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        if (watch->firing != NULL && saved->has_firing &&
            memcmp(watch->firing->id, saved->firing.id, ID_BYTES) == 0)
            return true;
    const struct watch *other =
        saved->has_firing ? firing_find(alerts, saved->firing.id) : NULL;
    return other != NULL && other->source != existing;
}

static struct firing *restore_firing(const struct saved_watch *saved, struct rule *rule)
{
    struct firing *firing = mem_dup(&saved->firing, sizeof saved->firing);
    if (saved->acknowledged_by[0] != '\0')
        firing->acknowledged_by = mem_strdup(saved->acknowledged_by);
    bool is_same = rule != NULL && strcmp(rule_snapshot(rule), saved->snapshot) == 0;
    firing->rule = is_same ? rule_ref(rule)
                           : rule_create_past((enum alert_kind)saved->kind, saved->rule,
                                              saved->snapshot);
    return firing;
}

/*
 * Puts the watch under the rule in force. What was only pending, or dismissed, under a
 * rule that has gone or changed is left out, as by alerts_set_rules(). False: damaged.
 */
static bool restore_watch(struct alerts *alerts, struct source *source,
                          const struct source *existing, const struct saved_watch *saved)
{
    struct rule *rule = plan_find_rule(source->plan, saved->rule, saved->kind);
    bool is_same = rule != NULL && rule->print == saved->print;
    if (!is_consistent(saved, source) || (is_same && !fits_rule(saved, rule)) ||
        (rule != NULL && watch_find(source, rule) != NULL) ||
        is_doubled(alerts, source, existing, saved))
        return false;
    bool is_silence = alert_kind_is_silence((enum alert_kind)saved->kind);
    bool is_dismissed = !saved->has_firing && saved->watch.fired != 0;
    if (!saved->has_firing && !is_same && !(rule != NULL && is_silence && is_dismissed))
        return true;
    struct watch *watch = watch_make(alerts, source, rule);
    watch->fired = saved->watch.fired;
    memcpy(watch->since, saved->watch.since, sizeof watch->since);
    watch->value = saved->watch.value;
    watch->worst = saved->watch.worst;
    watch->dismissed_ms = saved->watch.dismissed_ms;
    watch->blind_ms = saved->watch.blind_ms;
    watch->worst_low = saved->watch.worst_low;
    watch->worst_high = saved->watch.worst_high;
    if (saved->has_firing)
        watch->firing = restore_firing(saved, rule);
    if (saved->has_hold && is_same)
        watch->hold = mem_dup(&saved->hold, sizeof saved->hold);
    if (rule != NULL && !is_same && !is_silence)
        threshold_restart(watch);
    return true;
}

static bool read_source(struct alerts *alerts, struct source *source,
                        const struct source *existing, unsigned version,
                        struct buf_reader *in)
{
    source->is_forgotten = read_enum(in, 1) != 0;
    source->last_ms = buf_read_zigzag(in);
    source->heard_ms = read_time(in);
    if (source->last_ms != TIME_NONE &&
        (source->last_ms < -TIME_LIMIT_MS || source->last_ms > TIME_LIMIT_MS))
        return false;
    for (uint64_t count = buf_read_varint(in); count > 0 && !in->failed; count--) {
        struct saved_watch saved;
        read_watch(in, version, &saved);
        if (in->failed || !restore_watch(alerts, source, existing, &saved))
            return false;
    }
    if (version > 1 && !gauges_load(alerts, in, source, version))
        return false;
    return !in->failed && in->at == in->len;
}

/* From the one that was read into the one that others point to. */
static void move_state(struct alerts *alerts, struct source *to, struct source *from)
{
    while (to->watches != NULL)
        watch_remove(alerts, to->watches);
    to->watches = from->watches;
    from->watches = NULL;
    for (struct watch *watch = to->watches; watch != NULL; watch = watch->next)
        watch->source = to;
    gauges_destroy(alerts, to);
    to->gauges = from->gauges;
    from->gauges = NULL;
    to->plan = from->plan;
    to->last_ms = from->last_ms;
    to->heard_ms = from->heard_ms;
    to->is_forgotten = from->is_forgotten;
    source_unlink_device(to);
    source_destroy(alerts, from);
}

static void adopt_source(struct alerts *alerts, struct source *source,
                         struct source *existing)
{
    assert(source_device(source) == NULL && source->channels == 0);
    if (existing == NULL) {
        source_add(alerts, source);
    } else {
        move_state(alerts, existing, source);
        source = existing;
    }
    for (struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        if (watch->firing != NULL)
            firing_index(alerts, watch);
    if (!source->plan->is_device)
        source_link_device(alerts, source);
    else if (source->plan->pause_ms > 0) /* its channels may have been loaded before it */
        alerts->has_new_stretches = true;
    silence_schedule(alerts, source);
    if (!source->is_forgotten) /* that goes with a tick, as it would have gone */
        source_drop_idle(alerts, source);
}

struct names {
    char zone[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE];
};

/* A part of a key up to `end`; NULL when it is too long or not ended so. */
static const char *take_part(char name[ID_SIZE], const char *from, char end)
{
    const char *to = strchr(from, end);
    size_t len = to != NULL ? (size_t)(to - from) : 0;
    if (to == NULL || len > ID_MAX)
        return NULL;
    memcpy(name, from, len);
    name[len] = '\0';
    return to + 1;
}

static bool parse_key(struct names *names, const char *key)
{
    *names = (struct names){0};
    const char *rest = take_part(names->zone, key, '/');
    if (rest != NULL)
        rest = take_part(names->device, rest, '/');
    if (rest == NULL || take_part(names->channel, rest, '\0') == NULL)
        return false;
    /* what is recorded has a channel, and no device */
    return names->zone[0] != '\0' &&
           (names->device[0] != '\0' || names->channel[0] != '\0');
}

static enum err load_grace(struct alerts *alerts, const void *data, size_t len)
{
    struct buf_reader in = buf_reader_of(data, len);
    uint8_t version = buf_read_u8(&in);
    int64_t quiet_until_ms = buf_read_zigzag(&in);
    if (in.failed || in.at != len || version < 1 || version > STATE_VERSION)
        return ERR_CORRUPT;
    alerts->quiet_until_ms = quiet_until_ms;
    return ERR_OK;
}

enum err alerts_load(struct alerts *alerts, const char *key, const void *data, size_t len)
{
    if (strcmp(key, GRACE_KEY) == 0)
        return load_grace(alerts, data, len);
    struct names names;
    struct buf_reader in = buf_reader_of(data, len);
    char quantity[ID_SIZE];
    if (room_key_is(key))
        return room_load(alerts, key, data, len);
    unsigned version = buf_read_u8(&in);
    if (!parse_key(&names, key) || version < 1 || version > STATE_VERSION)
        return ERR_CORRUPT;
    read_text(&in, quantity, sizeof quantity);
    if (in.failed || (names.channel[0] == '\0' && quantity[0] != '\0'))
        return ERR_CORRUPT;
    struct source *existing =
        source_find(alerts, names.zone, names.device, names.channel);
    struct source *source =
        source_create(alerts, names.zone, names.device, names.channel, quantity);
    if (!read_source(alerts, source, existing, version, &in)) {
        source_destroy(alerts, source);
        return ERR_CORRUPT;
    }
    adopt_source(alerts, source, existing);
    return ERR_OK;
}
