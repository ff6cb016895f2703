// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/verdicts_kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"

#define MAGIC        0x44524556u             /* "VERD" */
#define VERSION      INCIDENTS_SAVED_VERSION /* 1 and 2 are read, too */
#define KEY_MAX      (3 * ID_SIZE)
#define ENTITIES_MAX 100000

void verdicts_kept_forget_entities(struct verdicts_kept *kept)
{
    for (size_t i = 0; i < kept->entities.count; i++) {
        struct buf *bytes = kept->entities.entries[i].value;
        if (bytes != NULL)
            buf_fini(bytes);
        free(bytes);
    }
    map_fini(&kept->entities);
    kept->entities = (struct map){0};
}

void verdicts_kept_fini(struct verdicts_kept *kept)
{
    verdicts_kept_forget_entities(kept);
    incidents_fini(&kept->list);
    *kept = (struct verdicts_kept){0};
}

void verdicts_kept_put(struct verdicts_kept *kept, const char *key, const void *data,
                       size_t len)
{
    void **at = map_at(&kept->entities, key);
    struct buf *bytes = *at;
    if (bytes == NULL && len > 0)
        *at = bytes = mem_alloc(sizeof *bytes);
    if (bytes == NULL)
        return;
    buf_clear(bytes);
    buf_add(bytes, data, len);
}

static bool is_there(const struct map_entry *entity)
{
    const struct buf *bytes = entity->value;
    return bytes != NULL && bytes->len > 0;
}

static void save_entities(const struct map *entities, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < entities->count; i++)
        count += is_there(&entities->entries[i]);
    buf_varint(out, count);
    for (size_t i = 0; i < entities->count; i++) {
        const struct buf *bytes = entities->entries[i].value;
        if (!is_there(&entities->entries[i]))
            continue;
        buf_blob(out, entities->entries[i].key, strlen(entities->entries[i].key));
        buf_blob(out, bytes->data, bytes->len);
    }
}

void verdicts_kept_save(const struct verdicts_kept *kept, struct buf *out)
{
    size_t start = out->len;
    buf_u32(out, MAGIC);
    buf_u8(out, VERSION);
    buf_u8(out, kept->is_boot_time);
    buf_blob(out, kept->boot_id, strlen(kept->boot_id));
    buf_u64(out, kept->since.epoch);
    buf_u64(out, kept->since.seq);
    buf_u64(out, kept->judged.epoch);
    buf_u64(out, kept->judged.seq);
    save_entities(&kept->entities, out);
    incidents_save(&kept->list, out);
    buf_u32(out, crc32c(0, out->data + start, out->len - start));
}

static bool load_entities(struct verdicts_kept *kept, struct buf_reader *in)
{
    uint64_t count = buf_read_varint(in);
    if (count > ENTITIES_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        char key[KEY_MAX];
        size_t key_len;
        size_t len;
        const char *name = buf_read_blob(in, &key_len);
        const void *bytes = buf_read_blob(in, &len);
        if (name == NULL || bytes == NULL || key_len >= sizeof key || len == 0)
            return false;
        memcpy(key, name, key_len);
        key[key_len] = '\0';
        verdicts_kept_put(kept, key, bytes, len);
    }
    return !in->failed;
}

static bool load(struct verdicts_kept *kept, unsigned version, struct buf_reader *in)
{
    size_t len;
    kept->is_boot_time = buf_read_u8(in) != 0;
    const char *boot_id = buf_read_blob(in, &len);
    if (boot_id == NULL || len >= sizeof kept->boot_id)
        return false;
    memcpy(kept->boot_id, boot_id, len);
    kept->since.epoch = buf_read_u64(in);
    kept->since.seq = buf_read_u64(in);
    kept->judged.epoch = buf_read_u64(in);
    kept->judged.seq = buf_read_u64(in);
    return load_entities(kept, in) && incidents_load(&kept->list, version, in);
}

bool verdicts_kept_load(struct verdicts_kept *kept, const void *data, size_t len)
{
    *kept = (struct verdicts_kept){0};
    if (len < sizeof(uint32_t))
        return false;
    size_t body = len - sizeof(uint32_t);
    struct buf_reader in = buf_reader_of(data, body);
    if (bytes_u32((const char *)data + body) != crc32c(0, data, body) ||
        buf_read_u32(&in) != MAGIC)
        return false;
    unsigned version = buf_read_u8(&in);
    if (version == 0 || version > VERSION)
        return false;
    if (load(kept, version, &in) && in.at == in.len)
        return true;
    verdicts_kept_fini(kept);
    return false;
}
