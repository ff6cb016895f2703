// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_registry.h"

#include <assert.h>
#include <string.h>

#include "collector/store/state_tables.h"

static const char *const clock_names[] = {
#define X(name, text) [PACK_CLOCK_##name] = (text),
    PACK_CLOCK_LIST(X)
#undef X
};

static const char *const quality_names[] = {
#define X(name, text) [QUALITY_##name] = (text),
    QUALITY_LIST(X)
#undef X
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A name of a later version reads as the last of the list, the least trusting one. */
static size_t index_of(const char *const *names, size_t count, const char *name)
{
    assert(count > 0);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return count - 1;
}

enum err state_put_org(struct state *state, const struct state_org *org)
{
    return state_write(state, "INSERT OR REPLACE INTO org VALUES (?, ?)",
                       DB_ARGS(db_text(org->id), db_text(org->name)));
}

enum err state_put_site(struct state *state, const struct state_site *site)
{
    return state_write(state, "INSERT OR REPLACE INTO site VALUES (?, ?, ?, ?, ?)",
                       DB_ARGS(db_text(site->id), db_text(site->org), db_text(site->name),
                               db_text(site->tier), db_text(site->time_zone)));
}

enum err state_put_zone(struct state *state, const struct state_zone *zone)
{
    return state_write(state,
                       "INSERT OR REPLACE INTO zone VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       DB_ARGS(db_text(zone->id), db_text(zone->org), db_text(zone->site),
                               db_text(zone->name), db_int(zone->is_archived),
                               db_int(zone->is_on_duty), db_text(zone->duty_reason),
                               db_real(zone->band_low), db_real(zone->band_high)));
}

enum err state_put_device(struct state *state, const struct state_device *device)
{
    assert((size_t)device->clock < COUNT(clock_names));
    return state_write(
        state,
        "INSERT INTO device VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " is_declared = excluded.is_declared,"
        " first_seen_ms = CASE WHEN first_seen_ms = 0 THEN excluded.first_seen_ms"
        "  WHEN excluded.first_seen_ms = 0 THEN first_seen_ms"
        "  ELSE min(first_seen_ms, excluded.first_seen_ms) END,"
        " last_seen_ms = excluded.last_seen_ms, clock = excluded.clock,"
        " version = excluded.version",
        DB_ARGS(db_text(device->org), db_text(device->id), db_int(device->is_declared),
                db_int(device->first_seen_ms), db_int(device->last_seen_ms),
                db_text(clock_names[device->clock]), db_text(device->version)));
}

enum err state_put_placement(struct state *state, const struct state_placement *placement)
{
    return state_write(state,
                       "INSERT OR REPLACE INTO placement VALUES (?, ?, ?, ?, ?, ?, ?)",
                       DB_ARGS(db_text(placement->org), db_text(placement->device),
                               db_text(placement->channel), db_int(placement->from_ms),
                               db_int(placement->to_ms), db_text(placement->zone),
                               db_text(placement->who)));
}

enum err state_put_rule(struct state *state, const struct state_rule *rule)
{
    return state_write(
        state, "INSERT OR REPLACE INTO rule VALUES (?, ?, ?)",
        DB_ARGS(db_text(rule->id), db_text(rule->zone), db_text(rule->body)));
}

enum err state_delete_rule(struct state *state, const char *id)
{
    enum err err =
        state_write(state, "DELETE FROM rule WHERE id = ?", DB_ARGS(db_text(id)));
    return err == ERR_OK && db_changes(state->db) == 0 ? ERR_NOT_FOUND : err;
}

enum err state_put_last(struct state *state, const struct state_last *last)
{
    assert((size_t)last->quality < COUNT(quality_names));
    return state_write(state, "INSERT OR REPLACE INTO last VALUES (?, ?, ?, ?, ?, ?, ?)",
                       DB_ARGS(db_text(last->org), db_text(last->device),
                               db_text(last->channel), db_real(last->value),
                               db_text(quality_names[last->quality]),
                               db_int(last->time_ms), db_int(last->arrival_ms)));
}

enum err state_each_org(struct state *state, void *context, state_org_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db, "SELECT id, name FROM org ORDER BY id", DB_NONE);
    while (db_next(&rows)) {
        const struct state_org org = {
            .id = db_get_text(&rows, 0),
            .name = db_get_text(&rows, 1),
        };
        row(context, &org);
    }
    return db_end(&rows);
}

enum err state_each_site(struct state *state, const char *org, void *context,
                         state_site_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT id, org, name, tier, time_zone FROM site"
              " WHERE ?1 IS NULL OR org = ?1 ORDER BY id",
              DB_ARGS(db_text_or_null(org)));
    while (db_next(&rows)) {
        const struct state_site site = {
            .id = db_get_text(&rows, 0),
            .org = db_get_text(&rows, 1),
            .name = db_get_text(&rows, 2),
            .tier = db_get_text(&rows, 3),
            .time_zone = db_get_text(&rows, 4),
        };
        row(context, &site);
    }
    return db_end(&rows);
}

enum err state_each_zone(struct state *state, const char *org, void *context,
                         state_zone_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT id, org, site, name, is_archived, is_on_duty, duty_reason,"
              " band_low, band_high FROM zone WHERE ?1 IS NULL OR org = ?1 ORDER BY id",
              DB_ARGS(db_text_or_null(org)));
    while (db_next(&rows)) {
        const struct state_zone zone = {
            .id = db_get_text(&rows, 0),
            .org = db_get_text(&rows, 1),
            .site = db_get_text(&rows, 2),
            .name = db_get_text(&rows, 3),
            .is_archived = db_get_int(&rows, 4) != 0,
            .is_on_duty = db_get_int(&rows, 5) != 0,
            .duty_reason = db_get_text(&rows, 6),
            .band_low = db_get_real(&rows, 7),
            .band_high = db_get_real(&rows, 8),
        };
        row(context, &zone);
    }
    return db_end(&rows);
}

static enum err each_device(struct db_rows *rows, void *context, state_device_fn *row)
{
    while (db_next(rows)) {
        const struct state_device device = {
            .org = db_get_text(rows, 0),
            .id = db_get_text(rows, 1),
            .is_declared = db_get_int(rows, 2) != 0,
            .first_seen_ms = db_get_int(rows, 3),
            .last_seen_ms = db_get_int(rows, 4),
            .clock = (enum pack_clock)index_of(clock_names, COUNT(clock_names),
                                               db_get_text(rows, 5)),
            .version = db_get_text(rows, 6),
        };
        row(context, &device);
    }
    return db_end(rows);
}

#define DEVICE_COLUMNS \
    "SELECT org, id, is_declared, first_seen_ms, last_seen_ms, clock, version FROM device"

enum err state_each_device(struct state *state, const char *org, void *context,
                           state_device_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              DEVICE_COLUMNS " WHERE ?1 IS NULL OR org = ?1 ORDER BY org, id",
              DB_ARGS(db_text_or_null(org)));
    return each_device(&rows, context, row);
}

enum err state_page_devices(struct state *state, const char *after_org,
                            const char *after_id, size_t limit, void *context,
                            state_device_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              DEVICE_COLUMNS " WHERE (org, id) > (?, ?) ORDER BY org, id LIMIT ?",
              DB_ARGS(db_text(after_org), db_text(after_id), state_limit(limit)));
    return each_device(&rows, context, row);
}

enum err state_each_placement(struct state *state, const char *zone, void *context,
                              state_placement_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT org, device, channel, zone, from_ms, to_ms, who FROM placement"
              " WHERE ?1 IS NULL OR zone = ?1 ORDER BY org, device, channel, from_ms",
              DB_ARGS(db_text_or_null(zone)));
    while (db_next(&rows)) {
        const struct state_placement placement = {
            .org = db_get_text(&rows, 0),
            .device = db_get_text(&rows, 1),
            .channel = db_get_text(&rows, 2),
            .zone = db_get_text(&rows, 3),
            .from_ms = db_get_int(&rows, 4),
            .to_ms = db_get_int(&rows, 5),
            .who = db_get_text(&rows, 6),
        };
        row(context, &placement);
    }
    return db_end(&rows);
}

enum err state_each_rule(struct state *state, const char *zone, void *context,
                         state_rule_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT id, zone, body FROM rule WHERE ?1 IS NULL OR zone = ?1"
              " ORDER BY id",
              DB_ARGS(db_text_or_null(zone)));
    while (db_next(&rows)) {
        const struct state_rule rule = {
            .id = db_get_text(&rows, 0),
            .zone = db_get_text(&rows, 1),
            .body = db_get_text(&rows, 2),
        };
        row(context, &rule);
    }
    return db_end(&rows);
}

#define LAST_COLUMNS \
    "SELECT org, device, channel, value, quality, time_ms, arrival_ms FROM last"

enum err state_each_last(struct state *state, const char *org, const char *device,
                         void *context, state_last_fn *row)
{
    struct db_rows rows;
    if (org != NULL && device != NULL)
        db_select(&rows, state->db,
                  LAST_COLUMNS " WHERE org = ? AND device = ? ORDER BY channel",
                  DB_ARGS(db_text(org), db_text(device)));
    else
        db_select(&rows, state->db,
                  LAST_COLUMNS " WHERE ?1 IS NULL OR org = ?1"
                               " ORDER BY org, device, channel",
                  DB_ARGS(db_text_or_null(org)));
    while (db_next(&rows)) {
        const struct state_last last = {
            .org = db_get_text(&rows, 0),
            .device = db_get_text(&rows, 1),
            .channel = db_get_text(&rows, 2),
            .value = db_get_real(&rows, 3),
            .quality = (enum quality)index_of(quality_names, COUNT(quality_names),
                                              db_get_text(&rows, 4)),
            .time_ms = db_get_int(&rows, 5),
            .arrival_ms = db_get_int(&rows, 6),
        };
        row(context, &last);
    }
    return db_end(&rows);
}
