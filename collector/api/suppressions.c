// SPDX-License-Identifier: Apache-2.0
/*
 * suppressions - what rules of a zone kept back, and why: GET zones/ZONE/suppressions.
 */
#include <assert.h>
#include <math.h>

#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/sight.h"
#include "collector/store/state_suppressions.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     500
#define LOOK_BACK_MS  ((int64_t)30 * 24 * 3600 * 1000)

struct listing {
    struct api_call *call;
    json_t *list;
};

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static void on_suppression(void *context, const struct suppression *told)
{
    struct listing *listing = context;
    if (!api_sees_time(listing->call, told->zone, told->from_ms, told->to_ms))
        return;
    const char *ended = suppression_end_name(told->ended);
    json_t *entry = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:o, s:o}", "id", told->id,
        "rule", told->rule, "kind", alert_kind_name(told->kind), "zone", told->zone,
        "device", told->device, "channel", told->channel, "quantity", told->quantity,
        "severity", alert_severity_name(told->severity), "reason",
        alert_reason_name(told->reason), "ended", ended[0] != '\0' ? ended : NULL,
        "limit", number_or_null(told->limit), "worst", number_or_null(told->worst));
    assert(entry != NULL);
    api_put_time(entry, "from", told->from_ms);
    api_put_time(entry, "to", told->to_ms);
    api_put_time(entry, "told", told->told_ms);
    json_array_append_new(listing->list, entry);
}

void api_get_suppressions(struct api_call *call)
{
    int64_t from_ms;
    int64_t to_ms;
    uint64_t limit;
    if (!api_read_time(call, "to", api_now_ms(call->api), &to_ms) ||
        !api_read_time(call, "from", to_ms - LOOK_BACK_MS, &from_ms) ||
        !api_read_number(call, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit) ||
        !api_load_places(call))
        return;
    struct listing listing = {.call = call, .list = json_array()};
    enum err err = state_each_suppression(call->stores->state, call->parts[0], from_ms,
                                          to_ms, (size_t)limit, &listing, on_suppression);
    if (err != ERR_OK) {
        json_decref(listing.list);
        api_store_problem(call, err);
        return;
    }
    api_dump(call, json_pack("{s:o}", "suppressions", listing.list));
}
