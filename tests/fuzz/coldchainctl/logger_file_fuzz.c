// SPDX-License-Identifier: Apache-2.0
/*
 * logger_file_fuzz - foreign bytes as a logger's file, under a map of columns.
 *
 * The first byte chooses options and, with bit 2, one of the maps below; else the map is
 * the first line. What is taken must be what the collector takes: packs that its parser
 * reads, no larger than the API allows, with all readings, the same each time.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "coldchainctl/logger_file.h"
#include "telemetry/delivery.h"
#include "telemetry/pack.h"
#include "telemetry/topic.h"

#define NOW          INT64_C(1795104000000)
#define API_BODY_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pack(const struct logger_file *file, size_t index, struct pack *pack)
{
    const struct buf *bytes = &file->packs[index];
    struct err_text why = {""};
    char epoch[17];
    if (bytes->len > API_BODY_MAX ||
        pack_parse(pack, bytes->data, bytes->len, NOW, &why) != ERR_OK)
        abort();
    uint64_t before =
        index > 0 ? delivery_hash(file->packs[index - 1].data, file->packs[index - 1].len)
                  : 0;
    if (pack->seq != index + 1 || strcmp(pack->device, "logger-7") != 0 ||
        strcmp(epoch_format(pack->epoch, epoch), file->epoch) != 0 ||
        pack->previous_hash != before || pack->kind != PACK_DATA)
        abort();
    for (size_t i = 0; i < pack->reading_count; i++)
        if (pack->readings[i].time_ms < file->first_ms ||
            pack->readings[i].time_ms > file->last_ms)
            abort();
}

static void check_taken(const struct logger_file *file)
{
    struct pack pack = {.epoch = 0};
    size_t readings = 0;
    for (size_t i = 0; i < file->count; i++) {
        check_pack(file, i, &pack);
        readings += pack.reading_count;
    }
    pack_fini(&pack);
    if (file->count == 0 || readings != file->readings || file->rows == 0 ||
        file->first_ms > file->last_ms)
        abort();
}

static void check_again(const struct logger_file *file, const void *data, size_t len,
                        const struct logger_options *options)
{
    struct logger_file again;
    struct err_text why = {""};
    if (logger_file_parse(&again, data, len, options, &why) != ERR_OK ||
        again.count != file->count || strcmp(again.epoch, file->epoch) != 0)
        abort();
    for (size_t i = 0; i < file->count; i++)
        if (again.packs[i].len != file->packs[i].len ||
            memcmp(again.packs[i].data, file->packs[i].data, file->packs[i].len) != 0)
            abort();
    logger_file_fini(&again);
}

/* The map of columns, owned by the caller; *used is where the file begins. */
static char *take_map(const uint8_t *data, size_t size, size_t *used)
{
    static const char *const maps[] = {
        "time=Time@+08:00,air_temperature=Temp@C,humidity=RH@%",
        "time=#1@utc,product_temperature=#2@F", "time=#1@s,air_temperature-2=#3",
        "time=#2@ms,door=#1"};
    *used = 1;
    if ((data[0] & 4) != 0)
        return strdup(maps[data[0] >> 3 & 3]);
    const uint8_t *end = memchr(data + 1, '\n', size - 1);
    size_t len = end != NULL ? (size_t)(end - data) - 1 : size - 1;
    *used = end != NULL ? len + 2 : size;
    return strndup((const char *)data + 1, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t used;
    char *map = take_map(data, size, &used);
    uint8_t *copy = malloc(size - used + 1); /* one byte read too far is seen */
    if (map == NULL || copy == NULL)
        abort();
    memcpy(copy, data + used, size - used);
    const struct logger_options options = {.columns = map,
                                           .org = "fengjie",
                                           .device = "logger-7",
                                           .is_partial = (data[0] & 1) != 0,
                                           .is_whole = (data[0] & 2) != 0};
    struct logger_file file;
    struct err_text why = {""};
    enum err err = logger_file_parse(&file, copy, size - used, &options, &why);
    if ((err == ERR_OK) != (why.text[0] == '\0'))
        abort();
    if (err == ERR_OK) {
        check_taken(&file);
        check_again(&file, copy, size - used, &options);
    }
    logger_file_fini(&file);
    free(copy);
    free(map);
    return 0;
}
