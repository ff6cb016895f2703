// SPDX-License-Identifier: Apache-2.0
/*
 * zone_rules - which rules of a zone can judge right now, and why others cannot: GET
 * zones/ZONE/rules.
 */
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/sight.h"

/* What is so now is for who sees the zone now, not for who was granted another time. */
void api_get_zone_rules(struct api_call *call)
{
    const char *zone = call->parts[0];
    int64_t now_ms = api_now_ms(call->api);
    if (!api_load_places(call))
        return;
    if (!api_sees_time(call, zone, now_ms, now_ms)) {
        api_not_found(call);
        return;
    }
    if (api_ask_live_of(call, API_LIVE_RULES, zone, &call->out) && call->out.len == 0)
        api_not_found(call);
}
