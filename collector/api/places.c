// SPDX-License-Identifier: Apache-2.0
/*
 * places - what of the zones, devices and incidents the caller sees.
 *
 * Who sees everything is never asked further; for others the zones are read once per
 * call.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/sight.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

void api_not_found(struct api_call *call)
{
    api_refuse(call, PROBLEM_NOT_FOUND, NULL);
}

bool api_sees_all(const struct api_call *call)
{
    const struct principal *principal = &call->principal;
    const struct access_place anywhere = {.org = "", .site = "", .zone = ""};
    return principal->org[0] == '\0' && principal->site_count == 0 &&
           access_owns_place(principal, &anywhere);
}

/* {zone: {org, site}} */
static json_t *places_of(struct api_call *call)
{
    if (call->places != NULL)
        return call->places;
    struct buf text = {0};
    if (api_ask_live(call, API_LIVE_ZONES, &text)) {
        json_t *list = json_loadb(text.data, text.len, 0, NULL);
        size_t i;
        json_t *zone;
        call->places = json_object();
        json_array_foreach(list, i, zone)
        {
            json_object_set(call->places, text_of(zone, "id"), zone);
        }
        json_decref(list);
    }
    buf_fini(&text);
    return call->places;
}

enum err api_find_place(struct api_call *call, const char *zone,
                        struct access_place *place)
{
    json_t *places = places_of(call);
    const json_t *found = json_object_get(places, zone);
    *place = (struct access_place){
        .org = text_of(found, "org"), .site = text_of(found, "site"), .zone = zone};
    if (places == NULL)
        return ERR_TIMEOUT;
    return found != NULL ? ERR_OK : ERR_NOT_FOUND;
}

bool api_sees_zone(struct api_call *call, const char *zone)
{
    struct access_place place;
    return api_sees_all(call) || (api_find_place(call, zone, &place) == ERR_OK &&
                                  access_sees_place(&call->principal, &place));
}

bool api_sees_time(struct api_call *call, const char *zone, int64_t from_ms,
                   int64_t to_ms)
{
    struct access_place place;
    int64_t end_ms = to_ms != 0 ? to_ms : api_now_ms(call->api);
    return api_sees_all(call) ||
           (api_find_place(call, zone, &place) == ERR_OK &&
            access_sees_time(&call->principal, &place, from_ms, end_ms));
}

/* Trouble of a device that measures no zone is its organisation's business. */
static bool sees_unplaced(struct api_call *call, const struct incident *incident)
{
    json_t *subject = json_loads(incident->snapshot, 0, NULL);
    const char *org = json_string_value(json_object_get(subject, "org"));
    bool is_seen = org != NULL && api_sees_device(call, org, incident->device);
    json_decref(subject);
    return is_seen;
}

bool api_sees_incident(struct api_call *call, const struct incident *incident)
{
    if (incident->zone[0] == '\0' && incident->device[0] != '\0')
        return sees_unplaced(call, incident);
    return api_sees_time(call, incident->zone, incident->onset_ms, incident->closed_ms);
}

size_t api_zone_windows(struct api_call *call, const char *zone,
                        struct access_window asked,
                        struct access_window windows[ACCESS_WINDOWS_MAX])
{
    struct access_place place = {.org = "", .site = "", .zone = zone};
    if (!api_sees_all(call) && api_find_place(call, zone, &place) != ERR_OK)
        return 0;
    return access_windows(&call->principal, &place, asked, windows);
}

/* ---- devices: where they measure ----------------------------------------------------
 */

/* {"ORG/DEVICE": true} of what measures a zone that the caller sees. */
static json_t *devices_of(struct api_call *call)
{
    struct buf text = {0};
    if (call->devices != NULL || !api_ask_live(call, API_LIVE_PLACEMENTS, &text))
        return call->devices;
    json_t *list = json_loadb(text.data, text.len, 0, NULL);
    size_t i;
    json_t *placement;
    call->devices = json_object();
    json_array_foreach(list, i, placement)
    {
        struct buf name = {0};
        buf_format(&name, "%s/%s", text_of(placement, "org"),
                   text_of(placement, "device"));
        if (api_sees_zone(call, text_of(placement, "zone")))
            json_object_set_new(call->devices, name.data, json_true());
        buf_fini(&name);
    }
    json_decref(list);
    buf_fini(&text);
    return call->devices;
}

bool api_load_places(struct api_call *call)
{
    return api_sees_all(call) ||
           (places_of(call) != NULL &&
            (call->principal.site_count == 0 || devices_of(call) != NULL));
}

/* A device of the caller's organisation is seen whole, unless he has some sites only. */
bool api_sees_device(struct api_call *call, const char *org, const char *device)
{
    if (api_sees_all(call))
        return true;
    if (!access_sees_org(&call->principal, org))
        return false;
    if (call->principal.site_count == 0)
        return true;
    struct buf name = {0};
    buf_format(&name, "%s/%s", org, device);
    bool is_seen = json_object_get(devices_of(call), name.data) != NULL;
    buf_fini(&name);
    return is_seen;
}

/* ---- what an address names ----------------------------------------------------------
 */

bool api_owns_site(struct api_call *call, const char *site)
{
    const char *zone;
    json_t *entry;
    json_t *places = places_of(call);
    json_object_foreach(places, zone, entry)
    {
        struct access_place place;
        if (strcmp(text_of(entry, "site"), site) == 0 &&
            api_find_place(call, zone, &place) == ERR_OK &&
            access_owns_place(&call->principal, &place))
            return true;
    }
    return false;
}

static bool sees_incident(struct api_call *call, const char *id)
{
    struct incident incident;
    return state_get_incident(call->stores->state, id, &incident) == ERR_OK &&
           api_sees_incident(call, &incident);
}

bool api_checks_tenant(struct api_call *call, const struct api_route *route)
{
    bool is_seen = true;
    if (api_sees_all(call))
        return true;
    switch (route->need.tenant) {
    case ACCESS_TENANT_ZONE:
        is_seen = api_sees_zone(call, call->parts[0]);
        break;
    case ACCESS_TENANT_SITE:
        is_seen = api_owns_site(call, call->parts[0]);
        break;
    case ACCESS_TENANT_DEVICE:
        is_seen = api_sees_device(call, call->parts[0], call->parts[1]);
        break;
    case ACCESS_TENANT_INCIDENT:
        is_seen = sees_incident(call, call->parts[0]);
        break;
    case ACCESS_TENANT_UNDECLARED:
    case ACCESS_TENANT_NONE:
    case ACCESS_TENANT_WHOLE:
    case ACCESS_TENANT_SELF:
    case ACCESS_TENANT_LIST:
    case ACCESS_TENANT_ORG:
    case ACCESS_TENANT_COMMAND:
    case ACCESS_TENANT_COUNT:
        break;
    }
    if (!is_seen && call->status == MHD_HTTP_OK)
        api_not_found(call);
    return is_seen;
}

/* ---- live lists
 * ------------------------------------------------------------------------
 */

bool api_keeps_zone(struct api_call *call, json_t *entry)
{
    const struct access_place place = {.org = text_of(entry, "org"),
                                       .site = text_of(entry, "site"),
                                       .zone = text_of(entry, "id")};
    json_t *channels = json_object_get(entry, "channels");
    for (size_t i = json_array_size(channels); i > 0; i--) {
        int64_t ms = 0;
        const char *time = text_of(json_array_get(channels, i - 1), "time");
        if (!clock_parse_iso(&ms, time) ||
            !access_sees_time(&call->principal, &place, ms, ms))
            json_array_remove(channels, i - 1);
    }
    return access_sees_place(&call->principal, &place);
}

bool api_keeps_device(struct api_call *call, json_t *entry)
{
    return api_sees_device(call, text_of(entry, "org"), text_of(entry, "id"));
}

bool api_keeps_placement(struct api_call *call, json_t *entry)
{
    return access_sees_org(&call->principal, text_of(entry, "org")) &&
           api_sees_zone(call, text_of(entry, "zone"));
}

static void filter(struct api_call *call, const struct buf *text, api_keeps_fn *keeps)
{
    json_t *list = json_loadb(text->data, text->len, 0, NULL);
    assert(json_is_array(list));
    for (size_t i = json_array_size(list); i > 0; i--)
        if (!keeps(call, json_array_get(list, i - 1)))
            json_array_remove(list, i - 1);
    char *kept = json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert(kept != NULL);
    if (call->status == MHD_HTTP_OK)
        buf_text(&call->out, kept);
    free(kept);
    json_decref(list);
}

void api_list_live(struct api_call *call, enum api_live what, api_keeps_fn *keeps)
{
    struct buf text = {0};
    if (!api_ask_live(call, what, &text))
        return;
    if (api_sees_all(call))
        buf_add(&call->out, text.data, text.len);
    else
        filter(call, &text, keeps);
    buf_fini(&text);
}
