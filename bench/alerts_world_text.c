// SPDX-License-Identifier: Apache-2.0
/* Worlds as text: CSV of readings, JSON Lines of labels. */
#include <inttypes.h>
#include <math.h>

#include "bench/alerts_world.h"

void world_csv_header(struct buf *buf)
{
    buf_text(buf, "time_ms,arrival_ms,reading_c,door,defrost,compressor,mains,on_duty,"
                  "truth_air_c,truth_goods_c,outside_c\n");
}

void world_csv(struct buf *buf, const struct world_sample *sample)
{
    buf_format(buf, "%" PRId64 ",%" PRId64 ",%.2f,%d,%d,%d,%d,%d,%.3f,", sample->time_ms,
               sample->arrival_ms, sample->reading_C, sample->door_open,
               sample->defrost_on, sample->compressor_on, sample->mains_on,
               sample->on_duty, sample->air_C);
    if (!isnan(sample->goods_C))
        buf_format(buf, "%.3f", sample->goods_C);
    buf_format(buf, ",%.2f\n", sample->outside_C);
}

static void time_or_null(struct buf *buf, const char *name, int64_t time_ms)
{
    if (time_ms < 0)
        buf_format(buf, ", \"%s\": null", name);
    else
        buf_format(buf, ", \"%s\": %" PRId64, name, time_ms);
}

void world_label_json(struct buf *buf, const struct world_options *options,
                      const struct world_label *label)
{
    buf_format(buf, "{\"world\": \"%s\", \"seed\": %" PRIu64 ", \"id\": %u, ",
               world_kind_name(options->kind), options->seed, label->id);
    buf_format(buf, "\"kind\": \"%s\", \"failure\": %s, \"onset_ms\": %" PRId64,
               world_event_name(label->event),
               world_is_failure(label->event) ? "true" : "false", label->onset_ms);
    time_or_null(buf, "end_ms", label->end_ms);
    time_or_null(buf, "settled_ms", label->settled_ms);
    time_or_null(buf, "envelope_ms", label->envelope_ms);
    time_or_null(buf, "harm_ms", label->harm_ms);
    buf_format(buf, ", \"apart_ms\": %" PRId64, label->apart_ms);
    buf_format(buf, ", \"tell\": %s}\n", label->tell ? "true" : "false");
}
