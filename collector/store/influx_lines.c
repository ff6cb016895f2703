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
static bool time_ns(const struct influx_reading *reading, int64_t *ns)
{
    uint64_t slot = reading->seq % SLOTS_PER_MS;
    uint64_t below_ms =
        slot * (NS_PER_MS / SLOTS_PER_MS) + reading->repeat % (NS_PER_MS / SLOTS_PER_MS);
    int64_t whole_ms;
    if (line_timestamp(&whole_ms, reading->time_ms, LINE_NS) != ERR_OK ||
        whole_ms > INT64_MAX - (int64_t)NS_PER_MS)
        return false;
    *ns = whole_ms + (int64_t)below_ms;
    return true;
}

static void put_tags(struct line_writer *line, const struct influx_reading *reading,
                     const struct registry *registry)
{
    const struct registry_placement *placement =
        registry != NULL ? registry_place(registry, reading->org, reading->device,
                                          reading->channel->name, reading->time_ms)
                         : NULL;
    const struct registry_zone *zone =
        placement != NULL ? registry_zone(registry, placement->zone) : NULL;
    /* Sorted by key, and without the empty ones, as the server likes them. */
    line_tag(line, "device", reading->device);
    line_tag(line, "org", reading->org);
    line_tag(line, "probe", reading->channel->probe);
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

static void put_fields(struct line_writer *line, const struct influx_reading *reading)
{
    char name[ID_SIZE + 1];
    if (reading->quality == QUALITY_GOOD && isfinite(reading->value))
        line_float(line, field_name(reading->channel->quantity, name, sizeof name),
                   reading->value);
    else
        line_text(line, "state", quality_name(reading->quality));
    if (reading->seq <= INT64_MAX)
        line_int(line, "seq", (int64_t)reading->seq);
    if (reading->arrival_ms - reading->time_ms > LATE_MS)
        line_bool(line, "late", true);
}

size_t influx_format_reading(const struct influx_reading *reading,
                             const struct registry *registry, struct buf *out)
{
    int64_t ns;
    if (!time_ns(reading, &ns))
        return 0; /* it stays in journal and history */
    struct line_writer line;
    line_begin(&line, out, "climate");
    put_tags(&line, reading, registry);
    put_fields(&line, reading);
    return line_end(&line, ns);
}

size_t influx_format_pack(const struct pack *pack, const struct topic *topic,
                          const struct registry *registry, int64_t arrival_ms,
                          struct buf *out)
{
    size_t lines = 0;
    for (size_t i = 0; i < pack->reading_count; i++) {
        const struct reading *from = &pack->readings[i];
        const struct influx_reading reading = {
            .org = topic->org,
            .device = topic->device,
            .channel = &pack->channels[from->channel],
            .time_ms = from->time_ms,
            .arrival_ms = arrival_ms,
            .value = from->value,
            .quality = (enum quality)from->quality,
            .seq = pack->seq,
            .repeat = repeat_of(pack, i),
        };
        lines += influx_format_reading(&reading, registry, out);
    }
    return lines;
}
