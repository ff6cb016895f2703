// SPDX-License-Identifier: Apache-2.0
#include "alerts/room.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/zones.h"
#include "base/mem.h"

#define TAU_MOST_H 10000.0

enum room_role room_role_of(const char *quantity, bool is_compared)
{
    static const struct {
        const char *quantity;
        enum room_role role;
    } roles[] = {
        {"door", ROLE_DOOR},
        {"defrost", ROLE_DEFROST},
        {"compressor", ROLE_COMPRESSOR},
        {"mains", ROLE_MAINS},
        {"humidity", ROLE_HUMIDITY},
        {"product_temperature", ROLE_PULP},
        {"pulp_temperature", ROLE_PULP},
    };
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(roles[i].quantity, quantity) == 0)
            return roles[i].role;
    return is_compared ? ROLE_PROBE : ROLE_NONE;
}

static bool room_is(const void *entry, const void *key)
{
    return strcmp(((const struct room *)entry)->zone, key) == 0;
}

struct room *room_find(const struct alerts *alerts, const char *zone)
{
    return table_find(&alerts->rooms, table_hash_text(0, zone), room_is, zone);
}

struct room *room_make(struct alerts *alerts, const char *zone)
{
    struct room *room = room_find(alerts, zone);
    if (room != NULL)
        return room;
    size_t size = strlen(zone) + 1;
    assert(size <= ID_SIZE);
    room = mem_alloc(sizeof *room + size);
    memcpy(room->zone, zone, size);
    table_add(&alerts->rooms, table_hash_text(0, zone), room);
    return room;
}

void rooms_fini(struct alerts *alerts)
{
    size_t at = 0;
    for (struct room *room = table_next(&alerts->rooms, &at); room != NULL;
         room = table_next(&alerts->rooms, &at)) {
        free(room->stock);
        free(room->air);
        free(room->probes);
        free(room->stretches);
        free(room);
    }
    table_free(&alerts->rooms);
    free(alerts->dirty_rooms.items);
}

void room_touch(struct alerts *alerts, struct room *room)
{
    if (room->is_dirty)
        return;
    room->is_dirty = true;
    pointers_add(&alerts->dirty_rooms, room);
}

void room_attach(struct alerts *alerts, const struct room *room)
{
    struct zone *zone = zone_find(&alerts->zones, room->zone);
    if (zone == NULL)
        return;
    zone->has_room = true;
    for (struct plan *plan = zone->plans; plan != NULL; plan = plan->next) {
        plan->needs_room = true;
        plan->is_plain = false;
    }
}

static uint64_t key_of(const char *device, const char *channel)
{
    return table_hash_text(table_hash_text(0, device), channel);
}

static struct room_probe *find_probe(const struct room *room, uint64_t key,
                                     enum room_role role)
{
    for (size_t i = 0; i < room->probe_count; i++)
        if (room->probes[i].key == key && room->probes[i].role == role)
            return &room->probes[i];
    return NULL;
}

static struct room_probe *oldest_probe(const struct room *room)
{
    struct room_probe *oldest = &room->probes[0];
    for (size_t i = 1; i < room->probe_count; i++)
        if (room->probes[i].time_ms < oldest->time_ms)
            oldest = &room->probes[i];
    return oldest;
}

static struct room_probe *make_probe(struct room *room, uint64_t key, enum room_role role)
{
    struct room_probe *probe = find_probe(room, key, role);
    if (probe != NULL)
        return probe;
    if (room->probe_count == ROOM_PROBES_MAX) {
        probe = oldest_probe(room);
    } else {
        mem_grow(&room->probes, &room->probe_capacity, room->probe_count + 1,
                 sizeof *room->probes);
        probe = &room->probes[room->probe_count++];
    }
    *probe = (struct room_probe){.key = key,
                                 .role = (uint8_t)role,
                                 .time_ms = TIME_NONE,
                                 .on_ms = TIME_NONE,
                                 .off_ms = TIME_NONE};
    return probe;
}

static void hear_signal(struct room_probe *probe, int64_t time_ms, bool is_on)
{
    bool was_on = probe->off_ms == TIME_NEVER;
    if (is_on && !was_on) {
        probe->on_ms = time_ms;
        probe->off_ms = TIME_NEVER;
    } else if (!is_on && was_on) {
        probe->off_ms = time_ms;
    }
}

void room_hear(struct alerts *alerts, struct room *room, enum room_role role,
               const struct alert_reading *reading)
{
    struct room_probe *probe =
        make_probe(room, key_of(reading->device, reading->channel), role);
    bool was_ahead = probe->time_ms > reading->arrival_ms + ALERT_CLOCK_SLACK_MS;
    if (reading->time_ms <= probe->time_ms && !was_ahead)
        return;
    probe->group = role == ROLE_PROBE ? table_hash_text(0, reading->quantity) : 0;
    probe->time_ms = reading->time_ms;
    probe->value = reading->value;
    if (role <= ROLE_MAINS)
        hear_signal(probe, reading->time_ms, reading->value >= 0.5);
    room_touch(alerts, room);
}

void room_overhear(struct alerts *alerts, const struct alert_reading *reading)
{
    const struct zone *zone = zone_find(&alerts->zones, reading->zone);
    if (zone == NULL || !zone->has_room)
        return;
    enum room_role role = room_role_of(reading->quantity, false);
    if (role != ROLE_NONE)
        room_hear(alerts, room_make(alerts, reading->zone), role, reading);
}

void room_turn_back(struct alerts *alerts, const char *zone, const char *device,
                    const char *channel, int64_t to_ms)
{
    struct room *room = room_find(alerts, zone);
    uint64_t key = key_of(device, channel);
    if (room != NULL && room->air != NULL && room->air->key == key &&
        room->air->time_ms > to_ms)
        room->air->time_ms = to_ms;
    for (size_t i = 0; room != NULL && i < room->probe_count; i++) {
        struct room_probe *probe = &room->probes[i];
        if (probe->key != key || probe->time_ms <= to_ms)
            continue;
        probe->time_ms = to_ms;
        if (probe->on_ms > to_ms)
            probe->on_ms = to_ms;
        if (probe->off_ms > to_ms && probe->off_ms != TIME_NEVER)
            probe->off_ms = to_ms;
        room_touch(alerts, room);
    }
}

/* How far out of the band, below 0 within; without one the warmest counts. */
static double excess_K(const struct alert_room *settings, double air_C)
{
    double below = settings->has_band ? settings->band_low_C - air_C : (double)NAN;
    double above = settings->has_band ? air_C - settings->band_high_C : (double)NAN;
    return isnan(below) && isnan(above) ? air_C : fmax(below, above);
}

void room_note_air(struct alerts *alerts, struct room *room,
                   const struct alert_reading *reading, const struct product *product)
{
    uint64_t key = key_of(reading->device, reading->channel);
    const struct room_air *kept = room->air;
    if (!product_takes(reading->value) || isnan(product->C.mid))
        return; /* no air is so warm, and nothing is known of the goods by it */
    if (kept != NULL && kept->key != key &&
        llabs(reading->time_ms - kept->time_ms) <= ROOM_APART_MS &&
        excess_K(&room->settings, reading->value) <= excess_K(&room->settings, kept->C))
        return;
    if (kept == NULL)
        room->air = mem_alloc(sizeof *room->air);
    *room->air = (struct room_air){.key = key,
                                   .time_ms = reading->time_ms,
                                   .C = reading->value,
                                   .product = *product};
    room_touch(alerts, room);
}

/* On then, and heard of not too long before. */
static bool is_on_at(const struct room_probe *probe, int64_t time_ms)
{
    return probe->on_ms != TIME_NONE && probe->on_ms <= time_ms &&
           time_ms < probe->off_ms &&
           (probe->off_ms != TIME_NEVER || time_ms - probe->time_ms <= ROOM_SIGNAL_MS);
}

unsigned room_reasons(const struct room *room, int64_t time_ms)
{
    unsigned reasons = 0;
    for (size_t i = 0; i < room->probe_count; i++) {
        const struct room_probe *probe = &room->probes[i];
        if (probe->role == ROLE_DOOR && is_on_at(probe, time_ms))
            reasons |= 1u << ALERT_REASON_DOOR;
        else if (probe->role == ROLE_DEFROST && is_on_at(probe, time_ms))
            reasons |= 1u << ALERT_REASON_DEFROST;
    }
    for (size_t i = 0; i < room->stretch_count; i++)
        if (room->stretches[i].from_ms <= time_ms && time_ms < room->stretches[i].to_ms)
            reasons |= 1u << room->stretches[i].reason;
    return reasons;
}

int64_t room_until(const struct room *room, enum alert_reason reason, int64_t from_ms)
{
    int64_t until_ms = from_ms;
    for (size_t i = 0; room != NULL && i < room->stretch_count; i++) {
        const struct room_stretch *stretch = &room->stretches[i];
        if (stretch->reason != reason || stretch->from_ms > until_ms ||
            stretch->to_ms <= until_ms)
            continue;
        until_ms = stretch->to_ms;
        i = SIZE_MAX; /* one that was passed over may go on from here */
    }
    return until_ms;
}

struct room_stretch *room_empty(struct room *room, int64_t time_ms)
{
    for (size_t i = 0; i < room->stretch_count; i++)
        if (room->stretches[i].is_empty && room->stretches[i].from_ms <= time_ms &&
            time_ms < room->stretches[i].to_ms)
            return &room->stretches[i];
    return NULL;
}

void room_step_band(const struct room *room, int64_t time_ms, double *low, double *high)
{
    *low = HUGE_VAL;
    *high = -HUGE_VAL;
    for (size_t i = 0; i < room->stretch_count; i++) {
        const struct room_stretch *step = &room->stretches[i];
        if (step->reason != ALERT_REASON_PLANNED_STEP || time_ms < step->from_ms ||
            time_ms >= step->to_ms)
            continue;
        *low = fmin(*low, isnan(step->low) ? -HUGE_VAL : step->low);
        *high = fmax(*high, isnan(step->high) ? HUGE_VAL : step->high);
    }
}

int64_t room_ended(const struct room *room, int64_t time_ms)
{
    int64_t ended_ms = TIME_NONE;
    for (size_t i = 0; i < room->probe_count; i++) {
        const struct room_probe *probe = &room->probes[i];
        if ((probe->role == ROLE_DOOR || probe->role == ROLE_DEFROST) &&
            probe->off_ms <= time_ms && probe->off_ms > ended_ms)
            ended_ms = probe->off_ms;
    }
    return ended_ms;
}

/* One signal of several that is on is enough; unknown only when none was heard. */
static void add_signal(enum air_signal *signal, const struct room_probe *probe,
                       int64_t time_ms)
{
    if (is_on_at(probe, time_ms))
        *signal = AIR_ON;
    else if (*signal == AIR_UNKNOWN && probe->time_ms <= time_ms &&
             time_ms - probe->time_ms <= ROOM_SIGNAL_MS)
        *signal = AIR_OFF;
}

struct air_signals room_signals(const struct room *room, int64_t time_ms)
{
    struct air_signals signals = {0};
    enum air_signal *const by_role[ROLE_COUNT] = {
        [ROLE_DOOR] = &signals.door,
        [ROLE_DEFROST] = &signals.defrost,
        [ROLE_COMPRESSOR] = &signals.compressor,
        [ROLE_MAINS] = &signals.mains,
    };
    for (size_t i = 0; i < room->probe_count; i++)
        if (by_role[room->probes[i].role] != NULL)
            add_signal(by_role[room->probes[i].role], &room->probes[i], time_ms);
    return signals;
}

static int compare_values(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

double room_others(const struct room *room, const struct alert_reading *reading)
{
    uint64_t key = key_of(reading->device, reading->channel);
    uint64_t group = table_hash_text(0, reading->quantity);
    double values[ROOM_PROBES_MAX];
    size_t count = 0;
    uint64_t last_key = 0;
    for (size_t i = 0; i < room->probe_count; i++) {
        const struct room_probe *probe = &room->probes[i];
        int64_t apart_ms = probe->time_ms - reading->time_ms;
        if (probe->role != ROLE_PROBE || probe->group != group || probe->key == key ||
            apart_ms > ROOM_APART_MS || apart_ms < -ROOM_APART_MS)
            continue;
        values[count++] = probe->value;
        last_key = probe->key;
    }
    if (count == 0 || (count == 1 && last_key > key))
        return (double)NAN;
    qsort(values, count, sizeof values[0], compare_values);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

bool room_has_others(const struct room *room, const struct alert_reading *reading,
                     int64_t *last_ms)
{
    uint64_t key = key_of(reading->device, reading->channel);
    uint64_t group = table_hash_text(0, reading->quantity);
    bool has_others = false;
    *last_ms = TIME_NONE;
    for (size_t i = 0; i < room->probe_count; i++) {
        const struct room_probe *probe = &room->probes[i];
        if (probe->role != ROLE_PROBE || probe->group != group || probe->key == key)
            continue;
        int64_t apart_ms = probe->time_ms - reading->time_ms;
        has_others |= apart_ms <= ROOM_APART_MS && apart_ms >= -ROOM_APART_MS;
        *last_ms = probe->time_ms > *last_ms ? probe->time_ms : *last_ms;
    }
    return has_others;
}

double room_latest(const struct room *room, enum room_role role, int64_t now_ms,
                   int64_t *time_ms)
{
    const struct room_probe *latest = NULL;
    for (size_t i = 0; i < room->probe_count; i++) {
        const struct room_probe *probe = &room->probes[i];
        if (probe->role == role && probe->time_ms <= now_ms &&
            now_ms - probe->time_ms <= ROOM_FRESH_MS &&
            (latest == NULL || probe->time_ms > latest->time_ms))
            latest = probe;
    }
    *time_ms = latest != NULL ? latest->time_ms : TIME_NONE;
    return latest != NULL ? latest->value : (double)NAN;
}

/* ---- what is declared ----------------------------------------------------------------
 */

bool room_body_is_good(const struct thermal_body *body)
{
    return body->fastest_h >= 0 && body->fastest_h <= body->tau_h &&
           body->tau_h <= body->slowest_h && body->slowest_h <= TAU_MOST_H;
}

void alerts_set_room(struct alerts *alerts, const char *zone,
                     const struct alert_room *settings)
{
    assert(room_body_is_good(&settings->body));
    struct room *room = room_make(alerts, zone);
    room->settings = *settings;
    room_touch(alerts, room);
}

static bool is_said(const struct alert_room *settings)
{
    const struct air_settings *air = &settings->air;
    return settings->body.tau_h > 0 || settings->load_count > 0 || settings->has_band ||
           air->defrost_every_ms != 0 || air->defrost_most_ms != 0 ||
           air->door_most_ms != 0 || air->recovery_most_ms != 0;
}

void alerts_clear_room(struct alerts *alerts, const char *zone)
{
    struct room *room = room_find(alerts, zone);
    if (room == NULL || !is_said(&room->settings))
        return;
    room->settings = (struct alert_room){0};
    room_touch(alerts, room);
}

void alerts_set_goods(struct alerts *alerts, const char *zone,
                      const struct life_stock *stock)
{
    assert(stock->count <= LIFE_GOODS_MAX);
    struct room *room = room_make(alerts, zone);
    if (room->stock == NULL)
        room->stock = mem_alloc(sizeof *room->stock);
    *room->stock = *stock;
}

/* The one that ended longest ago gives way. */
static struct room_stretch *make_stretch(struct room *room)
{
    if (room->stretch_count < ROOM_STRETCHES_MAX) {
        mem_grow(&room->stretches, &room->stretch_capacity, room->stretch_count + 1,
                 sizeof *room->stretches);
        return &room->stretches[room->stretch_count++];
    }
    struct room_stretch *oldest = &room->stretches[0];
    for (size_t i = 1; i < room->stretch_count; i++)
        if (room->stretches[i].to_ms < oldest->to_ms)
            oldest = &room->stretches[i];
    return oldest;
}

struct room_stretch *room_stretch(struct room *room, enum alert_reason reason,
                                  int64_t from_ms)
{
    for (size_t i = 0; i < room->stretch_count; i++)
        if (room->stretches[i].reason == reason && room->stretches[i].from_ms == from_ms)
            return &room->stretches[i];
    struct room_stretch *stretch = make_stretch(room);
    *stretch = (struct room_stretch){.from_ms = TIME_NONE};
    return stretch;
}

static void declare(struct alerts *alerts, const char *zone,
                    const struct room_stretch *told)
{
    assert((size_t)told->reason < ALERT_REASON_COUNT);
    struct room *room = room_make(alerts, zone);
    struct room_stretch *stretch =
        room_stretch(room, (enum alert_reason)told->reason, told->from_ms);
    if (stretch->from_ms == TIME_NONE || stretch->to_ms != told->to_ms)
        alerts->has_new_stretches = true;
    bool is_asked = stretch->is_asked;
    *stretch = *told;
    stretch->is_asked = is_asked;
    room_attach(alerts, room);
    room_touch(alerts, room);
}

void alerts_declare(struct alerts *alerts, const char *zone, enum alert_reason reason,
                    int64_t from_ms, int64_t to_ms)
{
    const struct room_stretch told = {.from_ms = from_ms,
                                      .to_ms = to_ms,
                                      .low = (double)NAN,
                                      .high = (double)NAN,
                                      .reason = (uint8_t)reason};
    declare(alerts, zone, &told);
}

void alerts_declare_step(struct alerts *alerts, const char *zone, int64_t from_ms,
                         int64_t to_ms, double low, double high)
{
    const struct room_stretch told = {.from_ms = from_ms,
                                      .to_ms = to_ms,
                                      .low = low,
                                      .high = high,
                                      .reason = ALERT_REASON_PLANNED_STEP};
    declare(alerts, zone, &told);
}

void alerts_declare_off_duty(struct alerts *alerts, const char *zone, int64_t from_ms,
                             int64_t to_ms, bool is_empty)
{
    const struct room_stretch told = {.from_ms = from_ms,
                                      .to_ms = to_ms,
                                      .low = (double)NAN,
                                      .high = (double)NAN,
                                      .reason = ALERT_REASON_OFF_DUTY,
                                      .is_empty = is_empty};
    declare(alerts, zone, &told);
}
