// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "telemetry/pack.h"
#include "telemetry/pack_labels.h"
#include "telemetry/quantity.h"
#include "telemetry/senml.h"
#include "telemetry/unit.h"

#define INSERTION_RUN 16

struct parser {
    struct pack *pack;
    int64_t now_ms;
    bool has_at;      /* the pack says when it was closed */
    double raw;       /* of the record being read, NaN when it has none */
    size_t raw_index; /* the record that `raw` stands in */

    /* what the record before taught; `channel` and `change` are those of its name and
     * unit only while is_current */
    bool is_current;
    uint16_t channel;
    struct unit_change change;
};

/* ---- labels ------------------------------------------------------------------- */

static bool is_label(const struct senml_label *label, const char *name)
{
    return label->name_len == strlen(name) &&
           memcmp(label->name, name, label->name_len) == 0;
}

static enum err take_label(void *context, const struct senml_label *label,
                           struct err_text *why)
{
    struct parser *parser = context;
    if (is_label(label, "raw")) {
        if (label->value.kind == TOKEN_NUMBER) {
            parser->raw = label->value.number;
            parser->raw_index = label->index;
        }
        return ERR_OK;
    }
    if (is_label(label, "cc-at"))
        parser->has_at = true;
    return pack_labels_take(parser->pack, label, why);
}

/* ---- channel and unit --------------------------------------------------------- */

/* Packs repeat one channel, or go round; both are found without a search. */
static enum err find_channel(struct parser *parser, const char *name,
                             struct err_text *why)
{
    struct pack *pack = parser->pack;
    size_t next = (size_t)parser->channel + 1;
    if (next >= pack->channel_count)
        next = 0;
    if (next < pack->channel_count && strcmp(pack->channels[next].name, name) == 0) {
        parser->channel = (uint16_t)next;
        return ERR_OK;
    }
    enum err err = pack_channel(pack, name, &parser->channel);
    if (err == ERR_LIMIT)
        return err_set(why, err, "more than %d channels", PACK_CHANNELS_MAX);
    if (err != ERR_OK)
        return err_set(why, err, "'%.40s...' is too long a name for a channel", name);
    return ERR_OK;
}

/*
 * People write % for %RH and for the charge of a battery; SenML's % is 1/1, which no
 * such value can be in, so there is nothing to confuse it with.
 */
static bool is_plain_percent(const char *unit, const char *wanted)
{
    return strcmp(unit, "%") == 0 &&
           (strcmp(wanted, "%RH") == 0 || strcmp(wanted, "%EL") == 0);
}

/* Registered quantities change to their unit, others to the primary unit. */
static enum err find_change(struct parser *parser, const char *unit, struct err_text *why)
{
    const struct channel *channel = &parser->pack->channels[parser->channel];
    parser->change = (struct unit_change){.multiply = 1, .divide = 1};
    const char *wanted = channel->registered >= 0
                             ? quantity_at((size_t)channel->registered)->senml_unit
                             : unit_primary(unit);
    if (unit[0] == '\0' || wanted == NULL || is_plain_percent(unit, wanted))
        return ERR_OK;
    if (strcmp(unit, "%") == 0 && strcmp(wanted, "/100") == 0)
        return err_set(why, ERR_INVALID,
                       "unit '%%' is 1/1 in SenML: use '/100' for percent of %s",
                       channel->quantity);
    if (!unit_change_find(&parser->change, unit, wanted))
        return err_set(why, ERR_INVALID, "%s is measured in '%s', not in this unit",
                       channel->quantity, wanted);
    return ERR_OK;
}

/* ---- readings ----------------------------------------------------------------- */

/* Text on a channel is the name of a quality; whatever else it says, it is no value. */
static uint8_t quality_of_text(const struct senml_record *record)
{
    enum quality quality = QUALITY_FAULT;
    char name[16];
    if (record->kind == SENML_STRING && record->text_len < sizeof name) {
        memcpy(name, record->text, record->text_len);
        name[record->text_len] = '\0';
        if (!quality_parse(&quality, name) || quality == QUALITY_GOOD)
            quality = QUALITY_FAULT;
    }
    return (uint8_t)quality;
}

static enum err take_reading(struct parser *parser, const struct senml_record *record,
                             struct err_text *why)
{
    struct pack *pack = parser->pack;
    bool has_raw = parser->raw_index == record->index && !isnan(parser->raw);
    struct reading reading = {.channel = parser->channel, .value = NAN, .raw = NAN};
    int64_t now_ms = parser->now_ms;
    if (parser->has_at)
        now_ms = pack->wall_ms > 0 ? pack->wall_ms : 0;
    if (!senml_time(&reading.time_ms, record->time_s, now_ms))
        return err_set(why, ERR_INVALID, "the time is beyond all years");
    if (record->kind == SENML_NUMBER || record->kind == SENML_BOOL)
        reading.value = unit_apply(&parser->change, record->value);
    else
        reading.quality = quality_of_text(record);
    if (has_raw)
        reading.raw = unit_apply(&parser->change, parser->raw);
    enum err err = pack_add(pack, &reading);
    if (err == ERR_LIMIT)
        return err_set(why, err, "more than %d readings", PACK_READINGS_MAX);
    if (err != ERR_OK)
        return err_set(why, err, "the value is too large");
    return ERR_OK;
}

static bool is_control(const struct pack *pack, const struct senml_record *record)
{
    return pack->kind != PACK_DATA && record->index == 0 &&
           record->kind == SENML_STRING && strcmp(record->name, PACK_CONTROL_NAME) == 0;
}

static enum err take_record(void *context, const struct senml_record *record,
                            struct err_text *why)
{
    struct parser *parser = context;
    bool was_current = parser->is_current;
    parser->is_current = false;
    if (record->kind == SENML_NONE || is_control(parser->pack, record))
        return ERR_OK;
    bool has_channel = was_current && record->is_same_name;
    enum err err = has_channel ? ERR_OK : find_channel(parser, record->name, why);
    if (err == ERR_OK && !(has_channel && record->is_same_unit))
        err = find_change(parser, record->unit, why);
    parser->is_current = err == ERR_OK;
    return err == ERR_OK ? take_reading(parser, record, why) : err;
}

/* ---- order -------------------------------------------------------------------- */

static bool is_sorted(const struct reading *readings, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (readings[i].time_ms < readings[i - 1].time_ms)
            return false;
    return true;
}

static void insertion_sort(struct reading *readings, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct reading moved = readings[i];
        size_t at = i;
        for (; at > 0 && readings[at - 1].time_ms > moved.time_ms; at--)
            readings[at] = readings[at - 1];
        readings[at] = moved;
    }
}

static void merge(const struct reading *from, struct reading *to, size_t low,
                  size_t middle, size_t high)
{
    size_t left = low;
    size_t right = middle;
    for (size_t at = low; at < high; at++) {
        bool takes_left =
            left < middle && (right >= high || from[left].time_ms <= from[right].time_ms);
        to[at] = takes_left ? from[left++] : from[right++];
    }
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Stable, n log n whatever the sender did: runs of 16, merged. */
static void sort_by_time(struct pack *pack)
{
    size_t count = pack->reading_count;
    if (is_sorted(pack->readings, count))
        return;
    for (size_t low = 0; low < count; low += INSERTION_RUN)
        insertion_sort(pack->readings + low, smaller(INSERTION_RUN, count - low));
    if (count <= INSERTION_RUN)
        return;
    struct reading *spare = mem_array(pack->reading_capacity, sizeof *spare);
    for (size_t run = INSERTION_RUN; run < count; run *= 2) {
        for (size_t low = 0; low < count; low += 2 * run)
            merge(pack->readings, spare, low, smaller(low + run, count),
                  smaller(low + 2 * run, count));
        struct reading *sorted = spare;
        spare = pack->readings;
        pack->readings = sorted;
    }
    free(spare);
    assert(is_sorted(pack->readings, count));
}

/* ---- the whole ---------------------------------------------------------------- */

static enum err check_whole(const struct pack *pack, struct err_text *why)
{
    bool has_name = pack->device[0] != '\0';
    if (has_name != (pack->epoch != 0) || has_name != (pack->seq != 0))
        return err_set(why, ERR_INVALID, "cc-dev, cc-epoch and cc-seq belong together");
    /* whatever it was, none of it would be stored */
    if (!has_name && pack->reading_count == 0)
        return err_set(why, ERR_INVALID, "there is no reading in the pack");
    if (pack->kind != PACK_DATA && !has_name)
        return err_set(why, ERR_INVALID, "a pack of this kind needs cc-dev");
    if (pack->kind != PACK_DATA && pack->kind != PACK_THINNED && pack->reading_count > 0)
        return err_set(why, ERR_INVALID, "a pack of this kind holds no readings");
    /* relative times are written against it, to the ms */
    if (pack->wall_ms < PACK_TIME_MIN || pack->wall_ms > PACK_TIME_MAX)
        return err_set(why, ERR_INVALID, "cc-at is beyond all years");
    switch (pack->kind) {
    case PACK_DATA:
        break;
    case PACK_LOSS:
    case PACK_THINNED:
        if (pack->from == 0 || pack->to < pack->from)
            return err_set(why, ERR_INVALID, "cc-from and cc-to are no range");
        break;
    case PACK_EPOCH_END:
        if (pack->ended == 0)
            return err_set(why, ERR_INVALID, "cc-ended is missing");
        break;
    case PACK_CLOCK_FIX:
        if (pack->fixed_boot_id[0] == '\0')
            return err_set(why, ERR_INVALID, "cc-fixed is missing");
        break;
    }
    return ERR_OK;
}

enum err pack_parse(struct pack *pack, const void *data, size_t len, int64_t now_ms,
                    struct err_text *why)
{
    struct parser parser = {.pack = pack, .now_ms = now_ms, .raw = NAN};
    struct senml_sink sink = {
        .context = &parser, .record = take_record, .label = take_label};
    pack_clear(pack);
    if (len > PACK_BYTES_MAX)
        return err_set(why, ERR_LIMIT, "%zu bytes are more than %u", len, PACK_BYTES_MAX);
    enum err err = senml_read(&sink, data, len, why);
    if (err == ERR_OK)
        err = check_whole(pack, why);
    if (err == ERR_OK)
        sort_by_time(pack);
    else
        pack_clear(pack);
    return err;
}
