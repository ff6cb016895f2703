// SPDX-License-Identifier: Apache-2.0
#include "collector/store/history_devices.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "telemetry/reading.h"

#define KEY_SIZE (2 * ID_SIZE)

void devices_init(struct devices *devices, struct db *db)
{
    *devices = (struct devices){.db = db};
}

static void device_destroy(struct known_device *device)
{
    if (device == NULL)
        return;
    for (size_t i = 0; i < device->series_count; i++)
        free(device->series[i].channel);
    for (size_t i = 0; i < device->epoch_count; i++)
        seqset_fini(&device->epochs[i].taken);
    free(device->series);
    free(device->epochs);
    free(device);
}

void devices_forget(struct devices *devices)
{
    for (size_t i = 0; i < devices->by_name.count; i++)
        device_destroy(devices->by_name.entries[i].value);
    map_fini(&devices->by_name);
    free(devices->by_id);
    free(devices->changed);
    devices_init(devices, devices->db);
}

/* Identifiers hold no '/'. */
static bool make_key(char key[KEY_SIZE], const char *org, const char *name)
{
    size_t org_len = strlen(org);
    size_t name_len = strlen(name);
    if (org_len > ID_MAX || name_len > ID_MAX)
        return false;
    memcpy(key, org, org_len);
    key[org_len] = '/';
    memcpy(key + org_len + 1, name, name_len + 1);
    return true;
}

static enum err load_id(struct devices *devices, const char *org, const char *name,
                        int64_t *id)
{
    enum err err =
        db_get_one(devices->db, "SELECT id FROM device WHERE org = ? AND name = ?",
                   DB_ARGS(db_text(org), db_text(name)), id);
    if (err != ERR_NOT_FOUND)
        return err;
    err = db_run(devices->db, "INSERT INTO device (org, name) VALUES (?, ?)",
                 DB_ARGS(db_text(org), db_text(name)));
    *id = db_inserted(devices->db);
    return err;
}

static void add_series(struct known_device *device, int64_t id, const char *channel)
{
    mem_grow(&device->series, &device->series_capacity, device->series_count + 1,
             sizeof *device->series);
    device->series[device->series_count++] =
        (struct known_series){.id = id, .channel = mem_strdup(channel)};
}

static enum err load_series(struct devices *devices, struct known_device *device)
{
    struct db_rows rows;
    db_select(&rows, devices->db,
              "SELECT id, channel FROM series WHERE device = ? ORDER BY id",
              DB_ARGS(db_int(device->id)));
    while (db_next(&rows))
        add_series(device, db_get_int(&rows, 0), db_get_text(&rows, 1));
    return db_end(&rows);
}

static enum err load_taken(struct devices *devices, struct known_device *device)
{
    struct db_rows rows;
    enum err err = ERR_OK;
    db_select(&rows, devices->db, "SELECT epoch, data FROM taken WHERE device = ?",
              DB_ARGS(db_int(device->id)));
    while (err == ERR_OK && db_next(&rows)) {
        size_t len = 0;
        const void *data = db_get_blob(&rows, 1, &len);
        struct buf_reader in = buf_reader_of(data, len);
        struct known_epoch *epoch = devices_epoch(device, db_get_u64(&rows, 0));
        err = seqset_load(&epoch->taken, &in);
    }
    enum err ended = db_end(&rows);
    return err != ERR_OK ? err : ended;
}

/* Numbers are given densely, so an array finds them. */
static void index_by_id(struct devices *devices, struct known_device *device)
{
    size_t had = devices->id_capacity;
    size_t want = (size_t)device->id + 1;
    assert(device->id > 0);
    mem_grow(&devices->by_id, &devices->id_capacity, want, sizeof(struct known_device *));
    for (size_t i = had; i < devices->id_capacity; i++)
        devices->by_id[i] = NULL;
    devices->by_id[device->id] = device;
}

static enum err load_device(struct devices *devices, const char *org, const char *name,
                            struct known_device *device)
{
    enum err err = load_id(devices, org, name, &device->id);
    if (err == ERR_OK)
        err = load_series(devices, device);
    if (err == ERR_OK)
        err = load_taken(devices, device);
    return err;
}

enum err devices_find(struct devices *devices, const char *org, const char *name,
                      struct known_device **out)
{
    char key[KEY_SIZE];
    *out = NULL;
    if (!make_key(key, org, name))
        return ERR_INVALID;
    *out = map_get(&devices->by_name, key);
    if (*out != NULL)
        return ERR_OK;
    struct known_device *device = mem_alloc(sizeof *device);
    enum err err = load_device(devices, org, name, device);
    if (err != ERR_OK) {
        device_destroy(device);
        return err;
    }
    *map_at(&devices->by_name, key) = device;
    index_by_id(devices, device);
    *out = device;
    return ERR_OK;
}

enum err devices_find_id(struct devices *devices, int64_t id,
                         struct known_device **device)
{
    if (id > 0 && (uint64_t)id < devices->id_capacity && devices->by_id[id] != NULL) {
        *device = devices->by_id[id];
        return ERR_OK;
    }
    struct db_rows rows;
    db_select(&rows, devices->db, "SELECT org, name FROM device WHERE id = ?",
              DB_ARGS(db_int(id)));
    enum err err = ERR_NOT_FOUND;
    if (db_next(&rows))
        err = devices_find(devices, db_get_text(&rows, 0), db_get_text(&rows, 1), device);
    enum err ended = db_end(&rows);
    return ended != ERR_OK ? ended : err;
}

enum err devices_series(struct devices *devices, struct known_device *device,
                        const char *channel, size_t hint, int64_t *series)
{
    size_t count = device->series_count;
    for (size_t i = 0; i < count; i++) {
        const struct known_series *known = &device->series[(hint + i) % count];
        if (strcmp(known->channel, channel) == 0) {
            *series = known->id;
            return ERR_OK;
        }
    }
    enum err err =
        db_run(devices->db, "INSERT INTO series (device, channel) VALUES (?, ?)",
               DB_ARGS(db_int(device->id), db_text(channel)));
    if (err != ERR_OK)
        return err;
    *series = db_inserted(devices->db);
    add_series(device, *series, channel);
    return ERR_OK;
}

struct known_epoch *devices_epoch(struct known_device *device, uint64_t epoch)
{
    /* The newest is the likeliest. */
    for (size_t i = device->epoch_count; i > 0; i--)
        if (device->epochs[i - 1].epoch == epoch)
            return &device->epochs[i - 1];
    mem_grow(&device->epochs, &device->epoch_capacity, device->epoch_count + 1,
             sizeof *device->epochs);
    struct known_epoch *known = &device->epochs[device->epoch_count++];
    *known = (struct known_epoch){.epoch = epoch};
    return known;
}

void devices_mark(struct devices *devices, struct known_device *device,
                  struct known_epoch *epoch)
{
    epoch->is_changed = true;
    if (device->is_changed)
        return;
    device->is_changed = true;
    mem_grow(&devices->changed, &devices->changed_capacity, devices->changed_count + 1,
             sizeof(struct known_device *));
    devices->changed[devices->changed_count++] = device;
}

static enum err save_epoch(struct devices *devices, const struct known_device *device,
                           struct known_epoch *epoch)
{
    struct buf data = {0};
    seqset_save(&epoch->taken, &data);
    enum err err = db_run(
        devices->db, "INSERT OR REPLACE INTO taken VALUES (?, ?, ?)",
        DB_ARGS(db_int(device->id), db_u64(epoch->epoch), db_blob(data.data, data.len)));
    buf_fini(&data);
    if (err == ERR_OK)
        epoch->is_changed = false;
    return err;
}

static enum err save_device(struct devices *devices, struct known_device *device)
{
    assert(device->is_changed);
    for (size_t i = 0; i < device->epoch_count; i++) {
        if (!device->epochs[i].is_changed)
            continue;
        enum err err = save_epoch(devices, device, &device->epochs[i]);
        if (err != ERR_OK)
            return err;
    }
    device->is_changed = false;
    return ERR_OK;
}

enum err devices_save(struct devices *devices, size_t most, size_t *saved)
{
    size_t count = devices->changed_count < most ? devices->changed_count : most;
    *saved = 0;
    for (size_t i = 0; i < count; i++) {
        enum err err = save_device(devices, devices->changed[i]);
        if (err != ERR_OK)
            return err;
    }
    devices->changed_count -= count;
    if (count > 0)
        memmove(devices->changed, devices->changed + count,
                devices->changed_count * sizeof(struct known_device *));
    *saved = count;
    return ERR_OK;
}
