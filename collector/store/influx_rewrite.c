// SPDX-License-Identifier: Apache-2.0
/*
 * influx_rewrite - points follow what is said of the past.
 *
 * Of each correction: all points of the device in its time are deleted, and written
 * again from history with the zones that are known now, page by page between the batches
 * of what is new. Both may be repeated: an interrupted one begins anew.
 *
 *   none -> (history holds all that was sent) -> delete -> page -> page -> none
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "collector/store/influx_internal.h"
#include "collector/store/state_entities.h"

#define NS_PER_MS INT64_C(1000000)
#define MS_MAX    (INT64_MAX / NS_PER_MS)
#define PAUSE_MS  1000
#define LOOK      16 /* corrections */

struct next {
    struct influx_rewrite *rewrite;
    char command[STATE_ENTITY_ID_SIZE];
    bool is_whole;
};

/* What one command says of a device in one time is written anew once. */
static void on_correction(void *context, const struct state_correction *row)
{
    struct next *next = context;
    struct influx_rewrite *rewrite = next->rewrite;
    if (rewrite->id != 0) {
        next->is_whole |= strcmp(next->command, row->command) != 0 ||
                          strcmp(rewrite->org, row->org) != 0 ||
                          strcmp(rewrite->device, row->device) != 0 ||
                          rewrite->from_ms != row->from_ms ||
                          rewrite->to_ms != row->to_ms;
        if (!next->is_whole)
            rewrite->id = row->id;
        return;
    }
    *rewrite = (struct influx_rewrite){
        .id = row->id, .from_ms = row->from_ms, .to_ms = row->to_ms};
    snprintf(rewrite->org, sizeof rewrite->org, "%s", row->org);
    snprintf(rewrite->device, sizeof rewrite->device, "%s", row->device);
    snprintf(next->command, sizeof next->command, "%s", row->command);
}

/* Points that were sent and are not in history yet could not be written again. */
static bool history_is_behind(struct influx *influx, enum err *err)
{
    uint64_t cursor = 0;
    struct err_text why;
    *err = influx->history != NULL
               ? ERR_OK
               : history_reader_open(&influx->history, influx->options.history_dir, &why);
    if (*err == ERR_OK)
        *err = history_reader_cursor(influx->history, &cursor);
    return *err != ERR_OK || cursor < influx->batch_end;
}

/*
 * After a crash the registry is as of the last checkpoint until the commands since then
 * are read again; what state.db says of corrections is later than that.
 */
static bool registry_is_behind(struct influx *influx, enum err *err)
{
    struct state_meta meta = {0};
    *err = state_load_meta(influx->incidents, &meta);
    return *err != ERR_OK ||
           (influx->options.evaluated != NULL &&
            influx->options.evaluated(influx->options.context) < meta.effect_position);
}

static int64_t ns_of(int64_t ms)
{
    return ms > MS_MAX ? INT64_MAX : ms < -MS_MAX ? -INT64_MAX : ms * NS_PER_MS;
}

static void begin_deletion(struct influx *influx)
{
    struct influx_rewrite *rewrite = &influx->rewrite;
    struct influx_delete all = {.measurement = "climate",
                                .tags = {{.key = "org"}, {.key = "device"}},
                                .from_ns = ns_of(rewrite->from_ms),
                                .to_ns = ns_of(rewrite->to_ms)};
    snprintf(all.tags[0].value, ID_SIZE, "%s", rewrite->org);
    snprintf(all.tags[1].value, ID_SIZE, "%s", rewrite->device);
    influx_delete_later(influx, &all);
}

static bool begin_next(struct influx *influx)
{
    struct influx_rewrite *rewrite = &influx->rewrite;
    struct next next = {.rewrite = rewrite};
    struct err_text why = {0};
    enum err err = influx_open_state(influx, &why);
    if (err == ERR_OK)
        err = state_corrections_after(influx->incidents, influx->corrected, LOOK, &next,
                                      on_correction);
    if (err == ERR_OK && rewrite->id == 0)
        return true;
    rewrite->waits = err != ERR_OK || registry_is_behind(influx, &err) ||
                     history_is_behind(influx, &err);
    if (rewrite->waits)
        rewrite->id = 0;
    else
        begin_deletion(influx);
    if (err != ERR_OK) {
        log_warn("influx: a correction waits: %s", err_about(err));
        influx->wait_until_ms = clock_real_ms() + PAUSE_MS;
    }
    return false;
}

struct page {
    struct influx *influx;
    size_t seen;
};

/* As in the pack it came in: the second reading of a channel at one time is the next. */
static unsigned repeat_of(struct influx_rewrite *rewrite,
                          const struct history_reading *reading)
{
    bool is_repeat = reading->time_ms == rewrite->last_ms &&
                     reading->seq == rewrite->last_seq &&
                     strcmp(reading->channel, rewrite->last_channel) == 0;
    rewrite->last_ms = reading->time_ms;
    rewrite->last_seq = reading->seq;
    rewrite->last_repeat = is_repeat ? rewrite->last_repeat + 1 : 0;
    snprintf(rewrite->last_channel, sizeof rewrite->last_channel, "%s", reading->channel);
    return rewrite->last_repeat;
}

static bool on_reading(void *context, const struct history_reading *reading)
{
    struct page *page = context;
    struct influx *influx = page->influx;
    struct influx_rewrite *rewrite = &influx->rewrite;
    struct channel channel;
    page->seen++;
    rewrite->last_count =
        reading->time_ms == rewrite->from_ms ? rewrite->last_count + 1 : 1;
    rewrite->from_ms = reading->time_ms;
    if (channel_parse(&channel, reading->channel) != ERR_OK)
        return true;
    const struct influx_reading line = {
        .org = rewrite->org,
        .device = rewrite->device,
        .channel = &channel,
        .time_ms = reading->time_ms,
        .arrival_ms = reading->arrival_ms,
        .value = reading->value,
        .quality = reading->quality,
        .seq = reading->seq,
        .repeat = repeat_of(rewrite, reading),
    };
    size_t start = influx->lines.len;
    registry_lock(influx->options.registry);
    influx_format_reading(&line, influx->options.registry, &influx->lines);
    registry_unlock(influx->options.registry);
    influx_mark_lines(influx, start, 0);
    rewrite->lines += influx->lines.len > start;
    return true;
}

/* Pages are followed by what is new, so that neither waits long for the other. */
static void write_page(struct influx *influx)
{
    struct influx_rewrite *rewrite = &influx->rewrite;
    struct page page = {.influx = influx};
    size_t most = (size_t)influx->options.settings->influx.batch_lines;
    const struct history_range range = {.org = rewrite->org,
                                        .device = rewrite->device,
                                        .from_ms = rewrite->from_ms,
                                        .to_ms = rewrite->to_ms,
                                        .skip = rewrite->last_count};
    enum err err = history_query(influx->history, &range, most, &page, on_reading);
    if (err != ERR_OK) {
        log_warn("influx: a correction waits: %s", err_about(err));
        influx->wait_until_ms = clock_real_ms() + PAUSE_MS;
    }
    rewrite->is_through = err == ERR_OK && page.seen < most;
}

bool influx_rewrite_page(struct influx *influx)
{
    struct influx_rewrite *rewrite = &influx->rewrite;
    if (influx->options.state_path == NULL || influx->options.history_dir == NULL)
        return true;
    if (rewrite->id == 0)
        return begin_next(influx);
    if (!rewrite->is_deleted)
        return false; /* its deletion could not be sent yet */
    write_page(influx);
    return true;
}

void influx_rewrite_accepted(struct influx *influx)
{
    struct influx_rewrite *rewrite = &influx->rewrite;
    if (rewrite->id == 0)
        return;
    rewrite->is_deleted = true; /* what was to be deleted is */
    if (!rewrite->is_through)
        return;
    log_info("influx follows a correction device=%s lines=%llu", rewrite->device,
             (unsigned long long)rewrite->lines);
    influx->corrected = rewrite->id;
    *rewrite = (struct influx_rewrite){0};
}
