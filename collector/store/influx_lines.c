// SPDX-License-Identifier: Apache-2.0
/*
 * influx_lines - how a pack looks in line protocol.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collector/store/influx.h"
#include "telemetry/line.h"

#define LATE_MS   INT64_C(300000)
#define NS_PER_MS 1000000u
#define SLOTS_PER_MS \
    1000u /* seqs that differ modulo this differ in their nanoseconds \
           */

/* The k-th reading of one channel at one time within its pack. */
static unsigned repeat_of(const struct pack *pack, size_t index)
{
    const struct reading *reading = &pack->readings[index];
    unsigned repeats = 0;
    for (size_t i = index; i > 0 && pack->readings[i - 1].time_ms == reading->time_ms;
         i--)
        repeats += pack->readings[i - 1].channel == reading->channel;
    return repeats;
}

/* False when it does not fit: nanoseconds end in 2262. */
static bool time_ns(const struct pack *pack, size_t index, int64_t *ns)
{
    uint64_t slot = pack->seq % SLOTS_PER_MS;
    uint64_t below_ms = slot * (NS_PER_MS / SLOTS_PER_MS) +
                        repeat_of(pack, index) % (NS_PER_MS / SLOTS_PER_MS);
    int64_t whole_ms;
    if (line_timestamp(&whole_ms, pack->readings[index].time_ms, LINE_NS) != ERR_OK ||
        whole_ms > INT64_MAX - (int64_t)NS_PER_MS)
        return false;
    *ns = whole_ms + (int64_t)below_ms;
    return true;
}

static void put_tags(struct line_writer *line, const struct topic *topic,
                     const struct channel *channel, const struct registry *registry,
                     int64_t time_ms)
{
    const struct registry_placement *placement =
        registry != NULL
            ? registry_place(registry, topic->org, topic->device, channel->name, time_ms)
            : NULL;
    const struct registry_zone *zone =
        placement != NULL ? registry_zone(registry, placement->zone) : NULL;
    /* Sorted by key, and without the empty ones, as the server likes them. */
    line_tag(line, "device", topic->device);
    line_tag(line, "org", topic->org);
    line_tag(line, "probe", channel->probe);
    line_tag(line, "site", zone != NULL ? zone->site : "");
    line_tag(line, "zone", placement != NULL ? placement->zone : "");
}

/* A channel of ours or of a stranger may be called as our own fields are. */
static const char *field_name(const char *quantity, char *name, size_t size)
{
    static const char *const ours[] = {"late", "seq", "state"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcmp(quantity, ours[i]) == 0) {
            snprintf(name, size, "%s_", quantity);
            return name;
        }
    return quantity;
}

static void put_fields(struct line_writer *line, const struct pack *pack,
                       const struct reading *reading, const struct channel *channel,
                       int64_t arrival_ms)
{
    char name[ID_SIZE + 1];
    if (reading->quality == QUALITY_GOOD && isfinite(reading->value))
        line_float(line, field_name(channel->quantity, name, sizeof name),
                   reading->value);
    else
        line_text(line, "state", quality_name((enum quality)reading->quality));
    if (pack->seq <= INT64_MAX)
        line_int(line, "seq", (int64_t)pack->seq);
    if (arrival_ms - reading->time_ms > LATE_MS)
        line_bool(line, "late", true);
}

size_t influx_format_pack(const struct pack *pack, const struct topic *topic,
                          const struct registry *registry, int64_t arrival_ms,
                          struct buf *out)
{
    size_t lines = 0;
    for (size_t i = 0; i < pack->reading_count; i++) {
        const struct reading *reading = &pack->readings[i];
        const struct channel *channel = &pack->channels[reading->channel];
        int64_t ns;
        if (!time_ns(pack, i, &ns))
            continue; /* it stays in journal and history */
        struct line_writer line;
        line_begin(&line, out, "climate");
        put_tags(&line, topic, channel, registry, reading->time_ms);
        put_fields(&line, pack, reading, channel, arrival_ms);
        lines += line_end(&line, ns);
    }
    return lines;
}
