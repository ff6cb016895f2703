// SPDX-License-Identifier: Apache-2.0
/*
 * stretches - where a zone's readings are: the placements that touch the time asked for,
 * as far as the caller may see them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/sight.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int64_t time_member(const json_t *object, const char *key, int64_t fallback)
{
    int64_t ms = fallback;
    const char *text = text_of(object, key);
    return text != NULL && clock_parse_iso(&ms, text) ? ms : fallback;
}

bool api_is_placed_apart(const struct api_stretch *stretch, const char *channel,
                         int64_t time_ms)
{
    for (size_t i = 0; i < stretch->apart_count; i++) {
        const struct api_apart *apart = &stretch->apart[i];
        if (time_ms >= apart->from_ms && time_ms < apart->to_ms &&
            strcmp(apart->channel, channel) == 0)
            return true;
    }
    return false;
}

/* Placements of single channels of the stretch's device; false when there are none. */
static struct api_apart *find_apart(const json_t *placements,
                                    const struct api_stretch *stretch, size_t *count)
{
    struct api_apart *list = NULL;
    size_t capacity = 0;
    size_t i;
    json_t *placement;
    *count = 0;
    json_array_foreach((json_t *)(uintptr_t)placements, i, placement)
    {
        if (strcmp(text_of(placement, "org"), stretch->org) != 0 ||
            strcmp(text_of(placement, "device"), stretch->device) != 0 ||
            text_of(placement, "channel")[0] == '\0')
            continue;
        mem_grow(&list, &capacity, *count + 1, sizeof *list);
        list[(*count)++] =
            (struct api_apart){.channel = text_of(placement, "channel"),
                               .from_ms = time_member(placement, "from", INT64_MIN),
                               .to_ms = time_member(placement, "to", INT64_MAX)};
    }
    return list;
}

struct walk {
    struct api_call *call;
    const json_t *placements;
    const char *channel; /* that was asked for; NULL: all */
    void *context;
    api_stretch_fn *stretch;
};

/* A whole device, or one channel of it, in one zone for some time. */
static bool walk_placement(const struct walk *walk, const struct access_window *window,
                           const json_t *placement)
{
    const char *channel = text_of(placement, "channel");
    bool is_whole = channel[0] == '\0';
    struct api_stretch stretch = {
        .org = text_of(placement, "org"),
        .device = text_of(placement, "device"),
        .channel = is_whole ? walk->channel : channel,
        .from_ms = later(window->from_ms, time_member(placement, "from", INT64_MIN)),
        .to_ms = sooner(window->to_ms, time_member(placement, "to", INT64_MAX)),
    };
    bool is_other =
        !is_whole && walk->channel != NULL && strcmp(channel, walk->channel) != 0;
    if (is_other || stretch.from_ms >= stretch.to_ms)
        return true;
    struct api_apart *apart =
        is_whole ? find_apart(walk->placements, &stretch, &stretch.apart_count) : NULL;
    stretch.apart = apart;
    bool goes_on = walk->stretch(walk->call, walk->context, &stretch);
    free(apart);
    return goes_on;
}

bool api_each_stretch(struct api_call *call, const char *zone, struct access_window asked,
                      const char *channel, void *context, api_stretch_fn *stretch)
{
    struct buf text = {0};
    if (!api_ask_live(call, API_LIVE_PLACEMENTS, &text))
        return false;
    json_t *placements = json_loadb(text.data, text.len, 0, NULL);
    assert(placements != NULL);
    struct access_window windows[ACCESS_WINDOWS_MAX];
    size_t window_count = api_zone_windows(call, zone, asked, windows);
    const struct walk walk = {call, placements, channel, context, stretch};
    bool is_known = false;
    bool goes_on = true;
    size_t i;
    json_t *placement;
    json_array_foreach(placements, i, placement)
    {
        if (strcmp(text_of(placement, "zone"), zone) != 0)
            continue;
        is_known = true;
        for (size_t k = 0; goes_on && k < window_count; k++)
            goes_on = walk_placement(&walk, &windows[k], placement);
    }
    json_decref(placements);
    buf_fini(&text);
    if (goes_on && !is_known)
        api_not_found(call);
    return goes_on && is_known;
}
