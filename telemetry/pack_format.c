// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "telemetry/pack.h"
#include "telemetry/pack_labels.h"
#include "telemetry/quantity.h"
#include "telemetry/unit.h"

/*
 * Readings are grouped by channel: name and unit stand once, and what repeats from one
 * group to the next (the times) deflates to next to nothing.
 *
 *   [{"bt":1753772400.25,"cc-dev":"room-3",...,"bn":"air_temperature","bu":"Cel","v":2.3},
 *    {"t":10,"v":2.4}, ...
 *    {"bn":"air_temperature-2","v":2.1}, {"t":10,"v":2.1}, ...
 *    {"bn":"humidity","bu":"%RH","v":91.5}, ...]
 */
struct writer {
    const struct pack *pack;
    struct buf *out;
    int64_t anchor_ms; /* what times of an unset clock are written relative to */
    int64_t base_ms;   /* base time */
    const char *unit;  /* base unit in force */
    uint32_t *order;   /* indices of the readings, by channel */
    size_t *starts;    /* where the readings of each channel begin in `order` */
};

/* A date is written as it is, a time before SENML_ABSOLUTE relative to the anchor: SenML
 * has no other word for it. */
static int64_t written_ms(const struct writer *writer, int64_t time_ms)
{
    bool is_date = (double)time_ms >= SENML_ABSOLUTE * 1000;
    return is_date ? time_ms : time_ms - writer->anchor_ms;
}

static void put_number(struct buf *out, const char *label, double value)
{
    char *to = buf_reserve(out, strlen(label) + NUMBER_SIZE);
    size_t len = strlen(label);
    memcpy(to, label, len);
    len += number_format(value, to + len);
    out->len += len;
}

/*
 * The earliest time, so that offsets are small and positive; 0 when dates and relative
 * times meet, because their sums must not cross.
 */
static void choose_base(struct writer *writer)
{
    const struct pack *pack = writer->pack;
    size_t dates = 0;
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < pack->reading_count; i++) {
        int64_t ms = written_ms(writer, pack->readings[i].time_ms);
        dates += (double)pack->readings[i].time_ms >= SENML_ABSOLUTE * 1000;
        earliest = ms < earliest ? ms : earliest;
    }
    bool is_mixed = dates > 0 && dates < pack->reading_count;
    writer->base_ms = is_mixed || pack->reading_count == 0 ? 0 : earliest;
}

/* Counting sort: stable, so that readings of a channel keep their order. */
static void sort_by_channel(struct writer *writer)
{
    const struct pack *pack = writer->pack;
    writer->order = mem_array(pack->reading_count, sizeof *writer->order);
    writer->starts = mem_array(pack->channel_count + 2, sizeof *writer->starts);
    size_t *next = writer->starts + 1;
    for (size_t i = 0; i < pack->reading_count; i++)
        writer->starts[pack->readings[i].channel + 2]++;
    for (size_t i = 0; i < pack->channel_count; i++)
        next[i + 1] += next[i];
    for (size_t i = 0; i < pack->reading_count; i++)
        writer->order[next[pack->readings[i].channel]++] = (uint32_t)i;
    assert(writer->starts[pack->channel_count] == pack->reading_count);
}

static void put_value(struct buf *out, const struct reading *reading)
{
    if (reading->quality == QUALITY_GOOD) {
        put_number(out, "\"v\":", reading->value);
    } else {
        buf_text(out, "\"vs\":\"");
        buf_text(out, quality_name((enum quality)reading->quality));
        buf_text(out, "\"");
    }
    if (!isnan(reading->raw))
        put_number(out, ",\"raw\":", reading->raw);
}

static void put_channel(struct writer *writer, const struct channel *channel)
{
    buf_format(writer->out, "\"bn\":\"%s\",", channel->name);
    if (channel->registered < 0)
        return;
    const char *unit = quantity_at((size_t)channel->registered)->senml_unit;
    if (writer->unit == NULL || strcmp(writer->unit, unit) != 0)
        buf_format(writer->out, "\"bu\":\"%s\",", unit);
    writer->unit = unit;
}

static void put_group(struct writer *writer, size_t channel)
{
    const struct pack *pack = writer->pack;
    size_t begin = writer->starts[channel];
    size_t end = writer->starts[channel + 1];
    for (size_t i = begin; i < end; i++) {
        const struct reading *reading = &pack->readings[writer->order[i]];
        /* the first record of all was begun with the labels */
        if (i != begin || writer->out->data[writer->out->len - 1] == '}')
            buf_text(writer->out, ",{");
        if (i == begin)
            put_channel(writer, &pack->channels[channel]);
        int64_t offset_ms = written_ms(writer, reading->time_ms) - writer->base_ms;
        if (offset_ms != 0) {
            put_number(writer->out, "\"t\":", (double)offset_ms / 1000);
            buf_text(writer->out, ",");
        }
        put_value(writer->out, reading);
        buf_text(writer->out, "}");
    }
}

/* Unregistered ones have no unit, and a base unit once set cannot be unset. */
static void put_groups(struct writer *writer, bool registered)
{
    for (size_t i = 0; i < writer->pack->channel_count; i++)
        if ((writer->pack->channels[i].registered >= 0) == registered)
            put_group(writer, i);
}

static bool has_secondary_unit(const struct pack *pack)
{
    for (size_t i = 0; i < pack->channel_count; i++)
        if (pack->channels[i].registered >= 0 &&
            unit_is_secondary(
                quantity_at((size_t)pack->channels[i].registered)->senml_unit))
            return true;
    return false;
}

/* Opens the first record, which carries the labels, and closes it where no reading may
 * stand in it. */
static void put_head(struct writer *writer)
{
    struct buf *out = writer->out;
    buf_text(out, "[{");
    if (has_secondary_unit(writer->pack))
        buf_format(out, "\"bver\":%d,", SENML_VERSION_SECONDARY);
    if (writer->base_ms != 0) {
        put_number(out, "\"bt\":", (double)writer->base_ms / 1000);
        buf_text(out, ",");
    }
    pack_labels_format(writer->pack, out);
    if (writer->pack->kind != PACK_DATA)
        buf_format(out, "\"n\":\"" PACK_CONTROL_NAME "\",\"vs\":\"%s\"}",
                   pack_kind_name(writer->pack->kind));
    else if (writer->pack->reading_count == 0)
        out->data[out->len - 1] = '}'; /* cc-at and its comma always stand there */
}

void pack_format(const struct pack *pack, struct buf *out)
{
    struct writer writer = {
        .pack = pack,
        .out = out,
        .anchor_ms = pack->wall_ms > 0 ? pack->wall_ms : 0,
    };
    assert((pack->device[0] != '\0') == (pack->seq != 0));
    assert(pack->wall_ms >= PACK_TIME_MIN && pack->wall_ms <= PACK_TIME_MAX);
    assert(pack->reading_count == 0 || pack->kind == PACK_DATA ||
           pack->kind == PACK_THINNED);
    choose_base(&writer);
    sort_by_channel(&writer);
    put_head(&writer);
    put_groups(&writer, false);
    put_groups(&writer, true);
    buf_text(out, "]");
    free(writer.order);
    free(writer.starts);
}
