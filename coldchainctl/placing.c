// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/placing.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"

/* ---- what there is -------------------------------------------------------------------
 */

static int64_t ms_of(const json_t *placement, const char *key, int64_t otherwise)
{
    int64_t ms;
    const char *text = json_string_value(json_object_get(placement, key));
    return text != NULL && clock_parse_iso(&ms, text) ? ms : otherwise;
}

/* Is it "NAME=" of "time=...,NAME=...,...". */
static bool names_channel(const char *columns, const char *channel)
{
    size_t len = strlen(channel);
    for (const char *at = columns; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, channel, len) == 0 && at[len] == '=')
            return true;
    }
    return false;
}

/* A placement that says where channels of the file were at some of its time. */
static bool touches(const struct placing *placing, const json_t *placement)
{
    const char *channel = json_string_value(json_object_get(placement, "channel"));
    return strcmp(show_text(placement, "org"), placing->org) == 0 &&
           strcmp(show_text(placement, "device"), placing->device) == 0 &&
           (channel == NULL || channel[0] == '\0' ||
            names_channel(placing->columns, channel)) &&
           ms_of(placement, "from", INT64_MIN) < placing->to_ms &&
           placing->from_ms < ms_of(placement, "to", INT64_MAX);
}

static bool is_of_device(const json_t *placement)
{
    return strcmp(show_text(placement, "channel"), "-") == 0;
}

static enum err refuse(const struct placing *placing, const json_t *placement,
                       struct err_text *why)
{
    char from[SHOW_SIZE];
    char to[SHOW_SIZE];
    return err_set(why, ERR_CONFLICT,
                   say("%.64s/%.64s measures zone '%.64s' from %s to %s, not '%.64s'; "
                       "nothing was imported: put that placement right first "
                       "(coldchainctl do placement.correct), or leave --zone out"),
                   placing->org, placing->device, show_text(placement, "zone"),
                   show_time(from, placement, "from"), show_time(to, placement, "to"),
                   placing->zone);
}

/* Where what is placed from `at_ms` on ends, or, with *is_placed false, begins. */
static int64_t next_bound(const struct placing *placing, const json_t *placements,
                          int64_t at_ms, bool *is_placed)
{
    int64_t begins_ms = placing->to_ms;
    size_t i;
    json_t *placement;
    *is_placed = false;
    json_array_foreach((json_t *)(uintptr_t)placements, i, placement)
    {
        if (!touches(placing, placement) || !is_of_device(placement))
            continue;
        int64_t from_ms = ms_of(placement, "from", INT64_MIN);
        int64_t to_ms = ms_of(placement, "to", INT64_MAX);
        if (from_ms <= at_ms && at_ms < to_ms) {
            *is_placed = true;
            return to_ms < placing->to_ms ? to_ms : placing->to_ms;
        }
        if (from_ms > at_ms && from_ms < begins_ms)
            begins_ms = from_ms;
    }
    return begins_ms;
}

enum err placing_gaps(const struct placing *placing, const json_t *placements,
                      struct placing_span gaps[PLACING_GAPS_MAX], size_t *count,
                      struct err_text *why)
{
    assert(placing->zone != NULL && placing->columns != NULL);
    size_t i;
    json_t *placement;
    *count = 0;
    json_array_foreach((json_t *)(uintptr_t)placements, i, placement)
    {
        if (touches(placing, placement) &&
            strcmp(show_text(placement, "zone"), placing->zone) != 0)
            return refuse(placing, placement, why);
    }
    for (int64_t at_ms = placing->from_ms; at_ms < placing->to_ms;) {
        bool is_placed;
        int64_t end_ms = next_bound(placing, placements, at_ms, &is_placed);
        if (!is_placed && *count == PLACING_GAPS_MAX)
            return err_set(why, ERR_LIMIT,
                           say("the time of the file is placed in too many pieces; place "
                               "the rest by 'coldchainctl do placement.put'"));
        if (!is_placed)
            gaps[(*count)++] = (struct placing_span){at_ms, end_ms};
        at_ms = end_ms;
    }
    return ERR_OK;
}

/* ---- what is made --------------------------------------------------------------------
 */

/* Said again it is the same placement: its id is that of the file and the time. */
static enum err put(const struct placing *placing, const struct placing_span *gap,
                    struct client *client, struct err_text *why)
{
    char id[65];
    char reason[80];
    json_t *answer = NULL;
    snprintf(id, sizeof id, "import-%s-%" PRId64, placing->epoch, gap->from_ms);
    snprintf(reason, sizeof reason, "late: came with an imported file, epoch %s",
             placing->epoch);
    json_t *wish = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:I, s:I}}", "verb",
                             "placement.put", "reason", reason, "body", "id", id,
                             "device", placing->device, "zone", placing->zone, "from",
                             (json_int_t)gap->from_ms, "to", (json_int_t)gap->to_ms);
    enum err err = client_post(client, "/api/v1/commands", wish, &answer, why);
    json_decref(wish);
    json_decref(answer);
    return err;
}

enum err placing_make(const struct placing *placing, const json_t *placements,
                      struct client *client, size_t *count, struct err_text *why)
{
    struct placing_span gaps[PLACING_GAPS_MAX];
    enum err err = placing_gaps(placing, placements, gaps, count, why);
    for (size_t i = 0; err == ERR_OK && i < *count; i++)
        err = put(placing, &gaps[i], client, why);
    return err;
}
