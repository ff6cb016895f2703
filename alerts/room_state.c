// SPDX-License-Identifier: Apache-2.0
/*
 * room_state - rooms that survive a restart, and go from one engine to another.
 *
 * Key "room/ZONE". u8 version, settings (tau, fastest, slowest as f64; three times of
 * the defrost's schedule as zigzag), varint probes, per probe: u64 key, u64 group, u8
 * role, time, f64 value, on, off; varint stretches, per stretch: from, to, u8 reason, and
 * since version 2 u8 bits: f64 low follows (1), f64 high (2), empty (4), asked (8). Since
 * version 3 varint loads, per load: from, f64 its temperature then. Since version 4 u8
 * bits: f64 low end of the band follows (1), f64 high end (2), there is a band (4), an
 * air (8): u64 key, time, u8 probed (1) and fitted (2), nine f64. TIME_NEVER is written
 * as it is.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/room.h"
#include "alerts/zones.h"
#include "base/mem.h"

#define ROOM_VERSION 4
#define ROOM_KEY     "room/"

/* What a stretch has besides. */
enum {
    HAS_LOW = 1u << 0,
    HAS_HIGH = 1u << 1,
    IS_EMPTY = 1u << 2,
    IS_ASKED = 1u << 3,
    HAS_ALL = HAS_LOW | HAS_HIGH | IS_EMPTY | IS_ASKED,
};

/* Behind all else. */
enum {
    BAND_LOW = 1u << 0,
    BAND_HIGH = 1u << 1,
    HAS_BAND = 1u << 2,
    HAS_AIR = 1u << 3,
    HAS_TAIL = BAND_LOW | BAND_HIGH | HAS_BAND | HAS_AIR,
};

enum { IS_PROBED = 1u << 0, IS_FITTED = 1u << 1 };

bool room_key_is(const char *key)
{
    const char *zone = key + strlen(ROOM_KEY);
    return strncmp(key, ROOM_KEY, strlen(ROOM_KEY)) == 0 && strchr(zone, '/') == NULL;
}

static void save_stretch(struct buf *out, const struct room_stretch *stretch)
{
    unsigned has = (isnan(stretch->low) ? 0u : HAS_LOW);
    has |= (isnan(stretch->high) ? 0u : HAS_HIGH);
    has |= (stretch->is_empty ? IS_EMPTY : 0u) | (stretch->is_asked ? IS_ASKED : 0u);
    buf_zigzag(out, stretch->from_ms);
    buf_zigzag(out, stretch->to_ms);
    buf_u8(out, stretch->reason);
    buf_u8(out, (uint8_t)has);
    if ((has & HAS_LOW) != 0)
        buf_f64(out, stretch->low);
    if ((has & HAS_HIGH) != 0)
        buf_f64(out, stretch->high);
}

#define AIR_NUMBERS 9

/* The numbers of an air in the order in which they are saved. */
static void numbers_of(struct room_air *air, double *numbers[AIR_NUMBERS])
{
    struct product *product = &air->product;
    double *const all[AIR_NUMBERS] = {
        &air->C,
        &product->C.low,
        &product->C.mid,
        &product->C.high,
        &product->coldest_C,
        &product->warmest_C,
        &product->body.tau_h,
        &product->body.fastest_h,
        &product->body.slowest_h,
    };
    for (size_t i = 0; i < AIR_NUMBERS; i++)
        numbers[i] = all[i];
}

static void save_air(struct buf *out, const struct room_air *air)
{
    struct room_air copy = *air;
    double *numbers[AIR_NUMBERS];
    numbers_of(&copy, numbers);
    buf_u64(out, air->key);
    buf_zigzag(out, air->time_ms);
    buf_u8(out, (uint8_t)((air->product.is_probed ? IS_PROBED : 0u) |
                          (air->product.is_fitted ? IS_FITTED : 0u)));
    for (size_t i = 0; i < AIR_NUMBERS; i++)
        buf_f64(out, *numbers[i]);
}

static void save_tail(struct buf *out, const struct room *room)
{
    const struct alert_room *settings = &room->settings;
    unsigned has = room->air != NULL ? HAS_AIR : 0u;
    if (settings->has_band)
        has |= HAS_BAND | (isnan(settings->band_low_C) ? 0u : BAND_LOW) |
               (isnan(settings->band_high_C) ? 0u : BAND_HIGH);
    buf_u8(out, (uint8_t)has);
    if ((has & BAND_LOW) != 0)
        buf_f64(out, settings->band_low_C);
    if ((has & BAND_HIGH) != 0)
        buf_f64(out, settings->band_high_C);
    if (room->air != NULL)
        save_air(out, room->air);
}

void room_save(const struct room *room, struct buf *key, struct buf *out)
{
    buf_clear(key);
    buf_format(key, ROOM_KEY "%s", room->zone);
    buf_clear(out);
    buf_u8(out, ROOM_VERSION);
    buf_f64(out, room->settings.body.tau_h);
    buf_f64(out, room->settings.body.fastest_h);
    buf_f64(out, room->settings.body.slowest_h);
    buf_zigzag(out, room->settings.air.defrost_every_ms);
    buf_zigzag(out, room->settings.air.defrost_first_ms);
    buf_zigzag(out, room->settings.air.defrost_most_ms);
    buf_zigzag(out, room->settings.air.door_most_ms);
    buf_zigzag(out, room->settings.air.recovery_most_ms);
    buf_varint(out, room->probe_count);
    for (size_t i = 0; i < room->probe_count; i++) {
        const struct room_probe *probe = &room->probes[i];
        buf_u64(out, probe->key);
        buf_u64(out, probe->group);
        buf_u8(out, probe->role);
        buf_zigzag(out, probe->time_ms);
        buf_f64(out, probe->value);
        buf_zigzag(out, probe->on_ms);
        buf_zigzag(out, probe->off_ms);
    }
    buf_varint(out, room->stretch_count);
    for (size_t i = 0; i < room->stretch_count; i++)
        save_stretch(out, &room->stretches[i]);
    buf_varint(out, room->settings.load_count);
    for (size_t i = 0; i < room->settings.load_count; i++) {
        buf_zigzag(out, room->settings.loads[i].from_ms);
        buf_f64(out, room->settings.loads[i].entry_C);
    }
    save_tail(out, room);
}

static int64_t read_point(struct buf_reader *in)
{
    int64_t time_ms = buf_read_zigzag(in);
    bool is_mark = time_ms == TIME_NONE || time_ms == TIME_NEVER;
    if (!is_mark && (time_ms < -TIME_LIMIT_MS || time_ms > TIME_LIMIT_MS))
        in->failed = true;
    return in->failed ? TIME_NONE : time_ms;
}

static double read_number(struct buf_reader *in)
{
    double number = buf_read_f64(in);
    if (!isfinite(number))
        in->failed = true;
    return in->failed ? 0 : number;
}

static int64_t read_span(struct buf_reader *in)
{
    int64_t span_ms = buf_read_zigzag(in);
    if (span_ms < -TIME_LIMIT_MS || span_ms > TIME_LIMIT_MS)
        in->failed = true;
    return in->failed ? 0 : span_ms;
}

static struct alert_room read_settings(struct buf_reader *in)
{
    struct alert_room settings = {0};
    settings.body.tau_h = read_number(in);
    settings.body.fastest_h = read_number(in);
    settings.body.slowest_h = read_number(in);
    if (!room_body_is_good(&settings.body))
        in->failed = true;
    settings.air.defrost_every_ms = read_span(in);
    settings.air.defrost_first_ms = read_span(in);
    settings.air.defrost_most_ms = read_span(in);
    settings.air.door_most_ms = read_span(in);
    settings.air.recovery_most_ms = read_span(in);
    return settings;
}

static struct room_probe read_probe(struct buf_reader *in)
{
    struct room_probe probe = {.key = buf_read_u64(in), .group = buf_read_u64(in)};
    probe.role = buf_read_u8(in);
    probe.time_ms = read_point(in);
    probe.value = read_number(in);
    probe.on_ms = read_point(in);
    probe.off_ms = read_point(in);
    if (probe.role == ROLE_NONE || probe.role >= ROLE_COUNT ||
        probe.time_ms == TIME_NONE || probe.time_ms == TIME_NEVER ||
        probe.on_ms == TIME_NEVER)
        in->failed = true;
    return probe;
}

static struct room_stretch read_stretch(struct buf_reader *in, unsigned version)
{
    struct room_stretch stretch = {.from_ms = read_point(in), .to_ms = read_point(in)};
    stretch.reason = buf_read_u8(in);
    unsigned has = version > 1 ? buf_read_u8(in) : 0;
    stretch.low = (has & HAS_LOW) != 0 ? read_number(in) : (double)NAN;
    stretch.high = (has & HAS_HIGH) != 0 ? read_number(in) : (double)NAN;
    stretch.is_empty = (has & IS_EMPTY) != 0;
    stretch.is_asked = (has & IS_ASKED) != 0;
    if (stretch.reason >= ALERT_REASON_COUNT || (has & ~(unsigned)HAS_ALL) != 0)
        in->failed = true;
    return stretch;
}

static void read_loads(struct buf_reader *in, struct alert_room *settings)
{
    uint64_t count = buf_read_varint(in);
    if (count > ALERT_LOADS_MAX)
        in->failed = true;
    for (uint64_t i = 0; !in->failed && i < count; i++) {
        struct alert_load *load = &settings->loads[settings->load_count++];
        load->from_ms = read_span(in);
        load->entry_C = read_number(in);
    }
}

/* A room as it was read, before anything is known to be right. */
struct saved_room {
    struct alert_room settings;
    struct room_probe probes[ROOM_PROBES_MAX];
    size_t probe_count;
    struct room_stretch stretches[ROOM_STRETCHES_MAX];
    size_t stretch_count;
    bool has_air;
    struct room_air air;
};

static struct room_air read_air(struct buf_reader *in)
{
    struct room_air air = {.key = buf_read_u64(in), .time_ms = read_point(in)};
    unsigned bits = buf_read_u8(in);
    double *numbers[AIR_NUMBERS];
    numbers_of(&air, numbers);
    for (size_t i = 0; i < AIR_NUMBERS; i++)
        *numbers[i] = read_number(in);
    const struct thermal *goods = &air.product.C;
    air.product.is_probed = (bits & IS_PROBED) != 0;
    air.product.is_fitted = (bits & IS_FITTED) != 0;
    if (!(goods->low <= goods->mid && goods->mid <= goods->high) ||
        !room_body_is_good(&air.product.body))
        in->failed = true;
    return air;
}

static void read_tail(struct buf_reader *in, struct saved_room *saved)
{
    unsigned has = buf_read_u8(in);
    struct alert_room *settings = &saved->settings;
    if ((has & ~(unsigned)HAS_TAIL) != 0)
        in->failed = true;
    settings->has_band = (has & HAS_BAND) != 0;
    settings->band_low_C = (has & BAND_LOW) != 0 ? read_number(in) : (double)NAN;
    settings->band_high_C = (has & BAND_HIGH) != 0 ? read_number(in) : (double)NAN;
    saved->has_air = (has & HAS_AIR) != 0;
    if (saved->has_air)
        saved->air = read_air(in);
}

static bool read_room(struct buf_reader *in, struct saved_room *saved)
{
    unsigned version = buf_read_u8(in);
    if (version < 1 || version > ROOM_VERSION)
        return false;
    saved->settings = read_settings(in);
    uint64_t probes = buf_read_varint(in);
    if (in->failed || probes > ROOM_PROBES_MAX)
        return false;
    for (saved->probe_count = 0; saved->probe_count < probes; saved->probe_count++)
        saved->probes[saved->probe_count] = read_probe(in);
    uint64_t stretches = buf_read_varint(in);
    if (in->failed || stretches > ROOM_STRETCHES_MAX)
        return false;
    for (saved->stretch_count = 0; saved->stretch_count < stretches;
         saved->stretch_count++)
        saved->stretches[saved->stretch_count] = read_stretch(in, version);
    if (version > 2)
        read_loads(in, &saved->settings);
    saved->has_air = false;
    if (version > 3)
        read_tail(in, saved);
    return !in->failed && in->at == in->len;
}

static void put_probes(struct room *room, const struct room_probe *probes, size_t count)
{
    mem_grow(&room->probes, &room->probe_capacity, count, sizeof *room->probes);
    for (size_t i = 0; i < count; i++)
        room->probes[i] = probes[i];
    room->probe_count = count;
}

static void put_stretches(struct room *room, const struct room_stretch *stretches,
                          size_t count)
{
    mem_grow(&room->stretches, &room->stretch_capacity, count, sizeof *room->stretches);
    for (size_t i = 0; i < count; i++)
        room->stretches[i] = stretches[i];
    room->stretch_count = count;
}

static void put_air(struct room *room, const struct room_air *air)
{
    if (room->air == NULL)
        room->air = mem_alloc(sizeof *room->air);
    *room->air = *air;
}

enum err room_load(struct alerts *alerts, const char *key, const void *data, size_t len)
{
    const char *zone = key + strlen(ROOM_KEY);
    struct buf_reader in = buf_reader_of(data, len);
    struct saved_room saved;
    if (!id_is_valid(zone) || !read_room(&in, &saved))
        return ERR_CORRUPT;
    struct room *room = room_make(alerts, zone);
    room->settings = saved.settings;
    put_probes(room, saved.probes, saved.probe_count);
    put_stretches(room, saved.stretches, saved.stretch_count);
    if (saved.has_air)
        put_air(room, &saved.air);
    if (room->stretch_count > 0)
        room_attach(alerts, room);
    return ERR_OK;
}

static void merge_probe(struct room *to, const struct room_probe *from)
{
    for (size_t i = 0; i < to->probe_count; i++)
        if (to->probes[i].key == from->key && to->probes[i].role == from->role) {
            if (to->probes[i].time_ms < from->time_ms)
                to->probes[i] = *from;
            return;
        }
    if (to->probe_count == ROOM_PROBES_MAX)
        return;
    mem_grow(&to->probes, &to->probe_capacity, to->probe_count + 1, sizeof *to->probes);
    to->probes[to->probe_count++] = *from;
}

/* What `to` was told itself stays as it was told. */
static void merge_stretch(struct alerts *alerts, struct room *to,
                          const struct room_stretch *from)
{
    struct room_stretch *stretch =
        room_stretch(to, (enum alert_reason)from->reason, from->from_ms);
    if (stretch->from_ms == TIME_NONE) {
        *stretch = *from;
        alerts->has_new_stretches = true;
    }
    stretch->is_asked |= from->is_asked;
}

void room_merge_declared(struct alerts *to, const struct alerts *from, const char *zone)
{
    const struct room *source = room_find(from, zone);
    if (source == NULL || source->stretch_count == 0)
        return;
    struct room *room = room_make(to, zone);
    for (size_t i = 0; i < source->stretch_count; i++)
        merge_stretch(to, room, &source->stretches[i]);
    room_attach(to, room);
    room_touch(to, room);
}

void room_merge(struct alerts *to, const struct alerts *from, const char *zone)
{
    const struct room *source = room_find(from, zone);
    if (source == NULL)
        return;
    struct room *room = room_find(to, zone);
    if (room == NULL) {
        room = room_make(to, zone);
        room->settings = source->settings;
    }
    room_merge_declared(to, from, zone);
    for (size_t i = 0; i < source->probe_count; i++)
        merge_probe(room, &source->probes[i]);
    if (source->air != NULL &&
        (room->air == NULL || room->air->time_ms < source->air->time_ms))
        put_air(room, source->air);
    if (room->stretch_count > 0)
        room_attach(to, room);
    room_touch(to, room);
}
