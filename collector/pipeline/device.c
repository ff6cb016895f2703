// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/device.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "telemetry/zone_rules.h"

#define SAVED_VERSION        6
#define SAVED_VERSION_ASTRAY 5 /* 0.1: nothing is known of clocks that went back */
#define SAVED_VERSION_STRICT 4 /* 0.1: nothing is known of what it reads of them */
#define SAVED_VERSION_UNSET  3 /* 0.1: nothing is known of clocks that were set late */
#define SAVED_VERSION_SILENT 2 /* 0.1: nothing is known of the zones' rules there */
#define SAVED_VERSION_OLD    1 /* 0.1: windows without hashes */
#define OLD_HELD_MAX         (SEQSET_RANGES_MAX * 1024u)

static_assert(sizeof(struct device_channel) <= 48, "a fleet has millions of these");
static_assert(QUALITY_FAULT <= UINT8_MAX, "a channel holds its quality in one byte");

const char *device_key(char key[DEVICE_KEY_SIZE], const char *org, const char *id)
{
    snprintf(key, DEVICE_KEY_SIZE, "%s/%s", org, id);
    return key;
}

struct device *device_create(const char *org, const char *id)
{
    size_t org_size = strlen(org) + 1;
    size_t id_size = strlen(id) + 1;
    struct device *device = mem_alloc(sizeof *device + org_size + id_size);
    char *names = (char *)(device + 1);
    memcpy(names, org, org_size);
    memcpy(names + org_size, id, id_size);
    device->org = names;
    device->id = names + org_size;
    return device;
}

void device_destroy(struct device *device, struct collector_core *core)
{
    if (device == NULL)
        return;
    collector_device_fini(core, &device->delivery);
    late_destroy(device->late);
    free(device->channels);
    free(device->version);
    free(device->config_unknown);
    free(device);
}

const char *device_version(const struct device *device)
{
    return device->version != NULL ? device->version : "";
}

void device_set_version(struct device *device, const char *version)
{
    if (strcmp(device_version(device), version) == 0)
        return;
    free(device->version);
    device->version = mem_strdup(version);
}

void device_set_unknown(struct device *device, const char *words)
{
    free(device->config_unknown);
    device->config_unknown = words[0] != '\0' ? mem_strdup(words) : NULL;
}

void device_names_fini(struct device_names *names)
{
    for (size_t i = 0; i < names->channels.count; i++)
        free(names->channels.entries[i].value);
    map_fini(&names->channels);
}

static const struct channel *intern(struct device_names *names,
                                    const struct channel *name)
{
    void **at = map_at(&names->channels, name->name);
    if (*at == NULL)
        *at = mem_dup(name, sizeof *name);
    return *at;
}

/* Room for exactly what is there: most devices get their few channels with one pack. */
static struct device_channel *add_channel(struct device *device,
                                          const struct channel *name)
{
    assert(device->channel_count < DEVICE_CHANNELS_MAX);
    uint32_t count = device->channel_count + 1;
    device->channels = mem_realloc(device->channels, count * sizeof *device->channels);
    struct device_channel *added = &device->channels[device->channel_count++];
    *added = (struct device_channel){.name = name};
    return added;
}

struct device_channel *device_channel_of(struct device *device,
                                         struct device_names *names,
                                         const struct channel *name)
{
    for (size_t i = 0; i < device->channel_count; i++)
        if (strcmp(device->channels[i].name->name, name->name) == 0)
            return &device->channels[i];
    if (device->channel_count >= DEVICE_CHANNELS_MAX)
        return NULL;
    return add_channel(device, intern(names, name));
}

void device_forget_places(struct device *device, uint64_t placed_in, uint64_t kept_in)
{
    bool is_placed = device->placed_in == placed_in;
    if (is_placed && device->kept_in == kept_in)
        return;
    for (size_t i = 0; i < device->channel_count; i++) {
        device->channels[i].source = NULL;
        if (!is_placed)
            device->channels[i].placement = 0;
    }
    device->placed_in = placed_in;
    device->kept_in = kept_in;
}

const struct registry_placement *
device_channel_place(const struct device *device, const struct device_channel *channel,
                     const struct registry *registry)
{
    if (device->placed_in != registry->generation || channel->placement == 0)
        return NULL;
    assert(channel->placement <= registry->placement_count);
    return &registry->placements[channel->placement - 1];
}

static void save_channel(const struct device_channel *channel, struct buf *out)
{
    buf_blob(out, channel->name->name, strlen(channel->name->name));
    buf_f64(out, channel->value);
    buf_u8(out, channel->quality);
    buf_zigzag(out, channel->time_ms);
    buf_zigzag(out, channel->arrival_ms);
}

void device_save(const struct device *device, struct buf *out)
{
    buf_u8(out, SAVED_VERSION);
    collector_device_save(&device->delivery, out);
    buf_blob(out, device_version(device), strlen(device_version(device)));
    buf_u8(out, device->is_online);
    buf_zigzag(out, device->last_arrival_ms);
    buf_varint(out, device->readings);
    buf_varint(out, device->channel_count);
    for (size_t i = 0; i < device->channel_count; i++)
        save_channel(&device->channels[i], out);
    buf_u64(out, device->config_version);
    buf_u64(out, device->fixed_boot);
    buf_zigzag(out, device->fixed_offset_ms);
    const char *unknown = device->config_unknown != NULL ? device->config_unknown : "";
    buf_u8(out, device->config_form);
    buf_varint(out, device->config_left_out);
    buf_blob(out, unknown, strlen(unknown));
    buf_u64(out, device->clock_epoch);
    buf_zigzag(out, device->clock_ms);
}

uint64_t device_boot(const char *boot_id)
{
    return boot_id[0] == '\0' ? 0 : rng_seed_of(boot_id) | 1;
}

int64_t device_clock_shift_ms(const struct device *device, const struct pack *pack)
{
    bool is_undated = pack->clock == PACK_CLOCK_UNSET && pack->boot_ms > 0;
    if (!is_undated || device->fixed_boot == 0 ||
        device->fixed_boot != device_boot(pack->boot_id))
        return 0;
    return device->fixed_offset_ms - (pack->wall_ms - pack->boot_ms);
}

static bool load_text(struct buf_reader *in, char *to, size_t size)
{
    size_t len;
    const char *text = buf_read_blob(in, &len);
    if (text == NULL || len >= size)
        return false;
    memcpy(to, text, len);
    to[len] = '\0';
    return true;
}

static enum err load_channel(struct device *device, struct device_names *names,
                             struct buf_reader *in)
{
    char name[ID_SIZE];
    struct channel parsed;
    if (!load_text(in, name, sizeof name) || channel_parse(&parsed, name) != ERR_OK)
        return ERR_CORRUPT;
    struct device_channel *channel = device_channel_of(device, names, &parsed);
    if (channel == NULL)
        return ERR_CORRUPT;
    channel->value = buf_read_f64(in);
    uint8_t quality = buf_read_u8(in);
    if (quality > QUALITY_FAULT)
        return ERR_CORRUPT;
    channel->quality = quality;
    channel->time_ms = buf_read_zigzag(in);
    channel->arrival_ms = buf_read_zigzag(in);
    return in->failed ? ERR_CORRUPT : ERR_OK;
}

static enum err load_channels(struct device *device, struct device_names *names,
                              struct buf_reader *in)
{
    enum err err = ERR_OK;
    uint64_t channels = buf_read_varint(in);
    for (uint64_t i = 0; err == ERR_OK && i < channels; i++)
        err = load_channel(device, names, in);
    return err == ERR_OK && in->failed ? ERR_CORRUPT : err;
}

static bool load_head(struct device *device, struct buf_reader *in)
{
    char version[ID_SIZE];
    if (!load_text(in, version, sizeof version))
        return false;
    device_set_version(device, version);
    device->is_online = buf_read_u8(in) != 0;
    device->last_arrival_ms = buf_read_zigzag(in);
    device->readings = buf_read_varint(in);
    return !in->failed;
}

/* ---- version 1 -------------------------------------------------------------------- */

static enum err load_old_epoch(struct collector_core *core, struct collector_epoch *epoch,
                               struct buf_reader *in)
{
    enum err err = seqset_load(&epoch->window.taken, in);
    core->ranges += epoch->window.taken.count;
    if (err == ERR_OK)
        err = seqset_load(&epoch->rejected, in);
    if (err != ERR_OK)
        return err;
    epoch->evaluated = buf_read_varint(in);
    epoch->is_ended = buf_read_u8(in) != 0;
    uint64_t count = buf_read_varint(in);
    if (in->failed || count > OLD_HELD_MAX)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < count; i++) {
        struct collector_held held = {.seq = buf_read_varint(in)};
        held.position = buf_read_varint(in);
        if (in->failed || held.seq <= epoch->evaluated)
            return ERR_CORRUPT;
        collector_epoch_hold(epoch, held);
    }
    return ERR_OK;
}

static enum err load_old(struct device *device, struct device_names *names,
                         struct collector_core *core, struct buf_reader *in)
{
    char *nonce = device->delivery.nonce;
    if (!load_text(in, nonce, sizeof device->delivery.nonce) || !load_head(device, in))
        return ERR_CORRUPT;
    uint64_t count = buf_read_varint(in);
    if (count > COLLECTOR_EPOCHS_MAX)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < count; i++) {
        struct collector_epoch *epoch =
            collector_epoch_of(&device->delivery, buf_read_u64(in));
        enum err err = load_old_epoch(core, epoch, in);
        if (err != ERR_OK)
            return err;
    }
    return load_channels(device, names, in);
}

static bool load_unknown(struct device *device, struct buf_reader *in)
{
    char words[ZONE_NOTES_MAX * ZONE_NOTE_SIZE];
    device->config_form = buf_read_u8(in);
    device->config_left_out = (uint32_t)buf_read_varint(in);
    if (!load_text(in, words, sizeof words))
        return false;
    device_set_unknown(device, words);
    return true;
}

enum err device_load(struct device *device, struct device_names *names,
                     struct collector_core *core, const void *data, size_t len)
{
    struct buf_reader in = buf_reader_of(data, len);
    uint8_t version = buf_read_u8(&in);
    if (version == SAVED_VERSION_OLD)
        return load_old(device, names, core, &in);
    if (version < SAVED_VERSION_SILENT || version > SAVED_VERSION)
        return ERR_CORRUPT;
    enum err err = collector_device_load(core, &device->delivery, &in);
    if (err != ERR_OK)
        return err;
    err = load_head(device, &in) ? load_channels(device, names, &in) : ERR_CORRUPT;
    if (err == ERR_OK && version >= SAVED_VERSION_UNSET)
        device->config_version = buf_read_u64(&in);
    if (err == ERR_OK && version >= SAVED_VERSION_STRICT) {
        device->fixed_boot = buf_read_u64(&in);
        device->fixed_offset_ms = buf_read_zigzag(&in);
    }
    if (err == ERR_OK && version >= SAVED_VERSION_ASTRAY && !load_unknown(device, &in))
        err = ERR_CORRUPT;
    if (err == ERR_OK && version >= SAVED_VERSION) {
        device->clock_epoch = buf_read_u64(&in);
        device->clock_ms = buf_read_zigzag(&in);
    }
    return err == ERR_OK && in.failed ? ERR_CORRUPT : err;
}
