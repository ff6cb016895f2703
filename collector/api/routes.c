// SPDX-License-Identifier: Apache-2.0
/*
 * routes - the whole interface, and the short answers.
 */
#include <string.h>

#include "collector/api/internal.h"
#include "collector/metrics.h"

static void get_health(struct api_call *call)
{
    buf_text(&call->out, "{\"status\":\"alive\"}");
}

static void get_ready(struct api_call *call)
{
    struct err_text why = {0};
    if (api_ask_ready(call, &why))
        buf_text(&call->out, "{\"status\":\"ready\"}");
    else
        api_problem(call, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready", why.text);
}

static void get_metrics(struct api_call *call)
{
    metrics_format(&call->out);
    call->content_type = "text/plain; version=0.0.4; charset=utf-8";
}

static void get_zones(struct api_call *call)
{
    api_ask_live(call, API_LIVE_ZONES, &call->out);
}

static void get_devices(struct api_call *call)
{
    api_ask_live(call, API_LIVE_DEVICES, &call->out);
}

static void get_placements(struct api_call *call)
{
    api_ask_live(call, API_LIVE_PLACEMENTS, &call->out);
}

static void get_status(struct api_call *call)
{
    api_ask_live(call, API_LIVE_STATUS, &call->out);
}

#define READINGS_PARAMS "from to channel limit skip format"

const struct api_route api_routes[] = {
    {"GET", "/healthz", API_OPEN, "", get_health, "the process is alive"},
    {"GET", "/readyz", API_OPEN, "", get_ready,
     "it does its work: 200, else 503 and why not"},
    {"GET", "/metrics", API_TOKEN, "", get_metrics, "counters for Prometheus"},
    {"GET", "/api/v1/status", API_TOKEN, "", get_status,
     "positions, connection, version"},
    {"GET", "/api/v1/zones", API_TOKEN, "", get_zones,
     "zones with last values and their age"},
    {"GET", "/api/v1/zones/*/readings", API_TOKEN, READINGS_PARAMS, api_get_zone_readings,
     "what measured a zone"},
    {"GET", "/api/v1/devices", API_TOKEN, "", get_devices,
     "devices, declared or only seen"},
    {"GET", "/api/v1/devices/*/*/readings", API_TOKEN, READINGS_PARAMS, api_get_readings,
     "readings of ORG/DEVICE"},
    {"GET", "/api/v1/placements", API_TOKEN, "", get_placements,
     "which channel measures what"},
    {"GET", "/api/v1/incidents", API_TOKEN, "state zone from to limit cursor",
     api_get_incidents, "the newest first"},
    {"GET", "/api/v1/incidents/*", API_TOKEN, "", api_get_incident,
     "one, with its transitions and messages"},
    {"POST", "/api/v1/incidents/*/acknowledge", API_TOKEN, "", api_acknowledge,
     "somebody has taken it: {\"reason\": \"...\"}"},
    {"GET", "/api/v1/quarantine", API_TOKEN, "limit after", api_get_quarantine,
     "what could not be used, and why"},
    {"GET", "/api/v1/outbox", API_TOKEN, "limit after", api_get_outbox,
     "messages and what became of them"},
    {"GET", "/api/v1/sinks", API_TOKEN, "", api_get_sinks,
     "how far the other stores are"},
    {.method = NULL},
};
