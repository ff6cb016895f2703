// SPDX-License-Identifier: Apache-2.0
/*
 * incident - the open incident of a watch: its id, its telling, its end.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/shared.h"
#include "base/crypto.h"
#include "base/mem.h"

static_assert(ALERT_ID_SIZE == 2 * ID_BYTES + 1, "an id in hex");
static_assert(ID_BYTES <= CRYPTO_DIGEST_BYTES, "an id is a part of a digest");

void firing_destroy(struct firing *firing)
{
    if (firing == NULL)
        return;
    rule_unref(firing->rule);
    free(firing->acknowledged_by);
    free(firing);
}

static uint64_t id_hash(const uint8_t id[ID_BYTES])
{
    return bytes_u64(id);
}

static bool id_is(const void *entry, const void *key)
{
    const struct watch *watch = entry;
    return memcmp(watch->firing->id, key, ID_BYTES) == 0;
}

struct watch *firing_find(const struct alerts *alerts, const uint8_t id[ID_BYTES])
{
    return table_find(&alerts->firings, id_hash(id), id_is, id);
}

void firing_index(struct alerts *alerts, struct watch *watch)
{
    assert(firing_find(alerts, watch->firing->id) == NULL);
    table_add(&alerts->firings, id_hash(watch->firing->id), watch);
}

void firing_unindex(struct alerts *alerts, const struct watch *watch)
{
    if (firing_find(alerts, watch->firing->id) == watch)
        table_remove(&alerts->firings, id_hash(watch->firing->id), watch);
}

/*
 * The first 16 bytes of BLAKE2b-256 over rule, zone, device, channel (each with its
 * length before it) and when the level was first passed, which is not the onset of what
 * had lasted before; `turn` is added when an open incident has that id already, which
 * takes a clock that went over the same time twice.
 */
static void make_id(uint8_t id[ID_BYTES], const struct watch *watch, int64_t passed_ms,
                    uint64_t turn)
{
    const struct source *source = watch->source;
    const char *const names[] = {watch->rule->id, source->plan->zone,
                                 source->station->device, source_channel(source)};
    char bytes[4 * (ID_SIZE + 8) + 16];
    size_t len = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t name_len = strlen(names[i]);
        assert(name_len <= ID_MAX);
        bytes_put_u64(bytes + len, name_len);
        memcpy(bytes + len + 8, names[i], name_len);
        len += 8 + name_len;
    }
    bytes_put_u64(bytes + len, (uint64_t)passed_ms);
    bytes_put_u64(bytes + len + 8, turn);
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    crypto_digest(digest, bytes, len + (turn > 0 ? 16 : 8));
    memcpy(id, digest, ID_BYTES);
}

void incident_id_of(char id[ALERT_ID_SIZE], const struct watch *watch, int64_t passed_ms)
{
    uint8_t bytes[ID_BYTES];
    make_id(bytes, watch, passed_ms, 0);
    crypto_hex(id, bytes, ID_BYTES);
}

static void copy_name(char to[ID_SIZE], const char *from)
{
    size_t len = strlen(from);
    assert(len <= ID_MAX);
    memcpy(to, from, len + 1);
}

/* Since when all levels that fired are back: as long as the last one of them. */
static int64_t back_since(const struct watch *watch)
{
    int64_t latest = 0;
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
        if ((watch->fired & (1u << i)) != 0 && watch->since[i] > latest)
            latest = watch->since[i];
    return latest;
}

static void put_days(struct buf *out, double days)
{
    if (isfinite(days))
        buf_format(out, "%.2f", days);
    else
        buf_text(out, "null");
}

/* Of whose life its measure is. */
static void fill_life(struct incident *out, const struct source *source)
{
    const struct goods_life life = shared_life_now(source);
    struct buf text = {0};
    if (life.goods == NULL)
        return;
    buf_format(&text, "{\"goods\":\"%s\",\"limited_by\":\"%s\",\"at_c\":%.1f,\"days\":[",
               life.goods->name, life_process_name(life.limit), life.at_C);
    put_days(&text, life.low_d);
    buf_text(&text, ",");
    put_days(&text, life.high_d);
    buf_text(&text, "]}");
    snprintf(out->life, sizeof out->life, "%s", text.data);
    buf_fini(&text);
}

const struct incident *incident_fill(const struct alerts *alerts,
                                     const struct watch *watch)
{
    struct incident *out = alerts->told;
    const struct firing *firing = watch->firing;
    const struct source *source = watch->source;
    *out = (struct incident){
        .kind = (enum alert_kind)firing->rule->kind,
        .severity = (enum alert_severity)firing->severity,
        .state = (enum incident_state)firing->state,
        .is_acknowledged = firing->acknowledged_by != NULL,
        .acknowledged_ms = firing->acknowledged_ms,
        .onset_ms = firing->onset_ms,
        .opened_ms = firing->opened_ms,
        .learned_ms = firing->learned_ms,
        .changed_ms = firing->changed_ms,
        .limit = firing->limit,
        .value = watch->value,
        .worst = watch->worst,
        .worst_low = watch->worst_low,
        .worst_high = watch->worst_high,
        .revision = firing->revision,
    };
    if (out->state == INCIDENT_RECOVERING)
        out->back_ms = back_since(watch);
    crypto_hex(out->id, firing->id, ID_BYTES);
    copy_name(out->rule, firing->rule->id);
    copy_name(out->zone, source->plan->zone);
    copy_name(out->device, source->station->device);
    copy_name(out->channel, source_channel(source));
    copy_name(out->quantity, source->plan->quantity);
    if (firing->acknowledged_by != NULL)
        copy_name(out->acknowledged_by, firing->acknowledged_by);
    snprintf(out->snapshot, sizeof out->snapshot, "%s", rule_snapshot(firing->rule));
    if (out->kind == ALERT_LIFE_LEFT)
        fill_life(out, source);
    if (out->state != INCIDENT_CLOSED)
        outlook_fill(alerts, source, out);
    return out;
}

void incident_tell(struct alerts *alerts, struct watch *watch,
                   enum alert_effect_kind kind, int64_t now_ms,
                   const struct alert_sink *sink)
{
    assert(watch->firing != NULL && watch->firing->state != INCIDENT_CLOSED);
    watch->firing->revision++;
    watch->firing->changed_ms = now_ms;
    source_touch(alerts, watch->source);
    sink->effect(sink->context, kind, incident_fill(alerts, watch));
}

void incident_open(struct alerts *alerts, struct watch *watch,
                   const struct firing *opening, int64_t passed_ms,
                   const struct alert_sink *sink)
{
    assert(watch->firing == NULL);
    struct firing *firing = mem_dup(opening, sizeof *opening);
    firing->state = INCIDENT_OPEN;
    firing->rule = rule_ref(watch->rule);
    uint64_t turn = 0;
    do {
        make_id(firing->id, watch, passed_ms, turn++);
    } while (firing_find(alerts, firing->id) != NULL);
    watch->firing = firing;
    watch->blind_ms = TIME_NONE;
    firing_index(alerts, watch);
    incident_tell(alerts, watch, ALERT_EFFECT_OPENED, firing->learned_ms, sink);
}

void incident_close(struct alerts *alerts, struct watch *watch, int64_t closed_ms,
                    int64_t now_ms, const struct alert_sink *sink)
{
    struct firing *firing = watch->firing;
    assert(firing != NULL);
    firing->state = INCIDENT_CLOSED;
    firing->revision++;
    firing->changed_ms = now_ms;
    incident_fill(alerts, watch);
    alerts->told->closed_ms = closed_ms;
    alerts->told->back_ms = back_since(watch);
    firing_unindex(alerts, watch);
    watch->firing = NULL;
    source_touch(alerts, watch->source);
    sink->effect(sink->context, ALERT_EFFECT_CLOSED, alerts->told);
    firing_destroy(firing);
}

bool incident_id_parse(uint8_t id[ID_BYTES], const char *text)
{
    return crypto_unhex(id, ID_BYTES, text);
}
